// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Flows: what their entries hold after each packet, which packets belong to them, and the effect of
 * changes of policy, pods and TCP state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/prog_env.h"

#define DENY weir_word_verdict(WEIR_WORD_DENY, 0)
#define ALLOW weir_word_verdict(WEIR_WORD_ALLOW, 1)
#define SET 1
#define SPORT 40000
#define DPORT 80

#define STATE_BITS (~(uint32_t)WEIR_FLOW_ORIG_FIRST)

static struct prog_sent forth(struct prog_env *env, uint8_t flags)
{
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, flags);

	return prog_from(env, POD_A, &spec);
}

static struct prog_sent back(struct prog_env *env, uint8_t flags)
{
	struct packet_spec spec = prog_tcp(env, POD_B, DPORT, POD_A, SPORT, flags);

	return prog_from(env, POD_B, &spec);
}

static struct weir_flow flow_of(struct prog_env *env)
{
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, 0);
	struct weir_flow flow = {};

	assert_true(prog_flow(env, &spec, 0, &flow));
	return flow;
}

/*
 * TCP of no known flow that the policies allow in both orientations: to the stack, without an
 * entry.
 */
#define assert_mid_stream(sent) assert_sent(sent, TC_ACT_UNSPEC, WEIR_MID_STREAM_ALLOWED)

static bool has_flow(struct prog_env *env)
{
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, 0);

	return prog_flow(env, &spec, 0, NULL);
}

static void open_flow(struct prog_env *env)
{
	assert_redirected(forth(env, SYN));
	assert_redirected(back(env, SYN | ACK));
	assert_redirected(forth(env, ACK));
}

static void isolate(struct prog_env *env, enum party pod, uint64_t word)
{
	prog_pod(env, pod, SET, 0, 0, 0);
	prog_policy_default(env, SET, word);
	prog_policy_epoch(env);
}

static void an_entry_follows_its_connection(void **state)
{
	static const struct {
		bool forth;
		uint8_t tcp;
		uint32_t adds;
	} rows[] = {
		{ true, SYN, WEIR_FLOW_SEEN_ORIG },
		{ true, SYN, 0 }, /* sent again */
		{ false, SYN | ACK, WEIR_FLOW_SEEN_REPLY | WEIR_FLOW_SYN_ACK },
		{ true, ACK, WEIR_FLOW_OPEN },
		{ true, PSH | ACK, 0 },
		{ false, PSH | ACK, 0 },
		{ true, FIN | ACK, WEIR_FLOW_FIN_ORIG },
		{ false, ACK, 0 },
		{ false, PSH | ACK, 0 },
		{ false, FIN | ACK, WEIR_FLOW_FIN_REPLY },
		{ true, ACK, 0 },
	};
	struct prog_env *env = *state;
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		flags |= rows[i].adds;
		assert_redirected(rows[i].forth ? forth(env, rows[i].tcp) : back(env, rows[i].tcp));
		assert_int_equal(flow_of(env).flags & STATE_BITS, flags);
	}
	assert_int_equal(prog_flow_count(env), 1);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* Otherwise one end alone could hold open flows, for 24 h, against a listener that never accepts.
 */
static void only_an_ack_of_a_syn_ack_opens_a_tcp_flow(void **state)
{
	static const struct {
		uint8_t answer, next;
		bool opens;
	} rows[] = {
		{ SYN | ACK, ACK, true },        { SYN | ACK, PSH | ACK, true },
		{ SYN | ACK, FIN | ACK, true },  { SYN | ACK, 0, false },
		{ SYN | ACK, SYN, false },       { SYN | ACK, PSH, false },
		{ SYN | ACK, SYN | ACK, false }, { ACK, ACK, false },
		{ PSH | ACK, PSH | ACK, false },
	};
	struct prog_env *env = *state;

	prog_serve(env, 1, DPORT, IPPROTO_TCP, POD_B, DPORT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t port = SPORT + i;
		enum party servers[] = { POD_B, VIP_1 };

		for (int s = 0; s < 2; s++) {
			struct packet_spec syn = prog_tcp(env, POD_A, port + 100 * s, servers[s],
							  DPORT, SYN),
					   answer = prog_tcp(env, POD_B, DPORT, POD_A,
							     port + 100 * s, rows[i].answer),
					   next = syn;
			struct weir_flow flow;

			next.tcp_flags = rows[i].next;
			assert_redirected(prog_from(env, POD_A, &syn));
			assert_redirected(prog_from(env, POD_B, &answer));
			assert_redirected(prog_from(env, POD_A, &next));
			assert_redirected(prog_from(env, POD_A, &next));
			assert_true(prog_flow(env, &syn, 0, &flow));
			assert_int_equal(!!(flow.flags & WEIR_FLOW_OPEN), rows[i].opens);
		}
	}
}

