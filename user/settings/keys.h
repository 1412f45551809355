/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The table of settings: what a configuration file may say, and which option of `load` says the
 * same. The reader, the defaults, the options, `weir help config`, weir(5) and `weir status` all
 * use these rows.
 *
 * X(ID, member, key, TYPE, values, otherwise, WHEN, STATE, option, text)
 * member:    of struct settings
 * key:       its path in the file; a dot leads into a mapping. The keys of a mapping stand
 * together. TYPE:      enum setting_type values:    what to write, for people; of WORD the words
 * themselves: "a|b|c" otherwise: the default, as setting_text() writes it; "" for none WHEN:
 * EACH_LOAD; or CREATION: fixed when the maps are created, later only by --rebuild STATE: SERVED;
 * or NOT_SERVED: the key is read and checked, and then refused, since it has no effect yet. The
 * change that gives it one changes this word. option:    without dashes; NULL: none
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_WITH_OPTION(X)                                                                      \
	X(ATTACH, attach, "attach", WORD, "auto|tcx|clsact", "auto", EACH_LOAD, SERVED, "attach",    \
	  "how programs are attached; auto: tcx where the kernel has it, else clsact")               \
	X(CGROUP, cgroup, "cgroup", CGROUP, "DIR|root|none", "root", EACH_LOAD, SERVED, "cgroup",    \
	  "cgroup (version 2) whose processes are served as the node's own, those below it too; "    \
	  "root: all; none: no process of the node reaches a Service")                               \
	X(ECHO, echo, "echo", WORD, "policy|always", "policy", EACH_LOAD, SERVED, "echo",            \
	  "ping (ICMP echo): policy: passes where a rule without ports allows it; always: passes")   \
	X(HAIRPIN_V4, hairpin[0], "hairpin.v4", PEER_V4, "ADDR", "169.254.77.101", CREATION,         \
	  SERVED, "hairpin-v4",                                                                      \
	  "IPv4 source address that a pod sees when it connects to itself through a Service")        \
	X(HAIRPIN_V6, hairpin[1], "hairpin.v6", PEER_V6, "ADDR", "fd77:6569:722d::65", CREATION,     \
	  SERVED, "hairpin-v6",                                                                      \
	  "IPv6 source address that a pod sees when it connects to itself through a Service")        \
	X(UPLINKS, uplinks, "uplinks", DEVICES, "[DEVICE, ...]", "[]", EACH_LOAD, SERVED,            \
	  "uplink",                                                                                  \
	  "network devices by which clients outside of the cluster reach this node; none: found by " \
	  "their default routes and addresses")                                                      \
	X(SCALE_TABLES, scale[WEIR_KNOB_TABLES], "scale.tables", PERCENT, "PERCENT", "100",          \
	  CREATION, SERVED, "scale-tables",                                                          \
	  "size of hash tables, in percent of the built-in size")                                    \
	X(SCALE_TRIES, scale[WEIR_KNOB_TRIES], "scale.tries", PERCENT, "PERCENT", "100", CREATION,   \
	  SERVED, "scale-tries", "size of prefix tables, in percent of the built-in size")           \
	X(SCALE_ARRAYS, scale[WEIR_KNOB_ARRAYS], "scale.arrays", PERCENT, "PERCENT", "100",          \
	  CREATION, SERVED, "scale-arrays", "size of arrays, in percent of the built-in size")       \
	X(SCALE_FLOWS, scale[WEIR_KNOB_FLOWS], "scale.flows", PERCENT, "PERCENT", "100", CREATION,   \
	  SERVED, "scale-flows",                                                                     \
	  "size of the connection table and of those that belong to it, in percent of the built-in " \
	  "size")

#define SETTINGS_OF_FILES(X)                                                                          \
	X(NODE_PORT_ADDRESSES, node_port_addresses, "nodePortAddresses", BLOCKS,                      \
	  "[CIDR, ...]|primary", "[]", EACH_LOAD, SERVED, NULL,                                       \
	  "addresses of this node that serve node ports: those in these blocks, or primary: the "     \
	  "InternalIPs of the Node object. A family without a block, as in an empty list: all; "      \
	  "loopback addresses never")                                                                 \
	X(SNAT_PORTS, snat_ports, "snatPorts", PORTS, "FIRST-LAST", "61000-65535", EACH_LOAD,         \
	  NOT_SERVED, NULL,                                                                           \
	  "client ports of translated connections, within 1024-65535; a range that overlaps "         \
	  "net.ipv4.ip_local_port_range may clash with the node's own connections")                   \
	X(SERVICE_PROXY_NAME, service_proxy_name, "serviceProxyName", LABEL, "NAME", "",              \
	  EACH_LOAD, NOT_SERVED, NULL,                                                                \
	  "serve only Services whose label service.kubernetes.io/service-proxy-name has this value; " \
	  "without it, only Services without that label")                                             \
	X(KEEP_ESTABLISHED, keep_established, "keepEstablished", FLAG, "true|false", "false",         \
	  EACH_LOAD, NOT_SERVED, NULL,                                                                \
	  "true: a connection that was allowed when it began goes on when policies change; false: "   \
	  "it ends with its next packet if they deny it now")                                         \
	X(OWN_NODE, own_node, "ownNode", WORD, "always|policy", "always", EACH_LOAD, NOT_SERVED,      \
	  NULL,                                                                                       \
	  "traffic from a pod to its own node: always: passes; policy: as egress policies say")

#define SETTINGS(X) SETTINGS_WITH_OPTION(X) SETTINGS_OF_FILES(X)

#define X_SETTING_ID(id, ...) SETTING_##id,
enum setting {
	SETTINGS(X_SETTING_ID) _SETTING_MAX,
};
#undef X_SETTING_ID

/* And the type of the member in struct settings (settings.h). */
enum setting_type {
	SETTING_TYPE_WORD, /* int: index in values */
	SETTING_TYPE_FLAG, /* bool */
	SETTING_TYPE_PERCENT, /* uint32_t, 1 or more */
	SETTING_TYPE_PEER_V4, /* struct weir_addr: a unicast address */
	SETTING_TYPE_PEER_V6,
	SETTING_TYPE_BLOCKS, /* struct setting_blocks */
	SETTING_TYPE_DEVICES, /* struct setting_devices */
	SETTING_TYPE_PORTS, /* struct setting_ports */
	SETTING_TYPE_CGROUP, /* const char *: "root", "none" or an absolute path */
	SETTING_TYPE_LABEL, /* const char *: a label's value, not empty; NULL: not given */
	_SETTING_TYPE_MAX,
};

struct setting_info {
	const char *key, *values, *otherwise;
	const char *option; /* or NULL */
	const char *text;
	enum setting_type type;
	bool fixed; /* when the maps are created */
	bool served;
	size_t offset; /* of the member in struct settings */
};

const struct setting_info *setting_info(enum setting id);
/* By its key, "hairpin.v4"; -1: there is none. */
int setting_find(const char *key);
/* Is key the beginning of others' keys, "hairpin"? */
bool setting_is_group(const char *key);
