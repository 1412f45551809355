// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Events and hits: what exactly is told of each kind of packet, that nothing is told of what
 * follows its connection, and what happens when there is more to tell than fits. Set 1 isolates;
 * service 1 is VIP_1:80, its backend POD_B:8080.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "lib/prog_env.h"

#define DENY weir_word_verdict(WEIR_WORD_DENY, 0)
#define OPEN UINT64_MAX /* in no set */
#define ALLOW_BY(rule) weir_word_verdict(WEIR_WORD_ALLOW, rule)
#define IN_SET 1
#define OUT_SET 2
#define RULE 42
#define OTHER_RULE 43
#define SERVICE 1
#define BACKEND 5
#define SPORT 40000
#define PORT 80
#define TARGET 8080
#define FLOOD 400
#define LEASE_TICKS 100000

struct seen {
	struct weir_event events[FLOOD];
	size_t n;
};

static uint32_t ticks_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return ((uint64_t)t.tv_sec * 1000000000 + t.tv_nsec) >> WEIR_TICK_SHIFT;
}

static void watch_until(struct prog_env *env, uint64_t reasons, uint32_t until)
{
	struct weir_watch watch = { .reasons = reasons, .until = until };
	uint32_t zero = 0;

	prog_set(env, "watch", &zero, &watch);
}

static void watch_all(struct prog_env *env)
{
	watch_until(env, ~0ull, ticks_now() + LEASE_TICKS);
}

static int keep(void *ctx, void *data, size_t size)
{
	struct seen *seen = ctx;

	assert_int_equal(size, sizeof(struct weir_event));
	assert_true(seen->n < FLOOD);
	memcpy(&seen->events[seen->n++], data, size);
	return 0;
}

/* Takes everything out of the ring. */
static struct seen *drain(struct prog_env *env)
{
	static struct seen seen;
	struct ring_buffer *ring;

	seen.n = 0;
	ring = ring_buffer__new(prog_map(env, "events"), keep, &seen, NULL);
	assert_non_null(ring);
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	return &seen;
}

static void assert_silence(struct prog_env *env)
{
	struct seen *seen = drain(env);

	if (seen->n)
		fail_msg("%zu events, the first with reason %s", seen->n,
			 prog_reason(seen->events[0].reason));
}

/* Just this event came, but for its time. */
static void assert_told(struct prog_env *env, struct weir_event want)
{
	struct seen *seen = drain(env);
	struct weir_event got = seen->events[0];
	struct timespec now;

	assert_int_equal(seen->n, 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_in_range(now.tv_sec * 1000000000ull + now.tv_nsec - got.time_ns, 0,
			60 * 1000000000ull);
	want.time_ns = got.time_ns;
	assert_int_equal(got.reason, want.reason);
	assert_int_equal(got.flags, want.flags);
	assert_int_equal(got.egress_set, want.egress_set);
	assert_int_equal(got.egress_rule, want.egress_rule);
	assert_int_equal(got.ingress_set, want.ingress_set);
	assert_int_equal(got.ingress_rule, want.ingress_rule);
	assert_int_equal(got.backend, want.backend);
	assert_int_equal(got.service, want.service);
	assert_memory_equal(&got, &want, sizeof(got));
}

static struct weir_event_count count_of(struct prog_env *env, uint32_t reason)
{
	struct weir_event_count cpus[env->cpus], sum = {};

	prog_get(env, "event_counts", &reason, cpus);
	for (int i = 0; i < env->cpus; i++) {
		sum.over += cpus[i].over;
		sum.lost += cpus[i].lost;
	}
	return sum;
}

static uint64_t hits(struct prog_env *env, const char *map, uint32_t id)
{
	struct weir_hits cpus[env->cpus];
	uint64_t packets = 0;

	prog_get(env, map, &id, cpus);
	for (int i = 0; i < env->cpus; i++)
		packets += cpus[i].packets;
	return packets;
}

/* From src to dst, as it is on the wire, told at the device of pod. */
static struct weir_event event_of(struct prog_env *env, enum weir_reason reason, enum who pod,
				  const struct packet_spec *spec)
{
	return (struct weir_event){
		.src = spec->src,
		.dst = spec->dst,
		.sport_be = htons(spec->sport),
		.dport_be = htons(spec->dport),
		.reason = reason,
		.device = PROG_DEVICE(pod),
		.len = packet_build(spec).len,
		.proto = spec->proto,
	};
}

static void translated(struct prog_env *env, struct weir_event *e)
{
	e->nat_dst = prog_addr(env, POD_B);
	e->nat_dport_be = htons(TARGET);
	e->service = SERVICE;
	e->backend = BACKEND;
	e->flags |= WEIR_EVENT_TRANSLATED;
}

static void isolate(struct prog_env *env, uint64_t out, uint64_t in)
{
	prog_pod(env, POD_A, 0, out == OPEN ? 0 : OUT_SET, 0, 0);
	prog_pod(env, POD_B, in == OPEN ? 0 : IN_SET, 0, 0, 0);
	prog_policy_default(env, OUT_SET, out);
	prog_policy_default(env, IN_SET, in);
	prog_policy_epoch(env);
}

static void serve(struct prog_env *env)
{
	static const uint32_t run[] = { BACKEND };

	prog_backend(env, BACKEND, SERVICE, POD_B, TARGET, 0);
	prog_run(env, 0, run, 1);
	prog_service(env, SERVICE, WEIR_SERVICE_USABLE, 0, 1);
	prog_frontend(env, VIP_1, PORT, IPPROTO_TCP, SERVICE);
}

static struct packet_spec syn_to(struct prog_env *env, enum who dst)
{
	return prog_tcp(env, POD_A, SPORT, dst, PORT, SYN);
}

#define BOTH_JUDGED (WEIR_EVENT_JUDGED | WEIR_EVENT_EGRESS | WEIR_EVENT_INGRESS)

static void a_default_deny_tells_its_policy_set(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);
	struct weir_event want = event_of(env, WEIR_INGRESS_DENIED, POD_A, &syn);

	isolate(env, ALLOW_BY(RULE), DENY);
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	want.flags = BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED;
	want.egress_set = OUT_SET;
	want.egress_rule = RULE;
	want.ingress_set = IN_SET;
	assert_told(env, want);
}

