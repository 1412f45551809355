// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Local pods: slots, the maps that refer to them, and the hooks on their devices. A slot's ref is
 * written last when a pod is added and first when it is removed. A pod that is recorded but not in
 * the plan is attached and held.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/barrier.h"
#include "attach/attach.h"
#include "attach/node_devices.h"
#include "sync/private.h"

static struct weir_pod *pods(const struct sync *s)
{
	return node_array(s->n, WEIR_MAP_pods);
}

/* ---- Records ---- */

static int by_name(const void *key, const void *elem)
{
	const struct attachment *a = key;
	const struct plan_pod *p = elem;
	int order = strcmp(a->ns, p->ns);

	return order ? order : strcmp(a->name, p->name);
}

/* The record may be of an earlier pod of the same name: then the uid differs. */
static const struct plan_pod *pod_of(const struct sync *s, const struct attachment *a)
{
	const struct plan_pod *p = NULL;

	if (s->p->n_pods)
		p = bsearch(a, s->p->pods, s->p->n_pods, sizeof(*p), by_name);
	if (p && a->uid && *a->uid && p->uid && *p->uid && strcmp(a->uid, p->uid))
		return NULL;
	return p;
}

static bool is_there(const struct sync *s, const struct attachment *a)
{
	char name[IF_NAMESIZE];

	if (s->no_devices)
		return true;
	if (a->netns && *a->netns && access(a->netns, F_OK))
		return false;
	return if_indextoname(a->ifindex, name);
}

static int newest_first(const void *a, const void *b)
{
	const struct sync_pod *x = a, *y = b;

	if (x->a->written_ns != y->a->written_ns)
		return x->a->written_ns > y->a->written_ns ? -1 : 1;
	return (x->a > y->a) - (x->a < y->a); /* the list is sorted by name */
}

static void add_pod(struct sync *s, const struct attachment *a, const struct plan_pod *p)
{
	struct sync_pod *pod = VEC_ADD(s->pods, s->n_pods, s->cap_pods);

	pod->a = a;
	pod->p = p;
	for (int f = 0; f < 2; f++)
		pod->addr[f] = p && weir_addr_is_zero(&a->addr[f]) ? p->addr[f] : a->addr[f];
}

static bool is_recorded(const struct sync *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->attachments->n; i++)
		if (s->attachments->items[i].ifindex == ifindex)
			return true;
	return false;
}

/* The pod with a record that is not valid to which the plan gives an address of this slot. */
static const struct plan_pod *broken_pod_at(const struct sync *s, const struct weir_pod *slot)
{
	for (size_t i = 0; i < s->attachments->n_bad; i++) {
		const struct attachment_bad *bad = &s->attachments->bad[i];
		const struct plan_pod *p = plan_find_pod(s->p, bad->ns, bad->name);

		for (int f = 0; p && f < 2; f++)
			if (!weir_addr_is_zero(&p->addr[f]) &&
			    weir_addr_equal(&p->addr[f], &slot->addr[f]))
				return p;
	}
	return NULL;
}

/*
 * The slots of what is attached now: in a rebuild not those of s->n, which is the next set. Without
 * them the pod of a record that is not valid would be detached, and open.
 */
static int read_slots(struct sync *s, struct weir_pod **ret_slots, uint32_t *ret_n)
{
	struct weir_err err = {};
	int r = node_loaded_pods(s->n, ret_slots, ret_n, &err);

	return r ? err_set(s->err, -EINVAL,
			   "%s; which device it means cannot be found (%s): write a valid record first, so that its pod stays isolated",
			   s->attachments->bad[0].why, err.text)
		 : 0;
}

static bool is_broken_pod(const struct sync *s, const struct weir_pod *slot)
{
	return slot->ref && !is_recorded(s, slot->ifindex) && broken_pod_at(s, slot);
}

