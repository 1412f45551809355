// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Free addresses. See world.h. If any address is free, then the preferred one or the first after
 * some taken block is.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "analyze/world.h"

static const char *const preferred[2] = { "198.51.100.1", "2001:db8:ffff:ffff::1" };

/* IPv4: this network, private, shared, loopback, link-local, multicast and reserved. */
static const char *const not_global[] = {
	"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
};

static void take_block(struct world *w, const struct cidr *c)
{
	unsigned int base = weir_addr_is_v4(&c->addr) && c->len >= WEIR_V4_PREFIX_BITS
				    ? WEIR_V4_PREFIX_BITS
				    : 0;

	if (c->len > base)
		*VEC_ADD(w->items, w->n, w->cap) = *c;
}

void world_take(struct world *w, const struct weir_addr *addr)
{
	if (!weir_addr_is_zero(addr))
		take_block(w, &(struct cidr){ *addr, 128 });
}

static void take_policy(struct world *w, const struct kube_policy *p)
{
	for (int d = 0; d < 2; d++)
		for (size_t r = 0; r < p->n_rules[d]; r++)
			for (size_t i = 0; i < p->rules[d][r].n_peers; i++) {
				const struct kube_peer *peer = &p->rules[d][r].peers[i];

				if (peer->has_block)
					take_block(w, &peer->block);
				for (size_t x = 0; x < peer->n_except; x++)
					take_block(w, &peer->except[x]);
			}
}

void world_collect(struct world *w, const struct store *s)
{
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(not_global); i++)
		if (!cidr_parse(not_global[i], &c))
			take_block(w, &c);
	for (int f = 0; f < 2; f++) {
		for (size_t i = 0; i < s->n_pods; i++)
			world_take(w, &s->pods[i]->addr[f]);
		for (size_t i = 0; i < s->n_services; i++)
			world_take(w, &s->services[i]->cluster_ip[f]);
	}
	for (size_t i = 0; i < s->n_nodes; i++)
		for (size_t a = 0; a < s->nodes[i]->n_addrs; a++)
			world_take(w, &s->nodes[i]->addrs[a]);
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t e = 0; e < s->slices[i]->n_endpoints; e++)
			world_take(w, &s->slices[i]->endpoints[e].addr);
	for (size_t i = 0; i < s->n_policies; i++)
		take_policy(w, s->policies[i]);
}

static bool is_free(const struct world *w, const struct weir_addr *a, int family)
{
	if (addr_family(a) != family)
		return false;
	if (family == 1 && (a->b[0] & 0xe0) != 0x20) /* only 2000::/3 is global unicast */
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (cidr_holds(&w->items[i], a))
			return false;
	return true;
}

static struct weir_addr next_after(const struct cidr *c)
{
	struct weir_addr a = c->addr;

	for (unsigned int bit = c->len; bit < 128; bit++)
		a.b[bit / 8] |= 0x80 >> bit % 8;
	for (int i = 15; i >= 0 && !++a.b[i]; i--)
		;
	return a;
}

bool world_free_addr(const struct world *w, int family, struct weir_addr *ret_addr)
{
	struct weir_addr a, best;
	bool found = false;

	if (!addr_parse(preferred[family], &a) && is_free(w, &a, family)) {
		*ret_addr = a;
		return true;
	}
	for (size_t i = 0; i < w->n; i++) {
		a = next_after(&w->items[i]);
		if (!is_free(w, &a, family) || (found && addr_compare(&a, &best) > 0))
			continue;
		best = a;
		found = true;
	}
	if (found)
		*ret_addr = best;
	return found;
}

void world_clear(struct world *w)
{
	free(w->items);
	*w = (struct world){};
}
