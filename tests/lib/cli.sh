# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Functions for the scripts that test the command; to be sourced. $dir is a folder of the script's
# own. With $NAME set, exits and its callers run weir with --name $NAME. At exit the
# folder and the instance are removed.
W=${WEIR_BIN:?the weir binary}
NAME=
dir=$(mktemp -d)
n=0
bad=0

remove() {
	if [ -n "$NAME" ]; then
		"$WEIR_BIN" sandbox down -q --name "$NAME"
		"$WEIR_BIN" uninstall -q --name "$NAME"
		rm -rf "/run/weir-$NAME" # records that the script wrote: uninstall leaves them
	fi >/dev/null 2>&1
	rm -rf "$dir"
}
trap remove EXIT

# instance PREFIX: the script has an instance of its own, $NAME; without root it is skipped. It begins
# again in a network namespace of its own: load would take the machine's devices for uplinks.
instance() {
	if [ "$(id -u)" != 0 ]; then
		echo "1..0 # SKIP needs root"
		exit 0
	fi
	if [ -z "${WEIR_CLI_NETNS:-}" ]; then
		rm -rf "$dir"
		trap - EXIT
		WEIR_CLI_NETNS=1 exec unshare -n "$0"
	fi
	NAME=$1$$
}

# pod NAME APP IPV4 [IPV6]: the document of a ready pod of namespace p on node n1, with port 80
pod() {
	cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: p, labels: {app: $2}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: $3, podIPs: [{ip: $3}${4:+, {ip: '$4'\}}], conditions: [{type: Ready, status: "True"}]}
END
}

# line PATTERN: a line of the last output matches
line() {
	grep -qE -- "$1" "$dir/out" || {
		echo "no line like '$1':"
		cat "$dir/out"
		return 1
	}
}

# check NAME COMMAND...: passes when the command succeeds; its output explains a failure.
check() {
	local name=$1 said
	shift
	n=$((n + 1))
	if said=$("$@" 2>&1); then
		echo "ok $n - $name"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

# exits STATUS ARGUMENT...: runs weir, which must end with that status; output in $dir/out, $dir/err.
# A load must not serve the processes of this machine: it gets --cgroup none, or the script's own.
exits() {
	local want=$1 got cgroup=()
	shift
	[ "${1:-}" = load ] && [[ " $* " != *" --cgroup "* ]] && cgroup=(--cgroup none)
	"$W" "$@" "${cgroup[@]}" ${NAME:+--name "$NAME"} >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got = "$want" ] && return
	echo "weir $*: status $got, expected $want"
	cat "$dir/out" "$dir/err"
	return 1
}

# shows TEXT STATUS ARGUMENT...: the text is on stdout
shows() {
	local text=$1
	shift
	exits "$@" || return
	grep -qF -- "$text" "$dir/out" || {
		echo "stdout lacks '$text':"
		cat "$dir/out"
		return 1
	}
}

# json PYTHON STATUS ARGUMENT...: stdout is JSON, d, and the expression holds
json() {
	local expression=$1
	shift
	exits "$@" || return
	python3 -c 'import json,sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if eval("(" + sys.argv[2] + ")") else "not so: %s\n%s" % (sys.argv[2], json.dumps(d)[:2000]))' "$dir/out" "$expression"
}

# Prints the plan; the exit status is the script's.
finish() {
	echo "1..$n"
	[ "$bad" = 0 ]
}
