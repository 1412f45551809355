// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"fmt"
	"strings"
)

// Pools: what a field usually has, and what lies at or past the borders of what is allowed.
var (
	goodNames = []any{"web", "web-1", "a", "x1"}
	oddNames  = []any{"1web", "1", "-x", "x-", "Web", "a.b", "a..b", "a.-b", "x_y", "", nil, 1, strings.Repeat("a", 52),
		strings.Repeat("a", 53), strings.Repeat("a", 57), strings.Repeat("a", 58), strings.Repeat("a", 63), strings.Repeat("a", 64),
		strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 127) + "a", "a/b", "..", ".", "a%b", "é"}
	goodKeys = []any{"app", "tier", "app.kubernetes.io/name", "x"}
	oddKeys  = []any{"", "App", "x/", "/x", "a/b/c", "UPPER.com/x", "a_b", "-a", "a b", strings.Repeat("x", 63), strings.Repeat("x", 64),
		strings.Repeat("a.", 126) + "a/x", "kubernetes.io/metadata.name", "kubernetes.io/os", "1", "true", "a.b", "é", "x.y.z/" + strings.Repeat("k", 63)}
	goodValues = []any{"web", "db", "", "v1.2_3", "1"}
	oddValues  = []any{nil, 1, true, "-a", "a-", "a b", "a/b", strings.Repeat("v", 63), strings.Repeat("v", 64), list{}, verbatim("1.5"), "é", " a"}
	goodIPs    = []any{"10.0.0.1", "10.96.0.10", "fd00::1", "2001:db8::1", "192.168.1.1"}
	oddIPs     = []any{"", nil, "None", "none", "10.0.0.256", "010.0.0.1", "::ffff:10.0.0.1", "1.2.3", "127.0.0.1", "169.254.1.1",
		"224.0.0.1", "0.0.0.0", "255.255.255.255", "fe80::1", "::1", "::", "ff02::1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1/32", "FD00::1",
		"fd00:0:0::1", "fe80::1%eth0", "[fd00::1]", "a.example.com", 1, "1.2.3.4.5", "0x7f.1", "00.0.0.1", "fd00::1.2.3.4", "::10.0.0.1"}
	goodBlocks = []any{"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8:1::/48", "10.1.1.1/32"}
	oddBlocks  = []any{"", nil, "10.1.2.3/16", "10.0.0.0", "10.0.0.0/33", "010.0.0.0/8", "10.0.0.0/08", " 10.0.0.0/8", "10.0.0.0/8 ",
		"::ffff:10.0.0.0/104", "2001:DB8::/32", "2001:db8::1/32", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "/8", "10.0.0.0/", 8,
		"10.0.0.0/8/8", "fe80::/10%eth0", "x", "0.0.0.0/00", "1.2.3.4/0"}
	goodPorts     = []any{80, 443, 8080, 53}
	oddPorts      = []any{0, nil, -1, 1, 65535, 65536, "80", "http", verbatim("80.0"), verbatim("8e1"), verbatim("80.5"), true, 4294967376}
	goodProtocols = []any{"TCP", "UDP", "SCTP"}
	oddProtocols  = []any{"", nil, "tcp", "ICMP", "Tcp", 6}
	goodPortNames = []any{"http", "web", "dns-tcp", "a"}
	oddPortNames  = []any{"", nil, "HTTP", "1", "80", "a--b", "-a", "a-", "http_x", "a.b", 80, strings.Repeat("a", 15), strings.Repeat("a", 16), strings.Repeat("x", 63), strings.Repeat("x", 64), "1a"}
	intOrStrings  = []any{80, "http", "80", 0, "", nil, -1, 65536, "HTTP", "a--b", strings.Repeat("a", 15), strings.Repeat("a", 16), verbatim("80.0"), verbatim("80.5"), true, "1", "-1", "0", list{}}
	bools         = []any{true, false}
	oddBools      = []any{nil, "true", 0, 1, "yes", ""}
	goodTimes     = []any{"2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.123456Z"}
	oddTimes      = []any{nil, "", "x", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01 00:00:00Z", "2026-1-1T0:0:0Z", 0, "2026-01-01T00:00:00z", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:60Z", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00,5Z"}
)

