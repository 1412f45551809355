// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pods that pass for their neighbours, for a router, for a remote peer or for the node itself. Each
 * attack is made twice, on the same cluster: without Weir, where it must work (or the test proves
 * nothing), and with Weir, where nothing of it may arrive.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_ends.h"
#include "lib/packet.h"
#include "sandbox/netns.h"

#define WAIT_MS 2000
#define NOTHING_MS 300
#define TRIES 20 /* of 100 ms */

static const uint8_t gateway_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe },
		     everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		     all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Runs the command in that namespace; true: status 0. */
static bool holds(const struct netns_cluster *c, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool holds(const struct netns_cluster *c, const char *where, const char *fmt, ...)
{
	_cleanup_(netns_leave) int back = -1;
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	netns_cluster_enter(c, where, &back);
	return !system(command);
}

static void send_frame(const struct netns_cluster *c, const char *where, const struct packet *frame)
{
	_cleanup_(fd_close) int fd = netns_packet_socket(c, where);

	assert_int_equal(send(fd, frame->data, frame->len, 0), frame->len);
}

/* ---- Neighbours ---- */

#define ATTACKER 20
#define VICTIM 21
#define PEER 22

static void three_pods(struct netns_cluster *c)
{
	static const char servers[] = "http:TCP:80 dns:UDP:80";
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "attacker", "attacker", ATTACKER, servers);
	netns_pod(f, "a", "victim", "victim", VICTIM, servers);
	netns_pod(f, "a", "peer", "peer", PEER, servers);
	fclose(f);
	netns_cluster_up(c, text);
}

/* The victim learns the peer's MAC, as every conversation on a bridge makes it do. */
static void meet(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr peer = netns_pod_addr(PEER, family);

		assert_int_equal(netns_try(c, "a/victim", IPPROTO_TCP, &peer, 80, NULL, 0), 0);
	}
}

