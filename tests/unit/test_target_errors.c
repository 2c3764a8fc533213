/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of what is said of wrong target files, and where. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi.h"
#include "capture.h"
#include "target.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct target *parse(const char *text, struct capture *capture)
{
	struct target *target;

	capture__begin(capture);
	target = target__parse(text, strlen(text), "toy.yaml");
	capture__end(capture);
	return target;
}

static struct target *parse_good(const char *text)
{
	struct capture capture;
	struct target *target = parse(text, &capture);

	assert_string_equal(capture.text, "");
	assert_non_null(target);
	return target;
}

/* message is without the program's and the file's name. */
static void assert_refused(const char *text, const char *message)
{
	struct capture capture;
	struct target *target = parse(text, &capture);
	char expected[1024];

	assert_null(target);
	snprintf(expected, sizeof(expected), "cachetrace: toy.yaml:%s\n", message);
	assert_string_equal(capture.text, expected);
}

#define HEAD "name: toy\nmatch: [exe: toy]\nplaces:\n"
#define PLACES HEAD "  - {name: get, try: [symbol: get]}\n  - {name: make, try: [symbol: make]}\n"

struct refusal {
	const char *text;
	const char *message;
};

static void test_wrong_yaml(void **state)
{
	static const struct refusal rows[] = {
		{ "", "1: empty: expected a mapping that begins with 'name:'" },
		{ "# nothing\n", "1: empty: expected a mapping that begins with 'name:'" },
		{ "name: a\n\tb: c\n", "2:1: found a tab character that violates indentation "
				       "while scanning a plain scalar that began in line 1" },
		{ "name: a\nmatch: [a\n", "3:1: did not find expected ',' or ']' "
					  "while parsing a flow sequence that began in line 2" },
		{ "name: \"a\\0b\"\n", "1:7: NUL character in a text" },
		{ "name: a\nwhat: b\xff\n", "2:8: invalid leading UTF-8 octet" },
		{ "name: a\n---\nname: b\n", "2:1: second document: only one is allowed" },
		{ "name: &a b\nwhat: *a\n",
		  "2:7: aliases are not allowed: expected the value itself" },
		{ "a: [[[[[[[[[[[[[[[[\n", "1:19: nested too deep" },
		{ "[a]: b\n", "1:1: expected keys that are single words" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_refused(rows[i].text, rows[i].message);
}

#define NUMBER_RULE "expected a number within range, decimal or 0x hexadecimal"
#define KEYS "name, what, match, places, caches"

static void test_wrong_schema(void **state)
{
	static const struct refusal rows[] = {
		{ "toy", "1:1: expected a mapping with keys out of " KEYS },
		{ "- name: toy", "1:1: expected a mapping with keys out of " KEYS },
		{ "{}", "1:1: 'name' is missing" },
		{ "name:\n", "1:1: name: expected a text that is not empty" },
		{ "name: [a]\n", "1:1: name: expected a text that is not empty" },
		{ "name: a\nname: b\n", "2:1: name: this key is given twice" },
		{ "name: a\nnames: b\n", "2:1: names: unknown key: expected one of " KEYS },
		{ "name: a\n", "1:1: 'match' is missing" },
		{ "name: a\nmatch: []\n", "2:1: match: expected a list of 1 to 64 rows" },
		{ "name: a\nmatch: b\n", "2:1: match: expected a list of 1 to 64 rows" },
		{ "name: a\nmatch:\n- exe: a\n- b\n",
		  "4:3: match[1]: expected a mapping with keys out of exe, soname, build_id, "
		  "symbol" },
		{ "name: a\nmatch:\n- exe: a\n- exe: b\n  what.now: c\n",
		  "5:3: match[1].what.now: unknown key: expected one of exe, soname, build_id, "
		  "symbol" },
		{ "name: a\nmatch: [exe: b]\n", "1:1: 'places' is missing" },
		{ HEAD "- try: [symbol: get]\n", "4:3: places[0]: 'name' is missing" },
		{ HEAD "- name: get\n", "4:3: places[0]: 'try' is missing" },
		{ HEAD "- {name: get, try: []}\n",
		  "4:15: places[0].try: expected a list of 1 to 64 rows" },
		{ HEAD "- name: get\n  try:\n  - symbol: a\n  - {symbol: b, nth: many}\n",
		  "7:17: places[0].try[1].nth: " NUMBER_RULE },
		{ HEAD "- {name: get, try: [{symbol: a, nth: 0x100000000}]}\n",
		  "4:33: places[0].try[0].nth: " NUMBER_RULE },
		{ HEAD "- {name: get, try: [{symbol: a, every: yes}]}\n",
		  "4:33: places[0].try[0].every: expected one of false, true" },
		{ PLACES "caches:\n- {name: a, unit: pages}\n",
		  "7:13: caches[0].unit: expected one of entries, bytes" },
		{ PLACES "caches:\n- {name: a, compute: {at: b, outcome: []}}\n",
		  "7:30: caches[0].compute.outcome: unknown key: expected one of at, when, "
		  "object" },
		{ PLACES "caches:\n- name: a\n  lookup:\n    when: ret\n",
		  "8:3: caches[0].lookup: 'at' is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_refused(rows[i].text, rows[i].message);
}

#define NAME_RULE "expected a name of the characters a-z, 0-9, '_', '.', '-'"
#define BUILD_ID_RULE "expected at least 8 hex digits in lower case"
#define CACHE "caches: [{name: a, sites: [{at: get, is: hit}]}]\n"

#define GET "places: [{name: get, try: [symbol: a]}]\n" CACHE

static void test_wrong_names(void **state)
{
	static const struct refusal rows[] = {
		{ "name: Toy\nmatch: [exe: b]\n" GET, "1:1: name: " NAME_RULE },
		{ "name: toy\nmatch: [{}]\n" GET,
		  "2:9: match[0]: expected at least one of exe, soname, build_id, symbol" },
		{ "name: toy\nmatch: [build_id: 123456]\n" GET,
		  "2:9: match[0].build_id: " BUILD_ID_RULE },
		{ "name: toy\nmatch: [build_id: 0123456G]\n" GET,
		  "2:9: match[0].build_id: " BUILD_ID_RULE },
		{ HEAD "  - {name: get it, try: [symbol: a]}\n" CACHE,
		  "4:6: places[0].name: " NAME_RULE },
		{ HEAD "  - {name: a, try: [symbol: a]}\n  - {name: a, try: [symbol: b]}\n" CACHE,
		  "5:6: places[1].name: another place is named 'a' too" },
		{ PLACES "caches:\n- {name: A, sites: [{at: get, is: hit}]}\n",
		  "7:4: caches[0].name: " NAME_RULE },
		{ PLACES "caches:\n- {name: a, sites: [{at: get, is: hit}]}\n"
		  "- {name: a, sites: [{at: get, is: hit}]}\n",
		  "8:4: caches[1].name: another cache is named 'a' too" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_refused(rows[i].text, rows[i].message);
}

#define BYTES_RULE "expected bytes of two hex digits, '..' for any byte"

static void assert_try_refused(const char *try, unsigned column, const char *message)
{
	char text[512], full_message[256];

	snprintf(text, sizeof(text), HEAD "  - {name: get, try: [%s]}\n" CACHE, try);
	snprintf(full_message, sizeof(full_message), "4:%u: places[0].try[0]%s", column, message);
	assert_refused(text, full_message);
}

/* Each text is a row of "try:" in line 4, from column 23 on. */
static void test_wrong_tries(void **state)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *message;	/* behind the path of the row */
	} rows[] = {
		{ "{nth: 1}", 23,
		  ": expected one of symbol, glob, usdt, string, caller_of, callee_of, vtable, "
		  "pointer, table, code, build_id" },
		{ "{symbol: a, glob: b}", 35,
		  ".glob: 'symbol' is given already: expected one way to find the place in each "
		  "row" },
		{ "{code: a}", 24, ".code: expected 'match' beside it" },
		{ "{symbol: a, match: [b]}", 35, ".match: expected 'code' beside it" },
		{ "{vtable: a}", 24, ".vtable: expected 'slot' beside it" },
		{ "{symbol: a, slot: 0}", 35, ".slot: expected 'vtable' beside it" },
		{ "{build_id: 01234567}", 24, ".build_id: expected 'offset' beside it" },
		{ "{symbol: a, offset: 1}", 35, ".offset: expected 'build_id' beside it" },
		{ "{build_id: 0123456, offset: 1}", 24, ".build_id: " BUILD_ID_RULE },
		{ "{build_id: 01234567, offset: -1}", 44, ".offset: " NUMBER_RULE },
		{ "{build_id: 01234567, offset: 0x1g}", 44, ".offset: " NUMBER_RULE },
		{ "{build_id: 01234567, offset: 010}", 44, ".offset: " NUMBER_RULE },
		{ "{vtable: a, slot: -1}", 35, ".slot: " NUMBER_RULE },
		{ "{symbol: a, expect: {min_size: 3 4}}", 44, ".expect.min_size: " NUMBER_RULE },
		{ "{symbol: a, in: get}", 35, ".in: only with 'string' or 'callee_of'" },
		{ "{symbol: a, every: true, nth: 0}", 48, ".nth: 'every' takes all of several" },
		{ "{symbol: a, expect: {min_size: 9, max_size: 8}}", 57,
		  ".expect.max_size: expected not less than min_size" },
		{ "{symbol: a, expect: {bytes: 41 5}}", 44, ".expect.bytes: " BYTES_RULE },
		{ "{symbol: a, expect: {bytes: .4}}", 44, ".expect.bytes: " BYTES_RULE },
		{ "{usdt: get}", 24, ".usdt: expected PROVIDER:NAME" },
		{ "{usdt: 'a:'}", 24, ".usdt: expected PROVIDER:NAME" },
		{ "{usdt: 'a:b:c'}", 24, ".usdt: expected PROVIDER:NAME" },
		{ "{caller_of: b}", 24, ".caller_of: no place is named 'b'" },
		{ "{callee_of: b}", 24, ".callee_of: no place is named 'b'" },
		{ "{string: a, in: b}", 35, ".in: no place is named 'b'" },
		{ "{pointer: arg0}", 24, ".pointer: 'argN' has a value only in calls and sites" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_try_refused(rows[i].text, rows[i].column, rows[i].message);
	assert_refused(HEAD "- {name: get, try: [pointer: '[a']}\n" CACHE,
		       "4: places[0].try[0].pointer: expected ']' at column 3");
}

static void test_circle_of_places(void **state)
{
	static const char *const circles[] = {
		"{callee_of: get}", "{pointer: '[8 + get]'}", "{code: get, match: [a]}",
		"{symbol: a, expect: {calls: get}}",
	};
	struct target *target;

	(void)state;
	for (size_t i = 0; i < ROWS(circles); i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "  - {name: get, try: [%s]}\n" CACHE, circles[i]);
		assert_refused(text, "4:5: places[0]: 'get' is found by way of itself");
	}
	assert_refused(HEAD "- {name: get, try: [symbol: a, callee_of: b]}\n"
		       "- {name: b, try: [symbol: b, caller_of: c]}\n"
		       "- {name: c, try: [{string: c, in: b}]}\n" CACHE,
		       "5:3: places[1]: 'b' is found by way of itself");
	target = parse_good(HEAD "- {name: get, try: [callee_of: b, callee_of: c]}\n"
			    "- {name: b, try: [caller_of: d]}\n"
			    "- {name: c, try: [caller_of: d]}\n"
			    "- {name: d, try: [symbol: d]}\n" CACHE);
	target__free(target);
}

#define OUTCOMES "hit, miss, stale, refresh, pass, bypass, busy, create, other"
#define ONLY_OUTCOME "has a value only in the outcome of a lookup"
#define ONLY_LOOKUP "has a value only in the outcome of a lookup with a compute"
#define ONLY_CALLS "'argN' has a value only in calls and sites"
#define ONLY_OBJECT "'object' has a value only in caches that say what their object is"

/* Each text is the cache's row after "- {name: a, " in line 7, from column 13 on. */
static void assert_caches_refused(const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[512], message[256];

		snprintf(text, sizeof(text), PLACES "caches:\n- {name: a, %s}\n", rows[i].text);
		snprintf(message, sizeof(message), "7:%s", rows[i].message);
		assert_refused(text, message);
	}
}

static void test_wrong_shapes_of_caches(void **state)
{
	static const struct refusal rows[] = {
		{ "what: b", "3: caches[0]: expected either 'lookup' or 'sites'" },
		{ "lookup: {at: get}, sites: [{at: get, is: hit}]",
		  "3: caches[0]: expected either 'lookup' or 'sites'" },
		{ "sites: [{at: get, is: hit}], counters: [{is: hit, value: arg0}]",
		  "42: caches[0].counters: only with 'lookup'" },
		{ "lookup: {at: get, outcome: [is: hit]}, counters: [{is: hit, value: arg0}]",
		  "52: caches[0].counters: expected either 'counters' or an 'outcome' of "
		  "'lookup'" },
		{ "lookup: {at: get}",
		  "13: caches[0].lookup: expected an 'outcome', or beside it 'counters' or "
		  "'compute', to tell hits from misses" },
		{ "fill: lookup, sites: [{at: get, is: hit}]",
		  "13: caches[0].fill: expected 'lookup', and no 'compute', with this fill" },
		{ "fill: lookup, lookup: {at: get}, compute: {at: make}",
		  "13: caches[0].fill: expected 'lookup', and no 'compute', with this fill" },
		{ "sites: [{at: get, is: lookup}]",
		  "13: caches[0].sites: expected a site that is not a 'lookup', such as 'miss'" },
		{ "sites: [{at: get, is: lookup}, {at: make, is: hit}, {at: make, is: miss}]",
		  "13: caches[0].sites: expected no 'hit' beside 'lookup', of which the hits are "
		  "what the other sites leave over" },
		{ "lookup: {at: get, outcome: [{is: hit}, {is: miss}]}",
		  "52: caches[0].lookup.outcome[1]: never reached: the row before it always "
		  "holds" },
		{ "lookup: {at: get}, counters: [{is: hit, value: arg0}, {is: miss, value: arg0}, "
		  "{is: stale, value: arg0}]",
		  "32: caches[0].counters: expected a list of 1 to 2 rows" },
	};

	(void)state;
	assert_caches_refused(rows, ROWS(rows));
}

static void test_wrong_words_of_caches(void **state)
{
	static const struct refusal rows[] = {
		{ "lookup: {at: got}, compute: {at: make}",
		  "22: caches[0].lookup.at: no place is named 'got'" },
		{ "lookup: {at: get}, compute: {at: mak}",
		  "42: caches[0].compute.at: no place is named 'mak'" },
		{ "sites: [{at: got, is: hit}]",
		  "22: caches[0].sites[0].at: no place is named 'got'" },
		{ "sites: [{at: get, is: hot}]",
		  "31: caches[0].sites[0].is: no outcome is named 'hot': "
		  "expected one of " OUTCOMES ", ignored, lookup" },
		{ "lookup: {at: get, outcome: [is: unfinished]}",
		  "41: caches[0].lookup.outcome[0].is: no outcome is named 'unfinished': "
		  "expected one of " OUTCOMES ", ignored" },
		{ "lookup: {at: get, outcome: [is: lookup]}",
		  "41: caches[0].lookup.outcome[0].is: no outcome is named 'lookup': "
		  "expected one of " OUTCOMES ", ignored" },
		{ "lookup: {at: get}, counters: [{is: ignored, value: arg0}]",
		  "44: caches[0].counters[0].is: no outcome is named 'ignored': "
		  "expected one of " OUTCOMES },
	};

	(void)state;
	assert_caches_refused(rows, ROWS(rows));
}

static void test_wrong_expressions_of_caches(void **state)
{
	static const struct refusal rows[] = {
		{ "lookup: {at: get, when: 'u8 [arg0', outcome: [is: hit]}",
		  " caches[0].lookup.when: expected ']' at column 9" },
		{ "lookup: {at: get, outcome: [{when: ret =, is: hit}]}",
		  " caches[0].lookup.outcome[0].when: unexpected '=' at column 5" },
		{ "object: arg0 arg1, lookup: {at: get, outcome: [is: hit]}",
		  " caches[0].object: unexpected 'a' at column 6" },
		{ "entries: '[', lookup: {at: get, outcome: [is: hit]}",
		  " caches[0].entries: expected a value at column 2" },
		{ "lookup: {at: get}, counters: [{is: hit, value: '*'}]",
		  " caches[0].counters[0].value: expected a value at column 1" },
		{ "sites: [{at: get, is: hit, when: (}]",
		  " caches[0].sites[0].when: expected a value at column 2" },
	};

	(void)state;
	assert_caches_refused(rows, ROWS(rows));
}

static void test_operands_out_of_place(void **state)
{
	static const struct refusal rows[] = {
		{ "lookup: {at: get, when: ret, outcome: [is: hit]}",
		  "31: caches[0].lookup.when: 'ret' " ONLY_OUTCOME },
		{ "lookup: {at: get, when: nested}, compute: {at: make}",
		  "31: caches[0].lookup.when: 'nested' " ONLY_LOOKUP },
		{ "lookup: {at: get, when: '1 == [object]', outcome: [is: hit]}",
		  "31: caches[0].lookup.when: " ONLY_OBJECT },
		{ "lookup: {at: get, outcome: [{when: nested, is: hit}]}",
		  "42: caches[0].lookup.outcome[0].when: 'nested' " ONLY_LOOKUP },
		{ "lookup: {at: get, outcome: [{when: object, is: hit}]}",
		  "42: caches[0].lookup.outcome[0].when: " ONLY_OBJECT },
		{ "sites: [{at: get, is: hit, when: ret}]",
		  "40: caches[0].sites[0].when: 'ret' " ONLY_OUTCOME },
		{ "object: ret, lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].object: 'ret' " ONLY_OUTCOME },
		{ "object: object, lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].object: " ONLY_OBJECT },
		{ "label: arg0, lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].label: " ONLY_CALLS },
		{ "entries: ret, lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].entries: 'ret' " ONLY_OUTCOME },
		{ "capacity: '[%rdi]', lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].capacity: '%register' has a value only in calls and sites" },
		{ "capacity: object, lookup: {at: get, outcome: [is: hit]}",
		  "13: caches[0].capacity: " ONLY_OBJECT },
		{ "lookup: {at: get}, counters: [{is: hit, value: ret}]",
		  "53: caches[0].counters[0].value: 'ret' " ONLY_OUTCOME },
		{ "lookup: {at: get}, compute: {at: make, object: ret}",
		  "52: caches[0].compute.object: 'ret' " ONLY_OUTCOME },
		{ "lookup: {at: get, when: 1&&1&&1&&1&&1, outcome: [is: hit]}",
		  "31: caches[0].lookup.when: too many comparisons: expected at most 4" },
		{ "lookup: {at: get, outcome: [{when: ret && arg0, is: hit}]}",
		  "42: caches[0].lookup.outcome[0].when: too many comparisons: expected at most "
		  "1" },
		{ "sites: [{at: get, is: hit, when: 1&&1&&1&&1&&1}]",
		  "40: caches[0].sites[0].when: too many comparisons: expected at most 4" },
	};

	(void)state;
	assert_caches_refused(rows, ROWS(rows));
}

static void test_line_of_block_style(void **state)
{
	static const char format[] = PLACES
		"caches:\n"
		"  - name: main\n"
		"    lookup:\n"
		"      at: get\n"
		"      # a comment\n"
		"      when: %s\n"
		"      outcome: [is: hit]\n";
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), format, "arg1 & [12)");
	assert_refused(text, "11: caches[0].lookup.when: expected ']' at column 11");
	/* A plain text cannot begin with a bracket, so that this is an error of YAML itself. */
	snprintf(text, sizeof(text), format, "[arg1 & 12)");
	assert_refused(text, "12:14: did not find expected ',' or ']' "
			     "while parsing a flow sequence that began in line 11");
}

static void test_most_outcomes(void **state)
{
	char text[2048], *end = text;
	struct target *target;

	(void)state;
	end = stpcpy(end, PLACES "caches:\n- name: a\n  lookup:\n    at: get\n    outcome:\n");
	for (int i = 0; i < CT_MAX_CASES; i++)
		end = stpcpy(end, "    - {when: ret, is: hit}\n");
	target = parse_good(text);
	assert_int_equal(target->caches[0].lookup->outcome_count, CT_MAX_CASES);
	target__free(target);
	stpcpy(end, "    - is: miss\n");
	assert_refused(text, "10:5: caches[0].lookup.outcome: expected a list of 1 to 12 rows");
}

static void test_size_limit(void **state)
{
	enum { LIMIT = 64 * 1024 };
	static const char smallest[] = PLACES CACHE;
	char *text = malloc(LIMIT + 2);
	size_t length = strlen(smallest);
	struct capture capture;
	struct target *target;

	(void)state;
	assert_non_null(text);
	memcpy(text, smallest, length);
	memset(text + length, '#', LIMIT + 1 - length);
	text[LIMIT] = '\0';
	target__free(parse_good(text));
	text[LIMIT] = '#';
	text[LIMIT + 1] = '\0';
	target = parse(text, &capture);
	assert_null(target);
	assert_string_equal(capture.text, "cachetrace: toy.yaml: larger than 65536 bytes\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_yaml),
		cmocka_unit_test(test_wrong_schema),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_wrong_tries),
		cmocka_unit_test(test_circle_of_places),
		cmocka_unit_test(test_wrong_shapes_of_caches),
		cmocka_unit_test(test_wrong_words_of_caches),
		cmocka_unit_test(test_wrong_expressions_of_caches),
		cmocka_unit_test(test_operands_out_of_place),
		cmocka_unit_test(test_line_of_block_style),
		cmocka_unit_test(test_most_outcomes),
		cmocka_unit_test(test_size_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
