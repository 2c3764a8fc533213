/* SPDX-License-Identifier: BSD-2-Clause */
/* By which instructions functions hand control back. */
#include <errno.h>
#include <inttypes.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

/* R(name) marks an instruction that is expected for all examples that list the name. */
#define R(name) "R_" #name ": "

static const struct {
	const char *name;
	const char *body;
	int error;
	const char *marks;	/* separated by blanks */
} examples[] = {
	{ "plain", "push %rbx\n pop %rbx\n" R(plain) "ret", 0, "plain" },
	{ "forms",
	  "je 1f\n" R(forms1) "rep ret\n1: jb 2f\n" R(forms2) "bnd ret\n2: jc 3f\n" R(
		  forms3) "ret $8\n3: " R(forms4) "ret",
	  0, "forms1 forms2 forms3 forms4" },
	{ "endless", "1: jmp 1b", 0, "" },
	{ "trapping", "call plain\n ud2", 0, "" },
	{ "tail", "test %rdi, %rdi\n je 1f\n jmp plain\n1: " R(tail) "ret", 0, "plain tail" },
	{ "conditional_tail", "test %rdi, %rdi\n je plain\n" R(conditional) "ret", 0,
	  "plain conditional" },
	{ "tail_of_tail", "jmp tail", 0, "plain tail" },
	{ "ping", "dec %rdi\n jne pong\n" R(ping) "ret", 0, "ping pong" },
	{ "pong", "dec %rdi\n jne ping\n" R(pong) "ret", 0, "ping pong" },
	{ "falls_through",
	  "cmp %rcx, %rdx\n jb plain\n.cfi_endproc\n.globl fallen_into\n.type fallen_into, "
	  "@function\n.cfi_startproc\n"
	  "fallen_into: " R(fallen) "ret",
	  0, "plain fallen" },
	{ "does_not_come_back", "sub $8, %rsp\n call trapping\n", 0, "" },
	{ "split",
	  "push %rbx\n test %rdi, %rdi\n je split.cold\n.Lsplit_end: pop %rbx\n" R(split) "ret", 0,
	  "split coldret" },
	{ "split.cold", "dec %rdi\n jne .Lsplit_end\n pop %rbx\n" R(coldret) "ret", -1, NULL },
	{ "pointer_with_frame",
	  "push %rbx\n mov (%rdi), %rax\n jmp *%rax\n1: pop %rbx\n" R(pointer) "ret", 0,
	  "pointer" },
	{ "pointer_at_end", "push %rbx\n mov (%rdi), %rax\n pop %rbx\n jmp *%rax", -ELOOP, NULL },
	{ "pointer_in_memory", "mov (%rdi), %rax\n jmp *24(%rax)", -ELOOP, NULL },
	{ "pointer_in_tail", "jmp pointer_at_end", -ELOOP, NULL },
	{ "marked_as_table", "notrack jmp *%rdi\n1: " R(marked) "ret", 0, "marked" },
	{ "into_other_file", "jmp getpid@PLT", -ELOOP, NULL },
	{ "into_data", "jmp data_object", -ELOOP, NULL },
	{ "aligned_stack",
	  "push %rbp\n mov %rsp, %rbp\n and $-64, %rsp\n sub $64, %rsp\n"
	  "mov (%rdi), %rax\n jmp *%rax\n leave\n" R(aligned) "ret",
	  0, "aligned" },
	{ "aligned_at_once", "and $-64, %rsp\n mov (%rdi), %rax\n jmp *%rax\n" R(once) "ret",
	  0, "once" },
	{ "frame_given_back", "push %rbp\n mov %rsp, %rbp\n sub $64, %rsp\n leave\n jmp *%rax",
	  -ELOOP, NULL },
	{ "frame_given_back_by_lea",
	  "push %rbp\n mov %rsp, %rbp\n push %rbx\n sub %rdi, %rsp\n"
	  "lea -8(%rbp), %rsp\n pop %rbx\n pop %rbp\n jmp *%rax",
	  -ELOOP, NULL },
	{ "small_push", "pushw %bx\n add $2, %rsp\n jmp *%rax", -ELOOP, NULL },
	{ "frame_on_one_side", "test %rdi, %rdi\n je 1f\n push %rbx\n1: jmp *%rax", -ELOOP, NULL },
	{ "call_without_return",
	  "test %rdi, %rdi\n je 1f\n push %rbx\n call trapping\n"
	  "1: push %rbx\n push %rbp\n mov (%rdi), %rax\n jmp *%rax\n pop %rbp\n pop %rbx\n" R(
		  calling) "ret",
	  0, "calling" },
	{ "call_without_return_before", "test %rdi, %rdi\n je 1f\n call plain\n jmp 2f\n"
	  "1: push %rbx\n call trapping\n2: push %rbx\n push %rbp\n mov (%rdi), %rax\n jmp *%rax\n"
	  "pop %rbp\n pop %rbx\n" R(before) "ret", 0, "before" },
	{ "interpreter", "push %rbx\n mov (%rdi), %rax\n jmp *%rax\n mov 8(%rdi), %rax\n"
	  "jmp *%rax\n pop %rbx\n" R(interpreter) "ret", 0, "interpreter" },
	{ "frame_below_frame", "push %rbx\n push %rbp\n mov %rsp, %rbp\n and $-64, %rsp\n leave\n"
	  "mov (%rdi), %rax\n jmp *%rax\n pop %rbx\n" R(below) "ret", 0, "below" },
	{ "variable_frame", "push %rbp\n mov %rsp, %rbp\n sub %rdi, %rsp\n mov (%rdi), %rax\n"
	  "jmp *%rax\n leave\n" R(variable) "ret", 0, "variable" },
	{ "return_address_popped", "pop %rcx\n jmp *%rcx", -ELOOP, NULL },
	{ "table",
	  "cmp $2, %edi\n ja 9f\n lea .Ltable(%rip), %rdx\n mov %edi, %edi\n"
	  "movslq (%rdx,%rdi,4), %rax\n add %rdx, %rax\n jmp *%rax\n"
	  "1: mov $5, %eax\n" R(table1) "ret\n2: mov $7, %eax\n" R(
		  table2) "ret\n"
			  "3: xor %eax, %eax\n9: " R(
				  table9) "ret\n"
					  ".section .rodata\n.p2align 2\n.Ltable: .long 1b - "
					  ".Ltable, 2b - .Ltable, 3b - .Ltable\n"
					  ".long 0x7fffffff\n.text",
	  0, "table1 table2 table9" },
	{ "table_added_to_base",
	  "cmp $1, %edi\n ja 9f\n lea .Ltable_b(%rip), %rdx\n"
	  "movslq (%rdx,%rdi,4), %rax\n add %rax, %rdx\n jmp *%rdx\n1: inc %eax\n9: " R(
		  tableb) "ret\n.section .rodata\n.p2align 2\n"
			  ".Ltable_b: .long 1b - .Ltable_b, 9b - .Ltable_b\n.long "
			  "0x7fffffff\n.text",
	  0, "tableb" },
	{ "table_without_check",
	  "lea .Ltable_c(%rip), %rdx\n movslq (%rdx,%rdi,4), %rax\n"
	  "add %rdx, %rax\n jmp *%rax\n1: inc %eax\n9: " R(
		  tablec) "ret\n"
			  ".section .rodata\n.p2align 2\n.Ltable_c: .long 1b - .Ltable_c, 9b - "
			  ".Ltable_c\n"
			  ".long 0x7fffffff\n.text",
	  0, "tablec" },
	{ "table_into_cold", "cmp $1, %edi\n ja 9f\n lea .Ltable_f(%rip), %rdx\n"
	  "movslq (%rdx,%rdi,4), %rax\n add %rdx, %rax\n jmp *%rax\n9: " R(warm) "ret\n"
	  ".section .rodata\n.p2align 2\n.Ltable_f: .long 9b - .Ltable_f, .Lcold - .Ltable_f\n"
	  ".text", 0, "warm cold" },
	{ "cold_case", "ud2\n.Lcold: inc %eax\n" R(cold) "ret", 0, "cold" },
	{ "table_into_middle",
	  "cmp $1, %edi\n ja 9f\n lea .Ltable_d(%rip), %rdx\n"
	  "movslq (%rdx,%rdi,4), %rax\n add %rdx, %rax\n jmp *%rax\n1: mov $1, %eax\n9: ret\n"
	  ".section .rodata\n.p2align 2\n.Ltable_d: .long 9b - .Ltable_d, 1b + 2 - .Ltable_d\n"
	  ".text",
	  -ELOOP, NULL },
	{ "table_of_functions",
	  "cmp $1, %edi\n ja 9f\n lea .Ltable_e(%rip), %rdx\n"
	  "movslq (%rdx,%rdi,4), %rax\n add %rdx, %rax\n jmp *%rax\n9: ret\n"
	  ".section .rodata\n.p2align 2\n.Ltable_e: .long plain - .Ltable_e, tail - .Ltable_e\n"
	  ".text",
	  -ELOOP, NULL },
	{ "unknown_bytes", "ret\n .byte 6\n ret", -EILSEQ, NULL },
};

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
	       !sample__try("strip -o stripped shared");
}

