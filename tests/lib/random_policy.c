/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random NetworkPolicies: every absent, null, empty and filled list, every operator, every kind of
 * peer and port.
 */
#include <netinet/in.h>

#include "lib/random_internal.h"

static void emit_values(struct generator *g, const char *const *values)
{
	unsigned int n = random_between(g->r, 1, 2);

	emit_array(&g->e, "values");
	for (unsigned int i = 0; i < n; i++)
		emit_text(&g->e, NULL, random_word(g->r, values));
	emit_array_end(&g->e);
}

static void emit_expression(struct generator *g, const struct vocabulary *words)
{
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist", NULL };
	unsigned int key = random_below(g->r, 2), op = random_below(g->r, 4);

	emit_map(&g->e, NULL);
	emit_text(&g->e, "key", random_percent(g->r, 10) ? words->ghost : words->keys[key]);
	emit_text(&g->e, "operator", operators[op]);
	if (op < 2)
		emit_values(g, words->values[key]);
	emit_map_end(&g->e);
}

static void emit_metadata_name(struct generator *g)
{
	emit_map(&g->e, "matchLabels");
	emit_text(&g->e, "kubernetes.io/metadata.name",
		  namespace_name(random_below(g->r, g->n_namespaces + 1)));
	emit_map_end(&g->e);
}

static void emit_selector(struct generator *g, const char *key, const struct vocabulary *words)
{
	unsigned int expressions = random_percent(g->r, 45) ? random_between(g->r, 1, 2) : 0;

	emit_map(&g->e, key);
	if (random_percent(g->r, 20))
		expressions = 0; /* {} selects everything */
	else if (words == &namespace_words && random_percent(g->r, 30))
		emit_metadata_name(g);
	else if (!expressions || random_percent(g->r, 20))
		emit_labels(g, "matchLabels", words, 50);
	if (expressions) {
		emit_array(&g->e, "matchExpressions");
		for (unsigned int i = 0; i < expressions; i++)
			emit_expression(g, words);
		emit_array_end(&g->e);
	}
	emit_map_end(&g->e);
}

static struct weir_addr flip_low_bits(struct generator *g, struct weir_addr a, unsigned int above)
{
	for (unsigned int bit = above; bit < 128; bit++)
		if (random_percent(g->r, 6))
			a.b[bit / 8] ^= 0x80 >> bit % 8;
	return a;
}

static void emit_block_text(struct generator *g, const char *key, const struct weir_addr *addr,
			    unsigned int len)
{
	bool v4 = weir_addr_is_v4(addr);
	struct weir_addr shown =
		random_percent(g->r, 85) ? addr_mask(addr, len) : *addr; /* PARSE-5 */
	char text[ADDR_TEXT_MAX];

	emit_printf(&g->e, key, "%s/%u", addr_text(&shown, text),
		    v4 ? len - WEIR_V4_PREFIX_BITS : len);
}

static void emit_block(struct generator *g)
{
	static const unsigned int lens[2][6] = { { 96, 104, 112, 120, 126, 128 },
						 { 0, 16, 32, 48, 124, 128 } };
	int family = random_percent(g->r, 60) ? 0 : 1;
	struct weir_addr base = known_address(g, family), hole;
	unsigned int len = lens[family][random_below(g->r, 6)], holes = random_below(g->r, 4);

	emit_map(&g->e, "ipBlock");
	emit_block_text(g, "cidr", &base, len);
	if (len < 128 && holes) {
		emit_array(&g->e, "except");
		for (unsigned int i = 0; i < holes; i++) {
			hole = flip_low_bits(g, base, len);
			emit_block_text(g, NULL, &hole,
					random_percent(g->r, 40)
						? 128
						: random_between(g->r, len + 1, 128));
		}
		emit_array_end(&g->e);
	}
	emit_map_end(&g->e);
}

static void emit_peer(struct generator *g)
{
	unsigned int kind = random_below(g->r, 5);

	emit_map(&g->e, NULL);
	if (kind >= 3) {
		emit_block(g);
	} else {
		if (kind != 1)
			emit_selector(g, "podSelector", &pod_words);
		if (kind != 0)
			emit_selector(g, "namespaceSelector", &namespace_words);
	}
	emit_map_end(&g->e);
}

