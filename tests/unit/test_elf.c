/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.h against what binutils says about the same files, and against broken files. */
#include <errno.h>
#include <inttypes.h>

#include "elf_sample.h"

/* What a process knows of itself: its bias, then its own mappings (start, offset, executable). */
static const char self_source[] =
	"#define _GNU_SOURCE\n"
	"#include <link.h>\n"
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"#include <unistd.h>\n"
	"int written = 1;\n"
	"static int show(struct dl_phdr_info *info, size_t size, void *context) {\n"
	"	(void)size; (void)context;\n"
	"	printf(\"%lx\\n\", (unsigned long)info->dlpi_addr);\n"
	"	return 1;\n"
	"}\n"
	"int main(void) {\n"
	"	char own[4096] = \"\", line[8192], rights[8];\n"
	"	FILE *maps = fopen(\"/proc/self/maps\", \"r\");\n"
	"	unsigned long start, offset;\n"
	"	if (!maps || readlink(\"/proc/self/exe\", own, sizeof(own) - 1) < 0) return 1;\n"
	"	dl_iterate_phdr(show, NULL);\n"
	"	while (fgets(line, sizeof(line), maps))\n"
	"		if (strstr(line, own) &&\n"
	"		    sscanf(line, \"%lx-%*x %7s %lx\", &start, rights, &offset) == 3)\n"
	"			printf(\"%lx %lx %d\\n\", start, offset, rights[2] == 'x');\n"
	"	return 0;\n"
	"}\n";

static int build_samples(void **state)
{
	if (sample__build_library(state))
		return -1;
	sample__write("self.c", self_source);
	return 0;
}

static int print_symbol(const struct elf_symbol *symbol, void *context)
{
	fprintf(context, "%016" PRIx64 " %s %" PRIu64 " %s\n", symbol->address, symbol->name,
		symbol->size, symbol->is_function ? "function" : "object");
	return 0;
}

static char *list_symbols(struct elf_file *file)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(elf_file__each_symbol(file, print_symbol, stream), 0);
	fclose(stream);
	return text;
}

static char *list_functions(struct elf_file *file)
{
	const struct elf_range *functions;
	char *text = NULL;
	size_t size = 0, count = elf_file__functions(file, &functions);
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%016" PRIx64 " %016" PRIx64 "\n", functions[i].address,
			functions[i].address + functions[i].size);
	fclose(stream);
	return text;
}

/* The symbols of a file as readelf shows them, in the form of print_symbol(). */
static char *readelf_symbols(const char *tables, const char *name)
{
	return sample__ask(
		"readelf -W %s %s | awk '$1 ~ /^[0-9]+:$/ && $4 ~ /^(FUNC|IFUNC|OBJECT)$/ && "
		"$7 != \"UND\" && $2 !~ /^0+$/ && $7 != \"ABS\" { sub(/@.*/, \"\", $8); "
		"print $2, $8, $3, $4 == \"OBJECT\" ? \"object\" : \"function\" }' | sort -u",
		tables, name);
}

static char *readelf_functions(const char *name)
{
	return sample__ask(
		"readelf -W --debug-dump=frames %s 2>/dev/null | "
		"sed -n 's/.* pc=\\([0-9a-f]*\\)\\.\\.\\([0-9a-f]*\\)$/\\1 \\2/p' | sort -u",
		name);
}

static void assert_same_text(char *actual, char *expected)
{
	assert_non_null(actual);
	assert_non_null(expected);
	assert_true(strlen(expected) > 0);
	assert_string_equal(actual, expected);
	free(actual);
	free(expected);
}

static void test_identity(void **state)
{
	struct elf_file *file = sample__open("library", "");

	(void)state;
	assert_string_equal(elf_file__build_id(file), SAMPLE_BUILD_ID);
	assert_string_equal(elf_file__soname(file), "libsample.so.3");
	assert_false(elf_file__is_go(file));
#if defined(__x86_64__)
	assert_int_equal(elf_file__machine(file), ELF_MACHINE_X86_64);
#elif defined(__aarch64__)
	assert_int_equal(elf_file__machine(file), ELF_MACHINE_AARCH64);
#endif
	elf_file__close(file);
	elf_file__close(NULL);

	assert_true(sample__try("cc self.c -o self -Wl,--build-id=none"));
	file = sample__open("self", "");
	assert_string_equal(elf_file__build_id(file), "");
	assert_string_equal(elf_file__soname(file), "");
	elf_file__close(file);
}

