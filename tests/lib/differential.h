/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Asks the reference evaluator and another one, which the caller chooses, the same random questions
 * about random clusters, on every node. Stops at the first difference and prints what is needed to
 * repeat it, with the smallest manifests found that still show it.
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
	unsigned int clusters; /* by default; WEIR_ROUNDS overrides it */
	unsigned int questions; /* a node */
	uint64_t seed; /* 0: WEIR_SEED or the clock */
	FILE *out; /* NULL: stdout */
	void *ctx;
	/*
	 * called with a node's plan before its questions; may be NULL. False: stops the run, and
	 * wrote the reason to said
	 */
	bool (*begin)(void *ctx, const struct plan *p, FILE *said);
	/*
	 * Called with every q.pick below the number of candidates. False: different, and wrote its
	 * own answer to said.
	 */
	bool (*agrees)(void *ctx, const struct differential_question *question, FILE *said);
};

struct differential_count {
	unsigned long packets; /* judged */
	unsigned long reasons[_WEIR_REASON_MAX]; /* of the reference */
	unsigned long judged[2], denied[2]; /* by enum kube_direction */
	char *shrunk; /* manifests that show the difference; NULL: none, or not repeatable. The
			 caller frees it */
};

/* Writes TAP comments. True: no difference. */
bool differential_run(const struct differential *d, struct differential_count *ret_count);

/*
 * Compares an answer in terms of the plan with the reference's, rules included; writes it to said
 * when they differ.
 */
bool differential_same(const struct plan *p, const struct oracle_answer *got,
		       const struct reference_answer *want, FILE *said);
void differential_print(const struct plan *p, const struct oracle_answer *a, FILE *out);
