// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * While one pod sends as many packets as a CPU can, each of a new flow, other pods are not harmed:
 * their new connections succeed within a second, near and at 150 ms round-trip time; their open
 * ones lose no segment; their denied packets are told. Each case is a kind of flood to a target,
 * and asserts that the flood passed a limit before and while the others were measured, and that the
 * client stayed within its own share: docs/security.md has what happens otherwise.
 *
 * WEIR_FLOOD_CONNECTIONS: connections of each case and round-trip time; 999 of 1,000 must succeed.
 * Without it a few, which all must succeed, and 1,000 in two cases of the first environment.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/netns.h"
#include "inspect/event_stream.h"
#include "lib/netns_delay.h"
#include "lib/netns_dials.h"
#include "lib/netns_flood.h"
#include "lib/netns_socket.h"
#include "lib/netns_tc.h"

/*
 * Entries of the connection table: a flood fills half of it in less than a second, and the client
 * stays below 1/8 of it.
 */
#define TABLE_FEW 8192
#define TABLE_MANY 32768
#define RTT_MS 150
#define LIMIT_MS 1000
#define MANY 1000
#define FEW_NEAR 24
#define FEW_FAR 12
#define OPEN_EACH 2 /* open connections by each path */
#define PROBE_PORT 20000 /* and above: what the pod may not send */
#define PROBES_MAX 200
#define PROBE_EVERY_US 5000
#define PRESSURE 200 /* flows evicted, or packets refused, before others are measured */
#define PRESSURE_STILL 20 /* and meanwhile */
#define PRESSURE_S 30
#define TRIES 5 /* of a case, while the machine stands still */
/* 1 s: connections of earlier cases do not count for the client's share. */
#define CLOSING_TICKS 8

/* Host numbers of addresses. */
#define FLOODER 10
#define CAGED 11 /* a policy denies all that it sends */
#define SINK 12 /* target of floods */
#define CLIENT 13
#define NEAR 14
#define FAR 15
#define SINK_VIP 30
#define NEAR_VIP 31
#define FAR_VIP 32

#define ANSWERED_PORT 53
#define CLOSED_PORT 54
#define WEB_PORT 80 /* of new connections */
#define OPEN_PORT 81 /* of open ones */

enum target {
	TO_VIP,
	TO_POD,
	TO_CLIENT, /* the pod whose connections are measured */
	TO_NODE,
	TO_WORLD,
};

/* What shows that a flood passes a limit. */
enum pressure {
	EVICTED, /* its pod is over its share of all flows, or of half-open ones */
	FILLED, /* the same, and more than half of the table is in use */
	DENIED,
	REFUSED, /* the cluster IP has no such port */
};

struct flood_case {
	const char *name;
	enum netns_flood_kind kind;
	enum target target;
	uint16_t port;
	enum pressure pressure;
	bool many; /* 1,000 connections in the first environment */
};

struct open_one {
	int fd[2]; /* of the client, of the server */
	uint32_t lost[2]; /* segments that this end sent, so far */
};

static struct {
	struct netns_cluster cluster;
	struct live live;
	struct netns_delay delay;
	uint32_t table; /* entries */
	struct open_one open[2 * 4 * OPEN_EACH];
	/* of the case */
	bool told[PROBES_MAX];
	unsigned int probes;
	unsigned int dropped; /* packets between the client and the servers */
	uint32_t drop_reason;
} all;

struct result {
	struct netns_dials lanes[2]; /* near, far */
	unsigned int told, silent, lost; /* events; open connections without answer; segments */
	uint64_t flooded, answered, pressure, ms;
	uint32_t entries, evicted; /* evicted: of the client */
};

/* WEIR_FLOOD_CONNECTIONS, or 0. */
static unsigned int asked_for(void)
{
	const char *text = getenv("WEIR_FLOOD_CONNECTIONS");

	return text ? atoi(text) : 0;
}

/* ---- The cluster ---- */

static const char *const node_addr[] = { "192.0.2.10", "2001:db8:2::10" };

