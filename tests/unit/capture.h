/* SPDX-License-Identifier: BSD-2-Clause */
/* Catches what a tested function writes to stderr. */
#ifndef CACHETRACE_TEST_CAPTURE_H
#define CACHETRACE_TEST_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

struct capture {
	FILE *file;
	int saved_stderr;
	char text[4096];
};

static inline void capture__begin(struct capture *capture)
{
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static inline void capture__end(struct capture *capture)
{
	size_t length;

	assert_true(dup2(capture->saved_stderr, STDERR_FILENO) >= 0);
	close(capture->saved_stderr);
	rewind(capture->file);
	length = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
	capture->text[length] = '\0';
	fclose(capture->file);
}

#endif
