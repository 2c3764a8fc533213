/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the expressions and conditions of target files and options. */
#include "expr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_NESTING = 32,
	MAX_ARGUMENT = 7,	/* of those in registers: x86-64 has 6 of them, aarch64 has 8 */
};

struct parser {
	const char *text;
	const char *at;
	unsigned nesting;
	unsigned nodes;
	char *error;
	size_t error_size;
};

static const struct type {
	const char *word;
	uint8_t width;
	bool is_signed;
} types[] = {
	{ "u8", 1, false }, { "u16", 2, false }, { "u32", 4, false }, { "u64", 8, false },
	{ "s8", 1, true },  { "s16", 2, true },	 { "s32", 4, true },  { "s64", 8, true },
};

static const struct {
	const char *word;
	enum expr_kind kind;
} operands[] = {
	{ "ret", EXPR_RETURN },
	{ "object", EXPR_OBJECT },
	{ "nested", EXPR_NESTED },
};

/* Two-character signs stand before the sign that they begin with. */
static const struct {
	const char *sign;
	enum expr_compare compare;
} compares[] = {
	{ "==", EXPR_EQ }, { "!=", EXPR_NE }, { "<=", EXPR_LE },
	{ ">=", EXPR_GE }, { "<", EXPR_LT },  { ">", EXPR_GT },
};

static struct expr *parse_sum(struct parser *parser);

