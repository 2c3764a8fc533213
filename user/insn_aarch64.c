/* SPDX-License-Identifier: BSD-2-Clause */
/* An AArch64 instruction: where control goes, what it writes, and what a probe on it does. */
#include <string.h>

#include "insn_private.h"

enum { FP = 29, LR = 30, SP = 31 };

#define BIT(number) (UINT64_C(1) << (number))

#define NAMED(number) { { "x" #number }, number }
static const struct insn_register registers[] = {
	NAMED(0),
	NAMED(1),
	NAMED(2),
	NAMED(3),
	NAMED(4),
	NAMED(5),
	NAMED(6),
	NAMED(7),
	NAMED(8),
	NAMED(9),
	NAMED(10),
	NAMED(11),
	NAMED(12),
	NAMED(13),
	NAMED(14),
	NAMED(15),
	NAMED(16),
	NAMED(17),
	NAMED(18),
	NAMED(19),
	NAMED(20),
	NAMED(21),
	NAMED(22),
	NAMED(23),
	NAMED(24),
	NAMED(25),
	NAMED(26),
	NAMED(27),
	NAMED(28),
	{ { "x29", "fp" }, FP },
	{ { "x30", "lr" }, LR },
	{ { "sp" }, SP },
};

#define BOTH(number) [ARM64_REG_X##number] = (number) + 1, [ARM64_REG_W##number] = (number) + 1
static const uint8_t numbers[ARM64_REG_ENDING] = {
	BOTH(0),
	BOTH(1),
	BOTH(2),
	BOTH(3),
	BOTH(4),
	BOTH(5),
	BOTH(6),
	BOTH(7),
	BOTH(8),
	BOTH(9),
	BOTH(10),
	BOTH(11),
	BOTH(12),
	BOTH(13),
	BOTH(14),
	BOTH(15),
	BOTH(16),
	BOTH(17),
	BOTH(18),
	BOTH(19),
	BOTH(20),
	BOTH(21),
	BOTH(22),
	BOTH(23),
	BOTH(24),
	BOTH(25),
	BOTH(26),
	BOTH(27),
	BOTH(28),
	BOTH(29),
	BOTH(30),
	[ARM64_REG_SP] = SP + 1,
	[ARM64_REG_WSP] = SP + 1,
};

