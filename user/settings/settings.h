/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a configuration file and options set, beside the manifests: the values, and where each came
 * from. keys.h is the table of them. Reading is pure; settings_file.h reads the files.
 */
#pragma once

#include <stdint.h>

#include <weir/maps.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/mem.h"
#include "settings/keys.h"

/* The words of attach and ownNode, in their order; those of echo are enum weir_echo. */
enum setting_attach {
	SETTING_ATTACH_AUTO,
	SETTING_ATTACH_TCX,
	SETTING_ATTACH_CLSACT,
};

#define SETTING_CGROUP_ROOT "root"
#define SETTING_CGROUP_NONE "none"

enum setting_own_node {
	SETTING_OWN_NODE_ALWAYS,
	SETTING_OWN_NODE_POLICY,
};

/* Neither blocks nor primary: all addresses; so for a family without a block (SVC-36). */
struct setting_blocks {
	bool primary; /* then there are no blocks */
	struct cidr *items;
	size_t n;
};

struct setting_devices {
	const char **items; /* names, each once */
	size_t n;
};

struct setting_ports {
	uint16_t first, last; /* host order, first <= last */
};

enum setting_origin {
	SETTING_BY_DEFAULT,
	SETTING_BY_FILE,
	SETTING_BY_OPTION,
};

struct setting_source {
	enum setting_origin origin;
	struct src src; /* of the key; SETTING_BY_FILE */
};

/* The setting that scales the maps of a knob. */
#define SETTING_OF_KNOB(knob) (SETTING_SCALE_TABLES + (knob)-WEIR_KNOB_TABLES)

struct settings {
	int attach; /* enum setting_attach */
	const char *cgroup;
	int echo; /* enum weir_echo */
	struct weir_addr hairpin[2]; /* by family */
	uint32_t scale[_WEIR_KNOB_MAX]; /* percent, by enum weir_knob */
	struct setting_blocks node_port_addresses;
	struct setting_devices uplinks;
	struct setting_ports snat_ports;
	const char *service_proxy_name;
	bool keep_established;
	int own_node; /* enum setting_own_node */
	struct setting_source source[_SETTING_MAX];
	struct arena arena; /* of all texts and lists */
};

/* Sets the defaults. */
void settings_init(struct settings *s);
void settings_free(struct settings *s); /* also for _cleanup_(), of a zeroed one too */

/*
 * Reads one configuration file, YAML or JSON, over what s has. All errors are added to diags, with
 * positions; a key whose value is wrong keeps what it had. Of a file with an error nothing should
 * be used. An empty file, and a key without a value, set nothing.
 */
void settings_read(struct settings *s, const char *file, const char *data, size_t len,
		   struct diag_list *diags);
/* Sets a key as its option says. 0, or -EINVAL with "--OPTION: what is wrong". */
int settings_option(struct settings *s, enum setting id, const char *text, struct weir_err *err);
/* The same for the items of a list. */
int settings_option_list(struct settings *s, enum setting id, const char *const *texts, size_t n,
			 struct weir_err *err);

static inline bool setting_given(const struct settings *s, enum setting id)
{
	return s->source[id].origin != SETTING_BY_DEFAULT;
}

/* A value as in a file: "always", "[eth0, eth1]"; "" for none. The caller owns the text. */
char *setting_text(const struct settings *s, enum setting id);
/* Warns at the key snatPorts, if it was given, when it overlaps the node's own ports. */
void settings_check_ports(const struct settings *s, const struct setting_ports *local,
			  struct diag_list *diags);
