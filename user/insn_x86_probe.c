/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel does with a probe on an x86-64 instruction. */
#include <string.h>

#include "insn_private.h"

/* The parts of an instruction by which the kernel decides how to probe it. */
struct encoding {
	const uint8_t *opcode;	/* behind all prefixes */
	size_t left;		/* bytes from the opcode on */
	uint8_t rex;
	bool operand_size;
	bool repeat;		/* F2 or F3 */
	bool f3;
	bool lock;
	bool segment;		/* CS, DS, ES or SS, also as branch hint or "notrack" */
};

static bool read_prefix(struct encoding *encoding, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		encoding->operand_size = true;
		return true;
	case 0xf3:
		encoding->f3 = true;
		encoding->repeat = true;
		return true;
	case 0xf2:
		encoding->repeat = true;
		return true;
	case 0xf0:
		encoding->lock = true;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		encoding->segment = true;
		return true;
	default:
		return byte == 0x64 || byte == 0x65 || byte == 0x67;
	}
}

static void read_encoding(struct encoding *encoding, const cs_insn *from)
{
	size_t at = 0;

	memset(encoding, 0, sizeof(*encoding));
	while (at + 1 < from->size && read_prefix(encoding, from->bytes[at]))
		at++;
	if (at + 1 < from->size && (from->bytes[at] & 0xf0) == 0x40)
		encoding->rex = from->bytes[at++];
	encoding->opcode = from->bytes + at;
	encoding->left = from->size - at;
}

static uint8_t second(const struct encoding *encoding)
{
	return encoding->left > 1 ? encoding->opcode[1] : 0;
}

/* The three bits of the ModR/M byte that extend a one-byte opcode. */
static unsigned extension(const struct encoding *encoding)
{
	return second(encoding) >> 3 & 7;
}

static bool is_near_branch(const struct encoding *encoding)
{
	uint8_t opcode = encoding->opcode[0];

	return (opcode >= 0x70 && opcode <= 0x7f) || opcode == 0xe8 || opcode == 0xe9 ||
	       opcode == 0xeb || (opcode == 0x0f && (second(encoding) & 0xf0) == 0x80);
}

/* F3 90 is a pause, and 90 with REX.B exchanges rax and r8. */
static bool is_nop(const struct encoding *encoding)
{
	if (encoding->opcode[0] == 0x90)
		return !encoding->f3 && !(encoding->rex & 1);
	return encoding->opcode[0] == 0x0f && second(encoding) == 0x1f && encoding->left > 2 &&
	       !(encoding->opcode[2] >> 3 & 7) && !(encoding->rex & 4);
}

/*
 * Kernels from 6.18 replace a 5-byte nop by a call, which writes below the stack pointer. From 6.19
 * they also take for one a jump to the next instruction, and a mov or lea of a register to itself.
 */
static bool is_nop5(const struct encoding *encoding, const cs_insn *from)
{
	const cs_x86_op *operands = from->detail->x86.operands;

	if (from->size != 5)
		return false;
	if (is_nop(encoding))
		return true;
	if (encoding->opcode[0] == 0xe9)
		return (uint64_t)operands[0].imm == from->address + from->size;
	if (from->id == X86_INS_MOV)
		return operands[0].type == X86_OP_REG && operands[1].type == X86_OP_REG &&
		       operands[0].reg == operands[1].reg;
	return from->id == X86_INS_LEA && operands[1].mem.base == operands[0].reg &&
	       !operands[1].mem.disp;
}

static enum insn_class class_of(const struct encoding *encoding, const cs_insn *from)
{
	uint8_t opcode = encoding->opcode[0];

	if (is_nop(encoding))
		return from->size == 5 ? INSN_OPTIMIZED : INSN_EMULATED;
	if (is_near_branch(encoding))
		return INSN_EMULATED;
	if (opcode >= 0x50 && opcode <= 0x57 &&
	    (from->size == 1 || (from->size == 2 && encoding->rex == 0x41)))
		return INSN_EMULATED;
	return INSN_STEPPED;
}

/*
 * Opcodes that the kernel refuses to probe, or probes and gets wrong. Of VEX and EVEX it looks at
 * the byte behind the prefix as at a one-byte opcode: it refuses some, and skips vzeroupper (77)
 * and stores (7f) as branches that are not taken. What pushf pushes has the single step's trap
 * flag set, and rcx behind a syscall is an address of the single step's page.
 */
