/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel: loads the BPF programs, attaches sites, reads the maps. The only user of libbpf. */
#ifndef CACHETRACE_TRACER_H
#define CACHETRACE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "snapshot.h"

struct tracer;

/* Ways to attach, best first; the first that this kernel can do is taken. */
enum tracer_rung {
	TRACER_SESSION,		/* one program sees a function's entry and return */
	TRACER_MULTI,		/* one link for many sites, entries and returns apart */
	TRACER_PERF,		/* one perf event per site */
	TRACER_RUNGS,
};
const char *tracer_rung__name(enum tracer_rung rung);

struct tracer_options {
	enum tracer_rung best_rung;	/* none better than this is tried */
	uint32_t max_caches;		/* 0: a default that fits the machine */
	uint32_t max_sites;		/* 0: a default */
	bool all_processes; /* count every process, not only those of tracer__add_process */
	bool run_time; /* ask the kernel how long the programs run (costs a little everywhere) */
};

/* How a site is probed. */
enum site_probe {
	SITE_ENTRY, /* an outcome by itself, or a call whose end is seen in another way */
	SITE_CALL, /* entry and return of a function, with the kernel's return probe */
	SITE_RETURN_INSTRUCTION, /* an instruction by which the function ends */
};

struct site {
	int fd; /* the file: stays open, and the only descriptor for it, until tracer__attach */
	uint64_t offset;	/* of the instruction in the file */
	enum site_probe probe;
	bool judged; /* SITE_ENTRY of a call whose end is seen by SITE_RETURN_INSTRUCTION */
	uint32_t rule;		/* from tracer__add_rule */
};

/* 0 or -errno; what failed and what to do is logged. */
int tracer__open(struct tracer **tracer, const struct tracer_options *options);
/* Detaches everything and frees. */
void tracer__close(struct tracer *tracer);

enum tracer_rung tracer__rung(const struct tracer *tracer);
uint64_t tracer__sites(const struct tracer *tracer);

/* The rule's index, or -errno. */
int tracer__add_rule(struct tracer *tracer, const struct ct_rule *rule);
/* Keeps the site for the next tracer__attach. 0 or -errno (-ENOSPC: max_sites). */
int tracer__add_site(struct tracer *tracer, const struct site *site);
/* Attaches all sites added since the last call: one link per (file, program) where the kernel can.
 * 0 or -errno, logged. */
int tracer__attach(struct tracer *tracer);

/* children: processes that it forks from now on are added by the kernel side. 0 or -errno. */
int tracer__add_process(struct tracer *tracer, pid_t pid, bool children);
int tracer__remove_process(struct tracer *tracer, pid_t pid);

/* Counting starts, or stops, for all sites at the same instant. */
void tracer__arm(struct tracer *tracer, bool on);

/* One cache as the maps have it, shards added up. */
struct tracer_cache {
	struct ct_key key;
	struct ct_slot numbers;
	bool lookups_timed, computes_timed;
	struct histogram lookups, computes;	/* owned by the tracer */
};

/* What the maps hold at one moment; valid until the next reading. */
struct tracer_reading {
	struct tracer_cache *caches;
	size_t caches_count;
	struct tracer_process {
		uint32_t pid;
		struct ct_process process;
	} *processes;
	size_t processes_count;
	uint64_t lost[CT_LOST_REASONS];
	bool has_run_time;
	uint64_t run_time_ns;
};

/* 0 or -errno. */
int tracer__read(struct tracer *tracer, struct tracer_reading *reading);
/* The processes only. */
int tracer__read_processes(struct tracer *tracer, struct tracer_reading *reading);

/* Gives back the room of caches of processes that have ended: their numbers will not be read again.
 */
int tracer__forget(struct tracer *tracer, const struct ct_key *keys, size_t count);

#endif
