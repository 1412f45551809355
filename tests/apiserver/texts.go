// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// randomText is the text of a seed: objects, perhaps mutated, in one of the forms that people use,
// and for one seed in three mutated as text too.
func randomText(seed uint64) []byte {
	s := newSource(seed)
	if s.percent(35) {
		return s.mutateText(s.stream())
	}
	tree := s.object()
	for range s.IntN(3) * s.IntN(2) {
		tree = s.mutate(tree)
	}
	return []byte(s.document(tree))
}

// ---- Writing ----

// writer writes a tree as YAML or JSON, in a style.
type writer struct {
	source
	strings.Builder
	anchors int
}

func (w *writer) put(text string) { w.WriteString(text) }

func (s source) document(tree any) string {
	w := &writer{source: s}
	switch s.IntN(4) {
	case 0:
		w.json(tree, -1)
	case 1:
		w.json(tree, 0)
	default:
		if !w.block(tree, 0) {
			w.put("\n")
		}
	}
	return w.String()
}

func jsonString(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// json writes in one line when indent is negative.
func (w *writer) json(tree any, indent int) {
	newline := func(more int) {
		if indent >= 0 {
			w.put("\n" + strings.Repeat("  ", indent+more))
		}
	}
	deeper := indent
	if indent >= 0 {
		deeper++
	}
	switch t := tree.(type) {
	case object:
		w.put("{")
		for i, p := range t {
			if i > 0 {
				w.put(",")
			}
			newline(1)
			w.put(jsonString(p.key) + ":")
			w.json(p.value, deeper)
		}
		newline(0)
		w.put("}")
	case list:
		w.put("[")
		for i, v := range t {
			if i > 0 {
				w.put(",")
			}
			newline(1)
			w.json(v, deeper)
		}
		newline(0)
		w.put("]")
	case nil, absent:
		w.put("null")
	case verbatim:
		w.put(string(t))
	case string:
		w.put(jsonString(t))
	default:
		w.put(fmt.Sprint(t))
	}
}

// plainText can stand in YAML without quotes, everywhere.
func plainText(text string) bool {
	return text != "" && !strings.ContainsAny(text, ":#,[]{}&*!|>'\"%@`\\\n\t ?~=<") && strings.ToLower(text) == text && text[0] >= 'a' && text[0] <= 'z' &&
		!strings.Contains(" y n yes no on off true false null ", " "+text+" ") && text[len(text)-1] != '-'
}

func (w *writer) scalar(v any) string {
	switch t := v.(type) {
	case nil, absent:
		return pick(w.source, "null", "~", "null", "Null", "NULL", "!!null null")
	case bool:
		if t {
			return pick(w.source, "true", "true", "true", "True", "yes", "on", "y", "!!bool true")
		}
		return pick(w.source, "false", "false", "false", "No", "off", "n", "FALSE")
	case int:
		if t >= 0 && w.percent(4) {
			return pick(w.source, fmt.Sprintf("0x%x", t), fmt.Sprintf("0o%o", t), fmt.Sprintf("0%o", t), fmt.Sprintf("0b%b", t), fmt.Sprintf("%d.0", t), fmt.Sprintf("+%d", t), fmt.Sprintf("%de0", t),
				fmt.Sprintf("!!int %d", t), fmt.Sprintf("!!int \"%d\"", t), fmt.Sprintf("%d_", t), fmt.Sprintf("!!float %d", t), fmt.Sprintf("!foo %d", t))
		}
		return fmt.Sprint(t)
	case verbatim:
		return string(t)
	}
	return w.text(v.(string))
}

func (w *writer) text(text string) string {
	if w.percent(2) {
		return pick(w.source, "!!str ", "!foo ", "!<x> ", "!!foo ") + jsonString(text)
	}
	if plainText(text) && w.percent(85) {
		return text
	}
	if !strings.ContainsAny(text, "\n\t") && w.percent(40) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return jsonString(text)
}

func (w *writer) flow(tree any) {
	switch t := tree.(type) {
	case object:
		w.put("{")
		for i, p := range t {
			if i > 0 {
				w.put(", ")
			}
			w.put(w.text(p.key) + ": ")
			w.flow(p.value)
		}
		w.put("}")
	case list:
		w.put("[")
		for i, v := range t {
			if i > 0 {
				w.put(", ")
			}
			w.flow(v)
		}
		w.put("]")
	default:
		w.put(w.scalar(t))
	}
}

// block writes a tree that begins on a line of its own. It returns whether a line break came last.
func (w *writer) block(tree any, indent int) bool {
	pad := strings.Repeat(" ", indent)
	o, isObject := tree.(object)
	l, isList := tree.(list)
	if !isObject && !isList || len(o)+len(l) == 0 || w.percent(6) {
		w.put(pad)
		w.flow(tree)
		return false
	}
	for i, p := range o {
		if i > 0 || indent == 0 || w.String() == "" || strings.HasSuffix(w.String(), "\n") {
			w.put(pad)
		}
		w.put(w.text(p.key) + ":")
		w.nested(p.value, indent)
	}
	for _, v := range l {
		w.put(pad + "-")
		w.nested(v, indent)
	}
	return true
}

func (w *writer) nested(v any, indent int) {
	o, isObject := v.(object)
	l, isList := v.(list)
	if (isObject || isList) && len(o)+len(l) > 0 && w.percent(85) {
		w.anchor()
		w.put("\n")
		if !w.block(v, indent+2) {
			w.put("\n")
		}
		return
	}
	w.put(" ")
	if w.percent(1) {
		w.put("!foo ")
	}
	w.flow(v)
	if w.percent(3) {
		w.put(pick(w.source, " # comment", "  ", "\t", " #"))
	}
	w.put("\n")
}

func (w *writer) anchor() {
	if w.percent(2) {
		w.anchors++
		w.put(fmt.Sprintf(" &a%d", w.anchors))
	}
}

// ---- Streams and texts ----

// samples are texts with much syntax in them, for mutation.
var samples = []string{
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {app: web, y: \"1\"}\n  annotations:\n    a: |\n      one\n      two: x\n    b: >-\n      folded\n      text\n    c: 'it''s'\n    d: \"q\\tz\\u00e9\"\nspec:\n  containers:\n  - name: c\n    image: i\n    ports:\n    - containerPort: 80\n      name: http\n    command: [sh, -c, \"echo: {}\"]\n    args:\n    - --flag=a:b\n    - -x\n",
	"# head\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels: &m\n          app: a\n      podSelector: {matchLabels: *m}\n    - ipBlock:\n        cidr: 10.0.0.0/8\n        except:\n        - 10.1.0.0/16 # why\n    ports:\n    - port: 80\n      protocol: TCP\n---\n# empty\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\nspec:\n  ports:\n    - {port: 443, targetPort: https}\n  selector:\n    <<: {a: b}\n    c: d\n...\n",
	"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"x\", \"labels\": {\"a\": \"b\"}}},\n {\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\"},\"data\":{\"k\":\"v\\n\\u0041\\ud83d\\ude00\"}}]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: y}\n",
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  script.sh: |\n    #!/bin/sh\n    if [ a ]; then\n    \techo tab\n    fi\n\n  keep: |+\n    text\n\n  strip: |-\n    t\n  ind: |2\n      deep\n  multi: \"line one\n    line two\"\n  plain: word\n    continued\n  ? k\n  : v\n  \"q k\": 1\n  'z': ~\nlist:\n- - a\n  - b\n-\n  x: 1\n- []\n- {}\n- \"\"\n",
	"kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: c\ndata: {a: b, c: [d, e,], f: {g: h,},}\nurl: http://x/y#z\nhash: a #c\ncolon: a:b\nat: \"@x\"\nstar: '*.x'\npct: 100%\nexcl: !foo bar\ntime: 12:30\nday: 2001-01-01\nv: 1.10\n",
	"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: anchors\n  labels: &base\n    a: one\n    b: two\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: merges\n  annotations: &base {a: x}\n  labels:\n    a: before\n    <<: *base\n    b: after\n",
	"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: s1\n  labels:\n    a: SCALAR\n",
	"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: s2\n  labels:\n    ? SCALAR\n    : x\n",
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s3\ndata:\n  a: SCALAR\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
	"apiVersion: v1\nkind: Service\nmetadata:\n  name: s4\nspec:\n  ports:\n  - port: SCALAR\n    targetPort: SCALAR\n",
}

// scalars are what a plain or tagged scalar may be: numbers, words, tags and their borders.
var scalars = []string{"1", "0", "-0", "+1", "1.0", "1.5", "1e3", "1e6", "1E+2", "1e400", "-1e400", "1e-400", ".5", ".5e1", ".5_0", "._5", "5.", "5.e1", "1_000", "_1", "1__0", "0x1f", "0X1F", "0x", "0xg", "-0x1",
	"0x0x1", "0b11", "0B11", "0b12", "-0b1", "0b0b1", "0o17", "0O17", "017", "08", "0_8", "00", "0o8", "-017", "1e", "1e+", "e1", "+", "-", ".", "..", "...x", "+.5", "-.5", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
	"-9223372036854775809", "18446744073709551615", "18446744073709551616", "+18446744073709551615", "0xffffffffffffffff", "0xfffffffffffffffff", "0b1111111111111111111111111111111111111111111111111111111111111111", "99999999999999999999999",
	"y", "Y", "n", "N", "yes", "YES", "yEs", "no", "on", "On", "off", "true", "True", "TRUE", "tRue", "false", "~", "null", "Null", "NULL", "nUll", ".inf", "-.inf", "+.inf", ".Inf", ".INF", "-.INF", ".nan", ".NaN", ".NAN", "nan", "inf",
	"2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "12:30", "1:20:30", "=", "<<", "<", "!!str 1", "!!str", "!!int 1", "!!int '1'", "!!int x", "!!int 1.0", "!!int", "!!float 1", "!!float x", "!!float 1e6",
	"!!bool yes", "!!bool 1", "!!null null", "!!null x", "!!null ''", "!!binary aGk=", "!!binary aGk", "!!binary 'a Gk='", "!!binary '!'", "!!binary /v8=", "!!binary ''", "!!timestamp 2001-01-01", "!!timestamp x", "!!merge x", "!!set x", "!!omap x", "!foo 1",
	"!foo", "! 1", "! '1'", "!", "!<tag:yaml.org,2002:int> 1", "!<x> 1", "!a!b 1", "!!foo 1", "'1'", "\"1\"", "''", "\"\"", "\"\\0\"", "\"\\x41\"", "\"\\u0041\"", "\"\\U00000041\"", "\"\\ud800\"", "\"\\/\"", "\"\\q\"", "'\\n'", "\"a\\\n    b\"",
	"|\n      x", "|-\n      1", ">\n      x", "|2\n       x", "|0\n      x", "|x", "&a 1", "&a", "*a", "* a", "&a b c", "%x", "@x", "`x", "a: b", "a:b", "a :b", "a #b", "a# b", "#b", "[a, b]", "{a: b}", "{a}", "[a: b]", "{a:b}", "[a:b]", "{a:1}", "{\"a\":1}", "[\"a\":1]", "[? a : b]", "[a,]", "[,]", "{,}", "[a b]",
	"[-]", "[- a]", "{a: -}", "[?]", "{?}", "{? a}", "a\tb", "\ta", "a\t", "a\t#b", "a \t b", "\"a\tb\"", "x\u00a0", "\u00a0x", "x\u2028y", "x\u0085y", "é", "\U0001F600", "\ufeffx", "x\ufeff", "\u200b", "\x7f", "\x01", "- a", "? a", "?a", "-a", "--- a", ", a", "a, b", "] a", "a ]", "} a", "1 2", "a\n    b", "a\n\n    b", "a\n  b"}

// inserts are bytes that mean something to a reader.
var inserts = []string{"\t", " ", "  ", "\r\n", "\r", "\n", "#", " #c", "---\n", "--- # x\n", "--- \n", "\n---\n", "---", "---a\n", "----\n", "--- |\n", "--- {a: b}\n", "...\n", "\n...\n", "... # x\n", ":", ": ", "- ", "-", "{", "}", "[", "]", ",", "\"", "'", "&a ", "*a", "!x ", "!!str ", "!!int ", "!!binary ",
	"|", "|-", ">", "|+\n", "\ufeff", "\u00a0", "\u2028", "\u0085", "%YAML 1.1\n", "%YAML 1.2\n---\n", "%TAG ! x\n", "%", "@", "`", "<<: ", "<<: {a: b}\n", "? ", "\\", "null", "~", "y", "\n\n", "\n\t\n", " \t", "\t#c\n", "key: 1\n", "\x0b", "\x0c", "\x7f", "\x00", "\U0001F600", "\xff", "\xc3", "\xed\xa0\x80", "\\u0000", "\\ud800", "1", ".5", "0x", "e1"}

// stream is a file of several documents.
func (s source) stream() string {
	if s.percent(45) {
		text := pick(s, samples...)
		for strings.Contains(text, "SCALAR") {
			text = strings.Replace(text, "SCALAR", pick(s, scalars...), 1)
		}
		return text
	}
	var b strings.Builder
	for i := range 1 + s.IntN(3) {
		if i > 0 {
			b.WriteString(pick(s, "---\n", "---\n", "---\n", "--- \n", "--- # next\n", "\n---\n", "---\n---\n", "...\n---\n", "\n", ""))
		}
		b.WriteString(pick(s, "", "", "", "\ufeff", "# text\n", "\n"))
		if s.percent(10) {
			b.WriteString(s.document(fields("apiVersion", "v1", "kind", pick(s, "List", "List", "PodList", "ServiceList", "NetworkPolicyList"), "items", s.usual(10, []any{s.times(3, func(int) any { return s.object() })}, []any{nil, absent{}, "x", list{nil}, object{}}))))
		} else {
			b.WriteString(s.document(s.object()))
		}
		if s.percent(50) {
			b.WriteString("\n")
		}
	}
	return b.String()
}

func (s source) mutateText(text string) []byte {
	for range s.IntN(4) {
		at := s.IntN(len(text) + 1)
		switch n := s.IntN(100); {
		case n < 50:
			text = text[:at] + pick(s, inserts...) + text[at:]
		case n < 65:
			text = text[:at] + text[min(len(text), at+1+s.IntN(3)):]
		case n < 75:
			text = s.mutateLine(text, func(line string) string { return pick(s, " ", "  ", "\t", "-", "") + line })
		case n < 83:
			text = s.mutateLine(text, func(line string) string { return line + pick(s, " ", "\t", " # t", "\r", ":", ",") })
		case n < 88:
			text = s.mutateLine(text, func(line string) string { return line + "\n" + line })
		case n < 92:
			text = strings.ReplaceAll(text, "\n", "\r\n")
		case n < 95:
			text = strings.TrimRight(text, "\n")
		default:
			text = text[:at]
		}
	}
	if s.percent(2) {
		return s.utf16(text)
	}
	return []byte(text)
}

func (s source) mutateLine(text string, change func(string) string) string {
	lines := strings.Split(text, "\n")
	i := s.IntN(len(lines))
	lines[i] = change(lines[i])
	return strings.Join(lines, "\n")
}

func (s source) utf16(text string) []byte {
	units := append([]uint16{0xfeff}, utf16.Encode([]rune(text))...)
	big := s.percent(50)
	var b []byte
	for _, u := range units {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}
