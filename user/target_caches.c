/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the caches of a target: what tells hits from misses must be complete and unambiguous. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "snapshot.h"
#include "target.h"
#include "target_check.h"
#include "target_source.h"

enum { SITE_IS_LOOKUP = -1 };

struct check {
	const struct target *target;
	const struct target_source *source;
	struct target_cache *cache;
	char path[sizeof("caches[4294967295]")];
	unsigned object;		/* TARGET_OPERAND_OBJECT if the cache has 'object' */
};

/* others: the words that may stand beside the outcomes, of which "ignored" is known here. */
static int check_outcome(const struct check *check, const char *path, const char *is,
			 const char *others, int *outcome)
{
	char names[160] = "";

	/* CT_UNFINISHED is left out: no target can tell it. */
	*outcome = outcome__number(is);
	if ((*outcome >= 0 && *outcome < CT_UNFINISHED) || (*outcome == CT_IGNORED && *others))
		return 0;
	for (int i = 0; i < CT_UNFINISHED; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, "%s%s", i > 0 ? ", " : "",
			 outcome__name(i));
	}
	return target__complain(check->source, path, "is",
				"no outcome is named '%s': expected one of %s%s", is, names,
				others);
}

static int check_shape(const struct check *check)
{
	const struct target_cache *cache = check->cache;
	const struct target_source *source = check->source;
	const char *path = check->path;

	if (!cache->lookup == !cache->sites)
		return target__complain(source, path, "",
					"expected either 'lookup' or 'sites'");
	if (cache->counters && !cache->lookup)
		return target__complain(source, path, "counters", "only with 'lookup'");
	if (cache->counters && cache->lookup->outcome)
		return target__complain(source, path, "counters",
					"expected either 'counters' or an 'outcome' of 'lookup'");
	if (cache->lookup && !cache->lookup->outcome && !cache->counters && !cache->compute)
		return target__complain(source, path, "lookup",
					"expected an 'outcome', or beside it 'counters' or "
					"'compute', to tell hits from misses");
	if (cache->fill == TARGET_FILL_LOOKUP && (!cache->lookup || cache->compute))
		return target__complain(source, path, "fill",
					"expected 'lookup', and no 'compute', with this fill");
	return 0;
}

/* A lookup that is judged by nothing else is a miss if the compute ran inside of it. */
static int add_nested_outcome(struct target_call *lookup)
{
	struct target_case *cases = calloc(2, sizeof(*cases));

	if (!cases)
		return -ENOMEM;
	lookup->outcome = cases;
	lookup->outcome_count = 2;
	cases[0].when = strdup("nested");
	cases[0].is = strdup(outcome__name(CT_MISS));
	cases[1].is = strdup(outcome__name(CT_HIT));
	return cases[0].when && cases[0].is && cases[1].is ? 0 : -ENOMEM;
}

static int check_outcomes(const struct check *check, struct target_call *lookup)
{
	unsigned known = TARGET_OPERAND_CALL | TARGET_OPERAND_RETURN | check->object |
			 (check->cache->compute ? TARGET_OPERAND_NESTED : 0);

	for (unsigned i = 0; i < lookup->outcome_count; i++) {
		struct target_case *each = &lookup->outcome[i];
		char row[TARGET_PATH_SIZE];

		snprintf(row, sizeof(row), "%s.lookup.outcome[%u]", check->path, i);
		if (i > 0 && !each[-1].when)
			return target__complain(check->source, row, "",
						"never reached: the row before it always holds");
		if (check_outcome(check, row, each->is, ", ignored", &each->outcome) ||
		    target__parse_condition(check->source, row, "when", each->when, known, 1,
					    &each->condition))
			return -EINVAL;
	}
	return 0;
}

static int check_call(const struct check *check, const char *member, struct target_call *call)
{
	char path[TARGET_PATH_SIZE];

	if (!call)
		return 0;
	snprintf(path, sizeof(path), "%s.%s", check->path, member);
	if (target__check_reference(check->target, check->source, path, "at", call->at) ||
	    target__parse_condition(check->source, path, "when", call->when,
				    TARGET_OPERAND_CALL | check->object, CT_MAX_TESTS,
				    &call->condition) ||
	    target__parse_expr(check->source, path, "object", call->object, TARGET_OPERAND_CALL,
			       &call->object_expr))
		return -EINVAL;
	return check_outcomes(check, call);
}

