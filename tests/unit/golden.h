/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares text with a golden file; with GOLDEN_UPDATE=1 in the environment, writes the file. */
#ifndef CACHETRACE_TESTS_GOLDEN_H
#define CACHETRACE_TESTS_GOLDEN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef CT_GOLDEN_DIR
#define CT_GOLDEN_DIR "tests/golden"
#endif

/* The file's text, with a 0 after it; freed by the caller. */
static inline char *golden__read(const char *name, size_t *size)
{
	char *text = NULL, part[4096];
	FILE *file = fopen(name, "r"), *copy = open_memstream(&text, size);
	size_t read;

	assert_non_null(copy);
	if (!file)
		fail_msg("cannot open %s; tests run from the top of the tree", name);
	while ((read = fread(part, 1, sizeof(part), file)))
		assert_int_equal(fwrite(part, 1, read, copy), read);
	assert_int_equal(fclose(copy), 0);
	fclose(file);
	return text;
}

static inline void golden__write(const char *name, const char *text, size_t size)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void golden__compare(const char *name, const char *expected, const char *text)
{
	unsigned int line = 1;
	size_t same = 0, begin = 0;

	while (expected[same] && expected[same] == text[same]) {
		if (expected[same++] == '\n') {
			begin = same;
			line++;
		}
	}
	if (expected[same] != text[same])
		fail_msg("%s:%u\n  expected: %.*s\n  but got:  %.*s", name, line,
			 (int)strcspn(expected + begin, "\n"), expected + begin,
			 (int)strcspn(text + begin, "\n"), text + begin);
}

/* Text must hold no 0. */
static inline void golden__check(const char *name, const char *text, size_t size)
{
	char path[256], *expected;
	size_t expected_size;

	assert_int_equal(strlen(text), size);
	snprintf(path, sizeof(path), "%s/%s", CT_GOLDEN_DIR, name);
	if (getenv("GOLDEN_UPDATE"))
		golden__write(path, text, size);
	expected = golden__read(path, &expected_size);
	golden__compare(path, expected, text);
	free(expected);
}

#endif
