// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Events and hits: the exact event of each kind of packet, no event for packets of an established
 * flow, and what is lost when events do not fit. Set 1 isolates; service 1 is VIP_1:80, its backend
 * POD_B:8080.
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

static void watch_until(struct prog_env *env, uint64_t reasons, uint32_t until)
{
	struct weir_watch watch = { .reasons = reasons, .until = until };
	uint32_t zero = 0;

	prog_set(env, "watch", &zero, &watch);
}

static void watch_all(struct prog_env *env)
{
	watch_until(env, ~0ull, prog_ticks_now() + LEASE_TICKS);
}

static int keep(void *ctx, void *data, size_t size)
{
	struct seen *seen = ctx;

	assert_int_equal(size, sizeof(struct weir_event));
	assert_true(seen->n < FLOOD);
	memcpy(&seen->events[seen->n++], data, size);
	return 0;
}

/* Takes all events out of the ring. */
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

static void assert_no_event(struct prog_env *env)
{
	struct seen *seen = drain(env);

	if (seen->n)
		fail_msg("%zu events, the first with reason %s", seen->n,
			 prog_reason(seen->events[0].reason));
}

/* Exactly this event came; its time is recent. */
static void assert_event(struct prog_env *env, struct weir_event want)
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
		sum.over_budget += cpus[i].over_budget;
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

/* The event of a packet as it is on the wire, at the device of pod. */
static struct weir_event event_of(struct prog_env *env, enum weir_reason reason, enum party pod,
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
	static const uint32_t backends[] = { BACKEND };

	prog_backend(env, BACKEND, SERVICE, POD_B, TARGET, 0);
	prog_backend_slots(env, 0, backends, 1);
	prog_service(env, SERVICE, WEIR_SERVICE_USABLE, 0, 1);
	prog_frontend(env, VIP_1, PORT, IPPROTO_TCP, SERVICE);
}

static struct packet_spec syn_to(struct prog_env *env, enum party dst)
{
	return prog_tcp(env, POD_A, SPORT, dst, PORT, SYN);
}

#define BOTH_JUDGED (WEIR_EVENT_JUDGED | WEIR_EVENT_JUDGED_EGRESS | WEIR_EVENT_JUDGED_INGRESS)

static void a_default_deny_reports_its_policy_set(void **state)
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
	assert_event(env, want);
}

static void one_event_reports_both_denials(void **state)
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
	assert_event(env, want);
}

static void a_denial_behind_the_stack_reports_the_pods_device(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, REMOTE_A, SPORT, POD_B, PORT, SYN);
	struct weir_event want = event_of(env, WEIR_INGRESS_DENIED, POD_B, &syn);

	isolate(env, OPEN, DENY);
	watch_all(env);
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &syn), WEIR_INGRESS_DENIED);
	want.flags = WEIR_EVENT_TO_POD | WEIR_EVENT_JUDGED | WEIR_EVENT_JUDGED_INGRESS |
		     WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_event(env, want);
}

static void a_new_flow_reports_its_backend_once(void **state)
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
	assert_event(env, want);
	assert_redirected(prog_from(env, POD_B, &answer));
	for (int i = 0; i < 10; i++)
		assert_redirected(prog_from(env, POD_A, &ack));
	assert_no_event(env);
}

static void an_allowed_flow_without_a_service_has_no_event(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B), out = syn_to(env, REMOTE_A);

	isolate(env, ALLOW_BY(OTHER_RULE), ALLOW_BY(RULE));
	watch_all(env);
	assert_redirected(prog_from(env, POD_A, &syn));
	assert_passed(prog_from(env, POD_A, &out));
	assert_no_event(env);
}

static void np_46_a_denial_behind_a_service_reports_frontend_and_backend(void **state)
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
	assert_event(env, want);
}

/* In both directions the event has the tuple of the first packet of the flow. */
static void a_known_flow_reports_its_first_tuple(void **state)
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
	/* revalidated because the stamp is old, then denied by the stamp */
	for (int i = 0; i < 2; i++) {
		assert_dropped(prog_from(env, POD_A, &ack), WEIR_INGRESS_DENIED);
		assert_event(env, want);
		assert_dropped(prog_from(env, POD_B, &answer), WEIR_INGRESS_DENIED);
		assert_event(env, back);
	}
	assert_int_equal(hits(env, "set_hits", IN_SET), 4);
}