static void mac_text(const struct netns_cluster *c, const char *where, char text[18])
{
	uint8_t m[6];

	netns_mac(c, where, m);
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* Has the victim that pod's MAC for the peer's address? */
static bool knows_peer_as(const struct netns_cluster *c, int family, const char *where)
{
	struct weir_addr peer = netns_pod_addr(PEER, family);
	char text[ADDR_TEXT_MAX], mac[18];

	mac_text(c, where, mac);
	return holds(c, "a/victim", "ip neigh show %s dev eth0 | grep -q %s",
		     addr_text(&peer, text), mac);
}

static void forge_arp(const struct netns_cluster *c)
{
	struct packet_arp_spec spec = { .operation = 2,
					.sender = netns_pod_addr(PEER, 0),
					.target = netns_pod_addr(VICTIM, 0) };
	struct packet frame;

	netns_mac(c, "a/attacker", spec.src_mac);
	netns_mac(c, "a/attacker", spec.sender_mac);
	netns_mac(c, "a/victim", spec.dst_mac);
	netns_mac(c, "a/victim", spec.target_mac);
	frame = packet_arp(&spec);
	send_frame(c, "a/attacker", &frame);
}

/* A frame of the attacker to all nodes of its link. */
static struct packet_spec link_spec(const struct netns_cluster *c, uint8_t type)
{
	struct packet_spec spec = { .src = netns_pod_addr(ATTACKER, 1),
				    .dst = addr("ff02::1"),
				    .proto = IPPROTO_ICMPV6,
				    .icmp_type = type,
				    .hops = 255 };

	netns_mac(c, "a/attacker", spec.src_mac);
	memcpy(spec.dst_mac, all_nodes, 6);
	return spec;
}

/* "The peer's address is at my MAC", with the override flag. */
static void forge_advertisement(const struct netns_cluster *c)
{
	struct packet_spec spec = link_spec(c, 136);
	struct weir_addr peer = netns_pod_addr(PEER, 1);
	uint8_t option[8] = { 2, 1 };
	struct packet frame;

	memcpy(option + 2, spec.src_mac, 6);
	frame = packet_neighbour(&spec, &peer, option, sizeof(option));
	frame.data[packet_l4_offset(&frame) + 4] = 0x20;
	packet_finish(&frame, &spec);
	send_frame(c, "a/attacker", &frame);
}

/* Forges until the victim believes it, or in vain. An ARP entry that is new changes after 1 s. */
static bool is_poisoned(const struct netns_cluster *c, int family)
{
	for (int i = 0; i < TRIES; i++) {
		if (family)
			forge_advertisement(c);
		else
			forge_arp(c);
		if (knows_peer_as(c, family, "a/attacker"))
			return true;
		usleep(100000);
	}
	return false;
}

/* On other topologies a pod's link has no neighbour but the node. */
static bool on_a_bridge(const struct netns_cluster *c)
{
	return c->env->topology == SANDBOX_BRIDGE;
}

static void forged_arp_and_advertisements_change_no_neighbours_cache(void **state)
{
	struct netns_cluster *c = *state;

	if (!on_a_bridge(c))
		skip(); /* no neighbours */
	c->bare = true;
	three_pods(c);
	meet(c);
	for (int family = 0; family < 2; family++)
		assert_true(is_poisoned(c, family));
	/* all but the gateway's, which are permanent */
	for (int family = 0; family < 2; family++)
		assert_true(holds(c, "a/victim", "ip -%d neigh flush dev eth0", family ? 6 : 4));
	c->bare = false;
	three_pods(c);
	meet(c);
	for (int family = 0; family < 2; family++)
		assert_false(is_poisoned(c, family));
	meet(c);
}

/* A default route via the attacker, and a prefix: the neighbour's IPv6 is the attacker's. */
static void forge_router(const struct netns_cluster *c)
{
	struct packet_spec spec = link_spec(c, 134);
	struct packet frame;
	uint8_t *l4;

	spec.src = addr("fe80::");
	spec.src.b[8] = spec.src_mac[0] ^ 2;
	memcpy(spec.src.b + 9, spec.src_mac + 1, 2);
	spec.src.b[11] = 0xff;
	spec.src.b[12] = 0xfe;
	memcpy(spec.src.b + 13, spec.src_mac + 3, 3);
	spec.payload = 8; /* reachable and retransmission time */
	frame = packet_build(&spec);
	l4 = frame.data + packet_l4_offset(&frame);
	l4[4] = 64; /* hop limit */
	l4[5] = 0;
	l4[6] = 0x07; /* lifetime, s */
	l4[7] = 0x08;
	memset(l4 + 8, 0, 8);
	packet_finish(&frame, &spec);
	send_frame(c, "a/attacker", &frame);
}

static bool has_router(const struct netns_cluster *c)
{
	return holds(c, "a/victim", "ip -6 route show default | grep -q 'proto ra'");
}

static void a_forged_router_advertisement_changes_no_route(void **state)
{
	struct netns_cluster *c = *state;

	if (!on_a_bridge(c))
		skip(); /* no neighbours */
	c->bare = true;
	three_pods(c);
	assert_true(holds(c, "a/victim",
			  "sysctl -qw net.ipv6.conf.eth0.accept_ra=2 "
			  "net.ipv6.conf.eth0.accept_ra_defrtr=1"));
	for (int i = 0; i < TRIES && !has_router(c); i++) {
		forge_router(c);
		usleep(100000);
	}
	assert_true(has_router(c));
	assert_true(holds(c, "a/victim", "ip -6 route flush proto ra"));
	c->bare = false;
	three_pods(c);
	forge_router(c);
	usleep(NOTHING_MS * 1000);
	assert_false(has_router(c));
}

/* Any frame will do, also of a flow that the pod may have. */
static void forge_mac(const struct netns_cluster *c)
{
	struct packet_spec spec = { .src = netns_pod_addr(ATTACKER, 0),
				    .dst = netns_pod_addr(VICTIM, 0),
				    .proto = IPPROTO_UDP,
				    .sport = 4000,
				    .dport = 80,
				    .payload = 8 };
	struct packet frame;

	netns_mac(c, "a/peer", spec.src_mac);
	memcpy(spec.dst_mac, everybody, 6);
	frame = packet_build(&spec);
	send_frame(c, "a/attacker", &frame);
	netns_mac(c, "a/victim", spec.dst_mac);
	frame = packet_build(&spec);
	send_frame(c, "a/attacker", &frame);
}

/* Is the MAC behind the peer's port in the bridge's table, or behind none yet? */
static bool peer_is_behind_its_port(const struct netns_cluster *c)
{
	struct weir_addr peer = netns_pod_addr(PEER, 0);

	return netns_try(c, "node", IPPROTO_TCP, &peer, 80, NULL, 0) == 0;
}

static void a_frame_with_a_neighbours_mac_takes_none_of_its_packets(void **state)
{
	struct netns_cluster *c = *state;
	bool taken = false;

	if (!on_a_bridge(c) || c->env->settings & NETNS_HUB) /* a hub learns nothing */
		return;
	c->bare = true;
	three_pods(c);
	assert_true(peer_is_behind_its_port(c));
	/* what the peer still sends, as the end of a connection, takes its MAC back */
	for (int i = 0; i < TRIES && !taken; i++) {
		forge_mac(c);
		taken = !peer_is_behind_its_port(c);
	}
	assert_true(taken);
	meet(c); /* the peer is heard again */
	c->bare = false;
	three_pods(c);
	assert_true(peer_is_behind_its_port(c));
	forge_mac(c);
	assert_true(peer_is_behind_its_port(c));
}

/* ---- Tunnels ---- */

#define REMOTE "203.0.113.5" /* a peer behind the overlay */
#define VNI 7

struct overlay {
	int family; /* of the outer packet */
	uint16_t port;
	const char *device;
	uint8_t mac[6];
};

static const struct overlay overlays[] = {
	{ 0, 4789, "vx4", { 2, 0, 0, 0, 7, 4 } },
	{ 1, 8472, "vx6", { 2, 0, 0, 0, 7, 6 } },
};

static void add_overlay(const struct netns_cluster *c, const struct overlay *o)
{
	struct weir_addr node = netns_end_addr("node", o->family);
	char text[ADDR_TEXT_MAX];

	netns_node_command(
		c,
		"ip link add %s address 02:00:00:00:07:0%x type vxlan id %d dstport %u local %s nolearning && "
		"ip link set %s up && ip route replace " REMOTE " dev %s",
		o->device, o->mac[5], VNI, o->port, addr_text(&node, text), o->device, o->device);
}

/* What the remote peer's node would send: a datagram of the peer to a/other. */
static void send_as_peer(const struct netns_cluster *c, const struct overlay *o)
{
	struct weir_addr node = netns_end_addr("node", o->family);
	_cleanup_(fd_close) int fd = netns_end_socket(c, "a/pod", o->family, IPPROTO_UDP, 0);
	struct packet_spec inner = { .src = addr(REMOTE),
				     .dst = netns_end_addr("a/other", 0),
				     .proto = IPPROTO_UDP,
				     .sport = 5000,
				     .dport = NETNS_PORT,
				     .payload = 8,
				     .src_mac = { 2, 9 } };
	uint8_t vxlan[8 + PACKET_MAX] = { 0x08, [6] = VNI };
	struct packet frame;

	memcpy(inner.dst_mac, o->mac, 6);
	frame = packet_build(&inner);
	memcpy(vxlan + 8, frame.data, frame.len);
	assert_int_equal(netns_connect(fd, &node, o->port), 0);
	assert_int_equal(send(fd, vxlan, 8 + frame.len, 0), 8 + frame.len);
}

static bool arrives(int fd, int timeout_ms)
{
	char buf[64];

	if (!netns_wait(fd, POLLIN, timeout_ms))
		return false;
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 8);
	return true;
}

