// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which pods are shown as over their share of the connection table, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspect/shares.h"

#define SLOTS 4096

static struct weir_config table(uint32_t entries, uint32_t half_open)
{
	return (struct weir_config){
		.gc_slots = SLOTS,
		.entries = entries,
		.flow_share = SLOTS / 8,
		.half_open_max = SLOTS / 8,
		.half_open = half_open,
		.half_open_share = SLOTS / 64,
	};
}

static enum live_share_state state_of(struct weir_config config, uint32_t entries,
				      uint32_t half_open)
{
	struct weir_flow_share flows = { .entries = entries, .half_open = half_open };

	return live_share_state(&config, &flows);
}

static void below_half_of_the_table_no_pod_is_over_its_share(void **state)
{
	assert_int_equal(state_of(table(SLOTS / 2, 0), SLOTS / 2, 0), LIVE_SHARE_WITHIN);
	assert_int_equal(state_of(table(SLOTS / 2 + 1, 0), SLOTS / 2 + 1, 0), LIVE_SHARE_OVER);
}

static void above_half_only_a_pod_with_more_than_its_share_is_over_it(void **state)
{
	assert_int_equal(state_of(table(SLOTS - 1, 0), SLOTS / 8, 0), LIVE_SHARE_WITHIN);
	assert_int_equal(state_of(table(SLOTS - 1, 0), SLOTS / 8 + 1, 0), LIVE_SHARE_OVER);
}

static void half_open_flows_have_a_share_of_their_own(void **state)
{
	assert_int_equal(state_of(table(300, SLOTS / 16), 100, 100), LIVE_SHARE_WITHIN);
	assert_int_equal(state_of(table(300, SLOTS / 16 + 1), 100, SLOTS / 64), LIVE_SHARE_WITHIN);
	assert_int_equal(state_of(table(300, SLOTS / 16 + 1), 100, SLOTS / 64 + 1),
			 LIVE_SHARE_OVER_HALF_OPEN);
}

static void a_pod_over_both_shares_is_over_that_of_all_flows(void **state)
{
	assert_int_equal(state_of(table(SLOTS - 1, SLOTS / 8), SLOTS / 2, SLOTS / 8),
			 LIVE_SHARE_OVER);
}

/* Several CPUs count at once: a figure may be below 0 for an instant. */
static void a_count_below_zero_is_not_over_the_share(void **state)
{
	assert_int_equal(state_of(table(SLOTS - 1, SLOTS / 8), -1, -1), LIVE_SHARE_WITHIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_half_of_the_table_no_pod_is_over_its_share),
		cmocka_unit_test(above_half_only_a_pod_with_more_than_its_share_is_over_it),
		cmocka_unit_test(half_open_flows_have_a_share_of_their_own),
		cmocka_unit_test(a_pod_over_both_shares_is_over_that_of_all_flows),
		cmocka_unit_test(a_count_below_zero_is_not_over_the_share),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
