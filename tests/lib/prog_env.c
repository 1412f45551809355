// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The real programs on private maps, for prog tests. See prog_env.h. Touches nothing that is
 * pinned, and no device outside its own network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/prog_clear.h"
#include "lib/prog_env.h"

#include "gc.skel.h"
#include "map_word.skel.h"
#include "pod.skel.h"
#include "uplink.skel.h"
#include <weir/limits.h>

#define SMALL_MAP 1024
#define DEFAULT_CONNTRACK 1024
#define TICKS_PER_S (1000000000 >> WEIR_TICK_SHIFT)
#define JIFFY_MAX_NS 10000000 /* HZ 100 */
#define TICKS_PATIENCE_MS 20000

static void must(int r, const char *what)
{
	if (r)
		fail_msg("%s: %s", what, strerror(r < 0 ? -r : errno));
}

const char *prog_reason(int reason)
{
	static const char *const names[] = {
#define NAME(name, kind, label, text) label,
		WEIR_REASONS(NAME)
#undef NAME
	};

	return reason >= 0 && reason < _WEIR_REASON_MAX ? names[reason] : "(none, or several)";
}

/*
 * ---- Set-up -----------------------------------------------------------------------------------
 */

bool prog_env_possible(void)
{
	if (!geteuid())
		return true;
	printf("1..0 # SKIP needs root for bpf(2)\n");
	return false;
}

/* Forwarding must be on before the devices are made, or they do not have it. */
static int make_uplinks(void)
{
	static const char command[] =
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		"net.ipv6.conf.default.forwarding=1 && "
		"ip link set lo up && "
		"ip link add up0 index 90 address 02:00:00:00:09:00 type veth peer name far0 index 190 && "
		"ip link add up1 index 92 mtu 1400 address 02:00:00:00:09:01 type veth peer name far1 index 192 && "
		"for d in up0 far0 up1 far1; do ip link set $d up; done && "
		"ip route add 10.0.0.0/8 via 10.0.3.99 dev up0 onlink && "
		"ip -6 route add fd00::/16 via fe80::99 dev up0 onlink && "
		"ip route add 10.0.2.15 via 10.0.2.99 dev up1 onlink && "
		"ip -6 route add fd00::2:f via fe80::99 dev up1 onlink";

	return system(command) ? -EIO : 0;
}

/* One namespace a process; its devices are uplinks and the host ends of the pods. */
static int make_devices(void)
{
	static bool made;
	char command[160];

	if (made)
		return 0;
	if (unshare(CLONE_NEWNET))
		return -errno;
	if (make_uplinks())
		return -EIO;
	for (int i = 0; i < _LOCAL_MAX; i++) {
		snprintf(command, sizeof(command),
			 "ip link add pod%d index %u type veth peer name peer%d index %u", i,
			 PROG_DEVICE(i), i, PROG_DEVICE(i) + 100);
		if (system(command))
			return -EIO;
	}
	made = true;
	return 0;
}

/* The decision is per CPU: test runs must stay on the CPU that it is read from. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void size_maps(struct bpf_object *obj, const struct prog_sizes *sizes)
{
	uint32_t conntrack = sizes->conntrack ? sizes->conntrack : DEFAULT_CONNTRACK;
	uint32_t tables = sizes->tables ? sizes->tables : SMALL_MAP;
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		const char *name = bpf_map__name(map);
		uint32_t max = bpf_map__max_entries(map);

		if (!strcmp(name, "conntrack") || !strcmp(name, "gc_slots") ||
		    !strcmp(name, "gc_free"))
			max = conntrack;
		else if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
			max = sysconf(_SC_PAGESIZE);
		else if (max > tables && strcmp(name, "flow_shares") && strcmp(name, "rejects") &&
			 strcmp(name, "fragments"))
			max = tables;
		bpf_map__set_max_entries(map, max);
	}
}

/* Like pinned maps: the object uses the maps of another one instead of its own. */
static void share_maps(struct bpf_object *obj, struct bpf_object *with)
{
	struct bpf_map *map, *other;

	bpf_object__for_each_map(map, obj)
	{
		other = bpf_object__find_map_by_name(with, bpf_map__name(map));
		if (other)
			bpf_map__reuse_fd(map, bpf_map__fd(other));
	}
}

static int load_programs(struct prog_env *env, const struct prog_sizes *sizes)
{
	env->pod = pod_bpf__open();
	if (!env->pod)
		return -errno;
	size_maps(env->pod->obj, sizes);
	if (pod_bpf__load(env->pod))
		return -errno;
	env->map_word = map_word_bpf__open();
	env->gc = gc_bpf__open();
	if (!env->map_word || !env->gc)
		return -errno;
	share_maps(env->map_word->obj, env->pod->obj);
	share_maps(env->gc->obj, env->pod->obj);
	return map_word_bpf__load(env->map_word) || gc_bpf__load(env->gc) ? -errno : 0;
}

