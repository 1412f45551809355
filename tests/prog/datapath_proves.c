// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a pod proves of the packets that it sends, beside its address: the frame's MAC, and that a
 * flow is neither a tunnel nor a DHCP server's; which addresses are never on a wire, which headers
 * would lead a packet around policies, and by which device a pod's packet may come from the stack.
 * ARP and neighbour discovery: datapath_neighbour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/prog_env.h"

#define VXLAN 4789
#define GENEVE 6081

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* The same packet with another source MAC. */
static struct packet_spec from_mac(const struct packet_spec *spec, enum party pod)
{
	struct packet_spec forged = *spec;

	prog_mac(pod, forged.src_mac);
	return forged;
}

static void set_overlay_port(const struct prog_env *env, uint16_t port)
{
	struct weir_config config = prog_config(env);

	config.overlay_ports[port / 64] |= 1ull << (port % 64);
	prog_config_set(env, &config);
}

/* ---- The frame's MAC ---- */

static void a_new_flow_with_another_mac_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec own = prog_udp(env, POD_A, 40000, POD_B, 80),
			   forged = from_mac(&own, POD_B);

	assert_dropped(prog_from(env, POD_A, &forged), WEIR_SPOOFED_MAC);
	assert_int_equal(prog_flow_count(env), 0);
	assert_redirected(prog_from(env, POD_A, &own));
}

/* A bridge learns from each frame: one is enough to take a neighbour's packets. */
static void a_known_flow_does_not_excuse_another_mac(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 40000, REMOTE_A, 80, SYN),
			   ack = prog_tcp(env, POD_A, 40000, REMOTE_A, 80, ACK), forged;

	assert_passed(prog_from(env, POD_A, &syn));
	forged = from_mac(&ack, POD_B);
	assert_dropped(prog_from(env, POD_A, &forged), WEIR_SPOOFED_MAC);
	forged = from_mac(&ack, POD_A);
	for (int i = 0; i < 6; i++) {
		forged.src_mac[i] ^= 1;
		assert_dropped(prog_from(env, POD_A, &forged), WEIR_SPOOFED_MAC);
		forged.src_mac[i] ^= 1;
	}
	assert_passed(prog_from(env, POD_A, &forged));
}

static void multicast_with_another_mac_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec own = prog_udp(env, POD_A, 40000, POD_B, 80), forged;

	own.dst = addr(env->family ? "ff02::fb" : "224.0.0.251");
	forged = from_mac(&own, POD_B);
	assert_dropped(prog_from(env, POD_A, &forged), WEIR_SPOOFED_MAC);
	assert_sent(prog_from(env, POD_A, &own), TC_ACT_UNSPEC, WEIR_MULTICAST);
}

static void a_pod_that_opted_out_may_send_any_mac(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec own = prog_udp(env, POD_A, 40000, POD_B, 80),
			   forged = from_mac(&own, POD_C);

	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_redirected(prog_from(env, POD_A, &forged));
	assert_redirected(prog_from(env, POD_A, &forged));
	forged.src = prog_addr(env, POD_B); /* but not as another pod */
	assert_dropped(prog_from(env, POD_A, &forged), WEIR_SPOOFED);
}

/* A virtual address: of no recorded pod and no node. */
static void a_pod_that_opted_out_uses_a_virtual_address(void **state)
{
	static const enum party owned[] = { POD_B, NODE, OTHER_NODE };
	struct prog_env *env = *state;
	struct packet_spec out = prog_tcp(env, UNLISTED, 80, REMOTE_A, 40000, SYN | ACK),
			   in = prog_tcp(env, REMOTE_A, 40000, UNLISTED, 80, SYN), ack = in;

	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &in), WEIR_NOT_FOR_POD);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
	assert_passed(prog_from(env, POD_A, &out));
	prog_policy_epoch(env); /* judged again, not begun anew */
	ack.tcp_flags = ACK;
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &ack));
	out.tcp_flags = ACK;
	assert_passed(prog_from(env, POD_A, &out));
	assert_dropped(prog_from(env, POD_B, &out), WEIR_SPOOFED);
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		struct packet_spec spec = prog_tcp(env, owned[i], 80, REMOTE_A, 40000, SYN);

		assert_dropped(prog_from(env, POD_A, &spec), WEIR_SPOOFED);
		spec = prog_tcp(env, REMOTE_A, 40000, owned[i], 80, SYN);
		assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &spec), WEIR_NOT_FOR_POD);
	}
}

