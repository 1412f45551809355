/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Diagnostics of the input, and errors that carry their context. Decoders and compilers add to a
 * list; the verbs print it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Position in a file. file NULL: not from a file (API, tests, derived objects). */
struct src {
	const char *file;
	int line, col;
};

enum diag_level {
	DIAG_NOTE,
	DIAG_WARNING,
	DIAG_ERROR,
	_DIAG_LEVEL_MAX,
};

/* Of each level, so many are kept; the others are only counted. Hostile input has millions. */
#define DIAG_KEPT_MAX 1000

struct diag {
	enum diag_level level;
	struct src src;
	char *code; /* "E012" of an error, or NULL */
	char *object; /* "NetworkPolicy ns/name", or NULL */
	char *path; /* "spec.ingress[2].ports[0]", or NULL */
	char *message; /* what is wrong, what would be right */
};

struct diag_list {
	struct diag *items;
	size_t n, cap;
	size_t errors; /* also those that are not kept */
	size_t kept[_DIAG_LEVEL_MAX], more[_DIAG_LEVEL_MAX];
};

/* Copies all strings, and of each no more than is printed. code, object and path may be NULL. */
void diag_add(struct diag_list *list, enum diag_level level, const char *code,
	      const struct src *src, const char *object, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
bool diag_has_room(const struct diag_list *list, enum diag_level level);
/*
 * Lines "file:line:col: error E012: Kind ns/name: field.path: message", by file and position, and
 * how many more there were. All, or only those of the levels from least on.
 */
void diag_print(const struct diag_list *list, FILE *out);
void diag_print_from(const struct diag_list *list, enum diag_level least, FILE *out);
void diag_drop(struct diag_list *list, size_t n); /* all but the first n */
/* Warnings become errors with that code. */
void diag_make_strict(struct diag_list *list, const char *code);
void diag_free(struct diag_list *list);

/*
 * An error of I/O (files, kernel, netlink): filled once, where it happens, with its whole context;
 * printed by the verb.
 */
struct weir_err {
	char text[512];
};

/* Fills err, which may be NULL, and returns code: return err_set(err, -EBUSY, "…"); */
int err_set(struct weir_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "EPERM" for -EPERM or EPERM; "E-1234" when unknown. */
const char *err_name(int code);