static void a_known_direct_flow_reports_its_first_tuple(void **state)
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
	assert_event(env, want);
}

static void a_denial_that_is_not_enforced_has_one_event_a_packet(void **state)
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
	assert_event(env, want);
	want.flags |= WEIR_EVENT_KNOWN;
	assert_sent(prog_from(env, POD_A, &ack), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_event(env, want);
}

/* The event of a mid-stream packet has the denial, not the verdict of the other orientation. */
static void a_mid_stream_denial_that_is_not_enforced_is_reported(void **state)
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
	assert_event(env, want);
	assert_int_equal(hits(env, "set_hits", IN_SET), 1);
}

static void a_gated_pod_is_reported(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);
	struct weir_event want = event_of(env, WEIR_GATED, POD_A, &syn);

	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	watch_all(env);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_GATED);
	want.flags = BOTH_JUDGED;
	assert_event(env, want);
}

/* A denial comes first: nothing of it may be left in the events of the next packets. */
static void drops_before_a_policy_verdict_report_what_was_parsed(void **state)
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

	cut.len -= 4; /* behind the IP header, which TEST_RUN requires */
	assert_dropped(prog_send(env, FROM_POD(POD_A), &cut), WEIR_TRUNCATED);
	want.len = cut.len;
	assert_event(env, want);

	assert_dropped(prog_from(env, POD_A, &spoofed), WEIR_SPOOFED);
	assert_event(env, event_of(env, WEIR_SPOOFED, POD_A, &spoofed));

	assert_dropped(prog_to(env, POD_D, PROG_UPLINK, &flooded), WEIR_NOT_FOR_POD);
	want = event_of(env, WEIR_NOT_FOR_POD, POD_D, &flooded);
	want.flags = WEIR_EVENT_TO_POD;
	assert_event(env, want);

	assert_dropped(prog_from(env, POD_A, &late), WEIR_MID_STREAM);
	assert_event(env, event_of(env, WEIR_MID_STREAM, POD_A, &late));
}

static void svc_60_a_reject_reports_the_service_and_the_packet_as_received(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, VIP_1);
	struct weir_event want = event_of(env, WEIR_NO_ENDPOINT, POD_A, &syn);

	serve(env);
	prog_service(env, SERVICE, 0, 0, 0);
	watch_all(env);
	assert_int_equal(prog_from(env, POD_A, &syn).reason, WEIR_NO_ENDPOINT);
	want.service = SERVICE;
	assert_event(env, want);
}

/* Both ends are the pod itself, not the reserved address; only a gate can deny it (NP-40). */
static void svc_84_a_pod_that_reaches_itself_is_reported_by_its_own_address(void **state)
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
	assert_event(env, want);

	assert_null(packet_read(&sent.out, &answer)); /* as the pod received it: swap its ends */
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
	assert_event(env, want);
}

static struct packet_spec error_to(struct prog_env *env, enum party src, enum party dst,
				   const struct packet *quoted)
{
	struct packet_spec spec = prog_echo(env, src, dst, 0, false);

	spec.icmp_type = env->family ? 1 : 3;
	spec.icmp_code = env->family ? 4 : 3;
	spec.payload = 0;
	spec.quoted = quoted;
	return spec;
}

