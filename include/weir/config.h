/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one element of config[]: epochs, switches, time limits, and what gc and packets count.
 */
#pragma once

#include <weir/addr.h>

/* What an apply still owes: set before its first flip, so that a rerun after a kill pays it. */
enum weir_pending {
	WEIR_PENDING_POLICY = 1 << 0, /* an epoch */
	WEIR_PENDING_SERVICE = 1 << 1,
	WEIR_PENDING_BARRIER = 1 << 2, /* before anything is given out again */
};

enum weir_enforcement {
	WEIR_ENFORCE_ON,
	WEIR_ENFORCE_OFF, /* services still work, denials pass */
};

enum weir_echo {
	WEIR_ECHO_BY_POLICY, /* a rule without ports allows it, one with ports does not (NP-38) */
	WEIR_ECHO_ALWAYS, /* echo requests and replies pass every policy */
};

/* The one element of config[]; the first line is read by every packet. */
struct weir_config {
	__u32 policy_epoch; /* 31 bits used; raised after an apply that an open flow could feel */
	__u32 service_epoch;
	__u32 enforcement; /* enum weir_enforcement */
	__u32 pending; /* enum weir_pending; user space only */
	__u64 generation; /* counts applies; names /run/weir/plan-<generation> */
	__u32 layout_version; /* WEIR_LAYOUT_VERSION of whoever made the maps */
	/* time limits, in ticks; enum in config.h says which */
	__u32 timeout[7];
	/* gc */
	__u32 gc_slice; /* slots a tick */
	__u32 zoned_flows; /* entries under marked keys, or about to be: written by packets and gc
			    */
	__u32 gc_interval_us;
	__u32 gc_slots; /* size of gc_slots[] */
	__u32 half_open_slots; /* size of half_open[], a power of two */
	__u32 echo; /* enum weir_echo */
	__u64 gc_rounds; /* rounds completed: written by gc */
	__u64 half_open_sequence; /* next sequence number: written by packets */
	__u64 full_at; /* tick at which the connection table was last full: written by packets */
	struct weir_addr
		hairpin[2]; /* [0] IPv4, [1] IPv6: whom a pod sees that reaches itself (SVC-84) */
};
WEIR_ASSERT_SIZE(struct weir_config, 136);

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
