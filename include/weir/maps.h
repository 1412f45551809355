/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All maps in one table: bpf/maps.bpf.h defines them from it; user space creates, sizes, pins,
 * checks, counts and lists them from it. No other code states one of these facts.
 *
 * WEIR_MAPS(X): X(name, KIND, key type, value type, default entries, SIZES, KNOB, FULL, FILL, TEXT)
 * KIND:
 *   TABLE  hash, elements allocated one by one; written by user space, by diff
 *   TRIE   longest prefix match
 *   ARRAY  array, memory-mapped by user space
 *   FLOWS  hash, preallocated; written by packets
 *   STATE  array, written by packets and gc
 *   QUEUE  first in, first out
 *   PERCPU per-CPU array
 *   PROGS  programs, for tail calls
 *   RING   ring buffer; its size is in bytes
 *   RECENT  hash that evicts its least recently used element; written by packets
 *   SOCKETS a value for each socket that has one, kept by the kernel with the socket
 * SIZES: which sizes the programs can work with:
 *   ANY           all
 *   BITS(n)       up to 2^n: an index has n bits in a word, or a search has n steps
 *   POWER_OF_TWO  an index is masked with a value from config
 *   FIXED         only the default: the size is a constant of the programs
 * KNOB: which --scale-… option of load changes the default (enum weir_knob); FIXED maps have none.
 * FULL, FILL: enum weir_full, enum weir_fill; NAMES and EXTENTS take the kind of the name (enum
 *   weir_name_kind).
 * TEXT: what full means, for people.
 */
#pragma once

#include <weir/addr.h>
#include <weir/config.h>
#include <weir/event.h>
#include <weir/flow.h>
#include <weir/limits.h>
#include <weir/names.h>
#include <weir/pod.h>
#include <weir/policy.h>
#include <weir/programs.h>
#include <weir/reason.h>
#include <weir/service.h>
#include <weir/socket.h>
#include <weir/uplink.h>

#define WEIR_LAYOUT_VERSION 7 /* raised when a map is added, or its name, key or value changes */

#define WEIR_CONNTRACK_MAX \
	(256 * 1024) /* entries, and a gc slot for each; a translated flow needs two */
#define WEIR_HALF_OPEN_PARTS 8 /* half-open flows are bounded to 1/8 of the entries */
/*
 * Above half of a table, a pod that holds more than this part of it loses its own entries to its
 * new ones: half-open first, then echo and flows with this node, then closing; above 7/8 its least
 * recently used of those that a search visits too.
 */
#define WEIR_SHARE_PARTS 8

/* Groups of maps that one --scale-… option sizes, in percent of the default. */
enum weir_knob {
	WEIR_KNOB_NONE,
	WEIR_KNOB_TABLES,
	WEIR_KNOB_TRIES,
	WEIR_KNOB_ARRAYS,
	WEIR_KNOB_FLOWS,
	_WEIR_KNOB_MAX,
};

/* What happens to an insert when the map is full; the text of the row explains it. */
enum weir_full {
	WEIR_FULL_NEVER, /* cannot fill */
	WEIR_FULL_FORGET, /* evicts the oldest: it is full by design */
	WEIR_FULL_LOSE, /* the insert fails: a flow, a count or an event is lost */
	/*
	 * load closes policies (compile/fit.h), leaves out Services (compile/service_fit.h), or
	 * refuses the whole plan
	 */
	WEIR_FULL_REFUSE,
};

/* How the elements in use are counted. */
enum weir_fill {
	WEIR_FILL_KEYS, /* by walking the keys */
	WEIR_FILL_ALL, /* all are always in use */
	WEIR_FILL_UNCOUNTED, /* the kernel has no call for it */
	WEIR_FILL_NAMES, /* count the names of that kind */
	WEIR_FILL_EXTENTS, /* sum the extents of the names of that kind */
	WEIR_FILL_PODS, /* slots with a pod */
	WEIR_FILL_BACKENDS, /* elements that are taken */
	WEIR_FILL_BACKEND_EXTENTS, /* sum the extents that services lead to */
	WEIR_FILL_USED, /* elements that are marked used */
	WEIR_FILL_UNUSED, /* slots that gc_slots does not use */
};