static int check_counters(const struct check *check)
{
	for (unsigned i = 0; i < check->cache->counters_count; i++) {
		struct target_counter *counter = &check->cache->counters[i];
		char path[TARGET_PATH_SIZE];

		snprintf(path, sizeof(path), "%s.counters[%u]", check->path, i);
		if (check_outcome(check, path, counter->is, "", &counter->outcome) ||
		    target__parse_expr(check->source, path, "value", counter->value,
				       TARGET_OPERAND_CALL | check->object, &counter->expr))
			return -EINVAL;
	}
	return 0;
}

static int check_site(const struct check *check, const char *path, struct target_site *site)
{
	if (strcmp(site->is, "lookup") == 0)
		site->outcome = SITE_IS_LOOKUP;
	else if (check_outcome(check, path, site->is, ", ignored, lookup", &site->outcome))
		return -EINVAL;
	if (target__check_reference(check->target, check->source, path, "at", site->at))
		return -EINVAL;
	return target__parse_condition(check->source, path, "when", site->when,
				       TARGET_OPERAND_CALL | check->object, CT_MAX_TESTS,
				       &site->condition);
}

/* Where sites are lookups, the hits are what the others leave over. */
static int check_sites(const struct check *check)
{
	const struct target_cache *cache = check->cache;
	unsigned lookups = 0, hits = 0;

	for (unsigned i = 0; i < cache->sites_count; i++) {
		char path[TARGET_PATH_SIZE];

		snprintf(path, sizeof(path), "%s.sites[%u]", check->path, i);
		if (check_site(check, path, &cache->sites[i]))
			return -EINVAL;
		lookups += cache->sites[i].outcome == SITE_IS_LOOKUP;
		hits += cache->sites[i].outcome == CT_HIT;
	}
	if (lookups > 0 && hits > 0)
		return target__complain(check->source, check->path, "sites",
					"expected no 'hit' beside 'lookup', of which the hits "
					"are what the other sites leave over");
	if (lookups > 0 && lookups == cache->sites_count)
		return target__complain(check->source, check->path, "sites",
					"expected a site that is not a 'lookup', such as 'miss'");
	return 0;
}

/* What is worked out on the user side knows of no call. */
static int check_gauges(const struct check *check)
{
	struct target_cache *cache = check->cache;

	if (target__parse_expr(check->source, check->path, "label", cache->label, check->object,
			       &cache->label_expr) ||
	    target__parse_expr(check->source, check->path, "entries", cache->entries, check->object,
			       &cache->entries_expr))
		return -EINVAL;
	return target__parse_expr(check->source, check->path, "capacity", cache->capacity,
				  check->object, &cache->capacity_expr);
}

static int check_cache(const struct check *check)
{
	struct target_cache *cache = check->cache;

	if (check_shape(check))
		return -EINVAL;
	if (cache->lookup && !cache->lookup->outcome && !cache->counters &&
	    add_nested_outcome(cache->lookup)) {
		log_error("out of memory");
		return -EINVAL;
	}
	if (target__parse_expr(check->source, check->path, "object", cache->object,
			       TARGET_OPERAND_CALL, &cache->object_expr) ||
	    check_call(check, "lookup", cache->lookup) ||
	    check_call(check, "compute", cache->compute) ||
	    check_counters(check) || check_sites(check))
		return -EINVAL;
	return check_gauges(check);
}

int target__check_caches(struct target *target, const struct target_source *source)
{
	for (unsigned i = 0; i < target->caches_count; i++) {
		struct check check = { .target = target, .source = source };

		check.cache = &target->caches[i];
		check.object = check.cache->object ? TARGET_OPERAND_OBJECT : 0;
		snprintf(check.path, sizeof(check.path), "caches[%u]", i);
		if (check_cache(&check))
			return -EINVAL;
	}
	return 0;
}
