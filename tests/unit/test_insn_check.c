/* SPDX-License-Identifier: BSD-2-Clause */
/* What a probe costs on an instruction inside a function, and on which there must be none. */
#include <errno.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

enum { BEFORE = 3, REFUSED = -1 };	/* bytes of the instruction before each example; no class */

static const struct {
	const char *code;
	int class;
} examples[] = {
	{ "push %rax", INSN_EMULATED },
	{ "push %rsp", INSN_EMULATED },
	{ "push %r8", INSN_EMULATED },
	{ ".byte 0x48, 0x55", INSN_STEPPED },	/* push rbp with a needless prefix */
	{ "pushw %bp", INSN_STEPPED },
	{ "push $1", INSN_STEPPED },
	{ "push (%rax)", INSN_STEPPED },
	{ "nop", INSN_EMULATED },
	{ "xchg %ax, %ax", INSN_EMULATED },
	{ "nopl (%rax)", INSN_EMULATED },
	{ ".byte 0x66, 0x0f, 0x1f, 0x44, 0, 0", INSN_EMULATED },
	{ "nopl 0x12345678(%rax)", INSN_EMULATED },
	{ ".byte 0x48, 0x90", INSN_EMULATED },
	{ "1: jmp 1b", INSN_EMULATED },
	{ ".byte 0xe9, 1, 0, 0, 0, 0x90", INSN_EMULATED },
	{ "1: jne 1b", INSN_EMULATED },
	{ ".byte 0x0f, 0x85, 0, 0, 0, 0", INSN_EMULATED },
	{ ".byte 0xe8, 0, 0, 0, 0", INSN_EMULATED },
	{ "pause", INSN_STEPPED },
	{ "endbr64", INSN_STEPPED },
	{ "ret", INSN_STEPPED },
	{ "rep ret", INSN_STEPPED },
	{ "bnd ret", INSN_STEPPED },
	{ "ret $8", INSN_STEPPED },
	{ "leave", INSN_STEPPED },
	{ "popf", INSN_STEPPED },
	{ "jmp *%rax", INSN_STEPPED },
	{ "jmp *(%rax)", INSN_STEPPED },
	{ "call *8(%rip)", INSN_STEPPED },
	{ "1: jrcxz 1b", INSN_STEPPED },
	{ "1: loop 1b", INSN_STEPPED },
	{ "mov %fs:0x28, %rax", INSN_STEPPED },
	{ "movsq", INSN_STEPPED },
	{ "movdqu (%rax), %xmm0", INSN_STEPPED },
	{ "xchg %rcx, %rax", INSN_STEPPED },
	{ "lea 0(%rsi), %rsi", INSN_STEPPED },
	{ "cpuid", INSN_STEPPED },

	{ ".byte 0x0f, 0x1f, 0x44, 0, 0", REFUSED },	/* a 5-byte nop, and others below */
	{ ".byte 0x66, 0x0f, 0x1f, 0x40, 0", REFUSED },
	{ ".byte 0x66, 0x66, 0x66, 0x66, 0x90", REFUSED },
	{ ".byte 0x48, 0x8d, 0x74, 0x26, 0", REFUSED },
	{ ".byte 0xe9, 0, 0, 0, 0", REFUSED },
	{ ".byte 0x66, 0x66, 0x48, 0x89, 0xc0", REFUSED },
	{ ".byte 0x49, 0x90", REFUSED },		/* xchg rax, r8 */
	{ ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0", REFUSED },
	{ "notrack jmp *%rax", REFUSED },
	{ ".byte 0x2e, 0x75, 0", REFUSED },
	{ ".byte 0x66, 0x75, 0", REFUSED },
	{ ".byte 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0", REFUSED },
	{ "lock incq (%rax)", REFUSED },
	{ "lock cmpxchg %rcx, (%rax)", REFUSED },
	{ "rep movsb", REFUSED },
	{ "repne scasb", REFUSED },
	{ "rep stosq", REFUSED },
	{ "pushf", REFUSED },
	{ "syscall", REFUSED },
	{ "sysenter", REFUSED },
	{ "int3", REFUSED },
	{ "int $0x80", REFUSED },
	{ "iretq", REFUSED },
	{ "ud2", REFUSED },
	{ "hlt", REFUSED },
	{ "cli", REFUSED },
	{ "in %dx, %al", REFUSED },
	{ "outsb", REFUSED },
	{ "ljmp *(%rax)", REFUSED },
	{ "lcall *(%rax)", REFUSED },
	{ "mov %eax, %ss", REFUSED },
	{ "xbegin .", REFUSED },
	{ "vzeroupper", REFUSED },
	{ "vmovdqu %xmm0, (%rax)", REFUSED },
	{ "vpor %xmm0, %xmm1, %xmm2", REFUSED },
	{ "andn %rax, %rbx, %rcx", REFUSED },
};

static void write_name(char name[32], size_t i)
{
	snprintf(name, 32, "example_%zu", i);
}

static int build_examples(void **state)
{
	char name[32], body[256];
	FILE *stream;

	if (sample__make_folder(state))
		return -1;
	stream = insn_sample__create("examples.s");
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		write_name(name, i);
		snprintf(body, sizeof(body), "mov %%rdi, %%rax\n%s\nret", examples[i].code);
		insn_sample__function(stream, name, body);
	}
	insn_sample__function(stream, "safe", ".byte 0x0f, 0x1f, 0x44, 0, 0\n ret");
	insn_sample__function(stream, "looping", ".byte 0x0f, 0x1f, 0x44, 0, 0\n"
			      "mov %rdi, -8(%rsp)\n dec %rdi\n jne looping\n ret");
	insn_sample__function(stream, "broken", "nop\n .byte 6\n nop\n ret");
	fclose(stream);
	return !sample__try("cc -shared examples.s -o shared");
}

