// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Network namespaces, and the instances loaded in them. See stage.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/attach.h"
#include "base/mem.h"
#include "lib/large_cluster.h"
#include "peers.h"
#include "stage.h"

#define NODE "node"
#define WORLD "198.51.100.1" /* as `weir sandbox` assigns it */
#define SERVER_NUMBER (244 << 16 | 2) /* 10.244.0.2, as lib/large_cluster.h numbers endpoints */

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static const char *weir(void)
{
	return getenv("WEIR_BIN") ?: "build/weir";
}

void stage_enter(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) || mkdir("/run/netns", 0755))
		die("needs root, namespaces and a BPF file system");
}

void stage_run(const char *fmt, ...)
{
	_cleanup_(mem_free) char *line = NULL;
	va_list ap;
	int status;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	status = system(line);
	if (status) {
		fprintf(stderr, "bench: exit status %d: %s\n", WEXITSTATUS(status), line);
		exit(1);
	}
}

/* ---- Namespaces ---- */

static void put_pod(FILE *f, const char *name, const char *addr)
{
	fprintf(f,
		",{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"labels\":"
		"{\"app\":\"%s\"}},\"spec\":{\"nodeName\":\"" NODE
		"\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},"
		"\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}],"
		"\"podIP\":\"%s\",\"podIPs\":[{\"ip\":\"%s\"}]}}\n",
		name, name, addr, addr);
}

static FILE *list_open(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die(path);
	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":"
	      "{\"name\":\"" NODE
	      "\"},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.199.0.1\"}]}}\n",
	      f);
	put_pod(f, "client", STAGE_CLIENT);
	put_pod(f, "server", STAGE_SERVER);
	put_pod(f, "flood", STAGE_FLOOD);
	return f;
}

static void list_close(FILE *f)
{
	fputs("]}\n", f);
	if (fclose(f))
		die("cannot write manifests");
}

void stage_up(struct stage *s, const char *name)
{
	_cleanup_(mem_free) char *client = mem_printf("weir-%s_default_client", name);
	_cleanup_(mem_free) char *server = mem_printf("weir-%s_default_server", name);

	s->name = name;
	list_close(list_open("/run/stage.json"));
	stage_run(
		"%s sandbox up -q --no-datapath --name %s -f /run/stage.json >/run/stage.out 2>&1",
		weir(), name);
	traffic_start(&s->traffic, client, server);
}

void stage_down(struct stage *s)
{
	traffic_stop(&s->traffic);
	stage_run("%s sandbox down -q --name %s >/run/stage.out 2>&1", weir(), s->name);
}

void stage_enter_node(const struct stage *s)
{
	_cleanup_(mem_free) char *path = mem_printf("/run/netns/weir-%s_node", s->name);
	FILE *f = fopen(path, "re");

	if (!f || setns(fileno(f), CLONE_NEWNET))
		die(path);
	fclose(f);
}

void stage_load_services(const struct stage *s, bool nft, int services)
{
	struct peer_services peer = { services, services / 2, STAGE_SERVER };
	FILE *f = fopen("/run/rules", "we");

	if (!f)
		die("cannot write rules");
	if (nft)
		peer_nft(f, &peer);
	else
		peer_iptables(f, &peer);
	fclose(f);
	stage_run("nsenter --net=/run/netns/weir-%s_node %s /run/rules", s->name,
		  nft ? "nft -f" : "iptables-restore");
}

uint32_t stage_service_addr(int services)
{
	return htonl(172u << 24 | 20u << 16 | (services / 2));
}

void stage_start_flood(const struct stage *s, struct flood *flood)
{
	_cleanup_(mem_free) char *netns = mem_printf("weir-%s_default_flood", s->name);

	stage_run("ip -n weir-%s_world route add blackhole " FLOOD_NETWORK, s->name);
	stage_run("ip -n weir-%s_node route add " FLOOD_NETWORK " via " WORLD " dev world onlink",
		  s->name);
	flood_start(flood, netns);
}

uint64_t stage_conntrack(const struct stage *s, const char *what)
{
	_cleanup_(mem_free) char *command = mem_printf(
		"nsenter --net=/run/netns/weir-%s_node cat /proc/sys/net/netfilter/nf_conntrack_%s",
		s->name, what);
	FILE *f = popen(command, "r");
	unsigned long long n;

	if (!f || fscanf(f, "%llu", &n) != 1 || pclose(f))
		die(command);
	return n;
}

/* ---- Instances ---- */

static void put_policies(FILE *f, const struct instance *i)
{
	static const char head[] =
		",{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":"
		"{\"name\":\"%s-%d\",\"namespace\":\"default\"},\"spec\":{\"podSelector\":"
		"{\"matchLabels\":{\"app\":\"%s\"}},\"policyTypes\":[\"%s\"],";

	for (int p = 0; p < i->policies; p++) {
		bool last = p == i->policies - 1;

		fprintf(f, head, "in", p, "server", "Ingress");
		fprintf(f,
			"\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"%s%d\"}}},{\"ipBlock\":"
			"{\"cidr\":\"10.%d.%d.0/24\"}}],\"ports\":[{\"port\":%d}]}",
			"a", p, 192 + (p >> 8), p & 255, 9000 + p % 1000);
		if (last)
			fprintf(f,
				",{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"client\"}}}],\"ports\":[{\"port\":%d}]}",
				TRAFFIC_PORT);
		fputs("]}}\n", f);
	}
	if (!i->egress)
		return;
	fprintf(f, head, "out", 0, "client", "Egress");
	fprintf(f,
		"\"egress\":[{\"to\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"server\"}}}],\"ports\":[{\"port\":%d}]}]}}\n",
		TRAFFIC_PORT);
}

