/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Local pods: by reference and by address. */
#pragma once

#include "maps.bpf.h"

/* The pod that a ref names, or NULL if the slot has another attachment now. */
static __always_inline struct weir_pod *pod_by_ref(__u32 ref)
{
	__u32 slot = weir_ref_slot(ref);
	struct weir_pod *pod;

	if (!ref)
		return NULL;
	pod = bpf_map_lookup_elem(&pods, &slot);
	return pod && READ_WORD(pod->ref) == ref ? pod : NULL;
}

/* ifindex of the bridge or VRF of a pod's device when it was recorded, or 0. */
__noinline int device_master(__u32 ifindex)
{
	struct weir_attachment *a = bpf_map_lookup_elem(&attachments, &ifindex);

	return a ? a->master : 0;
}

/*
 * May a packet that this pod sent come from the stack as one of that device? It enters the stack by
 * the pod's device, or by the bridge or VRF that the device belongs to. All senders behind that one
 * are pods, whose sources are proven at their own devices, or hosts of that link.
 */
static __always_inline int pod_is_behind(const struct weir_pod *pod, __u32 device)
{
	return pod->ifindex == device || (device && device == (__u32)device_master(pod->ifindex));
}

/* ref of the local pod with this address, or 0. */
static __always_inline __u32 pod_ref_by_addr(const struct weir_addr *addr)
{
	__u32 *slot = bpf_map_lookup_elem(&endpoints, addr);
	struct weir_pod *pod;

	if (!slot)
		return 0;
	pod = bpf_map_lookup_elem(&pods, slot);
	return pod ? READ_WORD(pod->ref) : 0;
}
