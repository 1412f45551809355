/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services: which one a destination belongs to, and which backend a new flow gets. Called for new
 * flows from pods, and for UDP flows after a change of services (SVC-91); never for a packet of a
 * current flow.
 */
#pragma once

#include "frontend.bpf.h"
#include "packet.bpf.h"

/*
 * Looks up the frontend at s->frontend, whose address and port are set. 1: s->frontend_word is its
 * word, of service 0 for a known cluster IP without that port. 0: no frontend.
 */
__noinline int service_find(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	__s64 word;

	keep_arg(skb);
	if (!s)
		return 0;
	s->frontend.proto = s->pkt.proto;
	word = frontend_word(&s->frontend);
	s->frontend_word = word;
	return word >= 0;
}

static __always_inline __u32 mix(__u32 h, __u32 word)
{
	h ^= word * 0xcc9e2d51;
	h = (h << 13 | h >> 19) * 5 + 0xe6546b64;
	return h;
}

/*
 * Hash of the flow as the client sent it: the same flow gets the same backend while the extent is
 * unchanged, also after its entry was lost (docs/design.md, "Mid-stream"). Not keyed: a client can
 * only choose its own backend.
 */
static __always_inline __u32 flow_hash(const struct pkt *pkt)
{
	__u32 h = pkt->proto;

	for (int i = 0; i < 4; i++) {
		h = mix(h, pkt->src.w[i]);
		h = mix(h, pkt->dst.w[i]);
	}
	h = mix(h, (__u32)pkt->sport_be << 16 | pkt->dport_be);
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/* The client is its own backend (SVC-84): it sees the reserved address as its peer. */
static __always_inline enum weir_reason use_hairpin(struct scratch *s)
{
	struct weir_config *c = config_get();

	if (!c)
		return WEIR_INTERNAL;
	s->route.src = s->pkt.v6 ? c->hairpin[1] : c->hairpin[0];
	s->flow_flags |= WEIR_FLOW_HAIRPIN;
	return WEIR_FORWARDED;
}

/*
 * ref of the local pod that a backend is, or 0. The backend remembers the pod's slot, which saves a
 * hash look-up.
 */
static __always_inline __u32 backend_ref(struct weir_backend *b)
{
	__u32 slot = b->slot_hint, ref;
	struct weir_pod *pod = bpf_map_lookup_elem(&pods, &slot);

	if (pod && (weir_addr_equal(&pod->addr[0], &b->addr) ||
		    weir_addr_equal(&pod->addr[1], &b->addr))) {
		ref = READ_WORD(pod->ref);
		if (ref)
			return ref;
	}
	ref = pod_ref_by_addr(&b->addr);
	if (ref)
		b->slot_hint = weir_ref_slot(ref);
	return ref;
}

/* Puts the chosen backend into s->route and s->backend*. */
static __always_inline enum weir_reason use_backend(struct scratch *s, __u32 id)
{
	struct weir_backend *b = bpf_map_lookup_elem(&backends, &id);

	if (!b)
		return WEIR_INTERNAL;
	s->backend = id;
	s->backend_generation = READ_WORD(b->generation);
	s->route.dst = b->addr;
	s->route.dport_be = b->port_be;
	s->flow_flags |= WEIR_FLOW_TRANSLATED | WEIR_FLOW_SERVICE;
	s->query.dst_ref = backend_ref(b);
	if (s->flow_flags & WEIR_FLOW_OUTSIDE) /* its source is no pod's */
		return WEIR_FORWARDED;
	return weir_addr_equal(&b->addr, &s->pkt.src) ? use_hairpin(s) : WEIR_FORWARDED;
}

/* Picks a backend of a list, or says why there is none (SVC-60 to SVC-62). */
static __always_inline enum weir_reason service_pick(struct scratch *s, __u32 id,
						     enum weir_list list)
{
	struct weir_affinity_key key = { .service = id, .client = s->pkt.src };
	__u32 backend = 0;
	enum weir_reason why = service_choose(&key, list, flow_hash(&s->pkt), &backend);

	return why ? why : use_backend(s, backend);
}

/*
 * A new flow from a pod: picks a backend if a Service has the destination. FORWARDED without
 * WEIR_FLOW_SERVICE in s->flow_flags: no Service. The client is a pod of this node, so external
 * frontends give it the short circuit's list (SVC-35); clients outside get WEIR_LIST_EXTERNAL.
 */
__noinline int service_translate(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;
	__u32 id, flags;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	s->frontend.addr = s->pkt.dst;
	s->frontend.port_be = s->pkt.dport_be;
	if (!service_find(skb))
		return WEIR_FORWARDED;
	id = weir_frontend_service(s->frontend_word);
	flags = weir_frontend_flags(s->frontend_word);
	if (!id)
		return WEIR_NO_SERVICE_PORT;
	s->decision.service = id;
	if (flags & WEIR_FRONTEND_RANGES &&
	    !source_allowed(id, &s->pkt.src)) /* before SVC-60: SVC-55 */
		return WEIR_SOURCE_RANGE;
	why = service_pick(s, id, list_for_node(s->frontend_word));
	s->decision.backend = s->backend;
	return why;
}

/* Puts the destination of the first packet of the flow at s->key into s->frontend. */
static __always_inline void original_destination(struct scratch *s, const struct weir_flow *flow)
{
	const struct weir_tuple *key = &s->key;
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;

	if (flow->flags & WEIR_FLOW_REPLY) {
		s->frontend.addr = flow->nat_addr;
		s->frontend.port_be = flow->nat_port_be;
	} else {
		s->frontend.addr = client ? key->addr[0] : key->addr[1];
		s->frontend.port_be = client ? key->port_be[0] : key->port_be[1];
	}
}

/*
 * Does a change of services end this UDP flow? It does if its destination now belongs to another
 * service port, or if its backend stopped serving, even if no other backend serves (docs/design.md,
 * table of epochs; SVC-91, SVC-92).
 */
static __always_inline int service_moved(struct __sk_buff *skb, struct scratch *s,
					 const struct weir_flow *flow)
{
	__u32 backend_id = flow->backend;
	int found;

	original_destination(s, flow);
	found = service_find(skb);
	if (!found || !(flow->flags & WEIR_FLOW_SERVICE))
		return found || flow->flags & WEIR_FLOW_SERVICE;
	return !backend_serves(backend_id, flow->backend_generation,
			       weir_frontend_service(s->frontend_word));
}

/* Did the backend of a translated flow stop serving since the flow began? */
static __always_inline int backend_gone(const struct weir_flow *flow)
{
	__u32 id = flow->backend;
	struct weir_backend *b;

	if (!(flow->flags & WEIR_FLOW_SERVICE))
		return 0;
	b = bpf_map_lookup_elem(&backends, &id);
	return !b || READ_WORD(b->generation) != flow->backend_generation;
}
