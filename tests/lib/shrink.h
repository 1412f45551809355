/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Makes manifests that show a defect small: leaves out objects, list items and fields as long as
 * the defect still shows. Knows documents, not Kubernetes: what is no valid cluster any more, the
 * caller's question answers with no.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Does the defect show with these manifests? */
typedef bool shrink_question(void *ctx, const char *text, size_t len);

struct shrink_result {
	char *text; /* YAML, a document an object. The caller frees it */
	size_t len;
	unsigned int tries; /* questions asked */
	unsigned int removed; /* parts left out */
	bool minimal; /* no single part can be left out any more; false: max_tries came first */
};

/*
 * text: YAML documents, or JSON; a List is taken apart. False when it cannot be read, or when the
 * defect does not show with the same objects written anew; *ret_result is untouched then.
 */
bool shrink_manifests(const char *text, size_t len, shrink_question *shows, void *ctx,
		      unsigned int max_tries, struct shrink_result *ret_result);
