// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See report_services.h. */
#include "analyze/service_report.h"
#include "base/emit.h"
#include "cli/input.h"
#include "cli/report_services.h"

static void print_json_item(const struct service_report_item *item, void *ctx)
{
	struct emit *e = ctx;

	emit_item_begin(e);
	service_report_item_emit(e, item);
	emit_item_end(e);
}

static void print_json(const struct plan *p)
{
	_cleanup_(emit_close) struct emit e = {};

	emit_open(&e, stdout);
	emit_list_begin(&e, "ServiceReport");
	service_report_each(p, print_json_item, &e);
	emit_list_end(&e);
}

/* "10.244.0.1:80, 10.244.1.1:80 (snat)" */
static char *endpoints_text(const struct service_report_item *item)
{
	char *text = NULL, addr[ADDR_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; item->verdict == SERVICE_FORWARD && i < item->n_endpoints; i++)
		fprintf(out, "%s%s%s", i ? ", " : "",
			service_endpoint_text(item->endpoints[i], addr),
			service_report_snat(item, item->endpoints[i]) ? " (snat)" : "");
	fclose(out);
	return text;
}

static void print_row(const struct service_report_item *item, void *ctx)
{
	static const enum tone tones[] = { [SERVICE_FORWARD] = TONE_GOOD,
					   [SERVICE_REJECT] = TONE_BAD,
					   [SERVICE_DROP] = TONE_BAD };
	_cleanup_(mem_free) char *endpoints = endpoints_text(item);
	const struct plan_service *s = item->service;
	char text[ADDR_TEXT_MAX];
	struct grid *t = ctx;

	grid_cell(t, TONE_PLAIN, "%s/%s%s%s", s->ns, s->service, *s->port_name ? ":" : "",
		  s->port_name);
	grid_cell(t, TONE_PLAIN, "%s", plan_frontend_kind_text(item->kind));
	grid_cell(t, TONE_PLAIN, "%s", family_text(s->family));
	grid_cell(t, TONE_PLAIN, "%s", service_report_address(item, text));
	grid_cell(t, TONE_PLAIN, "%u/%s", item->frontend->port, proto_text(s->proto));
	grid_cell(t, TONE_PLAIN, "%s", service_client_text(item->client));
	grid_cell(t, tones[item->verdict], "%s%s", service_verdict_text(item->verdict),
		  item->restricted ? " (source ranges)" : "");
	grid_cell(t, TONE_PLAIN, "%s", *endpoints ? endpoints : "-");
}

static void print_table(const struct plan *p, const struct common_options *c)
{
	static const char *const columns[] = { "SERVICE", "FRONTEND",  "FAMILY",
					       "ADDRESS", "PORT",      "CLIENT",
					       "VERDICT", "ENDPOINTS", NULL };
	_cleanup_(grid_free) struct grid t = {};

	grid_init(&t, &c->out, c->no_headers, columns);
	service_report_each(p, print_row, &t);
	grid_print(&t, stdout);
}

int report_services(const struct common_options *c)
{
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(plan_free) struct plan *p = NULL;
	int status;

	if (cli_output_is(c, "wide") || cli_output_is(c, "csv") || cli_output_is(c, "md"))
		return cli_fail(EXIT_USAGE, "report: --services prints table or json");
	status = cli_compile(c, &s, &p);
	if (status)
		return status;
	if (cli_json(c))
		print_json(p);
	else
		print_table(p, c);
	return EXIT_OK;
}
