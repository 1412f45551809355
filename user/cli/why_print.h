/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A judged flow (analyze/why.h) as a drawing for people, and as JSON. */
#pragma once

#include "analyze/why.h"
#include "base/emit.h"
#include "cli/output.h"

void why_print(const struct why_flow *flow, const struct style *s, FILE *out);
void why_emit(const struct why_flows *flows, struct emit *e); /* why_emit.c */
