/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the loader relies on: equal objects give equal bytes, a name is the hash of what it names,
 * and a change of objects renames only what it changes.
 */
#include <yajl/yajl_tree.h>

#include "compile_fixture.h"
#include "compile/json_read.h"

#define NS(name) \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {team: " name "}}\n"
#define POD(name, ns, node, addr, app)                                                     \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns             \
	", labels: {app: " app "}}\nspec: {nodeName: " node                                \
	", containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}\n" \
	"status: {phase: Running, podIPs: [{ip: " addr "}]}\n"
#define POLICY(name, spec)                                                              \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " name \
	", namespace: x}\nspec: {" spec "}\n"
#define SERVICE(name, ip)                                                           \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: x}\n" \
	"spec: {clusterIP: " ip                                                     \
	", selector: {app: web}, ports: [{name: a, port: 80}, {name: b, port: 81}]}\n"

static const char *const documents[] = {
	NS("x"),
	NS("u"),
	POD("web-1", "x", "here", "10.0.0.1", "web"),
	POD("web-2", "x", "here", "10.0.0.2", "web"),
	POD("web-3", "x", "there", "10.0.0.3", "web"),
	POD("db-1", "x", "here", "10.0.0.4", "db"),
	POD("far-1", "u", "there", "10.0.1.1", "far"),
	POD("far-2", "u", "there", "10.0.1.2", "far"),
	POLICY("p",
	       "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}], "
	       "ports: [{port: 80}, {port: 443}]}]"),
	POLICY("q",
	       "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.8.0.0/16]}}]}, "
	       "{ports: [{port: http}]}]"),
	POLICY("r",
	       "podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: u}}}]}]"),
	SERVICE("s", "172.20.0.1"),
	SERVICE("t", "172.20.0.2"),
	NULL,
};

#define N_DOCUMENTS (ARRAY_SIZE(documents) - 1)

/* All documents, then extra, which may be NULL. */
static struct fixture open_with(const char *extra)
{
	const char *const more[] = { extra, NULL };
	struct fixture f = {};

	fixture_open_objects(&f, documents, more);
	return f;
}

/* One buffer for each document: positions do not depend on the order. */
static char *shuffled_json(const size_t *order)
{
	struct plan_input in = { .node = HERE };
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(plan_free) struct plan *p = NULL;
	char name[16];

	for (size_t i = 0; i < N_DOCUMENTS; i++) {
		snprintf(name, sizeof(name), "%zu.yaml", order[i]);
		store_read_buffer(s, name, documents[order[i]], strlen(documents[order[i]]));
	}
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	in.store = s;
	p = plan_compile(&in);
	return plan_json(p);
}

