/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the YAML of a target file: its syntax, and the line and column of each of its parts. */
#include "target_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
	MESSAGE_SIZE = 512,
	MAX_DEPTH = 16,	/* of lists and mappings: the schema needs 6 */
};

static int complain_at_mark(const char *origin, yaml_mark_t mark, const char *message)
{
	log_error("%s:%zu:%zu: %s", origin, mark.line + 1, mark.column + 1, message);
	return -EINVAL;
}

/* Bytes that are no text have no mark yet. */
static yaml_mark_t mark_of_offset(const char *text, size_t offset)
{
	yaml_mark_t mark = { .index = offset };

	for (size_t i = 0; i < offset; i++) {
		mark.line += text[i] == '\n';
		mark.column = text[i] == '\n' ? 0 : mark.column + 1;
	}
	return mark;
}

static int out_of_memory(const char *origin)
{
	log_error("%s: out of memory", origin);
	return -ENOMEM;
}

static int complain_of_syntax(const yaml_parser_t *parser, const char *text, const char *origin)
{
	char message[MESSAGE_SIZE];

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(origin);
	if (parser->error == YAML_READER_ERROR)
		return complain_at_mark(origin, mark_of_offset(text, parser->problem_offset),
					parser->problem);
	if (!parser->context)
		return complain_at_mark(origin, parser->problem_mark, parser->problem);
	snprintf(message, sizeof(message), "%s %s that began in line %zu", parser->problem,
		 parser->context, parser->context_mark.line + 1);
	return complain_at_mark(origin, parser->problem_mark, message);
}

/* What is known of a file while its events are looked through. */
struct scan {
	const char *origin;
	unsigned documents;
	unsigned depth;
};

static int check_event(struct scan *scan, const yaml_event_t *event)
{
	const char *problem = NULL;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++scan->documents > 1)
			problem = "second document: only one is allowed";
		break;
	case YAML_ALIAS_EVENT:
		problem = "aliases are not allowed: expected the value itself";
		break;
	case YAML_SCALAR_EVENT:
		/* Texts are C strings from here on. */
		if (strlen((char *)event->data.scalar.value) != event->data.scalar.length)
			problem = "NUL character in a text";
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++scan->depth > MAX_DEPTH)
			problem = "nested too deep";
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scan->depth--;
		break;
	default:
		break;
	}
	return problem ? complain_at_mark(scan->origin, event->start_mark, problem) : 0;
}

/* Deep nesting would cost libyaml time that grows with its square, aliases memory without bound. */
static int check_events(yaml_parser_t *parser, const char *text, const char *origin)
{
	struct scan scan = { .origin = origin };
	bool at_end = false;
	int error = 0;

	while (!at_end && !error) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return complain_of_syntax(parser, text, origin);
		at_end = event.type == YAML_STREAM_END_EVENT;
		error = check_event(&scan, &event);
		yaml_event_delete(&event);
	}
	if (!error && scan.documents == 0) {
		log_error("%s:1: empty: expected a mapping that begins with 'name:'", origin);
		error = -EINVAL;
	}
	return error;
}

static int start(yaml_parser_t *parser, const char *text, size_t size, const char *origin)
{
	if (!yaml_parser_initialize(parser))
		return out_of_memory(origin);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
	return 0;
}

int target_source__open(struct target_source *source, const char *text, size_t size,
			const char *origin)
{
	yaml_parser_t parser;
	int error;

	*source = (struct target_source){ .origin = origin };
	if (size > TARGET_MAX_SIZE) {
		log_error("%s: larger than %d bytes", origin, TARGET_MAX_SIZE);
		return -EINVAL;
	}
	error = start(&parser, text, size, origin);
	if (error)
		return error;
	error = check_events(&parser, text, origin);
	yaml_parser_delete(&parser);
	if (!error)
		error = start(&parser, text, size, origin);
	if (error)
		return error;
	/* The syntax is right, and of a lack of memory the parser does not always tell. */
	if (!yaml_parser_load(&parser, &source->document))
		error = out_of_memory(origin);
	yaml_parser_delete(&parser);
	return error;
}

void target_source__close(struct target_source *source)
{
	yaml_document_delete(&source->document);
}