/* Its policies hold for that address too: the pod is the end. */
static void a_pods_policies_hold_for_its_virtual_address(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, 40000, UNLISTED, 80, SYN),
			   out = prog_tcp(env, UNLISTED, 40000, REMOTE_A, 80, SYN);

	prog_pod(env, POD_A, 1, 1, 0, WEIR_POD_ANY_SENDER);
	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_DENY, 0));
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &in), WEIR_INGRESS_DENIED);
	assert_dropped(prog_from(env, POD_A, &out), WEIR_EGRESS_DENIED);
}

/* ---- Tunnels ---- */

static struct packet_spec raw(const struct prog_env *env, enum party dst, uint8_t proto)
{
	struct packet_spec spec = prog_udp(env, POD_A, 0, dst, 0);

	spec.proto = proto;
	return spec;
}

static const uint8_t tunnels[] = { IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE };
static const enum party anywhere[] = { NODE, OTHER_NODE, REMOTE_A, POD_B };

static void np_42_a_pod_sends_no_tunnel_protocol(void **state)
{
	struct prog_env *env = *state;

	for (size_t i = 0; i < ARRAY_SIZE(tunnels); i++)
		for (size_t k = 0; k < ARRAY_SIZE(anywhere); k++) {
			struct packet_spec spec = raw(env, anywhere[k], tunnels[i]);

			assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
		}
	assert_int_equal(prog_flow_count(env), 0);
}

static void np_42_a_pod_sends_nothing_to_an_overlay_port(void **state)
{
	struct prog_env *env = *state;

	set_overlay_port(env, VXLAN);
	set_overlay_port(env, 65535);
	for (size_t k = 0; k < ARRAY_SIZE(anywhere); k++) {
		struct packet_spec spec = prog_udp(env, POD_A, 40000, anywhere[k], VXLAN);

		assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
		spec.dport = 65535;
		assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
		spec.dport = VXLAN + 1;
		assert_int_equal(prog_from(env, POD_A, &spec).reason, WEIR_FORWARDED);
		spec = prog_tcp(env, POD_A, 40000, anywhere[k], VXLAN, SYN);
		assert_int_equal(prog_from(env, POD_A, &spec).reason, WEIR_FORWARDED);
	}
}

/* A broadcast reaches the node's own sockets too. */
static void np_42_a_pod_broadcasts_nothing_to_an_overlay_port(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, POD_B, VXLAN);

	set_overlay_port(env, VXLAN);
	spec.dst = addr(env->family ? "ff02::1" : "255.255.255.255");
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
}

static void np_42_a_service_leads_to_no_overlay_port(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, VIP_1, 80);

	set_overlay_port(env, GENEVE);
	prog_serve(env, 1, 80, IPPROTO_UDP, NODE, GENEVE);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
	assert_int_equal(prog_flow_count(env), 0);
}

static void np_42_an_open_flow_ends_when_its_port_becomes_an_overlay_port(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, NODE, VXLAN);

	assert_passed(prog_from(env, POD_A, &spec));
	set_overlay_port(env, VXLAN);
	prog_policy_epoch(env);
	assert_int_equal(prog_from(env, POD_A, &spec).verdict, TC_ACT_SHOT);
}

static void tunnels_from_elsewhere_are_judged_like_other_packets(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, REMOTE_A, 40000, POD_A, VXLAN);

	set_overlay_port(env, VXLAN);
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &spec));
	spec.proto = IPPROTO_GRE;
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &spec));
}

static void a_pod_that_opted_out_may_send_tunnels(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, NODE, VXLAN);

	set_overlay_port(env, VXLAN);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_TUNNELS);
	assert_passed(prog_from(env, POD_A, &spec));
	spec = raw(env, NODE, IPPROTO_GRE);
	assert_passed(prog_from(env, POD_A, &spec));
}

/* ---- DHCP servers ---- */

