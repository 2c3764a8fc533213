/* SPDX-License-Identifier: BSD-2-Clause */
/* The disassembler's handle, and stretches of code decoded into arrays. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insn_private.h"

enum { LONGEST_INSTRUCTION = 15 };

const struct insn_machine *insn_machine__of(const struct elf_file *file)
{
	switch (elf_file__machine(file)) {
	case ELF_MACHINE_X86_64:
		return &insn_x86_64;
	case ELF_MACHINE_AARCH64:
		return &insn_aarch64;
	default:
		return NULL;
	}
}

int insn_decoder__open(struct insn_decoder *decoder, struct elf_file *file)
{
	const struct insn_machine *machine = insn_machine__of(file);
	cs_err error;

	memset(decoder, 0, sizeof(*decoder));
	if (!machine)
		return -ENOTSUP;
	decoder->file = file;
	decoder->machine = machine;
	error = cs_open(machine->arch, machine->mode, &decoder->handle);
	if (error)
		return error == CS_ERR_MEM ? -ENOMEM : -ENOTSUP;
	/* Where all instructions are 4 bytes long, one that is not known does not hide the next. */
	if (cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON) ||
	    (machine->arch == CS_ARCH_ARM64 &&
	     cs_option(decoder->handle, CS_OPT_SKIPDATA, CS_OPT_ON))) {
		insn_decoder__close(decoder);
		return -ENOTSUP;
	}
	decoder->instruction = cs_malloc(decoder->handle);
	if (!decoder->instruction) {
		insn_decoder__close(decoder);
		return -ENOMEM;
	}
	return 0;
}

void insn_decoder__close(struct insn_decoder *decoder)
{
	if (decoder->instruction)
		cs_free(decoder->instruction, 1);
	if (decoder->handle)
		cs_close(&decoder->handle);
	decoder->instruction = NULL;
}

bool insn_decoder__at(struct insn_decoder *decoder, uint64_t address)
{
	uint8_t bytes[LONGEST_INSTRUCTION];
	size_t size = elf_file__read(decoder->file, address, bytes, sizeof(bytes));
	const uint8_t *next = bytes;

	return cs_disasm_iter(decoder->handle, &next, &size, &address, decoder->instruction);
}

void insn_decoder__text(const struct insn_decoder *decoder, char *text, size_t size)
{
	const cs_insn *from = decoder->instruction;

	snprintf(text, size, "%s%s%s", from->mnemonic, *from->op_str ? " " : "", from->op_str);
}

/* What skipping over an unknown instruction leaves has neither id nor details. */
static bool is_known(const cs_insn *from)
{
	return from->id != 0;
}

int insn_decoder__register(const struct insn_decoder *decoder, unsigned reg)
{
	return reg < decoder->machine->numbers_count ? decoder->machine->numbers[reg] - 1 : -1;
}

static uint64_t register_mask(const struct insn_decoder *decoder, const uint16_t *registers,
			      uint8_t count)
{
	uint64_t mask = 0;

	for (uint8_t i = 0; i < count; i++) {
		int number = insn_decoder__register(decoder, registers[i]);

		if (number >= 0)
			mask |= UINT64_C(1) << number;
	}
	return mask;
}

void insn_decoder__access(const struct insn_decoder *decoder, const cs_insn *from, uint64_t *read,
			  uint64_t *written)
{
	uint8_t reads_count = 0, writes_count = 0;
	cs_regs reads, writes;

	*read = *written = UINT64_MAX;
	if (!is_known(from) ||
	    cs_regs_access(decoder->handle, from, reads, &reads_count, writes, &writes_count))
		return;
	*read = register_mask(decoder, reads, reads_count);
	*written = register_mask(decoder, writes, writes_count);
}

static int append(struct insn_part *part, size_t *room, const struct insn_decoder *decoder)
{
	if (part->count == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct insn *insns = reallocarray(part->insns, more, sizeof(*insns));

		if (!insns)
			return -ENOMEM;
		part->insns = insns;
		*room = more;
	}
	decoder->machine->describe(decoder, decoder->instruction, &part->insns[part->count]);
	part->count++;
	return 0;
}

static int decode_bytes(struct insn_part *part, struct insn_decoder *decoder, const uint8_t *bytes,
			size_t size)
{
	uint64_t address = part->range.address;
	size_t room = 0;

	while (size &&
	       cs_disasm_iter(decoder->handle, &bytes, &size, &address, decoder->instruction)) {
		int error = append(part, &room, decoder);

		if (error)
			return error;
	}
	part->complete = !size;
	return 0;
}

int insn_part__decode(struct insn_part *part, struct insn_decoder *decoder,
		      const struct elf_range *range)
{
	size_t size = range->size < INSN_MAX_RANGE ? range->size : INSN_MAX_RANGE;
	uint8_t *bytes = malloc(size + 1);
	int error;

	memset(part, 0, sizeof(*part));
	if (!bytes)
		return -ENOMEM;
	part->range = *range;
	size = elf_file__read(decoder->file, range->address, bytes, size);
	error = decode_bytes(part, decoder, bytes, size);
	part->complete = part->complete && size == range->size;
	free(bytes);
	if (error)
		insn_part__free(part);
	return error;
}

void insn_part__free(struct insn_part *part)
{
	free(part->insns);
	part->insns = NULL;
	part->count = 0;
}

static int compare_address(const void *key, const void *element)
{
	uint64_t address = *(const uint64_t *)key;
	const struct insn *insn = element;

	if (address < insn->address)
		return -1;
	return address - insn->address >= insn->size;
}

struct insn *insn_part__around(const struct insn_part *part, uint64_t address)
{
	if (!part->count)
		return NULL;
	return bsearch(&address, part->insns, part->count, sizeof(*part->insns), compare_address);
}
