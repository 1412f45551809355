#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A tenant's policy or Service that does not fit the tables, as users see it: the errors, exit status
# 5, status and why, and real traffic of this tenant and of another one.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance fit

# cluster RULES: two tenants with a server each and a client; tenant evil has a policy of so many rules
cluster() {
	local name i
	for name in evil/server good/server good/client; do
		cat <<END
apiVersion: v1
kind: Pod
metadata: {name: ${name#*/}, namespace: ${name%/*}, labels: {app: ${name#*/}}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
END
	done
	cat <<END
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: few, namespace: good}
spec: {podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: many, namespace: evil}
spec:
  podSelector: {}
  ingress:
END
	for ((i = 0; i < $1; i++)); do
		echo "  - {from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.$((i / 250)).$((i % 250)).0/24]}}], ports: [{port: $((80 + i))}]}"
	done
}

# One tenant's 39 KB: what filled the table of port ranges before port sets shared theirs.
many_rules_fit() {
	exits 0 sandbox up -q -f "$dir/370.yaml" && ! grep -q E035 "$dir/err" || return
	json 'd["closed"] == [] and d["maps"]["port_ranges"]["entries"] < 2000' 0 status -o json
}

too_many_close_the_tenants_pods() {
	exits 5 sandbox up -q -f "$dir/5000.yaml" || return
	grep -q "5000.yaml:[0-9]*:[0-9]*: error E035: NetworkPolicy evil/many: spec.ingress: does not fit: " "$dir/err"
}

load_says_so_too() {
	local got=0
	"$W" compile -q -f "$dir/5000.yaml" >"$dir/out" 2>"$dir/err" || got=$?
	[ $got = 5 ] && grep -q "error E035: NetworkPolicy evil/many" "$dir/err"
}

status_begins_with_it() {
	exits 5 status && head -n 1 "$dir/out" | grep -q "^error  *NetworkPolicy evil/many, ingress: does not fit, and its pods are closed: "
}

doctor_finds_it() {
	shows "N022  error    NetworkPolicy evil/many does not fit" 1 doctor &&
		json '[i["severity"] for i in d["items"] if i["code"] == "N022"] == ["error"]' 1 doctor -o json
}

a_dry_run_says_what_would_be() {
	sed '0,/^spec: {containers/s//status: {phase: Running, podIP: 10.244.0.9, podIPs: [{ip: 10.244.0.9}]}\nspec: {nodeName: n1, containers/' \
		"$dir/5000.yaml" >"$dir/placed.yaml"
	exits 1 load --dry-run -f "$dir/placed.yaml" --node n1 && grep -q "would be closed: .* would be applied" "$dir/err" &&
		! grep -q "is applied" "$dir/err"
}

# connects ADDRESS SECONDS: from the client of tenant good
connects() {
	timeout "$2" "$W" sandbox exec --name "$NAME" good/client -- bash -c "exec 3<>/dev/tcp/$1/80" 2>/dev/null
}

address_of() {
	"$W" get pods --name "$NAME" -o json | python3 -c '
import json, sys
print([p["ipv4"] for p in json.load(sys.stdin)["items"] if p["pod"] == sys.argv[1]][0])' "$1"
}

their_traffic_is_dropped_and_no_other() {
	local evil good
	evil=$(address_of evil/server) && good=$(address_of good/server) || return
	connects "$good" 5 && ! connects "$evil" 1 || return
	json 'd["drops"]["policy-closed"] > 0 and d["drops"]["ingress-denied"] == 0' 5 status -o json
}

why_names_it() {
	exits 1 why good/client evil/server:80 && line "DENIED +closed: a policy that selects it does not fit" &&
		line "agrees" && ! grep -q "ingress\[0\]" "$dir/out" && line "closed: its ingress rules count for nothing" &&
		! grep -q "it allows nothing" "$dir/out"
}

a_mended_policy_opens_them() {
	local evil
	evil=$(address_of evil/server) || return
	exits 0 sandbox up -q -f "$dir/370.yaml" || return
	connects "$evil" 5 || return
	json 'd["closed"] == []' 0 status -o json && exits 0 doctor
}

# Tables of another size: probe and why -f compile for these.
small_tables_are_measured() {
	exits 0 sandbox down && exits 0 load -q -f "$dir/good.yaml" --node sandbox --scale-arrays 1 &&
		exits 5 sandbox up -q -f "$dir/1000.yaml" && exits 0 sandbox probe -f "$dir/1000.yaml" &&
		exits 1 why good/client evil/server:80 -f "$dir/1000.yaml" && line "DENIED +closed: "
}

# services PORTS: the two tenants, each with a Service; that of evil has so many ports
services() {
	cluster 1
	cat <<END
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: good}
spec: {clusterIP: 10.96.0.1, selector: {app: server}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: many, namespace: evil}
spec:
  clusterIP: 10.96.0.2
  selector: {app: server}
  ports:
END
	seq 1001 $((1000 + $1)) | sed 's/.*/  - {name: p&, port: &, targetPort: 80}/'
}

