/* SPDX-License-Identifier: BSD-2-Clause */
/* Locators by name: from a symbol, a glob or a mistyped name to addresses and names in one file. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "locate.h"
#include "symbol_name.h"

enum {
	MAX_COMPARED = 255,	/* characters of names whose distance is measured */
	MIN_CONTAINED = 3,	/* a shorter text stands in too many names to tell anything */
};

void addresses__free(struct addresses *addresses)
{
	free(addresses->list);
	addresses->list = NULL;
	addresses->count = 0;
}

/* The list has room for a power of two of addresses, at least 8. */
static int add_address(struct addresses *addresses, uint64_t address)
{
	size_t count = addresses->count;

	if (!count || (count >= 8 && !(count & (count - 1)))) {
		size_t room = count ? 2 * count : 8;
		uint64_t *more = reallocarray(addresses->list, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		addresses->list = more;
	}
	addresses->list[addresses->count++] = address;
	return 0;
}

/* Symbols are visited in the order of their addresses, so that equal ones follow each other. */
static int add_found(struct addresses *found, const struct elf_symbol *symbol)
{
	if (found->count && found->list[found->count - 1] == symbol->address)
		return 0;
	return add_address(found, symbol->address);
}

struct symbol_search {
	const char *name;
	size_t length;
	bool objects;
	struct addresses exact, copies;
};

static int match_symbol(const struct elf_symbol *symbol, void *context)
{
	struct symbol_search *search = context;

	if (symbol->is_function == search->objects ||
	    strncmp(symbol->name, search->name, search->length))
		return 0;
	if (!symbol->name[search->length])
		return add_found(&search->exact, symbol);
	if (symbol_name__is_copy_suffix(symbol->name + search->length))
		return add_found(&search->copies, symbol);
	return 0;
}

int locate__symbol(struct elf_file *file, const char *name, bool objects, struct addresses *found,
		   bool *suffixed)
{
	struct symbol_search search = { .name = name, .length = strlen(name), .objects = objects };
	bool copies;
	int error;

	*found = (struct addresses){ 0 };
	if (!search.length)
		return -ENOENT;
	error = elf_file__each_symbol(file, match_symbol, &search);
	copies = !search.exact.count;
	if (!error)
		*found = copies ? search.copies : search.exact;
	if (error || !copies)
		addresses__free(&search.copies);
	if (error || copies)
		addresses__free(&search.exact);
	if (error)
		return error;
	if (suffixed)
		*suffixed = copies && found->count;
	return found->count ? 0 : -ENOENT;
}

bool locate__glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*glob == '*') {
			star = glob++;
			retry = text;
		} else if (*glob == '?' || *glob == *text) {
			glob++;
			text++;
		} else if (star) {
			glob = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	return !glob[strspn(glob, "*")];
}

struct glob_search {
	const char *glob;
	bool is_plain;		/* no glob character in it */
	bool has_parenthesis;
	struct symbol_name *room;
	struct addresses found;
};

static bool glob_matches_demangled(struct glob_search *search, const char *name)
{
	const char *text;

	if (search->is_plain) {
		text = symbol_name__demangle(search->room, name, false);
		if (text && !strcmp(search->glob, text))
			return true;
		if (!search->has_parenthesis)
			return false;
	}
	text = symbol_name__demangle(search->room, name, true);
	return text && locate__glob_matches(search->glob, text);
}

static int match_glob(const struct elf_symbol *symbol, void *context)
{
	struct glob_search *search = context;
	const char *name;

	if (!symbol->is_function)
		return 0;
	name = symbol_name__base(search->room, symbol->name);
	if (!name)
		return 0;
	if (locate__glob_matches(search->glob, symbol->name) ||
	    (name != symbol->name && locate__glob_matches(search->glob, name)) ||
	    glob_matches_demangled(search, name))
		return add_found(&search->found, symbol);
	return 0;
}

int locate__glob(struct elf_file *file, const char *glob, struct addresses *found)
{
	struct glob_search search = {
		.glob = glob,
		.is_plain = !strpbrk(glob, "*?"),
		.has_parenthesis = strchr(glob, '('),
		.room = symbol_name__new(),
	};
	int error;

	*found = (struct addresses){ 0 };
	if (!search.room)
		return -ENOMEM;
	error = elf_file__each_symbol(file, match_glob, &search);
	symbol_name__free(search.room);
	if (!error && search.found.count) {
		*found = search.found;
		return 0;
	}
	addresses__free(&search.found);
	return error ? error : -ENOENT;
}

struct name_search {
	uint64_t address;
	uint64_t function;	/* start of the function around it */
	const struct elf_symbol *best;
};

/* Of several names the one with the fewest leading underscores, the shortest, the first. */
static bool is_better_name(const char *name, const char *than)
{
	size_t underscores = strspn(name, "_"), than_underscores = strspn(than, "_");
	size_t length = strlen(name), than_length = strlen(than);

	if (underscores != than_underscores)
		return underscores < than_underscores;
	if (length != than_length)
		return length < than_length;
	return strcmp(name, than) < 0;
}

static int match_address(const struct elf_symbol *symbol, void *context)
{
	struct name_search *search = context;

	if (symbol->address > search->address)
		return 1;
	if (!symbol->is_function ||
	    (symbol->address != search->address && symbol->address != search->function &&
	     search->address - symbol->address >= symbol->size))
		return 0;
	if (!search->best || symbol->address > search->best->address ||
	    is_better_name(symbol->name, search->best->name))
		search->best = symbol;
	return 0;
}

