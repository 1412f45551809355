// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Names of kinds, and their API versions. */
#include <string.h>

#include "base/mem.h"
#include "kube/objects.h"

static const struct {
	const char *text, *api;
} kinds[_KUBE_KIND_MAX] = {
	[KUBE_NAMESPACE] = { "Namespace", "v1" },
	[KUBE_NODE] = { "Node", "v1" },
	[KUBE_POD] = { "Pod", "v1" },
	[KUBE_SERVICE] = { "Service", "v1" },
	[KUBE_SLICE] = { "EndpointSlice", "discovery.k8s.io/v1" },
	[KUBE_POLICY] = { "NetworkPolicy", "networking.k8s.io/v1" },
	[KUBE_ENDPOINTS] = { "Endpoints", "v1" },
	[KUBE_DEPLOYMENT] = { "Deployment", "apps/v1" },
	[KUBE_REPLICA_SET] = { "ReplicaSet", "apps/v1" },
	[KUBE_STATEFUL_SET] = { "StatefulSet", "apps/v1" },
	[KUBE_DAEMON_SET] = { "DaemonSet", "apps/v1" },
	[KUBE_JOB] = { "Job", "batch/v1" },
	[KUBE_CRON_JOB] = { "CronJob", "batch/v1" },
	[KUBE_REPLICATION_CONTROLLER] = { "ReplicationController", "v1" },
};

const char *kube_kind_text(enum kube_kind kind)
{
	return kinds[kind].text;
}

const char *kube_kind_api(enum kube_kind kind)
{
	return kinds[kind].api;
}

enum kube_kind kube_kind_find(const char *kind)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && strcmp(kind, kinds[i].text))
		i++;
	return i;
}

enum kube_kind kube_workload_kind(const char *api_version, const char *kind)
{
	size_t group = strcspn(api_version, "/");

	for (size_t i = KUBE_WORKLOAD_FIRST; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kind, kinds[i].text) && strcspn(kinds[i].api, "/") == group &&
		    !strncmp(api_version, kinds[i].api, group))
			return i;
	return _KUBE_KIND_MAX;
}
