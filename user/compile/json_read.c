// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads what json_write.c writes. See json_read.h. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "compile/json_read.h"

struct entry {
	uint32_t kind;
	struct plan_hash hash;
	struct json_value value;
};

/* An address and its owner. */
struct owner {
	struct weir_addr addr;
	enum plan_owner kind;
	const char *name;
};

struct plan_json {
	struct json doc;
	struct owner *owners; /* sorted by address, one for each */
	size_t n_owners, cap_owners;
	struct entry *entries; /* sorted by kind, hash */
	size_t n, cap;
};

static const struct {
	const char *array;
	enum weir_name_kind kind;
} arrays[] = {
	{ "rules", WEIR_NAME_RULE },        { "policySets", WEIR_NAME_POLICY_SET },
	{ "portSets", WEIR_NAME_PORT_SET }, { "identities", WEIR_NAME_IDENTITY },
	{ "services", WEIR_NAME_SERVICE },
};

static bool parse_hash(const char *hex, struct plan_hash *ret_hash)
{
	size_t len;

	return !sodium_hex2bin(ret_hash->b, sizeof(ret_hash->b), hex, strlen(hex), NULL, &len,
			       NULL) &&
	       len == sizeof(ret_hash->b);
}

static int by_kind_and_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(&x->hash, &y->hash, sizeof(x->hash));
}

static void index_entries(struct plan_json *p)
{
	for (size_t a = 0; a < ARRAY_SIZE(arrays); a++) {
		struct json_value list = json_list(json_root(&p->doc), arrays[a].array);

		for (size_t i = 0; i < json_count(list); i++) {
			struct entry e = { .kind = arrays[a].kind, .value = json_item(list, i) };

			if (parse_hash(json_text(e.value, "name"), &e.hash))
				*VEC_ADD(p->entries, p->n, p->cap) = e;
		}
	}
	if (p->n)
		qsort(p->entries, p->n, sizeof(*p->entries), by_kind_and_hash);
}

struct json_value plan_json_find(const struct plan_json *p, enum weir_name_kind kind,
				 const struct plan_hash *hash)
{
	struct entry key = { .kind = kind, .hash = *hash }, *found;

	found = p->n ? bsearch(&key, p->entries, p->n, sizeof(key), by_kind_and_hash) : NULL;
	return found ? found->value : (struct json_value){};
}

/* ---- Owners of addresses ---- */

static int by_addr(const void *a, const void *b)
{
	return addr_compare(&((const struct owner *)a)->addr, &((const struct owner *)b)->addr);
}

/* An address with several owners keeps the first: pod, Service, node. */
static int by_addr_and_owner(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = by_addr(a, b);

	return order ? order : (int)x->kind - (int)y->kind;
}

static void add_owner(struct plan_json *p, const char *addr, enum plan_owner kind, const char *name)
{
	struct owner o = { .kind = kind, .name = name };

	if (!addr_parse(addr, &o.addr))
		*VEC_ADD(p->owners, p->n_owners, p->cap_owners) = o;
}

static void add_pod_owners(struct plan_json *p, struct json_value pod)
{
	struct json_value list = json_list(pod, "addresses");

	for (size_t i = 0; i < json_count(list); i++)
		add_owner(p, json_text(json_item(list, i), "address"), PLAN_OWNER_POD,
			  json_text(pod, "pod"));
}

static bool is_node_port(struct json_value frontend)
{
	struct json_value kinds = json_list(frontend, "kinds");

	return json_count(kinds) &&
	       !strcmp(json_item_text(kinds, 0), plan_frontend_kind_text(PLAN_NODE_PORT));
}

static void add_vip_owner(struct plan_json *p, struct json_value frontend)
{
	struct plan_hash hash;
	struct json_value service;

	if (!parse_hash(json_text(frontend, "service"), &hash))
		return; /* the cluster IP without a port; its ports have frontends of their own */
	if (is_node_port(frontend))
		return; /* its addresses are the node's */
	service = plan_json_find(p, WEIR_NAME_SERVICE, &hash);
	if (service.v)
		add_owner(p, json_text(frontend, "address"), PLAN_OWNER_SERVICE,
			  json_text(service, "service"));
}

static void add_node_owner(struct plan_json *p, struct json_value node)
{
	if (!strcmp(json_text(node, "node"), "own"))
		add_owner(p, json_text(node, "address"), PLAN_OWNER_NODE, NULL);
}

