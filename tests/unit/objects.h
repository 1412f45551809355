/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Manifests as a list of texts, one for each object, NULL after the last. */
#pragma once

#include <stdio.h>

#define OBJECTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Each text brings its own "---". The caller frees the result. */
static inline char *objects_join(const char *const *objects)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (; *objects; objects++)
		fputs(*objects, out);
	fclose(out);
	return text;
}
