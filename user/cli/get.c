// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir get NOUN: the kernel's tables, decoded, with names. One function for each noun walks its
 * maps once and fills a listing. Reads only.
 */
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "cli/get.h"
#include "cli/loaded.h"
#include "cli/verbs.h"
#include "inspect/fill.h"
#include "inspect/tables.h"

/* ---- Pods ---- */

static const struct listing_column pod_columns[] = {
	COLUMN("POD", "pod"),
	COLUMN("IPV4", "ipv4"),
	COLUMN("IPV6", "ipv6"),
	COLUMN("IFINDEX", "ifindex"),
	COLUMN("INGRESS", "ingress"),
	COLUMN("EGRESS", "egress"),
	COLUMN("STATE", "state"),
	COLUMN_WIDE("IDENTITY", "identity"),
	COLUMN_WIDE("SLOT", "slot"),
	COLUMN_WIDE("OPT-OUTS", "optOuts"),
	{},
};

static const char *set_label(const struct live *l, uint32_t set, char *buf)
{
	return set ? live_label(l, WEIR_NAME_POLICY_SET, set, buf) : "not isolated";
}

/* Of the attachment record: what the pod may send all the same. */
static const char *opt_outs(uint32_t flags)
{
	if (flags & WEIR_POD_ANY_SENDER)
		return flags & WEIR_POD_TUNNELS ? "anySender tunnels" : "anySender";
	return flags & WEIR_POD_TUNNELS ? "tunnels" : "";
}

static const char *identity_label(const struct live *l, const struct weir_pod *pod, char *buf)
{
	uint32_t id = pod->identity[weir_addr_is_zero(&pod->addr[0])];

	return id == WEIR_IDENTITY_NONE ? "" : live_label(l, WEIR_NAME_IDENTITY, id, buf);
}

static void get_pods(const struct live *l, const struct common_options *c)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	char text[LIVE_TEXT_MAX];
	struct listing out;

	listing_begin(&out, c, "PodList", pod_columns);
	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_pods); i++) {
		const struct weir_pod *pod = &pods[i];
		uint64_t word = __atomic_load_n(&pod->word, __ATOMIC_RELAXED);

		if (!pod->ref)
			continue;
		listing_text(&out, live_pod_label(l, i, text));
		for (int f = 0; f < 2; f++)
			listing_text(&out, weir_addr_is_zero(&pod->addr[f])
						   ? ""
						   : addr_text(&pod->addr[f], text));
		listing_int(&out, pod->ifindex);
		listing_text(&out, set_label(l, weir_pod_ingress_set(word), text));
		listing_text(&out, set_label(l, weir_pod_egress_set(word), text));
		if (weir_pod_flags(word) & WEIR_POD_GATE)
			listing_tone(&out, TONE_WARN, "held");
		else
			listing_tone(&out, TONE_GOOD,
				     weir_pod_flags(word) & WEIR_POD_ADOPTED ? "adopted" : "open");
		listing_text(&out, identity_label(l, pod, text));
		listing_int(&out, i);
		listing_text(&out, opt_outs(weir_pod_flags(word)));
	}
	listing_end(&out);
}

/* ---- Services and backends ---- */

static const struct listing_column service_columns[] = {
	COLUMN("SERVICE", "service"),
	COLUMN("FAMILY", "family"),
	COLUMN("FRONTEND", "frontend"),
	COLUMN("EXTERNAL", "external"),
	COLUMN("BACKENDS", "backends"),
	COLUMN("STATE", "state"),
	COLUMN_WIDE("OUTSIDE", "external_backends"),
	COLUMN_WIDE("POLICY", "external_policy"),
	COLUMN_WIDE("ID", "id"),
	{},
};

/* "10.96.0.1:80/TCP"; of a node port "node:30080/TCP". */
static void print_frontend(const struct live_frontend *f, FILE *out)
{
	char addr[ADDR_TEXT_MAX];

	if (f->key.scope == WEIR_SCOPE_NODE_PORT)
		fprintf(out, "node:%u", ntohs(f->key.port_be));
	else
		fputs(addr_port_text(&f->key.addr, ntohs(f->key.port_be), addr), out);
	fprintf(out, "/%s", proto_text(f->key.proto));
	if (weir_frontend_flags(f->word) & WEIR_FRONTEND_RANGES)
		fputs(" (source ranges)", out);
}

