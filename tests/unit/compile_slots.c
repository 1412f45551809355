// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the extents of a service hold: the list of candidates, or a Maglev table of them. */
#include "compile_fixture.h"

#define SERVICE(rest)                                                                             \
	"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.96.0.1, "     \
	"ports: [{port: 80" rest "}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n" \
	"metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\n" \
	"ports: [{port: 80}]\nendpoints:\n"
#define ENDPOINT(addr, node) "- {addresses: [" addr "], nodeName: " node "}\n"
#define THREE                           \
	ENDPOINT("10.244.0.3", "there") \
	ENDPOINT("10.244.0.1", HERE) ENDPOINT("10.244.0.2", "there")
#define NODE_PORT ", nodePort: 30080}], type: NodePort"

static const struct plan_service *service(const struct fixture *f)
{
	uint32_t i = plan_find_service(f->plan, "default", "web", "", IPPROTO_TCP, 0);

	assert_int_not_equal(i, 0);
	return &f->plan->services[i];
}

static void a_cluster_ip_chooses_from_the_list_itself(void **state)
{
	struct fixture f;
	uint32_t slots[3];

	fixture_open(&f, SERVICE("}]") THREE);
	assert_int_equal(plan_list_slots(service(&f), WEIR_LIST_INTERNAL), 3);
	assert_int_equal(plan_service_slots(service(&f)), 3);
	plan_list_fill(f.plan, service(&f), WEIR_LIST_INTERNAL, slots);
	for (int i = 0; i < 3; i++)
		assert_int_equal(slots[i], service(&f)->lists[WEIR_LIST_INTERNAL].items[i]);
	fixture_close(&f);
}

/* The lists are equal, their extents are not; the two of external frontends are. */
static void external_frontends_choose_by_a_maglev_table(void **state)
{
	struct fixture f;
	uint32_t slots[127], parts[4] = {};

	fixture_open(&f, SERVICE(NODE_PORT) THREE);
	assert_int_equal(plan_list_first(service(&f), WEIR_LIST_EXTERNAL), WEIR_LIST_EXTERNAL);
	assert_int_equal(plan_list_first(service(&f), WEIR_LIST_SHORT), WEIR_LIST_EXTERNAL);
	assert_int_equal(plan_list_slots(service(&f), WEIR_LIST_EXTERNAL), 127);
	assert_int_equal(plan_service_slots(service(&f)), 3 + 127);
	plan_list_fill(f.plan, service(&f), WEIR_LIST_EXTERNAL, slots);
	for (int i = 0; i < 127; i++)
		parts[slots[i] < 3 ? slots[i] : 3]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(parts[i], 42, 43);
	fixture_close(&f);
}

static void with_one_endpoint_all_lists_share_one_slot(void **state)
{
	struct fixture f;

	fixture_open(&f, SERVICE(NODE_PORT) ENDPOINT("10.244.0.1", HERE));
	assert_int_equal(plan_service_slots(service(&f)), 1);
	fixture_close(&f);
}

static void addresses_in_slots(const char *yaml, const char *node, struct weir_addr *ret_addrs)
{
	struct fixture f;
	uint32_t slots[127];
	struct plan_input in = { .node = node };

	fixture_open(&f, yaml);
	plan_free(&f.plan);
	in.store = f.store;
	f.plan = plan_compile(&in);
	plan_list_fill(f.plan, service(&f), WEIR_LIST_EXTERNAL, slots);
	for (int i = 0; i < 127; i++)
		ret_addrs[i] = f.plan->backends[slots[i]].addr;
	fixture_close(&f);
}

/* An ECMP router may send the next packet of a connection to another node. */
static void all_nodes_have_the_same_table(void **state)
{
	struct weir_addr here[127], there[127];

	addresses_in_slots(SERVICE(NODE_PORT) THREE, HERE, here);
	addresses_in_slots(SERVICE(NODE_PORT) THREE, "there", there);
	assert_memory_equal(here, there, sizeof(here));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cluster_ip_chooses_from_the_list_itself),
		cmocka_unit_test(external_frontends_choose_by_a_maglev_table),
		cmocka_unit_test(with_one_endpoint_all_lists_share_one_slot),
		cmocka_unit_test(all_nodes_have_the_same_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
