/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how users name the columns that they want. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "columns.h"
#include "log.h"

static void report_unknown(const char *name, size_t size)
{
	char names[1024];
	size_t used = 0;

	for (size_t i = 0; i < columns_count && used < sizeof(names); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
				 columns[i].name);
	log_error("there is no column \"%.*s\"; the columns are %s, or \"all\"", (int)size, name,
		  names);
}

/* A list of columns, none of them twice. */
struct choice {
	const struct column **columns;
	size_t count;
};

static void choice__remove(struct choice *choice, const struct column *column)
{
	size_t kept = 0;

	for (size_t i = 0; i < choice->count; i++)
		if (choice->columns[i] != column)
			choice->columns[kept++] = choice->columns[i];
	choice->count = kept;
}

static void choice__add(struct choice *choice, const struct column *column)
{
	for (size_t i = 0; i < choice->count; i++)
		if (choice->columns[i] == column)
			return;
	choice->columns[choice->count++] = column;
}

static void choice__add_many(struct choice *choice, bool only_default)
{
	for (size_t i = 0; i < columns_count; i++)
		if (columns[i].importance || !only_default)
			choice__add(choice, &columns[i]);
}

/* One item of the list: "name", "+name", "-name" or "all". */
static int choice__apply(struct choice *choice, const char *item, size_t size)
{
	bool remove = size && *item == '-', add = size && *item == '+';
	const struct column *column = NULL;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)(size - remove - add), item + remove + add);
	if (!remove && !strcasecmp(name, "all")) {
		choice__add_many(choice, false);
		return 0;
	}
	if (size < sizeof(name))
		column = column__find(name);
	if (!column) {
		report_unknown(item, size);
		return -EINVAL;
	}
	if (remove)
		choice__remove(choice, column);
	else
		choice__add(choice, column);
	return 0;
}

int columns__choose(const char *text, const struct column ***chosen, size_t *count)
{
	struct choice choice = { .columns = calloc(columns_count, sizeof(*choice.columns)) };
	int error = 0;

	if (!choice.columns)
		return -ENOMEM;
	if (*text == '+' || *text == '-')
		choice__add_many(&choice, true);
	for (const char *item = text, *end; !error && item; item = *end ? end + 1 : NULL) {
		end = strchrnul(item, ',');
		error = choice__apply(&choice, item, end - item);
	}
	if (!error && !choice.count) {
		log_error("no column is left of \"%s\"", text);
		error = -EINVAL;
	}
	if (error) {
		free(choice.columns);
		return error;
	}
	*chosen = choice.columns;
	*count = choice.count;
	return 0;
}
