/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The nouns of `weir get` that have a file of their own. */
#pragma once

#include "cli/listing.h"
#include "inspect/live.h"

void get_flows(const struct live *l, const struct common_options *c);
/* What each pod holds of the connection table (docs/security.md). */
void get_flows_by_pod(const struct live *l, const struct common_options *c);
