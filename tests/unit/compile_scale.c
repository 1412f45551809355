/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A large cluster compiles for one node in bounded time and memory: 10,000
 * Services of 10 endpoints, 150,000 pods, 10,000 policies. The bounds are
 * generous, for slow and shared machines: they catch quadratic passes, not
 * percents. The figures are printed as a TAP comment.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "compile/plan.h"

#define NAMESPACES 500
#define PODS 150000
#define POLICIES 10000
#define SERVICES 10000
#define ENDPOINTS 10
#define LOCALS 246
#define SECONDS_MAX 10.0
#define BYTES_MAX (150u << 20)

struct text {
	char *buf;
	size_t len;
	FILE *out;
};

static FILE *text_open(struct text *t)
{
	t->out = open_memstream(&t->buf, &t->len);
	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[", t->out);
	return t->out;
}

static void text_read(struct text *t, struct store *s)
{
	fputs("]}", t->out);
	fclose(t->out);
	store_read_buffer(s, "large.json", t->buf, t->len);
	free(t->buf);
}

static const char *comma(int i)
{
	return i ? "," : "";
}

static void add_namespaces(struct store *s)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = 0; i < NAMESPACES; i++)
		fprintf(f,
			"%s{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns-%d\",\"labels\":"
			"{\"team\":\"t%d\"}}}",
			comma(i), i, i % 40);
	text_read(&t, s);
}

/* Every 610th pod is on this node, in 50 namespaces. Labels: one of 300 apps, one of 3 tiers, and a name of its own as a StatefulSet's. */
static void add_pods(struct store *s, int first, int n)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = first; i < first + n; i++)
		fprintf(f,
			"%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"pod-%d\",\"namespace\":\"ns-%d\","
			"\"labels\":{\"app\":\"a%d\",\"tier\":\"%d\",\"pod-name\":\"pod-%d\"}},\"spec\":{\"nodeName\":\"%s\","
			"\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"name\":\"http\",\"containerPort\":%d}]}]},"
			"\"status\":{\"phase\":\"Running\",\"podIPs\":[{\"ip\":\"10.%d.%d.%d\"},{\"ip\":\"fd00::1:%x:%x\"}]}}",
			comma(i - first), i, i % NAMESPACES, i % 300, i % 3, i, i % 610 ? "there" : "here",
			8000 + i % 5, i >> 16, i >> 8 & 255, i & 255, i >> 16, i & 0xffff);
	text_read(&t, s);
}

/* What stands before and behind a number. */
static const char *const shapes[][2] = {
	{ "\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"a",
	  "\"}}}],\"ports\":[{\"port\":8080}]}]" },
	{ "\"ingress\":[{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"t", "\"}}}]}]" },
	{ "\"egress\":[{\"to\":[{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\",\"except\":[\"10.1.",
	  ".0/24\"]}}]},"
	  "{\"to\":[],\"ports\":[{\"port\":\"http\"}]}]" },
	{ "\"ingress\":[{\"from\":[{\"namespaceSelector\":{},\"podSelector\":{\"matchLabels\":{\"app\":\"a",
	  "\"}}}],"
	  "\"ports\":[{\"port\":\"http\"},{\"protocol\":\"UDP\",\"port\":1000,\"endPort\":2000}]}]" },
	{ "\"policyTypes\":[\"Ingress\",\"Egress\"],\"ingress\":[],\"egress\":[{\"to\":[{\"namespaceSelector\":"
	  "{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"ns-",
	  "\"}},\"podSelector\":{\"matchExpressions\":"
	  "[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"2\"]}]}}],\"ports\":[{\"protocol\":\"UDP\",\"port\":53}]}]" },
};

static void add_policies(struct store *s)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = 0; i < POLICIES; i++) {
		const char *const *shape = shapes[i / NAMESPACES % ARRAY_SIZE(shapes)];

		fprintf(f,
			"%s{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"p-%d\","
			"\"namespace\":\"ns-%d\"},\"spec\":{\"podSelector\":%s,",
			comma(i), i, i % NAMESPACES, i % 2 ? "{}" : "{\"matchLabels\":{\"tier\":\"0\"}}");
		fprintf(f, "%s%d%s}}", shape[0], i % 200, shape[1]);
	}
	text_read(&t, s);
}

static void add_services(struct store *s)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = 0; i < SERVICES; i++) {
		fprintf(f,
			"%s{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s-%d\",\"namespace\":\"ns-%d\"},"
			"\"spec\":{\"clusterIP\":\"172.20.%d.%d\",\"clusterIPs\":[\"172.20.%d.%d\"],\"ports\":[{\"name\":\"http\","
			"\"port\":80,\"targetPort\":8080}]}},",
			comma(i), i, i % NAMESPACES, i >> 8, i & 255, i >> 8, i & 255);
		fprintf(f,
			"{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"s-%d-x\","
			"\"namespace\":\"ns-%d\",\"labels\":{\"kubernetes.io/service-name\":\"s-%d\"}},\"addressType\":\"IPv4\","
			"\"ports\":[{\"name\":\"http\",\"port\":8080}],\"endpoints\":[",
			i, i % NAMESPACES, i);
		for (int e = 0; e < ENDPOINTS; e++)
			fprintf(f, "%s{\"addresses\":[\"10.%d.%d.%d\"],\"nodeName\":\"there\"}", comma(e),
				(i * ENDPOINTS + e) >> 16, (i * ENDPOINTS + e) >> 8 & 255,
				(i * ENDPOINTS + e) & 255);
		fputs("]}", f);
	}
	text_read(&t, s);
}

static struct store *large_store(void)
{
	struct store *s = store_new();

	add_namespaces(s);
	for (int i = 0; i < PODS; i += 10000)
		add_pods(s, i, 10000);
	add_policies(s);
	add_services(s);
	store_complete(s, 0);
	assert_int_equal(s->diags.errors, 0);
	return s;
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void large_cluster_compiles_in_bounded_time_and_memory(void **state)
{
	_cleanup_(store_free) struct store *s = large_store();
	struct plan_input in = { .store = s, .node = "here" };
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, bytes;
	_cleanup_(plan_free) struct plan *p = NULL;
	double start = cpu_seconds(), seconds;
	size_t elements = 0;

	p = plan_compile(&in);
	seconds = cpu_seconds() - start;
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	for (size_t i = 0; i < p->n_sets; i++)
		elements += p->sets[i].n_elements;
	print_message(
		"# %.2f s, %zu MB: %zu local pods, %zu rules, %zu identities, %zu addresses, %zu sets with %zu "
		"elements, %zu port sets, %zu backends\n",
		seconds, bytes >> 20, p->n_pods, p->n_rules, p->n_identities, p->n_addresses, p->n_sets, elements,
		p->n_port_sets, p->n_backends);
	assert_int_equal(p->n_pods, LOCALS);
	assert_int_equal(p->n_backends, SERVICES * ENDPOINTS);
	assert_true(p->n_addresses > PODS);
	assert_true(elements > LOCALS);
	assert_true(seconds < SECONDS_MAX);
	assert_true(bytes < BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_cluster_compiles_in_bounded_time_and_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
