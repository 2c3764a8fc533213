// SPDX-License-Identifier: BSD-2-Clause
/* A cache in each of the forms that the mechanisms know, which counts its own lookups, hits, misses
 * and computes. */
#include <setjmp.h>

#include "truth.h"

#define TRACED __attribute__((noinline, noclone, visibility("default")))
#define KEEP() __asm__ volatile("" ::: "memory")

enum { SLOTS = 1024, KEYS = 1500, CACHES = 4 };

struct cache {
	uint64_t keys[SLOTS];
	uint64_t values[SLOTS];
	uint32_t hits, misses;	/* own counters, as some programs keep them */
	pthread_mutex_t lock;
};

static struct cache shared[CACHES];
static __thread struct truth *truth;

static void cache_init(struct cache *cache)
{
	memset(cache, 0, sizeof(*cache));
	pthread_mutex_init(&cache->lock, NULL);
}

static __attribute__((constructor)) void init_all(void)
{
	int i;

	for (i = 0; i < CACHES; i++)
		cache_init(&shared[i]);
}

static uint64_t *find(struct cache *cache, uint64_t key)
{
	return cache->keys[key % SLOTS] == key + 1 ? &cache->values[key % SLOTS] : NULL;
}

static void put(struct cache *cache, uint64_t key, uint64_t value)
{
	cache->keys[key % SLOTS] = key + 1;
	cache->values[key % SLOTS] = value;
}

/* The compute of all forms. */
TRACED uint64_t load_value(struct cache *cache, uint64_t key)
{
	(void)cache;
	truth->computes++;
	KEEP();
	return key * 3;
}

static void classify(int hit)
{
	truth->lookups++;
	if (hit)
		truth->hits++;
	else
		truth->misses++;
}

/* Form 1: NULL is a miss; calls with flag 4 are no questions. */
TRACED uint64_t *pair_get(struct cache *cache, uint64_t key, int flags)
{
	uint64_t *value = find(cache, key);

	if (!(flags & 4))
		classify(value != NULL);
	KEEP();
	return value;
}

static void *pair_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 88172645463325252ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS;
		int flags = i % 7 ? 0 : 4;

		if (!pair_get(own, key, flags) && !flags)
			put(own, key, load_value(own, key));
	}
	free(own);
	return NULL;
}

/* Form 2: a number tells the outcome. */
enum { MAP_FOUND = 0, MAP_STALE = 5, MAP_ABSENT = -2, MAP_AGAIN = -11 };

TRACED int map_get(struct cache *cache, uint64_t key)
{
	uint64_t *value = find(cache, key);
	int result = key % 97 == 0   ? MAP_AGAIN
		     : !value	     ? MAP_ABSENT
		     : key % 13 == 0 ? MAP_STALE
				     : MAP_FOUND;

	if (result != MAP_AGAIN) {
		truth->lookups++;
		truth->hits += result == MAP_FOUND;
		truth->misses += result == MAP_ABSENT;
		truth->other += result == MAP_STALE;
	}
	KEEP();
	return result;
}

static void *map_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 362436069ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS;

		if (map_get(own, key) == MAP_ABSENT)
			put(own, key, load_value(own, key));
	}
	free(own);
	return NULL;
}

/* Form 3: the lookup computes by itself. */
TRACED uint64_t nested_get(struct cache *cache, uint64_t key)
{
	uint64_t *value = find(cache, key), result;

	classify(value != NULL);
	if (value) {
		KEEP();
		return *value;
	}
	result = load_value(cache, key);
	put(cache, key, result);
	KEEP();
	return result;
}

static void *nested_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 521288629ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS;

		nested_get(own, key);
		/* A compute that no lookup asked for is not one of the cache. */
		if (i % 1000 == 0) {
			load_value(own, key);
			truth->computes--;
		}
	}
	free(own);
	return NULL;
}

/* Form 4: one function for each outcome. */
TRACED void separate_hit(struct cache *cache)
{
	(void)cache;
	KEEP();
}

TRACED void separate_miss(struct cache *cache, uint64_t key)
{
	put(cache, key, key);
	KEEP();
}

static void *separate_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 1234567ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS;
		int hit = find(own, key) != NULL;

		classify(hit);
		if (hit)
			separate_hit(own);
		else
			separate_miss(own, key);
	}
	free(own);
	return NULL;
}

/* Form 5: a lookup function and a compute function, neither inside the other. */
TRACED uint64_t *difference_get(struct cache *cache, uint64_t key)
{
	KEEP();
	return find(cache, key);
}

static void *difference_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 7654321ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS;
		uint64_t *value = difference_get(own, key);

		classify(value != NULL);
		if (!value)
			put(own, key, load_value(own, key));
	}
	free(own);
	return NULL;
}

/* Form 6: the object counts by itself; one call may ask for several keys; threads share objects
 * under a lock. */
TRACED void counter_get(struct cache *cache, uint64_t key, int keys)
{
	int i;

	for (i = 0; i < keys; i++) {
		int hit = find(cache, key + i) != NULL;

		classify(hit);
		if (hit)
			cache->hits++;
		else
			cache->misses++;
		if (!hit)
			put(cache, key + i, key);
	}
	KEEP();
}

static void *counter_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 99991ull + run->thread, i;

	truth = &run->truth;
	for (i = 0; i < run->lookups; i++) {
		struct cache *cache = &shared[i % CACHES];

		pthread_mutex_lock(&cache->lock);
		counter_get(cache, truth_random(&state) % KEYS, i % 3);
		/* The program may set its counters back at any time between calls. */
		if (i % 5000 == 0)
			cache->hits = cache->misses = 0;
		pthread_mutex_unlock(&cache->lock);
	}
	return NULL;
}

