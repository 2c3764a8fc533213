/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of reading saved snapshots, whatever somebody has put into them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot_sample.h"

/* Parses text in which ' stands for ". */
static struct snapshot *parse_quoted(const char *text)
{
	char *line = strdup(text);
	struct snapshot *snapshot;

	assert_non_null(line);
	for (char *quote = line; (quote = strchr(quote, '\''));)
		*quote = '"';
	snapshot = parse(line);
	free(line);
	return snapshot;
}

/* Parses a copy that ends where the line ends, so that reading beyond it is noticed. */
static struct snapshot *parse_exactly(const char *line, size_t size)
{
	char *copy = malloc(size ? size : 1), error[64];
	struct snapshot *snapshot;

	assert_non_null(copy);
	memcpy(copy, line, size);
	memset(error, 'x', sizeof(error));
	snapshot = snapshot__parse(copy, size, error, sizeof(error));
	if (!snapshot)
		assert_in_range(strnlen(error, sizeof(error)), 1, sizeof(error) - 1);
	free(copy);
	return snapshot;
}

static void what_is_not_a_snapshot_is_refused(void **state)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{ "", "not JSON" },
		{ "nonsense", "not JSON" },
		{ "{\"schema\":\"cachetrace.snapshot/1\",\"caches\":[]} more", "not JSON" },
		{ "{\"schema\":\"cachetrace.snapshot/1\",\"caches\":[],\"x\":99999999999999999999}",
		  "not JSON" },
		{ "{}", "no \"schema\"" },
		{ "[]", "no \"schema\"" },
		{ "{\"schema\":1,\"caches\":[]}", "no \"schema\"" },
		{ "{\"schema\":\"other/1\",\"caches\":[]}", "no \"schema\"" },
		{ "{\"schema\":\"cachetrace.snapshot/2\",\"caches\":[]}", "another major version" },
		{ "{\"schema\":\"cachetrace.snapshot/12\",\"caches\":[]}",
		  "another major version" },
		{ "{\"schema\":\"cachetrace.snapshot/1\"}", "no array \"caches\"" },
		{ "{\"schema\":\"cachetrace.snapshot/1\",\"caches\":{}}", "no array \"caches\"" },
		{ "{\"schema\":\"cachetrace.snapshot/1\",\"caches\":[null]}",
		  "something else than objects" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char error[128] = "";

		assert_null(
			snapshot__parse(rows[i].line, strlen(rows[i].line), error, sizeof(error)));
		if (!strstr(error, rows[i].reason))
			fail_msg("%s: %s", rows[i].line, error);
	}
}

static void members_may_be_missing(void **state)
{
	struct snapshot *snapshot =
		parse_quoted("{'schema':'cachetrace.snapshot/1.7','caches':[{}]}\n");
	struct snapshot_cache *cache = &snapshot->caches[0];

	(void)state;
	assert_int_equal(snapshot->count, 1);
	assert_null(snapshot->host_name);
	assert_null(cache->target);
	assert_false(cache->has_object || cache->has_entries || cache->has_capacity);
	assert_false(cache->has_lookup_latency || cache->has_compute_latency);
	assert_int_equal(cache->verified, VERIFIED_UNKNOWN);
	snapshot__free(snapshot);
}

static void wrong_types_are_unknown(void **state)
{
	struct snapshot *snapshot = parse_quoted(
		"{'schema':'cachetrace.snapshot/1','time':5,'since':'2026-13-01T00:00:00.000Z',"
		"'host':[1],'interval_s':'1','final':1,'lost':7,'self':'','caches':[{'target':1,"
		"'pid':99999999999,'start_time':-5,'object':'0xg','source':{},'verified':'true',"
		"'lookups':[],'hits':'9','misses':-3,'other':[1],'lost':1e300,'computes':2.75,"
		"'entries':'1','capacity':1.5,'unit':'miles','lookup_latency':[],"
		"'compute_latency':{'count':{},'buckets':{'a':1}}}]}");
	struct snapshot_cache *cache = &snapshot->caches[0];

	(void)state;
	assert_int_equal(snapshot->time_ms, 0);
	assert_int_equal(snapshot->since_ms, 0);
	assert_false(snapshot->final);
	assert_null(cache->target);
	assert_int_equal(cache->pid, 0);
	assert_int_equal(cache->start_time, 0);
	assert_false(cache->has_object || cache->has_entries || cache->has_capacity);
	assert_int_equal(cache->verified, VERIFIED_UNKNOWN);
	assert_int_equal(snapshot_cache__lookups(cache), 0);
	assert_int_equal(cache->lost, INT64_MAX);
	assert_int_equal(cache->computes, 2);
	assert_false(cache->has_lookup_latency);
	assert_true(cache->has_compute_latency);
	assert_int_equal(cache->compute_latency.used, 0);
	snapshot__free(snapshot);
}

