/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contract between gathering and showing: the numbers of all caches at one moment. Numbers and
 * names, nothing else.
 */
#ifndef CACHETRACE_SNAPSHOT_H
#define CACHETRACE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi.h"

/* Counts stop at their largest number and at 0. */
static inline uint64_t count__add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static inline uint64_t count__subtract(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* A duration histogram without its empty buckets, sorted by bucket. */
struct histogram {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint32_t used;
	uint32_t room;
	struct histogram_bucket {
		uint32_t bucket;	/* 0..CT_BUCKETS-1 */
		uint64_t count;
	} *buckets;
};

/* First and (exclusive) last nanosecond of a bucket; the last bucket ends at UINT64_MAX. */
uint64_t histogram__bucket_from(uint32_t bucket);
uint64_t histogram__bucket_to(uint32_t bucket);
/* The bucket of a duration. */
uint32_t histogram__bucket_of(uint64_t ns);
/* 0 or -ENOMEM. bucket must be below CT_BUCKETS. Does not touch count, sum_ns, max_ns. */
int histogram__add(struct histogram *histogram, uint32_t bucket, uint64_t count);
/* *to += from; 0 or -ENOMEM. */
int histogram__merge(struct histogram *to, const struct histogram *from);
/*
 * *later -= earlier (of the same cache); the maximum is taken from the highest bucket left, if that
 * is lower.
 */
void histogram__subtract(struct histogram *later, const struct histogram *earlier);
/*
 * Nanoseconds below which the share (0..1) of durations lies, placed linearly inside its bucket,
 * never above max_ns. 0 if empty.
 */
uint64_t histogram__quantile(const struct histogram *histogram, double share);
void histogram__free(struct histogram *histogram);

enum unit { UNIT_ENTRIES, UNIT_BYTES };
enum verified { VERIFIED_UNKNOWN, VERIFIED_YES, VERIFIED_NO };
enum source { SOURCE_PROBES, SOURCE_COUNTERS };

/* One cache. Strings are owned by the snapshot; NULL is unknown. Numbers are since the attach. */
struct snapshot_cache {
	const char *target;
	const char *cache;
	const char *where;
	const char *comm;
	const char *exe;
	const char *cgroup;
	const char *container;
	uint32_t pid;
	uint64_t start_time;
	uint64_t object;
	bool has_object;
	enum source source;
	enum verified verified;

	uint64_t outcome[CT_OUTCOMES];
	uint64_t computes;
	uint64_t lost;
	bool has_entries, has_capacity;
	enum unit unit;
	int64_t entries, capacity;
	bool has_lookup_latency, has_compute_latency;	/* measured (perhaps none so far) */
	struct histogram lookup_latency, compute_latency;
};

struct snapshot {
	const char *version;
	const char *host_name, *kernel, *boot_id;
	int64_t time_ms, since_ms;	/* Unix time in milliseconds */
	double interval_s;
	bool final;
	struct snapshot_cache *caches;
	size_t count, room;
	uint64_t lost[CT_LOST_REASONS];
	struct {
		double cpu_s;
		uint64_t rss_bytes;
		bool has_bpf_ns;
		uint64_t bpf_ns;
		uint64_t sites;
	} self;
	struct strings *strings;
};

struct snapshot *snapshot__new(void);
void snapshot__free(struct snapshot *snapshot);

/*
 * A copy of text that lives as long as the snapshot; equal texts are kept once. NULL for NULL or
 * without memory.
 */
const char *snapshot__string(struct snapshot *snapshot, const char *text);
/* A new row, all zero; valid until the next one is added. NULL without memory. */
struct snapshot_cache *snapshot__add(struct snapshot *snapshot);

/* hits + misses + other; what the hit rate is a share of. */
uint64_t snapshot_cache__lookups(const struct snapshot_cache *cache);
/* Sum of the outcomes that are neither hit nor miss. */
uint64_t snapshot_cache__other(const struct snapshot_cache *cache);
/* Same cache of the same process: (pid, start time, target, cache, object). */
bool snapshot_cache__same(const struct snapshot_cache *a, const struct snapshot_cache *b);

/*
 * later - earlier, as a new snapshot whose interval is the time between the two, its rows in the
 * order of later; caches that earlier lacks are taken whole, caches that later lacks are left out.
 * Gauges (entries, capacity) are later's. NULL without memory.
 */
struct snapshot *snapshot__difference(const struct snapshot *later, const struct snapshot *earlier);

/*
 * Name of an outcome as it stands in target files and JSON ("hit", "stale", ...); NULL: no such
 * number.
 */
const char *outcome__name(int outcome);
/* Number of an outcome by its name; CT_IGNORED for "ignored"; -1: no such name. */
int outcome__number(const char *name);

/* Writes one line of JSON. 0 or -errno. */
int snapshot__write(const struct snapshot *snapshot, FILE *stream);
/*
 * Reads one line of JSON (size bytes, no newline needed). NULL if it is not a snapshot: why goes to
 * error.
 */
struct snapshot *snapshot__parse(const char *line, size_t size, char *error, size_t error_size);

#endif
