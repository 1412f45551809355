/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The plan: the wanted contents of one node's kernel tables, in symbols. Each item is named by the
 * hash of its content or by its structural key; user/sync/bind.c assigns the numbers. The same
 * objects give the same bytes, whatever the order of input. References inside a plan are indexes of
 * its own arrays.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/config.h>
#include <weir/maps.h>
#include <weir/names.h>
#include <weir/policy.h>
#include <weir/service.h>

#include "base/addr.h"
#include "base/diag.h"
#include "kube/objects.h"
#include "kube/store.h"

#define PLAN_NONE 0xffffffffu

struct plan_hash {
	unsigned char b[16];
};

/* A rule that verdicts are attributed to. Rule 0 is a placeholder: default deny, or no policy. */
struct plan_rule {
	struct plan_hash name; /* of policy ns/name, direction, index */
	const char *policy; /* "ns/name" */
	enum kube_direction direction;
	unsigned int index; /* in spec.ingress or spec.egress */
	struct src src;
};

/* The symbolic form of a policy word (include/weir/policy.h). */
struct plan_word {
	enum weir_word_kind kind;
	uint32_t rule; /* DENY, ALLOW: index of rules[] */
	uint32_t ports; /* PORTS: index of port_sets[] */
};

/*
 * Spans several protocols where a rule without ports allows (NP-13). PORTS: the verdicts of these
 * points are in another port set, whose ranges are all of the other kinds.
 */
struct plan_range {
	uint32_t low, high; /* weir_port_point(), inclusive */
	struct plan_word word;
};

/* Sorted, disjoint, attributed to the first allowing rule by (policy ns/name, index). */
struct plan_port_set {
	struct plan_hash name;
	struct plan_range *ranges;
	size_t n_ranges;
	bool refers; /* to another port set */
};

struct plan_element {
	uint32_t identity; /* index of identities[] */
	struct plan_word word;
};

/*
 * The compiled rules of one direction. Set 0 is a placeholder: not isolated, everything allowed.
 */
struct plan_set {
	struct plan_hash name; /* of its rules' peers and ports; independent of identities */
	enum kube_direction direction;
	struct plan_word default_word; /* of rules without peers, or deny */
	/* sorted by identity; only those that differ from default_word */
	struct plan_element *elements;
	size_t n_elements;
	const char **policies; /* "ns/name" of the policies that it was compiled from, sorted */
	size_t n_policies;
};

/* Identity 0 is a placeholder: no peer in use matches, no named port in use resolves. */
struct plan_identity {
	/* of the peers in use that match, and of what the named ports in use resolve to */
	struct plan_hash name;
	const char *text; /* for people: one of its members, e.g. "default/web" or "10.0.0.0/8" */
};

/*
 * Address -> identity. len 128: an element of the identities hash; shorter: of the networks trie.
 */
struct plan_address {
	struct cidr cidr;
	uint32_t identity;
	bool pod; /* a pod's address; only where the longest prefix gives another identity */
	uint32_t parent; /* index of the next shorter prefix that holds it, PLAN_NONE: none */
};

/* A pod of this node. */
struct plan_pod {
	const char *ns, *name, *uid;
	struct weir_addr addr[2]; /* zero: none, or another pod holds it now (NP-56) */
	/* by family, as addr: an ipBlock may match only one address of a dual-stack pod (NP-29) */
	uint32_t identity[2];
	uint32_t ingress_set, egress_set; /* indexes of sets[]; 0: not isolated */
	bool any_sender, tunnels; /* as in struct kube_pod; for the oracle only */
	bool deleting; /* it has a deletionTimestamp: its device may be gone already */
	struct src src;
};

/* An address of a pod of this node. */
struct plan_pod_addr {
	struct weir_addr addr;
	uint32_t pod; /* index of pods[] */
};

/* One endpoint of one service port. Its name: service, address and port. */
struct plan_backend {
	uint32_t service;
	struct weir_addr addr;
	uint16_t port; /* host order */
	bool serving; /* SVC-91: stays known while serving, candidate or not */
	bool local; /* on this node (SVC-17) */
};

/* Candidates: indexes of backends[], sorted by address, port. */
struct plan_list {
	uint32_t *items;
	size_t n;
};

/*
 * One service port in one family. Service 0 is a placeholder: a known cluster IP without that port.
 */
struct plan_service {
	struct plan_hash name; /* of (ns, name, port name, protocol, family) (SVC-5) */
	const char *ns, *service, *port_name;
	uint8_t proto;
	int family;
	bool external; /* it has frontends beside the cluster IP; else only the first list is used
			*/
	struct plan_list lists[_WEIR_LIST_MAX]; /* by enum weir_list */
	/* the sources that may use its load balancer addresses, sorted; none: all (SVC-50) */
	struct cidr *ranges;
	size_t n_ranges;
	uint32_t flags; /* enum weir_service_flag */
	uint32_t affinity_s; /* sessionAffinity ClientIP; 0: none */
	struct src src;
};

