// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_cluster.h: findings of `weir doctor` for a cluster's node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"

unsigned int netns_findings(const struct netns_cluster *c, enum finding_code code)
{
	_cleanup_(attachment_list_free) struct attachment_list pods = {};
	_cleanup_(findings_free) struct findings found = {};
	_cleanup_(node_close) struct node *node = NULL;
	struct weir_err err = {};
	unsigned int n = 0;

	if (node_open(c->name, NODE_READ, NULL, &node, &err) ||
	    attachment_list_read(c->name, &pods, &err) || doctor_node(node, &pods, &found, &err))
		fail_msg("doctor: %s", err.text);
	for (size_t i = 0; i < found.n; i++)
		n += found.items[i].code == code;
	return n;
}
