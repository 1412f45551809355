// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Applies under traffic (docs/design.md, "Atomic from the packet's view"): one thread sends first
 * packets of new flows through the programs, the other applies two plans in turn. Both plans of a
 * case have the same verdict for the packet; only a mixture of them has another: labels and the
 * policy that selects by them change together, ipBlocks split, endpoints are exchanged.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "sync/sync.h"
#include "testrun/testrun_packet.h"
#include <weir/reason.h>

#define RUN_MS 1500
#define FIRST_DEVICE 101
#define PODS 6
#define NODE_NAME "n1"

static struct node *node;
static const char *cannot;

/* ---- Plans ---- */

static const char pods_head[] =
	"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: "
	"InternalIP, address: 192.0.2.1}]}\n";

/* Pods p0…p5 at 10.244.0.1…6 and fd00:10:244::1…6; labels[i] is flow YAML. */
static void put_pods(FILE *f, const char *const labels[PODS])
{
	fputs(pods_head, f);
	for (int i = 0; i < PODS; i++)
		fprintf(f,
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, uid: u%d, labels: {%s}}\n"
			"spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: web, containerPort: %d}]}]}\n"
			"status: {phase: Running, podIP: 10.244.0.%d, podIPs: [{ip: 10.244.0.%d}, {ip: 'fd00:10:244::%d'}]}\n",
			i, i, labels[i], 8000 + i, i + 1, i + 1, i + 1);
}

static void put_policy(FILE *f, const char *name, const char *spec)
{
	fprintf(f,
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s}\nspec: {%s}\n",
		name, spec);
}

static void put_service(FILE *f, const char *selector)
{
	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.1, ipFamilyPolicy: "
		"PreferDualStack, clusterIPs: [10.96.0.1, 'fd00:10:96::1'], ipFamilies: [IPv4, IPv6], selector: {%s}, "
		"ports: [{port: 80, protocol: UDP, targetPort: 8080}]}\n",
		selector);
}

struct side {
	char *text;
	size_t size;
	struct plan *plan;
};

static void side_compile(struct side *s)
{
	_cleanup_(store_free) struct store *store = store_new();
	struct plan_input in = { .store = store, .node = NODE_NAME };

	store_read_buffer(store, "atomic.yaml", s->text, s->size);
	store_apply_defaults(store, 0);
	diag_print(&store->diags, stderr);
	assert_int_equal(store->diags.errors, 0);
	s->plan = plan_compile(&in);
}

static void side_free(struct side *s)
{
	plan_free(&s->plan);
	free(s->text);
}

static struct attachment_list recorded(void)
{
	static char names[PODS][8], uids[PODS][8];
	static struct attachment items[PODS];

	for (int i = 0; i < PODS; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		snprintf(uids[i], sizeof(uids[i]), "u%d", i);
		items[i] = (struct attachment){ .ns = "default",
						.name = names[i],
						.uid = uids[i],
						.netns = "",
						.ifindex = FIRST_DEVICE + i,
						.mac = { 2, 0, 0, 0, 0, i } };
		addr_parse("10.244.0.1", &items[i].addr[0]);
		addr_parse("fd00:10:244::1", &items[i].addr[1]);
		items[i].addr[0].b[15] = i + 1;
		items[i].addr[1].b[15] = i + 1;
	}
	return (struct attachment_list){ .items = items, .n = PODS };
}

static uint32_t apply(const struct side *s)
{
	struct attachment_list list = recorded();
	struct sync_delta delta = {};
	struct weir_err err = {};

	if (sync_apply(node, s->plan, &list, SYNC_NO_DEVICES, &delta, &err))
		fail_msg("%s", err.text);
	return sync_delta_writes(&delta);
}

/* ---- Packets ---- */

/* First packets that one thread sends, and the reasons that were counted. */
struct traffic {
	enum weir_program prog;
	uint32_t device, from_device;
	struct oracle_query query;
	atomic_bool stop;
	uint64_t sent, by_reason[_WEIR_REASON_MAX];
	int error;
};

static int send_one(struct traffic *t, const struct testrun_packet *packet)
{
	struct __sk_buff ctx = { .ifindex = t->device, .ingress_ifindex = t->from_device };
	unsigned char out[512];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet->bytes, .data_size_in = packet->len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	return bpf_prog_test_run_opts(node_prog_fd(node, t->prog), &run) ? -errno : 0;
}

static void read_counters(uint64_t *ret_counts)
{
	int cpus = libbpf_num_possible_cpus();
	struct weir_counter *c = mem_zalloc(cpus * sizeof(*c));

	for (uint32_t reason = 0; reason < _WEIR_REASON_MAX; reason++) {
		ret_counts[reason] = 0;
		if (bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_counters), &reason, c))
			continue;
		for (int i = 0; i < cpus; i++)
			ret_counts[reason] += c[i].packets;
	}
	free(c);
}

