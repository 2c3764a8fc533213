// SPDX-License-Identifier: BSD-2-Clause
/* Makes a definition: a target's cache in one file, with all its rules and sites, or the reason why
 * not. */
#include "definition.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code_file.h"
#include "log.h"
#include "resolve.h"
#include "rule.h"

struct making {
	const struct definition_context *context;
	struct definition *definition;
	struct resolver *compute_resolver;	/* of ad-hoc targets with two files */
};

static int refuse(struct making *making, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct making *making, const char *format, ...)
{
	va_list arguments;

	free(making->definition->refusal);
	va_start(arguments, format);
	if (vasprintf(&making->definition->refusal, format, arguments) < 0)
		making->definition->refusal = NULL;
	va_end(arguments);
	return making->definition->refusal ? -ENOTSUP : -ENOMEM;
}

/* Names in probes: numbers only, as addresses differ from process to process. */
static int constant_named(void *context, const char *name, int64_t *value)
{
	bool is_address;

	if (resolver__value(context, name, value, &is_address) || is_address)
		return -ENOENT;
	return 0;
}

static bool needs_instructions(const struct making *making, struct code_file *file)
{
	const struct definition_context *context = making->context;

	if (elf_file__is_go(file->elf))
		return true;
	if (context->returns != PLAN_RETURNS_AUTO)
		return context->returns == PLAN_RETURNS_INSTRUCTION;
	/*
	 * A return probe replaces the return address on the stack. An exception that passes through
	 * the function finds no unwind information for the replacement, and the program is
	 * terminated.
	 */
	return context->cache->unwind != TARGET_UNWIND_NEVER &&
	       (context->unwinder || elf_file__may_unwind(file->elf));
}

