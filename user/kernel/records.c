// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Attachment records: one JSON file per pod in the run folder of an instance. Written by rename, so
 * that a reader sees a whole record or none. Read strictly: a malformed record is listed with its
 * error, which names the file; its pod is never left out silently.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/emit.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/json.h"
#include "base/mem.h"
#include "kernel/records.h"

#define RECORD_SIZE_MAX 16384
#define SUFFIX ".json"
#define TIDY_AFTER_S 600
#define WRITE_TRIES 100 /* each but the last met an `uninstall` */

static int run_dir(const char *instance, char *ret_run, struct weir_err *err)
{
	char pins[INSTANCE_PATH_MAX];

	return instance_paths(instance, pins, ret_run, err);
}

/* Names become part of a file name: anything that Kubernetes allows is safe, a path is not. */
static bool name_is_safe(const char *s)
{
	return *s && *s != '.' && !strpbrk(s, "/_") && strlen(s) <= 253;
}

static int record_path(const char *instance, const char *ns, const char *name, char **ret_path,
		       struct weir_err *err)
{
	char run[INSTANCE_PATH_MAX];
	int r = run_dir(instance, run, err);

	if (r)
		return r;
	if (!name_is_safe(ns) || !name_is_safe(name))
		return err_set(err, -EINVAL, "attachment of pod %s/%s: not a valid name", ns, name);
	*ret_path = instance_record(run, ns, name);
	return 0;
}

/* ---- Writing ---- */

static void emit_record(FILE *out, const struct attachment *a)
{
	_cleanup_(emit_close) struct emit e = {};
	char text[ADDR_TEXT_MAX];

	emit_open(&e, out);
	emit_document_begin(&e, "Attachment");
	emit_text(&e, "namespace", a->ns);
	emit_text(&e, "name", a->name);
	emit_text(&e, "uid", a->uid ? a->uid : "");
	emit_text(&e, "netns", a->netns ? a->netns : "");
	emit_int(&e, "ifindex", a->ifindex);
	if (a->adopted)
		emit_bool(&e, "adopted", true);
	if (a->any_sender)
		emit_bool(&e, "anySender", true);
	if (a->tunnels)
		emit_bool(&e, "tunnels", true);
	emit_printf(&e, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", a->mac[0], a->mac[1], a->mac[2],
		    a->mac[3], a->mac[4], a->mac[5]);
	emit_array(&e, "addresses");
	for (int f = 0; f < 2; f++)
		if (!weir_addr_is_zero(&a->addr[f]))
			emit_text(&e, NULL, addr_text(&a->addr[f], text));
	emit_array_end(&e);
	emit_document_end(&e);
}

static int make_dirs(const char *instance, struct weir_err *err)
{
	char run[INSTANCE_PATH_MAX], pods[INSTANCE_PATH_MAX + 8];
	int r = run_dir(instance, run, err);

	snprintf(pods, sizeof(pods), "%s/" INSTANCE_PODS, run);
	if (!r)
		r = file_mkdir(run, INSTANCE_RUN_MODE, err);
	return r ? r : file_mkdir(pods, INSTANCE_RUN_MODE, err);
}

int attachment_write(const char *instance, const struct attachment *a, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = NULL, *text = NULL;
	int r = record_path(instance, a->ns, a->name, &path, err);
	size_t len = 0;
	FILE *out;

	if (r)
		return r;
	out = open_memstream(&text, &len);
	if (!out)
		return err_set(err, -errno, "write %s: %s", path, strerror(errno));
	emit_record(out, a);
	fclose(out);
	/* RACE: `uninstall` removes empty folders */
	for (int tries = WRITE_TRIES, again = 1; again && tries; tries--) {
		r = make_dirs(instance, err);
		if (!r)
			r = file_write(path, INSTANCE_FILE_MODE, text, len, err);
		again = r == -ENOENT;
	}
	return r;
}

int attachment_remove(const char *instance, const char *ns, const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = NULL;
	int r = record_path(instance, ns, name, &path, err);

	if (r)
		return r;
	if (unlink(path) && errno != ENOENT)
		return err_set(err, -errno, "remove %s: %s", path, strerror(errno));
	return 0;
}

/* ---- Reading ---- */

