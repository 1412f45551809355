// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the API server gives to one Service only: cluster IPs and node ports. It refuses the second
 * Service that asks for one; so does this, for objects that no server has seen. Never changes an
 * object: who owns what when a server did let two through is for compiling to decide (SVC-7).
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/store_private.h"

struct claim_key {
	struct weir_addr addr; /* or zero, and a node port: */
	uint32_t proto, port;
};

struct claim {
	UT_hash_handle hh;
	struct claim_key key;
	const struct kube_service *owner;
};

struct claims {
	struct store *store;
	struct claim *head;
};

/* Who has it already, another Service than this one; takes it when nobody has. */
static const struct kube_service *other_owner(struct claims *c, const struct claim_key *key,
					      const struct kube_service *svc)
{
	const struct kube_meta *first, *m = &svc->meta;
	struct claim *claim;

	HASH_FIND(hh, c->head, key, sizeof(*key), claim);
	if (!claim) {
		claim = mem_zalloc(sizeof(*claim));
		claim->key = *key;
		claim->owner = svc;
		HASH_ADD(hh, c->head, key, sizeof(claim->key), claim);
	}
	first = &claim->owner->meta; /* an object that is given twice is told of elsewhere */
	return strcmp(first->ns, m->ns) || strcmp(first->name, m->name) ? claim->owner : NULL;
}

static void report(struct claims *c, const struct kube_service *svc,
		   const struct kube_service *owner, const char *field, const char *what)
{
	_cleanup_(mem_free) char *object =
		mem_printf("Service %s/%s", svc->meta.ns, svc->meta.name);
	const struct kube_meta *first = &owner->meta;

	diag_add(&c->store->diags, DIAG_ERROR, kube_code_text(KUBE_E_CLAIMED), &svc->meta.src,
		 object, field,
		 "%s is that of Service %s/%s at %s:%d:%d: the API server would refuse it", what,
		 first->ns, first->name, first->src.file ? first->src.file : "?", first->src.line,
		 first->src.col);
}

static void claim_addresses(struct claims *c, const struct kube_service *svc)
{
	char text[ADDR_TEXT_MAX];

	for (int family = 0; family < 2; family++) {
		const struct claim_key key = { .addr = svc->cluster_ip[family] };
		const struct kube_service *owner;

		if (weir_addr_is_zero(&key.addr))
			continue;
		owner = other_owner(c, &key, svc);
		if (owner)
			report(c, svc, owner, "spec.clusterIP", addr_text(&key.addr, text));
	}
}

static void claim_node_ports(struct claims *c, const struct kube_service *svc)
{
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct kube_service_port *p = &svc->ports[i];
		const struct claim_key key = { .proto = p->proto, .port = p->node_port };
		const struct kube_service *owner = p->node_port ? other_owner(c, &key, svc) : NULL;
		_cleanup_(mem_free) char *field = NULL, *what = NULL;

		if (!owner)
			continue;
		field = mem_printf("spec.ports[%zu].nodePort", i);
		what = mem_printf("%u/%s", p->node_port, proto_text(p->proto));
		report(c, svc, owner, field, what);
	}
}

void store_check_conflicts(struct store *s)
{
	struct claims c = { .store = s };
	struct claim *claim, *next;

	for (size_t i = 0; i < s->n_services; i++) {
		claim_addresses(&c, s->services[i]);
		claim_node_ports(&c, s->services[i]);
	}
	HASH_ITER(hh, c.head, claim, next)
	{
		HASH_DEL(c.head, claim);
		free(claim);
	}
}