static void *send_all(void *arg)
{
	struct traffic *t = arg;
	struct testrun_packet packet;
	cpu_set_t second_cpu;

	CPU_ZERO(&second_cpu);
	CPU_SET(1, &second_cpu);
	sched_setaffinity(0, sizeof(second_cpu), &second_cpu);
	while (!t->stop && !t->error) {
		testrun_packet_make(&packet, &t->query, 1024 + t->sent % 60000);
		testrun_packet_from(&packet,
				    (const uint8_t[]){ 2, 0, 0, 0, 0, t->device - FIRST_DEVICE });
		t->error = send_one(t, &packet);
		t->sent++;
	}
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Applies a and b in turn while the traffic runs; fills t->by_reason. */
static void run_between(struct side *a, struct side *b, struct traffic *t)
{
	uint64_t before[_WEIR_REASON_MAX], after[_WEIR_REASON_MAX], end;
	unsigned int applies = 0;
	pthread_t thread;

	apply(a);
	read_counters(before);
	assert_int_equal(pthread_create(&thread, NULL, send_all, t), 0);
	for (end = now_ms() + RUN_MS; now_ms() < end; applies++)
		assert_true(apply(applies % 2 ? a : b) > 0);
	t->stop = true;
	pthread_join(thread, NULL);
	read_counters(after);
	for (int i = 0; i < _WEIR_REASON_MAX; i++)
		t->by_reason[i] = after[i] - before[i];
	print_message("# %u applies, %llu packets\n", applies, (unsigned long long)t->sent);
	assert_int_equal(t->error, 0);
	assert_true(applies >= 4 && t->sent > 1000);
}

static void assert_all(const struct traffic *t, enum weir_reason want)
{
	static const char *const labels[] = {
#define LABEL(name, kind, label, text) [WEIR_##name] = label,
		WEIR_REASONS(LABEL)
#undef LABEL
	};

	for (int i = 0; i < _WEIR_REASON_MAX; i++)
		if (i != (int)want && t->by_reason[i])
			print_message("# %llu packets counted as %s\n",
				      (unsigned long long)t->by_reason[i], labels[i]);
	assert_int_equal(t->by_reason[want], t->sent);
}

/* A UDP packet of pod `from` to an address, at its own device. */
static struct traffic traffic_from(int from, const char *dst, uint16_t port)
{
	struct traffic t = { .prog = WEIR_PROGRAM_from_pod,
			     .device = FIRST_DEVICE + from,
			     .from_device = FIRST_DEVICE + from,
			     .query = { .proto = IPPROTO_UDP, .port = port } };

	assert_int_equal(addr_parse(dst, &t.query.dst), 0);
	addr_parse(addr_family(&t.query.dst) ? "fd00:10:244::1" : "10.244.0.1", &t.query.src);
	t.query.src.b[15] = from + 1;
	return t;
}

/* ---- Cases ---- */

/* The labels of p0 and p1 are exchanged, and so is the label that the policy on p2 allows. */
static void exchange_labels_and_policy(struct side *a, struct side *b)
{
	static const char *const before[PODS] = { "app: white", "app: black", "app: server",
						  "app: white", "app: black", "app: other" };
	static const char *const after[PODS] = { "app: black", "app: white", "app: server",
						 "app: black", "app: white", "app: other" };
	FILE *f = open_memstream(&a->text, &a->size);

	put_pods(f, before);
	put_policy(
		f, "only",
		"podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: "
		"{app: white}}}]}]");
	fclose(f);
	f = open_memstream(&b->text, &b->size);
	put_pods(f, after);
	put_policy(
		f, "only",
		"podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: "
		"{app: black}}}]}]");
	fclose(f);
}

static void run_case(void (*make)(struct side *, struct side *), struct traffic t,
		     enum weir_reason want)
{
	struct side a = {}, b = {};

	make(&a, &b);
	side_compile(&a);
	side_compile(&b);
	run_between(&a, &b, &t);
	side_free(&a);
	side_free(&b);
	assert_all(&t, want);
}

static void np_52_labels_and_policy_change_together_without_a_false_denial(void **state)
{
	if (cannot)
		skip();
	run_case(exchange_labels_and_policy, traffic_from(0, "10.244.0.3", 80), WEIR_FORWARDED);
	run_case(exchange_labels_and_policy, traffic_from(0, "fd00:10:244::3", 80), WEIR_FORWARDED);
}

static void np_52_labels_and_policy_change_together_without_a_false_pass(void **state)
{
	if (cannot)
		skip();
	run_case(exchange_labels_and_policy, traffic_from(1, "10.244.0.3", 80),
		 WEIR_INGRESS_DENIED);
	run_case(exchange_labels_and_policy, traffic_from(1, "fd00:10:244::3", 80),
		 WEIR_INGRESS_DENIED);
}

/*
 * One plan allows the clients of p2 by one label, the other by two labels, one of them with a port:
 * the identity of p0 and p1 splits.
 */
static void split_and_merge(struct side *a, struct side *b)
{
	static const char *const labels[PODS] = { "app: white, tier: one",
						  "app: white, tier: two",
						  "app: server",
						  "app: white",
						  "app: black",
						  "app: other" };
	FILE *f = open_memstream(&a->text, &a->size);

	put_pods(f, labels);
	put_policy(
		f, "any-x",
		"podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: "
		"{app: white}}}]}]");
	fclose(f);
	f = open_memstream(&b->text, &b->size);
	put_pods(f, labels);
	put_policy(
		f, "one",
		"podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: "
		"{tier: one}}}]}]");
	put_policy(
		f, "two",
		"podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {matchLabels: "
		"{tier: two}}}], ports: [{protocol: UDP, port: 80}]}]");
	fclose(f);
}

static void np_52_an_identity_splits_and_merges_without_a_wrong_verdict(void **state)
{
	if (cannot)
		skip();
	run_case(split_and_merge, traffic_from(0, "10.244.0.3", 80), WEIR_FORWARDED);
	run_case(split_and_merge, traffic_from(1, "10.244.0.3", 80), WEIR_FORWARDED);
	run_case(split_and_merge, traffic_from(4, "10.244.0.3", 80), WEIR_INGRESS_DENIED);
}

/*
 * The block that p1 may reach shrinks to a part that still contains the destination, beside an
 * exception.
 */
static void split_blocks(struct side *a, struct side *b)
{
	static const char *const labels[PODS] = { "app: white", "app: black", "app: server",
						  "app: white", "app: black", "app: other" };
	FILE *f = open_memstream(&a->text, &a->size);

	put_pods(f, labels);
	put_policy(
		f, "out",
		"podSelector: {matchLabels: {app: black}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "
		"203.0.113.0/24, except: [203.0.113.128/25]}}]}]");
	fclose(f);
	f = open_memstream(&b->text, &b->size);
	put_pods(f, labels);
	put_policy(
		f, "out",
		"podSelector: {matchLabels: {app: black}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "
		"203.0.113.8/29, except: [203.0.113.12/32]}}, {ipBlock: {cidr: 203.0.113.9/32}}]}]");
	fclose(f);
}

static void np_52_blocks_split_and_merge_without_a_wrong_verdict(void **state)
{
	if (cannot)
		skip();
	run_case(split_blocks, traffic_from(1, "203.0.113.9", 53), WEIR_FORWARDED);
	run_case(split_blocks, traffic_from(1, "203.0.113.200", 53), WEIR_EGRESS_DENIED);
	run_case(split_blocks, traffic_from(1, "198.51.100.1", 53), WEIR_EGRESS_DENIED);
}

static void exchange_endpoints(struct side *a, struct side *b)
{
	static const char *const labels[PODS] = { "app: white", "app: white", "app: one",
						  "app: one",   "app: two",   "app: two" };
	FILE *f = open_memstream(&a->text, &a->size);

	put_pods(f, labels);
	put_service(f, "app: one");
	fclose(f);
	f = open_memstream(&b->text, &b->size);
	put_pods(f, labels);
	put_service(f, "app: two");
	fclose(f);
}

static void svc_113_endpoints_are_exchanged_and_every_packet_finds_one(void **state)
{
	if (cannot)
		skip();
	run_case(exchange_endpoints, traffic_from(0, "10.96.0.1", 80), WEIR_FORWARDED);
	run_case(exchange_endpoints, traffic_from(0, "fd00:10:96::1", 80), WEIR_FORWARDED);
}

/* ---- Fixture ---- */

static void make_devices(void)
{
	char cmd[128];

	for (int i = 0; i < PODS; i += 2) {
		snprintf(cmd, sizeof(cmd),
			 "ip link add v%d index %d type veth peer name v%d index %d", i,
			 FIRST_DEVICE + i, i + 1, FIRST_DEVICE + i + 1);
		assert_int_equal(system(cmd), 0);
	}
}

static int set_up(void **state)
{
	struct node_setup sizes = { .max = {
					    [WEIR_MAP_conntrack] = 16384,
					    [WEIR_MAP_gc_slots] = 16384,
					    [WEIR_MAP_gc_free] = 16384,
				    } };
	struct weir_err err = {};

	if (geteuid()) {
		cannot = "needs root: BPF programs";
		return 0;
	}
	if (unshare(CLONE_NEWNET)) {
		cannot = "cannot make a network namespace";
		return 0;
	}
	make_devices();
	if (node_open(NULL, NODE_PRIVATE, &sizes, &node, &err)) {
		print_message("# %s\n", err.text);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	node_close(&node);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(np_52_labels_and_policy_change_together_without_a_false_denial),
		cmocka_unit_test(np_52_labels_and_policy_change_together_without_a_false_pass),
		cmocka_unit_test(np_52_an_identity_splits_and_merges_without_a_wrong_verdict),
		cmocka_unit_test(np_52_blocks_split_and_merge_without_a_wrong_verdict),
		cmocka_unit_test(svc_113_endpoints_are_exchanged_and_every_packet_finds_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
