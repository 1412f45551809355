// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An RCU grace period from user space: membarrier(MEMBARRIER_CMD_GLOBAL) waits for one (12-20 ms).
 * Kernels with nohz_full refuse it; there an update of a map-in-map serves, which waits for one
 * before it returns.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "sync/barrier.h"

int barrier_by_map_in_map(struct weir_err *err)
{
	_cleanup_(fd_close) int inner =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "barrier_in", 4, 4, 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = inner);
	_cleanup_(fd_close) int outer = -1;
	int zero = 0;

	if (inner >= 0)
		outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "barrier", 4, 4, 1, &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY))
		return err_set(err, -errno, "wait for running programs: %s", strerror(errno));
	return 0;
}

int barrier_wait(struct weir_err *err)
{
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	return barrier_by_map_in_map(err);
}
