// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ARP, neighbour discovery and MLD from a pod: it speaks for its own addresses and MAC, as a host.
 * What hosts send passes; what speaks for a neighbour or as a router does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/prog_env.h"

#define OPTIONS_MAX 64

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

#define assert_link(sent, reason) assert_sent(sent, TC_ACT_UNSPEC, reason)

/* ---- ARP ---- */

/* What POD_A says of itself. */
static struct packet_arp_spec arp(const struct prog_env *env, uint16_t operation)
{
	struct packet_arp_spec spec = { .operation = operation,
					.dst_mac = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
					.sender = prog_addr(env, POD_A),
					.target = prog_addr(env, POD_B) };

	prog_mac(POD_A, spec.src_mac);
	prog_mac(POD_A, spec.sender_mac);
	return spec;
}

static struct prog_sent send_arp(struct prog_env *env, const struct packet_arp_spec *spec)
{
	struct packet packet = packet_arp(spec);

	return prog_send(env, FROM_POD(POD_A), &packet);
}

static void arp_for_itself_passes(void **state)
{
	struct prog_env *env = *state;

	prog_pod(env, POD_A, 1, 1, 0, WEIR_POD_GATE); /* no policy applies */
	for (uint16_t operation = 1; operation <= 2; operation++) {
		struct packet_arp_spec spec = arp(env, operation);

		assert_link(send_arp(env, &spec), WEIR_NOT_IP);
		spec.target = spec.sender; /* gratuitous */
		assert_link(send_arp(env, &spec), WEIR_NOT_IP);
		memset(spec.target_mac, 0xff, 6);
		assert_link(send_arp(env, &spec), WEIR_NOT_IP);
	}
}

/* RFC 5227: an address is probed for before it is used. */
static void an_arp_probe_for_its_own_address_passes(void **state)
{
	struct prog_env *env = *state;
	struct packet_arp_spec spec = arp(env, 1);

	spec.sender = addr("0.0.0.0");
	spec.target = prog_addr(env, POD_A);
	assert_link(send_arp(env, &spec), WEIR_NOT_IP);
	spec.target = prog_addr(env, POD_B);
	assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
	spec.target = prog_addr(env, POD_A);
	spec.operation = 2;
	assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
}

static void arp_for_a_neighbour_is_dropped(void **state)
{
	static const enum party others[] = { POD_B, NODE, UNLISTED };
	struct prog_env *env = *state;

	for (uint16_t operation = 1; operation <= 2; operation++)
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			struct packet_arp_spec spec = arp(env, operation);

			spec.sender = prog_addr(env, others[i]);
			assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
			spec.target = spec.sender;
			assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
		}
}

static void arp_with_another_mac_is_dropped(void **state)
{
	struct prog_env *env = *state;

	for (int i = 0; i < 6; i++) {
		struct packet_arp_spec spec = arp(env, 2);

		spec.sender_mac[i] ^= 1;
		assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
		spec = arp(env, 2);
		spec.src_mac[i] ^= 1;
		assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_MAC);
	}
}

/* Reverse and inverse ARP, other hardware: nothing that a neighbour needs. */
static void arp_of_another_form_is_dropped(void **state)
{
	static const uint16_t operations[] = { 0, 3, 4, 8, 9, 256 };
	struct prog_env *env = *state;
	struct packet_arp_spec spec = arp(env, 1);
	struct packet whole = packet_arp(&spec), packet;

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		spec = arp(env, operations[i]);
		assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
	}
	for (unsigned int at = 14; at < 20; at++) { /* hardware, protocol, their lengths */
		packet = whole;
		packet.data[at] ^= 0x40;
		assert_dropped(prog_send(env, FROM_POD(POD_A), &packet), WEIR_SPOOFED_ARP);
	}
	whole.len = 14 + 27;
	assert_dropped(prog_send(env, FROM_POD(POD_A), &whole), WEIR_TRUNCATED);
}

static void a_pod_without_ipv4_sends_no_arp(void **state)
{
	struct prog_env *env = *state;
	struct packet_arp_spec spec = arp(env, 1);
	uint32_t slot = PROG_SLOT(POD_A);
	struct weir_pod pod;

	prog_get(env, "pods", &slot, &pod);
	pod.addr[0] = (struct weir_addr){};
	prog_set(env, "pods", &slot, &pod);
	assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
	spec.sender = spec.target = addr("0.0.0.0");
	assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_ARP);
}

