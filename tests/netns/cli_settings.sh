#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Configuration files of load, on a loaded instance: which of option, --config and the default file
# counts, what is refused and that nothing changes then, and what status says. No pod is attached.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance set

# The machine's own /etc is not touched: weir runs with another one, which has the default file only.
cat >"$dir/with_etc" <<END
#!/bin/sh
exec unshare --mount sh -ec 'mount -t tmpfs none /etc; cp -a "$dir/etc/." /etc; exec "\$@"' sh "$WEIR_BIN" "\$@"
END
chmod +x "$dir/with_etc"
etc=$dir/etc/weir
default=$etc/weir-$NAME.yaml

cat >"$dir/a.yaml" <<'END'
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: p}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{port: 80}]}
END

# default_is [LINE...]: what the default file has; without a line there is none
default_is() {
	rm -rf "${dir:?}/etc"
	mkdir -p "$etc"
	[ $# = 0 ] || printf '%s\n' "$@" >"$default"
}

# loads STATUS OPTION...
loads() {
	local W=$dir/with_etc status=$1
	shift
	exits "$status" load -f "$dir/a.yaml" "$@"
}

# error LINE: the only line on stderr before the summary
error() {
	grep -qxF -- "$1" "$dir/err" || {
		echo "stderr lacks '$1':"
		cat "$dir/err"
		return 1
	}
}

# status_is PYTHON: of status -o json, d
status_is() {
	json "$1" 0 status -o json
}

# settings_are "KEY VALUE FROM, …": beside the cgroup, which every load here is given
settings_are() {
	json "', '.join('%s %s %s' % (s['key'], s['value'], s['from']) for s in d['settings'] if s['key'] != 'cgroup') == '$1'" 0 status -o json
}

nothing_given() {
	default_is && exits 0 load -f "$dir/a.yaml" && status_is 'd["echo"] == "policy"' && settings_are "" && exits 0 status &&
		line "^settings +cgroup: none, from --cgroup$" && [ "$(grep -c ', from ' "$dir/out")" = 1 ]
}

the_default_file_counts() {
	default_is 'echo: always' && loads 0 && status_is 'd["echo"] == "always"' &&
		settings_are "echo always /etc/weir/weir-$NAME.yaml:1" && exits 0 status &&
		line "^ +echo: always, from /etc/weir/weir-$NAME.yaml:1$"
}

config_counts_before_it() {
	default_is 'echo: always' 'attach: tcx' && echo 'echo: policy' >"$dir/c.yaml" && loads 0 --config "$dir/c.yaml" &&
		status_is 'd["echo"] == "policy"' && settings_are "attach tcx /etc/weir/weir-$NAME.yaml:2"
}

an_option_counts_first() {
	default_is 'echo: policy' && printf '\necho: policy\n' >"$dir/c.yaml" &&
		loads 0 --config "$dir/c.yaml" --echo always && status_is 'd["echo"] == "always"' && settings_are "echo always --echo" &&
		loads 0 --config "$dir/c.yaml" && status_is 'd["echo"] == "policy"' && settings_are ""
}

# The file of --config is named by its whole path: status may be asked elsewhere.
a_relative_path_is_kept_whole() {
	default_is && printf '\necho: always\n' >"$dir/c.yaml" && (
		cd "$dir" && loads 0 --config c.yaml
	) && settings_are "echo always $dir/c.yaml:2"
}

# Whatever is wrong: nothing was written, the settings before are in force.
nothing_changes() {
	status_is 'd["echo"] == "always" and d["generation"] == '"$(cat "$dir/generation")"
}

all_errors_at_once() {
	default_is 'echo: always' && loads 0 && exits 0 status -o json || return
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["generation"])' "$dir/out" >"$dir/generation"
	default_is 'echoo: policy' 'scale: {flows: 0}' && printf 'echo: maybe\nownNode: policy\n' >"$dir/c.yaml" &&
		loads 4 --config "$dir/c.yaml" && [ ! -s "$dir/out" ] &&
		error "/etc/weir/weir-$NAME.yaml:1:1: error E040: echoo: unknown key; did you mean echo?" &&
		error "/etc/weir/weir-$NAME.yaml:2:16: error E023: scale.flows: expected an integer from 1 to 4294967295, found 0" &&
		error "$dir/c.yaml:1:7: error E022: echo: expected one of policy|always, found \"maybe\"" &&
		error "$dir/c.yaml:2:1: error E041: ownNode: not served yet: it would have no effect; leave it out" &&
		error "weir: 4 errors in the configuration; nothing was done" && nothing_changes
}

