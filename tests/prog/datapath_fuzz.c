// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random frames at every hook: composed of what hosts and pods send, and changed byte by byte. For
 * each frame holds: it has one reason, and the verdict of that reason; nothing but neighbour
 * discovery reaches an isolated pod or leaves one; if its sums were right, they are afterwards.
 * After some frames: every entry belongs to a pod and to a gc slot.
 *
 * Frames that once got through are in corpus[]: each run begins with them, and changes them too.
 * WEIR_FUZZ_SECONDS: how long, for each family.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include <weir/reason.h>

#include "base/mem.h"
#include "lib/prog_env.h"
#include "lib/random.h"

#define SECONDS 15
#define ROUND 500 /* frames between two checks of the tables */
#define ISOLATED POD_B /* is sent packets only: nothing may reach it */
#define CONFINED POD_D /* sends only: nothing of it may pass, except to its node (NP-42) */
#define TARGET 8080
#define DENY weir_word_verdict(WEIR_WORD_DENY, 0)
#define OVERLAY 4789

struct frame {
	struct prog_arrival at;
	struct packet packet;
};

struct fuzz {
	struct prog_env *env;
	struct random random;
	uint64_t sent, passed;
};

/* ---- Frames ---- */

static const enum party parties[] = { POD_A,      POD_B, POD_C, REMOTE_A, NODE,
				      OTHER_NODE, VIP_1, VIP_2, UNLISTED };
static const uint16_t ports[] = { 53, 67, 68, 80, 546, 547, OVERLAY, TARGET, 30000, 30001 };
static const uint8_t protos[] = { IPPROTO_TCP,  IPPROTO_TCP,    IPPROTO_UDP,  IPPROTO_UDP,
				  IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_GRE,
				  IPPROTO_IPIP, IPPROTO_IPV6,   IPPROTO_ESP };
static const uint8_t icmp_types[] = { 0,   3,   5,   8,   11,  12,  1,   2,  4,
				      128, 129, 130, 133, 134, 135, 136, 137 };
static const uint8_t extensions[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING,
				      IPPROTO_FRAGMENT };

#define PICK(f, array) ((array)[random_below(&(f)->random, ARRAY_SIZE(array))])

static struct prog_arrival random_arrival(struct fuzz *f)
{
	static const enum party senders[] = { POD_A, POD_C, CONFINED },
				receivers[] = { POD_A, POD_C, ISOLATED };
	const uint32_t from[] = { PROG_UPLINK, PROG_BRIDGE, PROG_DEVICE(POD_A), PROG_DEVICE(POD_C),
				  0 };

	return random_percent(&f->random, 50) ? FROM_POD(PICK(f, senders))
					      : TO_POD(PICK(f, receivers), PICK(f, from));
}

static void add_extensions(struct fuzz *f, struct packet_spec *spec)
{
	unsigned int n = random_percent(&f->random, 70) ? 0 : random_below(&f->random, 4);

	for (unsigned int i = 0; i < n && f->env->family; i++)
		spec->extensions[spec->n_extensions++] =
			(struct packet_extension){ PICK(f, extensions), 0 };
}

/* Mostly from the pod at whose device it arrives, or to it. */
static struct packet_spec random_spec(struct fuzz *f, struct prog_arrival at)
{
	struct prog_env *env = f->env;
	enum party src = PICK(f, parties), dst = PICK(f, parties);
	struct packet_spec spec = { .proto = PICK(f, protos),
				    .sport = PICK(f, ports),
				    .dport = PICK(f, ports),
				    .tcp_flags = random_below(&f->random, 0x20),
				    .icmp_type = PICK(f, icmp_types),
				    .icmp_code = random_below(&f->random, 3),
				    .icmp_id = random_below(&f->random, 3),
				    .hops = random_percent(&f->random, 30) ? 255 : 0,
				    .payload = random_below(&f->random, 64) };