static bool contains(const struct insn_site *sites, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++) {
		if (sites[i].address == address)
			return true;
	}
	return false;
}

static void check_sites(const char *name, const struct insn_site *sites, size_t count,
			const char *marks)
{
	char list[256], symbol[64], *rest = list;
	const char *mark;
	size_t expected = 0;

	snprintf(list, sizeof(list), "%s", marks);
	while ((mark = strtok_r(rest, " ", &rest))) {
		snprintf(symbol, sizeof(symbol), "R_%s", mark);
		if (!contains(sites, count, insn_sample__address("shared", symbol)))
			fail_msg("%s: %s is missing", name, mark);
		expected++;
	}
	if (count != expected)
		fail_msg("%s: %zu sites instead of %zu", name, count, expected);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(sites[i].class, INSN_STEPPED);
		assert_non_null(strstr(sites[i].text, "ret"));
		assert_true(!i || sites[i - 1].address < sites[i].address);
	}
}

static void check_file(const char *build)
{
	struct elf_file *file = sample__open(build, "");

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct insn_site *sites = NULL;
		size_t count = 0;
		int error;

		if (examples[i].error == -1)
			continue;
		error = insn__returns(file, insn_sample__address("shared", examples[i].name),
				      &sites, &count);
		if (error != examples[i].error)
			fail_msg("%s: %s: error %d", build, examples[i].name, error);
		if (!error)
			check_sites(examples[i].name, sites, count, examples[i].marks);
		free(sites);
	}
	elf_file__close(file);
}