/* p: NULL if the plan lacks the pod: it is held. */
static void keep_slot(struct sync *s, const struct weir_pod *slot, const struct plan_pod *p)
{
	struct attachment *a = &s->kept[s->n_kept];
	uint32_t flags = weir_pod_flags(slot->word);

	*a = (struct attachment){ .ns = p ? p->ns : "",
				  .name = p ? p->name : "",
				  .uid = p ? p->uid : "",
				  .ifindex = slot->ifindex,
				  .adopted = flags & WEIR_POD_ADOPTED,
				  .any_sender = flags & WEIR_POD_ANY_SENDER,
				  .tunnels = flags & WEIR_POD_TUNNELS,
				  .addr = { slot->addr[0], slot->addr[1] } };
	memcpy(a->mac, slot->mac, sizeof(a->mac));
	if (!is_there(s, a))
		return;
	add_pod(s, a, p);
	s->n_kept++;
}

/*
 * A record that is not valid must not detach its pod, which would open it. The pod stays in its
 * slot, or gets one in the next set. Which slot that is, is known by the plan's address; if one of
 * the records cannot be found so, each slot without a record is kept, and held.
 */
static int keep_broken(struct sync *s)
{
	_cleanup_(mem_free) struct weir_pod *slots = NULL;
	uint32_t max = 0;
	size_t found = 0;
	int r;

	if (!s->attachments->n_bad)
		return 0;
	r = read_slots(s, &slots, &max);
	if (r)
		return r;
	s->kept = mem_zalloc((max + 1) * sizeof(*s->kept));
	for (uint32_t slot = 0; slot < max; slot++)
		found += is_broken_pod(s, &slots[slot]);
	for (uint32_t slot = 0; slot < max; slot++) {
		const struct plan_pod *p = broken_pod_at(s, &slots[slot]);

		if (slots[slot].ref && !is_recorded(s, slots[slot].ifindex) &&
		    (p || found != s->attachments->n_bad))
			keep_slot(s, &slots[slot], p);
	}
	return 0;
}

int pods_collect(struct sync *s)
{
	size_t in_plan = 0;
	int r;

	for (size_t i = 0; i < s->attachments->n; i++) {
		const struct attachment *a = &s->attachments->items[i];

		if (is_there(s, a))
			add_pod(s, a, pod_of(s, a));
		else
			s->delta.vanished++;
	}
	r = keep_broken(s);
	if (r)
		return r;
	for (size_t i = 0; i < s->n_pods; i++)
		in_plan += !!s->pods[i].p;
	s->delta.gated = s->n_pods - in_plan;
	s->delta.unplugged = s->p->n_pods > in_plan ? s->p->n_pods - in_plan : 0;
	/* of two records with the same address, endpoints[] gets the first in this order */
	if (s->n_pods)
		qsort(s->pods, s->n_pods, sizeof(*s->pods), newest_first);
	return 0;
}

static uint32_t flags_of(const struct attachment *a)
{
	return (a->adopted ? WEIR_POD_ADOPTED : 0) | (a->any_sender ? WEIR_POD_ANY_SENDER : 0) |
	       (a->tunnels ? WEIR_POD_TUNNELS : 0);
}

/* The bridge or VRF of the pod's device. Where devices are not asked, it stays what it was. */
static uint32_t master_of(const struct sync *s, const struct sync_pod *pod)
{
	const struct weir_attachment *live;

	if (!s->no_devices)
		return device_master(pod->a->ifindex);
	live = table_find(&s->live[WEIR_MAP_attachments], &pod->a->ifindex);
	return live ? live->master : 0;
}

