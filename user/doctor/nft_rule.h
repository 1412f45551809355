/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a rule of nftables does, from its netlink message. Private to this folder. */
#pragma once

#include <stdbool.h>

#include <libmnl/libmnl.h>

/* Does the rule (NFTA_RULE_EXPRESSIONS) give packets another destination? Also by iptables-nft. */
bool nft_rule_moves_destination(const struct nlattr *expressions);
