// SPDX-License-Identifier: BSD-2-Clause
/* Finds the places that a target names in one file, trying its alternatives in order. */
#include "resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "insn.h"

enum { MAX_CAPTURES = 8, NEAR_NAMES = 3 };

enum place_state { PLACE_UNKNOWN, PLACE_ASKED, PLACE_FOUND, PLACE_MISSING };

struct place {
	enum place_state state;
	struct resolved resolved;
	struct insn_capture captures[MAX_CAPTURES];
	size_t captures_count;
	char why[512];
};

struct resolver {
	const struct target *target;
	struct elf_file *file;
	struct place *places;	/* as in the target */
};

/* One attempt at one alternative: fills place, or says why not. */
struct attempt {
	struct resolver *resolver;
	const struct target_try *try;
	struct place *place;
	char why[256];
};

static int missing(struct attempt *attempt, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int missing(struct attempt *attempt, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(attempt->why, sizeof(attempt->why), format, arguments);
	va_end(arguments);
	return -ENOENT;
}

static int no_symbol(struct attempt *attempt, const char *name)
{
	char *near[NEAR_NAMES], list[160] = "";
	size_t count = locate__near(attempt->resolver->file, name, near, NEAR_NAMES), i;

	for (i = 0; i < count; i++) {
		size_t used = strlen(list);

		snprintf(list + used, sizeof(list) - used, "%s%s",
			 i ? ", " : " (similar: ", near[i]);
		free(near[i]);
	}
	return missing(attempt, "symbol %s is not in the file%s%s", name, list, count ? ")" : "");
}

static int try_symbol(struct attempt *attempt)
{
	struct resolved *resolved = &attempt->place->resolved;
	const char *name = attempt->try->symbol;

	if (!locate__symbol(attempt->resolver->file, name, false, &resolved->addresses,
			    &resolved->suffixed))
		return 0;
	/* People write C++ and Rust names as they read them, or a glob. */
	if (strpbrk(name, ":(<*?") &&
	    !locate__glob(attempt->resolver->file, name, &resolved->addresses))
		return 0;
	return no_symbol(attempt, name);
}

static int try_glob(struct attempt *attempt)
{
	if (locate__glob(attempt->resolver->file, attempt->try->glob,
			 &attempt->place->resolved.addresses))
		return missing(attempt, "no function's name matches %s", attempt->try->glob);
	return 0;
}

static int keep_address(struct attempt *attempt, uint64_t address)
{
	struct addresses *addresses = &attempt->place->resolved.addresses;

	addresses->list = malloc(sizeof(*addresses->list));
	if (!addresses->list)
		return -ENOMEM;
	addresses->list[0] = address;
	addresses->count = 1;
	return 0;
}

/* The address of a place by name, or of the one symbol of that name. */
static int function_named(struct attempt *attempt, const char *name, uint64_t *address)
{
	struct resolver *resolver = attempt->resolver;
	const struct resolved *found;
	struct addresses addresses;
	const char *why;
	int err;

	err = resolver__place(resolver, name, &found, &why);
	if (!err && found->addresses.count == 1) {
		*address = found->addresses.list[0];
		return 0;
	}
	if (!err)
		return missing(attempt, "%s stands at several addresses", name);
	if (err != -EINVAL)
		return missing(attempt, "%s", why);
	if (locate__symbol(resolver->file, name, false, &addresses, NULL))
		return no_symbol(attempt, name);
	*address = addresses.list[0];
	err = addresses.count == 1 ? 0 : missing(attempt, "%s stands at several addresses", name);
	addresses__free(&addresses);
	return err;
}

static int try_code(struct attempt *attempt)
{
	const struct target_try *try = attempt->try;
	uint64_t function = 0, address;
	int err;

	err = function_named(attempt, try->code, &function);
	if (err)
		return err;
	attempt->place->captures_count = MAX_CAPTURES;
	err = insn__match(attempt->resolver->file, function, (const char *const *)try->match,
			  try->match_count, try->nth, &address, attempt->place->captures,
			  &attempt->place->captures_count);
	if (err) {
		attempt->place->captures_count = 0;
		return missing(attempt, "the instructions looked for are not in %s", try->code);
	}
	return keep_address(attempt, address);
}

static int try_build_id(struct attempt *attempt)
{
	const struct target_try *try = attempt->try;
	uint64_t address;

	if (strncmp(elf_file__build_id(attempt->resolver->file), try->build_id,
		    strlen(try->build_id)))
		return missing(attempt, "the build-id is not %s", try->build_id);
	if (!elf_file__offset_to_address(attempt->resolver->file, try->offset, &address))
		return missing(attempt, "offset %#llx is in no segment",
			       (unsigned long long)try->offset);
	return keep_address(attempt, address);
}

struct kind {
	const char *name;
	size_t member;		/* of struct target_try: the string that chooses the kind */
	int (*attempt)(struct attempt *attempt);
};

static const struct kind kinds[] = {
	{ "symbol", offsetof(struct target_try, symbol), try_symbol },
	{ "glob", offsetof(struct target_try, glob), try_glob },
	{ "code", offsetof(struct target_try, code), try_code },
	{ "build-id", offsetof(struct target_try, build_id), try_build_id },
};

static int hex_digit(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0'
					     : tolower((unsigned char)digit) - 'a' + 10;
}

static bool bytes_match(struct elf_file *file, uint64_t address, const char *pattern)
{
	uint8_t byte;

	for (; *pattern; pattern++) {
		if (*pattern == ' ')
			continue;
		if (!pattern[1] || elf_file__read(file, address++, &byte, 1) != 1)
			return false;
		if (*pattern != '.' && (hex_digit(pattern[0]) << 4 | hex_digit(pattern[1])) != byte)
			return false;
		pattern++;
	}
	return true;
}

static int check_expectation(struct attempt *attempt)
{
	const struct target_expect *expect = attempt->try->expect;
	const struct addresses *addresses = &attempt->place->resolved.addresses;
	struct elf_range function;
	size_t i;

	if (!expect)
		return 0;
	for (i = 0; i < addresses->count; i++) {
		if ((expect->min_size || expect->max_size) &&
		    !elf_file__function_at(attempt->resolver->file, addresses->list[i], &function))
			return missing(attempt, "no function there whose size could be checked");
		if ((expect->min_size && function.size < expect->min_size) ||
		    (expect->max_size && function.size > expect->max_size))
			return missing(attempt,
				       "the function found is %llu bytes long, not %llu to %llu",
				       (unsigned long long)function.size,
				       (unsigned long long)expect->min_size,
				       (unsigned long long)expect->max_size);
		if (expect->bytes &&
		    !bytes_match(attempt->resolver->file, addresses->list[i], expect->bytes))
			return missing(attempt, "the bytes there are not the expected ones");
	}
	return 0;
}

static int attempt_one(struct attempt *attempt)
{
	size_t i;
	int err;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *const *member =
			(const void *)((const char *)attempt->try + kinds[i].member);

		if (!*member)
			continue;
		err = kinds[i].attempt(attempt);
		if (!err)
			err = check_expectation(attempt);
		if (err)
			return err;
		attempt->place->resolved.by = attempt->try;
		attempt->place->resolved.kind = kinds[i].name;
		return 0;
	}
	return missing(attempt, "the alternative is of no known kind");
}

