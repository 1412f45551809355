// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * gc on private maps: what it removes, when, and what it must leave. Time passes by making entries
 * older, so that no test waits for a time limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "lib/prog_env.h"

#define PLACES 64
#define TARGET 8080
#define SPORT 30000
#define PATIENCE_US 20000000 /* for what must come: a CPU may stand still for long */
#define ATTEMPTS 50
#define LIMIT 1000 /* ticks: every time limit, unless a test sets another */

/* Rounds are taken in single steps: the timer runs, but looks at nothing until asked. */
static struct prog_env *with_gc(void **state)
{
	static const uint32_t run[] = { 1 };
	struct prog_env *env = *state;
	struct weir_config config;
	int family = env->family;

	prog_env_free(env);
	*state = env = prog_env_new(family, &(struct prog_sizes){ .conntrack = PLACES });
	assert_non_null(env);
	prog_backend(env, 1, 1, POD_B, TARGET, 0);
	prog_run(env, 0, run, 1);
	prog_service(env, 1, WEIR_SERVICE_USABLE, 0, 1);
	prog_frontend(env, VIP_1, 80, IPPROTO_TCP, 1);
	config = prog_config(env);
	for (int i = 0; i < _WEIR_TIMEOUT_MAX; i++)
		config.timeout[i] = LIMIT;
	config.gc_slice = 0;
	config.gc_interval_us = 1000;
	prog_config_set(env, &config);
	prog_gc_start(env);
	return env;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

/* At least n whole rounds; then gc rests again. */
static void gc_run(struct prog_env *env, uint32_t rounds)
{
	struct weir_config config = prog_config(env);
	uint64_t until;

	config.gc_slice = PLACES;
	until = config.gc_rounds + rounds;
	prog_config_set(env, &config);
	for (uint64_t end = now_us() + PATIENCE_US; prog_gc_rounds(env) < until && now_us() < end;)
		usleep(200);
	config = prog_config(env);
	assert_true(config.gc_rounds >= until);
	config.gc_slice = 0;
	prog_config_set(env, &config);
	usleep(3000);
}

static void set_limit(struct prog_env *env, enum weir_timeout which, uint32_t ticks)
{
	struct weir_config config = prog_config(env);

	config.timeout[which] = ticks;
	prog_config_set(env, &config);
}

static struct prog_sent tcp(struct prog_env *env, enum who src, uint16_t sport, enum who dst,
			    uint16_t dport, uint8_t flags)
{
	struct packet_spec spec = prog_tcp(env, src, sport, dst, dport, flags);

	return prog_from(env, src, &spec);
}

static bool known(struct prog_env *env, uint16_t port)
{
	struct packet_spec spec = prog_tcp(env, POD_A, port, POD_B, 80, 0);

	return prog_flow(env, &spec, 0, NULL);
}

static void open_flow(struct prog_env *env, uint16_t port)
{
	assert_redirected(tcp(env, POD_A, port, POD_B, 80, SYN));
	assert_redirected(tcp(env, POD_B, 80, POD_A, port, SYN | ACK));
	assert_redirected(tcp(env, POD_A, port, POD_B, 80, ACK));
}

static void open_translated(struct prog_env *env, uint16_t port)
{
	assert_redirected(tcp(env, POD_A, port, VIP_1, 80, SYN));
	assert_redirected(tcp(env, POD_B, TARGET, POD_A, port, SYN | ACK));
	assert_redirected(tcp(env, POD_A, port, VIP_1, 80, ACK));
}

static void what_is_over_goes_and_what_lives_stays(void **state)
{
	struct prog_env *env = with_gc(state);

	for (int i = 0; i < 10; i++)
		open_flow(env, SPORT + i);
	for (int i = 0; i < 5; i++)
		open_translated(env, SPORT + 100 + i);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 20);
	prog_flows_age(env, LIMIT + 10);
	for (int i = 0; i < 5; i++)
		assert_redirected(tcp(env, POD_A, SPORT + i, POD_B, 80, ACK));
	assert_redirected(tcp(env, POD_A, SPORT + 100, VIP_1, 80, ACK)); /* its forward half only */
	assert_redirected(
		tcp(env, POD_B, TARGET, POD_A, SPORT + 101, ACK)); /* its reply half only */
	gc_run(env, 3);
	for (int i = 0; i < 10; i++)
		assert_int_equal(known(env, SPORT + i), i < 5);
	assert_int_equal(prog_flow_count(env), 5 + 4);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void every_state_has_its_own_limit(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec lone = prog_udp(env, POD_A, 1, POD_B, 53),
			   asked = prog_udp(env, POD_A, 2, POD_B, 53),
			   answer = prog_udp(env, POD_B, 53, POD_A, 2),
			   echo = prog_echo(env, POD_A, POD_B, 9, false),
			   esp = prog_echo(env, POD_A, POD_B, 0, false);
	enum weir_timeout order[] = {
		WEIR_TIMEOUT_TCP_OPENING, WEIR_TIMEOUT_TCP_OPEN,     WEIR_TIMEOUT_TCP_CLOSING,
		WEIR_TIMEOUT_UDP_ONE_WAY, WEIR_TIMEOUT_UDP_ANSWERED, WEIR_TIMEOUT_ECHO,
		WEIR_TIMEOUT_OTHER,
	};

	esp.proto = IPPROTO_ESP;
	assert_redirected(tcp(env, POD_A, SPORT, POD_B, 80, SYN));
	open_flow(env, SPORT + 1);
	open_flow(env, SPORT + 2);
	assert_redirected(tcp(env, POD_A, SPORT + 2, POD_B, 80, RST));
	assert_redirected(prog_from(env, POD_A, &lone));
	assert_redirected(prog_from(env, POD_A, &asked));
	assert_redirected(prog_from(env, POD_B, &answer));
	assert_redirected(prog_from(env, POD_A, &echo));
	assert_redirected(prog_from(env, POD_A, &esp));
	assert_int_equal(prog_flow_count(env), 7);
	prog_flows_age(env, 100);
	for (uint32_t i = 0; i < 7; i++) {
		set_limit(env, order[i], 50);
		gc_run(env, 3);
		assert_int_equal(prog_flow_count(env), 6 - i);
	}
	assert_null(prog_gc_slots_check(env, NULL));
}

enum sight {
	UNMARKED,
	MARKED,
	GONE,
};

static enum sight look_at_flow(const struct prog_env *env, uint32_t port)
{
	struct packet_spec spec = prog_tcp(env, POD_A, port, POD_B, 80, ACK);
	struct weir_flow flow;

