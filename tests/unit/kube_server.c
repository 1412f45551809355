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
	/* the API server does not look at it where a ReplicationController has a name */
	assert_found(
		"apiVersion: v1\nkind: ReplicationController\n"
		"metadata: {name: web, generateName: Web-}\n"
		"spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "
		"i}]}}}\n",
		"");
	assert_found(JOB("name: \"\""), "f.yaml:4:18: error E011: Job: metadata.name: required\n");
}

static void parse_10_the_label_with_a_namespaces_name_is_set_whatever_was_given(void **state)
{
	with_store *s =
		read_text("apiVersion: v1\nkind: Namespace\n"
			  "metadata: {name: a, labels: {kubernetes.io/metadata.name: -}}\n"
			  "---\napiVersion: v1\nkind: Namespace\nmetadata: {generateName: a}\n"
			  "---\napiVersion: v1\nkind: Namespace\nmetadata: {generateName: a}\n");

	assert_diags(s, "");
	assert_int_equal(s->n_namespaces, 3);
	for (size_t i = 0; i < s->n_namespaces; i++)
		assert_string_equal(s->namespaces[i]->meta.labels.items[0].value,
				    s->namespaces[i]->meta.name);
	/* it is set after the check, and only its value is */
	assert_found(
		"apiVersion: v1\nkind: Namespace\n"
		"metadata: {generateName: a, labels: {kubernetes.io/metadata.name: -}}\n",
		"f.yaml:3:67: error E013: Namespace a: metadata.labels[\"kubernetes.io/metadata."
		"name\"]: \"-\" is not a label value: at most 63 letters, digits, -, _ and . that "
		"begin and end with a letter or digit\n");
	assert_found(
		"apiVersion: v1\nkind: Namespace\n"
		"metadata: {name: a, labels: {kubernetes.io/metadata.name: 1}}\n",
		"f.yaml:3:59: error E020: Namespace a: metadata.labels[\"kubernetes.io/metadata."
		"name\"]: expected a string, found the number 1: put it in quotes\n");
}

static void parse_10_the_core_group_may_be_an_empty_text(void **state)
{
	with_store *s = read_text("apiVersion: /v1\nkind: Namespace\nmetadata: {name: a}\n");

	assert_diags(s, "");
	assert_int_equal(s->n_namespaces, 1);
	assert_found(
		"apiVersion: /1\nkind: Pod\nmetadata: {name: a}\n",
		"f.yaml:1:13: error E010: Pod: apiVersion: expected v1 for kind Pod, found \"/1\"\n");
	assert_found(
		"apiVersion: /\nkind: Pod\nmetadata: {name: a}\n",
		"f.yaml:1:13: error E010: Pod: apiVersion: expected group/version, found \"/\"\n");
}

static void parse_10_a_replication_controller_has_the_labels_of_its_template(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\n"
		"spec: {template: {metadata: {labels: {x: z}}, spec: {containers: [{name: c}]}}}\n");

	assert_diags(s, "");
	assert_int_equal(
		s->workloads[KUBE_REPLICATION_CONTROLLER - KUBE_WORKLOAD_FIRST][0]->meta.labels.n,
		1);
}

static void svc_121_an_annotation_without_a_value_is_an_annotation(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Endpoints\n"
		"metadata: {name: a, annotations: {control-plane.alpha.kubernetes.io/leader: }}\n");

	assert_diags(s, "");
	assert_non_null(s->endpoints[0]->not_mirrored);
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

#define META(kind, name, rest) \
	"---\napiVersion: v1\nkind: " kind "\nmetadata: {name: " name "}\n" rest "\n"

/* Exactly one error, of this code at this field. */
static void assert_one_error(const char *text, const char *code, const char *path)
{
	_cleanup_(mem_free) char *expected = mem_printf("%s %s", code, path);
	_cleanup_(mem_free) char *found = mem_strdup("");
	with_store *s = read_text(text);

	for (size_t i = 0; i < s->diags.n; i++) {
		const struct diag *d = &s->diags.items[i];
		char *more = mem_printf("%s%s%s %s", found, *found ? ", " : "", d->code, d->path);

		free(found);
		found = more;
	}
	assert_string_equal(found, expected);
}

