// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The whole output of `weir why`, for policies that are often misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/why_print.h"
#include "objects.h"

#define POD(ns, name, addr, labels, ports)                                         \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: " ns ", name: " name     \
	", labels: {" labels                                                       \
	"}}\nspec: {nodeName: n1, containers: [{name: c, image: i, ports: [" ports \
	"]}]}\nstatus: {phase: Running, podIP: " addr ", podIPs: [{ip: " addr "}]}\n---\n"
#define NS(name, labels) \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {" labels "}}\n---\n"
#define POLICY(ns, name, spec)                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
	"metadata: {namespace: " ns ", name: " name "}\nspec:\n" spec "---\n"

static const struct style plain = { .utf8 = true };

/* The output as text, or the error. */
static char *draw(const char *const *objects, const char *from, const char *to,
		  const struct style *style)
{
	_cleanup_(mem_free) char *yaml = objects_join(objects);
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(why_flows_free) struct why_flows flows = {};
	struct why_ask ask = { .arena = &arena, .store = s };
	struct weir_err err = {};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	store_read_buffer(s, "dir/db.yaml", yaml, strlen(yaml));
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	ask.report = report = report_new(&(struct report_input){ .store = s });
	assert_int_equal(why_parse(&ask, from, to, &err), 0);
	if (!why_resolve(&ask, &err) && !why_judge(&ask, &flows, &err)) {
		why_merge(&flows);
		for (size_t i = 0; i < flows.n; i++)
			if (!flows.items[i].repeated)
				why_print(&flows.items[i], style, out);
	} else {
		fprintf(out, "%s\n", err.text);
	}
	fclose(out);
	return text;
}

static void draws(const char *const *objects, const char *from, const char *to, const char *want)
{
	_cleanup_(mem_free) char *text = draw(objects, from, to, &plain);

	assert_string_equal(text, want);
}

static void draws_line(const char *const *objects, const char *from, const char *to,
		       const char *want)
{
	_cleanup_(mem_free) char *text = draw(objects, from, to, &plain);

	if (!strstr(text, want))
		print_error("%s", text);
	assert_non_null(strstr(text, want));
}

/* Two items where one was meant, and a label that Namespaces do not have by default. */
static const char *const two_items[] = {
	POLICY("prod", "db",
	       "  podSelector: {matchLabels: {tier: db}}\n"
	       "  ingress:\n"
	       "  - from:\n"
	       "    - namespaceSelector: {matchLabels: {name: prod}}\n"
	       "    - podSelector: {matchLabels: {tier: api}}\n"
	       "    ports:\n"
	       "    - port: 5432\n"),
	POD("prod", "web-0", "10.0.0.1", "tier: web", ""),
	POD("prod", "db-0", "10.0.0.2", "tier: db", "{containerPort: 5432}"),
	NULL,
};

static void np_20_22_a_denied_flow_shows_what_failed_and_the_nearest_change(void **state)
{
	draws(two_items, "prod/web-0", "prod/db-0:5432",
	      "DENIED  prod/web-0 → prod/db-0  tcp/5432\n"
	      " egress  from web-0  ALLOWED  no Egress policy selects it\n"
	      " ingress to   db-0   DENIED   isolated by 1 policy, no rule matched\n"
	      "   NetworkPolicy prod/db                    db.yaml:1\n"
	      "   └ ingress[0]                             db.yaml:7\n"
	      "     ├ from[0] namespaceSelector name=prod  db.yaml:8   ✖ Namespace prod has no label \"name\"\n"
	      "     │                                                    (it has kubernetes.io/metadata.name=prod)\n"
	      "     ├ from[1] podSelector tier=api         db.yaml:9   ✖ web-0 has tier=web\n"
	      "     └ ports   TCP/5432                     db.yaml:11  ✔\n"
	      " smallest change: label Namespace prod name=prod → ALLOWED — for every pod in it (from[0] and from[1] are ORed): P004\n");
}

static void without_utf8_the_output_is_ascii(void **state)
{
	static const struct style ascii = {};
	_cleanup_(mem_free) char *text = draw(two_items, "prod/web-0", "prod/db-0", &ascii);

	for (const char *at = text; *at; at++)
		assert_true((unsigned char)*at < 0x80);
	assert_non_null(strstr(
		text,
		"     |- from[1] podSelector tier=api         db.yaml:9   no  web-0 has tier=web\n"));
	assert_non_null(
		strstr(text, "     `- ports   TCP/5432                     db.yaml:11  yes\n"));
	assert_non_null(strstr(
		text,
		" smallest change: label Namespace prod name=prod -> ALLOWED -- for every pod in it"));
}

