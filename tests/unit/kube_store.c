// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The store after reading: order, duplicates, implied objects, assigned addresses, derived slices,
 * look-ups, files.
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kube_test.h"

#define POD(ns, name, more)                                                         \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns \
	", labels: {app: x}}\n" more
#define ONE "spec: {containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]}\n"
#define RUNS(ip) "status: {phase: Running, podIP: " ip "}\n"
#define NODE(name, status) "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n" status
#define SVC(name, spec)                                              \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name \
	", namespace: a}\nspec: {" spec "}\n"

static const struct kube_slice *slice_of(const struct store *s, const char *service, int family)
{
	for (size_t i = 0; i < s->n_slices; i++)
		if (!strcmp(s->slices[i]->service, service) && s->slices[i]->family == family)
			return s->slices[i];
	return NULL;
}

static size_t slices_of(const struct store *s, const char *service)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_slices; i++)
		n += !strcmp(s->slices[i]->service, service);
	return n;
}

/* ---- Order, duplicates, namespaces ---- */

static void objects_are_sorted_by_namespace_and_name(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("b", "a", ONE), POD("a", "z", ONE), POD("a", "b", ONE)), STORE_ASSIGN);

	assert_int_equal(s->n_pods, 3);
	assert_string_equal(s->pods[0]->meta.name, "b");
	assert_string_equal(s->pods[1]->meta.name, "z");
	assert_string_equal(s->pods[2]->meta.ns, "b");
	assert_ptr_equal(store_pod(s, "a", "z"), s->pods[1]);
	assert_null(store_pod(s, "a", "a"));
}

static void a_duplicate_is_an_error_at_the_second_with_the_position_of_the_first(void **state)
{
	with_store *s = read_with_defaults(NODE("n1", "") POD("a", "p", ONE)
						   POD("a", "p", ONE RUNS("10.0.0.1"))
					   /* another namespace or kind is another object */
					   POD("b", "p", ONE) NODE("p", ""),
					   STORE_ASSIGN);

	assert_int_equal(s->diags.errors, 1);
	assert_int_equal(s->n_pods, 2);
	assert_false(s->pods[0]->has_status);
	for (size_t i = 0; i < s->diags.n; i++) {
		const struct diag *d = &s->diags.items[i];

		if (d->level != DIAG_ERROR)
			continue;
		assert_string_equal(d->code, "E012");
		assert_int_equal(d->src.line, 11);
		assert_string_equal(d->object, "Pod a/p");
		assert_string_equal(
			d->message,
			"given twice with different content, first at f.yaml:6:1: remove one");
	}
}

#define IN_B(name, spec)                                             \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name \
	", namespace: b}\nspec: {" spec "}\n"

static const char *const conflicts[] = {
	IN_B("first", "clusterIP: 10.96.0.1, type: NodePort, ports: [{port: 80, nodePort: 30080}]"),
	SVC("address", "clusterIP: 10.96.0.1, ports: [{port: 81}]"),
	SVC("six", "clusterIP: \"fd00::1\", ports: [{port: 80}]"),
	SVC("port", "type: NodePort, ports: [{name: u, port: 80, protocol: UDP, nodePort: 30080}, "
		    "{name: t, port: 80, nodePort: 30080}]"),
	SVC("dual", "clusterIPs: [10.96.0.2, \"fd00::1\"], ports: [{port: 80}]"),
	SVC("none", "clusterIP: None"),
	SVC("nil", "clusterIP: None"),
	NULL,
};

