// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir get flows: the connection table, one line a connection, with its state and its translation. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>

#include "cli/get.h"

#include <weir/flow.h>

static const struct listing_column columns[] = {
	COLUMN("FLOW", "flow"),        COLUMN("PROTO", "protocol"),
	COLUMN("FROM", "from"),        COLUMN("TO", "to"),
	COLUMN("BACKEND", "backend"),  COLUMN("STATE", "state"),
	COLUMN("VERDICT", "verdict"),  COLUMN("IDLE", "idleSeconds"),
	COLUMN_WIDE("FLAGS", "flags"), {},
};

static const char *const state_texts[] = {
	[WEIR_STATE_OPENING] = "opening", [WEIR_STATE_OPEN] = "open",         [WEIR_STATE_CLOSING] = "closing",
	[WEIR_STATE_ONE_WAY] = "one-way", [WEIR_STATE_ANSWERED] = "answered",
};

static const char *proto_name(int proto, char *buf)
{
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return "ICMP";
	if (*proto_text(proto) != '?')
		return proto_text(proto);
	snprintf(buf, ADDR_TEXT_MAX, "%d", proto);
	return buf;
}

/* An ICMP message's id, at the end that asked, stands where the port of other protocols does (enum weir_icmp_port). */
static uint16_t port_shown(const struct weir_tuple *key, int end)
{
	bool icmp = key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6;

	return icmp && key->port_be[0] && key->port_be[1] ? 0 : ntohs(key->port_be[end]);
}

static void print_end(struct listing *out, const struct weir_addr *addr, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	listing_printf(out, weir_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u", addr_text(addr, text), port);
}

/* Both ends were asked when the entry was made; a stamp's low bit says what came out. */
static bool allowed(const struct weir_flow *flow)
{
	for (int i = 0; i < 2; i++)
		if (flow->end[i].ref && !(flow->end[i].stamp & 1))
			return false;
	return true;
}

static void print_flow(struct listing *out, const struct weir_tuple *key, const struct weir_flow *flow, uint32_t n,
		       uint32_t now)
{
	int src = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	char text[ADDR_TEXT_MAX];

	listing_int(out, n);
	listing_text(out, proto_name(key->proto, text));
	print_end(out, &key->addr[src], port_shown(key, src));
	print_end(out, &key->addr[!src], port_shown(key, !src));
	if (flow->flags & WEIR_FLOW_TRANSLATED)
		print_end(out, weir_flow_backend(key, flow), ntohs(flow->nat_port_be));
	else
		listing_text(out, "");
	listing_text(out, state_texts[weir_flow_state(flow->flags, key->proto)]);
	listing_tone(out, allowed(flow) ? TONE_GOOD : TONE_BAD, allowed(flow) ? "allow" : "deny");
	listing_int(out, live_tick_age(now, flow->last_seen));
	listing_printf(out, "%#x", flow->flags);
}

/* Each entry of a pair keeps the state of its own direction; together they are the flow's. */
static void join_twin(int fd, const struct weir_tuple *key, struct weir_flow *flow)
{
	struct weir_tuple twin_key;
	struct weir_flow twin;

	if (!weir_flow_is_pair(flow->flags))
		return;
	weir_flow_twin_key(key, flow, &twin_key);
	if (bpf_map_lookup_elem(fd, &twin_key, &twin) || !weir_flow_is_twin(key, flow, &twin))
		return;
	flow->flags |= twin.flags & WEIR_FLOW_STATE_BITS;
	if ((int32_t)(twin.last_seen - flow->last_seen) > 0)
		flow->last_seen = twin.last_seen;
}

void get_flows(const struct live *l, const struct common_options *c)
{
	int fd = node_map_fd(l->node, WEIR_MAP_conntrack);
	uint32_t n = 0, now = live_ticks_now();
	struct weir_tuple key;
	struct weir_flow flow;
	struct listing out;

	listing_begin(&out, c, "FlowList", columns);
	live_each_key(fd, &key)
	{
		/* the reply's entry of a pair says nothing that the forward one does not */
		if (bpf_map_lookup_elem(fd, &key, &flow) || (flow.flags & WEIR_FLOW_REPLY))
			continue;
		join_twin(fd, &key, &flow);
		print_flow(&out, &key, &flow, ++n, now);
	}
	listing_end(&out);
}
