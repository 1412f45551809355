// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See names.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/names.h"
#include "sandbox/netns.h"

char *names_prefix(const char *name)
{
	return mem_printf("weir-%s_", name);
}

/* '.' is in no Namespace's name, so it is no pod's. */
char *names_further_node(const char *name, const char *node)
{
	return mem_printf("weir-%s_node.%s", name, node);
}

char *names_node_netns(const char *name, const struct sandbox_net *net, size_t node)
{
	return node ? names_further_node(name, net->nodes[node].name)
		    : mem_printf("weir-%s_node", name);
}

/* '_' occurs in no Kubernetes name, so different pods never share a namespace's name. */
char *names_netns(const char *name, const char *where)
{
	const char *slash = strchr(where, '/');
	char *node;

	if (!slash)
		return mem_printf("weir-%s_%s", name, where);
	if (!strncmp(where, "node/", 5)) {
		node = names_further_node(name, slash + 1);
		if (netns_exists(node))
			return node;
		free(node);
	}
	return mem_printf("weir-%s_%.*s_%s", name, (int)(slash - where), where, slash + 1);
}

uint64_t names_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

/* The host's end of a veth: a hash, since device names are short; a collision gives -EEXIST. */
char *names_device(const char *where)
{
	if (!strcmp(where, NAMES_WORLD))
		return mem_strdup(NAMES_WORLD);
	return mem_printf("veth%010llx", (unsigned long long)(names_hash(where) & 0xffffffffff));
}

/* Not by its index: that changes when other nodes come or go. */
char *names_world_device(const struct sandbox_net *net, size_t node)
{
	_cleanup_(mem_free) char *where = sandbox_node_where(net, node);

	return node ? names_device(where) : mem_strdup(NAMES_INSIDE);
}
