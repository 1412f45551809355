#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# weir sandbox with several Node objects: each is a namespace and an instance of its own, with the
# pods that name it; packets between them are routed. The nodes change with the manifests.
set -u

# shellcheck source=tests/lib/cli.sh disable=SC1091
. "$(dirname "$0")/../lib/cli.sh"
instance nodes

node() {
	printf 'apiVersion: v1\nkind: Node\nmetadata: {name: %s}\n' "$1"
	printf 'status: {addresses: [{type: InternalIP, address: %s}, {type: InternalIP, address: "%s"}]}\n---\n' "$2" "$3"
}

# node_pod NAME NODE [MORE]: labels app: NAME
node_pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: p, labels: {app: %s}}\n' "$1" "$1"
	printf 'spec: {nodeName: %s, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]%s}\n---\n' "$2" "${3-}"
}

manifests() {
	node n1 192.0.2.1 2001:db8:2::1
	node n2 192.0.2.2 2001:db8:2::2
	node_pod client n1
	node_pod near n1
	node_pod far n2
	node_pod host n2 ', hostNetwork: true'
	cat <<-'END'
		apiVersion: v1
		kind: Service
		metadata: {name: far, namespace: p}
		spec: {selector: {app: far}, ports: [{port: 8000, targetPort: 80}]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: near, namespace: p}
		spec: {selector: {app: near}, ports: [{port: 8000, targetPort: 80}]}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: local, namespace: p}
		spec: {internalTrafficPolicy: Local, selector: {app: far}, ports: [{port: 8000, targetPort: 80}]}
		---
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: far, namespace: p}
		spec: {podSelector: {matchLabels: {app: far}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}
	END
}

up() { # with both topologies, each pair of pods is measured as its own node's plan says
	exits 0 sandbox up -f "$dir/a.yaml" --topology "$1" &&
		grep -q "node n2: sandbox exec node/n2, --name ${NAME}_n2" "$dir/err"
}

connections() {
	json 'all(i["measured"] == i["verdict"] for i in d["items"]) and
		{(i["from"], i["to"], i["verdict"]) for i in d["items"]} >= {
			("p/client", "p/far", "allow"), ("p/near", "p/far", "deny"), ("p/far", "p/near", "allow"),
			("p/client", "p/host", "allow"), ("world", "p/far", "deny"), ("node", "p/far", "allow")} and
		{(s["service"], s["from"], s["expected"], s["agrees"]) for s in d["services"]} >= {
			("p/far", "p/client", "allow", True), ("p/far", "p/near", "deny", True),
			("p/far", "p/far", "allow", True), ("p/local", "p/far", "allow", True),
			("p/local", "p/client", "deny", True)}' 0 sandbox probe -q -f "$dir/a.yaml" -o json
}

# The node of an instance is the one whose tables it has.
instances() {
	json '{i["pod"] for i in d["items"]} == {"p/client", "p/near"}' 0 get pods -o json &&
		NAME=${NAME}_n2 json '{i["pod"] for i in d["items"]} == {"p/far"}' 0 get pods -o json &&
		NAME=${NAME}_n2 exits 0 why p/client p/far:80 && NAME=${NAME}_n2 exits 1 why p/near p/far:80
}

# runs WHERE: the address of its node
on() {
	"$W" sandbox exec --name "$NAME" "$1" -- ip -4 -o address show lo scope global | grep -o '192[.0-9]*'
}

inside() {
	[ "$(on node) $(on node/n1) $(on node/n2) $(on p/host)" = "192.0.2.1 192.0.2.1 192.0.2.2 192.0.2.2" ] &&
		! on node/n3 2>"$dir/err" && grep -q "has no node/n3" "$dir/err"
}

# The processes of each node reach Services by its own plan; far's policy admits its own node alone.
nodes_processes() {
	local near far own
	near=$(address near) && far=$(address far) && own=$(address local) || return
	asks node "$near" near && asks node/n2 "$near" near && asks node/n2 "$far" far && asks node/n2 "$own" far &&
		! asks node "$far" far && ! asks node "$own" far
}

address() { # SERVICE: its IPv4 address, as the sandbox assigned it
	exits 0 get services -o json && python3 -c 'import json,sys
print(next(s["frontend"].split(":")[0] for s in json.load(open(sys.argv[1]))["items"]
	if s["service"] == "p/%s/TCP" % sys.argv[2] and s["family"] == "IPv4"))' "$dir/out" "$1"
}

asks() { # WHERE ADDRESS POD: a connection to port 8000 is answered by the pod
	"$W" sandbox exec --name "$NAME" "$1" -- timeout 2 bash -c "exec 3<>/dev/tcp/$2/8000 && echo >&3 && read -r pod _ <&3 && [ \"\$pod\" = p/$3 ]"
}

