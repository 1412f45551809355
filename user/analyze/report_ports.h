/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to report*.c: the ports of a report by default. */
#pragma once

#include "analyze/report.h"

/*
 * All ports that pods declare, sorted by protocol and number, unique. The caller frees the array.
 */
size_t report_ports_declared(const struct store *s, struct report_port **ret_ports);