a_service_is_left_out() {
	exits 5 sandbox up -q -f "$dir/33000.yaml" || return
	grep -q "33000.yaml:[0-9]*:[0-9]*: error E036: Service evil/many: spec.ports: does not fit: .*Not served: 10.96.0.2 ports 1001-34000/TCP" "$dir/err"
}

compile_leaves_it_out_too() {
	local got=0
	"$W" compile -q -f "$dir/33000.yaml" >"$dir/out" 2>"$dir/err" || got=$?
	[ $got = 5 ] && grep -q "error E036: Service evil/many" "$dir/err" && grep -q '"leftOut":' "$dir/out"
}

status_and_doctor_name_it() {
	exits 5 status && head -n 1 "$dir/out" | grep -q "^error  *Service evil/many: does not fit, and is not served: all Services need" &&
		json '[(s["service"], s["refused"], s["table"]) for s in d["leftOut"]] == [("evil/many", True, "services")]' 5 status -o json &&
		shows "N024  error    Service evil/many does not fit" 1 doctor
}

# reaches PORT ADDRESS: from the client of tenant good; 1: refused, 124: no answer
reaches() {
	timeout 5 "$W" sandbox exec --name "$NAME" good/client -- bash -c "exec 3<>/dev/tcp/$2/$1" 2>/dev/null
}

it_is_refused_and_no_other() {
	local got=0
	reaches 80 10.96.0.1 || return
	reaches 1001 10.96.0.2 || got=$?
	[ $got = 1 ]
}

why_says_that_it_is_left_out() {
	exits 1 why good/client svc/evil/many:1001 && line "service evil/many .*no such port; the Service does not fit the tables" &&
		line "agrees" && exits 0 why good/client svc/good/web
}

a_mended_service_is_served() {
	exits 0 sandbox up -q -f "$dir/300.yaml" && reaches 1300 10.96.0.2 &&
		json 'd["leftOut"] == []' 0 status -o json && exits 0 doctor
}

for rules in 370 1000 5000; do
	cluster "$rules" >"$dir/$rules.yaml"
done

for ports in 300 33000; do
	services "$ports" >"$dir/$ports.yaml"
done

cat >"$dir/good.yaml" <<END
apiVersion: v1
kind: Namespace
metadata: {name: good}
END

check "load --dry-run says what would be closed" a_dry_run_says_what_would_be
check "370 rules of nearly all peers fit" many_rules_fit
check "too many close the tenant's pods: status 5, with the policy's position" too_many_close_the_tenants_pods
check "compile says so too" load_says_so_too
check "status begins with the policy as an error: status 5" status_begins_with_it
check "doctor finds it: N022" doctor_finds_it
check "status -o json lists it" \
	json '[(c["policy"], c["direction"]) for c in d["closed"]] == [("evil/many", "ingress")]' 5 status -o json
check "traffic to the tenant's pods is dropped by name, and no other" their_traffic_is_dropped_and_no_other
check "why names it, and the tables agree" why_names_it
check "get policies shows the set as closed" \
	json '[i["default"] for i in d["items"] if i["policies"] == "evil/many"] == ["closed"]' 0 get policies -o json
check "a mended policy opens them again" a_mended_policy_opens_them
check "a Service with too many ports is left out: status 5, with its position and frontends" a_service_is_left_out
check "compile leaves it out too" compile_leaves_it_out_too
check "status and doctor name it: N024" status_and_doctor_name_it
check "connections to it are refused, and no others" it_is_refused_and_no_other
check "why says that it is left out, and the tables agree" why_says_that_it_is_left_out
check "a mended Service is served" a_mended_service_is_served
check "tables of another size are measured with the policies that are closed in them" small_tables_are_measured

finish
