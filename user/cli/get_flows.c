// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir get flows: the connection table, one line for each connection.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

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
