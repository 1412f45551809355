/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Syntax rules of Kubernetes that several kinds share: names, labels, ports, addresses. Functions
 * of a text are predicates; functions of a field report what the API server would refuse and return
 * a default.
 */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "kube/field.h"
#include "kube/objects.h"

#define KUBE_PORT_MAX 65535

bool check_dns_label(const char *text); /* [a-z0-9]([-a-z0-9]*[a-z0-9])?, at most 63 */
bool check_dns_name(const char *text); /* labels joined with dots, at most 253 */
bool check_job_name(const char *text); /* a DNS name of at most 63: it becomes a label's value */
bool check_cron_job_name(const char *text); /* the same, at most 52: its Jobs get a suffix */
bool check_label_key(const char *text); /* [prefix/]name */
bool check_label_value(const char *text);
/* IANA service name: at most 15 of [a-z0-9-], with a letter, no - at an end or twice in a row. */
bool check_port_name(const char *text);

/* For messages: what a label key and a label value are. */
#define CHECK_LABEL_TEXT \
	"at most 63 letters, digits, -, _ and . that begin and end with a letter or digit"
#define CHECK_LABEL_KEY_TEXT "[prefix/]name, " CHECK_LABEL_TEXT

/*
 * Of a mapping, sorted by key. replaced: a key whose value the API server sets before it checks
 * them, or NULL.
 */
struct kube_labels check_labels(const struct field *map, const char *replaced);
/* Reports mappings of a list that have the same text in the field key; none is the empty text. */
void check_unique_at(const struct field *list, const char *key, const char *what);
/* The same, except that any number of them may have no text. */
void check_unique_named_at(const struct field *list, const char *key, const char *what);
/* Required, 1..65535, host order; 0 when wrong. */
uint16_t check_port_at(const struct field *up, const char *key);
int check_protocol_at(const struct field *up, const char *key); /* IPPROTO_*, TCP when absent */
/* The same, where an empty text is none of the values. */
int check_protocol_given_at(const struct field *up, const char *key);
/* Reports an effect of a taint that there is not; effect: its text, "" is in order. */
void check_taint_effect(const struct field *f, const char *effect);
/* false: absent, or not an address. */
bool check_addr(const struct field *f, struct weir_addr *ret_addr);
/* Whether the API server takes an address for an endpoint or an external IP; reports if not. */
bool check_sendable(const struct field *f, const struct weir_addr *a, const char *what_for);
/* false: absent, or not a CIDR block; blanks around it are refused (unlike cidr_parse()). */
bool check_cidr(const struct field *f, struct cidr *ret_cidr);
/* PARSE-3: a number, or a string that names a port. 0: absent or wrong; 1: a number; 2: a name. */
int check_int_or_name(const struct field *f, uint16_t *ret_port, const char **ret_name);
