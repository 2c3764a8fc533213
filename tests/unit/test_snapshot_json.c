/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the form in which snapshots are saved. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "snapshot_sample.h"

static void saved_form_is_the_golden_one(void **state)
{
	struct snapshot *snapshot = make_sample();
	size_t size;
	char *line = write_line(snapshot, &size);

	(void)state;
	golden__check("snapshot.json", line, size);
	for (size_t i = 0; i + 1 < size; i++)
		assert_in_range(line[i], ' ', '~');
	assert_int_equal(line[size - 1], '\n');
	free(line);
	snapshot__free(snapshot);
}

static void reading_and_writing_gives_the_same_line(void **state)
{
	size_t size, again_size;
	char *line = golden__read(CT_GOLDEN_DIR "/snapshot.json", &size), *again;
	struct snapshot *snapshot = parse(line);
	struct snapshot_cache *cache = &snapshot->caches[0];

	(void)state;
	assert_int_equal(snapshot->count, 5);
	assert_int_equal(snapshot->time_ms, 1769860800123);
	assert_int_equal(snapshot->since_ms, 1769860799000);
	assert_int_equal(snapshot->lost[CT_LOST_MAP_FULL], 12);
	assert_false(snapshot->self.has_bpf_ns);
	assert_string_equal(cache->cache, "app.users.get_user");
	assert_int_equal(cache->object, 0x7f0011223344);
	assert_int_equal(cache->source, SOURCE_COUNTERS);
	assert_int_equal(cache->verified, VERIFIED_YES);
	assert_int_equal(cache->compute_latency.used, 6);
	assert_false(cache->has_lookup_latency);
	assert_int_equal(snapshot->caches[2].unit, UNIT_BYTES);
	assert_int_equal(snapshot->caches[2].outcome[CT_UNFINISHED], 10 * CT_UNFINISHED + 1);
	assert_non_null(strstr(snapshot->caches[3].where,
			       "bad \xef\xbf\xbd overlong \xef\xbf\xbd\xef\xbf\xbd sur"));
	again = write_line(snapshot, &again_size);
	golden__compare("the line written again", line, again);
	free(line);
	free(again);
	snapshot__free(snapshot);
}

static void an_empty_snapshot_can_be_saved(void **state)
{
	struct snapshot *snapshot = snapshot__new(), *read;
	size_t size;
	char *line = write_line(snapshot, &size), *again;

	(void)state;
	assert_non_null(strstr(line, "\"caches\":[],\"lost\":{\"map_full\":0,"));
	assert_non_null(strstr(line, "\"time\":\"1970-01-01T00:00:00.000Z\""));
	read = parse(line);
	again = write_line(read, &size);
	assert_string_equal(line, again);
	free(line);
	free(again);
	snapshot__free(read);
	snapshot__free(snapshot);
}

static void times_out_of_reach_are_cut(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
	};
	struct snapshot *snapshot = snapshot__new(), *read;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t size;
		char *line;

		snapshot->time_ms = rows[i].ms;
		line = write_line(snapshot, &size);
		assert_non_null(strstr(line, rows[i].text));
		read = parse(line);
		if (rows[i].ms != INT64_MIN && rows[i].ms != INT64_MAX)
			assert_int_equal(read->time_ms, rows[i].ms);
		snapshot__free(read);
		free(line);
	}
	snapshot__free(snapshot);
}

static void failing_to_write_is_told(void **state)
{
	struct snapshot *snapshot = make_sample();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(snapshot__write(snapshot, full), -ENOSPC);
	fclose(full);
	snapshot__free(snapshot);
}

static long allocations_left;

static void *failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Lets each allocation of the JSON library be the last that is granted. */
static void want_of_memory_is_told(void **state)
{
	struct snapshot *snapshot = make_sample();
	char *nowhere = NULL, error[64];
	size_t size, line_size;
	char *line = write_line(snapshot, &line_size);
	FILE *stream = open_memstream(&nowhere, &size);

	(void)state;
	json_set_alloc_funcs(failing_malloc, free);
	for (long granted = 0, result = -1; result; granted += 3) {
		allocations_left = granted;
		result = snapshot__write(snapshot, stream);
		assert_true(result == 0 || result == -ENOMEM);
	}
	for (long granted = 0; granted < 300; granted++) {
		allocations_left = granted;
		assert_null(snapshot__parse(line, line_size, error, sizeof(error)));
	}
	json_set_alloc_funcs(malloc, free);
	fclose(stream);
	free(nowhere);
	free(line);
	snapshot__free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_form_is_the_golden_one),
		cmocka_unit_test(reading_and_writing_gives_the_same_line),
		cmocka_unit_test(an_empty_snapshot_can_be_saved),
		cmocka_unit_test(times_out_of_reach_are_cut),
		cmocka_unit_test(failing_to_write_is_told),
		cmocka_unit_test(want_of_memory_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
