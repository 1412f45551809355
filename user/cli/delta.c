// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What an apply changed, table by table. See delta.h. */
#include "base/emit.h"
#include "base/instance.h"
#include "cli/delta.h"
#include "inspect/fill.h"

#define FAULTS_SHOWN 20

static bool touched(const struct sync_delta *d, int map)
{
	return d->inserted[map] || d->changed[map] || d->deleted[map];
}

static void emit_delta(struct emit *e, const struct sync_delta *d)
{
	emit_int(e, "generation", d->generation);
	emit_int(e, "writes", sync_delta_writes(d));
	emit_array(e, "tables");
	for (int i = 0; i < _WEIR_MAP_MAX; i++) {
		if (!touched(d, i))
			continue;
		emit_map(e, NULL);
		emit_text(e, "table", map_info(i)->name);
		emit_int(e, "inserted", d->inserted[i]);
		emit_int(e, "changed", d->changed[i]);
		emit_int(e, "deleted", d->deleted[i]);
		emit_map_end(e);
	}
	emit_array_end(e);
	emit_int(e, "attached", d->attached);
	emit_int(e, "detached", d->detached);
	emit_int(e, "gated", d->gated);
	emit_int(e, "unplugged", d->unplugged);
	emit_int(e, "vanished", d->vanished);
	emit_bool(e, "policyEpochRaised", d->policy_epoch_raised);
	emit_bool(e, "serviceEpochRaised", d->service_epoch_raised);
}

static void print_table(const struct sync_delta *d, const struct common_options *c)
{
	static const char *const columns[] = { "TABLE", "INSERTED", "CHANGED", "DELETED", NULL };
	_cleanup_(grid_free) struct grid t = {};

	grid_init(&t, &c->out, c->no_headers, columns);
	for (int i = 0; i < _WEIR_MAP_MAX; i++) {
		if (!touched(d, i))
			continue;
		grid_cell(&t, TONE_PLAIN, "%s", map_info(i)->name);
		grid_cell(&t, d->inserted[i] ? TONE_GOOD : TONE_DIM, "%u", d->inserted[i]);
		grid_cell(&t, d->changed[i] ? TONE_WARN : TONE_DIM, "%u", d->changed[i]);
		grid_cell(&t, d->deleted[i] ? TONE_BAD : TONE_DIM, "%u", d->deleted[i]);
	}
	if (t.n)
		grid_print(&t, stdout);
}

void delta_print(const struct sync_delta *d, const struct pod_faults *f, bool dry_run,
		 const struct common_options *c)
{
	_cleanup_(emit_close) struct emit e = {};

	if (cli_json(c)) {
		emit_open(&e, stdout);
		emit_document_begin(&e, "Load");
		emit_bool(&e, "dryRun", dry_run);
		emit_delta(&e, d);
		pod_faults_emit(f, &e);
		emit_document_end(&e);
		return;
	}
	if (!sync_delta_writes(d)) {
		printf("nothing to do, generation %llu stays\n", (unsigned long long)d->generation);
		return;
	}
	print_table(d, c);
	if (d->attached || d->detached)
		printf("devices: %u attached, %u detached\n", d->attached, d->detached);
	if (dry_run)
		puts("nothing was written: this is what load would change");
	else
		printf("generation %llu\n", (unsigned long long)d->generation);
}

void delta_notes(const struct sync_delta *d, const struct common_options *c)
{
	char pins[INSTANCE_PATH_MAX], run[INSTANCE_PATH_MAX];

	if (instance_paths(c->name, pins, run, NULL))
		return;
	if (d->gated)
		cli_warn(
			"%u %s an attachment record but %s not in the manifests: all packets of %s are dropped. "
			"Add %s to the manifests, or remove the record in %s/" INSTANCE_PODS
			", and load again",
			d->gated, d->gated == 1 ? "pod has" : "pods have",
			d->gated == 1 ? "is" : "are", d->gated == 1 ? "this pod" : "these pods",
			d->gated == 1 ? "the pod" : "the pods", run);
	if (d->vanished)
		cli_warn("%u attachment %s in %s/" INSTANCE_PODS
			 " %s a device or network namespace that does "
			 "not exist: remove %s if the pod is gone",
			 d->vanished, d->vanished == 1 ? "record" : "records", run,
			 d->vanished == 1 ? "names" : "name", d->vanished == 1 ? "it" : "each");
}

int delta_faults(const struct pod_faults *f, const struct common_options *c)
{
	char pins[INSTANCE_PATH_MAX], run[INSTANCE_PATH_MAX];

	for (size_t i = 0; i < f->n && i < FAULTS_SHOWN; i++)
		cli_fail(EXIT_TIMEOUT, "error: pod %s %s", f->items[i].pod, f->items[i].why);
	if (f->n > FAULTS_SHOWN)
		cli_fail(EXIT_TIMEOUT, "error: and %zu more pods", f->n - FAULTS_SHOWN);
	if (f->count[POD_FAULT_UNATTACHED] && !instance_paths(c->name, pins, run, NULL))
		cli_fail(
			EXIT_TIMEOUT,
			"%zu of %zu planned %s of this node %s not attached: Weir neither checks %s packets against "
			"policies nor translates them. Once the CNI plugin, or you, wrote a record for each in "
			"%s/" INSTANCE_PODS " (README, Attachment records), load again",
			f->count[POD_FAULT_UNATTACHED], f->planned,
			f->planned == 1 ? "pod" : "pods",
			f->count[POD_FAULT_UNATTACHED] == 1 ? "is" : "are",
			f->count[POD_FAULT_UNATTACHED] == 1 ? "its" : "their", run);
	return f->n ? EXIT_TIMEOUT : EXIT_OK;
}
