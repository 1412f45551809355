// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Refuses a node name that no object has. See store_unknown_node() in store.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "kube/store.h"

#define NAMES_SHOWN 5

/* Known node names, sorted, unique. None if the only Node is implied: pods then name it too. */
static const char **named_nodes(const struct store *s, size_t *ret_n)
{
	const char **names = mem_zalloc((s->n_nodes + s->n_pods + 1) * sizeof(*names));
	bool made_up = s->n_nodes && s->nodes[0]->made_up;
	size_t n = 0;

	for (size_t i = 0; !made_up && i < s->n_nodes; i++)
		names[n++] = s->nodes[i]->meta.name;
	for (size_t i = 0; !made_up && i < s->n_pods; i++)
		if (*s->pods[i]->node)
			names[n++] = s->pods[i]->node;
	*ret_n = array_unique(names, n, sizeof(*names), text_order);
	return names;
}

/* "n1, n2 and 7 more" */
static void list_names(const char *const *names, size_t n, FILE *out)
{
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
		fprintf(out, "%s%s", i ? ", " : "", names[i]);
	if (n > NAMES_SHOWN)
		fprintf(out, " and %zu more", n - NAMES_SHOWN);
}

char *store_unknown_node(const struct store *s, const char *node, const char *given_by)
{
	size_t n;
	_cleanup_(mem_free) const char **names = named_nodes(s, &n);
	const char *near = near_word(node, names, n);
	char *text = NULL;
	size_t len;
	FILE *out;

	if (!n || bsearch(&node, names, n, sizeof(*names), text_order))
		return NULL;
	out = open_memstream(&text, &len);
	fprintf(out, "%s %s matches no Node and no pod's nodeName; ", given_by, node);
	if (near) {
		fprintf(out, "did you mean %s?", near);
	} else {
		fputs("known nodes: ", out);
		list_names(names, n, out);
	}
	fclose(out);
	return text;
}
