// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir load: the manifests are the whole desired state of this node. Compiles them, compares with
 * what is loaded, writes the difference, prints what changed. Never assigns addresses: objects
 * without one are left out, with a warning.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/own_addrs.h"
#include "cli/delta.h"
#include "cli/hairpin.h"
#include "cli/input.h"
#include "cli/load_node.h"
#include "cli/load_settings.h"
#include "cli/unfit.h"
#include "cli/verbs.h"
#include "attach/attach.h"
#include "attach/node_devices.h"
#include "attach/uplinks.h"
#include "sync/fitting.h"
#include "sync/keep_settings.h"

struct load_options {
	struct common_options common;
	bool dry_run, allow_empty, rebuild;
	const char *config;
	struct setting_option set[_SETTING_MAX];
};

/* What was given of what is fixed when the maps are created. */
static void read_setup(const struct settings *s, struct node_setup *setup)
{
	for (int knob = WEIR_KNOB_TABLES; knob <= WEIR_KNOB_FLOWS; knob++)
		if (setting_given(s, SETTING_OF_KNOB(knob)))
			sizes_scale(setup, knob, s->scale[knob]);
	for (int family = 0; family < 2; family++)
		if (setting_given(s, SETTING_HAIRPIN_V4 + family))
			setup->hairpin[family] = s->hairpin[family];
}

/* Another setup than that of the maps is refused, not ignored. */
static int check_setup(const struct settings *s, const struct node_setup *setup,
		       const struct node *node)
{
	static const char hint[] =
		"it is set when the maps are created. Leave it out, or give --rebuild, which makes new "
		"maps in place of these; nothing of these manifests was loaded";
	char live[ADDR_TEXT_MAX], asked[ADDR_TEXT_MAX];

	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		if (setup->max[i] && setup->max[i] != node_map_max(node, i))
			return load_settings_refuse(
				s, SETTING_OF_KNOB(map_info(i)->knob), KUBE_E_CONFLICT,
				"map %s is loaded with %u entries and cannot become %u: %s",
				map_info(i)->name, node_map_max(node, i), setup->max[i], hint);
	for (int family = 0; family < 2; family++) {
		const struct weir_addr *now = &node_config(node)->hairpin[family],
				       *want = &setup->hairpin[family];

		if (!weir_addr_is_zero(want) && !weir_addr_equal(want, now))
			return load_settings_refuse(s, SETTING_HAIRPIN_V4 + family, KUBE_E_CONFLICT,
						    "the address is %s and cannot become %s: %s",
						    addr_text(now, live), addr_text(want, asked),
						    hint);
	}
	return EXIT_OK;
}

/* With nothing loaded, a dry run compares with empty private maps. */
static int open_node(const struct load_options *o, struct node_setup *setup, struct node **ret_node,
		     struct weir_err *err)
{
	int r;

	if (o->rebuild)
		return node_open_next(o->common.name, setup, ret_node, err);
	if (!o->dry_run)
		return node_open(o->common.name, NODE_WRITE, setup, ret_node, err);
	r = node_open(o->common.name, NODE_READ, NULL, ret_node, err);
	return r == -ENOENT ? node_open(NULL, NODE_PRIVATE, setup, ret_node, err) : r;
}

/*
 * An instance that is loaded has its hairpin addresses already: an object that uses one must not
 * make the load fail.
 */
static int check_hairpin(const struct load_options *o, const struct settings *s,
			 const struct plan_input *in)
{
	_cleanup_(node_close) struct node *loaded = NULL;
	struct weir_err err = {};

	if (!setting_given(s, SETTING_HAIRPIN_V4) && !setting_given(s, SETTING_HAIRPIN_V6))
		return EXIT_OK;
	if (!o->rebuild && node_open(o->common.name, NODE_READ, NULL, &loaded, &err) != -ENOENT)
		return EXIT_OK;
	return hairpin_check(in, s);
}

static bool any_adopted(const struct attachment_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].adopted)
			return true;
	return false;
}

static void warn_of_lacks(const struct node *node, const struct attachment_list *attachments)
{
	if (node_no_gc(node))
		cli_warn(
			"gc is not running: %s. Expired connections stay until their room is needed",
			node_no_gc(node));
	if (any_adopted(attachments) && node_no_host_flows(node))
		cli_warn(
			"the host's conntrack cannot be read: %s. Policies are checked for each packet of "
			"connections that adopted pods already have, and those through a Service may break",
			node_no_host_flows(node));
}

