/* SPDX-License-Identifier: BSD-2-Clause */
/* The disassembler on AArch64 code, wherever there is a compiler for it. */
#include <errno.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

enum { REFUSED = -1 };

#define EMULATED(offset) { offset, INSN_EMULATED, 0 }
#define STEPPED(offset) { offset, INSN_STEPPED, 0 }
#define NONE(error) { 0, 0, error }

static const struct {
	const char *name;
	const char *body;
	struct {
		int offset;
		enum insn_class class;
		int error;
	} plain, with_return;
} examples[] = {
	{ "address_first", "adrp x9, data_object\n ret", EMULATED(0), EMULATED(0) },
	{ "behind_prologue", "stp x29, x30, [sp, #-32]!\n mov x29, sp\n cbz x0, 1f\n nop\n"
	  "1: ldp x29, x30, [sp], #32\n ret", EMULATED(8), STEPPED(0) },
	{ "behind_mark", "hint #34\n mov x9, x0\n nop\n ret", EMULATED(8), EMULATED(8) },
	{ "signed_return", "hint #25\n nop\n hint #29\n ret", EMULATED(4), STEPPED(0) },
	{ "argument_written", "mov x7, x0\n nop\n ret", STEPPED(0), STEPPED(0) },
	{ "argument_address", "adrp x0, data_object\n ret", EMULATED(0), EMULATED(0) },
	{ "result_place_written", "mov x8, x0\n nop\n ret", STEPPED(0), STEPPED(0) },
	{ "argument_moved_on", "ldr x9, [x0], #8\n nop\n ret", STEPPED(0), STEPPED(0) },
	{ "compared", "cmp x0, #5\n b.eq 1f\n nop\n1: ret", EMULATED(4), EMULATED(4) },
	{ "call", "mov x9, x0\n bl address_first\n ret", EMULATED(4), EMULATED(4) },
	{ "loop", "mov x9, x0\n1: ldr x9, [x9]\n cbnz x9, 1b\n ret", STEPPED(0), STEPPED(0) },
	{ "loop_from_entry", "ldr x0, [x0]\n cbnz x0, loop_from_entry\n ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "exclusive", "1: ldxr x9, [x0]\n add x9, x9, #1\n stxr w10, x9, [x0]\n"
	  "cbnz w10, 1b\n ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "exclusive_first", "ldxr x9, [x0]\n nop\n stxr w10, x9, [x0]\n ret",
	  NONE(-EPERM), NONE(-EPERM) },
	{ "atomic", "ldaddal x1, x9, [x0]\n nop\n ret", STEPPED(0), STEPPED(0) },
	{ "literal", "ldr x9, 1f\n nop\n ret\n.p2align 3\n1: .quad 0xd503201fd503201f",
	  EMULATED(4), EMULATED(4) },
};

/* One instruction each. */
static const struct {
	const char *code;
	int class;
} words[] = {
	{ "nop", INSN_EMULATED },
	{ "1: b 1b", INSN_EMULATED },
	{ "1: bl 1b", INSN_EMULATED },
	{ "1: b.ne 1b", INSN_EMULATED },
	{ "1: cbz w3, 1b", INSN_EMULATED },
	{ "1: tbnz x3, #40, 1b", INSN_EMULATED },
	{ "adr x3, .", INSN_EMULATED },
	{ "br x3", INSN_EMULATED },
	{ "blr x3", INSN_EMULATED },
	{ "ret", INSN_EMULATED },
	{ "ret x3", INSN_EMULATED },
	{ "mov x3, x4", INSN_STEPPED },
	{ "stp x29, x30, [sp, #-16]!", INSN_STEPPED },
	{ "hint #25", INSN_STEPPED },	/* paciasp */
	{ "hint #36", INSN_STEPPED },	/* bti j */
	{ "dmb ish", INSN_STEPPED },
	{ "mrs x3, tpidr_el0", INSN_STEPPED },
	{ "ldar x3, [x4]", INSN_STEPPED },
	{ "hint #29", REFUSED },	/* autiasp */
	{ "yield", REFUSED },
	{ "svc #0", REFUSED },
	{ "brk #1", REFUSED },
	{ "msr tpidr_el0, x3", REFUSED },
	{ "1: ldr x3, 1b", REFUSED },
	{ "1: ldr q3, 1b", REFUSED },
	{ "1: ldrsw x3, 1b", REFUSED },
	{ "1: prfm pldl1keep, 1b", REFUSED },
	{ "ldxr x3, [x4]", REFUSED },
	{ "stlxr w3, x4, [x5]", REFUSED },
	{ "ldaxp x3, x4, [x5]", REFUSED },
	{ "retaa", REFUSED },
	{ "braa x3, x4", REFUSED },
	{ ".word 0", REFUSED },
};

static bool is_built;

