// SPDX-License-Identifier: BSD-2-Clause
/* One tracing session: opens processes, plans, attaches, follows what happens, takes snapshots. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "session_private.h"
#include "version.h"

int64_t session__now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

struct traced *session__traced(const struct session *session, pid_t pid, uint16_t generation)
{
	size_t i;

	for (i = session->traced_count; i > 0; i--)
		if (session->traced[i - 1]->pid == pid &&
		    session->traced[i - 1]->generation == generation)
			return session->traced[i - 1];
	return NULL;
}

static struct traced *add_traced(struct session *session, pid_t pid, uint16_t generation)
{
	struct traced **list, *traced = calloc(1, sizeof(*traced));

	if (!traced)
		return NULL;
	list = reallocarray(session->traced, session->traced_count + 1, sizeof(struct traced *));
	if (!list) {
		free(traced);
		return NULL;
	}
	session->traced = list;
	list[session->traced_count++] = traced;
	traced->pid = pid;
	traced->generation = generation;
	return traced;
}

static int explain_process(pid_t pid, int err)
{
	if (err == -ESRCH)
		log_error("there is no process %d", pid);
	else if (err == -EACCES || err == -EPERM)
		log_error("not allowed to look at process %d: run as root, or with CAP_SYS_PTRACE",
			  pid);
	else
		log_error("cannot look at process %d: %s", pid, strerror(-err));
	return err;
}

static int open_process(struct session *session, pid_t pid)
{
	struct process *process;
	struct traced *traced;
	int err = process__open(&process, pid);

	if (err)
		return explain_process(pid, err);
	if (session__traced(session, process->pid, 0)) {
		process__close(process);
		return 0;
	}
	if (!process->mappings_count)
		log_warning("process %d has no memory of its own: it is a kernel thread or about "
			    "to end",
			    pid);
	traced = add_traced(session, process->pid, 0);
	if (!traced) {
		process__close(process);
		return -ENOMEM;
	}
	traced->process = process;
	traced->start_time = process->start_time;
	return 0;
}

static size_t count_live_definitions(const struct plan *plan)
{
	size_t i, live = 0;

	for (i = 0; i < plan__definitions_count(plan); i++)
		live += !plan__definition(plan, i)->refusal;
	return live;
}

/* A cache that was asked for by name and cannot be traced is an error; one that only happens to be
 * there is not. */
static void tell_refusals(const struct session *session)
{
	bool asked = session->options.plan.only_count || session->options.plan.ad_hoc;
	size_t i;

	for (i = 0; i < plan__definitions_count(session->plan); i++) {
		const struct definition *definition = plan__definition(session->plan, i);

		if (!definition->refusal)
			continue;
		if (asked)
			log_error("%s %s in %s cannot be traced: %s", definition->target->name,
				  definition->cache->name, code_file__path(definition->file),
				  definition->refusal);
		else
			log_warning("%s %s in %s is not traced: %s", definition->target->name,
				    definition->cache->name, code_file__path(definition->file),
				    definition->refusal);
	}
}

static int tell_nothing(const struct session *session)
{
	log_error("nothing to trace: no known cache in the given process%s (cachetrace targets "
		  "lists what is known; "
		  "--lookup traces any function)",
		  session->options.pids_count > 1 ? "es" : "");
	return -ENOENT;
}

static int plan_all(struct session *session)
{
	size_t i;
	int added;

	for (i = 0; i < session->traced_count; i++) {
		added = plan__examine(session->plan, session->traced[i]->process);
		if (added < 0)
			return added;
	}
	if (session->options.look_only)
		return plan__definitions_count(session->plan) ? 0 : tell_nothing(session);
	tell_refusals(session);
	if (count_live_definitions(session->plan))
		return 0;
	if (plan__definitions_count(session->plan))
		return -ENOENT;
	if (session->options.wait_for_targets) {
		log_warning("nothing to trace yet: waiting for the process to load it");
		return 0;
	}
	return tell_nothing(session);
}

int session__open(struct session **result, const struct session_options *options)
{
	struct session *session = calloc(1, sizeof(*session));
	size_t i;
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	session->host_name = process__host_name();
	session->kernel = process__kernel_release();
	session->boot_id = process__boot_id();
	err = plan__new(&session->plan, &options->plan);
	for (i = 0; !err && i < options->pids_count; i++)
		err = open_process(session, options->pids[i]);
	/*
	 * Loading holds the kernel's type information (5 MB) twice for a moment. Done before files
	 * are examined, that is not on top of what is known of them.
	 */
	if (!err && !options->look_only)
		err = tracer__open(&session->tracer, &options->tracer);
	if (!err)
		err = plan_all(session);
	if (err) {
		session__close(session);
		return err;
	}
	*result = session;
	return 0;
}

void session__close(struct session *session)
{
	size_t i;

	if (!session)
		return;
	tracer__close(session->tracer);
	plan__free(session->plan);
	for (i = 0; i < session->traced_count; i++) {
		process__close(session->traced[i]->process);
		free(session->traced[i]);
	}
	free(session->traced);
	session__forget_known(session);
	free(session->host_name);
	free(session->kernel);
	free(session->boot_id);
	free(session);
}

const struct plan *session__plan(const struct session *session)
{
	return session->plan;
}

static int install_and_attach(struct session *session)
{
	int sites = plan__install(session->plan, session->tracer);

	return sites < 0 ? sites : tracer__attach(session->tracer);
}

