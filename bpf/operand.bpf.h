/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Works out operands and tests of a rule from the registers and memory of the traced process. */
#ifndef CACHETRACE_OPERAND_BPF_H
#define CACHETRACE_OPERAND_BPF_H

#include "store.bpf.h"

/* What operands start from, by enum ct_base. */
struct ct_inputs {
	__u64 base[CT_BASES];
};

/* The functions below are global so that each is verified once and not again for every way that
 * leads to it. */

/* 0, or -1 if the process' memory could not be read (counted as lost). */
int ct_value(const struct ct_inputs *inputs, const struct ct_operand *operand, __u64 *value);
/* 1 if all tests of the rule hold. */
int ct_wanted(const struct ct_inputs *inputs, const struct ct_rule *rule);
/* The outcome of the first case that holds; CT_OTHER if memory for one could not be read. */
int ct_outcome_of(const struct ct_inputs *inputs, const struct ct_rule *rule);

/*
 * The offset is a constant in each load: the verifier refuses a context pointer to which a variable
 * was added, and the compiler would merge plain loads into just that. The layout of pt_regs is part
 * of the machine's ABI.
 */
#define CT_LOAD(ctx, member)									\
	({											\
		__u64 loaded;									\
		asm volatile("%0 = *(u64 *)(%1 + %2)"						\
			     : "=r"(loaded)							\
			     : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, member)));	\
		loaded;										\
	})

#if defined(__TARGET_ARCH_x86)
CT_INLINE void ct_registers(void *ctx, __u64 *registers)
{
	registers[0] = CT_LOAD(ctx, ax);
	registers[1] = CT_LOAD(ctx, dx);
	registers[2] = CT_LOAD(ctx, cx);
	registers[3] = CT_LOAD(ctx, bx);
	registers[4] = CT_LOAD(ctx, si);
	registers[5] = CT_LOAD(ctx, di);
	registers[6] = CT_LOAD(ctx, bp);
	registers[7] = CT_LOAD(ctx, sp);
	registers[8] = CT_LOAD(ctx, r8);
	registers[9] = CT_LOAD(ctx, r9);
	registers[10] = CT_LOAD(ctx, r10);
	registers[11] = CT_LOAD(ctx, r11);
	registers[12] = CT_LOAD(ctx, r12);
	registers[13] = CT_LOAD(ctx, r13);
	registers[14] = CT_LOAD(ctx, r14);
	registers[15] = CT_LOAD(ctx, r15);
}
#define CT_STACK_POINTER(ctx) CT_LOAD(ctx, sp)
#define CT_RETURN_VALUE(ctx) CT_LOAD(ctx, ax)
#define CT_PROGRAM_COUNTER(ctx) CT_LOAD(ctx, ip)
/* The return address was taken off the stack when a return probe fires. */
#define CT_RETURN_SLOT 8
#elif defined(__TARGET_ARCH_arm64)
CT_INLINE void ct_registers(void *ctx, __u64 *registers)
{
	registers[0] = CT_LOAD(ctx, regs[0]);
	registers[1] = CT_LOAD(ctx, regs[1]);
	registers[2] = CT_LOAD(ctx, regs[2]);
	registers[3] = CT_LOAD(ctx, regs[3]);
	registers[4] = CT_LOAD(ctx, regs[4]);
	registers[5] = CT_LOAD(ctx, regs[5]);
	registers[6] = CT_LOAD(ctx, regs[6]);
	registers[7] = CT_LOAD(ctx, regs[7]);
	registers[8] = CT_LOAD(ctx, regs[8]);
	registers[9] = CT_LOAD(ctx, regs[9]);
	registers[10] = CT_LOAD(ctx, regs[10]);
	registers[11] = CT_LOAD(ctx, regs[11]);
	registers[12] = CT_LOAD(ctx, regs[12]);
	registers[13] = CT_LOAD(ctx, regs[13]);
	registers[14] = CT_LOAD(ctx, regs[14]);
	registers[15] = CT_LOAD(ctx, regs[15]);
	registers[16] = CT_LOAD(ctx, regs[16]);
	registers[17] = CT_LOAD(ctx, regs[17]);
	registers[18] = CT_LOAD(ctx, regs[18]);
	registers[19] = CT_LOAD(ctx, regs[19]);
	registers[20] = CT_LOAD(ctx, regs[20]);
	registers[21] = CT_LOAD(ctx, regs[21]);
	registers[22] = CT_LOAD(ctx, regs[22]);
	registers[23] = CT_LOAD(ctx, regs[23]);
	registers[24] = CT_LOAD(ctx, regs[24]);
	registers[25] = CT_LOAD(ctx, regs[25]);
	registers[26] = CT_LOAD(ctx, regs[26]);
	registers[27] = CT_LOAD(ctx, regs[27]);
	registers[28] = CT_LOAD(ctx, regs[28]);
	registers[29] = CT_LOAD(ctx, regs[29]);
	registers[30] = CT_LOAD(ctx, regs[30]);
	registers[31] = CT_LOAD(ctx, sp);
}
#define CT_STACK_POINTER(ctx) CT_LOAD(ctx, sp)
#define CT_RETURN_VALUE(ctx) CT_LOAD(ctx, regs[0])
#define CT_PROGRAM_COUNTER(ctx) CT_LOAD(ctx, pc)
#define CT_RETURN_SLOT 0
#else
#error "machine not supported"
#endif

CT_INLINE __u64 ct_cut(__u64 value, __u32 width, bool is_signed)
{
	__u32 unused;

	if (width >= 8)
		return value;
	unused = 64 - 8 * (width & 7);
	value <<= unused & 63;
	return is_signed ? (__u64)((__s64)value >> (unused & 63)) : value >> (unused & 63);
}

/* At a function's entry: what operands start from are the registers. */
CT_INLINE void ct_inputs_at_entry(void *ctx, struct ct_inputs *inputs)
{
	__builtin_memset(inputs, 0, sizeof(*inputs));
	ct_registers(ctx, &inputs->base[CT_BASE_REGISTER]);
}

#endif
