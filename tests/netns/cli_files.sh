#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The command on files: exit statuses, error texts, JSON keys, help of every verb. Loads nothing,
# and needs root for the evaluator bpf only.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"

# says TEXT STATUS ARGUMENT...: the text is on stderr, stdout is empty
says() {
	local text=$1
	shift
	exits "$@" || return
	if [ -s "$dir/out" ]; then
		echo "stdout should be empty:"
		cat "$dir/out"
		return 1
	fi
	grep -qF -- "$text" "$dir/err" || {
		echo "stderr lacks '$text':"
		cat "$dir/err"
		return 1
	}
}

every_verb_has_help() {
	local verb verbs
	verbs=$("$W" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
	[ "$(wc -w <<<"$verbs")" -ge 10 ] || return 1
	for verb in $verbs; do
		exits 0 help "$verb" && grep -q "^usage: weir $verb" "$dir/out" && grep -q -- '-h, --help' "$dir/out" || return 1
		exits 0 "$verb" --help && [ ! -s "$dir/err" ] || return 1
		"$W" help | grep -q "^  $verb " || return 1
	done
}

every_verb_refuses_unknown_options() {
	local verb
	for verb in $("$W" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
		says "unknown option --no-such" 2 "$verb" --no-such || return 1
	done
}

manual_is_good_roff() {
	"$W" help -o man >"$dir/weir.1" && "$W" help config -o man >"$dir/weir.5" || return
	! groff -man -ww -z "$dir/weir.1" "$dir/weir.5" 2>&1 | grep .
}

# The manual has every environment variable that the code reads.
manual_knows_the_environment() {
	local name
	"$W" help -o man >"$dir/weir.1" || return
	! grep -rhoE 'getenv\("[A-Z_]+"\)' user | grep -oE '[A-Z_]{2,}' | sort -u | while read -r name; do
		grep -q "$name" "$dir/weir.1" || echo "the manual lacks $name"
	done | grep .
}

output_is_the_same_twice() {
	"$W" compile -q -f "$dir/good.yaml" >"$dir/a" && "$W" compile -q -f "$dir/good.yaml" >"$dir/b" && cmp "$dir/a" "$dir/b"
}

# Names in manifests must not send escapes to the terminal, nor forge a diagnostic.
names_are_only_text() {
	printf 'apiVersion: v1\nkind: "P\\e[31m"\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: "%s"}\n' \
		'a\\e[31m\\nx.yaml:1:1: error' >"$dir/names.yaml"
	head -c 100000 /dev/zero | tr '\0' a | sed 's/.*/---\napiVersion: v1\nkind: Namespace\nmetadata: {name: &}/' >>"$dir/names.yaml"
	exits 4 compile -f "$dir/names.yaml" && [ -s "$dir/err" ] || return
	if LC_ALL=C grep -n '[^ -~]' "$dir/err" || grep '^x.yaml' "$dir/err" || [ "$(wc -c <"$dir/err")" -gt 10000 ]; then
		wc "$dir/err"
		return 1
	fi
}

silent_about_the_node() {
	exits 0 compile -f "$good" --node node && ! grep warning "$dir/err"
}

an_unknown_node_is_refused() {
	printf 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n' >"$dir/node.yaml"
	says "weir: --node nn1 matches no Node and no pod's nodeName; did you mean n1?" \
		4 compile -f "$good" -f "$dir/node.yaml" --node nn1 &&
		NODE_NAME=gateway says "weir: NODE_NAME gateway matches no Node and no pod's nodeName; known nodes: n1" \
			4 compile -f "$good" -f "$dir/node.yaml"
}

# warns TEXT STATUS ARGUMENT...: the text is on stderr; stdout is not checked
warns() {
	local text=$1
	shift
	exits "$@" || return
	grep -qF -- "$text" "$dir/err" || {
		echo "stderr lacks '$text':"
		cat "$dir/err"
		return 1
	}
}

# No note of assigned addresses, and no advice about ports, where there is no object.
warning_is_the_last_word() {
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n' >"$dir/config.yaml"
	exits 2 report -f "$dir/config.yaml" || return
	diff "$dir/err" - <<-END
		$dir/config.yaml:1:1: note: ignored: Weir does not read kind ConfigMap (v1); further ones are not reported
		weir: warning: the manifests have no object of a kind that Weir reads
	END
}

order_does_not_matter() {
	python3 - "$dir/good.yaml" "$dir/back.yaml" <<-'END' || return 1
		import sys
		documents = open(sys.argv[1]).read().split("---\n")
		open(sys.argv[2], "w").write("---\n".join(d.rstrip("\n") + "\n" for d in reversed(documents)))
	END
	"$W" compile -q -f "$dir/good.yaml" >"$dir/a" && "$W" compile -q -f "$dir/back.yaml" >"$dir/b" && cmp "$dir/a" "$dir/b"
}

colour_only_when_asked() {
	local escape
	escape=$(printf '\033')
	"$W" report -q -f "$dir/good.yaml" | grep -q "$escape" && return 1
	"$W" report -q -f "$dir/good.yaml" --color always | grep -q "$escape" || return 1
	! "$W" report -q -f "$dir/good.yaml" --color never | grep -q "$escape"
}

ascii_without_utf8() {
	LC_ALL=C "$W" why -q p/web p/db:5432 -f "$dir/good.yaml" >"$dir/ascii"
	[ $? = 1 ] || return 1
	! LC_ALL=C grep -q '[^ -~	]' "$dir/ascii"
}

evaluators_agree() {
	"$W" report -q -f "$dir/good.yaml" -o json >"$dir/plan.json" || return 1
	"$W" report -q -f "$dir/good.yaml" -o json --engine bpf >"$dir/bpf.json" || return 1
	cmp "$dir/plan.json" "$dir/bpf.json"
}

# In both families the connections that are allowed into Namespace market, except from the node,
# are those of expected.csv.
the_market_is_as_expected() {
	"$W" report -q -f policies/market -o csv >"$dir/market.csv" || return 1
	python3 - "$dir/market.csv" policies/market/expected.csv <<-'END'
		import csv, sys
		report, wanted = (list(csv.DictReader(open(path))) for path in sys.argv[1:])
		wanted = {(w["from"], w["to"], w["port"]) for w in wanted}
		for family in "IPv4", "IPv6":
		    got = {(r["from"], r["to"], r["port"]) for r in report if r["family"] == family and
		           r["verdict"] == "allow" and r["to"].startswith("market/") and r["from"] != "node"}
		    if got != wanted:
		        sys.exit("%s: too much %s, missing %s" % (family, sorted(got - wanted), sorted(wanted - got)))
	END
}

# Pods from a cluster together with their Deployment: no pods are made for it.
a_dump_is_not_doubled() {
	cat >"$dir/dump.yaml" <<-'END'
		apiVersion: v1
		kind: List
		items:
		- apiVersion: v1
		  kind: Pod
		  metadata:
		    name: web-6b9-x7k2p
		    namespace: market
		    labels: {app: web, pod-template-hash: 6b9}
		    ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-6b9, uid: u, controller: true}]
		  spec: {containers: [{name: web, ports: [{name: http, containerPort: 80}]}]}
		  status: {phase: Running, podIP: 10.244.1.2, podIPs: [{ip: 10.244.1.2}]}
		- apiVersion: apps/v1
		  kind: Deployment
		  metadata: {name: web, namespace: market}
		  spec:
		    replicas: 2
		    selector: {matchLabels: {app: web}}
		    template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web}]}}
	END
	json '{i["to"] for i in d["items"]} == {"market/web-6b9-x7k2p", "world", "node"}' \
		0 report -q -f "$dir/dump.yaml" --ports 80 -o json
}

