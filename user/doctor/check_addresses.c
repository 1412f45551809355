// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * N016: the node's addresses are read at each load. Of one that came later, the node's packets are
 * judged as a stranger's; one that is gone may belong to a stranger, who then passes every policy.
 * See device.h.
 */
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/own_addrs.h"
#include "doctor/device.h"
#include "inspect/origin.h"

/* Each new device has a link-local address; no policy depends on those, nor on loopback ones. */
static bool is_exempt(const struct weir_addr *a)
{
	static const struct weir_addr loopback = { .b = { [15] = 1 } };

	if (weir_addr_is_v4(a))
		return a->b[12] == 127;
	return weir_addr_equal(a, &loopback) || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

static bool is_known(const struct live *l, const struct weir_addr *a)
{
	uint32_t kind;

	return !bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_nodes), a, &kind) &&
	       kind & WEIR_NODE_OWN;
}

static bool is_among(const struct weir_addr *list, size_t n, const struct weir_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (weir_addr_equal(&list[i], a))
			return true;
	return false;
}

static void add(struct findings *f, const struct weir_addr *a, const char *text,
		const char *evidence)
{
	struct finding *found = finding_add(f, FINDING_N016, SEVERITY_ERROR);
	char addr[ADDR_TEXT_MAX];

	found->text = arena_printf(&f->arena, "address %s %s", addr_text(a, addr), text);
	found->evidence = evidence;
	found->fix = "weir load -f MANIFESTS --node NODE";
}

int check_addresses(const struct live *l, struct findings *f, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = live_file(l, INSTANCE_OBJECTS, l->generation);
	_cleanup_(mem_free) struct weir_addr *now = NULL, *loaded = NULL;
	size_t n_now = 0, n_loaded = 0;
	int r = own_addrs(&now, &n_now, err);

	if (r)
		return r;
	origin_read_local(path, &loaded, &n_loaded);
	for (size_t i = 0; i < n_now; i++)
		if (!is_exempt(&now[i]) && !is_known(l, &now[i]) && !is_among(now, i, &now[i]))
			add(f, &now[i],
			    "of this node came after the last load: the node's packets from it are judged as a stranger's",
			    "a device has the address, the map nodes has not");
	for (size_t i = 0; i < n_loaded; i++)
		if (!is_exempt(&loaded[i]) && !is_among(now, n_now, &loaded[i]) &&
		    !is_among(loaded, i, &loaded[i]) && is_known(l, &loaded[i]))
			add(f, &loaded[i],
			    "was this node's at the last load and is not any more: who has it now passes every ingress policy",
			    "the map nodes has the address, no device has");
	return 0;
}
