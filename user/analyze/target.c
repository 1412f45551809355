// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Parses FROM and TO. See target.h. Text only: whether the objects exist is checked elsewhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/target.h"

#define HOST_PARTS_MAX 4

/* What is parsed, for errors. */
struct input {
	const char *text, *what;
	unsigned int forms;
};

static int cannot_parse(const struct input *in, struct weir_err *err)
{
	return err_set(
		err, -EINVAL,
		"cannot parse %s '%s': write NAMESPACE/POD, pod/NAMESPACE/POD%s%s, an IP%s, world or node",
		in->what, in->text,
		in->forms & TARGET_WITH_SERVICE ? ", svc/NAMESPACE/SERVICE" : "",
		in->forms & TARGET_WITH_HOST ? ", HOST.SERVICE.NAMESPACE" : "",
		in->forms & TARGET_WITH_PORT ? " ([IPv6] before a port)" : "");
}

static int parse_port(const struct input *in, const char *text, struct arena *arena,
		      struct target *t, struct weir_err *err)
{
	size_t len = strcspn(text, "/");
	char *port = arena_strndup(arena, text, len), *end;
	unsigned long number = strtoul(port, &end, 10);

	if (text[len]) {
		t->proto = proto_parse(text + len + 1);
		if (!t->proto)
			return err_set(err, -EINVAL,
				       "%s: '%s' is not a protocol; use TCP, UDP or SCTP", in->what,
				       text + len + 1);
	}
	if (!len)
		return err_set(err, -EINVAL, "%s '%s': the port after ':' is missing", in->what,
			       in->text);
	t->has_port = true;
	if (*end || *port < '0' || *port > '9') {
		t->port_name = port;
		return 0;
	}
	if (number < 1 || number > 65535)
		return err_set(err, -EINVAL, "%s: port %s is not within 1-65535", in->what, port);
	t->port = number;
	return 0;
}

/*
 * Splits "[v6]:80/TCP", "name:80" and "10.0.0.1:80"; an IPv6 address without brackets has no port.
 */
static int split_port(const struct input *in, char *text, char **ret_port, struct weir_err *err)
{
	char *colon = strchr(text, ':'), *close;

	*ret_port = NULL;
	if (*text == '[') {
		close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':'))
			return err_set(
				err, -EINVAL,
				"%s '%s': an IPv6 address with a port is written [ADDRESS]:PORT",
				in->what, text);
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		colon = NULL;
	}
	if (!colon)
		return 0;
	if (!(in->forms & TARGET_WITH_PORT))
		return err_set(err, -EINVAL, "%s '%s' has a port: give the port %s", in->what, text,
			       in->forms & TARGET_PORT_OPTION ? "with --port"
							      : "with the destination");
	*colon = 0;
	*ret_port = colon + 1;
	return 0;
}

static int parse_name(const struct input *in, const char *text, struct arena *arena,
		      struct target *t, struct weir_err *err)
{
	const char *first = strchr(text, '/'), *second = first ? strchr(first + 1, '/') : NULL;

	if (!first || (second && strchr(second + 1, '/')))
		return cannot_parse(in, err);
	if (second) {
		if (!strncmp(text, "svc/", 4) || !strncmp(text, "service/", 8))
			t->kind = TARGET_SERVICE;
		else if (strncmp(text, "pod/", 4))
			return cannot_parse(in, err);
		text = first + 1;
		first = second;
	}
	t->ns = arena_strndup(arena, text, first - text);
	t->name = arena_strdup(arena, first + 1);
	if (!*t->ns || !*t->name)
		return err_set(err, -EINVAL, "%s '%s': write both, namespace and name", in->what,
			       in->text);
	return 0;
}

/* host.service.ns with or without .svc…, or service.ns.svc…; false: neither. */
static bool parse_host(const char *text, struct arena *arena, struct target *t)
{
	const char *parts[HOST_PARTS_MAX];
	size_t n = 0;
	bool is_service;

	for (size_t len; n < HOST_PARTS_MAX; text += len + 1) {
		len = strcspn(text, ".");
		parts[n] = arena_strndup(arena, text, len);
		if (!len || strchr(parts[n], '/'))
			return false;
		n++;
		if (!text[len])
			break;
	}
	is_service = n >= 3 && !strcmp(parts[2], "svc");
	if (n < 3 || (!is_service && n > 3 && strcmp(parts[3], "svc")))
		return false;
	t->kind = is_service ? TARGET_SERVICE : TARGET_HOST;
	t->name = parts[0];
	t->service = parts[1];
	t->ns = parts[is_service ? 1 : 2];
	return true;
}

/* "10.0.0.1", "fd00::1" or "[fd00::1]". */
static bool parse_addr(char *text, struct weir_addr *ret_addr)
{
	size_t len = strlen(text);

	if (*text == '[' && len > 2 && text[len - 1] == ']') {
		text[len - 1] = 0;
		text++;
	}
	return !addr_parse(text, ret_addr);
}

int target_parse(const char *text, const char *what, unsigned int forms, struct arena *arena,
		 struct target *ret_target, struct weir_err *err)
{
	const struct input in = { text, what, forms };
	struct target t = { .kind = TARGET_POD };
	char *copy = arena_strdup(arena, text), *port;
	int r = split_port(&in, copy, &port, err);

	if (r)
		return r;
	if (!strcmp(copy, "world"))
		t.kind = TARGET_WORLD;
	else if (!strcmp(copy, "node"))
		t.kind = TARGET_NODE;
	else if (parse_addr(copy, &t.addr))
		t.kind = TARGET_ADDR;
	else if (!parse_host(copy, arena, &t))
		r = parse_name(&in, copy, arena, &t, err);
	if (!r && port)
		r = parse_port(&in, port, arena, &t, err);
	if (!r)
		*ret_target = t;
	return r;
}

bool target_has_family(const struct target *t, int family)
{
	return t->kind != TARGET_ADDR || addr_family(&t->addr) == family;
}

int target_check_families(const struct target *from, const struct target *to, struct weir_err *err)
{
	char from_text[ADDR_TEXT_MAX], to_text[ADDR_TEXT_MAX];

	if (from->kind != TARGET_ADDR || to->kind != TARGET_ADDR ||
	    addr_family(&from->addr) == addr_family(&to->addr))
		return 0;
	return err_set(err, -EINVAL, "FROM %s is %s and TO %s is %s: both must be of one family",
		       addr_text(&from->addr, from_text), family_text(addr_family(&from->addr)),
		       addr_text(&to->addr, to_text), family_text(addr_family(&to->addr)));
}