static void a_pod_is_no_dhcp_server(void **state)
{
	struct prog_env *env = *state;
	uint16_t client = env->family ? 546 : 68, server = env->family ? 547 : 67;
	struct packet_spec spec = prog_udp(env, POD_A, server, POD_B, client);

	assert_dropped(prog_from(env, POD_A, &spec), WEIR_DHCP_SERVER);
	spec.sport = 40000; /* clients look at their own port only */
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_DHCP_SERVER);
	spec.dst = addr(env->family ? "ff02::1" : "255.255.255.255");
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_DHCP_SERVER);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_sent(prog_from(env, POD_A, &spec), TC_ACT_UNSPEC, WEIR_MULTICAST);
}

/* ---- Addresses that are never on a wire ---- */

static const char *const martians[2][6] = {
	{ "127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "240.0.0.1", "255.255.255.254" },
	{ "::1", "::" },
};

static void np_42_no_packet_goes_to_a_loopback_address(void **state)
{
	struct prog_env *env = *state;
	uint32_t own = WEIR_NODE_OWN;

	for (size_t i = 0; i < 6 && martians[env->family][i]; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, 40000, NODE, 80, SYN);

		spec.dst = addr(martians[env->family][i]);
		prog_set(env, "nodes", &spec.dst, &own); /* as an older load left it */
		assert_dropped(prog_from(env, POD_A, &spec), WEIR_MARTIAN);
		spec.tcp_flags = ACK;
		assert_dropped(prog_from(env, POD_A, &spec), WEIR_MARTIAN);
		spec.proto = IPPROTO_UDP;
		assert_dropped(prog_from(env, POD_A, &spec), WEIR_MARTIAN);
		spec.fragment = env->family ? 1 : 0x2000;
		spec.payload = 24;
		assert_dropped(prog_from(env, POD_A, &spec), WEIR_MARTIAN);
	}
	assert_int_equal(prog_flow_count(env), 0);
}

/* Also of the node's own sockets: a hostPort on 127.0.0.1 that is not masqueraded. */
static void np_41_no_packet_comes_from_a_loopback_address(void **state)
{
	struct prog_env *env = *state;

	for (size_t i = 0; i < 6 && martians[env->family][i]; i++)
		for (int socket = 0; socket < 2; socket++) {
			struct packet_spec spec = prog_tcp(env, NODE, 40000, POD_A, 80, SYN);

			spec.src = addr(martians[env->family][i]);
			assert_dropped(prog_to(env, POD_A, socket ? 0 : PROG_UPLINK, &spec),
				       WEIR_MARTIAN);
		}
}

static void an_icmp_error_comes_from_no_loopback_address(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_udp(env, POD_A, 40000, REMOTE_A, 80), error;
	struct packet quoted = packet_build(&out);

	assert_passed(prog_from(env, POD_A, &out));
	error = (struct packet_spec){ .src = addr(martians[env->family][0]),
				      .dst = out.src,
				      .proto = env->family ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				      .icmp_type = env->family ? 1 : 3,
				      .quoted = &quoted };
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &error), WEIR_MARTIAN);
	error.src = prog_addr(env, REMOTE_B);
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &error));
}

static void the_limited_broadcast_is_a_destination_only(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, REMOTE_A, 40000, POD_A, 80);

	spec.dst = addr("255.255.255.255");
	assert_sent(prog_to(env, POD_A, PROG_UPLINK, &spec), TC_ACT_UNSPEC, WEIR_MULTICAST);
	spec = prog_udp(env, REMOTE_A, 40000, POD_A, 80);
	spec.src = addr("255.255.255.255");
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &spec), WEIR_MARTIAN);
}

/* A DHCP client, and a bridge that asks for group members, have no address. */
static void a_host_without_an_address_may_ask_the_link(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec discover = prog_udp(env, REMOTE_A, 68, POD_A, 67), query = discover;

	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	discover.src = query.src = addr("0.0.0.0");
	discover.dst = addr("255.255.255.255");
	query.proto = IPPROTO_IGMP;
	query.dst = addr("224.0.0.1");
	assert_int_not_equal(prog_to(env, POD_A, PROG_BRIDGE, &discover).verdict, TC_ACT_SHOT);
	assert_int_not_equal(prog_to(env, POD_A, PROG_BRIDGE, &query).verdict, TC_ACT_SHOT);
	query.dst = prog_addr(env, POD_A);
	assert_dropped(prog_to(env, POD_A, PROG_BRIDGE, &query), WEIR_MARTIAN);
}

