/* SPDX-License-Identifier: BSD-2-Clause */
/* The disassembler on whole files: installed ones against objdump, and ones full of nonsense. */
#include <errno.h>
#include <inttypes.h>

#include "insn_sample.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

/* What objdump says of a file. */
struct listing {
	uint64_t *begins;	/* of all instructions, ascending */
	char (*texts)[64];
	size_t count, room;
	uint64_t *targets;	/* of jumps, branches and calls; ascending when sorted */
	size_t targets_count, targets_room;
};

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 4096;
	array = reallocarray(array, *room, size);
	assert_non_null(array);
	return array;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Jumps and branches name an address; those through pointers have a star. Calls begin functions. */
static void read_target(struct listing *listing, const char *text)
{
	const char *operand = strrchr(text, '<');
	uint64_t target;

	if ((*text != 'j' && strncmp(text, "bnd j", 5) && strncmp(text, "loop", 4)) ||
	    strstr(text, " *") || !operand)
		return;
	while (operand > text && operand[-1] == ' ')
		operand--;
	while (operand > text && operand[-1] != ' ')
		operand--;
	target = strtoull(operand, NULL, 16);
	listing->targets = grow(listing->targets, listing->targets_count, &listing->targets_room,
				sizeof(*listing->targets));
	listing->targets[listing->targets_count++] = target;
}

static void read_listing(struct listing *listing, const char *path)
{
	char command[512], line[1024];
	FILE *stream;

	snprintf(command, sizeof(command), "objdump -d --no-show-raw-insn %s", path);
	stream = popen(command, "r");
	assert_non_null(stream);
	memset(listing, 0, sizeof(*listing));
	while (fgets(line, sizeof(line), stream)) {
		char *text = strstr(line, ":\t");
		size_t room = listing->room;

		if (line[0] != ' ' || !text)
			continue;
		text += 2;
		text[strcspn(text, "\n")] = '\0';
		listing->begins = grow(listing->begins, listing->count, &room,
				       sizeof(*listing->begins));
		listing->texts = grow(listing->texts, listing->count, &listing->room,
				      sizeof(*listing->texts));
		listing->begins[listing->count] = strtoull(line, NULL, 16);
		snprintf(listing->texts[listing->count++], sizeof(*listing->texts), "%s", text);
		read_target(listing, text);
	}
	assert_int_equal(pclose(stream), 0);
	qsort(listing->targets, listing->targets_count, sizeof(*listing->targets), compare_numbers);
}

static void free_listing(struct listing *listing)
{
	free(listing->begins);
	free(listing->texts);
	free(listing->targets);
}

static const char *text_at(const struct listing *listing, uint64_t address)
{
	uint64_t *found = bsearch(&address, listing->begins, listing->count,
				  sizeof(*listing->begins), compare_numbers);

	return found ? listing->texts[found - listing->begins] : NULL;
}

/* A jump to (first, last]. */
static bool is_jumped_into(const struct listing *listing, uint64_t first, uint64_t last)
{
	size_t low = 0, high = listing->targets_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (listing->targets[middle] <= first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < listing->targets_count && listing->targets[low] <= last;
}

static bool looks_emulated(const char *text)
{
	return !strncmp(text, "push   %", 8) || strstr(text, "nop") ||
	       !strncmp(text, "xchg   %ax,%ax", 14) ||
	       ((*text == 'j' || !strncmp(text, "call", 4) || !strncmp(text, "bnd", 3)) &&
		!strstr(text, " *"));
}

static void check_site(struct elf_file *file, const struct listing *listing, uint64_t function,
		       const struct insn_site *site)
{
	const char *text = text_at(listing, site->address);
	struct insn_site checked;

	if (!text)
		fail_msg("%" PRIx64 ": %" PRIx64 " is no instruction", function, site->address);
	if (looks_emulated(text) != (site->class != INSN_STEPPED))
		fail_msg("%" PRIx64 ": %s is %s", function, text, insn_class__name(site->class));
	if (site->address != function && is_jumped_into(listing, function, site->address))
		fail_msg("%" PRIx64 ": a jump to before %" PRIx64, function, site->address);
	if (site->address != function && !strncmp(text, "nopl   0x0(%rax,%rax,1)", 23))
		fail_msg("%" PRIx64 ": a 5-byte nop at %" PRIx64, function, site->address);
	assert_int_equal(insn__check_site(file, site->address, &checked), 0);
	assert_int_equal(checked.class, site->class);
}

/* The unwind entry of a signal handler's return address begins a byte before it. */
static void check_functions(struct elf_file *file, const struct listing *listing, bool with_return)
{
	size_t counts[3] = { 0 }, refused = 0, moved = 0, count;
	const struct elf_range *functions;
	struct insn_site site;

	count = elf_file__functions(file, &functions);
	assert_true(count > 100);
	for (size_t i = 0; i < count; i++) {
		if (!text_at(listing, functions[i].address))
			continue;
		if (insn__entry_site(file, functions[i].address, with_return, &site)) {
			refused++;
			continue;
		}
		check_site(file, listing, functions[i].address, &site);
		counts[site.class]++;
		moved += site.address != functions[i].address;
	}
	assert_true(refused < count / 10);
	print_message("# %zu functions%s: %zu optimized, %zu emulated, %zu stepped, %zu refused; "
		      "%zu not at the first instruction\n", count,
		      with_return ? " with return" : "", counts[INSN_OPTIMIZED],
		      counts[INSN_EMULATED], counts[INSN_STEPPED], refused, moved);
}

static void check_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct listing listing;
	struct elf_file *file;

	if (fd < 0)
		skip();
	assert_int_equal(elf_file__open(&file, fd, ""), 0);
	close(fd);
	if (elf_file__machine(file) != ELF_MACHINE_X86_64) {
		elf_file__close(file);
		skip();
	}
	print_message("# %s\n", path);
	read_listing(&listing, path);
	check_functions(file, &listing, false);
	check_functions(file, &listing, true);
	free_listing(&listing);
	elf_file__close(file);
}