static void arp_to_a_pod_passes(void **state)
{
	struct prog_env *env = *state;
	struct packet_arp_spec spec = arp(env, 2);
	struct packet packet = packet_arp(&spec);

	assert_link(prog_send(env, TO_POD(POD_B, PROG_BRIDGE), &packet), WEIR_NOT_IP);
	assert_link(prog_send(env, TO_POD(POD_B, 0), &packet), WEIR_NOT_IP);
}

static void a_pod_that_opted_out_sends_any_arp(void **state)
{
	struct prog_env *env = *state;
	struct packet_arp_spec spec = arp(env, 2);

	spec.sender = prog_addr(env, UNLISTED); /* a virtual address */
	prog_mac(POD_C, spec.src_mac);
	prog_mac(POD_C, spec.sender_mac);
	assert_dropped(send_arp(env, &spec), WEIR_SPOOFED_MAC);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_link(send_arp(env, &spec), WEIR_NOT_IP);
}

/* ---- Neighbour discovery ---- */

enum {
	MLD_QUERY = 130,
	MLD_REPORT = 131,
	MLD_DONE = 132,
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	SOLICITATION = 135,
	ADVERTISEMENT = 136,
	REDIRECT = 137,
	MLD2_REPORT = 143,
};

enum option_type {
	SOURCE_MAC = 1,
	TARGET_MAC = 2,
	NONCE = 14,
};

/* A message of POD_A. */
struct message {
	uint8_t type;
	struct weir_addr src, target; /* target: solicitations and advertisements */
	uint8_t options[OPTIONS_MAX];
	size_t len;
};

static struct message from(uint8_t type, struct weir_addr src)
{
	return (struct message){ .type = type, .src = src };
}

static struct message about(uint8_t type, struct weir_addr src, struct weir_addr target)
{
	return (struct message){ .type = type, .src = src, .target = target };
}

static void add_option(struct message *m, enum option_type type, enum party pod)
{
	uint8_t mac[6];

	prog_mac(pod, mac);
	m->options[m->len] = type;
	m->options[m->len + 1] = 1;
	memcpy(m->options + m->len + 2, mac, 6);
	m->len += 8;
}

static struct packet build(const struct prog_env *env, const struct message *m)
{
	struct packet_spec spec = prog_echo(env, POD_A, POD_B, 0, false);
	bool has_target = m->type == SOLICITATION || m->type == ADVERTISEMENT;

	spec.src = m->src;
	spec.dst = addr("ff02::1");
	spec.icmp_type = m->type;
	spec.hops = m->type < ROUTER_SOLICITATION || m->type == MLD2_REPORT ? 1 : 255;
	spec.payload = 0;
	return packet_neighbour(&spec, has_target ? &m->target : NULL, m->options, m->len);
}

static struct prog_sent say(struct prog_env *env, const struct message *m)
{
	struct packet packet = build(env, m);

	return prog_send(env, FROM_POD(POD_A), &packet);
}

#define PRIVATE "fe80::6d3a:9bff:1e52:7c04" /* a stable privacy address: any interface id */
#define NODE_LINK "fe80::1" /* the node's, as the pods' gateway */

/* fe80::/64 with the interface id of the pod's MAC. */
static struct weir_addr eui64(enum party pod)
{
	struct weir_addr a = addr("fe80::");
	uint8_t mac[6];

	prog_mac(pod, mac);
	a.b[8] = mac[0] ^ 2;
	memcpy(a.b + 9, mac + 1, 2);
	a.b[11] = 0xff;
	a.b[12] = 0xfe;
	memcpy(a.b + 13, mac + 3, 3);
	return a;
}

/* The pod's own addresses. */
static size_t own(const struct prog_env *env, struct weir_addr ret[3])
{
	ret[0] = prog_addr(env, POD_A);
	ret[1] = eui64(POD_A);
	ret[2] = addr(PRIVATE);
	return 3;
}

/* Not the pod's. */
static size_t others(const struct prog_env *env, struct weir_addr ret[6])
{
	struct weir_addr node = addr(NODE_LINK);
	uint32_t kind = WEIR_NODE_OWN;

	prog_set(env, "nodes", &node, &kind);
	ret[0] = prog_addr(env, POD_B);
	ret[1] = eui64(POD_B);
	ret[2] = node;
	ret[3] = prog_addr(env, NODE);
	ret[4] = prog_addr(env, UNLISTED);
	ret[5] = addr("fe80:1::1234"); /* no link-local address that a host makes */
	return 6;
}

