/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where Weir reads manifests differently from kubectl and the API server on purpose: one table,
 * each row with its reason. docs/manifests.md has the same reasons for people.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

/*
 * Whether every error of a text that only the API server refuses is a choice. said: its errors;
 * diags: Weir's warnings.
 */
bool apiserver_choice_of_server(const char *said, const struct diag_list *diags);
/* Whether every error of a text that only Weir refuses is one. */
bool apiserver_choice_of_weir(const struct diag_list *diags);
/* Whether objects that both accept differ only by choice; as text. */
bool apiserver_choice_of_values(const char *weir, const char *server);
