/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The loop of the differential tests, and what is printed when two evaluators differ. See
 * differential.h.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "lib/differential.h"
#include "lib/shrink.h"

#define SHRINK_TRIES 6000 /* a few milliseconds each */

struct run {
	const struct differential *d;
	struct differential_count count;
	struct random random;
	uint64_t seed; /* of this cluster */
	struct random_cluster cluster;
	struct store *store;
	const char *node;
	uint32_t sizes[_WEIR_MAP_MAX]; /* of tables; 0: the default */
	struct cidr blocks[3]; /* of node_ports */
	struct plan_node_ports node_ports;
};

static const char *reason_label(enum weir_reason reason)
{
	static const char *const labels[] = {
#define LABEL(name, kind, label, text) label,
		WEIR_REASONS(LABEL)
#undef LABEL
	};

	return reason < _WEIR_REASON_MAX ? labels[reason] : "?";
}

static void comment(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		if (i == 0 || text[i - 1] == '\n')
			fputs("# ", out);
		putc(text[i], out);
	}
	if (len && text[len - 1] != '\n')
		putc('\n', out);
}

static void print_side(FILE *out, const char *name, bool judged, bool allow, const char *policy,
		       size_t rule)
{
	fprintf(out, " %s %s", name, !judged ? "not judged" : allow ? "allowed" : "denied");
	if (*policy)
		fprintf(out, " by %s[%zu]", policy, rule);
}

static void print_verdict(FILE *out, const char *name, const struct reference_verdict *v)
{
	print_side(out, name, v->judged, v->allow, v->policy ? v->policy->meta.name : "", v->rule);
}

static void print_reference(const struct reference_answer *a, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, "reference: %s,", reason_label(a->reason));
	print_verdict(out, "egress", &a->sides[KUBE_EGRESS]);
	print_verdict(out, "ingress", &a->sides[KUBE_INGRESS]);
	fprintf(out, ", to %s port %u\n", addr_text(&a->dst, text), a->port);
	for (size_t i = 0; i < a->n_candidates; i++)
		fprintf(out, "  candidate %zu: %s port %u\n", i,
			addr_text(&a->candidates[i].addr, text), a->candidates[i].port);
}

static void print_list(const struct plan *p, const struct plan_service *s, int list, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < s->lists[list].n; i++) {
		const struct plan_backend *b = &p->backends[s->lists[list].items[i]];

		fprintf(out, "  list %d, candidate %zu: %s port %u\n", list, i,
			addr_text(&b->addr, text), b->port);
	}
}

void differential_print(const struct plan *p, const struct oracle_answer *a, FILE *out)
{
	const struct plan_rule *egress = &p->rules[a->egress.rule],
			       *ingress = &p->rules[a->ingress.rule];
	char text[ADDR_TEXT_MAX];

	fprintf(out, "other:     %s,", reason_label(a->reason));
	print_side(out, "egress", a->egress.judged, a->egress.allow, egress->policy, egress->index);
	print_side(out, "ingress", a->ingress.judged, a->ingress.allow, ingress->policy,
		   ingress->index);
	fprintf(out, ", to %s port %u, service %u, sets %u and %u\n", addr_text(&a->dst, text),
		a->port, a->service, a->egress.set, a->ingress.set);
	for (int list = 0; a->service && a->service < p->n_services && list < _WEIR_LIST_MAX;
	     list++)
		print_list(p, &p->services[a->service], list, out);
}

static void count_answer(struct run *run, const struct reference_answer *a)
{
	run->count.packets++;
	run->count.reasons[a->reason]++;
	for (int direction = 0; direction < 2; direction++) {
		const struct reference_verdict *v = &a->sides[direction];

		run->count.judged[direction] += v->judged;
		run->count.denied[direction] += v->judged && !v->allow;
	}
}

/* One question, once for each candidate. False: different; q and want of *ret have the case. */
static bool same_answers(struct run *run, const struct plan *p, const struct oracle_query *q,
			 struct differential_question *ret, FILE *said)
{
	bool same;

