/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What each policy in force needs of something, and which of them give way when it is too much. */
#pragma once

#include "compile/build.h"

/* By 2 * index of actives[] + direction. */
struct weights {
	const struct build *b;
	uint64_t *items;
	size_t n;
};

struct weights weights_new(const struct build *b);
void weights_free(struct weights *w); /* also for _cleanup_() */
void weights_add(struct weights *w, uint32_t rule, uint64_t n); /* rule 0: nobody's */
/*
 * Closes the heaviest policies of the heaviest namespace until need - size less is needed. False:
 * no policy could give way.
 */
bool weights_close(struct weights *w, enum weir_map table, uint64_t need, uint64_t size,
		   struct closed_list *closed);
