/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a symbol's name says: the C++ or Rust name mangled into it, and the suffixes that compilers
 * append.
 */
#ifndef CACHETRACE_SYMBOL_NAME_H
#define CACHETRACE_SYMBOL_NAME_H

#include <stdbool.h>

/* Room for one name after another. */
struct symbol_name;

struct symbol_name *symbol_name__new(void);
void symbol_name__free(struct symbol_name *room);

/*
 * The demangled name, valid until the next one is; NULL if the name is not mangled or is made to
 * fill the memory. A template's name has its return type only together with the parameters; a Rust
 * name has neither these nor its hash.
 */
const char *symbol_name__demangle(struct symbol_name *room, const char *name, bool with_parameters);

/*
 * The name without the suffixes at its end (valid until the next one is); NULL for a piece of a
 * function.
 */
const char *symbol_name__base(struct symbol_name *room, const char *name);

/* The text is one or more suffixes of copies of a whole function. */
bool symbol_name__is_copy_suffix(const char *text);

#endif
