// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Fuzzes the reader of configuration files: every value that was accepted must read the same again
 * from its own text. Build and run: make fuzz
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Device names may need quotes that their text does not have. */
static void check(const struct settings *s, enum setting id)
{
	_cleanup_(settings_free) struct settings again = {};
	_cleanup_(mem_free) char *text = setting_text(s, id), *same = NULL;

	settings_init(&again);
	if (*text == '[' || !setting_given(s, id) || !setting_info(id)->option)
		return;
	if (settings_option(&again, id, text, NULL))
		abort();
	same = setting_text(&again, id);
	if (strcmp(text, same))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(settings_free) struct settings s = {};
	struct diag_list diags = {};
	FILE *sink;

	settings_init(&s);
	settings_read(&s, "fuzz.yaml", (const char *)data, size, &diags);
	for (int id = 0; id < _SETTING_MAX; id++)
		check(&s, id);
	sink = fopen("/dev/null", "w");
	diag_print(&diags, sink);
	fclose(sink);
	diag_free(&diags);
	return 0;
}
