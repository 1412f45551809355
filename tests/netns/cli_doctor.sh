#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# weir doctor on the node of a sandbox: for each code the fault is made, found, and no longer found
# when it is undone. N009, and N005 beside foreign programs, are tested by traffic_foreign.c, which
# has such programs.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance doctor

in_node() {
	nsenter --net="/run/netns/weir-${NAME}_node" "$@"
}

codes() { # CODES EXIT-STATUS ARGUMENT...: exactly these, sorted
	local want=$1
	shift
	json "sorted({i['code'] for i in d['items']}) == '$want'.split()" "$@" -o json
}

healthy() {
	codes "" 0 doctor --level info && shows "nothing found" 0 doctor
}

# finds CODE SEVERITY TEXT: no other code, exit status 1, and the text in finding or evidence
finds() {
	codes "$1" 1 doctor || return 1
	json "all(i['severity'] == '$2' and i['fix'] for i in d['items']) and
		any('$3' in i['finding'] + i['evidence'] for i in d['items'])" 1 doctor -o json &&
		shows "$1  $2" 1 doctor
}

# broken_and_undone CODE SEVERITY TEXT BREAK UNDO: both are functions
broken_and_undone() {
	local found=1
	$4 && finds "$1" "$2" "$3" && found=0
	$5 && healthy && return $found
}

forwarding_off() { in_node sysctl -qw net.ipv4.ip_forward=0; }
forwarding_on() { in_node sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv6.conf.all.forwarding=1; }
forwarding6_off() { in_node sysctl -qw net.ipv6.conf.all.forwarding=0; }
device_forwarding_off() { in_node sysctl -qw "net.ipv4.conf.$device.forwarding=0"; }
device_forwarding_on() { in_node sysctl -qw "net.ipv4.conf.$device.forwarding=1"; }

forwarding6() {
	forwarding6_off && codes "N001 N019" 1 doctor && shows "IPv6 forwarding is off" 1 doctor &&
		shows "N019  warning" 1 doctor && forwarding_on && healthy
}
accept_ra() { in_node sysctl -qw "net.ipv6.conf.$device.accept_ra=2"; }
refuse_ra() { in_node sysctl -qw "net.ipv6.conf.$device.accept_ra=0"; }
loopback_open() { in_node sysctl -qw "net.ipv4.conf.$device.route_localnet=1"; }
loopback_closed() { in_node sysctl -qw "net.ipv4.conf.$device.route_localnet=0"; }

# As of hostPort, published ports and kube-proxy. Rules for the node's own packets are none of it.
dnat() {
	in_node nft 'table ip foreign { chain pre { type nat hook prerouting priority -100; jump ports; };
		chain ports { tcp dport 8080 dnat to 10.244.0.9:80; };
		chain out { type nat hook output priority -100; tcp dport 8080 dnat to 10.244.0.9:80; }; }'
}
dnat_gone() { in_node nft delete table ip foreign; }
dnat_settled() {
	in_node nft 'table ip foreign { chain pre { type nat hook prerouting priority -100;
		ip saddr != 10.244.0.0/16 tcp dport 8080 dnat to 10.244.0.9:80 comment "weir"; }; }'
	healthy && dnat_gone
}
dnat_by_iptables() { in_node iptables-nft -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to 10.244.0.9:80; }
dnat_by_iptables_gone() { in_node iptables-nft -t nat -F PREROUTING; }

new_tunnel() {
	in_node ip link add vx0 type vxlan id 7 dstport 4789 local 172.18.0.2 && in_node ip link set vx0 up
}
old_tunnel() { in_node ip link del vx0; }
# Loaded with its port: no N023
tunnel() { new_tunnel && attached; }
tunnel_gone() { old_tunnel && attached; }
tunnel_is_new() {
	new_tunnel && codes "N020 N023" 1 doctor && shows "N023  error    UDP port 4789 of a tunnel came after" 1 doctor &&
		old_tunnel && healthy
}
tunnel_is_gone() { tunnel && old_tunnel; }
tunnel_settled() {
	tunnel && in_node nft 'table inet guard { chain input { type filter hook input priority 0;
		udp dport 4789 ip saddr != 172.18.0.0/24 drop comment "weir-overlay"; }; }'
	healthy && tunnel_gone && in_node nft delete table inet guard
}

new_address() { in_node ip addr add 198.51.100.77/32 dev world; }
no_new_address() { in_node ip addr del 198.51.100.77/32 dev world; }

# `load` reads the addresses that the node has; a sandbox knows its own.
lost_address() {
	new_address && in_node "$W" load --cgroup none -q -f "$dir/a.yaml" --node n1 --name "$NAME" >"$dir/loaded" &&
		codes "" 0 doctor && no_new_address && finds N016 error "198.51.100.77 was this node" && attached && healthy
}