static void both_denials_are_told_at_once(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);
	struct weir_event want = event_of(env, WEIR_EGRESS_DENIED, POD_A, &syn);

	isolate(env, DENY, weir_word_verdict(WEIR_WORD_DENY, RULE));
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_EGRESS_DENIED);
	want.flags = BOTH_JUDGED | WEIR_EVENT_EGRESS_DENIED | WEIR_EVENT_INGRESS_DENIED;
	want.egress_set = OUT_SET;
	want.ingress_set = IN_SET;
	want.ingress_rule = RULE;
	assert_told(env, want);
}

static void a_denial_behind_the_stack_is_told_at_the_pod(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, REMOTE_A, SPORT, POD_B, PORT, SYN);
	struct weir_event want = event_of(env, WEIR_INGRESS_DENIED, POD_B, &syn);

	isolate(env, OPEN, DENY);
	watch_all(env);
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &syn), WEIR_INGRESS_DENIED);
	want.flags = WEIR_EVENT_TO_POD | WEIR_EVENT_JUDGED | WEIR_EVENT_INGRESS |
		     WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_told(env, want);
}

static void a_new_flow_tells_its_backend_and_then_nothing(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1),
			   ack = prog_tcp(env, POD_A, SPORT, VIP_1, PORT, ACK | PSH),
			   answer = prog_tcp(env, POD_B, TARGET, POD_A, SPORT, SYN | ACK);
	struct weir_event want = event_of(env, WEIR_FORWARDED, POD_A, &syn);

	serve(env);
	isolate(env, OPEN, ALLOW_BY(RULE));
	watch_all(env);
	assert_redirected(prog_from(env, POD_A, &syn));
	translated(env, &want);
	want.flags |= BOTH_JUDGED;
	want.ingress_set = IN_SET;
	want.ingress_rule = RULE;
	assert_told(env, want);
	assert_redirected(prog_from(env, POD_B, &answer));
	for (int i = 0; i < 10; i++)
		assert_redirected(prog_from(env, POD_A, &ack));
	assert_silence(env);
}

static void a_flow_without_a_service_tells_nothing(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B), out = syn_to(env, REMOTE_A);

	isolate(env, ALLOW_BY(OTHER_RULE), ALLOW_BY(RULE));
	watch_all(env);
	assert_redirected(prog_from(env, POD_A, &syn));
	assert_passed(prog_from(env, POD_A, &out));
	assert_silence(env);
}

