// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See check.h. */
#include <stdlib.h>
#include <string.h>

#include "kube/check.h"

#define LABEL_MAX 63
#define NAME_MAX_LEN 253
#define PORT_NAME_MAX 15
#define CRON_JOB_NAME_MAX 52

static const char lower_alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char any_alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* The first and last of len bytes are in alnum, those between in alnum or extra. */
static bool is_token(const char *text, size_t len, const char *alnum, const char *extra)
{
	if (!len || !strchr(alnum, text[0]) || !strchr(alnum, text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr(alnum, text[i]) && !strchr(extra, text[i]))
			return false;
	return true;
}

bool check_dns_label(const char *text)
{
	size_t len = strlen(text);

	return len <= LABEL_MAX && is_token(text, len, lower_alnum, "-");
}

/* As the API server checks a subdomain: the length of a single label is not limited. */
static bool is_dns_name(const char *text, size_t len)
{
	size_t part;

	if (!len || len > NAME_MAX_LEN)
		return false;
	for (const char *p = text; p <= text + len; p += part + 1) {
		const char *dot = memchr(p, '.', text + len - p);

		part = dot ? (size_t)(dot - p) : (size_t)(text + len - p);
		if (!is_token(p, part, lower_alnum, "-"))
			return false;
	}
	return true;
}

bool check_dns_name(const char *text)
{
	return is_dns_name(text, strlen(text));
}

bool check_job_name(const char *text)
{
	return strlen(text) <= LABEL_MAX && check_dns_name(text);
}

bool check_cron_job_name(const char *text)
{
	return strlen(text) <= CRON_JOB_NAME_MAX && check_dns_name(text);
}

bool check_label_key(const char *text)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;
	size_t len = strlen(name);

	if (slash && !is_dns_name(text, slash - text))
		return false;
	return len <= LABEL_MAX && is_token(name, len, any_alnum, "-_.");
}

bool check_label_value(const char *text)
{
	size_t len = strlen(text);

	return !len || (len <= LABEL_MAX && is_token(text, len, any_alnum, "-_."));
}

bool check_port_name(const char *text)
{
	size_t len = strlen(text);

	return len <= PORT_NAME_MAX && is_token(text, len, lower_alnum, "-") &&
	       !strstr(text, "--") && strpbrk(text, "abcdefghijklmnopqrstuvwxyz");
}

struct kube_labels check_labels(const struct field *map, const char *replaced)
{
	size_t n = field_count(map);
	struct kube_labels labels = { .items = arena_zalloc(map->d->arena,
							    n * sizeof(*labels.items)) };

	for (size_t i = 0; i < n; i++) {
		struct field f = field_pair(map, i);
		const char *value = field_text(&f, "");

		if (!check_label_key(f.key))
			field_error(&f, KUBE_E_LABEL,
				    "\"%.80s\" is not a label key: " CHECK_LABEL_KEY_TEXT, f.key);
		else if (!check_label_value(value) && !(replaced && !strcmp(f.key, replaced)))
			field_error(&f, KUBE_E_LABEL,
				    "\"%.80s\" is not a label value: " CHECK_LABEL_TEXT, value);
		labels.items[labels.n++] =
			(struct kube_label){ arena_strdup(map->d->arena, f.key), value };
	}
	return labels;
}

struct keyed {
	const char *text;
	size_t index;
};

static int by_text(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void check_unique(const struct field *list, const char *key, const char *what, bool may_lack)
{
	size_t n = field_count(list), found = 0;
	_cleanup_(mem_free) struct keyed *texts = mem_zalloc(n * sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		const struct doc_node *item = list->node->items[i];
		const struct doc_node *value = item->type == DOC_MAP ? doc_get(item, key) : NULL;
		const char *text = value && value->type == DOC_STRING ? value->text : "";
		bool fits = item->type == DOC_MAP || item->type == DOC_NULL;

		if (fits && (*text || !may_lack))
			texts[found++] = (struct keyed){ text, i };
	}
	qsort(texts, found, sizeof(*texts), by_text);
	for (size_t i = 1; i < found; i++) {
		struct field item = field_item(list, texts[i].index), f = field_at(&item, key);

		if (!strcmp(texts[i].text, texts[i - 1].text))
			field_error(&f, KUBE_E_REPEATED, "%s \"%.80s\" is given twice", what,
				    texts[i].text);
	}
}

void check_unique_at(const struct field *list, const char *key, const char *what)
{
	check_unique(list, key, what, false);
}

void check_unique_named_at(const struct field *list, const char *key, const char *what)
{
	check_unique(list, key, what, true);
}

uint16_t check_port_at(const struct field *up, const char *key)
{
	struct field f = field_at(up, key);

	if (field_given(&f))
		return field_number(&f, 1, KUBE_PORT_MAX, 0);
	field_error(&f, KUBE_E_REQUIRED, "required: an integer from 1 to %d", KUBE_PORT_MAX);
	return 0;
}

static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };

