// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A query: map device lo, which always exists, to the pod's slot, run the program, read its
 * decision, translate the ids into the plan's indexes, and delete the flow. See testrun.h. Verdict,
 * reason and the packet that comes out must agree with each other.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "base/mem.h"
#include "sync/backends.h"
#include "sync/sync.h"
#include "testrun/testrun.h"
#include "testrun/testrun_copy.h"
#include "testrun/testrun_packet.h"

#define FLOWS 256 /* a query creates two at most, which are deleted after it */
#define FIRST_DEVICE 100000 /* ifindexes of the attachment records; no such devices exist */
#define FIRST_PORT 10000
#define PORTS 50000
#define OTHER_DEVICE 99999 /* ingress ifindex of packets that the node did not send */
#define NO_ID 0xffffffffu /* of what the tables lack */
#define UNTOUCHED 0xffff /* the reason in a decision that no program wrote */

/* The live ids of a plan's items, by index. */
struct ids {
	uint32_t *rules, *sets, *services, *backends;
};

struct testrun {
	struct node *node;
	struct ids ids;
	uint32_t device; /* lo */
	uint32_t queries;
	int cpus;
	struct weir_decision *decisions; /* one per CPU */
	const struct weir_decision *last; /* of the last query, or NULL */
	bool lenient; /* a copy: what the plan has and the tables lack gets NO_ID */
};

/* ---- Loading ---- */

static void ids_free(struct ids *ids)
{
	free(ids->rules);
	free(ids->sets);
	free(ids->services);
	free(ids->backends);
	*ids = (struct ids){};
}

void testrun_close(struct testrun **testrun)
{
	if (!*testrun)
		return;
	ids_free(&(*testrun)->ids);
	node_close(&(*testrun)->node);
	free((*testrun)->decisions);
	mem_free(testrun);
	*testrun = NULL;
}

static int id_of(const struct testrun *testrun, enum weir_name_kind kind,
		 const struct plan_hash *hash, uint32_t *ret_id, struct weir_err *err)
{
	struct weir_name name = { .kind = kind };
	struct weir_name_id id;

	memcpy(name.hash, hash, sizeof(name.hash));
	*ret_id = NO_ID;
	if (bpf_map_lookup_elem(node_map_fd(testrun->node, WEIR_MAP_names), &name, &id))
		return testrun->lenient
			       ? 0
			       : err_set(err, -errno,
					 "test run: a name of the plan has no id in map names");
	*ret_id = id.id;
	return 0;
}

