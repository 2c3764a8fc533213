/* SPDX-License-Identifier: BSD-2-Clause */
/* Procedure linkage stubs of an ELF file: which imported function each one jumps to. */
#include <stdlib.h>
#include <string.h>

#include "elf_private.h"

enum { MAX_STUB = 24 };

static Elf_Data *relocations_at(const struct elf_file *file, uint64_t address, uint64_t size)
{
	return address ? elf_file__chunk(file, address, size, ELF_T_RELA) : NULL;
}

size_t elf_file__relocated_symbols(const struct elf_file *file)
{
	const struct elf_dynamic *dynamic = &file->dynamic;
	Elf_Data *lists[] = {
		relocations_at(file, dynamic->plt_relocations, dynamic->plt_relocations_size),
		relocations_at(file, dynamic->relocations, dynamic->relocations_size),
	};
	GElf_Rela relocation;
	size_t count = 0;

	for (int list = 0; list < 2; list++) {
		for (int i = 0; lists[list] && gelf_getrela(lists[list], i, &relocation); i++) {
			if (GELF_R_SYM(relocation.r_info) >= count)
				count = GELF_R_SYM(relocation.r_info) + 1;
		}
	}
	return count;
}

static bool fills_slot(const struct elf_file *file, uint64_t type)
{
	switch (elf_file__machine(file)) {
	case ELF_MACHINE_X86_64:
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	case ELF_MACHINE_AARCH64:
		return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	default:
		return false;
	}
}

static bool add_slot(struct elf_file *file, size_t *room, const GElf_Rela *relocation)
{
	if (file->slots_count == *room) {
		struct elf_slot *more = reallocarray(file->slots, *room * 2 + 64, sizeof(*more));

		if (!more)
			return false;
		file->slots = more;
		*room = *room * 2 + 64;
	}
	file->slots[file->slots_count].address = relocation->r_offset;
	file->slots[file->slots_count++].symbol = GELF_R_SYM(relocation->r_info);
	return true;
}

static void add_slots(struct elf_file *file, size_t *room, Elf_Data *relocations)
{
	GElf_Rela relocation;

	for (int i = 0; relocations && gelf_getrela(relocations, i, &relocation); i++) {
		if (fills_slot(file, GELF_R_TYPE(relocation.r_info)) &&
		    !add_slot(file, room, &relocation))
			return;
	}
}

static int compare_slots(const void *first, const void *second)
{
	const struct elf_slot *a = first, *b = second;

	return a->address < b->address ? -1 : a->address > b->address;
}

static void need_slots(struct elf_file *file)
{
	const struct elf_dynamic *dynamic = &file->dynamic;
	size_t room = 0;

	if (file->slots_read)
		return;
	file->slots_read = true;
	elf_file__read_tables(file);
	add_slots(file, &room,
		  relocations_at(file, dynamic->plt_relocations, dynamic->plt_relocations_size));
	add_slots(file, &room,
		  relocations_at(file, dynamic->relocations, dynamic->relocations_size));
	if (file->slots_count)
		qsort(file->slots, file->slots_count, sizeof(*file->slots), compare_slots);
}

static const char *slot_name(struct elf_file *file, uint64_t address)
{
	const struct elf_table *table = &file->tables[ELF_TABLE_DYNSYM];
	const struct elf_slot key = { .address = address }, *slot;
	const char *name;
	GElf_Sym symbol;

	need_slots(file);
	if (!file->slots_count)
		return NULL;
	slot = bsearch(&key, file->slots, file->slots_count, sizeof(key), compare_slots);
	if (!slot || slot->symbol >= table->count ||
	    !gelf_getsym(table->symbols, slot->symbol, &symbol))
		return NULL;
	name = elf_table__name(table, symbol.st_name);
	return name && *name ? name : NULL;
}

/*
 * The stubs of the x86-64 psABI: an indirect jump through a pointer near the next instruction (ff
 * 25 and a signed 32-bit distance), perhaps behind endbr64 (f3 0f 1e fa) and a bnd prefix (f2).
 * .plt, .plt.sec and .plt.got share it.
 */
static bool x86_64_slot(const uint8_t *code, size_t size, uint64_t address, uint64_t *slot)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = 0;
	int32_t distance;

	if (size >= sizeof(endbr64) && !memcmp(code, endbr64, sizeof(endbr64)))
		at += sizeof(endbr64);
	if (at < size && code[at] == 0xf2)
		at++;
	if (size - at < 6 || code[at] != 0xff || code[at + 1] != 0x25)
		return false;
	memcpy(&distance, code + at + 2, sizeof(distance));
	*slot = address + at + 6 + (uint64_t)(int64_t)distance;
	return true;
}

/*
 * The stubs of the AArch64 psABI, perhaps behind bti c: adrp x16, PAGE; ldr x17, [x16, OFFSET]; add
 * x16, x16, OFFSET; perhaps autia1716; br x17.
 */
static bool aarch64_slot(const uint8_t *bytes, size_t size, uint64_t address, uint64_t *slot)
{
	uint32_t code[MAX_STUB / 4] = { 0 };
	size_t at = 0, jump;
	uint64_t pages;

	memcpy(code, bytes, size < sizeof(code) ? size : sizeof(code));
	if (code[0] == 0xd503245f)
		at++;
	jump = at + 3;
	if (code[jump] == 0xd503219f)
		jump++;
	if ((code[at] & 0x9f00001f) != 0x90000010 || (code[at + 1] & 0xffc003ff) != 0xf9400211 ||
	    (code[at + 2] & 0xffc003ff) != 0x91000210 || code[jump] != 0xd61f0220)
		return false;
	pages = (code[at] >> 5 & 0x7ffff) << 2 | (code[at] >> 29 & 3);
	pages = (uint64_t)((int64_t)(pages << 43) >> 43);
	*slot = ((address + 4 * at) & -UINT64_C(4096)) + (pages << 12) +
		(code[at + 1] >> 10 & 0xfff) * 8;
	return true;
}

const char *elf_file__plt_target(struct elf_file *file, uint64_t address)
{
	enum elf_machine machine = elf_file__machine(file);
	uint8_t code[MAX_STUB];
	uint64_t slot;
	size_t size;

	if (!elf_file__is_code(file, address))
		return NULL;
	size = elf_file__read(file, address, code, sizeof(code));
	if (machine == ELF_MACHINE_X86_64 && x86_64_slot(code, size, address, &slot))
		return slot_name(file, slot);
	if (machine == ELF_MACHINE_AARCH64 && aarch64_slot(code, size, address, &slot))
		return slot_name(file, slot);
	return NULL;
}
