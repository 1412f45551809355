/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* An apply to another set of maps and programs, which then replaces the loaded one. */
#pragma once

#include "sync/sync.h"

/*
 * n: from node_open_next(). As sync_apply(), then the new set is the loaded one and the old one is
 * removed. Each device has the old programs until it has the new ones. Connections are not carried
 * over. After an error the old set is still the loaded one; devices may have the new programs until
 * the next load.
 */
int rebuild_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments,
		  unsigned int flags, struct sync_delta *ret_delta, struct weir_err *err);
