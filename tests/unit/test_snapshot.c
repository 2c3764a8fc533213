/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of snapshots: texts, outcomes, identity, differences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "snapshot_sample.h"

static void equal_texts_are_kept_once(void **state)
{
	struct snapshot *snapshot = snapshot__new();
	const char *kept[3000];
	char text[32];

	(void)state;
	assert_null(snapshot__string(snapshot, NULL));
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		kept[i] = snapshot__string(snapshot, text);
		assert_ptr_not_equal(kept[i], text);
	}
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		assert_ptr_equal(snapshot__string(snapshot, text), kept[i]);
		assert_string_equal(kept[i], text);
	}
	assert_string_equal(snapshot__string(snapshot, ""), "");
	snapshot__free(snapshot);
}

static void long_texts_are_kept(void **state)
{
	struct snapshot *snapshot = snapshot__new();
	char *text = malloc(1 << 20);

	(void)state;
	memset(text, 'a', (1 << 20) - 1);
	text[(1 << 20) - 1] = 0;
	assert_string_equal(snapshot__string(snapshot, text), text);
	assert_string_equal(snapshot__string(snapshot, "short"), "short");
	free(text);
	snapshot__free(snapshot);
	snapshot__free(NULL);
}

static void outcomes_have_names(void **state)
{
	(void)state;
	for (int i = 0; i <= CT_IGNORED; i++)
		assert_int_equal(outcome__number(outcome__name(i)), i);
	assert_string_equal(outcome__name(CT_HIT), "hit");
	assert_string_equal(outcome__name(CT_UNFINISHED), "unfinished");
	assert_int_equal(outcome__number("ignored"), CT_IGNORED);
	assert_int_equal(outcome__number("hits"), -1);
	assert_null(outcome__name(-1));
	assert_null(outcome__name(CT_IGNORED + 1));
}

static void lookups_are_the_sum_of_outcomes(void **state)
{
	struct snapshot_cache cache = { .outcome = { 100, 20, 3, [CT_UNFINISHED] = 4 } };

	(void)state;
	assert_int_equal(snapshot_cache__lookups(&cache), 127);
	assert_int_equal(snapshot_cache__other(&cache), 7);
	cache.outcome[CT_MISS] = UINT64_MAX;
	assert_int_equal(snapshot_cache__lookups(&cache), UINT64_MAX);
}

static void identity_is_all_of_its_parts(void **state)
{
	const struct snapshot_cache cache = { .pid = 1,
					      .start_time = 2,
					      .target = "t",
					      .cache = "c",
					      .object = 3,
					      .has_object = true };
	struct snapshot_cache other = cache;
	char name[] = "c";

	(void)state;
	other.cache = name;
	other.where = "elsewhere";
	assert_true(snapshot_cache__same(&cache, &other));
	other.cache = "d";
	assert_false(snapshot_cache__same(&cache, &other));
	other = cache;
	other.target = NULL;
	assert_false(snapshot_cache__same(&cache, &other));
	other = cache;
	other.pid++;
	assert_false(snapshot_cache__same(&cache, &other));
	other = cache;
	other.start_time++;
	assert_false(snapshot_cache__same(&cache, &other));
	other = cache;
	other.object++;
	assert_false(snapshot_cache__same(&cache, &other));
}

