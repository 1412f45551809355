// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Clients outside at an uplink, byte for byte: every kind of frontend, with a backend on this node,
 * on another one, and by the cluster IP; replies; who may begin a connection; and what passes
 * untouched.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/prog_env.h"

#define PORT 80 /* of frontends */
#define NODE_PORT 30080
#define TARGET 8080
#define CPORT 5000
#define INIT 1 /* SCTP chunk */
#define SERVICE 1

static int setup_sized(void **state, int family, const struct prog_sizes *sizes)
{
	struct prog_env *env = prog_env_new(family, sizes);

	*state = env;
	if (!env)
		return -1;
	prog_uplinks(env);
	return 0;
}

static int setup_v4(void **state)
{
	return setup_sized(state, 0, NULL);
}

static int setup_v6(void **state)
{
	return setup_sized(state, 1, NULL);
}

static int setup_large(void **state)
{
	return setup_sized(state, 1, &(struct prog_sizes){ .conntrack = 16384 });
}

/* ---- Kinds of frontends and protocols ---- */

enum kind {
	KIND_NODE_PORT,
	KIND_EXTERNAL, /* an external IP, a load balancer address */
	KIND_CLUSTER_IP,
	_KIND_MAX,
};

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

struct frontend {
	enum party addr;
	uint16_t port;
};

static struct frontend serve(struct prog_env *env, enum kind kind, uint8_t proto,
			     enum party backend)
{
	prog_serve_all(env, SERVICE, backend, TARGET, WEIR_SERVICE_USABLE);
	if (kind == KIND_NODE_PORT) {
		prog_node_port(env, NODE_PORT, proto, SERVICE);
		return (struct frontend){ NODE, NODE_PORT };
	}
	prog_frontend_at(env, VIP_1, PORT, proto, SERVICE,
			 kind == KIND_EXTERNAL ? WEIR_FRONTEND_EXTERNAL : 0);
	return (struct frontend){ VIP_1, PORT };
}

/* A first packet, or a later one. */
static struct packet_spec packet(const struct prog_env *env, uint8_t proto, bool first,
				 enum party src, uint16_t sport, enum party dst, uint16_t dport)
{
	struct packet_spec spec = prog_tcp(env, src, sport, dst, dport, first ? SYN : ACK | PSH);

	spec.proto = proto;
	spec.payload = first && proto == IPPROTO_TCP ? 0 : 32;
	spec.sctp_chunk = first ? INIT : 0;
	return spec;
}

static struct packet_spec with_addrs(struct packet_spec spec, struct weir_addr src, uint16_t sport,
				     struct weir_addr dst, uint16_t dport)
{
	spec.src = src;
	spec.sport = sport;
	spec.dst = dst;
	spec.dport = dport;
	return spec;
}

static struct packet_spec hop_less(struct packet_spec spec)
{
	spec.hops = 63;
	return spec;
}

/* The source port that the sent packet has. */
static uint16_t port_of(const struct prog_sent *sent)
{
	struct packet_spec spec;

	assert_null(packet_read(&sent->out, &spec));
	return spec.sport;
}

static uint8_t icmp_code(const struct packet *p)
{
	return p->data[packet_l4_offset(p) + 1];
}

/* ---- A backend on this node ---- */

static void local_backend(struct prog_env *env, enum kind kind, uint8_t proto)
{
	struct frontend f = serve(env, kind, proto, POD_A);
	uint16_t cport = CPORT + kind;
	struct packet_spec in = packet(env, proto, true, CLIENT, cport, f.addr, f.port),
			   to_pod = packet(env, proto, true, CLIENT, cport, POD_A, TARGET),
			   from_pod = packet(env, proto, false, POD_A, TARGET, CLIENT, cport),
			   out = packet(env, proto, false, f.addr, f.port, CLIENT, cport);
	struct prog_sent sent = prog_in(env, PROG_UPLINK, &in);

	assert_passed(sent);
	assert_packet(&sent.out, &to_pod);
	sent = prog_to(env, POD_A, PROG_UPLINK, &to_pod); /* the pod's own hooks keep the client */
	assert_passed(sent);
	sent = prog_from(env, POD_A, &from_pod);
	assert_passed(sent);
	assert_packet(&sent.out, &from_pod);
	sent = prog_out(env, PROG_UPLINK_2, &from_pod); /* by whichever uplink it leaves */
	assert_passed(sent);
	assert_packet(&sent.out, &out);
	in = packet(env, proto, false, CLIENT, cport, f.addr, f.port);
	to_pod = packet(env, proto, false, CLIENT, cport, POD_A, TARGET);
	sent = prog_in(env, PROG_UPLINK, &in);
	assert_passed(sent);
	assert_packet(&sent.out, &to_pod);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void np_30_a_pod_of_this_node_sees_the_client(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		local_backend(*state, KIND_NODE_PORT, protos[i]);
		local_backend(*state, KIND_EXTERNAL, protos[i]);
	}
}