static int apply(const struct load_options *o, struct node *node, const struct plan_input *in,
		 const struct attachment_list *attachments, struct plan **ret_plan,
		 struct sync_delta *ret_delta, struct weir_err *err)
{
	unsigned int flags = (o->dry_run ? SYNC_DRY_RUN : 0) | (o->rebuild ? SYNC_REBUILD : 0);

	if (o->rebuild)
		cli_note(
			&o->common,
			"rebuild: connections are not carried over: open ones go on as connections of which the begin was "
			"not seen, and those through a Service may break");
	return sync_apply_fitting(node, in, attachments, flags, ret_plan, ret_delta, err);
}

/* A difference counts before pods that are not attached: the dry run is the drift check. */
static int report(const struct load_options *o, const struct node *node, const struct plan *p,
		  const struct attachment_list *attachments, const struct sync_delta *delta)
{
	_cleanup_(pod_faults_free) struct pod_faults faults = {};
	int status;

	pod_faults_of_plan(node, p, attachments, &faults);
	delta_print(delta, &faults, o->dry_run, &o->common);
	fflush(stdout);
	status = delta_faults(&faults, &o->common);
	if (unfit_report(p, o->dry_run))
		status = EXIT_TIMEOUT;
	return o->dry_run && sync_delta_writes(delta) ? EXIT_NO : status;
}

/* What a rebuild cannot take from the loaded maps. */
static void warn_of_lost(const struct node_setup *setup)
{
	static const char *const knobs[] = { [WEIR_KNOB_TABLES] = "tables",
					     [WEIR_KNOB_TRIES] = "tries",
					     [WEIR_KNOB_ARRAYS] = "arrays",
					     [WEIR_KNOB_FLOWS] = "flows" };

	if (setup->hairpin_lost)
		cli_warn(
			"the loaded maps are of another layout, from which hairpin addresses cannot be taken: those not "
			"given are the default ones");
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (setup->lost[map])
			cli_warn(
				"map %s had %u entries and now has the default, %u: its size cannot be taken from the loaded "
				"maps; --scale-%s sets it",
				map_info(map)->name, setup->lost[map], map_info(map)->entries,
				knobs[map_info(map)->knob]);
}

/* The load is done: only `weir status` lacks something. */
static void keep_settings(const struct load_options *o, const struct settings *s,
			  const struct node *node)
{
	struct weir_err err = {};

	if (!o->dry_run && settings_keep(node, s, &err))
		cli_warn("where the settings came from is not kept: %s", err.text);
}

/* By family: the first address of the Node object, else the first of the node itself. */
static void main_addrs(const struct plan_input *in, struct weir_addr ret_addr[2])
{
	for (size_t i = 0; i < in->store->n_nodes; i++) {
		const struct kube_node *n = in->store->nodes[i];

		for (size_t j = 0; j < n->n_addrs && !strcmp(n->meta.name, in->node); j++)
			if (weir_addr_is_zero(&ret_addr[addr_family(&n->addrs[j])]))
				ret_addr[addr_family(&n->addrs[j])] = n->addrs[j];
	}
	for (size_t i = 0; i < in->n_local_addrs; i++) {
		const struct weir_addr *a = &in->local_addrs[i];

		if (weir_addr_is_zero(&ret_addr[addr_family(a)]) && !addr_is_martian(a, true) &&
		    !addr_is_link_local(a))
			ret_addr[addr_family(a)] = *a;
	}
}

/* Returns an exit status. */
static int find_uplinks(const struct settings *s, const struct plan_input *in,
			struct attachment_list *l)
{
	struct uplinks_wanted wanted = { .names = s->uplinks.items, .n = s->uplinks.n };
	struct weir_err err = {};
	int r;

	main_addrs(in, wanted.main);
	r = uplinks_find(&wanted, l, &err);
	if (r == -EINVAL)
		return load_settings_refuse(s, SETTING_UPLINKS, KUBE_E_VALUE, "%s", err.text);
	return r ? cli_fail_err(r, &err) : EXIT_OK;
}

