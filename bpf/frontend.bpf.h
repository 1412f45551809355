/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frontends, and the choice of a backend: the same for packets (service.bpf.h) and for sockets of
 * the node (sock.bpf.c). Knows neither.
 */
#pragma once

#include "maps.bpf.h"

/*
 * The node port at that port and protocol, if the key's address is one of this node that serves
 * node ports (SVC-36, SVC-63). Changes the key.
 */
static __always_inline __u64 *find_node_port(struct weir_frontend *key, __be16 port_be, __u8 proto)
{
	__u32 *kind = bpf_map_lookup_elem(&nodes, &key->addr);

	if (!kind || !(READ_WORD(*kind) & WEIR_NODE_PORTS))
		return NULL;
	if (weir_addr_is_v4(&key->addr))
		key->addr.w[3] = 0;
	else
		key->addr = (struct weir_addr){};
	key->port_be = port_be;
	key->proto = proto;
	key->scope = WEIR_SCOPE_NODE_PORT;
	return bpf_map_lookup_elem(&frontends, key);
}

/*
 * The word of the frontend at the address, port and protocol of a key (weir_frontend_word()).
 * Service 0: a known cluster IP without that port. -1: no frontend. An address goes before a node
 * port (SVC-7). Changes the key.
 */
static __always_inline __s64 frontend_word(struct weir_frontend *key)
{
	__be16 port_be = key->port_be;
	__u8 proto = key->proto;
	__u64 *word;

	key->scope = WEIR_SCOPE_ADDRESS;
	word = bpf_map_lookup_elem(&frontends, key);
	if (!word) {
		key->port_be = 0;
		key->proto = 0;
		word = bpf_map_lookup_elem(&frontends, key);
	}
	if (!word)
		word = find_node_port(key, port_be, proto);
	return word ? (__s64)READ_WORD(*word) : -1;
}

/* May this source begin a connection to a load balancer address of the service (SVC-51)? */
static __always_inline int source_allowed(__u32 service, const struct weir_addr *src)
{
	struct weir_source_range key = { .prefix_len = WEIR_SOURCE_RANGE_BITS + 128,
					 .service = service,
					 .addr = *src };

	return bpf_map_lookup_elem(&source_ranges, &key) != NULL;
}

/*
 * The list for a client of this node, a pod or the node itself: external frontends have the short
 * circuit's (SVC-35).
 */
static __always_inline enum weir_list list_for_node(__s64 word)
{
	return weir_frontend_flags(word) & WEIR_FRONTEND_EXTERNAL ? WEIR_LIST_SHORT
								  : WEIR_LIST_INTERNAL;
}

/* id of its service port; -1: no frontend. */
static __always_inline __s64 frontend_service(__s64 word)
{
	return word < 0 ? word : (__s64)weir_frontend_service(word);
}

/* Constant offsets: the verifier does not follow an index into the value. */
static __always_inline __u64 extent_of(const struct weir_service *service, enum weir_list list)
{
	switch (list) {
	case WEIR_LIST_INTERNAL:
		return READ_WORD(service->extents[WEIR_LIST_INTERNAL]);
	case WEIR_LIST_EXTERNAL:
		return READ_WORD(service->extents[WEIR_LIST_EXTERNAL]);
	default:
		return READ_WORD(service->extents[WEIR_LIST_SHORT]);
	}
}

/* ---- Session affinity (SVC-70 to SVC-78) ---- */

#define AFFINITY_NS_PER_S 1000000000ull

/* Is the record's backend still the one that it was, and in that list (SVC-74)? */
static __always_inline int affinity_stands(const struct weir_affinity *record, __u32 service,
					   enum weir_list list)
{
	__u32 id = record->backend;
	struct weir_backend *b = bpf_map_lookup_elem(&backends, &id);

	return b && b->service == service && READ_WORD(b->generation) == record->generation &&
	       READ_WORD(b->flags) & WEIR_BACKEND_LISTED << list;
}

/* Notes the backend of a new connection. */
static __always_inline void affinity_note(const struct weir_affinity_key *key,
					  struct weir_affinity *record)
{
	__u32 id = record->backend;
	struct weir_backend *b = bpf_map_lookup_elem(&backends, &id);

	if (!b)
		return;
	record->generation = READ_WORD(b->generation);
	bpf_map_update_elem(&affinity, key, record, BPF_ANY); /* full: an older one goes */
}

/*
 * For a service port with session affinity: *backend, chosen for a new connection, becomes that of
 * the client's last connection if its time is not over, and is noted for the next one. Only new
 * connections move the time (SVC-71).
 */
static __noinline int affinity_use(const struct weir_affinity_key *key,
				   const struct weir_service *service, enum weir_list list,
				   __u32 *backend)
{
	struct weir_affinity record = { .used_ns = bpf_ktime_get_ns(), .backend = *backend };
	struct weir_affinity *known = bpf_map_lookup_elem(&affinity, key);
	__u64 time = READ_WORD(service->affinity_s) * AFFINITY_NS_PER_S;

	record.count = READ_WORD(service->flags) >> WEIR_AFFINITY_COUNT_SHIFT;
	if (known && known->count == record.count && record.used_ns - known->used_ns < time &&
	    affinity_stands(known, key->service, list)) {
		known->used_ns = record.used_ns;
		*backend = known->backend;
		return 0;
	}
	affinity_note(key, &record);
	return 0;
}

/*
 * Chooses a backend of a service port from a list. key: the client of session affinity. hash:
 * evenly distributed; the same one gets the same backend while the extent is unchanged. FORWARDED,
 * or why there is none (SVC-60 to SVC-62).
 */
static __always_inline enum weir_reason service_choose(const struct weir_affinity_key *key,
						       enum weir_list list, __u32 hash,
						       __u32 *ret_backend)
{
	__u32 id = key->service, at;
	struct weir_service *service = bpf_map_lookup_elem(&services, &id);
	__u64 extent, *backend;

	if (!service)
		return WEIR_INTERNAL;
	extent = extent_of(service, list);
	if (!weir_extent_len(extent))
		return READ_WORD(service->flags) & WEIR_SERVICE_USABLE ? WEIR_NO_LOCAL_ENDPOINT
								       : WEIR_NO_ENDPOINT;
	at = weir_extent_offset(extent) + (__u32)((__u64)hash * weir_extent_len(extent) >> 32);
	backend = bpf_map_lookup_elem(&backend_slots, &at);
	if (!backend)
		return WEIR_INTERNAL;
	*ret_backend = READ_WORD(*backend);
	if (READ_WORD(service->affinity_s))
		affinity_use(key, service, list, ret_backend);
	return WEIR_FORWARDED;
}

/*
 * Does that backend still serve that service port since it had that generation (SVC-91)? The flag
 * too: the old list of slots may have been combined with the generation of the end.
 */
static __always_inline int backend_serves(__u32 id, __u32 generation, __s64 service)
{
	struct weir_backend *b = bpf_map_lookup_elem(&backends, &id);

	return b && b->service == service && READ_WORD(b->generation) == generation &&
	       READ_WORD(b->flags) & WEIR_BACKEND_SERVING;
}
