// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Whole files into memory. See file.h. */
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

char *file_text(const char *path)
{
	size_t n = 0, cap = 0, got = 1;
	FILE *f = fopen(path, "re");
	char *text = NULL;

	while (f && got) {
		text = mem_grow(text, &cap, n + 65536, 1);
		got = fread(text + n, 1, cap - n - 1, f);
		n += got;
	}
	if (f)
		fclose(f);
	if (text)
		text[n] = 0;
	return text;
}
