// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Options by table: what is accepted, what is refused and how, and help for every row. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/options.h"

struct values {
	bool flag;
	unsigned int count;
	const char *text, *choice;
	uint32_t number;
	struct option_list list;
};

static const struct option_row first[] = {
	{ "flag", 'g', NULL, OPTION_FLAG, offsetof(struct values, flag), "a flag" },
	{ "verbose", 'v', NULL, OPTION_COUNT, offsetof(struct values, count), "more" },
	{ "text", 't', "TEXT", OPTION_TEXT, offsetof(struct values, text), "a text" },
	{},
};

static const struct option_row second[] = {
	{ "color", 0, "auto|always|never", OPTION_CHOICE, offsetof(struct values, choice),
	  "a choice" },
	{ "number", 'n', "N", OPTION_NUMBER, offsetof(struct values, number), "a number" },
	{ "file", 'f', "PATH", OPTION_LIST, offsetof(struct values, list), "a list" },
	{},
};

static const struct option_row *const tables[] = { first, second, NULL };

struct run {
	struct values v;
	struct weir_err err;
	char words[256], *argv[16];
	int n, r;
};

/* words: separated by one blank */
static void parse(struct run *run, const char *words)
{
	char *rest = run->words, *word;
	int argc = 0;

	*run = (struct run){};
	snprintf(run->words, sizeof(run->words), "%s", words);
	while ((word = strsep(&rest, " ")))
		run->argv[argc++] = word;
	run->r = options_parse(tables, &run->v, argc, run->argv, &run->n, &run->err);
}

static void values_may_be_attached_or_follow(void **state)
{
	static const char *const forms[] = { "--text x", "--text=x", "-t x", "-tx",
					     "-t=x",     "-gt x",    "-gvtx" };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct run run;

		parse(&run, forms[i]);
		if (run.r)
			fail_msg("%s: %s", forms[i], run.err.text);
		assert_string_equal(run.v.text, "x");
		assert_int_equal(run.n, 0);
	}
}

static void options_are_read_anywhere_before_two_dashes(void **state)
{
	struct run run;

	parse(&run, "a --flag b -f x c -- --text -v");
	assert_int_equal(run.r, 0);
	assert_true(run.v.flag);
	assert_int_equal(run.n, 5);
	assert_string_equal(run.argv[0], "a");
	assert_string_equal(run.argv[2], "c");
	assert_string_equal(run.argv[3], "--text");
	assert_string_equal(run.argv[4], "-v");
	assert_int_equal(run.v.count, 0);
	free(run.v.list.items);
}

static void lists_and_counts_accumulate(void **state)
{
	struct run run;

	parse(&run, "-f a -vv --file=b --verbose -f -");
	assert_int_equal(run.r, 0);
	assert_int_equal(run.v.list.n, 3);
	assert_string_equal(run.v.list.items[1], "b");
	assert_string_equal(run.v.list.items[2], "-");
	assert_int_equal(run.v.count, 3);
	free(run.v.list.items);
}

static void option_names_match_exactly(void **state)
{
	static const char *const unknown[] = { "--fla", "--flagg", "--Flag", "-x",
					       "-gx",   "---flag", "--=x" };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct run run;

		parse(&run, unknown[i]);
		assert_int_equal(run.r, -EINVAL);
		assert_non_null(strstr(run.err.text, "unknown option"));
	}
}

static void refusals_name_the_expected_value(void **state)
{
	static const char *const cases[][2] = {
		{ "--color blue", "auto|always|never" },
		{ "--color auto|always", "not one of" },
		{ "--color=", "not one of" },
		{ "--number ten", "not a number" },
		{ "-n -1", "not a number" },
		{ "-n 4294967296", "not a number" },
		{ "--number 0", "0 is too small: give 1 or more" },
		{ "--number 00", "give 1 or more" },
		{ "--text", "needs a value" },
		{ "-f", "needs a value" },
		{ "--flag=yes", "takes no value" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run run;

		parse(&run, cases[i][0]);
		assert_int_equal(run.r, -EINVAL);
		if (!strstr(run.err.text, cases[i][1]))
			fail_msg("%s: '%s' lacks '%s'", cases[i][0], run.err.text, cases[i][1]);
	}
}

static void help_shows_every_row(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	options_help(first, out);
	options_help(second, out);
	fclose(out);
	assert_non_null(strstr(text, "  -g, --flag                   a flag\n"));
	assert_non_null(strstr(text, "--color auto|always|never"));
	assert_non_null(strstr(text, "-f, --file PATH"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_may_be_attached_or_follow),
		cmocka_unit_test(options_are_read_anywhere_before_two_dashes),
		cmocka_unit_test(lists_and_counts_accumulate),
		cmocka_unit_test(option_names_match_exactly),
		cmocka_unit_test(refusals_name_the_expected_value),
		cmocka_unit_test(help_shows_every_row),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
