/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the schema of target files: their keys, what the values look like, how many there may be. */
#include "target_schema.h"

#include "abi.h"
#include "target.h"

enum {
	MAX_MATCHES = 64,
	MAX_TRIES = 64,
	MAX_INSTRUCTIONS = 32,
	MAX_CACHES = 64,
	MAX_SITES = 256,
};

#define OPTIONAL_TEXT(structure, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, \
			       member, 1, CYAML_UNLIMITED)
#define NEEDED_TEXT(structure, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, structure, member, 1, CYAML_UNLIMITED)
#define OPTIONAL_NUMBER(structure, member) \
	CYAML_FIELD_UINT(#member, CYAML_FLAG_OPTIONAL, structure, member)
#define OPTIONAL_WORD(structure, member, words) \
	CYAML_FIELD_ENUM(#member, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, structure, member, \
			 words, CYAML_ARRAY_LEN(words))
#define OPTIONAL_ROWS(structure, member, row, max) \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member, \
			     row, 1, max)
#define NEEDED_ROWS(structure, member, row, max) \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER, structure, member, row, 1, max)
#define OPTIONAL_PART(structure, member, fields) \
	CYAML_FIELD_MAPPING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, \
				member, fields)
#define ROW(structure, fields) CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, structure, fields)

/* libcyaml's own truth values take any word but a few for "true". */
static const cyaml_strval_t truth_words[] = { { "false", false }, { "true", true } };

static const cyaml_strval_t unit_words[] = {
	{ "entries", TARGET_UNIT_ENTRIES },
	{ "bytes", TARGET_UNIT_BYTES },
};

static const cyaml_strval_t fill_words[] = {
	{ "none", TARGET_FILL_NONE },
	{ "lookup", TARGET_FILL_LOOKUP },
};

static const cyaml_strval_t unwind_words[] = {
	{ "maybe", TARGET_UNWIND_MAYBE },
	{ "never", TARGET_UNWIND_NEVER },
};

static const cyaml_schema_field_t match_fields[] = {
	OPTIONAL_TEXT(struct target_match, exe),
	OPTIONAL_TEXT(struct target_match, soname),
	OPTIONAL_TEXT(struct target_match, build_id),
	OPTIONAL_TEXT(struct target_match, symbol),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t expect_fields[] = {
	OPTIONAL_NUMBER(struct target_expect, min_size),
	OPTIONAL_NUMBER(struct target_expect, max_size),
	OPTIONAL_TEXT(struct target_expect, bytes),
	OPTIONAL_TEXT(struct target_expect, calls),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t instruction = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t try_fields[] = {
	OPTIONAL_TEXT(struct target_try, symbol),
	OPTIONAL_TEXT(struct target_try, glob),
	OPTIONAL_TEXT(struct target_try, usdt),
	OPTIONAL_TEXT(struct target_try, string),
	OPTIONAL_TEXT(struct target_try, caller_of),
	OPTIONAL_TEXT(struct target_try, callee_of),
	OPTIONAL_TEXT(struct target_try, vtable),
	OPTIONAL_TEXT(struct target_try, pointer),
	OPTIONAL_TEXT(struct target_try, table),
	OPTIONAL_TEXT(struct target_try, code),
	OPTIONAL_TEXT(struct target_try, build_id),
	OPTIONAL_ROWS(struct target_try, match, &instruction, MAX_INSTRUCTIONS),
	OPTIONAL_TEXT(struct target_try, in),
	CYAML_FIELD_INT("slot", CYAML_FLAG_OPTIONAL, struct target_try, slot),
	OPTIONAL_NUMBER(struct target_try, nth),
	OPTIONAL_WORD(struct target_try, every, truth_words),
	OPTIONAL_NUMBER(struct target_try, offset),
	OPTIONAL_PART(struct target_try, expect, expect_fields),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t case_fields[] = {
	OPTIONAL_TEXT(struct target_case, when),
	NEEDED_TEXT(struct target_case, is),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t site_fields[] = {
	NEEDED_TEXT(struct target_site, at),
	OPTIONAL_TEXT(struct target_site, when),
	NEEDED_TEXT(struct target_site, is),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t counter_fields[] = {
	NEEDED_TEXT(struct target_counter, is),
	NEEDED_TEXT(struct target_counter, value),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t match_row = { ROW(struct target_match, match_fields) };
static const cyaml_schema_value_t try_row = { ROW(struct target_try, try_fields) };
static const cyaml_schema_value_t case_row = { ROW(struct target_case, case_fields) };
static const cyaml_schema_value_t site_row = { ROW(struct target_site, site_fields) };
static const cyaml_schema_value_t counter_row = { ROW(struct target_counter, counter_fields) };

static const cyaml_schema_field_t place_fields[] = {
	NEEDED_TEXT(struct target_place, name),
	CYAML_FIELD_SEQUENCE_COUNT("try", CYAML_FLAG_POINTER, struct target_place, tries,
				   tries_count, &try_row, 1, MAX_TRIES),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t lookup_fields[] = {
	NEEDED_TEXT(struct target_call, at),
	OPTIONAL_TEXT(struct target_call, when),
	OPTIONAL_ROWS(struct target_call, outcome, &case_row, CT_MAX_CASES),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t compute_fields[] = {
	NEEDED_TEXT(struct target_call, at),
	OPTIONAL_TEXT(struct target_call, when),
	OPTIONAL_TEXT(struct target_call, object),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t cache_fields[] = {
	NEEDED_TEXT(struct target_cache, name),
	OPTIONAL_TEXT(struct target_cache, what),
	OPTIONAL_PART(struct target_cache, lookup, lookup_fields),
	OPTIONAL_PART(struct target_cache, compute, compute_fields),
	OPTIONAL_ROWS(struct target_cache, sites, &site_row, MAX_SITES),
	OPTIONAL_ROWS(struct target_cache, counters, &counter_row, CT_MAX_SAVED),
	OPTIONAL_TEXT(struct target_cache, object),
	OPTIONAL_TEXT(struct target_cache, label),
	OPTIONAL_TEXT(struct target_cache, entries),
	OPTIONAL_TEXT(struct target_cache, capacity),
	OPTIONAL_WORD(struct target_cache, unit, unit_words),
	OPTIONAL_WORD(struct target_cache, fill, fill_words),
	OPTIONAL_WORD(struct target_cache, unwind, unwind_words),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t place_row = { ROW(struct target_place, place_fields) };
static const cyaml_schema_value_t cache_row = { ROW(struct target_cache, cache_fields) };

static const cyaml_schema_field_t target_fields[] = {
	NEEDED_TEXT(struct target, name),
	OPTIONAL_TEXT(struct target, what),
	NEEDED_ROWS(struct target, match, &match_row, MAX_MATCHES),
	NEEDED_ROWS(struct target, places, &place_row, TARGET_MAX_PLACES),
	NEEDED_ROWS(struct target, caches, &cache_row, MAX_CACHES),
	CYAML_FIELD_END
};

const cyaml_schema_value_t target_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct target, target_fields),
};
