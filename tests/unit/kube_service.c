// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Service and EndpointSlice: defaults, families, and what the API server refuses. */
#include "kube_test.h"

#define SVC "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
#define SLICE                               \
	"apiVersion: discovery.k8s.io/v1\n" \
	"kind: EndpointSlice\n"             \
	"metadata: {name: e, labels: {kubernetes.io/service-name: s}}\n"
#define OBJECT " Service default/s: "
#define ENDS " EndpointSlice default/e: "

static const struct kube_service *only_service(struct store *s)
{
	assert_diags(s, "");
	assert_int_equal(s->n_services, 1);
	return s->services[0];
}

static const struct kube_slice *only_slice(struct store *s)
{
	assert_diags(s, "");
	assert_int_equal(s->n_slices, 1);
	return s->slices[0];
}

/* ---- Service ---- */

static void defaults_of_a_service(void **state)
{
	with_store *s = read_text(
		SVC "spec: {clusterIP: 10.96.0.5, selector: {app: x}, ports: [{port: 80}]}\n");
	const struct kube_service *svc = only_service(s);

	assert_string_equal(svc->meta.ns, "default");
	assert_int_equal(svc->type, KUBE_CLUSTER_IP);
	assert_true(svc->has_selector && !svc->headless && !svc->needs_cluster_ip);
	assert_addr(&svc->cluster_ip[0], "10.96.0.5");
	assert_addr(&svc->cluster_ip[1], "none");
	assert_true(svc->wants_family[0] && !svc->wants_family[1]);
	assert_true(!svc->internal_local && !svc->external_local && !svc->publish_not_ready);
	assert_int_equal(svc->ports[0].proto, 6);
	assert_string_equal(svc->ports[0].name, "");
	assert_true(svc->ports[0].target_port == 80 && !svc->ports[0].target_is_name);
}

static void svc_4_addresses_are_stored_by_family(void **state)
{
	with_store *s = read_text(
		SVC
		"spec: {clusterIP: \"FD00::0:1\", clusterIPs: [\"fd00::1\", 010.96.0.1], "
		"ipFamilies: [IPv6, IPv4], ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}\n");
	const struct kube_service *svc = only_service(s);

	assert_addr(&svc->cluster_ip[0], "10.96.0.1");
	assert_addr(&svc->cluster_ip[1], "fd00::1");
	assert_true(svc->wants_family[0] && svc->wants_family[1]);
}

static void allocated_addresses_decide_families_before_the_policy(void **state)
{
	static const struct {
		const char *spec;
		bool v4, v6;
	} cases[] = {
		{ "ipFamilyPolicy: PreferDualStack", 1, 1 },
		{ "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6]", 1, 1 },
		{ "ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4], clusterIPs: [10.0.0.1]", 1,
		  0 },
		{ "ipFamilies: [IPv6]", 0, 1 },
		{ "clusterIP: \"fd00::1\"", 0, 1 },
		{ "ipFamilyPolicy: SingleStack", 1, 0 },
		{ "type: ClusterIP", 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(SVC "spec: {%s, ports: [{port: 80}]}\n"
				       "---\napiVersion: v1\nkind: Service\nmetadata: {name: t}\n"
				       "spec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}\n",
				   cases[i].spec);
		with_store *s = read_with_defaults(text, STORE_ASSIGN);
		const struct kube_service *svc = store_service(s, "default", "s");

		if (svc->wants_family[0] != cases[i].v4 || svc->wants_family[1] != cases[i].v6)
			fail_msg("%s wants %d, %d", cases[i].spec, svc->wants_family[0],
				 svc->wants_family[1]);
	}
}

static void svc_114_headless_has_no_address_and_needs_no_port(void **state)
{
	static const char *const specs[] = { "clusterIP: None", "clusterIPs: [None]",
					     "clusterIP: None, clusterIPs: [None]" };

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		_cleanup_(mem_free) char *text = mem_printf(SVC "spec: {%s}\n", specs[i]);
		with_store *s = read_text(text);
		const struct kube_service *svc = only_service(s);

		assert_true(svc->headless && !svc->needs_cluster_ip);
	}
}

