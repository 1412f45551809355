/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What every man page that Weir prints must be. After cmocka.h. */
#pragma once

#include <string.h>

#include "base/mem.h"

/* ASCII, and no requests but those of man(7) that the pages need. */
static inline void assert_man_page(const char *page)
{
	static const char *const requests[] = { ".SH ", ".SS ", ".TP",  ".PP", ".RS ", ".RE",
						".nf",  ".fi",  ".TH ", ".nh", ".ad ", ".\\\" " };

	for (const char *line = page; *line; line = strchr(line, '\n') + 1) {
		bool known = *line != '.' && *line != '\'';

		for (size_t i = 0; !known && i < ARRAY_SIZE(requests); i++)
			known = !strncmp(line, requests[i], strlen(requests[i]));
		if (!known)
			fail_msg("a line begins with %.20s", line);
	}
	for (const char *c = page; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}