__attribute__((format(printf, 3, 4)))
static void fail(struct parser *parser, const char *at, const char *format, ...)
{
	char message[96];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	snprintf(parser->error, parser->error_size, "%s at column %zu", message,
		 (size_t)(at - parser->text) + 1);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_part(char c)
{
	return is_name_start(c) || is_digit(c) || c == '.';
}

static void skip_blanks(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static bool accept(struct parser *parser, const char *sign)
{
	size_t length = strlen(sign);

	skip_blanks(parser);
	if (strncmp(parser->at, sign, length) != 0)
		return false;
	parser->at += length;
	return true;
}

/* Length of the name that begins at text; 0 if none does. */
static size_t name_length(const char *text)
{
	size_t length = 0;

	if (!is_name_start(*text))
		return 0;
	while (is_name_part(text[length]))
		length++;
	return length;
}

static bool word_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Owns left and right from here on, also when it fails. */
static struct expr *new_node(struct parser *parser, enum expr_kind kind, struct expr *left,
			     struct expr *right)
{
	struct expr *expr = NULL;

	if (parser->nodes == EXPR_MAX_NODES)
		fail(parser, parser->at, "more than %d numbers, names and signs", EXPR_MAX_NODES);
	else if (!(expr = calloc(1, sizeof(*expr))))
		fail(parser, parser->at, "out of memory");
	if (!expr) {
		expr__free(left);
		expr__free(right);
		return NULL;
	}
	parser->nodes++;
	expr->kind = kind;
	expr->left = left;
	expr->right = right;
	return expr;
}

static struct expr *new_number(struct parser *parser, int64_t number)
{
	struct expr *expr = new_node(parser, EXPR_NUMBER, NULL, NULL);

	if (expr)
		expr->number = number;
	return expr;
}

static struct expr *new_named(struct parser *parser, enum expr_kind kind, const char *name,
			      size_t length)
{
	struct expr *expr = new_node(parser, kind, NULL, NULL);

	if (!expr)
		return NULL;
	expr->name = strndup(name, length);
	if (!expr->name) {
		fail(parser, name, "out of memory");
		expr__free(expr);
		return NULL;
	}
	return expr;
}

/* Value of a digit in base 10 or 16; -1 if it is none. */
static int digit_value(char c, unsigned base)
{
	if (is_digit(c))
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static struct expr *parse_number(struct parser *parser)
{
	const char *start = parser->at;
	bool negative = *start == '-';
	const char *at = start + negative;
	unsigned base = strncmp(at, "0x", 2) == 0 ? 16 : 10;
	uint64_t value = 0, limit = INT64_MAX;
	bool overflow = false;

	if (base == 16)
		at += 2;
	if (digit_value(*at, base) < 0) {
		fail(parser, at, "expected a digit");
		return NULL;
	}
	for (; digit_value(*at, base) >= 0; at++)
		overflow |= __builtin_mul_overflow(value, (uint64_t)base, &value) ||
			    __builtin_add_overflow(value, (uint64_t)digit_value(*at, base), &value);
	if (is_name_part(*at)) {
		fail(parser, at, "expected a digit");
		return NULL;
	}
	if (negative)
		limit = (uint64_t)INT64_MAX + 1;
	else if (base == 16)
		limit = UINT64_MAX;
	if (overflow || value > limit) {
		fail(parser, start, "number too large");
		return NULL;
	}
	parser->at = at;
	return new_number(parser, (int64_t)(negative ? 0 - value : value));
}

static struct expr *parse_register(struct parser *parser)
{
	const char *name = parser->at + 1;
	size_t length = name_length(name);

	if (!length) {
		fail(parser, name, "expected a register's name");
		return NULL;
	}
	parser->at = name + length;
	return new_named(parser, EXPR_REGISTER, name, length);
}

static struct expr *parse_argument(struct parser *parser, size_t length)
{
	const char *word = parser->at;
	struct expr *expr;

	if (length != strlen("argN") || word[3] > '0' + MAX_ARGUMENT) {
		fail(parser, word, "only arg0 to arg%d are in registers", MAX_ARGUMENT);
		return NULL;
	}
	parser->at += length;
	expr = new_node(parser, EXPR_ARGUMENT, NULL, NULL);
	if (expr)
		expr->number = word[3] - '0';
	return expr;
}

static struct expr *parse_word(struct parser *parser)
{
	const char *word = parser->at;
	size_t length = name_length(word);

	if (length > 3 && strncmp(word, "arg", 3) == 0 &&
	    strspn(word + 3, "0123456789") == length - 3)
		return parse_argument(parser, length);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (word_is(word, length, types[i].word)) {
			fail(parser, word, "expected a value, not another type");
			return NULL;
		}
	}
	parser->at += length;
	for (size_t i = 0; i < sizeof(operands) / sizeof(operands[0]); i++)
		if (word_is(word, length, operands[i].word))
			return new_node(parser, operands[i].kind, NULL, NULL);
	return new_named(parser, EXPR_NAME, word, length);
}

/* The rest of "[ sum ]" or "( sum )" behind its opening sign. */
static struct expr *parse_enclosed(struct parser *parser, const char *close)
{
	struct expr *inner;

	if (parser->nesting == MAX_NESTING) {
		fail(parser, parser->at - 1, "nested deeper than %d", MAX_NESTING);
		return NULL;
	}
	parser->nesting++;
	inner = parse_sum(parser);
	parser->nesting--;
	if (inner && !accept(parser, close)) {
		fail(parser, parser->at, "expected '%s'", close);
		expr__free(inner);
		return NULL;
	}
	return inner;
}

static const struct type *accept_type(struct parser *parser)
{
	size_t length;

	skip_blanks(parser);
	length = name_length(parser->at);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (word_is(parser->at, length, types[i].word)) {
			parser->at += length;
			return &types[i];
		}
	}
	return NULL;
}

static struct expr *parse_untyped(struct parser *parser)
{
	if (accept(parser, "("))
		return parse_enclosed(parser, ")");
	if (is_digit(*parser->at) || (*parser->at == '-' && is_digit(parser->at[1])))
		return parse_number(parser);
	if (*parser->at == '%')
		return parse_register(parser);
	if (is_name_start(*parser->at))
		return parse_word(parser);
	fail(parser, parser->at, "expected a value");
	return NULL;
}

static struct expr *parse_primary(struct parser *parser)
{
	const struct type *type = accept_type(parser);
	bool is_read = accept(parser, "[");
	struct expr *inner = is_read ? parse_enclosed(parser, "]") : parse_untyped(parser);
	struct expr *expr;

	if (!inner || (!is_read && !type))
		return inner;
	expr = new_node(parser, is_read ? EXPR_READ : EXPR_CUT, inner, NULL);
	if (!expr)
		return NULL;
	expr->width = type ? type->width : 8;
	expr->is_signed = type && type->is_signed;
	return expr;
}

/* Owns left; takes the operator's right side and joins the two. */
static struct expr *join(struct parser *parser, enum expr_kind kind, struct expr *left,
			 struct expr *(*parse_right)(struct parser *))
{
	struct expr *right = parse_right(parser);

	if (!right) {
		expr__free(left);
		return NULL;
	}
	return new_node(parser, kind, left, right);
}

static struct expr *parse_product(struct parser *parser)
{
	struct expr *expr = parse_primary(parser);

	while (expr && accept(parser, "*"))
		expr = join(parser, EXPR_MULTIPLY, expr, parse_primary);
	return expr;
}

static struct expr *parse_sum(struct parser *parser)
{
	struct expr *expr = parse_product(parser);

	while (expr) {
		if (accept(parser, "+"))
			expr = join(parser, EXPR_ADD, expr, parse_product);
		else if (accept(parser, "-"))
			expr = join(parser, EXPR_SUBTRACT, expr, parse_product);
		else if (strncmp(parser->at, "&&", 2) != 0 && accept(parser, "&"))
			expr = join(parser, EXPR_AND, expr, parse_product);
		else
			break;
	}
	return expr;
}

/* Fills in the sides of a comparison. Without a compare sign the sum is compared with 0. */
static int parse_comparison(struct parser *parser, struct condition *condition)
{
	condition->compare = EXPR_NE;
	condition->left = parse_sum(parser);
	if (!condition->left)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(compares) / sizeof(compares[0]); i++) {
		if (accept(parser, compares[i].sign)) {
			condition->compare = compares[i].compare;
			condition->right = parse_sum(parser);
			return condition->right ? 0 : -EINVAL;
		}
	}
	condition->right = new_number(parser, 0);
	return condition->right ? 0 : -EINVAL;
}

