// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Empties maps so that the next test can use programs that are loaded: on an emulated machine most
 * of a test's time is for the verifier.
 */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "lib/prog_clear.h"

static int clear_array(const struct bpf_map *map, size_t value_len)
{
	void *zeros = mem_zalloc(value_len);
	int r = 0;

	for (uint32_t i = 0; !r && i < bpf_map__max_entries(map); i++)
		r = bpf_map_update_elem(bpf_map__fd(map), &i, zeros, BPF_ANY);
	free(zeros);
	return r;
}

static int clear_hash(const struct bpf_map *map)
{
	void *key = mem_zalloc(bpf_map__key_size(map));
	int r = 0;

	while (!r && !bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		r = bpf_map_delete_elem(bpf_map__fd(map), key);
	free(key);
	return r;
}

static int clear_queue(const struct bpf_map *map)
{
	void *value = mem_zalloc(bpf_map__value_size(map));

	while (!bpf_map_lookup_and_delete_elem(bpf_map__fd(map), NULL, value))
		;
	free(value);
	return 0;
}

static int ignore_event(void *ctx, void *data, size_t len)
{
	(void)ctx, (void)data, (void)len;
	return 0;
}

static int clear_ring(const struct bpf_map *map)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), ignore_event, NULL, NULL);
	int r = ring ? ring_buffer__consume(ring) : -errno;

	ring_buffer__free(ring);
	return r < 0 ? r : 0;
}

static int clear(const struct bpf_map *map)
{
	size_t len = bpf_map__value_size(map);

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY:
		return clear_array(map, len);
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return clear_array(map, (len + 7) / 8 * 8 * libbpf_num_possible_cpus());
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
		return clear_hash(map);
	case BPF_MAP_TYPE_QUEUE:
		return clear_queue(map);
	case BPF_MAP_TYPE_RINGBUF:
		return clear_ring(map);
	case BPF_MAP_TYPE_PROG_ARRAY:
		return 0; /* no test fills it */
	default:
		return -ENOTSUP;
	}
}

int prog_maps_clear(const struct bpf_object *obj)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, obj)
	{
		if (!r && !bpf_map__is_internal(map))
			r = clear(map);
	}
	return r;
}
