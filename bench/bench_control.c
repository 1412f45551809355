// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The cost of the control plane: compiling, loading, changing one endpoint, and kernel memory.
 * Tables only: no device, no packet. Instances are unpinned, several at a time, so that sizes
 * alternate. Every apply is checked by its own report of what it wrote.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/session.h"
#include "lib/large_cluster.h"
#include "row.h"

#define ENDPOINTS 10
#define SERVICES 10000
#define PODS 150000
#define POLICIES 10000
#define SIZES 3
#define CHANGES_AT_ONCE 8

static int rounds = 25; /* or the first argument */
static const struct attachment_list no_attachments;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench_control: %s\n", what);
	exit(1);
}

/* ---- Compile and load ---- */

/*
 * The first load of an instance, into empty tables. Without writing the plan file, which takes the
 * same for any size of change.
 */
static void load_once(const struct plan *p, struct row *row)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct sync_delta d = {};
	struct weir_err err = {};
	double start;

	if (node_open(NULL, NODE_PRIVATE, NULL, &n, &err))
		die(err.text);
	start = now_s();
	if (sync_apply(n, p, &no_attachments, SYNC_NO_DEVICES, &d, &err))
		die(err.text);
	row_add(row, now_s() - start);
	if (d.inserted[WEIR_MAP_backends] != p->n_backends ||
	    d.inserted[WEIR_MAP_frontends] != p->n_frontends)
		die("a load did not write all backends and frontends");
}

static void compile_and_load(void)
{
	const struct large_cluster c = { .services = SERVICES, .endpoints = ENDPOINTS };
	_cleanup_(store_free) struct store *s = large_store(&c);
	const struct plan_input in = { .store = s, .node = LARGE_NODE };
	struct row compile = { .work = "compile", .variant = "weir", .unit = "s", .aim = "<= 0.5" };
	struct row load = {
		.work = "load (kernel part)", .variant = "weir", .unit = "s", .aim = "<= 0.1"
	};

	snprintf(compile.size, sizeof(compile.size), "%d Services x %d", SERVICES, ENDPOINTS);
	strcpy(load.size, compile.size);
	for (int i = 0; i < rounds; i++) {
		_cleanup_(plan_free) struct plan *p = NULL;
		double start = now_s();

		p = plan_compile(&in);
		row_add(&compile, now_s() - start);
		load_once(p, &load);
	}
	row_end(&load);
	row_end(&compile);
}

/* ---- A large cluster ---- */

static long status_kib(const char *key)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = atol(line + strlen(key));
	if (f)
		fclose(f);
	return kib;
}

static void reset_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	if (!f || fputs("5", f) < 0 || fclose(f))
		die("cannot reset the peak of resident memory (/proc/self/clear_refs)");
}

struct compiled {
	double seconds, mib;
	size_t addresses, sets, port_sets;
};

/*
 * The additional memory of a fresh child. Free memory is returned first: the compile would reuse it
 * unseen.
 */
static struct compiled compile_in_child(const struct plan_input *in)
{
	struct compiled got = {};
	int fds[2];
	pid_t pid;

	if (pipe(fds) || (pid = fork()) < 0)
		die("cannot fork");
	if (!pid) {
		_cleanup_(plan_free) struct plan *p = NULL;
		long before;
		double start;

		malloc_trim(0);
		reset_peak();
		before = status_kib("VmRSS:");
		start = now_s();
		p = plan_compile(in);
		got = (struct compiled){ now_s() - start, (status_kib("VmHWM:") - before) / 1024.0,
					 p->n_addresses, p->n_sets - 1, p->n_port_sets };
		_exit(write(fds[1], &got, sizeof(got)) != sizeof(got));
	}
	close(fds[1]);
	if (read(fds[0], &got, sizeof(got)) != sizeof(got))
		die("the compiling child ended early");
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return got;
}

static void large_cluster(void)
{
	const struct large_cluster c = { PODS, POLICIES, SERVICES, ENDPOINTS };
	_cleanup_(store_free) struct store *s = large_store(&c);
	const struct plan_input in = { .store = s, .node = LARGE_NODE };
	struct row seconds = {
		.work = "compile for one node", .variant = "weir", .unit = "s", .aim = "<= 0.5"
	};
	struct row mib = {
		.work = "memory of that compile", .variant = "weir", .unit = "MiB", .aim = "<= 150"
	};

	for (int i = 0; i < (rounds + 4) / 5; i++) {
		struct compiled got = compile_in_child(&in);

		snprintf(seconds.size, sizeof(seconds.size),
			 "%d pods %d policies %d Services: %zu addresses %zu sets %zu port sets",
			 PODS, POLICIES, SERVICES, got.addresses, got.sets, got.port_sets);
		row_add(&seconds, got.seconds);
		row_add(&mib, got.mib);
	}
	strcpy(mib.size, seconds.size);
	row_end(&seconds);
	row_end(&mib);
}

/* ---- One endpoint changes ---- */

/* An instance of one size, with a session. */
struct instance {
	int services;
	struct store *store;
	struct node *node;
	struct session *session;
	bool moved[SERVICES]; /* the Service has its other set of endpoints */
	struct row live, settle;
};

