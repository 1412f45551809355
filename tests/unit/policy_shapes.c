/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The shapes that a NetworkPolicy can have (Y1 to Y25), with their verdicts, checked against both
 * the plan and the reference evaluator: an error that both share is found too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "analyze/oracle.h"
#include "reference/reference.h"

static const char cluster[] =
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: alpha, labels: {team: a, name: dev}}\n---\n"
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: beta, labels: {team: b}}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: subject, namespace: alpha, labels: {app: web}}\n"
	"spec: {nodeName: here, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}\n"
	"status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: friend, namespace: alpha, labels: {app: db}}\n"
	"spec: {nodeName: there, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}\n"
	"status: {phase: Running, podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: stranger, namespace: beta, labels: {app: web}}\n"
	"spec: {nodeName: there, containers: [{name: c, image: i, ports: [{name: http, containerPort: 81}]}]}\n"
	"status: {phase: Running, podIPs: [{ip: 10.1.0.1}, {ip: 'fd00:1::1'}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: alpha}\n"; /* its spec follows */

/* Which peers may connect, as letters: f(riend), s(tranger), w(orld); by TCP/80 and by UDP/53. */
struct shape {
	const char *name;
	const char *spec; /* after podSelector: {}, as flow members */
	const char *in_tcp, *in_udp, *out_tcp, *out_udp;
};

static const struct shape shapes[] = {
	{ "y1_nothing_else_denies_ingress", "", "", "", "fsw", "fsw" },
	{ "y2_both_types_deny_both", "policyTypes: [Ingress, Egress]", "", "", "", "" },
	{ "y3_type_egress_leaves_ingress_open", "policyTypes: [Egress]", "fsw", "fsw", "", "" },
	{ "y4_empty_ingress_denies", "ingress: []", "", "", "fsw", "fsw" },
	{ "y5_empty_egress_without_types_denies_ingress", "egress: []", "", "", "fsw", "fsw" },
	{ "y6_empty_ingress_rule_allows_all", "ingress: [{}]", "fsw", "fsw", "fsw", "fsw" },
	{ "y7_empty_egress_rule_still_denies_ingress", "egress: [{}]", "", "", "fsw", "fsw" },
	{ "y8_empty_egress_rule_allows_all", "policyTypes: [Egress], egress: [{}]", "fsw", "fsw",
	  "fsw", "fsw" },
	{ "y9_egress_rule_outside_types_is_ignored", "policyTypes: [Ingress], egress: [{}]", "", "",
	  "fsw", "fsw" },
	{ "y10_ingress_rule_outside_types_is_ignored", "policyTypes: [Egress], ingress: [{}]",
	  "fsw", "fsw", "", "" },
	{ "y11_empty_from_is_any_peer", "ingress: [{from: []}]", "fsw", "fsw", "fsw", "fsw" },
	{ "y12_empty_pod_selector_is_own_namespace", "ingress: [{from: [{podSelector: {}}]}]", "f",
	  "f", "fsw", "fsw" },
	{ "y13_empty_namespace_selector_is_all_pods",
	  "ingress: [{from: [{namespaceSelector: {}}]}]", "fs", "fs", "fsw", "fsw" },
	{ "y14_both_empty_selectors_are_all_pods",
	  "ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]", "fs", "fs", "fsw",
	  "fsw" },
	{ "y15_two_items_are_or",
	  "ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}, {podSelector: {matchLabels: {app: db}}}]}]",
	  "fs", "fs", "fsw", "fsw" },
	{ "y16_one_item_is_and",
	  "ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: db}}}]}]",
	  "", "", "fsw", "fsw" },
	{ "y18_empty_port_is_all_tcp", "ingress: [{ports: [{}]}]", "fsw", "", "fsw", "fsw" },
	{ "y19_port_without_protocol_is_tcp", "ingress: [{ports: [{port: 53}]}]", "", "", "fsw",
	  "fsw" },
	{ "y20_empty_to_with_udp_53_is_udp_53_to_anywhere",
	  "policyTypes: [Egress], egress: [{to: [], ports: [{protocol: UDP, port: 53}]}]", "fsw",
	  "fsw", "", "fsw" },
	{ "y21_block_with_except_allows_public_addresses_only",
	  "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}],"
	  " ports: [{port: 80}]}]",
	  "fsw", "fsw", "w", "" },
	{ "y22_null_egress_denies", "policyTypes: [Egress], egress: null", "fsw", "fsw", "", "" },
	{ "y25_not_in_matches_objects_without_the_key",
	  "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: name, operator: NotIn, values: [dev]}]}}]}]",
	  "s", "s", "fsw", "fsw" },
	{ "np_32_named_port_resolves_on_the_protected_pod", "ingress: [{ports: [{port: http}]}]",
	  "fsw", "", "fsw", "fsw" },
	{ "np_32_named_port_resolves_on_each_destination",
	  "policyTypes: [Egress], egress: [{ports: [{port: http}]}]", "fsw", "fsw", "f", "" },
	{ "np_36_range_is_inclusive", "ingress: [{ports: [{port: 79, endPort: 80}]}]", "fsw", "",
	  "fsw", "fsw" },
	{ "np_27_block_matches_a_pod", "ingress: [{from: [{ipBlock: {cidr: 10.1.0.1/32}}]}]", "s",
	  "s", "fsw", "fsw" },
	{ "np_28_except_applies_to_its_own_peer_only",
	  "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {namespaceSelector: {matchLabels: "
	  "{team: b}}}]}]",
	  "fs", "fs", "fsw", "fsw" },
	{ "np_29_families_do_not_mix", "ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]", "", "",
	  "fsw", "fsw" },
};

