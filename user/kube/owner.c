// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The workload that an object belongs to. An owner may be missing: `kubectl get deploy,pods` leaves
 * out the ReplicaSets. The Deployment is then found by the ReplicaSet's name, and a CronJob by the
 * name of its Job.
 */
#include <string.h>

#include "base/mem.h"
#include "kube/store_private.h"

#define OWNERS_MAX 4 /* Kubernetes has chains of two; this ends a cycle */

/*
 * The owner's name without the suffix that its controller added: the pod-template-hash of a
 * ReplicaSet, the minutes of a Job. NULL: it has no such suffix.
 */
static const char *name_of_owners_owner(const struct kube_meta *m, struct arena *a)
{
	const char *hash = kube_label(&m->labels, "pod-template-hash"), *name = m->owner.name;
	const char *dash = strrchr(name, '-');

	if (!dash)
		return NULL;
	if (m->owner.kind == KUBE_REPLICA_SET
		    ? !hash || strcmp(dash + 1, hash)
		    : dash[1 + strspn(dash + 1, "0123456789")] || !dash[1])
		return NULL;
	return arena_strndup(a, name, dash - name);
}

/*
 * One step up: the owner, or the owner's owner when the owner is not in the input. Not const: the
 * steps of store_apply_defaults() write to it.
 */
static struct kube_workload *controller(const struct store *s, const struct kube_meta *m)
{
	_cleanup_(arena_free) struct arena scratch = {};
	const struct kube_workload *found;
	const char *name;

	if (!m->owner.name)
		return NULL;
	found = store_workload(s, m->owner.kind, m->ns, m->owner.name);
	if (!found && (m->owner.kind == KUBE_REPLICA_SET || m->owner.kind == KUBE_JOB)) {
		name = name_of_owners_owner(m, &scratch);
		if (name)
			found = store_workload(
				s, m->owner.kind == KUBE_JOB ? KUBE_CRON_JOB : KUBE_DEPLOYMENT,
				m->ns, name);
	}
	return (struct kube_workload *)found;
}

const struct kube_workload *store_owner(const struct store *s, const struct kube_meta *m)
{
	const struct kube_workload *top = NULL, *up = controller(s, m);

	for (int i = 0; up && i < OWNERS_MAX; i++) {
		top = up;
		up = controller(s, &up->meta);
	}
	return top;
}

const struct kube_pod *store_first_pod(const struct store *s, const char *ns, const char *workload)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_meta *m = &s->pods[i]->meta;
		const struct kube_workload *w =
			m->owner.name && !strcmp(m->ns, ns) ? store_owner(s, m) : NULL;

		if (w && !strcmp(w->meta.name, workload))
			return s->pods[i];
	}
	return NULL;
}

char *store_pod_text(const struct kube_pod *pod)
{
	const struct kube_meta *m = &pod->meta;

	if (!pod->made_for)
		return mem_printf("Pod %s/%s", m->ns, m->name);
	return mem_printf("%s %s/%s (pod %s)", kube_kind_text(m->owner.kind), m->ns, m->owner.name,
			  m->name);
}

/*
 * With one pod in the input, the input shows what the cluster has, even if that is less than the
 * workload wants.
 */
void store_note_present(struct store *s)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		struct kube_workload *w = controller(s, &s->pods[i]->meta);

		for (int k = 0; w && k < OWNERS_MAX; k++, w = controller(s, &w->meta))
			w->present = true;
	}
}
