// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Fragments: to a VIP and back, direct and under policy, in order and out of order, byte for byte;
 * and what must be dropped. VIP_1:80 is a Service of POD_B:8080, VIP_2:80 of REMOTE_A:8080.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "lib/prog_env.h"

#define PORT 80
#define TARGET 8080
#define SPORT 40000
#define SET 1
#define CUT 200 /* bytes a fragment */
#define PAYLOAD 570 /* with a UDP header: three fragments */
#define N_PIECES 3

static struct packet_spec datagram(const struct prog_env *env, uint8_t proto, enum party src,
				   uint16_t sport, enum party dst, uint16_t dport)
{
	struct packet_spec spec = prog_udp(env, src, sport, dst, dport);

	spec.proto = proto;
	spec.tcp_flags = SYN;
	spec.payload = PAYLOAD;
	return spec;
}

static struct packet piece_of(const struct packet_spec *spec, unsigned int i, uint32_t id)
{
	struct packet whole = packet_build(spec);

	return packet_fragment(&whole, i * CUT, i < N_PIECES - 1 ? CUT : 0, id);
}

static struct prog_sent send_piece(struct prog_env *env, struct prog_arrival at,
				   const struct packet_spec *spec, unsigned int i, uint32_t id)
{
	struct packet packet = piece_of(spec, i, id);

	return prog_send(env, at, &packet);
}

/* Compares all but the MACs. */
static void assert_same(const struct packet *got, const struct packet *want, const char *what,
			unsigned int n)
{
	if (got->len != want->len)
		fail_msg("%s %u: length %u, not %u", what, n, got->len, want->len);
	for (unsigned int i = 12; i < got->len; i++)
		if (got->data[i] != want->data[i])
			fail_msg("%s %u: byte %u is %02x, not %02x", what, n, i, got->data[i],
				 want->data[i]);
}

/* Sends all fragments of in, the later ones in both orders; each must come out as that of out. */
static void assert_becomes(struct prog_env *env, struct prog_arrival at,
			   const struct packet_spec *in, const struct packet_spec *out, int verdict)
{
	static const unsigned int orders[][N_PIECES] = { { 0, 1, 2 }, { 0, 2, 1 } };

	for (uint32_t o = 0; o < 2; o++)
		for (unsigned int i = 0; i < N_PIECES; i++) {
			uint32_t id = 0x4321 + o + (env->family ? 0x10000 : 0);
			struct packet want = piece_of(out, orders[o][i], id);
			struct prog_sent sent = send_piece(env, at, in, orders[o][i], id);

			assert_sent(sent, verdict, WEIR_FORWARDED);
			assert_same(&sent.out, &want, "fragment", orders[o][i]);
		}
}

static void serve(struct prog_env *env, uint8_t proto)
{
	prog_serve(env, 1, PORT, proto, POD_B, TARGET);
	prog_serve(env, 2, PORT, proto, REMOTE_A, TARGET);
}

/* Of what the pod sends; sent: of what it is sent. */
static uint32_t ring_index(enum party pod, bool sent)
{
	return PROG_SLOT(pod) * 2 + sent;
}

static struct weir_fragment_ring ring_of(const struct prog_env *env, enum party pod, bool sent)
{
	struct weir_fragment_ring ring;
	uint32_t at = ring_index(pod, sent);

	prog_get(env, "fragments", &at, &ring);
	return ring;
}

static uint32_t stored_fragments(const struct prog_env *env, enum party pod)
{
	uint32_t n = 0;

	for (int sent = 0; sent < 2; sent++) {
		struct weir_fragment_ring ring = ring_of(env, pod, sent);

		for (int i = 0; i < WEIR_FRAGMENT_RING_LEN; i++) {
			n += ring.slot[i].sequence > 0;
			assert_false(ring.slot[i].sequence & 1);
		}
	}
	return n;
}

/* Makes the only first fragment of a pod older by so many ticks. */
static void age(const struct prog_env *env, enum party pod, uint32_t ticks)
{
	struct weir_fragment_ring ring = ring_of(env, pod, false);
	uint32_t slot = ring_index(pod, false);

	assert_int_equal(stored_fragments(env, pod), 1);
	ring.slot[0].value.seen -= ticks;
	prog_set(env, "fragments", &slot, &ring);
}

