/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns struct target: makes a checked one from the text of a file, and frees it. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "target_check.h"
#include "target_load.h"
#include "target_source.h"

static struct target *parse(const struct target_source *source, const char *text, size_t size)
{
	struct target *target = target__load(source, text, size);

	if (!target)
		return NULL;
	target->origin = strdup(source->origin);
	if (!target->origin)
		log_error("%s: out of memory", source->origin);
	if (!target->origin || target__check_names(target, source) ||
	    target__check_places(target, source) || target__check_caches(target, source)) {
		target__free(target);
		return NULL;
	}
	return target;
}

struct target *target__parse(const char *text, size_t size, const char *origin)
{
	struct target_source source;
	struct target *target;

	if (target_source__open(&source, text, size, origin))
		return NULL;
	target = parse(&source, text, size);
	target_source__close(&source);
	return target;
}

static void free_call(struct target_call *call)
{
	if (!call)
		return;
	for (unsigned i = 0; i < call->outcome_count; i++)
		condition__free(call->outcome[i].condition);
	condition__free(call->condition);
	expr__free(call->object_expr);
}

static void free_cache(struct target_cache *cache)
{
	free_call(cache->lookup);
	free_call(cache->compute);
	for (unsigned i = 0; i < cache->sites_count; i++)
		condition__free(cache->sites[i].condition);
	for (unsigned i = 0; i < cache->counters_count; i++)
		expr__free(cache->counters[i].expr);
	expr__free(cache->object_expr);
	expr__free(cache->label_expr);
	expr__free(cache->entries_expr);
	expr__free(cache->capacity_expr);
}

void target__free(struct target *target)
{
	if (!target)
		return;
	for (unsigned i = 0; i < target->places_count; i++) {
		for (unsigned j = 0; j < target->places[i].tries_count; j++)
			expr__free(target->places[i].tries[j].pointer_expr);
		free(target->places[i].file);
	}
	for (unsigned i = 0; i < target->caches_count; i++)
		free_cache(&target->caches[i]);
	free(target->origin);
	target__unload(target);
}
