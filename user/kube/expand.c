// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Creates the pods of workloads, for manifests that hold no pods: named by ordinal, with the
 * labels, the spec and the source position of the template. No pods are created for a workload that
 * has pods in the input, or that another workload of the input owns. Pure; the order of input does
 * not matter. Input: a sorted store.
 *
 * StatefulSets come first, because their pods' names are fixed. A name that is taken is skipped:
 * the pod that has it is left unchanged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/decode.h"
#include "kube/limits.h"
#include "kube/store_private.h"

#define POD_NAME_MAX 253

struct expand {
	struct store *store;
	struct store_seen *names; /* "ns/name" of every pod */
	size_t made; /* pods */
	size_t of[KUBE_WORKLOADS]; /* workloads that made some */
};

/* No pod of it is in the input, and no workload that owns it, which would make its pods. */
static bool lacks_pods(const struct store *s, const struct kube_workload *w)
{
	return !w->present && !store_owner(s, &w->meta);
}

/* false: the name is taken. */
static bool take_name(struct expand *x, const char *ns, const char *name)
{
	_cleanup_(mem_free) char *text = mem_printf("%s/%s", ns, name);

	return store_seen_add(&x->names, text);
}

/* NAME-SUFFIX; a name that is too long for a pod is shortened, as the API server does. */
static char *pod_name(const struct kube_workload *w, const char *suffix)
{
	size_t len = strlen(w->meta.name), room = POD_NAME_MAX - 1 - strlen(suffix);

	if (len > room)
		for (len = room; len > 1 && strchr("-.", w->meta.name[len - 1]);)
			len--;
	return mem_printf("%.*s-%s", (int)len, w->meta.name, suffix);
}

/* Labels that controllers add to the template's. */
static void add_own_labels(struct kube_pod *pod, const struct kube_workload *w, const char *ordinal)
{
	struct arena *a = &pod->meta.arena;

	if (w->meta.kind == KUBE_STATEFUL_SET) {
		decode_set_label(a, &pod->meta.labels, "apps.kubernetes.io/pod-index",
				 arena_strdup(a, ordinal));
		decode_set_label(a, &pod->meta.labels, "statefulset.kubernetes.io/pod-name",
				 pod->meta.name);
	} else if (w->meta.kind == KUBE_JOB) {
		decode_set_label(a, &pod->meta.labels, "batch.kubernetes.io/job-name",
				 w->meta.name);
		decode_set_label(a, &pod->meta.labels, "job-name", w->meta.name);
	}
}

/* false: the name is taken, no pod was made. node NULL: the template's. */
static bool make_pod(struct expand *x, const struct kube_workload *w, const char *suffix,
		     const char *node)
{
	_cleanup_(mem_free) char *name = pod_name(w, suffix);
	const struct kube_pod *template = w->template;
	struct kube_pod *pod;

	if (!take_name(x, w->meta.ns, name))
		return false;
	pod = store_add_new(x->store, KUBE_POD, sizeof(*pod), w->meta.ns, name);
	pod->meta.labels = template->meta.labels;
	pod->meta.src = template->meta.src;
	pod->meta.owner = (struct kube_owner){ w->meta.kind, w->meta.name };
	pod->node = node ? node : template->node;
	pod->host_network = template->host_network;
	pod->hostname = w->meta.kind == KUBE_STATEFUL_SET ? pod->meta.name : template->hostname;
	pod->subdomain = template->subdomain;
	pod->ports = template->ports;
	pod->n_ports = template->n_ports;
	pod->made_for = w;
	add_own_labels(pod, w, suffix);
	x->made++;
	return true;
}

/* false after an error: too many pods. */
static bool has_room(struct expand *x, const struct kube_workload *w, size_t pods)
{
	_cleanup_(mem_free) char *object = NULL;

	if (pods <= KUBE_MADE_PODS_MAX - x->made)
		return true;
	object = mem_printf("%s %s/%s", kube_kind_text(w->meta.kind), w->meta.ns, w->meta.name);
	diag_add(&x->store->diags, DIAG_ERROR, kube_code_text(KUBE_E_LIMIT), &w->meta.src, object,
		 w->pods_field,
		 "%zu pods in addition to %zu of other workloads: Weir creates at most %zu", pods,
		 x->made, KUBE_MADE_PODS_MAX);
	return false;
}

static void expand_counted(struct expand *x, const struct kube_workload *w)
{
	bool fixed_names = w->meta.kind == KUBE_STATEFUL_SET;
	uint64_t ordinal = w->first;
	char suffix[24];

	if (!w->pods || !lacks_pods(x->store, w) || !has_room(x, w, w->pods))
		return;
	for (uint32_t made = 0; made < w->pods; ordinal++) {
		snprintf(suffix, sizeof(suffix), "%" PRIu64, ordinal);
		made += make_pod(x, w, suffix, NULL) || fixed_names;
	}
	x->of[w->meta.kind - KUBE_WORKLOAD_FIRST]++;
}

/* ---- DaemonSets ---- */

/* Defaults of labels that the kubelet sets, for a Node object written by hand. */
static const char *kubelet_label(const struct kube_node *node, const char *key)
{
	if (!strcmp(key, "kubernetes.io/os"))
		return "linux";
	return strcmp(key, "kubernetes.io/hostname") ? NULL : node->meta.name;
}

