/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One apply, as its files share it. apply.c reads the live tables and sets the order; bind.c gives
 * numbers, bound.c looks them up; sync_service.c, sync_policy.c and sync_pods.c each know their own
 * tables: *_want() says what should stand in them, *_delta() what would change, the rest are steps
 * that write; steps.c has the tools of them all. Calls go in that direction only. Nothing is
 * written before everything is known and found to fit.
 */
#pragma once

#include "sync/backends.h"
#include "sync/idset.h"
#include "kernel/records.h"
#include "sync/extents.h"
#include "sync/sync.h"
#include "sync/table.h"

/* A thing of the plan and its number. fresh: new in this apply, nothing live refers to it. */
struct bound {
	uint32_t id;
	uint32_t len; /* of an extent */
	bool fresh;
};

/* An attachment record that counts, and what its slot should hold. */
struct sync_pod {
	const struct attachment *a;
	const struct plan_pod *p; /* NULL: recorded, but not in the plan: held (NP-53) */
	struct weir_addr addr[2];
	uint64_t word;
	uint32_t identity[2];
	bool attached; /* its hooks are as they should be */
};

enum move_kind {
	MOVE_HASH, /* an element of identities */
	MOVE_TRIE, /* of networks */
	MOVE_SLOT, /* an identity of pods[slot] */
};

/* An address, prefix or pod whose identity changes, or whose element appears or disappears. */
struct move {
	enum move_kind kind;
	struct weir_prefix prefix; /* HASH: length 128 */
	uint32_t slot;
	int family; /* SLOT */
	uint32_t from, to; /* identities before and after, by its own element or a covering one */
	uint32_t via; /* a transit identity, or 0 */
	bool live; /* has an element */
};

struct transit {
	uint32_t from, to, via;
};

struct sync {
	struct node *n;
	const struct plan *p;
	const struct attachment_list *attachments;
	struct weir_err *err;
	struct table live[_WEIR_MAP_MAX], want[_WEIR_MAP_MAX]; /* TABLE and TRIE maps only */
	struct table_diff diff[_WEIR_MAP_MAX];
	struct bound
		*bound[_WEIR_NAME_MAX]; /* by index in the plan's array; WEIR_NAME_POD: in pods */
	struct idset ids[_WEIR_NAME_MAX];
	struct extents extents[_WEIR_NAME_MAX];
	struct backends backends;
	struct sync_pod *pods;
	size_t n_pods, cap_pods;
	uint32_t *gone_devices; /* attached once, recorded no longer */
	size_t n_gone_devices, cap_gone_devices;
	struct move *moves;
	size_t n_moves, cap_moves;
	struct transit *transits; /* sorted by from, to; none when no live pod changes its sets */
	size_t n_transits, cap_transits;
	struct table transit_rules;
	bool no_devices; /* tables only */
	bool sets_flip; /* a live pod's word changes */
	struct sync_delta delta;
};

/* Names the step for sync_step_hook. */
void sync_step(const char *name);
/* Pays the epochs of the delta, with everything that an open flow may feel behind it. */
void sync_raise_epochs(struct sync *s);
bool sync_frees_anything(
	const struct sync *s); /* numbers or elements that programs may still hold */
void sync_owe(struct sync *s); /* before the first flip: what a rerun after a kill has to pay */
int sync_pay_barrier(struct sync *s);
void sync_free(struct sync *s); /* also for _cleanup_() */
int sync_fd(const struct sync *s, enum weir_map map);
/* One word of a live hash element, in place. */
int sync_store_word(struct sync *s, struct weir_map_word *arg);

/* ---- bind.c ---- */

int bind_all(
	struct sync *s); /* fills bound, want[names]; -ENOSPC names object, table, need and size */

/* ---- bound.c: look-ups in what is bound ---- */

uint64_t bound_word(const struct sync *s, const struct plan_word *w);
struct weir_port_range bound_range(const struct sync *s, const struct plan_range *r);
uint64_t bound_extent(const struct sync *s, uint32_t service); /* of its candidates, as a word */
/* Calls fn for each live name of a kind that the plan no longer has. */
void bound_each_dropped(struct sync *s, enum weir_name_kind kind,
			void (*fn)(struct sync *s, struct weir_name_id id));
void bound_each_dropped_backend(struct sync *s,
				void (*fn)(struct sync *s, struct weir_backend *live));
/*
 * Ids of a kind are below that: the size of the map that they index, which is _WEIR_MAP_MAX where
 * there is none.
 */
uint32_t bound_limit(const struct sync *s, enum weir_map array);
/* -ENOSPC: the i-th thing of a kind has no place in the array; need: old and new together. */
int bound_refuse(const struct sync *s, enum weir_name_kind kind, size_t i, enum weir_map array,
		 uint64_t need);
/* Text for errors: "Service ns/name", … */
const char *bound_object(const struct sync *s, enum weir_name_kind kind, size_t i, char *buf,
			 size_t size);

/* ---- bind_backend.c ---- */

void bind_mark_backends(struct sync *s); /* their ids, and those of their services */
void bind_mark_backend_extents(struct sync *s);
int bind_backend_extents(struct sync *s); /* fills bound[WEIR_NAME_BACKEND_EXTENT]; services and
					     backends are bound */
int bind_backends(struct sync *s); /* fills bound[WEIR_NAME_BACKEND]; services are bound */

/* ---- sync_service.c: frontends, services, backend_slots, backends ---- */

void service_want(struct sync *s);
void service_delta(struct sync *s);
int service_prepare(struct sync *s); /* new backends and extents; nothing refers to them yet */
int service_flip(struct sync *s);
int service_clear(struct sync *s); /* after the barrier */

/* ---- sync_policy.c: identities, networks, policy_sets, policy_rules, port_ranges ---- */

void policy_want(struct sync *s);
int policy_delta(struct sync *s); /* -ENOSPC when no identity is left */
int policy_prepare(struct sync *s);
int policy_refine(struct sync *s);
int policy_coarsen(struct sync *s);
int policy_clear(struct sync *s);

/* ---- sync_moves.c: which addresses change identity, and through what ---- */

int moves_plan(struct sync *s);
int moves_to_transit(struct sync *s);
int moves_to_end(struct sync *s);

/* ---- sync_pods.c: pods, endpoints, attachments, hooks ---- */

void pods_collect(struct sync *s); /* before bind_all(): fills pods */
void pods_want(struct sync *s);
void pods_delta(struct sync *s);
void pods_unplug(struct sync *s);
void pods_flip(struct sync *s);
int pods_plug(struct sync *s);
int pods_clear(struct sync *s);

/* ---- sync_hits.c: rule_hits, set_hits ---- */

int hits_clear(struct sync *s); /* of fresh numbers; before they get their names */
