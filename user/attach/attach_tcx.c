// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs on devices by tcx links (6.6 and later), pinned as links/<ifindex>-<program> and
 * replaced by bpf_link_update(). A link outlives its device, and the kernel may reuse the ifindex:
 * a pin counts only if its link still has that device.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/instance.h"
#include "base/mem.h"
#include "attach/attach.h"
#include "attach/hooks.h"

/* From the kernel's UAPI; Debian 12's headers are older than tcx. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define NO_SUCH_IFINDEX 0x7ffffff0

enum bpf_attach_type hook_tcx_type(enum weir_program prog)
{
	return (enum bpf_attach_type)(hook_is_ingress(prog) ? TCX_INGRESS : TCX_EGRESS);
}

static void pin_path(const struct node *n, enum weir_program prog, uint32_t ifindex, char *ret_path)
{
	snprintf(ret_path, INSTANCE_PATH_MAX + 64, "%s/links/%u-%s", node_pin_dir(n), ifindex,
		 program_info(prog)->name);
}

bool hook_tcx_works(int prog_fd)
{
	int fd = bpf_link_create(prog_fd, NO_SUCH_IFINDEX, (enum bpf_attach_type)TCX_INGRESS, NULL);

	if (fd >= 0) /* cannot happen */
		close(fd);
	return fd == -ENODEV;
}

/* Opens a link that still has this device; -ENOENT otherwise. */
static int open_link(const char *path, uint32_t ifindex, uint32_t *ret_prog_id)
{
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	/*
	 * older headers lack info.tcx; its ifindex is where XDP's is, and 0 once the device is gone
	 */
	if (info.xdp.ifindex != ifindex)
		return -ENOENT;
	*ret_prog_id = info.prog_id;
	return TAKE_FD(fd);
}

static int tcx_query(const struct node *n, enum weir_program prog, uint32_t ifindex,
		     uint32_t *ret_prog_id)
{
	char path[INSTANCE_PATH_MAX + 64];
	uint32_t id = 0;
	int fd;

	pin_path(n, prog, ifindex, path);
	fd = open_link(path, ifindex, &id);
	if (fd >= 0)
		close(fd);
	else if (fd != -ENOENT)
		return fd;
	*ret_prog_id = id;
	return 0;
}

static int make_link(enum weir_program prog, uint32_t ifindex, int prog_fd, const char *path)
{
	_cleanup_(fd_close) int fd = bpf_link_create(prog_fd, ifindex, hook_tcx_type(prog), NULL);

	if (fd < 0)
		return fd;
	unlink(path); /* of a device that had this index before */
	return bpf_obj_pin(fd, path) ? -errno : 0; /* if it is not pinned, the link ends with fd */
}

static int tcx_attach(const struct node *n, enum weir_program prog, uint32_t ifindex, int prog_fd)
{
	char path[INSTANCE_PATH_MAX + 64];
	_cleanup_(fd_close) int fd = -1;
	uint32_t id;

	pin_path(n, prog, ifindex, path);
	fd = open_link(path, ifindex, &id);
	if (fd == -ENOENT)
		return make_link(prog, ifindex, prog_fd, path);
	if (fd < 0)
		return fd;
	return bpf_link_update(fd, prog_fd, NULL) ? -errno : 0;
}

static int tcx_detach(const struct node *n, enum weir_program prog, uint32_t ifindex)
{
	char path[INSTANCE_PATH_MAX + 64];
	_cleanup_(fd_close) int fd = -1;
	uint32_t id;

	pin_path(n, prog, ifindex, path);
	/*
	 * unlink() alone would detach later: until then the kernel refuses a new link as a
	 * duplicate
	 */
	fd = open_link(path, ifindex, &id);
	if (fd >= 0 && bpf_link_detach(fd))
		return -errno;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

void attach_each_pinned(const struct node *n, void (*fn)(uint32_t ifindex, void *arg), void *arg)
{
	char path[INSTANCE_PATH_MAX + 16];
	DIR *d;

	snprintf(path, sizeof(path), "%s/links", node_pin_dir(n));
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		if (atoi(e->d_name) > 0)
			fn(atoi(e->d_name), arg);
	if (d)
		closedir(d);
}

const struct hook_ops hook_tcx = { .query = tcx_query, .attach = tcx_attach, .detach = tcx_detach };
