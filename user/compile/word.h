/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Turns a list of matching rules into one word: allowed as a whole by one rule, or by port, each
 * port by the first rule that allows it. Equal port sets are one.
 */
#pragma once

#include "compile/build.h"
#include "compile/port_sets.h"

struct word_build {
	struct build *build;
	struct range_list ranges; /* scratch */
	struct port_sets port_sets;
};

/* Resolves named ports: on the protected pod for ingress, on the peer for egress (NP-32). */
struct word_ports {
	const struct kube_pod *pod; /* NULL: egress */
	const struct resolution *resolution;
};

/* Another policy set, of these rules; ports: without a resolution. */
void word_begin(struct word_build *w, const struct ids *rules, const struct word_ports *ports);
/* rules: indexes of plan->rules in order of attribution. */
struct plan_word word_of(struct word_build *w, const struct ids *rules,
			 const struct word_ports *ports);
/* Moves the sorted port sets to the plan. ret_new_id: old index -> new, the caller frees it. */
void word_build_finish(struct word_build *w, uint32_t **ret_new_id);

/* Has the rule a named port? */
bool rule_has_port_names(const struct kube_policy_rule *rule);
