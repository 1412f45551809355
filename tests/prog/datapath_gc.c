// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * gc on private maps: what it removes, when, and what it must keep. Tests make entries older
 * instead of waiting for a timeout.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/prog_env.h"

#define GC_SLOTS 64
#define TARGET 8080
#define SPORT 30000
#define PATIENCE_US 20000000 /* limit of a wait: a virtual CPU may stand still for seconds */
#define ATTEMPTS 50
#define TIMEOUT 1000 /* ticks: every timeout, unless a test sets another */

/* The timer runs, but gc visits no slot (gc_slice 0) until a test calls gc_run() or gc_as(). */
static struct prog_env *with_gc(void **state)
{
	struct prog_env *env = *state;
	struct weir_config config;
	int family = env->family;

	prog_env_free(env);
	*state = env = prog_env_new(family, &(struct prog_sizes){ .conntrack = GC_SLOTS });
	assert_non_null(env);
	prog_serve(env, 1, 80, IPPROTO_TCP, POD_B, TARGET);

	config = prog_config(env);
	for (int i = 0; i < _WEIR_TIMEOUT_MAX; i++)
		config.timeout[i] = TIMEOUT;
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

/*
 * Lets gc visit slice slots every interval_us. Stores these two words only: to write the whole
 * config back would undo what a tick under way counts in it.
 */
static void gc_as(struct prog_env *env, uint32_t slice, uint32_t interval_us)
{
	size_t size = sysconf(_SC_PAGESIZE);
	struct weir_config *c =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, prog_map(env, "config"), 0);

	assert_ptr_not_equal(c, MAP_FAILED);
	__atomic_store_n(&c->gc_slice, slice, __ATOMIC_RELAXED);
	__atomic_store_n(&c->gc_interval_us, interval_us, __ATOMIC_RELAXED);
	munmap(c, size);
}

static void gc_pause(struct prog_env *env)
{
	gc_as(env, 0, prog_config(env).gc_interval_us);
}

/* At least this many whole rounds; then gc pauses. */
static void gc_run(struct prog_env *env, uint32_t rounds)
{
	struct weir_config config = prog_config(env);
	uint64_t until = config.gc_rounds + rounds;

	gc_as(env, GC_SLOTS, config.gc_interval_us);
	for (uint64_t end = now_us() + PATIENCE_US; prog_gc_rounds(env) < until && now_us() < end;)
		usleep(200);
	assert_true(prog_gc_rounds(env) >= until);
	gc_pause(env);
	usleep(3000); /* a tick under way has read the old slice; no map shows its end */
}

static void set_timeout(struct prog_env *env, enum weir_timeout which, uint32_t ticks)
{
	struct weir_config config = prog_config(env);

	config.timeout[which] = ticks;
	prog_config_set(env, &config);
}

static struct prog_sent tcp(struct prog_env *env, enum party src, uint16_t sport, enum party dst,
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

static void expired_flows_are_removed_and_live_ones_stay(void **state)
{
	struct prog_env *env = with_gc(state);

	for (int i = 0; i < 10; i++)
		open_flow(env, SPORT + i);
	for (int i = 0; i < 5; i++)
		open_translated(env, SPORT + 100 + i);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 20);
	prog_flows_age(env, TIMEOUT + 10);
	for (int i = 0; i < 5; i++)
		assert_redirected(tcp(env, POD_A, SPORT + i, POD_B, 80, ACK));
	assert_redirected(
		tcp(env, POD_A, SPORT + 100, VIP_1, 80, ACK)); /* of its forward entry only */
	assert_redirected(
		tcp(env, POD_B, TARGET, POD_A, SPORT + 101, ACK)); /* of its reply entry only */
	gc_run(env, 3);
	for (int i = 0; i < 10; i++)
		assert_int_equal(known(env, SPORT + i), i < 5);
	assert_int_equal(prog_flow_count(env), 5 + 4);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* Open flows too: no packet can follow them, and they would hold their slots for 24 h. */
static void flows_of_a_removed_pod_go_with_the_next_round(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, REMOTE_A, 80, SYN),
			   in = prog_tcp(env, REMOTE_A, SPORT, POD_A, 80, SYN),
			   from_node = prog_udp(env, NODE, SPORT, POD_A, 53);

	open_flow(env, SPORT);
	open_translated(env, SPORT + 1);
	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
	assert_passed(prog_to(env, POD_A, 0, &from_node));
	assert_redirected(tcp(env, POD_C, SPORT, POD_B, 80, SYN));
	assert_redirected(tcp(env, POD_C, SPORT, VIP_1, 80, SYN));
	gc_run(env, 2);
	assert_int_equal(prog_flow_count(env), 6 + 3);
	prog_pod_renew(env, POD_A);
	gc_run(env, 1);
	assert_int_equal(prog_flow_count(env), 3);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void every_state_has_its_own_timeout(void **state)
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
		set_timeout(env, order[i], 50);
		gc_run(env, 3);
		assert_int_equal(prog_flow_count(env), 6 - i);
	}
	assert_null(prog_gc_slots_check(env, NULL));
}

