// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The manual page has everything that the tables of the command have, in plain man(7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/verbs.h"
#include "man_check.h"

static char *page;

static int write_page(void **state)
{
	size_t size;
	FILE *out = open_memstream(&page, &size);

	man_write(cli_verbs, out);
	fclose(out);
	return 0;
}

static int free_page(void **state)
{
	free(page);
	return 0;
}

/* The section of one verb: from its heading to the next. */
static char *section_of(const struct verb *v)
{
	_cleanup_(mem_free) char *title = mem_printf(".SS \"weir %s\"\n", v->name);
	const char *begin = strstr(page, title);
	const char *end = begin ? begin + strlen(title) : NULL;

	if (!begin)
		fail_msg("there is no section for weir %s", v->name);
	while (strncmp(end, ".S", 2)) /* the next heading */
		end = strchr(end, '\n') + 1;
	return mem_strndup(begin, end - begin);
}

/* "\-\-no\-headers" */
static char *escaped(const char *option)
{
	char *text = mem_strdup("\\fB\\-\\-");

	for (; *option; option++) {
		char *longer = mem_printf("%s%s%c", text, *option == '-' ? "\\" : "", *option);

		mem_free(&text);
		text = longer;
	}
	return text;
}

static void the_section_of_a_verb_has_all_its_options(void **state)
{
	const struct option_row *tables[CLI_TABLES_MAX];
	size_t options = 0;

	for (const struct verb *const *v = cli_verbs; *v; v++) {
		_cleanup_(mem_free) char *section = section_of(*v);
		size_t n = cli_verb_tables(*v, tables);

		for (size_t i = 0; i < n; i++)
			for (const struct option_row *row = tables[i]; row->name; row++) {
				_cleanup_(mem_free) char *name = escaped(row->name);

				if (!strstr(section, name))
					fail_msg("weir %s: --%s is not in the manual", (*v)->name,
						 row->name);
				options++;
			}
	}
	assert_true(options > 50);
}

static void every_option_in_help_has_an_entry(void **state)
{
	for (const struct verb *const *v = cli_verbs; *v; v++) {
		_cleanup_(mem_free) char *help = NULL;
		size_t size;
		FILE *out = open_memstream(&help, &size);

		help_verb(*v, out);
		fclose(out);
		for (const char *at = strstr(help, "\noptions:"); (at = strstr(at, "--"));
		     at += 2) {
			char name[32] = "";

			sscanf(at, "--%31[a-z0-9-]", name);
			if (*name) {
				_cleanup_(mem_free) char *entry = escaped(name);
				_cleanup_(mem_free) char *alone = mem_printf(".TP\n%s\\fR", entry);
				_cleanup_(mem_free) char *after = mem_printf("\\fR, %s\\fR", entry);

				if (!strstr(page, alone) && !strstr(page, after))
					fail_msg("--%s has no entry", name);
			}
		}
	}
}

static void every_exit_status_has_an_entry(void **state)
{
	for (int i = 0; i < CLI_EXITS; i++) {
		_cleanup_(mem_free) char *entry = mem_printf(".TP\n\\fB%d\\fR\n", i);

		assert_non_null(cli_exits[i].brief);
		assert_non_null(strstr(page, entry));
	}
}

/* One pipeline of an example: from "weir" to its end or to the next "|". */
static void check_example(const char *command)
{
	_cleanup_(mem_free) char *copy = mem_strdup(command);
	const struct option_row *tables[CLI_TABLES_MAX];
	char *words[32], *rest = NULL, *word = strtok_r(copy, " ", &rest);
	struct common_options *options;
	struct weir_err err = {};
	const struct verb *v;
	int n = 0, n_args;

	for (; word && strcmp(word, "weir"); word = strtok_r(NULL, " ", &rest))
		;
	word = strtok_r(NULL, " ", &rest);
	v = word ? cli_verb(word) : NULL;
	if (!v)
		fail_msg("%s: no such verb", command);
	while ((word = strtok_r(NULL, " ", &rest)) && strcmp(word, "|"))
		words[n++] = word;
	options = mem_zalloc(v->options_size);
	cli_verb_tables(v, tables);
	if (options_parse(tables, options, n, words, &n_args, &err))
		fail_msg("%s: %s", command, err.text);
	if (n_args < v->min_args || n_args > v->max_args)
		fail_msg("%s: %d arguments", command, n_args);
	free(options->files.items);
	free(options);
}

static void the_options_of_every_example_are_valid(void **state)
{
	for (const struct man_entry *e = man_examples; e->term; e++)
		check_example(e->term);
}

static void the_page_is_ascii_with_requests_of_man_only(void **state)
{
	assert_man_page(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_section_of_a_verb_has_all_its_options),
		cmocka_unit_test(every_option_in_help_has_an_entry),
		cmocka_unit_test(every_exit_status_has_an_entry),
		cmocka_unit_test(the_options_of_every_example_are_valid),
		cmocka_unit_test(the_page_is_ascii_with_requests_of_man_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, write_page, free_page);
}