# Without the record's file the device is detached: the pod stays planned.
record_lost() {
	mv "/run/weir-$NAME/pods/p_web.json" "$dir/" &&
		! in_node "$W" load --cgroup none -q -f "$dir/a.yaml" --node n1 --name "$NAME" >"$dir/loaded" 2>&1
}
record_broken() { cp "/run/weir-$NAME/pods/p_web.json" "$dir/" && echo '{' >"/run/weir-$NAME/pods/p_web.json"; }
record_restored() { cp "$dir/p_web.json" "/run/weir-$NAME/pods/" && attached; }
held() {
	sed 's/name: web, /name: other, /; s/10.244.0.5/10.244.0.6/g; s/::5/::6/' "$dir/a.yaml" >"$dir/other.yaml"
	! in_node "$W" load --cgroup none -q -f "$dir/other.yaml" --node n1 --name "$NAME" >"$dir/loaded" 2>&1
}

held_and_undone() {
	held && codes "N013 N014" 1 doctor && shows "pod p/web is held" 1 doctor &&
		shows "pod p/other is not attached" 1 doctor && attached && healthy
}

# It was not attached: a record that came after the load is not enough.
record_is_new() {
	record_lost && cp "$dir/p_web.json" "/run/weir-$NAME/pods/" &&
		codes "N005 N013" 1 doctor && shows "newer than the last load" 1 doctor && attached && healthy
}

detour() { # rp_filter is strict, and the route to the pod leads to the world
	in_node sysctl -qw net.ipv4.conf.all.rp_filter=1 && in_node ip route replace "$address" dev world
}
no_detour() { in_node ip route replace "$address" dev "$device" && in_node sysctl -qw net.ipv4.conf.all.rp_filter=0; }
strict_alone_is_fine() { in_node sysctl -qw net.ipv4.conf.all.rp_filter=1 && healthy && in_node sysctl -qw net.ipv4.conf.all.rp_filter=0; }

closed() {
	in_node nft 'table inet closed { chain forward { type filter hook forward priority 0; policy drop; }; }'
}
opened() { in_node nft delete table inet closed; }
closed_with_rules() {
	closed && in_node nft 'add rule inet closed forward ip daddr 192.0.2.1 accept'
}
settled() { # as the fix of N003 says
	in_node nft 'add rule inet closed forward meta mark 0 accept comment "weir"'
}
by_iptables() { in_node iptables-nft -P FORWARD DROP; }
by_iptables_undone() { in_node iptables-nft -P FORWARD ACCEPT; }

kube_proxy() { in_node nft 'table ip nat { chain KUBE-SERVICES { }; chain KUBE-SVC-ABCDEF { }; }'; }
kube_proxy_gone() { in_node nft delete table ip nat; }

# A tcx link is detached some time after its pin is removed, a filter at once.
detached() {
	local i link
	link=$(echo "/sys/fs/bpf/weir-$NAME/links/"*-from_pod)
	if [ -e "$link" ]; then
		rm "$link"
	else
		in_node tc filter del dev "$device" ingress pref 49
	fi
	for i in {1..50}; do
		"$W" doctor --name "$NAME" >/dev/null || return 0
		sleep 0.1
	done
	return 1
}
attached() { exits 0 sandbox up -f "$dir/a.yaml"; }

small_mtu() { in_node ip link set "$device" mtu 1300; }
full_mtu() { in_node ip link set "$device" mtu 1500; }
enforce_off() { exits 0 enforce off; }
enforce_on() { exits 0 enforce on; }
record_of_nothing() {
	sed 's/"name":"web"/"name":"ghost"/; s/"ifindex":[0-9]*/"ifindex":4711/' "/run/weir-$NAME/pods/p_web.json" \
		>"/run/weir-$NAME/pods/p_ghost.json"
}
no_record() { rm "/run/weir-$NAME/pods/p_ghost.json"; }

plan_broken() { for plan in "/run/weir-$NAME"/plan-*; do echo '{"closed":[1]}4789' >"$plan"; done; }

gc_gone() { rm "/sys/fs/bpf/weir-$NAME/progs/"gc-*/gc_*; }

bridge_nf() {
	exits 0 sandbox up -f "$dir/a.yaml" --topology bridge && in_node sysctl -qw net.bridge.bridge-nf-call-iptables=1 \
		net.bridge.bridge-nf-call-ip6tables=1 || return 1
	codes N004 0 doctor && codes N004 1 doctor --level info && shows "bridge cni0" 0 doctor || return 1
	closed && codes "N003 N004" 1 doctor && shows "N004  error" 1 doctor && shows "IPv6" 1 doctor && opened || return 1
	in_node sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 && healthy
}

