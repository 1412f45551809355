// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads a loaded instance. See live.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/file.h"
#include "base/instance.h"
#include "compile/json_read.h"
#include "inspect/live.h"
#include "kernel/records.h"

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

char *live_file(const struct live *l, enum instance_file file, uint64_t generation)
{
	return instance_generation_file(node_run_dir(l->node), file, generation);
}

static void read_generation(struct live *l)
{
	_cleanup_(mem_free) char *path = NULL, *text = NULL;

	l->generation = node_config(l->node)->generation;
	read_names(l);
	path = live_file(l, INSTANCE_PLAN, l->generation);
	text = file_text(path);
	l->plan = text ? plan_json_parse(text) : NULL;
}

int live_open(struct live *l, const char *name, struct weir_err *err)
{
	int r;

	*l = (struct live){};
	r = node_open(name, NODE_READ, NULL, &l->node, err);
	if (!r)
		read_generation(l);
	return r;
}

bool live_lacks_plan(const struct live *l)
{
	return l->generation && !l->plan;
}

void live_unfit(const struct live *l, struct plan_unfit *ret_unfit)
{
	*ret_unfit = (struct plan_unfit){};
	if (l->plan)
		plan_json_unfit(l->plan, ret_unfit);
}

void live_reload(struct live *l, struct live *ret_before)
{
	live_close(ret_before);
	*ret_before = *l;
	ret_before->node = NULL;
	*l = (struct live){ .node = l->node };
	read_generation(l);
}

void live_close(struct live *l)
{
	node_close(&l->node);
	free(l->names);
	plan_json_free(&l->plan);
}

bool live_was_replaced(const struct live *l)
{
	return node_config(l->node)->generation != l->generation;
}

int live_compare(struct node *n, const char *name, const struct plan *p,
		 struct sync_delta *ret_delta, struct weir_err *err)
{
	_cleanup_(attachment_list_free) struct attachment_list attachments = {};
	int r = attachment_list_read(name, &attachments, err);

	return r ? r
		 : sync_apply(n, p, &attachments, SYNC_DRY_RUN | SYNC_NO_DEVICES, ret_delta, err);
}

/* ---- Names ---- */

static const struct live_name *find_name(const struct live *l, enum weir_name_kind kind,
					 uint32_t id)
{
	struct live_name key = { .kind = kind, .id = id };

	return l->n_names ? bsearch(&key, l->names, l->n_names, sizeof(key), by_kind_and_id) : NULL;
}

/* Address and port, from the map's element. */
static const char *backend_label(const struct live *l, uint32_t id, char *buf)
{
	const struct weir_backend *b =
		(struct weir_backend *)node_array(l->node, WEIR_MAP_backends) + id;

	if (id < node_map_max(l->node, WEIR_MAP_backends) && b->flags & WEIR_BACKEND_TAKEN)
		return addr_port_text(&b->addr, ntohs(b->port_be), buf);
	snprintf(buf, LIVE_TEXT_MAX, "#%u", id);
	return buf;
}

bool live_has(const struct live *l, enum weir_name_kind kind, uint32_t id)
{
	return find_name(l, kind, id);
}

/* The item of the plan file that an id stands for. */
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
		used += snprintf(buf + used, LIVE_TEXT_MAX - used, "%s%s", i ? "," : "",
				 json_item_text(list, i));
}

static void rule_label(struct json_value rule, char *buf)
{
	snprintf(buf, LIVE_TEXT_MAX, "%s %s[%lld]", json_text(rule, "policy"),
		 json_text(rule, "direction"), json_number(rule, "rule", 0, INT32_MAX));
}

static void service_label(struct json_value service, char *buf)
{
	const char *port = json_text(service, "port");

	snprintf(buf, LIVE_TEXT_MAX, "%s%s%s/%s", json_text(service, "service"), *port ? ":" : "",
		 port, json_text(service, "protocol"));
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

enum plan_owner live_owner(const struct live *l, const struct weir_addr *addr,
			   const char **ret_name)
{
	*ret_name = NULL;
	return l->plan ? plan_json_owner(l->plan, addr, ret_name) : PLAN_OWNER_NONE;
}

const char *live_pod(const struct live *l, const struct weir_addr *addr)
{
	const char *name;

	return live_owner(l, addr, &name) == PLAN_OWNER_POD ? name : NULL;
}

const char *live_pod_of(const struct live *l, const struct weir_pod *pod)
{
	const char *name = NULL;

	for (int f = 0; f < 2 && !name; f++)
		if (!weir_addr_is_zero(&pod->addr[f]))
			name = live_pod(l, &pod->addr[f]);
	return name;
}

const char *live_pod_label(const struct live *l, uint32_t slot, char *buf)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	const char *name = live_pod_of(l, &pods[slot]);

	if (name)
		snprintf(buf, LIVE_TEXT_MAX, "%s", name);
	else
		snprintf(buf, LIVE_TEXT_MAX, "#%u", slot);
	return buf;
}

const char *live_pod_at(const struct live *l, uint32_t device)
{
	const struct weir_pod *pods = l->node ? node_array(l->node, WEIR_MAP_pods) : NULL;
	struct weir_attachment a;

	if (!pods || bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_attachments), &device, &a) ||
	    a.slot >= node_map_max(l->node, WEIR_MAP_pods))
		return NULL;
	return live_pod_of(l, &pods[a.slot]);
}

/* ---- Counters ---- */

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

/* The values of all CPUs of one element; the caller frees them. NULL: no such element. */
static void *read_cpus(const struct live *l, enum weir_map map, uint32_t id, size_t size,
		       int *ret_n)
{
	int n = libbpf_num_possible_cpus();
	_cleanup_(mem_free) void *each = n > 0 ? mem_zalloc(n * size) : NULL;

	*ret_n = n;
	return each && !bpf_map_lookup_elem(node_map_fd(l->node, map), &id, each) ? TAKE_PTR(each)
										  : NULL;
}

bool live_hits(const struct live *l, enum weir_map map, uint32_t id, struct weir_hits *ret_hits)
{
	int cpus;
	_cleanup_(mem_free) struct weir_hits *each = read_cpus(l, map, id, sizeof(*each), &cpus);

	*ret_hits = (struct weir_hits){};
	for (int i = 0; each && i < cpus; i++) {
		ret_hits->packets += each[i].packets;
		if (each[i].last > ret_hits->last)
			ret_hits->last = each[i].last;
	}
	return each;
}

struct weir_counter live_counter(const struct live *l, uint32_t reason)
{
	struct weir_counter sum = {};
	int cpus;
	_cleanup_(mem_free) struct weir_counter *each =
		read_cpus(l, WEIR_MAP_counters, reason, sizeof(*each), &cpus);

	for (int i = 0; each && i < cpus; i++) {
		sum.packets += each[i].packets;
		sum.bytes += each[i].bytes;
	}
	return sum;
}

struct weir_event_count live_event_losses(const struct live *l, uint32_t reason)
{
	struct weir_event_count sum = {};
	int cpus;
	_cleanup_(mem_free) struct weir_event_count *each =
		read_cpus(l, WEIR_MAP_event_counts, reason, sizeof(*each), &cpus);

	for (int i = 0; each && i < cpus; i++) {
		sum.over_budget += each[i].over_budget;
		sum.lost += each[i].lost;
	}
	return sum;
}
