/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Workloads: which fields are valid, which pods are made for them, and when none are. */
#include "kube_test.h"
#include "kube/limits.h"

#define WEB \
	"metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}"
#define SELECTED "selector: {matchLabels: {app: web}}, template: {" WEB "}"
#define APPS(kind, name, spec)                                             \
	"---\napiVersion: apps/v1\nkind: " kind "\nmetadata: {name: " name \
	", namespace: q}\nspec: {" spec "}\n"
#define BATCH(kind, name, spec)                                             \
	"---\napiVersion: batch/v1\nkind: " kind "\nmetadata: {name: " name \
	", namespace: q}\nspec: {" spec "}\n"
#define RC(name, spec)                                                             \
	"---\napiVersion: v1\nkind: ReplicationController\nmetadata: {name: " name \
	", namespace: q}\nspec: {" spec "}\n"
#define JOB_POD \
	"template: {metadata: {labels: {app: job}}, spec: {restartPolicy: Never, containers: [{name: c}]}}"
#define NODE(name, rest) "---\n{apiVersion: v1, kind: Node, metadata: {name: " name rest "}\n"
/* A pod as a server returns it, with its controller. */
#define OWNED(name, labels, api, kind, owner)                                                 \
	"---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: " name                            \
	"\n  namespace: q\n  labels: {" labels "}\n  ownerReferences:\n  - {apiVersion: " api \
	", kind: " kind ", name: " owner                                                      \
	", controller: true}\nspec: {containers: [{name: c}]}\nstatus: {podIP: 10.1.0.9}\n"

/* expected: all pods as "name name …". No errors. */
static void assert_pods(const char *text, const char *expected)
{
	with_store *s = read_with_defaults(text, STORE_ASSIGN | STORE_ADMIT);
	_cleanup_(mem_free) char *names = mem_strdup("");

	for (size_t i = 0; i < s->n_pods; i++) {
		char *longer = mem_printf("%s%s%s", names, i ? " " : "", s->pods[i]->meta.name);

		mem_free(&names);
		names = longer;
	}
	if (s->diags.errors)
		diag_print(&s->diags, stdout);
	assert_int_equal(s->diags.errors, 0);
	assert_string_equal(names, expected);
}

/* ---- Which pods ---- */

static void replicas_are_pods_named_by_ordinal(void **state)
{
	static const char *const kinds[] = { "Deployment", "ReplicaSet" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(mem_free) char *text =
			mem_printf(APPS("%s", "web", "replicas: 3, " SELECTED), kinds[i]);
		_cleanup_(mem_free) char *none =
			mem_printf(APPS("%s", "web", "replicas: 0, " SELECTED), kinds[i]);
		_cleanup_(mem_free) char *one = mem_printf(APPS("%s", "web", SELECTED), kinds[i]);

		assert_pods(text, "web-1 web-2 web-3");
		assert_pods(none, "");
		assert_pods(one, "web-1");
	}
}

static void
a_replication_controller_selects_by_a_plain_map_or_by_the_labels_of_its_template(void **state)
{
	static const char any[] = RC("web", "replicas: 2, template: {" WEB "}");

	assert_pods(any, "web-1 web-2");
	assert_pods(RC("web", "selector: {}, template: {" WEB "}"), "web-1");
	assert_pods(RC("web", "selector: {app: web}, template: {" WEB "}"), "web-1");
	assert_pods(RC("web", "template: {" WEB "}")
			    OWNED("p", "a: b", "v1", "ReplicationController", "web"),
		    "p");
	assert_found(
		RC("web", "selector: {app: api}, template: {" WEB "}"),
		"f.yaml:5:18: error E027: ReplicationController q/web: spec.selector: does not match "
		"the labels of the template, which has app=web\n");
	assert_found(
		RC("web", "template: {spec: {containers: [{name: c}]}}"),
		"f.yaml:5:7: error E021: ReplicationController q/web: spec.selector: required: labels "
		"of the template, for example app: web\n");
	assert_found(
		RC("web", "selector: {matchLabels: {app: web}}, template: {" WEB "}"),
		"f.yaml:5:32: error E020: ReplicationController q/web: spec.selector.matchLabels: "
		"expected a string, found a mapping\n");
}

