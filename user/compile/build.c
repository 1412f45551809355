// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Memory of one compilation. See build.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

struct src build_src(struct build *b, const struct src *src)
{
	struct src copy = *src;

	if (!src->file)
		return copy;
	if (!b->last_src.file || strcmp(b->last_src.file, src->file))
		b->last_src.file = arena_strdup(&b->plan->arena, src->file);
	copy.file = b->last_src.file;
	return copy;
}

void build_free(struct build *b)
{
	for (size_t i = 0; i < b->plan->n_pods; i++)
		ids_free(&b->locals[i].policies);
	for (size_t i = 0; i < b->plan->n_rules; i++)
		ids_free(&b->rules[i].peers);
	for (size_t i = 0; i < b->n_peers; i++)
		ids_free(&b->peers[i].identities);
	for (size_t i = 0; i < b->n_port_names; i++)
		ids_free(&b->port_names[i].identities);
	for (size_t i = 0; i < b->n_classes; i++)
		ids_free(&b->classes[i].peers);
	for (size_t i = 0; i < b->n_regions; i++)
		ids_free(&b->regions[i].peers);
	for (size_t i = 0; i < b->n_identities; i++)
		ids_free(&b->identities[i].peers);
	matches_free(b);
	free(b->locals);
	free(b->actives);
	free(b->rules);
	free(b->peers);
	free(b->port_names);
	free(b->classes);
	free(b->class_of);
	free(b->resolutions);
	free(b->resolution_of);
	free(b->regions);
	free(b->identities);
	arena_free(&b->arena);
}
