/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All objects of one cluster state, with the indexes that compiling needs. Filled by decode; read
 * by compile. Iteration order is by namespace, then name, whatever the order of input.
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
	size_t n_namespaces, n_nodes, n_pods, n_services, n_slices, n_policies;
	struct kube_workload **workloads[KUBE_WORKLOADS]; /* by kind - KUBE_WORKLOAD_FIRST */
	size_t n_workloads[KUBE_WORKLOADS];
	bool keep_source_text; /* set before reading: what is read can be written out again */
	struct diag_list diags; /* everything that was found while reading and completing */
	struct store_private *priv;
};

struct store *store_new(void);
void store_free(struct store **s); /* also for _cleanup_() */

/*
 * Reads files, directories (*.yaml, *.yml, *.json, recursively, sorted) and "-" (stdin) strictly,
 * as the API server would check them. All problems go to s->diags, none is printed; objects with
 * errors are left out. Returns 0, or -errno when a path cannot be read (err says which). Input
 * errors are s->diags.errors, not a return value.
 */
int store_read(struct store *s, const char *const *paths, size_t n, struct weir_err *err);
/* The same for one buffer; name stands for the file in diagnostics. Used by tests and fuzzers. */
void store_read_buffer(struct store *s, const char *name, const char *data, size_t len);

enum store_defaults_flag {
	/* make the pods that workloads stand for, give pods and Services without addresses
	 * deterministic ones and take such pods as Running and Ready (offline verbs and sandbox;
	 * `load` never: it warns) */
	STORE_ASSIGN = 1 << 0,
	/* objects were written, not taken from a server: a Service that claims another's cluster IP
	 * or node port, which no server would have admitted, is an error. Else the first created
	 * keeps it (SVC-7). */
	STORE_ADMIT = 1 << 1,
};

/*
 * To be called once after reading: sorts, reports duplicates, adds implied Namespaces, makes pods
 * of workloads and assigns addresses if asked (one note in diags each), and derives EndpointSlices
 * for Services with a selector that have none (as the control plane would: readiness, named ports,
 * publishNotReadyAddresses).
 */
void store_apply_defaults(struct store *s, unsigned int flags);

/*
 * "files":[{"name","text"}]: what was read with keep_source_text set. store_read_buffer() of each
 * in turn makes the same objects at the same positions. Documents that hold no object of the store
 * are empty lines. Returns NULL, or why the texts must not be kept, a static sentence: then what
 * was written is incomplete and to be thrown away.
 */
const char *store_emit_source_text(struct store *s, struct emit *e);

const struct kube_namespace *store_namespace(const struct store *s, const char *name);
const struct kube_node *store_node(const struct store *s, const char *name);
const struct kube_pod *store_pod(const struct store *s, const char *ns, const char *name);
const struct kube_service *store_service(const struct store *s, const char *ns, const char *name);
/* kind must be that of a workload. */
const struct kube_workload *store_workload(const struct store *s, enum kube_kind kind,
					   const char *ns, const char *name);
/*
 * The workload of the input that an object belongs to: its controller, or that one's, as far up as
 * there are any (pod, ReplicaSet, Deployment). NULL: none of them is there.
 */
const struct kube_workload *store_owner(const struct store *s, const struct kube_meta *m);
/* The first pod that belongs to a workload of that name, of whatever kind; NULL: none. */
const struct kube_pod *store_first_pod(const struct store *s, const char *ns, const char *workload);
/* The pod that an address stands for (NP-56: not terminal, not hostNetwork), or NULL. */
const struct kube_pod *store_pod_by_addr(const struct store *s, const struct weir_addr *addr);

/*
 * This node's name (design section 6): wanted if not NULL (--node), else NODE_NAME from the
 * environment as env, else the only Node object. NULL with err filled when none of them answers.
 */
const char *store_this_node(const struct store *s, const char *wanted, const char *env,
			    struct weir_err *err);
/*
 * Why that name is refused, to be freed, or NULL when it is fine: no Node and no pod has it while
 * others are named. given_by: "--node" or "NODE_NAME".
 */
char *store_unknown_node(const struct store *s, const char *node, const char *given_by);
