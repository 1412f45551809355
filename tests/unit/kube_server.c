// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the API server tolerates or defaults is read as it reads it (PARSE-3, PARSE-10).
 * diff_apiserver compares with the server itself, where it can be built.
 */
#include "kube_test.h"

#define SERVICE(name, spec) \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {" spec "}\n"
#define JOB(metadata)                                                \
	"---\napiVersion: batch/v1\nkind: Job\nmetadata: {" metadata \
	"}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}\n"
#define SLICE(ports)                                                                       \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: e}\n" \
	"addressType: IPv4\nendpoints: []\nports: [" ports "]\n"
#define POLICY(block)                                                                              \
	"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n" \
	"  ingress: [{from: [{ipBlock: {cidr: \"" block "\"}}]}]\n"

static void parse_3_a_target_port_of_0_or_no_text_is_the_port(void **state)
{
	static const char *const texts[] = { "0", "\"\"", "null", "0.0", "-0" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(SERVICE("s", "ports: [{port: 8080, targetPort: %s}]"), texts[i]);
		with_store *s = read_text(text);

		assert_diags(s, "");
		assert_false(s->services[0]->ports[0].target_is_name);
		assert_int_equal(s->services[0]->ports[0].target_port, 8080);
	}
	assert_found(
		SERVICE("s", "ports: [{port: 8080, targetPort: -1}]"),
		"f.yaml:5:41: error E023: Service default/s: spec.ports[0].targetPort: expected "
		"an integer from 1 to 65535, found -1\n");
}

static void parse_10_a_service_name_may_begin_with_a_digit(void **state)
{
	assert_found(SERVICE("1st-shop", "ports: [{port: 80}]"), "");
	assert_found(SERVICE("\"1\"", "ports: [{port: 80}]"), "");
	assert_found("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n"
		     "spec: {serviceName: 1st, selector: {matchLabels: {a: b}},\n"
		     "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}\n",
		     "");
}

static void parse_10_generate_name_is_a_name_to_be_made(void **state)
{
	with_store *s = read_with_defaults(JOB("generateName: web-") JOB("generateName: web-"), 0);

	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_workloads[KUBE_JOB - KUBE_WORKLOAD_FIRST], 2);
	assert_non_null(store_workload(s, KUBE_JOB, "default", "web-bbbbb"));
	assert_non_null(store_workload(s, KUBE_JOB, "default", "web-bbbbc"));
}

static void parse_10_generate_name_is_checked_as_a_name(void **state)
{
	assert_found(
		JOB("generateName: Web-"),
		"f.yaml:4:26: error E011: Job default/Web-: metadata.generateName: \"Web-\" is not "
		"a valid name: at most 63 of a-z, 0-9, - and ., a letter or digit at both ends\n");
	assert_found(JOB("name: web, generateName: web-"), "");
	assert_found(JOB("name: \"\""), "f.yaml:4:18: error E011: Job: metadata.name: required\n");
}

static void parse_10_a_namespace_of_a_cluster_scoped_kind_is_dropped(void **state)
{
	with_store *s =
		read_text("apiVersion: v1\nkind: Node\nmetadata: {name: node, namespace: x}\n");

	assert_diags(s, "");
	assert_string_equal(s->nodes[0]->meta.ns, "");
}

static void parse_10_an_affinity_config_counts_with_client_ip_only(void **state)
{
	assert_found(SERVICE("s", "ports: [{port: 80}], sessionAffinityConfig: "
				  "{clientIP: {timeoutSeconds: 0}}"),
		     "");
	assert_found(
		SERVICE("s", "ports: [{port: 80}], sessionAffinity: ClientIP, "
			     "sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}"),
		"f.yaml:5:107: error E023: Service default/s: spec.sessionAffinityConfig.clientIP."
		"timeoutSeconds: expected an integer from 1 to 86400, found 0\n");
}

static void svc_12_a_slice_port_0_is_skipped(void **state)
{
	with_store *s = read_text(SLICE("{name: a, port: 0}, {name: b, port: 1}"));

	assert_diags(s, "");
	assert_int_equal(s->slices[0]->n_ports, 1);
	assert_string_equal(s->slices[0]->ports[0].name, "b");
}

#define OLD_BLOCK(text, masked)                                                                   \
	"f.yaml:6:38: warning: NetworkPolicy default/p: spec.ingress[0].from[0].ipBlock.cidr: "   \
	"the API server takes no new block with host bits, leading zeros or mapped IPv4: \"" text \
	"\" is read as " masked "\n"

static void parse_10_a_block_that_new_policies_may_not_have_is_masked_with_a_warning(void **state)
{
	assert_found(POLICY("10.1.2.3/16"), OLD_BLOCK("10.1.2.3/16", "10.1.0.0/16"));
	assert_found(POLICY("010.0.0.0/8"), OLD_BLOCK("010.0.0.0/8", "10.0.0.0/8"));
	assert_found(POLICY("10.0.0.0/08"), OLD_BLOCK("10.0.0.0/08", "10.0.0.0/8"));
	assert_found(POLICY("2001:db8::1/32"), OLD_BLOCK("2001:db8::1/32", "2001:db8::/32"));
	assert_found(POLICY("::ffff:10.0.0.0/104"), OLD_BLOCK("::ffff:10.0.0.0/104", "10.0.0.0/8"));
	assert_found(POLICY("2001:DB8::/32"), "");
	assert_found(POLICY("10.0.0.0/8"), "");
	assert_found(POLICY("::/0"), "");
}

#define NAMESPACE(metadata) "---\napiVersion: v1\nkind: Namespace\nmetadata: {" metadata "}\n"

static void an_object_given_twice_with_the_same_meaning_is_one_object(void **state)
{
	with_store *s = read_with_defaults(
		NAMESPACE("name: a, labels: {a: b, c: d}") NAMESPACE(
			"name: a, labels: {a: b, c: d}") SERVICE("s", "ports: [{port: 80}]")
			SERVICE("s", "ports: [{targetPort: 80, protocol: TCP, port: 80}]")
				NAMESPACE("labels: {c: d, a: b}, name: a, namespace: b"),
		0);

	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_services, 1);
	assert_non_null(store_namespace(s, "a"));
	assert_int_equal(s->n_namespaces, 2); /* and default */
}

static void e012_an_object_given_twice_with_another_meaning_is_an_error(void **state)
{
	with_store *s = read_with_defaults(
		SERVICE("s", "ports: [{port: 80}]") SERVICE("s", "ports: [{port: 81}]"), 0);

	assert_int_equal(s->diags.errors, 1);
	assert_string_equal(s->diags.items[0].code, "E012");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_3_a_target_port_of_0_or_no_text_is_the_port),
		cmocka_unit_test(parse_10_a_service_name_may_begin_with_a_digit),
		cmocka_unit_test(parse_10_generate_name_is_a_name_to_be_made),
		cmocka_unit_test(parse_10_generate_name_is_checked_as_a_name),
		cmocka_unit_test(parse_10_a_namespace_of_a_cluster_scoped_kind_is_dropped),
		cmocka_unit_test(parse_10_an_affinity_config_counts_with_client_ip_only),
		cmocka_unit_test(svc_12_a_slice_port_0_is_skipped),
		cmocka_unit_test(
			parse_10_a_block_that_new_policies_may_not_have_is_masked_with_a_warning),
		cmocka_unit_test(an_object_given_twice_with_the_same_meaning_is_one_object),
		cmocka_unit_test(e012_an_object_given_twice_with_another_meaning_is_an_error),
	};

	return run_group("kube_server", tests, ARRAY_SIZE(tests));
}
