#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# load --cgroup: what is attached for the node's own processes, what status and doctor say of it, and
# what uninstall leaves. The node is a network namespace, the cgroups are the script's own.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance cg

unified=$(awk '$4 == "/" && / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
if [ -z "$unified" ]; then
	echo "1..0 # SKIP needs cgroups of version 2"
	exit 0
fi
group=$unified/weir-test-$$
mkdir "$group"
remove_group() {
	echo $$ >"$unified/cgroup.procs"
	rmdir "$group"
	remove
}
trap remove_group EXIT

# The script is the node's process. An address is needed, for a route.
cat >"$dir/in_node" <<END
#!/bin/sh
exec nsenter --net="$dir/netns" "\$@"
END
touch "$dir/netns"
unshare --net="$dir/netns" sh -c 'ip link set lo up && ip addr add 198.51.100.1/32 dev lo'
cat >"$dir/weir" <<END
#!/bin/sh
exec nsenter --net="$dir/netns" "$WEIR_BIN" "\$@"
END
# As root of a cgroup namespace, which a container sees.
cat >"$dir/contained" <<END
#!/bin/sh
echo \$\$ >"$group/cgroup.procs"
exec unshare --cgroup --mount sh -ec 'mkdir -p "$dir/mnt"; mount -t cgroup2 none "$dir/mnt"; exec "\$@"' sh "$dir/weir" "\$@"
END
chmod +x "$dir/in_node" "$dir/weir" "$dir/contained"
W=$dir/weir
trap 'umount "$dir/netns"; remove_group' EXIT

cat >"$dir/a.yaml" <<'END'
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 198.51.100.1}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: p}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: web-4, namespace: p, labels: {kubernetes.io/service-name: web}}
endpoints: [{addresses: [198.51.100.1]}]
ports: [{port: 8080}]
END

# reaches: a process of the group connects to the Service and is refused by the node, where nothing
# listens; untranslated, the address has no route.
reaches() {
	bash -c "echo \$\$ >'$group/cgroup.procs' && exec '$dir/in_node' bash -c '</dev/tcp/10.96.0.10/80'" 2>&1 |
		grep -q "Connection refused"
}

attaches() {
	! reaches && exits 0 load -f "$dir/a.yaml" --cgroup "$group" && reaches &&
		shows "processes     served, of cgroup $group" 0 status &&
		json "d['processes'] == {'cgroup': '$group', 'served': True, 'missing': [], 'endsStaleSockets': True}" 0 status -o json &&
		shows "nothing found" 0 doctor
}

stays_after_a_reload() {
	exits 0 load -f "$dir/a.yaml" --cgroup "$group" && reaches && line "nothing to do"
}

rebuilds() {
	exits 0 load --rebuild -f "$dir/a.yaml" --cgroup "$group" --scale-tables 50 && reaches &&
		shows "processes     served, of cgroup $group" 0 status
}

says_what_is_lost() {
	rm "/sys/fs/bpf/weir-$NAME/links/cgroup-connect6" &&
		shows "connect6 not attached to cgroup $group; load again" 0 status &&
		json "d['processes']['missing'] == ['connect6'] and not d['processes']['served']" 0 status -o json &&
		json "[f['code'] for f in d['items']] == ['N025']" 1 doctor -o json &&
		exits 0 load -f "$dir/a.yaml" --cgroup "$group" && shows "nothing found" 0 doctor
}

refuses() {
	exits 4 load -f "$dir/a.yaml" --cgroup "$dir" && grep -q "is not a cgroup of version 2" "$dir/err" &&
		exits 3 load -f "$dir/a.yaml" --cgroup "$group/missing" &&
		exits 2 load -f "$dir/a.yaml" --cgroup a.slice && grep -q "expected root, none, or the folder" "$dir/err" &&
		reaches && shows "served, of cgroup $group" 0 status
}

detaches() {
	exits 0 load -f "$dir/a.yaml" --cgroup none && ! reaches &&
		shows "processes     not served, by --cgroup none" 0 status && shows "nothing found" 0 doctor
}

takes_the_root_that_it_sees() {
	(W=$dir/contained && exits 0 load -f "$dir/a.yaml" --cgroup root) && reaches &&
		grep -q "warning: $dir/mnt is not the root of all cgroups" "$dir/err"
}

uninstalls() {
	exits 0 uninstall && ! reaches && [ -z "$(bpftool cgroup show "$group")" ]
}

check "svc-33: load --cgroup serves the processes of that cgroup" attaches
check "another load keeps it" stays_after_a_reload
check "a rebuild keeps it" rebuilds
check "status and doctor name what is not attached (N025)" says_what_is_lost
check "what is no cgroup is refused" refuses
check "--cgroup none detaches" detaches
check "root is the root of a cgroup namespace, with a warning" takes_the_root_that_it_sees
check "uninstall detaches" uninstalls
finish
