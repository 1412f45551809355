// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * SCTP through a cluster IP: both directions byte for byte, with the sum that the test computes
 * over the whole packet, at many lengths; which chunks begin a flow; policy by the backend's port.
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
#define SERVICE 1
#define SET 5

enum chunk {
	DATA = 0,
	INIT = 1,
	INIT_ACK = 2,
	COOKIE_ECHO = 10,
};

static void serve(struct prog_env *env, enum party backend)
{
	prog_serve(env, SERVICE, PORT, IPPROTO_SCTP, backend, TARGET);
}

static struct packet_spec sctp(const struct prog_env *env, enum party src, uint16_t sport,
			       enum party dst, uint16_t dport, uint8_t chunk, uint16_t payload)
{
	struct packet_spec spec = prog_tcp(env, src, sport, dst, dport, 0);

	spec.proto = IPPROTO_SCTP;
	spec.sctp_chunk = chunk;
	spec.payload = payload;
	return spec;
}

static void forth(struct prog_env *env, enum party backend, uint8_t chunk, uint16_t payload)
{
	struct packet_spec spec = sctp(env, POD_A, SPORT, VIP_1, PORT, chunk, payload);
	struct packet_spec want = sctp(env, POD_A, SPORT, backend, TARGET, chunk, payload);
	struct prog_sent sent = prog_from(env, POD_A, &spec);

	assert_int_equal(sent.reason, WEIR_FORWARDED);
	assert_packet(&sent.out, &want);
}

static void back(struct prog_env *env, enum party backend, uint8_t chunk, uint16_t payload)
{
	struct packet_spec spec = sctp(env, backend, TARGET, POD_A, SPORT, chunk, payload);
	struct packet_spec want = sctp(env, VIP_1, PORT, POD_A, SPORT, chunk, payload);
	struct prog_sent sent;

	sent = backend == REMOTE_A ? prog_to(env, POD_A, PROG_UPLINK, &spec)
				   : prog_from(env, backend, &spec);
	assert_int_equal(sent.reason, WEIR_FORWARDED);
	assert_packet(&sent.out, &want);
}

static void sctp_is_translated_both_ways(void **state)
{
	static const enum party backends[] = { POD_B, REMOTE_A };
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		serve(env, backends[i]);
		prog_pod_renew(env, POD_A); /* the flow of the last round ends */
		forth(env, backends[i], INIT, 16);
		back(env, backends[i], INIT_ACK, 44);
		forth(env, backends[i], COOKIE_ECHO, 40);
		back(env, backends[i], DATA, 1);
		assert_int_equal(prog_flow_count(env), 2);
	}
}

static void the_sum_is_right_at_every_length(void **state)
{
	struct prog_env *env = *state;

	serve(env, POD_B);
	for (uint16_t payload = 0; payload < 300; payload++)
		forth(env, POD_B, INIT, payload);
	for (uint16_t payload = 500; payload < 1400; payload += 31) {
		forth(env, POD_B, DATA, payload);
		back(env, POD_B, DATA, payload);
	}
}

static void a_changed_client_port_is_in_the_sum(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec direct = sctp(env, POD_A, SPORT, POD_B, TARGET, INIT, 16), read, want;
	struct packet_spec spec = sctp(env, POD_A, SPORT, VIP_1, PORT, INIT, 16);
	struct prog_sent sent;

	serve(env, POD_B);
	assert_redirected(prog_from(env, POD_A, &direct));
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	packet_read(&sent.out, &read);
	assert_in_range(read.sport, WEIR_PORT_MIN, WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
	want = sctp(env, POD_A, read.sport, POD_B, TARGET, INIT, 16);
	assert_packet(&sent.out, &want);
}

static void svc_84_a_pod_reaches_itself(void **state)
{
	struct prog_env *env = *state;
	struct weir_config config = prog_config(env);
	struct packet_spec spec = sctp(env, POD_A, SPORT, VIP_1, PORT, INIT, 16);
	struct packet_spec want = sctp(env, POD_A, SPORT, POD_A, TARGET, INIT, 16);
	struct prog_sent sent;

	serve(env, POD_A);
	sent = prog_from(env, POD_A, &spec);
	want.src = config.hairpin[env->family];
	assert_redirected(sent);
	assert_packet(&sent.out, &want);
	spec = sctp(env, POD_A, TARGET, POD_A, SPORT, INIT_ACK, 40);
	spec.dst = want.src;
	want = sctp(env, VIP_1, PORT, POD_A, SPORT, INIT_ACK, 40);
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	assert_packet(&sent.out, &want);
}

static void only_init_begins_an_association(void **state)
{
	static const uint8_t chunks[] = { DATA, INIT_ACK, COOKIE_ECHO };
	struct prog_env *env = *state;

	serve(env, POD_B);
	for (size_t i = 0; i < sizeof(chunks); i++) {
		struct packet_spec spec = sctp(env, POD_A, SPORT, VIP_1, PORT, chunks[i], 16);

		assert_dropped(prog_from(env, POD_A, &spec), WEIR_MID_STREAM);
	}
}

static void np_46_policies_see_the_backends_port(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = sctp(env, POD_A, SPORT, VIP_1, PORT, INIT, 16);
	const uint32_t point = weir_port_point(IPPROTO_SCTP, TARGET);
	struct weir_port_range range = { point, point, WEIR_WORD_ALLOW, 1 };

	serve(env, POD_B);
	prog_policy_default(env, SET, weir_word_verdict(WEIR_WORD_DENY, WEIR_NO_RULE));
	prog_pod(env, POD_B, SET, 0, 0, 0);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_INGRESS_DENIED);
	prog_ranges(env, 0, &range, 1);
	prog_policy_default(env, SET, weir_word_ports(0, 1));
	forth(env, POD_B, INIT, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(sctp_is_translated_both_ways),
		FOR_BOTH(the_sum_is_right_at_every_length),
		FOR_BOTH(a_changed_client_port_is_in_the_sum),
		FOR_BOTH(svc_84_a_pod_reaches_itself),
		FOR_BOTH(only_init_begins_an_association),
		FOR_BOTH(np_46_policies_see_the_backends_port),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