# far's address stays, the routes to it change.
a_pod_moves() {
	sed '/name: far, namespace: p, labels/,/nodeName/ s/nodeName: n2/nodeName: n1/' "$dir/a.yaml" >"$dir/b.yaml"
	exits 0 sandbox up -q -f "$dir/b.yaml" &&
		json 'all(i["measured"] == i["verdict"] for i in d["items"])' 0 sandbox probe -q -f "$dir/b.yaml" -o json &&
		json '{i["pod"] for i in d["items"]} == {"p/client", "p/near", "p/far"}' 0 get pods -o json &&
		exits 0 sandbox up -q -f "$dir/a.yaml"
}

a_node_goes() {
	sed '1,/^---/!b' "$dir/a.yaml" | awk 'BEGIN {RS = "---\n"; ORS = "---\n"} !/name: n2}/' | sed 's/nodeName: n2/nodeName: n1/' >"$dir/c.yaml"
	exits 0 sandbox up -q -f "$dir/c.yaml" --topology bridge && [ ! -e "/sys/fs/bpf/weir-${NAME}_n2" ] && [ ! -e "/run/weir-${NAME}_n2" ] &&
		[ ! -e "/run/netns/weir-${NAME}_node.n2" ] &&
		json 'all(i["measured"] == i["verdict"] for i in d["items"])' 0 sandbox probe -q -f "$dir/c.yaml" -o json &&
		[ -n "$(addresses p/far)" ] && ! ip -n "weir-${NAME}_node" neigh show proxy | grep -F "$(addresses p/far)"
}

# a.yaml has nodes n1 and n2; now one between them by name.
a_node_between() { # up with it, or without
	case $1 in
	with) { node n11 192.0.2.11 2001:db8:2::11 && node_pod mid n11 && cat "$dir/a.yaml"; } >"$dir/e.yaml" ;;
	without) cp "$dir/a.yaml" "$dir/e.yaml" ;;
	esac
	exits 0 sandbox up -q -f "$dir/e.yaml" && exits 0 sandbox probe -q -f "$dir/e.yaml"
}

# A call that ends between two of a new pod's records; the next one has the pod on another node.
an_unfinished_pod_moves() {
	local record=/run/weir-$NAME/sandbox/p_mid.pod
	{ node_pod mid n2 && cat "$dir/a.yaml"; } >"$dir/e.yaml"
	{ node_pod mid n1 && cat "$dir/a.yaml"; } >"$dir/f.yaml"
	mkdir "$record"
	exits 6 sandbox up -q -f "$dir/e.yaml"
	rmdir "$record"
	exits 0 sandbox up -q -f "$dir/f.yaml" && exits 0 sandbox probe -q -f "$dir/f.yaml"
}

addresses() {
	"$W" sandbox exec --name "$NAME" "$1" -- ip -j address show eth0 scope global | grep -o '"local":"[^"]*' | cut -d'"' -f4
}

# An instance of this machine that has the name of a node's: its enforcement goes on.
machine_instance_stays() {
	local other=${NAME}_n2
	mkdir -p "/run/weir-$other/pods"
	pod far far 10.1.2.3 >"$dir/m.yaml"
	unshare -n bash -s <<-END
		ip link add v0 type veth peer v1
		printf '{"apiVersion": "weir.dev/v1", "kind": "Attachment", "namespace": "p", "name": "far", "uid": "", "netns": "",
			"ifindex": %s, "mac": "%s", "addresses": ["10.1.2.3"]}' "\$(ip -o link show v0 | cut -d: -f1)" \
			"\$(ip -o link show v1 | grep -o 'ether [0-9a-f:]*' | cut -d' ' -f2)" >/run/weir-$other/pods/p_far.json
		"$W" load -q --node n1 -f "$dir/m.yaml" --name $other
	END
	exits 5 sandbox up -q -f "$dir/a.yaml" && grep -q "instance $other is attached to pods of this machine" "$dir/err" &&
		exits 0 sandbox down -q && [ -L "/sys/fs/bpf/weir-$other/netns" ] && [ -e "/run/weir-$other/pods/p_far.json" ] || return
	rm "/run/weir-$other/pods/p_far.json"
	NAME=$other exits 0 uninstall -q
}

refused() { # STATUS TEXT SED: the running sandbox stays
	sed "$3" "$dir/a.yaml" >"$dir/d.yaml"
	exits "$1" sandbox up -q -f "$dir/d.yaml" && grep -q "$2" "$dir/err" && exits 0 sandbox probe -q -f "$dir/a.yaml"
}

# Also of a record that a killed process did not finish.
nothing_is_left() {
	: >"/run/weir-$NAME/pods/p_client.json.4194304"
	exits 0 sandbox down -q && [ -z "$(find /sys/fs/bpf /run /run/netns -maxdepth 1 -name "weir-$NAME*")" ]
}

