/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the columns: what each is called, what it means, and where its value comes from. */
#include "columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void set_text(struct column_value *value, const char *text)
{
	value->known = text != NULL;
	value->text = text;
}

static void set_number(struct column_value *value, double number)
{
	value->known = true;
	value->number = number;
}

static void set_share(struct column_value *value, double part, double whole)
{
	if (whole > 0)
		set_number(value, part / whole);
}

static void set_percent(struct column_value *value, double part, double whole)
{
	set_share(value, 100 * part, whole);
}

/* A member of the row's cumulative numbers, as it is. */
#define TEXT_GETTER(member)                                                                \
	static void get_##member(const struct column_row *row, struct column_value *value) \
	{                                                                                  \
		set_text(value, row->total->member);                                       \
	}

TEXT_GETTER(comm)
TEXT_GETTER(target)
TEXT_GETTER(cache)
TEXT_GETTER(where)
TEXT_GETTER(exe)
TEXT_GETTER(cgroup)
TEXT_GETTER(container)

static void get_pid(const struct column_row *row, struct column_value *value)
{
	value->known = true;
	value->id = row->total->pid;
}

static void get_object(const struct column_row *row, struct column_value *value)
{
	value->known = row->total->has_object;
	value->id = row->total->object;
}

static void get_source(const struct column_row *row, struct column_value *value)
{
	set_text(value, row->total->source == SOURCE_COUNTERS ? "counters" : "probes");
}

static void get_verified(const struct column_row *row, struct column_value *value)
{
	static const char *const names[] = { [VERIFIED_YES] = "yes", [VERIFIED_NO] = "no" };

	set_text(value, names[row->total->verified]);
}

static void get_lookups_rate(const struct column_row *row, struct column_value *value)
{
	set_share(value, (double)snapshot_cache__lookups(row->span), row->seconds);
}

static void get_hits_rate(const struct column_row *row, struct column_value *value)
{
	set_share(value, (double)row->span->outcome[CT_HIT], row->seconds);
}

static void get_misses_rate(const struct column_row *row, struct column_value *value)
{
	set_share(value, (double)row->span->outcome[CT_MISS], row->seconds);
}

static void get_hit_percent(const struct column_row *row, struct column_value *value)
{
	set_percent(value, (double)row->span->outcome[CT_HIT],
		    (double)snapshot_cache__lookups(row->span));
}

static void get_total_hit_percent(const struct column_row *row, struct column_value *value)
{
	set_percent(value, (double)row->total->outcome[CT_HIT],
		    (double)snapshot_cache__lookups(row->total));
}

static void get_lookups(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)snapshot_cache__lookups(row->total));
}

static void get_hits(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)row->total->outcome[CT_HIT]);
}

static void get_misses(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)row->total->outcome[CT_MISS]);
}

static void get_other(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)snapshot_cache__other(row->total));
}

static void get_computes(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)row->total->computes);
}

static void get_lost(const struct column_row *row, struct column_value *value)
{
	set_number(value, (double)row->total->lost);
}

static void get_entries(const struct column_row *row, struct column_value *value)
{
	value->unit = row->total->unit;
	if (row->total->has_entries)
		set_number(value, (double)row->total->entries);
}

static void get_capacity(const struct column_row *row, struct column_value *value)
{
	value->unit = row->total->unit;
	if (!row->total->has_capacity)
		return;
	if (row->total->capacity > 0)
		set_number(value, (double)row->total->capacity);
	else
		value->text = "no limit";
}

static void get_utilization(const struct column_row *row, struct column_value *value)
{
	if (row->total->has_entries && row->total->has_capacity)
		set_percent(value, (double)row->total->entries, (double)row->total->capacity);
}

static void set_quantile(struct column_value *value, const struct histogram *histogram,
			 double share)
{
	if (histogram->used)
		set_number(value, (double)histogram__quantile(histogram, share));
}

static void get_lookup_p50(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->lookup_latency, 0.5);
}

static void get_lookup_p99(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->lookup_latency, 0.99);
}

static void get_lookup_max(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->lookup_latency, 1);
}

static void get_compute_p50(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->compute_latency, 0.5);
}

static void get_compute_p99(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->compute_latency, 0.99);
}

static void get_compute_max(const struct column_row *row, struct column_value *value)
{
	set_quantile(value, &row->span->compute_latency, 1);
}

