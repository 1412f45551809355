// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The plan file of a generation. See live_plan.h. What it lacks has no name, and is never an error. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <yajl/yajl_tree.h>

#include "base/file.h"
#include "base/mem.h"
#include "inspect/live_plan.h"

struct entry {
	uint32_t kind;
	struct plan_hash hash;
	yajl_val value;
};

/* An address that the plan knows by name. */
struct owner {
	struct weir_addr addr;
	enum live_who who;
	const char *name;
};

struct live_plan {
	yajl_val root;
	struct owner *owners; /* sorted by address; an address has one */
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

static yajl_val member(yajl_val v, const char *key, yajl_type type)
{
	return v ? yajl_tree_get(v, (const char *[]){ key, NULL }, type) : NULL;
}

static const char *text_of(yajl_val v, const char *key)
{
	yajl_val m = member(v, key, yajl_t_string);

	return m ? YAJL_GET_STRING(m) : "";
}

static bool parse_hash(const char *hex, struct plan_hash *ret_hash)
{
	size_t len;

	return !sodium_hex2bin(ret_hash->b, sizeof(ret_hash->b), hex, strlen(hex), NULL, &len, NULL) &&
	       len == sizeof(ret_hash->b);
}

static int by_kind_and_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(&x->hash, &y->hash, sizeof(x->hash));
}

static void index_entries(struct live_plan *p)
{
	for (size_t a = 0; a < ARRAY_SIZE(arrays); a++) {
		yajl_val list = member(p->root, arrays[a].array, yajl_t_array);

		for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++) {
			struct entry e = { .kind = arrays[a].kind, .value = YAJL_GET_ARRAY(list)->values[i] };

			if (parse_hash(text_of(e.value, "name"), &e.hash))
				*VEC_ADD(p->entries, p->n, p->cap) = e;
		}
	}
	if (p->n)
		qsort(p->entries, p->n, sizeof(*p->entries), by_kind_and_hash);
}

static yajl_val find(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash)
{
	struct entry key = { .kind = kind, .hash = *hash }, *found;

	found = p->n ? bsearch(&key, p->entries, p->n, sizeof(key), by_kind_and_hash) : NULL;
	return found ? found->value : NULL;
}

/* ---- Whose address ---- */

static int by_addr(const void *a, const void *b)
{
	return addr_compare(&((const struct owner *)a)->addr, &((const struct owner *)b)->addr);
}

/* What somebody has comes before what anybody may share: a pod, a Service, the node. */
static int by_addr_and_who(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = by_addr(a, b);

	return order ? order : (int)x->who - (int)y->who;
}

static void add_owner(struct live_plan *p, const char *addr, enum live_who who, const char *name)
{
	struct owner o = { .who = who, .name = name };

	if (!addr_parse(addr, &o.addr))
		*VEC_ADD(p->owners, p->n_owners, p->cap_owners) = o;
}

static void add_pod_owners(struct live_plan *p, yajl_val pod)
{
	yajl_val list = member(pod, "addresses", yajl_t_array);

	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++)
		add_owner(p, text_of(YAJL_GET_ARRAY(list)->values[i], "address"), LIVE_POD, text_of(pod, "pod"));
}

static void add_vip_owner(struct live_plan *p, yajl_val frontend)
{
	struct plan_hash hash;
	yajl_val service;

	if (!parse_hash(text_of(frontend, "service"), &hash))
		return; /* the cluster IP itself: each of its ports has an element of its own */
	service = find(p, WEIR_NAME_SERVICE, &hash);
	if (service)
		add_owner(p, text_of(frontend, "address"), LIVE_SERVICE, text_of(service, "service"));
}

static void add_node_owner(struct live_plan *p, yajl_val node)
{
	if (!strcmp(text_of(node, "node"), "own"))
		add_owner(p, text_of(node, "address"), LIVE_NODE, NULL);
}

static void index_owners(struct live_plan *p)
{
	static const struct {
		const char *array;
		void (*add)(struct live_plan *p, yajl_val item);
	} lists[] = { { "pods", add_pod_owners },
		      { "frontends", add_vip_owner },
		      { "nodeAddresses", add_node_owner } };
	size_t n = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		yajl_val list = member(p->root, lists[l].array, yajl_t_array);

		for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++)
			lists[l].add(p, YAJL_GET_ARRAY(list)->values[i]);
	}
	if (p->n_owners)
		qsort(p->owners, p->n_owners, sizeof(*p->owners), by_addr_and_who);
	for (size_t i = 0; i < p->n_owners; i++) /* a cluster IP comes once for each port */
		if (!n || by_addr(&p->owners[n - 1], &p->owners[i]))
			p->owners[n++] = p->owners[i];
	p->n_owners = n;
}