const oddPercent = 12

func (s source) name() any     { return s.usual(8, goodNames, oddNames) }
func (s source) ip() any       { return s.usual(25, goodIPs, oddIPs) }
func (s source) block() any    { return s.usual(20, goodBlocks, oddBlocks) }
func (s source) port() any     { return s.usual(8, goodPorts, oddPorts) }
func (s source) protocol() any { return s.usual(oddPercent, goodProtocols, oddProtocols) }
func (s source) portName() any { return s.usual(oddPercent, goodPortNames, oddPortNames) }
func (s source) flag() any     { return s.usual(oddPercent, bools, oddBools) }
func (s source) time() any     { return s.usual(30, goodTimes, oddTimes) }
func (s source) word(good ...any) any {
	return s.usual(oddPercent, good, []any{"", nil, "x", strings.ToLower(fmt.Sprint(good[0])), 1})
}

func (s source) labels() any {
	if s.percent(4) {
		return pick[any](s, nil, object{}, list{}, "x", object{{"a", nil}})
	}
	var o object
	used := map[string]bool{}
	for range s.IntN(3) {
		key := s.usual(5, goodKeys, oddKeys).(string)
		if !used[key] {
			o = append(o, pair{key, s.usual(5, goodValues, oddValues)})
		}
		used[key] = true
	}
	return o
}

func (s source) annotations() any {
	return pick[any](s, nil, object{}, object{{"a", "b"}}, object{{"a", nil}}, object{{"a", 1}}, object{{"A/b", "x"}}, object{{"A", "x"}},
		object{{"x_y/z", "x"}}, object{{"a b", "x"}}, object{{"", "x"}}, object{{"a", strings.Repeat("x", 300)}}, object{{"a.b/c", "x\n"}})
}

func (s source) requirement() any {
	return s.usual(5, []any{fields("key", s.usual(6, goodKeys, append(oddKeys, nil)), "operator", s.usual(8, []any{"In", "NotIn", "Exists", "DoesNotExist"},
		[]any{"in", "", nil, "Gt", absent{}}), "values", s.usual(10, []any{list{"a"}, list{"a", "b"}, absent{}, list{""}},
		[]any{list{}, nil, list{"a", "a"}, list{nil}, list{"a b"}, list{1}, "a", list{strings.Repeat("v", 64)}}))}, []any{nil, object{}, "x"})
}

func (s source) selector() any {
	if s.percent(5) {
		return pick[any](s, nil, "x", list{}, object{{"matchLabels", nil}}, object{{"matchExpressions", nil}})
	}
	return fields("matchLabels", s.maybe(60, s.labels), "matchExpressions",
		s.maybe(35, func() any { return s.times(2, func(int) any { return s.requirement() }) }))
}

// ---- Metadata ----

func (s source) ownerReferences() any {
	return list{fields("apiVersion", pick[any](s, "apps/v1", "batch/v1", "v1", "", nil), "kind", pick[any](s, "Deployment", "ReplicaSet", "Job", "Node", ""),
		"name", s.name(), "uid", pick[any](s, "u1", "", absent{}), "controller", s.maybe(70, s.flag))}
}

