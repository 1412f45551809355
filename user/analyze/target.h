/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Parses FROM and TO: ns/pod, pod/ns/name, svc/ns/name, a DNS name (HOST.SERVICE.NS[.svc…] under a
 * headless Service, SERVICE.NS.svc…), an IP (IPv6 in brackets before a port), world or node. TO may
 * end in :PORT[/PROTO], where PORT is a number or a name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/mem.h"

enum target_kind {
	TARGET_POD,
	TARGET_SERVICE,
	TARGET_HOST, /* a pod by its DNS name under a headless Service (DNS-6) */
	TARGET_ADDR,
	TARGET_WORLD,
	TARGET_NODE,
};

struct target {
	enum target_kind kind;
	const char *ns, *name; /* POD, SERVICE and HOST */
	const char *service; /* HOST */
	struct weir_addr addr; /* ADDR */
	bool has_port;
	uint16_t port; /* host order; 0 with port_name */
	const char *port_name; /* NULL: a number */
	int proto; /* IPPROTO_*; 0: not given */
};

enum target_form {
	TARGET_WITH_PORT = 1 << 0, /* a port may follow */
	/* only for errors: these forms are parsed in any case */
	TARGET_WITH_SERVICE = 1 << 1,
	TARGET_WITH_HOST = 1 << 2,
	TARGET_PORT_OPTION = 1 << 3, /* there is an option --port */
};

/*
 * Strings of the target lie in arena. what: "FROM", "TO" or an option, for err. forms: the forms
 * that the caller takes beside pods and addresses. 0, or -EINVAL with err.
 */
int target_parse(const char *text, const char *what, unsigned int forms, struct arena *arena,
		 struct target *ret_target, struct weir_err *err);
/* False only for an address of the other family (0 IPv4, 1 IPv6). */
bool target_has_family(const struct target *t, int family);
/* -EINVAL with err when both are addresses, of different families. */
int target_check_families(const struct target *from, const struct target *to, struct weir_err *err);
