// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See nft_rule.h. A rule is a list of expressions, each with a name and its data; a target of
 * iptables is one expression with the target's name in its data.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/nft_rule.h"

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static const struct nlattr *member(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static bool moves_destination(const char *name, const struct nlattr *data)
{
	static const char *const always[] = { "redir", "tproxy", NULL };
	static const char *const targets[] = { "DNAT", "REDIRECT", "TPROXY", NULL };
	const struct nlattr *attr;

	if (is_one_of(name, always))
		return true;
	if (!data)
		return false;
	if (!strcmp(name, "nat")) {
		attr = member(data, NFTA_NAT_TYPE);
		return attr && ntohl(mnl_attr_get_u32(attr)) == NFT_NAT_DNAT;
	}
	attr = strcmp(name, "target") ? NULL : member(data, NFTA_TARGET_NAME);
	return attr && is_one_of(mnl_attr_get_str(attr), targets);
}

bool nft_rule_moves_destination(const struct nlattr *expressions)
{
	const struct nlattr *expression;

	mnl_attr_for_each_nested(expression, expressions)
	{
		const struct nlattr *name = member(expression, NFTA_EXPR_NAME);

		if (name &&
		    moves_destination(mnl_attr_get_str(name), member(expression, NFTA_EXPR_DATA)))
			return true;
	}
	return false;
}
