// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* FROM and TO of the command line. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/target.h"

#define ALL_FORMS (TARGET_WITH_PORT | TARGET_WITH_SERVICE | TARGET_WITH_HOST)

struct fixture {
	struct arena arena;
	struct target target;
	struct weir_err err;
};

static void check(const char *text, enum target_kind kind, const char *ns, const char *name,
		  uint16_t port, int proto)
{
	struct fixture f = {};

	if (target_parse(text, "TO", ALL_FORMS, &f.arena, &f.target, &f.err))
		fail_msg("%s: %s", text, f.err.text);
	assert_int_equal(f.target.kind, kind);
	if (ns) {
		assert_string_equal(f.target.ns, ns);
		assert_string_equal(f.target.name, name);
	}
	assert_int_equal(f.target.has_port, port != 0);
	assert_int_equal(f.target.port, port);
	assert_int_equal(f.target.proto, proto);
	arena_free(&f.arena);
}

static void every_documented_form_is_parsed(void **state)
{
	check("default/web", TARGET_POD, "default", "web", 0, 0);
	check("default/web:80", TARGET_POD, "default", "web", 80, 0);
	check("pod/default/web:53/UDP", TARGET_POD, "default", "web", 53, IPPROTO_UDP);
	check("svc/prod/db:5432/tcp", TARGET_SERVICE, "prod", "db", 5432, IPPROTO_TCP);
	check("world", TARGET_WORLD, NULL, NULL, 0, 0);
	check("node", TARGET_NODE, NULL, NULL, 0, 0);
	check("node:10250/TCP", TARGET_NODE, NULL, NULL, 10250, IPPROTO_TCP);
	check("10.0.0.1", TARGET_ADDR, NULL, NULL, 0, 0);
	check("10.0.0.1:9/SCTP", TARGET_ADDR, NULL, NULL, 9, IPPROTO_SCTP);
	check("fd00::1", TARGET_ADDR, NULL, NULL, 0, 0);
	check("[fd00::1]", TARGET_ADDR, NULL, NULL, 0, 0);
	check("[fd00::1]:443", TARGET_ADDR, NULL, NULL, 443, 0);
}

static void dns_6_names_are_hosts_of_a_headless_service_or_services(void **state)
{
	struct fixture f = {};

	check("db-0.db.shop", TARGET_HOST, "shop", "db-0", 0, 0);
	check("db-0.db.shop.svc:5432", TARGET_HOST, "shop", "db-0", 5432, 0);
	check("db-0.db.shop.svc.cluster.local:5432/TCP", TARGET_HOST, "shop", "db-0", 5432,
	      IPPROTO_TCP);
	check("db.shop.svc", TARGET_SERVICE, "shop", "db", 0, 0);
	check("db.shop.svc.cluster.local:53/UDP", TARGET_SERVICE, "shop", "db", 53, IPPROTO_UDP);
	check("shop/db-0.with.dots", TARGET_POD, "shop", "db-0.with.dots", 0, 0);
	assert_int_equal(target_parse("db-0.db.shop", "TO", ALL_FORMS, &f.arena, &f.target, &f.err),
			 0);
	assert_string_equal(f.target.service, "db");
	arena_free(&f.arena);
}

static void addresses_keep_their_family(void **state)
{
	struct fixture f = {};

	assert_int_equal(
		target_parse("[fd00::1]:443", "TO", ALL_FORMS, &f.arena, &f.target, &f.err), 0);
	assert_int_equal(addr_family(&f.target.addr), 1);
	assert_int_equal(
		target_parse("::ffff:10.0.0.1", "TO", ALL_FORMS, &f.arena, &f.target, &f.err), 0);
	assert_int_equal(addr_family(&f.target.addr), 0);
	arena_free(&f.arena);
}

static void a_port_may_be_a_name(void **state)
{
	struct fixture f = {};

	assert_int_equal(
		target_parse("ns/web:http/TCP", "TO", ALL_FORMS, &f.arena, &f.target, &f.err), 0);
	assert_string_equal(f.target.port_name, "http");
	assert_int_equal(f.target.port, 0);
	assert_true(f.target.has_port);
	arena_free(&f.arena);
}

static void malformed_targets_are_refused_with_a_message(void **state)
{
	static const char *const bad[] = {
		"",         "web",         "a/b/c",       "a/b/c/d",      "/web",
		"ns/",      "ns/web:",     "ns/web:0",    "ns/web:65536", "ns/web:80/ICMP",
		"[fd00::1", "[fd00::1]80", "pod/ns/",     "10.0.0.256",   "db.shop",
		"a..b",     "a.b.c.d",     "a.b.c.d.svc",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture f = {};

		if (!target_parse(bad[i], "TO", ALL_FORMS, &f.arena, &f.target, &f.err))
			fail_msg("'%s' was accepted", bad[i]);
		assert_true(f.err.text[0]);
		arena_free(&f.arena);
	}
}

static void from_takes_no_port(void **state)
{
	struct fixture f = {};

	assert_int_not_equal(target_parse("ns/web:80", "FROM", 0, &f.arena, &f.target, &f.err), 0);
	assert_string_equal(f.err.text,
			    "FROM 'ns/web:80' has a port: give the port with the destination");
	assert_int_not_equal(
		target_parse("ns/web:80", "--pod", TARGET_PORT_OPTION, &f.arena, &f.target, &f.err),
		0);
	assert_string_equal(f.err.text, "--pod 'ns/web:80' has a port: give the port with --port");
	arena_free(&f.arena);
}

static void every_error_names_the_argument(void **state)
{
	static const char *const bad[] = {
		"",          "web",         "ns/",      "ns/web:",     "ns/web:0",
		"a/b:99999", "a/b:80/ICMP", "[fd00::1", "[fd00::1]80", "svc/a/"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture f = {};

		assert_int_not_equal(
			target_parse(bad[i], "--to", ALL_FORMS, &f.arena, &f.target, &f.err), 0);
		if (!strstr(f.err.text, "--to"))
			fail_msg("'%s': %s", bad[i], f.err.text);
		arena_free(&f.arena);
	}
}

static void errors_offer_the_forms_that_the_caller_takes(void **state)
{
	struct fixture f = {};

	assert_int_not_equal(
		target_parse("web", "FROM", TARGET_WITH_HOST, &f.arena, &f.target, &f.err), 0);
	assert_string_equal(f.err.text,
			    "cannot parse FROM 'web': write NAMESPACE/POD, pod/NAMESPACE/POD, "
			    "HOST.SERVICE.NAMESPACE, an IP, world or node");
	assert_int_not_equal(target_parse("web:80", "TO", ALL_FORMS, &f.arena, &f.target, &f.err),
			     0);
	assert_string_equal(
		f.err.text,
		"cannot parse TO 'web:80': write NAMESPACE/POD, pod/NAMESPACE/POD, "
		"svc/NAMESPACE/SERVICE, HOST.SERVICE.NAMESPACE, an IP ([IPv6] before a port), "
		"world or node");
	arena_free(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_documented_form_is_parsed),
		cmocka_unit_test(dns_6_names_are_hosts_of_a_headless_service_or_services),
		cmocka_unit_test(addresses_keep_their_family),
		cmocka_unit_test(a_port_may_be_a_name),
		cmocka_unit_test(malformed_targets_are_refused_with_a_message),
		cmocka_unit_test(from_takes_no_port),
		cmocka_unit_test(every_error_names_the_argument),
		cmocka_unit_test(errors_offer_the_forms_that_the_caller_takes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
