// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Real connections, many at once. One child per source namespace; it writes its measurements into
 * memory shared with the caller. Must know no policy: the caller has the expectations.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/connect.h"
#include "sandbox/temp_servers.h"
#include "sandbox/sandbox.h"

#define DEFAULT_TIMEOUT_MS 400
#define PATIENT_TIMEOUT_MS 1500 /* longer than the first retransmission of a SYN (1 s) */

const char *sandbox_measured_text(enum sandbox_measured m)
{
	static const char *const texts[] = {
		[SANDBOX_UNKNOWN] = "unknown",
		[SANDBOX_ALLOW] = "allow",
		[SANDBOX_DENY] = "deny",
		[SANDBOX_REFUSED] = "refused",
	};

	return texts[m];
}

static int by_source(const void *a, const void *b)
{
	const struct sandbox_probe *p = *(struct sandbox_probe *const *)a,
				   *q = *(struct sandbox_probe *const *)b;
	int order = strcmp(p->from, q->from);

	return order ? order : p < q ? -1 : p > q;
}

/* In the child: all probes of one source, from its namespace. */
static int measure(const char *name, struct sandbox_probe **group, size_t n,
		   unsigned int timeout_ms)
{
	_cleanup_(fd_close) int fd = sandbox_netns(name, group[0]->from, NULL);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || sandbox_join(name, NULL) || setns(fd, CLONE_NEWNET))
		return 0; /* stays SANDBOX_UNKNOWN */
	return connect_all(group, n, timeout_ms);
}

static int wait_all(const pid_t *pids, size_t n, struct weir_err *err)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int status = 0;
		pid_t got;

		do
			got = waitpid(pids[i], &status, 0);
		while (got < 0 && errno == EINTR);
		if ((got < 0 || status) && !r)
			r = err_set(err, -EIO, "a probe process ended with status %d", status);
	}
	return r;
}

/* order is sorted by source: one child for each source. */
static int fan_out(const char *name, struct sandbox_probe **order, size_t n,
		   unsigned int timeout_ms, struct weir_err *err)
{
	_cleanup_(mem_free) pid_t *pids = mem_zalloc((n + 1) * sizeof(*pids));
	size_t n_pids = 0;
	int r = 0, waited;

	for (size_t i = 0, end; i < n && !r; i = end) {
		for (end = i; end < n && !strcmp(order[end]->from, order[i]->from); end++)
			;
		pids[n_pids] = fork();
		if (!pids[n_pids])
			_exit(measure(name, &order[i], end - i, timeout_ms) ? 1 : 0);
		if (pids[n_pids] < 0)
			r = err_set(err, -errno, "fork: %s", strerror(errno));
		else
			n_pids++;
	}
	waited = wait_all(pids, n_pids, r ? NULL : err);
	return r ? r : waited;
}

/* Keeps the probes that were expected to be allowed and got no answer. */
static size_t pick_doubtful(struct sandbox_probe **order, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (order[i]->expect_allow && order[i]->measured == SANDBOX_DENY)
			order[kept++] = order[i];
	return kept;
}

static int measure_all(const char *name, struct sandbox_probe *shared, size_t n,
		       unsigned int timeout_ms, struct weir_err *err)
{
	_cleanup_(mem_free) struct sandbox_probe **order = mem_zalloc((n + 1) * sizeof(*order));
	int r;

	for (size_t i = 0; i < n; i++)
		order[i] = &shared[i];
	qsort(order, n, sizeof(*order), by_source);
	r = fan_out(name, order, n, timeout_ms, err);
	n = pick_doubtful(order, n);
	return r || !n ? r : fan_out(name, order, n, PATIENT_TIMEOUT_MS, err);
}

int sandbox_probe(const char *name, struct sandbox_probe *probes, size_t n, unsigned int timeout_ms,
		  struct weir_err *err)
{
	_cleanup_(temp_servers_stop) struct temp_servers servers = {};
	struct sandbox_probe *shared;
	size_t size = (n + 1) * sizeof(*probes);
	int r = sandbox_check_exists(name, err);

	if (r)
		return r;
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_set(err, -errno, "shared memory for %zu probes: %s", n, strerror(errno));
	for (size_t i = 0; i < n; i++) {
		shared[i] = probes[i];
		shared[i].measured = SANDBOX_UNKNOWN;
		shared[i].answer[0] = 0;
		shared[i].us = 0;
	}
	r = temp_servers_start(&servers, name, shared, n, err);
	if (!r)
		r = measure_all(name, shared, n, timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS, err);
	if (!r)
		memcpy(probes, shared, n * sizeof(*probes));
	munmap(shared, size);
	return r;
}