	if (!prog_flow(env, &spec, 0, &flow))
		return GONE;
	return flow.flags & WEIR_FLOW_EXPIRING ? MARKED : UNMARKED;
}

/* A place without a flow: in use, then suspect, then free. */
static enum sight look_at_place(const struct prog_env *env, uint32_t place)
{
	static const enum sight sights[] = { GONE, UNMARKED, MARKED };
	struct weir_key_slot k;

	prog_get(env, "gc_slots", &place, &k);
	return sights[k.used];
}

/*
 * Looks until the mark is there; returns the last look before that, on the clock. 0: what was
 * looked at went between two looks that lie further apart than the time from mark to removal, so
 * this thread stood still and saw nothing.
 */
static uint64_t see_mark(const struct prog_env *env,
			 enum sight (*look)(const struct prog_env *, uint32_t), uint32_t which,
			 uint64_t removal_us)
{
	uint64_t before = now_us(), end = before + PATIENCE_US, at;
	enum sight sight;

	for (; before < end; before = at, usleep(200)) {
		at = now_us();
		sight = look(env, which);
		if (sight == MARKED)
			return before;
		if (sight == UNMARKED)
			continue;
		if (now_us() - before < removal_us)
			fail_msg("removed without having been marked");
		return 0;
	}
	fail_msg("not marked");
	return 0;
}

static void gc_as(struct prog_env *env, uint32_t slice, uint32_t interval_us)
{
	struct weir_config config = prog_config(env);

	config.gc_slice = slice;
	config.gc_interval_us = interval_us;
	prog_config_set(env, &config);
}

/* gc upon a flow that is over. As see_mark(). */
static uint64_t gc_until_expiring(struct prog_env *env, uint16_t port, uint32_t slice,
				  uint32_t interval_us, uint64_t removal_us)
{
	open_flow(env, port);
	prog_flows_age(env, LIMIT + 10);
	gc_as(env, slice, interval_us);
	return see_mark(env, look_at_flow, port, removal_us);
}

static void rest(struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	config.gc_slice = 0;
	prog_config_set(env, &config);
}

static void removal_takes_two_rounds(void **state)
{
	struct prog_env *env = with_gc(state);
	const uint64_t round_us =
		(PLACES - 2) * 1000; /* one place a tick of 1 ms; a tick may be under way */
	uint16_t port = SPORT;
	struct packet_spec spec;
	struct weir_flow flow;
	uint64_t marked;

	do {
		marked = gc_until_expiring(env, ++port, 1, 1000, round_us);
		rest(env);
	} while ((!marked || now_us() - marked > round_us) && port < SPORT + ATTEMPTS);
	spec = prog_tcp(env, POD_A, port, POD_B, 80, ACK);
	assert_true(known(env, port));
	/* a packet in between saves it */
	assert_redirected(tcp(env, POD_B, 80, POD_A, port, PSH | ACK));
	assert_true(prog_flow(env, &spec, 0, &flow));
	assert_int_equal(flow.flags & (WEIR_FLOW_EXPIRING | WEIR_FLOW_DEAD), 0);
	gc_run(env, 3);
	assert_true(known(env, port));
}

/* The reply's packets write their own entry; the mark is on the other. */
static void a_reply_saves_a_marked_pair(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, VIP_1, 80, ACK);
	struct weir_tuple key;
	struct weir_flow flow;

