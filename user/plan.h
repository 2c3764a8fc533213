/* SPDX-License-Identifier: BSD-2-Clause */
/* Which caches of which processes are traced, and where: targets brought together with the files
 * that processes have mapped. */
#ifndef CACHETRACE_PLAN_H
#define CACHETRACE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "insn.h"
#include "process.h"
#include "target.h"
#include "tracer.h"

struct code_file;
struct resolver;
struct plan;

/* How the end of a call is seen. */
enum plan_returns {
	PLAN_RETURNS_AUTO, /* by the kernel's return probe where nothing unwinds the stack, else at
			      the instructions */
	PLAN_RETURNS_PROBE,
	PLAN_RETURNS_INSTRUCTION,
};

/* One probe of a definition. */
struct planned_site {
	struct code_file *file;
	const char *place;		/* name in the target */
	const char *found_by;		/* kind of locator */
	struct insn_site instruction;
	uint64_t offset;		/* in the file */
	enum site_probe probe;
	bool judged;
	unsigned rule;			/* index of the definition's rules */
};

enum { PLAN_MAX_RULES = 16 };

/* A target's cache in one file; its number is ct_key.cache. */
struct definition {
	const struct target *target;
	const struct target_cache *cache;
	struct code_file *file;
	struct resolver *resolver;
	char *where;			/* "file:symbol" of the lookup */
	char *refusal;			/* why it is not traced; NULL: it is */
	struct ct_rule rules[PLAN_MAX_RULES];
	unsigned rules_count;
	struct planned_site *sites;
	size_t sites_count;
	bool lookups_timed, computes_timed, has_computes;
	bool installed;
};

/* A definition in one process. */
struct instance {
	struct process *process;
	struct definition *definition;
	uint64_t bias;			/* from the file's addresses to the process' */
	bool fired;			/* something was counted */
};

struct plan_options {
	const struct target_set *targets;
	const char *const *only;	/* names of targets or caches; NULL: all */
	size_t only_count;
	const struct target *ad_hoc;	/* NULL: none */
	enum plan_returns returns;
};

int plan__new(struct plan **plan, const struct plan_options *options);
void plan__free(struct plan *plan);

/*
 * Looks for caches in what the process has mapped now; known ones are not looked at again. The
 * process must live as long as the plan. How many instances are new, or -errno.
 */
int plan__examine(struct plan *plan, struct process *process);
/* Forgets the instances of a process. */
void plan__drop(struct plan *plan, const struct process *process);

/* Hands new definitions' rules and sites to the tracer (which then attaches them). How many sites,
 * or -errno. */
int plan__install(struct plan *plan, struct tracer *tracer);

size_t plan__definitions_count(const struct plan *plan);
struct definition *plan__definition(const struct plan *plan, size_t number);
size_t plan__instances_count(const struct plan *plan);
struct instance *plan__instance(const struct plan *plan, size_t number);
/* Files that were opened and examined. */
size_t plan__files_count(const struct plan *plan);

const char *code_file__path(const struct code_file *file);
/* The price of a lookup that hits, in traps: which instruction classes it meets. "none" where
 * probes fire on misses only. */
void definition__price(const struct definition *definition, char *text, size_t size);

/*
 * The gauge's value in a process: entries, capacity (false: unknown or unbounded). label: a string,
 * allocated, that names the object; NULL if there is none.
 */
bool instance__entries(const struct instance *instance, uint64_t object, int64_t *value);
bool instance__capacity(const struct instance *instance, uint64_t object, int64_t *value);
char *instance__label(const struct instance *instance, uint64_t object);

#endif