/* ---- The file ---- */

struct live_plan *live_plan_read(const char *path)
{
	_cleanup_(mem_free) char *text = file_text(path);
	struct live_plan *p;
	yajl_val root = text ? yajl_tree_parse(text, NULL, 0) : NULL;

	if (!root || strcmp(text_of(root, "kind"), "Plan")) {
		yajl_tree_free(root);
		return NULL;
	}
	p = mem_zalloc(sizeof(*p));
	p->root = root;
	index_entries(p);
	index_owners(p);
	return p;
}

void live_plan_free(struct live_plan **p)
{
	if (!*p)
		return;
	yajl_tree_free((*p)->root);
	free((*p)->entries);
	free((*p)->owners);
	free(*p);
	*p = NULL;
}

static void join_strings(yajl_val list, char *buf, size_t size)
{
	size_t used = 0;

	*buf = 0;
	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len && used < size; i++)
		used += snprintf(buf + used, size - used, "%s%s", i ? "," : "",
				 YAJL_GET_STRING(YAJL_GET_ARRAY(list)->values[i]) ?: "");
}

static void rule_label(yajl_val v, char *buf, size_t size)
{
	yajl_val rule = member(v, "rule", yajl_t_number);

	snprintf(buf, size, "%s %s[%lld]", text_of(v, "policy"), text_of(v, "direction"),
		 rule && YAJL_IS_INTEGER(rule) ? YAJL_GET_INTEGER(rule) : -1);
}

static void service_label(yajl_val v, char *buf, size_t size)
{
	const char *port = text_of(v, "port");

	snprintf(buf, size, "%s%s%s/%s", text_of(v, "service"), *port ? ":" : "", port, text_of(v, "protocol"));
}

bool live_plan_label(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash, char *buf,
		     size_t size)
{
	yajl_val v = find(p, kind, hash);

	if (!v)
		return false;
	switch (kind) {
	case WEIR_NAME_RULE:
		rule_label(v, buf, size);
		return true;
	case WEIR_NAME_POLICY_SET:
		join_strings(member(v, "policies", yajl_t_array), buf, size);
		return true;
	case WEIR_NAME_IDENTITY:
		snprintf(buf, size, "%s", text_of(v, "text"));
		return *buf;
	case WEIR_NAME_SERVICE:
		service_label(v, buf, size);
		return true;
	default:
		return false;
	}
}

const char *live_plan_fact(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash,
			   const char *key)
{
	yajl_val m = member(find(p, kind, hash), key, yajl_t_string);

	return m ? YAJL_GET_STRING(m) : NULL;
}

long long live_plan_number(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash,
			   const char *key)
{
	yajl_val m = member(find(p, kind, hash), key, yajl_t_number);

	return m && YAJL_IS_INTEGER(m) ? YAJL_GET_INTEGER(m) : -1;
}

const char *live_plan_policy(const struct live_plan *p, const struct plan_hash *set, size_t i)
{
	yajl_val list = member(find(p, WEIR_NAME_POLICY_SET, set), "policies", yajl_t_array);

	return list && i < YAJL_GET_ARRAY(list)->len ? YAJL_GET_STRING(YAJL_GET_ARRAY(list)->values[i]) : NULL;
}

enum live_who live_plan_who(const struct live_plan *p, const struct weir_addr *addr, const char **ret_name)
{
	struct owner key = { .addr = *addr }, *found;

	found = p->n_owners ? bsearch(&key, p->owners, p->n_owners, sizeof(key), by_addr) : NULL;
	*ret_name = found ? found->name : NULL;
	return found ? found->who : LIVE_NOBODY;
}

static bool addr_of(yajl_val pod, int family, struct weir_addr *ret_addr)
{
	yajl_val list = member(pod, "addresses", yajl_t_array);

	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++)
		if (!addr_parse(text_of(YAJL_GET_ARRAY(list)->values[i], "address"), ret_addr) &&
		    addr_family(ret_addr) == family)
			return true;
	return false;
}

bool live_plan_pod_addr(const struct live_plan *p, const char *pod, int family, struct weir_addr *ret_addr)
{
	yajl_val list = member(p->root, "pods", yajl_t_array);

	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++)
		if (!strcmp(text_of(YAJL_GET_ARRAY(list)->values[i], "pod"), pod))
			return addr_of(YAJL_GET_ARRAY(list)->values[i], family, ret_addr);
	return false;
}
