/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Endpoints of service ports, from all slices of a Service (SVC-10 to SVC-19). Never reads a pod:
 * slices are authoritative (SVC-19).
 */
#pragma once

#include "kube/objects.h"

/* Slices of all Services, sorted by (ns, service, name). */
struct slice_index {
	const struct kube_slice **items;
	size_t n;
};

/* SVC-10, SVC-11 */
void slice_index_make(struct kube_slice *const *slices, size_t n, struct slice_index *ret_index);
void slice_index_free(struct slice_index *ix);

/* A port of a slice of the current Service. */
struct slice_port {
	const struct kube_slice *slice;
	const struct kube_slice_port *port;
	size_t at; /* index of the slice, by name */
};

/* Sorted by (family, protocol, port name, slice). */
struct slice_ports {
	struct slice_port *items;
	size_t n, cap;
};

/* Fills ports, which may have those of another Service, whose memory is used again. */
void slice_ports_of(const struct slice_index *ix, const struct kube_service *service,
		    struct slice_ports *ports);
void slice_ports_free(struct slice_ports *ports);

struct endpoint {
	const struct kube_endpoint *e;
	uint16_t port;
	bool local; /* on this node */
	size_t slice; /* index of the slice, by name */
};

struct endpoint_list {
	struct endpoint *items;
	size_t n, cap;
};

/* The items of all slices for a service port: at least as many as there are endpoints. */
size_t endpoints_count(const struct slice_ports *ports, const struct kube_service_port *port,
		       int family);
/*
 * The endpoints of a service port without duplicates, sorted by (addr, port) (SVC-12 to SVC-17).
 * list: its memory is used again.
 */
void endpoints_of(const struct slice_ports *ports, const struct kube_service_port *port, int family,
		  const char *node, struct endpoint_list *list);
