// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * N003, N008 and N018: the rulesets of nftables, including those that iptables-nft writes, read by
 * netlink: needs no nft program. Rules are counted, not evaluated: the check can't tell whether
 * they accept pods' traffic, and its text says so. A rule whose comment has the word "weir" settles
 * its chain. See device.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/nl.h"
#include "doctor/device.h"
#include "doctor/nft_rule.h"

#define NAME_LEN 64
#define READ_TRIES 4
#define NO_HOOK (-1)

struct chain {
	char table[NAME_LEN], name[NAME_LEN];
	uint8_t family; /* NFPROTO_* */
	bool drops_forward; /* base chain at the hook forward with policy drop */
	bool settled; /* a rule has the word "weir" */
	bool guards_overlay; /* a rule has the word "weir-overlay" */
	int hook; /* NF_INET_*, or NO_HOOK */
	unsigned int rules;
	unsigned int moving; /* rules that change destinations, without the word "weir" */
};

struct ruleset {
	struct chain *items;
	size_t n, cap;
};

static struct nlmsghdr *begin_dump(struct nl *nl, int message)
{
	struct nfgenmsg body = { .nfgen_family = NFPROTO_UNSPEC };

	return nl_begin(nl, NFNL_SUBSYS_NFTABLES << 8 | message, NLM_F_DUMP, &body, sizeof(body));
}

static void copy_name(char *to, const struct nlattr *attr)
{
	strncpy(to, mnl_attr_get_str(attr), NAME_LEN - 1);
}

static int hook_of(const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
			return ntohl(mnl_attr_get_u32(attr));
	}
	return NO_HOOK;
}

/* The hooks of other families have other numbers. */
static bool is_ip(const struct chain *c)
{
	return c->family == NFPROTO_INET || c->family == NFPROTO_IPV4 || c->family == NFPROTO_IPV6;
}

static int read_chain(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *body = mnl_nlmsg_get_payload(h);
	bool drop = false;
	struct ruleset *s = arg;
	struct chain *c = VEC_ADD(s->items, s->n, s->cap);
	const struct nlattr *attr;

	c->family = body->nfgen_family;
	c->hook = NO_HOOK;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			copy_name(c->table, attr);
			break;
		case NFTA_CHAIN_NAME:
			copy_name(c->name, attr);
			break;
		case NFTA_CHAIN_HOOK:
			c->hook = hook_of(attr);
			break;
		case NFTA_CHAIN_POLICY:
			drop = ntohl(mnl_attr_get_u32(attr)) == NF_DROP;
			break;
		}
	}
	c->drops_forward = c->hook == NF_INET_FORWARD && drop && is_ip(c);
	return MNL_CB_OK;
}

static struct chain *find_chain(struct ruleset *s, uint8_t family, const char *table,
				const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].family == family && !strcmp(s->items[i].table, table) &&
		    !strcmp(s->items[i].name, name))
			return &s->items[i];
	return NULL;
}

static bool has_word(const struct nlmsghdr *h, const char *word)
{
	return memmem(mnl_nlmsg_get_payload(h), mnl_nlmsg_get_payload_len(h), word, strlen(word));
}

static int read_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *body = mnl_nlmsg_get_payload(h);
	char table[NAME_LEN] = "", name[NAME_LEN] = "";
	const struct nlattr *attr;
	bool weir, moves = false;
	struct chain *c;

	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		if (mnl_attr_get_type(attr) == NFTA_RULE_TABLE)
			copy_name(table, attr);
		else if (mnl_attr_get_type(attr) == NFTA_RULE_CHAIN)
			copy_name(name, attr);
		else if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
			moves = nft_rule_moves_destination(attr);
	}
	c = find_chain(arg, body->nfgen_family, table, name);
	if (!c)
		return MNL_CB_OK;
	c->rules++;
	/* the comment is in nft's user data or in an expression of iptables: search all of it */
	weir = has_word(h, "weir");
	c->settled = c->settled || weir;
	c->guards_overlay = c->guards_overlay || has_word(h, "weir-overlay");
	c->moving += moves && !weir;
	return MNL_CB_OK;
}

static const char *nft_family(uint8_t family)
{
	return family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV6 ? "ip6" : "ip";
}

static void forward_drops(struct doctor *d, const struct chain *c)
{
	struct finding *f =
		finding_add(d->f, FINDING_N003, c->rules ? SEVERITY_WARNING : SEVERITY_ERROR);
	const char *where =
		arena_printf(&d->f->arena, "%s %s %s", nft_family(c->family), c->table, c->name);

	f->text = arena_printf(
		&d->f->arena, "chain %s drops by default: %s", where,
		c->rules ? "traffic between pods and other hosts passes only if its rules accept it"
			 : "it has no rules, so pods can reach only this node and its pods");
	f->evidence = arena_printf(&d->f->arena, "hook forward, policy drop, %u rules", c->rules);
	f->fix = arena_printf(
		&d->f->arena,
		"nft 'add rule %s %s saddr POD-CIDR accept comment \"weir\"', and the same with daddr",
		where, c->family == NFPROTO_IPV6 ? "ip6" : "ip");
}