/* Also a flow that was open before the load that learnt the port. */
static void np_42_an_open_flow_becomes_a_tunnel_with_enforcement_off_too(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, NODE, VXLAN);

	assert_passed(prog_from(env, POD_A, &spec));
	set_overlay_port(env, VXLAN);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	prog_policy_epoch(env);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
}

static void enforcement_off_excuses_none_of_this(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, NODE, 80, SYN);

	prog_enforcement(env, WEIR_ENFORCE_OFF);
	spec.dst = addr(martians[env->family][0]);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_MARTIAN);
	spec = raw(env, NODE, IPPROTO_IPIP);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_TUNNEL);
}

/* ---- Source routes ---- */

/* Both hooks, and with a first fragment. */
static void assert_source_route(struct prog_env *env, const struct packet *packet)
{
	assert_dropped(prog_send(env, FROM_POD(POD_A), packet), WEIR_SOURCE_ROUTE);
	assert_dropped(prog_send(env, TO_POD(POD_B, PROG_UPLINK), packet), WEIR_SOURCE_ROUTE);
}

static void an_ipv4_source_route_is_dropped(void **state)
{
	static const uint8_t loose = 131, strict = 137;
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);
	struct packet packet;

	spec.v4_options = 10;
	for (unsigned int at = 0; at <= 40 - 7; at++) /* behind so many no-operations */
		for (int fragment = 0; fragment < 2; fragment++) {
			spec.fragment = fragment ? 0x2000 : 0;
			packet = packet_build(&spec);
			packet.data[PACKET_L3 + 20 + at] = at & 1 ? loose : strict;
			packet.data[PACKET_L3 + 21 + at] = 7;
			packet.data[PACKET_L3 + 22 + at] = 4;
			packet_finish(&packet, &spec);
			assert_source_route(env, &packet);
		}
}

static void other_ipv4_options_pass(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);
	struct packet packet;

	spec.v4_options = 3;
	packet = packet_build(&spec);
	packet.data[PACKET_L3 + 20] = 7; /* record route */
	packet.data[PACKET_L3 + 21] = 7;
	packet.data[PACKET_L3 + 22] = 131; /* not an option's type here */
	packet.data[PACKET_L3 + 27] = 0; /* the list ends */
	packet.data[PACKET_L3 + 28] = 131;
	packet_finish(&packet, &spec);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &packet));
}

static void ipv4_options_that_contradict_themselves_are_dropped(void **state)
{
	static const uint8_t lengths[] = { 0, 1, 13, 255 };
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	spec.v4_options = 3;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct packet packet = packet_build(&spec);

		packet.data[PACKET_L3 + 20] = 7;
		packet.data[PACKET_L3 + 21] = lengths[i];
		packet_finish(&packet, &spec);
		assert_dropped(prog_send(env, FROM_POD(POD_A), &packet), WEIR_BAD_HEADER);
	}
}

/* Types 0 and 2 to 4 are defined; another one is no better. */
static void a_routing_header_with_segments_left_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	spec.extensions[0] = (struct packet_extension){ IPPROTO_DSTOPTS, 0 };
	spec.extensions[1] = (struct packet_extension){ IPPROTO_ROUTING, 2 };
	spec.n_extensions = 2;
	for (uint8_t type = 0; type < 6; type++)
		for (int fragment = 0; fragment < 2; fragment++) {
			struct packet packet;

			spec.fragment = fragment;
			packet = packet_build(&spec);
			packet.data[PACKET_L3 + 48 + 2] = type;
			packet.data[PACKET_L3 + 48 + 3] = 1;
			assert_source_route(env, &packet);
		}
}

/* ---- By which device a pod's packet comes from the stack ---- */

static void set_master(const struct prog_env *env, enum party pod, uint32_t master)
{
	struct weir_attachment a = { .slot = PROG_SLOT(pod), .master = master };
	uint32_t device = PROG_DEVICE(pod);

	prog_set(env, "attachments", &device, &a);
}

