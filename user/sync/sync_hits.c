// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hit counters of fresh ids: zeroed before the id's name is written, so that no rule or policy set
 * inherits another one's counts, even after a kill. Packets count in bpf/hits.bpf.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "sync/private.h"

#define BATCH 256

static int zero(struct sync *s, enum weir_map map, uint32_t *ids, uint32_t n, const void *zeroes)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t count = n;

	if (n && bpf_map_update_batch(sync_fd(s, map), ids, zeroes, &count, &opts))
		return err_set(s->err, -errno, "zero map %s: %s", map_info(map)->name,
			       strerror(errno));
	return 0;
}

/* Index 0 of rules and sets is a placeholder. Ids beyond the map have no counter. */
static int clear_fresh(struct sync *s, enum weir_map map, enum weir_name_kind kind, size_t n,
		       const void *zeroes)
{
	uint32_t ids[BATCH], at = 0;
	int r = 0;

	for (size_t i = 1; i < n && !r; i++) {
		const struct bound *b = &s->bound[kind][i];

		if (!b->fresh || b->id >= node_map_max(s->n, map))
			continue;
		ids[at++] = b->id;
		if (at < BATCH)
			continue;
		r = zero(s, map, ids, at, zeroes);
		at = 0;
	}
	return r ? r : zero(s, map, ids, at, zeroes);
}

int hits_clear(struct sync *s)
{
	size_t cpus = libbpf_num_possible_cpus();
	_cleanup_(mem_free) void *zeroes = mem_zalloc(BATCH * cpus * sizeof(struct weir_hits));
	int r;

	sync_step("hits");
	r = clear_fresh(s, WEIR_MAP_rule_hits, WEIR_NAME_RULE, s->p->n_rules, zeroes);
	return r ? r
		 : clear_fresh(s, WEIR_MAP_set_hits, WEIR_NAME_POLICY_SET, s->p->n_sets, zeroes);
}
