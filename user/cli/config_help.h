/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* `weir help config` and the manual page weir(5), from the table of settings. */
#pragma once

#include <stdio.h>

extern const char config_example[]; /* a whole file */

void config_help(FILE *out);
void config_man(FILE *out); /* roff for man(7), ASCII only */