static void put_objects(FILE *f)
{
	static const char web[] = "http:TCP:80", to_web[] = "http:TCP:80:http open:TCP:81:81";
	static const char from_client[] =
		"policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 80}, {port: 81}]}]";

	fprintf(f,
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
		"status: {addresses: [{type: InternalIP, address: %s}, {type: InternalIP, address: '%s'}]}\n",
		node_addr[0], node_addr[1]);
	netns_pod(f, "a", "flooder", "flooder", FLOODER, "none:TCP:9");
	netns_pod(f, "a", "caged", "caged", CAGED, "none:TCP:9");
	netns_pod(f, "a", "sink", "sink", SINK, web);
	netns_pod(f, "a", "client", "client", CLIENT, "none:TCP:9");
	netns_pod(f, "a", "near", "near", NEAR, web);
	netns_pod(f, "a", "far", "far", FAR, web);
	netns_service(f, "a", "sink", "sink", SINK_VIP,
		      "http:TCP:80:http answered:UDP:53:53 closed:UDP:54:54");
	netns_service(f, "a", "near", "near", NEAR_VIP, to_web);
	netns_service(f, "a", "far", "far", FAR_VIP, to_web);
	netns_policy(f, "a", "caged", "caged", "policyTypes: [Egress]");
	netns_policy(
		f, "a", "client", "client",
		"policyTypes: [Egress], egress: [{to: [{podSelector: {matchExpressions: "
		"[{key: app, operator: In, values: [near, far]}]}}], ports: [{port: 80}, {port: 81}]}]");
	netns_policy(f, "a", "near", "near", from_client);
	netns_policy(f, "a", "far", "far", from_client);
}

/* ---- Open connections ---- */

/* Direct and through a cluster IP, in both families. */
static void paths(bool far, struct weir_addr to[4])
{
	for (int family = 0; family < 2; family++) {
		to[family] = netns_pod_addr(far ? FAR : NEAR, family);
		to[2 + family] = netns_service_addr(far ? FAR_VIP : NEAR_VIP, family);
	}
}

/* The client asks, and the servers answer. */
static void ask_open_ones(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(all.open); i++)
		send(all.open[i].fd[0], "?", 1, MSG_NOSIGNAL);
	for (size_t i = 0; i < ARRAY_SIZE(all.open); i++)
		if (!netns_listen(all.open[i].fd[1], LIMIT_MS, NULL, 0))
			send(all.open[i].fd[1], "!", 1, MSG_NOSIGNAL);
}

/* How many answers did not come. */
static unsigned int hear_open_ones(void)
{
	unsigned int silent = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all.open); i++)
		silent += !!netns_listen(all.open[i].fd[0], LIMIT_MS, NULL, 0);
	return silent;
}

/*
 * Segments that this end lost so far. What it sent again while the first copy was only late, as on
 * a busy machine, is reported by the receiver (RFC 2883) and is no loss.
 */
static uint32_t lost_by(int fd)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_total_retrans - info.tcpi_dsack_dups;
}

/* Since the last call, in both directions. */
static unsigned int segments_lost(void)
{
	unsigned int lost = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all.open); i++)
		for (int end = 0; end < 2; end++) {
			uint32_t now = lost_by(all.open[i].fd[end]);

			lost += now - all.open[i].lost[end];
			all.open[i].lost[end] = now;
		}
	return lost;
}

static void open_one(struct open_one *o, const struct weir_addr *dst, int listener)
{
	int r;

	o->fd[0] = netns_socket(&all.cluster, "a/client", addr_family(dst), IPPROTO_TCP, 0);
	r = netns_connect(o->fd[0], dst, OPEN_PORT);
	assert_true(!r || (r == -ETIMEDOUT && netns_wait(o->fd[0], POLLOUT, 5000)));
	assert_true(netns_wait(listener, POLLIN, 5000));
	o->fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(o->fd[1] >= 0);
}

static void open_connections(void)
{
	for (int far = 0; far < 2; far++) {
		_cleanup_(fd_close) int listener = netns_socket(
			&all.cluster, far ? "a/far" : "a/near", 1, IPPROTO_TCP, OPEN_PORT);
		struct weir_addr to[4];

		paths(far, to);
		assert_int_equal(listen(listener, 8), 0);
		for (int i = 0; i < OPEN_EACH * 4; i++)
			open_one(&all.open[far * OPEN_EACH * 4 + i], &to[i % 4], listener);
	}
	ask_open_ones();
	assert_int_equal(hear_open_ones(), 0);
	segments_lost(); /* counts from here on */
}

/* ---- Set-up ---- */

/* The client has many closed connections only because the test is in a hurry. */
static void shorten_closing(void)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_err err = {};

	if (node_open(all.cluster.name, NODE_WRITE, NULL, &n, &err))
		fail_msg("%s", err.text);
	node_config(n)->timeout[WEIR_TIMEOUT_TCP_CLOSING] = CLOSING_TICKS;
}

