// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The allocators of extents and ids: pure, no root. */
#include <errno.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sync/idset.h"
#include "sync/extents.h"

static uint32_t take(struct extents *r, uint32_t len)
{
	uint32_t offset = 0xffffffff;

	assert_int_equal(extents_take(r, len, &offset), 0);
	return offset;
}

static void extents_fill_the_holes_between_used_ones(void **state)
{
	struct extents r;
	uint32_t offset = 99;

	extents_init(&r, 20);
	extents_mark(&r, 10, 5);
	extents_mark(&r, 2, 3);
	extents_mark(&r, 4, 2); /* overlaps */
	extents_settle(&r);
	assert_int_equal(take(&r, 3), 6);
	assert_int_equal(take(&r, 2), 0);
	assert_int_equal(take(&r, 5), 15);
	assert_int_equal(take(&r, 0), 0);
	assert_int_equal(extents_take(&r, 2, &offset), -ENOSPC);
	assert_int_equal(offset, 99);
	assert_int_equal(take(&r, 1), 9);
	assert_int_equal(extents_take(&r, 1, &offset), -ENOSPC);
	extents_free(&r);
}

static void marks_beyond_the_array_are_ignored(void **state)
{
	struct extents r;

	extents_init(&r, 8);
	extents_mark(&r, 8, 1);
	extents_mark(&r, 4, 0xffffffff);
	extents_settle(&r);
	assert_int_equal(take(&r, 8), 0);
	extents_free(&r);
}

/* With random marks, no two extents overlap and none leaves the array. */
static void extents_never_overlap(void **state)
{
	unsigned int seed = 7;

	for (int round = 0; round < 200; round++) {
		char used[256] = {};
		struct extents r;
		uint32_t offset, len;

		extents_init(&r, sizeof(used));
		for (int i = 0; i < 6; i++) {
			offset = rand_r(&seed) % 250;
			len = rand_r(&seed) % 7;
			extents_mark(&r, offset, len);
			for (uint32_t b = offset; b < offset + len && offset + len <= sizeof(used);
			     b++)
				used[b] = 1;
		}
		extents_settle(&r);
		while (!extents_take(&r, len = 1 + rand_r(&seed) % 9, &offset)) {
			assert_true(offset + len <= sizeof(used));
			for (uint32_t b = offset; b < offset + len; b++)
				assert_int_equal(used[b]++, 0);
		}
		extents_free(&r);
	}
}

static void ids_are_the_smallest_free_ones_and_never_0(void **state)
{
	struct idset s;
	uint32_t id = 0;

	idset_init(&s, 70);
	idset_mark(&s, 1);
	idset_mark(&s, 3);
	idset_mark(&s, 64);
	idset_mark(&s, 4000); /* beyond the limit */
	assert_false(idset_has(&s, 4000));
	assert_int_equal(idset_take(&s, &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(idset_take(&s, &id), 0);
	assert_int_equal(id, 4);
	for (int i = 0; i < 64; i++)
		assert_int_equal(idset_take(&s, &id), 0);
	assert_int_equal(id, 69);
	assert_int_equal(idset_take(&s, &id), -ENOSPC);
	idset_free(&s);
}

static void returned_extents_join_their_neighbours(void **state)
{
	struct extents r;
	uint32_t offset;

	extents_init(&r, 12);
	extents_settle(&r);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(take(&r, 3), 3 * i);
	extents_give(&r, 3, 3);
	extents_give(&r, 9, 3);
	assert_int_equal(extents_take(&r, 4, &offset), -ENOSPC);
	extents_give(&r, 6, 3); /* between two free extents */
	assert_int_equal(take(&r, 9), 3);
	extents_give(&r, 0, 3);
	extents_give(&r, 3, 9); /* behind a free extent */
	extents_give(&r, 0, 0);
	assert_int_equal(take(&r, 12), 0);
	assert_int_equal(extents_take(&r, 1, &offset), -ENOSPC);
	extents_free(&r);
}

/* Random takes and returns, checked against a plain array of what is used. */
static void returned_extents_are_given_out_once(void **state)
{
	enum { SIZE = 64, HELD = 8 };
	struct extent held[HELD] = {};
	bool used[SIZE] = {};
	unsigned int seed = 11;
	struct extents r;

	extents_init(&r, SIZE);
	extents_settle(&r);
	for (int i = 0; i < 20000; i++) {
		struct extent *h = &held[rand_r(&seed) % HELD];

		extents_give(&r, h->offset, h->len);
		for (uint32_t j = 0; j < h->len; j++)
			used[h->offset + j] = false;
		h->len = rand_r(&seed) % 13;
		if (extents_take(&r, h->len, &h->offset))
			h->len = 0;
		for (uint32_t j = 0; j < h->len; j++) {
			assert_false(used[h->offset + j]);
			used[h->offset + j] = true;
		}
	}
	for (int i = 0; i < HELD; i++)
		extents_give(&r, held[i].offset, held[i].len);
	assert_int_equal(take(&r, SIZE), 0);
	extents_free(&r);
}

static void returned_ids_are_given_out_first(void **state)
{
	struct idset ids;
	uint32_t id;

	idset_init(&ids, 200);
	for (uint32_t i = 1; i < 200; i++)
		assert_true(!idset_take(&ids, &id) && id == i);
	assert_int_equal(idset_take(&ids, &id), -ENOSPC);
	idset_drop(&ids, 150);
	idset_drop(&ids, 7);
	idset_drop(&ids, 7);
	idset_drop(&ids, 5000);
	assert_true(!idset_take(&ids, &id) && id == 7);
	assert_true(!idset_take(&ids, &id) && id == 150);
	assert_int_equal(idset_take(&ids, &id), -ENOSPC);
	idset_free(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_fill_the_holes_between_used_ones),
		cmocka_unit_test(marks_beyond_the_array_are_ignored),
		cmocka_unit_test(extents_never_overlap),
		cmocka_unit_test(returned_extents_join_their_neighbours),
		cmocka_unit_test(returned_extents_are_given_out_once),
		cmocka_unit_test(returned_ids_are_given_out_first),
		cmocka_unit_test(ids_are_the_smallest_free_ones_and_never_0),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
