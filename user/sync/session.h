/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A writer that stays: it remembers which numbers everything has, so that a change of one Service's
 * endpoints is bound and written alone, without reading a table, in time that does not depend on
 * how many Services there are. What a change took away is waited for later, off the way of the
 * change. Whoever stays holds the writer's lock (NODE_WRITE): nobody else writes meanwhile.
 */
#pragma once

#include "sync/sync.h"

struct session;

/*
 * As sync_apply(), and remembers the outcome. n is borrowed. *session is NULL at first, or a
 * session that this apply replaces; after an error it is NULL.
 */
int session_apply(struct session **session, struct node *n, const struct plan *p,
		  const struct attachment_list *attachments, unsigned int flags,
		  struct sync_delta *ret_delta, struct weir_err *err);

/*
 * The endpoints of one Service changed; part is from plan_compile_service(). When it returns,
 * packets meet the new
 * endpoints, and the epochs are paid. The generation stays: the plan file gets the change with the
 * next whole apply.
 * -ESTALE: the part has a service port that is not loaded: a whole apply is needed. -ENOSPC: no
 * place beside what was
 * taken away and not waited for yet: session_settle() and try again, then a whole apply says what
 * is missing. Nothing
 * was written in either case. A kill at any step leaves what packets may meet and the next whole
 * apply completes.
 */
int session_service(struct session *s, const struct plan *part, struct sync_delta *ret_delta,
		    struct weir_err *err);

/*
 * Waits until no packet can hold what changes took away, and frees its numbers. Does nothing when
 * nothing is owed.
 */
int session_settle(struct session *s, struct weir_err *err);
/* Numbers and places that session_settle() would free. */
size_t session_owes(const struct session *s);

void session_close(
	struct session **s); /* also for _cleanup_(); what is owed the next writer pays */
