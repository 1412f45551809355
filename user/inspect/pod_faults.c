// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See pod_faults.h. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "attach/attach_netns.h"
#include "base/netns.h"
#include "inspect/pod_faults.h"

const char *const pod_fault_names[] = { "unattached", "held", "record", NULL };

static void add(struct pod_faults *f, enum pod_fault_kind kind, const char *pod, const char *why)
{
	*VEC_ADD(f->items, f->n, f->cap) =
		(struct pod_fault){ kind, arena_strdup(&f->arena, pod), why };
	f->count[kind]++;
}

void pod_faults_free(struct pod_faults *f)
{
	arena_free(&f->arena);
	free(f->items);
	*f = (struct pod_faults){};
}

void pod_faults_emit(const struct pod_faults *f, struct emit *e)
{
	emit_array(e, "faults");
	for (size_t i = 0; i < f->n; i++) {
		emit_map(e, NULL);
		emit_text(e, "kind", pod_fault_names[f->items[i].kind]);
		emit_text(e, "pod", f->items[i].pod);
		emit_text(e, "why", f->items[i].why);
		emit_map_end(e);
	}
	emit_array_end(e);
}

/* ---- A planned pod and its record ---- */

static const struct attachment *record_of(const struct attachment_list *l, const char *pod)
{
	const char *slash = strchr(pod, '/');
	_cleanup_(mem_free) char *ns = mem_strndup(pod, slash - pod);

	return attachment_find(l, ns, slash + 1);
}

static bool has_bad_record(const struct attachment_list *l, const char *pod)
{
	const char *slash = strchr(pod, '/');
	_cleanup_(mem_free) char *ns = mem_strndup(pod, slash - pod);

	return attachment_find_bad(l, ns, slash + 1);
}

static bool is_planned(const struct plan_json_pod *p)
{
	return !p->deleting && strchr(p->pod, '/') &&
	       !(weir_addr_is_zero(&p->addr[0]) && weir_addr_is_zero(&p->addr[1]));
}

/* The record, if an apply would take it for this pod; else reports why not. */
static const struct attachment *judge_record(struct pod_faults *f, const struct plan_json_pod *p,
					     const struct attachment_list *l)
{
	const struct attachment *a = record_of(l, p->pod);

	if (!a && has_bad_record(l, p->pod))
		return NULL; /* reported as such */
	if (!a) {
		add(f, POD_FAULT_UNATTACHED, p->pod,
		    "is not attached: it has no attachment record");
		return NULL;
	}
	if (!*a->uid || !*p->uid || !strcmp(a->uid, p->uid))
		return a;
	add(f, POD_FAULT_UNATTACHED, p->pod,
	    arena_printf(
		    &f->arena,
		    "is not attached: its attachment record is of an earlier pod of that name (uid %s, planned is %s)",
		    a->uid, p->uid));
	return NULL;
}

/* Does one of the addresses lead to a slot of a pod? */
static bool is_attached(const struct node *n, const struct weir_addr addr[2])
{
	const struct weir_pod *pods = node_array(n, WEIR_MAP_pods);
	uint32_t slot;

	for (int f = 0; f < 2; f++)
		if (!weir_addr_is_zero(&addr[f]) &&
		    !bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_endpoints), &addr[f], &slot) &&
		    slot < node_map_max(n, WEIR_MAP_pods) && pods[slot].ref)
			return true;
	return false;
}

/* Without addr the plan lacks the pod, and which device it has is unknown. */
static const char *what_became_of(const struct node *n, const struct weir_addr *addr)
{
	if (!addr)
		return "if it was attached, it is held";
	return is_attached(n, addr) ? "it stays attached" : "it is not attached";
}

static void add_bad_record(struct pod_faults *f, const struct node *n,
			   const struct attachment_bad *b, const struct weir_addr *addr)
{
	const char *pod = *b->ns ? arena_printf(&f->arena, "%s/%s", b->ns, b->name) : b->path;

	add(f, POD_FAULT_RECORD, pod,
	    arena_printf(&f->arena, "has an attachment record that is not valid: %s (%s)", b->why,
			 what_became_of(n, addr)));
}