/* The node's DNAT sends it back by the bridge: it enters the stack as a packet of the bridge. */
static void a_pods_packet_may_come_by_the_bridge_of_its_device(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN),
			   back = prog_tcp(env, POD_B, 80, POD_A, 40000, SYN | ACK),
			   ack = prog_tcp(env, POD_A, 40000, POD_B, 80, ACK);

	assert_dropped(prog_to(env, POD_B, PROG_BRIDGE, &syn), WEIR_SPOOFED);
	set_master(env, POD_A, PROG_BRIDGE);
	assert_passed(prog_to(env, POD_B, PROG_BRIDGE, &syn));
	assert_passed(prog_from(env, POD_B, &back));
	assert_passed(prog_to(env, POD_B, PROG_BRIDGE, &ack));
	assert_passed(prog_to(env, POD_B, PROG_DEVICE(POD_A), &ack));
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &ack), WEIR_SPOOFED);
	assert_dropped(prog_to(env, POD_B, PROG_DEVICE(POD_C), &ack), WEIR_SPOOFED);
}

static void a_pods_packet_comes_by_no_other_device(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	set_master(env, POD_A, PROG_BRIDGE);
	set_master(env, POD_B, PROG_BRIDGE + 1);
	assert_dropped(prog_to(env, POD_B, PROG_BRIDGE + 1, &syn), WEIR_SPOOFED);
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &syn), WEIR_SPOOFED);
	set_master(env, POD_A, 0);
	assert_dropped(prog_to(env, POD_B, 0, &syn), WEIR_SPOOFED);
}

/* The device's own check is not widened: what a pod sends comes in by its own device. */
static void a_pod_sends_by_its_own_device_only(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 40000, POD_C, 80, SYN),
			   ack = prog_tcp(env, POD_A, 40000, POD_C, 80, ACK);

	set_master(env, POD_A, PROG_DEVICE(POD_B));
	assert_dropped(prog_from(env, POD_B, &syn), WEIR_SPOOFED);
	assert_redirected(prog_from(env, POD_A, &syn));
	assert_dropped(prog_from(env, POD_B, &ack), WEIR_SPOOFED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(a_new_flow_with_another_mac_is_dropped),
		FOR_BOTH(a_known_flow_does_not_excuse_another_mac),
		FOR_BOTH(multicast_with_another_mac_is_dropped),
		FOR_BOTH(a_pod_that_opted_out_may_send_any_mac),
		FOR_BOTH(a_pod_that_opted_out_uses_a_virtual_address),
		FOR_BOTH(a_pods_policies_hold_for_its_virtual_address),
		FOR_BOTH(np_42_a_pod_sends_no_tunnel_protocol),
		FOR_BOTH(np_42_a_pod_sends_nothing_to_an_overlay_port),
		FOR_BOTH(np_42_a_pod_broadcasts_nothing_to_an_overlay_port),
		FOR_BOTH(np_42_a_service_leads_to_no_overlay_port),
		FOR_BOTH(np_42_an_open_flow_ends_when_its_port_becomes_an_overlay_port),
		FOR_BOTH(tunnels_from_elsewhere_are_judged_like_other_packets),
		FOR_BOTH(a_pod_that_opted_out_may_send_tunnels),
		FOR_BOTH(a_pod_is_no_dhcp_server),
		FOR_BOTH(np_42_no_packet_goes_to_a_loopback_address),
		FOR_BOTH(np_41_no_packet_comes_from_a_loopback_address),
		FOR_BOTH(an_icmp_error_comes_from_no_loopback_address),
		PROG_TEST_V4(the_limited_broadcast_is_a_destination_only),
		PROG_TEST_V4(a_host_without_an_address_may_ask_the_link),
		FOR_BOTH(np_42_an_open_flow_becomes_a_tunnel_with_enforcement_off_too),
		FOR_BOTH(enforcement_off_excuses_none_of_this),
		PROG_TEST_V4(an_ipv4_source_route_is_dropped),
		PROG_TEST_V4(other_ipv4_options_pass),
		PROG_TEST_V4(ipv4_options_that_contradict_themselves_are_dropped),
		PROG_TEST_V6(a_routing_header_with_segments_left_is_dropped),
		FOR_BOTH(a_pods_packet_may_come_by_the_bridge_of_its_device),
		FOR_BOTH(a_pods_packet_comes_by_no_other_device),
		FOR_BOTH(a_pod_sends_by_its_own_device_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
