/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's own rules for the same work: Services as kube-proxy's nftables and iptables modes
 * write them, policies as address sets in a chain. Text for `nft -f`, `iptables-restore` and `ipset
 * restore`, in the shape of their rules.
 */
#pragma once

#include <stdio.h>

/*
 * Services 0..n-1 on 172.20.(i >> 8).(i & 255):80, with one endpoint each, 10.x.y.z:8080; that of
 * Service `target` is `server`. More endpoints lengthen the load of the rules, not a packet's path.
 */
struct peer_services {
	int n, target;
	const char *server;
};

void peer_nft(FILE *f, const struct peer_services *s);
void peer_iptables(FILE *f, const struct peer_services *s);

/* n policies on `server`: peers and a port each; the last admits `client` to TRAFFIC_PORT. */
struct peer_policies {
	int n;
	const char *server, *client;
};

void peer_ipset(FILE *sets, FILE *rules, const struct peer_policies *p);
