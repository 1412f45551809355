/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a measurement of a sandbox (sandbox/measure.h) came to, for people and as JSON. */
#pragma once

#include "cli/talk.h"
#include "sandbox/measure.h"

/* The matrix, which end denied, and the spread over backends. */
void measure_print(const struct measure *p, const struct common_options *c, FILE *out);
void measure_print_json(const struct measure *p, FILE *out);
