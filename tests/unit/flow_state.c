// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The state of a connection from its flags, and the key of an entry's reverse entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <weir/flow.h>

static void tcp_opens_by_the_third_packet_and_closes_by_both_fins_or_a_proven_reset(void **state)
{
	const uint32_t seen = WEIR_FLOW_SEEN_BOTH, open = seen | WEIR_FLOW_OPEN;

	assert_int_equal(weir_flow_state(WEIR_FLOW_SEEN_ORIG, IPPROTO_TCP), WEIR_STATE_OPENING);
	assert_int_equal(weir_flow_state(seen, IPPROTO_TCP), WEIR_STATE_OPENING);
	assert_int_equal(weir_flow_state(open, IPPROTO_TCP), WEIR_STATE_OPEN);
	assert_int_equal(weir_flow_state(open | WEIR_FLOW_FIN_ORIG, IPPROTO_TCP), WEIR_STATE_OPEN);
	assert_int_equal(weir_flow_state(open | WEIR_FLOW_FIN_REPLY, IPPROTO_TCP), WEIR_STATE_OPEN);
	assert_int_equal(weir_flow_state(open | WEIR_FLOW_FIN_BOTH, IPPROTO_TCP),
			 WEIR_STATE_CLOSING);
	assert_int_equal(
		weir_flow_state(open | WEIR_FLOW_RST_ORIG | WEIR_FLOW_RST_PROVEN_ORIG, IPPROTO_TCP),
		WEIR_STATE_CLOSING);
	assert_int_equal(weir_flow_state(open | WEIR_FLOW_RST_ORIG, IPPROTO_TCP), WEIR_STATE_OPEN);
	assert_int_equal(weir_flow_state(open | WEIR_FLOW_RST_ORIG | WEIR_FLOW_RST_PROVEN_REPLY,
					 IPPROTO_TCP),
			 WEIR_STATE_OPEN);
	assert_int_equal(weir_flow_state(WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_RST_REPLY, IPPROTO_TCP),
			 WEIR_STATE_CLOSING);
}

static void other_protocols_are_one_way_or_answered(void **state)
{
	static const uint8_t protos[] = { IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ESP };

	for (size_t i = 0; i < sizeof(protos); i++) {
		assert_int_equal(weir_flow_state(WEIR_FLOW_SEEN_ORIG, protos[i]),
				 WEIR_STATE_ONE_WAY);
		assert_int_equal(weir_flow_state(WEIR_FLOW_SEEN_BOTH, protos[i]),
				 WEIR_STATE_ANSWERED);
		assert_int_equal(weir_flow_state(WEIR_FLOW_SEEN_BOTH | WEIR_FLOW_OPEN, protos[i]),
				 WEIR_STATE_ANSWERED);
	}
}

struct pair {
	struct weir_tuple key[2]; /* forward, reply */
	struct weir_flow flow[2];
};

/* Client c:1000 to frontend f:80, backend b:8080; the backend sees the client as port nat_port. */
static struct pair make(const char *c, const char *f, const char *b, uint16_t nat_port,
			uint8_t zone)
{
	struct weir_addr client = weir_addr_from_v4(inet_addr(c)),
			 front = weir_addr_from_v4(inet_addr(f)),
			 back = weir_addr_from_v4(inet_addr(b));
	uint32_t flags = WEIR_FLOW_TRANSLATED | (zone ? WEIR_FLOW_ZONED : 0);
	struct pair p = {};

	p.flow[0] =
		(struct weir_flow){ .nat_addr = back, .nat_port_be = htons(8080), .flags = flags };
	p.flow[1] =
		(struct weir_flow){ .nat_addr = front, .nat_port_be = htons(80), .flags = flags };
	p.flow[0].nat_cport_be = htons(nat_port);
	p.flow[1].nat_cport_be = htons(1000);
	p.flow[1].flags |= WEIR_FLOW_REPLY;
	if (weir_tuple_make(&p.key[0], &client, htons(1000), &front, htons(80), IPPROTO_TCP, zone))
		p.flow[0].flags |= WEIR_FLOW_ORIG_FIRST;
	if (weir_tuple_make(&p.key[1], &client, htons(nat_port), &back, htons(8080), IPPROTO_TCP,
			    0))
		p.flow[1].flags |= WEIR_FLOW_ORIG_FIRST;
	return p;
}

static void each_entry_of_a_pair_has_the_key_of_its_reverse_entry(void **state)
{
	static const char *const ends[][3] = {
		{ "10.0.0.5", "10.0.0.1", "10.0.0.9" }, { "10.0.0.5", "10.0.0.9", "10.0.0.1" },
		{ "10.0.0.1", "10.0.0.5", "10.0.0.9" }, { "10.0.0.9", "10.0.0.5", "10.0.0.1" },
		{ "10.0.0.5", "10.0.0.1", "10.0.0.1" },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (int zone = 0; zone < 2; zone++) {
			struct pair p = make(ends[i][0], ends[i][1], ends[i][2], 61000, zone),
				    other = make(ends[i][0], ends[i][1], ends[i][2], 61001, zone);

			for (int k = 0; k < 2; k++) {
				struct weir_tuple rev;

				weir_flow_rev_key(&p.key[k], &p.flow[k], &rev);
				assert_memory_equal(&rev, &p.key[!k], sizeof(rev));
				assert_true(weir_flow_is_rev(&p.key[k], &p.flow[k], &p.flow[!k]));
				assert_false(weir_flow_is_rev(&p.key[k], &p.flow[k], &p.flow[k]));
			}
			assert_false(weir_flow_is_rev(&p.key[1], &p.flow[1], &other.flow[0]));
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			tcp_opens_by_the_third_packet_and_closes_by_both_fins_or_a_proven_reset),
		cmocka_unit_test(other_protocols_are_one_way_or_answered),
		cmocka_unit_test(each_entry_of_a_pair_has_the_key_of_its_reverse_entry),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
