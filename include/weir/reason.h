/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why a packet was passed or dropped: one list for the enum, the counters, the metric labels and
 * the text that people read. Numbers are never reused; new reasons go to the end.
 *
 * WEIR_REASONS(X): X(NAME, verdict, "label", "what it means")
 *   verdict: what happens to the packet, enum weir_verdict
 */
#pragma once

enum weir_verdict {
	WEIR_PASS,
	WEIR_DROP,
	WEIR_REJECT, /* dropped and answered with a RST or ICMP port unreachable (SVC-60) */
};

/* clang-format off */
#define WEIR_REASONS(X) \
	X(FORWARDED, PASS, "forwarded", "allowed and sent on") \
	X(NOT_IP, PASS, "not-ip", "ARP and other frames that are not IP") \
	X(NEIGHBOUR, PASS, "neighbour", "neighbour discovery, MLD or DHCP: no policy applies") \
	X(MULTICAST, PASS, "multicast", "multicast or broadcast: policies are checked for each packet") \
	X(UNCACHED, PASS, "uncached", "allowed without an entry: the connection table is full") \
	X(NOT_ENFORCED, PASS, "not-enforced", "would be denied, but enforcement is off") \
	X(TRUNCATED, DROP, "truncated", "the packet ends inside a header") \
	X(BAD_HEADER, DROP, "bad-header", "a header contradicts itself") \
	X(EXTENSION_HEADERS, DROP, "extension-headers", "more IPv6 extension headers than Weir parses") \
	X(MAPPED_ADDRESS, DROP, "mapped-address", "an IPv4-mapped IPv6 address on the wire") \
	X(FRAGMENT, DROP, "fragment", "a fragment of a message that is never fragmented") \
	X(ETHERTYPE, DROP, "ethertype", "an encapsulation that Weir does not parse") \
	X(ICMP_ERROR, DROP, "icmp-error", "an ICMP error of a kind that is not passed on") \
	X(LINK_LOCAL, DROP, "link-local", "link-local unicast other than neighbour discovery") \
	X(UNKNOWN_DEVICE, DROP, "unknown-device", "no pod is recorded for this device") \
	X(GATED, DROP, "gated", "the pod is held until its policies are loaded") \
	X(SPOOFED, DROP, "spoofed", "the source address is not the sender's own") \
	X(NOT_FOR_POD, DROP, "not-for-pod", "unicast that is not addressed to this pod") \
	X(EGRESS_DENIED, DROP, "egress-denied", "no egress rule of the source allows it") \
	X(INGRESS_DENIED, DROP, "ingress-denied", "no ingress rule of the destination allows it") \
	X(NO_ENDPOINT, REJECT, "no-endpoint", "the Service has no usable endpoint") \
	X(NO_LOCAL_ENDPOINT, DROP, "no-local-endpoint", "the traffic policy is Local and none is here") \
	X(NO_SERVICE_PORT, REJECT, "no-service-port", "the cluster IP has no such port") \
	X(HAIRPIN, DROP, "hairpin", "no longer used: a pod reaches itself through a Service (SVC-84)") \
	X(SCTP_SERVICE, DROP, "sctp-service", "no longer used: SCTP goes through a Service like TCP") \
	X(MID_STREAM, DROP, "mid-stream", "no SYN, and of no known connection") \
	X(TABLE_FULL, DROP, "table-full", "the connection table is full") \
	X(PORTS_EXHAUSTED, DROP, "ports-exhausted", "no free client port towards the backend") \
	X(RACE, DROP, "race", "two CPUs raced for this connection; the sender retries") \
	X(INTERNAL, DROP, "internal", "a map lookup failed that never should: a bug in Weir") \
	X(NEW, DROP, "new", "no longer used: a step between functions") \
	X(STALE, DROP, "stale", "no longer used: a step between functions") \
	X(ICMP_REDIRECT, DROP, "icmp-redirect", "an ICMP redirect: pods do not accept routes from the network") \
	X(ICMP_QUOTE, DROP, "icmp-quote", "an ICMP error whose quoted packet cannot be read") \
	X(ICMP_NO_FLOW, DROP, "icmp-no-flow", "an ICMP error about no known connection") \
	X(ICMP_FORGED, DROP, "icmp-forged", "an ICMP error that does not fit the connection it quotes") \
	X(FRAGMENT_FIRST, DROP, "fragment-first", "a later fragment whose first fragment was not seen") \
	X(FRAGMENT_TINY, DROP, "fragment-tiny", "the first fragment ends inside a header") \
	X(FRAGMENT_OVERLAP, DROP, "fragment-overlap", "a later fragment overlaps a header") \
	X(FRAGMENT_SCTP, DROP, "fragment-sctp", "fragmented SCTP whose ports would have to change") \
	X(REJECT_LIMITED, DROP, "reject-limited", "reject reply suppressed by the rate limit") \
	X(RESERVED_ADDRESS, DROP, "reserved-address", "an address reserved for pods that reach themselves") \
	X(MID_STREAM_ALLOWED, PASS, "mid-stream-allowed", "of no known connection, allowed in both directions") \
	X(HOST_FLOW, PASS, "host-flow", "of a connection that the host's conntrack knew before Weir") \
	X(OFF_LINK, DROP, "off-link", "neighbour discovery or MLD from or to another link") \
	X(OVER_SHARE, DROP, "over-share", "the pod holds its share of the connection table") \
	X(SPOOFED_MAC, DROP, "spoofed-mac", "the frame's source MAC address is not the pod's own") \
	X(SPOOFED_ARP, DROP, "spoofed-arp", "an ARP message whose sender is not the pod itself") \
	X(SPOOFED_NEIGHBOUR, DROP, "spoofed-neighbour", "neighbour discovery or MLD in the name of another address or MAC") \
	X(ROUTER_MESSAGE, DROP, "router-message", "a router's message from a pod: router advertisement, redirect, MLD query") \
	X(DHCP_SERVER, DROP, "dhcp-server", "a DHCP server's message from a pod") \
	X(TUNNEL, DROP, "tunnel", "a tunnel from a pod: protocol 4, 41, 47, or an overlay port of the node") \
	X(MARTIAN, DROP, "martian", "a loopback address, or one of 0.0.0.0/8, 240.0.0.0/4 or ::, on the wire") \
	X(SOURCE_ROUTE, DROP, "source-route", "an IPv4 source route, or an IPv6 routing header with segments left") \
	X(POLICY_CLOSED, DROP, "policy-closed", "a policy of the pod does not fit the tables: nothing passes in its direction") \
	X(SOURCE_RANGE, DROP, "source-range", "a load balancer address; no source range of the Service holds the client") \
	X(SOCKET, PASS, "socket", "a process of this node was given a backend: its connect, or a datagram of an unconnected socket") \
	X(NO_ROUTE, DROP, "no-route", "no route by an uplink, or no address there, for a client or backend elsewhere") \
	X(TOO_BIG, DROP, "too-big", "larger than the path carries; answered with an ICMP error") \
	X(HOPS_EXCEEDED, DROP, "hops-exceeded", "its hop limit ends here; answered with an ICMP error")
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

/* The verdict of a reason. Unknown numbers drop. */
static inline enum weir_verdict weir_verdict_of(unsigned int reason)
{
	if (reason >= _WEIR_REASON_MAX)
		return WEIR_DROP;
	if (weir_reasons_of(WEIR_PASS) >> reason & 1)
		return WEIR_PASS;
	return weir_reasons_of(WEIR_REJECT) >> reason & 1 ? WEIR_REJECT : WEIR_DROP;
}
