// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* NetworkPolicy: what its shapes (Y1 to Y25) decode to, and what is refused. */
#include "kube_test.h"

#define HEAD                                 \
	"apiVersion: networking.k8s.io/v1\n" \
	"kind: NetworkPolicy\n"              \
	"metadata: {name: p, namespace: q}\n"
#define AT "f.yaml:"
#define OBJECT " NetworkPolicy q/p: "

/* The one policy of a text, which must be without errors. */
static const struct kube_policy *only_policy(struct store *s)
{
	assert_diags(s, "");
	assert_int_equal(s->n_policies, 1);
	return s->policies[0];
}

/* ---- Shapes: policyTypes, empty things ---- */

static void np_7_effective_types_of_the_yaml_shapes(void **state)
{
	static const struct {
		const char *spec;
		bool ingress, egress;
		size_t n_ingress, n_egress;
	} shapes[] = {
		{ "{}", 1, 0, 0, 0 }, /* Y1 */
		{ "{policyTypes: [Ingress, Egress]}", 1, 1, 0, 0 }, /* Y2 */
		{ "{policyTypes: [Egress]}", 0, 1, 0, 0 }, /* Y3 */
		{ "{ingress: []}", 1, 0, 0, 0 }, /* Y4 */
		{ "{egress: []}", 1, 0, 0, 0 }, /* Y5 */
		{ "{ingress: [{}]}", 1, 0, 1, 0 }, /* Y6 */
		{ "{egress: [{}]}", 1, 1, 0, 1 }, /* Y7 */
		{ "{policyTypes: [Egress], egress: [{}]}", 0, 1, 0, 1 }, /* Y8 */
		{ "{policyTypes: [Ingress], egress: [{}]}", 1, 0, 0, 1 }, /* Y9 */
		{ "{policyTypes: [Egress], ingress: [{}]}", 0, 1, 1, 0 }, /* Y10 */
		{ "{policyTypes: [Egress], egress: null}", 0, 1, 0, 0 }, /* Y22 */
		{ "{policyTypes: [], egress: [{}]}", 1, 1, 0, 1 },
		{ "{policyTypes: null, ingress: null}", 1, 0, 0, 0 },
		{ "null", 1, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		_cleanup_(mem_free) char *text = mem_printf(HEAD "spec: %s\n", shapes[i].spec);
		with_store *s = read_text(text);
		const struct kube_policy *p = only_policy(s);

		if (p->isolates[KUBE_INGRESS] != shapes[i].ingress ||
		    p->isolates[KUBE_EGRESS] != shapes[i].egress)
			fail_msg("%s isolates %d, %d", shapes[i].spec, p->isolates[0],
				 p->isolates[1]);
		assert_int_equal(p->n_rules[KUBE_INGRESS], shapes[i].n_ingress);
		assert_int_equal(p->n_rules[KUBE_EGRESS], shapes[i].n_egress);
		assert_int_equal(p->pods.n, 0);
	}
}

static void np_10_12_13_absent_null_and_empty_lists_are_the_same(void **state)
{
	static const char *const rules[] = { "{}", "{from: [], ports: []}",
					     "{from: null, ports: null}", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(HEAD "spec: {ingress: [%s]}\n", rules[i]);
		with_store *s = read_text(text);
		const struct kube_policy *p = only_policy(s);

		assert_int_equal(p->n_rules[KUBE_INGRESS], 1);
		assert_int_equal(p->rules[KUBE_INGRESS][0].n_peers, 0);
		assert_int_equal(p->rules[KUBE_INGRESS][0].n_ports, 0);
	}
}

static void y17_np_14_an_empty_peer_is_refused(void **state)
{
	assert_found(
		HEAD "spec:\n  ingress:\n  - from:\n    - {}\n", AT
		"7:7: error E031:" OBJECT
		"spec.ingress[0].from[0]: an empty peer matches nothing: give podSelector, namespaceSelector or ipBlock, or leave the list out to match every peer\n");
	assert_found(
		HEAD "spec:\n  egress:\n  - to:\n    -\n    - {podSelector: null}\n", AT
		"7:5: error E031:" OBJECT
		"spec.egress[0].to[0]: an empty peer matches nothing: give podSelector, namespaceSelector or ipBlock, or leave the list out to match every peer\n" AT
		"8:7: error E031:" OBJECT
		"spec.egress[0].to[1]: an empty peer matches nothing: give podSelector, namespaceSelector or ipBlock, or leave the list out to match every peer\n");
}

static void parse_2_an_empty_selector_differs_from_an_absent_one(void **state)
{
	with_store *s = read_text(
		HEAD "spec:\n"
		     "  ingress:\n"
		     "  - from:\n"
		     "    - podSelector: {}\n"
		     "    - namespaceSelector: {}\n"
		     "    - {podSelector: {matchLabels: {a: b}}, namespaceSelector: {}}\n");
	const struct kube_peer *peers = only_policy(s)->rules[KUBE_INGRESS][0].peers;

	assert_non_null(peers[0].pods);
	assert_null(peers[0].namespaces);
	assert_int_equal(peers[0].pods->n, 0);
	assert_null(peers[1].pods);
	assert_non_null(peers[1].namespaces);
	assert_true(peers[2].pods && peers[2].namespaces);
	assert_string_equal(peers[2].pods->items[0].values[0], "b");
	assert_int_equal(peers[2].src.line, 9);
	assert_int_equal(peers[2].src.col, 7);
}

/* ---- Ports ---- */

static void np_15_16_17_36_ports_and_ranges_are_decoded(void **state)
{
	with_store *s = read_text(HEAD "spec:\n"
				       "  ingress:\n"
				       "  - ports:\n"
				       "    - {}\n"
				       "    - {protocol: UDP}\n"
				       "    - {port: 53}\n"
				       "    - {protocol: SCTP, port: 80, endPort: 90}\n"
				       "    - {port: 7, endPort: 7}\n"
				       "    - {port: web, protocol: TCP}\n");
	const struct kube_policy_port *p = only_policy(s)->rules[KUBE_INGRESS][0].ports;

	assert_true(p[0].any && p[0].proto == 6 && p[0].low == 0 && p[0].high == 65535);
	assert_true(p[1].any && p[1].proto == 17);
	assert_true(!p[2].any && p[2].proto == 6 && p[2].low == 53 && p[2].high == 53 &&
		    !p[2].name);
	assert_true(p[3].proto == 132 && p[3].low == 80 && p[3].high == 90);
	assert_true(p[4].low == 7 && p[4].high == 7);
	assert_string_equal(p[5].name, "web");
}

static void y23_parse_3_a_number_in_quotes_is_not_a_port(void **state)
{
	assert_found(
		HEAD "spec: {ingress: [{ports: [{port: \"80\"}]}]}\n", AT
		"4:34: error E024:" OBJECT
		"spec.ingress[0].ports[0].port: expected a port number or name, found the string \"80\": remove the quotes\n");
}

static void a_port_name_has_at_most_15_characters(void **state)
{
	assert_found(HEAD "spec: {ingress: [{ports: [{port: fifteen-letters}]}]}\n", "");
	assert_found(
		HEAD "spec: {ingress: [{ports: [{port: sixteen-letters1}]}]}\n", AT
		"4:34: error E024:" OBJECT
		"spec.ingress[0].ports[0].port: expected a port number or name, found \"sixteen-letters1\": a name is at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row\n");
}

static void y24_invalid_end_ports_are_refused(void **state)
{
	assert_found(
		HEAD "spec:\n"
		     "  egress:\n"
		     "  - ports:\n"
		     "    - {port: 80, endPort: 79}\n"
		     "    - {endPort: 80}\n"
		     "    - {port: web, endPort: 80}\n"
		     "    - {port: 80, endPort: 65536}\n"
		     "    - {port: 80, endPort: \"90\"}\n",
		AT
		"7:27: error E023:" OBJECT
		"spec.egress[0].ports[0].endPort: expected port (80) or more, found 79\n" AT
		"8:17: error E027:" OBJECT
		"spec.egress[0].ports[1].endPort: port is required with endPort: it begins the range\n" AT
		"9:28: error E027:" OBJECT
		"spec.egress[0].ports[2].endPort: expected a number in port with endPort, found \"web\"\n" AT
		"10:27: error E023:" OBJECT
		"spec.egress[0].ports[3].endPort: expected an integer from 1 to 65535, found 65536\n" AT
		"11:27: error E020:" OBJECT
		"spec.egress[0].ports[4].endPort: expected an integer, found the string \"90\": remove the quotes\n");
}

static void ports_and_protocols_out_of_range_are_refused(void **state)
{
	assert_found(
		HEAD "spec:\n"
		     "  ingress:\n"
		     "  - ports:\n"
		     "    - {port: 0}\n"
		     "    - {port: 65536}\n"
		     "    - {port: -1}\n"
		     "    - {port: 80.5}\n"
		     "    - {port: Web}\n"
		     "    - {port: a--b}\n"
		     "    - {port: sixteen-letters-}\n"
		     "    - {protocol: tcp}\n"
		     "    - {protocol: ICMP}\n"
		     "    - {port: [80]}\n",
		AT
		"7:14: error E023:" OBJECT
		"spec.ingress[0].ports[0].port: expected an integer from 1 to 65535, found 0\n" AT
		"8:14: error E023:" OBJECT
		"spec.ingress[0].ports[1].port: expected an integer from 1 to 65535, found 65536\n" AT
		"9:14: error E023:" OBJECT
		"spec.ingress[0].ports[2].port: expected an integer from 1 to 65535, found -1\n" AT
		"10:14: error E020:" OBJECT
		"spec.ingress[0].ports[3].port: expected an integer, found the number 80.5\n" AT
		"11:14: error E024:" OBJECT
		"spec.ingress[0].ports[4].port: expected a port number or name, found \"Web\": a name is at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row\n" AT
		"12:14: error E024:" OBJECT
		"spec.ingress[0].ports[5].port: expected a port number or name, found \"a--b\": a name is at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row\n" AT
		"13:14: error E024:" OBJECT
		"spec.ingress[0].ports[6].port: expected a port number or name, found \"sixteen-letters-\": a name is at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row\n" AT
		"14:18: error E022:" OBJECT
		"spec.ingress[0].ports[7].protocol: expected TCP, UDP or SCTP, found \"tcp\"\n" AT
		"15:18: error E022:" OBJECT
		"spec.ingress[0].ports[8].protocol: expected TCP, UDP or SCTP, found \"ICMP\"\n" AT
		"16:14: error E020:" OBJECT
		"spec.ingress[0].ports[9].port: expected an integer, found a list\n");
}

/* ---- Blocks ---- */

static void np_26_28_blocks_are_decoded_with_exceptions(void **state)
{
	with_store *s = read_text(
		HEAD "spec:\n"
		     "  egress:\n"
		     "  - to:\n"
		     "    - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.5.0/24, 10.9.0.0/16]}\n"
		     "    - ipBlock: {cidr: \"::/0\", except: []}\n");
	const struct kube_peer *peers = only_policy(s)->rules[KUBE_EGRESS][0].peers;
	char text[ADDR_TEXT_MAX];

	assert_true(peers[0].has_block && peers[0].n_except == 2 && peers[1].n_except == 0);
	assert_string_equal(cidr_text(&peers[0].block, text), "10.0.0.0/8");
	assert_string_equal(cidr_text(&peers[0].except[1], text), "10.9.0.0/16");
	assert_string_equal(cidr_text(&peers[1].block, text), "::/0");
}

static void blocks_that_the_api_server_refuses_are_refused(void **state)
{
	assert_found(
		HEAD
		"spec:\n"
		"  ingress:\n"
		"  - from:\n"
		"    - ipBlock: {}\n"
		"    - ipBlock: {cidr: 10.0.0.1}\n"
		"    - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8, 11.0.0.0/16, \"fd00::/64\", x, null]}\n"
		"    - {ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}\n"
		"    - ipBlock: {cidr: \" 10.0.0.0/8\"}\n",
		AT
		"7:16: error E021:" OBJECT
		"spec.ingress[0].from[0].ipBlock.cidr: required, for example 10.0.0.0/8\n" AT
		"8:23: error E026:" OBJECT
		"spec.ingress[0].from[1].ipBlock.cidr: expected a block like 10.0.0.0/8 or 2001:db8::/32, found \"10.0.0.1\"\n" AT
		"9:43: error E026:" OBJECT
		"spec.ingress[0].from[2].ipBlock.except[4]: expected a block inside cidr, found nothing\n" AT
		"9:44: error E026:" OBJECT
		"spec.ingress[0].from[2].ipBlock.except[0]: expected a smaller block inside cidr 10.0.0.0/8, found \"10.0.0.0/8\"\n" AT
		"9:56: error E026:" OBJECT
		"spec.ingress[0].from[2].ipBlock.except[1]: expected a smaller block inside cidr 10.0.0.0/8, found \"11.0.0.0/16\"\n" AT
		"9:69: error E026:" OBJECT
		"spec.ingress[0].from[2].ipBlock.except[2]: expected a smaller block inside cidr 10.0.0.0/8, found \"fd00::/64\"\n" AT
		"9:82: error E026:" OBJECT
		"spec.ingress[0].from[2].ipBlock.except[3]: expected a block like 10.0.0.0/8 or 2001:db8::/32, found \"x\"\n" AT
		"10:7: error E031:" OBJECT
		"spec.ingress[0].from[3]: ipBlock and selectors exclude each other in one peer: make them two items of the list\n" AT
		"11:23: error E026:" OBJECT
		"spec.ingress[0].from[4].ipBlock.cidr: expected a block like 10.0.0.0/8 or 2001:db8::/32, found \" 10.0.0.0/8\"\n");
}

/* ---- Selectors ---- */

static bool matches(const char *selector, const char *labels)
{
	_cleanup_(mem_free) char *text = mem_printf(
		HEAD
		"spec: {podSelector: %s}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: %s}\n",
		selector, labels);
	with_store *s = read_text(text);

	assert_diags(s, "");
	return kube_selector_matches(&s->policies[0]->pods, &s->namespaces[0]->meta.labels);
}

static void np_23_operators_match_present_and_absent_keys(void **state)
{
	assert_true(matches("{matchLabels: {a: b}}", "{a: b, c: d}"));
	assert_false(matches("{matchLabels: {a: b, e: f}}", "{a: b}"));
	assert_true(
		matches("{matchExpressions: [{key: a, operator: In, values: [z, b]}]}", "{a: b}"));
	assert_false(
		matches("{matchExpressions: [{key: a, operator: In, values: [z]}]}", "{a: b}"));
	assert_false(matches("{matchExpressions: [{key: a, operator: In, values: [z]}]}", "{}"));
	assert_true(matches("{matchExpressions: [{key: a, operator: NotIn, values: [z]}]}", "{}"));
	assert_false(
		matches("{matchExpressions: [{key: a, operator: NotIn, values: [z]}]}", "{a: z}"));
	assert_true(matches("{matchExpressions: [{key: a, operator: Exists}]}", "{a: \"\"}"));
	assert_false(matches("{matchExpressions: [{key: a, operator: Exists}]}", "{b: a}"));
	assert_true(matches("{matchExpressions: [{key: a, operator: DoesNotExist, values: []}]}",
			    "{b: a}"));
	assert_false(matches(
		"{matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]}",
		"{a: b}"));
	assert_true(matches("{}", "{}"));
}

static void parse_8_labels_are_case_sensitive(void **state)
{
	assert_false(matches("{matchLabels: {App: web}}", "{app: web}"));
	assert_false(matches("{matchLabels: {app: Web}}", "{app: web}"));
}

static void equal_selectors_decode_to_equal_requirements(void **state)
{
	with_store *s = read_text(
		HEAD
		"spec: {podSelector: {matchLabels: {b: x, a: w}, matchExpressions: [{key: b, operator: In, values: [x, x]}]}}\n");
	const struct kube_selector *sel = &only_policy(s)->pods;

	assert_int_equal(sel->n, 2);
	assert_string_equal(sel->items[0].key, "a");
	assert_string_equal(sel->items[1].key, "b");
	assert_int_equal(sel->items[1].n, 1);
}

static void selectors_that_the_api_server_refuses_are_refused(void **state)
{
	assert_found(
		HEAD "spec:\n"
		     "  podSelector:\n"
		     "    matchLabels: {\"a b\": c, d: \"-\", e: 1}\n"
		     "    matchExpressions:\n"
		     "    - {key: a, operator: In}\n"
		     "    - {key: a, operator: Exists, values: [x]}\n"
		     "    - {key: a, operator: Equals, values: [x]}\n"
		     "    - {key: a, values: [x]}\n"
		     "    - {operator: DoesNotExist}\n",
		AT
		"6:26: error E013:" OBJECT
		"spec.podSelector.matchLabels[\"a b\"]: \"a b\" is not a label key: [prefix/]name, at most 63 letters, digits, -, _ and . that begin and end with a letter or digit\n" AT
		"6:32: error E013:" OBJECT
		"spec.podSelector.matchLabels.d: \"-\" is not a label value: at most 63 letters, digits, -, _ and . that begin and end with a letter or digit\n" AT
		"6:40: error E020:" OBJECT
		"spec.podSelector.matchLabels.e: expected a string, found the number 1: put it in quotes\n" AT
		"8:7: error E030:" OBJECT
		"spec.podSelector.matchExpressions[0].values: In needs at least one value\n" AT
		"9:42: error E030:" OBJECT
		"spec.podSelector.matchExpressions[1].values: Exists takes no values: remove them, or use In\n" AT
		"10:26: error E022:" OBJECT
		"spec.podSelector.matchExpressions[2].operator: expected In, NotIn, Exists or DoesNotExist, found \"Equals\"\n" AT
		"11:7: error E021:" OBJECT
		"spec.podSelector.matchExpressions[3].operator: required: In, NotIn, Exists or DoesNotExist\n" AT
		"12:7: error E021:" OBJECT
		"spec.podSelector.matchExpressions[4].key: required: the key of a label\n");
}

static void wrong_types_are_reported_once_and_decoding_continues(void **state)
{
	assert_found(HEAD "spec:\n"
			  "  podSelector: all\n"
			  "  policyTypes: [Ingress, ingress, ~]\n"
			  "  ingress: {from: []}\n"
			  "  egress:\n"
			  "  - to: [x, {podSelector: []}]\n",
		     AT "5:16: error E020:" OBJECT
			"spec.podSelector: expected a mapping, found the string \"all\"\n" AT
			"6:16: error E029:" OBJECT
			"spec.policyTypes: expected at most 2 types, found 3\n" AT
			"6:16: error E022:" OBJECT
			"spec.policyTypes[2]: expected Ingress or Egress, found nothing\n" AT
			"6:26: error E022:" OBJECT
			"spec.policyTypes[1]: expected Ingress or Egress, found \"ingress\"\n" AT
			"7:12: error E020:" OBJECT
			"spec.ingress: expected a list, found a mapping\n" AT
			"9:10: error E020:" OBJECT
			"spec.egress[0].to[0]: expected a mapping, found the string \"x\"\n" AT
			"9:27: error E020:" OBJECT
			"spec.egress[0].to[1].podSelector: expected a mapping, found a list\n");
}

static void objects_with_errors_are_left_out_of_the_store(void **state)
{
	with_store *s = read_text(HEAD "spec: {ingress: [{from: [{}]}]}\n");

	assert_int_equal(s->n_policies, 0);
	assert_int_equal(s->diags.errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(np_7_effective_types_of_the_yaml_shapes),
		cmocka_unit_test(np_10_12_13_absent_null_and_empty_lists_are_the_same),
		cmocka_unit_test(y17_np_14_an_empty_peer_is_refused),
		cmocka_unit_test(parse_2_an_empty_selector_differs_from_an_absent_one),
		cmocka_unit_test(np_15_16_17_36_ports_and_ranges_are_decoded),
		cmocka_unit_test(y23_parse_3_a_number_in_quotes_is_not_a_port),
		cmocka_unit_test(a_port_name_has_at_most_15_characters),
		cmocka_unit_test(y24_invalid_end_ports_are_refused),
		cmocka_unit_test(ports_and_protocols_out_of_range_are_refused),
		cmocka_unit_test(np_26_28_blocks_are_decoded_with_exceptions),
		cmocka_unit_test(blocks_that_the_api_server_refuses_are_refused),
		cmocka_unit_test(np_23_operators_match_present_and_absent_keys),
		cmocka_unit_test(parse_8_labels_are_case_sensitive),
		cmocka_unit_test(equal_selectors_decode_to_equal_requirements),
		cmocka_unit_test(selectors_that_the_api_server_refuses_are_refused),
		cmocka_unit_test(wrong_types_are_reported_once_and_decoding_continues),
		cmocka_unit_test(objects_with_errors_are_left_out_of_the_store),
	};

	return run_group("kube_policy", tests, ARRAY_SIZE(tests));
}
