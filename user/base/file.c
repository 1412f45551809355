// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

char *file_text(const char *path)
{
	size_t n = 0, cap = 0, got = 1;
	FILE *f = fopen(path, "re");
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

int file_mkdir(const char *path, struct weir_err *err)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return err_set(err, -errno, "create folder %s: %s", path, strerror(errno));
	return 0;
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
