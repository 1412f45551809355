/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Checks a node for conditions that break Weir: devices, sysctls, rulesets and hooks of the attach
 * namespace. Reads only: must never change a setting, create a table, or load a module on purpose.
 */
#pragma once

#include "doctor/finding.h"
#include "inspect/live.h"
#include "kernel/records.h"

/*
 * Adds findings to f. Enters the attach namespace and leaves it again; -EXDEV when it cannot be
 * found. No nftables in the kernel, or a pod's namespace that is gone, is no finding.
 */
int doctor_node(const struct node *n, const struct attachment_list *pods, struct findings *f,
		struct weir_err *err);
/* doctor_node() for the instance of that name, plus its tables; sorts the findings. */
int doctor_instance(const char *name, const struct live *l, struct findings *f,
		    struct weir_err *err);
