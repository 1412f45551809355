// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services: which backend, the translated packets, byte for byte, and connections that need the
 * same reply tuple. Service 1 is VIP_1:80, service 2 is VIP_2:80, service 3 is VIP_3:80.
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
#define TARGET 8080
#define SPORT 40000
#define USABLE WEIR_SERVICE_USABLE
#define OFFSET(service) ((service)*16)
#define BACKEND(service, i) ((service)*16 + (i))

static const uint8_t router_mac[6] = { 2, 0xa, 0, 0, 0, 1 },
		     gateway_mac[6] = { 2, 0xb, 0, 0, 0, 2 };

static enum party vip_of(uint32_t service)
{
	return VIP_1 + service - 1;
}

/* A Service with these backends, all serving. */
static void serve(struct prog_env *env, uint32_t service, uint8_t proto, const enum party *backends,
		  uint32_t n)
{
	uint32_t ids[16];

	for (uint32_t i = 0; i < n; i++) {
		ids[i] = BACKEND(service, i);
		prog_backend(env, ids[i], service, backends[i], TARGET, 0);
	}
	prog_backend_slots(env, OFFSET(service), ids, n);
	prog_service(env, service, USABLE, OFFSET(service), n);
	prog_frontend(env, vip_of(service), PORT, proto, service);
}

static void serve_one(struct prog_env *env, uint32_t service, uint8_t proto, enum party backend)
{
	serve(env, service, proto, &backend, 1);
}

static struct packet_spec with_macs(struct packet_spec spec, enum party src)
{
	memcpy(spec.src_mac, router_mac, 6);
	if (src < _LOCAL_MAX)
		prog_mac(src, spec.src_mac);
	memcpy(spec.dst_mac, gateway_mac, 6);
	return spec;
}

/* With the MACs of a redirect: from the MAC that the sender addressed, to the pod's. */
static struct packet_spec redirected_to(struct packet_spec spec, enum party pod)
{
	memcpy(spec.src_mac, gateway_mac, 6);
	memcpy(spec.dst_mac, (uint8_t[]){ 2, 0, 0, 0, 1, PROG_SLOT(pod) }, 6);
	return spec;
}

static struct packet_spec tcp(struct prog_env *env, enum party src, uint16_t sport, enum party dst,
			      uint16_t dport, uint8_t flags)
{
	return with_macs(prog_tcp(env, src, sport, dst, dport, flags), src);
}

static struct packet_spec udp(struct prog_env *env, enum party src, uint16_t sport, enum party dst,
			      uint16_t dport)
{
	return with_macs(prog_udp(env, src, sport, dst, dport), src);
}

static struct prog_sent send_from(struct prog_env *env, enum party pod, struct packet_spec spec)
{
	return prog_from(env, pod, &spec);
}

static struct packet_spec read_out(const struct prog_sent *sent)
{
	struct packet_spec spec;
	const char *wrong = packet_read(&sent->out, &spec);

	if (wrong)
		fail_msg("%s", wrong);
	return spec;
}

static void svc_1_a_local_backend_is_reached_and_answers_as_the_vip(void **state)
{
	static const uint8_t forth[] = { SYN, ACK, PSH | ACK, FIN | ACK },
			     back[] = { SYN | ACK, ACK, PSH | ACK, FIN | ACK };
	struct prog_env *env = *state;
	struct packet_spec want;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	for (size_t i = 0; i < sizeof(forth); i++) {
		sent = send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, forth[i]));
		assert_redirected(sent);
		want = redirected_to(tcp(env, POD_A, SPORT, POD_B, TARGET, forth[i]), POD_B);
		assert_packet(&sent.out, &want);
		sent = send_from(env, POD_B, tcp(env, POD_B, TARGET, POD_A, SPORT, back[i]));
		assert_redirected(sent);
		want = redirected_to(tcp(env, VIP_1, PORT, POD_A, SPORT, back[i]), POD_A);
		assert_packet(&sent.out, &want);
	}
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_1_udp_is_translated_both_ways(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec want;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_UDP, POD_B);
	for (int i = 0; i < 3; i++) {
		sent = send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT));
		assert_redirected(sent);
		want = redirected_to(udp(env, POD_A, SPORT, POD_B, TARGET), POD_B);
		assert_packet(&sent.out, &want);
		sent = send_from(env, POD_B, udp(env, POD_B, TARGET, POD_A, SPORT));
		assert_redirected(sent);
		want = redirected_to(udp(env, VIP_1, PORT, POD_A, SPORT), POD_A);
		assert_packet(&sent.out, &want);
	}
}

