/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Diagnostics that many objects share, as one line for each key: the first one with its position,
 * followed by two positions and the number of the others. So a mistake that 500 objects repeat
 * takes one line.
 */
#pragma once

#include "base/diag.h"

/* A zeroed struct is empty. */
struct diag_groups {
	struct diag_group *head;
};

/*
 * Both: one list for all calls; src->file must live as long as the groups, other strings are
 * copied.
 *
 * Counts one more on the item of the list that has the key. false: there is none yet.
 */
bool diag_count_again(struct diag_groups *groups, struct diag_list *list, const char *key,
		      const struct src *src);
/* Counts d, or adds it, or only counts it in the list if that has no room. */
void diag_add_grouped(struct diag_groups *groups, struct diag_list *list, const char *key,
		      const struct diag *d);
/* Like diag_drop() of the list, and before it. */
void diag_groups_drop(struct diag_groups *groups, size_t n);
void diag_groups_free(struct diag_groups *groups);
