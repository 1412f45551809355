// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Assigns addresses to objects without a status. An address follows from a hash of the object's
 * kind, namespace and name, so that it stays the same when other objects come and go; if it is
 * taken, the next free address is used. Objects are processed in order of ns/name, so the order of
 * input does not matter. A pod without a node is put on the first node; a pod that gets an address
 * is taken as Running and Ready. One note reports all of this; without STORE_ASSIGN, warnings
 * report what is missing.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/store_private.h"

enum use {
	FOR_NODES,
	FOR_PODS,
	FOR_SERVICES,
	_USE_MAX,
};

/*
 * Ranges by use and family, and how many addresses of each are assigned: as many in both families,
 * so that an object has the same offset in both unless that is taken. The first ones are left to
 * gateways. Large enough for 150,000 pods.
 */
static const char *const ranges[_USE_MAX][2] = {
	[FOR_NODES] = { "172.18.0.0/16", "fd00:172:18::/64" },
	[FOR_PODS] = { "10.244.0.0/14", "fd00:10:244::/64" },
	[FOR_SERVICES] = { "10.96.0.0/12", "fd00:10:96::/108" },
};
#define FIRST_OFFSET 2
static const uint32_t range_size[_USE_MAX] = {
	[FOR_NODES] = (1 << 16) - FIRST_OFFSET,
	[FOR_PODS] = (1 << 18) - FIRST_OFFSET,
	[FOR_SERVICES] = (1 << 20) - FIRST_OFFSET,
};
static const char *const kinds[_USE_MAX] = { "Node", "Pod", "Service" };

struct taken {
	UT_hash_handle hh;
	struct weir_addr addr;
};

struct assign {
	struct store *store;
	struct taken *taken;
	size_t n[_USE_MAX]; /* objects that got addresses */
	bool used[_USE_MAX][2], full[_USE_MAX][2]; /* of ranges */
	bool families[2]; /* of pods and nodes */
};

static bool is_taken(const struct assign *as, const struct weir_addr *a)
{
	struct taken *t;

	HASH_FIND(hh, as->taken, a, sizeof(*a), t);
	return t;
}

static void take(struct assign *as, const struct weir_addr *a)
{
	struct taken *t;

	if (weir_addr_is_zero(a) || is_taken(as, a))
		return;
	t = mem_zalloc(sizeof(*t));
	t->addr = *a;
	HASH_ADD(hh, as->taken, addr, sizeof(t->addr), t);
}

static void take_all(struct assign *as)
{
	const struct store *s = as->store;

	for (size_t i = 0; i < s->n_nodes; i++)
		for (size_t k = 0; k < s->nodes[i]->n_addrs; k++)
			take(as, &s->nodes[i]->addrs[k]);
	for (size_t i = 0; i < 2 * s->n_pods; i++)
		take(as, &s->pods[i / 2]->addr[i % 2]);
	for (size_t i = 0; i < 2 * s->n_services; i++)
		take(as, &s->services[i / 2]->cluster_ip[i % 2]);
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t k = 0; k < s->slices[i]->n_endpoints; k++)
			take(as, &s->slices[i]->endpoints[k].addr);
}

/* Offset in the range, from nothing but the object's kind and name. */
static uint32_t hashed_offset(enum use use, const struct kube_meta *m)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	_cleanup_(mem_free) char *text = mem_printf("%s/%s/%s", kinds[use], m->ns, m->name);
	uint64_t hash;

	_Static_assert(sizeof(hash) == crypto_shorthash_BYTES, "a hash is one word");
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text, strlen(text), key);
	return le64toh(hash) % range_size[use];
}

static void report_exhausted(struct assign *as, const struct kube_meta *m, enum use use, int family)
{
	_cleanup_(mem_free) char *object =
		use == FOR_PODS
			? store_pod_text((const struct kube_pod *)m)
			: mem_printf("%s %s%s%s", kinds[use], m->ns, *m->ns ? "/" : "", m->name);

	diag_add(&as->store->diags, DIAG_ERROR, kube_code_text(KUBE_E_EXHAUSTED), &m->src, object,
		 NULL, "no address is left in %s, the range for objects without an address",
		 ranges[use][family]);
}

/* A free address; zero, after reporting it, when the range is exhausted. */
static struct weir_addr assign_addr(struct assign *as, enum use use, const struct kube_meta *m,
				    int family)
{
	uint32_t offset = hashed_offset(use, m);
	struct cidr range;

	cidr_parse(ranges[use][family], &range);
	for (uint32_t i = 0; i < range_size[use] && !as->full[use][family]; i++) {
		struct weir_addr a = range.addr;

		a.w[3] = htonl(ntohl(a.w[3]) + FIRST_OFFSET + (offset + i) % range_size[use]);
		if (is_taken(as, &a))
			continue;
		take(as, &a);
		as->used[use][family] = true;
		return a;
	}
	as->full[use][family] = true;
	report_exhausted(as, m, use, family);
	return (struct weir_addr){};
}

/* ---- Nodes ---- */

static void assign_node(struct assign *as, struct kube_node *node)
{
	struct weir_addr *addrs;

	if (node->n_addrs)
		return;
	addrs = arena_zalloc(&node->meta.arena, 2 * sizeof(*addrs));
	for (int family = 0; family < 2; family++) {
		if (!as->families[family])
			continue;
		addrs[node->n_addrs] = assign_addr(as, FOR_NODES, &node->meta, family);
		node->primary[family] = addrs[node->n_addrs];
		node->n_addrs += !weir_addr_is_zero(&addrs[node->n_addrs]);
	}
	node->addrs = addrs;
	as->n[FOR_NODES]++;
}