static struct store *read_shape(const struct shape *shape)
{
	struct store *s = store_new();
	_cleanup_(mem_free) char *text = mem_printf("%sspec: {podSelector: {}%s%s}\n", cluster,
						    *shape->spec ? ", " : "", shape->spec);

	store_read_buffer(s, "shape.yaml", text, strlen(text));
	store_apply_defaults(s, 0);
	if (s->diags.errors)
		diag_print(&s->diags, stderr);
	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_policies, 1);
	return s;
}

static void check(const struct shape *shape, const struct store *s, const struct plan *p,
		  struct oracle_query q, enum kube_direction direction, bool want)
{
	struct reference_answer reference;
	struct oracle_answer oracle = {};
	const struct oracle_side *side =
		direction == KUBE_INGRESS ? &oracle.ingress : &oracle.egress;
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	reference_judge(s, "here", &q, &reference);
	oracle_judge(p, &q, &oracle);
	if (reference.sides[direction].allow != want || side->allow != want)
		print_error("%s: %s -> %s protocol %u: want %d, reference %d, plan %d\n",
			    shape->name, addr_text(&q.src, src), addr_text(&q.dst, dst), q.proto,
			    want, reference.sides[direction].allow, side->allow);
	assert_true(reference.sides[direction].judged);
	assert_true(side->judged);
	assert_int_equal(reference.sides[direction].allow, want);
	assert_int_equal(side->allow, want);
}

static struct weir_addr address(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void check_peer(const struct shape *shape, const struct store *s, const struct plan *p,
		       char letter, const char *text)
{
	struct weir_addr subject = address("10.0.0.1"), peer = address(text);
	struct oracle_query in = { .src = peer, .dst = subject },
			    out = { .src = subject, .dst = peer };

	in.proto = out.proto = IPPROTO_TCP;
	in.port = out.port = 80;
	check(shape, s, p, in, KUBE_INGRESS, strchr(shape->in_tcp, letter));
	check(shape, s, p, out, KUBE_EGRESS, strchr(shape->out_tcp, letter));
	in.proto = out.proto = IPPROTO_UDP;
	in.port = out.port = 53;
	check(shape, s, p, in, KUBE_INGRESS, strchr(shape->in_udp, letter));
	check(shape, s, p, out, KUBE_EGRESS, strchr(shape->out_udp, letter));
}

static void shape_is_judged_as_specified(void **state)
{
	const struct shape *shape = *state;
	_cleanup_(store_free) struct store *s = read_shape(shape);
	struct plan_input in = { .store = s, .node = "here" };
	_cleanup_(plan_free) struct plan *p = plan_compile(&in);

	check_peer(shape, s, p, 'f', "10.0.0.2");
	check_peer(shape, s, p, 's', "10.1.0.1");
	check_peer(shape, s, p, 'w', "203.0.113.9");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(shapes)];

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		tests[i] = (struct CMUnitTest){ .name = shapes[i].name,
						.test_func = shape_is_judged_as_specified,
						.initial_state = (void *)&shapes[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
