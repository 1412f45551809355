// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Changes of the endpoints of one Service in a session: the tables equal those of a fresh load,
 * only the Service's own elements are written, a kill at any step converges, and ids are reused.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sync/session.h"
#include "lib/kernel_env.h"
#include "lib/large_cluster.h"
#include "lib/tables_text.h"

#define NAME "session"
#define SERVICES 6
#define ENDPOINTS 3
#define CHANGES 2000

/* How many endpoints each Service has, and the number of the first. */
struct shape {
	int n[SERVICES], first[SERVICES];
};

static struct node *node;
static struct session *session;
static struct shape now;
static int kill_at, steps;
static uint32_t *epoch_before; /* in memory shared with the child that is killed */
/* Steps before the first word that packets see: backends, backend-extents, pending, services. */
#define FLIP_STEP 4

/* only: this Service alone; -1: all */
static struct store *store_of(const struct shape *shape, int only)
{
	struct store *s = store_new();
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\","
	      "\"metadata\":{\"name\":\"" LARGE_NODE "\"}}",
	      f);
	for (int i = 0; i < SERVICES; i++) {
		if (only >= 0 && only != i)
			continue;
		fputc(',', f);
		large_put_service(f, i);
		fputc(',', f);
		large_put_slice(f, i, shape->n[i], shape->first[i]);
	}
	fputs("]}", f);
	fclose(f);
	store_read_buffer(s, "shape.json", text, len);
	free(text);
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	return s;
}

static struct plan *plan_of(const struct shape *shape)
{
	_cleanup_(store_free) struct store *s = store_of(shape, -1);

	return plan_compile(&(struct plan_input){ .store = s, .node = LARGE_NODE });
}

static struct plan *part_of(const struct shape *shape, int service)
{
	_cleanup_(store_free) struct store *s = store_of(shape, service);
	struct plan_input in = { .store = s, .node = LARGE_NODE };

	return plan_compile_service(&in, s->services[0], s->slices, s->n_slices);
}

