/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels: places in a function's first block to which control may come but from its entry. */
#include <errno.h>

#include "insn_private.h"

enum {
	/*
	 * Assembly may jump into the first block of another function, to a label that is local to
	 * its source, so from near. Compilers do not.
	 */
	NEIGHBOURHOOD = 1 << 15,
	BLOCK = 1 << 12,
	LONGEST_JUMP = 8,
	MOST_RANGES = 64,	/* of other functions that are looked at */
};

struct search {
	const struct insn_function *function;
	uint64_t entry;
	uint64_t end;		/* labels behind it do not matter */
	uint64_t label;
	struct elf_range last;	/* looked at already: jumps there come in groups */
	unsigned ranges;
};

static void lower_label(struct search *search, uint64_t address)
{
	if (address > search->entry && address < search->label)
		search->label = address;
}

static void lower_to_targets(struct search *search, const struct insn_part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		if (part->insns[i].target)
			lower_label(search, part->insns[i].target);
	}
}

uint64_t insn_label__inside(const struct insn_function *function, uint64_t entry)
{
	struct search search = {
		.function = function, .entry = entry, .end = UINT64_MAX, .label = UINT64_MAX
	};

	for (size_t i = 0; i < function->parts_count; i++) {
		lower_to_targets(&search, &function->parts[i]);
		/* Nobody knows where the rest jumps to. */
		if (!function->parts[i].complete)
			lower_label(&search, entry + 1);
	}
	for (size_t i = 0; i < function->entries_count; i++)
		lower_label(&search, function->entries[i].target);
	return search.label;
}

/* Symbols come by address: none behind the end matters. */
static int lower_to_symbol(const struct elf_symbol *symbol, void *context)
{
	struct search *search = context;

	lower_label(search, symbol->address);
	return symbol->address >= search->end;
}

static int lower_to_targets_around(struct search *search, uint64_t address)
{
	struct elf_range range;
	struct insn_part part;
	int error;

	if (!elf_file__function_at(search->function->decoder->file, address, &range) ||
	    range.address == search->last.address)
		return 0;
	search->last = range;
	if (++search->ranges > MOST_RANGES) {
		lower_label(search, search->entry + 1);
		return 0;
	}
	error = insn_part__decode(&part, search->function->decoder, &range);
	if (error)
		return error;
	lower_to_targets(search, &part);
	insn_part__free(&part);
	return 0;
}

/* What the function jumps to may be a part of it after all, and jump back. */
static int lower_to_parts(struct search *search, const struct insn_part *part)
{
	struct elf_file *file = search->function->decoder->file;
	int error = 0;

	for (size_t i = 0; i < part->count && !error; i++) {
		const struct insn *jump = &part->insns[i];

		if ((jump->flow == INSN_JUMP || jump->flow == INSN_BRANCH) &&
		    !insn_function__around(search->function, jump->target) &&
		    !elf_file__plt_target(file, jump->target))
			error = lower_to_targets_around(search, jump->target);
	}
	return error;
}

/* Bytes that look like a jump are believed to be one only if an instruction begins with them. */
static int lower_to_block(struct search *search, uint64_t address)
{
	struct insn_decoder *decoder = search->function->decoder;
	uint8_t bytes[BLOCK + LONGEST_JUMP] = { 0 };
	size_t size = elf_file__read(decoder->file, address, bytes, sizeof(bytes));
	int error = 0;

	if (size > BLOCK)
		size = BLOCK;
	for (size_t at = 0; !error; at++) {
		at = decoder->machine->find_jump(bytes, at, size, address, search->entry + 1,
					      search->end);
		if (at >= size)
			break;
		if (!insn_function__around(search->function, address + at))
			error = lower_to_targets_around(search, address + at);
	}
	return error;
}

static int lower_to_neighbours(struct search *search)
{
	uint64_t center = search->entry & -(uint64_t)BLOCK;
	uint64_t address = center > NEIGHBOURHOOD ? center - NEIGHBOURHOOD : 0;
	int error = 0;

	for (; address <= center + NEIGHBOURHOOD && !error; address += BLOCK) {
		if (elf_file__is_code(search->function->decoder->file, address))
			error = lower_to_block(search, address);
	}
	return error;
}

int insn_label__outside(const struct insn_function *function, uint64_t entry, uint64_t last,
			uint64_t *label)
{
	struct search search = {
		.function = function, .entry = entry, .end = last, .label = *label
	};
	int error = 0;

	elf_file__each_symbol(function->decoder->file, lower_to_symbol, &search);
	for (size_t i = 0; i < function->parts_count && !error; i++)
		error = lower_to_parts(&search, &function->parts[i]);
	if (!error)
		error = lower_to_neighbours(&search);
	*label = search.label;
	return error;
}
