// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <linux/pkt_cls.h>
#include "maps.bpf.h"
SEC("tc") int from_pod(struct __sk_buff *skb) { return TC_ACT_UNSPEC; }
SEC("tc") int to_pod(struct __sk_buff *skb) { return TC_ACT_UNSPEC; }
char LICENSE[] SEC("license") = "Dual BSD/GPL";
