/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the expression language: trees, messages, values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expr.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const char *const operator_signs[] = {
	[EXPR_ADD] = "+", [EXPR_SUBTRACT] = "-", [EXPR_MULTIPLY] = "*", [EXPR_AND] = "&",
};

static const char *const compare_signs[] = { "==", "!=", "<", "<=", ">", ">=" };

/* Writes the tree with the operator in front: "(+ arg0 8)"; "u32@" is a read, "u32" a cut. */
static void print(FILE *stream, const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_NUMBER:
		fprintf(stream, "%lld", (long long)expr->number);
		break;
	case EXPR_NAME:
		fprintf(stream, "%s", expr->name);
		break;
	case EXPR_REGISTER:
		fprintf(stream, "%%%s", expr->name);
		break;
	case EXPR_ARGUMENT:
		fprintf(stream, "arg%lld", (long long)expr->number);
		break;
	case EXPR_RETURN:
		fputs("RET", stream);
		break;
	case EXPR_OBJECT:
		fputs("OBJECT", stream);
		break;
	case EXPR_NESTED:
		fputs("NESTED", stream);
		break;
	case EXPR_READ:
	case EXPR_CUT:
		fprintf(stream, "(%c%d%s ", expr->is_signed ? 's' : 'u', expr->width * 8,
			expr->kind == EXPR_READ ? "@" : "");
		print(stream, expr->left);
		fputc(')', stream);
		assert_null(expr->right);
		break;
	default:
		fprintf(stream, "(%s ", operator_signs[expr->kind]);
		print(stream, expr->left);
		fputc(' ', stream);
		print(stream, expr->right);
		fputc(')', stream);
		break;
	}
}

static void assert_tree(const char *text, const char *tree)
{
	char error[128] = "", printed[512] = "";
	struct expr *expr = expr__parse(text, error, sizeof(error));
	FILE *stream = fmemopen(printed, sizeof(printed), "w");

	assert_string_equal(error, "");
	assert_non_null(expr);
	print(stream, expr);
	fclose(stream);
	assert_string_equal(printed, tree);
	expr__free(expr);
}

static void assert_condition(const char *text, const char *tree)
{
	char error[128] = "", printed[512] = "";
	struct condition *first = condition__parse(text, error, sizeof(error));
	FILE *stream = fmemopen(printed, sizeof(printed), "w");

	assert_string_equal(error, "");
	assert_non_null(first);
	for (const struct condition *each = first; each; each = each->next) {
		fprintf(stream, "%s%s ", each == first ? "" : " && ", compare_signs[each->compare]);
		print(stream, each->left);
		fputc(' ', stream);
		print(stream, each->right);
	}
	fclose(stream);
	assert_string_equal(printed, tree);
	condition__free(first);
}

