/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of targets that are made from options. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi.h"
#include "capture.h"
#include "target.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* What target__ad_hoc is given, and a place's file and symbol as they should come out. */
static void test_ad_hoc_names(void **state)
{
	static const struct {
		const char *option, *file, *symbol;
	} rows[] = {
		{ "toy_get", NULL, "toy_get" },
		{ "libtoy.so:toy_get", "libtoy.so", "toy_get" },
		{ "/opt/a:b/libtoy.so.1:toy_get", "/opt/a:b/libtoy.so.1", "toy_get" },
		{ "ns::Class::get", NULL, "ns::Class::get" },
		{ "::get", NULL, "::get" },
		{ "libtoy.so:ns::Class::get(int)", "libtoy.so", "ns::Class::get(int)" },
		{ "libtoy.so:get(std::string const&)", "libtoy.so", "get(std::string const&)" },
		{ "<a::B as c::D>::get", NULL, "<a::B as c::D>::get" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct target *target = target__ad_hoc(rows[i].option, "ret", rows[i].option, NULL);

		assert_non_null(target);
		assert_int_equal(target->places_count, 2);
		for (unsigned j = 0; j < 2; j++) {
			const struct target_place *place = &target->places[j];

			assert_string_equal(place->name, j == 0 ? "lookup" : "compute");
			assert_string_equal(place->file ? place->file : "-",
					    rows[i].file ? rows[i].file : "-");
			assert_int_equal(place->tries_count, 2);
			assert_string_equal(place->tries[0].symbol, rows[i].symbol);
			assert_string_equal(place->tries[1].glob, rows[i].symbol);
		}
		assert_string_equal(target->caches[0].name, rows[i].symbol);
		target__free(target);
	}
}

static void test_ad_hoc_hit(void **state)
{
	struct target *target = target__ad_hoc("get", "ret == object", "make", "[arg0 + 8]");
	const struct target_cache *cache;

	(void)state;
	assert_non_null(target);
	assert_string_equal(target->name, "adhoc");
	assert_int_equal(target->match_count, 0);
	assert_non_null(target->origin);
	assert_int_equal(target->caches_count, 1);
	cache = &target->caches[0];
	assert_string_equal(cache->lookup->at, "lookup");
	assert_int_equal(cache->lookup->outcome_count, 2);
	assert_int_equal(cache->lookup->outcome[0].outcome, CT_HIT);
	assert_int_equal(cache->lookup->outcome[0].condition->left->kind, EXPR_RETURN);
	assert_int_equal(cache->lookup->outcome[0].condition->compare, EXPR_EQ);
	assert_int_equal(cache->lookup->outcome[0].condition->right->kind, EXPR_OBJECT);
	assert_int_equal(cache->lookup->outcome[1].outcome, CT_MISS);
	assert_null(cache->lookup->outcome[1].condition);
	assert_string_equal(cache->compute->at, "compute");
	assert_int_equal(cache->object_expr->kind, EXPR_READ);
	target__free(target);
}

static void test_ad_hoc_compute_alone(void **state)
{
	struct target *target = target__ad_hoc("get", NULL, "make", NULL);
	const struct target_cache *cache;

	(void)state;
	assert_non_null(target);
	cache = &target->caches[0];
	assert_int_equal(cache->lookup->outcome_count, 2);
	assert_int_equal(cache->lookup->outcome[0].outcome, CT_MISS);
	assert_int_equal(cache->lookup->outcome[0].condition->left->kind, EXPR_NESTED);
	assert_int_equal(cache->lookup->outcome[1].outcome, CT_HIT);
	assert_null(cache->object_expr);
	target__free(target);
	target = target__ad_hoc("get", "ret", NULL, NULL);
	assert_non_null(target);
	assert_int_equal(target->places_count, 1);
	assert_null(target->caches[0].compute);
	target__free(target);
}

static void test_wrong_options(void **state)
{
	static const struct {
		const char *lookup, *hit, *compute, *object, *message;
	} rows[] = {
		{ NULL, "ret", NULL, NULL,
		  "--lookup is needed with --hit, --compute and --object" },
		{ "get", NULL, NULL, NULL,
		  "--lookup: expected --hit or --compute too, to tell hits from misses" },
		{ "", "ret", NULL, NULL, "--lookup: expected [FILE:]SYMBOL" },
		{ ":get", "ret", NULL, NULL, "--lookup: expected [FILE:]SYMBOL" },
		{ "toy:", "ret", NULL, NULL, "--lookup: expected [FILE:]SYMBOL" },
		{ "get", "ret", "toy:", NULL, "--compute: expected [FILE:]SYMBOL" },
		{ "get", "", NULL, NULL, "--hit: expected a value at column 1" },
		{ "get", "ret = 0", NULL, NULL, "--hit: unexpected '=' at column 5" },
		{ "get", "nested", NULL, NULL,
		  "--hit: 'nested' has a value only in the outcome of a lookup with a compute" },
		{ "get", "object", NULL, NULL,
		  "--hit: 'object' has a value only in caches that say what their object is" },
		{ "get", "ret && arg0", NULL, NULL,
		  "--hit: too many comparisons: expected at most 1" },
		{ "get", NULL, "make", "[arg0", "--object: expected ']' at column 6" },
		{ "get", NULL, "make", "ret",
		  "--object: 'ret' has a value only in the outcome of a lookup" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct capture capture;
		struct target *target;
		char expected[256];

		capture__begin(&capture);
		target = target__ad_hoc(rows[i].lookup, rows[i].hit, rows[i].compute,
					rows[i].object);
		capture__end(&capture);
		assert_null(target);
		snprintf(expected, sizeof(expected), "cachetrace: %s\n", rows[i].message);
		assert_string_equal(capture.text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ad_hoc_names),
		cmocka_unit_test(test_ad_hoc_hit),
		cmocka_unit_test(test_ad_hoc_compute_alone),
		cmocka_unit_test(test_wrong_options),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