	if (random_percent(&f->random, 80))
		*(at.hook == PROG_FROM_POD ? &src : &dst) = at.pod;
	spec.src = prog_addr(env, src);
	spec.dst = prog_addr(env, dst);
	if (random_percent(&f->random, 10))
		spec.fragment = random_below(&f->random, 0x10000);
	if (random_percent(&f->random, 5))
		spec.v4_options = random_below(&f->random, 10);
	add_extensions(f, &spec);
	return spec;
}

/* As packet_build(), with the MAC of the pod that sends it. */
static struct packet built(const struct fuzz *f, struct prog_arrival at, struct packet_spec spec)
{
	static const uint8_t none[6];

	if (at.hook == PROG_FROM_POD && !memcmp(spec.src_mac, none, sizeof(none)))
		prog_mac(at.pod, spec.src_mac);
	return packet_build(&spec);
}

/* An ICMP error about another random packet. */
static struct packet random_error(struct fuzz *f, struct prog_arrival at)
{
	struct packet_spec quoted = random_spec(f, at), spec = random_spec(f, at);
	struct packet about;

	quoted.n_extensions = 0;
	about = packet_build(&quoted);
	spec.proto = f->env->family ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	spec.icmp_type = f->env->family ? 1 : 3;
	spec.n_extensions = 0;
	spec.quoted = &about;
	return built(f, at, spec);
}

static struct packet random_arp(struct fuzz *f, struct prog_arrival at)
{
	struct packet_arp_spec spec = { .operation = random_between(&f->random, 1, 2),
					.sender = prog_addr(f->env, PICK(f, parties)),
					.target = prog_addr(f->env, PICK(f, parties)) };

	prog_mac(at.pod, spec.src_mac);
	prog_mac(random_below(&f->random, POD_C + 1), spec.sender_mac);
	return packet_arp(&spec);
}

/* Changes, removes or appends some bytes. */
static void change(struct fuzz *f, struct packet *p)
{
	for (unsigned int n = random_between(&f->random, 1, 4); n--;)
		p->data[12 + random_below(&f->random, p->len - 12)] ^=
			1 << random_below(&f->random, 8);
	if (random_percent(&f->random, 20) && p->len > 60)
		p->len -= random_below(&f->random, p->len - 60);
	if (random_percent(&f->random, 10))
		p->len += random_below(&f->random, 32);
}

/* ---- Corpus: frames that once got through ---- */

typedef struct frame corpus_frame(const struct fuzz *f);

/* One atomic fragment from outside that claims to be the node's. */
static struct frame atomic_fragment(const struct fuzz *f)
{
	struct packet_spec spec = prog_udp(f->env, NODE, 30000, ISOLATED, 53);

	spec.n_extensions = f->env->family;
	spec.extensions[0].type = IPPROTO_FRAGMENT;
	return (struct frame){ TO_POD(ISOLATED, PROG_UPLINK), packet_build(&spec) };
}

static struct frame to_overlay_port(const struct fuzz *f)
{
	struct packet_spec spec = prog_udp(f->env, CONFINED, 30000, NODE, OVERLAY);

	spec.payload = 40;
	return (struct frame){ FROM_POD(CONFINED), built(f, FROM_POD(CONFINED), spec) };
}

static struct frame to_loopback(const struct fuzz *f)
{
	struct packet_spec spec = prog_tcp(f->env, CONFINED, 30000, NODE, 80, SYN);

	spec.dst = f->env->family ? (struct weir_addr){ .b = { [15] = 1 } }
				  : weir_addr_from_v4(htonl(INADDR_LOOPBACK));
	return (struct frame){ FROM_POD(CONFINED), built(f, FROM_POD(CONFINED), spec) };
}

static struct frame router_advertisement(const struct fuzz *f)
{
	struct packet_spec spec = prog_echo(f->env, CONFINED, NODE, 0, false);

	spec.icmp_type = f->env->family ? 134 : 5;
	spec.hops = 255;
	spec.payload = 8;
	return (struct frame){ FROM_POD(CONFINED), built(f, FROM_POD(CONFINED), spec) };
}

static struct frame dhcp_broadcast(const struct fuzz *f)
{
	struct packet_spec spec = prog_udp(f->env, CONFINED, 67, NODE, 68);

