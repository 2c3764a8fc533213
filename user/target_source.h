/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a target's description was written: a file or options; says there what is wrong with it. */
#ifndef CACHETRACE_TARGET_SOURCE_H
#define CACHETRACE_TARGET_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

/*
 * Parts of a description are named by a path, such as "caches[1].lookup", and a member in it, such
 * as "when"; either may be "".
 */
enum { TARGET_PATH_SIZE = 128 };

/* Largest file, in bytes. */
enum { TARGET_MAX_SIZE = 64 * 1024 };

/* The option from which everything below a path came. */
struct target_option {
	const char *path;
	const char *option;
};

struct target_source {
	const char *origin;			/* name of the file */
	yaml_document_t document;
	const struct target_option *options;	/* instead of a file; the first that fits counts */
};

/* Reads the YAML of a file whose name is origin. 0; -EINVAL or -ENOMEM, which was logged. */
int target_source__open(struct target_source *source, const char *text, size_t size,
			const char *origin);
void target_source__close(struct target_source *source);

/* The plain text written at a path; NULL if there is none, as always with options. */
const char *target_source__text(const struct target_source *source, const char *path,
				const char *member);
bool target_source__has(const struct target_source *source, const char *path, const char *member);

/* Logs what is wrong at a path, or at what is nearest to it. Returns -EINVAL. */
__attribute__((format(printf, 4, 5)))
int target__complain(const struct target_source *source, const char *path,
		     const char *member, const char *format, ...);
/* The same for a message that names a column of the text at the path itself. */
int target__complain_inside(const struct target_source *source, const char *path,
			    const char *member, const char *message);

#endif