static void an_absent_udp_sum_stays_absent(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = udp(env, POD_A, SPORT, VIP_1, PORT),
			   want = udp(env, POD_A, SPORT, POD_B, TARGET);
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_UDP, POD_B);
	spec.no_udp_sum = want.no_udp_sum = true;
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	want = redirected_to(want, POD_B);
	assert_packet(&sent.out, &want);
}

static void a_udp_sum_that_comes_out_as_zero_is_not_sent_as_none(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = udp(env, POD_A, 1, REMOTE_A, TARGET), want;
	struct packet built = packet_build(&spec);
	unsigned int at = packet_l4_offset(&built) + 6;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_UDP, REMOTE_A);
	/* the sum falls by 1 as the port rises by 1: with this port it is 0 */
	want = udp(env, POD_A, (built.data[at] << 8 | built.data[at + 1]) + 1, REMOTE_A, TARGET);
	sent = send_from(env, POD_A, udp(env, POD_A, want.sport, VIP_1, PORT));
	assert_passed(sent);
	assert_packet(&sent.out, &want);
	assert_memory_equal(sent.out.data + at, "\xff\xff", 2);
}

static void svc_1_a_remote_backend_is_reached_by_the_stack_and_its_reply_is_translated(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec want, reply;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_TCP, REMOTE_A);
	sent = send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN));
	assert_passed(sent);
	want = tcp(env, POD_A, SPORT, REMOTE_A, TARGET, SYN);
	assert_packet(&sent.out, &want);
	reply = tcp(env, REMOTE_A, TARGET, POD_A, SPORT, SYN | ACK);
	sent = prog_to(env, POD_A, PROG_UPLINK, &reply);
	assert_passed(sent);
	want = tcp(env, VIP_1, PORT, POD_A, SPORT, SYN | ACK);
	assert_packet(&sent.out, &want);
}

static void translation_reaches_ports_behind_options(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = tcp(env, POD_A, SPORT, VIP_1, PORT, SYN), want;
	struct packet out;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	if (env->family) {
		spec.extensions[0] = (struct packet_extension){ IPPROTO_HOPOPTS, 1 };
		spec.extensions[1] = (struct packet_extension){ IPPROTO_DSTOPTS, 0 };
		spec.n_extensions = 2;
	} else {
		spec.v4_options = 4;
	}
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	want = redirected_to(spec, POD_B);
	want.dst = prog_addr(env, POD_B);
	want.dport = TARGET;
	out = packet_build(&want);
	assert_int_equal(sent.out.len, out.len);
	assert_memory_equal(sent.out.data, out.data, out.len);
}

static void a_lost_entry_leads_to_the_same_backend(void **state)
{
	static const enum party backends[] = { REMOTE_A, POD_B, REMOTE_B, POD_C };
	struct prog_env *env = *state;
	int seen[16] = {};

	serve(env, 1, IPPROTO_TCP, backends, 4);
	for (uint16_t port = SPORT; port < SPORT + 40; port++) {
		struct packet_spec spec = tcp(env, POD_A, port, VIP_1, PORT, SYN), before, after;
		struct prog_sent sent = prog_from(env, POD_A, &spec);
		uint32_t chosen = sent.decision.backend;
		struct weir_tuple key;

		before = read_out(&sent);
		seen[chosen - BACKEND(1, 0)]++;
		/* both entries lost */
		weir_tuple_make(&key, &spec.src, htons(port), &spec.dst, htons(PORT), IPPROTO_TCP,
				0);
		prog_unset(env, "conntrack", &key);
		weir_tuple_make(&key, &spec.src, htons(port), &before.dst, htons(TARGET),
				IPPROTO_TCP, 0);
		prog_unset(env, "conntrack", &key);
		spec.tcp_flags = ACK;
		sent = prog_from(env, POD_A, &spec);
		after = read_out(&sent);
		assert_int_equal(sent.reason, WEIR_FORWARDED);
		assert_memory_equal(&before.dst, &after.dst, sizeof(before.dst));
		assert_int_equal(before.sport, after.sport);
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 1, 39); /* all backends get their share */
}

/*
 * Sends a SYN, deletes its forward entry, sends the SYN again. True: the reply entry is the same.
 */
