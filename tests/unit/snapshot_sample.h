/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot with a bit of everything, and its way to JSON and back. */
#ifndef CACHETRACE_TESTS_SNAPSHOT_SAMPLE_H
#define CACHETRACE_TESTS_SNAPSHOT_SAMPLE_H

#include "golden.h"
#include "snapshot.h"

static inline void add_durations(struct histogram *histogram, const uint64_t *ns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(histogram__add(histogram, histogram__bucket_of(ns[i]), 1), 0);
		histogram->count++;
		histogram->sum_ns += ns[i];
		if (ns[i] > histogram->max_ns)
			histogram->max_ns = ns[i];
	}
}

static inline struct snapshot_cache *add_cache(struct snapshot *snapshot, const char *name,
					       uint32_t pid)
{
	struct snapshot_cache *cache = snapshot__add(snapshot);

	assert_non_null(cache);
	cache->target = snapshot__string(snapshot, "toy-map");
	cache->cache = snapshot__string(snapshot, name);
	cache->comm = snapshot__string(snapshot, "toyd");
	cache->exe = snapshot__string(snapshot, "/usr/bin/toyd");
	cache->cgroup = snapshot__string(snapshot, "/system.slice/toyd.service");
	cache->pid = pid;
	cache->start_time = 4567;
	return cache;
}

static inline void add_usual_cache(struct snapshot *snapshot)
{
	static const uint64_t computes[] = { 900, 1100, 1200, 1500, 90000, 2500000 };
	struct snapshot_cache *cache = add_cache(snapshot, "app.users.get_user", 123);

	cache->where = snapshot__string(snapshot, "app/users.py:42");
	cache->object = 0x7f0011223344;
	cache->has_object = true;
	cache->source = SOURCE_COUNTERS;
	cache->verified = VERIFIED_YES;
	cache->outcome[CT_HIT] = 1234;
	cache->outcome[CT_MISS] = 213;
	cache->computes = 213;
	cache->has_entries = cache->has_capacity = true;
	cache->entries = 56;
	cache->capacity = 128;
	cache->has_compute_latency = true;
	add_durations(&cache->compute_latency, computes, 6);
}

static inline void add_unused_unbounded_cache(struct snapshot *snapshot)
{
	struct snapshot_cache *cache = add_cache(snapshot, "unbounded", 124);

	cache->has_entries = cache->has_capacity = true;
	cache->capacity = -1;
	cache->has_lookup_latency = cache->has_compute_latency = true;
}

static inline void add_cache_of_other_outcomes(struct snapshot *snapshot)
{
	static const uint64_t lookups[] = { 3, 17, 250, 250, 251, 4000 };
	struct snapshot_cache *cache = add_cache(snapshot, "pages", 125);

	cache->container = snapshot__string(snapshot, "0123456789ab");
	cache->verified = VERIFIED_NO;
	for (int i = 0; i < CT_OUTCOMES; i++)
		cache->outcome[i] = i == CT_PASS ? 0 : 10 * i + 1;
	cache->lost = 7;
	cache->has_entries = cache->has_capacity = true;
	cache->unit = UNIT_BYTES;
	cache->entries = 200 << 20;
	cache->capacity = 128 << 20;
	cache->has_lookup_latency = true;
	add_durations(&cache->lookup_latency, lookups, 6);
}

static inline void add_cache_of_strange_texts(struct snapshot *snapshot)
{
	struct snapshot_cache *cache =
		add_cache(snapshot, "quote\" back\\slash /slash\ttab\nline\x1b[31m\x7f\x01", 126);

	cache->where = snapshot__string(
		snapshot, "bad \xff overlong \xc0\xaf surrogate \xed\xa0\x80 cut \xe2\x82");
	cache->comm = snapshot__string(snapshot, "gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80 csi \xc2\x9b");
	cache->exe = snapshot__string(snapshot, "");
	cache->cgroup = NULL;
}

static inline void add_cache_of_huge_counts(struct snapshot *snapshot)
{
	struct snapshot_cache *cache = add_cache(snapshot, "huge", UINT32_MAX);

	cache->target = NULL;
	cache->start_time = INT64_MAX;
	cache->object = UINT64_MAX;
	cache->has_object = true;
	cache->outcome[CT_HIT] = INT64_MAX - 1;
	cache->outcome[CT_MISS] = UINT64_MAX;
	cache->computes = UINT64_MAX;
	cache->has_entries = cache->has_capacity = true;
	cache->entries = INT64_MIN;
	cache->capacity = INT64_MAX;
}

static inline struct snapshot *make_sample(void)
{
	struct snapshot *snapshot = snapshot__new();

	assert_non_null(snapshot);
	snapshot->version = snapshot__string(snapshot, "1.0");
	snapshot->host_name = snapshot__string(snapshot, "host-1");
	snapshot->kernel = snapshot__string(snapshot, "6.1.0");
	snapshot->boot_id = snapshot__string(snapshot, "01234567-89ab-cdef-0123-456789abcdef");
	snapshot->time_ms = 1769860800123;
	snapshot->since_ms = 1769860799000;
	snapshot->interval_s = 1.0004;
	snapshot->lost[CT_LOST_MAP_FULL] = 12;
	snapshot->lost[CT_LOST_READ_FAULT] = 3;
	snapshot->self.cpu_s = 0.0123456789;
	snapshot->self.rss_bytes = 9000000;
	snapshot->self.sites = 4;
	add_usual_cache(snapshot);
	add_unused_unbounded_cache(snapshot);
	add_cache_of_other_outcomes(snapshot);
	add_cache_of_strange_texts(snapshot);
	add_cache_of_huge_counts(snapshot);
	return snapshot;
}

/* The snapshot's line; freed by the caller. */
static inline char *write_line(const struct snapshot *snapshot, size_t *size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	assert_non_null(stream);
	assert_int_equal(snapshot__write(snapshot, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static inline struct snapshot *parse(const char *line)
{
	char error[256] = "";
	struct snapshot *snapshot = snapshot__parse(line, strlen(line), error, sizeof(error));

	if (!snapshot)
		fail_msg("%s", error);
	return snapshot;
}

#endif
