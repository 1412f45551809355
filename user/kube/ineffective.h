/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Warnings about what was written and has no effect (PARSE-10): fields that the kind does not have,
 * fields that Weir does not serve, kinds that Kubernetes does not have. Equal ones are one warning
 * (base/diag_group.h).
 */
#pragma once

#include "base/diag_group.h"
#include "kube/field.h"
#include "kube/objects.h"

/*
 * Warns of each field, at any depth, that is not in the schema of the type: what kubectl's strict
 * validation refuses. type: a kind, or "List". from_server: a server wrote the status, which is not
 * checked. root->d->name and ns are set.
 */
void warn_unknown_fields(const struct field *root, const char *type, bool from_server,
			 struct diag_groups *groups);

/* Notes in m the fields of an object that Weir does not serve; store_warn_unserved() reports them.
 */
void find_unserved_fields(const struct field *root, struct kube_meta *m);

/*
 * For an object of a kind that Weir does not read: why no server has the kind, with the name that
 * is probably meant; the caller frees it. NULL: Kubernetes has it, or an API group that is not its
 * own.
 */
char *misspelt_kind(const char *api_version, const char *kind);
