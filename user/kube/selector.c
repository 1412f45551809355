// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Matches selectors against labels (NP-23, PARSE-8). */
#include <stdlib.h>
#include <string.h>

#include "kube/objects.h"

static int by_key(const void *key, const void *label)
{
	return strcmp(key, ((const struct kube_label *)label)->key);
}

const char *kube_label(const struct kube_labels *labels, const char *key)
{
	const struct kube_label *l;

	if (!labels->n)
		return NULL;
	l = bsearch(key, labels->items, labels->n, sizeof(*labels->items), by_key);
	return l ? l->value : NULL;
}

static int by_value(const void *value, const void *item)
{
	return strcmp(value, *(const char *const *)item);
}

static bool has_value(const struct kube_requirement *r, const char *value)
{
	return r->n && bsearch(value, r->values, r->n, sizeof(*r->values), by_value);
}

static bool requirement_holds(const struct kube_requirement *r, const struct kube_labels *labels)
{
	const char *value = kube_label(labels, r->key);

	switch (r->op) {
	case KUBE_IN:
		return value && has_value(r, value);
	case KUBE_NOT_IN:
		return !value || !has_value(r, value);
	case KUBE_EXISTS:
		return value;
	case KUBE_NOT_EXISTS:
		return !value;
	}
	return false;
}

bool kube_selector_matches(const struct kube_selector *s, const struct kube_labels *labels)
{
	if (s->invalid)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!requirement_holds(&s->items[i], labels))
			return false;
	return true;
}