	if (!f->env->family)
		spec.dst = weir_addr_from_v4(INADDR_BROADCAST);
	return (struct frame){ FROM_POD(CONFINED), built(f, FROM_POD(CONFINED), spec) };
}

static struct frame neighbours_mac(const struct fuzz *f)
{
	struct packet_spec spec = prog_udp(f->env, CONFINED, 30000, NODE, 53);

	prog_mac(POD_A, spec.src_mac);
	return (struct frame){ FROM_POD(CONFINED), packet_build(&spec) };
}

static corpus_frame *const corpus[] = { atomic_fragment,      to_overlay_port, to_loopback,
					router_advertisement, dhcp_broadcast,  neighbours_mac };

static struct frame random_frame(struct fuzz *f)
{
	struct frame frame = { .at = random_arrival(f) };
	unsigned int kind = random_below(&f->random, 100);

	if (kind < 10)
		frame = PICK(f, corpus)(f);
	else if (kind < 20)
		frame.packet = random_error(f, frame.at);
	else if (kind < 25)
		frame.packet = random_arp(f, frame.at);
	else
		frame.packet = built(f, frame.at, random_spec(f, frame.at));
	if (random_percent(&f->random, 50))
		change(f, &frame.packet);
	return frame;
}

/* ---- What must hold ---- */

static struct weir_addr dst_of(const struct packet *p)
{
	const uint8_t *ip = p->data + PACKET_L3;
	struct weir_addr a;

	if (ip[0] >> 4 == 4) {
		memcpy(&a.w[3], ip + 16, 4);
		return weir_addr_from_v4(a.w[3]);
	}
	memcpy(a.b, ip + 24, sizeof(a.b));
	return a;
}

static bool is_party(const struct fuzz *f, const struct weir_addr *a, enum party party)
{
	struct weir_addr want = prog_addr(f->env, party);

	return weir_addr_equal(a, &want);
}

/* Neighbour discovery and ARP pass every policy. */
static bool is_exempt(const struct prog_sent *sent)
{
	return sent->reason == WEIR_NOT_IP || sent->reason == WEIR_NEIGHBOUR;
}

/* NULL, or what policy did not stop. */
static const char *policy_broken(const struct fuzz *f, const struct frame *in,
				 const struct prog_sent *sent)
{
	struct weir_addr dst = dst_of(&sent->out);

	if (weir_verdict_of(sent->reason) != WEIR_PASS || is_exempt(sent))
		return NULL;
	if (in->at.hook == PROG_TO_POD)
		/* without an input device the node itself may be the sender */
		return in->at.pod == ISOLATED && in->at.from ? "reached the isolated pod" : NULL;
	if (is_party(f, &dst, ISOLATED))
		return "was sent to the isolated pod";
	if (in->at.pod != CONFINED || is_party(f, &dst, NODE) || is_party(f, &dst, CONFINED))
		return NULL;
	return "left the confined pod";
}

static const char *verdict_broken(const struct prog_sent *sent)
{
	if (sent->reason < 0)
		return "has no reason, or several";
	switch (weir_verdict_of(sent->reason)) {
	case WEIR_PASS:
		return sent->verdict == TC_ACT_SHOT ? "dropped with a reason to pass" : NULL;
	case WEIR_DROP:
		return sent->verdict == TC_ACT_SHOT ? NULL : "passed with a reason to drop";
	default:
		return sent->verdict == TC_ACT_SHOT || sent->verdict == TC_ACT_REDIRECT
			       ? NULL
			       : "passed with a reason to reject";
	}
}

static const char *sums_broken(const struct frame *in, const struct prog_sent *sent)
{
	struct packet_spec spec;

	if (sent->verdict == TC_ACT_SHOT || packet_read(&in->packet, &spec))
		return NULL;
	return packet_read(&sent->out, &spec);
}

