// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The connectivity matrix. See report.h. Compiles each node's plan on first use, and turns "may
 * this end reach that end" into at most two queries: egress on the source's node, ingress on the
 * destination's node. The evaluator decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report_ports.h"
#include "analyze/world.h"

struct report_node {
	const char *name;
	struct weir_addr addr[2]; /* by family; zero: none */
	struct plan *plan; /* NULL until first used */
};

struct report_row {
	struct report_end end;
	const char *text;
};

struct report {
	struct arena arena; /* of texts */
	const struct store *store;
	struct evaluator evaluator;
	struct report_port *ports;
	size_t n_ports;
	struct report_node *nodes; /* sorted by name */
	size_t n_nodes, cap_nodes;
	struct report_row *rows; /* pods, then world, then node */
	size_t n_rows, cap_rows;
	struct weir_addr world[2];
	struct weir_addr *own;
	size_t n_own;
	const char *own_node;
	const uint64_t *overlay_ports;
	struct plan_input loaded; /* only what is of own_node alone */
	const struct report_plan *plans;
	size_t n_plans;
};

/* ---- Nodes and their plans ---- */

static int by_node_name(const void *a, const void *b)
{
	return strcmp(((const struct report_node *)a)->name, ((const struct report_node *)b)->name);
}

static struct report_node *find_node(struct report *r, const char *name)
{
	struct report_node key = { .name = name };

	return r->n_nodes ? bsearch(&key, r->nodes, r->n_nodes, sizeof(key), by_node_name) : NULL;
}

/* A node's addresses: of its Node object, else of its hostNetwork pods, else free ones. */
static void find_addresses(struct report *r, struct report_node *n, struct world *taken)
{
	const struct kube_node *object = store_node(r->store, n->name);

	for (size_t i = 0; object && i < object->n_addrs; i++) {
		struct weir_addr *mine = &n->addr[addr_family(&object->addrs[i])];

		if (weir_addr_is_zero(mine))
			*mine = object->addrs[i];
	}
	for (size_t i = 0; i < r->store->n_pods; i++) {
		const struct kube_pod *pod = r->store->pods[i];

		for (int f = 0; f < 2 && pod->host_network && !strcmp(pod->node, n->name); f++)
			if (weir_addr_is_zero(&n->addr[f]))
				n->addr[f] = pod->addr[f];
	}
	for (int f = 0; f < 2 && !(object && object->n_addrs); f++) {
		if (weir_addr_is_zero(&n->addr[f]) && !world_free_addr(taken, f, &n->addr[f]))
			continue;
		world_take(taken, &n->addr[f]);
	}
}

static void collect_nodes(struct report *r, struct world *taken)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->store->n_pods; i++)
		VEC_ADD(r->nodes, r->n_nodes, r->cap_nodes)->name = r->store->pods[i]->node;
	for (size_t i = 0; i < r->store->n_nodes; i++)
		VEC_ADD(r->nodes, r->n_nodes, r->cap_nodes)->name = r->store->nodes[i]->meta.name;
	if (r->n_nodes)
		qsort(r->nodes, r->n_nodes, sizeof(*r->nodes), by_node_name);
	for (size_t i = 0; i < r->n_nodes; i++)
		if (!kept || strcmp(r->nodes[kept - 1].name, r->nodes[i].name))
			r->nodes[kept++] = r->nodes[i];
	r->n_nodes = kept;
	for (size_t i = 0; i < r->n_nodes; i++)
		find_addresses(r, &r->nodes[i], taken);
}