static void test_c_library(void **state)
{
	(void)state;
	check_file("/usr/lib/x86_64-linux-gnu/libc.so.6");
}

static void test_database_library(void **state)
{
	(void)state;
	check_file("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0");
}

static void test_server(void **state)
{
	(void)state;
	check_file("/usr/bin/redis-server");
}

enum { FUNCTIONS = 48, BYTES = 96, ROUNDS = 60 };

/* Bytes that jumps, pushes, prefixes and the like begin with come more often than others. */
static uint8_t random_byte(uint64_t *seed)
{
	static const uint8_t frequent[] = {
		0x55, 0x53, 0x48, 0x66, 0xf3, 0x0f, 0x1f, 0x90, 0xe9, 0xeb, 0x74, 0x75, 0xe8, 0xc3,
		0xff, 0xe0, 0x3e, 0xf0, 0xc5, 0x8d, 0x89, 0x83, 0xec, 0xe4, 0x24, 0x63, 0x00, 0x05,
		0x14, 0x54, 0xd6, 0xfd, 0x7b, 0xa9, 0xbf,
	};
	uint32_t value;

	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	value = *seed >> 33;
	return value & 1 ? frequent[(value >> 8) % sizeof(frequent)] : value >> 8;
}

static void fill_with_nonsense(const char *name, uint64_t offset, uint64_t *seed)
{
	uint8_t bytes[FUNCTIONS * BYTES];
	char path[256];
	int fd;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = random_byte(seed);
	sample__path(path, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), offset), sizeof(bytes));
	close(fd);
}

static bool is_documented(int error)
{
	static const int errors[] = { 0, -ENOENT, -EILSEQ, -EINVAL, -EPERM, -ELOOP };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (error == errors[i])
			return true;
	}
	return false;
}

static void check_nonsense(struct elf_file *file, uint64_t function, uint64_t first)
{
	static const char *const patterns[] = { "*{n}*", "*, *" };
	struct insn_capture captures[4];
	struct insn_site site, checked, *sites = NULL;
	size_t count = 0, room = 4;
	uint64_t place;
	int error;

	for (int with_return = 0; with_return < 2; with_return++) {
		error = insn__entry_site(file, function, with_return, &site);
		assert_true(is_documented(error));
		if (error)
			continue;
		assert_true(site.address >= function && site.address < first + FUNCTIONS * BYTES);
		assert_int_equal(insn__check_site(file, site.address, &checked), 0);
		assert_int_equal(checked.class, site.class);
	}
	error = insn__returns(file, function, &sites, &count);
	assert_true(is_documented(error));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(insn__check_site(file, sites[i].address, &checked), 0);
	free(sites);
	assert_true(is_documented(insn__match(file, function, patterns, 2, 0, &place, captures,
					      &room)));
}

static void check_file_of_nonsense(const char *name)
{
	struct elf_file *file = sample__open(name, "");
	uint64_t first = insn_sample__address(name, "f0"), offset, seed = 1;

	assert_true(elf_file__address_to_offset(file, first, &offset));
	elf_file__close(file);
	for (int round = 0; round < ROUNDS; round++) {
		fill_with_nonsense(name, offset, &seed);
		file = sample__open(name, "");
		for (int i = 0; i < FUNCTIONS; i++)
			check_nonsense(file, first + i * BYTES, first);
		elf_file__close(file);
	}
}

static void write_functions(const char *name, const char *type)
{
	FILE *stream = insn_sample__create(name);

	fprintf(stream, ".p2align 6\n");
	for (int i = 0; i < FUNCTIONS; i++)
		fprintf(stream, ".globl f%d\n.type f%d, %sfunction\nf%d:\n.cfi_startproc\n"
				".fill %d, 1, 0x90\n.cfi_endproc\n.size f%d, . - f%d\n",
			i, i, type, i, BYTES, i, i);
	fclose(stream);
}

static void test_nonsense(void **state)
{
	(void)state;
	write_functions("nonsense.s", "@");
	assert_true(sample__try("cc -shared nonsense.s -o nonsense"));
	check_file_of_nonsense("nonsense");
}

static void test_aarch64_nonsense(void **state)
{
	(void)state;
	write_functions("nonsense64.s", "%");
	if (!sample__try("clang --target=aarch64-linux-gnu -shared -nostdlib -fuse-ld=lld "
			 "nonsense64.s -o nonsense64 2>/dev/null"))
		skip();
	check_file_of_nonsense("nonsense64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c_library),
		cmocka_unit_test(test_database_library),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_aarch64_nonsense),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, sample__make_folder, sample__remove_folder);
}
