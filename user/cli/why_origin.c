// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which workload an end of the question belongs to, and where its template stands. See why.h. */
#include "cli/why.h"

static void print_end(const char *word, const char *name, const struct kube_pod *pod, FILE *out)
{
	if (!pod || !pod->made_for)
		return;
	fprintf(out, " %-12s %s  made for %s %s/%s  %s:%d\n", word, name, kube_kind_text(pod->meta.owner.kind),
		pod->meta.ns, pod->meta.owner.name, pod->meta.src.file, pod->meta.src.line);
}

/* Pods that were read are what they are; of those that were made people have only seen the workload. */
void why_print_origin(const struct why_flow *f, FILE *out)
{
	print_end("from", f->item.from, f->item.from_pod, out);
	print_end("to", f->item.to, f->item.to_pod, out);
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