	open_translated(env, SPORT);
	prog_flows_age(env, LIMIT + 10);
	assert_true(prog_flow(env, &spec, 0, &flow));
	flow.flags |= WEIR_FLOW_EXPIRING;
	weir_tuple_make(&key, &spec.src, htons(SPORT), &spec.dst, htons(80), IPPROTO_TCP, 0);
	prog_set(env, "conntrack", &key, &flow);
	assert_redirected(tcp(env, POD_B, TARGET, POD_A, SPORT, PSH | ACK));
	gc_run(env, 3);
	assert_true(prog_flow(env, &spec, 0, &flow));
	assert_int_equal(flow.flags & WEIR_FLOW_EXPIRING, 0);
	assert_int_equal(prog_flow_count(env), 2);
}

static void orphaned_places_are_given_back(void **state)
{
	struct prog_env *env = with_gc(state);
	uint32_t orphans;

	for (int i = 0; i < 10; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, SPORT + i, POD_B, 80, SYN);
		struct weir_tuple key;

		assert_redirected(prog_from(env, POD_A, &spec));
		if (i % 2)
			continue;
		weir_tuple_make(&key, &spec.src, htons(SPORT + i), &spec.dst, htons(80),
				IPPROTO_TCP, 0);
		prog_unset(env, "conntrack", &key);
	}
	assert_null(prog_gc_slots_check(env, &orphans));
	assert_int_equal(orphans, 5);
	gc_run(env, 3);
	assert_null(prog_gc_slots_check(env, NULL));
	assert_int_equal(prog_flow_count(env), 5);
}

/*
 * A place is filled before its entry is inserted: at first sight without one it may be that of a
 * flow being made.
 */
static void a_place_without_a_flow_is_freed_at_second_sight(void **state)
{
	struct prog_env *env = with_gc(state);
	const uint32_t tick_us = 300000;
	uint64_t seen = 0;

	for (int i = 0; i < ATTEMPTS && !seen; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, SPORT + i, POD_B, 80, SYN);
		struct weir_tuple key;
		struct weir_flow flow;

		assert_redirected(prog_from(env, POD_A, &spec));
		assert_true(prog_flow(env, &spec, 0, &flow));
		weir_tuple_make(&key, &spec.src, htons(SPORT + i), &spec.dst, htons(80),
				IPPROTO_TCP, 0);
		prog_unset(env, "conntrack", &key);
		gc_as(env, PLACES, tick_us);
		seen = see_mark(env, look_at_place, flow.gc_slot, tick_us);
		rest(env);
	}
	assert_true(seen > 0);
	gc_as(env, 0, 1000);
	gc_run(env, 3);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void the_place_of_a_flow_being_made_is_not_taken_away(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, POD_B, 80, SYN);
	struct weir_key_slot k;
	struct weir_flow flow;

	assert_redirected(prog_from(env, POD_A, &spec));
	assert_true(prog_flow(env, &spec, 0, &flow));
	prog_get(env, "gc_slots", &flow.gc_slot, &k);
	k.used = 2; /* as gc leaves it when the entry was not there yet */
	prog_set(env, "gc_slots", &flow.gc_slot, &k);
	gc_run(env, 3);
	assert_true(prog_flow(env, &spec, 0, NULL));
	prog_get(env, "gc_slots", &flow.gc_slot, &k);
	assert_int_equal(k.used, 1);
	assert_null(prog_gc_slots_check(env, NULL));
}

/*
 * A slice larger than the table must not mark and remove in one tick: readers need the time in
 * between.
 */
