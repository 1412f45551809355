// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See codes.h. */
#include "kube/codes.h"

#define X_CODE(name, code, meaning) [KUBE_E_##name] = { code, meaning },
static const struct {
	const char *code, *meaning;
} codes[] = { KUBE_CODES(X_CODE) };
#undef X_CODE

const char *kube_code_text(enum kube_code code)
{
	return codes[code].code;
}

const char *kube_code_meaning(enum kube_code code)
{
	return codes[code].meaning;
}
