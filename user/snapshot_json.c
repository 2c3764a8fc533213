/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how snapshots are saved: as one JSON object a line. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "snapshot_json.h"

/* 15 digits come back from a double unchanged, 16 may not; ASCII text cannot drive a terminal. */
enum { DUMP_FLAGS = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15) };

const char *const snapshot_lost_names[CT_LOST_REASONS] = {
	[CT_LOST_MAP_FULL] = "map_full",
	[CT_LOST_UNMATCHED_RETURN] = "unmatched_return",
	[CT_LOST_NESTING] = "nesting",
	[CT_LOST_READ_FAULT] = "read_fault",
};

const char *const snapshot_unit_names[] = { [UNIT_ENTRIES] = "entries", [UNIT_BYTES] = "bytes" };
const char *const snapshot_source_names[] = {
	[SOURCE_PROBES] = "probes",
	[SOURCE_COUNTERS] = "counters",
};

/* An object under construction; its members keep their order. */
struct writer {
	json_t *object;
	bool failed;
};

static void put(struct writer *writer, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(writer->object, name, value))
		writer->failed = true;
}

static struct writer writer__begin(void)
{
	struct writer writer = { .object = json_object() };

	writer.failed = !writer.object;
	return writer;
}

static json_t *writer__end(struct writer *writer)
{
	if (!writer->failed)
		return writer->object;
	json_decref(writer->object);
	return NULL;
}

/* Text that is not UTF-8, with U+FFFD for each byte that belongs to no character. */
static json_t *repaired_text(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t left = strlen(text), size = 0;
	char *repaired = malloc(left * (sizeof(replacement) - 1) + 1);
	json_t *string;

	if (!repaired)
		return NULL;
	while (left) {
		size_t bytes = 0;

		for (string = NULL; !string && bytes < 4 && bytes < left;)
			string = json_stringn(text, ++bytes);
		if (string) {
			memcpy(repaired + size, text, bytes);
			size += bytes;
		} else {
			memcpy(repaired + size, replacement, sizeof(replacement) - 1);
			size += sizeof(replacement) - 1;
			bytes = 1;
		}
		json_decref(string);
		text += bytes;
		left -= bytes;
	}
	string = json_stringn(repaired, size);
	free(repaired);
	return string;
}

static json_t *text_value(const char *text)
{
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	return string ? string : repaired_text(text);
}

static json_t *count_value(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

/* A real rounded to one in scale parts; null if it is not finite. */
static json_t *real_value(double value, int scale)
{
	double parts = value * scale;

	if (!isfinite(value))
		return json_null();
	/* From 1e15 on, parts have no fraction to be rounded. */
	if (parts > -1e15 && parts < 1e15)
		value = (double)(int64_t)(parts + (parts < 0 ? -0.5 : 0.5)) / scale;
	return json_real(value);
}

static json_t *percent_value(double part, double whole)
{
	return whole > 0 ? real_value(100 * part / whole, 100) : json_null();
}

void snapshot_time__format(int64_t time_ms, char text[SNAPSHOT_TIME_SIZE])
{
	static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;
	int64_t ms = time_ms < first_ms ? first_ms : time_ms > last_ms ? last_ms : time_ms;
	unsigned int milliseconds = (ms % 1000 + 1000) % 1000;
	time_t seconds = (ms - milliseconds) / 1000;
	struct tm parts;

	gmtime_r(&seconds, &parts);
	snprintf(text, SNAPSHOT_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (parts.tm_year + 1900) % 10000U, (parts.tm_mon + 1) % 100U, parts.tm_mday % 100U,
		 parts.tm_hour % 100U, parts.tm_min % 100U, parts.tm_sec % 100U,
		 milliseconds % 1000U);
}

static json_t *time_value(int64_t time_ms)
{
	char text[SNAPSHOT_TIME_SIZE];

	snapshot_time__format(time_ms, text);
	return json_string(text);
}

static json_t *buckets_value(const struct histogram *histogram)
{
	json_t *buckets = json_array();

	for (uint32_t i = 0; buckets && i < histogram->used; i++) {
		const struct histogram_bucket *bucket = &histogram->buckets[i];
		json_t *pair = json_array();

		if (json_array_append_new(pair,
					  count_value(histogram__bucket_from(bucket->bucket))) ||
		    json_array_append_new(pair, count_value(bucket->count)) ||
		    json_array_append(buckets, pair)) {
			json_decref(buckets);
			buckets = NULL;
		}
		json_decref(pair);
	}
	return buckets;
}

static json_t *latency_value(bool known, const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double share;
	} quantiles[] = { { "p50_ns", 0.5 }, { "p90_ns", 0.9 }, { "p99_ns", 0.99 } };
	struct writer writer;

	if (!known)
		return json_null();
	writer = writer__begin();
	put(&writer, "count", count_value(histogram->count));
	put(&writer, "sum_ns", count_value(histogram->sum_ns));
	put(&writer, "mean_ns",
	    histogram->count ? count_value(histogram->sum_ns / histogram->count) : json_null());
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		put(&writer, quantiles[i].name,
		    histogram->count && histogram->used
			    ? count_value(histogram__quantile(histogram, quantiles[i].share))
			    : json_null());
	put(&writer, "max_ns", histogram->count ? count_value(histogram->max_ns) : json_null());
	put(&writer, "buckets", buckets_value(histogram));
	return writer__end(&writer);
}