static void np_38_what_a_host_says_of_itself_passes(void **state)
{
	struct prog_env *env = *state;
	struct weir_addr mine[3];
	size_t n = own(env, mine);

	prog_pod(env, POD_A, 1, 1, 0, WEIR_POD_GATE);
	for (size_t i = 0; i < n; i++) {
		struct message ask = about(SOLICITATION, mine[i], prog_addr(env, POD_B)),
			       answer = about(ADVERTISEMENT, mine[i], mine[i]),
			       routers = from(ROUTER_SOLICITATION, mine[i]);

		assert_link(say(env, &ask), WEIR_NEIGHBOUR);
		add_option(&ask, SOURCE_MAC, POD_A);
		assert_link(say(env, &ask), WEIR_NEIGHBOUR);
		add_option(&ask, NONCE, POD_C); /* any bytes */
		assert_link(say(env, &ask), WEIR_NEIGHBOUR);
		assert_link(say(env, &answer), WEIR_NEIGHBOUR);
		add_option(&answer, TARGET_MAC, POD_A);
		assert_link(say(env, &answer), WEIR_NEIGHBOUR);
		assert_link(say(env, &routers), WEIR_NEIGHBOUR);
		add_option(&routers, SOURCE_MAC, POD_A);
		assert_link(say(env, &routers), WEIR_NEIGHBOUR);
	}
}

/* Duplicate address detection, and before the first address is there. */
static void np_38_a_host_without_an_address_asks_for_its_own(void **state)
{
	struct prog_env *env = *state;
	struct weir_addr mine[3], not_mine[6];
	size_t n = own(env, mine), n_others = others(env, not_mine);
	struct message routers = from(ROUTER_SOLICITATION, addr("::"));

	assert_link(say(env, &routers), WEIR_NEIGHBOUR);
	for (size_t i = 0; i < n; i++) {
		struct message ask = about(SOLICITATION, addr("::"), mine[i]);

		assert_link(say(env, &ask), WEIR_NEIGHBOUR);
		add_option(&ask, NONCE, POD_A);
		assert_link(say(env, &ask), WEIR_NEIGHBOUR);
	}
	for (size_t i = 0; i < n_others; i++) {
		struct message ask = about(SOLICITATION, addr("::"), not_mine[i]);

		assert_dropped(say(env, &ask), WEIR_SPOOFED_NEIGHBOUR);
	}
}

static void np_38_mld_reports_pass(void **state)
{
	static const uint8_t types[] = { MLD_REPORT, MLD_DONE, MLD2_REPORT };
	struct prog_env *env = *state;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct message m = from(types[i], addr("::"));

		assert_link(say(env, &m), WEIR_NEIGHBOUR);
		m.src = eui64(POD_A);
		assert_link(say(env, &m), WEIR_NEIGHBOUR);
		m.src = eui64(POD_B);
		assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
	}
}

static void an_advertisement_of_another_address_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct weir_addr not_mine[6];
	size_t n = others(env, not_mine);

	for (size_t i = 0; i < n; i++) {
		struct message m = about(ADVERTISEMENT, prog_addr(env, POD_A), not_mine[i]);

		assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
		add_option(&m, TARGET_MAC, POD_A);
		assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
	}
}

static void a_message_from_another_address_is_dropped(void **state)
{
	static const uint8_t types[] = { SOLICITATION, ADVERTISEMENT, ROUTER_SOLICITATION };
	struct prog_env *env = *state;
	struct weir_addr not_mine[6];
	size_t n = others(env, not_mine);
	struct message m;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
			m = about(types[k], not_mine[i], prog_addr(env, POD_A));

			add_option(&m, SOURCE_MAC, POD_A);
			assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
		}
	m = about(ADVERTISEMENT, addr("::"), prog_addr(env, POD_A));
	assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
}

