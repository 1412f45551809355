// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Large clusters. See large_cluster.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/large_cluster.h"

#define PODS_AT_ONCE 10000

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

	for (int i = 0; i < LARGE_NAMESPACES; i++)
		fprintf(f,
			"%s{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns-%d\",\"labels\":"
			"{\"team\":\"t%d\"}}}",
			comma(i), i, i % 40);
	text_read(&t, s);
}

/*
 * Every 610th pod is on this node, in 50 namespaces. Labels: one of 300 apps, one of 3 tiers, and a
 * unique name as a StatefulSet's pods have.
 */
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
			comma(i - first), i, i % LARGE_NAMESPACES, i % 300, i % 3, i,
			i % 610 ? "there" : "here", 8000 + i % 5, i >> 16, i >> 8 & 255, i & 255,
			i >> 16, i & 0xffff);
	text_read(&t, s);
}

/* Text before and behind a number. */
static const char *const shapes[][2] = {
	{ "\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"a",
	  "\"}}}],\"ports\":[{\"port\":8080}]}]" },
	{ "\"ingress\":[{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"t",
	  "\"}}}]}]" },
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

static void add_policies(struct store *s, int n)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = 0; i < n; i++) {
		const char *const *shape = shapes[i / LARGE_NAMESPACES % ARRAY_SIZE(shapes)];

		fprintf(f,
			"%s{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"p-%d\","
			"\"namespace\":\"ns-%d\"},\"spec\":{\"podSelector\":%s,",
			comma(i), i, i % LARGE_NAMESPACES,
			i % 2 ? "{}" : "{\"matchLabels\":{\"tier\":\"0\"}}");
		fprintf(f, "%s%d%s}}", shape[0], i % 200, shape[1]);
	}
	text_read(&t, s);
}

/* Consecutive numbers: no address is twice in a Service. */
static void put_endpoint(FILE *f, int number)
{
	fprintf(f, "{\"addresses\":[\"10.%d.%d.%d\"],\"nodeName\":\"there\"}", number >> 16,
		number >> 8 & 255, number & 255);
}

void large_put_slice(FILE *f, int service, int endpoints, int first)
{
	fprintf(f,
		"{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"s-%d-x\","
		"\"namespace\":\"ns-%d\",\"labels\":{\"kubernetes.io/service-name\":\"s-%d\"}},\"addressType\":\"IPv4\","
		"\"ports\":[{\"name\":\"http\",\"port\":8080}],\"endpoints\":[",
		service, service % LARGE_NAMESPACES, service);
	for (int e = 0; e < endpoints; e++) {
		fputs(comma(e), f);
		put_endpoint(f, first + e);
	}
	fputs("]}", f);
}

void large_put_service(FILE *f, int service)
{
	fprintf(f,
		"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s-%d\",\"namespace\":\"ns-%d\"},"
		"\"spec\":{\"clusterIP\":\"172.20.%d.%d\",\"clusterIPs\":[\"172.20.%d.%d\"],\"ports\":[{\"name\":\"http\","
		"\"port\":80,\"targetPort\":8080}]}}",
		service, service % LARGE_NAMESPACES, service >> 8, service & 255, service >> 8,
		service & 255);
}

static void add_services(struct store *s, int n, int endpoints)
{
	struct text t;
	FILE *f = text_open(&t);

	for (int i = 0; i < n; i++) {
		fputs(comma(i), f);
		large_put_service(f, i);
		fputc(',', f);
		large_put_slice(f, i, endpoints, i * endpoints);
	}
	text_read(&t, s);
}

struct store *large_store(const struct large_cluster *c)
{
	struct store *s = store_new();

	add_namespaces(s);
	for (int i = 0; i < c->pods; i += PODS_AT_ONCE)
		add_pods(s, i, c->pods - i < PODS_AT_ONCE ? c->pods - i : PODS_AT_ONCE);
	add_policies(s, c->policies);
	add_services(s, c->services, c->endpoints);
	store_apply_defaults(s, 0);
	return s;
}
