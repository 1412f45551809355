// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints objects (SVC-121): for a Service without a selector they become EndpointSlices, as the
 * control plane mirrors them; in every other case nothing of them is used.
 */
#include "kube_test.h"

#define SERVICE(spec)                                                                               \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: q}\nspec: {clusterIP: " \
	"10.96.0.9, ports: [{port: 80}]" spec "}\n"
#define ENDPOINTS(meta, subsets)                                                      \
	"---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: q" meta \
	"}\nsubsets: [" subsets "]\n"
#define ONE "{addresses: [{ip: 192.0.2.1}], ports: [{port: 8080}]}"
#define SLICE(labels)                                                                     \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"  \
	"metadata: {name: e, namespace: q, labels: {kubernetes.io/service-name: s" labels \
	"}}\nendpoints: [{addresses: [192.0.2.7]}]\nports: [{port: 8080}]\n"
#define MIRRORED \
	", endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io"

/* All endpoints of the slices as "ADDRESS:PORT[!]", ! where not ready, in the order of the store.
 */
static void assert_endpoints(const char *text, const char *expected)
{
	with_store *s = read_with_defaults(text, 0);
	_cleanup_(arena_free) struct arena arena = {};
	const char *found = "";

	assert_int_equal(s->diags.errors, 0);
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t e = 0; e < s->slices[i]->n_endpoints; e++)
			for (size_t p = 0; p < s->slices[i]->n_ports; p++) {
				const struct kube_endpoint *end = &s->slices[i]->endpoints[e];
				char addr[ADDR_TEXT_MAX];

				found = arena_printf(&arena, "%s%s%s:%u%s", found,
						     *found ? " " : "", addr_text(&end->addr, addr),
						     s->slices[i]->ports[p].port,
						     end->ready ? "" : "!");
			}
	assert_string_equal(found, expected);
}

static void svc_121_endpoints_of_a_service_without_a_selector_become_slices(void **state)
{
	assert_endpoints(SERVICE("") ENDPOINTS("", ONE), "192.0.2.1:8080");
	assert_endpoints(SERVICE("") ENDPOINTS(
				 "", "{addresses: [{ip: 192.0.2.1}, {ip: '2001:db8::1'}], "
				     "notReadyAddresses: [{ip: 192.0.2.2}], ports: [{port: 80}]}, "
				     "{addresses: [{ip: 192.0.2.1}], ports: [{name: a, port: 81}, "
				     "{name: b, port: 82}]}"),
			 "192.0.2.1:80 192.0.2.2:80! 2001:db8::1:80 192.0.2.1:81 192.0.2.1:82");
}

static void svc_121_other_endpoints_are_not_used(void **state)
{
	/* with a selector; of no Service; not to be mirrored; mirrored already */
	assert_endpoints(SERVICE(", selector: {app: x}") ENDPOINTS("", ONE), "");
	assert_endpoints(ENDPOINTS("", ONE), "");
	assert_endpoints(
		SERVICE("") ENDPOINTS(", labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}",
				      ONE),
		"");
	assert_endpoints(
		SERVICE("") ENDPOINTS(
			", annotations: {control-plane.alpha.kubernetes.io/leader: '{}'}", ONE),
		"");
	assert_endpoints(SERVICE("") ENDPOINTS("", ONE) SLICE(MIRRORED), "192.0.2.7:8080");
	/* a slice by hand beside them: both count */
	assert_endpoints(SERVICE("") ENDPOINTS("", ONE) SLICE(""), "192.0.2.7:8080 192.0.2.1:8080");
}

static void svc_121_endpoints_that_are_not_mirrored_are_named_where_a_service_has_none(void **state)
{
	static const char skipped[] =
		ENDPOINTS(", labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}", ONE);
	_cleanup_(mem_free) char *alone = mem_printf("%s%s", SERVICE(""), skipped);
	_cleanup_(mem_free) char *beside = mem_printf("%s%s%s", SERVICE(""), skipped, SLICE(""));
	with_store *s = read_with_defaults(alone, 0);
	with_store *t = read_with_defaults(beside, 0);

	assert_diags(s, "f.yaml:2:1: warning: Service q/s: no endpoints: its Endpoints object at "
			"f.yaml:7:1 has the label endpointslice.kubernetes.io/skip-mirror, so no "
			"EndpointSlice is made of it: add the EndpointSlices of this Service\n");
	assert_diags(t, "");
}

static void endpoints_are_checked_as_the_api_server_does(void **state)
{
	static const struct {
		const char *subsets, *expected;
	} cases[] = {
		{ "{ports: [{port: 80}]}",
		  "f.yaml:5:11: error E021: Endpoints q/s: subsets[0]: required: addresses or "
		  "notReadyAddresses\n" },
		{ "{addresses: [{ip: 127.0.0.1}], ports: [{port: 80}]}",
		  "f.yaml:5:29: error E025: Endpoints q/s: subsets[0].addresses[0].ip: \"127.0.0.1\" is "
		  "a loopback address and cannot be an endpoint\n" },
		{ "{addresses: [{}], ports: [{port: 80}]}",
		  "f.yaml:5:24: error E025: Endpoints q/s: subsets[0].addresses[0].ip: expected an "
		  "address, found nothing\n" },
		{ "{addresses: [{ip: 192.0.2.1}], ports: [{port: 80}, {port: 81}]}",
		  "f.yaml:5:50: error E021: Endpoints q/s: subsets[0].ports[0].name: required: in a "
		  "subset with several ports, each has a name\n"
		  "f.yaml:5:62: error E021: Endpoints q/s: subsets[0].ports[1].name: required: in a "
		  "subset with several ports, each has a name\n" },
		{ "{addresses: [{ip: 192.0.2.1, nodeName: ''}], ports: [{port: 80}]}",
		  "f.yaml:5:50: error E011: Endpoints q/s: subsets[0].addresses[0].nodeName: \"\" is not "
		  "a node's name\n" },
		{ "{addresses: [{ip: 192.0.2.1}], ports: [{name: a}]}",
		  "f.yaml:5:50: error E021: Endpoints q/s: subsets[0].ports[0].port: required: an "
		  "integer from 1 to 65535\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *text = mem_printf(ENDPOINTS("", "%s"), cases[i].subsets);

		assert_found(text, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svc_121_endpoints_of_a_service_without_a_selector_become_slices),
		cmocka_unit_test(svc_121_other_endpoints_are_not_used),
		cmocka_unit_test(
			svc_121_endpoints_that_are_not_mirrored_are_named_where_a_service_has_none),
		cmocka_unit_test(endpoints_are_checked_as_the_api_server_does),
	};

	return run_group("kube_endpoints", tests, ARRAY_SIZE(tests));
}
