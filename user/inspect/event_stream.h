/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads the datapath's events from the pinned ring, one reader at a time (lock file). Writes only
 * `watch`: which reasons are wanted, and until when, so that a killed reader soon costs the packet
 * path nothing.
 */
#pragma once

#include "inspect/live.h"
#include <weir/event.h>

struct event_stream {
	const struct live *live;
	struct ring_buffer *ring;
	struct weir_watch watch;
	int lock;
	void (*fn)(const struct weir_event *e, void *arg);
	void *arg;
	uint64_t since_ns; /* older events belong to an earlier reader */
	struct weir_event_count seen[_WEIR_REASON_MAX]; /* losses already reported */
};

/*
 * live must outlive the stream; it may be reloaded. reasons: bit n for reason n.
 * event_stream_poll() calls fn for each event from now on. -EBUSY: another reader; err names it.
 */
int event_stream_open(struct event_stream *s, const struct live *live, uint64_t reasons,
		      void (*fn)(const struct weir_event *e, void *arg), void *arg,
		      struct weir_err *err);
/* Renews the lease for 2 s and waits for events. Negative: -errno, -EINTR at a signal. */
int event_stream_poll(struct event_stream *s, int timeout_ms);
/* Calls fn for each reason with events lost or over the budget since the last call. */
void event_stream_losses(struct event_stream *s,
			 void (*fn)(uint32_t reason, const struct weir_event_count *n, void *arg),
			 void *arg);
void event_stream_stop(struct event_stream *s); /* ends the lease; losses can still be read */
void event_stream_close(struct event_stream *s); /* lock must be -1 if it was never opened */
