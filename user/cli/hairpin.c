// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The reserved addresses of hairpin traffic, as options. See hairpin.h. */
#include "cli/hairpin.h"

#include "base/addr.h"
#include "base/mem.h"
#include "cli/output.h"
#include "cli/talk.h"

/* Never a unicast peer, or dropped when a packet is parsed. */
static bool is_unusable(const struct weir_addr *addr)
{
	static const char *const blocks[] = { "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3",
					      "::/127",    "fe80::/10",   "ff00::/8" };
	struct cidr cidr;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (!cidr_parse(blocks[i], &cidr) && cidr_holds(&cidr, addr))
			return true;
	return false;
}

/* What the address is in the plan, or NULL. */
static const char *use_of(const struct plan *p, const struct weir_addr *addr)
{
	for (size_t i = 0; i < p->n_addresses; i++)
		if (p->addresses[i].pod && weir_addr_equal(&p->addresses[i].cidr.addr, addr))
			return "a pod";
	for (size_t i = 0; i < p->n_pod_addrs; i++)
		if (weir_addr_equal(&p->pod_addrs[i].addr, addr))
			return "a pod";
	for (size_t i = 0; i < p->n_frontends; i++)
		if (weir_addr_equal(&p->frontends[i].addr, addr))
			return "a Service";
	for (size_t i = 0; i < p->n_backends; i++)
		if (weir_addr_equal(&p->backends[i].addr, addr))
			return "an endpoint";
	for (size_t i = 0; i < p->n_node_addrs; i++)
		if (weir_addr_equal(&p->node_addrs[i].addr, addr))
			return "a node";
	return NULL;
}

int hairpin_read(const char *const text[2], const struct plan *p, struct weir_addr ret_addr[2])
{
	for (int family = 0; family < 2; family++) {
		const int v = family ? 6 : 4;
		struct weir_addr addr;
		const char *use;

		if (!text[family])
			continue;
		if (addr_parse(text[family], &addr) || addr_family(&addr) != family)
			return cli_fail(EXIT_USAGE,
					"load: --hairpin-v%d: '%s' is not an %s address", v,
					text[family], family_text(family));
		if (is_unusable(&addr))
			return cli_fail(
				EXIT_USAGE,
				"load: --hairpin-v%d: %s cannot be a peer: give a unicast address that "
				"nothing uses, such as %s",
				v, text[family], family ? "fd77:6569:722d::65" : "169.254.77.101");
		use = use_of(p, &addr);
		if (use)
			return cli_fail(
				EXIT_USAGE,
				"load: --hairpin-v%d: %s is the address of %s: give one that nothing uses",
				v, text[family], use);
		ret_addr[family] = addr;
	}
	return EXIT_OK;
}
