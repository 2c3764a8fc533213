/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the columns: their values, how they are written, chosen and sorted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "columns.h"
#include "golden.h"

static struct snapshot_cache span = {
	.outcome = { [CT_HIT] = 300, [CT_MISS] = 80, [CT_STALE] = 20 },
	.has_compute_latency = true,
	.compute_latency = { .count = 100, .sum_ns = 250000000, .max_ns = 9000000 },
};

static struct snapshot_cache total = {
	.target = "toy-map",
	.cache = "users",
	.where = "toy.c:12",
	.comm = "toyd",
	.exe = "/usr/bin/toyd",
	.cgroup = "/system.slice",
	.container = "0123456789ab",
	.pid = 1234567,
	.object = 0xffffffffffffffff,
	.has_object = true,
	.source = SOURCE_COUNTERS,
	.verified = VERIFIED_NO,
	.outcome = { [CT_HIT] = 9000, [CT_MISS] = 500, [CT_STALE] = 300, [CT_BUSY] = 200 },
	.computes = 12345,
	.lost = 7,
	.has_entries = true,
	.has_capacity = true,
	.entries = 855,
	.capacity = 1000,
	.has_compute_latency = true,
};

static const struct column_row usual_row = { &span, &total, 2.0 };

static const char *format(const char *name, const struct column_row *row)
{
	static char text[256];
	const struct column *column = column__find(name);

	assert_non_null(column);
	column__format(column, row, text, sizeof(text));
	return text;
}

static void columns_show_their_values(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "pid", "1234567" },
		{ "comm", "toyd" },
		{ "target", "toy-map" },
		{ "cache", "users" },
		{ "where", "toy.c:12" },
		{ "object", "0xffffffffffffffff" },
		{ "exe", "/usr/bin/toyd" },
		{ "cgroup", "/system.slice" },
		{ "container", "0123456789ab" },
		{ "source", "counters" },
		{ "verified", "no" },
		{ "lookups/s", "200" },
		{ "hits/s", "150" },
		{ "hit%", "75.0" },
		{ "misses/s", "40" },
		{ "lookups", "10k" },
		{ "hits", "9000" },
		{ "misses", "500" },
		{ "other", "500" },
		{ "total-hit%", "90.0" },
		{ "computes", "12.3k" },
		{ "entries", "855" },
		{ "capacity", "1000" },
		{ "utilization", "85.5" },
		{ "lookup-p50", "-" },
		{ "lookup-p99", "-" },
		{ "lookup-max", "-" },
		{ "compute-p50", "1.12ms" },
		{ "compute-p99", "8.94ms" },
		{ "compute-max", "9ms" },
		{ "compute-mean", "2.5ms" },
		{ "load", "0.13" },
		{ "lost", "7" },
	};

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), columns_count);
	assert_int_equal(histogram__add(&span.compute_latency, histogram__bucket_of(1100000), 90),
			 0);
	assert_int_equal(histogram__add(&span.compute_latency, histogram__bucket_of(9000000), 10),
			 0);
	for (size_t i = 0; i < columns_count; i++) {
		assert_string_equal(columns[i].name, rows[i].name);
		assert_string_equal(format(rows[i].name, &usual_row), rows[i].text);
	}
	histogram__free(&span.compute_latency);
}

static void the_unknown_is_a_dash(void **state)
{
	static const char *const always_known[] = { "pid",    "source", "lookups",  "hits",
						    "misses", "other",	"computes", "lost" };
	struct snapshot_cache nothing = { 0 };
	struct column_row row = { &nothing, &nothing, 0 };

	(void)state;
	for (size_t i = 0; i < columns_count; i++) {
		bool known = false;

		for (size_t k = 0; k < sizeof(always_known) / sizeof(always_known[0]); k++)
			known = known || !strcmp(columns[i].name, always_known[k]);
		if (known)
			assert_string_not_equal(format(columns[i].name, &row), "-");
		else
			assert_string_equal(format(columns[i].name, &row), "-");
	}
}

static void a_cache_without_limit_says_so(void **state)
{
	struct snapshot_cache cache = {
		.has_entries = true, .has_capacity = true, .entries = 5, .capacity = -1
	};
	struct column_row row = { &cache, &cache, 1 };

	(void)state;
	assert_string_equal(format("capacity", &row), "no limit");
	assert_string_equal(format("entries", &row), "5");
	assert_string_equal(format("utilization", &row), "-");
	cache.capacity = 0;
	assert_string_equal(format("capacity", &row), "no limit");
}

/* A column of any type whose value is whatever the test wants. */
static struct column_value wanted;

static void get_wanted(const struct column_row *row, struct column_value *value)
{
	(void)row;
	*value = wanted;
}

