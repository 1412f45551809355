/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * NetworkPolicy, statement by statement, from manifests to verdicts. policy_shapes.c has the shapes
 * of a policy (Y1 to Y25); here is the rest that compiling decides, and the traps of real manifests
 * (trap_N, as in kube_traps.c).
 */
#include "compile_fixture.h"

#define POD_WITH(name, ns, labels, spec, status)                               \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns \
	", labels: {" labels "}}\nspec: {" spec "}\nstatus: {" status "}\n"
#define POD(name, ns, node, addr, labels, ports)                                              \
	POD_WITH(name, ns, labels,                                                            \
		 "nodeName: " node ", containers: [{name: c, image: i, ports: [" ports "]}]", \
		 "phase: Running, podIPs: [{ip: 10.0." addr "}, {ip: 'fd00::10.0." addr "'}]")
#define NAMESPACE(name, labels) \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {" labels "}}\n"
#define NODE(name, addr)                                           \
	"apiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n" \
	"status: {addresses: [{type: InternalIP, address: " addr "}]}\n"
#define POLICY(name, ns, spec)                                                          \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " name \
	", namespace: " ns "}\nspec: {" spec "}\n"

#define SERVICE                                                              \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: w}\n" \
	"spec: {clusterIP: 172.20.0.1, ports: [{port: 80, targetPort: 8081}], selector: {app: a}}\n"
#define HTTP(number) "{name: http, containerPort: " number "}"
#define DNS "{name: dns, containerPort: 53, protocol: UDP}"

/*
 * Namespaces x (team: x), w (team: w), z (no label of its own); pods a, b, c of x are on this node,
 * the others elsewhere, but for w/c. x/a declares http=80, x/b http=8080, w/a http=8081 and
 * dns=53/UDP.
 */
static const char *const cluster[] = {
	NAMESPACE("x", "team: x"),
	NAMESPACE("w", "team: w"),
	NAMESPACE("z", ""),
	NODE("here", "192.168.0.1"),
	NODE("there", "192.168.0.2"),
	POD("a", "x", "here", "1.1", "app: a, tier: web", HTTP("80")),
	POD("b", "x", "here", "1.2", "app: b, tier: web", HTTP("8080")),
	POD("c", "x", "here", "1.3", "app: c", ""),
	POD("a", "w", "there", "2.1", "app: a", HTTP("8081") ", " DNS),
	POD("b", "w", "there", "2.2", "app: b", ""),
	POD("c", "w", "here", "2.3", "app: c", ""),
	POD("a", "z", "there", "3.1", "app: a", ""),
	POD("b", "z", "there", "3.2", "app: b", ""),
	NULL,
};

struct row {
	const char *name;
	const char *objects[5]; /* with those of the cluster; NULL after the last */
	const char *lines; /* see check_line() */
};

