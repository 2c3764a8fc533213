/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jump tables of x86-64 compilers: finding the table that a jump through a pointer uses, and where
 * its entries lead.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "insn_private.h"

enum {
	NEAR = 24,	/* instructions between the jump and what computes its address */
	FAR = 64,	/* instructions between a table's use and the lea of its address */
};

/* How the address of a jump is computed. */
struct table {
	uint64_t address;
	unsigned width;		/* bytes of an entry */
	bool relative;		/* entries are distances from the table, else addresses */
	uint64_t count;		/* as the check before the jump says; 0 if none was found */
};

/* A look at the instructions before a jump, from the last to the first. */
struct look {
	struct insn_decoder *decoder;
	const struct insn_part *part;
	size_t index;
	size_t left;
};

/*
 * Decodes the instruction before the last one looked at. NULL if there is none, or none near
 * enough.
 */
static const cs_insn *look_back(struct look *look)
{
	if (!look->index || !look->left)
		return NULL;
	look->left--;
	look->index--;
	if (!insn_decoder__at(look->decoder, look->part->insns[look->index].address))
		return NULL;
	return look->decoder->instruction;
}

/* The last instruction that writes reg before the one looked at. */
static const cs_insn *find_writer(struct look *look, x86_reg reg)
{
	int number = insn_decoder__register(look->decoder, reg);

	while (number >= 0 && look->index && look->left) {
		if (look->part->insns[look->index - 1].written >> number & 1)
			return look_back(look);
		look->index--;
		look->left--;
	}
	return NULL;
}

/* The address that reg holds, loaded by a lea somewhere before. */
static bool find_base(const struct look *from, x86_reg reg, uint64_t *address)
{
	struct look look = *from;
	const cs_insn *lea;
	const cs_x86_op *source;

	look.left = FAR;
	lea = find_writer(&look, reg);
	if (!lea || lea->id != X86_INS_LEA)
		return false;
	source = &lea->detail->x86.operands[1];
	if (source->mem.base != X86_REG_RIP || source->mem.index)
		return false;
	*address = lea->address + lea->size + source->mem.disp;
	return true;
}

/*
 * A load from base + index * width, or from table + index * width. Looks at operand before it
 * decodes anything.
 */
static bool read_operand(const struct look *look, const cs_x86_op *operand, unsigned width,
			 struct table *table)
{
	x86_reg base = operand->mem.base;

	if (operand->type != X86_OP_MEM || !operand->mem.index ||
	    (unsigned)operand->mem.scale != width)
		return false;
	table->width = width;
	table->address = operand->mem.disp;
	if (base == X86_REG_INVALID)
		return true;
	return !operand->mem.disp && find_base(look, base, &table->address);
}

/*
 * movsxd offset, [base + index * 4]; add offset, base; jmp offset. The sum may stand in either
 * register.
 */
static bool read_sum(struct look *look, const cs_insn *add, struct table *table)
{
	x86_reg registers[2] = { add->detail->x86.operands[0].reg,
				 add->detail->x86.operands[1].reg };

	if (add->detail->x86.operands[1].type != X86_OP_REG)
		return false;
	for (int i = 0; i < 2; i++) {
		struct look from = *look;
		const cs_insn *load = find_writer(&from, registers[i]);

		if (!load || load->id != X86_INS_MOVSXD)
			continue;
		table->relative = true;
		return load->detail->x86.operands[1].mem.base == registers[!i] &&
		       read_operand(&from, &load->detail->x86.operands[1], 4, table);
	}
	return false;
}

static bool find_table(struct look *look, struct table *table)
{
	const cs_x86_op *operand;
	const cs_insn *from;

	if (!insn_decoder__at(look->decoder, look->part->insns[look->index].address))
		return false;
	operand = &look->decoder->instruction->detail->x86.operands[0];
	if (operand->type != X86_OP_REG)
		return read_operand(look, operand, 8, table);
	from = find_writer(look, operand->reg);
	if (!from)
		return false;
	if (from->id == X86_INS_ADD)
		return read_sum(look, from, table);
	return from->id == X86_INS_MOV &&
	       read_operand(look, &from->detail->x86.operands[1], 8, table);
}