static bool reply_entry_stays(struct prog_env *env, uint16_t port, uint32_t age)
{
	struct packet_spec spec = tcp(env, POD_A, port, VIP_1, PORT, SYN),
			   reply = tcp(env, POD_B, TARGET, POD_A, port, ACK);
	struct weir_flow before, after, forward;
	struct weir_tuple key;

	assert_redirected(prog_from(env, POD_A, &spec));
	assert_true(prog_flow(env, &reply, 0, &before));
	weir_tuple_make(&key, &spec.src, htons(port), &spec.dst, htons(PORT), IPPROTO_TCP, 0);
	prog_unset(env, "conntrack", &key);
	prog_flows_age(env, age);
	assert_redirected(prog_from(env, POD_A, &spec));
	assert_true(prog_flow(env, &reply, 0, &after));
	assert_true(prog_flow(env, &spec, 0, &forward));
	assert_int_not_equal(forward.sequence, before.sequence);
	return before.sequence == after.sequence;
}

/* Two CPUs insert one flow: if one is delayed between its two inserts, the other must not fail. */
static void a_new_reply_entry_is_reused_and_an_old_one_replaced(void **state)
{
	struct prog_env *env = *state;
	int adopted = 0;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	for (uint16_t i = 0; i < 20; i++) /* a tick or two may pass on a busy machine */
		adopted += reply_entry_stays(env, SPORT + i, 0);
	assert_true(adopted > 0);
	assert_false(reply_entry_stays(env, SPORT + 20, 3));
	assert_int_equal(prog_flow_count(env), 2 * 21);
}

/*
 * Only the forward entry lost: the reply entry is recognised as the flow's own, and the port stays.
 */
static void a_pair_that_lost_an_entry_is_restored(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = tcp(env, POD_A, SPORT, VIP_1, PORT, SYN), reply, direct;
	struct weir_tuple key;
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	assert_redirected(prog_from(env, POD_A, &spec));
	weir_tuple_make(&key, &spec.src, htons(SPORT), &spec.dst, htons(PORT), IPPROTO_TCP, 0);
	prog_unset(env, "conntrack", &key);
	sent = prog_from(env, POD_A, &spec);
	assert_redirected(sent);
	assert_int_equal(read_out(&sent).sport, SPORT);
	assert_int_equal(prog_flow_count(env), 2);

	/* only the reply entry lost: a repeated SYN restores it */
	direct = tcp(env, POD_A, SPORT, POD_B, TARGET, SYN);
	weir_tuple_make(&key, &direct.src, htons(SPORT), &direct.dst, htons(TARGET), IPPROTO_TCP,
			0);
	prog_unset(env, "conntrack", &key);
	assert_redirected(prog_from(env, POD_A, &spec));
	assert_int_equal(prog_flow_count(env), 2);
	reply = tcp(env, POD_B, TARGET, POD_A, SPORT, SYN | ACK);
	assert_redirected(prog_from(env, POD_B, &reply));
}

/*
 * ---- Collisions -------------------------------------------------------------------------------
 */

struct leg {
	enum party to; /* the destination that the client uses */
	uint16_t port;
	uint16_t wire_port; /* the client's port towards the backend; 0: not known yet */
};

static uint16_t leg_forth(struct prog_env *env, const struct leg *leg, uint8_t flags)
{
	struct prog_sent sent =
		send_from(env, POD_A, tcp(env, POD_A, SPORT, leg->to, leg->port, flags));
	struct packet_spec want;

	assert_redirected(sent);
	want = redirected_to(tcp(env, POD_A, read_out(&sent).sport, POD_B, TARGET, flags), POD_B);
	assert_packet(&sent.out, &want);
	return want.sport;
}

static void leg_back(struct prog_env *env, const struct leg *leg, uint8_t flags)
{
	struct prog_sent sent =
		send_from(env, POD_B, tcp(env, POD_B, TARGET, POD_A, leg->wire_port, flags));
	struct packet_spec want =
		redirected_to(tcp(env, leg->to, leg->port, POD_A, SPORT, flags), POD_A);

	assert_redirected(sent);
	assert_packet(&sent.out, &want);
}

