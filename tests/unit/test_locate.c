/* SPDX-License-Identifier: BSD-2-Clause */
/* locate.h on a program whose functions bear mangled and suffixed names. */
#include <errno.h>

#include "locate.h"
#include "elf_sample.h"

/* A C function under any name that the assembler takes. */
#define FUNCTION(number, name) \
	"int f" #number "(void) __asm__(\"" name "\");\n" \
	"int f" #number "(void) { return " #number "; }\n"

#define LOOKUP_KEY "_ZN5cache3Lru6lookupERKNS_3KeyE"
#define LOOKUP_INT "_ZN5cache3Lru6lookupEi"
#define RUST_PAD "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"
#define RUST_ODD_HASH "_ZN4core3fmt5write17h0000000000000000E"
#define RUST_NEW "_RNvNtCs1234_7mycrate5table3get"

static const char source[] =
	FUNCTION(1, "lookup")
	FUNCTION(2, "lookup.isra.0")
	FUNCTION(3, "lookup.part.0")
	FUNCTION(4, "lookup.cold")
	FUNCTION(5, "find.constprop.0.isra.1")
	FUNCTION(6, "find.lto_priv.7")
	FUNCTION(7, "find.cold")
	FUNCTION(8, "find.part.0")
	FUNCTION(9, "find.part.0.isra.0")
	FUNCTION(10, "finder")
	FUNCTION(11, "find.other.0")
	FUNCTION(12, "find.localalias")
	FUNCTION(13, "find.llvm.1234567890")
	FUNCTION(14, "find.isra")
	FUNCTION(15, "gone.cold")
	FUNCTION(16, "gone.cold.3")
	FUNCTION(20, LOOKUP_KEY)
	FUNCTION(21, LOOKUP_INT)
	FUNCTION(22, "_ZNK3foo3getIiEET_S1_")
	FUNCTION(23, "_ZN3foo3barEv.cold")
	FUNCTION(24, "_ZN3foo3bazEv.isra.0")
	FUNCTION(25, "_ZN3fooclEi")
	FUNCTION(26, "_ZN12_GLOBAL__N_16secretEi")
	FUNCTION(30, RUST_PAD)
	FUNCTION(31, RUST_ODD_HASH)
	FUNCTION(32, RUST_NEW)
	FUNCTION(40, "_Znot_a_mangled_name")
	FUNCTION(41, "lookupKeyReadWithFlags")
	FUNCTION(42, "lookupKeyWrite")
	"int shared(void) __attribute__((alias(\"shared_target\")));\n"
	"int __shared(void) __attribute__((alias(\"shared_target\")));\n"
	"int shared_target(void) { return 50; }\n"
	"int table[4] = { 1, 2, 3, 4 };\n"
	"int other_table __asm__(\"table.lto_priv.0\") = 5;\n"
	"static __attribute__((used)) int twice(void) { return 1; }\n";

static const char second_source[] = "__attribute__((used)) static int twice(void) { return 2; }\n";

/* A short name that demangles to more than 2^60 characters: each type is a pair of the last. */
static void write_bomb(char *text, size_t size)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = snprintf(text, size, "int bomb(void) __asm__(\"_Z4bomb1AIiiE");

	for (int i = 0; i < 60; i++) {
		char name[8] = { 'S', '\0' };
		size_t end = 1;

		if (i >= 36)
			name[end++] = digits[i / 36];
		name[end++] = digits[i % 36];
		name[end] = '_';
		length += snprintf(text + length, size - length, "S_I%s%sE", name, name);
	}
	snprintf(text + length, size - length, "\");\nint bomb(void) { return 0; }\n");
}

static int build_samples(void **state)
{
	char bomb[2048];

	if (sample__make_folder(state))
		return -1;
	write_bomb(bomb, sizeof(bomb));
	sample__write("named.c", source);
	sample__write("second.c", second_source);
	sample__write("bomb.c", bomb);
	return !sample__try("cc -O0 -g -shared -fPIC named.c second.c bomb.c -o named") ||
	       !sample__try("strip -o stripped named");
}

/* The addresses must be those of the named symbols, in whatever order these are given. */
static void assert_found(struct elf_file *file, struct addresses *found, const char *const *names)
{
	size_t count = 0;

	for (; names[count]; count++) {
		struct elf_symbol symbol;
		bool is_there = false;

		assert_int_equal(sample__symbol(file, names[count], &symbol), 1);
		for (size_t i = 0; i < found->count; i++)
			is_there = is_there || found->list[i] == symbol.address;
		assert_true(is_there);
	}
	assert_int_equal(found->count, count);
	for (size_t i = 1; i < found->count; i++)
		assert_true(found->list[i - 1] < found->list[i]);
	addresses__free(found);
}

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_symbol(void **state)
{
	struct elf_file *file = sample__open("named", "");
	struct addresses found;
	bool suffixed = true;

	(void)state;
	assert_int_equal(locate__symbol(file, "lookup", false, &found, &suffixed), 0);
	assert_false(suffixed);
	assert_found(file, &found, NAMES("lookup"));
	assert_int_equal(locate__symbol(file, LOOKUP_INT, false, &found, NULL), 0);
	assert_found(file, &found, NAMES(LOOKUP_INT));

	assert_int_equal(locate__symbol(file, "find", false, &found, &suffixed), 0);
	assert_true(suffixed);
	assert_found(file, &found,
		     NAMES("find.constprop.0.isra.1", "find.lto_priv.7", "find.localalias",
			   "find.llvm.1234567890"));
	elf_file__close(file);
}

