// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Diagnostics that are shared by many objects: one line each, with the first places and a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/diag_group.h"
#include "base/mem.h"

static void add(struct diag_groups *groups, struct diag_list *list, const char *key, int line)
{
	diag_add_grouped(groups, list, key,
			 &(struct diag){ .level = DIAG_WARNING,
					 .src = { "a.yaml", line, 1 },
					 .object = "Pod x/y",
					 .path = "spec",
					 .message = "text" });
}

static void assert_text(const struct diag_list *list, const char *expected)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	diag_print(list, out);
	fclose(out);
	assert_string_equal(text, expected);
}

static void equal_ones_are_one_line_with_places_and_a_number(void **state)
{
	static const char *const expected[] = {
		"a.yaml:1:1: warning: Pod x/y: spec: text\n",
		"a.yaml:1:1: warning: Pod x/y: spec: text (also at a.yaml:2:1)\n",
		"a.yaml:1:1: warning: Pod x/y: spec: text (also at a.yaml:2:1 and a.yaml:3:1)\n",
		"a.yaml:1:1: warning: Pod x/y: spec: text (also at a.yaml:2:1, a.yaml:3:1 and 1 more)\n",
		"a.yaml:1:1: warning: Pod x/y: spec: text (also at a.yaml:2:1, a.yaml:3:1 and 2 more)\n",
	};
	struct diag_groups groups = {};
	struct diag_list list = {};

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		add(&groups, &list, "key", (int)i + 1);
		assert_text(&list, expected[i]);
	}
	add(&groups, &list, "other", 9);
	assert_int_equal(list.n, 2);
	diag_groups_free(&groups);
	diag_free(&list);
}

static void a_dropped_one_can_be_added_again(void **state)
{
	struct diag_groups groups = {};
	struct diag_list list = {};

	add(&groups, &list, "kept", 1);
	add(&groups, &list, "dropped", 2);
	diag_groups_drop(&groups, 1);
	diag_drop(&list, 1);
	assert_text(&list, "a.yaml:1:1: warning: Pod x/y: spec: text\n");
	add(&groups, &list, "dropped", 3);
	add(&groups, &list, "kept", 4);
	assert_text(&list, "a.yaml:1:1: warning: Pod x/y: spec: text (also at a.yaml:4:1)\n"
			   "a.yaml:3:1: warning: Pod x/y: spec: text\n");
	diag_groups_free(&groups);
	diag_free(&list);
}

static void strict_warnings_are_errors_and_notes_are_not(void **state)
{
	struct diag_list list = {};

	diag_add(&list, DIAG_NOTE, NULL, NULL, NULL, NULL, "a note");
	diag_add(&list, DIAG_WARNING, NULL, NULL, NULL, NULL, "a warning");
	diag_add(&list, DIAG_ERROR, "E001", NULL, NULL, NULL, "an error");
	diag_make_strict(&list, "E037");
	assert_int_equal(list.errors, 2);
	assert_text(&list, "note: a note\nerror E037: a warning\nerror E001: an error\n");
	diag_drop(&list, 2);
	assert_int_equal(list.errors, 1);
	diag_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_ones_are_one_line_with_places_and_a_number),
		cmocka_unit_test(a_dropped_one_can_be_added_again),
		cmocka_unit_test(strict_warnings_are_errors_and_notes_are_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
