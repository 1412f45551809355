// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads the values of settings. See values.h. */
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "kube/check.h"
#include "settings/values.h"

#define PORT_MIN 1024 /* lower ones are the node's services */
#define PRIMARY "primary"

/* ---- Scalars ---- */

/* Index of a word in "a|b|c", or -1. */
static int word_index(const char *words, const char *text)
{
	size_t len = strlen(text);
	int i = 0;

	for (const char *w = words; *w; w += strcspn(w, "|"), w += *w == '|', i++)
		if (strcspn(w, "|") == len && !strncmp(w, text, len))
			return i;
	return -1;
}

static bool read_word(const struct field *f, const struct setting_info *info, void *value)
{
	const char *text = field_raw(f, NULL);
	int i = text ? word_index(info->values, text) : -1;

	if (text && i < 0)
		field_error(f, KUBE_E_VALUE, "expected one of %s, found %s", info->values,
			    field_quoted(f));
	if (i >= 0)
		*(int *)value = i;
	return i >= 0;
}

static bool read_flag(const struct field *f, const struct setting_info *info, void *value)
{
	bool flag = field_flag(f, false);

	if (f->node->type != DOC_BOOL)
		return false;
	*(bool *)value = flag;
	return true;
}

static bool read_percent(const struct field *f, const struct setting_info *info, void *value)
{
	uint32_t percent = field_number(f, 1, UINT32_MAX, 0);

	if (percent)
		*(uint32_t *)value = percent;
	return percent;
}

/* Never a unicast peer, or dropped when a packet is parsed. */
static bool is_no_peer(const struct weir_addr *addr)
{
	static const char *const blocks[] = { "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3",
					      "::/127",    "fe80::/10",   "ff00::/8" };
	struct cidr cidr;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (!cidr_parse(blocks[i], &cidr) && cidr_holds(&cidr, addr))
			return true;
	return false;
}

static bool read_peer(const struct field *f, const struct setting_info *info, void *value)
{
	const int family = info->type == SETTING_TYPE_PEER_V6;
	const char *text = field_raw(f, NULL);
	struct weir_addr addr;

	if (!text)
		return false;
	if (addr_parse(text, &addr) || addr_family(&addr) != family) {
		field_error(f, KUBE_E_ADDRESS, "expected an %s address, found %s",
			    family_text(family), field_quoted(f));
		return false;
	}
	if (is_no_peer(&addr)) {
		field_error(
			f, KUBE_E_ADDRESS,
			"%s cannot be a peer: give a unicast address that nothing uses, such as %s",
			field_quoted(f), info->otherwise);
		return false;
	}
	*(struct weir_addr *)value = addr;
	return true;
}

static bool read_label(const struct field *f, const struct setting_info *info, void *value)
{
	const char *text = field_raw(f, NULL);

	if (!text)
		return false;
	if (!*text || !check_label_value(text)) {
		field_error(f, KUBE_E_LABEL, "expected " CHECK_LABEL_TEXT ", found %s",
			    field_quoted(f));
		return false;
	}
	*(const char **)value = arena_strdup(f->d->arena, text);
	return true;
}

static bool read_cgroup(const struct field *f, const struct setting_info *info, void *value)
{
	const char *text = field_raw(f, NULL);

	if (!text)
		return false;
	if (strcmp(text, SETTING_CGROUP_ROOT) && strcmp(text, SETTING_CGROUP_NONE) &&
	    *text != '/') {
		field_error(f, KUBE_E_VALUE,
			    "expected root, none, or the folder of a cgroup from / on, found %s",
			    field_quoted(f));
		return false;
	}
	*(const char **)value = arena_strdup(f->d->arena, text);
	return true;
}

/* Digits only, at most 65535; -1: something else. Moves *text behind them. */
static long take_port(const char **text)
{
	char *end;
	long port = isdigit((unsigned char)**text) ? strtol(*text, &end, 10) : -1;

	if (port < 0 || port > KUBE_PORT_MAX)
		return -1;
	*text = end;
	return port;
}

static bool read_ports(const struct field *f, const struct setting_info *info, void *value)
{
	const char *text = f->node->type == DOC_STRING ? f->node->text : "";
	long first = take_port(&text), last = -1;

	if (first >= 0 && *text == '-') {
		text++;
		last = take_port(&text);
	}
	if (last < 0 || *text) {
		field_error(f, KUBE_E_TYPE, "expected a range of ports like %s, found %s",
			    info->otherwise, field_found(f));
		return false;
	}
	if (first < PORT_MIN || first > last) {
		field_error(f, KUBE_E_RANGE,
			    "expected ports from %d to %d, the lower one first, found %s", PORT_MIN,
			    KUBE_PORT_MAX, field_quoted(f));
		return false;
	}
	*(struct setting_ports *)value = (struct setting_ports){ first, last };
	return true;
}

