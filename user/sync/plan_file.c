// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The symbolic plan in /run/weir/plan-<generation>, from which commands name what is in the maps,
 * and the source text that it was compiled from in objects-<generation>, from which `why` explains.
 * Written by rename before the tables flip to the plan, and only if the contents differ.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/instance.h"
#include "base/mem.h"
#include "sync/plan_file.h"

static bool holds(const char *path, const char *text, size_t len)
{
	_cleanup_(mem_free) char *now = file_text(path);

	return now && strlen(now) == len && !memcmp(now, text, len);
}

/* Written only if the contents differ. For root only: they name every pod, policy and address. */
static int write_one(const char *path, const char *text, size_t len, struct weir_err *err)
{
	return holds(path, text, len) ? 0 : file_write(path, INSTANCE_FILE_MODE, text, len, err);
}

/*
 * An error is ignored: the file is only for `why`, which reports a missing one. No old one stays.
 */
static void write_origin(const struct node *n, uint64_t generation)
{
	_cleanup_(mem_free) char *path =
		instance_generation_file(node_run_dir(n), INSTANCE_OBJECTS, generation);
	const char *origin = node_origin(n);
	struct weir_err err = {};

	if (!origin || write_one(path, origin, strlen(origin), &err))
		unlink(path);
}

int plan_file_write(const struct node *n, const struct plan *p, uint64_t generation,
		    struct weir_err *err)
{
	_cleanup_(mem_free) char *path =
		instance_generation_file(node_run_dir(n), INSTANCE_PLAN, generation);
	_cleanup_(mem_free) char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (node_is_private(n))
		return 0;
	write_origin(n, generation);
	out = open_memstream(&text, &len);
	if (!out)
		return err_set(err, -errno, "write the plan: %s", strerror(errno));
	plan_write_json(p, out);
	fclose(out);
	return write_one(path, text, len, err);
}

/* The generation that a file's name ends in; false for other files. */
static bool is_of_generation(const char *name, unsigned long long *ret_generation)
{
	for (size_t i = 0; i < _INSTANCE_FILE_MAX; i++) {
		size_t len = strlen(instance_file_prefix[i]);

		if (strncmp(name, instance_file_prefix[i], len))
			continue;
		*ret_generation = strtoull(name + len, NULL, 10);
		return true;
	}
	return false;
}

void plan_file_prune(const struct node *n, uint64_t generation)
{
	DIR *d;

	if (node_is_private(n))
		return;
	d = opendir(node_run_dir(n));
	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_(mem_free) char *path = NULL;
		unsigned long long number;

		if (!is_of_generation(e->d_name, &number))
			continue;
		/* a suffix after the number: left half-written by a kill */
		if (!strchr(e->d_name, '.') && (number == generation || number + 1 == generation))
			continue;
		path = mem_printf("%s/%s", node_run_dir(n), e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}
