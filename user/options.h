/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of all commands: a row of a table each. */
#ifndef CACHETRACE_OPTIONS_H
#define CACHETRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Which commands an option belongs to. */
enum command_set {
	COMMAND_TRACE = 1 << 0,
	COMMAND_LIST = 1 << 1,
	COMMAND_TARGETS = 1 << 2,
	COMMAND_ALL = ~0,
};

struct options {
	pid_t *pids;
	size_t pids_count;
	const char **targets;
	size_t targets_count;
	const char *target_dir;
	const char *lookup, *hit, *compute, *object;
	int returns;		/* enum plan_returns */
	int rung;		/* enum tracer_rung */
	bool children;
	unsigned long max_caches;
	double interval;
	unsigned long count;	/* 0: until interrupted */
	bool json;
	const char *columns;
	const char *sort;
	unsigned long rows;
	bool run_time;
	unsigned long verbose;
	bool help, man, version;
	char **rest;		/* what is left behind the options */
	int rest_count;
};

/*
 * Parses argv[1..] for one command. 0; -EINVAL: wrong usage (said in the log); -ENOMEM.
 * Texts point into argv.
 */
int options__parse(struct options *options, enum command_set command, int argc, char **argv);
void options__free(struct options *options);

/* Name and help of the command's options. */
void options__print_help(FILE *stream, enum command_set command);
/* The same as the OPTIONS section of the man page. */
void options__print_man(FILE *stream, enum command_set command);

#endif
