// SPDX-License-Identifier: BSD-2-Clause
/* Translates conditions and expressions of a target into rules that the kernel side works by. */
#include "rule.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "insn.h"

struct translation {
	const struct rule_scope *scope;
	struct ct_rule *rule;
	bool at_return; /* arguments are gone: what is needed of them is kept at the entry */
	char *error;
	size_t error_size;
};

static int refuse(const struct translation *translation, const char *why)
{
	snprintf(translation->error, translation->error_size, "%s", why);
	return -EINVAL;
}

static int constant(const struct translation *translation, const struct expr *expr, int64_t *value)
{
	struct expr_scope scope = *translation->scope->constants;
	int err;

	scope.read = NULL;
	scope.has_object = false;
	err = expr__evaluate(expr, &scope, value);
	if (err == -ENOENT)
		return refuse(translation, "a name in it is not known as a number");
	return err ? refuse(translation, "a probe can add, mask and compare with constants only")
		   : 0;
}

/* At a return, a register's value at the entry. */
static int saved_register(const struct translation *translation, uint8_t base)
{
	struct ct_rule *rule = translation->rule;
	int i;

	for (i = 0; i < rule->saves; i++)
		if (rule->saved[i].base == base)
			return CT_BASE_SAVED + i;
	if (rule->saves == CT_MAX_SAVED)
		return refuse(translation, "outcomes can look at two different arguments at most");
	rule->saved[rule->saves] = (struct ct_operand){ .base = base, .width = 8 };
	return CT_BASE_SAVED + rule->saves++;
}

static int register_base(const struct translation *translation, int number)
{
	if (number < 0 || number >= CT_REGISTERS)
		return refuse(translation, "there is no such argument or register");
	if (translation->at_return)
		return saved_register(translation, CT_BASE_REGISTER + number);
	return CT_BASE_REGISTER + number;
}

static int base_of(const struct translation *translation, const struct expr *expr)
{
	struct elf_file *file = translation->scope->file;

	switch (expr->kind) {
	case EXPR_RETURN:
		return CT_BASE_RETURN;
	case EXPR_OBJECT:
		return CT_BASE_OBJECT;
	case EXPR_NESTED:
		return CT_BASE_NESTED;
	case EXPR_ARGUMENT:
		return register_base(translation, insn__argument_register(file, expr->number));
	case EXPR_REGISTER:
		return register_base(translation, insn__register(file, expr->name));
	default:
		return CT_BASE_ZERO;
	}
}

static int operand_of(const struct translation *translation, const struct expr *expr,
		      struct ct_operand *operand);

static int read_of(const struct translation *translation, const struct expr *expr,
		   struct ct_operand *operand)
{
	int err = operand_of(translation, expr->left, operand);

	if (err)
		return err;
	if (operand->steps == CT_MAX_STEPS)
		return refuse(translation, "too many reads inside each other");
	if (operand->width != 8)
		return refuse(translation, "an address must be 8 bytes wide");
	operand->offset[operand->steps++] = operand->addend;
	operand->addend = 0;
	operand->width = expr->width;
	operand->is_signed = expr->is_signed;
	return 0;
}

static int sum_of(const struct translation *translation, const struct expr *expr,
		  struct ct_operand *operand)
{
	int64_t value, sum;
	int err = operand_of(translation, expr->left, operand);

	if (!err)
		err = constant(translation, expr->right, &value);
	if (err)
		return err;
	if (operand->width != 8)
		return refuse(translation, "only 8 bytes wide values can be added to");
	sum = expr->kind == EXPR_ADD ? operand->addend + value : operand->addend - value;
	if (sum < INT32_MIN || sum > INT32_MAX)
		return refuse(translation, "an offset is out of range");
	operand->addend = sum;
	return 0;
}

static int cut_of(const struct translation *translation, const struct expr *expr,
		  struct ct_operand *operand)
{
	int err = operand_of(translation, expr->left, operand);

	if (err)
		return err;
	if (expr->width > operand->width)
		return refuse(translation, "a value cannot be made wider");
	operand->width = expr->width;
	operand->is_signed = expr->is_signed;
	return 0;
}

/* A chain of reads from a register, an offset before each, is all that a probe works out. */
static int operand_of(const struct translation *translation, const struct expr *expr,
		      struct ct_operand *operand)
{
	int64_t value;
	int base, err;

