// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables of a large node. See bench_world.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "bench_world.h"

#define FIRST_DEVICE 1000
#define FIRST_SLOT 10 /* after the pods of prog_env */
#define REMOTE_IDENTITIES 100
#define RULES 1000

uint32_t world_random(uint32_t a, uint32_t b)
{
	uint32_t h = a * 0x9e3779b1 ^ (b + 0x7f4a7c15) * 0x85ebca6b;

	h = (h ^ h >> 15) * 0x2c1b3c6d;
	h = (h ^ h >> 12) * 0x297a2d39;
	return h ^ h >> 15;
}

struct weir_addr world_addr(int family, enum world_group group, uint32_t i)
{
	static const uint8_t second[] = {
		[WORLD_PODS] = 7, [WORLD_REMOTE] = 128, [WORLD_VIPS] = 112
	};
	struct weir_addr a = { .b = { 0xfd, [7] = second[group] } };

	i++; /* the first address must not end in 0.0 */
	if (!family)
		return weir_addr_from_v4(htonl(10u << 24 | (uint32_t)second[group] << 16 | i));
	a.w[3] = htonl(i);
	return a;
}

uint32_t world_device(uint32_t pod)
{
	return FIRST_DEVICE + pod;
}

void world_mac(uint32_t pod, uint8_t ret_mac[6])
{
	uint8_t mac[6] = { 2, 0, 0, 1, pod >> 8, pod };

	memcpy(ret_mac, mac, 6);
}

void world_pod_mac(uint32_t pod, uint8_t ret_mac[6])
{
	uint8_t mac[6] = { 2, 0, 0, 2, pod >> 8, pod };

	memcpy(ret_mac, mac, 6);
}

/* Each end of a veth is the device of one pod: nothing is sent. */
int world_devices(uint32_t pods)
{
	FILE *ip = popen("ip -batch -", "w");

	if (!ip)
		return -errno;
	for (uint32_t i = 0; i < pods; i += 2) {
		uint8_t a[6], b[6];

		world_mac(i, a);
		world_mac(i + 1, b);
		fprintf(ip,
			"link add w%u index %u address %02x:%02x:%02x:%02x:%02x:%02x type veth peer name w%u index %u "
			"address %02x:%02x:%02x:%02x:%02x:%02x\n",
			i, world_device(i), a[0], a[1], a[2], a[3], a[4], a[5], i + 1,
			world_device(i + 1), b[0], b[1], b[2], b[3], b[4], b[5]);
	}
	return pclose(ip) ? -EIO : 0;
}

/* ---- Tables ---- */

/* Elements to be written to a map in one batch. */
struct load {
	int fd;
	size_t key_size, value_size;
	uint8_t *keys, *values;
	uint32_t n, cap;
};

static struct load load_begin(const struct prog_env *env, const char *map, size_t key_size,
			      size_t value_size, uint32_t cap)
{
	return (struct load){ .fd = prog_map(env, map),
			      .key_size = key_size,
			      .value_size = value_size,
			      .keys = mem_zalloc(cap * key_size),
			      .values = mem_zalloc(cap * value_size),
			      .cap = cap };
}

static void load_add(struct load *l, const void *key, const void *value)
{
	assert_true(l->n < l->cap);
	memcpy(l->keys + l->n * l->key_size, key, l->key_size);
	memcpy(l->values + l->n * l->value_size, value, l->value_size);
	l->n++;
}

static void load_end(struct load *l)
{
	uint32_t n = l->n;

	if (n && bpf_map_update_batch(l->fd, l->keys, l->values, &n, NULL))
		fail_msg("bpf_map_update_batch: %s", strerror(errno));
	free(l->keys);
	free(l->values);
}

static void fill_pods(struct prog_env *env, const struct world_size *w)
{
	for (uint32_t i = 0; i < w->pods; i++) {
		uint32_t slot = FIRST_SLOT + i, device = world_device(i), identity = i + 1;
		struct weir_attachment attachment = { .slot = slot };
		struct weir_pod pod = {
			.word = weir_pod_word(i % w->sets + 1, i * 7 % w->sets + 1, 0),
			.identity = { identity, identity },
			.ref = weir_ref(slot, 1),
			.ifindex = device,
			.addr = { world_addr(0, WORLD_PODS, i), world_addr(1, WORLD_PODS, i) },
		};

		world_pod_mac(i, pod.mac);
		prog_set(env, "pods", &slot, &pod);
		prog_set(env, "attachments", &device, &attachment);
		for (int family = 0; family < 2; family++) {
			prog_set(env, "endpoints", &pod.addr[family], &slot);
			prog_set(env, "identities", &pod.addr[family], &identity);
		}
	}
}

