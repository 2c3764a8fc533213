// SPDX-License-Identifier: BSD-2-Clause
/* Turns what the maps hold into the rows of a snapshot. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_private.h"

static int by_key(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct ct_key));
}

static struct known_cache *known_cache(struct session *session, const struct ct_key *key)
{
	struct known_cache *known;
	void *node = tfind(key, &session->known, by_key);

	if (node)
		return *(struct known_cache **)node;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->key = *key;
	if (tsearch(known, &session->known, by_key))
		return known;
	free(known);
	return NULL;
}

static void free_known(void *node)
{
	struct known_cache *known = node;

	free(known->label);
	free(known);
}

void session__forget_known(struct session *session)
{
	tdestroy(session->known, free_known);
	session->known = NULL;
}

static struct instance *instance_of(const struct session *session, const struct traced *traced,
				    const struct definition *definition)
{
	size_t i;

	for (i = 0; i < plan__instances_count(session->plan); i++) {
		struct instance *instance = plan__instance(session->plan, i);

		if (instance->definition == definition && instance->process == traced->process)
			return instance;
	}
	return NULL;
}

/* The lookups that no other site claims are the hits. */
static bool hits_are_the_rest(const struct definition *definition)
{
	unsigned i;

	for (i = 0; i < definition->rules_count; i++)
		if (definition->rules[i].role == CT_ROLE_TOTAL)
			return true;
	return false;
}

static bool is_judged_by_calls(const struct definition *definition)
{
	return definition->rules_count && definition->rules[0].role == CT_ROLE_LOOKUP;
}

static uint64_t sum_of_outcomes(const struct ct_slot *numbers)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i <= CT_IGNORED; i++)
		sum += numbers->outcome[i];
	return sum;
}

/*
 * A lookup whose miss is still to come counts as a hit for that moment, so hits could go back by
 * one; they are held instead, but for the final numbers, which are exact.
 */
static void set_rest_as_hits(const struct session *session, struct snapshot_cache *row,
			     struct known_cache *known, const struct ct_slot *numbers)
{
	uint64_t others = sum_of_outcomes(numbers) - numbers->outcome[CT_HIT];
	uint64_t hits = numbers->calls > others ? numbers->calls - others : 0;

	if (hits > known->hits || session->stopped)
		known->hits = hits;
	row->outcome[CT_HIT] = known->hits;
}

static void set_counts(const struct session *session, struct snapshot_cache *row,
		       struct known_cache *known, const struct definition *definition,
		       const struct ct_slot *numbers)
{
	uint64_t ended;
	int i;

	for (i = 0; i < CT_OUTCOMES; i++)
		row->outcome[i] = numbers->outcome[i];
	row->computes = numbers->computes;
	row->lost = numbers->lost;
	if (hits_are_the_rest(definition))
		set_rest_as_hits(session, row, known, numbers);
	/* Begun, but not back yet or never to come back. Before the end they are not lookups so
	 * far. */
	ended = sum_of_outcomes(numbers);
	if (session->stopped && is_judged_by_calls(definition) && numbers->calls > ended)
		row->outcome[CT_UNFINISHED] += numbers->calls - ended;
}

static int set_latencies(struct snapshot_cache *row, const struct definition *definition,
			 const struct tracer_cache *cache)
{
	int err = 0;

	row->has_lookup_latency = definition->lookups_timed && cache->lookups_timed;
	row->has_compute_latency = definition->computes_timed && cache->computes_timed;
	if (row->has_lookup_latency)
		err = histogram__merge(&row->lookup_latency, &cache->lookups);
	if (!err && row->has_compute_latency)
		err = histogram__merge(&row->compute_latency, &cache->computes);
	return err;
}

/* The size of a cache changes by its misses only: it is not read again while there are none. */
static void read_gauges(struct known_cache *known, const struct instance *instance, uint64_t misses)
{
	if (known->has_entries && known->gauged_misses == misses)
		return;
	known->gauged_misses = misses;
	if (!known->label_asked) {
		known->label = instance__label(instance, known->key.object);
		known->label_asked = true;
	}
	if (instance__entries(instance, known->key.object, &known->entries))
		known->has_entries = true;
	known->has_capacity = instance__capacity(instance, known->key.object, &known->capacity);
}