scales_begin_at_1() {
	local option
	for option in tables tries arrays flows; do
		says "load: --scale-$option: 0 is too small: give 1 or more" 2 load -f "$good" "--scale-$option" 0 || return
	done
}

# Help, the manual page and README have one list of exit statuses.
exit_statuses_are_the_same_everywhere() {
	local number words readme
	readme=$(tr '\n' ' ' <README.md | tr -s ' ')
	"$W" help -o man >"$dir/weir.1" || return
	[ "$("$W" help | grep -cE '^  [0-7]  ')" = 8 ] || return
	"$W" help | sed -nE 's/^  ([0-7])  (.*)/\1 \2/p' | while read -r number words; do
		[[ $readme == *" $number $words"* ]] || echo "README lacks: $number $words"
		grep -A1 "^\\\\fB$number\\\\fR\$" "$dir/weir.1" | grep -q "^$words: " || echo "the manual lacks: $number $words"
	done | {
		! grep .
	}
}

cat >"$dir/good.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: p, labels: {tier: web}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: p, labels: {tier: api}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: p, labels: {tier: db}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: p}
spec: {selector: {tier: db}, ports: [{port: 15432, targetPort: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: p}
spec:
  podSelector: {matchLabels: {tier: db}}
  ingress:
  - from:
    - podSelector: {matchLabels: {tier: api}}
    - namespaceSelector: {matchLabels: {name: p}}
    ports:
    - port: 5432
END
cat >"$dir/bad.yaml" <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: broken, namespace: p}
spec:
  podSelector: {}
  ingress:
  - ports:
    - port: 99999
END
cat >"$dir/silent.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: silent, namespace: p}
spec: {containers: [{name: c, image: i}]}
END
cat - "$dir/good.yaml" >"$dir/two.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: two, namespace: p, labels: {tier: two}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: two, namespace: p}
spec:
  podSelector: {matchLabels: {tier: two}}
  ingress:
  - from: [{podSelector: {matchLabels: {tier: api}}}]
  - from: [{podSelector: {matchLabels: {tier: db}}}]
---
END
good=$dir/good.yaml

check "no verb is a usage error and lists the verbs" says "usage: weir VERB" 2
check "help lists every verb and explains each" every_verb_has_help
check "README and the manual have the exit statuses of help" exit_statuses_are_the_same_everywhere
check "the manual names every environment variable that is read" manual_knows_the_environment
if command -v groff >/dev/null; then
	check "the manual pages are good roff" manual_is_good_roff
else
	n=$((n + 1))
	echo "ok $n - the manual pages are good roff # SKIP groff is not installed"
fi
check "an unknown verb is a usage error with a hint" says "weir help" 2 frobnicate
check "an unknown verb of help is a usage error" says "unknown verb" 2 help frobnicate
check "verbs match exactly" says "unknown verb 'rep'" 2 rep
check "an unknown option is a usage error in every verb" every_verb_refuses_unknown_options
check "an unknown output format is a usage error that lists the formats" says "table|wide|json|csv|md" 2 report -f "$good" -o yaml
check "an argument too many is a usage error" says "report: unexpected argument 'more': give manifests with -f PATH" 2 report -f "$good" more
check "missing arguments are a usage error" says "arguments are missing" 2 why p/web
check "version -o json has the layout version" json 'd["kind"] == "Version" and d["layoutVersion"] > 0' 0 version -o json
check "--version works as well" shows "weir " 0 --version

check "no manifests is a usage error" says "give -f" 2 report
check "a missing file is invalid input" says "no-such-file" 4 report -f "$dir/no-such-file"
check "an object that the API server would refuse is invalid input, with file and line" \
	says "bad.yaml:8:" 4 compile -f "$dir/bad.yaml"
check "errors name object and field" says "NetworkPolicy p/broken" 4 report -f "$dir/bad.yaml" --ports 80
check "-q does not silence errors" says "bad.yaml:8:" 4 compile -q -f "$dir/bad.yaml"
check "compile writes a plan" json 'd["kind"] == "Plan" and len(d["pods"]) == 3' 0 compile -f "$good"
check "compile gives the same bytes twice" output_is_the_same_twice
check "compile gives the same bytes in any order of objects and from any file" order_does_not_matter

check "control characters in names do not reach the terminal" names_are_only_text
check "where no object names a node, --node can be any name, and a warning says where the pods are" \
	warns 'placed on an assumed node called "node": the plan for node nde has no pods. Use --node node' 0 compile -f "$good" --node nde
check "a node that no object names is invalid input while others are named" an_unknown_node_is_refused
check "the assigned node can be named without a warning" silent_about_the_node
check "manifests without an object are reported" warns "no object of a kind that Weir reads" 0 compile -f /dev/null
check "report ends with the warning that there is no object" warning_is_the_last_word
check "report has an item for each pair, port and family" \
	json 'd["kind"] == "Report" and d["apiVersion"] == "weir.dev/v1" and
	len([i for i in d["items"] if i["family"] == "IPv4"]) == 3 * 2 + 4 * 3' 0 report -q -f "$good" --ports 5432 -o json
check "an item of report has all its keys" \
	json 'all(set(i) >= {"from", "to", "family", "protocol", "port", "verdict", "reason", "egress", "ingress"} and
	set(i["egress"]) == set(i["ingress"]) == {"verdict", "policy", "rule"} for i in d["items"])' 0 report -q -f "$good" -o json