static int build_examples(void **state)
{
	FILE *stream;

	if (sample__make_folder(state))
		return -1;
	stream = insn_sample__create("examples.s");
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		insn_sample__function(stream, examples[i].name, examples[i].body);
	insn_sample__function(stream, "returns", "cbz x0, 1f\n b returning\n1: ret");
	insn_sample__function(stream, "returning", "nop\n ret");
	insn_sample__function(stream, "framed_pointer", "stp x29, x30, [sp, #-16]!\n ldr x9, [x0]\n"
			      "br x9\n ldp x29, x30, [sp], #16\n ret");
	insn_sample__function(stream, "plain_pointer", "stp x29, x30, [sp, #-16]!\n mov x29, sp\n"
			      "sub sp, sp, #64\n mov sp, x29\n ldp x29, x30, [sp], #16\n br x9");
	insn_sample__function(stream, "numbers", "ldr x9, [x0, #0x28]\n ldur x9, [x0, #-8]\n"
			      "adrp x9, data_object\n bl returning\n cbz x9, numbers\n ret");
	fprintf(stream, ".globl words\n.type words, %%function\n.p2align 4\nwords:\n"
			".cfi_startproc\n");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		fprintf(stream, "nop\n.p2align 4\n%s\n.p2align 4\n", words[i].code);
	fprintf(stream, ".cfi_endproc\n.size words, . - words\n"
			".data\n.hidden data_object\n.globl data_object\ndata_object: .quad 1\n");
	fclose(stream);
	is_built = sample__try("sed -i 's/@function/%%function/; s/^.fill 3.*//' examples.s && "
			       "clang --target=aarch64-linux-gnu -march=armv8.5-a -shared "
			       "-nostdlib -fuse-ld=lld -Wl,-Bsymbolic examples.s -o shared "
			       "2>/dev/null");
	return 0;
}

static struct elf_file *open_examples(void)
{
	if (!is_built)
		skip();
	return sample__open("shared", "");
}

static void check_example(struct elf_file *file, size_t i, bool with_return)
{
	uint64_t entry = insn_sample__address("shared", examples[i].name);
	int expected = with_return ? examples[i].with_return.error : examples[i].plain.error;
	int offset = with_return ? examples[i].with_return.offset : examples[i].plain.offset;
	enum insn_class class = with_return ? examples[i].with_return.class :
					      examples[i].plain.class;
	struct insn_site site;
	int error = insn__entry_site(file, entry, with_return, &site);

	if (error != expected)
		fail_msg("%s: error %d", examples[i].name, error);
	if (!error && (site.address - entry != (uint64_t)offset || site.class != class))
		fail_msg("%s: %s at %d", examples[i].name, site.text, (int)(site.address - entry));
}

static void test_entry_sites(void **state)
{
	struct elf_file *file = open_examples();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		check_example(file, i, false);
		check_example(file, i, true);
	}
	elf_file__close(file);
}

static void test_classes(void **state)
{
	struct elf_file *file = open_examples();
	uint64_t first = insn_sample__address("shared", "words");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct insn_site site;
		int error = insn__check_site(file, first + 32 * i + 16, &site);

		if (error != (words[i].class == REFUSED ? -EPERM : 0))
			fail_msg("%s: %d", words[i].code, error);
		if (!error && (int)site.class != words[i].class)
			fail_msg("%s: %s", words[i].code, insn_class__name(site.class));
		assert_int_equal(insn__check_site(file, first + 32 * i + 18, &site), -EINVAL);
	}
	elf_file__close(file);
}

/* Between an exclusive load and its store even a harmless instruction must not be probed. */
static void test_exclusive_region(void **state)
{
	struct elf_file *file = open_examples();
	uint64_t first = insn_sample__address("shared", "exclusive");
	struct insn_site site;

	(void)state;
	assert_int_equal(insn__check_site(file, first + 4, &site), -EPERM);
	assert_int_equal(insn__check_site(file, first + 12, &site), 0);
	elf_file__close(file);
}

static int find_returns(struct elf_file *file, const char *name, size_t *count)
{
	struct insn_site *sites = NULL;
	int error = insn__returns(file, insn_sample__address("shared", name), &sites, count);

	for (size_t i = 0; !error && i < *count; i++)
		assert_string_equal(sites[i].text, "ret");
	free(sites);
	return error;
}

static void test_returns(void **state)
{
	struct elf_file *file = open_examples();
	size_t count;

	(void)state;
	assert_int_equal(find_returns(file, "returns", &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(find_returns(file, "framed_pointer", &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(find_returns(file, "plain_pointer", &count), -ELOOP);
	elf_file__close(file);
}

static void check_number(struct elf_file *file, const char *pattern, uint64_t value,
			 bool is_address)
{
	uint64_t entry = insn_sample__address("shared", "numbers"), address;
	struct insn_capture capture;
	size_t count = 1;

	if (insn__match(file, entry, &pattern, 1, 0, &address, &capture, &count) || count != 1)
		fail_msg("%s", pattern);
	assert_int_equal(capture.value, value);
	assert_int_equal(capture.is_address, is_address);
}

static void test_numbers(void **state)
{
	struct elf_file *file = open_examples();
	uint64_t data = insn_sample__address("shared", "data_object");

	(void)state;
	check_number(file, "ldr x9, [x0, {off}]", 0x28, false);
	check_number(file, "ldur x9, [x0, {off}]", -8, false);
	check_number(file, "adrp x9, {page}", data & ~UINT64_C(0xfff), true);
	check_number(file, "bl {to}", insn_sample__address("shared", "returning"), true);
	check_number(file, "cbz x9, {to}", insn_sample__address("shared", "numbers"), true);
	elf_file__close(file);
}

static void test_registers(void **state)
{
	struct elf_file *file = open_examples();

	(void)state;
	assert_int_equal(insn__register(file, "x0"), 0);
	assert_int_equal(insn__register(file, "x28"), 28);
	assert_int_equal(insn__register(file, "fp"), 29);
	assert_int_equal(insn__register(file, "lr"), 30);
	assert_int_equal(insn__register(file, "x30"), 30);
	assert_int_equal(insn__register(file, "sp"), 31);
	assert_int_equal(insn__register(file, "rax"), -1);
	assert_int_equal(insn__argument_register(file, 0), 0);
	assert_int_equal(insn__argument_register(file, 7), 7);
	assert_int_equal(insn__argument_register(file, 8), -1);
	elf_file__close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_sites),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_exclusive_region),
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_registers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_examples, sample__remove_folder);
}
