// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * N023: the UDP ports of the node's tunnels are read at each load. At one that came later, a pod
 * can inject packets with any source address into the tunnel. See device.h.
 */
#include "attach/node_devices.h"
#include "doctor/device.h"

static bool has(const uint64_t *ports, unsigned int port)
{
	return ports[port / 64] >> (port % 64) & 1;
}

static void add(struct findings *f, unsigned int port, bool now)
{
	struct finding *found =
		finding_add(f, FINDING_N023, now ? SEVERITY_ERROR : SEVERITY_WARNING);

	found->text =
		now ? arena_printf(
			      &f->arena,
			      "UDP port %u of a tunnel came after the last load: pods can send packets of any source address into it",
			      port)
		    : arena_printf(
			      &f->arena,
			      "UDP port %u was a tunnel's at the last load and is not any more: packets of pods to it are dropped",
			      port);
	found->evidence = now ? "a device of this node has the port, config.overlay_ports has not"
			      : "config.overlay_ports has the port, no device has";
	found->fix = "weir load -f MANIFESTS --node NODE";
}

int check_tunnels(const struct live *l, struct findings *f, struct weir_err *err)
{
	const uint64_t *loaded = (const uint64_t *)node_config(l->node)->overlay_ports;
	uint64_t now[WEIR_OVERLAY_WORDS] = {};
	int r = overlay_ports_read(now, err);

	if (r)
		return r;
	for (unsigned int port = 0; port < 64 * WEIR_OVERLAY_WORDS; port++)
		if (has(now, port) != has(loaded, port))
			add(f, port, has(now, port));
	return 0;
}
