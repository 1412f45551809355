// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Documents: types of scalars, positions, aliases, hostile input. */
#include <time.h>

#include "kube_test.h"
#include "kube/doc.h"
#include "kube/limits.h"

/* Hostile inputs take a tenth of it under sanitizers; a quadratic reader takes minutes. */
#define TIME_BOUND_S 5

/* ---- A document as a short text: types and positions ---- */

struct shown {
	char text[4096];
	size_t documents;
};

static void show_node(struct shown *s, const struct doc_node *n)
{
	size_t len = strlen(s->text), room = sizeof(s->text) - len;
	char *end = s->text + len;

	switch (n->type) {
	case DOC_NULL:
		snprintf(end, room, "null");
		break;
	case DOC_BOOL:
		snprintf(end, room, n->number ? "true" : "false");
		break;
	case DOC_INT:
		snprintf(end, room, "%lld", (long long)n->number);
		break;
	case DOC_FLOAT:
		snprintf(end, room, "float(%s)", n->text);
		break;
	case DOC_STRING:
		snprintf(end, room, "'%s'", n->text);
		break;
	case DOC_MAP:
		strcat(s->text, "{");
		for (size_t i = 0; i < n->n_pairs; i++) {
			snprintf(s->text + strlen(s->text), 200, "%s%s:", i ? " " : "",
				 n->pairs[i].key);
			show_node(s, n->pairs[i].value);
		}
		strcat(s->text, "}");
		break;
	case DOC_LIST:
		strcat(s->text, "[");
		for (size_t i = 0; i < n->n_items; i++) {
			if (i)
				strcat(s->text, " ");
			show_node(s, n->items[i]);
		}
		strcat(s->text, "]");
		break;
	}
}

static void show(const struct doc_node *root, void *arg)
{
	struct shown *s = arg;

	if (s->documents++)
		strcat(s->text, " | ");
	show_node(s, root);
}

static void assert_reads(const char *text, const char *expected)
{
	struct doc_error error = {};
	struct shown s = {};

	if (doc_read(text, strlen(text), show, &s, &error))
		fail_msg("%d:%d: %s", error.line, error.col, error.text);
	assert_string_equal(s.text, expected);
}

static void ignore(const struct doc_node *root, void *arg)
{
}

static void assert_refused_bytes(const char *data, size_t len, const char *expected)
{
	struct doc_error error = {};
	char text[300];

	assert_int_equal(doc_read(data, len, ignore, NULL, &error), -EINVAL);
	snprintf(text, sizeof(text), "%d:%d %s %s", error.line, error.col,
		 kube_code_text(error.code), error.text);
	assert_string_equal(text, expected);
}

static void assert_refused(const char *text, const char *expected)
{
	assert_refused_bytes(text, strlen(text), expected);
}

/* ---- Scalars ---- */

static void plain_scalars_have_the_types_of_yaml_1_1(void **state)
{
	assert_reads("[a, yes, No, on, OFF, y, n, true, False, ~, null, NULL]",
		     "['a' true false true false true false true false null null null]");
	assert_reads("[1, -2, +3, 0x1F, 0b101, 0o17, 017, 1_000, 08, 9223372036854775807]",
		     "[1 -2 3 31 5 15 15 1000 8 9223372036854775807]");
	assert_reads(
		"[1.5, 80.0, 8e1, .5, 1e400, .inf, 18446744073709551616]",
		"[float(1.5) 80 80 float(.5) float(1e400) float(.inf) float(18446744073709551616)]");
	assert_reads(
		"[1.2.3, 10.0.0.0/8, 2001-01-01, 0x, 1a, -, '+', 1e, 0xg, a:b, 12:30]",
		"['1.2.3' '10.0.0.0/8' '2001-01-01' '0x' '1a' '-' '+' '1e' '0xg' 'a:b' '12:30']");
}

static void quoted_and_tagged_scalars_have_the_given_type(void **state)
{
	assert_reads("['80', \"yes\", \"\", !!str 80, !!int \"80\", !!bool 'no', !!float 1]",
		     "['80' 'yes' '' '80' 80 false 1]");
	assert_reads("- |\n  80\n- >-\n  true\n", "['80\n' 'true']");
	assert_refused("a: !!int x", "1:4 E001 expected a value for tag !!int, found \"x\"");
	assert_refused("a: !!binary eA==",
		       "1:4 E001 tag \"tag:yaml.org,2002:binary\" is not supported");
}

static void json_numbers_and_strings_are_taken_literally(void **state)
{
	assert_reads(
		"{\"a\":80,\"b\":\"80\",\"c\":8e1,\"d\":null,\"e\":[true,false],\"f\":\"\\u00e9\\ud83d\\ude00\"}",
		"{a:80 b:'80' c:float(8e1) d:null e:[true false] f:'\xc3\xa9\xf0\x9f\x98\x80'}");
}

