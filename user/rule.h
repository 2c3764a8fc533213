/* SPDX-License-Identifier: BSD-2-Clause */
/* Translates conditions and expressions of a target into rules that the kernel side works by. */
#ifndef CACHETRACE_RULE_H
#define CACHETRACE_RULE_H

#include <stddef.h>

#include "abi.h"
#include "expr.h"
#include "target.h"

struct elf_file;

/* What an expression of a rule may refer to. */
struct rule_scope {
	struct elf_file *file;			/* tells the machine's argument registers */
	const struct expr_scope *constants;	/* names that are numbers */
};

/*
 * The rule of a cache's lookup, compute, or site. Fills everything but the cache's index and the
 * flags that tell which durations are kept. 0; -EINVAL: it cannot be expressed in a probe: why goes
 * to error.
 */
int rule__lookup(const struct rule_scope *scope, const struct target_cache *cache,
		 struct ct_rule *rule, char *error, size_t error_size);
int rule__compute(const struct rule_scope *scope, const struct target_cache *cache,
		  struct ct_rule *rule, char *error, size_t error_size);
int rule__site(const struct rule_scope *scope, const struct target_cache *cache,
	       const struct target_site *site, struct ct_rule *rule, char *error,
	       size_t error_size);

#endif