check "report names the allowing rule, and no rule for a default deny" \
	json '[(i["verdict"], i["ingress"]["policy"], i["ingress"]["rule"]) for i in d["items"] if i["to"] == "p/db" and
	i["from"] in ("p/api", "p/web") and i["family"] == "IPv4"] == [("allow", "p/db", 0), ("deny", None, None)]' \
	0 report -q -f "$good" --ports 5432 -o json
check "world is denied, the own node never (NP-41, NP-42)" \
	json '{i["from"]: i["verdict"] for i in d["items"] if i["to"] == "p/db" and i["from"] in ("world", "node")} ==
	{"world": "deny", "node": "allow"} and all(i["verdict"] == "allow" for i in d["items"] if i["to"] == "node")' \
	0 report -q -f "$good" --ports 5432 -o json
check "a named port is evaluated only for pods that declare it" \
	json 'd["items"] and all(i["to"] == "p/web" and i["port"] == 80 and i["portName"] == "http" for i in d["items"])' \
	0 report -q -f "$good" --ports http -o json
check "without --ports all declared ports are evaluated" \
	json '{i["port"] for i in d["items"]} == {80, 5432}' 0 report -q -f "$good" -o json
check "report without any port asks for --ports" says "give --ports" 2 report -q -f "$dir/silent.yaml"
check "a bad port is a usage error" says "not within 1-65535" 2 report -f "$good" --ports 0/TCP
check "a range of ports is a usage error" says "'80-90' is not a port: ranges are not supported" 2 report -f "$good" --ports 80-90
check "a bad protocol is a usage error" says "TCP, UDP or SCTP" 2 report -f "$good" --ports 80/ICMP
check "a port name that no pod declares is a usage error that lists the declared ones" \
	says "report: --ports: no pod declares a port named 'bogus'; declared are http; or give numbers, as in 80/TCP" \
	2 report -q -f "$good" --ports 80/TCP,bogus