/* The node's own socket, as of a hostNetwork pod. */
static void svc_38_a_socket_of_this_node_sees_the_client(void **state)
{
	struct prog_env *env = *state;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_TCP, NODE);
		struct packet_spec in = prog_tcp(env, CLIENT, CPORT + kind, f.addr, f.port, SYN),
				   local = prog_tcp(env, CLIENT, CPORT + kind, NODE, TARGET, SYN),
				   reply = prog_tcp(env, NODE, TARGET, CLIENT, CPORT + kind,
						    SYN | ACK),
				   out = prog_tcp(env, f.addr, f.port, CLIENT, CPORT + kind,
						  SYN | ACK);
		struct prog_sent sent = prog_in(env, PROG_UPLINK, &in);

		assert_passed(sent);
		assert_packet(&sent.out, &local);
		sent = prog_out(env, PROG_UPLINK, &reply);
		assert_passed(sent);
		assert_packet(&sent.out, &out);
	}
}

/* ---- A backend on another node ---- */

static void remote_backend(struct prog_env *env, enum kind kind, uint8_t proto, enum party backend)
{
	uint32_t by = backend == REMOTE_B ? PROG_UPLINK_2 : PROG_UPLINK;
	struct frontend f = serve(env, kind, proto, backend);
	struct packet_spec in = packet(env, proto, true, CLIENT, CPORT, f.addr, f.port), want;
	struct weir_addr node = prog_uplink_addr(env, by), client = prog_addr(env, CLIENT),
			 target = prog_addr(env, backend);
	struct prog_sent sent = prog_in(env, PROG_UPLINK, &in);
	uint16_t port = port_of(&sent);

	assert_redirected(sent);
	assert_in_range(port, WEIR_PORT_MIN, WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
	want = hop_less(with_addrs(in, node, port, target, TARGET));
	assert_packet(&sent.out, &want);
	sent.out.data[0] = 0;
	want.hops = 0;
	assert_untouched(prog_out(env, by, &want)); /* as the redirect sends it */
	want = packet(env, proto, false, backend, TARGET, NODE, port);
	want.dst = node;
	sent = prog_in(env, by, &want);
	assert_redirected(sent);
	want = hop_less(packet(env, proto, false, f.addr, f.port, CLIENT, CPORT));
	assert_packet(&sent.out, &want);
	want.hops = 0;
	assert_untouched(prog_out(env, PROG_UPLINK, &want));
	in = packet(env, proto, false, CLIENT, CPORT, f.addr, f.port);
	sent = prog_in(env, PROG_UPLINK, &in);
	assert_redirected(sent);
	want = hop_less(with_addrs(in, node, port, target, TARGET));
	assert_packet(&sent.out, &want);
	assert_null(prog_gc_slots_check(env, NULL));
	(void)client;
}

static void svc_80_a_backend_elsewhere_sees_an_address_of_the_uplink(void **state)
{
	for (enum kind kind = 0; kind < _KIND_MAX; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
			remote_backend(*state, kind, protos[i], REMOTE_A);
		}
}

static void svc_80_the_address_is_that_of_the_device_towards_the_backend(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		remote_backend(*state, KIND_NODE_PORT, protos[i], REMOTE_B);
}

static void svc_80_two_clients_with_one_port_get_two(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, REMOTE_A);
	struct packet_spec spec, want;
	uint16_t ports[2];

	for (int i = 0; i < 2; i++) {
		struct prog_sent sent;

		spec = prog_udp(env, CLIENT + i, CPORT, f.addr, f.port);
		sent = prog_in(env, PROG_UPLINK, &spec);
		assert_redirected(sent);
		ports[i] = port_of(&sent);
	}
	assert_int_not_equal(ports[0], ports[1]);
	for (int i = 0; i < 2; i++) {
		struct prog_sent sent;

		spec = prog_udp(env, REMOTE_A, TARGET, NODE, ports[i]);
		sent = prog_in(env, PROG_UPLINK, &spec);
		assert_redirected(sent);
		want = hop_less(prog_udp(env, f.addr, f.port, CLIENT + i, CPORT));
		assert_packet(&sent.out, &want);
	}
}

