// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A pod that reaches itself through a Service (SVC-84): the packets that it receives, byte for
 * byte, in both directions; that no NetworkPolicy denies them (NP-40); and that the reserved
 * address is refused elsewhere. Service 1 is VIP_1:80, service 2 is VIP_2:80; POD_A is the only
 * backend of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/prog_env.h"

#define PORT 80
#define TARGET 8080
#define SPORT 40000
#define DENY_ALL 3

static const uint8_t client_mac[6] = { 2, 0, 0, 0, 1, PROG_SLOT(POD_A) },
		     gateway_mac[6] = { 2, 0xb, 0, 0, 0, 2 };

static struct weir_addr reserved(const struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	return config.hairpin[env->family];
}

static struct packet_spec with_macs(struct packet_spec spec)
{
	memcpy(spec.src_mac, client_mac, 6);
	memcpy(spec.dst_mac, gateway_mac, 6);
	return spec;
}

static struct packet_spec back_in(struct packet_spec spec)
{
	memcpy(spec.src_mac, gateway_mac, 6);
	memcpy(spec.dst_mac, (uint8_t[]){ 2, 0, 0, 0, 1, PROG_SLOT(POD_A) }, 6);
	return spec;
}

static struct packet_spec packet(const struct prog_env *env, uint8_t proto, enum party src,
				 uint16_t sport, enum party dst, uint16_t dport, uint8_t flags)
{
	return with_macs(proto == IPPROTO_TCP ? prog_tcp(env, src, sport, dst, dport, flags)
					      : prog_udp(env, src, sport, dst, dport));
}

/* The pod sends to the frontend; checks what it receives. */
static void forth(struct prog_env *env, uint8_t proto, enum party vip, uint16_t cport,
		  uint8_t flags)
{
	struct packet_spec spec = packet(env, proto, POD_A, SPORT, vip, PORT, flags);
	struct packet_spec want = back_in(packet(env, proto, POD_A, cport, POD_A, TARGET, flags));
	struct prog_sent sent = prog_from(env, POD_A, &spec);

	want.src = reserved(env);
	assert_redirected(sent);
	assert_packet(&sent.out, &want);
}

/* The pod answers to the reserved address; checks what it receives. */
static void back(struct prog_env *env, uint8_t proto, enum party vip, uint16_t cport, uint8_t flags)
{
	struct packet_spec spec = packet(env, proto, POD_A, TARGET, POD_A, cport, flags);
	struct packet_spec want = back_in(packet(env, proto, vip, PORT, POD_A, SPORT, flags));
	struct prog_sent sent;

	spec.dst = reserved(env);
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	assert_packet(&sent.out, &want);
}

static void open_tcp(struct prog_env *env)
{
	prog_serve(env, 1, PORT, IPPROTO_TCP, POD_A, TARGET);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, SYN);
	back(env, IPPROTO_TCP, VIP_1, SPORT, SYN | ACK);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, ACK);
}

static void assert_sound(struct prog_env *env, uint32_t flows)
{
	const char *wrong = prog_gc_slots_check(env, NULL);

	if (wrong)
		fail_msg("%s", wrong);
	assert_int_equal(prog_flow_count(env), flows);
}

