// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The source text of a store, written out again: only objects that it holds, on their lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/limits.h"
#include "kube/store.h"

#define POD(name)                                           \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: ns}\nspec: {containers: [{name: c, image: i}]}\n"
#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: aHVzaA==}\n"

/* NULL: the store refuses to keep the text. */
static char *source_text_of_bytes(const char *yaml, size_t size)
{
	_cleanup_(store_free) struct store *s = store_new();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e = {};
	const char *refused;

	s->keep_source_text = true;
	store_read_buffer(s, "a.yaml", yaml, size);
	store_apply_defaults(s, 0);
	emit_open(&e, out);
	emit_map(&e, NULL);
	refused = store_emit_source_text(s, &e);
	emit_map_end(&e);
	emit_close(&e);
	fclose(out);
	if (!refused)
		return text;
	free(text);
	return NULL;
}

static char *source_text_of(const char *yaml)
{
	return source_text_of_bytes(yaml, strlen(yaml));
}

static void writes(const char *yaml, const char *want)
{
	_cleanup_(mem_free) char *text = source_text_of(yaml);

	assert_string_equal(text, want);
}

static void objects_keep_their_lines_and_unread_kinds_are_left_out(void **state)
{
	writes(SECRET "---\n" POD("a") "--- # another\n" SECRET "---\n" POD("b"),
	       "{\"files\":[{\"name\":\"a.yaml\",\"text\":\"\\n\\n\\n\\n---\\napiVersion: v1\\nkind: Pod\\n"
	       "metadata: {name: a, namespace: ns}\\nspec: {containers: [{name: c, image: i}]}\\n"
	       "---\\n\\n\\n\\n\\n---\\napiVersion: v1\\nkind: Pod\\n"
	       "metadata: {name: b, namespace: ns}\\nspec: {containers: [{name: c, image: i}]}\\n\"}]}");
}

static void a_file_without_a_read_object_is_left_out(void **state)
{
	writes(SECRET, "{\"files\":[]}");
	writes("", "{\"files\":[]}");
}

