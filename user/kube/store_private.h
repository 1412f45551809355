/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the files of the store share: the private part of struct store and the steps of
 * store_apply_defaults(), in the order in which they are called. Nobody outside user/kube includes
 * this.
 */
#pragma once

#include <uthash.h>

#include "kube/store.h"

/* A set of texts. */
struct store_seen {
	UT_hash_handle hh;
	char text[];
};
bool store_seen_add(struct store_seen **set,
		    const char *text); /* false: it is in the set already */
void store_seen_free(struct store_seen **set);

/* A pod by address. */
struct store_addr {
	UT_hash_handle hh;
	struct weir_addr addr;
	const struct kube_pod *pod;
};

struct store_private {
	size_t cap[_KUBE_KIND_MAX];
	char **files; /* names that objects point at */
	size_t n_files, cap_files;
	char **texts; /* of files, by the same index; NULL: not kept */
	size_t cap_texts, texts_len; /* of all */
	const char *texts_refused; /* why they are not kept after all; NULL: they are */
	struct src *secrets; /* where Secrets stand: they are never kept */
	size_t n_secrets, cap_secrets;
	struct store_seen *unknown_kinds;
	struct store_addr *addrs; /* one block, hashed */
	struct store_addr *by_addr;
};

/* The array of a kind. */
struct store_array {
	struct kube_meta ***items;
	size_t *n, *cap;
};
struct store_array store_array(struct store *s, enum kube_kind kind);
void store_add(struct store *s, struct kube_meta *m);
/* An object that was not read: in an arena of its own, named, without labels. */
void *store_add_new(struct store *s, enum kube_kind kind, size_t size, const char *ns,
		    const char *name);
void store_sort(struct store *s,
		enum kube_kind kind); /* by (ns, name); the order of input among equals */

void store_keep_source_text(struct store *s, const char *data,
			    size_t len); /* of the file that was added last */

void store_check_conflicts(
	struct store *s); /* before sorting: who comes first in the input was first */
void store_drop_duplicates(struct store *s, enum kube_kind kind);
void store_imply_namespaces(struct store *s);
/* "Pod ns/name", or "Deployment ns/name (pod name-1)" when it was made. The caller frees it. */
char *store_pod_text(const struct kube_pod *pod);

void store_note_present(struct store *s); /* workloads whose pods are there; the store is sorted */
void store_imply_nodes(
	struct store *s); /* nodes that pods name, or one when there is none at all */
void store_expand(
	struct store *s); /* makes pods, and implies nodes before those that need one each */
void store_warn_unexpanded(struct store *s); /* instead of making pods */
void store_assign_addresses(struct store *s);
void store_warn_missing(struct store *s); /* instead of assigning addresses */
void store_default_families(struct store *s);
void store_derive_slices(struct store *s);
void store_index_addrs(struct store *s);
