/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Servers on ports that probes need and no pod declares, for the duration of a call. */
#pragma once

#include <sys/types.h>

#include "sandbox/sandbox.h"

struct temp_servers {
	pid_t *pids;
	size_t n, cap;
};

int temp_servers_start(struct temp_servers *servers, const char *name,
		       const struct sandbox_probe *probes, size_t n, struct weir_err *err);
void temp_servers_stop(struct temp_servers *servers); /* also for _cleanup_() */
