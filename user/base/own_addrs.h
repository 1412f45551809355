/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The addresses of the machine, in the calling thread's network namespace. */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include <weir/addr.h>

/* All of them, those of bridges and tunnels included (NP-41). The caller frees the array. */
int own_addrs(struct weir_addr **ret_addrs, size_t *ret_n, struct weir_err *err);