static const uint8_t protos[] = { IPPROTO_UDP, IPPROTO_TCP };

/* ---- Passed ---- */

static void svc_97_fragments_to_a_local_backend_and_back(void **state)
{
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		struct packet_spec forth = datagram(env, protos[i], POD_A, SPORT, VIP_1, PORT),
				   at_backend =
					   datagram(env, protos[i], POD_A, SPORT, POD_B, TARGET),
				   back = datagram(env, protos[i], POD_B, TARGET, POD_A, SPORT),
				   at_client = datagram(env, protos[i], VIP_1, PORT, POD_A, SPORT);

		back.tcp_flags = at_client.tcp_flags = SYN | ACK;
		serve(env, protos[i]);
		assert_becomes(env, FROM_POD(POD_A), &forth, &at_backend, TC_ACT_REDIRECT);
		assert_becomes(env, FROM_POD(POD_B), &back, &at_client, TC_ACT_REDIRECT);
	}
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_97_fragments_to_a_backend_outside_and_back(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forth = datagram(env, IPPROTO_UDP, POD_A, SPORT, VIP_2, PORT),
			   at_backend = datagram(env, IPPROTO_UDP, POD_A, SPORT, REMOTE_A, TARGET),
			   back = datagram(env, IPPROTO_UDP, REMOTE_A, TARGET, POD_A, SPORT),
			   at_client = datagram(env, IPPROTO_UDP, VIP_2, PORT, POD_A, SPORT);

	serve(env, IPPROTO_UDP);
	assert_becomes(env, FROM_POD(POD_A), &forth, &at_backend, TC_ACT_UNSPEC);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &back, &at_client, TC_ACT_UNSPEC);
}

/* Both addresses change, in later fragments too. */
static void svc_84_fragments_come_back_from_the_reserved_address(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forth = datagram(env, IPPROTO_UDP, POD_B, SPORT, VIP_1, PORT),
			   at_backend = datagram(env, IPPROTO_UDP, POD_B, SPORT, POD_B, TARGET),
			   back = datagram(env, IPPROTO_UDP, POD_B, TARGET, POD_B, SPORT),
			   at_client = datagram(env, IPPROTO_UDP, VIP_1, PORT, POD_B, SPORT);

	at_backend.src = back.dst = prog_config(env).hairpin[env->family];
	serve(env, IPPROTO_UDP);
	assert_becomes(env, FROM_POD(POD_B), &forth, &at_backend, TC_ACT_REDIRECT);
	assert_becomes(env, FROM_POD(POD_B), &back, &at_client, TC_ACT_REDIRECT);
}

static void svc_97_a_datagram_without_sum_keeps_none(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forth = datagram(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT),
			   at_backend = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, TARGET);

	forth.no_udp_sum = at_backend.no_udp_sum = true;
	serve(env, IPPROTO_UDP);
	assert_becomes(env, FROM_POD(POD_A), &forth, &at_backend, TC_ACT_REDIRECT);
}

static void fragments_without_a_service_pass_unchanged(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec local = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT),
			   out = datagram(env, IPPROTO_UDP, POD_A, SPORT, REMOTE_A, PORT),
			   in = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_A, PORT),
			   node = datagram(env, IPPROTO_UDP, NODE, SPORT, POD_A, PORT);

	assert_becomes(env, FROM_POD(POD_A), &local, &local, TC_ACT_REDIRECT);
	assert_becomes(env, FROM_POD(POD_A), &out, &out, TC_ACT_UNSPEC);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &in, &in, TC_ACT_UNSPEC);
	assert_becomes(env, TO_POD(POD_A, 0), &node, &node, TC_ACT_UNSPEC);
}