	*ret = (struct differential_question){
		.store = run->store, .node = run->node, .plan = p, .q = *q
	};
	do {
		reference_judge(run->store, run->node, &ret->q, &ret->want);
		count_answer(run, &ret->want);
		same = run->d->agrees(run->d->ctx, ret, said);
	} while (same && ++ret->q.pick < ret->want.n_candidates);
	return same;
}

/* ---- Reports ---- */

/* A difference, and where it was found. */
struct found {
	struct run *run;
	const struct oracle_query *q; /* NULL: no question was asked, the plan was refused */
	FILE *out; /* what the evaluators wrote at the last difference */
};

static void set_port(uint64_t *ret_ports, uint16_t port)
{
	memset(ret_ports, 0, WEIR_OVERLAY_WORDS * sizeof(*ret_ports));
	if (port)
		ret_ports[port / 64] |= 1ull << (port % 64);
}

/* Do the evaluators differ with these manifests too? Any difference will do. */
static bool shows(void *ctx, const char *text, size_t len)
{
	const struct found *f = ctx;
	struct run run = { .d = f->run->d, .node = f->run->node };
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
	struct plan_input in = { .node = run.node,
				 .echo_always = f->q && f->q->echo_always,
				 .node_ports = f->run->node_ports,
				 .overlay_ports = overlay_ports,
				 .sizes = f->run->sizes };
	_cleanup_(store_free) struct store *store = store_new();
	_cleanup_(plan_free) struct plan *p = NULL;
	struct differential_question question;
	bool begun;

	store_read_buffer(store, "shrunk.yaml", text, len);
	store_apply_defaults(store, 0);
	if (store->diags.errors)
		return false;
	in.store = run.store = store;
	set_port(overlay_ports, f->q ? f->q->overlay_port : 0);
	p = plan_compile(&in);
	rewind(f->out);
	begun = !run.d->begin || run.d->begin(run.d->ctx, p, f->out);
	if (!f->q || !begun)
		return !f->q && !begun;
	if (same_answers(&run, p,
			 &(struct oracle_query){ .src = f->q->src,
						 .dst = f->q->dst,
						 .proto = f->q->proto,
						 .port = f->q->port,
						 .host_origin = f->q->host_origin,
						 .echo_always = f->q->echo_always,
						 .overlay_port = f->q->overlay_port,
						 .closed = p->closed,
						 .n_closed = p->n_closed },
			 &question, f->out))
		return false;
	random_query_print(&question.q, f->out);
	print_reference(&question.want, f->out);
	return true;
}

/* The question as a command line of weir why. */
static void print_why(const struct oracle_query *q, FILE *out)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	bool v4 = weir_addr_is_v4(&q->dst);

	if (!q->port)
		return;
	fprintf(out, "  weir why %s '%s%s%s:%u/%s' -f shrunk.yaml\n",
		q->host_origin ? "node" : addr_text(&q->src, src), v4 ? "" : "[",
		addr_text(&q->dst, dst), v4 ? "" : "]", q->port, proto_text(q->proto));
}

/* Finds smaller manifests with a difference. False: it does not show a second time. */
static bool shrink(struct run *run, const struct oracle_query *q, FILE *out)
{
	_cleanup_(mem_free) char *said = NULL;
	size_t size;
	struct found f = { .run = run, .q = q, .out = open_memstream(&said, &size) };
	struct shrink_result small;
	bool known = shrink_manifests(run->cluster.text, run->cluster.len, shows, &f, SHRINK_TRIES,
				      &small);

	known = known && shows(&f, small.text, small.len); /* once more, for its output */
	fclose(f.out);
	if (!known)
		return false;
	fprintf(out,
		"shrunk in %u tries to %zu bytes%s; as shrunk.yaml (without \"# \") ask node %s:\n",
		small.tries, small.len, small.minimal ? "" : ", not minimal: too many tries",
		run->node);
	if (q)
		print_why(q, out);
	fwrite(said, 1, size, out);
	fputs(small.text, out);
	run->count.shrunk = small.text;
	return true;
}