/* Bits: one Service may give an address twice. */
enum plan_frontend_kind {
	PLAN_CLUSTER_IP = 1 << 0,
	PLAN_NODE_PORT = 1 << 1,
	PLAN_EXTERNAL_IP = 1 << 2,
	PLAN_LOAD_BALANCER = 1 << 3,
};

struct plan_frontend {
	struct weir_addr addr; /* of a node port: plan_unspecified() */
	uint16_t port; /* host order; 0 with proto 0: the known-cluster-IP element */
	uint8_t proto;
	uint8_t scope; /* enum weir_frontend_scope */
	uint8_t kinds; /* enum plan_frontend_kind */
	uint8_t flags; /* enum weir_frontend_flag */
	uint32_t service; /* index of services[] */
};

struct plan_node_addr {
	struct weir_addr addr;
	enum weir_node_kind kind; /* OWN or OTHER */
	bool node_ports; /* OWN: serves node ports (SVC-36) */
};

/*
 * Which addresses of the node serve node ports (SVC-36): its primary ones, those in blocks, and in
 * a family without a block all.
 */
struct plan_node_ports {
	bool primary; /* then there are no blocks */
	const struct cidr *blocks;
	size_t n_blocks;
};

/*
 * A direction of a policy that does not fit (fit.h). Its pods have a set whose default word is
 * WEIR_WORD_CLOSED.
 */
struct plan_closed {
	const char *policy; /* "ns/name" */
	enum kube_direction direction;
	enum weir_map table; /* _WEIR_MAP_MAX: the work of compiling is bounded */
	/* of the table, by all policies and in all; need <= size: no room beside old entries */
	uint64_t need, size;
};

/* A Service that does not fit, and is not served (service_fit.h). */
struct plan_left_out {
	const char *service; /* "ns/name" */
	/* its cluster IPs are known: packets to them are refused as no-service-port */
	bool known;
	enum weir_map table; /* _WEIR_MAP_MAX: the work of compiling is bounded */
	/* of the table, by all Services; need <= size: no room beside old entries */
	uint64_t need, size;
	const struct plan_frontend *frontends; /* that it would have, sorted; without known ones */
	size_t n_frontends;
};

/* Both, of a plan that is to be made again. Frontends are not read. */
struct plan_unfit {
	struct plan_closed *closed;
	struct plan_left_out *left_out;
	size_t n_closed, n_left_out;
};

struct plan {
	struct arena arena; /* owns everything below */
	const char *node; /* the tables are this node's */
	bool echo_always; /* echo requests and replies pass every policy (NP-38) */
	/* UDP ports of the node's tunnels, as weir_config.overlay_ports */
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
	struct plan_rule *rules; /* sorted by (policy, direction, index) */
	/* sorted by name; first those that refer to no other */
	struct plan_port_set *port_sets;
	struct plan_identity *identities; /* sorted by name after element 0 */
	struct plan_address *addresses; /* sorted by cidr */
	struct plan_set *sets; /* sorted by name after element 0 */
	struct plan_pod *pods; /* sorted by ns, name */
	struct plan_pod_addr *pod_addrs; /* sorted by addr */
	/* sorted by (ns, service, port_name, proto, family) after element 0 */
	struct plan_service *services;
	struct plan_backend *backends; /* sorted by (service, addr, port) */
	struct plan_frontend *frontends; /* sorted by (scope, addr, port, proto) */
	struct plan_node_addr *node_addrs; /* sorted */
	struct plan_closed *closed; /* sorted by policy, direction */
	struct plan_left_out *left_out; /* sorted by namespace, name */
	size_t n_rules, n_port_sets, n_identities, n_addresses, n_sets, n_pods;
	size_t n_services, n_backends, n_frontends, n_node_addrs, n_pod_addrs, n_closed;
	size_t n_left_out;
	struct diag_list notes; /* hints (NP-22), conflicts (SVC-7), what does not fit */
};

struct plan_input {
	const struct store *store;
	const char *node; /* compile its plan; no Node object needs to have that name */
	/* further addresses of this node (bridges, tunnels: NP-41); may be NULL */
	const struct weir_addr *local_addrs;
	size_t n_local_addrs;
	bool echo_always; /* NP-38 */
	struct plan_node_ports node_ports;
	/* WEIR_OVERLAY_WORDS words, as weir_config.overlay_ports; NULL: none */
	const uint64_t *overlay_ports;
	/*
	 * sizes of tables that policies and Services must fit, by enum weir_map; NULL or 0: the
	 * default of maps.h
	 */
	const uint32_t *sizes;
	/* left out from the start: to make the plan again that was loaded; may be NULL */
	const struct plan_unfit *unfit;
};