/* clang-format off */
#define WEIR_MAPS(X) \
	X(attachments, TABLE, __u32, struct weir_attachment, 4096, ANY, TABLES, \
	  REFUSE, KEYS, "load fails and changes nothing") \
	X(pods, ARRAY, __u32, struct weir_pod, 1024, BITS(WEIR_SLOT_BITS), ARRAYS, \
	  REFUSE, PODS, "load fails and changes nothing") \
	X(uplinks, TABLE, __u32, struct weir_uplink, 1024, ANY, TABLES, \
	  REFUSE, KEYS, "load fails and changes nothing") \
	X(endpoints, TABLE, struct weir_addr, __u32, 8192, ANY, TABLES, \
	  REFUSE, KEYS, "load fails and changes nothing") \
	X(identities, TABLE, struct weir_addr, __u32, 262144, ANY, TABLES, \
	  REFUSE, KEYS, "the largest policies are closed until the rest fits") \
	X(networks, TRIE, struct weir_prefix, __u32, 65536, ANY, TRIES, \
	  REFUSE, KEYS, "the largest policies are closed until the rest fits") \
	X(policy_sets, ARRAY, __u32, __u64, 16384, BITS(24), ARRAYS, \
	  REFUSE, NAMES(POLICY_SET), "the largest policies are closed until the rest fits") \
	X(policy_rules, TABLE, struct weir_policy_key, __u64, 262144, ANY, TABLES, \
	  REFUSE, KEYS, "the largest policies are closed until the rest fits") \
	X(port_ranges, ARRAY, __u32, struct weir_port_range, 131072, BITS(WEIR_RANGE_BITS), ARRAYS, \
	  REFUSE, EXTENTS(PORT_SET), "the largest policies are closed until the rest fits") \
	X(frontends, TABLE, struct weir_frontend, __u64, 65536, ANY, TABLES, \
	  REFUSE, KEYS, "the Services that need the most are left out until the rest fits") \
	X(source_ranges, TRIE, struct weir_source_range, __u32, 65536, ANY, TRIES, \
	  REFUSE, KEYS, "the Services that need the most are left out until the rest fits") \
	X(services, ARRAY, __u32, struct weir_service, 32768, ANY, ARRAYS, \
	  REFUSE, NAMES(SERVICE), "the Services that need the most are left out until the rest fits") \
	X(backend_slots, ARRAY, __u32, __u64, 1048576, ANY, ARRAYS, \
	  REFUSE, BACKEND_EXTENTS, "the Services that need the most are left out until the rest fits") \
	X(backends, ARRAY, __u32, struct weir_backend, 131072, ANY, ARRAYS, \
	  REFUSE, BACKENDS, "the Services that need the most are left out until the rest fits") \
	X(nodes, TABLE, struct weir_addr, __u32, 16384, ANY, TABLES, \
	  REFUSE, KEYS, "load fails and changes nothing") \
	X(names, TABLE, struct weir_name, struct weir_name_id, 131072, ANY, TABLES, \
	  REFUSE, KEYS, "the largest policies are closed; if Services alone fill it, load fails and changes nothing") \
	X(config, ARRAY, __u32, struct weir_config, 1, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(conntrack, FLOWS, struct weir_tuple, struct weir_flow, WEIR_CONNTRACK_MAX, ANY, FLOWS, \
	  LOSE, KEYS, "evicts the oldest closing connection; if there is none, new connections are dropped as table-full") \
	X(gc_slots, STATE, __u32, struct weir_key_slot, WEIR_CONNTRACK_MAX, ANY, FLOWS, \
	  LOSE, USED, "same as conntrack") \
	X(gc_free, QUEUE, void, __u32, WEIR_CONNTRACK_MAX, ANY, FLOWS, \
	  NEVER, UNUSED, "cannot fill: it holds each slot once") \
	X(closing_keys, QUEUE, void, struct weir_tuple, 65536, ANY, FLOWS, \
	  FORGET, UNCOUNTED, "evicts the oldest; its connection then waits for gc") \
	X(flow_shares, STATE, __u32, struct weir_flow_share, WEIR_BUCKETS, FIXED, NONE, \
	  NEVER, ALL, "cannot fill: pods share the buckets") \
	X(rejects, STATE, __u32, __u64, WEIR_BUCKETS, FIXED, NONE, \
	  NEVER, ALL, "cannot fill: pods share the buckets") \
	X(fragments, STATE, __u32, struct weir_fragment_ring, \
	  WEIR_POD_BUCKETS * 2 + WEIR_FRAGMENT_OUTSIDE_RINGS, FIXED, NONE, \
	  FORGET, ALL, "evicts the pod's oldest; later fragments of its datagram are dropped as fragment-first") \
	X(counters, PERCPU, __u32, struct weir_counter, _WEIR_REASON_MAX, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(last_decision, PERCPU, __u32, struct weir_decision, 1, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(handoff, PERCPU, __u32, struct weir_handoff, 1, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(rule_hits, PERCPU, __u32, struct weir_hits, 16384, ANY, NONE, \
	  LOSE, NAMES(RULE), "further rules have no hit count") \
	X(set_hits, PERCPU, __u32, struct weir_hits, 4096, ANY, NONE, \
	  LOSE, NAMES(POLICY_SET), "further policy sets have no hit count") \
	X(events, RING, void, void, 1 << 19, POWER_OF_TWO, NONE, \
	  LOSE, UNCOUNTED, "further events are lost; observe reports how many") \
	X(event_shares, STATE, __u32, __u64, WEIR_BUCKETS * WEIR_EVENT_REASONS, FIXED, NONE, \
	  NEVER, ALL, "cannot fill: pods share the words") \
	X(event_counts, PERCPU, __u32, struct weir_event_count, _WEIR_REASON_MAX, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(tail_calls, PROGS, __u32, __u32, _WEIR_TAIL_CALL_MAX, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(watch, ARRAY, __u32, struct weir_watch, 1, FIXED, NONE, \
	  NEVER, ALL, "cannot fill") \
	X(affinity, RECENT, struct weir_affinity_key, struct weir_affinity, 65536, ANY, FLOWS, \
	  FORGET, KEYS, "evicts the least recently used: its client's next connection may get another endpoint") \
	X(sockets, SOCKETS, int, struct weir_socket, 0, FIXED, NONE, \
	  NEVER, UNCOUNTED, "cannot fill: each socket of the node holds its own; a process whose sockets have no memory left for it gets ENOMEM")
/* clang-format on */

enum weir_map {
#define WEIR_MAP_ENUM(name, ...) WEIR_MAP_##name,
	WEIR_MAPS(WEIR_MAP_ENUM)
#undef WEIR_MAP_ENUM
		_WEIR_MAP_MAX,
};
