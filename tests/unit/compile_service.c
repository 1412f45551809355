/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services, statement by statement: which are served, endpoints from slices, candidates on this
 * node, and the verdict on a packet. trap_N: traps of real manifests, as in kube_traps.c.
 */
#include "compile_fixture.h"

#define NODE(name, zone, status)                             \
	"apiVersion: v1\nkind: Node\nmetadata: {name: " name \
	", labels: {topology.kubernetes.io/zone: " zone "}}\n" status
#define CLIENT                                                                \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: x}\n" \
	"spec: {nodeName: here, containers: [{name: c, image: i}]}\n"         \
	"status: {phase: Running, podIPs: [{ip: 10.1.0.1}, {ip: 'fd01::1'}]}\n"
#define SERVICE_AS(name, meta, spec)                                                  \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: x" meta \
	"}\nspec: {" spec "}\n"
#define SERVICE(spec) SERVICE_AS("s", "", spec)
#define PLAIN "clusterIP: 172.20.0.1, clusterIPs: [172.20.0.1], ports: [{port: 80}]"
#define LOCAL_ONLY PLAIN ", internalTrafficPolicy: Local"
#define SLICE_AS(name, service, type, port, endpoints)                                           \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " name           \
	", namespace: x, labels: {kubernetes.io/service-name: " service "}}\naddressType: " type \
	"\nports: [{" port "}]\nendpoints: [" endpoints "]\n"
#define SLICE(endpoints) SLICE_AS("s-1", "s", "IPv4", "name: '', port: 8080", endpoints)
#define POD_AT(name, meta, node)                                                 \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name                      \
	", namespace: x, labels: {app: s}" meta "}\n"                            \
	"spec: {nodeName: " node                                                 \
	", containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}\n" \
	"status: {phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: 'True'}]}\n"
#define EP(addr, rest) "{addresses: [" addr "]" rest "},"
#define HERE_ ", nodeName: here"
#define THERE_ ", nodeName: there"
#define UNREADY ", conditions: {ready: false, serving: false}"
#define ENDING ", conditions: {ready: false, serving: true, terminating: true}"
#define GONE ", conditions: {ready: false, serving: false, terminating: true}"
#define ZONES(z) ", hints: {forZones: [" z "]}"
#define NEAR "{name: near}"
#define FAR "{name: far}"

static const char *const nodes[] = {
	NODE("here", "near", "status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}\n"),
	NODE("there", "far", ""),
	NULL,
};

/* Candidates, backends and flags of service port x/s "" TCP, IPv4. */
struct row {
	const char *name;
	const char *objects[4]; /* with the nodes; NULL after the last */
	struct {
		const char *candidates; /* "1 2": last octets of 10.0.0.N:8080; NULL: no service */
		const char *backends; /* likewise; "1!": it is not serving */
		uint32_t flags;
	} want;
};

#define USABLE WEIR_SERVICE_USABLE

