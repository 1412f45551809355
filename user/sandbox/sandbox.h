/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A cluster on this machine: the pods of a store as network namespaces behind a namespace for each
 * node, with servers on their declared ports and the datapath attached. Never touches the machine's
 * own network. State is in the run folder and in /run/netns, so that each call can run in a process
 * of its own.
 *
 * The only public header of the module. Nothing here prints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "compile/plan.h"
#include "sync/sync.h"
#include "kube/store.h"

/* The instance when --name is not given: never the machine's own. */
#define SANDBOX_DEFAULT_NAME "sandbox"

/* ---- The cluster ---- */

/* How pods reach their node and each other; each is the wiring of a common CNI plugin. */
enum sandbox_topology {
	/* one veth per pod, alone on its link; link-local gateway with a static neighbour entry */
	SANDBOX_ROUTED,
	SANDBOX_PTP, /* like ROUTED, but with ARP and neighbour discovery, as the ptp plugin */
	SANDBOX_BRIDGE, /* all pods on one bridge, which is their gateway */
};

extern const char *const sandbox_topologies[]; /* names by enum value, then NULL */

/* A node: a namespace and an instance of its own. */
struct sandbox_node {
	const char *name; /* the Node object's, else "sandbox" */
	struct weir_addr addr[2]; /* by family: the Node object's, else an assigned one */
	struct weir_addr *local; /* all of its addresses, for plan_input.local_addrs */
	size_t n_local, cap_local;
};

/* The parts of the sandbox that no pod object describes. */
struct sandbox_net {
	struct sandbox_node *nodes; /* one or more: as Node objects */
	size_t n_nodes, cap_nodes;
	/* a client outside: in no ipBlock but /0; not an address of a pod, node or Service */
	struct weir_addr world_addr[2];
	/* 0 after sandbox_place(); a change rewires the pods of a running sandbox */
	enum sandbox_topology topology;
};

/* The node of that name; the first one for a name that none has, and for NULL. */
size_t sandbox_node_index(const struct sandbox_net *net, const char *name);
/* "node" for the first, "node/NAME" for others. The caller owns the text. */
char *sandbox_node_where(const struct sandbox_net *net, size_t node);
/*
 * What --name takes for a node: the sandbox's own name for the first, NAME_NODE for others. The
 * caller owns the text.
 */
char *sandbox_instance(const char *name, const struct sandbox_net *net, size_t node);

void sandbox_net_free(struct sandbox_net *net); /* also for _cleanup_() */

/*
 * Puts each pod of a store on the node that it names, else on the first one, its endpoints with it,
 * and assigns addresses to nodes and world. With one node, endpoints that are no pods are there
 * too. Call it once, after store_apply_defaults(s, STORE_ASSIGN). Deterministic.
 */
void sandbox_place(struct store *s, struct sandbox_net *ret_net);

/*
 * What the sandbox compiles for a node. overlay_ports: as in plan_input, which refers to it.
 */
struct plan_input sandbox_plan_input(const struct store *s, const struct sandbox_node *node,
				     const uint64_t *overlay_ports);
/* Its plan; sizes, unfit, overlay_ports: as in plan_input. */
struct plan *sandbox_plan(const struct store *s, const struct sandbox_node *node,
			  const uint32_t *sizes, const struct plan_unfit *unfit,
			  const uint64_t *overlay_ports);

/* ---- Life ---- */

struct sandbox_summary {
	unsigned int added, removed, kept; /* pods */
	unsigned int servers; /* pods with a running server */
	bool fresh; /* this call made the sandbox */
	struct sync_delta delta; /* of the first node */
	unsigned int writes; /* into the tables of all nodes */
};

struct sandbox_request {
	const char *name; /* NULL: SANDBOX_DEFAULT_NAME */
	const struct store *store; /* after sandbox_place() */
	const struct sandbox_net *net;
	const struct node_setup *sizes; /* of tables that this call creates; NULL: defaults */
	/* text of the objects for each node, for node_keep_origin(); NULL: keep none */
	const char *const *origins;
	bool no_datapath; /* topology and servers only: nothing is enforced or translated */
	void (*step)(const char *what, uint64_t ns, void *arg); /* after each step; may be NULL */
	/* after loading a node's plan of which policies or Services do not fit; may be NULL */
	void (*unfit)(const struct plan *p, void *arg);
	void *arg;
};

/* -EINVAL: name, unless NULL, is not fit for a sandbox. */
int sandbox_check_name(const char *name, struct weir_err *err);

/*
 * Creates the sandbox, or updates a running one to the store: adds and removes pods, loads the plan
 * by difference. Programs are attached to a new pod's device before its first packet (NP-53). On
 * failure, SIGINT or SIGTERM (-EINTR) a new sandbox is removed; a running one keeps the steps done
 * so far, and the next call completes it. -EBUSY: another up or down of that name runs. -EPERM:
 * needs root.
 */
int sandbox_up(const struct sandbox_request *r, struct sandbox_summary *ret_summary,
	       struct weir_err *err);

/*
 * Removes a sandbox, also an incomplete one; 0 also if there was none. ret_pods: the number of its
 * pods, or -1 if there was none; may be NULL.
 */
int sandbox_down(const char *name, int *ret_pods, struct weir_err *err);

bool sandbox_exists(const char *name);
int sandbox_check_exists(const char *name, struct weir_err *err); /* 0 or -ENOENT with err */

/* ---- Inside ---- */

/*
 * where: "ns/pod", "node" (the first), "node/NAME" or "world". A descriptor of its network
 * namespace, or -ENOENT.
 */
int sandbox_netns(const char *name, const char *where, struct weir_err *err);

/*
 * Moves the calling process into the sandbox's cgroup, if it has one: sockets that it then makes in
 * the node's namespace reach Services as those of the node's own processes.
 */
int sandbox_join(const char *name, struct weir_err *err);

/*
 * Replaces the process by the command, in that namespace and the sandbox's cgroup; returns only on
 * failure. -ENOENT also when the command cannot be started, for whatever reason.
 */
int sandbox_exec(const char *name, const char *where, char *const argv[], struct weir_err *err);

/* ---- Probing: real connections ---- */

enum sandbox_measured {
	SANDBOX_UNKNOWN, /* not measurable: SCTP, no such namespace, no address in the family */
	SANDBOX_ALLOW, /* the server's answer arrived */
	SANDBOX_DENY, /* nothing arrived in time */
	SANDBOX_REFUSED, /* a RST or an ICMP error arrived: no listener, or rejected */
};

/* "allow", "deny", "refused", "unknown" */
const char *sandbox_measured_text(enum sandbox_measured m);

struct sandbox_probe {
	/* in */
	const char *from; /* as where of sandbox_netns() */
	const char *to; /* likewise; NULL: dst has no namespace, as a cluster IP */
	struct weir_addr dst;
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP; others are SANDBOX_UNKNOWN */
	uint16_t port; /* host order */
	bool expect_allow; /* SANDBOX_DENY only after a second try with a longer timeout */
	/* out */
	enum sandbox_measured measured;
	char answer[160]; /* the server: "ns/pod", or "" */
	uint32_t us; /* until the answer */
};

/*
 * Makes real connections from each probe's namespace, one exchange each, many at once, at most
 * timeout_ms each (0: default). Where `to` has no server on the port, a temporary one runs during
 * the call.
 */
int sandbox_probe(const char *name, struct sandbox_probe *probes, size_t n, unsigned int timeout_ms,
		  struct weir_err *err);
