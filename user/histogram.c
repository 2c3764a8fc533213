/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns duration histograms: which bucket a duration is in, sums, differences and quantiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

enum {
	FIRST_DOUBLING = 4, /* 2^4: values below have buckets of their own */
	STEP_BITS = 3,	    /* 2^3 = CT_BUCKETS_PER_DOUBLING */
	SINGLE_BUCKETS = 1 << FIRST_DOUBLING,
};

_Static_assert(1 << STEP_BITS == CT_BUCKETS_PER_DOUBLING, "steps");
_Static_assert(SINGLE_BUCKETS + (40 - FIRST_DOUBLING) * CT_BUCKETS_PER_DOUBLING == CT_BUCKETS,
	       "buckets");

uint64_t histogram__bucket_from(uint32_t bucket)
{
	uint32_t doubling, step;

	if (bucket < SINGLE_BUCKETS)
		return bucket;
	doubling = (bucket - SINGLE_BUCKETS) / CT_BUCKETS_PER_DOUBLING;
	step = (bucket - SINGLE_BUCKETS) % CT_BUCKETS_PER_DOUBLING;
	return (uint64_t)(CT_BUCKETS_PER_DOUBLING + step)
	       << (doubling + FIRST_DOUBLING - STEP_BITS);
}

uint64_t histogram__bucket_to(uint32_t bucket)
{
	return bucket >= CT_BUCKETS - 1 ? UINT64_MAX : histogram__bucket_from(bucket + 1);
}

uint32_t histogram__bucket_of(uint64_t ns)
{
	uint32_t doubling, step;

	if (ns < SINGLE_BUCKETS)
		return ns;
	if (ns >= histogram__bucket_from(CT_BUCKETS - 1))
		return CT_BUCKETS - 1;
	doubling = 63 - __builtin_clzll(ns);
	step = (ns >> (doubling - STEP_BITS)) % CT_BUCKETS_PER_DOUBLING;
	return SINGLE_BUCKETS + (doubling - FIRST_DOUBLING) * CT_BUCKETS_PER_DOUBLING + step;
}

static int make_room(struct histogram *histogram)
{
	uint32_t room = histogram->room ? histogram->room * 2 : 16;
	struct histogram_bucket *buckets;

	if (histogram->used < histogram->room)
		return 0;
	buckets = realloc(histogram->buckets, room * sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	histogram->buckets = buckets;
	histogram->room = room;
	return 0;
}

int histogram__add(struct histogram *histogram, uint32_t bucket, uint64_t count)
{
	struct histogram_bucket *at;
	uint32_t place = histogram->used;
	int error;

	if (!count)
		return 0;
	while (place && histogram->buckets[place - 1].bucket > bucket)
		place--;
	if (place && histogram->buckets[place - 1].bucket == bucket) {
		at = &histogram->buckets[place - 1];
		at->count = count__add(at->count, count);
		return 0;
	}
	error = make_room(histogram);
	if (error)
		return error;
	at = &histogram->buckets[place];
	memmove(at + 1, at, (histogram->used - place) * sizeof(*at));
	*at = (struct histogram_bucket){ .bucket = bucket, .count = count };
	histogram->used++;
	return 0;
}

static uint32_t merge_buckets(struct histogram_bucket *to, const struct histogram *a,
			      const struct histogram *b)
{
	uint32_t used = 0, i = 0, j = 0;

	while (i < a->used || j < b->used) {
		if (j == b->used || (i < a->used && a->buckets[i].bucket < b->buckets[j].bucket)) {
			to[used++] = a->buckets[i++];
		} else if (i == a->used || b->buckets[j].bucket < a->buckets[i].bucket) {
			to[used++] = b->buckets[j++];
		} else {
			to[used] = a->buckets[i++];
			to[used].count = count__add(to[used].count, b->buckets[j++].count);
			used++;
		}
	}
	return used;
}

int histogram__merge(struct histogram *to, const struct histogram *from)
{
	uint32_t room = to->used + from->used;

	if (from->used) {
		struct histogram_bucket *buckets = malloc(room * sizeof(*buckets));

		if (!buckets)
			return -ENOMEM;
		to->used = merge_buckets(buckets, to, from);
		to->room = room;
		free(to->buckets);
		to->buckets = buckets;
	}
	to->count = count__add(to->count, from->count);
	to->sum_ns = count__add(to->sum_ns, from->sum_ns);
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	return 0;
}

void histogram__subtract(struct histogram *later, const struct histogram *earlier)
{
	uint32_t used = 0, j = 0;
	uint64_t highest = 0;

	for (uint32_t i = 0; i < later->used; i++) {
		struct histogram_bucket left = later->buckets[i];

		while (j < earlier->used && earlier->buckets[j].bucket < left.bucket)
			j++;
		if (j < earlier->used && earlier->buckets[j].bucket == left.bucket)
			left.count = count__subtract(left.count, earlier->buckets[j].count);
		if (left.count)
			later->buckets[used++] = left;
	}
	later->used = used;
	later->count = count__subtract(later->count, earlier->count);
	later->sum_ns = count__subtract(later->sum_ns, earlier->sum_ns);
	if (used)
		highest = histogram__bucket_to(later->buckets[used - 1].bucket) - 1;
	if (highest < later->max_ns)
		later->max_ns = highest;
}

/* The place inside the bucket of the value that has `before` of the bucket's count below it. */
static uint64_t inside_bucket(const struct histogram *histogram,
			      const struct histogram_bucket *bucket, double before)
{
	uint64_t from = histogram__bucket_from(bucket->bucket);
	uint64_t last = histogram__bucket_to(bucket->bucket) - 1;
	double share = before / (double)bucket->count;

	if (histogram->max_ns < last)
		last = histogram->max_ns;
	if (last <= from)
		return last;
	return share >= 1 ? last : from + (uint64_t)(share * (double)(last - from));
}

uint64_t histogram__quantile(const struct histogram *histogram, double share)
{
	uint64_t total = 0;
	double left;

	for (uint32_t i = 0; i < histogram->used; i++)
		total = count__add(total, histogram->buckets[i].count);
	if (!total)
		return 0;
	left = share * (double)total;
	for (uint32_t i = 0; i < histogram->used - 1; i++) {
		if (left <= (double)histogram->buckets[i].count)
			return inside_bucket(histogram, &histogram->buckets[i], left);
		left -= (double)histogram->buckets[i].count;
	}
	return inside_bucket(histogram, &histogram->buckets[histogram->used - 1], left);
}

void histogram__free(struct histogram *histogram)
{
	free(histogram->buckets);
	*histogram = (struct histogram){ 0 };
}
