// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The node's own processes have no veth: their sockets are given a backend when they name a
 * frontend, so their packets carry the backend's address from the start. TCP and connected UDP at
 * connect(), and getpeername() shows the frontend again; other datagrams one by one, and recvmsg()
 * shows the frontend as their answers' sender. An IPv4 frontend is one on an AF_INET6 socket too.
 *
 * Attached to a cgroup, which also holds the processes of pods: only sockets of the node's network
 * namespace are served; what a pod sends is translated at its veth, where meshes in it have seen
 * the frontend (MESH-1).
 *
 * These programs may be preempted, so they share no per-CPU memory. The kernel calls them with the
 * socket locked.
 */
#include <asm-generic/errno-base.h>
#include <asm-generic/errno.h>
#include <linux/in.h>

#include "frontend.bpf.h"

/* What the programs return; recvmsg and getpeername must allow. */
#define ALLOW 1
#define REFUSE 0 /* the call fails with what bpf_set_retval() got */

#define SOCK_STREAM 1

static __always_inline int is_node_socket(struct bpf_sock_addr *ctx, const struct weir_config *c)
{
	__u32 proto = ctx->protocol;

	return c && (proto == IPPROTO_TCP || proto == IPPROTO_UDP) && c->netns_cookie &&
	       bpf_get_netns_cookie(ctx) == c->netns_cookie;
}

static __always_inline __u32 tick_now(void)
{
	return bpf_ktime_get_coarse_ns() >> WEIR_TICK_SHIFT;
}

/*
 * The same CPU's packets are counted in interrupts: an atomic add is not interrupted.
 */
static __always_inline void count_call(__u32 reason)
{
	struct weir_counter *c = bpf_map_lookup_elem(&counters, &reason);

	if (c)
		__sync_fetch_and_add(&c->packets, 1);
}

/* ---- The address in the call; v6 is a constant of the program ---- */

static __always_inline struct weir_addr peer_addr(struct bpf_sock_addr *ctx, int v6)
{
	struct weir_addr a;

	if (!v6)
		return weir_addr_from_v4(ctx->user_ip4);
	a.w[0] = ctx->user_ip6[0];
	a.w[1] = ctx->user_ip6[1];
	a.w[2] = ctx->user_ip6[2];
	a.w[3] = ctx->user_ip6[3];
	return a;
}

static __always_inline void set_peer(struct bpf_sock_addr *ctx, int v6, const struct weir_addr *a,
				     __be16 port_be)
{
	if (v6) {
		ctx->user_ip6[0] = a->w[0];
		ctx->user_ip6[1] = a->w[1];
		ctx->user_ip6[2] = a->w[2];
		ctx->user_ip6[3] = a->w[3];
	} else {
		ctx->user_ip4 = a->w[3];
	}
	ctx->user_port = port_be;
}

/* ---- To a backend ---- */

/* The key of t's frontend. */
static __always_inline struct weir_frontend key_of(struct bpf_sock_addr *ctx,
						   const struct weir_translation *t)
{
	return (struct weir_frontend){ .addr = t->frontend,
				       .port_be = t->frontend_port_be,
				       .proto = ctx->protocol };
}

/* The source of the call's packets; zero for a socket that is not bound: it is chosen later. */
static __always_inline struct weir_addr bound_addr(struct bpf_sock_addr *ctx, int v6)
{
	struct bpf_sock *sk = ctx->sk;
	struct weir_addr a = {};

	if (v6) {
		a.w[0] = sk->src_ip6[0];
		a.w[1] = sk->src_ip6[1];
		a.w[2] = sk->src_ip6[2];
		a.w[3] = sk->src_ip6[3];
	} else if (sk->src_ip4) {
		a = weir_addr_from_v4(sk->src_ip4);
	}
	return a;
}

/*
 * For a socket that is not bound the frontend's own address stands, which is an allowed source if a
 * range holds an address of this node (SVC-53).
 */
static __always_inline int is_allowed(struct bpf_sock_addr *ctx, int v6, __s64 word,
				      const struct weir_translation *t)
{
	struct weir_addr src;

	if (!(weir_frontend_flags(word) & WEIR_FRONTEND_RANGES))
		return 1;
	src = bound_addr(ctx, v6);
	if (weir_addr_is_zero(&src))
		src = t->frontend;
	return source_allowed(weir_frontend_service(word), &src);
}

/*
 * Gives t, whose frontend is set, a backend. FORWARDED without one: no frontend. The stamp is read
 * before the tables.
 */