static void emit_port(struct generator *g)
{
	unsigned int kind = random_below(g->r, 8), port = random_port(g->r);

	emit_map(&g->e, NULL);
	if (random_percent(g->r, 65))
		emit_text(&g->e, "protocol", random_word(g->r, protocols));
	if (kind == 0) {
		/* all ports of the protocol; {} is all of TCP (NP-15) */
	} else if (kind <= 3) {
		emit_text(&g->e, "port",
			  random_percent(g->r, 90) ? random_word(g->r, port_names)
						   : "no-such-port");
	} else {
		emit_int(&g->e, "port", port);
		if (kind == 4)
			emit_int(&g->e, "endPort",
				 random_percent(g->r, 20) ? port
							  : random_between(g->r, port, 8100));
		else if (kind == 5)
			emit_int(&g->e, "endPort", 65535);
	}
	emit_map_end(&g->e);
}

/* A list of a rule: absent, null, [] or items (NP-12, NP-13). */
static void emit_rule_list(struct generator *g, const char *key, void (*item)(struct generator *g))
{
	unsigned int n = random_between(g->r, 1, 3);

	if (random_percent(g->r, 20))
		return;
	if (random_percent(g->r, 5)) {
		emit_null(&g->e, key);
		return;
	}
	emit_array(&g->e, key);
	for (unsigned int i = 0; i < n && !random_percent(g->r, 8); i++)
		item(g);
	emit_array_end(&g->e);
}

/* Nearly all addresses of a family. */
static void emit_wide_block(struct generator *g)
{
	int family = random_below(g->r, 2);
	struct weir_addr hole = known_address(g, family);

	emit_map(&g->e, NULL);
	emit_map(&g->e, "ipBlock");
	emit_text(&g->e, "cidr", family ? "::/0" : "0.0.0.0/0");
	emit_array(&g->e, "except");
	emit_block_text(g, NULL, &hole, random_percent(g->r, 50) ? 128 : 120);
	emit_array_end(&g->e);
	emit_map_end(&g->e);
	emit_map_end(&g->e);
}

/* The port of a question, or one that is only there to be another. */
static void emit_wide_port(struct generator *g, unsigned int i)
{
	unsigned int port = random_percent(g->r, 40) ? random_port(g->r) : 9000 + 10 * i;

	emit_map(&g->e, NULL);
	emit_int(&g->e, "port", port);
	if (random_percent(g->r, 30))
		emit_int(&g->e, "endPort", port + random_below(g->r, 12));
	emit_map_end(&g->e);
}

/* Many rules, each for nearly all addresses and for other ports: port sets share ranges. */
static void emit_wide_rules(struct generator *g, const char *key, const char *peers)
{
	unsigned int n = random_between(g->r, 20, 40), narrow = random_below(g->r, 80);

	emit_array(&g->e, key);
	for (unsigned int i = 0; i < n; i++) {
		emit_map(&g->e, NULL);
		emit_array(&g->e, peers);
		emit_wide_block(g);
		emit_array_end(&g->e);
		if (i == narrow) {
			emit_rule_list(g, "ports", emit_port);
		} else {
			emit_array(&g->e, "ports");
			emit_wide_port(g, i);
			emit_array_end(&g->e);
		}
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
}

static void emit_rules(struct generator *g, const char *key, const char *peers)
{
	unsigned int n = random_below(g->r, 4);

	if (random_percent(g->r, 25))
		return;
	if (random_percent(g->r, 8)) {
		emit_wide_rules(g, key, peers);
		return;
	}
	if (random_percent(g->r, 5)) {
		emit_null(&g->e, key); /* as an absent key */
		return;
	}
	emit_array(&g->e, key);
	for (unsigned int i = 0; i < n; i++) {
		emit_map(&g->e, NULL);
		if (!random_percent(g->r, 6)) { /* else {}: all traffic (NP-11) */
			emit_rule_list(g, peers, emit_peer);
			emit_rule_list(g, "ports", emit_port);
		}
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
}

static void emit_types(struct generator *g)
{
	unsigned int types = random_below(g->r, 4);

	if (random_percent(g->r, 35)) /* NP-7 */
		return;
	emit_array(&g->e, "policyTypes");
	if (types & 1)
		emit_text(&g->e, NULL, "Ingress");
	if (types & 2)
		emit_text(&g->e, NULL, "Egress");
	emit_array_end(&g->e);
}

void make_policy(struct generator *g, unsigned int i)
{
	char name[16];

	snprintf(name, sizeof(name), "policy-%u", i);
	object_begin(g, "networking.k8s.io/v1", "NetworkPolicy");
	metadata_begin(g, namespace_name(random_below(g->r, g->n_namespaces)), name);
	emit_map_end(&g->e);
	emit_map(&g->e, "spec");
	if (random_percent(g->r, 92))
		emit_selector(g, "podSelector", &pod_words);
	emit_types(g);
	emit_rules(g, "ingress", "from");
	emit_rules(g, "egress", "to");
	emit_map_end(&g->e);
	object_end(g);
}