errors_stop_a_dry_run_and_a_rebuild() {
	default_is 'echo: maybe' && loads 4 --dry-run && loads 4 --rebuild && loads 4 -q && [ -s "$dir/err" ] && nothing_changes
}

files_that_cannot_be_read() {
	default_is && loads 4 --config "$dir/none.yaml" &&
		error "weir: load: $dir/none.yaml cannot be read: No such file or directory (ENOENT)" &&
		loads 4 --config "$dir" && error "weir: load: $dir is not a regular file" &&
		loads 4 --config "" && ln -s nowhere "$default" && loads 4 &&
		error "weir: load: /etc/weir/weir-$NAME.yaml cannot be read: No such file or directory (ENOENT)" || return
	default_is
	head -c 2000000 /dev/zero | tr '\0' '#' >"$dir/large.yaml"
	loads 4 --config "$dir/large.yaml" && error "weir: load: $dir/large.yaml is larger than 1024 KiB" && nothing_changes
}

# refused_for WORDS COMMAND...: what the command does to the default file makes it a stranger's
refused_for() {
	local words=$1
	shift
	default_is 'echo: policy' && "$@" && loads 4 || return
	grep -q "^weir: load: /etc/weir.* $words" "$dir/err" || {
		echo "after $*:"
		cat "$dir/err"
		return 1
	}
	nothing_changes
}

a_file_that_others_may_write() {
	refused_for "has mode 0664: others than root could change" chmod 664 "$default" &&
		refused_for "has mode 0646: others than root could change" chmod 646 "$default" &&
		refused_for "belongs to user 65534" chown 65534 "$default" &&
		refused_for "has mode 0777: .*: chmod go-w /etc/weir$" chmod 777 "$etc" &&
		refused_for "belongs to user 65534" chown 65534 "$etc" || return
	# whoever names a file with --config answers for it
	default_is && echo 'echo: always' >"$dir/c.yaml" && chmod 666 "$dir/c.yaml" && loads 0 --config "$dir/c.yaml" && nothing_changes
}

# Sizes and addresses stay when maps are there: another one in the file is an error, not ignored.
what_is_fixed_is_refused() {
	default_is 'scale:' '  tables: 50' && loads 4 &&
		grep -q "^/etc/weir/weir-$NAME.yaml:2:3: error E027: scale.tables: map .* cannot become .*; nothing of these manifests was loaded$" "$dir/err" ||
		return
	default_is 'hairpin: {v4: 169.254.1.1}' && loads 4 &&
		grep -q "^/etc/weir/weir-$NAME.yaml:1:11: error E027: hairpin.v4: the address is 169.254.77.101 and cannot become 169.254.1.1: " "$dir/err" &&
		loads 2 --scale-tries 50 && grep -q "^weir: load: --scale-tries: map " "$dir/err" && nothing_changes
}

a_hairpin_address_in_use() {
	default_is 'hairpin: {v4: 10.96.0.10}' && loads 4 --rebuild &&
		error "/etc/weir/weir-$NAME.yaml:1:11: error E025: hairpin.v4: 10.96.0.10 is a cluster IP of Service p/web: give one that nothing uses" &&
		loads 2 --rebuild --hairpin-v4 10.96.0.10 &&
		error "weir: load: --hairpin-v4: 10.96.0.10 is a cluster IP of Service p/web: give one that nothing uses" && nothing_changes
}

