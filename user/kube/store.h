/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All objects of one cluster state, with the indexes that compile needs. Iteration order is by
 * namespace, then name, whatever the order of input.
 */
#pragma once

#include "base/emit.h"
#include "kube/objects.h"

struct store {
	/* each array sorted by (ns, name), no duplicates */
	struct kube_namespace **namespaces;
	struct kube_node **nodes;
	struct kube_pod **pods;
	struct kube_service **services;
	struct kube_slice **slices;
	struct kube_policy **policies;
	struct kube_endpoints **endpoints;
	size_t n_namespaces, n_nodes, n_pods, n_services, n_slices, n_policies, n_endpoints;
	struct kube_workload **workloads[KUBE_WORKLOADS]; /* by kind - KUBE_WORKLOAD_FIRST */
	size_t n_workloads[KUBE_WORKLOADS];
	bool keep_source_text; /* set before reading: for store_emit_source_text() */
	struct diag_list diags; /* of reading and of store_apply_defaults() */
	struct store_private *priv;
};

struct store *store_new(void);
void store_free(struct store **s); /* also for _cleanup_() */

/*
 * Reads files, directories (*.yaml, *.yml, *.json, recursively, sorted) and "-" (stdin), with the
 * API server's checks. Objects with errors are left out; errors are added to s->diags and counted
 * in s->diags.errors. Files of kustomize and Helm that hold no objects are passed over in
 * directories, with a note, and refused by name. Returns 0, or -errno with err filled when a path
 * cannot be read.
 */
int store_read(struct store *s, const char *const *paths, size_t n, struct weir_err *err);
/* The same for one buffer; name is the file name in diagnostics. */
void store_read_buffer(struct store *s, const char *name, const char *data, size_t len);

enum store_defaults_flag {
	/* make the pods of workloads, assign deterministic addresses to nodes, pods and Services
	 * without one, and take such pods as Running and Ready (offline verbs and sandbox). Without
	 * it (`load`), warn of each. */
	STORE_ASSIGN = 1 << 0,
	/* objects were written, not read from a server: a Service with the cluster IP or node port
	 * of another one is an error. Else the first created keeps it (SVC-7). */
	STORE_ADMIT = 1 << 1,
};

/* No object was read: a node that no object names does not count. */
bool store_is_empty(const struct store *s);

/*
 * To be called once, after reading: sorts, reports duplicates, adds implied Namespaces, makes pods
 * of workloads and assigns addresses as flags say (one note in diags each), and makes the
 * EndpointSlices that the control plane would: for Services with a selector that have none
 * (readiness, named ports, publishNotReadyAddresses), and for Endpoints of those without one. Warns
 * of fields that are not served.
 */
void store_apply_defaults(struct store *s, unsigned int flags);

/*
 * "files":[{"name","text"}]: what was read with keep_source_text set. store_read_buffer() of each
 * in turn makes the same objects at the same positions. Documents without an object of the store
 * are empty lines; in the others (Lists) objects of other kinds are written too. Returns NULL, or a
 * static text that says why the texts must not be kept: then the caller must discard what was
 * written.
 */
const char *store_emit_source_text(struct store *s, struct emit *e);

const struct kube_namespace *store_namespace(const struct store *s, const char *name);
const struct kube_node *store_node(const struct store *s, const char *name);
const struct kube_pod *store_pod(const struct store *s, const char *ns, const char *name);
const struct kube_service *store_service(const struct store *s, const char *ns, const char *name);
/* kind: a workload's. */
const struct kube_workload *store_workload(const struct store *s, enum kube_kind kind,
					   const char *ns, const char *name);
/*
 * The topmost workload of the input that owns an object, directly or not (pod, ReplicaSet,
 * Deployment). NULL: none of its owners is in the input.
 */
const struct kube_workload *store_owner(const struct store *s, const struct kube_meta *m);
/* The first pod that belongs to a workload of that name, of any kind. NULL: none. */
const struct kube_pod *store_first_pod(const struct store *s, const char *ns, const char *workload);
/* The pod that an address stands for (NP-56: not terminal, not hostNetwork), or NULL. */
const struct kube_pod *store_pod_by_addr(const struct store *s, const struct weir_addr *addr);

/*
 * This node's name: wanted (--node) unless NULL, else env (NODE_NAME of the environment) unless
 * NULL or empty, else the only Node object. NULL with err filled: none of these.
 */
const char *store_this_node(const struct store *s, const char *wanted, const char *env,
			    struct weir_err *err);
/*
 * Refuses a node name that no Node and no pod's nodeName has, while there are other ones: the
 * message, which the caller frees. NULL: the name is accepted. given_by: "--node" or "NODE_NAME".
 */
char *store_unknown_node(const struct store *s, const char *node, const char *given_by);