static void a_made_pod_has_the_fields_and_position_of_the_template(void **state)
{
	with_store *s = read_with_defaults(
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: q}\n"
		"spec:\n  selector: {matchLabels: {app: web}}\n  template:\n"
		"    metadata: {labels: {app: web, tier: front}, name: other}\n"
		"    spec:\n      nodeName: n7\n      hostNetwork: true\n      subdomain: sub\n"
		"      containers: [{name: c, ports: [{name: http, containerPort: 80}]}]\n",
		STORE_ASSIGN);
	const struct kube_pod *pod = store_pod(s, "q", "web-1");

	assert_string_equal(kube_label(&pod->meta.labels, "tier"), "front");
	assert_int_equal(pod->meta.labels.n, 2);
	assert_string_equal(pod->node, "n7");
	assert_string_equal(pod->subdomain, "sub");
	assert_true(pod->host_network && pod->ready && pod->phase == KUBE_RUNNING);
	assert_int_equal(pod->ports[0].port, 80);
	assert_int_equal(pod->meta.src.line, 7);
	assert_int_equal(pod->meta.owner.kind, KUBE_DEPLOYMENT);
	assert_string_equal(pod->meta.owner.name, "web");
	assert_ptr_equal(pod->made_for, store_workload(s, KUBE_DEPLOYMENT, "q", "web"));
	assert_ptr_equal(store_first_pod(s, "q", "web"), pod);
	assert_non_null(store_node(s, "n7"));
}

static void dns_6_pods_of_a_stateful_set_have_ordinals_and_host_names(void **state)
{
	static const char text[] =
		APPS("StatefulSet", "db",
		     "replicas: 2, serviceName: dbs, ordinals: {start: 5}, " SELECTED);
	with_store *s = read_with_defaults(text, STORE_ASSIGN);
	const struct kube_pod *pod = store_pod(s, "q", "db-6");

	assert_pods(text, "db-5 db-6");
	assert_pods(APPS("StatefulSet", "db", SELECTED), "db-0");
	assert_string_equal(pod->hostname, "db-6");
	assert_string_equal(pod->subdomain, "dbs");
	assert_string_equal(kube_label(&pod->meta.labels, "statefulset.kubernetes.io/pod-name"),
			    "db-6");
	assert_string_equal(kube_label(&pod->meta.labels, "apps.kubernetes.io/pod-index"), "6");
	assert_string_equal(kube_label(&pod->meta.labels, "app"), "web");
}

static void a_daemon_set_has_a_pod_on_each_selected_and_tolerated_node(void **state)
{
	static const char nodes[] = NODE("a", ", labels: {disk: fast}}") NODE(
		"b", ", labels: {disk: slow}}")
		NODE("c",
		     ", labels: {disk: fast}}, spec: {taints: [{key: k, value: v, effect: NoSchedule}]}")
			NODE("d",
			     ", labels: {disk: fast}}, spec: {taints: [{key: k, effect: PreferNoSchedule}, "
			     "{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}");
	static const struct {
		const char *spec, *pods;
	} cases[] = {
		{ "", "ds-a ds-b ds-d" },
		{ ", nodeSelector: {disk: fast}", "ds-a ds-d" },
		{ ", nodeSelector: {kubernetes.io/os: linux, kubernetes.io/hostname: b}", "ds-b" },
		{ ", nodeSelector: {kubernetes.io/os: windows}", "" },
		{ ", nodeName: b", "ds-b" },
		{ ", tolerations: [{operator: Exists}]", "ds-a ds-b ds-c ds-d" },
		{ ", tolerations: [{key: k, value: v}]", "ds-a ds-b ds-c ds-d" },
		{ ", tolerations: [{key: k, value: other}]", "ds-a ds-b ds-d" },
		{ ", tolerations: [{key: other, operator: Exists}]", "ds-a ds-b ds-d" },
		{ ", tolerations: [{key: k, operator: Exists, effect: NoExecute}]",
		  "ds-a ds-b ds-d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *text = mem_printf(
			"%s" APPS(
				"DaemonSet", "ds",
				"selector: {matchLabels: {app: ds}}, template: {metadata: {labels: {app: ds}}, "
				"spec: {containers: [{name: c}]%s}}"),
			nodes, cases[i].spec);

		assert_pods(text, cases[i].pods);
	}
}

