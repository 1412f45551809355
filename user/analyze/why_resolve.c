// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Finds the objects that FROM and TO name, and a port when none is given. See why.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "analyze/why.h"
#include "base/near.h"

/* The pod with that address, else WORLD; notice_own_node() may change it to NODE. */
static void resolve_addr(const struct why_ask *ask, const struct weir_addr *addr,
			 struct report_end *ret_end)
{
	*ret_end = (struct report_end){ .kind = REPORT_WORLD, .addr = *addr };
	ret_end->pod = store_pod_by_addr(ask->store, addr);
	if (ret_end->pod)
		ret_end->kind = REPORT_POD;
}

/* DNS-6: the headless Service of that name selects a pod with that hostname and subdomain. */
static const struct kube_pod *pod_by_host(const struct store *s, const struct target *t)
{
	const struct kube_service *svc = store_service(s, t->ns, t->service);

	for (size_t i = 0; svc && svc->headless && svc->has_selector && i < s->n_pods; i++) {
		const struct kube_pod *pod = s->pods[i];

		if (!strcmp(pod->meta.ns, t->ns) && !strcmp(pod->hostname, t->name) &&
		    !strcmp(pod->subdomain, t->service) &&
		    kube_selector_matches(&svc->selector, &pod->meta.labels))
			return pod;
	}
	return NULL;
}

/* "ns/name" of every pod, and of every workload that has pods. Sorted, unique. */
static const char **known_names(const struct store *s, struct arena *arena, size_t *ret_n)
{
	const char **names = mem_zalloc((2 * s->n_pods + 1) * sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_meta *m = &s->pods[i]->meta;
		const struct kube_workload *w = store_owner(s, m);

		names[n++] = arena_printf(arena, "%s/%s", m->ns, m->name);
		if (w)
			names[n++] = arena_printf(arena, "%s/%s", m->ns, w->meta.name);
	}
	*ret_n = array_unique(names, n, sizeof(*names), text_order);
	return names;
}

static int unknown_pod(const struct why_ask *ask, const struct target *t, struct weir_err *err)
{
	_cleanup_(mem_free) const char **names = NULL;
	const char *text = arena_printf(ask->arena, "%s/%s", t->ns, t->name), *near;
	size_t n;

	if (store_service(ask->store, t->ns, t->name))
		return err_set(err, -ENOENT,
			       t == &ask->to
				       ? "%s is a Service: use svc/%s"
				       : "FROM cannot be a Service: %s is one; use one of the "
					 "pods that open connections",
			       text, text);
	for (int kind = KUBE_WORKLOAD_FIRST; kind < KUBE_WORKLOAD_FIRST + KUBE_WORKLOADS; kind++)
		if (store_workload(ask->store, kind, t->ns, t->name))
			return err_set(err, -ENOENT, "%s %s has no pods", kube_kind_text(kind),
				       text);
	names = known_names(ask->store, ask->arena, &n);
	near = near_word(text, names, n);
	return err_set(err, -ENOENT, "no pod or workload named %s%s%s%s", text,
		       near ? "; did you mean " : "", near ?: "", near ? "?" : "");
}

/* The pod of that name, else the first pod of the workload of that name. */
static int resolve_pod(const struct why_ask *ask, const struct target *t,
		       const struct kube_pod **ret_pod, struct weir_err *err)
{
	const struct store *s = ask->store;
	const struct kube_pod *pod =
		t->kind == TARGET_HOST ? pod_by_host(s, t) : store_pod(s, t->ns, t->name);

	if (!pod && t->kind == TARGET_HOST)
		return err_set(
			err, -ENOENT,
			"%s.%s.%s: no headless Service %s/%s selects a pod with that hostname and subdomain",
			t->name, t->service, t->ns, t->ns, t->service);
	if (!pod)
		pod = store_first_pod(s, t->ns, t->name);
	if (!pod)
		return unknown_pod(ask, t, err);
	if (kube_pod_ended(pod))
		return err_set(err, -EINVAL,
			       "pod %s/%s has ended (Succeeded or Failed), so it has no traffic",
			       t->ns, t->name);
	*ret_pod = pod;
	return 0;
}