/* Form 7: the outcome is where an argument points to; the return value means nothing. */
TRACED int out_get(struct cache *cache, uint64_t key, uint64_t **value)
{
	*value = find(cache, key);
	classify(*value != NULL);
	KEEP();
	return (int)key;
}

static void *out_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 271828ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % KEYS, *value;

		out_get(own, key, &value);
		if (!value)
			put(own, key, load_value(own, key));
	}
	free(own);
	return NULL;
}

/* Recursion: the compute of a key looks up others, to a depth of at most 12 lookups and computes
 * inside each other. */
TRACED uint64_t memo_get(struct cache *cache, uint64_t key);

TRACED uint64_t memo_compute(struct cache *cache, uint64_t key)
{
	uint64_t result = 1;

	truth->computes++;
	if (key % 12)
		result += memo_get(cache, key - 1) + memo_get(cache, key - (key % 12 > 1 ? 2 : 1));
	KEEP();
	return result;
}

TRACED uint64_t memo_get(struct cache *cache, uint64_t key)
{
	uint64_t *value = find(cache, key), result;

	classify(value != NULL);
	if (value) {
		KEEP();
		return *value;
	}
	result = memo_compute(cache, key);
	put(cache, key, result);
	KEEP();
	return result;
}

static void *memo_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 31337ull + run->thread;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	while (run->truth.lookups < run->lookups)
		memo_get(own, truth_random(&state) % (12 * 200));
	free(own);
	return NULL;
}

/* Recursion of 55 lookups and as many computes inside each other: more returns than the kernel
 * keeps for a thread. */
enum { DEPTH = 55 };

TRACED uint64_t deep_get(struct cache *cache, uint64_t chain, uint64_t level);

TRACED uint64_t deep_compute(struct cache *cache, uint64_t chain, uint64_t level)
{
	uint64_t result = chain;

	truth->computes++;
	if (level)
		result += deep_get(cache, chain, level - 1) + deep_get(cache, chain, level - 1);
	KEEP();
	return result;
}

TRACED uint64_t deep_get(struct cache *cache, uint64_t chain, uint64_t level)
{
	uint64_t key = chain * 64 + level, *value = find(cache, key), result;

	classify(value != NULL);
	if (value) {
		KEEP();
		return *value;
	}
	result = deep_compute(cache, chain, level);
	put(cache, key, result);
	KEEP();
	return result;
}

static void *deep_thread(void *argument)
{
	struct truth_run *run = argument;
	struct cache *own = malloc(sizeof(*own));
	uint64_t i;

	truth = &run->truth;
	cache_init(own);
	for (i = 0; run->truth.lookups < run->lookups; i++)
		deep_get(own, i / 100, DEPTH - i % 3);
	free(own);
	return NULL;
}

/* longjmp out of the lookup, before or out of the compute inside it. Keys divisible by 5 fail. */
static __thread jmp_buf failure;

TRACED uint64_t jump_compute(struct cache *cache, uint64_t key)
{
	(void)cache;
	truth->computes++;
	KEEP();
	if (key % 5 == 0)
		longjmp(failure, 1);
	return key;
}

TRACED uint64_t jump_get(struct cache *cache, uint64_t key)
{
	uint64_t *value = find(cache, key), result;

	truth->lookups++;
	if (key % 11 == 0) {
		truth->other++;
		longjmp(failure, 1);
	}
	truth->hits += value != NULL;
	truth->misses += value == NULL;
	if (value) {
		KEEP();
		return *value;
	}
	result = jump_compute(cache, key);
	put(cache, key, result);
	KEEP();
	return result;
}

static void *jump_thread(void *argument)
{
	struct truth_run *run = argument;
	static __thread uint64_t state;
	struct cache *own = malloc(sizeof(*own));
	volatile uint64_t i;

	state = 424242ull + run->thread;
	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++)
		if (!setjmp(failure))
			jump_get(own, truth_random(&state) % KEYS);
	free(own);
	return NULL;
}

/* The lookup hands over to itself by a jump at its end, through another function. */
TRACED uint64_t *tail_get(struct cache *cache, uint64_t key, int again);

TRACED uint64_t *tail_fill(struct cache *cache, uint64_t key, int again)
{
	put(cache, key, key);
	KEEP();
	return tail_get(cache, key, again);
}

TRACED uint64_t *tail_get(struct cache *cache, uint64_t key, int again)
{
	uint64_t *value = find(cache, key);

	KEEP();
	truth->lookups++;
	if (value || !again) {
		truth->hits++;
		return &cache->values[key % SLOTS];
	}
	/* Its own return value is that of the second lookup: a hit, as seen from outside. */
	truth->hits++;
	return tail_fill(cache, key, 0);
}

static void *tail_thread(void *argument)
{
	struct truth_run *run = argument;
	uint64_t state = 555ull + run->thread, i;
	struct cache *own = malloc(sizeof(*own));

	truth = &run->truth;
	cache_init(own);
	for (i = 0; i < run->lookups; i++)
		tail_get(own, truth_random(&state) % KEYS, 1);
	free(own);
	return NULL;
}

static const struct truth_scenario scenarios[] = {
	{ "pair", pair_thread },
	{ "map", map_thread },
	{ "nested", nested_thread },
	{ "separate", separate_thread },
	{ "difference", difference_thread },
	{ "counter", counter_thread },
	{ "out", out_thread },
	{ "memo", memo_thread },
	{ "jump", jump_thread },
	{ "tail", tail_thread },
	{ "deep", deep_thread },
};

int main(int argc, char **argv)
{
	return truth_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}