static void fill_remote(struct prog_env *env, const struct world_size *w)
{
	struct load l = load_begin(env, "identities", sizeof(struct weir_addr), sizeof(uint32_t),
				   w->addresses);

	for (uint32_t i = 0; i < w->addresses; i++) {
		struct weir_addr addr = world_addr(env->family, WORLD_REMOTE, i);
		uint32_t identity = w->pods + 1 + i % REMOTE_IDENTITIES;

		load_add(&l, &addr, &identity);
	}
	load_end(&l);
}

/* Sets of ranges, one of which has the backends' port: at another index in each set. */
static void fill_ports(struct prog_env *env, const struct world_size *w)
{
	uint32_t n = w->port_sets * w->ranges;
	struct load l =
		load_begin(env, "port_ranges", sizeof(uint32_t), sizeof(struct weir_port_range), n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t set = i / w->ranges, at = i % w->ranges, target = set % w->ranges;
		uint32_t low = at < target    ? 100 + 200 * at
			       : at == target ? WORLD_TARGET - 5
					      : 20000 + 200 * at;
		struct weir_port_range range = { weir_port_point(IPPROTO_TCP, low),
						 weir_port_point(IPPROTO_TCP, low + 10),
						 WEIR_WORD_ALLOW, 1 + set % RULES };

		load_add(&l, &i, &range);
	}
	load_end(&l);
}

/* Every policy set has a word for every identity, with a pseudo-random port set. */
static void fill_rules(struct prog_env *env, const struct world_size *w)
{
	uint32_t identities = w->pods + REMOTE_IDENTITIES;
	struct load l = load_begin(env, "policy_rules", sizeof(struct weir_policy_key),
				   sizeof(uint64_t), w->sets * identities);

	for (uint32_t set = 1; set <= w->sets; set++) {
		for (uint32_t identity = 1; identity <= identities; identity++) {
			struct weir_policy_key key = { .set = set, .identity = identity };
			uint64_t word = weir_word_ports(
				world_random(set, identity) % w->port_sets * w->ranges, w->ranges);

			load_add(&l, &key, &word);
		}
	}
	load_end(&l);
}

static void fill_backends(struct prog_env *env, const struct world_size *w)
{
	uint32_t all = w->services + w->remote_services, n = all * w->endpoints,
		 clients = w->pods / 2;
	struct load backends =
		load_begin(env, "backends", sizeof(uint32_t), sizeof(struct weir_backend), n);
	struct load slots = load_begin(env, "backend_slots", sizeof(uint32_t), sizeof(uint64_t), n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t service = i / w->endpoints, id = i + 1, any = world_random(i, 1);
		struct weir_backend b = {
			.addr = service < w->services
					? world_addr(env->family, WORLD_PODS,
						     clients + any % (w->pods - clients))
					: world_addr(env->family, WORLD_REMOTE, any % w->addresses),
			.port_be = htons(WORLD_TARGET),
			.service = service + 1,
			.generation = 1,
		};
		uint64_t slot = id;

		load_add(&backends, &id, &b);
		load_add(&slots, &i, &slot);
	}
	load_end(&backends);
	load_end(&slots);
}

static void fill_services(struct prog_env *env, const struct world_size *w)
{
	uint32_t all = w->services + w->remote_services;
	struct load services =
		load_begin(env, "services", sizeof(uint32_t), sizeof(struct weir_service), all);
	struct load frontends = load_begin(env, "frontends", sizeof(struct weir_frontend),
					   sizeof(uint64_t), 2 * all);

	for (uint32_t i = 0; i < all; i++) {
		struct weir_service service = { .extents[WEIR_LIST_INTERNAL] =
							weir_extent(i * w->endpoints, w->endpoints),
						.flags = WEIR_SERVICE_USABLE };
		struct weir_frontend vip = { .addr = world_addr(env->family, WORLD_VIPS, i) },
				     port = vip;
		uint64_t none = 0, word = weir_frontend_word(i + 1, 0);
		uint32_t id = i + 1;

		port.port_be = htons(WORLD_PORT);
		port.proto = IPPROTO_TCP;
		load_add(&services, &id, &service);
		load_add(&frontends, &vip, &none);
		load_add(&frontends, &port, &word);
	}
	load_end(&services);
	load_end(&frontends);
}

void world_fill(struct prog_env *env, const struct world_size *size)
{
	fill_pods(env, size);
	fill_remote(env, size);
	fill_ports(env, size);
	fill_rules(env, size);
	fill_backends(env, size);
	fill_services(env, size);
}
