// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two CPUs and one connection: packets of the same new flow sent at the same
 * moment by two threads, each on a CPU of its own. Whoever wins, there is one
 * pair of entries and both packets left the same way.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lib/prog_env.h"

#define ROUNDS 1500
/*
 * Rounds in which a packet may lose twice and be dropped (its sender tries again): a hypervisor that takes one CPU away
 * between the two inserts of a pair lets the other see a half. The defect that direct_and_vip was written for showed in a third of them.
 */
#define LOST_MAX (ROUNDS / 300)
#define PLACES 16384
#define TARGET 8080
#define FIRST 1024

/* What one thread sends in a round, and what became of it. */
struct side {
	struct prog_env *env;
	int cpu;
	struct packet packet, out;
	enum prog_hook hook;
	enum who pod;
	int verdict;
	pthread_t thread;
};

static atomic_int go, done;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run(struct side *side)
{
	side->verdict =
		prog_run_raw(side->env, side->hook, side->pod, PROG_DEVICE(side->pod), &side->packet, &side->out);
}

/* The second side: waits for the word, sends, and says so; a negative word ends it. */
static void *other_side(void *arg)
{
	struct side *side = arg;
	int seen = 0, word;

	pin(side->cpu);
	while ((word = atomic_load(&go)) >= 0) {
		if (word == seen)
			continue;
		seen = word;
		run(side);
		atomic_store(&done, seen);
	}
	return NULL;
}

static void both(struct side *sides, int round)
{
	atomic_store(&go, round);
	run(&sides[0]);
	while (atomic_load(&done) != round)
		;
}

static struct prog_env *start(void **state, struct side *sides)
{
	static const uint32_t run_of_two[] = { 1, 2 };
	struct prog_env *env = *state;
	int family = env->family;

	prog_env_free(env);
	*state = env = prog_env_new(family, &(struct prog_sizes){ .conntrack = PLACES, .half_open = PLACES });
	assert_non_null(env);
	for (uint32_t service = 1; service <= 2; service++) {
		prog_backend(env, service, service, POD_B, TARGET, 0);
		prog_service(env, service, WEIR_SERVICE_USABLE, service - 1, 1);
		prog_frontend(env, VIP_1 + service - 1, 80, IPPROTO_TCP, service);
	}
	prog_run(env, 0, run_of_two, 2);
	atomic_store(&go, 0);
	atomic_store(&done, 0);
	for (int i = 0; i < 2; i++)
		sides[i] = (struct side){ .env = env, .cpu = i, .hook = PROG_FROM_POD, .pod = POD_A };
	pin(0);
	assert_int_equal(pthread_create(&sides[1].thread, NULL, other_side, &sides[1]), 0);
	return env;
}

static void finish(struct side *sides)
{
	atomic_store(&go, -1);
	pthread_join(sides[1].thread, NULL);
}

/* One CPU: nothing can race. */
static bool one_cpu(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		return false;
	print_message("skipped: needs two CPUs\n");
	return true;
}

/* Counts a bad round and says what the first ones were. */
static int note(int bad, int round, const struct side *sides)
{
	static int said;

	if (bad && said++ < 5)
		print_message("round %d: verdicts %d %d\n", round, sides[0].verdict, sides[1].verdict);
	return !!bad;
}

static struct packet_spec out_of(const struct side *side)
{
	struct packet_spec spec;
	const char *wrong = packet_read(&side->out, &spec);

	if (wrong)
		fail_msg("%s", wrong);
	return spec;
}

