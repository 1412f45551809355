/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names of instances and the paths of their files. Creates no file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

#define INSTANCE_NAME_MAX 32 /* leaves room for Namespace and pod in the name of a file */
#define INSTANCE_BPFFS "/sys/fs/bpf"
#define INSTANCE_PATH_MAX 256
#define INSTANCE_PODS "pods" /* <run>/pods: attachment records */
#define INSTANCE_MARK "instance" /* <run>/instance: the id of the loaded config map */
#define INSTANCE_SETTINGS "settings" /* <run>/settings: the last load's, for `weir status` */
#define INSTANCE_RUN_MODE                                                       \
	0750 /* of the run folder: no other user may reach the lock or the plan \
	      */
#define INSTANCE_FILE_MODE 0600 /* of the files in it */

/* Files that exist once per generation. */
enum instance_file {
	INSTANCE_PLAN, /* <run>/plan-<generation> */
	INSTANCE_OBJECTS, /* <run>/objects-<generation>: what the plan was compiled from */
	_INSTANCE_FILE_MAX,
};

/* File names up to the generation. */
extern const char *const instance_file_prefix[_INSTANCE_FILE_MAX];

/* A name becomes part of paths: 1 to INSTANCE_NAME_MAX letters, digits, '-' and '_'. */
bool instance_name_ok(const char *name);

/*
 * The folders of an instance, into buffers of INSTANCE_PATH_MAX bytes. name: NULL or "" for the
 * default instance. 0, or -EINVAL: not a valid name.
 */
int instance_paths(const char *name, char *ret_pins, char *ret_run, struct weir_err *err);
/* What --name takes, from a folder that instance_paths() gave: "" for the default instance. */
const char *instance_name_of(const char *folder);
/* "instance NAME" or "the default instance". The caller owns the text. */
char *instance_text(const char *name);
/* "" or " --name NAME", to append to a command. The caller owns the text. */
char *instance_option(const char *name);
/* The caller owns the texts. */
char *instance_generation_file(const char *run, enum instance_file file, uint64_t generation);
char *instance_record(const char *run, const char *ns, const char *pod);
/* For a name that passed instance_name_ok(): a file in the run folder, or a pin. */
char *instance_run_file(const char *name, const char *file);
char *instance_pin(const char *name, const char *file);