static void np_42_vxlan_to_its_own_node_makes_a_pod_no_remote_peer(void **state)
{
	struct netns_cluster *c = *state;
	int server;

	c->bare = true;
	netns_ends_up(c, false);
	for (size_t i = 0; i < ARRAY_SIZE(overlays); i++) {
		add_overlay(c, &overlays[i]);
		server = netns_end_socket(c, "a/other", 0, IPPROTO_UDP, NETNS_PORT);
		send_as_peer(c, &overlays[i]);
		assert_true(arrives(server, WAIT_MS));
		close(server);
	}
	c->bare = false;
	netns_ends_up(c, false);
	server = netns_end_socket(c, "a/other", 0, IPPROTO_UDP, NETNS_PORT);
	for (size_t i = 0; i < ARRAY_SIZE(overlays); i++) {
		send_as_peer(c, &overlays[i]);
		assert_false(arrives(server, NOTHING_MS));
	}
	close(server);
}

static void np_42_a_load_finds_overlay_devices_that_are_new(void **state)
{
	struct netns_cluster *c = *state;
	int server;

	netns_ends_up(c, false);
	server = netns_end_socket(c, "a/other", 0, IPPROTO_UDP, NETNS_PORT);
	add_overlay(c, &overlays[0]);
	netns_ends_up(c, false);
	send_as_peer(c, &overlays[0]);
	assert_false(arrives(server, NOTHING_MS));
	/* and that one is gone: another datagram to that port is like any other */
	netns_node_command(c, "ip link del %s", overlays[0].device);
	netns_ends_up(c, false);
	{
		_cleanup_(fd_close) int end =
			netns_end_socket(c, "node", 0, IPPROTO_UDP, overlays[0].port);
		struct weir_addr node = netns_end_addr("node", 0);
		_cleanup_(fd_close) int fd = netns_end_socket(c, "a/pod", 0, IPPROTO_UDP, 0);

		assert_int_equal(netns_connect(fd, &node, overlays[0].port), 0);
		assert_int_equal(send(fd, "12345678", 8, 0), 8);
		assert_true(arrives(end, WAIT_MS));
	}
	close(server);
}

