// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The symbolic plan beside the maps, /run/weir/plan-<generation>: what commands
 * name things by when no daemon lives. Written whole by rename before the
 * tables flip to it; never written again when it would be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/sync.h"

#define PREFIX "plan-"

static bool holds(const char *path, const char *text, size_t len)
{
	_cleanup_(mem_free) char *now = mem_zalloc(len + 1);
	FILE *in = fopen(path, "re");
	size_t got;

	if (!in)
		return false;
	got = fread(now, 1, len + 1, in);
	fclose(in);
	return got == len && !memcmp(now, text, len);
}

static int replace(const char *path, const char *text, size_t len, struct weir_err *err)
{
	_cleanup_(mem_free) char *making = mem_printf("%s.making", path);
	FILE *out = fopen(making, "we");
	int r = 0;

	if (!out)
		return err_set(err, -errno, "write %s: %s", making, strerror(errno));
	if (fwrite(text, 1, len, out) != len)
		r = -EIO;
	if ((fclose(out) || rename(making, path)) && !r)
		r = -errno;
	if (r)
		unlink(making);
	return r ? err_set(err, r, "write %s: %s", path, strerror(-r)) : 0;
}

int plan_file_write(const struct node *n, const struct plan *p, uint64_t generation, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = NULL, *text = NULL;
	size_t len = 0;
	FILE *out;

	if (n->mode == NODE_PRIVATE)
		return 0;
	path = mem_printf("%s/" PREFIX "%llu", n->run_dir, (unsigned long long)generation);
	out = open_memstream(&text, &len);
	if (!out)
		return err_set(err, -errno, "write %s: %s", path, strerror(errno));
	plan_write_json(p, out);
	fclose(out);
	return holds(path, text, len) ? 0 : replace(path, text, len, err);
}

void plan_file_prune(const struct node *n, uint64_t generation)
{
	DIR *d;

	if (n->mode == NODE_PRIVATE)
		return;
	d = opendir(n->run_dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_(mem_free) char *path = NULL;
		unsigned long long number;
		char *end;

		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)))
			continue;
		number = strtoull(e->d_name + strlen(PREFIX), &end, 10);
		if (!*end && (number == generation || number + 1 == generation))
			continue;
		path = mem_printf("%s/%s", n->run_dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}