/* One client port to one backend port, by each leg in order; all legs work at the same time. */
static void collide(struct prog_env *env, struct leg *legs, int n)
{
	for (uint32_t service = 1; service <= 3; service++)
		serve_one(env, service, IPPROTO_TCP, POD_B);
	for (int i = 0; i < n; i++) {
		legs[i].wire_port = leg_forth(env, &legs[i], SYN);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(legs[i].wire_port, legs[k].wire_port);
		if (i)
			assert_in_range(legs[i].wire_port, WEIR_PORT_MIN,
					WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
		else
			assert_int_equal(legs[i].wire_port, SPORT);
	}
	for (int i = 0; i < n; i++)
		leg_back(env, &legs[i], SYN | ACK);
	for (int i = n - 1; i >= 0; i--)
		assert_int_equal(leg_forth(env, &legs[i], PSH | ACK), legs[i].wire_port);
	for (int i = 0; i < n; i++)
		leg_back(env, &legs[i], PSH | ACK);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void direct_first_then_vip(void **state)
{
	struct leg legs[] = { { POD_B, TARGET, 0 }, { VIP_1, PORT, 0 } };

	collide(*state, legs, 2);
}

static void vip_first_then_direct(void **state)
{
	struct leg legs[] = { { VIP_1, PORT, 0 }, { POD_B, TARGET, 0 } };

	collide(*state, legs, 2);
}

static void two_vips_onto_one_backend(void **state)
{
	struct leg legs[] = { { VIP_1, PORT, 0 }, { VIP_2, PORT, 0 } };

	collide(*state, legs, 2);
}

static void two_vips_onto_one_backend_the_other_way_round(void **state)
{
	struct leg legs[] = { { VIP_2, PORT, 0 }, { VIP_1, PORT, 0 } };

	collide(*state, legs, 2);
}

static void three_vips_and_direct(void **state)
{
	struct leg legs[] = {
		{ VIP_3, PORT, 0 }, { VIP_1, PORT, 0 }, { POD_B, TARGET, 0 }, { VIP_2, PORT, 0 }
	};

	collide(*state, legs, 4);
}

/*
 * The first leg ends first: the other, with the changed port, must go on; then the tuple is free
 * again.
 */
static void end_first_leg(struct prog_env *env, struct leg *legs)
{
	struct packet_spec spec = tcp(env, POD_A, SPORT, legs[0].to, legs[0].port, 0);
	struct packet_spec reply = tcp(env, POD_B, TARGET, POD_A, legs[0].wire_port, 0);
	struct weir_tuple key;

	collide(env, legs, 2);
	assert_int_equal(leg_forth(env, &legs[0], FIN | ACK), legs[0].wire_port);
	leg_back(env, &legs[0], FIN | ACK);
	weir_tuple_make(&key, &spec.src, htons(SPORT), &spec.dst, htons(spec.dport), IPPROTO_TCP,
			0);
	prog_unset(env, "conntrack", &key); /* as gc does */
	if (legs[0].to != POD_B) {
		weir_tuple_make(&key, &reply.src, htons(TARGET), &reply.dst, htons(SPORT),
				IPPROTO_TCP, 0);
		prog_unset(env, "conntrack", &key);
	}
	assert_int_equal(leg_forth(env, &legs[1], PSH | ACK), legs[1].wire_port);
	leg_back(env, &legs[1], PSH | ACK);
	assert_int_equal(leg_forth(env, &legs[1], FIN | ACK), legs[1].wire_port);
	leg_back(env, &legs[1], FIN | ACK);
	/* the first leg can begin again */
	legs[0].wire_port = leg_forth(env, &legs[0], SYN);
	leg_back(env, &legs[0], SYN | ACK);
}

static void the_flow_with_a_changed_port_outlives_the_direct_one(void **state)
{
	struct leg legs[] = { { POD_B, TARGET, SPORT }, { VIP_1, PORT, 0 } };

	end_first_leg(*state, legs);
}

static void the_direct_flow_with_a_changed_port_outlives_the_translated_one(void **state)
{
	struct leg legs[] = { { VIP_1, PORT, SPORT }, { POD_B, TARGET, 0 } };

	end_first_leg(*state, legs);
}

static void a_closing_connection_frees_its_port(void **state)
{
	struct prog_env *env = *state;
	struct leg first = { VIP_1, PORT, 0 }, second = { VIP_2, PORT, 0 };

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	serve_one(env, 2, IPPROTO_TCP, POD_B);
	first.wire_port = leg_forth(env, &first, SYN);
	leg_back(env, &first, SYN | ACK);
	leg_forth(env, &first, FIN | ACK);
	leg_back(env, &first, FIN | ACK);
	assert_int_equal(leg_forth(env, &second, SYN), SPORT);
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_mid_stream_direct_packet_is_not_taken_for_a_collision(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	assert_redirected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)));
	assert_dropped(send_from(env, POD_A, tcp(env, POD_A, SPORT, POD_B, TARGET, ACK)),
		       WEIR_MID_STREAM);
	assert_int_equal(prog_flow_count(env), 2);
}

