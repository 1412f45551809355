// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ICMP errors: about every kind of connection, from either end and from routers on the way, byte
 * for byte, quote included; and forged ones. VIP_1:80 is a Service of POD_B:8080, VIP_2:80 of
 * REMOTE_A:8080.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "lib/prog_env.h"

#define PORT 80
#define TARGET 8080
#define SPORT 40000
#define SET 1

/* Unreachable, "too big", time exceeded, parameter problem: type and code. */
static const uint8_t kinds[2][4][2] = { { { 3, 3 }, { 3, 4 }, { 11, 0 }, { 12, 0 } },
					{ { 1, 4 }, { 2, 0 }, { 3, 0 }, { 4, 1 } } };

/* An error: source, destination, and the packet that it quotes. */
struct error {
	enum party src, dst;
	struct packet_spec about;
};

static struct packet_spec segment(const struct prog_env *env, uint8_t proto, enum party src,
				  uint16_t sport, enum party dst, uint16_t dport)
{
	struct packet_spec spec = proto == IPPROTO_UDP
					  ? prog_udp(env, src, sport, dst, dport)
					  : prog_tcp(env, src, sport, dst, dport, PSH | ACK);

	spec.proto = proto;
	return spec;
}

static struct packet_spec error_spec(const struct prog_env *env, const struct error *e,
				     const uint8_t kind[2], const struct packet *quoted)
{
	struct packet_spec spec = prog_echo(env, e->src, e->dst, 1400, false);

	spec.icmp_type = kind[0];
	spec.icmp_code = kind[1];
	spec.payload = 0;
	spec.quoted = quoted;
	return spec;
}

static struct prog_sent arrive(struct prog_env *env, struct prog_arrival at,
			       const struct packet_spec *spec)
{
	struct packet packet = packet_build(spec);

	return prog_send(env, at, &packet);
}

static struct prog_sent send_error(struct prog_env *env, struct prog_arrival at,
				   const struct error *e)
{
	struct packet quoted = packet_build(&e->about);
	struct packet_spec spec = error_spec(env, e, kinds[env->family][0], &quoted);

	return arrive(env, at, &spec);
}

/* Sends in as every kind of error, with every length of quote that routers use; out is expected. */
static void assert_becomes(struct prog_env *env, struct prog_arrival at, const struct error *in,
			   const struct error *out, int verdict)
{
	const uint16_t l3 = env->family ? 40 : 20,
		       lens[] = { 0, l3 + 8, l3 + 12, l3 + 18, l3 + 20 };
	struct packet quoted = packet_build(&in->about), want_quoted = packet_build(&out->about);

	for (size_t kind = 0; kind < 4; kind++)
		for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
			struct packet_spec spec = error_spec(env, in, kinds[env->family][kind],
							     &quoted),
					   want = error_spec(env, out, kinds[env->family][kind],
							     &want_quoted);
			struct prog_sent sent;

			spec.quoted_len = want.quoted_len = lens[i];
			sent = arrive(env, at, &spec);
			assert_sent(sent, verdict, WEIR_FORWARDED);
			assert_packet(&sent.out, &want);
		}
}

static void serve(struct prog_env *env, uint8_t proto)
{
	prog_serve(env, 1, PORT, proto, POD_B, TARGET);
	prog_serve(env, 2, PORT, proto, REMOTE_A, TARGET);
}

/* The first packet of a connection. */
static void open_from(struct prog_env *env, uint8_t proto, enum party client, enum party server,
		      uint16_t dport)
{
	struct packet_spec spec = segment(env, proto, client, SPORT, server, dport);

	spec.tcp_flags = SYN;
	assert_int_not_equal(prog_from(env, client, &spec).verdict, TC_ACT_SHOT);
}

static void answer_from(struct prog_env *env, uint8_t proto, enum party server, uint16_t sport,
			enum party client, uint16_t dport)
{
	struct packet_spec spec = segment(env, proto, server, sport, client, dport);

	spec.tcp_flags = SYN | ACK;
	if (server < _LOCAL_MAX)
		assert_int_not_equal(prog_from(env, server, &spec).verdict, TC_ACT_SHOT);
	else
		assert_int_not_equal(prog_to(env, client, PROG_UPLINK, &spec).verdict, TC_ACT_SHOT);
}

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };

/* ---- Through a cluster IP ---- */

