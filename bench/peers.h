/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What others do for the same work on the same kernel: Services as kube-proxy's nftables and
 * iptables modes write them, policies as address sets in a chain. Written from the shapes of their
 * rules, as text for `nft -f`, `iptables-restore` and `ipset restore`; packets of their own are not
 * known here.
 */
#pragma once

#include <stdio.h>

/*
 * Services 0..n-1 on 172.20.(i >> 8).(i & 255):80, one endpoint each (what more of them cost is the
 * load of the rules, not a packet's way): 10.x.y.z:8080, of Service `target` the address `server`.
 */
struct peer_services {
	int n, target;
	const char *server;
};

void peer_nft(FILE *f, const struct peer_services *s);
void peer_iptables(FILE *f, const struct peer_services *s);

/*
 * n policies on `server`, each a set of peers and a port; the last one has `client` and the port
 * that is asked.
 */
struct peer_policies {
	int n;
	const char *server, *client;
};

void peer_ipset(FILE *sets, FILE *rules, const struct peer_policies *p);