# Ctrl-C while nodes are wired: the rest of them is not, and what there is is removed.
ends_when_interrupted() {
	local i up
	for i in $(seq 100); do
		node "n$i" "192.0.2.$i" "2001:db8:2::$i"
	done >"$dir/many.yaml"
	bash -c 'trap - INT; exec "$@"' - "$W" sandbox up --name "$NAME" -f "$dir/many.yaml" 2>"$dir/err" &
	up=$!
	until [ -e "/run/netns/weir-${NAME}_node.n2" ] || ! kill -0 $up; do sleep 0.01; done
	kill -INT $up
	wait $up
	grep -q '^weir: interrupted' "$dir/err" && ! grep 'node and world wired' "$dir/err" &&
		[ -z "$(find /sys/fs/bpf /run /run/netns -maxdepth 1 -name "weir-$NAME*")" ]
}

# answer ADDRESS PORT: the pod and the client that it sees, for a client outside
answer() {
	"$W" sandbox exec --name "$NAME" world -- timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2 && echo >&3 && read -r pod _ client _ <&3 && echo \"\$pod \$client\""
}

# The server is on n2: n1 sends in its own name; Local keeps the client's address, or is silent.
node_ports() {
	local client=198.51.100.1 r=0
	exits 0 sandbox up -q -f policies/nodes || return
	[ "$(answer 192.0.2.1 30080)" = "web/server 192.0.2.1" ] && [ "$(answer 192.0.2.2 30080)" = "web/server $client" ] &&
		[ "$(answer 192.0.2.2 30081)" = "web/server $client" ] && ! answer 192.0.2.1 30081 &&
		[ "$(answer 2001:db8:2::1 30080)" = "web/server 2001:db8:2::1" ] &&
		[ "$(answer 2001:db8:2::2 30081)" = "web/server 2001:db8:ffff:ffff::1" ] || r=1
	exits 0 sandbox probe -q -f policies/nodes && return $r
}

# pods_of WHERE ADDRESS PORT: how many pods answer ten connections
pods_of() {
	# shellcheck disable=SC2016 # the inner shell expands
	"$W" sandbox exec --name "$NAME" "$1" -- bash -c 'for i in {1..10}; do
		exec 3<>"/dev/tcp/$0/$1" && echo >&3 && read -r pod _ <&3 && echo "$pod"; exec 3<&-
	done' "$2" "$3" | sort -u | wc -l
}

# affinity KIND TEST: how many of four pods, on both nodes, answer a client, by test against 1
affinity() {
	local vip
	{
		manifests
		printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: sticky, namespace: p}\nspec: {type: NodePort, '
		printf 'sessionAffinity: %s, selector: {kind: b}, ports: [{port: 8000, targetPort: 80, nodePort: 30099}]}\n' "$1"
		for i in 1 2 3 4; do
			printf -- '---\n' && node_pod "b$i" "n$((i % 2 + 1))" | sed "s/app: b$i/kind: b/"
		done
	} >"$dir/e.yaml"
	exits 0 sandbox up -q -f "$dir/e.yaml" && vip=$(address sticky) || return
	for client in p/client node node/n2; do
		test "$(pods_of $client "$vip" 8000)" "$2" 1 || return
	done
	test "$(pods_of p/client 192.0.2.1 30099)" "$2" 1 && test "$(pods_of world 192.0.2.1 30099)" "$2" 1 &&
		test "$(pods_of world 192.0.2.2 30099)" "$2" 1
}

manifests >"$dir/a.yaml"
check "up makes a node for each Node object, and says how to name it" up ptp
check "pods of different nodes connect as both nodes' plans say, directly and through Services (SVC-30, SVC-34)" connections
check "each node has tables of its own pods, and answers why" instances
check "exec runs on the node that is named" inside
check "processes of each node reach Services by its plan (SVC-33, SVC-34)" nodes_processes
check "on bridges as well" up bridge
check "pods on different bridges connect as the plans say" connections
check "a pod that moves to another node keeps its address" a_pod_moves
check "another first node is refused" refused 5 "first node of sandbox $NAME is n1" 's/name: n1}/name: n0}/; s/nodeName: n1/nodeName: n0/'
check "a Namespace called node is refused" refused 4 "Pod node/client" 's/name: client, namespace: p/name: client, namespace: node/'
check "a node's name that no instance can have is refused" refused 4 "Node n2.example" 's/name: n2}/name: n2.example}/; s/nodeName: n2/nodeName: n2.example/'
check "both nodes have bridges again" up bridge
check "a node that the manifests no longer have is removed" a_node_goes
check "it comes back" exits 0 sandbox up -q -f "$dir/a.yaml"
check "a node comes whose name is between theirs" a_node_between with
check "and goes" a_node_between without
check "a pod that a call left unfinished moves to another node" an_unfinished_pod_moves
check "a client of any kind stays at its backend (SVC-70, SVC-77)" affinity ClientIP -eq
check "without affinity it does not (SVC-73)" affinity None -gt
check "clients outside reach node ports of every node, by its traffic policy (SVC-35, SVC-38, SVC-62, B.9)" node_ports
check "down removes all nodes" nothing_is_left
check "interrupted while nodes are wired, up ends and leaves nothing" ends_when_interrupted
check "an instance of the machine is neither taken nor removed" machine_instance_stays

finish