static int resolve_end(const struct why_ask *ask, const struct target *t,
		       struct report_end *ret_end, struct weir_err *err)
{
	switch (t->kind) {
	case TARGET_WORLD:
		*ret_end = (struct report_end){ .kind = REPORT_WORLD };
		return 0;
	case TARGET_NODE:
		*ret_end = (struct report_end){ .kind = REPORT_NODE };
		return 0;
	case TARGET_ADDR:
		resolve_addr(ask, &t->addr, ret_end);
		return 0;
	default:
		*ret_end = (struct report_end){ .kind = REPORT_POD };
		return resolve_pod(ask, t, &ret_end->pod, err);
	}
}

bool why_is_own_node(const struct why_ask *ask, const struct report_end *end,
		     const struct report_end *peer)
{
	const struct plan *plan = peer->pod ? report_plan(ask->report, peer->pod->node) : NULL;

	return plan && end->kind == REPORT_WORLD && !weir_addr_is_zero(&end->addr) &&
	       plan_node_kind(plan, &end->addr) == WEIR_NODE_OWN;
}

static void notice_own_node(const struct why_ask *ask, struct report_end *end,
			    const struct report_end *peer)
{
	if (why_is_own_node(ask, end, peer))
		end->kind = REPORT_NODE;
}

static const struct kube_service *service_by_addr(const struct store *s,
						  const struct weir_addr *addr)
{
	for (size_t i = 0; i < s->n_services; i++)
		for (int f = 0; f < 2; f++)
			if (!weir_addr_is_zero(addr) &&
			    weir_addr_equal(&s->services[i]->cluster_ip[f], addr))
				return s->services[i];
	return NULL;
}

/* Appends "http 8080/TCP" to a list. */
static const char *add_port(struct arena *arena, const char *list, const char *name, uint16_t port,
			    int proto)
{
	return arena_printf(arena, "%s%s%s%s%u/%s", list ?: "", list ? ", " : "", name,
			    *name ? " " : "", port, proto_text(proto));
}

/* "80/TCP, http 8080/TCP": the Service's ports. */
static const char *port_list(const struct why_ask *ask, const struct kube_service *svc)
{
	const char *text = NULL;

	for (size_t i = 0; i < svc->n_ports; i++)
		text = add_port(ask->arena, text, svc->ports[i].name, svc->ports[i].port,
				svc->ports[i].proto);
	return text ?: "none";
}

static int no_pod_port(const struct why_ask *ask, struct weir_err *err)
{
	const struct kube_pod *pod = ask->to_end.pod;
	const struct target *t = &ask->to;
	const char *text = NULL;

	for (size_t i = 0; i < pod->n_ports; i++)
		text = add_port(ask->arena, text, pod->ports[i].name, pod->ports[i].port,
				pod->ports[i].proto);
	return err_set(err, -EINVAL, "pod %s/%s declares no %s%sport named '%s'; it declares %s",
		       pod->meta.ns, pod->meta.name, t->proto ? proto_text(t->proto) : "",
		       t->proto ? " " : "", t->port_name, text ?: "none");
}

/* A number that the Service does not define is valid: SVC-64 says what happens. */
static int service_port(struct why_ask *ask, struct weir_err *err)
{
	const struct kube_service *svc = ask->service;
	const struct target *t = &ask->to;

	if (svc->headless ||
	    (weir_addr_is_zero(&svc->cluster_ip[0]) && weir_addr_is_zero(&svc->cluster_ip[1])))
		return err_set(err, -EINVAL,
			       "Service %s/%s has no cluster IP; use one of its pods as TO",
			       svc->meta.ns, svc->meta.name);
	if (!t->has_port && svc->n_ports != 1)
		return err_set(
			err, -EINVAL, "Service %s/%s has %zu ports; say which, as in svc/%s/%s:80",
			svc->meta.ns, svc->meta.name, svc->n_ports, svc->meta.ns, svc->meta.name);
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct kube_service_port *p = &svc->ports[i];
		bool same = t->port_name ? !strcmp(p->name, t->port_name) : p->port == t->port;

		if ((t->has_port && !same) || (t->proto && t->proto != p->proto))
			continue;
		ask->proto = p->proto;
		ask->port = p->port;
		return 0;
	}
	if (t->port_name || !t->has_port)
		return err_set(err, -EINVAL, "Service %s/%s has no such port; its ports: %s",
			       svc->meta.ns, svc->meta.name, port_list(ask, svc));
	ask->proto = t->proto ? t->proto : IPPROTO_TCP;
	ask->port = t->port;
	ask->no_such_port = port_list(ask, svc);
	return 0;
}