static void instance_open(struct instance *inst, int services)
{
	const struct large_cluster c = { .services = services, .endpoints = ENDPOINTS };
	_cleanup_(plan_free) struct plan *p = NULL;
	struct sync_delta d = {};
	struct weir_err err = {};

	inst->services = services;
	inst->store = large_store(&c);
	p = plan_compile(&(struct plan_input){ .store = inst->store, .node = LARGE_NODE });
	if (node_open(NULL, NODE_PRIVATE, NULL, &inst->node, &err) ||
	    session_apply(&inst->session, inst->node, p, &no_attachments, SYNC_NO_DEVICES, &d,
			  &err))
		die(err.text);
	inst->live = (struct row){ .work = "one endpoint changes: event to live",
				   .variant = "weir",
				   .unit = "ms",
				   .aim = "<= 1" };
	inst->settle = (struct row){ .work = "one endpoint changes: the wait afterwards",
				     .variant = "weir",
				     .unit = "ms",
				     .aim = "" };
	snprintf(inst->live.size, sizeof(inst->live.size), "%d Services x %d", services, ENDPOINTS);
	strcpy(inst->settle.size, inst->live.size);
}

static void instance_close(struct instance *inst)
{
	row_end(&inst->live);
	row_end(&inst->settle);
	session_close(&inst->session);
	node_close(&inst->node);
	store_free(&inst->store);
}

static const struct kube_service *service_of(const struct instance *inst, int i)
{
	_cleanup_(mem_free) char *ns = mem_printf("ns-%d", i % LARGE_NAMESPACES),
				 *name = mem_printf("s-%d", i);
	const struct kube_service *service = store_service(inst->store, ns, name);

	return service ?: (die("a Service is not in the store"), NULL);
}

/* An event with a slice in which one endpoint differs: read, compiled, bound, written. */
static void change_one(struct instance *inst, int i)
{
	_cleanup_(store_free) struct store *event = store_new();
	_cleanup_(plan_free) struct plan *part = NULL;
	_cleanup_(mem_free) char *text = NULL;
	const struct kube_service *service = service_of(inst, i);
	struct sync_delta d = {};
	struct weir_err err = {};
	size_t len;
	FILE *f = open_memstream(&text, &len);
	double start;

	inst->moved[i] = !inst->moved[i];
	large_put_slice(f, i, ENDPOINTS, i * ENDPOINTS + inst->moved[i]);
	fclose(f);
	start = now_s();
	store_read_buffer(event, "event.json", text, len);
	part = plan_compile_service(
		&(struct plan_input){ .store = inst->store, .node = LARGE_NODE }, service,
		event->slices, event->n_slices);
	if (session_service(inst->session, part, &d, &err))
		die(err.text);
	row_add(&inst->live, (now_s() - start) * 1e3);
	if (d.changed[WEIR_MAP_services] != 1 || d.inserted[WEIR_MAP_backends] != 1 ||
	    d.deleted[WEIR_MAP_backends] != 1)
		die("a change of one endpoint did not write exactly one service, one insert, one delete");
}

static void changes(void)
{
	static const int sizes[SIZES] = { 10, 1000, SERVICES };
	static struct instance inst[SIZES];
	struct weir_err err = {};
	unsigned int seed = 1;

	for (int i = 0; i < SIZES; i++)
		instance_open(&inst[i], sizes[i]);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < SIZES; i++) {
			double start;

			for (int c = 0; c < CHANGES_AT_ONCE; c++)
				change_one(&inst[i], rand_r(&seed) % sizes[i]);
			start = now_s();
			if (session_settle(inst[i].session, &err))
				die(err.text);
			row_add(&inst[i].settle, (now_s() - start) * 1e3);
		}
	for (int i = 0; i < SIZES; i++)
		instance_close(&inst[i]);
}

/* ---- Kernel memory ---- */

static double memlock_mib(int fd)
{
	_cleanup_(mem_free) char *path = mem_printf("/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "re");
	long long bytes = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "memlock: %lld", &bytes);
	if (f)
		fclose(f);
	return bytes / 1048576.0;
}

static bool of_connections(enum weir_map map)
{
	return map_info(map)->knob == WEIR_KNOB_FLOWS;
}

static void memory(void)
{
	static struct instance inst;
	struct row all = { .work = "kernel memory (connections apart)",
			   .unit = "MiB",
			   .aim = "<= 25" };
	struct row empty = {
		.work = all.work, .variant = "weir with empty tables", .unit = "MiB", .aim = ""
	};
	struct row flows = {
		.work = "kernel memory of connections", .variant = "weir", .unit = "MiB", .aim = ""
	};
	double sum[2] = {}, none = 0;

	instance_open(&inst, SERVICES);
	all.variant = "weir";
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		sum[of_connections(map)] += memlock_mib(node_map_fd(inst.node, map));
	snprintf(all.size, sizeof(all.size), "%d Services x %d", SERVICES, ENDPOINTS);
	snprintf(flows.size, sizeof(flows.size), "%u entries: %.0f bytes each",
		 node_map_max(inst.node, WEIR_MAP_conntrack),
		 sum[1] * 1048576 / node_map_max(inst.node, WEIR_MAP_conntrack));
	instance_close(&inst);
	instance_open(&inst, 0);
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		none += of_connections(map) ? 0 : memlock_mib(node_map_fd(inst.node, map));
	instance_close(&inst);
	strcpy(empty.size, "default sizes");
	row_add(&all, sum[0]);
	row_add(&empty, none);
	row_add(&flows, sum[1]);
	row_end(&all);
	row_end(&empty);
	row_end(&flows);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = atoi(argv[1]);
	if (rounds < 1 || rows_open("control"))
		return 1;
	compile_and_load();
	large_cluster();
	changes();
	memory();
	rows_close();
	return 0;
}
