/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* "Did you mean …?": the known word that is nearest to a misspelt one. Pure. */
#pragma once

#include <stddef.h>

/* Longest word that is compared: a DNS name. */
#define NEAR_LEN_MAX 253

/*
 * Edits that turn a into b: insert, delete or replace a letter, or swap it with its neighbour. Both
 * are at most NEAR_LEN_MAX long.
 */
size_t near_distance(const char *a, const char *b);
/*
 * The nearest of distinct words, at most one edit per three letters of word away (one edit if it is
 * shorter). NULL: none is that near, several are equally near, or word is longer than NEAR_LEN_MAX.
 */
const char *near_word(const char *word, const char *const *words, size_t n);
