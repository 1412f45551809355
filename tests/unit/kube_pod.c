// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Pod, Node, Namespace, and for all kinds: metadata, lists, unknown kinds and fields. */
#include "kube_test.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
#define ONE "spec: {containers: [{name: c}]}\n"
#define OBJECT " Pod default/p: "

static const struct kube_pod *only_pod(struct store *s)
{
	assert_diags(s, "");
	assert_int_equal(s->n_pods, 1);
	return s->pods[0];
}

/* ---- metadata and documents ---- */

static void a_missing_kind_or_api_version_is_an_error(void **state)
{
	assert_found("metadata: {name: p}\n",
		     "f.yaml:1:1: error E010: apiVersion: required, for example v1\n"
		     "f.yaml:1:1: error E010: kind: required, for example NetworkPolicy\n");
	assert_found("kind: Pod\nmetadata: {name: p}\n",
		     "f.yaml:1:1: error E010: Pod: apiVersion: required, for example v1\n");
	assert_found(
		"just text\n",
		"f.yaml:1:1: error E020: expected an object with apiVersion and kind, found the string \"just text\"\n");
	assert_found(
		"- a\n",
		"f.yaml:1:1: error E020: expected an object with apiVersion and kind, found a list\n");
}

static void unknown_kinds_are_noted_once_for_each_kind(void **state)
{
	assert_found(
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: Any Thing}}\n"
		"---\n{apiVersion: v1, kind: ConfigMap}\n"
		"---\n{apiVersion: crd.example.com/v1, kind: NetworkPolicy}\n",
		"f.yaml:1:1: note: ignored: Weir does not read kind ConfigMap (v1); further ones are not reported\n"
		"f.yaml:5:1: note: ignored: Weir does not read kind NetworkPolicy (crd.example.com/v1); further ones are not reported\n");
}

static void parse_1_unknown_fields_are_ignored_at_any_depth(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Pod\nextra: {a: [1]}\nmetadata: {name: p, managedFields: [{f:x: {}}]}\n"
		"spec: {containers: [{name: c, later: {deep: 1}, ports: [{containerPort: 80, new: 1}]}], a: 1}\n");

	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_pods, 1);
	assert_int_equal(s->pods[0]->n_ports, 1);
}

static void lists_hold_objects_of_all_kinds_and_keep_positions(void **state)
{
	with_store *s = read_text("apiVersion: v1\nkind: List\nitems:\n"
				  "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
				  "- apiVersion: v1\n  kind: PodList\n  items:\n"
				  "  - metadata: {name: p}\n    spec: {containers: [{name: c}]}\n");

	assert_int_equal(only_pod(s)->meta.src.line, 8);
	assert_int_equal(s->pods[0]->meta.src.col, 5);
	assert_int_equal(s->n_namespaces, 1);
	assert_found(
		"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n {\"kind\":\"Pod\"}, 7]}",
		"f.yaml:2:2: error E010: Pod: apiVersion: required, for example v1\n"
		"f.yaml:2:18: error E020: List: items[1]: expected a mapping, found the number 7\n");
}

static void names_and_labels_are_validated(void **state)
{
	assert_found(
		"apiVersion: v1\nkind: Pod\nmetadata: {namespace: A, labels: {a/b/c: x}}\n" ONE,
		"f.yaml:3:11: error E011: Pod: metadata.name: required\n"
		"f.yaml:3:23: error E011: Pod: metadata.namespace: \"A\" is not a valid namespace: at most 63 of a-z, 0-9 and -\n"
		"f.yaml:3:42: error E013: Pod: metadata.labels[\"a/b/c\"]: \"a/b/c\" is not a label key: [prefix/]name, at most 63 letters, digits, -, _ and . that begin and end with a letter or digit\n");
	assert_found(
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b, annotations: {x: true}}\n",
		"f.yaml:3:18: error E011: Namespace a.b: metadata.name: \"a.b\" is not a valid name: at most 63 of a-z, 0-9 and -, a letter or digit at both ends\n"
		"f.yaml:3:40: error E020: Namespace a.b: metadata.annotations.x: expected a string, found the boolean true: put it in quotes\n");
}

static void timestamps_are_read_with_their_time_zone(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, creationTimestamp: \"2026-01-01T01:00:00.25+01:00\", "
		"deletionTimestamp: 2026-01-01T00:00:00Z}\n" ONE);

	with_store *west = read_text(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, creationTimestamp: \"2025-12-31T18:30:00-05:30\"}\n" ONE);

	assert_true(only_pod(s)->meta.created == 1767225600 && s->pods[0]->meta.deleting);
	assert_true(only_pod(west)->meta.created == 1767225600);
	assert_found(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, creationTimestamp: yesterday}\n" ONE,
		"f.yaml:3:40: error E032:" OBJECT
		"metadata.creationTimestamp: expected a time like 2006-01-02T15:04:05Z, found \"yesterday\"\n");
}

