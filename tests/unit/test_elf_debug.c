/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols that elf.h finds outside of the file: separate debug files and .gnu_debugdata. */
#include "elf_sample.h"

#define DEBUG_FOLDER "usr/lib/debug/.build-id/01"
#define DEBUG_NAME "23456789abcdef0123456789abcdef01234567.debug"

static int build_samples(void **state)
{
	if (sample__build_library(state))
		return -1;
	return !sample__try("objcopy --only-keep-debug library library.debug");
}

/* How many functions of the name are found in a file, if its debug files lie below root. */
static unsigned count_named(const char *name, const char *root, const char *function)
{
	struct elf_file *file = sample__open(name, root);
	unsigned count = sample__symbol(file, function, NULL);

	elf_file__close(file);
	return count;
}

static void test_separate_file(void **state)
{
	struct elf_file *whole = sample__open("library", ""), *stripped;
	struct elf_symbol expected, found;

	(void)state;
	assert_true(sample__try("mkdir -p root/" DEBUG_FOLDER
				" && cp library.debug root/" DEBUG_FOLDER "/" DEBUG_NAME));
	assert_int_equal(count_named("stripped", "", "hidden"), 0);
	stripped = sample__open("stripped", "root");
	assert_int_equal(sample__symbol(whole, "hidden", &expected), 1);
	assert_int_equal(sample__symbol(stripped, "hidden", &found), 1);
	assert_true(found.address == expected.address && found.size == expected.size &&
		    found.is_function);
	assert_int_equal(sample__symbol(stripped, "sample_function", NULL), 1);
	assert_int_equal(sample__symbol(stripped, "sample_versioned", NULL), 2);
	elf_file__close(whole);
	elf_file__close(stripped);
}

static void test_other_separate_files_are_refused(void **state)
{
	(void)state;
	assert_true(sample__try("mkdir -p wrong/" DEBUG_FOLDER " fifo/" DEBUG_FOLDER
				" text/" DEBUG_FOLDER));
	assert_true(sample__try("cc -g -fexceptions library.c -o other " SAMPLE_SHARED
				"-Wl,--build-id=0x0123456789abcdef0123456789abcdef01234568 && "
				"cp other wrong/" DEBUG_FOLDER "/" DEBUG_NAME " && "
				"echo text >text/" DEBUG_FOLDER "/" DEBUG_NAME " && "
				"mkfifo fifo/" DEBUG_FOLDER "/" DEBUG_NAME));
	assert_int_equal(count_named("other", "", "hidden"), 1);
	assert_int_equal(count_named("stripped", "wrong", "hidden"), 0);
	assert_int_equal(count_named("stripped", "text", "hidden"), 0);
	assert_int_equal(count_named("stripped", "fifo", "hidden"), 0);
	assert_int_equal(count_named("stripped", "missing", "hidden"), 0);
	assert_int_equal(count_named("stripped", "missing", "sample_function"), 1);
}

/* Links below a root mean what they mean to the processes in that root. */
static void test_links_stay_below_the_root(void **state)
{
	(void)state;
	assert_true(sample__try(
		"mkdir -p inside/" DEBUG_FOLDER " inside/store outside/" DEBUG_FOLDER " && "
		"cp library.debug inside/store/kept && ln -s /store/kept inside/" DEBUG_FOLDER
		"/" DEBUG_NAME " && ln -s $PWD/library.debug outside/" DEBUG_FOLDER
		"/" DEBUG_NAME));
	assert_int_equal(count_named("stripped", "inside", "hidden"), 1);
	assert_int_equal(count_named("stripped", "outside", "hidden"), 0);
}

static void test_embedded_data(void **state)
{
	(void)state;
	if (!sample__try("xz --version"))
		skip();
	assert_true(
		sample__try("objcopy -S --keep-symbol=hidden library.debug mini && xz -k mini && "
			    "objcopy --add-section .gnu_debugdata=mini.xz stripped packed"));
	assert_int_equal(count_named("packed", "", "hidden"), 1);
	assert_int_equal(count_named("packed", "", "sample_function"), 1);

	assert_true(sample__try("head -c 300 mini.xz >cut.xz && echo text >text.xz && "
				"objcopy --add-section .gnu_debugdata=cut.xz stripped cut && "
				"objcopy --add-section .gnu_debugdata=text.xz stripped plain"));
	assert_int_equal(count_named("cut", "", "hidden"), 0);
	assert_int_equal(count_named("cut", "", "sample_function"), 1);
	assert_int_equal(count_named("plain", "", "hidden"), 0);
	assert_int_equal(count_named("plain", "", "sample_function"), 1);
}

/* A few kilobytes can unpack to gigabytes: what is more than any debug data is given up. */
static void test_embedded_data_is_bounded(void **state)
{
	(void)state;
	if (!sample__try("xz --version"))
		skip();
	assert_true(sample__try("objcopy -S --keep-symbol=hidden library.debug bomb && "
				"(cat bomb; head -c 1M /dev/zero) | xz -0 >fits.xz && "
				"(cat bomb; head -c 200M /dev/zero) | xz -0 >bomb.xz && "
				"objcopy --add-section .gnu_debugdata=fits.xz stripped fits && "
				"objcopy --add-section .gnu_debugdata=bomb.xz stripped burst"));
	assert_int_equal(count_named("fits", "", "hidden"), 1);
	assert_int_equal(count_named("burst", "", "hidden"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_separate_file),
		cmocka_unit_test(test_other_separate_files_are_refused),
		cmocka_unit_test(test_links_stay_below_the_root),
		cmocka_unit_test(test_embedded_data),
		cmocka_unit_test(test_embedded_data_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, build_samples, sample__remove_folder);
}
