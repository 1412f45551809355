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

/* Of what doc_read() calls back with. */
struct read_into {
	doc_handler *handler;
	void *arg;
	struct doc_error *error; /* the first one */
	size_t reports;
};

static void on_document(const struct doc_node *root, void *arg)
{
	struct read_into *r = arg;

	r->handler(root, r->arg);
}

static void on_report(const struct doc_error *e, void *arg)
{
	struct read_into *r = arg;

	if (!r->reports++)
		*r->error = *e;
}

/* 0, or -EINVAL with the first error. */
static int read_doc(const char *text, size_t len, doc_handler *handler, void *arg,
		    struct doc_error *ret_error)
{
	struct read_into r = { .handler = handler, .arg = arg, .error = ret_error };

	return doc_read(text, len, on_document, on_report, &r) ? -EINVAL : 0;
}

static void assert_reads(const char *text, const char *expected)
{
	struct doc_error error = {};
	struct shown s = {};

	if (read_doc(text, strlen(text), show, &s, &error))
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

	assert_int_equal(read_doc(data, len, ignore, NULL, &error), -EINVAL);
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
	assert_reads("[1.5, 80.0, 8e1, .5, 18446744073709551615, 18446744073709551616, 1e-400]",
		     "[float(1.5) 80 80 float(.5) float(18446744073709551615) "
		     "float(18446744073709551616) 0]");
	assert_reads(
		"[1e400, 0x0x1, 0b12, ._5, 0xffffffffffffffff, 0xfffffffffffffffff]",
		"['1e400' '0x0x1' '0b12' '._5' float(0xffffffffffffffff) '0xfffffffffffffffff']");
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
	assert_refused("a: !!null x", "1:4 E001 expected a value for tag !!null, found \"x\"");
	assert_refused("a: !!timestamp x",
		       "1:4 E001 expected a value for tag !!timestamp, found \"x\"");
}

static void parse_9_tags_that_are_none_of_jsons_types_are_ignored(void **state)
{
	assert_reads("[!foo 80, !<x> true, !!set x, ! 80, !foo [!bar 1], !!omap {a: 1}]",
		     "['80' 'true' 'x' '80' ['1'] {a:1}]");
	assert_reads("{!!str 1: !!timestamp 2001-01-01}", "{1:'2001-01-01'}");
}

static void an_escaped_apostrophe_is_an_apostrophe(void **state)
{
	assert_reads("a: \"it\\'s\"\nb: [\"\\'x\\'\"]\nc: 'd\\'\n", "{a:'it's' b:[''x''] c:'d\\'}");
	assert_reads("a: \"\\\\\\'\\\"\\'\" # \\'\n", "{a:'\\'\"''}");
}

static void parse_9_binary_is_decoded(void **state)
{
	assert_reads("[!!binary aGk=, !!binary \"a\\\n  GkhCg==\", !!binary '']",
		     "['hi' 'hi!\n' '']");
	/* of bytes that are no text, what JSON would make of them */
	assert_reads("[!!binary /w==, !!binary AA==]", "['\xef\xbf\xbd' '\xef\xbf\xbd']");
	assert_refused("a: !!binary aGk", "1:4 E001 expected base64 after !!binary, found \"aGk\"");
	assert_refused("a: !!binary 'a!'", "1:4 E001 expected base64 after !!binary, found \"a!\"");
}

static void json_has_no_infinite_numbers(void **state)
{
	assert_refused("a: .inf",
		       "1:4 E001 Kubernetes has no number .inf: put it in quotes if it is text");
	assert_refused("a: [1, -.INF]",
		       "1:8 E001 Kubernetes has no number -.INF: put it in quotes if it is text");
	assert_refused("a: .NaN",
		       "1:4 E001 Kubernetes has no number .NaN: put it in quotes if it is text");
	assert_reads("{.inf: a, '.nan': '.inf'}", "{.inf:'a' .nan:'.inf'}");
	assert_refused("{\"a\": 1e400}",
		       "1:7 E023 the number 1e400 is larger than Kubernetes reads");
}

static void json_numbers_and_strings_are_taken_literally(void **state)
{
	assert_reads(
		"{\"a\":80,\"b\":\"80\",\"c\":8e1,\"d\":null,\"e\":[true,false],\"f\":\"\\u00e9\\ud83d\\ude00\"}",
		"{a:80 b:'80' c:80 d:null e:[true false] f:'\xc3\xa9\xf0\x9f\x98\x80'}");
}

