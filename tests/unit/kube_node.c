// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which --node names are refused: with a wrong one the plan is empty and every pod is cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kube/store.h"

#define NODE(name) "apiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n---\n"
#define POD(name, spec)                                                                           \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: " name "}\nspec: {" spec       \
	"containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: [{ip: 10.0.0.1}], " \
	"podIP: 10.0.0.1}\n---\n"

/* want: the error; NULL: the name is accepted. */
static void check(const char *yaml, unsigned int flags, const char *node, const char *want)
{
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(mem_free) char *text = NULL;

	store_read_buffer(s, "f.yaml", yaml, strlen(yaml));
	store_apply_defaults(s, flags);
	assert_int_equal(s->diags.errors, 0);
	text = store_unknown_node(s, node, "--node");
	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
}

static void a_name_that_no_object_has_is_refused_with_the_known_names(void **state)
{
	static const unsigned int flags[] = { 0, STORE_ASSIGN };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		check(NODE("n1") POD("a", ""), flags[i], "nn1",
		      "--node nn1 matches no Node and no pod's nodeName; did you mean n1?");
		check(POD("a", "nodeName: n1, "), flags[i], "nn1",
		      "--node nn1 matches no Node and no pod's nodeName; did you mean n1?");
		check(NODE("worker-1") NODE("worker-2") POD("a", "nodeName: n1, "), flags[i],
		      "gate",
		      "--node gate matches no Node and no pod's nodeName; known nodes: n1, worker-1, worker-2");
		check(NODE("worker-1") NODE("worker-2"), flags[i], "worker-3",
		      "--node worker-3 matches no Node and no pod's nodeName; known nodes: worker-1, worker-2");
	}
}

static void at_most_five_names_are_listed(void **state)
{
	check(NODE("a1") NODE("b1") NODE("c1") NODE("d1") NODE("e1") NODE("f1") NODE("g1"), 0,
	      "none-of-them",
	      "--node none-of-them matches no Node and no pod's nodeName; known nodes: a1, b1, c1, d1, e1 and 2 more");
}

static void a_name_of_a_node_or_in_a_pod_is_accepted(void **state)
{
	check(NODE("n1") POD("a", "nodeName: n2, "), 0, "n1", NULL);
	check(NODE("n1") POD("a", "nodeName: n2, "), 0, "n2", NULL);
	check(NODE("n1") POD("a", "nodeName: n2, "), STORE_ASSIGN, "n2", NULL);
}

/* There is no name to compare with; an assigned node does not count as one. */
static void any_name_is_accepted_where_manifests_have_none(void **state)
{
	check(POD("a", ""), 0, "n1", NULL);
	check(POD("a", ""), STORE_ASSIGN, "n1", NULL);
	check(POD("a", ""), STORE_ASSIGN, "node", NULL);
	check("", 0, "n1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_no_object_has_is_refused_with_the_known_names),
		cmocka_unit_test(at_most_five_names_are_listed),
		cmocka_unit_test(a_name_of_a_node_or_in_a_pod_is_accepted),
		cmocka_unit_test(any_name_is_accepted_where_manifests_have_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