/* Many clients: no two have one port, and none is lost before the range is nearly full. */
static void svc_80_ports_run_out_by_a_reason(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, REMOTE_A);
	struct packet_spec spec = prog_udp(env, CLIENT, CPORT, f.addr, f.port);
	struct prog_sent sent;
	int n = 0;

	do {
		spec.sport = CPORT + n++ % 50000;
		spec.src.b[14] = n / 50000;
		sent = prog_in(env, PROG_UPLINK, &spec);
	} while (sent.verdict == 7);
	assert_dropped(sent, WEIR_PORTS_EXHAUSTED);
	assert_true(n > WEIR_PORT_COUNT * 3 / 4);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void no_route_or_no_uplink_drops(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, REMOTE_B);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);
	uint32_t device = PROG_UPLINK_2, id = SERVICE;
	struct weir_backend backend;

	prog_unset(env, "uplinks", &device);
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_NO_ROUTE);
	prog_get(env, "backends", &id, &backend);
	addr_parse(env->family ? "2001:db8::1" : "192.0.2.1", &backend.addr);
	prog_set(env, "backends", &id, &backend);
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_NO_ROUTE);
	assert_int_equal(prog_flow_count(env), 0);
}

/* ---- A pod of this node, by its cluster IP ---- */

static void svc_30_a_pod_by_its_cluster_ip_sees_the_node(void **state)
{
	struct prog_env *env = *state;

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		uint8_t proto = protos[i];
		struct frontend f = serve(env, KIND_CLUSTER_IP, proto, POD_A);
		struct packet_spec in = packet(env, proto, true, CLIENT, CPORT, f.addr, f.port),
				   want, reply;
		struct prog_sent sent = prog_in(env, PROG_UPLINK, &in);
		uint16_t port = port_of(&sent);

		assert_redirected(sent);
		assert_in_range(port, WEIR_PORT_MIN, WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
		want = hop_less(packet(env, proto, true, NODE, port, POD_A, TARGET));
		prog_mac(POD_A, want.dst_mac);
		memcpy(want.src_mac, (uint8_t[]){ 2, 0, 0, 0, 9, 0 }, 6);
		assert_packet(&sent.out, &want);
		reply = packet(env, proto, false, POD_A, TARGET, NODE, port);
		sent = prog_from(env, POD_A, &reply);
		assert_redirected(sent);
		want = hop_less(packet(env, proto, false, f.addr, f.port, CLIENT, CPORT));
		assert_packet(&sent.out, &want);
		assert_null(prog_gc_slots_check(env, NULL));
	}
}

static void np_44_a_pod_by_its_cluster_ip_is_judged_by_the_client(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_CLUSTER_IP, IPPROTO_TCP, POD_A);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);
	struct prog_sent sent;

	prog_policy_default(env, 7, weir_word_verdict(WEIR_WORD_DENY, WEIR_NO_RULE));
	prog_pod(env, POD_A, 7, 0, 3, 0);
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_INGRESS_DENIED);
	assert_int_equal(prog_flow_count(env), 0);
	prog_network(env, env->family ? "fd00::5:0/112" : "10.0.5.0/24", 4);
	prog_policy(env, 7, 4, weir_word_verdict(WEIR_WORD_ALLOW, 1));
	sent = prog_in(env, PROG_UPLINK, &spec);
	assert_redirected(sent);
	/* the policy changes: the next packet of either end is judged by the client again */
	spec = prog_tcp(env, POD_A, TARGET, NODE, port_of(&sent), SYN | ACK);
	prog_policy_epoch(env);
	assert_redirected(prog_from(env, POD_A, &spec));
	prog_unset(env, "policy_rules", &(struct weir_policy_key){ 7, 4 });
	prog_policy_epoch(env);
	assert_dropped(prog_from(env, POD_A, &spec), WEIR_INGRESS_DENIED);
	spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, ACK | PSH);
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_INGRESS_DENIED);
}

/* ---- Verdicts without a backend ---- */

static void empty_lists(struct prog_env *env, uint32_t flags)
{
	struct weir_service service = { .flags = flags };
	uint32_t id = SERVICE;

	prog_set(env, "services", &id, &service);
}