/* ---- Before and after an apply ---- */

void pod_faults_of_plan(const struct node *n, const struct plan *p,
			const struct attachment_list *records, struct pod_faults *ret_faults)
{
	*ret_faults = (struct pod_faults){};
	for (size_t i = 0; i < p->n_pods; i++) {
		const struct plan_pod *pod = &p->pods[i];
		_cleanup_(mem_free) char *name = mem_printf("%s/%s", pod->ns, pod->name);
		struct plan_json_pod planned = {
			name, pod->uid ?: "", { pod->addr[0], pod->addr[1] }, pod->deleting
		};

		if (!is_planned(&planned))
			continue;
		ret_faults->planned++;
		judge_record(ret_faults, &planned, records);
	}
	for (size_t i = 0; i < records->n_bad; i++) {
		const struct attachment_bad *b = &records->bad[i];
		const struct plan_pod *pod = plan_find_pod(p, b->ns, b->name);

		add_bad_record(ret_faults, n, b, pod ? pod->addr : NULL);
	}
}

/* ---- What is loaded ---- */

struct search {
	const struct live *l;
	const struct attachment_list *records;
	struct pod_faults *f;
	bool devices; /* the caller is in the attach namespace */
};

static void judge_planned(const struct plan_json_pod *p, void *arg)
{
	struct search *s = arg;
	const struct attachment *a;
	char device[IF_NAMESIZE];

	if (!is_planned(p))
		return;
	s->f->planned++;
	if (is_attached(s->l->node, p->addr))
		return;
	a = judge_record(s->f, p, s->records);
	if (a && s->devices && if_indextoname(a->ifindex, device))
		add(s->f, POD_FAULT_UNATTACHED, p->pod,
		    "is not attached: its attachment record is newer than the last load");
}

static const char *pod_behind(const struct search *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->records->n; i++)
		if (s->records->items[i].ifindex == ifindex)
			return arena_printf(&s->f->arena, "%s/%s", s->records->items[i].ns,
					    s->records->items[i].name);
	return arena_printf(&s->f->arena, "behind device %u", ifindex);
}

static void add_held(struct search *s)
{
	const struct weir_pod *pods = node_array(s->l->node, WEIR_MAP_pods);

	for (uint32_t i = 0; i < node_map_max(s->l->node, WEIR_MAP_pods); i++)
		if (pods[i].ref && weir_pod_flags(pods[i].word) & WEIR_POD_GATE)
			add(s->f, POD_FAULT_HELD, pod_behind(s, pods[i].ifindex),
			    "is held: it has an attachment record but is not in the loaded manifests, so all its packets are dropped");
}

static void add_bad_of_live(struct search *s, const struct attachment_bad *b)
{
	_cleanup_(mem_free) char *pod = mem_printf("%s/%s", b->ns, b->name);
	struct weir_addr addr[2] = {};
	bool planned = false;

	for (int f = 0; s->l->plan && f < 2; f++)
		planned |= plan_json_pod_addr(s->l->plan, pod, f, &addr[f]);
	add_bad_record(s->f, s->l->node, b, planned ? addr : NULL);
}

void pod_faults_of_live(const struct live *l, const struct attachment_list *records,
			struct pod_faults *ret_faults)
{
	struct search s = { l, records, ret_faults, false };
	_cleanup_(netns_leave) int back = -1;

	*ret_faults = (struct pod_faults){};
	s.devices = attach_netns_enter(l->node, &back) != ATTACH_NETNS_UNKNOWN;
	if (l->plan)
		plan_json_each_pod(l->plan, judge_planned, &s);
	add_held(&s);
	for (size_t i = 0; i < records->n_bad; i++)
		add_bad_of_live(&s, &records->bad[i]);
}
