/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Session affinity: new connections of a client go to the backend of its last one while its time is
 * not over, whatever the frontend. Clocks are moved by changing the record. Four backends differ by
 * port; without affinity, connections spread over them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lib/prog_env.h"

#define PORT 80
#define NODE_PORT 30080
#define TARGET 8080 /* and the next three */
#define BACKENDS 4
#define SECONDS 100
#define NS 1000000000ull
#define ALL_LISTS WEIR_BACKEND_LISTED_ALL

static uint16_t next_port; /* each connection has a port of its own */

static void set_backend(struct prog_env *env, uint32_t id, uint16_t lists, uint32_t generation)
{
	struct weir_backend b = {
		.addr = prog_addr(env, REMOTE_A),
		.port_be = htons(TARGET + id - 1),
		.flags = WEIR_BACKEND_TAKEN | WEIR_BACKEND_SERVING | lists,
		.service = 1,
		.generation = generation,
	};

	prog_set(env, "backends", &id, &b);
}

static void set_affinity(struct prog_env *env, uint32_t seconds, uint32_t count)
{
	uint32_t id = 1;
	struct weir_service s = {
		.flags = WEIR_SERVICE_USABLE | count << WEIR_AFFINITY_COUNT_SHIFT,
		.affinity_s = seconds,
	};

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		s.extents[list] = weir_extent(1, BACKENDS);
	prog_set(env, "services", &id, &s);
}

static void serve(struct prog_env *env)
{
	static const uint32_t ids[BACKENDS] = { 1, 2, 3, 4 };

	next_port = 40000;
	for (uint32_t id = 1; id <= BACKENDS; id++)
		set_backend(env, id, ALL_LISTS, 0);
	prog_backend_slots(env, 1, ids, BACKENDS);
	set_affinity(env, SECONDS, 1);
	prog_frontend(env, VIP_1, PORT, IPPROTO_TCP, 1);
	prog_frontend(env, VIP_1, PORT, IPPROTO_UDP, 1);
	prog_node_port(env, NODE_PORT, IPPROTO_TCP, 1);
}

/* The backend of a new connection. */
static int backend_of(struct prog_env *env, struct packet_spec spec)
{
	struct prog_sent sent = prog_from(env, POD_A, &spec);
	struct packet_spec out;

	assert_int_equal(sent.reason, WEIR_FORWARDED);
	assert_null(packet_read(&sent.out, &out));
	assert_in_range(out.dport, TARGET, TARGET + BACKENDS - 1);
	return out.dport - TARGET + 1;
}

static int connect_to(struct prog_env *env, enum party dst, uint16_t port)
{
	return backend_of(env, prog_tcp(env, POD_A, next_port++, dst, port, SYN));
}

static void assert_stays(struct prog_env *env, int backend, enum party dst, uint16_t port)
{
	for (int i = 0; i < 32; i++)
		assert_int_equal(connect_to(env, dst, port), backend);
}

/* How many backends 32 connections reach. */
static int spread(struct prog_env *env)
{
	unsigned int seen = 0;

	for (int i = 0; i < 32; i++)
		seen |= 1 << connect_to(env, VIP_1, PORT);
	return __builtin_popcount(seen);
}

static struct weir_affinity_key key_of(struct prog_env *env)
{
	return (struct weir_affinity_key){ .service = 1, .client = prog_addr(env, POD_A) };
}

static struct weir_affinity record(struct prog_env *env)
{
	struct weir_affinity_key key = key_of(env);
	struct weir_affinity r;

	prog_get(env, "affinity", &key, &r);
	return r;
}

/* As if that many nanoseconds had passed. */
static void move_clock(struct prog_env *env, uint64_t ns)
{
	struct weir_affinity_key key = key_of(env);
	struct weir_affinity r = record(env);

	r.used_ns -= ns;
	prog_set(env, "affinity", &key, &r);
}

static void svc_70_a_client_stays_at_its_backend(void **state)
{
	struct prog_env *env = *state;

	serve(env);
	assert_stays(env, connect_to(env, VIP_1, PORT), VIP_1, PORT);
	assert_null(prog_gc_slots_check(env, NULL));
}

static void svc_77_all_frontends_share_the_record(void **state)
{
	struct prog_env *env = *state;

	serve(env);
	assert_stays(env, connect_to(env, VIP_1, PORT), NODE, NODE_PORT);
}

static void svc_75_datagrams_of_new_flows_follow_the_record(void **state)
{
	struct prog_env *env = *state;
	int first;

	serve(env);
	first = connect_to(env, VIP_1, PORT);
	for (int i = 0; i < 16; i++)
		assert_int_equal(backend_of(env, prog_udp(env, POD_A, next_port++, VIP_1, PORT)),
				 first);
}

static void svc_71_each_new_connection_moves_the_time(void **state)
{
	struct prog_env *env = *state;
	int first;

	serve(env);
	first = connect_to(env, VIP_1, PORT);
	for (int i = 0; i < 16; i++) {
		move_clock(env, (SECONDS - 1) * NS);
		assert_int_equal(connect_to(env, VIP_1, PORT), first);
	}
}

