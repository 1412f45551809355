// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N005, N009, N012: programs on the devices of recorded pods, and their order. See device.h. */
#include "attach/attach.h"
#include "base/instance.h"
#include "base/mem.h"
#include "doctor/device.h"

static void device_is_gone(struct doctor *d, const struct doctor_pod *pod)
{
	const struct attachment *a = pod->record;
	_cleanup_(mem_free) char *path = instance_record(node_run_dir(d->node), a->ns, a->name);
	struct finding *f = finding_add(d->f, FINDING_N012, SEVERITY_WARNING);

	f->text = arena_printf(
		&d->f->arena,
		"the attachment record of pod %s/%s names a device that does not exist", a->ns,
		a->name);
	f->evidence = arena_printf(&d->f->arena, "%s: ifindex %u", path, a->ifindex);
	f->fix = arena_printf(&d->f->arena, "rm %s; weir load -f MANIFESTS --node NODE", path);
}

static void not_attached(struct doctor *d, const struct doctor_pod *pod, const char *prog)
{
	struct finding *f = finding_add(d->f, FINDING_N005, SEVERITY_ERROR);

	f->text = arena_printf(
		&d->f->arena,
		"%s is not attached to device %s: packets %s pod %s/%s are neither checked against policies nor translated",
		prog, pod->dev->name, *prog == 'f' ? "from" : "to", pod->record->ns,
		pod->record->name);
	f->evidence = arena_printf(
		&d->f->arena,
		"device %s (ifindex %u) has neither a tcx link nor a clsact filter for it",
		pod->dev->name, pod->dev->ifindex);
	f->fix = "weir load -f MANIFESTS --node NODE";
}

struct ahead {
	struct doctor *d;
	const struct doctor_pod *pod;
};

static void runs_before(const char *prog, const char *what, void *arg)
{
	struct ahead *a = arg;
	struct findings *all = a->d->f;
	struct finding *f = finding_add(all, FINDING_N009, SEVERITY_WARNING);

	f->text = arena_printf(
		&all->arena,
		"%s runs before %s on device %s: packets that it drops, redirects or accepts do not reach Weir",
		what, prog, a->pod->dev->name);
	f->evidence = arena_printf(&all->arena, "order on the device of pod %s/%s: %s, then %s",
				   a->pod->record->ns, a->pod->record->name, what, prog);
	f->fix =
		"make it return TC_ACT_UNSPEC (tcx: TCX_NEXT) for packets that it passes, or attach it after Weir's program";
}

void check_hooks(struct doctor *d)
{
	for (size_t i = 0; i < d->n_pods; i++) {
		struct doctor_pod *pod = &d->pods[i];
		struct ahead ahead = { d, pod };
		const char *missing[_WEIR_PROGRAM_MAX];

		if (!pod->dev) {
			device_is_gone(d, pod);
			continue;
		}
		for (size_t k = attach_missing(d->node, ATTACH_POD, pod->dev->ifindex, missing); k;
		     k--)
			not_attached(d, pod, missing[k - 1]);
		attach_each_before(d->node, ATTACH_POD, pod->dev->ifindex, runs_before, &ahead);
	}
}
