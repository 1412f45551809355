// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every knob of load (--scale-…) with every map: a map is made with the size that its row in
 * include/weir/maps.h says, and the programs work with that size. One example is run: a pod in a
 * late slot gets its reject.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/kernel_env.h"
#include "testrun/testrun_packet.h"

#define MANY_PODS 120 /* more than a tenth of WEIR_POD_BUCKETS */
#define ETH_LEN 14
#define IPV4_LEN 20
#define LO 1 /* the only device that exists */

static const uint32_t percents[] = { 1, 10, 33, 100, 150, 7777, 100000000, UINT32_MAX };

/* Computed from the row alone: the result of rounding and bounding in sizes_scale(). */
static bool is_right(const struct map_info *i, uint32_t made, enum weir_knob knob, uint32_t percent)
{
	uint64_t exact = (uint64_t)i->entries * percent / 100;

	if (i->knob != knob)
		return made == i->entries;
	if (exact > i->most)
		return made == i->most;
	return i->power_of_two ? !(made & (made - 1)) && made >= exact && made < 2 * exact
			       : made == exact;
}

/* What the programs rely on, besides each map's own row. */
static void assert_works(const struct node *n)
{
	const struct weir_config *c = node_config(n);

	assert_int_equal(node_map_max(n, WEIR_MAP_gc_slots), c->gc_slots);
	assert_int_equal(node_map_max(n, WEIR_MAP_gc_free), c->gc_slots);
	assert_true(node_map_max(n, WEIR_MAP_conntrack) >= c->gc_slots);
	assert_int_equal(c->half_open_max, c->gc_slots / WEIR_HALF_OPEN_PARTS);
	assert_true(node_map_max(n, WEIR_MAP_rejects) >= WEIR_POD_BUCKETS);
	assert_true(node_map_max(n, WEIR_MAP_pods) <= 1u << WEIR_SLOT_BITS);
	assert_true(node_map_max(n, WEIR_MAP_port_ranges) <= 1u << WEIR_RANGE_BITS);
	assert_int_equal(node_map_max(n, WEIR_MAP_counters), _WEIR_REASON_MAX);
	assert_int_equal(node_map_max(n, WEIR_MAP_event_counts), _WEIR_REASON_MAX);
	assert_int_equal(node_map_max(n, WEIR_MAP_tail_calls), _WEIR_TAIL_CALL_MAX);
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		assert_true(map_size_works(map, node_map_max(n, map)));
}

/* Makes no maps: the large ones would take the machine's memory. */
static void every_knob_scales_each_map_as_its_row_says(void **state)
{
	struct weir_err err = {};

	for (int knob = WEIR_KNOB_NONE + 1; knob < _WEIR_KNOB_MAX; knob++)
		for (size_t p = 0; p < ARRAY_SIZE(percents); p++) {
			struct node_setup sizes = {};

			sizes_scale(&sizes, knob, percents[p]);
			for (int map = 0; map < _WEIR_MAP_MAX; map++)
				if (!is_right(map_info(map), sizes_of(&sizes, map), knob,
					      percents[p]))
					fail_msg("knob %d at %u %%: map %s gets %u entries", knob,
						 percents[p], map_info(map)->name,
						 sizes_of(&sizes, map));
			if (sizes_check(&sizes, &err))
				fail_msg("knob %d at %u %%: %s", knob, percents[p], err.text);
		}
}

static struct node *node_made(const struct node_setup *sizes)
{
	struct weir_err err = {};
	struct node *n = NULL;

	if (node_open(NULL, NODE_PRIVATE, sizes, &n, &err))
		fail_msg("%s", err.text);
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		assert_int_equal(node_map_max(n, map), sizes_of(sizes, map));
	return n;
}

static void maps_have_the_requested_sizes_and_the_programs_work_with_them(void **state)
{
	static const uint32_t made[] = { 1, 33, 150 };

	for (size_t p = 0; p < ARRAY_SIZE(made); p++) {
		_cleanup_(node_close) struct node *n = NULL;
		struct node_setup sizes = {};

		for (int knob = WEIR_KNOB_NONE + 1; knob < _WEIR_KNOB_MAX; knob++)
			sizes_scale(&sizes, knob, made[p]);
		n = node_made(&sizes);
		assert_works(n);
	}
}

