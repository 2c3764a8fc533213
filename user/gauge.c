// SPDX-License-Identifier: BSD-2-Clause
/* Reads gauges of a cache (entries, capacity, its object's name) from the process' memory. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "resolve.h"

enum { LABEL_SIZE = 256 };

static int value_named(void *context, const char *name, int64_t *value)
{
	const struct instance *instance = context;
	bool is_address;
	int err = resolver__value(instance->definition->resolver, name, value, &is_address);

	if (!err && is_address)
		*value += instance->bias;
	return err;
}

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct instance *instance = context;

	return process__read(instance->process, address, buffer, size) == (ssize_t)size ? 0
											: -EFAULT;
}

static bool evaluate(const struct instance *instance, uint64_t object, const struct expr *expr,
		     int64_t *value)
{
	const struct expr_scope scope = {
		.name = value_named,
		.read = read_memory,
		.context = (void *)instance,
		.object = object,
		.has_object = instance->definition->cache->object_expr != NULL,
	};

	return expr && !expr__evaluate(expr, &scope, value);
}

bool instance__entries(const struct instance *instance, uint64_t object, int64_t *value)
{
	return evaluate(instance, object, instance->definition->cache->entries_expr, value) &&
	       *value >= 0;
}

bool instance__capacity(const struct instance *instance, uint64_t object, int64_t *value)
{
	return evaluate(instance, object, instance->definition->cache->capacity_expr, value) &&
	       *value > 0;
}

char *instance__label(const struct instance *instance, uint64_t object)
{
	char text[LABEL_SIZE] = "";
	int64_t address;
	ssize_t got;

	if (!evaluate(instance, object, instance->definition->cache->label_expr, &address) ||
	    !address)
		return NULL;
	got = process__read(instance->process, address, text, sizeof(text) - 1);
	if (got <= 0 || !*text)
		return NULL;
	return strdup(text);
}