static void assert_refused(const char *name)
{
	struct elf_file *file = NULL;
	char path[256];
	int fd;

	sample__path(path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_file__open(&file, fd, ""), -ENOEXEC);
	assert_null(file);
	close(fd);
}

static void test_other_files_are_refused(void **state)
{
	(void)state;
	sample__write("text", "just text\n");
	sample__write("empty", "");
	assert_true(sample__try(
		"cc -c library.c -o object.o && cp library narrow && cp library turned && "
		"printf '\\001' | dd of=narrow bs=1 seek=4 conv=notrunc 2>/dev/null && "
		"printf '\\002' | dd of=turned bs=1 seek=5 conv=notrunc 2>/dev/null && "
		"head -c 40 library >short && ar rc archive.a object.o"));
	assert_refused("text");
	assert_refused("empty");
	assert_refused(".");
	assert_refused("object.o");
	assert_refused("archive.a");
	assert_refused("narrow");
	assert_refused("turned");
	assert_refused("short");
	assert_int_equal(elf_file__open(&(struct elf_file *){ NULL }, -1, ""), -EBADF);
}

static void test_descriptor_stays_the_callers(void **state)
{
	struct elf_file *file = NULL;
	char path[256];
	int fd;

	(void)state;
	sample__path(path, "library");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	assert_int_equal(elf_file__open(&file, fd, ""), 0);
	assert_true(sample__symbol(file, "hidden", NULL) == 1);
	elf_file__close(file);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
	assert_int_equal(close(fd), 0);
}

static void test_go(void **state)
{
	struct elf_file *file;

	(void)state;
	sample__write(
		"note.s",
		".section .note.go.buildid,\"a\",@note\n.balign 4\n.long 4, 4, 4\n.asciz \"Go\"\n"
		".byte 0\n.ascii \"abcd\"\n.section .note.GNU-stack, \"\", %progbits\n");
	assert_true(
		sample__try("echo x >x && objcopy --add-section .go.buildinfo=x stripped go1 && "
			    "objcopy --add-section .gopclntab=x stripped go2 && "
			    "cc -shared -nostdlib note.s -o go3 -Wl,--build-id=none"));
	for (char name[] = "go1"; name[2] <= '3'; name[2]++) {
		file = sample__open(name, "");
		assert_true(elf_file__is_go(file));
		elf_file__close(file);
	}
}

static void test_offsets_and_addresses(void **state)
{
	struct elf_file *file = sample__open("library", "");
	struct elf_symbol function, object, zeros;
	uint64_t offset, address;

	(void)state;
	assert_int_equal(sample__symbol(file, "sample_function", &function), 1);
	assert_int_equal(sample__symbol(file, "sample_object", &object), 1);
	assert_int_equal(sample__symbol(file, "sample_zeros", &zeros), 1);
	assert_true(elf_file__address_to_offset(file, function.address, &offset));
	assert_true(elf_file__offset_to_address(file, offset, &address));
	assert_true(address == function.address);
	assert_true(elf_file__address_to_offset(file, object.address, &offset));
	assert_true(offset != object.address);
	assert_true(elf_file__offset_to_address(file, offset, &address));
	assert_true(address == object.address);
	assert_false(elf_file__address_to_offset(file, zeros.address + 10000, &offset));
	assert_false(elf_file__address_to_offset(file, UINT64_MAX, &offset));
	assert_false(elf_file__offset_to_address(file, UINT64_MAX, &address));
	assert_true(elf_file__is_code(file, function.address));
	assert_false(elf_file__is_code(file, object.address));
	assert_false(elf_file__is_code(file, UINT64_MAX));
	assert_true(elf_file__base(file) == 0);
	elf_file__close(file);
}