static const char *format_number(enum column_type type, enum unit unit, double number)
{
	static char text[64];
	const struct column column = { .name = "wanted", .type = type, .get = get_wanted };

	wanted = (struct column_value){ .known = true, .unit = unit, .number = number };
	column__format(&column, &usual_row, text, sizeof(text));
	return text;
}

static void numbers_are_short(void **state)
{
	static const struct {
		enum column_type type;
		enum unit unit;
		double number;
		const char *text;
	} rows[] = {
		{ COLUMN_COUNT, UNIT_ENTRIES, 0, "0" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 1234, "1234" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 9999, "9999" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 12345, "12.3k" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 99950, "100k" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 999499, "999k" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 999500, "1M" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 1234567, "1.23M" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 18446744073709551615.0, "18.4E" },
		{ COLUMN_COUNT, UNIT_ENTRIES, 1e30, "1000000000Z" },
		{ COLUMN_SIZE, UNIT_ENTRIES, 3565158, "3.57M" },
		{ COLUMN_SIZE, UNIT_ENTRIES, -5, "-5" },
		{ COLUMN_SIZE, UNIT_ENTRIES, -12345, "-12.3k" },
		{ COLUMN_SIZE, UNIT_BYTES, 3565158, "3.4M" },
		{ COLUMN_SIZE, UNIT_BYTES, 1000, "1000B" },
		{ COLUMN_SIZE, UNIT_BYTES, 1024, "1K" },
		{ COLUMN_SIZE, UNIT_BYTES, 1048575, "1M" },
		{ COLUMN_RATE, UNIT_ENTRIES, 0, "0.0" },
		{ COLUMN_RATE, UNIT_ENTRIES, 0.04, "<0.1" },
		{ COLUMN_RATE, UNIT_ENTRIES, 3.14, "3.1" },
		{ COLUMN_RATE, UNIT_ENTRIES, 9.96, "10" },
		{ COLUMN_RATE, UNIT_ENTRIES, 1234.4, "1234" },
		{ COLUMN_RATE, UNIT_ENTRIES, 9999.6, "10k" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 85.28, "85.3" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 0, "0.0" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 0.001, "<0.1" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 99.99, "99.9" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 100, "100.0" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 156.25, "156.3" },
		{ COLUMN_PERCENT, UNIT_ENTRIES, 9.2e20, "920E" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 0, "0ns" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 850, "850ns" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 1230, "1.23us" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 4500000, "4.5ms" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 999600, "1ms" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 2.1e9, "2.1s" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 1234e9, "1234s" },
		{ COLUMN_DURATION, UNIT_ENTRIES, 5400e9, "1.5h" },
		{ COLUMN_RATIO, UNIT_ENTRIES, 0, "0.00" },
		{ COLUMN_RATIO, UNIT_ENTRIES, 0.001, "<0.01" },
		{ COLUMN_RATIO, UNIT_ENTRIES, 0.125, "0.13" },
		{ COLUMN_RATIO, UNIT_ENTRIES, 12.3, "12.30" },
		{ COLUMN_RATIO, UNIT_ENTRIES, 1234567, "1.23M" },
		{ COLUMN_RATE, UNIT_ENTRIES, NAN, "-" },
		{ COLUMN_COUNT, UNIT_ENTRIES, INFINITY, "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(format_number(rows[i].type, rows[i].unit, rows[i].number),
				    rows[i].text);
}

static void no_number_is_wide(void **state)
{
	(void)state;
	for (double number = 0.0001; number < 1e24; number *= 1.01)
		for (int type = COLUMN_COUNT; type <= COLUMN_RATIO; type++)
			if (type != COLUMN_DURATION || number < 1e15)
				assert_in_range(strlen(format_number(type, UNIT_BYTES, number)), 1,
						6);
}

static void columns_are_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < columns_count; i++)
		assert_ptr_equal(column__find(columns[i].name), &columns[i]);
	assert_string_equal(column__find("util")->name, "utilization");
	assert_string_equal(column__find("HIT%")->name, "hit%");
	assert_string_equal(column__find("lookups")->name, "lookups");
	assert_null(column__find("hit"));
	assert_null(column__find(""));
	assert_null(column__find("hits/second"));
}

static void assert_chosen(const char *text, const char *expected)
{
	const struct column **chosen;
	char names[1024] = "";
	size_t count;

	assert_int_equal(columns__choose(text, &chosen, &count), 0);
	for (size_t i = 0; i < count; i++) {
		strcat(names, i ? "," : "");
		strcat(names, chosen[i]->name);
	}
	assert_string_equal(names, expected);
	free(chosen);
}

