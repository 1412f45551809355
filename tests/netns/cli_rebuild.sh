#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Upgrades of a node whose pods are attached, with real connections: an isolated pod is never
# reachable for a stranger while `load --rebuild` replaces tables and programs, and allowed
# connections begin all the time; `uninstall`, then `load`, attaches all pods again.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance rebuild

in_node() {
	nsenter --net="/run/netns/weir-${NAME}_node" "$@"
}

# loads STATUS OPTION...: as exits, in the attach namespace
loads() {
	local W=$dir/in_node
	exits "$@"
}

{
	cat <<END
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}
END
	pod web web 10.244.0.5
	pod friend friend 10.244.0.6
	pod stranger stranger 10.244.0.7
	cat <<END
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: p}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: p}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}]}
END
} >"$dir/a.yaml"
printf '#!/bin/sh\nexec nsenter --net=/run/netns/weir-%s_node "%s" "$@"\n' "$NAME" "$W" >"$dir/in_node"
chmod +x "$dir/in_node"

# Connects again and again until the file "stop" is there; prints "connections failures".
cat >"$dir/client.py" <<'END'
import os, socket, sys
host, stop, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
done = failed = 0
while not os.path.exists(stop):
    try:
        socket.create_connection((host, 80), timeout=limit).close()
        done += 1
    except OSError:
        failed += 1
print(done, failed)
END

# client POD ADDRESS NAME TIME-LIMIT: in the background; its result goes to $dir/NAME
client() {
	"$W" sandbox exec --name "$NAME" "p/$1" -- python3 "$dir/client.py" "$2" "$dir/stop" "$4" >"$dir/$3" 2>&1 &
}

# during COMMAND...: a friend and a stranger connect meanwhile
during() {
	local status opened failed
	rm -f "$dir/stop"
	# a connection that begins in the moment of the exchange waits for its SYN to be sent again
	client friend 10.244.0.5 friend 10
	client friend 10.96.0.10 service 10
	client stranger 10.244.0.5 stranger 0.5
	client stranger 10.96.0.10 both 0.5
	sleep 2
	"$@"
	status=$?
	sleep 2
	touch "$dir/stop"
	wait
	for name in friend service stranger both; do
		read -r opened failed <"$dir/$name"
		echo "$name: $opened connections, $failed failures"
		case $name in
		friend | service) [ "$opened" -gt 20 ] && [ "$failed" = 0 ] || status=1 ;;
		*) [ "$opened" = 0 ] && [ "$failed" -gt 0 ] || status=1 ;;
		esac
	done
	return $status
}

rebuild_thrice() {
	loads 0 load --rebuild -q -f "$dir/a.yaml" --node n1 --scale-tables 50 &&
		loads 0 load --rebuild -q -f "$dir/a.yaml" --node n1 --attach clsact &&
		loads 0 load --rebuild -q -f "$dir/a.yaml" --node n1 --scale-tables 100 --attach clsact
}

sizes_are_new() {
	json 'd["maps"]["frontends"]["capacity"] == 65536 and d["devices"] == 3 and d["faults"] == [] and d["generation"] == 4' \
		0 status -o json && codes_are ""
}

codes_are() {
	json "' '.join(sorted(i['code'] for i in d['items'])) == '$1'" "$([ -n "$1" ] && echo 1 || echo 0)" doctor -o json
}

# A connection that was open before is not closed by the rebuild: it goes on mid-stream.
open_connection_goes_on() {
	cat >"$dir/open.py" <<'END'
import os, socket, sys, time
s = socket.create_connection(("10.244.0.5", 80), timeout=5)
open(sys.argv[1], "w").close()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
s.settimeout(3)
s.sendall(b"x\n")
print("answer" if s.recv(100) else "closed")
END
	rm -f "$dir/open" "$dir/go"
	"$W" sandbox exec --name "$NAME" p/friend -- python3 "$dir/open.py" "$dir/open" "$dir/go" >"$dir/said" 2>&1 &
	while [ ! -e "$dir/open" ]; do sleep 0.05; done
	loads 0 load --rebuild -q -f "$dir/a.yaml" --node n1
	touch "$dir/go"
	wait
	cat "$dir/said"
	grep -q "^answer" "$dir/said"
}

# What was advised before: with the records kept it is safe but for the gap.
uninstall_then_load() {
	loads 0 uninstall && [ -e "/run/weir-$NAME/pods/p_web.json" ] && loads 0 load -q -f "$dir/a.yaml" --node n1 &&
		json 'd["devices"] == 3 and d["faults"] == []' 0 status -o json
}

# The CNI plugin's records are gone: nobody may believe that policies apply.
without_records() {
	mkdir "$dir/kept" && mv "/run/weir-$NAME"/pods/*.json "$dir/kept/" && loads 5 load -q -f "$dir/a.yaml" --node n1 &&
		grep -q "3 of 3 planned pods of this node are not attached" "$dir/err" && codes_are "N013 N013 N013" || return
	cp "$dir"/kept/*.json "/run/weir-$NAME/pods/" && loads 0 load -q -f "$dir/a.yaml" --node n1 && codes_are ""
}

# A record that a crash truncated: the pod keeps its policies in a rebuild.
rebuild_with_broken_record() {
	cp "/run/weir-$NAME/pods/p_web.json" "$dir/kept/" && echo '{broken' >"/run/weir-$NAME/pods/p_web.json" &&
		loads 5 load --rebuild -q -f "$dir/a.yaml" --node n1 &&
		grep -q "p/web has an attachment record that is not valid.*it stays attached" "$dir/err" &&
		json 'd["devices"] == 3' 5 status -o json
}

correct_record() {
	cp "$dir/kept/p_web.json" "/run/weir-$NAME/pods/" && loads 0 load -q -f "$dir/a.yaml" --node n1 && codes_are ""
}

nothing_is_left() {
	exits 0 sandbox down && [ ! -e "/run/weir-$NAME" ] && [ ! -e "/sys/fs/bpf/weir-$NAME" ]
}

exits 0 sandbox up -q -f "$dir/a.yaml" || exit 1
check "a stranger never reaches an isolated pod during rebuilds, and a friend always does" during rebuild_thrice
check "sizes are new, all pods are attached" sizes_are_new
check "an open connection goes on after a rebuild" open_connection_goes_on
check "uninstall, then load, attaches all pods again" uninstall_then_load
check "a stranger does not reach the pod, a friend does" during true
check "without records load ends with status 5, and doctor names each pod" without_records
check "a pod whose record is not valid stays isolated in a rebuild" during rebuild_with_broken_record
check "its corrected record is taken" correct_record
check "sandbox down removes the sandbox's records" nothing_is_left

finish
