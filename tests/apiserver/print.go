// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/discovery"
	"k8s.io/kubernetes/pkg/apis/networking"
)

// printer writes an object as user/kube/object_text.c does.
type printer struct{ strings.Builder }

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

// quoted is text in quotes; bytes other than printable ASCII, the quote and the backslash as \xx.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// address reads what the API server accepts: leading zeros are decimal, ::ffff:a.b.c.d is IPv4.
func address(text string) (netip.Addr, bool) {
	if !strings.Contains(text, ":") {
		octets := strings.Split(text, ".")
		for i, octet := range octets {
			if octet = strings.TrimLeft(octet, "0"); octet == "" && octets[i] != "" {
				octet = "0"
			}
			octets[i] = octet
		}
		text = strings.Join(octets, ".")
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil && a.Zone() == ""
}

func addressText(text string) string {
	a, ok := address(text)
	if !ok || a == netip.IPv6Unspecified() {
		return "none"
	}
	return glibcText(a)
}

// glibcText writes IPv6 as inet_ntop() does.
func glibcText(a netip.Addr) string {
	b := a.As16()
	if a.Is6() && [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return fmt.Sprintf("::%d.%d.%d.%d", b[12], b[13], b[14], b[15])
	}
	return a.String()
}

// byFamily returns the first address of each family.
func byFamily(texts []string) [2]string {
	found := [2]string{"none", "none"}
	for _, text := range texts {
		if a, ok := address(text); ok {
			family := bit(a.Is6())
			if found[family] == "none" {
				found[family] = addressText(text)
			}
		}
	}
	return found
}

func printObject(kind string, object runtime.Object) string {
	p := &printer{}
	accessor, _ := meta.Accessor(object)
	p.meta(kind, accessor)
	switch o := object.(type) {
	case *core.Node:
		p.node(o)
	case *core.Pod:
		p.pod(o)
	case *core.Service:
		p.service(o)
	case *discovery.EndpointSlice:
		p.slice(o)
	case *core.Endpoints:
		p.endpoints(o)
	case *core.ReplicationController:
		if o.Spec.Template != nil {
			p.workload(int64(value(o.Spec.Replicas, 1)), 1, o.Spec.Template, nil)
		}
	case *networking.NetworkPolicy:
		p.policy(o)
	case *apps.Deployment:
		p.workload(int64(o.Spec.Replicas), 1, &o.Spec.Template, nil)
	case *apps.ReplicaSet:
		p.workload(int64(o.Spec.Replicas), 1, &o.Spec.Template, nil)
	case *apps.StatefulSet:
		p.statefulSet(o)
	case *apps.DaemonSet:
		p.workload(1, 1, &o.Spec.Template, &o.Spec.Template.Spec)
	case *batch.Job:
		p.job(&o.Spec, finished(o))
	case *batch.CronJob:
		p.job(&o.Spec.JobTemplate.Spec, value(o.Spec.Suspend, false))
	}
	return p.String()
}

var workloadGroups = map[string]string{
	"Deployment": "apps", "ReplicaSet": "apps", "StatefulSet": "apps", "DaemonSet": "apps",
	"Job": "batch", "CronJob": "batch", "ReplicationController": "v1",
}

func (p *printer) meta(kind string, m metav1.Object) {
	created := int64(0)
	if at := m.GetCreationTimestamp(); !at.IsZero() {
		created = at.Unix()
	}
	owner, ownerName := "none", ""
	for _, reference := range m.GetOwnerReferences() {
		group, _, _ := strings.Cut(reference.APIVersion, "/")
		if value(reference.Controller, false) && workloadGroups[reference.Kind] == group && group != "" && ownerName == "" {
			owner, ownerName = reference.Kind, reference.Name
		}
	}
	p.printf("%s %s %s uid %s created %d deleting %d owner %s %s\n", kind, quoted(m.GetNamespace()), quoted(m.GetName()),
		quoted(string(m.GetUID())), created, bit(m.GetDeletionTimestamp() != nil), owner, quoted(ownerName))
	labels := m.GetLabels()
	if kind == "Namespace" {
		with := map[string]string{}
		for k, v := range labels {
			with[k] = v
		}
		with[corev1.LabelMetadataName] = m.GetName()
		labels = with
	}
	p.labels("label", labels)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (p *printer) labels(what string, labels map[string]string) {
	for _, k := range sortedKeys(labels) {
		p.printf("  %s %s %s\n", what, quoted(k), quoted(labels[k]))
	}
}

// ---- Selectors ----

type requirement struct {
	key    string
	op     int // In, NotIn, Exists, DoesNotExist
	values []string
}

func compareRequirements(a, b requirement) int {
	return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.op, b.op), slices.Compare(a.values, b.values))
}