static __always_inline enum weir_reason
choose(struct bpf_sock_addr *ctx, int v6, const struct weir_config *c, struct weir_translation *t)
{
	struct weir_frontend key = key_of(ctx, t);
	struct weir_affinity_key client;
	struct weir_backend *b;
	enum weir_reason why;
	__u32 service, id = 0;
	__s64 word;

	t->service_stamp = READ_WORD(c->service_epoch);
	word = frontend_word(&key);
	if (word < 0)
		return WEIR_FORWARDED;
	service = weir_frontend_service(word);
	if (!service)
		return WEIR_NO_SERVICE_PORT;
	if (!is_allowed(ctx, v6, word, t)) /* before SVC-60: SVC-55 */
		return WEIR_SOURCE_RANGE;
	client.service = service;
	client.client = bound_addr(ctx, v6);
	why = service_choose(&client, list_for_node(word), bpf_get_prandom_u32(), &id);
	if (why)
		return why;
	b = bpf_map_lookup_elem(&backends, &id);
	if (!b)
		return WEIR_INTERNAL;
	t->backend = id;
	t->backend_generation = READ_WORD(b->generation);
	t->peer = b->addr;
	t->peer_port_be = b->port_be;
	t->used = tick_now();
	return WEIR_FORWARDED;
}

/*
 * What a refused call sees. REJECT: what an RST or port unreachable would end in. DROP: a socket
 * cannot be left without an answer here, so TCP gets the error that its time-out would end in,
 * without the wait, and UDP the one of a packet that netfilter drops at the output.
 */
static __always_inline int refuse(struct bpf_sock_addr *ctx, enum weir_reason why)
{
	count_call(why);
	if (weir_verdict_of(why) == WEIR_REJECT)
		bpf_set_retval(-ECONNREFUSED);
	else
		bpf_set_retval(ctx->protocol == IPPROTO_TCP ? -ETIMEDOUT : -EPERM);
	return REFUSE;
}

static __always_inline struct weir_socket *socket_get(struct bpf_sock_addr *ctx, __u32 flags)
{
	struct weir_socket *s = bpf_sk_storage_get(&sockets, ctx->sk, NULL, flags);

	if (s && flags)
		s->cookie = bpf_get_socket_cookie(ctx);
	return s;
}

static __always_inline int no_memory(void)
{
	count_call(WEIR_INTERNAL);
	bpf_set_retval(-ENOMEM);
	return REFUSE;
}

/* Connects to what the process named; a socket may have been connected elsewhere before. */
static __always_inline int connect_as_is(struct bpf_sock_addr *ctx)
{
	struct weir_socket *s = socket_get(ctx, 0);

	if (s)
		s->connected.backend = 0;
	return ALLOW;
}

static __always_inline int on_connect(struct bpf_sock_addr *ctx, int v6)
{
	struct weir_config *c = config_get();
	struct weir_translation t = {};
	struct weir_socket *s;
	enum weir_reason why;

	if (!is_node_socket(ctx, c))
		return ALLOW;
	t.frontend = peer_addr(ctx, v6);
	t.frontend_port_be = ctx->user_port;
	why = choose(ctx, v6, c, &t);
	if (why)
		return refuse(ctx, why);
	if (!t.backend)
		return connect_as_is(ctx);
	s = socket_get(ctx, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s)
		return no_memory();
	s->connected = t;
	set_peer(ctx, v6, &t.peer, t.peer_port_be);
	count_call(WEIR_SOCKET);
	return ALLOW;
}

/* ---- Datagrams of sockets that are not connected, or go elsewhere ---- */

/*
 * May the socket's next datagram to that frontend go where the last one went? Not after a pause in
 * which a flow of packets would have ended.
 */
static __always_inline int is_current(struct bpf_sock_addr *ctx, const struct weir_config *c,
				      struct weir_translation *t)
{
	struct weir_frontend key = key_of(ctx, t);
	__u32 epoch = READ_WORD(c->service_epoch), now = tick_now();

	if (!t->backend || now - t->used > c->timeout[WEIR_TIMEOUT_UDP_ANSWERED])
		return 0;
	if (t->service_stamp != epoch && !backend_serves(t->backend, t->backend_generation,
							 frontend_service(frontend_word(&key))))
		return 0;
	t->service_stamp = epoch;
	t->used = now;
	return 1;
}

static __always_inline int is_frontend(const struct weir_translation *t,
				       const struct weir_addr *addr, __be16 port_be)
{
	return t->frontend_port_be == port_be && weir_addr_equal(&t->frontend, addr);
}

