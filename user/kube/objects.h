/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The Kubernetes objects that Weir reads, decoded, checked and defaulted: only the fields that
 * services and policies need. Strings and arrays are owned by the object's arena, those of a pod
 * made for a workload by the workload's, and are never NULL unless a comment says so. Filled by
 * decode.h, owned by store.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/mem.h"

enum kube_kind {
	KUBE_NAMESPACE,
	KUBE_NODE,
	KUBE_POD,
	KUBE_SERVICE,
	KUBE_SLICE,
	KUBE_POLICY,
	KUBE_ENDPOINTS,
	KUBE_DEPLOYMENT, /* this and the following: workloads */
	KUBE_REPLICA_SET,
	KUBE_STATEFUL_SET,
	KUBE_DAEMON_SET,
	KUBE_JOB,
	KUBE_CRON_JOB,
	KUBE_REPLICATION_CONTROLLER,
	_KUBE_KIND_MAX,
};

#define KUBE_WORKLOAD_FIRST KUBE_DEPLOYMENT
#define KUBE_WORKLOADS (_KUBE_KIND_MAX - KUBE_WORKLOAD_FIRST)

const char *kube_kind_text(enum kube_kind kind); /* "NetworkPolicy" */
const char *kube_kind_api(enum kube_kind kind); /* "networking.k8s.io/v1" */
/* By name; of a workload, in any version of its API group. _KUBE_KIND_MAX: none. */
enum kube_kind kube_kind_find(const char *kind);
enum kube_kind kube_workload_kind(const char *api_version, const char *kind);

struct kube_label {
	const char *key, *value;
};

/* Sorted by key, keys unique. */
struct kube_labels {
	struct kube_label *items;
	size_t n;
};

/* The controller that owns an object, if it is a workload. */
struct kube_owner {
	enum kube_kind kind;
	const char *name; /* in the object's namespace; NULL: no owner */
};

/* A field that Weir does not serve (unserved.c). */
struct kube_unserved {
	const struct kube_unserved *next;
	const struct unserved *row;
	const char *path;
	struct src src;
};

/* First member of every object. */
struct kube_meta {
	enum kube_kind kind;
	struct arena arena; /* owns this object and what it points to */
	const char *ns; /* "" for cluster-scoped kinds */
	const char *name; /* of generateName: made by the store, different each time */
	const char *uid; /* "" when not given */
	const char *generate; /* generateName where no name is given, or NULL */
	struct kube_labels labels;
	int64_t created; /* seconds since 1970; 0 when not given */
	bool deleting; /* has a deletionTimestamp */
	struct kube_owner owner;
	const struct kube_unserved *unserved; /* NULL: none */
	struct src src;
};

enum kube_operator {
	KUBE_IN, /* matchLabels become KUBE_IN with one value */
	KUBE_NOT_IN,
	KUBE_EXISTS,
	KUBE_NOT_EXISTS,
};

struct kube_requirement {
	const char *key;
	enum kube_operator op;
	const char **values; /* sorted */
	size_t n;
	struct src src;
};

/*
 * All requirements must hold; without one it matches everything. Requirements are sorted, so equal
 * selectors compare equal.
 */
struct kube_selector {
	struct kube_requirement *items;
	size_t n;
	bool invalid; /* matches nothing (lenient input only) */
	struct src src;
};

bool kube_selector_matches(const struct kube_selector *s, const struct kube_labels *labels);
const char *kube_label(const struct kube_labels *labels, const char *key); /* NULL when absent */

struct kube_namespace {
	struct kube_meta meta; /* labels always hold kubernetes.io/metadata.name (NP-22) */
	bool implied; /* not in the input: objects in it name it */
};

/* Effects NoSchedule and NoExecute only. */
struct kube_taint {
	const char *key, *value, *effect;
};

struct kube_node {
	struct kube_meta meta;
	bool implied; /* not in the input: only its name is known */
	bool made_up; /* implied, and no object names it either */
	struct kube_taint *taints;
	size_t n_taints;
	struct weir_addr *addrs; /* InternalIP and ExternalIP, in order, unique */
	size_t n_addrs;
	struct weir_addr primary[2]; /* by family: the first InternalIP; zero: none (SVC-36) */
};

struct kube_pod_port {
	const char *name; /* "" when unnamed */
	int proto; /* IPPROTO_* */
	uint16_t port; /* host order */
};

enum kube_phase {
	KUBE_PENDING,
	KUBE_RUNNING,
	KUBE_SUCCEEDED,
	KUBE_FAILED,
	KUBE_UNKNOWN,
};

struct kube_pod {
	struct kube_meta meta;
	const char *node; /* spec.nodeName, "" when unscheduled */
	bool host_network;
	enum kube_phase phase;
	bool ready;
	bool has_status; /* false: written by hand, see STORE_ASSIGN */
	/* "" when not given: its name under a headless Service (DNS-6) */
	const char *hostname, *subdomain;
	const struct kube_workload *made_for; /* the workload that it was made for, or NULL */
	/* opt-outs of its attachment record (enum weir_pod_flag), where the caller knows them */
	bool any_sender, tunnels;
	struct weir_addr addr[2]; /* by family; zero: none (NP-61) */
	/* of containers, then of sidecar init containers (NP-32), in order */
	struct kube_pod_port *ports;
	size_t n_ports;
};

/* Its containers have ended: another pod may have its address now (NP-56). */
static inline bool kube_pod_ended(const struct kube_pod *pod)
{
	return pod->phase == KUBE_SUCCEEDED || pod->phase == KUBE_FAILED;
}

