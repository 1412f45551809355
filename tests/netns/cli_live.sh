#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The verbs on a loaded instance: load, status, get, enforce, uninstall. No pod of the instance is
# attached: no device is touched, except in sandboxes. A planned pod that is not attached is an
# error: each load and status here ends with status 5, though the rest is done.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance cli

# cluster PORT: a pod, a Service on that port, and a policy
cluster() {
	cat <<END
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: p, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}], conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: p}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], selector: {app: web}, ports: [{port: $1, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: p}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
END
}

names_come_from_the_plan_file() {
	exits 0 get services && grep -q "p/web" "$dir/out" || return 1
	rm -f "/run/weir-$NAME"/plan-*
	exits 0 get services -o wide && ! grep -q "p/web" "$dir/out" && grep -q '#' "$dir/out" &&
		grep -q "ids are shown" "$dir/err" && exits 5 load -q -f "$dir/c.yaml"
}

every_noun_answers_in_every_form() {
	local noun form
	for noun in services backends pods policies rules flows maps programs; do
		for form in table wide json name; do
			exits 0 get $noun -o $form || return 1
		done
		json 'd["apiVersion"] == "weir.dev/v1" and d["kind"].endswith("List") and isinstance(d["items"], list)' \
			0 get $noun -o json || return 1
	done
}

# An empty name too: from an unset variable, uninstall would remove the machine's own instance.
bad_names() {
	local name
	for name in ../etc "" "a b" "$(printf 'a%.0s' {1..33})"; do
		"$W" status --name "$name" 2>"$dir/err"
		[ $? = 2 ] && grep -q "letters, digits" "$dir/err" || return 1
	done
}

# An empty folder must not unload the node, unless asked for.
an_empty_load_is_refused() {
	mkdir -p "$dir/empty"
	exits 4 load -f "$dir/empty" --node n1 && grep -q -- --allow-empty "$dir/err" && exits 0 get services || return 1
	grep -q "p/web" "$dir/out" || return 1
	exits 1 load -f "$dir/empty" --node n1 --allow-empty --dry-run
}

# Refused before anything is written: the table of pods and the generation stay.
an_unknown_node_is_refused() {
	local verb
	exits 0 get pods && cp "$dir/out" "$dir/pods" || return
	for verb in load "load --dry-run"; do
		# shellcheck disable=SC2086
		exits 4 $verb -f "$dir/c.yaml" --node nn1 && [ ! -s "$dir/out" ] &&
			grep -q "^weir: --node nn1 matches no Node and no pod's nodeName; did you mean n1?$" "$dir/err" &&
			NODE_NAME=nn1 exits 4 $verb -f "$dir/c.yaml" && grep -q "^weir: NODE_NAME nn1 matches no Node" "$dir/err" ||
			return
	done
	exits 0 get pods && diff "$dir/pods" "$dir/out" && json 'd["generation"] == 1' 5 status -o json
}

