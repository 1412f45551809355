/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A list of rules that match becomes one word: allowed whole by one rule, or by port, each port by
 * the first rule that allows it. Equal port sets are one.
 */
#pragma once

#include "compile/build.h"
#include "compile/ranges.h"

struct word_build {
	struct build *build;
	struct range_list ranges; /* scratch */
	struct name_table names;
	struct plan_port_set *sets;
	size_t n_sets, cap_sets;
};

/*
 * Whose named ports count: the protected pod's for ingress, the peer's resolution for egress
 * (NP-32).
 */
struct word_ports {
	const struct kube_pod *pod; /* NULL: egress */
	const struct resolution *resolution;
};

/* rules: indexes of plan->rules in order of attribution. */
struct plan_word word_of(struct word_build *w, const struct ids *rules,
			 const struct word_ports *ports);
/* Port sets go to the plan, sorted; ret_slot: old index -> new, to be freed. */
void word_build_finish(struct word_build *w, uint32_t **ret_slot);

/* Does the rule name a port? */
bool rule_has_port_names(const struct kube_policy_rule *rule);