static void find_place(struct resolver *resolver, const struct target_place *wanted,
		       struct place *place)
{
	struct attempt attempt = { .resolver = resolver, .place = place };
	unsigned i;

	place->state = PLACE_ASKED;
	for (i = 0; i < wanted->tries_count; i++) {
		attempt.try = &wanted->tries[i];
		if (!attempt_one(&attempt)) {
			place->state = PLACE_FOUND;
			return;
		}
		addresses__free(&place->resolved.addresses);
		memset(&place->resolved, 0, sizeof(place->resolved));
		snprintf(place->why + strlen(place->why), sizeof(place->why) - strlen(place->why),
			 "%s%s", i ? "; " : "", attempt.why);
	}
	place->state = PLACE_MISSING;
}

int resolver__new(struct resolver **result, const struct target *target, struct elf_file *file)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return -ENOMEM;
	resolver->places = calloc(target->places_count + 1, sizeof(*resolver->places));
	if (!resolver->places) {
		free(resolver);
		return -ENOMEM;
	}
	resolver->target = target;
	resolver->file = file;
	*result = resolver;
	return 0;
}

void resolver__free(struct resolver *resolver)
{
	unsigned i;

	if (!resolver)
		return;
	for (i = 0; i < resolver->target->places_count; i++)
		addresses__free(&resolver->places[i].resolved.addresses);
	free(resolver->places);
	free(resolver);
}

static struct place *place_named(struct resolver *resolver, const char *name)
{
	unsigned i;

	for (i = 0; i < resolver->target->places_count; i++) {
		if (strcmp(resolver->target->places[i].name, name))
			continue;
		if (resolver->places[i].state == PLACE_UNKNOWN)
			find_place(resolver, &resolver->target->places[i], &resolver->places[i]);
		return &resolver->places[i];
	}
	return NULL;
}

int resolver__place(struct resolver *resolver, const char *name, const struct resolved **found,
		    const char **why)
{
	struct place *place = place_named(resolver, name);

	if (!place) {
		*why = "no place of this name is defined";
		return -EINVAL;
	}
	if (place->state == PLACE_ASKED) {
		*why = "the place refers to itself";
		return -ELOOP;
	}
	*why = place->why;
	*found = &place->resolved;
	return place->state == PLACE_FOUND ? 0 : -ENOENT;
}

static bool has_patterns(const struct target_place *place)
{
	unsigned i;

	for (i = 0; i < place->tries_count; i++)
		if (place->tries[i].match_count)
			return true;
	return false;
}

static bool captured(struct resolver *resolver, const char *name, int64_t *value, bool *is_address)
{
	unsigned i;
	size_t j;

	for (i = 0; i < resolver->target->places_count; i++) {
		struct place *place;

		if (!has_patterns(&resolver->target->places[i]))
			continue;
		place = place_named(resolver, resolver->target->places[i].name);

		for (j = 0; place->state == PLACE_FOUND && j < place->captures_count; j++) {
			if (strcmp(place->captures[j].name, name))
				continue;
			*value = place->captures[j].value;
			*is_address = place->captures[j].is_address;
			return true;
		}
	}
	return false;
}

int resolver__value(struct resolver *resolver, const char *name, int64_t *value, bool *is_address)
{
	struct place *place = place_named(resolver, name);
	struct addresses addresses;

	*is_address = true;
	if (place && place->state == PLACE_FOUND && place->resolved.addresses.count == 1 &&
	    !place->captures_count) {
		*value = place->resolved.addresses.list[0];
		return 0;
	}
	if (captured(resolver, name, value, is_address))
		return 0;
	*is_address = true;
	if (locate__symbol(resolver->file, name, true, &addresses, NULL) &&
	    locate__symbol(resolver->file, name, false, &addresses, NULL))
		return -ENOENT;
	*value = addresses.list[0];
	addresses__free(&addresses);
	return 0;
}
