#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Style checks as TAP: formatting, length of functions, conditionals, trailing blanks, names in docs,
# shell scripts, programs without a package, dependencies in user/, and warnings of both compilers
# as errors. Changes no file. Environment: BUILD (default build).
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build}
JOBS=2
FUNCTION_AIM=30 # lines; reported
FUNCTION_MAX=80 # lines; more fails

mapfile -t c_files < <(find include user bpf tests -name '*.[ch]' | sort)
mapfile -t scripts < <(find tools tests bench vmtest .ci -name '*.sh' -o -path .ci/run | sort)
mapfile -t texts < <(find include user bpf tests tools docs policies .ci README.md Makefile -type f \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.md' -o -name '*.yaml' -o -name Makefile -o -path .ci/run \) 2>/dev/null | sort)

n=0
bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# check NAME FUNCTION: the test passes when the function returns 0; its output explains a failure.
check() {
	local verdict=ok
	n=$((n + 1))
	"$2" >"$out" 2>&1 || verdict='not ok'
	[ "$verdict" = ok ] || bad=$((bad + 1))
	echo "$verdict $n - $1"
	sed 's/^/# /' "$out"
}

# check_with TOOL NAME FUNCTION: a skip where the tool is not installed.
check_with() {
	local tool=$1
	shift
	if command -v "$tool" >/dev/null; then
		check "$@"
	else
		n=$((n + 1))
		echo "ok $n - $1 # SKIP $tool is not installed"
	fi
}

formatting() {
	clang-format --dry-run -Werror --ferror-limit=3 "${c_files[@]}" 2>&1 | grep -E ': (error|warning): ' | sort -u | head -60
	[ "${PIPESTATUS[0]}" = 0 ]
}

function_length() {
	ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne -f - "${c_files[@]}" |
		awk -F'\t' -v aim=$FUNCTION_AIM -v max=$FUNCTION_MAX '
		{
			start = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) start = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			len = end - start + 1
			all++
			if (len > aim) over++
			if (len > max) { bad = 1; printf "%s:%d: %s has %d lines, more than %d\n", $2, start, $1, len, max }
		}
		END { printf "%d of %d functions are longer than %d lines\n", over, all, aim; exit bad }'
}

# Allowed: "#ifndef X" right before "#define X" (fallbacks of one line).
conditionals() {
	awk '
	guard != "" {
		if (!($1 == "#define" && $2 == guard)) { print where; bad = 1 }
		guard = ""
	}
	/^[ \t]*#[ \t]*ifndef/ { guard = $2; where = FILENAME ":" FNR ": " $0; next }
	/^[ \t]*#[ \t]*(if|ifdef|elif|else)/ { if ($1 != "#else") { print FILENAME ":" FNR ": " $0; bad = 1 } }
	END { exit bad }' "${c_files[@]}"
}