static void keys_become_strings_as_in_kubernetes(void **state)
{
	assert_reads("{on: a, 0x10: b, 'x y': c}", "{16:'b' true:'a' x y:'c'}");
	assert_refused(
		"? [a]\n: b",
		"1:3 E001 expected a string as the key, found a list: quote braces that are text");
	assert_refused(
		"a: {{ .Values.x }}",
		"1:5 E001 expected a string as the key, found a mapping: quote braces that are text");
	assert_refused("~: x", "1:1 E001 a key must not be empty or null");
}

/* ---- Documents ---- */

static void several_documents_are_read_and_empty_ones_skipped(void **state)
{
	assert_reads("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n", "{a:1} | {b:2}");
	assert_reads("", "");
	assert_reads(" \n\n", "");
	assert_reads("# only a comment\n", "");
	assert_reads("{\"a\":1}\n{\"b\":2} [3]", "{a:1} | {b:2} | [3]");
}

static void a_byte_order_mark_and_crlf_are_accepted(void **state)
{
	assert_reads("\xef\xbb\xbf"
		     "a: 1\r\nb: x\r\n",
		     "{a:1 b:'x'}");
	assert_reads("\xef\xbb\xbf{\"a\":1}\r\n", "{a:1}");
}

static void flow_yaml_that_begins_like_json_is_read_as_yaml(void **state)
{
	assert_reads("{a: 1, b: [x]}\n---\nc: 2", "{a:1 b:['x']} | {c:2}");
	assert_refused("{a: 1, b: [x}",
		       "1:13 E001 while parsing a flow sequence, did not find expected ',' or ']'");
	assert_refused(
		"{\"a\": 1\n \"b\": 2}",
		"2:2 E001 not JSON: parse error: after key and value, inside map, I expect ',' or '}'");
}

static void aliases_stand_for_their_anchors(void **state)
{
	assert_reads("a: &x {k: 1}\nb: *x\nc: [*x, *x]", "{a:{k:1} b:{k:1} c:[{k:1} {k:1}]}");
	assert_reads("a: &x 1\nb: &x 2\nc: *x", "{a:1 b:2 c:2}");
	assert_refused("a: *x", "1:4 E001 alias *x refers to no anchor before it");
	assert_refused("a: &x\n  b: *x", "2:6 E001 alias *x refers to no anchor before it");
	assert_refused("---\na: &x 1\n---\nb: *x",
		       "4:4 E001 alias *x refers to no anchor before it");
}

static void parse_9_a_merge_key_applies_at_its_position(void **state)
{
	assert_reads("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 9}", "{a:{k:1 l:2} b:{k:9 l:2}}");
	assert_reads("a: &x {k: 1, l: 2}\nb: {k: 9, <<: *x}", "{a:{k:1 l:2} b:{k:1 l:2}}");
	assert_reads("b: {k: 9, <<: {k: 1}, l: 7, <<: {l: 2, m: 3}, m: 4}", "{b:{k:1 l:2 m:4}}");
	/* in a list the first mapping wins, wherever the list is */
	assert_reads("b: {<<: [{k: 1}, {k: 2, m: 3}], z: 0}", "{b:{k:1 m:3 z:0}}");
	assert_reads("b: {m: 9, <<: [{k: 1}, {k: 2, m: 3}], k: 8}", "{b:{k:8 m:3}}");
	/* an anchor includes the keys that were merged into it */
	assert_reads("a: &x {k: 1}\nb: &y {k: 2, <<: *x}\nc: {k: 3, <<: *y}",
		     "{a:{k:1} b:{k:1} c:{k:1}}");
	assert_reads("'<<': x", "{<<:'x'}");
	assert_reads("!!merge <<: {k: 1}", "{k:1}");
	assert_refused("a: {<<: 1}", "1:5 E001 expected a mapping or a list of mappings after <<");
	/* a merge in between does not hide a duplicate key */
	assert_refused("{k: 1, <<: {k: 2}, k: 3}",
		       "1:20 E003 key \"k\" is given twice, first at line 1: remove one");
}

static void trap_16_a_duplicate_key_is_an_error_at_the_second_one(void **state)
{
	assert_refused("metadata:\n  a: 1\nmetadata:\n  b: 2\n",
		       "3:1 E003 key \"metadata\" is given twice, first at line 1: remove one");
	assert_refused("{\"a\":1,\n  \"a\":2}",
		       "2:3 E003 key \"a\" is given twice, first at line 1: remove one");
	assert_refused("1: a\n0x1: b",
		       "2:1 E003 key \"1\" is given twice, first at line 1: remove one");
}

/* ---- Positions ---- */

struct wanted_position {
	const char *key;
	int line, col;
};

