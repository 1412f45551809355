// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables, CSV, colour and versioned JSON as verbs print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/emit.h"
#include "cli/output.h"

static const char *const columns[] = { "NAME", "VERDICT", NULL };

static char *table_text(const struct style *s, bool no_headers)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct grid t;

	grid_init(&t, s, no_headers, columns);
	grid_cell(&t, TONE_PLAIN, "%s", "a-long-name");
	grid_cell(&t, TONE_BAD, "%s", "deny");
	grid_cell(&t, TONE_PLAIN, "%s", "bär");
	grid_cell(&t, TONE_GOOD, "%s", "");
	grid_print(&t, out);
	grid_free(&t);
	fclose(out);
	return text;
}

static void columns_line_up_without_trailing_blanks(void **state)
{
	char *text = table_text(&(struct style){}, false);

	assert_string_equal(text, "NAME         VERDICT\n"
				  "a-long-name  deny\n"
				  "bär          -\n");
	free(text);
}

static void headers_can_be_left_out(void **state)
{
	char *text = table_text(&(struct style){}, true);

	assert_string_equal(text, "a-long-name  deny\nbär          -\n");
	free(text);
}

static void colour_does_not_move_columns(void **state)
{
	char *text = table_text(&(struct style){ .color = true }, true);

	assert_string_equal(text,
			    "a-long-name  \033[31mdeny\033[0m\nbär          \033[32m-\033[0m\n");
	free(text);
}

static void a_file_gets_no_colour_unless_requested(void **state)
{
	FILE *f = tmpfile();

	assert_false(style_detect(f, NULL).color);
	assert_false(style_detect(f, "auto").color);
	assert_true(style_detect(f, "always").color);
	assert_false(style_detect(f, "never").color);
	fclose(f);
}

static void csv_quotes_what_needs_it(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	csv_field(out, true, "plain");
	csv_field(out, false, "a,b");
	csv_field(out, false, "say \"no\"");
	csv_field(out, false, "");
	fclose(out);
	assert_string_equal(text, "plain,\"a,b\",\"say \"\"no\"\"\",");
	free(text);
}

static void lists_have_a_version_and_one_item_on_each_line(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e;

	emit_open(&e, out);
	emit_list_begin(&e, "PodList");
	for (int i = 0; i < 2; i++) {
		emit_item_begin(&e);
		emit_int(&e, "id", i);
		emit_text(&e, "policy", i ? "a\"b" : NULL);
		emit_array(&e, "names");
		emit_text(&e, NULL, "x");
		emit_array_end(&e);
		emit_item_end(&e);
	}
	emit_list_end(&e);
	emit_close(&e);
	fclose(out);
	assert_string_equal(text,
			    "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"PodList\",\"items\":[\n"
			    "{\"id\":0,\"policy\":null,\"names\":[\"x\"]},\n"
			    "{\"id\":1,\"policy\":\"a\\\"b\",\"names\":[\"x\"]}\n"
			    "]}\n");
	free(text);
}

static void an_empty_list_and_bad_utf8_give_valid_json(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e;

	emit_open(&e, out);
	emit_list_begin(&e, "PodList");
	emit_list_end(&e);
	emit_document_begin(&e, "Status");
	emit_text(&e, "name",
		  "a\xff"
		  "b");
	emit_document_end(&e);
	emit_close(&e);
	fclose(out);
	assert_string_equal(
		text, "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"PodList\",\"items\":[]}\n"
		      "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Status\",\"name\":\"a?b\"}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_line_up_without_trailing_blanks),
		cmocka_unit_test(headers_can_be_left_out),
		cmocka_unit_test(colour_does_not_move_columns),
		cmocka_unit_test(a_file_gets_no_colour_unless_requested),
		cmocka_unit_test(csv_quotes_what_needs_it),
		cmocka_unit_test(lists_have_a_version_and_one_item_on_each_line),
		cmocka_unit_test(an_empty_list_and_bad_utf8_give_valid_json),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
