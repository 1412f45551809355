// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An item of the report as JSON, and the texts of reasons. See report.h. Members may be added,
 * never removed or renamed.
 */
#include "analyze/report.h"

static const struct {
	const char *label, *text;
} reasons[] = {
#define REASON_WORDS(name, kind, label, text) [WEIR_##name] = { label, text },
	WEIR_REASONS(REASON_WORDS)
#undef REASON_WORDS
};

const char *reason_label(enum weir_reason reason)
{
	return (unsigned int)reason < _WEIR_REASON_MAX ? reasons[reason].label : "unknown";
}

const char *reason_text(enum weir_reason reason)
{
	return (unsigned int)reason < _WEIR_REASON_MAX ? reasons[reason].text : "unknown";
}

static void emit_side(struct emit *e, const char *key, const struct report_side *side)
{
	emit_map(e, key);
	emit_text(e, "verdict", side->allow ? "allow" : "deny");
	emit_text(e, "policy", side->policy);
	emit_known(e, "rule", side->policy, side->rule);
	emit_map_end(e);
}

void report_item_emit(struct emit *e, const struct report_item *item)
{
	emit_text(e, "from", item->from);
	emit_text(e, "to", item->to);
	emit_text(e, "family", family_text(item->family));
	emit_text(e, "protocol", proto_text(item->proto));
	emit_int(e, "port", item->port);
	if (item->port_name)
		emit_text(e, "portName", item->port_name);
	emit_text(e, "verdict", item->allow ? "allow" : "deny");
	emit_text(e, "reason", reason_label(item->reason));
	emit_side(e, "egress", &item->egress);
	emit_side(e, "ingress", &item->ingress);
}
