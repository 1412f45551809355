// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Objects that have a reserved address of hairpin traffic. See hairpin.h. */
#include "cli/hairpin.h"

#include "base/addr.h"
#include "base/mem.h"

#define WARNINGS_MAX 5

/* What has an address, as text: "the address of Pod shop/web". */
struct users {
	struct arena arena;
	const struct weir_addr *addr;
	const char *items[WARNINGS_MAX]; /* the first ones */
	size_t n; /* of items */
};

static void users_free(struct users *u)
{
	arena_free(&u->arena);
}

static bool holds(const struct weir_addr *list, size_t n, const struct weir_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (weir_addr_equal(&list[i], addr))
			return true;
	return false;
}

static void add_user(struct users *u, const char *what, const struct kube_meta *m)
{
	if (u->n < WARNINGS_MAX)
		u->items[u->n++] =
			arena_printf(&u->arena, "%s of %s %s%s%s", what, kube_kind_text(m->kind),
				     m->ns, *m->ns ? "/" : "", m->name);
}

static void check_service(const struct kube_service *svc, struct users *u)
{
	if (holds(svc->cluster_ip, 2, u->addr))
		add_user(u, "a cluster IP", &svc->meta);
	else if (holds(svc->external_ips, svc->n_external_ips, u->addr))
		add_user(u, "an external IP", &svc->meta);
	else if (holds(svc->balancer_ips, svc->n_balancer_ips, u->addr))
		add_user(u, "a load balancer IP", &svc->meta);
}

/* Pods of all nodes: this node's pods may connect to them. */
static void find_users(const struct plan_input *in, struct users *u)
{
	const struct store *s = in->store;

	for (size_t i = 0; i < s->n_pods; i++)
		if (!kube_pod_ended(s->pods[i]) && holds(s->pods[i]->addr, 2, u->addr))
			add_user(u, "the address", &s->pods[i]->meta);
	for (size_t i = 0; i < s->n_nodes; i++)
		if (holds(s->nodes[i]->addrs, s->nodes[i]->n_addrs, u->addr))
			add_user(u, "an address", &s->nodes[i]->meta);
	for (size_t i = 0; i < s->n_services; i++)
		check_service(s->services[i], u);
	if (u->n < WARNINGS_MAX && holds(in->local_addrs, in->n_local_addrs, u->addr))
		u->items[u->n++] = "an address of this machine";
}

/* Derived slices repeat the addresses of pods. */
static void find_endpoints(const struct store *s, struct users *u)
{
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t k = 0; k < s->slices[i]->n_endpoints && !s->slices[i]->derived; k++)
			if (weir_addr_equal(&s->slices[i]->endpoints[k].addr, u->addr))
				add_user(u, "the address of an endpoint", &s->slices[i]->meta);
}

int hairpin_check(const struct plan_input *in, const struct settings *s)
{
	char text[ADDR_TEXT_MAX];

	for (int family = 0; family < 2; family++) {
		const enum setting id = SETTING_HAIRPIN_V4 + family;
		_cleanup_(users_free) struct users u = { .addr = &s->hairpin[family] };

		if (!setting_given(s, id))
			continue;
		find_users(in, &u);
		if (u.n)
			return load_settings_refuse(s, id, KUBE_E_ADDRESS,
						    "%s is %s: give one that nothing uses",
						    addr_text(u.addr, text), u.items[0]);
	}
	return EXIT_OK;
}

void hairpin_warn(const struct plan_input *in, const struct weir_addr addr[2])
{
	char text[ADDR_TEXT_MAX];
	size_t said = 0;

	for (int family = 0; family < 2; family++) {
		_cleanup_(users_free) struct users u = { .addr = &addr[family] };

		find_users(in, &u);
		find_endpoints(in->store, &u);
		for (size_t i = 0; i < u.n && said < WARNINGS_MAX; i++, said++)
			cli_warn(
				"hairpin address %s is %s: its traffic is dropped as reserved-address; "
				"change it, or load with --rebuild and another --hairpin-v%d",
				addr_text(&addr[family], text), u.items[i], family ? 6 : 4);
	}
}
