// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The attach namespace. See attach_netns.h. The link's text is "net:[4026531840]", as `lsns` and
 * /proc show it. A namespace is searched by that text in /run/netns and at all processes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
	_cleanup_(fd_close) int fd = -1;
	char found[TEXT_MAX];
	struct stat st;

	if (stat(path, &st)) /* not opened before it is known what it is: it may be a device */
		return -1;
	snprintf(found, sizeof(found), "net:[%llu]", (unsigned long long)st.st_ino);
	if (strcmp(found, text))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET ? -1 : TAKE_FD(fd);
}

/* Tries each entry of a folder: <folder>/<entry><suffix>. */
static int find_in(const char *folder, const char *suffix, const char *text, char **ret_path)
{
	DIR *d = opendir(folder);
	int fd = -1;

	for (struct dirent *e; fd < 0 && d && (e = readdir(d));) {
		_cleanup_(mem_free) char *path = mem_printf("%s/%s%s", folder, e->d_name, suffix);

		fd = e->d_name[0] == '.' ? -1 : open_if_same(path, text);
		if (fd >= 0)
			*ret_path = TAKE_PTR(path);
	}
	if (d)
		closedir(d);
	return fd;
}

/* At the threads of a process, then among the files that it has open. */
static int find_at_process(const char *pid, const char *text, char **ret_path)
{
	_cleanup_(mem_free) char *threads = mem_printf("/proc/%s/task", pid),
				 *files = mem_printf("/proc/%s/fd", pid);
	int fd = find_in(threads, "/ns/net", text, ret_path);

	return fd >= 0 ? fd : find_in(files, "", text, ret_path);
}

/* By its name, else at a process: a namespace without a name lives as long as one has it. */
static int find(const char *text, char **ret_path)
{
	int fd = open_if_same(FIRST, text);
	DIR *d;

	if (fd >= 0)
		*ret_path = mem_strdup(FIRST);
	else
		fd = find_in(NETNS_DIR, "", text, ret_path);
	if (fd >= 0)
		return fd;
	d = opendir("/proc");
	for (struct dirent *e; fd < 0 && d && (e = readdir(d));)
		if (atoi(e->d_name) > 0)
			fd = find_at_process(e->d_name, text, ret_path);
	if (d)
		closedir(d);
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