static void three_dashes_inside_a_block_scalar_start_no_document(void **state)
{
	_cleanup_(mem_free) char *text = source_text_of(
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: prod\n  annotations:\n    a: |\n      ---\n      x\n");

	assert_non_null(strstr(text, "      ---\\n      x"));
}

static void a_store_read_from_the_text_has_the_same_positions(void **state)
{
	static const char yaml[] = SECRET "---\n" POD("a") "---\n" SECRET "---\n" POD("b");
	_cleanup_(mem_free) char *text = source_text_of(yaml);
	_cleanup_(store_free) struct store *s = store_new();
	static const char before[] = "\"text\":\"";
	char *from = strstr(text, before) + strlen(before), *to = from;

	for (char *at = from; *at != '"'; at++) /* only \n is escaped here */
		*to++ = *at == '\\' ? (at++, '\n') : *at;
	store_read_buffer(s, "a.yaml", from, to - from);
	store_apply_defaults(s, 0);
	assert_int_equal(s->n_pods, 2);
	assert_int_equal(store_pod(s, "ns", "a")->meta.src.line, 6);
	assert_int_equal(store_pod(s, "ns", "b")->meta.src.line, 16);
}

#define POD_IN_LIST \
	"- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}\n"
#define SECRET_IN_LIST \
	"- {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {key: aHVzaA==}}\n"
#define POD_JSON                                                                 \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
#define SECRET_JSON \
	"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"data\":{\"key\":\"aHVzaA==\"}}"

static void nothing_is_kept(const char *yaml, size_t size)
{
	_cleanup_(mem_free) char *text = source_text_of_bytes(yaml, size);

	assert_null(text);
}

static void is_kept(const char *yaml)
{
	_cleanup_(mem_free) char *text = source_text_of(yaml);

	assert_non_null(text);
	assert_null(strstr(text, "aHVzaA=="));
}

/* sizeof: literals may hold NUL */
#define NOTHING_IS_KEPT(yaml) nothing_is_kept(yaml, sizeof(yaml) - 1)
#define LIST "apiVersion: v1\nkind: List\nitems:\n"

static void nothing_is_kept_of_a_list_with_pods_and_a_secret(void **state)
{
	NOTHING_IS_KEPT(LIST POD_IN_LIST SECRET_IN_LIST);
	NOTHING_IS_KEPT(LIST SECRET_IN_LIST POD_IN_LIST);
	NOTHING_IS_KEPT(POD("b") "---\n" LIST POD_IN_LIST SECRET_IN_LIST);
	is_kept(LIST POD_IN_LIST "---\n" SECRET);
	is_kept(LIST POD_IN_LIST "---\n" LIST SECRET_IN_LIST);
}

static void nothing_is_kept_of_a_list_with_pods_and_a_misspelt_secret(void **state)
{
	static const char *const kinds[] = { "Secrets", "secret", "SecretList", "Secert",
					     "Sceret" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(mem_free) char *list = mem_printf(
			LIST POD_IN_LIST "- {apiVersion: v1, kind: %s, data: {key: aHVzaA==}}\n",
			kinds[i]);

		nothing_is_kept(list, strlen(list));
	}
}

static void nothing_is_kept_of_a_json_stream_with_a_secret(void **state)
{
	NOTHING_IS_KEPT(POD_JSON SECRET_JSON);
	NOTHING_IS_KEPT(SECRET_JSON "\n" POD_JSON "\n");
	is_kept(POD_JSON);
}

static void a_secret_after_a_document_end_marker_is_left_out(void **state)
{
	is_kept(POD("a") "...\n---\n" SECRET); /* the YAML reader needs the dashes after the dots */
}

static void nothing_is_kept_with_line_breaks_that_only_the_yaml_reader_knows(void **state)
{
	NOTHING_IS_KEPT("# a\r--- \n" POD("a"));
	NOTHING_IS_KEPT("# a\xc2\x85" POD("a"));
	NOTHING_IS_KEPT("# a\xe2\x80\xa8" POD("a"));
	NOTHING_IS_KEPT("# a\xe2\x80\xa9" POD("a"));
	NOTHING_IS_KEPT(POD("a") "\0" SECRET);
	is_kept("# a\r\n" POD("a") "---\r\n" SECRET);
}

static void a_text_above_the_limit_is_not_kept(void **state)
{
	_cleanup_(mem_free) char *yaml = mem_zalloc(KUBE_KEPT_TEXT_MAX + 1);
	size_t len = sizeof(POD("a")) - 1;

	memset(yaml, '\n', KUBE_KEPT_TEXT_MAX + 1);
	memcpy(yaml, POD("a"), len);
	nothing_is_kept(yaml, KUBE_KEPT_TEXT_MAX + 1);
	yaml[KUBE_KEPT_TEXT_MAX] = '\0';
	is_kept(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_keep_their_lines_and_unread_kinds_are_left_out),
		cmocka_unit_test(a_file_without_a_read_object_is_left_out),
		cmocka_unit_test(three_dashes_inside_a_block_scalar_start_no_document),
		cmocka_unit_test(a_store_read_from_the_text_has_the_same_positions),
		cmocka_unit_test(nothing_is_kept_of_a_list_with_pods_and_a_secret),
		cmocka_unit_test(nothing_is_kept_of_a_list_with_pods_and_a_misspelt_secret),
		cmocka_unit_test(nothing_is_kept_of_a_json_stream_with_a_secret),
		cmocka_unit_test(a_secret_after_a_document_end_marker_is_left_out),
		cmocka_unit_test(nothing_is_kept_with_line_breaks_that_only_the_yaml_reader_knows),
		cmocka_unit_test(a_text_above_the_limit_is_not_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
