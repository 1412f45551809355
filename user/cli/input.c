// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reading manifests for a verb: prints what is wrong with them, all of it, and decides the exit
 * status.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "inspect/origin.h"

static void print_diags(const struct common_options *c, const struct store *s)
{
	struct diag_list shown = {};

	if (!c->quiet) {
		diag_print(&s->diags, stderr);
		return;
	}
	for (size_t i = 0; i < s->diags.n; i++)
		if (s->diags.items[i].level == DIAG_ERROR)
			*VEC_ADD(shown.items, shown.n, shown.cap) =
				s->diags.items[i]; /* strings stay the store's */
	diag_print(&shown, stderr);
	free(shown.items);
}

/*
 * Before anything is implied or assigned. An empty load takes everything away: the reader should
 * know that.
 */
static void note_emptiness(const struct common_options *c, const struct store *s)
{
	size_t n = s->n_namespaces + s->n_nodes + s->n_pods + s->n_services + s->n_slices +
		   s->n_policies;

	for (int i = 0; i < KUBE_WORKLOADS; i++)
		n += s->n_workloads[i];
	if (!s->diags.errors && !n)
		cli_note(c, "warning: no object that Weir reads is in the manifests");
}

int cli_read_store(const struct common_options *c, unsigned int flags, struct store **ret_store)
{
	_cleanup_(store_free) struct store *s = NULL;
	struct weir_err err = {};
	int r;

	if (!c->files.n)
		return cli_fail(EXIT_USAGE, "no manifests: give -f PATH");
	s = store_new();
	s->keep_source_text = flags & CLI_KEEP_SOURCE_TEXT;
	r = store_read(s, c->files.items, c->files.n, &err);
	if (!r) {
		note_emptiness(c, s);
		store_apply_defaults(s, flags | STORE_ADMIT);
	}
	print_diags(c, s);
	if (r)
		return cli_fail(EXIT_INPUT, "%s", err.text);
	if (s->diags.errors)
		return cli_fail(EXIT_INPUT, "%zu %s in the manifests; nothing was done",
				s->diags.errors, s->diags.errors == 1 ? "error" : "errors");
	*ret_store = TAKE_PTR(s);
	return EXIT_OK;
}

char *cli_origin(struct store *s, const struct plan_input *in, bool sandbox,
		 const struct common_options *c)
{
	const char *refused;
	char *text = origin_text(s, in, sandbox, &refused);

	if (!text)
		cli_note(c, "%s: the objects are not kept, and 'weir why' without -f shows ids",
			 refused);
	return text;
}

/* ---- This node ---- */

/* A wrong name makes an empty plan, and loading that would take everything away: it is refused. */
int cli_node(const struct common_options *c, const struct store *s, const char **ret_node)
{
	_cleanup_(mem_free) char *unknown = NULL;
	struct weir_err err = {};
	const char *node = store_this_node(s, c->node, getenv("NODE_NAME"), &err);

	if (!node)
		return cli_fail(EXIT_USAGE, "%s", err.text);
	unknown = store_unknown_node(s, node, c->node ? "--node" : "NODE_NAME");
	if (unknown)
		return cli_fail(EXIT_INPUT, "%s", unknown);
	if (s->n_nodes && s->nodes[0]->made_up && strcmp(node, s->nodes[0]->meta.name))
		cli_note(c,
			 "warning: no object names a node: pods are placed on node %s, not on %s",
			 s->nodes[0]->meta.name, node);
	*ret_node = node;
	return EXIT_OK;
}
