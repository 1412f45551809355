/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frontends beside the cluster IP, for a pod of this node: node ports, external IPs and load
 * balancer addresses with source ranges, with the translated packets byte for byte. Service 1 has
 * one backend for cluster IP traffic and another one for external frontends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/prog_env.h"

#define PORT 80
#define NODE_PORT 30080
#define TARGET 8080
#define SPORT 40000
#define USABLE WEIR_SERVICE_USABLE

enum {
	INTERNAL = 16, /* backends, and their slots */
	SHORT,
};

/* Service 1: cluster IP traffic to internal, external frontends from here to external. */
static void serve(struct prog_env *env, enum party internal, enum party external)
{
	const uint32_t ids[] = { INTERNAL, SHORT };
	const uint64_t extents[_WEIR_LIST_MAX] = {
		[WEIR_LIST_INTERNAL] = weir_extent(INTERNAL, 1),
		[WEIR_LIST_SHORT] = weir_extent(SHORT, 1),
	};

	prog_backend(env, INTERNAL, 1, internal, TARGET, 0);
	prog_backend(env, SHORT, 1, external, TARGET, 0);
	prog_backend_slots(env, INTERNAL, ids, 2);
	prog_service_lists(env, 1, USABLE, extents);
	prog_frontend(env, VIP_1, PORT, IPPROTO_TCP, 1);
	prog_frontend(env, VIP_1, PORT, IPPROTO_UDP, 1);
}

static struct prog_sent send_tcp(struct prog_env *env, enum party pod, enum party dst,
				 uint16_t port)
{
	struct packet_spec spec = prog_tcp(env, pod, SPORT, dst, port, SYN);

	prog_mac(pod, spec.src_mac);
	return prog_from(env, pod, &spec);
}

static struct prog_sent send_udp(struct prog_env *env, enum party dst, uint16_t port)
{
	struct packet_spec spec = prog_udp(env, POD_A, SPORT, dst, port);

	prog_mac(POD_A, spec.src_mac);
	return prog_from(env, POD_A, &spec);
}

/* The packet went on to that party and port, with the pod's own address and port (SVC-31). */
static void assert_to(struct prog_env *env, struct prog_sent sent, enum party party, uint16_t port)
{
	struct weir_addr dst = prog_addr(env, party), src = prog_addr(env, POD_A);
	struct packet_spec out;

	assert_int_equal(sent.reason, WEIR_FORWARDED);
	assert_null(packet_read(&sent.out, &out));
	assert_true(weir_addr_equal(&out.dst, &dst));
	assert_true(weir_addr_equal(&out.src, &src));
	assert_int_equal(out.dport, port);
	assert_int_equal(out.sport, SPORT);
}