/* ---- The node's loopback ---- */

/* Sent as a frame: the pod's own stack has a loopback of its own. */
static void send_to_loopback(const struct netns_cluster *c)
{
	struct packet_spec spec = { .src = netns_end_addr("a/pod", 0),
				    .dst = addr("127.0.0.1"),
				    .proto = IPPROTO_UDP,
				    .sport = 4000,
				    .dport = NETNS_PORT,
				    .payload = 8 };
	struct packet frame;

	netns_mac(c, "a/pod", spec.src_mac);
	memcpy(spec.dst_mac, gateway_mac, 6);
	frame = packet_build(&spec);
	send_frame(c, "a/pod", &frame);
}

static void np_42_route_localnet_opens_the_nodes_loopback_to_no_pod(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr loopback = addr("127.0.0.1");
	_cleanup_(fd_close) int server = -1;

	c->bare = true;
	netns_ends_up(c, false);
	netns_node_command(c, "ip link set lo up; sysctl -qw net.ipv4.conf.all.route_localnet=1");
	server = netns_socket_at(c, "node", &loopback, IPPROTO_UDP, NETNS_PORT);
	send_to_loopback(c);
	assert_true(arrives(server, WAIT_MS));
	c->bare = false;
	netns_ends_up(c, false);
	send_to_loopback(c);
	assert_false(arrives(server, NOTHING_MS));
}

/* ---- The node's own DNAT ---- */

#define HOST_PORT 8000

/* As hostPort and kube-proxy do: from the node's address to a pod. */
static void add_dnat(const struct netns_cluster *c)
{
	netns_node_command(
		c, "nft 'table inet hostports { chain in { type nat hook prerouting priority "
		   "dstnat; }; }'");
	for (int family = 0; family < 2; family++) {
		struct weir_addr node = netns_end_addr("node", family),
				 other = netns_end_addr("a/other", family);
		char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
		const char *ip = family ? "ip6" : "ip";

		netns_node_command(
			c,
			"nft 'add rule inet hostports in %s daddr %s meta l4proto { tcp, udp } th dport %d dnat %s to %s%s%s:%d'",
			ip, addr_text(&node, from), HOST_PORT, ip, family ? "[" : "",
			addr_text(&other, to), family ? "]" : "", NETNS_SERVER_PORT);
	}
}

