/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Private to why*.c: a judged flow (analyze/why.h) as a drawing for people, and as JSON; and
 * answers by ids.
 */
#pragma once

#include "analyze/why.h"
#include "base/emit.h"
#include "cli/talk.h"
#include "inspect/why_live.h"

void why_print(const struct why_flow *flow, const struct style *s, FILE *out);
void why_emit(const struct why_flows *flows, struct emit *e); /* why_emit.c */
/*
 * Answers by ids, without objects: FROM and TO by address, or by name as far as the plan file has
 * it. An exit status.
 */
int why_by_ids(struct why_live *l, const struct why_ask *ask,
	       const struct common_options *c); /* why_ids.c */
