#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# weir why on a loaded instance: it answers from the kernel's tables, explains from the objects
# that are kept beside the plan, changes nothing in the instance, and reports a disagreement of
# tables and plan as a bug.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance why
BPFTOOL=$(command -v bpftool || echo /usr/sbin/bpftool)

# manifests ROLE: the policy of p/db allows pods with that role. The Secret must not be kept.
manifests() {
	cat <<END
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: p}
stringData: {key: hushhush}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: p}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress:
  - from:
    - podSelector: {matchLabels: {role: $1}}
    ports: [{port: 5432}]
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: p, labels: {role: api}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: p, labels: {role: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: p, labels: {role: db}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: p}
spec: {ipFamilyPolicy: PreferDualStack, selector: {role: db}, ports: [{port: 5432}]}
END
}

denied_is_explained() {
	exits 1 why p/web p/db && line '^ datapath: agrees \(generation 1, default deny: no rule of p/db allows it; ' &&
		line 'a.yaml:13  (✖|no)  ?web has role=web'
}

# traces: the tables that packets write: connections, denials, hits of rules. Not the counters that
# neighbour discovery raises.
traces() {
	local noun
	for noun in flows rules policies; do
		"$W" get $noun -o json --name "$NAME" || return
	done
	"$W" status -o json --name "$NAME" | python3 -c 'import json,sys
d = json.load(sys.stdin)
print(d["drops"]["ingress-denied"], d["policyEpoch"], {m: v["entries"] for m, v in d["maps"].items()})'
	"$BPFTOOL" map dump pinned "/sys/fs/bpf/weir-$NAME/maps/rule_hits" | md5sum
	"$BPFTOOL" map dump pinned "/sys/fs/bpf/weir-$NAME/maps/pods" | md5sum
}

no_trace_is_left() {
	traces >"$dir/before" || return
	exits 1 why p/web p/db && exits 0 why p/api p/db && exits 0 why p/api svc/p/db && exits 1 why world p/db &&
		exits 0 why node p/db || return
	traces >"$dir/after" && diff "$dir/before" "$dir/after"
}

# address_of POD [KEY]: "ipv4" or "ipv6"
address_of() {
	"$W" get pods -o json --name "$NAME" | python3 -c 'import json,sys
print([i[sys.argv[2]] for i in json.load(sys.stdin)["items"] if i["pod"] == sys.argv[1]][0])' "$1" "${2:-ipv4}"
}

# in_family FAMILY STATUS FROM TO: answered in that family only, by the tables too
in_family() {
	json "[(i['family'], i['datapath']['agrees']) for i in d['items']] == [('$1', True)]" "$2" why "$3" "$4" -o json
}

addresses_are_asked_in_their_family() {
	local web4 web6 db4 db6 svc4 svc6
	web4=$(address_of p/web) && web6=$(address_of p/web ipv6) && db4=$(address_of p/db) && db6=$(address_of p/db ipv6) || return
	in_family IPv4 1 "$web4" p/db && in_family IPv6 1 "$web6" p/db && in_family IPv4 1 p/web "$db4:5432" &&
		in_family IPv6 1 p/web "[$db6]:5432" && in_family IPv6 1 world "[$db6]:5432" || return
	svc4=$("$W" get services -o json --name "$NAME" | grep -oE '10\.[0-9.]+:5432' | head -1) &&
		svc6=$("$W" get services -o json --name "$NAME" | grep -oE '\[fd00:[0-9a-f:]+\]:5432' | head -1) || return
	in_family IPv4 1 p/web "$svc4" && in_family IPv6 1 p/web "$svc6" && exits 2 why "$web4" "[$db6]:5432" &&
		grep -q "FROM $web4 is IPv4 and TO $db6 is IPv6: both must be of one family" "$dir/err" &&
		exits 2 why "$web6" "$db4:5432" -f "$dir/a.yaml"
}

# shellcheck disable=SC2016
packets_are_counted() {
	local db
	db=$(address_of p/db)
	"$W" sandbox exec p/web --name "$NAME" -- timeout 0.3 bash -c 'exec 3<>"/dev/tcp/$0/5432"' "$db" 2>/dev/null
	exits 1 why p/web p/db && line '[1-9][0-9]* packets? matched so far, last [0-9]+ s ago'
}