/* Replies of other connections have the client's port SPORT and all reserved ones, or no more. */
static void take_ports(struct prog_env *env, bool take)
{
	struct weir_flow other = { .flags = WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_SEEN_REPLY |
					    WEIR_FLOW_OPEN | WEIR_FLOW_TRANSLATED | WEIR_FLOW_REPLY,
				   .gc_slot = WEIR_NO_GC_SLOT };
	struct weir_addr client = prog_addr(env, POD_A), backend = prog_addr(env, POD_B);
	struct weir_tuple key;

	for (int i = -1; i < WEIR_PORT_COUNT; i++) {
		weir_tuple_make(&key, &backend, htons(TARGET), &client,
				htons(i < 0 ? SPORT : WEIR_PORT_MIN + i), IPPROTO_TCP, 0);
		if (take)
			prog_set(env, "conntrack", &key, &other);
		else
			prog_unset(env, "conntrack", &key);
	}
}

static void ports_run_out_after_a_bounded_search(void **state)
{
	struct prog_env *env = *state;
	int family = env->family;

	prog_env_free(env);
	*state = env = prog_env_new(family, &(struct prog_sizes){ .conntrack = 8192 });
	serve_one(env, 1, IPPROTO_TCP, POD_B);
	take_ports(env, true);
	assert_dropped(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)),
		       WEIR_PORTS_EXHAUSTED);
	assert_int_equal(prog_flow_count(env), WEIR_PORT_COUNT + 1);
	/* another client port is free */
	assert_redirected(send_from(env, POD_A, tcp(env, POD_A, SPORT + 1, VIP_1, PORT, SYN)));
	take_ports(env, false);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* A search whose probes cluster would fail long before the ports run out. */
static void two_thirds_of_the_ports_are_found_without_a_miss(void **state)
{
	struct prog_env *env = *state;
	int family = env->family;

	prog_env_free(env);
	*state = env = prog_env_new(family,
				    &(struct prog_sizes){ .conntrack = 16384, .half_open = 16384 });
	serve_one(env, 1, IPPROTO_TCP, POD_B);
	serve_one(env, 2, IPPROTO_TCP, POD_B);
	for (uint16_t port = 1024; port < 1024 + WEIR_PORT_COUNT * 2 / 3; port++) {
		for (int vip = 0; vip < 2; vip++) {
			struct packet_spec spec = tcp(env, POD_A, port, VIP_1 + vip, PORT, SYN);
			struct packet packet = packet_build(&spec), out;

			assert_int_equal(prog_run_raw(env, FROM_POD(POD_A), &packet, &out),
					 TC_ACT_REDIRECT);
		}
	}
}

/*
 * ---- No backend -------------------------------------------------------------------------------
 */

static void svc_60_no_endpoint_svc_61_no_local_endpoint(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	prog_service(env, 1, 0, 0, 0);
	assert_rejected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)),
			WEIR_NO_ENDPOINT);
	prog_service(env, 1, USABLE, 0, 0);
	assert_dropped(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)),
		       WEIR_NO_LOCAL_ENDPOINT);
	assert_int_equal(prog_flow_count(env), 0);
}

static void svc_64_an_unknown_port_of_a_cluster_ip_is_rejected(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	assert_rejected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT + 1, SYN)),
			WEIR_NO_SERVICE_PORT);
	assert_rejected(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
			WEIR_NO_SERVICE_PORT);
	assert_rejected(send_from(env, POD_A, prog_echo(env, POD_A, VIP_1, 1, false)),
			WEIR_NO_SERVICE_PORT);
	assert_passed(send_from(env, POD_A,
				tcp(env, POD_A, SPORT, VIP_2, PORT, SYN))); /* no cluster IP */
}

/*
 * ---- Changes of services ----------------------------------------------------------------------
 */

static uint32_t udp_target(struct prog_env *env, enum party dst)
{
	struct prog_sent sent = send_from(env, POD_A, udp(env, POD_A, SPORT, dst, PORT));
	struct packet_spec out;

	assert_int_equal(sent.reason, WEIR_FORWARDED);
	out = read_out(&sent);
	return out.dst.b[15];
}

