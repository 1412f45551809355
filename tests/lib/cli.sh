# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Words for the scripts that test the command; to be sourced. The script makes
# $dir, a folder of its own, and removes it. With $NAME set, every weir that is
# run here gets --name $NAME.
W=${WEIR_BIN:?the weir binary}
NAME=
dir=
n=0
bad=0

# check NAME COMMAND...: passes when the command succeeds; what it printed explains a failure.
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

# exits STATUS ARGUMENT...: the status of weir; its output is in $dir/out and $dir/err
exits() {
	local want=$1 got
	shift
	"$W" "$@" ${NAME:+--name "$NAME"} >"$dir/out" 2>"$dir/err" </dev/null
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

# The plan, and the exit status of the script.
finish() {
	echo "1..$n"
	[ "$bad" = 0 ]
}
