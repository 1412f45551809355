// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * REJECT: the answer to a packet that has no receiver, byte for byte, which packets get none, and
 * the rate limit. VIP_1:80 is a Service without endpoints; the expected bytes are built from the
 * packet that was sent.
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
#define SPORT 40000
#define SERVICE 1
#define TCP_SEQ 0x01020304u /* of every packet that packet_build() makes */
#define TCP_ACK_SEQ 0x05060708u
#define QUOTE_MAX(v6) ((v6) ? 1280 - 48 : 576 - 28)

static const uint8_t gateway_mac[6] = { 2, 0xb, 0, 0, 0, 2 };

static struct packet_spec to_gateway(struct packet_spec spec)
{
	memcpy(spec.dst_mac, gateway_mac, 6);
	return spec;
}

static void no_endpoints(struct prog_env *env, uint8_t proto)
{
	prog_service(env, SERVICE, 0, 0, 0);
	prog_frontend(env, VIP_1, PORT, proto, SERVICE);
}

/* Headers of an answer to spec: addresses, ports and MACs swapped. */
static struct packet_spec answer_spec(const struct packet_spec *spec, enum party pod)
{
	struct packet_spec answer = {
		.src = spec->dst, .dst = spec->src, .sport = spec->dport, .dport = spec->sport
	};

	memcpy(answer.src_mac, gateway_mac, 6);
	memcpy(answer.dst_mac, (uint8_t[]){ 2, 0, 0, 0, 1, PROG_SLOT(pod) }, 6);
	return answer;
}

static void own_ip_header(struct packet *p)
{
	if (p->data[PACKET_L3] >> 4 == 6)
		return;
	memset(p->data + PACKET_L3 + 4, 0, 4); /* no id */
	p->data[PACKET_L3 + 6] = 0x40; /* don't fragment */
}

static struct packet reset(const struct packet_spec *spec, uint8_t flags, uint32_t seq,
			   uint32_t ack)
{
	struct packet_spec answer = answer_spec(spec, POD_A);
	uint32_t numbers[2] = { htonl(seq), htonl(ack) };
	struct packet p;
	uint8_t *tcp;

	answer.proto = IPPROTO_TCP;
	answer.tcp_flags = flags;
	p = packet_build(&answer);
	tcp = p.data + packet_l4_offset(&p);
	own_ip_header(&p);
	memcpy(tcp + 4, numbers, 8);
	memset(tcp + 14, 0, 2); /* window */
	packet_finish(&p, &answer);
	return p;
}

static struct packet unreachable(const struct packet *sent, const struct packet_spec *spec, int v6)
{
	struct packet_spec answer = answer_spec(spec, POD_A);
	uint32_t quote = sent->len - PACKET_L3;
	struct packet p;

	answer.proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	answer.icmp_type = v6 ? 1 : 3;
	answer.icmp_code = v6 ? 4 : 3;
	p = packet_build(&answer);
	own_ip_header(&p);
	memset(p.data + p.len - 4, 0, 4); /* unused */
	if (quote > (uint32_t)QUOTE_MAX(v6))
		quote = QUOTE_MAX(v6);
	memcpy(p.data + p.len, sent->data + PACKET_L3, quote);
	p.len += quote;
	packet_finish(&p, &answer);
	return p;
}

static void assert_bytes(const struct packet *got, const struct packet *want)
{
	if (got->len != want->len)
		fail_msg("length %u, not %u", got->len, want->len);
	for (uint32_t i = 0; i < got->len; i++)
		if (got->data[i] != want->data[i])
			fail_msg("byte %u is %02x, not %02x", i, got->data[i], want->data[i]);
}

static void assert_reset(struct prog_env *env, struct packet_spec spec, int why, uint8_t flags,
			 uint32_t seq, uint32_t ack)
{
	struct packet want = reset(&spec, flags, seq, ack);
	struct prog_sent sent = prog_from(env, POD_A, &spec);

	assert_rejected(sent, why);
	assert_bytes(&sent.out, &want);
}

static void assert_unreachable(struct prog_env *env, struct packet_spec spec, int why)
{
	struct packet packet = packet_build(&spec), want = unreachable(&packet, &spec, env->family);
	struct prog_sent sent = prog_from(env, POD_A, &spec);

	assert_rejected(sent, why);
	assert_bytes(&sent.out, &want);
}

