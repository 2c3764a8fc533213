// SPDX-License-Identifier: BSD-2-Clause
/* MANY OBJECTS: looks up once in each of so many cache objects. */
#include "truth.h"

__attribute__((noinline, noclone)) void *many_get(void *object, long key)
{
	__asm__ volatile("" : "+r"(object));
	return key % 4 ? object : NULL;
}

int main(int argc, char **argv)
{
	long objects = argc > 1 ? atol(argv[1]) : 1000, i;
	struct truth truth = { 0, 0, 0, 0, 0 };

	printf("ready\n");
	fflush(stdout);
	truth_await_line();
	for (i = 1; i <= objects; i++) {
		truth.lookups++;
		if (many_get((void *)(i * 64), i))
			truth.hits++;
		else
			truth.misses++;
	}
	truth_print("many", &truth);
	truth_await_line();
	return 0;
}