/* Its SYN-ACK passed before its entry was lost (docs/design.md, "Mid-stream"). */
static void a_flow_that_begins_mid_stream_opens_with_a_reply(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec ack = prog_tcp(env, POD_A, SPORT, VIP_1, DPORT, PSH | ACK),
			   answer = prog_tcp(env, POD_B, DPORT, POD_A, SPORT, ACK);
	struct weir_flow flow;

	prog_serve(env, 1, DPORT, IPPROTO_TCP, POD_B, DPORT);
	assert_redirected(prog_from(env, POD_A, &ack));
	assert_redirected(prog_from(env, POD_A, &ack));
	assert_true(prog_flow(env, &ack, 0, &flow));
	assert_false(flow.flags & WEIR_FLOW_OPEN);
	assert_redirected(prog_from(env, POD_B, &answer));
	assert_redirected(prog_from(env, POD_A, &ack));
	assert_true(prog_flow(env, &ack, 0, &flow));
	assert_true(flow.flags & WEIR_FLOW_OPEN);
}

static void an_entry_knows_its_ends_and_its_verdicts(void **state)
{
	struct prog_env *env = *state;
	struct weir_config config = prog_config(env);
	struct weir_flow flow;
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, REMOTE_A, DPORT, SYN),
			   in = prog_tcp(env, REMOTE_A, SPORT, POD_A, DPORT, SYN);

	assert_redirected(forth(env, SYN));
	flow = flow_of(env);
	assert_int_equal(flow.end[0].ref, weir_ref(PROG_SLOT(POD_A), 0));
	assert_int_equal(flow.end[1].ref, weir_ref(PROG_SLOT(POD_B), 0));
	assert_int_equal(flow.end[0].stamp, config.policy_epoch << 1 | 1);
	assert_int_equal(flow.end[1].stamp, config.policy_epoch << 1 | 1);

	assert_passed(prog_from(env, POD_A, &out));
	assert_true(prog_flow(env, &out, 0, &flow));
	assert_int_equal(flow.end[0].ref, weir_ref(PROG_SLOT(POD_A), 0));
	assert_int_equal(flow.end[1].ref, 0);
	assert_int_equal(flow.flags & WEIR_FLOW_VIA_STACK, 0);

	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
	assert_true(prog_flow(env, &in, 0, &flow));
	assert_int_equal(flow.end[0].ref, 0);
	assert_int_equal(flow.end[1].ref, weir_ref(PROG_SLOT(POD_A), 0));
	assert_int_equal(flow.flags & (WEIR_FLOW_VIA_STACK | WEIR_FLOW_HOST_ORIGIN),
			 WEIR_FLOW_VIA_STACK);
}

static void a_redirect_carries_the_pods_mac_and_the_gateways(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, SYN);
	struct prog_sent sent;

	prog_mac(POD_A, spec.src_mac);
	memcpy(spec.dst_mac, "\x02\x0b\x00\x00\x00\x02", 6);
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	memcpy(spec.src_mac, "\x02\x0b\x00\x00\x00\x02", 6);
	memcpy(spec.dst_mac, "\x02\x00\x00\x00\x01\x02", 6);
	assert_packet(&sent.out, &spec);
}

static void np_45_replies_need_no_rule(void **state)
{
	struct prog_env *env = *state;

	isolate(env, POD_A, DENY); /* the client accepts no ingress */
	open_flow(env);
	/* in the other orientation it is another connection */
	assert_int_equal(prog_flow_count(env), 1);
	{
		struct packet_spec spec = prog_tcp(env, POD_B, SPORT, POD_A, DPORT, SYN);

		assert_dropped(prog_from(env, POD_B, &spec), WEIR_INGRESS_DENIED);
	}
}

