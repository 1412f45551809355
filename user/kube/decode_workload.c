// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job and CronJob: number of
 * pods and template, with the API server's checks. expand.c creates the pods.
 *
 * A Job has as many pods at once as its parallelism, at most its completions; none when it is
 * suspended or finished. A CronJob counts as one of its Jobs, running now.
 */
#include <stdint.h>
#include <string.h>

#include "kube/decode.h"

/* A mapping that is required; absent after an error. */
static struct field required_map(const struct field *up, const char *key, const char *what)
{
	struct field given = field_at(up, key);

	if (!field_given(&given))
		field_error(&given, KUBE_E_REQUIRED, "required: %s", what);
	return field_map(up, key);
}

static void check_toleration(const struct field *f, const struct kube_toleration *t)
{
	struct field key = field_at(f, "key"), value = field_at(f, "value");
	struct field effect = field_at(f, "effect");

	if (!t->exists && !*t->key)
		field_error(f, KUBE_E_CONFLICT,
			    "a toleration without a key needs the operator Exists");
	if (*t->key && !check_label_key(t->key))
		field_error(&key, KUBE_E_LABEL,
			    "\"%.80s\" is not a label key: " CHECK_LABEL_KEY_TEXT, t->key);
	if (t->exists && *t->value)
		field_error(&value, KUBE_E_CONFLICT, "Exists takes no value: remove it");
	else if (!check_label_value(t->value))
		field_error(&value, KUBE_E_LABEL,
			    "\"%.80s\" is not a label value: " CHECK_LABEL_TEXT, t->value);
	check_taint_effect(&effect, t->effect);
}

static void decode_tolerations(const struct field *spec, struct kube_workload *w)
{
	/* in the order of false and true */
	static const char *const operators[] = { "Equal", "Exists", NULL };
	struct field list = field_list(spec, "tolerations");

	w->tolerations = arena_zalloc(spec->d->arena, field_count(&list) * sizeof(*w->tolerations));
	for (size_t i = 0; i < field_count(&list); i++) {
		struct field item = field_map_item(&list, i);
		struct kube_toleration *t = &w->tolerations[w->n_tolerations++];

		t->key = field_text_at(&item, "key", "");
		t->value = field_text_at(&item, "value", "");
		t->effect = field_text_at(&item, "effect", "");
		t->exists = field_word_at(&item, "operator", operators, 0);
		check_toleration(&item, t);
	}
}

/* Pods of a Job end; pods of the other workloads restart always. */
static void check_restart_policy(const struct field *spec, bool ends)
{
	static const char *const words[] = { "Always", "OnFailure", "Never", NULL };
	struct field f = field_at(spec, "restartPolicy");
	int word = field_word(&f, words, -1);

	if (ends && field_empty(&f))
		field_error(&f, KUBE_E_REQUIRED, "required in a Job: OnFailure or Never");
	else if (ends && word == 0)
		field_error(&f, KUBE_E_VALUE, "expected OnFailure or Never in a Job, found %s",
			    field_quoted(&f));
	else if (!ends && word > 0)
		field_error(&f, KUBE_E_VALUE,
			    "expected Always, found %s: only a Job's pods can end",
			    field_quoted(&f));
}

static void decode_template(const struct field *owner_spec, struct kube_workload *w, bool ends)
{
	struct field template = required_map(owner_spec, "template", "labels and spec of the pods");
	struct field metadata = field_map(&template, "metadata"), spec;
	struct field created = field_at(&metadata, "creationTimestamp");
	struct kube_pod *pod = arena_zalloc(owner_spec->d->arena, sizeof(*pod));

	w->template = pod;
	pod->meta.src = field_src(&template);
	pod->meta.labels = decode_labels(&metadata, NULL);
	field_time(&created);
	pod->node = pod->hostname = pod->subdomain = "";
	if (!field_given(&template))
		return;
	spec = required_map(&template, "spec", "at least one container");
	if (!field_given(&spec))
		return;
	decode_pod_spec(&spec, w->meta.kind == KUBE_STATEFUL_SET, pod);
	check_restart_policy(&spec, ends);
	if (w->meta.kind == KUBE_DAEMON_SET) {
		struct field nodes = field_map(&spec, "nodeSelector");

		w->node_selector = decode_map_selector(&nodes);
		decode_tolerations(&spec, w);
	}
}

