/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to get*.c. */
#pragma once

#include "cli/listing.h"
#include "inspect/live.h"

void get_flows(const struct live *l, const struct common_options *c);