static void a_denied_flow_leaves_no_entry(void **state)
{
	struct prog_env *env = *state;

	isolate(env, POD_B, DENY);
	assert_dropped(forth(env, SYN), WEIR_INGRESS_DENIED);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_policy_change_denies_the_next_packet(void **state)
{
	struct prog_env *env = *state;

	for (int reply_first = 0; reply_first < 2; reply_first++) {
		prog_pod(env, POD_B, 0, 0, 0, 0);
		prog_policy_epoch(env);
		open_flow(env);
		isolate(env, POD_B, DENY);
		assert_dropped(reply_first ? back(env, PSH | ACK) : forth(env, PSH | ACK),
			       WEIR_INGRESS_DENIED);
		/* both directions stay denied, and the entry stays */
		assert_dropped(forth(env, PSH | ACK), WEIR_INGRESS_DENIED);
		assert_dropped(back(env, PSH | ACK), WEIR_INGRESS_DENIED);
		assert_int_equal(flow_of(env).end[1].stamp & 1, 0);
		assert_int_equal(flow_of(env).end[0].stamp & 1, 1);
		/* a later change can allow it again */
		isolate(env, POD_B, ALLOW);
		assert_redirected(reply_first ? back(env, PSH | ACK) : forth(env, PSH | ACK));
		assert_redirected(back(env, PSH | ACK));
		assert_redirected(forth(env, FIN | ACK));
		assert_redirected(back(env, FIN | ACK));
	}
}

static void an_unrelated_policy_change_keeps_a_flow(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	isolate(env, POD_B, ALLOW);
	assert_redirected(back(env, PSH | ACK));
	assert_int_equal(flow_of(env).end[0].stamp, prog_config(env).policy_epoch << 1 | 1);
	assert_int_equal(flow_of(env).end[1].stamp, prog_config(env).policy_epoch << 1 | 1);
	assert_redirected(forth(env, PSH | ACK));
	assert_int_equal(prog_flow_count(env), 1);
}

/* The word changes without a new epoch: the flow keeps its verdict, so the stamp was used. */
static void a_current_stamp_skips_the_policy_tables(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	prog_pod(env, POD_B, SET, 0, 0, 0);
	prog_policy_default(env, SET, DENY);
	assert_redirected(forth(env, PSH | ACK));
}

static void flows_through_the_stack_are_revalidated_too(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_B, DPORT, SYN),
			   out = prog_tcp(env, POD_B, DPORT, REMOTE_A, SPORT, SYN | ACK);

	assert_passed(prog_to(env, POD_B, PROG_UPLINK, &in));
	assert_passed(prog_from(env, POD_B, &out));
	isolate(env, POD_B, DENY);
	assert_dropped(prog_from(env, POD_B, &out), WEIR_INGRESS_DENIED);
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &in), WEIR_INGRESS_DENIED);
}

static void replies_of_flows_through_the_stack_return_through_it(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, SYN),
			   out = prog_tcp(env, POD_B, DPORT, POD_A, SPORT, SYN | ACK);

	/* hostPort or masquerade: from_pod never saw it */
	assert_passed(prog_to(env, POD_B, PROG_DEVICE(POD_A), &in));
	assert_passed(prog_from(env, POD_B, &out));
	assert_passed(prog_to(env, POD_A, PROG_DEVICE(POD_B), &out));
}

static void flows_of_a_replaced_pod_start_over(void **state)
{
	static const enum party ends[] = { POD_A, POD_B };
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		open_flow(env);
		prog_pod_renew(env, ends[i]);
		assert_mid_stream(forth(env, PSH | ACK));
		assert_mid_stream(back(env, PSH | ACK));
		assert_redirected(forth(env, SYN));
		assert_int_equal(flow_of(env).flags & STATE_BITS, WEIR_FLOW_SEEN_ORIG);
		assert_int_equal(flow_of(env).end[i].ref, weir_ref(PROG_SLOT(ends[i]), 1));
		assert_int_equal(prog_flow_count(env), 1);
		assert_null(prog_gc_slots_check(env, NULL));
		assert_redirected(forth(env, RST));
	}
}

static void a_removed_pod_is_no_end_any_more(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, SYN);
	uint32_t slot = PROG_SLOT(POD_B);
	struct weir_pod none = {};

	open_flow(env);
	prog_unset(env, "endpoints", &spec.dst);
	prog_set(env, "pods", &slot, &none);
	assert_mid_stream(forth(env, PSH | ACK));
	assert_passed(forth(env, SYN)); /* no pod of this node any more: to the stack */
}

