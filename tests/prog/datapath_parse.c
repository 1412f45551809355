// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Frames before any table look-up: every reason that parsing can give, the headers that it walks,
 * and what passes without a policy verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "lib/prog_env.h"

static struct prog_sent send_built(struct prog_env *env, const struct packet *packet)
{
	return prog_send(env, FROM_POD(POD_A), packet);
}

static struct packet syn(const struct prog_env *env)
{
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	return packet_build(&spec);
}

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void a_plain_packet_is_forwarded(void **state)
{
	struct prog_env *env = *state;
	struct packet packet = syn(env);

	assert_redirected(send_built(env, &packet));
}

static void unknown_ethertypes_are_dropped(void **state)
{
	struct prog_env *env = *state;
	static const uint16_t unknown[] = { ETH_P_8021Q,   ETH_P_8021AD,  ETH_P_MPLS_UC,
					    ETH_P_MPLS_MC, ETH_P_PPP_SES, ETH_P_TEB,
					    ETH_P_RARP,    ETH_P_MACSEC,  ETH_P_NSH,
					    ETH_P_PAUSE,   ETH_P_802_3,   ETH_P_LOOP };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		struct packet packet = packet_ethertype(unknown[i]);

		assert_dropped(send_built(env, &packet), WEIR_ETHERTYPE);
		assert_dropped(prog_send(env, TO_POD(POD_A, PROG_UPLINK), &packet), WEIR_ETHERTYPE);
	}
}

static void a_vlan_tag_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	spec.vlan = 7;
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_ETHERTYPE);
}

/* Every length that ends inside the L4 header. TEST_RUN requires a whole IP header. */
static void a_packet_that_ends_inside_a_header_is_truncated(void **state)
{
	struct prog_env *env = *state;
	struct packet whole = syn(env), cut;
	unsigned int l4 = packet_l4_offset(&whole);

	for (unsigned int len = l4; len < whole.len; len++) {
		cut = whole;
		cut.len = len;
		assert_dropped(send_built(env, &cut), WEIR_TRUNCATED);
	}
}

static void an_incomplete_l4_header_is_truncated(void **state)
{
	static const struct {
		uint8_t proto;
		unsigned int header;
	} rows[] = {
		{ IPPROTO_TCP, 20 }, { IPPROTO_UDP, 8 }, { IPPROTO_SCTP, 16 }, { IPPROTO_ICMP, 8 }
	};
	struct prog_env *env = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);
		struct packet p;
		unsigned int l4;

		spec.proto = rows[i].proto == IPPROTO_ICMP && env->family ? IPPROTO_ICMPV6
									  : rows[i].proto;
		spec.icmp_type = env->family ? 128 : 8;
		spec.sctp_chunk = 1;
		p = packet_build(&spec);
		l4 = packet_l4_offset(&p);
		assert_redirected(send_built(env, &p));
		p.len = l4 + rows[i].header - 1;
		if (env->family)
			p.data[PACKET_L3 + 5] = rows[i].header - 1;
		else
			p.data[PACKET_L3 + 3] = 20 + rows[i].header - 1;
		assert_dropped(send_built(env, &p), WEIR_TRUNCATED);
	}
}

static void a_header_that_contradicts_itself_is_dropped(void **state)
{
	static const uint8_t first_bytes[2][4] = { { 0x55, 0x44, 0x40, 0x65 },
						   { 0x40, 0x50, 0x70, 0x00 } };
	struct prog_env *env = *state;
	struct packet whole = syn(env), bad;

	for (int i = 0; i < 4; i++) {
		bad = whole;
		bad.data[PACKET_L3] = first_bytes[env->family][i];
		assert_dropped(send_built(env, &bad), WEIR_BAD_HEADER);
	}
}

static void a_total_length_shorter_than_the_header_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet p = syn(env);

	p.data[PACKET_L3 + 3] = 19;
	assert_dropped(send_built(env, &p), WEIR_BAD_HEADER);
}

/* Bytes beyond the IP length are padding. */
static void an_l4_header_in_the_padding_is_truncated(void **state)
{
	struct prog_env *env = *state;
	struct packet p = syn(env);

	if (env->family)
		p.data[PACKET_L3 + 5] = 4;
	else
		p.data[PACKET_L3 + 3] = 24;
	assert_dropped(send_built(env, &p), WEIR_TRUNCATED);
}

static void ethernet_padding_is_no_error(void **state)
{
	struct prog_env *env = *state;
	struct packet p = syn(env);

	p.len += 6;
	assert_redirected(send_built(env, &p));
}

static void impossible_tcp_flags_are_dropped(void **state)
{
	static const uint8_t flags[] = { SYN | FIN, SYN | RST, SYN | FIN | ACK, SYN | RST | ACK };
	struct prog_env *env = *state;

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, flags[i]);

		assert_dropped(prog_from(env, POD_A, &spec), WEIR_BAD_HEADER);
	}
}

static void dont_fragment_is_no_fragment(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 40000, POD_B, 80);

	spec.fragment = 0x4000;
	assert_redirected(prog_from(env, POD_A, &spec));
}