/* Element 0 of each array is a placeholder with id 0. */
#define READ_IDS(testrun, array, kind, items, err)                                              \
	({                                                                                      \
		int _r = 0;                                                                     \
		(array) = mem_zalloc((p->n_##items + 1) * sizeof(*(array)));                    \
		for (size_t _i = 1; _i < p->n_##items && !_r; _i++)                             \
			_r = id_of((testrun), (kind), &p->items[_i].name, &(array)[_i], (err)); \
		_r;                                                                             \
	})

static int read_backends(struct testrun *testrun, const struct plan *p, struct weir_err *err)
{
	_cleanup_(backends_free) struct backends live = {};
	struct ids *ids = &testrun->ids;

	backends_read(testrun->node, &live);
	ids->backends = mem_zalloc((p->n_backends + 1) * sizeof(*ids->backends));
	for (size_t i = 0; i < p->n_backends; i++) {
		const struct plan_backend *b = &p->backends[i];
		const struct live_backend *found =
			backends_find(&live, ids->services[b->service], &b->addr, b->port);

		if (!found && !testrun->lenient)
			return err_set(err, -ENOENT,
				       "test run: a backend of the plan is not in map backends");
		ids->backends[i] = found ? found->id : NO_ID;
	}
	return 0;
}

static int read_ids(struct testrun *testrun, const struct plan *p, struct weir_err *err)
{
	struct ids *ids = &testrun->ids;
	int r;

	ids_free(ids);
	r = READ_IDS(testrun, ids->rules, WEIR_NAME_RULE, rules, err);
	if (!r)
		r = READ_IDS(testrun, ids->sets, WEIR_NAME_POLICY_SET, sets, err);
	if (!r)
		r = READ_IDS(testrun, ids->services, WEIR_NAME_SERVICE, services, err);
	return r ? r : read_backends(testrun, p, err);
}

/* Records every pod of the plan at a device that does not exist. */
static void record_pods(const struct plan *p, struct attachment_list *ret_list)
{
	*ret_list = (struct attachment_list){ .n = p->n_pods };
	ret_list->items =
		arena_zalloc(&ret_list->arena, (p->n_pods + 1) * sizeof(*ret_list->items));
	for (size_t i = 0; i < p->n_pods; i++)
		ret_list->items[i] =
			(struct attachment){ .ns = p->pods[i].ns,
					     .name = p->pods[i].name,
					     .uid = p->pods[i].uid,
					     .netns = "",
					     .ifindex = FIRST_DEVICE + i,
					     .mac = { 2, 0, 0, 1, i >> 8, i },
					     .addr = { p->pods[i].addr[0], p->pods[i].addr[1] } };
}

int testrun_load(struct testrun *testrun, const struct plan *p, struct weir_err *err)
{
	struct attachment_list list;
	struct sync_delta delta;
	int r;

	record_pods(p, &list);
	r = sync_apply(testrun->node, p, &list, SYNC_NO_DEVICES, &delta, err);
	arena_free(&list.arena);
	return r ? r : read_ids(testrun, p, err);
}

static int open_private(const struct node_setup *tables, struct testrun **ret_testrun,
			struct weir_err *err)
{
	_cleanup_(testrun_close) struct testrun *testrun = mem_zalloc(sizeof(*testrun));
	struct node_setup sizes = *tables;
	int r;

	sizes_set(&sizes, WEIR_KNOB_FLOWS, FLOWS);
	testrun->cpus = libbpf_num_possible_cpus();
	testrun->device = if_nametoindex("lo");
	if (testrun->cpus < 0 || !testrun->device)
		return err_set(err, -ENODEV,
			       "test run: cannot find device lo or the number of CPUs");
	testrun->decisions = mem_zalloc(testrun->cpus * sizeof(*testrun->decisions));
	r = node_open(NULL, NODE_PRIVATE, &sizes, &testrun->node, err);
	if (!r)
		*ret_testrun = TAKE_PTR(testrun);
	return r;
}

int testrun_open(const struct plan *p, struct testrun **ret_testrun, struct weir_err *err)
{
	_cleanup_(testrun_close) struct testrun *testrun = NULL;
	static const struct node_setup sizes;
	int r = open_private(&sizes, &testrun, err);

	if (!r)
		r = testrun_load(testrun, p, err);
	if (!r)
		*ret_testrun = TAKE_PTR(testrun);
	return r;
}

int testrun_open_copy(const struct node *live, const struct plan *p, struct testrun **ret_testrun,
		      struct weir_err *err)
{
	_cleanup_(testrun_close) struct testrun *testrun = NULL;
	struct node_setup sizes = {};
	int r;

	testrun_copy_setup(live, &sizes);
	r = open_private(&sizes, &testrun, err);
	if (!r) {
		testrun->lenient = true;
		r = testrun_copy(live, testrun->node, err);
	}
	if (!r)
		r = read_ids(testrun, p, err);
	if (!r)
		*ret_testrun = TAKE_PTR(testrun);
	return r;
}

bool testrun_has_pod(const struct testrun *testrun, const struct weir_addr *addr)
{
	uint32_t slot;

	return !bpf_map_lookup_elem(node_map_fd(testrun->node, WEIR_MAP_endpoints), addr, &slot);
}

const struct weir_decision *testrun_trace(const struct testrun *testrun)
{
	return testrun->last;
}

/* ---- Running ---- */

/* For one query lo is the host's end of the pod's veth; unplug() restores both tables. */
struct plug {
	const struct testrun *testrun;
	struct weir_pod *pod; /* NULL: not plugged in */
	uint32_t ifindex; /* as it was */
};

static void unplug(struct plug *plug)
{
	if (!plug->pod)
		return;
	plug->pod->ifindex = plug->ifindex;
	bpf_map_delete_elem(node_map_fd(plug->testrun->node, WEIR_MAP_attachments),
			    &plug->testrun->device);
}

static int plug_in(const struct testrun *testrun, const struct weir_addr *addr,
		   struct plug *ret_plug, struct weir_err *err)
{
	struct weir_pod *pods = node_array(testrun->node, WEIR_MAP_pods);
	struct weir_attachment a = {};
	uint32_t slot;

	if (!bpf_map_lookup_elem(node_map_fd(testrun->node, WEIR_MAP_endpoints), addr, &slot))
		a.slot = slot;
	if (!a.slot || bpf_map_update_elem(node_map_fd(testrun->node, WEIR_MAP_attachments),
					   &testrun->device, &a, BPF_ANY))
		return err_set(err, -errno, "test run: a pod of the plan has no slot: %s",
			       strerror(errno));
	*ret_plug = (struct plug){ .testrun = testrun,
				   .pod = &pods[slot],
				   .ifindex = pods[slot].ifindex };
	pods[slot].ifindex = testrun->device;
	return 0;
}

static int traces_clear(const struct testrun *testrun)
{
	uint32_t zero = 0;

	for (int i = 0; i < testrun->cpus; i++)
		testrun->decisions[i] = (struct weir_decision){ .reason = UNTOUCHED };
	return bpf_map_update_elem(node_map_fd(testrun->node, WEIR_MAP_last_decision), &zero,
				   testrun->decisions, BPF_ANY);
}

/* The trace of the CPU that ran the program. */
static const struct weir_decision *trace_read(const struct testrun *testrun)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(node_map_fd(testrun->node, WEIR_MAP_last_decision), &zero,
				testrun->decisions))
		return NULL;
	for (int i = 0; i < testrun->cpus; i++)
		if (testrun->decisions[i].reason != UNTOUCHED)
			return &testrun->decisions[i];
	return NULL;
}

static int run(const struct testrun *testrun, enum weir_program prog, bool host_origin,
	       struct testrun_packet *packet, uint32_t *ret_verdict)
{
	struct __sk_buff ctx = { .ifindex = testrun->device,
				 .ingress_ifindex = host_origin ? 0 : OTHER_DEVICE };
	struct testrun_packet out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->bytes, .data_size_in = packet->len,
		    .data_out = out.bytes, .data_size_out = sizeof(out.bytes), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	if (bpf_prog_test_run_opts(node_prog_fd(testrun->node, prog), &opts))
		return -errno;
	out.len = opts.data_size_out;
	*packet = out;
	*ret_verdict = opts.retval;
	return 0;
}

/*
 * Deletes the query's flow, so that the next packet is a first one again, and frees its gc slots.
 */
/* Returns an entry's gc slot, and takes back what it counts. */
static void forget_slot(const struct node *n, uint32_t slot)
{
	static const struct weir_flow_share nothing;
	static const struct weir_key_slot unused;
	struct weir_key_slot k;

	if (!bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_gc_slots), &slot, &k))
		bpf_map_update_elem(node_map_fd(n, WEIR_MAP_flow_shares), &k.mark.bucket, &nothing,
				    BPF_ANY);
	bpf_map_update_elem(node_map_fd(n, WEIR_MAP_gc_slots), &slot, &unused, BPF_ANY);
	bpf_map_update_elem(node_map_fd(n, WEIR_MAP_gc_free), NULL, &slot, BPF_ANY);
}

