/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of targets: what is loaded from files and from a directory of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "abi.h"
#include "capture.h"
#include "target.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct target *parse_good(const char *text)
{
	struct capture capture;
	struct target *target;

	capture__begin(&capture);
	target = target__parse(text, strlen(text), "toy.yaml");
	capture__end(&capture);
	assert_string_equal(capture.text, "");
	assert_non_null(target);
	return target;
}

static const char whole[] =
	"# a comment\n"
	"name: toy-1.0_x\n"
	"what: a toy\n"
	"match:\n"
	"  - exe: '*/toy'\n"
	"    soname: libtoy.so*\n"
	"    build_id: 0123abcd\n"
	"    symbol: toy_get\n"
	"  - exe: toy2\n"
	"places:\n"
	"  - name: get\n"
	"    try:\n"
	"      - symbol: toy_get\n"
	"        expect: {min_size: 8, max_size: 0x100, bytes: '41 .. 0fA0', calls: malloc}\n"
	"      - glob: toy::get(*)\n"
	"      - usdt: toy:get\n"
	"      - {string: not found, in: make, nth: 2}\n"
	"      - {caller_of: make, every: true}\n"
	"      - {vtable: 'toy::(anonymous namespace)::Cache', slot: 0}\n"
	"      - pointer: '[make + 8]'\n"
	"      - table: toy_get\n"
	"      - code: make\n"
	"        match: ['mov rax, [{limit}]', test rax]\n"
	"        every: false\n"
	"      - {build_id: 0123456789abcdef, offset: 0xabcdef1234}\n"
	"  - name: make\n"
	"    try: [symbol: toy_make]\n"
	"caches:\n"
	"  - name: main\n"
	"    what: the cache\n"
	"    object: arg0\n"
	"    label: '[object + 16]'\n"
	"    lookup:\n"
	"      at: get\n"
	"      when: (arg1 & 12) == 0 && object != 0\n"
	"      outcome:\n"
	"        - {when: nested, is: miss}\n"
	"        - {when: 'u32 [arg2] > 3', is: ignored}\n"
	"        - is: stale\n"
	"    compute: {at: make, when: arg0, object: '[arg0]'}\n"
	"    entries: u32 [object + 8]\n"
	"    capacity: '[limit]'\n"
	"    unit: bytes\n"
	"    unwind: never\n"
	"  - name: counted\n"
	"    object: '%rdi'\n"
	"    lookup: {at: get}\n"
	"    counters:\n"
	"      - {is: hit, value: 'u32 [arg0 + 0xf8]'}\n"
	"      - {is: miss, value: 'u32 [object + 0xfc]'}\n"
	"    fill: lookup\n"
	"  - name: sites\n"
	"    sites:\n"
	"      - {at: get, is: lookup}\n"
	"      - {at: make, is: miss, when: '%rax == 1'}\n"
	"      - {at: make, is: ignored}\n"
	"    compute: {at: make}\n";

static void test_target_and_match(void **state)
{
	struct target *target = parse_good(whole);

	(void)state;
	assert_string_equal(target->name, "toy-1.0_x");
	assert_string_equal(target->what, "a toy");
	assert_string_equal(target->origin, "toy.yaml");
	assert_int_equal(target->match_count, 2);
	assert_string_equal(target->match[0].exe, "*/toy");
	assert_string_equal(target->match[0].soname, "libtoy.so*");
	assert_string_equal(target->match[0].build_id, "0123abcd");
	assert_string_equal(target->match[0].symbol, "toy_get");
	assert_string_equal(target->match[1].exe, "toy2");
	assert_null(target->match[1].symbol);
	assert_int_equal(target->places_count, 2);
	assert_int_equal(target->caches_count, 3);
	target__free(target);
}

static void test_places(void **state)
{
	struct target *target = parse_good(whole);
	const struct target_try *tries = target->places[0].tries;

	(void)state;
	assert_string_equal(target->places[0].name, "get");
	assert_null(target->places[0].file);
	assert_int_equal(target->places[0].tries_count, 10);
	assert_string_equal(tries[0].symbol, "toy_get");
	assert_int_equal(tries[0].expect->min_size, 8);
	assert_int_equal(tries[0].expect->max_size, 256);
	assert_string_equal(tries[0].expect->bytes, "41 .. 0fA0");
	assert_string_equal(tries[0].expect->calls, "malloc");
	assert_string_equal(tries[1].glob, "toy::get(*)");
	assert_null(tries[1].expect);
	assert_string_equal(tries[2].usdt, "toy:get");
	assert_string_equal(tries[3].string, "not found");
	assert_string_equal(tries[3].in, "make");
	assert_int_equal(tries[3].nth, 2);
	assert_false(tries[3].every);
	assert_string_equal(tries[4].caller_of, "make");
	assert_true(tries[4].every);
	assert_string_equal(tries[5].vtable, "toy::(anonymous namespace)::Cache");
	assert_int_equal(tries[5].slot, 0);
	assert_string_equal(tries[6].pointer, "[make + 8]");
	assert_int_equal(tries[6].pointer_expr->kind, EXPR_READ);
	assert_string_equal(tries[7].table, "toy_get");
	assert_string_equal(tries[8].code, "make");
	assert_int_equal(tries[8].match_count, 2);
	assert_string_equal(tries[8].match[0], "mov rax, [{limit}]");
	assert_string_equal(tries[8].match[1], "test rax");
	assert_string_equal(tries[9].build_id, "0123456789abcdef");
	assert_true(tries[9].offset == 0xabcdef1234);
	assert_string_equal(target->places[1].tries[0].symbol, "toy_make");
	target__free(target);
}

