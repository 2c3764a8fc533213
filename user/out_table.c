/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the terminal: a table that is redrawn in place there, and plain lines everywhere else. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "output.h"
#include "table.h"

#define CURSOR_HOME "\033[H"
#define CLEAR_LINE_END "\033[K"
#define CLEAR_BELOW "\033[J"
#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define USUAL "\033[0m"

static const char *const lost_words[CT_LOST_REASONS] = {
	[CT_LOST_MAP_FULL] = "map full",
	[CT_LOST_UNMATCHED_RETURN] = "unmatched return",
	[CT_LOST_NESTING] = "nested too deep",
	[CT_LOST_READ_FAULT] = "unreadable memory",
};

/* From which percentage on which colour is used. */
static const struct grade {
	double from;
	const char *colour;
} grades[] = { { 90, GREEN }, { 50, YELLOW }, { -INFINITY, RED } };

struct screen {
	bool terminal;
	bool colour;
	size_t width, height; /* SIZE_MAX where there is no terminal */
};

/* One picture: lines that go out together. */
struct frame {
	FILE *stream;
	const struct screen *screen;
	size_t lines_left;
};

static struct screen screen__of(FILE *stream)
{
	struct screen screen = { .width = SIZE_MAX, .height = SIZE_MAX };
	const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	struct winsize size = { 0 };
	int fd = fileno(stream);

	if (fd < 0 || !isatty(fd) || !kind || !strcmp(kind, "dumb"))
		return screen;
	screen.terminal = true;
	screen.colour = !no_colour || !*no_colour;
	ioctl(fd, TIOCGWINSZ, &size);
	/*
	 * Clearing to the end of a full line clears its last character: the last place stays free.
	 */
	screen.width = (size.ws_col ? size.ws_col : 80) - 1;
	screen.height = size.ws_row ? size.ws_row : 24;
	return screen;
}

/* False if the screen is full. */
static bool frame__begin_line(struct frame *frame, const char *colour)
{
	if (!frame->lines_left)
		return false;
	if (frame->screen->colour)
		fputs(colour, frame->stream);
	return true;
}

static void frame__end_line(struct frame *frame, const char *colour)
{
	if (frame->screen->colour && *colour)
		fputs(USUAL, frame->stream);
	fputs(frame->screen->terminal ? CLEAR_LINE_END "\n" : "\n", frame->stream);
	frame->lines_left--;
}

static void frame__write_line(struct frame *frame, const char *text, size_t size,
			      const char *colour)
{
	if (!frame__begin_line(frame, colour))
		return;
	text__write_fitting(text, size, frame->screen->width, frame->stream);
	frame__end_line(frame, colour);
}

static double seconds_of(const struct snapshot *span)
{
	double seconds = ((double)span->time_ms - (double)span->since_ms) / 1000;

	return seconds > 0 ? seconds : 0;
}

static void write_summary(struct frame *frame, const struct snapshot *now,
			  const struct snapshot *span, size_t hidden)
{
	time_t seconds = now->time_ms / 1000;
	char line[512], when[64] = "", host[256] = "", columns_note[64] = "";
	struct tm parts;
	int size;

	if (localtime_r(&seconds, &parts))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &parts);
	if (now->host_name)
		log__printable(host, sizeof(host), now->host_name);
	if (hidden)
		snprintf(columns_note, sizeof(columns_note), TABLE_GAP "%zu column%s not fit",
			 hidden, hidden == 1 ? " does" : "s do");
	size = snprintf(line, sizeof(line), "%s" TABLE_GAP "%zu cache%s" TABLE_GAP "%s %.1fs%s%s%s",
			when, now->count, now->count == 1 ? "" : "s",
			span == now ? "since the start," : "last", seconds_of(span), columns_note,
			*host ? TABLE_GAP : "", host);
	frame__write_line(frame, line, size, "");
}

/* Appends an item to a list that is broken into lines where it gets too wide. */
static void add_item(FILE *notes, const char *first, uint64_t count, const char *words,
		     size_t *used, size_t width)
{
	char item[64];
	size_t size = snprintf(item, sizeof(item), "%llu %s", (unsigned long long)count, words);

	if (!*used)
		*used = fprintf(notes, "%s%s", first, item);
	else if (*used + 2 + size > width)
		*used = fprintf(notes, "\n%s%s", first, item) - 1;
	else
		*used += fprintf(notes, ", %s", item);
}

/* What the numbers lack, each line ended; NULL without memory. */
static char *make_notes(const struct snapshot *now, size_t width)
{
	size_t used = 0, unverified = 0, size;
	char *text = NULL;
	FILE *notes = open_memstream(&text, &size);

	if (!notes)
		return NULL;
	for (int i = 0; i < CT_LOST_REASONS; i++)
		if (now->lost[i])
			add_item(notes, "lost: ", now->lost[i], lost_words[i], &used, width);
	if (used)
		fputc('\n', notes);
	for (size_t i = 0; i < now->count; i++)
		unverified += now->caches[i].verified == VERIFIED_NO;
	if (unverified)
		fprintf(notes, "%zu cache%s not verified\n", unverified,
			unverified == 1 ? "" : "s");
	if (!fclose(notes))
		return text;
	free(text);
	return NULL;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		lines++;
	}
	return lines;
}

static void write_notes(struct frame *frame, const char *notes)
{
	for (const char *end; (end = strchr(notes, '\n')); notes = end + 1)
		frame__write_line(frame, notes, end - notes, YELLOW);
}

static const char *colour_of(const struct column *column, const struct column_row *row)
{
	struct column_value value = { 0 };

	column->get(row, &value);
	if (!value.known)
		return "";
	for (size_t i = 0; i < sizeof(grades) / sizeof(grades[0]); i++)
		if (value.number >= grades[i].from)
			return grades[i].colour;
	return "";
}

