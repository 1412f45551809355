/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frontends beside the cluster IP: which there are, which Service gets them, at which addresses of
 * the node, and the verdict on a packet of a pod of this node.
 */
#include "compile_fixture.h"

#define NODE                                                                                     \
	"apiVersion: v1\nkind: Node\nmetadata: {name: here}\nstatus: {addresses: ["              \
	"{type: ExternalIP, address: 198.51.100.77}, {type: InternalIP, address: 192.168.0.1}, " \
	"{type: InternalIP, address: 192.168.9.1}, {type: InternalIP, address: 'fd00:168::1'}]}\n"
#define OTHER_NODE                                                                   \
	"apiVersion: v1\nkind: Node\nmetadata: {name: there}\nstatus: {addresses: [" \
	"{type: InternalIP, address: 192.168.0.2}]}\n"
#define CLIENT                                                                \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: x}\n" \
	"spec: {nodeName: here, containers: [{name: c, image: i}]}\n"         \
	"status: {phase: Running, podIPs: [{ip: 10.1.0.1}, {ip: 'fd01::1'}]}\n"
#define SERVICE(name, created, spec, status)                                                       \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: x, "                 \
	"creationTimestamp: '2026-01-0" created "T00:00:00Z'}\nspec: {" spec "}\nstatus: {" status \
	"}\n"
#define SLICE(service, addr)                                                              \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " service \
	"-1, namespace: x, labels: {kubernetes.io/service-name: " service                 \
	"}}\naddressType: IPv4\nports: [{name: '', port: 8080}]\n"                        \
	"endpoints: [{addresses: [" addr "], nodeName: there}]\n"
#define IP(last) "clusterIP: 172.20.0." last ", clusterIPs: [172.20.0." last "]"
#define PORT ", ports: [{port: 80}]"
#define NODE_PORT ", type: NodePort, ports: [{port: 80, nodePort: 30080}]"
#define BALANCER(ips) "loadBalancer: {ingress: [" ips "]}"

struct row {
	const char *name;
	const char *objects[4]; /* with nodes and client; NULL after the last */
	const char *lines; /* of check_lines() */
	struct plan_node_ports node_ports;
};

static struct cidr only_9 = { .len = 96 + 24 };

