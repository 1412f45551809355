/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to report*.c: the default for the ports that are asked for. */
#pragma once

#include "analyze/report.h"

/* All that pods declare, by protocol and number, once each. The array is the caller's. */
size_t report_ports_declared(const struct store *s, struct report_port **ret_ports);
