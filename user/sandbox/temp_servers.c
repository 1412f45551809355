// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Temporary servers: without one, a closed UDP port would look like a denial and a closed TCP port
 * like a rejection. One process per namespace; ports already in use keep their server.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/temp_servers.h"
#include "sandbox/server.h"

struct wanted {
	const char *where;
	struct server_port port;
};

static int by_where(const void *a, const void *b)
{
	const struct wanted *p = a, *q = b;
	int order = strcmp(p->where, q->where);

	if (!order)
		order = (int)p->port.proto - q->port.proto;
	return order ? order : (int)p->port.port - q->port.port;
}

static size_t collect(const struct sandbox_probe *probes, size_t n, struct wanted *wanted)
{
	size_t found = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (probes[i].to &&
		    (probes[i].proto == IPPROTO_TCP || probes[i].proto == IPPROTO_UDP))
			wanted[found++] = (struct wanted){ probes[i].to,
							   { probes[i].proto, probes[i].port } };
	qsort(wanted, found, sizeof(*wanted), by_where);
	for (size_t i = 0; i < found; i++)
		if (!kept || by_where(&wanted[kept - 1], &wanted[i]))
			wanted[kept++] = wanted[i];
	return kept;
}

static int start_group(struct temp_servers *servers, const char *name, const struct wanted *wanted,
		       size_t n, struct weir_err *err)
{
	_cleanup_(mem_free) struct server_port *ports = mem_zalloc(n * sizeof(*ports));
	_cleanup_(fd_close) int fd = sandbox_netns(name, wanted->where, NULL);
	struct server_spec spec = { .netns_fd = fd,
				    .label = wanted->where,
				    .ports = ports,
				    .n_ports = n,
				    .temporary = true };
	pid_t pid;
	int r;

	if (fd < 0)
		return 0; /* no such pod: its probes become SANDBOX_UNKNOWN */
	for (size_t i = 0; i < n; i++)
		ports[i] = wanted[i].port;
	r = server_start(&spec, &pid, err);
	if (!r)
		*VEC_ADD(servers->pids, servers->n, servers->cap) = pid;
	return r;
}

int temp_servers_start(struct temp_servers *servers, const char *name,
		       const struct sandbox_probe *probes, size_t n, struct weir_err *err)
{
	_cleanup_(mem_free) struct wanted *wanted = mem_zalloc((n + 1) * sizeof(*wanted));
	size_t n_wanted = collect(probes, n, wanted);
	int r = 0;

	for (size_t i = 0, end; i < n_wanted && !r; i = end) {
		for (end = i; end < n_wanted && !strcmp(wanted[end].where, wanted[i].where); end++)
			;
		r = start_group(servers, name, &wanted[i], end - i, err);
	}
	return r;
}

void temp_servers_stop(struct temp_servers *servers)
{
	for (size_t i = 0; i < servers->n; i++)
		server_stop(servers->pids[i]);
	free(servers->pids);
	*servers = (struct temp_servers){};
}
