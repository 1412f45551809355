/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* "Did you mean …?": the one known word that a misspelt one is nearest to. Pure. */
#pragma once

#include <stddef.h>

#define NEAR_LEN_MAX \
	253 /* longest word that is compared: a DNS name; a longer one is near nothing */

/*
 * Letters to insert, delete, replace, or swap with their neighbour until a is b. Both at most
 * NEAR_LEN_MAX long.
 */
size_t near_distance(const char *a, const char *b);
/*
 * The nearest of words, which are distinct: at most one such edit for every three letters of word,
 * and at least one. NULL when none is as near as that, or several are equally near.
 */
const char *near_word(const char *word, const char *const *words, size_t n);
