// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Names and paths of an instance. See instance.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/instance.h"
#include "base/mem.h"

#define RUN "/run"

/* ASCII only: isalnum() depends on the locale. */
static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool instance_name_ok(const char *name)
{
	size_t n = strlen(name);

	for (const char *c = name; *c; c++)
		if (!in_name(*c))
			return false;
	return n && n <= INSTANCE_NAME_MAX;
}

int instance_paths(const char *name, char *ret_pins, char *ret_run, struct weir_err *err)
{
	const char *dash = name && *name ? "-" : "";

	name = name ? name : "";
	if (*name && !instance_name_ok(name))
		return err_set(err, -EINVAL,
			       "instance name '%s': use 1 to %d letters, digits, - and _", name,
			       INSTANCE_NAME_MAX);
	snprintf(ret_pins, INSTANCE_PATH_MAX, "%s/weir%s%s", INSTANCE_BPFFS, dash, name);
	snprintf(ret_run, INSTANCE_PATH_MAX, "%s/weir%s%s", RUN, dash, name);
	return 0;
}

const char *instance_name_of(const char *folder)
{
	const char *name = strrchr(folder, '/') + strlen("/weir");

	return name + (*name == '-');
}

char *instance_text(const char *name)
{
	return name && *name ? mem_printf("instance %s", name) : mem_strdup("the default instance");
}

char *instance_option(const char *name)
{
	return mem_printf("%s%s", name && *name ? " --name " : "", name ? name : "");
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