static void a_source_address_must_be_the_pods_own(void **state)
{
	static const enum party claims[] = { POD_B, POD_C, REMOTE_A, NODE, VIP_1, UNLISTED };
	struct prog_env *env = *state;

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct packet_spec spec = prog_tcp(env, claims[i], SPORT, POD_D, DPORT, SYN);

		assert_dropped(prog_from(env, POD_A, &spec), WEIR_SPOOFED);
	}
	assert_int_equal(prog_flow_count(env), 0);
}

static void a_spoofed_source_cannot_use_an_entry(void **state)
{
	static const uint8_t flags[] = { SYN, ACK, PSH | ACK, FIN | ACK, RST };
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, 0),
			   here = prog_tcp(env, POD_B, DPORT, POD_A, SPORT, 0);
	struct weir_flow before, after;

	open_flow(env);
	before = flow_of(env);
	for (size_t i = 0; i < sizeof(flags); i++) {
		there.tcp_flags = here.tcp_flags = flags[i];
		assert_dropped(prog_from(env, POD_C, &there), WEIR_SPOOFED);
		assert_dropped(prog_from(env, POD_C, &here), WEIR_SPOOFED);
		assert_dropped(prog_to(env, POD_B, PROG_DEVICE(POD_C), &there), WEIR_SPOOFED);
		assert_dropped(prog_to(env, POD_A, PROG_DEVICE(POD_C), &here), WEIR_SPOOFED);
	}
	after = flow_of(env);
	after.last_seen = before.last_seen;
	assert_memory_equal(&before, &after, sizeof(before));
}

/* The remote end is no pod of this node: the entry has no ref to check the sender by. */
static void a_spoofed_remote_source_cannot_remove_an_entry(void **state)
{
	static const uint8_t flags[] = { SYN, ACK, RST };
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_B, DPORT, SYN),
			   out = prog_tcp(env, POD_B, DPORT, REMOTE_A, SPORT, SYN | ACK);
	struct weir_flow before, after;

	assert_passed(prog_to(env, POD_B, PROG_UPLINK, &in));
	assert_passed(prog_from(env, POD_B, &out));
	assert_true(prog_flow(env, &in, 0, &before));
	for (size_t i = 0; i < sizeof(flags); i++) {
		in.tcp_flags = flags[i];
		assert_dropped(prog_from(env, POD_A, &in), WEIR_SPOOFED);
		assert_true(prog_flow(env, &in, 0, &after));
	}
	assert_int_equal(before.flags, after.flags);
	assert_passed(prog_from(env, POD_B, &out));
}

static void flows_of_an_address_that_becomes_local_start_over(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_B, DPORT, SYN);
	struct weir_flow flow;
	struct weir_pod pod;
	uint32_t slot = PROG_SLOT(POD_C);

	assert_passed(prog_to(env, POD_B, PROG_UPLINK, &in));
	prog_get(env, "pods", &slot, &pod);
	pod.addr[env->family] = in.src; /* POD_C now has the remote's address */
	prog_set(env, "pods", &slot, &pod);
	prog_set(env, "endpoints", &in.src, &slot);
	assert_redirected(prog_from(env, POD_C, &in));
	assert_true(prog_flow(env, &in, 0, &flow));
	assert_int_equal(flow.end[0].ref, weir_ref(slot, 0));
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_flooded_frame_for_another_pod_is_not_delivered(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_B, DPORT, SYN);

	assert_dropped(prog_to(env, POD_C, PROG_UPLINK, &in), WEIR_NOT_FOR_POD);
	assert_int_equal(prog_flow_count(env), 0);
	/* also when the flow is known */
	assert_passed(prog_to(env, POD_B, PROG_UPLINK, &in));
	in.tcp_flags = ACK;
	assert_dropped(prog_to(env, POD_C, PROG_UPLINK, &in), WEIR_NOT_FOR_POD);
	in.tcp_flags = RST;
	assert_dropped(prog_to(env, POD_C, PROG_UPLINK, &in), WEIR_NOT_FOR_POD);
	assert_true(prog_flow(env, &in, 0, NULL));
}

