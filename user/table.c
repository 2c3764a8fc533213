/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the layout of tables: which columns fit, how wide they are, how long texts are cut. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
	GAP = sizeof(TABLE_GAP) - 1,
	SHORTEST_TEXT = 16,  /* a column of text is dropped rather than made narrower than this */
	LONGEST_CELL = 4096, /* bytes */
};

/* Bytes of the character that valid UTF-8 begins with, and the places that it takes on a screen. */
static size_t next_character(const char *text, size_t bytes, size_t *places)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t size = 1;
	int width;

	*places = 1;
	if ((unsigned char)*text < 0x80)
		return 1;
	while (size < bytes && ((unsigned char)text[size] & 0xc0) == 0x80)
		size++;
	if (mbrtowc(&wide, text, size, &state) == size) {
		width = wcwidth(wide);
		*places = width < 0 ? 1 : width;
	}
	return size;
}

size_t text__width(const char *text, size_t bytes)
{
	size_t width = 0, places;

	for (const char *end = text + bytes; text < end; width += places)
		text += next_character(text, end - text, &places);
	return width;
}

/* Bytes of the text's beginning that take up to so many places. */
static size_t head_of(const char *text, size_t bytes, size_t places)
{
	size_t used = 0, width, size;

	while (used < bytes) {
		size = next_character(text + used, bytes - used, &width);
		if (width > places)
			break;
		places -= width;
		used += size;
	}
	return used;
}

/* Bytes to leave out before the text's end that takes up to so many places. */
static size_t tail_of(const char *text, size_t bytes, size_t places)
{
	size_t left = text__width(text, bytes), skipped = 0, width;

	while (skipped < bytes && left > places) {
		skipped += next_character(text + skipped, bytes - skipped, &width);
		left -= width;
	}
	return skipped;
}

/* Paths and dotted names differ at their end: they lose their middle. */
static bool is_path(const char *text, size_t bytes)
{
	return memchr(text, '/', bytes) || memchr(text, '.', bytes) || memchr(text, ':', bytes);
}

void text__write_fitting(const char *text, size_t bytes, size_t places, FILE *stream)
{
	size_t head, skipped = bytes;

	if (!places || text__width(text, bytes) <= places) {
		fwrite(text, 1, places ? bytes : 0, stream);
		return;
	}
	head = places - 1;
	if (is_path(text, bytes)) {
		skipped = tail_of(text, bytes, head - head / 3);
		head /= 3;
	}
	fwrite(text, 1, head_of(text, bytes, head), stream);
	fputc('~', stream);
	fwrite(text + skipped, 1, bytes - skipped, stream);
}

static bool is_left_aligned(const struct column *column)
{
	return column->type == COLUMN_TEXT || column->type == COLUMN_ADDRESS;
}

/* Asked of the cumulative numbers, so that a quiet interval does not take columns away. */
static bool has_value(const struct column *column, const struct column_row *rows, size_t rows_count)
{
	for (size_t i = 0; i < rows_count; i++) {
		struct column_row row = { .span = rows[i].total,
					  .total = rows[i].total,
					  .seconds = rows[i].seconds };
		struct column_value value = { 0 };

		column->get(&row, &value);
		if (column->rare ? value.known && value.number > 0 : value.known || value.text)
			return true;
	}
	return false;
}

/* In the order of importance, columns that only somebody asked for come before all others (0). */
static void add_column(struct table *table, const struct column *column)
{
	struct table_column *added = &table->columns[table->columns_count];
	size_t place = table->columns_count++;

	added->column = column;
	for (; place && table->by_importance[place - 1]->column->importance > column->importance;
	     place--)
		table->by_importance[place] = table->by_importance[place - 1];
	table->by_importance[place] = added;
}

int table__choose(struct table *table, const struct column *const *chosen, size_t chosen_count,
		  const struct column_row *rows, size_t rows_count)
{
	size_t most = chosen ? chosen_count : columns_count;

	*table = (struct table){ 0 };
	table->columns = calloc(most + 1, sizeof(*table->columns));
	table->by_importance = calloc(most + 1, sizeof(*table->by_importance));
	if (!table->columns || !table->by_importance) {
		table__free(table);
		return -ENOMEM;
	}
	for (size_t i = 0; i < most; i++) {
		const struct column *column = chosen ? chosen[i] : &columns[i];

		if (chosen || (column->importance && has_value(column, rows, rows_count)))
			add_column(table, column);
	}
	return 0;
}