static void keys_become_strings_as_in_kubernetes(void **state)
{
	assert_reads("{on: a, 0x10: b, 'x y': c}", "{16:'b' true:'a' x y:'c'}");
	assert_reads("{1.50: a, 1e6: b, 100000.5: c, .25: d, 1_0.5: e}",
		     "{0.25:'d' 1.5:'a' 10.5:'e' 100000.5:'c' 1e+06:'b'}");
	assert_refused("18446744073709551615: a",
		       "1:1 E001 number too large for a key: put it in quotes");
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
		       "1:13 E001 expected \",\" or \"]\" in the list that begins at line 1");
	assert_refused(
		"{\"a\": 1\n \"b\": 2}",
		"2:2 E001 not JSON: parse error: after key and value, inside map, I expect ',' or '}'");
}

static void aliases_stand_for_their_anchors(void **state)
{
	assert_reads("a: &x {k: 1}\nb: *x\nc: [*x, *x]", "{a:{k:1} b:{k:1} c:[{k:1} {k:1}]}");
	assert_reads("a: &x 1\nb: &x 2\nc: *x", "{a:1 b:2 c:2}");
	assert_refused("a: *x", "1:4 E001 alias *x refers to no anchor before it");
	assert_refused("a: &x\n  b: *x", "2:6 E001 alias *x is inside the value that it refers to");
	assert_refused("a: &x 1\nb: &x {c: *x}",
		       "2:11 E001 alias *x is inside the value that it refers to");
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
	assert_refused("a: &x [{k: 1}]\nb: {<<: *x}",
		       "2:9 E001 expected a mapping after <<, found an alias of a list");
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

	assert_int_equal(read_doc(text, strlen(text), find_position, &w, &error), 0);
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
	int r = read_doc(text, strlen(text), ignore, NULL, ret_error);

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

/* libyaml finds the apostrophe before it has seen the NUL byte. */
static void a_nul_byte_far_behind_an_escaped_apostrophe_is_found(void **state)
{
	_cleanup_(mem_free) char *filler = repeat("# filler\n", 1 << 14, "");
	_cleanup_(mem_free) char *text = mem_printf("a: \"\\'\"\n%sx%s", filler, filler);

	text[strlen("a: \"\\'\"\n") + strlen(filler)] = 0;
	assert_refused_bytes(
		text, strlen("a: \"\\'\"\nx") + 2 * strlen(filler),
		"16386:1 E001 control character: remove it, or write it as an escape in double quotes");
}

static void many_escaped_apostrophes_of_a_string_are_read_in_time(void **state)
{
	_cleanup_(mem_free) char *quotes = repeat("\\'", 1 << 20, "\"\n");
	_cleanup_(mem_free) char *text = mem_printf("a: \"%s", quotes);
	struct doc_error error = {};

	assert_int_equal(read_in_time(text, &error), 0);
}

static void escaped_apostrophes_of_many_strings_are_read_or_refused_in_time(void **state)
{
	_cleanup_(mem_free) char *few = repeat("- \"\\'\"\n", 1000, "");
	_cleanup_(mem_free) char *many = repeat("- \"\\'\"\n", 100000, "");
	struct doc_error error = {};

	assert_int_equal(read_in_time(few, &error), 0);
	assert_int_equal(read_in_time(many, &error), -EINVAL);
	assert_int_equal(error.code, KUBE_E_LIMIT);
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

static void a_nul_byte_is_an_error_and_an_escaped_one_is_text(void **state)
{
	assert_refused_bytes(
		"a: b\nc: x\0y\n", 12,
		"2:5 E001 control character: remove it, or write it as an escape in double quotes");
	assert_refused_bytes(
		"\0\0\0\0", 4,
		"1:1 E001 control character: remove it, or write it as an escape in double quotes");
	/* no name or label may have the character, nor the one that stands for it */
	assert_reads("a: \"x\\0y\"", "{a:'x\xef\xbf\xbdy'}");
	assert_reads("{\"x\\u0000y\":\n\"\\u0000\"}", "{x\xef\xbf\xbdy:'\xef\xbf\xbd'}");
}

static void a_control_character_is_found_after_cr_lf_too(void **state)
{
	assert_refused(
		"a: b\r\n\r\nc: x\x01y\r\n",
		"3:5 E001 control character: remove it, or write it as an escape in double quotes");
}

/* As kubectl reads files. */
static void bytes_that_are_no_utf8_are_replaced(void **state)
{
	assert_reads("a: b\nc: \xff\xfe # \xe9t\xe9\n", "{a:'b' c:'\xef\xbf\xbd\xef\xbf\xbd'}");
	assert_reads("{\"a\": 1,\n\"b\":\"\xc3\"}", "{a:1 b:'\xef\xbf\xbd'}");
	assert_reads("a: \xed\xa0\x80x", "{a:'\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx'}");
	/* not after a byte order mark, but in JSON there too */
	assert_refused("\xef\xbb\xbf"
		       "a: \xff",
		       "1:4 E001 bytes that are not UTF-8: write the file as UTF-8");
	assert_reads("\xef\xbb\xbf{\"a\":\"\xff\"}", "{a:'\xef\xbf\xbd'}");
	assert_reads("\xef\xbb\xbf{\"\xff\":[\"\xed\xa0\x80x\"]}",
		     "{\xef\xbf\xbd:['\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx']}");
	assert_refused("\xef\xbb\xbf{'a':\n'\xff'}",
		       "2:2 E001 bytes that are not UTF-8: write the file as UTF-8");
}

static void utf_16_is_read_by_its_byte_order_mark(void **state)
{
	static const char little[] = "\xff\xfe"
				     "a\0:\0 \0\xe9\0=\xd8\0\xde\n\0";
	static const char big[] = "\xfe\xff"
				  "\0a\0:\0 \0b\0\n";
	struct doc_error error = {};
	struct shown s = {};

	assert_int_equal(read_doc(little, sizeof(little) - 1, show, &s, &error), 0);
	assert_int_equal(read_doc(big, sizeof(big) - 1, show, &s, &error), 0);
	assert_string_equal(s.text, "{a:'\xc3\xa9\xf0\x9f\x98\x80'} | {a:'b'}");
}

static void syntax_errors_say_what_is_wrong_in_the_file(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "a: [1, 2",
		  "2:1 E001 expected \",\" or \"]\" in the list that begins at line 1" },
		{ "a: \"x\nb: c",
		  "3:1 E001 the string that begins at line 1 has no closing quote" },
		{ "a:\n\tb: 1", "2:1 E001 tab in indentation; YAML allows only spaces" },
		{ "a: |\n\tb", "2:1 E001 tab in indentation; YAML allows only spaces" },
		{ "a: b: c",
		  "1:5 E001 \": \" is not allowed here: put text that has it in quotes, or correct the indentation" },
		{ "a: @x", "1:4 E001 a value cannot begin with @: put it in quotes" },
		{ "a: 1\nb\nc: 2", "3:1 E001 expected \": \" after the key of line 2" },
		{ "a:\n  b: 1\n c: 2",
		  "3:2 E001 expected a key with the indentation of the mapping that begins at line 1" },
		{ "- a\nb: 1",
		  "2:1 E001 expected \"- \" with the indentation of the list that begins at line 1" },
		{ "a: - b",
		  "1:4 E001 \"- \" is not allowed here: a list begins on a line of its own" },
		{ "a: \"\\q\"",
		  "1:5 E001 unknown escape in double quotes: write \\\\ for a backslash, or use single quotes" },
		{ "a: {b:}", "1:6 E001 \":\" inside [] or {} needs a blank after it" },
		{ "a: [b?]", "1:5 E001 text with ? inside [] or {} must be in quotes" },
		{ "a: !b!c d",
		  "1:4 E001 unknown prefix of a tag: put text that begins with ! in quotes" },
		{ "%YAML 1.1\n---\na: 1",
		  "2:1 E001 a line that begins with % is a directive, which kubectl does not read: remove it" },
		{ "{\"a\": {\"b\": 1}", "1:15 E001 not JSON: parse error: premature EOF" },
		{ "{\"a\": \"x", "1:7 E001 not JSON: parse error: premature EOF" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].text, cases[i].error);
}

