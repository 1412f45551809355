// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Optimal string alignment distance, with three rows of the table. See near.h. */
#include <stdbool.h>
#include <string.h>

#include "base/near.h"

#define LETTERS_PER_EDIT 3

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t near_distance(const char *a, const char *b)
{
	size_t rows[3][NEAR_LEN_MAX + 1], len_a = strlen(a), len_b = strlen(b);
	size_t *row = rows[0], *above = rows[1], *above2 = rows[2];

	for (size_t j = 0; j <= len_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *oldest = above2;

		above2 = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			row[j] = min(above[j], row[j - 1]) + 1;
			row[j] = min(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], above2[j - 2] + 1);
		}
	}
	return row[len_b];
}

const char *near_word(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word), best = len < LETTERS_PER_EDIT ? 1 : len / LETTERS_PER_EDIT;
	const char *found = NULL;
	bool tie = false;

	if (len > NEAR_LEN_MAX)
		return NULL;
	for (size_t i = 0, d; i < n; i++) {
		size_t other = strlen(words[i]);

		if (other > NEAR_LEN_MAX || (other > len ? other - len : len - other) > best)
			continue;
		d = near_distance(word, words[i]);
		if (d > best)
			continue;
		tie = found && d == best;
		found = words[i];
		best = d;
	}
	return tie ? NULL : found;
}
