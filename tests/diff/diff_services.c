/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The truth table of the specification (B.3, B.4): who answers at a cluster IP and a node port by
 * endpoints and traffic policies. Each row goes through the plan's report, and for a pod of this
 * node through the oracle, the reference and the BPF programs, in both families. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "analyze/service_report.h"
#include "reference/reference.h"
#include "testrun/testrun.h"

#define TEXT_MAX 64

/*
 * Endpoints: R ready, U not ready, T terminating and serving, G terminating only; then the node, 1
 * is this one; then z and n for a hint of this zone or node, y and m for the other's.
 */
struct row {
	const char *endpoints;
	/* by internalTrafficPolicy Cluster and Local */
	const char *cluster, *cluster_local;
	/* at a node port; by externalTrafficPolicy Cluster, Local from outside, Local from here */
	const char *port, *port_local, *port_short;
};

static const struct row rows[] = {
	{ "", "REJECT", "REJECT", "REJECT", "REJECT", "REJECT" },
	{ "U1", "REJECT", "REJECT", "REJECT", "REJECT", "REJECT" },
	{ "R1 R2", "R1 R2", "R1", "R1 R2", "R1", "R1 R2" },
	{ "R2", "R2", "DROP", "R2", "DROP", "R2" },
	{ "T1 R2", "R2", "T1", "R2", "T1", "R2" },
	{ "T1", "T1", "T1", "T1", "T1", "T1" },
	{ "T2", "T2", "DROP", "T2", "DROP", "T2" },
	{ "R1 T1", "R1", "R1", "R1", "R1", "R1" },
	{ "G1 G2", "REJECT", "REJECT", "REJECT", "REJECT", "REJECT" },
	{ "U1 T2", "T2", "DROP", "T2", "DROP", "T2" },
	{ "R1y R2z", "R2z", "R1y", "R2z", "R1y", "R2z" }, /* SVC-27 */
	{ "R1 R2z", "R1 R2z", "R1", "R1 R2z", "R1", "R1 R2z" }, /* SVC-24 */
	{ "R1m R2n", "R2n", "R1m", "R2n", "R1m", "R2n" },
	{ "U1 R2z", "R2z", "DROP", "R2z", "DROP", "R2z" },
	{ "T1z R2y", "R2y", "T1z", "R2y", "T1z", "R2y" }, /* SVC-23 */
};

struct world {
	struct store *store;
	struct plan *plan;
	struct testrun *testrun;
	const struct row *row;
	int family;
};

static void print_hints(FILE *out, const char *token)
{
	const char *zone = strchr(token, 'z')   ? "za"
			   : strchr(token, 'y') ? "zb"
						: NULL,
		   *node = strchr(token, 'n')   ? "n1"
			   : strchr(token, 'm') ? "n2"
						: NULL;

	if (zone)
		fprintf(out, ", hints: {forZones: [{name: %s}]}", zone);
	if (node)
		fprintf(out, ", hints: {forNodes: [{name: %s}]}", node);
}

static void print_endpoints(FILE *out, const struct row *row, int family)
{
	_cleanup_(mem_free) char *copy = mem_strdup(row->endpoints);
	char *save = NULL;
	int i = 1;

	for (char *t = strtok_r(copy, " ", &save); t; t = strtok_r(NULL, " ", &save), i++) {
		fprintf(out, "{addresses: ['%s%d'], nodeName: n%c, conditions: {",
			family ? "fd00:9::" : "10.9.0.", i, t[1]);
		fprintf(out, "ready: %s, serving: %s, terminating: %s}",
			*t == 'R' ? "true" : "false", *t == 'R' || *t == 'T' ? "true" : "false",
			*t == 'T' || *t == 'G' ? "true" : "false");
		print_hints(out, t);
		fputs("}, ", out);
	}
}

static char *objects(const struct row *row, int family, bool itp, bool etp)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (int n = 1; n <= 2; n++)
		fprintf(out,
			"---\napiVersion: v1\nkind: Node\nmetadata: {name: n%d, labels: "
			"{topology.kubernetes.io/zone: z%c}}\nstatus: {addresses: [{type: InternalIP, "
			"address: '%s%d'}]}\n",
			n, n == 1 ? 'a' : 'b', family ? "fd00:1::" : "192.168.0.", n);
	fprintf(out,
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: x}\nspec: {nodeName: n1, "
		"containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIP: '%s'}\n",
		family ? "fd00:8::1" : "10.8.0.1");
	fprintf(out,
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: x}\nspec: {type: NodePort, "
		"clusterIP: '%s', ports: [{port: 80, nodePort: 30080}], internalTrafficPolicy: %s, "
		"externalTrafficPolicy: %s}\n",
		family ? "fd00:96::1" : "10.96.0.1", itp ? "Local" : "Cluster",
		etp ? "Local" : "Cluster");
	fprintf(out,
		"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, namespace: x, "
		"labels: {kubernetes.io/service-name: s}}\naddressType: %s\nports: [{name: '', port: 80}]\n"
		"endpoints: [",
		family_text(family));
	print_endpoints(out, row, family);
	fputs("]\n", out);
	fclose(out);
	return text;
}

/* The token of an endpoint, whose address ends with its number. */
static void add_token(const struct world *w, const struct weir_addr *addr, char *text)
{
	_cleanup_(mem_free) char *copy = mem_strdup(w->row->endpoints);
	char *save = NULL, *t = strtok_r(copy, " ", &save);

	for (int i = 1; i < addr->b[15]; i++)
		t = strtok_r(NULL, " ", &save);
	snprintf(text + strlen(text), TEXT_MAX - strlen(text), "%s%s", *text ? " " : "", t);
}

