// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads a configuration file over the defaults, key by key by the table of keys.h, and options over
 * both. See settings.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "kube/field.h"
#include "settings/values.h"

static void *value_of(struct settings *s, const struct setting_info *info)
{
	return (char *)s + info->offset;
}

/* ---- Defaults and options: values as text ---- */

static struct doc_node node_of(const struct setting_info *info, const char *text)
{
	struct doc_node n = { .type = DOC_STRING, .text = text };

	if (info->type == SETTING_TYPE_PERCENT) {
		n.type = DOC_INT;
		n.number = strtoll(text, NULL, 10);
	} else if (info->type == SETTING_TYPE_FLAG) {
		n.type = DOC_BOOL;
		n.number = !strcmp(text, "true");
	}
	return n;
}

static bool set_node(struct settings *s, const struct setting_info *info, struct doc_node *node,
		     struct diag_list *diags)
{
	struct decode d = { .diags = diags, .arena = &s->arena };
	struct field f = field_root(&d, node);

	return setting_value_read(&f, info, value_of(s, info));
}

static bool set_text(struct settings *s, const struct setting_info *info, const char *text,
		     struct diag_list *diags)
{
	struct doc_node node = node_of(info, text);

	return set_node(s, info, &node, diags);
}

/* Zero is the default of a list, and of a text without one. */
void settings_init(struct settings *s)
{
	struct diag_list none = {};

	*s = (struct settings){};
	for (int id = 0; id < _SETTING_MAX; id++) {
		const struct setting_info *info = setting_info(id);

		if (*info->otherwise && *info->otherwise != '[')
			set_text(s, info, info->otherwise, &none);
	}
	diag_free(&none);
}

void settings_free(struct settings *s)
{
	arena_free(&s->arena);
	*s = (struct settings){};
}

static int taken(struct settings *s, enum setting id, bool good, struct diag_list *diags,
		 struct weir_err *err)
{
	int r = 0;

	if (good)
		s->source[id] = (struct setting_source){ .origin = SETTING_BY_OPTION };
	else
		r = err_set(err, -EINVAL, "--%s: %s", setting_info(id)->option,
			    diags->items[0].message);
	diag_free(diags);
	return r;
}

int settings_option(struct settings *s, enum setting id, const char *text, struct weir_err *err)
{
	struct diag_list diags = {};
	bool good = set_text(s, setting_info(id), text, &diags);

	return taken(s, id, good, &diags, err);
}

int settings_option_list(struct settings *s, enum setting id, const char *const *texts, size_t n,
			 struct weir_err *err)
{
	struct doc_node *nodes = arena_zalloc(&s->arena, n * sizeof(*nodes));
	struct doc_node **items = arena_zalloc(&s->arena, n * sizeof(*items));
	struct doc_node list = { .type = DOC_LIST, .items = items, .n_items = n };
	struct diag_list diags = {};
	bool good;

	for (size_t i = 0; i < n; i++) {
		nodes[i] = (struct doc_node){ .type = DOC_STRING, .text = texts[i] };
		items[i] = &nodes[i];
	}
	good = set_node(s, setting_info(id), &list, &diags);
	return taken(s, id, good, &diags, err);
}

char *setting_text(const struct settings *s, enum setting id)
{
	const struct setting_info *info = setting_info(id);

	return setting_value_text(info, (const char *)s + info->offset);
}

/* ---- A file ---- */

struct reading {
	struct settings *s;
	struct decode d;
	size_t documents;
};

static void report(struct reading *r, const struct doc_pair *pair, enum kube_code code,
		   const char *key, const char *message)
{
	struct src src = { r->d.file, pair->line, pair->col };

	diag_add(r->d.diags, DIAG_ERROR, kube_code_text(code), &src, NULL, key, "%s", message);
}

static void read_setting(struct reading *r, enum setting id, const struct field *f,
			 const struct doc_pair *pair)
{
	const struct setting_info *info = setting_info(id);

	if (!field_given(f) || !setting_value_read(f, info, value_of(r->s, info)))
		return;
	r->s->source[id] = (struct setting_source){
		.origin = SETTING_BY_FILE,
		.src = { r->d.file, pair->line, pair->col },
	};
	if (!info->served)
		report(r, pair, KUBE_E_NOT_SERVED, info->key,
		       "not served yet: it would have no effect; leave it out");
}