/* The last pair of the mapping whose key is what path begins with; NULL if there is none. */
static yaml_node_pair_t *find_pair(yaml_document_t *document, const yaml_node_t *mapping,
				   const char *path, size_t *length)
{
	yaml_node_pair_t *pair = mapping->data.mapping.pairs.top;

	while (pair > mapping->data.mapping.pairs.start) {
		const yaml_node_t *key = yaml_document_get_node(document, (--pair)->key);

		if (key->type != YAML_SCALAR_NODE)
			continue;
		*length = key->data.scalar.length;
		if (*length > 0 && strncmp(path, (char *)key->data.scalar.value, *length) == 0 &&
		    strchr(".[", path[*length]))
			return pair;
	}
	return NULL;
}

/* Takes the first step of *path, "[N]" or a key, from node. NULL: nothing is there. */
static yaml_node_t *step(yaml_document_t *document, const yaml_node_t *node, const char **path,
			 yaml_mark_t *mark)
{
	const char *at = *path + (**path == '.');
	yaml_node_pair_t *pair;
	yaml_node_t *next;
	size_t length;

	if (*at == '[' && node->type == YAML_SEQUENCE_NODE) {
		const yaml_node_item_t *items = node->data.sequence.items.start;
		char *end;
		size_t index = strtoul(at + 1, &end, 10);

		if (index >= (size_t)(node->data.sequence.items.top - items))
			return NULL;
		next = yaml_document_get_node(document, items[index]);
		*mark = next->start_mark;
		*path = end + 1;
		return next;
	}
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	pair = find_pair(document, node, at, &length);
	if (!pair)
		return NULL;
	*mark = yaml_document_get_node(document, pair->key)->start_mark;
	*path = at + length;
	return yaml_document_get_node(document, pair->value);
}

static void join_path(char *joined, const char *path, const char *member)
{
	const char *dot = *path && *member && *member != '[' ? "." : "";

	snprintf(joined, TARGET_PATH_SIZE, "%s%s%s", path, dot, member);
}

/* mark is that of the node, or else of the last one on the way to where it would be. */
static const yaml_node_t *find(const struct target_source *source, const char *path,
			       yaml_mark_t *mark)
{
	/* libyaml's getters do not change the document, but take no pointer to const. */
	yaml_document_t *document = (yaml_document_t *)&source->document;
	yaml_node_t *node = yaml_document_get_root_node(document);

	*mark = node->start_mark;
	while (node && *path)
		node = step(document, node, &path, mark);
	return node;
}

static const yaml_node_t *find_member(const struct target_source *source, const char *path,
				      const char *member)
{
	char joined[TARGET_PATH_SIZE];
	yaml_mark_t mark;

	if (source->options)
		return NULL;
	join_path(joined, path, member);
	return find(source, joined, &mark);
}

bool target_source__has(const struct target_source *source, const char *path, const char *member)
{
	return find_member(source, path, member);
}

const char *target_source__text(const struct target_source *source, const char *path,
				const char *member)
{
	const yaml_node_t *node = find_member(source, path, member);

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)node->data.scalar.value;
}

static void log_complaint(const struct target_source *source, const char *path, bool with_column,
			  const char *message)
{
	const struct target_option *option = source->options;
	const char *colon = *path ? ": " : "";
	yaml_mark_t mark;

	if (option) {
		while (strncmp(option->path, path, strlen(option->path)) != 0)
			option++;
		log_error("%s: %s", option->option, message);
		return;
	}
	find(source, path, &mark);
	if (with_column)
		log_error("%s:%zu:%zu: %s%s%s", source->origin, mark.line + 1, mark.column + 1,
			  path, colon, message);
	else
		log_error("%s:%zu: %s%s%s", source->origin, mark.line + 1, path, colon, message);
}

int target__complain(const struct target_source *source, const char *path,
		     const char *member, const char *format, ...)
{
	char joined[TARGET_PATH_SIZE], message[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	join_path(joined, path, member);
	log_complaint(source, joined, true, message);
	return -EINVAL;
}

int target__complain_inside(const struct target_source *source, const char *path,
			    const char *member, const char *message)
{
	char joined[TARGET_PATH_SIZE];

	join_path(joined, path, member);
	log_complaint(source, joined, false, message);
	return -EINVAL;
}
