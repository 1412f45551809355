// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Joins and sums over tables. See tables.h. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "inspect/tables.h"

/* ---- Connections ---- */

/* Both ends were judged when the entry was made; the low bit of a stamp is the verdict. */
bool live_flow_allowed(const struct weir_flow *flow)
{
	for (int i = 0; i < 2; i++)
		if (flow->end[i].ref && !(flow->end[i].stamp & 1))
			return false;
	return true;
}

/* Each entry of a pair holds the state of its own direction: merge both. */
static void join_rev(const struct live *l, const struct weir_tuple *key, struct weir_flow *flow)
{
	int fd = node_map_fd(l->node, WEIR_MAP_conntrack),
	    slots = node_map_fd(l->node, WEIR_MAP_gc_slots);
	struct weir_key_slot slot = {};
	struct weir_tuple rev_key;
	struct weir_flow rev;

	if (!weir_flow_is_pair(flow->flags))
		return;
	if (!(flow->flags & WEIR_FLOW_SNAT))
		weir_flow_rev_key(key, flow, &rev_key);
	else if (bpf_map_lookup_elem(slots, &flow->gc_slot, &slot) ||
		 bpf_map_lookup_elem(slots, &slot.other, &slot))
		return;
	else
		rev_key = slot.key;
	if (bpf_map_lookup_elem(fd, &rev_key, &rev) || !weir_flow_is_rev(key, flow, &rev))
		return;
	flow->flags |= rev.flags & WEIR_FLOW_STATE_BITS;
	if ((int32_t)(rev.last_seen - flow->last_seen) > 0)
		flow->last_seen = rev.last_seen;
}

void live_each_flow(const struct live *l,
		    void (*fn)(const struct weir_tuple *key, const struct weir_flow *flow,
			       void *arg),
		    void *arg)
{
	int fd = node_map_fd(l->node, WEIR_MAP_conntrack);
	struct weir_tuple key;
	struct weir_flow flow;

	live_each_key(fd, &key)
	{
		/* reverse entries are merged into their forward ones */
		if (bpf_map_lookup_elem(fd, &key, &flow) || (flow.flags & WEIR_FLOW_REPLY))
			continue;
		join_rev(l, &key, &flow);
		fn(&key, &flow, arg);
	}
}

/* ---- Services and policies ---- */

static int by_service(const void *a, const void *b)
{
	const struct live_frontend *x = a, *y = b;
	uint32_t service_x = weir_frontend_service(x->word),
		 service_y = weir_frontend_service(y->word);
	bool external_x = weir_frontend_flags(x->word) & WEIR_FRONTEND_EXTERNAL,
	     external_y = weir_frontend_flags(y->word) & WEIR_FRONTEND_EXTERNAL;
	int order;

	if (service_x != service_y)
		return service_x < service_y ? -1 : 1;
	if (external_x != external_y)
		return (int)external_x - (int)external_y;
	order = (int)x->key.scope - (int)y->key.scope;
	return order ? order : memcmp(&x->key, &y->key, sizeof(x->key));
}

void live_frontends_read(const struct live *l, struct live_frontends *ret_frontends)
{
	int fd = node_map_fd(l->node, WEIR_MAP_frontends);
	struct live_frontends f = {};
	struct live_frontend item;

	live_each_key(fd, &item.key)
	{
		if (!bpf_map_lookup_elem(fd, &item.key, &item.word))
			*VEC_ADD(f.items, f.n, f.cap) = item;
	}
	if (f.n)
		qsort(f.items, f.n, sizeof(*f.items), by_service);
	*ret_frontends = f;
}

void live_frontends_free(struct live_frontends *f)
{
	free(f->items);
	*f = (struct live_frontends){};
}

size_t live_frontends_of(const struct live_frontends *f, uint32_t service, size_t *ret_n)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (weir_frontend_service(f->items[middle].word) < service)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_n = 0;
	while (low + *ret_n < f->n && weir_frontend_service(f->items[low + *ret_n].word) == service)
		++*ret_n;
	return low;
}

uint32_t live_set_elements(const struct live *l, uint32_t set)
{
	int fd = node_map_fd(l->node, WEIR_MAP_policy_rules);
	struct weir_policy_key key;
	uint32_t n = 0;

	live_each_key(fd, &key) n += key.set == set;
	return n;
}

uint32_t live_set_pods(const struct live *l, uint32_t set)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_pods); i++)
		n += pods[i].ref && (weir_pod_ingress_set(pods[i].word) == set ||
				     weir_pod_egress_set(pods[i].word) == set);
	return n;
}

/*
 * An extent that begins at point 0 comes from a rule without ports: it allows every port, and only
 * names a rule for each.
 */
const char *live_word_text(const struct live *l, uint64_t word)
{
	const struct weir_port_range *ranges = node_array(l->node, WEIR_MAP_port_ranges);
	uint32_t first = weir_word_offset(word);

	switch (weir_word_kind(word)) {
	case WEIR_WORD_DENY:
		return "deny";
	case WEIR_WORD_CLOSED:
		return "closed";
	case WEIR_WORD_ALLOW:
		return "allow";
	case WEIR_WORD_PORTS:
		if (first < node_map_max(l->node, WEIR_MAP_port_ranges) && !ranges[first].low)
			return "allow";
		return "ports";
	}
	return "?";
}