var operators = []string{"In", "NotIn", "Exists", "DoesNotExist"}

func (p *printer) selector(what string, labels map[string]string, expressions []metav1.LabelSelectorRequirement) {
	var all []requirement
	for k, v := range labels {
		all = append(all, requirement{k, 0, []string{v}})
	}
	for _, e := range expressions {
		values := slices.Clone(e.Values)
		slices.Sort(values)
		all = append(all, requirement{e.Key, slices.Index(operators, string(e.Operator)), slices.Compact(values)})
	}
	slices.SortFunc(all, compareRequirements)
	all = slices.CompactFunc(all, func(a, b requirement) bool { return compareRequirements(a, b) == 0 })
	p.printf("  %s %d\n", what, len(all))
	for _, r := range all {
		if r.op < 0 {
			continue // refused
		}
		p.printf("   %s %s", operators[r.op], quoted(r.key))
		for _, v := range r.values {
			p.printf(" %s", quoted(v))
		}
		p.printf("\n")
	}
}

func (p *printer) labelSelector(what string, s *metav1.LabelSelector) {
	if s == nil {
		s = &metav1.LabelSelector{}
	}
	p.selector(what, s.MatchLabels, s.MatchExpressions)
}

// ---- Kinds ----

func (p *printer) node(n *core.Node) {
	for _, t := range n.Spec.Taints {
		if t.Effect == core.TaintEffectNoSchedule || t.Effect == core.TaintEffectNoExecute {
			p.printf("  taint %s %s %s\n", quoted(t.Key), quoted(t.Value), quoted(string(t.Effect)))
		}
	}
	seen := map[string]bool{}
	for _, a := range n.Status.Addresses {
		text := addressText(a.Address)
		if (a.Type == core.NodeInternalIP || a.Type == core.NodeExternalIP) && !seen[text] && text != "none" {
			p.printf("  address %s\n", text)
			seen[text] = true
		}
	}
	var internal []string
	for _, a := range n.Status.Addresses {
		if a.Type == core.NodeInternalIP && addressText(a.Address) != "none" {
			internal = append(internal, a.Address)
		}
	}
	primary := byFamily(internal)
	p.printf("  primary %s %s\n", primary[0], primary[1])
}

func protocol(proto core.Protocol) string { return string(proto) }

func (p *printer) podSpec(spec *core.PodSpec) {
	hostNetwork := spec.HostNetwork
	p.printf("  node %s hostname %s subdomain %s host-network %d\n", quoted(spec.NodeName), quoted(spec.Hostname),
		quoted(spec.Subdomain), bit(hostNetwork))
	containers := slices.Clone(spec.Containers)
	for _, c := range spec.InitContainers {
		if value(c.RestartPolicy, "") == core.ContainerRestartPolicyAlways {
			containers = append(containers, c)
		}
	}
	for _, c := range containers {
		for _, port := range c.Ports {
			p.printf("  port %s %s %d\n", quoted(port.Name), protocol(port.Protocol), port.ContainerPort)
		}
	}
}

