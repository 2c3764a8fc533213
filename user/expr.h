/* SPDX-License-Identifier: BSD-2-Clause */
/* The small language of target files and options: "u32 [arg0+0xf8]", "(arg2 & 12) == 0". */
#ifndef CACHETRACE_EXPR_H
#define CACHETRACE_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 *   condition  := sum [compare sum] { "&&" condition }       compare: == != < <= > >= (signed)
 *   sum        := product { ("+" | "-" | "&") product }      left to right; & is not weaker than ==
 *   product    := primary { "*" primary }
 *   primary    := [type] (number | name | "arg"N | "ret" | "object" | "nested" | "%"register |
 *                         "[" sum "]" | "(" sum ")")
 *   type       := u8 u16 u32 u64 s8 s16 s32 s64     width of a read, or cut of a value; u64 if none
 * Numbers are decimal or 0x hexadecimal, with an optional "-". Names are
 * [A-Za-z_][A-Za-z0-9_.]*: a value or place of the target file, or a symbol of the traced file.
 */

/* Numbers, names and signs of one expression or condition; bounds the depth of its tree. */
enum { EXPR_MAX_NODES = 256 };

enum expr_kind {
	EXPR_NUMBER,
	EXPR_NAME,
	EXPR_ARGUMENT,	/* number: which */
	EXPR_RETURN,
	EXPR_OBJECT,
	EXPR_NESTED,
	EXPR_REGISTER,	/* name: which */
	EXPR_READ,	/* memory at left */
	EXPR_CUT,	/* left, cut to width */
	EXPR_ADD,
	EXPR_SUBTRACT,
	EXPR_MULTIPLY,
	EXPR_AND,
};

struct expr {
	enum expr_kind kind;
	uint8_t width;		/* bytes, of EXPR_READ and EXPR_CUT */
	bool is_signed;
	int64_t number;
	char *name;
	struct expr *left, *right;
};

enum expr_compare { EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE };

/* A conjunction: each (left compare right) must hold. "ret" alone is "ret != 0". */
struct condition {
	struct expr *left, *right;
	enum expr_compare compare;
	struct condition *next;
};

/*
 * Parse text; what is wrong with it goes to error ("expected ']' at column 9").
 * NULL on error. Nesting is limited to 32. An empty or blank text is an error.
 */
struct expr *expr__parse(const char *text, char *error, size_t error_size);
struct condition *condition__parse(const char *text, char *error, size_t error_size);
void expr__free(struct expr *expr);
void condition__free(struct condition *condition);

/* What names and memory mean while an expression is worked out on the user side. */
struct expr_scope {
	/* 0 and *value, or -ENOENT. */
	int (*name)(void *context, const char *name, int64_t *value);
	/* 0, or -errno if the process' memory cannot be read there. NULL: constants only. */
	int (*read)(void *context, uint64_t address, void *buffer, size_t size);
	void *context;
	uint64_t object;
	bool has_object;
};

/*
 * 0; -ENOENT: unknown name; -EFAULT or what read() said; -EINVAL: an operand that only a probe can
 * see (arg, ret, nested, a register; object without has_object). Sums wrap around.
 */
int expr__evaluate(const struct expr *expr, const struct expr_scope *scope, int64_t *value);
int condition__evaluate(const struct condition *condition, const struct expr_scope *scope,
			bool *holds);

#endif
