/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The body of a server process, after server.c put it into its namespace. */
#pragma once

#include "sandbox/server.h"

int serve_open(const struct server_spec *spec); /* listens on all ports; 0 or -errno */
void serve_loop(const char *label); /* never returns unless epoll fails */
