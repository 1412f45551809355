// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The weir command. All there is stands in the table of verbs (verbs.c). */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