static const struct row rows[] = {
	/* ---- what is served */
	{ "svc_1_service_of_another_proxy_is_not_served",
	  { SERVICE_AS("s", ", labels: {service.kubernetes.io/service-proxy-name: ''}", PLAIN),
	    SLICE(EP("10.0.0.1", "")) },
	  {} },
	{ "svc_2_service_with_the_headless_label_is_not_served",
	  { SERVICE_AS("s", ", labels: {service.kubernetes.io/headless: ''}", PLAIN),
	    SLICE(EP("10.0.0.1", "")) },
	  {} },
	{ "svc_3_headless_is_not_served",
	  { SERVICE("clusterIP: None, ports: [{port: 80}]"), SLICE(EP("10.0.0.1", "")) },
	  {} },
	{ "svc_3_trap_12_external_name_is_not_served",
	  { SERVICE("type: ExternalName, externalName: example.com, ports: [{port: 80}]"),
	    SLICE(EP("10.0.0.1", "")) },
	  {} },
	{ "svc_20_service_without_slices_has_no_endpoints", { SERVICE(PLAIN) }, { "", "", 0 } },
	{ "svc_120_trap_13_topology_keys_have_no_effect",
	  { SERVICE(PLAIN ", topologyKeys: ['kubernetes.io/hostname']"),
	    SLICE(EP("10.0.0.1", THERE_)) },
	  { "1", "1", USABLE } },
	/* ---- endpoints */
	{ "svc_11_slice_of_another_service_is_ignored",
	  { SERVICE(PLAIN),
	    SLICE_AS("t-1", "t", "IPv4", "name: '', port: 8080", EP("10.0.0.1", "")) },
	  { "", "", 0 } },
	{ "svc_12_endpoints_come_from_all_slices",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.2", "")),
	    SLICE_AS("a-0", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", "")) },
	  { "1 2", "1 2", USABLE } },
	{ "svc_12_port_names_must_be_equal",
	  { SERVICE(PLAIN),
	    SLICE_AS("s-1", "s", "IPv4", "name: http, port: 8080", EP("10.0.0.1", "")) },
	  { "", "", 0 } },
	{ "svc_12_protocols_must_be_equal",
	  { SERVICE(PLAIN), SLICE_AS("s-1", "s", "IPv4", "name: '', port: 8080, protocol: UDP",
				     EP("10.0.0.1", "")) },
	  { "", "", 0 } },
	{ "svc_14_the_entry_that_is_not_terminating_wins_on_another_node",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", HERE_ ENDING)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", THERE_)) },
	  { "", "1", USABLE } },
	{ "svc_14_the_entry_that_is_not_terminating_wins_on_this_node",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", THERE_ ENDING)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", HERE_)) },
	  { "1", "1", USABLE } },
	{ "svc_14_an_unready_entry_wins_over_a_terminating_one_that_serves",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", HERE_ ENDING)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", UNREADY)) },
	  { "", "", 0 } },
	{ "svc_14_an_unready_entry_wins_over_a_terminating_one_published_as_ready",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1", ", conditions: {ready: true, serving: true, terminating: true}")),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", UNREADY)) },
	  { "", "", 0 } },
	{ "svc_14_the_first_slice_by_name_wins_among_equal_entries",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", THERE_)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", HERE_)) },
	  { "", "1", USABLE } },
	{ "svc_14_of_derived_entries_the_one_not_terminating_wins",
	  { SERVICE("clusterIP: 172.20.0.1, internalTrafficPolicy: Local, selector: {app: s}, ports: [{port: 80, targetPort: 8080}]"),
	    POD_AT("a", ", deletionTimestamp: 2026-01-01T00:00:00Z", "here"),
	    POD_AT("b", "", "there") },
	  { "", "1", USABLE } },
	{ "svc_14_ready_entry_wins_where_both_are_remote",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", UNREADY)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", "")) },
	  { "1", "1", USABLE } },
	{ "svc_14_serving_entry_wins_where_none_is_ready",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", GONE)),
	    SLICE_AS("z-1", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", ENDING)) },
	  { "1", "1", USABLE } },
	{ "svc_16_only_the_first_address_of_an_endpoint_is_used",
	  { SERVICE(PLAIN), SLICE("{addresses: [10.0.0.1, 10.0.0.2]},") },
	  { "1", "1", USABLE } },
	{ "svc_17_endpoint_without_a_node_is_never_local",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", "")) },
	  { "", "1", USABLE } },
	{ "svc_18_absent_conditions_mean_ready",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", ", conditions: {}")) },
	  { "1", "1", USABLE } },
	/* ---- candidates */
	{ "svc_60_no_endpoints_no_candidates", { SERVICE(LOCAL_ONLY) }, { "", "", 0 } },
	{ "svc_21_unready_is_never_used",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", HERE_ UNREADY)) },
	  { "", "", 0 } },
	{ "svc_21_cluster_policy_uses_every_ready_endpoint",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", HERE_) EP("10.0.0.2", THERE_)) },
	  { "1 2", "1 2", USABLE } },
	{ "svc_17_local_policy_uses_ready_endpoints_of_this_node",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", HERE_) EP("10.0.0.2", THERE_)) },
	  { "1", "1 2", USABLE } },
	{ "svc_61_local_policy_without_local_endpoints_is_usable_elsewhere",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.2", THERE_)) },
	  { "", "2", USABLE } },
	{ "svc_23_terminating_endpoint_is_not_used_while_any_is_ready",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", HERE_ ENDING) EP("10.0.0.2", THERE_)) },
	  { "2", "1 2", USABLE } },
	{ "svc_22_local_policy_falls_back_on_terminating_endpoints_of_this_node",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.1", HERE_ ENDING) EP("10.0.0.2", THERE_)) },
	  { "1", "1 2", USABLE } },
	{ "svc_21_cluster_policy_falls_back_when_no_endpoint_is_ready",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", THERE_ ENDING) EP("10.0.0.2", GONE)) },
	  { "1", "1", USABLE } },
	{ "svc_61_local_policy_does_not_use_a_remote_terminating_endpoint",
	  { SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.2", THERE_ ENDING)) },
	  { "", "2", USABLE } },
	{ "svc_60_terminating_endpoint_that_does_not_serve_is_not_usable",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", HERE_ GONE)) },
	  { "", "", 0 } },
	{ "svc_28_ready_but_not_serving_is_used",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1",
		     ", conditions: {ready: true, serving: false, terminating: true}")) },
	  { "1", "1!", USABLE } },
	/* ---- hints */
	{ "svc_24_zone_hints_choose_endpoints_of_the_zone",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1", THERE_ ZONES(NEAR)) EP("10.0.0.2", HERE_ ZONES(FAR))) },
	  { "1", "1 2", USABLE } },
	{ "svc_24_one_ready_endpoint_without_hints_disables_hints",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1", ZONES(NEAR)) EP("10.0.0.2", ZONES(FAR)) EP("10.0.0.3", "")) },
	  { "1 2 3", "1 2 3", USABLE } },
	{ "svc_24_hints_of_the_unready_do_not_matter",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1", ZONES(NEAR)) EP("10.0.0.2", ZONES(FAR)) EP("10.0.0.3", UNREADY)) },
	  { "1", "1 2", USABLE } },
	{ "svc_23_hints_that_name_other_zones_only_are_ignored",
	  { SERVICE(PLAIN), SLICE(EP("10.0.0.1", ZONES(FAR)) EP("10.0.0.2", ZONES(FAR))) },
	  { "1 2", "1 2", USABLE } },
	{ "svc_25_node_hints_win_over_zone_hints",
	  { SERVICE(PLAIN),
	    SLICE(EP("10.0.0.1", ", hints: {forZones: [" NEAR "], forNodes: [{name: there}]}") EP(
		    "10.0.0.2", ", hints: {forZones: [" NEAR "], forNodes: [{name: here}]}")) },
	  { "2", "1 2", USABLE } },
	{ "svc_27_hints_never_apply_to_local_policy",
	  { SERVICE(LOCAL_ONLY),
	    SLICE(EP("10.0.0.1", HERE_ ZONES(FAR)) EP("10.0.0.2", ZONES(NEAR))) },
	  { "1", "1 2", USABLE } },
};