static void unload_programs(struct prog_env *env)
{
	uplink_bpf__destroy(env->uplink);
	gc_bpf__destroy(env->gc);
	map_word_bpf__destroy(env->map_word);
	pod_bpf__destroy(env->pod);
	env->uplink = NULL;
	env->gc = NULL;
	env->map_word = NULL;
	env->pod = NULL;
}

/* Programs of finished tests, of several sizes, kept for the next ones with WEIR_PROG_REUSE. */
#define SPARES 4
static struct prog_env *spares[SPARES];

/* False where gc was started: its timer cannot be stopped. */
static bool keep_programs(struct prog_env *env)
{
	if (!getenv("WEIR_PROG_REUSE") || !env->loaded || env->gc_started)
		return false;
	for (int i = 0; i < SPARES; i++)
		if (!spares[i]) {
			spares[i] = env;
			return true;
		}
	return false;
}

/* The spare programs whose maps have these sizes. */
static struct prog_env *spare_of(const struct prog_sizes *sizes)
{
	struct prog_env *found;

	for (int i = 0; i < SPARES; i++)
		if (spares[i] && !memcmp(&spares[i]->sizes, sizes, sizeof(*sizes))) {
			found = spares[i];
			spares[i] = NULL;
			return found;
		}
	return NULL;
}

static bool take_programs(struct prog_env *env, const struct prog_sizes *sizes)
{
	struct prog_env *old = spare_of(sizes);
	bool cleared;

	if (!old)
		return false;
	cleared = !prog_maps_clear(old->pod->obj);
	if (cleared) {
		env->pod = old->pod;
		env->uplink = old->uplink;
		env->map_word = old->map_word;
		env->gc = old->gc;
	} else {
		unload_programs(old);
	}
	free(old);
	return cleared;
}

static int get_programs(struct prog_env *env, const struct prog_sizes *sizes)
{
	int r = take_programs(env, sizes) ? 0 : load_programs(env, sizes);

	env->sizes = *sizes;
	env->loaded = !r;
	return r;
}

static void fill_config(const struct prog_env *env)
{
	static const uint32_t seconds[_WEIR_TIMEOUT_MAX] = {
		[WEIR_TIMEOUT_TCP_OPENING] = WEIR_TCP_OPENING_S,
		[WEIR_TIMEOUT_TCP_OPEN] = WEIR_TCP_OPEN_S,
		[WEIR_TIMEOUT_TCP_CLOSING] = WEIR_TCP_CLOSING_S,
		[WEIR_TIMEOUT_UDP_ONE_WAY] = WEIR_UDP_ONE_WAY_S,
		[WEIR_TIMEOUT_UDP_ANSWERED] = WEIR_UDP_ANSWERED_S,
		[WEIR_TIMEOUT_ECHO] = WEIR_ECHO_S,
		[WEIR_TIMEOUT_OTHER] = WEIR_OTHER_S,
	};
	struct weir_config config = {
		.policy_epoch = 1,
		.service_epoch = 1,
		.layout_version = WEIR_LAYOUT_VERSION,
		.gc_slice = WEIR_GC_SLICE,
		.gc_interval_us = WEIR_GC_INTERVAL_US,
		.gc_slots = bpf_map__max_entries(env->pod->maps.gc_slots),
		.hairpin = { WEIR_HAIRPIN_V4, WEIR_HAIRPIN_V6 },
	};

	for (int i = 0; i < _WEIR_TIMEOUT_MAX; i++)
		config.timeout[i] = seconds[i] * TICKS_PER_S;
	config.half_open_max = env->sizes.half_open ? env->sizes.half_open : config.gc_slots;
	config.flow_share = env->sizes.share ? env->sizes.share : config.gc_slots;
	config.half_open_share = env->sizes.half_open ? config.half_open_max / WEIR_SHARE_PARTS
						      : config.half_open_max;
	prog_config_set(env, &config);
	for (uint32_t i = 0; i < config.gc_slots; i++)
		must(bpf_map_update_elem(prog_map(env, "gc_free"), NULL, &i, 0), "gc_free");
}

static void fill_tables(struct prog_env *env)
{
	uint32_t own = WEIR_NODE_OWN, other = WEIR_NODE_OTHER;
	struct weir_addr node = prog_addr(env, NODE), other_node = prog_addr(env, OTHER_NODE);

	fill_config(env);
	/* always present: otherwise ::/0 would match IPv4 (NP-29) */
	prog_network(env, "0.0.0.0/0", WEIR_IDENTITY_NONE);
	prog_set(env, "nodes", &node, &own);
	prog_set(env, "nodes", &other_node, &other);
	for (int pod = 0; pod < _LOCAL_MAX; pod++)
		prog_pod(env, pod, 0, 0, WEIR_IDENTITY_NONE, 0);
}

