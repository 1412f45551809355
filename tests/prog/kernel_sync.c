// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An apply writes only what differs: exact counts by table, ids that stay, generations that rise,
 * tables equal to those of a fresh load.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "sync/barrier.h"
#include "lib/kernel_env.h"
#include "lib/tables_text.h"

#define OTHER_SERVICE                                                                                           \
	"apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {clusterIP: 10.96.0.2, selector: {app: " \
	"other}, ports: [{port: 80}]}\n"

#define OTHER_POLICY                                                                                                \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: other}\nspec: {podSelector: "      \
	"{matchLabels: {app: other}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: " \
	"9000}]}]}\n"

static struct node *node;

static int setup(void **state)
{
	node = kernel_node(NULL, NODE_PRIVATE);
	return 0;
}

static int teardown(void **state)
{
	node_close(&node);
	return 0;
}

static struct sync_delta load(const char *const *labels, const char *a, const char *b,
			      const char *c, const char *d)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(labels, a, b, c, d, NULL);

	return kernel_apply(node, p);
}

/* The tables equal those of a fresh instance with the same plan. */
static void assert_as_fresh(const char *const *labels, const char *a, const char *b, const char *c,
			    const char *d)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(labels, a, b, c, d, NULL);
	_cleanup_(node_close) struct node *fresh = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *want = NULL, *got = tables_text(node);

	kernel_apply(fresh, p);
	want = tables_text(fresh);
	assert_string_equal(got, want);
	assert_null(strstr(got, "unnamed"));
}

static void load_and_load_again_writes_nothing(void **state)
{
	_cleanup_(mem_free) char *before = NULL, *after = NULL;
	struct sync_delta d = load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);

	assert_int_not_equal(sync_delta_writes(&d), 0);
	assert_int_equal(d.generation, 1);
	assert_int_equal(d.inserted[WEIR_MAP_pods], 3);
	assert_int_equal(d.inserted[WEIR_MAP_endpoints], 6);
	before = tables_bytes(node);
	d = load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	assert_delta(&d, "");
	assert_int_equal(sync_delta_writes(&d), 0);
	assert_int_equal(d.generation, 1);
	after = tables_bytes(node);
	assert_string_equal(before, after);
	assert_non_null(strstr(before, "backend"));
	assert_null(strstr(before, "unnamed"));
}

static void a_new_service_writes_only_its_own_elements(void **state)
{
	struct sync_delta d;

	load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	d = load(kernel_labels, kernel_service, kernel_policy, OTHER_SERVICE, NULL);
	/* two frontends: the port, and the cluster IP itself; one name: the service */
	assert_delta(
		&d, "frontends +2 services +1 backend_slots +1 backends +1 names +1 service-epoch");
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, OTHER_SERVICE, NULL);
	d = load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	assert_delta(
		&d, "frontends -2 services -1 backend_slots -1 backends -1 names -1 service-epoch");
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
}

#define BALANCED(spec, status)                                                                \
	"apiVersion: v1\nkind: Service\nmetadata: {name: balanced, namespace: default}\n"     \
	"spec: {clusterIP: 10.96.0.77, " spec "}\nstatus: {" status "}\n---\n"                \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: balanced-1, " \
	"namespace: default, labels: {kubernetes.io/service-name: balanced}}\n"               \
	"addressType: IPv4\nports: [{name: '', port: 8080}]\nendpoints: [{addresses: "        \
	"[10.244.0.9], nodeName: n1}, {addresses: [10.244.1.9], nodeName: n2}]\n"
#define INGRESS "loadBalancer: {ingress: [{ip: 203.0.113.1}]}"
#define NODE_PORT "ports: [{port: 80, nodePort: 30080}]"

