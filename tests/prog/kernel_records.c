// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Attachment records: written and read back; a bad one costs its own pod, and its error names file
 * and member; they outlive the instance.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "attach/remove.h"
#include "base/addr.h"
#include "base/file.h"
#include "base/mem.h"
#include "lib/kernel_env.h"

#define NAME "records"
#define PODS "/run/weir-" NAME "/pods"

static int teardown(void **state)
{
	return file_remove_tree("/run/weir-" NAME, NULL, NULL);
}

static struct attachment sample(const char *name, uint32_t ifindex)
{
	struct attachment a = { .ns = "default",
				.name = name,
				.uid = "u-1",
				.netns = "/run/netns/x",
				.ifindex = ifindex,
				.mac = { 2, 0xab, 0, 1, 2, 0xff } };

	addr_parse("10.1.2.3", &a.addr[0]);
	addr_parse("fd00::3", &a.addr[1]);
	return a;
}

static void write_record(const struct attachment *a)
{
	struct weir_err err = {};

	if (attachment_write(NAME, a, &err))
		fail_msg("%s", err.text);
}

static void read_records(struct attachment_list *l)
{
	struct weir_err err = {};

	if (attachment_list_read(NAME, l, &err))
		fail_msg("%s", err.text);
}

static void a_written_record_is_read_back(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	struct attachment b = sample("b", 8), a = sample("a", 7);

	a.addr[1] = (struct weir_addr){};
	a.uid = "";
	b.adopted = b.any_sender = b.tunnels = true;
	write_record(&b);
	write_record(&a);
	write_record(&a);
	read_records(&l);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.items[0].name, "a");
	assert_string_equal(l.items[0].uid, "");
	assert_true(weir_addr_is_zero(&l.items[0].addr[1]));
	assert_string_equal(l.items[1].name, "b");
	assert_string_equal(l.items[1].ns, "default");
	assert_string_equal(l.items[1].uid, "u-1");
	assert_string_equal(l.items[1].netns, "/run/netns/x");
	assert_int_equal(l.items[1].ifindex, 8);
	assert_false(l.items[0].adopted);
	assert_true(l.items[1].adopted);
	assert_false(l.items[0].any_sender);
	assert_true(l.items[1].any_sender);
	assert_false(l.items[0].tunnels);
	assert_true(l.items[1].tunnels);
	assert_memory_equal(l.items[1].mac, b.mac, sizeof(b.mac));
	assert_memory_equal(l.items[1].addr, b.addr, sizeof(b.addr));
	assert_true(l.items[1].written_ns > 1600000000ull * 1000000000);
}

static void no_folder_is_an_empty_list(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	read_records(&l);
	assert_int_equal(l.n, 0);
}

static void removed_records_are_gone(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	struct attachment a = sample("a", 7);
	struct weir_err err = {};

	write_record(&a);
	assert_int_equal(attachment_remove(NAME, "default", "a", &err), 0);
	assert_int_equal(attachment_remove(NAME, "default", "a", &err), 0);
	read_records(&l);
	assert_int_equal(l.n, 0);
}

/* A device index is unique: the older record is of a device that has vanished. */
static void the_newer_of_two_records_for_a_device_counts(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	struct attachment newer = sample("b", 7), older = sample("a", 7);
	struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	write_record(&newer);
	write_record(&older);
	assert_int_equal(utimensat(AT_FDCWD, PODS "/default_a.json", long_ago, 0), 0);
	read_records(&l);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.items[0].name, "b");
}

static void names_that_are_paths_are_refused(void **state)
{
	struct attachment a = sample("../a", 7);
	struct weir_err err = {};

	assert_int_equal(attachment_write(NAME, &a, &err), -EINVAL);
	assert_int_equal(attachment_remove(NAME, "a/b", "c", &err), -EINVAL);
}

static void put_file(const char *name, const char *text)
{
	_cleanup_(mem_free) char *path = mem_printf(PODS "/%s", name);
	FILE *f;

	mkdir("/run/weir-" NAME, 0755);
	mkdir(PODS, 0755);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define HEAD \
	"{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Attachment\",\"namespace\":\"default\",\"name\":\"a\","
#define REST "\"uid\":\"\",\"netns\":\"\","
#define DEVICE "\"ifindex\":7,\"mac\":\"02:00:00:00:00:01\","

/* The only bad record. */
static void assert_bad(const struct attachment_list *l, const char *name, const char *says)
{
	assert_int_equal(l->n_bad, 1);
	assert_string_equal(l->bad[0].ns, "default");
	assert_string_equal(l->bad[0].name, name);
	if (!strstr(l->bad[0].why, l->bad[0].path) || !strstr(l->bad[0].why, says))
		fail_msg("the error is \"%s\", not about \"%s\"", l->bad[0].why, says);
}

static void broken_records_cost_their_own_pod_and_name_file_and_member(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "not JSON" },
		{ "{\"apiVersion\":", "not JSON" },
		{ "[]", "apiVersion" },
		{ "{\"apiVersion\":\"weir.dev/v1\",\"kind\":\"Other\"}", "kind" },
		{ HEAD "\"uid\":7,\"netns\":\"\"," DEVICE "\"addresses\":[]}", "uid" },
		{ HEAD REST "\"mac\":\"02:00:00:00:00:01\",\"addresses\":[]}", "ifindex" },
		{ HEAD REST "\"ifindex\":-1,\"mac\":\"02:00:00:00:00:01\",\"addresses\":[]}",
		  "ifindex" },
		{ HEAD REST "\"ifindex\":1.5,\"mac\":\"02:00:00:00:00:01\",\"addresses\":[]}",
		  "ifindex" },
		{ HEAD REST "\"ifindex\":7,\"mac\":\"02:00:00:00:00\",\"addresses\":[]}", "mac" },
		{ HEAD REST "\"ifindex\":7,\"mac\":\"02:00:00:00:00:01x\",\"addresses\":[]}",
		  "mac" },
		{ HEAD REST DEVICE "\"adopted\":1,\"addresses\":[\"10.0.0.1\"]}", "adopted" },
		{ HEAD REST DEVICE "\"addresses\":\"10.0.0.1\"}", "addresses" },
		{ HEAD REST DEVICE "\"addresses\":[\"10.0.0.256\"]}", "addresses" },
		{ HEAD REST DEVICE "\"addresses\":[\"10.0.0.1\",\"10.0.0.2\"]}", "addresses" },
	};

	struct attachment good = sample("b", 8);

	write_record(&good);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(attachment_list_free) struct attachment_list l = {};

		put_file("default_a.json", bad[i].text);
		read_records(&l);
		assert_bad(&l, "a", bad[i].says);
		assert_int_equal(l.n, 1);
		assert_string_equal(l.items[0].name, "b");
		assert_non_null(attachment_find(&l, "default", "b"));
		assert_null(attachment_find(&l, "default", "a"));
		assert_ptr_equal(attachment_find_bad(&l, "default", "a"), &l.bad[0]);
	}
}

