// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir observe: the datapath's events as they occur, with names, filtered. Needs no agent. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "analyze/report.h"
#include "cli/event_print.h"
#include "cli/loaded.h"
#include "cli/verbs.h"
#include "inspect/event_stream.h"

#define NS_PER_S 1000000000ull
#define POLL_MS 200
#define LOSSES_EVERY_NS NS_PER_S

struct observe_options {
	struct common_options common;
	const char *pod, *from, *to, *verdict, *policy, *protocol;
	struct option_list reasons;
	uint32_t port, count, timeout;
};

struct observer {
	const struct observe_options *o;
	struct arena arena;
	struct event_filter filter;
	struct live live, before;
	struct naming naming;
	struct event_stream stream;
	struct emit emit;
	uint64_t losses_due_ns;
	uint32_t shown;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- The filter ---- */

static int parse_target(struct observer *ob, const char *option, const char *text,
			const struct target **ret_target)
{
	unsigned int forms =
		TARGET_PORT_OPTION | (!strcmp(option, "from") ? 0 : TARGET_WITH_SERVICE);
	struct target *t = arena_zalloc(&ob->arena, sizeof(*t));
	const char *what = arena_printf(&ob->arena, "--%s", option);
	struct weir_err err = {};

	if (!text)
		return EXIT_OK;
	if (!strcmp(option, "to"))
		forms |= TARGET_WITH_PORT;
	if (target_parse(text, what, forms, &ob->arena, t, &err))
		return cli_fail(EXIT_USAGE, "observe: %s", err.text);
	if (t->kind == TARGET_HOST)
		return cli_fail(EXIT_USAGE, "observe: --%s: '%s' is not NAMESPACE/POD", option,
				text);
	if (t->port_name)
		return cli_fail(EXIT_USAGE, "observe: --%s: port '%s' is not a number", option,
				t->port_name);
	*ret_target = t;
	return EXIT_OK;
}

static int parse_reasons(struct observer *ob)
{
	const struct option_list *list = &ob->o->reasons;

	for (size_t i = 0; i < list->n; i++) {
		int reason = event_reason(list->items[i]);

		if (reason < 0)
			return cli_fail(
				EXIT_USAGE,
				"observe: --reason: no event has the reason '%s'; 'weir status' lists "
				"reasons of drops",
				list->items[i]);
		ob->filter.reasons |= 1ull << reason;
	}
	return EXIT_OK;
}

static void parse_words(struct observer *ob)
{
	static const struct {
		const char *word;
		unsigned int verdicts;
	} verdicts[] = { { "allow", EVENT_ALLOW },
			 { "deny", EVENT_DENY },
			 { "drop", EVENT_DROP | EVENT_REJECT } };
	const struct observe_options *o = ob->o;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (o->verdict && !strcmp(o->verdict, verdicts[i].word))
			ob->filter.verdicts = verdicts[i].verdicts;
	if (o->protocol)
		ob->filter.proto =
			strcmp(o->protocol, "ICMP") ? proto_parse(o->protocol) : IPPROTO_ICMP;
	ob->filter.policy = o->policy;
	ob->filter.port = o->port;
}

static int parse_filter(struct observer *ob)
{
	const struct observe_options *o = ob->o;
	int status = parse_target(ob, "pod", o->pod, &ob->filter.pod);
	struct weir_err err = {};

	if (!status)
		status = parse_target(ob, "from", o->from, &ob->filter.from);
	if (!status)
		status = parse_target(ob, "to", o->to, &ob->filter.to);
	if (!status && ob->filter.from && ob->filter.to &&
	    target_check_families(ob->filter.from, ob->filter.to, &err))
		status = cli_fail(EXIT_USAGE, "observe: %s", err.text);
	if (!status)
		status = parse_reasons(ob);
	if (!status && o->port > 65535)
		status = cli_fail(EXIT_USAGE, "observe: --port %u is not within 1-65535", o->port);
	if (!status && o->policy && !strchr(o->policy, '/'))
		status = cli_fail(EXIT_USAGE, "observe: --policy '%s' is not NAMESPACE/NAME",
				  o->policy);
	parse_words(ob);
	return status;
}

/* ---- Losses ---- */

static void begin_record(struct observer *ob, const char *kind)
{
	if (cli_json(&ob->o->common)) {
		emit_item_begin(&ob->emit);
		emit_text(&ob->emit, "kind", kind);
	} else {
		emit_document_begin(&ob->emit, kind);
	}
}

static void end_record(struct observer *ob)
{
	if (cli_json(&ob->o->common))
		emit_item_end(&ob->emit);
	else
		emit_document_end(&ob->emit);
}

static void tell_loss(uint32_t reason, const struct weir_event_count *n, void *arg)
{
	struct observer *ob = arg;

	if (n->over_budget)
		cli_note(&ob->o->common,
			 "%s: %llu more events, over the rate limit of %u per pod every 134 ms",
			 reason_label(reason), (unsigned long long)n->over_budget,
			 WEIR_EVENT_BUDGET);
	if (n->lost)
		cli_note(&ob->o->common, "%s: %llu events lost: the ring was full",
			 reason_label(reason), (unsigned long long)n->lost);
	if (!ob->emit.gen)
		return;
	begin_record(ob, "EventLoss");
	emit_text(&ob->emit, "reason", reason_label(reason));
	emit_int(&ob->emit, "overBudget", n->over_budget);
	emit_int(&ob->emit, "lost", n->lost);
	end_record(ob);
}

static void losses(struct observer *ob)
{
	event_stream_losses(&ob->stream, tell_loss, ob);
	ob->losses_due_ns = clock_ns(CLOCK_MONOTONIC) + LOSSES_EVERY_NS;
}

/* ---- The stream ---- */

static bool enough(const struct observer *ob)
{
	return ob->o->count && ob->shown >= ob->o->count;
}

static void show(struct observer *ob, const struct event_view *s)
{
	ob->shown++;
	if (!ob->emit.gen) {
		event_print(s, &ob->o->common.out, stdout);
		return;
	}
	begin_record(ob, "Event");
	event_emit(s, &ob->emit);
	end_record(ob);
}

static void on_event(const struct weir_event *e, void *arg)
{
	struct observer *ob = arg;
	struct event_view s;

	if (enough(ob))
		return;
	if (live_was_replaced(&ob->live)) {
		live_reload(&ob->live, &ob->before);
		loaded_note_names(&ob->live, &ob->o->common);
	}
	event_view_make(&s, e, &ob->naming);
	if (s.verdict && event_view_match(&s, &ob->filter))
		show(ob, &s);
}

static int timed_out(const struct observer *ob)
{
	if (!ob->o->count)
		return EXIT_OK;
	return cli_fail(EXIT_TIMEOUT, "timeout after %u s with %u of %u events", ob->o->timeout,
			ob->shown, ob->o->count);
}

/*
 * Runs until --count, --timeout or a signal. What has come by the timeout is read before it counts.
 * Returns the exit status.
 */
static int follow(struct observer *ob)
{
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + ob->o->timeout * NS_PER_S;
	bool last;
	int r;

	while (!stopped && !enough(ob) && !ferror(stdout)) {
		last = ob->o->timeout && clock_ns(CLOCK_MONOTONIC) >= end_ns;
		r = event_stream_poll(&ob->stream, last ? 0 : POLL_MS);
		if (r < 0 && r != -EINTR)
			return cli_fail(EXIT_KERNEL, "cannot read events: %s", strerror(-r));
		fflush(stdout);
		if (access(node_run_dir(ob->live.node), F_OK))
			return cli_fail(EXIT_REACH, "%s is gone: the instance was removed",
					node_run_dir(ob->live.node));
		if (clock_ns(CLOCK_MONOTONIC) >= ob->losses_due_ns)
			losses(ob);
		if (last && !enough(ob))
			return timed_out(ob);
	}
	return EXIT_OK;
}

static int start(struct observer *ob)
{
	struct sigaction action = { .sa_handler = stop };
	struct weir_err err = {};
	int r = event_stream_open(&ob->stream, &ob->live, event_filter_reasons(&ob->filter),
				  on_event, ob, &err);

	if (r)
		return cli_fail_err(r, &err);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ob->naming = (struct naming){ .now = &ob->live,
				      .before = &ob->before,
				      .wall_offset_ns = clock_ns(CLOCK_REALTIME) -
							clock_ns(CLOCK_MONOTONIC) };
	ob->losses_due_ns = clock_ns(CLOCK_MONOTONIC) + LOSSES_EVERY_NS;
	return EXIT_OK;
}

static int observe(struct observer *ob)
{
	const struct common_options *c = &ob->o->common;
	int status = start(ob);

	if (status)
		return status;
	if (c->output && strcmp(c->output, "text"))
		emit_open(&ob->emit, stdout);
	if (cli_json(c))
		emit_list_begin(&ob->emit, "EventList");
	status = follow(ob);
	event_stream_stop(&ob->stream);
	losses(ob);
	if (cli_json(c))
		emit_list_end(&ob->emit);
	return status;
}

static void observer_free(struct observer *ob)
{
	emit_close(&ob->emit);
	event_stream_close(&ob->stream);
	live_close(&ob->before);
	live_close(&ob->live);
	arena_free(&ob->arena);
}

static int run(void *options, char **args, int n_args)
{
	struct observe_options *o = options;
	_cleanup_(observer_free) struct observer ob = { .o = o, .stream = { .lock = -1 } };
	int status = parse_filter(&ob);

	if (!status)
		status = loaded_open(&ob.live, &o->common);
	if (!status)
		status = observe(&ob);
	free(o->reasons.items);
	return status;
}

#define ROW(name, short_name, metavar, type, member, help)                                      \
	{                                                                                       \
		name, short_name, metavar, type, offsetof(struct observe_options, member), help \
	}

static const struct option_row rows[] = {
	ROW("verdict", 0, "allow|deny|drop", OPTION_CHOICE, verdict,
	    "allow: new flows given a backend; deny: by policies; drop: all other reasons"),
	ROW("reason", 0, "LABEL", OPTION_LIST, reasons,
	    "only this reason, as 'weir status' names them; repeatable"),
	ROW("pod", 0, "NS/POD", OPTION_TEXT, pod,
	    "either end of the flow; also svc/NS/NAME, an IP, world, node"),
	ROW("from", 0, "FROM", OPTION_TEXT, from, "the end that began the flow"),
	ROW("to", 0, "TO[:PORT[/PROTO]]", OPTION_TEXT, to,
	    "the destination, or the backend that the flow was given"),
	ROW("port", 0, "PORT", OPTION_NUMBER, port, "port of the destination or of the backend"),
	ROW("protocol", 0, "TCP|UDP|SCTP|ICMP", OPTION_CHOICE, protocol, "only this protocol"),
	ROW("policy", 0, "NS/NAME", OPTION_TEXT, policy,
	    "a rule of this policy decided, or it is part of the default deny"),
	ROW("count", 'n', "N", OPTION_NUMBER, count, "end after N events"),
	ROW("timeout", 0, "SECONDS", OPTION_NUMBER, timeout, "end after SECONDS"),
	{},
};

const struct verb verb_observe = {
	.name = "observe",
	.arguments = "",
	.summary = "follow drops, denials and translations as they happen (root)",
	.details =
		"Shows drops of every reason, denials with their policies, and new flows with the backend they were\n"
		"given; further packets of an allowed connection cause no event. In filters, node is this node and\n"
		"world is any other address: not of this node, of a pod of this node or of a Service.\n"
		"Rate limit: 64 events per pod and reason every 134 ms. Events beyond it, and events lost because the\n"
		"kernel's ring buffer is full, are counted and reported on stderr (in JSON: EventLoss). Only one\n"
		"process can observe an instance: a second one ends with status 5 and names the first.\n"
		"Exit status 0: Ctrl-C, the timeout, or N events; 5: the timeout came before the Nth event; 3:\n"
		"nothing is loaded.\n",
	.outputs = "text|jsonl|json",
	.wants = WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct observe_options),
	.run = run,
};
