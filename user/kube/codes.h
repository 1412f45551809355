/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Codes of refusals, each with its short meaning. Codes are stable: numbers are never used for
 * anything else. Exact wording of a diagnostic is not.
 */
#pragma once

/* X(name, code, meaning) */
#define KUBE_CODES(X)                                                               \
	X(SYNTAX, "E001", "not well-formed YAML or JSON")                           \
	X(LIMIT, "E002", "larger than Weir reads")                                  \
	X(DUPLICATE_KEY, "E003", "a key stands twice in one mapping")               \
	X(UNREADABLE, "E004", "part of a folder cannot be read")                    \
	X(NO_KIND, "E010", "apiVersion or kind is missing")                         \
	X(NAME, "E011", "name is missing or not a valid object name")               \
	X(DUPLICATE, "E012", "the same object is given twice")                      \
	X(LABEL, "E013", "not a valid label key or value")                          \
	X(TYPE, "E020", "value of the wrong type")                                  \
	X(REQUIRED, "E021", "a required field is missing")                          \
	X(VALUE, "E022", "not one of the values that are possible here")            \
	X(RANGE, "E023", "number out of range")                                     \
	X(PORT_NAME, "E024", "not a valid port name")                               \
	X(ADDRESS, "E025", "not an IP address that can stand here")                 \
	X(CIDR, "E026", "not a CIDR block that can stand here")                     \
	X(CONFLICT, "E027", "fields that exclude or contradict each other")         \
	X(REPEATED, "E028", "an item of a list that must be unique is given twice") \
	X(TOO_MANY, "E029", "more items than the API allows")                       \
	X(SELECTOR, "E030", "operator of a selector and its values do not fit")     \
	X(PEER, "E031", "peer of a NetworkPolicy says nothing or too much")         \
	X(TIME, "E032", "not a time as RFC 3339 writes it")                         \
	X(EXHAUSTED, "E033", "no addresses are left to invent")                     \
	X(CLAIMED, "E034", "an address or node port that another Service has")

#define X_NAME(name, code, meaning) KUBE_E_##name,
enum kube_code {
	KUBE_CODES(X_NAME) _KUBE_CODE_MAX,
};
#undef X_NAME

const char *kube_code_text(enum kube_code code); /* "E001" */
const char *kube_code_meaning(enum kube_code code);
