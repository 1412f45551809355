/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random numbers for tests; splitmix64. The only file of the tests that reads the clock for a seed.
 */
#include <stdlib.h>
#include <time.h>

#include "lib/random.h"

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned int random_below(struct random *r, unsigned int n)
{
	return random_next(r) % n;
}

unsigned int random_between(struct random *r, unsigned int low, unsigned int high)
{
	return low + random_below(r, high - low + 1);
}

bool random_percent(struct random *r, unsigned int percent)
{
	return random_below(r, 100) < percent;
}

const char *random_word(struct random *r, const char *const *words)
{
	unsigned int n = 0;

	while (words[n])
		n++;
	return words[random_below(r, n)];
}

uint64_t random_seed(void)
{
	const char *text = getenv("WEIR_SEED");
	struct timespec now;

	if (text)
		return strtoull(text, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 30 ^ now.tv_nsec;
}

unsigned int random_rounds(unsigned int by_default)
{
	const char *text = getenv("WEIR_ROUNDS");

	return text ? strtoul(text, NULL, 0) : by_default;
}
