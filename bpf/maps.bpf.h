/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every map, defined from the table in include/weir/maps.h. The loader may change sizes before it
 * creates the maps; kinds and types are fixed.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <weir/maps.h>

#define MAP_TYPED(kind, flag_bits, key_type, value_type, entries) \
	__uint(type, kind);                                       \
	__uint(map_flags, flag_bits);                             \
	__uint(max_entries, entries);                             \
	__type(key, key_type);                                    \
	__type(value, value_type);

#define MAP_TABLE(k, v, n) MAP_TYPED(BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, k, v, n)
#define MAP_TRIE(k, v, n) MAP_TYPED(BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, k, v, n)
#define MAP_ARRAY(k, v, n) MAP_TYPED(BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, k, v, n)
#define MAP_FLOWS(k, v, n) MAP_TYPED(BPF_MAP_TYPE_HASH, 0, k, v, n)
#define MAP_RECENT(k, v, n) MAP_TYPED(BPF_MAP_TYPE_LRU_HASH, 0, k, v, n)
#define MAP_STATE(k, v, n) MAP_TYPED(BPF_MAP_TYPE_ARRAY, 0, k, v, n)
#define MAP_PERCPU(k, v, n) MAP_TYPED(BPF_MAP_TYPE_PERCPU_ARRAY, 0, k, v, n)
#define MAP_PROGS(k, v, n) MAP_TYPED(BPF_MAP_TYPE_PROG_ARRAY, 0, k, v, n)
/* A value for each socket that has one; it ends with the socket. */
#define MAP_SOCKETS(k, v, n) MAP_TYPED(BPF_MAP_TYPE_SK_STORAGE, BPF_F_NO_PREALLOC, int, v, n)
#define MAP_QUEUE(k, v, n)                \
	__uint(type, BPF_MAP_TYPE_QUEUE); \
	__uint(max_entries, n);           \
	__uint(key_size, 0);              \
	__uint(value_size, sizeof(v));

#define MAP_RING(k, v, n)                   \
	__uint(type, BPF_MAP_TYPE_RINGBUF); \
	__uint(max_entries, n);

#define MAP_DEFINE(name, kind, key, value, entries, ...) \
	struct {                                         \
		MAP_##kind(key, value, entries)          \
	} name SEC(".maps");

WEIR_MAPS(MAP_DEFINE)

/* A word that user space or another CPU stores: read once, as one word. */
#define READ_WORD(x) (*(const volatile __typeof__(x) *)&(x))

static __always_inline struct weir_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}
