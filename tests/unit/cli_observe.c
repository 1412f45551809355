// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Events with names: as a line, as a JSON object, and through filters. No kernel is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/event_print.h"

#define RULE 3
#define SET 7
#define SERVICE 2
#define BACKEND 9

/* The last byte of each name is the id. */
static const char plan_text[] =
	"{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Plan\",\"node\":\"n1\","
	"\"rules\":[{\"name\":\"00000000000000000000000000000003\",\"policy\":\"shop/db-from-api\","
	"\"direction\":\"ingress\",\"rule\":2,\"src\":\"p.yaml:75:5\"}],"
	"\"policySets\":[{\"name\":\"00000000000000000000000000000007\",\"direction\":\"ingress\","
	"\"policies\":[\"shop/db-from-api\",\"shop/default-deny\"]}],"
	"\"services\":[{\"name\":\"00000000000000000000000000000002\",\"service\":\"shop/api\",\"port\":\"http\","
	"\"protocol\":\"TCP\"}],"
	"\"frontends\":[{\"address\":\"10.96.0.80\",\"port\":0,\"protocol\":null,\"service\":null},"
	"{\"address\":\"10.96.0.80\",\"port\":80,\"protocol\":\"TCP\","
	"\"service\":\"00000000000000000000000000000002\"}],"
	"\"pods\":[{\"pod\":\"shop/db\",\"addresses\":[{\"address\":\"10.244.0.1\"},{\"address\":\"fd00::1\"}]},"
	"{\"pod\":\"shop/web\",\"addresses\":[{\"address\":\"10.244.0.2\"}]}],"
	"\"nodeAddresses\":[{\"address\":\"10.0.0.1\",\"node\":\"own\"},{\"address\":\"10.0.0.2\",\"node\":\"other\"}]}";

static struct live_name names[] = {
	{ .kind = WEIR_NAME_POLICY_SET, .id = SET, .hash = { { [15] = SET } } },
	{ .kind = WEIR_NAME_RULE, .id = RULE, .hash = { { [15] = RULE } } },
	{ .kind = WEIR_NAME_SERVICE, .id = SERVICE, .hash = { { [15] = SERVICE } } },
};
static struct live now, before;
static struct naming naming = { .now = &now, .before = &before, .wall_offset_ns = 1000000000 };