# For root only: a reader must neither wait for a writer of it nor crash.
a_plan_file_that_is_none_is_missing() {
	local plan
	plan=$(echo "/run/weir-$NAME"/plan-*)
	plan=${plan##* }
	mv "$plan" "$dir/plan" && python3 -c 'import os, sys; os.mkfifo(sys.argv[1])' "$plan" && W="timeout 20 $WEIR_BIN" reads_without_names || return
	rm "$plan" && python3 -c 'print("[" * 3000000)' >"$plan" && reads_without_names && mv "$dir/plan" "$plan"
}

reads_without_names() {
	# shellcheck disable=SC2086
	$W status --name "$NAME" >"$dir/out" 2>"$dir/err"
	[ $? = 5 ] && grep -q "ids are shown" "$dir/err" && grep -q "^error .*/plan-[0-9]* is missing or not valid" "$dir/out"
}

# Tables keep their size. A load may repeat the size that they have.
sizes_are_refused() {
	exits 2 load -f "$dir/c.yaml" --scale-flows 50 && grep -q "loaded with 262144 entries and cannot become 131072: .* --rebuild" "$dir/err" &&
		exits 5 load -f "$dir/c.yaml" --scale-flows 100 --scale-arrays 100 && shows "nothing to do" 5 load -f "$dir/c.yaml" &&
		exits 2 load --dry-run -f "$dir/c.yaml" --scale-tables 50 &&
		grep -q "; nothing of these manifests was loaded$" "$dir/err"
}

# The peer of a pod that reaches itself (SVC-84) is fixed too.
hairpin_addresses_are_refused() {
	exits 2 load -f "$dir/c.yaml" --hairpin-v4 169.254.1.1 &&
		grep -q "load: --hairpin-v4: the address is 169.254.77.101 and cannot become 169.254.1.1" "$dir/err" &&
		exits 5 load -f "$dir/c.yaml" --hairpin-v4 169.254.77.101 --hairpin-v6 fd77:6569:722d::65 || return
	for address in fd00::1 127.0.0.1 224.0.0.1 0.0.0.0 nonsense; do
		exits 2 load -f "$dir/c.yaml" --hairpin-v4 "$address" && grep -q "load: --hairpin-v4: " "$dir/err" || return
	done
	for address in 10.0.0.1 ::1 fe80::1 ff02::1 ::; do
		exits 2 load -f "$dir/c.yaml" --hairpin-v6 "$address" && grep -q "load: --hairpin-v6: " "$dir/err" || return
	done
}

# Other nodes' pods too, Services with addresses that Weir does not serve, and this machine.
hairpin_addresses_in_use_are_refused_first() {
	local address what
	while read -r address what; do
		exits 2 load --dry-run -f "$dir/users.yaml" --node n1 --hairpin-v4 "$address" || return
		grep -qx "weir: load: --hairpin-v4: $address is $what: give one that nothing uses" "$dir/err" || {
			echo "$address $what:"
			cat "$dir/err"
			return 1
		}
	done <<-END
		10.244.0.5 the address of Pod p/web
		10.244.1.5 the address of Pod p/far
		172.18.0.3 an address of Node n2
		10.96.0.10 a cluster IP of Service p/web
		203.0.113.7 an external IP of Service p/lb
		203.0.113.8 a load balancer IP of Service p/lb
	END
	[ -z "$(ip -4 -o addr show scope global)" ] || {
		address=$(ip -4 -o addr show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
		exits 2 load --dry-run -f "$dir/a.yaml" --hairpin-v4 "$address" && grep -q "an address of this machine" "$dir/err"
	}
}

# hairpin_warns ADDRESS TEXT: one warning, for that address
hairpin_warns() {
	grep "warning: hairpin address" "$dir/err" >"$dir/said"
	grep -q "^weir: warning: hairpin address $1 is $2: its traffic is dropped as reserved-address; " "$dir/said" || {
		cat "$dir/err"
		return 1
	}
	[ "$(wc -l <"$dir/said")" = 1 ]
}

# An endpoint, which each tenant can write, is a warning only. So is what an object has that comes
# after the first load: a load with the same options must not fail.
hairpin_addresses_in_use_are_warnings() {
	exits 5 load -f "$dir/users.yaml" --node n1 --hairpin-v4 198.18.0.1 || return
	hairpin_warns 198.18.0.1 "the address of an endpoint of EndpointSlice tenant/x-1" || return
	sed 's/10.244.1.5/198.18.0.1/g; /^# tenant/,$d' "$dir/users.yaml" >"$dir/moved.yaml"
	exits 5 load -f "$dir/moved.yaml" --node n1 --hairpin-v4 198.18.0.1 &&
		hairpin_warns 198.18.0.1 "the address of Pod p/far" &&
		exits 5 load -f "$dir/moved.yaml" --node n1 && hairpin_warns 198.18.0.1 "the address of Pod p/far" &&
		exits 5 load --dry-run -f "$dir/moved.yaml" --node n1 && hairpin_warns 198.18.0.1 "the address of Pod p/far" &&
		exits 0 uninstall || return
	sed 's/203.0.113.8/169.254.77.101/' "$dir/users.yaml" >"$dir/moved.yaml"
	exits 1 load --dry-run -f "$dir/moved.yaml" --node n1 &&
		hairpin_warns 169.254.77.101 "a load balancer IP of Service p/lb" &&
		exits 1 load --dry-run -f "$dir/users.yaml" --node n1 && ! grep "hairpin address" "$dir/err"
}

hairpin_warnings_are_few() {
	local i
	cp "$dir/a.yaml" "$dir/many.yaml"
	for i in 1 2 3 4 5 6 7; do
		printf -- '---\napiVersion: v1\nkind: Node\nmetadata: {name: m%s}\n' $i
		echo 'status: {addresses: [{type: ExternalIP, address: 169.254.77.101}]}'
	done >>"$dir/many.yaml"
	exits 1 load --dry-run -f "$dir/many.yaml" --node n1 && [ "$(grep -c "hairpin address" "$dir/err")" = 5 ]
}

nothing_is_left() {
	[ ! -e "/sys/fs/bpf/weir-$NAME" ] && [ ! -e "/run/weir-$NAME" ]
}

off_shows() {
	exits 0 enforce off && shows "OFF" 5 status
}

# --echo is part of each load, like the manifests.
echo_switches() {
	exits 5 load --echo always -f "$dir/a.yaml" && shows "echo          always passes" 5 status || return 1
	exits 5 load --dry-run --echo always -f "$dir/a.yaml" && exits 1 load --dry-run -f "$dir/a.yaml" || return 1
	exits 5 load -f "$dir/a.yaml" && json 'd["echo"] == "policy"' 5 status -o json
}

load_leaves_it_off() {
	exits 5 load -f "$dir/a.yaml" && shows "OFF" 5 status
}

on_again() {
	exits 0 enforce on && json 'd["enforcement"] == "on"' 5 status -o json
}

# One policy allows a port, the other everything: together they allow everything.
all_ports_are_allow() {
	local default='[i["default"] for i in d["items"]]'
	json "$default == ['ports']" 0 get policies -o json || return 1
	exits 5 load -f "$dir/c.yaml" && json "$default == ['allow']" 0 get policies -o json
}

# As on a kernel that refuses bpf_timer: the object is missing and cannot be loaded.
gc_is_missing() {
	local progs=/sys/fs/bpf/weir-$NAME/progs gc
	gc=$(echo "$progs"/gc-*)
	rm "$gc"/gc_*
	shows "gc            not running" 5 status && json 'd["gcRunning"] == False' 5 status -o json || return 1
	mkdir "$gc/in-the-way" && exits 5 load -f "$dir/b.yaml" && grep -q "warning: gc is not running" "$dir/err" ||
		return 1
	rmdir "$gc/in-the-way" && exits 5 load -f "$dir/b.yaml" || return 1
	! grep -q "gc is not running" "$dir/err" && json 'd["gcRunning"] == True' 5 status -o json && shows " rounds" 5 status
}

queues_are_not_counted() {
	json '{i["map"]: i["entries"] for i in d["items"]}.items() >= {"closing_keys": None, "gc_slots": 0}.items()' \
		0 get maps -o json &&
		json 'd["maps"]["closing_keys"]["entries"] is None' 5 status -o json &&
		exits 0 get maps && grep -q "^closing_keys  *QUEUE  *-  " "$dir/out"
}

uninstall_removes() {
	exits 0 uninstall && nothing_is_left && grep -qx "weir: removed instance $NAME (hooks, maps, files in /run/weir-$NAME)" "$dir/err"
}

rebuild_after_off() {
	exits 0 enforce off && rebuild_changes_what_is_fixed
}

kept_after_a_load() {
	exits 5 load -f "$dir/a.yaml" && uninstall_keeps_records
}

uninstall_of_nothing() {
	exits 0 uninstall && grep -qx "weir: nothing was loaded as instance $NAME" "$dir/err"
}

nothing_is_loaded() {
	exits 3 "$@" && grep -q "nothing is loaded as instance $NAME (/sys/fs/bpf/weir-$NAME): run 'weir load .* --name $NAME'" "$dir/err"
}

# The pod of the manifests has no attachment record. -q does not silence errors.
unattached_pods_are_an_error() {
	shows "frontends" 5 load -q -f "$dir/a.yaml" &&
		grep -qx "weir: error: pod p/web is not attached: it has no attachment record" "$dir/err" &&
		grep -q "1 of 1 planned pod of this node is not attached: .* in /run/weir-$NAME/pods " "$dir/err" || return
	exits 5 status && head -1 "$dir/out" | grep -q "^error  *pod p/web is not attached: it has no attachment record$" &&
		json '[(i["kind"], i["pod"]) for i in d["faults"]] == [("unattached", "p/web")]' 5 status -o json &&
		json '[(i["code"], i["severity"]) for i in d["items"] if i["code"] > "N012"] == [("N013", "error")]' 1 doctor -o json &&
		json 'd["writes"] == 0 and d["faults"][0]["pod"] == "p/web"' 5 load -f "$dir/a.yaml" -o json
}

# pod NAME FIELDS STATUS-FIELDS: a pod of node n1
pod() {
	cat <<-END
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, namespace: p, uid: new${4:-}}
		spec: {nodeName: n1, $2containers: [{name: c, image: i}]}
		status: {$3}
	END
}

# Whose traffic cannot pass, or does not pass Weir by design.
pods_that_cannot_be_attached_are_no_error() {
	{
		printf 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n'
		pod host "hostNetwork: true, " "phase: Running, podIP: 172.18.0.2, podIPs: [{ip: 172.18.0.2}]"
		pod ended "" "phase: Succeeded, podIP: 10.244.0.7, podIPs: [{ip: 10.244.0.7}]"
		pod failed "" "phase: Failed, podIP: 10.244.0.8, podIPs: [{ip: 10.244.0.8}]"
		pod pending "" "phase: Pending"
		pod going "" "phase: Running, podIP: 10.244.0.9, podIPs: [{ip: 10.244.0.9}]" ", deletionTimestamp: \"2026-01-01T00:00:00Z\""
		pod far "" "phase: Running, podIP: 10.244.1.9, podIPs: [{ip: 10.244.1.9}]" | sed 's/nodeName: n1/nodeName: n2/'
		pod gone "" "phase: Running, podIP: 10.244.0.10, podIPs: [{ip: 10.244.0.10}]"
	} >"$dir/cannot.yaml"
	record gone new 2147483646
	exits 0 load -f "$dir/cannot.yaml" --node n1 && grep -q "warning: 1 attachment record in .* names a device" "$dir/err" &&
		exits 0 status && json '[i["code"] for i in d["items"] if i["code"] > "N012"] == []' 1 doctor -o json || return
	record gone old 2147483646
	exits 5 load -f "$dir/cannot.yaml" --node n1 && grep -q "p/gone is not attached: its attachment record is of an earlier pod" "$dir/err" &&
		rm "/run/weir-$NAME/pods/p_gone.json"
}

# record POD UID IFINDEX
record() {
	cat >"/run/weir-$NAME/pods/p_$1.json" <<-END
		{"apiVersion": "weir.dev/v1", "kind": "Attachment", "namespace": "p", "name": "$1", "uid": "$2", "netns": "",
		 "ifindex": $3, "mac": "02:00:00:00:00:01", "addresses": []}
	END
}

# It costs its own pod only: all else is loaded, and it is named.
a_bad_record_is_named() {
	echo '{"apiVersion":' >"/run/weir-$NAME/pods/p_web.json"
	shows "frontends" 5 load -f "$dir/b.yaml" &&
		grep -q "error: pod p/web has an attachment record that is not valid: /run/weir-$NAME/pods/p_web.json: not JSON" "$dir/err" &&
		exits 5 status && head -1 "$dir/out" | grep -q "p/web has an attachment record that is not valid" &&
		json '[i["code"] for i in d["items"] if i["code"] > "N012"] == ["N015"]' 1 doctor -o json || return
	rm "/run/weir-$NAME/pods/p_web.json"
	exits 5 load -f "$dir/a.yaml"
}

# Advice from before: `uninstall`, then `load`. The records are the CNI plugin's.
uninstall_keeps_records() {
	record web "" 2147483646
	exits 0 uninstall && grep -qx "weir: kept the attachment records in /run/weir-$NAME/pods: 1" "$dir/err" &&
		[ -e "/run/weir-$NAME/pods/p_web.json" ] && [ ! -e "/sys/fs/bpf/weir-$NAME" ] && [ ! -e "/run/weir-$NAME/lock" ] &&
		rm -r "/run/weir-$NAME"
}

rebuild_changes_what_is_fixed() {
	exits 5 load --rebuild -f "$dir/a.yaml" --scale-flows 50 --hairpin-v4 198.18.0.9 &&
		grep -q "connections are not carried over" "$dir/err" &&
		json 'd["maps"]["conntrack"]["capacity"] == 131072 and d["hairpin"][0] == "198.18.0.9" and
		d["maps"]["frontends"]["capacity"] == 65536 and d["enforcement"] == "off"' 5 status -o json &&
		exits 5 load --rebuild -f "$dir/a.yaml" --scale-tables 50 &&
		json 'd["maps"]["conntrack"]["capacity"] == 131072 and d["hairpin"][0] == "198.18.0.9" and
		d["maps"]["frontends"]["capacity"] == 32768' 5 status -o json && exits 0 enforce on &&
		exits 2 load --rebuild --dry-run -f "$dir/a.yaml"
}

# Without them no policy would let this node pass.
addresses_that_cannot_be_read_fail_a_load() {
	echo 'int getifaddrs(void **a) { __builtin_memset(a, 0, sizeof *a); return -1; }' |
		"${CC:-cc}" -shared -fPIC -x c - -o "$dir/fail.so" || return
	LD_PRELOAD=$dir/fail.so exits 6 load -f "$dir/a.yaml" --node n1 &&
		grep -q "^weir: read the addresses of this machine: " "$dir/err"
}

# The attach namespace of a sandbox is its own: seen from here, all its devices would be gone.
load_from_outside_is_refused() {
	exits 0 sandbox up -f "$dir/a.yaml" || return 1
	exits 3 load -f "$dir/a.yaml" --node n1 && grep -q "instance $NAME is attached in .* nsenter --net=/run/netns/weir-${NAME}_node" "$dir/err" &&
		exits 3 load --dry-run -f "$dir/a.yaml" --node n1 &&
		json 'd["devices"] == 1 and d["generation"] == 1 and d["faults"] == []' 0 status -o json &&
		exits 0 enforce off && exits 0 get pods && exits 0 sandbox up -f "$dir/b.yaml"
}

# Loaded in a network namespace that ends with the command, where the pod's device is lo.
sandbox_leaves_others_alone() {
	exits 5 load -f "$dir/a.yaml" --node n1 || return 1
	cat >"/run/weir-$NAME/pods/p_web.json" <<-END
		{"apiVersion": "weir.dev/v1", "kind": "Attachment", "namespace": "p", "name": "web", "uid": "", "netns": "",
		 "ifindex": 1, "mac": "02:00:00:00:00:01", "addresses": ["10.244.0.5"]}
	END
	unshare -n "$W" load --cgroup none -q -f "$dir/a.yaml" --node n1 --name "$NAME" || return 1
	exits 3 load -f "$dir/a.yaml" --node n1 && grep -q "has no name" "$dir/err" && exits 5 sandbox up -f "$dir/a.yaml" &&
		grep -q "pods of this machine" "$dir/err" && exits 0 status && exits 0 uninstall
}

sandbox_down() {
	exits 0 sandbox down && nothing_is_left && grep -q "weir: removed sandbox $NAME (1 pod, " "$dir/err" &&
		exits 0 sandbox down && grep -qx "weir: there was no sandbox $NAME" "$dir/err"
}

cluster 80 >"$dir/a.yaml"
cluster 8080 >"$dir/b.yaml"
{
	cluster 8080
	cat <<END
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: z, namespace: p}
spec: {podSelector: {}, ingress: [{}]}
END
} >"$dir/c.yaml"
{
	cluster 80
	cat <<END
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 172.18.0.3}]}
---
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: p}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.244.1.5, podIPs: [{ip: 10.244.1.5}]}
---
apiVersion: v1
kind: Service
metadata: {name: lb, namespace: p}
spec: {type: LoadBalancer, clusterIP: 10.96.0.9, externalIPs: [203.0.113.7], ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.8}]}}
---
# tenant
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: x-1, namespace: tenant, labels: {kubernetes.io/service-name: x}}
addressType: IPv4
ports: [{port: 80, name: ""}]
endpoints: [{addresses: [198.18.0.1]}]
END
} >"$dir/users.yaml"