	switch (expr->kind) {
	case EXPR_READ:
		return read_of(translation, expr, operand);
	case EXPR_CUT:
		return cut_of(translation, expr, operand);
	case EXPR_ADD:
	case EXPR_SUBTRACT:
		return sum_of(translation, expr, operand);
	case EXPR_NUMBER:
	case EXPR_NAME:
	case EXPR_MULTIPLY:
		err = constant(translation, expr, &value);
		if (err)
			return err;
		if (value < INT32_MIN || value > INT32_MAX)
			return refuse(translation, "a constant is out of range");
		*operand = (struct ct_operand){ .base = CT_BASE_ZERO, .width = 8, .addend = value };
		return 0;
	case EXPR_AND:
		return refuse(translation, "a mask can only stand before a comparison");
	default:
		base = base_of(translation, expr);
		if (base < 0)
			return base;
		*operand = (struct ct_operand){ .base = base, .width = 8 };
		return 0;
	}
}

static const uint8_t compares[] = {
	[EXPR_EQ] = CT_EQ, [EXPR_NE] = CT_NE, [EXPR_LT] = CT_LT,
	[EXPR_LE] = CT_LE, [EXPR_GT] = CT_GT, [EXPR_GE] = CT_GE,
};

static int test_of(const struct translation *translation, const struct condition *condition,
		   struct ct_test *test)
{
	const struct expr *left = condition->left;
	int64_t mask = -1, value = 0;
	int err;

	memset(test, 0, sizeof(*test));
	if (left->kind == EXPR_AND) {
		err = constant(translation, left->right, &mask);
		if (err)
			return err;
		left = left->left;
	}
	err = operand_of(translation, left, &test->operand);
	if (!err)
		err = constant(translation, condition->right, &value);
	test->value = value;
	test->mask = mask;
	test->compare = compares[condition->compare];
	return err;
}

static int tests_of(const struct translation *translation, const struct condition *condition)
{
	struct ct_rule *rule = translation->rule;
	int err;

	for (; condition; condition = condition->next) {
		if (rule->tests == CT_MAX_TESTS)
			return refuse(translation, "too many conditions");
		err = test_of(translation, condition, &rule->test[rule->tests++]);
		if (err)
			return err;
	}
	return 0;
}

static int object_of(const struct translation *translation, const struct expr *object)
{
	if (!object)
		return 0;
	translation->rule->flags |= CT_RULE_OBJECT;
	return operand_of(translation, object, &translation->rule->object);
}

static bool only_nested(const struct ct_rule *rule)
{
	int i;

	for (i = 0; i < rule->cases; i++)
		if (rule->one_of[i].compare != CT_ALWAYS &&
		    rule->one_of[i].operand.base != CT_BASE_NESTED)
			return false;
	return rule->cases > 0;
}

static bool holds(const struct ct_test *test, int64_t value)
{
	int64_t left = value & test->mask;

	switch (test->compare) {
	case CT_EQ: return left == test->value;
	case CT_NE: return left != test->value;
	case CT_LT: return left < test->value;
	case CT_LE: return left <= test->value;
	case CT_GT: return left > test->value;
	case CT_GE: return left >= test->value;
	default: return true;
	}
}

/* What a lookup with and without a compute inside comes to, for lookups whose return is never seen.
 */
static void set_nested_outcomes(struct ct_rule *rule)
{
	int nested, i;

	if (!only_nested(rule))
		return;
	rule->flags |= CT_RULE_NESTED;
	for (nested = 0; nested < 2; nested++) {
		rule->nested_outcome[nested] = rule->otherwise;
		for (i = rule->cases - 1; i >= 0; i--)
			if (holds(&rule->one_of[i], nested))
				rule->nested_outcome[nested] = rule->one_of[i].outcome;
	}
}

static int cases_of(struct translation *translation, const struct target_call *call)
{
	struct ct_rule *rule = translation->rule;
	unsigned i;
	int err;

	rule->otherwise = CT_OTHER;
	translation->at_return = true;
	for (i = 0; i < call->outcome_count; i++) {
		const struct target_case *one = &call->outcome[i];
		struct ct_test *test = &rule->one_of[rule->cases];

		if (rule->cases == CT_MAX_CASES)
			return refuse(translation, "too many outcome cases");
		if (!one->condition) {
			*test = (struct ct_test){ .compare = CT_ALWAYS };
		} else if (one->condition->next) {
			return refuse(translation, "an outcome case is one comparison, without &&");
		} else {
			err = test_of(translation, one->condition, test);
			if (err)
				return err;
		}
		test->outcome = one->outcome;
		rule->cases++;
	}
	set_nested_outcomes(rule);
	return 0;
}