check "a misspelt port name gets a suggestion" says "no pod declares a port named 'htpp'; did you mean http?" \
	2 report -q -f "$good" --ports htpp
check "a port name with another protocol is not declared" says "no pod declares a UDP port named 'http'; http is TCP" \
	2 report -q -f "$good" --ports http/UDP
check "a table of size 0 is a usage error" scales_begin_at_1
check "the matrix has a legend" shows ". allowed" 0 report -q -f "$good"
check "csv has a header" shows "from,to,family,protocol,port,verdict" 0 report -q -f "$good" -o csv
check "md is a table" shows "| from | to |" 0 report -q -f "$good" -o md
check "wide names rules" shows "allow p/db[0]" 0 report -q -f "$good" -o wide
check "colour is used only with --color always" colour_only_when_asked
if [ "$(id -u)" = 0 ]; then
	check "the evaluators plan and bpf agree" evaluators_agree
else
	n=$((n + 1))
	echo "ok $n - the evaluators plan and bpf agree # SKIP needs root"
fi

check "why: allowed is status 0" shows "ALLOWED" 0 why -q p/api p/db:5432 -f "$good"
check "why: denied is status 1, with file and line" shows "good.yaml:27" 1 why -q p/web p/db:5432 -f "$good"
check "why names the label that does not match" shows "web has tier=web" 1 why -q p/web p/db -f "$good"
check "why knows the implied label kubernetes.io/metadata.name (NP-22)" shows "kubernetes.io/metadata.name=p" 1 why -q p/web p/db -f "$good"
check "why shows both directions" shows "egress" 1 why -q p/web p/db -f "$good"
check "why follows a Service to its backend" shows "service p/db" 0 why -q p/api svc/p/db -f "$good"
check "why: a port that the Service does not have is denied with its reason (SVC-64)" \
	shows "it has" 1 why -q p/api svc/p/db:9999 -f "$good"