struct prog_env *prog_env_new(int family, const struct prog_sizes *sizes)
{
	static const struct prog_sizes defaults;
	struct prog_env *env = mem_zalloc(sizeof(*env));
	int r;

	env->family = family;
	env->cpus = libbpf_num_possible_cpus();
	r = make_devices();
	if (!r) {
		stay_on_this_cpu();
		r = get_programs(env, sizes ? sizes : &defaults);
	}
	if (r) {
		fprintf(stderr, "# no datapath to test: %s\n", strerror(-r));
		prog_env_free(env);
		return NULL;
	}
	fill_tables(env);
	return env;
}

void prog_env_free(struct prog_env *env)
{
	if (!env)
		return;
	if (keep_programs(env))
		return;
	unload_programs(env);
	free(env);
}

static int setup(void **state, int family)
{
	*state = prog_env_new(family, NULL);
	return *state ? 0 : -1;
}

int prog_setup_v4(void **state)
{
	return setup(state, 0);
}

int prog_setup_v6(void **state)
{
	return setup(state, 1);
}

int prog_teardown(void **state)
{
	prog_env_free(*state);
	*state = NULL;
	return 0;
}

/*
 * ---- Tables -----------------------------------------------------------------------------------
 */

/* IPv4 10.0.<group>.<n>, IPv6 fd00::<group>:<n>; the lowest byte is unique. */
static struct weir_addr addr_of(int family, enum party party)
{
	uint8_t group = party < _LOCAL_MAX ? 1
			: party < NODE     ? 2
			: party < VIP_1    ? 3
			: party < UNLISTED ? 96
					   : 5;
	struct weir_addr a = { .b = { 0xfd, [13] = group, [15] = 10 + party } };

	return family ? a : weir_addr_from_v4(htonl(10u << 24 | group << 8 | (10 + party)));
}

struct weir_addr prog_addr(const struct prog_env *env, enum party party)
{
	return addr_of(env->family, party);
}

int prog_map(const struct prog_env *env, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(env->pod->obj, name);

	if (fd < 0)
		fail_msg("no map %s", name);
	return fd;
}

void prog_set(const struct prog_env *env, const char *map, const void *key, const void *value)
{
	must(bpf_map_update_elem(prog_map(env, map), key, value, BPF_ANY), map);
}

void prog_get(const struct prog_env *env, const char *map, const void *key, void *ret_value)
{
	must(bpf_map_lookup_elem(prog_map(env, map), key, ret_value), map);
}

void prog_unset(const struct prog_env *env, const char *map, const void *key)
{
	must(bpf_map_delete_elem(prog_map(env, map), key), map);
}

void prog_mac(enum party pod, uint8_t ret_mac[6])
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 1, PROG_SLOT(pod) };

	memcpy(ret_mac, mac, sizeof(mac));
}

void prog_pod(struct prog_env *env, enum party party, uint32_t ingress_set, uint32_t egress_set,
	      uint32_t identity, uint32_t flags)
{
	uint32_t slot = PROG_SLOT(party), device = PROG_DEVICE(party);
	struct weir_attachment attachment = { .slot = slot };
	struct weir_pod pod = {
		.word = weir_pod_word(ingress_set, egress_set, flags),
		.identity = { identity, identity },
		.ref = weir_ref(slot, env->generation[party]),
		.ifindex = device,
		.addr = { addr_of(0, party), addr_of(1, party) },
	};

	prog_mac(party, pod.mac);
	prog_set(env, "pods", &slot, &pod);
	prog_set(env, "attachments", &device, &attachment);
	for (int family = 0; family < 2; family++) {
		prog_set(env, "endpoints", &pod.addr[family], &slot);
		prog_set(env, "identities", &pod.addr[family], &identity);
	}
}

void prog_pod_renew(struct prog_env *env, enum party party)
{
	uint32_t slot = PROG_SLOT(party);
	struct weir_pod pod;

	must(bpf_map_lookup_elem(prog_map(env, "pods"), &slot, &pod), "pods");
	pod.ref = weir_ref(slot, ++env->generation[party]);
	prog_set(env, "pods", &slot, &pod);
}

void prog_identity(const struct prog_env *env, enum party party, uint32_t identity)
{
	struct weir_addr addr = prog_addr(env, party);

	prog_set(env, "identities", &addr, &identity);
}

