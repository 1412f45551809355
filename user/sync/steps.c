// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The tools that the parts of an apply and sessions share. See private.h. Knows no order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "attach/stale_sockets.h"
#include "base/mem.h"
#include "base/netns.h"
#include "sync/barrier.h"
#include "sync/private.h"

#define EPOCH_MASK 0x7fffffffu /* a stamp is the epoch shifted left by one */

void (*sync_step_hook)(const char *step);

void sync_step(const char *name)
{
	if (sync_step_hook)
		sync_step_hook(name);
}

int sync_fd(const struct sync *s, enum weir_map map)
{
	return node_map_fd(s->n, map);
}

int sync_store_word(struct sync *s, struct weir_store_word *arg)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = arg, .ctx_size_in = sizeof(*arg));
	int fd = node_prog_fd(s->n, WEIR_PROGRAM_store_word);

	if (fd < 0)
		return err_set(s->err, fd, "program store_word is not loaded");
	if (bpf_prog_test_run_opts(fd, &opts))
		return err_set(s->err, -errno, "run program store_word: %s", strerror(errno));
	if (opts.retval)
		return err_set(s->err, (int)opts.retval, "program store_word: %s",
			       err_name((int)opts.retval));
	return 0;
}

/* Programs may still hold what this apply, or one that was killed, has deleted. */
int sync_pay_barrier(struct sync *s)
{
	int r = barrier_wait(s->err);

	if (!r)
		__atomic_and_fetch(&node_config(s->n)->pending, ~WEIR_PENDING_BARRIER,
				   __ATOMIC_RELEASE);
	return r;
}

bool sync_frees_anything(const struct sync *s)
{
	uint32_t gone = s->transit_rules.n + s->delta.detached;

	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		gone += s->delta.deleted[map];
	return gone;
}

void sync_owe(struct sync *s)
{
	sync_step("pending");
	if (s->delta.policy_epoch_raised)
		node_config(s->n)->pending |= WEIR_PENDING_POLICY;
	if (s->delta.service_epoch_raised)
		node_config(s->n)->pending |= WEIR_PENDING_SERVICE;
	if (sync_frees_anything(s))
		node_config(s->n)->pending |= WEIR_PENDING_BARRIER;
}

static void raise_epoch(uint32_t *epoch)
{
	uint32_t next = (*epoch + 1) & EPOCH_MASK;

	__atomic_store_n(epoch, next ? next : 1, __ATOMIC_RELEASE);
}

/* Raise the epochs last; otherwise a flow could be stamped current against the old tables. */
void sync_raise_epochs(struct sync *s)
{
	struct weir_config *c = node_config(s->n);

	sync_step("epochs");
	if (s->delta.policy_epoch_raised)
		raise_epoch(&c->policy_epoch);
	if (s->delta.service_epoch_raised)
		raise_epoch(&c->service_epoch);
	__atomic_and_fetch(&c->pending, WEIR_PENDING_BARRIER, __ATOMIC_RELEASE);
}

/*
 * After the tables (SVC-93). An apply does not fail for it: some kernels cannot, which `load`,
 * `status` and `doctor` tell.
 */
void sync_end_stale_sockets(const struct node *n)
{
	sync_step("stale-sockets");
	if (node_config(n)->netns_cookie && node_config(n)->netns_cookie == netns_cookie())
		(void)!stale_sockets_end(n, NULL, NULL);
}

void sync_free(struct sync *s)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		table_free(&s->live[map]);
		table_free(&s->want[map]);
		table_diff_free(&s->diff[map]);
	}
	for (int kind = 0; kind < _WEIR_NAME_MAX; kind++) {
		free(s->bound[kind]);
		idset_free(&s->ids[kind]);
		extents_free(&s->extents[kind]);
	}
	table_free(&s->transit_rules);
	backends_free(&s->backends);
	free(s->pods);
	free(s->kept);
	free(s->listed);
	free(s->gone_devices);
	free(s->moves);
	free(s->transits);
}

uint32_t sync_delta_writes(const struct sync_delta *d)
{
	uint32_t sum = d->attached + d->detached + d->policy_epoch_raised + d->service_epoch_raised;

	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		sum += d->inserted[map] + d->changed[map] + d->deleted[map];
	return sum;
}
