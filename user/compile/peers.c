// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The distinct peers of the rules in force, and the port names that their egress rules use. Peers
 * with equal content are one peer, wherever they are written.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

static void hash_selector(struct hasher *h, const struct kube_selector *s)
{
	hash_u32(h, s ? s->n : 0);
	for (size_t i = 0; s && i < s->n; i++) {
		const struct kube_requirement *r = &s->items[i];

		hash_text(h, r->key);
		hash_u32(h, r->op);
		hash_u32(h, r->n);
		for (size_t v = 0; v < r->n; v++)
			hash_text(h, r->values[v]);
	}
}

struct plan_hash selector_name(const struct kube_selector *s)
{
	struct hasher h;

	hash_begin(&h, "selector");
	hash_selector(&h, s);
	return hash_end(&h);
}

static void hash_cidr(struct hasher *h, const struct cidr *c)
{
	hash_addr(h, &c->addr);
	hash_u32(h, c->len);
}

static int by_cidr(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

static struct plan_hash block_name(const struct kube_peer *peer)
{
	_cleanup_(mem_free) struct cidr *except = mem_zalloc(peer->n_except * sizeof(*except));
	struct hasher h;
	size_t n;

	if (peer->n_except)
		memcpy(except, peer->except, peer->n_except * sizeof(*except));
	n = array_unique(except, peer->n_except, sizeof(*except), by_cidr);
	hash_begin(&h, "block");
	hash_cidr(&h, &peer->block);
	for (size_t i = 0; i < n; i++)
		hash_cidr(&h, &except[i]);
	return hash_end(&h);
}

static struct plan_hash peer_name(const struct kube_peer *peer, const char *ns)
{
	struct hasher h;

	if (peer->has_block)
		return block_name(peer);
	hash_begin(&h, peer->namespaces ? "pods of namespaces" : "pods of namespace");
	if (peer->namespaces)
		hash_selector(&h, peer->namespaces);
	else
		hash_text(&h, ns);
	hash_selector(&h, peer->pods);
	return hash_end(&h);
}

/* An empty peer, or one with an invalid selector, matches nothing (NP-14). */
static bool can_match(const struct kube_peer *peer)
{
	if (peer->has_block)
		return true;
	if (!peer->pods && !peer->namespaces)
		return false;
	return !(peer->pods && peer->pods->invalid) &&
	       !(peer->namespaces && peer->namespaces->invalid);
}

/* Peers in order of appearance; rules refer to them by that order until sort_peers(). */
static void collect_peers(struct build *b)
{
	_cleanup_(name_table_free) struct name_table known = {};
	size_t cap = 0;

	for (size_t r = 1; r < b->plan->n_rules; r++) {
		struct rule *rule = &b->rules[r];

		for (size_t i = 0; i < rule->rule->n_peers; i++) {
			const struct kube_peer *peer = &rule->rule->peers[i];
			struct peer p = { .peer = peer, .ns = rule->policy->meta.ns };
			uint32_t id;

			if (!can_match(peer))
				continue;
			p.name = peer_name(peer, p.ns);
			id = name_table_add(&known, &p.name, b->n_peers);
			if (id == b->n_peers)
				*VEC_ADD(b->peers, b->n_peers, cap) = p;
			IDS_ADD(&rule->peers, id);
		}
	}
}

/*
 * Sorts peers by name: the order of two peers, and whatever follows from it, must not depend on
 * other peers.
 */
static void sort_peers(struct build *b)
{
	_cleanup_(mem_free) uint32_t *new_id =
		sort_by_name(b->peers, b->n_peers, sizeof(*b->peers), 0);

	for (size_t r = 1; r < b->plan->n_rules; r++) {
		struct ids *peers = &b->rules[r].peers;

		for (size_t i = 0; i < peers->n; i++)
			peers->items[i] = new_id[peers->items[i]];
		ids_sort(peers);
	}
}

/* ---- Port names ---- */

static int by_port_name(const void *a, const void *b)
{
	const struct port_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->proto - y->proto;
}

static void collect_port_names(struct build *b)
{
	size_t n = 0, cap = 0;

	for (size_t r = 1; r < b->plan->n_rules; r++) {
		const struct kube_policy_rule *rule = b->rules[r].rule;

		for (size_t i = 0; b->plan->rules[r].direction == KUBE_EGRESS && i < rule->n_ports;
		     i++)
			if (rule->ports[i].name && rule->ports[i].proto)
				*VEC_ADD(b->port_names, n, cap) =
					(struct port_name){ .name = rule->ports[i].name,
							    .proto = rule->ports[i].proto };
	}
	b->n_port_names = array_unique(b->port_names, n, sizeof(*b->port_names), by_port_name);
}

uint32_t port_name_find(const struct build *b, const char *name, int proto)
{
	struct port_name key = { .name = name, .proto = proto }, *found = NULL;

	if (b->n_port_names)
		found = bsearch(&key, b->port_names, b->n_port_names, sizeof(key), by_port_name);
	return found ? found - b->port_names : PLAN_NONE;
}

void build_peers(struct build *b)
{
	collect_peers(b);
	sort_peers(b);
	collect_port_names(b);
}
