#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# tools/programs finds programs in every kind of source: the files below run each unknown-* and no
# not-run-*. Prints the differences.
set -eu
here=$(dirname "$(realpath "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >Makefile <<'END'
TOOL := unknown-variable
FOUND := $(shell unknown-shell not-run-argument)
define template
$(1):
	$$(TOOL) $$@; unknown-template
endef
$(eval $(call template,one))
all: one two # not-run-comment
	@unknown-recipe not-run-argument
	echo $$(unknown-substitution) | unknown-pipe && \
		unknown-continued
two:
	+$(MAKE) not-run-target && unknown-aftermake
END

cat >lib.sh <<'END'
in_node() {
	local namespace=$1
	shift
	nsenter --net="$namespace" "$@"
}
END

cat >script <<'END'
#!/bin/sh
. ./lib.sh
unknown-simple not-run-argument # not-run-comment
x=$(unknown-substitution) y="a $(echo "$(unknown-nested)") not-run-quoted" z=`unknown-backquote`
A=1 unknown-assigned >not-run-file 2>&1
if ! unknown-condition && unknown-and || unknown-or; then :; fi
true | unknown-pipe & unknown-background; unknown-sequence
case $x in
not-run-pattern | $(unknown-pattern)) unknown-case ;;
*) true ;;
esac
[[ $(unknown-test) == not-run-word || $x =~ ^(not-run-a|not-run-b)$ ]]
while read -r a; do unknown-loop; done < <(unknown-process)
for a in not-run-item $(unknown-item); do true; done
((x = 1 + 2)) && unknown-arithmetic
sudo -u nobody env A=b timeout -k 1 5 nsenter -t 1 -n unknown-wrapped
find . -name not-run-name -exec unknown-exec {} \;
bash -c 'cd / && unknown-text "$(unknown-intext)"'
nsenter --net=/x sh -ec 'unknown-namespace'
trap 'unknown-trap' EXIT
in_node not-run-operand unknown-function not-run-argument
in_node not-run-operand bash -c "unknown-functiontext $x"
"$WEIR" sandbox exec p/x --name n -- unknown-sandbox
f() { unknown-body; }
f not-run-operand
(cd / && unknown-subshell)
list=(not-run-element "$(unknown-element)")
echo "${x:-$(unknown-default)}" '$(not-run-single)' "${list[@]#not-run-prefix}"
/usr/sbin/unknown-folder; ./not-run-built; build/not-run-built
cat <<EOT
$(unknown-heredoc) not-run-text
EOT
cat <<'EOT'
$(not-run-heredoc)
EOT
END
# Written by printf: a literal example in this file would count as one of the tree.
printf 'echo "try: weir sandbox exec p/x %s unknown-example"\n' -- >>script

cat >source.c <<'END'
static void run(const char *commands)
{
	char *text =
		mem_printf("set -e; cd /; %s", commands);
	assert_int_equal(system(text), 0);
}

void in_node(const struct cluster *c, const char *fmt, ...)
{
	vsnprintf(command, sizeof(command), fmt, ap);
	out = popen(command, "r");
}

void test(bool b)
{
	char *const argv[] = { "unknown-argv", "not-run-argument", NULL };

	/* system("not-run-comment"); */
	system("unknown-system 2>&1; unknown-second");
	run("unknown-helper | " NAME " | "
	    "unknown-nextline \"not-run-quoted\"");
	in_node(c, "nsenter --net=%s %s not-run-argument", path, b ? "unknown-either -f" : "unknown-or");
	snprintf(line, sizeof(line), "timeout %d unknown-printed", 1);
	if (system(line))
		fail_msg("not-run-text");
	if (quote == '"')
		execvp(argv[0], argv);
	execlp("/usr/bin/unknown-execlp", "not-run-name", NULL);
}
END

cat >hidden.c <<'END'
#define RUN(text) system(text)
void test(void)
{
	popen(chosen(), "r");
}
END

status=0
python3 "$here" Makefile lib.sh script source.c >found 2>errors || {
	cat errors
	status=1
}
for file in Makefile script source.c; do
	grep -o 'unknown-[a-z]*' $file | sort -u >wanted
	sed -n "s/^$file:[0-9]* \(unknown-.*\|not-run-.*\)/\1/p" found | sort -u >seen
	diff wanted seen >difference && continue
	sed -n "s/^</$file: not found:/p; s/^>/$file: not run, but found:/p" difference
	status=1
done
for place in Makefile:9 script:3 source.c:19; do
	grep -q "^$place unknown-\(recipe\|simple\|second\)$" found || {
		echo "no program is found at $place"
		status=1
	}
done
if python3 "$here" hidden.c 2>errors ||
	[ "$(grep -c '^hidden.c:[14]: the text that .* is not a literal$' errors)" != 2 ]; then
	echo "hidden.c: an unknown command is not reported"
	status=1
fi
exit $status
