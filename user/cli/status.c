// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir status: what is loaded on this node, on one screen. Reads only. */
#include <string.h>

#include <bpf/bpf.h>

#include "analyze/report.h"
#include "base/addr.h"
#include "base/emit.h"
#include "cli/loaded.h"
#include "cli/status_processes.h"
#include "cli/status_settings.h"
#include "cli/status_uplinks.h"
#include "cli/unfit.h"
#include "cli/verbs.h"
#include "inspect/fill.h"
#include "inspect/pod_faults.h"
#include "inspect/shares.h"

#define FAULTS_SHOWN 10

static bool enforcing(const struct live *l)
{
	return node_config(l->node)->enforcement == WEIR_ENFORCE_ON;
}

static bool echo_always(const struct live *l)
{
	return node_config(l->node)->echo == WEIR_ECHO_ALWAYS;
}

static uint32_t devices(const struct live *l)
{
	return live_fill(l, WEIR_MAP_attachments);
}

/* ---- What pods hold of the connection table ---- */

#define OVER_SHOWN 3 /* pods named on the screen; -o json has all that are over their share */

static void emit_share(struct emit *e, const char *key, const struct live *l,
		       const struct live_shares *s, const struct live_share *pod)
{
	char text[LIVE_TEXT_MAX];

	emit_map(e, key);
	emit_text(e, "pod", live_pod_label(l, pod->slot, text));
	emit_int(e, "entries", pod->flows.entries);
	emit_int(e, "halfOpen", pod->flows.half_open);
	emit_int(e, "evicted", pod->flows.evicted);
	emit_text(e, "state", live_share_text(live_share_state(&s->config, &pod->flows)));
	emit_map_end(e);
}

static void emit_flows(struct emit *e, const struct live *l)
{
	_cleanup_(live_shares_free) struct live_shares s = {};

	live_shares_read(l, &s);
	emit_map(e, "flows");
	emit_int(e, "entries", s.config.entries);
	emit_int(e, "capacity", s.config.gc_slots);
	emit_int(e, "share", s.config.flow_share);
	emit_int(e, "halfOpen", s.config.half_open);
	emit_int(e, "halfOpenCapacity", s.config.half_open_max);
	emit_int(e, "halfOpenShare", s.config.half_open_share);
	emit_int(e, "evicted", s.evicted);
	if (s.n && s.pods[0].flows.entries)
		emit_share(e, "most", l, &s, &s.pods[0]);
	else
		emit_null(e, "most");
	emit_array(e, "overShare");
	for (size_t i = 0; i < s.n; i++)
		if (live_share_state(&s.config, &s.pods[i].flows))
			emit_share(e, NULL, l, &s, &s.pods[i]);
	emit_array_end(e);
	emit_map_end(e);
}

/* Names the pods over their share, or says that there is none. */
static void print_over(const struct live *l, const struct common_options *c,
		       const struct live_shares *s)
{
	char text[LIVE_TEXT_MAX];
	size_t over = 0;

	printf("over share    ");
	for (size_t i = 0; i < s->n; i++) {
		if (!live_share_state(&s->config, &s->pods[i].flows) || ++over > OVER_SHOWN)
			continue;
		printf("%s%s", over == 1 ? tone_on(&c->out, TONE_WARN) : ", ",
		       live_pod_label(l, s->pods[i].slot, text));
	}
	if (over > OVER_SHOWN)
		printf(", %zu more", over - OVER_SHOWN);
	if (over)
		printf("%s: new flows evict the pod's own; see 'weir get flows --by-pod'\n",
		       tone_off(&c->out, TONE_WARN));
	else
		puts("no pod");
}

static void print_flows(const struct live *l, const struct common_options *c)
{
	_cleanup_(live_shares_free) struct live_shares s = {};
	const struct weir_flow_share *most;
	char text[LIVE_TEXT_MAX];

	live_shares_read(l, &s);
	printf("flows         %u of %u entries, %u half-open, %llu evicted so far",
	       s.config.entries, s.config.gc_slots, s.config.half_open,
	       (unsigned long long)s.evicted);
	most = s.n ? &s.pods[0].flows : NULL;
	if (most && most->entries)
		printf("; most by %s: %u (%u %%, %u half-open, %u evicted)",
		       live_pod_label(l, s.pods[0].slot, text), most->entries,
		       (uint32_t)(100ull * most->entries / s.config.gc_slots), most->half_open,
		       most->evicted);
	putchar('\n');
	print_over(l, c, &s);
}

/* ---- All of it ---- */

