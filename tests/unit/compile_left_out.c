// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services that do not fit the tables: those of the namespace that needs the most are left out,
 * their addresses are refused, and all other Services are compiled as if they were not there. The
 * choice is the same for the same objects, and one port more changes no other Service.
 */
#include <stdio.h>

#include <netinet/in.h>
#include <weir/maps.h>

#include "compile_fixture.h"

#define POD(name, ns, number)                                                  \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns \
	", labels: {app: " name "}}\nspec: {nodeName: " HERE                   \
	", containers: [{name: c, image: i}]}\nstatus: {phase: Running, "      \
	"conditions: [{type: Ready, status: 'True'}], podIPs: [{ip: "          \
	"192.168.9." number "}, {ip: 'fd00:9::" number "'}]}\n---\n"
#define PODS POD("a", "big", "1") POD("b", "big", "2") POD("c", "good", "3")

static uint32_t sizes[_WEIR_MAP_MAX];

/* A Service with n ports, of both families; a pod of its namespace is its endpoint. */
static void put_service(FILE *out, const char *ns, const char *name, unsigned int address,
			unsigned int n)
{
	fprintf(out,
		"apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec:\n"
		"  clusterIP: 10.96.%u.%u\n  clusterIPs: [10.96.%u.%u, 'fd00:10:96::%x']\n"
		"  ipFamilies: [IPv4, IPv6]\n  ipFamilyPolicy: RequireDualStack\n  selector: {app: %s}\n"
		"  ports:\n",
		name, ns, address >> 8, address & 255, address >> 8, address & 255, address,
		strcmp(ns, "big") ? "c" : "a");
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "  - {name: p%u, port: %u, targetPort: 80}\n", i, 1000 + i);
	fputs("---\n", out);
}

/* Compiles; all tables are large but one. The caller has written the objects to out. */
static void compile_for(struct fixture *f, char **yaml, FILE *out, enum weir_map map, uint32_t size)
{
	struct plan_input in = { .node = HERE, .sizes = sizes };

	fclose(out);
	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		sizes[i] = 1 << 20;
	sizes[map] = size;
	f->store = store_new();
	store_read_buffer(f->store, "test.yaml", *yaml, strlen(*yaml));
	store_apply_defaults(f->store, 0);
	if (f->store->diags.errors)
		diag_print(&f->store->diags, stderr);
	assert_int_equal(f->store->diags.errors, 0);
	in.store = f->store;
	f->plan = plan_compile(&in);
}

static FILE *begin(char **yaml)
{
	static size_t size;
	FILE *out = open_memstream(yaml, &size);

	fputs(PODS, out);
	return out;
}

/* The Services that are left out: "big/many,big/more". */
static char *left_out(const struct plan *p)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < p->n_left_out; i++)
		fprintf(out, "%s%s", i ? "," : "", p->left_out[i].service);
	fclose(out);
	return text;
}

static void assert_left_out(const struct plan *p, const char *want)
{
	_cleanup_(mem_free) char *got = left_out(p);

	assert_string_equal(got, want);
}