static void svc_96_errors_between_a_pod_and_a_local_backend(void **state)
{
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		uint8_t proto = protos[i];
		struct error by_backend = { POD_B, POD_A,
					    segment(env, proto, POD_A, SPORT, POD_B, TARGET) },
			     as_client_sees = { VIP_1, POD_A,
						segment(env, proto, POD_A, SPORT, VIP_1, PORT) },
			     by_client = { POD_A, VIP_1,
					   segment(env, proto, VIP_1, PORT, POD_A, SPORT) },
			     as_backend_sees = { POD_A, POD_B,
						 segment(env, proto, POD_B, TARGET, POD_A, SPORT) };

		serve(env, proto);
		open_from(env, proto, POD_A, VIP_1, PORT);
		assert_becomes(env, FROM_POD(POD_B), &by_backend, &as_client_sees, TC_ACT_REDIRECT);
		answer_from(env, proto, POD_B, TARGET, POD_A, SPORT);
		assert_becomes(env, FROM_POD(POD_A), &by_client, &as_backend_sees, TC_ACT_REDIRECT);
	}
}

static void svc_96_errors_between_a_pod_and_a_backend_outside(void **state)
{
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		uint8_t proto = protos[i];
		struct error by_backend = { REMOTE_A, POD_A,
					    segment(env, proto, POD_A, SPORT, REMOTE_A, TARGET) },
			     as_client_sees = { VIP_2, POD_A,
						segment(env, proto, POD_A, SPORT, VIP_2, PORT) },
			     by_client = { POD_A, VIP_2,
					   segment(env, proto, VIP_2, PORT, POD_A, SPORT) },
			     as_backend_sees = { POD_A, REMOTE_A,
						 segment(env, proto, REMOTE_A, TARGET, POD_A,
							 SPORT) };

		serve(env, proto);
		open_from(env, proto, POD_A, VIP_2, PORT);
		assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &by_backend, &as_client_sees,
			       TC_ACT_UNSPEC);
		answer_from(env, proto, REMOTE_A, TARGET, POD_A, SPORT);
		assert_becomes(env, FROM_POD(POD_A), &by_client, &as_backend_sees, TC_ACT_UNSPEC);
	}
}

/* A router's own address stays: only the quote is translated. */
static void svc_96_errors_of_routers_and_of_the_node_keep_their_source(void **state)
{
	struct prog_env *env = *state;
	struct error in = { REMOTE_B, POD_A,
			    segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, TARGET) },
		     out = { REMOTE_B, POD_A,
			     segment(env, IPPROTO_TCP, POD_A, SPORT, VIP_2, PORT) };

	serve(env, IPPROTO_TCP);
	open_from(env, IPPROTO_TCP, POD_A, VIP_2, PORT);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &in, &out, TC_ACT_UNSPEC);
	in.src = out.src = NODE;
	assert_becomes(env, TO_POD(POD_A, 0), &in, &out, TC_ACT_UNSPEC);
}

/* The client's port differs between the two sides of the translation. */
static void svc_96_a_changed_client_port_is_changed_back(void **state)
{
	struct prog_env *env = *state;
	struct error in = { POD_B, POD_A, {} },
		     out = { VIP_1, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT) };
	struct packet_spec first = segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, TARGET), read;
	struct prog_sent sent;

	serve(env, IPPROTO_UDP);
	assert_redirected(prog_from(env, POD_A, &first)); /* takes the tuple directly */
	sent = prog_from(env, POD_A, &out.about);
	assert_redirected(sent);
	assert_null(packet_read(&sent.out, &read));
	assert_int_not_equal(read.sport, SPORT);
	in.about = segment(env, IPPROTO_UDP, POD_A, read.sport, POD_B, TARGET);
	assert_becomes(env, FROM_POD(POD_B), &in, &out, TC_ACT_REDIRECT);
}

static void svc_96_a_quoted_udp_packet_without_sum_keeps_none(void **state)
{
	struct prog_env *env = *state;
	struct error in = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, TARGET) },
		     out = { VIP_1, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT) };

	in.about.no_udp_sum = out.about.no_udp_sum = true;
	serve(env, IPPROTO_UDP);
	open_from(env, IPPROTO_UDP, POD_A, VIP_1, PORT);
	assert_becomes(env, FROM_POD(POD_B), &in, &out, TC_ACT_REDIRECT);
}