/* Its cluster IP, or all other frontends, of the service at first. */
static void list_frontends(struct listing *out, const struct live_frontend *first, size_t n,
			   uint32_t external)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if ((weir_frontend_flags(first[i].word) & WEIR_FRONTEND_EXTERNAL) != external)
			continue;
		if (any)
			fputs(", ", stream);
		print_frontend(&first[i], stream);
		any = true;
	}
	fclose(stream);
	listing_text(out, text);
}

static void list_service(const struct live *l, const struct live_frontends *f, uint32_t id,
			 struct listing *out)
{
	const struct weir_service *s =
		(const struct weir_service *)node_array(l->node, WEIR_MAP_services) + id;
	uint32_t backends = weir_extent_len(s->extents[WEIR_LIST_INTERNAL]);
	char text[LIVE_TEXT_MAX];
	size_t n, first = live_frontends_of(f, id, &n);

	listing_text(out, live_label(l, WEIR_NAME_SERVICE, id, text));
	listing_text(out, live_fact(l, WEIR_NAME_SERVICE, id, "family"));
	list_frontends(out, f->items + first, n, 0);
	list_frontends(out, f->items + first, n, WEIR_FRONTEND_EXTERNAL);
	listing_int(out, backends);
	if (backends)
		listing_tone(out, TONE_GOOD, "ready");
	else
		listing_tone(out, TONE_BAD,
			     s->flags & WEIR_SERVICE_USABLE ? "no local endpoint" : "no endpoint");
	listing_int(out, weir_extent_len(s->extents[WEIR_LIST_EXTERNAL]));
	listing_text(out, s->flags & WEIR_SERVICE_EXTERNAL_LOCAL ? "Local" : "Cluster");
	listing_int(out, id);
}

static void get_services(const struct live *l, const struct common_options *c)
{
	_cleanup_(live_frontends_free) struct live_frontends frontends = {};
	struct listing out;

	live_frontends_read(l, &frontends);
	listing_begin(&out, c, "ServiceList", service_columns);
	for (size_t i = 0; i < l->n_names; i++)
		if (l->names[i].kind == WEIR_NAME_SERVICE)
			list_service(l, &frontends, l->names[i].id, &out);
	listing_end(&out);
}

static const struct listing_column backend_columns[] = {
	COLUMN("BACKEND", "backend"),
	COLUMN("SERVICE", "service"),
	COLUMN("POD", "pod"),
	COLUMN("STATE", "state"),
	COLUMN_WIDE("GENERATION", "generation"),
	COLUMN_WIDE("ID", "id"),
	{},
};

static void get_backends(const struct live *l, const struct common_options *c)
{
	const struct weir_backend *backends = node_array(l->node, WEIR_MAP_backends);
	char text[LIVE_TEXT_MAX];
	struct listing out;

	listing_begin(&out, c, "BackendList", backend_columns);
	for (uint32_t id = 1; id < node_map_max(l->node, WEIR_MAP_backends); id++) {
		const struct weir_backend *b = &backends[id];

		if (!(b->flags & WEIR_BACKEND_TAKEN))
			continue;
		listing_text(&out, live_label(l, WEIR_NAME_BACKEND, id, text));
		listing_text(&out, live_label(l, WEIR_NAME_SERVICE, b->service, text));
		listing_text(&out, live_pod(l, &b->addr));
		if (b->flags & WEIR_BACKEND_SERVING)
			listing_tone(&out, TONE_GOOD, "serving");
		else
			listing_tone(&out, TONE_WARN, "not serving");
		listing_int(&out, b->generation);
		listing_int(&out, id);
	}
	listing_end(&out);
}

/* ---- Policies and rules ---- */

/*
 * The count and the seconds since the last hit. The count is empty where the table is too small for
 * the id, the time where there was no hit.
 */
