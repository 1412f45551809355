/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A private datapath for one test: the real programs on small, unpinned maps, devices in a private
 * network namespace, setters for every table, and packets sent by BPF_PROG_TEST_RUN. Tests write
 * the tables by hand, so that they say exactly what the kernel sees; the compiler and the loader
 * are not involved.
 */
#pragma once

#include <weir/limits.h>
#include <weir/maps.h>

#include "lib/packet.h"

/* Addresses of the tests. A pod of this node has slot PROG_SLOT() and device PROG_DEVICE(). */
enum party {
	POD_A,
	POD_B,
	POD_C,
	POD_D,
	_LOCAL_MAX,
	REMOTE_A = _LOCAL_MAX, /* pods of another node, or the world */
	REMOTE_B,
	NODE, /* recorded as OWN */
	OTHER_NODE,
	VIP_1,
	VIP_2,
	VIP_3,
	UNLISTED, /* in no table */
	CLIENT, /* outside, as UNLISTED */
	CLIENT_2,
	_PARTY_MAX,
};

#define PROG_SLOT(pod) ((uint32_t)(pod) + 1)
#define PROG_DEVICE(pod) (100 + (uint32_t)(pod))
/*
 * Devices to the network. By UPLINK_2 leads the way to REMOTE_B, and its MTU is PROG_MTU_2; all
 * else goes by the first. Clients have no address that a table knows.
 */
#define PROG_UPLINK 90
#define PROG_BRIDGE 91
#define PROG_UPLINK_2 92
#define PROG_MTU_2 1400

enum prog_hook {
	PROG_FROM_POD,
	PROG_TO_POD,
	PROG_FROM_UPLINK,
	PROG_TO_UPLINK,
	PROG_POD_OUTSIDE, /* what from_pod enters by tail call */
};

/* Where a packet arrives. */
struct prog_arrival {
	enum prog_hook hook;
	enum party pod; /* at this pod's device */
	uint32_t uplink; /* or at this uplink */
	uint32_t from; /* device that the packet came in by; 0: sent by a socket of this node */
};

#define FROM_POD(pod) ((struct prog_arrival){ PROG_FROM_POD, pod, 0, PROG_DEVICE(pod) })
#define TO_POD(pod, from) ((struct prog_arrival){ PROG_TO_POD, pod, 0, from })
#define FROM_UPLINK(device) ((struct prog_arrival){ PROG_FROM_UPLINK, 0, device, device })
#define TO_UPLINK(device) ((struct prog_arrival){ PROG_TO_UPLINK, 0, device, 0 })

struct prog_sizes {
	uint32_t conntrack; /* 0: 1024 */
	uint32_t half_open; /* bound of half-open flows; 0: none */
	uint32_t share; /* entries that one bucket of pods may hold; 0: all */
	uint32_t tables; /* all others; 0: 1024 */
};

struct prog_env {
	struct pod_bpf *pod;
	struct uplink_bpf *uplink; /* loaded by prog_uplinks() */
	struct map_word_bpf *map_word;
	struct gc_bpf *gc;
	int family; /* 0 IPv4, 1 IPv6 */
	int cpus;
	uint64_t counters[_WEIR_REASON_MAX];
	uint32_t generation[_LOCAL_MAX];
	struct prog_sizes sizes;
	bool loaded, gc_started;
};

/* What the programs did with a packet. */
struct prog_sent {
	int verdict; /* TC_ACT_*; TC_ACT_REDIRECT for a redirect */
	int reason; /* enum weir_reason that was counted; -1: none or more than one */
	struct packet out;
	struct weir_decision decision;
};

/*
 * Programs, pods A to D with both addresses, NODE, the default of networks, and set 0 for every
 * pod. On failure (no root) NULL, with the reason on stderr.
 */
struct prog_env *prog_env_new(int family, const struct prog_sizes *sizes);
void prog_env_free(struct prog_env *env);
bool prog_env_possible(void);

void prog_mac(enum party pod, uint8_t ret_mac[6]); /* of a pod of this node */
struct weir_addr prog_addr(const struct prog_env *env, enum party party);
int prog_map(const struct prog_env *env, const char *name); /* fd */