static void read_mac(struct json_value record, uint8_t *ret_mac)
{
	const char *text = json_text(record, "mac");
	int end = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &ret_mac[0], &ret_mac[1],
		   &ret_mac[2], &ret_mac[3], &ret_mac[4], &ret_mac[5], &end) != 6 ||
	    text[end])
		json_bad(record, "mac", "must be six bytes as aa:bb:cc:dd:ee:ff");
}

static void read_addresses(struct json_value record, struct weir_addr *ret_addr)
{
	struct json_value list = json_list(record, "addresses");
	struct weir_addr addr;

	for (size_t i = 0; i < json_count(list); i++) {
		struct weir_addr *of_family;

		if (addr_parse(json_item_text(list, i), &addr) || weir_addr_is_zero(&addr)) {
			json_bad(record, "addresses", "not an address");
			return;
		}
		of_family = &ret_addr[addr_family(&addr)];
		if (!weir_addr_is_zero(of_family))
			json_bad(record, "addresses", "more than one address of a family");
		*of_family = addr;
	}
}

static int read_record(struct json_value record, struct arena *arena, struct attachment *ret)
{
	struct attachment a = {
		.ns = arena_strdup(arena, json_text(record, "namespace")),
		.name = arena_strdup(arena, json_text(record, "name")),
		.uid = arena_strdup(arena, json_text(record, "uid")),
		.netns = arena_strdup(arena, json_text(record, "netns")),
		.ifindex = json_number(record, "ifindex", 1, INT32_MAX),
		.adopted = json_flag(record, "adopted"),
		.any_sender = json_flag(record, "anySender"),
		.tunnels = json_flag(record, "tunnels"),
	};

	read_mac(record, a.mac);
	read_addresses(record, a.addr);
	if (!record.doc->r)
		*ret = a;
	return record.doc->r;
}

static int read_file(const char *path, char *buf, struct timespec *ret_written,
		     struct weir_err *err)
{
	FILE *in = file_open(path);
	struct stat st;
	size_t len;

	if (!in)
		return err_set(err, -errno, "read %s: %s", path,
			       errno == EINVAL ? "not a regular file" : strerror(errno));
	len = fread(buf, 1, RECORD_SIZE_MAX, in);
	if (fstat(fileno(in), &st))
		st.st_mtim = (struct timespec){};
	fclose(in);
	if (len == RECORD_SIZE_MAX)
		return err_set(err, -EINVAL, "%s: longer than %d bytes", path, RECORD_SIZE_MAX - 1);
	buf[len] = '\0';
	*ret_written = st.st_mtim;
	return 0;
}

static int parse_file(const char *path, const char *entry, struct arena *arena,
		      struct attachment *ret, struct weir_err *err)
{
	_cleanup_(mem_free) char *buf = mem_zalloc(RECORD_SIZE_MAX + 1), *expected = NULL;
	_cleanup_(json_close) struct json doc = {};
	struct timespec written = {};
	int r = read_file(path, buf, &written, err);

	if (!r)
		r = json_open(&doc, path, buf, "Attachment", err);
	if (!r)
		r = read_record(json_root(&doc), arena, ret);
	if (r)
		return r;
	ret->written_ns = written.tv_sec * 1000000000ull + written.tv_nsec;
	expected = mem_printf("%s_%s" SUFFIX, ret->ns, ret->name);
	return strcmp(entry, expected) ? err_set(err, -EINVAL, "%s: holds the record of pod %s/%s",
						 path, ret->ns, ret->name)
				       : 0;
}

/* ---- The list ---- */

static int by_device(const void *a, const void *b)
{
	const struct attachment *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return (x->written_ns < y->written_ns) - (x->written_ns > y->written_ns);
}

static int by_name(const void *a, const void *b)
{
	const struct attachment *x = a, *y = b;
	int order = strcmp(x->ns, y->ns);

	return order ? order : strcmp(x->name, y->name);
}

/*
 * The kernel reuses device indexes: of two records with the same index, the older belongs to a
 * device that is gone.
 */
static void drop_stale(struct attachment_list *l)
{
	size_t kept = 0;

	if (!l->n)
		return;
	qsort(l->items, l->n, sizeof(*l->items), by_device);
	for (size_t i = 0; i < l->n; i++)
		if (!kept || l->items[kept - 1].ifindex != l->items[i].ifindex)
			l->items[kept++] = l->items[i];
	l->n = kept;
	qsort(l->items, l->n, sizeof(*l->items), by_name);
}