static const struct row rows[] = {
	{ "svc_36_a_node_port_is_served_at_all_addresses_of_this_node",
	  { SERVICE("s", "1", IP("1") NODE_PORT, ""), SLICE("s", "10.0.0.1") },
	  "x/client 192.168.0.1 tcp/30080 yes\n"
	  "x/client 192.168.9.1 tcp/30080 yes\n"
	  "x/client 172.20.0.1 tcp/80 yes\n"
	  "x/client 172.20.0.1 tcp/30080 no-service-port\n",
	  {} },
	{ "svc_63_a_node_port_of_another_address_is_untouched",
	  { SERVICE("s", "1", IP("1") NODE_PORT, "") },
	  "x/client 192.168.0.1 tcp/30080 no-endpoint\n"
	  "x/client 192.168.0.2 tcp/30080 yes\n"
	  "x/client 203.0.113.9 tcp/30080 yes\n"
	  "x/client 192.168.0.1 udp/30080 yes\n",
	  {} },
	{ "svc_36_node_ports_only_at_primary_addresses",
	  { SERVICE("s", "1", IP("1") NODE_PORT, "") },
	  "x/client 192.168.0.1 tcp/30080 no-endpoint\n"
	  "x/client 192.168.9.1 tcp/30080 yes\n"
	  "x/client 198.51.100.77 tcp/30080 yes\n",
	  { .primary = true } },
	{ "svc_36_node_ports_only_in_blocks",
	  { SERVICE("s", "1", IP("1") NODE_PORT, "") },
	  "x/client 192.168.0.1 tcp/30080 yes\n"
	  "x/client 192.168.9.1 tcp/30080 no-endpoint\n",
	  { .blocks = &only_9, .n_blocks = 1 } },
	{ "svc_40_svc_41_an_external_ip_needs_no_node",
	  { SERVICE("s", "1", IP("1") PORT ", externalIPs: [203.0.113.1, 203.0.113.1]", "") },
	  "x/client 203.0.113.1 tcp/80 no-endpoint\n"
	  "x/client 203.0.113.1 tcp/81 yes\n",
	  {} },
	{ "svc_43_the_rest_of_a_nodes_address_is_untouched",
	  { SERVICE("s", "1", IP("1") PORT ", externalIPs: [192.168.0.1]", "") },
	  "x/client 192.168.0.1 tcp/80 no-endpoint\n"
	  "x/client 192.168.0.1 tcp/22 yes\n",
	  {} },
	{ "svc_45_svc_46_balancer_addresses_by_status_alone",
	  { SERVICE("s", "1", IP("1") PORT,
		    BALANCER("{ip: 203.0.113.1}, {ip: 203.0.113.2, ipMode: VIP}, "
			     "{ip: 203.0.113.3, ipMode: Proxy}, {hostname: a.example}")) },
	  "x/client 203.0.113.1 tcp/80 no-endpoint\n"
	  "x/client 203.0.113.2 tcp/80 no-endpoint\n"
	  "x/client 203.0.113.3 tcp/80 yes\n",
	  {} },
	{ "svc_4_nothing_of_a_family_without_cluster_ip",
	  { SERVICE("s", "1",
		    IP("1") NODE_PORT ", externalIPs: ['2001:db8::1'], "
				      "ipFamilies: [IPv4], ipFamilyPolicy: SingleStack",
		    BALANCER("{ip: '2001:db8::2'}")) },
	  "x/client@6 2001:db8::1 tcp/80 yes\n"
	  "x/client@6 2001:db8::2 tcp/80 yes\n"
	  "x/client@6 fd00:168::1 tcp/30080 yes\n",
	  {} },
	{ "svc_7_the_older_service_keeps_an_external_ip",
	  { SERVICE("a", "2", IP("1") PORT ", externalIPs: [203.0.113.1]", ""),
	    SERVICE("b", "1", IP("2") PORT ", externalIPs: [203.0.113.1]", ""),
	    SLICE("a", "10.0.0.1") },
	  "x/client 203.0.113.1 tcp/80 no-endpoint\n"
	  "x/client 172.20.0.1 tcp/80 yes\n",
	  {} },
	{ "svc_7_a_cluster_ip_goes_before_an_older_external_ip",
	  { SERVICE("a", "2", IP("1") PORT, ""), SLICE("a", "10.0.0.1"),
	    SERVICE("b", "1", IP("2") PORT ", externalIPs: [172.20.0.1]", "") },
	  "x/client 172.20.0.1 tcp/80 yes\n",
	  {} },
	{ "svc_7_an_address_goes_before_a_node_port",
	  { SERVICE("a", "1", IP("1") NODE_PORT, ""), SLICE("a", "10.0.0.1"),
	    SERVICE("b", "2", IP("2") ", ports: [{port: 30080}], externalIPs: [192.168.0.1]", "") },
	  "x/client 192.168.0.1 tcp/30080 no-endpoint\n"
	  "x/client 192.168.9.1 tcp/30080 yes\n",
	  {} },
	{ "svc_50_svc_51_svc_52_source_ranges_restrict_the_balancer_address_alone",
	  { SERVICE("s", "1",
		    IP("1") ", type: LoadBalancer, ports: [{port: 80, nodePort: 30080}], "
			    "externalIPs: [203.0.113.9], "
			    "loadBalancerSourceRanges: [' 10.2.0.0/16 ']",
		    BALANCER("{ip: 203.0.113.1}, {ip: 203.0.113.9}")),
	    SLICE("s", "10.0.0.1") },
	  "x/client 203.0.113.1 tcp/80 source-range\n"
	  "x/client 203.0.113.9 tcp/80 yes\n"
	  "x/client 192.168.0.1 tcp/30080 yes\n"
	  "x/client 172.20.0.1 tcp/80 yes\n",
	  {} },
	{ "svc_50_a_range_of_everything_restricts_nothing",
	  { SERVICE("s", "1",
		    IP("1") ", type: LoadBalancer, ports: [{port: 80, nodePort: 30080}], "
			    "loadBalancerSourceRanges: [10.2.0.0/16, 0.0.0.0/0]",
		    BALANCER("{ip: 203.0.113.1}")),
	    SLICE("s", "10.0.0.1") },
	  "x/client 203.0.113.1 tcp/80 yes\n",
	  {} },
	{ "svc_55_source_ranges_go_before_missing_endpoints",
	  { SERVICE("s", "1",
		    IP("1") ", type: LoadBalancer, ports: [{port: 80, nodePort: 30080}], "
			    "loadBalancerSourceRanges: [10.2.0.0/16]",
		    BALANCER("{ip: 203.0.113.1}")) },
	  "x/client 203.0.113.1 tcp/80 source-range\n",
	  {} },
	{ "np_46_a_node_port_is_judged_as_egress_to_the_endpoint",
	  { SERVICE("s", "1", IP("1") NODE_PORT, ""), SLICE("s", "10.0.0.1"),
	    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
	    "metadata: {name: p, namespace: x}\n"
	    "spec: {podSelector: {}, policyTypes: [Egress]}\n" },
	  "x/client 192.168.0.1 tcp/30080 egress-denied\n"
	  "x/client 192.168.0.1 tcp/30081 yes\n",
	  {} },
};

static void check_row(void **state)
{
	const struct row *row = *state;
	static const char *const nodes[] = { NODE, OTHER_NODE, CLIENT, NULL };
	struct fixture f;

	only_9.addr = addr_of("192.168.9.0");
	fixture_open_objects(&f, nodes, row->objects);
	plan_free(&f.plan);
	f.plan = plan_compile(&(struct plan_input){
		.store = f.store, .node = HERE, .node_ports = row->node_ports });
	check_lines(&f, row->lines);
	fixture_close(&f);
}

static void svc_53_a_range_with_this_node_has_the_balancer_address(void **state)
{
	const struct weir_addr vip = addr_of("203.0.113.1");
	const struct plan_service *s;
	struct fixture f;

	fixture_open_objects(
		&f,
		OBJECTS(NODE, SERVICE("s", "1",
				      IP("1") ", type: LoadBalancer, ports: [{port: 80}], "
					      "loadBalancerSourceRanges: [192.168.0.0/24]",
				      BALANCER("{ip: 203.0.113.1}"))),
		NULL);
	s = &f.plan->services[1];
	assert_int_equal(s->n_ranges, 2);
	assert_true(weir_addr_equal(&s->ranges[1].addr, &vip));
	fixture_close(&f);
}

static void equal_lists_are_one(void **state)
{
	struct fixture f;

	fixture_open_objects(
		&f, OBJECTS(NODE, SERVICE("s", "1", IP("1") NODE_PORT, ""), SLICE("s", "10.0.0.1")),
		NULL);
	assert_int_equal(f.plan->services[1].lists[WEIR_LIST_SHORT].n, 1);
	assert_int_equal(plan_service_slots(&f.plan->services[1]), 1);
	fixture_close(&f);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 2] = {
		cmocka_unit_test(svc_53_a_range_with_this_node_has_the_balancer_address),
		cmocka_unit_test(equal_lists_are_one),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[2 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = check_row,
						    .initial_state = (void *)&rows[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
