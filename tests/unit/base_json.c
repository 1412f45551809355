// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reading JSON that Weir wrote: members by type, and the first error by file and member. */
#include <errno.h>

#include "base/json.h"
#include "kube_test.h"

#define HEAD "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Thing\""

static void members_are_read_by_type(void **state)
{
	_cleanup_(json_close) struct json doc = {};
	struct json_value root, list;

	assert_int_equal(json_open(&doc, "f",
				   HEAD ",\"t\":\"x\",\"n\":7,\"b\":true,\"l\":[\"a\",2]}", "Thing",
				   NULL),
			 0);
	root = json_root(&doc);
	assert_string_equal(json_text(root, "t"), "x");
	assert_int_equal(json_number(root, "n", 1, 7), 7);
	assert_true(json_flag(root, "b"));
	assert_false(json_flag(root, "absent"));
	list = json_list(root, "l");
	assert_int_equal(json_count(list), 2);
	assert_string_equal(json_item_text(list, 0), "a");
	assert_string_equal(json_item_text(list, 1), "");
	assert_int_equal(doc.r, 0);
}

static void the_first_error_names_file_and_member(void **state)
{
	_cleanup_(json_close) struct json doc = {};
	struct weir_err err = {};
	struct json_value root;

	assert_int_equal(json_open(&doc, "f.json", HEAD ",\"n\":7}", "Thing", &err), 0);
	root = json_root(&doc);
	assert_int_equal(json_number(root, "n", 8, 9), -1);
	assert_string_equal(json_text(root, "t"), "");
	assert_int_equal(json_count(json_list(root, "l")), 0);
	assert_int_equal(doc.r, -EINVAL);
	assert_string_equal(err.text, "f.json: n: expected an integer from 8 to 9");
}

/* The parser's own text has a picture of three lines, which breaks what prints one error a line. */
static void text_that_is_not_json_gets_an_error_of_one_line_with_its_offset(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "{broken",
		  "f.json: not JSON: lexical error: invalid char in json text, at byte 2" },
		{ "{\"a\":1,\n\n]", "f.json: not JSON: parse error: invalid object key (must be a "
				    "string), at byte 10" },
		{ "{\"a\":", "f.json: not JSON: parse error: premature EOF, at byte 5" },
		{ "", "f.json: not JSON: parse error: premature EOF, at byte 0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(json_close) struct json doc = {};
		struct weir_err err = {};

		assert_int_equal(json_open(&doc, "f.json", cases[i].text, "Thing", &err), -EINVAL);
		assert_string_equal(err.text, cases[i].error);
	}
}

static void members_of_an_absent_value_are_absent(void **state)
{
	struct json_value none = {};

	assert_string_equal(json_text(none, "t"), "");
	assert_int_equal(json_number(none, "n", 0, 9), -1);
	assert_int_equal(json_count(json_list(none, "l")), 0);
}

/* yajl frees a tree by recursion. Brackets in strings and comments do not count. */
static void documents_that_are_nested_deeply_are_refused(void **state)
{
	static const char *const prefixes[] = { "", "/* \" */", "// \" \n", "\"\\\"\"" };
	const size_t depth = 1000000;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_cleanup_(mem_free) char *text = mem_zalloc(depth + 20);
		_cleanup_(json_close) struct json doc = {};
		struct weir_err err = {};

		memset(stpcpy(text, prefixes[i]), '[', depth);
		assert_int_equal(json_open(&doc, "f", text, "Thing", &err), -EINVAL);
		assert_string_equal(err.text, "f: nested more than 64 deep");
	}
}

static void brackets_in_strings_are_not_nested(void **state)
{
	_cleanup_(mem_free) char *text = mem_zalloc(1000);
	_cleanup_(json_close) struct json doc = {};
	char *end = stpcpy(text, HEAD ",\"t\":\"\\\"");

	memset(end, '[', 100);
	strcpy(end + 100, "\"}");
	assert_int_equal(json_open(&doc, "f", text, "Thing", NULL), 0);
	assert_int_equal(strlen(json_text(json_root(&doc), "t")), 101);
}

static void documents_of_another_kind_or_version_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "f: not JSON: " },
		{ "{\"kind\":", "f: not JSON: " },
		{ "[]", "f: apiVersion: " },
		{ "{\"apiVersion\":\"weir.dev/v2\",\"kind\":\"Thing\"}", "f: apiVersion: " },
		{ "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Other\"}", "f: kind: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(json_close) struct json doc = {};
		struct weir_err err = {};

		assert_int_equal(json_open(&doc, "f", bad[i].text, "Thing", &err), -EINVAL);
		assert_memory_equal(err.text, bad[i].says, strlen(bad[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read_by_type),
		cmocka_unit_test(the_first_error_names_file_and_member),
		cmocka_unit_test(text_that_is_not_json_gets_an_error_of_one_line_with_its_offset),
		cmocka_unit_test(members_of_an_absent_value_are_absent),
		cmocka_unit_test(documents_that_are_nested_deeply_are_refused),
		cmocka_unit_test(brackets_in_strings_are_not_nested),
		cmocka_unit_test(documents_of_another_kind_or_version_are_refused),
	};

	return run_group("base_json", tests, ARRAY_SIZE(tests));
}