static void index_owners(struct plan_json *p)
{
	static const struct {
		const char *array;
		void (*add)(struct plan_json *p, struct json_value item);
	} lists[] = { { "pods", add_pod_owners },
		      { "frontends", add_vip_owner },
		      { "nodeAddresses", add_node_owner } };
	size_t n = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_value list = json_list(json_root(&p->doc), lists[l].array);

		for (size_t i = 0; i < json_count(list); i++)
			lists[l].add(p, json_item(list, i));
	}
	if (p->n_owners)
		qsort(p->owners, p->n_owners, sizeof(*p->owners), by_addr_and_owner);
	for (size_t i = 0; i < p->n_owners; i++) /* a cluster IP was added for each of its ports */
		if (!n || by_addr(&p->owners[n - 1], &p->owners[i]))
			p->owners[n++] = p->owners[i];
	p->n_owners = n;
}

/* ---- The document ---- */

struct plan_json *plan_json_parse(const char *text)
{
	struct plan_json *p = mem_zalloc(sizeof(*p));

	if (json_open(&p->doc, "plan", text, "Plan", NULL)) {
		plan_json_free(&p);
		return NULL;
	}
	index_entries(p);
	index_owners(p);
	return p;
}

void plan_json_free(struct plan_json **p)
{
	if (!*p)
		return;
	json_close(&(*p)->doc);
	free((*p)->entries);
	free((*p)->owners);
	free(*p);
	*p = NULL;
}

enum plan_owner plan_json_owner(const struct plan_json *p, const struct weir_addr *addr,
				const char **ret_name)
{
	struct owner key = { .addr = *addr }, *found;

	found = p->n_owners ? bsearch(&key, p->owners, p->n_owners, sizeof(key), by_addr) : NULL;
	*ret_name = found ? found->name : NULL;
	return found ? found->kind : PLAN_OWNER_NONE;
}

void plan_json_each_pod(struct plan_json *p, void (*fn)(const struct plan_json_pod *pod, void *arg),
			void *arg)
{
	struct json_value pods = json_list(json_root(&p->doc), "pods");

	for (size_t i = 0; i < json_count(pods); i++) {
		struct json_value item = json_item(pods, i), addrs = json_list(item, "addresses");
		struct plan_json_pod pod = { .pod = json_text(item, "pod"),
					     .uid = json_text(item, "uid"),
					     .deleting = json_flag(item, "deleting") };
		struct weir_addr addr;

		for (size_t a = 0; a < json_count(addrs); a++)
			if (!addr_parse(json_text(json_item(addrs, a), "address"), &addr))
				pod.addr[addr_family(&addr)] = addr;
		fn(&pod, arg);
	}
}

bool plan_json_pod_addr(struct plan_json *p, const char *pod, int family,
			struct weir_addr *ret_addr)
{
	struct json_value pods = json_list(json_root(&p->doc), "pods"), addrs = {};

	for (size_t i = 0; !addrs.v && i < json_count(pods); i++)
		if (!strcmp(json_text(json_item(pods, i), "pod"), pod))
			addrs = json_list(json_item(pods, i), "addresses");
	for (size_t i = 0; i < json_count(addrs); i++)
		if (!addr_parse(json_text(json_item(addrs, i), "address"), ret_addr) &&
		    addr_family(ret_addr) == family)
			return true;
	return false;
}

static enum weir_map table_of(const char *name)
{
	int map = 0;

	while (map < _WEIR_MAP_MAX && strcmp(plan_table_name(map), name))
		map++;
	return map;
}

static void read_closed(struct json_value list, struct plan_unfit *u)
{
	u->closed = mem_zalloc((json_count(list) + 1) * sizeof(*u->closed));
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_value item = json_item(list, i);
		const char *policy = json_text(item, "policy");

		if (!*policy)
			continue; /* not of json_write.c */
		u->closed[u->n_closed++] = (struct plan_closed){
			.policy = policy,
			.direction = strcmp(json_text(item, "direction"), "egress") ? KUBE_INGRESS
										    : KUBE_EGRESS,
			.table = table_of(json_text(item, "table")),
			.need = json_number(item, "need", 0, INT64_MAX),
			.size = json_number(item, "size", 0, INT64_MAX),
		};
	}
}

static void read_left_out(struct json_value list, struct plan_unfit *u)
{
	u->left_out = mem_zalloc((json_count(list) + 1) * sizeof(*u->left_out));
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_value item = json_item(list, i);
		const char *service = json_text(item, "service");

		if (!*service)
			continue; /* not of json_write.c */
		u->left_out[u->n_left_out++] = (struct plan_left_out){
			.service = service,
			.known = json_flag(item, "refused"),
			.table = table_of(json_text(item, "table")),
			.need = json_number(item, "need", 0, INT64_MAX),
			.size = json_number(item, "size", 0, INT64_MAX),
		};
	}
}

void plan_json_unfit(struct plan_json *p, struct plan_unfit *ret_unfit)
{
	struct json_value root = json_root(&p->doc);

	*ret_unfit = (struct plan_unfit){};
	read_closed(json_list(root, "closed"), ret_unfit);
	read_left_out(json_list(root, "leftOut"), ret_unfit);
}