static int set_up(void **state)
{
	static struct node_setup sizes;
	_cleanup_(mem_free) char *text = NULL;
	struct weir_err err = {};
	size_t size;
	FILE *f = open_memstream(&text, &size);

	put_objects(f);
	fclose(f);
	netns_flood_reserve_cpu();
	netns_cluster_init(&all.cluster);
	all.table = asked_for() || netns_env == netns_envs ? TABLE_MANY : TABLE_FEW;
	sizes.max[WEIR_MAP_conntrack] = all.table;
	sizes.max[WEIR_MAP_gc_slots] = all.table;
	sizes.max[WEIR_MAP_gc_free] = all.table;
	all.cluster.sizes = &sizes;
	netns_cluster_up(&all.cluster, text);
	shorten_closing();
	netns_tc_deaf(&all.cluster, "a/flooder");
	netns_tc_deaf(&all.cluster, "a/caged");
	netns_delay_start(&all.cluster, "a/far", RTT_MS, &all.delay);
	if (live_open(&all.live, all.cluster.name, &err))
		fail_msg("%s", err.text);
	open_connections();
	return 0;
}

static int tear_down(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all.open); i++)
		for (int end = 0; end < 2; end++)
			fd_close(&all.open[i].fd[end]);
	netns_delay_stop(&all.delay);
	live_close(&all.live);
	netns_cluster_down(&all.cluster);
	return 0;
}

/* ---- The flood ---- */

static unsigned int flooder(const struct flood_case *cell)
{
	return cell->pressure == DENIED ? CAGED : FLOODER;
}

static struct weir_addr target(const struct flood_case *cell, int family)
{
	struct weir_addr a;

	switch (cell->target) {
	case TO_VIP:
		return netns_service_addr(SINK_VIP, family);
	case TO_POD:
		return netns_pod_addr(SINK, family);
	case TO_CLIENT:
		return netns_pod_addr(CLIENT, family);
	case TO_NODE:
		assert_int_equal(addr_parse(node_addr[family], &a), 0);
		return a;
	default:
		return all.cluster.net.world_addr[family];
	}
}

static void start(const struct flood_case *cell, struct netns_flood *f)
{
	struct netns_flood_spec spec = { .kind = cell->kind,
					 .from = flooder(cell) == CAGED ? "a/caged" : "a/flooder",
					 .port = cell->port,
					 .answers_in = "a/sink",
					 .answers_port = ANSWERED_PORT };

	for (int family = 0; family < 2; family++) {
		spec.src[family] = netns_pod_addr(flooder(cell), family);
		spec.dst[family] = target(cell, family);
		spec.answers_at[family] = netns_pod_addr(SINK, family);
	}
	netns_flood_start(&all.cluster, &spec, f);
}

static struct weir_flow_share share_of(unsigned int host)
{
	struct weir_addr addr = netns_pod_addr(host, 0);
	struct weir_flow_share share = {};
	uint32_t slot = 0;

	bpf_map_lookup_elem(node_map_fd(all.live.node, WEIR_MAP_endpoints), &addr, &slot);
	slot = weir_pod_bucket(slot);
	bpf_map_lookup_elem(node_map_fd(all.live.node, WEIR_MAP_flow_shares), &slot, &share);
	return share;
}

