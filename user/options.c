// SPDX-License-Identifier: BSD-2-Clause
/* The options of all commands: a row of a table each, from which they are parsed and help is
 * printed. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "plan.h"
#include "tracer.h"

enum option_type {
	OPTION_FLAG,
	OPTION_TIMES,		/* how often it was given */
	OPTION_NUMBER,		/* a positive whole number */
	OPTION_SECONDS,
	OPTION_TEXT,
	OPTION_TEXTS,		/* may be repeated; the count follows in the structure */
	OPTION_PIDS,
	OPTION_CHOICE,
};

struct choice {
	const char *name;
	int value;
};

struct option_row {
	const char *name;
	char letter;		/* 0: none */
	enum option_type type;
	size_t member;		/* of struct options */
	unsigned commands;	/* enum command_set */
	const char *metavar;
	const char *help;
	const struct choice *choices;
};

static const struct choice returns_choices[] = {
	{ "auto", PLAN_RETURNS_AUTO },
	{ "probe", PLAN_RETURNS_PROBE },
	{ "instruction", PLAN_RETURNS_INSTRUCTION },
	{ 0 },
};

static const struct choice rung_choices[] = {
	{ "session", TRACER_SESSION },
	{ "multi", TRACER_MULTI },
	{ "perf", TRACER_PERF },
	{ 0 },
};

#define MEMBER(name) offsetof(struct options, name)
#define TRACING (COMMAND_TRACE | COMMAND_LIST)