static void np_46_a_denial_behind_a_service_tells_both(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1);
	struct weir_event want = event_of(env, WEIR_EGRESS_DENIED, POD_A, &syn);

	serve(env);
	isolate(env, DENY, OPEN);
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_EGRESS_DENIED);
	translated(env, &want);
	want.flags |= BOTH_JUDGED | WEIR_EVENT_EGRESS_DENIED;
	want.egress_set = OUT_SET;
	assert_told(env, want);
}

/* Whichever way the packet travels, the tuple is the one that the flow began with. */
static void a_known_flow_tells_how_it_began(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1),
			   ack = prog_tcp(env, POD_A, SPORT, VIP_1, PORT, ACK),
			   answer = prog_tcp(env, POD_B, TARGET, POD_A, SPORT, SYN | ACK);
	struct weir_event want = event_of(env, WEIR_INGRESS_DENIED, POD_A, &ack), back;

	serve(env);
	assert_redirected(prog_from(env, POD_A, &syn));
	assert_redirected(prog_from(env, POD_B, &answer));
	isolate(env, OPEN, DENY);
	watch_all(env);
	translated(env, &want);
	want.flags |= BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED | WEIR_EVENT_KNOWN;
	want.ingress_set = IN_SET;
	back = want;
	back.flags |= WEIR_EVENT_REPLY;
	back.device = PROG_DEVICE(POD_B);
	for (int i = 0; i < 2;
	     i++) { /* judged again because its stamp is old, then denied by its stamp */
		assert_dropped(prog_from(env, POD_A, &ack), WEIR_INGRESS_DENIED);
		assert_told(env, want);
		assert_dropped(prog_from(env, POD_B, &answer), WEIR_INGRESS_DENIED);
		assert_told(env, back);
	}
	assert_int_equal(hits(env, "set_hits", IN_SET), 4);
}

static void a_known_direct_flow_tells_how_it_began(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   answer = prog_tcp(env, POD_B, PORT, POD_A, SPORT, SYN | ACK);
	struct weir_event want = event_of(env, WEIR_EGRESS_DENIED, POD_B, &syn);

	assert_redirected(prog_from(env, POD_A, &syn));
	isolate(env, DENY, OPEN);
	watch_all(env);
	want.flags = BOTH_JUDGED | WEIR_EVENT_EGRESS_DENIED | WEIR_EVENT_KNOWN | WEIR_EVENT_REPLY;
	want.egress_set = OUT_SET;
	want.len = packet_build(&answer).len;
	assert_dropped(prog_from(env, POD_B, &answer), WEIR_EGRESS_DENIED);
	assert_told(env, want);
}

static void what_is_not_enforced_is_told_once_a_packet(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1),
			   ack = prog_tcp(env, POD_A, SPORT, VIP_1, PORT, ACK);
	struct weir_event want = event_of(env, WEIR_NOT_ENFORCED, POD_A, &syn);

	serve(env);
	isolate(env, OPEN, DENY);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	watch_all(env);
	assert_sent(prog_from(env, POD_A, &syn), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	translated(env, &want);
	want.flags |= BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_told(env, want);
	want.flags |= WEIR_EVENT_KNOWN;
	assert_sent(prog_from(env, POD_A, &ack), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_told(env, want);
}

/* Of a packet in mid-stream the denial is told, not what the other orientation would have met. */
static void a_denial_in_mid_stream_that_is_not_enforced_is_told(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec ack = prog_tcp(env, POD_A, SPORT, POD_B, PORT, ACK);
	struct weir_event want = event_of(env, WEIR_NOT_ENFORCED, POD_A, &ack);

	isolate(env, OPEN, DENY);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	watch_all(env);
	assert_sent(prog_from(env, POD_A, &ack), TC_ACT_UNSPEC, WEIR_NOT_ENFORCED);
	want.flags = BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_told(env, want);
	assert_int_equal(hits(env, "set_hits", IN_SET), 1);
}

static void a_gated_pod_is_told(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);
	struct weir_event want = event_of(env, WEIR_GATED, POD_A, &syn);

	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_GATED);
	want.flags = BOTH_JUDGED;
	assert_told(env, want);
}

