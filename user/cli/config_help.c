// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See config_help.h. Knows no particular key, except in the example. */
#include <string.h>

#include "base/mem.h"
#include "cli/config_help.h"
#include "cli/roff.h"
#include "cli/verb.h"
#include "settings/settings.h"

const char config_example[] = "# /etc/weir/weir.yaml\n"
			      "echo: always\n"
			      "hairpin: {v4: 169.254.77.9}\n"
			      "scale: {tables: 50, flows: 200}\n";

static const char purpose[] = "settings of 'weir load' in a file";

static const char about[] =
	"'weir load' takes settings from two files: from /etc/weir/weir.yaml, or with --name NAME from\n"
	"/etc/weir/weir-NAME.yaml, which need not exist, and from the one that --config names. Each key has the value\n"
	"of the first of these that has the key: its option, the file of --config, the file in /etc/weir, the default.\n"
	"Lists are not joined. No other verb reads these files: verbs on manifests give the same answer on every\n"
	"machine, a sandbox has the defaults, and the others show what is loaded. 'weir status' says where each\n"
	"setting came from that is not the default.\n\n"
	"A file is one document of YAML or JSON of at most 1 MiB, a mapping of keys to values; a dot in the list\n"
	"below leads into a mapping. A file without a key, and a key without a value, set nothing.\n\n"
	"An unknown key, a key that is given twice, a wrong value and a key that is not served yet are errors. All\n"
	"are reported, by position:\n\n"
	"    /etc/weir/weir.yaml:3:1: error E040: hairpn: unknown key; did you mean hairpin?\n\n"
	"Then load changes nothing and ends with status 4: what was loaded before stays in force. The same happens if\n"
	"the file of --config is missing, if a file cannot be read, and if others than root may write the file in\n"
	"/etc/weir or that folder, since it decides what the node enforces.\n";

/* "; default 100; option --scale-flows; only at …"; the caller owns it. */
static char *key_text(const struct setting_info *info)
{
	return mem_printf("%s; default %s%s%s%s%s", info->text,
			  *info->otherwise ? info->otherwise : "none",
			  info->option ? "; option --" : "", info->option ?: "",
			  info->fixed ? "; only at the first load, and with --rebuild" : "",
			  info->served ? "" : "; not served yet: the key is refused");
}

void config_help(FILE *out)
{
	fprintf(out, "weir help config: %s\n\n%s\nkeys:\n", purpose, about);
	for (int id = 0; id < _SETTING_MAX; id++) {
		const struct setting_info *info = setting_info(id);
		_cleanup_(mem_free) char *text = key_text(info);
		_cleanup_(mem_free) char *left = mem_printf("  %s %s", info->key, info->values);

		if (strlen(left) > 30)
			fprintf(out, "%s\n%-30s %s\n", left, "", text);
		else
			fprintf(out, "%-30s %s\n", left, text);
	}
	fprintf(out, "\nexample:\n%s", config_example);
}

static void put_key(const struct setting_info *info, FILE *out)
{
	_cleanup_(mem_free) char *text = key_text(info);

	fputs(".TP\n", out);
	roff_bold(info->key, out);
	fputs(" \\fI", out);
	roff_text(info->values, out);
	fputs("\\fR\n", out);
	roff_line(text, out);
}

static void put_example(FILE *out)
{
	_cleanup_(mem_free) char *copy = mem_strdup(config_example);
	char *rest = copy, *line;

	fputs(".RS 4\n.nf\n", out);
	while ((line = strsep(&rest, "\n")) && *line)
		roff_line(line, out);
	fputs(".fi\n.RE\n", out);
}

void config_man(FILE *out)
{
	fputs(".\\\" Written by weir help config -o man.\n.TH WEIR 5 \"\" \"weir ", out);
	roff_text(cli_version(), out);
	fputs("\" \"File Formats\"\n.nh\n.ad l\n", out);
	roff_section("NAME", out);
	fputs("weir, weir.yaml \\- ", out);
	roff_line(purpose, out);
	roff_section("DESCRIPTION", out);
	roff_details(about, out);
	roff_section("KEYS", out);
	for (int id = 0; id < _SETTING_MAX; id++)
		put_key(setting_info(id), out);
	roff_section("EXAMPLE", out);
	put_example(out);
	roff_section("\"SEE ALSO\"", out);
	fputs("\\fBweir\\fR(1)\n", out);
}
