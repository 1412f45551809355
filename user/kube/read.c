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
#include "kube/limits.h"
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
}

static void keep_object(struct kube_meta *m, void *arg)
{
	struct reading *r = arg;

	if (m->generate)
		name_generated(r->store->priv, m);
	store_add(r->store, m);
}

static void note_unknown(const char *api_version, const char *kind, const struct src *src,
			 void *arg)
{
	_cleanup_(mem_free) char *text = mem_printf("%s %s", api_version, kind);
	struct reading *r = arg;
	struct store_private *p = r->store->priv;

	if (!strncmp(kind, "Secret", 6)) /* also SecretList */
		*VEC_ADD(p->secrets, p->n_secrets, p->cap_secrets) = *src;
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

void store_read_buffer(struct store *s, const char *name, const char *data, size_t len)
{
	char *file = mem_strdup(name);
	struct reading r = { .store = s, .file = file };

	*VEC_ADD(s->priv->files, s->priv->n_files, s->priv->cap_files) = file;
	if (s->keep_source_text)
		store_keep_source_text(s, data, len);
	r.sink = (struct decode_sink){ &s->diags, keep_object, note_unknown, &r };
	doc_read(data, len, on_document, on_error, &r);
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

static int read_fd(struct store *s, int fd, const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *data = NULL;
	size_t len = 0;
	int r = read_all(fd, &data, &len);

	if (r == -EFBIG)
		return err_set(err, r,
			       "%s: larger than %zu MiB, the most that Weir reads: split it", name,
			       KUBE_FILE_MAX >> 20);
	if (r)
		return err_set(err, r, "%s: cannot be read: %s (%s)", name, strerror(-r),
			       err_name(r));
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

static int read_path(struct store *s, const char *path, int depth, struct weir_err *err);

static int read_entry(struct store *s, const char *folder, const char *name, int depth,
		      struct weir_err *err)
{
	_cleanup_(mem_free) char *path =
		mem_printf("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
	struct stat st;

	if (stat(path, &st))
		return is_manifest(name) ? err_set(err, -errno, "%s: cannot be read: %s (%s)", path,
						   strerror(errno), err_name(errno))
					 : 0;
	if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_manifest(name)))
		return read_path(s, path, depth + 1, err);
	return 0;
}

static int read_folder(struct store *s, const char *path, int depth, struct weir_err *err)
{
	struct dirent **entries = NULL;
	int n, r = 0;

	if (depth > KUBE_FOLDER_DEPTH_MAX)
		return err_set(
			err, -ELOOP,
			"%s: more than %d folders deep: is one of them a link to a folder above?",
			path, KUBE_FOLDER_DEPTH_MAX);
	n = scandir(path, &entries, not_hidden, by_bytes);
	if (n < 0)
		return err_set(err, -errno, "%s: cannot be read: %s (%s)", path, strerror(errno),
			       err_name(errno));
	for (int i = 0; i < n; i++) {
		if (!r)
			r = read_entry(s, path, entries[i]->d_name, depth, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_path(struct store *s, const char *path, int depth, struct weir_err *err)
{
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_set(err, -errno, "%s: cannot be read: %s (%s)", path, strerror(errno),
			       err_name(errno));
	if (S_ISDIR(st.st_mode))
		return read_folder(s, path, depth, err);
	return read_fd(s, fd, path, err);
}

int store_read(struct store *s, const char *const *paths, size_t n, struct weir_err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = strcmp(paths[i], "-") ? read_path(s, paths[i], 0, err)
					  : read_fd(s, 0, "-", err);
	return r;
}
