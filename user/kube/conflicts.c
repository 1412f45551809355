// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Conflicts: cluster IPs and node ports that two Services claim. The API server allocates each to
 * one Service and refuses the second; so do these checks, for objects that were not read from a
 * server. They change no object: where a server did admit both, compile decides (SVC-7). A cluster
 * IP that a pod or node has, and an external IP that a pod has, is a warning: which addresses a
 * cluster sets apart for Services is not in the manifests.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/store_private.h"

/* A cluster IP (proto and port zero), or a node port (addr zero). */
struct resource {
	struct weir_addr addr;
	uint32_t proto, port;
};

struct allocation {
	UT_hash_handle hh;
	struct resource key;
	const struct kube_service *owner;
};

struct allocations {
	struct store *store;
	struct allocation *head;
};

/* The other Service that has the resource. NULL: none has; it is allocated to svc. */
static const struct kube_service *other_owner(struct allocations *all, const struct resource *key,
					      const struct kube_service *svc)
{
	const struct kube_meta *first, *m = &svc->meta;
	struct allocation *a;

	HASH_FIND(hh, all->head, key, sizeof(*key), a);
	if (!a) {
		a = mem_zalloc(sizeof(*a));
		a->key = *key;
		a->owner = svc;
		HASH_ADD(hh, all->head, key, sizeof(a->key), a);
	}
	/* the same name: a duplicate, which store_drop_duplicates() reports */
	first = &a->owner->meta;
	return strcmp(first->ns, m->ns) || strcmp(first->name, m->name) ? a->owner : NULL;
}

static void report(struct allocations *all, const struct kube_service *svc,
		   const struct kube_service *owner, const char *field, const char *what)
{
	_cleanup_(mem_free) char *object =
		mem_printf("Service %s/%s", svc->meta.ns, svc->meta.name);
	const struct kube_meta *first = &owner->meta;

	diag_add(&all->store->diags, DIAG_ERROR, kube_code_text(KUBE_E_ALLOCATED), &svc->meta.src,
		 object, field,
		 "%s belongs to Service %s/%s at %s:%d:%d: the API server would refuse it", what,
		 first->ns, first->name, first->src.file ? first->src.file : "?", first->src.line,
		 first->src.col);
}

static void check_cluster_ips(struct allocations *all, const struct kube_service *svc)
{
	char text[ADDR_TEXT_MAX];

	for (int family = 0; family < 2; family++) {
		const struct resource key = { .addr = svc->cluster_ip[family] };
		const struct kube_service *owner;

		if (weir_addr_is_zero(&key.addr))
			continue;
		owner = other_owner(all, &key, svc);
		if (owner)
			report(all, svc, owner, "spec.clusterIP", addr_text(&key.addr, text));
	}
}

static void check_node_ports(struct allocations *all, const struct kube_service *svc)
{
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct kube_service_port *p = &svc->ports[i];
		const struct resource key = { .proto = p->proto, .port = p->node_port };
		const struct kube_service *owner =
			p->node_port ? other_owner(all, &key, svc) : NULL;
		_cleanup_(mem_free) char *field = NULL, *what = NULL;

		if (!owner)
			continue;
		field = mem_printf("spec.ports[%zu].nodePort", i);
		what = mem_printf("%u/%s", p->node_port, proto_text(p->proto));
		report(all, svc, owner, field, what);
	}
}

/* Packets to the address reach the Service instead of the object that has it. */
static void warn_taken(struct store *s, const struct kube_service *svc, const char *field,
		       const struct weir_addr *addr, const char *kind, const struct kube_meta *m)
{
	_cleanup_(mem_free) char *object =
		mem_printf("Service %s/%s", svc->meta.ns, svc->meta.name);
	char text[ADDR_TEXT_MAX];

	diag_add(&s->diags, DIAG_WARNING, NULL, &svc->meta.src, object, field,
		 "%s is also the address of %s %s%s%s: packets to it reach this Service",
		 addr_text(addr, text), kind, m->ns, *m->ns ? "/" : "", m->name);
}

static void check_address(const struct allocations *all, const struct weir_addr *addr,
			  const char *kind, const struct kube_meta *m)
{
	const struct resource key = { .addr = *addr };
	struct allocation *a;

	HASH_FIND(hh, all->head, &key, sizeof(key), a);
	if (a)
		warn_taken(all->store, a->owner, "spec.clusterIP", addr, kind, m);
}

static void check_addresses(const struct allocations *all)
{
	const struct store *s = all->store;

	for (size_t i = 0; i < s->n_pods; i++)
		for (int family = 0; family < 2; family++)
			if (kube_pod_has_identity(s->pods[i]))
				check_address(all, &s->pods[i]->addr[family], "Pod",
					      &s->pods[i]->meta);
	for (size_t i = 0; i < s->n_nodes; i++)
		for (size_t j = 0; j < s->nodes[i]->n_addrs; j++)
			check_address(all, &s->nodes[i]->addrs[j], "Node", &s->nodes[i]->meta);
}

void store_check_conflicts(struct store *s)
{
	struct allocations all = { .store = s };
	struct allocation *a, *next;

	for (size_t i = 0; i < s->n_services; i++) {
		check_cluster_ips(&all, s->services[i]);
		check_node_ports(&all, s->services[i]);
	}
	check_addresses(&all);
	HASH_ITER(hh, all.head, a, next) {
		HASH_DEL(all.head, a);
		free(a);
	}
}

void store_warn_external_ips(struct store *s)
{
	for (size_t i = 0; i < s->n_services; i++) {
		const struct kube_service *svc = s->services[i];

		for (size_t j = 0; j < svc->n_external_ips; j++) {
			const struct weir_addr *addr = &svc->external_ips[j];
			const struct kube_pod *pod = store_pod_by_addr(s, addr);

			if (pod)
				warn_taken(s, svc, "spec.externalIPs", addr, "Pod", &pod->meta);
		}
	}
}
