// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir get flows: the connection table, one line for each connection, or for each pod.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "cli/get.h"
#include "inspect/tables.h"

static const struct listing_column columns[] = {
	COLUMN("FLOW", "flow"),        COLUMN("PROTO", "protocol"),
	COLUMN("FROM", "from"),        COLUMN("TO", "to"),
	COLUMN("BACKEND", "backend"),  COLUMN("STATE", "state"),
	COLUMN("VERDICT", "verdict"),  COLUMN("IDLE", "idleSeconds"),
	COLUMN_WIDE("FLAGS", "flags"), {},
};

static const char *const state_texts[] = {
	[WEIR_STATE_OPENING] = "opening",   [WEIR_STATE_OPEN] = "open",
	[WEIR_STATE_CLOSING] = "closing",   [WEIR_STATE_ONE_WAY] = "one-way",
	[WEIR_STATE_ANSWERED] = "answered",
};

/*
 * An echo flow has its id as the port of the end that sent the request. The ports of other ICMP
 * messages are placeholders (enum weir_icmp_port) and not shown.
 */
static uint16_t port_shown(const struct weir_tuple *key, int end)
{
	bool icmp = key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6;

	return icmp && key->port_be[0] && key->port_be[1] ? 0 : ntohs(key->port_be[end]);
}

struct rows {
	struct listing out;
	uint32_t n, now;
};

static void print_flow(const struct weir_tuple *key, const struct weir_flow *flow, void *arg)
{
	struct rows *rows = arg;
	struct listing *out = &rows->out;
	bool allowed = live_flow_allowed(flow);
	int src = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	char text[ADDR_TEXT_MAX];

	listing_int(out, ++rows->n);
	listing_text(out, proto_label(key->proto, text));
	listing_text(out, addr_port_text(&key->addr[src], port_shown(key, src), text));
	listing_text(out, addr_port_text(&key->addr[!src], port_shown(key, !src), text));
	if (flow->flags & WEIR_FLOW_TRANSLATED)
		listing_text(out, addr_port_text(weir_flow_backend(key, flow),
						 ntohs(flow->nat_port_be), text));
	else
		listing_text(out, "");
	listing_text(out, state_texts[weir_flow_state(flow->flags, key->proto)]);
	listing_tone(out, allowed ? TONE_GOOD : TONE_BAD, allowed ? "allow" : "deny");
	listing_int(out, live_tick_age(rows->now, flow->last_seen));
	listing_printf(out, "%#x", flow->flags);
}

void get_flows(const struct live *l, const struct common_options *c)
{
	struct rows rows = { .now = live_ticks_now() };

	listing_begin(&rows.out, c, "FlowList", columns);
	live_each_flow(l, print_flow, &rows);
	listing_end(&rows.out);
}

/* ---- By pod ---- */

static const struct listing_column pod_columns[] = {
	COLUMN("POD", "pod"),
	COLUMN("ENTRIES", "entries"),
	COLUMN("OF TABLE", "percentOfTable"),
	COLUMN("HALF-OPEN", "halfOpen"),
	COLUMN("EVICTED", "evicted"),
	{},
};

struct pod_share {
	uint32_t slot;
	struct weir_flow_share share;
};

static int by_entries(const void *a, const void *b)
{
	const struct pod_share *x = a, *y = b;

	if (x->share.entries != y->share.entries)
		return x->share.entries < y->share.entries ? 1 : -1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Pods of one bucket show the same figures: they are counted together. */
static size_t read_shares(const struct live *l, struct pod_share *ret_shares)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	size_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_pods); i++) {
		uint32_t bucket = weir_pod_bucket(i);

		if (pods[i].ref && !bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_flow_shares),
							&bucket, &ret_shares[n].share))
			ret_shares[n++].slot = i;
	}
	qsort(ret_shares, n, sizeof(*ret_shares), by_entries);
	return n;
}

void get_flows_by_pod(const struct live *l, const struct common_options *c)
{
	_cleanup_(mem_free) struct pod_share *shares =
		mem_zalloc(node_map_max(l->node, WEIR_MAP_pods) * sizeof(*shares));
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	uint32_t max = node_map_max(l->node, WEIR_MAP_gc_slots);
	size_t n = read_shares(l, shares);
	struct listing out;

	listing_begin(&out, c, "FlowShareList", pod_columns);
	for (size_t i = 0; i < n; i++) {
		const struct weir_flow_share *share = &shares[i].share;
		const char *name = live_pod_of(l, &pods[shares[i].slot]);

		if (name)
			listing_text(&out, name);
		else
			listing_printf(&out, "#%u", shares[i].slot);
		listing_int(&out, share->entries);
		listing_printf(&out, "%.1f", 100.0 * share->entries / max);
		listing_int(&out, share->half_open);
		listing_int(&out, share->evicted);
	}
	listing_end(&out);
}