static void test_lookup_and_compute(void **state)
{
	struct target *target = parse_good(whole);
	const struct target_cache *cache = &target->caches[0];
	const struct target_case *cases = cache->lookup->outcome;

	(void)state;
	assert_string_equal(cache->name, "main");
	assert_string_equal(cache->what, "the cache");
	assert_int_equal(cache->object_expr->kind, EXPR_ARGUMENT);
	assert_int_equal(cache->label_expr->kind, EXPR_READ);
	assert_string_equal(cache->lookup->at, "get");
	assert_int_equal(cache->lookup->condition->compare, EXPR_EQ);
	assert_int_equal(cache->lookup->condition->next->left->kind, EXPR_OBJECT);
	assert_int_equal(cache->lookup->outcome_count, 3);
	assert_int_equal(cases[0].outcome, CT_MISS);
	assert_int_equal(cases[0].condition->left->kind, EXPR_NESTED);
	assert_null(cases[0].condition->next);
	assert_int_equal(cases[1].outcome, CT_IGNORED);
	assert_int_equal(cases[1].condition->compare, EXPR_GT);
	assert_int_equal(cases[2].outcome, CT_STALE);
	assert_null(cases[2].condition);
	assert_string_equal(cache->compute->at, "make");
	assert_int_equal(cache->compute->object_expr->kind, EXPR_READ);
	assert_int_equal(cache->compute->condition->compare, EXPR_NE);
	assert_int_equal(cache->entries_expr->width, 4);
	assert_string_equal(cache->capacity_expr->left->name, "limit");
	assert_int_equal(cache->unit, TARGET_UNIT_BYTES);
	assert_int_equal(cache->fill, TARGET_FILL_NONE);
	assert_int_equal(cache->unwind, TARGET_UNWIND_NEVER);
	target__free(target);
}

static void test_counters_and_sites(void **state)
{
	struct target *target = parse_good(whole);
	const struct target_cache *counted = &target->caches[1], *sites = &target->caches[2];

	(void)state;
	assert_null(counted->lookup->outcome);
	assert_int_equal(counted->counters_count, 2);
	assert_int_equal(counted->counters[0].outcome, CT_HIT);
	assert_int_equal(counted->counters[0].expr->left->right->number, 0xf8);
	assert_int_equal(counted->counters[1].outcome, CT_MISS);
	assert_int_equal(counted->counters[1].expr->left->left->kind, EXPR_OBJECT);
	assert_int_equal(counted->unit, TARGET_UNIT_ENTRIES);
	assert_int_equal(counted->fill, TARGET_FILL_LOOKUP);
	assert_int_equal(counted->unwind, TARGET_UNWIND_MAYBE);
	assert_null(sites->lookup);
	assert_int_equal(sites->sites_count, 3);
	assert_int_equal(sites->sites[0].outcome, -1);
	assert_int_equal(sites->sites[1].outcome, CT_MISS);
	assert_string_equal(sites->sites[1].condition->left->name, "rax");
	assert_int_equal(sites->sites[2].outcome, CT_IGNORED);
	target__free(target);
}

static void test_nested_outcome_is_filled_in(void **state)
{
	static const char text[] =
		"name: toy\n"
		"match: [exe: toy]\n"
		"places: [{name: get, try: [symbol: get]}, {name: make, try: [symbol: make]}]\n"
		"caches: [{name: main, lookup: {at: get}, compute: {at: make}}]\n";
	struct target *target = parse_good(text);
	const struct target_call *lookup = target->caches[0].lookup;

	(void)state;
	assert_int_equal(lookup->outcome_count, 2);
	assert_string_equal(lookup->outcome[0].when, "nested");
	assert_string_equal(lookup->outcome[0].is, "miss");
	assert_int_equal(lookup->outcome[0].outcome, CT_MISS);
	assert_int_equal(lookup->outcome[0].condition->left->kind, EXPR_NESTED);
	assert_int_equal(lookup->outcome[0].condition->compare, EXPR_NE);
	assert_null(lookup->outcome[1].when);
	assert_int_equal(lookup->outcome[1].outcome, CT_HIT);
	target__free(target);
}

