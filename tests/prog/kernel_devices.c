// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What Weir reads of a node's devices: the ports at which it ends tunnels, and the bridge or VRF of
 * a pod's device. In a network namespace of the test's own; kinds that this kernel lacks are left
 * out, and said.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <net/if.h>

#include <weir/config.h>

#include "attach/node_devices.h"
#include "base/mem.h"
#include "lib/prog_env.h"

static uint64_t ports[WEIR_OVERLAY_WORDS];

static void read_ports(void)
{
	struct weir_err err = {};

	if (overlay_ports_read(ports, &err))
		fail_msg("%s", err.text);
}

static bool has(uint16_t port)
{
	return ports[port / 64] >> (port % 64) & 1;
}

static unsigned int count(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < WEIR_OVERLAY_WORDS; i++)
		n += __builtin_popcountll(ports[i]);
	return n;
}

static int setup(void **state)
{
	return unshare(CLONE_NEWNET);
}

static void a_node_without_tunnels_has_no_port(void **state)
{
	(void)!system("ip link add d0 type dummy; ip link add b0 type bridge");
	read_ports();
	assert_int_equal(count(), 0);
}

/* made: the kernel and ip(8) can make it. */
static void is_found(bool made, uint16_t port)
{
	unsigned int before = count();

	if (!made)
		printf("# not made on this machine: the tunnel at port %u\n", port);
	read_ports();
	assert_int_equal(has(port), made);
	assert_int_equal(count(), before + made);
}

/* Each kind by its own attribute or family. */
static void np_42_the_ports_of_all_tunnels_are_found(void **state)
{
	read_ports();
	is_found(!system("ip link add t0 type vxlan id 7 dstport 4789 local 127.0.0.1 2>/dev/null"),
		 4789);
	is_found(!system("ip link add t1 type vxlan external dstport 8472 2>/dev/null"), 8472);
	is_found(!system("ip link add t2 type geneve external 2>/dev/null"), 6081);
	is_found(
		!system("ip link add t3 type geneve id 9 remote 10.0.0.1 dstport 6082 2>/dev/null"),
		6082);
	is_found(!system("ip link add t4 type bareudp dstport 6635 ethertype mpls_uc 2>/dev/null"),
		 6635);
	is_found(!system("ip fou add port 5555 ipproto 4 2>/dev/null"), 5555);
	is_found(!system("ip fou add port 5556 gue 2>/dev/null"), 5556);
	assert_int_not_equal(count(), 0);
	(void)!system("ip link del t0 2>/dev/null");
	read_ports();
	assert_false(has(4789));
}

static void np_42_the_port_of_a_wireguard_device_is_found(void **state)
{
	if (system("ip link add wg0 type wireguard 2>/dev/null && ip link set wg0 up 2>/dev/null"))
		skip(); /* this kernel has no WireGuard */
	read_ports();
	/* without a tool that sets it, the kernel chooses the port when the device starts */
	assert_int_equal(count(), 1);
}

static void the_bridge_of_a_device_is_found(void **state)
{
	uint32_t bridge, device;

	assert_int_equal(
		system("ip link add b1 type bridge && ip link add v0 type veth peer name v1"), 0);
	bridge = if_nametoindex("b1");
	device = if_nametoindex("v0");
	assert_int_equal(device_master(device), 0);
	assert_int_equal(system("ip link set v0 master b1"), 0);
	assert_int_equal(device_master(device), bridge);
	assert_int_equal(device_master(if_nametoindex("v1")), 0);
	assert_int_equal(device_master(bridge), 0);
	assert_int_equal(device_master(999999), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_node_without_tunnels_has_no_port, setup),
		cmocka_unit_test_setup(np_42_the_ports_of_all_tunnels_are_found, setup),
		cmocka_unit_test_setup(np_42_the_port_of_a_wireguard_device_is_found, setup),
		cmocka_unit_test_setup(the_bridge_of_a_device_is_found, setup),
	};

	if (!prog_env_possible())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