static uint64_t pressure(const struct flood_case *cell)
{
	switch (cell->pressure) {
	case EVICTED:
	case FILLED:
		/* late answers count for the pod that sends them */
		return share_of(FLOODER).evicted + share_of(SINK).evicted;
	case DENIED:
		return live_counter(&all.live, WEIR_EGRESS_DENIED).packets;
	default:
		return live_counter(&all.live, WEIR_NO_SERVICE_PORT).packets +
		       live_counter(&all.live, WEIR_REJECT_LIMITED).packets;
	}
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static bool is_filled(const struct flood_case *cell)
{
	return cell->pressure != FILLED || node_config(all.live.node)->entries > all.table / 2;
}

/* Waits until the flood passes its limit. */
static bool under_pressure(const struct flood_case *cell, uint64_t before)
{
	uint64_t end = now_us() + PRESSURE_S * 1000000ull;
	bool passed;

	do {
		usleep(1000);
		passed = pressure(cell) >= before + PRESSURE && is_filled(cell);
	} while (!passed && now_us() < end);
	return passed;
}

/* ---- What is measured ---- */

static bool is_server(const struct weir_addr *addr)
{
	for (int i = 0; i < 8; i++) {
		struct weir_addr to[4];

		paths(i / 4, to);
		if (weir_addr_equal(addr, &to[i % 4]))
			return true;
	}
	return false;
}

static bool is_client(const struct weir_addr *addr)
{
	struct weir_addr v4 = netns_pod_addr(CLIENT, 0), v6 = netns_pod_addr(CLIENT, 1);

	return weir_addr_equal(addr, &v4) || weir_addr_equal(addr, &v6);
}

static void on_event(const struct weir_event *e, void *arg)
{
	unsigned int probe = ntohs(e->dport_be) - PROBE_PORT;

	if (is_client(&e->src) && e->proto == IPPROTO_UDP && e->reason == WEIR_EGRESS_DENIED &&
	    probe < all.probes)
		all.told[probe] = true;
	if ((is_client(&e->src) && is_server(&e->dst)) ||
	    (is_server(&e->src) && is_client(&e->dst))) {
		all.dropped++;
		all.drop_reason = e->reason;
	}
}

static unsigned int count_told(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < all.probes; i++)
		n += all.told[i];
	return n;
}

/* One datagram that the client may not send, to a port of its own. */
static void probe(int fd)
{
	struct weir_addr sink = netns_pod_addr(SINK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PROBE_PORT + all.probes++),
				  .sin_addr.s_addr = sink.w[3] };

	sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof(to));
}

/* Connections, probes and events, until all are done. */
static void turns(struct result *r, struct event_stream *stream, unsigned int probes)
{
	_cleanup_(fd_close) int probe_fd =
		netns_socket(&all.cluster, "a/client", 0, IPPROTO_UDP, 0);
	_cleanup_(netns_leave) int back = -1;
	uint64_t next = 0, end;

	netns_cluster_enter(&all.cluster, "a/client", &back);
	while (!netns_dials_done(&r->lanes[0]) || !netns_dials_done(&r->lanes[1]) ||
	       all.probes < probes) {
		netns_dials_turn(r->lanes, 2, 1);
		if (all.probes < probes && now_us() >= next) {
			probe(probe_fd);
			next = now_us() + PROBE_EVERY_US;
		}
		event_stream_poll(stream, 0);
	}
	for (end = now_us() + 200000; count_told() < probes && now_us() < end;)
		event_stream_poll(stream, 10);
	r->told = count_told();
}

static void measure(struct result *r, unsigned int probes)
{
	struct event_stream stream = {};
	struct weir_err err = {};
	uint64_t before = now_us();

	all.probes = all.dropped = 0;
	memset(all.told, 0, sizeof(all.told));
	if (event_stream_open(&stream, &all.live,
			      weir_reasons_of(WEIR_DROP) | weir_reasons_of(WEIR_REJECT), on_event,
			      NULL, &err))
		fail_msg("%s", err.text);
	event_stream_poll(&stream, 0);
	ask_open_ones();
	turns(r, &stream, probes);
	r->silent = hear_open_ones();
	r->lost = segments_lost();
	r->ms = (now_us() - before) / 1000;
	event_stream_stop(&stream);
	event_stream_close(&stream);
}

/* ---- A case ---- */

static unsigned int connections(const struct flood_case *cell, unsigned int few)
{
	if (asked_for())
		return asked_for();
	return cell->many && netns_env == netns_envs ? MANY : few;
}

static const char *reason_label(uint32_t reason)
{
	static const char *const labels[] = {
#define LABEL(name, kind, label, text) [WEIR_##name] = label,
		WEIR_REASONS(LABEL)
#undef LABEL
	};

	return labels[reason];
}

static void print(const struct flood_case *cell, const struct result *r)
{
	const struct netns_dials *near = &r->lanes[0], *far = &r->lanes[1];

	printf("# %s: 0 ms %u of %u, slowest %u ms; %d ms %u of %u, slowest %u ms; "
	       "open without answer %u, segments lost %u; events %u of %u; "
	       "flood %llu packets, %llu evicted or refused, %u entries, in %llu ms\n",
	       cell->name, near->ok, near->n, near->slowest_us / 1000, RTT_MS, far->ok, far->n,
	       far->slowest_us / 1000, r->silent, r->lost, r->told, all.probes,
	       (unsigned long long)r->flooded, (unsigned long long)r->pressure, r->entries,
	       (unsigned long long)r->ms);
	for (int i = 0; i < 2; i++)
		if (r->lanes[i].late || r->lanes[i].failed)
			printf("# %s: %u late, %u failed, the last one with: %s\n",
			       i ? "far" : "near", r->lanes[i].late, r->lanes[i].failed,
			       strerror(r->lanes[i].error));
	if (all.dropped)
		printf("# %u packets between client and servers were dropped, the last one as %s\n",
		       all.dropped, reason_label(all.drop_reason));
}

