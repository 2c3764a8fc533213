/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the output for programs: each snapshot as one line of JSON. */
#include "output.h"

static int show(const struct output_options *options, FILE *stream, const struct snapshot *now,
		const struct snapshot *before)
{
	(void)options;
	(void)before;
	return snapshot__write(now, stream);
}

const struct output output_json = {
	.name = "json",
	.help = "one JSON object a line for each interval, with the counts since the start",
	.show = show,
};