static const struct row rows[] = {
	/* ---- isolation */
	{ "np_1_pod_without_policy_is_open",
	  {},
	  "w/a x/a tcp/80 yes\n8.8.8.8 x/a sctp/1 yes\nx/a 8.8.8.8 icmp/0 yes" },
	{ "np_2_ingress_policy_leaves_egress_open",
	  { POLICY("p", "x", "podSelector: {}") },
	  "w/a x/a tcp/80 ingress-denied\nx/a 8.8.8.8 tcp/80 yes\nx/a w/a udp/53 yes" },
	{ "np_2_egress_policy_leaves_ingress_open",
	  { POLICY("p", "x", "podSelector: {}, policyTypes: [Egress]") },
	  "w/a x/a tcp/80 yes\nx/a 8.8.8.8 tcp/80 egress-denied" },
	{ "np_3_policies_add_up",
	  { POLICY("deny", "x", "podSelector: {}"),
	    POLICY("one", "x", "podSelector: {}, ingress: [{ports: [{port: 80}]}]"),
	    POLICY("two", "x",
		   "podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: 81}]}]") },
	  "w/a x/a tcp/80 yes\nw/a x/a tcp/81 yes\nw/a x/b tcp/81 ingress-denied\nw/a x/a tcp/82 ingress-denied" },
	{ "np_4_both_ends_must_allow",
	  { POLICY("in", "w", "podSelector: {}, ingress: [{ports: [{port: 80}]}]"),
	    POLICY("out", "x",
		   "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 81}]}]") },
	  "x/a w/c tcp/80 egress-denied\nx/a w/c tcp/81 ingress-denied\nx/a w/c tcp/82 egress-denied\nx/a w/a tcp/81 yes" },
	{ "np_6_policy_selects_only_in_its_namespace",
	  { POLICY("p", "w", "podSelector: {}") },
	  "z/a x/a tcp/80 yes\nz/a w/c tcp/80 ingress-denied" },
	{ "np_6_absent_pod_selector_is_all_pods",
	  { POLICY("p", "x", "policyTypes: [Ingress]") },
	  "w/a x/a tcp/80 ingress-denied\nw/a x/c tcp/80 ingress-denied" },
	/* ---- peers */
	{ "np_18_pod_selector_looks_in_its_own_namespace",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]") },
	  "x/a x/c tcp/80 yes\nx/b x/c tcp/80 ingress-denied\nw/a x/c tcp/80 ingress-denied" },
	{ "np_18_same_selector_in_two_namespaces_is_two_peers",
	  { POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]"),
	    POLICY("p", "w",
		   "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]") },
	  "x/a x/c tcp/80 yes\nw/a x/c tcp/80 ingress-denied\nw/a w/c tcp/80 yes\nx/a w/c tcp/80 ingress-denied" },
	{ "np_19_pod_selector_applies_in_matching_namespaces_only",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}, "
		  "podSelector: {matchLabels: {app: b}}}]}]") },
	  "w/b x/c tcp/80 yes\nx/b x/c tcp/80 yes\nz/b x/c tcp/80 ingress-denied\nw/a x/c tcp/80 ingress-denied" },
	{ "np_19_namespace_selector_matches_pods_but_no_external_address",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]") },
	  "z/a x/c tcp/80 yes\nx/a x/c udp/1 yes\n8.8.8.8 x/c tcp/80 ingress-denied\n192.168.0.2 x/c tcp/80 ingress-denied" },
	{ "np_19_own_namespace_only_if_its_labels_match",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}}]}]") },
	  "w/b x/c tcp/80 yes\nx/a x/c tcp/80 ingress-denied" },
	{ "np_20_trap_1_two_items_are_or",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}}, "
		  "{podSelector: {matchLabels: {app: a}}}]}]") },
	  "w/b x/c tcp/80 yes\nx/a x/c tcp/80 yes\nx/b x/c tcp/80 ingress-denied\nz/a x/c tcp/80 ingress-denied" },
	{ "np_20_trap_1_one_item_is_and",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}, "
		  "podSelector: {matchLabels: {app: a}}}]}]") },
	  "w/a x/c tcp/80 yes\nw/b x/c tcp/80 ingress-denied\nx/a x/c tcp/80 ingress-denied" },
	{ "np_21_host_network_pod_counts_as_its_node",
	  { POD_WITH("h", "x", "app: a",
		     "nodeName: there, hostNetwork: true, containers: [{name: c, image: i}]",
		     "phase: Running, podIPs: [{ip: 192.168.0.2}]"),
	    POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]") },
	  "x/a x/c tcp/80 yes\n192.168.0.2 x/c tcp/80 ingress-denied" },
	{ "np_22_trap_7_every_namespace_has_the_metadata_name_label",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: z}}}]}]") },
	  "z/a x/c tcp/80 yes\nw/a x/c tcp/80 ingress-denied" },
	{ "np_22_trap_7_label_name_is_not_the_name",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: z}}}]}]") },
	  "z/a x/c tcp/80 ingress-denied" },
	{ "np_23_trap_8_not_in_matches_objects_without_the_key",
	  { POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: "
		   "[{key: team, operator: NotIn, values: [w]}]}}]}]") },
	  "z/a x/c tcp/80 yes\nx/a x/c tcp/80 yes\nw/a x/c tcp/80 ingress-denied" },
	{ "np_23_exists_and_does_not_exist",
	  { POLICY(
		  "p", "x",
		  "podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}, ingress: "
		  "[{from: [{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}]}]") },
	  "x/a x/c tcp/80 yes\nw/a x/c tcp/80 ingress-denied\nw/a x/a tcp/80 yes" },
	{ "np_23_requirements_are_all_needed",
	  { POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {tier: web}, "
		   "matchExpressions: [{key: app, operator: In, values: [a, c]}]}}]}]") },
	  "x/a x/c tcp/80 yes\nx/b x/c tcp/80 ingress-denied\nx/c x/b tcp/80 ingress-denied" },
	{ "np_23_one_value_under_two_keys_is_two_labels",
	  { POD("one", "x", "here", "1.7", "role: v", ""),
	    POD("two", "x", "here", "1.8", "task: v", ""),
	    POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {role: v}}}], ports: [{port: 1}]}, "
		   "{from: [{podSelector: {matchLabels: {task: v}}}], ports: [{port: 2}]}]") },
	  "x/one x/c tcp/1 yes\nx/one x/c tcp/2 ingress-denied\nx/two x/c tcp/2 yes\nx/two x/c tcp/1 ingress-denied" },
	{ "np_25_equal_labels_in_two_namespaces_are_told_apart",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}, "
		  "podSelector: {matchLabels: {app: b}}}]}]") },
	  "w/b x/c tcp/80 yes\nx/b x/c tcp/80 ingress-denied\nz/b x/c tcp/80 ingress-denied" },
	/* ---- blocks */
	{ "np_26_block_matches_source_or_destination",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8}}]}], "
		  "egress: [{to: [{ipBlock: {cidr: 9.0.0.0/8}}]}]") },
	  "8.1.1.1 x/a tcp/80 yes\n9.1.1.1 x/a tcp/80 ingress-denied\nx/a 9.1.1.1 tcp/80 yes\nx/a 8.1.1.1 tcp/80 egress-denied" },
	{ "np_27_block_matches_a_pods_address",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.2.1/32}}]}]") },
	  "x/a w/a tcp/80 yes\nx/a w/b tcp/80 egress-denied\nx/a 10.0.2.9 tcp/80 egress-denied" },
	{ "np_27_pod_is_matched_by_selector_and_block_at_once",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}}], ports: [{port: 1}]}, "
		  "{from: [{ipBlock: {cidr: 10.0.0.0/16}}], ports: [{port: 2}]}]") },
	  "w/a x/a tcp/1 yes\nw/a x/a tcp/2 yes\nz/a x/a tcp/1 ingress-denied\nz/a x/a tcp/2 yes\n10.0.9.9 x/a tcp/2 yes" },
	{ "np_28_except_applies_to_its_own_peer_only",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.1.0.0/16, 8.1.2.0/24]}}, "
		  "{ipBlock: {cidr: 8.1.2.0/30}}]}]") },
	  "8.2.0.1 x/a tcp/80 yes\n8.1.0.1 x/a tcp/80 ingress-denied\n8.1.2.1 x/a tcp/80 yes\n8.1.2.9 x/a tcp/80 ingress-denied" },
	{ "np_28_one_block_with_two_excepts_is_two_peers",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.1.0.0/16]}}], ports: [{port: 1}]}, "
		  "{from: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.2.0.0/16]}}], ports: [{port: 2}]}]") },
	  "8.1.0.1 x/a tcp/1 ingress-denied\n8.1.0.1 x/a tcp/2 yes\n8.2.0.1 x/a tcp/1 yes\n8.2.0.1 x/a tcp/2 ingress-denied" },
	{ "np_28_excepts_nest_across_policies",
	  { POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [8.0.0.0/8]}}], ports: [{port: 1}]}]"),
	    POLICY("q", "x",
		   "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.8.0.0/16]}}], ports: [{port: 2}]}]") },
	  "9.0.0.1 x/a tcp/1 yes\n9.0.0.1 x/a tcp/2 ingress-denied\n8.1.0.1 x/a tcp/1 ingress-denied\n8.1.0.1 x/a tcp/2 yes\n"
	  "8.8.0.1 x/a tcp/1 ingress-denied\n8.8.0.1 x/a tcp/2 ingress-denied" },
	{ "np_29_trap_11_v4_block_denies_v6_of_a_dual_stack_pod",
	  { POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]") },
	  "w/a x/a tcp/80 yes\nw/a@6 x/a@6 tcp/80 ingress-denied\n2001:db8::1 x/a@6 tcp/80 ingress-denied\nx/b@6 x/a@6 tcp/80 ingress-denied" },
	{ "np_29_v6_default_block_matches_no_v4",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]") },
	  "w/a x/a tcp/80 ingress-denied\n8.8.8.8 x/a tcp/80 ingress-denied\nw/a@6 x/a@6 tcp/80 yes\nfd01::1 x/a@6 tcp/80 yes" },
	{ "np_29_v6_default_block_does_not_hold_v4_addresses",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}, {ipBlock: {cidr: 8.0.0.0/8}}]}]") },
	  "2001:db8::1 x/a@6 tcp/80 yes\n8.8.8.8 x/a tcp/80 yes\n9.8.8.8 x/a tcp/80 ingress-denied" },
	/* ---- ports */
	{ "np_15_empty_port_is_all_tcp",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{ports: [{}]}]") },
	  "w/a x/a tcp/1 yes\nw/a x/a tcp/65535 yes\nw/a x/a udp/1 ingress-denied\nw/a x/a sctp/1 ingress-denied" },
	{ "np_16_protocol_without_port_is_all_its_ports",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]") },
	  "w/a x/a udp/1 yes\nw/a x/a tcp/1 ingress-denied" },
	{ "np_17_trap_9_10_port_without_protocol_is_tcp",
	  { POLICY("p", "x",
		   "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53}]}]") },
	  "x/a 8.8.8.8 tcp/53 yes\nx/a 8.8.8.8 udp/53 egress-denied" },
	{ "np_12_trap_2_9_empty_to_with_udp_53_is_dns_over_udp_anywhere",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, policyTypes: [Egress], egress: [{to: [], ports: [{protocol: UDP, port: 53}]}]") },
	  "x/a 8.8.8.8 udp/53 yes\nx/a w/a udp/53 yes\nx/a 8.8.8.8 tcp/53 egress-denied\nx/a@6 2001:db8::1 udp/53 yes" },
	{ "np_32_ingress_port_name_resolves_on_the_protected_pod",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{ports: [{port: http}]}]") },
	  "w/a x/a tcp/80 yes\nw/a x/a tcp/8080 ingress-denied\nw/a x/b tcp/8080 yes\nw/a x/b tcp/80 ingress-denied\n"
	  "w/a x/c tcp/80 ingress-denied" },
	{ "np_32_egress_port_name_resolves_on_each_destination",
	  { POLICY("p", "x",
		   "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]") },
	  "x/c x/a tcp/80 yes\nx/c x/b tcp/8080 yes\nx/c x/b tcp/80 egress-denied\nx/c w/a tcp/8081 yes\nx/c w/b tcp/80 egress-denied" },
	{ "np_32_egress_port_name_with_a_peer",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: http}]}]") },
	  "x/c x/a tcp/80 yes\nx/c x/b tcp/8080 yes\nx/c w/a tcp/8081 egress-denied" },
	{ "np_33_port_name_never_matches_an_external_address",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}, {ports: [{port: 443}]}]") },
	  "x/a 8.8.8.8 tcp/80 egress-denied\nx/a 192.168.0.2 tcp/80 egress-denied\nx/a 8.8.8.8 tcp/443 yes" },
	{ "np_34_unknown_port_name_matches_nothing_and_isolates",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{ports: [{port: unknown}, {protocol: UDP, port: http}]}]") },
	  "w/a x/a tcp/80 ingress-denied\nw/a x/a udp/80 ingress-denied" },
	{ "np_35_port_name_declared_twice_means_both_numbers",
	  { POD("two", "x", "here", "1.9", "app: two",
		HTTP("1000") "]}, {name: d, image: i, ports: [" HTTP("1001")),
	    POLICY("p", "x", "podSelector: {}, ingress: [{ports: [{port: http}]}]") },
	  "w/a x/two tcp/1000 yes\nw/a x/two tcp/1001 yes\nw/a x/two tcp/80 ingress-denied" },
	{ "np_36_range_is_inclusive_for_every_protocol",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{ports: [{port: 80, endPort: 82}, {protocol: UDP, port: 5, endPort: 5}, "
		  "{protocol: SCTP, port: 7, endPort: 9}]}]") },
	  "w/a x/a tcp/79 ingress-denied\nw/a x/a tcp/80 yes\nw/a x/a tcp/82 yes\nw/a x/a tcp/83 ingress-denied\n"
	  "w/a x/a udp/5 yes\nw/a x/a udp/6 ingress-denied\nw/a x/a sctp/9 yes\nw/a x/a sctp/6 ingress-denied" },
	{ "np_37_a_rule_for_one_protocol_allows_no_other",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{ports: [{protocol: SCTP, port: 80}]}]") },
	  "w/a x/a sctp/80 yes\nw/a x/a tcp/80 ingress-denied\nw/a x/a udp/80 ingress-denied" },
	{ "np_38_echo_needs_a_rule_without_ports",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {ports: [{}, {protocol: UDP}, {protocol: SCTP}]}]") },
	  "x/b x/a icmp/0 yes\nw/a x/a icmp/0 ingress-denied\nw/a x/a tcp/80 yes\nw/a@6 x/a@6 icmp6/0 ingress-denied" },
	/* ---- self, node */
	{ "np_40_pod_reaches_itself_by_any_of_its_addresses",
	  { POLICY("p", "x", "podSelector: {}, policyTypes: [Ingress, Egress]") },
	  "x/a x/a tcp/80 yes\nx/a@6 x/a@6 tcp/80 yes\nx/a x/b tcp/80 egress-denied" },
	{ "np_41_own_node_reaches_its_pods",
	  { POLICY("p", "x", "podSelector: {}") },
	  "node:192.168.0.1 x/a tcp/80 yes\n192.168.0.2 x/a tcp/80 ingress-denied" },
	{ "np_44_own_nodes_address_from_the_wire_is_judged",
	  { POLICY("p", "x", "podSelector: {}") },
	  "192.168.0.1 x/a tcp/80 ingress-denied" },
	{ "np_42_pod_reaches_its_own_node",
	  { POLICY("p", "x", "podSelector: {}, policyTypes: [Egress]") },
	  "x/a 192.168.0.1 tcp/10250 yes\nx/a 192.168.0.2 tcp/10250 egress-denied" },
	{ "np_43_other_node_is_ordinary_external_traffic",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.2/32}}], ports: [{port: 80}]}]") },
	  "192.168.0.2 x/a tcp/80 yes\n192.168.0.2 x/a tcp/81 ingress-denied" },
	/* ---- life cycle */
	{ "np_56_ended_pod_has_no_identity",
	  { POD_WITH("done", "w", "app: a", "nodeName: there, containers: [{name: c, image: i}]",
		     "phase: Succeeded, podIPs: [{ip: 10.0.2.50}]"),
	    POLICY("p", "x",
		   "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}}]}]") },
	  "w/a x/a tcp/80 yes\n10.0.2.50 x/a tcp/80 ingress-denied" },
	{ "np_61_a_selector_matches_every_address_of_a_pod",
	  { POLICY(
		  "p", "x",
		  "podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]") },
	  "x/b x/a tcp/80 yes\nx/b@6 x/a@6 tcp/80 yes\nx/c@6 x/a@6 tcp/80 ingress-denied" },
	/* ---- traps */
	{ "trap_3_empty_egress_rule_with_and_without_types",
	  { POLICY("with", "x",
		   "podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{}]"),
	    POLICY("without", "x", "podSelector: {matchLabels: {app: b}}, egress: [{}]") },
	  "w/a x/a tcp/80 yes\nx/a 8.8.8.8 icmp/0 yes\nw/a x/b tcp/80 ingress-denied\nx/b 8.8.8.8 tcp/80 yes" },
	{ "trap_4_rules_outside_types_do_nothing",
	  { POLICY("in", "x",
		   "podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], ingress: [{ports: [{port: 1}]}]"),
	    POLICY("out", "x",
		   "podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress], egress: [{ports: [{port: 1}]}]") },
	  "w/a x/a tcp/80 yes\nx/a 8.8.8.8 tcp/1 egress-denied\nw/a x/b tcp/1 ingress-denied\nx/b 8.8.8.8 tcp/80 yes" },
	{ "trap_6_missing_types_with_ingress_only",
	  { POLICY("p", "x", "podSelector: {}, ingress: [{from: [{podSelector: {}}]}]") },
	  "x/b x/a tcp/80 yes\nw/a x/a tcp/80 ingress-denied\nx/a 8.8.8.8 tcp/80 yes" },
	{ "np_46_47_trap_14_egress_is_judged_at_the_endpoint_behind_a_service",
	  { SERVICE,
	    POLICY("p", "x",
		   "podSelector: {matchLabels: {app: a}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: "
		   "{team: w}}}], ports: [{port: 8081}]}]"),
	    POLICY("q", "x",
		   "podSelector: {matchLabels: {app: b}}, policyTypes: [Egress], egress: [{ports: [{port: 80}]}]"),
	    POLICY("r", "x",
		   "podSelector: {matchLabels: {app: c}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 172.20.0.1/32}}]}]") },
	  "x/a 172.20.0.1 tcp/80 yes\nx/b 172.20.0.1 tcp/80 egress-denied\nx/c 172.20.0.1 tcp/80 egress-denied" },
};

