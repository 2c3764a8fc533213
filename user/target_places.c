/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the ways in which the places of a target are found. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "target.h"
#include "target_check.h"
#include "target_schema.h"
#include "target_source.h"

/* The ways to find a place, of which a try names one. */
static const struct {
	const char *key;
	size_t offset;
} kinds[] = {
	{ "symbol", offsetof(struct target_try, symbol) },
	{ "glob", offsetof(struct target_try, glob) },
	{ "usdt", offsetof(struct target_try, usdt) },
	{ "string", offsetof(struct target_try, string) },
	{ "caller_of", offsetof(struct target_try, caller_of) },
	{ "callee_of", offsetof(struct target_try, callee_of) },
	{ "vtable", offsetof(struct target_try, vtable) },
	{ "pointer", offsetof(struct target_try, pointer) },
	{ "table", offsetof(struct target_try, table) },
	{ "code", offsetof(struct target_try, code) },
	{ "build_id", offsetof(struct target_try, build_id) },
};

/* Keys that mean something only together. */
static const struct {
	const char *one, *other;
} companions[] = {
	{ "code", "match" },
	{ "vtable", "slot" },
	{ "build_id", "offset" },
};

static const char *const numbers[] = {
	"slot", "nth", "offset", "expect.min_size", "expect.max_size",
};

int target__find_place(const struct target *target, const char *name)
{
	for (unsigned i = 0; i < target->places_count; i++)
		if (strcmp(target->places[i].name, name) == 0)
			return (int)i;
	return -1;
}

static const char *text_at(const struct target_try *try, size_t offset)
{
	return *(char *const *)((const char *)try + offset);
}

static int check_kind(const struct target_source *source, const char *path,
		      const struct target_try *try)
{
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!text_at(try, kinds[i].offset))
			continue;
		if (found)
			return target__complain(source, path, kinds[i].key,
						"'%s' is given already: expected one way to "
						"find the place in each row", found);
		found = kinds[i].key;
	}
	if (found)
		return 0;
	return target__complain(source, path, "",
				"expected one of symbol, glob, usdt, string, caller_of, "
				"callee_of, vtable, pointer, table, code, build_id");
}

static int check_companions(const struct target_source *source, const char *path,
			    const struct target_try *try)
{
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		const char *one = companions[i].one, *other = companions[i].other;
		bool has_one = target_source__has(source, path, one);

		if (has_one != target_source__has(source, path, other))
			return target__complain(source, path, has_one ? one : other,
						"expected '%s' beside it", has_one ? other : one);
	}
	if (try->in && !try->string && !try->callee_of)
		return target__complain(source, path, "in",
					"only with 'string' or 'callee_of'");
	if (try->every && target_source__has(source, path, "nth"))
		return target__complain(source, path, "nth", "'every' takes all of several");
	return 0;
}

/* libcyaml takes "010" as octal, "-1" as a huge number and ignores what follows a number. */
static bool is_number(const char *text)
{
	const char *digits = "0123456789";

	if (strncmp(text, "0x", 2) == 0) {
		digits = "0123456789abcdefABCDEF";
		text += 2;
	} else if (text[0] == '0' && text[1] != '\0') {
		return false;
	}
	return *text != '\0' && text[strspn(text, digits)] == '\0';
}

static int check_numbers(const struct target_source *source, const char *path)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *text = target_source__text(source, path, numbers[i]);

		if (text && !is_number(text))
			return target__complain(source, path, numbers[i],
						"expected a number within range, decimal or 0x "
						"hexadecimal");
	}
	return 0;
}

/* Pairs of hex digits or of dots, which may be set apart by blanks. */
static bool is_byte_pattern(const char *bytes)
{
	const char *at = bytes + strspn(bytes, " ");

	if (*at == '\0')
		return false;
	for (; *at; at += 2 + strspn(at + 2, " "))
		if (strncmp(at, "..", 2) != 0 &&
		    !(isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])))
			return false;
	return true;
}

