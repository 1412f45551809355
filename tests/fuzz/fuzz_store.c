// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Fuzzes everything between bytes and a complete store: both readers, all decoders, defaults with
 * and without assigned addresses, look-ups, freeing. The first byte selects the flags. Build and
 * run: make fuzz
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kube/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(store_free) struct store *s = store_new();
	unsigned int flags = 0;
	FILE *sink;

	if (size && (data[0] == '1' || data[0] == '2')) {
		flags = data[0] == '1' ? STORE_ASSIGN | STORE_ADMIT : 0;
		data++;
		size--;
	}
	store_read_buffer(s, "fuzz.yaml", (const char *)data, size);
	store_apply_defaults(s, flags);
	for (size_t i = 0; i < s->n_pods; i++)
		if (store_pod(s, s->pods[i]->meta.ns, s->pods[i]->meta.name) != s->pods[i])
			abort();
	for (size_t i = 0; i < s->n_policies; i++)
		if (!store_namespace(s, s->policies[i]->meta.ns))
			abort();
	sink = fopen("/dev/null", "w");
	diag_print(&s->diags, sink);
	fclose(sink);
	return 0;
}
