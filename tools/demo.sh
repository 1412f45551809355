#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# `make demo`: the shop of policies/shop as network namespaces with real servers, every allowed and
# denied connection tried, requests to Services spread over their backends, and two changes under
# open connections; then two nodes, and requests from outside to their node ports.
#
# Everything happens in namespaces that the sandbox makes and that are removed at exit; the machine's
# own network is not touched.
set -u
cd "$(dirname "$0")/.." || exit 1

WEIR=${BUILD:-build}/weir
NAME=demo-$$
NODES=demo-nodes-$$ # the sandbox with two nodes
API=10.96.0.80 # clusterIPs of policies/shop/20-services.yaml
DNS=10.96.0.53

[ -x "$WEIR" ] || {
	echo "demo: $WEIR is not built: run make" >&2
	exit 1
}

if [ "$(id -u)" != 0 ]; then
	echo "demo: namespaces and BPF programs need root: running sudo" >&2
	exec sudo --preserve-env=BUILD,TERM,NO_COLOR,LANG,LC_ALL "$0" "$@"
fi

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

tmp=$(mktemp -d) || exit 1
client='' # pid of the client in the background, if any
began=$EPOCHREALTIME

stop_client() {
	[ -n "$client" ] || return 0
	kill "$client" 2>/dev/null
	wait "$client" 2>/dev/null
	client=''
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	local status=$?
	trap '' INT TERM # a second Ctrl-C must not interrupt it
	stop_client
	"$WEIR" sandbox down --name "$NAME" || status=1
	"$WEIR" sandbox down -q --name "$NODES" || status=1
	rm -rf "$tmp"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

seconds_since() {
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'
}

title() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

say() {
	printf '%s%s%s\n' "$dim" "$1" "$plain"
}

run() {
	printf '%s$ weir %s%s\n' "$dim" "${*//$tmp\//}" "$plain"
	"$WEIR" "$@" 2>&1
}

# Brings the sandbox to the manifests.
up() {
	run sandbox up -q --name "$NAME" -f "$tmp/shop" || exit 1
}

# For the background: exec, so that $! is the client and not a subshell.
in_frontend() {
	exec "$WEIR" sandbox exec --name "$NAME" shop/frontend -- "$@"
}

# One open connection, a line every 0.3 s: the pod that answers, or silence.
# shellcheck disable=SC2016 # the inner shell expands
tcp_client() {
	in_frontend bash -c '
		exec 3<>"/dev/tcp/$0/80" || exit 1
		while echo hello >&3; do
			if read -r -t 0.7 pod rest <&3; then
				printf "    frontend -> %s:80   %s answers\n" "$0" "$pod"
			else
				printf "    frontend -> %s:80   silence\n" "$0"
			fi
			sleep 0.3
		done' "$API"
}

# One socket, so one client port, for all datagrams.
# shellcheck disable=SC2016
udp_client() {
	in_frontend bash -c '
		exec 3<>"/dev/udp/$0/53" || exit 1
		while echo hello >&3; do
			answer=$(timeout 0.7 dd bs=512 count=1 <&3 2>/dev/null)
			answer=${answer%% *}
			printf "    frontend -> %s:53/udp   %s\n" "$0" "${answer:-silence}${answer:+ answers}"
			sleep 0.3
		done' "$DNS"
}

cp -r policies/shop "$tmp/shop" || exit 1

title "1. A cluster of network namespaces"
say "Eight pods of two namespaces, each a network namespace with its own servers, behind a node that routes."
run sandbox up --name "$NAME" -f "$tmp/shop" || exit 1

title "2. Every connection: the verdict of the policies, and what real traffic does"
started=$EPOCHREALTIME
run sandbox probe -q --name "$NAME" -f "$tmp/shop"
probed=$?
say "took $(seconds_since "$started"), most of it waiting for denied connections to time out"

title "3. A policy is edited while a connection is open"
tcp_client &
client=$!
sleep 1.2
diff -U2 "$tmp/shop/31-api-from-frontend.yaml" policies/shop-edits/31-api-from-frontend.yaml | sed -n '/^@@/,$ { /^@@/d; s/^/    /p }'
cp policies/shop-edits/31-api-from-frontend.yaml "$tmp/shop/"
started=$EPOCHREALTIME
up
say "edit loaded in $(seconds_since "$started"); it holds from the next packet of the open connection"
sleep 2.2
cp policies/shop/31-api-from-frontend.yaml "$tmp/shop/"
started=$EPOCHREALTIME
up
say "edit reverted in $(seconds_since "$started"); the same connection continues"
sleep 2.4
stop_client

title "4. A backend is removed while a client keeps its socket"
udp_client >"$tmp/udp" &
client=$!
sleep 1
backend=$(sed -n 's/.*ops\/\(dns-[12]\) answers.*/\1/p' "$tmp/udp" | tail -n 1)
cat "$tmp/udp"
seen=$(wc -l <"$tmp/udp")
rm -f "$tmp"/shop/1?-"${backend:-dns-1}".yaml
started=$EPOCHREALTIME
up
say "pod ops/${backend:-dns-1} removed in $(seconds_since "$started")"
sleep 1
stop_client
tail -n "+$((seen + 1))" "$tmp/udp"

# A request from outside; the server answers with its name, its port and the client that it sees.
# shellcheck disable=SC2016 # the inner shell expands
from_outside() { # ADDRESS PORT NODE
	local pod='' client=''
	read -r pod _ client _ < <("$WEIR" sandbox exec --name "$NODES" world -- timeout 1 bash -c '
		exec 3<>"/dev/tcp/$0/$1" && echo hello >&3 && head -n 1 <&3' "$1" "$2" 2>/dev/null)
	if [ -n "$pod" ]; then
		printf '    outside -> %s:%s of %s   %s answers; its client is %s\n' "$1" "$2" "$3" "$pod" "$client"
	else
		printf '    outside -> %s:%s of %s   silence\n' "$1" "$2" "$3"
	fi
}

title "5. Two nodes: requests from outside to node ports"
say "The server is on node n2. Port 30080 is answered by every node; 30081 keeps the client's address (externalTrafficPolicy: Local)."
run sandbox up -q --name "$NODES" -f policies/nodes || exit 1
from_outside 192.0.2.1 30080 n1
from_outside 192.0.2.2 30080 n2
from_outside 192.0.2.1 30081 n1
from_outside 192.0.2.2 30081 n2
say "n1 sends in its own name to n2, so that the answer comes back through it; without a server of its own it is silent at 30081"

title "Done in $(seconds_since "$began")"
say "Try it yourself: $WEIR sandbox up -f policies/shop; $WEIR sandbox exec shop/frontend -- curl -s http://$API/; $WEIR sandbox down"
exit $probed