static void list_hits(const struct live *l, struct listing *out, enum weir_map map, uint32_t id)
{
	struct weir_hits hits;
	bool counted = live_hits(l, map, id, &hits);

	listing_count(out, counted ? (long long)hits.packets : -1);
	listing_count(out, hits.last ? live_tick_age(live_ticks_now(), hits.last) : -1);
}

static const struct listing_column policy_columns[] = {
	COLUMN("POLICIES", "policies"),
	COLUMN("DIRECTION", "direction"),
	COLUMN("DEFAULT", "default"),
	COLUMN("PEERS", "peers"),
	COLUMN("PODS", "pods"),
	COLUMN("DENIED", "denied"),
	COLUMN_WIDE("IDLE", "idleSeconds"),
	COLUMN_WIDE("SET", "set"),
	{},
};

static void get_policies(const struct live *l, const struct common_options *c)
{
	const uint64_t *sets = node_array(l->node, WEIR_MAP_policy_sets);
	char text[LIVE_TEXT_MAX];
	struct listing out;

	listing_begin(&out, c, "PolicyList", policy_columns);
	for (size_t i = 0; i < l->n_names; i++) {
		uint32_t id = l->names[i].id;

		if (l->names[i].kind != WEIR_NAME_POLICY_SET)
			continue;
		listing_text(&out, live_label(l, WEIR_NAME_POLICY_SET, id, text));
		listing_text(&out, live_fact(l, WEIR_NAME_POLICY_SET, id, "direction"));
		listing_text(&out, live_word_text(l, sets[id]));
		listing_int(&out, live_set_elements(l, id));
		listing_int(&out, live_set_pods(l, id));
		list_hits(l, &out, WEIR_MAP_set_hits, id);
		listing_int(&out, id);
	}
	listing_end(&out);
}

static const struct listing_column rule_columns[] = {
	COLUMN("RULE", "rule"),        COLUMN("WRITTEN", "src"), COLUMN("HITS", "hits"),
	COLUMN("IDLE", "idleSeconds"), COLUMN("ID", "id"),       {},
};

static void get_rules(const struct live *l, const struct common_options *c)
{
	char text[LIVE_TEXT_MAX];
	struct listing out;

	listing_begin(&out, c, "RuleList", rule_columns);
	for (size_t i = 0; i < l->n_names; i++) {
		if (l->names[i].kind != WEIR_NAME_RULE)
			continue;
		listing_text(&out, live_label(l, WEIR_NAME_RULE, l->names[i].id, text));
		listing_text(&out, live_fact(l, WEIR_NAME_RULE, l->names[i].id, "src"));
		list_hits(l, &out, WEIR_MAP_rule_hits, l->names[i].id);
		listing_int(&out, l->names[i].id);
	}
	listing_end(&out);
}

/* ---- Maps and programs ---- */

static const struct listing_column map_columns[] = {
	COLUMN("MAP", "map"),
	COLUMN("KIND", "kind"),
	COLUMN("ENTRIES", "entries"),
	COLUMN("CAPACITY", "capacity"),
	COLUMN_WIDE("WHEN FULL", "full"),
	{},
};

static void get_maps(const struct live *l, const struct common_options *c)
{
	struct listing out;

	listing_begin(&out, c, "MapList", map_columns);
	for (int i = 0; i < _WEIR_MAP_MAX; i++) {
		listing_text(&out, map_info(i)->name);
		listing_text(&out, map_info(i)->kind_name);
		listing_count(&out, live_fill(l, i));
		listing_int(&out, node_map_max(l->node, i));
		listing_text(&out, map_info(i)->full_text);
	}
	listing_end(&out);
}

static const struct listing_column program_columns[] = {
	COLUMN("PROGRAM", "program"),
	COLUMN("ID", "id"),
	COLUMN("TAG", "tag"),
	COLUMN("VERIFIED", "verifiedInstructions"),
	COLUMN("JITED", "jitedBytes"),
	COLUMN_WIDE("RUNS", "runs"),
	{},
};

