#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# `make test`: builds everything, runs every layer that this machine can run, and adds up. Each test
# program prints TAP on stdout; here it becomes one line. The last line is always
# "N passed, N failed, N skipped".
#
# A skipped test does not count as passed. A program that crashes, hangs, ends with an error or
# prints no complete TAP counts as failed. Nothing is left behind on the machine, except a mount of
# bpffs where there was none.
#
# Environment: BUILD (default build); WEIR_SEED and WEIR_ROUNDS for the differential tests.
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build}
JOBS=2
PROGRAM_TIMEOUT_S=600 # a program takes seconds, or minutes on a busy machine
KILL_AFTER_S=10
SANITIZERS=address,undefined

case $BUILD in
/*) WEIR_BIN=$BUILD/weir ;;
*) WEIR_BIN=$PWD/$BUILD/weir ;;
esac
export BUILD WEIR_BIN
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

passed=0 failed=0 skipped=0
reasons=() # of skips
failures=() # programs that failed
log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT

is_root() {
	[ "$(id -u)" = 0 ]
}

headline() {
	printf '\n%s\n' "$1"
}

# count_tap FILE: prints "passed failed skipped planned", then a line for each skipped test.
count_tap() {
	awk '
	/^1\.\.[0-9]+/ {
		plan += substr($1, 4) + 0
		if (toupper($0) ~ /^1\.\.0.*# *SKIP/) { whole = $0; sub(/^[^#]*# *[A-Za-z]* */, "", whole); skip++; plan++; said[++n] = whole }
	}
	/^(not )?ok( |$)/ {
		if (toupper($0) ~ /# *SKIP/) { skip++; line = $0; sub(/^(not )?ok *[0-9]* *-? */, "", line); sub(/ *# *[Ss][Kk][Ii][Pp][^ ]* */, " ", line); sub(/^ /, "", line); said[++n] = line }
		else if (toupper($0) ~ /# *TODO/) { skip++; said[++n] = $0 }
		else if (/^ok/) ok++
		else bad++
	}
	END { print ok + 0, bad + 0, skip + 0, plan + 0; for (i = 1; i <= n; i++) print said[i] }' "$1"
}

# line STATE NAME PASSED FAILED SKIPPED SECONDS
line() {
	printf '  %-4s  %-34s %6d passed %4d failed %4d skipped %8s s\n' "$@"
}

# skip_program NAME REASON: one skip for all tests of the program.
skip_program() {
	skipped=$((skipped + 1))
	reasons+=("$1: $2")
	line SKIP "$1" 0 0 1 -
}

# run_program NAME COMMAND...
run_program() {
	local name=$1 status start seconds ok bad skip plan state=ok problem='' why
	shift
	if [ ! -x "$1" ]; then
		failed=$((failed + 1))
		failures+=("$name (it was not built)")
		line FAIL "$name" 0 1 0 -
		return
	fi
	start=$EPOCHREALTIME
	timeout --kill-after=$KILL_AFTER_S $PROGRAM_TIMEOUT_S "$@" </dev/null >"$log" 2>"$log.err"
	status=$?
	seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	{
		read -r ok bad skip plan
		while read -r why; do
			reasons+=("$name: $why")
		done
	} < <(count_tap "$log")
	case $status in
	0) ;;
	124 | 137) problem="it did not end within $PROGRAM_TIMEOUT_S s" ;;
	*) [ "$status" -gt 128 ] && problem="it was killed by signal $((status - 128))" || problem="exit status $status" ;;
	esac
	if [ -z "$problem" ]; then
		if [ $((ok + bad + skip)) = 0 ]; then
			problem="it ran no test"
		elif [ $((ok + bad + skip)) != "$plan" ]; then
			problem="it planned $plan tests and reported $((ok + bad + skip))"
		fi
	fi
	# The program failed without a failed test: one failure.
	[ -n "$problem" ] && [ "$bad" = 0 ] && bad=1
	[ "$ok" = 0 ] && state=SKIP
	[ "$bad" != 0 ] && state=FAIL
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	line $state "$name" "$ok" "$bad" "$skip" "$seconds"
	if [ $state = FAIL ]; then
		failures+=("$name${problem:+ ($problem)}")
		sed 's/^/      | /' "$log" "$log.err"
		[ -n "$problem" ] && printf '      = %s\n' "$problem"
	fi
	return 0
}

# build NAME MAKE-ARGUMENTS...: continues after errors: a broken file must not hide other tests.
build() {
	local name=$1 start=$EPOCHREALTIME
	shift
	if make --no-print-directory -k -j$JOBS "$@" >"$log" 2>&1; then
		printf '  built %-34s %54s s\n' "$name" "$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
		return
	fi
	failed=$((failed + 1))
	failures+=("$name: it does not build")
	line FAIL "$name" 0 1 0 -
	sed 's/^/      | /' "$log"
}

# programs DIR PREFIX: prints the programs of the C files in a folder of tests.
programs() {
	local source
	for source in "$1"/*.c; do
		[ -e "$source" ] && printf '%s\n' "$2/${source%.c}"
	done
}

# run_built LAYER BUILD-FOLDER SOURCE-FOLDER
run_built() {
	local program
	for program in $(programs "$3" "$2"); do
		run_program "$1/$(basename "$program")" "$program"
	done
}

run_as_root() {
	local layer=$1 folder=tests/$1 program
	headline "$layer"
	if is_root; then
		run_built "$layer" "$BUILD" "$folder"
	else
		for program in $(programs "$folder" "$BUILD"); do
			skip_program "$layer/$(basename "$program")" "needs root"
		done
	fi
}

run_scripts() {
	local script
	for script in tests/netns/*.sh; do
		[ -x "$script" ] || continue
		if is_root; then
			run_program "netns/$(basename "$script")" "$script"
		else
			skip_program "netns/$(basename "$script")" "needs root"
		fi
	done
}

run_sanitized() {
	local wanted
	mapfile -t wanted < <(programs tests/unit "$BUILD/asan")
	[ ${#wanted[@]} = 0 ] && return
	headline "unit, with $SANITIZERS"
	build "unit tests" BUILD="$BUILD/asan" SANITIZER="$SANITIZERS" "${wanted[@]}"
	run_built asan "$BUILD/asan" tests/unit
}

mount_bpffs() {
	is_root || return
	[ "$(stat -f -c %T /sys/fs/bpf 2>/dev/null)" = bpf_fs ] && return
	printf 'mounting bpffs at /sys/fs/bpf; it stays mounted\n'
	mount -t bpf bpf /sys/fs/bpf
}

report() {
	local item
	if [ ${#reasons[@]} != 0 ]; then
		headline skipped
		printf '  %s\n' "${reasons[@]}"
	fi
	if [ ${#failures[@]} != 0 ]; then
		headline failed
		for item in "${failures[@]}"; do
			printf '  %s\n' "$item"
		done
	fi
	printf '\n%d passed, %d failed, %d skipped\n' $passed $failed $skipped
}

mount_bpffs
headline build
build "weir and its tests" BUILD="$BUILD" all tests
build "what the API server says" BUILD="$BUILD" apiserver
headline unit
run_built unit "$BUILD" tests/unit
run_sanitized
run_as_root prog
headline diff
run_built diff "$BUILD" tests/diff
run_as_root netns
run_scripts
headline lint
run_program lint tools/lint.sh
report
[ $failed = 0 ] && [ $passed != 0 ]
