/* SPDX-License-Identifier: BSD-2-Clause */
/* One ELF file: its identity, symbols, functions and bytes. Nothing in the file is trusted. */
#ifndef CACHETRACE_ELF_FILE_H
#define CACHETRACE_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

enum elf_machine { ELF_MACHINE_OTHER, ELF_MACHINE_X86_64, ELF_MACHINE_AARCH64 };

/* A function or object of the symbol tables. Addresses are the file's own (link time) ones. */
struct elf_symbol {
	const char *name;	/* without its version ("@@V1"); owned by the file */
	uint64_t address;
	uint64_t size;		/* 0 if the table does not tell */
	bool is_function;	/* STT_FUNC or STT_GNU_IFUNC; else a data object */
};

/* A stretch of code: [address, address + size). */
struct elf_range {
	uint64_t address;
	uint64_t size;
};

/*
 * Reads the file open at fd (which stays the caller's). root is a folder below which separate debug
 * files are looked for first (process__root, or "" for none), before the host's own. Symbols are
 * read when first asked for. 0 or -errno (-ENOEXEC: not a 64-bit executable or shared library of
 * this machine's byte order).
 */
int elf_file__open(struct elf_file **file, int fd, const char *root);
void elf_file__close(struct elf_file *file);

enum elf_machine elf_file__machine(const struct elf_file *file);
/* Lower-case hex digits; "" if the file has none. */
const char *elf_file__build_id(const struct elf_file *file);
/* DT_SONAME; "" if none. */
const char *elf_file__soname(const struct elf_file *file);
/* Built by the Go compiler: a return probe would break it. */
bool elf_file__is_go(const struct elf_file *file);
/* An unwind entry names a personality routine: exceptions may pass through this file's code. */
bool elf_file__may_unwind(struct elf_file *file);

/* Address of the byte at a file offset, and back. False if no loaded segment has it. */
bool elf_file__offset_to_address(const struct elf_file *file, uint64_t offset, uint64_t *address);
bool elf_file__address_to_offset(const struct elf_file *file, uint64_t address, uint64_t *offset);
/* The lowest address of a segment, cut to a page: where the first mapping starts, less the bias. */
uint64_t elf_file__base(const struct elf_file *file);
/*
 * What to add to the file's addresses for those in a process: from where an executable mapping
 * starts and its file offset. (Two other mappings can begin at the same page of the file, and do
 * not tell.) False: no segment fits.
 */
bool elf_file__bias(const struct elf_file *file, uint64_t start, uint64_t offset, uint64_t *bias);
/* The address lies in an executable segment. */
bool elf_file__is_code(const struct elf_file *file, uint64_t address);

/* Up to size bytes of the file's initial image; how many were there (0 outside of segments). */
size_t elf_file__read(const struct elf_file *file, uint64_t address, void *buffer, size_t size);

/*
 * Visits all named functions and objects of .symtab, .dynsym, the separate debug file (by build-id)
 * and, without that, .gnu_debugdata, sorted by address, then name; one that stands in several
 * tables is visited once per (name, address). Stops when visit returns non-zero and returns that;
 * -ENOMEM.
 */
int elf_file__each_symbol(struct elf_file *file,
			  int (*visit)(const struct elf_symbol *symbol, void *context),
			  void *context);

/*
 * The function around address, from the unwind table (which stripped files keep) or else the
 * symbols. False if nothing covers the address.
 */
bool elf_file__function_at(struct elf_file *file, uint64_t address, struct elf_range *function);
/*
 * All function ranges of the unwind table, of the symbols in a file without one, sorted by address;
 * owned by the file. A split function is several ranges; a section of linkage stubs is one.
 */
size_t elf_file__functions(struct elf_file *file, const struct elf_range **functions);

/* Name of the dynamic symbol that the linkage stub at address jumps to; NULL: not a stub. */
const char *elf_file__plt_target(struct elf_file *file, uint64_t address);

/* .dynsym or .symtab lists the name as undefined: it comes from another file. */
bool elf_file__imports(struct elf_file *file, const char *name);

#endif
