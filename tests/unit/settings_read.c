// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Configuration files to settings: every key, and every way to write one wrongly. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "settings/settings.h"

#define with_settings _cleanup_(settings_free) struct settings

/* The diagnostics of one file; s has what it set. The caller owns the text. */
static char *read_over(struct settings *s, const char *file, const char *text)
{
	struct diag_list diags = {};
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);

	settings_read(s, file, text, strlen(text), &diags);
	diag_print(&diags, out);
	fclose(out);
	diag_free(&diags);
	return said;
}

static void assert_says(const char *text, const char *expected)
{
	with_settings s = {};
	_cleanup_(mem_free) char *said = NULL;

	settings_init(&s);
	said = read_over(&s, "f", text);
	assert_string_equal(said, expected);
}

/* The text sets the key to that value, without an error but that it is not served. */
static void assert_sets(const char *text, enum setting id, const char *expected)
{
	with_settings s = {};
	_cleanup_(mem_free) char *said = NULL, *value = NULL;
	const char *key = setting_info(id)->key;

	settings_init(&s);
	said = read_over(&s, "f", text);
	if (*said &&
	    (setting_info(id)->served || !strstr(said, "error E041") || strchr(said, '\n')[1]))
		fail_msg("%s: %s", text, said);
	value = setting_text(&s, id);
	if (strcmp(value, expected))
		fail_msg("%s is %s instead of %s", key, value, expected);
	assert_int_equal(s.source[id].origin, SETTING_BY_FILE);
}

/* Wrong: one error with that text, and the key keeps its default. */
static void assert_refused(const char *text, enum setting id, const char *expected)
{
	const struct setting_info *info = setting_info(id);
	with_settings s = {};
	_cleanup_(mem_free) char *said = NULL, *value = NULL;

	settings_init(&s);
	said = read_over(&s, "f", text);
	if (!strstr(said, expected) || strncmp(said, "f:", 2) || !strstr(said, info->key))
		fail_msg("%s: '%s' instead of '%s'", text, said, expected);
	value = setting_text(&s, id);
	assert_string_equal(value, info->otherwise);
	assert_int_equal(s.source[id].origin, SETTING_BY_DEFAULT);
}

/* ---- Defaults ---- */

static void each_default_is_as_the_table_writes_it(void **state)
{
	with_settings s = {};

	settings_init(&s);
	for (int id = 0; id < _SETTING_MAX; id++) {
		_cleanup_(mem_free) char *value = setting_text(&s, id);

		assert_string_equal(value, setting_info(id)->otherwise);
		assert_false(setting_given(&s, id));
	}
}

static void defaults_are_those_of_the_tables(void **state)
{
	static const struct weir_addr hairpin[2] = { WEIR_HAIRPIN_V4, WEIR_HAIRPIN_V6 };
	with_settings s = {};

	settings_init(&s);
	assert_memory_equal(s.hairpin, hairpin, sizeof(hairpin));
	assert_int_equal(s.echo, WEIR_ECHO_BY_POLICY);
	assert_int_equal(s.snat_ports.first, WEIR_PORT_MIN);
	assert_int_equal(s.snat_ports.last, WEIR_PORT_MIN + WEIR_PORT_COUNT - 1);
	for (int knob = WEIR_KNOB_TABLES; knob < _WEIR_KNOB_MAX; knob++)
		assert_int_equal(s.scale[knob], 100);
	assert_int_equal(_SETTING_MAX > SETTING_OF_KNOB(WEIR_KNOB_FLOWS), 1);
	assert_string_equal(setting_info(SETTING_OF_KNOB(WEIR_KNOB_FLOWS))->key, "scale.flows");
}

static void a_default_may_be_written_down(void **state)
{
	for (int id = 0; id < _SETTING_MAX; id++) {
		const struct setting_info *info = setting_info(id);
		const char *dot = strchr(info->key, '.');
		_cleanup_(mem_free) char *text =
			dot ? mem_printf("%.*s: {%s: %s}", (int)(dot - info->key), info->key,
					 dot + 1, info->otherwise)
			    : mem_printf("%s: %s", info->key, info->otherwise);

		if (*info->otherwise)
			assert_sets(text, id, info->otherwise);
	}
}

/* ---- Values ---- */