func (s source) metadata() any {
	if s.percent(2) {
		return pick[any](s, nil, object{}, "x", list{})
	}
	name, generate := s.name(), any(absent{})
	if s.percent(8) {
		generate = s.usual(40, []any{"web-", "a.b-", "x"}, append(oddNames, "a--", "-", "x.-"))
		if s.percent(80) {
			name = pick[any](s, absent{}, absent{}, nil, "")
		}
	}
	return fields("name", name, "generateName", generate,
		"namespace", s.maybe(25, func() any { return s.usual(15, []any{"default", "shop"}, oddNames) }),
		"labels", s.maybe(35, s.labels), "annotations", s.maybe(12, s.annotations),
		"uid", s.maybe(8, func() any { return s.usual(20, []any{"u1"}, []any{"", nil, 1}) }),
		"creationTimestamp", s.maybe(8, s.time), "deletionTimestamp", s.maybe(4, s.time),
		"ownerReferences", s.maybe(4, s.ownerReferences), "finalizers", s.maybe(2, func() any { return pick[any](s, list{}, nil, list{"x"}, list{"a/b"}) }),
		"resourceVersion", s.maybe(3, func() any { return pick[any](s, "1", "", nil, 1) }), "generation", s.maybe(2, func() any { return pick[any](s, 1, nil, "x") }),
		"managedFields", s.maybe(2, func() any { return pick[any](s, nil, list{}, list{object{}}) }))
}

func whole(apiVersion, kind string, metadata any, more ...any) object {
	return fields(append([]any{"apiVersion", apiVersion, "kind", kind, "metadata", metadata}, more...)...)
}

// ---- Policies ----

func (s source) peer() any {
	switch s.IntN(10) {
	case 0:
		return pick[any](s, object{}, nil, fields("ipBlock", fields("cidr", "10.0.0.0/8"), "podSelector", object{}), fields("ipBlock", object{}),
			fields("ipBlock", nil, "podSelector", object{}), fields("podSelector", nil), fields("ipBlock", nil, "podSelector", nil), "x")
	case 1, 2, 3:
		return fields("ipBlock", fields("cidr", s.block(), "except", s.maybe(45, func() any {
			return s.usual(8, []any{s.times(3, func(int) any { return s.block() })}, []any{nil, list{nil}, list{""}, "x"})
		})))
	case 4, 5:
		return fields("namespaceSelector", s.selector(), "podSelector", s.selector())
	case 6:
		return fields("namespaceSelector", s.selector())
	}
	return fields("podSelector", s.selector())
}

func (s source) policyPort() any {
	return s.usual(6, []any{fields("port", s.maybe(85, func() any { return s.usual(25, goodPorts, intOrStrings) }), "protocol", s.maybe(50, s.protocol),
		"endPort", s.maybe(15, func() any { return s.usual(30, []any{90, 443, 9000, 65535}, oddPorts) }))}, []any{nil, object{}, "x"})
}

func (s source) rules(key string) any {
	return s.usual(6, []any{s.times(2, func(int) any {
		return s.usual(5, []any{fields(key, s.maybe(80, func() any {
			return s.usual(6, []any{s.times(2, func(int) any { return s.peer() })}, []any{nil, list{}, "x"})
		}),
			"ports", s.maybe(60, func() any {
				return s.usual(6, []any{s.times(2, func(int) any { return s.policyPort() })}, []any{nil, list{}, "x"})
			}))},
			[]any{nil, object{}, "x"})
	})}, []any{nil, list{}, object{}})
}

func (s source) policy() any {
	return whole("networking.k8s.io/v1", "NetworkPolicy", s.metadata(), "spec", s.usual(3, []any{fields(
		"podSelector", s.maybe(90, s.selector),
		"policyTypes", s.maybe(50, func() any {
			return s.usual(20, []any{list{"Ingress"}, list{"Egress"}, list{"Ingress", "Egress"}, list{"Egress", "Ingress"}},
				[]any{nil, list{}, list{"Ingress", "Ingress"}, list{"ingress"}, list{""}, list{nil}, list{"Ingress", "Egress", "Egress"}, "Ingress"})
		}),
		"ingress", s.maybe(60, func() any { return s.rules("from") }), "egress", s.maybe(45, func() any { return s.rules("to") }))},
		[]any{nil, object{}, absent{}, "x"}))
}

// ---- Services ----