static void test_classes(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	uint64_t first = insn_sample__address("shared", "example_0"), address;
	struct insn_site site;
	char name[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		int error, refused = examples[i].class == REFUSED;

		write_name(name, i);
		address = insn_sample__address("shared", name) + BEFORE;
		assert_true(address > first);
		error = insn__check_site(file, address, &site);
		if (error != (refused ? -EPERM : 0))
			fail_msg("%s: %d", examples[i].code, error);
		if (!refused && (int)site.class != examples[i].class)
			fail_msg("%s: %s", examples[i].code, insn_class__name(site.class));
		assert_int_equal(site.address, address);
		assert_true(*site.text);
	}
	elf_file__close(file);
}

/* All bytes of a 10-byte instruction but the first. */
static void test_middle_of_instruction(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	struct insn_site site;
	uint64_t address;
	char name[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		if (!strcmp(examples[i].code, "nopl 0x12345678(%rax)"))
			write_name(name, i);
	}
	address = insn_sample__address("shared", name) + BEFORE;
	assert_int_equal(insn__check_site(file, address, &site), 0);
	assert_string_equal(site.text, "nop dword ptr [rax + 0x12345678]");
	for (int i = 1; i < 7; i++)
		assert_int_equal(insn__check_site(file, address + i, &site), -EINVAL);
	assert_int_equal(insn__check_site(file, address + 7, &site), 0);
	assert_string_equal(site.text, "ret");
	elf_file__close(file);
}

static void test_first_nop5(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	struct insn_site site;

	(void)state;
	assert_int_equal(insn__check_site(file, insn_sample__address("shared", "safe"), &site), 0);
	assert_int_equal(site.class, INSN_OPTIMIZED);
	assert_int_equal(insn__check_site(file, insn_sample__address("shared", "looping"), &site),
			 -EPERM);
	elf_file__close(file);
}

static void test_behind_unknown_bytes(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	uint64_t address = insn_sample__address("shared", "broken");
	struct insn_site site;

	(void)state;
	assert_int_equal(insn__check_site(file, address, &site), 0);
	assert_int_equal(insn__check_site(file, address + 1, &site), -EILSEQ);
	assert_int_equal(insn__check_site(file, address + 2, &site), -EILSEQ);
	elf_file__close(file);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(insn_class__name(INSN_OPTIMIZED), "optimized");
	assert_string_equal(insn_class__name(INSN_EMULATED), "emulated");
	assert_string_equal(insn_class__name(INSN_STEPPED), "stepped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_middle_of_instruction),
		cmocka_unit_test(test_first_nop5),
		cmocka_unit_test(test_behind_unknown_bytes),
		cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_examples, sample__remove_folder);
}
