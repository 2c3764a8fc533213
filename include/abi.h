/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contract between the kernel side (bpf/) and the user side (user/tracer.c): the shapes of all
 * maps. */
#ifndef CACHETRACE_ABI_H
#define CACHETRACE_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum {
	CT_MAX_STEPS = 4,	/* memory reads of one operand */
	CT_MAX_TESTS = 4,	/* conditions of one rule, all of which must hold */
	CT_MAX_CASES = 12,	/* outcome cases of one rule */
	CT_MAX_SAVED = 2,	/* operands kept from a call's entry for its return */
	CT_MAX_FRAMES = 128,	/* open calls of one thread that are told apart */
	CT_REGISTERS = 32,	/* in DWARF order of the machine */
	CT_COMM = 16,
	CT_FILL = 32,		/* numbers that one run of ct_fill puts into a queue */
};

/* What a lookup came to. The first two make the hit rate; the names are in user/snapshot.c. */
enum ct_outcome {
	CT_HIT,
	CT_MISS,
	CT_STALE,	/* an expired entry was served */
	CT_REFRESH,	/* an expired entry was fetched anew */
	CT_PASS,	/* the cache knows that this is not to be cached */
	CT_BYPASS,	/* the cache was not asked, by request */
	CT_BUSY,	/* somebody else is filling the entry */
	CT_CREATE,	/* a new entry without a question for the old one */
	CT_OTHER,
	CT_UNFINISHED,	/* left by an exception or longjmp, or not back yet at the end */
	CT_OUTCOMES,
	CT_IGNORED = CT_OUTCOMES,	/* not a lookup after all; counted, but shown nowhere */
};

/* Why something was not counted. */
enum ct_lost {
	CT_LOST_MAP_FULL,	  /* no room for another cache or process */
	CT_LOST_UNMATCHED_RETURN, /* a return whose entry was not seen */
	CT_LOST_NESTING,    /* calls nested deeper than the kernel or CT_MAX_FRAMES tells apart */
	CT_LOST_READ_FAULT, /* memory of the traced process that could not be read */
	CT_LOST_REASONS,
};

/* Where an operand starts. CT_BASE_REGISTER + n is the register with DWARF number n. */
enum ct_base {
	CT_BASE_ZERO,		/* 0: absolute addresses and constants */
	CT_BASE_RETURN,		/* the function's return value */
	CT_BASE_OBJECT,		/* the object found at the call's entry */
	CT_BASE_NESTED,		/* 1 if a compute ran inside this lookup, else 0 */
	CT_BASE_SAVED,		/* + 0..CT_MAX_SAVED-1: operands kept at entry */
	CT_BASE_REGISTER = CT_BASE_SAVED + CT_MAX_SAVED,
	CT_BASES = CT_BASE_REGISTER + CT_REGISTERS,
};

/*
 * A value inside the traced process: v = base; for each step: v = memory at (v + offset[i]), 8
 * bytes wide but for the last; the result is v + addend, cut to width bytes and extended by its
 * sign if is_signed.
 */
struct ct_operand {
	__u8 base;
	__u8 steps;
	__u8 width;		/* 1, 2, 4 or 8 */
	__u8 is_signed;
	__s32 offset[CT_MAX_STEPS];
	__s32 addend;
};

enum ct_compare {
	CT_ALWAYS,
	CT_EQ,
	CT_NE,
	CT_LT,	/* the four below compare signed */
	CT_LE,
	CT_GT,
	CT_GE,
};

/* (operand & mask) compare value */
struct ct_test {
	struct ct_operand operand;
	__u8 compare;
	__u8 outcome;		/* of a case: enum ct_outcome or CT_IGNORED */
	__u8 pad[6];
	__u64 mask;
	__s64 value;
};

enum ct_role {
	CT_ROLE_LOOKUP,	 /* a question to the cache, judged by the rule's cases at its return */
	CT_ROLE_COMPUTE, /* the work done because of a miss */
	CT_ROLE_MARK,	 /* reaching the site is an outcome by itself: the first case that holds */
	CT_ROLE_TOTAL, /* reaching the site is a lookup; the hits are what other marks leave over */
	CT_ROLE_COUNTER, /* outcomes are what the object's own counters grew by during the call */
};

