// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An apply: read the live tables, compute the wanted contents, compare, check that both fit, and
 * only then write, in the order of docs/design.md ("Atomic from the packet's view"). Each change
 * that packets can see is one aligned word; what is no longer referenced is freed after a barrier.
 * A kill between any two steps leaves tables that are valid for packets; the next apply compares
 * whole tables, so it finds and removes what was left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/netns.h"
#include "sync/barrier.h"
#include "attach/attach_netns.h"
#include "sync/plan_file.h"
#include "sync/private.h"

static int read_live(struct sync *s)
{
	int r = 0;

	for (int map = 0; map < _WEIR_MAP_MAX && !r; map++) {
		if (!map_is_table(map))
			continue;
		table_init(&s->live[map], map);
		table_init(&s->want[map], map);
		r = table_read(sync_fd(s, map), &s->live[map], s->err);
	}
	backends_read(s->n, &s->backends);
	return r;
}

static void diff_tables(struct sync *s)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		if (!map_is_table(map))
			continue;
		table_diff(&s->live[map], &s->want[map], &s->diff[map]);
		s->delta.inserted[map] = s->diff[map].insert.n;
		s->delta.changed[map] = s->diff[map].change.n;
		s->delta.deleted[map] = s->diff[map].drop.n;
	}
}

/* ---- Does it fit? ---- */

/* The object that the i-th insert of a table belongs to, for the error. */
static const char *object_of(const struct sync *s, enum weir_map map, size_t i, char *buf,
			     size_t size)
{
	const void *key = table_key(&s->diff[map].insert, i);
	const struct weir_policy_key *rule = key;
	const struct weir_frontend *frontend = key;
	const struct weir_source_range *range = key;
	char text[ADDR_TEXT_MAX];

	switch (map) {
	case WEIR_MAP_policy_rules:
		for (size_t set = 1; set < s->p->n_sets; set++)
			if (s->bound[WEIR_NAME_POLICY_SET][set].id == rule->set)
				return bound_object(s, WEIR_NAME_POLICY_SET, set, buf, size);
		break;
	case WEIR_MAP_frontends:
		for (size_t f = 0; f < s->p->n_frontends; f++)
			if (weir_addr_equal(&s->p->frontends[f].addr, &frontend->addr) &&
			    s->p->frontends[f].service)
				return bound_object(s, WEIR_NAME_SERVICE,
						    s->p->frontends[f].service, buf, size);
		break;
	case WEIR_MAP_source_ranges:
		for (size_t v = 1; v < s->p->n_services; v++)
			if (s->bound[WEIR_NAME_SERVICE][v].id == range->service)
				return bound_object(s, WEIR_NAME_SERVICE, v, buf, size);
		break;
	case WEIR_MAP_attachments:
		for (size_t p = 0; p < s->n_pods; p++)
			if (s->pods[p].a->ifindex == *(const uint32_t *)key)
				return bound_object(s, WEIR_NAME_POD, p, buf, size);
		break;
	case WEIR_MAP_networks:
		snprintf(buf, size, "network %s",
			 addr_text(&((const struct weir_prefix *)key)->addr, text));
		return buf;
	case WEIR_MAP_uplinks:
		snprintf(buf, size, "uplink %u", *(const uint32_t *)key);
		return buf;
	case WEIR_MAP_names:
		return "the plan";
	default:
		snprintf(buf, size, "address %s", addr_text(key, text));
		return buf;
	}
	return "the plan";
}

static int check_table(struct sync *s, enum weir_map map)
{
	size_t live = s->live[map].n, insert = s->diff[map].insert.n,
	       size = node_map_max(s->n, map);
	size_t transit = map == WEIR_MAP_policy_rules ? s->transit_rules.n : 0;
	size_t fits = size > live ? size - live : 0;
	char object[160];

	if (live + insert + transit <= size || !(insert + transit))
		return 0;
	s->delta.full = map;
	return err_set(s->err, -ENOSPC,
		       "%s does not fit: map %s: old and new need %zu entries, size is %zu",
		       insert ? object_of(s, map, fits < insert ? fits : insert - 1, object,
					  sizeof(object))
			      : "the policy change",
		       map_info(map)->name, live + insert + transit, size);
}

