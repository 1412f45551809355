// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Finds fields that a kind does not have, by a walk of the document beside the schema, and guesses
 * what was meant: a name that is spelt nearly so in the same mapping, or the same name somewhere
 * below or above, which is where a field belongs that is indented wrongly. See ineffective.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kube/ineffective.h"
#include "kube/schema.h"

#define BELOW_MAX 4 /* levels: spec.jobTemplate.spec.template.spec of a CronJob */
#define LISTED_MAX 8 /* a type of so few fields is named whole */

/* A mapping on the way from the object to the one that is checked; on the stack. */
struct level {
	const struct level *up;
	const struct field *map;
	const struct schema_type *type;
	struct diag_groups *groups;
	bool skip_status;
};

/* ---- Guesses ---- */

/* Places of a name below a type, as text "template.spec.NAME". */
struct places {
	const char *name;
	char *first, *second;
	size_t n;
};

static void places_free(struct places *p)
{
	free(p->first);
	free(p->second);
}

static void add_place(struct places *p, const char *way)
{
	char *text = mem_printf("%s%s", way, p->name);

	p->n++;
	if (!p->first)
		p->first = text;
	else if (!p->second)
		p->second = text;
	else
		free(text);
}

/* Those exactly depth levels below. */
static void find_below(const struct schema_type *type, const char *way, int depth, struct places *p)
{
	if (!depth) {
		if (schema_field(type, p->name))
			add_place(p, way);
		return;
	}
	for (size_t i = 0; i < type->n; i++) {
		const struct schema_field *f = &type->fields[i];
		_cleanup_(mem_free) char *next = NULL;

		if (!schema_type_of(f))
			continue;
		next = mem_printf("%s%s%s.", way, f->name, f->list ? "[]" : "");
		find_below(schema_type_of(f), next, depth - 1, p);
	}
}

/* "spec." for spec, "" for the object itself. */
static char *path_before(const struct field *map)
{
	_cleanup_(mem_free) char *path = field_path(map);

	return mem_printf("%s%s", path ?: "", path && *path ? "." : "");
}

/* The one or two places of a name, depth levels below a mapping. NULL: none, or more. */
static char *guess_below(const struct level *l, const char *name, int depth)
{
	_cleanup_(places_free) struct places p = { .name = name };
	_cleanup_(mem_free) char *way = path_before(l->map);

	find_below(l->type, way, depth, &p);
	if (p.n == 1)
		return TAKE_PTR(p.first);
	return p.n == 2 ? mem_printf("%s or %s", p.first, p.second) : NULL;
}

/* In a mapping around this one, or directly below one. */
static char *guess_around(const struct level *l, const char *name)
{
	char *guess = NULL;

	for (l = l->up; l && !guess; l = l->up) {
		guess = guess_below(l, name, 0);
		if (!guess)
			guess = guess_below(l, name, 1);
	}
	return guess;
}

/* A label beside matchLabels instead of in it: the selector matches everything. */
static char *guess_label(const struct level *l, const char *name)
{
	_cleanup_(mem_free) char *way = path_before(l->map);

	if (strcmp(l->type->name, "LabelSelector"))
		return NULL;
	return mem_printf("%smatchLabels.%s", way, name);
}

/* What was probably meant, the surest first. NULL: no idea. */
static char *guess(const struct level *l, const char *name)
{
	const struct schema_field *near = schema_near(l->type, name);
	bool only_case = near && !strcasecmp(near->name, name);
	char *text = only_case ? NULL : guess_below(l, name, 1);

	if (!text && near)
		text = mem_strdup(near->name);
	if (!text)
		text = guess_label(l, name);
	if (!text)
		text = guess_around(l, name);
	for (int depth = 2; !text && depth <= BELOW_MAX; depth++)
		text = guess_below(l, name, depth);
	return text;
}

/* ---- The warning ---- */

/* "egress, ingress and podSelector" */
static char *list_fields(const struct schema_type *type)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < type->n; i++) {
		char *longer = mem_printf("%s%s%s", text,
					  !i                 ? ""
					  : i + 1 == type->n ? " and "
							     : ", ",
					  type->fields[i].name);

		free(text);
		text = longer;
	}
	return text;
}

