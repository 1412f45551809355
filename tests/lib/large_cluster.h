/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Large clusters of given numbers of objects, for tests and measurements of what size costs. Not
 * random: the same numbers give the same cluster.
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

/* With defaults applied. The caller checks diags and frees the store. */
struct store *large_store(const struct large_cluster *c);

/*
 * One object as JSON, without a comma. Service i is ns-(i % LARGE_NAMESPACES)/s-i, 172.20.(i >>
 * 8).(i & 255):80.
 */
void large_put_service(FILE *f, int service);
/* Its slice; endpoint number n is 10.(n >> 16).(n >> 8 & 255).(n & 255):8080, n from first on. */
void large_put_slice(FILE *f, int service, int endpoints, int first);
