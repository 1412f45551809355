/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Servers on the ports that probes ask for and no pod declares, for as long as a call lasts. */
#pragma once

#include <sys/types.h>

#include "sandbox/sandbox.h"

struct temp_servers {
	pid_t *pids;
	size_t n, cap;
};

int temp_servers_start(struct temp_servers *temp_servers, const char *name,
		       const struct sandbox_probe *probes, size_t n, struct weir_err *err);
void temp_servers_stop(struct temp_servers *temp_servers); /* also for _cleanup_() */