static void svc_8_svc_54_types_and_ranges_change_without_leftovers(void **state)
{
	static const char *const steps[] = {
		BALANCED("ports: [{port: 80}]", ""),
		BALANCED("type: LoadBalancer, " NODE_PORT
			 ", loadBalancerSourceRanges: [192.0.2.0/24, 192.0.3.0/24]",
			 INGRESS),
		BALANCED("type: LoadBalancer, " NODE_PORT ", externalTrafficPolicy: Local"
			 ", loadBalancerSourceRanges: [192.0.3.0/24]",
			 INGRESS),
		BALANCED("type: LoadBalancer, " NODE_PORT ", internalTrafficPolicy: Local"
			 ", sessionAffinity: ClientIP",
			 INGRESS),
		BALANCED("type: NodePort, " NODE_PORT ", externalIPs: [203.0.113.1]", ""),
		BALANCED("ports: [{port: 80}]", ""),
	};
	/*
	 * each list that no extent has is written, Maglev tables (127) for external frontends;
	 * with affinity, backends say which lists have them
	 */
	static const char *const deltas[] = {
		"frontends +2 services +1 backend_slots +2 backends +2 names +1 service-epoch",
		"frontends +2 source_ranges +2 services ~1 backend_slots +127 service-epoch",
		"source_ranges -1 services ~1 backend_slots +1",
		("frontends ~1 source_ranges -1 services ~1 backend_slots -2 backends ~2 "
		 "service-epoch"),
		"services ~1 backend_slots +2 backend_slots -1 backends ~2",
		"frontends -2 services ~1 backend_slots -127 service-epoch",
	};

	load(kernel_labels, kernel_policy, NULL, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct sync_delta d = load(kernel_labels, kernel_policy, steps[i], NULL, NULL);

		assert_delta(&d, deltas[i]);
		assert_as_fresh(kernel_labels, kernel_policy, steps[i], NULL, NULL);
	}
}

static void a_new_policy_writes_only_its_own_elements(void **state)
{
	struct sync_delta d;

	load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	d = load(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
	/*
	 * pod c is isolated; pod a becomes a peer, so its two addresses and its slot get an
	 * identity; names: rule, set, port set, identity
	 */
	assert_delta(
		&d,
		"pods ~2 identities +2 policy_sets +1 policy_rules +1 port_ranges +1 names +4 policy-epoch");
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
	d = load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	assert_delta(
		&d,
		"pods ~2 identities -2 policy_sets -1 policy_rules -1 port_ranges -1 names -4 policy-epoch");
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
}

static void svc_90_a_changed_endpoint_writes_only_its_own_elements(void **state)
{
	static const char *const two[] = { "app: web", "app: client", "app: web", "app: client" };
	static const char *const three[] = { "app: web", "app: client", "app: web", "app: web" };
	struct sync_delta d;

	load(two, kernel_service, NULL, NULL, NULL);
	d = load(three, kernel_service, NULL, NULL, NULL);
	/*
	 * four service ports (two, each family) get an extent of three for one of two, and a
	 * backend each
	 */
	assert_delta(&d, "services ~4 backend_slots +12 backend_slots -8 backends +4");
	d = load(two, kernel_service, NULL, NULL, NULL);
	assert_delta(&d,
		     "services ~4 backend_slots +8 backend_slots -12 backends -4 service-epoch");
	assert_as_fresh(two, kernel_service, NULL, NULL, NULL);
}

static uint32_t generations(uint32_t *ret_max)
{
	const struct weir_backend *b = node_array(node, WEIR_MAP_backends);
	uint32_t serving = 0;

	*ret_max = 0;
	for (uint32_t i = 1; i < node_map_max(node, WEIR_MAP_backends); i++) {
		serving += b[i].flags & WEIR_BACKEND_SERVING;
		if (b[i].generation > *ret_max)
			*ret_max = b[i].generation;
	}
	return serving;
}

static void svc_91_a_backend_that_comes_back_never_has_a_used_generation(void **state)
{
	uint32_t before, gone, back;

	load(kernel_labels, kernel_service, NULL, NULL, NULL);
	assert_int_equal(generations(&before), 4);
	load(kernel_labels, NULL, NULL, NULL, NULL);
	assert_int_equal(generations(&gone), 0);
	assert_true(gone > before);
	load(kernel_labels, kernel_service, NULL, NULL, NULL);
	assert_int_equal(generations(&back), 4);
	assert_true(back > gone);
}

static void svc_91_a_service_without_endpoints_keeps_its_frontends(void **state)
{
	static const char *const none[] = { "app: none", "app: client", "app: other",
					    "app: client" };
	struct sync_delta d;

	load(kernel_labels, kernel_service, NULL, NULL, NULL);
	d = load(none, kernel_service, NULL, NULL, NULL);
	assert_delta(&d, "services ~4 backend_slots -4 backends -4 service-epoch");
	d = load(kernel_labels, kernel_service, NULL, NULL, NULL);
	assert_delta(&d, "services ~4 backend_slots +4 backends +4");
}

/* It was ready and so chosen (SVC-28): flows may use it. */
static void svc_91_flows_leave_an_endpoint_that_was_ready_and_did_not_serve(void **state)
{
#define SLICE_OF(endpoints)                                                                                    \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: 10.96.0.2, ports: [{port: 53, " \
	"protocol: UDP}]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, "  \
	"labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nports: [{port: 53, protocol: UDP}]\n"    \
	"endpoints: [" endpoints "]\n"
	struct sync_delta d;

	load(kernel_labels,
	     SLICE_OF("{addresses: [10.0.0.1], conditions: {ready: true, serving: false}}"), NULL,
	     NULL, NULL);
	d = load(kernel_labels, SLICE_OF(""), NULL, NULL, NULL);
	assert_delta(&d, "services ~1 backend_slots -1 backends -1 service-epoch");
}

static void a_frontend_that_changes_its_service_is_overwritten(void **state)
{
	static const char renamed[] =
		"apiVersion: v1\nkind: Service\nmetadata: {name: moved}\nspec: {clusterIP: "
		"10.96.0.2, selector: {app: other}, ports: [{port: 80}]}\n";
	struct sync_delta d;

	load(kernel_labels, OTHER_SERVICE, NULL, NULL, NULL);
	d = load(kernel_labels, renamed, NULL, NULL, NULL);
	assert_int_equal(d.changed[WEIR_MAP_frontends], 1);
	assert_int_equal(d.inserted[WEIR_MAP_frontends] + d.deleted[WEIR_MAP_frontends], 0);
	assert_as_fresh(kernel_labels, renamed, NULL, NULL, NULL);
}

/* Open flows must be judged again: one of them may be a tunnel now. */
static void np_42_the_nodes_overlay_ports_are_written(void **state)
{
	_cleanup_(plan_free) struct plan *p =
		kernel_plan(kernel_labels, kernel_service, kernel_policy, NULL);
	struct sync_delta d;

	kernel_apply(node, p);
	p->overlay_ports[4789 / 64] |= 1ull << 4789 % 64;
	d = kernel_apply(node, p);
	assert_delta(&d, "policy-epoch");
	assert_true(weir_is_overlay_port(node_config(node), 4789));
	assert_false(weir_is_overlay_port(node_config(node), 4790));
	d = kernel_apply(node, p);
	assert_int_equal(sync_delta_writes(&d), 0);
	p->overlay_ports[4789 / 64] = 0;
	d = kernel_apply(node, p);
	assert_delta(&d, "policy-epoch");
	assert_false(weir_is_overlay_port(node_config(node), 4789));
}

static uint32_t ref_of(const char *name, const struct plan *p, uint32_t *ret_slot)
{
	const struct weir_pod *pods = node_array(node, WEIR_MAP_pods);
	uint32_t device = 100 + *name - 'a';
	struct weir_attachment a;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_attachments), &device, &a),
			 0);
	*ret_slot = a.slot;
	return pods[*ret_slot].ref;
}