static void find_position(const struct doc_node *root, void *arg)
{
	struct wanted_position *w = arg;
	const struct doc_node *n = root->type == DOC_MAP ? doc_get(root, w->key) : NULL;

	if (!n)
		return;
	w->line = n->line;
	w->col = n->col;
}

static void assert_position(const char *text, const char *key, int line, int col)
{
	struct wanted_position w = { .key = key };
	struct doc_error error;

	assert_int_equal(doc_read(text, strlen(text), find_position, &w, &error), 0);
	assert_int_equal(w.line, line);
	assert_int_equal(w.col, col);
}

static void positions_are_those_of_the_value_in_both_formats(void **state)
{
	assert_position("a: 1\nbee:   two\n", "bee", 2, 8);
	assert_position("# c\n---\na:\n  - x\n", "a", 4, 3);
	assert_position("\xc3\xa9: 1\n\xc3\xa9\xc3\xa9: x", "\xc3\xa9\xc3\xa9", 2, 5);
	assert_position("{\"a\": 1,\n  \"b\" :  \"x\\n\\\"y\",\n  \"c\": [ ]}", "b", 2, 10);
	assert_position("{\"a\": 1,\n  \"b\" :  \"x\\n\\\"y\",\n  \"c\": [ ]}", "c", 3, 8);
	assert_position("{\"a\":\"\xc3\xa9\xc3\xa9\", \"b\":12}", "b", 1, 16);
	assert_position("{\"x\":1}\n\n{\"b\":{}}", "b", 3, 6);
}

/* ---- Hostile input ---- */

static char *repeat(const char *piece, size_t times, const char *end)
{
	size_t len = strlen(piece);
	char *text = malloc(len * times + strlen(end) + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, piece, len);
	strcpy(text + len * times, end);
	return text;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Reads any text within the time bound. 0 or -EINVAL. */
static int read_in_time(const char *text, struct doc_error *ret_error)
{
	double start = seconds();
	int r = doc_read(text, strlen(text), ignore, NULL, ret_error);

	assert_true(seconds() - start < TIME_BOUND_S);
	return r;
}

static void alias_bombs_are_refused_in_time(void **state)
{
	struct doc_error error = {};
	char text[2000] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n", line[100];

	for (int i = 1; i < 30; i++) {
		snprintf(line, sizeof(line), "a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
			 i - 1);
		strcat(text, line);
	}
	assert_int_equal(read_in_time(text, &error), -EINVAL);
	assert_int_equal(error.code, KUBE_E_LIMIT);
	assert_string_equal(error.text, "aliases expand to more than 100000 nodes: write them out");
	assert_in_range(error.line, 5, 12);
}

static void merge_bombs_are_refused_in_time(void **state)
{
	_cleanup_(mem_free) char *many = repeat("*a,", 200000, "");
	_cleanup_(mem_free) char *text = mem_printf("a: &a {x: 1}\nb: {<<: [%s]}\n", many);
	struct doc_error error = {};

	assert_int_equal(read_in_time(text, &error), -EINVAL);
	assert_int_equal(error.code, KUBE_E_LIMIT);
}

/* Without an alias: each mapping copies all keys of the one within. */
static void nested_merges_are_refused_in_time(void **state)
{
	_cleanup_(mem_free) char *open = repeat("{<<: ", 200, ""), *close = repeat("}", 201, "");
	char *text = NULL;
	struct doc_error error = {};
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "x: %s{", open);
	for (int i = 0; i < 20000; i++)
		fprintf(out, "k%d: 1, ", i);
	fprintf(out, "%s\n", close);
	fclose(out);
	assert_int_equal(read_in_time(text, &error), -EINVAL);
	assert_int_equal(error.code, KUBE_E_LIMIT);
	assert_string_equal(error.text, "<< merges more than 1000000 keys: write them out");
	free(text);
}

static void deep_nesting_is_refused_in_time(void **state)
{
	static const char *const pieces[] = { "[", "{\"a\":", "- ", "{a: ", "[[[[\n", "? " };
	struct doc_error error = {};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_(mem_free) char *text = repeat(pieces[i], 1000000, "");

		assert_int_equal(read_in_time(text, &error), -EINVAL);
	}
	assert_refused("{\"a\":[", "1:7 E001 not JSON: parse error: premature EOF");
}

static void nesting_up_to_the_limit_is_read(void **state)
{
	_cleanup_(mem_free) char *open = repeat("[", KUBE_DEPTH_MAX, ""),
				 *close = repeat("]", KUBE_DEPTH_MAX, "");
	_cleanup_(mem_free) char *fits = mem_printf("%s%s", open, close),
				 *deeper = mem_printf("[%s]", fits);
	struct doc_error error = {};

	assert_int_equal(read_in_time(fits, &error), 0);
	assert_refused(deeper, "1:257 E002 nested deeper than 256 levels");
}

