/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a definition: a target's cache in one file, with all its rules and sites, or the reason why
 * not. */
#ifndef CACHETRACE_DEFINITION_H
#define CACHETRACE_DEFINITION_H

#include "plan.h"

struct definition_context {
	const struct target *target;
	const struct target_cache *cache;
	struct code_file *file;
	/* Of ad-hoc targets, where the compute may be in another file; else NULL. */
	struct code_file *compute_file;
	enum plan_returns returns;
	/* An unwinder is mapped by the process: exceptions may pass through any function that does
	 * not exclude them. */
	bool unwinder;
};

/* NULL without memory only: what cannot be traced has a refusal. */
struct definition *definition__new(const struct definition_context *context);
void definition__free(struct definition *definition);

#endif