static void objects_are_hexadecimal(void **state)
{
	static const struct {
		const char *text;
		bool known;
		uint64_t object;
	} rows[] = {
		{ "0x0", true, 0 },
		{ "0xffffffffffffffff", true, UINT64_MAX },
		{ "0x1ffffffffffffffff", false, 0 },
		{ "0x", false, 0 },
		{ "12", false, 0 },
		{ "0x-1", false, 0 },
		{ "0x 1", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot *snapshot;
		char line[128];

		snprintf(line, sizeof(line),
			 "{\"schema\":\"cachetrace.snapshot/1\",\"caches\":[{\"object\":\"%s\"}]}",
			 rows[i].text);
		snapshot = parse(line);
		assert_int_equal(snapshot->caches[0].has_object, rows[i].known);
		assert_int_equal(snapshot->caches[0].object, rows[i].object);
		snapshot__free(snapshot);
	}
}

static void unknown_outcomes_count_as_other(void **state)
{
	struct snapshot *snapshot = parse_quoted(
		"{'schema':'cachetrace.snapshot/1','caches':[{'hits':1,'misses':2,'other':"
		"{'stale':4,'ignored':8,'of the future':16,'other':32,'hit':64}}]}");
	struct snapshot_cache *cache = &snapshot->caches[0];

	(void)state;
	assert_int_equal(cache->outcome[CT_HIT], 1);
	assert_int_equal(cache->outcome[CT_STALE], 4);
	assert_int_equal(cache->outcome[CT_OTHER], 8 + 16 + 32);
	assert_int_equal(cache->outcome[CT_UNFINISHED], 0);
	snapshot__free(snapshot);
}

static void buckets_may_be_anything(void **state)
{
	struct snapshot *snapshot = parse_quoted(
		"{'schema':'cachetrace.snapshot/1','caches':[{'lookup_latency':{'count':9,"
		"'sum_ns':1,"
		"'max_ns':9223372036854775807,'buckets':[[1024,3],[5,1],"
		"[9223372036854775807,9223372036854775807],"
		"[1025,4],[-1,2],[],[7],7,['a','b'],[1099511627776,9223372036854775807],[6,0],"
		"[9223372036854775807,9223372036854775807]]}}]}");
	const struct histogram *histogram = &snapshot->caches[0].lookup_latency;

	(void)state;
	assert_int_equal(histogram->used, 4);
	assert_int_equal(histogram->buckets[0].bucket, 0);
	assert_int_equal(histogram->buckets[0].count, 2);
	assert_int_equal(histogram->buckets[1].bucket, 5);
	assert_int_equal(histogram->buckets[2].count, 7);
	assert_int_equal(histogram->buckets[3].bucket, CT_BUCKETS - 1);
	assert_int_equal(histogram->buckets[3].count, UINT64_MAX);
	assert_true(histogram__quantile(histogram, 0.99) <= INT64_MAX);
	snapshot__free(snapshot);
}

static void the_last_of_equal_members_counts(void **state)
{
	struct snapshot *snapshot =
		parse_quoted("{'schema':'x','schema':'cachetrace.snapshot/1','caches':[{}],"
			     "'caches':[{'hits':1,'hits':2}]}");

	(void)state;
	assert_int_equal(snapshot->count, 1);
	assert_int_equal(snapshot->caches[0].outcome[CT_HIT], 2);
	snapshot__free(snapshot);
}

static void deep_nesting_is_refused(void **state)
{
	enum { DEPTH = 100000 };
	char *line = malloc(DEPTH);

	(void)state;
	memset(line, '[', DEPTH);
	assert_null(parse_exactly(line, DEPTH));
	free(line);
}

static void every_beginning_of_a_line_is_refused(void **state)
{
	size_t size;
	char *line = golden__read(CT_GOLDEN_DIR "/snapshot.json", &size);
	struct snapshot *snapshot;

	(void)state;
	for (size_t cut = 0; cut < size - 1; cut++)
		assert_null(parse_exactly(line, cut));
	snapshot = parse_exactly(line, size - 1);
	assert_non_null(snapshot);
	snapshot__free(snapshot);
	free(line);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Replaces bytes by such that matter to JSON, and moves pieces. */
static void mutate(char *line, size_t size, uint64_t *seed)
{
	static const char bytes[] = "0123456789-.eE\"\\,:[]{}xntfu/ \xff\xc3";

	for (uint64_t changes = 1 + next_random(seed) % 3; changes; changes--) {
		size_t at = next_random(seed) % size, from = next_random(seed) % size;
		size_t length = next_random(seed) % 20;

		if (next_random(seed) % 4) {
			line[at] = bytes[next_random(seed) % (sizeof(bytes) - 1)];
		} else if (at + length < size && from + length < size) {
			memmove(line + at, line + from, length);
		}
	}
}

static bool survives(const char *line, size_t size)
{
	struct snapshot *read = parse_exactly(line, size), *again;
	char *first, *second;

	if (!read)
		return false;
	first = write_line(read, &size);
	again = parse_exactly(first, size);
	assert_non_null(again);
	second = write_line(again, &size);
	golden__compare("a mutated line", first, second);
	snapshot__free(snapshot__difference(read, again));
	free(first);
	free(second);
	snapshot__free(read);
	snapshot__free(again);
	return true;
}

static void mutated_lines_do_no_harm(void **state)
{
	enum { ROUNDS = 20000 };
	size_t size, read = 0;
	char *line = golden__read(CT_GOLDEN_DIR "/snapshot.json", &size), *copy = malloc(size);
	uint64_t seed = 20260131;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		memcpy(copy, line, size);
		mutate(copy, size, &seed);
		read += survives(copy, size);
	}
	assert_in_range(read, ROUNDS / 20, ROUNDS - ROUNDS / 20);
	free(copy);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_a_snapshot_is_refused),
		cmocka_unit_test(members_may_be_missing),
		cmocka_unit_test(wrong_types_are_unknown),
		cmocka_unit_test(objects_are_hexadecimal),
		cmocka_unit_test(unknown_outcomes_count_as_other),
		cmocka_unit_test(buckets_may_be_anything),
		cmocka_unit_test(the_last_of_equal_members_counts),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(every_beginning_of_a_line_is_refused),
		cmocka_unit_test(mutated_lines_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
