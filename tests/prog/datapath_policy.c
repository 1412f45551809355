// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Verdicts of new flows: words, port ranges, identities, and the exemptions of the node. POD_A
 * sends to POD_B unless a test says otherwise; set 1 isolates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "lib/prog_env.h"

#define DENY weir_word_verdict(WEIR_WORD_DENY, 0)
#define ALLOW_BY(rule) weir_word_verdict(WEIR_WORD_ALLOW, rule)
#define SET 1
#define OTHER_SET 2
#define IDENTITY 7
#define RULE 42

static uint16_t next_port = 20000;

/* Sends the first packet of a new flow. */
static struct prog_sent try_proto(struct prog_env *env, enum party src, enum party dst,
				  uint8_t proto, uint16_t port)
{
	struct packet_spec spec = prog_tcp(env, src, next_port++, dst, port, SYN);

	spec.proto = proto;
	spec.sctp_chunk = 1;
	return prog_from(env, src, &spec);
}

static struct prog_sent try(struct prog_env *env, enum party src, enum party dst, uint16_t port)
{
	return try_proto(env, src, dst, IPPROTO_TCP, port);
}

static struct prog_sent arrive(struct prog_env *env, enum party src, uint32_t from, enum party dst,
			       uint16_t port)
{
	struct packet_spec spec = prog_tcp(env, src, next_port++, dst, port, SYN);

	return prog_to(env, dst, from, &spec);
}

static void isolate_ingress(struct prog_env *env, uint64_t word)
{
	prog_pod(env, POD_B, SET, 0, 0, 0);
	prog_policy_default(env, SET, word);
}

static void isolate_egress(struct prog_env *env, uint64_t word)
{
	prog_pod(env, POD_A, 0, SET, 0, 0);
	prog_policy_default(env, SET, word);
}

static void np_1_a_pod_in_no_set_is_open(void **state)
{
	struct prog_env *env = *state;

	prog_policy_default(env, 0, DENY); /* set 0 is never looked up */
	assert_redirected(try(env, POD_A, POD_B, 80));
}

static void the_default_word_decides_for_unlisted_peers(void **state)
{
	struct prog_env *env = *state;
	struct prog_sent sent;

	isolate_ingress(env, DENY);
	sent = try(env, POD_A, POD_B, 80);
	assert_dropped(sent, WEIR_INGRESS_DENIED);
	assert_int_equal(sent.decision.ingress_rule, WEIR_NO_RULE);
	assert_int_equal(sent.decision.ingress_set, SET);
	assert_true(sent.decision.judged_egress && sent.decision.judged_ingress);
	assert_true(sent.decision.allow_egress && !sent.decision.allow_ingress);
	assert_int_equal(prog_flow_count(env), 0);

	isolate_ingress(env, ALLOW_BY(RULE));
	sent = try(env, POD_A, POD_B, 80);
	assert_redirected(sent);
	assert_int_equal(sent.decision.ingress_rule, RULE);
}

static void the_element_of_a_peer_overrides_the_default(void **state)
{
	struct prog_env *env = *state;

	isolate_ingress(env, DENY);
	prog_pod(env, POD_A, 0, 0, IDENTITY, 0);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	assert_redirected(try(env, POD_A, POD_B, 80));
	assert_dropped(try(env, POD_C, POD_B, 80), WEIR_INGRESS_DENIED);
	prog_policy(env, SET, IDENTITY, DENY);
	prog_policy_default(env, SET, ALLOW_BY(RULE));
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_INGRESS_DENIED);
}

static void egress_is_judged_by_the_destination(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_EGRESS_DENIED);
	assert_dropped(try(env, POD_A, REMOTE_A, 80), WEIR_EGRESS_DENIED);
	prog_pod(env, POD_B, 0, 0, IDENTITY, 0);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	assert_redirected(try(env, POD_A, POD_B, 80));
	prog_identity(env, REMOTE_A, IDENTITY);
	assert_passed(try(env, POD_A, REMOTE_A, 80));
}

