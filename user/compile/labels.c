// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Index of label sets. See labels.h. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "compile/labels.h"

/*
 * A label value has at most 63 bytes, a key at most 317. Longer ones were refused, or stay out of
 * the index and match by the full test.
 */
#define LABEL_TEXT_MAX 512

struct label_entry {
	struct ids sets;
	UT_hash_handle hh;
	char text[]; /* key, zero, value */
};

size_t text_index(const char *text, const char *const *list, size_t n)
{
	const char *const *found = n ? bsearch(&text, list, n, sizeof(*list), text_order) : NULL;

	return found ? (size_t)(found - list) : n;
}

bool text_in_sorted(const char *text, const char *const *list, size_t n)
{
	return text_index(text, list, n) < n;
}

/* Length of the entry's text, 0 when it doesn't fit. */
static size_t entry_text(const char *key, const char *value, char *buf)
{
	size_t key_len = strlen(key) + 1, value_len = strlen(value);

	if (key_len + value_len > LABEL_TEXT_MAX)
		return 0;
	memcpy(buf, key, key_len);
	memcpy(buf + key_len, value, value_len);
	return key_len + value_len;
}

static struct label_entry *entry_find(const struct label_index *ix, const char *text, size_t len)
{
	struct label_entry *e;

	HASH_FIND(hh, ix->head, text, len, e);
	return e;
}

static struct label_entry *entry_get(struct label_index *ix, const char *text, size_t len)
{
	struct label_entry *e = entry_find(ix, text, len);

	if (e)
		return e;
	e = arena_zalloc(&ix->arena, sizeof(*e) + len);
	memcpy(e->text, text, len);
	HASH_ADD_KEYPTR(hh, ix->head, e->text, len, e);
	return e;
}

void label_index_add(struct label_index *ix, const struct kube_labels *labels,
		     const char *const *keys, size_t n_keys)
{
	char text[LABEL_TEXT_MAX];
	size_t len;

	for (size_t i = 0; i < labels->n; i++) {
		const struct kube_label *l = &labels->items[i];

		if (keys && !text_in_sorted(l->key, keys, n_keys))
			continue;
		len = entry_text(l->key, l->value, text);
		if (len)
			IDS_ADD(&entry_get(ix, text, len)->sets, ix->n);
	}
	*VEC_ADD(ix->sets, ix->n, ix->cap) = labels;
}

/* The requirement that narrows the search; NULL: there is none. */
static const struct kube_requirement *narrowing(const struct kube_selector *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].op == KUBE_IN)
			return &s->items[i];
	return NULL;
}

/* The sets with one of its values; NULL: none. False: the value is too long for the index. */
static bool find_value(const struct label_index *ix, const struct kube_requirement *in, size_t v,
		       const struct label_entry **ret_entry)
{
	char text[LABEL_TEXT_MAX];
	size_t len = entry_text(in->key, in->values[v], text);

	*ret_entry = len ? entry_find(ix, text, len) : NULL;
	return len;
}

bool label_index_count(const struct label_index *ix, const struct kube_selector *s, size_t *ret_n)
{
	const struct kube_requirement *in = narrowing(s);
	const struct label_entry *e;

	*ret_n = 0;
	for (size_t v = 0; in && v < in->n; v++) {
		if (!find_value(ix, in, v, &e))
			return false;
		*ret_n += e ? e->sets.n : 0;
	}
	return in;
}

bool label_index_candidates(const struct label_index *ix, const struct kube_selector *s,
			    struct ids *ret_ids)
{
	const struct kube_requirement *in = narrowing(s);
	const struct label_entry *e;

	ret_ids->n = 0;
	for (size_t v = 0; in && v < in->n; v++) {
		if (!find_value(ix, in, v, &e))
			return false;
		for (size_t i = 0; e && i < e->sets.n; i++)
			IDS_ADD(ret_ids, e->sets.items[i]);
	}
	return in;
}

void label_index_free(struct label_index *ix)
{
	struct label_entry *e, *next;

	HASH_ITER(hh, ix->head, e, next) {
		HASH_DEL(ix->head, e);
		ids_free(&e->sets);
	}
	free(ix->sets);
	arena_free(&ix->arena);
	*ix = (struct label_index){};
}