/* ---- Lists ---- */

static bool is_list(const struct field *f, const char *wanted)
{
	if (f->node->type == DOC_LIST)
		return true;
	field_error(f, KUBE_E_TYPE, "expected a list of %s, found %s", wanted, field_found(f));
	return false;
}

static bool is_text(const struct field *f, const char *text)
{
	return f->node && f->node->type == DOC_STRING && !strcmp(f->node->text, text);
}

/* An item without a value is absent to the getters of field.h, and would be skipped. */
static bool has_value(const struct field *item, const char *wanted)
{
	if (!item->node)
		field_error(item, KUBE_E_TYPE, "expected %s, found nothing", wanted);
	return item->node;
}

static void read_block(const struct field *item, struct setting_blocks *blocks)
{
	if (is_text(item, PRIMARY))
		blocks->primary = true;
	else if (has_value(item, "a block like 10.0.0.0/8") &&
		 check_cidr(item, &blocks->items[blocks->n]))
		blocks->n++;
}

/* kube-proxy has the word as the only item of the list. */
static bool read_blocks(const struct field *f, const struct setting_info *info, void *value)
{
	struct setting_blocks blocks = { .primary = is_text(f, PRIMARY) };
	size_t errors = f->d->diags->errors;

	if (!blocks.primary && !is_list(f, "blocks, or the word " PRIMARY))
		return false;
	if (f->node->type == DOC_LIST) {
		blocks.items =
			arena_zalloc(f->d->arena, (field_count(f) + 1) * sizeof(*blocks.items));
		for (size_t i = 0; i < field_count(f); i++) {
			struct field item = field_item(f, i);

			read_block(&item, &blocks);
		}
	}
	if (blocks.primary && blocks.n)
		field_error(f, KUBE_E_CONFLICT,
			    "the word " PRIMARY
			    " and blocks exclude one another: give one of both");
	if (f->d->diags->errors > errors)
		return false;
	*(struct setting_blocks *)value = blocks;
	return true;
}

/* As the kernel checks it. */
static bool is_device_name(const char *text)
{
	if (!*text || strlen(text) >= IFNAMSIZ || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (const char *c = text; *c; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return false;
	return true;
}

static void read_device(const struct field *item, struct setting_devices *devices)
{
	const char *name =
		has_value(item, "the name of a network device") ? field_raw(item, NULL) : NULL;

	if (!name)
		return;
	for (size_t i = 0; i < devices->n; i++)
		if (!strcmp(devices->items[i], name)) {
			field_error(item, KUBE_E_REPEATED, "%s is given twice: remove one",
				    field_quoted(item));
			return;
		}
	if (is_device_name(name))
		devices->items[devices->n++] = arena_strdup(item->d->arena, name);
	else
		field_error(
			item, KUBE_E_VALUE,
			"expected the name of a network device, 1 to %d characters without blanks, / and "
			":, found %s",
			IFNAMSIZ - 1, field_quoted(item));
}

static bool read_devices(const struct field *f, const struct setting_info *info, void *value)
{
	struct setting_devices devices = {};
	size_t errors = f->d->diags->errors;

	if (!is_list(f, "network devices"))
		return false;
	devices.items = arena_zalloc(f->d->arena, (field_count(f) + 1) * sizeof(*devices.items));
	for (size_t i = 0; i < field_count(f); i++) {
		struct field item = field_item(f, i);

		read_device(&item, &devices);
	}
	if (f->d->diags->errors > errors)
		return false;
	*(struct setting_devices *)value = devices;
	return true;
}

bool setting_value_read(const struct field *f, const struct setting_info *info, void *value)
{
	static bool (*const readers[_SETTING_TYPE_MAX])(
		const struct field *f, const struct setting_info *info, void *value) = {
		[SETTING_TYPE_WORD] = read_word,       [SETTING_TYPE_FLAG] = read_flag,
		[SETTING_TYPE_PERCENT] = read_percent, [SETTING_TYPE_PEER_V4] = read_peer,
		[SETTING_TYPE_PEER_V6] = read_peer,    [SETTING_TYPE_BLOCKS] = read_blocks,
		[SETTING_TYPE_DEVICES] = read_devices, [SETTING_TYPE_PORTS] = read_ports,
		[SETTING_TYPE_LABEL] = read_label,     [SETTING_TYPE_CGROUP] = read_cgroup,
	};

	return readers[info->type](f, info, value);
}
