/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names of instances, and where the files of one are. Makes none of them. */
#pragma once

#include <stdint.h>

#include "base/diag.h"

#define INSTANCE_BPFFS "/sys/fs/bpf"
#define INSTANCE_PATH_MAX 256
#define INSTANCE_PODS "pods" /* <run>/pods: attachment records */

/* Files of a generation. */
enum instance_file {
	INSTANCE_PLAN, /* <run>/plan-<generation> */
	INSTANCE_OBJECTS, /* <run>/objects-<generation>: what the plan was compiled from */
	_INSTANCE_FILE_MAX,
};

/* What their names begin with, up to the generation. */
extern const char *const instance_file_prefix[_INSTANCE_FILE_MAX];

/*
 * The folders of an instance, INSTANCE_PATH_MAX each. name: NULL or "" for the default one.
 * -EINVAL: not a name.
 */
int instance_paths(const char *name, char *ret_pins, char *ret_run, struct weir_err *err);
/* Texts are the caller's. */
char *instance_generation_file(const char *run, enum instance_file file, uint64_t generation);
char *instance_record(const char *run, const char *ns, const char *pod);
/*
 * Of a sandbox, whose names are checked when it is made: its folder, or a file there, or in its
 * pins.
 */
char *instance_run_file(const char *name, const char *file);
char *instance_pin(const char *name, const char *file);