/* The place of that frontend, or else of the one used least recently. */
static __always_inline struct weir_translation *
datagram_place(struct weir_socket *s, const struct weir_addr *addr, __be16 port_be)
{
	struct weir_translation *oldest = &s->datagrams[0];

	for (int i = 0; i < WEIR_SOCKET_DATAGRAMS; i++) {
		struct weir_translation *t = &s->datagrams[i];

		if (is_frontend(t, addr, port_be))
			return t;
		if ((__s32)(t->sequence - oldest->sequence) < 0)
			oldest = t;
	}
	return oldest;
}

/* The datagram goes where t leads. */
static __always_inline int send_to(struct bpf_sock_addr *ctx, int v6, struct weir_socket *s,
				   struct weir_translation *t)
{
	t->sequence = ++s->sequence;
	set_peer(ctx, v6, &t->peer, t->peer_port_be);
	count_call(WEIR_SOCKET);
	return ALLOW;
}

static __always_inline int send_anew(struct bpf_sock_addr *ctx, int v6, const struct weir_config *c,
				     const struct weir_addr *addr, __be16 port_be)
{
	struct weir_translation t = { .frontend = *addr, .frontend_port_be = port_be }, *place;
	enum weir_reason why = choose(ctx, v6, c, &t);
	struct weir_socket *s;

	if (why)
		return refuse(ctx, why);
	if (!t.backend)
		return ALLOW;
	s = socket_get(ctx, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s)
		return no_memory();
	place = datagram_place(s, addr, port_be);
	*place = t;
	return send_to(ctx, v6, s, place);
}

static __always_inline int on_sendmsg(struct bpf_sock_addr *ctx, int v6)
{
	struct weir_config *c = config_get();
	struct weir_translation *t;
	struct weir_socket *s;
	struct weir_addr addr;
	__be16 port_be;

	if (!is_node_socket(ctx, c))
		return ALLOW;
	addr = peer_addr(ctx, v6);
	port_be = ctx->user_port;
	s = socket_get(ctx, 0);
	if (s) {
		t = datagram_place(s, &addr, port_be);
		if (is_frontend(t, &addr, port_be) && is_current(ctx, c, t))
			return send_to(ctx, v6, s, t);
	}
	return send_anew(ctx, v6, c, &addr, port_be);
}

/* ---- Back to the frontend ---- */

static __always_inline int is_peer(const struct weir_translation *t, const struct weir_addr *addr,
				   __be16 port_be)
{
	return t->backend && t->peer_port_be == port_be && weir_addr_equal(&t->peer, addr);
}

static __always_inline int on_getpeername(struct bpf_sock_addr *ctx, int v6)
{
	struct weir_addr addr;
	struct weir_socket *s;

	if (!is_node_socket(ctx, config_get()))
		return ALLOW;
	addr = peer_addr(ctx, v6);
	s = socket_get(ctx, 0);
	if (s && is_peer(&s->connected, &addr, ctx->user_port))
		set_peer(ctx, v6, &s->connected.frontend, s->connected.frontend_port_be);
	return ALLOW;
}

/* Two frontends of a socket may have led to one backend: then the answer is of the later one. */
static __always_inline struct weir_translation *
answered(struct weir_socket *s, const struct weir_addr *addr, __be16 port_be)
{
	struct weir_translation *found = NULL;

	for (int i = 0; i < WEIR_SOCKET_DATAGRAMS; i++) {
		struct weir_translation *t = &s->datagrams[i];

		if (is_peer(t, addr, port_be) &&
		    (!found || (__s32)(t->sequence - found->sequence) > 0))
			found = t;
	}
	return found ? found : is_peer(&s->connected, addr, port_be) ? &s->connected : NULL;
}

static __always_inline int on_recvmsg(struct bpf_sock_addr *ctx, int v6)
{
	struct weir_translation *t;
	struct weir_addr addr;
	struct weir_socket *s;

	if (!is_node_socket(ctx, config_get()))
		return ALLOW;
	s = socket_get(ctx, 0);
	if (!s)
		return ALLOW;
	addr = peer_addr(ctx, v6);
	t = answered(s, &addr, ctx->user_port);
	if (t)
		set_peer(ctx, v6, &t->frontend, t->frontend_port_be);
	return ALLOW;
}

/* ---- Programs ---- */

#define PROGRAM(call, family)                       \
	SEC("cgroup/" #call #family)                \
	int call##family(struct bpf_sock_addr *ctx) \
	{                                           \
		return on_##call(ctx, family == 6); \
	}

PROGRAM(connect, 4)
PROGRAM(connect, 6)
PROGRAM(getpeername, 4)
PROGRAM(getpeername, 6)
PROGRAM(sendmsg, 4)
PROGRAM(sendmsg, 6)
PROGRAM(recvmsg, 4)
PROGRAM(recvmsg, 6)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