static void np_38_a_large_echo_and_its_reply_pass(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec request = prog_echo(env, POD_A, REMOTE_A, 7, false),
			   reply = prog_echo(env, REMOTE_A, POD_A, 7, true);

	request.payload = reply.payload = PAYLOAD;
	assert_becomes(env, FROM_POD(POD_A), &request, &request, TC_ACT_UNSPEC);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &reply, &reply, TC_ACT_UNSPEC);
	assert_int_equal(prog_flow_count(env), 1);
}

static void fragments_of_multicast_are_judged_alone(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	addr_parse(env->family ? "ff05::fb" : "239.0.0.251", &spec.dst);
	for (unsigned int i = 0; i < N_PIECES; i++) {
		assert_sent(send_piece(env, FROM_POD(POD_A), &spec, i, 1), TC_ACT_UNSPEC,
			    WEIR_MULTICAST);
		assert_sent(send_piece(env, TO_POD(POD_B, PROG_DEVICE(POD_A)), &spec, i, 1),
			    TC_ACT_UNSPEC, WEIR_MULTICAST);
	}
	assert_int_equal(prog_flow_count(env), 0);
}

/* RFC 6946: a whole packet with a fragment header is independent of fragments of the same id. */
static void an_atomic_fragment_is_an_ordinary_packet(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forth = datagram(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT),
			   at_backend = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, TARGET);
	struct packet whole = packet_build(&forth), want = packet_build(&at_backend), packet;
	struct prog_sent sent;

	serve(env, IPPROTO_UDP);
	packet = packet_fragment(&whole, 0, 0, 9);
	want = packet_fragment(&want, 0, 0, 9);
	sent = prog_send(env, FROM_POD(POD_A), &packet);
	assert_redirected(sent);
	assert_same(&sent.out, &want, "atomic", 0);
	assert_int_equal(stored_fragments(env, POD_A), 0);
	assert_dropped(send_piece(env, FROM_POD(POD_A), &forth, 1, 9), WEIR_FRAGMENT_FIRST);
}

static void headers_before_and_behind_the_fragment_header_are_walked(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);
	struct packet packet;

	spec.payload = 16;
	spec.fragment = 1; /* the first of several */
	spec.n_extensions = 2;
	spec.extensions[0] = (struct packet_extension){ IPPROTO_HOPOPTS, 1 };
	spec.extensions[1] = (struct packet_extension){ IPPROTO_DSTOPTS, 0 };
	packet = packet_build(&spec);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &packet));
	assert_true(prog_flow(env, &spec, 0, NULL));
	assert_int_equal(stored_fragments(env, POD_A), 1);
}

/* ---- Dropped ---- */

static void a_fragment_before_its_first_one_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 2, 1), WEIR_FRAGMENT_FIRST);
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1));
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 1));
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 2, 1));
	/* the first fragment of another datagram does not count */
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 1, 2), WEIR_FRAGMENT_FIRST);
}

static void a_first_fragment_expires(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1));
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 1));
	age(env, POD_A, ((uint64_t)(WEIR_FRAGMENT_S + 1) * 1000000000) >> WEIR_TICK_SHIFT);
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 2, 1), WEIR_FRAGMENT_FIRST);
}

static void a_pods_first_fragments_evict_only_its_own(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT),
			   other = datagram(env, IPPROTO_UDP, POD_C, SPORT, POD_B, PORT),
			   in = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_B, PORT);

	assert_redirected(send_piece(env, FROM_POD(POD_C), &other, 0, 1));
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 0, 1));
	for (uint32_t id = 1; id <= WEIR_FRAGMENT_RING_LEN; id++)
		assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, id));
	for (uint32_t id = 1; id <= WEIR_FRAGMENT_RING_LEN; id++) /* sent again: no other slots */
		assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, id));
	for (uint32_t id = 1; id <= WEIR_FRAGMENT_RING_LEN; id++)
		assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, id));
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1000)); /* the oldest goes */
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 1, 1), WEIR_FRAGMENT_FIRST);
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 2));
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 1000));
	for (uint32_t id = 2000; id < 6000; id++)
		assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, id));
	assert_redirected(send_piece(env, FROM_POD(POD_C), &other, 1, 1));
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 1, 1));
	/* nor do those that it is sent evict those that it sends */
	spec.src = prog_addr(env, POD_B);
	spec.dst = prog_addr(env, REMOTE_A);
	assert_passed(send_piece(env, FROM_POD(POD_B), &spec, 0, 7));
	for (uint32_t id = 3000; id < 3100; id++)
		assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 0, id));
	assert_passed(send_piece(env, FROM_POD(POD_B), &spec, 1, 7));
}