static uint32_t last_byte(struct prog_env *env, enum party party)
{
	return prog_addr(env, party).b[15];
}

static void one_backend_left(struct prog_env *env, uint32_t backend)
{
	prog_backend_slots(env, OFFSET(1), &backend, 1);
	prog_service(env, 1, USABLE, OFFSET(1), 1);
}

static void svc_91_udp_leaves_an_endpoint_that_stopped_serving(void **state)
{
	static const enum party backends[] = { REMOTE_A, REMOTE_B };
	struct prog_env *env = *state;
	uint32_t first, gone;

	serve(env, 1, IPPROTO_UDP, backends, 2);
	first = udp_target(env, VIP_1);
	gone = first == last_byte(env, REMOTE_A) ? 0 : 1;
	/* a new epoch alone changes no backend */
	prog_service_epoch(env);
	assert_int_equal(udp_target(env, VIP_1), first);
	/* the other endpoint stops: no effect on this flow */
	prog_backend(env, BACKEND(1, !gone), 1, backends[!gone], TARGET, 1);
	prog_service_epoch(env);
	assert_int_equal(udp_target(env, VIP_1), first);
	/* its own endpoint stops */
	prog_backend(env, BACKEND(1, gone), 1, backends[gone], TARGET, 1);
	one_backend_left(env, BACKEND(1, !gone));
	prog_service_epoch(env);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, backends[!gone]));
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, backends[!gone]));
}

/*
 * A UDP flow from POD_A through VIP_1 to backend, which stops serving. The Service then has these
 * flags: 0, or USABLE where only other nodes have endpoints.
 */
static void udp_then_nothing_serves(struct prog_env *env, enum party backend, uint32_t flags)
{
	serve_one(env, 1, IPPROTO_UDP, backend);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, backend));
	prog_backend(env, BACKEND(1, 0), 1, backend, TARGET, 1);
	prog_service(env, 1, flags, 0, 0);
	prog_service_epoch(env);
}

static void svc_92_udp_ends_while_nothing_serves_and_is_served_when_something_does(void **state)
{
	struct prog_env *env = *state;

	udp_then_nothing_serves(env, REMOTE_A, 0);
	for (int i = 0; i < 2; i++)
		assert_rejected(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
				WEIR_NO_ENDPOINT);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
	prog_backend(env, BACKEND(1, 1), 1, REMOTE_B, TARGET, 0);
	one_backend_left(env, BACKEND(1, 1));
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, REMOTE_B));
	assert_int_equal(prog_flow_count(env), 2);
}

static void svc_92_udp_ends_without_an_answer_where_only_other_nodes_serve(void **state)
{
	struct prog_env *env = *state;

	udp_then_nothing_serves(env, POD_B, USABLE);
	assert_dropped(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
		       WEIR_NO_LOCAL_ENDPOINT);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* A packet of the stopped backend is not translated any more, and does not keep the flow alive. */
static void svc_91_a_stopped_backend_is_not_translated(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec from_b = udp(env, POD_B, TARGET, POD_A, SPORT);
	struct packet_spec from_remote = udp(env, REMOTE_A, TARGET, POD_A, SPORT), want;
	struct prog_sent sent;

	udp_then_nothing_serves(env, POD_B, 0);
	sent = send_from(env, POD_B, from_b);
	assert_redirected(sent);
	want = redirected_to(from_b, POD_A);
	assert_packet(&sent.out, &want);
	assert_rejected(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
			WEIR_NO_ENDPOINT);
	assert_int_equal(prog_flow_count(env), 1); /* the untranslated flow of POD_B */

	udp_then_nothing_serves(env, REMOTE_A, 0);
	sent = prog_to(env, POD_A, PROG_UPLINK, &from_remote);
	assert_passed(sent);
	assert_packet(&sent.out, &from_remote);
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* RACE: the first packet of the flow used the old backend slots with the raised generation. */
static void svc_91_a_flow_that_began_while_its_backend_ended_ends(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_UDP, REMOTE_A);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, REMOTE_A));
	prog_backend_stops(env, BACKEND(1, 0));
	prog_service(env, 1, 0, 0, 0);
	prog_service_epoch(env);
	assert_rejected(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
			WEIR_NO_ENDPOINT);
	assert_int_equal(prog_flow_count(env), 0);
}