/* The first in the input wins, not the first by name: b/first. */
static void an_address_or_port_of_another_service_is_refused_at_the_second(void **state)
{
	with_store *s = read_objects(conflicts, STORE_ADMIT);
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < s->diags.n; i++)
		if (s->diags.items[i].level == DIAG_ERROR)
			fprintf(out, "%d %s %s: %s: %s\n", s->diags.items[i].src.line,
				s->diags.items[i].code, s->diags.items[i].object,
				s->diags.items[i].path, s->diags.items[i].message);
	fclose(out);
	assert_string_equal(
		text,
		"7 E034 Service a/address: spec.clusterIP: 10.96.0.1 belongs to Service b/first at f.yaml:2:1: the API server would refuse it\n"
		"17 E034 Service a/port: spec.ports[1].nodePort: 30080/TCP belongs to Service b/first at f.yaml:2:1: the API server would refuse it\n"
		"22 E034 Service a/dual: spec.clusterIP: fd00::1 belongs to Service a/six at f.yaml:12:1: the API server would refuse it\n");
}

static void an_address_of_a_pod_or_node_that_a_service_takes_is_told(void **state)
{
	static const char *const objects[] = {
		SVC("pod", "clusterIP: 10.244.0.1, ports: [{port: 80}]"),
		SVC("node", "clusterIP: \"fd00::1\", ports: [{port: 80}]"),
		SVC("none", "clusterIP: None"),
		SVC("more", "clusterIP: 10.96.0.1, ports: [{port: 80}], "
			    "externalIPs: [\"fd00::1\", 10.244.0.2, 203.0.113.1]"),
		POD("b", "p", ONE RUNS("10.244.0.1")),
		POD("b", "q", ONE RUNS("10.244.0.2")),
		POD("b", "ended", ONE "status: {phase: Failed, podIP: 10.244.0.1}\n"),
		NODE("n1", "status: {addresses: [{type: InternalIP, address: \"fd00::1\"}]}\n"),
		NULL,
	};
	static const char told[] = " is also the address of ";
	with_store *s = read_objects(objects, STORE_ADMIT);
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < s->diags.n; i++) {
		const struct diag *d = &s->diags.items[i];

		if (strstr(d->message, told) && d->level == DIAG_WARNING)
			fprintf(out, "%s %s %s\n", d->object, d->path, d->message);
	}
	fclose(out);
	assert_string_equal(
		text,
		"Service a/pod spec.clusterIP 10.244.0.1 is also the address of Pod b/p: packets to it reach this Service\n"
		"Service a/node spec.clusterIP fd00::1 is also the address of Node n1: packets to it reach this Service\n"
		"Service a/more spec.externalIPs 10.244.0.2 is also the address of Pod b/q: packets to it reach this Service\n");
}

static void svc_7_conflicts_admitted_by_a_server_are_no_errors(void **state)
{
	with_store *s = read_objects(conflicts, 0);

	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_services, 7);
}

static void np_22_namespaces_are_implied_by_objects_in_them(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("b", "p", ONE), POD("a", "p", ONE), SVC("s", "ports: [{port: 1}]"),
			"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {name: a}}\n"
			"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"),
		STORE_ASSIGN);
	const struct kube_namespace *b = store_namespace(s, "b");

	assert_int_equal(s->n_namespaces, 3);
	assert_false(store_namespace(s, "a")->implied);
	assert_true(b->implied && store_namespace(s, "default")->implied);
	assert_string_equal(kube_label(&b->meta.labels, "kubernetes.io/metadata.name"), "b");
	assert_null(kube_label(&b->meta.labels, "name"));
	assert_string_equal(
		kube_label(&store_namespace(s, "a")->meta.labels, "kubernetes.io/metadata.name"),
		"a");
	assert_null(store_namespace(s, "c"));
}

/* ---- Assigned addresses ---- */

static void assert_in(const struct weir_addr *a, const char *range)
{
	struct cidr c;

	assert_int_equal(cidr_parse(range, &c), 0);
	assert_true(cidr_holds(&c, a));
}

