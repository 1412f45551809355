/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who answers at the frontends of Services on one node, from its plan: an item for each frontend
 * and class of clients. Pure. Says nothing of policies.
 */
#pragma once

#include "base/emit.h"
#include "compile/plan.h"

enum service_client {
	SERVICE_CLIENT_POD, /* of this node */
	SERVICE_CLIENT_NODE, /* a process of this node */
	SERVICE_CLIENT_EXTERNAL, /* anybody else, through this node */
	_SERVICE_CLIENT_MAX,
};

enum service_verdict {
	SERVICE_FORWARD,
	SERVICE_REJECT, /* no usable endpoint anywhere (SVC-60) */
	SERVICE_DROP, /* none here, and the traffic is for here only (SVC-61, SVC-62) */
};

struct service_report_item {
	const struct plan *plan;
	const struct plan_service *service;
	const struct plan_frontend *frontend;
	enum plan_frontend_kind kind; /* one of the frontend's */
	enum service_client client;
	enum service_verdict verdict; /* of a source that the source ranges allow */
	bool restricted; /* source ranges say which sources are allowed */
	const struct plan_backend **endpoints; /* FORWARD: sorted by their text */
	size_t n_endpoints;
};

/* Does this node's address become the source of connections to that endpoint (B.9)? */
bool service_report_snat(const struct service_report_item *item, const struct plan_backend *b);

/* Calls fn in order of service port, kind, frontend and client. Items are valid in the call. */
void service_report_each(const struct plan *p,
			 void (*fn)(const struct service_report_item *item, void *ctx), void *ctx);

/* "10.96.0.1", or "*" of a node port: any address of the node that serves node ports. */
const char *service_report_address(const struct service_report_item *item, char *buf);
const char *service_client_text(enum service_client client); /* "pod", … */
const char *service_verdict_text(enum service_verdict verdict); /* "forward", … */
const char *service_endpoint_text(const struct plan_backend *b, char *buf); /* "10.0.0.1:80" */
/* The item as a JSON object without its braces. */
void service_report_item_emit(struct emit *e, const struct service_report_item *item);