/* One forged RST, with any sequence number, on an idle connection. */
static void a_reset_from_outside_alone_never_shortens_the_life_of_an_open_flow(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec out = prog_tcp(env, POD_A, SPORT, REMOTE_A, 80, SYN),
			   in = prog_tcp(env, REMOTE_A, 80, POD_A, SPORT, SYN | ACK);

	assert_passed(prog_from(env, POD_A, &out));
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
	out.tcp_flags = ACK;
	assert_passed(prog_from(env, POD_A, &out));
	in.tcp_flags = RST;
	assert_passed(prog_to(env, POD_A, PROG_UPLINK, &in));
	set_timeout(env, WEIR_TIMEOUT_TCP_CLOSING, 50);
	prog_flows_age(env, 100);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 1);
	assert_passed(prog_from(env, POD_A, &out));
	out.tcp_flags = RST; /* the pod's own ends it */
	assert_passed(prog_from(env, POD_A, &out));
	prog_flows_age(env, 100);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 0);
}

/* A flow or a gc slot as gc left it: gc marks it in one round and removes it in a later one. */
enum mark {
	UNMARKED,
	MARKED,
	GONE,
};

static enum mark mark_of_flow(const struct prog_env *env, uint32_t port)
{
	struct packet_spec spec = prog_tcp(env, POD_A, port, POD_B, 80, ACK);
	struct weir_flow flow;

	if (!prog_flow(env, &spec, 0, &flow))
		return GONE;
	return flow.flags & WEIR_FLOW_EXPIRING ? MARKED : UNMARKED;
}

/* By weir_key_slot.mark: free, in use, suspect. */
static enum mark mark_of_gc_slot(const struct prog_env *env, uint32_t slot)
{
	static const enum mark marks[] = { [WEIR_GC_FREE] = GONE,
					   [WEIR_GC_USED] = UNMARKED,
					   [WEIR_GC_HALF_OPEN] = UNMARKED,
					   [WEIR_GC_SUSPECT] = MARKED };
	struct weir_key_slot k;

	prog_get(env, "gc_slots", &slot, &k);
	return marks[k.mark.used];
}

/*
 * Polls until the mark is there; returns when it was last absent. 0: it was removed between two
 * polls that lie further apart than removal_us, the least time from mark to removal: this thread
 * was delayed and saw nothing.
 */
static uint64_t wait_for_mark(const struct prog_env *env,
			      enum mark (*look)(const struct prog_env *, uint32_t), uint32_t which,
			      uint64_t removal_us)
{
	uint64_t before = now_us(), end = before + PATIENCE_US, at;
	enum mark mark;

	for (; before < end; before = at, usleep(200)) {
		at = now_us();
		mark = look(env, which);
		if (mark == MARKED)
			return before;
		if (mark == UNMARKED)
			continue;
		if (now_us() - before < removal_us)
			fail_msg("removed without having been marked");
		return 0;
	}
	fail_msg("not marked");
	return 0;
}

/* gc on an expired flow. Returns as wait_for_mark(). */
static uint64_t gc_until_expiring(struct prog_env *env, uint16_t port, uint32_t slice,
				  uint32_t interval_us, uint64_t removal_us)
{
	open_flow(env, port);
	prog_flows_age(env, TIMEOUT + 10);
	gc_as(env, slice, interval_us);
	return wait_for_mark(env, mark_of_flow, port, removal_us);
}