static void same_objects_give_the_same_json_in_any_order(void **state)
{
	_cleanup_(mem_free) char *first = NULL;
	size_t order[N_DOCUMENTS];
	unsigned int seed = 3;

	for (size_t i = 0; i < N_DOCUMENTS; i++)
		order[i] = i;
	first = shuffled_json(order);
	for (int round = 0; round < 20; round++) {
		_cleanup_(mem_free) char *json = NULL;

		for (size_t i = N_DOCUMENTS - 1; i; i--) {
			size_t j = rand_r(&seed) % (i + 1), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		json = shuffled_json(order);
		assert_string_equal(json, first);
	}
}

static void json_is_well_formed_and_has_every_name(void **state)
{
	static const char *const arrays[] = { "pods",         "rules",      "policySets",
					      "portSets",     "identities", "addresses",
					      "services",     "backends",   "frontends",
					      "nodeAddresses" };
	_cleanup_(fixture_close) struct fixture f = open_with(NULL);
	_cleanup_(mem_free) char *json = plan_json(f.plan);
	char error[256] = "", name[PLAN_HASH_TEXT_MAX];
	yajl_val tree = yajl_tree_parse(json, error, sizeof(error));

	if (!tree)
		fail_msg("%s", error);
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		assert_non_null(
			yajl_tree_get(tree, (const char *[]){ arrays[i], NULL }, yajl_t_array));
	assert_string_equal(YAJL_GET_STRING(yajl_tree_get(tree, (const char *[]){ "node", NULL },
							  yajl_t_string)),
			    HERE);
	assert_string_equal(YAJL_GET_STRING(yajl_tree_get(tree, (const char *[]){ "kind", NULL },
							  yajl_t_string)),
			    "Plan");
	yajl_tree_free(tree);
	for (size_t i = 1; i < f.plan->n_sets; i++)
		assert_non_null(strstr(json, plan_hash_text(&f.plan->sets[i].name, name)));
	for (size_t i = 1; i < f.plan->n_identities; i++)
		assert_non_null(strstr(json, plan_hash_text(&f.plan->identities[i].name, name)));
	assert_int_equal(json[strlen(json) - 1], '\n');
}

static void json_of_port_ranges_has_their_first_and_last_port(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(POLICY(
		"all",
		"podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80, endPort: 89}]}, {}]"));
	_cleanup_(mem_free) char *json = plan_json(f.plan);

	assert_non_null(strstr(json,
			       "{\"first\":\"0/0\",\"last\":\"TCP/79\",\"verdict\":\"allow\","
			       "\"rule\":\"x/all ingress[1]\"},"
			       "{\"first\":\"TCP/80\",\"last\":\"TCP/89\",\"verdict\":\"allow\","
			       "\"rule\":\"x/all ingress[0]\"},"
			       "{\"first\":\"TCP/90\",\"last\":\"255/65535\",\"verdict\":\"allow\","
			       "\"rule\":\"x/all ingress[1]\"}]"));
}

/* ---- Stability ---- */

static bool has_identity(const struct plan *p, const struct plan_hash *name)
{
	for (size_t i = 1; i < p->n_identities; i++)
		if (!plan_hash_compare(&p->identities[i].name, name))
			return true;
	return false;
}

static const struct plan_hash *identity_at(const struct plan *p, const char *addr)
{
	struct weir_addr a = addr_of(addr);

	return &p->identities[plan_identity(p, &a)].name;
}

static bool same_at(const struct plan *p, const struct plan *q, const char *addr)
{
	return !plan_hash_compare(identity_at(p, addr), identity_at(q, addr));
}

static void keep_deleting(const struct plan_json_pod *pod, void *arg)
{
	*(bool *)arg |= pod->deleting;
}

/* What json_write.c writes of a node with that many tunnels is what json_read.c reads. */
static void check_round_trip(const struct plan_input *in, unsigned int ports, bool unfit,
			     bool deleting)
{
	_cleanup_(plan_free) struct plan *p = plan_compile(in);
	_cleanup_(plan_json_free) struct plan_json *json = NULL;
	_cleanup_(plan_unfit_free) struct plan_unfit read = {};
	_cleanup_(mem_free) char *text = plan_json(p);
	yajl_val tree = yajl_tree_parse(text, NULL, 0), array;
	bool any = false;

	array = yajl_tree_get(tree, (const char *[]){ "overlayPorts", NULL }, yajl_t_array);
	assert_non_null(array);
	assert_int_equal(YAJL_GET_ARRAY(array)->len, ports);
	for (unsigned int i = 0; i < ports; i++)
		assert_int_equal(YAJL_GET_INTEGER(YAJL_GET_ARRAY(array)->values[i]),
				 i ? 6081 : 4789);
	yajl_tree_free(tree);
	json = plan_json_parse(text);
	assert_non_null(json);
	plan_json_unfit(json, &read);
	assert_int_equal(read.n_closed, unfit);
	assert_int_equal(read.n_left_out, unfit);
	if (unfit) {
		assert_string_equal(read.closed[0].policy, "x/p");
		assert_int_equal(read.closed[0].direction, KUBE_INGRESS);
		assert_int_equal(read.closed[0].need, 9);
		assert_int_equal(read.closed[0].size, 7);
		assert_string_equal(read.left_out[0].service, "x/s");
		assert_false(read.left_out[0].known);
		assert_int_equal(read.left_out[0].table, WEIR_MAP_backends);
		assert_int_equal(read.left_out[0].need, 8);
		assert_int_equal(read.left_out[0].size, 6);
	}
	plan_json_each_pod(json, keep_deleting, &any);
	assert_int_equal(any, deleting);
}

static void a_plan_is_read_as_it_was_written_with_tunnels_unfit_and_deleted_pods(void **state)
{
	struct plan_closed closed = { "x/p", KUBE_INGRESS, WEIR_MAP_networks, 9, 7 };
	struct plan_left_out left_out = { "x/s", false, WEIR_MAP_backends, 8, 6, NULL, 0 };
	struct plan_unfit unfit = { &closed, &left_out, 1, 1 };

	for (unsigned int i = 0; i < 12; i++) {
		_cleanup_(fixture_close) struct fixture f = open_with(
			i & 1 ? "apiVersion: v1\nkind: Pod\nmetadata: {name: gone, namespace: x, "
				"deletionTimestamp: '2024-01-01T00:00:00Z'}\nspec: {nodeName: here, "
				"containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: "
				"[{ip: 10.0.0.9}]}\n"
			      : NULL);
		uint64_t ports[WEIR_OVERLAY_WORDS] = {};
		struct plan_input in = { .store = f.store,
					 .node = HERE,
					 .overlay_ports = ports,
					 .unfit = i >> 1 & 1 ? &unfit : NULL };

		if (i / 4 > 0)
			ports[4789 / 64] |= 1ull << 4789 % 64;
		if (i / 4 > 1)
			ports[6081 / 64] |= 1ull << 6081 % 64;
		check_round_trip(&in, i / 4, i >> 1 & 1, i & 1);
	}
}

/* Items of other kinds: a file that something else wrote. */
static void what_is_no_unfit_object_in_a_plan_file_is_passed_over(void **state)
{
	_cleanup_(plan_json_free) struct plan_json *json = plan_json_parse(
		"{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Plan\",\"closed\":[4789,\"x/p\",null,{}],"
		"\"leftOut\":[4789,\"x/s\",null,{}]}");
	_cleanup_(plan_unfit_free) struct plan_unfit read = {};

	assert_non_null(json);
	plan_json_unfit(json, &read);
	assert_int_equal(plan_unfit_count(&read), 0);
}

static void a_new_peer_renames_only_identities_that_it_matches(void **state)
{
	_cleanup_(fixture_close) struct fixture before = open_with(NULL);
	_cleanup_(fixture_close) struct fixture after = open_with(POLICY(
		"z",
		"podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]"));

	assert_false(same_at(before.plan, after.plan, "10.0.0.1"));
	assert_false(same_at(before.plan, after.plan, "10.0.0.3"));
	assert_true(same_at(before.plan, after.plan, "10.0.0.4"));
	assert_true(same_at(before.plan, after.plan, "10.0.1.1"));
	assert_true(same_at(before.plan, after.plan, "8.1.1.1"));
	assert_true(same_at(before.plan, after.plan, "8.8.1.1"));
	/* a set without the new policy keeps its name */
	assert_int_equal(
		plan_hash_compare(
			&before.plan->sets[plan_find_pod(before.plan, "x", "db-1")->ingress_set]
				 .name,
			&after.plan->sets[plan_find_pod(after.plan, "x", "db-1")->ingress_set]
				 .name),
		0);
}

static void a_policy_that_selects_no_local_pod_changes_nothing(void **state)
{
	_cleanup_(fixture_close) struct fixture before = open_with(NULL);
	_cleanup_(fixture_close) struct fixture after = open_with(
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: z, namespace: u}\n"
		"spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 9.0.0.0/8}}]}]}\n");
	_cleanup_(mem_free) char *a = plan_json(before.plan), *b = plan_json(after.plan);

	assert_string_equal(a, b);
}

