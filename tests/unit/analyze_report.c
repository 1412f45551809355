// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The connectivity report, and the explanations that `weir why` prints, on small clusters. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/explain.h"
#include "analyze/report.h"
#include "analyze/world.h"
#include "objects.h"

#define POD(name, node, host, addr, labels, ports)                                              \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: ns, name: " name ", labels: {" labels \
	"}}\n"                                                                                  \
	"spec: {nodeName: " node ", hostNetwork: " host                                         \
	", containers: [{name: c, image: i, ports: [" ports                                     \
	"]}]}\nstatus: {phase: Running, podIP: " addr ", podIPs: [{ip: " addr "}]}\n---\n"
#define NODE(name, addr)                                           \
	"apiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n" \
	"status: {addresses: [{type: InternalIP, address: " addr "}]}\n---\n"
#define POLICY(name, spec)                                        \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
	"metadata: {namespace: ns, name: " name "}\nspec: " spec "\n---\n"

static struct store *read_store(const char *const *objects)
{
	_cleanup_(mem_free) char *yaml = objects_join(objects);
	struct store *s = store_new();

	store_read_buffer(s, "test.yaml", yaml, strlen(yaml));
	store_apply_defaults(s, 0);
	if (s->diags.errors)
		diag_print(&s->diags, stderr);
	assert_int_equal(s->diags.errors, 0);
	return s;
}

struct wanted {
	const char *from, *to;
	int port; /* 0: any */
	size_t n, n_allow;
};

static int count(const struct report_item *item, void *ctx)
{
	struct wanted *w = ctx;

	if (strcmp(w->from, item->from) || strcmp(w->to, item->to) ||
	    (w->port && w->port != item->port))
		return 0;
	w->n++;
	w->n_allow += item->allow;
	return 0;
}

/* "allow", "deny", "mixed" or "none". */
static const char *verdict(struct report *r, const char *from, const char *to, int port)
{
	struct wanted w = { .from = from, .to = to, .port = port };

	assert_int_equal(report_each(r, count, &w, NULL), 0);
	if (!w.n)
		return "none";
	return w.n_allow == w.n ? "allow" : w.n_allow ? "mixed" : "deny";
}

static struct report *ask(const struct store *s, const char *text)
{
	_cleanup_(arena_free) struct arena arena = {};
	struct report_input in = { .store = s };
	struct report_port *ports = NULL;
	struct report *r;

	if (text)
		assert_int_equal(report_ports_parse(text, &arena, &ports, &in.n_ports, NULL), 0);
	in.ports = ports;
	r = report_new(&in);
	free(ports);
	return r;
}

/* a and b on n1, c on n2; h1 and h2 are host network pods; only app=a may reach b and c. */
static const char *const two_nodes[] = {
	NODE("n1", "172.18.0.1"),
	NODE("n2", "172.18.0.2"),
	POD("a", "n1", "false", "10.0.1.1", "app: a", ""),
	POD("b", "n1", "false", "10.0.1.2", "app: b", ""),
	POD("c", "n2", "false", "10.0.2.1", "app: b", ""),
	POD("h1", "n1", "true", "172.18.0.1", "app: a", ""),
	POD("h2", "n2", "true", "172.18.0.2", "app: a", ""),
	POLICY("p",
	       "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: {app: a}}}]}]}"),
	NULL,
};

static void each_end_is_judged_as_on_its_own_node(void **state)
{
	_cleanup_(store_free) struct store *s = read_store(two_nodes);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_string_equal(verdict(r, "ns/a", "ns/b", 0), "allow");
	assert_string_equal(verdict(r, "ns/a", "ns/c", 0), "allow");
	assert_string_equal(verdict(r, "ns/b", "ns/c", 0), "deny");
	assert_string_equal(verdict(r, "ns/c", "ns/b", 0), "deny");
	assert_string_equal(verdict(r, "world", "ns/b", 0), "deny");
}

static void np_41_43_host_network_pod_counts_as_its_node_and_as_external_elsewhere(void **state)
{
	_cleanup_(store_free) struct store *s = read_store(two_nodes);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_string_equal(verdict(r, "ns/h1", "ns/b", 0), "allow"); /* the node that hosts b */
	assert_string_equal(verdict(r, "ns/h2", "ns/b", 0),
			    "deny"); /* of another node: its labels do not count (NP-21) */
	assert_string_equal(verdict(r, "ns/h1", "ns/c", 0), "deny");
	assert_string_equal(verdict(r, "node", "ns/b", 0), "allow");
	assert_string_equal(verdict(r, "node", "ns/c", 0), "allow");
	assert_string_equal(verdict(r, "ns/a", "ns/h2", 0), "allow");
}