/* True at the end of the text; else says what stands there. */
static bool at_end(struct parser *parser)
{
	char c;

	skip_blanks(parser);
	c = *parser->at;
	if (c == '\0')
		return true;
	fail(parser, parser->at, "unexpected '%c'", c > ' ' && c < 0x7f ? c : '?');
	return false;
}

static struct parser start(const char *text, char *error, size_t error_size)
{
	return (struct parser){
		.text = text,
		.at = text,
		.error = error,
		.error_size = error_size,
	};
}

struct expr *expr__parse(const char *text, char *error, size_t error_size)
{
	struct parser parser = start(text, error, error_size);
	struct expr *expr = parse_sum(&parser);

	if (expr && !at_end(&parser)) {
		expr__free(expr);
		return NULL;
	}
	return expr;
}

struct condition *condition__parse(const char *text, char *error, size_t error_size)
{
	struct parser parser = start(text, error, error_size);
	struct condition *first = NULL, **next = &first;

	do {
		*next = calloc(1, sizeof(**next));
		if (!*next) {
			fail(&parser, parser.at, "out of memory");
			goto free;
		}
		if (parse_comparison(&parser, *next))
			goto free;
		next = &(*next)->next;
	} while (accept(&parser, "&&"));
	if (at_end(&parser))
		return first;
free:
	condition__free(first);
	return NULL;
}

void expr__free(struct expr *expr)
{
	if (!expr)
		return;
	expr__free(expr->left);
	expr__free(expr->right);
	free(expr->name);
	free(expr);
}

void condition__free(struct condition *condition)
{
	while (condition) {
		struct condition *next = condition->next;

		expr__free(condition->left);
		expr__free(condition->right);
		free(condition);
		condition = next;
	}
}
