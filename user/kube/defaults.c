// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Defaults after reading, each step before those that need it: duplicates, pods of workloads,
 * implied Namespaces and Nodes, addresses, and the EndpointSlices that a control plane would have
 * made. Then warnings of what all this does not serve.
 */
#include "kube/store_private.h"

void store_apply_defaults(struct store *s, unsigned int flags)
{
	if (flags & STORE_ADMIT)
		store_check_conflicts(s);
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		store_sort(s, kind);
		store_drop_duplicates(s, kind);
	}
	store_note_present(s);
	if (flags & STORE_ASSIGN)
		store_expand(s);
	else
		store_warn_unexpanded(s);
	store_imply_namespaces(s);
	store_default_families(s);
	if (flags & STORE_ASSIGN)
		store_assign_addresses(s);
	else
		store_warn_missing(s);
	store_note_slices(s);
	store_mirror_endpoints(s);
	store_derive_slices(s);
	store_sort(s, KUBE_SLICE);
	store_index_addrs(s);
	store_warn_external_ips(s);
	store_warn_unserved(s, flags);
}
