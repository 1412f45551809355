// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"fmt"
	"strings"
)

func (s source) containerPort(i int) any {
	name := any(fmt.Sprintf("p%d", i))
	if s.percent(20) {
		name = s.portName()
	}
	number := any(8080 + i)
	if s.percent(10) {
		number = s.port()
	}
	return s.usual(3, []any{fields("name", s.maybe(55, constant(name)), "containerPort", s.maybe(98, constant(number)), "protocol", s.maybe(40, s.protocol),
		"hostPort", s.maybe(6, func() any { return s.usual(40, []any{8080 + i}, oddPorts) }), "hostIP", s.maybe(3, s.ip))}, []any{nil, object{}, "x"})
}

// unread are fields of a container that Weir does not read.
func (s source) unread() object {
	return fields("command", s.maybe(6, func() any { return pick[any](s, list{"sh", "-c", "x"}, nil, list{nil}) }),
		"env", s.maybe(6, func() any {
			return pick[any](s, list{fields("name", "A", "value", "b")}, nil, list{fields("name", "A", "value", "1")})
		}),
		"imagePullPolicy", s.maybe(4, func() any { return pick[any](s, "Always", "IfNotPresent") }),
		"resources", s.maybe(4, func() any {
			return pick[any](s, nil, object{}, fields("limits", object{{"cpu", "1"}, {"memory", "1Gi"}}), fields("limits", object{{"cpu", 1}}))
		}),
		"readinessProbe", s.maybe(4, func() any {
			return pick[any](s, nil, fields("httpGet", fields("path", "/", "port", 80)), fields("tcpSocket", fields("port", "http")))
		}))
}

func (s source) container(i int, ports func(int) any) object {
	name := any(fmt.Sprintf("c%d", i))
	if s.percent(6) {
		name = pick[any](s, append(oddNames, "c0")...)
	}
	o := fields("name", s.maybe(98, constant(name)), "image", "x", "ports", s.maybe(60, func() any {
		return s.usual(5, []any{s.times(2, ports)}, []any{nil, list{}, "x"})
	}))
	return append(o, s.unread()...)
}

func (s source) containers() any {
	if s.percent(4) {
		return pick[any](s, nil, list{}, absent{}, list{nil}, "x", list{object{}})
	}
	l := list{s.container(0, s.containerPort)}
	if s.percent(20) {
		l = append(l, s.container(1, func(i int) any { return s.containerPort(i + 2*s.IntN(2)) }))
	}
	return l
}

func (s source) initContainers() any {
	return s.usual(10, []any{s.times(2, func(i int) any {
		o := s.container(i+5, func(k int) any { return s.containerPort(k + 7) })
		return append(o, fields("restartPolicy", s.maybe(55, func() any { return s.usual(15, []any{"Always"}, []any{"Never", "OnFailure", nil, "", "x"}) }))...)
	})}, []any{nil, list{}, "x"})
}

func (s source) toleration(int) any {
	return s.usual(4, []any{fields("key", s.maybe(80, func() any { return s.usual(10, goodKeys, oddKeys) }),
		"operator", s.maybe(70, func() any { return s.usual(15, []any{"Equal", "Exists"}, []any{"", nil, "exists", "Lt", "Gt", "x"}) }),
		"value", s.maybe(50, func() any { return s.usual(10, goodValues, oddValues) }),
		"effect", s.maybe(50, func() any {
			return s.usual(12, []any{"NoSchedule", "NoExecute", "PreferNoSchedule"}, []any{"", nil, "x"})
		}),
		"tolerationSeconds", s.maybe(5, func() any { return pick[any](s, 1, nil, -1, "x") }))}, []any{nil, object{}, "x"})
}

func (s source) podSpec(restart func() any) any {
	return fields("containers", s.containers(), "initContainers", s.maybe(15, s.initContainers),
		"nodeName", s.maybe(12, func() any { return s.usual(15, []any{"node-1", "n1.example.com"}, oddNames) }),
		"hostNetwork", s.maybe(10, s.flag), "hostname", s.maybe(8, s.name), "subdomain", s.maybe(8, s.name),
		"restartPolicy", restart(),
		"nodeSelector", s.maybe(10, func() any {
			return s.usual(40, []any{object{{"kubernetes.io/os", "linux"}}, object{{"a", "b"}}}, []any{nil, object{}, object{{"a", ""}}, object{{"a", 1}}, object{{"a", nil}}, object{{"A b", "x"}}, object{{"a", "a b"}}, "x"})
		}),
		"tolerations", s.maybe(12, func() any { return s.usual(10, []any{s.times(2, s.toleration)}, []any{nil, list{}, "x"}) }),
		"dnsPolicy", s.maybe(4, func() any { return pick[any](s, "ClusterFirst", "Default") }),
		"serviceAccountName", s.maybe(4, constant("default")), "terminationGracePeriodSeconds", s.maybe(4, func() any { return pick[any](s, 0, 30, nil) }),
		"volumes", s.maybe(4, func() any { return pick[any](s, nil, list{}, list{fields("name", "v", "emptyDir", object{})}) }))
}