static void a_local_pods_packet_must_come_from_its_device(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, SYN);

	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &in), WEIR_SPOOFED);
	assert_dropped(prog_to(env, POD_B, 0, &in), WEIR_SPOOFED);
	assert_int_equal(prog_flow_count(env), 0);
	assert_passed(prog_to(env, POD_B, PROG_DEVICE(POD_A), &in));
}

static void a_packet_that_a_reset_overtook_does_not_open_the_flow_again(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	assert_redirected(forth(env, RST | ACK));
	assert_redirected(forth(env, ACK)); /* sent before, from another CPU's queue */
	assert_int_equal(flow_of(env).flags & WEIR_FLOW_RST_ORIG, WEIR_FLOW_RST_ORIG);
	assert_redirected(back(env, RST));
	assert_redirected(back(env, ACK));
	assert_int_equal(flow_of(env).flags & WEIR_FLOW_RST_REPLY, WEIR_FLOW_RST_REPLY);
}

static void traffic_after_a_reset_opens_the_flow_again(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	assert_redirected(back(env, RST));
	assert_int_equal(flow_of(env).flags & WEIR_FLOW_RST_REPLY, WEIR_FLOW_RST_REPLY);
	prog_ticks_pass(WEIR_RST_SETTLE_TICKS);
	assert_redirected(back(env, PSH | ACK)); /* the RST was not sent by this end */
	assert_int_equal(flow_of(env).flags & WEIR_FLOW_RST_REPLY, 0);
	assert_redirected(forth(env, RST | ACK));
	prog_ticks_pass(WEIR_RST_SETTLE_TICKS);
	assert_redirected(forth(env, PSH | ACK));
	assert_int_equal(flow_of(env).flags & (WEIR_FLOW_RST_ORIG | WEIR_FLOW_OPEN),
			 WEIR_FLOW_OPEN);
}

/* Anybody outside can send one; the pod ignores it unless its sequence number is right. */
static void a_reset_from_outside_does_not_close_an_open_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, VIP_1, 80, SYN),
			   in = prog_tcp(env, REMOTE_A, DPORT, POD_A, SPORT, SYN | ACK);
	struct weir_flow flow, rev;

	prog_serve(env, 1, 80, IPPROTO_TCP, REMOTE_A, DPORT);
	for (int proven = 0; proven < 2; proven++) {
		out.tcp_flags = SYN;
		in.tcp_flags = SYN | ACK;
		assert_passed(prog_from(env, POD_A, &out));
		assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
		out.tcp_flags = ACK;
		assert_passed(prog_from(env, POD_A, &out));
		in.tcp_flags = out.tcp_flags = RST;
		if (proven)
			assert_passed(prog_from(env, POD_A, &out));
		else
			assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
		assert_true(prog_flow(env, &out, 0, &flow));
		assert_true(prog_flow(env, &in, 0, &rev));
		assert_int_equal(weir_flow_state(flow.flags | rev.flags, IPPROTO_TCP),
				 proven ? WEIR_STATE_CLOSING : WEIR_STATE_OPEN);
	}
}

/* ---- Packets that anybody outside can forge: no sequence number is known here ---- */

/* POD_A's connection to REMOTE_A, direct or by VIP_1. */
static void open_to_remote(struct prog_env *env, struct packet_spec *out, struct packet_spec *in)
{
	out->tcp_flags = SYN;
	assert_passed(prog_from(env, POD_A, out));
	in->tcp_flags = SYN | ACK;
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, in));
	out->tcp_flags = ACK;
	assert_passed(prog_from(env, POD_A, out));
}

static struct prog_sent forged(struct prog_env *env, struct packet_spec *in, uint8_t flags)
{
	in->tcp_flags = flags;
	return prog_to(env, POD_A, PROG_UPLINK, in);
}

static void a_forged_reset_and_syn_do_not_end_a_flow_of_an_isolated_pod(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, REMOTE_A, DPORT, SYN),
			   in = prog_tcp(env, REMOTE_A, DPORT, POD_A, SPORT, SYN);

	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_pod(env, POD_A, 1, 0, 0, 0);
	open_to_remote(env, &out, &in);
	assert_passed(forged(env, &in, RST));
	forged(env, &in, SYN);
	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(forged(env, &in, ACK));
}

