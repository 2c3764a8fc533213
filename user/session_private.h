/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the session share. */
#ifndef CACHETRACE_SESSION_PRIVATE_H
#define CACHETRACE_SESSION_PRIVATE_H

#include "session.h"

/* A traced process, and its last words once it has ended. */
struct traced {
	pid_t pid;
	uint16_t generation;	/* as in the tracer's keys */
	uint64_t start_time;
	struct process *process;	/* NULL: it ended before it could be looked at */
	char comm[CT_COMM];	/* used without a process */
	bool ended;
};

/* What is remembered of a cache between readings. */
struct known_cache {
	struct ct_key key;
	char *label;
	bool label_asked;
	bool has_entries, has_capacity;
	int64_t entries, capacity;
	uint64_t gauged_misses;	/* the gauges are those at this number of misses */
	uint64_t hits;		/* never goes back */
};

struct session {
	struct session_options options;
	struct plan *plan;
	struct tracer *tracer;
	struct traced **traced;
	size_t traced_count;
	void *known;		/* tree of struct known_cache by key */
	bool stopped;
	bool told_full;		/* that there is no room was said */
	int64_t since_ms;
	int64_t last_ms;
	char *host_name, *kernel, *boot_id;
};

struct traced *session__traced(const struct session *session, pid_t pid, uint16_t generation);

/* Rows of all caches that the maps hold and of those that were planned but never fired. 0 or
 * -errno. */
int session__add_rows(struct session *session, struct snapshot *snapshot,
		      const struct tracer_reading *reading);
void session__forget_known(struct session *session);

int64_t session__now_ms(void);

#endif