/* A denial comes first: nothing of it may stay in what is told of the next packet. */
static void drops_before_a_judgement_tell_what_is_known(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec denied = syn_to(env, VIP_1),
			   spoofed = prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN),
			   flooded = prog_tcp(env, REMOTE_A, SPORT, POD_C, PORT, SYN),
			   late = prog_tcp(env, POD_A, SPORT, POD_C, PORT, RST);
	struct packet cut = packet_build(&denied);
	struct weir_event want = { .reason = WEIR_TRUNCATED, .device = PROG_DEVICE(POD_A) };

	serve(env);
	isolate(env, DENY, OPEN);
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &denied), WEIR_EGRESS_DENIED);
	assert_int_equal(drain(env)->n, 1);

	cut.len -= 4; /* behind the IP header, which is read; the kernel asks for that much */
	assert_dropped(prog_send(env, PROG_FROM_POD, POD_A, PROG_DEVICE(POD_A), &cut),
		       WEIR_TRUNCATED);
	want.len = cut.len;
	assert_told(env, want);

	assert_dropped(prog_from(env, POD_A, &spoofed), WEIR_SPOOFED);
	assert_told(env, event_of(env, WEIR_SPOOFED, POD_A, &spoofed));

	assert_dropped(prog_to(env, POD_D, PROG_UPLINK, &flooded), WEIR_NOT_FOR_POD);
	want = event_of(env, WEIR_NOT_FOR_POD, POD_D, &flooded);
	want.flags = WEIR_EVENT_TO_POD;
	assert_told(env, want);

	assert_dropped(prog_from(env, POD_A, &late), WEIR_MID_STREAM);
	assert_told(env, event_of(env, WEIR_MID_STREAM, POD_A, &late));
}

static void svc_60_a_rejection_tells_the_service_and_the_packet_as_it_came(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1);
	struct weir_event want = event_of(env, WEIR_NO_ENDPOINT, POD_A, &syn);

	serve(env);
	prog_service(env, SERVICE, 0, 0, 0);
	watch_all(env);
	assert_int_equal(prog_from(env, POD_A, &syn).reason, WEIR_NO_ENDPOINT);
	want.service = SERVICE;
	assert_told(env, want);
}

/* Both ends are the pod itself, whatever address it sees; a closed gate is all that can hold it. */
static void svc_84_a_pod_that_reaches_itself_is_told_by_its_own_address(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_B, SPORT, VIP_1, PORT, SYN), answer;
	struct weir_event want = event_of(env, WEIR_FORWARDED, POD_B, &syn);
	struct prog_sent sent;

	serve(env);
	watch_all(env);
	sent = prog_from(env, POD_B, &syn);
	assert_redirected(sent);
	translated(env, &want);
	want.flags |= BOTH_JUDGED;
	assert_told(env, want);

	assert_null(packet_read(&sent.out, &answer)); /* as the pod met it: turn it round */
	answer = (struct packet_spec){ .src = answer.dst,
				       .dst = answer.src,
				       .sport = answer.dport,
				       .dport = answer.sport,
				       .proto = IPPROTO_TCP,
				       .tcp_flags = SYN | ACK };
	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	prog_policy_epoch(env);
	assert_dropped(prog_from(env, POD_B, &answer), WEIR_GATED);
	want.reason = WEIR_GATED;
	want.flags |= WEIR_EVENT_KNOWN | WEIR_EVENT_REPLY;
	want.len = packet_build(&answer).len;
	assert_told(env, want);
}

static struct packet_spec error_to(struct prog_env *env, enum who src, enum who dst,
				   const struct packet *quoted)
{
	struct packet_spec spec = prog_echo(env, src, dst, 0, false);

	spec.icmp_type = env->family ? 1 : 3;
	spec.icmp_code = env->family ? 4 : 3;
	spec.payload = 0;
	spec.quoted = quoted;
	return spec;
}

/* An error that goes nowhere tells who sent it; one about a denied flow tells that flow. */
static void icmp_errors_tell_their_sender_or_their_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B), error;
	struct packet quoted = packet_build(&syn);
	struct weir_event want;

	watch_all(env);
	error = error_to(env, POD_B, POD_A, &quoted);
	want = event_of(env, WEIR_ICMP_NO_FLOW, POD_B, &error);
	want.flags = WEIR_EVENT_ICMP_ERROR;
	assert_dropped(prog_from(env, POD_B, &error), WEIR_ICMP_NO_FLOW);
	assert_told(env, want);

	assert_redirected(prog_from(env, POD_A, &syn));
	isolate(env, OPEN, DENY);
	want = event_of(env, WEIR_INGRESS_DENIED, POD_B, &syn);
	want.len = packet_build(&error).len;
	want.flags =
		WEIR_EVENT_ICMP_ERROR | WEIR_EVENT_KNOWN | BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_dropped(prog_from(env, POD_B, &error), WEIR_INGRESS_DENIED);
	assert_told(env, want);

	prog_enforcement(env, WEIR_ENFORCE_OFF);
	want.reason = WEIR_NOT_ENFORCED;
	assert_sent(prog_from(env, POD_B, &error), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_told(env, want);
}