# With --scale-arrays 1 the table of pods has 10 entries, of which the first is unused.
full_table() {
	local i
	exits 0 sandbox down && exits 5 load -q -f "$dir/a.yaml" --scale-arrays 1 --scale-tries 1 || return 1
	for i in {1..8}; do
		pod "web$i" web "10.244.1.$i" "fd00:10:244:1::$i"
	done | cat "$dir/a.yaml" - >"$dir/many.yaml"
	exits 0 sandbox up -f "$dir/many.yaml" && finds N006 warning "table pods is 90 % full" || return 1
	exits 0 sandbox up -f "$dir/a.yaml" && healthy
}

every_code_is_documented() {
	local code
	"$W" doctor --codes >"$dir/codes" || return 1
	while read -r code _; do
		grep -q "^## $code" "$(dirname "$0")/../../docs/findings.md" || {
			echo "docs/findings.md lacks $code"
			return 1
		}
	done <"$dir/codes"
}

{
	cat <<END
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}
END
	pod web web 10.244.0.5 fd00:10:244::5
} >"$dir/a.yaml"
address=10.244.0.5

check "doctor without an instance is status 3" exits 3 doctor
check "every code is documented" every_code_is_documented
exits 0 sandbox up -f "$dir/a.yaml" || exit 1
device=$(in_node ip -o link | grep -o 'veth[0-9a-f]*' | head -1)
check "a healthy node has no finding" healthy
check "N001 IPv4 forwarding" broken_and_undone N001 error "IPv4 forwarding is off" forwarding_off forwarding_on
check "N001 IPv6 forwarding, and N019: such a device accepts router advertisements" forwarding6
check "N001 names the device" broken_and_undone N001 error "$device" device_forwarding_off device_forwarding_on
check "N002 names device, pod and route" broken_and_undone N002 error "p/web goes through world" detour no_detour
check "N002 is not reported for a strict reverse path filter alone" strict_alone_is_fine
check "N003 a FORWARD chain that drops everything" broken_and_undone N003 error "inet closed forward" closed opened
check "N003 a FORWARD chain with rules is only a warning" broken_and_undone N003 warning "1 rules" closed_with_rules opened
check "N003 is gone with a rule whose comment is weir" broken_and_undone N003 error "inet closed" closed settled
opened
check "N003 by iptables" broken_and_undone N003 error "ip filter FORWARD" by_iptables by_iptables_undone
check "N005 a program that is not attached" broken_and_undone N005 error "from_pod is not attached to device $device" detached attached
check "N007 MTUs of the two ends of a veth differ" broken_and_undone N007 warning "1300" small_mtu full_mtu
check "N008 rules of kube-proxy" broken_and_undone N008 warning "2 chains" kube_proxy kube_proxy_gone
check "N010 gc is not running" broken_and_undone N010 warning "gc is not running" gc_gone attached
check "N011 enforcement is off" broken_and_undone N011 warning "off" enforce_off enforce_on
check "N012 a recorded device is gone" broken_and_undone N012 warning "4711" record_of_nothing no_record
check "N013 a planned pod without an attachment record" broken_and_undone N013 error "p/web is not attached" record_lost record_restored
check "N013 a record that is newer than the last load" record_is_new
check "N014 a held pod, beside the planned one" held_and_undone
check "N015 a record that is not valid" broken_and_undone N015 error "p_web.json: not JSON" record_broken record_restored
check "N016 a new address of the node" broken_and_undone N016 error "198.51.100.77 of this node came after" new_address no_new_address
check "N016 an address that the node has no more" lost_address
check "N017 route_localnet" broken_and_undone N017 warning "$device 1" loopback_open loopback_closed
check "N018 DNAT in the stack" broken_and_undone N018 warning "chain ip foreign ports" dnat dnat_gone
check "N018 is not reported for rules with the word weir" dnat_settled
check "N018 by iptables" broken_and_undone N018 warning "chain ip nat PREROUTING" dnat_by_iptables dnat_by_iptables_gone
check "N019 router advertisements" broken_and_undone N019 warning "accept_ra = 2" accept_ra refuse_ra
check "N020 a tunnel without proof of the sender" broken_and_undone N020 warning "vx0 (vxlan)" tunnel tunnel_gone
check "N020 is not reported if a rule says weir-overlay" tunnel_settled
check "N023 a tunnel that came after the load" tunnel_is_new
check "N023 a tunnel that is gone" broken_and_undone N023 warning "UDP port 4789 was a tunnel" tunnel_is_gone attached
if [ -e /proc/sys/net/bridge ]; then
	check "N004 is info, and an error beside N003" bridge_nf
fi
check "N021 a plan file that is not valid" broken_and_undone N021 error "plan-" plan_broken attached
check "N006 a table that is nearly full" full_table

finish