static void forget_flows(const struct testrun *testrun)
{
	int fd = node_map_fd(testrun->node, WEIR_MAP_conntrack);
	struct weir_tuple key;
	struct weir_flow flow;

	while (!bpf_map_get_next_key(fd, NULL, &key)) {
		if (bpf_map_lookup_elem(fd, &key, &flow) || bpf_map_delete_elem(fd, &key))
			return;
		if (flow.gc_slot != WEIR_NO_GC_SLOT)
			forget_slot(testrun->node, flow.gc_slot);
	}
	node_config(testrun->node)->entries = 0;
	node_config(testrun->node)->half_open = 0;
}

/* ---- Answers ---- */

static uint32_t index_of(const uint32_t *ids, size_t n, uint32_t id, uint32_t none)
{
	if (!id)
		return none;
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return i;
	return PLAN_NONE;
}

static void fill_answer(const struct testrun *testrun, const struct plan *p,
			const struct weir_decision *t, struct oracle_answer *a)
{
	const struct ids *ids = &testrun->ids;

	a->reason = t->reason;
	a->egress =
		(struct oracle_side){ .judged = t->judged_egress,
				      .allow = t->allow_egress,
				      .rule = index_of(ids->rules, p->n_rules, t->egress_rule, 0),
				      .set = index_of(ids->sets, p->n_sets, t->egress_set, 0) };
	a->ingress =
		(struct oracle_side){ .judged = t->judged_ingress,
				      .allow = t->allow_ingress,
				      .rule = index_of(ids->rules, p->n_rules, t->ingress_rule, 0),
				      .set = index_of(ids->sets, p->n_sets, t->ingress_set, 0) };
	a->service = index_of(ids->services, p->n_services, t->service, 0);
	a->backend = index_of(ids->backends, p->n_backends, t->backend, PLAN_NONE);
	if (t->judged_egress || t->judged_ingress) {
		a->dst = t->dst;
		a->port = __builtin_bswap16(t->dst_port_be);
	}
}

