#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# weir sandbox on realistic manifests: containers that declare no port, Services with endpoints
# outside. An endpoint for which the sandbox has no server must not be reported as a defect.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance box
BPFTOOL=$(command -v bpftool || echo /usr/sbin/bpftool)

renamed() {
	sed 's/name: silent,/name: quiet,/' "$dir/a.yaml" >"$dir/b.yaml"
	exits 0 sandbox up -f "$dir/b.yaml" || return
	grep -q ': 1 pods added, 1 removed, 2 kept' "$dir/err" || {
		cat "$dir/err"
		return 1
	}
}

# Waits for the lock of another writer, then names its process.
holder_is_named() {
	local lock=/run/weir-$NAME/sandbox/lock holder fd r=0
	exec {fd}<>"$lock" && flock -n "$fd" || return 1
	holder=$$
	echo $holder >"$lock"
	exits 5 sandbox "$@" {fd}>&- && grep -q "process $holder" "$dir/err" || r=1
	exec {fd}>&-
	cat "$dir/err"
	return $r
}

services_are_measured() {
	exits 0 sandbox probe -q -f "$dir/a.yaml" || return
	line '^p/undeclared:80/TCP +p/client +allow (✓|ok) +15 of 15 +silent 15$' &&
		line '^p/host:80/TCP +p/client +allow (✓|ok) +15 of 15 ' &&
		line '^p/outside:80/TCP +p/client +allow [?] ' &&
		line '^p/empty:80/TCP +p/client +refused (✓|ok) +0 of 2 ' &&
		line '^p/undeclared:80/TCP +p/silent +allow (✓|ok) +15 of 15 +silent 15$' &&
		line '^p/assoc:90/SCTP +p/client +allow [?] '
}

# Expectations from other manifests say nothing about the sandbox that runs.
other_manifests_are_refused() {
	sed 's/app: silent}, ports/app: none}, ports/' "$dir/a.yaml" >"$dir/c.yaml"
	exits 4 sandbox probe -q -f "$dir/c.yaml" && grep -q "runs other manifests" "$dir/err" || return
	sed 's/name: client,/name: caller,/' "$dir/a.yaml" >"$dir/c.yaml"
	exits 4 sandbox probe -q -f "$dir/c.yaml" && grep -q "missing pods: 1, extra pods: 1" "$dir/err"
}

# What an up reads of the node is read of the tables, by probe and by why -f.
a_node_with_a_tunnel_is_measured() {
	local r=0
	nsenter --net="/run/netns/weir-${NAME}_node" ip link add vx0 type vxlan id 7 dstport 4789 local 127.0.0.1 || return
	exits 0 sandbox up -q -f "$dir/a.yaml" && json 'd["generation"] > 1' 0 status -o json &&
		exits 0 sandbox probe -q -f "$dir/a.yaml" || r=1
	nsenter --net="/run/netns/weir-${NAME}_node" ip link del vx0
	exits 0 sandbox up -q -f "$dir/a.yaml" && return $r
}

no_sandbox() {
	exits 3 sandbox "$@" && grep -q "there is no sandbox $NAME; create one with 'weir sandbox up -f PATH --name $NAME'" "$dir/err"
}

# A command that cannot be started is status 3, whatever the reason.
commands_that_cannot_start() {
	local command
	for command in /nonexistent /etc/passwd/x /etc/passwd "$(printf 'x%.0s' {1..300})"; do
		exits 3 sandbox exec p/client "$command" || return
	done
}