static void removal_takes_two_rounds(void **state)
{
	struct prog_env *env = with_gc(state);
	const uint64_t round_us =
		(GC_SLOTS - 2) * 1000; /* one gc slot a tick of 1 ms; a tick may be under way */
	uint16_t port = SPORT;
	struct packet_spec spec;
	struct weir_flow flow;
	uint64_t marked;

	do {
		marked = gc_until_expiring(env, ++port, 1, 1000, round_us);
		gc_pause(env);
	} while ((!marked || now_us() - marked > round_us) && port < SPORT + ATTEMPTS);
	spec = prog_tcp(env, POD_A, port, POD_B, 80, ACK);
	assert_true(known(env, port));
	/* a packet before the second round keeps it */
	assert_redirected(tcp(env, POD_B, 80, POD_A, port, PSH | ACK));
	assert_true(prog_flow(env, &spec, 0, &flow));
	assert_int_equal(flow.flags & (WEIR_FLOW_EXPIRING | WEIR_FLOW_DEAD), 0);
	gc_run(env, 3);
	assert_true(known(env, port));
}

/* Replies write the reply entry; the mark is on the forward entry. */
static void a_reply_keeps_a_marked_pair(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec spec = prog_tcp(env, POD_A, SPORT, VIP_1, 80, ACK);
	struct weir_tuple key;
	struct weir_flow flow;

	open_translated(env, SPORT);
	prog_flows_age(env, TIMEOUT + 10);
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

static void orphaned_gc_slots_are_freed(void **state)
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
 * A gc slot is filled before its entry is inserted: without an entry it may belong to a flow that
 * is being inserted.
 */
static void a_gc_slot_without_a_flow_is_freed_in_the_second_round(void **state)
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
		gc_as(env, GC_SLOTS, tick_us);
		seen = wait_for_mark(env, mark_of_gc_slot, flow.gc_slot, tick_us);
		gc_pause(env);
	}
	assert_true(seen > 0);
	gc_as(env, 0, 1000);
	gc_run(env, 3);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* While gc pauses. */
static void count_half_open(struct prog_env *env, uint32_t bucket, int n)
{
	struct weir_config config = prog_config(env);
	struct weir_flow_share share;

	prog_get(env, "flow_shares", &bucket, &share);
	share.half_open += n;
	config.half_open += n;
	prog_set(env, "flow_shares", &bucket, &share);
	prog_config_set(env, &config);
}

/* As gc leaves the slot of an entry that is not inserted yet; then gc finds the entry. */
static void check_suspect(struct prog_env *env, const struct packet_spec *spec,
			  enum weir_gc_use use)
{
	struct weir_key_slot k;
	struct weir_flow flow;