/* Tables. Each setter fails the test when the kernel refuses. */
void prog_set(const struct prog_env *env, const char *map, const void *key, const void *value);
void prog_get(const struct prog_env *env, const char *map, const void *key, void *ret_value);
void prog_unset(const struct prog_env *env, const char *map, const void *key);
void prog_pod(struct prog_env *env, enum party pod, uint32_t ingress_set, uint32_t egress_set,
	      uint32_t identity, uint32_t flags);
/* Another attachment in the same slot: a new generation. */
void prog_pod_renew(struct prog_env *env, enum party pod);
void prog_identity(const struct prog_env *env, enum party party, uint32_t identity);
void prog_network(const struct prog_env *env, const char *cidr, uint32_t identity);
void prog_policy_default(const struct prog_env *env, uint32_t set, uint64_t word);
void prog_policy(const struct prog_env *env, uint32_t set, uint32_t identity, uint64_t word);
void prog_ranges(const struct prog_env *env, uint32_t offset, const struct weir_port_range *ranges,
		 uint32_t n);
void prog_backend(const struct prog_env *env, uint32_t id, uint32_t service, enum party party,
		  uint16_t port, uint32_t generation);
/* Clears the serving flag; the generation stays. */
void prog_backend_stops(const struct prog_env *env, uint32_t id);
/* offset, len: extent of backend_slots. */
void prog_service(const struct prog_env *env, uint32_t id, uint64_t flags, uint32_t offset,
		  uint32_t len);
void prog_backend_slots(const struct prog_env *env, uint32_t offset, const uint32_t *backends,
			uint32_t n);
void prog_frontend(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		   uint32_t service);
/* An external frontend, without the element of a cluster IP; flags beside EXTERNAL. */
void prog_external(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		   uint32_t service, uint32_t flags);
/* The same at all addresses of this node, with NODE as the only one that serves node ports. */
void prog_node_port(const struct prog_env *env, uint16_t port, uint8_t proto, uint32_t service);
void prog_node_port_gone(const struct prog_env *env, uint16_t port, uint8_t proto);
/* Sources of party's address alone may use the load balancer addresses of the service. */
void prog_source(const struct prog_env *env, uint32_t service, enum party party);
/* The lists of a service whose external ones differ, each with its extent. */
void prog_service_lists(const struct prog_env *env, uint32_t id, uint32_t flags,
			const uint64_t extents[_WEIR_LIST_MAX]);
void prog_frontend_gone(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto);
/* Service id (1 to 3) at VIP_<id>:port with one backend of the same id, which serves. */
void prog_serve(const struct prog_env *env, uint32_t id, uint16_t port, uint8_t proto,
		enum party backend, uint16_t target);
/*
 * Loads the programs of uplinks, and makes both uplinks known: NODE is the source address of
 * connections that leave by the first, OTHER_SOURCE by the second.
 */
void prog_uplinks(struct prog_env *env);
struct weir_addr prog_uplink_addr(const struct prog_env *env, uint32_t uplink);
/*
 * Service id with that backend, which serves, in all lists; no frontend. prog_frontend_at() adds
 * one.
 */
void prog_serve_all(const struct prog_env *env, uint32_t id, enum party backend, uint16_t target,
		    uint32_t flags);
/* flags: enum weir_frontend_flag */
void prog_frontend_at(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		      uint32_t service, uint32_t flags);
struct weir_config prog_config(const struct prog_env *env);
void prog_config_set(const struct prog_env *env, const struct weir_config *config);
void prog_policy_epoch(const struct prog_env *env); /* raises it */
void prog_service_epoch(const struct prog_env *env);
void prog_enforcement(const struct prog_env *env, enum weir_enforcement mode);

/* Packets. */
struct packet_spec prog_tcp(const struct prog_env *env, enum party src, uint16_t sport,
			    enum party dst, uint16_t dport, uint8_t flags);
struct packet_spec prog_udp(const struct prog_env *env, enum party src, uint16_t sport,
			    enum party dst, uint16_t dport);
struct packet_spec prog_echo(const struct prog_env *env, enum party src, enum party dst,
			     uint16_t id, bool reply);
