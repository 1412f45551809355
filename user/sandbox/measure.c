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

		probes[i] = (struct sandbox_probe){
			.from = item->from,
			.to = item->to,
			.dst = item->to_kind == REPORT_NODE ? m->net.node_addr[item->family]
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

static const char *name_of(const struct measure *m)
{
	return m->name ? m->name : SANDBOX_DEFAULT_NAME;
}

int measure_read_tables(struct measure *m, struct weir_err *err)
{
	int r = live_open(&m->live, name_of(m), err);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		m->sizes[map] = node_map_max(m->live.node, map);
	for (int i = 0; i < WEIR_OVERLAY_WORDS; i++)
		m->overlay_ports[i] = node_config(m->live.node)->overlay_ports[i];
	live_unfit(&m->live, &m->unfit);
	return 0;
}

int measure_compare(const struct measure *m, struct sync_delta *ret_delta, struct weir_err *err)
{
	*ret_delta = (struct sync_delta){};
	if (!m->live.node)
		return 0;
	return live_compare(m->live.node, name_of(m), m->plan, ret_delta, err);
}

/* ---- Services ---- */

/* Where a backend's server runs: "ns/pod", "node"; NULL: the sandbox has none. */
static const char *backend_where(const struct measure *m, const struct plan_backend *b,
				 struct arena *names)
{
	const struct kube_pod *pod = store_pod_by_addr(m->store, &b->addr);

	if (pod)
		return arena_printf(names, "%s/%s", pod->meta.ns, pod->meta.name);
	for (size_t i = 0; i < m->net.n_local; i++)
		if (weir_addr_equal(&m->net.local[i], &b->addr))
			return "node";
	return NULL;
}

/*
 * Counts the candidates that the source may reach. True: there are none, and requests are rejected.
 */
static bool expect(const struct measure *m, const struct plan_frontend *f,
		   const struct kube_pod *pod, struct measure_spread *s)
{
	_cleanup_(arena_free) struct arena names = {};
	const struct plan_service *service = &m->plan->services[f->service];
	struct oracle_query q = { .src = pod->addr[service->family],
				  .dst = f->addr,
				  .proto = f->proto,
				  .port = f->port };
	struct oracle_answer a;

	if (!service->n_internal) {
		oracle_judge(m->plan, &q, &a);
		return weir_verdict_of(a.reason) == WEIR_REJECT;
	}
	s->candidates += service->n_internal;
	for (; q.pick < service->n_internal; q.pick++) {
		const struct plan_backend *b = &m->plan->backends[service->internal[q.pick]];

		oracle_judge(m->plan, &q, &a);
		s->allowed += a.reason == WEIR_FORWARDED;
		s->elsewhere += a.reason == WEIR_FORWARDED && !backend_where(m, b, &names);
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

/* Both families of a service port share one line. */
static struct measure_spread *spread_of(struct measure *m, const struct plan_frontend *f,
					const char *from)
{
	const struct plan_service *service = &m->plan->services[f->service];
	char *text = mem_printf("%s/%s:%u/%s", service->ns, service->service, f->port,
				proto_text(f->proto));
	struct measure_spread *s;

	for (size_t i = 0; i < m->n_spreads; i++) {
		if (!strcmp(m->spreads[i].service, text) && !strcmp(m->spreads[i].from, from)) {
			free(text);
			return &m->spreads[i];
		}
	}
	s = VEC_ADD(m->spreads, m->n_spreads, m->cap_spreads);
	s->service = text;
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

static void add_frontend_probes(struct measure *m, struct probe_list *list,
				const struct plan_frontend *f)
{
	const struct plan_service *service = &m->plan->services[f->service];

	for (size_t row = 0; row < report_n_rows(m->report); row++) {
		const char *from = report_row_text(m->report, row);
		const struct kube_pod *pod = row_pod(m, from);
		struct measure_spread *s;
		unsigned int n;
		bool rejects;

		/* a cluster IP serves neither the node's own nor outside clients yet */
		if (!pod || pod->host_network || weir_addr_is_zero(&pod->addr[service->family]))
			continue;
		s = spread_of(m, f, from);
		rejects = expect(m, f, pod, s);
		n = s->allowed && !rejects ? m->requests : 2;
		if (rejects)
			s->rejects += n;
		while (n--) {
			size_t at = list->n;
			struct sandbox_probe *probe = VEC_ADD(list->probes, list->n, list->cap);

			*VEC_ADD(list->spread, at, list->cap_spread) = s - m->spreads;
			*probe = (struct sandbox_probe){ .from = from,
							 .dst = f->addr,
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
static void add_backend_probes(struct measure *m, struct probe_list *list, struct arena *names)
{
	for (size_t i = 0; i < m->plan->n_backends; i++) {
		const struct plan_backend *b = &m->plan->backends[i];
		const char *where = backend_where(m, b, names);

		if (!where)
			continue;
		*VEC_ADD(list->probes, list->n, list->cap) = (struct sandbox_probe){
			.from = "node",
			.to = where,
			.dst = b->addr,
			.proto = m->plan->services[b->service].proto,
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

	for (size_t i = 0; i < m->plan->n_frontends; i++)
		if (m->plan->frontends[i].service)
			add_frontend_probes(m, &list, &m->plan->frontends[i]);
	n_counted = list.n;
	add_backend_probes(m, &list, &names);
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

void measure_free(struct measure *m)
{
	for (size_t i = 0; i < m->n_spreads; i++) {
		free(m->spreads[i].service);
		free(m->spreads[i].backends);
	}
	free(m->spreads);
	free(m->results);
	report_free(&m->report);
	plan_free(&m->plan);
	plan_unfit_free(&m->unfit);
	if (m->live.node)
		live_close(&m->live);
	sandbox_net_free(&m->net);
	memset(m, 0, sizeof(*m));
}