/* What a pod may say in them: datapath_proves. */
static void np_38_neighbour_discovery_and_mld_are_never_judged(void **state)
{
	static const uint8_t types[] = { 130, 131, 132, 133, 134, 135, 136, 137, 143 };
	struct prog_env *env = *state;

	prog_pod(env, POD_A, 1, 1, 0, WEIR_POD_GATE | WEIR_POD_ANY_SENDER);
	for (size_t i = 0; i < sizeof(types); i++) {
		struct packet_spec spec = prog_echo(env, POD_A, POD_B, 1, false);

		spec.src = addr("fe80::1");
		spec.dst = addr("ff02::1");
		spec.icmp_type = types[i];
		spec.hops = types[i] < 133 || types[i] == 143 ? 1 : 255;
		spec.extensions[0] = (struct packet_extension){ IPPROTO_HOPOPTS, 0 };
		spec.n_extensions = 1;
		assert_sent(prog_from(env, POD_A, &spec), TC_ACT_UNSPEC, WEIR_NEIGHBOUR);
		assert_sent(prog_to(env, POD_A, PROG_BRIDGE, &spec), TC_ACT_UNSPEC, WEIR_NEIGHBOUR);
	}
}

/* It passes without a policy verdict, so it must not cross a link. */
static void np_38_neighbour_discovery_of_another_link_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec far = prog_echo(env, POD_A, REMOTE_A, 1, false), forwarded, local;
	struct weir_addr target = prog_addr(env, POD_B);
	struct packet probe;

	far.icmp_type = 135;
	far.hops = 255;
	assert_dropped(prog_from(env, POD_A, &far), WEIR_OFF_LINK);
	forwarded = prog_echo(env, REMOTE_A, POD_A, 1, false);
	forwarded.icmp_type = 135;
	forwarded.hops = 254;
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &forwarded), WEIR_OFF_LINK);
	local = prog_echo(env, POD_A, POD_B, 1, false); /* unicast, as in reachability probes */
	local.icmp_type = 135;
	local.hops = 255;
	local.payload = 0;
	probe = packet_neighbour(&local, &target, NULL, 0);
	assert_sent(send_built(env, &probe), TC_ACT_UNSPEC, WEIR_NEIGHBOUR);
}

static void dhcp_passes_in_its_own_direction_only(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec ask = prog_udp(env, POD_A, 68, POD_B, 67),
			   answer = prog_udp(env, REMOTE_A, 67, POD_A, 68);

	ask.src = addr("0.0.0.0");
	ask.dst = addr("255.255.255.255");
	answer.dst = ask.dst;
	assert_sent(prog_from(env, POD_A, &ask), TC_ACT_UNSPEC, WEIR_NEIGHBOUR);
	assert_sent(prog_to(env, POD_A, PROG_BRIDGE, &answer), TC_ACT_UNSPEC, WEIR_NEIGHBOUR);
	/* a pod cannot be a DHCP server (datapath_proves) */
	assert_dropped(prog_from(env, POD_A, &answer), WEIR_SPOOFED);
	ask.dport = 69;
	assert_dropped(prog_from(env, POD_A, &ask), WEIR_SPOOFED);
	/* requests are broadcast; a unicast datagram would bypass policy */
	ask.dport = 67;
	ask.dst = addr("10.0.0.77");
	assert_dropped(prog_from(env, POD_A, &ask), WEIR_SPOOFED);
}

static void link_local_unicast_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 4000, POD_B, 80);

	spec.src = addr("fe80::1");
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_LINK_LOCAL);
	spec = prog_udp(env, POD_A, 4000, POD_B, 80);
	spec.dst = addr("febf::1");
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_LINK_LOCAL);
}

static void parse_4_a_mapped_address_on_the_wire_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	spec.mapped_wire = true;
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_MAPPED_ADDRESS);
	assert_dropped(prog_to(env, POD_B, PROG_DEVICE(POD_A), &spec), WEIR_MAPPED_ADDRESS);
}

static void the_unspecified_address_is_spoofed_for_every_pod(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 4000, POD_B, 80);
	struct weir_pod pod;
	uint32_t slot = PROG_SLOT(POD_A);

	prog_get(env, "pods", &slot, &pod);
	pod.addr[env->family] = (struct weir_addr){}; /* a pod without this family */
	prog_set(env, "pods", &slot, &pod);
	spec.src = addr(env->family ? "::" : "0.0.0.0");
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_SPOOFED);
}

/* The flow has the ports of the TCP header behind the options. */
static void ipv4_options_are_walked(void **state)
{
	struct prog_env *env = *state;

	for (int words = 1; words <= 10; words++) {
		struct packet_spec spec = prog_tcp(env, POD_A, 40000 + words, POD_B, 80, SYN);

		spec.v4_options = words;
		assert_redirected(prog_from(env, POD_A, &spec));
		assert_true(prog_flow(env, &spec, 0, NULL));
	}
}