static void test_symbol_without_any(void **state)
{
	static const char *const names[] = { "gone", "missing", "look", "", "table", "find.other" };
	struct elf_file *file = sample__open("named", "");
	struct addresses found = { .count = 7 };
	bool suffixed = true;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(locate__symbol(file, names[i], false, &found, &suffixed), -ENOENT);
		assert_null(found.list);
		assert_int_equal(found.count, 0);
	}
	addresses__free(&found);
	elf_file__close(file);
}

static void test_object(void **state)
{
	struct elf_file *file = sample__open("named", "");
	struct addresses found;

	(void)state;
	assert_int_equal(locate__symbol(file, "table", true, &found, NULL), 0);
	assert_found(file, &found, NAMES("table"));
	assert_int_equal(locate__symbol(file, "lookup", true, &found, NULL), -ENOENT);
	elf_file__close(file);
}

static void test_symbol_of_several_functions(void **state)
{
	struct elf_file *file = sample__open("named", "");
	struct addresses found;

	(void)state;
	assert_int_equal(locate__symbol(file, "twice", false, &found, NULL), 0);
	assert_int_equal(found.count, 2);
	assert_true(found.list[0] < found.list[1]);
	addresses__free(&found);
	elf_file__close(file);
}

static void check_glob(const char *glob, const char *const *names)
{
	struct elf_file *file = sample__open("named", "");
	struct addresses found;

	if (names[0]) {
		assert_int_equal(locate__glob(file, glob, &found), 0);
		assert_found(file, &found, names);
	} else {
		assert_int_equal(locate__glob(file, glob, &found), -ENOENT);
		assert_null(found.list);
	}
	elf_file__close(file);
}

static void test_glob(void **state)
{
	(void)state;
	check_glob("cache::Lru::lookup(cache::Key const&)", NAMES(LOOKUP_KEY));
	check_glob("cache::Lru::lookup", NAMES(LOOKUP_KEY, LOOKUP_INT));
	check_glob("cache::*::lookup(*", NAMES(LOOKUP_KEY, LOOKUP_INT));
	check_glob("cache::*::lookup", NAMES(NULL));
	check_glob("*Lru::lookup(int)", NAMES(LOOKUP_INT));
	check_glob("Lru::lookup", NAMES(NULL));
	check_glob("foo::get<int>", NAMES("_ZNK3foo3getIiEET_S1_"));
	check_glob("int foo::get<int>(int) const", NAMES("_ZNK3foo3getIiEET_S1_"));
	check_glob("foo::operator()", NAMES("_ZN3fooclEi"));
	check_glob("foo::operator()(int)", NAMES("_ZN3fooclEi"));
	check_glob("(anonymous namespace)::secret", NAMES("_ZN12_GLOBAL__N_16secretEi"));
	check_glob("lookupKey*", NAMES("lookupKeyReadWithFlags", "lookupKeyWrite"));
	check_glob("lookupKey?rite", NAMES("lookupKeyWrite"));
	check_glob("_Znot_a_*", NAMES("_Znot_a_mangled_name"));
	check_glob("table", NAMES(NULL));
	check_glob("", NAMES(NULL));
}

static void test_glob_and_copies(void **state)
{
	(void)state;
	check_glob("foo::bar()", NAMES(NULL));
	check_glob("foo::b*", NAMES("_ZN3foo3bazEv.isra.0"));
	check_glob("foo::baz", NAMES("_ZN3foo3bazEv.isra.0"));
	check_glob("foo::baz()", NAMES("_ZN3foo3bazEv.isra.0"));
	check_glob("gone*", NAMES(NULL));
	check_glob("lookup", NAMES("lookup", "lookup.isra.0"));
}

static void test_glob_of_rust(void **state)
{
	(void)state;
	check_glob("core::fmt::Formatter::pad", NAMES(RUST_PAD));
	check_glob("core::fmt::*::pad", NAMES(RUST_PAD));
	check_glob("core::fmt::write", NAMES(RUST_ODD_HASH));
	check_glob("mycrate::table::get", NAMES(RUST_NEW));
	check_glob("mycrate::*", NAMES(RUST_NEW));
}