static void np_42_egress_to_its_own_node_is_allowed_and_to_another_is_not(void **state)
{
	static const char *const objects[] = {
		NODE("n1", "172.18.0.1"),
		NODE("n2", "172.18.0.2"),
		POD("a", "n1", "false", "10.0.1.1", "app: a", ""),
		POD("h1", "n1", "true", "172.18.0.1", "", ""),
		POD("h2", "n2", "true", "172.18.0.2", "", ""),
		POLICY("p", "{podSelector: {}, policyTypes: [Egress]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_string_equal(verdict(r, "ns/a", "node", 0), "allow");
	assert_string_equal(verdict(r, "ns/a", "ns/h1", 0), "allow");
	assert_string_equal(verdict(r, "ns/a", "ns/h2", 0), "deny");
	assert_string_equal(verdict(r, "ns/a", "world", 0), "deny");
}

static void report_leaves_out_a_pod_to_itself_and_world_to_node(void **state)
{
	_cleanup_(store_free) struct store *s = read_store(two_nodes);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_string_equal(verdict(r, "ns/a", "ns/a", 0), "none");
	assert_string_equal(verdict(r, "world", "node", 0), "none");
	assert_string_equal(verdict(r, "node", "world", 0), "none");
}

static void np_35_a_port_name_means_every_number_on_the_destination(void **state)
{
	static const char *const objects[] = {
		NODE("n1", "172.18.0.1"),
		POD("a", "n1", "false", "10.0.1.1", "", ""),
		POD("b", "n1", "false", "10.0.1.2", "",
		    "{name: web, containerPort: 80}, {name: other, containerPort: 81}]}, {name: d, image: i, ports: [{name: web, containerPort: 53, protocol: UDP}"),
		POLICY("p", "{podSelector: {}, ingress: [{ports: [{port: web}]}]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, "web");

	assert_string_equal(verdict(r, "ns/a", "ns/b", 80), "allow");
	assert_string_equal(verdict(r, "ns/a", "ns/b", 53), "deny"); /* the rule says TCP (NP-34) */
	assert_string_equal(verdict(r, "ns/a", "ns/b", 81), "none");
	assert_string_equal(verdict(r, "ns/b", "ns/a", 0), "none");
	assert_string_equal(verdict(r, "ns/a", "world", 0), "none");
}

static void without_ports_the_report_uses_declared_ports(void **state)
{
	static const char *const objects[] = {
		POD("a", "n1", "false", "10.0.1.1", "",
		    "{containerPort: 80}, {containerPort: 53, protocol: UDP}"),
		POD("b", "n1", "false", "10.0.1.2", "",
		    "{containerPort: 80}, {containerPort: 9, protocol: SCTP}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, NULL);
	const struct report_port *ports;

	assert_int_equal(report_ports(r, &ports), 3);
	assert_int_equal(ports[0].proto, IPPROTO_TCP);
	assert_int_equal(ports[1].port, 53);
	assert_int_equal(ports[2].proto, IPPROTO_SCTP);
}

static void np_56_ended_pods_are_left_out(void **state)
{
	static const char *const objects[] = {
		POD("a", "n1", "false", "10.0.1.1", "", ""),
		"apiVersion: v1\nkind: Pod\nmetadata: {namespace: ns, name: old}\nspec: {nodeName: n1, containers: "
		"[{name: c, image: i}]}\nstatus: {phase: Succeeded, podIP: 10.0.1.9, podIPs: [{ip: 10.0.1.9}]}\n",
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_int_equal(report_n_rows(r), 3);
	assert_string_equal(report_row_text(r, 0), "ns/a");
	assert_string_equal(report_row_text(r, 1), "world");
}

static void both_sides_are_reported_when_both_deny(void **state)
{
	static const char *const objects[] = {
		POD("a", "n1", "false", "10.0.1.1", "", ""),
		POD("b", "n1", "false", "10.0.1.2", "", ""),
		POLICY("p", "{podSelector: {}, policyTypes: [Ingress, Egress]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, "80");
	struct report_end from = { .pod = store_pod(s, "ns", "a") },
			  to = { .pod = store_pod(s, "ns", "b") };
	struct report_item item;

	assert_int_equal(report_ask(r, &from, &to, IPPROTO_TCP, 80, 0, &item, NULL), 0);
	assert_false(item.egress.allow);
	assert_false(item.ingress.allow);
	assert_null(item.egress.policy);
	assert_int_equal(item.reason, WEIR_EGRESS_DENIED);
	assert_int_equal(report_ask(r, &from, &to, IPPROTO_TCP, 80, 1, &item, NULL), -EAFNOSUPPORT);
}

static void lists_of_ports_are_parsed_and_wrong_ones_refused(void **state)
{
	static const char *const bad[] = { "",        ",",   "80,",  "0",     "65536",
					   "80/ICMP", "80/", "/TCP", "123456" };
	_cleanup_(arena_free) struct arena arena = {};
	struct report_port *ports;
	struct weir_err err;
	size_t n;

	assert_int_equal(
		report_ports_parse("80,53/UDP,http,dns/udp,9/SCTP", &arena, &ports, &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(ports[0].proto, IPPROTO_TCP);
	assert_int_equal(ports[1].port, 53);
	assert_string_equal(ports[2].name, "http");
	assert_int_equal(ports[2].proto, 0);
	assert_int_equal(ports[3].proto, IPPROTO_UDP);
	free(ports);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!report_ports_parse(bad[i], &arena, &ports, &n, &err))
			fail_msg("'%s' was accepted", bad[i]);
}

/* ---- world ---- */

static void world_is_an_unused_address_outside_every_block_but_zero(void **state)
{
	static const char *const objects[] = {
		POLICY("p",
		       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: "
		       "[198.51.100.0/24]}}, {ipBlock: {cidr: 0.0.0.0/1}}, {ipBlock: {cidr: '::/0'}}]}]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	struct weir_addr a;
	struct world w = {};
	char text[ADDR_TEXT_MAX];

	world_collect(&w, s);
	assert_true(world_free_addr(&w, 0, &a));
	assert_string_equal(
		addr_text(&a, text),
		"128.0.0.0"); /* the first address after 0.0.0.0/1, outside the except */
	assert_true(world_free_addr(&w, 1, &a));
	assert_string_equal(addr_text(&a, text), "2001:db8:ffff:ffff::1");
	world_take(&w, &a);
	assert_true(world_free_addr(&w, 1, &a));
	assert_string_equal(addr_text(&a, text), "2001:db8:ffff:ffff::2");
	world_clear(&w);
}

static void without_a_free_address_the_report_has_no_world(void **state)
{
	static const char *const objects[] = {
		POD("a", "n1", "false", "10.0.1.1", "", ""),
		POLICY("p",
		       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/1}}, {ipBlock: {cidr: 128.0.0.0/1}}]}]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(report_free) struct report *r = ask(s, "80");

	assert_string_equal(verdict(r, "world", "ns/a", 0), "none");
	assert_string_equal(verdict(r, "node", "ns/a", 0), "none");
}

/* ---- explanations ---- */

static void an_explanation_says_why_each_peer_and_port_failed(void **state)
{
	static const char *const objects[] = {
		POD("a", "n1", "false", "10.0.1.1", "app: x", ""),
		POD("b", "n1", "false", "10.0.1.2", "", ""),
		POLICY("p",
		       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/16}}], ports: [{port: 81}]}, "
		       "{from: [{podSelector: {matchLabels: {app: a}}}]}]}"),
		NULL,
	};
	_cleanup_(store_free) struct store *s = read_store(objects);
	_cleanup_(arena_free) struct arena arena = {};
	struct explain_flow f = { .direction = KUBE_INGRESS,
				  .subject = store_pod(s, "ns", "b"),
				  .peer = store_pod(s, "ns", "a"),
				  .dst = store_pod(s, "ns", "b"),
				  .proto = IPPROTO_TCP,
				  .port = 80 };
	struct explain_side side;

	f.peer_addr = f.peer->addr[0];
	explain_flow(s, &f, &arena, &side);
	assert_false(side.allow);
	assert_int_equal(side.n_policies, 1);
	assert_int_equal(side.policies[0].n_rules, 2);
	assert_string_equal(side.policies[0].rules[0].peers[0].failed,
			    "10.0.1.1 is not in 10.9.0.0/16");
	assert_string_equal(side.policies[0].rules[0].ports[0].failed, "the port is 80");
	assert_string_equal(side.policies[0].rules[1].peers[0].failed, "a has app=x");
}

static void a_side_that_no_policy_selects_allows(void **state)
{
	_cleanup_(store_free) struct store *s = read_store(two_nodes);
	_cleanup_(arena_free) struct arena arena = {};
	struct explain_flow f = { .direction = KUBE_EGRESS,
				  .subject = store_pod(s, "ns", "b"),
				  .proto = IPPROTO_TCP,
				  .port = 80 };
	struct explain_side side;

	explain_flow(s, &f, &arena, &side);
	assert_true(side.allow);
	assert_int_equal(side.n_policies, 0);
	assert_null(side.nearest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_is_judged_as_on_its_own_node),
		cmocka_unit_test(
			np_41_43_host_network_pod_counts_as_its_node_and_as_external_elsewhere),
		cmocka_unit_test(np_42_egress_to_its_own_node_is_allowed_and_to_another_is_not),
		cmocka_unit_test(report_leaves_out_a_pod_to_itself_and_world_to_node),
		cmocka_unit_test(np_35_a_port_name_means_every_number_on_the_destination),
		cmocka_unit_test(without_ports_the_report_uses_declared_ports),
		cmocka_unit_test(np_56_ended_pods_are_left_out),
		cmocka_unit_test(both_sides_are_reported_when_both_deny),
		cmocka_unit_test(lists_of_ports_are_parsed_and_wrong_ones_refused),
		cmocka_unit_test(world_is_an_unused_address_outside_every_block_but_zero),
		cmocka_unit_test(without_a_free_address_the_report_has_no_world),
		cmocka_unit_test(an_explanation_says_why_each_peer_and_port_failed),
		cmocka_unit_test(a_side_that_no_policy_selects_allows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
