/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random clusters as manifests, and questions about them. Biased towards difficult cases: few
 * labels, absent keys, clashing port names, terminal pods whose addresses are reused, nested and
 * overlapping blocks, every shape of a NetworkPolicy, slices that contradict each other. An API
 * server would accept all of it; the text goes through the decoder as a user's files do.
 */
#pragma once

#include "analyze/oracle.h"
#include "kube/store.h"
#include "lib/random.h"

struct random_cluster {
	char *text; /* YAML documents or a JSON List */
	size_t len;
	const char *name; /* file name: "cluster.yaml" or "cluster.json" */
};

struct random_cluster random_cluster_make(struct random *r);
void random_cluster_free(struct random_cluster *c); /* also for _cleanup_() */

/* Nodes of the clusters are node-0 … node-2. */
#define RANDOM_NODES 3
const char *random_cluster_node(unsigned int i);

/* A port in or around those that clusters use, or one with a meaning of its own. */
uint16_t random_any_port(struct random *r);

/*
 * A question about this node: one end is a pod of it, and only its own pods ask for Services.
 * False: no such question was found.
 */
bool random_query(struct random *r, const struct store *s, const char *node,
		  struct oracle_query *ret_query);

/* "10.0.0.1 -> 10.96.0.1:80/TCP pick 3": for failures. */
void random_query_print(const struct oracle_query *q, FILE *out);
