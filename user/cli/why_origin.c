// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which workload an end of the question belongs to, and where its template stands. See why.h. */
#include "cli/why.h"

static void print_end(const struct kube_pod *pod, FILE *out)
{
	const struct kube_meta *m = &pod->meta;

	if (pod->made_for)
		fprintf(out, " %s is made for %s %s/%s  %s:%d\n", m->name, kube_kind_text(m->owner.kind), m->ns,
			m->owner.name, m->src.file, m->src.line);
}

/* Pods that were read are what they are; of those that were made people have only seen the workload. */
void why_print_origin(const struct why_flow *f, FILE *out)
{
	if (f->item.from_pod)
		print_end(f->item.from_pod, out);
	if (f->item.to_pod && f->item.to_pod != f->item.from_pod)
		print_end(f->item.to_pod, out);
}

static void emit_end(struct emit *e, const char *key, const struct kube_pod *pod)
{
	if (!pod || !pod->meta.owner.name)
		return;
	emit_map(e, key);
	emit_text(e, "kind", kube_kind_text(pod->meta.owner.kind));
	emit_printf(e, "name", "%s/%s", pod->meta.ns, pod->meta.owner.name);
	emit_bool(e, "made", pod->made_for);
	if (pod->made_for) {
		emit_text(e, "file", pod->meta.src.file);
		emit_int(e, "line", pod->meta.src.line);
	}
	emit_map_end(e);
}

void why_emit_origin(const struct why_flow *f, struct emit *e)
{
	emit_end(e, "fromOwner", f->item.from_pod);
	emit_end(e, "toOwner", f->item.to_pod);
}