static int setup(void **state)
{
	now = (struct live){ .plan = plan_json_parse(plan_text),
			     .names = names,
			     .n_names = ARRAY_SIZE(names) };
	assert_non_null(now.plan);
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static int teardown(void **state)
{
	plan_json_free(&now.plan);
	return 0;
}

static struct weir_addr addr(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* web to db, denied by the default of db's policy set. */
static struct weir_event denial(void)
{
	return (struct weir_event){
		.time_ns = 3661500000000,
		.src = addr("10.244.0.2"),
		.dst = addr("10.244.0.1"),
		.sport_be = htons(41234),
		.dport_be = htons(5432),
		.reason = WEIR_INGRESS_DENIED,
		.flags = WEIR_EVENT_JUDGED | WEIR_EVENT_JUDGED_EGRESS | WEIR_EVENT_JUDGED_INGRESS |
			 WEIR_EVENT_INGRESS_DENIED,
		.ingress_set = SET,
		.proto = IPPROTO_TCP,
		.device = 12,
		.len = 74,
	};
}

/* web to db through the Service, allowed by a rule. */
static struct weir_event translation(void)
{
	struct weir_event e = denial();

	e.reason = WEIR_FORWARDED;
	e.flags = WEIR_EVENT_JUDGED | WEIR_EVENT_JUDGED_EGRESS | WEIR_EVENT_JUDGED_INGRESS |
		  WEIR_EVENT_TRANSLATED;
	e.ingress_rule = RULE;
	e.dst = addr("10.96.0.80");
	e.dport_be = htons(80);
	e.nat_dst = addr("10.244.0.1");
	e.nat_dport_be = htons(8080);
	e.service = SERVICE;
	e.backend = BACKEND;
	return e;
}

static void assert_line(const struct weir_event *e, bool utf8, const char *want)
{
	struct style style = { .utf8 = utf8 };
	_cleanup_(mem_free) char *text = NULL;
	struct event_view s;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	event_view_make(&s, e, &naming);
	event_print(&s, &style, f);
	fclose(f);
	assert_string_equal(text, want);
}

static void a_default_deny_names_pods_and_policies(void **state)
{
	struct weir_event e = denial();

	assert_line(&e, true,
		    "01:01:02.500 DENIED   shop/web:41234 → shop/db:5432 TCP  ingress default deny "
		    "(shop/db-from-api, shop/default-deny)\n");
	assert_line(
		&e, false,
		"01:01:02.500 DENIED   shop/web:41234 -> shop/db:5432 TCP  ingress default deny "
		"(shop/db-from-api, shop/default-deny)\n");
	e.ingress_rule = RULE;
	e.flags |= WEIR_EVENT_KNOWN | WEIR_EVENT_REPLY;
	assert_line(&e, true,
		    "01:01:02.500 DENIED   shop/web:41234 → shop/db:5432 TCP (its reply)  "
		    "shop/db-from-api ingress[2] (p.yaml:75)\n");
	e.flags ^= WEIR_EVENT_REPLY | WEIR_EVENT_ICMP_ERROR;
	assert_line(
		&e, true,
		"01:01:02.500 DENIED   shop/web:41234 → shop/db:5432 TCP (an ICMP error about it)  "
		"shop/db-from-api ingress[2] (p.yaml:75)\n");
	e = denial();
	e.reason = WEIR_NOT_ENFORCED;
	assert_line(
		&e, true,
		"01:01:02.500 NOT ENFORCED shop/web:41234 → shop/db:5432 TCP  ingress default deny "
		"(shop/db-from-api, shop/default-deny)\n");
}

static void a_translation_names_service_backend_and_rules(void **state)
{
	struct weir_event e = translation();

	assert_line(&e, true,
		    "01:01:02.500 ALLOWED  shop/web:41234 → svc/shop/api:80 → shop/db:8080 TCP  "
		    "shop/db-from-api ingress[2] (p.yaml:75)\n");
	e.ingress_rule = WEIR_NO_RULE; /* no policy selects db: no rule is printed */
	assert_line(&e, true,
		    "01:01:02.500 ALLOWED  shop/web:41234 → svc/shop/api:80 → shop/db:8080 TCP\n");
}

static void a_drop_prints_its_reason(void **state)
{
	struct weir_event e = denial();

	e.reason = WEIR_MID_STREAM;
	e.flags = 0;
	e.src = addr("10.0.0.1");
	e.dst = addr("192.0.2.7");
	assert_line(&e, true,
		    "01:01:02.500 DROPPED  node:41234 → 192.0.2.7:5432 TCP  mid-stream: "
		    "no SYN, and of no known connection\n");
	e.src = addr("2001:db8::1");
	e.dst = addr("fd00::1");
	e.proto = IPPROTO_ICMPV6; /* ports are ICMP ids: not printed */
	assert_line(&e, true,
		    "01:01:02.500 DROPPED  2001:db8::1 → shop/db ICMP  mid-stream: "
		    "no SYN, and of no known connection\n");
	e = (struct weir_event){ .reason = WEIR_TRUNCATED, .device = 12, .len = 20 };
	assert_line(
		&e, true,
		"00:00:01.000 DROPPED  at device 12, 20 bytes  truncated: the packet ends inside a header\n");
	e.reason = 200;
	assert_line(
		&e, true,
		"00:00:01.000 DROPPED  at device 12, 20 bytes  reason 200, of a newer datapath\n");
}

static void ids_without_a_name_are_shown_as_ids(void **state)
{
	struct weir_event e = denial();

	e.ingress_set = 99;
	assert_line(
		&e, true,
		"01:01:02.500 DENIED   shop/web:41234 → shop/db:5432 TCP  ingress default deny (policy set #99)\n");
	e.ingress_rule = 98;
	assert_line(&e, true, "01:01:02.500 DENIED   shop/web:41234 → shop/db:5432 TCP  #98\n");
}

static void ids_of_the_previous_generation_are_named_by_its_plan(void **state)
{
	struct weir_event e = denial();
	struct live empty = {};
	struct naming old = { .now = &empty, .before = &now };
	struct event_side side;
	struct event_view s;
	char text[LIVE_TEXT_MAX];

	event_view_make(&s, &e, &old);
	assert_string_equal(s.from.name, "shop/web");
	assert_true(event_side(&s, 1, &side));
	assert_string_equal(event_label(&s, WEIR_NAME_POLICY_SET, side.set, text),
			    "shop/db-from-api,shop/default-deny");
}

static void an_event_has_stable_json_keys(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	struct weir_event e = translation();
	struct emit emit = {};
	struct event_view s;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	event_view_make(&s, &e, &naming);
	emit_open(&emit, f);
	emit_document_begin(&emit, "Event");
	event_emit(&s, &emit);
	emit_document_end(&emit);
	emit_close(&emit);
	fclose(f);
	assert_string_equal(
		text,
		"{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Event\",\"time\":\"1970-01-01T01:01:02.500000000Z\","
		"\"verdict\":\"allow\",\"enforced\":true,\"reason\":\"forwarded\",\"direction\":null,"
		"\"family\":\"IPv4\",\"protocol\":\"TCP\","
		"\"from\":{\"kind\":\"pod\",\"name\":\"shop/web\",\"address\":\"10.244.0.2\",\"port\":41234},"
		"\"to\":{\"kind\":\"service\",\"name\":\"shop/api\",\"address\":\"10.96.0.80\",\"port\":80},"
		"\"backend\":{\"kind\":\"pod\",\"name\":\"shop/db\",\"address\":\"10.244.0.1\",\"port\":8080},"
		"\"service\":\"shop/api:http/TCP\","
		"\"egress\":{\"verdict\":\"allow\",\"policy\":null,\"rule\":null,\"src\":null,\"policies\":[],"
		"\"ruleId\":0,\"setId\":0},"
		"\"ingress\":{\"verdict\":\"allow\",\"policy\":\"shop/db-from-api\",\"rule\":2,"
		"\"src\":\"p.yaml:75:5\",\"policies\":[\"shop/db-from-api\",\"shop/default-deny\"],"
		"\"ruleId\":3,\"setId\":7},"
		"\"known\":false,\"reply\":false,\"icmpError\":false,\"hook\":\"from-pod\",\"pod\":null,\"device\":12,\"bytes\":74}\n");
}

/* ---- Filters ---- */

static bool matches(const struct weir_event *e, struct event_filter f)
{
	struct event_view s;

	event_view_make(&s, e, &naming);
	return event_view_match(&s, &f);
}

static const struct target *target(struct arena *arena, const char *text)
{
	struct target *t = arena_zalloc(arena, sizeof(*t));
	struct weir_err err = {};

	assert_int_equal(target_parse(text, "TO", TARGET_WITH_PORT, arena, t, &err), 0);
	return t;
}

static void ends_are_matched_by_name_address_and_kind(void **state)
{
	static const struct {
		const char *text;
		bool from, to, pod;
	} rows[] = {
		{ "shop/web", true, false, true },
		{ "shop/db", false, true, true }, /* as the backend */
		{ "shop/db:8080", false, true, true },
		{ "shop/db:80", false, false, false },
		{ "svc/shop/api", false, true, true },
		{ "svc/shop/api:80/TCP", false, true, true },
		{ "svc/shop/api:80/UDP", false, false, false },
		{ "shop/api", false, false, false }, /* not the name of a pod */
		{ "sho/web", false, false, false },
		{ "10.244.0.2", true, false, true },
		{ "10.96.0.80", false, true, true },
		{ "world", false, false, false },
		{ "node", false, false, false },
	};
	struct weir_event e = translation();
	struct arena arena = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct target *t = target(&arena, rows[i].text);

		if (matches(&e, (struct event_filter){ .from = t }) != rows[i].from ||
		    matches(&e, (struct event_filter){ .to = t }) != rows[i].to ||
		    matches(&e, (struct event_filter){ .pod = t }) != rows[i].pod)
			fail_msg("%s", rows[i].text);
	}
	e = denial();
	e.src = addr("192.0.2.1");
	e.dst = addr("10.0.0.1");
	assert_true(matches(&e, (struct event_filter){ .from = target(&arena, "world") }));
	assert_true(matches(&e, (struct event_filter){ .to = target(&arena, "node") }));
	e = (struct weir_event){ .reason = WEIR_TRUNCATED };
	assert_false(matches(&e, (struct event_filter){ .from = target(&arena, "world") }));
	arena_free(&arena);
}

static void verdicts_and_reasons_are_matched(void **state)
{
	struct weir_event deny = denial(), allow = translation(), drop = denial();
	struct event_filter spoofed = { .reasons = 1ull << WEIR_SPOOFED };

	drop.reason = WEIR_SPOOFED;
	assert_true(matches(&deny, (struct event_filter){}));
	assert_true(matches(&deny, (struct event_filter){ .verdicts = EVENT_DENY }));
	assert_false(matches(&allow, (struct event_filter){ .verdicts = EVENT_DENY }));
	assert_false(matches(&drop, (struct event_filter){ .verdicts = EVENT_DENY | EVENT_ALLOW }));
	assert_true(matches(&drop, spoofed));
	assert_false(matches(&deny, spoofed));
	assert_int_equal(event_reason("spoofed"), WEIR_SPOOFED);
	assert_int_equal(event_reason("forwarded"), WEIR_FORWARDED);
	assert_int_equal(event_reason("multicast"), -1); /* counted, never an event */
	assert_int_equal(event_reason("nonsense"), -1);
	assert_int_equal(event_reason("hairpin"), -1); /* removed */
	assert_int_equal(event_reason("sctp-service"), -1);
}

static void ports_and_protocols_are_matched(void **state)
{
	struct weir_event e = translation();

	assert_true(matches(&e, (struct event_filter){ .port = 80 }));
	assert_true(matches(&e, (struct event_filter){ .port = 8080 }));
	assert_false(matches(&e, (struct event_filter){ .port = 41234 }));
	assert_true(matches(&e, (struct event_filter){ .proto = IPPROTO_TCP }));
	assert_false(matches(&e, (struct event_filter){ .proto = IPPROTO_UDP }));
	e.proto = IPPROTO_ICMPV6;
	assert_true(matches(&e, (struct event_filter){ .proto = IPPROTO_ICMP }));
}

static void a_policy_is_matched_where_it_decided(void **state)
{
	struct weir_event e = denial();

	assert_true(matches(&e, (struct event_filter){ .policy = "shop/default-deny" }));
	assert_true(matches(&e, (struct event_filter){ .policy = "shop/db-from-api" }));
	assert_false(matches(&e, (struct event_filter){ .policy = "shop/other" }));
	e = translation(); /* allowed by a rule of one of them */
	assert_true(matches(&e, (struct event_filter){ .policy = "shop/db-from-api" }));
	assert_false(matches(&e, (struct event_filter){ .policy = "shop/default-deny" }));
	e = denial(); /* ingress allows by the rule, egress denies */
	e.flags = WEIR_EVENT_JUDGED | WEIR_EVENT_JUDGED_EGRESS | WEIR_EVENT_JUDGED_INGRESS |
		  WEIR_EVENT_EGRESS_DENIED;
	e.reason = WEIR_EGRESS_DENIED;
	e.ingress_rule = RULE;
	assert_false(matches(&e, (struct event_filter){ .policy = "shop/db-from-api" }));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_default_deny_names_pods_and_policies),
		cmocka_unit_test(a_translation_names_service_backend_and_rules),
		cmocka_unit_test(a_drop_prints_its_reason),
		cmocka_unit_test(ids_without_a_name_are_shown_as_ids),
		cmocka_unit_test(ids_of_the_previous_generation_are_named_by_its_plan),
		cmocka_unit_test(an_event_has_stable_json_keys),
		cmocka_unit_test(ends_are_matched_by_name_address_and_kind),
		cmocka_unit_test(verdicts_and_reasons_are_matched),
		cmocka_unit_test(ports_and_protocols_are_matched),
		cmocka_unit_test(a_policy_is_matched_where_it_decided),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
