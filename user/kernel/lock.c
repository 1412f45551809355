// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The writers' lock. See lock.h. flock() ends with the process, so a kill frees it; the pid inside
 * the file is for error messages only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/lock.h"

#define RETRY_MS 20
#define LOCK_MODE 0600

unsigned int lock_wait_ms = 10000;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The pid inside the file, or 0. */
static int holder(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
}

/* An error is ignored: on a full file system the lock works without the pid. */
static void name_holder(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != len)
		return;
}

/* A user who can open the file can hold the lock. */
static void close_to_others(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && st.st_mode & (S_IRWXG | S_IRWXO))
		fchmod(fd, LOCK_MODE);
}

/* RACE: `uninstall` may have removed the file while this writer waited for it. */
static bool still_there(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int try_lock(const char *path, const char *what, struct weir_err *err)
{
	_cleanup_(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);

	if (fd < 0)
		return err_set(err, -errno, "open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return err_set(err, -errno, "lock %s: %s", path, strerror(errno));
		return err_set(err, -EBUSY, "another %s holds %s: process %d", what, path,
			       holder(fd));
	}
	if (!still_there(fd, path))
		return -EAGAIN;
	close_to_others(fd);
	name_holder(fd);
	return TAKE_FD(fd);
}

int lock_take(const char *run_dir, struct weir_err *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/lock", run_dir);
	return lock_file(path, "writer", lock_wait_ms, err);
}

int lock_file(const char *path, const char *what, unsigned int wait_ms, struct weir_err *err)
{
	long give_up = now_ms() + wait_ms;
	int fd;

	while ((fd = try_lock(path, what, err)) == -EBUSY || fd == -EAGAIN) {
		if (fd == -EBUSY && now_ms() >= give_up)
			break;
		usleep(RETRY_MS * 1000);
	}
	return fd;
}
