/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of duration histograms: buckets, sums, differences, quantiles. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot.h"

/* Numbers that are the same in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void record(struct histogram *histogram, uint64_t ns)
{
	assert_int_equal(histogram__add(histogram, histogram__bucket_of(ns), 1), 0);
	histogram->count++;
	histogram->sum_ns += ns;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

static struct histogram make_random(uint64_t seed, size_t count)
{
	struct histogram histogram = { 0 };

	for (size_t i = 0; i < count; i++) {
		uint64_t ns = next_random(&seed);

		record(&histogram, ns >> (20 + ns % 44));
	}
	return histogram;
}

static void assert_sorted(const struct histogram *histogram)
{
	for (uint32_t i = 0; i < histogram->used; i++) {
		assert_true(histogram->buckets[i].count > 0);
		assert_true(histogram->buckets[i].bucket < CT_BUCKETS);
		if (i)
			assert_true(histogram->buckets[i - 1].bucket <
				    histogram->buckets[i].bucket);
	}
}

static void assert_same_buckets(const struct histogram *a, const struct histogram *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sum_ns, b->sum_ns);
	assert_int_equal(a->used, b->used);
	for (uint32_t i = 0; i < a->used; i++) {
		assert_int_equal(a->buckets[i].bucket, b->buckets[i].bucket);
		assert_int_equal(a->buckets[i].count, b->buckets[i].count);
	}
}

static void buckets_follow_one_another(void **state)
{
	(void)state;
	assert_int_equal(histogram__bucket_from(0), 0);
	for (uint32_t i = 0; i + 1 < CT_BUCKETS; i++) {
		assert_true(histogram__bucket_from(i) < histogram__bucket_to(i));
		assert_int_equal(histogram__bucket_to(i), histogram__bucket_from(i + 1));
	}
	assert_int_equal(histogram__bucket_to(CT_BUCKETS - 1), UINT64_MAX);
}

static void buckets_are_narrow(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(histogram__bucket_to(i) - histogram__bucket_from(i), 1);
	for (uint32_t i = 16; i < CT_BUCKETS - 1; i++) {
		uint64_t from = histogram__bucket_from(i);

		assert_true((histogram__bucket_to(i) - from) * 8 <= from);
	}
}

static void assert_in_its_bucket(uint64_t ns)
{
	uint32_t bucket = histogram__bucket_of(ns);

	assert_true(bucket < CT_BUCKETS);
	assert_true(histogram__bucket_from(bucket) <= ns);
	assert_true(ns < histogram__bucket_to(bucket) || ns == UINT64_MAX);
}

static void every_duration_is_in_its_bucket(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (uint64_t ns = 0; ns < 1 << 17; ns++)
		assert_in_its_bucket(ns);
	for (uint32_t bit = 0; bit < 64; bit++)
		for (int64_t around = -2; around <= 2; around++)
			assert_in_its_bucket(((uint64_t)1 << bit) + around);
	for (int i = 0; i < 100000; i++) {
		uint64_t ns = next_random(&seed);

		assert_in_its_bucket(ns >> ns % 64);
	}
	for (uint32_t i = 0; i < CT_BUCKETS; i++) {
		assert_int_equal(histogram__bucket_of(histogram__bucket_from(i)), i);
		assert_int_equal(histogram__bucket_of(histogram__bucket_to(i) - 1), i);
	}
}

static void long_durations_share_the_last_bucket(void **state)
{
	(void)state;
	assert_int_equal(histogram__bucket_of((uint64_t)1 << 40), CT_BUCKETS - 1);
	assert_int_equal(histogram__bucket_of(UINT64_MAX), CT_BUCKETS - 1);
	assert_int_equal(histogram__bucket_of(((uint64_t)15 << 36) - 1), CT_BUCKETS - 2);
}

static void adding_keeps_order(void **state)
{
	static const uint32_t order[] = { 100, 5, 303, 0, 5, 200, 100, 99 };
	struct histogram histogram = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		assert_int_equal(histogram__add(&histogram, order[i], 10), 0);
	assert_int_equal(histogram__add(&histogram, 50, 0), 0);
	assert_sorted(&histogram);
	assert_int_equal(histogram.used, 6);
	assert_int_equal(histogram.buckets[1].bucket, 5);
	assert_int_equal(histogram.buckets[1].count, 20);
	assert_int_equal(histogram.count, 0);
	histogram__free(&histogram);
	assert_null(histogram.buckets);
}

static void sums_stop_at_the_largest_number(void **state)
{
	struct histogram a = { .count = UINT64_MAX - 1, .sum_ns = UINT64_MAX },
			 b = { .count = 5, .sum_ns = 5 };

	(void)state;
	assert_int_equal(histogram__add(&a, 3, UINT64_MAX - 1), 0);
	assert_int_equal(histogram__add(&a, 4, UINT64_MAX), 0);
	assert_int_equal(histogram__add(&b, 3, 5), 0);
	assert_int_equal(histogram__merge(&a, &b), 0);
	assert_int_equal(a.count, UINT64_MAX);
	assert_int_equal(a.sum_ns, UINT64_MAX);
	assert_int_equal(a.buckets[0].count, UINT64_MAX);
	assert_true(histogram__quantile(&a, 0.5) <= a.max_ns);
	histogram__free(&a);
	histogram__free(&b);
}

static void subtracting_undoes_merging(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 300; seed++) {
		struct histogram a = make_random(seed, seed % 40),
				 b = make_random(seed + 1000, seed * 7 % 90);
		struct histogram both = { 0 };
		uint64_t max_ns = a.max_ns;

		assert_int_equal(histogram__merge(&both, &a), 0);
		assert_same_buckets(&both, &a);
		assert_int_equal(histogram__merge(&both, &b), 0);
		assert_sorted(&both);
		assert_int_equal(both.count, a.count + b.count);
		assert_int_equal(both.max_ns, a.max_ns > b.max_ns ? a.max_ns : b.max_ns);
		histogram__subtract(&both, &b);
		assert_same_buckets(&both, &a);
		assert_true(both.max_ns >= max_ns);
		assert_int_equal(histogram__bucket_of(both.max_ns), histogram__bucket_of(max_ns));
		histogram__free(&a);
		histogram__free(&b);
		histogram__free(&both);
	}
}

static void differences_stop_at_zero(void **state)
{
	struct histogram a = { 0 }, b = { 0 };

	(void)state;
	record(&a, 100);
	record(&a, 5000);
	record(&b, 100);
	record(&b, 100);
	record(&b, 7);
	histogram__subtract(&a, &b);
	assert_int_equal(a.used, 1);
	assert_int_equal(a.buckets[0].bucket, histogram__bucket_of(5000));
	assert_int_equal(a.count, 0);
	assert_int_equal(a.max_ns, 5000);
	histogram__subtract(&a, &a);
	assert_int_equal(a.used, 0);
	assert_int_equal(a.max_ns, 0);
	histogram__free(&a);
	histogram__free(&b);
}

static int compare_durations(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

/* The quantile lies in the bucket of the duration at that place of the sorted set. */
static void quantiles_are_within_a_bucket(void **state)
{
	static const double shares[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	enum { COUNT = 5000 };
	static uint64_t durations[COUNT];
	struct histogram histogram = { 0 };
	uint64_t seed = 42, before = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		durations[i] = 50 + next_random(&seed) % 1000 * (next_random(&seed) % 1000);
		record(&histogram, durations[i]);
	}
	qsort(durations, COUNT, sizeof(durations[0]), compare_durations);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint64_t truth = durations[(int)(shares[i] * COUNT) - 1];
		uint32_t bucket = histogram__bucket_of(truth);
		uint64_t quantile = histogram__quantile(&histogram, shares[i]);

		assert_in_range(quantile, histogram__bucket_from(bucket),
				histogram__bucket_to(bucket));
		assert_true(quantile >= before && quantile <= histogram.max_ns);
		before = quantile;
	}
	assert_int_equal(histogram__quantile(&histogram, 1), durations[COUNT - 1]);
	histogram__free(&histogram);
}

