/* SPDX-License-Identifier: BSD-2-Clause */
/* Small programs that a test compiles while it runs, and what other tools say about them. */
#ifndef CACHETRACE_TESTS_ELF_SAMPLE_H
#define CACHETRACE_TESTS_ELF_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "elf.h"

static char sample_folder[] = "/tmp/cachetrace-test-XXXXXX";

static inline int sample__make_folder(void **state)
{
	(void)state;
	return mkdtemp(sample_folder) ? 0 : -1;
}

static inline int sample__remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", sample_folder);
	return system(command);
}

static inline void sample__path(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", sample_folder, name);
}

static inline void sample__write(const char *name, const char *text)
{
	char path[256];
	FILE *stream;

	sample__path(path, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

/* Standard output of a shell command run in the folder; NULL if it fails. */
static inline char *sample__ask(const char *format, ...)
{
	char command[2048];
	char *output = NULL;
	size_t size = 0;
	FILE *from, *to;
	va_list arguments;
	int length, character;

	length = snprintf(command, sizeof(command), "cd %s && export LC_ALL=C && ", sample_folder);
	va_start(arguments, format);
	vsnprintf(command + length, sizeof(command) - length, format, arguments);
	va_end(arguments);
	from = popen(command, "r");
	to = open_memstream(&output, &size);
	assert_non_null(from);
	assert_non_null(to);
	while ((character = getc(from)) != EOF)
		putc(character, to);
	fclose(to);
	if (pclose(from)) {
		free(output);
		return NULL;
	}
	return output;
}

/* Runs a shell command in the folder and tells whether it succeeded. */
#define sample__try(...) sample__succeeded(sample__ask(__VA_ARGS__))
static inline bool sample__succeeded(char *output)
{
	free(output);
	return output;
}

/* Imports, exports, versions, a hidden function, an indirect one, one with a cleanup. */
static const char sample_library[] =
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"int sample_object = 42;\n"
	"char sample_zeros[20000];\n"
	"static void __attribute__((noinline)) release(void *held) { free(*(void **)held); }\n"
	"static int __attribute__((noinline)) hidden(int x)\n"
	"{\n"
	"	puts(\"hidden\");\n"
	"	return x * sample_object;\n"
	"}\n"
	"int sample_function(int x) { return hidden(x) + hidden(x + 1); }\n"
	"int sample_cleanup(int x) {\n"
	"	void *held __attribute__((cleanup(release))) = malloc(x);\n"
	"	return sample_function(x) + (held != NULL);\n"
	"}\n"
	"static void *choose(void) { return sample_function; }\n"
	"int sample_choice(int x) __attribute__((ifunc(\"choose\")));\n"
	"void *sample_pointer(void) { free(malloc(3)); return (void *)malloc; }\n"
	"int old_version(void) { return 1; }\n"
	"int new_version(void) { return 2; }\n"
	"#ifndef UNVERSIONED\n"
	"__asm__(\".symver old_version, sample_versioned@V1\");\n"
	"__asm__(\".symver new_version, sample_versioned@@V2\");\n"
	"#endif\n";


#define SAMPLE_BUILD_ID "0123456789abcdef0123456789abcdef01234567"
#define SAMPLE_SHARED "-shared -fPIC -Wl,--version-script=library.map "

/* Group setup: the folder with library.c, library, and stripped, with its dynamic symbols only. */
static inline int sample__build_library(void **state)
{
	if (sample__make_folder(state))
		return -1;
	sample__write("library.c", sample_library);
	sample__write("library.map", "V1 { local: choose; };\nV2 { } V1;\n");
	return !sample__try("cc -O1 -g -fexceptions library.c -o library " SAMPLE_SHARED
			    "-Wl,-soname,libsample.so.3 -Wl,--build-id=0x" SAMPLE_BUILD_ID) ||
	       !sample__try("strip -o stripped library");
}

/* A file of the folder; below root (another name in the folder, or "") its debug file may lie. */
static inline struct elf_file *sample__open(const char *name, const char *root)
{
	char path[256], root_path[256] = "";
	struct elf_file *file = NULL;
	int fd;

	sample__path(path, name);
	if (*root)
		sample__path(root_path, root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_file__open(&file, fd, root_path), 0);
	close(fd);
	return file;
}

struct sample_named {
	const char *name;
	struct elf_symbol symbol;
	unsigned count;
};

static inline int sample__match_name(const struct elf_symbol *symbol, void *context)
{
	struct sample_named *named = context;

	if (strcmp(symbol->name, named->name))
		return 0;
	named->symbol = *symbol;
	named->count++;
	return 0;
}

/* How many symbols bear the name; the last one goes to *symbol. */
static inline unsigned sample__symbol(struct elf_file *file, const char *name,
				      struct elf_symbol *symbol)
{
	struct sample_named named = { .name = name };

	assert_int_equal(elf_file__each_symbol(file, sample__match_name, &named), 0);
	if (symbol)
		*symbol = named.symbol;
	return named.count;
}

#endif
