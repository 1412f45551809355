// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See cgroup.h. A cgroup's id is the inode number of its folder. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/mem.h"

#define MOUNTS "/proc/thread-self/mountinfo"
#define ROOT_ID 1

/* Octal escapes of blanks, as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; to++) {
		if (*from == '\\' && strlen(from) > 3) {
			*to = strtol((char[]){ from[1], from[2], from[3], 0 }, NULL, 8);
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}

/* The mount point, if the line is of a mount of the hierarchy's root. */
static char *root_of_line(const char *line)
{
	_cleanup_(mem_free) char *root = mem_strdup(line), *point = mem_strdup(line);
	const char *kind = strstr(line, " - ");

	if (!kind || strncmp(kind, " - cgroup2 ", 11) ||
	    sscanf(line, "%*s %*s %*s %s %s", root, point) != 2 || strcmp(root, "/"))
		return NULL;
	unescape(point);
	return TAKE_PTR(point);
}

char *cgroup_root(void)
{
	_cleanup_(mem_free) char *text = file_text(MOUNTS);
	char *state = NULL, *found = NULL;

	for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &state))
		found = root_of_line(line);
	return found;
}

int cgroup_id(const char *dir, uint64_t *ret_id, struct weir_err *err)
{
	struct statfs fs;
	struct stat st;

	if (statfs(dir, &fs) || stat(dir, &st))
		return err_set(err, -errno, "cgroup %s: %s", dir, strerror(errno));
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(err, -EINVAL, "%s is not a cgroup of version 2", dir);
	*ret_id = st.st_ino;
	return 0;
}

bool cgroup_is_root(uint64_t id)
{
	return id == ROOT_ID;
}

int cgroup_join(const char *dir, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = mem_printf("%s/cgroup.procs", dir);
	_cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return err_set(err, -errno, "join cgroup %s: %s", dir, strerror(errno));
	return 0;
}
