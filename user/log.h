/* SPDX-License-Identifier: BSD-2-Clause */
/* Talk on stderr: one line a message, at a level that the user chose. */
#ifndef CACHETRACE_LOG_H
#define CACHETRACE_LOG_H

#include <stddef.h>

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,	/* --verbose */
	LOG_DEBUG,	/* --verbose twice */
};

void log__set_level(enum log_level level);
enum log_level log__level(void);

/* Prints "cachetrace: " and the message; control characters from outside are shown as '?'. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Copies as many whole characters of a text that came from outside as fit, made safe to print: '?'
 * stands for control and direction characters and for what is not UTF-8. The bytes written, without
 * the 0 after them; size is at least 1.
 */
size_t log__printable(char *to, size_t size, const char *from);

#endif
