/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the layout of tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static void texts_are_cut_to_places(void **state)
{
	static const struct {
		const char *text;
		size_t places;
		const char *fitting;
	} rows[] = {
		{ "short", 5, "short" },
		{ "longer", 5, "long~" },
		{ "longer", 1, "~" },
		{ "longer", 0, "" },
		{ "app.users.get_user", 10, "app~t_user" },
		{ "/usr/lib/toy/toyd", 8, "/u~/toyd" },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9\xc3\xa9~" },
		/* Two places each: one place may stay empty. */
		{ "\xe4\xb8\x80\xe4\xb8\x80\xe4\xb8\x80", 4, "\xe4\xb8\x80~" },
		{ "/\xe4\xb8\x80\xe4\xb8\x80\xe4\xb8\x80", 6, "/~\xe4\xb8\x80\xe4\xb8\x80" },
	};
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL), old = uselocale(utf8);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *stream = open_memstream(&text, &size);

		text__write_fitting(rows[i].text, strlen(rows[i].text), rows[i].places, stream);
		fclose(stream);
		assert_string_equal(text, rows[i].fitting);
		assert_true(text__width(text, strlen(text)) <= rows[i].places);
		free(text);
	}
	uselocale(old);
	freelocale(utf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_cut_to_places),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