static void both_ends_are_judged_and_egress_is_named_first(void **state)
{
	struct prog_env *env = *state;
	struct prog_sent sent;

	isolate_ingress(env, DENY);
	isolate_egress(env, DENY);
	sent = try(env, POD_A, POD_B, 80);
	assert_dropped(sent, WEIR_EGRESS_DENIED);
	assert_false(sent.decision.allow_ingress);
}

static void from_another_node_only_ingress_is_judged_here(void **state)
{
	struct prog_env *env = *state;

	isolate_ingress(env, DENY);
	assert_dropped(arrive(env, REMOTE_A, PROG_UPLINK, POD_B, 80), WEIR_INGRESS_DENIED);
	prog_identity(env, REMOTE_A, IDENTITY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	assert_passed(arrive(env, REMOTE_A, PROG_UPLINK, POD_B, 80));
	assert_dropped(arrive(env, REMOTE_B, PROG_UPLINK, POD_B, 80), WEIR_INGRESS_DENIED);
}

static void np_36_port_ranges_include_both_ends(void **state)
{
	static const struct weir_port_range ranges[] = {
		{ IPPROTO_TCP << 16 | 80, IPPROTO_TCP << 16 | 90, WEIR_WORD_ALLOW, 11 },
		{ IPPROTO_TCP << 16 | 91, IPPROTO_TCP << 16 | 91, WEIR_WORD_DENY, 12 },
		{ IPPROTO_TCP << 16 | 92, IPPROTO_TCP << 16 | 65535, WEIR_WORD_ALLOW, 13 },
		{ IPPROTO_UDP << 16 | 0, IPPROTO_UDP << 16 | 53, WEIR_WORD_ALLOW, 14 },
		{ IPPROTO_SCTP << 16 | 5, IPPROTO_SCTP << 16 | 5, WEIR_WORD_ALLOW, 15 },
	};
	static const struct {
		uint8_t proto;
		uint16_t port;
		uint32_t rule; /* 0: denied */
	} rows[] = {
		{ IPPROTO_TCP, 1, 0 },     { IPPROTO_TCP, 79, 0 },     { IPPROTO_TCP, 80, 11 },
		{ IPPROTO_TCP, 85, 11 },   { IPPROTO_TCP, 90, 11 },    { IPPROTO_TCP, 91, 0 },
		{ IPPROTO_TCP, 92, 13 },   { IPPROTO_TCP, 65535, 13 }, { IPPROTO_UDP, 0, 14 },
		{ IPPROTO_UDP, 1, 14 },    { IPPROTO_UDP, 53, 14 },    { IPPROTO_UDP, 54, 0 },
		{ IPPROTO_UDP, 65535, 0 }, { IPPROTO_SCTP, 4, 0 },     { IPPROTO_SCTP, 5, 15 },
		{ IPPROTO_SCTP, 6, 0 },
	};
	struct prog_env *env = *state;

	isolate_ingress(env, weir_word_ports(100, 5));
	prog_ranges(env, 100, ranges, 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prog_sent sent = try_proto(env, POD_A, POD_B, rows[i].proto, rows[i].port);

		if (rows[i].rule)
			assert_redirected(sent);
		else
			assert_dropped(sent, WEIR_INGRESS_DENIED);
		assert_int_equal(sent.decision.ingress_rule,
				 rows[i].port == 91 ? 12 : rows[i].rule);
	}
}

/* The ranges around the extent allow everything, so a read outside it would show. */
static void an_extent_of_ranges_is_searched_within_its_bounds(void **state)
{
	struct prog_env *env = *state;

	for (uint32_t len = 0; len <= 9; len++) {
		for (uint32_t i = 0; i < 20; i++) {
			struct weir_port_range all = { 0, 0xffffffff, WEIR_WORD_ALLOW, 1 };
			struct weir_port_range one = { weir_port_point(IPPROTO_TCP, 100 + 10 * i),
						       weir_port_point(IPPROTO_TCP, 100 + 10 * i),
						       WEIR_WORD_ALLOW, 2 };

			prog_ranges(env, i, i >= 5 && i < 5 + len ? &one : &all, 1);
		}
		isolate_ingress(env, weir_word_ports(5, len));
		assert_dropped(try(env, POD_A, POD_B, 1), WEIR_INGRESS_DENIED);
		assert_dropped(try(env, POD_A, POD_B, 65000), WEIR_INGRESS_DENIED);
		for (uint32_t i = 5; i < 5 + len; i++) {
			assert_redirected(try(env, POD_A, POD_B, 100 + 10 * i));
			assert_dropped(try(env, POD_A, POD_B, 101 + 10 * i), WEIR_INGRESS_DENIED);
		}
	}
}

/* A policy that did not fit: denied like by default, and named as what it is. */
static void a_closed_set_denies_everything_by_its_own_name(void **state)
{
	uint64_t closed = weir_word_verdict(WEIR_WORD_CLOSED, WEIR_NO_RULE);
	struct prog_env *env = *state;
	struct packet_spec echo = prog_echo(env, POD_A, POD_B, 5, false);
	struct prog_sent sent;

	isolate_ingress(env, closed);
	sent = try(env, POD_A, POD_B, 80);
	assert_dropped(sent, WEIR_POLICY_CLOSED);
	assert_true(sent.decision.allow_egress && !sent.decision.allow_ingress);
	assert_int_equal(sent.decision.ingress_rule, WEIR_NO_RULE);
	assert_dropped(prog_from(env, POD_A, &echo), WEIR_POLICY_CLOSED);
	assert_dropped(arrive(env, REMOTE_A, PROG_UPLINK, POD_B, 80), WEIR_POLICY_CLOSED);
	isolate_egress(env, closed);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_POLICY_CLOSED);
	isolate_egress(env, DENY);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_EGRESS_DENIED);
}

