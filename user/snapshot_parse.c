/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how saved snapshots are read, whatever a line may hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "snapshot_json.h"

/* A snapshot under construction. */
struct reader {
	struct snapshot *snapshot;
	bool out_of_memory;
};

static const char *read_text(struct reader *reader, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	const char *kept = snapshot__string(reader->snapshot, text);

	if (text && !kept)
		reader->out_of_memory = true;
	return kept;
}

/* A whole number that is not negative, from a real too; 0 for anything else. */
static uint64_t count_of(const json_t *value)
{
	double real = json_real_value(value);

	if (json_is_integer(value))
		return json_integer_value(value) > 0 ? json_integer_value(value) : 0;
	if (real >= (double)INT64_MAX)
		return INT64_MAX;
	return real > 0 ? (uint64_t)real : 0;
}

static uint64_t read_count(const json_t *object, const char *name)
{
	return count_of(json_object_get(object, name));
}

static bool read_gauge(const json_t *object, const char *name, int64_t *gauge)
{
	const json_t *value = json_object_get(object, name);

	*gauge = json_integer_value(value);
	return json_is_integer(value);
}

/* The place of the text in a table of names; 0 if it is none of them. */
static unsigned int read_name(const json_t *object, const char *name, const char *const *names,
			      unsigned int count)
{
	const char *text = json_string_value(json_object_get(object, name));

	for (unsigned int i = 0; text && i < count; i++)
		if (!strcmp(names[i], text))
			return i;
	return 0;
}

/* Digits of the text as a number; -1 if some are not digits. */
static int digits(const char *text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + text[i] - '0';
	}
	return number;
}

/* 0 unless it is a time just as snapshot_time__format writes it. */
static int64_t read_time(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	char again[SNAPSHOT_TIME_SIZE];
	struct tm parts = { 0 };
	int64_t time_ms;

	if (!text || strlen(text) != SNAPSHOT_TIME_SIZE - 1)
		return 0;
	parts.tm_year = digits(text, 4) - 1900;
	parts.tm_mon = digits(text + 5, 2) - 1;
	parts.tm_mday = digits(text + 8, 2);
	parts.tm_hour = digits(text + 11, 2);
	parts.tm_min = digits(text + 14, 2);
	parts.tm_sec = digits(text + 17, 2);
	time_ms = (int64_t)timegm(&parts) * 1000 + digits(text + 20, 3);
	snapshot_time__format(time_ms, again);
	return strcmp(text, again) ? 0 : time_ms;
}

static bool read_object(const json_t *row, uint64_t *object)
{
	const char *text = json_string_value(json_object_get(row, "object"));
	unsigned long long number;
	char *end;

	if (!text || strncmp(text, "0x", 2) ||
	    strspn(text + 2, "0123456789abcdef") != strlen(text + 2))
		return false;
	errno = 0;
	number = strtoull(text + 2, &end, 16);
	if (errno || end == text + 2)
		return false;
	*object = number;
	return true;
}

static enum verified read_verified(const json_t *row)
{
	const json_t *value = json_object_get(row, "verified");

	return json_is_true(value)    ? VERIFIED_YES
	       : json_is_false(value) ? VERIFIED_NO
				      : VERIFIED_UNKNOWN;
}

/* True if the latency was measured. */
static bool read_latency(struct reader *reader, const json_t *row, const char *name,
			 struct histogram *histogram)
{
	const json_t *latency = json_object_get(row, name),
		     *buckets = json_object_get(latency, "buckets"), *pair;
	size_t i;

	if (!json_is_object(latency))
		return false;
	histogram->count = read_count(latency, "count");
	histogram->sum_ns = read_count(latency, "sum_ns");
	histogram->max_ns = read_count(latency, "max_ns");
	json_array_foreach(buckets, i, pair)
	{
		uint32_t bucket = histogram__bucket_of(count_of(json_array_get(pair, 0)));

		if (histogram__add(histogram, bucket, count_of(json_array_get(pair, 1))))
			reader->out_of_memory = true;
	}
	return true;
}

/* Outcomes of unknown names count as "other", so that the lookups stay what they were. */
static void read_outcomes(const json_t *row, uint64_t outcome[CT_OUTCOMES])
{
	const json_t *value;
	const char *name;

	json_object_foreach((json_t *)json_object_get(row, "other"), name, value)
	{
		int number = outcome__number(name);

		if (number < 0 || number >= CT_OUTCOMES)
			number = CT_OTHER;
		outcome[number] = count__add(outcome[number], count_of(value));
	}
	outcome[CT_HIT] = read_count(row, "hits");
	outcome[CT_MISS] = read_count(row, "misses");
}