static void words_are_taken_exactly(void **state)
{
	assert_sets("echo: always", SETTING_ECHO, "always");
	assert_sets("\"echo\": \"always\"", SETTING_ECHO, "always");
	assert_sets("{\"echo\": \"always\"}", SETTING_ECHO, "always");
	assert_sets("attach: clsact", SETTING_ATTACH, "clsact");
	assert_sets("ownNode: policy", SETTING_OWN_NODE, "policy");
	assert_refused("echo: alway", SETTING_ECHO,
		       "f:1:7: error E022: echo: expected one of policy|always, found \"alway\"\n");
	assert_refused("echo: policy|always", SETTING_ECHO, "E022");
	assert_refused("echo: Always", SETTING_ECHO, "E022");
	assert_refused("echo: ''", SETTING_ECHO, "E022");
	assert_refused("echo: true", SETTING_ECHO,
		       "E020: echo: expected a string, found the boolean");
	assert_refused("echo: [always]", SETTING_ECHO,
		       "E020: echo: expected a string, found a list");
	assert_refused("echo: {always: }", SETTING_ECHO, "found a mapping");
}

static void svc_33_a_cgroup_is_a_folder_or_a_word(void **state)
{
	assert_sets("cgroup: root", SETTING_CGROUP, "root");
	assert_sets("cgroup: none", SETTING_CGROUP, "none");
	assert_sets("cgroup: /sys/fs/cgroup/a.slice", SETTING_CGROUP, "/sys/fs/cgroup/a.slice");
	assert_refused("cgroup: a.slice", SETTING_CGROUP,
		       "f:1:9: error E022: cgroup: expected root, none, or the folder of a cgroup "
		       "from / on, found \"a.slice\"\n");
	assert_refused("cgroup: ''", SETTING_CGROUP, "E022");
	assert_refused("cgroup: [root]", SETTING_CGROUP, "E020");
}

static void percents_are_whole_numbers_from_1(void **state)
{
	assert_sets("scale: {flows: 1}", SETTING_SCALE_FLOWS, "1");
	assert_sets("scale: {tables: 4294967295}", SETTING_SCALE_TABLES, "4294967295");
	assert_refused("scale: {tries: 0}", SETTING_SCALE_TRIES,
		       "f:1:16: error E023: scale.tries: expected an integer from 1 to 4294967295, "
		       "found 0\n");
	assert_refused("scale: {arrays: -5}", SETTING_SCALE_ARRAYS, "E023");
	assert_refused("scale: {arrays: 4294967296}", SETTING_SCALE_ARRAYS, "E023");
	assert_refused("scale: {flows: 50%}", SETTING_SCALE_FLOWS,
		       "E020: scale.flows: expected an integer, found the string \"50%\"");
	assert_refused("scale: {flows: '50'}", SETTING_SCALE_FLOWS, "remove the quotes");
	assert_refused("scale: {flows: 0.5}", SETTING_SCALE_FLOWS, "E020");
	assert_refused("scale: {flows: []}", SETTING_SCALE_FLOWS, "E020");
}

static void svc_84_hairpin_addresses_are_unicast_and_of_their_family(void **state)
{
	assert_sets("hairpin: {v4: 169.254.1.1}", SETTING_HAIRPIN_V4, "169.254.1.1");
	assert_sets("hairpin: {v6: 'fd00::1'}", SETTING_HAIRPIN_V6, "fd00::1");
	assert_refused(
		"hairpin: {v4: 'fd00::1'}", SETTING_HAIRPIN_V4,
		"f:1:15: error E025: hairpin.v4: expected an IPv4 address, found \"fd00::1\"\n");
	assert_refused("hairpin: {v6: 10.0.0.1}", SETTING_HAIRPIN_V6, "expected an IPv6 address");
	assert_refused("hairpin: {v6: '::ffff:10.0.0.1'}", SETTING_HAIRPIN_V6, "E025");
	assert_refused(
		"hairpin: {v4: 224.0.0.1}", SETTING_HAIRPIN_V4,
		"\"224.0.0.1\" cannot be a peer: give a unicast address that nothing uses, such "
		"as 169.254.77.101");
	assert_refused("hairpin: {v6: 'fe80::1'}", SETTING_HAIRPIN_V6,
		       "such as fd77:6569:722d::65");
	assert_refused("hairpin: {v4: 10.0.0.0/8}", SETTING_HAIRPIN_V4, "E025");
	assert_refused("hairpin: {v4: 10}", SETTING_HAIRPIN_V4, "E020");
	assert_refused("hairpin: {v4: ''}", SETTING_HAIRPIN_V4, "E025");
}

