/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pods of this node that are not served as the plan says: planned but not attached, held, or with a
 * record that is not valid. Planned is a pod of this node with an address of its own that is not
 * ended and not being deleted; hostNetwork pods are not. A planned pod whose recorded device is
 * gone is no fault: nothing of it can pass.
 */
#pragma once

#include "base/emit.h"
#include "inspect/live.h"
#include "kernel/records.h"

enum pod_fault_kind {
	POD_FAULT_UNATTACHED, /* planned; no program sees its packets */
	POD_FAULT_HELD, /* attached, not in the plan: all its packets are dropped */
	POD_FAULT_RECORD, /* its attachment record is not valid */
	_POD_FAULT_MAX,
};

extern const char *const pod_fault_names[]; /* "unattached", "held", "record" */

struct pod_fault {
	enum pod_fault_kind kind;
	const char *pod; /* "ns/name", or what is known of it */
	const char *why; /* follows "pod NAME " */
};

struct pod_faults {
	struct arena arena; /* owns the texts */
	struct pod_fault *items; /* unattached, then held, then records */
	size_t n, cap;
	size_t planned; /* pods of the plan that should be attached */
	size_t count[_POD_FAULT_MAX];
};

/* Of a plan that is loaded in n now, or would be; no held pods. */
void pod_faults_of_plan(const struct node *n, const struct plan *p,
			const struct attachment_list *records, struct pod_faults *ret_faults);
/* Of a loaded instance; without its plan file no unattached pods. */
void pod_faults_of_live(const struct live *l, const struct attachment_list *records,
			struct pod_faults *ret_faults);
/* "faults": [{"kind", "pod", "why"}] */
void pod_faults_emit(const struct pod_faults *f, struct emit *e);
void pod_faults_free(struct pod_faults *f); /* also for _cleanup_() */
