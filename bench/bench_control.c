// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the control plane costs: compiling, loading, changing one endpoint, and the kernel memory of
 * it all. Tables only: no device, no packet; unpinned instances of its own, several at a time so
 * that sizes alternate. Every apply is checked by what it says that it wrote.
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

static int rounds = 25; /* a first argument says otherwise */
static const struct attachment_list nobody;

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
 * The first load of an instance: into empty tables, the plan file apart (it is the same for any
 * size of change).
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
	if (sync_apply(n, p, &nobody, SYNC_NO_DEVICES, &d, &err))
		die(err.text);
	row_add(row, now_s() - start);
	if (d.inserted[WEIR_MAP_backends] != p->n_backends ||
	    d.inserted[WEIR_MAP_frontends] != p->n_frontends)
		die("a load did not write everything");
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
		die("cannot reset the peak of resident memory");
}

struct compiled {
	double seconds, mib;
	size_t addresses, sets, port_sets;
};

/*
 * What a fresh child needs beside what it shares. Free memory is given back first: it would hide
 * the need.
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
		die("the child that compiles died");
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

/* An instance that stays, of one size. */
struct standing {
	int services;
	struct store *store;
	struct node *node;
	struct session *session;
	bool moved[SERVICES]; /* has the other set of endpoints */
	struct row live, settle;
};

static void stand(struct standing *st, int services)
{
	const struct large_cluster c = { .services = services, .endpoints = ENDPOINTS };
	_cleanup_(plan_free) struct plan *p = NULL;
	struct sync_delta d = {};
	struct weir_err err = {};

	st->services = services;
	st->store = large_store(&c);
	p = plan_compile(&(struct plan_input){ .store = st->store, .node = LARGE_NODE });
	if (node_open(NULL, NODE_PRIVATE, NULL, &st->node, &err) ||
	    session_apply(&st->session, st->node, p, &nobody, SYNC_NO_DEVICES, &d, &err))
		die(err.text);
	st->live = (struct row){ .work = "one endpoint changes: event to live",
				 .variant = "weir",
				 .unit = "ms",
				 .aim = "<= 1" };
	st->settle = (struct row){ .work = "one endpoint changes: the wait afterwards",
				   .variant = "weir",
				   .unit = "ms",
				   .aim = "" };
	snprintf(st->live.size, sizeof(st->live.size), "%d Services x %d", services, ENDPOINTS);
	strcpy(st->settle.size, st->live.size);
}

static void leave(struct standing *st)
{
	row_end(&st->live);
	row_end(&st->settle);
	session_close(&st->session);
	node_close(&st->node);
	store_free(&st->store);
}

static const struct kube_service *service_of(const struct standing *st, int i)
{
	_cleanup_(mem_free) char *ns = mem_printf("ns-%d", i % LARGE_NAMESPACES),
				 *name = mem_printf("s-%d", i);
	const struct kube_service *service = store_service(st->store, ns, name);

	return service ?: (die("a Service is not in the store"), NULL);
}

/*
 * The slice as an event brings it, one endpoint another than before: read, compiled, bound,
 * written.
 */
static void change_one(struct standing *st, int i)
{
	_cleanup_(store_free) struct store *event = store_new();
	_cleanup_(plan_free) struct plan *part = NULL;
	_cleanup_(mem_free) char *text = NULL;
	const struct kube_service *service = service_of(st, i);
	struct sync_delta d = {};
	struct weir_err err = {};
	size_t len;
	FILE *f = open_memstream(&text, &len);
	double start;

	st->moved[i] = !st->moved[i];
	large_put_slice(f, i, ENDPOINTS, i * ENDPOINTS + st->moved[i]);
	fclose(f);
	start = now_s();
	store_read_buffer(event, "event.json", text, len);
	part = plan_compile_service(&(struct plan_input){ .store = st->store, .node = LARGE_NODE },
				    service, event->slices, event->n_slices);
	if (session_service(st->session, part, &d, &err))
		die(err.text);
	row_add(&st->live, (now_s() - start) * 1e3);
	if (d.changed[WEIR_MAP_services] != 1 || d.inserted[WEIR_MAP_backends] != 1 ||
	    d.deleted[WEIR_MAP_backends] != 1)
		die("a change of one endpoint wrote something else");
}

static void changes(void)
{
	static const int sizes[SIZES] = { 10, 1000, SERVICES };
	static struct standing st[SIZES];
	struct weir_err err = {};
	unsigned int seed = 1;

	for (int i = 0; i < SIZES; i++)
		stand(&st[i], sizes[i]);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < SIZES; i++) {
			double start;

			for (int c = 0; c < CHANGES_AT_ONCE; c++)
				change_one(&st[i], rand_r(&seed) % sizes[i]);
			start = now_s();
			if (session_settle(st[i].session, &err))
				die(err.text);
			row_add(&st[i].settle, (now_s() - start) * 1e3);
		}
	for (int i = 0; i < SIZES; i++)
		leave(&st[i]);
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
	static struct standing st;
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

	stand(&st, SERVICES);
	all.variant = "weir";
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		sum[of_connections(map)] += memlock_mib(node_map_fd(st.node, map));
	snprintf(all.size, sizeof(all.size), "%d Services x %d", SERVICES, ENDPOINTS);
	snprintf(flows.size, sizeof(flows.size), "%u entries: %.0f bytes each",
		 node_map_max(st.node, WEIR_MAP_conntrack),
		 sum[1] * 1048576 / node_map_max(st.node, WEIR_MAP_conntrack));
	leave(&st);
	stand(&st, 0);
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		none += of_connections(map) ? 0 : memlock_mib(node_map_fd(st.node, map));
	leave(&st);
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