static json_t *other_value(const struct snapshot_cache *cache)
{
	struct writer writer = writer__begin();

	for (int i = 0; i < CT_OUTCOMES; i++)
		if (i != CT_HIT && i != CT_MISS && cache->outcome[i])
			put(&writer, outcome__name(i), count_value(cache->outcome[i]));
	return writer__end(&writer);
}

static json_t *load_value(const struct snapshot *snapshot, const struct snapshot_cache *cache)
{
	double span_ms = (double)snapshot->time_ms - (double)snapshot->since_ms;

	if (!cache->has_compute_latency || span_ms <= 0)
		return json_null();
	return real_value((double)cache->compute_latency.sum_ns / (span_ms * 1e6), 10000);
}

static json_t *object_value(const struct snapshot_cache *cache)
{
	return cache->has_object ? json_sprintf("0x%llx", (unsigned long long)cache->object)
				 : json_null();
}

static json_t *verified_value(enum verified verified)
{
	return verified == VERIFIED_UNKNOWN ? json_null() : json_boolean(verified == VERIFIED_YES);
}

static void put_identity(struct writer *writer, const struct snapshot_cache *cache)
{
	put(writer, "target", text_value(cache->target));
	put(writer, "cache", text_value(cache->cache));
	put(writer, "where", text_value(cache->where));
	put(writer, "pid", count_value(cache->pid));
	put(writer, "start_time", count_value(cache->start_time));
	put(writer, "object", object_value(cache));
	put(writer, "comm", text_value(cache->comm));
	put(writer, "exe", text_value(cache->exe));
	put(writer, "cgroup", text_value(cache->cgroup));
	put(writer, "container", text_value(cache->container));
	put(writer, "source", json_string(snapshot_source_names[cache->source]));
	put(writer, "verified", verified_value(cache->verified));
}

static void put_gauges(struct writer *writer, const struct snapshot_cache *cache)
{
	bool bounded = cache->has_entries && cache->has_capacity;

	put(writer, "entries", cache->has_entries ? json_integer(cache->entries) : json_null());
	put(writer, "capacity", cache->has_capacity ? json_integer(cache->capacity) : json_null());
	put(writer, "utilization_percent",
	    bounded ? percent_value((double)cache->entries, (double)cache->capacity) : json_null());
	put(writer, "unit", json_string(snapshot_unit_names[cache->unit]));
}

static json_t *cache_value(const struct snapshot *snapshot, const struct snapshot_cache *cache)
{
	uint64_t lookups = snapshot_cache__lookups(cache);
	struct writer writer = writer__begin();

	put_identity(&writer, cache);
	put(&writer, "lookups", count_value(lookups));
	put(&writer, "hits", count_value(cache->outcome[CT_HIT]));
	put(&writer, "misses", count_value(cache->outcome[CT_MISS]));
	put(&writer, "other", other_value(cache));
	put(&writer, "lost", count_value(cache->lost));
	put(&writer, "computes", count_value(cache->computes));
	put(&writer, "hit_rate_percent",
	    percent_value((double)cache->outcome[CT_HIT], (double)lookups));
	put_gauges(&writer, cache);
	put(&writer, "load", load_value(snapshot, cache));
	put(&writer, "lookup_latency",
	    latency_value(cache->has_lookup_latency, &cache->lookup_latency));
	put(&writer, "compute_latency",
	    latency_value(cache->has_compute_latency, &cache->compute_latency));
	return writer__end(&writer);
}

