/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Runs probes from the calling process's network namespace. */
#pragma once

#include "sandbox/sandbox.h"

/* Fills measured, answer and us of each probe. 0 or -errno. */
int connect_all(struct sandbox_probe **probes, size_t n, unsigned int timeout_ms);
