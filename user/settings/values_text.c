// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Writes the values of settings as text. See values.h. */
#include <stdio.h>
#include <string.h>

#include "settings/values.h"

static void write_word(const char *words, int i, FILE *out)
{
	for (; i; i--)
		words += strcspn(words, "|") + 1;
	fprintf(out, "%.*s", (int)strcspn(words, "|"), words);
}

static void write_blocks(const struct setting_blocks *blocks, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	if (blocks->primary) {
		fputs("primary", out);
		return;
	}
	fputc('[', out);
	for (size_t i = 0; i < blocks->n; i++)
		fprintf(out, "%s%s", i ? ", " : "", cidr_text(&blocks->items[i], text));
	fputc(']', out);
}

static void write_devices(const struct setting_devices *devices, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < devices->n; i++)
		fprintf(out, "%s%s", i ? ", " : "", devices->items[i]);
	fputc(']', out);
}

static void write_value(const struct setting_info *info, const void *value, FILE *out)
{
	const struct setting_ports *ports = value;
	const char *label;
	char text[ADDR_TEXT_MAX];

	switch (info->type) {
	case SETTING_TYPE_WORD:
		write_word(info->values, *(const int *)value, out);
		break;
	case SETTING_TYPE_FLAG:
		fputs(*(const bool *)value ? "true" : "false", out);
		break;
	case SETTING_TYPE_PERCENT:
		fprintf(out, "%u", *(const uint32_t *)value);
		break;
	case SETTING_TYPE_PEER_V4:
	case SETTING_TYPE_PEER_V6:
		fputs(addr_text(value, text), out);
		break;
	case SETTING_TYPE_BLOCKS:
		write_blocks(value, out);
		break;
	case SETTING_TYPE_DEVICES:
		write_devices(value, out);
		break;
	case SETTING_TYPE_PORTS:
		fprintf(out, "%u-%u", ports->first, ports->last);
		break;
	case SETTING_TYPE_CGROUP:
	case SETTING_TYPE_LABEL:
		label = *(const char *const *)value;
		fputs(label ? label : "", out);
		break;
	case _SETTING_TYPE_MAX:
		break;
	}
}

char *setting_value_text(const struct setting_info *info, const void *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	write_value(info, value, out);
	fclose(out);
	return text;
}