static void emit_status(const struct live *l, const struct pod_faults *f,
			const struct plan_unfit *unfit)
{
	const struct weir_config *config = node_config(l->node);
	_cleanup_(emit_close) struct emit e = {};
	char text[ADDR_TEXT_MAX];

	emit_open(&e, stdout);
	emit_document_begin(&e, "Status");
	emit_int(&e, "generation", config->generation);
	emit_text(&e, "enforcement", enforcing(l) ? "on" : "off");
	emit_text(&e, "echo", echo_always(l) ? "always" : "policy");
	emit_array(&e, "hairpin");
	for (int family = 0; family < 2; family++)
		emit_text(&e, NULL, addr_text(&config->hairpin[family], text));
	emit_array_end(&e);
	status_settings_emit(&e, l);
	emit_bool(&e, "planFile", l->plan != NULL);
	emit_int(&e, "policyEpoch", config->policy_epoch);
	emit_int(&e, "serviceEpoch", config->service_epoch);
	emit_int(&e, "gcRounds", config->gc_rounds);
	emit_bool(&e, "gcRunning", !node_no_gc(l->node));
	emit_bool(&e, "handOver", !node_no_host_flows(l->node));
	emit_int(&e, "devices", devices(l));
	status_processes_emit(&e, l->node);
	status_uplinks_emit(&e, l);
	emit_flows(&e, l);
	pod_faults_emit(f, &e);
	unfit_emit(unfit, &e);
	emit_array(&e, "programs");
	for (int i = 0; i < _WEIR_PROGRAM_MAX; i++)
		if (node_prog_fd(l->node, i) >= 0)
			emit_text(&e, NULL, program_info(i)->name);
	emit_array_end(&e);
	emit_map(&e, "maps");
	for (int i = 0; i < _WEIR_MAP_MAX; i++) {
		long long fill = live_fill(l, i);

		emit_map(&e, map_info(i)->name);
		emit_known(&e, "entries", fill >= 0, fill);
		emit_int(&e, "capacity", node_map_max(l->node, i));
		emit_map_end(&e);
	}
	emit_map_end(&e);
	emit_map(&e, "drops");
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++)
		if (weir_verdict_of(i) != WEIR_PASS)
			emit_int(&e, reason_label(i), live_counter(l, i).packets);
	emit_map_end(&e);
	emit_map(&e, "passed");
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++)
		if (weir_verdict_of(i) == WEIR_PASS && live_counter(l, i).packets)
			emit_int(&e, reason_label(i), live_counter(l, i).packets);
	emit_map_end(&e);
	emit_document_end(&e);
}

static void print_maps(const struct live *l, const struct common_options *c)
{
	static const char *const columns[] = { "MAP", "ENTRIES", "CAPACITY", "FULL", NULL };
	_cleanup_(grid_free) struct grid t = {};

	grid_init(&t, &c->out, c->no_headers, columns);
	for (int i = 0; i < _WEIR_MAP_MAX; i++) {
		int percent = live_percent(l, i);

		if (percent < 0)
			continue;
		grid_cell(&t, TONE_PLAIN, "%s", map_info(i)->name);
		grid_cell(&t, TONE_PLAIN, "%lld", live_fill(l, i));
		grid_cell(&t, TONE_PLAIN, "%u", node_map_max(l->node, i));
		grid_cell(&t, percent > LIVE_FILL_WARN_PERCENT ? TONE_WARN : TONE_DIM, "%d %%%s",
			  percent, percent > LIVE_FILL_WARN_PERCENT ? " nearly full" : "");
	}
	if (t.n)
		grid_print(&t, stdout);
}

static void print_drops(const struct live *l, const struct common_options *c)
{
	static const char *const columns[] = { "DROPPED", "PACKETS", "WHY", NULL };
	_cleanup_(grid_free) struct grid t = {};

	grid_init(&t, &c->out, c->no_headers, columns);
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++) {
		struct weir_counter n = live_counter(l, i);

		if (weir_verdict_of(i) == WEIR_PASS || !n.packets)
			continue;
		grid_cell(&t, TONE_BAD, "%s", reason_label(i));
		grid_cell(&t, TONE_PLAIN, "%llu", (unsigned long long)n.packets);
		grid_cell(&t, TONE_PLAIN, "%s", reason_text(i));
	}
	if (t.n)
		grid_print(&t, stdout);
	else
		puts("nothing was dropped");
}

static void print_gc(const struct live *l, const struct common_options *c)
{
	if (node_no_gc(l->node))
		printf("gc            %snot running%s: %s; expired connections stay until their room is needed\n\n",
		       tone_on(&c->out, TONE_WARN), tone_off(&c->out, TONE_WARN),
		       node_no_gc(l->node));
	else
		printf("gc            %llu rounds\n\n",
		       (unsigned long long)node_config(l->node)->gc_rounds);
}

static void print_host_flows(const struct live *l, const struct common_options *c)
{
	if (node_no_host_flows(l->node))
		printf("hand-over     %snot possible%s: the host's conntrack cannot be read: %s\n",
		       tone_on(&c->out, TONE_WARN), tone_off(&c->out, TONE_WARN),
		       node_no_host_flows(l->node));
}

/* Each pod that is not served as the plan says. */
static void print_faults(const struct pod_faults *f, const struct common_options *c)
{
	for (size_t i = 0; i < f->n && i < FAULTS_SHOWN; i++)
		printf("%serror%s         pod %s %s\n", tone_on(&c->out, TONE_BAD),
		       tone_off(&c->out, TONE_BAD), f->items[i].pod, f->items[i].why);
	if (f->n > FAULTS_SHOWN)
		printf("%serror%s         and %zu more pods: weir doctor shows all\n",
		       tone_on(&c->out, TONE_BAD), tone_off(&c->out, TONE_BAD),
		       f->n - FAULTS_SHOWN);
}