void prog_network(const struct prog_env *env, const char *text, uint32_t identity)
{
	struct weir_prefix prefix;
	struct cidr cidr;

	must(cidr_parse(text, &cidr), text);
	prefix = (struct weir_prefix){ .prefix_len = cidr.len, .addr = cidr.addr };
	prog_set(env, "networks", &prefix, &identity);
}

void prog_policy_default(const struct prog_env *env, uint32_t set, uint64_t word)
{
	prog_set(env, "policy_sets", &set, &word);
}

void prog_policy(const struct prog_env *env, uint32_t set, uint32_t identity, uint64_t word)
{
	struct weir_policy_key key = { .set = set, .identity = identity };

	prog_set(env, "policy_rules", &key, &word);
}

void prog_ranges(const struct prog_env *env, uint32_t offset, const struct weir_port_range *ranges,
		 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = offset + i;

		prog_set(env, "port_ranges", &at, &ranges[i]);
	}
}

void prog_backend(const struct prog_env *env, uint32_t id, uint32_t service, enum party party,
		  uint16_t port, uint32_t generation)
{
	struct weir_backend backend = {
		.addr = prog_addr(env, party),
		.port_be = htons(port),
		.flags = WEIR_BACKEND_TAKEN | WEIR_BACKEND_SERVING,
		.service = service,
		.generation = generation,
	};

	prog_set(env, "backends", &id, &backend);
}

void prog_backend_stops(const struct prog_env *env, uint32_t id)
{
	struct weir_backend backend;

	assert_int_equal(bpf_map_lookup_elem(prog_map(env, "backends"), &id, &backend), 0);
	backend.flags &= ~WEIR_BACKEND_SERVING;
	prog_set(env, "backends", &id, &backend);
}

void prog_service(const struct prog_env *env, uint32_t id, uint64_t flags, uint32_t offset,
		  uint32_t len)
{
	struct weir_service service = { .extents[WEIR_LIST_INTERNAL] = weir_extent(offset, len),
					.flags = flags };

	prog_set(env, "services", &id, &service);
}

void prog_backend_slots(const struct prog_env *env, uint32_t offset, const uint32_t *backends,
			uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = offset + i;
		uint64_t value = backends[i];

		prog_set(env, "backend_slots", &at, &value);
	}
}

static struct weir_frontend frontend_of(const struct prog_env *env, enum party vip, uint16_t port,
					uint8_t proto)
{
	return (struct weir_frontend){ .addr = prog_addr(env, vip),
				       .port_be = htons(port),
				       .proto = proto };
}

void prog_frontend(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		   uint32_t service)
{
	struct weir_frontend any = frontend_of(env, vip, 0, 0),
			     one = frontend_of(env, vip, port, proto);
	uint64_t none = 0, word = weir_frontend_word(service, 0);

	prog_set(env, "frontends", &any, &none);
	prog_set(env, "frontends", &one, &word);
}

void prog_external(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		   uint32_t service, uint32_t flags)
{
	struct weir_frontend key = frontend_of(env, vip, port, proto);
	uint64_t word = weir_frontend_word(service, WEIR_FRONTEND_EXTERNAL | flags);

	prog_set(env, "frontends", &key, &word);
}

static struct weir_frontend node_port_of(const struct prog_env *env, uint16_t port, uint8_t proto)
{
	struct weir_addr node = prog_addr(env, NODE);

	return (struct weir_frontend){
		.addr = weir_addr_is_v4(&node) ? weir_addr_from_v4(0) : (struct weir_addr){},
		.port_be = htons(port),
		.proto = proto,
		.scope = WEIR_SCOPE_NODE_PORT,
	};
}

void prog_node_port(const struct prog_env *env, uint16_t port, uint8_t proto, uint32_t service)
{
	struct weir_frontend key = node_port_of(env, port, proto);
	uint64_t word = weir_frontend_word(service, WEIR_FRONTEND_EXTERNAL);
	uint32_t kind = WEIR_NODE_OWN | WEIR_NODE_PORTS;
	struct weir_addr node = prog_addr(env, NODE);

	prog_set(env, "frontends", &key, &word);
	prog_set(env, "nodes", &node, &kind);
}

void prog_node_port_gone(const struct prog_env *env, uint16_t port, uint8_t proto)
{
	struct weir_frontend key = node_port_of(env, port, proto);

	prog_unset(env, "frontends", &key);
}

void prog_source(const struct prog_env *env, uint32_t service, enum party party)
{
	struct weir_source_range key = { .prefix_len = WEIR_SOURCE_RANGE_BITS + 128,
					 .service = service,
					 .addr = prog_addr(env, party) };
	uint32_t allowed = 1;

	prog_set(env, "source_ranges", &key, &allowed);
}

void prog_service_lists(const struct prog_env *env, uint32_t id, uint32_t flags,
			const uint64_t extents[_WEIR_LIST_MAX])
{
	struct weir_service service = { .flags = flags };

	memcpy(service.extents, extents, sizeof(service.extents));
	prog_set(env, "services", &id, &service);
}

