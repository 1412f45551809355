// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See settings_file.h. The only file of user/settings that reads a configuration from disk. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "settings/settings_file.h"

#define LOCAL_PORTS "/proc/sys/net/ipv4/ip_local_port_range"

char *settings_default_path(const char *instance)
{
	return mem_printf(SETTINGS_FOLDER "/weir%s%s.yaml", instance && *instance ? "-" : "",
			  instance ?: "");
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int open_failed(const char *path, int error, struct weir_err *err)
{
	if (error == EINVAL)
		return err_set(err, -error, "%s is not a regular file", path);
	return err_set(err, -error, "%s cannot be read: %s (%s)", path, strerror(error),
		       err_name(error));
}

static int read_open(struct settings *s, FILE *f, const char *path, struct diag_list *diags,
		     struct weir_err *err)
{
	_cleanup_(mem_free) char *data = mem_zalloc(SETTINGS_FILE_MAX + 1);
	size_t len = fread(data, 1, SETTINGS_FILE_MAX + 1, f);

	if (ferror(f))
		return open_failed(path, EIO, err);
	if (len > SETTINGS_FILE_MAX)
		return err_set(err, -EFBIG, "%s is larger than %zu KiB", path,
			       SETTINGS_FILE_MAX >> 10);
	settings_read(s, path, data, len, diags);
	return 0;
}

int settings_read_file(struct settings *s, const char *path, struct diag_list *diags,
		       struct weir_err *err)
{
	_cleanup_(close_file) FILE *f = file_open(path);

	return f ? read_open(s, f, path, diags, err) : open_failed(path, errno, err);
}

/* ---- Root's file ---- */

static int check_owner(const char *path, const struct stat *st, struct weir_err *err)
{
	if (st->st_uid)
		return err_set(
			err, -EINVAL,
			"%s belongs to user %u, who could change what this node enforces: chown root %s",
			path, st->st_uid, path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			err, -EINVAL,
			"%s has mode %04o: others than root could change what this node enforces: "
			"chmod go-w %s",
			path, st->st_mode & ALLPERMS, path);
	return 0;
}

/* The folder too: there another file can be put in place of this one. */
static int check_trust(const char *path, FILE *f, struct weir_err *err)
{
	_cleanup_(mem_free) char *copy = mem_strdup(path);
	const char *folder = dirname(copy);
	struct stat st;
	int r;

	if (fstat(fileno(f), &st))
		return open_failed(path, errno, err);
	r = check_owner(path, &st, err);
	if (r)
		return r;
	if (stat(folder, &st))
		return open_failed(folder, errno, err);
	return check_owner(folder, &st, err);
}

/* A link that leads nowhere is a file that is missing, not one that nobody wrote. */
static bool is_absent(const char *path, int error)
{
	struct stat st;

	return (error == ENOENT || error == ENOTDIR) && lstat(path, &st);
}

int settings_read_default(struct settings *s, const char *path, struct diag_list *diags,
			  struct weir_err *err)
{
	_cleanup_(close_file) FILE *f = file_open(path);
	int error = errno, r;

	if (!f)
		return is_absent(path, error) ? 0 : open_failed(path, error, err);
	r = check_trust(path, f, err);
	return r ? r : read_open(s, f, path, diags, err);
}

void settings_check_node(const struct settings *s, struct diag_list *diags)
{
	_cleanup_(close_file) FILE *f = file_open(LOCAL_PORTS);
	struct setting_ports local;

	if (f && fscanf(f, "%hu %hu", &local.first, &local.last) == 2)
		settings_check_ports(s, &local, diags);
}
