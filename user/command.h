/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands: a row of a table each. */
#ifndef CACHETRACE_COMMAND_H
#define CACHETRACE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "options.h"

enum exit_status {
	EXIT_FINE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOTHING = 3,	/* nothing to trace */
};

struct command {
	const char *name;	/* "": the one that needs no name */
	enum command_set set;
	const char *synopsis;
	const char *help;
	enum exit_status (*run)(const struct options *options);
	bool has_columns;	/* shows a table */
};

extern const struct command commands[];
extern const size_t commands_count;

enum exit_status command_trace(const struct options *options);
enum exit_status command_list(const struct options *options);
enum exit_status command_targets(const struct options *options);

/* Set by SIGINT and SIGTERM: finish what is under way and end. */
extern volatile int exit_requested;

/* For the results of opening and starting a session. */
enum exit_status exit_status_of(int err);

#endif