static struct fixture open_with(const char *const *objects)
{
	struct fixture f = {};

	fixture_open_objects(&f, cluster, objects);
	return f;
}

static void verdicts_are_as_listed(void **state)
{
	const struct row *row = *state;
	_cleanup_(fixture_close) struct fixture f = open_with(row->objects);

	check_lines(&f, row->lines);
}

static const struct diag *find_note(const struct plan *p, const char *object)
{
	for (size_t i = 0; i < p->notes.n; i++)
		if (p->notes.items[i].object && !strcmp(p->notes.items[i].object, object))
			return &p->notes.items[i];
	return NULL;
}

static void np_22_selector_without_namespaces_is_noted(void **state)
{
	static const char *const objects[] = {
		POLICY("p", "x",
		       "podSelector: {}, ingress: [{}, {from: [{podSelector: {}}, {namespaceSelector: {matchLabels: {name: z}}}]}]"),
		POLICY("q", "x",
		       "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: w}}}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);
	const struct diag *d;

	d = find_note(f.plan, "NetworkPolicy x/p");
	assert_non_null(d);
	assert_string_equal(d->path, "spec.ingress[1].from[1].namespaceSelector");
	assert_int_equal(d->level, DIAG_NOTE);
	assert_null(find_note(f.plan, "NetworkPolicy x/q"));
}

/* Of two pods with one address, the one that is not being deleted has it; the other has none. */
static void np_56_reused_address_belongs_to_the_running_pod(void **state)
{
	static const char *const objects[] = {
		"apiVersion: v1\nkind: Pod\nmetadata: {name: old, namespace: x, labels: {app: old}, "
		"deletionTimestamp: '2025-01-01T00:00:00Z'}\nspec: {nodeName: here, containers: [{name: c, image: i}]}\n"
		"status: {phase: Running, podIPs: [{ip: 10.0.1.1}]}\n",
		POLICY("p", "x", "podSelector: {matchLabels: {app: old}}"),
		POLICY("q", "x",
		       "podSelector: {matchLabels: {app: b}}, ingress: "
		       "[{from: [{podSelector: {matchLabels: {app: old}}}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);
	const struct plan_pod *old;

	old = plan_find_pod(f.plan, "x", "old");
	assert_non_null(old);
	assert_true(weir_addr_is_zero(&old->addr[0]));
	assert_non_null(find_note(f.plan, "Pod x/old"));
	check_lines(&f, "w/a x/a tcp/80 yes\nx/a x/b tcp/80 ingress-denied");
}

static const struct plan_rule *deciding_of(const struct fixture *f, const char *from,
					   const char *to, uint8_t proto, uint16_t port)
{
	struct oracle_query q = { .src = end_addr(f, from), .dst = end_addr(f, to), .port = port };
	struct oracle_answer a;

	q.proto = proto;
	oracle_judge(f->plan, &q, &a);
	return &f->plan->rules[a.ingress.rule];
}

static const struct plan_rule *deciding(const struct fixture *f, const char *from, const char *to,
					uint16_t port)
{
	return deciding_of(f, from, to, IPPROTO_TCP, port);
}

static void verdict_names_the_first_rule_that_allows(void **state)
{
	static const char *const objects[] = {
		POLICY("b", "x",
		       "podSelector: {}, ingress: [{ports: [{port: 1, endPort: 9}]}, {from: [{podSelector: {}}]}]"),
		POLICY("a", "x",
		       "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 5}]}, {ports: [{port: 7}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);
	const struct plan_rule *r;

	r = deciding(&f, "w/a", "x/a", 5);
	assert_string_equal(r->policy, "x/a");
	assert_int_equal(r->index, 0);
	assert_int_equal(deciding(&f, "8.8.8.8", "x/a", 5)->index, 0);
	assert_string_equal(deciding(&f, "8.8.8.8", "x/a", 5)->policy, "x/b");
	assert_string_equal(deciding(&f, "w/a", "x/a", 7)->policy, "x/a");
	assert_int_equal(deciding(&f, "w/a", "x/a", 7)->index, 1);
	assert_string_equal(deciding(&f, "w/a", "x/a", 6)->policy, "x/b");
	/* a rule without ports gets what the rules before it left */
	assert_string_equal(deciding(&f, "x/b", "x/a", 5)->policy, "x/a");
	assert_string_equal(deciding(&f, "x/b", "x/a", 10)->policy, "x/b");
	assert_int_equal(deciding(&f, "x/b", "x/a", 9)->index, 0);
	assert_int_equal(deciding(&f, "x/b", "x/a", 10)->index, 1);
	assert_ptr_equal(deciding(&f, "w/a", "x/a", 10), f.plan->rules);
	assert_string_equal(r->src.file, "test.yaml");
	assert_true(r->src.line > 0);
}

/* Two objects: policies on x/a with these ingress rules. */
#define TWO_POLICIES(first, second)                                                     \
	POLICY("a", "x", "podSelector: {matchLabels: {app: a}}, ingress: [" first "]"), \
		POLICY("b", "x", "podSelector: {matchLabels: {app: a}}, ingress: [" second "]")

static const struct plan_set *ingress_set(const struct fixture *f)
{
	return &f->plan->sets[plan_find_pod(f->plan, "x", "a")->ingress_set];
}

static void np_3_a_later_rule_without_ports_gets_the_remaining_ports(void **state)
{
	static const struct {
		uint8_t proto;
		uint16_t port;
		const char *policy;
	} want[] = {
		{ IPPROTO_TCP, 80, "x/a" },
		{ IPPROTO_TCP, 79, "x/b" },
		{ IPPROTO_TCP, 81, "x/b" },
		{ IPPROTO_UDP, 53, "x/a" },
		{ IPPROTO_UDP, 80, "x/b" },
		{ IPPROTO_SCTP, 80, "x/b" },
		{ IPPROTO_ICMP, 0, "x/b" },
		{ IPPROTO_ESP, 0, "x/b" },
		{ 255, 0, "x/b" },
		{ IPPROTO_ICMPV6, 0, "x/b" },
		{ 0, 0, "x/b" },
		{ IPPROTO_TCP, 65535, "x/b" },
	};
	static const char *const objects[] = {
		TWO_POLICIES("{ports: [{port: 80}, {protocol: UDP, port: 53}]}",
			     "{}, {ports: [{}]}"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(
			deciding_of(&f, "w/a", "x/a", want[i].proto, want[i].port)->policy,
			want[i].policy);
	assert_int_equal(ingress_set(&f)->default_word.kind, WEIR_WORD_PORTS);
	assert_int_equal(f.plan->port_sets[ingress_set(&f)->default_word.ports].n_ranges, 5);
}

static void np_13_a_first_rule_that_allows_all_compiles_to_one_word(void **state)
{
	static const char *const shapes[][3] = {
		{ TWO_POLICIES("{}", "{ports: [{port: 80}]}, {}") },
		{ TWO_POLICIES("{ports: []}", "") },
		/* the first rule allows nothing: this pod has no such port */
		{ TWO_POLICIES("{ports: [{port: unknown}]}", "{}") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		_cleanup_(fixture_close) struct fixture f = open_with(shapes[i]);

		assert_int_equal(ingress_set(&f)->default_word.kind, WEIR_WORD_ALLOW);
		assert_string_equal(f.plan->rules[ingress_set(&f)->default_word.rule].policy,
				    i < 2 ? "x/a" : "x/b");
		assert_int_equal(f.plan->n_port_sets, 0);
	}
}

static void np_38_only_peers_of_the_rule_without_ports_get_other_protocols(void **state)
{
	static const char *const objects[] = {
		TWO_POLICIES("{ports: [{}, {protocol: UDP}, {protocol: SCTP}]}",
			     "{from: [{podSelector: {}}]}"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);

	check_lines(
		&f,
		"x/b x/a icmp/0 yes\nx/b@6 x/a@6 icmp6/0 yes\nx/b x/a tcp/0 yes\nw/a x/a sctp/65535 yes\n"
		"w/a x/a icmp/0 ingress-denied\nw/a@6 x/a@6 icmp6/0 ingress-denied");
	assert_string_equal(deciding_of(&f, "x/b", "x/a", IPPROTO_ICMP, 0)->policy, "x/b");
	for (int proto = 0; proto < 256; proto++) {
		bool has_ports =
			proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
		bool tunnel =
			proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 || proto == IPPROTO_GRE;

		if (tunnel) /* no policy allows one (NP-42) */
			continue;
		assert_string_equal(deciding_of(&f, "x/b", "x/a", proto, 0)->policy,
				    has_ports ? "x/a" : "x/b");
		assert_string_equal(deciding_of(&f, "w/a", "x/a", proto, 0)->policy,
				    has_ports ? "x/a" : "");
	}
}

static void ingress_is_judged_even_where_egress_denies(void **state)
{
	static const char *const objects[] = {
		POLICY("p", "x", "podSelector: {}, policyTypes: [Ingress, Egress]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = open_with(objects);
	struct oracle_query q = { .proto = IPPROTO_TCP, .port = 80 };
	struct oracle_answer a;

	q.src = end_addr(&f, "x/a");
	q.dst = end_addr(&f, "x/b");
	oracle_judge(f.plan, &q, &a);
	assert_int_equal(a.reason, WEIR_EGRESS_DENIED);
	assert_true(a.egress.judged && !a.egress.allow && a.egress.set);
	assert_true(a.ingress.judged && !a.ingress.allow && a.ingress.set);
	q.dst = end_addr(&f, "8.8.8.8");
	oracle_judge(f.plan, &q, &a);
	assert_true(!a.ingress.judged && a.ingress.allow);
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(np_22_selector_without_namespaces_is_noted),
		cmocka_unit_test(np_56_reused_address_belongs_to_the_running_pod),
		cmocka_unit_test(verdict_names_the_first_rule_that_allows),
		cmocka_unit_test(np_3_a_later_rule_without_ports_gets_the_remaining_ports),
		cmocka_unit_test(np_13_a_first_rule_that_allows_all_compiles_to_one_word),
		cmocka_unit_test(np_38_only_peers_of_the_rule_without_ports_get_other_protocols),
		cmocka_unit_test(ingress_is_judged_even_where_egress_denies),
	};
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(more)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = verdicts_are_as_listed,
						.initial_state = (void *)&rows[i] };
	memcpy(tests + ARRAY_SIZE(rows), more, sizeof(more));
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