static void objects_without_an_address_get_one_and_a_note_lists_them(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("b", "p", ONE), POD("a", "p", ONE), SVC("s", "ports: [{port: 80}]"),
			SVC("t", "ports: [{port: 80}], ipFamilyPolicy: RequireDualStack")),
		STORE_ASSIGN);

	assert_diags(
		s,
		"note: assigned addresses to 1 node (172.18.0.0/16, fd00:172:18::/64), 2 pods (10.244.0.0/14, fd00:10:244::/64), 2 Services (10.96.0.0/12, fd00:10:96::/108); assuming that these pods are Running and Ready\n");
	assert_in(&s->pods[0]->addr[0], "10.244.0.0/14");
	assert_in(&s->pods[0]->addr[1], "fd00:10:244::/64");
	assert_in(&s->pods[1]->addr[0], "10.244.0.0/14");
	assert_true(s->pods[1]->phase == KUBE_RUNNING && s->pods[1]->ready);
	assert_string_equal(s->pods[1]->node, "node");
	assert_in(&s->nodes[0]->addrs[0], "172.18.0.0/16");
	assert_in(&s->services[0]->cluster_ip[0], "10.96.0.0/12");
	assert_addr(&s->services[0]->cluster_ip[1], "none");
	assert_in(&s->services[1]->cluster_ip[1], "fd00:10:96::/108");
	assert_false(s->services[0]->needs_cluster_ip);
}

/* Users note and compare them: they must not change from one version of Weir to the next. */
static void assigned_addresses_do_not_change_between_versions(void **state)
{
	with_store *s = read_with_defaults(POD("a", "p", ONE) SVC("s", "ports: [{port: 80}]"),
					   STORE_ASSIGN);

	assert_addr(&s->pods[0]->addr[0], "10.245.132.19");
	assert_addr(&s->pods[0]->addr[1], "fd00:10:244::1:8413");
	assert_addr(&s->services[0]->cluster_ip[0], "10.109.220.108");
	assert_addr(&s->nodes[0]->addrs[0], "172.18.150.214");
}

#define MANY 400

/* Pods and Services 0 … n - 1 in several namespaces, without one of them, in either order. */
static struct store *many(int n, int without, bool backwards)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int k = 0; k < n; k++) {
		int i = backwards ? n - 1 - k : k;

		if (i != without)
			fprintf(out,
				"---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, namespace: n%d}, "
				"spec: {containers: [{name: c}]}}\n---\n{apiVersion: v1, kind: Service, "
				"metadata: {name: p%d, namespace: n%d}, spec: {ports: [{port: 80}]}}\n",
				i, i % 7, i, i % 7);
	}
	fclose(out);
	return read_with_defaults(text, STORE_ASSIGN);
}

static size_t readdressed(const struct store *s, const struct store *t)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_meta *m = &s->pods[i]->meta;
		const struct kube_pod *pod = store_pod(t, m->ns, m->name);
		const struct kube_service *svc = store_service(t, m->ns, m->name);

		n += pod && memcmp(pod->addr, s->pods[i]->addr, sizeof(pod->addr));
		n += svc && memcmp(svc->cluster_ip, store_service(s, m->ns, m->name)->cluster_ip,
				   sizeof(svc->cluster_ip));
	}
	return n;
}

static void assigned_addresses_do_not_depend_on_other_objects(void **state)
{
	with_store *all = many(MANY, -1, false);

	for (int i = 0; i < MANY; i += 57) {
		with_store *less = many(MANY, i, false);

		assert_int_equal(less->n_pods, MANY - 1);
		assert_int_equal(readdressed(less, all), 0);
	}
}

static void assigned_addresses_do_not_depend_on_the_order_of_input(void **state)
{
	with_store *forwards = many(MANY, -1, false), *backwards = many(MANY, -1, true);

	assert_int_equal(readdressed(forwards, backwards), 0);
}

static void an_assigned_address_that_is_taken_is_replaced_by_the_next(void **state)
{
	with_store *s =
		read_objects(OBJECTS(POD("a", "p", ONE), POD("z", "q", ONE RUNS("10.245.132.19")),
				     POD("z", "r", ONE RUNS("10.245.132.20")),
				     POD("z", "s", ONE RUNS("\"fd00:10:244::1:8413\""))),
			     STORE_ASSIGN);

	assert_addr(&store_pod(s, "a", "p")->addr[0], "10.245.132.21");
	assert_addr(&store_pod(s, "a", "p")->addr[1], "fd00:10:244::1:8414");
}

