// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which known word is proposed for a misspelt one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/near.h"

static void distance_counts_changed_letters_and_swapped_pairs(void **state)
{
	assert_int_equal(near_distance("", ""), 0);
	assert_int_equal(near_distance("n1", "n1"), 0);
	assert_int_equal(near_distance("nn1", "n1"), 1);
	assert_int_equal(near_distance("n1", "nn1"), 1);
	assert_int_equal(near_distance("n1", "m1"), 1);
	assert_int_equal(near_distance("ndoe", "node"), 1);
	assert_int_equal(near_distance("", "abc"), 3);
	assert_int_equal(near_distance("kitten", "sitting"), 3);
}

static void the_nearest_word_is_proposed(void **state)
{
	static const char *const words[] = { "control-plane", "n1", "worker-1", "worker-22" };

	assert_string_equal(near_word("nn1", words, ARRAY_SIZE(words)), "n1");
	assert_string_equal(near_word("N1", words, ARRAY_SIZE(words)), "n1");
	assert_string_equal(near_word("woker-22", words, ARRAY_SIZE(words)), "worker-22");
	assert_string_equal(near_word("controlplane", words, ARRAY_SIZE(words)), "control-plane");
}

static void distant_or_ambiguous_words_are_not_proposed(void **state)
{
	static const char *const words[] = { "n1", "n2", "n3" };
	char longest[NEAR_LEN_MAX + 2];
	const char *const one[] = { longest };

	assert_null(near_word("gateway", words, ARRAY_SIZE(words)));
	assert_null(near_word("n9", words, ARRAY_SIZE(words)));
	assert_null(near_word("n1", words, 0));
	memset(longest, 'a', sizeof(longest));
	longest[NEAR_LEN_MAX + 1] = 0;
	assert_null(near_word("a", one, 1));
	assert_null(near_word(longest, words, ARRAY_SIZE(words)));
	longest[NEAR_LEN_MAX] = 0;
	assert_ptr_equal(near_word(longest + 1, one, 1), longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_changed_letters_and_swapped_pairs),
		cmocka_unit_test(the_nearest_word_is_proposed),
		cmocka_unit_test(distant_or_ambiguous_words_are_not_proposed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
