/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instruction of a function may carry a probe, and what a probe there costs. */
#ifndef CACHETRACE_INSN_H
#define CACHETRACE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

/* The price classes of a probed instruction, cheapest first. */
enum insn_class {
	/* A 5-byte nop as the function's first instruction: kernels from 6.18 make it a call. */
	INSN_OPTIMIZED,
	/* Push, nop, jump, call: the kernel acts it out in the trap (long nops: from 6.16). */
	INSN_EMULATED,
	/* Everything else: copied out and single-stepped, about ten times as dear. */
	INSN_STEPPED,
};
const char *insn_class__name(enum insn_class class);

struct insn_site {
	uint64_t address;
	enum insn_class class;
	char text[48];		/* the instruction as the disassembler writes it */
};

/*
 * The cheapest instruction of the function's entry block that is passed exactly once in each call,
 * and at which the arguments can still be read from their registers. with_return: a return probe
 * will be put on the same site, or operands are read relative to the stack pointer: both need the
 * stack pointer of the entry. Never beyond a branch target, a call or a write to an argument
 * register; never on a 5-byte nop but the first instruction. 0; -ENOENT: no function there;
 * -EILSEQ: code that cannot be disassembled; -EINVAL: in the middle of an instruction; -EPERM: no
 * instruction of the block can carry a probe, or a loop comes back to its beginning, so that a
 * probe would count the rounds; -ENOTSUP: machine; -ENOMEM.
 */
int insn__entry_site(struct elf_file *file, uint64_t function, bool with_return,
		     struct insn_site *site);

/*
 * The class of the instruction at address, which must be an instruction's first byte (checked).
 * 0 or -errno as above. -EPERM (site is filled all the same): a 5-byte nop inside a function, or an
 * instruction that the kernel refuses to probe, gets wrong, or would count at each repetition.
 */
int insn__check_site(struct elf_file *file, uint64_t address, struct insn_site *site);

/*
 * All instructions by which the function hands control back, by address: its returns, those of the
 * parts it was split into, and those of functions it jumps to at its end (which return in its
 * place, but also to their own callers). sites is allocated, NULL if there are none. 0 or -errno
 * as above; -ELOOP: it can end in ways that cannot be told from the file (jump through a pointer
 * or into another file); -EPERM: one of its returns cannot carry a probe.
 */
int insn__returns(struct elf_file *file, uint64_t function, struct insn_site **sites,
		  size_t *count);

/*
 * Searches a function, then its split parts by address, for consecutive instructions of the given
 * texts. In a pattern {name} stands for a number with its sign ("- 0x10" is -16), {_} for one that
 * is not wanted, and * for any run of characters but a comma. Where the text has an operand
 * relative to the program counter, [rip + 0x10], the pattern sees the address, [0x4010].
 * nth: 0 is the first match. *captures_count is the room in captures, and then how many numbers
 * were found, in the order of the text. 0 or -errno as above; -ENOENT: no such place; -EINVAL: bad
 * pattern; -E2BIG: more numbers than room.
 */
struct insn_capture {
	char name[32];
	uint64_t value;
	bool is_address;	/* an address in the file, to be moved by the mapping's bias */
};
int insn__match(struct elf_file *file, uint64_t function, const char *const *patterns,
		size_t patterns_count, unsigned nth, uint64_t *address,
		struct insn_capture *captures, size_t *captures_count);

/* The DWARF number of a register by its name ("rdi", "x0"), or of the n-th integer argument's;
 * -1: none. */
int insn__register(struct elf_file *file, const char *name);
int insn__argument_register(struct elf_file *file, unsigned n);

#endif
