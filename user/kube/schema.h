/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The names of all fields of the kinds that Weir reads, and of all kinds in their API groups, as
 * Kubernetes 1.37 has them. Constant data, made from schema.table by the build; tests/apiserver
 * compares it with Kubernetes' own types. No type holds itself: a walk along a type is bounded by
 * SCHEMA_DEPTH_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SCHEMA_DEPTH_MAX 12 /* fields between an object and its deepest one, without list items */

struct schema_field {
	const char *name;
	short type; /* of the mapping that it is, for schema_type_of(); -1: not checked further */
	bool list; /* a list of such mappings */
};

struct schema_type {
	const char *name;
	const struct schema_field *fields; /* sorted by name */
	size_t n;
};

/* The type of an object by its kind, "List", or an API group ("core": the one without a name),
 * whose fields are its kinds. NULL: there is none of that name. */
const struct schema_type *schema_find(const char *name);
/* The type of a field; NULL: a scalar, a list of scalars, or content without fixed names. */
const struct schema_type *schema_type_of(const struct schema_field *field);
/* The field of that name, or NULL. */
const struct schema_field *schema_field(const struct schema_type *type, const char *name);
/*
 * The field that is probably meant: the same letters in another case, the one of near_word(), or
 * the only one that begins with name. NULL: none.
 */
const struct schema_field *schema_near(const struct schema_type *type, const char *name);
