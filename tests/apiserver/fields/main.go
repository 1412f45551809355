// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// Prints user/kube/schema.table: the field names of every kind that Weir reads, and the kinds of the
// API groups that it reads, by reflection from Kubernetes' own types. The format is explained in the
// lines that it prints first.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	batchv1 "k8s.io/api/batch/v1"
	batchv1beta1 "k8s.io/api/batch/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	discoveryv1beta1 "k8s.io/api/discovery/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	networkingv1beta1 "k8s.io/api/networking/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const width = 100

const header = `# Field names of the kinds that Weir reads (Kubernetes %s), and the kinds of their API groups.
# A type is a line of its own; its fields follow, indented, sorted by bytes. "name=Type" is a mapping
# of that type, "name=[Type]" a list of such mappings, "name" alone anything else: a scalar, a list of
# scalars, a mapping of strings, or content that has no type. A group's kinds are written like fields.
# Printed by tests/apiserver/fields; compiled by tools/schema.awk.
`

// The objects of Weir's kinds, and a List of any.
var roots = []any{
	corev1.Namespace{}, corev1.Node{}, corev1.Pod{}, corev1.Service{}, corev1.Endpoints{},
	corev1.ReplicationController{}, discoveryv1.EndpointSlice{}, networkingv1.NetworkPolicy{},
	appsv1.Deployment{}, appsv1.ReplicaSet{}, appsv1.StatefulSet{}, appsv1.DaemonSet{},
	batchv1.Job{}, batchv1.CronJob{}, metav1.List{},
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

type table struct {
	fields map[reflect.Type][]string
	named  map[string][]reflect.Type // types by plain name
	open   []reflect.Type            // types around the one that is read
}

// hasFields: a mapping whose field names are fixed.
func hasFields(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(unmarshaler)
}

// shape removes pointers; list: t was a list of the result.
func shape(t reflect.Type) (inner reflect.Type, list bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		inner, _ = shape(t.Elem())
		return inner, true
	}
	return t, false
}

// add reads a type and all that it holds. A type that holds itself has no bounded depth: an error.
func (tab *table) add(t reflect.Type) {
	if slices.Contains(tab.open, t) {
		fail("%v holds itself", t)
	}
	if _, done := tab.fields[t]; done {
		return
	}
	tab.fields[t] = nil
	tab.named[t.Name()] = append(tab.named[t.Name()], t)
	tab.open = append(tab.open, t)
	tab.members(t, func(name string, field reflect.Type) {
		inner, _ := shape(field)
		if inner.Kind() == reflect.Map && hasFields(inner.Elem()) {
			fail("%v.%s: a mapping of %v cannot be written", t, name, inner.Elem())
		}
		if hasFields(inner) {
			tab.add(inner)
		}
	})
	tab.open = tab.open[:len(tab.open)-1]
}

// members calls each for the fields of t, those of inlined types included.
func (tab *table) members(t reflect.Type, each func(name string, field reflect.Type)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name != "":
			each(name, f.Type)
		case f.Anonymous || strings.Contains(rest, "inline"):
			inner, _ := shape(f.Type)
			tab.members(inner, each)
		default:
			fail("%v.%s has no name in JSON", t, f.Name)
		}
	}
}

// name: with the API group where two types have the same one.
func (tab *table) name(t reflect.Type) string {
	if len(tab.named[t.Name()]) == 1 {
		return t.Name()
	}
	return path.Base(path.Dir(t.PkgPath())) + "." + t.Name()
}

func (tab *table) lines() map[string][]string {
	lines := map[string][]string{}
	for t := range tab.fields {
		var fields []string
		tab.members(t, func(name string, field reflect.Type) {
			inner, list := shape(field)
			switch {
			case !hasFields(inner):
			case list:
				name += "=[" + tab.name(inner) + "]"
			default:
				name += "=" + tab.name(inner)
			}
			fields = append(fields, name)
		})
		lines[tab.name(t)] = fields
	}
	return lines
}

// kinds of a group in all its versions: what a client can create or read as an object.
func kinds(add ...func(*runtime.Scheme) error) []string {
	scheme := runtime.NewScheme()
	found := map[string]bool{}
	for _, f := range add {
		if err := f(scheme); err != nil {
			fail("%v", err)
		}
	}
	for kind, t := range scheme.AllKnownTypes() {
		if _, ok := reflect.New(t).Interface().(metav1.Object); ok && kind.Group != "" || isCore(kind.Kind, t) {
			found[kind.Kind] = true
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	return names
}

// The core group also has internal types without a resource, such as PodStatusResult.
func isCore(kind string, t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(metav1.Object)
	return ok && t.PkgPath() == "k8s.io/api/core/v1" && kind != "PodStatusResult" && kind != "RangeAllocation"
}

func write(name string, fields []string) {
	slices.SortFunc(fields, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	fmt.Println(name)
	line := " "
	for _, field := range fields {
		if len(line)+1+len(field) > width {
			fmt.Println(line)
			line = " "
		}
		line += " " + field
	}
	fmt.Println(line)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "fields: "+format+"\n", args...)
	os.Exit(1)
}

func main() {
	tab := table{fields: map[reflect.Type][]string{}, named: map[string][]reflect.Type{}}
	for _, root := range roots {
		tab.add(reflect.TypeOf(root))
	}
	lines := tab.lines()
	lines["core"] = kinds(corev1.AddToScheme)
	lines["apps"] = kinds(appsv1.AddToScheme, appsv1beta1.AddToScheme, appsv1beta2.AddToScheme)
	lines["batch"] = kinds(batchv1.AddToScheme, batchv1beta1.AddToScheme)
	lines["discovery.k8s.io"] = kinds(discoveryv1.AddToScheme, discoveryv1beta1.AddToScheme)
	lines["networking.k8s.io"] = kinds(networkingv1.AddToScheme, networkingv1beta1.AddToScheme)

	var names []string
	for name := range lines {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Printf(header, "1.37")
	for _, name := range names {
		write(name, lines[name])
	}
}