/* Rules that nearly all peers share are in an extent of their own; a peer's own extent leads to it.
 */
static void np_36_a_range_may_lead_to_another_extent(void **state)
{
	static const struct weir_port_range shared[] = {
		{ IPPROTO_TCP << 16 | 80, IPPROTO_TCP << 16 | 89, WEIR_WORD_ALLOW, 11 },
		{ IPPROTO_TCP << 16 | 100, IPPROTO_TCP << 16 | 109, WEIR_WORD_ALLOW, 12 },
		{ IPPROTO_TCP << 16 | 120, IPPROTO_TCP << 16 | 129, WEIR_WORD_ALLOW, 13 },
	};
	uint64_t there = weir_word_ports(200, 3);
	const struct weir_port_range own[] = {
		{ IPPROTO_TCP << 16 | 80, IPPROTO_TCP << 16 | 99, there, there >> 32 },
		{ IPPROTO_TCP << 16 | 105, IPPROTO_TCP << 16 | 106, WEIR_WORD_ALLOW, 14 },
		{ IPPROTO_TCP << 16 | 110, WEIR_PORT_POINT_MAX, there, there >> 32 },
	};
	static const struct {
		uint16_t port;
		uint32_t rule; /* 0: denied */
	} rows[] = {
		{ 79, 0 },   { 80, 11 },  { 89, 11 },  { 90, 0 },    { 100, 0 },
		{ 104, 0 },  { 105, 14 }, { 106, 14 }, { 107, 0 },   { 119, 0 },
		{ 120, 13 }, { 129, 13 }, { 130, 0 },  { 65535, 0 },
	};
	struct prog_env *env = *state;

	isolate_ingress(env, weir_word_ports(100, 3));
	prog_ranges(env, 100, own, 3);
	prog_ranges(env, 200, shared, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prog_sent sent = try(env, POD_A, POD_B, rows[i].port);

		if (rows[i].rule)
			assert_redirected(sent);
		else
			assert_dropped(sent, WEIR_INGRESS_DENIED);
		assert_int_equal(sent.decision.ingress_rule, rows[i].rule);
	}
}