static void a_denied_first_fragment_takes_no_slot(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec good = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_B, PORT),
			   bad = datagram(env, IPPROTO_UDP, REMOTE_B, SPORT, POD_B, PORT),
			   spoofed = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	prog_policy_default(env, SET, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_identity(env, REMOTE_A, 7);
	prog_policy(env, SET, 7, weir_word_verdict(WEIR_WORD_ALLOW, 1));
	prog_pod(env, POD_B, SET, 0, 0, 0);
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 0, 1));
	for (uint32_t id = 2; id < 100; id++) {
		assert_dropped(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &bad, 0, id),
			       WEIR_INGRESS_DENIED);
		assert_dropped(send_piece(env, FROM_POD(POD_C), &spoofed, 0, id), WEIR_SPOOFED);
	}
	assert_int_equal(stored_fragments(env, POD_B), 1);
	assert_int_equal(stored_fragments(env, POD_C), 0);
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 1, 1));
	prog_enforcement(env, WEIR_ENFORCE_OFF); /* then all of it passes */
	assert_sent(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &bad, 0, 200), TC_ACT_UNSPEC,
		    WEIR_NOT_ENFORCED);
	assert_sent(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &bad, 1, 200), TC_ACT_UNSPEC,
		    WEIR_NOT_ENFORCED);
}

static void fragments_are_denied_with_their_connection(void **state)
{
	static const struct weir_port_range allowed = { IPPROTO_UDP << 16 | PORT,
							IPPROTO_UDP << 16 | PORT, WEIR_WORD_ALLOW,
							1 };
	struct prog_env *env = *state;
	struct packet_spec good = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_B, PORT),
			   bad = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_B, PORT + 1);

	prog_ranges(env, 4, &allowed, 1);
	prog_policy_default(env, SET, weir_word_ports(4, 1));
	prog_pod(env, POD_B, SET, 0, 0, 0);
	assert_becomes(env, TO_POD(POD_B, PROG_UPLINK), &good, &good, TC_ACT_UNSPEC);
	for (unsigned int i = 0; i < N_PIECES; i++)
		assert_dropped(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &bad, i, 5),
			       i ? WEIR_FRAGMENT_FIRST : WEIR_INGRESS_DENIED);
	/* a denied first fragment does not reach the pod: the allowed one of the same id counts */
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 0, 6));
	assert_dropped(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &bad, 0, 6),
		       WEIR_INGRESS_DENIED);
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 1, 6));
	/* a policy change between two fragments counts */
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 0, 7));
	prog_policy_default(env, SET, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_policy_epoch(env);
	assert_dropped(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &good, 1, 7),
		       WEIR_INGRESS_DENIED);
}

static void a_pod_cannot_add_fragments_to_another_pods_datagram(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1));
	assert_dropped(send_piece(env, FROM_POD(POD_C), &spec, 1, 1), WEIR_FRAGMENT_FIRST);
	assert_dropped(send_piece(env, FROM_POD(POD_C), &spec, 0, 1), WEIR_SPOOFED);
	assert_dropped(send_piece(env, FROM_POD(POD_C), &spec, 1, 1),
		       WEIR_FRAGMENT_FIRST); /* the spoofed one was not stored */
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 1));
}

/* The fragment table keeps the two directions of a device apart. */
static void a_pod_cannot_set_the_ports_of_fragments_sent_to_it(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec in = datagram(env, IPPROTO_UDP, REMOTE_A, SPORT, POD_B, PORT),
			   claimed = in;

	claimed.dport = PORT + 1;
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 0, 1));
	assert_dropped(send_piece(env, FROM_POD(POD_B), &claimed, 0, 1), WEIR_SPOOFED);
	assert_passed(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 1, 1));
	assert_dropped(send_piece(env, FROM_POD(POD_B), &claimed, 0, 2), WEIR_SPOOFED);
	assert_dropped(send_piece(env, TO_POD(POD_B, PROG_UPLINK), &in, 1, 2), WEIR_FRAGMENT_FIRST);
}

