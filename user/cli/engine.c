// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who judges. See engine.h. */
#include <errno.h>
#include <string.h>

#include "cli/engine.h"

static int ask_plan(void *ctx, const struct plan *plan, enum kube_direction side, const struct oracle_query *q,
		    struct oracle_answer *ret_answer, struct weir_err *err)
{
	oracle_judge(plan, q, ret_answer);
	return 0;
}

int engine_open(struct engine *e, const char *name, struct weir_err *err)
{
	*e = (struct engine){ .judge = { .ask = ask_plan, .ctx = e } };
	if (!name || !strcmp(name, "plan"))
		return 0;
	return err_set(err, -EOPNOTSUPP, "--engine bpf is not built in yet");
}

void engine_close(struct engine *e)
{
}

int engine_verdict(const struct engine *e)
{
	if (!e->n_differ)
		return EXIT_OK;
	return cli_fail(EXIT_DISAGREE, "a defect of Weir: plan and programs differ in %zu of %zu answers",
			e->n_differ, e->n_asked);
}
