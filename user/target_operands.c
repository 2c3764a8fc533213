/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the expressions of a target and refuses operands that have no value where they stand. */
#include <errno.h>
#include <stddef.h>

#include "target_check.h"
#include "target_source.h"

/* Operands that do not stand here (numbers, names, memory) have a value everywhere. */
static const struct operand {
	enum expr_kind kind;
	enum target_operands bit;
	const char *word;
	const char *known_in;
} operands[] = {
	{ EXPR_ARGUMENT, TARGET_OPERAND_CALL, "argN", "calls and sites" },
	{ EXPR_REGISTER, TARGET_OPERAND_CALL, "%register", "calls and sites" },
	{ EXPR_RETURN, TARGET_OPERAND_RETURN, "ret", "the outcome of a lookup" },
	{ EXPR_NESTED, TARGET_OPERAND_NESTED, "nested", "the outcome of a lookup with a compute" },
	{ EXPR_OBJECT, TARGET_OPERAND_OBJECT, "object", "caches that say what their object is" },
};

/* An operand of the expression that is not among the known ones; NULL if all are. */
static const struct operand *unknown_operand(const struct expr *expr, unsigned known)
{
	const struct operand *unknown;

	if (!expr)
		return NULL;
	for (size_t i = 0; i < sizeof(operands) / sizeof(operands[0]); i++)
		if (operands[i].kind == expr->kind && !(operands[i].bit & known))
			return &operands[i];
	unknown = unknown_operand(expr->left, known);
	return unknown ? unknown : unknown_operand(expr->right, known);
}

static int check_operands(const struct target_source *source, const char *path, const char *member,
			  const struct expr *expr, unsigned known)
{
	const struct operand *unknown = unknown_operand(expr, known);

	if (!unknown)
		return 0;
	return target__complain(source, path, member, "'%s' has a value only in %s",
				unknown->word, unknown->known_in);
}

int target__parse_expr(const struct target_source *source, const char *path, const char *member,
		       const char *text, unsigned known, struct expr **expr)
{
	char error[128];

	if (!text)
		return 0;
	*expr = expr__parse(text, error, sizeof(error));
	if (!*expr)
		return target__complain_inside(source, path, member, error);
	return check_operands(source, path, member, *expr, known);
}

int target__parse_condition(const struct target_source *source, const char *path,
			    const char *member, const char *text, unsigned known, unsigned max,
			    struct condition **condition)
{
	char error[128];
	unsigned count = 0;

	if (!text)
		return 0;
	*condition = condition__parse(text, error, sizeof(error));
	if (!*condition)
		return target__complain_inside(source, path, member, error);
	for (const struct condition *each = *condition; each; each = each->next) {
		if (check_operands(source, path, member, each->left, known) ||
		    check_operands(source, path, member, each->right, known))
			return -EINVAL;
		if (++count > max)
			return target__complain(source, path, member,
						"too many comparisons: expected at most %u", max);
	}
	return 0;
}