static const struct option_row rows[] = {
	{ "pid", 'p', OPTION_PIDS, MEMBER(pids), TRACING, "PID",
	  "trace this process; may be repeated", NULL },
	{ "target", 't', OPTION_TEXTS, MEMBER(targets), TRACING | COMMAND_TARGETS, "NAME",
	  "only this target (a glob, of a target or target-cache); may be repeated; waits for it "
	  "if it is not loaded yet",
	  NULL },
	{ "children", 0, OPTION_FLAG, MEMBER(children), COMMAND_TRACE, NULL,
	  "trace processes that the given ones fork from now on, too", NULL },
	{ "interval", 'i', OPTION_SECONDS, MEMBER(interval), COMMAND_TRACE, "SECONDS",
	  "time between two snapshots (default 1)", NULL },
	{ "count", 'n', OPTION_NUMBER, MEMBER(count), COMMAND_TRACE, "COUNT",
	  "stop after so many snapshots", NULL },
	{ "json", 0, OPTION_FLAG, MEMBER(json), COMMAND_TRACE, NULL,
	  "print one JSON object per snapshot, with the numbers since the start", NULL },
	{ "columns", 'c', OPTION_TEXT, MEMBER(columns), COMMAND_TRACE, "LIST",
	  "columns of the table: names, or +NAME and -NAME to change the default ones, or all",
	  NULL },
	{ "sort", 's', OPTION_TEXT, MEMBER(sort), COMMAND_TRACE, "COLUMN",
	  "order of the rows (default lookups/s)", NULL },
	{ "rows", 0, OPTION_NUMBER, MEMBER(rows), COMMAND_TRACE, "N", "show at most so many caches",
	  NULL },
	{ "lookup", 0, OPTION_TEXT, MEMBER(lookup), TRACING, "[FILE:]SYMBOL",
	  "trace this function as the lookup of a cache; FILE is a path or the name of a library",
	  NULL },
	{ "hit", 0, OPTION_TEXT, MEMBER(hit), TRACING, "CONDITION",
	  "with --lookup: a call is a hit if this holds at its return, e.g. 'ret != 0', 's32 ret "
	  "== 0'",
	  NULL },
	{ "compute", 0, OPTION_TEXT, MEMBER(compute), TRACING, "[FILE:]SYMBOL",
	  "with --lookup: the function that does the work of a miss; without --hit, a lookup that "
	  "calls it is a miss",
	  NULL },
	{ "object", 0, OPTION_TEXT, MEMBER(object), TRACING, "EXPRESSION",
	  "with --lookup: tells several caches apart, e.g. 'arg0', '[arg0+16]'", NULL },
	{ "target-dir", 0, OPTION_TEXT, MEMBER(target_dir), TRACING | COMMAND_TARGETS, "DIR",
	  "read *.yaml target files from here too; they replace built-in ones of the same name",
	  NULL },
	{ "max-caches", 0, OPTION_NUMBER, MEMBER(max_caches), COMMAND_TRACE, "N",
	  "room for so many caches (default 16384); what finds no room is counted as lost", NULL },
	{ "returns", 0, OPTION_CHOICE, MEMBER(returns), TRACING, "auto|probe|instruction",
	  "how the end of a call is seen: by the kernel's return probe, or by probes on the return "
	  "instructions, "
	  "which is dearer but lets exceptions pass; auto chooses the safe one",
	  returns_choices },
	{ "attach", 0, OPTION_CHOICE, MEMBER(rung), COMMAND_TRACE, "session|multi|perf",
	  "the best way to attach that is tried (default session)", rung_choices },
	{ "bpf-time", 0, OPTION_FLAG, MEMBER(run_time), COMMAND_TRACE, NULL,
	  "let the kernel measure the run time of the BPF programs (self.bpf_ns in JSON)", NULL },
	{ "verbose", 'v', OPTION_TIMES, MEMBER(verbose), COMMAND_ALL, NULL,
	  "say more on stderr; twice: even more", NULL },
	{ "help", 'h', OPTION_FLAG, MEMBER(help), COMMAND_ALL, NULL, "print this help", NULL },
	{ "man", 0, OPTION_FLAG, MEMBER(man), COMMAND_ALL, NULL,
	  "print the manual page (cachetrace --man | man -l -)", NULL },
	{ "version", 'V', OPTION_FLAG, MEMBER(version), COMMAND_ALL, NULL, "print the version",
	  NULL },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool has_value(const struct option_row *row)
{
	return row->type != OPTION_FLAG && row->type != OPTION_TIMES;
}

static int wrong_value(const struct option_row *row, const char *text, const char *wanted)
{
	log_error("--%s: '%s' is not %s", row->name, text, wanted);
	return -EINVAL;
}

static int set_number(const struct option_row *row, unsigned long *member, const char *text)
{
	char *end;

	errno = 0;
	*member = strtoul(text, &end, 10);
	if (errno || end == text || *end || !*member || *member > INT_MAX || *text == '-')
		return wrong_value(row, text, "a positive whole number");
	return 0;
}

static int set_seconds(const struct option_row *row, double *member, const char *text)
{
	char *end;

	*member = strtod(text, &end);
	if (end == text || *end || !isfinite(*member) || *member < 0.01 || *member > 86400)
		return wrong_value(row, text, "a number of seconds from 0.01 to 86400");
	return 0;
}

static int add_pid(const struct option_row *row, struct options *options, const char *text)
{
	unsigned long number;
	pid_t *pids;
	int err = set_number(row, &number, text);

	if (err)
		return err;
	pids = reallocarray(options->pids, options->pids_count + 1, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	options->pids = pids;
	pids[options->pids_count++] = number;
	return 0;
}

static int add_text(const char ***list, size_t *count, const char *text)
{
	const char **larger = reallocarray(*list, *count + 1, sizeof(char *));

	if (!larger)
		return -ENOMEM;
	*list = larger;
	larger[(*count)++] = text;
	return 0;
}

static int set_choice(const struct option_row *row, int *member, const char *text)
{
	const struct choice *choice;

	for (choice = row->choices; choice->name; choice++) {
		if (!strcmp(choice->name, text)) {
			*member = choice->value;
			return 0;
		}
	}
	return wrong_value(row, text, row->metavar);
}

static int set(const struct option_row *row, struct options *options, const char *text)
{
	void *member = (char *)options + row->member;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TIMES:
		++*(unsigned long *)member;
		return 0;
	case OPTION_NUMBER:
		return set_number(row, member, text);
	case OPTION_SECONDS:
		return set_seconds(row, member, text);
	case OPTION_TEXT:
		*(const char **)member = text;
		return 0;
	case OPTION_TEXTS:
		return add_text(member, (size_t *)((const char ***)member + 1), text);
	case OPTION_PIDS:
		return add_pid(row, options, text);
	case OPTION_CHOICE:
		return set_choice(row, member, text);
	}
	return -EINVAL;
}

/* getopt_long's tables, made of the rows; long options return their row's number behind the
 * letters. */
struct getopt_tables {
	char letters[3 * ROWS + 2];
	struct option longs[ROWS + 1];
};

enum { FIRST_ROW_VALUE = UCHAR_MAX + 1 };

static void make_tables(struct getopt_tables *tables)
{
	char *letter = tables->letters;
	size_t i;

	/* Stop at the first word that is no option: it may be a command that has its own. */
	*letter++ = '+';
	*letter++ = ':';
	for (i = 0; i < ROWS; i++) {
		tables->longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = has_value(&rows[i]) ? required_argument : no_argument,
			.val = FIRST_ROW_VALUE + (int)i,
		};
		if (!rows[i].letter)
			continue;
		*letter++ = rows[i].letter;
		if (has_value(&rows[i]))
			*letter++ = ':';
	}
	*letter = '\0';
	tables->longs[ROWS] = (struct option){ 0 };
}