/*
 * question NULL: none was asked yet. may_shrink: the objects were accepted, so smaller ones can be
 * tried.
 */
static void report_difference(struct run *run, const struct differential_question *question,
			      const char *said, bool may_shrink)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out,
		"DIFFERENCE. Repeat with WEIR_SEED=%" PRIu64 " WEIR_ROUNDS=1\nnode %s: ", run->seed,
		run->node);
	if (question) {
		random_query_print(&question->q, out);
		print_reference(&question->want, out);
	}
	fputs(said, out);
	if (!may_shrink || !shrink(run, question ? &question->q : NULL, out))
		fprintf(out, "%s\n%s", run->cluster.name, run->cluster.text);
	fclose(out);
	comment(text, len, run->d->out ? run->d->out : stdout);
}

/* ---- Rounds ---- */

static bool ask(struct run *run, const struct plan *p, const struct oracle_query *q)
{
	struct differential_question question;
	_cleanup_(mem_free) char *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	bool same = same_answers(run, p, q, &question, out);

	fclose(out);
	if (!same)
		report_difference(run, &question, said, true);
	return same;
}

/* Sometimes tables that are too small for some policies, which are closed then. */
static void choose_sizes(struct run *run)
{
	static const enum weir_map maps[] = { WEIR_MAP_networks, WEIR_MAP_policy_rules,
					      WEIR_MAP_port_ranges, WEIR_MAP_names };

	memset(run->sizes, 0, sizeof(run->sizes));
	if (random_percent(&run->random, 20))
		run->sizes[maps[random_below(&run->random, ARRAY_SIZE(maps))]] =
			random_between(&run->random, 2, 120);
}

/* SVC-36; node-0 to node-2 have the hosts 10 to 12 and 0x10 to 0x12 */
static void choose_node_ports(struct run *run)
{
	static const char *const blocks[] = { "192.168.0.8/30", "192.168.0.12/32", "10.0.0.0/8",
					      "::/0", "fd00:c0::10/127" };
	struct random *r = &run->random;

	run->node_ports =
		(struct plan_node_ports){ .primary = random_percent(r, 20), .blocks = run->blocks };
	while (!run->node_ports.primary && run->node_ports.n_blocks < ARRAY_SIZE(run->blocks) &&
	       random_percent(r, 30))
		cidr_parse(blocks[random_below(r, ARRAY_SIZE(blocks))],
			   &run->blocks[run->node_ports.n_blocks++]);
}

static bool run_node(struct run *run)
{
	bool echo_always = random_percent(&run->random, 25);
	uint16_t overlay_port =
		random_percent(&run->random, 50) ? random_any_port(&run->random) : 0;
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
	struct plan_input in = { .store = run->store,
				 .node = run->node,
				 .echo_always = echo_always,
				 .node_ports = run->node_ports,
				 .overlay_ports = overlay_ports,
				 .sizes = run->sizes };
	_cleanup_(plan_free) struct plan *p = NULL;
	_cleanup_(mem_free) char *said = NULL;
	struct oracle_query q;
	bool begun = true;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	set_port(overlay_ports, overlay_port);
	p = plan_compile(&in);
	if (run->d->begin)
		begun = run->d->begin(run->d->ctx, p, out);
	fclose(out);
	if (!begun) {
		report_difference(run, NULL, said, true);
		return false;
	}
	for (unsigned int i = 0; i < run->d->questions; i++)
		if (random_query(&run->random, run->store, run->node, &q)) {
			q.echo_always = echo_always;
			q.overlay_port = overlay_port;
			q.node_ports = &run->node_ports;
			q.closed = p->closed;
			q.n_closed = p->n_closed;
			if (!ask(run, p, &q))
				return false;
		}
	return true;
}

