/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding places in functions by the text of their instructions. */
#include <errno.h>
#include <inttypes.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

enum { ROOM = 4 };

static const char body[] =
	".Lbegin: push %rbx\n"			/*  0 */
	"mov 0x28(%rdi), %rax\n"		/*  1 */
	"mov -0x10(%rbp), %rcx\n"		/*  5 */
	"lea data_object(%rip), %rdx\n"		/*  9 */
	"mov data_object(%rip), %eax\n"		/* 16 */
	"cmp $0x1f4, %eax\n"			/* 22 */
	"jne 1f\n"				/* 27 */
	"mov 0x30(%rdi), %rax\n"		/* 29 */
	"mov 8(%rdi,%rsi,8), %rax\n"		/* 33 */
	"1: call other\n"			/* 38 */
	"mov %rax, %fs:0x28\n"			/* 43 */
	"mov (%rip), %eax\n"			/* 52 */
	"cmp $-2, %eax\n"			/* 58 */
	"je .Lcold\n"			/* 61 */
	"pop %rbx\n"				/* 63 */
	"ret\n"					/* 64 */
	"lea .Lbegin(%rip), %r11\n"		/* 65 */
	"pxor %xmm3, %xmm4";			/* 72 */

static int build_examples(void **state)
{
	FILE *stream;

	if (sample__make_folder(state))
		return -1;
	stream = insn_sample__create("examples.s");
	insn_sample__function(stream, "split", body);
	insn_sample__function(stream, "other", "mov 0x38(%rdi), %rax\n ret");
	insn_sample__function(stream, "split.cold",
			      ".hidden split.cold\n.Lcold: mov 0x40(%rdi), %rax\n ud2");
	insn_sample__function(stream, "early", "test %rdi, %rdi\n je early.cold\n ret");
	insn_sample__function(stream, "early.cold",
			      ".hidden early.cold\n mov 0x50(%rdi), %rax\n ret");
	insn_sample__function(stream, "twice", "je twice.cold.2\n jb twice.cold.1\n ret");
	insn_sample__function(stream, "twice.cold.1", "mov $1, %eax\n ret");
	insn_sample__function(stream, "twice.cold.2", "mov $2, %eax\n ret");
	insn_sample__function(stream, "imported", "jmp getpid@PLT");
	insn_sample__function(stream, "tail", "mov %rdi, %rax\n jmp other");
	insn_sample__function(stream, "broken", "mov 0x48(%rdi), %rax\n .byte 6\n ret");
	fprintf(stream, ".data\n.globl data_object\n.hidden data_object\ndata_object: .quad 1\n");
	fclose(stream);
	return !sample__try("cc -shared -Wl,-Bsymbolic examples.s -o shared") ||
	       !sample__try("strip -o stripped shared");
}

/* What a search for up to two consecutive instructions finds. */
struct expected {
	const char *patterns[2];
	unsigned nth;
	int error;
	int offset;		/* from the function's beginning */
	struct insn_capture captures[ROOM];
};

static size_t count_names(const struct insn_capture captures[ROOM])
{
	size_t count = 0;

	while (count < ROOM && *captures[count].name)
		count++;
	return count;
}

static void check_search(struct elf_file *file, const char *name, const struct expected *expected)
{
	uint64_t entry = insn_sample__address("shared", name), address = 0;
	struct insn_capture captures[ROOM];
	size_t count = ROOM;
	int error = insn__match(file, entry, expected->patterns, expected->patterns[1] ? 2 : 1,
				expected->nth, &address, captures, &count);

	if (error != expected->error)
		fail_msg("%s: error %d", expected->patterns[0], error);
	if (error)
		return;
	if (address != entry + expected->offset)
		fail_msg("%s: at %d", expected->patterns[0], (int)(address - entry));
	assert_int_equal(count, count_names(expected->captures));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(captures[i].name, expected->captures[i].name);
		if (captures[i].value != expected->captures[i].value)
			fail_msg("%s: %" PRIx64, expected->patterns[0], captures[i].value);
		assert_int_equal(captures[i].is_address, expected->captures[i].is_address);
	}
}

