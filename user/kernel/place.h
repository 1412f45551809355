/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where an instance's pins are seen. `ip netns exec` and `unshare --mount` may show another BPF
 * file system, in which the instance seems not to be loaded: a second set would be attached beside
 * the first. The run folder is the same everywhere: its file INSTANCE_MARK names the loaded config
 * map.
 */
#pragma once

#include "base/diag.h"

struct node;

/* Writes the mark of the config map that n has open. */
int place_mark(const struct node *n, struct weir_err *err);
/*
 * -EXDEV: nothing is loaded in the caller's BPF file system, but another process sees the marked
 * instance in its own; err says what to run.
 */
int place_check(const struct node *n, struct weir_err *err);