check "why: the same as JSON (SVC-64)" \
	json 'd["verdict"] == "deny" and d["reason"] == "no-service-port" and d["steps"][0]["port"] == 81' \
	1 why -q p/api svc/p/db:81/UDP -f "$good" -o json
check "why: a port name that the Service lacks is a usage error that names its ports" \
	says "5432/TCP" 2 why -q p/api svc/p/db:nope -f "$good"
check "why -o json has the steps" \
	json 'd["kind"] == "Why" and d["verdict"] == "deny" and [s["step"] for s in d["steps"]] == ["egress", "ingress"] and
	d["steps"][1]["policies"][0]["rules"][0]["peers"][0]["match"] == False' 1 why -q p/web p/db -f "$good" -o json
check "why: world and node" exits 1 why -q world p/db -f "$good"
check "why: the own node is let through (NP-41)" exits 0 why -q node p/db -f "$good"
check "why: a pod reaches itself (NP-40)" exits 0 why -q p/db p/db -f "$good"
check "why: a pod reaches itself through a Service (SVC-84, NP-40)" shows "a pod always reaches itself" 0 why -q p/db svc/p/db -f "$good"
check "why: an address outside" exits 0 why -q p/web 192.0.2.9:443 -f "$good"
check "why: IPv6 in brackets" exits 0 why -q p/web '[2001:db8::9]:443' -f "$good"
check "why: an unknown pod is a usage error" says "no pod or workload named p/nobody" 2 why -q p/nobody p/db -f "$good"
check "why: a misspelt pod gets a suggestion" says "no pod or workload named p/wbe; did you mean p/web?" 2 why -q p/wbe p/db -f "$good"
check "why: a Service that is named like a pod gets a hint" says "market/db-primary is a Service: use svc/market/db-primary" \
	2 why -q market/web market/db-primary -f policies/market
check "why: a port name that the pod lacks is a usage error that lists what it declares" \
	says "pod p/web declares no UDP port named 'http'; it declares http 80/TCP" 2 why -q p/db p/web:http/UDP -f "$good"
check "why: the tree connects a rule to the next one" shows "│ └ any port" 1 why -q p/web p/two:80 -f "$dir/two.yaml"
check "why: an ambiguous port is a usage error" says "say which" 2 why -q p/db p/api -f "$good"
check "why: the hint writes an IPv6 address in brackets" says "[fd00::1]:80/TCP" 2 why -q p/db fd00::1 -f "$good"
check "why: nonsense is a usage error" says "cannot parse FROM 'nonsense': write NAMESPACE/POD" 2 why nonsense p/db -f "$good"
check "why without UTF-8 is plain ASCII" ascii_without_utf8

check "workloads stand for pods, and the market is as expected" the_market_is_as_expected
check "pods that are created for workloads are reported" warns "created 7 pods for 2 Deployments, 1 StatefulSet, 1 DaemonSet, 1 CronJob" \
	0 report -f policies/market
check "why names the owner of a pod, with the template's line" shows "was created from Deployment market/web  policies/market/web/deployment.yaml:12" \
	0 why -q market/web-2 svc/market/api -f policies/market
check "why takes the first pod of a workload" shows "DENIED  market/web-1 → market/db-0" 1 why -q market/web market/db -f policies/market
check "why resolves names under a headless Service (DNS-6)" shows "DENIED  market/web-1 → market/db-1" \
	1 why -q market/web db-1.db.market.svc -f policies/market
check "why: a name under an unknown headless Service is a usage error" says "no headless Service market/db-primary" \
	2 why -q market/web db-0.db-primary.market -f policies/market
check "why -o json has the owners" \
	json 'd["toOwner"] == {"kind": "StatefulSet", "name": "market/db", "made": True, "file": "policies/market/db/statefulset.yaml", "line": 13}' \
	0 why -q market/api market/db-1 -f policies/market -o json
check "a dump from a cluster with its Deployment makes no more pods" a_dump_is_not_doubled
check "compile makes the same pods" json 'sorted(p["pod"] for p in d["pods"])[:2] == ["market/api-1", "market/backup-1"] and len(d["pods"]) == 7' \
	0 compile -q -f policies/market

finish
