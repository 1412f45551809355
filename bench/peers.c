// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Rule sets of kube-proxy and of address sets. See peers.h. */
#include "peers.h"
#include "traffic.h"

#define ADDR_MAX 24

static const char *vip(int i, char *buf)
{
	snprintf(buf, ADDR_MAX, "172.20.%d.%d", i >> 8 & 255, i & 255);
	return buf;
}

static const char *endpoint(const struct peer_services *s, int i, char *buf)
{
	if (i == s->target)
		snprintf(buf, ADDR_MAX, "%s", s->server);
	else
		snprintf(buf, ADDR_MAX, "10.%d.%d.%d", 128 + (i >> 16), i >> 8 & 255, i & 255);
	return buf;
}

/* ---- nftables: one verdict map, a chain for each Service and endpoint ---- */

static void nft_maps(FILE *f, const struct peer_services *s)
{
	char a[ADDR_MAX];

	fputs("  set cluster-ips { type ipv4_addr; elements = {", f);
	for (int i = 0; i < s->n; i++)
		fprintf(f, "%s %s", i ? "," : "", vip(i, a));
	fputs(" }\n  }\n  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = {",
	      f);
	for (int i = 0; i < s->n; i++)
		fprintf(f, "%s %s . tcp . 80 : goto service-%d", i ? "," : "", vip(i, a), i);
	fputs(" }\n  }\n"
	      "  map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
	      "  map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; }\n",
	      f);
}

static void nft_chains(FILE *f, const struct peer_services *s)
{
	char a[ADDR_MAX];

	fputs("  chain mark-for-masquerade { meta mark set meta mark or 0x4000; }\n", f);
	for (int i = 0; i < s->n; i++) {
		endpoint(s, i, a);
		fprintf(f,
			"  chain endpoint-%d { ip saddr %s jump mark-for-masquerade; meta l4proto tcp dnat to %s:%d; }\n",
			i, a, a, TRAFFIC_PORT);
		fprintf(f,
			"  chain service-%d { ip daddr %s tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade;"
			" numgen random mod 1 vmap { 0 : goto endpoint-%d }; }\n",
			i, vip(i, a), i);
	}
}

void peer_nft(FILE *f, const struct peer_services *s)
{
	fputs("table ip kube-proxy {\n", f);
	/* chains first: verdicts of the map refer to them */
	nft_chains(f, s);
	nft_maps(f, s);
	fputs("  chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }\n"
	      "  chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }\n"
	      "  chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }\n"
	      "  chain cluster-ips-check { ip daddr @cluster-ips reject; }\n"
	      "  chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000;\n"
	      "    masquerade fully-random; }\n"
	      "  chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }\n"
	      "  chain filter-forward { type filter hook forward priority -110; ct state new jump "
	      "service-endpoints-check;\n"
	      "    ct state new jump cluster-ips-check; }\n"
	      "  chain nat-prerouting { type nat hook prerouting priority -100; jump services; }\n"
	      "  chain nat-output { type nat hook output priority -100; jump services; }\n"
	      "  chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }\n"
	      "}\n",
	      f);
}

/* ---- iptables: a rule for each Service, one after the other ---- */

void peer_iptables(FILE *f, const struct peer_services *s)
{
	char a[ADDR_MAX];

	fputs("*filter\n:KUBE-FORWARD - [0:0]\n-A FORWARD -j KUBE-FORWARD\n"
	      "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
	      "-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"
	      "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n",
	      f);
	for (int i = 0; i < s->n; i++)
		fprintf(f, ":KUBE-SVC-%d - [0:0]\n:KUBE-SEP-%d - [0:0]\n", i, i);
	fputs("-A PREROUTING -j KUBE-SERVICES\n-A OUTPUT -j KUBE-SERVICES\n-A POSTROUTING -j KUBE-POSTROUTING\n"
	      "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
	      "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"
	      "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n-A KUBE-POSTROUTING -j MASQUERADE --random-fully\n",
	      f);
	for (int i = 0; i < s->n; i++) {
		fprintf(f, "-A KUBE-SERVICES -d %s/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-%d\n",
			vip(i, a), i);
		fprintf(f,
			"-A KUBE-SVC-%d ! -s 10.0.0.0/8 -d %s/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ\n",
			i, a);
		fprintf(f, "-A KUBE-SVC-%d -j KUBE-SEP-%d\n", i, i);
		endpoint(s, i, a);
		fprintf(f, "-A KUBE-SEP-%d -s %s/32 -j KUBE-MARK-MASQ\n", i, a);
		fprintf(f, "-A KUBE-SEP-%d -p tcp -m tcp -j DNAT --to-destination %s:%d\n", i, a,
			TRAFFIC_PORT);
	}
	fputs("COMMIT\n", f);
}

/* ---- Policies: established first, a set and a rule for each policy, then drop ---- */

void peer_ipset(FILE *sets, FILE *rules, const struct peer_policies *p)
{
	fprintf(rules,
		"*filter\n:POD-FW - [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
		"-A FORWARD -d %s/32 -j POD-FW\n",
		p->server);
	for (int i = 0; i < p->n; i++) {
		fprintf(sets, "create policy-%d hash:ip\nadd policy-%d 10.%d.%d.1\n", i, i,
			192 + (i >> 8), i & 255);
		if (i == p->n - 1)
			fprintf(sets, "add policy-%d %s\n", i, p->client);
		fprintf(rules,
			"-A POD-FW -m set --match-set policy-%d src -p tcp -m tcp --dport %d -j ACCEPT\n",
			i, i == p->n - 1 ? TRAFFIC_PORT : 9000 + i % 1000);
	}
	fputs("-A POD-FW -j DROP\nCOMMIT\n", rules);
}
