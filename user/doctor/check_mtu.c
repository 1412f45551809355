// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * N007: a veth drops packets larger than the MTU of its other end: no ICMP error, no counter of the
 * stack. See device.h.
 */
#include <fcntl.h>

#include "base/mem.h"
#include "base/netns.h"
#include "doctor/device.h"

/* 0: unknown. */
static uint32_t pod_mtu(const struct doctor_pod *pod)
{
	_cleanup_(fd_close) int fd = open(pod->record->netns, O_RDONLY | O_CLOEXEC);
	_cleanup_(netns_leave) int back = -1;

	if (fd < 0 || netns_enter(fd, &back, NULL))
		return 0;
	return device_mtu(pod->dev->peer);
}

static void check_pod(struct doctor *d, const struct doctor_pod *pod)
{
	uint32_t inside = pod_mtu(pod), outside = pod->dev->mtu;
	struct finding *f;

	if (!inside || inside == outside)
		return;
	f = finding_add(d->f, FINDING_N007, SEVERITY_WARNING);
	f->text = arena_printf(
		&d->f->arena,
		"packets larger than %u bytes %s pod %s/%s are dropped without an ICMP error",
		inside < outside ? inside : outside, inside > outside ? "from" : "to",
		pod->record->ns, pod->record->name);
	f->evidence = arena_printf(&d->f->arena, "the MTU of %s is %u, of the pod's end %u",
				   pod->dev->name, outside, inside);
	f->fix = arena_printf(&d->f->arena, "ip link set %s mtu %u", pod->dev->name, inside);
}

void check_mtu(struct doctor *d)
{
	for (size_t i = 0; i < d->n_pods; i++)
		if (d->pods[i].dev && d->pods[i].dev->peer && *d->pods[i].record->netns)
			check_pod(d, &d->pods[i]);
}
