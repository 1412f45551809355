// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What was written and has no effect is never passed over in silence (PARSE-10): fields that the
 * kind does not have, fields that Weir does not serve, misspelt kinds. And what a server wrote, or
 * what is repeated, is no noise.
 */
#include "base/diag_group.h"
#include "kube/schema.h"
#include "kube_test.h"

#define POLICY(spec)                                                                       \
	"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, " \
	"namespace: q}\nspec: {podSelector: {}" spec "}\n"
#define SERVICE(name, spec) \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: q}\nspec:\n" spec
#define CONTAINERS "containers: [{name: c}]"

/* ---- Fields that the kind does not have ---- */

static void parse_10_a_rule_with_a_port_is_not_a_rule_with_ports(void **state)
{
	with_store *s = read_text(POLICY(", ingress: [{port: 5432}]"));

	assert_diags(
		s,
		"f.yaml:5:36: warning: NetworkPolicy q/p: spec.ingress[0].port: no such field, ignored; "
		"did you mean spec.ingress[0].ports[].port?\n");
	assert_int_equal(s->n_policies, 1);
	assert_int_equal(s->diags.errors, 0);
}

static void parse_10_a_misspelt_field_is_warned_of_with_the_nearest_one(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ POLICY(", policytypes: [Egress]"),
		  "f.yaml:5:25: warning: NetworkPolicy q/p: spec.policytypes: no such field, ignored; "
		  "did you mean policyTypes?\n" },
		{ POLICY(", ingres: []"),
		  "f.yaml:5:25: warning: NetworkPolicy q/p: spec.ingres: no such field, ignored; "
		  "did you mean ingress?\n" },
		{ POLICY(", ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, excepts: [10.1.0.0/16]}}]}]"),
		  "f.yaml:5:72: warning: NetworkPolicy q/p: spec.ingress[0].from[0].ipBlock.excepts: "
		  "no such field, ignored; did you mean except?\n" },
		{ SERVICE("s", "  selectors: {app: x}\n  ports: [{port: 80, targetport: 8080}]\n"),
		  "f.yaml:6:3: warning: Service q/s: spec.selectors: no such field, ignored; did you mean "
		  "selector?\n"
		  "f.yaml:7:22: warning: Service q/s: spec.ports[0].targetport: no such field, ignored; "
		  "did you mean targetPort?\n" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: p, label: {app: x}}\nspec: {" CONTAINERS
		  ", hostnetwork: true}\n",
		  "f.yaml:3:21: warning: Pod default/p: metadata.label: no such field, ignored; did you "
		  "mean labels?\n"
		  "f.yaml:4:33: warning: Pod default/p: spec.hostnetwork: no such field, ignored; did you "
		  "mean hostNetwork?\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_found(cases[i].text, cases[i].expected);
}

