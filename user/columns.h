/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of all outputs: a row of a table each, with name, heading, help and a typed getter.
 */
#ifndef CACHETRACE_COLUMNS_H
#define CACHETRACE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "snapshot.h"

enum column_type {
	COLUMN_TEXT,
	COLUMN_COUNT,		/* a whole number */
	COLUMN_RATE,		/* per second */
	COLUMN_PERCENT,
	COLUMN_DURATION,	/* nanoseconds */
	COLUMN_SIZE,		/* entries or bytes, by the cache's unit */
	COLUMN_RATIO,		/* a small plain number with two decimals */
	COLUMN_ID,		/* a whole number that names something: never shortened */
	COLUMN_ADDRESS,		/* the same, in hexadecimal digits */
};

struct column_value {
	bool known;
	enum unit unit;		/* of COLUMN_SIZE */
	const char *text;	/* of COLUMN_TEXT; elsewhere shown in place of an unknown number */
	double number;
	uint64_t id;		/* of COLUMN_ID and COLUMN_ADDRESS, instead of number */
};

/*
 * What a row is shown from: the cache's numbers in the shown span, the cumulative ones, the span.
 */
struct column_row {
	const struct snapshot_cache *span;
	const struct snapshot_cache *total;
	double seconds;
};

struct column {
	const char *name;	/* in --columns, --sort and machine-readable headings */
	const char *heading;	/* in the table */
	const char *help;
	enum column_type type;
	int importance;		/* 1 is shown in the narrowest terminal; 0: only on request */
	bool descending;	/* --sort puts the largest first */
	bool rare;		/* among the default ones only if some row has more than 0 */
	bool graded;		/* a percentage of which more is better */
	void (*get)(const struct column_row *row, struct column_value *value);
};

extern const struct column columns[];
extern const size_t columns_count;

/* By name, or a beginning of it that no other has, in any case; NULL if there is none. */
const struct column *column__find(const char *name);

/*
 * Parses "hits,misses", "+object" (the default ones and this), "-comm" (without), "all".
 * *chosen is allocated.
 * 0; -EINVAL: unknown name, logged together with the names there are; -ENOMEM.
 */
int columns__choose(const char *text, const struct column ***chosen, size_t *count);

/* Sorts rows by a column; equal values by pid, target, cache, object. NULL: lookups per second. */
void columns__sort(struct column_row *rows, size_t count, const struct column *by);

/*
 * The value as people read it ("12.3k", "85.3", "1.2ms", "3.4M"; "-" if unknown). Control
 * characters come out as '?'.
 */
void column__format(const struct column *column, const struct column_row *row, char *text,
		    size_t size);

/* Name and help of all columns, for --help and the man page. */
void columns__print_help(FILE *stream);

#endif