/* The longest extent of each kind: the search takes all the steps that it may. */
static void the_longest_extents_are_searched_to_the_end(void **state)
{
	static struct weir_port_range shared[900], own[(1 << WEIR_OVERLAY_BITS) - 1];
	uint32_t first = IPPROTO_TCP << 16, n = ARRAY_SIZE(shared), last = ARRAY_SIZE(own) - 1;
	uint64_t there = weir_word_ports(100, n);
	struct prog_env *env = *state;

	for (uint32_t i = 0; i < n; i++)
		shared[i] =
			(struct weir_port_range){ first + i, first + i, WEIR_WORD_ALLOW, i + 1 };
	for (uint32_t i = 0; i <= last; i++)
		own[i] = (struct weir_port_range){ first + 2 * i, first + 2 * i, WEIR_WORD_ALLOW,
						   0x10000 + i };
	own[last].high = first + 65535;
	own[last].kind = there;
	own[last].rule = there >> 32;
	isolate_ingress(env, weir_word_ports(0, last + 1));
	prog_ranges(env, 0, own, last + 1);
	prog_ranges(env, 100, shared, n);
	for (uint32_t port = 2 * last; port < n; port += port < 300 ? 1 : 97)
		assert_int_equal(try(env, POD_A, POD_B, port).decision.ingress_rule, port + 1);
	for (uint32_t i = 1; i < last; i++)
		assert_int_equal(try(env, POD_A, POD_B, 2 * i).decision.ingress_rule, 0x10000 + i);
}

static void np_38_protocols_without_ports_need_a_rule_without_ports(void **state)
{
	static const struct weir_port_range all_ports[] = {
		{ IPPROTO_TCP << 16, IPPROTO_TCP << 16 | 65535, WEIR_WORD_ALLOW, 1 },
		{ IPPROTO_UDP << 16, IPPROTO_UDP << 16 | 65535, WEIR_WORD_ALLOW, 1 },
		{ IPPROTO_SCTP << 16, IPPROTO_SCTP << 16 | 65535, WEIR_WORD_ALLOW, 1 },
	};
	static const struct weir_port_range everything = { 0, 0xffffffff, WEIR_WORD_ALLOW, RULE };
	struct prog_env *env = *state;
	struct packet_spec echo = prog_echo(env, POD_A, POD_B, 5, false), esp = echo;

	esp.proto = IPPROTO_ESP;
	prog_ranges(env, 3, all_ports, 3);
	prog_ranges(env, 6, &everything,
		    1); /* how a rule without ports is encoded beside rules with ports */
	isolate_ingress(env, weir_word_ports(3, 3));
	assert_dropped(prog_from(env, POD_A, &echo), WEIR_INGRESS_DENIED);
	assert_dropped(prog_from(env, POD_A, &esp), WEIR_INGRESS_DENIED);
	assert_redirected(try(env, POD_A, POD_B, 80));
	isolate_ingress(env, ALLOW_BY(RULE));
	assert_redirected(prog_from(env, POD_A, &echo));
	assert_redirected(prog_from(env, POD_A, &esp));
	isolate_ingress(env, weir_word_ports(6, 1));
	echo.icmp_id++;
	assert_redirected(prog_from(env, POD_A, &echo));
}

/* A rule without ports fills the gaps of a rule with ports, and covers all other protocols. */
static void np_3_ranges_over_all_points_attribute_every_protocol(void **state)
{
	static const struct weir_port_range ranges[] = {
		{ 0, IPPROTO_TCP << 16 | 79, WEIR_WORD_ALLOW, 21 },
		{ IPPROTO_TCP << 16 | 80, IPPROTO_TCP << 16 | 80, WEIR_WORD_ALLOW, 20 },
		{ IPPROTO_TCP << 16 | 81, WEIR_PORT_POINT_MAX, WEIR_WORD_ALLOW, 21 },
	};
	static const struct {
		uint8_t proto;
		uint16_t port;
		uint32_t rule;
	} rows[] = {
		{ IPPROTO_TCP, 80, 20 }, { IPPROTO_TCP, 79, 21 }, { IPPROTO_TCP, 81, 21 },
		{ IPPROTO_UDP, 80, 21 }, { IPPROTO_SCTP, 5, 21 }, { IPPROTO_ESP, 0, 21 },
		{ 255, 0, 21 },
	};
	struct prog_env *env = *state;
	struct packet_spec echo = prog_echo(env, POD_A, POD_B, 80, false);
	struct prog_sent sent;

	isolate_ingress(env, weir_word_ports(100, 3));
	prog_ranges(env, 100, ranges, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sent = try_proto(env, POD_A, POD_B, rows[i].proto, rows[i].port);
		assert_redirected(sent);
		assert_int_equal(sent.decision.ingress_rule, rows[i].rule);
	}
	sent = prog_from(env, POD_A, &echo);
	assert_redirected(sent);
	assert_int_equal(sent.decision.ingress_rule, 21);
}

