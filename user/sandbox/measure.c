// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Expected against measured. Expectations come from the report and the oracle, measurements from
 * connections between the sandbox's namespaces; this file only brings the two together and counts
 * where they differ.
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
	struct measure *p = ctx;

	if (p->all_ports || declares(item->to_pod, item->proto, item->port))
		VEC_ADD(p->results, p->n, p->cap)->item = *item;
	return 0;
}

int measure_matrix(struct measure *p, struct weir_err *err)
{
	_cleanup_(mem_free) struct sandbox_probe *probes = NULL;
	int r = report_each(p->report, collect, p, err);

	if (r)
		return r;
	probes = mem_zalloc((p->n + 1) * sizeof(*probes));
	for (size_t i = 0; i < p->n; i++) {
		const struct report_item *item = &p->results[i].item;

		probes[i] = (struct sandbox_probe){
			.from = item->from,
			.to = item->to,
			.dst = item->to_kind == REPORT_NODE ? p->net.node_addr[item->family]
							    : item->dst,
			.proto = item->proto,
			.port = item->port,
			.expect_allow = item->allow,
		};
	}
	r = sandbox_probe(p->name, probes, p->n, p->timeout_ms, err);
	for (size_t i = 0; i < p->n && !r; i++) {
		p->results[i].measured = probes[i].measured;
		p->results[i].us = probes[i].us;
	}
	return r;
}

int measure_compare(const struct measure *p, struct sync_delta *ret_delta, struct weir_err *err)
{
	const char *name = p->name ? p->name : SANDBOX_DEFAULT_NAME;
	_cleanup_(node_close) struct node *node = NULL;
	int r = node_open(name, NODE_READ, NULL, &node, err);

	*ret_delta = (struct sync_delta){};
	if (r)
		return r == -ENOENT ? 0 : r;
	return live_compare(node, name, p->plan, ret_delta, err);
}

/* ---- Services ---- */

/* Where a backend's server is: "ns/pod", "node", or NULL where the sandbox has no server. */
static const char *place_of(const struct measure *p, const struct plan_backend *b,
			    struct arena *names)
{
	const struct kube_pod *pod = store_pod_by_addr(p->store, &b->addr);

	if (pod)
		return arena_printf(names, "%s/%s", pod->meta.ns, pod->meta.name);
	for (size_t i = 0; i < p->net.n_local; i++)
		if (weir_addr_equal(&p->net.local[i], &b->addr))
			return "node";
	return NULL;
}

/*
 * How many of the candidates the source may reach. Returns whether it is told that there are none.
 */
