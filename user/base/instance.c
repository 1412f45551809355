// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Where the files of an instance are. See instance.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/instance.h"
#include "base/mem.h"

#define RUN "/run"
#define NAME_LEN_MAX 32

int instance_paths(const char *name, char *ret_pins, char *ret_run, struct weir_err *err)
{
	const char *dash = name && *name ? "-" : "";

	name = name ? name : "";
	if (strlen(name) > NAME_LEN_MAX)
		return err_set(err, -EINVAL, "instance name '%s': at most %d characters", name,
			       NAME_LEN_MAX);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return err_set(err, -EINVAL,
				       "instance name '%s': letters, digits, - and _ only", name);
	snprintf(ret_pins, INSTANCE_PATH_MAX, "%s/weir%s%s", INSTANCE_BPFFS, dash, name);
	snprintf(ret_run, INSTANCE_PATH_MAX, "%s/weir%s%s", RUN, dash, name);
	return 0;
}

const char *const instance_file_prefix[_INSTANCE_FILE_MAX] = {
	[INSTANCE_PLAN] = "plan-",
	[INSTANCE_OBJECTS] = "objects-",
};

char *instance_generation_file(const char *run, enum instance_file file, uint64_t generation)
{
	return mem_printf("%s/%s%llu", run, instance_file_prefix[file],
			  (unsigned long long)generation);
}

char *instance_record(const char *run, const char *ns, const char *pod)
{
	return mem_printf("%s/" INSTANCE_PODS "/%s_%s.json", run, ns, pod);
}

char *instance_run_file(const char *name, const char *file)
{
	return mem_printf(RUN "/weir-%s/%s", name, file);
}

char *instance_pin(const char *name, const char *file)
{
	return mem_printf(INSTANCE_BPFFS "/weir-%s/%s", name, file);
}
