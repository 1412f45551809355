#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# weir observe and hit counts, with real packets between the pods of a sandbox: names of pods,
# Services and policies, filters, a second reader, counts of lost events.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance obs

cat >"$dir/pods.yaml" <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: p, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: friend, namespace: p, labels: {app: friend}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: q}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: p}
spec: {clusterIP: 10.96.7.1, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: p}
spec: {clusterIP: 10.96.7.2, selector: {app: nobody}, ports: [{port: 80}]}
END
cat >"$dir/policy.yaml" <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-from-friend, namespace: p}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: nobody}}}]
  - from: [{podSelector: {matchLabels: {app: friend}}}]
    ports: [{port: 8080}]
END
cat >"$dir/later.yaml" <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: later, namespace: q}
spec: {podSelector: {}, policyTypes: [Egress]}
END

# address POD FAMILY: ipv4 or ipv6
address() {
	"$W" get pods -o json --name "$NAME" | python3 -c 'import json,sys
print([i for i in json.load(sys.stdin)["items"] if i["pod"] == sys.argv[1]][0][sys.argv[2]])' "$@"
}

# datagrams POD ADDRESS PORT [N]
datagrams() {
	"$W" sandbox exec "$1" --name "$NAME" -- python3 -c 'import socket,sys
to, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(n):
    try:
        s.sendto(b"x", (to, port))
    except OSError:
        pass' "$2" "$3" "${4:-1}" 2>/dev/null
}

# connect POD ADDRESS PORT
connect() {
	"$W" sandbox exec "$1" --name "$NAME" -- timeout 2 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null
}

# observe ARGUMENT...: in the background, with stdout in $dir/seen and stderr in $dir/said. It ends
# with the sandbox at the latest.
observe() {
	"$W" observe "$@" --name "$NAME" >"$dir/seen" 2>"$dir/said" </dev/null &
	pid=$!
}

# reads PID: waits until that observer reads the event ring
reads() {
	for _ in $(seq 100); do
		grep -qsx "$1" "/run/weir-$NAME/observe.lock" && return
		sleep 0.1
	done
	echo "no observer reads the ring"
	return 1
}

# ends STATUS COMMAND...: repeats the command until the observer ends, with that status
ends() {
	local want=$1 got
	shift
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || break
		"$@"
		sleep 0.1
	done
	kill -INT "$pid" 2>/dev/null
	wait "$pid"
	got=$?
	pid=
	[ $got = "$want" ] && return
	echo "observe: status $got, expected $want"
	cat "$dir/seen" "$dir/said"
	return 1
}

# seen PYTHON: the expression holds for r, the list of records of -o jsonl
seen() {
	python3 -c 'import json,sys
r = [json.loads(line) for line in open(sys.argv[1])]
sys.exit(0 if eval("(" + sys.argv[2] + ")") else "not so: %s\n%s" % (sys.argv[2], r))' "$dir/seen" "$1"
}

# says TEXT: the observer printed it
says() {
	grep -qF -- "$1" "$dir/seen" || {
		echo "no '$1' in:"
		cat "$dir/seen"
		return 1
	}
}

denied_by_name() {
	observe -n 1 --timeout 60 --verdict deny -o jsonl --to p/web:9
	ends 0 datagrams q/stranger "$1" 9 || return
	seen 'len(r) == 1 and r[0]["apiVersion"] == "weir.dev/v1" and r[0]["kind"] == "Event" and
		r[0]["from"]["name"] == "q/stranger" and r[0]["to"]["name"] == "p/web" and r[0]["to"]["port"] == 9 and
		r[0]["protocol"] == "UDP" and r[0]["verdict"] == "deny" and r[0]["enforced"] and
		r[0]["reason"] == "ingress-denied" and r[0]["direction"] == "ingress" and
		r[0]["ingress"]["policies"] == ["p/web-from-friend"] and r[0]["ingress"]["policy"] is None and
		r[0]["pod"] == "q/stranger" and r[0]["family"] == "'"$2"'" and r[0]["bytes"] > 0'
}

denied_in_a_line() {
	observe -n 1 --timeout 60 --policy p/web-from-friend
	ends 0 datagrams q/stranger "$web4" 9 || return
	grep -qE '^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} DENIED +q/stranger:[0-9]+ (→|->) p/web:9 UDP  ingress default deny \(p/web-from-friend\)$' \
		"$dir/seen" || says "a line of a denial"
}

