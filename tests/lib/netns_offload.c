// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_cluster.h: offloads of a cluster's devices, and the checksum errors and fragments that
 * its namespaces counted. By ioctl and /proc, so that no ethtool is needed. Touches devices in the
 * cluster's own namespaces only.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"
#include "sandbox/netns.h"

static int ethtool(int fd, const char *device, uint32_t cmd, uint32_t *value)
{
	struct ethtool_value v = { .cmd = cmd, .data = *value };
	struct ifreq ifr = { .ifr_data = (char *)&v };

	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		return -errno;
	*value = v.data;
	return 0;
}

static void set_device(int fd, const char *device, bool on)
{
	/* checksums first: the kernel refuses TSO without them */
	static const uint32_t set[] = { ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO };
	static const uint32_t get[] = { ETHTOOL_GTXCSUM, ETHTOOL_GTSO, ETHTOOL_GGSO };
	uint32_t value;

	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		value = on;
		if (ethtool(fd, device, set[i], &value))
			fail_msg("ethtool command %u on %s: %s", set[i], device, strerror(errno));
	}
	/* the kernel may leave a setting as it was and report success */
	for (size_t i = 0; i < ARRAY_SIZE(get); i++) {
		value = !on;
		if (ethtool(fd, device, get[i], &value) || !!value != on)
			fail_msg("ethtool command %u on %s: not %s after it was set", get[i],
				 device, on ? "on" : "off");
	}
}

/* The kernel cuts segments before it sends them, so TSO is off, but the stack still makes large
 * ones.
 */
static void software_segments(int fd, const char *device, bool on)
{
	uint32_t off = 0, gso = 1;

	if (ethtool(fd, device, ETHTOOL_STSO, &off) || ethtool(fd, device, ETHTOOL_SGSO, &gso))
		fail_msg("TSO off and GSO on, %s: %s", device, strerror(errno));
}

static void for_all_devices(const struct netns_cluster *c, const char *where,
			    void (*set)(int fd, const char *device, bool on), bool on)
{
	_cleanup_(netns_leave) int back = -1;
	_cleanup_(fd_close) int fd = -1;
	struct if_nameindex *devices;
	unsigned int n = 0;

	netns_cluster_enter(c, where, &back);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	devices = if_nameindex();
	assert_true(fd >= 0 && devices);
	for (struct if_nameindex *d = devices; d->if_index; d++)
		if (strcmp(d->if_name, "lo")) {
			set(fd, d->if_name, on);
			n++;
		}
	if_freenameindex(devices);
	assert_int_not_equal(n, 0);
}

void netns_offload(const struct netns_cluster *c, const char *where, bool on)
{
	for_all_devices(c, where, set_device, on);
}

void netns_segments_by_software(const struct netns_cluster *c, const char *where)
{
	for_all_devices(c, where, software_segments, true);
}

/* /proc/net/snmp has a line of names and a line of values for each protocol. */
static unsigned long column(const char *names, const char *values, const char *name)
{
	_cleanup_(mem_free) char *n = strdup(names), *v = strdup(values);
	char *save_n = NULL, *save_v = NULL, *value = strtok_r(v, " \n", &save_v);

	for (char *word = strtok_r(n, " \n", &save_n); word && value;
	     word = strtok_r(NULL, " \n", &save_n)) {
		if (!strcmp(word, name))
			return strtoul(value, NULL, 10);
		value = strtok_r(NULL, " \n", &save_v);
	}
	fail_msg("/proc/net/snmp has no %s", name);
	return 0;
}

/* A counter of IPv4 summed over protocols; each protocol must have it. */
static unsigned long sum_v4(const char *const *protocols, size_t n, const char *counter)
{
	char names[1024], values[1024];
	FILE *f = fopen("/proc/thread-self/net/snmp", "re");
	unsigned long sum = 0;
	size_t found = 0;

	assert_non_null(f);
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f))
		for (size_t i = 0; i < n; i++)
			if (!strncmp(names, protocols[i], strlen(protocols[i]))) {
				sum += column(names, values, counter);
				found++;
			}
	fclose(f);
	assert_int_equal(found, n);
	return sum;
}

static unsigned long value_v6(const char *counter)
{
	FILE *f = fopen("/proc/thread-self/net/snmp6", "re");
	unsigned long value;
	char name[64];
	bool found = false;

	assert_non_null(f);
	while (!found && fscanf(f, "%63s %lu", name, &value) == 2)
		found = !strcmp(name, counter);
	fclose(f);
	assert_true(found);
	return value;
}

unsigned long netns_csum_errors(const struct netns_cluster *c, const char *where)
{
	/* TCP over IPv6 is counted with TCP over IPv4 */
	static const char *const protocols[] = { "Tcp:", "Udp:" };
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(c, where, &back);
	return sum_v4(protocols, ARRAY_SIZE(protocols), "InCsumErrors") +
	       value_v6("Udp6InCsumErrors");
}

unsigned long netns_fragments_seen(const struct netns_cluster *c, const char *where)
{
	static const char *const protocols[] = { "Ip:" };
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(c, where, &back);
	return sum_v4(protocols, 1, "ReasmReqds") + value_v6("Ip6ReasmReqds");
}