static void get_compute_mean(const struct column_row *row, struct column_value *value)
{
	const struct histogram *computes = &row->span->compute_latency;

	set_share(value, (double)computes->sum_ns, (double)computes->count);
}

static void get_load(const struct column_row *row, struct column_value *value)
{
	if (row->span->has_compute_latency)
		set_share(value, (double)row->span->compute_latency.sum_ns, row->seconds * 1e9);
}

const struct column columns[] = {
	{ "pid", "PID", "process id",
	  COLUMN_ID, 4, .get = get_pid },
	{ "comm", "COMM", "name of the process",
	  COLUMN_TEXT, 10, .get = get_comm },
	{ "target", "TARGET", "kind of cache, by the name of its target file",
	  COLUMN_TEXT, 0, .get = get_target },
	{ "cache", "CACHE", "name of the cache",
	  COLUMN_TEXT, 1, .get = get_cache },
	{ "where", "WHERE", "source file and line, or the place of the cache in the program",
	  COLUMN_TEXT, 0, .get = get_where },
	{ "object", "OBJECT", "address of the cache in the process, where there is one for each",
	  COLUMN_ADDRESS, 15, .get = get_object },
	{ "exe", "EXE", "path of the executable",
	  COLUMN_TEXT, 0, .get = get_exe },
	{ "cgroup", "CGROUP", "control group of the process",
	  COLUMN_TEXT, 0, .get = get_cgroup },
	{ "container", "CONTAINER", "id of the container",
	  COLUMN_TEXT, 0, .get = get_container },
	{ "source", "SOURCE", "probes: counted by cachetrace; counters: the program's own",
	  COLUMN_TEXT, 0, .get = get_source },
	{ "verified", "VERIFIED",
	  "whether the numbers agree with the program's own, where that can be told",
	  COLUMN_TEXT, 0, .get = get_verified },
	{ "lookups/s", "LOOKUPS/S", "lookups per second",
	  COLUMN_RATE, 3, true, .get = get_lookups_rate },
	{ "hits/s", "HITS/S", "hits per second",
	  COLUMN_RATE, 0, true, .get = get_hits_rate },
	{ "hit%", "HIT%", "hits per 100 lookups in the interval; sorts the lowest first",
	  COLUMN_PERCENT, 2, .graded = true, .get = get_hit_percent },
	{ "misses/s", "MISSES/S", "misses per second",
	  COLUMN_RATE, 6, true, .get = get_misses_rate },
	{ "lookups", "LOOKUPS", "lookups since the start of tracing: hits, misses and other",
	  COLUMN_COUNT, 0, true, .get = get_lookups },
	{ "hits", "HITS", "hits since the start of tracing",
	  COLUMN_COUNT, 0, true, .get = get_hits },
	{ "misses", "MISSES", "misses since the start of tracing",
	  COLUMN_COUNT, 0, true, .get = get_misses },
	{ "other", "OTHER",
	  "lookups that were neither hit nor miss (stale, bypass, ...), since the start of tracing",
	  COLUMN_COUNT, 0, true, .get = get_other },
	{ "total-hit%", "TOTAL-HIT%",
	  "hits per 100 lookups since the start of tracing; sorts the lowest first",
	  COLUMN_PERCENT, 0, .graded = true, .get = get_total_hit_percent },
	{ "computes", "COMPUTES",
	  "times that the work behind the cache was done, since the start of tracing",
	  COLUMN_COUNT, 0, true, .get = get_computes },
	{ "entries", "ENTRIES", "how much the cache holds: entries, or bytes where it counts bytes",
	  COLUMN_SIZE, 11, true, .get = get_entries },
	{ "capacity", "CAPACITY", "how much the cache can hold",
	  COLUMN_SIZE, 12, true, .get = get_capacity },
	{ "utilization", "UTIL%", "how full the cache is: 100 * entries / capacity",
	  COLUMN_PERCENT, 7, true, .get = get_utilization },
	{ "lookup-p50", "LOOKUP-P50", "half of the lookups in the interval took no longer",
	  COLUMN_DURATION, 14, true, .get = get_lookup_p50 },
	{ "lookup-p99", "LOOKUP-P99", "99 of 100 lookups in the interval took no longer",
	  COLUMN_DURATION, 9, true, .get = get_lookup_p99 },
	{ "lookup-max", "LOOKUP-MAX", "the longest lookup in the interval",
	  COLUMN_DURATION, 0, true, .get = get_lookup_max },
	{ "compute-p50", "COMPUTE-P50",
	  "half of the computes (the work after a miss) in the interval took no longer",
	  COLUMN_DURATION, 13, true, .get = get_compute_p50 },
	{ "compute-p99", "COMPUTE-P99", "99 of 100 computes in the interval took no longer",
	  COLUMN_DURATION, 8, true, .get = get_compute_p99 },
	{ "compute-max", "COMPUTE-MAX", "the longest compute in the interval",
	  COLUMN_DURATION, 0, true, .get = get_compute_max },
	{ "compute-mean", "COMPUTE-MEAN",
	  "mean time of a compute in the interval: what a miss costs",
	  COLUMN_DURATION, 0, true, .get = get_compute_mean },
	{ "load", "LOAD", "compute time per second: at 1.00, one thread computes all the time",
	  COLUMN_RATIO, 8, true, .get = get_load },
	{ "lost", "LOST", "lookups that could not be counted, since the start of tracing",
	  COLUMN_COUNT, 5, true, .rare = true, .get = get_lost },
};