static void svc_36_node_port_addresses_are_blocks_or_primary(void **state)
{
	assert_sets("nodePortAddresses: [10.0.0.0/8, '2001:db8::/32']", SETTING_NODE_PORT_ADDRESSES,
		    "[10.0.0.0/8, 2001:db8::/32]");
	assert_sets("nodePortAddresses: primary", SETTING_NODE_PORT_ADDRESSES, "primary");
	assert_sets("nodePortAddresses: [primary]", SETTING_NODE_PORT_ADDRESSES, "primary");
	assert_sets("nodePortAddresses: []", SETTING_NODE_PORT_ADDRESSES, "[]");
	assert_sets("nodePortAddresses: [0.0.0.0/0]", SETTING_NODE_PORT_ADDRESSES, "[0.0.0.0/0]");
	assert_refused("nodePortAddresses: [primary, 10.0.0.0/8]", SETTING_NODE_PORT_ADDRESSES,
		       "f:1:20: error E027: nodePortAddresses: the word primary and blocks");
	assert_refused(
		"nodePortAddresses: [10.0.0.0/8, 10.0.0.1]", SETTING_NODE_PORT_ADDRESSES,
		"f:1:33: error E026: nodePortAddresses[1]: expected a block like 10.0.0.0/8");
	assert_refused("nodePortAddresses: 10.0.0.0/8", SETTING_NODE_PORT_ADDRESSES,
		       "expected a list of blocks, or the word primary, found the string");
	assert_refused("nodePortAddresses:\n- 10.0.0.0/8\n-\n", SETTING_NODE_PORT_ADDRESSES,
		       "nodePortAddresses[1]: expected a block like 10.0.0.0/8, found nothing");
	assert_refused("nodePortAddresses: [1]", SETTING_NODE_PORT_ADDRESSES, "E020");
	assert_refused("nodePortAddresses: {a: b}", SETTING_NODE_PORT_ADDRESSES, "found a mapping");
}

static void uplinks_are_names_of_devices(void **state)
{
	assert_sets("uplinks: [eth0, bond0.100]", SETTING_UPLINKS, "[eth0, bond0.100]");
	assert_sets("uplinks: []", SETTING_UPLINKS, "[]");
	assert_sets("uplinks: [a23456789012345]", SETTING_UPLINKS, "[a23456789012345]");
	assert_refused("uplinks: eth0", SETTING_UPLINKS,
		       "f:1:10: error E020: uplinks: expected a list of network devices, found the "
		       "string \"eth0\"\n");
	assert_refused("uplinks: [a234567890123456]", SETTING_UPLINKS,
		       "E022: uplinks[0]: expected the "
		       "name of a network device");
	assert_refused("uplinks: [eth0, eth0]", SETTING_UPLINKS,
		       "f:1:17: error E028: uplinks[1]: \"eth0\" is given twice: remove one\n");
	assert_refused("uplinks: [..]", SETTING_UPLINKS, "E022");
	assert_refused("uplinks: ['']", SETTING_UPLINKS, "E022");
	assert_refused("uplinks: ['a b']", SETTING_UPLINKS, "E022");
	assert_refused("uplinks: ['eth0:1']", SETTING_UPLINKS, "E022");
	assert_refused("uplinks: [7]", SETTING_UPLINKS, "put it in quotes");
	assert_refused("uplinks: [~]", SETTING_UPLINKS, "found nothing");
}