/* Pure. Never fails: decoding has refused invalid input, or made it match nothing. */
struct plan *plan_compile(const struct plan_input *in);
/*
 * The part of a plan that a change of endpoints touches: the ports of one Service and their
 * backends, from its slices alone, without frontends, pods or policy. Its cost does not depend on
 * the size of the cluster (user/sync/session.h).
 */
struct plan *plan_compile_service(const struct plan_input *in, const struct kube_service *service,
				  struct kube_slice *const *slices, size_t n);
void plan_free(struct plan **p); /* also for _cleanup_() */
uint32_t plan_default_size(enum weir_map table);
uint32_t plan_size_of(const uint32_t *sizes, enum weir_map table); /* sizes: of plan_input */
const char *plan_table_name(enum weir_map table); /* NULL for _WEIR_MAP_MAX */

struct plan_unfit plan_unfit_of(const struct plan *p); /* borrowed */
bool plan_is_left_out(const struct plan *p, const char *ns, const char *service);
size_t plan_unfit_count(const struct plan_unfit *u);
void plan_unfit_free(struct plan_unfit *u); /* the lists; also for _cleanup_() */
/*
 * "all policies need 70 entries of map networks, of 50": of "policies" or "Services", the rest as
 * in plan_closed. The caller frees it.
 */
char *plan_needs_text(const char *of, enum weir_map table, uint64_t need, uint64_t size);

/*
 * The whole plan as JSON (`weir compile`, /run/weir/plan-N). Deterministic bytes; ends with a
 * newline.
 */
void plan_write_json(const struct plan *p, FILE *out);

/* ---- Look-ups ---- */

#define PLAN_HASH_TEXT_MAX 33

/* 32 hex digits; writes PLAN_HASH_TEXT_MAX bytes to buf and returns it. */
const char *plan_hash_text(const struct plan_hash *h, char *buf);
int plan_hash_compare(const struct plan_hash *a, const struct plan_hash *b);

const struct plan_pod *plan_find_pod(const struct plan *p, const char *ns, const char *name);
/* Index of services[], 0 when there is none. */
uint32_t plan_find_service(const struct plan *p, const char *ns, const char *service,
			   const char *port_name, int proto, int family);
/*
 * Elements of the list's extent. External frontends choose by a Maglev table (compile/maglev.h), so
 * that all nodes choose alike; cluster IPs by the list itself.
 */
uint32_t plan_list_slots(const struct plan_service *s, int list);
/* Fills ret_slots[plan_list_slots()] with indexes of backends[]. */
void plan_list_fill(const struct plan *p, const struct plan_service *s, int list,
		    uint32_t *ret_slots);
/* The first list of a service whose extent has the contents of this one's: they share it. */
int plan_list_first(const struct plan_service *s, int list);
uint32_t plan_service_slots(const struct plan_service *s); /* of its extents */
/* Exact match or NULL; port 0 with proto 0: is addr a known cluster IP? */
const struct plan_frontend *plan_find_frontend(const struct plan *p, const struct weir_addr *addr,
					       uint16_t port, uint8_t proto);
/* Index of rules[], 0 when no policy in force on this node has that rule. */
uint32_t plan_find_rule(const struct plan *p, const char *policy, enum kube_direction direction,
			unsigned int index);
/* The word of an identity in a set: its element's, or the default word. */
const struct plan_word *plan_set_word(const struct plan_set *set, uint32_t identity);
/* The range that has the verdict on a point, in the port set or one that it refers to, or NULL. */
const struct plan_range *plan_find_range(const struct plan *p, uint32_t port_set, uint32_t point);
/* The rule of the first range of a port set, in itself or where it refers to. */
uint32_t plan_first_rule(const struct plan *p, uint32_t port_set);
/* By what a packet matches: scope, address, port, protocol. */
int plan_frontend_compare(const struct plan_frontend *a, const struct plan_frontend *b);
/* The frontend of a packet from a pod of this node, or a known cluster IP, or NULL. */
const struct plan_frontend *plan_match_frontend(const struct plan *p, const struct weir_addr *addr,
						uint16_t port, uint8_t proto);
const char *plan_frontend_kind_text(enum plan_frontend_kind kind); /* "ClusterIP"; of one bit */
/* ::ffff:0.0.0.0 or ::, the address of node ports. */
struct weir_addr plan_unspecified(int family);
/* WEIR_NODE_OWN, WEIR_NODE_OTHER, or 0. */
int plan_node_kind(const struct plan *p, const struct weir_addr *addr);
/* Index of identities[]: the pod's address if it has an element, else the longest prefix. */
uint32_t plan_identity(const struct plan *p, const struct weir_addr *addr);
/* Pod of this node with that address, or NULL. */
const struct plan_pod *plan_find_local_pod(const struct plan *p, const struct weir_addr *addr);
