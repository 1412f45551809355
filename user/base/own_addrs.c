// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See own_addrs.h. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/own_addrs.h"

int own_addrs(struct weir_addr **ret_addrs, size_t *ret_n, struct weir_err *err)
{
	struct weir_addr *addrs = NULL;
	struct ifaddrs *all = NULL;
	size_t n = 0, cap = 0;

	if (getifaddrs(&all))
		return err_set(err, -(errno ?: EIO), "read the addresses of this machine: %s",
			       strerror(errno ?: EIO));
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			*VEC_ADD(addrs, n, cap) = weir_addr_from_v4(
				((struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			memcpy(VEC_ADD(addrs, n, cap)->b,
			       &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
	}
	freeifaddrs(all);
	*ret_addrs = addrs;
	*ret_n = n;
	return 0;
}