/* ---- Division into documents ---- */

static void show_all(const char *text, struct shown *s, size_t *ret_reports,
		     struct doc_error *ret_first)
{
	struct read_into r = { .handler = show, .arg = s, .error = ret_first };

	doc_read(text, strlen(text), on_document, on_report, &r);
	*ret_reports = r.reports;
}

static void parse_9_a_broken_document_does_not_reach_the_others(void **state)
{
	struct doc_error error = {};
	struct shown s = {};
	size_t reports;

	show_all("a: 1\n---\nb: [\n---\nc: 3\n---\n\"d\n---\ne: f\n", &s, &reports, &error);
	assert_string_equal(s.text, "{a:1} | {c:3} | {e:'f'}");
	assert_int_equal(reports, 2);
	assert_int_equal(error.line, 4);
}

static void parse_9_a_byte_order_mark_may_begin_any_document(void **state)
{
	assert_reads("\xef\xbb\xbf"
		     "a: 1\nb: 2\n---\n\xef\xbb\xbf"
		     "c: 3\nd: 4\n",
		     "{a:1 b:2} | {c:3 d:4}");
	assert_position("a: 1\n---\n\xef\xbb\xbfx: 1\nbee: 2\n", "bee", 4, 6);
}

static void parse_9_anchors_are_known_in_their_document_only(void **state)
{
	assert_refused("a: &x 1\n---\nb: *x", "3:4 E001 alias *x refers to no anchor before it");
}

