/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A cluster of one node without a cluster: the pods of a store as network namespaces behind a node
 * namespace of the sandbox's own, with servers on their declared ports and the datapath attached.
 * Nothing of the machine's own network is touched. What exists is recorded in the run folder and in
 * /run/netns, so that every call works from a process of its own.
 *
 * This is the only public header of the module. Nothing here prints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "compile/plan.h"
#include "sync/sync.h"
#include "kube/store.h"

#define SANDBOX_DEFAULT_NAME "sandbox" /* instance when --name is not given: never the node's own \
					*/

/* ---- Which cluster ---- */

/* How pods reach their node and each other: as the CNI plugins of the field wire them. */
enum sandbox_topology {
	SANDBOX_ROUTED, /* a veth each; the pod's address is alone on its link, the gateway is
			   link-local and known */
	SANDBOX_PTP, /* the same, but neighbours are asked for, as with the ptp plugin */
	SANDBOX_BRIDGE, /* all on one bridge, on one link; the gateway is the bridge */
};

extern const char *const sandbox_topologies[]; /* their names, in that order; ended by NULL */

/* The parts of the sandbox that no pod object describes. */
struct sandbox_net {
	const char *node; /* name of the one node: the first Node object's, else "sandbox" */
	struct weir_addr node_addr[2]; /* by family: the Node object's, else an assigned one */
	struct weir_addr world_addr[2]; /* a client outside: in no ipBlock but /0, of no pod, node
					   or Service */
	struct weir_addr *local; /* every address of the node, for plan_input.local_addrs */
	size_t n_local, cap_local;
	enum sandbox_topology topology; /* 0 after sandbox_place(); a running sandbox's pods are
					   wired anew if it changes */
};

void sandbox_net_free(struct sandbox_net *net); /* also for _cleanup_() */

/*
 * Places all pods and endpoints of a completed store on the sandbox's one node and chooses
 * addresses for node and world. To be called once, after store_apply_defaults(s, STORE_ASSIGN).
 * Deterministic.
 */
void sandbox_place(struct store *s, struct sandbox_net *ret_net);

/* The plan that the sandbox loads: plan_compile() with the node and addresses above. */
struct plan *sandbox_plan(const struct store *s, const struct sandbox_net *net);

/* ---- Life ---- */

struct sandbox_summary {
	unsigned int added, removed, kept; /* pods */
	unsigned int servers; /* pods with a running server */
	bool fresh; /* this call made the sandbox */
	struct sync_delta delta;
};

struct sandbox_request {
	const char *name; /* NULL: SANDBOX_DEFAULT_NAME */
	const struct store *store; /* completed and placed */
	const struct sandbox_net *net;
	const struct node_sizes
		*sizes; /* of the tables, where they are made by this call; NULL: the defaults */
	const char *
		origin; /* what store was made from, for node_keep_origin(); NULL: it is not kept */
	bool no_datapath; /* topology and servers only: nothing is enforced or translated */
	/* may be NULL: called after each step with what was done and how long it took */
	void (*step)(const char *what, uint64_t ns, void *arg);
	void *arg;
};

/*
 * Makes the sandbox, or makes a running one say what the store says now: pods come and go, the plan
 * is loaded by
 * diff. A new pod's device is attached before its first packet (NP-53). On failure, SIGINT and
 * SIGTERM (-EINTR) a
 * fresh sandbox is removed again; a running one stays as far as it got, and a rerun completes.
 * -EBUSY: another up or down of the same name is at work. -EPERM: needs root.
 */
int sandbox_up(const struct sandbox_request *r, struct sandbox_summary *ret_summary,
	       struct weir_err *err);

/* Removes all of it, half-made ones too; 0 also when there was nothing. */
int sandbox_down(const char *name, struct weir_err *err);

bool sandbox_exists(const char *name);

/* ---- Inside ---- */

/*
 * where: "ns/pod", "node" or "world". An open file descriptor of its network namespace, or -ENOENT.
 */
int sandbox_netns(const char *name, const char *where, struct weir_err *err);

/* Becomes the command, in that namespace; returns only on failure. */
int sandbox_exec(const char *name, const char *where, char *const argv[], struct weir_err *err);

/* ---- Probing: real connections ---- */

enum sandbox_measured {
	SANDBOX_UNKNOWN, /* not measurable here: no SCTP in the kernel, no such namespace, no
			    address in the family */
	SANDBOX_ALLOW, /* the server's answer came back */
	SANDBOX_DENY, /* nothing came back in time */
	SANDBOX_REFUSED, /* a RST or an ICMP error came back: the way is open, nobody listens or it
			    was rejected */
};

const char *
sandbox_measured_text(enum sandbox_measured m); /* "allow", "deny", "refused", "unknown" */

struct sandbox_probe {
	/* in */
	const char *from; /* "ns/pod", "node" or "world" */
	const char *to; /* the same, or NULL for an address with no namespace of its own (a cluster
			   IP) */
	struct weir_addr dst;
	uint8_t proto; /* IPPROTO_TCP, IPPROTO_UDP; others are SANDBOX_UNKNOWN */
	uint16_t port; /* host order */
	bool expect_allow; /* tried a second time, with patience, before it is called denied */
	/* out */
	enum sandbox_measured measured;
	char answer[160]; /* of the server: "ns/pod", or "" */
	uint32_t us; /* until the answer */
};

/*
 * Connects for real from each probe's own namespace, many at once, at most timeout_ms each (0: a
 * default), one exchange each. Where `to` has no server on the port, one is temp_servers for as
 * long as the call lasts.
 */
int sandbox_probe(const char *name, struct sandbox_probe *probes, size_t n, unsigned int timeout_ms,
		  struct weir_err *err);
