// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The attach namespace. See attach_netns.h. The link's text is "net:[4026531840]", as `lsns` and
 * /proc show it. A namespace is searched by that text in /run/netns and at the first process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/instance.h"
#include "base/mem.h"
#include "base/netns.h"
#include "attach/attach_netns.h"

#define FIRST "/proc/1/ns/net"
#define TEXT_MAX 64

static void link_path(const struct node *n, char *ret_path)
{
	snprintf(ret_path, INSTANCE_PATH_MAX + 16, "%s/netns", node_pin_dir(n));
}

static int read_link(const char *path, char *ret_text)
{
	ssize_t len = readlink(path, ret_text, TEXT_MAX - 1);

	if (len < 0)
		return -errno;
	ret_text[len] = '\0';
	return 0;
}

/* -ENOENT: none is recorded. */
static int read_attach_netns(const struct node *n, char *ret_text)
{
	char path[INSTANCE_PATH_MAX + 16];

	link_path(n, path);
	return read_link(path, ret_text);
}

/* An open file of the namespace with that text, or -1. */
static int open_if_same(const char *path, const char *text)
{
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char found[TEXT_MAX];
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	snprintf(found, sizeof(found), "net:[%llu]", (unsigned long long)st.st_ino);
	return strcmp(found, text) ? -1 : TAKE_FD(fd);
}

static int find(const char *text, char **ret_path)
{
	DIR *d = opendir(NETNS_DIR);
	char *path = mem_strdup(FIRST);
	int fd = open_if_same(path, text);

	for (struct dirent *e; fd < 0 && d && (e = readdir(d));) {
		free(path);
		path = mem_printf(NETNS_DIR "/%s", e->d_name);
		fd = open_if_same(path, text);
	}
	if (d)
		closedir(d);
	if (fd >= 0)
		*ret_path = TAKE_PTR(path);
	free(path);
	return fd;
}

int attach_netns_check(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = NULL;
	_cleanup_(fd_close) int fd = -1;
	char attached_in[TEXT_MAX], own[TEXT_MAX];
	const char *name = instance_name_of(node_pin_dir(n));
	_cleanup_(mem_free) char *instance = instance_text(name), *option = instance_option(name);

	if (read_attach_netns(n, attached_in) || read_link(NETNS_OWN, own) ||
	    !strcmp(attached_in, own))
		return 0;
	fd = find(attached_in, &path);
	if (fd >= 0)
		return err_set(
			err, -EXDEV,
			"%s is attached in network namespace %s, and this is another one: its devices "
			"cannot be seen from here. Run the command there: nsenter --net=%s weir …",
			instance, path, path);
	return err_set(
		err, -EXDEV,
		"%s is attached in network namespace %s, which has no name, and this is %s: its devices "
		"cannot be seen from here. Run the command there; if that namespace is gone, run 'weir uninstall%s' first",
		instance, attached_in, own, option);
}

int attach_netns_keep(const struct node *n, struct weir_err *err)
{
	char path[INSTANCE_PATH_MAX + 16], attached_in[TEXT_MAX], own[TEXT_MAX];

	link_path(n, path);
	if (read_link(NETNS_OWN, own))
		return err_set(err, -errno, "read " NETNS_OWN ": %s", strerror(errno));
	if (!read_link(path, attached_in) && !strcmp(attached_in, own))
		return 0;
	if ((unlink(path) && errno != ENOENT) || symlink(own, path))
		return err_set(err, -errno, "write %s: %s", path, strerror(errno));
	return 0;
}

int attach_netns_join(const struct node *n, int *ret_back, struct weir_err *err)
{
	_cleanup_(mem_free) char *instance = instance_text(instance_name_of(node_pin_dir(n)));

	if (attach_netns_enter(n, ret_back) != ATTACH_NETNS_UNKNOWN)
		return 0;
	return err_set(err, -EXDEV,
		       "the network namespace where %s is attached has no name, or is gone",
		       instance);
}

enum attach_netns attach_netns_enter(const struct node *n, int *ret_back)
{
	_cleanup_(fd_close) int fd = -1;
	_cleanup_(mem_free) char *path = NULL;
	char attached_in[TEXT_MAX], own[TEXT_MAX];

	if (read_attach_netns(n, attached_in) || read_link(NETNS_OWN, own) ||
	    !strcmp(attached_in, own))
		return ATTACH_NETNS_HERE;
	fd = find(attached_in, &path);
	return fd < 0 || netns_enter(fd, ret_back, NULL) ? ATTACH_NETNS_UNKNOWN
							 : ATTACH_NETNS_ENTERED;
}