func (s source) alwaysPolicy() any {
	return s.maybe(25, func() any { return s.usual(25, []any{"Always"}, []any{"Never", "OnFailure", "", nil, "x", "always"}) })
}

func (s source) endingPolicy() any {
	return s.usual(10, []any{"Never", "OnFailure"}, []any{"Always", "", nil, absent{}, "x"})
}

func (s source) anyPolicy() any {
	return s.maybe(20, func() any { return s.usual(25, []any{"Always", "Never", "OnFailure"}, []any{"", nil, "x"}) })
}

func (s source) podStatus() any {
	condition := func(int) any {
		return s.usual(5, []any{fields("type", pick[any](s, "Ready", "Ready", "PodScheduled"), "status", s.usual(10, []any{"True", "False", "Unknown"}, []any{"", nil, "true", true}))}, []any{nil, object{}, "x"})
	}
	return s.usual(6, []any{fields("phase", s.maybe(70, func() any {
		return s.usual(15, []any{"Running", "Pending", "Succeeded", "Failed", "Unknown"}, []any{"", nil, "x", 1})
	}),
		"podIP", s.maybe(60, func() any { return s.usual(12, goodIPs, oddIPs) }),
		"podIPs", s.maybe(40, func() any {
			return s.usual(10, []any{list{fields("ip", "10.0.0.1")}, list{fields("ip", "10.0.0.1"), fields("ip", "fd00::1")}, list{fields("ip", "fd00::1")}}, []any{nil, list{}, list{nil}, list{object{}}, list{fields("ip", s.ip())}, "x"})
		}),
		"conditions", s.maybe(50, func() any { return s.usual(8, []any{s.times(2, condition)}, []any{nil, list{}, "x"}) }),
		"hostIP", s.maybe(5, s.ip))}, []any{nil, object{}, "x"})
}

func (s source) pod() any {
	return whole("v1", "Pod", s.metadata(), "spec", s.usual(2, []any{s.podSpec(s.anyPolicy)}, []any{nil, object{}, absent{}, "x"}), "status", s.maybe(30, s.podStatus))
}

func (s source) template(restart func() any) any {
	labels := any(object{{"app", "x"}})
	if s.percent(20) {
		labels = pick[any](s, nil, object{}, object{{"app", "y"}}, object{{"app", "x"}, {"b", "c"}}, absent{}, s.labels())
	}
	return s.usual(3, []any{fields("metadata", s.maybe(97, func() any {
		return fields("labels", labels, "annotations", s.maybe(6, s.annotations), "name", s.maybe(4, s.name), "namespace", s.maybe(3, s.name), "creationTimestamp", s.maybe(5, constant(nil)))
	}), "spec", s.usual(2, []any{s.podSpec(restart)}, []any{nil, object{}, absent{}, "x"}))}, []any{nil, object{}, absent{}, "x"})
}

func (s source) workloadSelector() any {
	if s.percent(75) {
		return object{{"matchLabels", object{{"app", "x"}}}}
	}
	expression := func(key, operator string, values any) any {
		return fields("matchExpressions", list{fields("key", key, "operator", operator, "values", values)})
	}
	return pick[any](s, nil, absent{}, object{}, object{{"matchLabels", object{}}}, object{{"matchLabels", object{{"app", "y"}}}}, object{{"matchLabels", object{{"app", "x"}, {"b", "c"}}}},
		expression("app", "In", list{"x", "z"}), expression("app", "Exists", absent{}), expression("b", "DoesNotExist", absent{}), expression("app", "NotIn", list{"q"}),
		expression("app", "NotIn", list{"x"}), s.selector(), "x")
}

func (s source) count() any { return s.usual(15, []any{0, 1, 2, 5}, oddPorts) }

