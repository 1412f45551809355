/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A cluster of network namespaces for a test: a sandbox named after the test's pid, built from
 * manifests that the test writes in C. Nothing outside these namespaces is touched;
 * netns_cluster_down() removes all of it, also after a failed assertion when a teardown calls it.
 */
#pragma once

#include <stdio.h>

#include "doctor/doctor.h"
#include "attach/attach.h"
#include "sync/sync.h"
#include "sandbox/sandbox.h"

/* ---- Environments: a suite runs once in each (netns_env.c) ---- */

enum netns_setting {
	NETNS_HUB = 1 << 0, /* the bridge learns nothing: every frame reaches every pod's device */
	NETNS_STRICT_RP_FILTER = 1 << 1, /* rp_filter=1 on all devices of the node */
	NETNS_DROP_INVALID = 1 << 2, /* nftables at forward and input: ct state invalid drop */
	NETNS_DROP_FORWARD = 1 << 3, /* nftables: policy drop at forward */
	NETNS_BRIDGE_NF = 1 << 4, /* bridge-nf-call-iptables and -ip6tables */
	NETNS_NO_OFFLOAD = 1 << 5, /* no tx checksums, TSO and GSO on any device */
};

struct netns_env {
	const char *name;
	enum sandbox_topology topology;
	enum attach_kind attach;
	unsigned int settings; /* enum netns_setting */
};

extern const struct netns_env netns_envs[]; /* the last has no name */
extern const struct netns_env *netns_env; /* of this process: the first, or set by netns_run() */

struct netns_cluster {
	char name[32];
	const struct netns_env *env;
	unsigned int needs; /* settings for which the test gets a remedy (netns_test_needs()) */
	bool settled; /* settings are in force */
	bool bare; /* set by the test: netns_cluster_up() makes pods and servers, without Weir */
	struct store *store; /* what is up now */
	struct sandbox_net net;
	const struct node_setup *sizes; /* small tables, unless set before the first
					   netns_cluster_up() */
	struct sandbox_summary last; /* of the last netns_cluster_up() */
};

/* NULL, or why this machine or user cannot run such tests. */
const char *netns_cluster_cannot(void);

void netns_cluster_init(struct netns_cluster *c);
/* Brings the cluster to the manifests, or fails the test. Called again, it is a reload. */
void netns_cluster_up(struct netns_cluster *c, const char *manifests);
void netns_cluster_down(struct netns_cluster *c);

/* How many findings of that code `weir doctor` has for the cluster's node. */
unsigned int netns_findings(const struct netns_cluster *c, enum finding_code code);

struct CMUnitTest;

/*
 * Runs the tests in each environment, several at the same time (WEIR_NETNS_JOBS), each test with a
 * cluster of its own; prints TAP. For main(). With WEIR_NETNS_ENVS: only in environments whose name
 * contains it.
 */
int netns_run(const char *group, const struct CMUnitTest *tests, size_t n);

/* Rows of the table of tests: *state is a struct netns_cluster that is not up yet. */
int netns_setup(void **state);
int netns_teardown(void **state);
#define netns_test(fn) cmocka_unit_test_setup_teardown(fn, netns_setup, netns_teardown)
/*
 * A test that cannot pass under some settings. There it runs with the remedy that `weir doctor`
 * suggests: for NETNS_DROP_FORWARD (N003) rules that accept packets from and to pods.
 */
#define netns_test_needs(fn, settings)                                            \
	cmocka_unit_test_prestate_setup_teardown(fn, netns_setup, netns_teardown, \
						 (void *)(uintptr_t)(settings))

/* Applies the settings of c->env and the remedies for c->needs; called by netns_cluster_up(). */
void netns_settle(struct netns_cluster *c);

/*
 * Moves the calling thread to a namespace of the cluster: "ns/pod", "node" or "world"; *ret_back is
 * for netns_leave(). Fails the test when there is none.
 */
void netns_cluster_enter(const struct netns_cluster *c, const char *where, int *ret_back);
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
 * NetworkPolicy that selects app ("": all pods of ns); spec: the rest of it, as flow YAML:
 * "policyTypes: [Ingress, Egress], …".
 */
void netns_policy(FILE *f, const char *ns, const char *name, const char *app, const char *spec);

struct weir_addr netns_pod_addr(unsigned int host, int family);
struct weir_addr netns_service_addr(unsigned int host, int family);

/*
 * A second address of the world, to be an endpoint: c->net.world_addr[] cannot be one, since the
 * sandbox chooses an address that no endpoint has.
 */
struct weir_addr netns_outside_addr(int family);
void netns_outside_add(const struct netns_cluster *c); /* after the first netns_cluster_up() */

/* ---- Devices ---- */

/*
 * Turns tx checksums, TSO and GSO of all devices of that namespace but lo on or off: "node" has the
 * host's ends and the link to the world. A device without tx checksums makes the kernel compute
 * them before it sends a packet.
 */
void netns_offload(const struct netns_cluster *c, const char *where, bool on);
/* All devices of that namespace but lo: the stack makes large segments, the kernel cuts them. */
void netns_segments_by_software(const struct netns_cluster *c, const char *where);
/* Segments and datagrams that this namespace dropped for a wrong checksum; both families. */
unsigned long netns_csum_errors(const struct netns_cluster *c, const char *where);
/* Fragments that this namespace tried to reassemble; both families. */
unsigned long netns_fragments_seen(const struct netns_cluster *c, const char *where);
