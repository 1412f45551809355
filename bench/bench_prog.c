// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Cost of a packet in the programs at a pod's veth, in ns, by BPF_PROG_TEST_RUN: established and
 * new flows, direct and through a ClusterIP, with tables of default size. The cost of the wrapper
 * is subtracted. Figures are medians over several loads, since the position of a load in memory
 * changes them by some per cent. Redirects are decided, not carried out. Every packet must be
 * counted as forwarded.
 *
 * A test run has one device: packets are sent client by client; Services, backends, peers and port
 * sets are in random order.
 *
 * Environment: BENCH_OUT (row.h), BENCH_LOADS.
 */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "bench_world.h"
#include "bench_wrap.h"
#include "bench_wrap.skel.h"
#include "row.h"
#include "pod.skel.h"

#define LOADS 5
#define ROUNDS 5
#define ONE_REPEAT 16384 /* packets of a single flow in a round */
#define NEW_FLOWS 15000 /* twice that must fit into the ring of half-open flows */
#define DIRECT_FLOWS (256 * 1024)
#define OPEN_FLOWS (160 * 1024) /* more than half of the table, less than 7/8 */
#define SERVICE_FLOWS (32 * 1024)
#define PASSED (-1)
#define REDIRECTED 7
#define PORT_FIRST 2048
#define FLOWS_BYTES (BENCH_FLOWS_MAX * sizeof(struct bench_flow))
#define GROUPS_MAX 256

static const struct world_size small = { "small", 110, 1000, 110, 30, 4, 1000, 10, 100 };
static const struct world_size large = { "large", 220, 150000, 220, 10000, 10, 10000, 10, 1000 };

struct bench {
	struct prog_env *env;
	struct bench_wrap_bpf *wrap;
	struct bench_flow *flows; /* bench_flows of the wrapper, mapped */
	const struct world_size *size;
	int family;
	uint64_t sent;
	bool wrong; /* a packet had another verdict: the figures are invalid */
};

/* Consecutive flows of one device, in the order of sending. */
struct group {
	uint32_t pod, first, count;
};

struct path {
	enum prog_hook hook;
	bool source_varies; /* the peer is the source: to_pod; else the destination */
	int verdict;
	uint8_t flags; /* enum tcp_bits */
	const struct group *groups;
	uint32_t n_groups;
	uint32_t repeat; /* 0: each flow once */
};

/* ---- Running ---- */

static void must(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "bench_prog: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set_target(struct bench *b, const struct bpf_program *prog)
{
	uint32_t zero = 0;
	int fd = bpf_program__fd(prog);

	must(bpf_map_update_elem(bpf_map__fd(b->wrap->maps.bench_target), &zero, &fd, 0),
	     "bench_target");
}

static struct bench_batch batch_of(const struct bench *b, const struct path *path,
				   const struct group *g)
{
	struct weir_addr own = world_addr(b->family, WORLD_PODS, g->pod),
			 peer = world_addr(b->family, WORLD_VIPS, 0);
	struct packet_spec spec = { .src = path->source_varies ? peer : own,
				    .dst = path->source_varies ? own : peer,
				    .proto = IPPROTO_TCP,
				    .sport = 1,
				    .dport = 1,
				    .tcp_flags = path->flags };
	struct bench_batch batch = { .first = g->first,
				     .count = g->count,
				     .addr_len = b->family ? 16 : 4 };
	struct packet packet;

	world_mac(g->pod, spec.dst_mac);
	if (path->hook == PROG_FROM_POD)
		world_pod_mac(g->pod, spec.src_mac);
	packet = packet_build(&spec);
	memcpy(batch.data, packet.data, packet.len);
	batch.len = packet.len;
	batch.l4_off = packet_l4_offset(&packet);
	batch.addr_off =
		PACKET_L3 + (b->family ? 8 : 12) + (path->source_varies ? 0 : batch.addr_len);
	return batch;
}

/* Sends the packets of a group. Returns ns for each, with the wrapper. */
static double run_group(struct bench *b, const struct path *path, const struct group *g,
			int verdict)
{
	struct bench_batch batch = batch_of(b, path, g);
	struct __sk_buff ctx = { .ifindex = world_device(g->pod),
				 .ingress_ifindex = path->hook == PROG_FROM_POD
							    ? world_device(g->pod)
							    : PROG_UPLINK };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = batch.data, .data_size_in = batch.len,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = path->repeat ? path->repeat : g->count);
	uint32_t zero = 0;

	must(bpf_map_update_elem(bpf_map__fd(b->wrap->maps.bench_batches), &zero, &batch, 0),
	     "bench_batches");
	must(bpf_prog_test_run_opts(bpf_program__fd(b->wrap->progs.bench_wrap), &opts),
	     "BPF_PROG_TEST_RUN");
	if ((int)opts.retval != verdict)
		b->wrong = true;
	return opts.duration;
}