/* CPUs do not see the tick change at the same moment. */
static void a_first_fragment_stamped_by_a_cpu_that_is_ahead_counts(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1));
	age(env, POD_A, -1);
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 1, 1));
}

/* As of a CPU that another one overtook while it wrote: the later fragments are dropped. */
static void a_first_fragment_that_is_being_written_is_not_read(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);
	struct weir_fragment_ring ring;
	uint32_t slot = ring_index(POD_A, false);

	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1));
	ring = ring_of(env, POD_A, false);
	ring.slot[0].sequence++;
	prog_set(env, "fragments", &slot, &ring);
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 1, 1), WEIR_FRAGMENT_FIRST);
	assert_redirected(send_piece(env, FROM_POD(POD_A), &spec, 0, 1)); /* passes, is not kept */
	ring = ring_of(env, POD_A, false);
	assert_int_equal(ring.slot[0].sequence & 1, 1);
}

static void svc_60_only_the_first_fragment_is_rejected(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT);

	prog_service(env, 1, 0, 0, 0);
	prog_frontend(env, VIP_1, PORT, IPPROTO_UDP, 1);
	assert_sent(send_piece(env, FROM_POD(POD_A), &spec, 0, 1), TC_ACT_REDIRECT,
		    WEIR_NO_ENDPOINT);
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 1, 1), WEIR_FRAGMENT_FIRST);
}

/* SCTP's CRC covers all fragments and the ports: it stays right only where no port changes. */
static void svc_97_sctp_in_fragments_keeps_its_ports_or_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_SCTP, POD_A, SPORT, VIP_1, PORT);
	struct packet_spec at_backend = datagram(env, IPPROTO_SCTP, POD_A, SPORT, POD_B, PORT);

	spec.sctp_chunk = at_backend.sctp_chunk = 1;
	serve(env, IPPROTO_SCTP);
	for (unsigned int i = 0; i < N_PIECES; i++)
		assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, i, 1), WEIR_FRAGMENT_SCTP);
	prog_backend(env, 1, 1, POD_B, PORT, 0);
	spec.sport = at_backend.sport = SPORT + 1;
	assert_becomes(env, FROM_POD(POD_A), &spec, &at_backend, TC_ACT_REDIRECT);
}

/* RFC 1858, RFC 3128: tiny first fragments, and later ones that overlap the header. */
static void a_first_fragment_has_the_whole_header(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_TCP, POD_A, SPORT, POD_B, PORT);
	struct packet whole = packet_build(&spec), p;

	for (unsigned int len = 8; len < 20; len += 8) {
		p = packet_fragment(&whole, 0, len, 1);
		assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_FRAGMENT_TINY);
	}
	p = packet_fragment(&whole, 0, 24, 1);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &p));
	for (unsigned int offset = 8; offset < 20; offset += 8) {
		p = packet_fragment(&whole, offset, 200, 1);
		assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_FRAGMENT_OVERLAP);
	}
	p = packet_fragment(&whole, 24, 200, 1);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &p));
}

static void extension_headers_end_in_the_first_fragment(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);
	struct packet whole, p;

	spec.n_extensions = 1;
	spec.extensions[0] = (struct packet_extension){ IPPROTO_DSTOPTS, 2 };
	whole = packet_build(&spec);
	for (unsigned int len = 8; len < 24 + 8; len += 8) {
		p = packet_fragment(&whole, 0, len, 1);
		assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_FRAGMENT_TINY);
	}
	p = packet_fragment(&whole, 0, 24 + 8, 1);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &p));
	p = packet_fragment(&whole, 24, 64, 1);
	assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_FRAGMENT_OVERLAP);
	p = packet_fragment(&whole, 32, 64, 1);
	assert_redirected(prog_send(env, FROM_POD(POD_A), &p));
}

