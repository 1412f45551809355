// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See diag_group.h. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/diag_group.h"
#include "base/mem.h"

#define ALSO_SHOWN 2

struct diag_group {
	UT_hash_handle hh;
	size_t item; /* index in the list */
	char *message; /* of the first one */
	struct src also[ALSO_SHOWN];
	size_t more; /* further ones */
	char key[];
};

static char *position(const struct src *src)
{
	if (!src->line)
		return mem_strdup(src->file ? src->file : "?");
	return mem_printf("%s:%d:%d", src->file ? src->file : "?", src->line, src->col);
}

/* "MESSAGE (also at a.yaml:1:2, b.yaml:3:4 and 7 more)" */
static char *with_others(const struct diag_group *g)
{
	_cleanup_(mem_free) char *first = position(&g->also[0]);
	_cleanup_(mem_free) char *second = g->more > 1 ? position(&g->also[1]) : NULL;

	if (g->more == 1)
		return mem_printf("%s (also at %s)", g->message, first);
	if (g->more == ALSO_SHOWN)
		return mem_printf("%s (also at %s and %s)", g->message, first, second);
	return mem_printf("%s (also at %s, %s and %zu more)", g->message, first, second,
			  g->more - ALSO_SHOWN);
}

static bool same_place(const struct src *a, const struct src *b)
{
	return a->line == b->line && a->col == b->col && a->file && b->file &&
	       !strcmp(a->file, b->file);
}

/* The same place again is an alias of YAML. */
static void count(struct diag_group *g, struct diag_list *list, const struct src *src)
{
	struct diag *item = &list->items[g->item];

	if (same_place(&item->src, src))
		return;
	if (g->more < ALSO_SHOWN)
		g->also[g->more] = *src;
	g->more++;
	free(item->message);
	item->message = with_others(g);
}

bool diag_count_again(struct diag_groups *groups, struct diag_list *list, const char *key,
		      const struct src *src)
{
	struct diag_group *g;

	HASH_FIND_STR(groups->head, key, g);
	if (g)
		count(g, list, src);
	return g;
}

void diag_add_grouped(struct diag_groups *groups, struct diag_list *list, const char *key,
		      const struct diag *d)
{
	struct diag_group *g;

	if (diag_count_again(groups, list, key, &d->src))
		return;
	if (diag_has_room(list, d->level)) {
		g = mem_zalloc(sizeof(*g) + strlen(key) + 1);
		strcpy(g->key, key);
		g->item = list->n;
		g->message = mem_strdup(d->message);
		HASH_ADD_STR(groups->head, key, g);
	}
	diag_add(list, d->level, d->code, &d->src, d->object, d->path, "%s", d->message);
}

void diag_groups_drop(struct diag_groups *groups, size_t n)
{
	struct diag_group *g, *next;

	HASH_ITER(hh, groups->head, g, next) {
		if (g->item < n)
			continue;
		HASH_DEL(groups->head, g);
		free(g->message);
		free(g);
	}
}

void diag_groups_free(struct diag_groups *groups)
{
	diag_groups_drop(groups, 0);
	*groups = (struct diag_groups){};
}