static const uint8_t arguments[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/*
 * The kernel decides by the bits of the word: branches, adr, adrp and (from 6.13) nop are acted
 * out, what depends on its own address or must not be interrupted is refused, the rest is
 * single-stepped. The first row that fits counts.
 */
enum {
	REFUSED = 1,
	BEGINS_EXCLUSIVE = 2,
	ENDS_EXCLUSIVE = 4,
	SIGNS_RETURN = 8,
};

static const struct {
	uint32_t mask, value;
	uint8_t flow;
	uint8_t class;
	uint8_t flags;
} words[] = {
	{ 0xfc000000, 0x14000000, INSN_JUMP, INSN_EMULATED, 0 }, /* b */
	{ 0xfc000000, 0x94000000, INSN_CALL, INSN_EMULATED, 0 }, /* bl */
	{ 0xff000010, 0x54000000, INSN_BRANCH, INSN_EMULATED, 0 }, /* b.cond */
	{ 0xff000010, 0x54000010, INSN_BRANCH, INSN_STEPPED, REFUSED }, /* bc.cond */
	{ 0x7e000000, 0x34000000, INSN_BRANCH, INSN_EMULATED, 0 }, /* cbz, cbnz */
	{ 0x7e000000, 0x36000000, INSN_BRANCH, INSN_EMULATED, 0 }, /* tbz, tbnz */
	{ 0x1f000000, 0x10000000, INSN_NEXT, INSN_EMULATED, 0 }, /* adr, adrp */
	{ 0xfffffc1f, 0xd61f0000, INSN_JUMP_POINTER, INSN_EMULATED, 0 }, /* br */
	{ 0xfffffc1f, 0xd63f0000, INSN_CALL, INSN_EMULATED, 0 }, /* blr */
	{ 0xfffffc1f, 0xd65f0000, INSN_RETURN, INSN_EMULATED, 0 }, /* ret */
	{ 0xfffffbff, 0xd65f0bff, INSN_RETURN, INSN_STEPPED, REFUSED }, /* retaa, retab */
	{ 0xfefff800, 0xd63f0800, INSN_CALL, INSN_STEPPED, REFUSED }, /* blraa */
	{ 0xfefff800, 0xd61f0800, INSN_JUMP_POINTER, INSN_STEPPED, REFUSED }, /* braa */
	{ 0xfe000000, 0xd6000000, INSN_END, INSN_STEPPED, REFUSED }, /* eret, drps */
	{ 0xffffffff, 0xd503201f, INSN_NEXT, INSN_EMULATED, 0 }, /* nop */
	{ 0xffffffbf, 0xd503211f, INSN_NEXT, INSN_STEPPED, 0 }, /* pacia1716 */
	{ 0xffffffff, 0xd50320ff, INSN_NEXT, INSN_STEPPED, 0 }, /* xpaclri */
	{ 0xffffff9f, 0xd503231f, INSN_NEXT, INSN_STEPPED, SIGNS_RETURN }, /* paciasp */
	{ 0xffffff3f, 0xd503241f, INSN_NEXT, INSN_STEPPED, 0 }, /* bti */
	{ 0xfffff01f, 0xd503201f, INSN_NEXT, INSN_STEPPED, REFUSED }, /* other hints, autiasp */
	{ 0xffe0001f, 0xd4000001, INSN_NEXT, INSN_STEPPED, REFUSED }, /* svc */
	{ 0xff000000, 0xd4000000, INSN_END, INSN_STEPPED, REFUSED }, /* brk, hvc */
	{ 0xffff0000, 0x00000000, INSN_END, INSN_STEPPED, REFUSED }, /* udf */
	{ 0xfff8f01f, 0xd500401f, INSN_NEXT, INSN_STEPPED, REFUSED }, /* msr of a flag */
	{ 0xfff00000, 0xd5100000, INSN_NEXT, INSN_STEPPED, REFUSED }, /* msr */
	{ 0x3b000000, 0x18000000, INSN_NEXT, INSN_STEPPED, REFUSED }, /* load of a literal */
	{ 0x3fc00000, 0x08400000, INSN_NEXT, INSN_STEPPED, REFUSED | BEGINS_EXCLUSIVE }, /* ldxr */
	{ 0x3fc00000, 0x08000000, INSN_NEXT, INSN_STEPPED, REFUSED | ENDS_EXCLUSIVE }, /* stxr */
	{ 0, 0, INSN_NEXT, INSN_STEPPED, 0 },
};

static uint32_t read_word(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t word_of(const cs_insn *from)
{
	return read_word(from->bytes);
}

static void describe_word(struct insn *insn, uint32_t word)
{
	size_t row = 0;

	while ((word & words[row].mask) != words[row].value)
		row++;
	insn->flow = words[row].flow;
	insn->class = words[row].class;
	insn->refused = words[row].flags & REFUSED;
	insn->begins_exclusive = words[row].flags & BEGINS_EXCLUSIVE;
	insn->ends_exclusive = words[row].flags & ENDS_EXCLUSIVE;
	insn->moves_return = words[row].flags & SIGNS_RETURN;
}

/* Sign-extends the low bits of value and takes them as a count of instructions. */
static int64_t distance(uint32_t value, unsigned bits)
{
	return ((int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits)) * 4;
}

static uint64_t target_of(uint64_t address, uint32_t word)
{
	if ((word & 0x7c000000) == 0x14000000)		/* b, bl */
		return address + distance(word, 26);
	if ((word & 0x7e000000) == 0x36000000)		/* tbz, tbnz */
		return address + distance(word >> 5, 14);
	if ((word & 0x7e000000) == 0x34000000 || (word & 0xff000000) == 0x54000000)
		return address + distance(word >> 5, 19);
	return 0;
}

static bool is_register(const cs_arm64_op *operand, int number)
{
	return operand->type == ARM64_OP_REG && operand->reg < ARM64_REG_ENDING &&
	       numbers[operand->reg] == number + 1;
}

/* The amount of an add or sub of a constant; false for other ones. */
static bool constant_of(const cs_insn *from, int32_t *amount)
{
	const cs_arm64_op *operand = &from->detail->arm64.operands[2];
	int64_t value = operand->imm;

	*amount = 0;
	if (from->id == ARM64_INS_MOV)
		return from->detail->arm64.op_count == 2;
	if ((from->id != ARM64_INS_ADD && from->id != ARM64_INS_SUB) ||
	    operand->type != ARM64_OP_IMM)
		return false;
	if (operand->shift.type == ARM64_SFT_LSL)
		value <<= operand->shift.value & 15;
	*amount = from->id == ARM64_INS_ADD ? value : -value;
	return true;
}

/* A load or store that moves its base register; its offset stands in brackets or behind them. */
static bool moves_base(const cs_insn *from, int32_t *amount)
{
	const cs_arm64 *details = &from->detail->arm64;
	const cs_arm64_op *last;

	if (!details->writeback || !details->op_count)
		return false;
	last = &details->operands[details->op_count - 1];
	*amount = last->type == ARM64_OP_IMM ? last->imm : last->mem.disp;
	return last->type == ARM64_OP_IMM || last->type == ARM64_OP_MEM;
}

static void describe_stack(struct insn *insn, const cs_insn *from)
{
	const cs_arm64_op *operands = from->detail->arm64.operands;
	int32_t amount = 0;

	insn->stack = INSN_STACK_ADDED;
	if (!(insn->written & BIT(SP)))
		return;
	insn->stack = INSN_STACK_LOST;
	if (moves_base(from, &amount)) {
		insn->stack = INSN_STACK_ADDED;
	} else if (is_register(&operands[0], SP) && constant_of(from, &amount)) {
		if (is_register(&operands[1], SP))
			insn->stack = INSN_STACK_ADDED;
		else if (is_register(&operands[1], FP))
			insn->stack = INSN_STACK_FROM_FRAME;
	} else if (from->id == ARM64_INS_AND ||
		   (from->id == ARM64_INS_SUB && is_register(&operands[1], SP))) {
		insn->stack = INSN_STACK_LOWERED;
	}
	insn->stack_amount = amount;
}

static void describe_frame(struct insn *insn, const cs_insn *from)
{
	const cs_arm64_op *operands = from->detail->arm64.operands;

	insn->frame_effect = INSN_FRAME_KEPT;
	if (!(insn->written & BIT(FP)))
		return;
	insn->frame_effect = INSN_FRAME_LOST;
	if (is_register(&operands[0], FP) && is_register(&operands[1], SP) &&
	    constant_of(from, &insn->frame_amount))
		insn->frame_effect = INSN_FRAME_SET;
}

/* Operands of which the disassembler's tables do not say how they are used. */
static uint64_t written_silently(const cs_insn *from)
{
	const cs_arm64 *details = &from->detail->arm64;
	uint64_t written = 0;

	for (uint8_t i = 0; i < details->op_count; i++) {
		const cs_arm64_op *operand = &details->operands[i];

		if (operand->type == ARM64_OP_REG && !operand->access &&
		    operand->reg < ARM64_REG_ENDING && numbers[operand->reg])
			written |= BIT(numbers[operand->reg] - 1);
	}
	return written;
}

static bool only_compares(const cs_insn *from)
{
	return from->id == ARM64_INS_CMP || from->id == ARM64_INS_CMN || from->id == ARM64_INS_TST;
}

static void describe(const struct insn_decoder *decoder, const cs_insn *from, struct insn *insn)
{
	uint64_t read;

	memset(insn, 0, sizeof(*insn));
	insn->address = from->address;
	insn->size = from->size;
	describe_word(insn, word_of(from));
	insn->target = target_of(from->address, word_of(from));
	insn_decoder__access(decoder, from, &read, &insn->written);
	if (from->id) {
		insn->written |= written_silently(from);
		if (only_compares(from))
			insn->written = 0;
		describe_stack(insn, from);
		describe_frame(insn, from);
	} else {
		/* Newer than the disassembler, so no plain move of sp or x29. */
		insn->written &= ~(BIT(SP) | BIT(FP));
		read = 0;
	}
	insn->moves_return = insn->moves_return || (read | insn->written) & BIT(LR);
}

static size_t find_jump(const uint8_t *bytes, size_t offset, size_t size, uint64_t address,
			uint64_t first, uint64_t last)
{
	for (; offset < size; offset++) {
		uint32_t word = read_word(bytes + offset);
		bool is_call = (word & 0xfc000000) == 0x94000000;

		if ((address + offset) % 4 || is_call || !target_of(address + offset, word))
			continue;
		if (target_of(address + offset, word) - first <= last - first)
			break;
	}
	return offset;
}

static bool is_relative(const cs_insn *from)
{
	uint32_t word = word_of(from);

	return target_of(from->address, word) || (word & 0x1f000000) == 0x10000000 ||
	       (word & 0x3b000000) == 0x18000000;
}

const struct insn_machine insn_aarch64 = {
	.arch = CS_ARCH_ARM64,
	.mode = CS_MODE_LITTLE_ENDIAN,
	.describe = describe,
	.find_jump = find_jump,
	.is_relative = is_relative,
	.numbers = numbers,
	.numbers_count = sizeof(numbers),
	.registers = registers,
	.registers_count = sizeof(registers) / sizeof(*registers),
	.arguments = arguments,
	.arguments_count = sizeof(arguments),
	/* x8 holds the place of a returned structure. */
	.argument_mask = BIT(9) - 1,
	.go_argument_mask = BIT(16) - 1,
};