static void np_38_the_reply_to_an_allowed_echo_passes(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec request = prog_echo(env, POD_A, POD_B, 5, false),
			   reply = prog_echo(env, POD_B, POD_A, 5, true),
			   other = prog_echo(env, POD_B, POD_A, 6, true);

	prog_pod(env, POD_A, SET, 0, 0, 0);
	prog_policy_default(env, SET, DENY);
	assert_dropped(prog_from(env, POD_B, &reply), WEIR_MID_STREAM);
	assert_redirected(prog_from(env, POD_A, &request));
	assert_redirected(prog_from(env, POD_B, &reply));
	assert_dropped(prog_from(env, POD_B, &other), WEIR_MID_STREAM);
}

/*
 * The peer cannot send requests on the same entry: not with id 0, and not with messages without an
 * id.
 */
static void np_38_icmp_without_an_id_allows_no_requests_back(void **state)
{
	static const uint8_t others[2][2] = { { 13, 14 }, { 200, 201 } };
	struct prog_env *env = *state;
	struct packet_spec forth = prog_echo(env, POD_A, POD_B, 0, false), other = forth,
			   back = prog_echo(env, POD_B, POD_A, 0, true);

	prog_pod(env, POD_A, SET, 0, 0, 0);
	prog_policy_default(env, SET, DENY);
	assert_redirected(prog_from(env, POD_A, &forth));
	assert_redirected(prog_from(env, POD_B, &back));
	back.icmp_type = forth.icmp_type;
	assert_dropped(prog_from(env, POD_B, &back), WEIR_INGRESS_DENIED);
	other.icmp_type = others[env->family][0];
	assert_redirected(prog_from(env, POD_A, &other));
	back.icmp_type = others[env->family][0];
	assert_dropped(prog_from(env, POD_B, &back), WEIR_INGRESS_DENIED);
	back.icmp_type = others[env->family][1];
	assert_dropped(prog_from(env, POD_B, &back), WEIR_INGRESS_DENIED);
}

static void set_echo(const struct prog_env *env, enum weir_echo echo)
{
	struct weir_config config = prog_config(env);

	config.echo = echo;
	prog_config_set(env, &config);
	prog_policy_epoch(env);
}

static void np_38_echo_always_allows_echo_alone(void **state)
{
	static const uint8_t others[2] = { 13, 200 };
	struct prog_env *env = *state;
	struct packet_spec echo = prog_echo(env, POD_A, POD_B, 7, false),
			   zero = prog_echo(env, POD_A, POD_B, 0, false), other = echo,
			   tcp = prog_tcp(env, POD_A, 40000, POD_B, 80, SYN);

	prog_pod(env, POD_A, 0, SET, 0, 0);
	prog_pod(env, POD_B, SET, 0, 0, 0);
	prog_policy_default(env, SET, DENY);
	assert_dropped(prog_from(env, POD_A, &echo), WEIR_EGRESS_DENIED);
	set_echo(env, WEIR_ECHO_ALWAYS);
	assert_redirected(prog_from(env, POD_A, &echo));
	assert_redirected(prog_from(env, POD_A, &zero));
	other.icmp_type = others[env->family];
	assert_dropped(prog_from(env, POD_A, &other), WEIR_EGRESS_DENIED);
	assert_dropped(prog_from(env, POD_A, &tcp), WEIR_EGRESS_DENIED);
	prog_pod(env, POD_B, SET, 0, 0, WEIR_POD_GATE);
	prog_policy_epoch(env);
	assert_dropped(prog_from(env, POD_A, &echo), WEIR_GATED);
	prog_pod(env, POD_B, SET, 0, 0, 0);
	set_echo(env, WEIR_ECHO_BY_POLICY); /* a known echo flow is revalidated too */
	assert_dropped(prog_from(env, POD_A, &echo), WEIR_EGRESS_DENIED);
}

