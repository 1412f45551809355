// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which families and addresses `weir why` asks about. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/why.h"

#define DUAL_POD(name, v4, v6)                                                                    \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: " name ", labels: {app: " name \
	"}}\n"                                                                                    \
	"spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n" \
	"status: {phase: Running, podIP: " v4 ", podIPs: [{ip: " v4 "}, {ip: '" v6 "'}]}\n---\n"
#define DUAL_SERVICE(name, v4, v6)                                                             \
	"apiVersion: v1\nkind: Service\nmetadata: {namespace: p, name: " name "}\n"            \
	"spec: {clusterIP: " v4 ", clusterIPs: [" v4 ", '" v6 "'], ipFamilies: [IPv4, IPv6], " \
	"ipFamilyPolicy: RequireDualStack, selector: {app: " name "}, ports: [{port: 80}]}\n---\n"

/* The node has a second address in both families. */
static const char dual[] =
	"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
	"status: {addresses: [{type: InternalIP, address: 172.18.0.2}, "
	"{type: InternalIP, address: 'fd00:172::2'}, {type: ExternalIP, address: 198.51.100.2}, "
	"{type: ExternalIP, address: '2001:db8::2'}]}\n---\n" DUAL_POD("a", "10.0.0.1", "fd00::1")
		DUAL_POD("b", "10.0.0.2", "fd00::2") DUAL_SERVICE("b", "10.96.0.2", "fd00:96::2")
			DUAL_SERVICE("none", "10.96.0.3", "fd00:96::3");

enum asked {
	ASKED_V4 = 1 << 0,
	ASKED_V6 = 1 << 1,
};

/* Which families are asked, from and to which addresses: NULL where it does not matter. */
static void asks(const char *from, const char *to, unsigned int want, const char *src,
		 const char *dst)
{
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(why_flows_free) struct why_flows flows = {};
	struct why_ask ask = { .arena = &arena, .store = s };
	char text[ADDR_TEXT_MAX];
	struct weir_err err = {};
	unsigned int got = 0;

	store_read_buffer(s, "f.yaml", dual, strlen(dual));
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	ask.report = report = report_new(&(struct report_input){ .store = s });
	if (why_parse(&ask, from, to, &err) || why_resolve(&ask, &err) ||
	    why_judge(&ask, &flows, &err))
		fail_msg("%s %s: %s", from, to, err.text);
	for (size_t i = 0; i < flows.n; i++) {
		const struct report_item *item = &flows.items[i].item;

		got |= item->family ? ASKED_V6 : ASKED_V4;
		if (src)
			assert_string_equal(addr_text(&item->src, text), src);
		if (dst)
			assert_string_equal(addr_text(&item->dst, text), dst);
	}
	if (got != want)
		fail_msg("%s %s: families asked %u, wanted %u", from, to, got, want);
}

static void names_are_asked_in_both_families(void **state)
{
	asks("p/a", "p/b", ASKED_V4 | ASKED_V6, NULL, NULL);
	asks("p/a", "svc/p/b", ASKED_V4 | ASKED_V6, NULL, NULL);
	asks("p/a", "svc/p/none", ASKED_V4 | ASKED_V6, NULL, NULL);
	asks("world", "p/b", ASKED_V4 | ASKED_V6, NULL, NULL);
	asks("p/a", "node:80", ASKED_V4 | ASKED_V6, NULL, NULL);
}

static void an_address_is_asked_in_its_own_family(void **state)
{
	asks("fd00::1", "p/b", ASKED_V6, "fd00::1", "fd00::2");
	asks("10.0.0.1", "p/b", ASKED_V4, "10.0.0.1", "10.0.0.2");
	asks("p/a", "[fd00::2]:80", ASKED_V6, "fd00::1", "fd00::2");
	asks("p/a", "10.0.0.2:80", ASKED_V4, "10.0.0.1", "10.0.0.2");
	asks("fd00::1", "[fd00::2]:80", ASKED_V6, "fd00::1", "fd00::2");
	asks("world", "[fd00::2]:80", ASKED_V6, NULL, "fd00::2");
	asks("10.0.0.1", "world:80", ASKED_V4, "10.0.0.1", NULL);
	asks("2001:db8::9", "p/b", ASKED_V6, "2001:db8::9", "fd00::2");
	asks("node", "[fd00::2]:80", ASKED_V6, "fd00:172::2", "fd00::2");
}

static void the_address_of_a_service_is_asked_in_its_own_family(void **state)
{
	asks("p/a", "[fd00:96::2]:80", ASKED_V6, "fd00::1", "fd00::2");
	asks("p/a", "10.96.0.2:80", ASKED_V4, "10.0.0.1", "10.0.0.2");
	asks("p/a", "[fd00:96::3]:80", ASKED_V6, NULL, "fd00:96::3");
	asks("fd00::1", "svc/p/b", ASKED_V6, "fd00::1", "fd00::2");
	asks("10.0.0.1", "svc/p/none", ASKED_V4, NULL, "10.96.0.3");
}

/* Not replaced by the first address of the node. */
static void an_address_of_the_node_is_asked_itself(void **state)
{
	asks("p/a", "[fd00:172::2]:80", ASKED_V6, "fd00::1", "fd00:172::2");
	asks("p/a", "172.18.0.2:80", ASKED_V4, "10.0.0.1", "172.18.0.2");
	asks("p/a", "[2001:db8::2]:80", ASKED_V6, "fd00::1", "2001:db8::2");
	asks("198.51.100.2", "p/b", ASKED_V4, "198.51.100.2", "10.0.0.2");
}

static void addresses_of_two_families_are_refused(void **state)
{
	static const char *const pairs[][2] = { { "fd00::1", "10.0.0.2:80" },
						{ "10.0.0.1", "[fd00:96::2]:80" } };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_(arena_free) struct arena arena = {};
		struct why_ask ask = { .arena = &arena };
		struct weir_err err = {};

		assert_int_equal(why_parse(&ask, pairs[i][0], pairs[i][1], &err), -EINVAL);
		assert_string_equal(
			err.text,
			i ? "FROM 10.0.0.1 is IPv4 and TO fd00:96::2 is IPv6: both must be of one family"
			  : "FROM fd00::1 is IPv6 and TO 10.0.0.2 is IPv4: both must be of one family");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_asked_in_both_families),
		cmocka_unit_test(an_address_is_asked_in_its_own_family),
		cmocka_unit_test(the_address_of_a_service_is_asked_in_its_own_family),
		cmocka_unit_test(an_address_of_the_node_is_asked_itself),
		cmocka_unit_test(addresses_of_two_families_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