int session__start(struct session *session)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < session->traced_count; i++)
		err = tracer__add_process(session->tracer, session->traced[i]->pid,
					  session->options.children);
	if (!err)
		err = install_and_attach(session);
	if (err)
		return err;
	session->since_ms = session->last_ms = session__now_ms();
	tracer__arm(session->tracer, true);
	log_info("%llu sites in %zu files, attached by %s",
		 (unsigned long long)tracer__sites(session->tracer),
		 plan__files_count(session->plan),
		 tracer_rung__name(tracer__rung(session->tracer)));
	return 0;
}

void session__stop(struct session *session)
{
	tracer__arm(session->tracer, false);
	session->stopped = true;
}

/* A process that the kernel side added at a fork. It may have ended meanwhile. */
static int take_up_child(struct session *session, const struct tracer_process *child)
{
	struct traced *traced = add_traced(session, child->pid, child->process.generation);
	int added;

	if (!traced)
		return -ENOMEM;
	memcpy(traced->comm, child->process.comm, sizeof(traced->comm));
	traced->comm[sizeof(traced->comm) - 1] = '\0';
	/* Nanoseconds to clock ticks, of which there are 100 a second on every Linux machine. */
	traced->start_time = child->process.start_ns / 10000000;
	if (child->process.flags & CT_PROCESS_EXITED)
		return 0;
	if (process__open(&traced->process, child->pid)) {
		traced->process = NULL;
		return 0;
	}
	traced->start_time = traced->process->start_time;
	added = plan__examine(session->plan, traced->process);
	return added < 0 ? added : 0;
}

static int follow_children(struct session *session)
{
	struct tracer_reading reading;
	size_t i;
	int err = tracer__read_processes(session->tracer, &reading);

	for (i = 0; !err && i < reading.processes_count; i++) {
		const struct tracer_process *process = &reading.processes[i];

		if ((process->process.flags & CT_PROCESS_FORKED) &&
		    !session__traced(session, process->pid, process->process.generation))
			err = take_up_child(session, process);
	}
	return err;
}

static int look_again(struct session *session, struct traced *traced)
{
	bool changed;
	int added;

	if (!process__alive(traced->process) || process__read_mappings(traced->process, &changed)) {
		traced->ended = true;
		return 0;
	}
	if (!changed)
		return 0;
	added = plan__examine(session->plan, traced->process);
	return added < 0 ? added : 0;
}

int session__update(struct session *session)
{
	size_t i;
	int err = 0;

	if (session->options.children)
		err = follow_children(session);
	for (i = 0; !err && i < session->traced_count; i++) {
		struct traced *traced = session->traced[i];

		if (!traced->process)
			traced->ended = true;
		else if (!traced->ended)
			err = look_again(session, traced);
	}
	return err ? err : install_and_attach(session);
}

bool session__over(const struct session *session)
{
	size_t i;

	for (i = 0; i < session->traced_count; i++)
		if (!session->traced[i]->ended)
			return false;
	return true;
}

size_t session__wait_for(const struct session *session, struct pollfd *list, size_t max)
{
	size_t i, count = 0;

	for (i = 0; i < session->traced_count && count < max; i++) {
		const struct traced *traced = session->traced[i];

		if (traced->process && !traced->ended && traced->process->pidfd >= 0)
			list[count++] =
				(struct pollfd){ .fd = traced->process->pidfd, .events = POLLIN };
	}
	return count;
}

static void describe(struct session *session, struct snapshot *snapshot,
		     const struct tracer_reading *reading)
{
	struct self_usage usage;

	process__self_usage(&usage);
	snapshot->version = snapshot__string(snapshot, CACHETRACE_VERSION);
	snapshot->host_name = snapshot__string(snapshot, session->host_name);
	snapshot->kernel = snapshot__string(snapshot, session->kernel);
	snapshot->boot_id = snapshot__string(snapshot, session->boot_id);
	snapshot->time_ms = session__now_ms();
	snapshot->since_ms = session->since_ms;
	snapshot->interval_s = (snapshot->time_ms - session->last_ms) / 1000.0;
	snapshot->final = session->stopped;
	memcpy(snapshot->lost, reading->lost, sizeof(snapshot->lost));
	snapshot->self.cpu_s = usage.cpu_seconds;
	snapshot->self.rss_bytes = usage.rss_bytes;
	snapshot->self.has_bpf_ns = reading->has_run_time;
	snapshot->self.bpf_ns = reading->run_time_ns;
	snapshot->self.sites = tracer__sites(session->tracer);
	session->last_ms = snapshot->time_ms;
}

/* Once, when it happens first: the numbers say it again in each snapshot. */
static void tell_losses(struct session *session, const struct tracer_reading *reading)
{
	if (session->told_full || !reading->lost[CT_LOST_MAP_FULL])
		return;
	session->told_full = true;
	log_warning(
		"there is no room for all caches: the lookups of the rest are counted as lost only "
		"(--max-caches makes more room)");
}

struct snapshot *session__snapshot(struct session *session)
{
	struct tracer_reading reading = {};
	struct snapshot *snapshot = snapshot__new();
	int err;

	if (!snapshot)
		return NULL;
	err = tracer__read(session->tracer, &reading);
	if (!err)
		err = session__add_rows(session, snapshot, &reading);
	if (err) {
		log_error("cannot read the counters: %s", strerror(-err));
		snapshot__free(snapshot);
		return NULL;
	}
	tell_losses(session, &reading);
	describe(session, snapshot, &reading);
	return snapshot;
}
