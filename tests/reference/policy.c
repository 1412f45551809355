/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * NetworkPolicy by the decision procedure of the specification: is the pod isolated, and does any
 * rule match by any peer and any port? Every query walks all objects again. Must never share code
 * with what it checks.
 */
#include <netinet/in.h>
#include <string.h>

#include "reference/internal.h"

static const char *label_value(const struct kube_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (!strcmp(labels->items[i].key, key))
			return labels->items[i].value;
	return NULL;
}

static bool is_one_of(const struct kube_requirement *r, const char *value)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->values[i], value))
			return true;
	return false;
}

/* NP-23 */
static bool requirement_holds(const struct kube_requirement *r, const struct kube_labels *labels)
{
	const char *value = label_value(labels, r->key);

	switch (r->op) {
	case KUBE_IN:
		return value && is_one_of(r, value);
	case KUBE_NOT_IN:
		return !value || !is_one_of(r, value);
	case KUBE_EXISTS:
		return value;
	case KUBE_NOT_EXISTS:
		return !value;
	}
	return false;
}

bool reference_selects(const struct kube_selector *s, const struct kube_labels *labels)
{
	if (s->invalid)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!requirement_holds(&s->items[i], labels))
			return false;
	return true;
}

static bool is_v4(const struct weir_addr *a)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->b, prefix, sizeof(prefix));
}

static bool bit_of(const struct weir_addr *a, unsigned int at)
{
	return a->b[at / 8] >> (7 - at % 8) & 1;
}

/* Bit by bit. ::/0 does not hold an IPv4 address (NP-29). */
static bool block_holds(const struct cidr *c, const struct weir_addr *a)
{
	if (is_v4(&c->addr) != is_v4(a))
		return false;
	for (unsigned int i = 0; i < c->len; i++)
		if (bit_of(&c->addr, i) != bit_of(a, i))
			return false;
	return true;
}

static bool block_matches(const struct kube_peer *peer, const struct weir_addr *x)
{
	if (!block_holds(&peer->block, x))
		return false;
	for (size_t i = 0; i < peer->n_except; i++)
		if (block_holds(&peer->except[i], x))
			return false;
	return true;
}

static bool namespace_matches(const struct store *s, const struct kube_selector *selector,
			      const char *ns)
{
	for (size_t i = 0; i < s->n_namespaces; i++)
		if (!strcmp(s->namespaces[i]->meta.name, ns))
			return reference_selects(selector, &s->namespaces[i]->meta.labels);
	return false;
}

static bool peer_matches(const struct store *s, const struct kube_policy *policy,
			 const struct kube_peer *peer, const struct weir_addr *x)
{
	const struct kube_pod *pod;

	if (peer->has_block)
		return block_matches(peer, x);
	pod = reference_pod(s, x);
	if (!pod || (!peer->pods && !peer->namespaces)) /* NP-14, NP-19, NP-54 */
		return false;
	if (peer->namespaces && !namespace_matches(s, peer->namespaces, pod->meta.ns))
		return false;
	if (!peer->namespaces && strcmp(pod->meta.ns, policy->meta.ns))
		return false;
	return !peer->pods || reference_selects(peer->pods, &pod->meta.labels);
}

/* NP-32 to NP-35 */
static bool named_port_matches(const struct kube_pod *pod, const struct kube_policy_port *entry,
			       uint16_t port)
{
	if (!pod)
		return false;
	for (size_t i = 0; i < pod->n_ports; i++)
		if (!strcmp(pod->ports[i].name, entry->name) &&
		    pod->ports[i].proto == entry->proto && pod->ports[i].port == port)
			return true;
	return false;
}

static bool port_matches(const struct kube_policy_port *entry, const struct packet *p)
{
	if (entry->proto != p->proto)
		return false;
	if (entry->any)
		return true;
	if (entry->name)
		return named_port_matches(p->dst_pod, entry, p->port);
	return p->port >= entry->low && p->port <= entry->high;
}

static bool rule_matches(const struct store *s, const struct kube_policy *policy,
			 const struct kube_policy_rule *rule, const struct weir_addr *peer,
			 const struct packet *p)
{
	bool peer_ok = rule->n_peers == 0, port_ok = rule->n_ports == 0; /* NP-12, NP-13 */

	for (size_t i = 0; i < rule->n_peers; i++)
		peer_ok |= peer_matches(s, policy, &rule->peers[i], peer);
	for (size_t i = 0; i < rule->n_ports; i++)
		port_ok |= port_matches(&rule->ports[i], p);
	return peer_ok && port_ok;
}

/* Attributes to the first policy by name; all of them are in the pod's namespace. */
static void allow_by(struct reference_verdict *v, const struct kube_policy *policy, size_t rule)
{
	v->allow = true;
	if (v->policy && strcmp(v->policy->meta.name, policy->meta.name) < 0)
		return;
	v->policy = policy;
	v->rule = rule;
}

/* Which policies have no room is no fact of Kubernetes: the question says it. */
static bool has_no_room(const struct packet *p, const struct kube_policy *policy,
			enum kube_direction direction)
{
	size_t len = strlen(policy->meta.ns);

	for (uint32_t i = 0; i < p->n_closed; i++)
		if (p->closed[i].direction == direction &&
		    !strncmp(p->closed[i].policy, policy->meta.ns, len) &&
		    p->closed[i].policy[len] == '/' &&
		    !strcmp(p->closed[i].policy + len + 1, policy->meta.name))
			return true;
	return false;
}

/* Allowed at this end: the pod is not isolated, or any rule matches. */
static void judge_rules(const struct store *s, const struct kube_pod *pod,
			enum kube_direction direction, const struct packet *p,
			struct reference_verdict *v)
{
	const struct weir_addr *peer = direction == KUBE_INGRESS ? &p->src : &p->dst;
	bool isolated = false;

	for (size_t i = 0; i < s->n_policies; i++) {
		const struct kube_policy *policy = s->policies[i];

		if (strcmp(policy->meta.ns, pod->meta.ns) || !policy->isolates[direction] ||
		    !reference_selects(&policy->pods, &pod->meta.labels))
			continue;
		isolated = true;
		v->closed |= has_no_room(p, policy, direction);
		for (size_t j = 0; j < policy->n_rules[direction]; j++) {
			if (!rule_matches(s, policy, &policy->rules[direction][j], peer, p))
				continue;
			allow_by(v, policy, j);
			break;
		}
	}
	if (!isolated)
		v->allow = true;
	if (v->closed)
		*v = (struct reference_verdict){ .judged = v->judged, .closed = true };
}

static bool is_exempt(const struct store *s, const char *node, const struct packet *p,
		      enum kube_direction direction)
{
	if (p->src_pod && p->src_pod == p->dst_pod) /* NP-40 */
		return true;
	if (p->echo_always &&
	    p->proto == (is_v4(&p->dst) ? IPPROTO_ICMP : IPPROTO_ICMPV6)) /* NP-38 */
		return true;
	if (direction == KUBE_INGRESS)
		return p->host_origin; /* NP-41 */
	return reference_is_node_addr(s, node, &p->dst); /* NP-42 */
}

void reference_judge_end(const struct store *s, const char *node, const struct packet *p,
			 enum kube_direction direction, struct reference_verdict *v)
{
	if (is_exempt(s, node, p, direction))
		v->allow = true;
	else
		judge_rules(s, direction == KUBE_INGRESS ? p->dst_pod : p->src_pod, direction, p,
			    v);
}