void pods_want(struct sync *s)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		struct sync_pod *pod = &s->pods[i];
		uint32_t slot = s->bound[WEIR_NAME_POD][i].id;
		struct weir_attachment attachment = { .slot = slot, .master = master_of(s, pod) };
		uint32_t flags = flags_of(pod->a);

		pod->word = weir_pod_word(0, 0, flags | WEIR_POD_GATE);
		if (pod->p) {
			pod->word = weir_pod_word(
				s->bound[WEIR_NAME_POLICY_SET][pod->p->ingress_set].id,
				s->bound[WEIR_NAME_POLICY_SET][pod->p->egress_set].id, flags);
			for (int f = 0; f < 2; f++)
				pod->identity[f] =
					s->bound[WEIR_NAME_IDENTITY][pod->p->identity[f]].id;
		}
		for (int f = 0; f < 2; f++)
			if (!weir_addr_is_zero(&pod->addr[f]))
				table_add(&s->want[WEIR_MAP_endpoints], &pod->addr[f], &slot);
		table_add(&s->want[WEIR_MAP_attachments], &pod->a->ifindex, &attachment);
	}
	table_sort(&s->want[WEIR_MAP_endpoints]);
	table_sort(&s->want[WEIR_MAP_attachments]);
}

/* ---- What would change ---- */

/* Calls fn for each occupied slot without a record. */
static void each_leaving(struct sync *s, void (*fn)(struct sync *s, struct weir_pod *pod))
{
	struct idset kept;

	idset_init(&kept, node_map_max(s->n, WEIR_MAP_pods));
	for (size_t i = 0; i < s->n_pods; i++)
		if (!s->bound[WEIR_NAME_POD][i].fresh)
			idset_mark(&kept, s->bound[WEIR_NAME_POD][i].id);
	for (uint32_t slot = 0; slot < node_map_max(s->n, WEIR_MAP_pods); slot++)
		if (pods(s)[slot].ref && !idset_has(&kept, slot))
			fn(s, &pods(s)[slot]);
	idset_free(&kept);
}

static void count_leaving(struct sync *s, struct weir_pod *pod)
{
	s->delta.deleted[WEIR_MAP_pods]++;
	s->delta.policy_epoch_raised = 1;
}

static void slots_delta(struct sync *s)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct bound *b = &s->bound[WEIR_NAME_POD][i];
		bool flips = !b->fresh && pods(s)[b->id].word != s->pods[i].word;

		if (b->fresh)
			s->delta.inserted[WEIR_MAP_pods]++;
		else if (flips || memcmp(pods(s)[b->id].identity, s->pods[i].identity,
					 sizeof(s->pods[i].identity)))
			s->delta.changed[WEIR_MAP_pods]++;
		if (b->fresh || flips)
			s->delta.policy_epoch_raised = 1;
		s->sets_flip |= flips;
	}
	each_leaving(s, count_leaving);
}

static void add_gone_device(uint32_t ifindex, void *arg)
{
	struct sync *s = arg;

	if (table_find(&s->want[WEIR_MAP_attachments], &ifindex) ||
	    table_find(&s->want[WEIR_MAP_uplinks], &ifindex))
		return;
	for (size_t i = 0; i < s->n_gone_devices; i++)
		if (s->gone_devices[i] == ifindex)
			return;
	*VEC_ADD(s->gone_devices, s->n_gone_devices, s->cap_gone_devices) = ifindex;
}

static void hooks_delta(struct sync *s)
{
	static const enum weir_map devices[] = { WEIR_MAP_attachments, WEIR_MAP_uplinks };

	if (s->no_devices)
		return;
	for (size_t i = 0; i < s->n_pods; i++) {
		s->pods[i].attached = attach_is_current(s->n, ATTACH_POD, s->pods[i].a->ifindex);
		s->delta.attached += !s->pods[i].attached;
	}
	for (size_t m = 0; m < ARRAY_SIZE(devices); m++) {
		const struct table *live = &s->live[devices[m]];

		for (size_t i = 0; i < live->n; i++)
			add_gone_device(*(uint32_t *)table_key(live, i), s);
	}
	attach_each_pinned(s->n, add_gone_device, s);
	s->delta.detached = s->n_gone_devices;
}

void pods_delta(struct sync *s)
{
	slots_delta(s);
	hooks_delta(s);
}

/* ---- Writing ---- */

static void unplug(struct sync *s, struct weir_pod *pod)
{
	__atomic_store_n(&pod->ref, 0, __ATOMIC_RELEASE);
}

void pods_unplug(struct sync *s)
{
	sync_step("unplug");
	each_leaving(s, unplug);
}

