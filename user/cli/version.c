// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir version. The only file that the Makefile compiles with the version, as the macro
 * WEIR_VERSION.
 */
#include "base/emit.h"
#include "cli/verbs.h"
#include <weir/maps.h>

const char *cli_version(void)
{
	return WEIR_VERSION;
}

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	_cleanup_(emit_close) struct emit e = {};

	if (!cli_json(c)) {
		printf("weir %s (layout %d)\n", WEIR_VERSION, WEIR_LAYOUT_VERSION);
		return EXIT_OK;
	}
	emit_open(&e, stdout);
	emit_document_begin(&e, "Version");
	emit_text(&e, "version", WEIR_VERSION);
	emit_int(&e, "layoutVersion", WEIR_LAYOUT_VERSION);
	emit_document_end(&e);
	return EXIT_OK;
}

const struct verb verb_version = {
	.name = "version",
	.arguments = "",
	.summary = "version of this binary and of its map layout",
	.outputs = "table|json",
	.options_size = sizeof(struct common_options),
	.run = run,
};
