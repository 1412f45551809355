// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * NetworkPolicy: effective policyTypes (NP-7), absent and empty selectors, and the errors of
 * malformed rules (Y17, Y23, Y24). Later steps never look at how a policy was written.
 */
#include <string.h>

#include "kube/decode.h"

#define TYPES_MAX 2

/* PARSE-10: since 1.36 the API server refuses such blocks in new policies; older ones may have
 * them. */
static void warn_of_old_block(const struct field *f, const struct cidr *block)
{
	const char *text = field_raw(f, ""), *len = strchr(text, '/') + 1;
	char masked[ADDR_TEXT_MAX];
	struct weir_addr a;
	bool colon = strchr(text, ':'), v4 = weir_addr_is_v4(&block->addr);
	bool old = (len[0] == '0' && len[1]) || (colon && v4 && block->len >= WEIR_V4_PREFIX_BITS);
	_cleanup_(mem_free) char *addr = mem_strndup(text, len - 1 - text);

	cidr_text(block, masked);
	if (!colon)
		old = strcmp(text, masked);
	else if (!old && !addr_parse(addr, &a))
		old = !weir_addr_equal(&a, &block->addr);
	if (old)
		field_warning(
			f,
			"the API server takes no new block with host bits, leading zeros or mapped IPv4: %s is read as %s",
			field_quoted(f), masked);
}

static void decode_block(const struct field *block, struct kube_peer *peer)
{
	struct field cidr = field_at(block, "cidr"), except = field_list(block, "except");
	size_t n = field_count(&except);
	bool known = false;

	peer->has_block = true;
	if (field_empty(&cidr))
		field_error(&cidr, KUBE_E_REQUIRED, "required, for example 10.0.0.0/8");
	else
		known = check_cidr(&cidr, &peer->block);
	if (known)
		warn_of_old_block(&cidr, &peer->block);
	peer->except = arena_zalloc(block->d->arena, n * sizeof(*peer->except));
	for (size_t i = 0; i < n; i++) {
		struct field f = field_item(&except, i);
		struct cidr *e = &peer->except[peer->n_except];

		if (!field_given(&f))
			field_error(&f, KUBE_E_CIDR, "expected a block inside cidr, found nothing");
		if (!check_cidr(&f, e))
			continue;
		peer->n_except++;
		warn_of_old_block(&f, e);
		if (known && (e->len <= peer->block.len || !cidr_holds_cidr(&peer->block, e)))
			field_error(&f, KUBE_E_CIDR,
				    "expected a smaller block inside cidr %s, found %s",
				    field_raw(&cidr, ""), field_quoted(&f));
	}
}

static struct kube_selector *decode_peer_selector(const struct field *peer, const char *key)
{
	struct field f = field_map(peer, key);
	struct kube_selector *s;

	if (!field_given(&f))
		return NULL;
	s = arena_zalloc(peer->d->arena, sizeof(*s));
	*s = decode_selector(&f);
	return s;
}

static void decode_peer(const struct field *f, struct kube_peer *peer)
{
	struct field pods = field_at(f, "podSelector"),
		     namespaces = field_at(f, "namespaceSelector");
	struct field block = field_map(f, "ipBlock"), any_block = field_at(f, "ipBlock");

	peer->src = field_src(f);
	peer->pods = decode_peer_selector(f, "podSelector");
	peer->namespaces = decode_peer_selector(f, "namespaceSelector");
	if (field_given(&block))
		decode_block(&block, peer);
	if (!field_given(&pods) && !field_given(&namespaces) && !field_given(&any_block))
		field_error(
			f, KUBE_E_PEER,
			"an empty peer matches nothing: give podSelector, namespaceSelector or ipBlock, or leave the list out to match every peer");
	if (field_given(&any_block) && (field_given(&pods) || field_given(&namespaces)))
		field_error(
			f, KUBE_E_PEER,
			"ipBlock and selectors exclude each other in one peer: make them two items of the list");
}

