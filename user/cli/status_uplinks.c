// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See status_uplinks.h. An ifindex is looked up in the namespace of the caller, as attach does. */
#include <net/if.h>
#include <stdio.h>

#include <bpf/bpf.h>

#include "attach/attach.h"
#include "base/addr.h"
#include "cli/status_uplinks.h"

/* "#7" for a device that is gone. Returns buf. */
static const char *device_name(uint32_t ifindex, char buf[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE, "#%u", ifindex);
	return buf;
}

static void print_uplink(const struct live *l, uint32_t ifindex, const struct style *out)
{
	const char *missing[_WEIR_PROGRAM_MAX];
	char name[IF_NAMESIZE], text[ADDR_TEXT_MAX];
	struct weir_uplink uplink = {};
	size_t n = attach_missing(l->node, ATTACH_UPLINK, ifindex, missing);

	bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_uplinks), &ifindex, &uplink);
	fputs(device_name(ifindex, name), stdout);
	for (int f = 0; f < 2; f++)
		if (!weir_addr_is_zero(&uplink.addr[f]))
			printf(" %s", addr_text(&uplink.addr[f], text));
	for (size_t i = 0; i < n; i++)
		printf(" %s%s is not attached%s", tone_on(out, TONE_BAD), missing[i],
		       tone_off(out, TONE_BAD));
}

void status_uplinks_print(const struct live *l, const struct style *out)
{
	int fd = node_map_fd(l->node, WEIR_MAP_uplinks);
	const char *between = "";
	uint32_t ifindex;

	printf("uplinks       ");
	live_each_key(fd, &ifindex)
	{
		fputs(between, stdout);
		print_uplink(l, ifindex, out);
		between = ", ";
	}
	puts(*between ? "" : "none: clients outside are not served");
}

static void emit_uplink(struct emit *e, const struct live *l, uint32_t ifindex)
{
	const char *missing[_WEIR_PROGRAM_MAX];
	char name[IF_NAMESIZE], text[ADDR_TEXT_MAX];
	struct weir_uplink uplink = {};
	size_t n = attach_missing(l->node, ATTACH_UPLINK, ifindex, missing);

	bpf_map_lookup_elem(node_map_fd(l->node, WEIR_MAP_uplinks), &ifindex, &uplink);
	emit_map(e, NULL);
	emit_text(e, "device", device_name(ifindex, name));
	emit_int(e, "ifindex", ifindex);
	emit_array(e, "addresses");
	for (int f = 0; f < 2; f++)
		if (!weir_addr_is_zero(&uplink.addr[f]))
			emit_text(e, NULL, addr_text(&uplink.addr[f], text));
	emit_array_end(e);
	emit_array(e, "missing");
	for (size_t i = 0; i < n; i++)
		emit_text(e, NULL, missing[i]);
	emit_array_end(e);
	emit_map_end(e);
}

void status_uplinks_emit(struct emit *e, const struct live *l)
{
	int fd = node_map_fd(l->node, WEIR_MAP_uplinks);
	uint32_t ifindex;

	emit_array(e, "uplinks");
	live_each_key(fd, &ifindex)
	{
		emit_uplink(e, l, ifindex);
	}
	emit_array_end(e);
}