check "status without an instance is status 3, and says what to run" nothing_is_loaded status
check "get without an instance is status 3" exits 3 get pods
check "enforce without an instance is status 3" exits 3 enforce on
check "enforce takes on and off only" exits 2 enforce maybe
check "an unknown noun of get is a usage error" exits 2 get nonsense
check "an instance's name is 1 to 32 letters, digits, - and _" bad_names
check "a dry run prints what would change, with status 1" shows "nothing was written" 1 load --dry-run -f "$dir/a.yaml"
check "a dry run creates nothing" nothing_is_left
check "svc-84: a first load refuses hairpin addresses that an object or the machine has" \
	hairpin_addresses_in_use_are_refused_first
check "svc-84: later, and for endpoints, they are warnings" hairpin_addresses_in_use_are_warnings
check "svc-84: at most 5 of them" hairpin_warnings_are_few
check "invalid objects load nothing" exits 4 load -f /dev/null/none
check "load lists what it wrote, table by table; planned pods without a record are errors" unattached_pods_are_an_error
check "a load of an empty folder is refused and changes nothing" an_empty_load_is_refused
check "a load for a node that no object names is refused and changes nothing" an_unknown_node_is_refused
check "a second load has nothing to do" shows "nothing to do" 5 load -f "$dir/a.yaml"
check "a dry run without a difference shows pods that are not attached" exits 5 load --dry-run -f "$dir/a.yaml"
check "a small change writes few tables" \
	json '{t["table"] for t in d["tables"]} <= {"frontends", "services", "backend_slots", "backends", "names"} and d["writes"] > 0' \
	5 load -f "$dir/b.yaml" -o json