/* The words that may stand at one level, each once: prefix "" or "hairpin.". */
static size_t known_words(const char *prefix, struct arena *arena, const char *words[_SETTING_MAX])
{
	size_t len = strlen(prefix), n = 0;

	for (int id = 0; id < _SETTING_MAX; id++) {
		const char *key = setting_info(id)->key;

		if (strncmp(key, prefix, len))
			continue;
		words[n] = arena_strndup(arena, key + len, strcspn(key + len, "."));
		if (!n || strcmp(words[n], words[n - 1]))
			n++;
	}
	return n;
}

static void refuse_unknown(struct reading *r, const struct doc_pair *pair, const char *prefix,
			   const char *key)
{
	_cleanup_(arena_free) struct arena arena = {};
	const char *words[_SETTING_MAX], *near, *list = "";
	size_t n = known_words(prefix, &arena, words);

	near = near_word(pair->key, words, n);
	for (size_t i = 0; i < n; i++)
		list = arena_printf(&arena, "%s%s%s", list, i ? ", " : "", words[i]);
	report(r, pair, KUBE_E_UNKNOWN_KEY, key,
	       near ? arena_printf(&arena, "unknown key; did you mean %s?", near)
		    : arena_printf(&arena, "unknown key; there are %s", list));
}

/* Goes down no deeper than the keys of the table. */
static void read_map(struct reading *r, const struct field *map, const char *prefix)
{
	for (size_t i = 0; i < field_count(map); i++) {
		const struct doc_pair *pair = &map->node->pairs[i];
		_cleanup_(mem_free) char *key = mem_printf("%s%s", prefix, pair->key);
		_cleanup_(mem_free) char *below = mem_printf("%s.", key);
		struct field f = field_pair(map, i);
		int id = strchr(pair->key, '.') ? -1 : setting_find(key);

		if (id >= 0) {
			read_setting(r, id, &f, pair);
		} else if (setting_is_group(key)) {
			f = field_map(map, pair->key);
			read_map(r, &f, below);
		} else {
			refuse_unknown(r, pair, prefix, key);
		}
	}
}

static void on_document(const struct doc_node *root, void *arg)
{
	struct reading *r = arg;
	struct field f = field_root(&r->d, root);

	if (r->documents++)
		field_error(&f, KUBE_E_TOO_MANY,
			    "a second document: write all keys into one, without ---");
	else if (root->type != DOC_MAP)
		field_error(&f, KUBE_E_TYPE, "expected a mapping of keys to values, found %s",
			    field_found(&f));
	else
		read_map(r, &f, "");
}

static void on_error(const struct doc_error *e, void *arg)
{
	struct reading *r = arg;
	struct src src = { r->d.file, e->line, e->col };

	diag_add(r->d.diags, e->warning ? DIAG_WARNING : DIAG_ERROR,
		 e->warning ? NULL : kube_code_text(e->code), &src, NULL, NULL, "%s", e->text);
}

void settings_read(struct settings *s, const char *file, const char *data, size_t len,
		   struct diag_list *diags)
{
	struct reading r = {
		.s = s,
		.d = { .diags = diags, .arena = &s->arena, .file = arena_strdup(&s->arena, file) },
	};

	doc_read(data, len, on_document, on_error, &r);
}

void settings_check_ports(const struct settings *s, const struct setting_ports *local,
			  struct diag_list *diags)
{
	const struct setting_ports *ports = &s->snat_ports;

	if (!setting_given(s, SETTING_SNAT_PORTS) || ports->last < local->first ||
	    local->last < ports->first)
		return;
	diag_add(
		diags, DIAG_WARNING, NULL, &s->source[SETTING_SNAT_PORTS].src, NULL,
		setting_info(SETTING_SNAT_PORTS)->key,
		"%u-%u overlaps net.ipv4.ip_local_port_range, %u-%u: connections of the node itself "
		"may clash; take ports outside of it",
		ports->first, ports->last, local->first, local->last);
}
