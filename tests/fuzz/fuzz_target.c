/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes target files, expressions and conditions. It has a log of its own, which says nothing. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "log.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Messages are written out all the same: their arguments must be sound. */
void log_error(const char *format, ...)
{
	char message[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
}

static int value_of(void *context, const char *name, int64_t *value)
{
	(void)context;
	*value = INT64_MAX - name[0];
	return name[0] == 'x' ? -ENOENT : 0;
}

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	(void)context;
	memset(buffer, (int)(address & 0xff), size);
	return address % 7 == 0 ? -EFAULT : 0;
}

static const struct expr_scope scope = {
	.name = value_of,
	.read = read_memory,
	.object = 0x7fff00000000,
	.has_object = true,
};

static void try_texts(const char *text)
{
	char error[64];
	struct expr *expr = expr__parse(text, error, sizeof(error));
	struct condition *condition;
	int64_t value;
	bool holds;

	if (expr)
		expr__evaluate(expr, &scope, &value);
	expr__free(expr);
	condition = condition__parse(text, error, sizeof(error));
	if (condition)
		condition__evaluate(condition, &scope, &holds);
	condition__free(condition);
}

/* A target that was taken must be whole: what other files rely on without a check. */
static void check_target(const struct target *target)
{
	for (unsigned i = 0; i < target->caches_count; i++) {
		const struct target_cache *cache = &target->caches[i];

		if (!cache->lookup == !cache->sites)
			abort();
		if (cache->lookup && !cache->lookup->outcome_count && !cache->counters_count)
			abort();
		if (!cache->object != !cache->object_expr ||
		    !cache->entries != !cache->entries_expr)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct target *target;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_texts(text);
	target__free(target__ad_hoc("file:ns::get", text, "make", text));
	target__free(target__ad_hoc(text, "ret", text, NULL));
	free(text);
	target = target__parse((const char *)data, size, "fuzz.yaml");
	if (target)
		check_target(target);
	target__free(target);
	return 0;
}
