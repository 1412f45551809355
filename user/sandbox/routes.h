/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Routes to addresses of a node, from the world and from other nodes through the world. */
#pragma once

#include "sandbox/sandbox.h"

/*
 * Routes the addresses (two, by family; zero: none) to the node. Repeatable; replaces the routes to
 * another node. Nothing with one node: the world's default route leads there.
 */
int routes_to(const char *name, const struct sandbox_net *net, size_t node,
	      const struct weir_addr addr[2], struct weir_err *err);