static void trap_12_svc_115_external_name_ignores_ports_and_selector(void **state)
{
	with_store *s = read_text(
		SVC
		"spec: {type: ExternalName, externalName: db.example.com., ports: [{port: 5432}], "
		"selector: {app: x}}\n");
	const struct kube_service *svc = only_service(s);

	assert_int_equal(svc->type, KUBE_EXTERNAL_NAME);
	assert_true(!svc->needs_cluster_ip && !svc->has_selector);
}

static void trap_13_svc_120_topology_keys_are_ignored(void **state)
{
	with_store *s = read_text(
		SVC
		"spec: {topologyKeys: [{wrong: [type]}], ports: [{port: 8080, targetPort: 8080}]}\n");

	assert_int_equal(s->diags.errors, 0);
	assert_int_equal(s->n_services, 1);
	assert_int_equal(s->services[0]->ports[0].target_port, 8080);
}

static void trap_15_two_ports_may_share_a_target(void **state)
{
	with_store *s =
		read_text(SVC "spec:\n"
			      "  type: LoadBalancer\n"
			      "  ports:\n"
			      "  - {name: http, port: 80, targetPort: 3000}\n"
			      "  - {name: https, port: 443, targetPort: 3000, nodePort: 30443}\n"
			      "  - {name: dns, port: 443, protocol: UDP, targetPort: dns-udp}\n"
			      "  externalTrafficPolicy: Local\n"
			      "  loadBalancerSourceRanges: [\" 10.0.0.0/8 \", \"\"]\n");
	const struct kube_service *svc = only_service(s);

	assert_int_equal(svc->n_ports, 3);
	assert_true(svc->ports[0].target_port == 3000 && svc->ports[1].target_port == 3000);
	assert_int_equal(svc->ports[1].node_port, 30443);
	assert_true(svc->ports[2].target_is_name && svc->external_local);
	assert_string_equal(svc->ports[2].target_name, "dns-udp");
}

static void addresses_that_are_not_served_yet_are_kept(void **state)
{
	with_store *s = read_text(
		SVC
		"spec: {type: LoadBalancer, loadBalancerIP: 203.0.113.5, ports: [{port: 80}], "
		"externalIPs: [203.0.113.7, \"fd00::7\"]}\n"
		"status: {loadBalancer: {ingress: [{hostname: lb.example.com}, {ip: 203.0.113.8}]}}\n");
	const struct kube_service *svc = only_service(s);

	assert_int_equal(svc->n_external_ips, 2);
	assert_addr(&svc->external_ips[0], "203.0.113.7");
	assert_addr(&svc->external_ips[1], "fd00::7");
	assert_int_equal(svc->n_balancer_ips, 2);
	assert_addr(&svc->balancer_ips[0], "203.0.113.5");
	assert_addr(&svc->balancer_ips[1], "203.0.113.8");
}

static void trap_16_services_without_ports_or_spec_are_refused(void **state)
{
	assert_found(SVC,
		     "f.yaml:1:1: error E021:" OBJECT
		     "spec.ports: required: at least one port, unless the Service is headless\n");
	assert_found(SVC "spec:\n  type: NodePort\n  ports: []\n",
		     "f.yaml:6:10: error E021:" OBJECT
		     "spec.ports: required: at least one port, unless the Service is headless\n");
}

static void invalid_ports_of_a_service_are_errors(void **state)
{
	assert_found(
		SVC "spec:\n"
		    "  ports:\n"
		    "  - {port: 80}\n"
		    "  - {name: a, port: 80}\n"
		    "  - {name: a, port: 81, nodePort: 30000}\n"
		    "  - {name: B, port: 82, targetPort: \"8080\"}\n"
		    "  - {name: e, port: 80, protocol: UDP}\n"
		    "  - {name: f}\n",
		"f.yaml:6:5: error E021:" OBJECT
		"spec.ports[0].name: required: in a Service with several ports, each has a name\n"
		"f.yaml:7:21: error E028:" OBJECT "spec.ports[1].port: port 80/TCP is given twice\n"
		"f.yaml:8:12: error E028:" OBJECT
		"spec.ports[2].name: port name \"a\" is given twice\n"
		"f.yaml:8:35: error E027:" OBJECT
		"spec.ports[2].nodePort: not allowed for type ClusterIP: remove it, or use NodePort or LoadBalancer\n"
		"f.yaml:9:12: error E024:" OBJECT
		"spec.ports[3].name: \"B\" is not a port name: at most 63 of a-z, 0-9 and -\n"
		"f.yaml:9:37: error E024:" OBJECT
		"spec.ports[3].targetPort: expected a port number or name, found the string \"8080\": remove the quotes\n"
		"f.yaml:11:5: error E021:" OBJECT
		"spec.ports[5].port: required: an integer from 1 to 65535\n");
}