void prog_frontend_gone(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto)
{
	struct weir_frontend key = frontend_of(env, vip, port, proto);

	prog_unset(env, "frontends", &key);
}

void prog_serve(const struct prog_env *env, uint32_t id, uint16_t port, uint8_t proto,
		enum party backend, uint16_t target)
{
	prog_backend(env, id, id, backend, target, 0);
	prog_backend_slots(env, id, &id, 1);
	prog_service(env, id, WEIR_SERVICE_USABLE, id, 1);
	prog_frontend(env, VIP_1 + id - 1, port, proto, id);
}

/* ---- Uplinks ---- */

static void set_uplink(const struct prog_env *env, uint32_t device)
{
	struct weir_uplink uplink = {};

	uplink.addr[env->family] = prog_uplink_addr(env, device);
	prog_set(env, "uplinks", &device, &uplink);
}

void prog_uplinks(struct prog_env *env)
{
	const uint32_t at = WEIR_TAIL_CALL_POD_OUTSIDE;
	struct weir_addr node = prog_addr(env, NODE), second = prog_uplink_addr(env, PROG_UPLINK_2);
	uint32_t kind = WEIR_NODE_OWN | WEIR_NODE_PORTS;
	int fd;

	if (!env->uplink) {
		env->uplink = uplink_bpf__open();
		assert_non_null(env->uplink);
		share_maps(env->uplink->obj, env->pod->obj);
		must(uplink_bpf__load(env->uplink), "programs of uplinks");
	}
	fd = bpf_program__fd(env->uplink->progs.pod_outside);
	prog_set(env, "tail_calls", &at, &fd);
	prog_set(env, "nodes", &node, &kind);
	prog_set(env, "nodes", &second, &kind);
	set_uplink(env, PROG_UPLINK);
	set_uplink(env, PROG_UPLINK_2);
}

struct weir_addr prog_uplink_addr(const struct prog_env *env, uint32_t uplink)
{
	struct weir_addr a = prog_addr(env, NODE);

	if (uplink == PROG_UPLINK_2)
		a.b[14] = 2;
	return a;
}

void prog_serve_all(const struct prog_env *env, uint32_t id, enum party backend, uint16_t target,
		    uint32_t flags)
{
	struct weir_service service = { .flags = flags };

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		service.extents[list] = weir_extent(id, 1);
	prog_backend(env, id, id, backend, target, 0);
	prog_backend_slots(env, id, &id, 1);
	prog_set(env, "services", &id, &service);
}

void prog_frontend_at(const struct prog_env *env, enum party vip, uint16_t port, uint8_t proto,
		      uint32_t service, uint32_t flags)
{
	struct weir_frontend key = frontend_of(env, vip, port, proto);
	uint64_t word = weir_frontend_word(service, flags);

	prog_set(env, "frontends", &key, &word);
}

struct weir_config prog_config(const struct prog_env *env)
{
	struct weir_config config;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(prog_map(env, "config"), &zero, &config), "config");
	return config;
}

void prog_config_set(const struct prog_env *env, const struct weir_config *config)
{
	uint32_t zero = 0;

	prog_set(env, "config", &zero, config);
}

void prog_policy_epoch(const struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	config.policy_epoch++;
	prog_config_set(env, &config);
}

void prog_service_epoch(const struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	config.service_epoch++;
	prog_config_set(env, &config);
}

void prog_enforcement(const struct prog_env *env, enum weir_enforcement mode)
{
	struct weir_config config = prog_config(env);

	config.enforcement = mode;
	prog_config_set(env, &config);
}

/*
 * ---- Packets ----------------------------------------------------------------------------------
 */

struct packet_spec prog_tcp(const struct prog_env *env, enum party src, uint16_t sport,
			    enum party dst, uint16_t dport, uint8_t flags)
{
	return (struct packet_spec){
		.src = prog_addr(env, src),
		.dst = prog_addr(env, dst),
		.proto = IPPROTO_TCP,
		.sport = sport,
		.dport = dport,
		.tcp_flags = flags,
		.payload = flags & PSH ? 33 : 0,
	};
}

struct packet_spec prog_udp(const struct prog_env *env, enum party src, uint16_t sport,
			    enum party dst, uint16_t dport)
{
	struct packet_spec spec = prog_tcp(env, src, sport, dst, dport, 0);

	spec.proto = IPPROTO_UDP;
	spec.payload = 21;
	return spec;
}