static void write_manifests(const struct instance *i)
{
	FILE *f = list_open("/run/instance.json");

	for (int s = 0; s < i->services; s++) {
		bool target = s == i->services / 2;

		fputc(',', f);
		large_put_service(f, s);
		fputc(',', f);
		large_put_slice(f, s, target ? 1 : i->endpoints,
				target ? SERVER_NUMBER : s * i->endpoints);
		fputc('\n', f);
	}
	put_policies(f, i);
	list_close(f);
}

/* As a CNI plugin records a pod: ifindex of the host's end, MAC of the pod's end. */
static void record(const struct instance *i, const struct stage *s, const char *pod,
		   const char *addr)
{
	_cleanup_(mem_free) char *netns = mem_printf("/run/netns/weir-%s_default_%s", s->name, pod);
	_cleanup_(mem_free) char *command =
		mem_printf("ip -n weir-%s_default_%s -o link show eth0", s->name, pod);
	struct attachment a = { .ns = "default", .name = pod, .uid = "", .netns = netns };
	FILE *out = popen(command, "r");
	struct weir_err err = {};
	char line[512] = "";
	const char *at, *mac;

	if (!out || !fgets(line, sizeof(line), out) || pclose(out))
		die(command);
	at = strstr(line, "@if");
	mac = strstr(line, "link/ether ");
	if (!at || !mac ||
	    sscanf(mac, "link/ether %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &a.mac[0], &a.mac[1], &a.mac[2],
		   &a.mac[3], &a.mac[4], &a.mac[5]) != 6)
		die("ip link shows no eth0 of the pod");
	a.ifindex = atoi(at + 3);
	a.addr[0] = weir_addr_from_v4(inet_addr(addr));
	if (attachment_write(i->name, &a, &err))
		die(err.text);
}

void instance_load(struct instance *i, const struct stage *s)
{
	struct weir_err err = {};

	write_manifests(i);
	stage_run("mkdir -p /run/weir-%s/pods", i->name);
	record(i, s, "client", STAGE_CLIENT);
	record(i, s, "server", STAGE_SERVER);
	record(i, s, "flood", STAGE_FLOOD);
	stage_run("%s load -q --cgroup none --name %s --node " NODE
		  " -f /run/instance.json >/run/stage.out 2>&1 || "
		  "{ cat /run/stage.out >&2; false; }",
		  weir(), i->name);
	if (node_open(i->name, NODE_WRITE, NULL, &i->node, &err))
		die(err.text);
	instance_hook(i, false);
	i->forwarded = i->dropped = 0;
}

void instance_unload(struct instance *i)
{
	node_close(&i->node);
	stage_run("%s uninstall -q --name %s >/run/stage.out 2>&1", weir(), i->name);
}

void instance_hook(struct instance *i, bool on)
{
	const struct weir_pod *pods = node_array(i->node, WEIR_MAP_pods);
	struct weir_err err = {};
	int done = 0;

	for (uint32_t slot = 1; slot < node_map_max(i->node, WEIR_MAP_pods); slot++) {
		if (!pods[slot].ref)
			continue;
		if (on ? attach_device(i->node, ATTACH_POD, pods[slot].ifindex, &err)
		       : attach_detach(i->node, pods[slot].ifindex, &err))
			die(err.text);
		done++;
	}
	if (done != 3)
		die("an instance does not hold all pods");
}

uint64_t instance_flows(const struct instance *i)
{
	uint64_t sum = node_config(i->node)->entries;

	for (uint32_t bucket = 0; bucket < WEIR_POD_BUCKETS; bucket++) {
		struct weir_flow_share share;

		if (bpf_map_lookup_elem(node_map_fd(i->node, WEIR_MAP_flow_shares), &bucket,
					&share))
			die("cannot read flow_shares");
		sum += share.evicted;
	}
	return sum;
}

static uint64_t counter(const struct instance *i, uint32_t reason)
{
	_cleanup_(mem_free) struct weir_counter *each =
		mem_zalloc(libbpf_num_possible_cpus() * sizeof(*each));
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(node_map_fd(i->node, WEIR_MAP_counters), &reason, each))
		die("cannot read counters");
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += each[cpu].packets;
	return sum;
}

static const bool drops[] = {
#define IS_DROP_PASS false
#define IS_DROP_STEP false
#define IS_DROP_DROP true
#define IS_DROP_REJECT true
#define IS_DROP(name, kind, ...) [WEIR_##name] = IS_DROP_##kind,
	WEIR_REASONS(IS_DROP)
};

void instance_count(struct instance *i, uint64_t *ret_forwarded, uint64_t *ret_dropped)
{
	uint64_t forwarded = counter(i, WEIR_FORWARDED), dropped = 0;

	for (uint32_t reason = 0; reason < _WEIR_REASON_MAX; reason++) {
		uint64_t packets = drops[reason] ? counter(i, reason) : 0;

		dropped += packets;
		if (packets)
			i->last_reason = reason;
	}
	*ret_forwarded = forwarded - i->forwarded;
	*ret_dropped = dropped - i->dropped;
	i->forwarded = forwarded;
	i->dropped = dropped;
}
