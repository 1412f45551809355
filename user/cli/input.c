// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads manifests for a verb, prints all errors in them, and decides the exit status. See input.h.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "cli/input.h"
#include "inspect/origin.h"
#include "kube/codes.h"

#define PORT_NAMES_SHOWN 8

/* Loading manifests without objects removes everything. */
static int warn_of_emptiness(const struct common_options *c, const struct store *s)
{
	if (s->diags.errors || !store_is_empty(s))
		return EXIT_OK;
	return cli_warn_input(c, "the manifests have no object of a kind that Weir reads");
}

int cli_read_store(const struct common_options *c, unsigned int flags, struct store **ret_store)
{
	_cleanup_(store_free) struct store *s = NULL;
	struct weir_err err = {};
	int r, status;

	if (!c->files.n)
		return cli_fail(EXIT_USAGE, "no manifests: give -f PATH");
	s = store_new();
	s->keep_source_text = flags & CLI_KEEP_SOURCE_TEXT;
	r = store_read(s, c->files.items, c->files.n, &err);
	if (!r)
		store_apply_defaults(s, flags | STORE_ADMIT);
	if (c->strict)
		diag_make_strict(&s->diags, kube_code_text(KUBE_E_STRICT));
	cli_diags(c, &s->diags);
	if (r)
		return cli_fail(EXIT_INPUT, "%s", err.text);
	status = warn_of_emptiness(c, s);
	if (status)
		return status;
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
		cli_note(c, "%s: the objects are not kept, so 'weir why' without -f shows ids",
			 refused);
	return text;
}

int cli_refuse_plan_warnings(const struct common_options *c, const struct plan_input *in)
{
	_cleanup_(plan_free) struct plan *p = c->strict ? plan_compile(in) : NULL;
	size_t before;

	if (!p)
		return EXIT_OK;
	before = p->notes.errors;
	diag_make_strict(&p->notes, kube_code_text(KUBE_E_STRICT));
	if (p->notes.errors == before)
		return EXIT_OK;
	cli_diags(c, &p->notes);
	return cli_fail(EXIT_INPUT, "the plan has warnings (--strict); nothing was done");
}

/* ---- Ports ---- */

struct port_names {
	const char **items; /* the store keeps the strings */
	size_t n, cap;
};

static bool has_name(const struct port_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return false;
}

/* Each name once, in the order of the pods. proto 0: of any protocol. */
static void collect_port_names(const struct store *s, int proto, struct port_names *names)
{
	for (size_t i = 0; i < s->n_pods; i++)
		for (size_t k = 0; k < s->pods[i]->n_ports; k++) {
			const struct kube_pod_port *port = &s->pods[i]->ports[k];

			if (*port->name && (!proto || port->proto == proto) &&
			    !has_name(names, port->name))
				*VEC_ADD(names->items, names->n, names->cap) = port->name;
		}
}

/* The protocols other than that of port with which pods declare its name: "TCP, SCTP"; or NULL. */
static const char *other_protocols(const struct store *s, const struct report_port *port,
				   struct arena *arena)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	const char *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		struct port_names names = {};

		collect_port_names(s, protos[i], &names);
		if (has_name(&names, port->name))
			list = arena_printf(arena, "%s%s%s", list ?: "", list ? ", " : "",
					    proto_text(protos[i]));
		free(names.items);
	}
	return list;
}

static int refuse_port_name(const char *command, const struct store *s,
			    const struct report_port *port, const struct port_names *names)
{
	const char *near = near_word(port->name, names->items, names->n);
	_cleanup_(arena_free) struct arena arena = {};
	const char *other = other_protocols(s, port, &arena), *list = "";

	for (size_t i = 0; i < names->n && i < PORT_NAMES_SHOWN; i++)
		list = arena_printf(&arena, "%s%s%s", list, i ? ", " : "", names->items[i]);
	if (other)
		list = arena_printf(&arena, "%s is %s", port->name, other);
	else if (near)
		list = arena_printf(&arena, "did you mean %s?", near);
	else if (names->n)
		list = arena_printf(&arena, "declared are %s%s; or give numbers, as in 80/TCP",
				    list, names->n > PORT_NAMES_SHOWN ? ", …" : "");
	else
		list = arena_printf(&arena, "no %s%sport has a name: give numbers, as in 80/TCP",
				    port->proto ? proto_text(port->proto) : "",
				    port->proto ? " " : "");
	return cli_fail(EXIT_USAGE, "%s: --ports: no pod declares a %s%sport named '%s'; %s",
			command, port->proto ? proto_text(port->proto) : "", port->proto ? " " : "",
			port->name, list);
}

int cli_check_ports(const char *command, const struct store *s, const struct report_port *ports,
		    size_t n)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < n && !status; i++) {
		struct port_names names = {};

		if (!ports[i].name)
			continue;
		collect_port_names(s, ports[i].proto, &names);
		if (!has_name(&names, ports[i].name))
			status = refuse_port_name(command, s, &ports[i], &names);
		free(names.items);
	}
	return status;
}

/* ---- This node ---- */

/* An unknown name is refused: its plan is empty, and loading that would remove everything. */
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
	*ret_node = node;
	if (s->n_nodes && s->nodes[0]->made_up && strcmp(node, s->nodes[0]->meta.name))
		return cli_warn_input(
			c,
			"the manifests name no node, so all pods are placed on an assumed node called "
			"\"%s\": the plan for node %s has no pods. Use --node %s",
			s->nodes[0]->meta.name, node, s->nodes[0]->meta.name);
	return EXIT_OK;
}

int cli_compile(const struct common_options *c, struct store **ret_store, struct plan **ret_plan)
{
	struct plan_input in = {};
	int status = cli_read_store(c, STORE_ASSIGN, ret_store);

	if (!status)
		status = cli_node(c, *ret_store, &in.node);
	in.store = *ret_store;
	if (!status)
		status = cli_refuse_plan_warnings(c, &in);
	if (status)
		return status;
	*ret_plan = plan_compile(&in);
	cli_diags(c, &(*ret_plan)->notes);
	return EXIT_OK;
}
