/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A measurement of a sandbox (sandbox/measure.h) as text and as JSON. */
#pragma once

#include "cli/talk.h"
#include "sandbox/measure.h"

/* The matrix, the denials, and the spread over backends. */
void measure_print(const struct measure *m, const struct common_options *c, FILE *out);
void measure_print_json(const struct measure *m, FILE *out);
