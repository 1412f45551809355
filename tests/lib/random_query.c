/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random questions about a cluster: ends, ports in and around the declared ones, protocols.
 */
#include <netinet/in.h>
#include <string.h>

#include "lib/random_internal.h"
#include "reference/reference.h"

#define END_TRIES 8 /* for an end that is a pod of this node, and of the right family */

static bool is_pod_of(const struct store *s, const struct weir_addr *addr, const char *node)
{
	const struct kube_pod *pod = reference_pod(s, addr);

	return pod && !strcmp(pod->node, node);
}

static bool pod_address(struct random *r, const struct store *s, struct weir_addr *ret_addr)
{
	const struct kube_pod *pod;

	if (!s->n_pods)
		return false;
	pod = s->pods[random_below(r, s->n_pods)];
	*ret_addr = pod->addr[random_below(r, 2)];
	return !weir_addr_is_zero(ret_addr);
}

static bool node_address(struct random *r, const struct store *s, struct weir_addr *ret_addr)
{
	const struct kube_node *node;

	if (!s->n_nodes)
		return false;
	node = s->nodes[random_below(r, s->n_nodes)];
	if (!node->n_addrs)
		return false;
	*ret_addr = node->addrs[random_below(r, node->n_addrs)];
	return true;
}

/* At the edges of what is never on a wire. */
static struct weir_addr unusual_address(struct random *r)
{
	static const char *const texts[] = {
		"127.0.0.1", "127.255.255.255", "126.255.255.255", "128.0.0.0", "0.0.0.1",
		"1.0.0.0",   "240.0.0.0",       "255.255.255.254", "::1",       "::2",
		"1::1"
	};
	struct weir_addr a;

	addr_parse(texts[random_below(r, 11)], &a);
	return a;
}

static struct weir_addr outside_address(struct random *r)
{
	unsigned int host = random_below(r, 12);

	if (random_percent(r, 8))
		return unusual_address(r);
	switch (random_below(r, 6)) {
	case 0:
		return address_v4(203, 0, 113, host);
	case 1:
		return address_v4(10, 0, random_below(r, 3), random_below(r, 256));
	case 2:
		return address_v4(192, 168, 7, host);
	case 3:
		return address_v6(0x10, random_below(r, 3), host);
	case 4:
		return address_v6(0xffff, 0, host);
	}
	return address_v4(8, 8, 8, 8);
}

static struct weir_addr any_address(struct random *r, const struct store *s)
{
	unsigned int kind = random_below(r, 100);
	struct weir_addr a;

	if (kind < 70 && pod_address(r, s, &a))
		return a;
	if (kind < 85 && node_address(r, s, &a))
		return a;
	return outside_address(r);
}

static uint8_t random_proto(struct random *r, bool v6)
{
	static const uint8_t tunnels[] = { IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_ESP };
	unsigned int kind = random_below(r, 100);

	if (kind < 55)
		return IPPROTO_TCP;
	if (kind < 82)
		return IPPROTO_UDP;
	if (kind < 90)
		return IPPROTO_SCTP;
	if (kind < 92)
		return tunnels[random_below(r, 4)];
	return v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

uint16_t random_any_port(struct random *r)
{
	static const uint16_t edges[] = { 1, 65535, 8100, 8099, 30000, 68, 546, 67 };

	if (random_percent(r, 75))
		return random_port(r) + (random_percent(r, 20) ? random_between(r, 0, 2) - 1 : 0);
	return edges[random_below(r, 8)];
}

static bool one_of(struct random *r, const struct weir_addr *list, size_t n,
		   struct weir_addr *ret_addr)
{
	if (n)
		*ret_addr = list[random_below(r, n)];
	return n;
}

/* An address at which a Service may have a frontend of its own. */
static bool service_address(struct random *r, const struct kube_service *svc, int family,
			    struct weir_addr *ret_addr)
{
	unsigned int kind = random_below(r, 4);

	if (kind == 0 && one_of(r, svc->external_ips, svc->n_external_ips, ret_addr))
		return true;
	if (kind <= 1 && one_of(r, svc->vips, svc->n_vips, ret_addr))
		return true;
	*ret_addr = svc->cluster_ip[family];
	return !weir_addr_is_zero(ret_addr);
}

/* A frontend of the source's family, mostly with a port of the Service. */
static bool ask_service(struct random *r, const struct store *s, struct oracle_query *q)
{
	const struct kube_service *svc;
	const struct kube_service_port *port;
	bool node = random_percent(r, 25);

	if (!s->n_services)
		return false;
	svc = s->services[random_below(r, s->n_services)];
	if (!(node ? node_address(r, s, &q->dst)
		   : service_address(r, svc, addr_family(&q->src), &q->dst)) ||
	    addr_family(&q->src) != addr_family(&q->dst))
		return false;
	if (!svc->n_ports || random_percent(r, 10))
		return true;
	port = &svc->ports[random_below(r, svc->n_ports)];
	q->port = node ? port->node_port : port->port;
	if (random_percent(r, 95))
		q->proto = port->proto;
	return true;
}

static bool is_cluster_ip(const struct store *s, const struct weir_addr *addr)
{
	for (size_t i = 0; i < s->n_services; i++)
		for (int family = 0; family < 2; family++)
			if (weir_addr_equal(&s->services[i]->cluster_ip[family], addr))
				return true;
	return false;
}

bool random_query(struct random *r, const struct store *s, const char *node,
		  struct oracle_query *ret_query)
{
	struct oracle_query q = {};
	bool local = false, found = false;

	for (int i = 0; i < END_TRIES && !local; i++) {
		q.src = any_address(r, s);
		local = is_pod_of(s, &q.src, node) || random_percent(r, 10);
	}
	local = is_pod_of(s, &q.src, node);
	q.proto = random_proto(r, !weir_addr_is_v4(&q.src));
	q.port = random_any_port(r);
	if (local && random_percent(r, 40))
		found = ask_service(r, s, &q);
	for (int i = 0; i < END_TRIES * 4 && !found; i++) {
		q.dst = any_address(r, s);
		found = addr_family(&q.dst) == addr_family(&q.src) && !is_cluster_ip(s, &q.dst) &&
			(local || is_pod_of(s, &q.dst, node));
	}
	if (q.proto != IPPROTO_TCP && q.proto != IPPROTO_UDP && q.proto != IPPROTO_SCTP)
		q.port = 0;
	q.host_origin = !local && reference_is_node_addr(s, node, &q.src) && random_percent(r, 60);
	*ret_query = q;
	return found;
}

static void print_node_ports(const struct plan_node_ports *p, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	if (p && p->primary)
		fputs("node ports at primary addresses\n", out);
	for (size_t i = 0; p && i < p->n_blocks; i++)
		fprintf(out, "node ports at %s\n", cidr_text(&p->blocks[i], text));
}

void random_query_print(const struct oracle_query *q, FILE *out)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	fprintf(out, "%s -> %s port %u protocol %u pick %u%s\n", addr_text(&q->src, src),
		addr_text(&q->dst, dst), q->port, q->proto, q->pick,
		q->host_origin ? ", sent by this node" : "");
	if (q->overlay_port)
		fprintf(out, "this node ends a tunnel at port %u/UDP\n", q->overlay_port);
	print_node_ports(q->node_ports, out);
	if (q->echo_always)
		fputs("echo always passes on this node\n", out);
}
