/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory: allocation that cannot fail, growing arrays, arenas, cleanup by scope.
 *
 * When memory runs out, the process ends with a message and status 6. That is safe at any moment:
 * the kernel keeps the last good state, and a rerun converges. The size of input is bounded before
 * memory is allocated for it (user/kube/limits.h).
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * The variable must be initialised where it is declared, or an early return frees garbage. Lint
 * checks that.
 */
#define _cleanup_(fn) __attribute__((__cleanup__(fn)))

/* Moves a pointer out: yields its value and sets the variable to NULL. */
#define TAKE_PTR(p)                              \
	({                                       \
		__typeof__(p) *_take_ = &(p);    \
		__typeof__(p) _taken_ = *_take_; \
		*_take_ = NULL;                  \
		_taken_;                         \
	})

/* Moves a file descriptor out: yields its value and sets the variable to -1. */
#define TAKE_FD(fd)                    \
	({                             \
		int *_take_ = &(fd);   \
		int _taken_ = *_take_; \
		*_take_ = -1;          \
		_taken_;               \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *mem_zalloc(size_t size);
/* Reallocates when cap < need; new elements are zeroed. */
void *mem_grow(void *array, size_t *cap, size_t need, size_t elem_size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Appends a zeroed element and yields a pointer to it: *VEC_ADD(v->items, v->n, v->cap) = x; */
#define VEC_ADD(array, n, cap)                                                          \
	({                                                                              \
		if ((n) == (cap))                                                       \
			(array) = mem_grow((array), &(cap), (n) + 1, sizeof(*(array))); \
		&(array)[(n)++];                                                        \
	})

/* Sorts an array and removes repetitions; returns the new length. NULL is an empty array. */
size_t array_unique(void *array, size_t n, size_t size,
		    int (*compare)(const void *a, const void *b));
int text_order(const void *a, const void *b); /* for qsort(): elements are const char * */

/* For _cleanup_(). Each accepts a pointer to NULL or to -1. */
void mem_free(void *ptr_to_ptr); /* free(*(void **)p) */
void fd_close(int *fd); /* keeps errno */

/* Many small allocations, freed together. A zeroed struct is an empty arena. */
struct arena {
	struct arena_chunk *chunk;
};

void *arena_zalloc(struct arena *a, size_t size); /* aligned to 16 bytes */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *arena_copy(struct arena *a, const void *data, size_t size);
#define arena_array(arena, array, n) \
	((__typeof__(array))arena_copy((arena), (array), (n) * sizeof(*(array))))
void arena_free(struct arena *a);