static int check_all(struct sync *s)
{
	int r = 0;

	for (int map = 0; map < _WEIR_MAP_MAX && !r; map++)
		if (map_is_table(map))
			r = check_table(s, map);
	return r;
}

static uint32_t echo_of(const struct plan *p)
{
	return p->echo_always ? WEIR_ECHO_ALWAYS : WEIR_ECHO_BY_POLICY;
}

static bool overlay_changes(const struct sync *s)
{
	return memcmp(node_config(s->n)->overlay_ports, s->p->overlay_ports,
		      sizeof(s->p->overlay_ports));
}

/* Computes everything that the steps below need; writes no map. */
static int compare(struct sync *s)
{
	int r = pods_collect(s);

	if (!r)
		r = bind_all(s);
	if (r)
		return r;
	service_want(s);
	policy_want(s);
	uplinks_want(s);
	pods_want(s);
	diff_tables(s);
	service_delta(s);
	pods_delta(s);
	uplinks_delta(s);
	r = policy_delta(s);
	if (r)
		return r;
	if ((node_config(s->n)->pending & WEIR_PENDING_POLICY) ||
	    node_config(s->n)->echo != echo_of(s->p) || overlay_changes(s))
		s->delta.policy_epoch_raised = 1;
	if (node_config(s->n)->pending & WEIR_PENDING_SERVICE)
		s->delta.service_epoch_raised = 1;
	return check_all(s);
}

/* ---- Apply ---- */

/* Only commands read names, so elements may be replaced. */
static int write_names(struct sync *s)
{
	int r;

	sync_step("names");
	r = table_replace(sync_fd(s, WEIR_MAP_names), &s->diff[WEIR_MAP_names].change, s->err);
	return r ? r
		 : table_write(sync_fd(s, WEIR_MAP_names), &s->diff[WEIR_MAP_names].insert, s->err);
}

/* The addresses of nodes. What an element says changes in place. */
static int write_nodes(struct sync *s)
{
	const struct table_diff *d = &s->diff[WEIR_MAP_nodes];
	int fd = sync_fd(s, WEIR_MAP_nodes), r;

	sync_step("nodes");
	r = table_write(fd, &d->insert, s->err);
	for (size_t i = 0; !r && i < d->change.n; i++) {
		struct weir_store_word arg = {
			.map = WEIR_STORE_NODE,
			.value = *(uint32_t *)table_value(&d->change, i),
			.addr = *(struct weir_addr *)table_key(&d->change, i),
		};

		r = sync_store_word(s, &arg);
	}
	return r ? r : table_erase(fd, &d->drop, s->err);
}

/* Writes new elements under ids that nothing refers to yet. */
static int prepare(struct sync *s)
{
	int r;

	sync_step("plan-file");
	r = plan_file_write(s->n, s->p, node_config(s->n)->generation + 1, s->err);
	if (!r)
		r = hits_clear(s);
	if (!r)
		r = write_names(s);
	if (!r)
		r = service_prepare(s);
	return r ? r : policy_prepare(s);
}

/* Open flows feel it, and the echo switch, when the epoch rises. */
static void write_overlay_ports(struct sync *s)
{
	struct weir_config *c = node_config(s->n);

	sync_step("overlay-ports");
	for (size_t i = 0; i < ARRAY_SIZE(c->overlay_ports); i++)
		if (c->overlay_ports[i] != s->p->overlay_ports[i])
			__atomic_store_n((uint64_t *)&c->overlay_ports[i], s->p->overlay_ports[i],
					 __ATOMIC_RELEASE);
}