static int by_addr(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static void addresses_are_assigned_to_150000_pods_in_linear_time(void **state)
{
	static struct weir_addr addrs[150000];
	_cleanup_(mem_free) char *text = NULL;
	struct timespec start, end;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[", out);
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		fprintf(out,
			"%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%zu\"},"
			"\"spec\":{\"containers\":[{\"name\":\"c\"}]}}",
			i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	with_store *s = read_with_defaults(text, STORE_ASSIGN);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_pods, ARRAY_SIZE(addrs));
	for (int family = 0; family < 2; family++) {
		for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
			addrs[i] = s->pods[i]->addr[family];
		qsort(addrs, ARRAY_SIZE(addrs), sizeof(*addrs), by_addr);
		for (size_t i = 1; i < ARRAY_SIZE(addrs); i++)
			assert_true(addr_compare(&addrs[i - 1], &addrs[i]) < 0);
	}
	assert_true(end.tv_sec - start.tv_sec < 15);
}

static void assigned_addresses_avoid_given_ones_and_use_their_families(void **state)
{
	with_store *s = read_objects(
		OBJECTS(NODE("n1",
			     "status: {addresses: [{type: InternalIP, address: 10.245.132.20}]}\n"),
			POD("a", "p", ONE), POD("a", "b", ONE RUNS("10.245.132.19")),
			SVC("t", "clusterIP: 10.109.220.108, ports: [{port: 80}]"),
			SVC("s", "ports: [{port: 80}]")),
		STORE_ASSIGN);

	assert_addr(&store_pod(s, "a", "p")->addr[0], "10.245.132.21");
	assert_addr(&store_pod(s, "a", "p")->addr[1], "none");
	assert_addr(&store_service(s, "a", "s")->cluster_ip[0], "10.109.220.109");
	assert_string_equal(store_pod(s, "a", "p")->node, "n1");
	assert_diags(
		s,
		"note: assigned addresses to 1 pod (10.244.0.0/14), 1 Service (10.96.0.0/12); assuming that these pods are Running and Ready\n");
}

static void an_ipv6_only_cluster_is_assigned_ipv6_only(void **state)
{
	with_store *s =
		read_objects(OBJECTS(POD("a", "a", ONE), POD("a", "b", ONE RUNS("\"fd00::1\"")),
				     SVC("s", "ports: [{port: 80}]")),
			     STORE_ASSIGN);

	assert_addr(&s->pods[0]->addr[0], "none");
	assert_in(&s->pods[0]->addr[1], "fd00:10:244::/64");
	assert_in(&s->services[0]->cluster_ip[1], "fd00:10:96::/108");
	assert_addr(&s->services[0]->cluster_ip[0], "none");
}

static void ended_pods_get_no_address_and_nodes_are_implied(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("a", "done", ONE "status: {phase: Succeeded}\n"),
			POD("a", "host",
			    "spec: {nodeName: n2, hostNetwork: true, containers: [{name: c}]}\n"),
			POD("a", "far", "spec: {nodeName: n1, containers: [{name: c}]}\n"),
			POD("a", "sick",
			    ONE
			    "status: {phase: Running, conditions: [{type: Ready, status: \"False\"}]}\n")),
		STORE_ASSIGN);
	const struct kube_pod *host = store_pod(s, "a", "host");

	assert_addr(&store_pod(s, "a", "done")->addr[0], "none");
	assert_int_equal(store_pod(s, "a", "done")->phase, KUBE_SUCCEEDED);
	assert_int_equal(s->n_nodes, 2);
	assert_true(weir_addr_equal(&host->addr[0], &store_node(s, "n2")->addrs[0]));
	assert_true(weir_addr_equal(&host->addr[1], &store_node(s, "n2")->addrs[1]));
	assert_null(store_pod_by_addr(s, &host->addr[0]));
	assert_false(store_pod(s, "a", "sick")->ready);
	assert_string_equal(store_pod(s, "a", "sick")->node, "n1");
}

