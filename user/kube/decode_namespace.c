// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Namespace: its labels, and the one that the API server always sets (NP-22). */
#include "kube/decode.h"

void decode_namespace(const struct field *root, struct kube_meta *o)
{
	decode_set_label(root->d->arena, &o->labels, KUBE_NAMESPACE_LABEL, o->name);
}
