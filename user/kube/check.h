/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The syntax rules of Kubernetes that several kinds share: names, labels, ports, addresses. The
 * bare predicates say yes or no; the readers take a field, report what is wrong as the API server
 * would, and yield a default.
 */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "kube/field.h"
#include "kube/objects.h"

#define KUBE_PORT_MAX 65535

bool check_dns_label(const char *text); /* [a-z0-9]([-a-z0-9]*[a-z0-9])?, at most 63 */
bool check_dns_name(const char *text); /* labels joined with dots, at most 253 */
bool check_service_name(const char *text); /* a DNS label that begins with a letter */
bool check_job_name(const char *text); /* a DNS name of at most 63: it becomes a label's value */
bool check_cron_job_name(const char *text); /* the same, at most 52: its Jobs' names are longer */
bool check_label_key(const char *text); /* [prefix/]name */
bool check_label_value(const char *text);
bool check_port_name(
	const char *text); /* IANA service name: at most 15 of [a-z0-9-], a letter among them */

struct kube_labels check_labels(const struct field *map); /* keys and values of a mapping, sorted */
/* Items of a list of mappings: texts of one field, where given, must differ. */
void check_unique_at(const struct field *list, const char *key, const char *what);
uint16_t check_port_at(const struct field *up,
		       const char *key); /* required, 1..65535; 0 when wrong */
int check_protocol_at(const struct field *up, const char *key); /* IPPROTO_*, TCP when absent */
/* An address as text. false when it is none. */
bool check_addr(const struct field *f, struct weir_addr *ret_addr);
/* A block as text, without blanks around it. */
bool check_cidr(const struct field *f, struct cidr *ret_cidr);
/* PARSE-3: a number, or a string that names a port. 0: absent or wrong; 1: a number; 2: a name. */
int check_int_or_name(const struct field *f, uint16_t *ret_port, const char **ret_name);