static void snat_ports_are_a_range(void **state)
{
	assert_sets("snatPorts: 1024-65535", SETTING_SNAT_PORTS, "1024-65535");
	assert_sets("snatPorts: 61000-61000", SETTING_SNAT_PORTS, "61000-61000");
	assert_refused("snatPorts: 61000", SETTING_SNAT_PORTS,
		       "f:1:12: error E020: snatPorts: expected a range of ports like 61000-65535, "
		       "found the number 61000\n");
	assert_refused("snatPorts: [61000, 65535]", SETTING_SNAT_PORTS, "found a list");
	assert_refused("snatPorts: 61000-", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: 61000-65536", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: 61000 - 65535", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: +61000-65535", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: 61000-65535x", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: 99999999999999999999-65535", SETTING_SNAT_PORTS, "E020");
	assert_refused("snatPorts: 80-90", SETTING_SNAT_PORTS,
		       "E023: snatPorts: expected ports from 1024 to 65535, the lower one first");
	assert_refused("snatPorts: 65535-61000", SETTING_SNAT_PORTS, "E023");
	assert_refused("snatPorts: ''", SETTING_SNAT_PORTS, "E020");
}

static void svc_1_the_name_of_a_service_proxy_is_the_value_of_a_label(void **state)
{
	assert_sets("serviceProxyName: weir.dev", SETTING_SERVICE_PROXY_NAME, "weir.dev");
	assert_refused("serviceProxyName: ''", SETTING_SERVICE_PROXY_NAME, "E013");
	assert_refused("serviceProxyName: a/b", SETTING_SERVICE_PROXY_NAME,
		       "f:1:19: error E013: serviceProxyName: expected at most 63 letters");
	assert_refused("serviceProxyName: 5", SETTING_SERVICE_PROXY_NAME, "put it in quotes");
	assert_refused("serviceProxyName: [weir]", SETTING_SERVICE_PROXY_NAME, "found a list");
}

static void np_50_keep_established_is_true_or_false(void **state)
{
	assert_sets("keepEstablished: true", SETTING_KEEP_ESTABLISHED, "true");
	assert_sets("keepEstablished: no", SETTING_KEEP_ESTABLISHED, "false");
	assert_refused(
		"keepEstablished: 1", SETTING_KEEP_ESTABLISHED,
		"f:1:18: error E020: keepEstablished: expected true or false, found the number "
		"1\n");
	assert_refused("keepEstablished: 'true'", SETTING_KEEP_ESTABLISHED, "remove the quotes");
	assert_refused("keepEstablished: []", SETTING_KEEP_ESTABLISHED, "E020");
}

/* ---- Keys ---- */

static void an_unknown_key_gets_a_suggestion_or_the_list(void **state)
{
	assert_says("hairpn: {v4: 169.254.1.1}\n",
		    "f:1:1: error E040: hairpn: unknown key; did you mean hairpin?\n");
	assert_says("hairpin:\n  v5: 1\n  ipv4: 2\n",
		    "f:2:3: error E040: hairpin.v5: unknown key; there are v4, v6\n"
		    "f:3:3: error E040: hairpin.ipv4: unknown key; there are v4, v6\n");
	assert_says(
		"echo: always\nport: 1\n",
		"f:2:1: error E040: port: unknown key; there are attach, cgroup, echo, hairpin, uplinks, scale, "
		"nodePortAddresses, snatPorts, serviceProxyName, keepEstablished, "
		"ownNode\n");
	assert_says("Echo: always\n", "f:1:1: error E040: Echo: unknown key; did you mean echo?\n");
	assert_says("hairpin.v4: 169.254.1.1\n",
		    "f:1:1: error E040: hairpin.v4: unknown key; did you mean hairpin?\n");
	assert_says(
		"bogus:\n",
		"f:1:1: error E040: bogus: unknown key; there are attach, cgroup, echo, hairpin, uplinks, scale, "
		"nodePortAddresses, snatPorts, serviceProxyName, keepEstablished, "
		"ownNode\n");
}

static void a_mapping_of_keys_must_be_one(void **state)
{
	assert_says("scale: 200\n",
		    "f:1:8: error E020: scale: expected a mapping, found the number 200\n");
	assert_says("hairpin: [169.254.1.1]\n",
		    "f:1:10: error E020: hairpin: expected a mapping, found a list\n");
	assert_says("hairpin: {v4: {v4: 169.254.1.1}}\n",
		    "f:1:15: error E020: hairpin.v4: expected a string, found a mapping\n");
}

static void a_key_that_is_not_served_is_an_error(void **state)
{
	static const char *const texts[] = {
		"snatPorts: 61000-65535",
		"serviceProxyName: a",
		"keepEstablished: false",
		"ownNode: policy",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(mem_free) char *key = mem_strndup(texts[i], strcspn(texts[i], ":"));
		_cleanup_(mem_free) char *expected = mem_printf(
			"f:1:1: error E041: %s: not served yet: it would have no effect; leave it "
			"out\n",
			key);
		const int id = setting_find(key);

		assert_in_range(id, 0, _SETTING_MAX - 1);
		assert_says(texts[i], setting_info(id)->served ? "" : expected);
	}
}

static void all_errors_are_reported_at_once(void **state)
{
	assert_says(
		"echo: maybe\nhairpin: {v4: x, v9: y}\nscale: {flows: 0}\n",
		"f:1:7: error E022: echo: expected one of policy|always, found \"maybe\"\n"
		"f:2:15: error E025: hairpin.v4: expected an IPv4 address, found \"x\"\n"
		"f:2:18: error E040: hairpin.v9: unknown key; there are v4, v6\n"
		"f:3:16: error E023: scale.flows: expected an integer from 1 to 4294967295, found "
		"0\n");
}

static void a_key_that_is_given_twice_is_an_error(void **state)
{
	assert_says(
		"echo: always\nattach: tcx\necho: policy\n",
		"f:3:1: error E003: key \"echo\" is given twice, first at line 1: remove one\n");
	assert_says(
		"scale: {flows: 1, flows: 2}\n",
		"f:1:19: error E003: key \"flows\" is given twice, first at line 1: remove one\n");
	assert_says(
		"hairpin: {v4: 169.254.1.1}\nhairpin: {v6: 'fd00::1'}\n",
		"f:2:1: error E003: key \"hairpin\" is given twice, first at line 1: remove one\n");
}

/* ---- Files ---- */

static void a_file_without_a_key_sets_nothing(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     "# echo: always\n",
					     "---\n",
					     "{}",
					     "echo:",
					     "hairpin:\n#  v4: 169.254.1.1\n",
					     "scale: {}",
					     "echo: ~\nscale: {flows: null}\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		with_settings s = {};
		_cleanup_(mem_free) char *said = NULL;

		settings_init(&s);
		said = read_over(&s, "f", texts[i]);
		assert_string_equal(said, "");
		for (int id = 0; id < _SETTING_MAX; id++)
			assert_false(setting_given(&s, id));
	}
}