static void last_octet(char *text, size_t size, const struct plan_backend *b, const char *suffix)
{
	size_t len = strlen(text);

	assert_int_equal(b->port, 8080);
	snprintf(text + len, size - len, "%s%d%s", len ? " " : "", b->addr.b[15], suffix);
}

static void candidates_are_as_listed(void **state)
{
	const struct row *row = *state;
	char candidates[256] = "", backends[256] = "";
	_cleanup_(fixture_close) struct fixture f = {};
	const struct plan_service *s;
	uint32_t id;

	fixture_open_objects(&f, nodes, row->objects);
	id = plan_find_service(f.plan, "x", "s", "", IPPROTO_TCP, 0);
	assert_int_equal(!!id, !!row->want.candidates);
	if (!id) {
		assert_int_equal(f.plan->n_frontends, 0);
		return;
	}
	s = &f.plan->services[id];
	for (size_t i = 0; i < s->lists[WEIR_LIST_INTERNAL].n; i++)
		last_octet(candidates, sizeof(candidates),
			   &f.plan->backends[s->lists[WEIR_LIST_INTERNAL].items[i]], "");
	for (size_t i = 0; i < f.plan->n_backends; i++)
		last_octet(backends, sizeof(backends), &f.plan->backends[i],
			   f.plan->backends[i].serving ? "" : "!");
	assert_string_equal(candidates, row->want.candidates);
	assert_string_equal(backends, row->want.backends);
	assert_int_equal(s->flags, row->want.flags);
}