static void svc_38_a_pod_reaches_a_node_port_of_its_node(void **state)
{
	struct prog_env *env = *state;
	struct prog_sent sent;
	struct packet_spec answer, out;
	struct weir_addr node = prog_addr(env, NODE);

	serve(env, POD_C, POD_B);
	prog_node_port(env, NODE_PORT, IPPROTO_TCP, 1);
	assert_to(env, send_tcp(env, POD_A, VIP_1, PORT), POD_C, TARGET);
	assert_to(env, send_tcp(env, POD_A, NODE, NODE_PORT), POD_B, TARGET);
	/* the answer comes from the node's address and port */
	answer = prog_tcp(env, POD_B, TARGET, POD_A, SPORT, SYN | ACK);
	prog_mac(POD_B, answer.src_mac);
	sent = prog_from(env, POD_B, &answer);
	assert_int_equal(sent.reason, WEIR_FORWARDED);
	assert_null(packet_read(&sent.out, &out));
	assert_true(weir_addr_equal(&out.src, &node));
	assert_int_equal(out.sport, NODE_PORT);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_63_only_addresses_that_serve_node_ports_do(void **state)
{
	struct prog_env *env = *state;

	serve(env, POD_C, POD_B);
	prog_node_port(env, NODE_PORT, IPPROTO_TCP, 1);
	assert_to(env, send_tcp(env, POD_A, OTHER_NODE, NODE_PORT), OTHER_NODE, NODE_PORT);
	assert_to(env, send_tcp(env, POD_A, REMOTE_A, NODE_PORT), REMOTE_A, NODE_PORT);
	assert_to(env, send_tcp(env, POD_A, NODE, NODE_PORT + 1), NODE, NODE_PORT + 1);
	assert_to(env, send_udp(env, NODE, NODE_PORT), NODE, NODE_PORT); /* SVC-6 */
}

static void svc_43_the_rest_of_an_external_ip_is_untouched(void **state)
{
	struct prog_env *env = *state;

	serve(env, POD_C, POD_B);
	prog_external(env, VIP_2, PORT, IPPROTO_TCP, 1, 0);
	assert_to(env, send_tcp(env, POD_A, VIP_2, PORT), POD_B, TARGET);
	assert_to(env, send_tcp(env, POD_A, VIP_2, PORT + 1), VIP_2, PORT + 1);
}

static void svc_7_an_address_goes_before_a_node_port(void **state)
{
	struct prog_env *env = *state;

	serve(env, POD_C, POD_B);
	prog_node_port(env, NODE_PORT, IPPROTO_TCP, 1);
	prog_backend(env, 20, 2, REMOTE_A, TARGET, 0);
	prog_backend_slots(env, 20, (const uint32_t[]){ 20 }, 1);
	prog_service_lists(
		env, 2, USABLE,
		(const uint64_t[_WEIR_LIST_MAX]){ [WEIR_LIST_SHORT] = weir_extent(20, 1) });
	prog_external(env, NODE, NODE_PORT, IPPROTO_TCP, 2, 0);
	assert_to(env, send_tcp(env, POD_A, NODE, NODE_PORT), REMOTE_A, TARGET);
}

static void svc_51_sources_outside_of_the_ranges_are_dropped(void **state)
{
	struct prog_env *env = *state;

	serve(env, POD_C, POD_B);
	prog_external(env, VIP_2, PORT, IPPROTO_TCP, 1, WEIR_FRONTEND_RANGES);
	assert_dropped(send_tcp(env, POD_A, VIP_2, PORT), WEIR_SOURCE_RANGE);
	prog_source(env, 2, POD_A); /* of another Service */
	assert_dropped(send_tcp(env, POD_A, VIP_2, PORT), WEIR_SOURCE_RANGE);
	prog_source(env, 1, POD_A);
	assert_to(env, send_tcp(env, POD_A, VIP_2, PORT), POD_B, TARGET);
	assert_dropped(send_tcp(env, POD_D, VIP_2, PORT), WEIR_SOURCE_RANGE);
	assert_to(env, send_tcp(env, POD_A, VIP_1, PORT), POD_C, TARGET); /* SVC-52 */
}

static void svc_55_ranges_go_before_missing_endpoints(void **state)
{
	struct prog_env *env = *state;
	const uint64_t none[_WEIR_LIST_MAX] = {};

	prog_service_lists(env, 1, 0, none);
	prog_external(env, VIP_2, PORT, IPPROTO_TCP, 1, WEIR_FRONTEND_RANGES);
	assert_dropped(send_tcp(env, POD_A, VIP_2, PORT), WEIR_SOURCE_RANGE);
	prog_source(env, 1, POD_A);
	assert_rejected(send_tcp(env, POD_A, VIP_2, PORT), WEIR_NO_ENDPOINT); /* SVC-60 */
	prog_service_lists(env, 1, USABLE, none);
	assert_dropped(send_tcp(env, POD_A, VIP_2, PORT), WEIR_NO_LOCAL_ENDPOINT);
}

static void svc_84_a_pod_reaches_itself_through_a_node_port(void **state)
{
	struct prog_env *env = *state;
	struct weir_addr pod = prog_addr(env, POD_A);
	struct prog_sent sent;
	struct packet_spec out;

	serve(env, POD_C, POD_A);
	prog_node_port(env, NODE_PORT, IPPROTO_TCP, 1);
	sent = send_tcp(env, POD_A, NODE, NODE_PORT);
	assert_redirected(sent);
	assert_null(packet_read(&sent.out, &out));
	assert_true(weir_addr_equal(&out.dst, &pod));
	assert_false(weir_addr_equal(&out.src, &pod));
}

static void svc_91_svc_92_udp_of_a_node_port_follows_it(void **state)
{
	struct prog_env *env = *state;

	serve(env, REMOTE_A, REMOTE_B);
	assert_to(env, send_udp(env, NODE, NODE_PORT), NODE, NODE_PORT);
	prog_node_port(env, NODE_PORT, IPPROTO_UDP, 1);
	prog_service_epoch(env);
	assert_to(env, send_udp(env, NODE, NODE_PORT), REMOTE_B, TARGET); /* it looks again */
	prog_service_epoch(env);
	assert_to(env, send_udp(env, NODE, NODE_PORT), REMOTE_B, TARGET); /* and stays */
	assert_int_equal(prog_flow_count(env), 2);
	prog_node_port_gone(env, NODE_PORT, IPPROTO_UDP);
	prog_service_epoch(env);
	assert_to(env, send_udp(env, NODE, NODE_PORT), NODE, NODE_PORT);
	assert_null(prog_gc_slots_check(env, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_38_a_pod_reaches_a_node_port_of_its_node),
		FOR_BOTH(svc_63_only_addresses_that_serve_node_ports_do),
		FOR_BOTH(svc_43_the_rest_of_an_external_ip_is_untouched),
		FOR_BOTH(svc_7_an_address_goes_before_a_node_port),
		FOR_BOTH(svc_51_sources_outside_of_the_ranges_are_dropped),
		FOR_BOTH(svc_55_ranges_go_before_missing_endpoints),
		FOR_BOTH(svc_84_a_pod_reaches_itself_through_a_node_port),
		FOR_BOTH(svc_91_svc_92_udp_of_a_node_port_follows_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