static struct packet_spec tcp(struct prog_env *env, uint16_t port, uint8_t flags)
{
	return to_gateway(prog_tcp(env, POD_A, SPORT, VIP_1, port, flags));
}

static struct packet_spec udp(struct prog_env *env, uint16_t port)
{
	return to_gateway(prog_udp(env, POD_A, SPORT, VIP_1, port));
}

static void svc_60_a_syn_to_a_service_without_endpoints_is_reset(void **state)
{
	struct prog_env *env = *state;

	no_endpoints(env, IPPROTO_TCP);
	assert_reset(env, tcp(env, PORT, SYN), WEIR_NO_ENDPOINT, RST | ACK, 0, TCP_SEQ + 1);
	assert_int_equal(prog_flow_count(env), 0);
}

static void svc_60_other_segments_are_reset_as_rfc_9293_says(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec;

	no_endpoints(env, IPPROTO_TCP);
	assert_reset(env, tcp(env, PORT, ACK), WEIR_NO_ENDPOINT, RST, TCP_ACK_SEQ, 0);
	assert_reset(env, tcp(env, PORT, PSH | ACK), WEIR_NO_ENDPOINT, RST, TCP_ACK_SEQ, 0);
	assert_reset(env, tcp(env, PORT, FIN | PSH), WEIR_NO_ENDPOINT, RST | ACK, 0,
		     TCP_SEQ + 33 + 1);
	spec = tcp(env, PORT, SYN);
	spec.payload = 5; /* fast open */
	assert_reset(env, spec, WEIR_NO_ENDPOINT, RST | ACK, 0, TCP_SEQ + 5 + 1);
}

static void svc_60_options_and_extension_headers_are_not_in_the_answer(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec;

	no_endpoints(env, IPPROTO_TCP);
	spec = tcp(env, PORT, SYN);
	if (env->family) {
		spec.n_extensions = 2;
		spec.extensions[0] = (struct packet_extension){ IPPROTO_HOPOPTS, 0 };
		spec.extensions[1] = (struct packet_extension){ IPPROTO_DSTOPTS, 3 };
	} else {
		spec.v4_options = 10;
	}
	assert_reset(env, spec, WEIR_NO_ENDPOINT, RST | ACK, 0, TCP_SEQ + 1);
	spec.payload = 700;
	assert_reset(env, spec, WEIR_NO_ENDPOINT, RST | ACK, 0, TCP_SEQ + 700 + 1);
}

static void svc_60_a_datagram_is_answered_by_port_unreachable(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec;

	no_endpoints(env, IPPROTO_UDP);
	assert_unreachable(env, udp(env, PORT), WEIR_NO_ENDPOINT);
	spec = udp(env, PORT);
	/* around every block size of the checksum code, and beyond the longest quote */
	for (uint16_t len = 0; len <= 132; len++) {
		spec.payload = len;
		assert_unreachable(env, spec, WEIR_NO_ENDPOINT);
		if (len % 60 == 59)
			prog_ticks_pass(1); /* the answers a tick are limited */
	}
	for (uint16_t len = 500; len <= 1400; len += 50) {
		spec.payload = len;
		assert_unreachable(env, spec, WEIR_NO_ENDPOINT);
	}
	if (!env->family) {
		spec.v4_options = 10;
		assert_unreachable(env, spec, WEIR_NO_ENDPOINT);
		spec.no_udp_sum = true;
		assert_unreachable(env, spec, WEIR_NO_ENDPOINT);
	}
}

static void svc_64_an_undefined_port_is_rejected_for_every_protocol(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = udp(env, PORT);

	no_endpoints(env, IPPROTO_TCP);
	assert_reset(env, tcp(env, PORT + 1, SYN), WEIR_NO_SERVICE_PORT, RST | ACK, 0, TCP_SEQ + 1);
	assert_unreachable(env, udp(env, PORT), WEIR_NO_SERVICE_PORT);
	spec.proto = IPPROTO_SCTP;
	spec.sctp_chunk = 1;
	assert_unreachable(env, spec, WEIR_NO_SERVICE_PORT);
	spec.proto = 47;
	assert_unreachable(env, spec, WEIR_NO_SERVICE_PORT);
	assert_unreachable(env, to_gateway(prog_echo(env, POD_A, VIP_1, 7, false)),
			   WEIR_NO_SERVICE_PORT);
}