/* The generator writes only what an API server accepts: an error is a difference too. */
static bool read_cluster(struct run *run)
{
	_cleanup_(mem_free) char *said = NULL;
	size_t len;
	FILE *out;

	run->store = store_new();
	store_read_buffer(run->store, run->cluster.name, run->cluster.text, run->cluster.len);
	store_apply_defaults(run->store, 0);
	if (!run->store->diags.errors)
		return true;
	run->node = "-";
	out = open_memstream(&said, &len);
	diag_print(&run->store->diags, out);
	fclose(out);
	report_difference(run, NULL, said, false);
	return false;
}

static bool run_cluster(struct run *run)
{
	bool same;

	run->random = (struct random){ .state = run->seed };
	run->cluster = random_cluster_make(&run->random);
	same = read_cluster(run);
	for (unsigned int i = 0; same && i < RANDOM_NODES; i++) {
		run->node = random_cluster_node(i);
		choose_sizes(run);
		choose_node_ports(run);
		same = run_node(run);
	}
	store_free(&run->store);
	random_cluster_free(&run->cluster);
	return same;
}

static void print_count(const struct differential_count *c, FILE *out)
{
	fprintf(out, "# %lu packets judged; egress %lu (%lu denied), ingress %lu (%lu denied)\n",
		c->packets, c->judged[KUBE_EGRESS], c->denied[KUBE_EGRESS], c->judged[KUBE_INGRESS],
		c->denied[KUBE_INGRESS]);
	for (int i = 0; i < _WEIR_REASON_MAX; i++)
		if (c->reasons[i])
			fprintf(out, "#   %s: %lu\n", reason_label(i), c->reasons[i]);
}

bool differential_run(const struct differential *d, struct differential_count *ret_count)
{
	unsigned int rounds = random_rounds(d->clusters);
	struct run run = { .d = d, .seed = d->seed ? d->seed : random_seed() };
	FILE *out = d->out ? d->out : stdout;
	bool same = true;

	fprintf(out, "# %u clusters from WEIR_SEED=%" PRIu64 "\n", rounds, run.seed);
	for (unsigned int i = 0; same && i < rounds; i++, run.seed++)
		same = run_cluster(&run);
	print_count(&run.count, out);
	*ret_count = run.count;
	return same;
}

/* Compares policy, direction and index. Rule 0 is no rule. */
static bool same_rule(const struct plan *p, uint32_t got, const struct reference_verdict *want,
		      enum kube_direction direction)
{
	const struct plan_rule *rule = &p->rules[got];
	_cleanup_(mem_free) char *policy = NULL;

	if (!got || !want->policy)
		return !got && !want->policy;
	policy = mem_printf("%s/%s", want->policy->meta.ns, want->policy->meta.name);
	return !strcmp(rule->policy, policy) && rule->direction == direction &&
	       rule->index == want->rule;
}

static bool same_side(const struct plan *p, const struct oracle_side *got,
		      const struct reference_answer *answer, enum kube_direction direction)
{
	const struct reference_verdict *want = &answer->sides[direction];

	return got->judged == want->judged &&
	       (!got->judged ||
		(got->allow == want->allow && same_rule(p, got->rule, want, direction)));
}

bool differential_same(const struct plan *p, const struct oracle_answer *got,
		       const struct reference_answer *want, FILE *said)
{
	bool judged = want->reason == WEIR_FORWARDED || want->reason == WEIR_EGRESS_DENIED ||
		      want->reason == WEIR_INGRESS_DENIED || want->reason == WEIR_POLICY_CLOSED;
	bool same = got->reason == want->reason;

	if (judged)
		same = same && same_side(p, &got->egress, want, KUBE_EGRESS) &&
		       same_side(p, &got->ingress, want, KUBE_INGRESS) &&
		       weir_addr_equal(&got->dst, &want->dst) && got->port == want->port;
	if (!same)
		differential_print(p, got, said);
	return same;
}