	assert_true(prog_flow(env, spec, 0, &flow));
	prog_get(env, "gc_slots", &flow.gc_slot, &k);
	assert_int_equal(k.mark.used, use);
	k.mark.used = WEIR_GC_SUSPECT;
	prog_set(env, "gc_slots", &flow.gc_slot, &k);
	if (use == WEIR_GC_HALF_OPEN)
		count_half_open(env, k.mark.bucket, -1);
	gc_run(env, 3);
	assert_true(prog_flow(env, spec, 0, NULL));
	prog_get(env, "gc_slots", &flow.gc_slot, &k);
	assert_int_equal(k.mark.used, use);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void the_gc_slot_of_a_flow_being_inserted_is_not_freed(void **state)
{
	struct prog_env *env = with_gc(state);
	struct packet_spec open = prog_tcp(env, POD_A, SPORT, POD_B, 80, ACK);
	struct packet_spec half_open = prog_tcp(env, POD_A, SPORT + 1, POD_B, 80, SYN);

	open_flow(env, SPORT);
	check_suspect(env, &open, WEIR_GC_USED);
	assert_redirected(prog_from(env, POD_A, &half_open));
	check_suspect(env, &half_open, WEIR_GC_HALF_OPEN);
}

/*
 * A slice larger than the table must not mark and remove in one tick: readers may hold the entry.
 */
static void removal_takes_two_ticks_in_a_small_table_too(void **state)
{
	struct prog_env *env = with_gc(state);
	const uint32_t tick_us = 300000;
	uint16_t port = SPORT;
	uint64_t end;

	while (!gc_until_expiring(env, ++port, 8 * GC_SLOTS, tick_us, tick_us) &&
	       port < SPORT + ATTEMPTS)
		gc_pause(env);
	assert_in_range(port, SPORT, SPORT + ATTEMPTS - 1);
	for (end = now_us() + PATIENCE_US; prog_flow_count(env) && now_us() < end;)
		usleep(200);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* A race may leave either entry of a pair without the other; gc removes it after its timeout. */
static void single_entries_of_pairs_expire(void **state)
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
	prog_flows_age(env, TIMEOUT + 10);
	gc_run(env, 3);
	assert_int_equal(prog_flow_count(env), 0);
	assert_null(prog_gc_slots_check(env, NULL));
}

/* Every flow expires at once (timeout -1), and gc runs without a pause. */
static void gc_without_pause(struct prog_env *env)
{
	struct weir_config config = prog_config(env);

	for (int i = 0; i < _WEIR_TIMEOUT_MAX; i++)
		config.timeout[i] = -1;
	config.gc_slice = 2 * GC_SLOTS;
	config.gc_interval_us = 100;
	prog_config_set(env, &config);
}

/* Without reading the counters, which takes longer than a round. */
static void send_raw(struct prog_env *env, enum party from, struct packet_spec spec)
{
	struct packet packet = packet_build(&spec), out;

	prog_run_raw(env, FROM_POD(from), &packet, &out);
}

/*
 * Returns how many packets took so long that two rounds of gc began meanwhile. Such a packet may
 * have been delayed between filling its gc slot and inserting its entry, and lost the slot:
 * possible with rounds of 100 us, not with those of seconds.
 */
static uint32_t traffic_beside_gc(struct prog_env *env)
{
	uint64_t before = prog_gc_rounds(env), after;
	uint32_t delayed = 0;

	for (int i = 0; i < 6000; i++, before = after) {
		send_raw(env, POD_A,
			 prog_tcp(env, POD_A, SPORT + i % 50, i % 3 ? VIP_1 : POD_B,
				  i % 3 ? 80 : TARGET, SYN));
		if (i % 4 == 0)
			send_raw(env, POD_B,
				 prog_tcp(env, POD_B, TARGET, POD_A, SPORT + i % 50, SYN | ACK));
		after = prog_gc_rounds(env);
		delayed += after - before >= 2;
	}
	return delayed;
}

/* NULL, or what is left after many rounds. */
static const char *left_behind(struct prog_env *env)
{
	for (int i = 0; i < 5; i++)
		gc_run(env, 4);
	return prog_flow_count(env) ? "an entry that gc does not remove"
				    : prog_gc_slots_check(env, NULL);
}

static void traffic_and_gc_lose_no_slot(void **state)
{
	const char *wrong = "";

	for (int i = 0; i < 5 && wrong; i++) {
		struct prog_env *env = with_gc(state);
		uint32_t delayed;

		gc_without_pause(env);
		delayed = traffic_beside_gc(env);
		wrong = left_behind(env);
		if (wrong && !delayed)
			fail_msg("%s", wrong);
		if (wrong)
			print_message("# again: %u packets were delayed, %s\n", delayed, wrong);
	}
	if (wrong)
		fail_msg("%s, each time", wrong);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(expired_flows_are_removed_and_live_ones_stay),
		FOR_BOTH(flows_of_a_removed_pod_go_with_the_next_round),
		FOR_BOTH(every_state_has_its_own_timeout),
		FOR_BOTH(a_reset_from_outside_alone_never_shortens_the_life_of_an_open_flow),
		FOR_BOTH(removal_takes_two_rounds),
		FOR_BOTH(a_reply_keeps_a_marked_pair),
		FOR_BOTH(orphaned_gc_slots_are_freed),
		FOR_BOTH(a_gc_slot_without_a_flow_is_freed_in_the_second_round),
		FOR_BOTH(the_gc_slot_of_a_flow_being_inserted_is_not_freed),
		FOR_BOTH(removal_takes_two_ticks_in_a_small_table_too),
		FOR_BOTH(single_entries_of_pairs_expire),
		FOR_BOTH(traffic_and_gc_lose_no_slot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