static const struct plan *node_plan(struct report *r, struct report_node *n)
{
	bool has_own = !r->own_node || !strcmp(r->own_node, n->name);
	struct plan_input in = {};
	struct weir_addr *local;
	size_t n_local = 0;

	for (size_t i = 0; i < r->n_plans; i++)
		if (!strcmp(r->plans[i].node, n->name))
			return r->plans[i].plan;
	if (n->plan)
		return n->plan;
	local = mem_zalloc((r->n_own + 2) * sizeof(*local));
	for (size_t i = 0; i < r->n_own && has_own; i++)
		local[n_local++] = r->own[i];
	for (int f = 0; f < 2; f++)
		if (!weir_addr_is_zero(&n->addr[f]))
			local[n_local++] = n->addr[f];
	if (has_own)
		in = r->loaded;
	in.store = r->store;
	in.node = n->name;
	in.local_addrs = local;
	in.n_local_addrs = n_local;
	in.overlay_ports = has_own ? r->overlay_ports : NULL;
	n->plan = plan_compile(&in);
	free(local);
	return n->plan;
}

const struct plan *report_plan(struct report *r, const char *node)
{
	struct report_node *n = find_node(r, node);

	return n ? node_plan(r, n) : NULL;
}

/* ---- Ends ---- */

static void collect_rows(struct report *r)
{
	struct report_row *row;

	for (size_t i = 0; i < r->store->n_pods; i++) {
		const struct kube_pod *pod = r->store->pods[i];

		if (kube_pod_ended(pod))
			continue;
		row = VEC_ADD(r->rows, r->n_rows, r->cap_rows);
		row->end.pod = pod;
		row->text = arena_printf(&r->arena, "%s/%s", pod->meta.ns, pod->meta.name);
	}
	row = VEC_ADD(r->rows, r->n_rows, r->cap_rows);
	*row = (struct report_row){ { .kind = REPORT_WORLD }, "world" };
	row = VEC_ADD(r->rows, r->n_rows, r->cap_rows);
	*row = (struct report_row){ { .kind = REPORT_NODE }, "node" };
}

/* The node that an end is on; NULL: none. `node` is the node of the other end, peer. */
static struct report_node *node_of(struct report *r, const struct report_end *end,
				   const struct report_end *peer)
{
	if (end->kind == REPORT_POD)
		return find_node(r, end->pod->node);
	if (end->kind == REPORT_NODE && peer && peer->kind == REPORT_POD)
		return find_node(r, peer->pod->node);
	return NULL;
}

bool report_end_addr(struct report *r, const struct report_end *end, const char *node, int family,
		     struct weir_addr *ret_addr)
{
	struct weir_addr a = end->addr;
	struct report_node *n;

	if (end->kind == REPORT_WORLD && weir_addr_is_zero(&a))
		a = r->world[family];
	if (end->kind == REPORT_POD && !end->pod->host_network)
		a = end->pod->addr[family];
	if ((end->kind == REPORT_NODE && weir_addr_is_zero(&a)) ||
	    (end->kind == REPORT_POD && end->pod->host_network)) {
		n = find_node(r, end->kind == REPORT_POD ? end->pod->node : node ? node : "");
		a = n ? n->addr[family] : (struct weir_addr){};
	}
	if (weir_addr_is_zero(&a) || addr_family(&a) != family)
		return false;
	*ret_addr = a;
	return true;
}

/* The end has a veth of its own, at which it is judged. */
static bool is_protected(const struct report_end *end)
{
	return end->kind == REPORT_POD && !end->pod->host_network;
}

static bool uses_node_address(const struct report_end *end)
{
	return end->kind == REPORT_NODE || (end->kind == REPORT_POD && end->pod->host_network);
}

/* ---- One item ---- */

static void fill_side(const struct plan *plan, const struct oracle_side *answer,
		      struct report_side *ret_side)
{
	*ret_side = (struct report_side){ .allow = true, .rule = -1 };
	if (!answer->judged)
		return;
	ret_side->allow = answer->allow;
	ret_side->isolated = answer->set != 0;
	ret_side->closed = plan->sets[answer->set].default_word.kind == WEIR_WORD_CLOSED;
	if (answer->rule) {
		ret_side->policy = plan->rules[answer->rule].policy;
		ret_side->rule = plan->rules[answer->rule].index;
	}
}

/*
 * Judges one end on its node. A drop for another reason than policy, such as an address that the
 * datapath refuses, counts as a denial with that reason.
 */