static void what_the_api_server_refuses_in_used_fields_is_refused(void **state)
{
	static const struct {
		const char *text, *code, *path;
	} cases[] = {
		{ META("Node", "a", "spec: {taints: [{key: x, effect: Never}]}"), "E022",
		  "spec.taints[0].effect" },
		{ META("Node", "a", "spec: {taints: [{key: x}]}"), "E021",
		  "spec.taints[0].effect" },
		{ META("Node", "a", "spec: {taints: [{key: '', effect: NoSchedule}]}"), "E013",
		  "spec.taints[0].key" },
		{ META("Node", "a",
		       "spec: {taints: [{key: x, effect: NoExecute}, {key: x, effect: NoExecute}]}"),
		  "E028", "spec.taints[1]" },
		{ "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, annotations: {a/: x}}\n",
		  "E013", "metadata.annotations[\"a/\"]" },
		{ META("Pod", "a", "spec: {containers: [{name: c}, {name: c}]}"), "E028",
		  "spec.containers[1].name" },
		{ META("Pod", "a", "spec: {restartPolicy: x, containers: [{name: c}]}"), "E022",
		  "spec.restartPolicy" },
		{ SLICE("{port: 1}, {port: 2}"), "E028", "ports[1].name" },
		{ SLICE("{port: 1, protocol: ''}"), "E022", "ports[0].protocol" },
		{ SERVICE("s", "ports: [null]"), "E021", "spec.ports[0].port" },
		{ SERVICE("s", "ports: [{port: 1}], externalIPs: [127.0.0.1]"), "E025",
		  "spec.externalIPs[0]" },
		{ SERVICE("s", "ports: [{port: 1}], clusterIP: 10.0.0.1, ipFamilies: [IPv6]"),
		  "E027", "spec.ipFamilies[0]" },
		{ SERVICE("s", "ports: [{port: 1}], ipFamilyPolicy: ''"), "E022",
		  "spec.ipFamilyPolicy" },
		{ "apiVersion: v1/\nkind: Pod\n", "E010", "apiVersion" },
		{ "apiVersion: a/b/c\nkind: Pod\n", "E010", "apiVersion" },
		{ "apiVersion: v1\nkind: List\nitems: [null]\n", "E010", "apiVersion, E010 kind" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_one_error(cases[i].text, cases[i].code, cases[i].path);
}

static void a_stateful_set_names_its_pods_so_other_host_names_do_not_matter(void **state)
{
	assert_found(
		"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n"
		"spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},\n"
		"  spec: {hostname: A, subdomain: ., containers: [{name: c}]}}}\n",
		"");
	assert_one_error("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s.t}\n"
			 "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: "
			 "{a: b}}, spec: {containers: [{name: c}]}}}\n",
			 "E011", "metadata.name");
}

static void a_jobs_selector_may_be_what_the_api_server_would_make(void **state)
{
	static const char job[] =
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n"
		"spec: {selector: {%s}, template: {spec: {restartPolicy: Never, containers: [{name: c}]}}}\n";
	_cleanup_(mem_free) char *empty = mem_printf(job, ""),
				 *name = mem_printf(job, "matchLabels: {job-name: j}"),
				 *other = mem_printf(job, "matchLabels: {app: x}");

	assert_found(empty, "");
	assert_found(name, "");
	assert_one_error(other, "E027", "spec.selector");
}

static void pod_ip_counts_where_pod_ips_begin_with_another(void **state)
{
	with_store *s = read_text(
		META("Pod", "a",
		     "spec: {containers: [{name: c}]}\n"
		     "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}"));

	assert_diags(s, "");
	assert_addr(&s->pods[0]->addr[0], "10.0.0.1");
	assert_addr(&s->pods[0]->addr[1], "none");
}

static void what_has_items_is_a_list_and_they_may_lack_their_kind(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n"
		"---\napiVersion: v1\nkind: Anything\nitems:\n"
		"- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
		"---\napiVersion: v1\nkind: List\nitems:\n"
		"- {apiVersion: v1, kind: NamespaceList, items: [{metadata: {name: c}}]}\n");

	assert_diags(s, "");
	assert_int_equal(s->n_namespaces, 3);
}

static void times_are_those_of_rfc_3339(void **state)
{
	static const char *const wrong[] = {
		"2026-1-01T00:00:00Z",  "2026-02-30T00:00:00Z",     "2026-01-01T24:00:00Z",
		"2026-01-01 00:00:00Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00",  "10000-01-01T00:00:00Z",    "2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00z", " 2026-01-01T00:00:00Z",    "",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_(mem_free) char *text = mem_printf(
			"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, creationTimestamp: '%s'}\n",
			wrong[i]);

		assert_one_error(text, "E032", "metadata.creationTimestamp");
	}
	assert_found("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, creationTimestamp: "
		     "'2024-02-29T23:59:59.123456+01:30'}\n",
		     "");
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
		cmocka_unit_test(
			parse_10_the_label_with_a_namespaces_name_is_set_whatever_was_given),
		cmocka_unit_test(parse_10_the_core_group_may_be_an_empty_text),
		cmocka_unit_test(parse_10_a_replication_controller_has_the_labels_of_its_template),
		cmocka_unit_test(svc_121_an_annotation_without_a_value_is_an_annotation),
		cmocka_unit_test(parse_10_a_namespace_of_a_cluster_scoped_kind_is_dropped),
		cmocka_unit_test(parse_10_an_affinity_config_counts_with_client_ip_only),
		cmocka_unit_test(svc_12_a_slice_port_0_is_skipped),
		cmocka_unit_test(
			parse_10_a_block_that_new_policies_may_not_have_is_masked_with_a_warning),
		cmocka_unit_test(what_the_api_server_refuses_in_used_fields_is_refused),
		cmocka_unit_test(a_stateful_set_names_its_pods_so_other_host_names_do_not_matter),
		cmocka_unit_test(a_jobs_selector_may_be_what_the_api_server_would_make),
		cmocka_unit_test(pod_ip_counts_where_pod_ips_begin_with_another),
		cmocka_unit_test(what_has_items_is_a_list_and_they_may_lack_their_kind),
		cmocka_unit_test(times_are_those_of_rfc_3339),
		cmocka_unit_test(an_object_given_twice_with_the_same_meaning_is_one_object),
		cmocka_unit_test(e012_an_object_given_twice_with_another_meaning_is_an_error),
	};

	return run_group("kube_server", tests, ARRAY_SIZE(tests));
}
