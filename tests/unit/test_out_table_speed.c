/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests that tables of very many caches cost little. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "output.h"
#include "terminal.h"

static const struct output_options usual = { 0 };

static struct snapshot *make_large(size_t count, uint64_t times)
{
	struct snapshot *snapshot = snapshot__new();

	snapshot->since_ms = 1769860800000;
	snapshot->time_ms = snapshot->since_ms + 1000 * times;
	for (size_t i = 0; i < count; i++) {
		struct snapshot_cache *cache = snapshot__add(snapshot);
		char name[64];

		snprintf(name, sizeof(name), "package.module_%zu.function", i % 500);
		cache->target = snapshot__string(snapshot, "toy-map");
		cache->cache = snapshot__string(snapshot, name);
		cache->comm = snapshot__string(snapshot, "toyd");
		cache->pid = 1000 + i / 500;
		cache->object = 0x7f0000000000 + i * 64;
		cache->has_object = true;
		cache->outcome[CT_HIT] = i * 7919 % 100000 * times;
		cache->outcome[CT_MISS] = i * 104729 % 1000 * times;
		cache->has_lookup_latency = cache->has_compute_latency = true;
		for (uint32_t bucket = 0; bucket < 40; bucket++) {
			assert_int_equal(
				histogram__add(&cache->lookup_latency, 60 + bucket, times * bucket),
				0);
			assert_int_equal(histogram__add(&cache->compute_latency, 120 + bucket,
							times * bucket),
					 0);
		}
		cache->lookup_latency.count = cache->compute_latency.count = 780 * times;
		cache->lookup_latency.max_ns = cache->compute_latency.max_ns = UINT64_MAX;
	}
	return snapshot;
}

/* The least processor time of some pictures, in milliseconds. */
static double milliseconds_to_show(const struct output_options *options, FILE *stream,
				   const struct snapshot *now, const struct snapshot *before)
{
	double least = 1e9;

	for (int i = 0; i < 7; i++) {
		clock_t start = clock();
		double took;

		assert_int_equal(output_table.show(options, stream, now, before), 0);
		took = 1000.0 * (double)(clock() - start) / CLOCKS_PER_SEC;
		if (took < least)
			least = took;
	}
	return least;
}

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer) || !defined(__OPTIMIZE__)
enum { SLOWER = 10 };
#else
enum { SLOWER = 1 };
#endif

static void ten_thousand_rows_are_shown_in_no_time(void **state)
{
	struct output_options by_latency = { .sort = column__find("compute-p99") };
	struct snapshot *before = make_large(10000, 1), *now = make_large(10000, 2);
	FILE *nowhere = fopen("/dev/null", "w");
	struct terminal terminal;
	double took[3];
	char *text;

	(void)state;
	setenv("TERM", "xterm", 1);
	terminal__open(&terminal, 200, 60);
	took[0] = milliseconds_to_show(&usual, terminal.stream, now, before);
	took[1] = milliseconds_to_show(&by_latency, terminal.stream, now, before);
	text = terminal__close(&terminal);
	assert_non_null(strstr(text, "more caches"));
	free(text);
	took[2] = milliseconds_to_show(&usual, nowhere, now, before);
	fclose(nowhere);
	print_message("# ms on a terminal %.1f, by latency %.1f, plain %.1f\n", took[0], took[1],
		      took[2]);
	assert_true(took[0] < 50 * SLOWER);
	assert_true(took[1] < 50 * SLOWER);
	/* Here all of the 150,000 cells are written. */
	assert_true(took[2] < 100 * SLOWER);
	snapshot__free(before);
	snapshot__free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_rows_are_shown_in_no_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