static void parse_10_a_field_that_is_indented_wrongly_is_named_where_it_belongs(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		/* too deep */
		{ POLICY(", ingress: [{from: [{podSelector: {}, ports: [{port: 80}]}]}]"),
		  "f.yaml:5:61: warning: NetworkPolicy q/p: spec.ingress[0].from[0].ports: no such field, "
		  "ignored; did you mean spec.ingress[0].ports?\n" },
		/* not deep enough: in one place, in one of two, and far below */
		{ POLICY(", ingress: [{namespaceSelector: {}}]"),
		  "f.yaml:5:36: warning: NetworkPolicy q/p: spec.ingress[0].namespaceSelector: no such "
		  "field, ignored; did you mean spec.ingress[0].from[].namespaceSelector?\n" },
		{ POLICY(", ports: [{port: 80}]"),
		  "f.yaml:5:25: warning: NetworkPolicy q/p: spec.ports: no such field, ignored; did you "
		  "mean spec.egress[].ports or spec.ingress[].ports?\n" },
		{ "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: p}\nspec:\n  schedule: '0 3 * * *'\n"
		  "  restartPolicy: Never\n"
		  "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, " CONTAINERS
		  "}}}}\n",
		  "f.yaml:6:3: warning: CronJob default/p: spec.restartPolicy: no such field, ignored; did "
		  "you mean spec.jobTemplate.spec.template.spec.restartPolicy?\n" },
		/* in a mapping beside an outer one */
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {" CONTAINERS
		  ", podIP: 10.0.0.1}\n",
		  "f.yaml:4:33: warning: Pod default/p: spec.podIP: no such field, ignored; did you mean "
		  "status.podIP?\n" },
		{ "apiVersion: v1\nkind: Pod\nlabels: {app: x}\nmetadata: {name: p}\nspec: {" CONTAINERS
		  "}\n",
		  "f.yaml:3:1: warning: Pod default/p: labels: no such field, ignored; did you mean "
		  "metadata.labels?\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_found(cases[i].text, cases[i].expected);
}

static void parse_10_labels_beside_match_labels_are_named_as_such(void **state)
{
	assert_found(
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
		"spec: {podSelector: {app: web}}\n",
		"f.yaml:4:22: warning: NetworkPolicy default/p: spec.podSelector.app: no such field, "
		"ignored; did you mean spec.podSelector.matchLabels.app?\n");
}

static void parse_10_the_beginning_of_a_name_is_recognized(void **state)
{
	assert_found(
		SERVICE("s", "  ports: [{port: 80, target: 8080}]\n"),
		"f.yaml:6:22: warning: Service q/s: spec.ports[0].target: no such field, ignored; did "
		"you mean targetPort?\n");
}

static void parse_10_without_a_guess_a_short_list_of_fields_is_given(void **state)
{
	assert_found(
		POLICY(", description: {}"),
		"f.yaml:5:25: warning: NetworkPolicy q/p: spec.description: no such field, ignored; "
		"known here: egress, ingress, podSelector and policyTypes\n");
	assert_found(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, colour: red}\nspec: {" CONTAINERS
		"}\n",
		"f.yaml:3:21: warning: Pod default/p: metadata.colour: no such field, ignored\n");
}

static void svc_120_a_removed_field_is_named_with_its_successor(void **state)
{
	assert_found(
		SERVICE("s", "  topologyKeys: ['*']\n  ipFamily: IPv4\n  ports: [{port: 80}]\n"),
		"f.yaml:6:3: warning: Service q/s: spec.topologyKeys: no such field, ignored: removed "
		"in Kubernetes 1.22; trafficDistribution takes its place\n"
		"f.yaml:7:3: warning: Service q/s: spec.ipFamily: no such field, ignored: removed in "
		"Kubernetes 1.20; ipFamilies takes its place\n");
}

static void fields_at_every_depth_are_checked_beside_an_error(void **state)
{
	assert_found(
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
		"  selectors: {matchLabels: {app: x}}\n"
		"  template:\n    metadata: {labels: {app: x}}\n    spec:\n      " CONTAINERS "\n"
		"      volumes:\n      - name: v\n        projected: {sources: [{configMap: {items: "
		"[{keys: k, path: p}]}}]}\n",
		"f.yaml:5:3: error E021: Deployment default/d: spec.selector: required: labels of the "
		"template, for example matchLabels: {app: web}\n"
		"f.yaml:5:3: warning: Deployment default/d: spec.selectors: no such field, ignored; did you "
		"mean selector?\n"
		"f.yaml:12:53: warning: Deployment default/d: "
		"spec.template.spec.volumes[0].projected.sources[0].configMap.items[0].keys: no such field, "
		"ignored; did you mean key?\n");
}

static void json_names_are_case_sensitive(void **state)
{
	assert_found(
		"{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"n\"},\n"
		" \"Spec\": {}}",
		"f.yaml:2:2: warning: Namespace n: Spec: no such field, ignored; did you mean spec?\n");
}

static void items_of_lists_and_lists_themselves_are_checked(void **state)
{
	assert_found(
		"apiVersion: v1\nkind: PodList\nmetadata: {resourceVersion: '7', extra: 1}\nitems:\n"
		"- metadata: {name: p}\n  spec: {" CONTAINERS ", nodename: n}\n",
		"f.yaml:3:34: warning: PodList: metadata.extra: no such field, ignored; known here: "
		"continue, remainingItemCount, resourceVersion, selfLink and shardInfo\n"
		"f.yaml:6:35: warning: Pod default/p: spec.nodename: no such field, ignored; did you "
		"mean nodeName?\n");
}

static void content_without_fixed_names_is_not_checked(void **state)
{
	assert_found(
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {colour: red}\n"
		"  annotations: {port: '1', a.b/c: d}\n  creationTimestamp: null\n  uid: u\n"
		"  managedFields:\n  - manager: kubelet\n    operation: Update\n    apiVersion: v1\n"
		"    fieldsType: FieldsV1\n    subresource: status\n    time: '2026-01-02T03:04:05Z'\n"
		"    fieldsV1: {'f:status': {'f:podIP': {}, 'k:{\"a\":1}': {.: {}}}}\n"
		"spec:\n  nodeSelector: {disk: fast}\n  overhead: {cpu: 1}\n  containers:\n"
		"  - name: c\n    resources: {limits: {cpu: 100m, example.com/x: 1}}\n"
		"    livenessProbe: {httpGet: {port: http}}\n",
		"");
}

static void a_status_that_a_server_wrote_may_have_fields_of_another_version(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p%s}\nspec: {" CONTAINERS
		"}\nstatus: {podIp: 10.0.0.1}\n";
	_cleanup_(mem_free) char *served = mem_printf(text, ", uid: u");
	_cleanup_(mem_free) char *written = mem_printf(text, "");

	assert_found(served, "");
	assert_found(written, "f.yaml:5:10: warning: Pod default/p: status.podIp: no such field, "
			      "ignored; did you mean podIP?\n");
}

static void equal_mistakes_are_one_warning(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 500; i++)
		fprintf(out, SERVICE("s%d", "  ports: [{port: 80}]\n  selectors: {a: b}\n"), i);
	fclose(out);
	assert_found(text,
		     "f.yaml:7:3: warning: Service q/s0: spec.selectors: no such field, ignored; "
		     "did you mean selector? (also at f.yaml:14:3, f.yaml:21:3 and 497 more)\n");
}

