#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Runs the measurements given as arguments (prog, control, live; default all) and prints one table: work, variant,
# median and spread, aim, met or not. CSV, raw values and the machine's facts go to $BENCH_OUT (build/bench/out).
# BENCH_SHORT=1: every row once, to test the measurements; the figures are meaningless then.
# Exit status 1: a measurement failed. An aim that is not met does not count as a failure.
set -u
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build}
BENCH_OUT=${BENCH_OUT:-$BUILD/bench/out}
WEIR_BIN=${WEIR_BIN:-$BUILD/weir}
SHORT=${BENCH_SHORT:-}
export BENCH_OUT WEIR_BIN
LIMIT_S=900

[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
mkdir -p "$BENCH_OUT" || exit 1

facts() {
	echo "time: $(date -u +%FT%TZ)"
	echo "weir: $("$WEIR_BIN" version | head -1)"
	echo "kernel: $(uname -sr)"
	echo "cpu: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) online"
	echo "governor: $(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null || echo unknown)"
	echo "load before: $(cut -d' ' -f1-3 /proc/loadavg)"
	echo "nftables: $(nft --version 2>/dev/null), iptables: $(iptables --version 2>/dev/null)"
	grep -H . /sys/devices/system/cpu/vulnerabilities/* 2>/dev/null | sed 's|.*/|mitigation: |'
}

run() {
	local name=$1
	shift
	rm -f "$BENCH_OUT/$name.csv" "$BENCH_OUT/$name.raw.csv"
	echo "bench: $name ..." >&2
	timeout "$LIMIT_S" "$BUILD/bench/bench_$name" "$@" >"$BENCH_OUT/$name.log" 2>&1 && return
	echo "bench: $name failed:" >&2
	tail -5 "$BENCH_OUT/$name.log" >&2
	failed=1
}

# Column MET: yes, NO, or empty without an aim.
table() {
	awk -F, 'FNR == 1 { next }
		function number(x) { return x == int(x) && x < 1e6 && x > -1e6 ? sprintf("%d", x) : sprintf("%.3g", x) }
		function met(value, aim) {
			split(aim, a, " ")
			return a[1] == "<=" ? (value <= a[2] ? "yes" : "NO") : a[1] == ">=" ? (value >= a[2] ? "yes" : "NO") : ""
		}
		FNR == 2 { printf "%-40s %-22s %10s %21s %-6s %-8s %s\n", "WORK", "BY", "MEDIAN", "SPREAD", "UNIT", "AIM", "MET" }
		$1 != last || $3 != size { printf "%s%s\n", $1, $3 == "" ? "" : "; " $3; last = $1; size = $3 }
		{ printf "%-40s %-22s %10s %21s %-6s %-8s %s\n", "", $2, number($4), number($5) " - " number($6), $7, $8, met($4, $8) }
	' "$@"
}

failed=0
[ -z "$SHORT" ] || export BENCH_LOADS=1
[ $# -gt 0 ] || set -- prog control live
facts >"$BENCH_OUT/machine.txt"
for part; do
	case $part in
	prog) run prog ;;
	control) run control ${SHORT:+1} ;;
	live) run live ${SHORT:+short} ;;
	*) echo "bench: there is no part '$part': prog, control, live" >&2; exit 2 ;;
	esac
done
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)" >>"$BENCH_OUT/machine.txt"
echo "nf_conntrack_max: $(cat /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null || echo "not loaded")" >>"$BENCH_OUT/machine.txt"
cat "$BENCH_OUT/machine.txt"
for part; do
	[ -s "$BENCH_OUT/$part.csv" ] && { echo; table "$BENCH_OUT/$part.csv"; }
done
exit $failed
