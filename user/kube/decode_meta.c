// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* metadata: the same for all kinds, except for the rules of names and namespaces. */
#include <ctype.h>
#include <string.h>

#include "kube/decode.h"

#define ANNOTATIONS_MAX (256 << 10) /* the API's limit */

static const struct {
	bool namespaced;
	bool (*valid)(const char *name);
	const char *rule;
} rules[_KUBE_KIND_MAX] = {
	[KUBE_NAMESPACE] = { false, check_dns_label, "at most 63 of a-z, 0-9 and -" },
	[KUBE_NODE] = { false, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_POD] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_SERVICE] = { true, check_dns_label, "at most 63 of a-z, 0-9 and -" },
	[KUBE_SLICE] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_POLICY] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_ENDPOINTS] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_DEPLOYMENT] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_REPLICA_SET] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_STATEFUL_SET] = { true, check_dns_label, "at most 63 of a-z, 0-9 and -" },
	[KUBE_DAEMON_SET] = { true, check_dns_name, "at most 253 of a-z, 0-9, - and ." },
	[KUBE_JOB] = { true, check_job_name, "at most 63 of a-z, 0-9, - and ." },
	[KUBE_CRON_JOB] = { true, check_cron_job_name, "at most 52 of a-z, 0-9, - and ." },
	[KUBE_REPLICATION_CONTROLLER] = { true, check_dns_name,
					  "at most 253 of a-z, 0-9, - and ." },
};

static bool check_name(const struct field *name, const struct kube_meta *m, bool valid)
{
	if (!valid)
		field_error(name, KUBE_E_NAME,
			    "\"%.80s\" is not a valid name: %s, a letter or digit at both ends",
			    field_raw(name, ""), rules[m->kind].rule);
	return valid;
}

/* A hyphen may end it, except alone. How long the name of a Job is counts with the ending only. */
static bool may_begin_dns_name(const char *text, enum kube_kind kind)
{
	_cleanup_(mem_free) char *start = mem_strdup(text);
	size_t len = strlen(text);

	if (len > 1 && text[len - 1] == '-')
		strcpy(start + len - 2, "a");
	return kind == KUBE_JOB || kind == KUBE_CRON_JOB ? check_dns_name(start)
							 : rules[kind].valid(start);
}

static bool may_begin_name(const char *text, enum kube_kind kind)
{
	/* of a ReplicationController the name that is made of it is checked, if one is made */
	if (kind == KUBE_REPLICATION_CONTROLLER)
		return !strpbrk(text, "/%");
	return may_begin_dns_name(text, kind);
}

/* The API server appends five characters to generateName; here the store does. */
static void decode_generate_name(const struct field *metadata, struct kube_meta *m)
{
	struct field generate = field_at(metadata, "generateName");
	const char *text = field_text(&generate, "");
	size_t len = strlen(text);

	if (!len || !check_name(&generate, m, may_begin_name(text, m->kind)))
		return;
	if (*m->name)
		return;
	m->generate = arena_strndup(metadata->d->arena, text,
				    len < KUBE_GENERATE_MAX ? len : KUBE_GENERATE_MAX);
	m->name = arena_printf(metadata->d->arena, "%s%s", m->generate, KUBE_GENERATED_SAMPLE);
	check_name(&generate, m, rules[m->kind].valid(m->name));
}

static void decode_names(const struct field *metadata, struct kube_meta *m)
{
	struct field name = field_at(metadata, "name"), ns = field_at(metadata, "namespace");
	bool namespaced = rules[m->kind].namespaced;

	m->name = field_text(&name, "");
	m->ns = field_text(&ns, "");
	if (!namespaced)
		m->ns = ""; /* as the API server does (PARSE-10) */
	else if (!*m->ns)
		m->ns = "default";
	metadata->d->ns = m->ns;
	metadata->d->name = *m->name ? m->name : field_raw_at(metadata, "generateName", "");
	if (*m->name)
		check_name(&name, m, rules[m->kind].valid(m->name));
	decode_generate_name(metadata, m);
	if (!*m->name && !*metadata->d->name)
		field_error(&name, KUBE_E_NAME, "required");
	if (namespaced && !check_dns_label(m->ns))
		field_error(&ns, KUBE_E_NAME,
			    "\"%.80s\" is not a valid namespace: at most 63 of a-z, 0-9 and -",
			    m->ns);
}

/* Capital letters are in order in the prefix too. */
static bool is_annotation_key(const char *text)
{
	_cleanup_(mem_free) char *lower = mem_strdup(text);

	for (char *p = lower; *p; p++)
		*p = tolower((unsigned char)*p);
	return check_label_key(lower);
}

/* Annotations are not kept. A value that is not a string is a common mistake: an error. */
static void check_annotations(const struct field *annotations)
{
	size_t size = 0;

	for (size_t i = 0; i < field_count(annotations); i++) {
		struct field f = field_pair(annotations, i);

		size += strlen(f.key) + strlen(field_raw(&f, ""));
		if (!is_annotation_key(f.key))
			field_error(&f, KUBE_E_LABEL,
				    "\"%.80s\" is not a key: " CHECK_LABEL_KEY_TEXT, f.key);
	}
	if (size > ANNOTATIONS_MAX)
		field_error(annotations, KUBE_E_TOO_MANY,
			    "expected at most %d bytes of annotations, found %zu", ANNOTATIONS_MAX,
			    size);
}

struct kube_labels decode_labels(const struct field *metadata, const char *replaced)
{
	struct field labels = field_map(metadata, "labels"),
		     annotations = field_map(metadata, "annotations");

	check_annotations(&annotations);
	return check_labels(&labels, replaced);
}

/* The reference with controller: true, if it is a workload; there is at most one. */
static struct kube_owner decode_owner(const struct field *metadata)
{
	struct field references = field_list(metadata, "ownerReferences");
	struct kube_owner owner = {};

	for (size_t i = 0; i < field_count(&references) && !owner.name; i++) {
		struct field item = field_map_item(&references, i);
		enum kube_kind kind = kube_workload_kind(field_raw_at(&item, "apiVersion", ""),
							 field_raw_at(&item, "kind", ""));

		if (field_flag_at(&item, "controller", false) && kind != _KUBE_KIND_MAX)
			owner = (struct kube_owner){ kind, field_text_at(&item, "name", NULL) };
	}
	return owner;
}

void decode_meta(const struct field *root, struct kube_meta *m)
{
	struct field metadata = field_map(root, "metadata");
	struct field created = field_at(&metadata, "creationTimestamp");
	struct field deleted = field_at(&metadata, "deletionTimestamp");
	bool named_namespace;

	decode_names(&metadata, m);
	named_namespace = m->kind == KUBE_NAMESPACE && !m->generate;
	m->uid = field_text_at(&metadata, "uid", "");
	m->labels = decode_labels(&metadata, named_namespace ? KUBE_NAMESPACE_LABEL : NULL);
	m->owner = decode_owner(&metadata);
	m->created = field_time(&created);
	m->deleting = field_given(&deleted);
	field_time(&deleted);
}

void decode_set_label(struct arena *a, struct kube_labels *labels, const char *key,
		      const char *value)
{
	struct kube_label *items = arena_zalloc(a, (labels->n + 1) * sizeof(*items));
	size_t n = 0, i = 0;

	for (; i < labels->n && strcmp(labels->items[i].key, key) < 0; i++)
		items[n++] = labels->items[i];
	items[n++] = (struct kube_label){ key, value };
	for (; i < labels->n; i++)
		if (strcmp(labels->items[i].key, key))
			items[n++] = labels->items[i];
	labels->items = items;
	labels->n = n;
}
