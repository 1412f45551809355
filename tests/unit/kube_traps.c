// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Traps: manifests whose meaning is often mistaken, numbered. Here is what reading decides;
 * compile_policy.c and compile_service.c have the verdicts.
 */
#include "kube_test.h"

#define POLICY(spec)                                                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n" \
	"  namespace: shop\nspec:\n" spec

static const struct kube_policy *policy_of(struct store *s)
{
	assert_diags(s, "");
	assert_int_equal(s->n_policies, 1);
	return s->policies[0];
}

static void trap_1_np_20_one_item_with_two_selectors_is_not_two_items(void **state)
{
	with_store *both = read_text(POLICY("  podSelector: {matchLabels: {app: orders}}\n"
					    "  ingress:\n"
					    "  - from:\n"
					    "    - namespaceSelector:\n"
					    "        matchLabels: {team: checkout}\n"
					    "      podSelector:\n"
					    "        matchLabels: {role: worker}\n"));
	with_store *either = read_text(POLICY("  podSelector: {matchLabels: {app: orders}}\n"
					      "  ingress:\n"
					      "  - from:\n"
					      "    - namespaceSelector:\n"
					      "        matchLabels: {team: checkout}\n"
					      "    - podSelector:\n"
					      "        matchLabels: {role: worker}\n"));
	const struct kube_policy_rule *and = policy_of(both)->rules[KUBE_INGRESS];
	const struct kube_policy_rule * or = policy_of(either)->rules[KUBE_INGRESS];

	assert_int_equal(and->n_peers, 1);
	assert_true(and->peers[0].pods && and->peers[0].namespaces);
	assert_int_equal(or->n_peers, 2);
	assert_true(! or->peers[0].pods && or->peers[0].namespaces);
	assert_true(or->peers[1].pods && ! or->peers[1].namespaces);
}

static void trap_2_np_12_an_empty_to_means_anywhere(void **state)
{
	with_store *s = read_text(POLICY("  podSelector: {}\n"
					 "  policyTypes: [Egress]\n"
					 "  egress:\n"
					 "  - to: []\n"
					 "    ports:\n"
					 "    - protocol: UDP\n"
					 "      port: 53\n"));
	const struct kube_policy_rule *rule = policy_of(s)->rules[KUBE_EGRESS];

	assert_int_equal(rule->n_peers, 0);
	assert_true(rule->n_ports == 1 && rule->ports[0].proto == 17 && rule->ports[0].low == 53);
}

static void trap_3_an_empty_egress_rule_isolates_ingress_unless_types_are_given(void **state)
{
	with_store *bare = read_text(POLICY("  podSelector: {}\n  egress:\n  - {}\n"));
	with_store *typed = read_text(
		POLICY("  podSelector: {}\n  policyTypes:\n  - Egress\n  egress:\n  - {}\n"));

	assert_true(policy_of(bare)->isolates[KUBE_INGRESS] &&
		    policy_of(bare)->isolates[KUBE_EGRESS]);
	assert_true(!policy_of(typed)->isolates[KUBE_INGRESS] &&
		    policy_of(typed)->isolates[KUBE_EGRESS]);
}

static void trap_4_np_8_rules_of_another_direction_do_not_isolate(void **state)
{
	with_store *s = read_text(
		POLICY("  podSelector: {}\n  policyTypes:\n  - Egress\n  ingress:\n  - {}\n"));

	assert_true(!policy_of(s)->isolates[KUBE_INGRESS] &&
		    policy_of(s)->n_rules[KUBE_INGRESS] == 1);
	assert_int_equal(policy_of(s)->n_rules[KUBE_EGRESS], 0);
}

static void trap_5_an_empty_peer_is_refused_and_an_empty_rule_is_not(void **state)
{
	with_store *peer = read_text(POLICY("  ingress:\n  - from:\n    - {}\n"));
	with_store *rule = read_text(POLICY("  ingress:\n  - {}\n"));

	assert_int_equal(peer->diags.errors, 1);
	assert_string_equal(peer->diags.items[0].code, "E031");
	assert_int_equal(policy_of(rule)->rules[KUBE_INGRESS][0].n_peers, 0);
}

static void trap_6_np_7_without_types_only_ingress_is_isolated(void **state)
{
	with_store *s = read_text(
		POLICY("  podSelector:\n    matchLabels: {app: store}\n"
		       "  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: till}}\n"));

	assert_true(policy_of(s)->isolates[KUBE_INGRESS] && !policy_of(s)->isolates[KUBE_EGRESS]);
}

static void trap_7_np_22_a_namespace_has_no_label_called_name(void **state)
{
	with_store *s = read_with_defaults(
		POLICY("  ingress:\n  - from:\n    - namespaceSelector: {matchLabels: {name: shop}}\n"
		       "    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n"),
		0);
	const struct kube_peer *peers = policy_of(s)->rules[KUBE_INGRESS][0].peers;
	const struct kube_labels *labels = &store_namespace(s, "shop")->meta.labels;

	assert_false(kube_selector_matches(peers[0].namespaces, labels));
	assert_true(kube_selector_matches(peers[1].namespaces, labels));
}

static void trap_8_np_23_not_in_matches_where_the_key_is_absent(void **state)
{
	with_store *s = read_with_defaults(
		POLICY("  ingress:\n  - from:\n    - namespaceSelector:\n        matchExpressions:\n"
		       "        - {key: stage, operator: NotIn, values: [test, trial]}\n"),
		0);
	const struct kube_peer *peer = policy_of(s)->rules[KUBE_INGRESS][0].peers;

	assert_true(
		kube_selector_matches(peer->namespaces, &store_namespace(s, "shop")->meta.labels));
}