static int load(const struct load_options *o, const struct settings *s, const struct plan_input *in,
		const char *origin)
{
	_cleanup_(plan_free) struct plan *p = NULL;
	_cleanup_(attachment_list_free) struct attachment_list attachments = {};
	_cleanup_(node_close) struct node *node = NULL;
	struct node_setup setup = {};
	struct sync_delta delta = {};
	struct weir_err err = {};
	int r, status;

	read_setup(s, &setup);
	status = check_hairpin(o, s, in);
	if (!status)
		status = load_check_cgroup(s);
	if (status)
		return status;
	r = open_node(o, &setup, &node, &err);
	status = r ? EXIT_OK : check_setup(s, &setup, node);
	if (status)
		return status;
	if (!r)
		hairpin_warn(in, node_config(node)->hairpin);
	if (!r)
		warn_of_lost(&setup);
	if (!r && !o->dry_run)
		attachment_tidy(o->common.name);
	if (!r)
		r = attachment_list_read(o->common.name, &attachments, &err);
	status = r ? EXIT_OK : find_uplinks(s, in, &attachments);
	if (status)
		return status;
	if (!r)
		node_keep_origin(node, origin);
	if (!r)
		r = apply(o, node, in, &attachments, &p, &delta, &err);
	if (p)
		cli_diags(&o->common, &p->notes);
	if (r)
		return cli_fail_err(r, &err);
	keep_settings(o, s, node);
	status = o->dry_run ? EXIT_OK : load_node_processes(s, node);
	if (status)
		return status;
	delta_notes(&delta, &o->common);
	warn_of_lacks(node, &attachments);
	return report(o, node, p, &attachments, &delta);
}

static size_t object_count(const struct store *s)
{
	return s->n_namespaces + s->n_nodes + s->n_pods + s->n_services + s->n_slices +
	       s->n_policies + s->n_endpoints;
}

/*
 * A folder that is empty because it is not mounted yet must not remove every Service and policy.
 */
static int refuse_empty(const struct load_options *o, const struct store *s)
{
	if (object_count(s) || o->allow_empty)
		return EXIT_OK;
	return cli_fail(
		EXIT_INPUT,
		"the manifests have no Pod, Service, EndpointSlice, NetworkPolicy, Node or Namespace: "
		"loading them would remove everything; --allow-empty does that, 'weir uninstall' removes "
		"the instance");
}

/* What a plan needs of this machine. */
struct node_facts {
	struct weir_addr *addrs;
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
};

static void node_facts_free(struct node_facts *n)
{
	free(n->addrs);
}

/* Returns an exit status. Without the node's own addresses no policy would let it pass. */
static int read_node(struct node_facts *n, struct plan_input *in)
{
	struct weir_err err = {};
	int r = own_addrs(&n->addrs, &in->n_local_addrs, &err);

	if (!r)
		r = overlay_ports_read(n->overlay_ports, &err);
	if (r)
		return cli_fail_err(r, &err);
	in->local_addrs = n->addrs;
	in->overlay_ports = n->overlay_ports;
	return EXIT_OK;
}

static const enum attach_kind attach_kinds[] = {
	[SETTING_ATTACH_AUTO] = ATTACH_AUTO,
	[SETTING_ATTACH_TCX] = ATTACH_TCX,
	[SETTING_ATTACH_CLSACT] = ATTACH_CLSACT,
};

static int run(void *options, char **args, int n_args)
{
	const struct load_options *o = options;
	_cleanup_(settings_free) struct settings set = {};
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(node_facts_free) struct node_facts node = {};
	_cleanup_(mem_free) char *origin = NULL;
	struct plan_input in = {};
	int status;

	if (o->rebuild && o->dry_run)
		return cli_fail(
			EXIT_USAGE,
			"load: --rebuild writes everything anew: --dry-run has nothing to compare");
	status = load_settings(&o->common, o->config, o->set, &set);
	if (!status)
		status = cli_read_store(&o->common, CLI_KEEP_SOURCE_TEXT, &s);
	if (!status)
		status = refuse_empty(o, s);
	if (!status)
		status = cli_node(&o->common, s, &in.node);
	if (status)
		return status;
	in.store = s;
	status = read_node(&node, &in);
	if (status)
		return status;
	in.echo_always = set.echo == WEIR_ECHO_ALWAYS;
	in.node_ports = (struct plan_node_ports){ .primary = set.node_port_addresses.primary,
						  .blocks = set.node_port_addresses.items,
						  .n_blocks = set.node_port_addresses.n };
	status = cli_refuse_plan_warnings(&o->common, &in);
	if (status)
		return status;
	attach_preference = attach_kinds[set.attach];
	origin = cli_origin(s, &in, false, &o->common);
	return load(o, &set, &in, origin);
}