// In the order of enum kube_phase.
var phases = []core.PodPhase{core.PodPending, core.PodRunning, core.PodSucceeded, core.PodFailed, core.PodUnknown}

func (p *printer) pod(pod *core.Pod) {
	p.podSpec(&pod.Spec)
	var texts []string
	for _, ip := range pod.Status.PodIPs {
		texts = append(texts, ip.IP)
	}
	addresses := byFamily(texts)
	hasAddress := addresses != [2]string{"none", "none"}
	given := pod.Status.Conditions != nil
	phase := slices.Index(phases, pod.Status.Phase)
	hasStatus := phase >= 0 || hasAddress || given
	if phase < 0 {
		phase = bit(hasAddress)
	}
	ready := phases[phase] == core.PodRunning
	if given {
		ready = false
		for _, c := range pod.Status.Conditions {
			if c.Type == core.PodReady {
				ready = c.Status == core.ConditionTrue
			}
		}
	}
	p.printf("  status %d phase %d ready %d addresses %s %s\n", bit(hasStatus), phase, bit(ready), addresses[0], addresses[1])
}

// In the order of enum kube_service_type.
var serviceTypes = []core.ServiceType{core.ServiceTypeClusterIP, core.ServiceTypeNodePort, core.ServiceTypeLoadBalancer,
	core.ServiceTypeExternalName}

func (p *printer) service(svc *core.Service) {
	spec := &svc.Spec
	clusterIPs := spec.ClusterIPs
	if len(clusterIPs) == 0 && spec.ClusterIP != "" {
		clusterIPs = []string{spec.ClusterIP}
	}
	headless := slices.Contains(clusterIPs, core.ClusterIPNone)
	external := spec.Type == core.ServiceTypeExternalName
	ips := byFamily(clusterIPs)
	families := wantedFamilies(spec, clusterIPs)
	p.printf("  type %d headless %d needs-ip %d families %d %d cluster-ips %s %s\n", slices.Index(serviceTypes, spec.Type),
		bit(headless), bit(!headless && !external && ips == [2]string{"none", "none"}), families[0], families[1], ips[0], ips[1])
	hasSelector := len(spec.Selector) > 0 && !external
	p.printf("  internal-local %d external-local %d not-ready %d selector %d\n",
		bit(value(spec.InternalTrafficPolicy, "") == core.ServiceInternalTrafficPolicyLocal),
		bit(spec.ExternalTrafficPolicy == core.ServiceExternalTrafficPolicyLocal), bit(spec.PublishNotReadyAddresses),
		bit(hasSelector))
	if hasSelector {
		p.selector("selector", spec.Selector, nil)
	}
	for _, port := range spec.Ports {
		target := strconv.Itoa(int(port.TargetPort.IntVal))
		if port.TargetPort.Type == intstr.String {
			target = quoted(port.TargetPort.StrVal)
		}
		p.printf("  port %s %s %d node %d target %s\n", quoted(port.Name), protocol(port.Protocol), port.Port, port.NodePort, target)
	}
	p.printf("  affinity %d\n", affinitySeconds(spec))
	p.addresses("external-ips", spec.ExternalIPs)
	balancers, vips := []string{spec.LoadBalancerIP}, []string{}
	for _, ingress := range svc.Status.LoadBalancer.Ingress {
		balancers = append(balancers, ingress.IP)
		if mode := value(ingress.IPMode, ""); (mode == "" || mode == core.LoadBalancerIPModeVIP) && onWire(ingress.IP) {
			vips = append(vips, ingress.IP)
		}
	}
	p.addresses("vips", vips)
	for _, block := range spec.LoadBalancerSourceRanges {
		if block != "" {
			p.printf("  source-range %s\n", blockText(strings.TrimSpace(block)))
		}
	}
	p.addresses("balancer-ips", balancers)
}

