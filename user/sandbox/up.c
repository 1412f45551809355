// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * From a store to a running sandbox, by difference: compares the records with the store. The order
 * matters for packets: create a pod's device down and without routes, load the tables and attach
 * the programs, then bring the device up; remove a pod from the tables before its device. Every
 * step is repeatable, so the next call completes an interrupted one, or `down` removes it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attach/node_devices.h"
#include "base/instance.h"
#include "base/mem.h"
#include "base/netns.h"
#include "sandbox/instance.h"
#include "sandbox/names.h"
#include "sandbox/netns.h"
#include "sandbox/records.h"
#include "sandbox/server.h"
#include "sandbox/topology.h"

struct planned_pod {
	const struct kube_pod *pod;
	struct plug plug;
	char *record; /* text of its record once it is created */
	bool known; /* the existing record is equal */
};

/* What this call does at one node. */
struct up_node {
	char *instance, *netns;
	char *where; /* as of sandbox_netns() */
	struct attachment_list recorded; /* before this call */
};

struct up {
	const struct sandbox_request *req;
	const char *name;
	struct planned_pod *pods;
	size_t n;
	struct up_node *nodes; /* as req->net->nodes */
	struct sandbox_summary sum;
	uint64_t began;
	struct weir_err *err;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Reports a step and the time since the previous report. */
static void step_done(struct up *u, const char *what)
{
	uint64_t now = now_ns();

	if (u->req->step)
		u->req->step(what, now - u->began, u->req->arg);
	u->began = now;
}

static int check_interrupt(struct up *u)
{
	return interrupted ? err_set(u->err, -EINTR, "interrupted") : 0;
}

/* ---- Planned pods ---- */

static bool is_live(const struct kube_pod *pod)
{
	return !kube_pod_ended(pod) && (pod->host_network || !weir_addr_is_zero(&pod->addr[0]) ||
					!weir_addr_is_zero(&pod->addr[1]));
}

/* First line: the wiring; a change recreates the pod. Other lines: its ports. */
static char *describe(const struct up *u, const struct kube_pod *pod, size_t node)
{
	char v4[ADDR_TEXT_MAX], v6[ADDR_TEXT_MAX], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (pod->host_network)
		fprintf(f, "host %s\n", u->nodes[node].where);
	else
		fprintf(f, "%s %s %s %s %s\n", sandbox_topologies[u->req->net->topology],
			u->nodes[node].where, addr_text(&pod->addr[0], v4),
			addr_text(&pod->addr[1], v6), pod->meta.uid);
	for (size_t i = 0; i < pod->n_ports; i++)
		fprintf(f, "%s/%u\n", proto_text(pod->ports[i].proto), pod->ports[i].port);
	fclose(f);
	return text;
}

static void plan_pods(struct up *u)
{
	const struct store *s = u->req->store;

	u->pods = mem_zalloc((s->n_pods + 1) * sizeof(*u->pods));
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_pod *pod = s->pods[i];
		struct planned_pod *p = &u->pods[u->n];
		size_t node = sandbox_node_index(u->req->net, pod->node);

		if (!is_live(pod))
			continue;
		p->pod = pod;
		p->plug = (struct plug){
			pod->meta.ns, pod->meta.name, node, { pod->addr[0], pod->addr[1] }, 0, {}
		};
		p->record = describe(u, pod, node);
		u->n++;
	}
}

static const struct planned_pod *find_planned(const struct up *u, const char *ns, const char *pod)
{
	for (size_t i = 0; i < u->n; i++)
		if (!strcmp(u->pods[i].plug.ns, ns) && !strcmp(u->pods[i].plug.pod, pod))
			return &u->pods[i];
	return NULL;
}

static bool same_wiring(const char *a, const char *b)
{
	size_t n = strcspn(a, "\n");

	return !strncmp(a, b, n + 1);
}

static void remove_pod(struct up *u, const char *ns, const char *pod)
{
	_cleanup_(mem_free) char *pid_file = records_pid_file(u->name, ns, pod);

	server_stop_file(pid_file);
	topology_unplug(u->name, ns, pod, NULL);
	records_remove(u->name, ns, pod);
	u->sum.removed++;
}

/*
 * Before the load: removes a pod whose wiring changed, so that it can be recreated. A pod that is
 * no longer planned only loses its attachment record.
 */
static void remove_outdated(const char *ns, const char *pod, void *arg)
{
	struct up *u = arg;
	const struct planned_pod *p = find_planned(u, ns, pod);
	_cleanup_(mem_free) char *old = records_read(u->name, ns, pod);

	if (p && old && same_wiring(old, p->record))
		return;
	for (size_t i = 0; i < u->req->net->n_nodes; i++)
		attachment_remove(u->nodes[i].instance, ns, pod, NULL);
	if (p)
		remove_pod(u, ns, pod);
}