static void svc_60_no_endpoint_refuses(void **state)
{
	struct prog_env *env = *state;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_TCP, POD_A);
		struct packet_spec syn = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN),
				   udp = prog_udp(env, CLIENT, CPORT, f.addr, f.port), read;
		struct prog_sent sent;

		serve(env, kind, IPPROTO_UDP, POD_A);
		empty_lists(env, 0);
		sent = prog_in(env, PROG_UPLINK, &syn);
		assert_rejected(sent, WEIR_NO_ENDPOINT);
		syn = prog_tcp(env, f.addr, f.port, CLIENT, CPORT, RST | ACK);
		assert_null(packet_read(&sent.out, &read));
		assert_int_equal(read.tcp_flags, RST | ACK);
		assert_memory_equal(&read.src, &syn.src, sizeof(read.src));
		assert_memory_equal(&read.dst, &syn.dst, sizeof(read.dst));
		sent = prog_in(env, PROG_UPLINK, &udp);
		assert_rejected(sent, WEIR_NO_ENDPOINT);
		assert_null(packet_read(&sent.out, &read));
		assert_int_equal(read.icmp_type, env->family ? 1 : 3);
		assert_int_equal(icmp_code(&sent.out), env->family ? 4 : 3);
	}
}

static void svc_62_no_local_endpoint_drops(void **state)
{
	struct prog_env *env = *state;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_TCP, POD_A);
		struct packet_spec syn = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);

		empty_lists(env, WEIR_SERVICE_USABLE);
		assert_dropped(prog_in(env, PROG_UPLINK, &syn), WEIR_NO_LOCAL_ENDPOINT);
	}
}

static void svc_35_a_client_outside_gets_the_external_list(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, REMOTE_A);
	struct packet_spec syn = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);
	struct weir_service service = { .flags =
						WEIR_SERVICE_USABLE | WEIR_SERVICE_EXTERNAL_LOCAL };
	uint32_t id = SERVICE;

	service.extents[WEIR_LIST_SHORT] = service.extents[WEIR_LIST_INTERNAL] = weir_extent(1, 1);
	prog_set(env, "services", &id, &service);
	assert_dropped(prog_in(env, PROG_UPLINK, &syn), WEIR_NO_LOCAL_ENDPOINT);
}

static void svc_64_an_undefined_port_of_a_cluster_ip_refuses(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec syn = prog_tcp(env, CLIENT, CPORT, VIP_1, PORT + 1, SYN);

	prog_serve(env, 1, PORT, IPPROTO_TCP, POD_A, TARGET);
	assert_rejected(prog_in(env, PROG_UPLINK, &syn), WEIR_NO_SERVICE_PORT);
}

static void svc_51_a_source_in_no_range_is_dropped(void **state)
{
	struct prog_env *env = *state;
	struct weir_source_range range = { .prefix_len = WEIR_SOURCE_RANGE_BITS + 128,
					   .service = SERVICE,
					   .addr = prog_addr(env, CLIENT) };
	struct packet_spec a = prog_tcp(env, CLIENT, CPORT, VIP_1, PORT, SYN),
			   b = prog_tcp(env, CLIENT_2, CPORT, VIP_1, PORT, SYN);
	uint32_t one = 1;

	prog_serve_all(env, SERVICE, POD_A, TARGET, WEIR_SERVICE_USABLE);
	prog_frontend_at(env, VIP_1, PORT, IPPROTO_TCP, SERVICE,
			 WEIR_FRONTEND_EXTERNAL | WEIR_FRONTEND_RANGES);
	prog_set(env, "source_ranges", &range, &one);
	assert_passed(prog_in(env, PROG_UPLINK, &a));
	assert_dropped(prog_in(env, PROG_UPLINK, &b), WEIR_SOURCE_RANGE);
	empty_lists(env, 0); /* SVC-55: the ranges come first */
	assert_dropped(prog_in(env, PROG_UPLINK, &b), WEIR_SOURCE_RANGE);
	prog_unset(env, "source_ranges", &range);
	a = prog_tcp(env, CLIENT, CPORT, VIP_1, PORT, ACK); /* SVC-54 */
	assert_passed(prog_in(env, PROG_UPLINK, &a));
}

/* ---- Untouched ---- */

static void svc_63_a_forwarded_packet_to_a_node_port_is_untouched(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, UNLISTED, NODE_PORT, SYN);

	serve(env, KIND_NODE_PORT, IPPROTO_TCP, POD_A);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	spec.dst = prog_addr(env, POD_A);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	spec.dst = prog_addr(env, OTHER_NODE);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	assert_int_equal(prog_flow_count(env), 0);
}

static void svc_81_what_has_no_frontend_is_untouched(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, NODE, 22, SYN);
	struct packet arp = packet_arp(&(struct packet_arp_spec){}), tagged;

	serve(env, KIND_NODE_PORT, IPPROTO_TCP, POD_A);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	assert_untouched(prog_out(env, PROG_UPLINK, &spec));
	spec = prog_udp(env, CLIENT, CPORT, NODE, NODE_PORT); /* another protocol: SVC-6 */
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	spec = prog_echo(env, CLIENT, NODE, 7, false);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
	assert_untouched(prog_send(env, FROM_UPLINK(PROG_UPLINK), &arp));
	assert_untouched(prog_send(env, TO_UPLINK(PROG_UPLINK), &arp));
	spec = prog_tcp(env, CLIENT, CPORT, NODE, NODE_PORT, SYN);
	spec.vlan = 5;
	tagged = packet_build(&spec);
	assert_untouched(prog_send(env, FROM_UPLINK(PROG_UPLINK), &tagged));
	assert_int_equal(prog_flow_count(env), 0);
}

