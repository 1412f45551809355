/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the files of the reference evaluator share with each other, and with nobody else. */
#pragma once

#include "reference/reference.h"

/* A packet after translation, with the pods that its ends stand for. */
struct packet {
	struct weir_addr src, dst;
	const struct kube_pod *src_pod, *dst_pod; /* NULL: no pod of the cluster */
	int proto;
	uint16_t port;
	bool host_origin;
	bool echo_always;
};

bool reference_selects(const struct kube_selector *s, const struct kube_labels *labels);

/*
 * The end of that direction is a pod; does everything that protects it let the packet pass? Fills
 * all but judged.
 */
void reference_judge_end(const struct store *s, const char *node, const struct packet *p,
			 enum kube_direction direction, struct reference_verdict *v);

/*
 * Whose frontend the query's destination is: fills service, candidates and reason. FORWARDED:
 * either no Service, or there are candidates.
 */
void reference_service(const struct store *s, const char *node, const struct oracle_query *q,
		       struct reference_answer *a);
