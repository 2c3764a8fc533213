/* SPDX-License-Identifier: BSD-2-Clause */
/* One tracing session: the traced processes, what is planned for them, and their numbers as
 * snapshots. */
#ifndef CACHETRACE_SESSION_H
#define CACHETRACE_SESSION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "plan.h"
#include "snapshot.h"
#include "tracer.h"

struct session;

struct session_options {
	const pid_t *pids;
	size_t pids_count;
	bool children;		/* processes forked later are traced too */
	bool look_only;		/* what cannot be traced is no error, as nothing will be */
	bool wait_for_targets;	/* nothing found now is no error: a library may be loaded later */
	struct plan_options plan;
	struct tracer_options tracer;
};

/*
 * Opens processes, loads the programs, and looks for caches. 0; -ESRCH: a process does not exist; -EACCES: not allowed;
 * -ENOENT: there is nothing to trace; all said in the log.
 */
int session__open(struct session **session, const struct session_options *options);
/* Detaches all probes, frees. */
void session__close(struct session *session);

const struct plan *session__plan(const struct session *session);

/* Attaches, and begins to count. 0 or -errno, logged. */
int session__start(struct session *session);
/* Stops counting; the next snapshot is the exact final total. */
void session__stop(struct session *session);

/* Takes up what happened since: libraries loaded, children, ends. 0 or -errno. */
int session__update(struct session *session);
/* All processes have ended. */
bool session__over(const struct session *session);
/* Descriptors that become readable when a process ends; at most max. */
size_t session__wait_for(const struct session *session, struct pollfd *list, size_t max);

/* The numbers since the start. NULL without memory or when the maps cannot be read (logged). */
struct snapshot *session__snapshot(struct session *session);

#endif
