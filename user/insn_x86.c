/* SPDX-License-Identifier: BSD-2-Clause */
/* An x86-64 instruction: where control goes, what it writes, and what it does to the stack. */
#include <string.h>

#include "insn_private.h"

enum {
	RAX = 0,
	RDX = 1,
	RCX = 2,
	RBX = 3,
	RSI = 4,
	RDI = 5,
	RBP = 6,
	RSP = 7,
	R8 = 8,
	R9 = 9,
	R10 = 10,
	R11 = 11
};

#define BIT(number) (UINT64_C(1) << (number))

static const struct insn_register registers[] = {
	{ { "rax", "ax" }, RAX }, { { "rdx", "dx" }, RDX }, { { "rcx", "cx" }, RCX },
	{ { "rbx", "bx" }, RBX }, { { "rsi", "si" }, RSI }, { { "rdi", "di" }, RDI },
	{ { "rbp", "bp" }, RBP }, { { "rsp", "sp" }, RSP }, { { "r8" }, 8 },
	{ { "r9" }, 9 },	  { { "r10" }, 10 },	    { { "r11" }, 11 },
	{ { "r12" }, 12 },	  { { "r13" }, 13 },	    { { "r14" }, 14 },
	{ { "r15" }, 15 },
};

#define LEGACY(a, number)                                                   \
	[X86_REG_R##a##X] = (number) + 1, [X86_REG_E##a##X] = (number) + 1, \
	[X86_REG_##a##X] = (number) + 1, [X86_REG_##a##L] = (number) + 1,   \
	[X86_REG_##a##H] = (number) + 1
#define INDEX(a, number)                                              \
	[X86_REG_R##a] = (number) + 1, [X86_REG_E##a] = (number) + 1, \
	[X86_REG_##a] = (number) + 1, [X86_REG_##a##L] = (number) + 1
#define NUMBERED(number)                                                           \
	[X86_REG_R##number] = (number) + 1, [X86_REG_R##number##D] = (number) + 1, \
	[X86_REG_R##number##W] = (number) + 1, [X86_REG_R##number##B] = (number) + 1

static const uint8_t numbers[X86_REG_ENDING] = {
	LEGACY(A, RAX), LEGACY(D, RDX), LEGACY(C, RCX), LEGACY(B, RBX),
	INDEX(SI, RSI), INDEX(DI, RDI), INDEX(BP, RBP), INDEX(SP, RSP),
	NUMBERED(8), NUMBERED(9), NUMBERED(10), NUMBERED(11),
	NUMBERED(12), NUMBERED(13), NUMBERED(14), NUMBERED(15),
};

static const uint8_t arguments[] = { RDI, RSI, RDX, RCX, R8, R9 };

static enum insn_flow flow_of(const struct insn_decoder *decoder, const cs_insn *from)
{
	bool relative = cs_insn_group(decoder->handle, from, CS_GRP_BRANCH_RELATIVE);

	if (cs_insn_group(decoder->handle, from, CS_GRP_RET))
		return INSN_RETURN;
	if (cs_insn_group(decoder->handle, from, CS_GRP_CALL))
		return INSN_CALL;
	if (from->id == X86_INS_JMP || from->id == X86_INS_LJMP)
		return relative ? INSN_JUMP : INSN_JUMP_POINTER;
	return relative ? INSN_BRANCH : INSN_NEXT;
}

static bool is_register(const cs_x86_op *operand, x86_reg reg)
{
	return operand->type == X86_OP_REG && operand->reg == reg;
}

static bool is_amount(int64_t amount)
{
	return amount > -(1 << 28) && amount < 1 << 28;
}

static void set_stack(struct insn *insn, enum insn_stack kind, int64_t amount)
{
	insn->stack = is_amount(amount) ? kind : INSN_STACK_LOST;
	insn->stack_amount = is_amount(amount) ? amount : 0;
}

/* lea or mov with rsp as destination. */
static void move_to_stack(struct insn *insn, const cs_insn *from)
{
	const cs_x86_op *source = &from->detail->x86.operands[1];

	if (from->id == X86_INS_MOV && is_register(source, X86_REG_RBP))
		set_stack(insn, INSN_STACK_FROM_FRAME, 0);
	else if (from->id == X86_INS_LEA && !source->mem.index && source->mem.base == X86_REG_RSP)
		set_stack(insn, INSN_STACK_ADDED, source->mem.disp);
	else if (from->id == X86_INS_LEA && !source->mem.index && source->mem.base == X86_REG_RBP)
		set_stack(insn, INSN_STACK_FROM_FRAME, source->mem.disp);
	else
		set_stack(insn, INSN_STACK_LOST, 0);
}

static void compute_stack(struct insn *insn, const cs_insn *from)
{
	const cs_x86_op *source = &from->detail->x86.operands[1];
	bool immediate = source->type == X86_OP_IMM;

	if (!is_register(&from->detail->x86.operands[0], X86_REG_RSP)) {
		set_stack(insn, INSN_STACK_LOST, 0);
		return;
	}
	switch (from->id) {
	case X86_INS_ADD:
		set_stack(insn, immediate ? INSN_STACK_ADDED : INSN_STACK_LOST,
			  immediate ? source->imm : 0);
		break;
	case X86_INS_SUB:
		set_stack(insn, immediate ? INSN_STACK_ADDED : INSN_STACK_LOWERED,
			  immediate ? -source->imm : 0);
		break;
	case X86_INS_AND:
		set_stack(insn, INSN_STACK_LOWERED, 0);
		break;
	default:
		move_to_stack(insn, from);
	}
}

static void describe_stack(struct insn *insn, const cs_insn *from)
{
	int width = from->detail->x86.prefix[2] == X86_PREFIX_OPSIZE ? 2 : 8;

	if (!(insn->written & BIT(RSP)) || insn->flow == INSN_CALL || insn->flow == INSN_RETURN) {
		set_stack(insn, INSN_STACK_ADDED, 0);
		return;
	}
	switch (from->id) {
	case X86_INS_PUSH:
	case X86_INS_PUSHFQ:
		set_stack(insn, INSN_STACK_ADDED, -width);
		break;
	case X86_INS_POP:
	case X86_INS_POPFQ:
		if (is_register(&from->detail->x86.operands[0], X86_REG_RSP))
			set_stack(insn, INSN_STACK_LOST, 0);
		else
			set_stack(insn, INSN_STACK_ADDED, width);
		break;
	case X86_INS_LEAVE:
		set_stack(insn, INSN_STACK_FROM_FRAME, 8);
		break;
	default:
		compute_stack(insn, from);
	}
}

static void describe_frame(struct insn *insn, const cs_insn *from)
{
	const cs_x86_op *source = &from->detail->x86.operands[1];
	int64_t amount = 0;
	bool set = false;

	if (from->id == X86_INS_MOV) {
		set = is_register(source, X86_REG_RSP);
	} else if (from->id == X86_INS_LEA) {
		amount = source->mem.disp;
		set = source->mem.base == X86_REG_RSP && !source->mem.index && is_amount(amount);
	}
	insn->frame_amount = 0;
	if (!(insn->written & BIT(RBP))) {
		insn->frame_effect = INSN_FRAME_KEPT;
	} else if (set && is_register(&from->detail->x86.operands[0], X86_REG_RBP)) {
		insn->frame_effect = INSN_FRAME_SET;
		insn->frame_amount = amount;
	} else {
		insn->frame_effect = INSN_FRAME_LOST;
	}
}

/* Registers that the disassembler's tables do not name. */
static uint64_t written_silently(const cs_insn *from)
{
	const cs_x86_op *destination = &from->detail->x86.operands[0];
	uint64_t written = 0;

	switch (from->id) {
	case X86_INS_SYSCALL:
		return BIT(RAX) | BIT(RCX) | BIT(R11);
	case X86_INS_ENTER:
		return BIT(RBP) | BIT(RSP);
	case X86_INS_CMPXCHG:
		if (destination->type == X86_OP_REG && numbers[destination->reg])
			written = BIT(numbers[destination->reg] - 1);
		return written | BIT(RAX);
	case X86_INS_XLATB:
		return BIT(RAX);
	default:
		return 0;
	}
}

static void describe(const struct insn_decoder *decoder, const cs_insn *from, struct insn *insn)
{
	uint64_t read;

	memset(insn, 0, sizeof(*insn));
	insn->address = from->address;
	insn->size = from->size;
	insn->flow = flow_of(decoder, from);
	if (cs_insn_group(decoder->handle, from, CS_GRP_BRANCH_RELATIVE))
		insn->target = from->detail->x86.operands[0].imm;
	insn_decoder__access(decoder, from, &read, &insn->written);
	insn->written |= written_silently(from);
	insn_x86__describe_probe(from, insn);
	describe_stack(insn, from);
	describe_frame(insn, from);
	insn->moves_return = insn->stack != INSN_STACK_ADDED || insn->stack_amount;
}

/* The length of a jump or branch whose opcode stands at bytes, and its distance; 0: it is none. */
static unsigned read_distance(const uint8_t *bytes, int32_t *distance)
{
	unsigned at = bytes[0] == 0x0f ? 2 : 1;

	if ((bytes[0] & 0xf0) == 0x70 || (bytes[0] & 0xfc) == 0xe0 || bytes[0] == 0xeb) {
		*distance = (int8_t)bytes[1];
		return 2;
	}
	if (bytes[0] != 0xe9 && (bytes[0] != 0x0f || (bytes[1] & 0xf0) != 0x80))
		return 0;
	memcpy(distance, bytes + at, sizeof(*distance));
	return at + sizeof(*distance);
}

static size_t find_jump(const uint8_t *bytes, size_t offset, size_t size, uint64_t address,
			uint64_t first, uint64_t last)
{
	for (; offset < size; offset++) {
		int32_t distance;
		unsigned length = read_distance(bytes + offset, &distance);

		if (length && address + offset + length + distance - first <= last - first)
			break;
	}
	return offset;
}

static bool is_relative(const cs_insn *from)
{
	for (uint8_t i = 0; i < from->detail->groups_count; i++) {
		if (from->detail->groups[i] == CS_GRP_BRANCH_RELATIVE)
			return true;
	}
	return false;
}

const struct insn_machine insn_x86_64 = {
	.arch = CS_ARCH_X86,
	.mode = CS_MODE_64,
	.describe = describe,
	.find_jump = find_jump,
	.is_relative = is_relative,
	.numbers = numbers,
	.numbers_count = sizeof(numbers),
	.registers = registers,
	.registers_count = sizeof(registers) / sizeof(*registers),
	.arguments = arguments,
	.arguments_count = sizeof(arguments),
	.argument_mask = BIT(RDI) | BIT(RSI) | BIT(RDX) | BIT(RCX) | BIT(R8) | BIT(R9),
	.go_argument_mask = BIT(RAX) | BIT(RBX) | BIT(RCX) | BIT(RDI) | BIT(RSI) | BIT(R8) |
			    BIT(R9) | BIT(R10) | BIT(R11) | BIT(RDX),
};
