// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Compares what Weir reads with what kubectl and the API server make of the same random texts:
 * whether they are refused, and every value that Weir uses. tests/apiserver makes the texts and
 * judges them by Kubernetes' own packages. A difference is a fault, or a row of
 * apiserver_choices.c. The tests are skipped where the program was not built; the reason is in a
 * file in its place.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kube/objects.h"
#include "kube/store_private.h"
#include "lib/apiserver_choices.h"
#include "lib/random.h"

#define FIXED_SEED 20260101
#define FIXED_TEXTS 10000
#define RANDOM_TEXTS 1000
#define SHOWN_MAX 10 /* differences that are printed */

/* What the API server says of one text. */
struct answer {
	unsigned long long seed;
	bool accepted;
	char *text, *said; /* said: objects or errors */
	size_t len;
};

/* What Weir says of it. */
struct reading {
	struct store *store;
	char *objects;
};

static unsigned long compared, chosen, accepted_by_both, refused_by_both;

static void *read_bytes(FILE *in, size_t len)
{
	char *data = mem_zalloc(len + 1);

	assert_int_equal(fread(data, 1, len, in), len);
	return data;
}

static bool next_answer(FILE *in, struct answer *a)
{
	char verdict[16];
	size_t said;

	if (fscanf(in, "%llu %15s %zu %zu", &a->seed, verdict, &a->len, &said) != 4)
		return false;
	assert_int_equal(fgetc(in), '\n');
	a->accepted = !strcmp(verdict, "accepted");
	a->text = read_bytes(in, a->len);
	a->said = read_bytes(in, said);
	return true;
}

/* The objects in the order of their texts, as the other side prints them. */
static char *print_objects(struct store *s)
{
	char **texts = NULL, *all = NULL;
	size_t n = 0, cap = 0, size;
	FILE *out = open_memstream(&all, &size);

	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		struct store_array a = store_array(s, kind);

		for (size_t i = 0; i < *a.n; i++)
			*VEC_ADD(texts, n, cap) = kube_object_text((*a.items)[i]);
	}
	if (n)
		qsort(texts, n, sizeof(*texts), text_order);
	for (size_t i = 0; i < n; i++) {
		fputs(texts[i], out);
		free(texts[i]);
	}
	free(texts);
	fclose(out);
	return all;
}

static void read_weir(const struct answer *a, struct reading *r)
{
	r->store = store_new();
	store_read_buffer(r->store, "text", a->text, a->len);
	r->objects = print_objects(r->store);
}

static bool agree(const struct answer *a, const struct reading *r)
{
	bool accepted = !r->store->diags.errors;

	if (accepted && a->accepted) {
		accepted_by_both++;
		return !strcmp(r->objects, a->said);
	}
	refused_by_both += !accepted && !a->accepted;
	return accepted == a->accepted;
}

static bool is_choice(const struct answer *a, const struct reading *r)
{
	bool accepted = !r->store->diags.errors;

	if (accepted && a->accepted)
		return apiserver_choice_of_values(r->objects, a->said);
	return accepted ? apiserver_choice_of_server(a->said, &r->store->diags)
			: apiserver_choice_of_weir(&r->store->diags);
}

static void print_difference(const struct answer *a, const struct reading *r)
{
	printf("# DIFFERENCE. Repeat with WEIR_SEED=%llu WEIR_ROUNDS=1\n# ---- text\n", a->seed);
	fwrite(a->text, 1, a->len, stdout);
	printf("\n# ---- the API server: %s\n%s# ---- Weir: %s\n",
	       a->accepted ? "accepted" : "refused", a->said,
	       r->store->diags.errors ? "refused" : "accepted");
	diag_print(&r->store->diags, stdout);
	if (!r->store->diags.errors)
		fputs(r->objects, stdout);
	printf("# ----\n");
}

static bool compare(const struct answer *a)
{
	struct reading r = {};
	bool same;

	read_weir(a, &r);
	compared++;
	same = agree(a, &r);
	if (!same && is_choice(a, &r)) {
		chosen++;
		same = true;
	}
	if (!same)
		print_difference(a, &r);
	store_free(&r.store);
	free(r.objects);
	return same;
}

/* The file beside the program's folder: build/apiserver/NAME. */
static void path_of(const char *name, char *path, size_t size)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	for (int up = 0; n > 0 && up < 3; up++)
		*strrchr(self, '/') = 0;
	snprintf(path, size, "%s/apiserver/%s", self, name);
}

static void compare_texts(unsigned long long seed, unsigned int count)
{
	char path[2 * PATH_MAX], command[3 * PATH_MAX];
	struct answer a = {};
	unsigned int shown = 0, answers = 0;
	FILE *in;

	path_of("apiserver", path, sizeof(path));
	snprintf(command, sizeof(command), "'%s' random %llu %u", path, seed, count);
	printf("# seed %llu, %u texts\n", seed, count);
	fflush(stdout);
	in = popen(command, "r");
	assert_non_null(in);
	while (shown < SHOWN_MAX && next_answer(in, &a)) {
		shown += !compare(&a);
		answers++;
		free(a.text);
		free(a.said);
	}
	pclose(in);
	assert_int_equal(shown, 0);
	assert_int_equal(answers, count);
	printf("# accepted by both %lu, refused by both %lu, stated choices %lu\n",
	       accepted_by_both, refused_by_both, chosen);
}

static void texts_of_a_fixed_seed_are_read_as_by_the_api_server(void **state)
{
	if (getenv("WEIR_SEED"))
		skip();
	compare_texts(FIXED_SEED, FIXED_TEXTS);
}

static void random_texts_are_read_as_by_the_api_server(void **state)
{
	compare_texts(random_seed(), random_rounds(RANDOM_TEXTS));
}

/* Otherwise the comparison would prove little. */
static void both_verdicts_are_frequent(void **state)
{
	if (compared < FIXED_TEXTS)
		skip();
	assert_true(accepted_by_both > compared / 5);
	assert_true(refused_by_both > compared / 5);
	assert_true(chosen < compared / 5);
}

/* Without the program: prints why, as the reason of a skip. */
static bool skipped(void)
{
	char path[2 * PATH_MAX], reason[300] = "it was not built: make apiserver";
	FILE *in;

	path_of("apiserver", path, sizeof(path));
	if (!access(path, X_OK))
		return false;
	path_of("skipped", path, sizeof(path));
	in = fopen(path, "r");
	if (in) {
		if (fgets(reason, sizeof(reason), in))
			reason[strcspn(reason, "\n")] = 0;
		fclose(in);
	}
	printf("1..0 # SKIP %s\n", reason);
	return true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_a_fixed_seed_are_read_as_by_the_api_server),
		cmocka_unit_test(random_texts_are_read_as_by_the_api_server),
		cmocka_unit_test(both_verdicts_are_frequent),
	};

	if (skipped())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
