#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The benchmarks run, check that traffic takes the path that each row names, and print every row.
# No figure is judged.
set -u
cd "$(dirname "$0")/../.." || exit 1

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
n=0

check() { # TEXT COMMAND...
	local text=$1
	shift
	n=$((n + 1))
	if "$@"; then echo "ok $n - $text"; else echo "not ok $n - $text"; fi
}

has_rows() { # FILE COUNT OF WORK
	[ "$(grep -c "^$3," "$out/$1.csv")" = "$2" ]
}

raw_rounds() {
	for part in prog control live; do
		[ "$(wc -l <"$out/$part.raw.csv")" -ge "$(wc -l <"$out/$part.csv")" ] || return 1
	done
}

run_all() {
	BENCH_SHORT=1 BENCH_OUT=$out timeout 200 bench/run.sh prog control live >"$out/text" 2>"$out/errors" && return
	sed 's/^/# /' "$out/errors"
	return 1
}

every_median_is_a_number() {
	! awk -F, 'FNR > 1 && $4 !~ /^[0-9.e+-]+$/' "$out"/prog.csv "$out"/control.csv "$out"/live.csv | grep .
}

check "a short run of all benchmarks succeeds" run_all
check "CRR by ClusterIP: weir, nftables and iptables at two sizes, and the noise" has_rows live 7 "CRR by ClusterIP / plain"
check "CRR with policies: weir and ipset at three sizes" has_rows live 6 "CRR with policies / none"
check "RR on one connection: three ways" has_rows live 3 "RR on 1 connection / plain"
check "RR on 32 connections: three ways" has_rows live 3 "RR on 32 connections / plain"
check "new connections beside a flood: three ways, and the noise" has_rows live 4 "CRR by ClusterIP beside a flood / plain"
check "connections lost beside a flood: plain twice, and three ways" has_rows live 5 "failed or over 1 s beside a flood"
check "the limit of the kernel's connection table is written" grep -qE "^nf_conntrack_max: [0-9]+$" "$out/machine.txt"
check "one endpoint changes at three sizes" has_rows control 3 "one endpoint changes: event to live"
check "load, compile and memory" has_rows control 1 "load (kernel part)"
check "a large cluster is compiled" has_rows control 1 "compile for one node"
check "established flows through the programs" grep -q "^established" "$out/prog.csv"
check "every median is a number" every_median_is_a_number
check "the raw rounds are written too" raw_rounds
check "facts about the machine are written" grep -q "^kernel: Linux" "$out/machine.txt"
check "the table shows the targets" grep -q ">= 1.00" "$out/text"
echo "1..$n"
