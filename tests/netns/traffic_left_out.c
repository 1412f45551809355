// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A tenant's Service that does not fit the tables: connections to it are refused, and those to
 * another tenant's Service go on without loss, over the load that leaves it out and the one that
 * needs two steps.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_socket.h"

#define GOOD 1
#define EVIL 2

static const struct node_setup small = { .max = { [WEIR_MAP_conntrack] = 16384,
						  [WEIR_MAP_gc_slots] = 16384,
						  [WEIR_MAP_gc_free] = 16384,
						  [WEIR_MAP_services] = 64 } };

/* Tenant evil has a Service of n ports, from first on. */
static void up(struct netns_cluster *c, unsigned int n, unsigned int first)
{
	_cleanup_(mem_free) char *text = NULL, *ports = NULL;
	size_t size;
	FILE *f = open_memstream(&ports, &size);

	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "%sp%u:TCP:%u:http", i ? " " : "", first + i, first + i);
	fclose(f);
	f = open_memstream(&text, &size);
	netns_pod(f, "good", "client", "client", 10, "http:TCP:80");
	netns_pod(f, "good", "server", "server", 11, "http:TCP:80 dns:UDP:53");
	netns_pod(f, "evil", "server", "server", 12, "http:TCP:80");
	netns_service(f, "good", "web", "server", GOOD, "web:TCP:80:http dns:UDP:53:dns");
	netns_service(f, "evil", "many", "server", EVIL, ports);
	fclose(f);
	netns_cluster_up(c, text);
}

static int try_port(struct netns_cluster *c, unsigned int service, int family, uint16_t port)
{
	struct weir_addr dst = netns_service_addr(service, family);

	return netns_try(c, "good/client", IPPROTO_TCP, &dst, port, NULL, 0);
}

/* A child that connects to good/web all the time, until its parent closes the pipe. */
struct visitor {
	pid_t pid;
	int out;
};

/* Exit status: 0 if each exchange succeeded, and there were some. */
static void visit(struct netns_cluster *c, int in)
{
	unsigned int done = 0, failed = 0;

	while (!netns_wait(in, POLLIN | POLLHUP, 0))
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = netns_service_addr(GOOD, family);

			failed += !!netns_try(c, "good/client", IPPROTO_TCP, &dst, 80, NULL, 0);
			failed += !!netns_try(c, "good/client", IPPROTO_UDP, &dst, 53, NULL, 0);
			done += 2;
		}
	_exit(failed || !done);
}

static struct visitor visitor_start(struct netns_cluster *c)
{
	struct visitor v;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	v.pid = fork();
	assert_true(v.pid >= 0);
	if (!v.pid) {
		close(ends[1]);
		visit(c, ends[0]);
	}
	close(ends[0]);
	v.out = ends[1];
	return v;
}

static void assert_no_loss(const struct visitor *v)
{
	int status;

	close(v->out);
	assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_service_that_does_not_fit_is_refused_and_no_other_loses_a_packet(void **state)
{
	struct netns_cluster *c = *state;
	struct visitor v;

	c->sizes = &small;
	up(c, 3, 1000);
	v = visitor_start(c);
	for (unsigned int round = 0; round < 3; round++) {
		up(c, 100, 1000);
		for (int family = 0; family < 2; family++)
			assert_int_equal(try_port(c, EVIL, family, 1000), -ECONNREFUSED);
		up(c, 3, 1000);
		for (int family = 0; family < 2; family++)
			assert_int_equal(try_port(c, EVIL, family, 1000), 0);
	}
	assert_no_loss(&v);
}

/* 20 ports of two families, old and new ones, in a table of 64. */
static void a_service_that_is_replaced_in_two_steps_costs_no_other_a_packet(void **state)
{
	struct netns_cluster *c = *state;
	struct visitor v;

	c->sizes = &small;
	up(c, 20, 1000);
	v = visitor_start(c);
	for (unsigned int round = 0; round < 3; round++) {
		up(c, 20, round & 1 ? 1000 : 2000);
		for (int family = 0; family < 2; family++)
			assert_int_equal(try_port(c, EVIL, family, round & 1 ? 1019 : 2019), 0);
	}
	assert_no_loss(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(a_service_that_does_not_fit_is_refused_and_no_other_loses_a_packet),
		netns_test(a_service_that_is_replaced_in_two_steps_costs_no_other_a_packet),
	};

	return netns_run("traffic_left_out", tests, ARRAY_SIZE(tests));
}
