/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Shrinks manifests that show a defect: removes objects, list items and fields as long as the
 * defect still shows. Knows documents, not Kubernetes: for an invalid cluster the caller's function
 * must return false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Does the defect show with these manifests? */
typedef bool shrink_question(void *ctx, const char *text, size_t len);

struct shrink_result {
	char *text; /* YAML, one document for each object. The caller frees it */
	size_t len;
	unsigned int tries; /* calls of shows */
	unsigned int removed; /* parts removed */
	bool minimal; /* no single part can be removed; false: stopped at max_tries */
};

/*
 * text: YAML documents or JSON; the items of a List become documents. False when text cannot be
 * read, or when the defect does not show with the same objects rewritten; *ret_result is untouched
 * then.
 */
bool shrink_manifests(const char *text, size_t len, shrink_question *shows, void *ctx,
		      unsigned int max_tries, struct shrink_result *ret_result);