static bool expect(const struct measure *p, const struct plan_frontend *f,
		   const struct kube_pod *pod, struct measure_spread *s)
{
	_cleanup_(arena_free) struct arena names = {};
	const struct plan_service *service = &p->plan->services[f->service];
	struct oracle_query q = { .src = pod->addr[service->family],
				  .dst = f->addr,
				  .proto = f->proto,
				  .port = f->port };
	struct oracle_answer a;

	if (!service->n_internal) {
		oracle_judge(p->plan, &q, &a);
		return weir_verdict_of(a.reason) == WEIR_REJECT;
	}
	s->candidates += service->n_internal;
	for (; q.pick < service->n_internal; q.pick++) {
		const struct plan_backend *b = &p->plan->backends[service->internal[q.pick]];

		oracle_judge(p->plan, &q, &a);
		s->allowed += a.reason == WEIR_FORWARDED;
		s->elsewhere += a.reason == WEIR_FORWARDED && !place_of(p, b, &names);
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
	s->elsewhere += probe->measured == SANDBOX_UNKNOWN; /* SCTP: no server here speaks it */
	if (probe->measured != SANDBOX_ALLOW)
		return;
	s->answered++;
	count_answer(s, probe->answer);
}

/* Both families of a service port share one line. */
static struct measure_spread *spread_of(struct measure *p, const struct plan_frontend *f,
					const char *from)
{
	const struct plan_service *service = &p->plan->services[f->service];
	char *text = mem_printf("%s/%s:%u/%s", service->ns, service->service, f->port,
				proto_text(f->proto));
	struct measure_spread *s;

	for (size_t i = 0; i < p->n_spreads; i++) {
		if (!strcmp(p->spreads[i].service, text) && !strcmp(p->spreads[i].from, from)) {
			free(text);
			return &p->spreads[i];
		}
	}
	s = VEC_ADD(p->spreads, p->n_spreads, p->cap_spreads);
	s->service = text;
	s->frontend = f;
	s->from = from;
	return s;
}

struct asked {
	struct sandbox_probe *probes;
	size_t *spread; /* of each probe */
	size_t n, cap, cap_spread;
};

static const struct kube_pod *row_pod(const struct measure *p, const char *text)
{
	const char *slash = strchr(text, '/');
	_cleanup_(mem_free) char *ns = slash ? mem_strndup(text, slash - text) : NULL;

	return slash ? store_pod(p->store, ns, slash + 1) : NULL;
}

static void ask_frontend(struct measure *p, struct asked *asked, const struct plan_frontend *f)
{
	const struct plan_service *service = &p->plan->services[f->service];

	for (size_t row = 0; row < report_n_rows(p->report); row++) {
		const char *from = report_row_text(p->report, row);
		const struct kube_pod *pod = row_pod(p, from);
		struct measure_spread *s;
		unsigned int n;
		bool rejects;

		/* the host's own and outside clients of a cluster IP are not served yet */
		if (!pod || pod->host_network || weir_addr_is_zero(&pod->addr[service->family]))
			continue;
		s = spread_of(p, f, from);
		rejects = expect(p, f, pod, s);
		n = s->allowed && !rejects ? p->requests : 2;
		if (rejects)
			s->rejects += n;
		while (n--) {
			size_t at = asked->n;
			struct sandbox_probe *probe = VEC_ADD(asked->probes, asked->n, asked->cap);

			*VEC_ADD(asked->spread, at, asked->cap_spread) = s - p->spreads;
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
 * Services send to ports that no container declares, too. A probe of the backend itself has a
 * server temp_servers there for as long as the call lasts; what it measures is nobody's question,
 * so these come after all that are counted.
 */
static void ask_backends(struct measure *p, struct asked *asked, struct arena *names)
{
	for (size_t i = 0; i < p->plan->n_backends; i++) {
		const struct plan_backend *b = &p->plan->backends[i];
		const char *place = place_of(p, b, names);

		if (!place)
			continue;
		*VEC_ADD(asked->probes, asked->n, asked->cap) = (struct sandbox_probe){
			.from = "node",
			.to = place,
			.dst = b->addr,
			.proto = p->plan->services[b->service].proto,
			.port = b->port,
		};
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct measure_backend *)a)->name,
		      ((const struct measure_backend *)b)->name);
}

int measure_services(struct measure *p, struct weir_err *err)
{
	_cleanup_(arena_free) struct arena names = {};
	struct asked asked = {};
	size_t n_counted;
	int r;

	for (size_t i = 0; i < p->plan->n_frontends; i++)
		if (p->plan->frontends[i].service)
			ask_frontend(p, &asked, &p->plan->frontends[i]);
	n_counted = asked.n;
	ask_backends(p, &asked, &names);
	r = sandbox_probe(p->name, asked.probes, asked.n, p->timeout_ms, err);
	for (size_t i = 0; i < n_counted && !r; i++)
		count(&p->spreads[asked.spread[i]], &asked.probes[i]);
	for (size_t i = 0; i < p->n_spreads; i++)
		if (p->spreads[i].n)
			qsort(p->spreads[i].backends, p->spreads[i].n,
			      sizeof(*p->spreads[i].backends), by_name);
	free(asked.probes);
	free(asked.spread);
	return r;
}

/* ---- Agreement ---- */

bool measure_agrees(const struct measure_result *r)
{
	if (r->measured == SANDBOX_UNKNOWN)
		return true;
	return r->measured == (r->item.allow ? SANDBOX_ALLOW : SANDBOX_DENY);
}

/* Also where nothing can be measured, because the backend is no pod of the sandbox. */
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
	return s->answered > 0; /* some backends only: which ones a request meets is not foretold */
}

const char *measure_spread_expected(const struct measure_spread *s)
{
	if (s->rejects && s->rejects == s->requests)
		return "refused";
	return !s->allowed ? "deny" : s->allowed == s->candidates ? "allow" : "partly";
}

size_t measure_differences(const struct measure *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += !measure_agrees(&p->results[i]);
	for (size_t i = 0; i < p->n_spreads; i++)
		n += !measure_spread_agrees(&p->spreads[i]);
	return n;
}

void measure_free(struct measure *p)
{
	for (size_t i = 0; i < p->n_spreads; i++) {
		free(p->spreads[i].service);
		free(p->spreads[i].backends);
	}
	free(p->spreads);
	free(p->results);
	report_free(&p->report);
	plan_free(&p->plan);
	sandbox_net_free(&p->net);
	memset(p, 0, sizeof(*p));
}
