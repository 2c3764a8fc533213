// SPDX-License-Identifier: BSD-2-Clause
/*
 * Functions that keep a value below the stack pointer across a nop, as leaf functions may (System V
 * ABI: red zone). A probe on a 5-byte nop makes kernels from 6.18 on write there.
 */
#include <stdio.h>
#include <string.h>

#define LEAF(name, nop)									\
	__attribute__((naked, noinline)) long name(long value)				\
	{										\
		(void)value;								\
		__asm__ volatile("mov %rdi, -8(%rsp)\n"					\
				 ".globl " #name "_nop\n"				\
				 ".type " #name "_nop, @function\n"			\
				 #name "_nop: " nop "\n"				\
				 "mov -8(%rsp), %rax\n"					\
				 "ret");						\
	}

long leaf_nop5(long value);
long leaf_nop1(long value);
long first_nop5(long value);

LEAF(leaf_nop5, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00")
LEAF(leaf_nop1, "nop")

/* The nop is the function's first instruction: nothing is below the stack pointer yet. */
__attribute__((naked, noinline)) long first_nop5(long value)
{
	(void)value;
	__asm__ volatile(".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
			 "mov %rdi, -8(%rsp)\n"
			 "mov -8(%rsp), %rax\n"
			 "ret");
}

static long wrong(long (*function)(long))
{
	long i, count = 0;

	for (i = 1; i <= 100000; i++)
		count += function(i) != i;
	return count;
}

int main(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && !strncmp(line, "go", 2)) {
		printf("{\"lookups\":300000,\"wrong\":%ld}\n",
		       wrong(leaf_nop5) + wrong(leaf_nop1) + wrong(first_nop5));
		fflush(stdout);
	}
	return 0;
}
