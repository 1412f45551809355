// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See attach_cgroup.h. Links are of the kind that lets other programs run too. A link whose cgroup
 * was removed has no cgroup, and a folder made anew has another id: a pin counts only if its link
 * has the cgroup that is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "attach/attach_cgroup.h"
#include "base/cgroup.h"
#include "base/instance.h"
#include "base/mem.h"
#include "kernel/next.h"
#include "kernel/programs.h"

/* -1: no hook of a cgroup. */
static int attach_type(int prog)
{
	switch (program_info(prog)->hook) {
	case WEIR_HOOK_CONNECT4:
		return BPF_CGROUP_INET4_CONNECT;
	case WEIR_HOOK_CONNECT6:
		return BPF_CGROUP_INET6_CONNECT;
	case WEIR_HOOK_GETPEERNAME4:
		return BPF_CGROUP_INET4_GETPEERNAME;
	case WEIR_HOOK_GETPEERNAME6:
		return BPF_CGROUP_INET6_GETPEERNAME;
	case WEIR_HOOK_SENDMSG4:
		return BPF_CGROUP_UDP4_SENDMSG;
	case WEIR_HOOK_SENDMSG6:
		return BPF_CGROUP_UDP6_SENDMSG;
	case WEIR_HOOK_RECVMSG4:
		return BPF_CGROUP_UDP4_RECVMSG;
	case WEIR_HOOK_RECVMSG6:
		return BPF_CGROUP_UDP6_RECVMSG;
	default:
		return -1;
	}
}

#define each_call(prog)                                      \
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++) \
		if (attach_type(prog) >= 0)

/* ---- What was asked for ---- */

static char *asked_path(const struct node *n)
{
	return mem_printf("%s/cgroup", node_pin_dir(n));
}

char *attach_cgroup_asked(const struct node *n)
{
	_cleanup_(mem_free) char *path = asked_path(n);
	char text[PATH_MAX];
	ssize_t len = readlink(path, text, sizeof(text) - 1);

	return len < 0 ? NULL : mem_strndup(text, len);
}

static int keep_asked(const struct node *n, const char *dir, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = asked_path(n);

	if ((unlink(path) && errno != ENOENT) || (dir && symlink(dir, path)))
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* ---- Links ---- */

static char *pin_path(const struct node *n, int prog)
{
	return mem_printf("%s/links/" NEXT_CGROUP_LINK "%s", node_pin_dir(n),
			  program_info(prog)->name);
}

/* The pinned link, with its cgroup (0: removed) and program; -errno if there is none. */
static int open_link(const struct node *n, int prog, struct bpf_link_info *ret_info)
{
	_cleanup_(mem_free) char *path = pin_path(n, prog);
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	uint32_t len = sizeof(*ret_info);

	*ret_info = (struct bpf_link_info){};
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, ret_info, &len))
		return -errno;
	return TAKE_FD(fd);
}

/*
 * unlink() alone would detach later, with the link's last reference. A link whose cgroup is gone is
 * detached already.
 */
static int drop_link(const struct node *n, int prog)
{
	_cleanup_(mem_free) char *path = pin_path(n, prog);
	struct bpf_link_info info;
	_cleanup_(fd_close) int fd = open_link(n, prog, &info);

	if (fd >= 0 && info.cgroup.cgroup_id && bpf_link_detach(fd) && errno != ENOLINK)
		return -errno;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* The new link is attached before the one of another cgroup is detached. */
static int make_link(const struct node *n, int prog, int cgroup_fd)
{
	_cleanup_(mem_free) char *path = pin_path(n, prog);
	_cleanup_(fd_close) int fd =
		bpf_link_create(node_prog_fd(n, prog), cgroup_fd, attach_type(prog), NULL);
	int r = fd < 0 ? -errno : drop_link(n, prog);

	return r ? r : bpf_obj_pin(fd, path) ? -errno : 0;
}

static int attach_one(const struct node *n, int prog, int cgroup_fd, uint64_t id)
{
	struct bpf_link_info info;
	_cleanup_(fd_close) int fd = open_link(n, prog, &info);

	if (fd < 0 || info.cgroup.cgroup_id != id)
		return make_link(n, prog, cgroup_fd);
	return bpf_link_update(fd, node_prog_fd(n, prog), NULL) ? -errno : 0;
}

static int refused(int r, int prog, const char *dir, struct weir_err *err)
{
	return err_set(
		err, r, "attach %s to cgroup %s: %s%s", program_info(prog)->name, dir, strerror(-r),
		r == -EPERM ? " (a program there, or at a cgroup above, excludes others)" : "");
}

int attach_cgroup(struct node *n, const char *dir, struct weir_err *err)
{
	_cleanup_(fd_close) int fd = -1;
	uint64_t id;
	int r = cgroup_id(dir, &id, err);

	if (r)
		return r;
	if (node_no_sockets(n))
		return err_set(err, -EOPNOTSUPP, "%s", node_no_sockets(n));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "cgroup %s: %s", dir, strerror(errno));
	r = keep_asked(n, dir, err);
	each_call(prog)
	{
		if (r)
			return r;
		r = attach_one(n, prog, fd, id);
		if (r)
			return refused(r, prog, dir, err);
	}
	return r;
}

int attach_cgroup_detach(const struct node *n, const char *why, struct weir_err *err)
{
	int first = keep_asked(n, why, err);

	each_call(prog)
	{
		int r = drop_link(n, prog);

		if (r && !first)
			first = err_set(err, r, "detach %s: %s", program_info(prog)->name,
					strerror(-r));
	}
	return first;
}

static bool is_current(const struct node *n, int prog, uint64_t id)
{
	struct bpf_link_info info;
	_cleanup_(fd_close) int fd = open_link(n, prog, &info);
	uint32_t wanted = 0;

	return fd >= 0 && info.cgroup.cgroup_id == id &&
	       !program_id(node_prog_fd(n, prog), &wanted) && info.prog_id == wanted;
}

size_t attach_cgroup_missing(const struct node *n, const char *dir,
			     const char *ret_progs[_WEIR_PROGRAM_MAX])
{
	size_t missing = 0;
	uint64_t id = 0;

	cgroup_id(dir, &id, NULL); /* there is no cgroup 0 */
	each_call(prog)
	{
		if (!id || !is_current(n, prog, id))
			ret_progs[missing++] = program_info(prog)->name;
	}
	return missing;
}
