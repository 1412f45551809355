/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Large clusters, by numbers alone: for the tests and measurements that ask what size costs.
 * Nothing is random: the same numbers give the same cluster.
 */
#pragma once

#include <stdio.h>

#include "kube/store.h"

#define LARGE_NAMESPACES 500
#define LARGE_NODE "here" /* every 610th pod is on it */

struct large_cluster {
	int pods, policies, services;
	int endpoints; /* of each Service, one slice; on other nodes than LARGE_NODE */
};

/* Completed; the caller looks at diags and frees it. */
struct store *large_store(const struct large_cluster *c);

/*
 * One object as JSON, without a comma. Service i is ns-(i % LARGE_NAMESPACES)/s-i, 172.20.(i >>
 * 8).(i & 255):80.
 */
void large_put_service(FILE *f, int service);
/* Its slice; endpoints are 10.x.y.z:8080, numbered in a row from first. */
void large_put_slice(FILE *f, int service, int endpoints, int first);