static void difference_subtracts_counts_and_keeps_gauges(void **state)
{
	static const uint64_t new_durations[] = { 700, 800 };
	struct snapshot *earlier = make_sample(), *later = make_sample(), *difference;
	struct snapshot_cache *cache = &later->caches[0];

	(void)state;
	later->time_ms += 2500;
	later->lost[CT_LOST_MAP_FULL] += 5;
	later->self.cpu_s += 0.5;
	cache->outcome[CT_HIT] += 10;
	cache->outcome[CT_STALE] += 1;
	cache->computes += 3;
	cache->entries = 60;
	add_durations(&cache->compute_latency, new_durations, 2);
	difference = snapshot__difference(later, earlier);
	assert_non_null(difference);
	assert_int_equal(difference->count, later->count);
	assert_int_equal(difference->since_ms, earlier->time_ms);
	assert_true(difference->interval_s == 2.5);
	assert_int_equal(difference->lost[CT_LOST_MAP_FULL], 5);
	assert_int_equal(difference->lost[CT_LOST_READ_FAULT], 0);
	assert_true(difference->self.cpu_s > 0.49 && difference->self.cpu_s < 0.51);
	cache = &difference->caches[0];
	assert_int_equal(snapshot_cache__lookups(cache), 11);
	assert_int_equal(cache->outcome[CT_HIT], 10);
	assert_int_equal(cache->outcome[CT_MISS], 0);
	assert_int_equal(cache->computes, 3);
	assert_int_equal(cache->entries, 60);
	assert_int_equal(cache->compute_latency.count, 2);
	assert_int_equal(cache->compute_latency.sum_ns, 1500);
	assert_in_range(cache->compute_latency.max_ns, 800, 831);
	assert_int_equal(snapshot_cache__lookups(&difference->caches[2]), 0);
	snapshot__free(earlier);
	snapshot__free(later);
	assert_string_equal(difference->caches[0].cache, "app.users.get_user");
	assert_string_equal(difference->host_name, "host-1");
	assert_string_equal(snapshot__string(difference, "more"), "more");
	snapshot__free(difference);
}

static void difference_takes_new_caches_whole_and_leaves_out_old_ones(void **state)
{
	struct snapshot *earlier = snapshot__new(), *later = snapshot__new(), *difference;

	(void)state;
	add_cache(earlier, "old", 1)->outcome[CT_HIT] = 5;
	add_cache(earlier, "kept", 1)->outcome[CT_HIT] = 5;
	add_cache(later, "new", 1)->outcome[CT_HIT] = 7;
	add_cache(later, "kept", 1)->outcome[CT_HIT] = 4;
	add_cache(later, "kept", 2)->outcome[CT_HIT] = 3;
	difference = snapshot__difference(later, earlier);
	assert_int_equal(difference->count, 3);
	assert_string_equal(difference->caches[0].cache, "new");
	assert_int_equal(difference->caches[0].outcome[CT_HIT], 7);
	assert_int_equal(difference->caches[1].outcome[CT_HIT], 0);
	assert_int_equal(difference->caches[2].outcome[CT_HIT], 3);
	snapshot__free(difference);
	snapshot__free(earlier);
	snapshot__free(later);
}

/* A second is some ten times what it takes, and far less than comparing all pairs would take. */
static void difference_of_many_caches_is_fast(void **state)
{
	enum { COUNT = 50000 };
	struct snapshot *earlier = snapshot__new(), *later = snapshot__new(), *difference;
	clock_t start, end;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		add_cache(earlier, "cache", i)->outcome[CT_HIT] = i;
		add_cache(later, "cache", COUNT - 1 - i)->outcome[CT_HIT] = COUNT + i;
	}
	start = clock();
	difference = snapshot__difference(later, earlier);
	end = clock();
	assert_non_null(difference);
	assert_true(end - start < CLOCKS_PER_SEC);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(difference->caches[i].outcome[CT_HIT], 2 * i + 1);
	snapshot__free(difference);
	snapshot__free(earlier);
	snapshot__free(later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_are_kept_once),
		cmocka_unit_test(long_texts_are_kept),
		cmocka_unit_test(outcomes_have_names),
		cmocka_unit_test(lookups_are_the_sum_of_outcomes),
		cmocka_unit_test(identity_is_all_of_its_parts),
		cmocka_unit_test(difference_subtracts_counts_and_keeps_gauges),
		cmocka_unit_test(difference_takes_new_caches_whole_and_leaves_out_old_ones),
		cmocka_unit_test(difference_of_many_caches_is_fast),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