static void invalid_addresses_of_a_service_are_errors(void **state)
{
	assert_found(
		SVC "spec: {clusterIPs: [10.0.0.1, 10.0.0.2], ports: [{port: 1}]}\n",
		"f.yaml:4:31: error E028:" OBJECT
		"spec.clusterIPs[1]: a second IPv4 address: a Service has at most one of each family\n");
	assert_found(
		SVC "spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.2], ports: [{port: 1}]}\n",
		"f.yaml:4:19: error E027:" OBJECT
		"spec.clusterIP: expected \"10.0.0.2\" as in clusterIPs[0], found \"10.0.0.1\"\n");
	assert_found(SVC "spec: {clusterIP: 10.0.0.256, ports: [{port: 1}]}\n",
		     "f.yaml:4:19: error E025:" OBJECT
		     "spec.clusterIP: expected an IPv4 or IPv6 address, found \"10.0.0.256\"\n");
	assert_found(SVC "spec: {clusterIPs: [~, \"\"], ports: [{port: 1}]}\n",
		     "f.yaml:4:20: error E025:" OBJECT
		     "spec.clusterIPs[0]: expected an IPv4 or IPv6 address, found nothing\n"
		     "f.yaml:4:24: error E025:" OBJECT
		     "spec.clusterIPs[1]: expected an IPv4 or IPv6 address, found \"\"\n");
	assert_found(
		SVC
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], ipFamilies: [IPv6], ports: [{port: 1}]}\n",
		"f.yaml:4:66: error E027:" OBJECT
		"spec.ipFamilies[0]: expected IPv4 as in clusterIPs[0], found IPv6\n");
	assert_found(
		SVC
		"spec: {ipFamilies: [IPv4, IPv6], ipFamilyPolicy: SingleStack, ports: [{port: 1}]}\n",
		"f.yaml:4:50: error E027:" OBJECT
		"spec.ipFamilyPolicy: expected PreferDualStack or RequireDualStack for two families, found SingleStack\n");
	assert_found(SVC "spec: {type: LoadBalancer, clusterIP: None, ports: [{port: 1}]}\n",
		     "f.yaml:4:39: error E027:" OBJECT
		     "spec.clusterIP: None is not allowed for type LoadBalancer: remove it\n");
}