static void the_opt_outs_of_a_record_are_in_the_pods_word(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	const struct weir_pod *pods = node_array(node, WEIR_MAP_pods);
	struct sync_delta d;
	uint32_t slot;

	assert_int_equal(sync_apply(node, p, &l, SYNC_NO_DEVICES, &d, NULL), 0);
	l.items[0].any_sender = true;
	l.items[1].tunnels = true;
	assert_int_equal(sync_apply(node, p, &l, SYNC_NO_DEVICES, &d, NULL), 0);
	assert_delta(&d, "pods ~2 policy-epoch");
	ref_of(l.items[0].name, p, &slot);
	assert_int_equal(weir_pod_flags(pods[slot].word), WEIR_POD_ANY_SENDER);
	ref_of(l.items[1].name, p, &slot);
	assert_int_equal(weir_pod_flags(pods[slot].word), WEIR_POD_TUNNELS);
	ref_of(l.items[2].name, p, &slot);
	assert_int_equal(weir_pod_flags(pods[slot].word), 0);
}

static void a_pod_that_comes_back_has_another_ref(void **state)
{
	static const char *const without[] = { NULL, "app: client", "app: other", "app: client" };
	uint32_t slot, before, after;
	struct sync_delta d;

	load(kernel_labels, NULL, NULL, NULL, NULL);
	before = ref_of("a", NULL, &slot);
	assert_int_equal(weir_ref_slot(before), slot);
	assert_int_not_equal(slot, 0);
	d = load(without, NULL, NULL, NULL, NULL);
	assert_delta(&d, "attachments -1 pods -1 endpoints -2 names -1 policy-epoch");
	assert_int_equal(((struct weir_pod *)node_array(node, WEIR_MAP_pods))[slot].ref, 0);
	load(kernel_labels, NULL, NULL, NULL, NULL);
	after = ref_of("a", NULL, &slot);
	assert_int_not_equal(before, after);
	assert_as_fresh(kernel_labels, NULL, NULL, NULL, NULL);
}