static void a_frame_to_another_host_is_untouched(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, NODE, NODE_PORT, SYN);

	serve(env, KIND_NODE_PORT, IPPROTO_TCP, POD_A);
	memcpy(spec.dst_mac, (uint8_t[]){ 2, 9, 9, 9, 9, 9 }, 6);
	assert_untouched(prog_in(env, PROG_UPLINK, &spec));
}

/* A process of the node asks a frontend: the cgroup hooks serve it. */
static void a_packet_of_the_node_to_a_frontend_is_untouched(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, REMOTE_A);
	struct packet_spec spec = prog_tcp(env, NODE, CPORT, f.addr, f.port, SYN);

	assert_untouched(prog_out(env, PROG_UPLINK, &spec));
}

/* ---- Who sends ---- */

static void a_packet_with_an_address_of_this_nodes_is_dropped(void **state)
{
	struct prog_env *env = *state;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_TCP, POD_A);
		struct packet_spec spec = prog_tcp(env, POD_B, CPORT, f.addr, f.port, SYN);

		assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_SPOOFED);
		spec.src = prog_addr(env, NODE);
		assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_SPOOFED);
		addr_parse(env->family ? "::1" : "127.0.0.1", &spec.src);
		assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_MARTIAN);
	}
}

static void a_reply_of_a_local_backend_does_not_come_from_outside(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, POD_A);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);

	assert_passed(prog_in(env, PROG_UPLINK, &spec));
	spec = prog_tcp(env, POD_A, TARGET, CLIENT, CPORT, SYN | ACK);
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_SPOOFED);
}

static void only_a_first_packet_or_a_segment_begins_a_connection(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, POD_A);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN | ACK);

	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_MID_STREAM);
	spec.tcp_flags = RST;
	assert_dropped(prog_in(env, PROG_UPLINK, &spec), WEIR_MID_STREAM);
	assert_int_equal(prog_flow_count(env), 0);
	spec.tcp_flags = ACK; /* its entry was lost, or another node had it */
	assert_passed(prog_in(env, PROG_UPLINK, &spec));
}

/* ---- UDP and changes of services ---- */

static void svc_91_a_datagram_leaves_a_removed_backend(void **state)
{
	struct prog_env *env = *state;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_UDP, REMOTE_A);
		struct packet_spec spec = prog_udp(env, CLIENT, CPORT, f.addr, f.port), want;
		struct prog_sent sent;

		assert_redirected(prog_in(env, PROG_UPLINK, &spec));
		prog_service_epoch(env); /* nothing of this flow changed */
		assert_redirected(prog_in(env, PROG_UPLINK, &spec));
		prog_backend(env, 2, SERVICE, NODE, TARGET, 0);
		prog_backend_slots(env, SERVICE, (uint32_t[]){ 2 }, 1);
		prog_backend_stops(env, 1);
		prog_service_epoch(env);
		sent = prog_in(env, PROG_UPLINK, &spec);
		assert_passed(sent);
		want = prog_udp(env, CLIENT, CPORT, NODE, TARGET);
		assert_packet(&sent.out, &want);
		empty_lists(env, 0); /* SVC-92 */
		prog_backend_stops(env, 2);
		prog_service_epoch(env);
		assert_rejected(prog_in(env, PROG_UPLINK, &spec), WEIR_NO_ENDPOINT);
		assert_int_equal(prog_flow_count(env), 0);
	}
}

/* ---- Ports that collide ---- */

