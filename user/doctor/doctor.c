// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads the input of the checks in the attach namespace, then runs them. See doctor.h. */
#include <stdlib.h>

#include "attach/attach_netns.h"
#include "base/netns.h"
#include "doctor/device.h"

static void find_devices(struct doctor *d, const struct attachment_list *pods)
{
	d->pods = mem_zalloc((pods->n + 1) * sizeof(*d->pods));
	for (size_t i = 0; i < pods->n; i++) {
		const struct device *dev = device_find(d, pods->items[i].ifindex);

		d->pods[d->n_pods++] = (struct doctor_pod){
			.record = &pods->items[i],
			.dev = dev,
			.l3 = dev && dev->master ? device_find(d, dev->master) : dev,
		};
	}
}

int doctor_node(const struct node *n, const struct attachment_list *pods, struct findings *f,
		struct weir_err *err)
{
	_cleanup_(netns_leave) int back = -1;
	struct doctor d = { .node = n, .f = f };
	int r = attach_netns_join(n, &back, err);

	if (!r)
		r = devices_read(&d.devices, &d.n_devices, &d.cap_devices, err);
	if (r)
		return r;
	find_devices(&d, pods);
	r = check_rulesets(&d, err);
	if (!r) {
		check_settings(&d);
		check_trust(&d);
		check_hooks(&d);
		check_mtu(&d);
	}
	free(d.pods);
	free(d.devices);
	return r;
}

int doctor_instance(const char *name, const struct live *l, struct findings *f,
		    struct weir_err *err)
{
	_cleanup_(attachment_list_free) struct attachment_list pods = {};
	_cleanup_(netns_leave) int back = -1;
	int r = attachment_list_read(name, &pods, err);

	if (!r)
		r = attach_netns_join(l->node, &back, err);
	if (!r)
		r = doctor_node(l->node, &pods, f, err);
	if (!r)
		r = check_addresses(l, f, err);
	if (!r)
		r = check_tunnels(l, f, err);
	if (r)
		return r;
	check_processes(l->node, f);
	check_plan(l, f);
	check_pods(l, &pods, f);
	check_tables(l, f);
	findings_sort(f);
	return 0;
}
