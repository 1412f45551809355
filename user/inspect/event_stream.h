/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The datapath's events as they come, from the pinned ring. It has one reader at a time, by a lock
 * file. Writes one thing: which reasons are wanted, and until when (`watch`), so that a reader that
 * was killed costs the packets nothing a moment later.
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
	uint64_t since_ns; /* older events are another reader's */
	struct weir_event_count told[_WEIR_REASON_MAX]; /* losses that were told already */
};

/*
 * live must stay; it may be reloaded. reasons: bit n for reason n. fn is called by
 * event_stream_poll() for each event that begins from now on. -EBUSY: another reader, err names it.
 */
int event_stream_open(struct event_stream *s, const struct live *live, uint64_t reasons,
		      void (*fn)(const struct weir_event *e, void *arg), void *arg,
		      struct weir_err *err);
/* Renews the lease for 2 s and waits for events. Negative: -errno, -EINTR at a signal. */
int event_stream_poll(struct event_stream *s, int timeout_ms);
/* Calls fn for each reason of which events were lost, or over the budget, since the last call. */
void event_stream_losses(struct event_stream *s,
			 void (*fn)(uint32_t reason, const struct weir_event_count *n, void *arg),
			 void *arg);
void event_stream_stop(struct event_stream *s); /* the lease ends; losses can still be read */
void event_stream_close(struct event_stream *s); /* lock is -1 where it was not opened */
