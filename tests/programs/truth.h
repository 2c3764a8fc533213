/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs of known truth share: how tests steer them, and how they tell their counts. */
#ifndef TRUTH_H
#define TRUTH_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts of one thread; added up when it has ended. */
struct truth {
	uint64_t lookups, hits, misses, other, computes;
};

struct truth_run {
	uint64_t lookups;	/* of each thread */
	unsigned thread;
	struct truth truth;
};

/* A scenario: what each thread does. */
struct truth_scenario {
	const char *name;
	void *(*thread)(void *run);	/* struct truth_run */
};

/* xorshift64: the same keys in each run. */
static inline uint64_t truth_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void truth_print(const char *name, const struct truth *truth)
{
	printf("{\"scenario\":\"%s\",\"lookups\":%llu,\"hits\":%llu,\"misses\":%llu,\"other\":%llu,"
	       "\"computes\":%llu}\n",
	       name, (unsigned long long)truth->lookups, (unsigned long long)truth->hits,
	       (unsigned long long)truth->misses, (unsigned long long)truth->other,
	       (unsigned long long)truth->computes);
	fflush(stdout);
}

static inline void truth_await_line(void)
{
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

enum { TRUTH_MAX_THREADS = 64 };

static inline void truth_run_threads(const struct truth_scenario *scenario, uint64_t lookups,
				     unsigned threads)
{
	static struct truth_run runs[TRUTH_MAX_THREADS];
	pthread_t ids[TRUTH_MAX_THREADS];
	struct truth sum = { 0, 0, 0, 0, 0 };
	unsigned i;

	memset(runs, 0, sizeof(runs));
	for (i = 0; i < threads; i++) {
		runs[i].lookups = lookups / threads;
		runs[i].thread = i;
		if (pthread_create(&ids[i], NULL, scenario->thread, &runs[i]))
			exit(1);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		sum.lookups += runs[i].truth.lookups;
		sum.hits += runs[i].truth.hits;
		sum.misses += runs[i].truth.misses;
		sum.other += runs[i].truth.other;
		sum.computes += runs[i].truth.computes;
	}
	truth_print(scenario->name, &sum);
}

/*
 * PROGRAM SCENARIO LOOKUPS THREADS: says "ready", runs once for each line "go" that it reads,
 * telling its counts, and ends at any other line.
 */
static inline int truth_main(const struct truth_scenario *scenarios, size_t count, int argc,
			     char **argv)
{
	char line[64];
	size_t i;

	if (argc != 4)
		return 2;
	for (i = 0; i < count; i++)
		if (!strcmp(scenarios[i].name, argv[1]))
			break;
	if (i == count || atoi(argv[3]) < 1 || atoi(argv[3]) > TRUTH_MAX_THREADS)
		return 2;
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && !strncmp(line, "go", 2))
		truth_run_threads(&scenarios[i], strtoull(argv[2], NULL, 10), atoi(argv[3]));
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