static void test_numbers(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	uint64_t data = insn_sample__address("shared", "data_object");
	uint64_t other = insn_sample__address("shared", "other");
	uint64_t split = insn_sample__address("shared", "split");
	const struct expected searches[] = {
		{ { "mov rax, qword ptr [rdi + {off}]" }, 0, 0, 1, { { "off", 0x28, false } } },
		{ { "mov rax, qword ptr [rdi {off}]" }, 0, 0, 1, { { "off", 0x28, false } } },
		{ { "mov rcx, qword ptr [rbp {off}]" }, 0, 0, 5, { { "off", -0x10, false } } },
		{ { "mov rcx, qword ptr [rbp - {off}]" }, 0, 0, 5, { { "off", 0x10, false } } },
		{ { "lea rdx, [{object}]" }, 0, 0, 9, { { "object", data, true } } },
		{ { "mov eax, dword ptr [{object}]" }, 0, 0, 16, { { "object", data, true } } },
		{ { "mov eax, dword ptr [{here}]" }, 1, 0, 52, { { "here", split + 58, true } } },
		{ { "cmp eax, {n}" }, 0, 0, 22, { { "n", 500, false } } },
		{ { "jne {to}" }, 0, 0, 27, { { "to", split + 38, true } } },
		{ { "call {function}" }, 0, 0, 38, { { "function", other, true } } },
		{ { "mov rax, qword ptr [rdi + rsi*{scale} + {off}]" }, 0, 0, 33,
		  { { "scale", 8, false }, { "off", 8, false } } },
		{ { "cmp eax, {n}", "jne {to}" }, 0, 0, 22,
		  { { "n", 500, false }, { "to", split + 38, true } } },
		{ { "cmp eax, {_}", "jne {to}" }, 0, 0, 22, { { "to", split + 38, true } } },
		{ { "mov qword ptr fs:[{off}], rax" }, 0, 0, 43, { { "off", 0x28, false } } },
		{ { "lea r11, [{begin}]" }, 0, 0, 65, { { "begin", split, true } } },
		{ { "mov rax, qword ptr [rdi *{n}]" }, 2, 0, 33, { { "n", 8, false } } },
		{ { "pxor xmm4, xmm{n}" }, 0, -ENOENT, 0, {} },
		{ { "pxor *, *{n}" }, 0, -ENOENT, 0, {} },
		{ { "pxor *, *" }, 0, 0, 72, {} },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(searches); i++)
		check_search(file, "split", &searches[i]);
	elf_file__close(file);
}

static void test_places(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	int cold = insn_sample__address("shared", "split.cold") -
		   insn_sample__address("shared", "split");
	const struct expected searches[] = {
		{ { "mov rax, qword ptr [rdi + {off}]" }, 1, 0, 29, { { "off", 0x30, false } } },
		{ { "mov rax, qword ptr [rdi + {off}]" }, 2, 0, cold, { { "off", 0x40, false } } },
		{ { "mov rax, qword ptr [rdi + {off}]" }, 3, -ENOENT, 0, {} },
		{ { "mov rax, qword ptr [rdi + {off}]", "ud2" }, 0, 0, cold,
		  { { "off", 0x40, false } } },
		{ { "mov rax, *" }, 0, 0, 1, {} },
		{ { "mov rax, *[rdi + {off}]" }, 0, 0, 1, { { "off", 0x28, false } } },
		{ { "mov *, *" }, 2, 0, 16, {} },
		{ { "mov *{_}*" }, 1, -ENOENT, 0, {} },
		{ { "*" }, 0, 0, 0, {} },
		{ { "push *", "mov *, *" }, 0, 0, 0, {} },
		{ { "push rbx" }, 0, 0, 0, {} },
		{ { "push rb" }, 0, -ENOENT, 0, {} },
		{ { "push rbx " }, 0, -ENOENT, 0, {} },
		{ { "ush rbx" }, 0, -ENOENT, 0, {} },
		{ { "push {n}" }, 0, -ENOENT, 0, {} },
		{ { "mov *" }, 0, -ENOENT, 0, {} },
		{ { "ret", "*" }, 0, -ENOENT, 0, {} },
		{ { "pop rbx", "ret" }, 0, 0, 63, {} },
		{ { "push rbx", "ret" }, 0, -ENOENT, 0, {} },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(searches); i++)
		check_search(file, "split", &searches[i]);
	elf_file__close(file);
}

