// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads manifests into the store: files, folders, stdin. The only file of user/kube that accesses
 * the file system.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/decode.h"
#include "kube/ineffective.h"
#include "kube/limits.h"
#include "kube/other_files.h"
#include "kube/store_private.h"

#define READ_CHUNK ((size_t)64 << 10)

/* ---- One buffer ---- */

struct reading {
	struct store *store;
	const char *file;
	struct decode_sink sink;
};

/* No two are equal, and the same input gives the same names. */
static void name_generated(struct store_private *p, struct kube_meta *m)
{
	static const char letters[] = KUBE_GENERATED_LETTERS;
	char suffix[] = KUBE_GENERATED_SAMPLE;
	size_t number = p->generated++;

	for (size_t i = strlen(suffix); i; i--, number /= strlen(letters))
		suffix[i - 1] = letters[number % strlen(letters)];
	m->name = arena_printf(&m->arena, "%s%s", m->generate, suffix);
	if (m->kind == KUBE_NAMESPACE)
		decode_set_label(&m->arena, &m->labels, KUBE_NAMESPACE_LABEL, m->name);
}

static void keep_object(struct kube_meta *m, void *arg)
{
	struct reading *r = arg;

	if (m->generate)
		name_generated(r->store->priv, m);
	store_add(r->store, m);
}

/* Also a SecretList, and one that is misspelt. */
static bool is_secret(const char *kind, const char *misspelt)
{
	return !strncasecmp(kind, "Secret", 6) ||
	       (misspelt && strstr(misspelt, "did you mean Secret?"));
}

static void note_unknown(const char *api_version, const char *kind, const struct src *src,
			 const struct src *kind_src, void *arg)
{
	_cleanup_(mem_free) char *text = mem_printf("%s %s", api_version, kind);
	_cleanup_(mem_free) char *misspelt = misspelt_kind(api_version, kind);
	struct reading *r = arg;
	struct store_private *p = r->store->priv;

	if (is_secret(kind, misspelt))
		*VEC_ADD(p->secrets, p->n_secrets, p->cap_secrets) = *src;
	if (misspelt) {
		diag_add_grouped(&p->groups, &r->store->diags, text,
				 &(struct diag){ .level = DIAG_WARNING,
						 .src = *kind_src,
						 .message = misspelt });
		return;
	}
	if (!store_seen_add(&p->unknown_kinds, text))
		return;
	diag_add(&r->store->diags, DIAG_NOTE, NULL, src, NULL, NULL,
		 "ignored: Weir does not read kind %.80s (%.80s); further ones are not reported",
		 kind, api_version);
}

static void on_document(const struct doc_node *root, void *arg)
{
	struct reading *r = arg;

	decode_document(root, r->file, &r->sink);
}

static void on_error(const struct doc_error *e, void *arg)
{
	struct reading *r = arg;
	struct src src = { r->file, e->line, e->col };

	diag_add(&r->store->diags, e->warning ? DIAG_WARNING : DIAG_ERROR,
		 e->warning ? NULL : kube_code_text(e->code), &src, NULL, NULL, "%s", e->text);
}

/* One error for all templates of a chart. */
static void add_template_error(struct store *s, const struct src *src)
{
	_cleanup_(mem_free) char *chart = template_chart(src->file);
	_cleanup_(mem_free) char *key = mem_printf("template %s", chart);
	_cleanup_(mem_free) char *text = mem_printf(
		"a Helm template that is not rendered: run helm template %s | weir VERB -f -",
		chart);

	diag_add_grouped(&s->priv->groups, &s->diags, key,
			 &(struct diag){ .level = DIAG_ERROR,
					 .code = (char *)kube_code_text(KUBE_E_TEMPLATE),
					 .src = *src,
					 .message = text });
}

static bool has_syntax_error(const struct diag_list *diags, size_t from)
{
	for (size_t i = from; i < diags->n; i++)
		if (diags->items[i].code &&
		    !strcmp(diags->items[i].code, kube_code_text(KUBE_E_SYNTAX)))
			return true;
	return false;
}

/* from: number of diagnostics before this file. Braces are only to blame where something fails. */
static void blame_template(struct store *s, size_t from, size_t errors, const char *data,
			   size_t len)
{
	struct src src = { .file = s->priv->files[s->priv->n_files - 1] };

	if (s->diags.errors == errors)
		return;
	if (!template_find(data, len, true, &src.line, &src.col) &&
	    !(has_syntax_error(&s->diags, from) &&
	      template_find(data, len, false, &src.line, &src.col)))
		return;
	diag_groups_drop(&s->priv->groups, from);
	diag_drop(&s->diags, from);
	add_template_error(s, &src);
}

void store_read_buffer(struct store *s, const char *name, const char *data, size_t len)
{
	char *file = mem_strdup(name);
	struct reading r = { .store = s, .file = file };
	size_t diags = s->diags.n, errors = s->diags.errors;

	*VEC_ADD(s->priv->files, s->priv->n_files, s->priv->cap_files) = file;
	if (s->keep_source_text)
		store_keep_source_text(s, data, len);
	r.sink = (struct decode_sink){ &s->diags, &s->priv->groups, keep_object, note_unknown, &r };
	doc_read(data, len, on_document, on_error, &r);
	blame_template(s, diags, errors, data, len);
}

/* ---- Files and folders ---- */

