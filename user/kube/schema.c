// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See schema.h. */
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "kube/schema.h"

#include "schema_table.h" /* fields[] and types[], sorted by name */

const struct schema_type *schema_find(const char *name)
{
	size_t low = 0, high = ARRAY_SIZE(types);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, types[middle].name);

		if (!order)
			return &types[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct schema_type *schema_type_of(const struct schema_field *field)
{
	return field->type < 0 ? NULL : &types[field->type];
}

const struct schema_field *schema_field(const struct schema_type *type, const char *name)
{
	for (size_t i = 0; i < type->n; i++)
		if (!strcmp(type->fields[i].name, name))
			return &type->fields[i];
	return NULL;
}

#define PREFIX_MIN 4 /* letters: "target" for targetPort */

/* Words that differ in case only are nearest, however long the change is. */
static const struct schema_field *same_letters(const struct schema_type *type, const char *name)
{
	for (size_t i = 0; i < type->n; i++)
		if (!strcasecmp(type->fields[i].name, name))
			return &type->fields[i];
	return NULL;
}

static const struct schema_field *only_longer(const struct schema_type *type, const char *name)
{
	const struct schema_field *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < type->n; i++) {
		if (len < PREFIX_MIN || strncasecmp(type->fields[i].name, name, len))
			continue;
		if (found)
			return NULL;
		found = &type->fields[i];
	}
	return found;
}

const struct schema_field *schema_near(const struct schema_type *type, const char *name)
{
	_cleanup_(mem_free) const char **names = mem_zalloc(type->n * sizeof(*names));
	const struct schema_field *same = same_letters(type, name);
	const char *near;

	if (same)
		return same;
	for (size_t i = 0; i < type->n; i++)
		names[i] = type->fields[i].name;
	near = near_word(name, names, type->n);
	return near ? schema_field(type, near) : only_longer(type, name);
}