static void svc_71_packets_of_a_connection_do_not(void **state)
{
	struct prog_env *env = *state;
	struct packet_spec ack;
	uint64_t before;

	serve(env);
	connect_to(env, VIP_1, PORT);
	before = record(env).used_ns;
	ack = prog_tcp(env, POD_A, next_port - 1, VIP_1, PORT, ACK);
	prog_from(env, POD_A, &ack);
	assert_true(record(env).used_ns == before);
}

static void svc_72_after_its_time_the_choice_is_free(void **state)
{
	struct prog_env *env = *state;
	unsigned int seen = 0;

	serve(env);
	for (int i = 0; i < 32; i++) {
		seen |= 1 << connect_to(env, VIP_1, PORT);
		move_clock(env, SECONDS * NS);
	}
	assert_int_equal(__builtin_popcount(seen), BACKENDS);
}

static void svc_73_turned_off_connections_spread_turned_on_they_start_anew(void **state)
{
	struct prog_env *env = *state;
	unsigned int seen = 0;

	serve(env);
	assert_int_equal(spread(env), 1);
	set_affinity(env, 0, 1);
	assert_int_equal(spread(env), BACKENDS);
	for (uint32_t count = 2; count < 34; count++) { /* turned on again and again */
		set_affinity(env, SECONDS, count);
		seen |= 1 << connect_to(env, VIP_1, PORT);
	}
	assert_int_equal(__builtin_popcount(seen), BACKENDS);
	assert_int_equal(spread(env), 1);
}

/* A record of another backend than 1, which alone is in the slots from then on. Returns it. */
static uint32_t record_of_a_former_slot(struct prog_env *env)
{
	static const uint32_t kept[BACKENDS] = { 1, 1, 1, 1 };

	serve(env);
	while (connect_to(env, VIP_1, PORT) == 1)
		set_affinity(env, SECONDS, record(env).count + 1);
	prog_backend_slots(env, 1, kept, BACKENDS);
	assert_stays(env, record(env).backend, VIP_1, PORT);
	return record(env).backend;
}

/* By the cluster IP alone: an external frontend's list has the backend still. */
static void svc_74_a_backend_that_left_the_list_is_not_used(void **state)
{
	struct prog_env *env = *state;
	uint32_t former = record_of_a_former_slot(env);

	set_backend(env, former, ALL_LISTS & ~WEIR_BACKEND_LISTED, 0);
	assert_int_equal(connect_to(env, NODE, NODE_PORT), former);
	assert_int_equal(connect_to(env, VIP_1, PORT), 1);
}

static void svc_74_a_backend_that_ended_is_not_used(void **state)
{
	struct prog_env *env = *state;

	set_backend(env, record_of_a_former_slot(env), ALL_LISTS, 1);
	assert_int_equal(connect_to(env, VIP_1, PORT), 1);
}

static void svc_70_other_service_ports_have_records_of_their_own(void **state)
{
	struct prog_env *env = *state;
	struct weir_affinity_key key = { .service = 2, .client = prog_addr(env, POD_A) };
	struct weir_service other = { .flags = WEIR_SERVICE_USABLE, .affinity_s = SECONDS };
	struct weir_affinity r, before;
	struct packet_spec syn;
	uint32_t id = 2, backend = 20;

	serve(env);
	connect_to(env, VIP_1, PORT);
	before = record(env);
	prog_backend(env, backend, id, REMOTE_B, TARGET, 0);
	prog_backend_slots(env, backend, &backend, 1);
	other.extents[WEIR_LIST_INTERNAL] = weir_extent(backend, 1);
	prog_set(env, "services", &id, &other);
	prog_frontend(env, VIP_2, PORT, IPPROTO_TCP, id);
	syn = prog_tcp(env, POD_A, next_port++, VIP_2, PORT, SYN);
	assert_int_equal(prog_from(env, POD_A, &syn).reason, WEIR_FORWARDED);
	prog_get(env, "affinity", &key, &r);
	assert_int_equal(r.backend, backend);
	r = record(env);
	assert_memory_equal(&r, &before, sizeof(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(svc_70_a_client_stays_at_its_backend),
		FOR_BOTH(svc_77_all_frontends_share_the_record),
		FOR_BOTH(svc_75_datagrams_of_new_flows_follow_the_record),
		FOR_BOTH(svc_71_each_new_connection_moves_the_time),
		FOR_BOTH(svc_71_packets_of_a_connection_do_not),
		FOR_BOTH(svc_72_after_its_time_the_choice_is_free),
		FOR_BOTH(svc_73_turned_off_connections_spread_turned_on_they_start_anew),
		FOR_BOTH(svc_74_a_backend_that_left_the_list_is_not_used),
		FOR_BOTH(svc_74_a_backend_that_ended_is_not_used),
		FOR_BOTH(svc_70_other_service_ports_have_records_of_their_own),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
