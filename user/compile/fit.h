/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Policies that do not fit give way: their pods are closed in that direction, and everything else
 * is compiled. A policy is never cut, and no other namespace pays for it.
 *
 * If a plan needs more of a table than it has, the namespace that needs the most of it gives way
 * first, and of that its largest policy, until the rest fits. So a namespace that needs no more
 * than its equal part of a table never gives way. The choice depends on nothing but the objects and
 * the sizes.
 */
#pragma once

#include "compile/plan.h"

struct build;

/*
 * Pairs of a rule and a prefix that its blocks hold: compiling takes about 40 bytes for each. 4,000
 * rules of "0.0.0.0/0 except X" need that many. Also pairs of a selector and a class of pods: 16
 * bytes and 200 ns for each.
 */
#define FIT_WORK_MAX (1u << 24)

/* What is closed so far; grows from one attempt to the next. */
struct closed_list {
	struct plan_closed *items;
	size_t n, cap;
	unsigned int attempts, repeated; /* in all; with the same namespace */
	const char *ns; /* the store's: that gave way last */
	struct arena arena;
};

void closed_add(struct closed_list *list, const struct plan_closed *item); /* copies the text */
bool closed_has(const struct closed_list *list, const char *policy, enum kube_direction direction);
void closed_free(struct closed_list *list); /* also for _cleanup_() */

/*
 * Each returns true if the plan fits so far, or if no policy could give way. Otherwise closed got
 * longer, and the plan must be compiled again.
 */
bool fit_work(const struct build *b, struct closed_list *closed); /* after build_classes() */
bool fit_sets(const struct build *b, struct closed_list *closed); /* after build_identities() */
bool fit_tables(const struct build *b, const uint32_t *sizes, struct closed_list *closed);
