// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What this node enforces: its pods, the policies that select one of them (NP-6), and the rules of
 * those policies in the directions that they isolate (NP-7, NP-8). The plan leaves out all other
 * policies.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

static void note_address_conflict(struct build *b, const struct kube_pod *pod,
				  const struct weir_addr *addr, const struct kube_pod *owner)
{
	_cleanup_(mem_free) char *object = mem_printf("Pod %s/%s", pod->meta.ns, pod->meta.name);
	char text[ADDR_TEXT_MAX];

	diag_add(&b->plan->notes, DIAG_WARNING, NULL, &pod->meta.src, object, "status.podIPs",
		 "%s is also the address of Pod %s/%s; policies apply to that Pod",
		 addr_text(addr, text), owner->meta.ns, owner->meta.name);
}

static void add_local(struct build *b, const struct kube_pod *pod, struct plan_pod *ret_pod)
{
	struct arena *a = &b->plan->arena;
	struct plan_pod p = {
		.ns = arena_strdup(a, pod->meta.ns),
		.name = arena_strdup(a, pod->meta.name),
		.uid = arena_strdup(a, pod->meta.uid),
		.any_sender = pod->any_sender,
		.tunnels = pod->tunnels,
		.deleting = pod->meta.deleting,
		.src = build_src(b, &pod->meta.src),
	};

	for (int family = 0; family < 2; family++) {
		const struct weir_addr *addr = &pod->addr[family];
		const struct kube_pod *owner;

		if (weir_addr_is_zero(addr))
			continue;
		owner = store_pod_by_addr(b->store, addr);
		if (owner == pod)
			p.addr[family] = *addr;
		else if (owner)
			note_address_conflict(b, pod, addr, owner);
	}
	*ret_pod = p;
}

static void find_locals(struct build *b)
{
	struct plan *p = b->plan;
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++) {
		n = 0;
		for (size_t i = 0; i < b->store->n_pods; i++) {
			const struct kube_pod *pod = b->store->pods[i];

			if (!kube_pod_has_identity(pod) || strcmp(pod->node, p->node))
				continue;
			if (pass) {
				b->locals[n].pod = pod;
				add_local(b, pod, &p->pods[n]);
			}
			n++;
		}
		if (!pass) {
			b->locals = mem_zalloc(n * sizeof(*b->locals));
			p->pods = arena_zalloc(&p->arena, n * sizeof(*p->pods));
		}
	}
	p->n_pods = n;
}

/*
 * The locals of a namespace: from *first, which only moves forward, to before the returned index.
 */
static size_t namespace_range(const struct build *b, const char *ns, size_t *first)
{
	size_t end;

	while (*first < b->plan->n_pods && strcmp(b->locals[*first].pod->meta.ns, ns) < 0)
		++*first;
	for (end = *first; end < b->plan->n_pods && !strcmp(b->locals[end].pod->meta.ns, ns);)
		end++;
	return end;
}

/* One pass: policies and locals are both sorted by namespace. */
static void find_policies(struct build *b)
{
	size_t first = 0, end;

	for (size_t i = 0; i < b->store->n_policies; i++) {
		const struct kube_policy *policy = b->store->policies[i];
		bool selects = false;

		end = namespace_range(b, policy->meta.ns, &first);
		for (size_t l = first; l < end; l++) {
			if (!kube_selector_matches(&policy->pods, &b->locals[l].pod->meta.labels))
				continue;
			IDS_ADD(&b->locals[l].policies, b->n_actives);
			selects = true;
		}
		if (selects)
			*VEC_ADD(b->actives, b->n_actives, b->cap_actives) = (struct active){
				.policy = policy,
				.text = arena_printf(&b->plan->arena, "%s/%s", policy->meta.ns,
						     policy->meta.name),
			};
	}
}

static struct plan_hash rule_name(const struct plan_rule *r)
{
	struct hasher h;

	hash_begin(&h, "rule");
	hash_text(&h, r->policy);
	hash_u32(&h, r->direction);
	hash_u32(&h, r->index);
	return hash_end(&h);
}

static void mark_closed(struct build *b)
{
	for (size_t i = 0; i < b->n_actives && b->closed->n; i++)
		for (int dir = 0; dir < 2; dir++)
			b->actives[i].closed[dir] = closed_has(b->closed, b->actives[i].text, dir);
}

static size_t count_rules(const struct build *b)
{
	size_t n = 1;

	for (size_t i = 0; i < b->n_actives; i++)
		for (int dir = 0; dir < 2; dir++)
			if (b->actives[i].policy->isolates[dir] && !b->actives[i].closed[dir])
				n += b->actives[i].policy->n_rules[dir];
	return n;
}

static void add_rules(struct build *b, struct active *a, enum kube_direction dir)
{
	const struct kube_policy *policy = a->policy;
	struct plan *p = b->plan;

	a->first_rule[dir] = p->n_rules;
	for (size_t i = 0; i < policy->n_rules[dir] && !a->closed[dir]; i++) {
		const struct kube_policy_rule *r = &policy->rules[dir][i];
		struct plan_rule *rule = &p->rules[p->n_rules];

		*rule = (struct plan_rule){
			.policy = a->text,
			.direction = dir,
			.index = i,
			.src = build_src(b, r->src.line ? &r->src : &policy->meta.src),
		};
		rule->name = rule_name(rule);
		b->rules[p->n_rules] = (struct rule){ .policy = policy,
						      .rule = r,
						      .active = a - b->actives,
						      .any_peer = !r->n_peers };
		p->n_rules++;
	}
}

static int by_pod_addr(const void *a, const void *b)
{
	return addr_compare(&((const struct plan_pod_addr *)a)->addr,
			    &((const struct plan_pod_addr *)b)->addr);
}

static void add_pod_addrs(struct plan *p)
{
	p->pod_addrs = arena_zalloc(&p->arena, 2 * p->n_pods * sizeof(*p->pod_addrs));
	for (size_t i = 0; i < p->n_pods; i++)
		for (int family = 0; family < 2; family++)
			if (!weir_addr_is_zero(&p->pods[i].addr[family]))
				p->pod_addrs[p->n_pod_addrs++] =
					(struct plan_pod_addr){ p->pods[i].addr[family], i };
	if (p->n_pod_addrs)
		qsort(p->pod_addrs, p->n_pod_addrs, sizeof(*p->pod_addrs), by_pod_addr);
}

void build_locals(struct build *b)
{
	struct plan *p = b->plan;
	size_t n;

	find_locals(b);
	add_pod_addrs(p);
	find_policies(b);
	mark_closed(b);
	n = count_rules(b);
	p->rules = arena_zalloc(&p->arena, n * sizeof(*p->rules));
	p->rules[0].policy = "";
	b->rules = mem_zalloc(n * sizeof(*b->rules));
	p->n_rules = 1;
	for (size_t i = 0; i < b->n_actives; i++)
		for (int dir = 0; dir < 2; dir++)
			if (b->actives[i].policy->isolates[dir])
				add_rules(b, &b->actives[i], dir);
}