static int ask_side(struct report *r, struct report_node *n, enum kube_direction side,
		    const struct oracle_query *q, struct report_item *item, struct weir_err *err)
{
	bool egress = side == KUBE_EGRESS;
	const struct plan *plan = node_plan(r, n);
	struct oracle_answer answer = {};
	int ret;

	ret = r->evaluator.ask(r->evaluator.ctx, plan, side, q, &answer, err);
	if (ret)
		return ret;
	fill_side(plan, egress ? &answer.egress : &answer.ingress,
		  egress ? &item->egress : &item->ingress);
	if (weir_verdict_of(answer.reason) != WEIR_PASS && answer.reason != WEIR_EGRESS_DENIED &&
	    answer.reason != WEIR_INGRESS_DENIED && answer.reason != WEIR_POLICY_CLOSED)
		item->reason = answer.reason;
	return 0;
}

static void conclude(struct report_item *item)
{
	if (item->reason != WEIR_FORWARDED)
		item->allow = false;
	else if (!item->egress.allow)
		item->reason = item->egress.closed ? WEIR_POLICY_CLOSED : WEIR_EGRESS_DENIED;
	else if (!item->ingress.allow)
		item->reason = item->ingress.closed ? WEIR_POLICY_CLOSED : WEIR_INGRESS_DENIED;
	item->allow = item->reason == WEIR_FORWARDED;
}

static int ask(struct report *r, const struct report_end *from, const struct report_end *to,
	       struct report_item *item, struct weir_err *err)
{
	struct report_node *src = node_of(r, from, to), *dst = node_of(r, to, from);
	struct oracle_query q = {
		.src = item->src,
		.dst = item->dst,
		.proto = item->proto,
		.port = item->port,
	};
	int ret = 0;

	item->reason = WEIR_FORWARDED;
	item->egress = item->ingress = (struct report_side){ .allow = true, .rule = -1 };
	if (src && is_protected(from))
		ret = ask_side(r, src, KUBE_EGRESS, &q, item, err);
	q.host_origin = uses_node_address(from) && src == dst;
	if (!ret && dst && is_protected(to))
		ret = ask_side(r, dst, KUBE_INGRESS, &q, item, err);
	conclude(item);
	return ret;
}

int report_ask(struct report *r, const struct report_end *from, const struct report_end *to,
	       int proto, uint16_t port, int family, struct report_item *ret_item,
	       struct weir_err *err)
{
	struct report_node *src = node_of(r, from, to), *dst = node_of(r, to, from);
	struct report_item item = {
		.from_kind = from->kind,
		.to_kind = to->kind,
		.from_pod = from->pod,
		.to_pod = to->pod,
		.family = family,
		.proto = proto,
		.port = port,
	};
	int ret;

	if (!report_end_addr(r, from, src ? src->name : NULL, family, &item.src) ||
	    !report_end_addr(r, to, dst ? dst->name : NULL, family, &item.dst))
		return err_set(err, -EAFNOSUPPORT, "the two ends do not both have an %s address",
			       family_text(family));
	ret = ask(r, from, to, &item, err);
	if (!ret)
		*ret_item = item;
	return ret;
}

/* ---- All items ---- */

struct walk {
	struct report *r;
	size_t from, to, port; /* rows, and index of ports */
	int (*fn)(const struct report_item *item, void *ctx);
	void *ctx;
	struct weir_err *err;
};