secrets_are_not_kept() {
	local kept
	kept=$(echo "/run/weir-$NAME"/objects-*)
	! grep -q hushhush "$kept" && [ "$(stat -c %a "$kept")" = 600 ]
}

# The files are compared with the instance: the same answer, and with other files another one,
# which is no defect.
files_are_held_against_the_instance() {
	exits 1 why -q p/web p/db -f "$dir/a.yaml" && grep -q "datapath: agrees (generation 1," "$dir/out" || return
	manifests web >"$dir/b.yaml"
	exits 0 why -q p/web p/db -f "$dir/b.yaml" &&
		grep -q "datapath: differs, because generation 1 was loaded from other objects: DENIED" "$dir/out"
}

# A comment moves lines and changes no table: the kept objects must be replaced all the same.
objects_follow_a_load_that_changes_no_table() {
	sed 's/kind: Pod/&\n# a line more/' "$dir/a.yaml" >"$dir/c.yaml"
	exits 0 sandbox up -q -f "$dir/c.yaml" && exits 1 why p/web p/db && grep -q "c.yaml:13" "$dir/out" &&
		exits 0 sandbox up -q -f "$dir/a.yaml"
}

off_is_said() {
	exits 0 enforce off && shows "enforcement is OFF" 1 why p/web p/db && exits 0 enforce on
}

# policy_set POLICY: the number of its set
policy_set() {
	"$W" get policies -o json --name "$NAME" |
		python3 -c 'import json,sys; print([i["set"] for i in json.load(sys.stdin)["items"] if i["policies"] == sys.argv[1]][0])' "$1"
}

# store_default VERDICT: writes the default verdict of p/db's policy into the table, past Weir
store_default() {
	local set
	set=$(policy_set p/db) || return
	"$BPFTOOL" map update pinned "/sys/fs/bpf/weir-$NAME/maps/policy_sets" key "$set" 0 0 0 value "$1" 0 0 0 0 0 0 0
}

a_disagreement_is_reported() {
	local r=0
	store_default 1 || return
	exits 7 why p/web p/db && grep -q "INTERNAL BUG: two evaluators disagree" "$dir/err" &&
		grep -q "the plan .*DENIED (ingress-denied).*no rule of p/db" "$dir/err" &&
		grep -q "the kernel .*ALLOWED (forwarded)" "$dir/err" && grep -q "Please report it" "$dir/err" &&
		grep -q "tables are not as generation 1 left them" "$dir/err" && grep -q "datapath: DISAGREES" "$dir/out" &&
		json 'd["datapath"]["asked"] and not d["datapath"]["agrees"] and d["verdict"] == "deny"' 7 why p/web p/db -o json &&
		exits 7 why -q p/web p/db --engine plan && exits 0 why p/api p/db || r=1
	cat "$dir/out" "$dir/err"
	store_default 0 && return $r
}

# A killed apply leaves the next plan's file and tables of both plans: no defect.
half_an_apply_is_no_defect() {
	local generation r=0
	generation=$("$W" status -o json --name "$NAME" | python3 -c 'import json,sys; print(json.load(sys.stdin)["generation"])')
	store_default 1 && cp "/run/weir-$NAME/plan-$generation" "/run/weir-$NAME/plan-$((generation + 1))" || return
	exits 1 why p/web p/db && grep -q "differs, because the load after generation $generation is not finished" "$dir/out" ||
		r=1
	rm "/run/weir-$NAME/plan-$((generation + 1))"
	store_default 0 && return $r
}

without_objects_ids_are_shown() {
	rm "/run/weir-$NAME"/objects-*
	exits 1 why p/web p/db:5432 && grep -q "objects-[0-9]* is missing or unreadable" "$dir/err" &&
		grep -q "ingress  DENIED   default-deny of policy set [0-9]*, p/db" "$dir/out" &&
		json 'd["verdict"] == "deny" and d["ingress"]["policySet"] > 0' 1 why p/web p/db:5432 -o json &&
		exits 0 why p/api p/db:5432
}

