/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Port ranges of several rules become disjoint: on examples, and against a loop over every port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <weir/policy.h>

#include "base/mem.h"
#include "compile/ranges.h"

static void check(struct range_list *in, const struct range *want, size_t n)
{
	_cleanup_(range_list_free) struct range_list out = {};

	ranges_flatten(in, &out);
	assert_int_equal(out.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(out.items[i].low, want[i].low);
		assert_int_equal(out.items[i].high, want[i].high);
		assert_int_equal(out.items[i].rank, want[i].rank);
	}
	range_list_free(in);
}

#define TCP(port) ((uint32_t)IPPROTO_TCP << 16 | (port))
#define UDP(port) ((uint32_t)IPPROTO_UDP << 16 | (port))
#define LAST WEIR_PORT_POINT_MAX

static void np_36_a_port_of_several_rules_belongs_to_the_first(void **state)
{
	struct range_list in = {};
	const struct range want[] = { { TCP(10), TCP(19), 2 },
				      { TCP(20), TCP(30), 1 },
				      { TCP(31), TCP(40), 2 } };

	range_add(&in, IPPROTO_TCP, 10, 40, 2);
	range_add(&in, IPPROTO_TCP, 20, 30, 1);
	check(&in, want, ARRAY_SIZE(want));
}

static void adjacent_ranges_of_one_rule_are_merged(void **state)
{
	struct range_list in = {};
	const struct range want[] = { { TCP(80), TCP(82), 1 },
				      { TCP(83), TCP(83), 2 },
				      { TCP(84), TCP(84), 1 } };

	range_add(&in, IPPROTO_TCP, 82, 82, 1);
	range_add(&in, IPPROTO_TCP, 80, 80, 1);
	range_add(&in, IPPROTO_TCP, 81, 81, 1);
	range_add(&in, IPPROTO_TCP, 84, 84, 1);
	range_add(&in, IPPROTO_TCP, 83, 83, 2);
	check(&in, want, ARRAY_SIZE(want));
}

static void np_37_ranges_of_two_protocols_are_not_merged(void **state)
{
	struct range_list in = {};
	const struct range want[] = { { TCP(0), TCP(65535), 1 }, { UDP(0), UDP(65535), 1 } };

	range_add(&in, IPPROTO_UDP, 0, 65535, 1);
	range_add(&in, IPPROTO_TCP, 0, 65535, 1);
	range_add(&in, IPPROTO_TCP, 65535, 65535, 3);
	check(&in, want, ARRAY_SIZE(want));
}

static void np_13_a_rule_without_ports_gets_the_remaining_points(void **state)
{
	struct range_list in = {};
	const struct range want[] = {
		{ 0, TCP(79), 5 },       { TCP(80), TCP(80), 3 }, { TCP(81), UDP(52), 5 },
		{ UDP(53), UDP(53), 4 }, { UDP(54), LAST, 5 },
	};
	const struct range ends[] = { { 0, TCP(65534), 5 },
				      { TCP(65535), UDP(0), 3 },
				      { UDP(1), LAST, 5 } };

	range_add(&in, IPPROTO_UDP, 53, 53, 4);
	range_add_all(&in, 5);
	range_add(&in, IPPROTO_TCP, 80, 80, 3);
	range_add(&in, IPPROTO_TCP, 1, 65535, 6);
	check(&in, want, ARRAY_SIZE(want));
	*VEC_ADD(in.items, in.n, in.cap) = (struct range){ TCP(65535), UDP(0), 3 };
	range_add_all(&in, 5);
	check(&in, ends, ARRAY_SIZE(ends));
}

static void np_13_a_first_rule_without_ports_is_one_range(void **state)
{
	struct range_list in = {};
	const struct range want[] = { { 0, LAST, 2 } };

	range_add_all(&in, 2);
	range_add(&in, IPPROTO_TCP, 0, 65535, 3);
	range_add(&in, IPPROTO_SCTP, 9, 9, 4);
	check(&in, want, ARRAY_SIZE(want));
}

static void an_empty_range_gives_no_range(void **state)
{
	struct range_list in = {};

	range_add(&in, IPPROTO_TCP, 80, 79, 1); /* Y24 */
	check(&in, NULL, 0);
}

#define PORTS 400
#define ICMP ((uint32_t)IPPROTO_ICMP << 16)

/* The lowest rank of the ranges with this point; 0: none. */
static uint32_t naive(const struct range_list *in, uint32_t point)
{
	uint32_t rank = 0;

	for (size_t i = 0; i < in->n; i++)
		if (in->items[i].low <= point && point <= in->items[i].high &&
		    (!rank || in->items[i].rank < rank))
			rank = in->items[i].rank;
	return rank;
}

static void random_ranges_give_the_same_as_a_loop(void **state)
{
	unsigned int seed = 7;

	for (int round = 0; round < 500; round++) {
		_cleanup_(range_list_free) struct range_list in = {}, out = {};
		int n = rand_r(&seed) % 20;

		for (int i = 0; i < n; i++) {
			uint16_t low = rand_r(&seed) % PORTS,
				 high = low + rand_r(&seed) % (PORTS - low);

			range_add(&in, IPPROTO_TCP, low, high, 1 + rand_r(&seed) % 6);
		}
		if (rand_r(&seed) % 2)
			range_add_all(&in, 1 + rand_r(&seed) % 6);
		ranges_flatten(&in, &out);
		assert_int_equal(naive(&out, ICMP), naive(&in, ICMP));
		assert_int_equal(naive(&out, LAST), naive(&in, LAST));
		for (uint32_t port = 0; port < PORTS; port++)
			assert_int_equal(naive(&out, TCP(port)), naive(&in, TCP(port)));
		for (size_t i = 1; i < out.n; i++) {
			assert_true(out.items[i - 1].high < out.items[i].low);
			assert_false(out.items[i - 1].high + 1 == out.items[i].low &&
				     out.items[i - 1].rank == out.items[i].rank);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(np_36_a_port_of_several_rules_belongs_to_the_first),
		cmocka_unit_test(adjacent_ranges_of_one_rule_are_merged),
		cmocka_unit_test(np_37_ranges_of_two_protocols_are_not_merged),
		cmocka_unit_test(np_13_a_rule_without_ports_gets_the_remaining_points),
		cmocka_unit_test(np_13_a_first_rule_without_ports_is_one_range),
		cmocka_unit_test(an_empty_range_gives_no_range),
		cmocka_unit_test(random_ranges_give_the_same_as_a_loop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
