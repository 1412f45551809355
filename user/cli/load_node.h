/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The node's own processes, served by a load: --cgroup. Says what cannot be done. */
#pragma once

#include "cli/talk.h"
#include "kernel/node.h"
#include "settings/settings.h"

/* Before anything is written: is a cgroup that was named one? Returns enum exit_status. */
int load_check_cgroup(const struct settings *s);
/*
 * Attaches to the cgroup that the settings say, or detaches. Without one that was asked for by name
 * only warnings are given. Returns enum exit_status.
 */
int load_node_processes(const struct settings *s, struct node *n);