/* Nothing is done with such an input: the note would hide the warning or the errors. */
static void without_objects_or_with_errors_nothing_is_noted(void **state)
{
	with_store *empty = read_with_defaults("", STORE_ASSIGN);
	with_store *wrong = read_objects(
		OBJECTS(POD("a", "p", ONE), SVC("s", "ports: [{port: 0}]")), STORE_ASSIGN);

	assert_true(store_is_empty(empty));
	assert_false(store_is_empty(wrong));
	assert_diags(empty, "");
	assert_diags(
		wrong,
		"f.yaml:10:23: error E023: Service a/s: spec.ports[0].port: expected an integer from 1 to 65535, found 0\n");
}

static void without_assigning_a_missing_address_is_a_warning(void **state)
{
	with_store *s = read_objects(OBJECTS(POD("a", "p", ONE), SVC("s", "ports: [{port: 80}]"),
					     SVC("h", "clusterIP: None")),
				     0);

	assert_diags(
		s,
		"f.yaml:2:1: warning: Pod a/p: status.podIPs: missing: without an IP, Services and selectors ignore this Pod; use manifests read from the cluster (kubectl get pods -A -o yaml) or 'weir sandbox up', which assigns IPs\n"
		"f.yaml:7:1: warning: Service a/s: spec.clusterIP: missing: Weir does not serve this Service; use manifests read from the cluster\n");
	assert_addr(&s->pods[0]->addr[0], "none");
	assert_true(!s->pods[0]->ready && s->services[1]->needs_cluster_ip);
	assert_int_equal(s->n_nodes, 0);
	assert_int_equal(s->n_slices, 0);
}

static void an_exhausted_range_is_an_error_and_no_address_is_assigned_twice(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size, errors = 0;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 65536; i++) /* the range of nodes has 65534 */
		fprintf(out, "---\n{apiVersion: v1, kind: Node, metadata: {name: n%05d}}\n", i);
	fclose(out);
	with_store *s = read_with_defaults(text, STORE_ASSIGN);
	for (size_t i = 0; i < s->diags.n; i++)
		errors += s->diags.items[i].level == DIAG_ERROR &&
			  !strcmp(s->diags.items[i].code, "E033");
	assert_int_equal(errors, 4); /* two nodes, both families */
	assert_int_equal(s->nodes[65533]->n_addrs, 2);
	assert_int_equal(s->nodes[65534]->n_addrs, 0);
}

/* ---- Derived slices ---- */

static void derived_endpoints_have_the_conditions_of_their_pods(void **state)
{
	static const char *const objects[] = {
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: gone, namespace: a, labels: {app: x}, "
		"deletionTimestamp: 2026-01-01T00:00:00Z}\n" ONE RUNS("10.0.0.3"),
		NODE("n1", ""),
		POD("a", "ok", "spec: {nodeName: n1, containers: [{name: c}]}\n" RUNS("10.0.0.1")),
		POD("a", "sick", ONE "status: {phase: Running, podIP: 10.0.0.2, conditions: []}\n"),
		POD("a", "over", ONE "status: {phase: Failed, podIP: 10.0.0.4}\n"),
		POD("a", "new", ONE "status: {phase: Pending}\n"),
		POD("b", "else", ONE RUNS("10.0.0.5")),
		SVC("s", "clusterIP: 10.96.0.1, selector: {app: x}, ports: [{port: 80}]"),
		SVC("all",
		    "clusterIP: 10.96.0.2, selector: {app: x}, ports: [{port: 80}], publishNotReadyAddresses: true"),
		NULL,
	};
	with_store *s = read_objects(objects, 0);
	const struct kube_slice *slice = slice_of(s, "s", 0), *all = slice_of(s, "all", 0);
	const struct kube_endpoint *e = slice->endpoints;

	assert_int_equal(slice->n_endpoints, 3);
	assert_addr(&e[0].addr, "10.0.0.3"); /* gone, ok, sick */
	assert_true(!e[0].ready && e[0].serving && e[0].terminating);
	assert_true(e[1].ready && e[1].serving && !e[1].terminating);
	assert_string_equal(e[1].node, "n1");
	assert_true(!e[2].ready && !e[2].serving && !e[2].terminating);
	assert_true(all->endpoints[0].ready && all->endpoints[2].ready &&
		    !all->endpoints[2].serving);
	assert_true(slice->derived && !strcmp(slice->meta.ns, "a"));
	assert_int_equal(slice->ports[0].port, 80);
	assert_string_equal(slice->ports[0].name, "");
}