static void a_file_is_one_mapping(void **state)
{
	assert_says("- echo\n",
		    "f:1:1: error E020: expected a mapping of keys to values, found a list\n");
	assert_says("echo\n", "f:1:1: error E020: expected a mapping of keys to values, found the "
			      "string \"echo\"\n");
	assert_says("echo: always\n---\nattach: tcx\n",
		    "f:3:1: error E029: a second document: write all keys into one, without ---\n");
	assert_says(
		"echo: [\n",
		"f:2:1: error E001: expected a value: put text that begins with one of ,[]{}&*!|>%@` in quotes\n");
}

static void what_is_no_text_is_an_error(void **state)
{
	struct diag_list diags = {};
	with_settings s = {};

	settings_init(&s);
	settings_read(&s, "f", "echo: a\0b\n", 10, &diags);
	assert_int_equal(diags.errors, 1);
	settings_read(&s, "f", "\xff\xfe\x00", 3, &diags);
	assert_true(diags.errors >= 2);
	diag_free(&diags);
}

/* ---- Precedence ---- */

static void a_later_file_counts_key_by_key(void **state)
{
	with_settings s = {};
	_cleanup_(mem_free) char *first = NULL, *second = NULL;

	settings_init(&s);
	first = read_over(&s, "first", "echo: always\nhairpin:\n  v4: 169.254.1.1\n");
	second = read_over(&s, "second", "echo: policy\nhairpin: {v6: 'fd00::1', v4: }\n");
	assert_string_equal(first, "");
	assert_string_equal(second, "");
	assert_int_equal(s.echo, WEIR_ECHO_BY_POLICY);
	assert_string_equal(s.source[SETTING_ECHO].src.file, "second");
	assert_string_equal(s.source[SETTING_HAIRPIN_V4].src.file, "first");
	assert_int_equal(s.source[SETTING_HAIRPIN_V4].src.line, 3);
	assert_int_equal(s.source[SETTING_HAIRPIN_V4].src.col, 3);
	assert_string_equal(s.source[SETTING_HAIRPIN_V6].src.file, "second");
	assert_false(setting_given(&s, SETTING_ATTACH));
}

