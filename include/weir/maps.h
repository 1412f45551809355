/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All maps in one table: the BPF side defines them from it (bpf/maps.bpf.h),
 * user space sizes, pins, checks and lists them from it.
 *
 * WEIR_MAPS(X): X(name, KIND, key type, value type, default entries, "what full means")
 * KIND:
 *   TABLE  hash, elements allocated as they come; user space writes, by diff
 *   TRIE   longest prefix match
 *   ARRAY  array, memory-mapped by user space
 *   FLOWS  hash, preallocated; written by packets
 *   LRU    hash that forgets the least recently used; written by packets
 *   PLACES array, written by packets and the sweep
 *   QUEUE  first in first out
 *   PERCPU per-CPU array
 *   PROGS  programs that a program goes on in
 *   RING   ring buffer; its size is in bytes, a power of two and of whole pages
 * Sizes are defaults; the loader scales TABLE, TRIE, ARRAY and the
 * conntrack family by one knob each before the maps are made.
 */
#pragma once

#include <weir/config.h>
#include <weir/event.h>
#include <weir/reason.h>
#include <weir/types.h>

#define WEIR_CONNTRACK_MAX (256 * 1024) /* entries, and a place for each; a translated flow needs two */
#define WEIR_HALF_OPEN_MAX (32 * 1024) /* a power of two */

#define WEIR_MAPS(X)                                                                                              \
	X(attachments, TABLE, __u32, __u32, 4096, "load refuses: no slot for another pod")                        \
	X(pods, ARRAY, __u32, struct weir_pod, 1024, "load refuses: no slot for another pod")                     \
	X(endpoints, TABLE, struct weir_addr, __u32, 8192, "load refuses")                                        \
	X(identities, TABLE, struct weir_addr, __u32, 262144, "load refuses")                                     \
	X(networks, TRIE, struct weir_prefix, __u32, 65536, "load refuses")                                       \
	X(policy_sets, ARRAY, __u32, __u64, 16384, "load refuses")                                                \
	X(policy_rules, TABLE, struct weir_policy_key, __u64, 262144, "load refuses")                             \
	X(port_ranges, ARRAY, __u32, struct weir_port_range, 131072, "load refuses")                              \
	X(frontends, TABLE, struct weir_frontend, __u32, 65536, "load refuses")                                   \
	X(services, ARRAY, __u32, struct weir_service, 32768, "load refuses")                                     \
	X(backend_slots, ARRAY, __u32, __u64, 262144, "load refuses")                                             \
	X(backends, ARRAY, __u32, struct weir_backend, 131072, "load refuses")                                    \
	X(nodes, TABLE, struct weir_addr, __u32, 16384, "load refuses")                                           \
	X(names, TABLE, struct weir_name, struct weir_name_id, 131072, "load refuses")                            \
	X(config, ARRAY, __u32, struct weir_config, 1, "cannot fill")                                             \
	X(conntrack, FLOWS, struct weir_tuple, struct weir_flow, WEIR_CONNTRACK_MAX,                              \
	  "closing flows are reclaimed, oldest first; then new flows are dropped as table-full")                  \
	X(flow_keys, PLACES, __u32, struct weir_flow_key, WEIR_CONNTRACK_MAX, "as conntrack")                     \
	X(free_keys, QUEUE, void, __u32, WEIR_CONNTRACK_MAX, "cannot fill: it holds each place once")             \
	X(closing_keys, QUEUE, void, struct weir_tuple, 65536, "the oldest is forgotten and waits for the sweep") \
	X(half_open, PLACES, __u32, struct weir_flow_key, WEIR_HALF_OPEN_MAX, "the oldest half-open flow goes")   \
	X(rejects, PLACES, __u32, __u64, WEIR_REJECT_BUCKETS, "cannot fill: pods share the buckets")              \
	X(fragments, LRU, struct weir_fragment_key, struct weir_fragment, 4096,                                   \
	  "the oldest is forgotten, and its datagram's later fragments are dropped as fragment-first")            \
	X(counters, PERCPU, __u32, struct weir_counter, _WEIR_REASON_MAX, "cannot fill")                          \
	X(trace, PERCPU, __u32, struct weir_trace, 1, "cannot fill")                                              \
	X(handoff, PERCPU, __u32, struct weir_handoff, 1, "cannot fill")                                          \
	X(rule_hits, PERCPU, __u32, struct weir_hits, 16384, "further rules are not counted, get says so")        \
	X(set_hits, PERCPU, __u32, struct weir_hits, 4096, "further policy sets are not counted, get says so")    \
	X(events, RING, void, void, 1 << 19, "events are lost and counted, observe says how many")                \
	X(event_counts, PERCPU, __u32, struct weir_event_count, _WEIR_REASON_MAX, "cannot fill")                  \
	X(steps, PROGS, __u32, __u32, _WEIR_STEP_MAX, "cannot fill")                                              \
	X(watch, ARRAY, __u32, struct weir_watch, 1, "cannot fill")

enum weir_map {
#define WEIR_MAP_ENUM(name, ...) WEIR_MAP_##name,
	WEIR_MAPS(WEIR_MAP_ENUM)
#undef WEIR_MAP_ENUM
		_WEIR_MAP_MAX,
};
