/* SPDX-License-Identifier: BSD-2-Clause */
/* What the insn*.c files share: decoded instructions, and functions with their parts. */
#ifndef CACHETRACE_INSN_PRIVATE_H
#define CACHETRACE_INSN_PRIVATE_H

#include <capstone/capstone.h>

#include "elf.h"
#include "insn.h"

enum {
	/* No compiler makes such functions; they bound the work that a made-up file can cause. */
	INSN_MAX_RANGE = 1 << 20,	/* bytes of one stretch of code */
	INSN_MAX_SIZE = 1 << 21,	/* bytes of one function, after which no more is taken in */
	INSN_MAX_PARTS = 64,		/* stretches of code that are taken for one function */
	INSN_MAX_TABLE = 4096,		/* entries of a jump table */
	INSN_MAX_ENTRIES = 1 << 14,	/* entries of all jump tables of a function */
};

/* Where control goes behind an instruction. */
enum insn_flow {
	INSN_NEXT,
	INSN_CALL,		/* to the target, and later to the next one */
	INSN_BRANCH,		/* to the target or to the next one */
	INSN_JUMP,		/* to the target */
	INSN_JUMP_POINTER,	/* to an address from a register or from memory */
	INSN_RETURN,
	INSN_END,		/* nowhere: a trap */
};

/* What an instruction does to the stack pointer. */
enum insn_stack {
	INSN_STACK_ADDED,	/* stack_amount is added */
	INSN_STACK_FROM_FRAME,	/* becomes the frame pointer plus stack_amount */
	INSN_STACK_LOWERED,	/* by an unknown amount: alignment, variable arrays */
	INSN_STACK_LOST,
};

/* What an instruction does to the frame pointer. */
enum insn_frame {
	INSN_FRAME_KEPT,
	INSN_FRAME_SET,		/* becomes the stack pointer plus frame_amount */
	INSN_FRAME_LOST,
};

/* A depth is the stack pointer (or frame pointer) less that of the entry. These are none: */
enum {
	INSN_DEPTH_UNSEEN = INT32_MAX,		/* no known way leads here */
	INSN_DEPTH_UNKNOWN = INT32_MAX - 1,
	INSN_DEPTH_BELOW = INT32_MAX - 2,	/* not known, but surely below the entry's */
};

struct insn {
	uint64_t address;
	uint64_t target;	/* of a call, branch or jump to a fixed address; else 0 */
	uint64_t written;	/* general registers, a bit for each DWARF number */
	int32_t stack_amount;
	int32_t frame_amount;
	int32_t depth;		/* of the stack pointer before it; insn_function fills this */
	int32_t frame;		/* likewise of the frame pointer */
	uint8_t size;
	uint8_t flow;		/* enum insn_flow */
	uint8_t stack;		/* enum insn_stack */
	uint8_t frame_effect;	/* enum insn_frame */
	uint8_t class;		/* enum insn_class */
	bool refused;		/* the kernel refuses a probe here, or gets it wrong */
	bool nop5;		/* some kernel takes it for a 5-byte nop */
	bool begins_exclusive;	/* an exclusive load: no trap may come before the store */
	bool ends_exclusive;
	bool moves_return;	/* a return probe behind it would not find the return address */
	bool is_table_jump;	/* a jump that the compiler marked as one through a table */
	bool has_table;		/* a jump whose table was found */
	bool after_call;	/* depth is known only from the call before */
};

struct insn_decoder;

struct insn_register {
	const char *names[3];
	int number;
};

/* What differs between machines. */
struct insn_machine {
	cs_arch arch;
	cs_mode mode;
	/* Fills all of insn but depth and frame from what the disassembler found. */
	void (*describe)(const struct insn_decoder *decoder, const cs_insn *from,
			 struct insn *insn);
	/*
	 * From which offset on there are bytes that may be a jump or branch to [first, last], if
	 * an instruction begins there; size if there are none. Some bytes follow behind size.
	 */
	size_t (*find_jump)(const uint8_t *bytes, size_t offset, size_t size, uint64_t address,
			    uint64_t first, uint64_t last);
	/* The last operand is a distance from the instruction, shown as an address. */
	bool (*is_relative)(const cs_insn *from);
	const uint8_t *numbers;	/* by the disassembler's register: DWARF number + 1, or 0 */
	size_t numbers_count;
	const struct insn_register *registers;
	size_t registers_count;
	const uint8_t *arguments;	/* registers of the integer arguments */
	size_t arguments_count;
	uint64_t argument_mask;		/* registers that hold what a caller hands over */
	uint64_t go_argument_mask;	/* the same for the Go compiler's own convention */
};
extern const struct insn_machine insn_x86_64, insn_aarch64;
/* NULL for other machines. */
const struct insn_machine *insn_machine__of(const struct elf_file *file);