static void svc_91_an_answer_of_a_backend_that_serves_changes_nothing(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec want = redirected_to(udp(env, VIP_1, PORT, POD_A, SPORT), POD_A);
	struct prog_sent sent;

	serve_one(env, 1, IPPROTO_UDP, POD_B);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, POD_B));
	prog_service_epoch(env);
	for (int i = 0; i < 2; i++) {
		sent = send_from(env, POD_B, udp(env, POD_B, TARGET, POD_A, SPORT));
		assert_redirected(sent);
		assert_packet(&sent.out, &want);
	}
	assert_int_equal(prog_flow_count(env), 2);
}

static void svc_92_udp_flows_of_a_removed_frontend_end(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_UDP, REMOTE_A);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, REMOTE_A));
	prog_frontend_gone(env, VIP_1, PORT, IPPROTO_UDP);
	prog_service_epoch(env);
	assert_rejected(send_from(env, POD_A, udp(env, POD_A, SPORT, VIP_1, PORT)),
			WEIR_NO_SERVICE_PORT);
	prog_frontend_gone(env, VIP_1, 0, 0); /* the whole cluster IP is removed */
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, VIP_1));
	assert_int_equal(prog_flow_count(env), 1);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_92_an_untranslated_udp_flow_finds_a_new_frontend(void **state)
{
	struct prog_env *env = *state;

	assert_int_equal(udp_target(env, VIP_1), last_byte(env, VIP_1));
	serve_one(env, 1, IPPROTO_UDP, REMOTE_A);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, VIP_1));
	prog_service_epoch(env);
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, REMOTE_A));
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

/*
 * The first packet after the change is an answer: it must not stamp the flow as current for
 * Services.
 */
static void svc_92_a_reply_does_not_hide_a_new_frontend(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec answer = udp(env, VIP_1, PORT, POD_A, SPORT);

	assert_int_equal(udp_target(env, VIP_1), last_byte(env, VIP_1));
	serve_one(env, 1, IPPROTO_UDP, REMOTE_A);
	prog_policy_epoch(env);
	prog_service_epoch(env);
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &answer));
	assert_int_equal(udp_target(env, VIP_1), last_byte(env, REMOTE_A));
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_90_open_tcp_is_left_alone(void **state)
{
	static const enum party backends[] = { REMOTE_A, REMOTE_B };
	struct prog_env *env = *state;
	struct packet_spec reply = tcp(env, REMOTE_A, TARGET, POD_A, SPORT, SYN | ACK);
	struct packet_spec want = tcp(env, POD_A, SPORT, REMOTE_A, TARGET, PSH | ACK);
	struct prog_sent sent;

	serve(env, 1, IPPROTO_TCP, backends, 1);
	assert_passed(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)));
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &reply));
	assert_passed(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, ACK)));
	prog_backend(env, BACKEND(1, 1), 1, REMOTE_B, TARGET, 0);
	prog_backend(env, BACKEND(1, 0), 1, REMOTE_A, TARGET, 1);
	one_backend_left(env, BACKEND(1, 1));
	prog_service_epoch(env);
	for (int i = 0; i < 2; i++) {
		sent = send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, PSH | ACK));
		assert_passed(sent);
		assert_packet(&sent.out, &want);
		if (!i)
			prog_frontend_gone(env, VIP_1, PORT, IPPROTO_TCP);
		prog_service_epoch(env);
	}
}

static void svc_93_a_syn_sent_again_leaves_a_backend_that_is_gone(void **state)
{
	static const enum party backends[] = { REMOTE_A, REMOTE_B };
	struct prog_env *env = *state;
	struct packet_spec want = tcp(env, POD_A, SPORT, REMOTE_B, TARGET, SYN);
	struct prog_sent sent;

	serve(env, 1, IPPROTO_TCP, backends, 1);
	assert_passed(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)));
	prog_backend(env, BACKEND(1, 1), 1, REMOTE_B, TARGET, 0);
	prog_backend(env, BACKEND(1, 0), 1, REMOTE_A, TARGET, 1);
	one_backend_left(env, BACKEND(1, 1));
	sent = send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN));
	assert_passed(sent);
	assert_packet(&sent.out, &want);
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void a_policy_change_denies_translated_flows_from_either_side(void **state)
{
	struct prog_env *env = *state;

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	assert_redirected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)));
	assert_redirected(send_from(env, POD_B, tcp(env, POD_B, TARGET, POD_A, SPORT, SYN | ACK)));
	prog_pod(env, POD_B, 1, 0, 0, 0);
	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_policy_epoch(env);
	assert_dropped(send_from(env, POD_B, tcp(env, POD_B, TARGET, POD_A, SPORT, ACK)),
		       WEIR_INGRESS_DENIED);
	assert_dropped(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, ACK)),
		       WEIR_INGRESS_DENIED);
	prog_policy_default(env, 1, weir_word_verdict(WEIR_WORD_ALLOW, 0));
	prog_policy_epoch(env);
	assert_redirected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, ACK)));
	assert_redirected(send_from(env, POD_B, tcp(env, POD_B, TARGET, POD_A, SPORT, ACK)));
}

