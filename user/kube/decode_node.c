// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Node: labels, taints and IP addresses. Host names in status.addresses are ignored. */
#include <string.h>

#include "kube/decode.h"
#include "kube/limits.h"

static bool has_addr(const struct kube_node *node, const struct weir_addr *a)
{
	for (size_t i = 0; i < node->n_addrs; i++)
		if (weir_addr_equal(&node->addrs[i], a))
			return true;
	return false;
}

static void check_taint(const struct field *f, const struct kube_taint *t)
{
	struct field key = field_at(f, "key"), value = field_at(f, "value");
	struct field effect = field_at(f, "effect");

	if (!check_label_key(t->key))
		field_error(&key, KUBE_E_LABEL,
			    "\"%.80s\" is not a label key: " CHECK_LABEL_KEY_TEXT, t->key);
	if (!check_label_value(t->value))
		field_error(&value, KUBE_E_LABEL,
			    "\"%.80s\" is not a label value: " CHECK_LABEL_TEXT, t->value);
	if (field_empty(&effect))
		field_error(&effect, KUBE_E_REQUIRED,
			    "required: NoSchedule, PreferNoSchedule or NoExecute");
	check_taint_effect(&effect, t->effect);
}

/* Text of a field, whatever it is otherwise. */
static const char *taint_word(const struct field *taint, const char *key)
{
	const struct doc_node *n =
		taint->node && taint->node->type == DOC_MAP ? doc_get(taint->node, key) : NULL;

	return n && n->type == DOC_STRING ? n->text : "";
}

/* Quadratic, but a Node has few. */
static void check_taints_unique(const struct field *taints)
{
	for (size_t i = 0; i < field_count(taints); i++)
		for (size_t k = 0; k < i; k++) {
			struct field a = field_item(taints, i), b = field_item(taints, k);

			if (!strcmp(taint_word(&a, "key"), taint_word(&b, "key")) &&
			    !strcmp(taint_word(&a, "effect"), taint_word(&b, "effect")))
				field_error(&a, KUBE_E_REPEATED,
					    "a taint with this key and effect is given twice");
		}
}

static void decode_taints(const struct field *spec, struct kube_node *node)
{
	struct field taints = field_list(spec, "taints");

	if (field_count(&taints) > KUBE_TAINTS_MAX) {
		field_error(&taints, KUBE_E_LIMIT, "Weir reads at most %d taints, found %zu",
			    KUBE_TAINTS_MAX, field_count(&taints));
		return;
	}
	check_taints_unique(&taints);
	node->taints = arena_zalloc(spec->d->arena, field_count(&taints) * sizeof(*node->taints));
	for (size_t i = 0; i < field_count(&taints); i++) {
		struct field item = field_map_item(&taints, i);
		const struct kube_taint taint = { field_text_at(&item, "key", ""),
						  field_text_at(&item, "value", ""),
						  field_text_at(&item, "effect", "") };

		check_taint(&item, &taint);
		if (!strcmp(taint.effect, "NoSchedule") || !strcmp(taint.effect, "NoExecute"))
			node->taints[node->n_taints++] = taint;
	}
}

void decode_node(const struct field *root, struct kube_meta *o)
{
	struct kube_node *node = (struct kube_node *)o;
	struct field spec = field_map(root, "spec"), status = field_map(root, "status");
	struct field addresses = field_list(&status, "addresses");
	size_t n = field_count(&addresses);

	decode_taints(&spec, node);
	if (n > KUBE_NODE_ADDRS_MAX) {
		field_error(&addresses, KUBE_E_LIMIT, "Weir reads at most %d addresses, found %zu",
			    KUBE_NODE_ADDRS_MAX, n);
		return;
	}
	node->addrs = arena_zalloc(root->d->arena, n * sizeof(*node->addrs));
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&addresses, i),
			     address = field_at(&item, "address");
		const char *type = field_raw_at(&item, "type", "");
		struct weir_addr a;

		field_raw(&address, "");
		if (strcmp(type, "InternalIP") && strcmp(type, "ExternalIP"))
			continue;
		if (!address.node || address.node->type != DOC_STRING ||
		    !check_addr(&address, &a) || weir_addr_is_zero(&a))
			continue;
		if (!strcmp(type, "InternalIP") &&
		    weir_addr_is_zero(&node->primary[addr_family(&a)]))
			node->primary[addr_family(&a)] = a;
		if (!has_addr(node, &a))
			node->addrs[node->n_addrs++] = a;
	}
}
