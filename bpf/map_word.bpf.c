// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Stores one word in place in a live hash element. bpf(2) cannot: its update of an existing element
 * replaces the element, and a concurrent reader may miss it (docs/design.md, "Atomic from the
 * packet's view"). Run by BPF_PROG_RUN.
 */
#include <asm-generic/errno-base.h>

#include "maps.bpf.h"

static __always_inline int store32(void *map, const void *key, __u32 value)
{
	__u32 *live = bpf_map_lookup_elem(map, key);

	if (!live)
		return -ENOENT;
	*(volatile __u32 *)live = value;
	return 0;
}

static __always_inline int store64(void *map, const void *key, __u64 value)
{
	__u64 *live = bpf_map_lookup_elem(map, key);

	if (!live)
		return -ENOENT;
	*(volatile __u64 *)live = value;
	return 0;
}

SEC("syscall")
int store_word(struct weir_store_word *store)
{
	struct weir_frontend frontend;
	struct weir_addr addr;

	if (store->map == WEIR_STORE_FRONTEND) {
		frontend = store->frontend;
		return store64(&frontends, &frontend, store->value);
	}
	addr = store->addr;
	if (store->map == WEIR_STORE_IDENTITY)
		return store32(&identities, &addr, store->value);
	if (store->map == WEIR_STORE_NODE)
		return store32(&nodes, &addr, store->value);
	return -ENOENT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
