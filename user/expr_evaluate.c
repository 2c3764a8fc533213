/* SPDX-License-Identifier: BSD-2-Clause */
/* Works out expressions and conditions on the user side, where no probe has fired. */
#include "expr.h"

#include <errno.h>

static int64_t cut(uint64_t value, uint8_t width, bool is_signed)
{
	unsigned unused_bits = 64 - 8 * width;
	uint64_t low = value << unused_bits;

	return is_signed ? (int64_t)low >> unused_bits : (int64_t)(low >> unused_bits);
}

static int evaluate_read(const struct expr *expr, const struct expr_scope *scope, int64_t *value)
{
	/* The traced process has the byte order of this machine. */
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} memory;
	int64_t address;
	int error = expr__evaluate(expr->left, scope, &address);

	if (error)
		return error;
	if (!scope->read)
		return -EFAULT;
	error = scope->read(scope->context, (uint64_t)address, &memory, expr->width);
	if (error)
		return error;
	*value = cut(expr->width == 1 ? memory.u8 :
		     expr->width == 2 ? memory.u16 :
		     expr->width == 4 ? memory.u32 : memory.u64, expr->width, expr->is_signed);
	return 0;
}

static int evaluate_operator(const struct expr *expr, const struct expr_scope *scope,
			     int64_t *value)
{
	int64_t left, right;
	uint64_t result;
	int error = expr__evaluate(expr->left, scope, &left);

	if (!error)
		error = expr__evaluate(expr->right, scope, &right);
	if (error)
		return error;
	switch (expr->kind) {
	case EXPR_ADD:
		result = (uint64_t)left + (uint64_t)right;
		break;
	case EXPR_SUBTRACT:
		result = (uint64_t)left - (uint64_t)right;
		break;
	case EXPR_MULTIPLY:
		result = (uint64_t)left * (uint64_t)right;
		break;
	default:
		result = (uint64_t)left & (uint64_t)right;
		break;
	}
	*value = (int64_t)result;
	return 0;
}

int expr__evaluate(const struct expr *expr, const struct expr_scope *scope, int64_t *value)
{
	int error;

	switch (expr->kind) {
	case EXPR_NUMBER:
		*value = expr->number;
		return 0;
	case EXPR_NAME:
		return scope->name ? scope->name(scope->context, expr->name, value) : -ENOENT;
	case EXPR_OBJECT:
		*value = (int64_t)scope->object;
		return scope->has_object ? 0 : -EINVAL;
	case EXPR_READ:
		return evaluate_read(expr, scope, value);
	case EXPR_CUT:
		error = expr__evaluate(expr->left, scope, value);
		if (!error)
			*value = cut((uint64_t)*value, expr->width, expr->is_signed);
		return error;
	case EXPR_ADD:
	case EXPR_SUBTRACT:
	case EXPR_MULTIPLY:
	case EXPR_AND:
		return evaluate_operator(expr, scope, value);
	case EXPR_ARGUMENT:
	case EXPR_RETURN:
	case EXPR_NESTED:
	case EXPR_REGISTER:
		break;
	}
	return -EINVAL;
}

static bool compare(int64_t left, enum expr_compare compare_by, int64_t right)
{
	switch (compare_by) {
	case EXPR_EQ:
		return left == right;
	case EXPR_NE:
		return left != right;
	case EXPR_LT:
		return left < right;
	case EXPR_LE:
		return left <= right;
	case EXPR_GT:
		return left > right;
	case EXPR_GE:
		return left >= right;
	}
	return false;
}

int condition__evaluate(const struct condition *condition, const struct expr_scope *scope,
			bool *holds)
{
	*holds = true;
	for (; condition && *holds; condition = condition->next) {
		int64_t left, right;
		int error = expr__evaluate(condition->left, scope, &left);

		if (!error)
			error = expr__evaluate(condition->right, scope, &right);
		if (error)
			return error;
		*holds = compare(left, condition->compare, right);
	}
	return 0;
}
