// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * External frontends for the node's own processes: external IPs, load balancer addresses and node
 * ports, by real calls. The Services' only endpoint is an address of this node that their slices
 * put on another node, so that a call arrives, and only by the short circuit (SVC-35, rule 2).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "attach/remove.h"
#include "base/mem.h"
#include "lib/cgroup_calls.h"
#include "lib/kernel_env.h"

#define NAME "external"

#define SLICES(name)                                                                                           \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: " name \
	"-4, labels: {kubernetes.io/service-name: " name                                                       \
	"}}\nendpoints: [{addresses: [" CALLS_NODE_V4                                                          \
	"], nodeName: n2}]\nports: [{name: t, port: 8080}, {name: u, port: 5353, protocol: UDP}]\n"            \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv6\nmetadata: {name: " name \
	"-6, labels: {kubernetes.io/service-name: " name                                                       \
	"}}\nendpoints: [{addresses: ['" CALLS_NODE_V6                                                         \
	"'], nodeName: n2}]\nports: [{name: t, port: 8080}, {name: u, port: 5353, protocol: UDP}]\n"

/* host: of its cluster IPs and load balancer addresses; spec: the rest of it */
#define SERVICE(name, host, node_port, spec)                                                  \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n"                         \
	"spec: {type: LoadBalancer, clusterIP: 10.96.0." host ", clusterIPs: [10.96.0." host  \
	", 'fd00:10:96::" host                                                                \
	"'], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack, " spec               \
	", ports: [{name: t, port: 80, nodePort: 3008" node_port                              \
	"}, {name: u, port: 53, protocol: UDP, nodePort: 3005" node_port "}]}\n"              \
	"status: {loadBalancer: {ingress: [{ip: 203.0.113." host "}, {ip: '2001:db8:7::" host \
	"'}]}}\n" SLICES(name)

static const char objects[] =
	SERVICE("far", "1", "1", "externalTrafficPolicy: Local, externalIPs: [203.0.113.7, '2001:db8:7::7']") "---\n" SERVICE(
		"others", "2", "2",
		"loadBalancerSourceRanges: [192.0.2.0/24]") "---\n" SERVICE("ours", "3", "3",
									    "loadBalancerSourceRanges: [192.0.2.0/24, " CALLS_NODE_V4
									    "/32]");

static struct node *node;

static int group_setup(void **state)
{
	static const char *const no_pods[KERNEL_PODS];
	const struct attachment_list none = {};
	struct sync_delta d = {};
	struct weir_err err = {};
	struct plan *plan;

	calls_begin();
	plan = kernel_plan(no_pods, objects, NULL);
	node = kernel_node(NAME, NODE_WRITE);
	if (sync_apply(node, plan, &none, 0, &d, &err))
		fail_msg("%s", err.text);
	plan_free(&plan);
	calls_attach(node, 0);
	return 0;
}

static int group_teardown(void **state)
{
	struct weir_err err;

	node_close(&node);
	node_remove(NAME, &err);
	calls_end();
	return 0;
}