const size_t columns_count = sizeof(columns) / sizeof(columns[0]);

const struct column *column__find(const char *name)
{
	const struct column *found = NULL;
	size_t size = strlen(name);

	for (size_t i = 0; i < columns_count; i++)
		if (!strcasecmp(columns[i].name, name))
			return &columns[i];
	for (size_t i = 0; i < columns_count && size; i++) {
		if (strncasecmp(columns[i].name, name, size))
			continue;
		if (found)
			return NULL;
		found = &columns[i];
	}
	return found;
}

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_ids(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (b != NULL) - (a != NULL);
}

/* Unknown values come last in either direction. */
static int compare_values(const struct column *by, const struct column_value *a,
			  const struct column_value *b)
{
	int order;

	if (!a->known || !b->known)
		return b->known - a->known;
	switch (by->type) {
	case COLUMN_TEXT:
		order = compare_texts(a->text, b->text);
		break;
	case COLUMN_ID:
	case COLUMN_ADDRESS:
		order = compare_ids(a->id, b->id);
		break;
	default:
		order = compare_numbers(a->number, b->number);
	}
	return by->descending ? -order : order;
}

static int compare_identities(const struct snapshot_cache *a, const struct snapshot_cache *b)
{
	int order = compare_ids(a->pid, b->pid);

	if (!order)
		order = compare_texts(a->target, b->target);
	if (!order)
		order = compare_texts(a->cache, b->cache);
	if (!order)
		order = compare_ids(a->object, b->object);
	return order ? order : compare_ids(a->start_time, b->start_time);
}

/* A row with the value that it is sorted by, which may take long to get. */
struct sorted_row {
	struct column_value value;
	struct column_row row;
};

static int compare_sorted_rows(const void *one, const void *other, void *by)
{
	const struct sorted_row *a = one, *b = other;
	int order = compare_values(by, &a->value, &b->value);

	return order ? order : compare_identities(a->row.total, b->row.total);
}

static int compare_rows(const void *one, const void *other, void *by)
{
	const struct column *column = by;
	struct sorted_row a = { .row = *(const struct column_row *)one };
	struct sorted_row b = { .row = *(const struct column_row *)other };

	column->get(&a.row, &a.value);
	column->get(&b.row, &b.value);
	return compare_sorted_rows(&a, &b, by);
}

void columns__sort(struct column_row *rows, size_t count, const struct column *by)
{
	struct sorted_row *sorted = calloc(count + 1, sizeof(*sorted));

	if (!by)
		by = column__find("lookups/s");
	if (!sorted) {
		qsort_r(rows, count, sizeof(*rows), compare_rows, (void *)by);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i].row = rows[i];
		by->get(&rows[i], &sorted[i].value);
	}
	qsort_r(sorted, count, sizeof(*sorted), compare_sorted_rows, (void *)by);
	for (size_t i = 0; i < count; i++)
		rows[i] = sorted[i].row;
	free(sorted);
}

void columns__print_help(FILE *stream)
{
	for (size_t i = 0; i < columns_count; i++)
		fprintf(stream, "  %-13s %s\n", columns[i].name, columns[i].help);
}
