/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Shared by the files of the store: the private part of struct store, and the steps of
 * store_apply_defaults(). Not to be included outside user/kube.
 */
#pragma once

#include <uthash.h>

#include "base/diag_group.h"
#include "kube/store.h"

/* A set of strings. */
struct store_seen {
	UT_hash_handle hh;
	char text[];
};
bool store_seen_add(struct store_seen **set, const char *text); /* false: already in the set */
void store_seen_free(struct store_seen **set);

/* A pod by address. */
struct store_addr {
	UT_hash_handle hh;
	struct weir_addr addr;
	const struct kube_pod *pod;
};

struct store_private {
	size_t cap[_KUBE_KIND_MAX];
	char **files; /* names, which src.file of the objects points to */
	size_t n_files, cap_files;
	char **passed; /* names of files that hold no objects, for diags */
	size_t n_passed, cap_passed;
	char **texts; /* of files, same index; NULL: not kept */
	size_t cap_texts, texts_len; /* texts_len: bytes of all texts */
	const char *texts_refused; /* why none may be kept, or NULL */
	struct src *secrets; /* positions of Secrets, which must not be kept */
	size_t n_secrets, cap_secrets;
	size_t generated; /* names made for generateName so far */
	struct store_seen *unknown_kinds;
	struct diag_groups groups; /* of diags that objects share */
	struct store_addr *addrs; /* memory of the entries of by_addr */
	struct store_addr *by_addr;
};

/* The array of a kind. */
struct store_array {
	struct kube_meta ***items;
	size_t *n, *cap;
};
struct store_array store_array(struct store *s, enum kube_kind kind);
void store_add(struct store *s, struct kube_meta *m);
/* Adds an object that is not in the input, with its name, in an arena of its own. */
void *store_add_new(struct store *s, enum kube_kind kind, size_t size, const char *ns,
		    const char *name);
void store_sort(struct store *s, enum kube_kind kind); /* by (ns, name); stable */

/* Of the file that was added last. */
void store_keep_source_text(struct store *s, const char *data, size_t len);

/* Before sorting: the first Service of the input keeps an address. */
void store_check_conflicts(struct store *s);
void store_drop_duplicates(struct store *s, enum kube_kind kind);
void store_imply_namespaces(struct store *s);
/* "Pod ns/name"; of a pod that was made "Deployment ns/name (pod name-1)". The caller frees it. */
char *store_pod_text(const struct kube_pod *pod);

void store_note_present(struct store *s); /* sets present of workloads; the store is sorted */
void store_imply_nodes(struct store *s); /* that pods name; one if there is none */
void store_expand(struct store *s); /* makes pods; implies nodes before those of DaemonSets */
void store_warn_unexpanded(struct store *s); /* instead of store_expand() */
void store_assign_addresses(struct store *s);
void store_warn_missing(struct store *s); /* instead of store_assign_addresses() */
void store_default_families(struct store *s);
void store_note_slices(struct store *s); /* sets has_slices of Services */
void store_mirror_endpoints(struct store *s);
void store_derive_slices(struct store *s);
void store_warn_external_ips(struct store *s); /* that pods have; after store_index_addrs() */
void store_warn_unserved(struct store *s, unsigned int flags);
void store_index_addrs(struct store *s);