without_the_plan_file_addresses_will_do() {
	local web db
	web=$(address_of p/web) && db=$(address_of p/db) || return
	rm "/run/weir-$NAME"/plan-*
	exits 2 why p/web p/db:5432 && exits 1 why "$web" "$db:5432" && grep -q "policy set [0-9]*, #" "$dir/out"
}

a_new_load_writes_the_files_again() {
	exits 0 sandbox up -q -f "$dir/a.yaml" && denied_is_explained
}

# Plan and generation are unchanged, and the file that was kept before is removed.
a_secret_in_a_list_keeps_nothing() {
	{
		cat "$dir/a.yaml"
		echo '---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: other}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}, data: {key: aHVzaGh1c2g=}}'
	} >"$dir/list.yaml"
	exits 0 sandbox up -f "$dir/list.yaml" && grep -q "a Secret is in one document with .* are not kept" "$dir/err" &&
		[ -z "$(find "/run/weir-$NAME" -name 'objects-*')" ] && exits 0 sandbox up -q -f "$dir/a.yaml" && denied_is_explained
}

# Loaded, but no pod is attached.
unattached_pods_are_reported() {
	exits 0 sandbox down && cat >"$dir/node.yaml" <<-'END'
		apiVersion: v1
		kind: Pod
		metadata: {name: a, namespace: p}
		spec: {nodeName: n1, containers: [{name: c, image: i}]}
		status: {phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}]}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: b, namespace: p}
		spec: {nodeName: n2, containers: [{name: c, image: i}]}
		status: {phase: Running, podIP: 10.244.1.5, podIPs: [{ip: 10.244.1.5}]}
	END
	exits 5 load -q -f "$dir/node.yaml" --node n1 && shows "not checked: p/a is not attached here" 0 why p/a p/b:80 &&
		shows "not checked: neither end is a pod of this node, n1" 0 why p/b 192.0.2.1:80
}

manifests api >"$dir/a.yaml"
check "why without an instance is status 3" exits 3 why p/web p/db
check "the sandbox is up" exits 0 sandbox up -q -f "$dir/a.yaml"
check "a denied flow is explained from the loaded objects, and the tables agree" denied_is_explained
check "an allowed flow names its rule" shows "agrees (generation 1, allowed by rule p/db ingress[0]; " 0 why p/api p/db
check "the tables are asked about a Service through its cluster IP" shows "datapath: agrees" 0 why p/api svc/p/db
check "the same for a Service that leads back to the pod itself (SVC-84)" shows "datapath: agrees" 0 why p/db svc/p/db
check "the same for a port that the Service does not have (SVC-64)" shows "datapath: agrees" 1 why p/api svc/p/db:81
check "the tables are asked in both families" \
	json 'sorted((i["family"], i["datapath"]["agrees"]) for i in d["items"]) == [("IPv4", True), ("IPv6", True)]' \
	1 why p/web p/db -o json
check "an address is asked in its own family, and addresses of two families are refused" addresses_are_asked_in_their_family
check "why changes nothing in the instance" no_trace_is_left
check "packets that matched the same rule are counted" packets_are_counted
check "loaded objects are kept for root only, without Secrets" secrets_are_not_kept
check "files are compared with the instance" files_are_held_against_the_instance
check "--engine bpf asks the programs, and the instance too" shows "agrees (generation" 1 why -q p/web p/db -f "$dir/a.yaml" --engine bpf
check "kept objects are replaced also when no table changes" objects_follow_a_load_that_changes_no_table
check "enforcement that is off is reported" off_is_said
check "tables that disagree with the plan: a banner, and status 7" a_disagreement_is_reported
check "an unfinished apply is no defect" half_an_apply_is_no_defect
check "without the kept objects it answers with ids" without_objects_ids_are_shown
check "without the plan file it answers for addresses" without_the_plan_file_addresses_will_do
check "a new load writes both files again" a_new_load_writes_the_files_again
check "with a Secret in a List no objects are kept, and a note says so" a_secret_in_a_list_keeps_nothing
check "a pod that is not attached is reported" unattached_pods_are_reported

finish
