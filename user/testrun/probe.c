// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One question: point the one device that always exists (lo) at the pod's slot, run the program,
 * read what it traced, put the numbers back into the plan's terms, and forget the flow. See
 * probe.h. Everything the program says is checked against itself: verdict, reason and the packet
 * that comes out.
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
#include "testrun/probe.h"
#include "testrun/probe_copy.h"
#include "testrun/probe_packet.h"

#define FLOWS 256 /* a question leaves two at most, and they are removed */
#define FIRST_DEVICE 100000 /* names of devices in the attachment records; none of them exists */
#define FIRST_PORT 10000
#define PORTS 50000
#define OTHER_DEVICE 99999 /* where packets come from that this node did not send */
#define NO_NUMBER 0xffffffffu
#define UNTOUCHED 0xffff /* a trace that no program wrote */

/* The live numbers of a plan's things, by index. */
struct numbers {
	uint32_t *rules, *sets, *services, *backends;
};

struct probe {
	struct node *node;
	struct numbers numbers;
	uint32_t device; /* lo */
	uint32_t questions;
	int cpus;
	struct weir_trace *traces; /* one a CPU */
	const struct weir_trace *last; /* of the last question, or NULL */
	bool lenient; /* what the plan has and the tables have not gets a number that nobody has */
};

/*
 * ---- Loading ------------------------------------------------------------------------------------
 */

static void numbers_free(struct numbers *n)
{
	free(n->rules);
	free(n->sets);
	free(n->services);
	free(n->backends);
	*n = (struct numbers){};
}

void probe_close(struct probe **probe)
{
	if (!*probe)
		return;
	numbers_free(&(*probe)->numbers);
	node_close(&(*probe)->node);
	free((*probe)->traces);
	mem_free(probe);
	*probe = NULL;
}

static int number_of(const struct probe *probe, enum weir_name_kind kind,
		     const struct plan_hash *hash, uint32_t *ret_number, struct weir_err *err)
{
	struct weir_name name = { .kind = kind };
	struct weir_name_id id;

	memcpy(name.hash, hash, sizeof(name.hash));
	*ret_number = NO_NUMBER;
	if (bpf_map_lookup_elem(node_map_fd(probe->node, WEIR_MAP_names), &name, &id))
		return probe->lenient
			       ? 0
			       : err_set(err, -errno,
					 "probe: a thing of the plan has no number in map names");
	*ret_number = id.id;
	return 0;
}