static void the_same_new_flow_on_two_cpus_is_one_pair(void **state)
{
	struct side sides[2];
	struct prog_env *env;
	int bad = 0;

	if (one_cpu())
		skip();
	env = start(state, sides);
	for (int i = 1; i <= ROUNDS; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, FIRST + i, VIP_1, 80, SYN), out[2];

		sides[0].packet = sides[1].packet = packet_build(&spec);
		both(sides, i);
		out[0] = out_of(&sides[0]);
		out[1] = out_of(&sides[1]);
		bad += note(sides[0].verdict != TC_ACT_REDIRECT || sides[1].verdict != TC_ACT_REDIRECT ||
				    out[0].sport != FIRST + i || out[1].sport != FIRST + i ||
				    out[1].dport != TARGET,
			    i, sides);
	}
	finish(sides);
	assert_in_range(bad, 0, LOST_MAX);
	assert_in_range(prog_flow_count(env), 2 * (ROUNDS - LOST_MAX), 2 * ROUNDS);
	assert_null(prog_places_check(env, NULL));
}

/* Two ways to one reply tuple at once: both pass, by different client ports. */
static void collide(void **state, enum who to, uint16_t port)
{
	struct side sides[2];
	struct prog_env *env;
	int bad = 0;

	if (one_cpu())
		skip();
	env = start(state, sides);
	for (int i = 1; i <= ROUNDS; i++) {
		struct packet_spec first = prog_tcp(env, POD_A, FIRST + i, VIP_1, 80, SYN),
				   second = prog_tcp(env, POD_A, FIRST + i, to, port, SYN), out[2];

		sides[0].packet = packet_build(&first);
		sides[1].packet = packet_build(&second);
		both(sides, i);
		out[0] = out_of(&sides[0]);
		out[1] = out_of(&sides[1]);
		bad += note(sides[0].verdict != TC_ACT_REDIRECT || sides[1].verdict != TC_ACT_REDIRECT ||
				    out[0].sport == out[1].sport,
			    i, sides);
	}
	finish(sides);
	assert_in_range(bad, 0, LOST_MAX);
	assert_null(prog_places_check(env, NULL));
}

static void two_vips_on_two_cpus_get_two_ports(void **state)
{
	collide(state, VIP_2, 80);
}

static void direct_and_vip_on_two_cpus_get_two_ports(void **state)
{
	collide(state, POD_B, TARGET);
}

/* A closing flow taken over by the same SYN twice. */
static void a_closing_flow_taken_over_on_two_cpus_is_one_pair(void **state)
{
	struct side sides[2];
	struct prog_env *env;
	uint32_t orphans;
	int bad = 0;

	if (one_cpu())
		skip();
	env = start(state, sides);
	for (int i = 1; i <= ROUNDS; i++) {
		struct packet_spec spec = prog_tcp(env, POD_A, FIRST + i % 7, VIP_1, 80, SYN), rst = spec, reply;
		struct packet packet;

		sides[0].packet = sides[1].packet = packet_build(&spec);
		both(sides, i);
		bad += note(sides[0].verdict != TC_ACT_REDIRECT || sides[1].verdict != TC_ACT_REDIRECT, i, sides);
		reply = prog_tcp(env, POD_B, TARGET, POD_A, out_of(&sides[0]).sport, SYN | ACK);
		packet = packet_build(&reply);
		sides[0].verdict =
			prog_run_raw(env, PROG_FROM_POD, POD_B, PROG_DEVICE(POD_B), &packet, &sides[0].out);
		bad += note(sides[0].verdict != TC_ACT_REDIRECT, i, sides);
		rst.tcp_flags = RST;
		packet = packet_build(&rst);
		prog_run_raw(env, PROG_FROM_POD, POD_A, PROG_DEVICE(POD_A), &packet, &sides[0].out);
	}
	finish(sides);
	assert_in_range(bad, 0, LOST_MAX);
	/* whose memory was used again while both removed the old flow may leave its place to the sweep, never lose it */
	assert_null(prog_places_check(env, &orphans));
	assert_in_range(orphans, 0, ROUNDS / 100);
	assert_int_equal(prog_flow_count(env), 14);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(the_same_new_flow_on_two_cpus_is_one_pair),
		FOR_BOTH(two_vips_on_two_cpus_get_two_ports),
		FOR_BOTH(direct_and_vip_on_two_cpus_get_two_ports),
		FOR_BOTH(a_closing_flow_taken_over_on_two_cpus_is_one_pair),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