static int check_expect(const struct target_source *source, const char *path,
			const struct target_expect *expect)
{
	if (!expect)
		return 0;
	if (expect->max_size && expect->max_size < expect->min_size)
		return target__complain(source, path, "expect.max_size",
					"expected not less than min_size");
	if (expect->bytes && !is_byte_pattern(expect->bytes))
		return target__complain(source, path, "expect.bytes",
					"expected bytes of two hex digits, '..' for any byte");
	return 0;
}

static int check_usdt(const struct target_source *source, const char *path, const char *usdt)
{
	const char *colon = usdt ? strchr(usdt, ':') : NULL;

	if (!usdt || (colon && colon > usdt && colon[1] != '\0' && !strchr(colon + 1, ':')))
		return 0;
	return target__complain(source, path, "usdt", "expected PROVIDER:NAME");
}

int target__check_reference(const struct target *target, const struct target_source *source,
			    const char *path, const char *member, const char *name)
{
	if (!name || target__find_place(target, name) >= 0)
		return 0;
	return target__complain(source, path, member, "no place is named '%s'", name);
}

static int check_try(const struct target *target, const struct target_source *source,
		     const char *path, struct target_try *try)
{
	if (check_kind(source, path, try) ||
	    check_companions(source, path, try) ||
	    check_numbers(source, path) ||
	    target__check_build_id(source, path, try->build_id) ||
	    check_usdt(source, path, try->usdt) ||
	    check_expect(source, path, try->expect) ||
	    target__check_reference(target, source, path, "caller_of", try->caller_of) ||
	    target__check_reference(target, source, path, "callee_of", try->callee_of) ||
	    target__check_reference(target, source, path, "in", try->in))
		return -EINVAL;
	return target__parse_expr(source, path, "pointer", try->pointer, TARGET_OPERAND_NONE,
				  &try->pointer_expr);
}

enum progress { NOT_BEGUN, BEGUN, DONE };

/* A walk from places to those by which they are found. */
struct walk {
	const struct target *target;
	const struct target_source *source;
	enum progress progress[TARGET_MAX_PLACES];
};

static int walk_to(struct walk *walk, const char *name);

static int walk_expr(struct walk *walk, const struct expr *expr)
{
	if (!expr)
		return 0;
	if (expr->kind == EXPR_NAME)
		return walk_to(walk, expr->name);
	return walk_expr(walk, expr->left) || walk_expr(walk, expr->right) ? -EINVAL : 0;
}

static int walk_from(struct walk *walk, const struct target_place *place)
{
	for (unsigned i = 0; i < place->tries_count; i++) {
		const struct target_try *try = &place->tries[i];

		if (walk_to(walk, try->caller_of) || walk_to(walk, try->callee_of) ||
		    walk_to(walk, try->in) || walk_to(walk, try->code) ||
		    walk_to(walk, try->expect ? try->expect->calls : NULL) ||
		    walk_expr(walk, try->pointer_expr))
			return -EINVAL;
	}
	return 0;
}

/* name may also be that of a symbol, or NULL. */
static int walk_to(struct walk *walk, const char *name)
{
	int index = name ? target__find_place(walk->target, name) : -1;
	char path[TARGET_PATH_SIZE];

	if (index < 0 || walk->progress[index] == DONE)
		return 0;
	if (walk->progress[index] == BEGUN) {
		snprintf(path, sizeof(path), "places[%d]", index);
		return target__complain(walk->source, path, "",
					"'%s' is found by way of itself", name);
	}
	walk->progress[index] = BEGUN;
	if (walk_from(walk, &walk->target->places[index]))
		return -EINVAL;
	walk->progress[index] = DONE;
	return 0;
}

int target__check_places(struct target *target, const struct target_source *source)
{
	struct walk walk = { .target = target, .source = source };

	for (unsigned i = 0; i < target->places_count; i++) {
		for (unsigned j = 0; j < target->places[i].tries_count; j++) {
			char path[TARGET_PATH_SIZE];

			snprintf(path, sizeof(path), "places[%u].try[%u]", i, j);
			if (check_try(target, source, path, &target->places[i].tries[j]))
				return -EINVAL;
		}
	}
	for (unsigned i = 0; i < target->places_count; i++)
		if (walk_to(&walk, target->places[i].name))
			return -EINVAL;
	return 0;
}
