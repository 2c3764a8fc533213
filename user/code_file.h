/* SPDX-License-Identifier: BSD-2-Clause */
/* The files with code that traced processes have mapped: each is opened and examined once, whoever
 * maps it. */
#ifndef CACHETRACE_CODE_FILE_H
#define CACHETRACE_CODE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "elf.h"
#include "process.h"

struct code_file {
	uint64_t device, inode;
	int fd; /* open as long as the registry lives: probes are attached through it */
	struct elf_file *elf;	/* NULL: not an ELF file that can be traced */
	char *path;		/* as the first process saw it */
};

struct code_files {
	struct code_file **list;
	size_t count, room;
};

/* The file behind a mapping, opened if it is new. NULL if it cannot be opened or without memory. */
struct code_file *code_files__of_mapping(struct code_files *files, const struct process *process,
					 const struct mapping *mapping);
void code_files__free(struct code_files *files);

/* What must be added to the file's addresses to get those of the process. */
uint64_t code_file__bias(const struct code_file *file, const struct mapping *mapping);

#endif