static void extension_headers_are_walked(void **state)
{
	static const struct packet_extension rows[][WEIR_MAX_EXTENSION_HEADERS] = {
		{ { IPPROTO_HOPOPTS, 0 } },
		{ { IPPROTO_HOPOPTS, 3 }, { IPPROTO_DSTOPTS, 2 } },
		{ { IPPROTO_ROUTING, 2 }, { IPPROTO_DSTOPTS, 0 } },
		{ { IPPROTO_AH, 4 } },
		{ { IPPROTO_HOPOPTS, 1 }, { IPPROTO_AH, 5 }, { IPPROTO_DSTOPTS, 1 } },
		{ { IPPROTO_HOPOPTS, 0 },
		  { IPPROTO_DSTOPTS, 1 },
		  { IPPROTO_ROUTING, 0 },
		  { IPPROTO_AH, 2 },
		  { IPPROTO_DSTOPTS, 0 },
		  { IPPROTO_DSTOPTS, 0 } },
	};
	static const unsigned int n[] = { 1, 2, 2, 1, 3, 6 };
	struct prog_env *env = *state;

	for (int i = 0; i < 6; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, 40000 + i, POD_B, 80, SYN);

		memcpy(spec.extensions, rows[i], sizeof(rows[i]));
		spec.n_extensions = n[i];
		assert_redirected(prog_from(env, POD_A, &spec));
		assert_true(prog_flow(env, &spec, 0, NULL));
	}
}

static void more_extension_headers_than_the_cap_are_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	spec.n_extensions = WEIR_MAX_EXTENSION_HEADERS + 1;
	for (unsigned int i = 0; i < spec.n_extensions; i++)
		spec.extensions[i] = (struct packet_extension){ IPPROTO_DSTOPTS, 0 };
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_EXTENSION_HEADERS);
}

static void an_extension_header_that_ends_beyond_the_packet_is_truncated(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);
	struct packet p;

	spec.n_extensions = 1;
	spec.extensions[0] = (struct packet_extension){ IPPROTO_DSTOPTS, 0 };
	p = packet_build(&spec);
	p.data[PACKET_L3 + 41] = 200;
	assert_dropped(send_built(env, &p), WEIR_TRUNCATED);
}

static void an_unknown_device_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);
	uint32_t device = PROG_DEVICE(POD_A);

	prog_unset(env, "attachments", &device);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_UNKNOWN_DEVICE);
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &spec), WEIR_UNKNOWN_DEVICE);
}

static void multicast_reaches_pods_and_leaves_no_entry(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_udp(env, POD_A, 5353, POD_B, 5353);

	spec.dst = addr(env->family ? "ff05::fb" : "239.0.0.251");
	assert_sent(prog_from(env, POD_A, &spec), TC_ACT_UNSPEC, WEIR_MULTICAST);
	assert_sent(prog_to(env, POD_B, PROG_DEVICE(POD_A), &spec), TC_ACT_UNSPEC, WEIR_MULTICAST);
	assert_int_equal(prog_flow_count(env), 0);
	/* each packet is judged */
	prog_pod(env, POD_B, 1, 0, 0, 0);
	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_DENY, 0));
	assert_dropped(prog_to(env, POD_B, PROG_DEVICE(POD_A), &spec), WEIR_INGRESS_DENIED);
	prog_pod(env, POD_A, 0, 1, 0, 0);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_EGRESS_DENIED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(a_plain_packet_is_forwarded),
		FOR_BOTH(unknown_ethertypes_are_dropped),
		FOR_BOTH(a_vlan_tag_is_dropped),
		FOR_BOTH(a_packet_that_ends_inside_a_header_is_truncated),
		FOR_BOTH(an_incomplete_l4_header_is_truncated),
		FOR_BOTH(a_header_that_contradicts_itself_is_dropped),
		PROG_TEST_V4(a_total_length_shorter_than_the_header_is_dropped), /* not in IPv6 */
		FOR_BOTH(an_l4_header_in_the_padding_is_truncated),
		FOR_BOTH(ethernet_padding_is_no_error),
		FOR_BOTH(impossible_tcp_flags_are_dropped),
		PROG_TEST_V4(dont_fragment_is_no_fragment), /* IPv6 has no such bit */
		PROG_TEST_V6(np_38_neighbour_discovery_and_mld_are_never_judged), /* IPv4 has ARP */
		PROG_TEST_V6(np_38_neighbour_discovery_of_another_link_is_dropped),
		PROG_TEST_V4(dhcp_passes_in_its_own_direction_only), /* DHCPv6: link-local */
		PROG_TEST_V6(link_local_unicast_is_dropped), /* IPv4 needs none */
		PROG_TEST_V4(parse_4_a_mapped_address_on_the_wire_is_dropped), /* IPv4 addresses in
										  an IPv6 header */
		FOR_BOTH(the_unspecified_address_is_spoofed_for_every_pod),
		PROG_TEST_V4(ipv4_options_are_walked),
		PROG_TEST_V6(extension_headers_are_walked),
		PROG_TEST_V6(more_extension_headers_than_the_cap_are_dropped),
		PROG_TEST_V6(an_extension_header_that_ends_beyond_the_packet_is_truncated),
		FOR_BOTH(an_unknown_device_is_dropped),
		FOR_BOTH(multicast_reaches_pods_and_leaves_no_entry),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
