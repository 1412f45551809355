// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See apiserver_choices.h. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/apiserver_choices.h"

/*
 * One error. Patterns are those of fnmatch(); the path is without indexes and keys in brackets, and
 * of a template as of a Pod.
 */
struct choice {
	const char *path, *message, *reason;
};

/* The fields that Weir uses. An error in another field is a choice: it is not read (PARSE-1). */
static const char *const read_fields[] = {
	"",
	"apiVersion",
	"metadata",
	"metadata.name",
	"metadata.generateName",
	"metadata.namespace",
	"metadata.labels*",
	"metadata.annotations*",
	"metadata.uid",
	"metadata.creationTimestamp",
	"metadata.deletionTimestamp",
	"metadata.ownerReferences*",
	"metadata.taints*", /* of a Node: its spec.taints */
	"labels*", /* of a template */
	"annotations*",
	"spec",
	"spec.taints*",
	"spec.podSelector*",
	"spec.policyTypes*",
	"spec.ingress*",
	"spec.egress*",
	"spec.type",
	"spec.selector*",
	"spec.clusterIP*",
	"spec.ipFamil*",
	"spec.externalName",
	"spec.externalIPs*",
	"spec.externalTrafficPolicy",
	"spec.internalTrafficPolicy",
	"spec.sessionAffinity*",
	"spec.?oadBalancerSourceRanges*",
	"spec.loadBalancerIP",
	"spec.publishNotReadyAddresses",
	"spec.ports",
	"spec.ports.name",
	"spec.ports.port",
	"spec.ports.protocol",
	"spec.ports.targetPort",
	"spec.ports.nodePort",
	"addressType",
	"endpoints",
	"endpoints.addresses*",
	"endpoints.conditions*",
	"endpoints.nodeName",
	"endpoints.hints*",
	"ports",
	"ports.name",
	"ports.port",
	"ports.protocol",
	"spec.containers",
	"spec.containers.name",
	"spec.containers.ports",
	"spec.containers.ports.name",
	"spec.containers.ports.containerPort",
	"spec.containers.ports.protocol",
	"spec.initContainers",
	"spec.initContainers.name",
	"spec.initContainers.restartPolicy",
	"spec.initContainers.ports",
	"spec.initContainers.ports.name",
	"spec.initContainers.ports.containerPort",
	"spec.initContainers.ports.protocol",
	"spec.nodeName",
	"spec.hostNetwork",
	"spec.hostname",
	"spec.subdomain",
	"spec.restartPolicy",
	"spec.replicas",
	"spec.template",
	"spec.serviceName",
	"spec.ordinals*",
	"spec.parallelism",
	"spec.completions",
	"spec.suspend",
	"spec.manualSelector",
	"spec.jobTemplate",
	"spec.schedule",
	"status",
	"status.phase",
	"status.podIP",
	"status.podIPs*",
	"status.addresses*",
	"status.conditions*",
	"status.loadBalancer",
	"status.loadBalancer.ingress",
	"status.loadBalancer.ingress.ip",
	"status.loadBalancer.ingress.ipMode",
};

/* What only the API server refuses. */
static const struct choice server_only[] = {
	{ "spec.*.ipBlock.*", "*must not *",
	  "host bits, leading zeros and mapped IPv4 in a block: a warning, since policies from before 1.36 have them" },
	{ "spec.clusterIPs", "*must not *",
	  "leading zeros and mapped IPv4 in an address: objects from before 1.36 have them" },
	{ "spec.externalIPs", "*must not *",
	  "leading zeros and mapped IPv4 in an address: objects from before 1.36 have them" },
	{ "endpoints.addresses", "*must not *",
	  "leading zeros and mapped IPv4 in an address: objects from before 1.36 have them" },
	{ "spec.LoadBalancerSourceRanges", "*must not *",
	  "host bits, leading zeros and mapped IPv4 in a block: a warning, since policies from before 1.36 have them" },
	{ "spec.LoadBalancerSourceRanges", "Invalid value: \"\":*",
	  "an empty source range is skipped (PARSE-5)" },
	{ "spec.clusterIPs", "*must be empty when `clusterIP` is not specified*",
	  "clusterIPs without clusterIP: nothing is missing" },
	{ "spec.clusterIPs", "*first value must match `clusterIP`*",
	  "clusterIP and clusterIPs that write the same address differently" },
	{ "endpoints.addresses", "*must be in canonical form*",
	  "IPv6 addresses written in another form: objects from before 1.36 have them" },
	{ "endpoints.addresses", "*domain*", "addresses of slices of type FQDN are not read" },
	{ "metadata.ownerReferences*", "*",
	  "ownerReferences only tell which workload a pod belongs to" },
	{ "spec.schedule", "Invalid value*",
	  "a CronJob's schedule must be there, but is not read" },
	{ "spec", "*Go struct field Namespace.spec *", "a Namespace's spec is not read" },
	{ "status*", "*Go struct field Namespace*", "a Namespace's status is not read" },
	{ "metadata.*", "*.spec.template.metadata.*",
	  "of a template's metadata only labels and annotations are read" },
	{ "spec.initContainers.name", "Duplicate *",
	  "a container and an init container of one name: their ports do not clash" },
	{ "", "quantities must match *", "amounts of resources are not read" },
	{ "", "*found unknown escape character*", /* all others both know, or neither */
	  "the escape \\/ in double quotes: JSON has it, and YAML 1.2" },
	{ "", "*is not a list: no Items field*",
	  "a list in a list: kubectl cannot divide it, and what is meant is clear" },
	{ "metadata.name", "*will not able to create pod *", "completionMode is not read" },
	{ "spec.completions", "Required value: when completion mode is Indexed",
	  "completionMode is not read" },
};