/* What a function calls at its end is not a part of it, nor is the linkage stub of it. */
static void test_tail(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	const struct expected search = { { "mov rax, qword ptr [rdi + {_}]" }, 0, -ENOENT, 0, {} };
	const struct expected stub = { { "jmp qword ptr [{slot}]" }, 0, -ENOENT, 0, {} };

	(void)state;
	check_search(file, "tail", &search);
	check_search(file, "imported", &stub);
	elf_file__close(file);
}

static int distance(const char *from, const char *to)
{
	return insn_sample__address("shared", to) - insn_sample__address("shared", from);
}

/* A part is known by its name, or because something is on the stack when it is jumped to. */
static void test_cold_parts(void **state)
{
	struct elf_file *shared = sample__open("shared", "");
	struct elf_file *stripped = sample__open("stripped", "");
	const struct expected named = {
		{ "mov rax, qword ptr [rdi + {off}]" }, 0, 0, distance("early", "early.cold"),
		{ { "off", 0x50, false } },
	};
	const struct expected framed = {
		{ "mov rax, qword ptr [rdi + {off}]" }, 2, 0, distance("split", "split.cold"),
		{ { "off", 0x40, false } },
	};
	const struct expected first = {
		{ "mov eax, {n}" }, 0, 0, distance("twice", "twice.cold.1"), { { "n", 1, false } },
	};
	const struct expected none = { { "mov rax, qword ptr [rdi + {_}]" }, 0, -ENOENT, 0, {} };

	(void)state;
	check_search(shared, "early", &named);
	check_search(shared, "twice", &first);
	check_search(shared, "split", &framed);
	check_search(stripped, "early", &none);
	check_search(stripped, "split", &framed);
	elf_file__close(stripped);
	elf_file__close(shared);
}

static void test_unknown_bytes(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	const struct expected before = { { "mov rax, *" }, 0, 0, 0, {} };
	const struct expected behind = { { "ret" }, 0, -EILSEQ, 0, {} };

	(void)state;
	check_search(file, "broken", &before);
	check_search(file, "broken", &behind);
	elf_file__close(file);
}

static void test_bad_patterns(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	static const char *const patterns[] = {
		"push {", "push {}", "push {n", "push n}", "push {n{m}}", "push {a b}", "push {-}",
		"push {name_of_thirty_two_characters_12}", "*********",
	};
	uint64_t entry = insn_sample__address("shared", "split"), address;
	struct insn_capture capture;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size_t count = 1;

		if (insn__match(file, entry, &patterns[i], 1, 0, &address, &capture, &count) !=
		    -EINVAL)
			fail_msg("%s", patterns[i]);
		assert_int_equal(count, 0);
	}
	elf_file__close(file);
}

static void test_room(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	const char *pattern = "mov rax, qword ptr [rdi + rsi*{scale} + {off}]";
	uint64_t entry = insn_sample__address("shared", "split"), address;
	struct insn_capture captures[2];
	size_t count = 1;

	(void)state;
	assert_int_equal(insn__match(file, entry, &pattern, 1, 0, &address, captures, &count),
			 -E2BIG);
	assert_int_equal(count, 0);
	count = 2;
	assert_int_equal(insn__match(file, entry, &pattern, 1, 0, &address, captures, &count), 0);
	assert_int_equal(count, 2);
	pattern = "ret";
	count = 0;
	assert_int_equal(insn__match(file, entry, &pattern, 1, 0, &address, NULL, &count), 0);
	assert_int_equal(insn__match(file, entry, &pattern, 0, 0, &address, NULL, &count), -EINVAL);
	elf_file__close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_cold_parts),
		cmocka_unit_test(test_unknown_bytes),
		cmocka_unit_test(test_bad_patterns),
		cmocka_unit_test(test_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_examples, sample__remove_folder);
}