/* Its addresses stand for this pod (NP-56, NP-60). */
static inline bool kube_pod_has_identity(const struct kube_pod *pod)
{
	return !pod->host_network && !kube_pod_ended(pod);
}

struct kube_toleration {
	const char *key, *value, *effect; /* "": any */
	bool exists; /* operator Exists: the value does not matter */
};

/*
 * Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job or CronJob, by
 * meta.kind.
 */
struct kube_workload {
	struct kube_meta meta;
	uint32_t pods; /* that run at once; of a DaemonSet: on each node that it selects */
	const char *pods_field; /* path of that number, for messages */
	uint32_t first; /* the first pod's ordinal */
	struct kube_pod *template; /* has no name and namespace */
	struct kube_selector node_selector; /* this and the tolerations: of a DaemonSet only */
	struct kube_toleration *tolerations;
	size_t n_tolerations;
	bool present; /* pods of it are in the input (store_note_present()): none is made */
};

struct kube_service_port {
	const char *name;
	int proto;
	uint16_t port; /* host order */
	uint16_t node_port; /* 0: none */
	bool target_is_name;
	uint16_t target_port; /* host order */
	const char *target_name; /* a string is always a name (PARSE-3) */
	struct src src;
};

enum kube_service_type {
	KUBE_CLUSTER_IP,
	KUBE_NODE_PORT,
	KUBE_LOAD_BALANCER,
	KUBE_EXTERNAL_NAME,
};

struct kube_service {
	struct kube_meta meta;
	enum kube_service_type type;
	bool headless; /* clusterIP None */
	bool needs_cluster_ip; /* none given, but the type has one: see STORE_ASSIGN */
	struct weir_addr cluster_ip[2]; /* by family (SVC-4); zero: none */
	bool wants_family[2]; /* spec.ipFamilies, defaulted */
	struct kube_service_port *ports;
	size_t n_ports;
	bool has_selector;
	struct kube_selector selector; /* Service selectors are plain maps */
	bool internal_local; /* internalTrafficPolicy: Local */
	bool external_local;
	bool publish_not_ready;
	bool has_slices, has_mirrored; /* in the input; mirrored: made from an Endpoints object */
	uint32_t affinity_s; /* sessionAffinity ClientIP: its timeout; 0: None */
	struct weir_addr *external_ips;
	struct weir_addr *vips; /* of status.loadBalancer, with ipMode VIP (SVC-45) */
	struct cidr *source_ranges; /* of both families (SVC-50) */
	struct weir_addr *balancer_ips; /* of status.loadBalancer and loadBalancerIP, all */
	size_t n_external_ips, n_vips, n_source_ranges, n_balancer_ips;
};

struct kube_endpoint {
	struct weir_addr addr; /* addresses[0] (SVC-16) */
	bool ready, serving, terminating; /* defaulted (SVC-18) */
	const char *node; /* "" when not given (SVC-17) */
	const char *pod; /* of a derived slice: name of the pod; else "" */
	const char **zone_hints, **node_hints; /* sorted */
	size_t n_zone_hints, n_node_hints;
};

struct kube_slice_port {
	const char *name;
	int proto;
	uint16_t port; /* host order; ports without a number or name are left out (SVC-12) */
};

struct kube_slice {
	struct kube_meta meta;
	const char *service; /* label kubernetes.io/service-name; "" : ignored (SVC-11) */
	int family; /* 0 IPv4, 1 IPv6, -1: any other addressType, ignored (SVC-10) */
	struct kube_endpoint *endpoints;
	size_t n_endpoints;
	struct kube_slice_port *ports;
	size_t n_ports;
	bool derived; /* from a Service's selector, not in the input */
	bool mirrored; /* made from an Endpoints object, by a control plane or by mirror.c */
};

/* What the control plane makes EndpointSlices of, for a Service without a selector (SVC-121). */
struct kube_endpoints {
	struct kube_meta meta;
	const char *not_mirrored; /* why none are made of it; NULL: they are */
	struct kube_slice *slices; /* without a name, one for each subset and family */
	size_t n_slices;
};

/* One item of from[] or to[]. */
struct kube_peer {
	/* NULL: not given; both NULL and no block: matches nothing (NP-14) */
	struct kube_selector *pods, *namespaces;
	bool has_block;
	struct cidr block;
	struct cidr *except;
	size_t n_except;
	struct src src;
};

struct kube_policy_port {
	int proto; /* defaulted to TCP; 0: unknown, matches nothing */
	const char *name; /* NULL when numeric or absent */
	bool any; /* no port given: all ports of the protocol (NP-15, NP-16) */
	uint16_t low, high; /* host order, inclusive */
	struct src src;
};

struct kube_policy_rule {
	struct kube_peer *peers; /* n_peers 0: any peer (NP-12) */
	size_t n_peers;
	struct kube_policy_port *ports; /* n_ports 0: all ports and protocols (NP-13) */
	size_t n_ports;
	struct src src;
};

enum kube_direction {
	KUBE_INGRESS,
	KUBE_EGRESS,
};

struct kube_policy {
	struct kube_meta meta;
	struct kube_selector pods;
	bool isolates[2]; /* effective policyTypes, by enum kube_direction (NP-7) */
	/* by direction; must be ignored where isolates is false (NP-8) */
	struct kube_policy_rule *rules[2];
	size_t n_rules[2];
};

/* All that Weir uses of an object, as lines of text. The caller frees. */
char *kube_object_text(const struct kube_meta *m);
bool kube_object_equal(const struct kube_meta *a, const struct kube_meta *b);