static void a_forged_reset_and_syn_do_not_end_a_translated_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, VIP_1, 80, SYN),
			   in = prog_tcp(env, REMOTE_A, DPORT, POD_A, SPORT, SYN), seen;
	struct prog_sent sent;

	prog_serve(env, 1, 80, IPPROTO_TCP, REMOTE_A, DPORT);
	open_to_remote(env, &out, &in);
	assert_passed(forged(env, &in, RST));
	forged(env, &in, SYN);
	sent = prog_from(env, POD_A, &out);
	assert_passed(sent);
	assert_null(packet_read(&sent.out, &seen));
	assert_int_equal(seen.sport, SPORT);
	assert_passed(forged(env, &in, ACK));
}

static void a_reset_with_an_ack_opens_no_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_A, DPORT, SYN),
			   out = prog_tcp(env, POD_A, DPORT, REMOTE_A, SPORT, SYN | ACK);
	struct weir_flow flow;

	assert_passed(forged(env, &in, SYN));
	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(forged(env, &in, RST | ACK));
	assert_true(prog_flow(env, &in, 0, &flow));
	assert_int_equal(weir_flow_state(flow.flags, IPPROTO_TCP), WEIR_STATE_CLOSING);
}

/* A wrong ACK makes a listener send a RST; the real handshake goes on. */
static void a_refuted_reset_proves_no_later_one(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = prog_tcp(env, REMOTE_A, SPORT, POD_A, DPORT, SYN),
			   out = prog_tcp(env, POD_A, DPORT, REMOTE_A, SPORT, SYN | ACK);
	struct weir_flow flow;

	assert_passed(forged(env, &in, SYN));
	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(forged(env, &in, ACK));
	out.tcp_flags = RST;
	assert_passed(prog_from(env, POD_A, &out));
	prog_ticks_pass(WEIR_RST_SETTLE_TICKS);
	out.tcp_flags = ACK;
	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(forged(env, &in, RST));
	assert_true(prog_flow(env, &in, 0, &flow));
	assert_int_equal(weir_flow_state(flow.flags, IPPROTO_TCP), WEIR_STATE_OPEN);
}

/* POD_B may send any source, and POD_A's policy denies what it sends. */
static void a_denied_packet_ends_no_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec out = prog_udp(env, POD_A, SPORT, REMOTE_A, 53),
			   in = prog_udp(env, REMOTE_A, 53, POD_A, SPORT);

	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_pod(env, POD_A, 1, 0, 0, 0);
	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_passed(prog_from(env, POD_A, &out));
	prog_from(env, POD_B, &in);
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
}

static void a_syn_on_a_closing_flow_begins_a_new_one(void **state)
{
	struct prog_env *env = *state;

	/* after both FINs, and after a reset */
	for (int reset = 0; reset < 2; reset++) {
		open_flow(env);
		assert_redirected(forth(env, reset ? RST : FIN | ACK));
		if (!reset)
			assert_redirected(back(env, FIN | ACK));
		assert_redirected(forth(env, SYN));
		assert_int_equal(flow_of(env).flags & STATE_BITS, WEIR_FLOW_SEEN_ORIG);
		assert_null(prog_gc_slots_check(env, NULL));
		assert_redirected(forth(env, RST));
	}
	assert_int_equal(prog_flow_count(env), 1);
}

