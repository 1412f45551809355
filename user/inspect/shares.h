/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What each pod holds of the connection table, and which pods lose their own flows to their new
 * ones (docs/security.md). Reads only.
 */
#pragma once

#include "inspect/live.h"
#include <weir/share.h>

/* Pods of one bucket show the same figures: they are counted together. */
struct live_share {
	uint32_t slot; /* of the pod in `pods` */
	struct weir_flow_share flows;
};

struct live_shares {
	struct weir_config config; /* entries, half_open and their limits at the time of reading */
	struct live_share *pods; /* all pods of the node, most entries first */
	size_t n;
	uint64_t evicted; /* flows of all buckets, also of pods that are gone */
};

void live_shares_read(const struct live *l, struct live_shares *ret_shares);
void live_shares_free(struct live_shares *s); /* also for _cleanup_() */

enum live_share_state {
	LIVE_SHARE_WITHIN,
	LIVE_SHARE_OVER, /* weir_over_share() */
	LIVE_SHARE_OVER_HALF_OPEN, /* weir_over_half_open_share() alone */
};

enum live_share_state live_share_state(const struct weir_config *config,
				       const struct weir_flow_share *flows);
const char *live_share_text(enum live_share_state state); /* "over share" */