static void test_bytes(void **state)
{
	struct elf_file *file = sample__open("library", "");
	struct elf_symbol object, zeros;
	static char buffer[40000], nothing[20000];
	uint64_t end;
	int value = 0;

	(void)state;
	sample__symbol(file, "sample_object", &object);
	sample__symbol(file, "sample_zeros", &zeros);
	assert_int_equal(elf_file__read(file, object.address, &value, sizeof(value)),
			 sizeof(value));
	assert_int_equal(value, 42);
	memset(buffer, 1, sizeof(buffer));
	assert_int_equal(elf_file__read(file, zeros.address, buffer, 20000), 20000);
	assert_memory_equal(buffer, nothing, 20000);

	/* From the object, which is in the file, to the end of the segment, which is not. */
	end = zeros.address + zeros.size;
	assert_true(object.address < zeros.address);
	memset(buffer, 1, sizeof(buffer));
	assert_in_range(elf_file__read(file, object.address, buffer, sizeof(buffer)),
			end - object.address, end - object.address + 64);
	assert_memory_equal(buffer, &value, sizeof(value));
	assert_memory_equal(buffer + (zeros.address - object.address), nothing, 20000);
	assert_int_equal(elf_file__read(file, 0, buffer, 4), 4);
	assert_memory_equal(buffer, "\177ELF", 4);
	assert_int_equal(elf_file__read(file, UINT64_MAX - 3, buffer, sizeof(buffer)), 0);
	elf_file__close(file);
}

/* The mappings that the program sees of itself must lead to the bias its dynamic linker tells. */
static void check_bias(const char *flags, bool required)
{
	char *output, *line, *rest = NULL;
	struct elf_file *file;
	uint64_t expected, start, offset, bias;
	unsigned executable, lines = 0, checked = 0;

	if (!sample__try("cc self.c -o self %s 2>/dev/null", flags)) {
		assert_false(required);
		return;
	}
	output = sample__ask("./self");
	assert_non_null(output);
	file = sample__open("self", "");
	line = strtok_r(output, "\n", &rest);
	expected = strtoull(line, NULL, 16);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		assert_int_equal(sscanf(line, "%" SCNx64 " %" SCNx64 " %u", &start, &offset,
					&executable),
				 3);
		if (!lines++)
			assert_true(start - elf_file__base(file) == expected);
		if (!executable)
			continue;
		assert_true(elf_file__bias(file, start, offset, &bias));
		assert_true(bias == expected);
		checked++;
	}
	assert_true(lines >= 3 && checked);
	assert_false(elf_file__bias(file, 0x10000, 1 << 30, &bias));
	elf_file__close(file);
	free(output);
}

static void test_bias(void **state)
{
	(void)state;
	check_bias("-pie -fPIE", true);
	check_bias("-no-pie", true);
	check_bias("-Wl,-z,noseparate-code", true);
	check_bias("-fuse-ld=lld", false);
	check_bias("-fuse-ld=gold", false);
}

static void test_symbols(void **state)
{
	struct elf_file *file = sample__open("library", "");
	struct elf_symbol symbol;

	(void)state;
	assert_same_text(list_symbols(file), readelf_symbols("-s", "library"));
	assert_int_equal(sample__symbol(file, "sample_choice", &symbol), 1);
	assert_true(symbol.is_function);
	assert_int_equal(sample__symbol(file, "sample_zeros", &symbol), 1);
	assert_false(symbol.is_function);
	assert_int_equal(symbol.size, 20000);
	assert_int_equal(sample__symbol(file, "sample_versioned", NULL), 2);
	assert_int_equal(sample__symbol(file, "puts", NULL), 0);
	elf_file__close(file);

	file = sample__open("stripped", "");
	assert_same_text(list_symbols(file), readelf_symbols("-s", "stripped"));
	assert_int_equal(sample__symbol(file, "hidden", NULL), 0);
	elf_file__close(file);
}

static int stop_at_third(const struct elf_symbol *symbol, void *context)
{
	int *count = context;

	assert_non_null(symbol->name);
	return ++*count == 3 ? 77 : 0;
}