static void an_index_makes_no_difference_and_an_alias_is_one_place(void **state)
{
	assert_found(
		POLICY(", ingress: [{port: 1}, {port: 2}], egress: [{port: 3}]"),
		"f.yaml:5:36: warning: NetworkPolicy q/p: spec.ingress[0].port: no such field, "
		"ignored; did you mean spec.ingress[0].ports[].port? (also at f.yaml:5:47)\n"
		"f.yaml:5:68: warning: NetworkPolicy q/p: spec.egress[0].port: no such field, ignored; "
		"did you mean spec.egress[0].ports[].port?\n");
	assert_found(
		POLICY(", ingress: [&a {port: 1}, *a]"),
		"f.yaml:5:39: warning: NetworkPolicy q/p: spec.ingress[0].port: no such field, "
		"ignored; did you mean spec.ingress[0].ports[].port?\n");
}

static void different_mistakes_are_shown_up_to_a_limit(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fputs("apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n", out);
	for (int i = 0; i < 5000; i++)
		fprintf(out, "x%d: 1\n", i);
	fclose(out);
	with_store *s = read_text(text);

	assert_int_equal(s->diags.n, DIAG_KEPT_MAX);
	assert_int_equal(s->diags.more[DIAG_WARNING], 5000 - DIAG_KEPT_MAX);
}

/* ---- Fields that are not served ---- */

static void assert_unserved(const char *text, unsigned int flags, const char *expected)
{
	with_store *s = read_with_defaults(text, flags);
	size_t n = 0;

	for (size_t i = 0; i < s->diags.n; i++) {
		struct diag d = s->diags.items[i];

		if (d.level == DIAG_NOTE)
			continue;
		s->diags.items[i] = s->diags.items[n];
		s->diags.items[n++] = d;
	}
	diag_drop(&s->diags, n);
	assert_diags(s, expected);
}

static void fields_of_services_are_served(void **state)
{
	assert_unserved(
		SERVICE("s",
			"  type: LoadBalancer\n  clusterIP: 10.96.0.1\n  ports: [{port: 80}]\n"
			"  sessionAffinity: ClientIP\n  externalIPs: [192.0.2.1]\n"
			"  externalTrafficPolicy: Local\n  loadBalancerSourceRanges: [192.0.2.0/24]\n"),
		0, "");
}

static void a_value_that_changes_nothing_is_not_warned_of(void **state)
{
	assert_unserved(
		SERVICE("s",
			"  type: ClusterIP\n  clusterIP: 10.96.0.1\n  ports: [{port: 80}]\n"
			"  sessionAffinity: None\n  externalIPs: []\n  externalTrafficPolicy: ''\n"
			"  internalTrafficPolicy: Local\n  publishNotReadyAddresses: true\n"),
		0, "");
}

#define SLICE                                                                                      \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: " \
	"{name: e, namespace: q, labels: {kubernetes.io/service-name: s}}\n"

