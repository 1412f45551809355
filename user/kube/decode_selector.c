// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Selectors: matchLabels and matchExpressions become one sorted list of unique requirements. */
#include <stdlib.h>
#include <string.h>

#include "kube/decode.h"

static int by_requirement(const void *a, const void *b)
{
	const struct kube_requirement *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (!order)
		order = (int)x->op - (int)y->op;
	for (size_t i = 0; !order && i < x->n && i < y->n; i++)
		order = strcmp(x->values[i], y->values[i]);
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

static void sort_requirements(struct kube_selector *s)
{
	size_t n = 0;

	if (s->n < 2)
		return;
	qsort(s->items, s->n, sizeof(*s->items), by_requirement);
	for (size_t i = 0; i < s->n; i++)
		if (!n || by_requirement(&s->items[n - 1], &s->items[i]))
			s->items[n++] = s->items[i];
	s->n = n;
}

static void add_pairs(const struct field *map, struct kube_selector *s)
{
	struct kube_labels labels = check_labels(map, NULL);

	for (size_t i = 0; i < labels.n; i++) {
		struct kube_requirement *r = &s->items[s->n++];
		struct field f = field_pair(map, i);

		r->key = labels.items[i].key;
		r->op = KUBE_IN;
		r->values = arena_zalloc(map->d->arena, sizeof(*r->values));
		r->values[0] = labels.items[i].value;
		r->n = 1;
		r->src = field_src(&f);
	}
}

static void decode_values(const struct field *values, struct kube_requirement *r)
{
	size_t n = field_count(values);

	r->values = arena_zalloc(values->d->arena, n * sizeof(*r->values));
	for (size_t i = 0; i < n; i++) {
		struct field f = field_item(values, i);

		r->values[i] = field_text(&f, "");
		if (!check_label_value(r->values[i]))
			field_error(&f, KUBE_E_LABEL,
				    "\"%.80s\" is not a label value: " CHECK_LABEL_TEXT,
				    r->values[i]);
	}
	r->n = array_unique(r->values, n, sizeof(*r->values), text_order);
}

static void decode_requirement(const struct field *item, struct kube_requirement *r)
{
	/* in the order of enum kube_operator */
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist", NULL };
	struct field key = field_at(item, "key"), op = field_at(item, "operator");
	struct field values = field_list(item, "values");
	int index = field_word(&op, operators, -1);
	bool wants_values = index == KUBE_IN || index == KUBE_NOT_IN;

	r->src = field_src(item);
	r->key = field_text(&key, "");
	if (!*r->key)
		field_error(&key, KUBE_E_REQUIRED, "required: the key of a label");
	else if (!check_label_key(r->key))
		field_error(&key, KUBE_E_LABEL,
			    "\"%.80s\" is not a label key: " CHECK_LABEL_KEY_TEXT, r->key);
	decode_values(&values, r);
	if (index < 0) {
		if (field_empty(&op))
			field_error(&op, KUBE_E_REQUIRED,
				    "required: In, NotIn, Exists or DoesNotExist");
		return;
	}
	r->op = index;
	if (wants_values && !field_count(&values))
		field_error(&values, KUBE_E_SELECTOR, "%s needs at least one value",
			    operators[index]);
	if (!wants_values && field_count(&values))
		field_error(&values, KUBE_E_SELECTOR, "%s takes no values: remove them, or use %s",
			    operators[index], operators[index - 2]);
}

struct kube_selector decode_map_selector(const struct field *map)
{
	struct kube_selector s = { .src = field_src(map) };

	s.items = arena_zalloc(map->d->arena, field_count(map) * sizeof(*s.items));
	add_pairs(map, &s);
	return s;
}

struct kube_selector decode_selector(const struct field *f)
{
	struct field labels = field_map(f, "matchLabels"),
		     expressions = field_list(f, "matchExpressions");
	struct kube_selector s = { .src = field_src(f) };

	s.items = arena_zalloc(f->d->arena, (field_count(&labels) + field_count(&expressions)) *
						    sizeof(*s.items));
	add_pairs(&labels, &s);
	for (size_t i = 0; i < field_count(&expressions); i++) {
		struct field item = field_map_item(&expressions, i);

		decode_requirement(&item, &s.items[s.n++]);
	}
	sort_requirements(&s);
	return s;
}
