/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The port sets of a plan; equal ones are one. Of the port sets of one policy set, those with many
 * ranges share what they have in common: N rules that each match nearly all peers, such as
 * "0.0.0.0/0 except X" with other ports each, make N port sets of N - 1 ranges, and need few more
 * than N.
 */
#pragma once

#include "compile/hash.h"
#include "compile/ranges.h"

/* With fewer ranges, sharing would save little, and cost a second search for a packet. */
#define PORT_SETS_SHARE_MIN 16
#define PORT_SETS_BASES_MAX 16

/* A port set that others may refer to. */
struct port_base {
	struct range_list ranges;
	uint32_t id; /* PLAN_NONE: in no use so far */
};

struct port_sets {
	struct plan *plan;
	struct name_table names;
	struct plan_port_set *items;
	size_t n, cap;
	struct port_base bases[PORT_SETS_BASES_MAX]; /* of the current policy set */
	size_t n_bases, next_base;
};

void port_sets_begin(struct port_sets *ps); /* another policy set */
/*
 * Others may refer to these ranges; takes them over. The ones offered first, before the first add,
 * stay for the whole policy set.
 */
void port_sets_offer(struct port_sets *ps, struct range_list *ranges);
/* Index of the port set; ranges are flat, their ranks indexes of plan->rules. Takes them over. */
uint32_t port_sets_add(struct port_sets *ps, struct range_list *ranges);
/* Moves them to the plan, sorted. ret_new_id: old index -> new, the caller frees it. */
void port_sets_finish(struct port_sets *ps, uint32_t **ret_new_id);
