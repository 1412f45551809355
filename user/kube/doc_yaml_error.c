// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Errors of YAML's syntax, in words that say what is wrong in the file. libyaml says what its
 * scanner expected; its texts are the keys here, and are never shown.
 */
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "kube/doc_build.h"

#define NOT_UTF8 "bytes that are not UTF-8: write the file as UTF-8"
#define DIRECTIVE "a line that begins with % is a directive, which kubectl does not read: remove it"
#define TAG_TEXT "a blank must follow the tag: put text that begins with ! in quotes"
#define TAB_TEXT "tab in indentation; YAML allows only spaces"

/* %d: the line where the construct began. */
static const struct {
	const char *problem, *text;
} texts[] = {
	{ "found unexpected end of stream",
	  "the string that begins at line %d has no closing quote" },
	{ "found unexpected document indicator",
	  "the string that begins at line %d has no closing quote before this line" },
	{ "did not find expected ',' or ']'",
	  "expected \",\" or \"]\" in the list that begins at line %d" },
	{ "did not find expected ',' or '}'",
	  "expected \",\" or \"}\" in the mapping that begins at line %d" },
	{ "did not find expected key",
	  "expected a key with the indentation of the mapping that begins at line %d" },
	{ "did not find expected '-' indicator",
	  "expected \"- \" with the indentation of the list that begins at line %d" },
	{ "could not find expected ':'", "expected \": \" after the key of line %d" },
	{ "mapping values are not allowed in this context",
	  "\": \" is not allowed here: put text that has it in quotes, or correct the indentation" },
	{ "block sequence entries are not allowed in this context",
	  "\"- \" is not allowed here: a list begins on a line of its own" },
	{ "mapping keys are not allowed in this context",
	  "\"? \" is not allowed here: put text that begins with it in quotes" },
	{ "did not find expected node content",
	  "expected a value: put text that begins with one of ,[]{}&*!|>%@` in quotes" },
	{ "found unknown escape character",
	  "unknown escape in double quotes: write \\\\ for a backslash, or use single quotes" },
	{ "did not find expected hexdecimal number",
	  "expected hexadecimal digits after \\x, \\u or \\U in double quotes" },
	{ "found invalid Unicode character escape code",
	  "the escape in double quotes is no Unicode character" },
	{ "did not find expected comment or line break",
	  "expected the end of the line: a text after | or > begins on the next one" },
	{ "found an indentation indicator equal to 0",
	  "expected an indentation from 1 to 9 after | or >, found 0" },
	{ "found a tab character where an indentation space is expected", TAB_TEXT },
	{ "found a tab character that violates indentation", TAB_TEXT },
	{ "did not find expected alphabetic or numeric character",
	  "expected a name after & or *: put text that begins with them in quotes" },
	{ "did not find expected <document start>", DIRECTIVE },
	{ "could not find expected directive name", DIRECTIVE },
	{ "found unexpected non-alphabetical character", DIRECTIVE },
	{ "found unknown directive name", DIRECTIVE },
	{ "did not find expected version number", DIRECTIVE },
	{ "did not find expected digit or '.' character", DIRECTIVE },
	{ "found extremely long version number", DIRECTIVE },
	{ "found incompatible YAML document", DIRECTIVE },
	{ "found duplicate %YAML directive", DIRECTIVE },
	{ "found duplicate %TAG directive", DIRECTIVE },
	{ "did not find expected whitespace", DIRECTIVE },
	{ "did not find expected whitespace or line break", TAG_TEXT },
	{ "did not find expected tag URI", TAG_TEXT },
	{ "did not find expected '!'", TAG_TEXT },
	{ "did not find the expected '>'", TAG_TEXT },
	{ "found undefined tag handle",
	  "unknown prefix of a tag: put text that begins with ! in quotes" },
	{ "invalid Unicode character", NOT_UTF8 },
	{ "invalid leading UTF-8 octet", NOT_UTF8 },
	{ "invalid trailing UTF-8 octet", NOT_UTF8 },
	{ "incomplete UTF-8 octet sequence", NOT_UTF8 },
	{ "invalid length of a UTF-8 sequence", NOT_UTF8 },
	{ "found unexpected ':'", "\":\" inside [] or {} needs a blank after it" },
	{ "control characters are not allowed",
	  "control character: remove it, or write it as an escape in double quotes" },
};

