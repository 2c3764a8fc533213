// SPDX-License-Identifier: BSD-2-Clause
/* The live view: a snapshot every interval, until it is interrupted or nothing is left to trace. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "gather.h"
#include "log.h"
#include "output.h"

enum { MAX_WAITED_FOR = 1024 };

struct live {
	const struct options *options;
	struct session *session;
	const struct output *output;
	struct output_options output_options;
	struct snapshot *shown;		/* what was shown last */
	struct timespec next;		/* when the next snapshot is due */
	sigset_t unblocked;		/* signals while waiting */
};

static int64_t ns_until(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (then->tv_sec - now.tv_sec) * 1000000000LL + (then->tv_nsec - now.tv_nsec);
}

static void set_next(struct live *live)
{
	int64_t ns = live->options->interval * 1e9;

	live->next.tv_sec += ns / 1000000000;
	live->next.tv_nsec += ns % 1000000000;
	if (live->next.tv_nsec >= 1000000000) {
		live->next.tv_nsec -= 1000000000;
		live->next.tv_sec++;
	}
	/* Late, as the machine slept or the reader of a pipe was slow: no burst to catch up. */
	if (ns_until(&live->next) < 0)
		clock_gettime(CLOCK_MONOTONIC, &live->next);
}

/* Until the interval is over, a signal asks to stop, or the last process has ended. */
static int wait_for_next(struct live *live)
{
	struct pollfd list[MAX_WAITED_FOR];
	struct timespec timeout;
	size_t count;
	int64_t ns;

	while (!exit_requested && (ns = ns_until(&live->next)) > 0) {
		count = session__wait_for(live->session, list, MAX_WAITED_FOR);
		timeout =
			(struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
		if (ppoll(list, count, &timeout, &live->unblocked) <= 0)
			continue;
		if (session__update(live->session))
			return -EIO;
		if (session__over(live->session))
			break;
	}
	return 0;
}

static int show(struct live *live, struct snapshot *now)
{
	int err;

	if (!now)
		return -EIO;
	err = live->output->show(&live->output_options, stdout, now, live->shown);
	if (err && err != -EPIPE)
		log_error("cannot write the output: %s", strerror(-err));
	snapshot__free(live->shown);
	live->shown = now;
	return err;
}

static int follow(struct live *live)
{
	unsigned long shown = 0;
	bool last = false;
	int err = 0;

	while (!err && !last) {
		set_next(live);
		err = wait_for_next(live);
		if (!err)
			err = session__update(live->session);
		last = err || exit_requested || session__over(live->session) ||
		       ++shown == live->options->count;
		if (last)
			session__stop(live->session);
		/* What was gathered is shown even after a failure. */
		err = show(live, session__snapshot(live->session)) ?: err;
	}
	return err;
}

static int prepare_output(struct live *live)
{
	const struct options *options = live->options;
	int err = 0;

	live->output = options->json ? &output_json : &output_table;
	live->output_options.rows = options->rows;
	if (options->columns)
		err = columns__choose(options->columns, &live->output_options.columns,
				      &live->output_options.columns_count);
	if (!err && options->sort) {
		live->output_options.sort = column__find(options->sort);
		if (!live->output_options.sort) {
			log_error("--sort: there is no column '%s' (--help lists them)",
				  options->sort);
			err = -EINVAL;
		}
	}
	return err;
}

/* Signals arrive while waiting only, so that none is missed between the check and the wait. */
static void block_signals(struct live *live)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &live->unblocked);
	sigdelset(&live->unblocked, SIGINT);
	sigdelset(&live->unblocked, SIGTERM);
}

static int run(struct live *live, const struct session_options *session_options)
{
	int err = session__open(&live->session, session_options);

	if (err)
		return err;
	block_signals(live);
	err = session__start(live->session);
	if (!err) {
		clock_gettime(CLOCK_MONOTONIC, &live->next);
		/* The table shows at once what is traced; a line of JSON is owed for each interval
		 * only. */
		if (!live->options->json)
			err = show(live, session__snapshot(live->session));
		if (!err)
			err = follow(live);
		if (live->output->end)
			live->output->end(stdout);
	}
	session__close(live->session);
	/* The reader of a pipe has seen enough. */
	return err == -EPIPE ? 0 : err == -EINVAL || err == -ENOENT ? -EIO : err;
}

enum exit_status command_trace(const struct options *options)
{
	struct live live = { .options = options };
	struct gathering gathering;
	int err;

	if (!options->pids_count) {
		log_error("which process? -p PID is missing");
		return EXIT_USAGE;
	}
	err = prepare_output(&live);
	if (!err)
		err = gathering__begin(&gathering, options);
	if (!err) {
		err = run(&live, &gathering.session);
		gathering__end(&gathering);
	}
	snapshot__free(live.shown);
	free(live.output_options.columns);
	return exit_status_of(err);
}
