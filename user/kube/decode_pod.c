// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pod: its node, addresses, named ports and readiness.
 *
 * With a list of conditions, the condition Ready decides; without that condition the pod is not
 * ready. Without conditions, a pod is ready when its phase is Running. An address without a phase
 * means Running: such a status was written by hand. Without address, phase and conditions the pod
 * has no status.
 */
#include <string.h>

#include "kube/decode.h"

static const char *const policies[] = { "Always", "OnFailure", "Never", NULL };

static void decode_port_name(const struct field *port, struct kube_pod_port *p)
{
	struct field name = field_at(port, "name");

	p->name = field_text(&name, "");
	if (*p->name && !check_port_name(p->name))
		field_error(
			&name, KUBE_E_PORT_NAME,
			"\"%.80s\" is not a port name: at most 15 of a-z, 0-9 and -, at least one letter, no - at the ends or twice in a row",
			p->name);
}

/* counts: its ports are the pod's. */
static void decode_container(const struct field *container, bool counts, struct kube_pod *pod,
			     size_t *cap)
{
	struct field name = field_at(container, "name"), ports = field_list(container, "ports");
	const char *text = field_raw(&name, "");

	if (!*text)
		field_error(&name, KUBE_E_REQUIRED, "required");
	else if (!check_dns_label(text))
		field_error(&name, KUBE_E_NAME,
			    "\"%.80s\" is not a container name: at most 63 of a-z, 0-9 and -",
			    text);
	for (size_t i = 0; i < field_count(&ports); i++) {
		struct field port = field_map_item(&ports, i);
		struct kube_pod_port p = {};

		decode_port_name(&port, &p);
		p.proto = check_protocol_at(&port, "protocol");
		p.port = check_port_at(&port, "containerPort");
		if (counts)
			*VEC_ADD(pod->ports, pod->n_ports, *cap) = p;
	}
	check_unique_named_at(&ports, "name", "port name");
}

static void decode_containers(const struct field *spec, struct kube_pod *pod)
{
	struct field containers = field_list(spec, "containers"),
		     init = field_list(spec, "initContainers");
	struct field given = field_at(spec, "containers");
	_cleanup_(mem_free) struct kube_pod_port *grown = NULL;
	size_t cap = 0;

	if (!field_count(&containers) && (!given.node || given.node->type == DOC_LIST))
		field_error(&given, KUBE_E_REQUIRED, "required: at least one container");
	for (size_t i = 0; i < field_count(&containers); i++) {
		struct field c = field_map_item(&containers, i);

		decode_container(&c, true, pod, &cap);
	}
	check_unique_named_at(&containers, "name", "container name");
	for (size_t i = 0; i < field_count(&init); i++) {
		struct field c = field_map_item(&init, i);
		bool sidecar = !field_word_given_at(&c, "restartPolicy", policies, 1);

		decode_container(&c, sidecar, pod, &cap);
	}
	check_unique_named_at(&init, "name", "container name");
	grown = pod->ports;
	pod->ports = arena_zalloc(spec->d->arena, pod->n_ports * sizeof(*pod->ports));
	if (pod->n_ports)
		memcpy(pod->ports, grown, pod->n_ports * sizeof(*pod->ports));
}

static void add_addr(const struct field *f, struct kube_pod *pod)
{
	struct weir_addr a;
	int family;

	if (!*field_raw(f, "") || !check_addr(f, &a))
		return;
	family = addr_family(&a);
	if (!weir_addr_is_zero(&pod->addr[family]) && !weir_addr_equal(&pod->addr[family], &a))
		field_error(f, KUBE_E_REPEATED,
			    "a second %s address: a pod has at most one of each family",
			    family_text(family));
	pod->addr[family] = a;
}

static void decode_addrs(const struct field *status, struct kube_pod *pod)
{
	struct field ips = field_list(status, "podIPs"), ip = field_at(status, "podIP");
	const char *one = field_raw(&ip, ""), *first = one;
	size_t n = field_count(&ips);

	for (size_t i = n; i; i--) {
		struct field item = field_map_item(&ips, i - 1);

		first = field_raw_at(&item, "ip", "");
	}
	/* where they differ, podIP counts: as the API server has it for old kubelets */
	if (!n || (*one && strcmp(one, first))) {
		add_addr(&ip, pod);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct field item = field_item(&ips, i);
		bool map = item.node && item.node->type == DOC_MAP; /* others are reported */
		struct field address = { 0 };

		if (map)
			address = field_at(&item, "ip");
		if (map && address.node && address.node->type == DOC_STRING)
			add_addr(&address, pod);
	}
}

static bool decode_ready(const struct field *conditions)
{
	bool ready = false;

	for (size_t i = 0; i < field_count(conditions); i++) {
		struct field c = field_map_item(conditions, i);
		const char *type = field_raw_at(&c, "type", ""),
			   *status = field_raw_at(&c, "status", "");

		if (!strcmp(type, "Ready"))
			ready = !strcmp(status, "True");
	}
	return ready;
}

static void decode_status(const struct field *root, struct kube_pod *pod)
{
	/* in the order of enum kube_phase */
	static const char *const phases[] = { "Pending", "Running", "Succeeded",
					      "Failed",  "Unknown", NULL };
	struct field status = field_map(root, "status");
	struct field conditions = field_list(&status, "conditions");
	int phase = field_word_at(&status, "phase", phases, -1);
	bool has_addr;

	decode_addrs(&status, pod);
	has_addr = !weir_addr_is_zero(&pod->addr[0]) || !weir_addr_is_zero(&pod->addr[1]);
	pod->has_status = phase >= 0 || has_addr || field_given(&conditions);
	if (phase < 0)
		phase = has_addr ? KUBE_RUNNING : KUBE_PENDING;
	pod->phase = phase;
	pod->ready = field_given(&conditions) ? decode_ready(&conditions) : phase == KUBE_RUNNING;
}

static const char *decode_host_part(const struct field *spec, const char *key, bool checked)
{
	struct field f = field_at(spec, key);
	const char *text = field_text(&f, "");

	if (checked && *text && !check_dns_label(text))
		field_error(&f, KUBE_E_NAME,
			    "\"%.80s\" is not a DNS label: at most 63 of a-z, 0-9 and -", text);
	return text;
}

void decode_pod_spec(const struct field *spec, bool named, struct kube_pod *pod)
{
	struct field node = field_at(spec, "nodeName");

	pod->node = field_text(&node, "");
	if (*pod->node && !check_dns_name(pod->node))
		field_error(&node, KUBE_E_NAME,
			    "\"%.80s\" is not a node name: at most 253 of a-z, 0-9, - and .",
			    pod->node);
	pod->host_network = field_flag_at(spec, "hostNetwork", false);
	pod->hostname = decode_host_part(spec, "hostname", !named);
	pod->subdomain = decode_host_part(spec, "subdomain", !named);
	decode_containers(spec, pod);
}

void decode_pod(const struct field *root, struct kube_meta *o)
{
	struct kube_pod *pod = (struct kube_pod *)o;
	struct field spec = field_map(root, "spec");

	decode_pod_spec(&spec, false, pod);
	field_word_at(&spec, "restartPolicy", policies, 0);
	decode_status(root, pod);
}
