// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Kinds that no server has: misspelt ones in Kubernetes' own API groups, and kinds that Weir reads
 * in a misspelt group. Any other kind is one that Weir does not read. See ineffective.h.
 */
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "kube/ineffective.h"
#include "kube/schema.h"

#define CORE "core" /* in the schema; in an object, the core group has no name */
#define GROUP_EDITS_MAX 2 /* networking.istio.io is five from networking.k8s.io */

static const char *const groups[] = { CORE, "apps", "batch", "discovery.k8s.io",
				      "networking.k8s.io" };

/* "apps" of "apps/v1", "core" of "v1". The caller frees it. */
static char *group_of(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash ? mem_strndup(api_version, slash - api_version) : mem_strdup(CORE);
}

static const struct schema_type *find_group(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(groups[i], name))
			return schema_find(name);
	return NULL;
}

/* ConfigMap of ConfigMapList. The caller frees it. */
static char *without_list(const char *kind)
{
	size_t len = strlen(kind);

	return mem_strndup(kind, len > 4 && !strcmp(kind + len - 4, "List") ? len - 4 : len);
}

/* A group that has the kind, other than without. NULL: none. */
static const char *group_that_has(const char *kind, const struct schema_type *without)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct schema_type *group = schema_find(groups[i]);

		if (group != without && schema_field(group, kind))
			return groups[i];
	}
	return NULL;
}

/* The kind that is meant, in its own group or else in another one. */
static const char *near_kind(const struct schema_type *group, const char *kind)
{
	const struct schema_field *near = schema_near(group, kind);

	for (size_t i = 0; !near && i < ARRAY_SIZE(groups); i++)
		near = schema_near(schema_find(groups[i]), kind);
	return near ? near->name : NULL;
}

static char *wrong_kind(const struct schema_type *group, const char *api_version, const char *kind)
{
	const char *other = group_that_has(kind, group);
	const char *near = other ? NULL : near_kind(group, kind);

	if (other)
		return mem_printf(
			"ignored: Kubernetes has no kind %.80s in %.80s; it has one in %s", kind,
			api_version, strcmp(other, CORE) ? other : "v1");
	return mem_printf("ignored: Kubernetes has no kind %.80s in %.80s%s%s%s", kind, api_version,
			  near ? "; did you mean " : "", near ?: "", near ? "?" : "");
}

/* A kind that Weir reads, in a group that is nearly the right one. */
static char *wrong_group(const char *api_version, const char *group, const char *kind)
{
	enum kube_kind k = kube_kind_find(kind);
	_cleanup_(mem_free) char *right = NULL;

	if (k == _KUBE_KIND_MAX || strlen(group) > NEAR_LEN_MAX)
		return NULL;
	right = group_of(kube_kind_api(k));
	if (near_distance(group, right) > GROUP_EDITS_MAX)
		return NULL;
	return mem_printf("ignored: Kubernetes has no API group %.80s; did you mean %s?", group,
			  kube_kind_api(k));
}

char *misspelt_kind(const char *api_version, const char *kind)
{
	_cleanup_(mem_free) char *group = group_of(api_version), *item = without_list(kind);
	const struct schema_type *type = find_group(group);

	if (!type || !strncmp(api_version, CORE "/", strlen(CORE "/")))
		return wrong_group(api_version, group, item);
	if (schema_field(type, item))
		return NULL;
	return wrong_kind(type, api_version, item);
}
