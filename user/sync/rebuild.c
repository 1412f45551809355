// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See rebuild.h. The new set is filled and attached in the next place (kernel/next.h): a link of
 * tcx is updated, a clsact filter replaced. Until the exchange the old set is the loaded one: after
 * a kill the next load attaches its programs again.
 */
#include <unistd.h>

#include <bpf/bpf.h>

#include "attach/attach.h"
#include "base/mem.h"
#include "sync/private.h"
#include "sync/rebuild.h"

static bool is_wanted(const struct node *n, uint32_t ifindex)
{
	struct weir_attachment attachment;
	struct weir_uplink uplink;

	return !bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_attachments), &ifindex, &attachment) ||
	       !bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_uplinks), &ifindex, &uplink);
}

/*
 * Devices of the old set that the new one does not have. Filters have no pins, only the old map. A
 * deleted key begins the walk again, so each device is met.
 */
static int detach_others(struct node *n, enum weir_map map, struct weir_err *err)
{
	_cleanup_(mem_free) char *path =
		mem_printf("%s/maps/%s", node_loaded_dir(n), map_info(map)->name);
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	uint32_t ifindex, next;
	int r = 0;

	for (void *key = NULL; !r && fd >= 0 && !bpf_map_get_next_key(fd, key, &next);
	     key = &ifindex) {
		ifindex = next;
		if (is_wanted(n, ifindex))
			continue;
		r = attach_detach(n, ifindex, err);
		if (!r)
			bpf_map_delete_elem(fd, &ifindex);
	}
	return r;
}

int rebuild_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments,
		  unsigned int flags, struct sync_delta *ret_delta, struct weir_err *err)
{
	int r = sync_apply(n, p, attachments, flags, ret_delta, err);

	sync_step("detach-others");
	if (!r && !(flags & SYNC_NO_DEVICES))
		r = detach_others(n, WEIR_MAP_attachments, err);
	if (!r && !(flags & SYNC_NO_DEVICES))
		r = detach_others(n, WEIR_MAP_uplinks, err);
	sync_step("exchange");
	if (!r)
		r = node_commit_next(n, err);
	if (r) {
		node_drop_next(n);
		return r;
	}
	sync_step("old-set");
	return node_settle_next(n, err);
}
