// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Addresses and prefixes: what is accepted, canonical text, containment, order. */
#include "kube_test.h"

static void assert_parses(const char *text, const char *canonical)
{
	struct weir_addr a;
	char buf[ADDR_TEXT_MAX];

	assert_int_equal(addr_parse(text, &a), 0);
	assert_string_equal(addr_text(&a, buf), canonical);
}

static void parse_4_leading_zeros_are_decimal_and_mapped_addresses_are_ipv4(void **state)
{
	struct weir_addr plain, sloppy, mapped;

	assert_parses("010.0.0.01", "10.0.0.1");
	assert_parses("::ffff:192.0.2.1", "192.0.2.1");
	assert_parses("2001:DB8:0:0::1", "2001:db8::1");
	assert_int_equal(addr_parse("10.1.2.3", &plain), 0);
	assert_int_equal(addr_parse("010.001.002.003", &sloppy), 0);
	assert_int_equal(addr_parse("::FFFF:a01:203", &mapped), 0);
	assert_true(weir_addr_equal(&plain, &sloppy) && weir_addr_equal(&plain, &mapped));
	assert_int_equal(addr_family(&mapped), 0);
}

static void malformed_addresses_are_refused_and_leave_the_output_alone(void **state)
{
	static const char *const wrong[] = { "",          "1.2.3",        "1.2.3.4.5",
					     "256.0.0.1", "1.2.3.4 ",     " 1.2.3.4",
					     "1.2.3.-4",  "1.2.3.4/8",    "::g",
					     "1::2::3",   "fe80::1%eth0", "1..2.3",
					     "+1.2.3.4",  "0x1.2.3.4",    "99999999999.1.1.1" };
	struct weir_addr a;

	memset(&a, 0xaa, sizeof(a));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (addr_parse(wrong[i], &a) != -EINVAL)
			fail_msg("\"%s\" was accepted", wrong[i]);
		assert_int_equal(a.b[15], 0xaa);
	}
}

static void assert_cidr(const char *text, const char *canonical)
{
	struct cidr c;
	char buf[ADDR_TEXT_MAX];

	assert_int_equal(cidr_parse(text, &c), 0);
	assert_string_equal(cidr_text(&c, buf), canonical);
}

static void parse_5_host_bits_are_cleared_and_blanks_trimmed(void **state)
{
	assert_cidr("10.0.0.5/8", "10.0.0.0/8");
	assert_cidr(" \t192.0.2.7/32\n", "192.0.2.7/32");
	assert_cidr("0.0.0.0/0", "0.0.0.0/0");
	assert_cidr("::/0", "::/0");
	assert_cidr("2001:db8::1/127", "2001:db8::/127");
	assert_cidr("::ffff:10.1.2.3/104", "10.0.0.0/8");
}

static void malformed_blocks_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",         "10.0.0.0",    "10.0.0.0/",   "10.0.0.0/33",
		"::/129",   "10.0.0.0/-1", "10.0.0.0/8x", "/8",
		"10.0.0/8", "::/ 0",       "10.0.0.0/+8", "10.0.0.0/99999999999999999999"
	};
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (cidr_parse(wrong[i], &c) != -EINVAL)
			fail_msg("\"%s\" was accepted", wrong[i]);
}

static bool holds(const char *block, const char *address)
{
	struct weir_addr a;
	struct cidr c;

	assert_int_equal(cidr_parse(block, &c), 0);
	assert_int_equal(addr_parse(address, &a), 0);
	return cidr_holds(&c, &a);
}

static void np_29_a_block_holds_no_address_of_the_other_family(void **state)
{
	assert_true(holds("0.0.0.0/0", "203.0.113.9"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("::/0", "2001:db8::1"));
	assert_false(holds("::/0", "203.0.113.9"));
	assert_false(holds("::/0", "::ffff:203.0.113.9"));
	assert_false(holds("::/80", "203.0.113.9"));
}

static void blocks_hold_addresses_exact_to_the_bit(void **state)
{
	assert_true(holds("10.0.0.0/9", "10.127.255.255"));
	assert_false(holds("10.0.0.0/9", "10.128.0.0"));
	assert_true(holds("192.0.2.1/32", "192.0.2.1"));
	assert_false(holds("192.0.2.1/32", "192.0.2.0"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::"));
}

static void an_outer_block_sorts_before_its_inner_blocks(void **state)
{
	struct cidr outer, inner, next;

	cidr_parse("10.0.0.0/8", &outer);
	cidr_parse("10.0.0.0/16", &inner);
	cidr_parse("11.0.0.0/8", &next);
	assert_true(cidr_compare(&outer, &inner) < 0);
	assert_true(cidr_compare(&inner, &next) < 0);
	assert_int_equal(cidr_compare(&next, &next), 0);
	assert_true(cidr_holds_cidr(&outer, &inner) && cidr_holds_cidr(&outer, &outer));
	assert_false(cidr_holds_cidr(&inner, &outer) || cidr_holds_cidr(&outer, &next));
}

static void protocols_are_parsed_and_printed_by_name(void **state)
{
	assert_int_equal(proto_parse("TCP"), 6);
	assert_int_equal(proto_parse("sctp"), 132);
	assert_int_equal(proto_parse("ICMP"), 0);
	assert_string_equal(proto_text(17), "UDP");
	assert_string_equal(proto_text(1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_4_leading_zeros_are_decimal_and_mapped_addresses_are_ipv4),
		cmocka_unit_test(malformed_addresses_are_refused_and_leave_the_output_alone),
		cmocka_unit_test(parse_5_host_bits_are_cleared_and_blanks_trimmed),
		cmocka_unit_test(malformed_blocks_are_refused),
		cmocka_unit_test(np_29_a_block_holds_no_address_of_the_other_family),
		cmocka_unit_test(blocks_hold_addresses_exact_to_the_bit),
		cmocka_unit_test(an_outer_block_sorts_before_its_inner_blocks),
		cmocka_unit_test(protocols_are_parsed_and_printed_by_name),
	};

	return run_group("base_addr", tests, ARRAY_SIZE(tests));
}
