// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The ports of a report: parsed from text, or all that pods declare. See report.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report_ports.h"

static bool all_digits(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* One "80/TCP", "80" or "http/UDP". Cuts word at its slash. */
static int parse_one(char *word, struct arena *arena, struct report_port *ret_port,
		     struct weir_err *err)
{
	char *slash = strchr(word, '/');
	struct report_port port = {};
	unsigned long number;

	if (slash) {
		*slash = 0;
		port.proto = proto_parse(slash + 1);
		if (!port.proto)
			return err_set(err, -EINVAL, "'%s' is not a protocol; use TCP, UDP or SCTP",
				       slash + 1);
	}
	if (!*word)
		return err_set(err, -EINVAL, "empty port; write a list such as 80/TCP,53/UDP,http");
	if (all_digits(word)) {
		number = strlen(word) > 5 ? 0 : strtoul(word, NULL, 10);
		if (number < 1 || number > 65535)
			return err_set(err, -EINVAL, "port %s is not within 1-65535", word);
		port.port = number;
		port.proto = port.proto ? port.proto : proto_parse("TCP");
	} else if (strspn(word, "0123456789-") == strlen(word)) {
		return err_set(
			err, -EINVAL,
			"'%s' is not a port: ranges are not supported, list the ports, as in 80,81",
			word);
	} else {
		port.name = arena_strdup(arena, word);
	}
	*ret_port = port;
	return 0;
}

int report_ports_parse(const char *text, struct arena *arena, struct report_port **ret_ports,
		       size_t *ret_n, struct weir_err *err)
{
	_cleanup_(mem_free) char *copy = mem_strdup(text);
	_cleanup_(mem_free) struct report_port *ports = NULL;
	size_t n = 0, cap = 0;
	struct report_port port;
	char *rest = copy, *word;
	int r;

	while ((word = strsep(&rest, ","))) {
		r = parse_one(word, arena, &port, err);
		if (r)
			return r;
		*VEC_ADD(ports, n, cap) = port;
	}
	*ret_ports = TAKE_PTR(ports);
	*ret_n = n;
	return 0;
}

static int by_proto_and_port(const void *a, const void *b)
{
	const struct report_port *x = a, *y = b;

	return x->proto != y->proto ? x->proto - y->proto : (int)x->port - (int)y->port;
}

size_t report_ports_declared(const struct store *s, struct report_port **ret_ports)
{
	struct report_port *ports = NULL;
	size_t n = 0, cap = 0, kept = 0;

	for (size_t i = 0; i < s->n_pods; i++)
		for (size_t k = 0; k < s->pods[i]->n_ports; k++)
			*VEC_ADD(ports, n, cap) = (struct report_port){
				.proto = s->pods[i]->ports[k].proto,
				.port = s->pods[i]->ports[k].port,
			};
	if (n)
		qsort(ports, n, sizeof(*ports), by_proto_and_port);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_proto_and_port(&ports[kept - 1], &ports[i]))
			ports[kept++] = ports[i];
	*ret_ports = ports;
	return kept;
}