/* Both protocols, connected and not: each is translated, or each sees that error. */
static void assert_calls(const char *addr, uint16_t tcp, uint16_t udp, int tcp_error, int udp_error)
{
	const struct call calls[] = {
		{ SOCK_STREAM, addr, tcp, .how = CALL_CONNECT },
		{ SOCK_DGRAM, addr, udp, .how = CALL_CONNECT },
		{ SOCK_DGRAM, addr, udp, .how = CALL_DATAGRAM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int r = call_of(0, &calls[i]);

		if (r != (i ? udp_error : tcp_error))
			fail_msg("%s, call %zu: %s", addr, i, strerror(r));
	}
}

static void assert_served(const char *addr, uint16_t tcp, uint16_t udp)
{
	uint64_t before = calls_counted(node, WEIR_SOCKET);

	assert_calls(addr, tcp, udp, 0, 0);
	assert_int_equal(calls_counted(node, WEIR_SOCKET), before + 3);
}

static void assert_untouched(const char *addr, uint16_t tcp, uint16_t udp, int tcp_error,
			     int udp_error)
{
	uint64_t before = calls_counted(node, WEIR_SOCKET);

	assert_calls(addr, tcp, udp, tcp_error, udp_error);
	assert_int_equal(calls_counted(node, WEIR_SOCKET), before);
}

static void svc_41_svc_35_external_ips(void **state)
{
	assert_served("203.0.113.7", 80, 53);
	assert_served("2001:db8:7::7", 80, 53);
	assert_served("::ffff:203.0.113.7", 80, 53);
}

static void svc_45_svc_35_load_balancer_addresses(void **state)
{
	assert_served("203.0.113.1", 80, 53);
	assert_served("2001:db8:7::1", 80, 53);
	assert_served("::ffff:203.0.113.1", 80, 53);
}

/* An external address has no other ports, and is no known cluster IP (SVC-43). */
static void svc_43_other_ports_of_an_external_address_are_untouched(void **state)
{
	assert_untouched("203.0.113.7", 81, 54, ENETUNREACH, ENETUNREACH);
	assert_untouched("203.0.113.7", 30081, 30051, ENETUNREACH, ENETUNREACH);
}

static void svc_38_svc_35_node_ports_of_this_node(void **state)
{
	assert_served(CALLS_NODE_V4, 30081, 30051);
	assert_served("::ffff:" CALLS_NODE_V4, 30081, 30051);
}

/* 127.0.0.1 is in no table; a port that no Service has is the node's own business. */
static void svc_37_svc_63_loopback_and_other_ports_are_untouched(void **state)
{
	assert_untouched("127.0.0.1", 30081, 30051, ECONNREFUSED, 0);
	assert_untouched("::1", 30081, 30051, ECONNREFUSED, 0);
	assert_untouched(CALLS_NODE_V4, 30099, 30099, ECONNREFUSED, 0);
}

/* Those of another node are left to it. */
static void svc_38_a_node_port_of_another_node_is_untouched(void **state)
{
	assert_untouched("198.51.100.2", 30081, 30051, ENETUNREACH, ENETUNREACH);
}

/* The node port's translation comes before local delivery. */
static void svc_39_a_process_at_the_node_port_gets_none_of_it(void **state)
{
	const struct call call = { SOCK_STREAM, CALLS_NODE_V4, 30081, .how = CALL_CONNECT };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(30081) };
	_cleanup_(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(call_of(0, &call), 0);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
}

static void svc_51_source_ranges_refuse_the_node(void **state)
{
	uint64_t before = calls_counted(node, WEIR_SOURCE_RANGE);

	assert_calls("203.0.113.2", 80, 53, ETIMEDOUT, EPERM);
	assert_int_equal(calls_counted(node, WEIR_SOURCE_RANGE), before + 3);
}

static void svc_50_a_family_without_a_range_is_not_restricted(void **state)
{
	assert_served("2001:db8:7::2", 80, 53);
}

static void svc_52_ranges_restrict_no_cluster_ip_and_no_node_port(void **state)
{
	assert_served("10.96.0.2", 80, 53);
	assert_served(CALLS_NODE_V4, 30082, 30052);
}

/* A socket that is not bound has no source yet: then a range that holds the node is enough. */
static void svc_53_a_range_that_holds_the_node_allows_it(void **state)
{
	assert_served("203.0.113.3", 80, 53);
}

static void svc_51_a_bound_socket_has_its_own_source(void **state)
{
	struct call c = { SOCK_STREAM, "203.0.113.3", 80, .how = CALL_CONNECT };

	c.bind = CALLS_NODE_V4;
	assert_int_equal(call_of(0, &c), 0);
	c.bind = CALLS_OTHER_V4;
	assert_int_equal(call_of(0, &c), ETIMEDOUT);
	c = (struct call){ SOCK_DGRAM, "203.0.113.3", 53, .how = CALL_DATAGRAM };
	c.bind = CALLS_OTHER_V4;
	assert_int_equal(call_of(0, &c), EPERM);
	c.addr = "::ffff:203.0.113.3";
	c.bind = "::ffff:" CALLS_OTHER_V4;
	assert_int_equal(call_of(0, &c), EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svc_41_svc_35_external_ips),
		cmocka_unit_test(svc_45_svc_35_load_balancer_addresses),
		cmocka_unit_test(svc_43_other_ports_of_an_external_address_are_untouched),
		cmocka_unit_test(svc_38_svc_35_node_ports_of_this_node),
		cmocka_unit_test(svc_37_svc_63_loopback_and_other_ports_are_untouched),
		cmocka_unit_test(svc_38_a_node_port_of_another_node_is_untouched),
		cmocka_unit_test(svc_39_a_process_at_the_node_port_gets_none_of_it),
		cmocka_unit_test(svc_51_source_ranges_refuse_the_node),
		cmocka_unit_test(svc_50_a_family_without_a_range_is_not_restricted),
		cmocka_unit_test(svc_52_ranges_restrict_no_cluster_ip_and_no_node_port),
		cmocka_unit_test(svc_53_a_range_that_holds_the_node_allows_it),
		cmocka_unit_test(svc_51_a_bound_socket_has_its_own_source),
	};

	if (!kernel_env_enter() || !calls_possible())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