static void a_padded_frame_is_answered_without_its_padding(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = udp(env, PORT);
	struct packet packet, want;
	struct prog_sent sent;

	no_endpoints(env, IPPROTO_UDP);
	spec.payload = 3;
	packet = packet_build(&spec);
	want = unreachable(&packet, &spec, env->family);
	packet.len += 15;
	sent = prog_send(env, FROM_POD(POD_A), &packet);
	assert_rejected(sent, WEIR_NO_ENDPOINT);
	assert_bytes(&sent.out, &want);
}

static void what_must_not_be_answered_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = tcp(env, PORT, RST);

	no_endpoints(env, IPPROTO_TCP);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_NO_ENDPOINT);
	spec = tcp(env, PORT, RST | ACK);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_NO_ENDPOINT);
	spec = to_gateway(prog_echo(env, POD_A, VIP_1, 7, true));
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_NO_SERVICE_PORT);
	/* not the pod's own address */
	spec = to_gateway(prog_tcp(env, POD_B, SPORT, VIP_1, PORT, SYN));
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_SPOOFED);
}

static void svc_61_no_local_endpoint_stays_silent(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = tcp(env, PORT, SYN);

	prog_service(env, SERVICE, WEIR_SERVICE_USABLE, 0, 0);
	prog_frontend(env, VIP_1, PORT, IPPROTO_TCP, SERVICE);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_NO_LOCAL_ENDPOINT);
}

static void np_53_a_gated_pod_gets_no_answer(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = tcp(env, PORT, SYN);

	no_endpoints(env, IPPROTO_TCP);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_GATE);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_GATED);
}

static void answers_are_limited_for_each_pod(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec a = tcp(env, PORT, SYN),
			   b = to_gateway(prog_tcp(env, POD_B, SPORT, VIP_1, PORT, SYN));
	unsigned int answered = 0, limited = 0;
	struct packet packet = packet_build(&a), out;
	struct prog_sent sent;

	no_endpoints(env, IPPROTO_TCP);
	/* a window of 134 ms may end meanwhile, so more than one window's answers may pass */
	for (unsigned int i = 0; i < 100 * WEIR_REJECTS_A_TICK && !limited; i++) {
		int verdict = prog_run_raw(env, FROM_POD(POD_A), &packet, &out);

		answered += verdict == TC_ACT_REDIRECT;
		limited += verdict == TC_ACT_SHOT;
	}
	assert_int_equal(limited, 1);
	assert_true(answered >= WEIR_REJECTS_A_TICK);
	prog_from(env, POD_A, &a); /* reads the counters, which prog_run_raw() does not */
	do /* a packet may begin a new window */
		sent = prog_from(env, POD_A, &a);
	while (sent.verdict == TC_ACT_REDIRECT);
	assert_dropped(sent, WEIR_REJECT_LIMITED);
	assert_rejected(prog_from(env, POD_B, &b), WEIR_NO_ENDPOINT);
	prog_ticks_pass(1);
	assert_rejected(prog_from(env, POD_A, &a), WEIR_NO_ENDPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_60_a_syn_to_a_service_without_endpoints_is_reset),
		FOR_BOTH(svc_60_other_segments_are_reset_as_rfc_9293_says),
		FOR_BOTH(svc_60_options_and_extension_headers_are_not_in_the_answer),
		FOR_BOTH(svc_60_a_datagram_is_answered_by_port_unreachable),
		FOR_BOTH(svc_64_an_undefined_port_is_rejected_for_every_protocol),
		FOR_BOTH(a_padded_frame_is_answered_without_its_padding),
		FOR_BOTH(what_must_not_be_answered_is_dropped),
		FOR_BOTH(svc_61_no_local_endpoint_stays_silent),
		FOR_BOTH(np_53_a_gated_pod_gets_no_answer),
		FOR_BOTH(answers_are_limited_for_each_pod),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