translated_by_name() {
	observe -n 1 --timeout 60 --verdict allow -o jsonl --pod p/friend
	ends 0 connect p/friend 10.96.7.1 80 || return
	seen 'r[0]["from"]["name"] == "p/friend" and r[0]["to"]["name"] == "p/web" and r[0]["to"]["kind"] == "service" and
		r[0]["backend"]["name"] == "p/web" and r[0]["backend"]["port"] == 8080 and
		r[0]["service"] == "p/web:http/TCP" and r[0]["verdict"] == "allow" and
		r[0]["ingress"]["policy"] == "p/web-from-friend" and r[0]["ingress"]["rule"] == 1 and
		"policy.yaml:8" in r[0]["ingress"]["src"]' || return
	observe -n 1 --timeout 60 --to svc/p/web:80/TCP
	ends 0 connect p/friend 10.96.7.1 80 && says " p/web:8080 TCP  p/web-from-friend ingress[1] ("
}

# An allowed connection that no Service translates makes no event.
open_connections_are_silent() {
	observe --timeout 60 -o jsonl --from p/friend
	reads "$pid" || return
	sleep 0.3
	for _ in 1 2 3; do
		"$W" sandbox exec p/friend --name "$NAME" -- timeout 10 bash -c \
			"exec 3<>/dev/tcp/$web4/8080 && for i in 1 2 3 4 5; do echo x >&3 || exit; done" || return
	done
	sleep 0.3
	kill -INT "$pid"
	ends 0 true && seen 'r == []'
}

drops_have_reasons() {
	observe -n 1 --timeout 60 --verdict drop --reason no-endpoint -o jsonl --to svc/p/empty
	ends 0 connect q/stranger 10.96.7.2 80 &&
		seen 'r[0]["verdict"] in ("drop", "reject") and r[0]["reason"] == "no-endpoint" and r[0]["to"]["name"] == "p/empty" and
			r[0]["service"] == "p/empty/TCP" and r[0]["backend"] is None and r[0]["ingress"] is None'
}

other_packets_do_not_match() {
	observe -n 1 --timeout 2 --from p/friend --verdict deny
	ends 5 datagrams q/stranger "$web4" 9 || return
	[ ! -s "$dir/seen" ] && grep -qx "weir: timeout after 2 s with 0 of 1 events" "$dir/said"
}

# Stopped until after its timeout: it must read what came before, and count it.
the_last_event_counts() {
	observe -n 1 --timeout 2 --verdict deny --to p/web:9
	reads "$pid" || return
	kill -STOP "$pid"
	datagrams q/stranger "$web4" 9
	sleep 2.5
	kill -CONT "$pid"
	ends 0 true && says " p/web:9 " && ! grep timeout "$dir/said"
}

# usage OPTION VALUE TEXT: the value is refused with that text
usage() {
	exits 2 observe "$1" "$2" --timeout 1 || return
	grep -q -- "$3" "$dir/err" || {
		cat "$dir/err"
		return 1
	}
}

one_reader_at_a_time() {
	local first
	observe --timeout 60
	first=$pid
	reads "$first"
	exits 5 observe --timeout 1 && grep -q "another observer.*process $first" "$dir/err" || return
	kill -KILL "$first"
	wait "$first" 2>/dev/null
	pid=
	denied_in_a_line
}

a_document_is_whole() {
	observe -n 2 --timeout 60 -o json --verdict deny
	ends 0 datagrams q/stranger "$web4" 9 || return
	python3 -c 'import json,sys
d = json.load(open(sys.argv[1]))
assert d["apiVersion"] == "weir.dev/v1" and d["kind"] == "EventList" and [i["kind"] for i in d["items"]] == ["Event"] * 2, d' \
		"$dir/seen"
}