static const struct {
	uint8_t first, last;
} refused_opcodes[] = {
	{ 0x62, 0x62 },		/* EVEX */
	{ 0xc4, 0xc5 },		/* VEX */
	{ 0x6c, 0x6f },		/* ins, outs */
	{ 0x9c, 0x9c },		/* pushf */
	{ 0x9a, 0x9a },
	{ 0xcc, 0xcf },		/* int3, int, into, iret */
	{ 0xe4, 0xe7 },		/* in, out */
	{ 0xea, 0xea },
	{ 0xec, 0xef },		/* in, out */
	{ 0xf1, 0xf1 },		/* int1 */
	{ 0xf4, 0xf4 },		/* hlt */
	{ 0xfa, 0xfb },		/* cli, sti */
}, refused_two_byte_opcodes[] = {
	{ 0x05, 0x09 },		/* syscall, clts, sysret, invd, wbinvd */
	{ 0x0b, 0x0b },		/* ud2 */
	{ 0x30, 0x30 },
	{ 0x34, 0x35 },		/* sysenter, sysexit */
	{ 0x37, 0x37 },
	{ 0xb2, 0xb2 },		/* lss: holds back the single step's trap */
	{ 0xb9, 0xb9 },		/* ud1 */
	{ 0xff, 0xff },		/* ud0 */
};

static bool is_refused_opcode(const struct encoding *encoding)
{
	if (encoding->opcode[0] == 0x0f) {
		for (size_t i = 0;
		     i < sizeof(refused_two_byte_opcodes) / sizeof(*refused_two_byte_opcodes);
		     i++) {
			if (second(encoding) >= refused_two_byte_opcodes[i].first &&
			    second(encoding) <= refused_two_byte_opcodes[i].last)
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < sizeof(refused_opcodes) / sizeof(*refused_opcodes); i++) {
		if (encoding->opcode[0] >= refused_opcodes[i].first &&
		    encoding->opcode[0] <= refused_opcodes[i].last)
			return true;
	}
	return false;
}

static bool is_string_opcode(uint8_t opcode)
{
	return (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);
}

static bool is_refused(const struct encoding *encoding)
{
	uint8_t opcode = encoding->opcode[0];

	if (encoding->lock || encoding->segment || is_refused_opcode(encoding))
		return true;
	/* A single step ends after each repetition: the probe would be hit once for each. */
	if (encoding->repeat && is_string_opcode(opcode))
		return true;
	switch (opcode) {
	case 0x8e:	/* mov ss: holds back the single step's trap */
		return extension(encoding) == 2;
	case 0x8f:	/* XOP */
		return extension(encoding) != 0;
	case 0x90:	/* xchg rax, r8: up to 6.18 taken for a nop */
		return encoding->rex & 1;
	case 0xc7:	/* xbegin: its abort address is relative */
		return second(encoding) == 0xf8;
	case 0xff:	/* far call, far jump */
		return extension(encoding) == 3 || extension(encoding) == 5;
	default:
		return encoding->operand_size && is_near_branch(encoding);
	}
}

static bool is_trap(const struct encoding *encoding)
{
	static const uint8_t one_byte[] = { 0xcc, 0xcf, 0xf1, 0xf4 };
	static const uint8_t two_byte[] = { 0x07, 0x0b, 0x35, 0xb9, 0xff };

	if (encoding->opcode[0] == 0x0f)
		return encoding->left > 1 &&
		       memchr(two_byte, encoding->opcode[1], sizeof(two_byte));
	return memchr(one_byte, encoding->opcode[0], sizeof(one_byte));
}

void insn_x86__describe_probe(const cs_insn *from, struct insn *insn)
{
	struct encoding encoding;

	read_encoding(&encoding, from);
	insn->class = class_of(&encoding, from);
	insn->refused = is_refused(&encoding);
	insn->nop5 = is_nop5(&encoding, from);
	insn->is_table_jump = insn->flow == INSN_JUMP_POINTER && encoding.segment;
	if (is_trap(&encoding))
		insn->flow = INSN_END;
}