static void svc_13_named_target_ports_resolve_on_each_pod(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("a", "p1", ONE),
			POD("a", "p2",
			    "spec: {containers: [{name: c, ports: [{name: web, containerPort: 9090}]}]}\n"),
			POD("a", "p3", ONE),
			POD("a", "p4",
			    "spec: {containers: [{name: c, ports: [{name: web, containerPort: 53, protocol: UDP}]}]}\n"),
			SVC("s",
			    "selector: {app: x}, ports: [{name: h, port: 80, targetPort: web}, {name: m, port: 81}]")),
		STORE_ASSIGN);
	size_t with_8080 = 0, with_9090 = 0, without = 0;

	assert_int_equal(slices_of(s, "s"), 3);
	for (size_t i = 0; i < s->n_slices; i++) {
		const struct kube_slice *slice = s->slices[i];

		if (slice->n_ports == 1) {
			assert_string_equal(slice->ports[0].name, "m");
			without += slice->n_endpoints;
		} else if (slice->ports[0].port == 8080) {
			with_8080 += slice->n_endpoints;
		} else {
			assert_int_equal(slice->ports[0].port, 9090);
			with_9090 += slice->n_endpoints;
		}
	}
	assert_true(with_8080 == 2 && with_9090 == 1 && without == 1);
}

static void slices_are_derived_by_family_unless_one_is_given(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("a", "p", ONE), SVC("given", "selector: {app: x}, ports: [{port: 80}]"),
			"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
			"metadata: {name: e, namespace: a, labels: {kubernetes.io/service-name: given}}\n",
			SVC("dual",
			    "selector: {app: x}, ports: [{port: 80}], ipFamilyPolicy: PreferDualStack"),
			SVC("six", "selector: {app: x}, ports: [{port: 80}], ipFamilies: [IPv6]"),
			SVC("none", "ports: [{port: 80}]"),
			SVC("unselected", "selector: {app: z}, ports: [{port: 80}]"),
			SVC("headless", "clusterIP: None, selector: {app: x}")),
		STORE_ASSIGN);

	assert_int_equal(slices_of(s, "given"), 1);
	assert_false(slice_of(s, "given", 0)->derived);
	assert_int_equal(slices_of(s, "dual"), 2);
	assert_addr(&slice_of(s, "dual", 1)->endpoints[0].addr, "fd00:10:244::1:8413");
	assert_true(slice_of(s, "six", 1) && !slice_of(s, "six", 0));
	assert_int_equal(slices_of(s, "none") + slices_of(s, "unselected"), 0);
	assert_int_equal(slices_of(s, "headless"), 1);
}

static void a_service_selects_pods_with_all_labels_in_its_namespace(void **state)
{
	with_store *s = read_objects(
		OBJECTS("---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a, labels: {app: x, tier: w}}\n" ONE,
			POD("a", "q", ONE), POD("b", "r", ONE),
			SVC("s", "selector: {app: x, tier: w}, ports: [{port: 80}]"),
			SVC("t", "selector: {app: x}, ports: [{port: 80}]")),
		STORE_ASSIGN);

	assert_int_equal(slice_of(s, "s", 0)->n_endpoints, 1);
	assert_int_equal(slice_of(s, "t", 0)->n_endpoints, 2);
}

/* ---- Look-ups ---- */

