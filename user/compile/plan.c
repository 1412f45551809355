// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Frees a plan and looks things up in its sorted arrays by binary search. See plan.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/maglev.h"
#include "compile/plan.h"

void plan_free(struct plan **p)
{
	if (!*p)
		return;
	diag_free(&(*p)->notes);
	arena_free(&(*p)->arena);
	free(*p);
	*p = NULL;
}

uint32_t plan_default_size(enum weir_map table)
{
	static const uint32_t sizes[] = {
#define DEFAULT_SIZE(name, kind, key, value, entries, ...) [WEIR_MAP_##name] = (entries),
		WEIR_MAPS(DEFAULT_SIZE)
#undef DEFAULT_SIZE
	};

	return sizes[table];
}

uint32_t plan_size_of(const uint32_t *sizes, enum weir_map table)
{
	return sizes && sizes[table] ? sizes[table] : plan_default_size(table);
}

const char *plan_table_name(enum weir_map table)
{
	static const char *const names[] = {
#define TABLE_NAME(name, ...) [WEIR_MAP_##name] = #name,
		WEIR_MAPS(TABLE_NAME)
#undef TABLE_NAME
	};

	return table < _WEIR_MAP_MAX ? names[table] : NULL;
}

const char *plan_hash_text(const struct plan_hash *h, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(h->b); i++) {
		buf[2 * i] = digits[h->b[i] >> 4];
		buf[2 * i + 1] = digits[h->b[i] & 15];
	}
	buf[2 * sizeof(h->b)] = 0;
	return buf;
}