static void get_programs(const struct live *l, const struct common_options *c)
{
	struct listing out;

	listing_begin(&out, c, "ProgramList", program_columns);
	for (int i = 0; i < _WEIR_PROGRAM_MAX; i++) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		int fd = node_prog_fd(l->node, i);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		listing_text(&out, program_info(i)->name);
		listing_int(&out, info.id);
		listing_printf(&out, "%02x%02x%02x%02x%02x%02x%02x%02x", info.tag[0], info.tag[1],
			       info.tag[2], info.tag[3], info.tag[4], info.tag[5], info.tag[6],
			       info.tag[7]);
		listing_int(&out, info.verified_insns);
		listing_int(&out, info.jited_prog_len);
		listing_int(&out, info.run_cnt);
	}
	listing_end(&out);
}

/* ---- The verb ---- */

struct get_options {
	struct common_options common;
	bool by_pod;
};

static const struct option_row rows[] = {
	{ "by-pod", 0, NULL, OPTION_FLAG, offsetof(struct get_options, by_pod),
	  "flows: what each pod holds of the connection table, most first" },
	{},
};

static const struct {
	const char *noun;
	void (*get)(const struct live *l, const struct common_options *c);
} nouns[] = {
	{ "pods", get_pods },         { "services", get_services }, { "backends", get_backends },
	{ "policies", get_policies }, { "rules", get_rules },       { "flows", get_flows },
	{ "maps", get_maps },         { "programs", get_programs },
};

#define NOUNS "services|backends|pods|policies|rules|flows|maps|programs"

static int run(void *options, char **args, int n_args)
{
	const struct get_options *o = options;
	const struct common_options *c = &o->common;
	_cleanup_(live_close) struct live l = {};
	int status;

	if (o->by_pod && strcmp(args[0], "flows"))
		return cli_fail(EXIT_USAGE,
				"get: --by-pod is for flows: 'weir get flows --by-pod'");
	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++) {
		if (strcmp(nouns[i].noun, args[0]))
			continue;
		status = loaded_open(&l, c);
		if (status)
			return status;
		if (o->by_pod)
			get_flows_by_pod(&l, c);
		else
			nouns[i].get(&l, c);
		loaded_check(&l, c);
		return EXIT_OK;
	}
	return cli_fail(EXIT_USAGE, "get: '%s' is not one of " NOUNS, args[0]);
}

const struct verb verb_get = {
	.name = "get",
	.arguments = NOUNS,
	.summary = "what the kernel's tables hold, with names (root)",
	.details =
		"Reads the maps of the instance. The plan file of the same generation has the names; without it ids\n"
		"are shown, with a note on stderr. Exit status 3: nothing is loaded. The columns:\n\n"
		"pods INGRESS, EGRESS  the policies that isolate the pod in that direction\n"
		"pods STATE            open; adopted: open, and it ran before Weir; held: all its packets are dropped\n"
		"services BACKENDS     endpoints that new connections may go to\n"
		"backends STATE        serving: takes new connections; not serving: takes none\n"
		"policies POLICIES     a row: all policies that isolate the same pods in one DIRECTION\n"
		"policies DEFAULT      what a peer that no rule selects may do: deny, allow, or use some ports\n"
		"policies PEERS        groups of peers that rules select\n"
		"policies PODS         pods of this node that they isolate\n"
		"policies DENIED       packets that none of their rules allowed\n"
		"rules WRITTEN         file and line of the rule\n"
		"rules HITS            connections that it allowed; counted again when policies change\n"
		"flows BACKEND         the endpoint that the Service gave this connection\n"
		"flows VERDICT         whether policies allow the connection\n"
		"flows EVICTED         with --by-pod: flows that the pod lost to its own newer ones\n"
		"flows STATE           with --by-pod: within share; over share: the table is more than half full, and\n"
		"                      the pod's new flows evict its own; over half-open share: they evict its\n"
		"                      half-open ones\n"
		"IDLE                  seconds since the last such packet\n"
		"maps WHEN FULL        what happens when another entry is needed (-o wide)\n"
		"programs VERIFIED     instructions that the verifier processed\n"
		"programs JITED        bytes of machine code\n"
		"programs RUNS         runs, if kernel.bpf_stats_enabled is 1 (-o wide)\n",
	.outputs = "table|wide|json|name",
	.wants = WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct get_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
