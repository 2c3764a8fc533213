/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads target files by their schema, and says in the terms of the file what does not fit it. */
#include "target_load.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "target.h"
#include "target_schema.h"
#include "target_source.h"

/* What libcyaml said of a file: a problem, then the way to it, beginning at its end. */
struct verdict {
	char problem[256];
	char last_step[TARGET_PATH_SIZE];
	char path[TARGET_PATH_SIZE];	/* without the last step */
	unsigned steps;
};

static void prepend(char *path, const char *step)
{
	char joined[TARGET_PATH_SIZE];
	const char *dot = *step && *path && *path != '[' ? "." : "";
	int length = snprintf(joined, sizeof(joined), "%s%s%s", step, dot, path);

	if (length < (int)sizeof(joined))
		memcpy(path, joined, (size_t)length + 1);
}

/* line: "  in mapping field 'KEY' ...", "  in mapping ..." or "  in sequence entry 'N' ..."
 * where N counts from 1. */
static void add_step(struct verdict *verdict, const char *line)
{
	char step[64] = "";
	unsigned row;

	if (sscanf(line, "  in sequence entry '%u'", &row) == 1)
		snprintf(step, sizeof(step), "[%u]", row > 0 ? row - 1 : 0);
	else
		sscanf(line, "  in mapping field '%62[^']'", step);
	prepend(verdict->steps++ == 0 ? verdict->last_step : verdict->path, step);
}

static void hear(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	struct verdict *verdict = context;
	char line[sizeof(verdict->problem)];

	(void)level;
	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "  in ", strlen("  in ")) == 0)
		add_step(verdict, line);
	else if (!*verdict->problem)
		memcpy(verdict->problem, line, sizeof(line));
}

/* The part of libcyaml's sentence behind "...: ", which is a word of the file. */
static const char *word_of(const struct verdict *verdict)
{
	const char *separator = strstr(verdict->problem, ": ");

	if (separator)
		separator = strstr(separator + 2, ": ");
	return separator ? separator + 2 : "?";
}

static const cyaml_schema_value_t *member_schema(const cyaml_schema_value_t *mapping,
						 const char *key, size_t length)
{
	for (const cyaml_schema_field_t *field = mapping->mapping.fields; field->key; field++)
		if (strlen(field->key) == length && memcmp(field->key, key, length) == 0)
			return &field->value;
	return NULL;
}

/* The schema of what stands at a path below schema; NULL if there is no such path. */
static const cyaml_schema_value_t *schema_at(const cyaml_schema_value_t *schema, const char *path)
{
	while (schema && *path) {
		size_t length;

		path += *path == '.';
		if (*path == '[') {
			length = strcspn(path, "]") + 1;
			schema = schema->type == CYAML_SEQUENCE ? schema->sequence.entry : NULL;
		} else {
			length = strcspn(path, ".[");
			schema = schema->type == CYAML_MAPPING ?
				 member_schema(schema, path, length) : NULL;
		}
		path += length;
	}
	return schema;
}

static void append(char *list, size_t size, const char *word)
{
	size_t length = strlen(list);

	snprintf(list + length, size - length, "%s%s", length ? ", " : "", word);
}

/* The keys of a mapping, or the words of an enumeration. */
static void list_words(const cyaml_schema_value_t *schema, char *list, size_t size)
{
	*list = '\0';
	if (schema->type == CYAML_MAPPING)
		for (unsigned i = 0; schema->mapping.fields[i].key; i++)
			append(list, size, schema->mapping.fields[i].key);
	if (schema->type == CYAML_ENUM)
		for (unsigned i = 0; i < schema->enumeration.count; i++)
			append(list, size, schema->enumeration.strings[i].str);
}

/* What a value of the schema looks like. */
static void describe(const cyaml_schema_value_t *schema, char *text, size_t size)
{
	char words[256];

	list_words(schema, words, sizeof(words));
	switch (schema->type) {
	case CYAML_MAPPING:
		snprintf(text, size, "a mapping with keys out of %s", words);
		break;
	case CYAML_SEQUENCE:
		snprintf(text, size, "a list of %u to %u rows", schema->sequence.min,
			 schema->sequence.max);
		break;
	case CYAML_ENUM:
		snprintf(text, size, "one of %s", words);
		break;
	case CYAML_STRING:
		snprintf(text, size, "a text that is not empty");
		break;
	default:
		snprintf(text, size, "a number within range, decimal or 0x hexadecimal");
		break;
	}
}

static void complain(const struct target_source *source, cyaml_err_t error,
		     const struct verdict *verdict)
{
	const char *path = verdict->path, *last_step = verdict->last_step;
	const cyaml_schema_value_t *around = schema_at(&target_schema, path);
	const cyaml_schema_value_t *schema = schema_at(around, last_step);
	char expected[320] = "another value";

	switch (error) {
	case CYAML_ERR_INVALID_KEY:
		if (around)
			list_words(around, expected, sizeof(expected));
		target__complain(source, path, word_of(verdict),
				 "unknown key: expected one of %s", expected);
		break;
	case CYAML_ERR_MAPPING_FIELD_MISSING:
		target__complain(source, path, "", "'%s' is missing", word_of(verdict));
		break;
	case CYAML_ERR_UNEXPECTED_EVENT:
		target__complain(source, path, last_step, "this key is given twice");
		break;
	case CYAML_ERR_INTERNAL_ERROR:
		target__complain(source, path, "", "expected keys that are single words");
		break;
	case CYAML_ERR_SEQUENCE_ENTRIES_MIN:
	case CYAML_ERR_SEQUENCE_ENTRIES_MAX:
		schema = around;
		last_step = "";
		/* fallthrough */
	default:
		if (schema)
			describe(schema, expected, sizeof(expected));
		target__complain(source, path, last_step, "expected %s", expected);
		break;
	}
}

static cyaml_config_t configuration(struct verdict *verdict)
{
	return (cyaml_config_t){
		.log_fn = hear,
		.log_ctx = verdict,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

struct target *target__load(const struct target_source *source, const char *text, size_t size)
{
	struct verdict verdict = { 0 };
	cyaml_config_t config = configuration(&verdict);
	cyaml_data_t *target = NULL;
	cyaml_err_t error = cyaml_load_data((const uint8_t *)text, size, &config, &target_schema,
					    &target, NULL);

	if (error == CYAML_OK)
		return target;
	/* source has found the syntax to be right: memory is all that libyaml can lack here. */
	if (error == CYAML_ERR_OOM || error == CYAML_ERR_LIBYAML_PARSER ||
	    error == CYAML_ERR_LIBYAML_PARSER_INIT)
		log_error("%s: out of memory", source->origin);
	else
		complain(source, error, &verdict);
	return NULL;
}

void target__unload(struct target *target)
{
	cyaml_config_t config = configuration(NULL);

	cyaml_free(&config, &target_schema, target, 0);
}