static void removal_takes_two_ticks_in_a_small_table_too(void **state)
{
	struct prog_env *env = with_gc(state);
	const uint32_t tick_us = 300000;
	uint16_t port = SPORT;
	uint64_t end;

	while (!gc_until_expiring(env, ++port, 8 * PLACES, tick_us, tick_us) &&
	       port < SPORT + ATTEMPTS)
		rest(env);
	assert_in_range(port, SPORT, SPORT + ATTEMPTS - 1);
	for (end = now_us() + PATIENCE_US; prog_flow_count(env) && now_us() < end;)
		usleep(200);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

/*
 * Either half of a pair may lose the other in a race; both are found and removed when their time is
 * over.
 */
static void halves_of_pairs_do_not_outlive_their_time(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec forward = prog_tcp(env, POD_A, SPORT, VIP_1, 80, 0),
			   reply = prog_tcp(env, POD_A, SPORT + 1, POD_B, TARGET, 0);
	struct weir_tuple key;

	open_translated(env, SPORT);
	open_translated(env, SPORT + 1);
	weir_tuple_make(&key, &forward.src, htons(SPORT), &forward.dst, htons(80), IPPROTO_TCP, 0);
	prog_unset(env, "conntrack", &key);
	weir_tuple_make(&key, &reply.src, htons(SPORT + 1), &reply.dst, htons(TARGET), IPPROTO_TCP,
			0);
	prog_unset(env, "conntrack", &key);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 2);
	prog_flows_age(env, LIMIT + 10);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* Everything is over at once (a limit of -1), and gc never rests. */
static void gc_without_rest(struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	for (int i = 0; i < _WEIR_TIMEOUT_MAX; i++)
		config.timeout[i] = -1;
	config.gc_slice = 2 * PLACES;
	config.gc_interval_us = 100;
	prog_config_set(env, &config);
}

/* Without a look at the counters, which takes longer than a round. */
static void send_raw(struct prog_env *env, enum who from, struct packet_spec spec)
{
	struct packet packet = packet_build(&spec), out;

	prog_run_raw(env, PROG_FROM_POD, from, PROG_DEVICE(from), &packet, &out);
}

/*
 * Returns how many packets took so long that two rounds of gc began meanwhile. Such a one may have
 * stood still with its place filled and its entry not yet there, and lost the place: rounds of 100
 * us allow it, those of seconds do not.
 */
static uint32_t traffic_beside_gc(struct prog_env *env)
{
	uint64_t before = prog_gc_rounds(env), after;
	uint32_t stood_still = 0;

	for (int i = 0; i < 6000; i++, before = after) {
		send_raw(env, POD_A,
			 prog_tcp(env, POD_A, SPORT + i % 50, i % 3 ? VIP_1 : POD_B,
				  i % 3 ? 80 : TARGET, SYN));
		if (i % 4 == 0)
			send_raw(env, POD_B,
				 prog_tcp(env, POD_B, TARGET, POD_A, SPORT + i % 50, SYN | ACK));
		after = prog_gc_rounds(env);
		stood_still += after - before >= 2;
	}
	return stood_still;
}

/* NULL, or what stays however often gc comes by. */
static const char *left_behind(struct prog_env *env)
{
	for (int i = 0; i < 5; i++)
		gc_run(env, 4);
	return prog_flow_count(env) ? "an entry that gc does not find"
				    : prog_gc_slots_check(env, NULL);
}

static void traffic_and_gc_lose_no_slot(void **state)
{
	const char *wrong = "";

	for (int i = 0; i < 5 && wrong; i++) {
		struct prog_env *env = with_gc(state);
		uint32_t stood_still;

		gc_without_rest(env);
		stood_still = traffic_beside_gc(env);
		wrong = left_behind(env);
		if (wrong && !stood_still)
			fail_msg("%s", wrong);
		if (wrong)
			print_message("# once more: %u packets stood still, %s\n", stood_still,
				      wrong);
	}
	if (wrong)
		fail_msg("%s, each time", wrong);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(what_is_over_goes_and_what_lives_stays),
		FOR_BOTH(every_state_has_its_own_limit),
		FOR_BOTH(removal_takes_two_rounds),
		FOR_BOTH(a_reply_saves_a_marked_pair),
		FOR_BOTH(orphaned_places_are_given_back),
		FOR_BOTH(a_place_without_a_flow_is_freed_at_second_sight),
		FOR_BOTH(the_place_of_a_flow_being_made_is_not_taken_away),
		FOR_BOTH(removal_takes_two_ticks_in_a_small_table_too),
		FOR_BOTH(halves_of_pairs_do_not_outlive_their_time),
		FOR_BOTH(traffic_and_gc_lose_no_slot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
