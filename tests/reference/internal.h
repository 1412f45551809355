/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to the files of the reference evaluator. */
#pragma once

#include "reference/reference.h"

/* A packet after translation, with the pods at its ends. */
struct packet {
	struct weir_addr src, dst;
	const struct kube_pod *src_pod, *dst_pod; /* NULL: no pod of the cluster */
	int proto;
	uint16_t port;
	bool host_origin;
	bool echo_always;
	const struct plan_closed *closed; /* policies that did not fit */
	uint32_t n_closed;
};

bool reference_selects(const struct kube_selector *s, const struct kube_labels *labels);

/* Judges the packet at the end of that direction, which must be a pod. Fills all but judged. */
void reference_judge_end(const struct store *s, const char *node, const struct packet *p,
			 enum kube_direction direction, struct reference_verdict *v);

/*
 * Finds the Service of the query's destination; fills service, candidates and reason. FORWARDED:
 * either no Service, or there are candidates.
 */
void reference_service(const struct store *s, const char *node, const struct oracle_query *q,
		       struct reference_answer *a);
