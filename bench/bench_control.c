// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the control plane costs: compiling, loading, changing one endpoint, and
 * the kernel memory of it all. Tables only: no device, no packet. Works in
 * namespaces of its own, with a BPF file system and a /run that end with it.
 */
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "kernel/node.h"
#include "lib/large_cluster.h"
#include "row.h"

#define ENDPOINTS 10

static int rounds = 9;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const struct weir_err *err)
{
	fprintf(stderr, "bench_control: %s\n", err->text);
	exit(1);
}

static void load_once(struct store *s, struct row *kernel, struct row *compile)
{
	struct plan_input in = { .store = s, .node = LARGE_NODE };
	_cleanup_(node_close) struct node *n = NULL;
	_cleanup_(plan_free) struct plan *p = NULL;
	struct attachment_list none = {};
	struct sync_delta d = {};
	struct weir_err err = {};
	double start = now_s();

	p = plan_compile(&in);
	row_add(compile, now_s() - start);
	if (node_open(NULL, NODE_PRIVATE, NULL, &n, &err))
		die(&err);
	start = now_s();
	if (sync_apply(n, p, &none, SYNC_NO_DEVICES, &d, &err))
		die(&err);
	row_add(kernel, now_s() - start);
}

int main(int argc, char **argv)
{
	struct large_cluster c = { .services = 10000, .endpoints = ENDPOINTS };
	struct store *s = large_store(&c);
	struct row k = { .work = "load", .variant = "weir", .unit = "s", .aim = "<= 0.1" };
	struct row co = { .work = "compile", .variant = "weir", .unit = "s", .aim = "<= 0.5" };
	rows_open("control");
	for (int i = 0; i < rounds; i++)
		load_once(s, &k, &co);
	row_end(&k);
	row_end(&co);
	rows_close();
	return 0;
}