static const struct option_row *row_of(int value)
{
	size_t i;

	if (value >= FIRST_ROW_VALUE)
		return &rows[value - FIRST_ROW_VALUE];
	for (i = 0; i < ROWS; i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int wrong_option(int value, const char *word)
{
	if (value == ':')
		log_error("%s needs a value", word);
	else
		log_error("there is no option %s (--help lists them)", word);
	return -EINVAL;
}

int options__parse(struct options *options, enum command_set command, int argc, char **argv)
{
	struct getopt_tables tables;
	const struct option_row *row;
	int value, err;

	memset(options, 0, sizeof(*options));
	options->interval = 1;
	make_tables(&tables);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		row = value == ':' || value == '?' ? NULL : row_of(value);
		if (!row)
			return wrong_option(value, argv[optind - 1]);
		if (!(row->commands & command)) {
			log_error("--%s does not belong to this command (--help lists what does)",
				  row->name);
			return -EINVAL;
		}
		err = set(row, options, optarg);
		if (err)
			return err;
	}
	options->rest = argv + optind;
	options->rest_count = argc - optind;
	return 0;
}

void options__free(struct options *options)
{
	free(options->pids);
	free(options->targets);
}

static void format_name(const struct option_row *row, char *text, size_t size)
{
	snprintf(text, size, "%c%c%s--%s%s%s", row->letter ? '-' : ' ',
		 row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
		 row->metavar ? " " : "", row->metavar ? row->metavar : "");
}

/* Words of text from column on, in lines of at most 100 columns. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
	int used = column;

	while (*text) {
		int length = strcspn(text, " ");

		if (used > column && used + 1 + length > 100) {
			fprintf(stream, "\n%*s", column, "");
			used = column;
		}
		used += fprintf(stream, "%s%.*s", used > column ? " " : "", length, text);
		text += length + !!text[length];
	}
	fputc('\n', stream);
}

void options__print_help(FILE *stream, enum command_set command)
{
	enum { COLUMN = 32 };
	char name[96];
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (!(rows[i].commands & command))
			continue;
		format_name(&rows[i], name, sizeof(name));
		if (fprintf(stream, "  %-*s", COLUMN - 2, name) > COLUMN)
			fprintf(stream, "\n%*s", COLUMN, "");
		print_wrapped(stream, rows[i].help, COLUMN);
	}
}

void options__print_man(FILE *stream, enum command_set command)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (!(rows[i].commands & command))
			continue;
		fprintf(stream, ".TP\n");
		if (rows[i].letter)
			fprintf(stream, "\\fB\\-%c\\fR, ", rows[i].letter);
		fprintf(stream, "\\fB\\-\\-%s\\fR%s%s%s\n", rows[i].name,
			rows[i].metavar ? " \\fI" : "", rows[i].metavar ? rows[i].metavar : "",
			rows[i].metavar ? "\\fR" : "");
		fprintf(stream, "%s\n", rows[i].help);
	}
}