/* What pods send without a source MAC gets the sender's. */
struct prog_sent prog_send(struct prog_env *env, struct prog_arrival at,
			   const struct packet *packet);
struct prog_sent prog_from(struct prog_env *env, enum party pod, const struct packet_spec *spec);
struct prog_sent prog_to(struct prog_env *env, enum party pod, uint32_t from,
			 const struct packet_spec *spec);
struct prog_sent prog_in(struct prog_env *env, uint32_t uplink, const struct packet_spec *spec);
struct prog_sent prog_out(struct prog_env *env, uint32_t uplink, const struct packet_spec *spec);
/* Returns the verdict; reads no counters. For threads and loops. */
int prog_run_raw(const struct prog_env *env, struct prog_arrival at, const struct packet *packet,
		 struct packet *ret_out);

/* Connections. */
bool prog_flow(const struct prog_env *env, const struct packet_spec *spec, uint8_t zone,
	       struct weir_flow *ret_flow);
uint32_t prog_flow_count(const struct prog_env *env);
/* Makes every entry older. */
void prog_flows_age(const struct prog_env *env, uint32_t ticks);
/*
 * NULL, or what is wrong: a gc slot lost or held twice, a flow without its reverse entry.
 * *ret_orphans: used gc slots without a flow; with ret_orphans NULL these are an error.
 */
const char *prog_gc_slots_check(const struct prog_env *env, uint32_t *ret_orphans);
/* Starts gc on the same maps. */
void prog_gc_start(struct prog_env *env);
uint64_t prog_gc_rounds(const struct prog_env *env);

/* Assertions, as macros so that a failure names the line of the test. */
#define assert_sent(sent, want_verdict, want_reason)                                       \
	do {                                                                               \
		struct prog_sent _sent = (sent);                                           \
		if (_sent.verdict != (want_verdict) || _sent.reason != (int)(want_reason)) \
			fail_msg("verdict %d reason %s, not %d %s", _sent.verdict,         \
				 prog_reason(_sent.reason), (want_verdict),                \
				 prog_reason(want_reason));                                \
	} while (0)
#define assert_passed(sent) assert_sent(sent, -1 /* TC_ACT_UNSPEC */, WEIR_FORWARDED)
#define assert_untouched(sent) assert_sent(sent, -1 /* TC_ACT_UNSPEC */, -1 /* not counted */)
#define assert_redirected(sent) assert_sent(sent, 7 /* TC_ACT_REDIRECT */, WEIR_FORWARDED)
#define assert_rejected(sent, reason) assert_sent(sent, 7 /* back to the sender */, reason)
#define assert_dropped(sent, reason) assert_sent(sent, 2 /* TC_ACT_SHOT */, reason)
const char *prog_reason(int reason);

/* The output equals the packet that spec describes, byte for byte; MACs only if spec has them. */
#define assert_packet(packet, spec)                                     \
	do {                                                            \
		const char *_wrong = prog_packet_differs(packet, spec); \
		if (_wrong)                                             \
			fail_msg("%s", _wrong);                         \
	} while (0)
const char *prog_packet_differs(const struct packet *got, const struct packet_spec *want);

/* A test for both families; *state of f is a struct prog_env *. */
#define FOR_BOTH(f) PROG_TEST_V4(f), PROG_TEST_V6(f)
#define PROG_TEST_V4(f)                                         \
	{                                                       \
#f "_v4", f, prog_setup_v4, prog_teardown, NULL \
	}
#define PROG_TEST_V6(f)                                         \
	{                                                       \
#f "_v6", f, prog_setup_v6, prog_teardown, NULL \
	}
int prog_setup_v4(void **state);
int prog_setup_v6(void **state);
int prog_teardown(void **state);
/* Runs a group, or prints a TAP skip without root. */
#define prog_tests_run(tests) (prog_env_possible() ? cmocka_run_group_tests(tests, NULL, NULL) : 0)

/* The programs' clock, in ticks of 2^WEIR_TICK_SHIFT ns. */
uint32_t prog_ticks_now(void);
/* Waits until the programs on every CPU read a clock that is this many ticks further. */
void prog_ticks_pass(uint32_t ticks);
