/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One apply, as the files of this folder share it. apply.c reads the live tables and sets the
 * order; bind.c assigns ids, bound.c looks them up; sync_service.c, sync_policy.c, sync_pods.c
 * and sync_uplinks.c each know their own tables: *_want() computes the wanted contents, *_delta()
 * counts the changes, the other functions are steps that write; steps.c has the shared tools. Calls
 * go in that direction only. Nothing is written before everything is computed and known to fit.
 */
#pragma once

#include "sync/backends.h"
#include "sync/idset.h"
#include "kernel/records.h"
#include "sync/extents.h"
#include "sync/sync.h"
#include "sync/table.h"

/* The id of an item of the plan. fresh: assigned in this apply; nothing live refers to it. */
struct bound {
	uint32_t id;
	uint32_t len; /* of an extent */
	bool fresh;
};

/* An attachment record whose device exists, and the wanted contents of its slot. */
struct sync_pod {
	const struct attachment *a;
	const struct plan_pod *p; /* NULL: recorded, but not in the plan: held (NP-53) */
	struct weir_addr addr[2];
	uint64_t word;
	uint32_t identity[2];
	bool attached; /* its hooks are current */
};

enum move_kind {
	MOVE_HASH, /* an element of identities */
	MOVE_TRIE, /* of networks */
	MOVE_SLOT, /* an identity of pods[slot] */
};

/* An address, prefix or pod whose identity changes, or whose element is added or removed. */
struct move {
	enum move_kind kind;
	struct weir_prefix prefix; /* HASH: length 128 */
	uint32_t slot;
	int family; /* SLOT */
	uint32_t from, to; /* identities before and after, from its own element or a covering one */
	uint32_t via; /* a transit identity, or 0 */
	bool live; /* its element exists */
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
	/* by index in the plan's array; WEIR_NAME_POD: in pods */
	struct bound *bound[_WEIR_NAME_MAX];
	struct idset ids[_WEIR_NAME_MAX];
	struct extents extents[_WEIR_NAME_MAX];
	struct backends backends;
	uint16_t *listed; /* by plan backend: enum weir_backend_flag, the lists that have it */
	struct sync_pod *pods;
	size_t n_pods, cap_pods;
	struct attachment *kept; /* of pods whose records are not valid: from their slots */
	size_t n_kept;
	uint32_t *gone_devices; /* attached, but neither recorded nor uplinks any more */
	size_t n_gone_devices, cap_gone_devices;
	struct move *moves;
	size_t n_moves, cap_moves;
	struct transit *transits; /* sorted by from, to; none unless a live pod changes its sets */
	size_t n_transits, cap_transits;
	struct table transit_rules;
	bool no_devices; /* SYNC_NO_DEVICES, or a private instance */
	bool sets_flip; /* a live pod's word changes */
	struct sync_delta delta; /* full: set where -ENOSPC is found */
};

/* Calls sync_step_hook. */
void sync_step(const char *name);
/* Raises the epochs that the delta asks for; after every change that affects an open flow. */
void sync_raise_epochs(struct sync *s);
/* After that: ends the node's own UDP sockets whose backends do not serve any more. */
void sync_end_stale_sockets(const struct node *n);
/* Does the apply free ids or elements that running programs may still hold? */
bool sync_frees_anything(const struct sync *s);
/* Before the first flip: stores as pending what a rerun after a kill must still do. */
void sync_owe(struct sync *s);
int sync_pay_barrier(struct sync *s); /* waits, and clears WEIR_PENDING_BARRIER */
void sync_free(struct sync *s); /* also for _cleanup_() */
int sync_fd(const struct sync *s, enum weir_map map);
/* Stores one word of a live hash element in place. */
int sync_store_word(struct sync *s, struct weir_store_word *arg);

/* ---- bind.c ---- */

/* Fills bound and want[names]. -ENOSPC: err names object, table, need and size. */
int bind_all(struct sync *s);

/* ---- bound.c: look-ups in what is bound ---- */

uint64_t bound_word(const struct sync *s, const struct plan_word *w);
struct weir_port_range bound_range(const struct sync *s, const struct plan_range *r);
/* By index of services[] and enum weir_list: the index of bound[WEIR_NAME_BACKEND_EXTENT]. */
size_t bound_list(uint32_t service, int list);
uint64_t bound_extent(const struct sync *s, uint32_t service, int list); /* as a word */
/* The live extent of a list that the bound service no longer has, each once; else an empty one. */
uint64_t bound_gone_extent(const struct sync *s, uint32_t service, int list);
/* Calls fn for the id of each live name of a kind that the plan no longer has. */
void bound_each_dropped(struct sync *s, enum weir_name_kind kind,
			void (*fn)(struct sync *s, struct weir_name_id id));
void bound_each_dropped_backend(struct sync *s,
				void (*fn)(struct sync *s, struct weir_backend *live));
/* The limit of ids: the size of the array that they index; _WEIR_MAP_MAX: they index none. */
uint32_t bound_limit(const struct sync *s, enum weir_map array);
/* -ENOSPC: no room for the i-th item of a kind in the array; need: old and new together. */
int bound_refuse(struct sync *s, enum weir_name_kind kind, size_t i, enum weir_map array,
		 uint64_t need);
/* Text for errors: "Service ns/name", … */
const char *bound_object(const struct sync *s, enum weir_name_kind kind, size_t i, char *buf,
			 size_t size);

/* ---- bind_backend.c ---- */

void bind_mark_backends(struct sync *s); /* their ids, and those of their services */
void bind_mark_backend_extents(struct sync *s);
/* Fills bound[WEIR_NAME_BACKEND], after services are bound. */
int bind_backends(struct sync *s);
/* Fills bound[WEIR_NAME_BACKEND_EXTENT], after services and backends are bound. */
int bind_backend_extents(struct sync *s);

/* ---- sync_service.c: frontends, services, backend_slots, backends ---- */

void service_want(struct sync *s);
void service_delta(struct sync *s);
int service_prepare(struct sync *s); /* writes new backends and extents; nothing refers to them */
int service_flip(struct sync *s);
int service_clear(struct sync *s); /* after the barrier */

/* ---- sync_policy.c: identities, networks, policy_sets, policy_rules, port_ranges ---- */

void policy_want(struct sync *s);
int policy_delta(struct sync *s); /* -ENOSPC when no identity is left */
int policy_prepare(struct sync *s);
int policy_refine(struct sync *s);
int policy_coarsen(struct sync *s);
int policy_clear(struct sync *s);

/* ---- sync_moves.c: addresses that change identity ---- */

int moves_plan(struct sync *s);
int moves_to_transit(struct sync *s);
int moves_to_end(struct sync *s);

/* ---- sync_pods.c: pods, endpoints, attachments, hooks ---- */

int pods_collect(struct sync *s); /* fills pods; before bind_all() */
void pods_want(struct sync *s);
void pods_delta(struct sync *s);
void pods_unplug(struct sync *s);
void pods_flip(struct sync *s);
int pods_plug(struct sync *s);
int pods_clear(struct sync *s);

/* ---- sync_uplinks.c: uplinks, and the hooks on them ---- */

void uplinks_want(struct sync *s);
void uplinks_delta(struct sync *s);
int uplinks_plug(struct sync *s);
int uplinks_clear(struct sync *s); /* after pods_clear() */

/* ---- sync_hits.c: rule_hits, set_hits ---- */

int hits_clear(struct sync *s); /* of fresh ids; before their names are written */
