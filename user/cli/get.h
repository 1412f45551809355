/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the rows of `weir get` share: the one that stands in a file of its own. */
#pragma once

#include "cli/listing.h"
#include "inspect/live.h"

void get_flows(const struct live *l, const struct common_options *c);
