// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Records of a sandbox. Every write is a rename, so that a killed call leaves either the old record
 * or the new one.
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
#include "kernel/lock.h"
#include "sandbox/records.h"

#define LOCK_TRIES 100 /* each but the last met a `down` */

char *records_folder(const char *name)
{
	return instance_run_file(name, "sandbox");
}

static char *record_path(const char *name, const char *ns, const char *pod, const char *suffix)
{
	_cleanup_(mem_free) char *file = mem_printf("sandbox/%s_%s.%s", ns, pod, suffix);

	return instance_run_file(name, file);
}

char *records_pid_file(const char *name, const char *ns, const char *pod)
{
	return record_path(name, ns, pod, "pid");
}

static int make_folder(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *run = instance_run_file(name, "");
	_cleanup_(mem_free) char *folder = records_folder(name);
	int r = file_mkdir(run, INSTANCE_RUN_MODE, err);

	return r ? r : file_mkdir(folder, INSTANCE_RUN_MODE, err);
}

/* RACE: a `down` may remove the folder before the lock is taken. Create it again. */
int records_lock(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *folder = records_folder(name);
	int tries = LOCK_TRIES, r;

	do {
		r = make_folder(name, err);
		if (r)
			return r;
		r = lock_take(folder, err);
	} while (r == -ENOENT && --tries);
	return r;
}

int records_write(const char *name, const char *ns, const char *pod, const char *text,
		  struct weir_err *err)
{
	_cleanup_(mem_free) char *path = record_path(name, ns, pod, "pod");

	return file_write(path, INSTANCE_FILE_MODE, text, strlen(text), err);
}

char *records_read(const char *name, const char *ns, const char *pod)
{
	_cleanup_(mem_free) char *path = record_path(name, ns, pod, "pod");

	return file_text(path);
}

void records_remove(const char *name, const char *ns, const char *pod)
{
	_cleanup_(mem_free) char *path = record_path(name, ns, pod, "pod");
	_cleanup_(mem_free) char *pid = record_path(name, ns, pod, "pid");

	unlink(path);
	unlink(pid);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/*
 * A pid file without a record: a call was killed after it wrote or removed one of the two. Normally
 * records_each() finds the pod by its record.
 */
static bool is_orphan(const char *folder, const char *pid_file)
{
	_cleanup_(mem_free) char *record =
		mem_printf("%s/%.*s.pod", folder, (int)strlen(pid_file) - 4, pid_file);

	return access(record, F_OK) != 0;
}

void records_each(const char *name, void (*fn)(const char *ns, const char *pod, void *arg),
		  void *arg)
{
	_cleanup_(mem_free) char *folder = records_folder(name);
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *file = names[i]->d_name, *mid = strchr(file, '_');

		if (mid && (ends_with(file, ".pod") ||
			    (ends_with(file, ".pid") && is_orphan(folder, file)))) {
			file[strlen(file) - 4] = 0;
			*mid = 0;
			fn(file, mid + 1, arg);
		}
		free(names[i]);
	}
	free(names);
}

static char *nodes_path(const char *name)
{
	return instance_run_file(name, "sandbox/nodes");
}

int records_write_nodes(const char *name, const char *const *nodes, size_t n, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = nodes_path(name), *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", nodes[i]);
	fclose(f);
	return file_write(path, INSTANCE_FILE_MODE, text, size, err);
}

char **records_nodes(const char *name, struct arena *arena)
{
	_cleanup_(mem_free) char *path = nodes_path(name), *text = file_text(path);
	size_t n = 0, lines = 1;
	char **nodes;

	for (const char *c = text; c && *c; c++)
		lines += *c == '\n';
	nodes = arena_zalloc(arena, (lines + 1) * sizeof(*nodes));
	for (char *at = text, *end; at && (end = strchr(at, '\n')); at = end + 1)
		nodes[n++] = arena_strndup(arena, at, end - at);
	return nodes;
}

void records_remove_folder(const char *name)
{
	_cleanup_(mem_free) char *folder = records_folder(name);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
}