static int pod_port(struct why_ask *ask, struct weir_err *err)
{
	const struct kube_pod *pod = ask->to_end.pod;
	const struct target *t = &ask->to;

	ask->proto = t->proto ? t->proto : IPPROTO_TCP;
	ask->port = t->port;
	if (t->has_port && !t->port_name)
		return 0;
	if (!pod)
		return err_set(err, -EINVAL,
			       strchr(ask->to_text, ':') ? "TO needs a port, as in [%s]:80/TCP"
							 : "TO needs a port, as in %s:80/TCP",
			       ask->to_text);
	if (!t->has_port && pod->n_ports != 1)
		return err_set(err, -EINVAL, "%s declares %zu ports; say which, as in %s:80/TCP",
			       ask->to_text, pod->n_ports, ask->to_text);
	for (size_t i = 0; i < pod->n_ports; i++) {
		if (t->port_name && strcmp(pod->ports[i].name, t->port_name))
			continue;
		if (t->proto && t->proto != pod->ports[i].proto)
			continue;
		ask->proto = pod->ports[i].proto;
		ask->port = pod->ports[i].port;
		return 0;
	}
	return no_pod_port(ask, err);
}

static int resolve_service(struct why_ask *ask, struct weir_err *err)
{
	const struct target *t = &ask->to;

	if (t->kind == TARGET_ADDR)
		ask->service = service_by_addr(ask->store, &t->addr);
	if (t->kind == TARGET_SERVICE)
		ask->service = store_service(ask->store, t->ns, t->name);
	if (t->kind == TARGET_SERVICE && !ask->service)
		return err_set(err, -ENOENT, "there is no Service %s/%s", t->ns, t->name);
	return 0;
}

/* The name to show, without a port. */
static const char *target_text(struct arena *arena, const struct target *t)
{
	char addr[ADDR_TEXT_MAX];

	switch (t->kind) {
	case TARGET_WORLD:
		return "world";
	case TARGET_NODE:
		return "node";
	case TARGET_ADDR:
		return arena_strdup(arena, addr_text(&t->addr, addr));
	case TARGET_SERVICE:
		return arena_printf(arena, "svc/%s/%s", t->ns, t->name);
	case TARGET_HOST:
		return arena_printf(arena, "%s.%s.%s", t->name, t->service, t->ns);
	case TARGET_POD:
		break;
	}
	return arena_printf(arena, "%s/%s", t->ns, t->name);
}

int why_parse(struct why_ask *ask, const char *from, const char *to, struct weir_err *err)
{
	int r = target_parse(from, "FROM", TARGET_WITH_HOST, ask->arena, &ask->from, err);

	if (!r)
		r = target_parse(to, "TO",
				 TARGET_WITH_PORT | TARGET_WITH_SERVICE | TARGET_WITH_HOST,
				 ask->arena, &ask->to, err);
	if (!r)
		r = target_check_families(&ask->from, &ask->to, err);
	if (r)
		return r;
	ask->from_text = target_text(ask->arena, &ask->from);
	ask->to_text = target_text(ask->arena, &ask->to);
	return 0;
}

int why_resolve(struct why_ask *ask, struct weir_err *err)
{
	int r;

	if (ask->from.kind == TARGET_SERVICE)
		return err_set(err, -EINVAL,
			       "FROM cannot be a Service: no packet has its address as source");
	r = resolve_end(ask, &ask->from, &ask->from_end, err);
	if (!r)
		r = resolve_service(ask, err);
	if (r)
		return r;
	if (ask->from_end.pod && ask->from.kind != TARGET_ADDR)
		ask->from_text = arena_printf(ask->arena, "%s/%s", ask->from_end.pod->meta.ns,
					      ask->from_end.pod->meta.name);
	if (ask->service) {
		if (ask->from_end.kind != REPORT_POD || ask->from_end.pod->host_network)
			return err_set(
				err, -EINVAL,
				"not supported yet: if TO is a Service, FROM must be a pod (not world, a node or a "
				"hostNetwork pod)");
		return service_port(ask, err);
	}
	r = resolve_end(ask, &ask->to, &ask->to_end, err);
	if (r)
		return r;
	notice_own_node(ask, &ask->from_end, &ask->to_end);
	notice_own_node(ask, &ask->to_end, &ask->from_end);
	if (!ask->from_end.pod && !ask->to_end.pod)
		return err_set(err, -EINVAL, "neither FROM nor TO is a pod, so no policy applies");
	return pod_port(ask, err);
}
