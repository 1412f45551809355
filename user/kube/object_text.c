// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * An object as text, with everything that Weir uses of it, after defaults: two objects mean the
 * same if their texts are equal. tests/apiserver prints the same of the API server's object.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "kube/objects.h"

/* In quotes; bytes other than printable ASCII, the quote and the backslash as \xx. */
static void put_text(const char *text, FILE *out)
{
	fputs(" \"", out);
	for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			fprintf(out, "\\%02x", *p);
		else
			fputc(*p, out);
	fputc('"', out);
}

static void put_named(const char *what, const char *text, FILE *out)
{
	fprintf(out, " %s", what);
	put_text(text, out);
}

static void put_addr(const struct weir_addr *a, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, " %s", weir_addr_is_zero(a) ? "none" : addr_text(a, text));
}

static void put_labels(const char *what, const struct kube_labels *labels, FILE *out)
{
	for (size_t i = 0; i < labels->n; i++) {
		fprintf(out, "  %s", what);
		put_text(labels->items[i].key, out);
		put_text(labels->items[i].value, out);
		fputc('\n', out);
	}
}

static void put_selector(const char *what, const struct kube_selector *s, FILE *out)
{
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist" };

	fprintf(out, "  %s %zu\n", what, s->n);
	for (size_t i = 0; i < s->n; i++) {
		fprintf(out, "   %s", operators[s->items[i].op]);
		put_text(s->items[i].key, out);
		for (size_t k = 0; k < s->items[i].n; k++)
			put_text(s->items[i].values[k], out);
		fputc('\n', out);
	}
}

static void print_node(const struct kube_node *node, FILE *out)
{
	for (size_t i = 0; i < node->n_taints; i++) {
		fputs("  taint", out);
		put_text(node->taints[i].key, out);
		put_text(node->taints[i].value, out);
		put_text(node->taints[i].effect, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < node->n_addrs; i++) {
		fputs("  address", out);
		put_addr(&node->addrs[i], out);
		fputc('\n', out);
	}
	fputs("  primary", out);
	put_addr(&node->primary[0], out);
	put_addr(&node->primary[1], out);
	fputc('\n', out);
}

static void print_pod_spec(const struct kube_pod *pod, FILE *out)
{
	put_named(" node", pod->node, out);
	put_named("hostname", pod->hostname, out);
	put_named("subdomain", pod->subdomain, out);
	fprintf(out, " host-network %d\n", pod->host_network);
	for (size_t i = 0; i < pod->n_ports; i++) {
		put_named(" port", pod->ports[i].name, out);
		fprintf(out, " %s %u\n", proto_text(pod->ports[i].proto), pod->ports[i].port);
	}
}

static void print_pod(const struct kube_pod *pod, FILE *out)
{
	print_pod_spec(pod, out);
	fprintf(out, "  status %d phase %d ready %d addresses", pod->has_status, pod->phase,
		pod->ready);
	put_addr(&pod->addr[0], out);
	put_addr(&pod->addr[1], out);
	fputc('\n', out);
}

static void put_addrs(const char *what, const struct weir_addr *addrs, size_t n, FILE *out)
{
	fprintf(out, "  %s", what);
	for (size_t i = 0; i < n; i++)
		put_addr(&addrs[i], out);
	fputc('\n', out);
}

static void print_service(const struct kube_service *svc, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, "  type %d headless %d needs-ip %d families %d %d cluster-ips", svc->type,
		svc->headless, svc->needs_cluster_ip, svc->wants_family[0], svc->wants_family[1]);
	put_addr(&svc->cluster_ip[0], out);
	put_addr(&svc->cluster_ip[1], out);
	fprintf(out, "\n  internal-local %d external-local %d not-ready %d selector %d\n",
		svc->internal_local, svc->external_local, svc->publish_not_ready,
		svc->has_selector);
	if (svc->has_selector)
		put_selector("selector", &svc->selector, out);
	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct kube_service_port *p = &svc->ports[i];

		put_named(" port", p->name, out);
		fprintf(out, " %s %u node %u target", proto_text(p->proto), p->port, p->node_port);
		if (p->target_is_name)
			put_text(p->target_name, out);
		else
			fprintf(out, " %u", p->target_port);
		fputc('\n', out);
	}
	fprintf(out, "  affinity %u\n", svc->affinity_s);
	put_addrs("external-ips", svc->external_ips, svc->n_external_ips, out);
	put_addrs("vips", svc->vips, svc->n_vips, out);
	for (size_t i = 0; i < svc->n_source_ranges; i++)
		fprintf(out, "  source-range %s\n", cidr_text(&svc->source_ranges[i], text));
	put_addrs("balancer-ips", svc->balancer_ips, svc->n_balancer_ips, out);
}

