/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Decodes documents into objects, with the API server's checks and defaults. Fields that Weir does
 * not use are neither read nor checked. A decoder reports all errors of an object and fills in what
 * it can; an object with errors never reaches the store.
 */
#pragma once

#include "base/diag_group.h"
#include "kube/check.h"
#include "kube/field.h"
#include "kube/objects.h"

/* Receives the objects of a document. */
struct decode_sink {
	struct diag_list *diags;
	struct diag_groups *groups; /* of warnings that objects share */
	/* An object without errors; the sink owns it. */
	void (*object)(struct kube_meta *m, void *arg);
	/* A kind that Weir does not read; src of the object, kind_src of its kind. */
	void (*unknown)(const char *api_version, const char *kind, const struct src *src,
			const struct src *kind_src, void *arg);
	void *arg;
};

/* One object, or a List of objects. file must live as long as the objects. */
void decode_document(const struct doc_node *root, const char *file, const struct decode_sink *sink);

/* One per kind. root is the whole object; o->meta is filled, the rest zero. */
void decode_namespace(const struct field *root, struct kube_meta *o);
void decode_node(const struct field *root, struct kube_meta *o);
void decode_pod(const struct field *root, struct kube_meta *o);
void decode_service(const struct field *root, struct kube_meta *o);
void decode_slice(const struct field *root, struct kube_meta *o);
void decode_workload(const struct field *root, struct kube_meta *o);
void decode_policy(const struct field *root, struct kube_meta *o);
void decode_endpoints(const struct field *root, struct kube_meta *o);

/*
 * For a Pod and for the template of a workload. named: the workload sets hostname and subdomain, so
 * those given do not matter. decode_labels() also checks annotations; replaced: see
 * check_labels().
 */
void decode_pod_spec(const struct field *spec, bool named, struct kube_pod *pod);
struct kube_labels decode_labels(const struct field *metadata, const char *replaced);

/* The API server sets it, whatever was given. */
#define KUBE_NAMESPACE_LABEL "kubernetes.io/metadata.name"

/* A name that generateName stands for: at most this much of it, and then five characters. */
#define KUBE_GENERATE_MAX 58
#define KUBE_GENERATED_SAMPLE "bbbbb"
/* The first letters that Kubernetes makes such names of: no vowels, so no words. */
#define KUBE_GENERATED_LETTERS "bcdfghjklmnpqrstvwxz2456789"

void decode_meta(const struct field *root, struct kube_meta *m);
/* A LabelSelector; the plain map of a Service. Absent: an empty selector. */
struct kube_selector decode_selector(const struct field *f);
struct kube_selector decode_map_selector(const struct field *map);

/* Adds a label, or replaces its value. */
void decode_set_label(struct arena *a, struct kube_labels *labels, const char *key,
		      const char *value);