static double run_path(struct bench *b, const struct path *path, const struct bpf_program *prog,
		       int verdict)
{
	double sum = 0;
	uint32_t n = 0;

	set_target(b, prog);
	for (uint32_t i = 0; i < path->n_groups; i++) {
		uint32_t count = path->repeat ? path->repeat : path->groups[i].count;

		sum += run_group(b, path, &path->groups[i], verdict) * count;
		n += count;
	}
	return sum / n;
}

static double send_path(struct bench *b, const struct path *path)
{
	for (uint32_t i = 0; i < path->n_groups; i++)
		b->sent += path->repeat ? path->repeat : path->groups[i].count;
	return run_path(b, path,
			path->hook == PROG_FROM_POD ? b->env->pod->progs.from_pod
						    : b->env->pod->progs.to_pod,
			path->verdict);
}

/* Cost of one packet without the wrapper, in one round. */
static double net_of(struct bench *b, const struct path *path)
{
	double idle = run_path(b, path, b->wrap->progs.bench_nothing, PASSED);

	return send_path(b, path) - idle;
}

/* Likewise for a program of bench_wrap.bpf.c: its packets are not in the counters. */
static double net_of_bound(struct bench *b, const struct path *path, const struct bpf_program *prog)
{
	double idle = run_path(b, path, b->wrap->progs.bench_nothing, PASSED);

	return run_path(b, path, prog, PASSED) - idle;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double median_of_rounds(struct bench *b, const struct path *path)
{
	double values[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		values[i] = net_of(b, path);
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

/* Every packet must be counted as forwarded. */
static void check_counters(struct bench *b)
{
	struct weir_counter cpus[b->env->cpus];

	for (uint32_t reason = 0; reason < _WEIR_REASON_MAX; reason++) {
		uint64_t packets = 0, want = reason == WEIR_FORWARDED ? b->sent : 0;

		must(bpf_map_lookup_elem(prog_map(b->env, "counters"), &reason, cpus), "counters");
		for (int i = 0; i < b->env->cpus; i++)
			packets += cpus[i].packets;
		if (packets == want)
			continue;
		b->wrong = true;
		fprintf(stderr, "bench_prog: %llu packets counted as %s, expected %llu\n",
			(unsigned long long)packets, prog_reason(reason), (unsigned long long)want);
	}
}

/* ---- Flows ---- */

enum kind {
	DIRECT, /* to a backend's own address */
	LOCAL, /* to a Service with backends of this node */
	REMOTE, /* to a Service with backends of other nodes */
	_KIND_MAX,
};

static uint32_t clients(const struct bench *b)
{
	return b->size->pods / 2;
}

/* Peers: the pods, then the Services' addresses. reply_flows() replaces them by backends. */
static void fill_peers(struct bench *b)
{
	int fd = bpf_map__fd(b->wrap->maps.bench_peers);
	uint32_t services = b->size->services + b->size->remote_services;

	for (uint32_t i = 0; i < b->size->pods + services; i++) {
		struct weir_addr a = i < b->size->pods
					     ? world_addr(b->family, WORLD_PODS, i)
					     : world_addr(b->family, WORLD_VIPS, i - b->size->pods);

		must(bpf_map_update_elem(fd, &i, &a, 0), "bench_peers");
	}
}

/* Flow number i, as the client sends it. */
static struct bench_flow flow_of(const struct bench *b, enum kind kind, uint32_t i)
{
	uint32_t any = world_random(i, 2), pods = b->size->pods, n = clients(b);

	if (kind == DIRECT)
		return (struct bench_flow){ n + any % (pods - n), htons(PORT_FIRST + i / n),
					    htons(WORLD_TARGET) };
	if (kind == LOCAL)
		return (struct bench_flow){ pods + any % b->size->services,
					    htons(PORT_FIRST + i / n), htons(WORLD_PORT) };
	return (struct bench_flow){ pods + b->size->services + any % b->size->remote_services,
				    htons(PORT_FIRST + i / n), htons(WORLD_PORT) };
}

static void shuffle(struct bench_flow *flows, uint32_t n)
{
	static uint32_t times;

	times++;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = world_random(i, times) % i;
		struct bench_flow f = flows[j];

		flows[j] = flows[i - 1];
		flows[i - 1] = f;
	}
}

/*
 * Writes n flows, beginning with number from, by client and in random order within each; groups has
 * room for all clients. Returns the number of groups.
 */
static uint32_t forward_flows(struct bench *b, enum kind kind, uint32_t from, uint32_t n,
			      struct group *groups)
{
	uint32_t at = 0, used = 0;

	for (uint32_t client = 0; client < clients(b); client++) {
		struct group *g = &groups[used];

		*g = (struct group){ .pod = client, .first = at };
		for (uint32_t i = client; i < n; i += clients(b))
			b->flows[at++] = flow_of(b, kind, from + i);
		g->count = at - g->first;
		shuffle(&b->flows[g->first], g->count);
		used += !!g->count;
	}
	return used;
}

static int by_pod(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return a[0] != b[0] ? (a[0] > b[0]) - (a[0] < b[0]) : (a[1] > b[1]) - (a[1] < b[1]);
}

static uint32_t pod_number(const struct bench *b, const struct weir_addr *addr)
{
	struct weir_addr first = world_addr(b->family, WORLD_PODS, 0);

	return ntohl(addr->w[3]) - ntohl(first.w[3]);
}

/*
 * Writes the replies to all flows of the connection table: the key of a reply entry is the tuple of
 * the responder's packets. In random order within a group. Returns the number of groups.
 */
static uint32_t reply_flows(struct bench *b, enum kind kind, struct group *groups)
{
	struct weir_tuple key, *last = NULL;
	uint32_t(*order)[4] = mem_zalloc(BENCH_FLOWS_MAX * sizeof(*order)), n = 0, used = 0,
	peers = 0;
	int fd = prog_map(b->env, "conntrack"), peer_fd = bpf_map__fd(b->wrap->maps.bench_peers);
	struct weir_flow flow;

	for (; !bpf_map_get_next_key(fd, last, &key); last = &key) {
		int orig;

		must(bpf_map_lookup_elem(fd, &key, &flow), "conntrack");
		if (kind != DIRECT && !(flow.flags & WEIR_FLOW_REPLY))
			continue;
		orig = flow.flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
		/* the pod of the device that sees the reply */
		order[n][0] = pod_number(b, &key.addr[kind == REMOTE ? orig : !orig]);
		order[n][1] = world_random(n, 3);
		order[n][2] = kind == REMOTE ? peers : pod_number(b, &key.addr[orig]);
		order[n][3] = (uint32_t)key.port_be[!orig] << 16 | key.port_be[orig];
		if (kind == REMOTE) {
			must(bpf_map_update_elem(peer_fd, &peers, &key.addr[!orig], 0),
			     "bench_peers");
			peers++;
		}
		n++;
	}
	qsort(order, n, sizeof(*order), by_pod);
	for (uint32_t i = 0; i < n; i++) {
		if (!i || order[i][0] != order[i - 1][0])
			groups[used++] = (struct group){ .pod = order[i][0], .first = i };
		groups[used - 1].count++;
		b->flows[i] =
			(struct bench_flow){ order[i][2], order[i][3] >> 16, order[i][3] & 0xffff };
	}
	free(order);
	return used;
}

/* ---- Figures ---- */

enum figure {
	FORTH_ONE, /* established flows, a figure for each kind */
	BACK_ONE = FORTH_ONE + _KIND_MAX,
	FORTH_MANY = BACK_ONE + _KIND_MAX,
	BACK_MANY = FORTH_MANY + _KIND_MAX,
	NEW_DIRECT = BACK_MANY + _KIND_MAX,
	NEW_HOT,
	NEW_SMALL,
	NEW_LARGE,
	NEW_OVER_HALF_OPEN,
	NEW_OVER_OPEN,
	BOUND_FIND, /* three sizes */
	BOUND_PAIR = BOUND_FIND + 3,
	_FIGURE_MAX,
};

static struct bench bench_new(int family, const struct world_size *size, uint32_t half_open)
{
	struct prog_sizes sizes = { .conntrack = WEIR_CONNTRACK_MAX,
				    .half_open = half_open,
				    .tables = UINT32_MAX };
	struct bench b = { .size = size, .family = family, .env = prog_env_new(family, &sizes) };
	static bool devices;

	if (!b.env)
		exit(1);
	if (!devices)
		must(world_devices(large.pods), "devices");
	devices = true;
	b.wrap = bench_wrap_bpf__open_and_load();
	must(!b.wrap, "bench_wrap");
	b.flows = mmap(NULL, FLOWS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(b.wrap->maps.bench_flows), 0);
	must(b.flows == MAP_FAILED, "bench_flows");
	world_fill(b.env, size);
	fill_peers(&b);
	return b;
}

static bool bench_free(struct bench *b)
{
	check_counters(b);
	prog_env_free(b->env);
	munmap(b->flows, FLOWS_BYTES);
	bench_wrap_bpf__destroy(b->wrap);
	return b->wrong;
}

/* Opens n flows, then measures their packets both ways. */
static void both_ways(struct bench *b, enum kind kind, uint32_t n, double *ret_forth,
		      double *ret_back)
{
	struct group groups[GROUPS_MAX];
	struct path forth = { .hook = PROG_FROM_POD,
			      .verdict = kind == REMOTE ? PASSED : REDIRECTED,
			      .flags = SYN,
			      .groups = groups };
	struct path back = { .hook = kind == REMOTE ? PROG_TO_POD : PROG_FROM_POD,
			     .source_varies = kind == REMOTE,
			     .verdict = forth.verdict,
			     .flags = SYN | ACK,
			     .groups = groups };

	fill_peers(b);
	forth.n_groups = forward_flows(b, kind, 0, n, groups);
	send_path(b, &forth);
	back.n_groups = reply_flows(b, kind, groups);
	send_path(b, &back);
	fill_peers(b);
	forth.n_groups = forward_flows(b, kind, 0, n, groups);
	forth.flags = back.flags = ACK;
	send_path(b, &forth);
	forth.repeat = back.repeat = n == 1 ? ONE_REPEAT : 0;
	*ret_forth = median_of_rounds(b, &forth);
	back.n_groups = reply_flows(b, kind, groups);
	*ret_back = median_of_rounds(b, &back);
}

static bool established(int family, enum kind kind, double figures[_FIGURE_MAX])
{
	struct bench b = bench_new(family, &small, 0);

	both_ways(&b, kind, 1, &figures[FORTH_ONE + kind], &figures[BACK_ONE + kind]);
	both_ways(&b, kind, kind == DIRECT ? DIRECT_FLOWS : SERVICE_FLOWS,
		  &figures[FORTH_MANY + kind], &figures[BACK_MANY + kind]);
	return bench_free(&b);
}

/* First packets, each of another flow. hot: from one client to one address. */
static double new_flows(struct bench *b, enum kind kind, uint32_t from, bool hot)
{
	struct group groups[GROUPS_MAX];
	struct path path = {
		.hook = PROG_FROM_POD, .verdict = REDIRECTED, .flags = SYN, .groups = groups
	};

	path.n_groups = forward_flows(b, kind, from, NEW_FLOWS, groups);
	if (hot) {
		for (uint32_t i = 0; i < NEW_FLOWS; i++)
			b->flows[i] =
				(struct bench_flow){ b->flows[0].peer, htons(PORT_FIRST + from + i),
						     b->flows[0].dport_be };
		groups[0] = (struct group){ .count = NEW_FLOWS };
		path.n_groups = 1;
	}
	return net_of(b, &path);
}

static bool first_packets(int family, double figures[_FIGURE_MAX])
{
	struct bench b = bench_new(family, &small, 0);
	bool wrong;

	figures[NEW_SMALL] = new_flows(&b, LOCAL, 0, false);
	figures[NEW_HOT] = new_flows(&b, LOCAL, NEW_FLOWS, true);
	wrong = bench_free(&b);
	b = bench_new(family, &small, 0);
	figures[NEW_DIRECT] = new_flows(&b, DIRECT, 0, true);
	wrong |= bench_free(&b);
	b = bench_new(family, &large, 0);
	figures[NEW_LARGE] = new_flows(&b, LOCAL, 0, false);
	return bench_free(&b) || wrong;
}

/* Limits as in a table of default size, which bench_new() lifts. */
static void set_shares(struct bench *b, uint32_t flow_share)
{
	struct weir_config config = prog_config(b->env);

	config.half_open_max = config.gc_slots / WEIR_HALF_OPEN_PARTS;
	config.half_open_share = config.half_open_max / WEIR_SHARE_PARTS;
	config.flow_share = flow_share;
	prog_config_set(b->env, &config);
}

/* New flows of pods over their shares: of a flood, and of pods with open flows only. */
static bool over_share(int family, double figures[_FIGURE_MAX])
{
	struct bench b = bench_new(family, &small, 0);
	bool wrong;
	double unused;

	set_shares(&b, prog_config(b.env).gc_slots / WEIR_SHARE_PARTS);
	for (uint32_t from = 0; from < 2 * NEW_FLOWS; from += NEW_FLOWS)
		new_flows(&b, DIRECT, from, true);
	figures[NEW_OVER_HALF_OPEN] = new_flows(&b, DIRECT, 2 * NEW_FLOWS, true);
	wrong = bench_free(&b);
	b = bench_new(family, &small, 0);
	both_ways(&b, DIRECT, OPEN_FLOWS, &unused, &unused);
	set_shares(&b, 0);
	figures[NEW_OVER_OPEN] = new_flows(&b, DIRECT, OPEN_FLOWS, false);
	return bench_free(&b) || wrong;
}

/* The connection table alone, IPv4. */
static bool bounds(double figures[_FIGURE_MAX])
{
	struct bench b = bench_new(0, &small, 0);
	struct group groups[GROUPS_MAX];
	struct path path = { .hook = PROG_FROM_POD, .flags = ACK, .groups = groups };

	path.n_groups = forward_flows(&b, LOCAL, 0, NEW_FLOWS, groups);
	figures[BOUND_PAIR] = net_of_bound(&b, &path, b.wrap->progs.bench_pair);
	for (int many = 0; many < 3; many++) {
		uint32_t n = many == 2 ? DIRECT_FLOWS - 2 * NEW_FLOWS
			     : many    ? 2 * SERVICE_FLOWS
				       : 1;

		path.n_groups = forward_flows(&b, DIRECT, 0, n, groups);
		path.repeat = 0;
		run_path(&b, &path, b.wrap->progs.bench_insert, PASSED);
		path.repeat = many ? 0 : ONE_REPEAT;
		path.n_groups = forward_flows(&b, DIRECT, 0, n, groups);
		figures[BOUND_FIND + many] = net_of_bound(&b, &path, b.wrap->progs.bench_find);
	}
	return bench_free(&b);
}

/* ---- Output ---- */

static const struct {
	const char *work, *variant, *flows, *aim;
	const struct world_size *size;
} figures_text[_FIGURE_MAX] = {
	[FORTH_ONE + DIRECT] = { "established policy only", "forward", "1", "<= 60", &small },
	[BACK_ONE + DIRECT] = { "established policy only", "reply", "1", "<= 60", &small },
	[FORTH_MANY +
		DIRECT] = { "established policy only", "forward", "262144", "<= 400", &small },
	[BACK_MANY + DIRECT] = { "established policy only", "reply", "262144", "<= 400", &small },
	[FORTH_ONE + LOCAL] = { "established ClusterIP", "forward", "1", "<= 90", &small },
	[BACK_ONE + LOCAL] = { "established ClusterIP", "reply", "1", "<= 90", &small },
	[FORTH_MANY + LOCAL] = { "established ClusterIP", "forward", "32768", "<= 250", &small },
	[BACK_MANY + LOCAL] = { "established ClusterIP", "reply", "32768", "<= 250", &small },
	[FORTH_ONE + REMOTE] = { "established ClusterIP to another node", "forward", "1", "<= 90",
				 &small },
	[BACK_ONE + REMOTE] = { "established ClusterIP to another node", "reply", "1", "<= 90",
				&small },
	[FORTH_MANY + REMOTE] = { "established ClusterIP to another node", "forward", "32768",
				  "<= 250", &small },
	[BACK_MANY + REMOTE] = { "established ClusterIP to another node", "reply", "32768",
				 "<= 250", &small },
	[NEW_DIRECT] = { "new flow policy only", "hot", "15000", "", &small },
	[NEW_HOT] = { "new flow ClusterIP and both verdicts", "hot", "15000", "<= 700", &small },
	[NEW_SMALL] = { "new flow ClusterIP and both verdicts", "random", "15000", "<= 1100",
			&small },
	[NEW_LARGE] = { "new flow ClusterIP and both verdicts", "random", "15000", "<= 2000",
			&large },
	[NEW_OVER_HALF_OPEN] = { "new flow over the share policy only", "half-open", "32768", "",
				 &small },
	[NEW_OVER_OPEN] = { "new flow over the share policy only", "open", "163840", "", &small },
	[BOUND_FIND] = { "bound: one look-up in such a table", "hit", "1", "", &small },
	[BOUND_FIND + 1] = { "bound: one look-up in such a table", "hit", "65536", "", &small },
	[BOUND_FIND + 2] = { "bound: one look-up in such a table", "hit", "232144", "", &small },
	[BOUND_PAIR] = { "bound: a miss and two inserts", "new", "15000", "", &small },
};

static void describe(struct row *r, enum figure f)
{
	const struct world_size *w = figures_text[f].size;

	*r = (struct row){ .work = figures_text[f].work, .unit = "ns", .aim = figures_text[f].aim };
	snprintf(r->size, sizeof(r->size),
		 "flows %s; addresses %u; sets %u; port sets %ux%u; services %ux%u",
		 figures_text[f].flows, w->addresses, w->sets, w->port_sets, w->ranges, w->services,
		 w->endpoints);
}

static void print_rows(int family, struct row rows[_FIGURE_MAX], bool csv)
{
	static char variants[2][_FIGURE_MAX][32];

	printf("%-38s %-8s %9s %9s %17s %8s\n", family ? "IPv6" : "IPv4", "", "flows", "median",
	       "min-max", "aim");
	for (int f = 0; f < _FIGURE_MAX; f++) {
		double median, low, high;

		if (!rows[f].n)
			continue;
		low = high = rows[f].values[0];
		for (size_t i = 1; i < rows[f].n; i++) {
			low = rows[f].values[i] < low ? rows[f].values[i] : low;
			high = rows[f].values[i] > high ? rows[f].values[i] : high;
		}
		median = row_median(&rows[f]);
		snprintf(variants[family][f], sizeof(variants[family][f]), "IPv%c %s",
			 family ? '6' : '4', figures_text[f].variant);
		rows[f].variant = variants[family][f];
		median = row_median(&rows[f]);
		printf("%-38s %-8s %9s %9.0f %8.0f-%-8.0f %8s%s\n", rows[f].work,
		       figures_text[f].variant, figures_text[f].flows, median, low, high,
		       figures_text[f].aim, figures_text[f].size == &large ? "  large tables" : "");
		if (csv)
			row_end(&rows[f]);
	}
}

static void print_size(const struct world_size *w)
{
	printf("%s tables: %u addresses, %u pods here, %u policy sets, %u port sets of %u ranges, "
	       "%u Services of %u endpoints\n",
	       w->name, w->addresses, w->pods, w->sets, w->port_sets, w->ranges, w->services,
	       w->endpoints);
}

/* Kernel memory of a map, from its fdinfo. */
static uint64_t map_bytes(const struct bench *b, const char *name)
{
	_cleanup_(mem_free) char *path = mem_printf("/proc/self/fdinfo/%d", prog_map(b->env, name));
	unsigned long long bytes = 0;
	FILE *f = fopen(path, "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "memlock: %llu", &bytes);
	if (f)
		fclose(f);
	return bytes;
}

static void print_conntrack(bool csv)
{
	static const char *const maps[] = { "conntrack", "gc_slots", "gc_free" };
	struct bench b = bench_new(0, &small, 0);
	struct row r = {
		.work = "conntrack memory", .variant = "an entry", .unit = "bytes", .aim = ""
	};
	uint64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		bytes += map_bytes(&b, maps[i]);
	snprintf(r.size, sizeof(r.size), "entries %d", WEIR_CONNTRACK_MAX);
	row_add(&r, (double)bytes / WEIR_CONNTRACK_MAX);
	printf("conntrack: %d entries by default, a flow takes one, through a Service two; %.0f bytes an entry all in, "
	       "%.0f MiB; the key is %zu bytes and the value %zu\n\n",
	       WEIR_CONNTRACK_MAX, row_median(&r), bytes / 1048576.0, sizeof(struct weir_tuple),
	       sizeof(struct weir_flow));
	if (csv)
		row_end(&r);
	bench_free(&b);
}

int main(void)
{
	int loads = getenv("BENCH_LOADS") ? atoi(getenv("BENCH_LOADS")) : LOADS;
	bool csv = getenv("BENCH_OUT") && !rows_open("prog"), wrong = false;
	struct row rows[_FIGURE_MAX];
	double figures[_FIGURE_MAX];

	if (!prog_env_possible())
		return 0;
	printf("ns a packet in the programs, net of the harness; medians of %d loads of %d rounds\n",
	       loads, ROUNDS);
	print_size(&small);
	print_size(&large);
	print_conntrack(csv);
	for (int family = 0; family < 2; family++) {
		for (int f = 0; f < _FIGURE_MAX; f++)
			describe(&rows[f], f);
		for (int load = 0; load < loads; load++) {
			for (int kind = 0; kind < _KIND_MAX; kind++)
				wrong |= established(family, kind, figures);
			wrong |= first_packets(family, figures);
			wrong |= over_share(family, figures);
			if (!family)
				wrong |= bounds(figures);
			for (int f = 0; f < (family ? BOUND_FIND : _FIGURE_MAX); f++)
				row_add(&rows[f], figures[f]);
		}
		print_rows(family, rows, csv);
	}
	if (csv)
		rows_close();
	if (wrong)
		printf("some packets were not forwarded: the figures are invalid\n");
	return wrong;
}