static void decode_port(const struct field *f, struct kube_policy_port *p)
{
	struct field port = field_at(f, "port"), end = field_at(f, "endPort");
	int what;

	p->src = field_src(f);
	p->proto = check_protocol_given_at(f, "protocol");
	p->any = !field_given(&port);
	p->low = 0;
	p->high = KUBE_PORT_MAX;
	what = check_int_or_name(&port, &p->low, &p->name);
	if (what)
		p->high = p->low;
	if (!field_given(&end))
		return;
	p->high = field_number(&end, 1, KUBE_PORT_MAX, p->high);
	if (p->any)
		field_error(&end, KUBE_E_CONFLICT,
			    "port is required with endPort: it begins the range");
	else if (port.node->type == DOC_STRING)
		field_error(&end, KUBE_E_CONFLICT,
			    "expected a number in port with endPort, found \"%.40s\"",
			    port.node->text);
	else if (what == 1 && p->high < p->low)
		field_error(&end, KUBE_E_RANGE, "expected port (%u) or more, found %u", p->low,
			    p->high);
}

static void decode_rule(const struct field *f, const char *peers_key, struct kube_policy_rule *rule)
{
	struct field peers = field_list(f, peers_key), ports = field_list(f, "ports");

	rule->src = field_src(f);
	rule->n_peers = field_count(&peers);
	rule->n_ports = field_count(&ports);
	rule->peers = arena_zalloc(f->d->arena, rule->n_peers * sizeof(*rule->peers));
	rule->ports = arena_zalloc(f->d->arena, rule->n_ports * sizeof(*rule->ports));
	for (size_t i = 0; i < rule->n_peers; i++) {
		struct field item = field_map_item(&peers, i);

		if (item.node || peers.node->items[i]->type == DOC_NULL)
			decode_peer(&item, &rule->peers[i]);
	}
	for (size_t i = 0; i < rule->n_ports; i++) {
		struct field item = field_map_item(&ports, i);

		decode_port(&item, &rule->ports[i]);
	}
}

static void decode_rules(const struct field *spec, enum kube_direction direction,
			 struct kube_policy *policy)
{
	struct field rules = field_list(spec, direction == KUBE_INGRESS ? "ingress" : "egress");
	size_t n = field_count(&rules);

	policy->rules[direction] =
		arena_zalloc(spec->d->arena, n * sizeof(*policy->rules[direction]));
	policy->n_rules[direction] = n;
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&rules, i);

		decode_rule(&item, direction == KUBE_INGRESS ? "from" : "to",
			    &policy->rules[direction][i]);
	}
}

static void decode_types(const struct field *spec, struct kube_policy *policy)
{
	/* in the order of enum kube_direction */
	static const char *const words[] = { "Ingress", "Egress", NULL };
	struct field types = field_list(spec, "policyTypes");
	size_t n = field_count(&types);

	if (n > TYPES_MAX)
		field_error(&types, KUBE_E_TOO_MANY, "expected at most %d types, found %zu",
			    TYPES_MAX, n);
	for (size_t i = 0; i < n; i++) {
		struct field f = field_item(&types, i);
		int type = field_word(&f, words, -1);

		if (type >= 0)
			policy->isolates[type] = true;
		else if (field_empty(&f))
			field_error(&f, KUBE_E_VALUE, "expected Ingress or Egress, found nothing");
	}
	if (!n) {
		policy->isolates[KUBE_INGRESS] = true;
		policy->isolates[KUBE_EGRESS] = policy->n_rules[KUBE_EGRESS] > 0;
	}
}

void decode_policy(const struct field *root, struct kube_meta *o)
{
	struct kube_policy *policy = (struct kube_policy *)o;
	struct field spec = field_map(root, "spec");
	struct field pods = field_map(&spec, "podSelector");

	policy->pods = decode_selector(&pods);
	decode_rules(&spec, KUBE_INGRESS, policy);
	decode_rules(&spec, KUBE_EGRESS, policy);
	decode_types(&spec, policy);
}