func affinitySeconds(spec *core.ServiceSpec) int32 {
	if spec.SessionAffinity != core.ServiceAffinityClientIP {
		return 0
	}
	if config := spec.SessionAffinityConfig; config != nil && config.ClientIP != nil {
		return value(config.ClientIP.TimeoutSeconds, core.DefaultClientIPServiceAffinitySeconds)
	}
	return core.DefaultClientIPServiceAffinitySeconds
}

// onWire: a packet may have the address: not unspecified, loopback, 0.0.0.0/8 or 240.0.0.0/4.
func onWire(text string) bool {
	a, ok := address(text)
	if !ok || a.IsUnspecified() || a.IsLoopback() {
		return false
	}
	b := a.As16()
	return a.Is6() || b[12] != 0 && b[12] < 240
}

func (p *printer) addresses(what string, texts []string) {
	p.printf("  %s", what)
	for _, text := range texts {
		if _, ok := address(text); ok {
			p.printf(" %s", addressText(text))
		}
	}
	p.printf("\n")
}

// wantedFamilies are those of the fields; what is left open is the cluster's default.
func wantedFamilies(spec *core.ServiceSpec, clusterIPs []string) [2]int {
	var wanted [2]int
	for _, family := range spec.IPFamilies {
		wanted[bit(family == core.IPv6Protocol)] = 1
	}
	for _, text := range clusterIPs {
		if a, ok := address(text); ok && addressText(text) != "none" {
			wanted[bit(a.Is6())] = 1
		}
	}
	dual := spec.IPFamilyPolicy != nil && *spec.IPFamilyPolicy != core.IPFamilyPolicySingleStack
	if dual && (len(spec.IPFamilies) == 0 || len(spec.ClusterIPs) == 0) {
		wanted = [2]int{1, 1}
	}
	return wanted
}

// endpoints prints the slices that are made of it: one for each subset and family.
func (p *printer) endpoints(e *core.Endpoints) {
	_, leads := e.Annotations["control-plane.alpha.kubernetes.io/leader"]
	p.printf("  mirrored %d\n", bit(!leads && e.Labels[discoveryv1.LabelSkipMirror] != "true"))
	for _, subset := range e.Subsets {
		for family := range 2 {
			p.printf("  family %d service \"\"\n", family)
			p.subsetAddresses(subset.Addresses, family, true)
			p.subsetAddresses(subset.NotReadyAddresses, family, false)
			for _, port := range subset.Ports {
				p.printf("  port %s %s %d\n", quoted(port.Name), port.Protocol, port.Port)
			}
		}
	}
}

func (p *printer) subsetAddresses(addresses []core.EndpointAddress, family int, ready bool) {
	for _, a := range addresses {
		if ip, ok := address(a.IP); ok && bit(ip.Is6()) == family {
			p.printf("  endpoint %s ready %d serving 1 terminating 0 node %s zones nodes\n", addressText(a.IP), bit(ready), quoted(value(a.NodeName, "")))
		}
	}
}

func (p *printer) slice(s *discovery.EndpointSlice) {
	family := slices.Index([]discovery.AddressType{discovery.AddressTypeIPv4, discovery.AddressTypeIPv6}, s.AddressType)
	p.printf("  family %d service %s\n", family, quoted(s.Labels[discoveryv1.LabelServiceName]))
	for _, e := range s.Endpoints {
		text := "none"
		if family >= 0 && len(e.Addresses) > 0 {
			text = addressText(e.Addresses[0])
		}
		p.printf("  endpoint %s ready %d serving %d terminating %d node %s zones", text, bit(value(e.Conditions.Ready, true)),
			bit(value(e.Conditions.Serving, true)), bit(value(e.Conditions.Terminating, false)), quoted(value(e.NodeName, "")))
		var zones, nodes []string
		if e.Hints != nil {
			for _, zone := range e.Hints.ForZones {
				zones = append(zones, quoted(zone.Name))
			}
			for _, node := range e.Hints.ForNodes {
				nodes = append(nodes, quoted(node.Name))
			}
		}
		p.words(zones)
		p.printf(" nodes")
		p.words(nodes)
		p.printf("\n")
	}
	for _, port := range s.Ports {
		if number := value(port.Port, 0); number > 0 && number < 1<<16 {
			p.printf("  port %s %s %d\n", quoted(value(port.Name, "")), string(value(port.Protocol, "TCP")), *port.Port)
		}
	}
}

