// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Maglev hashing. See maglev.h. */
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "compile/maglev.h"

#define FREE UINT32_MAX
#define PART 32 /* slots of a backend, at least about */
#define LARGEST 65521

uint32_t maglev_size(uint32_t n)
{
	static const uint32_t primes[] = { 127, 251, 1021, 4093, 16381 };

	if (n <= 1)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(primes); i++)
		if (n <= (primes[i] + PART - 1) / PART)
			return primes[i];
	return n < LARGEST ? LARGEST : n;
}

/* The order in which a backend asks for slots: every slot once, since the size is prime. */
struct walk {
	uint32_t at, step;
};

/* The key is public and fixed: all nodes need the same walk. */
static struct walk walk_of(const struct maglev_backend *b, uint32_t size)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	unsigned char text[sizeof(b->addr) + 2], hash[crypto_shorthash_BYTES];
	uint32_t word[2];

	memcpy(text, &b->addr, sizeof(b->addr));
	text[sizeof(b->addr)] = b->port >> 8;
	text[sizeof(b->addr) + 1] = b->port;
	crypto_shorthash(hash, text, sizeof(text), key);
	for (int i = 0; i < 2; i++)
		word[i] = hash[4 * i] | hash[4 * i + 1] << 8 | hash[4 * i + 2] << 16 |
			  (uint32_t)hash[4 * i + 3] << 24;
	return (struct walk){ word[0] % size, 1 + word[1] % (size - 1) };
}

/* Gives the backend the first free slot of its walk. */
static void take_slot(struct walk *w, uint32_t backend, uint32_t size, uint32_t *slots)
{
	while (slots[w->at] != FREE)
		w->at = (w->at + w->step) % size;
	slots[w->at] = backend;
}

void maglev_fill(const struct maglev_backend *backends, uint32_t n, uint32_t *ret_slots)
{
	_cleanup_(mem_free) struct walk *walks = mem_zalloc(n * sizeof(*walks));
	uint32_t size = maglev_size(n);

	for (uint32_t i = 0; i < size; i++)
		ret_slots[i] = size == n ? i : FREE;
	if (size == n)
		return;
	for (uint32_t i = 0; i < n; i++)
		walks[i] = walk_of(&backends[i], size);
	for (uint32_t filled = 0; filled < size; filled++)
		take_slot(&walks[filled % n], filled % n, size, ret_slots);
}
