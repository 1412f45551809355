// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The two programs at every uplink: clients outside of the cluster reach Services by them. A packet
 * that belongs to no frontend and to no translated connection passes untouched (SVC-63, SVC-81).
 */
#include "forward.bpf.h"

/* Every packet that comes in by an uplink. */
SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

/* Every packet that leaves by an uplink. */
SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
