/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns stderr: one message a line, at or above the level that the user chose. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_MESSAGE = 4096 };

static enum log_level chosen_level = LOG_WARNING;

void log__set_level(enum log_level level)
{
	chosen_level = level;
}

enum log_level log__level(void)
{
	return chosen_level;
}

/* Bytes of the UTF-8 character that the text begins with, 0 if it begins with none. */
static size_t decode_utf8(const unsigned char *text, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const unsigned char lengths[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4 };
	size_t bytes = *text < 0xf8 ? lengths[*text >> 4] : 0;

	*code = bytes > 1 ? *text & (0xff >> (bytes + 1)) : *text;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (bytes > 1 &&
	    (*code < smallest[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff)))
		return 0;
	return bytes;
}

/* Whether the character makes a terminal do something else than show it. */
static bool is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} controls[] = {
		{ 0x0, 0x1f },
		{ 0x7f, 0x9f },
		{ 0xad, 0xad },	      /* soft hyphen */
		{ 0x61c, 0x61c },     /* direction mark */
		{ 0x200b, 0x200f },   /* joiners, direction marks */
		{ 0x2028, 0x202e },   /* separators, direction overrides */
		{ 0x2060, 0x206f },   /* invisible operators, direction isolates */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* annotations */
		{ 0xe0000, 0xe007f }, /* tags */
	};

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (code >= controls[i].first && code <= controls[i].last)
			return true;
	return false;
}

size_t log__printable(char *to, size_t size, const char *from)
{
	size_t written = 0;

	while (*from && written + 1 < size) {
		uint32_t code;
		size_t bytes;

		if (*from >= ' ' && *from <= '~') {
			to[written++] = *from++;
			continue;
		}
		bytes = decode_utf8((const unsigned char *)from, &code);
		if (!bytes || is_control(code)) {
			to[written++] = '?';
			from += bytes ? bytes : 1;
			continue;
		}
		if (written + bytes >= size)
			break;
		memcpy(to + written, from, bytes);
		written += bytes;
		from += bytes;
	}
	to[written] = 0;
	return written;
}

static void log_message(enum log_level level, const char *format, va_list arguments)
{
	static const char prefix[] = "cachetrace: ";
	char message[LONGEST_MESSAGE], line[sizeof(prefix) + LONGEST_MESSAGE];
	size_t size = sizeof(prefix) - 1, length;
	int saved_errno = errno;
	ssize_t written;

	if (level > chosen_level)
		return;
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		return;
	length = strlen(message);
	while (length && message[length - 1] == '\n')
		message[--length] = 0;
	memcpy(line, prefix, size);
	size += log__printable(line + size, LONGEST_MESSAGE, message);
	line[size++] = '\n';
	do
		written = write(STDERR_FILENO, line, size);
	while (written < 0 && errno == EINTR);
	errno = saved_errno;
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(LOG_ERROR, format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(LOG_WARNING, format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(LOG_INFO, format, arguments);
	va_end(arguments);
}

void log_debug(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(LOG_DEBUG, format, arguments);
	va_end(arguments);
}