#define DEFAULT_COLUMNS                                                                            \
	"cache,object,lookups/s,hit%,misses/s,entries,capacity,utilization,lookup-p50,lookup-p99," \
	"compute-p50,compute-p99,load,lost"

static void columns_are_chosen_by_a_list(void **state)
{
	const struct column **chosen;
	size_t count;

	(void)state;
	assert_chosen("misses,hits", "misses,hits");
	assert_chosen("hits,hits,util", "hits,utilization");
	assert_chosen("hits,misses,-hits", "misses");
	assert_chosen("+exe", "pid,comm," DEFAULT_COLUMNS ",exe");
	assert_chosen("-comm,-pid", DEFAULT_COLUMNS);
	assert_chosen("-comm,+where,-pid", DEFAULT_COLUMNS ",where");
	assert_int_equal(columns__choose("all", &chosen, &count), 0);
	assert_int_equal(count, columns_count);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(chosen[i], &columns[i]);
	free(chosen);
}

static void wrong_lists_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "hits,nonsense", "no column \"nonsense\"" },
		{ "", "no column \"\"" },
		{ "hits,", "no column \"\"" },
		{ "hits,,misses", "no column \"\"" },
		{ "+", "no column \"+\"" },
		{ "-all", "no column \"-all\"" },
		{ "hits,-hits", "no column is left" },
		{ "\033[2J", "no column \"?[2J\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct column **chosen = NULL;
		struct capture capture;
		size_t count;
		int error;

		capture__begin(&capture);
		error = columns__choose(rows[i].text, &chosen, &count);
		capture__end(&capture);
		assert_int_equal(error, -EINVAL);
		assert_null(chosen);
		assert_non_null(strstr(capture.text, rows[i].message));
	}
}

static void refusals_name_all_columns(void **state)
{
	const struct column **chosen;
	struct capture capture;
	size_t count;

	(void)state;
	capture__begin(&capture);
	columns__choose("nonsense", &chosen, &count);
	capture__end(&capture);
	for (size_t i = 0; i < columns_count; i++)
		assert_non_null(strstr(capture.text, columns[i].name));
}

/* The pids of four caches after sorting. */
static void assert_sorted(const char *by, const char *expected)
{
	static const struct snapshot_cache caches[] = {
		{ .pid = 3, .cache = "b", .outcome = { 50, 50 }, .target = "t" },
		{ .pid = 1, .cache = "c", .outcome = { 10, 190 }, .target = "t" },
		{ .pid = 2, .cache = "a", .target = "t" },
		{ .pid = 4,
		  .cache = NULL,
		  .outcome = { 99, 1 },
		  .target = "t",
		  .object = 0x20,
		  .has_object = true },
		{ .pid = 4,
		  .cache = NULL,
		  .outcome = { 99, 1 },
		  .target = "t",
		  .object = 0x10,
		  .has_object = true },
	};
	enum { COUNT = sizeof(caches) / sizeof(caches[0]) };
	struct column_row rows[COUNT];
	char pids[64] = "";

	for (int i = 0; i < COUNT; i++)
		rows[i] = (struct column_row){ &caches[i], &caches[i], 1 };
	columns__sort(rows, COUNT, by ? column__find(by) : NULL);
	for (int i = 0; i < COUNT; i++)
		sprintf(pids + strlen(pids), "%u%s", rows[i].total->pid,
			rows[i].total->object == 0x20 ? "'" : "");
	assert_string_equal(pids, expected);
}

static void rows_are_sorted_with_the_unknown_last(void **state)
{
	(void)state;
	assert_sorted(NULL, "1344'2");
	assert_sorted("pid", "12344'");
	assert_sorted("hits/s", "44'312");
	assert_sorted("hit%", "1344'2");
	assert_sorted("cache", "23144'");
	assert_sorted("object", "44'123");
	assert_sorted("target", "12344'");
}

static void help_is_a_line_for_each_column(void **state)
{
	char *text = NULL;
	size_t size, lines = 0;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	columns__print_help(stream);
	fclose(stream);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, columns_count);
	golden__check("columns_help.txt", text, size);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_show_their_values),
		cmocka_unit_test(the_unknown_is_a_dash),
		cmocka_unit_test(a_cache_without_limit_says_so),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(no_number_is_wide),
		cmocka_unit_test(columns_are_found_by_name),
		cmocka_unit_test(columns_are_chosen_by_a_list),
		cmocka_unit_test(wrong_lists_are_refused),
		cmocka_unit_test(refusals_name_all_columns),
		cmocka_unit_test(rows_are_sorted_with_the_unknown_last),
		cmocka_unit_test(help_is_a_line_for_each_column),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
