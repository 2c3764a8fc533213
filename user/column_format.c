/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how the value of a column is written for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "log.h"

/* Units, smallest first; a number is shown in the largest one that leaves it at least 1. */
struct scale {
	double step;
	const char *names[8];
};

static const struct scale count_scale = { 1000, { "", "k", "M", "G", "T", "P", "E", "Z" } };
static const struct scale byte_scale = { 1024, { "B", "K", "M", "G", "T", "P", "E", "Z" } };

static void format_whole(double number, const char *unit, char *text, size_t size)
{
	snprintf(text, size, "%llu%s", (unsigned long long)(number + 0.5), unit);
}

/* Three digits, without zeros at the end of the fraction. */
static void format_three_digits(double number, const char *unit, char *text, size_t size)
{
	int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
	unsigned int shown = (unsigned int)(number * (decimals == 2 ? 100
						      : decimals    ? 10
								    : 1) +
					    0.5);

	while (decimals && shown % 10 == 0) {
		shown /= 10;
		decimals--;
	}
	if (decimals == 2)
		snprintf(text, size, "%u.%02u%s", shown / 100, shown % 100, unit);
	else if (decimals)
		snprintf(text, size, "%u.%u%s", shown / 10, shown % 10, unit);
	else
		snprintf(text, size, "%u%s", shown, unit);
}

static void format_scaled(double number, const struct scale *scale, char *text, size_t size)
{
	size_t unit = 0, last = sizeof(scale->names) / sizeof(scale->names[0]) - 1;

	while (unit < last && number >= scale->step - 0.5) {
		number /= scale->step;
		unit++;
	}
	format_three_digits(number, scale->names[unit], text, size);
}

static void format_count(double number, char *text, size_t size)
{
	if (number < 9999.5)
		format_whole(number, "", text, size);
	else
		format_scaled(number, &count_scale, text, size);
}

/* One decimal; what is not zero is not shown as zero. */
static void format_tenths(double number, char *text, size_t size)
{
	unsigned int tenths = (unsigned int)(number * 10 + 0.5);

	if (number > 0 && !tenths)
		snprintf(text, size, "<0.1");
	else
		snprintf(text, size, "%u.%u", tenths / 10, tenths % 10);
}

static void format_rate(double number, char *text, size_t size)
{
	if (number < 9.95)
		format_tenths(number, text, size);
	else
		format_count(number, text, size);
}

/* What is not quite 100 is not shown as 100. */
static void format_percent(double number, char *text, size_t size)
{
	if (number >= 999.5)
		format_count(number, text, size);
	else
		format_tenths(number < 100 && number > 99.9 ? 99.9 : number, text, size);
}

static void format_duration(double ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s", "h" };
	static const double steps[] = { 1000, 1000, 1000, 3600 };
	size_t unit = 0;
	double number = ns;

	while (unit < 4 && number >= steps[unit] - 0.5) {
		number /= steps[unit];
		unit++;
	}
	if (number >= 999.5)
		format_whole(number, units[unit], text, size);
	else
		format_three_digits(number, units[unit], text, size);
}

static void format_ratio(double number, char *text, size_t size)
{
	unsigned int hundredths;

	if (number >= 99.995) {
		format_count(number, text, size);
		return;
	}
	hundredths = (unsigned int)(number * 100 + 0.5);
	if (number > 0 && !hundredths)
		snprintf(text, size, "<0.01");
	else
		snprintf(text, size, "%u.%02u", hundredths / 100, hundredths % 100);
}

static void format_number(enum column_type type, enum unit unit, double number, char *text,
			  size_t size)
{
	switch (type) {
	case COLUMN_RATE:
		format_rate(number, text, size);
		break;
	case COLUMN_PERCENT:
		format_percent(number, text, size);
		break;
	case COLUMN_DURATION:
		format_duration(number, text, size);
		break;
	case COLUMN_RATIO:
		format_ratio(number, text, size);
		break;
	case COLUMN_SIZE:
		if (unit == UNIT_BYTES) {
			format_scaled(number, &byte_scale, text, size);
			break;
		}
		__attribute__((fallthrough));
	default:
		format_count(number, text, size);
	}
}

void column__format(const struct column *column, const struct column_row *row, char *text,
		    size_t size)
{
	struct column_value value = { 0 };

	column->get(row, &value);
	if (!value.known) {
		snprintf(text, size, "%s", value.text ? value.text : "-");
	} else if (column->type == COLUMN_TEXT) {
		log__printable(text, size, value.text);
	} else if (column->type == COLUMN_ID) {
		snprintf(text, size, "%llu", (unsigned long long)value.id);
	} else if (column->type == COLUMN_ADDRESS) {
		snprintf(text, size, "0x%llx", (unsigned long long)value.id);
	} else if (!isfinite(value.number)) {
		snprintf(text, size, "-");
	} else if (value.number < 0 && size > 1) {
		text[0] = '-';
		format_number(column->type, value.unit, -value.number, text + 1, size - 1);
	} else {
		format_number(column->type, value.unit, value.number, text, size);
	}
}