static void svc_30_packet_to_a_cluster_ip_is_translated(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	struct oracle_query q = { .proto = IPPROTO_TCP, .port = 80 };
	struct oracle_answer a;

	fixture_open_objects(
		&f, nodes,
		OBJECTS(CLIENT, SERVICE(PLAIN), SLICE(EP("10.0.0.1", "") EP("10.0.0.2", ""))));
	q.src = end_addr(&f, "x/client");
	q.dst = addr_of("172.20.0.1");
	for (uint32_t pick = 0; pick < 4; pick++) {
		struct weir_addr want = addr_of(pick % 2 ? "10.0.0.2" : "10.0.0.1");

		q.pick = pick;
		oracle_judge(f.plan, &q, &a);
		assert_int_equal(a.reason, WEIR_FORWARDED);
		assert_true(weir_addr_equal(&a.dst, &want));
		assert_int_equal(a.port, 8080);
		assert_int_equal(f.plan->backends[a.backend].service, a.service);
	}
	/* from outside, or from a host, a cluster IP is an ordinary address */
	q.src = addr_of("192.168.9.9");
	oracle_judge(f.plan, &q, &a);
	assert_int_equal(a.service, 0);
	assert_true(weir_addr_equal(&a.dst, &q.dst));
}

static void svc_60_61_64_without_a_candidate_the_reason_says_why(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(
		&f, nodes,
		OBJECTS(CLIENT, SERVICE(LOCAL_ONLY), SLICE(EP("10.0.0.2", THERE_)),
			SERVICE_AS("none", "", "clusterIP: 172.20.0.2, ports: [{port: 80}]"),
			SERVICE_AS("sctp", "",
				   "clusterIP: 172.20.0.3, ports: [{port: 80, protocol: SCTP}]")));
	check_lines(&f, "x/client 172.20.0.1 tcp/80 no-local-endpoint\n"
			"x/client 172.20.0.2 tcp/80 no-endpoint\n"
			"x/client 172.20.0.2 tcp/81 no-service-port\n"
			"x/client 172.20.0.2 udp/80 no-service-port\n"
			"x/client 172.20.0.2 icmp/0 no-service-port\n"
			"x/client 172.20.0.3 sctp/80 no-endpoint\n"
			"x/client 172.20.0.9 tcp/80 yes");
}

static void svc_84_np_40_a_pod_reaches_itself_through_a_service(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, nodes,
			     OBJECTS(CLIENT, SERVICE(PLAIN), SLICE(EP("10.1.0.1", HERE_))));
	check_lines(&f, "x/client 172.20.0.1 tcp/80 yes\nx/client x/client tcp/8080 yes");
}

static void svc_4_117_118_families_are_served_separately(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(
		&f, nodes,
		OBJECTS(CLIENT,
			SERVICE("clusterIP: 172.20.0.1, clusterIPs: [172.20.0.1, 'fd20::1'], ipFamilies: [IPv4, IPv6], "
				"ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]"),
			SLICE(EP("10.0.0.1", "")),
			SERVICE_AS(
				"six", "",
				"clusterIP: 'fd20::2', clusterIPs: ['fd20::2'], ipFamilies: [IPv6], ports: [{port: 80}]"),
			SLICE_AS("six-6", "six", "IPv6", "name: '', port: 8080",
				 EP("'fd00::1'", "")),
			SLICE_AS("six-4", "six", "IPv4", "name: '', port: 8080",
				 EP("10.0.0.9", ""))));
	check_lines(
		&f,
		"x/client 172.20.0.1 tcp/80 yes\nx/client@6 fd20::1 tcp/80 no-endpoint\nx/client@6 fd20::2 tcp/80 yes");
	assert_int_equal(plan_find_service(f.plan, "x", "six", "", IPPROTO_TCP, 0), 0);
}

