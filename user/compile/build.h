/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * State that the steps of one compilation share: peers in use, the pods and blocks that they match,
 * and indexes from the plan back to the objects. It lives only inside plan_compile(). The steps, in
 * order:
 *
 *   node_addrs.c  addresses of nodes
 *   services.c    services, backends, frontends; Services that do not fit are left out
 *   locals.c      pods of this node, policies in force on them, their rules
 *   peers.c       distinct peers of those rules; named ports of egress rules
 *   matches.c     classes of pods; later the classes that each selector peer matches
 *   regions.c     the ipBlocks that match in each region of the address space
 *   identities.c  one identity for all addresses with equal matches
 *   sets.c        policy sets: identity -> word; word.c resolves ports into words, port_sets.c
 *                 keeps them
 *   fit_work.c    policies that cost too much work give way; then all steps again
 *   fit.c         the same for those that do not fit the tables
 *   closed.c      what gave way, into the plan
 */
#pragma once

#include "compile/fit.h"
#include "compile/hash.h"
#include "compile/ids.h"
#include "compile/plan.h"

/* A distinct peer of the rules in force. */
struct peer {
	struct plan_hash name;
	const struct kube_peer *peer;
	const char *ns; /* of the policy: a podSelector alone matches only there (NP-18) */
	struct ids identities; /* that it matches */
	uint64_t tries; /* of a selector: classes to try, as the number of simple tests */
};

/* A rule in force; index of plan->rules, 0 unused. */
struct rule {
	const struct kube_policy *policy;
	const struct kube_policy_rule *rule;
	uint32_t active; /* index of actives[] */
	bool any_peer; /* NP-12 */
	struct ids peers; /* indexes of peers[], without those that can match nothing */
};

/* A policy that selects pods of this node. */
struct active {
	const struct kube_policy *policy;
	const char *text; /* "ns/name" */
	uint32_t first_rule[2]; /* by enum kube_direction; 0: not in force in that direction */
	bool closed[2]; /* in force, but without its rules: it does not fit */
};

struct local_pod {
	const struct kube_pod *pod;
	struct ids policies; /* indexes of active[] */
};

/* (name, protocol) that an egress rule in force uses. */
struct port_name {
	const char *name;
	int proto;
	struct ids identities; /* of pods that declare it */
};

/* A port name in use and its number on one pod; a resolution is a sorted list of these. */
struct resolved {
	uint32_t name; /* index of port_names[] */
	uint16_t port;
};

struct resolution {
	struct resolved *items;
	size_t n;
};

/* Pods that no selector in use tells apart: equal namespace, equal labels of the keys in use. */
struct pod_class {
	const struct kube_labels *labels; /* of one of its pods */
	uint32_t ns; /* index of store->namespaces */
	struct ids peers; /* that match */
};

/* A prefix of some ipBlock, and the blocks that match an address with no longer prefix. */
struct region {
	struct cidr cidr;
	uint32_t parent; /* PLAN_NONE: none */
	struct ids peers;
	uint32_t identity;
};

/* What an identity is made of; index as plan->identities. */
struct identity {
	struct plan_identity named;
	struct ids peers;
	uint32_t resolution;
};

struct build {
	struct plan *plan;
	const struct store *store;
	const struct closed_list *closed;

	struct local_pod *locals; /* as plan->pods */
	struct active *actives;
	struct rule *rules; /* as plan->rules */
	struct peer *peers; /* sorted by name */
	struct port_name *port_names; /* sorted */
	struct pod_class *classes; /* 0: matched by no selector */
	uint32_t *class_of; /* by index of store->pods */
	struct resolution *resolutions; /* 0: nothing resolved */
	uint32_t *resolution_of; /* by index of store->pods; NULL without port names in use */
	struct region *regions; /* sorted by cidr; one of them is all of IPv4 (NP-29) */
	struct identity *identities;
	size_t n_actives, cap_actives, n_peers, n_port_names, n_classes, cap_classes;
	size_t n_resolutions, cap_resolutions, n_regions, n_identities, cap_identities;
	struct matcher *matcher; /* between both steps of matches.c */
	struct arena arena; /* freed with the build */
	struct src last_src; /* see build_src() */
};

/* The plan's own copy of a position. Consecutive positions in one file share its name. */
struct src build_src(struct build *b, const struct src *src);

void build_free(struct build *b); /* without the plan; also for _cleanup_() */

void build_node_addrs(struct build *b, const struct plan_input *in);
void build_services(struct build *b, const struct plan_input *in);
/* One Service and its slices, without frontends. */
void build_service(struct build *b, const struct kube_service *service,
		   struct kube_slice *const *slices, size_t n);
void build_locals(struct build *b); /* locals, actives, rules */
void build_peers(struct build *b);
void build_classes(struct build *b); /* classes, and how many each peer is tried on */
void build_matches(struct build *b); /* which ones match */
void matches_free(struct build *b);
void build_regions(struct build *b);
void build_identities(struct build *b);
void build_sets(struct build *b);
void build_closed(struct build *b); /* plan->closed, with an error for each */

/* Name of a selector's content. */
struct plan_hash selector_name(const struct kube_selector *s);
/* By bits alone, as the networks trie does: ::/0 holds every IPv4 prefix. */
bool prefix_holds(const struct cidr *outer, const struct cidr *inner);
/* Region of an address, PLAN_NONE outside of all. */
uint32_t region_find(const struct build *b, const struct weir_addr *addr);
/* Index of port_names[], PLAN_NONE when no egress rule in force uses it. */
uint32_t port_name_find(const struct build *b, const char *name, int proto);