/*
 * The API server refuses a selector that does not match the template: the controller would create
 * pods without end. Only that of a ReplicationController has a default, the template's labels.
 */
static void check_selector(const struct field *spec, const struct kube_workload *w)
{
	bool plain = w->meta.kind == KUBE_REPLICATION_CONTROLLER;
	struct field given = field_at(spec, "selector"), f = field_map(spec, "selector");
	struct field template = field_at(spec, "template");
	const struct kube_labels *labels = &w->template->meta.labels;
	size_t errors = spec->d->diags->errors;
	struct kube_selector s = plain ? decode_map_selector(&f) : decode_selector(&f);
	const char *key, *value;

	if (plain && !s.n && labels->n)
		return;
	if (!field_given(&given))
		field_error(&f, KUBE_E_REQUIRED, "required: labels of the template, for example %s",
			    plain ? "app: web" : "matchLabels: {app: web}");
	else if (field_given(&f) && !s.n && w->meta.kind != KUBE_JOB)
		field_error(
			&f, KUBE_E_SELECTOR,
			"empty: it would match every pod of the namespace; give labels of the template");
	if (spec->d->diags->errors != errors || !field_given(&template))
		return;
	for (size_t i = 0; i < s.n; i++) {
		if (kube_selector_matches(&(struct kube_selector){ .items = &s.items[i], .n = 1 },
					  labels))
			continue;
		key = s.items[i].key;
		value = kube_label(labels, key);
		field_error(&f, KUBE_E_CONFLICT,
			    "does not match the labels of the template, which has %s%.80s%s%.80s",
			    value ? "" : "no ", key, value ? "=" : "", value ? value : "");
	}
}

static void decode_count(const struct field *spec, struct kube_workload *w, const char *key,
			 const char *path)
{
	w->pods = field_number_at(spec, key, 0, INT32_MAX, 1);
	w->pods_field = path;
}

static void decode_controller(const struct field *spec, struct kube_workload *w)
{
	struct field ordinals = field_map(spec, "ordinals"),
		     service = field_at(spec, "serviceName");

	w->first = 1;
	decode_count(spec, w, "replicas", "spec.replicas");
	if (w->meta.kind == KUBE_DAEMON_SET)
		w->pods = 1;
	decode_template(spec, w, false);
	check_selector(spec, w);
	if (w->meta.kind != KUBE_STATEFUL_SET)
		return;
	w->first = field_number_at(&ordinals, "start", 0, INT32_MAX, 0);
	w->template->subdomain = field_text(&service, "");
	if (*w->template->subdomain && !check_dns_label(w->template->subdomain))
		field_error(&service, KUBE_E_NAME,
			    "\"%.80s\" is not a Service name: at most 63 of a-z, 0-9 and -",
			    w->template->subdomain);
}

/* Whether it matches the labels that the API server adds to the template, alone and there. */
static bool fits_generated(const struct field *selector, const struct kube_workload *w)
{
	struct kube_label items[] = { { "batch.kubernetes.io/job-name", w->meta.name },
				      { "job-name", w->meta.name } };
	const struct kube_labels added = { items, ARRAY_SIZE(items) };
	struct kube_labels all = w->template->meta.labels;
	struct kube_selector s = decode_selector(selector);

	for (size_t i = 0; i < added.n; i++)
		decode_set_label(selector->d->arena, &all, items[i].key, items[i].value);
	return kube_selector_matches(&s, &added) && kube_selector_matches(&s, &all);
}

