// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * New connections of one pod beside a flood of new flows from another pod of the node. The flood
 * fills the connection table first: Weir's, or the kernel's. See live.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "live.h"
#include "row.h"

enum variant {
	PLAIN,
	PLAIN_AGAIN,
	WEIR,
	NFT,
	IPTABLES,
	_VARIANT_MAX,
};

enum place {
	BARE, /* plain forwarding, or Weir's hooks */
	NFT_NODE,
	IPTABLES_NODE,
	_PLACE_MAX,
};

#define RATE "CRR by ClusterIP beside a flood / plain"

static const struct setup {
	enum place place;
	const char *work, *variant, *size;
} setups[_VARIANT_MAX] = {
	[PLAIN] = { BARE, "CRR plain beside a flood", "kernel", "32 connections" },
	[PLAIN_AGAIN] = { BARE, RATE, "plain again (noise)", "" },
	[WEIR] = { BARE, RATE, "weir", FEW_TEXT },
	[NFT] = { NFT_NODE, RATE, "nftables", "10 Services" },
	[IPTABLES] = { IPTABLES_NODE, RATE, "iptables", "10 Services" },
};

static struct stage own[_PLACE_MAX];
static struct stage *places[_PLACE_MAX];
static struct flood floods[_PLACE_MAX];
static struct instance instance = { .name = "flooded",
				    .services = FEW,
				    .endpoints = ENDPOINTS,
				    .policies = POLICIES,
				    .egress = true };

/* Of a variant: connections, those that failed or were slow, and the flood itself. */
struct rows {
	struct row rate, lost, flood;
};

static struct rows rows[_VARIANT_MAX];

static void __attribute__((noreturn)) die(const char *what, enum variant v)
{
	fprintf(stderr, "bench_live: beside a flood: %s (%s)\n", what, setups[v].variant);
	exit(1);
}

static struct row make_row(enum variant v, const char *work, const char *size, const char *unit)
{
	struct row row = { .work = work, .variant = setups[v].variant, .aim = "", .unit = unit };

	snprintf(row.size, sizeof(row.size), "%s", size);
	return row;
}

static void make_rows(void)
{
	for (int v = 0; v < _VARIANT_MAX; v++) {
		const struct setup *s = &setups[v];

		rows[v].rate = make_row(v, s->work, s->size, v == PLAIN ? "1/s" : "ratio");
		rows[v].lost = make_row(v, "failed or over 1 s beside a flood",
					"of a million connections", "");
		rows[v].flood = make_row(v, "datagrams of the flood", "", "1/s");
	}
	rows[WEIR].lost.aim = "<= 0";
}

void live_flood_set_up(struct stage *bare)
{
	places[BARE] = bare;
	stage_up(&own[NFT_NODE], "nftflood");
	stage_up(&own[IPTABLES_NODE], "iptflood");
	stage_load_services(&own[NFT_NODE], true, FEW);
	stage_load_services(&own[IPTABLES_NODE], false, FEW);
	for (int p = NFT_NODE; p < _PLACE_MAX; p++)
		places[p] = &own[p];
	for (int p = 0; p < _PLACE_MAX; p++)
		stage_start_flood(places[p], &floods[p]);
	make_rows();
}

/* ---- Measurement ---- */

/*
 * The flood took the path of the variant. Plain forwarding tracks nothing. Weir has the flows in
 * its table, evicted them or, some of earlier slices, forgot them. Netfilter has as many as its
 * table holds.
 */
static void check_flood(enum variant v, uint64_t weir_before, uint64_t datagrams)
{
	const struct stage *s = places[setups[v].place];
	uint64_t entries = stage_conntrack(s, "count"), most = stage_conntrack(s, "max");

	if (setups[v].place == BARE && entries)
		die("the kernel tracks connections without a rule", v);
	if (setups[v].place != BARE && entries < (datagrams < most ? datagrams : most) / 2)
		die("the flood is not in the kernel's connection table", v);
	if (v == WEIR && instance_flows(&instance) < weir_before + datagrams / 4)
		die("the flood is not in Weir's connection table", v);
}

/* Each exchange is several packets. Weir counted them and the flood, and nothing of others. */
static void check_packets(enum variant v, uint64_t exchanges, uint64_t datagrams)
{
	uint64_t forwarded, drops;

	instance_count(&instance, &forwarded, &drops);
	if (v == WEIR ? forwarded + drops < datagrams + 4 * exchanges : forwarded > 0)
		die("packets took another path", v);
}

static double run_variant(enum variant v, const struct live_flood *size)
{
	struct traffic_slice slice = { .addr_be = stage_service_addr(FEW),
				       .port = 80,
				       .mode = TRAFFIC_CRR,
				       .connections = CONNECTIONS,
				       .seconds = size->seconds,
				       .lossy = true };
	struct flood *flood = &floods[setups[v].place];
	struct traffic_result result;
	struct flood_result sent;
	uint64_t before = instance_flows(&instance);

	if (v <= PLAIN_AGAIN) {
		slice.addr_be = inet_addr(STAGE_SERVER);
		slice.port = TRAFFIC_PORT;
	}
	if (v == WEIR)
		instance_hook(&instance, true);
	flood_begin(flood, size->datagrams);
	result = traffic_run(&places[setups[v].place]->traffic, &slice);
	sent = flood_end(flood);
	check_flood(v, before, sent.datagrams);
	if (v == WEIR)
		instance_hook(&instance, false);
	check_packets(v, result.connections - result.failed - result.slow, sent.datagrams);
	row_add(&rows[v].lost, (result.failed + result.slow) * 1e6 / result.connections);
	row_add(&rows[v].flood, sent.datagrams / sent.seconds);
	return result.rate;
}

static void one_round(int first, const struct live_flood *size)
{
	double rate[_VARIANT_MAX];

	for (int i = 0; i < _VARIANT_MAX; i++) {
		int v = (first + i) % _VARIANT_MAX;

		rate[v] = run_variant(v, size);
	}
	if (!rate[PLAIN])
		die("no connection succeeded", PLAIN);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_add(&rows[v].rate, v == PLAIN ? rate[v] : rate[v] / rate[PLAIN]);
}

static void one_load(int load, const struct live_flood *size)
{
	instance_load(&instance, places[BARE]);
	for (int round = 0; round < size->rounds; round++)
		one_round(load * size->rounds + round, size);
	instance_unload(&instance);
	for (int v = 0; v < _VARIANT_MAX; v++) {
		row_group(&rows[v].rate);
		row_group(&rows[v].lost);
		row_group(&rows[v].flood);
	}
}

void live_flood_measure(const struct live_flood *size)
{
	for (int load = 0; load < size->loads; load++)
		one_load(load, size);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_end(&rows[v].rate);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_end(&rows[v].lost);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_end(&rows[v].flood);
	for (int p = 0; p < _PLACE_MAX; p++)
		flood_stop(&floods[p]);
	for (int p = NFT_NODE; p < _PLACE_MAX; p++)
		traffic_stop(&own[p].traffic);
}
