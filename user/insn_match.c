/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a place in a function by the text of its instructions, and numbers in that text. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn_private.h"

enum {
	MOST_STARS = 8,		/* in one pattern: each one multiplies the work */
};

/* An instruction as patterns see it. */
struct line {
	char text[256];
	const char *address, *address_end;	/* where in the text a number is an address */
};

struct match {
	const struct line *line;
	struct insn_capture *captures;
	size_t count;
	size_t room;
	bool overflow;
};

/* [rip + 0x10] becomes the address that is meant. */
static void write_absolute(struct line *line, const cs_insn *from, char *rip)
{
	char *end = strchr(rip, ']');
	uint64_t address = from->address + from->size;
	char rest[sizeof(line->text)];
	size_t left = sizeof(line->text) - (rip - line->text);
	int written;

	if (!end)
		return;
	if (strncmp(rip, "rip + ", 6) == 0)
		address += strtoull(rip + 6, NULL, 0);
	else if (strncmp(rip, "rip - ", 6) == 0)
		address -= strtoull(rip + 6, NULL, 0);
	strcpy(rest, end);
	written = snprintf(rip, left, "0x%" PRIx64, address);
	snprintf(rip + written, left - written, "%s", rest);
	line->address = rip;
	line->address_end = rip + written;
}

static void read_line(struct line *line, const struct insn_decoder *decoder)
{
	const cs_insn *from = decoder->instruction;
	char *bracket;

	memset(line, 0, sizeof(*line));
	insn_decoder__text(decoder, line->text, sizeof(line->text));
	if (decoder->machine->is_relative(from)) {
		char *operand = strrchr(line->text, ' ');

		line->address = operand ? operand : line->text;
		line->address_end = line->text + strlen(line->text);
		return;
	}
	bracket = strstr(line->text, "[rip");
	if (bracket)
		write_absolute(line, from, bracket + 1);
}

static bool is_name(char character)
{
	return isalnum((unsigned char)character) || character == '_';
}

/*
 * A number with its sign and the machine's mark of a constant, but not one within a name. Its end,
 * or NULL.
 */
static const char *read_number(const char *text, const char *begin, uint64_t *value)
{
	bool negative = false;
	char *end;

	if (text > begin && is_name(text[-1]))
		return NULL;
	if (*text == '#')
		text++;
	if (*text == '-' || *text == '+') {
		negative = *text++ == '-';
		if (*text == ' ')
			text++;
	}
	if (!isdigit((unsigned char)*text))
		return NULL;
	*value = strtoull(text, &end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
	if (negative)
		*value = -*value;
	return end;
}

static void capture(struct match *match, const char *name, size_t length, const char *text,
		    uint64_t value)
{
	struct insn_capture *slot;

	if (length == 1 && *name == '_')
		return;
	if (match->count == match->room) {
		match->overflow = true;
		return;
	}
	slot = &match->captures[match->count++];
	memset(slot, 0, sizeof(*slot));
	memcpy(slot->name, name, length);
	slot->value = value;
	slot->is_address = match->line->address && text >= match->line->address &&
			   text < match->line->address_end;
}

static bool match_text(struct match *match, const char *pattern, const char *text);

/* Tries the rest of the pattern behind each run of characters that a star may stand for. */
static bool match_star(struct match *match, const char *rest, const char *text)
{
	size_t count = match->count;

	for (;; text++) {
		if (match_text(match, rest, text))
			return true;
		match->count = count;
		match->overflow = false;
		if (!*text || *text == ',')
			return false;
	}
}

static bool match_text(struct match *match, const char *pattern, const char *text)
{
	for (; *pattern; pattern++) {
		if (*pattern == '*')
			return match_star(match, pattern + 1, text);
		if (*pattern == '{') {
			const char *close = strchr(pattern, '}');
			uint64_t value;
			const char *end = read_number(text, match->line->text, &value);

			if (!end)
				return false;
			capture(match, pattern + 1, close - pattern - 1, text, value);
			pattern = close;
			text = end;
		} else if (*pattern == *text) {
			text++;
		} else {
			return false;
		}
	}
	return !*text;
}

static bool is_valid_name(const char *name, const char *close)
{
	size_t length = close ? close - name : 0;

	if (!length || length >= sizeof(((struct insn_capture *)0)->name))
		return false;
	for (; name < close; name++) {
		if (!is_name(*name))
			return false;
	}
	return true;
}

static bool is_valid_pattern(const char *pattern)
{
	int stars = 0;

	for (; *pattern; pattern++) {
		if (*pattern == '*' && ++stars > MOST_STARS)
			return false;
		if (*pattern == '}')
			return false;
		if (*pattern == '{') {
			const char *close = strchr(pattern, '}');

			if (!is_valid_name(pattern + 1, close))
				return false;
			pattern = close;
		}
	}
	return true;
}

/* The patterns against the instructions from part->insns[index] on. */
static bool match_place(struct match *match, struct insn_decoder *decoder,
			const struct insn_part *part, size_t index, const char *const *patterns,
			size_t patterns_count)
{
	match->count = 0;
	match->overflow = false;
	if (part->count - index < patterns_count)
		return false;
	for (size_t i = 0; i < patterns_count; i++) {
		struct line line;

		if (!insn_decoder__at(decoder, part->insns[index + i].address))
			return false;
		read_line(&line, decoder);
		match->line = &line;
		if (!match_text(match, patterns[i], line.text))
			return false;
	}
	return true;
}

static int compare_parts(const void *a, const void *b)
{
	const struct insn_part *x = a, *y = b;

	return (x->range.address > y->range.address) - (x->range.address < y->range.address);
}

static int find_place(struct insn_function *function, struct match *match,
		      const char *const *patterns, size_t patterns_count, unsigned nth,
		      uint64_t *address)
{
	bool complete = true;

	if (function->parts_count > 1)
		qsort(function->parts + 1, function->parts_count - 1, sizeof(*function->parts),
		      compare_parts);
	for (size_t i = 0; i < function->parts_count; i++) {
		const struct insn_part *part = &function->parts[i];

		for (size_t j = 0; j < part->count; j++) {
			if (!match_place(match, function->decoder, part, j, patterns,
					 patterns_count) ||
			    nth--)
				continue;
			*address = part->insns[j].address;
			return match->overflow ? -E2BIG : 0;
		}
		complete = complete && part->complete;
	}
	return complete ? -ENOENT : -EILSEQ;
}

int insn__match(struct elf_file *file, uint64_t address, const char *const *patterns,
		size_t patterns_count, unsigned nth, uint64_t *found, struct insn_capture *captures,
		size_t *captures_count)
{
	struct match match = { .captures = captures, .room = *captures_count };
	struct insn_function function;
	struct insn_decoder decoder;
	int error;

	*captures_count = 0;
	if (!patterns_count)
		return -EINVAL;
	for (size_t i = 0; i < patterns_count; i++) {
		if (!is_valid_pattern(patterns[i]))
			return -EINVAL;
	}
	error = insn_decoder__open(&decoder, file);
	if (error)
		return error;
	error = insn_function__open(&function, &decoder, address, INSN_SCOPE_NAMED);
	if (!error)
		error = find_place(&function, &match, patterns, patterns_count, nth, found);
	if (!error)
		*captures_count = match.count;
	insn_function__close(&function);
	insn_decoder__close(&decoder);
	return error;
}
