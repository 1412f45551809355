// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A sandbox as a whole: whether it exists, loading its tables, removal, running a command inside.
 * Code that uses ifindexes runs in the sandbox's node namespace, or in an empty one: never in the
 * machine's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/remove.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/mem.h"
#include "sandbox/instance.h"
#include "sandbox/names.h"
#include "sandbox/netns.h"
#include "sandbox/node_cgroup.h"
#include "sandbox/records.h"
#include "sandbox/server.h"
#include "sandbox/topology.h"
#include "sync/fitting.h"

static const char *name_or_default(const char *name)
{
	return name ? name : SANDBOX_DEFAULT_NAME;
}

int sandbox_check_name(const char *name, struct weir_err *err)
{
	/* no '_': it ends the instance's name in those of its namespaces (names_prefix()) */
	size_t n;

	name = name_or_default(name);
	n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (!instance_name_ok(name) || name[n])
		return err_set(err, -EINVAL,
			       "sandbox name '%s': use 1 to %d lower-case letters, digits and '-'",
			       name, INSTANCE_NAME_MAX);
	return 0;
}

int instance_check(const char *name, struct weir_err *err)
{
	int r = sandbox_check_name(name, err);

	if (r)
		return r;
	if (geteuid())
		return err_set(
			err, -EPERM,
			"a sandbox creates network namespaces and loads BPF programs: run as root");
	return 0;
}

bool sandbox_exists(const char *name)
{
	_cleanup_(mem_free) char *node = names_netns(name_or_default(name), "node");

	return netns_exists(node);
}

int sandbox_check_exists(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *option = instance_option(name);

	if (sandbox_exists(name))
		return 0;
	return err_set(err, -ENOENT,
		       "there is no sandbox %s; create one with 'weir sandbox up -f PATH%s'",
		       name_or_default(name), option);
}

/* Tables alone don't count: `load` may create a sandbox's tables first, with other sizes. */
static bool is_attached(const char *name)
{
	_cleanup_(mem_free) char *attach_netns = instance_pin(name, "netns");
	struct stat st;

	return !lstat(attach_netns, &st);
}

int instance_check_free(const char *name, struct weir_err *err)
{
	if (!is_attached(name))
		return 0;
	return err_set(err, -EBUSY,
		       "instance %s is attached to pods of this machine: choose another --name",
		       name);
}

int instance_check_own(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *folder = records_folder(name);

	return access(folder, F_OK) ? instance_check_free(name, err) : 0;
}

/* "node/NAME" of the first node, whose namespace has no name. */
static bool is_first_node(const char *name, const char *where)
{
	_cleanup_(arena_free) struct arena arena = {};
	char **nodes = records_nodes(name, &arena);

	return *nodes && !strncmp(where, "node/", 5) && !strcmp(where + 5, *nodes);
}

int sandbox_netns(const char *name, const char *where, struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_netns(name_or_default(name), where);
	const char *slash = strchr(where, '/');
	_cleanup_(mem_free) char *ns = slash ? mem_strndup(where, slash - where) : NULL;
	_cleanup_(mem_free) char *record =
		slash ? records_read(name_or_default(name), ns, slash + 1) : NULL;

	/* a hostNetwork pod is in its node's namespace */
	if (record && !strncmp(record, "host ", 5)) {
		_cleanup_(mem_free) char *node = mem_strndup(record + 5, strcspn(record + 5, "\n"));

		return sandbox_netns(name, node, err);
	}
	if (netns_exists(netns))
		return netns_open(netns, err);
	if (sandbox_check_exists(name, err))
		return -ENOENT;
	if (is_first_node(name_or_default(name), where))
		return sandbox_netns(name, "node", err);
	return err_set(err, -ENOENT, "sandbox %s has no %s%s", name_or_default(name),
		       slash && strcmp(ns, "node") ? "pod " : "", where);
}

int sandbox_join(const char *name, struct weir_err *err)
{
	return node_cgroup_join(name_or_default(name), err);
}

int sandbox_exec(const char *name, const char *where, char *const argv[], struct weir_err *err)
{
	_cleanup_(fd_close) int fd = -1;
	int r = instance_check(name_or_default(name), err);

	if (r)
		return r;
	fd = sandbox_netns(name, where, err);
	if (fd < 0)
		return fd;
	r = sandbox_join(name, err);
	if (r)
		return r;
	if (setns(fd, CLONE_NEWNET))
		return err_set(err, -errno, "enter %s: %s", where, strerror(errno));
	execvp(argv[0], argv);
	return err_set(err, -ENOENT, "%s: %s", argv[0], strerror(errno));
}

int instance_load(struct instance_load *job, struct weir_err *err)
{
	_cleanup_(attachment_list_free) struct attachment_list list = {};
	_cleanup_(node_close) struct node *node = NULL;
	_cleanup_(fd_close) int fd = netns_open(job->netns, err);
	_cleanup_(netns_leave) int back = -1;
	int r = fd < 0 ? fd : netns_enter(fd, &back, err);

	if (!r)
		r = node_open(job->name, NODE_WRITE, job->sizes, &node, err);
	if (!r)
		r = attachment_list_read(job->name, &list, err);
	if (!r && list.n_bad) /* the sandbox writes all of them itself */
		r = err_set(err, -EINVAL, "%s", list.bad[0].why);
	if (!r)
		r = uplinks_find(job->uplinks, &list, err);
	if (!r)
		node_keep_origin(node, job->origin);
	if (!r)
		r = sync_apply_fitting(node, job->in, &list, job->fresh ? SYNC_MOVED : 0,
				       &job->plan, &job->delta, err);
	if (!r)
		r = node_cgroup_make(job->sandbox, err);
	return r ? r : node_cgroup_attach(job->sandbox, node, err);
}