static void np_29_the_v6_default_route_never_matches_ipv4(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	prog_network(env, "::/0", IDENTITY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	if (env->family)
		assert_passed(try(env, POD_A, REMOTE_A, 80));
	else
		assert_dropped(try(env, POD_A, REMOTE_A, 80), WEIR_EGRESS_DENIED);
}

static void np_29_the_v4_default_route_never_matches_ipv6(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	prog_network(env, "0.0.0.0/0", IDENTITY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	if (env->family)
		assert_dropped(try(env, POD_A, REMOTE_A, 80), WEIR_EGRESS_DENIED);
	else
		assert_passed(try(env, POD_A, REMOTE_A, 80));
}

static void np_27_a_pods_own_identity_comes_before_its_network(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	prog_network(env, env->family ? "::/0" : "10.0.0.0/8", IDENTITY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	assert_passed(try(env, POD_A, REMOTE_A, 80));
	prog_identity(env, REMOTE_A, 8);
	assert_dropped(try(env, POD_A, REMOTE_A, 80), WEIR_EGRESS_DENIED);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_EGRESS_DENIED);
}

static void np_29_a_pods_two_addresses_may_be_two_identities(void **state)
{
	struct prog_env *env = *state;
	uint32_t slot = PROG_SLOT(POD_A);
	struct weir_pod pod;

	isolate_ingress(env, DENY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	prog_get(env, "pods", &slot, &pod);
	pod.identity[!env->family] = IDENTITY; /* of the other family */
	prog_set(env, "pods", &slot, &pod);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_INGRESS_DENIED);
	pod.identity[env->family] = IDENTITY;
	prog_set(env, "pods", &slot, &pod);
	assert_redirected(try(env, POD_A, POD_B, 80));
}

static void the_longest_prefix_decides(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	prog_network(env, env->family ? "fd00::/16" : "10.0.0.0/8", IDENTITY);
	prog_network(env, env->family ? "fd00::2:0/112" : "10.0.2.0/24", 0);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE));
	assert_dropped(try(env, POD_A, REMOTE_A, 80), WEIR_EGRESS_DENIED);
	assert_passed(try(env, POD_A, UNLISTED, 80));
}

static void np_40_a_pod_always_reaches_itself(void **state)
{
	struct prog_env *env = *state;

	prog_pod(env, POD_A, SET, SET, 0, 0);
	prog_policy_default(env, SET, DENY);
	assert_redirected(try(env, POD_A, POD_A, 80));
}

static void np_41_the_own_nodes_sockets_reach_isolated_pods(void **state)
{
	struct prog_env *env = *state;

	isolate_ingress(env, DENY);
	assert_passed(arrive(env, NODE, 0, POD_B, 80));
}

static void np_44_a_node_address_from_a_device_is_an_ordinary_peer(void **state)
{
	struct prog_env *env = *state;

	isolate_ingress(env, DENY);
	assert_dropped(arrive(env, NODE, PROG_UPLINK, POD_B, 80), WEIR_INGRESS_DENIED);
	assert_dropped(arrive(env, OTHER_NODE, PROG_UPLINK, POD_B, 80), WEIR_INGRESS_DENIED);
	/* not sent by a socket of this node: an answer that netfilter made with a remote source */
	assert_dropped(arrive(env, OTHER_NODE, 0, POD_B, 80), WEIR_INGRESS_DENIED);
	assert_dropped(arrive(env, REMOTE_A, 0, POD_B, 80), WEIR_INGRESS_DENIED);
}

static void np_41_the_origin_is_kept_for_later_verdicts(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, NODE, 3333, POD_B, 80, SYN),
			   answer = prog_tcp(env, POD_B, 80, NODE, 3333, SYN | ACK);

	isolate_ingress(env, DENY);
	assert_passed(prog_to(env, POD_B, 0, &syn));
	prog_policy_epoch(env);
	assert_passed(prog_from(env, POD_B, &answer));
}