/* The event of an error has its sender where no flow is known, else the denied flow. */
static void icmp_errors_report_their_sender_or_their_flow(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B), error, out,
			   datagram = prog_udp(env, POD_A, SPORT, POD_B, PORT);
	struct packet quoted = packet_build(&datagram);
	struct weir_event want;
	struct seen *seen;

	watch_all(env);
	error = error_to(env, POD_B, POD_A, &quoted);
	want = event_of(env, WEIR_ICMP_NO_FLOW, POD_B, &error);
	want.flags = WEIR_EVENT_ICMP_ERROR;
	assert_dropped(prog_from(env, POD_B, &error), WEIR_ICMP_NO_FLOW);
	assert_event(env, want);

	/* with enforcement off it passes, as what it is */
	out = syn_to(env, REMOTE_A);
	quoted = packet_build(&out);
	error = error_to(env, REMOTE_A, POD_A, &quoted);
	isolate(env, DENY, OPEN);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	want = event_of(env, WEIR_NOT_ENFORCED, POD_A, &error);
	want.flags = WEIR_EVENT_ICMP_ERROR | WEIR_EVENT_TO_POD;
	assert_sent(prog_to(env, POD_A, PROG_UPLINK, &error), TC_ACT_UNSPEC, WEIR_NOT_ENFORCED);
	seen = drain(env);
	assert_int_equal(seen->n, 1);
	assert_true((seen->events[0].flags & want.flags) == want.flags);
	assert_memory_equal(&seen->events[0].src, &want.src, sizeof(want.src));
	prog_enforcement(env, WEIR_ENFORCE_ON);
	isolate(env, OPEN, OPEN);

	quoted = packet_build(&syn);
	error = error_to(env, POD_B, POD_A, &quoted);
	assert_redirected(prog_from(env, POD_A, &syn));
	isolate(env, OPEN, DENY);
	want = event_of(env, WEIR_INGRESS_DENIED, POD_B, &syn);
	want.len = packet_build(&error).len;
	want.flags =
		WEIR_EVENT_ICMP_ERROR | WEIR_EVENT_KNOWN | BOTH_JUDGED | WEIR_EVENT_INGRESS_DENIED;
	want.ingress_set = IN_SET;
	assert_dropped(prog_from(env, POD_B, &error), WEIR_INGRESS_DENIED);
	assert_event(env, want);

	prog_enforcement(env, WEIR_ENFORCE_OFF);
	want.reason = WEIR_NOT_ENFORCED;
	assert_sent(prog_from(env, POD_B, &error), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_event(env, want);
}

static void without_a_reader_there_are_no_events(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B);

	isolate(env, OPEN, DENY);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	watch_until(env, ~0ull, prog_ticks_now() - 1);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	watch_until(env, ~(1ull << WEIR_INGRESS_DENIED), prog_ticks_now() + LEASE_TICKS);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	assert_no_event(env);
	assert_int_equal(count_of(env, WEIR_INGRESS_DENIED).lost +
				 count_of(env, WEIR_INGRESS_DENIED).over_budget,
			 0);
	assert_int_equal(hits(env, "set_hits", IN_SET), 3);
	watch_until(env, 1ull << WEIR_INGRESS_DENIED, prog_ticks_now() + LEASE_TICKS);
	assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	assert_int_equal(drain(env)->n, 1);
}

/*
 * Sends until the budget of one tick is used up; a tick may end meanwhile, so several may be used.
 */
static uint32_t flood(struct prog_env *env, struct packet_spec *spec, size_t *ret_events)
{
	uint32_t sent = 0;
	struct packet out;

	*ret_events = 0;
	while (!count_of(env, WEIR_INGRESS_DENIED).over_budget && sent < 100 * WEIR_EVENT_BUDGET) {
		struct packet packet = packet_build(spec);

		for (int i = 0; i < 16; i++, sent++)
			assert_int_equal(prog_run_raw(env, FROM_POD(POD_A), &packet, &out),
					 TC_ACT_SHOT);
		*ret_events += drain(env)->n;
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
	size_t events;

	isolate(env, OPEN, DENY);
	watch_all(env);
	sent = flood(env, &syn, &events);
	prog_run_raw(env, FROM_POD(POD_A), &packet, &out);
	n = count_of(env, WEIR_INGRESS_DENIED);
	assert_int_not_equal(n.over_budget, 0);
	assert_int_equal(n.lost, 0);
	assert_int_equal(events + n.over_budget, sent);
	assert_true(events >= WEIR_EVENT_BUDGET);
	assert_event(env, event_of(env, WEIR_SPOOFED, POD_A, &spoofed));
	assert_int_equal(hits(env, "set_hits", IN_SET), sent);
}

static void a_flood_of_one_pod_does_not_hide_the_same_reason_of_another(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   other = prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN);
	struct packet packet = packet_build(&other), out;
	struct seen *seen;
	size_t events;

	isolate(env, OPEN, DENY);
	watch_all(env);
	flood(env, &syn, &events);
	prog_run_raw(env, FROM_POD(POD_C), &packet, &out);
	seen = drain(env);
	assert_int_equal(seen->n, 1);
	assert_int_equal(seen->events[0].reason, WEIR_INGRESS_DENIED);
	assert_memory_equal(&seen->events[0].src, &other.src, sizeof(other.src));
}