static struct sync_delta apply_records(const struct plan *p, const struct attachment_list *l)
{
	struct sync_delta d = {};
	struct weir_err err = {};

	if (sync_apply(node, p, l, SYNC_NO_DEVICES, &d, &err))
		fail_msg("%s", err.text);
	return d;
}

static void a_pod_at_another_device_gets_another_slot(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d;

	apply_records(p, &l);
	l.items[0].ifindex = 200;
	d = apply_records(p, &l);
	assert_delta(
		&d,
		"attachments +1 attachments -1 pods +1 pods -1 endpoints ~2 names +1 names -1 policy-epoch");
	d = apply_records(p, &l);
	assert_delta(&d, "");
}

static void np_53_a_recorded_pod_that_the_plan_lacks_is_gated(void **state)
{
	static const char *const without[] = { NULL, "app: client", "app: other", "app: client" };
	_cleanup_(plan_free) struct plan *all = kernel_plan(kernel_labels, NULL);
	_cleanup_(plan_free) struct plan *less = kernel_plan(without, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(all);
	const struct weir_pod *pods = node_array(node, WEIR_MAP_pods);
	uint32_t slot;
	struct sync_delta d = apply_records(less, &l);

	assert_int_equal(d.gated, 1);
	ref_of("a", NULL, &slot);
	assert_int_equal(weir_pod_flags(pods[slot].word), WEIR_POD_GATE);
	d = apply_records(all, &l);
	assert_int_equal(d.gated, 0);
	assert_delta(&d, "pods ~1 policy-epoch");
	assert_int_equal(weir_pod_flags(pods[slot].word), 0);
}

static void np_53_a_record_of_an_earlier_pod_of_that_name_is_gated(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d;

	l.items[0].uid = "another";
	d = apply_records(p, &l);
	assert_int_equal(d.gated, 1);
	assert_int_equal(d.unplugged, 1);
}

static void a_pod_without_a_record_is_skipped(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct attachment_list none = {};
	struct sync_delta d = apply_records(p, &none);

	assert_int_equal(d.unplugged, 3);
	assert_int_equal(d.inserted[WEIR_MAP_pods], 0);
	assert_int_not_equal(d.inserted[WEIR_MAP_identities], 0);
}

static void a_dry_run_reports_the_delta_and_writes_nothing(void **state)
{
	_cleanup_(plan_free) struct plan *p =
		kernel_plan(kernel_labels, kernel_service, kernel_policy, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	_cleanup_(mem_free) char *before = tables_bytes(node), *after = NULL;
	struct sync_delta dry = {}, d;
	struct weir_err err = {};

	assert_int_equal(sync_apply(node, p, &l, SYNC_NO_DEVICES | SYNC_DRY_RUN, &dry, &err), 0);
	after = tables_bytes(node);
	assert_string_equal(before, after);
	d = apply_records(p, &l);
	dry.generation = d.generation;
	assert_memory_equal(&dry, &d, sizeof(d));
}

static void a_pending_epoch_is_raised(void **state)
{
	struct weir_config *c = node_config(node);
	uint32_t policy, service;
	struct sync_delta d;

	load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	policy = c->policy_epoch;
	service = c->service_epoch;
	c->pending = WEIR_PENDING_POLICY |
		     WEIR_PENDING_SERVICE; /* as after a kill between the writes and the epochs */
	d = load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	assert_delta(&d, "policy-epoch service-epoch");
	assert_int_equal(c->policy_epoch, policy + 1);
	assert_int_equal(c->service_epoch, service + 1);
	assert_int_equal(c->pending, 0);
}

static void an_epoch_wraps_within_31_bits_and_is_never_0(void **state)
{
	struct weir_config *c = node_config(node);

	c->policy_epoch = 0x7fffffff;
	load(kernel_labels, NULL, kernel_policy, NULL, NULL);
	assert_int_equal(c->policy_epoch, 1);
}

static void np_29_the_default_of_ipv4_is_always_there(void **state)
{
	static const char all6[] =
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: six}\nspec: {podSelector: {}, "
		"ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}\n";
	struct weir_prefix v4 = { .prefix_len = 96, .addr = weir_addr_from_v4(0) };
	uint32_t identity = 77;

	load(kernel_labels, all6, NULL, NULL, NULL);
	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_networks), &v4, &identity),
			 0);
	assert_int_equal(identity, WEIR_IDENTITY_NONE);
	load(kernel_labels, NULL, NULL, NULL, NULL);
	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_networks), &v4, &identity),
			 0);
}

