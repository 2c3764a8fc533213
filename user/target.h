/* SPDX-License-Identifier: BSD-2-Clause */
/* Target files: descriptions, as data, of the caches of one kind of program. */
#ifndef CACHETRACE_TARGET_H
#define CACHETRACE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "expr.h"

/* All given members must agree; exe and soname are globs ("*" also matches "/"). */
struct target_match {
	char *exe;		/* path of the process' executable */
	char *soname;		/* DT_SONAME of a mapped library */
	char *build_id;		/* hex digits, or a prefix of at least 8 of them */
	char *symbol;		/* must be in the file's symbol tables */
};

/* What must be true of a place, or it is refused. Zero and NULL ask nothing. */
struct target_expect {
	uint64_t min_size, max_size;	/* bytes of the function */
	char *bytes;			/* hex digits at the place, ".." for any byte */
	char *calls;			/* a place or imported symbol that the function calls */
};

/* One way to find a place. Exactly one of the members in the first group is set. */
struct target_try {
	char *symbol;		/* in a symbol table; suffixes as .isra.0 are tolerated */
	char *glob;		/* glob over demangled names */
	char *usdt;		/* "provider:name" */
	char *string;		/* the function that refers to this string */
	char *caller_of;	/* the function that calls this place */
	char *callee_of;	/* a function called by this place */
	char *vtable;		/* class name as demangled; with slot */
	char *pointer;		/* expression: the address that is in live memory there */
	char *table;		/* a {name, address} row of static data, by its name */
	char *code;		/* a symbol or place, whose instructions are matched */
	char *build_id;		/* with offset: last resort */

	char **match;		/* of code: texts of consecutive instructions */
	unsigned match_count;
	char *in;		/* of string, callee_of: search only the function at this place */
	int slot;		/* of vtable */
	unsigned nth;		/* which of several, from 0 */
	bool every;		/* all of several, instead of refusing them */
	uint64_t offset;	/* of build_id: file offset */
	struct target_expect *expect;
	struct expr *pointer_expr;
};

/* A named place: the first try that resolves and is as expected wins. No place leads to itself. */
struct target_place {
	char *name;
	char *file;		/* of an ad-hoc target: the file part of "FILE:SYMBOL"; else NULL */
	struct target_try *tries;
	unsigned tries_count;
};

/* One outcome case: the first whose condition holds. */
struct target_case {
	char *when;		/* one comparison; NULL: always */
	char *is;		/* an outcome's name, or "ignored" */
	struct condition *condition;
	int outcome;		/* enum ct_outcome, of is */
};

/*
 * A function whose calls are lookups or computes. A lookup has an outcome unless its cache has
 * counters: where the file gives none, nested -> miss, else hit.
 */
struct target_call {
	char *at;		/* a place */
	char *when;		/* only calls for which this holds at the entry */
	char *object;		/* of a compute: its own way to the object */
	struct target_case *outcome;
	unsigned outcome_count;
	struct condition *condition;
	struct expr *object_expr;
};

/*
 * A place that is an outcome by being reached; is "lookup" for a place whose hits are what the
 * other sites leave over.
 */
struct target_site {
	char *at;
	char *when;
	char *is;
	struct condition *condition;
	int outcome;		/* enum ct_outcome; -1: "lookup" */
};

/* The object's own counters, read when a call begins and ends. */
struct target_counter {
	char *is;		/* an outcome's name */
	char *value;		/* expression from the call's arguments: a chain of reads */
	struct expr *expr;
	int outcome;
};

enum target_unit { TARGET_UNIT_ENTRIES, TARGET_UNIT_BYTES };
/* lookup: a missed lookup's time is the cost of the compute. */
enum target_fill { TARGET_FILL_NONE, TARGET_FILL_LOOKUP };
/* never: no exception passes through the lookup. */
enum target_unwind { TARGET_UNWIND_MAYBE, TARGET_UNWIND_NEVER };

/* Exactly one of lookup and sites is set. */
struct target_cache {
	char *name;
	char *what;		/* NULL: not said */
	struct target_call *lookup;
	struct target_call *compute;
	struct target_site *sites;
	unsigned sites_count;
	struct target_counter *counters;	/* of lookup: outcomes are what these grow by */
	unsigned counters_count;
	char *object;		/* tells caches apart, at the lookup's entry */
	char *label;		/* expression of a C string's address that names the object */
	char *entries;		/* expressions on the user side */
	char *capacity;		/* if it is not positive, the cache is unbounded */
	enum target_unit unit;
	enum target_fill fill;
	enum target_unwind unwind;
	struct expr *object_expr, *label_expr, *entries_expr, *capacity_expr;
};

struct target {
	char *name;
	char *what;		/* NULL: not said */
	struct target_match *match;
	unsigned match_count;
	struct target_place *places;
	unsigned places_count;
	struct target_cache *caches;
	unsigned caches_count;
	char *origin;		/* path of its file, "built-in NAME.yaml" or "options" */
};

struct target_set {
	struct target **targets;
	unsigned count;
};

/* A file's text. origin stands in messages ("NAME.yaml:12: ..."). NULL on error, logged. */
struct target *target__parse(const char *text, size_t size, const char *origin);
void target__free(struct target *target);

/*
 * The built-in targets, replaced by name and added to by the *.yaml files of directory (NULL: the
 * built-in ones only), sorted by name. 0; -EINVAL: files are wrong, all of which the log names;
 * -errno: the directory cannot be read, which the caller has to say. On error the set is empty.
 */
int target_set__load(struct target_set *set, const char *directory);
void target_set__free(struct target_set *set);

/*
 * A cache named by options instead of a file: lookup and compute are "[FILE:]SYMBOL", hit is a
 * comparison, object an expression. All but lookup may be NULL, but not both of hit and compute.
 * The target is named "adhoc", has no match, and its places are "lookup" and "compute", found by
 * their symbol, else by that as a glob; the places' files are for the caller to look at. NULL on
 * error, logged.
 */
struct target *target__ad_hoc(const char *lookup, const char *hit, const char *compute,
			      const char *object);

#endif
