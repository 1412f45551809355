/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A cluster of network namespaces for a test: a sandbox named after the test's pid, fed with
 * manifests written in C, and real sockets in its namespaces. Nothing outside these namespaces is
 * touched; netns_cluster_down() removes all of it, also after a failed assertion when it is called
 * from a teardown.
 */
#pragma once

#include <stdio.h>

#include "doctor/doctor.h"
#include "attach/attach.h"
#include "sync/sync.h"
#include "sandbox/sandbox.h"

/* ---- What a suite runs in: each of these once (netns_env.c) ---- */

enum netns_setting {
	NETNS_HUB = 1 << 0, /* the bridge learns nothing: every frame reaches every pod's device */
	NETNS_STRICT_RP_FILTER = 1 << 1, /* rp_filter=1 on all devices of the node */
	NETNS_DROP_INVALID = 1 << 2, /* nftables at forward and input: ct state invalid drop */
	NETNS_DROP_FORWARD = 1 << 3, /* nftables: policy drop at forward */
	NETNS_BRIDGE_NF =
		1 << 4, /* bridged frames meet netfilter: bridge-nf-call-iptables, and -ip6tables */
	NETNS_NO_OFFLOAD = 1 << 5, /* no tx checksums, TSO and GSO on any device */
};

struct netns_env {
	const char *name;
	enum sandbox_topology topology;
	enum attach_kind attach;
	unsigned int settings; /* enum netns_setting */
};

extern const struct netns_env netns_envs[]; /* ended by one without a name */
extern const struct netns_env
	*netns_env; /* this process's; the first one unless netns_run() says otherwise */

struct netns_cluster {
	char name[32];
	const struct netns_env *env;
	unsigned int needs; /* of the test: settings whose harm is remedied for it, as
			       netns_test_needs() says */
	bool settled; /* settings are in force */
	bool bare; /* set by the test: netns_cluster_up() attaches nothing, as before Weir came to a
		      node */
	struct store *store; /* what is up now */
	struct sandbox_net net;
	const struct node_sizes *sizes; /* of the tables: small ones, unless set before the first
					   netns_cluster_up() */
	struct sandbox_summary last; /* of the last netns_cluster_up() */
};

/* NULL when this machine and user can run such tests, else why not. */
const char *netns_cluster_cannot(void);

void netns_cluster_init(struct netns_cluster *c);
/* Makes the cluster say what the manifests say; fails the test when it cannot. Again: a reload. */
void netns_cluster_up(struct netns_cluster *c, const char *manifests);
void netns_cluster_down(struct netns_cluster *c);

/* How many findings of that code `weir doctor` has for the cluster's node. */
unsigned int netns_findings(const struct netns_cluster *c, enum finding_code code);

struct CMUnitTest;

/*
 * Runs the tests in each environment, several at the same time (WEIR_NETNS_JOBS), each test with a
 * cluster of its own; prints TAP. For main(). WEIR_NETNS_ENVS: only environments whose name
 * contains it.
 */
int netns_run(const char *group, const struct CMUnitTest *tests, size_t n);

/* For the tests' rows: *state is a struct netns_cluster that is not up yet. */
int netns_setup(void **state);
int netns_teardown(void **state);
#define netns_test(fn) cmocka_unit_test_setup_teardown(fn, netns_setup, netns_teardown)
/*
 * A test that cannot pass under some settings. There it runs with the remedy that `weir doctor`
 * tells: for NETNS_DROP_FORWARD (N003) rules that accept what pods send and get.
 */
#define netns_test_needs(fn, settings)                                            \
	cmocka_unit_test_prestate_setup_teardown(fn, netns_setup, netns_teardown, \
						 (void *)(uintptr_t)(settings))

/*
 * Makes the settings of c->env true, and those of c->needs harmless; called by netns_cluster_up().
 */
void netns_settle(struct netns_cluster *c);
/* Runs the command in the node's namespace; fails the test when it fails. */
void netns_node_command(const struct netns_cluster *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- Manifests in a few words; all objects get both families ---- */

/*
 * Pod ns/name with labels "app: NAME-OF-APP", addresses 10.244.0.HOST and fd00:10:244::HOST; ports
 * "http:TCP:80 dns:UDP:53".
 */
void netns_pod(FILE *f, const char *ns, const char *name, const char *app, unsigned int host,
	       const char *ports);
void netns_pod_unready(FILE *f, const char *ns, const char *name, const char *app,
		       unsigned int host, const char *ports);
/*
 * Service on 10.96.0.HOST and fd00:10:96::HOST; ports as above with a fourth field, the target:
 * "web:TCP:80:http".
 */
void netns_service(FILE *f, const char *ns, const char *name, const char *app, unsigned int host,
		   const char *ports);
/*
 * NetworkPolicy that selects app ("" : all pods of ns); spec: the rest of it, as flow YAML:
 * "policyTypes: [Ingress], …".
 */
void netns_policy(FILE *f, const char *ns, const char *name, const char *app, const char *spec);

struct weir_addr netns_pod_addr(unsigned int host, int family);
struct weir_addr netns_service_addr(unsigned int host, int family);

/*
 * A second address of the world, for endpoints: the first one is chosen anew so that no endpoint
 * has it.
 */
struct weir_addr netns_outside_addr(int family);
void netns_outside_add(const struct netns_cluster *c); /* after the first netns_cluster_up() */

/* ---- Sockets ---- */

/*
 * An unconnected socket of that namespace ("ns/pod", "node", "world"), bound to local_port (0:
 * any), not blocking.
 */
int netns_socket(const struct netns_cluster *c, const char *where, int family, int proto,
		 uint16_t local_port);
/* The same, bound to an address too: where a namespace has several of them. */
int netns_socket_at(const struct netns_cluster *c, const char *where, const struct weir_addr *local,
		    int proto, uint16_t local_port);
/*
 * Starts to connect; 0 or -errno. For TCP waits until it is done: -ETIMEDOUT when nothing comes
 * back.
 */
int netns_connect(int fd, const struct weir_addr *dst, uint16_t port);

/*
 * Sends a line and waits for the server's. 0 and the line ("ns/pod port client-address
 * client-port"), -ETIMEDOUT when nothing came back, other -errno of the socket. On TCP a line that
 * got no answer is sent again by the kernel: what is asserted after a change is the next line, or
 * none.
 */
int netns_ask(int fd, char *line, size_t size);
/* Waits for a line without sending one: for what TCP sends again by itself. */
int netns_listen(int fd, int timeout_ms, char *line, size_t size);

/* All in one: one exchange from a new socket. 0, -ETIMEDOUT, other -errno. line may be NULL. */
int netns_try(const struct netns_cluster *c, const char *from, int proto,
	      const struct weir_addr *dst, uint16_t port, char *line, size_t size);
/* One echo request with that id; 0 when its reply came. */
int netns_ping(const struct netns_cluster *c, const char *from, const struct weir_addr *dst,
	       uint16_t id);

/* ---- Devices ---- */

/*
 * Turns tx checksums, TSO and GSO of all devices of that namespace on or off, but for lo: "node"
 * has the host's ends and the link to the world. A device without tx checksums makes the kernel
 * compute them before it sends a packet.
 */
void netns_offload(const struct netns_cluster *c, const char *where, bool on);
/*
 * Segments and datagrams that this namespace threw away because of their sum, since it was made;
 * both families.
 */
unsigned long netns_csum_errors(const struct netns_cluster *c, const char *where);
/* Fragments that this namespace tried to put together, since it was made; both families. */
unsigned long netns_fragments_seen(const struct netns_cluster *c, const char *where);
