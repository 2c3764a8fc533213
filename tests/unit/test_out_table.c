/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the table as people see it: as plain lines, and on terminals of several sizes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "output.h"
#include "terminal.h"

/* Two snapshots of the same caches, two seconds apart. */
struct input {
	struct snapshot *before, *now;
};

static struct snapshot *parse(const char *line, size_t size)
{
	char error[256] = "";
	struct snapshot *snapshot = snapshot__parse(line, size, error, sizeof(error));

	if (!snapshot)
		fail_msg("%s", error);
	return snapshot;
}

static int read_input(void **state)
{
	static struct input input;
	size_t size;
	char *text = golden__read(CT_GOLDEN_DIR "/table.input.json", &size),
	     *second = strchr(text, '\n');

	input.before = parse(text, second - text);
	input.now = parse(second, strlen(second));
	free(text);
	setenv("TZ", "UTC", 1);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	*state = &input;
	return 0;
}

static int free_input(void **state)
{
	struct input *input = *state;

	snapshot__free(input->before);
	snapshot__free(input->now);
	return 0;
}

static char *show_plain(const struct output_options *options, const struct snapshot *now,
			const struct snapshot *before)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(output_table.show(options, stream, now, before), 0);
	fclose(stream);
	assert_null(strchr(text, '\033'));
	return text;
}

static char *show_on_terminal(const struct output_options *options, unsigned short width,
			      unsigned short height, const struct snapshot *now,
			      const struct snapshot *before)
{
	struct terminal terminal;

	terminal__open(&terminal, width, height);
	assert_int_equal(output_table.show(options, terminal.stream, now, before), 0);
	return terminal__close(&terminal);
}

/* Copies a line without its escape sequences. */
static void strip(const char *line, size_t size, char *to)
{
	for (const char *end = line + size; line < end;) {
		if (line[0] == '^' && line[1] == '[') {
			while (!strchr("mHJK", *line))
				line++;
			line++;
		} else {
			*to++ = *line++;
		}
	}
	*to = 0;
}

/* Characters, of which those from U+1100 on are taken as two places wide. */
static size_t places(const char *text)
{
	size_t count = 0;

	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		count += (*at & 0xc0) == 0x80 ? 0 : *at >= 0xe1 ? 2 : 1;
	return count;
}

/* No line is as wide as the screen, and there are fewer lines than the screen has. */
static void assert_fits(const char *picture, size_t width, size_t height)
{
	size_t lines = 0;
	const char *line = strstr(picture, "^[[H"), *end;

	assert_non_null(line);
	for (; (end = strchr(line, '\n')); line = end + 1, lines++) {
		char plain[4096];

		strip(line, end - line, plain);
		assert_true(places(plain) < width);
		assert_memory_equal(end - 4, "^[[K", 4);
	}
	assert_string_equal(line, "^[[J");
	assert_true(lines < height);
}

static void check(const char *name, char *text)
{
	golden__check(name, text, strlen(text));
	free(text);
}

static const struct output_options usual = { 0 };

static void plain_tables_are_the_golden_ones(void **state)
{
	struct input *input = *state;

	check("table_plain_first.txt", show_plain(&usual, input->before, NULL));
	check("table_plain.txt", show_plain(&usual, input->now, input->before));
}

static void all_columns_can_be_shown(void **state)
{
	struct output_options options = { .sort = column__find("hit%") };
	struct input *input = *state;

	assert_int_equal(columns__choose("all", &options.columns, &options.columns_count), 0);
	check("table_plain_all.txt", show_plain(&options, input->now, input->before));
	free(options.columns);
}

static void terminals_show_the_golden_tables(void **state)
{
	static const unsigned short widths[] = { 80, 132, 200 };
	struct input *input = *state;

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char *text = show_on_terminal(&usual, widths[i], 24, input->now, input->before),
		     name[32];

		assert_fits(text, widths[i], 24);
		snprintf(name, sizeof(name), "table_%u.txt", widths[i]);
		check(name, text);
	}
}

static void narrow_terminals_show_what_matters(void **state)
{
	static const char *const needed[] = { " PID ",	    " CACHE ", " LOOKUPS/S ",	" HIT% ",
					      " MISSES/S ", " UTIL% ", " COMPUTE-P99 ", " LOST " };
	struct input *input = *state;
	char *text = show_on_terminal(&usual, 80, 24, input->now, input->before), headings[4096];
	const char *line = strstr(text, "PID");

	assert_non_null(line);
	while (line[-1] != '\n')
		line--;
	headings[0] = ' ';
	strip(line, strchr(line, '\n') - line, headings + 1);
	strcat(headings, " ");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		assert_non_null(strstr(headings, needed[i]));
	free(text);
}

static void no_size_is_overrun(void **state)
{
	struct input *input = *state;

	for (unsigned short width = 2; width < 250; width += width < 30 ? 1 : 13)
		for (unsigned short height = 2; height < 18; height++) {
			char *text =
				show_on_terminal(&usual, width, height, input->now, input->before);

			assert_fits(text, width, height);
			free(text);
		}
}

static void a_terminal_without_size_counts_as_80_by_24(void **state)
{
	struct input *input = *state;
	char *text = show_on_terminal(&usual, 0, 0, input->now, input->before);
	char *usual_text = show_on_terminal(&usual, 80, 24, input->now, input->before);

	assert_string_equal(text, usual_text);
	free(text);
	free(usual_text);
}