static void long_lines_and_long_scalars_take_linear_time(void **state)
{
	_cleanup_(mem_free) char *xs = repeat("x", 10 << 20, ""),
				 *list = repeat("x, ", 1 << 18, "");
	_cleanup_(mem_free) char *scalar = mem_printf("a: %s\n", xs),
				 *quoted = mem_printf("{\"a\":\"%s\"}", xs);
	_cleanup_(mem_free) char *key = mem_printf("%s: 1\n", xs),
				 *flow = mem_printf("[%s]\n", list);
	_cleanup_(mem_free) char *keys = repeat("a: 1\n", 1 << 18, "");
	struct doc_error error = {};

	assert_int_equal(read_in_time(scalar, &error), 0);
	assert_int_equal(read_in_time(quoted, &error), 0);
	assert_int_equal(read_in_time(flow, &error), 0);
	assert_int_equal(read_in_time(key, &error), -EINVAL);
	assert_int_equal(read_in_time(keys, &error), -EINVAL);
	assert_int_equal(error.code, KUBE_E_DUPLICATE_KEY);
}

static void nul_bytes_are_errors_with_a_position(void **state)
{
	assert_refused_bytes("a: b\nc: x\0y\n", 12, "2:5 E001 control characters are not allowed");
	assert_refused("a: \"x\\0y\"", "1:4 E001 a string must not contain the character NUL");
	assert_refused("{\"b\":\n\"x\\u0000y\"}",
		       "2:1 E001 a string must not contain the character NUL");
	assert_refused("{\"x\\u0000y\":1}", "1:2 E001 a key must not contain the character NUL");
	assert_refused_bytes("\0\0\0\0", 4, "1:1 E001 control characters are not allowed");
}

static void bad_utf8_is_an_error_with_a_position(void **state)
{
	assert_refused("a: b\nc: \xff\xfe", "2:4 E001 invalid leading UTF-8 octet");
	assert_refused("{\"a\": 1,\n\"b\":\"\xc3\"}",
		       "2:5 E001 not JSON: lexical error: invalid bytes in UTF8 string.");
	assert_refused("a: \xed\xa0\x80", "1:4 E001 invalid Unicode character");
}

static void truncated_documents_are_errors(void **state)
{
	assert_refused("a: [1, 2",
		       "2:1 E001 while parsing a flow sequence, did not find expected ',' or ']'");
	assert_refused("a: \"x",
		       "1:6 E001 while scanning a quoted scalar, found unexpected end of stream");
	assert_refused("{\"a\": {\"b\": 1}", "1:15 E001 not JSON: parse error: premature EOF");
	assert_refused("{\"a\": \"x", "1:7 E001 not JSON: parse error: premature EOF");
	assert_refused(
		"a:\n\tb: 1",
		"2:1 E001 while scanning for the next token, found character that cannot start any token");
}

static void documents_before_an_error_are_read(void **state)
{
	static const char text[] = "a: 1\n---\nb: [\n";
	struct doc_error error = {};
	struct shown s = {};

	assert_int_equal(doc_read(text, strlen(text), show, &s, &error), -EINVAL);
	assert_string_equal(s.text, "{a:1}");
	assert_int_equal(error.line, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_have_the_types_of_yaml_1_1),
		cmocka_unit_test(quoted_and_tagged_scalars_have_the_given_type),
		cmocka_unit_test(json_numbers_and_strings_are_taken_literally),
		cmocka_unit_test(keys_become_strings_as_in_kubernetes),
		cmocka_unit_test(several_documents_are_read_and_empty_ones_skipped),
		cmocka_unit_test(a_byte_order_mark_and_crlf_are_accepted),
		cmocka_unit_test(flow_yaml_that_begins_like_json_is_read_as_yaml),
		cmocka_unit_test(aliases_stand_for_their_anchors),
		cmocka_unit_test(parse_9_a_merge_key_applies_at_its_position),
		cmocka_unit_test(trap_16_a_duplicate_key_is_an_error_at_the_second_one),
		cmocka_unit_test(positions_are_those_of_the_value_in_both_formats),
		cmocka_unit_test(alias_bombs_are_refused_in_time),
		cmocka_unit_test(merge_bombs_are_refused_in_time),
		cmocka_unit_test(nested_merges_are_refused_in_time),
		cmocka_unit_test(deep_nesting_is_refused_in_time),
		cmocka_unit_test(nesting_up_to_the_limit_is_read),
		cmocka_unit_test(long_lines_and_long_scalars_take_linear_time),
		cmocka_unit_test(nul_bytes_are_errors_with_a_position),
		cmocka_unit_test(bad_utf8_is_an_error_with_a_position),
		cmocka_unit_test(truncated_documents_are_errors),
		cmocka_unit_test(documents_before_an_error_are_read),
	};

	return run_group("kube_doc", tests, ARRAY_SIZE(tests));
}