static void svc_96_options_and_extension_headers_of_the_quote_are_walked(void **state)
{
	struct prog_env *env = *state;
	struct error in = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, TARGET) },
		     out = { VIP_1, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, VIP_1, PORT) };
	struct packet quoted, want_quoted;
	struct packet_spec spec, want;
	struct prog_sent sent;

	in.about.v4_options = out.about.v4_options = 3;
	in.about.n_extensions = out.about.n_extensions = 1;
	in.about.extensions[0] = out.about.extensions[0] =
		(struct packet_extension){ IPPROTO_DSTOPTS, 1 };
	serve(env, IPPROTO_UDP);
	open_from(env, IPPROTO_UDP, POD_A, VIP_1, PORT);
	for (int first_fragment = 0; first_fragment < 2; first_fragment++) {
		in.about.fragment = out.about.fragment =
			first_fragment ? (env->family ? 1 : 0x2000) : 0;
		quoted = packet_build(&in.about);
		want_quoted = packet_build(&out.about);
		spec = error_spec(env, &in, kinds[env->family][1], &quoted);
		want = error_spec(env, &out, kinds[env->family][1], &want_quoted);
		sent = arrive(env, FROM_POD(POD_B), &spec);
		assert_redirected(sent);
		assert_packet(&sent.out, &want);
	}
}

/* ---- Direct ---- */

static void errors_between_local_pods_are_passed_unchanged(void **state)
{
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		struct error by_b = { POD_B, POD_A,
				      segment(env, protos[i], POD_A, SPORT, POD_B, PORT) },
			     by_a = { POD_A, POD_B,
				      segment(env, protos[i], POD_B, PORT, POD_A, SPORT) };

		open_from(env, protos[i], POD_A, POD_B, PORT);
		assert_becomes(env, FROM_POD(POD_B), &by_b, &by_b, TC_ACT_REDIRECT);
		answer_from(env, protos[i], POD_B, PORT, POD_A, SPORT);
		assert_becomes(env, FROM_POD(POD_A), &by_a, &by_a, TC_ACT_REDIRECT);
	}
}

static void errors_between_a_pod_and_the_world_are_passed_unchanged(void **state)
{
	struct prog_env *env = *state;
	struct error by_end = { REMOTE_A, POD_A,
				segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT) },
		     by_router = { REMOTE_B, POD_A, by_end.about },
		     by_pod = { POD_A, REMOTE_A,
				segment(env, IPPROTO_TCP, REMOTE_A, PORT, POD_A, SPORT) };

	open_from(env, IPPROTO_TCP, POD_A, REMOTE_A, PORT);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &by_end, &by_end, TC_ACT_UNSPEC);
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &by_router, &by_router, TC_ACT_UNSPEC);
	answer_from(env, IPPROTO_TCP, REMOTE_A, PORT, POD_A, SPORT);
	assert_becomes(env, FROM_POD(POD_A), &by_pod, &by_pod, TC_ACT_UNSPEC);
}

/* Connections through the stack: from the world, and from this node. */
static void errors_about_connections_to_a_pod_are_passed_unchanged(void **state)
{
	static const struct {
		enum party client;
		uint32_t from;
	} rows[] = { { REMOTE_A, PROG_UPLINK }, { NODE, 0 } };
	struct prog_env *env = *state;

	for (int i = 0; i < 2; i++) {
		enum party client = rows[i].client;
		struct packet_spec forth = segment(env, IPPROTO_UDP, client, SPORT, POD_B, PORT),
				   back = segment(env, IPPROTO_UDP, POD_B, PORT, client, SPORT);
		struct error by_pod = { POD_B, client, forth }, by_client = { client, POD_B, back },
			     by_router = { REMOTE_B, POD_B, back };

		assert_passed(prog_to(env, POD_B, rows[i].from, &forth));
		assert_becomes(env, FROM_POD(POD_B), &by_pod, &by_pod, TC_ACT_UNSPEC);
		assert_passed(prog_from(env, POD_B, &back));
		assert_becomes(env, TO_POD(POD_B, rows[i].from), &by_client, &by_client,
			       TC_ACT_UNSPEC);
		assert_becomes(env, TO_POD(POD_B, PROG_UPLINK), &by_router, &by_router,
			       TC_ACT_UNSPEC);
	}
}

static void errors_about_an_echo_request_find_it_by_its_id(void **state)
{
	struct prog_env *env = *state;
	struct error e = { REMOTE_B, POD_A, prog_echo(env, POD_A, REMOTE_A, 77, false) };

	assert_passed(prog_from(env, POD_A, &e.about));
	assert_becomes(env, TO_POD(POD_A, PROG_UPLINK), &e, &e, TC_ACT_UNSPEC);
	e.about.icmp_id = 78;
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &e), WEIR_ICMP_NO_FLOW);
}