static void test_visit_stops(void **state)
{
	struct elf_file *file = sample__open("library", "");
	int count = 0;

	(void)state;
	assert_int_equal(elf_file__each_symbol(file, stop_at_third, &count), 77);
	assert_int_equal(count, 3);
	elf_file__close(file);
}

static void test_imports(void **state)
{
	static const char *const names[] = { "library", "stripped" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct elf_file *file = sample__open(names[i], "");

		assert_true(elf_file__imports(file, "puts"));
		assert_true(elf_file__imports(file, "malloc"));
		assert_false(elf_file__imports(file, "put"));
		assert_false(elf_file__imports(file, "putsx"));
		assert_false(elf_file__imports(file, "sample_function"));
		assert_false(elf_file__imports(file, ""));
		elf_file__close(file);
	}
}

static void test_functions(void **state)
{
	struct elf_file *file = sample__open("library", ""),
			*stripped = sample__open("stripped", "");
	struct elf_symbol symbol;
	struct elf_range range;

	(void)state;
	assert_same_text(list_functions(file), readelf_functions("library"));
	assert_same_text(list_functions(stripped), readelf_functions("library"));
	assert_int_equal(sample__symbol(file, "hidden", &symbol), 1);
	for (uint64_t at = symbol.address; at < symbol.address + symbol.size; at++) {
		assert_true(elf_file__function_at(stripped, at, &range));
		assert_true(range.address == symbol.address && range.size == symbol.size);
	}
	assert_true(!elf_file__function_at(stripped, symbol.address + symbol.size, &range) ||
		    range.address == symbol.address + symbol.size);
	assert_false(elf_file__function_at(stripped, 0, &range));
	assert_false(elf_file__function_at(stripped, UINT64_MAX, &range));
	assert_true(elf_file__may_unwind(file));
	elf_file__close(file);
	elf_file__close(stripped);
}

static void test_functions_without_unwind_table(void **state)
{
	const struct elf_range *functions;
	struct elf_symbol symbol;
	struct elf_range range;
	struct elf_file *file;

	(void)state;
	sample__write("bare.c",
		      "int first(int x) { return x + 1; }\nint second(int x) { return x * 3; }\n");
	assert_true(sample__try(
		"cc -shared -fPIC -nostdlib -fno-asynchronous-unwind-tables bare.c -o bare"));
	file = sample__open("bare", "");
	assert_int_equal(elf_file__functions(file, &functions), 2);
	sample__symbol(file, "first", &symbol);
	assert_true(functions[0].address == symbol.address && functions[0].size == symbol.size);
	assert_true(elf_file__function_at(file, symbol.address + symbol.size - 1, &range));
	assert_true(range.address == symbol.address && range.size == symbol.size);
	assert_false(elf_file__may_unwind(file));
	elf_file__close(file);
}

static void test_file_without_section_headers(void **state)
{
	struct elf_file *file;
	struct elf_symbol symbol;

	(void)state;
	assert_true(sample__try(
		"cp library headless && "
		"head -c 8 /dev/zero | dd of=headless bs=1 seek=40 conv=notrunc 2>/dev/null && "
		"head -c 4 /dev/zero | dd of=headless bs=1 seek=60 conv=notrunc 2>/dev/null"));
	file = sample__open("headless", "");
	assert_string_equal(elf_file__build_id(file), SAMPLE_BUILD_ID);
	assert_string_equal(elf_file__soname(file), "libsample.so.3");
	assert_same_text(list_symbols(file), readelf_symbols("--dyn-syms", "library"));
	assert_same_text(list_functions(file), readelf_functions("library"));
	assert_true(elf_file__imports(file, "puts"));
	assert_true(elf_file__may_unwind(file));
	assert_int_equal(sample__symbol(file, "sample_choice", &symbol), 1);
	elf_file__close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_other_files_are_refused),
		cmocka_unit_test(test_descriptor_stays_the_callers),
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_offsets_and_addresses),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_visit_stops),
		cmocka_unit_test(test_imports),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_functions_without_unwind_table),
		cmocka_unit_test(test_file_without_section_headers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_samples, sample__remove_folder);
}