static void set_gauges(struct snapshot_cache *row, const struct known_cache *known,
		       const struct target_cache *cache)
{
	row->unit = cache->unit == TARGET_UNIT_BYTES ? UNIT_BYTES : UNIT_ENTRIES;
	row->has_entries = known->has_entries;
	row->has_capacity = known->has_capacity;
	row->entries = known->entries;
	row->capacity = known->capacity;
}

static void set_names(struct snapshot *snapshot, struct snapshot_cache *row,
		      const struct traced *traced, const struct definition *definition,
		      const char *label)
{
	const struct process *process = traced->process;
	char name[512];

	snprintf(name, sizeof(name), "%s%s%s", definition->cache->name, label ? " " : "",
		 label ? label : "");
	row->target = snapshot__string(snapshot, definition->target->name);
	row->cache = snapshot__string(snapshot, name);
	row->where = snapshot__string(snapshot, definition->where);
	row->pid = traced->pid;
	row->start_time = traced->start_time;
	row->comm = snapshot__string(snapshot, process ? process->comm : traced->comm);
	row->exe = snapshot__string(snapshot, process ? process->exe : NULL);
	row->cgroup = snapshot__string(snapshot, process ? process->cgroup : NULL);
	row->container = snapshot__string(snapshot, process ? process->container : NULL);
	row->source = SOURCE_PROBES;
}

static int add_counted(struct session *session, struct snapshot *snapshot,
		       const struct tracer_cache *cache)
{
	const struct definition *definition = plan__definition(session->plan, cache->key.cache);
	const struct traced *traced =
		session__traced(session, cache->key.tgid, cache->key.generation);
	struct known_cache *known;
	struct snapshot_cache *row;
	struct instance *instance;

	/* A child that was forked after the processes were looked at: it is taken up at the next
	 * update. */
	if (!definition || !traced)
		return 0;
	known = known_cache(session, &cache->key);
	row = known ? snapshot__add(snapshot) : NULL;
	if (!row)
		return -ENOMEM;
	set_counts(session, row, known, definition, &cache->numbers);
	instance = traced->process ? instance_of(session, traced, definition) : NULL;
	if (instance) {
		instance->fired = true;
		if (!traced->ended)
			read_gauges(known, instance, row->outcome[CT_MISS]);
	}
	set_names(snapshot, row, traced, definition, known->label);
	set_gauges(row, known, definition->cache);
	row->has_object = definition->cache->object_expr != NULL;
	row->object = cache->key.object;
	row->verified = VERIFIED_YES;
	return set_latencies(row, definition, cache);
}

/* A planned cache that nothing was counted of yet is shown as such: a zero must not be silent. */
static int add_silent(struct session *session, struct snapshot *snapshot,
		      const struct instance *instance)
{
	const struct definition *definition = instance->definition;
	struct snapshot_cache *row;
	size_t i;

	for (i = 0; i < session->traced_count; i++)
		if (session->traced[i]->process == instance->process)
			break;
	if (i == session->traced_count)
		return 0;
	row = snapshot__add(snapshot);
	if (!row)
		return -ENOMEM;
	set_names(snapshot, row, session->traced[i], definition, NULL);
	row->unit = definition->cache->unit == TARGET_UNIT_BYTES ? UNIT_BYTES : UNIT_ENTRIES;
	row->has_lookup_latency = definition->lookups_timed;
	row->has_compute_latency = definition->computes_timed;
	if (!definition->cache->object_expr) {
		row->has_entries = instance__entries(instance, 0, &row->entries);
		row->has_capacity = instance__capacity(instance, 0, &row->capacity);
	}
	return 0;
}

int session__add_rows(struct session *session, struct snapshot *snapshot,
		      const struct tracer_reading *reading)
{
	size_t i;
	int err = 0;

	for (i = 0; i < reading->caches_count && !err; i++)
		err = add_counted(session, snapshot, &reading->caches[i]);
	for (i = 0; i < plan__instances_count(session->plan) && !err; i++) {
		const struct instance *instance = plan__instance(session->plan, i);

		if (!instance->fired && !instance->definition->refusal)
			err = add_silent(session, snapshot, instance);
	}
	return err;
}