/* nodeSelector only, not affinity: each requirement is a label with one value. */
static bool selects_node(const struct kube_workload *w, const struct kube_node *node)
{
	for (size_t i = 0; i < w->node_selector.n; i++) {
		const struct kube_requirement *r = &w->node_selector.items[i];
		const char *value = kube_label(&node->meta.labels, r->key);

		if (!value)
			value = kubelet_label(node, r->key);
		if (!value || strcmp(value, r->values[0]))
			return false;
	}
	return true;
}

static bool tolerates(const struct kube_workload *w, const struct kube_taint *taint)
{
	/* conditions of the node: the controller adds tolerations for them */
	if (!strncmp(taint->key, "node.kubernetes.io/", 19))
		return true;
	for (size_t i = 0; i < w->n_tolerations; i++) {
		const struct kube_toleration *t = &w->tolerations[i];

		if ((!*t->key || !strcmp(t->key, taint->key)) &&
		    (!*t->effect || !strcmp(t->effect, taint->effect)) &&
		    (t->exists || !strcmp(t->value, taint->value)))
			return true;
	}
	return false;
}

/* An implied node has no known labels and taints: the pod runs there. */
static bool runs_on(const struct kube_workload *w, const struct kube_node *node)
{
	if (*w->template->node && strcmp(w->template->node, node->meta.name))
		return false;
	if (node->implied)
		return true;
	for (size_t i = 0; i < node->n_taints; i++)
		if (!tolerates(w, &node->taints[i]))
			return false;
	return selects_node(w, node);
}

/* Named NAME-NODE; where that is taken or too long, by ordinal, from *ordinal on. */
static void make_on_node(struct expand *x, const struct kube_workload *w, const char *node,
			 uint64_t *ordinal)
{
	bool made = strlen(w->meta.name) + 1 + strlen(node) <= POD_NAME_MAX &&
		    make_pod(x, w, node, node);
	char suffix[24];

	while (!made) {
		snprintf(suffix, sizeof(suffix), "%" PRIu64, (*ordinal)++);
		made = make_pod(x, w, suffix, node);
	}
}

static void expand_daemon_set(struct expand *x, const struct kube_workload *w)
{
	uint64_t ordinal = w->first;
	size_t nodes = 0;

	if (!lacks_pods(x->store, w))
		return;
	for (size_t i = 0; i < x->store->n_nodes; i++)
		nodes += runs_on(w, x->store->nodes[i]);
	if (!nodes || !has_room(x, w, nodes))
		return;
	for (size_t i = 0; i < x->store->n_nodes; i++) {
		const char *name = x->store->nodes[i]->meta.name;

		if (runs_on(w, x->store->nodes[i]))
			make_on_node(x, w, name, &ordinal);
	}
	x->of[w->meta.kind - KUBE_WORKLOAD_FIRST]++;
}

/* ---- All ---- */

static void note_made(struct expand *x)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size, n = 0;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < KUBE_WORKLOADS; i++)
		if (x->of[i])
			fprintf(out, "%s%zu %s%s", n++ ? ", " : "", x->of[i],
				kube_kind_text(KUBE_WORKLOAD_FIRST + i), x->of[i] == 1 ? "" : "s");
	fclose(out);
	if (n && !x->store->diags.errors)
		diag_add(&x->store->diags, DIAG_NOTE, NULL, NULL, NULL, NULL,
			 "created %zu pod%s for %s", x->made, x->made == 1 ? "" : "s", text);
}

static void expand_kind(struct expand *x, enum kube_kind kind)
{
	struct store *s = x->store;
	int i = (int)kind - KUBE_WORKLOAD_FIRST;

	for (size_t k = 0; k < s->n_workloads[i]; k++) {
		if (kind == KUBE_DAEMON_SET)
			expand_daemon_set(x, s->workloads[i][k]);
		else
			expand_counted(x, s->workloads[i][k]);
	}
}

static bool has_workloads(const struct store *s)
{
	size_t n = 0;

	for (int i = 0; i < KUBE_WORKLOADS; i++)
		n += s->n_workloads[i];
	return n;
}

void store_expand(struct store *s)
{
	static const enum kube_kind order[] = { KUBE_STATEFUL_SET, KUBE_DEPLOYMENT,
						KUBE_REPLICA_SET,  KUBE_REPLICATION_CONTROLLER,
						KUBE_JOB,          KUBE_CRON_JOB };
	struct expand x = { .store = s };

	if (has_workloads(s)) {
		for (size_t i = 0; i < s->n_pods; i++)
			take_name(&x, s->pods[i]->meta.ns, s->pods[i]->meta.name);
		for (size_t i = 0; i < ARRAY_SIZE(order); i++)
			expand_kind(&x, order[i]);
	}
	store_imply_nodes(s);
	if (has_workloads(s)) {
		expand_kind(&x, KUBE_DAEMON_SET);
		store_sort(s, KUBE_POD);
	}
	note_made(&x);
	store_seen_free(&x.names);
}

void store_warn_unexpanded(struct store *s)
{
	for (int i = 0; i < KUBE_WORKLOADS; i++)
		for (size_t k = 0; k < s->n_workloads[i]; k++) {
			const struct kube_workload *w = s->workloads[i][k];
			_cleanup_(mem_free) char *object = NULL;

			if (!w->pods || !lacks_pods(s, w))
				continue;
			object = mem_printf("%s %s/%s", kube_kind_text(w->meta.kind), w->meta.ns,
					    w->meta.name);
			diag_add(
				&s->diags, DIAG_WARNING, NULL, &w->meta.src, object, NULL,
				"no Pod of this %s is in the input, and load does not create pods: add its Pods",
				kube_kind_text(w->meta.kind));
		}
}
