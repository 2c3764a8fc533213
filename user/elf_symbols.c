/* SPDX-License-Identifier: BSD-2-Clause */
/* The symbol tables of an ELF file and of the debug data that belongs to it, as one list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf_private.h"

/* A name without the version that stands in the table. */
struct elf_own_name {
	struct elf_own_name *next;
	char text[];
};

static void set_strings(struct elf_table *table, const Elf_Data *strings)
{
	const char *last = NULL;

	if (strings && strings->d_buf)
		last = memrchr(strings->d_buf, '\0', strings->d_size);
	table->strings = last ? strings->d_buf : NULL;
	table->strings_size = last ? (size_t)(last - table->strings) + 1 : 0;
}

static void set_symbols(struct elf_table *table, Elf_Data *symbols)
{
	table->symbols = symbols;
	table->count = symbols && symbols->d_buf ? symbols->d_size / sizeof(Elf64_Sym) : 0;
	if (table->count > ELF_MAX_SYMBOLS)
		table->count = ELF_MAX_SYMBOLS;
}

static void read_symtab(Elf *elf, struct elf_table *table)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header, strings;

	for (int i = 0; i < ELF_MAX_SECTIONS; i++) {
		Elf_Scn *names;

		section = elf_nextscn(elf, section);
		if (!section)
			return;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		names = elf_getscn(elf, header.sh_link);
		if (!names || !gelf_getshdr(names, &strings) || strings.sh_type != SHT_STRTAB)
			continue;
		set_symbols(table, elf_getdata(section, NULL));
		set_strings(table, elf_getdata(names, NULL));
		return;
	}
}

/*
 * A GNU hash table lists the defined symbols, which come last in .dynsym, by bucket: the last one
 * is at the end of the bucket that begins last. A set lowest bit ends a bucket.
 */
static size_t count_by_gnu_hash(const struct elf_file *file)
{
	struct {
		uint32_t buckets, first_symbol, bloom_words, bloom_shift;
	} head;
	uint64_t address = file->dynamic.gnu_hash;
	uint32_t last = 0, hash = 0;
	const uint32_t *buckets;
	Elf_Data *data;

	if (elf_file__read(file, address, &head, sizeof(head)) != sizeof(head))
		return 0;
	address += sizeof(head) + head.bloom_words * sizeof(uint64_t);
	data = elf_file__chunk(file, address, head.buckets * sizeof(uint32_t), ELF_T_WORD);
	if (!data)
		return 0;
	buckets = data->d_buf;
	for (uint32_t i = 0; i < head.buckets; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < head.first_symbol)
		return head.first_symbol;
	address += head.buckets * sizeof(uint32_t) - head.first_symbol * sizeof(uint32_t);
	while (!(hash & 1) && last < ELF_MAX_SYMBOLS) {
		if (elf_file__read(file, address + last * sizeof(hash), &hash, sizeof(hash)) !=
		    sizeof(hash))
			return 0;
		last++;
	}
	return last;
}

/* Without section headers only those who refer to dynamic symbols tell how many there are. */
static size_t count_without_sections(const struct elf_file *file)
{
	size_t count = elf_file__relocated_symbols(file), others = count_by_gnu_hash(file);
	uint32_t head[2];

	if (others > count)
		count = others;
	if (elf_file__read(file, file->dynamic.hash, head, sizeof(head)) == sizeof(head) &&
	    head[1] > count)
		count = head[1];
	return count;
}

static size_t count_dynamic_symbols(const struct elf_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	for (int i = 0; i < ELF_MAX_SECTIONS; i++) {
		section = elf_nextscn(file->elf, section);
		if (!section)
			break;
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM)
			return header.sh_size / sizeof(Elf64_Sym);
	}
	return count_without_sections(file);
}

/* The dynamic linker's way to the table, as it needs no section headers. */
static void read_dynsym(struct elf_file *file, struct elf_table *table)
{
	const struct elf_dynamic *dynamic = &file->dynamic;
	const struct elf_segment *segment = elf_file__segment_at(file, dynamic->symbols);
	size_t count, room;

	if (!dynamic->symbols || !segment ||
	    dynamic->symbols - segment->address >= segment->file_size)
		return;
	room = (segment->file_size - (dynamic->symbols - segment->address)) / sizeof(Elf64_Sym);
	count = count_dynamic_symbols(file);
	if (count > room)
		count = room;
	set_symbols(table,
		    elf_file__chunk(file, dynamic->symbols, count * sizeof(Elf64_Sym), ELF_T_SYM));
	set_strings(table,
		    elf_file__chunk(file, dynamic->strings, dynamic->strings_size, ELF_T_BYTE));
}

void elf_file__read_tables(struct elf_file *file)
{
	if (file->tables_read)
		return;
	file->tables_read = true;
	read_symtab(file->elf, &file->tables[ELF_TABLE_SYMTAB]);
	read_dynsym(file, &file->tables[ELF_TABLE_DYNSYM]);
}

/* .gnu_debugdata holds a part of what the separate file does. */
static void read_debug_tables(struct elf_file *file)
{
	if (elf_debug__open_separate(file, &file->separate))
		read_symtab(file->separate.elf, &file->tables[ELF_TABLE_SEPARATE]);
	if (file->tables[ELF_TABLE_SEPARATE].count)
		return;
	if (elf_debug__open_embedded(file, &file->embedded))
		read_symtab(file->embedded.elf, &file->tables[ELF_TABLE_EMBEDDED]);
}

const char *elf_table__name(const struct elf_table *table, uint64_t offset)
{
	const char *name = table->strings + offset;

	if (offset >= table->strings_size || strnlen(name, ELF_MAX_NAME) == ELF_MAX_NAME)
		return NULL;
	return name;
}