/*
 * Where bridged frames do not pass netfilter, replies must pass the node's stack by their route, or
 * nothing undoes the translation. The node's ICMPv6 redirects, which no setting stops, would say
 * that there is a shorter one.
 */
static void reply_by_the_gateway(const struct netns_cluster *c)
{
	assert_true(holds(c, "a/other", "sysctl -qw net.ipv6.conf.eth0.accept_redirects=0"));
	for (int family = 0; family < 2; family++) {
		struct weir_addr pod = netns_end_addr("a/pod", family);
		char text[ADDR_TEXT_MAX];

		assert_true(holds(c, "a/other", "ip -%d route replace %s/%d via %s dev eth0%s",
				  family ? 6 : 4, addr_text(&pod, text), family ? 128 : 32,
				  family ? "fe80::1" : "169.254.1.1", family ? "" : " onlink"));
	}
}

static void set_bridge_nf(const struct netns_cluster *c, bool on)
{
	if (!access("/proc/sys/net/bridge", F_OK))
		netns_node_command(c,
				   "sysctl -qw net.bridge.bridge-nf-call-iptables=%d "
				   "net.bridge.bridge-nf-call-ip6tables=%d",
				   on, on);
}

static void host_port_is_reached(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr node = netns_end_addr("node", family);

		assert_int_equal(netns_try(c, "a/pod", IPPROTO_TCP, &node, HOST_PORT, NULL, 0), 0);
		assert_int_equal(netns_try(c, "a/pod", IPPROTO_UDP, &node, HOST_PORT, NULL, 0), 0);
	}
}

static void np_45_a_pod_reaches_its_neighbour_by_the_nodes_dnat(void **state)
{
	struct netns_cluster *c = *state;

	if (system("nft -v >/dev/null 2>&1"))
		skip();
	c->bare = true;
	netns_ends_up(c, false);
	add_dnat(c);
	reply_by_the_gateway(c);
	for (int on = 0; on < (on_a_bridge(c) ? 2 : 1); on++) {
		set_bridge_nf(c, on);
		c->bare = true;
		netns_ends_up(c, false);
		host_port_is_reached(c);
		c->bare = false;
		netns_ends_up(c, false);
		host_port_is_reached(c);
	}
}

/* Adopted pods keep the connections that they have through it. */
static void a_hand_over_keeps_connections_by_the_nodes_dnat(void **state)
{
	struct netns_cluster *c = *state;
	char before[2][128], after[128];
	int fd[2];

	if (system("nft -v >/dev/null 2>&1"))
		skip();
	c->bare = true;
	netns_ends_up(c, false);
	add_dnat(c);
	reply_by_the_gateway(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr node = netns_end_addr("node", family);

		fd[family] = netns_socket(c, "a/pod", family, IPPROTO_TCP, 0);
		assert_int_equal(netns_connect(fd[family], &node, HOST_PORT), 0);
		assert_int_equal(netns_ask(fd[family], before[family], sizeof(before[0])), 0);
	}
	c->bare = false;
	netns_ends_up(c, false);
	for (int family = 0; family < 2; family++) {
		assert_int_equal(netns_ask(fd[family], after, sizeof(after)), 0);
		assert_string_equal(after, before[family]);
		close(fd[family]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(forged_arp_and_advertisements_change_no_neighbours_cache),
		netns_test(a_forged_router_advertisement_changes_no_route),
		netns_test(a_frame_with_a_neighbours_mac_takes_none_of_its_packets),
		netns_test_needs(np_42_vxlan_to_its_own_node_makes_a_pod_no_remote_peer,
				 NETNS_DROP_FORWARD),
		netns_test_needs(np_42_a_load_finds_overlay_devices_that_are_new,
				 NETNS_DROP_FORWARD),
		netns_test(np_42_route_localnet_opens_the_nodes_loopback_to_no_pod),
		netns_test_needs(np_45_a_pod_reaches_its_neighbour_by_the_nodes_dnat,
				 NETNS_DROP_FORWARD),
		netns_test_needs(a_hand_over_keeps_connections_by_the_nodes_dnat,
				 NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_proves", tests, ARRAY_SIZE(tests));
}