static void a_size_that_the_programs_fix_cannot_be_changed(void **state)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		struct node_setup sizes = {};
		struct weir_err err = {};

		if (map_info(map)->most)
			continue;
		sizes.max[map] = map_info(map)->entries + 1;
		assert_int_equal(sizes_check(&sizes, &err), -EINVAL);
		assert_non_null(strstr(err.text, map_info(map)->name));
		assert_int_equal(map_info(map)->knob, WEIR_KNOB_NONE);
	}
}

/*
 * ---- A pod in a late slot ---------------------------------------------------------------------
 */

static struct plan *plan_of_many(void)
{
	static const char *const none[KERNEL_PODS];
	_cleanup_(mem_free) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("apiVersion: v1\nkind: Service\nmetadata: {name: empty}\nspec: {clusterIP: 10.96.0.9, selector: {app: none}, "
	      "ports: [{port: 80}]}\n",
	      f);
	for (int i = 1; i <= MANY_PODS; i++)
		fprintf(f,
			"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, uid: u%d}\n"
			"spec: {nodeName: n1, containers: [{name: c, image: i}]}\n"
			"status: {phase: Running, conditions: [{type: Ready, status: 'True'}], podIP: 10.244.0.%d}\n",
			i, i, i);
	fclose(f);
	return kernel_plan(none, text, NULL);
}

static void apply_many(struct node *n, const struct plan *p)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct weir_err err = {};
	struct sync_delta d;

	for (size_t i = 0; i < l.n; i++)
		l.items[i].ifindex = 1000 + i;
	if (sync_apply(n, p, &l, SYNC_NO_DEVICES, &d, &err))
		fail_msg("%s", err.text);
}

/* A SYN to the Service without endpoints, as the pod in that slot sends it. */
static void assert_rejected(struct node *n, uint32_t slot)
{
	struct oracle_query q = { .dst = weir_addr_from_v4(htonl(0x0a600009)),
				  .port = 80,
				  .proto = IPPROTO_TCP };
	struct __sk_buff ctx = { .ifindex = LO };
	struct weir_pod *pod = (struct weir_pod *)node_array(n, WEIR_MAP_pods) + slot;
	struct weir_attachment attachment = { .slot = slot };
	uint32_t lo = LO, before = pod->ifindex;
	struct testrun_packet in, out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.bytes, .data_out = out.bytes,
		    .data_size_out = sizeof(out.bytes), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	const struct tcphdr *tcp = (void *)(out.bytes + ETH_LEN + IPV4_LEN);

	assert_int_not_equal(pod->ref, 0);
	q.src = pod->addr[0];
	pod->ifindex = LO;
	assert_int_equal(bpf_map_update_elem(node_map_fd(n, WEIR_MAP_attachments), &lo, &attachment,
					     BPF_ANY),
			 0);
	testrun_packet_make(&in, &q, 40000);
	testrun_packet_from(&in, pod->mac);
	opts.data_size_in = in.len;
	assert_int_equal(bpf_prog_test_run_opts(node_prog_fd(n, WEIR_PROGRAM_from_pod), &opts), 0);
	pod->ifindex = before; /* one pod a device */
	if (opts.retval != TC_ACT_REDIRECT || !tcp->rst)
		fail_msg("slot %u: verdict %d instead of an answer", slot, (int)opts.retval);
}

static void a_pod_in_a_late_slot_gets_its_reject_in_small_tables(void **state)
{
	_cleanup_(plan_free) struct plan *p = plan_of_many();
	_cleanup_(node_close) struct node *n = NULL;
	struct node_setup sizes = {};

	sizes_scale(&sizes, WEIR_KNOB_FLOWS, 10);
	n = node_made(&sizes);
	apply_many(n, p);
	assert_rejected(n, 1);
	assert_rejected(n, 101);
	assert_rejected(n, 102);
	assert_rejected(n, MANY_PODS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_knob_scales_each_map_as_its_row_says),
		cmocka_unit_test(maps_have_the_requested_sizes_and_the_programs_work_with_them),
		cmocka_unit_test(a_size_that_the_programs_fix_cannot_be_changed),
		cmocka_unit_test(a_pod_in_a_late_slot_gets_its_reject_in_small_tables),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
