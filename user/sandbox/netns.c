// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Named network namespaces. Creates and shares the folder as iproute2 does, so that `ip netns` and
 * `nsenter --net=` see these namespaces, and these functions those of iproute2. Must never leave
 * the calling thread in another namespace: functions that enter one leave it by _cleanup_().
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/netns.h"

static char *netns_path(const char *name)
{
	return mem_printf("%s/%s", NETNS_DIR, name);
}

/* A namespace's mount must be visible and removable in every mount namespace: hence MS_SHARED. */
static int share_folder(struct weir_err *err)
{
	if (mkdir(NETNS_DIR, 0755) && errno != EEXIST)
		return err_set(err, -errno, "mkdir %s: %s", NETNS_DIR, strerror(errno));
	if (!mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	/* EINVAL: not a mount point yet */
	if (errno != EINVAL || mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) ||
	    mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return err_set(err, -errno, "share %s: %s", NETNS_DIR, strerror(errno));
	return 0;
}

int netns_sysctl(const char *key, const char *value, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = mem_printf("/proc/sys/net/%s", key);
	_cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int loopback_up(struct weir_err *err)
{
	_cleanup_(fd_close) int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &req))
		return err_set(err, -errno, "loopback: %s", strerror(errno));
	return 0;
}

/* Runs in the new namespace. A sandbox's addresses are unique: DAD would only cost a second. */
static int prepare(struct weir_err *err)
{
	int r = loopback_up(err);

	if (!r)
		r = netns_sysctl("ipv6/conf/all/accept_dad", "0", err);
	if (!r)
		r = netns_sysctl("ipv6/conf/default/accept_dad", "0", err);
	return r;
}

/* Names the calling thread's namespace. */
static int mount_name(const char *path, struct weir_err *err)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	close(fd);
	if (!mount(NETNS_OWN, path, "none", MS_BIND, NULL))
		return 0;
	r = err_set(err, -errno, "mount %s: %s", path, strerror(errno));
	unlink(path);
	return r;
}

int netns_create(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = netns_path(name);
	_cleanup_(fd_close) int own = open(NETNS_OWN, O_RDONLY | O_CLOEXEC);
	_cleanup_(netns_leave) int back = -1;
	int r;

	if (strlen(name) > NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "network namespace %.40s…: the name is too long",
			       name);
	r = share_folder(err);
	if (r)
		return r;
	if (own < 0 || unshare(CLONE_NEWNET))
		return err_set(err, -errno, "new network namespace: %s", strerror(errno));
	back = TAKE_FD(own);
	r = prepare(err);
	if (!r)
		r = mount_name(path, err);
	return r ? r : netns_open(name, err);
}

int netns_open(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = netns_path(name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd
		       : err_set(err, -errno, "network namespace %s: %s", name, strerror(errno));
}

int netns_delete(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = netns_path(name);

	umount2(path, MNT_DETACH);
	if (unlink(path) && errno != ENOENT)
		return err_set(err, -errno, "remove %s: %s", path, strerror(errno));
	return 0;
}

bool netns_exists(const char *name)
{
	_cleanup_(mem_free) char *path = netns_path(name);

	return !access(path, F_OK);
}

int netns_each(const char *prefix, int (*fn)(const char *name, void *arg), void *arg)
{
	DIR *dir = opendir(NETNS_DIR);
	struct dirent *entry;
	int r = 0;

	while (dir && !r && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			r = fn(entry->d_name, arg);
	if (dir)
		closedir(dir);
	return r;
}