/* Two frontends lead to one pod, and the client uses one port for both. */
static void two_frontends_onto_one_backend_get_two_ports(void **state)
{
	struct prog_env *env = *state;
	struct frontend a = serve(env, KIND_EXTERNAL, IPPROTO_TCP, POD_A),
			b = serve(env, KIND_NODE_PORT, IPPROTO_TCP, POD_A);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, a.addr, a.port, SYN), want;
	struct prog_sent sent = prog_in(env, PROG_UPLINK, &spec);
	uint16_t port;

	assert_int_equal(port_of(&sent), CPORT);
	spec = prog_tcp(env, CLIENT, CPORT, b.addr, b.port, SYN);
	sent = prog_in(env, PROG_UPLINK, &spec);
	assert_passed(sent);
	port = port_of(&sent);
	assert_int_not_equal(port, CPORT);
	spec = prog_tcp(env, POD_A, TARGET, CLIENT, port, SYN | ACK);
	sent = prog_out(env, PROG_UPLINK, &spec);
	want = prog_tcp(env, b.addr, b.port, CLIENT, CPORT, SYN | ACK);
	assert_packet(&sent.out, &want);
	spec = prog_tcp(env, POD_A, TARGET, CLIENT, CPORT, SYN | ACK);
	sent = prog_out(env, PROG_UPLINK, &spec);
	want = prog_tcp(env, a.addr, a.port, CLIENT, CPORT, SYN | ACK);
	assert_packet(&sent.out, &want);
}

static void a_direct_connection_before_keeps_its_port(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, POD_A);
	struct packet_spec direct = prog_tcp(env, CLIENT, CPORT, POD_A, TARGET, SYN),
			   spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN);
	struct prog_sent sent;

	prog_policy_default(env, 7, weir_word_verdict(WEIR_WORD_ALLOW, 1));
	prog_pod(env, POD_A, 7, 0, 3, 0);
	assert_untouched(prog_in(env, PROG_UPLINK, &direct));
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &direct));
	sent = prog_in(env, PROG_UPLINK, &spec);
	assert_passed(sent);
	assert_int_not_equal(port_of(&sent), CPORT);
	direct = prog_tcp(env, POD_A, TARGET, CLIENT, CPORT, SYN | ACK);
	assert_untouched(prog_out(env, PROG_UPLINK, &direct));
}

static void a_direct_connection_after_gets_another_port(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, POD_A);
	struct packet_spec direct = prog_tcp(env, CLIENT, CPORT, POD_A, TARGET, SYN),
			   spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN), want;
	struct prog_sent sent;
	uint16_t port;

	assert_passed(prog_in(env, PROG_UPLINK, &spec));
	sent = prog_in(env, PROG_UPLINK, &direct);
	assert_passed(sent);
	port = port_of(&sent);
	assert_int_not_equal(port, CPORT);
	spec = prog_tcp(env, POD_A, TARGET, CLIENT, port, SYN | ACK);
	sent = prog_out(env, PROG_UPLINK, &spec);
	want = prog_tcp(env, POD_A, TARGET, CLIENT, CPORT, SYN | ACK);
	assert_packet(&sent.out, &want);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* ---- Shares ---- */

static void connections_of_clients_outside_count_in_a_bucket_of_their_own(void **state)
{
	struct prog_env *env = *state;
	uint32_t outside = WEIR_OUTSIDE_BUCKET, pod = weir_pod_bucket(PROG_SLOT(POD_A));
	struct weir_flow_share share;
	struct packet_spec spec;

	for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
		struct frontend f = serve(env, kind, IPPROTO_TCP, POD_A);

		spec = prog_tcp(env, CLIENT, CPORT + kind, f.addr, f.port, SYN);
		prog_in(env, PROG_UPLINK, &spec);
	}
	prog_get(env, "flow_shares", &outside, &share);
	assert_int_equal(share.entries, 2 * _KIND_MAX);
	assert_int_equal(share.half_open, _KIND_MAX);
	prog_get(env, "flow_shares", &pod, &share);
	assert_int_equal(share.entries, 0);
}

/* ---- Hop limit and MTU ---- */

static void a_packet_without_hops_left_is_answered(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_TCP, REMOTE_A);
	struct packet_spec spec = prog_tcp(env, CLIENT, CPORT, f.addr, f.port, SYN), read;
	struct prog_sent sent;

	spec.hops = 1;
	sent = prog_in(env, PROG_UPLINK, &spec);
	assert_sent(sent, 7, WEIR_HOPS_EXCEEDED);
	assert_null(packet_read(&sent.out, &read));
	assert_int_equal(read.icmp_type, env->family ? 3 : 11);
	assert_int_equal(icmp_code(&sent.out), 0);
	assert_memory_equal(&read.dst, &spec.src, sizeof(read.dst));
	spec.hops = 2;
	assert_redirected(prog_in(env, PROG_UPLINK, &spec));
}