struct packet_spec prog_echo(const struct prog_env *env, enum party src, enum party dst,
			     uint16_t id, bool reply)
{
	static const uint8_t type[2][2] = { { 8, 0 }, { 128, 129 } };

	return (struct packet_spec){
		.src = prog_addr(env, src),
		.dst = prog_addr(env, dst),
		.proto = env->family ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.icmp_type = type[env->family][reply],
		.icmp_id = id,
		.payload = 32,
	};
}

/* A frame without source MAC gets that of its sender, as a real one has it. */
static const struct packet *with_mac(struct prog_arrival at, const struct packet *packet,
				     struct packet *buf)
{
	static const uint8_t none[6];

	static const uint8_t uplink_mac[6] = { 2, 0, 0, 0, 9, 0 };

	*buf = *packet;
	if (at.hook == PROG_FROM_UPLINK && packet->len >= 12 && !memcmp(packet->data, none, 6)) {
		memcpy(buf->data, uplink_mac, 6);
		buf->data[5] = at.uplink == PROG_UPLINK_2;
		return buf;
	}
	if ((at.hook != PROG_FROM_POD && at.hook != PROG_POD_OUTSIDE) || packet->len < 12 ||
	    memcmp(packet->data + 6, none, 6))
		return packet;
	prog_mac(at.pod, buf->data + 6);
	return buf;
}

static struct bpf_program *program_of(const struct prog_env *env, enum prog_hook hook)
{
	switch (hook) {
	case PROG_FROM_POD:
		return env->pod->progs.from_pod;
	case PROG_TO_POD:
		return env->pod->progs.to_pod;
	case PROG_FROM_UPLINK:
		return env->uplink->progs.from_uplink;
	case PROG_TO_UPLINK:
		return env->uplink->progs.to_uplink;
	case PROG_POD_OUTSIDE:
		break;
	}
	return env->uplink->progs.pod_outside;
}

int prog_run_raw(const struct prog_env *env, struct prog_arrival at, const struct packet *frame,
		 struct packet *ret_out)
{
	struct packet buf;
	const struct packet *packet = with_mac(at, frame, &buf);
	struct bpf_program *prog = program_of(env, at.hook);
	struct __sk_buff ctx = { .ifindex = at.uplink ? at.uplink : PROG_DEVICE(at.pod),
				 .ingress_ifindex = at.from };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data, .data_size_in = packet->len,
		    .data_out = ret_out->data, .data_size_out = sizeof(ret_out->data),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	must(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), "BPF_PROG_TEST_RUN");
	ret_out->len = opts.data_size_out;
	return (int)opts.retval;
}

/* The reason whose counter rose by one packet; -1 when none or several did. */
static int read_reason(struct prog_env *env)
{
	struct weir_counter cpus[env->cpus];
	int fd = prog_map(env, "counters"), reason = -1, changed = 0;

	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++) {
		uint64_t packets = 0;

		must(bpf_map_lookup_elem(fd, &i, cpus), "counters");
		for (int c = 0; c < env->cpus; c++)
			packets += cpus[c].packets;
		if (packets == env->counters[i])
			continue;
		changed += packets - env->counters[i];
		env->counters[i] = packets;
		reason = i;
	}
	return changed == 1 ? reason : -1;
}

struct prog_sent prog_send(struct prog_env *env, struct prog_arrival at,
			   const struct packet *packet)
{
	struct weir_decision decisions[env->cpus];
	struct prog_sent sent = {};
	uint32_t zero = 0;

	sent.verdict = prog_run_raw(env, at, packet, &sent.out);
	sent.reason = read_reason(env);
	must(bpf_map_lookup_elem(prog_map(env, "last_decision"), &zero, decisions),
	     "last_decision");
	sent.decision = decisions[sched_getcpu()];
	return sent;
}

struct prog_sent prog_from(struct prog_env *env, enum party pod, const struct packet_spec *spec)
{
	struct packet packet = packet_build(spec);

	return prog_send(env, FROM_POD(pod), &packet);
}

struct prog_sent prog_to(struct prog_env *env, enum party pod, uint32_t from,
			 const struct packet_spec *spec)
{
	struct packet packet = packet_build(spec);

	return prog_send(env, TO_POD(pod, from), &packet);
}

struct prog_sent prog_in(struct prog_env *env, uint32_t uplink, const struct packet_spec *spec)
{
	struct packet packet = packet_build(spec);

	return prog_send(env, FROM_UPLINK(uplink), &packet);
}

struct prog_sent prog_out(struct prog_env *env, uint32_t uplink, const struct packet_spec *spec)
{
	struct packet packet = packet_build(spec);

	return prog_send(env, TO_UPLINK(uplink), &packet);
}

