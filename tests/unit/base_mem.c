// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Arenas, growing arrays, and lists of diagnostics. */
#include "kube_test.h"

static void arena_memory_is_zero_aligned_and_does_not_overlap(void **state)
{
	static const size_t sizes[] = { 1, 16, 17, 479, 481, 5000, 70000, 3, 200000, 64 };
	_cleanup_(arena_free) struct arena a = {};
	unsigned char *blocks[ARRAY_SIZE(sizes)];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		blocks[i] = arena_zalloc(&a, sizes[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(blocks[i][k], i + 1);
}

static void arena_strings_are_terminated(void **state)
{
	_cleanup_(arena_free) struct arena a = {};

	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
}

static void vectors_grow_and_new_elements_are_zero(void **state)
{
	_cleanup_(mem_free) int *v = NULL;
	size_t n = 0, cap = 0;

	for (int i = 0; i < 1000; i++) {
		int *slot = VEC_ADD(v, n, cap);

		assert_int_equal(*slot, 0);
		*slot = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
}

static void array_unique_sorts_and_keeps_one_of_each(void **state)
{
	const char *texts[] = { "b", "a", "b", "c", "a" };

	assert_int_equal(array_unique(texts, ARRAY_SIZE(texts), sizeof(*texts), text_order), 3);
	assert_string_equal(texts[0], "a");
	assert_string_equal(texts[1], "b");
	assert_string_equal(texts[2], "c");
	assert_int_equal(array_unique(NULL, 0, sizeof(*texts), text_order), 0);
}

static void diagnostics_print_by_file_and_position_and_count_errors(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	struct diag_list list = {};
	struct src b = { "b.yaml", 1, 1 }, a9 = { "a.yaml", 9, 2 }, a2 = { "a.yaml", 2, 7 };
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	diag_add(&list, DIAG_ERROR, "E020", &b, "Pod x/y", "spec", "third");
	diag_add(&list, DIAG_WARNING, NULL, &a9, NULL, NULL, "second");
	diag_add(&list, DIAG_ERROR, "E001", &a2, NULL, NULL, "first %d", 1);
	diag_add(&list, DIAG_NOTE, NULL, NULL, NULL, NULL, "no position");
	diag_print(&list, out);
	fclose(out);
	assert_int_equal(list.errors, 2);
	assert_string_equal(text, "note: no position\n"
				  "a.yaml:2:7: error E001: first 1\n"
				  "a.yaml:9:2: warning: second\n"
				  "b.yaml:1:1: error E020: Pod x/y: spec: third\n");
	diag_free(&list);
	assert_int_equal(list.n, 0);
}

/* A list of 1,000,000, and parts of 1,000,000 bytes, take the memory of what is shown. */
static void many_diagnostics_are_counted_and_the_first_ones_kept(void **state)
{
	_cleanup_(mem_free) char *text = NULL, *name = mem_zalloc(1000001);
	struct diag_list list = {};
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	memset(name, 'x', 1000000);
	for (int i = 0; i < 1000000; i++)
		diag_add(&list, DIAG_ERROR, "E020", NULL, name, name, "error");
	diag_add(&list, DIAG_WARNING, NULL, NULL, NULL, NULL, "%s", name);
	assert_int_equal(list.errors, 1000000);
	assert_int_equal(list.n, DIAG_KEPT_MAX + 1);
	assert_true(strlen(list.items[0].object) < 3000);
	assert_true(strlen(list.items[DIAG_KEPT_MAX].message) < 3000);
	diag_print_from(&list, DIAG_ERROR, out);
	fclose(out);
	assert_string_equal(text + size - strlen("\nerror: 999000 more errors are not shown\n"),
			    "\nerror: 999000 more errors are not shown\n");
	diag_make_strict(&list, "E037");
	assert_int_equal(list.errors, 1000001);
	diag_drop(&list, 1);
	assert_int_equal(list.errors, 1);
	diag_free(&list);
}

static void errors_carry_their_code_and_text(void **state)
{
	struct weir_err err;

	assert_int_equal(err_set(&err, -EBUSY, "%s is held", "it"), -EBUSY);
	assert_string_equal(err.text, "it is held");
	assert_int_equal(err_set(NULL, -EPERM, "unused"), -EPERM);
	assert_string_equal(err_name(-EPERM), "EPERM");
	assert_string_equal(err_name(ENOENT), "ENOENT");
	assert_string_equal(err_name(-1234), "E-1234");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_memory_is_zero_aligned_and_does_not_overlap),
		cmocka_unit_test(arena_strings_are_terminated),
		cmocka_unit_test(vectors_grow_and_new_elements_are_zero),
		cmocka_unit_test(array_unique_sorts_and_keeps_one_of_each),
		cmocka_unit_test(diagnostics_print_by_file_and_position_and_count_errors),
		cmocka_unit_test(many_diagnostics_are_counted_and_the_first_ones_kept),
		cmocka_unit_test(errors_carry_their_code_and_text),
	};

	return run_group("base_mem", tests, ARRAY_SIZE(tests));
}