/* Would take until the end of the world if the demangler were not stopped. */
static void test_name_that_explodes(void **state)
{
	struct elf_file *file = sample__open("named", "");
	struct addresses found;
	char *name;

	(void)state;
	assert_int_equal(locate__glob(file, "*bomb*", &found), 0);
	assert_int_equal(found.count, 1);
	name = locate__name(file, found.list[0]);
	assert_non_null(name);
	assert_memory_equal(name, "_Z4bomb", 7);
	free(name);
	addresses__free(&found);
	elf_file__close(file);
}

static void check_name(const char *symbol_name, uint64_t into, const char *expected)
{
	struct elf_file *file = sample__open("named", "");
	struct elf_symbol symbol;
	char *name;

	assert_int_equal(sample__symbol(file, symbol_name, &symbol), 1);
	assert_true(into < symbol.size);
	name = locate__name(file, symbol.address + into);
	assert_non_null(name);
	assert_string_equal(name, expected);
	free(name);
	elf_file__close(file);
}

static void test_name(void **state)
{
	struct elf_file *file = sample__open("named", ""), *stripped = sample__open("stripped", "");
	const struct elf_range *functions;
	size_t count = elf_file__functions(stripped, &functions);
	unsigned unnamed = 0;

	(void)state;
	check_name("lookup", 0, "lookup");
	check_name("lookup", 3, "lookup");
	check_name(LOOKUP_KEY, 0, "cache::Lru::lookup(cache::Key const&)");
	check_name(LOOKUP_KEY, 1, "cache::Lru::lookup(cache::Key const&)");
	check_name(RUST_PAD, 0, "core::fmt::Formatter::pad");
	check_name("__shared", 0, "shared");
	assert_null(locate__name(file, 0));
	assert_null(locate__name(file, UINT64_MAX));
	/*
	 * What is not exported has lost its name: here the linker's own functions and one of ours
	 * in two files.
	 */
	for (size_t i = 0; i < count; i++) {
		char *name = locate__name(stripped, functions[i].address);

		unnamed += !name;
		free(name);
	}
	assert_in_range(unnamed, 2, count - 30);
	elf_file__close(file);
	elf_file__close(stripped);
}

static void check_near(const char *name, const char *const *expected)
{
	struct elf_file *file = sample__open("named", "");
	char *names[3] = { NULL };
	size_t count = locate__near(file, name, names, 3);

	for (size_t i = 0; i < 3 && expected[i]; i++) {
		assert_true(i < count);
		assert_string_equal(names[i], expected[i]);
	}
	if (!expected[0])
		assert_int_equal(count, 0);
	while (count)
		free(names[--count]);
	elf_file__close(file);
}

static void test_near(void **state)
{
	char *names[2] = { NULL };
	struct elf_file *file = sample__open("named", "");

	(void)state;
	check_near("lookupKeyReadWithFlag", NAMES("lookupKeyReadWithFlags"));
	check_near("lokupkeywrite", NAMES("lookupKeyWrite"));
	check_near("lookupKey", NAMES("lookupKeyWrite", "lookup", "cache::Lru::lookup"));
	check_near("KeyRead", NAMES("lookupKeyReadWithFlags"));
	check_near("Lru::lokup", NAMES("cache::Lru::lookup"));
	check_near("cache::Lru::Lookup", NAMES("cache::Lru::lookup"));
	check_near("core::fmt::Formatter::bad", NAMES("core::fmt::Formatter::pad"));
	check_near("fnid", NAMES("find"));
	check_near("nothing like any of them", NAMES(NULL));
	check_near("", NAMES(NULL));
	assert_int_equal(locate__near(file, "lookup", names, 0), 0);
	assert_int_equal(locate__near(file, "lookup", names, 1), 1);
	assert_string_equal(names[0], "lookup");
	free(names[0]);
	elf_file__close(file);
}

static void test_glob_matches(void **state)
{
	(void)state;
	assert_true(locate__glob_matches("", ""));
	assert_true(locate__glob_matches("*", ""));
	assert_true(locate__glob_matches("a*b*c", "a/b/x/b/c"));
	assert_true(locate__glob_matches("*/redirected-[0-9]", "/usr/redirected-[0-9]"));
	assert_true(locate__glob_matches("a?c", "a/c"));
	assert_true(locate__glob_matches("**a**", "a"));
	assert_true(locate__glob_matches("a\\*", "a\\bc"));
	assert_true(locate__glob_matches("*ab", "aab"));
	assert_false(locate__glob_matches("", "a"));
	assert_false(locate__glob_matches("?", ""));
	assert_false(locate__glob_matches("a", "ab"));
	assert_false(locate__glob_matches("ab", "a"));
	assert_false(locate__glob_matches("a*b", "a/c"));
	assert_false(locate__glob_matches("[ab]", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbol),
		cmocka_unit_test(test_symbol_without_any),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_symbol_of_several_functions),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_glob_and_copies),
		cmocka_unit_test(test_glob_of_rust),
		cmocka_unit_test(test_name_that_explodes),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_glob_matches),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_samples, sample__remove_folder);
}