func (p *printer) words(words []string) {
	slices.Sort(words)
	for _, word := range words {
		p.printf(" %s", word)
	}
}

func (p *printer) policy(np *networking.NetworkPolicy) {
	has := func(t networking.PolicyType) int { return bit(slices.Contains(np.Spec.PolicyTypes, t)) }
	p.printf("  isolates %d %d\n", has(networking.PolicyTypeIngress), has(networking.PolicyTypeEgress))
	p.labelSelector("pods", &np.Spec.PodSelector)
	for _, rule := range np.Spec.Ingress {
		p.rule(0, rule.From, rule.Ports)
	}
	for _, rule := range np.Spec.Egress {
		p.rule(1, rule.To, rule.Ports)
	}
}

func (p *printer) rule(direction int, peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort) {
	p.printf("  rule %d\n", direction)
	for _, peer := range peers {
		p.printf("  peer\n")
		if peer.PodSelector != nil {
			p.labelSelector("pods", peer.PodSelector)
		}
		if peer.NamespaceSelector != nil {
			p.labelSelector("namespaces", peer.NamespaceSelector)
		}
		if peer.IPBlock != nil {
			p.printf("  block %s\n", blockText(peer.IPBlock.CIDR))
			for _, except := range peer.IPBlock.Except {
				p.printf("  except %s\n", blockText(except))
			}
		}
	}
	for _, port := range ports {
		p.printf("  port %s", protocol(value(port.Protocol, "?")))
		switch {
		case port.Port == nil:
			p.printf(" any\n")
		case port.Port.Type == intstr.String:
			p.printf(" %s\n", quoted(port.Port.StrVal))
		default:
			p.printf(" %d-%d\n", port.Port.IntVal, value(port.EndPort, port.Port.IntVal))
		}
	}
}

func blockText(text string) string {
	prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err != nil {
		return "?"
	}
	masked := prefix.Masked()
	return glibcText(masked.Addr()) + "/" + strconv.Itoa(masked.Bits())
}

// daemon is the pods' spec of a DaemonSet, otherwise nil.
func (p *printer) workload(pods, first int64, template *core.PodTemplateSpec, daemon *core.PodSpec) {
	p.printf("  pods %d first %d\n", pods, first)
	p.labels("template-label", template.Labels)
	p.podSpec(&template.Spec)
	if daemon == nil {
		return
	}
	p.selector("nodes", daemon.NodeSelector, nil)
	for _, t := range daemon.Tolerations {
		p.printf("  toleration %s %s %s %d\n", quoted(t.Key), quoted(t.Value), quoted(string(t.Effect)),
			bit(t.Operator == core.TolerationOpExists))
	}
}

func (p *printer) statefulSet(s *apps.StatefulSet) {
	first := int64(0)
	if s.Spec.Ordinals != nil {
		first = int64(s.Spec.Ordinals.Start)
	}
	template := s.Spec.Template.DeepCopy()
	template.Spec.Subdomain = s.Spec.ServiceName
	p.workload(int64(s.Spec.Replicas), first, template, nil)
}

func (p *printer) job(spec *batch.JobSpec, none bool) {
	pods := min(value(spec.Parallelism, 1), value(spec.Completions, 1<<31-1))
	if none || value(spec.Suspend, false) {
		pods = 0
	}
	p.workload(int64(pods), 1, &spec.Template, nil)
}

func finished(j *batch.Job) bool {
	for _, c := range j.Status.Conditions {
		if (c.Type == batch.JobComplete || c.Type == batch.JobFailed) && c.Status == core.ConditionTrue {
			return true
		}
	}
	return false
}