static void a_new_pod_adds_an_address_and_renames_nothing(void **state)
{
	_cleanup_(fixture_close) struct fixture before = open_with(NULL);
	_cleanup_(fixture_close) struct fixture after =
		open_with(POD("far-3", "u", "there", "10.0.1.3", "far"));

	assert_int_equal(after.plan->n_addresses, before.plan->n_addresses + 1);
	assert_int_equal(after.plan->n_identities, before.plan->n_identities);
	for (size_t i = 1; i < before.plan->n_identities; i++)
		assert_true(has_identity(after.plan, &before.plan->identities[i].name));
	for (size_t i = 1; i < before.plan->n_sets; i++) {
		assert_int_equal(
			plan_hash_compare(&before.plan->sets[i].name, &after.plan->sets[i].name),
			0);
		assert_int_equal(before.plan->sets[i].n_elements, after.plan->sets[i].n_elements);
	}
}

/* ---- Tables ---- */

static void pods_under_the_same_rules_share_a_set(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(NULL);
	const struct plan_pod *one = plan_find_pod(f.plan, "x", "web-1"),
			      *two = plan_find_pod(f.plan, "x", "web-2"),
			      *db = plan_find_pod(f.plan, "x", "db-1");

	assert_int_equal(f.plan->n_pods, 3);
	assert_int_equal(one->ingress_set, two->ingress_set);
	assert_int_equal(one->egress_set, db->egress_set);
	assert_int_not_equal(one->ingress_set, db->ingress_set);
	assert_int_equal(f.plan->sets[one->ingress_set].n_policies, 1);
	assert_string_equal(f.plan->sets[one->ingress_set].policies[0], "x/p");
	assert_int_equal(f.plan->sets[one->ingress_set].direction, KUBE_INGRESS);
	assert_int_equal(f.plan->sets[one->egress_set].direction, KUBE_EGRESS);
}

