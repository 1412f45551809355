/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Private to why*.c: a judged flow (analyze/why.h) as a drawing and as JSON; answers by ids.
 */
#pragma once

#include "analyze/why.h"
#include "base/emit.h"
#include "cli/talk.h"
#include "inspect/why_live.h"

void why_print(const struct why_flow *flow, const struct style *s, FILE *out);
void why_emit(const struct why_flows *flows, struct emit *e); /* why_emit.c */
/*
 * Answers without objects, by ids. FROM and TO are addresses, or names that the plan file has.
 * Returns an exit status. In why_ids.c.
 */
int why_by_ids(struct why_live *l, const struct why_ask *ask, const struct common_options *c);
