/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a target from options that name the functions of one cache. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "target.h"
#include "target_check.h"
#include "target_source.h"

static const struct target_option options[] = {
	{ "places[1]", "--compute" },
	{ "caches[0].compute", "--compute" },
	{ "caches[0].lookup.outcome", "--hit" },
	{ "caches[0].object", "--object" },
	{ "", "--lookup" },
};

/* What follows the last ':' that is no part of a "::"; the whole name if there is none. */
static const char *symbol_of(const char *name)
{
	for (const char *at = name + strlen(name); at > name; at--)
		if (at[-1] == ':' && at[0] != ':' && (at - 1 == name || at[-2] != ':'))
			return at;
	return name;
}

/*
 * option is "[FILE:]SYMBOL". The symbol is looked for as it stands in a symbol table first, then as
 * the name of a C++ or Rust function that people write.
 */
static int fill_place(struct target_place *place, const char *name, const char *option)
{
	const char *symbol = symbol_of(option);

	place->name = strdup(name);
	place->tries = calloc(2, sizeof(*place->tries));
	if (!place->name || !place->tries)
		return -ENOMEM;
	place->tries_count = 2;
	if (symbol > option) {
		place->file = strndup(option, (size_t)(symbol - option) - 1);
		if (!place->file)
			return -ENOMEM;
	}
	place->tries[0].symbol = strdup(symbol);
	place->tries[1].glob = strdup(symbol);
	return place->tries[0].symbol && place->tries[1].glob ? 0 : -ENOMEM;
}

static int fill_outcome(struct target_call *lookup, const char *hit)
{
	struct target_case *cases = calloc(2, sizeof(*cases));

	if (!cases)
		return -ENOMEM;
	lookup->outcome = cases;
	lookup->outcome_count = 2;
	cases[0].when = strdup(hit);
	cases[0].is = strdup("hit");
	cases[1].is = strdup("miss");
	return cases[0].when && cases[0].is && cases[1].is ? 0 : -ENOMEM;
}

static int fill_call(struct target_call **call, const char *place)
{
	*call = calloc(1, sizeof(**call));
	if (!*call)
		return -ENOMEM;
	(*call)->at = strdup(place);
	return (*call)->at ? 0 : -ENOMEM;
}

static int fill_cache(struct target_cache *cache, const char *lookup, const char *hit,
		      const char *compute, const char *object)
{
	cache->name = strdup(symbol_of(lookup));
	if (!cache->name || fill_call(&cache->lookup, "lookup"))
		return -ENOMEM;
	if (hit && fill_outcome(cache->lookup, hit))
		return -ENOMEM;
	if (compute && fill_call(&cache->compute, "compute"))
		return -ENOMEM;
	if (object)
		cache->object = strdup(object);
	return object && !cache->object ? -ENOMEM : 0;
}

static int fill(struct target *target, const char *lookup, const char *hit, const char *compute,
		const char *object)
{
	target->name = strdup("adhoc");
	target->origin = strdup("options");
	target->places = calloc(2, sizeof(*target->places));
	target->caches = calloc(1, sizeof(*target->caches));
	if (!target->name || !target->origin || !target->places || !target->caches)
		return -ENOMEM;
	target->places_count = compute ? 2 : 1;
	target->caches_count = 1;
	if (fill_place(&target->places[0], "lookup", lookup))
		return -ENOMEM;
	if (compute && fill_place(&target->places[1], "compute", compute))
		return -ENOMEM;
	return fill_cache(&target->caches[0], lookup, hit, compute, object);
}

static bool has_both_parts(const char *option)
{
	const char *symbol = symbol_of(option);

	return *symbol != '\0' && symbol != option + 1;
}

static bool check_options(const char *lookup, const char *hit, const char *compute)
{
	if (!lookup)
		log_error("--lookup is needed with --hit, --compute and --object");
	else if (!has_both_parts(lookup))
		log_error("--lookup: expected [FILE:]SYMBOL");
	else if (compute && !has_both_parts(compute))
		log_error("--compute: expected [FILE:]SYMBOL");
	else if (!hit && !compute)
		log_error("--lookup: expected --hit or --compute too, to tell hits from misses");
	else
		return true;
	return false;
}

struct target *target__ad_hoc(const char *lookup, const char *hit, const char *compute,
			      const char *object)
{
	const struct target_source source = { .options = options };
	struct target *target;

	if (!check_options(lookup, hit, compute))
		return NULL;
	target = calloc(1, sizeof(*target));
	if (!target || fill(target, lookup, hit, compute, object)) {
		log_error("out of memory");
		target__free(target);
		return NULL;
	}
	if (target__check_places(target, &source) || target__check_caches(target, &source)) {
		target__free(target);
		return NULL;
	}
	return target;
}
