/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Services that are left out, into the plan. */
#pragma once

#include "compile/build.h"
#include "compile/service_fit.h"

/* Appends it to plan->left_out, which has room, and an error. frontends: of the plan's arena. */
void left_out_add(struct build *b, const struct kube_service *service,
		  const struct service_need *need, struct plan_frontend *frontends, size_t n);
