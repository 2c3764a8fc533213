/* SPDX-License-Identifier: BSD-2-Clause */
/* Thousands of damaged ELF files: whatever elf.h says of them, it must come back, in bounds. */
#include <errno.h>
#include <sys/mman.h>

#include "locate.h"
#include "elf_sample.h"

enum { VARIANTS = 1500 };

/* A fixed sequence (Knuth's linear congruential one of 64 bits), so that a failure comes again. */
static uint64_t next_random(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *random >> 33;
}

static size_t read_sample(const char *name, uint8_t **bytes)
{
	char path[256];
	FILE *stream;
	long size;

	sample__path(path, name);
	stream = fopen(path, "r");
	assert_non_null(stream);
	assert_int_equal(fseek(stream, 0, SEEK_END), 0);
	size = ftell(stream);
	rewind(stream);
	*bytes = malloc(size);
	assert_non_null(*bytes);
	assert_int_equal(fread(*bytes, 1, size, stream), size);
	fclose(stream);
	return size;
}

struct walk {
	struct elf_file *file;
	uint64_t last;
	unsigned count;
};

static int walk_symbol(const struct elf_symbol *symbol, void *context)
{
	struct walk *walk = context;
	struct elf_range range;

	assert_true(symbol->address >= walk->last);
	assert_in_range(strlen(symbol->name), 1, 4096);
	walk->last = symbol->address;
	if (walk->count++ < 20) {
		elf_file__function_at(walk->file, symbol->address, &range);
		elf_file__plt_target(walk->file, symbol->address);
	}
	return 0;
}

static void walk_names(struct elf_file *file)
{
	struct addresses found;
	char *names[3];
	size_t count;

	if (!locate__glob(file, "*sample*", &found))
		addresses__free(&found);
	if (!locate__symbol(file, "hidden", false, &found, NULL))
		addresses__free(&found);
	count = locate__near(file, "hiden", names, 3);
	while (count)
		free(names[--count]);
}

static void walk_functions(struct elf_file *file)
{
	const struct elf_range *functions;
	size_t count = elf_file__functions(file, &functions);
	uint8_t code[256];
	uint64_t place;

	for (size_t i = 0; i < count; i++) {
		uint64_t address = functions[i].address;

		assert_true(functions[i].size > 0);
		assert_true(!i || address > functions[i - 1].address);
		assert_true(elf_file__is_code(file, address));
		if (i >= 20)
			continue;
		elf_file__read(file, address, code, sizeof(code));
		if (elf_file__address_to_offset(file, address, &place))
			assert_true(elf_file__offset_to_address(file, place, &place));
		elf_file__bias(file, 0x7f0000000000, address, &place);
		for (uint64_t stub = 0; stub < 64; stub += 16)
			elf_file__plt_target(file, address + stub);
		free(locate__name(file, address + 1));
	}
}

/* Calls everything. Returns whether the file was accepted. */
static bool walk_file(int fd)
{
	struct walk walk = { 0 };
	int result = elf_file__open(&walk.file, fd, "");

	if (result) {
		assert_int_equal(result, -ENOEXEC);
		return false;
	}
	assert_in_range(strlen(elf_file__build_id(walk.file)), 0, 128);
	assert_in_range(strlen(elf_file__soname(walk.file)), 0, 4096);
	elf_file__machine(walk.file);
	elf_file__is_go(walk.file);
	elf_file__base(walk.file);
	elf_file__may_unwind(walk.file);
	elf_file__imports(walk.file, "puts");
	walk_functions(walk.file);
	assert_int_equal(elf_file__each_symbol(walk.file, walk_symbol, &walk), 0);
	walk_names(walk.file);
	elf_file__close(walk.file);
	return true;
}

/*
 * Changes some bytes: anywhere, in the file and program headers at its beginning, or in the section
 * headers at its end; single bits, whole bytes, or 8 bytes at once to the values at which sums
 * overflow.
 */
