/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Attachment records (docs/design.md): /run/weir/pods/<ns>_<name>.json, one per pod. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/mem.h"
#include <weir/addr.h>

struct attachment {
	const char *ns, *name, *uid;
	const char *netns; /* path of the pod's network namespace, "" when unknown */
	uint32_t ifindex; /* of the host's end of its veth */
	uint8_t mac[6]; /* of the pod's end */
	struct weir_addr addr[2];
	bool adopted; /* it ran before Weir attached: it may have connections unknown to Weir */
	/* it may speak for other MACs and neighbours, and as a router: VIP managers, macvlan, VMs
	 */
	bool any_sender;
	bool tunnels; /* it may send tunnels to nodes */
	uint64_t written_ns; /* mtime of the file, since 1970; ignored by attachment_write() */
};

struct attachment_list {
	struct arena arena;
	struct attachment *items; /* sorted by ns, name */
	size_t n;
};

/* Writes by rename. */
int attachment_write(const char *instance, const struct attachment *a, struct weir_err *err);
int attachment_remove(const char *instance, const char *ns, const char *name, struct weir_err *err);
int attachment_list_read(const char *instance, struct attachment_list *ret_list,
			 struct weir_err *err);
void attachment_list_free(struct attachment_list *l);
