// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Whole tables in user memory. See table.h. Reads and inserts in batches, where the kernel can;
 * replaces and deletes one element at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "sync/table.h"

#define BATCH 4096
#define CURSOR_MAX 64 /* at least the largest key, from which a batch resumes */

void table_init(struct table *t, enum weir_map map)
{
	const struct map_info *i = map_info(map);

	*t = (struct table){ .map = map, .key_size = i->key_size, .value_size = i->value_size };
	t->value_off = (t->key_size + 7) & ~7u;
	t->stride = t->value_off + ((t->value_size + 7) & ~7u);
}

void table_free(struct table *t)
{
	free(t->data);
	t->data = NULL;
	t->n = t->cap = 0;
}

void table_add(struct table *t, const void *key, const void *value)
{
	t->data = mem_grow(t->data, &t->cap, t->n + 1, t->stride);
	memcpy(table_key(t, t->n), key, t->key_size);
	memcpy(table_value(t, t->n), value, t->value_size);
	t->n++;
}

static int by_key(const void *a, const void *b, void *arg)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int order = memcmp(x, y, ((const struct table *)arg)->key_size);

	return order ? order : (x > y) - (x < y); /* stable */
}

void table_sort(struct table *t)
{
	_cleanup_(mem_free) char **order = mem_zalloc((t->n + 1) * sizeof(*order));
	char *sorted = mem_zalloc(t->n * t->stride);
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		order[i] = table_key(t, i);
	qsort_r(order, t->n, sizeof(*order), by_key, t);
	for (size_t i = 0; i < t->n; i++)
		if (!i || memcmp(order[i - 1], order[i], t->key_size))
			memcpy(sorted + kept++ * t->stride, order[i], t->stride);
	free(t->data);
	t->data = sorted;
	t->cap = t->n;
	t->n = kept;
}

void *table_find(const struct table *t, const void *key)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key, table_key(t, middle), t->key_size);

		if (!order)
			return table_value(t, middle);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void table_diff(const struct table *live, const struct table *want, struct table_diff *ret_diff)
{
	size_t i = 0, j = 0;

	table_init(&ret_diff->insert, want->map);
	table_init(&ret_diff->change, want->map);
	table_init(&ret_diff->drop, want->map);
	while (i < live->n || j < want->n) {
		int order = i == live->n   ? 1
			    : j == want->n ? -1
					   : memcmp(table_key(live, i), table_key(want, j),
						    live->key_size);

		if (order < 0)
			table_add(&ret_diff->drop, table_key(live, i), table_value(live, i));
		else if (order > 0)
			table_add(&ret_diff->insert, table_key(want, j), table_value(want, j));
		else if (memcmp(table_value(live, i), table_value(want, j), live->value_size))
			table_add(&ret_diff->change, table_key(want, j), table_value(want, j));
		i += order <= 0;
		j += order >= 0;
	}
}

void table_diff_free(struct table_diff *d)
{
	table_free(&d->insert);
	table_free(&d->change);
	table_free(&d->drop);
}

/* ---- Reading ---- */

struct batch {
	char *keys, *values;
	uint32_t size;
};

static void batch_free(struct batch *b)
{
	free(b->keys);
	free(b->values);
}

static void batch_make(struct batch *b, const struct table *t, uint32_t size)
{
	batch_free(b);
	*b = (struct batch){ mem_zalloc((size_t)size * t->key_size),
			     mem_zalloc((size_t)size * t->value_size), size };
}

static void take_batch(struct table *t, const struct batch *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		table_add(t, b->keys + (size_t)i * t->key_size,
			  b->values + (size_t)i * t->value_size);
}

static int read_by_batch(int fd, struct table *t)
{
	_cleanup_(batch_free) struct batch b = {};
	char cursors[2][CURSOR_MAX];
	bool started = false;
	int turn = 0;

	batch_make(&b, t, BATCH);
	for (;;) {
		uint32_t count = b.size;
		int r = bpf_map_lookup_batch(fd, started ? cursors[turn] : NULL, cursors[!turn],
					     b.keys, b.values, &count, NULL);

		if (r == -ENOSPC) { /* more elements in one bucket than fit */
			batch_make(&b, t, b.size * 2);
			continue;
		}
		if (r && r != -ENOENT)
			return r;
		take_batch(t, &b, count);
		if (r == -ENOENT || !count)
			return 0;
		started = true;
		turn = !turn;
	}
}

static int read_one_by_one(int fd, struct table *t)
{
	_cleanup_(mem_free) char *value = mem_zalloc(t->value_size);
	char key[CURSOR_MAX], next[CURSOR_MAX];
	bool started = false;

	while (!bpf_map_get_next_key(fd, started ? key : NULL, next)) {
		started = true;
		memcpy(key, next, t->key_size);
		if (!bpf_map_lookup_elem(fd, key, value))
			table_add(t, key, value);
	}
	return errno == ENOENT ? 0 : -errno;
}

int table_read(int fd, struct table *t, struct weir_err *err)
{
	int r = read_by_batch(fd, t);

	if (r) {
		t->n = 0;
		r = read_one_by_one(fd, t);
	}
	if (r)
		return err_set(err, r, "read map %s: %s", map_info(t->map)->name, strerror(-r));
	table_sort(t);
	return 0;
}

/* ---- Writing ---- */

static uint32_t fill_batch(const struct table *t, size_t from, struct batch *b)
{
	uint32_t count = t->n - from < b->size ? t->n - from : b->size;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(b->keys + (size_t)i * t->key_size, table_key(t, from + i), t->key_size);
		memcpy(b->values + (size_t)i * t->value_size, table_value(t, from + i),
		       t->value_size);
	}
	return count;
}

/* Returns how many elements were written; the caller writes the rest one by one. */
static size_t write_by_batch(int fd, const struct table *t)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	_cleanup_(batch_free) struct batch b = {};
	size_t done = 0;

	if (t->n < 2)
		return 0;
	batch_make(&b, t, BATCH);
	while (done < t->n) {
		uint32_t count = fill_batch(t, done, &b), asked = count;
		int r = bpf_map_update_batch(fd, b.keys, b.values, &count, &opts);

		if (r)
			break; /* some may have been written */
		done += asked;
	}
	return done;
}

int table_write(int fd, const struct table *t, struct weir_err *err)
{
	for (size_t i = write_by_batch(fd, t); i < t->n; i++)
		if (bpf_map_update_elem(fd, table_key(t, i), table_value(t, i), BPF_NOEXIST) &&
		    errno != EEXIST) /* a batch that failed had written it already */
			return err_set(err, -errno, "write map %s: %s", map_info(t->map)->name,
				       strerror(errno));
	return 0;
}

int table_replace(int fd, const struct table *t, struct weir_err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (bpf_map_update_elem(fd, table_key(t, i), table_value(t, i), BPF_ANY))
			return err_set(err, -errno, "write map %s: %s", map_info(t->map)->name,
				       strerror(errno));
	return 0;
}

int table_erase(int fd, const struct table *t, struct weir_err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (bpf_map_delete_elem(fd, table_key(t, i)) && errno != ENOENT)
			return err_set(err, -errno, "delete from map %s: %s",
				       map_info(t->map)->name, strerror(errno));
	return 0;
}
