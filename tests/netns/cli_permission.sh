#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The verbs without root: each that reads or writes an instance says that it needs root, with
# status 3, whether the instance is loaded or not. It must not say that nothing is loaded, nor
# succeed.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance perm

# Other users may have no access to the build folder: the command is copied to $dir.
chmod 755 "$dir"
install -m 755 "$W" "$dir/weir"
cat >"$dir/unprivileged" <<END
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/weir" "\$@"
END
chmod 755 "$dir/unprivileged"
cat >"$dir/a.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: p}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}]}
END
chmod 644 "$dir/a.yaml"

# needs_root VERB ARGUMENT...: one line on stderr says so, stdout is empty
needs_root() {
	exits 3 "$@" || return
	if [ -s "$dir/out" ] || [ "$(wc -l <"$dir/err")" != 1 ] ||
		! grep -qE "^weir $1: needs root: .*; try sudo$" "$dir/err" || grep -q 'nothing is loaded' "$dir/err"; then
		echo "weir $*:"
		cat "$dir/out" "$dir/err"
		return 1
	fi
}

# ask VERB: calls it in its forms as an unprivileged user. A verb that is missing here fails.
ask() {
	local yaml=$dir/a.yaml
	case $1 in
	compile) NAME='' exits 0 compile -q -f "$yaml" --node n1 ;;
	report) NAME='' exits 0 report -q -f "$yaml" && NAME='' needs_root report -q -f "$yaml" --engine bpf ;;
	why)
		exits 0 why -q p/a world:80 -f "$yaml" && exits 0 why p/a world:80 -f "$yaml" &&
			grep -q "^weir: what is loaded on this node is not asked: .*(needs root)$" "$dir/err" && needs_root why -q p/a world:80 -f "$yaml" --engine bpf &&
			needs_root why p/a world:80 && needs_root why 10.244.0.5 192.0.2.1:80
		;;
	load) needs_root load -q -f "$yaml" --node n1 && needs_root load -q --dry-run -f "$yaml" --node n1 ;;
	get)
		local noun
		for noun in services backends pods policies rules flows maps programs; do
			needs_root get $noun && needs_root get $noun -o json || return
		done
		;;
	status) needs_root status && needs_root status -o json ;;
	doctor) needs_root doctor && NAME='' exits 0 doctor --codes ;;
	observe) needs_root observe --timeout 1 ;;
	enforce) needs_root enforce on && needs_root enforce off ;;
	uninstall) needs_root uninstall ;;
	sandbox)
		needs_root sandbox up -q -f "$yaml" && needs_root sandbox probe -q -f "$yaml" && needs_root sandbox down &&
			needs_root sandbox exec --name "$NAME" p/a -- true
		;;
	help | version) NAME='' exits 0 "$1" ;;
	*)
		echo "this test does not know what weir $1 needs"
		return 1
		;;
	esac
}

verbs=$("$W" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
for state in "not loaded" loaded; do
	[ "$state" = loaded ] && check "a sandbox is up" exits 0 sandbox up -q -f "$dir/a.yaml"
	W=$dir/unprivileged
	for verb in $verbs; do
		check "weir $verb without root, $state" ask "$verb"
	done
	W=$WEIR_BIN
done
check "the instance is unchanged" json 'd["generation"] == 1 and d["enforcement"] == "on" and d["devices"] == 1' \
	0 status -o json

finish