static void test_returns(void **state)
{
	(void)state;
	check_file("shared");
}

static void test_returns_without_symbols(void **state)
{
	(void)state;
	check_file("stripped");
}

enum { LONGEST_CHAIN = 64 };

/* Functions that each jump to the next one at their end. */
static void test_chain(void **state)
{
	FILE *stream = insn_sample__create("chain.s");
	struct insn_site *sites = NULL;
	char name[32], body[64];
	uint64_t first, second;
	struct elf_file *file;
	size_t count;

	(void)state;
	for (int i = 0; i <= LONGEST_CHAIN; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		snprintf(body, sizeof(body), i < LONGEST_CHAIN ? "jmp link%d" : "ret", i + 1);
		insn_sample__function(stream, name, body);
	}
	fclose(stream);
	assert_true(sample__try("cc -shared -Wl,-Bsymbolic chain.s -o chain"));
	file = sample__open("chain", "");
	first = insn_sample__address("chain", "link0");
	second = insn_sample__address("chain", "link1");
	assert_int_equal(insn__returns(file, second, &sites, &count), 0);
	assert_int_equal(count, 1);
	free(sites);
	assert_int_equal(insn__returns(file, first, &sites, &count), -ELOOP);
	elf_file__close(file);
}

static const char compiled[] =
	"int a(int), b(int), c(int), d(int);\n"
	"void rare(const char *) __attribute__((cold));\n"
	"int leaf_switch(int x, int *p) {\n"
	"	switch (x) {\n"
	"	case 0: *p = 3; return 11; case 1: p[1] = 5; return 7; case 2: p[2] = x; break;\n"
	"	case 3: p[3]++; return 1; case 4: p[4]--; break; case 5: *p ^= 3; return 3;\n"
	"	case 6: p[9] = 8; break; case 7: p[7] *= 3; return 0; }\n"
	"	return *p; }\n"
	"int frame_switch(int x) {\n"
	"	int y = a(x);\n"
	"	switch (x) {\n"
	"	case 0: y += a(y); break; case 1: y += b(y); break; case 2: y += c(y); break;\n"
	"	case 3: y += d(y); break; case 4: y = a(1) + b(y); break; case 5: y = b(7); "
	"break;\n"
	"	case 6: y = c(y) * 3; break; }\n"
	"	return y + d(y); }\n"
	"int labels(const unsigned char *p, int x) {\n"
	"	static void *const go[] = { &&one, &&two, &&three, &&end };\n"
	"	x = a(x); goto *go[*p++];\n"
	"one: x += b(x); goto *go[*p++];\n"
	"two: x += c(x); goto *go[*p++];\n"
	"three: x += d(x); goto *go[*p++];\n"
	"end: return x + a(x); }\n"
	"int checked(int x) {\n"
	"	if (__builtin_expect(x < 0, 0)) { rare(\"negative\"); rare(\"number\"); return 0; "
	"}\n"
	"	return a(x) + b(x + 1); }\n"
	"int pointer_call(int (*f)(int), int x) { return f(a(x)); }\n"
	"int a(int x) { return x + 1; } int b(int x) { return x ^ 3; }\n"
	"int c(int x) { return x * 5; } int d(int x) { return ~x; }\n"
	"int last;\n"
	"void rare(const char *s) { last = *s; }\n";