static void an_option_counts_before_files(void **state)
{
	with_settings s = {};
	_cleanup_(mem_free) char *said = NULL;

	settings_init(&s);
	said = read_over(&s, "f", "echo: policy\nscale: {flows: 50}\n");
	assert_int_equal(settings_option(&s, SETTING_ECHO, "always", NULL), 0);
	assert_int_equal(settings_option(&s, SETTING_SCALE_FLOWS, "75", NULL), 0);
	assert_int_equal(settings_option(&s, SETTING_HAIRPIN_V4, "169.254.1.1", NULL), 0);
	assert_int_equal(s.echo, WEIR_ECHO_ALWAYS);
	assert_int_equal(s.scale[WEIR_KNOB_FLOWS], 75);
	assert_int_equal(s.source[SETTING_ECHO].origin, SETTING_BY_OPTION);
	assert_int_equal(s.source[SETTING_HAIRPIN_V4].origin, SETTING_BY_OPTION);
}

static void a_wrong_option_changes_nothing(void **state)
{
	struct weir_err err = {};
	with_settings s = {};

	settings_init(&s);
	assert_int_equal(settings_option(&s, SETTING_HAIRPIN_V6, "10.0.0.1", &err), -EINVAL);
	assert_string_equal(err.text, "--hairpin-v6: expected an IPv6 address, found \"10.0.0.1\"");
	assert_false(setting_given(&s, SETTING_HAIRPIN_V6));
}

static void snat_ports_that_overlap_local_ports_are_a_warning(void **state)
{
	static const struct {
		struct setting_ports local;
		bool warns;
	} cases[] = {
		{ { 32768, 60999 }, false }, { { 32768, 61000 }, true },  { { 1024, 65535 }, true },
		{ { 62000, 62000 }, true },  { { 65001, 65535 }, false },
	};
	with_settings s = {};
	_cleanup_(mem_free) char *said = NULL;

	settings_init(&s);
	said = read_over(&s, "f", "\nsnatPorts: 61000-65000\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diag_list diags = {};

		settings_check_ports(&s, &cases[i].local, &diags);
		assert_int_equal(diags.errors, 0);
		assert_int_equal(diags.n, cases[i].warns);
		if (cases[i].warns) {
			assert_int_equal(diags.items[0].level, DIAG_WARNING);
			assert_int_equal(diags.items[0].src.line, 2);
			assert_string_equal(diags.items[0].path, "snatPorts");
		}
		diag_free(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_default_is_as_the_table_writes_it),
		cmocka_unit_test(defaults_are_those_of_the_tables),
		cmocka_unit_test(a_default_may_be_written_down),
		cmocka_unit_test(words_are_taken_exactly),
		cmocka_unit_test(svc_33_a_cgroup_is_a_folder_or_a_word),
		cmocka_unit_test(percents_are_whole_numbers_from_1),
		cmocka_unit_test(svc_84_hairpin_addresses_are_unicast_and_of_their_family),
		cmocka_unit_test(svc_36_node_port_addresses_are_blocks_or_primary),
		cmocka_unit_test(uplinks_are_names_of_devices),
		cmocka_unit_test(snat_ports_are_a_range),
		cmocka_unit_test(svc_1_the_name_of_a_service_proxy_is_the_value_of_a_label),
		cmocka_unit_test(np_50_keep_established_is_true_or_false),
		cmocka_unit_test(an_unknown_key_gets_a_suggestion_or_the_list),
		cmocka_unit_test(a_mapping_of_keys_must_be_one),
		cmocka_unit_test(a_key_that_is_not_served_is_an_error),
		cmocka_unit_test(all_errors_are_reported_at_once),
		cmocka_unit_test(a_key_that_is_given_twice_is_an_error),
		cmocka_unit_test(a_file_without_a_key_sets_nothing),
		cmocka_unit_test(a_file_is_one_mapping),
		cmocka_unit_test(what_is_no_text_is_an_error),
		cmocka_unit_test(a_later_file_counts_key_by_key),
		cmocka_unit_test(an_option_counts_before_files),
		cmocka_unit_test(a_wrong_option_changes_nothing),
		cmocka_unit_test(snat_ports_that_overlap_local_ports_are_a_warning),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
