// SPDX-License-Identifier: BSD-2-Clause
/* Help and manual page, both printed from the tables of commands, options and columns. */
#include "help.h"

#include "columns.h"
#include "version.h"

struct status_row {
	enum exit_status status;
	const char *help;
};

static const struct status_row statuses[] = {
	{ EXIT_FINE, "fine" },
	{ EXIT_FAILED, "failed; what went wrong is told on standard error" },
	{ EXIT_USAGE, "wrong usage, or a mistake in a target file" },
	{ EXIT_NOTHING, "nothing to trace" },
};

enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

static const char description[] =
	"cachetrace answers one question about a running Linux system without touching or restarting\n"
	"anything: what are the caches in these processes doing, and what do they cost? It attaches BPF\n"
	"probes to cache lookup and compute code, counts in kernel maps, and shows hit rate, latency and\n"
	"utilization per cache.\n";

static const char overhead[] =
	"A probe costs the traced thread a trap each time it is reached: about 0.4 microseconds on an\n"
	"instruction that the kernel emulates, several times that where it must be single-stepped.\n"
	"cachetrace chooses the instruction; \"cachetrace list\" shows the choice and its class before\n"
	"anything is attached.\n";

void help__print(FILE *stream, const struct command *command)
{
	size_t i;

	fprintf(stream, "Usage: cachetrace%s%s %s\n", *command->name ? " " : "", command->name,
		command->synopsis);
	fprintf(stream, "%s\n\nOptions:\n", command->help);
	options__print_help(stream, command->set);
	if (command->has_columns) {
		fprintf(stream, "\nColumns:\n");
		columns__print_help(stream);
	}
	if (*command->name)
		return;
	fprintf(stream, "\nOther commands (cachetrace COMMAND --help tells more):\n");
	for (i = 1; i < commands_count; i++)
		fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(stream, "\nExit status:\n");
	for (i = 0; i < STATUSES; i++)
		fprintf(stream, "  %d  %s\n", statuses[i].status, statuses[i].help);
}

static void print_man_command(FILE *stream, const struct command *command)
{
	fprintf(stream, ".SS cachetrace%s%s\n", *command->name ? " " : "", command->name);
	fprintf(stream, "%s.\n", command->help);
	options__print_man(stream, command->set);
}

void help__print_man(FILE *stream)
{
	size_t i;

	fprintf(stream, ".TH CACHETRACE 8 \"\" \"cachetrace %s\"\n", CACHETRACE_VERSION);
	fprintf(stream, ".SH NAME\ncachetrace \\- what the caches of running programs are doing\n");
	fprintf(stream, ".SH SYNOPSIS\n");
	for (i = 0; i < commands_count; i++)
		fprintf(stream, "%s\\fBcachetrace %s\\fR %s\n", i ? ".br\n" : "", commands[i].name,
			commands[i].synopsis);
	fprintf(stream, ".SH DESCRIPTION\n%s", description);
	fprintf(stream, ".SH OPTIONS\n");
	for (i = 0; i < commands_count; i++)
		print_man_command(stream, &commands[i]);
	fprintf(stream, ".SH COLUMNS\n.nf\n");
	columns__print_help(stream);
	fprintf(stream, ".fi\n.SH EXIT STATUS\n");
	for (i = 0; i < STATUSES; i++)
		fprintf(stream, ".TP\n\\fB%d\\fR\n%s\n", statuses[i].status, statuses[i].help);
	fprintf(stream, ".SH OVERHEAD\n%s", overhead);
}
