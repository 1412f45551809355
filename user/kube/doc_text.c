// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The bytes of a file as UTF-8, as kubectl decodes them: a byte order mark of UTF-16 selects that
 * encoding, one of UTF-8 is left out, and what is not valid becomes the replacement character
 * U+FFFD. Most files need no copy.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/doc_build.h"

#define JSON_WITHIN 4096 /* bytes of blanks before the first {: kubectl looks no further */
#define REPLACEMENT 0xfffd
#define BYTES_MAX 4 /* of a character as UTF-8 */

struct copy {
	char *data;
	size_t len, cap;
};

static void add_bytes(struct copy *c, const char *data, size_t len)
{
	c->data = mem_grow(c->data, &c->cap, c->len + len + 1, 1);
	memcpy(c->data + c->len, data, len);
	c->len += len;
}

static void add_character(struct copy *c, uint32_t code)
{
	static const unsigned char first[BYTES_MAX] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	char bytes[BYTES_MAX];

	for (size_t i = more; i; i--, code >>= 6)
		bytes[i] = 0x80 | (code & 0x3f);
	bytes[0] = first[more] | code;
	add_bytes(c, bytes, more + 1);
}

/* Bytes of the character at data; 0: not valid UTF-8. */
static size_t character_len(const unsigned char *data, size_t len)
{
	unsigned char c = data[0];
	size_t more = c < 0x80 ? 0 : c < 0xc2 ? 4 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 4;

	if (more > 3 || more >= len)
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	/* longer than necessary, a surrogate, or above U+10FFFF */
	if ((c == 0xe0 && data[1] < 0xa0) || (c == 0xed && data[1] > 0x9f) ||
	    (c == 0xf0 && data[1] < 0x90) || (c == 0xf4 && data[1] > 0x8f))
		return 0;
	return more + 1;
}

/* Bytes from the start that are valid UTF-8. */
static size_t valid_len(const char *data, size_t len)
{
	size_t at = 0, n = 1;

	for (; at < len && n; at += n)
		n = character_len((const unsigned char *)data + at, len - at);
	return at;
}

static void copy_utf8(struct copy *c, const char *data, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		size_t n = valid_len(data + at, len - at);

		add_bytes(c, data + at, n);
		at += n;
		if (at < len)
			add_character(c, REPLACEMENT);
	}
}

static uint32_t unit(const char *data, bool big)
{
	const unsigned char *b = (const unsigned char *)data;

	return big ? b[0] << 8 | b[1] : b[1] << 8 | b[0];
}

static void copy_utf16(struct copy *c, const char *data, size_t len, bool big)
{
	for (size_t at = 0; at + 1 < len; at += 2) {
		uint32_t high = unit(data + at, big), low = 0;

		if (high >= 0xd800 && high < 0xdc00 && at + 3 < len)
			low = unit(data + at + 2, big);
		if (low >= 0xdc00 && low < 0xe000) {
			add_character(c, 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)));
			at += 2;
		} else {
			add_character(c, high >= 0xd800 && high < 0xe000 ? REPLACEMENT : high);
		}
	}
	if (len % 2)
		add_character(c, REPLACEMENT);
}

char *doc_decode_text(const char **data, size_t *len)
{
	const char *text = *data;
	size_t n = *len;
	struct copy c = {};

	if (n >= 2 && (!memcmp(text, "\xfe\xff", 2) || !memcmp(text, "\xff\xfe", 2))) {
		copy_utf16(&c, text + 2, n - 2, text[0] == '\xfe');
	} else {
		bool marked = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3);

		*data += marked ? 3 : 0;
		*len -= marked ? 3 : 0;
		/* after the mark kubectl leaves bytes to the readers: only that of YAML refuses
		 * them */
		if (marked || valid_len(*data, *len) == *len)
			return NULL;
		copy_utf8(&c, *data, *len);
	}
	add_bytes(&c, "", 0); /* never NULL */
	*data = c.data;
	*len = c.len;
	return c.data;
}

static void copy_text(struct copy *c, const char *data, size_t len)
{
	size_t n;

	for (size_t at = 0; at < len; at += n ?: 1) {
		n = data[at] ? character_len((const unsigned char *)data + at, len - at) : 0;
		if (n)
			add_bytes(c, data + at, n);
		else
			add_character(c, REPLACEMENT);
	}
}

const char *doc_text(struct arena *a, const char *data, size_t len)
{
	struct copy c = {};
	const char *text;

	if (!memchr(data, 0, len) && valid_len(data, len) == len)
		return arena_strndup(a, data, len);
	copy_text(&c, data, len);
	text = arena_strndup(a, c.data, c.len);
	free(c.data);
	return text;
}

size_t doc_blank_len(const char *data, size_t len)
{
	static const char *const wide[] = {
		"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	if (len && data[0] && strchr(" \t\n\v\f\r", data[0]))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (len >= strlen(wide[i]) && !memcmp(data, wide[i], strlen(wide[i])))
			return strlen(wide[i]);
	/* U+2000 to U+200A */
	if (len >= 3 && !memcmp(data, "\xe2\x80", 2) && (unsigned char)data[2] >= 0x80 &&
	    (unsigned char)data[2] <= 0x8a)
		return 3;
	return 0;
}

bool doc_looks_like_json(const char *data, size_t len)
{
	size_t within = len < JSON_WITHIN ? len : JSON_WITHIN, at = 0, n = 1;

	for (; at < within && n; at += n)
		n = doc_blank_len(data + at, within - at);
	return at < within && data[at] == '{';
}
