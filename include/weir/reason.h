/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why a packet went the way it went: one list for the enum, the counter, the metric label and the
 * text that people read. Numbers are never reused; new reasons go to the end.
 *
 * WEIR_REASONS(X): X(NAME, verdict, "label", "what it means")
 *   verdict: what happens to the packet for that reason, enum weir_verdict
 */
#pragma once

enum weir_verdict {
	WEIR_PASS,
	WEIR_DROP,
	WEIR_REJECT, /* dropped, and the sender is told: RST or ICMP port unreachable (B.4) */
};

/* clang-format off */
#define WEIR_REASONS(X) \
	X(FORWARDED, PASS, "forwarded", "allowed and sent on") \
	X(NOT_IP, PASS, "not-ip", "ARP and other frames that are not IP") \
	X(NEIGHBOUR, PASS, "neighbour", "neighbour discovery, MLD or DHCP, never judged") \
	X(MULTICAST, PASS, "multicast", "multicast or broadcast, judged a packet at a time") \
	X(UNCACHED, PASS, "uncached", "allowed without an entry because the connection table is full") \
	X(NOT_ENFORCED, PASS, "not-enforced", "would have been denied, but enforcement is off") \
	X(TRUNCATED, DROP, "truncated", "the packet ends inside a header") \
	X(BAD_HEADER, DROP, "bad-header", "a header contradicts itself") \
	X(EXTENSION_HEADERS, DROP, "extension-headers", "more IPv6 extension headers than are walked") \
	X(MAPPED_ADDRESS, DROP, "mapped-address", "an IPv4-mapped IPv6 address on the wire") \
	X(FRAGMENT, DROP, "fragment", "a fragment of a message that is never sent in fragments") \
	X(ETHERTYPE, DROP, "ethertype", "an encapsulation that is not understood") \
	X(ICMP_ERROR, DROP, "icmp-error", "an ICMP error of a kind that is not passed on") \
	X(LINK_LOCAL, DROP, "link-local", "link-local unicast other than neighbour discovery") \
	X(UNKNOWN_DEVICE, DROP, "unknown-device", "no pod is recorded for this device") \
	X(GATED, DROP, "gated", "the pod is held until its policy is loaded") \
	X(SPOOFED, DROP, "spoofed", "the source address is not the sender's own") \
	X(NOT_FOR_POD, DROP, "not-for-pod", "unicast that is not addressed to this pod") \
	X(EGRESS_DENIED, DROP, "egress-denied", "no egress rule of the source allows it") \
	X(INGRESS_DENIED, DROP, "ingress-denied", "no ingress rule of the destination allows it") \
	X(NO_ENDPOINT, REJECT, "no-endpoint", "the Service has no usable endpoint") \
	X(NO_LOCAL_ENDPOINT, DROP, "no-local-endpoint", "the traffic policy is Local and none is here") \
	X(NO_SERVICE_PORT, REJECT, "no-service-port", "the cluster IP has no such port") \
	X(HAIRPIN, DROP, "hairpin", "no longer: a pod reaches itself through a Service (SVC-84)") \
	X(SCTP_SERVICE, DROP, "sctp-service", "no longer: SCTP goes through a Service like TCP") \
	X(MID_STREAM, DROP, "mid-stream", "it begins no connection, and is of none that is known") \
	X(TABLE_FULL, DROP, "table-full", "the connection table is full") \
	X(PORTS_EXHAUSTED, DROP, "ports-exhausted", "no free client port towards the backend") \
	X(RACE, DROP, "race", "lost a race for a connection twice; the sender will retry") \
	X(INTERNAL, DROP, "internal", "a table that is always there was not") \
	X(NEW, DROP, "new", "no longer: it was a step between functions") \
	X(STALE, DROP, "stale", "no longer: it was a step between functions") \
	X(ICMP_REDIRECT, DROP, "icmp-redirect", "an ICMP redirect: routes are nobody else's business") \
	X(ICMP_QUOTE, DROP, "icmp-quote", "an ICMP error whose quoted packet cannot be read") \
	X(ICMP_NO_FLOW, DROP, "icmp-no-flow", "an ICMP error about no known connection") \
	X(ICMP_FORGED, DROP, "icmp-forged", "an ICMP error that its sender had no reason to send") \
	X(FRAGMENT_FIRST, DROP, "fragment-first", "the first fragment of its packet was not seen") \
	X(FRAGMENT_TINY, DROP, "fragment-tiny", "the first fragment ends inside a header") \
	X(FRAGMENT_OVERLAP, DROP, "fragment-overlap", "a later fragment would replace a header") \
	X(FRAGMENT_SCTP, DROP, "fragment-sctp", "SCTP in fragments whose ports would have to change") \
	X(REJECT_LIMITED, DROP, "reject-limited", "no answer to say that nobody is there: too many already") \
	X(RESERVED_ADDRESS, DROP, "reserved-address", "an address that only stands for a pod which reaches itself") \
	X(MID_STREAM_ALLOWED, PASS, "mid-stream-allowed", "of no known connection, allowed whoever began it") \
	X(HOST_FLOW, PASS, "host-flow", "of a connection that the host's conntrack had before Weir") \
	X(OFF_LINK, DROP, "off-link", "neighbour discovery or MLD that comes from, or goes to, another link")
/* clang-format on */

enum weir_reason {
#define WEIR_REASON_ENUM(name, kind, label, text) WEIR_##name,
	WEIR_REASONS(WEIR_REASON_ENUM)
#undef WEIR_REASON_ENUM
		_WEIR_REASON_MAX,
};

_Static_assert(_WEIR_REASON_MAX <= 64, "reasons of one verdict fit into the bits of one word");

/* Bit n is set for each reason n of that verdict. */
static inline unsigned long long weir_reasons_of(enum weir_verdict of)
{
#define WEIR_REASON_BIT(name, verdict, label, text) \
	| (unsigned long long)(WEIR_##verdict == of) << WEIR_##name
	return 0 WEIR_REASONS(WEIR_REASON_BIT);
#undef WEIR_REASON_BIT
}

/* What happens to a packet for that reason. A number that no reason has drops it. */
static inline enum weir_verdict weir_verdict_of(unsigned int reason)
{
	if (reason >= _WEIR_REASON_MAX)
		return WEIR_DROP;
	if (weir_reasons_of(WEIR_PASS) >> reason & 1)
		return WEIR_PASS;
	return weir_reasons_of(WEIR_REJECT) >> reason & 1 ? WEIR_REJECT : WEIR_DROP;
}