/* Counters are read at both ends of a call, when the arguments are gone: they start from the
 * object. */
static bool start_from_object(struct ct_operand *counter, const struct ct_rule *rule)
{
	const struct ct_operand *object = &rule->object;

	if ((rule->flags & CT_RULE_OBJECT) && counter->base == object->base && !object->steps &&
	    !object->addend)
		counter->base = CT_BASE_OBJECT;
	return counter->base == CT_BASE_OBJECT;
}

static int counters_of(struct translation *translation, const struct target_cache *cache)
{
	struct ct_rule *rule = translation->rule;
	unsigned i;
	int err;

	rule->role = CT_ROLE_COUNTER;
	rule->otherwise = CT_IGNORED;
	for (i = 0; i < cache->counters_count; i++) {
		if (rule->saves == CT_MAX_SAVED)
			return refuse(translation, "too many counters");
		err = operand_of(translation, cache->counters[i].expr, &rule->saved[rule->saves]);
		if (err)
			return err;
		if (!start_from_object(&rule->saved[rule->saves], rule))
			return refuse(translation, "a counter must start from the object");
		rule->saved_outcome[rule->saves++] = cache->counters[i].outcome;
	}
	return 0;
}

int rule__lookup(const struct rule_scope *scope, const struct target_cache *cache,
		 struct ct_rule *rule, char *error, size_t error_size)
{
	struct translation translation = {
		.scope = scope, .rule = rule, .error = error, .error_size = error_size
	};
	int err;

	memset(rule, 0, sizeof(*rule));
	rule->role = CT_ROLE_LOOKUP;
	err = tests_of(&translation, cache->lookup->condition);
	if (!err)
		err = object_of(&translation, cache->object_expr);
	if (err)
		return err;
	if (cache->fill == TARGET_FILL_LOOKUP)
		rule->flags |= CT_RULE_FILL;
	return cache->counters_count ? counters_of(&translation, cache)
				     : cases_of(&translation, cache->lookup);
}

static bool judged_by_nesting(const struct target_cache *cache)
{
	unsigned i;

	for (i = 0; cache->lookup && i < cache->lookup->outcome_count; i++)
		if (cache->lookup->outcome[i].condition &&
		    cache->lookup->outcome[i].condition->left->kind == EXPR_NESTED)
			return true;
	return false;
}

int rule__compute(const struct rule_scope *scope, const struct target_cache *cache,
		  struct ct_rule *rule, char *error, size_t error_size)
{
	struct translation translation = {
		.scope = scope, .rule = rule, .error = error, .error_size = error_size
	};
	int err;

	memset(rule, 0, sizeof(*rule));
	rule->role = CT_ROLE_COMPUTE;
	if (judged_by_nesting(cache))
		rule->flags |= CT_RULE_NESTED;
	err = tests_of(&translation, cache->compute->condition);
	/* Without lookups that are calls there is nothing to inherit from: the cache's own
	 * expression holds here too. */
	if (!err)
		err = object_of(&translation, cache->compute->object_expr || cache->lookup ?
				cache->compute->object_expr : cache->object_expr);
	if (!err && cache->object_expr && !(rule->flags & CT_RULE_OBJECT))
		rule->flags |= CT_RULE_INHERIT;
	return err;
}

int rule__site(const struct rule_scope *scope, const struct target_cache *cache,
	       const struct target_site *site, struct ct_rule *rule, char *error, size_t error_size)
{
	struct translation translation = {
		.scope = scope, .rule = rule, .error = error, .error_size = error_size
	};
	int err;

	memset(rule, 0, sizeof(*rule));
	rule->role = site->outcome < 0 ? CT_ROLE_TOTAL : CT_ROLE_MARK;
	rule->otherwise = site->outcome < 0 ? CT_OTHER : site->outcome;
	err = tests_of(&translation, site->condition);
	return err ? err : object_of(&translation, cache->object_expr);
}