static void services_of_the_largest_namespace_are_left_out_and_no_others(void **state)
{
	static const struct {
		enum weir_map map;
		uint32_t size;
	} rows[] = {
		{ WEIR_MAP_frontends, 100 },
		{ WEIR_MAP_services, 100 },
		{ WEIR_MAP_backends, 100 },
		{ WEIR_MAP_backend_slots, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(fixture_close) struct fixture f = {};
		_cleanup_(mem_free) char *yaml = NULL;
		FILE *out = begin(&yaml);

		put_service(out, "big", "few", 1, 3);
		put_service(out, "big", "many", 2, 60);
		put_service(out, "good", "s", 3, 10);
		compile_for(&f, &yaml, out, rows[i].map, rows[i].size);
		assert_left_out(f.plan, "big/many");
		assert_true(f.plan->left_out[0].known);
		assert_int_equal(f.plan->left_out[0].table, rows[i].map);
		assert_true(f.plan->left_out[0].need > rows[i].size);
		assert_int_equal(f.plan->left_out[0].size, rows[i].size);
		assert_int_equal(f.plan->left_out[0].n_frontends, 120);
		check_lines(&f, "big/b 10.96.0.2 tcp/1000 no-service-port\n"
				"big/b@6 fd00:10:96::2 tcp/1059 no-service-port\n"
				"good/c 10.96.0.2 udp/1 no-service-port\n"
				"big/b 10.96.0.1 tcp/1002 yes\nbig/b@6 fd00:10:96::1 tcp/1002 yes\n"
				"big/b 10.96.0.3 tcp/1009 yes\nbig/b@6 fd00:10:96::3 tcp/1009 yes");
	}
}

static void what_fits_exactly_is_served(void **state)
{
	static const struct {
		enum weir_map map;
		uint32_t size;
	} rows[] = {
		{ WEIR_MAP_frontends, 2 * 20 + 4 },
		{ WEIR_MAP_services, 2 * 20 + 1 },
		{ WEIR_MAP_backends, 2 * 20 + 1 },
		{ WEIR_MAP_backend_slots, 2 * 20 },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		_cleanup_(fixture_close) struct fixture f = {};
		_cleanup_(mem_free) char *yaml = NULL;
		FILE *out = begin(&yaml);

		put_service(out, "big", "s", 1, 15);
		put_service(out, "good", "s", 2, 5);
		compile_for(&f, &yaml, out, rows[i / 2].map, rows[i / 2].size - i % 2);
		assert_left_out(f.plan, i % 2 ? "big/s" : "");
		assert_int_equal(f.plan->notes.errors, i % 2);
	}
}

/* Many small Services of one namespace weigh as much as a large one; the youngest gives way. */
static void a_namespace_cannot_hide_its_share_in_many_services(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	FILE *out = begin(&yaml);

	for (unsigned int i = 0; i < 8; i++)
		put_service(out, "good", (char[]){ 's', 'a' + i, 0 }, 10 + i, 1);
	for (unsigned int i = 0; i < 26; i++)
		put_service(out, "big", (char[]){ 's', 'a' + i, 0 }, 50 + i, 1);
	compile_for(&f, &yaml, out, WEIR_MAP_services, 49);
	assert_left_out(f.plan,
			"big/sq,big/sr,big/ss,big/st,big/su,big/sv,big/sw,big/sx,big/sy,big/sz");
	check_lines(&f, "good/c 10.96.0.17 tcp/1000 yes\ngood/c 10.96.0.50 tcp/1000 yes\n"
			"good/c 10.96.0.75 tcp/1000 no-service-port");
}

/* The giant is never served, so what it needs takes nothing from the others. */
static void a_service_that_no_table_could_hold_costs_no_other_namespace_anything(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	FILE *out = begin(&yaml);

	put_service(out, "big", "giant", 1, 20000);
	for (unsigned int i = 0; i < 9; i++)
		put_service(out, "good", (char[]){ 's', 'a' + i, 0 }, 10 + i, 10);
	compile_for(&f, &yaml, out, WEIR_MAP_services, 200);
	assert_left_out(f.plan, "big/giant");
}

/* Served before and after, or left out before and after; except for the one that grows. */
static void one_port_more_puts_no_other_service_in_the_place_of_another(void **state)
{
	_cleanup_(mem_free) char *before = NULL;

	for (unsigned int n = 1; n < 80; n++) {
		_cleanup_(fixture_close) struct fixture f = {};
		_cleanup_(mem_free) char *yaml = NULL, *now = NULL;
		FILE *out = begin(&yaml);

		for (unsigned int i = 0; i < 12; i++)
			put_service(out, "big", (char[]){ 's', 'a' + i, 0 }, 50 + i, 5 + i % 3);
		put_service(out, "good", "s", 10, n);
		put_service(out, "also", "large", 11, 40);
		compile_for(&f, &yaml, out, WEIR_MAP_services, 128);
		now = left_out(f.plan);
		if (n * 2 > 42)
			break; /* more than its equal part */
		assert_null(strstr(now, "good"));
		/* what is left out stays so: the list only gets longer */
		for (const char *at = before; at && *at; at += strcspn(at, ",") + 1) {
			_cleanup_(mem_free) char *name = mem_strndup(at, strcspn(at, ","));

			if (!strstr(now, name))
				fail_msg("%u ports: %s is served again: %s, then %s", n, name,
					 before, now);
			if (!at[strcspn(at, ",")])
				break;
		}
		mem_free(&before);
		before = TAKE_PTR(now);
	}
}

/* Nobody takes over what a Service that is left out has: its clients would reach another tenant. */
static void svc_7_a_conflict_is_won_by_a_service_that_is_left_out(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	FILE *out = begin(&yaml);

	put_service(out, "big", "many", 2, 60);
	put_service(out, "good", "thief", 2, 1);
	compile_for(&f, &yaml, out, WEIR_MAP_services, 100);
	assert_left_out(f.plan, "big/many");
	check_lines(&f, "good/c 10.96.0.2 tcp/1000 no-service-port");
}

/* 30 addresses of each family in a table of 32: what remains of them is routed like any other. */
static void addresses_that_do_not_fit_are_said_to_be_routed(void **state)
{
	_cleanup_(mem_free) char *yaml = NULL, *text = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	FILE *out = begin(&yaml);
	unsigned int known = 0;
	size_t size;

	put_service(out, "good", "s", 3, 2);
	for (unsigned int i = 0; i < 26; i++)
		put_service(out, "big", (char[]){ 's', 'a' + i, 0 }, 50 + i, 1);
	compile_for(&f, &yaml, out, WEIR_MAP_frontends, 32);
	assert_int_equal(f.plan->n_left_out, 26);
	for (size_t i = 0; i < f.plan->n_left_out; i++)
		known += f.plan->left_out[i].known;
	assert_true(known > 10 && known < 14);
	assert_true(f.plan->n_frontends <= 32);
	check_lines(&f,
		    "good/c 10.96.0.3 tcp/1001 yes\ngood/c 10.96.0.50 tcp/1000 no-service-port\n"
		    "good/c 10.96.0.75 tcp/1000 yes");
	out = open_memstream(&text, &size);
	diag_print(&f.plan->notes, out);
	fclose(out);
	assert_non_null(strstr(text, "these addresses are routed like any other"));
}

/* Endpoints times ports: counted before anything is made of them. */
static void the_work_of_compiling_services_is_bounded(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	FILE *out = begin(&yaml);

	put_service(out, "big", "many", 2, 4000);
	put_service(out, "good", "s", 3, 1);
	fputs("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: x, namespace: big, "
	      "labels: {kubernetes.io/service-name: many}}\naddressType: IPv4\nports:\n",
	      out);
	for (unsigned int i = 0; i < 100; i++)
		fprintf(out, "- {name: p%u, port: %u}\n", i, 1000 + i);
	fputs("endpoints:\n", out);
	for (unsigned int i = 0; i < 1000; i++)
		fprintf(out, "- addresses: [10.1.%u.%u]\n", i / 250, i % 250 + 1);
	fputs("---\n", out);
	compile_for(&f, &yaml, out, WEIR_MAP_backends, 6000);
	assert_left_out(f.plan, "big/many");
	assert_int_equal(f.plan->left_out[0].table, _WEIR_MAP_MAX);
	assert_int_equal(f.plan->left_out[0].need, 100 * 1000 + 2);
	check_lines(&f, "big/a 10.96.0.2 tcp/1000 no-service-port\nbig/a 10.96.0.3 tcp/1000 yes");
}

static void the_error_names_service_table_frontends_and_what_packets_meet(void **state)
{
	_cleanup_(mem_free) char *yaml = NULL, *text = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	FILE *out = begin(&yaml);
	size_t size;

	put_service(out, "big", "many", 2, 60);
	put_service(out, "good", "s", 3, 10);
	compile_for(&f, &yaml, out, WEIR_MAP_services, 100);
	out = open_memstream(&text, &size);
	diag_print(&f.plan->notes, out);
	fclose(out);
	assert_non_null(strstr(
		text, ": error E036: Service big/many: spec.ports: does not fit: all Services "
		      "need 141 entries of map services, of 100, "));
	assert_non_null(strstr(text,
			       "Not served: 10.96.0.2 ports 1000-1059/TCP; fd00:10:96::2 ports "
			       "1000-1059/TCP; packets to these addresses are refused"));
	assert_int_equal(f.plan->notes.errors, 1);
}

static void a_plan_with_its_left_out_services_given_is_the_same(void **state)
{
	_cleanup_(mem_free) char *yaml = NULL, *one = NULL, *two = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(plan_free) struct plan *again = NULL;
	struct plan_input in = { .node = HERE };
	struct plan_unfit unfit;
	FILE *out = begin(&yaml);

	put_service(out, "big", "many", 2, 60);
	put_service(out, "big", "few", 4, 6);
	put_service(out, "good", "s", 3, 10);
	compile_for(&f, &yaml, out, WEIR_MAP_services, 100);
	unfit = plan_unfit_of(f.plan);
	in.store = f.store;
	in.unfit = &unfit;
	again = plan_compile(&in);
	one = plan_json(f.plan);
	two = plan_json(again);
	assert_string_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_of_the_largest_namespace_are_left_out_and_no_others),
		cmocka_unit_test(what_fits_exactly_is_served),
		cmocka_unit_test(a_namespace_cannot_hide_its_share_in_many_services),
		cmocka_unit_test(
			a_service_that_no_table_could_hold_costs_no_other_namespace_anything),
		cmocka_unit_test(one_port_more_puts_no_other_service_in_the_place_of_another),
		cmocka_unit_test(svc_7_a_conflict_is_won_by_a_service_that_is_left_out),
		cmocka_unit_test(addresses_that_do_not_fit_are_said_to_be_routed),
		cmocka_unit_test(the_work_of_compiling_services_is_bounded),
		cmocka_unit_test(the_error_names_service_table_frontends_and_what_packets_meet),
		cmocka_unit_test(a_plan_with_its_left_out_services_given_is_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