static void nobody_listens_nobody_is_told(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);

	isolate(env, OPEN, DENY);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	watch_until(env, ~0ull, ticks_now() - 1);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	watch_until(env, ~(1ull << WEIR_INGRESS_DENIED), ticks_now() + LEASE_TICKS);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	assert_silence(env);
	assert_int_equal(count_of(env, WEIR_INGRESS_DENIED).lost +
				 count_of(env, WEIR_INGRESS_DENIED).over,
			 0);
	assert_int_equal(hits(env, "set_hits", IN_SET), 3);
	watch_until(env, 1ull << WEIR_INGRESS_DENIED, ticks_now() + LEASE_TICKS);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	assert_int_equal(drain(env)->n, 1);
}

/*
 * Sends until the budget of one tick is used up; a tick may end meanwhile, so it may take more than
 * one.
 */
static uint32_t flood(struct prog_env *env, struct packet_spec *spec, size_t *ret_told)
{
	uint32_t sent = 0;
	struct packet out;

	*ret_told = 0;
	while (!count_of(env, WEIR_INGRESS_DENIED).over && sent < 100 * WEIR_EVENT_BUDGET) {
		struct packet packet = packet_build(spec);

		for (int i = 0; i < 16; i++, sent++)
			assert_int_equal(prog_run_raw(env, PROG_FROM_POD, POD_A, PROG_DEVICE(POD_A),
						      &packet, &out),
					 TC_ACT_SHOT);
		*ret_told += drain(env)->n;
	}
	return sent;
}

static void a_flood_of_one_reason_is_counted_and_does_not_hide_another(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   spoofed = prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN);
	struct packet packet = packet_build(&spoofed), out;
	struct weir_event_count n;
	uint32_t sent;
	size_t told;

	isolate(env, OPEN, DENY);
	watch_all(env);
	sent = flood(env, &syn, &told);
	prog_run_raw(env, PROG_FROM_POD, POD_A, PROG_DEVICE(POD_A), &packet, &out);
	n = count_of(env, WEIR_INGRESS_DENIED);
	assert_int_not_equal(n.over, 0);
	assert_int_equal(n.lost, 0);
	assert_int_equal(told + n.over, sent);
	assert_true(told >= WEIR_EVENT_BUDGET);
	assert_told(env, event_of(env, WEIR_SPOOFED, POD_A, &spoofed));
	assert_int_equal(hits(env, "set_hits", IN_SET), sent);
}

/*
 * Nobody reads: a flood may fill half of the ring, and a few more a tick, then others still find
 * room.
 */
static void a_reader_that_is_slow_loses_the_flood_first(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   spoofed = prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN);
	uint32_t fits = sysconf(_SC_PAGESIZE) / (sizeof(struct weir_event) + BPF_RINGBUF_HDR_SZ),
		 sent = 0;
	uint32_t before = ticks_now();
	struct seen *seen;

	isolate(env, OPEN, DENY);
	watch_all(env);
	for (; sent < fits * 3 / 2; sent++)
		assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	if (ticks_now() - before > 1) {
		print_message(
			"# SKIP this machine is too slow for this: the sending took several ticks\n");
		return;
	}
	assert_dropped(prog_from(env, POD_A, &spoofed), WEIR_SPOOFED);
	seen = drain(env);
	assert_in_range(seen->n, fits / 2, fits / 2 + 2 * WEIR_EVENT_RESERVE + 2);
	assert_int_equal(seen->events[seen->n - 1].reason, WEIR_SPOOFED);
	assert_int_equal(seen->n - 1 + count_of(env, WEIR_INGRESS_DENIED).lost, sent);
	assert_int_equal(count_of(env, WEIR_SPOOFED).lost, 0);
}