static void other_invalid_fields_of_a_service_are_errors(void **state)
{
	assert_found(
		SVC "spec: {type: clusterip, ports: [{port: 1}]}\n",
		"f.yaml:4:14: error E022:" OBJECT
		"spec.type: expected ClusterIP, NodePort, LoadBalancer or ExternalName, found \"clusterip\"\n");
	assert_found(SVC "spec: {type: ExternalName, clusterIP: 10.0.0.1}\n",
		     "f.yaml:4:7: error E021:" OBJECT
		     "spec.externalName: required for type ExternalName: a DNS name\n"
		     "f.yaml:4:39: error E027:" OBJECT
		     "spec.clusterIP: not allowed for type ExternalName: remove it\n");
	assert_found(
		SVC
		"spec: {externalTrafficPolicy: Local, ports: [{port: 1}], loadBalancerSourceRanges: [x]}\n",
		"f.yaml:4:31: error E027:" OBJECT
		"spec.externalTrafficPolicy: not allowed for type ClusterIP without externalIPs: remove it, or use NodePort or LoadBalancer\n"
		"f.yaml:4:84: error E027:" OBJECT
		"spec.loadBalancerSourceRanges: not allowed for type ClusterIP: remove it, or use LoadBalancer\n"
		"f.yaml:4:85: error E026:" OBJECT
		"spec.loadBalancerSourceRanges[0]: expected a block like 10.0.0.0/8 or 2001:db8::/32, found \"x\"\n");
	assert_found(
		SVC
		"spec: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}, "
		"internalTrafficPolicy: Node, publishNotReadyAddresses: \"true\", ports: [{port: 1}]}\n",
		"f.yaml:4:86: error E023:" OBJECT
		"spec.sessionAffinityConfig.clientIP.timeoutSeconds: expected an integer from 1 to 86400, found 0\n"
		"f.yaml:4:114: error E022:" OBJECT
		"spec.internalTrafficPolicy: expected Cluster or Local, found \"Node\"\n"
		"f.yaml:4:146: error E020:" OBJECT
		"spec.publishNotReadyAddresses: expected true or false, found the string \"true\": remove the quotes\n");
}

/* ---- EndpointSlice ---- */

static void svc_16_17_18_endpoints_are_read_with_defaults(void **state)
{
	with_store *s = read_text(
		SLICE "addressType: IPv4\n"
		      "endpoints:\n"
		      "- addresses: [10.0.0.1, 10.0.0.2]\n"
		      "- addresses: [10.0.0.3]\n"
		      "  nodeName: n1\n"
		      "  conditions: {ready: false, serving: null, terminating: true}\n"
		      "  hints: {forZones: [{name: zb}, {name: za}], forNodes: [{name: n1}]}\n"
		      "ports: [{name: http, port: 8080}, {port: 53, protocol: UDP}]\n");
	const struct kube_slice *slice = only_slice(s);
	const struct kube_endpoint *e = slice->endpoints;

	assert_string_equal(slice->service, "s");
	assert_int_equal(slice->family, 0);
	assert_int_equal(slice->n_endpoints, 2);
	assert_addr(&e[0].addr, "10.0.0.1");
	assert_true(e[0].ready && e[0].serving && !e[0].terminating);
	assert_string_equal(e[0].node, "");
	assert_true(!e[1].ready && e[1].serving && e[1].terminating);
	assert_string_equal(e[1].node, "n1");
	assert_string_equal(e[1].zone_hints[0], "za");
	assert_int_equal(e[1].n_node_hints, 1);
	assert_true(slice->ports[0].proto == 6 && slice->ports[1].proto == 17 &&
		    slice->ports[1].port == 53);
}

static void svc_10_11_12_unusable_slices_and_ports_are_recognized(void **state)
{
	with_store *s =
		read_text("apiVersion: discovery.k8s.io/v1\n"
			  "kind: EndpointSlice\n"
			  "metadata: {name: e}\n"
			  "addressType: FQDN\n"
			  "endpoints: [{addresses: [db.example.com]}]\n"
			  "ports: [{name: a}, {name: b, port: null}, {name: c, port: 80}]\n");
	const struct kube_slice *slice = only_slice(s);

	assert_int_equal(slice->family, -1);
	assert_string_equal(slice->service, "");
	assert_int_equal(slice->n_ports, 1);
	assert_string_equal(slice->ports[0].name, "c");
}