int check_protocol_at(const struct field *up, const char *key)
{
	return proto_parse(protocols[field_word_at(up, key, protocols, 0)]);
}

int check_protocol_given_at(const struct field *up, const char *key)
{
	return proto_parse(protocols[field_word_given_at(up, key, protocols, 0)]);
}

void check_taint_effect(const struct field *f, const char *effect)
{
	if (*effect && strcmp(effect, "NoSchedule") && strcmp(effect, "PreferNoSchedule") &&
	    strcmp(effect, "NoExecute"))
		field_error(f, KUBE_E_VALUE,
			    "expected NoSchedule, PreferNoSchedule or NoExecute, found \"%.80s\"",
			    effect);
}

bool check_addr(const struct field *f, struct weir_addr *ret_addr)
{
	const char *text = field_raw(f, NULL);

	if (!text)
		return false;
	if (!addr_parse(text, ret_addr))
		return true;
	field_error(f, KUBE_E_ADDRESS, "expected an IPv4 or IPv6 address, found %s",
		    field_quoted(f));
	return false;
}

/* NULL: an ordinary address. */
static const char *special_kind(const struct weir_addr *a)
{
	static const struct {
		const char *block, *what;
	} special[] = {
		{ "0.0.0.0/32", "unspecified" },
		{ "::/128", "unspecified" },
		{ "127.0.0.0/8", "a loopback address" },
		{ "::1/128", "a loopback address" },
		{ "169.254.0.0/16", "link-local" },
		{ "fe80::/10", "link-local" },
		{ "224.0.0.0/24", "link-local multicast" },
	};
	struct cidr block;

	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (!cidr_parse(special[i].block, &block) && cidr_holds(&block, a))
			return special[i].what;
	/* the low half of the second byte is the scope */
	return a->b[0] == 0xff && (a->b[1] & 0x0f) == 2 ? "link-local multicast" : NULL;
}

bool check_sendable(const struct field *f, const struct weir_addr *a, const char *what_for)
{
	const char *what = special_kind(a);

	if (what)
		field_error(f, KUBE_E_ADDRESS, "%s is %s and cannot be an %s", field_quoted(f),
			    what, what_for);
	return !what;
}

bool check_cidr(const struct field *f, struct cidr *ret_cidr)
{
	const char *text = field_raw(f, NULL);

	if (!text)
		return false;
	if (!strpbrk(text, " \t\r\n") && !cidr_parse(text, ret_cidr))
		return true;
	field_error(f, KUBE_E_CIDR, "expected a block like 10.0.0.0/8 or 2001:db8::/32, found %s",
		    field_quoted(f));
	return false;
}

int check_int_or_name(const struct field *f, uint16_t *ret_port, const char **ret_name)
{
	const char *name;

	if (!f->node)
		return 0;
	if (f->node->type != DOC_STRING) {
		*ret_port = field_number(f, 1, KUBE_PORT_MAX, 0);
		return *ret_port ? 1 : 0;
	}
	name = f->node->text;
	if (check_port_name(name)) {
		*ret_name = arena_strdup(f->d->arena, name);
		return 2;
	}
	if (*name && !name[strspn(name, "0123456789")])
		field_error(f, KUBE_E_PORT_NAME,
			    "expected a port number or name, found %s: remove the quotes",
			    field_found(f));
	else
		field_error(
			f, KUBE_E_PORT_NAME,
			"expected a port number or name, found %s: a name is at most %d of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row",
			field_quoted(f), PORT_NAME_MAX);
	return 0;
}