static int add_site(struct making *making, const struct planned_site *site)
{
	struct definition *definition = making->definition;
	struct planned_site *sites;

	sites = reallocarray(definition->sites, definition->sites_count + 1, sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	definition->sites = sites;
	sites[definition->sites_count] = *site;
	if (!elf_file__address_to_offset(site->file->elf, site->instruction.address,
					 &sites[definition->sites_count].offset))
		return refuse(making, "%s is not in the file's image", site->place);
	definition->sites_count++;
	return 0;
}

static const char *why_no_site(int err)
{
	switch (err) {
	case -ENOENT: return "no function's code is there";
	case -EILSEQ: return "its code cannot be disassembled";
	case -EINVAL: return "it is in the middle of an instruction";
	case -EPERM: return "no instruction there can carry a probe";
	case -ELOOP: return "it ends by a jump whose target the file does not tell";
	case -ENOTSUP: return "the machine is not supported";
	default: return strerror(-err);
	}
}

/* Entry and return instructions of one function. */
static int add_judged_call(struct making *making, struct planned_site site, uint64_t function)
{
	struct insn_site *ends = NULL;
	size_t count = 0, i;
	int err;

	err = insn__entry_site(site.file->elf, function, true, &site.instruction);
	if (!err)
		err = insn__returns(site.file->elf, function, &ends, &count);
	if (err)
		return refuse(making,
			      "%s: the end of its calls is not seen (%s), and a return probe is "
			      "not safe "
			      "where exceptions may pass",
			      site.place, why_no_site(err));
	site.probe = SITE_ENTRY;
	site.judged = true;
	err = add_site(making, &site);
	site.probe = SITE_RETURN_INSTRUCTION;
	site.judged = false;
	for (i = 0; i < count && !err; i++) {
		site.instruction = ends[i];
		err = add_site(making, &site);
	}
	free(ends);
	return err;
}

static int add_hijacked_call(struct making *making, struct planned_site site, uint64_t function)
{
	int err = insn__entry_site(site.file->elf, function, true, &site.instruction);

	if (err)
		return refuse(making, "%s: %s", site.place, why_no_site(err));
	site.probe = SITE_CALL;
	return add_site(making, &site);
}

static int add_mark(struct making *making, struct planned_site site, uint64_t address)
{
	struct elf_range function;
	int err;

	/* A function's beginning may be probed further in; any other place is meant as it is. */
	if (elf_file__function_at(site.file->elf, address, &function) &&
	    function.address == address)
		err = insn__entry_site(site.file->elf, address, false, &site.instruction);
	else
		err = insn__check_site(site.file->elf, address, &site.instruction);
	if (err)
		return refuse(making, "%s: %s", site.place, why_no_site(err));
	site.probe = SITE_ENTRY;
	return add_site(making, &site);
}

/* Probes at all addresses of a place, for the rule added last. */
static int add_place(struct making *making, const char *place, struct code_file *file,
		     struct resolver *resolver)
{
	struct definition *definition = making->definition;
	const struct ct_rule *rule = &definition->rules[definition->rules_count - 1];
	struct planned_site site = { .file = file,
				     .place = place,
				     .rule = definition->rules_count - 1 };
	const struct resolved *found;
	const char *why;
	size_t i;
	int err = resolver__place(resolver, place, &found, &why);

	if (err)
		return refuse(making, "%s: %s", place, why);
	if (found->suffixed && (rule->tests || rule->flags & CT_RULE_OBJECT))
		log_info("%s: %s is a copy made by the compiler, whose arguments may not be those "
			 "of the source",
			 definition->target->name, place);
	site.found_by = found->kind;
	for (i = 0; i < found->addresses.count && !err; i++) {
		uint64_t address = found->addresses.list[i];

		if (rule->role == CT_ROLE_MARK || rule->role == CT_ROLE_TOTAL)
			err = add_mark(making, site, address);
		else if (needs_instructions(making, file))
			err = add_judged_call(making, site, address);
		else
			err = add_hijacked_call(making, site, address);
	}
	return err;
}

static struct ct_rule *next_rule(struct making *making)
{
	struct definition *definition = making->definition;

	return definition->rules_count < PLAN_MAX_RULES
		       ? &definition->rules[definition->rules_count++]
		       : NULL;
}

static struct rule_scope scope_of(struct code_file *file, struct expr_scope *constants,
				  struct resolver *resolver)
{
	*constants = (struct expr_scope){ .name = constant_named, .context = resolver };
	return (struct rule_scope){ .file = file->elf, .constants = constants };
}

static int make_lookup(struct making *making)
{
	const struct target_cache *cache = making->context->cache;
	struct definition *definition = making->definition;
	struct rule_scope scope;
	struct expr_scope constants;
	struct ct_rule *rule = next_rule(making);
	char error[160];

	scope = scope_of(definition->file, &constants, definition->resolver);
	if (rule__lookup(&scope, cache, rule, error, sizeof(error)))
		return refuse(making, "lookup: %s", error);
	definition->lookups_timed = true;
	return add_place(making, cache->lookup->at, definition->file, definition->resolver);
}

/* Without the compute's code a cache can still be judged by its lookup's return value; only its
 * times are missing then. */
static int make_compute(struct making *making)
{
	const struct target_cache *cache = making->context->cache;
	struct definition *definition = making->definition;
	struct code_file *file = making->context->compute_file;
	struct resolver *resolver = definition->resolver;
	struct rule_scope scope;
	struct expr_scope constants;
	struct ct_rule *rule = next_rule(making);
	char error[160];
	int err;

	if (file && file != definition->file) {
		err = resolver__new(&making->compute_resolver, definition->target, file->elf);
		if (err)
			return err;
		resolver = making->compute_resolver;
	} else {
		file = definition->file;
	}
	scope = scope_of(file, &constants, resolver);
	if (rule__compute(&scope, cache, rule, error, sizeof(error)))
		return refuse(making, "compute: %s", error);
	definition->has_computes = true;
	definition->computes_timed = true;
	return add_place(making, cache->compute->at, file, resolver);
}

static int make_sites(struct making *making)
{
	const struct target_cache *cache = making->context->cache;
	struct definition *definition = making->definition;
	struct rule_scope scope;
	struct expr_scope constants;
	char error[160];
	unsigned i;
	int err;

	scope = scope_of(definition->file, &constants, definition->resolver);
	for (i = 0; i < cache->sites_count; i++) {
		struct ct_rule *rule = next_rule(making);

		if (!rule)
			return refuse(making, "more than %d sites", PLAN_MAX_RULES);
		if (rule__site(&scope, cache, &cache->sites[i], rule, error, sizeof(error)))
			return refuse(making, "%s: %s", cache->sites[i].at, error);
		err = add_place(making, cache->sites[i].at, definition->file, definition->resolver);
		if (err)
			return err;
	}
	return 0;
}

static void set_timing(struct definition *definition)
{
	unsigned i;

	if (definition->cache->fill == TARGET_FILL_LOOKUP) {
		definition->computes_timed = true;
		definition->has_computes = true;
	}
	for (i = 0; i < definition->rules_count; i++) {
		if (definition->lookups_timed)
			definition->rules[i].flags |= CT_RULE_LOOKUPS_TIMED;
		if (definition->computes_timed)
			definition->rules[i].flags |= CT_RULE_COMPUTES_TIMED;
	}
}

static int set_where(struct making *making)
{
	const struct target_cache *cache = making->context->cache;
	const char *place = cache->lookup ? cache->lookup->at : cache->sites[0].at;

	return asprintf(&making->definition->where, "%s:%s", making->context->file->path, place) < 0
		       ? -ENOMEM
		       : 0;
}

static int make(struct making *making)
{
	const struct target_cache *cache = making->context->cache;
	int err = resolver__new(&making->definition->resolver, making->context->target,
				making->context->file->elf);

	if (!err)
		err = set_where(making);
	if (!err && cache->lookup)
		err = make_lookup(making);
	if (!err && cache->compute)
		err = make_compute(making);
	if (!err && cache->sites_count)
		err = make_sites(making);
	set_timing(making->definition);
	return err;
}

struct definition *definition__new(const struct definition_context *context)
{
	struct definition *definition = calloc(1, sizeof(*definition));
	struct making making = { .context = context, .definition = definition };
	int err;

	if (!definition)
		return NULL;
	definition->target = context->target;
	definition->cache = context->cache;
	definition->file = context->file;
	err = make(&making);
	resolver__free(making.compute_resolver);
	if (err == -ENOMEM || (err && !definition->refusal)) {
		definition__free(definition);
		return NULL;
	}
	return definition;
}

void definition__free(struct definition *definition)
{
	if (!definition)
		return;
	resolver__free(definition->resolver);
	free(definition->where);
	free(definition->refusal);
	free(definition->sites);
	free(definition);
}
