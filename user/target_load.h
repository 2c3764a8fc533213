/* SPDX-License-Identifier: BSD-2-Clause */
/* From the text of a target file to a struct target that fits the schema. */
#ifndef CACHETRACE_TARGET_LOAD_H
#define CACHETRACE_TARGET_LOAD_H

#include <stddef.h>

struct target;
struct target_source;

/* Loads the text that source was opened with. NULL if it does not fit the schema (logged). */
struct target *target__load(const struct target_source *source, const char *text, size_t size);

/* Frees the target and the members that stand in files; all of them may come from malloc, too. */
void target__unload(struct target *target);

#endif