static json_t *host_value(const struct snapshot *snapshot)
{
	struct writer writer = writer__begin();

	put(&writer, "name", text_value(snapshot->host_name));
	put(&writer, "kernel", text_value(snapshot->kernel));
	put(&writer, "boot_id", text_value(snapshot->boot_id));
	return writer__end(&writer);
}

/* The members before the caches. */
static json_t *head_value(const struct snapshot *snapshot)
{
	struct writer writer = writer__begin();

	put(&writer, "schema", json_string(SNAPSHOT_SCHEMA));
	put(&writer, "version", text_value(snapshot->version));
	put(&writer, "host", host_value(snapshot));
	put(&writer, "time", time_value(snapshot->time_ms));
	put(&writer, "since", time_value(snapshot->since_ms));
	put(&writer, "interval_s", real_value(snapshot->interval_s, 1000));
	put(&writer, "final", json_boolean(snapshot->final));
	return writer__end(&writer);
}

static json_t *lost_value(const struct snapshot *snapshot)
{
	struct writer writer = writer__begin();

	for (int i = 0; i < CT_LOST_REASONS; i++)
		put(&writer, snapshot_lost_names[i], count_value(snapshot->lost[i]));
	return writer__end(&writer);
}

static json_t *self_value(const struct snapshot *snapshot)
{
	struct writer writer = writer__begin();

	put(&writer, "cpu_s", real_value(snapshot->self.cpu_s, 1000000));
	put(&writer, "rss_bytes", count_value(snapshot->self.rss_bytes));
	put(&writer, "bpf_ns",
	    snapshot->self.has_bpf_ns ? count_value(snapshot->self.bpf_ns) : json_null());
	put(&writer, "sites", count_value(snapshot->self.sites));
	return writer__end(&writer);
}

/* The members after the caches. */
static json_t *tail_value(const struct snapshot *snapshot)
{
	struct writer writer = writer__begin();

	put(&writer, "lost", lost_value(snapshot));
	put(&writer, "self", self_value(snapshot));
	return writer__end(&writer);
}

/* jansson leaves DEL as it is. */
static int write_escaped(const char *text, size_t size, void *stream)
{
	const char *end = text + size;

	while (text < end) {
		const char *stop = memchr(text, 0x7f, end - text);
		size_t plain = (stop ? stop : end) - text;

		if (fwrite(text, 1, plain, stream) != plain ||
		    (stop && fputs("\\u007f", stream) < 0))
			return -1;
		text += plain + (stop != NULL);
	}
	return 0;
}

/* Writes and releases a value, NULL where there was no memory for it. 0 or -errno. */
static int write_value(FILE *stream, json_t *value, size_t flags)
{
	int error = 0;

	if (!value)
		return -ENOMEM;
	errno = 0;
	if (json_dump_callback(value, write_escaped, stream, DUMP_FLAGS | flags))
		error = ferror(stream) && errno ? -errno : -ENOMEM;
	json_decref(value);
	return error;
}

/* The caches are made one by one: 10,000 with 40 buckets a histogram take 200 MB at once. */
static int write_line(const struct snapshot *snapshot, FILE *stream)
{
	int error;

	fputc('{', stream);
	error = write_value(stream, head_value(snapshot), JSON_EMBED);
	fputs(",\"caches\":[", stream);
	for (size_t i = 0; i < snapshot->count && !error; i++) {
		if (i)
			fputc(',', stream);
		error = write_value(stream, cache_value(snapshot, &snapshot->caches[i]), 0);
	}
	fputs("],", stream);
	if (!error)
		error = write_value(stream, tail_value(snapshot), JSON_EMBED);
	fputs("}\n", stream);
	return error;
}

int snapshot__write(const struct snapshot *snapshot, FILE *stream)
{
	int error = write_line(snapshot, stream);

	errno = 0;
	if (fflush(stream) || ferror(stream))
		return error ? error : errno ? -errno : -EIO;
	return error;
}