static bool passed(uint32_t verdict)
{
	return verdict == (uint32_t)TC_ACT_UNSPEC || verdict == TC_ACT_OK ||
	       verdict == TC_ACT_REDIRECT;
}

/* The verdict must match the reason, and a passed packet the destination of the trace. */
static int check_answer(const struct oracle_answer *a, uint32_t verdict,
			const struct testrun_packet *out, struct weir_err *err)
{
	struct weir_addr dst;
	uint16_t port;

	if (weir_verdict_of(a->reason) == WEIR_REJECT)
		return 0; /* dropped, or turned into the reply to its sender */
	if (passed(verdict) != (a->reason == WEIR_FORWARDED))
		return err_set(err, -EPROTO, "test run: verdict %d contradicts reason %u",
			       (int)verdict, a->reason);
	if (a->reason != WEIR_FORWARDED)
		return 0;
	testrun_packet_dst(out, &dst, &port);
	if (!weir_addr_equal(&dst, &a->dst) || port != a->port)
		return err_set(err, -EPROTO,
			       "test run: the packet's destination differs from the trace");
	return 0;
}

static int ask_at(struct testrun *testrun, const struct plan *p, const struct oracle_query *q,
		  const struct weir_pod *at, enum weir_program prog, struct oracle_answer *a,
		  struct weir_err *err)
{
	const struct weir_decision *t;
	struct testrun_packet packet;
	uint32_t verdict = 0;
	int r;

	testrun_packet_make(&packet, q, FIRST_PORT + testrun->queries++ % PORTS);
	testrun_packet_from(&packet, at->mac);
	if (traces_clear(testrun))
		return err_set(err, -errno, "test run: clear the trace: %s", strerror(errno));
	r = run(testrun, prog, q->host_origin, &packet, &verdict);
	if (r)
		return err_set(err, r, "test run: run %s: %s", program_info(prog)->name,
			       strerror(-r));
	forget_flows(testrun);
	t = trace_read(testrun);
	testrun->last = t;
	if (!t)
		return err_set(err, -EPROTO, "test run: %s left no trace",
			       program_info(prog)->name);
	fill_answer(testrun, p, t, a);
	return check_answer(a, verdict, &packet, err);
}

/* On a copy the tables say which pods are local. */
static bool is_here(const struct testrun *testrun, const struct plan *p,
		    const struct weir_addr *addr)
{
	return testrun->lenient ? testrun_has_pod(testrun, addr)
				: plan_find_local_pod(p, addr) != NULL;
}

int testrun_ask(struct testrun *testrun, const struct plan *p, const struct oracle_query *q,
		struct oracle_answer *ret_answer, struct weir_err *err)
{
	bool from_pod = is_here(testrun, p, &q->src), to_pod = is_here(testrun, p, &q->dst);
	struct oracle_answer a = { .reason = WEIR_FORWARDED,
				   .egress = { .allow = true },
				   .ingress = { .allow = true },
				   .backend = PLAN_NONE,
				   .dst = q->dst,
				   .port = q->port };
	_cleanup_(unplug) struct plug plug = {};
	int r = 0;

	testrun->last = NULL;
	if (from_pod || to_pod)
		r = plug_in(testrun, from_pod ? &q->src : &q->dst, &plug, err);
	if (!r && plug.pod)
		r = ask_at(testrun, p, q, plug.pod,
			   from_pod ? WEIR_PROGRAM_from_pod : WEIR_PROGRAM_to_pod, &a, err);
	if (!r)
		*ret_answer = a;
	return r;
}

uint32_t testrun_pick(const struct plan *p, const struct oracle_query *q,
		      const struct oracle_answer *a)
{
	const struct plan_list *list = oracle_candidates(p, q);

	for (size_t i = 0; list && i < list->n; i++)
		if (list->items[i] == a->backend)
			return i;
	return 0;
}