static void test_trees(void **state)
{
	static const char *const rows[][2] = {
		{ "0", "0" },
		{ "  42\t", "42" },
		{ "-7", "-7" },
		{ "0x1F", "31" },
		{ "-0x10", "-16" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "0xffffffffffffffff", "-1" },
		{ "007", "7" },
		{ "arg0", "arg0" },
		{ "arg7", "arg7" },
		{ "arg", "arg" },
		{ "arg1x", "arg1x" },
		{ "args", "args" },
		{ "ret", "RET" },
		{ "object", "OBJECT" },
		{ "nested", "NESTED" },
		{ "returned", "returned" },
		{ "_a.b_9", "_a.b_9" },
		{ "u33", "u33" },
		{ "u8.x", "u8.x" },
		{ "%rdi", "%rdi" },
		{ "[arg0]", "(u64@ arg0)" },
		{ "u32 [arg0+0xf8]", "(u32@ (+ arg0 248))" },
		{ "s8[%x0]", "(s8@ %x0)" },
		{ "[server+3600]", "(u64@ (+ server 3600))" },
		{ "u16 [[[arg0] + 8] - 4]", "(u16@ (- (u64@ (+ (u64@ arg0) 8)) 4))" },
		{ "u8 arg1", "(u8 arg1)" },
		{ "s32 (arg1 + 1)", "(s32 (+ arg1 1))" },
		{ "u8 (u32 [arg0])", "(u8 (u32@ arg0))" },
		{ "u8 arg1 + 1", "(+ (u8 arg1) 1)" },
		{ "1 - 2 - 3", "(- (- 1 2) 3)" },
		{ "1 - -2", "(- 1 -2)" },
		{ "1-2", "(- 1 2)" },
		{ "a + b * c & d", "(& (+ a (* b c)) d)" },
		{ "a * (b + c)", "(* a (+ b c))" },
		{ "((((a))))", "a" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_tree(rows[i][0], rows[i][1]);
}

static void test_conditions(void **state)
{
	static const char *const rows[][2] = {
		{ "ret", "!= RET 0" },
		{ "ret == -2", "== RET -2" },
		{ "(arg2 & 12) == 0", "== (& arg2 12) 0" },
		{ "arg2 & 12 == 0", "== (& arg2 12) 0" },
		{ "a<b", "< a b" },
		{ "a<=b", "<= a b" },
		{ "a > b", "> a b" },
		{ "a >= b", ">= a b" },
		{ "a != b + 1", "!= a (+ b 1)" },
		{ "a&b&&c", "!= (& a b) 0 && != c 0" },
		{ "nested && ret >= 0 && 1 < 2", "!= NESTED 0 && >= RET 0 && < 1 2" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_condition(rows[i][0], rows[i][1]);
}

static void test_expr_messages(void **state)
{
	static const char *const rows[][2] = {
		{ "", "expected a value at column 1" },
		{ " \t ", "expected a value at column 4" },
		{ "[arg0 + 8", "expected ']' at column 10" },
		{ "u32 [a", "expected ']' at column 7" },
		{ "(a", "expected ')' at column 3" },
		{ "[a)", "expected ']' at column 3" },
		{ "a +", "expected a value at column 4" },
		{ "a + * b", "expected a value at column 5" },
		{ "a b", "unexpected 'b' at column 3" },
		{ "a == b", "unexpected '=' at column 3" },
		{ "a && b", "unexpected '&' at column 3" },
		{ "a\x01", "unexpected '?' at column 2" },
		{ "a\xc3\xa4", "unexpected '?' at column 2" },
		{ "- a", "expected a value at column 1" },
		{ "u8", "expected a value at column 3" },
		{ "u8 u16 a", "expected a value, not another type at column 4" },
		{ "12a", "expected a digit at column 3" },
		{ "12.5", "expected a digit at column 3" },
		{ "0x", "expected a digit at column 3" },
		{ "0xg", "expected a digit at column 3" },
		{ "0x0x1", "expected a digit at column 4" },
		{ "9223372036854775808", "number too large at column 1" },
		{ "1 + -9223372036854775809", "number too large at column 5" },
		{ "0x10000000000000000", "number too large at column 1" },
		{ "99999999999999999999999999", "number too large at column 1" },
		{ "arg8", "only arg0 to arg7 are in registers at column 1" },
		{ "1 + arg10", "only arg0 to arg7 are in registers at column 5" },
		{ "arg00", "only arg0 to arg7 are in registers at column 1" },
		{ "%", "expected a register's name at column 2" },
		{ "%1", "expected a register's name at column 2" },
		{ "[]", "expected a value at column 2" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char error[128] = "";

		assert_null(expr__parse(rows[i][0], error, sizeof(error)));
		assert_string_equal(error, rows[i][1]);
	}
}

static void test_condition_messages(void **state)
{
	static const char *const rows[][2] = {
		{ "", "expected a value at column 1" },
		{ "ret ==", "expected a value at column 7" },
		{ "ret = 0", "unexpected '=' at column 5" },
		{ "ret == 0 == 1", "unexpected '=' at column 10" },
		{ "ret &&", "expected a value at column 7" },
		{ "&& ret", "expected a value at column 1" },
		{ "ret && [a", "expected ']' at column 10" },
		{ "ret || a", "unexpected '|' at column 5" },
		{ "!ret", "expected a value at column 1" },
		{ "ret <> 1", "expected a value at column 6" },
		{ "ret === 1", "expected a value at column 7" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char error[128] = "";

		assert_null(condition__parse(rows[i][0], error, sizeof(error)));
		assert_string_equal(error, rows[i][1]);
	}
}

/* count times open, then "1", then count times close. */
static char *nest(unsigned count, char open, char close)
{
	char *text = malloc(2 * count + 2);

	assert_non_null(text);
	memset(text, open, count);
	text[count] = '1';
	memset(text + count + 1, close, count);
	text[2 * count + 1] = '\0';
	return text;
}

static void test_nesting_limit(void **state)
{
	static const char signs[][2] = { { '(', ')' }, { '[', ']' } };

	(void)state;
	for (size_t i = 0; i < ROWS(signs); i++) {
		char error[128] = "";
		char *deepest = nest(32, signs[i][0], signs[i][1]);
		char *deeper = nest(33, signs[i][0], signs[i][1]);
		struct expr *expr = expr__parse(deepest, error, sizeof(error));

		assert_non_null(expr);
		expr__free(expr);
		assert_null(expr__parse(deeper, error, sizeof(error)));
		assert_string_equal(error, "nested deeper than 32 at column 33");
		free(deepest);
		free(deeper);
	}
}

static void test_size_limit(void **state)
{
	/* "1+1+...+1": of n characters n are nodes. */
	char text[EXPR_MAX_NODES + 2], error[128] = "";
	struct expr *expr;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '+' : '1';
	text[EXPR_MAX_NODES - 1] = '\0';
	expr = expr__parse(text, error, sizeof(error));
	assert_non_null(expr);
	expr__free(expr);
	text[EXPR_MAX_NODES - 1] = '+';
	text[EXPR_MAX_NODES + 1] = '\0';
	assert_null(expr__parse(text, error, sizeof(error)));
	assert_string_equal(error, "more than 256 numbers, names and signs at column 258");
}

static void test_short_error_buffer(void **state)
{
	char error[9] = "";

	(void)state;
	assert_null(expr__parse("(", error, sizeof(error)));
	assert_string_equal(error, "expected");
}

/* Memory of the process: 0x1000 to 0x100f. */
static const unsigned char memory[16] = {
	0x08, 0x10, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x80, 0, 0, 0xff,
};

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	(*(unsigned *)context)++;
	if (address < 0x1000 || address + size > 0x1000 + sizeof(memory))
		return -EIO;
	memcpy(buffer, memory + (address - 0x1000), size);
	return 0;
}

static int find_name(void *context, const char *name, int64_t *value)
{
	(void)context;
	if (strcmp(name, "base") != 0)
		return -ENOENT;
	*value = 0x1000;
	return 0;
}

static int evaluate(const char *text, const struct expr_scope *scope, int64_t *value)
{
	char error[128];
	struct expr *expr = expr__parse(text, error, sizeof(error));
	int result;

	assert_non_null(expr);
	result = expr__evaluate(expr, scope, value);
	expr__free(expr);
	return result;
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "1 + 2 * 3", 7 },
		{ "1 - 2 - 3", -4 },
		{ "0xff & 12 + 1", 13 },
		{ "12 & 10", 8 },
		{ "base", 0x1000 },
		{ "object + 1", 0x1009 },
		{ "[base]", 0x1008 },
		{ "u8 [base]", 8 },
		{ "u16 [base]", 0x1008 },
		{ "u32 [base + 8]", 0xfffffffe },
		{ "s32 [base + 8]", -2 },
		{ "s32 [[base]]", -2 },
		{ "u16 [object]", 0xfffe },
		{ "s16 [object]", -2 },
		{ "u8 [base + 12]", 128 },
		{ "s8 [base + 12]", -128 },
		{ "s64 [base + 8]", (int64_t)0xff000080fffffffe },
		{ "u8 0x1ff", 255 },
		{ "s8 0x1ff", -1 },
		{ "u16 -1", 65535 },
		{ "s32 0x80000000", INT32_MIN },
		{ "u64 -1", -1 },
		{ "9223372036854775807 + 1", INT64_MIN },
		{ "-9223372036854775808 - 1", INT64_MAX },
		{ "9223372036854775807 * 2", -2 },
		{ "-9223372036854775808 * -1", INT64_MIN },
	};
	unsigned reads = 0;
	const struct expr_scope scope = {
		.name = find_name,
		.read = read_memory,
		.context = &reads,
		.object = 0x1008,
		.has_object = true,
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t value = 0;

		assert_int_equal(evaluate(rows[i].text, &scope, &value), 0);
		if (value != rows[i].value)
			fail_msg("%s: %lld", rows[i].text, (long long)value);
	}
}

static void test_values_that_are_not_there(void **state)
{
	unsigned reads = 0;
	const struct expr_scope scope = {
		.name = find_name, .read = read_memory, .context = &reads,
	};
	const struct expr_scope empty = { .read = NULL };
	int64_t value;

	(void)state;
	assert_int_equal(evaluate("other", &scope, &value), -ENOENT);
	assert_int_equal(evaluate("1 + other", &scope, &value), -ENOENT);
	assert_int_equal(evaluate("[base + 16]", &scope, &value), -EIO);
	assert_int_equal(evaluate("u8 [base + 15]", &scope, &value), 0);
	assert_int_equal(evaluate("u16 [base + 15]", &scope, &value), -EIO);
	assert_int_equal(evaluate("[[base + 16]]", &scope, &value), -EIO);
	assert_int_equal(evaluate("arg0", &scope, &value), -EINVAL);
	assert_int_equal(evaluate("u8 ret", &scope, &value), -EINVAL);
	assert_int_equal(evaluate("nested * 2", &scope, &value), -EINVAL);
	assert_int_equal(evaluate("2 * %rdi", &scope, &value), -EINVAL);
	assert_int_equal(evaluate("object", &scope, &value), -EINVAL);
	assert_int_equal(evaluate("base", &empty, &value), -ENOENT);
	assert_int_equal(evaluate("[4096]", &empty, &value), -EFAULT);
	assert_int_equal(evaluate("2 * 3", &empty, &value), 0);
	assert_int_equal(value, 6);
}

static int holds(const char *text, const struct expr_scope *scope, bool *result)
{
	char error[128];
	struct condition *condition = condition__parse(text, error, sizeof(error));
	int status;

	assert_non_null(condition);
	status = condition__evaluate(condition, scope, result);
	condition__free(condition);
	return status;
}

static void test_condition_values(void **state)
{
	static const struct {
		const char *text;
		bool holds;
	} rows[] = {
		{ "1", true },		 { "0", false },
		{ "2 == 2", true },	 { "2 == 3", false },
		{ "2 != 3", true },	 { "2 != 2", false },
		{ "-1 < 0", true },	 { "0 < 0", false },
		{ "0 <= 0", true },	 { "1 <= 0", false },
		{ "0 > -1", true },	 { "0 > 0", false },
		{ "0 >= 0", true },	 { "-1 >= 0", false },
		{ "1 && 2 == 2", true }, { "1 && 0", false },
		{ "0 && [0]", false },
	};
	unsigned reads = 0;
	const struct expr_scope scope = { .read = read_memory, .context = &reads };
	bool result;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(holds(rows[i].text, &scope, &result), 0);
		assert_int_equal(result, rows[i].holds);
	}
	assert_int_equal(reads, 0);
	assert_int_equal(holds("1 && [0]", &scope, &result), -EIO);
	assert_int_equal(holds("1 == arg0", &scope, &result), -EINVAL);
	assert_int_equal(reads, 1);
}

static void test_free_nothing(void **state)
{
	(void)state;
	expr__free(NULL);
	condition__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_expr_messages),
		cmocka_unit_test(test_condition_messages),
		cmocka_unit_test(test_nesting_limit),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_short_error_buffer),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_values_that_are_not_there),
		cmocka_unit_test(test_condition_values),
		cmocka_unit_test(test_free_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