static void check_compiled(const char *command, const char *name)
{
	static const struct {
		const char *name;
		int error;
	} functions[] = {
		{ "leaf_switch", 0 }, { "frame_switch", 0 }, { "labels", 0 }, { "checked", 0 },
		{ "pointer_call", -ELOOP },
	};
	struct elf_file *file;

	if (!sample__try("%s compiled.c -o %s 2>/dev/null", command, name)) {
		print_message("not possible here: %s\n", command);
		return;
	}
	file = sample__open(name, "");
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		struct insn_site *sites = NULL;
		size_t count = 0;
		int error = insn__returns(file, insn_sample__address(name, functions[i].name),
					  &sites, &count);

		if (error != functions[i].error)
			fail_msg("%s: %s: error %d", command, functions[i].name, error);
		assert_true(error || count);
		free(sites);
	}
	elf_file__close(file);
}

/* Jump tables and cold parts as compilers make them. */
static void test_compiled_returns(void **state)
{
	static const char *const commands[] = {
		"cc -O2 -shared -fPIC -fvisibility=protected",
		"cc -O3 -shared -fPIC -fcf-protection -Wl,-Bsymbolic",
		"cc -Os -shared -fPIC -Wl,-Bsymbolic",
		"cc -O2 -fno-pic -no-pie -nostdlib -static -Wl,-e,a",
		"cc -O2 -shared -fPIC -fno-omit-frame-pointer -Wl,-Bsymbolic",
		"clang -O2 -shared -fPIC -Wl,-Bsymbolic",
		"clang -Os -fno-pic -no-pie -nostdlib -static -Wl,-e,a",
	};

	char name[16];

	(void)state;
	sample__write("compiled.c", compiled);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(name, sizeof(name), "compiled%zu", i);
		check_compiled(commands[i], name);
	}
}

static void test_no_function(void **state)
{
	struct elf_file *file = sample__open("shared", "");
	struct insn_site *sites = NULL;
	size_t count = 7;

	(void)state;
	assert_int_equal(insn__returns(file, insn_sample__address("shared", "data_object"), &sites,
				       &count), -ENOENT);
	assert_null(sites);
	elf_file__close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_returns_without_symbols),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_compiled_returns),
		cmocka_unit_test(test_no_function),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_examples, sample__remove_folder);
}
