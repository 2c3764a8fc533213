/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions in assembly that tests of the disassembler build while they run. */
#ifndef CACHETRACE_TESTS_INSN_SAMPLE_H
#define CACHETRACE_TESTS_INSN_SAMPLE_H

#include "elf_sample.h"
#include "insn.h"

/* Writes one function with its unwind entry. */
static inline void insn_sample__function(FILE *stream, const char *name, const char *body)
{
	fprintf(stream,
		".p2align 4\n.globl %s\n.type %s, @function\n%s:\n.cfi_startproc\n%s\n"
		".cfi_endproc\n.size %s, . - %s\n.fill 3, 1, 0xcc\n",
		name, name, name, body, name, name);
}

static inline FILE *insn_sample__create(const char *name)
{
	char path[256];
	FILE *stream;

	sample__path(path, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fprintf(stream, ".section .note.GNU-stack, \"\", %%progbits\n.text\n");
	return stream;
}

/* What nm says of a file, asked once for each. */
static inline const char *insn_sample__symbols(const char *file)
{
	static struct {
		char file[32];
		char *symbols;
	} known[16];

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].symbols && strcmp(known[i].file, file))
			continue;
		if (!known[i].symbols) {
			snprintf(known[i].file, sizeof(known[i].file), "%s", file);
			known[i].symbols = sample__ask("nm %s", file);
		}
		assert_non_null(known[i].symbols);
		return known[i].symbols;
	}
	fail_msg("too many files");
	return NULL;
}

/* Where a symbol of any kind is. */
static inline uint64_t insn_sample__address(const char *file, const char *symbol)
{
	const char *symbols = insn_sample__symbols(file), *line;
	char end[96];

	snprintf(end, sizeof(end), " %s\n", symbol);
	line = strstr(symbols, end);
	if (!line)
		fail_msg("%s has no %s", file, symbol);
	while (line > symbols && line[-1] != '\n')
		line--;
	return strtoull(line, NULL, 16);
}

#endif