check "status shows generation, maps and programs" \
	json 'd["generation"] == 2 and d["enforcement"] == "on" and "from_pod" in d["programs"] and
	d["maps"]["frontends"]["entries"] == 2 and "egress-denied" in d["drops"]' 5 status -o json
check "status is one screen" shows "enforcement   on" 5 status
check "status shows enforce off" off_shows
check "a load leaves enforcement as it is" load_leaves_it_off
check "enforce on again" on_again
check "np-38: load switches echo, status shows it" echo_switches
check "get answers for every noun" every_noun_answers_in_every_form
check "frontends are shown with their Service" \
	json '[(i["service"], i["frontend"], i["backends"]) for i in d["items"]] == [("p/web/TCP", "10.96.0.10:80/TCP", 1)]' \
	0 get services -o json
check "rules are shown with file and line" shows "a.yaml:" 0 get rules
check "policies that allow everything are shown as allow" all_ports_are_allow
check "sizes other than the loaded ones are refused, not ignored" sizes_are_refused
check "svc-84: hairpin addresses other than the loaded ones are refused" hairpin_addresses_are_refused
check "without the plan file get shows ids and says so" names_come_from_the_plan_file
check "a plan file that is a FIFO, or nested deeply, counts as missing" a_plan_file_that_is_none_is_missing
check "load and status report gc that is not running" gc_is_missing
check "an entry count that is unknown is not shown as 0" queues_are_not_counted
check "load --rebuild changes sizes and addresses, and leaves the rest" rebuild_after_off
check "a record that is not valid is named, and costs its own pod only" a_bad_record_is_named
check "pods that cannot be attached are no error" pods_that_cannot_be_attached_are_no_error
check "a load fails if the node's addresses cannot be read" addresses_that_cannot_be_read_fail_a_load
check "uninstall removes everything" uninstall_removes
check "uninstall without an instance succeeds" uninstall_of_nothing
check "uninstall keeps attachment records" kept_after_a_load
check "a load from another network namespace is refused" load_from_outside_is_refused
check "sandbox down works from another network namespace" sandbox_down
check "a sandbox does not replace an instance that is loaded under its name" sandbox_leaves_others_alone

finish