static void svc_25_hints_are_missed_only_where_slices_are_derived(void **state)
{
	static const char text[] = SERVICE("s", "  clusterIP: 10.96.0.1\n  ports: [{port: 80}]\n"
						"  trafficDistribution: PreferSameZone\n"
						"  selector: {app: x}\n");
	static const char annotated[] =
		"apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  annotations:\n"
		"    service.kubernetes.io/topology-mode: Auto\n"
		"spec: {clusterIP: 10.96.0.1, selector: {app: x}, ports: [{port: 80}]}\n";
	_cleanup_(mem_free) char *with_slice = mem_printf("%s%s", text, SLICE);

	assert_unserved(
		text, 0,
		"f.yaml:8:24: warning: Service q/s: spec.trafficDistribution: not served for "
		"Services whose EndpointSlices Weir derives: every node uses all endpoints; hints in "
		"EndpointSlices of the input are used\n");
	assert_unserved(
		annotated, 0,
		"f.yaml:6:42: warning: Service default/s: "
		"metadata.annotations[\"service.kubernetes.io/topology-mode\"]: not served for "
		"Services whose EndpointSlices Weir derives: every node uses all endpoints; hints in "
		"EndpointSlices of the input are used\n");
	assert_unserved(with_slice, 0, "");
}

static void node_affinity_matters_where_pods_are_made(void **state)
{
	static const char text[] =
		"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: q}\nspec:\n"
		"  selector: {matchLabels: {app: x}}\n  template:\n    metadata: {labels: {app: x}}\n"
		"    spec:\n      " CONTAINERS "\n      affinity:\n        nodeAffinity:\n"
		"          requiredDuringSchedulingIgnoredDuringExecution:\n"
		"            nodeSelectorTerms: [{matchExpressions: [{key: k, operator: Exists}]}]\n";

	assert_unserved(
		text, STORE_ASSIGN,
		"f.yaml:13:13: warning: DaemonSet q/d: spec.template.spec.affinity.nodeAffinity."
		"requiredDuringSchedulingIgnoredDuringExecution: not evaluated: a pod is made on every "
		"node that nodeSelector and taints leave\n");
	assert_unserved(
		text, 0,
		"f.yaml:1:1: warning: DaemonSet q/d: no Pod of this DaemonSet is in the input, and "
		"load does not create pods: add its Pods\n");
}

static void unserved_fields_of_many_objects_are_one_warning(void **state)
{
	assert_unserved(
		SERVICE("a",
			"  clusterIP: 10.96.0.1\n  ports: [{port: 80}]\n  trafficDistribution: "
			"PreferSameZone\n  selector: {app: x}\n")
			SERVICE("b",
				"  clusterIP: 10.96.0.2\n  ports: [{port: 80}]\n"
				"  trafficDistribution: PreferSameZone\n  selector: {app: x}\n"),
		STORE_ASSIGN,
		"f.yaml:8:24: warning: Service q/a: spec.trafficDistribution: not served for Services whose "
		"EndpointSlices Weir derives: every node uses all endpoints; hints in EndpointSlices of the "
		"input are used (also at f.yaml:17:24)\n");
}

/* ---- Kinds ---- */

#define KIND(api, kind) "apiVersion: " api "\nkind: " kind "\nmetadata: {name: x}\n"

static void parse_10_a_misspelt_kind_is_warned_of(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ KIND("networking.k8s.io/v1", "Networkpolicy"),
		  "no kind Networkpolicy in networking.k8s.io/v1; did you mean NetworkPolicy?" },
		{ KIND("networking.k8s.io/v1", "NetworkPolicies"),
		  "no kind NetworkPolicies in networking.k8s.io/v1; did you mean NetworkPolicy?" },
		{ KIND("v1", "Servce"), "no kind Servce in v1; did you mean Service?" },
		{ KIND("v1", "pod"), "no kind pod in v1; did you mean Pod?" },
		{ KIND("v1", "PdoList"), "no kind Pdo in v1; did you mean Pod?" },
		{ KIND("apps/v1", "Deploymnt"),
		  "no kind Deploymnt in apps/v1; did you mean Deployment?" },
		{ KIND("apps/v1beta2", "StatefulSets"),
		  "no kind StatefulSets in apps/v1beta2; did you mean StatefulSet?" },
		{ KIND("batch/v1", "Cronjob"),
		  "no kind Cronjob in batch/v1; did you mean CronJob?" },
		{ KIND("discovery.k8s.io/v1", "EndpointSlices"),
		  "no kind EndpointSlices in discovery.k8s.io/v1; did you mean EndpointSlice?" },
		{ KIND("apps/v1", "Servce"), "no kind Servce in apps/v1; did you mean Service?" },
		{ KIND("v1", "Ingress"), "no kind Ingress in v1; it has one in networking.k8s.io" },
		{ KIND("apps/v1", "ConfigMap"), "no kind ConfigMap in apps/v1; it has one in v1" },
		{ KIND("v1", "Unheardof"), "no kind Unheardof in v1" },
		{ KIND("networking.k8s.oi/v1", "NetworkPolicy"),
		  "no API group networking.k8s.oi; did you mean networking.k8s.io/v1?" },
		{ KIND("app/v1", "Deployment"), "no API group app; did you mean apps/v1?" },
		{ KIND("core/v1", "Service"), "no API group core; did you mean v1?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *expected = mem_printf(
			"f.yaml:2:7: warning: ignored: Kubernetes has %s\n", cases[i].expected);

		assert_found(cases[i].text, expected);
	}
}

