// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_cluster.h: cluster and manifests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "base/netns.h"
#include "lib/netns_cluster.h"

const char *netns_cluster_cannot(void)
{
	if (geteuid())
		return "needs root: network namespaces and BPF programs";
	return NULL;
}

void netns_cluster_init(struct netns_cluster *c)
{
	/* filling tables of the default size takes longer than most tests */
	static const struct node_setup small = { .max = { [WEIR_MAP_conntrack] = 16384,
							  [WEIR_MAP_gc_slots] = 16384,
							  [WEIR_MAP_gc_free] = 16384 } };
	static unsigned int count;

	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "t%d-%u", getpid(), count++);
	c->env = netns_env;
	c->sizes = &small;
}

static void forget(struct netns_cluster *c)
{
	sandbox_net_free(&c->net);
	store_free(&c->store);
}

void netns_cluster_up(struct netns_cluster *c, const char *manifests)
{
	struct sandbox_request req = { .name = c->name, .sizes = c->sizes, .no_datapath = c->bare };
	struct store *s = store_new();
	struct weir_err err = {};
	struct sandbox_net net;
	int r;

	store_read_buffer(s, "test.yaml", manifests, strlen(manifests));
	store_apply_defaults(s, STORE_ASSIGN);
	if (s->diags.errors) {
		diag_print(&s->diags, stderr);
		store_free(&s);
		fail_msg("the test's manifests are invalid");
	}
	sandbox_place(s, &net);
	net.topology = c->env->topology;
	req.store = s;
	req.net = &net;
	r = sandbox_up(&req, &c->last, &err);
	forget(c);
	c->store = s;
	c->net = net;
	if (r)
		fail_msg("sandbox up: %s", err.text);
	netns_settle(c);
}

void netns_cluster_down(struct netns_cluster *c)
{
	struct weir_err err = {};
	int r;

	forget(c);
	r = sandbox_down(c->name, NULL, &err);
	if (r)
		fail_msg("sandbox down: %s", err.text);
}

void netns_cluster_enter(const struct netns_cluster *c, const char *where, int *ret_back)
{
	_cleanup_(fd_close) int ns = sandbox_netns(c->name, where, NULL);

	if (ns < 0 || netns_enter(ns, ret_back, NULL))
		fail_msg("cannot enter the network namespace of %s", where);
}

int netns_setup(void **state)
{
	struct netns_cluster *c = mem_zalloc(sizeof(*c));

	netns_cluster_init(c);
	c->needs = (uintptr_t)*state;
	*state = c;
	return 0;
}

/* As TAP comments: how many packets were counted under each reason. */
static void print_counters(const struct netns_cluster *c)
{
	static const char *const labels[] = {
#define LABEL(name, kind, label, text) [WEIR_##name] = label,
		WEIR_REASONS(LABEL)
#undef LABEL
	};
	_cleanup_(node_close) struct node *node = NULL;
	int n_cpus = libbpf_num_possible_cpus();
	_cleanup_(mem_free) struct weir_counter *values = mem_zalloc(n_cpus * sizeof(*values));

	if (node_open(c->name, NODE_READ, NULL, &node, NULL))
		return;
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++) {
		unsigned long long packets = 0;

		if (bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_counters), &i, values))
			continue;
		for (int cpu = 0; cpu < n_cpus; cpu++)
			packets += values[cpu].packets;
		if (packets)
			printf("# %s %llu\n", labels[i], packets);
	}
}

int netns_teardown(void **state)
{
	if (getenv("WEIR_TEST_COUNTERS"))
		print_counters(*state);
	netns_cluster_down(*state);
	free(*state);
	return 0;
}

/* ---- Manifests ---- */

/* Splits "a:b:c" at ':' into n fields; missing ones are "". */
static void split(char *word, const char *fields[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fields[i] = word ? word : "";
		word = word ? strchr(word, ':') : NULL;
		if (word)
			*word++ = 0;
	}
}

static void put_pod(FILE *f, const char *ns, const char *name, const char *app, unsigned int host,
		    const char *ports, bool ready)
{
	char *copy = strdup(ports), *save = NULL;
	const char *field[3];

	fprintf(f,
		"---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: %s, name: %s, labels: {app: %s}}\n",
		ns, name, app);
	fprintf(f,
		"spec:\n  containers:\n  - name: main\n    image: example.com/test\n    ports:\n");
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		split(word, field, 3);
		fprintf(f, "    - {name: %s, protocol: %s, containerPort: %s}\n", field[0],
			field[1], field[2]);
	}
	fprintf(f,
		"status:\n  phase: Running\n  podIP: 10.244.0.%u\n"
		"  podIPs: [{ip: 10.244.0.%u}, {ip: \"fd00:10:244::%x\"}]\n"
		"  conditions: [{type: Ready, status: \"%s\"}]\n",
		host, host, host, ready ? "True" : "False");
	free(copy);
}

void netns_pod(FILE *f, const char *ns, const char *name, const char *app, unsigned int host,
	       const char *ports)
{
	put_pod(f, ns, name, app, host, ports, true);
}

void netns_pod_unready(FILE *f, const char *ns, const char *name, const char *app,
		       unsigned int host, const char *ports)
{
	put_pod(f, ns, name, app, host, ports, false);
}

void netns_service(FILE *f, const char *ns, const char *name, const char *app, unsigned int host,
		   const char *ports)
{
	char *copy = strdup(ports), *save = NULL;
	const char *field[4];

	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: %s, name: %s}\nspec:\n",
		ns, name);
	fprintf(f,
		"  selector: {app: %s}\n  ipFamilies: [IPv4, IPv6]\n  ipFamilyPolicy: PreferDualStack\n",
		app);
	fprintf(f,
		"  clusterIP: 10.96.0.%u\n  clusterIPs: [10.96.0.%u, \"fd00:10:96::%x\"]\n  ports:\n",
		host, host, host);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		split(word, field, 4);
		fprintf(f, "  - {name: %s, protocol: %s, port: %s, targetPort: %s}\n", field[0],
			field[1], field[2], field[3]);
	}
	free(copy);
}

void netns_policy(FILE *f, const char *ns, const char *name, const char *app, const char *spec)
{
	fprintf(f,
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: %s, name: %s}\n",
		ns, name);
	if (*app)
		fprintf(f, "spec: {podSelector: {matchLabels: {app: %s}}, %s}\n", app, spec);
	else
		fprintf(f, "spec: {podSelector: {}, %s}\n", spec);
}

static struct weir_addr numbered(const char *v4, const char *v6, unsigned int host, int family)
{
	struct weir_addr a;

	addr_parse(family ? v6 : v4, &a);
	a.b[15] = host;
	return a;
}

struct weir_addr netns_pod_addr(unsigned int host, int family)
{
	return numbered("10.244.0.0", "fd00:10:244::", host, family);
}

struct weir_addr netns_service_addr(unsigned int host, int family)
{
	return numbered("10.96.0.0", "fd00:10:96::", host, family);
}

struct weir_addr netns_outside_addr(int family)
{
	return numbered("198.18.7.0", "2001:db8:7::", 7, family);
}

void netns_outside_add(const struct netns_cluster *c)
{
	char command[512], text[ADDR_TEXT_MAX];

	for (int family = 0; family < 2; family++) {
		struct weir_addr a = netns_outside_addr(family);

		addr_text(&a, text);
		snprintf(command, sizeof(command),
			 "ip -n weir-%s_world addr replace %s dev eth0 %s && "
			 "ip -n weir-%s_node route replace %s dev world",
			 c->name, text, family ? "nodad" : "", c->name, text);
		assert_int_equal(system(command), 0);
	}
}