static void damage(uint8_t *bytes, size_t size, uint64_t *random)
{
	static const uint64_t edges[] = {
		0, 1, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 4095,
	};
	size_t changes = 1 + next_random(random) % 8;

	while (changes--) {
		size_t part = next_random(random) % 3, at = next_random(random);

		if (part == 0)
			at %= size - 8;
		else if (part == 1)
			at = 16 + at % 1024;
		else
			at = size - 8 - at % 2048;
		if (next_random(random) % 4 == 0)
			memcpy(bytes + at / 8 * 8, &edges[next_random(random) % 7], 8);
		else if (next_random(random) % 2)
			bytes[at] = next_random(random);
		else
			bytes[at] ^= 1 << next_random(random) % 8;
	}
}

static void check_variants(const char *name, uint64_t seed)
{
	int fd = memfd_create("variant", MFD_CLOEXEC);
	uint64_t random = seed;
	unsigned accepted = 0;
	uint8_t *bytes, *variant;
	size_t size = read_sample(name, &bytes);

	variant = malloc(size);
	assert_non_null(variant);
	assert_true(fd >= 0);
	for (int i = 0; i < VARIANTS; i++) {
		memcpy(variant, bytes, size);
		damage(variant, size, &random);
		assert_int_equal(pwrite(fd, variant, size, 0), size);
		accepted += walk_file(fd);
	}
	/* Most damage leaves something to look at. */
	assert_in_range(accepted, VARIANTS / 2, VARIANTS - 1);
	close(fd);
	free(variant);
	free(bytes);
}

static void test_damaged_library(void **state)
{
	(void)state;
	check_variants("library", 1);
}

static void test_damaged_stripped_library(void **state)
{
	(void)state;
	check_variants("stripped", 2);
}

static void test_damaged_file_without_section_headers(void **state)
{
	(void)state;
	check_variants("headless", 3);
}

static void test_damaged_embedded_data(void **state)
{
	(void)state;
	if (!sample__try("xz --version"))
		skip();
	assert_true(sample__try(
		"objcopy -S --keep-symbol=hidden library mini && xz -k --check=none mini && "
		"objcopy --add-section .gnu_debugdata=mini.xz stripped packed"));
	check_variants("packed", 4);
}

/* Cut at every length: no byte behind the end may be asked for in vain. */
static void test_truncated_file(void **state)
{
	int fd = memfd_create("variant", MFD_CLOEXEC);
	uint8_t *bytes;
	size_t size = read_sample("library", &bytes);

	(void)state;
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	assert_true(walk_file(fd));
	while (size > 61) {
		size -= size > 4096 ? 61 : 7;
		assert_int_equal(ftruncate(fd, size), 0);
		walk_file(fd);
	}
	assert_false(walk_file(fd));
	close(fd);
	free(bytes);
}

/* Somebody may shorten a file that is open. */
static void test_file_shrinks_while_open(void **state)
{
	int fd = memfd_create("variant", MFD_CLOEXEC);
	struct elf_file *file = NULL;
	struct elf_range range;
	uint8_t *bytes;
	size_t size = read_sample("library", &bytes);

	(void)state;
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	assert_int_equal(elf_file__open(&file, fd, ""), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(sample__symbol(file, "hidden", NULL), 0);
	assert_false(elf_file__function_at(file, 0x1000, &range));
	assert_int_equal(elf_file__read(file, elf_file__base(file), bytes, size), 100);
	elf_file__close(file);
	close(fd);
	free(bytes);
}

static int build_samples(void **state)
{
	if (sample__build_library(state))
		return -1;
	return !sample__try(
		"cp library headless && "
		"head -c 8 /dev/zero | dd of=headless bs=1 seek=40 conv=notrunc 2>/dev/null && "
		"head -c 4 /dev/zero | dd of=headless bs=1 seek=60 conv=notrunc 2>/dev/null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_library),
		cmocka_unit_test(test_damaged_stripped_library),
		cmocka_unit_test(test_damaged_file_without_section_headers),
		cmocka_unit_test(test_damaged_embedded_data),
		cmocka_unit_test(test_truncated_file),
		cmocka_unit_test(test_file_shrinks_while_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_samples, sample__remove_folder);
}
