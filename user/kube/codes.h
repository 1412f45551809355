/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Codes of input errors and their meaning. A code is stable: its number is never reused. The
 * wording of a diagnostic may change.
 */
#pragma once

/* X(name, code, meaning) */
#define KUBE_CODES(X)                                                                 \
	X(SYNTAX, "E001", "not well-formed YAML or JSON")                             \
	X(LIMIT, "E002", "larger than Weir reads")                                    \
	X(DUPLICATE_KEY, "E003", "a mapping has the same key twice")                  \
	X(UNREADABLE, "E004", "part of a folder cannot be read")                      \
	X(TEMPLATE, "E005", "a Helm template that is not rendered")                   \
	X(NO_KIND, "E010", "apiVersion or kind is missing")                           \
	X(NAME, "E011", "name is missing or not a valid object name")                 \
	X(DUPLICATE, "E012", "the same object is given twice")                        \
	X(LABEL, "E013", "not a valid label key or value")                            \
	X(TYPE, "E020", "value of the wrong type")                                    \
	X(REQUIRED, "E021", "a required field is missing")                            \
	X(VALUE, "E022", "not one of the values that the field allows")               \
	X(RANGE, "E023", "number out of range")                                       \
	X(PORT_NAME, "E024", "not a valid port name")                                 \
	X(ADDRESS, "E025", "not an IP address that the field allows")                 \
	X(CIDR, "E026", "not a CIDR block that the field allows")                     \
	X(CONFLICT, "E027", "fields that exclude or contradict one another")          \
	X(REPEATED, "E028", "an item of a list that must be unique is given twice")   \
	X(TOO_MANY, "E029", "more items than the API allows")                         \
	X(SELECTOR, "E030", "operator and values of a selector do not match")         \
	X(PEER, "E031", "NetworkPolicy peer without a selector or block, or both")    \
	X(TIME, "E032", "not an RFC 3339 time")                                       \
	X(EXHAUSTED, "E033", "no addresses are left to assign")                       \
	X(ALLOCATED, "E034", "cluster IP or node port of another Service")            \
	X(ROOM, "E035", "policy that does not fit the tables: its pods are closed")   \
	X(LEFT_OUT, "E036", "Service that does not fit the tables: it is not served") \
	X(STRICT, "E037", "a warning that --strict makes an error")                   \
	X(UNKNOWN_KEY, "E040", "a configuration file has a key that does not exist")  \
	X(NOT_SERVED, "E041", "a configuration file has a key that is not served yet")

#define X_NAME(name, code, meaning) KUBE_E_##name,
enum kube_code {
	KUBE_CODES(X_NAME) _KUBE_CODE_MAX,
};
#undef X_NAME

const char *kube_code_text(enum kube_code code); /* "E001" */
const char *kube_code_meaning(enum kube_code code);