enum ct_rule_flags {
	CT_RULE_OBJECT = 1 << 0,	 /* caches are told apart by the operand object */
	CT_RULE_LOOKUPS_TIMED = 1 << 1,	 /* the cache's lookups have a histogram */
	CT_RULE_COMPUTES_TIMED = 1 << 2, /* the cache's computes have one */
	CT_RULE_NESTED = 1 << 3, /* a lookup's cases look at CT_BASE_NESTED alone; a compute counts
				    inside a lookup only */
	CT_RULE_FILL = 1 << 4,	 /* a missed lookup's duration is the cost of the compute */
	CT_RULE_INHERIT =
		1 << 5, /* a compute belongs to the object of the lookup around or before it */
};

/* What to do at the sites of one function of one cache definition. */
struct ct_rule {
	__u32 cache;			/* index of the cache definition: part of ct_key */
	__u16 flags;			/* enum ct_rule_flags */
	__u8 role;			/* enum ct_role */
	__u8 tests, cases, saves;	/* how many of the arrays below are used */
	__u8 otherwise;			/* outcome when no case holds */
	__u8 pad;
	struct ct_operand object;
	struct ct_operand
		saved[CT_MAX_SAVED]; /* CT_ROLE_COUNTER: the counters, as chains from a register */
	__u8 saved_outcome[CT_MAX_SAVED];	/* CT_ROLE_COUNTER: what each counter counts */
	__u8 nested_outcome[2]; /* CT_RULE_NESTED: without and with a compute inside */
	struct ct_test test[CT_MAX_TESTS];
	struct ct_test one_of[CT_MAX_CASES];
};

/* One probed instruction; its index is the cookie of the probe. */
struct ct_site {
	__u32 rule;
	__u8 at_return;		/* enum ct_return_probe, of a site that sees calls end */
	__u8 pad[3];
};

enum ct_return_probe {
	CT_RETURN_NONE,
	CT_RETURN_HIJACKED,	/* the kernel's return probe: it replaces the return address */
	CT_RETURN_INSTRUCTION,	/* a probe on the return instruction itself */
};

/* One cache. Object is 0 where the definition does not tell objects apart. */
struct ct_key {
	__u32 tgid;
	__u16 cache;
	__u16 generation;	/* of the process id: counts up when an id is used again */
	__u64 object;
};

/* Where a cache's numbers are: an index of ct_slots, and of ct_histograms + 1 (0: none). */
struct ct_place {
	__u32 slot;
	__u32 lookup_histogram;
	__u32 compute_histogram;
	__u32 pad;
};

/* The numbers of one cache, split over ct_shards slots; the reader adds them up. Times in ns. */
struct ct_slot {
	__u64 calls;			/* lookups begun */
	__u64 outcome[CT_OUTCOMES + 1];	/* the last one is CT_IGNORED */
	__u64 computes;			/* computes begun */
	__u64 lost;
	__u64 lookup_ns, lookup_max_ns;
	__u64 compute_ns, compute_max_ns;
	__u64 counter_base[CT_MAX_SAVED]; /* CT_ROLE_COUNTER: the counters at the last look (shard
					     0) */
	__u64 counter_open;			/* CT_ROLE_COUNTER: calls under way (shard 0) */
	__u64 pad[3];
};

/*
 * Durations: 8 buckets for each doubling, so that a bucket is at most 12.5 % wide; values below 16
 * ns have buckets of their own, values from 2^40 ns (18 minutes) on share the last one.
 */
enum {
	CT_BUCKETS_PER_DOUBLING = 8,
	CT_BUCKETS = 304,
};

struct ct_histogram {
	__u64 count[CT_BUCKETS];
};

enum ct_process_flags {
	CT_PROCESS_CHILDREN = 1 << 0,	/* its children are traced too */
	CT_PROCESS_EXITED = 1 << 1,
	CT_PROCESS_FORKED = 1 << 2,	/* added by the kernel side, at a fork */
};

struct ct_process {
	__u64 start_ns; /* boot time at which it was started; 0 where the user side added it */
	__u32 parent;
	__u16 flags;
	__u16 generation;
	char comm[CT_COMM];
};

_Static_assert(sizeof(struct ct_operand) == 24, "ct_operand");
_Static_assert(sizeof(struct ct_test) == 48, "ct_test");
_Static_assert(sizeof(struct ct_rule) == 12 + 3 * 24 + 4 + 16 * 48, "ct_rule");
_Static_assert(sizeof(struct ct_site) == 8, "ct_site");
_Static_assert(sizeof(struct ct_key) == 16, "ct_key");
_Static_assert(sizeof(struct ct_slot) == 192, "ct_slot");
_Static_assert(sizeof(struct ct_process) == 32, "ct_process");

#endif