static bool is_kube_proxys(const struct chain *c)
{
	return !strcmp(c->table, "kube-proxy") || !strncmp(c->name, "KUBE-SVC-", 9) ||
	       !strncmp(c->name, "KUBE-SEP-", 9) || !strcmp(c->name, "KUBE-SERVICES") ||
	       !strcmp(c->name, "KUBE-NODEPORTS");
}

static void check_leftovers(struct doctor *d, const struct ruleset *s)
{
	const struct chain *first = NULL;
	unsigned int n = 0;
	struct finding *f;

	for (size_t i = 0; i < s->n; i++)
		if (is_kube_proxys(&s->items[i])) {
			first = first ? first : &s->items[i];
			n++;
		}
	if (!n)
		return;
	f = finding_add(d->f, FINDING_N008, SEVERITY_WARNING);
	f->text =
		"rules of kube-proxy are still installed: they translate traffic that Weir leaves to the stack, and become stale";
	f->evidence = arena_printf(&d->f->arena, "%u chains, the first: %s %s %s", n,
				   nft_family(first->family), first->table, first->name);
	f->fix = "kube-proxy --cleanup, once no kube-proxy runs on this node";
}

/* A chain that pods' packets can reach: hooked at prerouting, or called from one that may be. */
static bool sees_pods(const struct ruleset *s, const struct chain *c)
{
	if (c->hook != NO_HOOK)
		return c->hook == NF_INET_PRE_ROUTING;
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].hook == NF_INET_PRE_ROUTING && s->items[i].family == c->family &&
		    !strcmp(s->items[i].table, c->table))
			return true;
	return false;
}

static void check_destinations(struct doctor *d, const struct ruleset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct chain *c = &s->items[i];
		struct finding *f;

		if (!c->moving || !is_ip(c) || is_kube_proxys(c) || !sees_pods(s, c))
			continue;
		f = finding_add(d->f, FINDING_N018, SEVERITY_WARNING);
		f->text = arena_printf(
			&d->f->arena,
			"chain %s %s %s changes destinations after egress policies judged the written ones: an allowed packet of a pod may go where its policies deny it",
			nft_family(c->family), c->table, c->name);
		f->evidence = arena_printf(&d->f->arena, "%u rules with DNAT, REDIRECT or TPROXY",
					   c->moving);
		f->fix =
			"limit the rules to packets that are not from pods (ip saddr != POD-CIDR), and give each a comment with the word weir: doctor does not report those";
	}
}

/*
 * A kernel without nf_tables has no rules: netlink lacks the protocol (EPROTONOSUPPORT) or the
 * subsystem (EINVAL).
 */
static int read_once(struct ruleset *s)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = nl_open_own(NETLINK_NETFILTER, &nl, NULL);

	if (r)
		return r == -EPROTONOSUPPORT ? 0 : r;
	r = nl_talk(nl, begin_dump(nl, NFT_MSG_GETCHAIN), read_chain, s);
	if (r == -EINVAL && !s->n)
		return 0;
	return r || !s->n ? r : nl_talk(nl, begin_dump(nl, NFT_MSG_GETRULE), read_rule, s);
}

/*
 * EINTR: rules changed during the dump. Each try opens a new socket, so the rest of an interrupted
 * dump is discarded.
 */
static int read_rulesets(struct ruleset *s, struct weir_err *err)
{
	int r = -EINTR;

	for (int i = 0; i < READ_TRIES && r == -EINTR; i++) {
		free(s->items);
		*s = (struct ruleset){};
		r = read_once(s);
	}
	return r ? err_set(err, r, "read the rulesets of nftables: %s (%s)", strerror(-r),
			   err_name(r))
		 : 0;
}

int check_rulesets(struct doctor *d, struct weir_err *err)
{
	struct ruleset s = {};
	int r = read_rulesets(&s, err);

	if (r) {
		free(s.items);
		return r;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.items[i].drops_forward && !s.items[i].settled) {
			forward_drops(d, &s.items[i]);
			d->forward6_drops = d->forward6_drops || s.items[i].family != NFPROTO_IPV4;
		}
	for (size_t i = 0; i < s.n; i++)
		d->overlay_settled = d->overlay_settled || s.items[i].guards_overlay;
	check_leftovers(d, &s);
	check_destinations(d, &s);
	free(s.items);
	return 0;
}
