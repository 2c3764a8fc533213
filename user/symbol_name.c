/* SPDX-License-Identifier: BSD-2-Clause */
/* What a symbol's name says: demangling, and the suffixes of copies and pieces of functions. */
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "symbol_name.h"

enum {
	MAX_BASE = 4096,
	MAX_DEMANGLED = 32 << 10,
};

struct symbol_name {
	jmp_buf too_long;
	size_t length;
	char text[MAX_DEMANGLED];
	char base[MAX_BASE];
};

enum suffix_number { SUFFIX_NUMBERED, SUFFIX_PERHAPS_NUMBERED };

/* What compilers append to the name of a copy, or of a piece, of a function. */
static const struct suffix {
	const char *text;
	enum suffix_number number;
	bool piece;
} suffixes[] = {
	{ ".isra", SUFFIX_NUMBERED, false },
	{ ".constprop", SUFFIX_NUMBERED, false },
	{ ".lto_priv", SUFFIX_NUMBERED, false },
	{ ".llvm", SUFFIX_NUMBERED, false },
	{ ".localalias", SUFFIX_PERHAPS_NUMBERED, false },
	{ ".cold", SUFFIX_PERHAPS_NUMBERED, true },
	{ ".part", SUFFIX_NUMBERED, true },
};

struct symbol_name *symbol_name__new(void)
{
	return calloc(1, sizeof(struct symbol_name));
}

void symbol_name__free(struct symbol_name *room)
{
	free(room);
}

/* The text behind one suffix and its number; NULL if there is no known suffix. */
static const char *skip_suffix(const char *text, bool *piece)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t length = strlen(suffixes[i].text), digits = 0;

		if (strncmp(text, suffixes[i].text, length))
			continue;
		if (text[length] == '.')
			digits = strspn(text + length + 1, "0123456789");
		if (digits)
			length += 1 + digits;
		else if (suffixes[i].number == SUFFIX_NUMBERED)
			continue;
		*piece = *piece || suffixes[i].piece;
		return text + length;
	}
	return NULL;
}

/* The text is nothing but suffixes, and at least one. */
static bool is_suffixes(const char *text, bool *piece)
{
	*piece = false;
	do {
		text = skip_suffix(text, piece);
	} while (text && *text);
	return text;
}

bool symbol_name__is_copy_suffix(const char *text)
{
	bool piece;

	return is_suffixes(text, &piece) && !piece;
}

const char *symbol_name__base(struct symbol_name *room, const char *name)
{
	const char *dot = *name ? strchr(name + 1, '.') : NULL;
	bool piece;

	while (dot && !is_suffixes(dot, &piece))
		dot = strchr(dot + 1, '.');
	if (!dot)
		return name;
	if (piece)
		return NULL;
	if ((size_t)(dot - name) >= sizeof(room->base))
		return name;
	memcpy(room->base, name, dot - name);
	room->base[dot - name] = '\0';
	return room->base;
}

/*
 * References inside a mangled name can make the demangled one double with every few characters.
 * Leaving from here is the only way to stop the demangler, which holds no memory while it prints.
 */
static void append_demangled(const char *part, size_t size, void *context)
{
	struct symbol_name *room = context;

	if (size >= sizeof(room->text) - room->length)
		longjmp(room->too_long, 1);
	memcpy(room->text + room->length, part, size);
	room->length += size;
}

/* A hash that the demangler does not take for one is still there: "::h" and 16 hex digits. */
static void cut_rust_hash(struct symbol_name *room)
{
	static const size_t size = sizeof("::h0123456789abcdef") - 1;
	char *hash;

	if (room->length <= size)
		return;
	hash = room->text + room->length - size;
	if (!strncmp(hash, "::h", 3) && strspn(hash + 3, "0123456789abcdef") == size - 3)
		*hash = '\0';
}

const char *symbol_name__demangle(struct symbol_name *room, const char *name, bool with_parameters)
{
	int options = DMGL_ANSI | (with_parameters ? DMGL_PARAMS : 0);

	if (strncmp(name, "_Z", 2) && strncmp(name, "_R", 2))
		return NULL;
	if (setjmp(room->too_long))
		return NULL;
	room->length = 0;
	if (!rust_demangle_callback(name, options, append_demangled, room)) {
		room->length = 0;
		if (!cplus_demangle_v3_callback(name, options, append_demangled, room))
			return NULL;
	}
	room->text[room->length] = '\0';
	cut_rust_hash(room);
	return room->text;
}