/* Fields that Kubernetes had once. */
static const char *removed(const struct schema_type *type, const char *name)
{
	static const struct {
		const char *type, *name, *text;
	} fields[] = {
		{ "ObjectMeta", "clusterName", "removed in Kubernetes 1.24" },
		{ "ServiceSpec", "ipFamily",
		  "removed in Kubernetes 1.20; ipFamilies takes its place" },
		{ "ServiceSpec", "topologyKeys",
		  "removed in Kubernetes 1.22; trafficDistribution takes its place" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].type, type->name) && !strcmp(fields[i].name, name))
			return fields[i].text;
	return NULL;
}

static char *message(const struct level *l, const char *name)
{
	_cleanup_(mem_free) char *meant = NULL, *fields = NULL;
	const char *once = removed(l->type, name);

	if (once)
		return mem_printf("no such field, ignored: %s", once);
	meant = guess(l, name);
	if (meant)
		return mem_printf("no such field, ignored; did you mean %s?", meant);
	if (l->type->n > LISTED_MAX)
		return mem_strdup("no such field, ignored");
	fields = list_fields(l->type);
	return mem_printf("no such field, ignored; known here: %s", fields);
}

/* In all objects of a kind, whatever the index in a list. */
static char *group_key(const char *kind, const char *path)
{
	char *key = mem_printf("%s %s", kind, path), *to = key;

	for (const char *from = key; *from; from++)
		if (!isdigit((unsigned char)*from) || to == key || to[-1] != '[')
			*to++ = *from;
	*to = 0;
	return key;
}

static void warn(const struct level *l, size_t i)
{
	const struct doc_pair *pair = &l->map->node->pairs[i];
	struct field f = field_pair(l->map, i);
	_cleanup_(mem_free) char *path = field_path(&f), *object = NULL, *text = NULL;
	_cleanup_(mem_free) char *key = group_key(f.d->kind, path);
	struct diag d = { .level = DIAG_WARNING, .src = { f.d->file, pair->line, pair->col } };

	if (diag_count_again(l->groups, f.d->diags, key, &d.src))
		return;
	d.path = path;
	d.object = object = field_object(&f);
	d.message = text = message(l, pair->key);
	diag_add_grouped(l->groups, f.d->diags, key, &d);
}

/* ---- The walk: recursion is bounded, as no type holds itself ---- */

static void walk_map(const struct level *up, const struct field *map,
		     const struct schema_type *type);

static void walk_field(const struct level *l, const struct field *f,
		       const struct schema_field *known)
{
	const struct schema_type *type = schema_type_of(known);

	if (!type || !f->node)
		return;
	if (f->node->type == DOC_MAP && !known->list) {
		walk_map(l, f, type);
	} else if (f->node->type == DOC_LIST && known->list) {
		for (size_t i = 0; i < f->node->n_items; i++) {
			struct field item = field_item(f, i);

			if (item.node && item.node->type == DOC_MAP)
				walk_map(l, &item, type);
		}
	}
}

/* Pairs and fields are both sorted by name. */
static void walk_map(const struct level *up, const struct field *map,
		     const struct schema_type *type)
{
	struct level l = *up;
	size_t k = 0;

	l.up = up->map ? up : NULL;
	l.map = map;
	l.type = type;
	for (size_t i = 0; i < map->node->n_pairs; i++) {
		const char *key = map->node->pairs[i].key;
		struct field f = field_pair(map, i);

		while (k < type->n && strcmp(type->fields[k].name, key) < 0)
			k++;
		if (l.skip_status && !map->up && !strcmp(key, "status"))
			continue;
		if (k < type->n && !strcmp(type->fields[k].name, key))
			walk_field(&l, &f, &type->fields[k]);
		else
			warn(&l, i);
	}
}

void warn_unknown_fields(const struct field *root, const char *type, bool from_server,
			 struct diag_groups *groups)
{
	struct level outside = { .groups = groups, .skip_status = from_server };

	walk_map(&outside, root, schema_find(type));
}