char *locate__name(struct elf_file *file, uint64_t address)
{
	struct name_search search = { .address = address, .function = address };
	struct symbol_name *room;
	struct elf_range range;
	const char *text;
	char *name;

	if (elf_file__function_at(file, address, &range))
		search.function = range.address;
	if (elf_file__each_symbol(file, match_address, &search) < 0 || !search.best)
		return NULL;
	room = symbol_name__new();
	if (!room)
		return NULL;
	text = symbol_name__demangle(room, search.best->name, true);
	name = strdup(text ? text : search.best->name);
	symbol_name__free(room);
	return name;
}

struct near_search {
	const char *name;
	size_t length;
	size_t parts;		/* separated by "::" */
	size_t cutoff;		/* edits beyond which a name is another one */
	struct symbol_name *room;
	char **names;		/* the best so far, best first */
	size_t *scores;
	size_t count, max;
};

/* Characters inserted, deleted or replaced to make a out of b in any case; or more than cutoff. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length,
		       size_t cutoff)
{
	size_t row[MAX_COMPARED + 1];
	size_t difference = a_length > b_length ? a_length - b_length : b_length - a_length;

	if (difference > cutoff || a_length > MAX_COMPARED || b_length > MAX_COMPARED)
		return cutoff + 1;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0], least = i;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t edits = diagonal + (tolower((unsigned char)a[i - 1]) !=
						   tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			edits = row[j] + 1 < edits ? row[j] + 1 : edits;
			row[j] = row[j - 1] + 1 < edits ? row[j - 1] + 1 : edits;
			least = row[j] < least ? row[j] : least;
		}
		if (least > cutoff)
			return cutoff + 1;
	}
	return row[b_length];
}

/* The last so many parts of a name between "::", not looking into brackets. */
static const char *last_parts(const char *name, size_t length, size_t parts)
{
	size_t depth = 0;

	for (const char *at = name + length; at > name + 1; at--) {
		if (strchr(">)}", at[-1]))
			depth++;
		else if (strchr("<({", at[-1]))
			depth -= depth > 0;
		else if (!depth && at[-1] == ':' && at[-2] == ':' && !--parts)
			return at;
	}
	return name;
}

/* 0 is the name itself, in another case. To contain the wanted name counts like a few edits. */
static size_t near_score(const struct near_search *search, const char *text)
{
	size_t length = strlen(text);
	const char *tail = last_parts(text, length, search->parts);
	size_t tail_length = text + length - tail;
	size_t score = distance(search->name, search->length, tail, tail_length, search->cutoff);

	if (score <= search->cutoff)
		return score;
	if (search->length >= MIN_CONTAINED && strcasestr(text, search->name))
		return 2 + (length - search->length) / 8;
	return SIZE_MAX;
}

/* Of names with the same score the shorter one, then the first by alphabet. */
static bool is_nearer(const struct near_search *search, const char *text, size_t score, size_t than)
{
	size_t length = strlen(text), than_length = strlen(search->names[than]);

	if (score != search->scores[than])
		return score < search->scores[than];
	if (length != than_length)
		return length < than_length;
	return strcmp(text, search->names[than]) < 0;
}

/* Where a name goes in the list of the best; search->max if nowhere. */
static size_t near_place(const struct near_search *search, const char *text, size_t score)
{
	size_t place = search->count;

	for (size_t i = 0; i < search->count; i++) {
		if (!strcmp(search->names[i], text))
			return search->max;
	}
	while (place > 0 && is_nearer(search, text, score, place - 1))
		place--;
	return place;
}

static int match_near(const struct elf_symbol *symbol, void *context)
{
	struct near_search *search = context;
	const char *base =
		symbol->is_function ? symbol_name__base(search->room, symbol->name) : NULL;
	const char *text = base ? symbol_name__demangle(search->room, base, false) : NULL;
	size_t score, place;
	char *copy;

	if (!base)
		return 0;
	if (!text)
		text = base;
	score = near_score(search, text);
	place = score < SIZE_MAX ? near_place(search, text, score) : search->max;
	if (place == search->max)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	if (search->count == search->max)
		free(search->names[--search->count]);
	memmove(search->names + place + 1, search->names + place,
		(search->count - place) * sizeof(*search->names));
	memmove(search->scores + place + 1, search->scores + place,
		(search->count - place) * sizeof(*search->scores));
	search->names[place] = copy;
	search->scores[place] = score;
	search->count++;
	return 0;
}

static size_t count_parts(const char *name)
{
	size_t parts = 1;

	while ((name = strstr(name, "::"))) {
		name += 2;
		parts++;
	}
	return parts;
}

size_t locate__near(struct elf_file *file, const char *name, char **names, size_t max)
{
	struct near_search search = {
		.name = name,
		.length = strlen(name),
		.parts = count_parts(name),
		.cutoff = 1 + strlen(name) / 4,
		.room = symbol_name__new(),
		.names = names,
		.scores = calloc(max + 1, sizeof(*search.scores)),
		.max = max,
	};

	if (search.room && search.scores && search.length && max)
		elf_file__each_symbol(file, match_near, &search);
	symbol_name__free(search.room);
	free(search.scores);
	return search.count;
}
