/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Objects out of documents, checked strictly and defaulted as the API server would (semantics A.2
 * to A.5). Fields that Weir has no use for are neither read nor checked. A decoder reports
 * everything that is wrong and fills in what it can; an object with errors never reaches the store.
 */
#pragma once

#include "kube/check.h"
#include "kube/field.h"
#include "kube/objects.h"

/* Who receives what a document holds. */
struct decode_sink {
	struct diag_list *diags;
	/* A whole object, which now belongs to the sink. */
	void (*object)(struct kube_meta *m, void *arg);
	/* A kind that Weir does not read. */
	void (*unknown)(const char *api_version, const char *kind, const struct src *src,
			void *arg);
	void *arg;
};

/* One object, or a List of them. file must live as long as the objects. */
void decode_document(const struct doc_node *root, const char *file, const struct decode_sink *sink);

/* By kind: root is the whole object, o zeroed but for its meta. */
void decode_namespace(const struct field *root, struct kube_meta *o);
void decode_node(const struct field *root, struct kube_meta *o);
void decode_pod(const struct field *root, struct kube_meta *o);
void decode_service(const struct field *root, struct kube_meta *o);
void decode_slice(const struct field *root, struct kube_meta *o);
void decode_workload(const struct field *root, struct kube_meta *o);
void decode_policy(const struct field *root, struct kube_meta *o);

/*
 * What a Pod and the template of a workload have in common: labels and annotations of the metadata,
 * and the spec.
 */
void decode_pod_spec(const struct field *spec, struct kube_pod *pod);
struct kube_labels decode_labels(const struct field *metadata);

void decode_meta(const struct field *root, struct kube_meta *m);
/* A LabelSelector, and the plain map of a Service. Absent: empty. */
struct kube_selector decode_selector(const struct field *f);
struct kube_selector decode_map_selector(const struct field *map);

/* Adds a label, or replaces its value. */
void decode_set_label(struct arena *a, struct kube_labels *labels, const char *key,
		      const char *value);
