// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Finds what no packet and no call of a process can: connected UDP sockets of the node whose
 * backend does not serve any more (SVC-91, SVC-92). Their sends have no destination that sock.bpf.c
 * could change. Runs for each UDP socket of the network namespace of its reader; user space ends
 * those that it writes. A separate object: kernels without BTF refuse it.
 */
#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "frontend.bpf.h"

#define AF_INET 2
#define ESTABLISHED 1 /* TCP_ESTABLISHED: also of connected UDP sockets */

struct in6_words {
	__be32 w[4];
};

/* The members read of the kernel's types; the loader relocates them. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	int skc_bound_dev_if;
	struct in6_words skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
};
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk; /* begins with a struct sock */
};
#pragma clang attribute pop

static __always_inline struct weir_addr addr_of(const struct sock_common *sk, __be32 v4,
						const struct in6_words *v6)
{
	struct weir_addr a;

	if (sk->skc_family == AF_INET)
		return weir_addr_from_v4(v4);
	a.w[0] = v6->w[0];
	a.w[1] = v6->w[1];
	a.w[2] = v6->w[2];
	a.w[3] = v6->w[3];
	return a;
}

static __always_inline void describe(const struct sock_common *sk, const struct weir_socket *s,
				     struct weir_stale_socket *ret)
{
	ret->peer = addr_of(sk, sk->skc_daddr, &sk->skc_v6_daddr);
	ret->local = addr_of(sk, sk->skc_rcv_saddr, &sk->skc_v6_rcv_saddr);
	ret->peer_port_be = sk->skc_dport;
	ret->local_port_be = bpf_htons(sk->skc_num);
	ret->family = sk->skc_family;
	ret->device = sk->skc_bound_dev_if;
	ret->cookie = s->cookie;
}

static __always_inline int is_stale(const struct weir_translation *t)
{
	struct weir_frontend key = { .addr = t->frontend,
				     .port_be = t->frontend_port_be,
				     .proto = IPPROTO_UDP };

	return !backend_serves(t->backend, t->backend_generation,
			       frontend_service(frontend_word(&key)));
}

/*
 * A socket that was connected elsewhere, or disconnected, since has another peer. RACE: before 6.5
 * the socket is not locked here, and may be connected meanwhile: user space names tuple and cookie
 * of what it ends.
 */
SEC("iter/udp")
int stale_sockets(struct bpf_iter__udp *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct sock *sk = (struct sock *)ctx->udp_sk;
	struct weir_stale_socket out = {};
	struct weir_socket *s;

	if (!sk || sk->__sk_common.skc_state != ESTABLISHED)
		return 0;
	s = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!s || !s->connected.backend)
		return 0;
	describe(&sk->__sk_common, s, &out);
	if (out.peer_port_be == s->connected.peer_port_be &&
	    weir_addr_equal(&out.peer, &s->connected.peer) && is_stale(&s->connected))
		bpf_seq_write(seq, &out, sizeof(out));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