static bool is_record(const char *entry)
{
	size_t len = strlen(entry), suffix = strlen(SUFFIX);

	return entry[0] != '.' && len > suffix && !strcmp(entry + len - suffix, SUFFIX);
}

/* The pod that a file is named after: neither a namespace nor a pod's name has a '_'. */
static void add_bad(struct attachment_list *l, const char *path, const char *entry, const char *why)
{
	const char *mid = strchr(entry, '_');
	size_t len = mid ? strlen(mid + 1) - strlen(SUFFIX) : 0;

	*VEC_ADD(l->bad, l->n_bad, l->cap_bad) = (struct attachment_bad){
		.path = arena_strdup(&l->arena, path),
		.ns = mid ? arena_printf(&l->arena, "%.*s", (int)(mid - entry), entry) : "",
		.name = mid ? arena_printf(&l->arena, "%.*s", (int)len, mid + 1) : "",
		.why = arena_strdup(&l->arena, why),
	};
}

static void read_dir(const char *dir, DIR *d, struct attachment_list *l)
{
	size_t cap = 0;

	for (struct dirent *e; (e = readdir(d));) {
		_cleanup_(mem_free) char *path = mem_printf("%s/%s", dir, e->d_name);
		struct weir_err err = {};
		struct attachment a;
		int r;

		if (!is_record(e->d_name))
			continue;
		r = parse_file(path, e->d_name, &l->arena, &a, &err);
		if (!r)
			*VEC_ADD(l->items, l->n, cap) = a;
		else if (r != -ENOENT) /* removed meanwhile */
			add_bad(l, path, e->d_name, err.text);
	}
}

int attachment_list_read(const char *instance, struct attachment_list *ret_list,
			 struct weir_err *err)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	char run[INSTANCE_PATH_MAX], dir[INSTANCE_PATH_MAX + 8];
	int r = run_dir(instance, run, err);
	DIR *d;

	if (r)
		return r;
	snprintf(dir, sizeof(dir), "%s/" INSTANCE_PODS, run);
	d = opendir(dir);
	if (!d && errno != ENOENT)
		return err_set(err, -errno, "read %s: %s", dir, strerror(errno));
	if (d) {
		read_dir(dir, d, &l);
		closedir(d);
	}
	drop_stale(&l);
	*ret_list = l;
	l = (struct attachment_list){};
	return 0;
}

void attachment_list_free(struct attachment_list *l)
{
	arena_free(&l->arena);
	free(l->items);
	free(l->bad);
	free(l->uplinks);
	*l = (struct attachment_list){};
}

const struct attachment *attachment_find(const struct attachment_list *l, const char *ns,
					 const char *name)
{
	struct attachment key = { .ns = ns, .name = name };

	return l->n ? bsearch(&key, l->items, l->n, sizeof(key), by_name) : NULL;
}

const struct attachment_bad *attachment_find_bad(const struct attachment_list *l, const char *ns,
						 const char *name)
{
	for (size_t i = 0; i < l->n_bad; i++)
		if (!strcmp(l->bad[i].ns, ns) && !strcmp(l->bad[i].name, name))
			return &l->bad[i];
	return NULL;
}

/* ---- What killed writers leave ---- */

/* A temporary file of file_write(): NAMESPACE_POD.json.PID */
static bool is_temporary(const char *entry)
{
	const char *dot = strrchr(entry, '.');
	size_t suffix = strlen(SUFFIX);

	return dot && dot - entry > (ptrdiff_t)suffix && !strncmp(dot - suffix, SUFFIX, suffix) &&
	       dot[1] && dot[1 + strspn(dot + 1, "0123456789")] == '\0';
}

/* By age, not by process: the writer may be in another process namespace. */
void attachment_tidy(const char *instance)
{
	char run[INSTANCE_PATH_MAX], dir[INSTANCE_PATH_MAX + 8];
	struct stat st;
	DIR *d;

	if (run_dir(instance, run, NULL))
		return;
	snprintf(dir, sizeof(dir), "%s/" INSTANCE_PODS, run);
	d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		if (is_temporary(e->d_name) && !fstatat(dirfd(d), e->d_name, &st, 0) &&
		    time(NULL) - st.st_mtime > TIDY_AFTER_S)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}
