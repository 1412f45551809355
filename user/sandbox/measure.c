// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Compares expected with measured verdicts. The report and the oracle give the expected ones, real
 * connections between the sandbox's namespaces the measured ones.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/live.h"
#include "sandbox/measure.h"

static bool declares(const struct kube_pod *pod, int proto, uint16_t port)
{
	for (size_t i = 0; pod && i < pod->n_ports; i++)
		if (pod->ports[i].proto == proto && pod->ports[i].port == port)
			return true;
	return false;
}

static int collect(const struct report_item *item, void *ctx)
{
	struct measure *m = ctx;

	if (m->all_ports || declares(item->to_pod, item->proto, item->port))
		VEC_ADD(m->results, m->n, m->cap)->item = *item;
	return 0;
}

int measure_matrix(struct measure *m, struct weir_err *err)
{
	_cleanup_(mem_free) struct sandbox_probe *probes = NULL;
	int r = report_each(m->report, collect, m, err);

	if (r)
		return r;
	probes = mem_zalloc((m->n + 1) * sizeof(*probes));
	for (size_t i = 0; i < m->n; i++) {
		const struct report_item *item = &m->results[i].item;

		const struct kube_pod *pod = item->from_pod ? item->from_pod : item->to_pod;
		size_t node = sandbox_node_index(&m->net, pod->node);
		const char *where = m->nodes[node].where;

		probes[i] = (struct sandbox_probe){
			.from = item->from_kind == REPORT_NODE ? where : item->from,
			.to = item->to_kind == REPORT_NODE ? where : item->to,
			.dst = item->to_kind == REPORT_NODE ? m->net.nodes[node].addr[item->family]
							    : item->dst,
			.proto = item->proto,
			.port = item->port,
			.expect_allow = item->allow,
		};
	}
	r = sandbox_probe(m->name, probes, m->n, m->timeout_ms, err);
	for (size_t i = 0; i < m->n && !r; i++) {
		m->results[i].measured = probes[i].measured;
		m->results[i].us = probes[i].us;
	}
	return r;
}

static int read_tables(struct measure_node *n, struct weir_err *err)
{
	int r = live_open(&n->live, n->instance, err);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		n->sizes[map] = node_map_max(n->live.node, map);
	for (int i = 0; i < WEIR_OVERLAY_WORDS; i++)
		n->overlay_ports[i] = node_config(n->live.node)->overlay_ports[i];
	live_unfit(&n->live, &n->unfit);
	return 0;
}

int measure_compile(struct measure *m, struct weir_err *err)
{
	int r = 0;

	m->nodes = mem_zalloc(m->net.n_nodes * sizeof(*m->nodes));
	m->plans = mem_zalloc(m->net.n_nodes * sizeof(*m->plans));
	for (size_t i = 0; i < m->net.n_nodes && !r; i++) {
		struct measure_node *n = &m->nodes[i];

		n->instance = sandbox_instance(m->name, &m->net, i);
		n->where = sandbox_node_where(&m->net, i);
		r = read_tables(n, err);
		n->plan = sandbox_plan(m->store, &m->net.nodes[i], n->sizes, &n->unfit,
				       n->overlay_ports);
		m->plans[i] = (struct report_plan){ m->net.nodes[i].name, n->plan };
	}
	return r;
}

int measure_compare(const struct measure *m, struct measure_drift *ret_drift, struct weir_err *err)
{
	int r = 0;

	*ret_drift = (struct measure_drift){};
	for (size_t i = 0; i < m->net.n_nodes && !r; i++) {
		const struct measure_node *n = &m->nodes[i];
		struct sync_delta d = {};

		if (n->live.node)
			r = live_compare(n->live.node, n->instance, n->plan, &d, err);
		ret_drift->writes += sync_delta_writes(&d);
		ret_drift->extra_pods += d.gated;
		ret_drift->missing_pods += d.unplugged;
	}
	return r;
}

/* ---- Services ---- */

/* Where a backend's server runs, as of sandbox_netns(); NULL: the sandbox has none. */
static const char *backend_where(const struct measure *m, const struct plan_backend *b,
				 struct arena *names)
{
	const struct kube_pod *pod = store_pod_by_addr(m->store, &b->addr);

	if (pod)
		return arena_printf(names, "%s/%s", pod->meta.ns, pod->meta.name);
	for (size_t i = 0; i < m->net.n_nodes; i++)
		for (size_t a = 0; a < m->net.nodes[i].n_local; a++)
			if (weir_addr_equal(&m->net.nodes[i].local[a], &b->addr))
				return m->nodes[i].where;
	return NULL;
}

/* By the plan of the node that the backend is on: the pod's node judges what leaves it. */
static bool arrives(const struct measure *m, const struct oracle_query *q,
		    const struct plan_backend *b)
{
	const struct kube_pod *pod = store_pod_by_addr(m->store, &b->addr);
	struct oracle_query at_backend = {
		.src = q->src, .dst = b->addr, .proto = q->proto, .port = b->port
	};
	struct oracle_answer a;

	if (!pod)
		return true;
	oracle_judge(m->nodes[sandbox_node_index(&m->net, pod->node)].plan, &at_backend, &a);
	return a.reason == WEIR_FORWARDED;
}