struct insn_decoder {
	struct elf_file *file;
	const struct insn_machine *machine;
	csh handle;
	cs_insn *instruction;	/* the last one decoded */
};

/* A stretch of decoded code. */
struct insn_part {
	struct elf_range range;
	struct insn *insns;
	size_t count;
	bool complete;		/* all of the range was decoded */
};

struct insn_table_entry {
	uint64_t jump;		/* address of the jump that uses the table */
	uint64_t target;
};

/* Which code outside of a function's range is taken in when the function jumps there. */
enum insn_scope {
	/* What is entered in its middle, or with something on the stack: no tail call does that. */
	INSN_SCOPE_SURE,
	/* Also what the symbols call a cold part. */
	INSN_SCOPE_NAMED,
	/* Also other functions, which return in this one's place. */
	INSN_SCOPE_TAILS,
};

/* Instructions whose way on is still to be followed. */
struct insn_queue {
	struct insn **items;
	size_t count, room;
};

/* A function: parts[0] holds its first instruction. */
struct insn_function {
	struct insn_decoder *decoder;
	uint64_t address;
	enum insn_scope scope;
	struct insn_part parts[INSN_MAX_PARTS];
	size_t parts_count;
	uint64_t size;		/* of all parts */
	struct insn_table_entry *entries;
	size_t entries_count, entries_room;
	struct insn_queue queue;
	struct insn_queue calls;	/* followed last, as some do not return */
	unsigned names_asked;
	bool escapes;		/* jumps to another file, to no function, or to too many parts */
	int error;		/* -ENOMEM */
};

/* insn_x86_probe.c */

/* Fills in class, refused, nop5 and is_table_jump; a trap also ends the flow. */
void insn_x86__describe_probe(const cs_insn *from, struct insn *insn);

/* insn.c */

void insn__fill_site(struct insn_site *site, struct insn_decoder *decoder, const struct insn *insn);

/* insn_decode.c */

/* 0, -ENOTSUP: unknown machine, -ENOMEM. */
int insn_decoder__open(struct insn_decoder *decoder, struct elf_file *file);
void insn_decoder__close(struct insn_decoder *decoder);
/* Decodes the one instruction at address into decoder->instruction. False if there is none. */
bool insn_decoder__at(struct insn_decoder *decoder, uint64_t address);
/* "mnemonic operands" of decoder->instruction. */
void insn_decoder__text(const struct insn_decoder *decoder, char *text, size_t size);
/* The DWARF number of the disassembler's register, -1 if it is no general one. */
int insn_decoder__register(const struct insn_decoder *decoder, unsigned reg);
/* The general registers that an instruction reads and writes. */
void insn_decoder__access(const struct insn_decoder *decoder, const cs_insn *from, uint64_t *read,
			  uint64_t *written);

/* Decodes range up to the first bytes that are no instruction. 0 or -ENOMEM. */
int insn_part__decode(struct insn_part *part, struct insn_decoder *decoder,
		      const struct elf_range *range);
void insn_part__free(struct insn_part *part);
/* The instruction that covers address, or NULL. */
struct insn *insn_part__around(const struct insn_part *part, uint64_t address);

/* insn_function.c */

/*
 * Decodes the function that is entered at address (which need not be the first of its range) and
 * finds the depth of the stack at all instructions. 0, -ENOENT: no function there, -EILSEQ: code
 * before address cannot be decoded, -EINVAL: address is in the middle of an instruction, -ENOMEM.
 * To be closed in any case.
 */
int insn_function__open(struct insn_function *function, struct insn_decoder *decoder,
			uint64_t address, enum insn_scope scope);
void insn_function__close(struct insn_function *function);
/* The instruction around address in any part, or NULL. */
struct insn *insn_function__around(const struct insn_function *function, uint64_t address);
/* Control may come from the instruction to the next one. */
bool insn__goes_on(const struct insn *insn);
int32_t insn__depth_behind(const struct insn *insn);
/* Control cannot come from a place with one of the depths to a place with the other. */
bool insn__depths_differ(int32_t a, int32_t b);
/* A jump through a pointer that surely leads to another place of the same function. */
bool insn__stays(const struct insn *insn);

/* insn_label.c */

/* The lowest address behind the entry to which the function itself may jump, or UINT64_MAX. */
uint64_t insn_label__inside(const struct insn_function *function, uint64_t entry);
/*
 * Lowers *label to what other code may call or jump to in (entry, last]. This takes longer, and
 * matters only if there is to be a probe behind the first instruction. 0 or -ENOMEM.
 */
int insn_label__outside(const struct insn_function *function, uint64_t entry, uint64_t last,
			uint64_t *label);

/* insn_table.c */

/*
 * Finds the table of the jump through a pointer at part->insns[index] and appends its entries to
 * function->entries. False if none is found, or its entries do not lead into the function.
 */
bool insn_table__resolve(struct insn_function *function, const struct insn_part *part,
			 size_t index);

#endif