static void an_implied_node_has_a_pod_of_every_daemon_set(void **state)
{
	static const char ds[] = APPS(
		"DaemonSet", "ds",
		"selector: {matchLabels: {app: ds}}, template: {metadata: {labels: {app: ds}}, "
		"spec: {nodeSelector: {disk: fast}, containers: [{name: c}]}}");
	_cleanup_(mem_free) char *with_pods = mem_printf(
		"%s---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: q}\n"
		"spec: {nodeName: n1, containers: [{name: c}]}\n" APPS(
			"Deployment", "web",
			"selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {nodeName: n2, containers: [{name: c}]}}"),
		ds);
	with_store *s = read_with_defaults(with_pods, STORE_ASSIGN);

	assert_pods(ds, "ds-node");
	assert_pods(with_pods, "ds-n1 ds-n2 p web-1");
	assert_string_equal(store_pod(s, "q", "ds-n2")->node, "n2");
}

static void a_pod_name_too_long_with_the_node_name_gets_a_number(void **state)
{
	char node[254] = "", text[1024];

	memset(node, 'a', sizeof(node) - 1);
	snprintf(text, sizeof(text), NODE("%s", "}") "%s", node, APPS("DaemonSet", "ds", SELECTED));
	assert_pods(text, "ds-1");
}

static void a_job_has_its_parallel_pods_and_none_when_suspended_or_ended(void **state)
{
	with_store *s = read_with_defaults(BATCH("Job", "j", JOB_POD), STORE_ASSIGN);

	assert_pods(BATCH("Job", "j", JOB_POD), "j-1");
	assert_pods(BATCH("Job", "j", "parallelism: 3, " JOB_POD), "j-1 j-2 j-3");
	assert_pods(BATCH("Job", "j", "parallelism: 3, completions: 2, " JOB_POD), "j-1 j-2");
	assert_pods(BATCH("Job", "j", "parallelism: 0, " JOB_POD), "");
	assert_pods(BATCH("Job", "j", "suspend: true, " JOB_POD), "");
	assert_pods(
		BATCH("Job", "j",
		      JOB_POD) "status: {conditions: [{type: Complete, status: \"True\"}, {type: More}]}\n",
		"");
	assert_pods(BATCH("Job", "j",
			  JOB_POD) "status: {conditions: [{type: Complete, status: \"False\"}]}\n",
		    "j-1");
	assert_string_equal(kube_label(&s->pods[0]->meta.labels, "batch.kubernetes.io/job-name"),
			    "j");
}

static void a_cron_job_has_the_pods_of_one_job(void **state)
{
	assert_pods(BATCH("CronJob", "c",
			  "schedule: \"0 3 * * *\", jobTemplate: {spec: {" JOB_POD "}}"),
		    "c-1");
	assert_pods(
		BATCH("CronJob", "c",
		      "schedule: x, jobTemplate: {spec: {parallelism: 2, completions: 9, " JOB_POD
		      "}}"),
		"c-1 c-2");
	assert_pods(BATCH("CronJob", "c",
			  "suspend: true, schedule: x, jobTemplate: {spec: {" JOB_POD "}}"),
		    "");
}

static void names_that_are_taken_are_skipped(void **state)
{
	static const char pod[] =
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: q}\n"
		"spec: {containers: [{name: c}]}\n";
	_cleanup_(mem_free) char *deployment =
		mem_printf("%s" APPS("Deployment", "web", "replicas: 2, " SELECTED), pod);
	_cleanup_(mem_free) char *stateful =
		mem_printf("%s" APPS("StatefulSet", "web", "replicas: 3, " SELECTED), pod);

	assert_pods(deployment, "web-1 web-2 web-3");
	assert_pods(stateful, "web-0 web-1 web-2");
	assert_pods(APPS("Deployment", "web", "replicas: 2, " SELECTED)
			    APPS("StatefulSet", "web", "replicas: 2, " SELECTED),
		    "web-0 web-1 web-2 web-3");
}