static void svc_19_special_addresses_are_refused(void **state)
{
	assert_found(
		SLICE "addressType: IPv4\n"
		      "endpoints:\n"
		      "- addresses: [127.0.0.1]\n"
		      "- addresses: [169.254.1.1]\n"
		      "- addresses: [224.0.0.5]\n"
		      "- addresses: [\"fd00::1\"]\n"
		      "- addresses: []\n"
		      "- addresses: [x]\n",
		"f.yaml:6:15: error E025:" ENDS
		"endpoints[0].addresses[0]: \"127.0.0.1\" is a loopback address and cannot be an endpoint\n"
		"f.yaml:7:15: error E025:" ENDS
		"endpoints[1].addresses[0]: \"169.254.1.1\" is link-local and cannot be an endpoint\n"
		"f.yaml:8:15: error E025:" ENDS
		"endpoints[2].addresses[0]: \"224.0.0.5\" is link-local multicast and cannot be an endpoint\n"
		"f.yaml:9:15: error E025:" ENDS
		"endpoints[3].addresses[0]: expected an IPv4 address as in addressType, found \"fd00::1\"\n"
		"f.yaml:10:14: error E021:" ENDS
		"endpoints[4].addresses: required: at least one address\n"
		"f.yaml:11:15: error E025:" ENDS
		"endpoints[5].addresses[0]: expected an IPv4 or IPv6 address, found \"x\"\n");
	assert_found(
		SLICE
		"addressType: IPv6\nendpoints: [{addresses: [\"fe80::1\"]}, {addresses: [\"::1\"]}]\n",
		"f.yaml:5:26: error E025:" ENDS
		"endpoints[0].addresses[0]: \"fe80::1\" is link-local and cannot be an endpoint\n"
		"f.yaml:5:52: error E025:" ENDS
		"endpoints[1].addresses[0]: \"::1\" is a loopback address and cannot be an endpoint\n");
}

static void invalid_fields_of_a_slice_are_errors(void **state)
{
	assert_found(
		SLICE
		"endpoints: []\nports: [{name: a, port: -1}, {name: a, port: 1}, {name: B_, port: 2}]\n",
		"f.yaml:1:1: error E021:" ENDS "addressType: required: IPv4, IPv6 or FQDN\n"
		"f.yaml:5:25: warning:" ENDS "ports[0].port: -1 is no port: skipped\n"
		"f.yaml:5:37: error E028:" ENDS "ports[1].name: port name \"a\" is given twice\n"
		"f.yaml:5:57: error E024:" ENDS
		"ports[2].name: \"B_\" is not a port name: at most 63 of a-z, 0-9 and -\n");
	assert_found(SLICE "addressType: IPX\n",
		     "f.yaml:4:14: error E022:" ENDS
		     "addressType: expected IPv4, IPv6 or FQDN, found \"IPX\"\n");
}

static void a_slice_has_at_most_1000_endpoints(void **state)
{
	for (int n = 1000; n <= 1001; n++) {
		_cleanup_(mem_free) char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		fputs(SLICE "addressType: IPv4\nendpoints:\n", out);
		for (int i = 0; i < n; i++)
			fprintf(out, "- {addresses: [10.0.%d.%d]}\n", i / 250, i % 250);
		fclose(out);
		assert_found(text,
			     n == 1000
				     ? ""
				     : "f.yaml:6:1: error E029:" ENDS
				       "endpoints: expected at most 1000 endpoints, found 1001\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_of_a_service),
		cmocka_unit_test(svc_4_addresses_are_stored_by_family),
		cmocka_unit_test(allocated_addresses_decide_families_before_the_policy),
		cmocka_unit_test(svc_114_headless_has_no_address_and_needs_no_port),
		cmocka_unit_test(trap_12_svc_115_external_name_ignores_ports_and_selector),
		cmocka_unit_test(trap_13_svc_120_topology_keys_are_ignored),
		cmocka_unit_test(trap_15_two_ports_may_share_a_target),
		cmocka_unit_test(addresses_that_are_not_served_yet_are_kept),
		cmocka_unit_test(trap_16_services_without_ports_or_spec_are_refused),
		cmocka_unit_test(invalid_ports_of_a_service_are_errors),
		cmocka_unit_test(invalid_addresses_of_a_service_are_errors),
		cmocka_unit_test(other_invalid_fields_of_a_service_are_errors),
		cmocka_unit_test(svc_16_17_18_endpoints_are_read_with_defaults),
		cmocka_unit_test(svc_10_11_12_unusable_slices_and_ports_are_recognized),
		cmocka_unit_test(svc_19_special_addresses_are_refused),
		cmocka_unit_test(invalid_fields_of_a_slice_are_errors),
		cmocka_unit_test(a_slice_has_at_most_1000_endpoints),
	};

	return run_group("kube_service", tests, ARRAY_SIZE(tests));
}
