/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Finds the label sets that a selector matches. The index from (key, value) to label sets narrows
 * the search for every selector that lists values (In).
 */
#pragma once

#include "compile/build.h"

struct label_index {
	const struct kube_labels **sets;
	size_t n, cap;
	struct label_entry *head;
	struct arena arena;
};

/* Indexes only labels whose key is in keys (sorted); NULL: all labels. */
void label_index_add(struct label_index *ix, const struct kube_labels *labels,
		     const char *const *keys, size_t n_keys);
/* How many label_index_candidates() has. False: all may match. */
bool label_index_count(const struct label_index *ix, const struct kube_selector *s, size_t *ret_n);
/* Numbers of the sets that may match, unsorted; each must still be tried. False: all may match. */
bool label_index_candidates(const struct label_index *ix, const struct kube_selector *s,
			    struct ids *ret_ids);
void label_index_free(struct label_index *ix); /* also for _cleanup_() */

bool text_in_sorted(const char *text, const char *const *list, size_t n);
/* Index in the sorted list, or n. */
size_t text_index(const char *text, const char *const *list, size_t n);