static void stop_server(const char *ns, const char *pod, void *arg)
{
	_cleanup_(mem_free) char *pid_file = records_pid_file(arg, ns, pod);

	server_stop_file(pid_file);
}

/*
 * Detaches by ifindex, in the node namespace. If that is gone, so are its devices: an empty
 * namespace replaces it, so that no ifindex can name a device of the machine.
 */
static int remove_datapath(const char *name, const char *netns, struct weir_err *err)
{
	_cleanup_(fd_close) int fd = netns_open(netns, NULL);
	_cleanup_(fd_close) int own = open(NETNS_OWN, O_RDONLY | O_CLOEXEC);
	_cleanup_(netns_leave) int back = -1;

	if (own < 0 || (fd >= 0 ? setns(fd, CLONE_NEWNET) : unshare(CLONE_NEWNET)))
		return err_set(err, -errno, "enter a namespace of the sandbox: %s",
			       strerror(errno));
	back = TAKE_FD(own);
	return node_remove(name, err);
}

/* An instance's records of pods whose namespaces begin with prefix, also after a kill. */
static void remove_attachments(const char *instance, const char *prefix)
{
	size_t removed;

	do { /* of two records with one device, the list has only the newer */
		_cleanup_(attachment_list_free) struct attachment_list l = {};

		removed = 0;
		if (attachment_list_read(instance, &l, NULL))
			return;
		for (size_t i = 0; i < l.n; i++)
			if (!strncmp(l.items[i].netns, prefix, strlen(prefix)))
				removed += !attachment_remove(instance, l.items[i].ns,
							      l.items[i].name, NULL);
	} while (removed);
}

struct bad_records {
	const char *instance;
	struct attachment_list list;
};

static void remove_bad(const char *ns, const char *pod, void *arg)
{
	const struct bad_records *b = arg;

	if (attachment_find_bad(&b->list, ns, pod))
		attachment_remove(b->instance, ns, pod, NULL);
}

/* Records of the sandbox's pods that something has broken: they do not say whose they are. */
static void remove_bad_attachments(const char *name, const char *instance)
{
	struct bad_records b = { .instance = instance };

	if (!attachment_list_read(instance, &b.list, NULL))
		records_each(name, remove_bad, &b);
	attachment_list_free(&b.list);
}

/* Of one node: what its instance is. */
static int remove_instance(const char *name, const char *instance, const char *netns,
			   struct weir_err *err)
{
	_cleanup_(mem_free) char *first = names_prefix(name);
	_cleanup_(mem_free) char *prefix = mem_printf(NETNS_DIR "/%s", first);
	_cleanup_(mem_free) char *pods = instance_run_file(instance, INSTANCE_PODS);

	remove_attachments(instance, prefix);
	remove_bad_attachments(name, instance);
	file_remove_unfinished(pods);
	return remove_datapath(instance, netns, err);
}

int instance_remove_node(const char *name, const char *node, struct weir_err *err)
{
	_cleanup_(mem_free) char *where = mem_printf("node/%s", node);
	_cleanup_(mem_free) char *netns = names_netns(name, where);
	_cleanup_(mem_free) char *instance = mem_printf("%s_%s", name, node);
	_cleanup_(mem_free) char *run = instance_run_file(instance, "");
	int first = remove_instance(name, instance, netns, err), r;

	r = topology_remove_node(name, node, first ? NULL : err);
	rmdir(run);
	return first ? first : r;
}

int instance_remove(const char *name, struct weir_err *err)
{
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(mem_free) char *netns = names_netns(name, "node");
	_cleanup_(mem_free) char *run = instance_run_file(name, "");
	char **nodes = records_nodes(name, &arena);
	int first, r;

	records_each(name, stop_server, (void *)name);
	first = remove_instance(name, name, netns, err);
	for (size_t i = 1; *nodes && nodes[i]; i++) {
		r = instance_remove_node(name, nodes[i], first ? NULL : err);
		first = first ? first : r;
	}
	r = node_cgroup_remove(name, first ? NULL : err);
	first = first ? first : r;
	r = topology_remove(name, first ? NULL : err);
	records_remove_folder(name);
	rmdir(run); /* made by records_lock() if the datapath was never loaded */
	return first ? first : r;
}

static void count_pod(const char *ns, const char *pod, void *arg)
{
	++*(int *)arg;
}

/* The pods of a sandbox, also of an incomplete one; -1: there is nothing to remove. */
static int count_pods(const char *name)
{
	_cleanup_(mem_free) char *folder = records_folder(name);
	_cleanup_(mem_free) char *pins = instance_pin(name, "");
	int n = 0;

	if (access(folder, F_OK) && access(pins, F_OK) && !sandbox_exists(name))
		return -1;
	records_each(name, count_pod, &n);
	return n;
}

int sandbox_down(const char *name, int *ret_pods, struct weir_err *err)
{
	_cleanup_(fd_close) int lock = -1;
	int r = instance_check(name_or_default(name), err);

	if (r)
		return r;
	if (ret_pods)
		*ret_pods = count_pods(name_or_default(name));
	lock = records_lock(name_or_default(name), err);
	if (lock < 0)
		return lock;
	return instance_remove(name_or_default(name), err);
}