static void rows_that_do_not_fit_are_counted(void **state)
{
	struct output_options three = { .rows = 3 };
	struct input *input = *state;

	check("table_short.txt", show_on_terminal(&usual, 80, 10, input->now, input->before));
	check("table_three_rows.txt", show_plain(&three, input->now, input->before));
}

static void columns_asked_for_come_first(void **state)
{
	struct output_options options = { 0 };
	struct input *input = *state;
	char *text;

	assert_int_equal(columns__choose("+exe,+where", &options.columns, &options.columns_count),
			 0);
	text = show_on_terminal(&options, 80, 24, input->now, input->before);
	assert_fits(text, 80, 24);
	assert_non_null(strstr(text, "EXE"));
	assert_non_null(strstr(text, "WHERE"));
	assert_non_null(strstr(text, "columns do not fit"));
	check("table_asked.txt", text);
	free(options.columns);
}

static void the_first_picture_spares_what_is_on_the_screen(void **state)
{
	struct input *input = *state;
	char *text = show_on_terminal(&usual, 80, 5, input->before, NULL);

	assert_memory_equal(text, "\n\n\n\n^[[H", 8);
	free(text);
	text = show_on_terminal(&usual, 80, 5, input->now, input->before);
	assert_memory_equal(text, "^[[H", 4);
	free(text);
}

static void colour_can_be_turned_off(void **state)
{
	struct input *input = *state;
	char *text;

	setenv("NO_COLOR", "1", 1);
	text = show_on_terminal(&usual, 132, 24, input->now, input->before);
	unsetenv("NO_COLOR");
	for (const char *at = text; (at = strstr(at, "^[["));) {
		at += 3;
		assert_true(*at == 'H' || *at == 'K' || *at == 'J');
	}
	assert_fits(text, 132, 24);
	free(text);
	text = show_on_terminal(&usual, 132, 24, input->now, input->before);
	assert_non_null(strstr(text, "^[[32m"));
	assert_non_null(strstr(text, "^[[31m"));
	free(text);
}

static void a_dumb_terminal_gets_plain_lines(void **state)
{
	struct input *input = *state;
	char *text, *plain = show_plain(&usual, input->now, input->before);

	setenv("TERM", "dumb", 1);
	text = show_on_terminal(&usual, 80, 24, input->now, input->before);
	setenv("TERM", "xterm", 1);
	assert_string_equal(text, plain);
	free(text);
	free(plain);
}

static void no_caches_are_a_line(void **state)
{
	struct snapshot *empty = snapshot__new();
	char *text = show_plain(&usual, empty, NULL);

	(void)state;
	assert_string_equal(text, "1970-01-01 00:00:00 +0000  0 caches  since the start, 0.0s\n");
	free(text);
	empty->lost[CT_LOST_MAP_FULL] = 5;
	text = show_plain(&usual, empty, NULL);
	assert_string_equal(
		text,
		"1970-01-01 00:00:00 +0000  0 caches  since the start, 0.0s\nlost: 5 map full\n");
	free(text);
	snapshot__free(empty);
}

static void losses_are_told_on_any_width(void **state)
{
	struct snapshot *snapshot = snapshot__new();
	char *text;

	(void)state;
	for (int i = 0; i < CT_LOST_REASONS; i++)
		snapshot->lost[i] = 1000 * (i + 1);
	text = show_on_terminal(&usual, 40, 24, snapshot, NULL);
	assert_fits(text, 40, 24);
	assert_non_null(strstr(text, "1000 map full"));
	assert_non_null(strstr(text, "2000 unmatched return"));
	assert_non_null(strstr(text, "3000 nested too deep"));
	assert_non_null(strstr(text, "4000 unreadable memory"));
	free(text);
	snapshot__free(snapshot);
}

static void failing_to_write_is_told(void **state)
{
	struct input *input = *state;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(output_table.show(&usual, full, input->now, NULL), -ENOSPC);
	assert_int_equal(output_json.show(&usual, full, input->now, NULL), -ENOSPC);
	fclose(full);
}

static void json_is_the_saved_form(void **state)
{
	struct input *input = *state;
	char *shown = NULL, *saved = NULL;
	size_t size;
	FILE *stream = open_memstream(&shown, &size);

	assert_int_equal(output_json.show(&usual, stream, input->now, input->before), 0);
	fclose(stream);
	stream = open_memstream(&saved, &size);
	assert_int_equal(snapshot__write(input->now, stream), 0);
	fclose(stream);
	assert_string_equal(shown, saved);
	free(shown);
	free(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_tables_are_the_golden_ones),
		cmocka_unit_test(all_columns_can_be_shown),
		cmocka_unit_test(terminals_show_the_golden_tables),
		cmocka_unit_test(narrow_terminals_show_what_matters),
		cmocka_unit_test(no_size_is_overrun),
		cmocka_unit_test(a_terminal_without_size_counts_as_80_by_24),
		cmocka_unit_test(rows_that_do_not_fit_are_counted),
		cmocka_unit_test(columns_asked_for_come_first),
		cmocka_unit_test(the_first_picture_spares_what_is_on_the_screen),
		cmocka_unit_test(colour_can_be_turned_off),
		cmocka_unit_test(a_dumb_terminal_gets_plain_lines),
		cmocka_unit_test(no_caches_are_a_line),
		cmocka_unit_test(losses_are_told_on_any_width),
		cmocka_unit_test(failing_to_write_is_told),
		cmocka_unit_test(json_is_the_saved_form),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, read_input, free_input);
}