static void a_packet_from_a_frontends_address_is_spoofed(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forged = tcp(env, VIP_1, PORT, POD_A, SPORT, SYN | ACK);

	serve_one(env, 1, IPPROTO_TCP, POD_B);
	assert_redirected(send_from(env, POD_A, tcp(env, POD_A, SPORT, VIP_1, PORT, SYN)));
	assert_dropped(prog_from(env, POD_C, &forged), WEIR_SPOOFED);
	assert_dropped(prog_to(env, POD_A, PROG_UPLINK, &forged), WEIR_SPOOFED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_1_a_local_backend_is_reached_and_answers_as_the_vip),
		FOR_BOTH(svc_1_udp_is_translated_both_ways),
		PROG_TEST_V4(an_absent_udp_sum_stays_absent), /* IPv6 requires the sum */
		FOR_BOTH(a_udp_sum_that_comes_out_as_zero_is_not_sent_as_none),
		FOR_BOTH(
			svc_1_a_remote_backend_is_reached_by_the_stack_and_its_reply_is_translated),
		FOR_BOTH(translation_reaches_ports_behind_options),
		FOR_BOTH(a_lost_entry_leads_to_the_same_backend),
		FOR_BOTH(a_new_reply_entry_is_reused_and_an_old_one_replaced),
		FOR_BOTH(a_pair_that_lost_an_entry_is_restored),
		FOR_BOTH(direct_first_then_vip),
		FOR_BOTH(vip_first_then_direct),
		FOR_BOTH(two_vips_onto_one_backend),
		FOR_BOTH(two_vips_onto_one_backend_the_other_way_round),
		FOR_BOTH(three_vips_and_direct),
		FOR_BOTH(the_flow_with_a_changed_port_outlives_the_direct_one),
		FOR_BOTH(the_direct_flow_with_a_changed_port_outlives_the_translated_one),
		FOR_BOTH(a_closing_connection_frees_its_port),
		FOR_BOTH(a_mid_stream_direct_packet_is_not_taken_for_a_collision),
		FOR_BOTH(ports_run_out_after_a_bounded_search),
		FOR_BOTH(two_thirds_of_the_ports_are_found_without_a_miss),
		FOR_BOTH(svc_60_no_endpoint_svc_61_no_local_endpoint),
		FOR_BOTH(svc_64_an_unknown_port_of_a_cluster_ip_is_rejected),
		FOR_BOTH(svc_91_udp_leaves_an_endpoint_that_stopped_serving),
		FOR_BOTH(svc_92_udp_ends_while_nothing_serves_and_is_served_when_something_does),
		FOR_BOTH(svc_92_udp_ends_without_an_answer_where_only_other_nodes_serve),
		FOR_BOTH(svc_91_a_stopped_backend_is_not_translated),
		FOR_BOTH(svc_91_a_flow_that_began_while_its_backend_ended_ends),
		FOR_BOTH(svc_91_an_answer_of_a_backend_that_serves_changes_nothing),
		FOR_BOTH(svc_92_udp_flows_of_a_removed_frontend_end),
		FOR_BOTH(svc_92_an_untranslated_udp_flow_finds_a_new_frontend),
		FOR_BOTH(svc_92_a_reply_does_not_hide_a_new_frontend),
		FOR_BOTH(svc_90_open_tcp_is_left_alone),
		FOR_BOTH(svc_93_a_syn_sent_again_leaves_a_backend_that_is_gone),
		FOR_BOTH(a_policy_change_denies_translated_flows_from_either_side),
		FOR_BOTH(a_packet_from_a_frontends_address_is_spoofed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