static void trap_9_10_a_port_has_one_protocol_by_default_tcp(void **state)
{
	with_store *s = read_text(POLICY(
		"  policyTypes: [Egress]\n  egress:\n  - ports:\n    - {port: 53, protocol: UDP}\n"
		"  - ports:\n    - {port: 443}\n"));
	const struct kube_policy_rule *rules = policy_of(s)->rules[KUBE_EGRESS];

	assert_true(rules[0].n_ports == 1 && rules[0].ports[0].proto == 17);
	assert_int_equal(rules[1].ports[0].proto, 6);
}

static void trap_11_np_29_an_ipv4_block_holds_no_ipv6_address(void **state)
{
	with_store *s = read_text(POLICY(
		"  policyTypes: [Egress]\n  egress:\n  - to:\n    - ipBlock:\n"
		"        cidr: 0.0.0.0/0\n        except:\n        - 10.0.0.0/8\n        - 172.16.0.0/12\n"));
	const struct kube_peer *peer = policy_of(s)->rules[KUBE_EGRESS][0].peers;
	struct weir_addr v4, v6;

	addr_parse("203.0.113.5", &v4);
	addr_parse("2001:db8::5", &v6);
	assert_true(cidr_holds(&peer->block, &v4));
	assert_false(cidr_holds(&peer->block, &v6));
	assert_int_equal(peer->n_except, 2);
}

static void trap_12_an_external_name_and_a_cluster_ip_of_one_name_are_duplicates(void **state)
{
	with_store *s =
		read_with_defaults("apiVersion: v1\nkind: Service\nmetadata: {name: users}\n"
				   "spec: {type: ExternalName, externalName: users.example.net}\n"
				   "---\napiVersion: v1\nkind: Service\nmetadata: {name: users}\n"
				   "spec: {selector: {app: users}, ports: [{port: 80}]}\n",
				   STORE_ASSIGN);

	assert_int_equal(s->n_services, 1);
	assert_int_equal(s->services[0]->type, KUBE_EXTERNAL_NAME);
	assert_int_equal(s->diags.errors, 1);
}

static void trap_14_parse_3_port_target_port_and_node_port_are_separate(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec:\n  type: NodePort\n  ports:\n"
		"  - {port: 80, targetPort: 8000, nodePort: 30080}\n");
	const struct kube_service_port *p = s->services[0]->ports;

	assert_diags(s, "");
	assert_true(p->port == 80 && p->target_port == 8000 && p->node_port == 30080);
}

static void trap_16_an_invalid_object_does_not_stop_the_others(void **state)
{
	with_store *s = read_with_defaults(
		"apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  labels: {app: a}\n"
		"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n"
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port: 80}]}\n"
		"---\napiVersion: v1\nkind: Pod\n"
		"---\n- client\n- server\n"
		"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n",
		STORE_ASSIGN);

	assert_int_equal(s->n_services, 1);
	assert_non_null(store_namespace(s, "c"));
	assert_true(s->diags.errors >= 3);
}

/* Shortened examples, which no API server accepts. */
static void workloads_that_do_not_select_their_own_pods_are_refused(void **state)
{
	assert_found(
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: site}\nspec:\n  replicas: 3\n"
		"  template:\n    spec:\n      containers:\n      - name: web\n",
		"f.yaml:5:3: error E021: Deployment default/site: spec.selector: required: labels of the template, for example matchLabels: {app: web}\n");
	assert_found(
		"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: cache, namespace: system}\nspec:\n"
		"  selector:\n    matchLabels:\n      app: cache\n"
		"  template:\n    spec:\n      containers:\n      - name: cache\n",
		"f.yaml:6:5: error E027: DaemonSet system/cache: spec.selector: does not match the labels of the template, which has no app\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_1_np_20_one_item_with_two_selectors_is_not_two_items),
		cmocka_unit_test(trap_2_np_12_an_empty_to_means_anywhere),
		cmocka_unit_test(
			trap_3_an_empty_egress_rule_isolates_ingress_unless_types_are_given),
		cmocka_unit_test(trap_4_np_8_rules_of_another_direction_do_not_isolate),
		cmocka_unit_test(trap_5_an_empty_peer_is_refused_and_an_empty_rule_is_not),
		cmocka_unit_test(trap_6_np_7_without_types_only_ingress_is_isolated),
		cmocka_unit_test(trap_7_np_22_a_namespace_has_no_label_called_name),
		cmocka_unit_test(trap_8_np_23_not_in_matches_where_the_key_is_absent),
		cmocka_unit_test(trap_9_10_a_port_has_one_protocol_by_default_tcp),
		cmocka_unit_test(trap_11_np_29_an_ipv4_block_holds_no_ipv6_address),
		cmocka_unit_test(
			trap_12_an_external_name_and_a_cluster_ip_of_one_name_are_duplicates),
		cmocka_unit_test(trap_14_parse_3_port_target_port_and_node_port_are_separate),
		cmocka_unit_test(trap_16_an_invalid_object_does_not_stop_the_others),
		cmocka_unit_test(workloads_that_do_not_select_their_own_pods_are_refused),
	};

	return run_group("kube_traps", tests, ARRAY_SIZE(tests));
}
