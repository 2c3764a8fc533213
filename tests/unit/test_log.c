/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the log, and of making texts from outside fit to be printed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "log.h"

static void texts_from_outside_are_made_harmless(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "a\033[2Jb\n\r\t\x7f", "a?[2Jb????" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m" },
		{ "\xe2\x80\xae"
		  "cba",
		  "?cba" },
		{ "\xff\xc0\xaf\xed\xa0\x80", "??????" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xf8\x90\x80\x80\x80", "?????" },
		{ "cut \xe2\x82", "cut ??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];

		assert_int_equal(log__printable(text, sizeof(text), rows[i].from),
				 strlen(rows[i].to));
		assert_string_equal(text, rows[i].to);
	}
}

static void texts_are_cut_between_characters(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(log__printable(text, 1, "abc"), 0);
	assert_string_equal(text, "");
	assert_int_equal(log__printable(text, 4, "abcdef"), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(log__printable(text, 4, "ab\xc3\xbc"), 2);
	assert_string_equal(text, "ab");
	assert_int_equal(log__printable(text, 5, "ab\xc3\xbc"), 4);
}

static void messages_are_one_line(void **state)
{
	struct capture capture;

	(void)state;
	capture__begin(&capture);
	log_error("cannot open %s", "a\033[2J\nb");
	log_warning("ends with a newline\n");
	log_info("not at this level");
	log__set_level(LOG_DEBUG);
	log_info("info");
	log_debug("debug %d", 1);
	log__set_level(LOG_ERROR);
	log_warning("not at this level");
	assert_int_equal(log__level(), LOG_ERROR);
	log__set_level(LOG_WARNING);
	capture__end(&capture);
	assert_string_equal(capture.text, "cachetrace: cannot open a?[2J?b\n"
					  "cachetrace: ends with a newline\n"
					  "cachetrace: info\ncachetrace: debug 1\n");
}

static void long_messages_are_cut(void **state)
{
	static char name[10000], text[10000];
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t size;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	errno = EBUSY;
	log_error("%s", name);
	assert_int_equal(errno, EBUSY);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	size = read(ends[0], text, sizeof(text));
	assert_in_range(size, 4000, 4200);
	assert_int_equal(text[size - 1], '\n');
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_from_outside_are_made_harmless),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(messages_are_one_line),
		cmocka_unit_test(long_messages_are_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
