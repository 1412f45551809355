/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names of instances, and where the files of one are. Makes none of them. */
#pragma once

#include <stdint.h>

#include "base/diag.h"

#define INSTANCE_BPFFS "/sys/fs/bpf"
#define INSTANCE_PATH_MAX 256
#define INSTANCE_PLAN "plan-" /* <run>/plan-<generation> */
#define INSTANCE_OBJECTS "objects-" /* what it was compiled from */
#define INSTANCE_PODS "pods" /* <run>/pods: attachment records */

/* The folders of an instance, INSTANCE_PATH_MAX each. name: NULL or "" for the default one. -EINVAL: not a name. */
int instance_paths(const char *name, char *ret_pins, char *ret_run, struct weir_err *err);
/* prefix: INSTANCE_PLAN or INSTANCE_OBJECTS. Texts are the caller's. */
char *instance_generation_file(const char *run, const char *prefix, uint64_t generation);
char *instance_record(const char *run, const char *ns, const char *pod);
/* Of a sandbox, whose names are checked when it is made: its folder, or a file there, or in its pins. */
char *instance_run_file(const char *name, const char *file);
char *instance_pin(const char *name, const char *file);