const char *prog_packet_differs(const struct packet *got, const struct packet_spec *want)
{
	static char text[160];
	struct packet expected = packet_build(want);
	struct packet_spec read;
	const char *wrong = packet_read(got, &read);
	static const uint8_t none[6];
	unsigned int skip = 0;

	if (wrong)
		return wrong;
	if (!memcmp(want->dst_mac, none, 6))
		skip = 12;
	if (got->len != expected.len) {
		snprintf(text, sizeof(text), "length %u, not %u", got->len, expected.len);
		return text;
	}
	for (unsigned int i = skip; i < got->len; i++) {
		if (got->data[i] == expected.data[i])
			continue;
		snprintf(text, sizeof(text), "byte %u is %02x, not %02x; ports %u > %u", i,
			 got->data[i], expected.data[i], read.sport, read.dport);
		return text;
	}
	return NULL;
}

/*
 * ---- Connections ------------------------------------------------------------------------------
 */

bool prog_flow(const struct prog_env *env, const struct packet_spec *spec, uint8_t zone,
	       struct weir_flow *ret_flow)
{
	struct weir_flow flow;
	struct weir_tuple key;

	weir_tuple_make(&key, &spec->src, htons(spec->sport), &spec->dst, htons(spec->dport),
			spec->proto, zone);
	if (bpf_map_lookup_elem(prog_map(env, "conntrack"), &key, &flow))
		return false;
	if (ret_flow)
		*ret_flow = flow;
	return true;
}

uint32_t prog_flow_count(const struct prog_env *env)
{
	int fd = prog_map(env, "conntrack");
	struct weir_tuple key, *last = NULL;
	uint32_t n = 0;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		n++;
	}
	return n;
}

void prog_flows_age(const struct prog_env *env, uint32_t ticks)
{
	int fd = prog_map(env, "conntrack");
	uint32_t n = 0, max = prog_flow_count(env);
	struct weir_tuple *keys = mem_zalloc((max + 1) * sizeof(*keys)), *last = NULL;
	struct weir_flow flow;

	while (n < max && !bpf_map_get_next_key(fd, last, &keys[n]))
		last = &keys[n++];
	for (uint32_t i = 0; i < n; i++) {
		if (bpf_map_lookup_elem(fd, &keys[i], &flow))
			continue;
		flow.last_seen -= ticks;
		bpf_map_update_elem(fd, &keys[i], &flow, BPF_EXIST);
	}
	free(keys);
}

/* Takes everything out of gc_free and puts it back. */
static const char *count_free(const struct prog_env *env, uint8_t *seen, uint32_t max,
			      uint32_t *ret_free)
{
	int queue = prog_map(env, "gc_free"), keys = prog_map(env, "gc_slots");
	uint32_t *slots = mem_zalloc((2 * max + 1) * sizeof(*slots)), n = 0;
	struct weir_key_slot k;
	const char *wrong = NULL;

	while (n < 2 * max && !bpf_map_lookup_and_delete_elem(queue, NULL, &slots[n]))
		n++;
	for (uint32_t i = 0; i < n; i++) {
		if (slots[i] >= max || seen[slots[i]]++)
			wrong = "a gc slot is free twice";
		else if (!bpf_map_lookup_elem(keys, &slots[i], &k) && k.mark.used)
			wrong = "a free gc slot is in use";
		bpf_map_update_elem(queue, NULL, &slots[i], 0);
	}
	free(slots);
	*ret_free = n;
	return wrong;
}

static bool gc_slot_has_flow(const struct prog_env *env, const struct weir_key_slot *k,
			     uint32_t slot)
{
	struct weir_flow flow;

	return !bpf_map_lookup_elem(prog_map(env, "conntrack"), &k->key, &flow) &&
	       flow.gc_slot == slot;
}

/* Key of the reverse entry. Written again on purpose, to check the key of the datapath. */
static struct weir_tuple rev_of(const struct prog_env *env, const struct weir_tuple *key,
				const struct weir_flow *flow)
{
	bool reply = flow->flags & WEIR_FLOW_REPLY, outside = flow->flags & WEIR_FLOW_OUTSIDE;
	uint8_t zone = reply ? (flow->flags & WEIR_FLOW_ZONED ? 1 : 0) + (outside ? 2 : 0)
			     : (outside && !flow->end[1].ref ? 2 : 0);
	struct weir_key_slot slot;

	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	struct weir_tuple rev;

	const struct weir_addr *near = &key->addr[client], *far = &flow->nat_addr;

	if (flow->flags & WEIR_FLOW_HAIRPIN) {
		near = flow->flags & WEIR_FLOW_REPLY ? &key->addr[!client] : &flow->nat_addr;
		far = flow->flags & WEIR_FLOW_REPLY ? &flow->nat_addr : &key->addr[client];
	}
	if (flow->flags & WEIR_FLOW_SNAT) {
		prog_get(env, "gc_slots", &flow->gc_slot, &slot);
		prog_get(env, "gc_slots", &slot.other, &slot);
		near = weir_flow_peer(flow, &slot.key);
		assert_non_null(near);
	}
	weir_tuple_make(&rev, near, flow->nat_cport_be, far, flow->nat_port_be, key->proto, zone);
	return rev;
}

