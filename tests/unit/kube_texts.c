// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What a store was read from, written out again: only what it holds, each at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/store.h"

#define POD(name)                                           \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: ns}\nspec: {containers: [{name: c, image: i}]}\n"
#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: aHVzaA==}\n"

static char *texts_of(const char *yaml)
{
	_cleanup_(store_free) struct store *s = store_new();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e = {};

	s->keep_texts = true;
	store_read_buffer(s, "a.yaml", yaml, strlen(yaml));
	store_complete(s, 0);
	emit_open(&e, out);
	emit_map(&e, NULL);
	store_emit_texts(s, &e);
	emit_map_end(&e);
	emit_close(&e);
	fclose(out);
	return text;
}

static void writes(const char *yaml, const char *want)
{
	_cleanup_(mem_free) char *text = texts_of(yaml);

	assert_string_equal(text, want);
}

static void objects_keep_their_lines_and_what_is_not_read_is_left_out(void **state)
{
	writes(SECRET "---\n" POD("a") "--- # another\n" SECRET "---\n" POD("b"),
	       "{\"files\":[{\"name\":\"a.yaml\",\"text\":\"\\n\\n\\n\\n---\\napiVersion: v1\\nkind: Pod\\n"
	       "metadata: {name: a, namespace: ns}\\nspec: {containers: [{name: c, image: i}]}\\n"
	       "---\\n\\n\\n\\n\\n---\\napiVersion: v1\\nkind: Pod\\n"
	       "metadata: {name: b, namespace: ns}\\nspec: {containers: [{name: c, image: i}]}\\n\"}]}");
}

static void a_file_without_an_object_that_is_read_is_left_out(void **state)
{
	writes(SECRET, "{\"files\":[]}");
	writes("", "{\"files\":[]}");
}

static void three_dashes_within_a_text_are_no_document(void **state)
{
	_cleanup_(mem_free) char *text = texts_of(
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: prod\n  annotations:\n    a: |\n      ---\n      x\n");

	assert_non_null(strstr(text, "      ---\\n      x"));
}

static void a_store_made_of_the_texts_has_the_same_positions(void **state)
{
	static const char yaml[] = SECRET "---\n" POD("a") "---\n" SECRET "---\n" POD("b");
	_cleanup_(mem_free) char *text = texts_of(yaml);
	_cleanup_(store_free) struct store *s = store_new();
	static const char before[] = "\"text\":\"";
	char *from = strstr(text, before) + strlen(before), *to = from;

	for (char *at = from; *at != '"'; at++) /* only \n is escaped here */
		*to++ = *at == '\\' ? (at++, '\n') : *at;
	store_read_buffer(s, "a.yaml", from, to - from);
	store_complete(s, 0);
	assert_int_equal(s->n_pods, 2);
	assert_int_equal(store_pod(s, "ns", "a")->meta.src.line, 6);
	assert_int_equal(store_pod(s, "ns", "b")->meta.src.line, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_keep_their_lines_and_what_is_not_read_is_left_out),
		cmocka_unit_test(a_file_without_an_object_that_is_read_is_left_out),
		cmocka_unit_test(three_dashes_within_a_text_are_no_document),
		cmocka_unit_test(a_store_made_of_the_texts_has_the_same_positions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
