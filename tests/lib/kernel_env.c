// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Namespaces, plans and records for tests of the tables. See kernel_env.h. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "kube/store.h"
#include "lib/kernel_env.h"

const char *const kernel_labels[KERNEL_PODS] = { "app: web", "app: client", "app: other",
						 "app: client" };

const char kernel_service[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.1, ipFamilyPolicy: "
	"PreferDualStack, clusterIPs: [10.96.0.1, 'fd00:10:96::1'], ipFamilies: [IPv4, IPv6], selector: {app: web}, "
	"ports: [{name: u, port: 53, protocol: UDP, targetPort: 5353}, {name: t, port: 80, targetPort: 8080}]}\n";

const char kernel_policy[] =
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: in}\n"
	"spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}, "
	"{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}}], ports: [{port: 8000, endPort: 8010}]}]}\n";

const struct node_setup kernel_sizes = {
	.max = {
		[WEIR_MAP_pods] = 64,	    [WEIR_MAP_policy_sets] = 64,   [WEIR_MAP_port_ranges] = 256,
		[WEIR_MAP_services] = 64,   [WEIR_MAP_backend_slots] = 256, [WEIR_MAP_backends] = 64,
		[WEIR_MAP_conntrack] = 256, [WEIR_MAP_gc_slots] = 256,	   [WEIR_MAP_gc_free] = 256,
		[WEIR_MAP_closing_keys] = 256, [WEIR_MAP_events] = 4096,
		[WEIR_MAP_rule_hits] = 64, [WEIR_MAP_set_hits] = 64,
	},
};

bool kernel_env_enter(void)
{
	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return false;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL)) {
		printf("1..0 # SKIP needs namespaces and a BPF file system\n");
		return false;
	}
	return true;
}

static void put_pods(FILE *f, const char *const *labels)
{
	fputs("apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: "
	      "198.51.100.1}]}\n",
	      f);
	for (int i = 0; i < KERNEL_PODS; i++)
		if (labels[i])
			fprintf(f,
				"---\napiVersion: v1\nkind: Pod\nmetadata: {name: %c, uid: u%d, labels: {%s}}\n"
				"spec: {nodeName: %s, containers: [{name: c, image: i}]}\n"
				"status: {phase: Running, conditions: [{type: Ready, status: 'True'}], "
				"podIP: 10.244.0.%d, podIPs: [{ip: 10.244.0.%d}, {ip: 'fd00:10:244::%d'}]}\n",
				i == KERNEL_PODS - 1 ? 'r' : 'a' + i, i, labels[i],
				i == KERNEL_PODS - 1 ? "n2" : "n1", i + 1, i + 1, i + 1);
}

static struct store *read_objects(const char *const *labels, va_list parts)
{
	struct store *store = store_new();
	_cleanup_(mem_free) char *text = NULL;
	const char *part;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	put_pods(f, labels);
	while ((part = va_arg(parts, const char *)))
		fprintf(f, "---\n%s", part);
	fclose(f);
	store_read_buffer(store, "test.yaml", text, len);
	store_apply_defaults(store, 0);
	if (store->diags.errors)
		diag_print(&store->diags, stderr);
	assert_int_equal(store->diags.errors, 0);
	return store;
}

struct store *kernel_store(const char *const *labels, ...)
{
	struct store *store;
	va_list ap;

	va_start(ap, labels);
	store = read_objects(labels, ap);
	va_end(ap);
	return store;
}

struct plan *kernel_plan(const char *const *labels, ...)
{
	_cleanup_(store_free) struct store *store = NULL;
	struct plan_input in = { .node = "n1" };
	va_list ap;

	va_start(ap, labels);
	store = read_objects(labels, ap);
	va_end(ap);
	in.store = store;
	return plan_compile(&in);
}

struct attachment_list kernel_records(const struct plan *p)
{
	struct attachment_list l = { .n = p->n_pods };

	l.items = mem_zalloc((p->n_pods + 1) * sizeof(*l.items));
	for (size_t i = 0; i < p->n_pods; i++)
		l.items[i] =
			(struct attachment){ .ns = arena_strdup(&l.arena, p->pods[i].ns),
					     .name = arena_strdup(&l.arena, p->pods[i].name),
					     .uid = arena_strdup(&l.arena, p->pods[i].uid),
					     .netns = "",
					     .ifindex = 100 + *p->pods[i].name - 'a',
					     .mac = { 2, 0, 0, 0, 0, *p->pods[i].name },
					     .addr = { p->pods[i].addr[0], p->pods[i].addr[1] } };
	return l;
}

struct node *kernel_node(const char *name, enum node_mode mode)
{
	struct node *n = NULL;
	struct weir_err err = {};

	if (node_open(name, mode, &kernel_sizes, &n, &err))
		fail_msg("%s", err.text);
	return n;
}

struct sync_delta kernel_apply(struct node *n, const struct plan *p)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d = {};
	struct weir_err err = {};

	if (sync_apply(n, p, &l, SYNC_NO_DEVICES, &d, &err))
		fail_msg("%s", err.text);
	return d;
}

static void put_count(FILE *f, const char *map, char sign, uint32_t count)
{
	if (count)
		fprintf(f, "%s%s %c%u", ftell(f) ? " " : "", map, sign, count);
}

void kernel_assert_delta(const struct sync_delta *d, const char *want, const char *file, int line)
{
	_cleanup_(mem_free) char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		put_count(f, map_info(map)->name, '+', d->inserted[map]);
		put_count(f, map_info(map)->name, '~', d->changed[map]);
		put_count(f, map_info(map)->name, '-', d->deleted[map]);
	}
	put_count(f, "attached", '+', d->attached);
	put_count(f, "detached", '-', d->detached);
	if (d->policy_epoch_raised)
		fprintf(f, "%spolicy-epoch", ftell(f) ? " " : "");
	if (d->service_epoch_raised)
		fprintf(f, "%sservice-epoch", ftell(f) ? " " : "");
	fclose(f);
	if (strcmp(got, want)) {
		print_error("delta is \"%s\"\n     not \"%s\"\n", got, want);
		_fail(file, line);
	}
}
