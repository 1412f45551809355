// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What a loaded plan was made from. See origin.h. Written by this version for this version: a misfit is an error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "base/emit.h"
#include "base/file.h"
#include "inspect/origin.h"

char *origin_text(struct store *s, const struct plan_input *in, bool sandbox, const char **ret_refused)
{
	_cleanup_(mem_free) char *text = NULL;
	char addr[ADDR_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e = {};

	emit_open(&e, out);
	emit_document_begin(&e, "Objects");
	emit_text(&e, "node", in->node);
	emit_bool(&e, "sandbox", sandbox);
	emit_array(&e, "localAddresses");
	for (size_t i = 0; i < in->n_local_addrs; i++)
		emit_text(&e, NULL, addr_text(&in->local_addrs[i], addr));
	emit_array_end(&e);
	*ret_refused = store_emit_texts(s, &e);
	emit_document_end(&e);
	emit_close(&e);
	fclose(out);
	return *ret_refused ? NULL : TAKE_PTR(text);
}

static yajl_val member(yajl_val v, const char *key, yajl_type type)
{
	return v ? yajl_tree_get(v, (const char *[]){ key, NULL }, type) : NULL;
}

static const char *text_of(yajl_val v, const char *key)
{
	yajl_val m = member(v, key, yajl_t_string);

	return m ? YAJL_GET_STRING(m) : NULL;
}

static void read_addresses(yajl_val list, struct origin *o)
{
	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++) {
		const char *text = YAJL_GET_STRING(YAJL_GET_ARRAY(list)->values[i]);
		struct weir_addr a;

		if (text && !addr_parse(text, &a))
			*VEC_ADD(o->local, o->n_local, o->cap_local) = a;
	}
}

static void read_texts(yajl_val list, struct store *s)
{
	for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++) {
		yajl_val file = YAJL_GET_ARRAY(list)->values[i];
		const char *name = text_of(file, "name"), *text = text_of(file, "text");

		if (name && text)
			store_read_buffer(s, name, text, strlen(text));
	}
}

static int fill(yajl_val root, struct origin *o)
{
	const char *node = text_of(root, "node");

	if (!node || !member(root, "files", yajl_t_array))
		return -EINVAL;
	o->node = mem_strdup(node);
	o->sandbox = member(root, "sandbox", yajl_t_true);
	o->store = store_new();
	read_texts(member(root, "files", yajl_t_array), o->store);
	store_complete(o->store, STORE_ADMIT | (o->sandbox ? STORE_INVENT : 0));
	if (o->store->diags.errors)
		return -EINVAL;
	read_addresses(member(root, "localAddresses", yajl_t_array), o);
	return 0;
}

int origin_read(const char *path, struct origin *ret_origin, struct weir_err *err)
{
	_cleanup_(origin_free) struct origin o = {};
	_cleanup_(mem_free) char *text = file_text(path);
	yajl_val root = text ? yajl_tree_parse(text, NULL, 0) : NULL;
	int r;

	if (!text)
		return err_set(err, -ENOENT, "%s is not there or cannot be read", path);
	r = fill(root, &o);
	yajl_tree_free(root);
	if (r)
		return err_set(err, r, "%s does not say what it should: loading again writes it anew", path);
	*ret_origin = o;
	o = (struct origin){};
	return 0;
}

void origin_free(struct origin *o)
{
	store_free(&o->store);
	free(o->node);
	free(o->local);
	*o = (struct origin){};
}