static void np_56_60_61_an_address_belongs_to_one_running_pod(void **state)
{
	with_store *s = read_objects(
		OBJECTS(POD("a", "over", ONE "status: {phase: Succeeded, podIP: 10.0.0.1}\n"),
			POD("a", "now",
			    ONE
			    "status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}]}\n"),
			POD("a", "host",
			    "spec: {hostNetwork: true, containers: [{name: c}]}\n" RUNS(
				    "10.0.0.2")),
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: leaving, namespace: a, deletionTimestamp: 2026-01-02T00:00:00Z, "
			"creationTimestamp: 2026-01-02T00:00:00Z}\n" ONE RUNS("10.0.0.3"),
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: older, namespace: a, creationTimestamp: 2026-01-01T00:00:00Z}\n" ONE
				RUNS("10.0.0.3"),
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: young, namespace: a, creationTimestamp: 2026-01-01T00:00:01Z}\n" ONE
				RUNS("10.0.0.3")),
		0);
	static const struct {
		const char *addr, *pod;
	} cases[] = { { "10.0.0.1", "now" },
		      { "fd00::1", "now" },
		      { "10.0.0.2", NULL },
		      { "10.0.0.3", "young" },
		      { "10.0.0.9", NULL } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kube_pod *pod;
		struct weir_addr a;

		addr_parse(cases[i].addr, &a);
		pod = store_pod_by_addr(s, &a);
		if (!cases[i].pod)
			assert_null(pod);
		else
			assert_string_equal(pod->meta.name, cases[i].pod);
	}
}

static void this_node_is_the_option_then_the_environment_then_the_only_node(void **state)
{
	with_store *one = read_with_defaults(NODE("n1", ""), 0);
	with_store *two = read_with_defaults(NODE("n1", "") NODE("n2", ""), 0);
	with_store *none = read_with_defaults("", 0);
	struct weir_err err;

	assert_string_equal(store_this_node(two, "x", "y", &err), "x");
	assert_string_equal(store_this_node(two, NULL, "y", &err), "y");
	assert_string_equal(store_this_node(one, NULL, "", &err), "n1");
	assert_null(store_this_node(two, NULL, NULL, &err));
	assert_string_equal(
		err.text,
		"which node is this? there is more than one Node object: give --node NAME or set NODE_NAME");
	assert_null(store_this_node(none, NULL, "", &err));
}

/* ---- Files ---- */

