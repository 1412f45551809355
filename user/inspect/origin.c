// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Writes and reads the file of objects that a plan was compiled from. See origin.h. The format is
 * private to one version: a mismatch is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/file.h"
#include "base/json.h"
#include "inspect/origin.h"

static void emit_node_ports(struct emit *e, const struct plan_node_ports *p)
{
	char text[ADDR_TEXT_MAX];

	emit_bool(e, "nodePortsPrimary", p->primary);
	emit_array(e, "nodePortBlocks");
	for (size_t i = 0; i < p->n_blocks; i++)
		emit_text(e, NULL, cidr_text(&p->blocks[i], text));
	emit_array_end(e);
}

char *origin_text(struct store *s, const struct plan_input *in, bool sandbox,
		  const char **ret_refused)
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
	emit_node_ports(&e, &in->node_ports);
	*ret_refused = store_emit_source_text(s, &e);
	emit_document_end(&e);
	emit_close(&e);
	fclose(out);
	return *ret_refused ? NULL : TAKE_PTR(text);
}

static void read_addresses(struct json_value list, struct origin *o)
{
	struct weir_addr a;

	for (size_t i = 0; i < json_count(list); i++)
		if (!addr_parse(json_item_text(list, i), &a))
			*VEC_ADD(o->local, o->n_local, o->cap_local) = a;
}

static void read_node_ports(struct json_value root, struct plan_node_ports *ret_ports)
{
	struct json_value list = json_list(root, "nodePortBlocks");
	struct cidr *blocks = mem_zalloc((json_count(list) + 1) * sizeof(*blocks));

	*ret_ports = (struct plan_node_ports){ .primary = json_flag(root, "nodePortsPrimary"),
					       .blocks = blocks };
	for (size_t i = 0; i < json_count(list); i++)
		ret_ports->n_blocks +=
			!cidr_parse(json_item_text(list, i), &blocks[ret_ports->n_blocks]);
}

static void read_texts(struct json_value list, struct store *s)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const char *text = json_text(json_item(list, i), "text");

		store_read_buffer(s, json_text(json_item(list, i), "name"), text, strlen(text));
	}
}

static int fill(struct json_value root, struct origin *o)
{
	o->node = mem_strdup(json_text(root, "node"));
	o->sandbox = json_flag(root, "sandbox");
	o->store = store_new();
	read_texts(json_list(root, "files"), o->store);
	store_apply_defaults(o->store, STORE_ADMIT | (o->sandbox ? STORE_ASSIGN : 0));
	read_addresses(json_list(root, "localAddresses"), o);
	read_node_ports(root, &o->node_ports);
	return o->store->diags.errors ? -EINVAL : root.doc->r;
}

int origin_read(const char *path, struct origin *ret_origin, struct weir_err *err)
{
	_cleanup_(origin_free) struct origin o = {};
	_cleanup_(mem_free) char *text = file_text(path);
	_cleanup_(json_close) struct json doc = {};

	if (!text)
		return err_set(err, -ENOENT, "%s is missing or unreadable", path);
	if (json_open(&doc, path, text, "Objects", NULL) || fill(json_root(&doc), &o))
		return err_set(err, -EINVAL, "%s is not valid: run 'weir load' again to rewrite it",
			       path);
	*ret_origin = o;
	o = (struct origin){};
	return 0;
}

void origin_read_local(const char *path, struct weir_addr **ret_addrs, size_t *ret_n)
{
	_cleanup_(mem_free) char *text = file_text(path);
	_cleanup_(json_close) struct json doc = {};
	struct origin o = {};

	if (text && !json_open(&doc, path, text, "Objects", NULL) &&
	    !json_flag(json_root(&doc), "sandbox"))
		read_addresses(json_list(json_root(&doc), "localAddresses"), &o);
	*ret_addrs = o.local;
	*ret_n = o.n_local;
}

void origin_free(struct origin *o)
{
	store_free(&o->store);
	free(o->node);
	free(o->local);
	free((void *)o->node_ports.blocks);
	*o = (struct origin){};
}