static void parse_9_only_a_comment_may_follow_a_separator(void **state)
{
	static const char wrong[] =
		"E001 a line that begins with --- ends a document: only blanks and a comment may follow";
	static const char *const lines[] = { "--- {b: 2}", "---b", "----", "--- |\n x",
					     "--- !!map" };

	assert_reads("a: 1\n--- # x\nb: 2\n---\t\nc: 3\n--- \r\n", "{a:1} | {b:2} | {c:3}");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(mem_free) char *text = mem_printf("a: 1\n%s\nc: d\n", lines[i]);
		_cleanup_(mem_free) char *expected = mem_printf("2:1 %s", wrong);

		assert_refused(text, expected);
	}
}

static void parse_9_yaml_may_follow_one_json_value(void **state)
{
	assert_reads("{\"a\":1}\n---\nb: 2\n---\nc: 3\n", "{a:1} | {b:2} | {c:3}");
	assert_reads("{\"a\":1} \r\n--- # x\n{\"b\": 2}\n", "{a:1} | {b:2}");
	assert_reads("{\"a\":1}\nb: 2\n", "{a:1} | {b:2}");
	assert_position("{\"a\":\n1}\n---\nbee: 2\n", "bee", 4, 6);
	/* several are JSON for certain */
	assert_refused(
		"{\"a\":1}\n{\"b\":2}\n---\nc: 3\n",
		"3:1 E001 not JSON: lexical error: malformed number, a digit is required after the minus sign.");
}

static void what_follows_the_end_of_a_document_is_not_read_and_a_warning(void **state)
{
	struct doc_error error = {};
	struct shown s = {};
	size_t reports;

	show_all("a: 1\n...\nb: [\n---\nc: 3\n...\n# end\n", &s, &reports, &error);
	assert_string_equal(s.text, "{a:1} | {c:3}");
	assert_int_equal(reports, 1);
	assert_true(error.warning);
	assert_int_equal(error.line, 3);
	assert_string_equal(
		error.text,
		"not read, as by kubectl: a document begins after a line of its own with ---");
}

static void a_file_of_broken_documents_is_not_read_to_its_end(void **state)
{
	_cleanup_(mem_free) char *text = repeat("[\n---\n", 1 << 20, "");
	struct doc_error error = {};
	struct read_into r = { .handler = ignore, .error = &error };
	double start = seconds();

	assert_int_equal(doc_read(text, strlen(text), on_document, on_report, &r),
			 KUBE_FILE_ERRORS_MAX);
	assert_int_equal(r.reports, KUBE_FILE_ERRORS_MAX);
	assert_true(seconds() - start < TIME_BOUND_S);
}

static void many_documents_take_linear_time(void **state)
{
	_cleanup_(mem_free) char *yaml = repeat("---\na: 1\n", 50000, ""),
				 *separators = repeat("---\n", 1 << 17, "");
	struct doc_error error = {};

	assert_int_equal(read_in_time(yaml, &error), 0);
	assert_int_equal(read_in_time(separators, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_have_the_types_of_yaml_1_1),
		cmocka_unit_test(quoted_and_tagged_scalars_have_the_given_type),
		cmocka_unit_test(parse_9_tags_that_are_none_of_jsons_types_are_ignored),
		cmocka_unit_test(an_escaped_apostrophe_is_an_apostrophe),
		cmocka_unit_test(parse_9_binary_is_decoded),
		cmocka_unit_test(json_has_no_infinite_numbers),
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
		cmocka_unit_test(a_nul_byte_far_behind_an_escaped_apostrophe_is_found),
		cmocka_unit_test(many_escaped_apostrophes_of_a_string_are_read_in_time),
		cmocka_unit_test(escaped_apostrophes_of_many_strings_are_read_or_refused_in_time),
		cmocka_unit_test(long_lines_and_long_scalars_take_linear_time),
		cmocka_unit_test(a_nul_byte_is_an_error_and_an_escaped_one_is_text),
		cmocka_unit_test(a_control_character_is_found_after_cr_lf_too),
		cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
		cmocka_unit_test(utf_16_is_read_by_its_byte_order_mark),
		cmocka_unit_test(syntax_errors_say_what_is_wrong_in_the_file),
		cmocka_unit_test(parse_9_a_broken_document_does_not_reach_the_others),
		cmocka_unit_test(parse_9_a_byte_order_mark_may_begin_any_document),
		cmocka_unit_test(parse_9_anchors_are_known_in_their_document_only),
		cmocka_unit_test(parse_9_only_a_comment_may_follow_a_separator),
		cmocka_unit_test(parse_9_yaml_may_follow_one_json_value),
		cmocka_unit_test(what_follows_the_end_of_a_document_is_not_read_and_a_warning),
		cmocka_unit_test(a_file_of_broken_documents_is_not_read_to_its_end),
		cmocka_unit_test(many_documents_take_linear_time),
	};

	return run_group("kube_doc", tests, ARRAY_SIZE(tests));
}
