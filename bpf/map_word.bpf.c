// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Stores one word in place in a live hash element. bpf(2) cannot: its update of an existing element
 * replaces the element, and a concurrent reader may miss it (docs/design.md, "Atomic from the
 * packet's view"). Run by BPF_PROG_RUN.
 */
#include <asm-generic/errno-base.h>

#include "maps.bpf.h"

SEC("syscall")
int store_word(struct weir_store_word *store)
{
	struct weir_frontend frontend;
	struct weir_addr addr;
	__u32 *value = NULL;

	if (store->map == WEIR_STORE_IDENTITY) {
		addr = store->addr;
		value = bpf_map_lookup_elem(&identities, &addr);
	} else if (store->map == WEIR_STORE_FRONTEND) {
		frontend = store->frontend;
		value = bpf_map_lookup_elem(&frontends, &frontend);
	}
	if (!value)
		return -ENOENT;
	*(volatile __u32 *)value = store->value;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