static int format_cell(struct table *table, size_t row, size_t column)
{
	struct table_column *of = &table->columns[column];
	struct table_cell *cell = &table->cells[row * table->columns_count + column];
	char *text;

	if (table->text_room - table->text_used < LONGEST_CELL) {
		size_t room = table->text_room * 2 + LONGEST_CELL;

		text = realloc(table->text, room);
		if (!text)
			return -ENOMEM;
		table->text = text;
		table->text_room = room;
	}
	text = table->text + table->text_used;
	column__format(of->column, &table->rows[row], text, LONGEST_CELL);
	cell->at = table->text_used;
	cell->bytes = strlen(text);
	cell->width = text__width(text, cell->bytes);
	table->text_used += cell->bytes;
	if (cell->width > of->widest)
		of->widest = cell->width;
	return 0;
}

static size_t narrowest(const struct table_column *column)
{
	return column->column->type == COLUMN_TEXT && column->widest > SHORTEST_TEXT
		       ? SHORTEST_TEXT
		       : column->widest;
}

/* First the least widths, in order of importance; then what is left goes to texts that are cut. */
static void fit(struct table *table, size_t line_width)
{
	size_t left = line_width, shown = 0;

	for (; shown < table->columns_count; shown++) {
		struct table_column *column = table->by_importance[shown];
		size_t gap = shown ? GAP : 0, width = narrowest(column);

		if (shown && width + gap > left)
			break;
		column->width = width > left ? left : width;
		column->shown = true;
		left -= column->width + gap;
	}
	table->hidden = table->columns_count - shown;
	for (size_t i = 0; i < shown; i++) {
		struct table_column *column = table->by_importance[i];
		size_t more = column->widest - column->width;

		if (more > left)
			more = left;
		column->width += more;
		left -= more;
	}
}

int table__fill(struct table *table, const struct column_row *rows, size_t rows_count,
		size_t line_width)
{
	int error = 0;

	table->rows = rows;
	table->rows_count = rows_count;
	table->cells = calloc(rows_count * table->columns_count + 1, sizeof(*table->cells));
	if (!table->cells)
		return -ENOMEM;
	for (size_t i = 0; i < table->columns_count; i++)
		table->columns[i].widest = strlen(table->columns[i].column->heading);
	for (size_t row = 0; row < rows_count; row++)
		for (size_t i = 0; i < table->columns_count && !error; i++)
			error = format_cell(table, row, i);
	if (!error)
		fit(table, line_width);
	return error;
}

static bool is_last(const struct table *table, size_t column)
{
	while (++column < table->columns_count)
		if (table->columns[column].shown)
			return false;
	return true;
}

static void write_spaces(size_t count, FILE *stream)
{
	static const char spaces[] =
		"                                                                ";

	for (size_t part; count; count -= part) {
		part = count < sizeof(spaces) - 1 ? count : sizeof(spaces) - 1;
		fwrite(spaces, 1, part, stream);
	}
}

static void write_padded(const struct table *table, size_t column, const char *text, size_t bytes,
			 size_t width, FILE *stream)
{
	const struct table_column *of = &table->columns[column];
	size_t padding = width < of->width ? of->width - width : 0;

	if (!is_left_aligned(of->column))
		write_spaces(padding, stream);
	if (width <= of->width)
		fwrite(text, 1, bytes, stream);
	else
		text__write_fitting(text, bytes, of->width, stream);
	if (is_left_aligned(of->column) && !is_last(table, column))
		write_spaces(padding, stream);
}

void table__write_cell(const struct table *table, size_t row, size_t column, FILE *stream)
{
	const struct table_cell *cell = &table->cells[row * table->columns_count + column];

	write_padded(table, column, table->text + cell->at, cell->bytes, cell->width, stream);
}

void table__write_heading(const struct table *table, size_t column, FILE *stream)
{
	const char *heading = table->columns[column].column->heading;

	write_padded(table, column, heading, strlen(heading), strlen(heading), stream);
}

void table__free(struct table *table)
{
	free(table->columns);
	free(table->by_importance);
	free(table->cells);
	free(table->text);
	*table = (struct table){ 0 };
}
