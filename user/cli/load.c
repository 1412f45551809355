// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir load: the manifests are the whole desired state of this node. Compiles, compares with what
 * is loaded, writes the difference, says what changed. Never assigns an address: what has none is
 * warned about and left out.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "cli/delta.h"
#include "cli/input.h"
#include "cli/verbs.h"
#include "attach/attach.h"
#include "sync/sync.h"

struct load_options {
	struct common_options common;
	bool dry_run, allow_empty;
	const char *attach, *echo;
	uint32_t scale[_WEIR_KNOB_MAX]; /* percent; 0: not given */
};

/* The machine's own addresses, those of bridges and tunnels included (NP-41). */
static size_t local_addresses(struct weir_addr **ret_addrs)
{
	struct weir_addr *addrs = NULL;
	struct ifaddrs *all = NULL;
	size_t n = 0, cap = 0;

	if (getifaddrs(&all))
		all = NULL;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			*VEC_ADD(addrs, n, cap) = weir_addr_from_v4(
				((struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			memcpy(VEC_ADD(addrs, n, cap)->b,
			       &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
	}
	if (all)
		freeifaddrs(all);
	*ret_addrs = addrs;
	return n;
}

static void apply_knobs(const struct load_options *o, struct node_sizes *sizes)
{
	for (int knob = 0; knob < _WEIR_KNOB_MAX; knob++)
		if (o->scale[knob])
			sizes_scale(sizes, knob, o->scale[knob]);
}

/*
 * Tables keep the size that they were made with: whoever asks for another one must hear that he
 * does not get it.
 */
static int check_sizes(const struct load_options *o, const struct node *node)
{
	struct node_sizes sizes = {};

	apply_knobs(o, &sizes);
	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		if (sizes.max[i] && sizes.max[i] != node_map_max(node, i))
			return cli_fail(
				EXIT_USAGE,
				"load: --scale-…: map %s is loaded with %u entries and cannot become %u: sizes are "
				"set when the tables are made. Leave the option out, or begin anew with 'weir "
				"uninstall'; nothing was changed",
				map_info(i)->name, node_map_max(node, i), sizes.max[i]);
	return EXIT_OK;
}

/* A dry run with nothing loaded compares with tables of its own, which nobody sees. */
static int open_node(const struct load_options *o, struct node **ret_node, struct weir_err *err)
{
	struct node_sizes sizes = {};
	int r;

	apply_knobs(o, &sizes);
	if (!o->dry_run)
		return node_open(o->common.name, NODE_WRITE, &sizes, ret_node, err);
	r = node_open(o->common.name, NODE_READ, NULL, ret_node, err);
	return r == -ENOENT ? node_open(NULL, NODE_PRIVATE, &sizes, ret_node, err) : r;
}

static bool any_adopted(const struct attachment_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].adopted)
			return true;
	return false;
}

static int load(const struct load_options *o, const struct plan *p, const char *origin)
{
	_cleanup_(attachment_list_free) struct attachment_list attachments = {};
	_cleanup_(node_close) struct node *node = NULL;
	struct sync_delta delta = {};
	struct weir_err err = {};
	int r, status;

	r = open_node(o, &node, &err);
	status = r ? EXIT_OK : check_sizes(o, node);
	if (status)
		return status;
	if (!r)
		r = attachment_list_read(o->common.name, &attachments, &err);
	if (!r)
		node_keep_origin(node, origin);
	if (!r)
		r = sync_apply(node, p, &attachments, o->dry_run ? SYNC_DRY_RUN : 0, &delta, &err);
	if (r)
		return cli_fail_err(r, &err);
	delta_notes(&delta, &o->common);
	if (node_no_gc(node))
		cli_note(
			&o->common,
			"warning: gc is not running: %s. Connections that are over leave the table only when "
			"others need the room",
			node_no_gc(node));
	if (any_adopted(&attachments) && node_no_host_flows(node))
		cli_note(
			&o->common,
			"warning: connections that adopted pods had before are judged a packet at a time, and those "
			"through a Service may end: the host's conntrack cannot be asked: %s",
			node_no_host_flows(node));
	delta_print(&delta, o->dry_run, &o->common);
	return o->dry_run && sync_delta_writes(&delta) ? EXIT_NO : EXIT_OK;
}

static size_t object_count(const struct store *s)
{
	return s->n_namespaces + s->n_nodes + s->n_pods + s->n_services + s->n_slices +
	       s->n_policies;
}

/*
 * A folder that is not mounted yet, or a misspelt one, must not take every Service and policy away.
 */
static int refuse_empty(const struct load_options *o, const struct store *s)
{
	if (object_count(s) || o->allow_empty)
		return EXIT_OK;
	return cli_fail(
		EXIT_INPUT,
		"the manifests hold nothing that is loaded (Pods, Services, EndpointSlices, "
		"NetworkPolicies, Nodes, Namespaces): loading them would take everything away; "
		"--allow-empty does that, 'weir uninstall' removes the instance");
}

static int run(void *options, char **args, int n_args)
{
	const struct load_options *o = options;
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(plan_free) struct plan *p = NULL;
	_cleanup_(mem_free) struct weir_addr *local = NULL;
	_cleanup_(mem_free) char *origin = NULL;
	struct plan_input in = {};
	int status = cli_read_store(&o->common, CLI_KEEP_SOURCE_TEXT, &s);

	if (!status)
		status = refuse_empty(o, s);
	if (!status)
		status = cli_node(&o->common, s, &in.node);
	if (status)
		return status;
	in.store = s;
	in.n_local_addrs = local_addresses(&local);
	in.local_addrs = local;
	in.echo_always = o->echo && !strcmp(o->echo, "always");
	p = plan_compile(&in);
	if (!o->common.quiet)
		diag_print(&p->notes, stderr);
	if (o->attach && !strcmp(o->attach, "tcx"))
		attach_preference = ATTACH_TCX;
	if (o->attach && !strcmp(o->attach, "clsact"))
		attach_preference = ATTACH_CLSACT;
	origin = cli_origin(s, &in, false, &o->common);
	return load(o, p, origin);
}

#define ROW(name, metavar, type, member, help)                                      \
	{                                                                           \
		name, 0, metavar, type, offsetof(struct load_options, member), help \
	}

static const struct option_row rows[] = {
	ROW("dry-run", NULL, OPTION_FLAG, dry_run,
	    "only compare, and exit 1 when something differs: the drift check"),
	ROW("allow-empty", NULL, OPTION_FLAG, allow_empty,
	    "load manifests without any object: take everything away"),
	ROW("attach", "auto|tcx|clsact", OPTION_CHOICE, attach,
	    "how hooks are attached; auto: tcx where the kernel has it"),
	ROW("echo", "policy|always", OPTION_CHOICE, echo,
	    "whether ICMP echo passes as policies say, by rules without ports alone, or always (policy)"),
	ROW("scale-tables", "PERCENT", OPTION_NUMBER, scale[WEIR_KNOB_TABLES],
	    "size of hash tables, when they are made (100)"),
	ROW("scale-tries", "PERCENT", OPTION_NUMBER, scale[WEIR_KNOB_TRIES],
	    "size of prefix tables (100)"),
	ROW("scale-arrays", "PERCENT", OPTION_NUMBER, scale[WEIR_KNOB_ARRAYS],
	    "size of arrays (100)"),
	ROW("scale-flows", "PERCENT", OPTION_NUMBER, scale[WEIR_KNOB_FLOWS],
	    "size of the connection table and what belongs to it (100)"),
	{},
};

const struct verb verb_load = {
	.name = "load",
	.arguments = "-f PATH",
	.summary = "compile, and load the difference into this node's maps (root)",
	.details =
		"The manifests are the whole desired state. Prints what changed, table by table; a second load says\n"
		"'nothing to do'. Only recorded pods are attached (/run/weir[-NAME]/pods). Exit status 3: this is not\n"
		"the network namespace where the instance is attached; 4: invalid objects, or this node's name is in\n"
		"no Node and no pod's nodeName while they name others; 5: another writer is at work; 6: the kernel\n"
		"refused, or a table is full; then the last good state stays in force.\n",
	.outputs = "table|json",
	.wants = WANTS_FILES | WANTS_NODE | WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct load_options),
	.run = run,
};
