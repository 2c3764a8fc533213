/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loaded target must fulfil beyond its schema; on the way its expressions are parsed. */
#ifndef CACHETRACE_TARGET_CHECK_H
#define CACHETRACE_TARGET_CHECK_H

#include "expr.h"

struct target;
struct target_source;

/* All of these: 0; -EINVAL: something is wrong, which was logged. */

/* Names of the target, its places and its caches; how it is matched. */
int target__check_names(const struct target *target, const struct target_source *source);
int target__check_places(struct target *target, const struct target_source *source);
int target__check_caches(struct target *target, const struct target_source *source);

/* Index of a place by its name; -1 if there is none. */
int target__find_place(const struct target *target, const char *name);
/* name, if it is not NULL, must be that of a place. */
int target__check_reference(const struct target *target, const struct target_source *source,
			    const char *path, const char *member, const char *name);
int target__check_build_id(const struct target_source *source, const char *path,
			   const char *build_id);

/* Operands, as bits, that only some expressions may use. */
enum target_operands {
	TARGET_OPERAND_NONE = 0,
	TARGET_OPERAND_CALL = 1 << 0,	/* arguments and registers */
	TARGET_OPERAND_RETURN = 1 << 1,
	TARGET_OPERAND_OBJECT = 1 << 2,
	TARGET_OPERAND_NESTED = 1 << 3,
};

/*
 * Parse the text of a member, in which nothing but the known operands (and numbers, names, memory)
 * may occur. Without a text they do nothing. A condition joins at most max comparisons.
 */
int target__parse_expr(const struct target_source *source, const char *path, const char *member,
		       const char *text, unsigned known, struct expr **expr);
int target__parse_condition(const struct target_source *source, const char *path,
			    const char *member, const char *text, unsigned known, unsigned max,
			    struct condition **condition);

#endif