/* Where a pod asks for the frontend. False: this node has no address for it. */
static bool frontend_addr(const struct plan *p, const struct plan_frontend *f,
			  struct weir_addr *ret_addr)
{
	*ret_addr = f->addr;
	if (f->scope != WEIR_SCOPE_NODE_PORT)
		return true;
	for (size_t i = 0; i < p->n_node_addrs; i++)
		if (p->node_addrs[i].node_ports &&
		    addr_family(&p->node_addrs[i].addr) == addr_family(&f->addr)) {
			*ret_addr = p->node_addrs[i].addr;
			return true;
		}
	return false;
}

/*
 * Counts the candidates that the source may reach. True: there are none, and requests are rejected.
 */
static bool expect(const struct measure *m, const struct plan *plan,
		   const struct oracle_query *query, struct measure_spread *s)
{
	const struct plan_list *list = oracle_candidates(plan, query);
	_cleanup_(arena_free) struct arena names = {};
	struct oracle_query q = *query;
	struct oracle_answer a;

	if (!list->n) {
		oracle_judge(plan, &q, &a);
		return weir_verdict_of(a.reason) == WEIR_REJECT;
	}
	s->candidates += list->n;
	for (; q.pick < list->n; q.pick++) {
		const struct plan_backend *b = &plan->backends[list->items[q.pick]];
		bool reaches;

		oracle_judge(plan, &q, &a);
		reaches = a.reason == WEIR_FORWARDED && arrives(m, &q, b);
		s->allowed += reaches;
		s->elsewhere += reaches && !backend_where(m, b, &names);
	}
	return false;
}

static void count_answer(struct measure_spread *s, const char *name)
{
	struct measure_backend *b;

	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->backends[i].name, name)) {
			s->backends[i].answers++;
			return;
		}
	}
	b = VEC_ADD(s->backends, s->n, s->cap);
	snprintf(b->name, sizeof(b->name), "%s", name);
	b->answers = 1;
}

static void count(struct measure_spread *s, const struct sandbox_probe *probe)
{
	s->requests++;
	s->refused += probe->measured == SANDBOX_REFUSED;
	s->elsewhere += probe->measured == SANDBOX_UNKNOWN; /* SCTP: servers here lack it */
	if (probe->measured != SANDBOX_ALLOW)
		return;
	s->answered++;
	count_answer(s, probe->answer);
}

/* "shop/api:80/TCP", "shop/api:30080/TCP (NodePort)": the kind, if it is no cluster IP. */
static char *spread_text(const struct plan_service *service, const struct plan_frontend *f)
{
	const char *kind = NULL;

	for (int i = 0; !kind && f->kinds >> i; i++)
		if (f->kinds >> i & 1 && 1 << i != PLAN_CLUSTER_IP)
			kind = plan_frontend_kind_text(1 << i);
	if (f->kinds & PLAN_CLUSTER_IP || !kind)
		return mem_printf("%s/%s:%u/%s", service->ns, service->service, f->port,
				  proto_text(f->proto));
	return mem_printf("%s/%s:%u/%s (%s)", service->ns, service->service, f->port,
			  proto_text(f->proto), kind);
}

/* Both families of a service port share one line for each kind of frontend. */
static struct measure_spread *spread_of(struct measure *m, const struct plan_service *service,
					const struct plan_frontend *f, const char *from)
{
	char *text = spread_text(service, f);
	struct measure_spread *s;

	for (size_t i = 0; i < m->n_spreads; i++) {
		if (!strcmp(m->spreads[i].service, text) && !strcmp(m->spreads[i].from, from)) {
			free(text);
			return &m->spreads[i];
		}
	}
	s = VEC_ADD(m->spreads, m->n_spreads, m->cap_spreads);
	s->service = text;
	s->port = service;
	s->frontend = f;
	s->from = from;
	return s;
}

struct probe_list {
	struct sandbox_probe *probes;
	size_t *spread; /* of each probe: index in measure.spreads */
	size_t n, cap, cap_spread;
};

static const struct kube_pod *row_pod(const struct measure *m, const char *text)
{
	const char *slash = strchr(text, '/');
	_cleanup_(mem_free) char *ns = slash ? mem_strndup(text, slash - text) : NULL;

	return slash ? store_pod(m->store, ns, slash + 1) : NULL;
}