/* Element 0 of each array is a placeholder with number 0. */
#define NUMBERS(probe, array, kind, items, err)                                                   \
	({                                                                                        \
		int _r = 0;                                                                       \
		(array) = mem_zalloc((p->n_##items + 1) * sizeof(*(array)));                      \
		for (size_t _i = 1; _i < p->n_##items && !_r; _i++)                               \
			_r = number_of((probe), (kind), &p->items[_i].name, &(array)[_i], (err)); \
		_r;                                                                               \
	})

static int read_backends(struct probe *probe, const struct plan *p, struct weir_err *err)
{
	_cleanup_(backends_free) struct backends live = {};
	struct numbers *n = &probe->numbers;

	backends_read(probe->node, &live);
	n->backends = mem_zalloc((p->n_backends + 1) * sizeof(*n->backends));
	for (size_t i = 0; i < p->n_backends; i++) {
		const struct plan_backend *b = &p->backends[i];
		const struct live_backend *found =
			backends_find(&live, n->services[b->service], &b->addr, b->port);

		if (!found && !probe->lenient)
			return err_set(err, -ENOENT,
				       "probe: a backend of the plan is not in map backends");
		n->backends[i] = found ? found->id : NO_NUMBER;
	}
	return 0;
}

static int read_numbers(struct probe *probe, const struct plan *p, struct weir_err *err)
{
	struct numbers *n = &probe->numbers;
	int r;

	numbers_free(n);
	r = NUMBERS(probe, n->rules, WEIR_NAME_RULE, rules, err);
	if (!r)
		r = NUMBERS(probe, n->sets, WEIR_NAME_POLICY_SET, sets, err);
	if (!r)
		r = NUMBERS(probe, n->services, WEIR_NAME_SERVICE, services, err);
	return r ? r : read_backends(probe, p, err);
}

/* Every pod of the plan is recorded, at a device that does not exist. */
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

int probe_load(struct probe *probe, const struct plan *p, struct weir_err *err)
{
	struct attachment_list list;
	struct sync_delta delta;
	int r;

	record_pods(p, &list);
	r = sync_apply(probe->node, p, &list, SYNC_NO_DEVICES, &delta, err);
	arena_free(&list.arena);
	return r ? r : read_numbers(probe, p, err);
}

static int open_private(const struct node_sizes *tables, struct probe **ret_probe,
			struct weir_err *err)
{
	_cleanup_(probe_close) struct probe *probe = mem_zalloc(sizeof(*probe));
	struct node_sizes sizes = *tables;
	int r;

	sizes_set(&sizes, WEIR_KNOB_FLOWS, FLOWS);
	probe->cpus = libbpf_num_possible_cpus();
	probe->device = if_nametoindex("lo");
	if (probe->cpus < 0 || !probe->device)
		return err_set(err, -ENODEV,
			       "probe: the number of CPUs or the device lo cannot be found");
	probe->traces = mem_zalloc(probe->cpus * sizeof(*probe->traces));
	r = node_open(NULL, NODE_PRIVATE, &sizes, &probe->node, err);
	if (!r)
		*ret_probe = TAKE_PTR(probe);
	return r;
}

int probe_open(const struct plan *p, struct probe **ret_probe, struct weir_err *err)
{
	_cleanup_(probe_close) struct probe *probe = NULL;
	static const struct node_sizes sizes;
	int r = open_private(&sizes, &probe, err);

	if (!r)
		r = probe_load(probe, p, err);
	if (!r)
		*ret_probe = TAKE_PTR(probe);
	return r;
}

int probe_open_copy(const struct node *live, const struct plan *p, struct probe **ret_probe,
		    struct weir_err *err)
{
	_cleanup_(probe_close) struct probe *probe = NULL;
	struct node_sizes sizes = {};
	int r;

	probe_copy_sizes(live, &sizes);
	r = open_private(&sizes, &probe, err);
	if (!r) {
		probe->lenient = true;
		r = probe_copy(live, probe->node, err);
	}
	if (!r)
		r = read_numbers(probe, p, err);
	if (!r)
		*ret_probe = TAKE_PTR(probe);
	return r;
}

bool probe_has_pod(const struct probe *probe, const struct weir_addr *addr)
{
	uint32_t slot;

	return !bpf_map_lookup_elem(node_map_fd(probe->node, WEIR_MAP_endpoints), addr, &slot);
}

const struct weir_trace *probe_trace(const struct probe *probe)
{
	return probe->last;
}

/*
 * ---- Running
 * ---------------------------------------------------------------------------------------
 */

/*
 * For one question lo is the host's end of the pod's veth; both tables that say so are put back by
 * unplug().
 */
struct plug {
	const struct probe *probe;
	struct weir_pod *pod; /* NULL: not plugged in */
	uint32_t ifindex; /* as it was */
};

static void unplug(struct plug *plug)
{
	if (!plug->pod)
		return;
	plug->pod->ifindex = plug->ifindex;
	bpf_map_delete_elem(node_map_fd(plug->probe->node, WEIR_MAP_attachments),
			    &plug->probe->device);
}

static int plug_in(const struct probe *probe, const struct weir_addr *addr, struct plug *ret_plug,
		   struct weir_err *err)
{
	struct weir_pod *pods = node_array(probe->node, WEIR_MAP_pods);
	uint32_t slot;

	if (bpf_map_lookup_elem(node_map_fd(probe->node, WEIR_MAP_endpoints), addr, &slot) ||
	    bpf_map_update_elem(node_map_fd(probe->node, WEIR_MAP_attachments), &probe->device,
				&slot, BPF_ANY))
		return err_set(err, -errno, "probe: a pod of the plan has no slot: %s",
			       strerror(errno));
	*ret_plug =
		(struct plug){ .probe = probe, .pod = &pods[slot], .ifindex = pods[slot].ifindex };
	pods[slot].ifindex = probe->device;
	return 0;
}

static int traces_clear(const struct probe *probe)
{
	uint32_t zero = 0;

	for (int i = 0; i < probe->cpus; i++)
		probe->traces[i] = (struct weir_trace){ .reason = UNTOUCHED };
	return bpf_map_update_elem(node_map_fd(probe->node, WEIR_MAP_trace), &zero, probe->traces,
				   BPF_ANY);
}

/* Of the CPU that ran the program, whichever that was. */
static const struct weir_trace *trace_read(const struct probe *probe)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(node_map_fd(probe->node, WEIR_MAP_trace), &zero, probe->traces))
		return NULL;
	for (int i = 0; i < probe->cpus; i++)
		if (probe->traces[i].reason != UNTOUCHED)
			return &probe->traces[i];
	return NULL;
}

static int run(const struct probe *probe, enum weir_program prog, bool host_origin,
	       struct probe_packet *packet, uint32_t *ret_verdict)
{
	struct __sk_buff ctx = { .ifindex = probe->device,
				 .ingress_ifindex = host_origin ? 0 : OTHER_DEVICE };
	struct probe_packet out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->bytes, .data_size_in = packet->len,
		    .data_out = out.bytes, .data_size_out = sizeof(out.bytes), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	if (bpf_prog_test_run_opts(node_prog_fd(probe->node, prog), &opts))
		return -errno;
	out.len = opts.data_size_out;
	*packet = out;
	*ret_verdict = opts.retval;
	return 0;
}

/*
 * Removes what the question left, so that the next one is a first packet again, and gives the
 * places back.
 */
static void forget_flows(const struct probe *probe)
{
	int fd = node_map_fd(probe->node, WEIR_MAP_conntrack);
	static const struct weir_key_slot unused;
	struct weir_tuple key;
	struct weir_flow flow;

	while (!bpf_map_get_next_key(fd, NULL, &key)) {
		if (bpf_map_lookup_elem(fd, &key, &flow) || bpf_map_delete_elem(fd, &key))
			return;
		if (flow.gc_slot == WEIR_NO_GC_SLOT)
			continue;
		bpf_map_update_elem(node_map_fd(probe->node, WEIR_MAP_gc_slots), &flow.gc_slot,
				    &unused, BPF_ANY);
		bpf_map_update_elem(node_map_fd(probe->node, WEIR_MAP_gc_free), NULL, &flow.gc_slot,
				    BPF_ANY);
	}
}

/*
 * ---- Answers
 * -----------------------------------------------------------------------------------------
 */

static uint32_t index_of(const uint32_t *numbers, size_t n, uint32_t number, uint32_t none)
{
	if (!number)
		return none;
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return i;
	return PLAN_NONE;
}

static void fill_answer(const struct probe *probe, const struct plan *p, const struct weir_trace *t,
			struct oracle_answer *a)
{
	const struct numbers *n = &probe->numbers;

	a->reason = t->reason;
	a->egress = (struct oracle_side){ .judged = t->judged_egress,
					  .allow = t->allow_egress,
					  .rule = index_of(n->rules, p->n_rules, t->egress_rule, 0),
					  .set = index_of(n->sets, p->n_sets, t->egress_set, 0) };
	a->ingress =
		(struct oracle_side){ .judged = t->judged_ingress,
				      .allow = t->allow_ingress,
				      .rule = index_of(n->rules, p->n_rules, t->ingress_rule, 0),
				      .set = index_of(n->sets, p->n_sets, t->ingress_set, 0) };
	a->service = index_of(n->services, p->n_services, t->service, 0);
	a->backend = index_of(n->backends, p->n_backends, t->backend, PLAN_NONE);
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

/* The verdict must be what the reason says, and a packet that passes must carry what was judged. */
static int check_answer(const struct oracle_answer *a, uint32_t verdict,
			const struct probe_packet *out, struct weir_err *err)
{
	struct weir_addr dst;
	uint16_t port;

	if (weir_verdict_of(a->reason) == WEIR_REJECT)
		return 0; /* dropped, or its own answer now, which goes back */
	if (passed(verdict) != (a->reason == WEIR_FORWARDED))
		return err_set(err, -EPROTO, "probe: verdict %d contradicts reason %u",
			       (int)verdict, a->reason);
	if (a->reason != WEIR_FORWARDED)
		return 0;
	probe_packet_dst(out, &dst, &port);
	if (!weir_addr_equal(&dst, &a->dst) || port != a->port)
		return err_set(err, -EPROTO,
			       "probe: the packet does not go where it was judged to go");
	return 0;
}

static int ask_at(struct probe *probe, const struct plan *p, const struct oracle_query *q,
		  enum weir_program prog, struct oracle_answer *a, struct weir_err *err)
{
	const struct weir_trace *t;
	struct probe_packet packet;
	uint32_t verdict = 0;
	int r;

	probe_packet_make(&packet, q, FIRST_PORT + probe->questions++ % PORTS);
	if (traces_clear(probe))
		return err_set(err, -errno, "probe: clear the trace: %s", strerror(errno));
	r = run(probe, prog, q->host_origin, &packet, &verdict);
	if (r)
		return err_set(err, r, "probe: run %s: %s", program_info(prog)->name, strerror(-r));
	forget_flows(probe);
	t = trace_read(probe);
	probe->last = t;
	if (!t)
		return err_set(err, -EPROTO, "probe: %s left no trace", program_info(prog)->name);
	fill_answer(probe, p, t, a);
	return check_answer(a, verdict, &packet, err);
}

/* On a copy the tables say who is plugged in. */
static bool is_here(const struct probe *probe, const struct plan *p, const struct weir_addr *addr)
{
	return probe->lenient ? probe_has_pod(probe, addr) : plan_find_local_pod(p, addr) != NULL;
}

int probe_ask(struct probe *probe, const struct plan *p, const struct oracle_query *q,
	      struct oracle_answer *ret_answer, struct weir_err *err)
{
	bool from_pod = is_here(probe, p, &q->src), to_pod = is_here(probe, p, &q->dst);
	struct oracle_answer a = { .reason = WEIR_FORWARDED,
				   .egress = { .allow = true },
				   .ingress = { .allow = true },
				   .backend = PLAN_NONE,
				   .dst = q->dst,
				   .port = q->port };
	_cleanup_(unplug) struct plug plug = {};
	int r = 0;

	probe->last = NULL;
	if (from_pod || to_pod)
		r = plug_in(probe, from_pod ? &q->src : &q->dst, &plug, err);
	if (!r && plug.pod)
		r = ask_at(probe, p, q, from_pod ? WEIR_PROGRAM_from_pod : WEIR_PROGRAM_to_pod, &a,
			   err);
	if (!r)
		*ret_answer = a;
	return r;
}

uint32_t probe_pick(const struct plan *p, const struct oracle_answer *a)
{
	const struct plan_service *s = &p->services[a->service];

	for (size_t i = 0; i < s->n_internal; i++)
		if (s->internal[i] == a->backend)
			return i;
	return 0;
}
