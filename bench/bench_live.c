// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Live traffic, pod to pod on one node, against plain forwarding of the same packets: through a
 * ClusterIP with few and many Services, on open connections, under few and many policies; and the
 * kernel's own rules for the same work. Variants take turns in slices of 0.3 s; each round starts
 * with another one. The result is the ratio within a round, and the median over several loads of
 * Weir. Counters prove the path of each slice.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "live.h"
#include "peers.h"
#include "row.h"
#include "stage.h"

#define MANY 10000
#define DROPS_PER_MILLE 1

enum variant {
	PLAIN,
	PLAIN_AGAIN,
	WEIR_FEW,
	WEIR_MANY,
	NFT_FEW,
	NFT_MANY,
	IPTABLES_FEW,
	IPTABLES_MANY,
	WEIR_NO_POLICY,
	WEIR_1_POLICY,
	WEIR_100_POLICIES,
	WEIR_1000_POLICIES,
	IPSET_1,
	IPSET_100,
	IPSET_1000,
	PLAIN_RR1,
	WEIR_RR1,
	NFT_RR1,
	IPTABLES_RR1,
	PLAIN_RR32,
	WEIR_RR32,
	NFT_RR32,
	IPTABLES_RR32,
	_VARIANT_MAX,
};

enum stage_kind {
	BARE, /* plain forwarding, or Weir's hooks */
	NFT10,
	NFT10000,
	IPT10,
	IPT10000,
	SET1,
	SET100,
	SET1000,
	_STAGE_MAX,
};

static const char *const stage_names[_STAGE_MAX] = { "bare",     "nft10", "nft10000", "ipt10",
						     "ipt10000", "set1",  "set100",   "set1000" };

enum loaded {
	NONE = -1,
	SERVICES_FEW,
	SERVICES_MANY,
	POLICIES_0,
	POLICIES_1,
	POLICIES_100,
	POLICIES_1000,
	_LOADED_MAX,
};

static struct instance instances[_LOADED_MAX] = {
	[SERVICES_FEW] = { .name = "few",
			   .services = FEW,
			   .endpoints = ENDPOINTS,
			   .policies = POLICIES,
			   .egress = true },
	[SERVICES_MANY] = { .name = "many",
			    .services = MANY,
			    .endpoints = ENDPOINTS,
			    .policies = POLICIES,
			    .egress = true },
	[POLICIES_0] = { .name = "p0", .services = FEW, .endpoints = 1 },
	[POLICIES_1] = { .name = "p1", .services = FEW, .endpoints = 1, .policies = 1 },
	[POLICIES_100] = { .name = "p100", .services = FEW, .endpoints = 1, .policies = 100 },
	[POLICIES_1000] = { .name = "p1000", .services = FEW, .endpoints = 1, .policies = 1000 },
};

#define CRR_VIP "CRR by ClusterIP / plain"
#define CRR_POLICY "CRR with policies / none"
#define RR1 "RR on 1 connection / plain"
#define RR32 "RR on 32 connections / plain"
#define MANY_TEXT "10000 Services x 10 100 policies"

