// SPDX-License-Identifier: BSD-2-Clause
/* FORKER DEPTH: at "go" forks three children, each of which does so too to the given depth; every
 * process looks up on its own. */
#include <sys/wait.h>

#include "truth.h"

enum { CHILDREN = 3, LOOKUPS = 1000 };

__attribute__((noinline, noclone)) void *forker_get(void *object, long key)
{
	__asm__ volatile("" : "+r"(object));
	return key % 4 ? object : NULL;
}

/* How many processes took part. */
static unsigned spread(int depth)
{
	unsigned processes = 1;
	int child, status;
	long i;

	for (i = 1; i <= LOOKUPS; i++)
		forker_get(&depth, i);
	for (child = 0; depth && child < CHILDREN; child++) {
		pid_t pid = fork();

		if (pid < 0)
			exit(1);
		if (!pid)
			_exit(spread(depth - 1));
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			exit(1);
		processes += WEXITSTATUS(status);
	}
	return processes;
}

int main(int argc, char **argv)
{
	struct truth truth = { 0, 0, 0, 0, 0 };
	unsigned processes;

	if (argc != 2)
		return 2;
	printf("ready\n");
	fflush(stdout);
	truth_await_line();
	processes = spread(atoi(argv[1]));
	truth.lookups = (uint64_t)processes * LOOKUPS;
	truth.misses = truth.lookups / 4;
	truth.hits = truth.lookups - truth.misses;
	truth_print("forker", &truth);
	truth_await_line();
	return 0;
}
