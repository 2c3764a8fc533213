/* SPDX-License-Identifier: BSD-2-Clause */
/* Linkage stubs of elf.h, as several linkers write them, against what binutils says of them. */
#include <inttypes.h>

#include "elf_sample.h"

/* Where objdump sees a stub of a function, so must we; and nowhere else. */
static void check_stubs(const char *flags, bool required)
{
	char *output, *line, *rest = NULL, name[64];
	struct elf_symbol symbol;
	struct elf_file *file;
	uint64_t address;
	unsigned lines = 0;

	if (!sample__try("cc -O1 library.c -o stubs %s 2>/dev/null", flags)) {
		assert_false(required);
		return;
	}
	output = sample__ask(
		"objdump -d stubs | sed -n 's/^\\([0-9a-f]*\\) <\\(.*\\)@plt>:$/\\1 \\2/p'");
	assert_non_null(output);
	file = sample__open("stubs", "");
	for (line = strtok_r(output, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest), lines++) {
		assert_int_equal(sscanf(line, "%" SCNx64 " %63s", &address, name), 2);
		if (name[0] == '*')
			continue;
		assert_non_null(elf_file__plt_target(file, address));
		assert_string_equal(elf_file__plt_target(file, address), name);
		assert_null(elf_file__plt_target(file, address + 1));
	}
	assert_true(lines >= 2);
	assert_int_equal(sample__symbol(file, "sample_function", &symbol), 1);
	assert_null(elf_file__plt_target(file, symbol.address));
	assert_null(elf_file__plt_target(file, 0));
	assert_null(elf_file__plt_target(file, UINT64_MAX));
	elf_file__close(file);
	free(output);
}

static void test_linkage_stubs(void **state)
{
	(void)state;
	check_stubs(SAMPLE_SHARED, true);
	check_stubs(SAMPLE_SHARED "-Wl,-z,lazy", true);
	check_stubs(SAMPLE_SHARED "-Wl,-z,now", true);
	check_stubs("-DUNVERSIONED main.c -no-pie", true);
	check_stubs("-DUNVERSIONED main.c -fuse-ld=lld", false);
	check_stubs("-DUNVERSIONED main.c -fuse-ld=gold", false);
#if defined(__x86_64__)
	check_stubs(SAMPLE_SHARED "-fcf-protection=full -Wl,-z,ibtplt", true);
#endif
}

/* Stubs with a bnd prefix, as older linkers wrote them, with and without endbr64. */
static void test_bound_linkage_stubs(void **state)
{
#if defined(__x86_64__)
	static const char *const names[] = { "plain", "bound", "marked" };
	struct elf_symbol symbol;
	struct elf_file *file;

	(void)state;
	sample__write("bound.s", ".globl plain, bound, marked, other\n"
				 ".type plain, @function\n.type bound, @function\n"
				 ".type marked, @function\n.type other, @function\n"
				 "plain: jmp *puts@GOTPCREL(%rip)\n"
				 "bound: .byte 0xf2\njmp *puts@GOTPCREL(%rip)\n"
				 "marked: endbr64\n.byte 0xf2\njmp *puts@GOTPCREL(%rip)\n"
				 "other: jmp *own(%rip)\n"
				 ".data\nown: .quad 0\n"
				 ".section .note.GNU-stack, \"\", %progbits\n");
	assert_true(sample__try("cc -shared bound.s -o bound"));
	file = sample__open("bound", "");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sample__symbol(file, names[i], &symbol), 1);
		assert_non_null(elf_file__plt_target(file, symbol.address));
		assert_string_equal(elf_file__plt_target(file, symbol.address), "puts");
	}
	assert_int_equal(sample__symbol(file, "other", &symbol), 1);
	assert_null(elf_file__plt_target(file, symbol.address));
	elf_file__close(file);
#else
	(void)state;
	skip();
#endif
}

/* A foreign machine's stubs: each import must be found, in the order of the relocations. */
static void check_aarch64_stubs(const char *flags)
{
	char *output, *rest = NULL, *name;
	struct elf_file *file;
	uint64_t address, size;

	output = sample__ask(
		"readelf -WS foreign | sed -n 's/.* \\.plt *PROGBITS *\\([0-9a-f]*\\) [0-9a-f]* "
		"\\([0-9a-f]*\\) .*/\\1 \\2/p'");
	assert_non_null(output);
	assert_int_equal(sscanf(output, "%" SCNx64 " %" SCNx64, &address, &size), 2);
	free(output);
	output = sample__ask(
		"readelf -Wr foreign | awk '/JUMP_SLO/ { sub(/@.*/, \"\", $5); print $5 }'");
	assert_non_null(output);
	file = sample__open("foreign", "");
	assert_int_equal(elf_file__machine(file), ELF_MACHINE_AARCH64);
	name = strtok_r(output, "\n", &rest);
	assert_non_null(name);
	for (uint64_t end = address + size; address < end && name; address += 4) {
		const char *found = elf_file__plt_target(file, address);

		if (!found)
			continue;
		assert_string_equal(found, name);
		name = strtok_r(NULL, "\n", &rest);
		address += *flags ? 8 : 0;
	}
	assert_null(name);
	elf_file__close(file);
	free(output);
}

static void test_aarch64_linkage_stubs(void **state)
{
	static const char *const flags[] = { "", "-Wl,-z,force-bti", "-Wl,-z,pac-plt" };

	(void)state;
	sample__write("foreign.c", "int first(int); int second(int);\n"
				   "int caller(int x) { return first(x) + second(x); }\n");
	for (int i = 0; i < 3; i++) {
		if (!sample__try("clang --target=aarch64-linux-gnu -O1 -shared -fPIC -nostdlib "
				 "-fuse-ld=lld %s foreign.c -o foreign 2>/dev/null", flags[i]))
			skip();
		check_aarch64_stubs(flags[i]);
	}
}

static int build_samples(void **state)
{
	if (sample__build_library(state))
		return -1;
	sample__write("main.c",
		      "int sample_cleanup(int x);\nint main(void) { return sample_cleanup(1); }\n");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linkage_stubs),
		cmocka_unit_test(test_bound_linkage_stubs),
		cmocka_unit_test(test_aarch64_linkage_stubs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_samples, sample__remove_folder);
}