static void a_record_under_another_name_is_bad(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	put_file("default_b.json", HEAD REST DEVICE "\"addresses\":[]}");
	read_records(&l);
	assert_int_equal(l.n, 0);
	assert_bad(&l, "b", "default/a");
}

/* An open of a FIFO waits for a writer; yajl frees a deep tree by recursion. */
static void files_that_hang_or_crash_a_reader_are_bad_records(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list fifo = {}, deep = {};
	char text[12001] = {};

	put_file("default_a.json", "");
	assert_int_equal(unlink(PODS "/default_a.json"), 0);
	assert_int_equal(mkfifo(PODS "/default_a.json", 0600), 0);
	alarm(10);
	read_records(&fifo);
	alarm(0);
	assert_bad(&fifo, "a", "not a regular file");
	assert_int_equal(unlink(PODS "/default_a.json"), 0);
	memset(text, '[', sizeof(text) - 1);
	put_file("default_a.json", text);
	read_records(&deep);
	assert_bad(&deep, "a", "nested more than");
}

static void only_old_leftovers_of_killed_writers_are_removed(void **state)
{
	struct timespec old[2] = { { .tv_sec = time(NULL) - 700 }, { .tv_sec = time(NULL) - 700 } };
	static const struct {
		const char *name;
		bool old, stays;
	} files[] = {
		{ "default_a.json.4711", true, false }, { "default_b.json.4712", false, true },
		{ "default_c.json", true, true },       { "default_d.json.bak", true, true },
		{ "notes.4711", true, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(mem_free) char *path = mem_printf(PODS "/%s", files[i].name);

		put_file(files[i].name, "{");
		if (files[i].old)
			assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	}
	attachment_tidy(NAME);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(mem_free) char *path = mem_printf(PODS "/%s", files[i].name);

		assert_int_equal(!access(path, F_OK), files[i].stays);
	}
}

/* They belong to the CNI plugin: without them the next load would attach nothing. */
static void removing_the_instance_keeps_records_and_files_of_others(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct attachment a = sample("a", 7);
	struct weir_err err = {};

	node_close(&n);
	write_record(&a);
	put_file("../notes", "x");
	put_file("../plan-4", "x");
	assert_int_equal(node_remove(NAME, &err), 0);
	read_records(&l);
	assert_int_equal(l.n, 1);
	assert_int_equal(access("/run/weir-" NAME "/notes", F_OK), 0);
	assert_int_not_equal(access("/run/weir-" NAME "/plan-4", F_OK), 0);
	assert_int_not_equal(access("/run/weir-" NAME "/lock", F_OK), 0);
	assert_int_equal(attachment_remove(NAME, "default", "a", &err), 0);
	assert_int_equal(unlink("/run/weir-" NAME "/notes"), 0);
	assert_int_equal(node_remove(NAME, &err), 0);
	assert_int_not_equal(access("/run/weir-" NAME, F_OK), 0);
}

static void records_are_closed_to_other_users(void **state)
{
	struct attachment a = sample("a", 7);
	struct stat st;

	umask(0);
	write_record(&a);
	umask(022);
	assert_int_equal(stat(PODS "/default_a.json", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat("/run/weir-" NAME, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
}

static void partly_written_files_are_no_records(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	put_file("default_a.json.4711", "{\"apiVer");
	put_file(".hidden.json", "x");
	read_records(&l);
	assert_int_equal(l.n, 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_written_record_is_read_back),
		TEST(no_folder_is_an_empty_list),
		TEST(removed_records_are_gone),
		TEST(the_newer_of_two_records_for_a_device_counts),
		TEST(names_that_are_paths_are_refused),
		TEST(broken_records_cost_their_own_pod_and_name_file_and_member),
		TEST(a_record_under_another_name_is_bad),
		TEST(files_that_hang_or_crash_a_reader_are_bad_records),
		TEST(only_old_leftovers_of_killed_writers_are_removed),
		TEST(removing_the_instance_keeps_records_and_files_of_others),
		TEST(records_are_closed_to_other_users),
		TEST(partly_written_files_are_no_records),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
