// SPDX-License-Identifier: BSD-2-Clause
/* The commands: a row of a table each. */
#include "command.h"

#include <errno.h>

volatile int exit_requested;

const struct command commands[] = {
	{ "", COMMAND_TRACE, "-p PID [-p PID]... [OPTIONS]",
	  "show the caches of running processes, live", command_trace, true },
	{ "list", COMMAND_LIST, "-p PID [OPTIONS]",
	  "what would be traced: caches, probed instructions and their price; attaches nothing",
	  command_list, false },
	{ "targets", COMMAND_TARGETS, "[OPTIONS]", "the kinds of caches that are known",
	  command_targets, false },
};

const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

enum exit_status exit_status_of(int err)
{
	switch (err) {
	case 0:
		return EXIT_FINE;
	case -ENOENT:
		return EXIT_NOTHING;
	case -EINVAL:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}