static void colour_only_wraps_words(void **state)
{
	static const struct style colour = { .utf8 = true, .color = true };
	_cleanup_(mem_free) char *text = draw(two_items, "prod/web-0", "prod/db-0", &colour);

	assert_non_null(strstr(text, "\033[31mDENIED\033[0m  prod/web-0"));
	assert_non_null(strstr(text, "\033[31m✖\033[0m web-0 has tier=web"));
}

static void lines_are_wrapped_to_the_width_of_the_terminal(void **state)
{
	static const unsigned int widths[] = { 60, 72, 80, 100, 120 };

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct style style = { .utf8 = true, .tty = true, .width = widths[i] };
		_cleanup_(mem_free) char *text = draw(two_items, "prod/web-0", "prod/db-0", &style);
		char *rest = text, *line;

		assert_non_null(strstr(text, "web-0 has tier=web"));
		while ((line = strsep(&rest, "\n")))
			assert_true(text_width(line) <= widths[i]);
	}
}

static void np_20_both_selectors_of_an_item_are_judged_separately(void **state)
{
	static const char *const objects[] = {
		NS("ops", "team: ops"),
		POD("ops", "a", "10.0.0.1", "app: a", ""),
		POD("prod", "db", "10.0.0.2", "", ""),
		POLICY("prod", "db",
		       "  podSelector: {}\n"
		       "  ingress:\n"
		       "  - from:\n"
		       "    - namespaceSelector: {matchLabels: {team: ops}}\n"
		       "      podSelector: {matchLabels: {app: b}}\n"
		       "    ports: [{port: 80}, {port: 53, protocol: UDP}]\n"),
		NULL,
	};

	draws(objects, "ops/a", "prod/db:80",
	      "DENIED  ops/a → prod/db  tcp/80\n"
	      " egress  from a   ALLOWED  no Egress policy selects it\n"
	      " ingress to   db  DENIED   isolated by 1 policy, no rule matched\n"
	      "   NetworkPolicy prod/db                    db.yaml:17\n"
	      "   └ ingress[0]                             db.yaml:23\n"
	      "     ├ from[0]  namespaceSelector team=ops  db.yaml:24  ✔\n"
	      "     │      and podSelector app=b           db.yaml:25  ✖ a has app=a\n"
	      "     ├ ports[0] TCP/80                      db.yaml:26  ✔\n"
	      "     └ ports[1] UDP/53                      db.yaml:26  ✖ the protocol is TCP\n"
	      " smallest change: label Pod ops/a app=b → ALLOWED — but selectors for app=a stop matching it\n");
}

/* The label that one policy wants makes another policy isolate the pod: changes are evaluated. */
static void a_change_that_the_other_end_still_denies_says_so(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "", ""),
		POD("p", "b", "10.0.0.2", "app: b", ""),
		POLICY("p", "b",
		       "  podSelector: {matchLabels: {app: b}}\n"
		       "  ingress: [{from: [{podSelector: {matchLabels: {role: c}}}]}]\n"),
		POLICY("p", "c",
		       "  podSelector: {matchLabels: {role: c}}\n"
		       "  policyTypes: [Egress]\n"),
		NULL,
	};

	draws_line(
		objects, "p/a", "p/b:80",
		" smallest change: label Pod p/a role=c → ingress ALLOWED, egress still DENIED\n");
}

static void the_nearest_change_is_the_port_when_only_it_failed(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "app: a", ""),
		POD("p", "b", "10.0.0.2", "", ""),
		POLICY("p", "b",
		       "  podSelector: {}\n"
		       "  ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 80}]}]\n"),
		NULL,
	};

	draws_line(
		objects, "p/a", "p/b:81",
		" smallest change: in p/b ingress[0] allow TCP/81 → ALLOWED — for every peer of that rule\n");
}

