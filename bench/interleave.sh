#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Runs bench_prog of two build trees in turn, and prints for each row the median of the ratios after/before within
# a round. The order changes each round. For an idle machine; needs root.
#   interleave.sh BEFORE AFTER [ROUNDS]     20 rounds, about a minute each
# Build both trees first: make -j2 all build/bench/bench_prog. The same tree twice shows the noise of the method.
# OUT=DIR keeps the CSV files, and continues an interrupted run. BENCH_LOADS: loads of the programs in one run (1).
set -u
[ $# -ge 2 ] || { sed -n '3,7s/^# *//p' "$0" >&2; exit 2; }
before=$1 after=$2 rounds=${3:-20}
out=${OUT:-$(mktemp -d)}
export BENCH_LOADS=${BENCH_LOADS:-1}
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 1; }
for tree in "$before" "$after"; do
	[ -x "$tree/build/bench/bench_prog" ] || { echo "$tree: no build/bench/bench_prog" >&2; exit 1; }
	echo "$tree: $(git -C "$tree" log -1 --format='%h %s')"
done
echo "load: $(cut -d' ' -f1-3 /proc/loadavg); CSV in $out"

run() { # SIDE TREE ROUND
	local dir=$out/$3.$1
	[ -e "$dir/done" ] && return
	mkdir -p "$dir" && rm -f "$dir"/*.csv
	BENCH_OUT=$dir "$2/build/bench/bench_prog" >"$dir/log" 2>&1 || {
		echo "round $3, $1 ($2) failed:" >&2
		tail -n 5 "$dir/log" >&2
		exit 1
	}
	touch "$dir/done"
}

for ((i = 1; i <= rounds; i++)); do
	if ((i % 2)); then
		run before "$before" $i && run after "$after" $i
	else
		run after "$after" $i && run before "$before" $i
	fi
	printf '\rround %d of %d  load %s ' "$i" "$rounds" "$(cut -d' ' -f1 /proc/loadavg)" >&2
done
echo >&2

python3 - "$out" "$rounds" <<'PY'
import csv, statistics as st, sys
out, rounds = sys.argv[1], int(sys.argv[2])
def read(i, side):
    with open(f"{out}/{i}.{side}/prog.csv") as f:
        return {(r["work"], r["variant"], r["size"].split(";")[0] + (" large" if "150000" in r["size"] else "")):
                float(r["median"]) for r in csv.DictReader(f)}
pairs = [(read(i, "before"), read(i, "after")) for i in range(1, rounds + 1)]
keys = [k for k in pairs[0][0]]
for side, other in ((0, 1), (1, 0)):
    for k in {k for p in pairs for k in p[side]} - {k for p in pairs for k in p[other]}:
        print("only", ("before:", "after:")[side], ", ".join(k))
print(f"{'ROW':62} {'BEFORE':>8} {'AFTER':>8} {'RATIO':>7} {'QUARTILES':>15} {'ROUNDS > 1':>10}")
logs = []
for k in keys:
    both = [(b[k], a[k]) for b, a in pairs if k in b and k in a]
    if not both:
        continue
    ratio = sorted(a / b for b, a in both if b)
    q = st.quantiles(ratio, n=4, method="inclusive") if len(ratio) > 1 else ratio * 3
    if k[0].startswith("established"):
        logs.append(st.median(ratio))
    print(f"{', '.join(k):62} {st.median(b for b, _ in both):8.4g} {st.median(a for _, a in both):8.4g} "
          f"{st.median(ratio):7.3f} {q[0]:7.3f}-{q[2]:7.3f} {sum(r > 1 for r in ratio):5}/{len(ratio)}")
if logs:
    print(f"geometric mean of the ratios of the established rows: {st.geometric_mean(logs):.3f}")
PY