static void impossible_fragments_are_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);
	struct packet whole = packet_build(&spec), p;
	unsigned int bits;

	p = packet_fragment(&whole, 0, 204, 1); /* not a multiple of 8, and more follow */
	assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_BAD_HEADER);
	p = packet_fragment(&whole, whole.len - packet_l4_offset(&whole), 0, 1); /* empty */
	assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_BAD_HEADER);
	p = packet_fragment(&whole, 200, 200, 1); /* ends beyond the largest datagram */
	bits = PACKET_L3 + (env->family ? 42 : 6);
	p.data[bits] = env->family ? 0xff : 0x3f;
	p.data[bits + 1] = env->family ? 0xf9 : 0xff;
	assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_BAD_HEADER);
}

static void a_fragment_in_a_fragment_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);
	struct packet whole = packet_build(&spec), p = packet_fragment(&whole, 0, 0, 1);

	p = packet_fragment(&p, 0, 0, 2);
	assert_dropped(prog_send(env, FROM_POD(POD_A), &p), WEIR_BAD_HEADER);
}

static void neighbour_discovery_and_errors_in_fragments_are_dropped(void **state)
{
	static const uint8_t types[2][3] = { { 3, 5, 11 }, { 135, 1, 130 } };
	struct prog_env *env = *state;

	for (int i = 0; i < 3; i++) {
		struct packet_spec spec = prog_echo(env, POD_A, POD_B, 1, false);

		spec.icmp_type = types[env->family][i];
		spec.payload = PAYLOAD;
		assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 0, 1), WEIR_FRAGMENT);
		assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 1, 1), WEIR_FRAGMENT_FIRST);
	}
}

static void link_local_fragments_are_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = datagram(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT);

	addr_parse("fe80::1", &spec.src);
	assert_dropped(send_piece(env, FROM_POD(POD_A), &spec, 0, 1), WEIR_LINK_LOCAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_97_fragments_to_a_local_backend_and_back),
		FOR_BOTH(svc_97_fragments_to_a_backend_outside_and_back),
		FOR_BOTH(svc_84_fragments_come_back_from_the_reserved_address),
		PROG_TEST_V4(svc_97_a_datagram_without_sum_keeps_none), /* IPv6 requires the sum */
		FOR_BOTH(fragments_without_a_service_pass_unchanged),
		FOR_BOTH(np_38_a_large_echo_and_its_reply_pass),
		FOR_BOTH(fragments_of_multicast_are_judged_alone),
		PROG_TEST_V6(
			an_atomic_fragment_is_an_ordinary_packet), /* IPv4 has no fragment header */
		PROG_TEST_V6(
			headers_before_and_behind_the_fragment_header_are_walked), /* nor extension
										      headers */
		FOR_BOTH(a_fragment_before_its_first_one_is_dropped),
		FOR_BOTH(a_first_fragment_expires),
		FOR_BOTH(a_pods_first_fragments_evict_only_its_own),
		FOR_BOTH(a_denied_first_fragment_takes_no_slot),
		FOR_BOTH(fragments_are_denied_with_their_connection),
		FOR_BOTH(a_pod_cannot_add_fragments_to_another_pods_datagram),
		FOR_BOTH(a_pod_cannot_set_the_ports_of_fragments_sent_to_it),
		FOR_BOTH(a_first_fragment_stamped_by_a_cpu_that_is_ahead_counts),
		FOR_BOTH(a_first_fragment_that_is_being_written_is_not_read),
		FOR_BOTH(svc_60_only_the_first_fragment_is_rejected),
		FOR_BOTH(svc_97_sctp_in_fragments_keeps_its_ports_or_is_dropped),
		FOR_BOTH(a_first_fragment_has_the_whole_header),
		PROG_TEST_V6(extension_headers_end_in_the_first_fragment),
		FOR_BOTH(impossible_fragments_are_dropped),
		PROG_TEST_V6(a_fragment_in_a_fragment_is_dropped),
		FOR_BOTH(neighbour_discovery_and_errors_in_fragments_are_dropped),
		PROG_TEST_V6(link_local_fragments_are_dropped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