func (s source) servicePort(i int) any {
	name := any(fmt.Sprintf("p%d", i))
	if s.percent(15) {
		name = s.portName()
	}
	number := any(80 + i)
	if s.percent(15) {
		number = s.port()
	}
	return s.usual(3, []any{fields("name", s.maybe(75, constant(name)), "port", s.maybe(98, constant(number)), "protocol", s.maybe(40, s.protocol),
		"targetPort", s.maybe(50, func() any { return s.usual(50, goodPorts, intOrStrings) }),
		"nodePort", s.maybe(12, func() any { return s.usual(25, []any{30080, 31000 + i, 0}, oddPorts) }),
		"appProtocol", s.maybe(6, func() any { return pick[any](s, "http", "kubernetes.io/h2c", "BAD/", "", nil, "a b") }))}, []any{nil, object{}, "x"})
}

func (s source) clusterIPs() any {
	return s.usual(25, []any{list{"None"}, list{"10.0.0.1"}, list{"fd00::1"}, list{"10.0.0.1", "fd00::1"}, list{"fd00::1", "10.0.0.1"}, list{}},
		[]any{nil, list{""}, list{"10.0.0.1", "10.0.0.2"}, list{"None", "10.0.0.1"}, list{"10.0.0.1", "fd00::1", "10.0.0.3"}, list{s.ip()}, list{s.ip(), s.ip()}, list{nil}, "10.0.0.1"})
}

func (s source) service() any {
	kind := any(s.usual(6, []any{"ClusterIP", "ClusterIP", absent{}, absent{}, "NodePort", "LoadBalancer", "ExternalName"}, []any{"", nil, "clusterip", 1}))
	external := kind == "ExternalName"
	ports := any(s.times(3, func(i int) any { return s.servicePort(i) }))
	if s.percent(4) {
		ports = pick[any](s, nil, list{}, absent{}, "x", object{})
	}
	rare := func(percent int, value func() any) any { return s.maybe(percent, value) }
	if external && s.percent(80) {
		rare = func(int, func() any) any { return absent{} }
	}
	return whole("v1", "Service", s.metadata(), "spec", s.usual(2, []any{fields("type", kind,
		"selector", s.maybe(75, s.labels), "ports", ports,
		"clusterIP", rare(25, s.ip), "clusterIPs", rare(12, s.clusterIPs),
		"ipFamilies", rare(15, func() any {
			return s.usual(15, []any{list{"IPv4"}, list{"IPv6"}, list{"IPv4", "IPv6"}, list{"IPv6", "IPv4"}, list{}},
				[]any{nil, list{"IPv4", "IPv4"}, list{"ipv4"}, list{""}, list{nil}, list{"IPv4", "IPv6", "IPv4"}, "IPv4"})
		}),
		"ipFamilyPolicy", rare(15, func() any { return s.word("SingleStack", "PreferDualStack", "RequireDualStack") }),
		"externalName", s.maybe(map[bool]int{true: 90, false: 4}[external], func() any {
			return s.usual(20, []any{"a.example.com", "a.example.com."}, []any{"", nil, "A.example.com", "x_y.com", "10.0.0.1", "fd00::1", ".", "a..b", strings.Repeat("a", 64) + ".com", "a.", "-a", "*.a"})
		}),
		"sessionAffinity", s.maybe(15, func() any { return s.word("None", "ClientIP") }),
		"sessionAffinityConfig", s.maybe(12, func() any {
			return pick[any](s, nil, object{}, fields("clientIP", nil), fields("clientIP", object{}), fields("clientIP", fields("timeoutSeconds", pick[any](s, 10, 0, 1, 86400, 86401, -1, nil, "10", verbatim("1e1"), 1<<31))), "x")
		}),
		"externalTrafficPolicy", rare(10, func() any { return s.word("Cluster", "Local") }),
		"internalTrafficPolicy", s.maybe(10, func() any { return s.word("Cluster", "Local") }),
		"externalIPs", s.maybe(8, func() any {
			return s.usual(20, []any{s.times(2, func(int) any { return s.ip() })}, []any{nil, list{nil}, list{""}, "x"})
		}),
		"loadBalancerSourceRanges", s.maybe(6, func() any {
			return s.usual(15, []any{s.times(2, func(int) any { return s.block() })}, []any{nil, list{nil}, list{""}, "x"})
		}),
		"loadBalancerIP", s.maybe(3, s.ip), "loadBalancerClass", s.maybe(3, func() any { return pick[any](s, "x/y", "x", "", nil, "A b") }),
		"allocateLoadBalancerNodePorts", s.maybe(4, s.flag), "healthCheckNodePort", s.maybe(3, func() any { return pick[any](s, 0, 30000, -1, nil, 65536) }),
		"publishNotReadyAddresses", s.maybe(8, s.flag),
		"trafficDistribution", s.maybe(4, func() any { return pick[any](s, "PreferClose", "PreferSameZone", "PreferSameNode", "x", "", nil) }))},
		[]any{nil, object{}, absent{}, "x"}),
		"status", s.maybe(5, func() any {
			return fields("loadBalancer", fields("ingress", s.times(2, func(int) any { return fields("ip", s.ip(), "hostname", s.maybe(10, constant("h"))) })))
		}))
}

