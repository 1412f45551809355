// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Starts and stops servers: fork, readiness pipe, pid files. serve.c has the server's body. A
 * process is killed only if pid and start time match the pid file: the pid alone may have been
 * reused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/instance.h"
#include "base/mem.h"
#include "sandbox/serve.h"
#include "sandbox/server.h"

#define STOP_TRIES 200 /* SIGTERM, one per 5 ms; then SIGKILL */

/* Field 22 of /proc/PID/stat, and the state. 0: no such process. */
static unsigned long long start_time(pid_t pid, char *ret_state)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	const char *after;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	/* the process name may contain ')': fields start after the last one */
	after = strrchr(text, ')');
	if (!after ||
	    sscanf(after + 1,
		   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   ret_state, &start) != 2)
		return 0;
	return start;
}

static bool runs(pid_t pid, unsigned long long start)
{
	char state = 0;

	waitpid(pid, NULL, WNOHANG); /* reaps a child; fails harmlessly for others */
	return start_time(pid, &state) == start && start && state != 'Z';
}

static int write_pid_file(const char *path)
{
	char text[64], state;
	int len = snprintf(text, sizeof(text), "%d %llu\n", getpid(), start_time(getpid(), &state));

	return file_write(path, INSTANCE_FILE_MODE, text, len, NULL);
}

static int read_pid_file(const char *path, pid_t *ret_pid, unsigned long long *ret_start)
{
	FILE *f = fopen(path, "re");
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%d %llu", ret_pid, ret_start);
	fclose(f);
	return n == 2 && *ret_pid > 1 ? 0 : -EINVAL;
}

static void stop(pid_t pid, unsigned long long start)
{
	const struct timespec tick = { 0, 5000000 };

	for (int i = 0; runs(pid, start); i++) {
		kill(pid, i < STOP_TRIES ? SIGTERM : SIGKILL);
		nanosleep(&tick, NULL);
	}
}

void server_stop(pid_t pid)
{
	char state;

	stop(pid, start_time(pid, &state));
}

bool server_alive(const char *pid_file)
{
	unsigned long long start;
	pid_t pid;

	return !read_pid_file(pid_file, &pid, &start) && runs(pid, start);
}

void server_stop_file(const char *pid_file)
{
	unsigned long long start;
	pid_t pid;

	if (!read_pid_file(pid_file, &pid, &start))
		stop(pid, start);
	unlink(pid_file);
}

/*
 * Closes every descriptor of the caller: one that stays open holds a lock, a device or a terminal.
 */
static int detach(const struct server_spec *spec, int *ready)
{
	int null = open("/dev/null", O_RDWR), moved = fcntl(*ready, F_DUPFD_CLOEXEC, 10);

	/* Ctrl-C is for the command that started the server */
	signal(SIGINT, spec->temporary ? SIG_DFL : SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (spec->temporary)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else
		setsid();
	prctl(PR_SET_NAME, "weir-server");
	if (null < 0 || moved < 0 || setns(spec->netns_fd, CLONE_NEWNET))
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	*ready = dup3(moved, 3, O_CLOEXEC);
	close_range(4, ~0U, 0);
	return chdir("/") ? -errno : 0;
}

static void child(const struct server_spec *spec, int ready)
{
	sigset_t none;
	int r;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = detach(spec, &ready);
	if (!r && spec->pid_file)
		r = write_pid_file(spec->pid_file);
	if (!r)
		r = serve_open(spec);
	if (write(ready, &r, sizeof(r)) != sizeof(r))
		_exit(1);
	close(ready);
	if (!r)
		serve_loop(spec->label);
	_exit(r ? 1 : 0);
}

int server_start(const struct server_spec *spec, pid_t *ret_pid, struct weir_err *err)
{
	int ready[2], result = -EPIPE;
	ssize_t n;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid)
		child(spec, ready[1]);
	close(ready[1]);
	if (pid < 0) {
		close(ready[0]);
		return err_set(err, -errno, "fork: %s", strerror(errno));
	}
	do
		n = read(ready[0], &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	close(ready[0]);
	if (n == sizeof(result) && !result) {
		*ret_pid = pid;
		return 0;
	}
	server_stop(pid);
	if (spec->pid_file)
		unlink(spec->pid_file);
	return err_set(err, result, "server of %s: %s", spec->label, strerror(-result));
}