/* After the load: pods that are no longer planned. */
static void remove_gone(const char *ns, const char *pod, void *arg)
{
	struct up *u = arg;

	if (!find_planned(u, ns, pod))
		remove_pod(u, ns, pod);
}

/* ---- Pods ---- */

/*
 * The pod ran before Weir was attached to its device. Its attachment record keeps that for as long
 * as it lives.
 */
static bool is_adopted(const struct up *u, const struct planned_pod *p)
{
	const struct attachment_list *l = &u->nodes[p->plug.node].recorded;

	for (size_t i = 0; i < l->n; i++) {
		const struct attachment *a = &l->items[i];

		if (!strcmp(a->ns, p->plug.ns) && !strcmp(a->name, p->plug.pod))
			return p->known && a->adopted;
	}
	return p->known;
}

static int record_attachment(struct up *u, const struct planned_pod *p)
{
	_cleanup_(mem_free) char *where = mem_printf("%s/%s", p->plug.ns, p->plug.pod);
	_cleanup_(mem_free) char *netns = names_netns(u->name, where);
	_cleanup_(mem_free) char *path = mem_printf("%s/%s", NETNS_DIR, netns);
	struct attachment a = {
		.ns = p->plug.ns,
		.name = p->plug.pod,
		.uid = p->pod->meta.uid,
		.netns = path,
		.ifindex = p->plug.ifindex,
		.adopted = is_adopted(u, p),
		.addr = { p->plug.addr[0], p->plug.addr[1] },
	};

	memcpy(a.mac, p->plug.mac, sizeof(a.mac));
	return attachment_write(u->nodes[p->plug.node].instance, &a, u->err);
}

static int start_server(struct up *u, const struct planned_pod *p)
{
	_cleanup_(mem_free) char *where = mem_printf("%s/%s", p->plug.ns, p->plug.pod);
	_cleanup_(mem_free) char *pid_file = records_pid_file(u->name, p->plug.ns, p->plug.pod);
	_cleanup_(mem_free) struct server_port *ports =
		mem_zalloc((p->pod->n_ports + 1) * sizeof(*ports));
	_cleanup_(fd_close) int fd = sandbox_netns(u->name, where, u->err);
	struct server_spec spec = {
		.netns_fd = fd, .label = where, .ports = ports, .pid_file = pid_file
	};
	pid_t pid;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < p->pod->n_ports; i++)
		if (p->pod->ports[i].proto == IPPROTO_TCP || p->pod->ports[i].proto == IPPROTO_UDP)
			ports[spec.n_ports++] = (struct server_port){ p->pod->ports[i].proto,
								      p->pod->ports[i].port };
	return server_start(&spec, &pid, u->err);
}

static int ensure_server(struct up *u, const struct planned_pod *p)
{
	_cleanup_(mem_free) char *pid_file = records_pid_file(u->name, p->plug.ns, p->plug.pod);
	int r = 0;

	if (!p->known || !server_alive(pid_file)) {
		server_stop_file(pid_file);
		r = start_server(u, p);
	}
	u->sum.servers += !r;
	return r;
}

/*
 * Until the record has its text, the pod is recreated: without one, the next call would not find
 * what a killed one has made at another node.
 */
static int make_pod(struct up *u, struct planned_pod *p)
{
	_cleanup_(mem_free) char *old = records_read(u->name, p->plug.ns, p->plug.pod);
	int r = 0;

	p->known = old && !strcmp(old, p->record);
	if (!old)
		r = records_write(u->name, p->plug.ns, p->plug.pod, "", u->err);
	if (!r && !p->pod->host_network)
		r = topology_plug(u->name, &p->plug, u->req->net, u->err);
	if (!r && !p->pod->host_network && !u->req->no_datapath)
		r = record_attachment(u, p);
	if (!r)
		r = records_write(u->name, p->plug.ns, p->plug.pod, p->record, u->err);
	if (old)
		u->sum.kept++;
	else
		u->sum.added++;
	return r;
}

static int make_pods(struct up *u)
{
	int r = 0;

	for (size_t i = 0; i < u->req->net->n_nodes && !r; i++)
		r = attachment_list_read(u->nodes[i].instance, &u->nodes[i].recorded, u->err);
	for (size_t i = 0; i < u->n && !r; i++) {
		r = check_interrupt(u);
		if (!r)
			r = make_pod(u, &u->pods[i]);
	}
	if (!r)
		step_done(u, "network namespaces of pods wired");
	for (size_t i = 0; i < u->n && !r; i++) {
		r = check_interrupt(u);
		if (!r)
			r = ensure_server(u, &u->pods[i]);
	}
	if (!r)
		step_done(u, "servers listening");
	return r;
}

