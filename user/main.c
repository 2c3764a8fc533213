// SPDX-License-Identifier: BSD-2-Clause
/* The order of a run: find the command, parse its options, run it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "log.h"
#include "version.h"

static void request_exit(int signal)
{
	(void)signal;
	exit_requested = 1;
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = request_exit };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static const struct command *find_command(int *argc, char ***argv)
{
	size_t i;

	for (i = 0; *argc > 1 && i < commands_count; i++) {
		if (strcmp((*argv)[1], commands[i].name))
			continue;
		++*argv;
		--*argc;
		return &commands[i];
	}
	return &commands[0];
}

static enum exit_status run(const struct command *command, const struct options *options)
{
	enum exit_status status;

	if (options->help) {
		help__print(stdout, command);
		return EXIT_FINE;
	}
	if (options->man) {
		help__print_man(stdout);
		return EXIT_FINE;
	}
	if (options->version) {
		printf("cachetrace %s\n", CACHETRACE_VERSION);
		return EXIT_FINE;
	}
	if (options->rest_count) {
		log_error("there is no command or argument '%s' (--help tells more)",
			  options->rest[0]);
		return EXIT_USAGE;
	}
	status = command->run(options);
	if (fflush(stdout) && status == EXIT_FINE) {
		log_error("cannot write the output");
		status = EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command = find_command(&argc, &argv);
	struct options options;
	enum exit_status status;

	handle_signals();
	if (options__parse(&options, command->set, argc, argv)) {
		options__free(&options);
		return EXIT_USAGE;
	}
	if (options.verbose)
		log__set_level(options.verbose > 1 ? LOG_DEBUG : LOG_INFO);
	status = run(command, &options);
	options__free(&options);
	return status;
}