static void the_order_of_input_does_not_matter(void **state)
{
	with_store *a =
		read_with_defaults(APPS("Deployment", "web", "replicas: 2, " SELECTED)
					   APPS("StatefulSet", "web", "replicas: 2, " SELECTED),
				   STORE_ASSIGN);
	with_store *b =
		read_with_defaults(APPS("StatefulSet", "web", "replicas: 2, " SELECTED)
					   APPS("Deployment", "web", "replicas: 2, " SELECTED),
				   STORE_ASSIGN);

	assert_int_equal(a->n_pods, b->n_pods);
	for (size_t i = 0; i < a->n_pods; i++) {
		assert_string_equal(a->pods[i]->meta.name, b->pods[i]->meta.name);
		assert_int_equal(a->pods[i]->meta.owner.kind, b->pods[i]->meta.owner.kind);
		assert_memory_equal(a->pods[i]->addr, b->pods[i]->addr, sizeof(a->pods[i]->addr));
	}
}

static void services_select_made_pods(void **state)
{
	with_store *s = read_objects(
		OBJECTS(APPS("StatefulSet", "db", "replicas: 2, serviceName: db, " SELECTED),
			APPS("Deployment", "web", "replicas: 3, " SELECTED),
			"---\napiVersion: v1\nkind: Service\nmetadata: {name: all, namespace: q}\n"
			"spec: {selector: {app: web}, ports: [{port: 8080, targetPort: http}]}\n"
			"---\napiVersion: v1\nkind: Service\nmetadata: {name: first, namespace: q}\n"
			"spec: {selector: {statefulset.kubernetes.io/pod-name: db-0}, ports: [{port: 1}]}\n"),
		STORE_ASSIGN);

	assert_int_equal(s->n_slices, 2);
	assert_string_equal(s->slices[0]->service, "all");
	assert_int_equal(s->slices[0]->n_endpoints, 5);
	assert_int_equal(s->slices[0]->ports[0].port, 80);
	assert_int_equal(s->slices[1]->n_endpoints, 1);
	assert_memory_equal(&s->slices[1]->endpoints[0].addr, &store_pod(s, "q", "db-0")->addr[0],
			    16);
}

/* ---- Pods of a workload that are given ---- */

#define RS_OF_WEB                                                                                            \
	"---\napiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: web-5d4f\n  namespace: q\n"          \
	"  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]\nspec: {" \
	"replicas: 3, " SELECTED "}\n"
#define RS_POD(name) \
	OWNED(name, "app: web, pod-template-hash: 5d4f", "apps/v1", "ReplicaSet", "web-5d4f")

