/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the steps of one compilation share: peers in use, which pods and blocks they match, and
 * indexes from the plan back to the objects. Lives only inside plan_compile(). The steps, in order:
 *
 *   node_addrs.c  addresses of nodes
 *   services.c    services, backends, frontends
 *   locals.c      pods of this node, policies in force on them, their rules
 *   peers.c       distinct peers of those rules; named ports of egress rules
 *   matches.c     which pods each selector peer matches
 *   regions.c     which ipBlocks match in each region of the address space
 *   identities.c  addresses with equal matches share an identity
 *   sets.c        policy sets: identity -> word; word.c resolves ports into words
 */
#pragma once

#include "compile/hash.h"
#include "compile/ids.h"
#include "compile/plan.h"

/* A peer of rules in force, once however many rules have it. */
struct peer {
	struct plan_hash name;
	const struct kube_peer *peer;
	const char *ns; /* of the policy: where a podSelector alone looks (NP-18) */
	struct ids identities; /* that it matches */
};

/* A rule in force; index of plan->rules, 0 unused. */
struct rule {
	const struct kube_policy *policy;
	const struct kube_policy_rule *rule;
	bool any_peer; /* NP-12 */
	struct ids peers; /* indexes of peers[]; one that can match nothing is left out */
};

/* A policy that selects pods of this node. */
struct active {
	const struct kube_policy *policy;
	const char *text; /* "ns/name" */
	uint32_t first_rule[2]; /* by enum kube_direction; 0: not in force in that direction */
};

struct local_pod {
	const struct kube_pod *pod;
	struct ids policies; /* indexes of active[] */
};

/* (name, protocol) that an egress rule in force uses. */
struct port_name {
	const char *name;
	int proto;
	struct ids identities; /* that resolve it */
};

/* One pod's answer to a port name in use; a resolution is a sorted list of them. */
struct resolved {
	uint32_t name; /* index of port_names[] */
	uint16_t port;
};

struct resolution {
	struct resolved *items;
	size_t n;
};

/* What a pod is to selectors: namespace, and labels as far as any selector in use asks for them. */
struct pod_class {
	const struct kube_labels *labels; /* of one of its pods */
	uint32_t ns; /* index of store->namespaces */
	struct ids peers; /* that match */
};

/* A prefix of some ipBlock, and which blocks match an address that has no longer prefix. */
struct region {
	struct cidr cidr;
	uint32_t parent; /* PLAN_NONE: none */
	struct ids peers;
	uint32_t identity;
};

/* What an identity stands for; index as plan->identities. */
struct identity {
	struct plan_identity named;
	struct ids peers;
	uint32_t resolution;
};

struct build {
	struct plan *plan;
	const struct store *store;

	struct local_pod *locals; /* as plan->pods */
	struct active *actives;
	struct rule *rules; /* as plan->rules */
	struct peer *peers; /* sorted by name */
	struct port_name *port_names; /* sorted */
	struct pod_class *classes; /* 0: matched by no selector */
	uint32_t *class_of; /* by index of store->pods */
	struct resolution *resolutions; /* 0: nothing resolved */
	uint32_t *resolution_of; /* by index of store->pods; NULL without port names in use */
	struct region *regions; /* sorted by cidr; all of IPv4 is always one (NP-29) */
	struct identity *identities;
	size_t n_actives, cap_actives, n_peers, n_port_names, n_classes, cap_classes;
	size_t n_resolutions, cap_resolutions, n_regions, n_identities, cap_identities;
	struct arena arena; /* of what only the compilation needs */
	struct src last_src; /* see build_src() */
};

/* The plan's own copy of a position; the name of a file is kept once while it does not change. */
struct src build_src(struct build *b, const struct src *src);

void build_free(struct build *b); /* not the plan; also for _cleanup_() */

void build_node_addrs(struct build *b, const struct weir_addr *local, size_t n_local);
void build_services(struct build *b);
/* Of one Service and its slices, without frontends. */
void build_service(struct build *b, const struct kube_service *service,
		   struct kube_slice *const *slices, size_t n);
void build_locals(struct build *b); /* locals, actives, rules */
void build_peers(struct build *b);
void build_matches(struct build *b); /* classes */
void build_regions(struct build *b);
void build_identities(struct build *b);
void build_sets(struct build *b);

/* Name of a selector's content. */
struct plan_hash selector_name(const struct kube_selector *s);
bool prefix_holds(const struct cidr *outer, const struct cidr *inner);
/* Region of an address, PLAN_NONE outside of all. */
uint32_t region_find(const struct build *b, const struct weir_addr *addr);
/* Index of port_names[], PLAN_NONE when no egress rule in force uses it. */
uint32_t port_name_find(const struct build *b, const char *name, int proto);
