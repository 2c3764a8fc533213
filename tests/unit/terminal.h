/* SPDX-License-Identifier: BSD-2-Clause */
/* A terminal that keeps what is written to it. */
#ifndef CACHETRACE_TESTS_TERMINAL_H
#define CACHETRACE_TESTS_TERMINAL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* A terminal and all that was written to it. */
struct terminal {
	int master;
	FILE *stream;
	pthread_t reader;
	char *text;
	size_t size;
};

static inline void *read_terminal(void *argument)
{
	struct terminal *terminal = argument;
	FILE *copy = open_memstream(&terminal->text, &terminal->size);
	char part[4096];
	ssize_t size;

	/* Reading fails when the last writer has closed. */
	while ((size = read(terminal->master, part, sizeof(part))) > 0)
		fwrite(part, 1, size, copy);
	fclose(copy);
	return NULL;
}

static inline void terminal__open(struct terminal *terminal, unsigned short width,
				  unsigned short height)
{
	struct winsize size = { .ws_col = width, .ws_row = height };
	struct termios modes;
	int slave;

	*terminal = (struct terminal){ 0 };
	assert_int_equal(openpty(&terminal->master, &slave, NULL, NULL, &size), 0);
	assert_int_equal(tcgetattr(slave, &modes), 0);
	cfmakeraw(&modes);
	assert_int_equal(tcsetattr(slave, TCSANOW, &modes), 0);
	terminal->stream = fdopen(slave, "w");
	assert_non_null(terminal->stream);
	assert_int_equal(pthread_create(&terminal->reader, NULL, read_terminal, terminal), 0);
}

/* What was written, with ESC as "^["; freed by the caller. */
static inline char *terminal__close(struct terminal *terminal)
{
	char *visible = NULL;
	size_t size;
	FILE *stream = open_memstream(&visible, &size);

	fclose(terminal->stream);
	pthread_join(terminal->reader, NULL);
	close(terminal->master);
	for (const char *at = terminal->text; *at; at++) {
		if (*at == '\033')
			fputs("^[", stream);
		else
			fputc(*at, stream);
	}
	fclose(stream);
	free(terminal->text);
	return visible;
}

#endif