/* A new directory, whose path goes to path; the files in it are those of the tests. */
static void make_directory(char *path)
{
	strcpy(path, "/tmp/cachetrace-test-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_target(const char *directory, const char *file, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "name: %s\nmatch: [exe: a]\nplaces: [{name: get, try: [symbol: a]}]\n"
		 "caches: [{name: a, sites: [{at: get, is: hit}]}]\n", name);
	write_file(directory, file, text);
}

static void remove_directory(const char *directory, const char *const *files, size_t count)
{
	char path[256];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(directory), 0);
}

static const struct target *find(const struct target_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->targets[i]->name, name) == 0)
			return set->targets[i];
	return NULL;
}

static void test_built_in_targets(void **state)
{
	struct target_set set;

	(void)state;
	assert_int_equal(target_set__load(&set, NULL), 0);
	assert_true(set.count > 0);
	for (unsigned i = 0; i < set.count; i++) {
		char origin[256];

		snprintf(origin, sizeof(origin), "built-in %s.yaml", set.targets[i]->name);
		assert_string_equal(set.targets[i]->origin, origin);
		assert_non_null(set.targets[i]->what);
		if (i > 0)
			assert_true(strcmp(set.targets[i - 1]->name, set.targets[i]->name) < 0);
	}
	target_set__free(&set);
	assert_int_equal(set.count, 0);
	target_set__free(&set);
}

static void test_directory_adds_and_replaces(void **state)
{
	static const char *const files[] = { "1.yaml", "2.yaml", ".3.yaml", "4.yml", ".yaml" };
	struct target_set built_in, set;
	char directory[64], path[256];
	const char *replaced;

	(void)state;
	assert_int_equal(target_set__load(&built_in, NULL), 0);
	replaced = built_in.targets[built_in.count - 1]->name;
	make_directory(directory);
	write_target(directory, "1.yaml", replaced);
	write_target(directory, "2.yaml", "0-toy");
	write_file(directory, ".3.yaml", "wrong");
	write_file(directory, "4.yml", "wrong");
	write_file(directory, ".yaml", "wrong");
	assert_int_equal(target_set__load(&set, directory), 0);
	assert_int_equal(set.count, built_in.count + 1);
	snprintf(path, sizeof(path), "%s/1.yaml", directory);
	assert_string_equal(find(&set, replaced)->origin, path);
	snprintf(path, sizeof(path), "%s/2.yaml", directory);
	assert_string_equal(find(&set, "0-toy")->origin, path);
	assert_ptr_equal(find(&set, "0-toy"), set.targets[0]);
	target_set__free(&set);
	target_set__free(&built_in);
	remove_directory(directory, files, ROWS(files));
}

static void test_all_broken_files_are_told(void **state)
{
	static const char *const files[] = {
		"a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "f.yaml",
	};
	struct target_set set;
	struct capture capture;
	char directory[64], path[256], expected[1024];

	(void)state;
	make_directory(directory);
	write_file(directory, "a.yaml", "name: [");
	write_target(directory, "b.yaml", "toy");
	write_file(directory, "c.yaml", "names: toy\n");
	write_target(directory, "d.yaml", "toy");
	snprintf(path, sizeof(path), "%s/e.yaml", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/f.yaml", directory);
	assert_int_equal(symlink("nowhere", path), 0);
	capture__begin(&capture);
	assert_int_equal(target_set__load(&set, directory), -EINVAL);
	capture__end(&capture);
	assert_int_equal(set.count, 0);
	snprintf(expected, sizeof(expected),
		 "cachetrace: %1$s/a.yaml:2:1: did not find expected node content while parsing a "
		 "flow node that began in line 2\n"
		 "cachetrace: %1$s/c.yaml:1:1: names: unknown key: expected one of name, what, "
		 "match, places, caches\n"
		 "cachetrace: %1$s/d.yaml: name: 'toy' is the name of %1$s/b.yaml too\n"
		 "cachetrace: %1$s/e.yaml: cannot be read: not a regular file\n"
		 "cachetrace: %1$s/f.yaml: cannot be read: No such file or directory\n", directory);
	assert_string_equal(capture.text, expected);
	remove_directory(directory, files, ROWS(files));
}

static void test_missing_directory(void **state)
{
	struct target_set set;
	char directory[64];

	(void)state;
	make_directory(directory);
	remove_directory(directory, NULL, 0);
	assert_int_equal(target_set__load(&set, directory), -ENOENT);
	assert_int_equal(set.count, 0);
}

static void test_free_nothing(void **state)
{
	(void)state;
	target__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target_and_match),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_lookup_and_compute),
		cmocka_unit_test(test_counters_and_sites),
		cmocka_unit_test(test_nested_outcome_is_filled_in),
		cmocka_unit_test(test_built_in_targets),
		cmocka_unit_test(test_directory_adds_and_replaces),
		cmocka_unit_test(test_all_broken_files_are_told),
		cmocka_unit_test(test_missing_directory),
		cmocka_unit_test(test_free_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