static void kinds_that_kubernetes_has_are_a_note(void **state)
{
	static const char *const kinds[][2] = {
		{ "v1", "ConfigMap" },
		{ "v1", "Secret" },
		{ "v1", "PersistentVolumeClaim" },
		{ "v1", "ServiceAccount" },
		{ "v1", "ConfigMapList" },
		{ "v1", "Event" },
		{ "apps/v1", "ControllerRevision" },
		{ "networking.k8s.io/v1", "Ingress" },
		{ "networking.k8s.io/v1beta1", "Ingress" },
		{ "networking.k8s.io/v1", "IngressClass" },
		{ "networking.k8s.io/v1", "ServiceCIDR" },
		{ "rbac.authorization.k8s.io/v1", "Rolee" },
		{ "serving.knative.dev/v1", "Service" },
		{ "networking.istio.io/v1", "Servce" },
		{ "crd.projectcalico.org/v1", "NetworkPolicy" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(KIND("%s", "%s"), kinds[i][0], kinds[i][1]);
		with_store *s = read_text(text);

		assert_int_equal(s->diags.n, 1);
		assert_int_equal(s->diags.items[0].level, DIAG_NOTE);
	}
}

/* ---- The schema ---- */

static size_t depth_of(const struct schema_type *type)
{
	size_t deepest = 0;

	for (size_t i = 0; i < type->n; i++) {
		const struct schema_type *inner = schema_type_of(&type->fields[i]);
		size_t depth = inner ? 1 + depth_of(inner) : 1;

		assert_true(*type->fields[i].name);
		assert_true(!i || strcmp(type->fields[i - 1].name, type->fields[i].name) < 0);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

static void the_schema_has_every_kind_sorted_and_of_bounded_depth(void **state)
{
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		const struct schema_type *type = schema_find(kube_kind_text(kind));

		assert_non_null(type);
		assert_true(depth_of(type) <= SCHEMA_DEPTH_MAX);
	}
	assert_non_null(schema_find("List"));
	assert_null(schema_find("Nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_10_a_rule_with_a_port_is_not_a_rule_with_ports),
		cmocka_unit_test(parse_10_a_misspelt_field_is_warned_of_with_the_nearest_one),
		cmocka_unit_test(
			parse_10_a_field_that_is_indented_wrongly_is_named_where_it_belongs),
		cmocka_unit_test(parse_10_labels_beside_match_labels_are_named_as_such),
		cmocka_unit_test(parse_10_the_beginning_of_a_name_is_recognized),
		cmocka_unit_test(parse_10_without_a_guess_a_short_list_of_fields_is_given),
		cmocka_unit_test(svc_120_a_removed_field_is_named_with_its_successor),
		cmocka_unit_test(fields_at_every_depth_are_checked_beside_an_error),
		cmocka_unit_test(json_names_are_case_sensitive),
		cmocka_unit_test(items_of_lists_and_lists_themselves_are_checked),
		cmocka_unit_test(content_without_fixed_names_is_not_checked),
		cmocka_unit_test(a_status_that_a_server_wrote_may_have_fields_of_another_version),
		cmocka_unit_test(equal_mistakes_are_one_warning),
		cmocka_unit_test(an_index_makes_no_difference_and_an_alias_is_one_place),
		cmocka_unit_test(different_mistakes_are_shown_up_to_a_limit),
		cmocka_unit_test(fields_of_services_are_served),
		cmocka_unit_test(a_value_that_changes_nothing_is_not_warned_of),
		cmocka_unit_test(svc_25_hints_are_missed_only_where_slices_are_derived),
		cmocka_unit_test(node_affinity_matters_where_pods_are_made),
		cmocka_unit_test(unserved_fields_of_many_objects_are_one_warning),
		cmocka_unit_test(parse_10_a_misspelt_kind_is_warned_of),
		cmocka_unit_test(kinds_that_kubernetes_has_are_a_note),
		cmocka_unit_test(the_schema_has_every_kind_sorted_and_of_bounded_depth),
	};

	return run_group("kube_fields", tests, ARRAY_SIZE(tests));
}
