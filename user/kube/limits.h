/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Limits on manifests, enforced before memory is allocated. Above one the input is refused, inside
 * a file as E002 with a position; nothing is cut silently. Kubernetes' own limits on single fields
 * are beside their checks.
 */
#pragma once

/* One file. A dump of 150,000 whole pods as `kubectl get -o yaml` prints them is about 1 GB. */
#define KUBE_FILE_MAX ((size_t)2 << 30)

/*
 * Nodes (mappings, lists, scalars) of one document: each takes 32 bytes and its text. A List is one
 * document.
 */
#define KUBE_NODES_MAX ((size_t)48 << 20)

/* Documents of one file that cannot be read: the first ones are reported. */
#define KUBE_FILE_ERRORS_MAX 100

/* Depth of nesting. Schemas in CustomResourceDefinitions reach about 80, fields for Weir 14. */
#define KUBE_DEPTH_MAX 256

/* Nodes that the aliases of one document expand to. Hand-written manifests use a few hundred. */
#define KUBE_ALIAS_NODES_MAX ((size_t)100 * 1000)

/*
 * Bytes of one document that are read again, all of it once for each string with escaped
 * apostrophes.
 */
#define KUBE_READ_AGAIN_MAX ((size_t)64 << 20)

/*
 * Keys that << copies in one document: a merged mapping that is merged again copies its keys again.
 */
#define KUBE_MERGED_KEYS_MAX ((size_t)1000 * 1000)

/* Addresses of one Node: each is compared with all others. */
#define KUBE_NODE_ADDRS_MAX 1000

/* Taints of one Node: each is compared with all others. */
#define KUBE_TAINTS_MAX 1000

/* Pods made for the workloads of one input: as many as Kubernetes supports in a cluster. */
#define KUBE_MADE_PODS_MAX ((size_t)150 * 1000)

/* Folders inside folders: ends a loop of links. */
#define KUBE_FOLDER_DEPTH_MAX 32

/*
 * Bytes of all files together, kept beside a plan for `why`. Above it none is kept; load says so.
 */
#define KUBE_KEPT_TEXT_MAX ((size_t)32 << 20)