/* ---- Forged ---- */

/* Isolates POD_A; any word other than DENY allows. */
static void isolate_a(struct prog_env *env, uint64_t ingress, uint64_t egress)
{
	prog_pod(env, POD_A, SET, SET + 1, 0, 0);
	prog_policy_default(env, SET, ingress);
	prog_policy_default(env, SET + 1, egress);
	prog_policy_epoch(env);
}

static void an_error_about_no_connection_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error by_pod = { POD_B, POD_A,
				segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) },
		     by_router = { REMOTE_B, POD_A,
				   segment(env, IPPROTO_UDP, POD_A, SPORT, REMOTE_A, PORT) },
		     about_vip = { POD_A, VIP_1,
				   segment(env, IPPROTO_TCP, VIP_1, PORT, POD_A, SPORT) };

	serve(env, IPPROTO_TCP);
	assert_dropped(send_error(env, FROM_POD(POD_B), &by_pod), WEIR_ICMP_NO_FLOW);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router), WEIR_ICMP_NO_FLOW);
	assert_dropped(send_error(env, FROM_POD(POD_A), &about_vip), WEIR_ICMP_NO_FLOW);
	assert_int_equal(prog_flow_count(env), 0);
}

static void np_5_errors_about_mid_stream_tcp_pass_where_both_orientations_are_allowed(void **state)
{
	const uint64_t allow = weir_word_verdict(WEIR_WORD_ALLOW, 1),
		       deny = weir_word_verdict(WEIR_WORD_DENY, 0);
	struct prog_env *env = *state;
	struct error by_pod = { POD_B, POD_A,
				segment(env, IPPROTO_TCP, POD_A, SPORT, POD_B, PORT) },
		     by_router = { REMOTE_B, POD_A,
				   segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT) };

	for (int i = 0; i < 4; i++) {
		bool ingress = i & 1, egress = i & 2;

		isolate_a(env, ingress ? allow : deny, egress ? allow : deny);
		if (ingress && egress) {
			assert_sent(send_error(env, FROM_POD(POD_B), &by_pod), TC_ACT_UNSPEC,
				    WEIR_MID_STREAM_ALLOWED);
			assert_sent(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router),
				    TC_ACT_UNSPEC, WEIR_MID_STREAM_ALLOWED);
		} else {
			assert_dropped(send_error(env, FROM_POD(POD_B), &by_pod),
				       WEIR_ICMP_NO_FLOW);
			assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router),
				       WEIR_ICMP_NO_FLOW);
		}
	}
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_GATE);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router), WEIR_GATED);
	assert_int_equal(prog_flow_count(env), 0);
}

/* As the node's own packets (NP-41, NP-42). */
static void np_5_the_nodes_errors_about_packets_to_it_pass(void **state)
{
	struct prog_env *env = *state;
	struct error e = { NODE, POD_A, segment(env, IPPROTO_TCP, POD_A, SPORT, NODE, PORT) };

	isolate_a(env, weir_word_verdict(WEIR_WORD_DENY, 0), weir_word_verdict(WEIR_WORD_DENY, 0));
	assert_sent(send_error(env, TO_POD(POD_A, 0), &e), TC_ACT_UNSPEC, WEIR_MID_STREAM_ALLOWED);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &e), WEIR_ICMP_NO_FLOW);
}

static void an_error_to_a_group_or_about_a_link_local_address_does_not_pass(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec about = segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT), spec;
	struct error e = { REMOTE_A, POD_A, about };
	struct packet quoted;

	addr_parse(env->family ? "ff05::7" : "239.1.1.1", &about.src);
	quoted = packet_build(&about);
	spec = error_spec(env, &e, kinds[env->family][0], &quoted);
	spec.dst = about.src;
	assert_dropped(arrive(env, TO_POD(POD_A, PROG_UPLINK), &spec), WEIR_ICMP_NO_FLOW);
	if (!env->family)
		return;
	about = segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT);
	addr_parse("fe80::1", &about.dst);
	quoted = packet_build(&about);
	spec = error_spec(env, &e, kinds[1][0], &quoted);
	assert_dropped(arrive(env, TO_POD(POD_A, PROG_UPLINK), &spec), WEIR_ICMP_NO_FLOW);
}