static void svc_96_a_packet_that_does_not_fit_is_answered(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, REMOTE_B);
	struct packet_spec spec = prog_udp(env, CLIENT, CPORT, f.addr, f.port), read, want;
	unsigned int headers = env->family ? 48 : 28;
	struct packet packet;
	struct prog_sent sent;
	uint32_t mtu;

	spec.payload = PROG_MTU_2 - headers;
	assert_redirected(prog_in(env, PROG_UPLINK, &spec));
	spec.payload++;
	packet = packet_build(&spec);
	sent = prog_send(env, FROM_UPLINK(PROG_UPLINK), &packet);
	assert_sent(sent, 7, WEIR_TOO_BIG);
	assert_null(packet_read(&sent.out, &read));
	assert_int_equal(read.icmp_type, env->family ? 2 : 3);
	assert_int_equal(icmp_code(&sent.out), env->family ? 0 : 4);
	memcpy(&mtu, sent.out.data + packet_l4_offset(&sent.out) + 4, sizeof(mtu));
	assert_int_equal(ntohl(mtu), PROG_MTU_2);
	/* it quotes the packet as the client sent it */
	assert_memory_equal(sent.out.data + packet_l4_offset(&sent.out) + 8,
			    packet.data + PACKET_L3, 60);
	assert_int_equal(prog_flow_count(env), 2); /* of the packet that fitted */
	want = prog_udp(env, f.addr, 0, CLIENT, 0);
	assert_memory_equal(&read.src, &want.src, sizeof(read.src));
	assert_memory_equal(&read.dst, &want.dst, sizeof(read.dst));
}

/* ---- ICMP errors and fragments ---- */

/* "Port unreachable" from src to the sender of the quoted packet. */
static struct packet_spec unreachable(const struct prog_env *env, enum party src,
				      const struct packet *quoted)
{
	struct packet_spec q;

	assert_null(packet_read(quoted, &q));
	return (struct packet_spec){
		.src = prog_addr(env, src),
		.dst = q.src,
		.proto = env->family ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.icmp_type = env->family ? 1 : 3,
		.icmp_code = env->family ? 4 : 3,
		.quoted = quoted,
	};
}

/* The error that comes in about a packet goes on about the packet that its sender sent. */
static void error_becomes(struct prog_env *env, struct prog_arrival at, enum party src,
			  const struct packet_spec *seen, enum party new_src,
			  const struct packet_spec *sent_by_sender, bool redirected)
{
	struct packet inner = packet_build(seen), outer = packet_build(sent_by_sender);
	struct packet_spec in = unreachable(env, src, &inner),
			   want = unreachable(env, new_src, &outer);
	struct packet packet = packet_build(&in);
	struct prog_sent sent = prog_send(env, at, &packet);

	if (redirected) {
		assert_redirected(sent);
		want.hops = 63;
	} else {
		assert_passed(sent);
	}
	assert_packet(&sent.out, &want);
}

static void svc_96_errors_about_a_local_backend_are_translated(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, POD_A);
	struct packet_spec request = prog_udp(env, CLIENT, CPORT, f.addr, f.port),
			   to_pod = prog_udp(env, CLIENT, CPORT, POD_A, TARGET),
			   reply = prog_udp(env, POD_A, TARGET, CLIENT, CPORT),
			   out = prog_udp(env, f.addr, f.port, CLIENT, CPORT);

	assert_passed(prog_in(env, PROG_UPLINK, &request));
	/* the pod, and a router on the way to it, about the client's packet */
	error_becomes(env, TO_UPLINK(PROG_UPLINK), POD_A, &to_pod, f.addr, &request, false);
	error_becomes(env, TO_UPLINK(PROG_UPLINK), NODE, &to_pod, NODE, &request, false);
	/* the client, and a router, about the answer */
	assert_passed(prog_out(env, PROG_UPLINK, &reply));
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), CLIENT, &out, CLIENT, &reply, false);
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), UNLISTED, &out, UNLISTED, &reply, false);
}

static void svc_96_errors_about_a_backend_elsewhere_are_translated(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, REMOTE_A);
	struct packet_spec request = prog_udp(env, CLIENT, CPORT, f.addr, f.port), forward, reply,
			   out = prog_udp(env, f.addr, f.port, CLIENT, CPORT);
	struct prog_sent sent = prog_in(env, PROG_UPLINK, &request);
	uint16_t port = port_of(&sent);

	forward = prog_udp(env, NODE, port, REMOTE_A, TARGET);
	reply = prog_udp(env, REMOTE_A, TARGET, NODE, port);
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), REMOTE_A, &forward, f.addr, &request, true);
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), UNLISTED, &forward, UNLISTED, &request, true);
	assert_redirected(prog_in(env, PROG_UPLINK, &reply));
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), CLIENT, &out, NODE, &reply, true);
	error_becomes(env, FROM_UPLINK(PROG_UPLINK), UNLISTED, &out, UNLISTED, &reply, true);
}