/* Reads to the end; also pipes, whose size is not known. */
static int read_all(int fd, char **ret_data, size_t *ret_len)
{
	_cleanup_(mem_free) char *data = NULL;
	size_t len = 0, cap = 0;
	ssize_t n;

	do {
		if (len == KUBE_FILE_MAX)
			return -EFBIG;
		data = mem_grow(data, &cap, len + READ_CHUNK, 1);
		n = read(fd, data + len,
			 READ_CHUNK < KUBE_FILE_MAX - len ? READ_CHUNK : KUBE_FILE_MAX - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += n;
	} while (n);
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One note for all files of a kustomization or chart. */
static void pass_over(struct store *s, const char *path, const struct other_file *o)
{
	char *file = mem_strdup(path);
	_cleanup_(mem_free) char *command = other_file_command(o, path);
	_cleanup_(mem_free) char *text = mem_printf(
		"passed over: %s; to read what it makes: %s | weir VERB -f -", o->what, command);

	*VEC_ADD(s->priv->passed, s->priv->n_passed, s->priv->cap_passed) = file;
	diag_add_grouped(
		&s->priv->groups, &s->diags, o->what,
		&(struct diag){ .level = DIAG_NOTE, .src = { .file = file }, .message = text });
}

/* The folder in which a file was found. */
struct folder {
	int depth; /* 0: the caller named it */
	bool in_chart; /* and not among its templates */
};

/* in: NULL if the caller named the file. */
static int read_fd(struct store *s, int fd, const char *name, const struct folder *in,
		   struct weir_err *err)
{
	_cleanup_(mem_free) char *data = NULL;
	size_t len = 0;
	int r = read_all(fd, &data, &len);
	const struct other_file *other;

	if (r == -EFBIG)
		return err_set(err, r,
			       "%s: larger than %zu MiB, the most that Weir reads: split it", name,
			       KUBE_FILE_MAX >> 20);
	if (r)
		return err_set(err, r, "%s: cannot be read: %s (%s)", name, strerror(-r),
			       err_name(r));
	other = in ? other_file_of_chart(last_part(name), in->in_chart, data, len) : NULL;
	if (other)
		pass_over(s, name, other);
	else
		store_read_buffer(s, name, data, len);
	return 0;
}

static bool is_manifest(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && !strcmp(name + len - end, endings[i]))
			return true;
	}
	return false;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Hidden names are skipped: a ConfigMap volume holds its files again below ..data. */
static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int read_path(struct store *s, const char *path, const struct folder *in,
		     struct weir_err *err);

static int read_entry(struct store *s, const char *folder, const char *name,
		      const struct folder *in, struct weir_err *err)
{
	_cleanup_(mem_free) char *path =
		mem_printf("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
	const struct other_file *other = other_file_find(name);
	struct stat st;

	if (stat(path, &st))
		return is_manifest(name) ? err_set(err, -errno, "%s: cannot be read: %s (%s)", path,
						   strerror(errno), err_name(errno))
					 : 0;
	if (S_ISREG(st.st_mode) && other)
		pass_over(s, path, other);
	else if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_manifest(name)))
		return read_path(s, path, in, err);
	return 0;
}

/* in: the folder that this one is in, or NULL. */
static int read_folder(struct store *s, const char *path, const struct folder *in,
		       struct weir_err *err)
{
	bool templates = !strcmp(last_part(path), "templates");
	struct folder this = { in ? in->depth + 1 : 0, in && in->in_chart && !templates };
	struct dirent **entries = NULL;
	int n, r = 0;

	if (this.depth > KUBE_FOLDER_DEPTH_MAX)
		return err_set(
			err, -ELOOP,
			"%s: more than %d folders deep: is one of them a link to a folder above?",
			path, KUBE_FOLDER_DEPTH_MAX);
	n = scandir(path, &entries, not_hidden, by_bytes);
	if (n < 0)
		return err_set(err, -errno, "%s: cannot be read: %s (%s)", path, strerror(errno),
			       err_name(errno));
	for (int i = 0; i < n; i++)
		this.in_chart |= other_file_makes_chart(entries[i]->d_name);
	for (int i = 0; i < n; i++) {
		if (!r)
			r = read_entry(s, path, entries[i]->d_name, &this, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* A file that the caller named: its objects are wanted, and it has none. */
static int refuse_other(const char *path, const struct other_file *o, struct weir_err *err)
{
	_cleanup_(mem_free) char *command = other_file_command(o, path);

	return err_set(err, -EINVAL, "%s: is %s, not a manifest: run %s | weir VERB -f -", path,
		       o->what, command);
}

static int read_path(struct store *s, const char *path, const struct folder *in,
		     struct weir_err *err)
{
	const struct other_file *other = in ? NULL : other_file_find(last_part(path));
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_set(err, -errno, "%s: cannot be read: %s (%s)", path, strerror(errno),
			       err_name(errno));
	if (S_ISDIR(st.st_mode))
		return read_folder(s, path, in, err);
	if (other)
		return refuse_other(path, other, err);
	return read_fd(s, fd, path, in, err);
}

int store_read(struct store *s, const char *const *paths, size_t n, struct weir_err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = strcmp(paths[i], "-") ? read_path(s, paths[i], NULL, err)
					  : read_fd(s, 0, "-", NULL, err);
	return r;
}
