// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Uplinks: their map, and the hooks on them. What is not known, as in a comparison of tables alone,
 * stays as it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "attach/attach.h"
#include "sync/barrier.h"
#include "sync/private.h"

void uplinks_want(struct sync *s)
{
	struct table *want = &s->want[WEIR_MAP_uplinks], *live = &s->live[WEIR_MAP_uplinks];

	for (size_t i = 0; !s->attachments->uplinks_known && i < live->n; i++)
		table_add(want, table_key(live, i), table_value(live, i));
	for (size_t i = 0; i < s->attachments->n_uplinks; i++) {
		const struct uplink *u = &s->attachments->uplinks[i];
		struct weir_uplink value = { { u->addr[0], u->addr[1] } };

		table_add(want, &u->ifindex, &value);
	}
	table_sort(want);
}

static uint32_t uplink_at(const struct sync *s, size_t i)
{
	return *(uint32_t *)table_key(&s->want[WEIR_MAP_uplinks], i);
}

void uplinks_delta(struct sync *s)
{
	const struct table *want = &s->want[WEIR_MAP_uplinks];

	if (s->no_devices || !s->attachments->uplinks_known)
		return;
	for (size_t i = 0; i < want->n; i++)
		s->delta.attached += !attach_is_current(s->n, ATTACH_UPLINK, uplink_at(s, i));
}

/*
 * An element whose addresses change is deleted and, after a barrier, inserted again; in between no
 * new connection leaves by this device for another node.
 */
static int write_map(struct sync *s)
{
	const struct table_diff *d = &s->diff[WEIR_MAP_uplinks];
	int fd = sync_fd(s, WEIR_MAP_uplinks), r;

	r = table_write(fd, &d->insert, s->err);
	if (r || !d->change.n)
		return r;
	r = table_erase(fd, &d->change, s->err);
	if (!r)
		r = barrier_wait(s->err);
	return r ? r : table_write(fd, &d->change, s->err);
}

/* The key of a device is written before its hooks, so that a rerun knows where to detach. */
int uplinks_plug(struct sync *s)
{
	const struct table *want = &s->want[WEIR_MAP_uplinks];
	int r;

	sync_step("uplinks");
	r = write_map(s);
	if (s->no_devices || !s->attachments->uplinks_known)
		return r;
	sync_step("attach-uplinks");
	for (size_t i = 0; i < want->n && !r; i++) {
		if (attach_is_current(s->n, ATTACH_UPLINK, uplink_at(s, i)))
			continue;
		r = attach_device(s->n, ATTACH_UPLINK, uplink_at(s, i), s->err);
		if (r == -ENODEV) /* gone meanwhile; the next apply removes it */
			r = 0;
	}
	return r;
}

/* After the hooks of devices that are gone were detached: pods_clear(). */
int uplinks_clear(struct sync *s)
{
	sync_step("uplinks-gone");
	return table_erase(sync_fd(s, WEIR_MAP_uplinks), &s->diff[WEIR_MAP_uplinks].drop, s->err);
}
