// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The symbolic plan beside the maps, /run/weir/plan-<generation>: what commands
 * name things by when no daemon lives. Beside it objects-<generation>, what it
 * was compiled from: what `why` explains by. Each written whole by rename before
 * the tables flip to it; never written again when it would be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/sync.h"

static const char *const prefixes[] = { "objects-", "plan-" };

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

/* What people wrote is for root only, from its first byte on; what it was compiled to, as the umask says. */
static int replace(const char *path, bool secret, const char *text, size_t len, struct weir_err *err)
{
	_cleanup_(mem_free) char *making = mem_printf("%s.making", path);
	FILE *out;
	int fd, r = 0;

	unlink(making); /* of a load that was killed: whoever has it open keeps what it held */
	fd = open(making, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0666);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		r = -errno;
		fd_close(&fd);
		return err_set(err, r, "write %s: %s", making, strerror(-r));
	}
	if (fwrite(text, 1, len, out) != len)
		r = -EIO;
	if ((fclose(out) || rename(making, path)) && !r)
		r = -errno;
	if (r)
		unlink(making);
	return r ? err_set(err, r, "write %s: %s", path, strerror(-r)) : 0;
}

void node_keep_origin(struct node *n, const char *text, size_t len)
{
	n->origin = text;
	n->origin_len = len;
}

static char *path_of(const struct node *n, const char *prefix, uint64_t generation)
{
	return mem_printf("%s/%s%llu", n->run_dir, prefix, (unsigned long long)generation);
}

static int write_one(const char *path, bool secret, const char *text, size_t len, struct weir_err *err)
{
	return holds(path, text, len) ? 0 : replace(path, secret, text, len, err);
}

/* It explains and decides nothing: where it cannot be written there is none, also no older one, and why says so. */
static void write_origin(const struct node *n, uint64_t generation)
{
	_cleanup_(mem_free) char *path = path_of(n, prefixes[0], generation);
	struct weir_err err = {};

	if (!n->origin || write_one(path, true, n->origin, n->origin_len, &err))
		unlink(path);
}

int plan_file_write(const struct node *n, const struct plan *p, uint64_t generation, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = path_of(n, prefixes[1], generation), *text = NULL;
	size_t len = 0;
	FILE *out;

	if (n->mode == NODE_PRIVATE)
		return 0;
	write_origin(n, generation);
	out = open_memstream(&text, &len);
	if (!out)
		return err_set(err, -errno, "write the plan: %s", strerror(errno));
	plan_write_json(p, out);
	fclose(out);
	return write_one(path, false, text, len, err);
}

/* The generation that a file's name ends in; false for other files. */
static bool is_of_generation(const char *name, unsigned long long *ret_generation)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], len))
			continue;
		*ret_generation = strtoull(name + len, NULL, 10);
		return true;
	}
	return false;
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

		if (!is_of_generation(e->d_name, &number))
			continue;
		/* what a kill left half-written has an ending behind the number: away with it */
		if (!strchr(e->d_name, '.') && (number == generation || number + 1 == generation))
			continue;
		path = mem_printf("%s/%s", n->run_dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}