/* ---- Pod ---- */

static void np_32_ports_are_those_of_containers_then_of_sidecars(void **state)
{
	with_store *s = read_text(
		POD
		"spec:\n"
		"  containers:\n"
		"  - {name: a, ports: [{containerPort: 80, name: web}, {containerPort: 53, protocol: UDP}]}\n"
		"  - {name: b, ports: [{containerPort: 81, name: web}]}\n"
		"  initContainers:\n"
		"  - {name: init, ports: [{containerPort: 1}]}\n"
		"  - {name: side, restartPolicy: Always, ports: [{containerPort: 15021, name: health}]}\n");
	const struct kube_pod *p = only_pod(s);

	assert_int_equal(p->n_ports, 4);
	assert_true(p->ports[0].port == 80 && p->ports[0].proto == 6 && p->ports[1].proto == 17);
	assert_string_equal(p->ports[2].name, "web");
	assert_true(p->ports[3].port == 15021);
}

static void np_61_a_pod_has_one_address_of_each_family(void **state)
{
	with_store *s = read_text(
		POD ONE "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}]}\n");
	const struct kube_pod *p = only_pod(s);

	assert_addr(&p->addr[0], "10.0.0.1");
	assert_addr(&p->addr[1], "fd00::1");
	assert_found(
		POD ONE "status: {podIPs: [{ip: 10.0.0.1}, {ip: 10.0.0.2}, {ip: x}]}\n",
		"f.yaml:5:40: error E028:" OBJECT
		"status.podIPs[1].ip: a second IPv4 address: a pod has at most one of each family\n"
		"f.yaml:5:56: error E025:" OBJECT
		"status.podIPs[2].ip: expected an IPv4 or IPv6 address, found \"x\"\n");
}

static void readiness_is_the_condition_or_without_it_the_phase(void **state)
{
	static const struct {
		const char *status;
		enum kube_phase phase;
		bool ready, has_status;
	} cases[] = {
		{ "{}", KUBE_PENDING, false, false },
		{ "{qosClass: BestEffort}", KUBE_PENDING, false, false },
		{ "{phase: Running}", KUBE_RUNNING, true, true },
		{ "{phase: Running, conditions: []}", KUBE_RUNNING, false, true },
		{ "{phase: Running, conditions: [{type: Ready, status: \"True\"}]}", KUBE_RUNNING,
		  true, true },
		{ "{phase: Running, conditions: [{type: Ready, status: \"False\"}]}", KUBE_RUNNING,
		  false, true },
		{ "{phase: Running, conditions: [{type: Initialized, status: \"True\"}]}",
		  KUBE_RUNNING, false, true },
		{ "{phase: Pending, podIP: 10.0.0.1}", KUBE_PENDING, false, true },
		{ "{podIP: 10.0.0.1}", KUBE_RUNNING, true, true },
		{ "{phase: Succeeded}", KUBE_SUCCEEDED, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(POD ONE "status: %s\n", cases[i].status);
		with_store *s = read_text(text);
		const struct kube_pod *p = only_pod(s);

		if (p->phase != cases[i].phase || p->ready != cases[i].ready ||
		    p->has_status != cases[i].has_status)
			fail_msg("%s: phase %d ready %d status %d", cases[i].status, p->phase,
				 p->ready, p->has_status);
	}
}

static void invalid_fields_of_a_pod_are_errors(void **state)
{
	assert_found(POD "spec: {containers: []}\n",
		     "f.yaml:4:20: error E021:" OBJECT
		     "spec.containers: required: at least one container\n");
	assert_found(
		POD
		"spec:\n"
		"  hostNetwork: yes please\n"
		"  nodeName: Node_1\n"
		"  containers:\n"
		"  - {ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}\n"
		"  - {name: c, ports: [{}, {name: \"80\", containerPort: 70000, protocol: http}]}\n"
		"status: {phase: running}\n",
		"f.yaml:5:16: error E020:" OBJECT
		"spec.hostNetwork: expected true or false, found the string \"yes please\"\n"
		"f.yaml:6:13: error E011:" OBJECT
		"spec.nodeName: \"Node_1\" is not a node name: at most 253 of a-z, 0-9, - and .\n"
		"f.yaml:8:5: error E021:" OBJECT "spec.containers[0].name: required\n"
		"f.yaml:8:51: error E028:" OBJECT
		"spec.containers[0].ports[1].name: port name \"a\" is given twice\n"
		"f.yaml:9:23: error E021:" OBJECT
		"spec.containers[1].ports[0].containerPort: required: an integer from 1 to 65535\n"
		"f.yaml:9:34: error E024:" OBJECT
		"spec.containers[1].ports[1].name: \"80\" is not a port name: at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row\n"
		"f.yaml:9:55: error E023:" OBJECT
		"spec.containers[1].ports[1].containerPort: expected an integer from 1 to 65535, found 70000\n"
		"f.yaml:9:72: error E022:" OBJECT
		"spec.containers[1].ports[1].protocol: expected TCP, UDP or SCTP, found \"http\"\n"
		"f.yaml:10:17: error E022:" OBJECT
		"status.phase: expected Pending, Running, Succeeded, Failed or Unknown, found \"running\"\n");
}

/* ---- Node and Namespace ---- */

static void addresses_of_a_node_are_read_once_each(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1.example}\nstatus:\n  addresses:\n"
		"  - {type: Hostname, address: n1}\n"
		"  - {type: InternalIP, address: 172.18.0.2}\n"
		"  - {type: ExternalIP, address: \"2001:db8::2\"}\n"
		"  - {type: ExternalIP, address: 172.18.0.2}\n");

	assert_diags(s, "");
	assert_int_equal(s->nodes[0]->n_addrs, 2);
	assert_addr(&s->nodes[0]->addrs[0], "172.18.0.2");
	assert_addr(&s->nodes[0]->addrs[1], "2001:db8::2");
	assert_string_equal(s->nodes[0]->meta.ns, "");
}