/* What only Weir refuses; message: the code, a blank and the message. */
static const struct choice weir_only[] = {
	{ "", "E003 *",
	  "a key given twice: kubectl takes the last one without a word, and a rule is lost" },
	{ "", "E002 *", "input above the limits of user/kube/limits.h" },
	{ "", "E001 control character*",
	  "a control character is an error also in what follows the end of a document" },
	{ "", "E001 \":\" inside *",
	  "{a:} is a key without a value to people, and the text \"a:\" to kubectl" },
	{ "", "E001 a blank must follow the tag*",
	  "a tag that ends in a bracket or comma: kubectl takes it for a part of the tag" },
	{ "", "E023 the number * is larger than Kubernetes reads",
	  "a number beyond 64-bit floating point: kubectl reads it as infinity in YAML" },
	{ "spec.ipFamilyPolicy", "E027 *",
	  "SingleStack with two families: the API server refuses it when it allocates addresses" },
	{ "spec.ports.nodePort", "E023 *",
	  "a nodePort that is no port: the API server notices it when it allocates ports" },
	{ "status*", "E0*",
	  "status: the API server ignores it on creation; here it says which addresses pods and nodes have" },
};

static bool matches(const struct choice *choices, size_t n, const char *path, const char *message)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(choices[i].path, path, 0) && !fnmatch(choices[i].message, message, 0))
			return true;
	return false;
}

/* "spec.ports[0].name" to "spec.ports.name". */
static char *without_brackets(const char *path)
{
	char *plain = mem_strdup(path), *to = plain;
	int depth = 0;

	for (; *path; path++) {
		depth += *path == '[';
		if (!depth)
			*to++ = *path;
		depth -= *path == ']' && depth;
	}
	*to = 0;
	return plain;
}

/* Pods, their templates and those of CronJobs have the same fields. */
static const char *inside_template(const char *path)
{
	static const char cron_job[] = "spec.jobTemplate.spec.", template[] = "spec.template.";

	if (!strncmp(path, cron_job, strlen(cron_job)))
		path += strlen("spec.jobTemplate.");
	return strncmp(path, template, strlen(template)) ? path : path + strlen(template);
}

static bool is_read(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(read_fields); i++)
		if (!fnmatch(read_fields[i], path, 0))
			return true;
	return false;
}

/* One line: the path, a tab, the message. */
static bool is_choice_of_server(char *line)
{
	char *tab = strchr(line, '\t');
	_cleanup_(mem_free) char *plain = NULL;
	const char *path;

	*tab = 0;
	plain = without_brackets(line);
	path = inside_template(plain);
	return !is_read(path) || matches(server_only, ARRAY_SIZE(server_only), path, tab + 1);
}

/*
 * kubectl looks a little into what follows the end of a document, and Weir warns of it. Of a text
 * that begins with { the error is that of JSON, which was tried first.
 */
static bool is_syntax_after_end(const char *said, const struct diag_list *diags)
{
	bool warned = false;

	for (size_t i = 0; i < diags->n; i++)
		warned |= !strncmp(diags->items[i].message, "not read, as by kubectl", 23);
	return warned && (strstr(said, "yaml: ") || strstr(said, "json: offset "));
}

bool apiserver_choice_of_server(const char *said, const struct diag_list *diags)
{
	_cleanup_(mem_free) char *copy = mem_strdup(said);
	char *rest = copy, *line;
	bool all = true;

	if (is_syntax_after_end(said, diags))
		return true;

	while (all && (line = strsep(&rest, "\n")))
		all = !*line || is_choice_of_server(line);
	return all;
}

bool apiserver_choice_of_weir(const struct diag_list *diags)
{
	bool all = true;

	for (size_t i = 0; all && i < diags->n; i++) {
		const struct diag *d = &diags->items[i];
		_cleanup_(mem_free) char *path = without_brackets(d->path ? d->path : "");
		_cleanup_(mem_free) char *message =
			mem_printf("%s %s", d->code ? d->code : "", d->message);

		all = d->level != DIAG_ERROR ||
		      matches(weir_only, ARRAY_SIZE(weir_only), path, message);
	}
	return all;
}

/*
 * Half of a surrogate pair in JSON, "\\ud800": yajl makes ? of it, Go U+FFFD. NUL, "\\u0000": Weir
 * makes U+FFFD of it.
 */
bool apiserver_choice_of_values(const char *weir, const char *server)
{
	static const char replacement[] = "\\ef\\bf\\bd", nul[] = "\\00";

	for (; *weir && *server; weir++, server++) {
		if (*weir == '?' && !strncmp(server, replacement, strlen(replacement))) {
			server += strlen(replacement) - 1;
		} else if (!strncmp(weir, replacement, strlen(replacement)) &&
			   !strncmp(server, nul, strlen(nul))) {
			weir += strlen(replacement) - 1;
			server += strlen(nul) - 1;
		} else if (*weir != *server) {
			return false;
		}
	}
	return *weir == *server;
}