/* ---- The plan's report ---- */

struct report_query {
	const struct world *w;
	enum plan_frontend_kind kind;
	enum service_client client;
	char text[TEXT_MAX];
};

static void take_item(const struct service_report_item *item, void *ctx)
{
	struct report_query *q = ctx;

	if (item->kind != q->kind || item->client != q->client)
		return;
	if (item->verdict != SERVICE_FORWARD)
		strcpy(q->text, item->verdict == SERVICE_DROP ? "DROP" : "REJECT");
	for (size_t i = 0; i < item->n_endpoints; i++)
		add_token(q->w, &item->endpoints[i]->addr, q->text);
}

static void check_report(const struct world *w, enum plan_frontend_kind kind,
			 enum service_client client, const char *expected)
{
	struct report_query q = { .w = w, .kind = kind, .client = client };

	service_report_each(w->plan, take_item, &q);
	assert_string_equal(q.text, expected);
}

/* ---- A packet of a pod ---- */

static const char *verdict_text(enum weir_reason reason)
{
	return reason == WEIR_FORWARDED           ? NULL
	       : reason == WEIR_NO_LOCAL_ENDPOINT ? "DROP"
	       : reason == WEIR_NO_ENDPOINT       ? "REJECT"
						  : "?";
}

static struct oracle_query query_of(const struct world *w, bool node_port)
{
	struct oracle_query q = { .proto = IPPROTO_TCP, .port = node_port ? 30080 : 80 };
	const char *dst = node_port ? (w->family ? "fd00:1::1" : "192.168.0.1")
				    : (w->family ? "fd00:96::1" : "10.96.0.1");

	assert_int_equal(addr_parse(w->family ? "fd00:8::1" : "10.8.0.1", &q.src), 0);
	assert_int_equal(addr_parse(dst, &q.dst), 0);
	return q;
}

static void check_reference(const struct world *w, const struct oracle_query *q,
			    const char *expected)
{
	struct reference_answer a;
	char text[TEXT_MAX] = "";

	reference_judge(w->store, "n1", q, &a);
	if (verdict_text(a.reason))
		strcpy(text, verdict_text(a.reason));
	for (size_t i = 0; i < a.n_candidates; i++)
		add_token(w, &a.candidates[i].addr, text);
	assert_string_equal(text, expected);
}

static void check_programs(const struct world *w, const struct oracle_query *q,
			   const char *expected)
{
	struct oracle_answer a, oracle;
	char text[TEXT_MAX] = "";
	struct weir_err err = {};

	oracle_judge(w->plan, q, &oracle);
	if (testrun_ask(w->testrun, w->plan, q, &a, &err))
		fail_msg("%s", err.text);
	assert_int_equal(a.reason, oracle.reason);
	if (verdict_text(a.reason)) {
		assert_string_equal(verdict_text(a.reason), expected);
		return;
	}
	add_token(w, &a.dst, text);
	if (!strstr(expected, text))
		fail_msg("the programs chose %s of %s", text, expected);
}

static void check_packet(const struct world *w, bool node_port, const char *expected)
{
	struct oracle_query q = query_of(w, node_port);

	check_reference(w, &q, expected);
	check_programs(w, &q, expected);
}

/* ---- Rows ---- */

static void check_world(const struct world *w, bool itp, bool etp)
{
	const struct row *r = w->row;
	const char *cluster = itp ? r->cluster_local : r->cluster,
		   *here = etp ? r->port_short : r->port;

	for (int client = 0; client < _SERVICE_CLIENT_MAX; client++)
		check_report(w, PLAN_CLUSTER_IP, client, cluster);
	check_report(w, PLAN_NODE_PORT, SERVICE_CLIENT_POD, here);
	check_report(w, PLAN_NODE_PORT, SERVICE_CLIENT_NODE, here);
	check_report(w, PLAN_NODE_PORT, SERVICE_CLIENT_EXTERNAL, etp ? r->port_local : r->port);
	check_packet(w, false, cluster);
	check_packet(w, true, here);
}

static void check_policies(struct world *w, bool itp, bool etp)
{
	_cleanup_(mem_free) char *text = objects(w->row, w->family, itp, etp);
	struct weir_err err = {};
	int r;

	w->store = store_new();
	store_read_buffer(w->store, "table.yaml", text, strlen(text));
	store_apply_defaults(w->store, 0);
	assert_int_equal(w->store->diags.errors, 0);
	w->plan = plan_compile(&(struct plan_input){ .store = w->store, .node = "n1" });
	r = w->testrun ? testrun_load(w->testrun, w->plan, &err)
		       : testrun_open(w->plan, &w->testrun, &err);
	if (r)
		fail_msg("%s", err.text);
	check_world(w, itp, etp);
	plan_free(&w->plan);
	store_free(&w->store);
}

static void svc_21_to_svc_27_and_svc_60_to_svc_62_by_the_table(void **state)
{
	struct world w = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int c = 0; c < 8; c++) {
			w.row = &rows[i];
			w.family = c & 1;
			check_policies(&w, c & 2, c & 4);
		}
	testrun_close(&w.testrun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svc_21_to_svc_27_and_svc_60_to_svc_62_by_the_table),
	};

	if (geteuid()) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
