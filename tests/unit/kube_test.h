/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For the tests of user/kube: a text read into a store, and its diagnostics as one text, compared
 * exactly, with positions.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kube/store.h"
#include "objects.h"

#define with_store _cleanup_(store_free) struct store

static inline struct store *read_text(const char *text)
{
	struct store *s = store_new();

	store_read_buffer(s, "f.yaml", text, strlen(text));
	return s;
}

static inline struct store *read_with_defaults(const char *text, unsigned int flags)
{
	struct store *s = read_text(text);

	store_apply_defaults(s, flags);
	return s;
}

static inline struct store *read_objects(const char *const *objects, unsigned int flags)
{
	_cleanup_(mem_free) char *text = objects_join(objects);

	return read_with_defaults(text, flags);
}

static inline void assert_diags(const struct store *s, const char *expected)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	diag_print(&s->diags, out);
	fclose(out);
	assert_string_equal(text, expected);
}

/* Reads one text and expects exactly these diagnostics. */
static inline void assert_found(const char *text, const char *expected)
{
	with_store *s = read_text(text);

	assert_diags(s, expected);
}

static inline void assert_addr(const struct weir_addr *a, const char *expected)
{
	char text[ADDR_TEXT_MAX] = "";

	assert_string_equal(weir_addr_is_zero(a) ? "none" : addr_text(a, text), expected);
}

static inline int run_group(const char *name, const struct CMUnitTest *tests, size_t n)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
