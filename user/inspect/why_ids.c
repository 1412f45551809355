// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* `why` without the objects: reports what decided, without an explanation. See why_live.h. */
#include <errno.h>
#include <netinet/in.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "inspect/why_live.h"
#include "testrun/testrun.h"

static bool own_address(const struct why_live *l, const struct weir_addr *addr)
{
	uint32_t kind;

	return !bpf_map_lookup_elem(node_map_fd(l->live.node, WEIR_MAP_nodes), addr, &kind) &&
	       kind & WEIR_NODE_OWN;
}

/* An address in that family: the target itself, or a pod's from the plan file. */
static bool find_addr(const struct why_live *l, const struct target *t, int family,
		      struct weir_addr *ret_addr)
{
	_cleanup_(mem_free) char *name = NULL;

	if (t->kind == TARGET_ADDR && addr_family(&t->addr) == family) {
		*ret_addr = t->addr;
		return true;
	}
	if (t->kind != TARGET_POD || !l->live.plan)
		return false;
	name = mem_printf("%s/%s", t->ns, t->name);
	return plan_json_pod_addr(l->live.plan, name, family, ret_addr);
}

static int ask_family(struct why_live *l, const struct why_ask *ask, const struct plan *empty,
		      int family, struct why_ids *ret_answer)
{
	struct why_ids i = { .query = { .proto = ask->to.proto ? ask->to.proto : IPPROTO_TCP,
					.port = ask->to.port } };
	const struct weir_decision *t;
	int r;

	if (!find_addr(l, &ask->from, family, &i.query.src) ||
	    !find_addr(l, &ask->to, family, &i.query.dst))
		return -EAFNOSUPPORT;
	i.query.host_origin = own_address(l, &i.query.src);
	r = testrun_ask(l->testrun, empty, &i.query, &i.answer, &l->err);
	if (r)
		return r;
	t = testrun_trace(l->testrun);
	if (t) {
		i.judged = true;
		i.service = t->service;
		i.egress = (struct oracle_side){ t->judged_egress, t->allow_egress, t->egress_rule,
						 t->egress_set };
		i.ingress = (struct oracle_side){ t->judged_ingress, t->allow_ingress,
						  t->ingress_rule, t->ingress_set };
	}
	*ret_answer = i;
	return 0;
}

int why_live_by_ids(struct why_live *l, const struct why_ask *ask, struct why_ids ret_answers[2],
		    size_t *ret_n)
{
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(plan_free) struct plan *empty = NULL;
	int r;

	*ret_n = 0;
	store_apply_defaults(s, 0);
	empty = plan_compile(&(struct plan_input){ .store = s, .node = "" });
	r = testrun_open_copy(l->live.node, empty, &l->testrun, &l->err);
	for (int family = 0; family < 2 && !r; family++) {
		r = ask_family(l, ask, empty, family, &ret_answers[*ret_n]);
		*ret_n += !r;
		r = r == -EAFNOSUPPORT ? 0 : r;
	}
	return r;
}