/* After this, packets pass at once. */
static int wait_for_devices(struct up *u)
{
	int r = topology_wait_world(u->name, u->req->net, u->err);

	for (size_t i = 0; i < u->n && !r; i++)
		if (!u->pods[i].pod->host_network)
			r = topology_wait_pod(u->name, &u->pods[i].plug, u->req->net, u->err);
	return r;
}

static int open_pods(struct up *u)
{
	int r = 0;

	for (size_t i = 0; i < u->n && !r; i++)
		if (!u->pods[i].pod->host_network)
			r = topology_open(u->name, &u->pods[i].plug, u->req->net, u->err);
	return r ? r : wait_for_devices(u);
}

/* ---- The datapath ---- */

static int node_overlay_ports(const struct up *u, size_t node, uint64_t *ret_ports)
{
	_cleanup_(fd_close) int fd = netns_open(u->nodes[node].netns, u->err);
	_cleanup_(netns_leave) int back = -1;
	int r = fd < 0 ? fd : netns_enter(fd, &back, u->err);

	return r ? r : overlay_ports_read(ret_ports, u->err);
}

static int load_node(struct up *u, size_t node)
{
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
	struct plan_input in =
		sandbox_plan_input(u->req->store, &u->req->net->nodes[node], overlay_ports);
	static const char *const world = "world";
	const struct sandbox_node *n = &u->req->net->nodes[node];
	struct uplinks_wanted uplinks = {
		.names = &world,
		.n = 1,
		.main = { n->addr[0], n->addr[1] },
	};
	struct instance_load job = {
		.sandbox = u->name,
		.name = u->nodes[node].instance,
		.netns = u->nodes[node].netns,
		.in = &in,
		.uplinks = &uplinks,
		.sizes = u->req->sizes,
		.origin = u->req->origins ? u->req->origins[node] : NULL,
		.fresh = u->sum.fresh,
	};
	int r = node_overlay_ports(u, node, overlay_ports);

	if (r)
		return r;
	r = instance_load(&job, u->err);
	if (!r && job.plan->n_closed + job.plan->n_left_out && u->req->unfit)
		u->req->unfit(job.plan, u->req->arg);
	plan_free(&job.plan);
	if (r)
		return r;
	u->sum.writes += sync_delta_writes(&job.delta);
	if (!node)
		u->sum.delta = job.delta;
	return 0;
}

static int load(struct up *u)
{
	int r = 0;

	for (size_t i = 0; i < u->req->net->n_nodes && !r; i++) {
		r = check_interrupt(u);
		if (!r)
			r = load_node(u, i);
	}
	if (!r)
		step_done(u, "plan compiled, tables loaded, programs attached");
	return r;
}

/* ---- Nodes ---- */

static bool is_noted(char **before, const char *node)
{
	for (; *before; before++)
		if (!strcmp(*before, node))
			return true;
	return false;
}

/* A further node's instance has a name that is fit, and that is not of pods of the machine. */
static int check_node(const struct up *u, size_t i, char **before)
{
	const char *node = u->req->net->nodes[i].name, *instance = u->nodes[i].instance;

	if (!instance_name_ok(instance))
		return err_set(
			u->err, -EINVAL,
			"Node %s: a sandbox with several nodes needs names of letters, digits and '-', %zu at most",
			node, INSTANCE_NAME_MAX - strlen(u->name) - 1);
	return is_noted(before, node) ? 0 : instance_check_free(instance, u->err);
}

static int check_nodes(const struct up *u, char **before)
{
	const struct sandbox_net *net = u->req->net;
	int r = 0;

	if (*before && (before[1] || net->n_nodes > 1) && strcmp(*before, net->nodes->name))
		return err_set(
			u->err, -EBUSY,
			"the first node of sandbox %s is %s, not %s: run 'weir sandbox down' first",
			u->name, *before, net->nodes->name);
	for (size_t i = 1; i < net->n_nodes && !r; i++)
		r = check_node(u, i, before);
	for (size_t i = 0; i < u->n && net->n_nodes > 1 && !r; i++)
		if (!strcmp(u->pods[i].plug.ns, "node"))
			return err_set(
				u->err, -EINVAL,
				"Pod node/%s: in a sandbox with several nodes, 'node/%s' means a node: use another namespace",
				u->pods[i].plug.pod, u->pods[i].plug.pod);
	return r;
}