/*
 * Nothing reads the ring: a flood may fill half of it, and a few more a tick; the rest is for other
 * reasons.
 */
static void a_slow_reader_loses_the_flood_first(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = syn_to(env, POD_B),
			   spoofed = prog_tcp(env, POD_C, SPORT, POD_B, PORT, SYN);
	uint32_t fits = sysconf(_SC_PAGESIZE) / (sizeof(struct weir_event) + BPF_RINGBUF_HDR_SZ),
		 sent = 0;
	uint32_t before = prog_ticks_now();
	struct seen *seen;

	isolate(env, OPEN, DENY);
	watch_all(env);
	for (; sent < fits * 3 / 2; sent++)
		assert_dropped(prog_from(env, POD_A, &syn), WEIR_INGRESS_DENIED);
	if (prog_ticks_now() - before > 1) {
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
	       sent < FLOOD) { /* a few of each reason go in a tick, until nothing fits */
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
		lost += count_of(env, reasons[i]).lost + count_of(env, reasons[i]).over_budget;
	}
	assert_int_equal(drain(env)->n + lost, sent);
	assert_dropped(prog_from(env, POD_A, &specs[1]), WEIR_SPOOFED);
	assert_event(env, event_of(env, WEIR_SPOOFED, POD_A, &specs[1]));
}

static void hits_count_policy_verdicts(void **state)
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
	prog_policy_epoch(env); /* revalidated, once */
	for (int i = 0; i < 5; i++)
		assert_redirected(prog_from(env, POD_A, &ack));
	assert_int_equal(hits(env, "rule_hits", RULE), 2);
	assert_int_equal(hits(env, "set_hits", IN_SET), 0);

	isolate(env, ALLOW_BY(OTHER_RULE), DENY);
	for (int i = 0; i < 5; i++) /* denied flows count each packet */
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
	uint32_t before = prog_ticks_now(), rule = RULE;
	uint64_t last = 0;

	isolate(env, OPEN, ALLOW_BY(RULE));
	assert_redirected(prog_from(env, POD_A, &syn));
	prog_get(env, "rule_hits", &rule, cpus);
	for (int i = 0; i < env->cpus; i++)
		last = cpus[i].last > last ? cpus[i].last : last;
	assert_in_range(last, before, prog_ticks_now());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(a_default_deny_reports_its_policy_set),
		FOR_BOTH(one_event_reports_both_denials),
		FOR_BOTH(a_denial_behind_the_stack_reports_the_pods_device),
		FOR_BOTH(a_new_flow_reports_its_backend_once),
		FOR_BOTH(an_allowed_flow_without_a_service_has_no_event),
		FOR_BOTH(np_46_a_denial_behind_a_service_reports_frontend_and_backend),
		FOR_BOTH(a_known_flow_reports_its_first_tuple),
		FOR_BOTH(a_known_direct_flow_reports_its_first_tuple),
		FOR_BOTH(a_denial_that_is_not_enforced_has_one_event_a_packet),
		FOR_BOTH(a_mid_stream_denial_that_is_not_enforced_is_reported),
		FOR_BOTH(a_gated_pod_is_reported),
		FOR_BOTH(drops_before_a_policy_verdict_report_what_was_parsed),
		FOR_BOTH(svc_60_a_reject_reports_the_service_and_the_packet_as_received),
		FOR_BOTH(svc_84_a_pod_that_reaches_itself_is_reported_by_its_own_address),
		FOR_BOTH(icmp_errors_report_their_sender_or_their_flow),
		FOR_BOTH(without_a_reader_there_are_no_events),
		FOR_BOTH(a_flood_of_one_reason_is_counted_and_does_not_hide_another),
		FOR_BOTH(a_flood_of_one_pod_does_not_hide_the_same_reason_of_another),
		FOR_BOTH(a_slow_reader_loses_the_flood_first),
		FOR_BOTH(a_full_ring_loses_and_counts),
		FOR_BOTH(hits_count_policy_verdicts),
		FOR_BOTH(hits_remember_the_last_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