static void np_41_a_flow_of_the_node_has_no_packets_from_elsewhere(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec first = prog_udp(env, NODE, 3333, POD_B, 53);

	isolate_ingress(env, DENY);
	assert_passed(prog_to(env, POD_B, 0, &first));
	assert_dropped(prog_to(env, POD_B, PROG_UPLINK, &first), WEIR_SPOOFED);
	assert_passed(prog_to(env, POD_B, 0, &first));
}

static void np_42_pods_reach_their_own_node_only(void **state)
{
	struct prog_env *env = *state;

	isolate_egress(env, DENY);
	assert_passed(try(env, POD_A, NODE, 80));
	assert_dropped(try(env, POD_A, OTHER_NODE, 80), WEIR_EGRESS_DENIED);
}

static void np_53_packets_of_a_gated_pod_are_dropped_in_both_directions(void **state)
{
	struct prog_env *env = *state;

	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	assert_dropped(try(env, POD_A, POD_B, 80), WEIR_GATED);
	assert_dropped(try(env, POD_B, POD_A, 80), WEIR_GATED);
	assert_dropped(try(env, POD_B, NODE, 80), WEIR_GATED);
	assert_dropped(arrive(env, NODE, 0, POD_B, 80), WEIR_GATED);
	assert_redirected(try(env, POD_A, POD_C, 80));
	prog_pod(env, POD_B, 0, 0, 0, 0);
	assert_redirected(try(env, POD_A, POD_B, 80));
}

static void np_53_an_open_flow_of_a_gated_pod_is_dropped_as_gated(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec there = prog_tcp(env, POD_A, 1234, POD_B, 80, ACK),
			   back = prog_tcp(env, POD_B, 80, POD_A, 1234, ACK);

	there.tcp_flags = SYN;
	assert_redirected(prog_from(env, POD_A, &there));
	there.tcp_flags = ACK;
	assert_redirected(prog_from(env, POD_B, &back));
	prog_pod(env, POD_B, 0, 0, 0, WEIR_POD_GATE);
	prog_policy_epoch(env);
	for (int i = 0; i < 2; i++) {
		assert_dropped(prog_from(env, POD_A, &there), WEIR_GATED);
		assert_dropped(prog_from(env, POD_B, &back), WEIR_GATED);
	}
	prog_pod(env, POD_B, 0, 0, 0, 0);
	prog_policy_epoch(env);
	assert_redirected(prog_from(env, POD_A, &there));
	assert_redirected(prog_from(env, POD_B, &back));
}

