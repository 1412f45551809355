/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The frontends of service ports (SVC-30 to SVC-50): cluster IP, node port, external IPs and load
 * balancer addresses, of one family. Knows objects, not which Service gets a frontend (services.c).
 */
#pragma once

#include "compile/plan.h"

struct port_frontends {
	struct plan_frontend *items; /* each (scope, address) once, with all its kinds */
	size_t n, cap;
};

/* list: its memory is used again. service and flags of the items are not set. */
void port_frontends_of(const struct kube_service *service, const struct kube_service_port *port,
		       int family, struct port_frontends *list);
/* Has the port a frontend other than its cluster IP in this family? */
bool port_is_external(const struct kube_service *service, const struct kube_service_port *port,
		      int family);
/* ETP Local: as far as the policy counts (A.2). */
bool service_is_external_local(const struct kube_service *service);
