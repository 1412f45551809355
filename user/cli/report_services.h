/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* `weir report --services`: who answers at each frontend of one node (analyze/service_report.h). */
#pragma once

#include "cli/options.h"

int report_services(const struct common_options *c); /* returns an exit status */
