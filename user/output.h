/* SPDX-License-Identifier: BSD-2-Clause */
/* Outputs: each shows a snapshot in its own form. */
#ifndef CACHETRACE_OUTPUT_H
#define CACHETRACE_OUTPUT_H

#include <stdio.h>

#include "columns.h"
#include "snapshot.h"

struct output_options {
	const struct column **columns;	/* NULL: the default ones, as many as fit */
	size_t columns_count;
	const struct column *sort;	/* NULL: by lookups per second */
	size_t rows;			/* 0: as many as fit the terminal, all elsewhere */
};

/* One form of output: a row of the table in output.c. */
struct output {
	const char *name;
	const char *help;
	/* Shows now; before is the snapshot shown last, NULL at the first. 0 or -errno. */
	int (*show)(const struct output_options *options, FILE *stream, const struct snapshot *now,
		    const struct snapshot *before);
	/* The stream will not be written any more. May be NULL. */
	void (*end)(FILE *stream);
};

extern const struct output output_table, output_json;

#endif