# Without an initializer, an early return before the first assignment would free garbage. No
# compiler warns (tried: gcc 12 -Wmaybe-uninitialized and -fanalyzer, clang 14 -Weverything). A goto
# or case past such a variable needs no check: clang refuses it. A macro for "_cleanup_(...)" counts
# as one.
cleanup_initialised() {
	local macros
	macros=$(sed -nE 's/^#define ([a-z_]+) _cleanup_\(.*/\1/p' "${c_files[@]}" bench/*.[ch] | paste -sd'|')
	awk -v start="_cleanup_[(][a-z_0-9]+[)]|^[ \t]+(${macros:-none}) " '
	function judge(text,   i, c, depth, value) {
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			depth += index("([{", c) > 0
			depth -= index(")]}", c) > 0
			if (c == "=" && !depth) value = 1
			if ((c == "," || c == ";") && !depth) {
				if (!value) return 1
				value = 0
			}
			if (c == ";" && !depth) return 0
		}
		return 0
	}
	/^[ \t]*#[ \t]*define/ { next }
	!open && match($0, start) { open = 1; where = FILENAME ":" FNR; text = ""; $0 = substr($0, RSTART + RLENGTH) }
	open { text = text " " $0 }
	open && /;[ \t]*$/ {
		open = 0
		if (judge(text)) { print where ": a variable of this _cleanup_ has no initializer:" text; bad = 1 }
	}
	END { exit bad }' "${c_files[@]}" bench/*.[ch]
}

trailing_blanks() {
	! grep -nE '[[:blank:]]+$' "${texts[@]}"
}

# SC2016: text in single quotes is for another shell. SC2317: shellcheck does not see traps and
# callbacks.
shell_scripts() {
	shellcheck --exclude=SC2016,SC2317 "${scripts[@]}"
}

# Prints programs that are run and not in the list, and packages of the list of which no program is
# run.
programs_have_packages() {
	local used status=0 sources
	mapfile -t sources < <(find user tests bench vmtest -name '*.c')
	used=$(python3 tools/programs Makefile README.md docs/*.md "${scripts[@]}" "${sources[@]}") || status=1
	awk '
	NR == FNR { package[$2] = $1; idle[$1]; next }
	$2 in package { delete idle[package[$2]]; next }
	{ print $1 ": no package in tools/deps.sh brings " $2; bad = 1 }
	END {
		for (p in idle) { print "tools/deps.sh: the programs of " p " are not run"; bad = 1 }
		exit bad
	}' <(tools/deps.sh list) - <<<"$used" && [ $status = 0 ]
}

# Prints words in backquotes on stdin that are neither a test program nor in the source of a test;
# "…" matches any text.
words_without_test() {
	local token part
	grep -o '`[^`]*`' | tr -d '`' | sort -u | while read -r token; do
		for part in ${token//…/ }; do
			compgen -G "tests/*/$part.[cs]*" >/dev/null || grep -rqF --include='*.[ch]' --include='*.sh' -- "$part" tests ||
				echo "docs/: tests have no $part"
		done
	done
}

# FILE: prints the last cells of tables with a last column "proved by", and the text after these words in
# sentences.
named_proofs() {
	awk -F'|' '
	/^\|/ && $(NF - 1) ~ /proved by/ { proof = 1; next }
	/^\|/ && proof && $(NF - 1) !~ /^-+$/ { print $(NF - 1) }
	/^\|/ { next }
	{ proof = 0 }
	/[Pp]roved by/ { sub(/.*[Pp]roved by/, ""); print }' "$1"
}

proofs_exist() {
	local file
	! {
		for file in docs/flows.md docs/security.md; do
			named_proofs "$file" | grep -v -e '`' -e 'planned:' | sed "s|^|$file: no test is named in: |"
			named_proofs "$file" | words_without_test
		done
	} | grep .
}

# Prints suites that the last table of docs/testing.md has neither by name nor by first word, and
# names there that no suite has.
undescribed_suites() {
	local names name known file
	names=$(sed -n '/^| suites /,/^$/p' docs/testing.md | awk -F'|' '{ print $2 }' | grep -o '`[^`]*`' | tr -d '`')
	known=" $(tr '\n' ' ' <<<"$names")"
	for file in tests/unit/*.c tests/prog/*.c tests/diff/*.c tests/netns/*.c tests/netns/*.sh; do
		name=$(basename "${file%.*}")
		[[ $known == *" $name "* || $known == *" ${name%%_*}_* "* ]] || echo "docs/testing.md lacks $file"
	done
	for name in $names; do
		compgen -G "tests/*/$name.[cs]*" >/dev/null || echo "docs/testing.md names $name, which does not exist"
	done
}

undescribed_variables() {
	local name
	grep -rhoE 'getenv\("[A-Z_]+"\)' tests bench | grep -oE '[A-Z_]{2,}' | sort -u | while read -r name; do
		grep -q "\`$name\`" docs/testing.md || echo "docs/testing.md lacks $name"
	done
}

suites_are_described() {
	! {
		undescribed_suites
		undescribed_variables
	} | grep .
}

# warnings COMPILER [VARIABLE=VALUE…]
warnings() {
	make --no-print-directory -k -j$JOBS BUILD="$BUILD/$1" CC="$1" "${@:2}" WERROR=1 all tests 2>&1 |
		grep -E 'error|warning|note:|\*\*\*' | head -60
	[ "${PIPESTATUS[0]}" = 0 ]
}

gcc_warnings() {
	warnings gcc CFLAGS='-O2 -g -Wjump-misses-init'
}

clang_warnings() {
	warnings clang
}

# Both read the objects that gcc_warnings built.
file_circles() {
	tools/circles.py files "$BUILD/gcc"
}

folder_order() {
	tools/circles.py folders "$BUILD/gcc"
}

check_with clang-format "C files are formatted as .clang-format says" formatting
check_with ctags "no function is longer than $FUNCTION_MAX lines" function_length
check "no conditional compilation" conditionals
check "every _cleanup_ variable has an initializer" cleanup_initialised
check "no line ends in blanks" trailing_blanks
check "every test that docs/flows.md and docs/security.md name exists" proofs_exist
check "docs/testing.md has every suite and every variable of tests" suites_are_described
check_with python3 "every program that is run is in tools/deps.sh" programs_have_packages
check_with python3 "tools/programs finds programs in every kind of source" tools/programs/test.sh
check_with shellcheck "shell scripts pass shellcheck" shell_scripts
check_with gcc "gcc builds everything without a warning" gcc_warnings
check_with python3 "no circle of calls between the files of a folder of user/" file_circles
check_with python3 "no folder of user/ depends on one to its left in MODULES" folder_order
check_with clang "clang builds everything without a warning" clang_warnings
echo "1..$n"
[ $bad = 0 ]