/* Static linkers write versions into .symtab: "name@@VERSION", or "name@VERSION" for an old one. */
static size_t unversioned_length(const char *name)
{
	const char *version = *name ? strchr(name + 1, '@') : NULL;

	return version ? (size_t)(version - name) : strlen(name);
}

static const char *unversioned_name(struct elf_file *file, const char *name)
{
	size_t length = unversioned_length(name);
	struct elf_own_name *own;

	if (!name[length])
		return name;
	own = malloc(sizeof(*own) + length + 1);
	if (!own)
		return NULL;
	memcpy(own->text, name, length);
	own->text[length] = '\0';
	own->next = file->own_names;
	file->own_names = own;
	return own->text;
}

static bool is_wanted(const struct elf_file *file, const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT) &&
	       symbol->st_shndx != SHN_UNDEF && symbol->st_value && symbol->st_name &&
	       elf_file__segment_at(file, symbol->st_value);
}

static int add_table(struct elf_file *file, const struct elf_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct elf_symbol *added = &file->symbols[file->symbols_count];
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(table->symbols, i, &symbol) || !is_wanted(file, &symbol))
			continue;
		name = elf_table__name(table, symbol.st_name);
		if (!name || !*name)
			continue;
		added->name = unversioned_name(file, name);
		if (!added->name)
			return -ENOMEM;
		added->address = symbol.st_value;
		added->size = symbol.st_size;
		added->is_function = GELF_ST_TYPE(symbol.st_info) != STT_OBJECT;
		file->symbols_count++;
	}
	return 0;
}

/* By address and name; of equal ones first the function, then that with the larger size. */
static int compare_symbols(const void *first, const void *second)
{
	const struct elf_symbol *a = first, *b = second;
	int order;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	order = strcmp(a->name, b->name);
	if (order)
		return order;
	if (a->is_function != b->is_function)
		return a->is_function ? -1 : 1;
	return a->size > b->size ? -1 : a->size < b->size;
}

static void sort_symbols(struct elf_file *file)
{
	struct elf_symbol *list = file->symbols;
	size_t kept = 0;

	qsort(list, file->symbols_count, sizeof(*list), compare_symbols);
	for (size_t i = 0; i < file->symbols_count; i++) {
		if (kept && list[kept - 1].address == list[i].address &&
		    !strcmp(list[kept - 1].name, list[i].name))
			continue;
		list[kept++] = list[i];
	}
	file->symbols_count = kept;
}

static int read_symbols(struct elf_file *file)
{
	struct elf_symbol *fitting;
	size_t room = 1;
	int error = 0;

	elf_file__read_tables(file);
	read_debug_tables(file);
	for (int i = 0; i < ELF_TABLES; i++)
		room += file->tables[i].count;
	file->symbols = malloc(room * sizeof(*file->symbols));
	if (!file->symbols)
		return -ENOMEM;
	for (int i = 0; i < ELF_TABLES && !error; i++)
		error = add_table(file, &file->tables[i]);
	sort_symbols(file);
	fitting = realloc(file->symbols, (file->symbols_count + 1) * sizeof(*fitting));
	if (fitting)
		file->symbols = fitting;
	return error;
}

static int need_symbols(struct elf_file *file)
{
	if (!file->symbols_read) {
		file->symbols_read = true;
		file->symbols_error = read_symbols(file);
	}
	return file->symbols_error;
}

int elf_file__each_symbol(struct elf_file *file,
			  int (*visit)(const struct elf_symbol *symbol, void *context),
			  void *context)
{
	int result = need_symbols(file);

	for (size_t i = 0; i < file->symbols_count && !result; i++)
		result = visit(&file->symbols[i], context);
	return result;
}

static bool table_imports(const struct elf_table *table, const char *wanted)
{
	size_t length = strlen(wanted);

	for (size_t i = 1; i < table->count; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(table->symbols, i, &symbol) || symbol.st_shndx != SHN_UNDEF)
			continue;
		name = elf_table__name(table, symbol.st_name);
		if (name && !strncmp(name, wanted, length) && unversioned_length(name) == length)
			return true;
	}
	return false;
}

bool elf_file__imports(struct elf_file *file, const char *name)
{
	elf_file__read_tables(file);
	return *name && (table_imports(&file->tables[ELF_TABLE_DYNSYM], name) ||
			 table_imports(&file->tables[ELF_TABLE_SYMTAB], name));
}

size_t elf_file__sized_functions(struct elf_file *file, const struct elf_range **functions)
{
	size_t count = 0;

	if (!need_symbols(file) && !file->sized)
		file->sized = calloc(file->symbols_count + 1, sizeof(*file->sized));
	for (size_t i = 0; file->sized && !file->sized_count && i < file->symbols_count; i++) {
		const struct elf_symbol *symbol = &file->symbols[i];
		struct elf_range range = { symbol->address, symbol->size };

		if (!symbol->is_function || !elf_file__is_code_range(file, &range))
			continue;
		if (!count || file->sized[count - 1].address != range.address)
			file->sized[count++] = range;
		else if (file->sized[count - 1].size < range.size)
			file->sized[count - 1] = range;
	}
	if (count)
		file->sized_count = count;
	*functions = file->sized;
	return file->sized_count;
}

void elf_file__free_symbols(struct elf_file *file)
{
	while (file->own_names) {
		struct elf_own_name *next = file->own_names->next;

		free(file->own_names);
		file->own_names = next;
	}
	free(file->symbols);
	free(file->sized);
}
