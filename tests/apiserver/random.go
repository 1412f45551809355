// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import "math/rand/v2"

// A tree is nil, a bool, an int, a string, a verbatim text, a list or an object.
type (
	list   []any
	object []pair
	pair   struct {
		key   string
		value any
	}
	verbatim string // a scalar as it is written, in JSON and YAML
	absent   struct{}
)

// source gives random values; a seed gives the same ones on every machine.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

func (s source) percent(p int) bool { return s.IntN(100) < p }

func pick[T any](s source, of ...T) T { return of[s.IntN(len(of))] }

// usual is one of the first values, and in some percent one of the odd ones.
func (s source) usual(percent int, values, odd []any) any {
	if s.percent(percent) {
		return pick(s, odd...)
	}
	return pick(s, values...)
}

// maybe is absent unless the chance, in percent, wants the value.
func (s source) maybe(percent int, value func() any) any {
	if s.percent(percent) {
		return value()
	}
	return absent{}
}

// constant is for maybe().
func constant(value any) func() any { return func() any { return value } }

// fields makes an object of keys and values in turn.
func fields(keysAndValues ...any) object {
	var o object
	for i := 0; i < len(keysAndValues); i += 2 {
		if _, no := keysAndValues[i+1].(absent); !no {
			o = append(o, pair{keysAndValues[i].(string), keysAndValues[i+1]})
		}
	}
	return o
}

// times makes a list of up to most values.
func (s source) times(most int, value func(i int) any) list {
	l := list{}
	for i := range s.IntN(most + 1) {
		l = append(l, value(i))
	}
	return l
}

// ---- Mutation ----

// junk is a value of any type.
func (s source) junk() any {
	return pick[any](s, nil, true, false, 0, 1, -1, 80, 65536, 1<<31, "", "x", "80", "true", "Web", " ", "a b", "10.0.0.1",
		list{}, object{}, list{nil}, list{""}, list{1}, list{object{}}, object{{"a", "b"}}, object{{"", nil}}, object{{"a", 1}},
		verbatim("1.5"), verbatim("80.0"), verbatim("8e1"), verbatim("-0"), verbatim("1e400"), verbatim("99999999999999999999"),
		verbatim("\"\\u0000\""), verbatim("\"\\ud800\""), "\u00e9", "a\nb")
}

// place is a value inside a tree that can be replaced, or removed where remove is not nil.
type place struct {
	value  any
	set    func(any)
	remove func()
	double func() // repeats an item of a list, or a key
}

func collect(tree any, set func(any), places *[]place) {
	switch t := tree.(type) {
	case object:
		for i := range t {
			i := i
			p := place{value: t[i].value, set: func(v any) { t[i].value = v }}
			p.remove = func() { set(append(append(object{}, t[:i]...), t[i+1:]...)) }
			p.double = func() { set(append(append(object{}, t...), pair{t[i].key, t[i].value})) }
			*places = append(*places, p)
			collect(t[i].value, p.set, places)
		}
	case list:
		for i := range t {
			i := i
			p := place{value: t[i], set: func(v any) { t[i] = v }}
			p.remove = func() { set(append(append(list{}, t[:i]...), t[i+1:]...)) }
			p.double = func() { set(append(append(list{}, t...), t[i])) }
			*places = append(*places, p)
			collect(t[i], p.set, places)
		}
	}
}

// mutate changes one place of a tree.
func (s source) mutate(tree any) any {
	var places []place
	collect(tree, func(v any) { tree = v }, &places)
	if len(places) == 0 {
		return tree
	}
	p := pick(s, places...)
	switch n := s.IntN(100); {
	case n < 35:
		p.set(s.junk())
	case n < 55:
		p.remove()
	case n < 65:
		p.set(nil)
	case n < 80:
		p.set(copied(pick(s, places...).value)) // of another place
	case n < 90:
		if _, keyed := p.value.(object); keyed || s.percent(80) {
			p.set(s.changed(p.value))
		}
	default:
		if _, isList := tree.(list); !isList && s.percent(60) {
			p.double()
		}
	}
	return tree
}

// copied shares nothing with the tree, which would otherwise become a circle.
func copied(tree any) any {
	switch t := tree.(type) {
	case object:
		o := make(object, len(t))
		for i, p := range t {
			o[i] = pair{p.key, copied(p.value)}
		}
		return o
	case list:
		l := make(list, len(t))
		for i, v := range t {
			l[i] = copied(v)
		}
		return l
	}
	return tree
}

// changed is a value of the same type that differs a little.
func (s source) changed(value any) any {
	switch v := value.(type) {
	case string:
		at := s.IntN(len(v) + 1)
		return v[:at] + pick(s, "-", ".", "A", "0", " ", "_", "/", "\t", "é", "") + v[min(at+s.IntN(2), len(v)):]
	case int:
		return pick(s, v+1, v-1, -v, v+65536, v<<16, 0)
	case bool:
		return !v
	case list:
		return append(append(list{}, v...), s.junk())
	case object:
		return append(append(object{}, v...), pair{pick(s, "a", "x/y", "", "name", "port"), s.junk()})
	}
	return s.junk()
}