static int each_family(const struct walk *w, int proto, uint16_t port, const char *name)
{
	const struct report_row *from = &w->r->rows[w->from], *to = &w->r->rows[w->to];
	struct report_item item;
	int ret;

	for (int family = 0; family < 2; family++) {
		ret = report_ask(w->r, &from->end, &to->end, proto, port, family, &item, w->err);
		if (ret == -EAFNOSUPPORT)
			continue;
		if (ret)
			return ret;
		item.from = from->text;
		item.to = to->text;
		item.from_row = w->from;
		item.to_row = w->to;
		item.port_row = w->port;
		item.port_name = name;
		ret = w->fn(&item, w->ctx);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A port name stands for every number that the destination pod declares it with (NP-32, NP-35), and
 * for none on other destinations (NP-33).
 */
static int each_number(const struct walk *w)
{
	const struct report_port *port = &w->r->ports[w->port];
	const struct kube_pod *pod = w->r->rows[w->to].end.pod;
	int ret = 0;

	if (!port->name)
		return each_family(w, port->proto, port->port, NULL);
	for (size_t i = 0; pod && i < pod->n_ports && !ret; i++) {
		if (strcmp(pod->ports[i].name, port->name) ||
		    (port->proto && port->proto != pod->ports[i].proto))
			continue;
		ret = each_family(w, pod->ports[i].proto, pod->ports[i].port, port->name);
	}
	return ret;
}

static int each_port(struct walk *w)
{
	int ret = 0;

	for (w->port = 0; w->port < w->r->n_ports && !ret; w->port++)
		ret = each_number(w);
	return ret;
}

int report_each(struct report *r, int (*fn)(const struct report_item *item, void *ctx), void *ctx,
		struct weir_err *err)
{
	struct walk w = { .r = r, .fn = fn, .ctx = ctx, .err = err };
	int ret = 0;

	for (w.from = 0; w.from < r->n_rows && !ret; w.from++)
		for (w.to = 0; w.to < r->n_rows && !ret; w.to++)
			if (w.from != w.to && (r->rows[w.from].end.pod || r->rows[w.to].end.pod))
				ret = each_port(&w);
	return ret;
}

size_t report_ports(const struct report *r, const struct report_port **ret_ports)
{
	*ret_ports = r->ports;
	return r->n_ports;
}

size_t report_n_rows(const struct report *r)
{
	return r->n_rows;
}

const char *report_row_text(const struct report *r, size_t row)
{
	return r->rows[row].text;
}

/* ---- Life ---- */

static void choose_world(struct report *r, const struct report_input *in, struct world *taken)
{
	for (int f = 0; f < 2; f++)
		if (in->world)
			r->world[f] = in->world[f];
		else if (world_free_addr(taken, f, &r->world[f]))
			world_take(taken, &r->world[f]);
}

static void copy_ports(struct report *r, const struct report_input *in)
{
	if (!in->n_ports) {
		r->n_ports = report_ports_declared(in->store, &r->ports);
		return;
	}
	r->n_ports = in->n_ports;
	r->ports = mem_zalloc(in->n_ports * sizeof(*r->ports));
	for (size_t i = 0; i < in->n_ports; i++) {
		r->ports[i] = in->ports[i];
		if (in->ports[i].name)
			r->ports[i].name = arena_strdup(&r->arena, in->ports[i].name);
	}
}

struct report *report_new(const struct report_input *in)
{
	struct report *r = mem_zalloc(sizeof(*r));
	struct world taken = {};

	r->store = in->store;
	r->evaluator = in->evaluator ? *in->evaluator : evaluator_plan;
	r->own = mem_zalloc(in->n_own * sizeof(*r->own));
	r->n_own = in->n_own;
	r->overlay_ports = in->overlay_ports;
	r->plans = in->plans;
	r->n_plans = in->n_plans;
	r->own_node = in->own_node ? arena_strdup(&r->arena, in->own_node) : NULL;
	r->loaded = (struct plan_input){ .sizes = in->sizes,
					 .unfit = in->unfit,
					 .node_ports = in->node_ports };
	for (size_t i = 0; i < in->n_own; i++)
		r->own[i] = in->own[i];
	copy_ports(r, in);
	world_collect(&taken, in->store);
	choose_world(r, in, &taken);
	collect_nodes(r, &taken);
	collect_rows(r);
	world_clear(&taken);
	return r;
}

void report_free(struct report **rp)
{
	struct report *r = *rp;

	if (!r)
		return;
	for (size_t i = 0; i < r->n_nodes; i++)
		plan_free(&r->nodes[i].plan);
	free(r->nodes);
	free(r->rows);
	free(r->ports);
	free(r->own);
	arena_free(&r->arena);
	free(r);
	*rp = NULL;
}
