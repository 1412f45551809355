/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one element of config[]: epochs, switches, time limits, and what gc and packets count. */
#pragma once

#include <weir/addr.h>

/*
 * Work that an apply has yet to do: set before its first flip, so that the next apply does it after
 * a kill.
 */
enum weir_pending {
	WEIR_PENDING_POLICY = 1 << 0, /* raise policy_epoch */
	WEIR_PENDING_SERVICE = 1 << 1,
	WEIR_PENDING_BARRIER = 1 << 2, /* wait for running programs before ids are reused */
};

enum weir_enforcement {
	WEIR_ENFORCE_ON,
	WEIR_ENFORCE_OFF, /* Services work, denied packets pass */
};

enum weir_echo {
	/* a rule without ports allows echo, a rule with ports does not (NP-38) */
	WEIR_ECHO_BY_POLICY,
	WEIR_ECHO_ALWAYS, /* echo requests and replies pass every policy */
};

#define WEIR_OVERLAY_WORDS (65536 / 64)

/* The one element of config[]. Every packet reads the first cache line. */
struct weir_config {
	/* 31 bits used; raised after an apply that may change the verdict of an open flow */
	__u32 policy_epoch;
	__u32 service_epoch;
	__u32 enforcement; /* enum weir_enforcement */
	__u32 pending; /* enum weir_pending; user space only */
	__u64 generation; /* counts applies; names /run/weir/plan-<generation> */
	/*
	 * WEIR_LAYOUT_VERSION of the program that made the maps. Its offset never changes, and
	 * those of enforcement and generation: a rebuild reads them whatever the layout.
	 */
	__u32 layout_version;
	/* time limits, ticks, by enum weir_timeout */
	__u32 timeout[7];
	/* gc */
	__u32 gc_slice; /* slots a tick */
	/* entries with keys in zone 1, counted before insert: written by packets and gc */
	__u32 zoned_flows;
	__u32 gc_interval_us;
	__u32 gc_slots; /* size of gc_slots[] */
	__u32 flow_share, half_open_share; /* of a bucket of pods, where all hold more than half */
	__u32 half_open_max;
	__u32 echo; /* enum weir_echo */
	__u32 entries; /* gc slots in use: written by packets and gc */
	__u32 half_open; /* of them, of half-open flows */
	__u64 gc_rounds; /* rounds completed: written by gc */
	__u64 flow_sequence; /* next weir_flow.sequence: written by packets */
	__u64 full_at; /* tick at which conntrack was last full: written by packets */
	/* the kernel's name of the node's network namespace: only its sockets are served; 0: none
	 */
	__u64 netns_cookie;
	/* [0] IPv4, [1] IPv6: peer address of a pod that reaches itself (SVC-84) */
	struct weir_addr hairpin[2];
	/*
	 * UDP ports at which the node ends tunnels (VXLAN, Geneve, WireGuard, …): bit port % 64 of
	 * word port / 64
	 */
	__u64 overlay_ports[WEIR_OVERLAY_WORDS];
};
WEIR_ASSERT_SIZE(struct weir_config, 160 + WEIR_OVERLAY_WORDS * 8);

static __always_inline int weir_is_overlay_port(const struct weir_config *c, __u16 port)
{
	return c->overlay_ports[port / 64] >> (port % 64) & 1;
}

enum weir_timeout {
	WEIR_TIMEOUT_TCP_OPENING,
	WEIR_TIMEOUT_TCP_OPEN,
	WEIR_TIMEOUT_TCP_CLOSING,
	WEIR_TIMEOUT_UDP_ONE_WAY,
	WEIR_TIMEOUT_UDP_ANSWERED,
	WEIR_TIMEOUT_ECHO,
	WEIR_TIMEOUT_OTHER, /* any other protocol */
	_WEIR_TIMEOUT_MAX,
};
