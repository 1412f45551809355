/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connected UDP sockets of the node whose backend does not serve any more (SVC-91, SVC-92): nothing
 * else tells their processes. In the calling thread's network namespace.
 */
#pragma once

#include "kernel/node.h"

/*
 * Ends them: the process gets ECONNABORTED. Only sockets that Weir gave their backend. 0 also if
 * there are none; -EOPNOTSUPP: this kernel cannot. ret_ended may be NULL.
 */
int stale_sockets_end(const struct node *n, unsigned int *ret_ended, struct weir_err *err);
/* 0, or -EOPNOTSUPP with why this kernel cannot. Ends nothing. */
int stale_sockets_check(const struct node *n, struct weir_err *err);
