// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of settings in the command: options of load, `weir help config`, weir(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/config_help.h"
#include "cli/verbs.h"
#include "settings/record.h"
#include "man_check.h"

#define NOT_SERVED "not served yet"

static char *text_of(void (*write)(FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	write(out);
	fclose(out);
	return text;
}

static const struct option_row *option_of_load(const char *name)
{
	for (const struct option_row *row = verb_load.options; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

static void load_has_the_option_of_each_setting(void **state)
{
	size_t n = 0;

	for (int id = 0; id < _SETTING_MAX; id++) {
		const struct setting_info *info = setting_info(id);
		const struct option_row *row = info->option ? option_of_load(info->option) : NULL;

		if (!info->option)
			continue;
		if (!row)
			fail_msg("load has no option --%s", info->option);
		assert_string_equal(row->metavar, info->values);
		assert_non_null(strstr(row->help, info->text));
		assert_non_null(strstr(row->help, info->otherwise));
		assert_int_equal(row->type == OPTION_CHOICE, info->type == SETTING_TYPE_WORD);
		assert_int_equal(row->type == OPTION_NUMBER, info->type == SETTING_TYPE_PERCENT);
		n++;
	}
	assert_true(n >= 8);
}

/* From the key's line to the next key's. */
static void check_key_in_help(const char *help, const struct setting_info *info)
{
	_cleanup_(mem_free) char *line = mem_printf("\n  %s %s", info->key, info->values);
	const char *at = strstr(help, line), *end;

	if (!at)
		fail_msg("help lacks %s", info->key);
	end = strstr(at + 1, "\n  ");
	while (end && end[3] == ' ') /* a continued line */
		end = strstr(end + 1, "\n  ");
	assert_non_null(strstr(at, info->text));
	if (end)
		assert_int_equal(memmem(at, end - at, NOT_SERVED, strlen(NOT_SERVED)) == NULL,
				 info->served);
}

static void help_has_every_key_and_says_what_is_not_served(void **state)
{
	_cleanup_(mem_free) char *help = text_of(config_help);

	for (int id = 0; id < _SETTING_MAX; id++)
		check_key_in_help(help, setting_info(id));
	assert_non_null(strstr(help, config_example));
}

static void the_page_has_every_key(void **state)
{
	_cleanup_(mem_free) char *page = text_of(config_man);

	for (int id = 0; id < _SETTING_MAX; id++) {
		_cleanup_(mem_free) char *entry =
			mem_printf(".TP\n\\fB%s\\fR \\fI", setting_info(id)->key);

		if (!strstr(page, entry))
			fail_msg("weir(5) lacks %s", setting_info(id)->key);
	}
	assert_non_null(strstr(page, "\n.TH WEIR 5 "));
}

static void the_page_is_ascii_with_requests_of_man_only(void **state)
{
	_cleanup_(mem_free) char *page = text_of(config_man);

	assert_man_page(page);
}

static void the_example_is_valid(void **state)
{
	_cleanup_(settings_free) struct settings s = {};
	struct diag_list diags = {};

	settings_init(&s);
	settings_read(&s, "example", config_example, strlen(config_example), &diags);
	assert_int_equal(diags.n, 0);
	assert_true(setting_given(&s, SETTING_ECHO));
	diag_free(&diags);
}

static void a_record_is_read_as_it_was_written(void **state)
{
	char folder[] = "/tmp/weir-settings-XXXXXX";
	_cleanup_(settings_record_free) struct settings_record now = {}, read = {}, none = {};
	_cleanup_(mem_free) char *path = NULL;

	assert_non_null(mkdtemp(folder));
	path = mem_printf("%s/settings", folder);
	settings_record_read(path, &none);
	assert_int_equal(none.n, 0);
	settings_record_add(&now, SETTING_ECHO, "always", "--echo");
	settings_record_add(&now, SETTING_UPLINKS, "[eth0]", "/a \"b\"\n.yaml:3");
	assert_int_equal(settings_record_write(path, &now, NULL), 0);
	settings_record_read(path, &read);
	remove(path);
	remove(folder);
	assert_int_equal(read.n, 2);
	assert_string_equal(settings_record_find(&read, SETTING_ECHO)->from, "--echo");
	assert_string_equal(settings_record_find(&read, SETTING_UPLINKS)->value, "[eth0]");
	assert_string_equal(settings_record_find(&read, SETTING_UPLINKS)->from,
			    "/a \"b\"\n.yaml:3");
	assert_null(settings_record_find(&read, SETTING_ATTACH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_has_the_option_of_each_setting),
		cmocka_unit_test(help_has_every_key_and_says_what_is_not_served),
		cmocka_unit_test(the_page_has_every_key),
		cmocka_unit_test(the_page_is_ascii_with_requests_of_man_only),
		cmocka_unit_test(the_example_is_valid),
		cmocka_unit_test(a_record_is_read_as_it_was_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