static void open_session(struct node *n)
{
	_cleanup_(plan_free) struct plan *p = plan_of(&now);
	struct attachment_list none = {};
	struct sync_delta d = {};
	struct weir_err err = {};

	if (session_apply(&session, n, p, &none, SYNC_NO_DEVICES, &d, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	for (int i = 0; i < SERVICES; i++) {
		now.n[i] = ENDPOINTS;
		now.first[i] = i * 100;
	}
	node = kernel_node(NULL, NODE_PRIVATE);
	open_session(node);
	return 0;
}

static int teardown(void **state)
{
	session_close(&session);
	node_close(&node);
	return 0;
}

static int try_change(int service, int n, int first, struct sync_delta *ret_delta)
{
	_cleanup_(plan_free) struct plan *part = NULL;
	struct shape then = now;
	struct weir_err err = {};
	int r;

	then.n[service] = n;
	then.first[service] = first;
	part = part_of(&then, service);
	r = session_service(session, part, ret_delta, &err);
	if (!r)
		now = then;
	return r;
}

static struct sync_delta change(int service, int n, int first)
{
	struct sync_delta d = {};

	assert_int_equal(try_change(service, n, first, &d), 0);
	return d;
}

static void settle(void)
{
	struct weir_err err = {};

	assert_int_equal(session_settle(session, &err), 0);
	assert_int_equal(session_owes(session), 0);
}

static char *fresh_text(void)
{
	_cleanup_(plan_free) struct plan *p = plan_of(&now);
	_cleanup_(node_close) struct node *fresh = kernel_node(NULL, NODE_PRIVATE);

	kernel_apply(fresh, p);
	return tables_text(fresh);
}

static void assert_as_fresh(struct node *n)
{
	_cleanup_(mem_free) char *got = tables_text(n), *want = fresh_text();

	assert_string_equal(got, want);
}

static void svc_90_a_changed_endpoint_writes_only_its_own_elements(void **state)
{
	struct sync_delta d = change(2, ENDPOINTS + 1, 200);

	assert_delta(&d, "services ~1 backend_slots +4 backend_slots -3 backends +1");
	d = change(2, ENDPOINTS, 201); /* the first endpoint is removed */
	assert_delta(&d, "services ~1 backend_slots +3 backend_slots -4 backends -1 service-epoch");
	d = change(2, ENDPOINTS, 201);
	assert_delta(&d, "");
	settle();
	assert_as_fresh(node);
	assert_int_equal(node_config(node)->generation, 1);
	assert_int_equal(node_config(node)->pending, 0);
}

static void svc_91_all_endpoints_are_removed_and_one_comes_back(void **state)
{
	uint32_t epoch = node_config(node)->service_epoch;
	struct sync_delta d = change(1, 0, 0);

	assert_delta(&d, "services ~1 backend_slots -3 backends -3 service-epoch");
	assert_int_equal(node_config(node)->service_epoch, epoch + 1);
	d = change(1, 1, 100); /* a removed endpoint comes back before session_settle() */
	assert_delta(&d, "services ~1 backend_slots +1 backends +1");
	settle();
	assert_as_fresh(node);
}

static void a_whole_apply_after_a_change_writes_nothing(void **state)
{
	_cleanup_(plan_free) struct plan *p = NULL;
	struct sync_delta d;

	change(0, 5, 7);
	change(3, 1, 300);
	settle();
	p = plan_of(&now);
	d = kernel_apply(node, p);
	assert_delta(&d, "");
}

static void a_whole_apply_frees_what_a_change_left(void **state)
{
	_cleanup_(plan_free) struct plan *p = NULL;
	struct sync_delta d;

	change(0, 1, 0);
	change(0, 3, 0);
	p = plan_of(&now);
	d = kernel_apply(node, p);
	assert_int_equal(d.deleted[WEIR_MAP_backends], 2);
	assert_as_fresh(node);
	open_session(node);
	change(0, 2, 50);
	settle();
	assert_as_fresh(node);
}

static void a_service_that_is_not_loaded_is_refused(void **state)
{
	_cleanup_(store_free) struct store *s = store_of(&now, 0);
	_cleanup_(mem_free) char *before = tables_bytes(node), *after = NULL;
	_cleanup_(plan_free) struct plan *part = NULL;
	struct plan_input in = { .store = s, .node = LARGE_NODE };
	struct sync_delta d = {};
	struct weir_err err = {};

	s->services[0]->ports[0].name = "another";
	part = plan_compile_service(&in, s->services[0], s->slices, s->n_slices);
	assert_int_equal(session_service(session, part, &d, &err), -ESTALE);
	assert_non_null(strstr(err.text, "'another'"));
	after = tables_bytes(node);
	assert_string_equal(before, after);
}

/* The tables of this test hold 64 backends and 256 backend slots. */
static void a_change_that_does_not_fit_is_refused_until_old_ids_are_freed(void **state)
{
	_cleanup_(mem_free) char *before = NULL, *after = NULL;
	struct sync_delta d = {};
	int r = 0, i;

	for (i = 0; i < 100 && !r; i++)
		r = try_change(4, 4, 1000 + 10 * i, &d);
	assert_int_equal(r, -ENOSPC);
	assert_true(i > 5);
	before = tables_bytes(node);
	assert_int_equal(try_change(4, 4, 1000 + 10 * i, &d), -ENOSPC);
	after = tables_bytes(node);
	assert_string_equal(before, after);
	settle();
	assert_int_equal(try_change(4, 4, 1000 + 10 * i, &d), 0);
	assert_int_equal(try_change(4, 40, 0, &d), 0);
	settle();
	assert_int_equal(try_change(4, 60, 0, &d), -ENOSPC); /* never fits */
	assert_as_fresh(node);
}

static void ids_are_reused_after_random_changes(void **state)
{
	unsigned int seed = getpid();

	print_message("seed %u\n", seed);
	for (int i = 0; i < CHANGES; i++) {
		change(rand_r(&seed) % SERVICES, rand_r(&seed) % 6, rand_r(&seed) % 20);
		if (i % 3 == 0)
			settle();
		if (i % 501 == 0)
			assert_as_fresh(node);
	}
	settle();
	assert_as_fresh(node);
}

static void kill_at_step(const char *step)
{
	if (steps++ == kill_at)
		raise(SIGKILL);
}

/* Two changes and session_settle() in a child, killed at step kill_at. False: no such step. */
static bool change_and_die(const struct shape *before)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		now = *before;
		session_close(&session);
		node_close(&node);
		node = kernel_node(NAME, NODE_WRITE);
		open_session(node);
		*epoch_before = node_config(node)->service_epoch;
		steps = 0;
		sync_step_hook = kill_at_step;
		change(1, 2, 500);
		change(2, 1, 600);
		settle();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The state after the first change is then applied whole. */
static void killed_at_any_step_and_applied_whole(void **state)
{
	const struct shape before = now;

	now.n[1] = 2;
	now.first[1] = 500;
	epoch_before = mmap(NULL, sizeof(*epoch_before), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (kill_at = 0;; kill_at++) {
		_cleanup_(node_close) struct node *n = NULL;
		_cleanup_(plan_free) struct plan *p = plan_of(&now);
		struct sync_delta d;
		bool killed = change_and_die(&before);

		n = kernel_node(NAME, NODE_WRITE);
		kernel_apply(n, p);
		assert_as_fresh(n);
		assert_int_equal(node_config(n)->pending, 0);
		if (kill_at >= FLIP_STEP) /* backends ended: flows must be revalidated */
			assert_true(node_config(n)->service_epoch > *epoch_before);
		d = kernel_apply(n, p);
		assert_delta(&d, "");
		if (!killed)
			break;
	}
	assert_true(kill_at > 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(svc_90_a_changed_endpoint_writes_only_its_own_elements),
		TEST(svc_91_all_endpoints_are_removed_and_one_comes_back),
		TEST(a_whole_apply_after_a_change_writes_nothing),
		TEST(a_whole_apply_frees_what_a_change_left),
		TEST(a_service_that_is_not_loaded_is_refused),
		TEST(a_change_that_does_not_fit_is_refused_until_old_ids_are_freed),
		TEST(ids_are_reused_after_random_changes),
		TEST(killed_at_any_step_and_applied_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