void pods_flip(struct sync *s)
{
	sync_step("flip");
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct bound *b = &s->bound[WEIR_NAME_POD][i];

		if (!b->fresh && pods(s)[b->id].word != s->pods[i].word)
			__atomic_store_n(&pods(s)[b->id].word, s->pods[i].word, __ATOMIC_RELEASE);
	}
}

/*
 * Deletes keys whose slot changes (a pod was replaced by another with its address or device), and
 * waits: the kernel reuses deleted elements, and a program that still holds the old one must not
 * see the new one in its place.
 */
static int free_moved_keys(struct sync *s)
{
	const struct table *e = &s->diff[WEIR_MAP_endpoints].change,
			   *a = &s->diff[WEIR_MAP_attachments].change;
	int r;

	if (!e->n && !a->n)
		return 0;
	sync_step("moved-keys");
	r = table_erase(sync_fd(s, WEIR_MAP_endpoints), e, s->err);
	if (!r)
		r = table_erase(sync_fd(s, WEIR_MAP_attachments), a, s->err);
	return r ? r : barrier_wait(s->err);
}

/* All but the ref, which puts the slot in use. */
static void fill_slot(struct sync *s, const struct sync_pod *pod, uint32_t slot)
{
	struct weir_pod *live = &pods(s)[slot];

	live->generation++;
	live->word = pod->word;
	memcpy(live->identity, pod->identity, sizeof(live->identity));
	live->ifindex = pod->a->ifindex;
	memcpy(live->mac, pod->a->mac, sizeof(live->mac));
	memcpy(live->addr, pod->addr, sizeof(live->addr));
}

static int insert_keys(struct sync *s, enum weir_map map)
{
	int r = table_write(sync_fd(s, map), &s->diff[map].insert, s->err);

	return r ? r : table_write(sync_fd(s, map), &s->diff[map].change, s->err);
}

static int attach_all(struct sync *s)
{
	int r = 0;

	if (s->no_devices)
		return 0;
	sync_step("attach");
	for (size_t i = 0; i < s->n_pods && !r; i++) {
		if (s->pods[i].attached)
			continue;
		r = attach_device(s->n, ATTACH_POD, s->pods[i].a->ifindex, s->err);
		if (r == -ENODEV) /* gone since the records were read; the next apply removes it */
			r = 0;
	}
	return r;
}

int pods_plug(struct sync *s)
{
	int r = free_moved_keys(s);

	if (r)
		return r;
	sync_step("slots");
	for (size_t i = 0; i < s->n_pods; i++)
		if (s->bound[WEIR_NAME_POD][i].fresh)
			fill_slot(s, &s->pods[i], s->bound[WEIR_NAME_POD][i].id);
	sync_step("endpoints");
	r = insert_keys(s, WEIR_MAP_endpoints);
	sync_step("attachments");
	if (!r)
		r = insert_keys(s, WEIR_MAP_attachments);
	if (r)
		return r;
	sync_step("refs");
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct bound *b = &s->bound[WEIR_NAME_POD][i];

		if (b->fresh)
			__atomic_store_n(&pods(s)[b->id].ref,
					 weir_ref(b->id, pods(s)[b->id].generation),
					 __ATOMIC_RELEASE);
	}
	return attach_all(s);
}

/* The key of a device is deleted after its hooks, so that a rerun still knows where to detach. */
int pods_clear(struct sync *s)
{
	int r = 0;

	sync_step("detach");
	for (size_t i = 0; i < s->n_gone_devices && !r; i++)
		r = attach_detach(s->n, s->gone_devices[i], s->err);
	sync_step("pods-gone");
	if (!r)
		r = table_erase(sync_fd(s, WEIR_MAP_attachments),
				&s->diff[WEIR_MAP_attachments].drop, s->err);
	if (!r)
		r = table_erase(sync_fd(s, WEIR_MAP_endpoints), &s->diff[WEIR_MAP_endpoints].drop,
				s->err);
	return r;
}