static void np_32_pods_with_different_port_names_get_different_sets(void **state)
{
	static const char *const objects[] = {
		POD("a", "x", "here", "10.0.0.1", "web"),
		POD("b", "x", "here", "10.0.0.2", "web"),
		"apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: x}\nspec: {nodeName: here, containers: "
		"[{name: c, image: i, ports: [{name: http, containerPort: 81}]}]}\nstatus: {podIPs: [{ip: 10.0.0.3}]}\n",
		POLICY("p", "podSelector: {}, ingress: [{ports: [{port: http}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, objects, NULL);
	assert_int_equal(f.plan->pods[0].ingress_set, f.plan->pods[1].ingress_set);
	assert_int_not_equal(f.plan->pods[0].ingress_set, f.plan->pods[2].ingress_set);
}

static void a_set_has_elements_only_where_they_differ_from_its_default(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(NULL);

	for (size_t s = 1; s < f.plan->n_sets; s++) {
		const struct plan_set *set = &f.plan->sets[s];

		for (size_t i = 0; i < set->n_elements; i++) {
			const struct plan_word *w = &set->elements[i].word;

			assert_false(w->kind == set->default_word.kind &&
				     w->rule == set->default_word.rule &&
				     w->ports == set->default_word.ports);
			assert_int_not_equal(set->elements[i].identity, 0);
			assert_true(!i ||
				    set->elements[i - 1].identity < set->elements[i].identity);
		}
	}
}

static void a_rule_that_adds_nothing_makes_no_element(void **state)
{
	static const char *const objects[] = {
		NS("x"),
		POD("a", "x", "here", "10.0.0.1", "web"),
		POLICY("p", "podSelector: {}, ingress: [{ports: [{port: 80}]}, "
			    "{from: [{podSelector: {}}], ports: [{port: 80}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = {};
	const struct plan_set *set;

	fixture_open_objects(&f, objects, NULL);
	set = &f.plan->sets[f.plan->pods[0].ingress_set];
	assert_int_equal(set->default_word.kind, WEIR_WORD_PORTS);
	assert_int_equal(set->n_elements, 0);
	assert_int_equal(f.plan->n_port_sets, 1);
}

static void identities_and_sets_are_sorted_by_name(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(POLICY(
		"z",
		"podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 1}]}, {from: [{podSelector: {}}], "
		"ports: [{port: 2}]}, {from: [{ipBlock: {cidr: 9.0.0.0/8}}], ports: [{port: 3}]}]"));
	const struct plan *p = f.plan;

	assert_true(p->n_identities > 4 && p->n_sets > 3 && p->n_port_sets > 3);
	for (size_t i = 2; i < p->n_identities; i++)
		assert_true(plan_hash_compare(&p->identities[i - 1].name, &p->identities[i].name) <
			    0);
	for (size_t i = 2; i < p->n_sets; i++)
		assert_true(plan_hash_compare(&p->sets[i - 1].name, &p->sets[i].name) < 0);
	for (size_t i = 1; i < p->n_port_sets; i++) /* none has enough ranges to share some */
		assert_true(plan_hash_compare(&p->port_sets[i - 1].name, &p->port_sets[i].name) <
			    0);
}

static void np_21_56_host_network_and_ended_pods_are_not_local_pods(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: host, namespace: x}\nspec: {nodeName: here, hostNetwork: true, "
		"containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: [{ip: 192.168.0.1}]}\n"
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: done, namespace: x}\nspec: {nodeName: here, "
		"containers: [{name: c, image: i}]}\nstatus: {phase: Succeeded, podIPs: [{ip: 10.0.0.77}]}\n"
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: broken, namespace: x}\nspec: {nodeName: here, "
		"containers: [{name: c, image: i}]}\nstatus: {phase: Failed, podIPs: [{ip: 10.0.0.78}]}\n");

	assert_int_equal(f.plan->n_pods, 3);
	assert_null(plan_find_pod(f.plan, "x", "host"));
	assert_null(plan_find_pod(f.plan, "x", "done"));
	assert_null(plan_find_pod(f.plan, "x", "broken"));
}

static void np_29_the_trie_always_has_all_of_ipv4(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	char text[ADDR_TEXT_MAX];

	fixture_open(&f, NS("x"));
	assert_int_equal(f.plan->n_addresses, 1);
	assert_string_equal(cidr_text(&f.plan->addresses[0].cidr, text), "0.0.0.0/0");
	assert_int_equal(f.plan->addresses[0].identity, 0);
	assert_false(f.plan->addresses[0].pod);
}

/* A look-up asks the hash, then the longest prefix: a pod whose prefix is right needs no entry. */
static void a_pod_is_in_the_hash_only_where_its_prefix_has_another_identity(void **state)
{
	static const char *const objects[] = {
		NS("x"),
		POD("a", "x", "here", "10.0.0.1", "web"),
		POD("b", "x", "there", "10.0.0.2", "web"),
		POD("c", "x", "there", "10.0.0.3", "db"),
		POLICY("p", "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}, "
			    "{podSelector: {matchLabels: {app: db}}}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = {};
	struct weir_addr in = addr_of("10.0.0.2"), other = addr_of("10.0.0.3");
	size_t pods = 0;

	fixture_open_objects(&f, objects, NULL);
	for (size_t i = 0; i < f.plan->n_addresses; i++)
		pods += f.plan->addresses[i].pod;
	assert_int_equal(pods, 1);
	assert_int_not_equal(plan_identity(f.plan, &in), 0);
	assert_int_not_equal(plan_identity(f.plan, &other), plan_identity(f.plan, &in));
}

static void np_29_a_dual_stack_pod_has_an_identity_for_each_family(void **state)
{
	static const char *const objects[] = {
		NS("x"),
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n"
		"spec: {nodeName: here, containers: [{name: c, image: i}]}\n"
		"status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}\n",
		POLICY("p", "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
		NULL,
	};
	_cleanup_(fixture_close) struct fixture f = {};

	fixture_open_objects(&f, objects, NULL);
	assert_int_not_equal(f.plan->pods[0].identity[0], 0);
	assert_int_equal(f.plan->pods[0].identity[1], 0);
}

static void np_41_node_addresses_are_own_or_other(void **state)
{
	struct weir_addr bridge = addr_of("10.0.0.254"), there = addr_of("192.168.0.2"),
			 here = addr_of("192.168.0.1");
	struct plan_input in = { .node = HERE, .local_addrs = &bridge, .n_local_addrs = 1 };
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(plan_free) struct plan *p = NULL;
	static const char yaml[] =
		"apiVersion: v1\nkind: Node\nmetadata: {name: here}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.1}]}\n"
		"---\napiVersion: v1\nkind: Node\nmetadata: {name: there}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.2}, "
		"{type: ExternalIP, address: 10.0.0.254}]}\n";

	store_read_buffer(s, "n.yaml", yaml, strlen(yaml));
	store_apply_defaults(s, 0);
	in.store = s;
	p = plan_compile(&in);
	assert_int_equal(plan_node_kind(p, &bridge), WEIR_NODE_OWN);
	assert_int_equal(plan_node_kind(p, &here), WEIR_NODE_OWN);
	assert_int_equal(plan_node_kind(p, &there), WEIR_NODE_OTHER);
	assert_int_equal(p->n_node_addrs, 3);
}

/* Whoever names them: they are on no wire, so no pod is at or reaches one. */
static void np_42_loopback_is_no_address_of_a_node(void **state)
{
	struct weir_addr local[] = { addr_of("127.0.0.1"), addr_of("::1"), addr_of("10.0.0.254") };
	struct plan_input in = { .node = HERE, .local_addrs = local, .n_local_addrs = 3 };
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(plan_free) struct plan *p = NULL;

	store_apply_defaults(s, 0);
	in.store = s;
	p = plan_compile(&in);
	assert_int_equal(plan_node_kind(p, &local[0]), 0);
	assert_int_equal(plan_node_kind(p, &local[1]), 0);
	assert_int_equal(plan_node_kind(p, &local[2]), WEIR_NODE_OWN);
	assert_int_equal(p->n_node_addrs, 1);
}

static void look_ups_find_exact_matches_only(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(NULL);

	assert_null(plan_find_pod(f.plan, "x", "web-3")); /* of another node */
	assert_int_not_equal(plan_find_service(f.plan, "x", "t", "b", IPPROTO_TCP, 0), 0);
	assert_int_equal(plan_find_service(f.plan, "x", "t", "b", IPPROTO_UDP, 0), 0);
	assert_int_not_equal(plan_find_rule(f.plan, "x/q", KUBE_EGRESS, 1), 0);
	assert_int_equal(plan_find_rule(f.plan, "x/q", KUBE_EGRESS, 2), 0);
	assert_int_equal(plan_find_rule(f.plan, "x/q", KUBE_INGRESS, 0), 0);
}

static void np_59_pods_of_a_deleted_namespace_have_no_identity(void **state)
{
	_cleanup_(fixture_close) struct fixture f = open_with(NULL);
	struct plan_input in = { .store = f.store, .node = HERE };
	_cleanup_(plan_free) struct plan *p = NULL;
	struct weir_addr a = addr_of("10.0.1.1");

	assert_int_not_equal(plan_identity(f.plan, &a), 0);
	/* leave out "u", the first: the API may delete a namespace before its pods */
	assert_string_equal(f.store->namespaces[0]->meta.name, "u");
	f.store->namespaces++;
	f.store->n_namespaces--;
	p = plan_compile(&in);
	f.store->namespaces--;
	f.store->n_namespaces++;
	assert_int_equal(plan_identity(p, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_objects_give_the_same_json_in_any_order),
		cmocka_unit_test(json_is_well_formed_and_has_every_name),
		cmocka_unit_test(json_of_port_ranges_has_their_first_and_last_port),
		cmocka_unit_test(
			a_plan_is_read_as_it_was_written_with_tunnels_unfit_and_deleted_pods),
		cmocka_unit_test(what_is_no_unfit_object_in_a_plan_file_is_passed_over),
		cmocka_unit_test(a_new_peer_renames_only_identities_that_it_matches),
		cmocka_unit_test(a_policy_that_selects_no_local_pod_changes_nothing),
		cmocka_unit_test(a_new_pod_adds_an_address_and_renames_nothing),
		cmocka_unit_test(pods_under_the_same_rules_share_a_set),
		cmocka_unit_test(np_32_pods_with_different_port_names_get_different_sets),
		cmocka_unit_test(a_set_has_elements_only_where_they_differ_from_its_default),
		cmocka_unit_test(a_rule_that_adds_nothing_makes_no_element),
		cmocka_unit_test(identities_and_sets_are_sorted_by_name),
		cmocka_unit_test(np_21_56_host_network_and_ended_pods_are_not_local_pods),
		cmocka_unit_test(np_29_the_trie_always_has_all_of_ipv4),
		cmocka_unit_test(a_pod_is_in_the_hash_only_where_its_prefix_has_another_identity),
		cmocka_unit_test(np_29_a_dual_stack_pod_has_an_identity_for_each_family),
		cmocka_unit_test(np_41_node_addresses_are_own_or_other),
		cmocka_unit_test(np_42_loopback_is_no_address_of_a_node),
		cmocka_unit_test(look_ups_find_exact_matches_only),
		cmocka_unit_test(np_59_pods_of_a_deleted_namespace_have_no_identity),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