// ---- EndpointSlices ----

func (s source) endpoint(ips []any) any {
	return s.usual(3, []any{fields("addresses", s.usual(10, []any{list{pick(s, ips...)}, list{pick(s, ips...), pick(s, ips...)}}, []any{list{}, nil, list{s.ip()}, list{nil}, list{"a.example.com"}, absent{}, "x"}),
		"conditions", s.maybe(50, func() any {
			return s.usual(8, []any{fields("ready", s.maybe(70, s.flag), "serving", s.maybe(40, s.flag), "terminating", s.maybe(40, s.flag))}, []any{nil, "x"})
		}),
		"nodeName", s.maybe(30, s.name), "hostname", s.maybe(6, s.name), "zone", s.maybe(6, func() any { return pick[any](s, "a", "", nil, "é") }),
		"targetRef", s.maybe(5, func() any { return pick[any](s, nil, object{}, fields("kind", "Pod", "name", "x"), "x") }),
		"deprecatedTopology", s.maybe(3, func() any { return pick[any](s, nil, object{{"a", "b"}}, object{{"a", nil}}, "x") }),
		"hints", s.maybe(12, func() any {
			hint := func(int) any {
				return s.usual(10, []any{fields("name", pick[any](s, "a", "b", "zone-c"))}, []any{nil, object{}, fields("name", ""), fields("name", nil), fields("name", "A b"), fields("name", strings.Repeat("a", 64)), "x"})
			}
			return s.usual(8, []any{fields("forZones", s.maybe(70, func() any { return s.times(3, hint) }), "forNodes", s.maybe(40, func() any { return s.times(9, hint) }))}, []any{nil, "x"})
		}))}, []any{nil, object{}, "x"})
}

func (s source) slicePort(i int) any {
	name := any(fmt.Sprintf("p%d", i))
	if s.percent(20) {
		name = s.portName()
	}
	return s.usual(3, []any{fields("name", s.maybe(80, constant(name)), "port", s.maybe(90, func() any { return s.usual(12, goodPorts, oddPorts) }), "protocol", s.maybe(50, s.protocol),
		"appProtocol", s.maybe(5, func() any { return pick[any](s, "http", "", nil, "BAD/", "x/y") }))}, []any{nil, object{}, "x"})
}

func (s source) slice() any {
	kind := pick(s, "IPv4", "IPv4", "IPv6", "FQDN")
	ips := map[string][]any{"IPv4": {"10.1.0.1", "10.1.0.2"}, "IPv6": {"fd00::1", "2001:db8::2"}, "FQDN": {"a.example.com", "b"}}[kind]
	metadata := s.metadata()
	if o, ok := metadata.(object); ok && s.percent(70) {
		metadata = append(withoutKey(o, "labels"), pair{"labels", object{{"kubernetes.io/service-name", s.name()}}})
	}
	return whole("discovery.k8s.io/v1", "EndpointSlice", metadata, "addressType", s.usual(6, []any{kind}, []any{"", nil, "ipv4", absent{}, 4}),
		"endpoints", s.usual(6, []any{s.times(3, func(int) any { return s.endpoint(ips) })}, []any{nil, absent{}, "x", object{}}),
		"ports", s.usual(6, []any{s.times(3, func(i int) any { return s.slicePort(i) })}, []any{nil, absent{}, "x"}))
}