static void a_message_with_another_mac_is_dropped(void **state)
{
	static const uint8_t types[] = { SOLICITATION, ADVERTISEMENT, ROUTER_SOLICITATION };
	struct prog_env *env = *state;

	for (size_t k = 0; k < ARRAY_SIZE(types); k++)
		for (enum option_type option = SOURCE_MAC; option <= TARGET_MAC; option++) {
			struct message m =
				about(types[k], prog_addr(env, POD_A), prog_addr(env, POD_A));

			add_option(&m, option, POD_B);
			assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
			m.len = 0;
			add_option(&m, NONCE, POD_A);
			add_option(&m, option, POD_A);
			add_option(&m, option, POD_B);
			assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
		}
}

static void a_frame_with_another_mac_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct message m = about(ADVERTISEMENT, prog_addr(env, POD_A), prog_addr(env, POD_A));
	struct packet packet = build(env, &m);

	prog_mac(POD_B, packet.data + 6);
	assert_dropped(prog_send(env, FROM_POD(POD_A), &packet), WEIR_SPOOFED_MAC);
}

/* No option is left unread. */
static void options_that_cannot_be_read_are_dropped(void **state)
{
	struct prog_env *env = *state;
	struct message m = about(ADVERTISEMENT, prog_addr(env, POD_A), prog_addr(env, POD_A));

	add_option(&m, TARGET_MAC, POD_A);
	m.options[1] = 0;
	assert_dropped(say(env, &m), WEIR_BAD_HEADER);
	m.options[1] = 2; /* longer than a MAC, or than the message */
	assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
	m.options[0] = NONCE;
	assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
	m.len = 4;
	assert_dropped(say(env, &m), WEIR_TRUNCATED);
	m.len = 0;
	for (int i = 0; i < 5; i++)
		add_option(&m, i < 4 ? NONCE : TARGET_MAC, i < 4 ? POD_A : POD_B);
	assert_dropped(say(env, &m), WEIR_SPOOFED_NEIGHBOUR);
}

static void a_pod_is_no_router(void **state)
{
	static const uint8_t types[] = { ROUTER_ADVERTISEMENT, REDIRECT, MLD_QUERY };
	struct prog_env *env = *state;

	for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
		struct message m = from(types[k], eui64(POD_A));
		struct packet packet = build(env, &m);

		assert_dropped(say(env, &m), WEIR_ROUTER_MESSAGE);
		assert_link(prog_send(env, TO_POD(POD_B, PROG_BRIDGE), &packet), WEIR_NEIGHBOUR);
	}
}

static void a_pod_that_opted_out_says_anything(void **state)
{
	struct prog_env *env = *state;
	struct message router = from(ROUTER_ADVERTISEMENT, eui64(POD_A)),
		       other = about(ADVERTISEMENT, prog_addr(env, UNLISTED),
				     prog_addr(env, UNLISTED));

	add_option(&other, TARGET_MAC, POD_C);
	prog_pod(env, POD_A, 0, 0, 0, WEIR_POD_ANY_SENDER);
	assert_link(say(env, &router), WEIR_NEIGHBOUR);
	assert_link(say(env, &other), WEIR_NEIGHBOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROG_TEST_V4(arp_for_itself_passes),
		PROG_TEST_V4(an_arp_probe_for_its_own_address_passes),
		PROG_TEST_V4(arp_for_a_neighbour_is_dropped),
		PROG_TEST_V4(arp_with_another_mac_is_dropped),
		PROG_TEST_V4(arp_of_another_form_is_dropped),
		PROG_TEST_V4(a_pod_without_ipv4_sends_no_arp),
		PROG_TEST_V4(arp_to_a_pod_passes),
		PROG_TEST_V4(a_pod_that_opted_out_sends_any_arp),
		PROG_TEST_V6(np_38_what_a_host_says_of_itself_passes),
		PROG_TEST_V6(np_38_a_host_without_an_address_asks_for_its_own),
		PROG_TEST_V6(np_38_mld_reports_pass),
		PROG_TEST_V6(an_advertisement_of_another_address_is_dropped),
		PROG_TEST_V6(a_message_from_another_address_is_dropped),
		PROG_TEST_V6(a_message_with_another_mac_is_dropped),
		PROG_TEST_V6(a_frame_with_another_mac_is_dropped),
		PROG_TEST_V6(options_that_cannot_be_read_are_dropped),
		PROG_TEST_V6(a_pod_is_no_router),
		PROG_TEST_V6(a_pod_that_opted_out_says_anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