/* What is planned is unknown then: pods that are not attached, and what does not fit. */
static void print_no_plan(const struct live *l, const struct common_options *c)
{
	_cleanup_(mem_free) char *path = live_file(l, INSTANCE_PLAN, l->generation);

	printf("%serror%s         %s is missing or not valid: pods that are not attached, and policies and Services that do not fit, are unknown; load again\n",
	       tone_on(&c->out, TONE_BAD), tone_off(&c->out, TONE_BAD), path);
}

static bool any_error(const struct live *l, const struct pod_faults *f,
		      const struct plan_unfit *unfit)
{
	return f->n || live_lacks_plan(l) || plan_unfit_count(unfit);
}

/* Errors come first. */
static void print_errors(const struct live *l, const struct pod_faults *f,
			 const struct plan_unfit *unfit, const struct common_options *c)
{
	if (live_lacks_plan(l))
		print_no_plan(l, c);
	unfit_print(unfit, c);
	print_faults(f, c);
	if (any_error(l, f, unfit))
		putchar('\n');
}

static void print_status(const struct live *l, const struct pod_faults *f,
			 const struct plan_unfit *unfit, const struct common_options *c)
{
	const struct weir_config *config = node_config(l->node);
	enum tone tone = enforcing(l) ? TONE_GOOD : TONE_WARN;

	print_errors(l, f, unfit, c);
	printf("generation    %llu%s\n", (unsigned long long)config->generation,
	       l->plan ? "" : "  (no plan file: ids instead of names)");
	printf("enforcement   %s%s%s\n", tone_on(&c->out, tone),
	       enforcing(l) ? "on" : "OFF: policies are not enforced", tone_off(&c->out, tone));
	printf("echo          %s\n", echo_always(l) ? "always passes" : "as policies say");
	status_settings_print(l);
	printf("programs     ");
	for (int i = 0; i < _WEIR_PROGRAM_MAX; i++)
		if (node_prog_fd(l->node, i) >= 0)
			printf(" %s", program_info(i)->name);
	printf("\ndevices       %u attached", devices(l));
	if (l->plan)
		printf(", %zu %s planned on this node", f->planned,
		       f->planned == 1 ? "pod is" : "pods are");
	putchar('\n');
	status_processes_print(l->node, &c->out);
	status_uplinks_print(l, &c->out);
	print_host_flows(l, c);
	print_flows(l, c);
	print_gc(l, c);
	print_maps(l, c);
	putchar('\n');
	print_drops(l, c);
}

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	_cleanup_(attachment_list_free) struct attachment_list records = {};
	_cleanup_(pod_faults_free) struct pod_faults faults = {};
	_cleanup_(live_close) struct live l = {};
	_cleanup_(plan_unfit_free) struct plan_unfit unfit = {};
	struct weir_err err = {};
	int status = loaded_open(&l, c), r;

	if (status)
		return status;
	r = attachment_list_read(c->name, &records, &err);
	if (r)
		return cli_fail_err(r, &err);
	pod_faults_of_live(&l, &records, &faults);
	live_unfit(&l, &unfit);
	if (cli_json(c))
		emit_status(&l, &faults, &unfit);
	else
		print_status(&l, &faults, &unfit, c);
	loaded_check(&l, c);
	return any_error(&l, &faults, &unfit) ? EXIT_TIMEOUT : EXIT_OK;
}

const struct verb verb_status = {
	.name = "status",
	.arguments = "",
	.summary = "what is loaded on this node, on one screen (root)",
	.details =
		"First, as errors: pods of this node that are planned but not attached, that are held, or whose\n"
		"attachment record is not valid; policies that do not fit the tables, whose pods are closed; Services\n"
		"that do not fit and are not served (doctor names all); and a plan file that cannot be read. Then\n"
		"generation, enforcement, settings of the last load that are not the default, programs, devices, uplinks, what pods hold of the connection table, gc, how full the maps are, drops by\n"
		"reason. Needs no agent. Exit status 3: nothing is loaded; 5: there is such an error. Three lines:\n\n"
		"settings    a key of 'weir help config', its value, and the option or file that gave it; more lines\n"
		"            for more keys\n"
		"flows       entries of the connection table, flows that pods lost to their own newer ones since\n"
		"            the first load, and the pod with most entries\n"
		"over share  pods whose new flows evict their own: the table, or its part for half-open flows, is\n"
		"            more than half full, and they hold more than 1/8 of it\n\n"
		"uplinks are the devices by which clients outside reach Services of this node, each with the addresses that\n"
		"connections to other nodes get as their source.\n"
		"With -o json, uplinks is a list: device, ifindex, addresses, and missing, programs that are not attached;\n"
		"flows has entries and capacity, halfOpen and halfOpenCapacity, a pod's share and\n"
		"halfOpenShare, evicted, most (null without entries) and overShare, a list; a pod there has pod,\n"
		"entries, halfOpen, evicted and state, as in 'weir get flows --by-pod -o json'.\n",
	.outputs = "table|json",
	.wants = WANTS_INSTANCE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