static void svc_6_equal_numbers_of_two_protocols_are_two_services(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(
		&f, nodes,
		OBJECTS(CLIENT,
			SERVICE("clusterIP: 172.20.0.1, ports: [{name: t, port: 53}, {name: u, port: 53, protocol: UDP}]"),
			SLICE_AS("s-1", "s", "IPv4", "name: u, port: 5353, protocol: UDP",
				 EP("10.0.0.1", ""))));
	check_lines(&f, "x/client 172.20.0.1 udp/53 yes\nx/client 172.20.0.1 tcp/53 no-endpoint");
}

static void svc_13_trap_15_each_endpoint_has_the_port_of_its_slice(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	uint32_t http, https;

	fixture_open_objects(
		&f, nodes,
		OBJECTS(SERVICE("clusterIP: 172.20.0.1, ports: [{name: http, port: 80}, {name: https, port: 443}]"),
			SLICE_AS("s-1", "s", "IPv4",
				 "name: http, port: 3000}, {name: https, port: 3000",
				 EP("10.0.0.1", "")),
			SLICE_AS("s-2", "s", "IPv4", "name: http, port: 3001",
				 EP("10.0.0.1", ""))));
	http = plan_find_service(f.plan, "x", "s", "http", IPPROTO_TCP, 0);
	https = plan_find_service(f.plan, "x", "s", "https", IPPROTO_TCP, 0);
	assert_int_equal(f.plan->services[http].lists[WEIR_LIST_INTERNAL].n, 2);
	assert_int_equal(f.plan->services[https].lists[WEIR_LIST_INTERNAL].n, 1);
	assert_int_equal(
		f.plan->backends[f.plan->services[http].lists[WEIR_LIST_INTERNAL].items[1]].port,
		3001);
	/* a backend belongs to one service port */
	assert_int_equal(f.plan->n_backends, 3);
}

static const struct diag *conflict(const struct plan *p)
{
	for (size_t i = 0; i < p->notes.n; i++)
		if (strstr(p->notes.items[i].message, "keeps it"))
			return &p->notes.items[i];
	return NULL;
}

static const char *owner(const struct fixture *f)
{
	struct weir_addr vip = addr_of("172.20.0.1");
	const struct plan_frontend *frontend = plan_find_frontend(f->plan, &vip, 80, IPPROTO_TCP);

	assert_non_null(frontend);
	return f->plan->services[frontend->service].service;
}

static void svc_7_first_created_service_keeps_the_frontend(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {}, g = {};

	fixture_open_objects(
		&f, NULL,
		OBJECTS(SERVICE_AS("a", ", creationTimestamp: '2025-02-01T00:00:00Z'", PLAIN),
			SERVICE_AS("b", ", creationTimestamp: '2025-01-01T00:00:00Z'", PLAIN)));
	assert_string_equal(owner(&f), "b");
	assert_non_null(conflict(f.plan));
	assert_string_equal(conflict(f.plan)->object, "Service x/a");
	fixture_open_objects(&g, NULL,
			     OBJECTS(SERVICE_AS("a", "", PLAIN), SERVICE_AS("b", "", PLAIN)));
	assert_string_equal(owner(&g), "a");
}

static void svc_5_a_service_port_is_identified_by_its_port_name(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {}, g = {}, h = {};

	fixture_open_objects(
		&f, NULL,
		OBJECTS(SERVICE("clusterIP: 172.20.0.1, ports: [{name: http, port: 80}]")));
	fixture_open_objects(
		&g, NULL,
		OBJECTS(SERVICE("clusterIP: 172.20.0.2, ports: [{name: http, port: 81}]")));
	fixture_open_objects(
		&h, NULL,
		OBJECTS(SERVICE("clusterIP: 172.20.0.1, ports: [{name: web, port: 80}]")));
	assert_int_equal(plan_hash_compare(&f.plan->services[1].name, &g.plan->services[1].name),
			 0);
	assert_int_not_equal(
		plan_hash_compare(&f.plan->services[1].name, &h.plan->services[1].name), 0);
}

