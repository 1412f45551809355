// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What pods hold of the connection table. See shares.h. */
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "inspect/shares.h"

static int by_entries(const void *a, const void *b)
{
	const struct live_share *x = a, *y = b;

	if (x->flows.entries != y->flows.entries)
		return x->flows.entries < y->flows.entries ? 1 : -1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* A bucket that cannot be read shows zeros. */
static struct weir_flow_share *read_buckets(const struct live *l)
{
	struct weir_flow_share *buckets = mem_zalloc(WEIR_POD_BUCKETS * sizeof(*buckets));

	for (uint32_t b = 0; b < WEIR_POD_BUCKETS; b++)
		bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_flow_shares), &b, &buckets[b]);
	return buckets;
}

void live_shares_read(const struct live *l, struct live_shares *ret_shares)
{
	_cleanup_(mem_free) struct weir_flow_share *buckets = read_buckets(l);
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	uint32_t max = node_map_max(l->node, WEIR_MAP_pods);
	struct live_shares s = { .config = *node_config(l->node),
				 .pods = mem_zalloc(max * sizeof(*s.pods)) };

	for (uint32_t b = 0; b < WEIR_POD_BUCKETS; b++)
		s.evicted += buckets[b].evicted;
	for (uint32_t i = 1; i < max; i++)
		if (pods[i].ref)
			s.pods[s.n++] = (struct live_share){ i, buckets[weir_pod_bucket(i)] };
	qsort(s.pods, s.n, sizeof(*s.pods), by_entries);
	*ret_shares = s;
}

void live_shares_free(struct live_shares *s)
{
	mem_free(&s->pods);
	*s = (struct live_shares){};
}

enum live_share_state live_share_state(const struct weir_config *config,
				       const struct weir_flow_share *flows)
{
	if (weir_over_share(config, flows))
		return LIVE_SHARE_OVER;
	return weir_over_half_open_share(config, flows) ? LIVE_SHARE_OVER_HALF_OPEN
							: LIVE_SHARE_WITHIN;
}

const char *live_share_text(enum live_share_state state)
{
	static const char *const texts[] = {
		[LIVE_SHARE_WITHIN] = "within share",
		[LIVE_SHARE_OVER] = "over share",
		[LIVE_SHARE_OVER_HALF_OPEN] = "over half-open share",
	};

	return texts[state];
}