static void a_syn_of_the_other_end_on_a_closing_flow_reverses_it(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	assert_redirected(forth(env, FIN | ACK));
	assert_redirected(back(env, FIN | ACK));
	assert_redirected(back(env, SYN));
	assert_int_equal(flow_of(env).end[0].ref, weir_ref(PROG_SLOT(POD_B), 0));
	assert_int_equal(prog_flow_count(env), 1);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_denied_syn_on_a_closing_flow_is_denied(void **state)
{
	struct prog_env *env = *state;

	open_flow(env);
	assert_redirected(forth(env, RST));
	prog_pod(env, POD_B, SET, 0, 0, 0); /* no new epoch: only the new flow is judged */
	prog_policy_default(env, SET, DENY);
	assert_dropped(forth(env, SYN), WEIR_INGRESS_DENIED);
	assert_true(has_flow(env)); /* a denied packet ends no flow */
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_syn_on_an_open_flow_changes_nothing(void **state)
{
	struct prog_env *env = *state;
	uint32_t flags;

	open_flow(env);
	flags = flow_of(env).flags;
	assert_redirected(forth(env, SYN));
	assert_int_equal(flow_of(env).flags, flags);
}

static void udp_flows_follow_datagrams(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec there = prog_udp(env, POD_A, SPORT, POD_B, 53),
			   here = prog_udp(env, POD_B, 53, POD_A, SPORT);
	struct weir_flow flow;

	isolate(env, POD_A, DENY);
	assert_redirected(prog_from(env, POD_A, &there));
	assert_redirected(prog_from(env, POD_B, &here));
	assert_redirected(prog_from(env, POD_A, &there));
	assert_true(prog_flow(env, &there, 0, &flow));
	assert_int_equal(flow.flags & STATE_BITS,
			 WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_SEEN_REPLY | WEIR_FLOW_OPEN);
	here.dport++;
	assert_dropped(prog_from(env, POD_B, &here), WEIR_INGRESS_DENIED);
}

static void sctp_begins_with_an_init(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, SPORT, POD_B, DPORT, 0),
			   here = prog_tcp(env, POD_B, DPORT, POD_A, SPORT, 0);

	there.proto = here.proto = IPPROTO_SCTP;
	assert_dropped(prog_from(env, POD_A, &there), WEIR_MID_STREAM);
	there.sctp_chunk = 1;
	here.sctp_chunk = 2;
	assert_redirected(prog_from(env, POD_A, &there));
	assert_redirected(prog_from(env, POD_B, &here));
	there.sctp_chunk = 10;
	assert_redirected(prog_from(env, POD_A, &there));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(an_entry_follows_its_connection),
		FOR_BOTH(only_an_ack_of_a_syn_ack_opens_a_tcp_flow),
		FOR_BOTH(a_flow_that_begins_mid_stream_opens_with_a_reply),
		FOR_BOTH(an_entry_knows_its_ends_and_its_verdicts),
		FOR_BOTH(a_redirect_carries_the_pods_mac_and_the_gateways),
		FOR_BOTH(np_45_replies_need_no_rule),
		FOR_BOTH(a_denied_flow_leaves_no_entry),
		FOR_BOTH(a_policy_change_denies_the_next_packet),
		FOR_BOTH(an_unrelated_policy_change_keeps_a_flow),
		FOR_BOTH(a_current_stamp_skips_the_policy_tables),
		FOR_BOTH(flows_through_the_stack_are_revalidated_too),
		FOR_BOTH(replies_of_flows_through_the_stack_return_through_it),
		FOR_BOTH(flows_of_a_replaced_pod_start_over),
		FOR_BOTH(a_removed_pod_is_no_end_any_more),
		FOR_BOTH(a_source_address_must_be_the_pods_own),
		FOR_BOTH(a_spoofed_source_cannot_use_an_entry),
		FOR_BOTH(a_spoofed_remote_source_cannot_remove_an_entry),
		FOR_BOTH(flows_of_an_address_that_becomes_local_start_over),
		FOR_BOTH(a_flooded_frame_for_another_pod_is_not_delivered),
		FOR_BOTH(a_local_pods_packet_must_come_from_its_device),
		FOR_BOTH(a_packet_that_a_reset_overtook_does_not_open_the_flow_again),
		FOR_BOTH(traffic_after_a_reset_opens_the_flow_again),
		FOR_BOTH(a_reset_from_outside_does_not_close_an_open_flow),
		FOR_BOTH(a_forged_reset_and_syn_do_not_end_a_flow_of_an_isolated_pod),
		FOR_BOTH(a_forged_reset_and_syn_do_not_end_a_translated_flow),
		FOR_BOTH(a_reset_with_an_ack_opens_no_flow),
		FOR_BOTH(a_refuted_reset_proves_no_later_one),
		FOR_BOTH(a_denied_packet_ends_no_flow),
		FOR_BOTH(a_syn_on_a_closing_flow_begins_a_new_one),
		FOR_BOTH(a_syn_of_the_other_end_on_a_closing_flow_reverses_it),
		FOR_BOTH(a_denied_syn_on_a_closing_flow_is_denied),
		FOR_BOTH(a_syn_on_an_open_flow_changes_nothing),
		FOR_BOTH(udp_flows_follow_datagrams),
		FOR_BOTH(sctp_begins_with_an_init),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