static void without_a_rule_the_nearest_change_is_a_new_one(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "", ""),
		POD("p", "b", "10.0.0.2", "", ""),
		POLICY("p", "none", "  podSelector: {}\n  policyTypes: [Ingress]\n"),
		NULL,
	};

	draws_line(objects, "p/a", "p/b:81",
		   " smallest change: add an ingress rule to p/none for a, TCP/81 → ALLOWED\n");
}

/* A Namespace's name label cannot be changed; an external address has no labels. */
static void np_22_where_no_label_helps_the_nearest_change_is_in_the_policy(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "", ""),
		POD("q", "b", "10.0.0.2", "", ""),
		POLICY("q", "b",
		       "  podSelector: {}\n"
		       "  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}]}]\n"),
		NULL,
	};

	draws_line(objects, "p/a", "q/b:80",
		   " smallest change: in q/b ingress[0] select Namespace p → ALLOWED");
	draws_line(
		objects, "192.0.2.1", "q/b:80",
		" smallest change: in q/b ingress[0] add an ipBlock that contains 192.0.2.1 → ALLOWED");
}

/* The namespaceSelector alone admits the pod; the podSelector beside it does not match. */
static void np_20_a_flow_allowed_only_by_two_items_being_or_has_a_note(void **state)
{
	static const char *const objects[] = {
		NS("ops", "team: ops"),
		POD("ops", "a", "10.0.0.1", "app: a", ""),
		POD("prod", "db", "10.0.0.2", "", ""),
		POLICY("prod", "db",
		       "  podSelector: {}\n"
		       "  ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}, "
		       "{podSelector: {matchLabels: {app: b}}}]}]\n"),
		NULL,
	};

	draws_line(objects, "ops/a", "prod/db:80",
		   " note: ingress allows this only because from[0] and from[1] are ORed: P004\n");
}

static void backends_with_the_same_answer_are_shown_once(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "", ""),
		POD("p", "b-0", "10.0.0.2", "app: b", ""),
		POD("p", "b-1", "10.0.0.3", "app: b", ""),
		POD("p", "b-2", "10.0.0.4", "app: b", ""),
		"apiVersion: v1\nkind: Service\nmetadata: {namespace: p, name: b}\n"
		"spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], selector: {app: b}, ports: [{port: 80}]}\n",
		NULL,
	};
	_cleanup_(mem_free) char *text = draw(objects, "p/a", "svc/p/b", &plain);

	assert_null(strstr(text, "p/b-0 → "));
	assert_non_null(strstr(text, " the same for 2 more backends: p/b-1, p/b-2\n"));
	assert_ptr_equal(strstr(text, "ALLOWED  p/a"), text);
	assert_null(strstr(text + 1, "ALLOWED  p/a"));
}

static void svc_64_an_undefined_service_port_is_answered_with_the_defined_ones(void **state)
{
	static const char *const objects[] = {
		POD("p", "a", "10.0.0.1", "", ""),
		"apiVersion: v1\nkind: Service\nmetadata: {namespace: p, name: b}\n"
		"spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], ports: [{name: http, port: 80}]}\n",
		NULL,
	};

	draws_line(objects, "p/a", "svc/p/b:81",
		   "DENIED  p/a → svc/p/b  tcp/81\n service p/b  10.96.0.1:81 → ");
	draws_line(objects, "p/a", "svc/p/b:81/UDP", "; it has http 80/TCP\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(np_20_22_a_denied_flow_shows_what_failed_and_the_nearest_change),
		cmocka_unit_test(without_utf8_the_output_is_ascii),
		cmocka_unit_test(colour_only_wraps_words),
		cmocka_unit_test(lines_are_wrapped_to_the_width_of_the_terminal),
		cmocka_unit_test(np_20_both_selectors_of_an_item_are_judged_separately),
		cmocka_unit_test(a_change_that_the_other_end_still_denies_says_so),
		cmocka_unit_test(the_nearest_change_is_the_port_when_only_it_failed),
		cmocka_unit_test(without_a_rule_the_nearest_change_is_a_new_one),
		cmocka_unit_test(np_22_where_no_label_helps_the_nearest_change_is_in_the_policy),
		cmocka_unit_test(np_20_a_flow_allowed_only_by_two_items_being_or_has_a_note),
		cmocka_unit_test(backends_with_the_same_answer_are_shown_once),
		cmocka_unit_test(
			svc_64_an_undefined_service_port_is_answered_with_the_defined_ones),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
