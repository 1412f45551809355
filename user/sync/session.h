/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A long-lived writer. It remembers all ids, so that a change of one Service's endpoints is bound
 * and written alone, without reading a table, in time that does not depend on the number of
 * Services. The barrier before removed entries are freed comes later, in session_settle(). The
 * writers' lock (NODE_WRITE) is held for the whole session, so no other process writes.
 */
#pragma once

#include "sync/sync.h"

struct session;

/*
 * As sync_apply(), and remembers the result. n is borrowed. *session is NULL or a session that this
 * call replaces; after an error it is NULL.
 */
int session_apply(struct session **session, struct node *n, const struct plan *p,
		  const struct attachment_list *attachments, unsigned int flags,
		  struct sync_delta *ret_delta, struct weir_err *err);

/*
 * Applies changed endpoints of one Service; part is from plan_compile_service(). When it returns,
 * packets meet the new endpoints, and the epochs are raised. The generation stays: the plan file
 * gets the change with the next whole apply.
 * -ESTALE: the part has a service port that is not loaded: a whole apply is needed.
 * -ENOSPC: no room beside removed entries that are not freed yet: call session_settle() and try
 * again; if it fails again, a whole apply reports what does not fit. Nothing was written in either
 * case.
 * A kill at any step leaves tables that are valid for packets; the next whole apply completes them.
 */
int session_service(struct session *s, const struct plan *part, struct sync_delta *ret_delta,
		    struct weir_err *err);

/* Waits until no running program can hold removed entries, and frees them. */
int session_settle(struct session *s, struct weir_err *err);
/* The number of removed backends and extents that session_settle() would free. */
size_t session_owes(const struct session *s);

/* Also for _cleanup_(). The next writer frees what is still owed. */
void session_close(struct session **s);