static void write_headings(struct frame *frame, const struct table *table)
{
	const char *between = "";

	if (!frame__begin_line(frame, BOLD))
		return;
	for (size_t i = 0; i < table->columns_count; i++) {
		if (!table->columns[i].shown)
			continue;
		fputs(between, frame->stream);
		table__write_heading(table, i, frame->stream);
		between = TABLE_GAP;
	}
	frame__end_line(frame, BOLD);
}

static void write_row(struct frame *frame, const struct table *table, size_t row)
{
	const char *between = "";

	if (!frame__begin_line(frame, ""))
		return;
	for (size_t i = 0; i < table->columns_count; i++) {
		const struct column *column = table->columns[i].column;
		const char *colour = "";

		if (!table->columns[i].shown)
			continue;
		if (frame->screen->colour && column->graded)
			colour = colour_of(column, &table->rows[row]);
		fputs(between, frame->stream);
		fputs(colour, frame->stream);
		table__write_cell(table, row, i, frame->stream);
		if (*colour)
			fputs(USUAL, frame->stream);
		between = TABLE_GAP;
	}
	frame__end_line(frame, "");
}

/* How many rows are shown, where the rest takes a line of its own. */
static size_t rows_that_fit(size_t rows, size_t asked, size_t lines)
{
	size_t shown = asked && asked < rows ? asked : rows;

	if (shown + (shown < rows) <= lines)
		return shown;
	return lines ? lines - 1 : 0;
}

static void write_lines(struct frame *frame, const struct table *table, size_t all_rows)
{
	size_t more = all_rows - table->rows_count;
	char line[64];

	if (table->rows_count)
		write_headings(frame, table);
	for (size_t i = 0; i < table->rows_count; i++)
		write_row(frame, table, i);
	if (!more)
		return;
	snprintf(line, sizeof(line), "... %zu more cache%s", more, more == 1 ? "" : "s");
	frame__write_line(frame, line, strlen(line), "");
}

static int write_table(struct frame *frame, const struct output_options *options,
		       const struct snapshot *now, const struct snapshot *span,
		       const struct column_row *rows)
{
	char *notes = make_notes(now, frame->screen->width);
	struct table table;
	size_t above, shown;
	int error;

	if (!notes)
		return -ENOMEM;
	above = 2 + count_lines(notes);
	shown = rows_that_fit(now->count, options->rows,
			      frame->lines_left > above ? frame->lines_left - above : 0);
	error = table__choose(&table, options->columns, options->columns_count, rows, now->count);
	if (!error)
		error = table__fill(&table, rows, shown, frame->screen->width);
	if (!error) {
		write_summary(frame, now, span, options->columns ? table.hidden : 0);
		write_notes(frame, notes);
		write_lines(frame, &table, now->count);
	}
	table__free(&table);
	free(notes);
	return error;
}

/* The rows of the table in its order; NULL without memory. */
static struct column_row *make_rows(const struct output_options *options,
				    const struct snapshot *now, const struct snapshot *span)
{
	struct column_row *rows = calloc(now->count + 1, sizeof(*rows));
	double seconds = seconds_of(span);

	for (size_t i = 0; rows && i < now->count; i++)
		rows[i] = (struct column_row){ &span->caches[i], &now->caches[i], seconds };
	if (rows)
		columns__sort(rows, now->count, options->sort);
	return rows;
}

/* The whole picture as text; 0 or -errno. */
static int draw(const struct output_options *options, const struct screen *screen, FILE *picture,
		const struct snapshot *now, const struct snapshot *before)
{
	struct snapshot *difference = before ? snapshot__difference(now, before) : NULL;
	const struct snapshot *span = before ? difference : now;
	struct frame frame = { .stream = picture, .screen = screen, .lines_left = screen->height };
	struct column_row *rows = span ? make_rows(options, now, span) : NULL;
	int error = -ENOMEM;

	if (screen->terminal) {
		/* What stands on the screen at first moves up instead of being overwritten. */
		for (size_t i = 1; !before && i < screen->height; i++)
			fputc('\n', picture);
		fputs(CURSOR_HOME, picture);
		frame.lines_left--;
	} else if (before) {
		fputc('\n', picture);
	}
	if (rows)
		error = write_table(&frame, options, now, span, rows);
	if (screen->terminal)
		fputs(CLEAR_BELOW, picture);
	free(rows);
	snapshot__free(difference);
	return error;
}

/* At once, so that no half of a picture is seen. */
static int send_picture(FILE *stream, const char *picture, size_t size)
{
	errno = 0;
	if (fwrite(picture, 1, size, stream) == size && !fflush(stream))
		return 0;
	return errno ? -errno : -EIO;
}

static int show(const struct output_options *options, FILE *stream, const struct snapshot *now,
		const struct snapshot *before)
{
	/* The width of characters must not depend on whether the user's locale is set. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL),
		 usual = utf8 ? uselocale(utf8) : NULL;
	struct screen screen = screen__of(stream);
	char *text = NULL;
	size_t size = 0;
	FILE *picture = open_memstream(&text, &size);
	int error = -ENOMEM;

	if (picture) {
		error = draw(options, &screen, picture, now, before);
		if (fclose(picture) && !error)
			error = -ENOMEM;
	}
	if (utf8) {
		uselocale(usual);
		freelocale(utf8);
	}
	if (!error)
		error = send_picture(stream, text, size);
	free(text);
	return error;
}

const struct output output_table = {
	.name = "table",
	.help = "a table, redrawn in place on a terminal",
	.show = show,
};