static void judge(const struct flood_case *cell, const struct result *r)
{
	for (int i = 0; i < 2; i++)
		assert_in_range(r->lanes[i].ok, r->lanes[i].n - r->lanes[i].n / 1000,
				r->lanes[i].n);
	assert_int_equal(r->silent, 0);
	assert_int_equal(r->lost, 0);
	assert_in_range(r->told * 100, all.probes * 95, all.probes * 100);
	assert_int_equal(r->evicted, 0); /* else it would lose flows by its own doing */
	assert_in_range(r->pressure, PRESSURE_STILL, UINT64_MAX);
	if (cell->pressure == FILLED)
		assert_in_range(r->entries, all.table / 2, all.table);
	if (cell->kind == NETNS_FLOOD_ANSWERED)
		assert_in_range(r->answered, PRESSURE, UINT64_MAX);
}

static struct netns_dials lane(const struct flood_case *cell, bool far)
{
	struct netns_dials d = { .port = WEB_PORT,
				 .n = connections(cell, far ? FEW_FAR : FEW_NEAR),
				 .window = far ? 100 : 8,
				 .limit_ms = LIMIT_MS };

	paths(far, d.to);
	return d;
}

static void attempt(const struct flood_case *cell, struct result *r)
{
	uint64_t before = pressure(cell), began;
	uint32_t evicted = share_of(CLIENT).evicted;
	struct netns_flood flood;
	bool passed;

	*r = (struct result){ .lanes = { lane(cell, false), lane(cell, true) } };
	start(cell, &flood);
	passed = under_pressure(cell, before);
	before = pressure(cell);
	began = netns_flood_sent(&flood);
	if (passed)
		measure(r, r->lanes[0].n < PROBES_MAX ? r->lanes[0].n : PROBES_MAX);
	r->pressure = pressure(cell) - before;
	r->flooded = netns_flood_sent(&flood) - began;
	r->answered = netns_flood_answered(&flood);
	r->entries = node_config(all.live.node)->entries;
	r->evicted = share_of(CLIENT).evicted - evicted;
	netns_flood_stop(&flood);
	if (!passed)
		fail_msg("%s: the flood passed no limit: %llu", cell->name,
			 (unsigned long long)before);
	print(cell, r);
}

/* Something came too late, but Weir dropped no packet of it. */
static bool machine_stood_still(const struct result *r)
{
	return !all.dropped && !r->lanes[0].failed && !r->lanes[1].failed &&
	       (r->lanes[0].late || r->lanes[1].late || r->silent);
}

static void run(const struct flood_case *cell)
{
	struct result r;
	int tries = 0;

	do
		attempt(cell, &r);
	while (machine_stood_still(&r) && ++tries < TRIES);
	judge(cell, &r);
}

static void run_all(const struct flood_case *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run(&cells[i]);
}

/* ---- Floods ---- */

static void without_a_flood_all_connections_succeed(void **state)
{
	struct flood_case none = { .name = "no flood" };
	struct result r;
	int tries = 0;

	do {
		r = (struct result){ .lanes = { lane(&none, false), lane(&none, true) } };
		measure(&r, FEW_NEAR);
		print(&none, &r);
	} while (machine_stood_still(&r) && ++tries < TRIES);
	r.pressure = PRESSURE;
	judge(&none, &r);
}