static void np_5_errors_about_uncached_flows_pass_while_the_table_is_full(void **state)
{
	struct prog_env *env = *state;
	struct weir_config config = prog_config(env);
	struct error by_pod = { POD_B, POD_A,
				segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) },
		     by_router = { REMOTE_B, POD_A,
				   segment(env, IPPROTO_UDP, POD_A, SPORT, REMOTE_A, PORT) };

	config.full_at = prog_ticks_now();
	prog_config_set(env, &config);
	assert_sent(send_error(env, FROM_POD(POD_B), &by_pod), TC_ACT_REDIRECT, WEIR_UNCACHED);
	assert_sent(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router), TC_ACT_UNSPEC,
		    WEIR_UNCACHED);
	/* flows of an isolated pod are never uncached */
	isolate_a(env, weir_word_verdict(WEIR_WORD_ALLOW, 1),
		  weir_word_verdict(WEIR_WORD_ALLOW, 1));
	assert_dropped(send_error(env, FROM_POD(POD_B), &by_pod), WEIR_ICMP_NO_FLOW);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &by_router), WEIR_ICMP_NO_FLOW);
}

static void an_error_to_a_pod_that_did_not_send_the_packet_is_forged(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_C, segment(env, IPPROTO_TCP, POD_A, SPORT, POD_B, PORT) },
		     outside = { REMOTE_A, POD_A,
				 segment(env, IPPROTO_TCP, POD_C, SPORT, REMOTE_A, PORT) };

	open_from(env, IPPROTO_TCP, POD_A, POD_B, PORT);
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_ICMP_FORGED);
	open_from(env, IPPROTO_TCP, POD_C, REMOTE_A, PORT);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &outside), WEIR_ICMP_FORGED);
}

static void an_error_from_a_pod_outside_the_connection_is_forged(void **state)
{
	struct prog_env *env = *state;
	struct error as_itself = { POD_C, POD_A,
				   segment(env, IPPROTO_TCP, POD_A, SPORT, POD_B, PORT) },
		     as_the_end = { POD_B, POD_A, as_itself.about };

	open_from(env, IPPROTO_TCP, POD_A, POD_B, PORT);
	assert_dropped(send_error(env, FROM_POD(POD_C), &as_itself), WEIR_ICMP_FORGED);
	assert_dropped(send_error(env, FROM_POD(POD_C), &as_the_end), WEIR_ICMP_FORGED);
	/* between two pods of this node there is no router outside */
	as_itself.src = REMOTE_A;
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &as_the_end), WEIR_ICMP_FORGED);
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &as_itself), WEIR_ICMP_FORGED);
}

static void an_error_about_a_packet_that_was_never_sent_is_forged(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_A, POD_B, segment(env, IPPROTO_TCP, POD_B, PORT, POD_A, SPORT) },
		     vip = { POD_A, VIP_1, segment(env, IPPROTO_TCP, VIP_1, PORT, POD_A, SPORT) },
		     untranslated = { REMOTE_A, POD_A,
				      segment(env, IPPROTO_TCP, POD_A, SPORT, VIP_1, PORT) };

	open_from(env, IPPROTO_TCP, POD_A, POD_B, PORT); /* no answer yet */
	assert_dropped(send_error(env, FROM_POD(POD_A), &e), WEIR_ICMP_FORGED);
	serve(env, IPPROTO_TCP);
	open_from(env, IPPROTO_TCP, POD_A, VIP_1, PORT);
	assert_dropped(send_error(env, FROM_POD(POD_A), &vip), WEIR_ICMP_FORGED);
	/* no router beyond this node saw a packet to the frontend */
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &untranslated),
		       WEIR_ICMP_FORGED);
}

static void redirects_are_dropped(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec about = segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT);
	struct packet quoted = packet_build(&about);
	struct error e = { REMOTE_B, POD_A, about };
	struct packet_spec spec = error_spec(env, &e, (const uint8_t[]){ 5, 1 }, &quoted);

	open_from(env, IPPROTO_TCP, POD_A, REMOTE_A, PORT);
	assert_dropped(arrive(env, TO_POD(POD_A, PROG_UPLINK), &spec), WEIR_ICMP_REDIRECT);
}

