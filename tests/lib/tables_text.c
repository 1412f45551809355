// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tables as text. See tables_text.h. Shares only table_read() with the code that writes the tables.
 */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/addr.h"
#include "base/mem.h"
#include "kernel/maps.h"
#include "sync/table.h"
#include "lib/tables_text.h"

#define NAME_TEXT_MAX 48
#define BACKEND_TEXT_MAX 160

struct lines {
	const struct node *n;
	struct table names;
	char **items;
	size_t len, cap;
};

static void __attribute__((format(printf, 2, 3))) line(struct lines *l, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	*VEC_ADD(l->items, l->len, l->cap) = text;
}

static const char *hash_text(const struct weir_name *name, char *buf)
{
	return sodium_bin2hex(buf, NAME_TEXT_MAX, name->hash, sizeof(name->hash));
}

static const char *name_of(const struct lines *l, enum weir_name_kind kind, uint32_t id, char *buf)
{
	for (size_t i = 0; i < l->names.n; i++) {
		const struct weir_name *name = table_key(&l->names, i);

		if (name->kind == (uint32_t)kind &&
		    ((struct weir_name_id *)table_value(&l->names, i))->id == id)
			return hash_text(name, buf);
	}
	if (id)
		snprintf(buf, NAME_TEXT_MAX, "unnamed-%u", id);
	else
		strcpy(buf, "none");
	return buf;
}

static void ports_text(const struct lines *l, uint64_t word, FILE *out)
{
	const struct weir_port_range *r = node_array(l->n, WEIR_MAP_port_ranges);
	char rule[NAME_TEXT_MAX];

	fputs("ports", out);
	r += weir_word_offset(word);
	for (uint32_t i = 0; i < weir_word_len(word); i++, r++) {
		fprintf(out, " %x-%x/", r->low, r->high);
		if (weir_word_kind(r->kind) == WEIR_WORD_PORTS)
			ports_text(l, weir_range_word(r), out);
		else
			fprintf(out, "%u/%s", r->kind, name_of(l, WEIR_NAME_RULE, r->rule, rule));
	}
}