static void svc_84_tcp_comes_back_from_the_reserved_address(void **state)
{
	struct prog_env *env = *state;

	open_tcp(env);
	back(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	assert_sound(env, 2);
}

static void svc_84_the_reserved_address_is_that_of_the_instance(void **state)
{
	struct prog_env *env = *state;
	struct weir_config config = prog_config(env);

	config.hairpin[0] = prog_addr(env, REMOTE_A);
	config.hairpin[1] = prog_addr(env, REMOTE_A);
	prog_config_set(env, &config);
	open_tcp(env);
	back(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	assert_sound(env, 2);
}

static void svc_84_udp_comes_back_from_the_reserved_address(void **state)
{
	struct prog_env *env = *state;

	prog_serve(env, 1, PORT, IPPROTO_UDP, POD_A, TARGET);
	for (int i = 0; i < 2; i++) {
		forth(env, IPPROTO_UDP, VIP_1, SPORT, 0);
		back(env, IPPROTO_UDP, VIP_1, SPORT, 0);
	}
	assert_sound(env, 2);
}

static void svc_84_two_services_of_one_pod_get_two_ports(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = packet(env, IPPROTO_TCP, POD_A, SPORT, VIP_2, PORT, SYN), read;
	struct prog_sent sent;

	open_tcp(env);
	prog_serve(env, 2, PORT, IPPROTO_TCP, POD_A, TARGET);
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	assert_null(packet_read(&sent.out, &read));
	assert_in_range(read.sport, WEIR_PORT_MIN, WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
	back(env, IPPROTO_TCP, VIP_2, read.sport, SYN | ACK);
	back(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	assert_sound(env, 4);
}

static void a_closed_hairpin_flow_can_begin_again(void **state)
{
	struct prog_env *env = *state;

	open_tcp(env);
	back(env, IPPROTO_TCP, VIP_1, SPORT, RST | ACK);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, SYN);
	assert_sound(env, 2);
	/* a new generation of the pod: the old entries are replaced, and the client port stays */
	prog_pod_renew(env, POD_A);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, SYN);
	assert_sound(env, 2);
}

static void np_40_no_network_policy_denies_a_pod_to_itself(void **state)
{
	struct prog_env *env = *state;

	prog_policy_default(env, DENY_ALL, weir_word_verdict(WEIR_WORD_DENY, WEIR_NO_RULE));
	prog_pod(env, POD_A, DENY_ALL, DENY_ALL, 0, 0);
	open_tcp(env);
	prog_policy_epoch(env);
	back(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	prog_policy_epoch(env);
	forth(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	assert_sound(env, 2);
}

/* An error from the pod to its apparent peer, about a packet that it received from there. */
static struct packet error_about(const struct prog_env *env, const struct packet_spec *quoted,
				 uint8_t code)
{
	struct packet quote = packet_build(quoted), p;
	struct packet_spec error =
		with_macs((struct packet_spec){ .src = quoted->dst, .dst = quoted->src });

	error.proto = env->family ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	error.icmp_type = env->family ? 1 : 3;
	error.icmp_code = code;
	p = packet_build(&error);
	memcpy(p.data + p.len, quote.data + PACKET_L3, quote.len - PACKET_L3);
	p.len += quote.len - PACKET_L3;
	packet_finish(&p, &error);
	return p;
}

static void check_error(struct prog_env *env, struct packet_spec received,
			struct packet_spec as_sent)
{
	struct packet error = error_about(env, &received, 3), want = error_about(env, &as_sent, 3);
	struct prog_sent sent = prog_send(env, FROM_POD(POD_A), &error);

	assert_redirected(sent);
	assert_int_equal(sent.out.len, want.len);
	for (uint32_t i = 12; i < want.len; i++)
		if (sent.out.data[i] != want.data[i])
			fail_msg("byte %u is %02x, not %02x", i, sent.out.data[i], want.data[i]);
}

static void svc_96_errors_of_a_pod_about_its_packets_to_itself(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec received, as_sent;

	prog_serve(env, 1, PORT, IPPROTO_UDP, POD_A, TARGET);
	forth(env, IPPROTO_UDP, VIP_1, SPORT, 0);
	received = packet(env, IPPROTO_UDP, POD_A, SPORT, POD_A, TARGET, 0);
	received.src = reserved(env);
	as_sent = packet(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT, 0);
	check_error(env, received, as_sent);

	back(env, IPPROTO_UDP, VIP_1, SPORT, 0);
	received = packet(env, IPPROTO_UDP, VIP_1, PORT, POD_A, SPORT, 0);
	as_sent = packet(env, IPPROTO_UDP, POD_A, TARGET, POD_A, SPORT, 0);
	as_sent.dst = reserved(env);
	check_error(env, received, as_sent);
}

static void the_reserved_address_is_refused_outside_hairpin_flows(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = packet(env, IPPROTO_TCP, POD_B, SPORT, POD_A, TARGET, SYN);

	spec.src = reserved(env);
	for (int open = 0; open < 2; open++) {
		assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &spec), WEIR_RESERVED_ADDRESS);
		assert_dropped(prog_to(env, POD_A, 0, &spec), WEIR_RESERVED_ADDRESS);
		assert_dropped(prog_from(env, POD_B, &spec), WEIR_SPOOFED);
		if (!open)
			open_tcp(env);
	}
	spec = packet(env, IPPROTO_TCP, POD_B, TARGET, POD_A, SPORT, SYN);
	spec.dst = reserved(env);
	prog_mac(POD_B, spec.src_mac);
	assert_dropped(prog_from(env, POD_B, &spec), WEIR_RESERVED_ADDRESS);
	spec = packet(env, IPPROTO_UDP, POD_A, TARGET, POD_A, SPORT, 0);
	spec.dst = reserved(env);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_RESERVED_ADDRESS);
	back(env, IPPROTO_TCP, VIP_1, SPORT, PSH | ACK);
	assert_sound(env, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_84_tcp_comes_back_from_the_reserved_address),
		FOR_BOTH(svc_84_the_reserved_address_is_that_of_the_instance),
		FOR_BOTH(svc_84_udp_comes_back_from_the_reserved_address),
		FOR_BOTH(svc_84_two_services_of_one_pod_get_two_ports),
		FOR_BOTH(a_closed_hairpin_flow_can_begin_again),
		FOR_BOTH(np_40_no_network_policy_denies_a_pod_to_itself),
		FOR_BOTH(svc_96_errors_of_a_pod_about_its_packets_to_itself),
		FOR_BOTH(the_reserved_address_is_refused_outside_hairpin_flows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
