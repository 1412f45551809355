/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Asks the reference evaluator and somebody else the same random questions about random clusters,
 * on every node, and stops at the first difference with all that is needed to repeat it, and the
 * smallest manifests that still show it. Who the other one is, is the caller's business.
 */
#pragma once

#include "lib/random_cluster.h"
#include "reference/reference.h"

/* One question, and the reference's answer to it. */
struct differential_question {
	const struct store *store;
	const char *node;
	const struct plan *plan; /* of that node */
	struct oracle_query q;
	struct reference_answer want;
};

struct differential {
	unsigned int clusters; /* by default; WEIR_ROUNDS says otherwise */
	unsigned int questions; /* a node */
	uint64_t seed; /* 0: WEIR_SEED or the clock */
	FILE *out; /* for what is told; NULL: stdout */
	void *ctx;
	/* a node's plan, before the questions about it; may be NULL. False: said why, and stops */
	bool (*begin)(void *ctx, const struct plan *p, FILE *said);
	/*
	 * Called with every q.pick below the number of candidates. False: different, and wrote its
	 * own answer.
	 */
	bool (*agrees)(void *ctx, const struct differential_question *question, FILE *said);
};

struct differential_count {
	unsigned long packets; /* judged */
	unsigned long reasons[_WEIR_REASON_MAX]; /* as the reference said */
	unsigned long judged[2], denied[2]; /* by enum kube_direction */
	char *shrunk; /* manifests that show the difference; NULL: none, or not again. The caller
			 frees it */
};

/* Writes TAP comments. Returns whether there was no difference. */
bool differential_run(const struct differential *d, struct differential_count *ret_count);

/*
 * An answer in terms of the plan against the reference's, rules included; writes it to said when
 * they differ.
 */
bool differential_same(const struct plan *p, const struct oracle_answer *got,
		       const struct reference_answer *want, FILE *said);
void differential_print(const struct plan *p, const struct oracle_answer *a, FILE *out);
