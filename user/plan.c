// SPDX-License-Identifier: BSD-2-Clause
/* Which caches of which processes are traced: targets brought together with the files that
 * processes have mapped. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code_file.h"
#include "definition.h"
#include "locate.h"
#include "log.h"

struct plan {
	struct plan_options options;
	struct code_files files;
	struct definition **definitions;
	size_t definitions_count;
	struct instance *instances;
	size_t instances_count;
};

/* One mapped file of the process at hand. */
struct mapped {
	const struct mapping *mapping;
	struct code_file *file;
	bool is_exe;
};

struct examination {
	struct plan *plan;
	struct process *process;
	struct mapped *mapped;
	size_t count;
	bool unwinder;
	int added;
};

const char *code_file__path(const struct code_file *file)
{
	return file->path;
}

int plan__new(struct plan **result, const struct plan_options *options)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->options = *options;
	*result = plan;
	return 0;
}

void plan__free(struct plan *plan)
{
	size_t i;

	if (!plan)
		return;
	for (i = 0; i < plan->definitions_count; i++)
		definition__free(plan->definitions[i]);
	free(plan->definitions);
	free(plan->instances);
	code_files__free(&plan->files);
	free(plan);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Runtime libraries whose presence means that exceptions may be thrown. */
static bool is_unwinder(const char *path)
{
	static const char *const libraries[] = { "libgcc_s.so", "libunwind.so", "libc++abi.so",
						 "libstdc++.so" };
	const char *name = base_name(path);
	size_t i;

	for (i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (!strncmp(name, libraries[i], strlen(libraries[i])))
			return true;
	return false;
}

/* Each file once, by its first executable mapping. */
static int collect_files(struct examination *examination)
{
	const struct process *process = examination->process;
	size_t i, j;

	examination->mapped = calloc(process->mappings_count + 1, sizeof(*examination->mapped));
	if (!examination->mapped)
		return -ENOMEM;
	for (i = 0; i < process->mappings_count; i++) {
		const struct mapping *mapping = &process->mappings[i];
		struct mapped *mapped = &examination->mapped[examination->count];

		if (!mapping->executable || !mapping->inode)
			continue;
		mapped->file = code_files__of_mapping(&examination->plan->files, process, mapping);
		if (!mapped->file || !mapped->file->elf)
			continue;
		for (j = 0; j < examination->count; j++)
			if (examination->mapped[j].file == mapped->file)
				break;
		if (j < examination->count)
			continue;
		mapped->mapping = mapping;
		mapped->is_exe = process->exe && !strcmp(process->exe, mapping->path);
		if (is_unwinder(mapping->path) ||
		    (mapped->is_exe && elf_file__may_unwind(mapped->file->elf)))
			examination->unwinder = true;
		examination->count++;
	}
	return 0;
}

static struct definition *find_definition(const struct plan *plan, const struct target_cache *cache,
					  const struct code_file *file)
{
	size_t i;

	for (i = 0; i < plan->definitions_count; i++)
		if (plan->definitions[i]->cache == cache && plan->definitions[i]->file == file)
			return plan->definitions[i];
	return NULL;
}

static struct definition *add_definition(struct plan *plan,
					 const struct definition_context *context)
{
	struct definition **definitions, *definition;

	definitions =
		reallocarray(plan->definitions, plan->definitions_count + 1, sizeof(*definitions));
	if (!definitions)
		return NULL;
	plan->definitions = definitions;
	definition = definition__new(context);
	if (definition)
		definitions[plan->definitions_count++] = definition;
	return definition;
}

static bool has_instance(const struct plan *plan, const struct process *process,
			 const struct definition *definition)
{
	size_t i;

	for (i = 0; i < plan->instances_count; i++)
		if (plan->instances[i].process == process &&
		    plan->instances[i].definition == definition)
			return true;
	return false;
}

static int add_instance(struct examination *examination, struct definition *definition,
			const struct mapped *mapped)
{
	struct plan *plan = examination->plan;
	struct instance *instances;

	if (has_instance(plan, examination->process, definition))
		return 0;
	instances = reallocarray(plan->instances, plan->instances_count + 1, sizeof(*instances));
	if (!instances)
		return -ENOMEM;
	plan->instances = instances;
	instances[plan->instances_count++] = (struct instance){
		.process = examination->process,
		.definition = definition,
		.bias = code_file__bias(mapped->file, mapped->mapping),
	};
	examination->added++;
	return 0;
}

static int add_cache(struct examination *examination, const struct target *target,
		     const struct target_cache *cache, const struct mapped *mapped,
		     struct code_file *compute_file)
{
	const struct definition_context context = {
		.target = target,
		.cache = cache,
		.file = mapped->file,
		.compute_file = compute_file,
		.returns = examination->plan->options.returns,
		.unwinder = examination->unwinder,
	};
	struct definition *definition = find_definition(examination->plan, cache, mapped->file);

	if (!definition)
		definition = add_definition(examination->plan, &context);
	return definition ? add_instance(examination, definition, mapped) : -ENOMEM;
}

static bool wanted(const struct plan_options *options, const struct target *target,
		   const struct target_cache *cache)
{
	char full[256];
	size_t i;

	if (!options->only_count)
		return true;
	snprintf(full, sizeof(full), "%s-%s", target->name, cache->name);
	for (i = 0; i < options->only_count; i++)
		if (locate__glob_matches(options->only[i], target->name) ||
		    locate__glob_matches(options->only[i], full))
			return true;
	return false;
}

static bool has_symbol(struct elf_file *elf, const char *name, bool object)
{
	struct addresses addresses;

	if (locate__symbol(elf, name, object, &addresses, NULL))
		return false;
	addresses__free(&addresses);
	return true;
}

static bool file_matches(const struct examination *examination, const struct target_match *match,
			 const struct mapped *mapped)
{
	struct elf_file *elf = mapped->file->elf;

	if (match->exe && (!examination->process->exe ||
			   !locate__glob_matches(match->exe, examination->process->exe)))
		return false;
	if (match->exe && !match->soname && !mapped->is_exe)
		return false;
	if (match->soname && !locate__glob_matches(match->soname, elf_file__soname(elf)))
		return false;
	if (match->build_id &&
	    strncmp(elf_file__build_id(elf), match->build_id, strlen(match->build_id)))
		return false;
	return !match->symbol || has_symbol(elf, match->symbol, false) ||
	       has_symbol(elf, match->symbol, true);
}

static int examine_target(struct examination *examination, const struct target *target)
{
	size_t i;
	unsigned row, cache;
	int err = 0;

	for (i = 0; i < examination->count; i++) {
		for (row = 0; row < target->match_count; row++)
			if (file_matches(examination, &target->match[row], &examination->mapped[i]))
				break;
		if (row == target->match_count)
			continue;
		for (cache = 0; cache < target->caches_count && !err; cache++)
			if (wanted(&examination->plan->options, target, &target->caches[cache]))
				err = add_cache(examination, target, &target->caches[cache],
						&examination->mapped[i], NULL);
	}
	return err;
}

/* "libfoo.so" and "libfoo.so.1" name a library by its file or soname; a path is taken as it is. */
static bool named(const struct mapped *mapped, const char *name)
{
	return !strcmp(mapped->mapping->path, name) ||
	       !strcmp(base_name(mapped->mapping->path), name) ||
	       !strcmp(elf_file__soname(mapped->file->elf), name);
}

static bool has_function(const struct mapped *mapped, const struct target_place *place)
{
	struct addresses addresses;

	if (locate__symbol(mapped->file->elf, place->tries->symbol, false, &addresses, NULL) &&
	    (!strpbrk(place->tries->symbol, ":(<*?") ||
	     locate__glob(mapped->file->elf, place->tries->symbol, &addresses)))
		return false;
	addresses__free(&addresses);
	return true;
}

/* The file of an ad-hoc place: the named one, else the executable, else the only library that has
 * the symbol. */
static const struct mapped *file_of_place(const struct examination *examination,
					  const struct target_place *place)
{
	const struct mapped *found = NULL;
	size_t i;

	for (i = 0; i < examination->count; i++) {
		const struct mapped *mapped = &examination->mapped[i];

		if (place->file ? !named(mapped, place->file) : !has_function(mapped, place))
			continue;
		if (place->file || mapped->is_exe)
			return mapped;
		if (found) {
			log_warning("%s is in several files of process %d (%s, %s): name one as "
				    "FILE:%s",
				    place->tries->symbol, examination->process->pid,
				    found->mapping->path, mapped->mapping->path,
				    place->tries->symbol);
			return NULL;
		}
		found = mapped;
	}
	/* Nowhere: the executable is where the message about similar names is most useful. */
	for (i = 0; !found && !place->file && i < examination->count; i++)
		if (examination->mapped[i].is_exe)
			found = &examination->mapped[i];
	return found;
}

static const struct target_place *place_named(const struct target *target, const char *name)
{
	unsigned i;

	for (i = 0; i < target->places_count; i++)
		if (!strcmp(target->places[i].name, name))
			return &target->places[i];
	return NULL;
}

static int examine_ad_hoc(struct examination *examination, const struct target *target)
{
	const struct target_cache *cache = target->caches;
	const struct mapped *lookup, *compute = NULL;

	lookup = file_of_place(examination, place_named(target, cache->lookup->at));
	if (cache->compute)
		compute = file_of_place(examination, place_named(target, cache->compute->at));
	if (!lookup || (cache->compute && !compute))
		return 0;
	return add_cache(examination, target, cache, lookup, compute ? compute->file : NULL);
}

int plan__examine(struct plan *plan, struct process *process)
{
	struct examination examination = { .plan = plan, .process = process };
	size_t i;
	int err;

	err = collect_files(&examination);
	if (!err && plan->options.ad_hoc)
		err = examine_ad_hoc(&examination, plan->options.ad_hoc);
	for (i = 0; !err && i < plan->options.targets->count; i++)
		err = examine_target(&examination, plan->options.targets->targets[i]);
	free(examination.mapped);
	return err ? err : examination.added;
}

void plan__drop(struct plan *plan, const struct process *process)
{
	size_t i, kept = 0;

	for (i = 0; i < plan->instances_count; i++)
		if (plan->instances[i].process != process)
			plan->instances[kept++] = plan->instances[i];
	plan->instances_count = kept;
}

static int install(struct definition *definition, uint16_t number, struct tracer *tracer)
{
	int rules[PLAN_MAX_RULES];
	unsigned i;
	size_t site;
	int err;

	for (i = 0; i < definition->rules_count; i++) {
		definition->rules[i].cache = number;
		rules[i] = tracer__add_rule(tracer, &definition->rules[i]);
		if (rules[i] < 0)
			return rules[i];
	}
	for (site = 0; site < definition->sites_count; site++) {
		const struct planned_site *planned = &definition->sites[site];
		const struct site one = {
			.fd = planned->file->fd,
			.offset = planned->offset,
			.probe = planned->probe,
			.judged = planned->judged,
			.rule = rules[planned->rule],
		};

		err = tracer__add_site(tracer, &one);
		if (err)
			return err;
	}
	return definition->sites_count;
}

int plan__install(struct plan *plan, struct tracer *tracer)
{
	int sites = 0, added;
	size_t i;

	for (i = 0; i < plan->definitions_count; i++) {
		struct definition *definition = plan->definitions[i];

		if (definition->installed || definition->refusal)
			continue;
		if (i > UINT16_MAX)
			return -ENOSPC;
		definition->installed = true;
		added = install(definition, i, tracer);
		if (added < 0) {
			log_error("%s: no room for its probes: %s", definition->target->name,
				  strerror(-added));
			return added;
		}
		sites += added;
	}
	return sites;
}

size_t plan__definitions_count(const struct plan *plan)
{
	return plan->definitions_count;
}

struct definition *plan__definition(const struct plan *plan, size_t number)
{
	return number < plan->definitions_count ? plan->definitions[number] : NULL;
}

size_t plan__instances_count(const struct plan *plan)
{
	return plan->instances_count;
}

struct instance *plan__instance(const struct plan *plan, size_t number)
{
	return number < plan->instances_count ? &plan->instances[number] : NULL;
}

size_t plan__files_count(const struct plan *plan)
{
	return plan->files.count;
}

void definition__price(const struct definition *definition, char *text, size_t size)
{
	size_t counts[3] = { 0 }, i, used = 0;
	int class;

	for (i = 0; i < definition->sites_count; i++)
		if (definition->rules[definition->sites[i].rule].role != CT_ROLE_COMPUTE &&
		    definition->sites[i].instruction.class < 3)
			counts[definition->sites[i].instruction.class]++;
	snprintf(text, size, "none");
	for (class = 0; class < 3; class++)
		if (counts[class] && used < size)
			used += snprintf(text + used, size - used, "%s%s", used ? " + " : "",
					 insn_class__name(class));
}
