// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the kernel has. See live.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/file.h"
#include "base/instance.h"
#include "cli/live.h"
#include "compile/json_read.h"

static int by_kind_and_id(const void *a, const void *b)
{
	const struct live_name *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void read_names(struct live *l)
{
	int fd = node_map_fd(l->node, WEIR_MAP_names);
	struct weir_name_id id;
	struct weir_name key;

	live_each_key(fd, &key)
	{
		struct live_name *name;

		if (bpf_map_lookup_elem(fd, &key, &id))
			continue;
		name = VEC_ADD(l->names, l->n_names, l->cap_names);
		*name = (struct live_name){ .kind = key.kind, .id = id.id, .len = id.len };
		memcpy(name->hash.b, key.hash, sizeof(name->hash.b));
	}
	if (l->n_names)
		qsort(l->names, l->n_names, sizeof(*l->names), by_kind_and_id);
}

static void read_generation(struct live *l, const struct common_options *c)
{
	_cleanup_(mem_free) char *path = NULL, *text = NULL;

	l->generation = node_config(l->node)->generation;
	read_names(l);
	path = instance_generation_file(node_run_dir(l->node), INSTANCE_PLAN, l->generation);
	text = file_text(path);
	l->plan = text ? plan_json_parse(text) : NULL;
	if (!l->plan && l->generation)
		cli_note(c, "%s is not there or cannot be read: ids are shown instead of names", path);
}

int live_open(struct live *l, const struct common_options *c)
{
	struct weir_err err = {};
	int r;

	*l = (struct live){};
	r = node_open(c->name, NODE_READ, NULL, &l->node, &err);
	if (r)
		return cli_fail_err(r, &err);
	read_generation(l, c);
	return EXIT_OK;
}

void live_reload(struct live *l, const struct common_options *c, struct live *ret_before)
{
	live_close(ret_before);
	*ret_before = *l;
	ret_before->node = NULL;
	*l = (struct live){ .node = l->node };
	read_generation(l, c);
}

void live_close(struct live *l)
{
	node_close(&l->node);
	free(l->names);
	plan_json_free(&l->plan);
}

void live_check(const struct live *l, const struct common_options *c)
{
	if (node_config(l->node)->generation != l->generation)
		cli_note(c, "generation %llu was replaced while reading: what is shown may be mixed",
			 (unsigned long long)l->generation);
}

/* ---- Names ---- */

static const struct live_name *find_name(const struct live *l, enum weir_name_kind kind, uint32_t id)
{
	struct live_name key = { .kind = kind, .id = id };

	return l->n_names ? bsearch(&key, l->names, l->n_names, sizeof(key), by_kind_and_id) : NULL;
}

/* Its address and port: the element itself says them. */
static const char *backend_label(const struct live *l, uint32_t id, char *buf)
{
	const struct weir_backend *b = (struct weir_backend *)node_array(l->node, WEIR_MAP_backends) + id;
	char addr[ADDR_TEXT_MAX];

	if (id < node_map_max(l->node, WEIR_MAP_backends) && b->flags & WEIR_BACKEND_TAKEN)
		snprintf(buf, LIVE_TEXT_MAX, weir_addr_is_v4(&b->addr) ? "%s:%u" : "[%s]:%u",
			 addr_text(&b->addr, addr), ntohs(b->port_be));
	else
		snprintf(buf, LIVE_TEXT_MAX, "#%u", id);
	return buf;
}

bool live_has(const struct live *l, enum weir_name_kind kind, uint32_t id)
{
	return find_name(l, kind, id);
}

/* What the plan says of it. */
static struct json_value find_item(const struct live *l, enum weir_name_kind kind, uint32_t id)
{
	const struct live_name *name = find_name(l, kind, id);

	return name && l->plan ? plan_json_find(l->plan, kind, &name->hash) : (struct json_value){};
}

static void policies_label(struct json_value list, char *buf)
{
	size_t used = 0;

	*buf = 0;
	for (size_t i = 0; i < json_count(list) && used < LIVE_TEXT_MAX; i++)
		used += snprintf(buf + used, LIVE_TEXT_MAX - used, "%s%s", i ? "," : "", json_item_text(list, i));
}

static void rule_label(struct json_value rule, char *buf)
{
	snprintf(buf, LIVE_TEXT_MAX, "%s %s[%lld]", json_text(rule, "policy"), json_text(rule, "direction"),
		 json_number(rule, "rule", 0, INT32_MAX));
}

static void service_label(struct json_value service, char *buf)
{
	const char *port = json_text(service, "port");

	snprintf(buf, LIVE_TEXT_MAX, "%s%s%s/%s", json_text(service, "service"), *port ? ":" : "", port,
		 json_text(service, "protocol"));
}

const char *live_label(const struct live *l, enum weir_name_kind kind, uint32_t id, char *buf)
{
	struct json_value item = find_item(l, kind, id);

	if (kind == WEIR_NAME_BACKEND)
		return backend_label(l, id, buf);
	if (item.v && kind == WEIR_NAME_RULE)
		rule_label(item, buf);
	else if (item.v && kind == WEIR_NAME_POLICY_SET)
		policies_label(json_list(item, "policies"), buf);
	else if (item.v && kind == WEIR_NAME_IDENTITY && *json_text(item, "text"))
		snprintf(buf, LIVE_TEXT_MAX, "%s", json_text(item, "text"));
	else if (item.v && kind == WEIR_NAME_SERVICE)
		service_label(item, buf);
	else
		snprintf(buf, LIVE_TEXT_MAX, "#%u", id);
	return buf;
}

const char *live_fact(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key)
{
	const char *text = json_text(find_item(l, kind, id), key);

	return *text ? text : NULL;
}

long long live_number(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key)
{
	return json_number(find_item(l, kind, id), key, 0, INT64_MAX);
}

const char *live_policy(const struct live *l, uint32_t set, size_t i)
{
	struct json_value list = json_list(find_item(l, WEIR_NAME_POLICY_SET, set), "policies");

	return i < json_count(list) ? json_item_text(list, i) : NULL;
}

enum plan_owner live_who(const struct live *l, const struct weir_addr *addr, const char **ret_name)
{
	*ret_name = NULL;
	return l->plan ? plan_json_owner(l->plan, addr, ret_name) : PLAN_OWNER_NONE;
}

const char *live_pod(const struct live *l, const struct weir_addr *addr)
{
	const char *name;

	return live_who(l, addr, &name) == PLAN_OWNER_POD ? name : NULL;
}

const char *live_pod_at(const struct live *l, uint32_t device)
{
	const struct weir_pod *pods = l->node ? node_array(l->node, WEIR_MAP_pods) : NULL, *pod;
	const char *name = NULL;
	uint32_t slot;

	if (!pods || bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_attachments), &device, &slot) ||
	    slot >= node_map_max(l->node, WEIR_MAP_pods))
		return NULL;
	pod = &pods[slot];
	for (int f = 0; f < 2 && !name; f++)
		if (!weir_addr_is_zero(&pod->addr[f]))
			name = live_pod(l, &pod->addr[f]);
	return name;
}

