// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which tables are reported when they fill up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspect/fill.h"

static void tables_that_refuse_or_drop_when_full_are_reported(void **state)
{
	static const enum weir_map maps[] = { WEIR_MAP_pods, WEIR_MAP_policy_rules,
					      WEIR_MAP_conntrack, WEIR_MAP_rule_hits };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		assert_true(live_fills_up(maps[i]));
}

static void tables_that_replace_their_oldest_are_not_reported(void **state)
{
	static const enum weir_map maps[] = { WEIR_MAP_rejects,      WEIR_MAP_fragments,
					      WEIR_MAP_closing_keys, WEIR_MAP_rejects,
					      WEIR_MAP_tail_calls,   WEIR_MAP_gc_free };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		assert_false(live_fills_up(maps[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_that_refuse_or_drop_when_full_are_reported),
		cmocka_unit_test(tables_that_replace_their_oldest_are_not_reported),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
