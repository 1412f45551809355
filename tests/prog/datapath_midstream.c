// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TCP of no known flow that does not begin one: which of it passes, under which policies, and that
 * it makes no entry. Adopted pods with connections in the host's conntrack:
 * tests/netns/traffic_adopt.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "lib/prog_env.h"

#define DENY weir_word_verdict(WEIR_WORD_DENY, 0)
#define ALLOW weir_word_verdict(WEIR_WORD_ALLOW, 1)
#define A_IN 1 /* policy sets */
#define A_OUT 2
#define B_IN 3
#define B_OUT 4
#define SPORT 40000
#define DPORT 80

#define assert_mid_stream(sent) assert_sent(sent, TC_ACT_UNSPEC, WEIR_MID_STREAM_ALLOWED)

static uint64_t word(bool allow)
{
	return allow ? ALLOW : DENY;
}

/* Isolates pod A and pod B in both directions; each set has one word for all peers. */
static void isolate(struct prog_env *env, uint64_t a_in, uint64_t a_out, uint64_t b_in,
		    uint64_t b_out)
{
	prog_pod(env, POD_A, A_IN, A_OUT, 0, 0);
	prog_pod(env, POD_B, B_IN, B_OUT, 0, 0);
	prog_policy_default(env, A_IN, a_in);
	prog_policy_default(env, A_OUT, a_out);
	prog_policy_default(env, B_IN, b_in);
	prog_policy_default(env, B_OUT, b_out);
	prog_policy_epoch(env);
}

static void mid_stream_passes_only_where_both_orientations_are_allowed(void **state)
{
	static const struct {
		bool a_in, a_out, b_in, b_out; /* allowed */
		bool local, remote; /* passes: A to B; A to and from another node */
	} rows[] = {
		{ true, true, true, true, true, true },
		{ false, true, true, true, false, false },
		{ true, false, true, true, false, false },
		{ true, true, false, true, false, true },
		{ true, true, true, false, false, true },
	};
	static const uint8_t flags[] = { ACK, PSH | ACK, FIN | ACK, 0 };
	struct prog_env *env = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		isolate(env, word(rows[i].a_in), word(rows[i].a_out), word(rows[i].b_in),
			word(rows[i].b_out));
		for (size_t f = 0; f < sizeof(flags); f++) {
			struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT,
							    flags[f]),
					   out = prog_tcp(env, POD_A, SPORT, REMOTE_A, DPORT,
							  flags[f]),
					   in = prog_tcp(env, REMOTE_A, DPORT, POD_A, SPORT,
							 flags[f]);

			if (rows[i].local)
				assert_mid_stream(prog_from(env, POD_A, &there));
			else
				assert_dropped(prog_from(env, POD_A, &there), WEIR_MID_STREAM);
			if (rows[i].remote) {
				assert_mid_stream(prog_from(env, POD_A, &out));
				assert_mid_stream(prog_to(env, POD_A, PROG_UPLINK, &in));
			} else {
				assert_dropped(prog_from(env, POD_A, &out), WEIR_MID_STREAM);
				assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &in),
					       WEIR_MID_STREAM);
			}
		}
	}
	assert_int_equal(prog_flow_count(env), 0);
}

/* In the reverse orientation the packet's source port is the destination port. */
static void ports_are_judged_in_both_orientations(void **state)
{
	struct weir_port_range client = { weir_port_point(IPPROTO_TCP, SPORT),
					  weir_port_point(IPPROTO_TCP, SPORT), WEIR_WORD_ALLOW, 1 };
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, ACK),
			   other = prog_tcp(env, POD_A, SPORT + 1, POD_B, DPORT, ACK);

	isolate(env, ALLOW, ALLOW, ALLOW, ALLOW);
	prog_ranges(env, 0, &client, 1);
	prog_policy_default(env, A_IN, weir_word_ports(0, 1));
	assert_mid_stream(prog_from(env, POD_A, &there));
	assert_dropped(prog_from(env, POD_A, &other), WEIR_MID_STREAM);
}

/* A SYN-ACK answers a SYN that Weir did not see; a RST could end a live connection (SVC-95). */
static void svc_95_a_reset_or_an_answer_never_passes_in_mid_stream(void **state)
{
	static const uint8_t flags[] = { SYN | ACK, RST, RST | ACK };
	struct prog_env *env = *state;

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, flags[i]),
				   in = prog_tcp(env, REMOTE_A, SPORT, POD_B, DPORT, flags[i]);

		assert_dropped(prog_from(env, POD_A, &there), WEIR_MID_STREAM);
		assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &in), WEIR_MID_STREAM);
	}
	assert_int_equal(prog_flow_count(env), 0);
}

/* A reply of a lost pair must make no entry under the key of the pair's new reply entry. */
static void svc_95_a_stray_reply_does_not_block_the_reply_entry(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec stray = prog_tcp(env, POD_B, 8080, POD_A, SPORT, PSH | ACK),
			   next = prog_tcp(env, POD_A, SPORT, VIP_1, 80, ACK);

	prog_serve(env, 1, 80, IPPROTO_TCP, POD_B, 8080);

	assert_mid_stream(prog_from(env, POD_B, &stray));
	assert_redirected(prog_from(env, POD_A, &next));
	assert_redirected(prog_from(env, POD_B, &stray)); /* the client's own port was kept */
	assert_int_equal(prog_flow_count(env), 2);
}

static void np_41_np_42_mid_stream_with_the_own_node_passes(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, NODE, DPORT, ACK),
			   in = prog_tcp(env, NODE, SPORT, POD_A, DPORT, ACK);

	isolate(env, DENY, DENY, DENY, DENY);
	assert_mid_stream(prog_from(env, POD_A, &out));
	assert_mid_stream(prog_to(env, POD_A, 0, &in));
	in = prog_tcp(env, NODE, SPORT, POD_A, DPORT,
		      ACK); /* NP-44: from a device, the node address is an ordinary peer */
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &in), WEIR_MID_STREAM);
}

static void np_53_mid_stream_with_a_gated_pod_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, ACK);

	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	assert_dropped(prog_from(env, POD_A, &there), WEIR_GATED);
}

/* Without the program that looks up the host's conntrack, an adopted pod is like any other. */
static void an_adopted_pod_is_judged_where_host_conntrack_cannot_be_read(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, ACK),
			   syn = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, SYN),
			   udp = prog_udp(env, POD_A, SPORT, POD_B, DPORT);

	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ADOPTED);
	assert_mid_stream(prog_from(env, POD_A, &there));
	assert_redirected(prog_from(env, POD_A, &udp));
	assert_redirected(prog_from(env, POD_A, &syn));
	assert_int_equal(prog_flow_count(env), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(mid_stream_passes_only_where_both_orientations_are_allowed),
		FOR_BOTH(ports_are_judged_in_both_orientations),
		FOR_BOTH(svc_95_a_reset_or_an_answer_never_passes_in_mid_stream),
		FOR_BOTH(svc_95_a_stray_reply_does_not_block_the_reply_entry),
		FOR_BOTH(np_41_np_42_mid_stream_with_the_own_node_passes),
		FOR_BOTH(np_53_mid_stream_with_a_gated_pod_is_dropped),
		FOR_BOTH(an_adopted_pod_is_judged_where_host_conntrack_cannot_be_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
