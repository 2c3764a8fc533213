/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the places that a target names in one file, trying its alternatives in order. */
#ifndef CACHETRACE_RESOLVE_H
#define CACHETRACE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "locate.h"
#include "target.h"

struct elf_file;
struct resolver;

/* Where a place was found, and how. */
struct resolved {
	struct addresses addresses;	/* the file's own */
	const struct target_try *by;	/* the alternative that resolved */
	const char *kind;		/* its kind: "symbol", "code", ... */
	bool suffixed; /* a copy of the function made by the compiler: its arguments may differ */
};

int resolver__new(struct resolver **resolver, const struct target *target, struct elf_file *file);
void resolver__free(struct resolver *resolver);

/* 0; -ENOENT: no alternative resolves; -ELOOP: the place refers to itself. why (owned by the
 * resolver) says it in words. */
int resolver__place(struct resolver *resolver, const char *name, const struct resolved **found,
		    const char **why);

/*
 * The number behind a name in an expression: what a place's patterns captured, a place's address,
 * or a symbol's. Addresses are the file's own, to be moved by the mapping's bias. 0 or -ENOENT.
 */
int resolver__value(struct resolver *resolver, const char *name, int64_t *value, bool *is_address);

#endif
