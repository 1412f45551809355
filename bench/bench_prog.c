// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a packet costs in the programs at a pod's veth, in ns, by
 * BPF_PROG_TEST_RUN: established flows and new ones, direct and by a ClusterIP.
 * Every figure is net of the wrapper, measured beside it, and the median over
 * several loads, since a load's place in memory alone makes some per cent.
 * Packets are sent for nobody: redirects are decided, not carried out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "bench_wrap.h"
#include "bench_wrap.skel.h"
#include "lib/prog_env.h"
#include "tc_pod.skel.h"

#define LOADS 5
#define ROUNDS 9
#define REPEAT 16384
#define NEW_ROUNDS 3
#define MANY_FLOWS 16384
#define ADDRESSES 1000
#define SETS 110
#define PORT_SETS 30
#define RANGES 4
#define TARGET 8080
#define DIRECT_PORT 7070
#define PORT_BASE 1024

enum figure {
	DIRECT_FORTH,
	DIRECT_BACK,
	SERVICE_FORTH,
	SERVICE_BACK,
	NEW_DIRECT,
	NEW_SERVICE,
	_FIGURE_MAX,
};

static const char *const names[_FIGURE_MAX] = {
	"established, direct, forward",  "established, direct, reply",     "established, ClusterIP, forward",
	"established, ClusterIP, reply", "new flow, direct (SYN, insert)", "new flow, ClusterIP (SYN, insert)",
};