/* Distance from the part's start of a position in the file. */
static size_t offset_of(const struct doc_part *part, int line, int col)
{
	size_t at = 0;

	for (int l = part->line; at < part->len && l < line; at++)
		l += part->data[at] == '\n';
	for (; at < part->len && col > 1; col--)
		do
			at++;
		while (at < part->len && ((unsigned char)part->data[at] & 0xc0) == 0x80);
	return at;
}

static size_t offset_of_mark(const struct doc_part *part, const yaml_mark_t *mark)
{
	return offset_of(part, part->line + (int)mark->line, 1 + (int)mark->column);
}

size_t doc_find_apostrophe(const yaml_parser_t *parser, const struct doc_part *part)
{
	size_t at = offset_of_mark(part, &parser->problem_mark);

	if (!parser->problem || strcmp(parser->problem, "found unknown escape character"))
		return 0;
	return at + 1 < part->len && !memcmp(part->data + at, "\\'", 2) ? at : 0;
}

bool doc_is_next_token(const yaml_parser_t *parser, const struct doc_part *part,
		       const yaml_mark_t *end)
{
	size_t at = offset_of_mark(part, end), n;
	size_t wrong = offset_of_mark(part, parser->context ? &parser->context_mark
							    : &parser->problem_mark);

	while (at < part->len && at < wrong) {
		const char *line = memchr(part->data + at, '\n', part->len - at);

		n = doc_blank_len(part->data + at, part->len - at);
		if (part->data[at] == '#')
			n = line ? (size_t)(line - part->data) - at : part->len - at;
		if (!n)
			return false;
		at += n;
	}
	return true;
}

/* An error of the encoding has an offset instead of a mark, in the text without CR of CR LF. */
static void locate_offset(const struct doc_part *part, size_t offset, struct doc_error *e)
{
	e->line = part->line;
	e->col = 1;
	for (size_t i = 0; i < part->len && offset; i++) {
		bool newline = part->data[i] == '\n';

		if (part->data[i] == '\r' && i + 1 < part->len && part->data[i + 1] == '\n')
			continue;
		offset--;
		e->line += newline;
		e->col = newline ? 1 : e->col + (((unsigned char)part->data[i] & 0xc0) != 0x80);
	}
}

static void write_start(char c, struct doc_error *e)
{
	if (c == '\t')
		snprintf(e->text, sizeof(e->text), TAB_TEXT);
	else if (c > ' ')
		snprintf(e->text, sizeof(e->text), "a value cannot begin with %c: put it in quotes",
			 c);
	else
		snprintf(e->text, sizeof(e->text), "expected a key or a value");
}

/* text may have one %d. */
static void write_text(const char *text, int line, struct doc_error *e)
{
	const char *number = strstr(text, "%d");

	if (number)
		snprintf(e->text, sizeof(e->text), "%.*s%d%s", (int)(number - text), text, line,
			 number + strlen("%d"));
	else
		snprintf(e->text, sizeof(e->text), "%s", text);
}

void doc_explain_yaml(const yaml_parser_t *parser, const struct doc_part *part,
		      struct doc_error *ret_error)
{
	const char *problem = parser->problem ? parser->problem : "";
	int began = part->line + (int)parser->context_mark.line;
	size_t at;

	*ret_error = (struct doc_error){ .code = KUBE_E_SYNTAX,
					 .line = part->line + (int)parser->problem_mark.line,
					 .col = 1 + (int)parser->problem_mark.column };
	snprintf(ret_error->text, sizeof(ret_error->text), "not YAML");
	if (parser->error == YAML_READER_ERROR)
		locate_offset(part, parser->problem_offset, ret_error);
	at = offset_of(part, ret_error->line, ret_error->col);
	if (!strcmp(problem, "found character that cannot start any token"))
		write_start(at < part->len ? part->data[at] : 0, ret_error);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(problem, texts[i].problem))
			write_text(texts[i].text, began, ret_error);
}