/* ---- Pods and Services ---- */

static bool lacks_addr(const struct weir_addr addr[2])
{
	return weir_addr_is_zero(&addr[0]) && weir_addr_is_zero(&addr[1]);
}

static void share_node_addrs(struct store *s, struct kube_pod *pod)
{
	const struct kube_node *node = store_node(s, pod->node);

	for (size_t i = 0; node && i < node->n_addrs; i++) {
		int family = addr_family(&node->addrs[i]);

		if (weir_addr_is_zero(&pod->addr[family]))
			pod->addr[family] = node->addrs[i];
	}
}

static void assign_pod(struct assign *as, struct kube_pod *pod)
{
	if (kube_pod_ended(pod))
		return;
	if (!*pod->node && as->store->n_nodes)
		pod->node = arena_strdup(&pod->meta.arena, as->store->nodes[0]->meta.name);
	if (!lacks_addr(pod->addr))
		return;
	if (pod->host_network)
		share_node_addrs(as->store, pod);
	for (int family = 0; family < 2 && !pod->host_network; family++)
		if (as->families[family])
			pod->addr[family] = assign_addr(as, FOR_PODS, &pod->meta, family);
	if (!pod->has_status || pod->phase != KUBE_RUNNING)
		pod->ready = true;
	pod->phase = KUBE_RUNNING;
	as->n[FOR_PODS]++;
}

/* One address of each family that the Service wants and lacks. */
static void assign_service(struct assign *as, struct kube_service *svc)
{
	bool assigned = false;

	if (svc->headless || svc->type == KUBE_EXTERNAL_NAME)
		return;
	for (int family = 0; family < 2; family++) {
		if (!svc->wants_family[family] || !weir_addr_is_zero(&svc->cluster_ip[family]))
			continue;
		svc->cluster_ip[family] = assign_addr(as, FOR_SERVICES, &svc->meta, family);
		assigned = true;
	}
	svc->needs_cluster_ip = false;
	as->n[FOR_SERVICES] += assigned;
}

/* The families of the addresses that pods have; both when no pod has one. */
static void choose_families(struct assign *as)
{
	for (size_t i = 0; i < 2 * as->store->n_pods; i++)
		if (!weir_addr_is_zero(&as->store->pods[i / 2]->addr[i % 2]))
			as->families[i % 2] = true;
	if (!as->families[0] && !as->families[1])
		as->families[0] = as->families[1] = true;
}

static void note_assigned(struct assign *as)
{
	static const char *const what[_USE_MAX] = { "node", "pod", "Service" };
	char text[256] = "";
	size_t len = 0;

	for (int use = 0; use < _USE_MAX; use++) {
		const bool *used = as->used[use];

		if (!as->n[use])
			continue;
		len += snprintf(text + len, sizeof(text) - len, "%s%zu %s%s", len ? ", " : "",
				as->n[use], what[use], as->n[use] == 1 ? "" : "s");
		if (used[0] || used[1])
			len += snprintf(text + len, sizeof(text) - len, " (%s%s%s)",
					used[0] ? ranges[use][0] : "",
					used[0] && used[1] ? ", " : "",
					used[1] ? ranges[use][1] : "");
	}
	if (len && !as->store->diags.errors && !store_is_empty(as->store))
		diag_add(&as->store->diags, DIAG_NOTE, NULL, NULL, NULL, NULL,
			 "assigned addresses to %s%s", text,
			 as->n[FOR_PODS] ? "; assuming that these pods are Running and Ready" : "");
}

void store_assign_addresses(struct store *s)
{
	struct assign as = { .store = s };
	struct taken *t, *next;

	choose_families(&as);
	take_all(&as);
	for (size_t i = 0; i < s->n_nodes; i++)
		assign_node(&as, s->nodes[i]);
	for (size_t i = 0; i < s->n_pods; i++)
		assign_pod(&as, s->pods[i]);
	for (size_t i = 0; i < s->n_services; i++)
		assign_service(&as, s->services[i]);
	note_assigned(&as);
	HASH_ITER(hh, as.taken, t, next) {
		HASH_DEL(as.taken, t);
		free(t);
	}
}

void store_warn_missing(struct store *s)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		struct kube_pod *pod = s->pods[i];
		_cleanup_(mem_free) char *object = NULL;

		if (kube_pod_ended(pod) || !lacks_addr(pod->addr))
			continue;
		if (pod->host_network)
			share_node_addrs(s, pod);
		if (!lacks_addr(pod->addr))
			continue;
		object = store_pod_text(pod);
		diag_add(
			&s->diags, DIAG_WARNING, NULL, &pod->meta.src, object, "status.podIPs",
			"missing: without an IP, Services and selectors ignore this Pod; use manifests read from the cluster (kubectl get pods -A -o yaml) or 'weir sandbox up', which assigns IPs");
	}
	for (size_t i = 0; i < s->n_services; i++) {
		const struct kube_service *svc = s->services[i];
		_cleanup_(mem_free) char *object = NULL;

		if (!svc->needs_cluster_ip)
			continue;
		object = mem_printf("Service %s/%s", svc->meta.ns, svc->meta.name);
		diag_add(
			&s->diags, DIAG_WARNING, NULL, &svc->meta.src, object, "spec.clusterIP",
			"missing: Weir does not serve this Service; use manifests read from the cluster");
	}
}