# Each of 3000 datagrams is shown or counted as lost.
losses_are_counted() {
	observe -n 100000 --timeout 120 -o jsonl --verdict deny --from q/stranger
	for _ in $(seq 100); do
		[ -s "$dir/seen" ] && break
		datagrams q/stranger "$web4" 8
		sleep 0.1
	done
	datagrams q/stranger "$web4" 9 3000
	sleep 1
	kill -INT "$pid"
	ends 0 true || return
	seen 'sum(1 for i in r if i["kind"] == "Event" and i["to"]["port"] == 9) +
		sum(i["overBudget"] + i["lost"] for i in r if i["kind"] == "EventLoss") == 3000 and
		all(i["reason"] == "ingress-denied" for i in r if i["kind"] == "EventLoss") and
		any(i["kind"] == "EventLoss" for i in r)' &&
		grep -q "ingress-denied: .* more events, over the rate limit of 64" "$dir/said"
}

enforcement_off_is_shown() {
	exits 0 enforce off || return
	observe -n 1 --timeout 60 -o jsonl --verdict deny
	ends 0 datagrams q/stranger "$web4" 9 &&
		seen 'r[0]["verdict"] == "deny" and not r[0]["enforced"] and r[0]["reason"] == "not-enforced" and
			r[0]["ingress"]["policies"] == ["p/web-from-friend"]' && exits 0 enforce on
}

# The observer began before the load: names must come from the new generation.
a_new_policy_is_named() {
	observe -n 1 --timeout 60 -o jsonl --verdict deny --policy q/later
	reads "$pid"
	exits 0 sandbox up -q -f "$dir/pods.yaml" -f "$dir/policy.yaml" -f "$dir/later.yaml" &&
		ends 0 datagrams q/stranger "$web4" 9 &&
		seen 'r[0]["egress"]["policies"] == ["q/later"] and r[0]["direction"] == "egress" and
			r[0]["from"]["address"] == "'"$stranger4"'"'
}

hits_are_shown() {
	connect p/friend 10.96.7.1 80
	json 'any(i["rule"] == "p/web-from-friend ingress[1]" and i["hits"] > 0 and i["idleSeconds"] < 300 for i in d["items"]) and
		any(i["rule"] == "p/web-from-friend ingress[0]" and i["hits"] == 0 and i["idleSeconds"] is None for i in d["items"])' \
		0 get rules -o json && shows " HITS " 0 get rules &&
		json 'any(i["policies"] == "p/web-from-friend" and i["denied"] > 1000 for i in d["items"])' 0 get policies -o json
}

removed_meanwhile() {
	observe --timeout 60
	reads "$pid"
	exits 0 sandbox down -q && ends 3 sleep 0.1 && grep -q "was removed" "$dir/said"
}

check "observe without an instance is status 3" exits 3 observe --timeout 1
check "a reason that no event has is refused" exits 2 observe --reason nonsense
check "a pod without its namespace is a usage error" exits 2 observe --pod web
check "addresses of two families are refused" exits 2 observe --from 10.0.0.1 --to fd00::1
check "errors name the option: --to" usage --to a/b:99999 "observe: --to: port 99999 is not within 1-65535"
check "a port has its own option" usage --pod a/b:80 "observe: --pod 'a/b:80' has a port: give the port with --port"
check "a policy without its namespace is a usage error" exits 2 observe --policy later
check "the sandbox is up" exits 0 sandbox up -q -f "$dir/pods.yaml" -f "$dir/policy.yaml"
web4=$(address p/web ipv4) web6=$(address p/web ipv6) stranger4=$(address q/stranger ipv4)
check "a denial names pods and policies, IPv4" denied_by_name "$web4" IPv4
check "a denial names pods and policies, IPv6" denied_by_name "$web6" IPv6
check "a denial is one line of text" denied_in_a_line
check "a translation names Service, backend and rule (NP-46)" translated_by_name
check "packets of an allowed connection make no events" open_connections_are_silent
check "a drop shows its reason" drops_have_reasons
check "events that do not match are not shown, and the timeout is status 5" other_packets_do_not_match
check "an event that came before the timeout counts" the_last_event_counts
check "one reader at a time, and a killed reader blocks no other" one_reader_at_a_time
check "-o json is one document" a_document_is_whole
check "events that are not shown are counted" losses_are_counted
check "a denial that is not enforced is shown as that" enforcement_off_is_shown
check "a policy that is loaded meanwhile is named" a_new_policy_is_named
check "rules and policies have hit counts" hits_are_shown
check "removing the instance ends the observer" removed_meanwhile

finish