static void put(const char *folder, const char *name, const char *text)
{
	_cleanup_(mem_free) char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void folders_are_read_recursively_and_only_manifests(void **state)
{
	char folder[] = "/tmp/weir-kube-XXXXXX";
	_cleanup_(mem_free) char *sub = NULL, *remove = NULL;
	with_store *s = store_new();
	const char *paths[] = { folder };
	struct weir_err err;
	int r;

	assert_non_null(mkdtemp(folder));
	sub = mem_printf("%s/sub", folder);
	mkdir(sub, 0700);
	put(folder, "b.yml", POD("a", "b", ONE));
	put(folder, "notes.txt", "not: [a manifest");
	put(folder, ".hidden.yaml", "not: [a manifest");
	put(sub, "a.json",
	    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"x\"}}");
	put(sub, "c.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {}\n");
	r = store_read(s, paths, 1, &err);
	remove = mem_printf("rm -rf %s", folder);
	assert_int_equal(system(remove), 0);
	assert_int_equal(r, 0);
	assert_int_equal(s->n_pods, 1);
	assert_int_equal(s->n_namespaces, 1);
	assert_int_equal(s->diags.n, 1);
	assert_non_null(strstr(s->diags.items[0].src.file, "/sub/c.yaml"));
}

static void a_link_to_a_parent_folder_is_an_error(void **state)
{
	char folder[] = "/tmp/weir-kube-XXXXXX";
	_cleanup_(mem_free) char *link = NULL;
	with_store *s = store_new();
	const char *paths[] = { folder };
	struct weir_err err;
	int r;

	assert_non_null(mkdtemp(folder));
	link = mem_printf("%s/up", folder);
	assert_int_equal(symlink(".", link), 0);
	r = store_read(s, paths, 1, &err);
	unlink(link);
	rmdir(folder);
	assert_int_equal(r, -ELOOP);
	assert_non_null(strstr(
		err.text, "more than 32 folders deep: is one of them a link to a folder above?"));
}

static void an_error_names_the_path_that_cannot_be_read(void **state)
{
	const char *paths[] = { "/nonexistent/x.yaml" };
	with_store *s = store_new();
	struct weir_err err;

	assert_int_equal(store_read(s, paths, 1, &err), -ENOENT);
	assert_string_equal(
		err.text,
		"/nonexistent/x.yaml: cannot be read: No such file or directory (ENOENT)");
}

/* ---- Scale ---- */

static void defaults_are_applied_in_linear_time(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	struct timespec start, end;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 20000; i++)
		fprintf(out,
			"---\n{apiVersion: v1, kind: Pod, metadata: {name: p%d, namespace: n%d, labels: {app: a%d, all: x}}, "
			"spec: {nodeName: node%d, containers: [{name: c}]}}\n",
			i, i % 2 ? 0 : i, i % 1000, i);
	for (int i = 0; i < 1000; i++)
		fprintf(out,
			"---\n{apiVersion: v1, kind: Service, metadata: {name: s%d, namespace: n0}, "
			"spec: {selector: {app: a%d, all: x}, ports: [{port: 80}]}}\n",
			i, i);
	fclose(out);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	with_store *s = read_with_defaults(text, STORE_ASSIGN);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_pods, 20000);
	assert_true(end.tv_sec - start.tv_sec < 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_sorted_by_namespace_and_name),
		cmocka_unit_test(
			a_duplicate_is_an_error_at_the_second_with_the_position_of_the_first),
		cmocka_unit_test(an_address_or_port_of_another_service_is_refused_at_the_second),
		cmocka_unit_test(an_address_of_a_pod_or_node_that_a_service_takes_is_told),
		cmocka_unit_test(svc_7_conflicts_admitted_by_a_server_are_no_errors),
		cmocka_unit_test(np_22_namespaces_are_implied_by_objects_in_them),
		cmocka_unit_test(objects_without_an_address_get_one_and_a_note_lists_them),
		cmocka_unit_test(assigned_addresses_do_not_change_between_versions),
		cmocka_unit_test(assigned_addresses_do_not_depend_on_other_objects),
		cmocka_unit_test(assigned_addresses_do_not_depend_on_the_order_of_input),
		cmocka_unit_test(an_assigned_address_that_is_taken_is_replaced_by_the_next),
		cmocka_unit_test(addresses_are_assigned_to_150000_pods_in_linear_time),
		cmocka_unit_test(assigned_addresses_avoid_given_ones_and_use_their_families),
		cmocka_unit_test(an_ipv6_only_cluster_is_assigned_ipv6_only),
		cmocka_unit_test(ended_pods_get_no_address_and_nodes_are_implied),
		cmocka_unit_test(without_objects_or_with_errors_nothing_is_noted),
		cmocka_unit_test(without_assigning_a_missing_address_is_a_warning),
		cmocka_unit_test(an_exhausted_range_is_an_error_and_no_address_is_assigned_twice),
		cmocka_unit_test(derived_endpoints_have_the_conditions_of_their_pods),
		cmocka_unit_test(svc_13_named_target_ports_resolve_on_each_pod),
		cmocka_unit_test(slices_are_derived_by_family_unless_one_is_given),
		cmocka_unit_test(a_service_selects_pods_with_all_labels_in_its_namespace),
		cmocka_unit_test(np_56_60_61_an_address_belongs_to_one_running_pod),
		cmocka_unit_test(this_node_is_the_option_then_the_environment_then_the_only_node),
		cmocka_unit_test(folders_are_read_recursively_and_only_manifests),
		cmocka_unit_test(a_link_to_a_parent_folder_is_an_error),
		cmocka_unit_test(an_error_names_the_path_that_cannot_be_read),
		cmocka_unit_test(defaults_are_applied_in_linear_time),
	};

	return run_group("kube_store", tests, ARRAY_SIZE(tests));
}
