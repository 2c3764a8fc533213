/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instruction of a function's first block gets the probe. */
#include <errno.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

/* What is expected: the instruction at this offset from the entry and its class, or an error. */
struct expected {
	int offset;
	enum insn_class class;
	int error;
};

#define OPTIMIZED(offset) { offset, INSN_OPTIMIZED, 0 }
#define EMULATED(offset) { offset, INSN_EMULATED, 0 }
#define STEPPED(offset) { offset, INSN_STEPPED, 0 }
#define NONE(error) { 0, 0, error }

#define NOP5 ".byte 0x0f, 0x1f, 0x44, 0, 0\n"
#define PUSHES "push %rbp\n push %rbx\n"
#define POPS "pop %rbx\n pop %rbp\n"

static const struct {
	const char *name;
	const char *body;
	struct expected plain, with_return;
} examples[] = {
	{ "push_first", "push %rbx\n mov %rdi, %rbx\n pop %rbx\n ret", EMULATED(0), EMULATED(0) },
	{ "push_high_first", "push %r15\n pop %r15\n ret", EMULATED(0), EMULATED(0) },
	{ "push_behind_mark", "endbr64\n push %rbp\n mov %rsp, %rbp\n pop %rbp\n ret", EMULATED(4),
	  EMULATED(4) },
	{ "push_later",
	  "mov %rdi, %rax\n xor %r11d, %r11d\n test %rdi, %rdi\n push %rbx\n"
	  "pop %rbx\n ret",
	  EMULATED(9), EMULATED(9) },
	{ "push_of_memory", "push 8(%rdi)\n pop %rax\n ret", STEPPED(0), STEPPED(0) },
	{ "push_of_constant", "push $5\n pop %rax\n ret", STEPPED(0), STEPPED(0) },
	{ "push_with_empty_rex", ".byte 0x40, 0x55\n pop %rbp\n ret", STEPPED(0), STEPPED(0) },
	{ "stack_moved", "sub $24, %rsp\n test %rdi, %rdi\n je 1f\n1: add $24, %rsp\n ret",
	  EMULATED(7), STEPPED(0) },
	{ "stack_moved_by_lea", "lea -24(%rsp), %rsp\n jmp 1f\n1: lea 24(%rsp), %rsp\n ret",
	  EMULATED(5), STEPPED(0) },
	{ "jump_first", "jmp push_first", EMULATED(0), EMULATED(0) },
	{ "long_jump", ".byte 0xe9\n .long push_first - . - 4\n", EMULATED(0), EMULATED(0) },
	{ "call_first", "call push_first\n ret", EMULATED(0), EMULATED(0) },
	{ "call_later", "mov 8(%rdi), %rax\n call push_first\n ret", EMULATED(4), EMULATED(4) },
	{ "call_through_pointer", "call *%rax\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "branch_first", "jz 1f\n inc %eax\n1: ret", EMULATED(0), EMULATED(0) },
	{ "branch_before_push", "test %rdi, %rdi\n jz 1f\n push %rbx\n pop %rbx\n1: ret",
	  EMULATED(3), EMULATED(3) },
	{ "stepped_branch", "jrcxz 1f\n push %rbx\n pop %rbx\n1: ret", STEPPED(0), STEPPED(0) },
	{ "argument_overwritten", "mov 8(%rdi), %rdi\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_byte_overwritten", "mov $1, %sil\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_cleared", "xor %r9d, %r9d\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_written_silently", "cltd\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_moved_by_string", "lodsb\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_exchanged", "xchg %rax, %rcx\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "argument_written_as_push_comes", "push %rbx\n mov %rbx, %rdi\n pop %rbx\n ret",
	  EMULATED(0), EMULATED(0) },
	{ "return_first", "ret\n push %rbx\n", STEPPED(0), STEPPED(0) },
	{ "trap_first", "ud2\n push %rbx\n", NONE(-EPERM), NONE(-EPERM) },
	{ "too_far",
	  "mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n"
	  "mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n"
	  "push %rbx\n pop %rbx\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "just_near",
	  "mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n"
	  "mov %rdi, %rax\n mov %rdi, %rax\n mov %rdi, %rax\n push %rbx\n pop %rbx\n ret",
	  EMULATED(21), EMULATED(21) },

	{ "nop5_first", NOP5 "mov %rdi, %rax\n ret", OPTIMIZED(0), OPTIMIZED(0) },
	{ "nop5_of_prefixes_first", ".byte 0x66, 0x66, 0x66, 0x66, 0x90\n ret", OPTIMIZED(0),
	  OPTIMIZED(0) },
	{ "nop5_second", "mov %rdi, -8(%rsp)\n" NOP5 "mov -8(%rsp), %rax\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "nop5_behind_mark", "endbr64\n" NOP5 "ret", STEPPED(0), STEPPED(0) },
	{ "nop5_then_push", "mov %rdi, %rax\n" NOP5 "push %rbx\n pop %rbx\n ret", EMULATED(8),
	  EMULATED(8) },
	{ "jump_of_5_bytes_to_next",
	  "mov %rdi, -8(%rsp)\n .byte 0xe9, 0, 0, 0, 0\n"
	  "mov -8(%rsp), %rax\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "lea_of_5_bytes",
	  "mov %rdi, %rax\n .byte 0x48, 0x8d, 0x5c, 0x23, 0\n"
	  "push %rbx\n pop %rbx\n ret",
	  EMULATED(8), EMULATED(8) },
	{ "nop5_in_loop",
	  NOP5 "mov -8(%rsp), %rax\n mov %rdi, -8(%rsp)\n dec %rdi\n"
	       "jnz nop5_in_loop\n ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "nop1", "mov %rdi, %rax\n nop\n ret", EMULATED(3), EMULATED(3) },
	{ "nop2", "mov %rdi, %rax\n xchg %ax, %ax\n ret", EMULATED(3), EMULATED(3) },
	{ "nop3", "mov %rdi, %rax\n nopl (%rax)\n ret", EMULATED(3), EMULATED(3) },
	{ "nop4", "mov %rdi, %rax\n .byte 0x0f, 0x1f, 0x40, 0\n ret", EMULATED(3), EMULATED(3) },
	{ "nop9", "mov %rdi, %rax\n .byte 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n ret", EMULATED(3),
	  EMULATED(3) },
	{ "nop_with_segment", ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n ret",
	  STEPPED(10), STEPPED(10) },
	{ "pause", "pause\n push %rbx\n pop %rbx\n ret", EMULATED(2), EMULATED(2) },

	{ "loop_in_block",
	  "mov %rdi, %rax\n1: add (%rax), %r11\n push %rbx\n pop %rbx\n"
	  "dec %rax\n jnz 1b\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "loop_behind_push",
	  "mov %rdi, %rax\n push %rbx\n1: add (%rax), %r11\n dec %rax\n jnz 1b\n"
	  "pop %rbx\n ret",
	  EMULATED(3), EMULATED(3) },
	{ "loop_from_entry", "inc %rdi\n cmpb $0, (%rdi)\n jne loop_from_entry\n ret", NONE(-EPERM),
	  NONE(-EPERM) },
	{ "loop_from_entry_by_jump",
	  "test %rdi, %rdi\n je 1f\n mov (%rdi), %rdi\n"
	  "jmp loop_from_entry_by_jump\n1: ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "loop_with_two_ways_back",
	  "test %rdi, %rdi\n je 1f\n mov (%rdi), %rdi\n"
	  "jmp loop_with_two_ways_back\n1: inc %rax\n je loop_with_two_ways_back\n ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "try_again",
	  "mov (%rdi), %eax\n test %eax, %eax\n jne 1f\n push %rbx\n pop %rbx\n ret\n"
	  "1: pause\n call push_first\n jmp try_again",
	  EMULATED(6), EMULATED(6) },
	{ "grows_stack", "cmp %rax, %rsp\n jb 1f\n cmp %rax, %rsi\n jbe 1f\n push %rbx\n"
	  "pop %rbx\n ret\n1: call push_first\n jmp grows_stack", EMULATED(10), EMULATED(10) },
	{ "grows_stack_behind_trap", "cmp %rax, %rsp\n jbe 1f\n push %rbx\n cmp $3, %rdi\n ja 2f\n"
	  "pop %rbx\n ret\n2: call trap_first\n nop\n1: call push_first\n"
	  "jmp grows_stack_behind_trap", EMULATED(5), EMULATED(5) },
	{ "runs_into_detour", "jrcxz 1f\n mov (%rdi), %rax\n push %rbx\n pop %rbx\n"
	  "call push_first\n1: call push_first\n jmp runs_into_detour",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "two_ways_into_detour", "jrcxz 2f\n jrcxz 1f\n push %rbx\n pop %rbx\n ret\n"
	  "1: nop\n2: call push_first\n jmp two_ways_into_detour", EMULATED(4), EMULATED(4) },
	{ "detour_by_pointer", "jrcxz 1f\n sub $8, %rsp\n je 2f\n inc %eax\n2: add $8, %rsp\n"
	  "jmp *%rax\n1: call push_first\n jmp detour_by_pointer", NONE(-EPERM), NONE(-EPERM) },
	{ "detour_by_table", "jrcxz 1f\n push %rbx\n pop %rbx\n cmp $1, %edi\n ja 2f\n"
	  "lea .Ltable2(%rip), %rdx\n movslq (%rdx,%rdi,4), %rax\n add %rdx, %rax\n jmp *%rax\n"
	  "2: ret\n1: call push_first\n jmp detour_by_table\n.section .rodata\n.p2align 2\n"
	  ".Ltable2: .long 1b - .Ltable2, 2b - .Ltable2\n.text", NONE(-EPERM), NONE(-EPERM) },
	{ "grows_stack_and_loops", "cmp %rax, %rsp\n jb 1f\n cmp %rax, %rsi\n jbe 1f\n"
	  "push %rbx\n pop %rbx\n dec %rdi\n jne grows_stack_and_loops\n ret\n"
	  "1: call push_first\n jmp grows_stack_and_loops", NONE(-EPERM), NONE(-EPERM) },
	{ "stepped_branch_to_jump", "jrcxz 1f\n push %rbx\n pop %rbx\n ret\n1: jmp push_first",
	  STEPPED(0), STEPPED(0) },
	{ "call_of_itself_at_end", PUSHES "mov (%rdi), %rdi\n" POPS "jmp call_of_itself_at_end",
	  EMULATED(0), EMULATED(0) },
	{ "loop_with_frame_kept", "push %rbx\n dec %rdi\n jnz loop_with_frame_kept\n ret",
	  NONE(-EPERM), NONE(-EPERM) },

	{ "symbol_inside",
	  "mov %rdi, %rax\n.globl second_entry\n.type second_entry, @function\n"
	  "second_entry: mov %rsi, %r11\n push %rbx\n pop %rbx\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "label_of_neighbour",
	  "mov %rdi, %rax\n.Lcommon: mov %rsi, %r11\n push %rbx\n pop %rbx\n"
	  "ret",
	  STEPPED(0), STEPPED(0) },
	{ "neighbour", "mov %rsi, %rax\n jmp .Lcommon", EMULATED(3), EMULATED(3) },
	{ "label_of_branch", "mov %rdi, %rax\n.Lbranched: mov %rsi, %r11\n push %rbx\n"
	  "pop %rbx\n ret", STEPPED(0), STEPPED(0) },
	{ "branching_neighbour", "push %rbx\n pop %rbx\n jne .Lbranched\n ret",
	  EMULATED(0), EMULATED(0) },
	{ "label_of_far_neighbour",
	  "mov %rdi, %rax\n.Lfar: mov %rsi, %r11\n push %rbx\n pop %rbx\n"
	  "ret",
	  STEPPED(0), STEPPED(0) },
	{ "filler", ".rept 9000\n nop\n .endr\n ret", EMULATED(0), EMULATED(0) },
	{ "far_neighbour", "push %rbx\n pop %rbx\n jne .Lfar\n ret", EMULATED(0), EMULATED(0) },

	{ "cold_comes_back",
	  "mov %rdi, %rax\n.Lback: xor %r11d, %r11d\n test %eax, %eax\n"
	  "je cold_part\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "cold_part", "inc %eax\n jmp .Lback", NONE(-EPERM), NONE(-EPERM) },
	{ "cold_of_cold_comes_back",
	  "mov %rdi, %rax\n.Lback2: push %rbx\n je 1f\n pop %rbx\n ret\n"
	  "1: jmp cold_first",
	  STEPPED(0), STEPPED(0) },
	{ "cold_first", "inc %eax\n jmp cold_second", EMULATED(2), EMULATED(2) },
	{ "cold_second", "pop %rbx\n jmp .Lback2", EMULATED(1), STEPPED(0) },

	{ "pointer_jump_within",
	  "mov %rdi, %rax\n1: mov (%rax), %r11\n push %rbx\n pop %rbx\n"
	  "jmp *%r11",
	  STEPPED(0), STEPPED(0) },
	{ "pointer_jump_with_frame",
	  "mov %rdi, %rax\n push %rbx\n mov (%rdi), %rax\n jmp *%rax\n"
	  "pop %rbx\n ret",
	  EMULATED(3), EMULATED(3) },
	{ "table_leads_into_block",
	  "mov %rdi, %rax\n.Lcase0: mov %rsi, %r11\n push %rbx\n pop %rbx\n"
	  "cmp $1, %edi\n ja 1f\n lea .Ltable0(%rip), %rdx\n movslq (%rdx,%rdi,4), %rax\n"
	  "add %rdx, %rax\n jmp *%rax\n1: ret\n.section .rodata\n.p2align 2\n"
	  ".Ltable0: .long .Lcase0 - .Ltable0, 1b - .Ltable0\n.text",
	  STEPPED(0), STEPPED(0) },
	{ "table_leads_elsewhere",
	  "mov %rdi, %rax\n push %rbx\n pop %rbx\n"
	  "cmp $1, %edi\n ja 1f\n lea .Ltable1(%rip), %rdx\n movslq (%rdx,%rdi,4), %rax\n"
	  "add %rdx, %rax\n jmp *%rax\n.Lcase1: inc %eax\n1: ret\n.section .rodata\n.p2align 2\n"
	  ".Ltable1: .long .Lcase1 - .Ltable1, 1b - .Ltable1\n.text",
	  EMULATED(3), EMULATED(3) },

	{ "pointer_jump_with_aligned_frame", "mov %rdi, %rax\n push %rbp\n mov %rsp, %rbp\n"
	  "and $-64, %rsp\n mov (%rdi), %rax\n jmp *%rax\n leave\n ret", EMULATED(3), EMULATED(3) },
	{ "cold_far_away_comes_back", "mov %rdi, %rax\n.Lback3: xor %r11d, %r11d\n"
	  "test %eax, %eax\n je far_away\n ret", STEPPED(0), STEPPED(0) },
	{ "large_filler", ".fill 80000, 1, 0x90\n ret", EMULATED(0), EMULATED(0) },
	{ "far_away", "inc %eax\n jmp .Lback3", NONE(-EPERM), NONE(-EPERM) },

	{ "locked_first", "lock incq (%rdi)\n mov %rdi, %rax\n ret", STEPPED(4), STEPPED(4) },
	{ "string_first", "rep stosb\n push %rbx\n pop %rbx\n ret", NONE(-EPERM), NONE(-EPERM) },
	{ "vector_first", "vzeroupper\n push %rbx\n pop %rbx\n ret", EMULATED(3), EMULATED(3) },
	{ "system_call", "mov $39, %eax\n syscall\n push %rbx\n pop %rbx\n ret", STEPPED(0),
	  STEPPED(0) },
	{ "unknown_later", "mov %rdi, %rax\n push %rbx\n pop %rbx\n .byte 0x06, 0x06\n ret",
	  STEPPED(0), STEPPED(0) },
	{ "unknown_first", ".byte 0x06\n push %rbx\n pop %rbx\n ret", NONE(-EILSEQ),
	  NONE(-EILSEQ) },
};

static const char *const builds[] = { "shared", "fixed", "stripped" };

static int build_examples(void **state)
{
	FILE *stream;

	if (sample__make_folder(state))
		return -1;
	stream = insn_sample__create("examples.s");
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		insn_sample__function(stream, examples[i].name, examples[i].body);
	fprintf(stream, ".data\n.globl data_object\n.type data_object, @object\n"
			"data_object: .quad 1\n.size data_object, 8\n");
	fclose(stream);
	return !sample__try("cc -shared -Wl,-Bsymbolic examples.s -o shared") ||
	       !sample__try("cc -no-pie -static -nostdlib -Wl,-e,push_first examples.s -o fixed") ||
	       !sample__try("strip -o stripped shared");
}

static void check_example(struct elf_file *file, uint64_t entry, const char *name,
			  bool with_return, const struct expected *expected)
{
	struct insn_site site, checked;
	int error = insn__entry_site(file, entry, with_return, &site);

	if (error != expected->error)
		fail_msg("%s: error %d", name, error);
	if (error)
		return;
	if (site.address - entry != (uint64_t)expected->offset || site.class != expected->class)
		fail_msg("%s%s: %s at %d, class %s", name, with_return ? " with return" : "",
			 site.text, (int)(site.address - entry), insn_class__name(site.class));
	assert_int_equal(insn__check_site(file, site.address, &checked), 0);
	assert_int_equal(checked.class, site.class);
	assert_string_equal(checked.text, site.text);
}

/* Each example, in a shared library, in a program at fixed addresses, and without symbols. */
static void test_entry_sites(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		const char *with_symbols = i == 2 ? "shared" : builds[i];
		struct elf_file *file = sample__open(builds[i], "");

		for (size_t j = 0; j < ARRAY_SIZE(examples); j++) {
			const char *name = examples[j].name;
			uint64_t entry;

			/* Without the local symbol nothing tells of a second entry. */
			if (i == 2 && !strcmp(name, "symbol_inside"))
				continue;
			entry = insn_sample__address(with_symbols, name);
			check_example(file, entry, name, false, &examples[j].plain);
			check_example(file, entry, name, true, &examples[j].with_return);
		}
		elf_file__close(file);
	}
}

static void test_second_entry(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	uint64_t entry = insn_sample__address("shared", "second_entry");
	struct insn_site site;

	(void)state;
	assert_int_equal(insn__entry_site(file, entry, false, &site), 0);
	assert_int_equal(site.address, entry + 3);
	assert_string_equal(site.text, "push rbx");
	elf_file__close(file);
}

static void test_no_function(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	uint64_t entry = insn_sample__address("shared", "push_later");
	uint64_t data = insn_sample__address("shared", "data_object");
	struct insn_site site;

	(void)state;
	assert_int_equal(insn__entry_site(file, data, false, &site), -ENOENT);
	assert_int_equal(insn__entry_site(file, UINT64_MAX, false, &site), -ENOENT);
	assert_int_equal(insn__check_site(file, data, &site), -ENOENT);
	assert_int_equal(insn__entry_site(file, entry + 1, false, &site), -EINVAL);
	assert_int_equal(insn__check_site(file, entry + 1, &site), -EINVAL);
	elf_file__close(file);
}

static void test_registers(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	static const char *const names[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
					     "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
	static const char *const short_names[] = { "ax", "dx", "cx", "bx", "si", "di", "bp", "sp" };
	static const int arguments[] = { 5, 4, 1, 2, 8, 9, -1, -1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(insn__register(file, names[i]), i);
	for (size_t i = 0; i < ARRAY_SIZE(short_names); i++)
		assert_int_equal(insn__register(file, short_names[i]), i);
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		assert_int_equal(insn__argument_register(file, i), arguments[i]);
	assert_int_equal(insn__register(file, "x0"), -1);
	assert_int_equal(insn__register(file, "%rax"), -1);
	assert_int_equal(insn__register(file, ""), -1);
	elf_file__close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_sites),
		cmocka_unit_test(test_second_entry),
		cmocka_unit_test(test_no_function),
		cmocka_unit_test(test_registers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_examples, sample__remove_folder);
}
