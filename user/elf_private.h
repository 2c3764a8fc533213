/* SPDX-License-Identifier: BSD-2-Clause */
/* What the elf*.c files share about one opened file. Nobody else includes this. */
#ifndef CACHETRACE_ELF_PRIVATE_H
#define CACHETRACE_ELF_PRIVATE_H

#include <elf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>

#include "elf.h"

enum {
	/* No linker goes near these; they bound the work that a made-up file can cause. */
	ELF_MAX_SEGMENTS = 128,
	ELF_MAX_SECTIONS = 4096,
	ELF_MAX_SYMBOLS = 1 << 22,	/* of one table */
	ELF_MAX_NAME = 4096,
	ELF_MAX_NOTES = 64 << 10,	/* bytes of one segment of notes */
	ELF_MAX_DYNAMIC = 64 << 10,	/* bytes of PT_DYNAMIC */
	ELF_MAX_BUILD_ID = 64,		/* bytes; linkers write 8, 16 or 20 */
};

/* A PT_LOAD, with file_size cut to what the file has. */
struct elf_segment {
	uint64_t address;
	uint64_t memory_size;
	uint64_t offset;
	uint64_t file_size;
	bool zero_filled;	/* the bytes from file_size to memory_size are zeros, not missing */
	bool executable;
};

/* The entries of PT_DYNAMIC that matter here; 0 where there is none. Places are addresses. */
struct elf_dynamic {
	uint64_t strings, strings_size;
	uint64_t symbols;
	uint64_t hash, gnu_hash;
	uint64_t plt_relocations, plt_relocations_size;
	uint64_t relocations, relocations_size;
	uint64_t soname;
	bool has_soname;
};

/* A symbol table and its names. */
struct elf_table {
	Elf_Data *symbols;
	size_t count;
	const char *strings;
	size_t strings_size;	/* up to and with the last NUL, where the last name ends */
};

enum elf_table_origin {
	ELF_TABLE_SYMTAB,
	ELF_TABLE_DYNSYM,
	ELF_TABLE_SEPARATE,	/* .symtab of the separate debug file */
	ELF_TABLE_EMBEDDED,	/* .symtab of .gnu_debugdata */
	ELF_TABLES,
};

/* A file that holds nothing but debug data of another one. */
struct elf_debug {
	Elf *elf;
	int fd;			/* -1 if it is in memory */
	void *image;
};

/* A pointer that the dynamic linker sets to a symbol's address. */
struct elf_slot {
	uint64_t address;
	uint64_t symbol;	/* index in .dynsym */
};

struct elf_file {
	int fd;
	Elf *elf;
	GElf_Ehdr header;
	uint64_t size;
	char *root;
	struct elf_segment *segments;
	size_t segments_count;
	uint64_t unwind_header;	/* address of .eh_frame_hdr; 0 if there is none */
	struct elf_dynamic dynamic;
	char build_id[2 * ELF_MAX_BUILD_ID + 1];
	char *soname;
	bool is_go;

	/* Each of the groups below is filled when first asked for. */
	bool tables_read;
	struct elf_table tables[ELF_TABLES];
	struct elf_debug separate, embedded;

	bool symbols_read;
	int symbols_error;
	struct elf_symbol *symbols;	/* by address, then name */
	size_t symbols_count;
	struct elf_own_name *own_names;
	struct elf_range *sized;	/* functions whose size the symbols tell, by address */
	size_t sized_count;

	bool unwind_read;
	struct elf_range *functions;
	size_t functions_count;
	bool has_personality;

	bool slots_read;
	struct elf_slot *slots;		/* by address */
	size_t slots_count;
};

/* elf.c */

/* The bytes of a section; NULL if it is missing, empty, not in the file, or compressed. */
Elf_Data *elf_section__data(Elf *elf, const char *name, uint64_t *address);
/* A header of a 64-bit executable or shared library of this machine's byte order was read. */
bool elf_header__is_usable(Elf *elf, GElf_Ehdr *header);
/* Hex digits of the build-id; "" if there is none. */
void elf_build_id__read(Elf *elf, char hex[2 * ELF_MAX_BUILD_ID + 1]);

/* elf_image.c */

/* The segment around address, or NULL. */
const struct elf_segment *elf_file__segment_at(const struct elf_file *file, uint64_t address);
/* The part of the file that is loaded at [address, address + size); NULL if not all of it is. */
Elf_Data *elf_file__chunk(const struct elf_file *file, uint64_t address, uint64_t size,
			  Elf_Type type);
/* The range lies in one executable segment. */
bool elf_file__is_code_range(const struct elf_file *file, const struct elf_range *range);

/* elf_debug.c */

/* The separate debug file by the build-id. False if there is none. */
bool elf_debug__open_separate(const struct elf_file *file, struct elf_debug *debug);
/* What is packed into .gnu_debugdata. False if there is none. */
bool elf_debug__open_embedded(const struct elf_file *file, struct elf_debug *debug);
void elf_debug__close(struct elf_debug *debug);

/* elf_symbols.c */

void elf_file__read_tables(struct elf_file *file);
/* The name at an offset of the table's strings; NULL if there is none, or too long a one. */
const char *elf_table__name(const struct elf_table *table, uint64_t offset);
/* file->sized; empty if the symbols cannot be read. */
size_t elf_file__sized_functions(struct elf_file *file, const struct elf_range **functions);
void elf_file__free_symbols(struct elf_file *file);

/* elf_plt.c */

/* The relocations' part of elf_table.count: one more than the highest index of .dynsym they use. */
size_t elf_file__relocated_symbols(const struct elf_file *file);

#endif
