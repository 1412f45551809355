/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the readers of manifests refuse, before memory is spent on it. Crossing one is an error E002
 * with a position; nothing is ever cut short silently. Kubernetes' own limits on single fields
 * stand beside their checks.
 */
#pragma once

/* One file. A dump of 150,000 whole pods as `kubectl get -o yaml` prints them is about 1 GB. */
#define KUBE_FILE_MAX ((size_t)2 << 30)

/*
 * Nodes (mappings, lists, scalars) of one document, at 32 bytes each and their text: a List is one
 * document.
 */
#define KUBE_NODES_MAX ((size_t)48 << 20)

/*
 * Depth of nesting. Schemas inside CustomResourceDefinitions reach about 80; what Weir reads
 * reaches 14.
 */
#define KUBE_DEPTH_MAX 256

/*
 * Nodes that aliases of one document stand for, all expanded. Hand-written manifests use a few
 * hundred.
 */
#define KUBE_ALIAS_NODES_MAX ((size_t)100 * 1000)

/*
 * Keys that << copies in one document, at all depths: mappings merged into one another copy theirs
 * again.
 */
#define KUBE_MERGED_KEYS_MAX ((size_t)1000 * 1000)

/* Addresses of one Node: no machine comes near, and each is compared with all others. */
#define KUBE_NODE_ADDRS_MAX 1000

/*
 * Pods that are made for the workloads of one input: as many as Kubernetes supports in a cluster.
 */
#define KUBE_MADE_PODS_MAX ((size_t)150 * 1000)

/* Folders inside folders, so that a link to a folder above ends. */
#define KUBE_FOLDER_DEPTH_MAX 32

/*
 * Bytes of all files together that are kept beside a plan, for why. Above it none are, and load
 * says so.
 */
#define KUBE_KEPT_TEXT_MAX ((size_t)32 << 20)