static void errors_of_unknown_kinds_are_dropped(void **state)
{
	static const uint8_t types[2][2] = { { 4, 4 }, { 5, 127 } };
	struct prog_env *env = *state;
	struct packet_spec about = segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT);
	struct packet quoted = packet_build(&about);
	struct error e = { REMOTE_B, POD_A, about };

	open_from(env, IPPROTO_TCP, POD_A, REMOTE_A, PORT);
	for (int i = 0; i < 2; i++) {
		struct packet_spec spec =
			error_spec(env, &e, (const uint8_t[]){ types[env->family][i], 0 }, &quoted);

		assert_dropped(arrive(env, TO_POD(POD_A, PROG_UPLINK), &spec), WEIR_ICMP_ERROR);
	}
}

static void an_error_at_another_pods_device_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error e = { REMOTE_A, POD_A,
			   segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT) };

	open_from(env, IPPROTO_TCP, POD_A, REMOTE_A, PORT);
	assert_dropped(send_error(env, TO_POD(POD_C, PROG_BRIDGE), &e), WEIR_NOT_FOR_POD);
}

static void a_quote_that_cannot_be_read_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) };
	struct packet quoted = packet_build(&e.about), bad;
	unsigned int l3 = env->family ? 40 : 20;
	struct packet_spec spec;

	open_from(env, IPPROTO_UDP, POD_A, POD_B, PORT);
	for (unsigned int len = 1; len < l3 + 8; len++) {
		spec = error_spec(env, &e, kinds[env->family][0], &quoted);
		spec.quoted_len = len;
		assert_dropped(arrive(env, FROM_POD(POD_B), &spec), WEIR_ICMP_QUOTE);
	}
	bad = quoted;
	bad.data[PACKET_L3] ^= 0x20; /* another version */
	spec = error_spec(env, &e, kinds[env->family][0], &bad);
	assert_dropped(arrive(env, FROM_POD(POD_B), &spec), WEIR_ICMP_QUOTE);
}

static void a_quoted_later_fragment_has_no_ports(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) };

	open_from(env, IPPROTO_UDP, POD_A, POD_B, PORT);
	e.about.fragment = 0x0010;
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_ICMP_QUOTE);
}

static void an_error_about_an_error_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_A, prog_echo(env, POD_A, POD_B, 1, false) };

	e.about.icmp_type = kinds[env->family][0][0];
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_ICMP_QUOTE);
}

/* Otherwise an IPv6 error could refer to an IPv4 connection. */
static void parse_4_a_quoted_mapped_address_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error e = { REMOTE_A, POD_A,
			   segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT) };
	struct weir_addr v4[2];

	addr_parse("10.0.1.10", &v4[0]);
	addr_parse("10.0.2.14", &v4[1]);
	e.about.src = v4[0];
	e.about.dst = v4[1];
	e.about.mapped_wire = true;
	assert_dropped(send_error(env, TO_POD(POD_A, PROG_UPLINK), &e), WEIR_ICMP_QUOTE);
}

static void an_error_from_a_link_local_router_passes(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec about = segment(env, IPPROTO_TCP, POD_A, SPORT, REMOTE_A, PORT);
	struct packet quoted = packet_build(&about);
	struct error e = { REMOTE_A, POD_A, about };
	struct packet_spec spec = error_spec(env, &e, kinds[1][1], &quoted);

	open_from(env, IPPROTO_TCP, POD_A, REMOTE_A, PORT);
	addr_parse("fe80::1", &spec.src);
	assert_passed(arrive(env, TO_POD(POD_A, PROG_UPLINK), &spec));
	assert_dropped(arrive(env, FROM_POD(POD_B), &spec), WEIR_LINK_LOCAL);
}

/* ---- Policy and state ---- */

static void an_error_about_a_denied_connection_does_not_pass(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) };
	struct prog_sent sent;

	open_from(env, IPPROTO_UDP, POD_A, POD_B, PORT);
	prog_policy_default(env, SET, weir_word_verdict(WEIR_WORD_ALLOW, 1));
	prog_pod(env, POD_B, SET, 0, 0, 0);
	prog_policy_epoch(env);
	assert_redirected(send_error(env, FROM_POD(POD_B), &e)); /* revalidated, and allowed */
	prog_policy_default(env, SET, weir_word_verdict(WEIR_WORD_DENY, 0));
	prog_policy_epoch(env);
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_INGRESS_DENIED);
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_INGRESS_DENIED);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	sent = send_error(env, FROM_POD(POD_B), &e);
	assert_sent(sent, TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
}