struct bench {
	struct prog_env *env;
	struct bench_wrap *wrap;
	uint32_t flows;
	bool wrong; /* a packet was dropped: the figures mean nothing */
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

/* ---- Tables ----------------------------------------------------------------------------------- */

static void fill_addresses(const struct prog_env *env)
{
	struct weir_addr addr = prog_addr(env, NOBODY);
	int fd = prog_map(env, "identities");

	for (uint32_t i = 0; i < ADDRESSES; i++) {
		uint32_t identity = 100 + i % 50;

		addr.b[13] = 128 + i / 250;
		addr.b[14] = 1;
		addr.b[15] = i % 250;
		bpf_map_update_elem(fd, &addr, &identity, 0);
	}
}

static void fill_policy(struct prog_env *env)
{
	for (uint32_t run = 0; run < PORT_SETS; run++) {
		for (uint32_t i = 0; i < RANGES; i++) {
			uint32_t low = i == 1 ? DIRECT_PORT : i == 2 ? TARGET : 100 + 20000 * i;
			struct weir_port_range range = { weir_port_point(IPPROTO_TCP, low),
							 weir_port_point(IPPROTO_TCP, low + 10), WEIR_WORD_ALLOW,
							 1 };

			prog_ranges(env, run * RANGES + i, &range, 1);
		}
	}
	for (uint32_t set = 1; set <= SETS; set++) {
		for (uint32_t identity = 1; identity <= 5; identity++)
			prog_policy(env, set, identity,
				    weir_word_ports((set + identity) % PORT_SETS * RANGES, RANGES));
	}
	prog_pod(env, POD_A, 0, 3, 1, 0);
	prog_pod(env, POD_B, 7, 0, 2, 0);
}

static void fill_service(struct prog_env *env)
{
	uint32_t backend = 1;

	prog_backend(env, backend, 1, POD_B, TARGET, 0);
	prog_run(env, 0, &backend, 1);
	prog_service(env, 1, WEIR_SERVICE_SERVING | WEIR_SERVICE_USABLE, 0, 1);
	prog_frontend(env, VIP_1, 80, IPPROTO_TCP, 1);
}

/* ---- Running ---------------------------------------------------------------------------------- */

static void aim(struct bench *b, const struct bpf_program *prog)
{
	uint32_t zero = 0;
	int fd = bpf_program__fd(prog);

	bpf_map_update_elem(bpf_map__fd(b->wrap->maps.bench_target), &zero, &fd, 0);
}

static double run(struct bench *b, const struct bench_packet *packet, enum who pod, int want)
{
	struct __sk_buff ctx = { .ifindex = PROG_DEVICE(pod), .ingress_ifindex = PROG_DEVICE(pod) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data, .data_size_in = packet->len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = REPEAT);
	uint32_t zero = 0;

	bpf_map_update_elem(bpf_map__fd(b->wrap->maps.bench_packets), &zero, packet, 0);
	if (bpf_prog_test_run_opts(bpf_program__fd(b->wrap->progs.bench_wrap), &opts) || (int)opts.retval != want)
		b->wrong = true;
	return opts.duration;
}

/* Net cost of one packet, in one round. */
static double measure(struct bench *b, const struct bench_packet *packet, enum who pod)
{
	double idle;

	aim(b, b->wrap->progs.bench_nothing);
	idle = run(b, packet, pod, -1);
	aim(b, b->env->tc->progs.from_pod);
	return run(b, packet, pod, 7) - idle;
}

static struct bench_packet packet_of(const struct packet_spec *spec, bool vary_source, uint32_t base,
				     uint32_t ports)
{
	struct packet built = packet_build(spec);
	struct bench_packet p = { .len = built.len, .port_base = base, .port_mask = ports - 1 };

	memcpy(p.data, built.data, built.len);
	p.port_offset = packet_l4_offset(&built) + (vary_source ? 0 : 2);
	return p;
}

static double measure_established(struct bench *b, const struct bench_packet *packet, enum who pod)
{
	double values[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		values[i] = measure(b, packet, pod);
	return median(values, ROUNDS);
}

/* Handshake of every flow, then both directions. */
static void measure_flows(struct bench *b, enum who to, uint16_t port, uint16_t target, double *ret_forth,
			  double *ret_back)
{
	struct packet_spec forth = prog_tcp(b->env, POD_A, 1, to, port, SYN),
			   back = prog_tcp(b->env, POD_B, target, POD_A, 1, SYN | ACK);
	struct bench_packet packet = packet_of(&forth, true, PORT_BASE, b->flows);

	aim(b, b->env->tc->progs.from_pod);
	run(b, &packet, POD_A, 7);
	packet = packet_of(&back, false, PORT_BASE, b->flows);
	run(b, &packet, POD_B, 7);
	forth.tcp_flags = back.tcp_flags = ACK;
	packet = packet_of(&forth, true, PORT_BASE, b->flows);
	run(b, &packet, POD_A, 7);
	*ret_forth = measure_established(b, &packet, POD_A);
	packet = packet_of(&back, false, PORT_BASE, b->flows);
	*ret_back = measure_established(b, &packet, POD_B);
}

static double measure_new(struct bench *b, enum who to, uint16_t port)
{
	struct packet_spec syn = prog_tcp(b->env, POD_A, 1, to, port, SYN);
	double values[NEW_ROUNDS];

	for (int i = 0; i < NEW_ROUNDS; i++) {
		struct bench_packet packet = packet_of(&syn, true, PORT_BASE + (i * REPEAT), REPEAT);

		values[i] = measure(b, &packet, POD_A);
	}
	return median(values, NEW_ROUNDS);
}

static void one_load(int family, uint32_t flows, double figures[_FIGURE_MAX], bool *wrong)
{
	static const struct prog_sizes sizes = { .conntrack = WEIR_CONNTRACK_MAX,
						 .half_open = 2 * WEIR_HALF_OPEN_MAX,
						 .tables = 16384 };
	struct bench b = { .env = prog_env_new(family, &sizes),
			   .wrap = bench_wrap__open_and_load(),
			   .flows = flows };

	if (!b.env || !b.wrap) {
		fprintf(stderr, "cannot load\n");
		exit(1);
	}
	fill_addresses(b.env);
	fill_policy(b.env);
	fill_service(b.env);
	figures[NEW_DIRECT] = measure_new(&b, POD_B, DIRECT_PORT + 1);
	figures[NEW_SERVICE] = measure_new(&b, VIP_1, 80);
	prog_env_free(b.env); /* an empty table again */
	b.env = prog_env_new(family, &sizes);
	fill_addresses(b.env);
	fill_policy(b.env);
	fill_service(b.env);
	measure_flows(&b, POD_B, DIRECT_PORT, DIRECT_PORT, &figures[DIRECT_FORTH], &figures[DIRECT_BACK]);
	measure_flows(&b, VIP_1, 80, TARGET, &figures[SERVICE_FORTH], &figures[SERVICE_BACK]);
	*wrong |= b.wrong;
	prog_env_free(b.env);
	bench_wrap__destroy(b.wrap);
}

static void print_family(int family)
{
	static const uint32_t flows[] = { 1, MANY_FLOWS };
	double values[2][_FIGURE_MAX][LOADS], one[_FIGURE_MAX];
	bool wrong = false;

	for (int many = 0; many < 2; many++) {
		for (int load = 0; load < LOADS; load++) {
			one_load(family, flows[many], one, &wrong);
			for (int i = 0; i < _FIGURE_MAX; i++)
				values[many][i][load] = one[i];
		}
	}
	printf("%s%s\n", family ? "IPv6" : "IPv4", wrong ? "  (packets were dropped: not valid)" : "");
	for (int i = 0; i < _FIGURE_MAX; i++)
		printf("  %-36s %7.0f %9.0f\n", names[i], median(values[0][i], LOADS),
		       median(values[1][i], LOADS));
}

int main(void)
{
	if (!prog_env_possible())
		return 0;
	printf("ns a packet, net of the harness; medians of %d loads of %d rounds of %d packets (%d for new flows)\n",
	       LOADS, ROUNDS, REPEAT, NEW_ROUNDS);
	printf("%d addresses, %d policy sets, %d port sets of %d ranges, conntrack of %d entries\n", ADDRESSES,
	       SETS, PORT_SETS, RANGES, WEIR_CONNTRACK_MAX);
	printf("  %-36s %7s %9s\n", "established flows in use:", "1", "16384");
	for (int family = 0; family < 2; family++)
		print_family(family);
	return 0;
}