static void a_node_has_at_most_1000_addresses(void **state)
{
	for (int n = 1000; n <= 1001; n++) {
		_cleanup_(mem_free) char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		fputs("apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus:\n  addresses:\n",
		      out);
		for (int i = 0; i < n; i++)
			fprintf(out, "  - {type: InternalIP, address: 10.0.%d.%d}\n", i / 250,
				i % 250);
		fclose(out);
		assert_found(
			text,
			n == 1000
				? ""
				: "f.yaml:6:3: error E002: Node n1: status.addresses: Weir reads at most 1000 addresses, found 1001\n");
	}
}

static void np_22_a_namespace_carries_its_name_as_a_label(void **state)
{
	with_store *s = read_text(
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {z: x, b: c}}\n");
	const struct kube_labels *l = &s->namespaces[0]->meta.labels;

	assert_int_equal(l->n, 3);
	assert_string_equal(kube_label(l, "kubernetes.io/metadata.name"), "a");
	assert_string_equal(kube_label(l, "z"), "x");
	assert_null(kube_label(l, "name"));
}

static void the_same_object_reads_the_same_from_yaml_and_json(void **state)
{
	with_store *y = read_text(
		POD
		"spec:\n  nodeName: n1\n  containers:\n  - name: c\n    ports:\n    - containerPort: 80\n");
	with_store *j = read_text(
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n1\","
		"\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}]}}");
	const struct kube_pod *a = only_pod(y), *b = only_pod(j);

	assert_string_equal(a->node, b->node);
	assert_string_equal(a->meta.ns, b->meta.ns);
	assert_int_equal(a->ports[0].port, b->ports[0].port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_kind_or_api_version_is_an_error),
		cmocka_unit_test(unknown_kinds_are_noted_once_for_each_kind),
		cmocka_unit_test(parse_1_unknown_fields_are_ignored_at_any_depth),
		cmocka_unit_test(lists_hold_objects_of_all_kinds_and_keep_positions),
		cmocka_unit_test(names_and_labels_are_validated),
		cmocka_unit_test(timestamps_are_read_with_their_time_zone),
		cmocka_unit_test(np_32_ports_are_those_of_containers_then_of_sidecars),
		cmocka_unit_test(np_61_a_pod_has_one_address_of_each_family),
		cmocka_unit_test(readiness_is_the_condition_or_without_it_the_phase),
		cmocka_unit_test(invalid_fields_of_a_pod_are_errors),
		cmocka_unit_test(addresses_of_a_node_are_read_once_each),
		cmocka_unit_test(a_node_has_at_most_1000_addresses),
		cmocka_unit_test(np_22_a_namespace_carries_its_name_as_a_label),
		cmocka_unit_test(the_same_object_reads_the_same_from_yaml_and_json),
	};

	return run_group("kube_pod", tests, ARRAY_SIZE(tests));
}