/* Packets see the new plan word by word. */
static int flip(struct sync *s)
{
	int r;

	sync_owe(s);
	r = policy_refine(s);
	if (r)
		return r;
	pods_unplug(s);
	r = service_flip(s);
	if (r)
		return r;
	pods_flip(s);
	sync_step("echo");
	__atomic_store_n(&node_config(s->n)->echo, echo_of(s->p), __ATOMIC_RELEASE);
	write_overlay_ports(s);
	r = policy_coarsen(s);
	if (!r)
		r = write_nodes(s);
	if (!r)
		r = pods_plug(s);
	return r ? r : uplinks_plug(s);
}

static void raise_generation(struct sync *s)
{
	struct weir_config *c = node_config(s->n);

	sync_step("generation");
	__atomic_store_n(&c->generation, (uint64_t)c->generation + 1, __ATOMIC_RELEASE);
}

/*
 * First barrier: elements are deleted only after every program that read a reference to them has
 * ended. Names are deleted last, so that a rerun after a kill still knows them. Second barrier: the
 * next apply inserts into the same maps, and the kernel reuses deleted elements: a program that
 * still holds one must not see another key's value.
 */
static int clear(struct sync *s)
{
	int r;

	if (!sync_frees_anything(s))
		return 0;
	sync_step("barrier");
	r = barrier_wait(s->err);
	if (!r)
		r = pods_clear(s);
	if (!r)
		r = uplinks_clear(s);
	if (!r)
		r = policy_clear(s);
	if (!r)
		r = service_clear(s);
	sync_step("names-gone");
	if (!r)
		r = table_erase(sync_fd(s, WEIR_MAP_names), &s->diff[WEIR_MAP_names].drop, s->err);
	sync_step("last-barrier");
	return r ? r : sync_pay_barrier(s);
}

/*
 * The sockets of another namespace are not the node's, though their processes may be below its
 * cgroup. Of another one, as after a sandbox's removal, none has the cookie any more.
 */
static void write_netns_cookie(struct sync *s)
{
	__atomic_store_n(&node_config(s->n)->netns_cookie, netns_cookie(), __ATOMIC_RELEASE);
}

static int apply(struct sync *s)
{
	int r = prepare(s);

	if (!r)
		r = flip(s);
	if (r)
		return r;
	sync_raise_epochs(s);
	raise_generation(s);
	r = clear(s);
	if (r)
		return r;
	sync_step("old-plans");
	plan_file_prune(s->n, node_config(s->n)->generation);
	return 0;
}

int sync_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments,
	       unsigned int flags, struct sync_delta *ret_delta, struct weir_err *err)
{
	_cleanup_(sync_free) struct sync s = {
		.n = n, .p = p, .attachments = attachments, .err = err
	};
	bool write = !(flags & SYNC_DRY_RUN);
	int r;

	s.no_devices = flags & SYNC_NO_DEVICES || node_is_private(n);
	r = s.no_devices || flags & SYNC_MOVED ? 0 : attach_netns_check(n, err);
	if (!r && write && node_config(n)->pending & WEIR_PENDING_BARRIER)
		r = sync_pay_barrier(&s);
	if (!r)
		r = read_live(&s);
	if (!r)
		r = compare(&s);
	ret_delta->no_room = r == -ENOSPC; /* nothing that was done so far writes a file */
	ret_delta->full = s.delta.full;
	if (!r && write && !s.no_devices && (s.n_pods || attachments->n_uplinks))
		r = attach_netns_keep(n, err);
	if (!r && write && !s.no_devices)
		write_netns_cookie(&s);
	if (!r && write)
		r = sync_delta_writes(&s.delta)
			    ? apply(&s)
			    : plan_file_write(n, p, node_config(n)->generation, err);
	if (r)
		return r;
	/* also when nothing changed: an apply may have been killed before this */
	if (write)
		sync_end_stale_sockets(n);
	s.delta.generation = node_config(n)->generation;
	*ret_delta = s.delta;
	return 0;
}
