/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* An event with names (inspect/event_view.h) as one line for people, and as JSON. */
#pragma once

#include "base/emit.h"
#include "cli/output.h"
#include "inspect/event_view.h"

void event_print(const struct event_view *v, const struct style *style, FILE *out);
void event_emit(const struct event_view *v, struct emit *e); /* members of an object */
