/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a server does once it is a process of its own in its namespace (server.h). */
#pragma once

#include "sandbox/server.h"

int serve_open(const struct server_spec *spec); /* listens on all ports; 0 or -errno */
void serve_loop(const char *label); /* never returns unless epoll fails */