static void fail_frame(const struct fuzz *f, const struct frame *in, const struct prog_sent *sent,
		       const char *what)
{
	print_message("# %s pod %d from device %u:", in->at.hook == PROG_FROM_POD ? "from" : "to",
		      in->at.pod, in->at.from);
	for (uint32_t i = 0; i < in->packet.len; i++)
		print_message(" %02x", in->packet.data[i]);
	fail_msg("frame %llu, verdict %d reason %s: %s", (unsigned long long)f->sent, sent->verdict,
		 prog_reason(sent->reason), what);
}

static void send_one(struct fuzz *f, const struct frame *frame)
{
	struct prog_sent sent = prog_send(f->env, frame->at, &frame->packet);
	const char *wrong = verdict_broken(&sent);

	f->sent++;
	f->passed += sent.verdict != TC_ACT_SHOT;
	if (!wrong)
		wrong = policy_broken(f, frame, &sent);
	if (!wrong)
		wrong = sums_broken(frame, &sent);
	if (wrong)
		fail_frame(f, frame, &sent, wrong);
}

/* Every entry has a pod of this node at one end at least, and a gc slot. */
static void check_tables(const struct fuzz *f)
{
	const char *wrong = prog_gc_slots_check(f->env, NULL);
	struct weir_tuple key, next;
	struct weir_flow flow;
	void *at = NULL;

	if (wrong)
		fail_msg("after %llu frames: %s", (unsigned long long)f->sent, wrong);
	while (!bpf_map_get_next_key(prog_map(f->env, "conntrack"), at, &next)) {
		key = next;
		at = &key;
		prog_get(f->env, "conntrack", &key, &flow);
		assert_true(flow.end[0].ref || flow.end[1].ref);
	}
}

static void change_tables(struct fuzz *f)
{
	switch (random_below(&f->random, 4)) {
	case 0:
		prog_pod_renew(f->env, random_percent(&f->random, 50) ? POD_A : POD_C);
		break;
	case 1:
		prog_backend(f->env, 1, 1, POD_C, TARGET, random_below(&f->random, 3));
		prog_service_epoch(f->env);
		break;
	case 2:
		prog_flows_age(f->env, 100);
		break;
	default:
		prog_policy_epoch(f->env);
	}
}

static void set_up(struct fuzz *f)
{
	struct prog_env *env = f->env;
	struct weir_config config = prog_config(env);

	config.overlay_ports[OVERLAY / 64] |= 1ull << (OVERLAY % 64);
	config.half_open_max = config.gc_slots / WEIR_HALF_OPEN_PARTS;
	config.half_open_share = config.half_open_max / WEIR_SHARE_PARTS;
	config.flow_share = config.gc_slots / WEIR_SHARE_PARTS;
	prog_config_set(env, &config);
	prog_serve(env, 1, 80, IPPROTO_TCP, POD_C, TARGET);
	prog_serve(env, 2, 80, IPPROTO_UDP, ISOLATED, TARGET);
	prog_policy_default(env, 1, DENY);
	prog_pod(env, ISOLATED, 1, 1, 0, 0);
	prog_pod(env, CONFINED, 1, 1, 0, 0);
	prog_policy_epoch(env);
}

static double seconds(void)
{
	const char *text = getenv("WEIR_FUZZ_SECONDS");

	return text ? atof(text) : SECONDS;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void random_frames_hold_every_invariant(void **state)
{
	struct fuzz f = { .env = *state };
	uint64_t seed = random_seed();
	double end = now() + seconds();

	f.random.state = seed;
	print_message("# repeat with WEIR_SEED=%llu\n", (unsigned long long)seed);
	set_up(&f);
	for (size_t i = 0; i < ARRAY_SIZE(corpus); i++) {
		struct frame frame = corpus[i](&f);

		send_one(&f, &frame);
	}
	while (now() < end) {
		for (int i = 0; i < ROUND; i++) {
			struct frame frame = random_frame(&f);

			send_one(&f, &frame);
		}
		check_tables(&f);
		change_tables(&f);
	}
	print_message("# %llu frames, %llu not dropped\n", (unsigned long long)f.sent,
		      (unsigned long long)f.passed);
	assert_true(f.passed > f.sent / 50); /* the frames reach what is behind the parser */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FOR_BOTH(random_frames_hold_every_invariant),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
