// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Maglev tables: equal parts, the same on all nodes, few changes for one backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compile/maglev.h"

#define NONE UINT32_MAX

static const uint32_t counts[] = { 2, 3, 4, 5, 8, 9, 32, 33, 128, 129, 512, 513, 2047 };

/* n pods of one port, 7 addresses apart. */
static struct maglev_backend *pods(uint32_t n)
{
	struct maglev_backend *b = mem_zalloc(n * sizeof(*b));

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = 7 * i;

		b[i].addr.b[0] = 0xfd;
		b[i].addr.b[13] = at >> 16;
		b[i].addr.b[14] = at >> 8;
		b[i].addr.b[15] = at;
		b[i].port = 8080;
	}
	return b;
}

static uint32_t *table(const struct maglev_backend *b, uint32_t n)
{
	uint32_t *slots = mem_zalloc(maglev_size(n) * sizeof(*slots));

	maglev_fill(b, n, slots);
	return slots;
}

static void svc_29_every_backend_has_an_equal_part(void **state)
{
	for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
		uint32_t n = counts[k], size = maglev_size(n);
		_cleanup_(mem_free) uint32_t *parts = mem_zalloc(n * sizeof(*parts));
		_cleanup_(mem_free) struct maglev_backend *b = pods(n);
		_cleanup_(mem_free) uint32_t *slots = table(b, n);

		assert_true(size / n >= 31);
		for (uint32_t i = 0; i < size; i++) {
			assert_in_range(slots[i], 0, n - 1);
			parts[slots[i]]++;
		}
		for (uint32_t i = 0; i < n; i++)
			assert_in_range(parts[i], size / n, size / n + 1);
	}
}

/* Slots beside the removed backend's own that change, in thousandths of the table. */
static uint32_t disruption(uint32_t n, uint32_t removed)
{
	_cleanup_(mem_free) struct maglev_backend *b = pods(n);
	_cleanup_(mem_free) uint32_t *before = table(b, n), *after = NULL;
	uint32_t size = maglev_size(n), changed = 0;

	memmove(&b[removed], &b[removed + 1], (n - 1 - removed) * sizeof(*b));
	after = table(b, n - 1);
	for (uint32_t i = 0; i < size; i++)
		changed += before[i] != removed && before[i] != after[i] + (after[i] >= removed);
	return changed * 1000 / size;
}

static void a_removed_backend_changes_few_slots_of_others(void **state)
{
	static const uint32_t sizes[] = { 3, 4, 7, 8, 16, 32, 100, 128, 500, 1000 };
	uint32_t worst = 0, sum = 0, n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (int at = 0; at < 3; at++) {
			uint32_t d = disruption(sizes[k], at * (sizes[k] - 1) / 2);

			worst = d > worst ? d : worst;
			sum += d;
			n++;
		}
	}
	print_message("# mean %u, worst %u of 1,000 slots\n", sum / n, worst);
	assert_in_range(worst, 1, 70);
	assert_in_range(sum / n, 1, 35);
}

/* Ports are part of the name: SVC-13. */
static void svc_13_backends_of_one_address_differ_by_port(void **state)
{
	_cleanup_(mem_free) struct maglev_backend *b = pods(3);
	_cleanup_(mem_free) uint32_t *before = table(b, 3), *after = NULL;

	b[1].port++;
	after = table(b, 3);
	assert_memory_not_equal(before, after, maglev_size(3) * sizeof(*before));
}

static void one_backend_needs_one_slot_and_none_needs_none(void **state)
{
	_cleanup_(mem_free) struct maglev_backend *b = pods(1);
	uint32_t slot = NONE;

	assert_int_equal(maglev_size(0), 0);
	assert_int_equal(maglev_size(1), 1);
	maglev_fill(b, 0, &slot);
	assert_int_equal(slot, NONE);
	maglev_fill(b, 1, &slot);
	assert_int_equal(slot, 0);
}

static void more_backends_than_the_largest_prime_have_a_slot_each(void **state)
{
	uint32_t n = 70000;
	_cleanup_(mem_free) struct maglev_backend *b = pods(n);
	_cleanup_(mem_free) uint32_t *slots = table(b, n);

	assert_int_equal(maglev_size(n), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(slots[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svc_29_every_backend_has_an_equal_part),
		cmocka_unit_test(a_removed_backend_changes_few_slots_of_others),
		cmocka_unit_test(svc_13_backends_of_one_address_differ_by_port),
		cmocka_unit_test(one_backend_needs_one_slot_and_none_needs_none),
		cmocka_unit_test(more_backends_than_the_largest_prime_have_a_slot_each),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