/* cmp index, highest; ja elsewhere (or jae, with the count). */
static uint64_t find_count(struct look look)
{
	const cs_insn *from;
	unsigned condition = X86_INS_INVALID;

	while ((from = look_back(&look))) {
		const cs_x86_op *operands = from->detail->x86.operands;

		if (from->id == X86_INS_CMP && condition && operands[1].type == X86_OP_IMM) {
			uint64_t value = operands[1].imm;

			return condition == X86_INS_JA || condition == X86_INS_JBE ? value + 1
										   : value;
		}
		if (from->id == X86_INS_JA || from->id == X86_INS_JAE || from->id == X86_INS_JB ||
		    from->id == X86_INS_JBE)
			condition = from->id;
	}
	return 0;
}

static bool read_entry(const struct insn_decoder *decoder, const struct table *table,
		       uint64_t index, uint64_t *target)
{
	uint64_t address = table->address + index * table->width;
	int32_t distance;

	if (!table->relative)
		return elf_file__read(decoder->file, address, target, sizeof(*target)) ==
		       sizeof(*target);
	if (elf_file__read(decoder->file, address, &distance, sizeof(distance)) != sizeof(distance))
		return false;
	*target = table->address + distance;
	return true;
}

static bool add_entry(struct insn_function *function, uint64_t jump, uint64_t target)
{
	if (function->entries_count == INSN_MAX_ENTRIES)
		return false;
	if (function->entries_count == function->entries_room) {
		size_t room = function->entries_room ? function->entries_room * 2 : 64;
		struct insn_table_entry *entries = reallocarray(function->entries, room,
								sizeof(*entries));

		if (!entries) {
			function->error = -ENOMEM;
			return false;
		}
		function->entries = entries;
		function->entries_room = room;
	}
	function->entries[function->entries_count++] = (struct insn_table_entry){ jump, target };
	return true;
}

/* An entry may lead to a cold part, but not all of them do: then they are other functions. */
static bool is_entry(const struct insn_function *function, const struct insn_part *part,
		     uint64_t target, bool *inside)
{
	const struct insn *insn = insn_part__around(part, target);

	if (insn) {
		*inside = true;
		return insn->address == target;
	}
	return elf_file__is_code(function->decoder->file, target);
}

static bool read_entries(struct insn_function *function, const struct insn_part *part,
			 uint64_t jump, const struct table *table)
{
	uint64_t most = table->count ? table->count : INSN_MAX_TABLE;
	size_t before = function->entries_count;
	bool inside = false;
	uint64_t target;

	for (uint64_t i = 0; i < most; i++) {
		bool found = read_entry(function->decoder, table, i, &target) &&
			     is_entry(function, part, target, &inside);

		/*
		 * Without a count the table ends where its entries no longer lead into the
		 * function.
		 */
		if (!table->count && (!found || !insn_part__around(part, target)))
			break;
		if (!found || !add_entry(function, jump, target))
			return false;
	}
	return inside && function->entries_count > before;
}

bool insn_table__resolve(struct insn_function *function, const struct insn_part *part, size_t index)
{
	struct look look = { function->decoder, part, index, NEAR };
	size_t before = function->entries_count;
	struct table table = { 0 };

	if (function->decoder->machine->arch != CS_ARCH_X86 || !find_table(&look, &table))
		return false;
	look.index = index;
	look.left = NEAR;
	table.count = find_count(look);
	if (table.count > INSN_MAX_TABLE)
		return false;
	if (read_entries(function, part, part->insns[index].address, &table))
		return true;
	function->entries_count = before;
	return false;
}