static void with_enforcement_off_denials_pass_and_are_counted(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 1234, POD_B, 80, SYN),
			   answer = prog_tcp(env, POD_B, 80, POD_A, 1234, SYN | ACK),
			   ack = prog_tcp(env, POD_A, 1234, POD_B, 80, ACK);

	isolate_ingress(env, DENY);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	assert_sent(prog_from(env, POD_A, &syn), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_sent(prog_from(env, POD_B, &answer), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	/* the verdict is in the entry: enforcing again denies the next packet */
	prog_enforcement(env, WEIR_ENFORCE_ON);
	assert_dropped(prog_from(env, POD_A, &ack), WEIR_INGRESS_DENIED);
	assert_dropped(prog_from(env, POD_B, &answer), WEIR_INGRESS_DENIED);
}

/*
 * "Not enforced" in the entry of a closed connection must not apply to the next one on its ports.
 */
static void a_new_flow_does_not_inherit_not_enforced(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, POD_A, 1234, POD_B, 80, SYN),
			   reset = prog_tcp(env, POD_A, 1234, POD_B, 80, RST | ACK);

	isolate_ingress(env, DENY);
	prog_enforcement(env, WEIR_ENFORCE_OFF);
	assert_sent(prog_from(env, POD_A, &syn), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	assert_sent(prog_from(env, POD_A, &reset), TC_ACT_REDIRECT, WEIR_NOT_ENFORCED);
	/* no new epoch: the stamp of the old entry still denies */
	isolate_ingress(env, weir_word_verdict(WEIR_WORD_ALLOW, WEIR_NO_RULE));
	assert_sent(prog_from(env, POD_A, &syn), TC_ACT_REDIRECT, WEIR_FORWARDED);
}

static void np_46_policy_sees_the_backend_not_the_frontend(void **state)
{
	static const struct weir_port_range backend_port = { IPPROTO_TCP << 16 | 8080,
							     IPPROTO_TCP << 16 | 8080,
							     WEIR_WORD_ALLOW, RULE };
	struct prog_env *env = *state;
	struct prog_sent sent;

	prog_serve(env, 1, 80, IPPROTO_TCP, POD_B, 8080);

	isolate_egress(env, DENY);
	prog_identity(env, VIP_1, IDENTITY);
	prog_policy(env, SET, IDENTITY, ALLOW_BY(RULE)); /* a rule for the VIP does not match */
	assert_dropped(try(env, POD_A, VIP_1, 80), WEIR_EGRESS_DENIED);
	assert_int_equal(prog_flow_count(env), 0);

	prog_ranges(env, 0, &backend_port, 1);
	prog_pod(env, POD_B, OTHER_SET, 0, IDENTITY, 0);
	prog_policy_default(env, OTHER_SET, weir_word_ports(0, 1));
	sent = try(env, POD_A, VIP_1, 80);
	assert_redirected(sent);
	assert_int_equal(sent.decision.service, 1);
	assert_int_equal(sent.decision.backend, 1);
	assert_int_equal(sent.decision.ingress_rule, RULE);
	/* nothing of the decision is left for the next packet */
	sent = try(env, POD_A, REMOTE_A, 80);
	assert_dropped(sent, WEIR_EGRESS_DENIED);
	assert_int_equal(sent.decision.service, 0);
	assert_int_equal(sent.decision.judged_ingress, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(np_1_a_pod_in_no_set_is_open),
		FOR_BOTH(the_default_word_decides_for_unlisted_peers),
		FOR_BOTH(the_element_of_a_peer_overrides_the_default),
		FOR_BOTH(egress_is_judged_by_the_destination),
		FOR_BOTH(both_ends_are_judged_and_egress_is_named_first),
		FOR_BOTH(from_another_node_only_ingress_is_judged_here),
		FOR_BOTH(np_36_port_ranges_include_both_ends),
		FOR_BOTH(an_extent_of_ranges_is_searched_within_its_bounds),
		FOR_BOTH(a_closed_set_denies_everything_by_its_own_name),
		FOR_BOTH(np_36_a_range_may_lead_to_another_extent),
		FOR_BOTH(the_longest_extents_are_searched_to_the_end),
		FOR_BOTH(np_38_protocols_without_ports_need_a_rule_without_ports),
		FOR_BOTH(np_3_ranges_over_all_points_attribute_every_protocol),
		FOR_BOTH(np_38_the_reply_to_an_allowed_echo_passes),
		FOR_BOTH(np_38_icmp_without_an_id_allows_no_requests_back),
		FOR_BOTH(np_38_echo_always_allows_echo_alone),
		FOR_BOTH(np_29_the_v6_default_route_never_matches_ipv4),
		FOR_BOTH(np_29_the_v4_default_route_never_matches_ipv6),
		FOR_BOTH(np_27_a_pods_own_identity_comes_before_its_network),
		FOR_BOTH(np_29_a_pods_two_addresses_may_be_two_identities),
		FOR_BOTH(the_longest_prefix_decides),
		FOR_BOTH(np_40_a_pod_always_reaches_itself),
		FOR_BOTH(np_41_the_own_nodes_sockets_reach_isolated_pods),
		FOR_BOTH(np_44_a_node_address_from_a_device_is_an_ordinary_peer),
		FOR_BOTH(np_41_the_origin_is_kept_for_later_verdicts),
		FOR_BOTH(np_41_a_flow_of_the_node_has_no_packets_from_elsewhere),
		FOR_BOTH(np_42_pods_reach_their_own_node_only),
		FOR_BOTH(np_53_packets_of_a_gated_pod_are_dropped_in_both_directions),
		FOR_BOTH(np_53_an_open_flow_of_a_gated_pod_is_dropped_as_gated),
		FOR_BOTH(with_enforcement_off_denials_pass_and_are_counted),
		FOR_BOTH(a_new_flow_does_not_inherit_not_enforced),
		FOR_BOTH(np_46_policy_sees_the_backend_not_the_frontend),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