static const char *check_reverse_entries(const struct prog_env *env)
{
	int fd = prog_map(env, "conntrack");
	struct weir_tuple key, *last = NULL, rev, back;
	struct weir_flow flow, other;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &flow) || !(flow.flags & WEIR_FLOW_TRANSLATED))
			continue;
		rev = rev_of(env, &key, &flow);
		if (bpf_map_lookup_elem(fd, &rev, &other))
			return flow.flags & WEIR_FLOW_REPLY
				       ? "a reply entry without its forward entry"
				       : "a forward entry without its reply entry";
		back = rev_of(env, &rev, &other);
		if (memcmp(&back, &key, sizeof(key)))
			return "an entry whose reverse entry belongs to another flow";
	}
	return NULL;
}

/* The counts of each bucket, and of all, are those of the gc slots. */
static const char *check_counts(const struct prog_env *env)
{
	struct weir_config config = prog_config(env);
	struct weir_flow_share want[WEIR_BUCKETS] = {}, share;
	uint32_t entries = 0, half_open = 0;
	struct weir_key_slot k;

	for (uint32_t i = 0; i < config.gc_slots; i++) {
		must(bpf_map_lookup_elem(prog_map(env, "gc_slots"), &i, &k), "gc_slots");
		want[k.mark.bucket].entries += k.mark.used != WEIR_GC_FREE;
		want[k.mark.bucket].half_open += k.mark.used == WEIR_GC_HALF_OPEN;
		entries += k.mark.used != WEIR_GC_FREE;
		half_open += k.mark.used == WEIR_GC_HALF_OPEN;
	}
	if (entries != config.entries || half_open != config.half_open)
		return "the counts of entries differ from the gc slots";
	for (uint32_t i = 0; i < WEIR_BUCKETS; i++) {
		must(bpf_map_lookup_elem(prog_map(env, "flow_shares"), &i, &share), "flow_shares");
		if (share.entries != want[i].entries || share.half_open != want[i].half_open)
			return "the counts of a bucket differ from its gc slots";
	}
	return NULL;
}

const char *prog_gc_slots_check(const struct prog_env *env, uint32_t *ret_orphans)
{
	uint32_t max = prog_config(env).gc_slots, n_free = 0, used = 0, orphans = 0;
	uint8_t *seen = mem_zalloc(max);
	const char *wrong = count_free(env, seen, max, &n_free);
	struct weir_key_slot k;

	for (uint32_t i = 0; i < max; i++) {
		must(bpf_map_lookup_elem(prog_map(env, "gc_slots"), &i, &k), "gc_slots");
		if (!k.mark.used)
			continue;
		used++;
		orphans += !gc_slot_has_flow(env, &k, i);
	}
	free(seen);
	if (!wrong)
		wrong = check_counts(env);
	if (!wrong && n_free + used != max)
		wrong = n_free + used < max ? "a gc slot was lost" : "a gc slot exists twice";
	if (ret_orphans)
		*ret_orphans = orphans;
	else if (!wrong && orphans)
		wrong = "a gc slot in use without a flow";
	return wrong ? wrong : check_reverse_entries(env);
}

void prog_gc_start(struct prog_env *env)
{
	struct packet frame = packet_arp(&(struct packet_arp_spec){});
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.len,
		    .repeat = 1);

	must(bpf_prog_test_run_opts(bpf_program__fd(env->gc->progs.gc_start), &opts), "gc_start");
	must((int)opts.retval, "gc_start");
	env->gc_started = true;
}

uint64_t prog_gc_rounds(const struct prog_env *env)
{
	return prog_config(env).gc_rounds;
}

/* The coarse clock, as bpf_ktime_get_coarse_ns() reads it. */
static uint32_t ticks_at(uint64_t ns_ago)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return ((uint64_t)t.tv_sec * 1000000000 + t.tv_nsec - ns_ago) >> WEIR_TICK_SHIFT;
}

uint32_t prog_ticks_now(void)
{
	return ticks_at(0);
}

/* A CPU reads the clock once a jiffy, so its ticks may be that old. */
void prog_ticks_pass(uint32_t ticks)
{
	uint32_t begin = prog_ticks_now();

	for (int i = 0; i < TICKS_PATIENCE_MS; i++, usleep(1000))
		if ((int32_t)(ticks_at(2 * JIFFY_MAX_NS) - begin) >= (int32_t)ticks)
			return;
	fail_msg("the clock stands still");
}
