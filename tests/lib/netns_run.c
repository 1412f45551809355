// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_cluster.h: runs a suite in every environment. A traffic test mostly waits for packets
 * that must not arrive, so several environments run at the same time, each in a process of its own;
 * their outputs are printed one after the other, in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "attach/hooks.h"
#include "lib/netns_cluster.h"

#define JOBS 6 /* environments at the same time, each with a cluster of a few namespaces */

struct run {
	pid_t pid; /* 0: not started */
	FILE *out;
};

static bool tcx_works(void)
{
	_cleanup_(node_close) struct node *n = NULL;

	return !node_open(NULL, NODE_PRIVATE, NULL, &n, NULL) &&
	       hook_tcx_works(node_prog_fd(n, WEIR_PROGRAM_from_pod));
}

/* NULL, or why this machine cannot make the environment. */
static const char *env_cannot(const struct netns_env *env, bool tcx)
{
	if (env->attach == ATTACH_TCX && !tcx)
		return "this kernel has no tcx";
	if (env->settings & (NETNS_DROP_INVALID | NETNS_DROP_FORWARD) &&
	    system("nft -v >/dev/null 2>&1"))
		return "nft is not installed";
	if (env->settings & NETNS_BRIDGE_NF && access("/proc/sys/net/bridge", F_OK))
		return "this kernel has no br_netfilter";
	return NULL;
}

static int run_env(const char *group, const struct netns_env *env, const struct CMUnitTest *tests,
		   size_t n)
{
	_cleanup_(mem_free) char *name = mem_printf("%s, %s", group, env->name);

	printf("# %s\n", name);
	attach_preference = env->attach;
	netns_env = env;
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL) ? 1 : 0;
}

static void start(struct run *r, const char *group, const struct netns_env *env,
		  const struct CMUnitTest *tests, size_t n)
{
	r->out = tmpfile();
	fflush(stdout);
	r->pid = r->out ? fork() : -1;
	if (r->pid)
		return;
	dup2(fileno(r->out), STDOUT_FILENO);
	dup2(fileno(r->out), STDERR_FILENO);
	exit(run_env(group, env, tests, n));
}

/* Waits for the process and prints its output. */
static bool finish(struct run *r, const char *group, const struct netns_env *env)
{
	int status = -1, c;

	if (r->pid > 0)
		waitpid(r->pid, &status, 0);
	if (r->out) {
		rewind(r->out);
		while ((c = getc(r->out)) != EOF)
			putchar(c);
		fclose(r->out);
	}
	if (!WIFEXITED(status))
		printf("1..1\nnot ok 1 - %s, %s: the process died, wait status %d\n", group,
		       env->name, status);
	fflush(stdout);
	return status == 0;
}

static size_t jobs(void)
{
	const char *text = getenv("WEIR_NETNS_JOBS");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : JOBS;
}

int netns_run(const char *group, const struct CMUnitTest *tests, size_t n)
{
	const char *cannot = netns_cluster_cannot(), *only = getenv("WEIR_NETNS_ENVS");
	struct run runs[64] = {};
	size_t started = 0, max = jobs();
	bool tcx, failed = false;

	if (cannot) {
		printf("1..0 # SKIP %s: %s\n", group, cannot);
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	tcx = tcx_works();
	for (size_t i = 0; netns_envs[i].name; i++) {
		const char *why;

		for (; netns_envs[started].name && started < i + max; started++)
			if ((!only || strstr(netns_envs[started].name, only)) &&
			    !env_cannot(&netns_envs[started], tcx))
				start(&runs[started], group, &netns_envs[started], tests, n);
		why = env_cannot(&netns_envs[i], tcx);
		if (runs[i].pid)
			failed = !finish(&runs[i], group, &netns_envs[i]) || failed;
		else if (why)
			printf("1..1\nok 1 - %s, %s # SKIP %s\n", group, netns_envs[i].name, why);
	}
	return failed ? 1 : 0;
}