static void an_error_about_a_connection_of_a_pod_that_is_gone_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct error e = { POD_B, POD_A, segment(env, IPPROTO_UDP, POD_A, SPORT, POD_B, PORT) };

	open_from(env, IPPROTO_UDP, POD_A, POD_B, PORT);
	prog_pod_renew(env, POD_A);
	assert_dropped(send_error(env, FROM_POD(POD_B), &e), WEIR_ICMP_NO_FLOW);
}

static void errors_leave_the_connections_state_alone(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec forth = segment(env, IPPROTO_TCP, POD_A, SPORT, VIP_1, PORT),
			   back = segment(env, IPPROTO_TCP, POD_B, TARGET, POD_A, SPORT);
	struct error by_backend = { POD_B, POD_A,
				    segment(env, IPPROTO_TCP, POD_A, SPORT, POD_B, TARGET) },
		     by_client = { POD_A, VIP_1,
				   segment(env, IPPROTO_TCP, VIP_1, PORT, POD_A, SPORT) };
	struct weir_flow before[2], after[2];

	serve(env, IPPROTO_TCP);
	open_from(env, IPPROTO_TCP, POD_A, VIP_1, PORT);
	answer_from(env, IPPROTO_TCP, POD_B, TARGET, POD_A, SPORT);
	prog_flows_age(env, 1000);
	assert_true(prog_flow(env, &forth, 0, &before[0]) && prog_flow(env, &back, 0, &before[1]));
	assert_redirected(send_error(env, FROM_POD(POD_B), &by_backend));
	assert_redirected(send_error(env, FROM_POD(POD_A), &by_client));
	assert_true(prog_flow(env, &forth, 0, &after[0]) && prog_flow(env, &back, 0, &after[1]));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(prog_flow_count(env), 2);
	assert_null(prog_gc_slots_check(env, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_96_errors_between_a_pod_and_a_local_backend),
		FOR_BOTH(svc_96_errors_between_a_pod_and_a_backend_outside),
		FOR_BOTH(svc_96_errors_of_routers_and_of_the_node_keep_their_source),
		FOR_BOTH(svc_96_a_changed_client_port_is_changed_back),
		PROG_TEST_V4(svc_96_a_quoted_udp_packet_without_sum_keeps_none), /* IPv6 requires
										    the sum */
		FOR_BOTH(svc_96_options_and_extension_headers_of_the_quote_are_walked),
		FOR_BOTH(errors_between_local_pods_are_passed_unchanged),
		FOR_BOTH(errors_between_a_pod_and_the_world_are_passed_unchanged),
		FOR_BOTH(errors_about_connections_to_a_pod_are_passed_unchanged),
		FOR_BOTH(errors_about_an_echo_request_find_it_by_its_id),
		FOR_BOTH(an_error_about_no_connection_is_dropped),
		FOR_BOTH(np_5_errors_about_mid_stream_tcp_pass_where_both_orientations_are_allowed),
		FOR_BOTH(np_5_errors_about_uncached_flows_pass_while_the_table_is_full),
		FOR_BOTH(np_5_the_nodes_errors_about_packets_to_it_pass),
		FOR_BOTH(an_error_to_a_group_or_about_a_link_local_address_does_not_pass),
		FOR_BOTH(an_error_to_a_pod_that_did_not_send_the_packet_is_forged),
		FOR_BOTH(an_error_from_a_pod_outside_the_connection_is_forged),
		FOR_BOTH(an_error_about_a_packet_that_was_never_sent_is_forged),
		PROG_TEST_V4(redirects_are_dropped), /* IPv6 redirects are neighbour discovery */
		FOR_BOTH(errors_of_unknown_kinds_are_dropped),
		FOR_BOTH(an_error_at_another_pods_device_is_dropped),
		FOR_BOTH(a_quote_that_cannot_be_read_is_dropped),
		FOR_BOTH(a_quoted_later_fragment_has_no_ports),
		FOR_BOTH(an_error_about_an_error_is_dropped),
		PROG_TEST_V6(parse_4_a_quoted_mapped_address_is_dropped), /* IPv4 in IPv6 */
		PROG_TEST_V6(an_error_from_a_link_local_router_passes), /* IPv4 routers need none */
		FOR_BOTH(an_error_about_a_denied_connection_does_not_pass),
		FOR_BOTH(an_error_about_a_connection_of_a_pod_that_is_gone_is_dropped),
		FOR_BOTH(errors_leave_the_connections_state_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