/* The API server generates a Job's selector, by a label that it adds to the template. */
static void check_job_selector(const struct field *spec, const struct kube_workload *w)
{
	struct field given = field_at(spec, "selector"), f = field_map(spec, "selector");
	struct field labels = field_map(&f, "matchLabels");
	struct field uid = field_at(&labels, "batch.kubernetes.io/controller-uid");
	struct field old_uid = field_at(&labels, "controller-uid");
	bool manual = field_flag_at(spec, "manualSelector", false);
	bool generated = field_given(&uid) || field_given(&old_uid);

	if (w->meta.kind == KUBE_CRON_JOB && (field_given(&given) || manual))
		field_error(&given, KUBE_E_CONFLICT,
			    "the template of a CronJob cannot have a selector: remove it");
	else if (field_given(&f) && !generated && !manual && !fits_generated(&f, w))
		field_error(
			&given, KUBE_E_CONFLICT,
			"the API server generates the selector of a Job: remove it, or set manualSelector");
	else if (generated || manual)
		check_selector(spec, w);
}

static void decode_job(const struct field *spec, struct kube_workload *w)
{
	bool suspended = field_flag_at(spec, "suspend", false);
	int64_t completions = field_number_at(spec, "completions", 0, INT32_MAX, INT32_MAX);

	w->first = 1;
	decode_count(spec, w, "parallelism",
		     w->meta.kind == KUBE_JOB ? "spec.parallelism"
					      : "spec.jobTemplate.spec.parallelism");
	if (w->pods > completions)
		w->pods = completions;
	if (suspended)
		w->pods = 0;
	decode_template(spec, w, true);
	check_job_selector(spec, w);
}

static bool is_finished(const struct field *root)
{
	struct field status = field_map(root, "status"),
		     conditions = field_list(&status, "conditions");
	bool finished = false;

	for (size_t i = 0; i < field_count(&conditions); i++) {
		struct field c = field_map_item(&conditions, i);
		const char *type = field_raw_at(&c, "type", "");

		finished |= (!strcmp(type, "Complete") || !strcmp(type, "Failed")) &&
			    !strcmp(field_raw_at(&c, "status", ""), "True");
	}
	return finished;
}

static void decode_cron_job(const struct field *spec, struct kube_workload *w)
{
	struct field schedule = field_at(spec, "schedule");
	struct field template, job;

	field_raw(&schedule, "");
	if (field_empty(&schedule))
		field_error(&schedule, KUBE_E_REQUIRED, "required, for example \"0 3 * * *\"");
	template = required_map(spec, "jobTemplate", "the spec of the Jobs");
	if (!field_given(&template))
		return;
	job = required_map(&template, "spec", "the template of the pods");
	if (field_given(&job))
		decode_job(&job, w);
	if (field_flag_at(spec, "suspend", false))
		w->pods = 0;
}

/* Those of the template. */
static void default_labels(struct kube_workload *w)
{
	if (!w->meta.labels.n && w->template)
		w->meta.labels = w->template->meta.labels;
}

void decode_workload(const struct field *root, struct kube_meta *o)
{
	struct kube_workload *w = (struct kube_workload *)o;
	const char *content = o->kind == KUBE_CRON_JOB ? "schedule and jobTemplate"
			      : o->kind == KUBE_JOB    ? "template"
						       : "selector and template";
	struct field spec = required_map(root, "spec", content);

	if (!field_given(&spec))
		return;
	if (o->kind == KUBE_CRON_JOB) {
		decode_cron_job(&spec, w);
	} else if (o->kind == KUBE_JOB) {
		decode_job(&spec, w);
		default_labels(w);
		if (is_finished(root))
			w->pods = 0;
	} else {
		decode_controller(&spec, w);
		if (o->kind == KUBE_REPLICATION_CONTROLLER)
			default_labels(w);
	}
}