#define ROW(name, metavar, type, member, help)                                      \
	{                                                                           \
		name, 0, metavar, type, offsetof(struct load_options, member), help \
	}

/* Options that settings have, too. */
#define OPTION_OF_WORD(id) OPTION_CHOICE, offsetof(struct load_options, set[id].text)
#define OPTION_OF_PEER_V4(id) OPTION_TEXT, offsetof(struct load_options, set[id].text)
#define OPTION_OF_PEER_V6(id) OPTION_TEXT, offsetof(struct load_options, set[id].text)
#define OPTION_OF_CGROUP(id) OPTION_TEXT, offsetof(struct load_options, set[id].text)
#define OPTION_OF_PERCENT(id) OPTION_NUMBER, offsetof(struct load_options, set[id].number)
#define OPTION_OF_DEVICES(id) OPTION_LIST, offsetof(struct load_options, set[id].list)
#define HELP_OF_EACH_LOAD ""
#define HELP_OF_CREATION "; only at the first load, and with --rebuild"
#define SETTING_ROW(id, member, key, type, values, otherwise, when, state, option, text) \
	{ option, 0, values, OPTION_OF_##type(SETTING_##id),                             \
	  text "; default " otherwise HELP_OF_##when },

#define LAST_ROW \
	{        \
	}

static const struct option_row rows[] = {
	ROW("dry-run", NULL, OPTION_FLAG, dry_run,
	    "only compare; exit status 1 when something differs: the drift check"),
	ROW("rebuild", NULL, OPTION_FLAG, rebuild,
	    "make new maps and programs, attach them in place of the loaded ones, and remove those: for another "
	    "layout version or other sizes. Policies stay enforced meanwhile; connections are not carried over. "
	    "Sizes and addresses that are not given stay, unless a warning or docs/changes.md says otherwise"),
	ROW("allow-empty", NULL, OPTION_FLAG, allow_empty,
	    "accept manifests without any object: they remove everything"),
	ROW("config", "FILE", OPTION_TEXT, config,
	    "settings, as in /etc/weir/weir.yaml, before which it counts; 'weir help config' lists them"),
	SETTINGS_WITH_OPTION(SETTING_ROW) LAST_ROW,
};

const struct verb verb_load = {
	.name = "load",
	.arguments = "-f PATH",
	.summary = "compile manifests and write the difference into this node's maps (root)",
	.details =
		"The manifests are the whole desired state. Prints what changed, table by table; a second load prints\n"
		"'nothing to do'. Only pods with an attachment record are attached (/run/weir[-NAME]/pods). Planned pods\n"
		"without one are errors: all the rest is loaded, each is named, and the exit status is 5. Planned is each\n"
		"pod of this node that has an address, does not use the host's network, and has not ended.\n"
		"If the manifests name nodes and --node is not one of them, load fails with status 4.\n"
		"Exit status 3: this is another network namespace than the one where the instance is attached, or\n"
		"its maps have another layout version; 4: invalid objects, a wrong configuration file (weir help config)\n"
		"or an unknown node; 5: planned pods are not attached, another writer is at work, or a policy or Service\n"
		"does not fit the tables: then its pods are closed in that direction, or it is not served, and everything\n"
		"else is applied; 6: the kernel refused, or another table is full. With status 3, 4 and 6 what was loaded before stays in force,\n"
		"unless only the cgroup was refused: then all else is loaded, and the error says so. If a\n"
		"rebuild is killed, or fails after it began to attach, the old set or the new one is loaded, and some pods\n"
		"may be served by the other: run 'weir load', which attaches the loaded one everywhere and removes the other.\n",
	.outputs = "table|json",
	.wants = WANTS_FILES | WANTS_NODE | WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct load_options),
	.run = run,
};
