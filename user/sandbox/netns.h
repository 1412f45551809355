/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Named network namespaces, as `ip netns` keeps them: a namespace mounted on a file under
 * /run/netns. Entering one changes only the network namespace: bpffs and /run stay visible.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/netns.h"

/* A new namespace: loopback up, no duplicate address detection. Returns its fd or -errno. */
int netns_create(const char *name, struct weir_err *err);
int netns_open(const char *name, struct weir_err *err); /* fd or -errno */
int netns_delete(const char *name, struct weir_err *err); /* 0 also if there is none */
bool netns_exists(const char *name);

/* Writes /proc/sys/net/<key> of the calling thread's namespace. */
int netns_sysctl(const char *key, const char *value, struct weir_err *err);

/* Calls fn for each name that begins with prefix, until fn returns non-zero; returns that. */
int netns_each(const char *prefix, int (*fn)(const char *name, void *arg), void *arg);
