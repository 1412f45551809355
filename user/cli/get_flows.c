// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir get flows: the connection table, one line for each connection, or for each pod.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "cli/get.h"
#include "inspect/shares.h"
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
	COLUMN("STATE", "state"),
	{},
};

void get_flows_by_pod(const struct live *l, const struct common_options *c)
{
	_cleanup_(live_shares_free) struct live_shares shares = {};
	char text[LIVE_TEXT_MAX];
	struct listing out;

	live_shares_read(l, &shares);
	listing_begin(&out, c, "FlowShareList", pod_columns);
	for (size_t i = 0; i < shares.n; i++) {
		const struct weir_flow_share *flows = &shares.pods[i].flows;
		enum live_share_state state = live_share_state(&shares.config, flows);

		listing_text(&out, live_pod_label(l, shares.pods[i].slot, text));
		listing_int(&out, flows->entries);
		listing_printf(&out, "%.1f", 100.0 * flows->entries / shares.config.gc_slots);
		listing_int(&out, flows->half_open);
		listing_int(&out, flows->evicted);
		listing_tone(&out, state ? TONE_WARN : TONE_PLAIN, live_share_text(state));
	}
	listing_end(&out);
}
