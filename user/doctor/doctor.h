/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Is this node as Weir needs it? Looks at devices, settings, rulesets and hooks of the network
 * namespace where an instance is attached. Reads only: it must never change a setting, make a table
 * appear, or load a module on purpose.
 */
#pragma once

#include "doctor/finding.h"
#include "inspect/live.h"
#include "kernel/records.h"

/*
 * Adds what it finds. Goes to the instance's own network namespace and back; -EXDEV when that
 * cannot be found. What cannot be read (no nftables in this kernel, a pod's namespace that is gone)
 * is no finding.
 */
int doctor_node(const struct node *n, const struct attachment_list *pods, struct findings *f,
		struct weir_err *err);
/* The same for the instance of that name, its tables included; findings come sorted. */
int doctor_instance(const char *name, const struct live *l, struct findings *f,
		    struct weir_err *err);