static void an_error_about_no_connection_is_untouched(void **state)
{
	struct prog_env *env = *state;
	struct frontend f = serve(env, KIND_EXTERNAL, IPPROTO_UDP, POD_A);
	struct packet_spec spec = prog_udp(env, f.addr, f.port, CLIENT, CPORT);
	struct packet quoted = packet_build(&spec), packet;

	spec = unreachable(env, CLIENT, &quoted);
	packet = packet_build(&spec);
	assert_untouched(prog_send(env, FROM_UPLINK(PROG_UPLINK), &packet));
}

/* Later fragments have no ports: they follow the first. */
static void fragments_follow(struct prog_env *env, enum party backend)
{
	struct frontend f = serve(env, KIND_NODE_PORT, IPPROTO_UDP, backend);
	struct packet_spec spec = prog_udp(env, CLIENT, CPORT + backend, f.addr, f.port), read;
	struct packet whole, part;
	struct prog_sent sent;

	spec.payload = 1000;
	whole = packet_build(&spec);
	for (unsigned int offset = 0; offset < 1008; offset += 504) {
		part = packet_fragment(&whole, offset, 504, 77 + backend);
		sent = prog_send(env, FROM_UPLINK(PROG_UPLINK), &part);
		if (backend == REMOTE_A)
			assert_redirected(sent);
		else
			assert_passed(sent);
		packet_read(&sent.out, &read);
		spec.dst = prog_addr(env, backend);
		assert_memory_equal(&read.dst, &spec.dst, sizeof(read.dst));
		if (backend == REMOTE_A)
			spec.src = prog_addr(env, NODE);
		assert_memory_equal(&read.src, &spec.src, sizeof(read.src));
	}
	part = packet_fragment(&whole, 504, 504, 99); /* of another datagram */
	assert_untouched(prog_send(env, FROM_UPLINK(PROG_UPLINK), &part));
}

static void svc_97_fragments_follow_their_first_one(void **state)
{
	fragments_follow(*state, POD_A);
	fragments_follow(*state, REMOTE_A);
}

int main(void)
{
#define BOTH(f)                                            \
	{ #f "_v4", f, setup_v4, prog_teardown, NULL },    \
	{                                                  \
#f "_v6", f, setup_v6, prog_teardown, NULL \
	}
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(svc_80_ports_run_out_by_a_reason, setup_large,
						prog_teardown),
		BOTH(np_30_a_pod_of_this_node_sees_the_client),
		BOTH(svc_38_a_socket_of_this_node_sees_the_client),
		BOTH(svc_80_a_backend_elsewhere_sees_an_address_of_the_uplink),
		BOTH(svc_80_the_address_is_that_of_the_device_towards_the_backend),
		BOTH(svc_80_two_clients_with_one_port_get_two),
		BOTH(no_route_or_no_uplink_drops),
		BOTH(svc_30_a_pod_by_its_cluster_ip_sees_the_node),
		BOTH(np_44_a_pod_by_its_cluster_ip_is_judged_by_the_client),
		BOTH(svc_60_no_endpoint_refuses),
		BOTH(svc_62_no_local_endpoint_drops),
		BOTH(svc_35_a_client_outside_gets_the_external_list),
		BOTH(svc_64_an_undefined_port_of_a_cluster_ip_refuses),
		BOTH(svc_51_a_source_in_no_range_is_dropped),
		BOTH(svc_63_a_forwarded_packet_to_a_node_port_is_untouched),
		BOTH(svc_81_what_has_no_frontend_is_untouched),
		BOTH(a_frame_to_another_host_is_untouched),
		BOTH(a_packet_of_the_node_to_a_frontend_is_untouched),
		BOTH(a_packet_with_an_address_of_this_nodes_is_dropped),
		BOTH(a_reply_of_a_local_backend_does_not_come_from_outside),
		BOTH(only_a_first_packet_or_a_segment_begins_a_connection),
		BOTH(svc_91_a_datagram_leaves_a_removed_backend),
		BOTH(two_frontends_onto_one_backend_get_two_ports),
		BOTH(a_direct_connection_before_keeps_its_port),
		BOTH(a_direct_connection_after_gets_another_port),
		BOTH(connections_of_clients_outside_count_in_a_bucket_of_their_own),
		BOTH(a_packet_without_hops_left_is_answered),
		BOTH(svc_96_a_packet_that_does_not_fit_is_answered),
		BOTH(svc_96_errors_about_a_local_backend_are_translated),
		BOTH(svc_96_errors_about_a_backend_elsewhere_are_translated),
		BOTH(an_error_about_no_connection_is_untouched),
		BOTH(svc_97_fragments_follow_their_first_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