static void print_endpoint(const struct kube_endpoint *e, FILE *out)
{
	fputs("  endpoint", out);
	put_addr(&e->addr, out);
	fprintf(out, " ready %d serving %d terminating %d", e->ready, e->serving, e->terminating);
	put_named("node", e->node, out);
	fputs(" zones", out);
	for (size_t i = 0; i < e->n_zone_hints; i++)
		put_text(e->zone_hints[i], out);
	fputs(" nodes", out);
	for (size_t i = 0; i < e->n_node_hints; i++)
		put_text(e->node_hints[i], out);
	fputc('\n', out);
}

static void print_slice(const struct kube_slice *slice, FILE *out)
{
	fprintf(out, "  family %d", slice->family);
	put_named("service", slice->service, out);
	fputc('\n', out);
	for (size_t i = 0; i < slice->n_endpoints; i++)
		print_endpoint(&slice->endpoints[i], out);
	for (size_t i = 0; i < slice->n_ports; i++) {
		put_named(" port", slice->ports[i].name, out);
		fprintf(out, " %s %u\n", proto_text(slice->ports[i].proto), slice->ports[i].port);
	}
}

static void print_endpoints(const struct kube_endpoints *e, FILE *out)
{
	fprintf(out, "  mirrored %d\n", !e->not_mirrored);
	for (size_t i = 0; i < e->n_slices; i++)
		print_slice(&e->slices[i], out);
}

static void print_peer(const struct kube_peer *peer, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fputs("  peer\n", out);
	if (peer->pods)
		put_selector("pods", peer->pods, out);
	if (peer->namespaces)
		put_selector("namespaces", peer->namespaces, out);
	if (!peer->has_block)
		return;
	fprintf(out, "  block %s\n", cidr_text(&peer->block, text));
	for (size_t i = 0; i < peer->n_except; i++)
		fprintf(out, "  except %s\n", cidr_text(&peer->except[i], text));
}

static void print_rule(const struct kube_policy_rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->n_peers; i++)
		print_peer(&rule->peers[i], out);
	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct kube_policy_port *p = &rule->ports[i];

		fprintf(out, "  port %s", proto_text(p->proto));
		if (p->name)
			put_text(p->name, out);
		else if (p->any)
			fputs(" any", out);
		else
			fprintf(out, " %u-%u", p->low, p->high);
		fputc('\n', out);
	}
}

static void print_policy(const struct kube_policy *policy, FILE *out)
{
	fprintf(out, "  isolates %d %d\n", policy->isolates[0], policy->isolates[1]);
	put_selector("pods", &policy->pods, out);
	for (int direction = 0; direction < 2; direction++)
		for (size_t i = 0; i < policy->n_rules[direction]; i++) {
			fprintf(out, "  rule %d\n", direction);
			print_rule(&policy->rules[direction][i], out);
		}
}

static void print_workload(const struct kube_workload *w, FILE *out)
{
	fprintf(out, "  pods %u first %u\n", w->pods, w->first);
	put_labels("template-label", &w->template->meta.labels, out);
	print_pod_spec(w->template, out);
	if (w->meta.kind != KUBE_DAEMON_SET)
		return;
	put_selector("nodes", &w->node_selector, out);
	for (size_t i = 0; i < w->n_tolerations; i++) {
		const struct kube_toleration *t = &w->tolerations[i];

		fputs("  toleration", out);
		put_text(t->key, out);
		put_text(t->value, out);
		put_text(t->effect, out);
		fprintf(out, " %d\n", t->exists);
	}
}

static void print_meta(const struct kube_meta *m, FILE *out)
{
	fputs(kube_kind_text(m->kind), out);
	put_text(m->ns, out);
	put_text(m->name, out);
	put_named("uid", m->uid, out);
	fprintf(out, " created %" PRId64 " deleting %d owner %s", m->created, m->deleting,
		m->owner.name ? kube_kind_text(m->owner.kind) : "none");
	put_text(m->owner.name, out);
	fputc('\n', out);
	put_labels("label", &m->labels, out);
}

static void print_object(const struct kube_meta *m, FILE *out)
{
	print_meta(m, out);
	if (m->kind == KUBE_NODE)
		print_node((const struct kube_node *)m, out);
	else if (m->kind == KUBE_POD)
		print_pod((const struct kube_pod *)m, out);
	else if (m->kind == KUBE_SERVICE)
		print_service((const struct kube_service *)m, out);
	else if (m->kind == KUBE_SLICE)
		print_slice((const struct kube_slice *)m, out);
	else if (m->kind == KUBE_ENDPOINTS)
		print_endpoints((const struct kube_endpoints *)m, out);
	else if (m->kind == KUBE_POLICY)
		print_policy((const struct kube_policy *)m, out);
	else if (m->kind >= KUBE_WORKLOAD_FIRST)
		print_workload((const struct kube_workload *)m, out);
}

char *kube_object_text(const struct kube_meta *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_object(m, out);
	fclose(out);
	return text;
}

bool kube_object_equal(const struct kube_meta *a, const struct kube_meta *b)
{
	_cleanup_(mem_free) char *text_a = kube_object_text(a), *text_b = kube_object_text(b);

	return !strcmp(text_a, text_b);
}
