// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	request "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"

	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
)

// strategies are those of the kinds that Weir reads, in the version that it reads.
var strategies = map[schema.GroupVersionKind]rest.RESTCreateStrategy{
	{Version: "v1", Kind: "Namespace"}:                                 namespace.Strategy,
	{Version: "v1", Kind: "Node"}:                                      node.Strategy,
	{Version: "v1", Kind: "Pod"}:                                       pod.Strategy,
	{Version: "v1", Kind: "Service"}:                                   service.Strategy,
	{Version: "v1", Kind: "Endpoints"}:                                 endpoint.Strategy,
	{Version: "v1", Kind: "ReplicationController"}:                     replicationcontroller.Strategy,
	{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}:  endpointslice.Strategy,
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}: networkpolicy.Strategy,
	{Group: "apps", Version: "v1", Kind: "Deployment"}:                 deployment.Strategy,
	{Group: "apps", Version: "v1", Kind: "ReplicaSet"}:                 replicaset.Strategy,
	{Group: "apps", Version: "v1", Kind: "StatefulSet"}:                statefulset.Strategy,
	{Group: "apps", Version: "v1", Kind: "DaemonSet"}:                  daemonset.Strategy,
	{Group: "batch", Version: "v1", Kind: "Job"}:                       job.Strategy,
	{Group: "batch", Version: "v1", Kind: "CronJob"}:                   cronjob.Strategy,
}

// fault is one error of an object: the field's path, "" when it has none, and what is wrong.
type fault struct{ path, message string }

// judgeText returns "accepted" and the objects as text, or "refused" and the errors.
func judgeText(text []byte) (verdict, said string) {
	objects, err := readObjects(text)
	faults := faultsOf(err)
	var printed []string
	names := &nameMaker{}
	for _, raw := range objects {
		text, more := judgeObject(raw, names)
		printed = append(printed, text)
		faults = append(faults, more...)
	}
	if len(faults) == 0 {
		slices.Sort(printed)
		return "accepted", strings.Join(printed, "")
	}
	var lines strings.Builder
	for _, f := range faults {
		fmt.Fprintf(&lines, "%s\t%s\n", f.path, strings.Join(strings.Fields(f.message), " "))
	}
	return "refused", lines.String()
}

// judgeObject creates an object as the API server would. It returns it as text.
func judgeObject(raw []byte, names *nameMaker) (string, []fault) {
	var head metav1.TypeMeta
	if err := json.Unmarshal(raw, &head); err != nil {
		return "", faultsOf(err)
	}
	strategy, read := strategies[head.GroupVersionKind()]
	if !read {
		return "", notServed(head.GroupVersionKind())
	}
	object, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return "", faultsOf(err)
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return "", faultsOf(err)
	}
	if !strategy.NamespaceScoped() {
		accessor.SetNamespace("")
	} else if accessor.GetNamespace() == "" {
		accessor.SetNamespace(metav1.NamespaceDefault)
	}
	if accessor.GetName() == "" && accessor.GetGenerateName() != "" {
		accessor.SetName(names.next(accessor.GetGenerateName()))
	}
	text := printObject(head.Kind, object)
	if svc, ok := object.(*core.Service); ok {
		normalizeClusterIPs(svc)
	}
	ctx := request.WithNamespace(request.NewContext(), accessor.GetNamespace())
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{IsResourceRequest: true, Verb: "create",
		APIGroup: head.GroupVersionKind().Group, APIVersion: head.GroupVersionKind().Version,
		Resource: strings.ToLower(head.Kind) + "s"})
	rest.FillObjectMetaSystemFields(accessor)
	return text, faultsOf(rest.BeforeCreate(strategy, ctx, object))
}

// notServed refuses kinds that Weir reads in groups and versions that no server of 1.37 has. Of the
// other kinds, which Weir does not read, all are taken as served.
func notServed(kind schema.GroupVersionKind) []fault {
	for known := range strategies {
		if known.Kind == kind.Kind && (known.Group == kind.Group || kind.Group == "" || kind.Group == "extensions" ||
			kind.Group == "policy" || legacyscheme.Scheme.IsGroupRegistered(kind.Group)) {
			return []fault{{"apiVersion", "no matches for kind " + kind.String()}}
		}
	}
	return nil
}

// normalizeClusterIPs does what the API server's storage of Services does before it allocates.
func normalizeClusterIPs(svc *core.Service) {
	if svc.Spec.ClusterIP != "" && len(svc.Spec.ClusterIPs) == 0 {
		svc.Spec.ClusterIPs = []string{svc.Spec.ClusterIP}
	}
}

// goField finds the path in an error of the JSON decoder.
var goField = regexp.MustCompile(`Go struct field [A-Za-z0-9]+\.([A-Za-z0-9.\[\]]+) of type`)

func faultsOf(err error) []fault {
	if err == nil {
		return nil
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		var faults []fault
		for _, cause := range status.Status().Details.Causes {
			faults = append(faults, fault{cause.Field, cause.Message})
		}
		if len(faults) > 0 {
			return faults
		}
	}
	path := ""
	if found := goField.FindStringSubmatch(err.Error()); found != nil {
		path = found[1]
	}
	return []fault{{path, err.Error()}}
}

// generatedLetters are what Kubernetes makes the end of a name of.
const generatedLetters = "bcdfghjklmnpqrstvwxz2456789"

// nameMaker makes names as Weir does, so that the texts of objects are equal.
type nameMaker struct{ made int }

func (n *nameMaker) next(generate string) string {
	const ending, longest = 5, 58
	suffix := make([]byte, ending)
	for i, number := ending-1, n.made; i >= 0; i-- {
		suffix[i] = generatedLetters[number%len(generatedLetters)]
		number /= len(generatedLetters)
	}
	n.made++
	return generate[:min(len(generate), longest)] + string(suffix)
}
