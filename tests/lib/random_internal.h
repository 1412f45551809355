/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shared by the files that generate random clusters. */
#pragma once

#include "base/addr.h"
#include "base/emit.h"
#include "lib/random_cluster.h"

#define GENERATOR_ADDRS 128
/* Few, so that Services dispute them. */
#define RANDOM_NODE_PORT 30000
#define RANDOM_NODE_PORTS 12

struct generator {
	struct random *r;
	struct emit e; /* of the current object */
	FILE *out;
	bool json;
	unsigned int objects;
	unsigned int n_namespaces, n_services;
	struct weir_addr addrs[GENERATOR_ADDRS]; /* of pods, nodes and the world: blocks and
						    endpoints are chosen near them */
	size_t n_addrs;
};

/* Keys and values for labels and selectors. */
struct vocabulary {
	const char *const *keys;
	const char *const *values[4]; /* of each key */
	const char *ghost; /* a key that no object has, or NULL */
};

extern const struct vocabulary pod_words, namespace_words;
extern const char *const port_names[];
extern const char *const protocols[];
extern const unsigned int port_numbers[];

void object_begin(struct generator *g, const char *api_version, const char *kind);
void object_end(struct generator *g);
/* Begins metadata with name and namespace (NULL: none); end it with emit_map_end(). */
void metadata_begin(struct generator *g, const char *ns, const char *name);
void emit_labels(struct generator *g, const char *key, const struct vocabulary *words,
		 unsigned int percent);
void emit_time(struct generator *g, const char *key);
void emit_addr(struct generator *g, const char *key, const struct weir_addr *addr);

unsigned int random_port(struct random *r);
struct weir_addr address_v4(unsigned int a, unsigned int b, unsigned int c, unsigned int d);
struct weir_addr address_v6(unsigned int group, unsigned int subnet, unsigned int host);
struct weir_addr known_address(struct generator *g, int family);
void remember_address(struct generator *g, const struct weir_addr *addr);
const char *namespace_name(unsigned int i);

void make_service(struct generator *g, unsigned int i);
void make_policy(struct generator *g, unsigned int i);