/* ---- How full ---- */

static uint32_t count_keys(int fd)
{
	_Alignas(8) char key[64];
	uint32_t n = 0;

	live_each_key(fd, key) n++;
	return n;
}

/* Ids in use, or places of their runs. */
static uint32_t count_names(const struct live *l, enum weir_name_kind kind, bool runs)
{
	uint32_t n = 0;

	for (size_t i = 0; i < l->n_names; i++)
		if (l->names[i].kind == kind)
			n += runs ? l->names[i].len : 1;
	return n;
}

static uint32_t count_pods(const struct live *l)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_pods); i++)
		n += pods[i].ref != 0;
	return n;
}

static uint32_t count_backend_slots(const struct live *l)
{
	const struct weir_service *services = node_array(l->node, WEIR_MAP_services);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_services); i++)
		n += weir_run_len(services[i].internal);
	return n;
}

static uint32_t count_backends(const struct live *l)
{
	const struct weir_backend *backends = node_array(l->node, WEIR_MAP_backends);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_backends); i++)
		n += !!(backends[i].flags & WEIR_BACKEND_TAKEN);
	return n;
}

#define PLACES_AT_ONCE 4096

static uint32_t count_places(const struct live *l, enum weir_map map)
{
	_cleanup_(mem_free) struct weir_flow_key *places = mem_zalloc(PLACES_AT_ONCE * sizeof(*places));
	_cleanup_(mem_free) uint32_t *keys = mem_zalloc(PLACES_AT_ONCE * sizeof(*keys));
	int fd = node_map_fd(l->node, map), r = 0;
	uint32_t at, n = 0, count;

	for (bool first = true; !r; first = false) {
		count = PLACES_AT_ONCE;
		r = bpf_map_lookup_batch(fd, first ? NULL : &at, &at, keys, places, &count, NULL);
		for (uint32_t i = 0; (!r || r == -ENOENT) && i < count; i++)
			n += !!places[i].used;
	}
	return n;
}