static void datagrams_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "UDP to a VIP", NETNS_FLOOD_UDP, TO_VIP, CLOSED_PORT, EVICTED, true },
		{ "UDP to a pod", NETNS_FLOOD_UDP, TO_POD, 0, EVICTED, false },
		{ "UDP to the client", NETNS_FLOOD_UDP, TO_CLIENT, 0, EVICTED, false },
		{ "UDP to the node", NETNS_FLOOD_UDP, TO_NODE, 0, EVICTED, false },
		{ "UDP to the world", NETNS_FLOOD_UDP, TO_WORLD, 0, EVICTED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void answered_datagrams_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "answered UDP to a VIP", NETNS_FLOOD_ANSWERED, TO_VIP, ANSWERED_PORT, FILLED,
		  false },
		{ "answered UDP to a pod", NETNS_FLOOD_ANSWERED, TO_POD, ANSWERED_PORT, FILLED,
		  false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void syns_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "SYN to a VIP", NETNS_FLOOD_SYN, TO_VIP, WEB_PORT, EVICTED, false },
		{ "SYN to a pod", NETNS_FLOOD_SYN, TO_POD, WEB_PORT, EVICTED, true },
		{ "SYN to the client", NETNS_FLOOD_SYN, TO_CLIENT, 0, EVICTED, false },
		{ "SYN to the node", NETNS_FLOOD_SYN, TO_NODE, 0, EVICTED, false },
		{ "SYN to the world", NETNS_FLOOD_SYN, TO_WORLD, 0, EVICTED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void segments_after_syns_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "SYN, segment to a VIP", NETNS_FLOOD_SEGMENT, TO_VIP, WEB_PORT, EVICTED, false },
		{ "SYN, segment to a pod", NETNS_FLOOD_SEGMENT, TO_POD, WEB_PORT, EVICTED, false },
		{ "SYN, segment to the node", NETNS_FLOOD_SEGMENT, TO_NODE, 0, EVICTED, false },
		{ "SYN, segment to the world", NETNS_FLOOD_SEGMENT, TO_WORLD, 0, EVICTED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void echoes_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "echo to a VIP", NETNS_FLOOD_ECHO, TO_VIP, 0, REFUSED, false },
		{ "echo to a pod", NETNS_FLOOD_ECHO, TO_POD, 0, FILLED, false },
		{ "echo to the client", NETNS_FLOOD_ECHO, TO_CLIENT, 0, FILLED, false },
		{ "echo to the node", NETNS_FLOOD_ECHO, TO_NODE, 0, FILLED, false },
		{ "echo to the world", NETNS_FLOOD_ECHO, TO_WORLD, 0, FILLED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void first_fragments_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "fragments to a VIP", NETNS_FLOOD_FRAGMENT, TO_VIP, CLOSED_PORT, EVICTED, false },
		{ "fragments to a pod", NETNS_FLOOD_FRAGMENT, TO_POD, 0, EVICTED, false },
		{ "fragments to the client", NETNS_FLOOD_FRAGMENT, TO_CLIENT, 0, EVICTED, false },
		{ "fragments to the node", NETNS_FLOOD_FRAGMENT, TO_NODE, 0, EVICTED, false },
		{ "fragments to the world", NETNS_FLOOD_FRAGMENT, TO_WORLD, 0, EVICTED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

/* The node is always allowed (NP-42), so nothing to it is denied. */
static void denied_packets_of_one_pod_harm_no_other(void **state)
{
	static const struct flood_case cells[] = {
		{ "denied UDP to a VIP", NETNS_FLOOD_UDP, TO_VIP, CLOSED_PORT, DENIED, false },
		{ "denied UDP to a pod", NETNS_FLOOD_UDP, TO_POD, 0, DENIED, false },
		{ "denied UDP to the world", NETNS_FLOOD_UDP, TO_WORLD, 0, DENIED, false },
	};

	run_all(cells, ARRAY_SIZE(cells));
}

static void open_connections_answer_after_all_floods(void **state)
{
	ask_open_ones();
	assert_int_equal(hear_open_ones(), 0);
	assert_int_equal(segments_lost(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_flood_all_connections_succeed, set_up),
		cmocka_unit_test(datagrams_of_one_pod_harm_no_other),
		cmocka_unit_test(answered_datagrams_of_one_pod_harm_no_other),
		cmocka_unit_test(syns_of_one_pod_harm_no_other),
		cmocka_unit_test(segments_after_syns_of_one_pod_harm_no_other),
		cmocka_unit_test(echoes_of_one_pod_harm_no_other),
		cmocka_unit_test(first_fragments_of_one_pod_harm_no_other),
		cmocka_unit_test(denied_packets_of_one_pod_harm_no_other),
		cmocka_unit_test_teardown(open_connections_answer_after_all_floods, tear_down),
	};

	return netns_run("traffic_flood", tests, ARRAY_SIZE(tests));
}
