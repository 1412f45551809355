// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See apiserver_choices.h. */
#include "lib/apiserver_choices.h"

bool apiserver_choice_of_server(const char *said)
{
	return false;
}

bool apiserver_choice_of_weir(const struct diag_list *diags)
{
	return false;
}

bool apiserver_choice_of_values(const char *weir, const char *server)
{
	return false;
}