int plan_hash_compare(const struct plan_hash *a, const struct plan_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

static int pod_order(const void *a, const void *b)
{
	const struct plan_pod *x = a, *y = b;
	int order = strcmp(x->ns, y->ns);

	return order ? order : strcmp(x->name, y->name);
}

const struct plan_pod *plan_find_pod(const struct plan *p, const char *ns, const char *name)
{
	struct plan_pod key = { .ns = ns, .name = name };

	return bsearch(&key, p->pods, p->n_pods, sizeof(key), pod_order);
}

static int service_order(const void *a, const void *b)
{
	const struct plan_service *x = a, *y = b;
	int order = strcmp(x->ns, y->ns);

	if (!order)
		order = strcmp(x->service, y->service);
	if (!order)
		order = strcmp(x->port_name, y->port_name);
	if (!order)
		order = (int)x->proto - (int)y->proto;
	return order ? order : x->family - y->family;
}

uint32_t plan_find_service(const struct plan *p, const char *ns, const char *service,
			   const char *port_name, int proto, int family)
{
	struct plan_service key = {
		.ns = ns, .service = service, .port_name = port_name, .family = family
	};
	const struct plan_service *found;

	key.proto = proto;
	found = bsearch(&key, p->services + 1, p->n_services - 1, sizeof(key), service_order);
	return found ? found - p->services : 0;
}

static bool same_list(const struct plan_list *a, const struct plan_list *b)
{
	return a->n == b->n && (a->items == b->items || !a->n ||
				!memcmp(a->items, b->items, a->n * sizeof(*a->items)));
}

uint32_t plan_list_slots(const struct plan_service *s, int list)
{
	return list == WEIR_LIST_INTERNAL ? s->lists[list].n : maglev_size(s->lists[list].n);
}

void plan_list_fill(const struct plan *p, const struct plan_service *s, int list,
		    uint32_t *ret_slots)
{
	const struct plan_list *l = &s->lists[list];
	_cleanup_(mem_free) struct maglev_backend *backends = mem_zalloc(l->n * sizeof(*backends));
	uint32_t n = plan_list_slots(s, list);

	if (list == WEIR_LIST_INTERNAL) {
		memcpy(ret_slots, l->items, n * sizeof(*ret_slots));
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		backends[i] = (struct maglev_backend){ p->backends[l->items[i]].addr,
						       p->backends[l->items[i]].port };
	maglev_fill(backends, l->n, ret_slots);
	for (uint32_t i = 0; i < n; i++)
		ret_slots[i] = l->items[ret_slots[i]];
}

int plan_list_first(const struct plan_service *s, int list)
{
	int first = 0;

	while (!same_list(&s->lists[first], &s->lists[list]) ||
	       plan_list_slots(s, first) != plan_list_slots(s, list))
		first++;
	return first;
}

uint32_t plan_service_slots(const struct plan_service *s)
{
	uint32_t n = 0;

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		if (plan_list_first(s, list) == list)
			n += plan_list_slots(s, list);
	return n;
}

int plan_frontend_compare(const struct plan_frontend *a, const struct plan_frontend *b)
{
	int order = (int)a->scope - (int)b->scope;

	if (!order)
		order = addr_compare(&a->addr, &b->addr);
	if (!order)
		order = (int)a->port - (int)b->port;
	return order ? order : (int)a->proto - (int)b->proto;
}

static int frontend_order(const void *a, const void *b)
{
	return plan_frontend_compare(a, b);
}

const struct plan_frontend *plan_find_frontend(const struct plan *p, const struct weir_addr *addr,
					       uint16_t port, uint8_t proto)
{
	struct plan_frontend key = { .addr = *addr, .port = port, .proto = proto };

	return bsearch(&key, p->frontends, p->n_frontends, sizeof(key), frontend_order);
}

const char *plan_frontend_kind_text(enum plan_frontend_kind kind)
{
	switch (kind) {
	case PLAN_CLUSTER_IP:
		return "ClusterIP";
	case PLAN_NODE_PORT:
		return "NodePort";
	case PLAN_EXTERNAL_IP:
		return "ExternalIP";
	case PLAN_LOAD_BALANCER:
		return "LoadBalancer";
	}
	return "?";
}

struct weir_addr plan_unspecified(int family)
{
	return family ? (struct weir_addr){} : weir_addr_from_v4(0);
}

static const struct plan_node_addr *find_node_addr(const struct plan *p,
						   const struct weir_addr *addr);

const struct plan_frontend *plan_match_frontend(const struct plan *p, const struct weir_addr *addr,
						uint16_t port, uint8_t proto)
{
	const struct plan_frontend *f = plan_find_frontend(p, addr, port, proto);
	struct plan_frontend key = { .addr = plan_unspecified(addr_family(addr)),
				     .port = port,
				     .proto = proto,
				     .scope = WEIR_SCOPE_NODE_PORT };
	const struct plan_node_addr *node = find_node_addr(p, addr);

	if (!f)
		f = plan_find_frontend(p, addr, 0, 0);
	if (f || !node || !node->node_ports)
		return f;
	return bsearch(&key, p->frontends, p->n_frontends, sizeof(key), frontend_order);
}

/* Linear: rules are in order of namespace and name, which differs from the order of "ns/name". */
uint32_t plan_find_rule(const struct plan *p, const char *policy, enum kube_direction direction,
			unsigned int index)
{
	for (size_t i = 1; i < p->n_rules; i++)
		if (p->rules[i].direction == direction && p->rules[i].index == index &&
		    !strcmp(p->rules[i].policy, policy))
			return i;
	return 0;
}

static int element_order(const void *a, const void *b)
{
	uint32_t x = ((const struct plan_element *)a)->identity,
		 y = ((const struct plan_element *)b)->identity;

	return (x > y) - (x < y);
}

const struct plan_word *plan_set_word(const struct plan_set *set, uint32_t identity)
{
	struct plan_element key = { .identity = identity }, *found = NULL;

	if (set->n_elements)
		found = bsearch(&key, set->elements, set->n_elements, sizeof(key), element_order);
	return found ? &found->word : &set->default_word;
}

static int range_order(const void *key, const void *item)
{
	const struct plan_range *k = key, *r = item;

	return k->low < r->low ? -1 : k->low > r->high;
}

const struct plan_range *plan_find_range(const struct plan *p, uint32_t port_set, uint32_t point)
{
	const struct plan_port_set *set = &p->port_sets[port_set];
	struct plan_range key = { .low = point }, *found;

	found = bsearch(&key, set->ranges, set->n_ranges, sizeof(key), range_order);
	return found && found->word.kind == WEIR_WORD_PORTS
		       ? plan_find_range(p, found->word.ports, point)
		       : found;
}

uint32_t plan_first_rule(const struct plan *p, uint32_t port_set)
{
	const struct plan_word *word = &p->port_sets[port_set].ranges[0].word;

	return word->kind == WEIR_WORD_PORTS ? plan_first_rule(p, word->ports) : word->rule;
}

static int node_addr_order(const void *a, const void *b)
{
	return addr_compare(&((const struct plan_node_addr *)a)->addr,
			    &((const struct plan_node_addr *)b)->addr);
}

static const struct plan_node_addr *find_node_addr(const struct plan *p,
						   const struct weir_addr *addr)
{
	struct plan_node_addr key = { .addr = *addr };

	return bsearch(&key, p->node_addrs, p->n_node_addrs, sizeof(key), node_addr_order);
}

int plan_node_kind(const struct plan *p, const struct weir_addr *addr)
{
	const struct plan_node_addr *found = find_node_addr(p, addr);

	return found ? (int)found->kind : 0;
}

uint32_t plan_identity(const struct plan *p, const struct weir_addr *addr)
{
	size_t before = cidr_count_until(p->addresses, p->n_addresses, sizeof(*p->addresses), addr);
	/* a pod's element sorts after an equal prefix, so it is found first */
	uint32_t at = before ? before - 1 : PLAN_NONE;

	while (at != PLAN_NONE && !cidr_holds(&p->addresses[at].cidr, addr))
		at = p->addresses[at].parent;
	return at == PLAN_NONE ? 0 : p->addresses[at].identity;
}

static int pod_addr_order(const void *a, const void *b)
{
	return addr_compare(&((const struct plan_pod_addr *)a)->addr,
			    &((const struct plan_pod_addr *)b)->addr);
}

const struct plan_pod *plan_find_local_pod(const struct plan *p, const struct weir_addr *addr)
{
	struct plan_pod_addr key = { .addr = *addr }, *found;

	if (weir_addr_is_zero(addr))
		return NULL;
	found = bsearch(&key, p->pod_addrs, p->n_pod_addrs, sizeof(key), pod_addr_order);
	return found ? &p->pods[found->pod] : NULL;
}