static bool identity_is_named(uint32_t id)
{
	_cleanup_(mem_free) char *all = tables_bytes(node), *end = mem_printf(" %u\n", id);

	for (char *l = strstr(all, "id 1 "); l; l = strstr(l + 1, "id 1 "))
		if (!strncmp(strchr(l, '\n') + 1 - strlen(end), end, strlen(end)))
			return true;
	return false;
}

static uint32_t free_identity(void)
{
	uint32_t id = 1;

	while (identity_is_named(id))
		id++;
	return id;
}

/* A packet may still use elements that a killed apply left: their ids must not be reused. */
static void an_identity_that_a_leftover_element_uses_is_not_given_out(void **state)
{
	struct weir_policy_key key = { .set = 60 };
	uint64_t allow = weir_word_verdict(WEIR_WORD_ALLOW, WEIR_NO_RULE);

	load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	key.identity = free_identity();
	assert_int_equal(bpf_map_update_elem(node_map_fd(node, WEIR_MAP_policy_rules), &key, &allow,
					     BPF_ANY),
			 0);
	load(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
	assert_false(identity_is_named(key.identity));
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
}

static void an_identity_that_a_leftover_address_has_is_not_given_out(void **state)
{
	struct weir_addr addr = weir_addr_from_v4(0x01020304);
	uint32_t id;

	load(kernel_labels, kernel_service, kernel_policy, NULL, NULL);
	id = free_identity();
	assert_int_equal(
		bpf_map_update_elem(node_map_fd(node, WEIR_MAP_identities), &addr, &id, BPF_ANY),
		0);
	load(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
	assert_false(identity_is_named(id));
	assert_as_fresh(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
}

static void an_empty_plan_empties_the_tables(void **state)
{
	static const struct plan none;
	struct attachment_list no_records = {};
	_cleanup_(mem_free) char *left = NULL;

	load(kernel_labels, kernel_service, kernel_policy, OTHER_POLICY, NULL);
	apply_records(&none, &no_records);
	left = tables_text(node);
	assert_string_equal(left, "network 0.0.0.0/96 is none\n"); /* the default of IPv4 (NP-29) */
}

static void the_barrier_works_without_membarrier_too(void **state)
{
	struct weir_err err = {};

	assert_int_equal(barrier_wait(&err), 0);
	assert_int_equal(barrier_by_map_in_map(&err), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(load_and_load_again_writes_nothing),
		TEST(a_new_service_writes_only_its_own_elements),
		TEST(a_new_policy_writes_only_its_own_elements),
		TEST(svc_90_a_changed_endpoint_writes_only_its_own_elements),
		TEST(svc_91_a_backend_that_comes_back_never_has_a_used_generation),
		TEST(svc_8_svc_54_types_and_ranges_change_without_leftovers),
		TEST(svc_91_a_service_without_endpoints_keeps_its_frontends),
		TEST(svc_91_flows_leave_an_endpoint_that_was_ready_and_did_not_serve),
		TEST(a_frontend_that_changes_its_service_is_overwritten),
		TEST(a_pod_that_comes_back_has_another_ref),
		TEST(np_42_the_nodes_overlay_ports_are_written),
		TEST(the_opt_outs_of_a_record_are_in_the_pods_word),
		TEST(a_pod_at_another_device_gets_another_slot),
		TEST(np_53_a_recorded_pod_that_the_plan_lacks_is_gated),
		TEST(np_53_a_record_of_an_earlier_pod_of_that_name_is_gated),
		TEST(a_pod_without_a_record_is_skipped),
		TEST(a_dry_run_reports_the_delta_and_writes_nothing),
		TEST(a_pending_epoch_is_raised),
		TEST(an_epoch_wraps_within_31_bits_and_is_never_0),
		TEST(np_29_the_default_of_ipv4_is_always_there),
		TEST(an_identity_that_a_leftover_element_uses_is_not_given_out),
		TEST(an_identity_that_a_leftover_address_has_is_not_given_out),
		TEST(an_empty_plan_empties_the_tables),
		TEST(the_barrier_works_without_membarrier_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
