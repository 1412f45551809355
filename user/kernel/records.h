/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an instance is attached to: attachment records (docs/design.md), one per pod in
 * /run/weir/pods/<ns>_<name>.json; and uplinks, which have no records, since they are found anew.
 */
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

/* A file that is no valid record. */
struct attachment_bad {
	const char *path;
	const char *ns, *name; /* from the file's name; "" if that is not NAMESPACE_POD.json */
	const char *why; /* the error, with the path */
};

#define UPLINK_NAME_MAX 16 /* IF_NAMESIZE; net/if.h would declare bind() and listen() */

/* A device by which clients outside reach this node. */
struct uplink {
	uint32_t ifindex;
	char name[UPLINK_NAME_MAX];
	struct weir_addr addr[2]; /* struct weir_uplink */
};

struct attachment_list {
	struct arena arena;
	struct attachment *items; /* sorted by ns, name */
	size_t n;
	struct attachment_bad *bad; /* in no order */
	size_t n_bad, cap_bad;
	bool uplinks_known; /* else those that are attached stay as they are */
	struct uplink *uplinks; /* attachment_list_read() does not find them: attach/uplinks.h */
	size_t n_uplinks, cap_uplinks;
};

/* Writes by rename. */
int attachment_write(const char *instance, const struct attachment *a, struct weir_err *err);
int attachment_remove(const char *instance, const char *ns, const char *name, struct weir_err *err);
/* A file that is no valid record is no error: it is in ret_list->bad, and costs its own pod only.
 */
int attachment_list_read(const char *instance, struct attachment_list *ret_list,
			 struct weir_err *err);
void attachment_list_free(struct attachment_list *l);
/* Or NULL. */
const struct attachment *attachment_find(const struct attachment_list *l, const char *ns,
					 const char *name);
const struct attachment_bad *attachment_find_bad(const struct attachment_list *l, const char *ns,
						 const char *name);
/* Removes what killed writers left half-written, once it is older than ten minutes. */
void attachment_tidy(const char *instance);