static char *word_text(const struct lines *l, uint64_t word)
{
	char *text = NULL, rule[NAME_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (weir_word_kind(word) == WEIR_WORD_PORTS)
		ports_text(l, word, out);
	else
		fprintf(out, "%s %s", weir_word_kind(word) == WEIR_WORD_ALLOW ? "allow" : "deny",
			name_of(l, WEIR_NAME_RULE, weir_word_rule(word), rule));
	fclose(out);
	return text;
}

static const char *backend_text(const struct lines *l, uint32_t id, char *buf)
{
	const struct weir_backend *b =
		(struct weir_backend *)node_array(l->n, WEIR_MAP_backends) + id;
	char addr[ADDR_TEXT_MAX], service[NAME_TEXT_MAX];

	snprintf(buf, BACKEND_TEXT_MAX, "%s port %u of %s flags %u", addr_text(&b->addr, addr),
		 be16toh(b->port_be), name_of(l, WEIR_NAME_SERVICE, b->service, service), b->flags);
	return buf;
}

static char *extent_text(const struct lines *l, uint64_t extent)
{
	const uint64_t *slots = node_array(l->n, WEIR_MAP_backend_slots);
	char *text = NULL, backend[BACKEND_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (uint32_t i = 0; i < weir_extent_len(extent); i++)
		fprintf(out, " %s",
			backend_text(l, slots[weir_extent_offset(extent) + i], backend));
	fclose(out);
	return text;
}

/* ---- Hash maps and tries ---- */

static void element(struct lines *l, enum weir_map map, const void *key, const void *value)
{
	const struct weir_frontend *f = key;
	const struct weir_prefix *prefix = key;
	const struct weir_source_range *range = key;
	const struct weir_policy_key *rule = key;
	char addr[ADDR_TEXT_MAX], a[NAME_TEXT_MAX], b[NAME_TEXT_MAX];
	_cleanup_(mem_free) char *word = NULL;
	uint32_t number = *(const uint32_t *)value;

	switch ((int)map) {
	case WEIR_MAP_attachments:
		line(l, "attachment %u pod %s", *(const uint32_t *)key,
		     name_of(l, WEIR_NAME_POD, number, a));
		break;
	case WEIR_MAP_endpoints:
		line(l, "endpoint %s pod %s", addr_text(key, addr),
		     name_of(l, WEIR_NAME_POD, number, a));
		break;
	case WEIR_MAP_identities:
		line(l, "identity %s is %s", addr_text(key, addr),
		     name_of(l, WEIR_NAME_IDENTITY, number, a));
		break;
	case WEIR_MAP_networks:
		line(l, "network %s/%u is %s", addr_text(&prefix->addr, addr), prefix->prefix_len,
		     name_of(l, WEIR_NAME_IDENTITY, number, a));
		break;
	case WEIR_MAP_policy_rules:
		word = word_text(l, *(const uint64_t *)value);
		line(l, "policy %s from %s: %s", name_of(l, WEIR_NAME_POLICY_SET, rule->set, a),
		     name_of(l, WEIR_NAME_IDENTITY, rule->identity, b), word);
		break;
	case WEIR_MAP_frontends:
		number = weir_frontend_service(*(const uint64_t *)value);
		line(l, "frontend %s port %u proto %u scope %u service %s flags %u",
		     addr_text(&f->addr, addr), be16toh(f->port_be), f->proto, f->scope,
		     name_of(l, WEIR_NAME_SERVICE, number, a),
		     weir_frontend_flags(*(const uint64_t *)value));
		break;
	case WEIR_MAP_source_ranges:
		line(l, "range %s/%u of service %s", addr_text(&range->addr, addr),
		     range->prefix_len, name_of(l, WEIR_NAME_SERVICE, range->service, a));
		break;
	case WEIR_MAP_nodes:
		line(l, "node %s kind %u", addr_text(key, addr), number);
		break;
	}
}

static void elements(struct lines *l, enum weir_map map)
{
	_cleanup_(table_free) struct table t = {};

	table_init(&t, map);
	if (table_read(node_map_fd(l->n, map), &t, NULL))
		abort();
	for (size_t i = 0; i < t.n; i++)
		element(l, map, table_key(&t, i), table_value(&t, i));
}

/* ---- Elements of arrays that have a name ---- */

static void named_pod(struct lines *l, const char *name, uint32_t slot)
{
	const struct weir_pod *p = (struct weir_pod *)node_array(l->n, WEIR_MAP_pods) + slot;
	char in[NAME_TEXT_MAX], out[NAME_TEXT_MAX], id[2][NAME_TEXT_MAX], addr[2][ADDR_TEXT_MAX];

	line(l, "pod %s %s ingress %s egress %s flags %u identity %s %s device %u addr %s %s", name,
	     p->ref ? "here" : "gone",
	     name_of(l, WEIR_NAME_POLICY_SET, weir_pod_ingress_set(p->word), in),
	     name_of(l, WEIR_NAME_POLICY_SET, weir_pod_egress_set(p->word), out),
	     weir_pod_flags(p->word), name_of(l, WEIR_NAME_IDENTITY, p->identity[0], id[0]),
	     name_of(l, WEIR_NAME_IDENTITY, p->identity[1], id[1]), p->ifindex,
	     addr_text(&p->addr[0], addr[0]), addr_text(&p->addr[1], addr[1]));
}

static void named_service(struct lines *l, const char *name, uint32_t id)
{
	const struct weir_service *s =
		(struct weir_service *)node_array(l->n, WEIR_MAP_services) + id;

	/* how often affinity was turned on is no content */
	line(l, "service %s flags %u affinity %u", name, (uint16_t)s->flags, s->affinity_s);
	for (int list = 0; list < _WEIR_LIST_MAX; list++) {
		_cleanup_(mem_free) char *slots = extent_text(l, s->extents[list]);

		line(l, "service %s list %d backends%s", name, list, slots);
	}
}

static void named_set(struct lines *l, const char *name, uint32_t id)
{
	const uint64_t *words = node_array(l->n, WEIR_MAP_policy_sets);
	_cleanup_(mem_free) char *word = word_text(l, words[id]);

	line(l, "set %s default %s", name, word);
}

static void named(struct lines *l, bool numbers)
{
	for (size_t i = 0; i < l->names.n; i++) {
		const struct weir_name *key = table_key(&l->names, i);
		const struct weir_name_id *id = table_value(&l->names, i);
		char name[NAME_TEXT_MAX];

		hash_text(key, name);
		line(l, "name %u %s len %u", key->kind, name, id->len);
		if (numbers)
			line(l, "id %u %s %u", key->kind, name, id->id);
		if (key->kind == WEIR_NAME_POD)
			named_pod(l, name, id->id);
		else if (key->kind == WEIR_NAME_SERVICE)
			named_service(l, name, id->id);
		else if (key->kind == WEIR_NAME_POLICY_SET)
			named_set(l, name, id->id);
	}
}

static void backends(struct lines *l, bool numbers)
{
	const struct weir_backend *live = node_array(l->n, WEIR_MAP_backends);
	char text[BACKEND_TEXT_MAX];

	for (uint32_t id = 1; id < node_map_max(l->n, WEIR_MAP_backends); id++) {
		if (!live[id].flags)
			continue;
		line(l, "backend %s", backend_text(l, id, text));
		if (numbers)
			line(l, "id of backend %s: %u", text, id);
	}
}

/* Occupied slots, with or without a name. */
static void occupied_slots(struct lines *l)
{
	const struct weir_pod *pods = node_array(l->n, WEIR_MAP_pods);
	char name[NAME_TEXT_MAX];

	for (uint32_t slot = 0; slot < node_map_max(l->n, WEIR_MAP_pods); slot++)
		if (pods[slot].ref)
			line(l, "slot of %s", name_of(l, WEIR_NAME_POD, slot, name));
}

static void array_line(struct lines *l, const char *name, const void *bytes, size_t len)
{
	unsigned char hash[16];
	char text[NAME_TEXT_MAX];

	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	line(l, "bytes of %s: %s", name, sodium_bin2hex(text, sizeof(text), hash, sizeof(hash)));
}

static void array_bytes(struct lines *l)
{
	struct weir_config config = *node_config(l->n);

	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (map_info(map)->kind == MAP_ARRAY && map != WEIR_MAP_config)
			array_line(l, map_info(map)->name, node_array(l->n, map),
				   (size_t)node_map_max(l->n, map) * map_info(map)->value_size);
	config.gc_rounds = 0; /* gc runs meanwhile */
	array_line(l, "config", &config, sizeof(config));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *lines_join(struct lines *l)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	qsort(l->items, l->len, sizeof(*l->items), by_text);
	for (size_t i = 0; i < l->len; i++) {
		fprintf(out, "%s\n", l->items[i]);
		free(l->items[i]);
	}
	fclose(out);
	free(l->items);
	table_free(&l->names);
	return text;
}

static char *dump(const struct node *n, bool bytes)
{
	struct lines l = { .n = n };

	table_init(&l.names, WEIR_MAP_names);
	if (table_read(node_map_fd(n, WEIR_MAP_names), &l.names, NULL))
		abort();
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (map != WEIR_MAP_names && map_is_table(map))
			elements(&l, map);
	named(&l, bytes);
	backends(&l, bytes);
	occupied_slots(&l);
	if (bytes)
		array_bytes(&l);
	return lines_join(&l);
}

char *tables_text(const struct node *n)
{
	return dump(n, false);
}

char *tables_bytes(const struct node *n)
{
	return dump(n, true);
}