/* The reader of manifests refuses it; the API may have it. */
static void svc_3_external_name_with_a_stale_cluster_ip_is_not_served(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, NULL, OBJECTS(SERVICE(PLAIN), SLICE(EP("10.0.0.1", ""))));
	assert_int_equal(f.plan->n_services, 2);
	f.store->services[0]->type = KUBE_EXTERNAL_NAME;
	plan_free(&f.plan);
	f.plan = plan_compile(&(struct plan_input){ .store = f.store, .node = HERE });
	assert_int_equal(f.plan->n_services, 1);
	assert_int_equal(f.plan->n_frontends, 0);
}

/* The API server refuses these in slices; they are dropped should one get through. */
static void svc_19_addresses_that_no_endpoint_can_have_are_ignored(void **state)
{
	static const char *const addrs[] = { "127.0.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.0",
					     "fd00::1" };
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, NULL,
			     OBJECTS(SERVICE(PLAIN), SLICE(EP("10.0.0.1", "") EP("10.0.0.2", ""))));
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		f.store->slices[0]->endpoints[1].addr = addr_of(addrs[i]);
		plan_free(&f.plan);
		f.plan = plan_compile(&(struct plan_input){ .store = f.store, .node = HERE });
		assert_int_equal(f.plan->n_backends, 1);
	}
}

static void svc_26_a_node_without_an_object_has_no_zone(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, NULL,
			     OBJECTS(SERVICE(PLAIN), SLICE(EP("10.0.0.1", ZONES(NEAR))
								   EP("10.0.0.2", ZONES(FAR)))));
	assert_int_equal(f.plan->services[1].lists[WEIR_LIST_INTERNAL].n, 2);
}

/* Nodes with the same endpoints have the same extent, however slices divide them. */
static void candidates_are_sorted_by_address(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {}, g = {};

	fixture_open_objects(&f, NULL,
			     OBJECTS(SERVICE(PLAIN), SLICE(EP("10.0.0.9", "") EP("10.0.0.1", ""))));
	fixture_open_objects(
		&g, NULL,
		OBJECTS(SERVICE(PLAIN), SLICE(EP("10.0.0.9", "")),
			SLICE_AS("a", "s", "IPv4", "name: '', port: 8080", EP("10.0.0.1", ""))));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			f.plan->backends[f.plan->services[1].lists[WEIR_LIST_INTERNAL].items[i]]
				.addr.b[15],
			i ? 9 : 1);
		assert_int_equal(
			g.plan->backends[g.plan->services[1].lists[WEIR_LIST_INTERNAL].items[i]]
				.addr.b[15],
			i ? 9 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(svc_30_packet_to_a_cluster_ip_is_translated),
		cmocka_unit_test(svc_60_61_64_without_a_candidate_the_reason_says_why),
		cmocka_unit_test(svc_84_np_40_a_pod_reaches_itself_through_a_service),
		cmocka_unit_test(svc_4_117_118_families_are_served_separately),
		cmocka_unit_test(svc_6_equal_numbers_of_two_protocols_are_two_services),
		cmocka_unit_test(svc_13_trap_15_each_endpoint_has_the_port_of_its_slice),
		cmocka_unit_test(svc_7_first_created_service_keeps_the_frontend),
		cmocka_unit_test(svc_5_a_service_port_is_identified_by_its_port_name),
		cmocka_unit_test(svc_3_external_name_with_a_stale_cluster_ip_is_not_served),
		cmocka_unit_test(svc_19_addresses_that_no_endpoint_can_have_are_ignored),
		cmocka_unit_test(svc_26_a_node_without_an_object_has_no_zone),
		cmocka_unit_test(candidates_are_sorted_by_address),
	};
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(more)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = candidates_are_as_listed,
						.initial_state = (void *)&rows[i] };
	memcpy(tests + ARRAY_SIZE(rows), more, sizeof(more));
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
