// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads events from the ring. See event_stream.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "inspect/event_stream.h"
#include "kernel/lock.h"

#define LEASE_TICKS 15 /* 2 s: then the datapath stops sending events to a reader that died */

static int on_data(void *ctx, void *data, size_t size)
{
	const struct weir_event *e = data;
	struct event_stream *s = ctx;

	if (size >= sizeof(*e) && e->time_ns >= s->since_ns)
		s->fn(e, s->arg);
	return 0;
}

int event_stream_open(struct event_stream *s, const struct live *live, uint64_t reasons,
		      void (*fn)(const struct weir_event *e, void *arg), void *arg,
		      struct weir_err *err)
{
	_cleanup_(mem_free) char *path = mem_printf("%s/observe.lock", node_run_dir(live->node));
	struct timespec t;

	*s = (struct event_stream){
		.live = live, .watch = { .reasons = reasons }, .fn = fn, .arg = arg
	};
	s->lock = lock_file(path, "observer", 0, err);
	if (s->lock < 0)
		return s->lock;
	s->ring = ring_buffer__new(node_map_fd(live->node, WEIR_MAP_events), on_data, s, NULL);
	if (!s->ring)
		return err_set(err, -errno, "open the ring buffer of events: %s", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->since_ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	ring_buffer__consume(s->ring); /* discards events of an earlier reader */
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++)
		s->seen[i] = live_event_losses(live, i);
	return 0;
}

static int lease(struct event_stream *s, uint32_t ticks)
{
	uint32_t zero = 0;

	s->watch.until = live_ticks_now() + ticks;
	return bpf_map_update_elem(node_map_fd(s->live->node, WEIR_MAP_watch), &zero, &s->watch,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

int event_stream_poll(struct event_stream *s, int timeout_ms)
{
	int r = lease(s, LEASE_TICKS);

	return r ? r : ring_buffer__poll(s->ring, timeout_ms);
}

void event_stream_stop(struct event_stream *s)
{
	lease(s, 0);
}

void event_stream_losses(struct event_stream *s,
			 void (*fn)(uint32_t reason, const struct weir_event_count *n, void *arg),
			 void *arg)
{
	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++) {
		struct weir_event_count now = live_event_losses(s->live, i), *seen = &s->seen[i];
		struct weir_event_count new = { .over_budget = now.over_budget - seen->over_budget,
						.lost = now.lost - seen->lost };

		*seen = now;
		if (new.over_budget || new.lost)
			fn(i, &new, arg);
	}
}

void event_stream_close(struct event_stream *s)
{
	ring_buffer__free(s->ring);
	fd_close(&s->lock);
}
