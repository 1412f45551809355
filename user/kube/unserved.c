// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Fields that Kubernetes has and Weir does not serve, in one table: those that change what Services
 * and policies do. They are found while an object is decoded, and reported when the store is
 * complete, as some matter only then. Delete a row when its feature comes. See ineffective.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/decode.h"
#include "kube/ineffective.h"
#include "kube/store_private.h"

#define PATH_MAX_KEYS 7

struct unserved {
	enum kube_kind kind;
	const char *path[PATH_MAX_KEYS + 1];
	const char *values; /* "A|B": only these matter; NULL: any that is not empty */
	const char *message;
	/* NULL: always. flags: enum store_defaults_flag. */
	bool (*matters)(const struct kube_meta *m, unsigned int flags);
};

/* Hints of slices that are read count; those that Weir derives have none. */
static bool slices_are_derived(const struct kube_meta *m, unsigned int flags)
{
	const struct kube_service *svc = (const struct kube_service *)m;

	return svc->has_selector && !svc->has_slices;
}

static bool pods_are_made(const struct kube_meta *m, unsigned int flags)
{
	return (flags & STORE_ASSIGN) && !((const struct kube_workload *)m)->present;
}

#define HINTS                                                                             \
	"not served for Services whose EndpointSlices Weir derives: every node uses all " \
	"endpoints; hints in EndpointSlices of the input are used"

static const struct unserved table[] = {
	{ KUBE_SERVICE, { "spec", "trafficDistribution" }, NULL, HINTS, slices_are_derived },
	{ KUBE_SERVICE,
	  { "metadata", "annotations", "service.kubernetes.io/topology-mode" },
	  "Auto|auto",
	  HINTS,
	  slices_are_derived },
	{ KUBE_SERVICE,
	  { "metadata", "annotations", "service.kubernetes.io/topology-aware-hints" },
	  "Auto|auto",
	  HINTS,
	  slices_are_derived },
	{ KUBE_DAEMON_SET,
	  { "spec", "template", "spec", "affinity", "nodeAffinity",
	    "requiredDuringSchedulingIgnoredDuringExecution" },
	  NULL,
	  "not evaluated: a pod is made on every node that nodeSelector and taints leave",
	  pods_are_made },
};

/* ---- While decoding ---- */

static bool is_one_of(const char *text, const char *words)
{
	size_t len = strlen(text);

	for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
		if (!strncmp(w, text, len) && (w[len] == '|' || !w[len]))
			return true;
	return false;
}

static bool has_effect(const struct unserved *row, const struct field *f)
{
	if (field_empty(f))
		return false;
	if (f->node->type == DOC_MAP || f->node->type == DOC_LIST)
		return field_count(f);
	return !row->values || is_one_of(f->node->text, row->values);
}

static void note_field(const struct unserved *row, const struct field *f, struct kube_meta *m)
{
	struct kube_unserved *found = arena_zalloc(f->d->arena, sizeof(*found));
	_cleanup_(mem_free) char *path = field_path(f);

	found->row = row;
	found->src = field_src(f);
	found->path = arena_strdup(f->d->arena, path);
	found->next = m->unserved;
	m->unserved = found;
}

static void find_row(const struct unserved *row, const struct field *root, struct kube_meta *m)
{
	struct field fields[PATH_MAX_KEYS + 1] = { *root };
	size_t n = 0;

	for (; row->path[n]; n++) {
		if (!fields[n].node || fields[n].node->type != DOC_MAP)
			return;
		fields[n + 1] = field_at(&fields[n], row->path[n]);
	}
	if (has_effect(row, &fields[n]))
		note_field(row, &fields[n], m);
}

void find_unserved_fields(const struct field *root, struct kube_meta *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].kind == m->kind)
			find_row(&table[i], root, m);
}

/* ---- When the store is complete ---- */

static void warn(struct store *s, const struct kube_meta *m, const struct kube_unserved *found)
{
	_cleanup_(mem_free) char *object =
		mem_printf("%s %s/%s", kube_kind_text(m->kind), m->ns, m->name);
	_cleanup_(mem_free) char *key = mem_printf("%s %s", kube_kind_text(m->kind), found->path);
	const struct diag d = {
		.level = DIAG_WARNING,
		.src = found->src,
		.object = object,
		.path = (char *)found->path,
		.message = (char *)found->row->message,
	};

	diag_add_grouped(&s->priv->groups, &s->diags, key, &d);
}

struct finding {
	const struct kube_meta *m;
	const struct kube_unserved *unserved;
};

struct findings {
	struct finding *items;
	size_t n, cap;
};

static void collect(struct store *s, enum kube_kind kind, unsigned int flags, struct findings *all)
{
	struct store_array a = store_array(s, kind);

	for (size_t i = 0; i < *a.n; i++) {
		const struct kube_meta *m = (*a.items)[i];

		for (const struct kube_unserved *u = m->unserved; u; u = u->next)
			if (!u->row->matters || u->row->matters(m, flags))
				*VEC_ADD(all->items, all->n, all->cap) = (struct finding){ m, u };
	}
}

static int by_position(const void *a, const void *b)
{
	const struct src *x = &((const struct finding *)a)->unserved->src,
			 *y = &((const struct finding *)b)->unserved->src;
	int order = strcmp(x->file ?: "", y->file ?: "");

	if (!order)
		order = (x->line > y->line) - (x->line < y->line);
	return order ? order : (x->col > y->col) - (x->col < y->col);
}

void store_warn_unserved(struct store *s, unsigned int flags)
{
	struct findings all = {};

	collect(s, KUBE_SERVICE, flags, &all);
	collect(s, KUBE_DAEMON_SET, flags, &all);
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), by_position);
	for (size_t i = 0; i < all.n; i++)
		warn(s, all.items[i].m, all.items[i].unserved);
	free(all.items);
}
