// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define OPEN_FOLDERS 8

FILE *file_open(const char *path)
{
	/* without O_NONBLOCK the open of a FIFO waits for a writer */
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	return fdopen(TAKE_FD(fd), "r");
}

char *file_text(const char *path)
{
	size_t n = 0, cap = 0, got = 1;
	FILE *f = file_open(path);
	char *text = NULL;

	while (f && got) {
		text = mem_grow(text, &cap, n + 65536, 1);
		got = fread(text + n, 1, cap - n - 1, f);
		n += got;
	}
	if (f)
		fclose(f);
	if (text)
		text[n] = 0;
	return text;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		len -= n;
	}
	return fsync(fd) ? -errno : 0;
}

/*
 * The temporary name ends in the process id: two writers never share a file, and a reader of the
 * folder can tell that it is unfinished.
 */
int file_write(const char *path, mode_t mode, const char *text, size_t len, struct weir_err *err)
{
	_cleanup_(mem_free) char *temp = mem_printf("%s.%d", path, getpid());
	_cleanup_(fd_close) int fd = -1;
	int r;

	unlink(temp); /* left by a killed process that had this id */
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set(err, -errno, "write %s: %s", temp, strerror(errno));
	r = write_all(fd, text, len);
	if (!r && rename(temp, path))
		r = -errno;
	if (r)
		unlink(temp);
	return r ? err_set(err, r, "write %s: %s", path, strerror(-r)) : 0;
}

/* "NAME.PID" of a process that is gone. */
static bool is_unfinished(const char *name)
{
	const char *dot = strrchr(name, '.');
	char *end;
	long pid = dot && dot != name ? strtol(dot + 1, &end, 10) : 0;

	return pid > 0 && !*end && kill(pid, 0) && errno == ESRCH;
}

void file_remove_unfinished(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_unfinished(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

int file_mkdir(const char *path, mode_t mode, struct weir_err *err)
{
	struct stat st;

	if (!mkdir(path, mode))
		return 0;
	if (errno != EEXIST)
		return err_set(err, -errno, "create folder %s: %s", path, strerror(errno));
	if (!stat(path, &st) && st.st_mode & ALLPERMS & ~mode &&
	    chmod(path, st.st_mode & ALLPERMS & mode))
		return err_set(err, -errno, "change the mode of %s: %s", path, strerror(errno));
	return 0;
}

static _Thread_local struct {
	void (*before)(const char *path);
	struct weir_err *err;
	int r; /* the first error */
} removal;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (removal.before)
		removal.before(path);
	if (remove(path) && errno != ENOENT && !removal.r)
		removal.r = err_set(removal.err, -errno, "remove %s: %s", path, strerror(errno));
	return 0;
}

int file_remove_tree(const char *path, void (*before)(const char *path), struct weir_err *err)
{
	removal.before = before;
	removal.err = err;
	removal.r = 0;
	if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) &&
	    errno != ENOENT && !removal.r)
		removal.r = err_set(err, -errno, "remove %s: %s", path, strerror(errno));
	return removal.r;
}

int file_remove_folder(const char *path, struct weir_err *err)
{
	_cleanup_(mem_free) char *file = NULL;
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		mem_free(&file);
		file = mem_printf("%s/%s", path, e->d_name);
		unlink(file); /* of "." and "..": refused */
	}
	if (d)
		closedir(d);
	if (rmdir(path) && errno != ENOENT)
		return err_set(err, -errno, "remove folder %s: %s", path, strerror(errno));
	return 0;
}