static void a_full_ring_loses_and_counts(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec specs[] = { syn_to(env, POD_B),
				       prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN),
				       prog_tcp(env, POD_A, SPORT, POD_C, PORT, RST) };
	const enum weir_reason reasons[] = { WEIR_INGRESS_DENIED, WEIR_SPOOFED, WEIR_MID_STREAM };
	uint32_t sent = 0;
	uint64_t lost = 0;

	isolate(env, OPEN, DENY);
	watch_all(env);
	while (lost < 3 &&
	       sent < FLOOD) { /* a few of each reason a tick go in, until nothing fits */
		for (int i = 0; i < 3; i++, sent++)
			prog_from(env, POD_A, &specs[i]);
		lost = UINT64_MAX;
		for (int i = 0; i < 3; i++) {
			struct weir_event_count n = count_of(env, reasons[i]);

			lost = n.lost < lost ? n.lost : lost;
		}
	}
	assert_true(lost >= 3);
	for (int i = 0; i < 3; i++) {
		lost = i ? lost : 0;
		lost += count_of(env, reasons[i]).lost + count_of(env, reasons[i]).over;
	}
	assert_int_equal(drain(env)->n + lost, sent);
	assert_dropped(prog_from(env, POD_A, &specs[1]), WEIR_SPOOFED);
	assert_told(env, event_of(env, WEIR_SPOOFED, POD_A, &specs[1]));
}

static void hits_count_judgements(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   ack = prog_tcp(env, POD_A, SPORT, POD_B, PORT, ACK);

	isolate(env, ALLOW_BY(OTHER_RULE), ALLOW_BY(RULE));
	assert_redirected(prog_from(env, POD_A, &syn));
	for (int i = 0; i < 5; i++)
		assert_redirected(prog_from(env, POD_A, &ack));
	assert_int_equal(hits(env, "rule_hits", RULE), 1);
	assert_int_equal(hits(env, "rule_hits", OTHER_RULE), 1);
	prog_policy_epoch(env); /* judged again, once */
	for (int i = 0; i < 5; i++)
		assert_redirected(prog_from(env, POD_A, &ack));
	assert_int_equal(hits(env, "rule_hits", RULE), 2);
	assert_int_equal(hits(env, "set_hits", IN_SET), 0);

	isolate(env, ALLOW_BY(OTHER_RULE), DENY);
	for (int i = 0; i < 5; i++) /* from here on each packet */
		assert_dropped(prog_from(env, POD_A, &ack), WEIR_INGRESS_DENIED);
	assert_int_equal(hits(env, "set_hits", IN_SET), 5);
	assert_int_equal(hits(env, "rule_hits", OTHER_RULE), 7);
	assert_int_equal(hits(env, "set_hits", 0) + hits(env, "rule_hits", 0), 0);
}

static void hits_remember_the_last_time(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);
	struct weir_hits cpus[env->cpus];
	uint32_t before = ticks_now(), rule = RULE;
	uint64_t last = 0;

	isolate(env, OPEN, ALLOW_BY(RULE));
	assert_redirected(prog_from(env, POD_A, &syn));
	prog_get(env, "rule_hits", &rule, cpus);
	for (int i = 0; i < env->cpus; i++)
		last = cpus[i].last > last ? cpus[i].last : last;
	assert_in_range(last, before, ticks_now());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(a_default_deny_tells_its_policy_set),
		FOR_BOTH(both_denials_are_told_at_once),
		FOR_BOTH(a_denial_behind_the_stack_is_told_at_the_pod),
		FOR_BOTH(a_new_flow_tells_its_backend_and_then_nothing),
		FOR_BOTH(a_flow_without_a_service_tells_nothing),
		FOR_BOTH(np_46_a_denial_behind_a_service_tells_both),
		FOR_BOTH(a_known_flow_tells_how_it_began),
		FOR_BOTH(a_known_direct_flow_tells_how_it_began),
		FOR_BOTH(what_is_not_enforced_is_told_once_a_packet),
		FOR_BOTH(a_denial_in_mid_stream_that_is_not_enforced_is_told),
		FOR_BOTH(a_gated_pod_is_told),
		FOR_BOTH(drops_before_a_judgement_tell_what_is_known),
		FOR_BOTH(svc_60_a_rejection_tells_the_service_and_the_packet_as_it_came),
		FOR_BOTH(svc_84_a_pod_that_reaches_itself_is_told_by_its_own_address),
		FOR_BOTH(icmp_errors_tell_their_sender_or_their_flow),
		FOR_BOTH(nobody_listens_nobody_is_told),
		FOR_BOTH(a_flood_of_one_reason_is_counted_and_does_not_hide_another),
		FOR_BOTH(a_reader_that_is_slow_loses_the_flood_first),
		FOR_BOTH(a_full_ring_loses_and_counts),
		FOR_BOTH(hits_count_judgements),
		FOR_BOTH(hits_remember_the_last_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