/* Further nodes that the manifests no longer have. Their pods are removed or move. */
static int remove_nodes(const struct up *u, char **before)
{
	const struct sandbox_net *net = u->req->net;
	int r = 0;

	for (size_t i = 1; *before && before[i] && !r; i++)
		if (!sandbox_node_index(net, before[i]))
			r = instance_remove_node(u->name, before[i], u->err);
	return r;
}

static int note_nodes(const struct up *u)
{
	const struct sandbox_net *net = u->req->net;
	_cleanup_(mem_free) const char **names = mem_zalloc(net->n_nodes * sizeof(*names));

	for (size_t i = 0; i < net->n_nodes; i++)
		names[i] = net->nodes[i].name;
	return records_write_nodes(u->name, names, net->n_nodes, u->err);
}

/* Nodes that are gone stay noted until they are removed, or `down` would not find them. */
static int change_nodes(struct up *u)
{
	_cleanup_(arena_free) struct arena arena = {};
	char **before = records_nodes(u->name, &arena);
	int r = check_nodes(u, before);

	if (!r)
		r = remove_nodes(u, before);
	if (!r)
		r = note_nodes(u);
	return r;
}

static int wire_nodes(struct up *u)
{
	const struct sandbox_net *net = u->req->net;
	int r = 0;

	for (size_t i = 0; i < net->n_nodes && !r; i++) {
		r = check_interrupt(u);
		if (!r)
			r = topology_node(u->name, net, i, u->err);
	}
	for (size_t i = 0; i < net->n_nodes && !r; i++) {
		r = check_interrupt(u);
		if (!r)
			r = topology_route_node(u->name, net, i, u->err);
	}
	return r;
}

static int bring_up(struct up *u)
{
	int r = change_nodes(u);

	if (!r)
		r = wire_nodes(u);
	if (r)
		return r;
	step_done(u, "node and world wired");
	records_each(u->name, remove_outdated, u);
	r = make_pods(u);
	if (!r)
		r = check_interrupt(u);
	if (!r && !u->req->no_datapath)
		r = load(u);
	if (!r)
		r = check_interrupt(u);
	if (!r)
		r = open_pods(u);
	if (r)
		return r;
	records_each(u->name, remove_gone, u);
	step_done(u, "pods connected");
	return 0;
}

/* A signal lets the current step finish and prevents the next one. */
static void catch_signals(struct sigaction old[2])
{
	struct sigaction action = { .sa_handler = on_signal };

	interrupted = 0;
	sigaction(SIGINT, &action, &old[0]);
	sigaction(SIGTERM, &action, &old[1]);
}

static void restore_signals(const struct sigaction old[2])
{
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGTERM, &old[1], NULL);
}

static void free_all(struct up *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->pods[i].record);
	free(u->pods);
	for (size_t i = 0; i < u->req->net->n_nodes; i++) {
		free(u->nodes[i].instance);
		free(u->nodes[i].netns);
		free(u->nodes[i].where);
		attachment_list_free(&u->nodes[i].recorded);
	}
	free(u->nodes);
}

static void name_nodes(struct up *u)
{
	const struct sandbox_net *net = u->req->net;

	u->nodes = mem_zalloc(net->n_nodes * sizeof(*u->nodes));
	for (size_t i = 0; i < net->n_nodes; i++) {
		u->nodes[i].instance = sandbox_instance(u->name, net, i);
		u->nodes[i].netns = names_node_netns(u->name, net, i);
		u->nodes[i].where =
			i ? mem_printf("node/%s", net->nodes[i].name) : mem_strdup("node");
	}
}

int sandbox_up(const struct sandbox_request *req, struct sandbox_summary *ret_summary,
	       struct weir_err *err)
{
	struct up u = { .req = req,
			.name = req->name ? req->name : SANDBOX_DEFAULT_NAME,
			.err = err };
	_cleanup_(fd_close) int lock = -1;
	struct sigaction old[2];
	int r = instance_check(u.name, err);

	if (!r)
		r = instance_check_own(u.name, err);
	if (r)
		return r;
	u.sum.fresh = !sandbox_exists(u.name);
	lock = records_lock(u.name, err);
	if (lock < 0)
		return lock;
	catch_signals(old);
	u.began = now_ns();
	name_nodes(&u);
	plan_pods(&u);
	r = bring_up(&u);
	if (r && u.sum.fresh)
		instance_remove(u.name, NULL);
	free_all(&u);
	restore_signals(old);
	if (!r)
		*ret_summary = u.sum;
	return r;
}
