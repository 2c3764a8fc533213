/* SPDX-License-Identifier: BSD-2-Clause */
/* Locators: from a description of a place in code to addresses in a file. */
#ifndef CACHETRACE_LOCATE_H
#define CACHETRACE_LOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

/* Addresses in one file, sorted, each once. */
struct addresses {
	uint64_t *list;
	size_t count;
};
void addresses__free(struct addresses *addresses);

/*
 * Where a named function (with objects: a data object instead) stands: all addresses that carry the
 * name itself, or, if none does, the name with suffixes by which compilers mark copies of a whole
 * function (.isra.0, .constprop.0, .lto_priv.0, .llvm.123, .localalias; several in a row too).
 * Pieces of functions (.cold, .part.0) never count. suffixed (may be NULL) tells that only suffixed
 * names were found: their arguments may differ from the source's. 0, -ENOENT or -ENOMEM.
 */
int locate__symbol(struct elf_file *file, const char *name, bool objects, struct addresses *found,
		   bool *suffixed);

/*
 * Functions whose demangled name (C++ with its parameter list, Rust without its hash) or plain name
 * matches a glob; without a glob character in it, a demangled name is also found by its part before
 * the parameter list. 0, -ENOENT or -ENOMEM.
 */
int locate__glob(struct elf_file *file, const char *glob, struct addresses *found);

/* The (demangled) name of the function at an address, allocated; NULL if it has none. */
char *locate__name(struct elf_file *file, uint64_t address);

/*
 * Up to max function names that a mistyped name may have meant, nearest first; allocated, as is
 * each. Their number.
 */
size_t locate__near(struct elf_file *file, const char *name, char **names, size_t max);

/* Glob match in which * and ? match any character, "/" too; [...] and \ are not special. */
bool locate__glob_matches(const char *glob, const char *text);

#endif
