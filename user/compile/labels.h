/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which of many label sets does a selector match? An index from (key, value) to the sets that have
 * it answers any selector with a value in it without looking at all of them.
 */
#pragma once

#include "compile/build.h"

struct label_index {
	const struct kube_labels **sets;
	size_t n, cap;
	struct label_entry *head;
	struct arena arena;
};

/* Keys not in keys (sorted) are left out of the index; keys NULL: all are in. */
void label_index_add(struct label_index *ix, const struct kube_labels *labels,
		     const char *const *keys, size_t n_keys);
/* Numbers of the sets that may match, unsorted; false: every one may. Each must still be tried. */
bool label_index_candidates(const struct label_index *ix, const struct kube_selector *s,
			    struct ids *ret_ids);
void label_index_free(struct label_index *ix); /* also for _cleanup_() */

bool text_in_sorted(const char *text, const char *const *list, size_t n);
/* Its place in the list, or n. */
size_t text_place(const char *text, const char *const *list, size_t n);