/* services 0: the client connects to the server's own address. */
static const struct setup {
	enum stage_kind stage;
	enum loaded loaded;
	int services;
	enum traffic_mode mode;
	int connections;
	enum variant against; /* the base of its ratio; itself: a rate, no ratio */
	const char *work, *variant, *size, *aim;
} setups[_VARIANT_MAX] = {
	[PLAIN] = { BARE, NONE, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN, "CRR plain", "kernel",
		    "32 connections", "" },
	[PLAIN_AGAIN] = { BARE, NONE, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP,
			  "plain again (noise)", "", "" },
	[WEIR_FEW] = { BARE, SERVICES_FEW, FEW, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP, "weir",
		       FEW_TEXT, ">= 1.00" },
	[WEIR_MANY] = { BARE, SERVICES_MANY, MANY, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP, "weir",
			MANY_TEXT, ">= 1.00" },
	[NFT_FEW] = { NFT10, NONE, FEW, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP, "nftables",
		      "10 Services", "" },
	[NFT_MANY] = { NFT10000, NONE, MANY, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP, "nftables",
		       "10000 Services", "" },
	[IPTABLES_FEW] = { IPT10, NONE, FEW, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP, "iptables",
			   "10 Services", "" },
	[IPTABLES_MANY] = { IPT10000, NONE, MANY, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_VIP,
			    "iptables", "10000 Services", "" },
	[WEIR_NO_POLICY] = { BARE, POLICIES_0, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN,
			     "CRR direct / plain", "weir", "no policy", "" },
	[WEIR_1_POLICY] = { BARE, POLICIES_1, 0, TRAFFIC_CRR, CONNECTIONS, WEIR_NO_POLICY,
			    CRR_POLICY, "weir", "1 policy", ">= 0.98" },
	[WEIR_100_POLICIES] = { BARE, POLICIES_100, 0, TRAFFIC_CRR, CONNECTIONS, WEIR_NO_POLICY,
				CRR_POLICY, "weir", "100 policies", ">= 0.98" },
	[WEIR_1000_POLICIES] = { BARE, POLICIES_1000, 0, TRAFFIC_CRR, CONNECTIONS, WEIR_NO_POLICY,
				 CRR_POLICY, "weir", "1000 policies", ">= 0.98" },
	[IPSET_1] = { SET1, NONE, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_POLICY, "ipset",
		      "1 policy", "" },
	[IPSET_100] = { SET100, NONE, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_POLICY, "ipset",
			"100 policies", "" },
	[IPSET_1000] = { SET1000, NONE, 0, TRAFFIC_CRR, CONNECTIONS, PLAIN, CRR_POLICY, "ipset",
			 "1000 policies", "" },
	[PLAIN_RR1] = { BARE, NONE, 0, TRAFFIC_RR, 1, PLAIN_RR1, "RR plain", "kernel",
			"1 connection", "" },
	[WEIR_RR1] = { BARE, SERVICES_FEW, FEW, TRAFFIC_RR, 1, PLAIN_RR1, RR1, "weir", FEW_TEXT,
		       ">= 1.02" },
	[NFT_RR1] = { NFT10, NONE, FEW, TRAFFIC_RR, 1, PLAIN_RR1, RR1, "nftables", "10 Services",
		      "" },
	[IPTABLES_RR1] = { IPT10, NONE, FEW, TRAFFIC_RR, 1, PLAIN_RR1, RR1, "iptables",
			   "10 Services", "" },
	[PLAIN_RR32] = { BARE, NONE, 0, TRAFFIC_RR, CONNECTIONS, PLAIN_RR32, "RR plain", "kernel",
			 "32 connections", "" },
	[WEIR_RR32] = { BARE, SERVICES_FEW, FEW, TRAFFIC_RR, CONNECTIONS, PLAIN_RR32, RR32, "weir",
			FEW_TEXT, ">= 1.05" },
	[NFT_RR32] = { NFT10, NONE, FEW, TRAFFIC_RR, CONNECTIONS, PLAIN_RR32, RR32, "nftables",
		       "10 Services", "" },
	[IPTABLES_RR32] = { IPT10, NONE, FEW, TRAFFIC_RR, CONNECTIONS, PLAIN_RR32, RR32, "iptables",
			    "10 Services", "" },
};

static struct stage stages[_STAGE_MAX];
static struct row rows[_VARIANT_MAX];
static struct row dropped = { .work = "packets dropped by weir",
			      .variant = "weir",
			      .size = "of a million forwarded",
			      .unit = "",
			      .aim = "<= 10" };
static double slice_s = 0.3;
static int loads = 4, rounds = 5; /* of each load */
static int many = MANY;
static struct live_flood flood = { .loads = 4, .rounds = 2, .seconds = 1, .datagrams = 300000 };

static void __attribute__((noreturn)) die(const char *what, const char *where)
{
	fprintf(stderr, "bench_live: %s (%s)\n", what, where);
	exit(1);
}

/* ---- Set-up ---- */

static FILE *rules_open(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die("cannot write rules", path);
	return f;
}

static void load_peer_policies(const struct stage *s, int n)
{
	struct peer_policies policies = { n, STAGE_SERVER, STAGE_CLIENT };
	FILE *sets = rules_open("/run/sets"), *rules = rules_open("/run/rules");

	peer_ipset(sets, rules, &policies);
	fclose(sets);
	fclose(rules);
	stage_run(
		"nsenter --net=/run/netns/weir-%s_node sh -c 'ipset restore < /run/sets && iptables-restore /run/rules'",
		s->name);
}

