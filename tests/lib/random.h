/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random numbers (splitmix64): a seed gives the same numbers on every machine. WEIR_SEED repeats a
 * run; WEIR_ROUNDS sets its length.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
unsigned int random_below(struct random *r, unsigned int n); /* 0 … n - 1; n > 0 */
unsigned int random_between(struct random *r, unsigned int low,
			    unsigned int high); /* both inclusive */
bool random_percent(struct random *r, unsigned int percent);

/* Member of an array of strings that ends with NULL. */
const char *random_word(struct random *r, const char *const *words);

/* WEIR_SEED, or a seed from the clock. */
uint64_t random_seed(void);
/* WEIR_ROUNDS, or by_default. */
unsigned int random_rounds(unsigned int by_default);