static void quantiles_of_small_sets(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	assert_int_equal(histogram__quantile(&histogram, 0.5), 0);
	for (int i = 0; i < 3; i++)
		record(&histogram, 7);
	assert_int_equal(histogram__quantile(&histogram, 0.5), 7);
	assert_int_equal(histogram__quantile(&histogram, 0.99), 7);
	record(&histogram, 1000);
	assert_int_equal(histogram__quantile(&histogram, 0.75), 7);
	assert_in_range(histogram__quantile(&histogram, 0.99), 960, 1000);
	histogram__free(&histogram);
}

static void quantiles_are_linear_inside_a_bucket(void **state)
{
	struct histogram histogram = { .count = 100, .max_ns = 1 << 20 };

	(void)state;
	assert_int_equal(histogram__add(&histogram, histogram__bucket_of(1024), 100), 0);
	assert_int_equal(histogram__quantile(&histogram, 0.25), 1024 + 127 / 4);
	assert_int_equal(histogram__quantile(&histogram, 0.5), 1024 + 127 / 2);
	assert_int_equal(histogram__quantile(&histogram, 1), 1024 + 127);
	histogram.max_ns = 1030;
	assert_int_equal(histogram__quantile(&histogram, 0.5), 1027);
	histogram__free(&histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_one_another),
		cmocka_unit_test(buckets_are_narrow),
		cmocka_unit_test(every_duration_is_in_its_bucket),
		cmocka_unit_test(long_durations_share_the_last_bucket),
		cmocka_unit_test(adding_keeps_order),
		cmocka_unit_test(sums_stop_at_the_largest_number),
		cmocka_unit_test(subtracting_undoes_merging),
		cmocka_unit_test(differences_stop_at_zero),
		cmocka_unit_test(quantiles_are_within_a_bucket),
		cmocka_unit_test(quantiles_of_small_sets),
		cmocka_unit_test(quantiles_are_linear_inside_a_bucket),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