static void read_identity(struct reader *reader, const json_t *row, struct snapshot_cache *cache)
{
	uint64_t pid = read_count(row, "pid");

	cache->target = read_text(reader, row, "target");
	cache->cache = read_text(reader, row, "cache");
	cache->where = read_text(reader, row, "where");
	cache->pid = pid <= UINT32_MAX ? pid : 0;
	cache->start_time = read_count(row, "start_time");
	cache->has_object = read_object(row, &cache->object);
	cache->comm = read_text(reader, row, "comm");
	cache->exe = read_text(reader, row, "exe");
	cache->cgroup = read_text(reader, row, "cgroup");
	cache->container = read_text(reader, row, "container");
	cache->source = read_name(row, "source", snapshot_source_names, SOURCE_COUNTERS + 1);
	cache->verified = read_verified(row);
}

static void read_cache(struct reader *reader, const json_t *row)
{
	struct snapshot_cache *cache = snapshot__add(reader->snapshot);

	if (!cache) {
		reader->out_of_memory = true;
		return;
	}
	read_identity(reader, row, cache);
	read_outcomes(row, cache->outcome);
	cache->computes = read_count(row, "computes");
	cache->lost = read_count(row, "lost");
	cache->has_entries = read_gauge(row, "entries", &cache->entries);
	cache->has_capacity = read_gauge(row, "capacity", &cache->capacity);
	cache->unit = read_name(row, "unit", snapshot_unit_names, UNIT_BYTES + 1);
	cache->has_lookup_latency =
		read_latency(reader, row, "lookup_latency", &cache->lookup_latency);
	cache->has_compute_latency =
		read_latency(reader, row, "compute_latency", &cache->compute_latency);
}

static void read_head(struct reader *reader, const json_t *root)
{
	struct snapshot *snapshot = reader->snapshot;
	const json_t *host = json_object_get(root, "host");

	snapshot->version = read_text(reader, root, "version");
	snapshot->host_name = read_text(reader, host, "name");
	snapshot->kernel = read_text(reader, host, "kernel");
	snapshot->boot_id = read_text(reader, host, "boot_id");
	snapshot->time_ms = read_time(root, "time");
	snapshot->since_ms = read_time(root, "since");
	snapshot->interval_s = json_number_value(json_object_get(root, "interval_s"));
	snapshot->final = json_is_true(json_object_get(root, "final"));
}

static void read_tail(struct snapshot *snapshot, const json_t *root)
{
	const json_t *lost = json_object_get(root, "lost"), *self = json_object_get(root, "self");

	for (int i = 0; i < CT_LOST_REASONS; i++)
		snapshot->lost[i] = read_count(lost, snapshot_lost_names[i]);
	snapshot->self.cpu_s = json_number_value(json_object_get(self, "cpu_s"));
	snapshot->self.rss_bytes = read_count(self, "rss_bytes");
	snapshot->self.has_bpf_ns = json_is_number(json_object_get(self, "bpf_ns"));
	snapshot->self.bpf_ns = read_count(self, "bpf_ns");
	snapshot->self.sites = read_count(self, "sites");
}

/* NULL, or why this is not a snapshot that can be read. */
static const char *reason_to_refuse(const json_t *root)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *caches = json_object_get(root, "caches"), *row;
	size_t i, size = strlen(SNAPSHOT_SCHEMA);

	if (!schema || strncmp(schema, SNAPSHOT_SCHEMA_FAMILY, strlen(SNAPSHOT_SCHEMA_FAMILY)))
		return "not a snapshot: there is no \"schema\":\"" SNAPSHOT_SCHEMA "\"";
	if (strncmp(schema, SNAPSHOT_SCHEMA, size) || (schema[size] && schema[size] != '.'))
		return "a snapshot of another major version than \"" SNAPSHOT_SCHEMA "\"";
	if (!json_is_array(caches))
		return "not a snapshot: there is no array \"caches\"";
	json_array_foreach(caches, i, row) if (
		!json_is_object(
			row)) return "not a snapshot: \"caches\" holds something else than objects";
	return NULL;
}

static struct snapshot *read_root(const json_t *root)
{
	struct reader reader = { .snapshot = snapshot__new() };
	const json_t *row;
	size_t i;

	if (!reader.snapshot)
		return NULL;
	read_head(&reader, root);
	json_array_foreach(json_object_get(root, "caches"), i, row) read_cache(&reader, row);
	read_tail(reader.snapshot, root);
	if (!reader.out_of_memory)
		return reader.snapshot;
	snapshot__free(reader.snapshot);
	return NULL;
}

struct snapshot *snapshot__parse(const char *line, size_t size, char *error, size_t error_size)
{
	struct snapshot *snapshot = NULL;
	json_error_t at;
	json_t *root = json_loadb(line, size, 0, &at);
	const char *reason;

	if (!root) {
		snprintf(error, error_size, "not JSON: %s (at byte %d)", at.text, at.position);
		return NULL;
	}
	reason = reason_to_refuse(root);
	if (!reason) {
		snapshot = read_root(root);
		reason = "out of memory";
	}
	if (!snapshot)
		snprintf(error, error_size, "%s", reason);
	json_decref(root);
	return snapshot;
}
