// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See mem.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * Each object owns an arena: about 500 bytes, up to 150,000 times. The arena of a document is
 * large: chunks double.
 */
#define ARENA_CHUNK_MIN 480
#define ARENA_CHUNK_MAX ((size_t)64 << 10)
#define ARENA_ALIGN 16

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(ARENA_ALIGN) char data[];
};

static void *checked(void *p)
{
	if (p)
		return p;
	fputs("weir: out of memory; what is loaded in the kernel stays in force\n", stderr);
	_exit(6);
}

void *mem_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_grow(void *array, size_t *cap, size_t need, size_t elem_size)
{
	size_t want = *cap ? *cap : 8;
	char *grown;

	while (want < need)
		want *= 2;
	if (want <= *cap)
		return array;
	grown = checked(reallocarray(array, want, elem_size));
	memset(grown + *cap * elem_size, 0, (want - *cap) * elem_size);
	*cap = want;
	return grown;
}

char *mem_strdup(const char *s)
{
	return checked(strdup(s));
}

char *mem_strndup(const char *s, size_t len)
{
	return checked(strndup(s, len));
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return checked(s);
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = mem_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

size_t array_unique(void *array, size_t n, size_t size,
		    int (*compare)(const void *a, const void *b))
{
	char *items = array;
	size_t kept = 0, sorted = 1;

	while (sorted < n && compare(items + (sorted - 1) * size, items + sorted * size) <= 0)
		sorted++;
	if (sorted < n)
		qsort(items, n, size, compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare(items + (kept - 1) * size, items + i * size))
			memmove(items + kept++ * size, items + i * size, size);
	return kept;
}

int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void mem_free(void *ptr_to_ptr)
{
	free(*(void **)ptr_to_ptr);
}

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static struct arena_chunk *arena_room(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunk;
	size_t want = c ? 2 * c->size : ARENA_CHUNK_MIN;

	if (c && c->size - c->used >= size)
		return c;
	if (want > ARENA_CHUNK_MAX)
		want = ARENA_CHUNK_MAX;
	if (want < size)
		want = size;
	c = mem_zalloc(sizeof(*c) + want);
	c->size = want;
	c->next = a->chunk;
	a->chunk = c;
	return c;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	struct arena_chunk *c;
	void *p;

	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	c = arena_room(a, size);
	p = c->data + c->used;
	c->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_zalloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	_cleanup_(mem_free) char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	s = mem_vprintf(fmt, ap);
	va_end(ap);
	return arena_strdup(a, s);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_zalloc(a, size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

void arena_free(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->chunk; c; c = next) {
		next = c->next;
		free(c);
	}
	a->chunk = NULL;
}
