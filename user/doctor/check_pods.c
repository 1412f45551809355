// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N013, N014, N015: pods that are not served as the plan says. See device.h. */
#include "doctor/device.h"
#include "inspect/pod_faults.h"

static const struct {
	enum finding_code code;
	enum severity severity;
	const char *evidence, *fix;
} rows[] = {
	[POD_FAULT_UNATTACHED] = { FINDING_N013, SEVERITY_ERROR,
				   "no program is attached to a device for it: packets of the pod are neither checked against policies nor translated",
				   "let the CNI plugin write its record, or write it (README, Attachment records); then weir load -f MANIFESTS --node NODE" },
	[POD_FAULT_HELD] = { FINDING_N014, SEVERITY_ERROR,
			     "its slot in the map pods has the gate flag",
			     "weir load -f MANIFESTS --node NODE, with manifests that have the pod; or remove its record" },
	[POD_FAULT_RECORD] = { FINDING_N015, SEVERITY_ERROR,
			       "a load uses what it knows of the pod from before, or does not attach it",
			       "let its writer write it again; then weir load -f MANIFESTS --node NODE" },
};

void check_pods(const struct live *l, const struct attachment_list *records, struct findings *f)
{
	_cleanup_(pod_faults_free) struct pod_faults faults = {};

	pod_faults_of_live(l, records, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		const struct pod_fault *fault = &faults.items[i];
		struct finding *found =
			finding_add(f, rows[fault->kind].code, rows[fault->kind].severity);

		found->text = arena_printf(&f->arena, "pod %s %s", fault->pod, fault->why);
		found->evidence = rows[fault->kind].evidence;
		found->fix = rows[fault->kind].fix;
	}
}
