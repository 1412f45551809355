/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* State that the files which compile Services share: services.c, claims.c. */
#pragma once

#include "compile/build.h"
#include "compile/candidates.h"
#include "compile/frontends.h"
#include "compile/service_fit.h"
#include "compile/source_ranges.h"

/* A service port in one family. */
struct service_port {
	const struct kube_service *service;
	const struct kube_service_port *port;
	int family;
	size_t owner; /* index of owners[] */
	uint32_t index; /* of plan->services; 0: the Service is left out */
};

/* The ports of one Service that is served: consecutive ones of service_build.ports. */
struct owner {
	const struct kube_service *service;
	size_t first, n;
};

struct service_build {
	struct build *build;
	struct slice_index slices;
	struct location here;
	struct slice_ports slice_ports; /* of the current Service */
	struct endpoint_list endpoints; /* of the current service port */
	struct port_frontends port_frontends; /* the same */
	struct source_ranges ranges; /* the same */
	struct service_port *ports;
	struct owner *owners;
	struct service_need *needs; /* of the owners */
	size_t n_ports, cap_ports, n_owners;
	size_t cap_services, cap_backends, cap_frontends;
	struct plan_service *services; /* copied to the plan's arena at the end, as those below */
	struct plan_backend *backends;
	struct plan_frontend *frontends;
	size_t n_services, n_backends, n_frontends;
};

/* ---- claims.c ---- */

/* Frontends of all ports: which Service gets each (SVC-7). After the ports are compiled. */
void services_claim_frontends(struct service_build *sb);
