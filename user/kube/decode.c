// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * From a document to objects: finds the kind, goes through the items of a List, and passes objects
 * to the sink. Each kind is decoded in its own file. A known kind in a foreign API group is an
 * unknown kind; in another group or version of Kubernetes itself it is an error: no server has it.
 */
#include <string.h>

#include "kube/decode.h"
#include "kube/ineffective.h"

static const struct {
	size_t size;
	void (*decode)(const struct field *root, struct kube_meta *o);
} decoders[] = {
	[KUBE_NAMESPACE] = { sizeof(struct kube_namespace), decode_namespace },
	[KUBE_NODE] = { sizeof(struct kube_node), decode_node },
	[KUBE_POD] = { sizeof(struct kube_pod), decode_pod },
	[KUBE_SERVICE] = { sizeof(struct kube_service), decode_service },
	[KUBE_SLICE] = { sizeof(struct kube_slice), decode_slice },
	[KUBE_POLICY] = { sizeof(struct kube_policy), decode_policy },
	[KUBE_ENDPOINTS] = { sizeof(struct kube_endpoints), decode_endpoints },
	[KUBE_DEPLOYMENT] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_REPLICA_SET] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_STATEFUL_SET] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_DAEMON_SET] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_JOB] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_CRON_JOB] = { sizeof(struct kube_workload), decode_workload },
	[KUBE_REPLICATION_CONTROLLER] = { sizeof(struct kube_workload), decode_workload },
};

/* A group of Kubernetes itself; others may have a Service or a Job of their own. */
static bool is_own_group(const char *api_version)
{
	static const char *const groups[] = {
		"apps", "batch", "extensions", "discovery.k8s.io", "networking.k8s.io", "policy"
	};
	size_t len = strcspn(api_version, "/");

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strlen(groups[i]) == len && !strncmp(groups[i], api_version, len))
			return true;
	return !api_version[len]; /* the core group has no name */
}

static void decode_object(const struct field *root, enum kube_kind kind,
			  const struct decode_sink *sink)
{
	size_t errors = sink->diags->errors;
	struct arena arena = {};
	struct kube_meta *m = arena_zalloc(&arena, decoders[kind].size);

	root->d->arena = &arena;
	root->d->kind = kube_kind_text(kind);
	m->kind = kind;
	m->src = field_src(root);
	decode_meta(root, m);
	decoders[kind].decode(root, m);
	warn_unknown_fields(root, root->d->kind, *m->uid, sink->groups);
	if (sink->diags->errors != errors) {
		arena_free(&arena);
		return;
	}
	find_unserved_fields(root, m);
	m->arena = arena;
	sink->object(m, sink->arg);
}

/* The core group has no name; the slash may be there all the same. */
static bool is_group_version(const char *text)
{
	const char *slash = strchr(text, '/');

	return !slash || (slash[1] && !strchr(slash + 1, '/'));
}

/* As for kubectl, what has items is a list, whatever its kind. */
static bool is_list(const struct field *root, const char *kind)
{
	return !strcmp(kind, "List") || (root->node && doc_get(root->node, "items"));
}

/* Kind of a list's items: "Pod" of a PodList, "" of a List. */
static const char *item_kind(struct arena *a, const char *kind)
{
	size_t len = strlen(kind), ending = strlen("List");

	if (len >= ending && !strcmp(kind + len - ending, "List"))
		len -= ending;
	return arena_strndup(a, kind, len);
}

static void decode_any(const struct field *root, const char *api_version, const char *kind,
		       const struct decode_sink *sink);

static void decode_items(const struct field *root, const char *api_version, const char *kind,
			 const struct decode_sink *sink)
{
	struct field items = field_list(root, "items");
	bool named = *kind;

	for (size_t i = 0; i < field_count(&items); i++) {
		struct field item = field_map_item(&items, i);
		struct decode d = { .diags = sink->diags, .file = root->d->file };
		struct doc_node empty = *items.node->items[i];
		struct field whole = field_root(&d, item.node ? item.node : &empty);

		if (empty.type == DOC_NULL) /* an object without fields */
			empty = (struct doc_node){ .type = DOC_MAP,
						   .line = empty.line,
						   .col = empty.col };
		if (item.node || empty.type == DOC_MAP)
			decode_any(&whole, named ? api_version : "", kind, sink);
	}
}

/* api_version and kind: defaults from a typed list, whose items need not repeat them. */
static void decode_any(const struct field *root, const char *api_version, const char *kind,
		       const struct decode_sink *sink)
{
	_cleanup_(arena_free) struct arena scratch = {};
	struct field api_field = field_at(root, "apiVersion"), kind_field = field_at(root, "kind");
	struct src src = field_src(root), kind_src = field_src(&kind_field);
	const char *of_items;
	enum kube_kind k;

	/* what an item lacks it has from its list, if it lacks both */
	if (!field_empty(&api_field) || !field_empty(&kind_field)) {
		api_version = field_raw(&api_field, "");
		kind = field_raw(&kind_field, "");
	}
	root->d->kind = *kind ? kind : NULL;
	if (!*api_version)
		field_error(&api_field, KUBE_E_NO_KIND, "required, for example v1");
	if (!*kind)
		field_error(&kind_field, KUBE_E_NO_KIND, "required, for example NetworkPolicy");
	if (!is_group_version(api_version))
		field_error(&api_field, KUBE_E_NO_KIND, "expected group/version, found \"%.80s\"",
			    api_version);
	if (!*api_version || !*kind || !is_group_version(api_version))
		return;
	api_version += *api_version == '/'; /* the core group, whose name is empty */
	if (is_list(root, kind)) {
		of_items = item_kind(&scratch, kind);
		if (!*of_items || kube_kind_find(of_items) != _KUBE_KIND_MAX)
			warn_unknown_fields(root, "List", false, sink->groups);
		decode_items(root, api_version, of_items, sink);
		return;
	}
	k = kube_kind_find(kind);
	if (k != _KUBE_KIND_MAX && !strcmp(kube_kind_api(k), api_version))
		decode_object(root, k, sink);
	else if (k != _KUBE_KIND_MAX && is_own_group(api_version))
		field_error(&api_field, KUBE_E_NO_KIND, "expected %s for kind %s, found \"%.80s\"",
			    kube_kind_api(k), kind, field_raw(&api_field, api_version));
	else
		sink->unknown(api_version, kind, &src, &kind_src, sink->arg);
}

void decode_document(const struct doc_node *root, const char *file, const struct decode_sink *sink)
{
	struct decode d = { .diags = sink->diags, .file = file };
	struct field whole = field_root(&d, root);

	if (root->type == DOC_MAP)
		decode_any(&whole, "", "", sink);
	else
		field_error(&whole, KUBE_E_TYPE,
			    "expected an object with apiVersion and kind, found %s",
			    field_found(&whole));
}