# 150,000 unanswered flows of one pod: more than half of the table, and of its half-open part.
flood() {
	local to
	exits 0 get pods -o json && to=$(python3 -c 'import json,sys
print(next(p["ipv4"] for p in json.load(open(sys.argv[1]))["items"] if p["pod"] == "p/silent"))' "$dir/out") || return
	"$W" sandbox exec --name "$NAME" p/client -- python3 -c 'import socket,sys
for i in range(3):
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for port in range(1, 50001):
		try: s.sendto(b"", (sys.argv[1], port))
		except ConnectionRefusedError: pass' "$to"
}

the_flooding_pod_is_named() {
	json 'd["flows"]["overShare"] == [] and d["flows"]["share"] * 8 == d["flows"]["capacity"] and
		d["flows"]["most"]["entries"] > 0' 0 status -o json && shows "over share    no pod" 0 status || return
	flood || return
	json 'd["flows"]["overShare"] == [d["flows"]["most"]] and d["flows"]["most"]["pod"] == "p/client" and
		0 < d["flows"]["most"]["evicted"] == d["flows"]["evicted"] and
		d["flows"]["most"]["state"] in ("over share", "over half-open share") and
		d["flows"]["most"]["halfOpen"] > d["flows"]["halfOpenShare"]' 0 status -o json &&
		shows "over share    p/client: new flows evict the pod's own" 0 status &&
		line '^flows +[0-9]+ of 262144 entries, .* most by p/client: [0-9]+ \([0-9]+ %, ' &&
		json 'd["items"][0]["pod"] == "p/client" and d["items"][0]["state"].startswith("over ") and
		all(i["state"] == "within share" for i in d["items"][1:])' 0 get flows --by-pod -o json
}

# other_layout N: adds N to the layout version of the maps, in the map config
other_layout() {
	local config=/sys/fs/bpf/weir-$NAME/maps/config value
	value=$("$BPFTOOL" -j map dump pinned "$config" | python3 -c 'import json,sys
v = [int(x, 16) for x in json.load(sys.stdin)[0]["value"]]
v[24] += int(sys.argv[1])
print(*v)' "$1") && eval "'$BPFTOOL' map update pinned '$config' key 0 0 0 0 value $value"
}

layout_advice_fits_a_sandbox() {
	local word r=0
	other_layout 1 || return
	for word in up probe; do
		exits 3 sandbox $word -q -f "$dir/a.yaml" && grep -q "have layout version" "$dir/err" &&
			grep -q "run 'weir sandbox down --name $NAME', then 'weir sandbox up -f PATH --name $NAME'" "$dir/err" || r=1
	done
	[ $r = 0 ] || cat "$dir/err"
	other_layout -1 && return $r
}

bad_name() {
	local word
	for word in down "up -f $dir/a.yaml" "exec node true"; do
		# shellcheck disable=SC2086
		NAME=A_B exits 2 sandbox $word && grep -q "use 1 to 32 lower-case letters" "$dir/err" || return
	done
}

cat >"$dir/a.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: p}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 7}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: silent, namespace: p, labels: {app: silent}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: p, labels: {app: host}}
spec: {hostNetwork: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: undeclared, namespace: p}
spec: {selector: {app: silent}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: host, namespace: p}
spec: {selector: {app: host}, ports: [{port: 80, targetPort: 9100}]}
---
apiVersion: v1
kind: Service
metadata: {name: assoc, namespace: p}
spec: {selector: {app: silent}, ports: [{port: 90, protocol: SCTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: p}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: p}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: outside-1, namespace: p, labels: {kubernetes.io/service-name: outside}}
addressType: IPv4
endpoints: [{addresses: [203.0.113.9]}]
ports: [{name: "", port: 8080}]
END

check "up makes the sandbox" exits 0 sandbox up -q -f "$dir/a.yaml"
check "Services whose pods declare no port are measured, and endpoints outside are no defect (SVC-19)" \
	services_are_measured
check "probe -o json has the Services too" \
	json '[(s["service"], s["port"], s["protocol"], s["expected"], s["agrees"], s["answered"], s["backends"])
	for s in d["services"] if s["from"] == "p/client" and s["service"] == "p/undeclared"] ==
	[("p/undeclared", 80, "TCP", "allow", True, 15, [{"pod": "p/silent", "answers": 15}])] and
	all("measured" in i for i in d["items"])' 0 sandbox probe -q -f "$dir/a.yaml" -o json
check "exec of a command that cannot be started is status 3" commands_that_cannot_start
check "get flows --by-pod shows what each pod holds, most first" json '
	d["kind"] == "FlowShareList" and len(d["items"]) > 1 and int(d["items"][0]["entries"]) > 0 and
	[int(i["entries"]) for i in d["items"]] == sorted((int(i["entries"]) for i in d["items"]), reverse=True)' \
	0 get flows --by-pod -o json
check "a pod that floods is named by status and by get flows --by-pod" the_flooding_pod_is_named
check "get --by-pod with another noun is a usage error" exits 2 get pods --by-pod
check "with maps of another layout, up and probe say what a sandbox needs" layout_advice_fits_a_sandbox
check "a name that a sandbox cannot have is a usage error" bad_name
check "a sandbox whose node has a tunnel is measured" a_node_with_a_tunnel_is_measured
check "probe refuses manifests other than the running ones" other_manifests_are_refused
check "a renamed pod is one added and one removed" renamed
check "up names the process that holds the lock, after a while" holder_is_named up -q -f "$dir/a.yaml"
check "a repository of workloads replaces the pods" exits 0 sandbox up -q -f policies/market
check "its connections are allowed and denied as its policies say" json 'all(i["measured"] == i["verdict"] for i in d["items"]) and
	{i["to"] for i in d["items"]} >= {"market/web-2", "market/db-0", "ops/agent-node"}' 0 sandbox probe -q -f policies/market -o json
a_broken_record_goes_too() {
	local record
	record=$(find "/run/weir-$NAME/pods" -name '*.json' | head -n 1) && [ -n "$record" ] || return
	echo '{' >"$record"
	exits 0 sandbox down -q && [ ! -e "/run/weir-$NAME" ]
}

check "down removes it, and an attachment record that was broken" a_broken_record_goes_too
check "probe without a sandbox is status 3" no_sandbox probe -q -f "$dir/a.yaml"
check "exec without a sandbox is status 3" no_sandbox exec p/client true

finish
