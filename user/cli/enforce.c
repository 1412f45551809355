// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir enforce on|off: switches policy off in an emergency. Writes one word of a map; needs no
 * daemon and no manifests. Does not take the writers' lock: a writer that hangs would block it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/emit.h"
#include "cli/verbs.h"
#include "kernel/node.h"

static int answer(const struct common_options *c, bool on)
{
	_cleanup_(emit_close) struct emit e = {};

	if (cli_json(c)) {
		emit_open(&e, stdout);
		emit_document_begin(&e, "Enforce");
		emit_text(&e, "enforcement", on ? "on" : "off");
		emit_document_end(&e);
	} else if (on) {
		puts("enforcement is on");
	} else {
		puts("enforcement is OFF: policies are not enforced until 'weir enforce on'; Services still work");
	}
	return EXIT_OK;
}

static int set_word(const struct node *node, enum weir_enforcement word)
{
	size_t len = sizeof(struct weir_config);
	struct weir_config *config;

	config = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
		      node_map_fd(node, WEIR_MAP_config), 0);
	if (config == MAP_FAILED)
		return -errno;
	__atomic_store_n(&config->enforcement, word, __ATOMIC_RELEASE);
	munmap(config, len);
	return 0;
}

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	_cleanup_(node_close) struct node *node = NULL;
	struct weir_err err = {};
	bool on = !strcmp(args[0], "on");
	int r;

	if (!on && strcmp(args[0], "off"))
		return cli_fail(EXIT_USAGE, "enforce: '%s' is not one of on|off", args[0]);
	do { /* RACE: a rebuild may replace the set meanwhile */
		node_close(&node);
		r = node_open(c->name, NODE_READ, NULL, &node, &err);
		if (!r)
			r = set_word(node, on ? WEIR_ENFORCE_ON : WEIR_ENFORCE_OFF);
	} while (!r && !node_is_loaded(node));
	return r ? cli_fail_err(r, &err) : answer(c, on);
}

const struct verb verb_enforce = {
	.name = "enforce",
	.arguments = "on|off",
	.summary = "switch the enforcement of policies on or off, at once (root)",
	.details =
		"off: policies are not enforced, Services still work. Takes effect with the next packet and lasts\n"
		"until 'weir enforce on'; 'weir status' shows it. Exit status 3: nothing is loaded.\n",
	.outputs = "table|json",
	.wants = WANTS_INSTANCE,
	.options_size = sizeof(struct common_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