# What is fixed and was given by an earlier load stays, with its source; a change of source is shown.
a_rebuild_takes_it() {
	default_is 'hairpin: {v6: "fd00::77"}' 'scale: {tables: 50}' && loads 0 --rebuild --scale-tries 50 &&
		status_is 'd["hairpin"] == ["169.254.77.101", "fd00::77"] and d["maps"]["frontends"]["capacity"] == 32768' &&
		settings_are "hairpin.v6 fd00::77 /etc/weir/weir-$NAME.yaml:1, scale.tables 50 /etc/weir/weir-$NAME.yaml:2, scale.tries 50 --scale-tries" || return
	default_is && loads 0 &&
		settings_are "hairpin.v6 fd00::77 /etc/weir/weir-$NAME.yaml:1, scale.tables 50 /etc/weir/weir-$NAME.yaml:2, scale.tries 50 --scale-tries" || return
	loads 0 --rebuild --scale-tables 100 --hairpin-v6 fd77:6569:722d::65 && settings_are "scale.tries 50 --scale-tries"
}

# Not shown: a row of a record that the maps contradict.
a_record_is_only_for_people() {
	printf '{"apiVersion":"weir.dev/v1","kind":"Settings","items":[{"key":"echo","value":"always","from":"x"},{"key":"scale.flows","value":"10","from":"x"},{"key":"attach","value":"tcx","from":"x"}]}\n' \
		>"/run/weir-$NAME/settings" && settings_are "attach tcx x" && echo '[' >"/run/weir-$NAME/settings" && settings_are ""
}

# The default file of another instance, and files of verbs that only read, do not count.
other_verbs_do_not_read_it() {
	default_is 'echo: maybe' && printf 'echo: maybe\n' >"$etc/weir.yaml" || return
	local W=$dir/with_etc
	exits 0 status && exits 0 get services && exits 0 enforce on && NAME='' exits 0 compile -f "$dir/a.yaml" &&
		rm "$default" && exits 0 load -f "$dir/a.yaml"
}

removed_with_the_instance() {
	[ -e "/run/weir-$NAME/settings" ] && exits 0 uninstall && [ ! -e "/run/weir-$NAME" ]
}

help_shows_the_keys() {
	NAME='' exits 0 help config && line '^  hairpin.v4 ADDR ' && line '^  echo policy\|always ' && line 'not served yet' &&
		NAME='' exits 0 help config -o man && line '^\.TH WEIR 5 ' &&
		NAME='' exits 0 help load && line '--config FILE'
}

check "help config lists the keys, and -o man writes weir(5)" help_shows_the_keys
check "without a file and options all is the default" nothing_given
check "the default file of the instance counts, and status says so" the_default_file_counts
check "--config counts before it, key by key" config_counts_before_it
check "an option counts before both" an_option_counts_first
check "status names the whole path of the file" a_relative_path_is_kept_whole
check "all errors of all files are reported, status 4, and nothing changes" all_errors_at_once
check "they stop a dry run and a rebuild, and -q shows them" errors_stop_a_dry_run_and_a_rebuild
check "a file that is missing or no file is an error, but for the default one" files_that_cannot_be_read
check "a default file that others than root may write is refused" a_file_that_others_may_write
check "another size or address than that of the maps is refused with its position" what_is_fixed_is_refused
check "a hairpin address that is in use is refused with its position" a_hairpin_address_in_use
check "a rebuild takes sizes and addresses of the file, and they keep their source" a_rebuild_takes_it
check "a row of the record that the maps contradict is not shown" a_record_is_only_for_people
check "no other verb and no other instance reads it" other_verbs_do_not_read_it
check "uninstall removes the record" removed_with_the_instance

finish