// ---- Endpoints ----

func (s source) endpoints() any {
	address := func(int) any {
		return s.usual(4, []any{fields("ip", s.usual(8, []any{"10.1.0.1", "10.1.0.2", "fd00::1"}, oddIPs), "nodeName", s.maybe(30, s.name), "hostname", s.maybe(8, s.name),
			"targetRef", s.maybe(5, func() any { return pick[any](s, nil, object{}, fields("kind", "Pod", "name", "x"), "x") }))}, []any{nil, object{}, "x"})
	}
	addresses := func() any { return s.usual(5, []any{s.times(3, address)}, []any{nil, list{}, "x"}) }
	port := func(i int) any {
		return s.usual(4, []any{fields("name", s.maybe(70, func() any { return s.usual(25, []any{fmt.Sprintf("p%d", i)}, []any{s.portName()}) }), "port", s.usual(10, goodPorts, oddPorts),
			"protocol", s.maybe(40, s.protocol))}, []any{nil, object{}, "x"})
	}
	subset := func(int) any {
		return s.usual(4, []any{fields("addresses", s.maybe(85, addresses), "notReadyAddresses", s.maybe(25, addresses),
			"ports", s.maybe(80, func() any { return s.usual(5, []any{s.times(2, port)}, []any{nil, list{}, "x"}) }))}, []any{nil, object{}, "x"})
	}
	metadata := s.metadata()
	if o, ok := metadata.(object); ok && s.percent(15) {
		metadata = append(withoutKey(o, "labels"), pair{"labels", object{{"endpointslice.kubernetes.io/skip-mirror", pick[any](s, "true", "false", "")}}})
	}
	return whole("v1", "Endpoints", metadata, "subsets", s.usual(6, []any{s.times(3, subset)}, []any{nil, absent{}, "x", object{}}))
}

func withoutKey(o object, key string) object {
	var kept object
	for _, p := range o {
		if p.key != key {
			kept = append(kept, p)
		}
	}
	return kept
}

// ---- Namespaces and Nodes ----

func (s source) namespace() any {
	return whole("v1", "Namespace", s.metadata(), "spec", s.maybe(8, func() any { return pick[any](s, nil, object{}, fields("finalizers", list{"kubernetes"}), "x") }),
		"status", s.maybe(8, func() any { return pick[any](s, nil, fields("phase", "Active"), object{}) }))
}

func (s source) node() any {
	taint := func(int) any {
		return s.usual(4, []any{fields("key", s.usual(10, goodKeys, oddKeys), "value", s.maybe(50, func() any { return s.usual(10, goodValues, oddValues) }),
			"effect", s.usual(12, []any{"NoSchedule", "NoExecute", "PreferNoSchedule"}, []any{"", nil, "noschedule", absent{}, "x"}))}, []any{nil, object{}, "x"})
	}
	address := func(int) any {
		return s.usual(4, []any{fields("type", s.usual(10, []any{"InternalIP", "ExternalIP", "Hostname", "InternalDNS"}, []any{"", nil, "x", absent{}}), "address", s.usual(8, goodIPs, oddIPs))}, []any{nil, object{}, "x"})
	}
	return whole("v1", "Node", s.metadata(), "spec", s.maybe(60, func() any {
		return fields("taints", s.maybe(50, func() any { return s.times(3, taint) }), "podCIDR", s.maybe(10, s.block), "unschedulable", s.maybe(5, s.flag),
			"providerID", s.maybe(5, constant("x://y")))
	}), "status", s.maybe(60, func() any { return fields("addresses", s.maybe(90, func() any { return s.times(3, address) })) }))
}
