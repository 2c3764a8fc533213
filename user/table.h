/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of text: which columns fit a line, how wide each is, and cells cut to that. */
#ifndef CACHETRACE_TABLE_H
#define CACHETRACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "columns.h"

/* What stands between two columns. */
#define TABLE_GAP "  "

struct table_column {
	const struct column *column;
	bool shown;
	size_t width;
	size_t widest;		/* heading or cell */
};

struct table_cell {
	size_t at;		/* in the table's text */
	uint32_t bytes;
	uint32_t width;		/* places on the screen */
};

struct table {
	struct table_column *columns;
	struct table_column **by_importance;
	size_t columns_count;
	size_t hidden;		/* columns that do not fit */
	const struct column_row *rows;
	size_t rows_count;
	struct table_cell *cells;	/* columns_count for each row */
	char *text;
	size_t text_used, text_room;
};

/*
 * The columns to show: the given ones, or (NULL) those default ones that have a value in some row.
 * 0 or -ENOMEM.
 */
int table__choose(struct table *table, const struct column *const *chosen, size_t chosen_count,
		  const struct column_row *rows, size_t rows_count);
/* Formats rows, which must outlive the table, to fit a line of so many places. 0 or -ENOMEM. */
int table__fill(struct table *table, const struct column_row *rows, size_t rows_count,
		size_t line_width);
/* One cell, or the heading, padded to its column's width (but the last column not at its end). */
void table__write_cell(const struct table *table, size_t row, size_t column, FILE *stream);
void table__write_heading(const struct table *table, size_t column, FILE *stream);
void table__free(struct table *table);

/* Writes a text cut to a number of places; characters are as wide as the thread's locale says. */
void text__write_fitting(const char *text, size_t bytes, size_t places, FILE *stream);
size_t text__width(const char *text, size_t bytes);

#endif