long long live_fill(const struct live *l, enum weir_map map)
{
	const struct map_info *i = map_info(map);

	switch (i->fill) {
	case WEIR_FILL_KEYS:
		return count_keys(node_map_fd(l->node, map));
	case WEIR_FILL_ALL:
		return node_map_max(l->node, map);
	case WEIR_FILL_UNCOUNTED:
		break;
	case WEIR_FILL_NAMES:
		return count_names(l, i->of, false);
	case WEIR_FILL_RUNS:
		return count_names(l, i->of, true);
	case WEIR_FILL_PODS:
		return count_pods(l);
	case WEIR_FILL_BACKENDS:
		return count_backends(l);
	case WEIR_FILL_BACKEND_RUNS:
		return count_backend_slots(l);
	case WEIR_FILL_PLACES:
		return count_places(l, map);
	case WEIR_FILL_FREE_PLACES: /* a queue itself cannot be counted */
		return node_map_max(l->node, map) - count_places(l, WEIR_MAP_flow_keys);
	}
	return -1;
}

uint32_t live_ticks_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return ((uint64_t)t.tv_sec * 1000000000 + t.tv_nsec) >> WEIR_TICK_SHIFT;
}

long long live_tick_age(uint32_t now, uint32_t tick)
{
	return ((uint64_t)(now - tick) << WEIR_TICK_SHIFT) / 1000000000;
}

bool live_hits(const struct live *l, enum weir_map map, uint32_t id, struct weir_hits *ret_hits)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(mem_free) struct weir_hits *each = NULL;

	*ret_hits = (struct weir_hits){};
	if (cpus <= 0)
		return false;
	each = mem_zalloc(cpus * sizeof(*each));
	if (bpf_map_lookup_elem(node_map_fd(l->node, map), &id, each))
		return false;
	for (int i = 0; i < cpus; i++) {
		ret_hits->packets += each[i].packets;
		if (each[i].last > ret_hits->last)
			ret_hits->last = each[i].last;
	}
	return true;
}

/* Settings, counters and what is free do not fill, and what forgets its oldest is made to. */
bool live_fills_up(enum weir_map map)
{
	return map_info(map)->full >= WEIR_FULL_LOSE;
}

int live_percent(const struct live *l, enum weir_map map)
{
	long long fill = live_fills_up(map) ? live_fill(l, map) : -1;

	return fill <= 0 ? -1 : fill * 100 / node_map_max(l->node, map);
}

struct weir_counter live_counter(const struct live *l, uint32_t reason)
{
	struct weir_counter sum = {}, *each;
	int cpus = libbpf_num_possible_cpus();

	if (cpus <= 0)
		return sum;
	each = mem_zalloc(cpus * sizeof(*each));
	if (!bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_counters), &reason, each))
		for (int i = 0; i < cpus; i++) {
			sum.packets += each[i].packets;
			sum.bytes += each[i].bytes;
		}
	free(each);
	return sum;
}