func (s source) controller(kind string) any {
	return whole("apps/v1", kind, s.metadata(), "spec", s.usual(2, []any{fields("replicas", s.maybe(map[bool]int{true: 0, false: 45}[kind == "DaemonSet"], s.count),
		"selector", s.workloadSelector(), "template", s.template(s.alwaysPolicy),
		"serviceName", s.maybe(map[bool]int{true: 70, false: 0}[kind == "StatefulSet"], s.name),
		"ordinals", s.maybe(map[bool]int{true: 12, false: 0}[kind == "StatefulSet"], func() any {
			return pick[any](s, nil, object{}, fields("start", 1), fields("start", -1), fields("start", nil), fields("start", "1"), "x")
		}),
		"minReadySeconds", s.maybe(3, func() any { return pick[any](s, 0, 5) }), "revisionHistoryLimit", s.maybe(3, func() any { return pick[any](s, 0, 5, nil) }))},
		[]any{nil, object{}, absent{}, "x"}))
}

func (s source) replicationController() any {
	selector := func() any {
		return s.usual(25, []any{object{{"app", "x"}}}, []any{nil, object{}, object{{"app", "y"}}, object{{"app", "x"}, {"b", "c"}}, object{{"app", 1}}, s.labels(), "x"})
	}
	return whole("v1", "ReplicationController", s.metadata(), "spec", s.usual(2, []any{fields("replicas", s.maybe(45, s.count),
		"selector", s.maybe(70, selector), "template", s.template(s.alwaysPolicy),
		"minReadySeconds", s.maybe(3, func() any { return pick[any](s, 0, 5) }))}, []any{nil, object{}, absent{}, "x"}))
}

func (s source) jobSpec() any {
	return s.usual(2, []any{fields("parallelism", s.maybe(30, s.count), "completions", s.maybe(30, s.count), "suspend", s.maybe(10, s.flag),
		"selector", s.maybe(6, s.workloadSelector), "manualSelector", s.maybe(8, s.flag), "template", s.template(s.endingPolicy),
		"backoffLimit", s.maybe(5, func() any { return pick[any](s, 0, 3, nil) }), "ttlSecondsAfterFinished", s.maybe(3, constant(60)),
		"completionMode", s.maybe(5, func() any { return pick[any](s, "NonIndexed", "Indexed", nil) }))}, []any{nil, object{}, absent{}, "x"})
}

func (s source) job() any {
	return whole("batch/v1", "Job", s.metadata(), "spec", s.jobSpec(), "status", s.maybe(6, func() any {
		return fields("conditions", list{fields("type", pick[any](s, "Complete", "Failed", "x"), "status", pick[any](s, "True", "False", ""))})
	}))
}

func (s source) cronJob() any {
	return whole("batch/v1", "CronJob", s.metadata(), "spec", s.usual(2, []any{fields(
		"schedule", s.usual(15, []any{"0 3 * * *", "*/5 * * * *", "@daily"}, []any{"", nil, "x", "* * * *", absent{}, 5, "TZ=UTC 0 3 * * *", "60 * * * *", "@every 1h", " 0 3 * * * ", "0 3 * * MON", "0 3 ? * *"}),
		"suspend", s.maybe(10, s.flag), "timeZone", s.maybe(5, func() any { return pick[any](s, "Etc/UTC", nil) }),
		"concurrencyPolicy", s.maybe(5, func() any { return pick[any](s, "Allow", "Forbid", "Replace") }),
		"jobTemplate", s.usual(3, []any{fields("metadata", s.maybe(20, func() any { return pick[any](s, nil, object{}, fields("labels", s.labels())) }), "spec", s.jobSpec())}, []any{nil, object{}, absent{}, "x"}))},
		[]any{nil, object{}, absent{}, "x"}))
}

// object is one of any kind that Weir reads, or of another.
func (s source) object() any {
	switch s.IntN(16) {
	case 0:
		return s.namespace()
	case 1:
		return s.node()
	case 2, 3:
		return s.pod()
	case 4, 5:
		return s.service()
	case 6:
		return s.slice()
	case 7, 8:
		return s.policy()
	case 9:
		return s.controller("Deployment")
	case 10:
		return s.controller(pick(s, "ReplicaSet", "DaemonSet"))
	case 11:
		return s.controller("StatefulSet")
	case 12:
		return s.job()
	case 13:
		return s.endpoints()
	case 14:
		return s.replicationController()
	}
	if s.percent(20) {
		return whole("v1", pick(s, "ConfigMap", "ServiceAccount"), fields("name", "x"), "data", s.maybe(60, func() any {
			return object{{"text", strings.Repeat("line\n", s.IntN(3))}, {"n", "1"}}
		}))
	}
	return s.cronJob()
}