static void pods_that_are_given_are_not_made_again(void **state)
{
	static const char web[] = APPS("Deployment", "web", "replicas: 3, " SELECTED);
	static const struct {
		const char *rest, *pods;
	} cases[] = {
		{ RS_OF_WEB RS_POD("web-5d4f-x"),
		  "web-5d4f-x" }, /* kubectl get all, two of three missing */
		{ RS_POD("web-5d4f-x"), "web-5d4f-x" }, /* without the ReplicaSet */
		{ RS_OF_WEB, "web-1 web-2 web-3" }, /* without pods: those of the Deployment */
		{ OWNED("web-7c7-x", "app: web, pod-template-hash: 7c7", "apps/v1", "ReplicaSet",
			"other-7c7"),
		  "web-1 web-2 web-3 web-7c7-x" },
		{ OWNED("x", "pod-template-hash: other", "apps/v1", "ReplicaSet", "web-5d4f"),
		  "web-1 web-2 web-3 x" }, /* a ReplicaSet of another owner, with a similar name */
		{ OWNED("x", "app: web", "example.com/v1", "Deployment", "web"),
		  "web-1 web-2 web-3 x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_free) char *text = mem_printf("%s%s", web, cases[i].rest);
		_cleanup_(mem_free) char *back = mem_printf("%s%s", cases[i].rest, web);

		assert_pods(text, cases[i].pods);
		assert_pods(back, cases[i].pods);
	}
	assert_pods(RS_OF_WEB, "web-5d4f-1 web-5d4f-2 web-5d4f-3");
	assert_pods(RS_OF_WEB RS_POD("p"), "p");
}

static void pods_of_every_kind_of_workload_are_recognized(void **state)
{
	static const char *const cases[] = {
		APPS("StatefulSet", "w", "replicas: 3, " SELECTED)
			OWNED("p", "a: b", "apps/v1", "StatefulSet", "w"),
		APPS("DaemonSet", "w", SELECTED) OWNED("p", "a: b", "apps/v1", "DaemonSet", "w"),
		RC("w", "template: {" WEB "}")
			OWNED("p", "a: b", "v1", "ReplicationController", "w"),
		BATCH("Job", "w", JOB_POD) OWNED("p", "a: b", "batch/v1", "Job", "w"),
		BATCH("CronJob", "w", "schedule: x, jobTemplate: {spec: {" JOB_POD "}}")
			OWNED("p", "a: b", "batch/v1", "Job", "w-2912345"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_pods(cases[i], "p");
}

static void the_owner_of_a_pod_is_its_topmost_given_workload(void **state)
{
	with_store *s = read_objects(
		OBJECTS(APPS("Deployment", "web", SELECTED), RS_OF_WEB, RS_POD("p")), STORE_ASSIGN);
	with_store *alone = read_with_defaults(RS_OF_WEB RS_POD("p"), STORE_ASSIGN);

	assert_int_equal(store_owner(s, &s->pods[0]->meta)->meta.kind, KUBE_DEPLOYMENT);
	assert_int_equal(store_owner(alone, &alone->pods[0]->meta)->meta.kind, KUBE_REPLICA_SET);
	assert_ptr_equal(store_first_pod(s, "q", "web"), s->pods[0]);
	assert_null(s->pods[0]->made_for);
}

static void owners_in_a_cycle_end(void **state)
{
	assert_pods(
		"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: a\n  namespace: q\n"
		"  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: a, controller: true}]\n"
		"spec: {" SELECTED "}\n" OWNED("p", "a: b", "apps/v1", "ReplicaSet", "a"),
		"p");
}

static void load_makes_no_pods_and_warns_of_workloads_without_pods(void **state)
{
	with_store *s = read_objects(OBJECTS(APPS("Deployment", "web", SELECTED), RS_OF_WEB,
					     APPS("Deployment", "none", "replicas: 0, " SELECTED),
					     APPS("DaemonSet", "ds", SELECTED),
					     OWNED("p", "a: b", "apps/v1", "DaemonSet", "ds")),
				     0);

	assert_int_equal(s->n_pods, 1);
	assert_diags(
		s,
		"f.yaml:2:1: warning: Deployment q/web: no Pod of this Deployment is in the input, and load does not create pods: add its Pods\n");
}

/* ---- What the API server refuses ---- */

static void a_selector_is_required_and_must_match_the_template(void **state)
{
#define D " Deployment q/web: spec.selector: "
	assert_found(APPS("Deployment", "web", "template: {" WEB "}"),
		     "f.yaml:5:7: error E021:" D
		     "required: labels of the template, for example matchLabels: {app: web}\n");
	assert_found(
		APPS("Deployment", "web", "selector: {}, template: {" WEB "}"),
		"f.yaml:5:18: error E030:" D
		"empty: it would match every pod of the namespace; give labels of the template\n");
	assert_found(APPS("Deployment", "web",
			  "selector: {matchLabels: {app: api}}, template: {" WEB "}"),
		     "f.yaml:5:18: error E027:" D
		     "does not match the labels of the template, which has app=web\n");
	assert_found(
		APPS("Deployment", "web",
		     "selector: {matchExpressions: [{key: tier, operator: Exists}]}, template: {" WEB
		     "}"),
		"f.yaml:5:18: error E027:" D
		"does not match the labels of the template, which has no tier\n");
	assert_found(
		APPS("Deployment", "web", "selector: {matchLabels: {app: 7}}, template: {" WEB "}"),
		"f.yaml:5:38: error E020: Deployment q/web: spec.selector"
		".matchLabels.app: expected a string, found the number 7: put it in quotes\n");
#undef D
}

static void a_template_with_containers_is_required(void **state)
{
	assert_found(
		APPS("StatefulSet", "db", "selector: {matchLabels: {a: b}}"),
		"f.yaml:5:7: error E021: StatefulSet q/db: spec.template: required: labels and spec of the pods\n");
	assert_found(
		APPS("ReplicaSet", "r",
		     "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {}}"),
		"f.yaml:5:86: error E021: ReplicaSet q/r: spec.template.spec.containers: required: at least one container\n");
	assert_found(
		"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}}\n",
		"f.yaml:1:1: error E021: DaemonSet default/d: spec: required: selector and template\n");
}

static void counts_and_names_out_of_range_are_refused(void **state)
{
	assert_found(
		APPS("StatefulSet", "s",
		     "replicas: -1, ordinals: {start: -1}, serviceName: A, " SELECTED),
		"f.yaml:5:18: error E023: StatefulSet q/s: spec.replicas: expected an integer from 0 to 2147483647, found -1\n"
		"f.yaml:5:40: error E023: StatefulSet q/s: spec.ordinals.start: expected an integer from 0 to 2147483647, found -1\n"
		"f.yaml:5:58: error E011: StatefulSet q/s: spec.serviceName: \"A\" is not a Service name: at most 63 of a-z, 0-9 and -\n");
	assert_found(
		APPS("StatefulSet", "s",
		     "replicas: \"3\", ordinals: {start: \"three\"}, " SELECTED),
		"f.yaml:5:18: error E020: StatefulSet q/s: spec.replicas: expected an integer, found the string \"3\": remove the quotes\n"
		"f.yaml:5:41: error E020: StatefulSet q/s: spec.ordinals.start: expected an integer, found the string \"three\"\n");
	assert_found(
		BATCH("CronJob", "a23456789012345678901234567890123456789012345678901b3",
		      "schedule: x, jobTemplate: {spec: {" JOB_POD "}}"),
		"f.yaml:4:18: error E011: CronJob q/a23456789012345678901234567890123456789012345678901b3: metadata.name: \"a23456789012345678901234567890123456789012345678901b3\" is not a valid name: at most 52 of a-z, 0-9, - and ., a letter or digit at both ends\n");
}

static void the_restart_policy_must_suit_the_kind(void **state)
{
	assert_found(
		APPS("Deployment", "web",
		     "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: c}]}}"),
		"f.yaml:5:102: error E022: Deployment q/web: spec.template.spec.restartPolicy: expected Always, found \"Never\": only a Job's pods can end\n");
	assert_found(
		BATCH("Job", "j", "template: {spec: {containers: [{name: c}]}}"),
		"f.yaml:5:25: error E021: Job q/j: spec.template.spec.restartPolicy: required in a Job: OnFailure or Never\n");
	assert_found(
		BATCH("Job", "j",
		      "template: {spec: {restartPolicy: Always, containers: [{name: c}]}}"),
		"f.yaml:5:41: error E022: Job q/j: spec.template.spec.restartPolicy: expected OnFailure or Never in a Job, found \"Always\"\n");
}

static void the_selector_of_a_job_may_not_be_given(void **state)
{
	assert_found(
		BATCH("Job", "j", "selector: {matchLabels: {app: job}}, " JOB_POD),
		"f.yaml:5:18: error E027: Job q/j: spec.selector: the API server generates the selector of a Job: remove it, or set manualSelector\n");
	assert_found(BATCH("Job", "j",
			   "manualSelector: true, selector: {matchLabels: {app: job}}, " JOB_POD),
		     "");
	assert_found(
		BATCH("Job", "j",
		      "selector: {matchLabels: {controller-uid: u}}, template: {metadata: {labels: {controller-uid: u}}, spec: {restartPolicy: Never, containers: [{name: c}]}}"),
		"");
	assert_found(
		BATCH("CronJob", "c", "jobTemplate: {spec: {selector: {}, " JOB_POD "}}"),
		"f.yaml:5:7: error E021: CronJob q/c: spec.schedule: required, for example \"0 3 * * *\"\n"
		"f.yaml:5:39: error E027: CronJob q/c: spec.jobTemplate.spec.selector: the template of a CronJob cannot have a selector: remove it\n");
}

static void a_kind_of_a_removed_version_is_an_error(void **state)
{
	assert_found(
		"{apiVersion: extensions/v1beta1, kind: Deployment}\n"
		"---\n{apiVersion: v1, kind: Job}\n"
		"---\n{apiVersion: batch.example.com/v1, kind: Job}\n",
		"f.yaml:1:14: error E010: Deployment: apiVersion: expected apps/v1 for kind Deployment, found \"extensions/v1beta1\"\n"
		"f.yaml:3:14: error E010: Job: apiVersion: expected batch/v1 for kind Job, found \"v1\"\n"
		"f.yaml:5:1: note: ignored: Weir does not read kind Job (batch.example.com/v1); further ones are not reported\n");
}

static void more_pods_than_a_cluster_has_are_an_error(void **state)
{
	with_store *s =
		read_objects(OBJECTS(APPS("Deployment", "a", "replicas: 149999, " SELECTED),
				     APPS("Deployment", "b", SELECTED),
				     APPS("Deployment", "c", "replicas: 2147483647, " SELECTED)),
			     STORE_ASSIGN);

	assert_int_equal(s->diags.errors, 1);
	assert_int_equal(s->n_pods, KUBE_MADE_PODS_MAX);
	assert_string_equal(s->diags.items[0].code, "E002");
	assert_string_equal(s->diags.items[0].object, "Deployment q/c");
	assert_string_equal(
		s->diags.items[0].message,
		"2147483647 pods in addition to 150000 of other workloads: Weir creates at most 150000");
}

static void objects_are_identified_by_kind_and_name(void **state)
{
	with_store *s = read_objects(OBJECTS(APPS("Deployment", "web", SELECTED),
					     APPS("Deployment", "web", "replicas: 2, " SELECTED),
					     APPS("DaemonSet", "web", SELECTED)),
				     0);

	assert_int_equal(s->diags.errors, 1);
	assert_string_equal(s->diags.items[0].code, "E012");
	assert_string_equal(s->diags.items[0].object, "Deployment q/web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replicas_are_pods_named_by_ordinal),
		cmocka_unit_test(
			a_replication_controller_selects_by_a_plain_map_or_by_the_labels_of_its_template),
		cmocka_unit_test(a_made_pod_has_the_fields_and_position_of_the_template),
		cmocka_unit_test(dns_6_pods_of_a_stateful_set_have_ordinals_and_host_names),
		cmocka_unit_test(a_daemon_set_has_a_pod_on_each_selected_and_tolerated_node),
		cmocka_unit_test(an_implied_node_has_a_pod_of_every_daemon_set),
		cmocka_unit_test(a_pod_name_too_long_with_the_node_name_gets_a_number),
		cmocka_unit_test(a_job_has_its_parallel_pods_and_none_when_suspended_or_ended),
		cmocka_unit_test(a_cron_job_has_the_pods_of_one_job),
		cmocka_unit_test(names_that_are_taken_are_skipped),
		cmocka_unit_test(the_order_of_input_does_not_matter),
		cmocka_unit_test(services_select_made_pods),
		cmocka_unit_test(pods_that_are_given_are_not_made_again),
		cmocka_unit_test(pods_of_every_kind_of_workload_are_recognized),
		cmocka_unit_test(the_owner_of_a_pod_is_its_topmost_given_workload),
		cmocka_unit_test(owners_in_a_cycle_end),
		cmocka_unit_test(load_makes_no_pods_and_warns_of_workloads_without_pods),
		cmocka_unit_test(a_selector_is_required_and_must_match_the_template),
		cmocka_unit_test(a_template_with_containers_is_required),
		cmocka_unit_test(counts_and_names_out_of_range_are_refused),
		cmocka_unit_test(the_restart_policy_must_suit_the_kind),
		cmocka_unit_test(the_selector_of_a_job_may_not_be_given),
		cmocka_unit_test(a_kind_of_a_removed_version_is_an_error),
		cmocka_unit_test(more_pods_than_a_cluster_has_are_an_error),
		cmocka_unit_test(objects_are_identified_by_kind_and_name),
	};

	return run_group("kube_workload", tests, ARRAY_SIZE(tests));
}