/* From the pods of a node. */
static void add_frontend_probes(struct measure *m, struct probe_list *list, size_t node,
				const struct plan_frontend *f)
{
	const struct plan *plan = m->nodes[node].plan;
	const struct plan_service *service = &plan->services[f->service];
	struct oracle_query q = { .proto = f->proto, .port = f->port };

	if (!frontend_addr(plan, f, &q.dst))
		return;
	for (size_t row = 0; row < report_n_rows(m->report); row++) {
		const char *from = report_row_text(m->report, row);
		const struct kube_pod *pod = row_pod(m, from);
		struct measure_spread *s;
		unsigned int n;
		bool rejects;

		/* neither the node's own nor outside clients are measured yet */
		if (!pod || pod->host_network || weir_addr_is_zero(&pod->addr[service->family]) ||
		    sandbox_node_index(&m->net, pod->node) != node)
			continue;
		s = spread_of(m, service, f, from);
		q.src = pod->addr[service->family];
		rejects = expect(m, plan, &q, s);
		n = s->allowed && !rejects ? m->requests : 2;
		if (rejects)
			s->rejects += n;
		while (n--) {
			size_t at = list->n;
			struct sandbox_probe *probe = VEC_ADD(list->probes, list->n, list->cap);

			*VEC_ADD(list->spread, at, list->cap_spread) = s - m->spreads;
			*probe = (struct sandbox_probe){ .from = from,
							 .dst = q.dst,
							 .proto = f->proto,
							 .port = f->port,
							 .expect_allow =
								 s->allowed == s->candidates };
		}
	}
}

/*
 * A backend's port may be one that no container declares. A direct probe of the backend starts a
 * temporary server there. Its result is not used: these probes come after the counted ones.
 */
static void add_backend_probes(struct measure *m, struct probe_list *list, size_t node,
			       struct arena *names)
{
	const struct plan *plan = m->nodes[node].plan;

	for (size_t i = 0; i < plan->n_backends; i++) {
		const struct plan_backend *b = &plan->backends[i];
		const char *where = backend_where(m, b, names);

		if (!where)
			continue;
		*VEC_ADD(list->probes, list->n, list->cap) = (struct sandbox_probe){
			.from = m->nodes[node].where,
			.to = where,
			.dst = b->addr,
			.proto = plan->services[b->service].proto,
			.port = b->port,
		};
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct measure_backend *)a)->name,
		      ((const struct measure_backend *)b)->name);
}

int measure_services(struct measure *m, struct weir_err *err)
{
	_cleanup_(arena_free) struct arena names = {};
	struct probe_list list = {};
	size_t n_counted;
	int r;

	for (size_t node = 0; node < m->net.n_nodes; node++) {
		const struct plan *plan = m->nodes[node].plan;

		for (size_t i = 0; i < plan->n_frontends; i++)
			if (plan->frontends[i].service)
				add_frontend_probes(m, &list, node, &plan->frontends[i]);
	}
	n_counted = list.n;
	for (size_t node = 0; node < m->net.n_nodes; node++)
		add_backend_probes(m, &list, node, &names);
	r = sandbox_probe(m->name, list.probes, list.n, m->timeout_ms, err);
	for (size_t i = 0; i < n_counted && !r; i++)
		count(&m->spreads[list.spread[i]], &list.probes[i]);
	for (size_t i = 0; i < m->n_spreads; i++)
		if (m->spreads[i].n)
			qsort(m->spreads[i].backends, m->spreads[i].n,
			      sizeof(*m->spreads[i].backends), by_name);
	free(list.probes);
	free(list.spread);
	return r;
}

/* ---- Agreement ---- */

bool measure_agrees(const struct measure_result *r)
{
	if (r->measured == SANDBOX_UNKNOWN)
		return true;
	return r->measured == (r->item.allow ? SANDBOX_ALLOW : SANDBOX_DENY);
}

/* True too where nothing can be measured, because a backend is no pod of the sandbox. */
bool measure_spread_agrees(const struct measure_spread *s)
{
	if (s->elsewhere)
		return true;
	if (s->refused < s->rejects)
		return false;
	if (!s->allowed)
		return !s->answered;
	if (s->allowed == s->candidates)
		return s->answered + s->rejects == s->requests;
	return s->answered > 0; /* the choice among backends is random */
}

const char *measure_spread_expected(const struct measure_spread *s)
{
	if (s->rejects && s->rejects == s->requests)
		return "refused";
	return !s->allowed ? "deny" : s->allowed == s->candidates ? "allow" : "partly";
}

size_t measure_differences(const struct measure *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !measure_agrees(&m->results[i]);
	for (size_t i = 0; i < m->n_spreads; i++)
		n += !measure_spread_agrees(&m->spreads[i]);
	return n;
}

static void free_node(struct measure_node *n)
{
	free(n->instance);
	free(n->where);
	plan_free(&n->plan);
	plan_unfit_free(&n->unfit);
	if (n->live.node)
		live_close(&n->live);
}

void measure_free(struct measure *m)
{
	for (size_t i = 0; i < m->n_spreads; i++) {
		free(m->spreads[i].service);
		free(m->spreads[i].backends);
	}
	free(m->spreads);
	free(m->results);
	report_free(&m->report);
	for (size_t i = 0; m->nodes && i < m->net.n_nodes; i++)
		free_node(&m->nodes[i]);
	free(m->nodes);
	free(m->plans);
	sandbox_net_free(&m->net);
	memset(m, 0, sizeof(*m));
}