static void set_up(void)
{
	stage_enter();
	for (int i = 0; i < _STAGE_MAX; i++)
		stage_up(&stages[i], stage_names[i]);
	stage_load_services(&stages[NFT10], true, FEW);
	stage_load_services(&stages[NFT10000], true, many);
	stage_load_services(&stages[IPT10], false, FEW);
	stage_load_services(&stages[IPT10000], false, many);
	load_peer_policies(&stages[SET1], 1);
	load_peer_policies(&stages[SET100], 100);
	load_peer_policies(&stages[SET1000], 1000);
	live_flood_set_up(&stages[BARE]);
	stage_enter_node(&stages[BARE]);
	for (int v = 0; v < _VARIANT_MAX; v++) {
		const struct setup *setup = &setups[v];

		rows[v] =
			(struct row){ .work = setup->work,
				      .variant = setup->variant,
				      .aim = setup->aim,
				      .unit = setup->against == (enum variant)v ? "1/s" : "ratio" };
		snprintf(rows[v].size, sizeof(rows[v].size), "%s", setup->size);
	}
	instances[SERVICES_MANY].services = many;
}

/* ---- Measurement ---- */

/* Every exchange is several packets: the expected instance counted them, the others none. */
static void check_path(enum loaded expected, uint64_t exchanges, const char *variant)
{
	for (int i = 0; i < _LOADED_MAX; i++) {
		uint64_t forwarded, drops;

		instance_count(&instances[i], &forwarded, &drops);
		if (i != (int)expected && forwarded)
			die("packets went through an instance that is not hooked", variant);
		if (i != (int)expected)
			continue;
		if (forwarded < 2 * exchanges)
			die("packets did not go through Weir", variant);
		if (drops * 1000 > forwarded * DROPS_PER_MILLE) {
			fprintf(stderr, "bench_live: %llu of %llu dropped, reason %u\n",
				(unsigned long long)drops, (unsigned long long)forwarded,
				instances[i].last_reason);
			die("Weir dropped packets", variant);
		}
		row_add(&dropped, drops * 1e6 / forwarded);
	}
}

static double run_variant(enum variant v)
{
	const struct setup *setup = &setups[v];
	int services = setup->services == MANY ? many : setup->services;
	struct traffic_slice slice = { .addr_be = inet_addr(STAGE_SERVER),
				       .port = TRAFFIC_PORT,
				       .mode = setup->mode,
				       .connections = setup->connections,
				       .seconds = slice_s };
	double rate;

	if (services) {
		slice.addr_be = stage_service_addr(services);
		slice.port = 80;
	}
	if (setup->loaded != NONE)
		instance_hook(&instances[setup->loaded], true);
	rate = traffic_run(&stages[setup->stage].traffic, &slice).rate;
	if (setup->loaded != NONE)
		instance_hook(&instances[setup->loaded], false);
	check_path(setup->loaded, rate * slice_s, setup->variant);
	return rate;
}

static void one_round(int first)
{
	double rate[_VARIANT_MAX];

	for (int i = 0; i < _VARIANT_MAX; i++) {
		int v = (first + i) % _VARIANT_MAX;

		rate[v] = run_variant(v);
	}
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_add(&rows[v], setups[v].against == (enum variant)v
					  ? rate[v]
					  : rate[v] / rate[setups[v].against]);
}

static void one_load(int load)
{
	for (int i = 0; i < _LOADED_MAX; i++)
		instance_load(&instances[i], &stages[BARE]);
	for (int round = 0; round < rounds; round++)
		one_round((load * rounds + round) * 5);
	for (int i = 0; i < _LOADED_MAX; i++)
		instance_unload(&instances[i]);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_group(&rows[v]);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "short")) {
		loads = rounds = 1;
		slice_s = 0.05;
		many = 200;
		flood = (struct live_flood){ 1, 1, 0.1, 5000 };
	} else if (argc > 2) {
		loads = atoi(argv[1]);
		rounds = atoi(argv[2]);
		flood.loads = loads;
		flood.rounds = (rounds + 1) / 2;
	}
	if (loads < 1 || rounds < 1 || rows_open("live"))
		return 1;
	set_up();
	for (int load = 0; load < loads; load++)
		one_load(load);
	for (int v = 0; v < _VARIANT_MAX; v++)
		row_end(&rows[v]);
	row_end(&dropped);
	live_flood_measure(&flood);
	rows_close();
	for (int i = 0; i < _STAGE_MAX; i++)
		traffic_stop(&stages[i].traffic);
	return 0;
}
