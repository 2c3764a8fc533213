/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions as the unwind table of an ELF file (.eh_frame) knows them: strip does not remove it. */
#include <stdlib.h>
#include <string.h>

#include <dwarf.h>

#include "elf_private.h"

/* What stands before a function's unwind entries, as far as it tells how to read them. */
struct common_entry {
	Dwarf_Off offset;
	uint8_t encoding;	/* of addresses; DW_EH_PE_omit if it cannot be told */
};

struct unwind_table {
	struct elf_file *file;
	Elf_Data *data;
	uint64_t address;
	struct common_entry *common;	/* by offset */
	size_t common_count, common_room;
	size_t functions_room;
};

/* Bytes read so far of a field that lies at an address. */
struct cursor {
	const uint8_t *position, *end;
	uint64_t address;
};

/* 0: not a width that linkers write. */
static size_t encoded_width(uint8_t encoding)
{
	switch (encoding & 7) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
		return 8;
	case DW_EH_PE_udata4:
		return 4;
	case DW_EH_PE_udata2:
		return 2;
	default:
		return 0;
	}
}

static bool read_encoded(struct cursor *cursor, uint8_t encoding, uint64_t *value)
{
	size_t width = encoded_width(encoding);
	uint64_t base = (encoding & 0x70) == DW_EH_PE_pcrel ? cursor->address : 0;
	unsigned unused = 64 - 8 * width;
	uint64_t raw = 0;

	if (!width || width > (size_t)(cursor->end - cursor->position) ||
	    encoding & DW_EH_PE_indirect)
		return false;
	if ((encoding & 0x70) != DW_EH_PE_pcrel && (encoding & 0x70) != DW_EH_PE_absptr)
		return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&raw, cursor->position, width);
#else
	memcpy((uint8_t *)&raw + sizeof(raw) - width, cursor->position, width);
#endif
	cursor->position += width;
	cursor->address += width;
	if (encoding & DW_EH_PE_signed)
		raw = (uint64_t)((int64_t)(raw << unused) >> unused);
	*value = base + raw;
	return true;
}

/* Letter by letter, the augmentation tells what the bytes of its data are. */
static uint8_t address_encoding(const Dwarf_CIE *entry, const uint8_t *end)
{
	const uint8_t *data = entry->augmentation_data;
	const char *letter = entry->augmentation;

	if (!*letter)
		return DW_EH_PE_absptr;
	if (*letter != 'z' || !data || data > end ||
	    entry->augmentation_data_size > (size_t)(end - data))
		return DW_EH_PE_omit;
	end = data + entry->augmentation_data_size;
	while (*++letter && *letter != 'R') {
		if ((*letter == 'L' || *letter == 'P') && data >= end)
			return DW_EH_PE_omit;
		if (*letter == 'L')
			data++;
		else if (*letter == 'P' && (size_t)(end - data) > encoded_width(*data))
			data += 1 + encoded_width(*data);
		else if (!strchr("SB", *letter))
			return DW_EH_PE_omit;
	}
	if (!*letter)
		return DW_EH_PE_absptr;
	return data < end ? *data : DW_EH_PE_omit;
}

static bool add_common(struct unwind_table *table, Dwarf_Off offset, const Dwarf_CIE *entry)
{
	const uint8_t *end = (uint8_t *)table->data->d_buf + table->data->d_size;

	if (table->common_count == table->common_room) {
		size_t room = table->common_room * 2 + 16;
		struct common_entry *more = reallocarray(table->common, room, sizeof(*more));

		if (!more)
			return false;
		table->common = more;
		table->common_room = room;
	}
	table->common[table->common_count].offset = offset;
	table->common[table->common_count++].encoding = address_encoding(entry, end);
	if (entry->augmentation[0] == 'z' && strchr(entry->augmentation, 'P'))
		table->file->has_personality = true;
	return true;
}

static int compare_common(const void *key, const void *element)
{
	const Dwarf_Off *offset = key;
	const struct common_entry *entry = element;

	return *offset < entry->offset ? -1 : *offset > entry->offset;
}

static bool add_function(struct unwind_table *table, const Dwarf_FDE *entry)
{
	struct elf_file *file = table->file;
	struct cursor cursor = { .position = entry->start, .end = entry->end };
	const struct common_entry *common = NULL;
	struct elf_range range;

	if (table->common_count)
		common = bsearch(&entry->CIE_pointer, table->common, table->common_count,
				 sizeof(*common), compare_common);
	cursor.address = table->address + (entry->start - (uint8_t *)table->data->d_buf);
	if (!common || !read_encoded(&cursor, common->encoding, &range.address) ||
	    !read_encoded(&cursor, common->encoding & 7, &range.size))
		return true;
	if (!range.address || !elf_file__is_code_range(file, &range))
		return true;
	if (file->functions_count == table->functions_room) {
		size_t room = table->functions_room * 2 + 256;
		struct elf_range *more = reallocarray(file->functions, room, sizeof(*more));

		if (!more)
			return false;
		file->functions = more;
		table->functions_room = room;
	}
	file->functions[file->functions_count++] = range;
	return true;
}

/* An entry that libdw cannot make sense of is passed over, if it can tell where the next one is. */
static void read_entries(struct unwind_table *table)
{
	const unsigned char *ident = table->file->header.e_ident;
	Dwarf_Off offset = 0, next = 0;
	Dwarf_CFI_Entry entry;
	bool going = true;

	while (going && offset < table->data->d_size) {
		int result = dwarf_next_cfi(ident, table->data, true, offset, &next, &entry);

		if (result == 0 && dwarf_cfi_cie_p(&entry))
			going = add_common(table, offset, &entry.cie);
		else if (result == 0)
			going = add_function(table, &entry.fde);
		going = going && result <= 0 && next > offset;
		offset = next;
	}
}

/*
 * .eh_frame_hdr: version 1, the encodings of three fields, and the first of them, the address of
 * .eh_frame; a NUL entry ends that.
 */
static Elf_Data *find_by_header(const struct elf_file *file, uint64_t *address)
{
	const struct elf_segment *segment;
	uint8_t head[12];
	struct cursor cursor = { head + 4, head + sizeof(head), file->unwind_header + 4 };

	if (!file->unwind_header ||
	    elf_file__read(file, file->unwind_header, head, sizeof(head)) != sizeof(head) ||
	    head[0] != 1 || !read_encoded(&cursor, head[1], address))
		return NULL;
	segment = elf_file__segment_at(file, *address);
	if (!segment || *address - segment->address >= segment->file_size)
		return NULL;
	return elf_file__chunk(file, *address, segment->file_size - (*address - segment->address),
			       ELF_T_BYTE);
}

static int compare_ranges(const void *first, const void *second)
{
	const struct elf_range *a = first, *b = second;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->size > b->size ? -1 : a->size < b->size;
}

static void sort_functions(struct elf_file *file)
{
	size_t kept = 0;

	if (file->functions_count)
		qsort(file->functions, file->functions_count, sizeof(*file->functions),
		      compare_ranges);
	for (size_t i = 0; i < file->functions_count; i++) {
		if (!kept || file->functions[kept - 1].address != file->functions[i].address)
			file->functions[kept++] = file->functions[i];
	}
	file->functions_count = kept;
}

static void need_unwind_table(struct elf_file *file)
{
	struct unwind_table table = { .file = file };

	if (file->unwind_read)
		return;
	file->unwind_read = true;
	table.data = elf_section__data(file->elf, ".eh_frame", &table.address);
	if (!table.data)
		table.data = find_by_header(file, &table.address);
	if (!table.data)
		return;
	read_entries(&table);
	free(table.common);
	sort_functions(file);
}

bool elf_file__may_unwind(struct elf_file *file)
{
	need_unwind_table(file);
	return file->has_personality;
}

size_t elf_file__functions(struct elf_file *file, const struct elf_range **functions)
{
	need_unwind_table(file);
	if (!file->functions_count)
		return elf_file__sized_functions(file, functions);
	*functions = file->functions;
	return file->functions_count;
}

/* The range around address in a sorted list. */
static bool find_range(const struct elf_range *list, size_t count, uint64_t address,
		       struct elf_range *found)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (list[middle].address <= address)
			from = middle + 1;
		else
			to = middle;
	}
	if (!from || address - list[from - 1].address >= list[from - 1].size)
		return false;
	*found = list[from - 1];
	return true;
}

bool elf_file__function_at(struct elf_file *file, uint64_t address, struct elf_range *function)
{
	const struct elf_range *list;
	size_t count;

	need_unwind_table(file);
	if (find_range(file->functions, file->functions_count, address, function))
		return true;
	count = elf_file__sized_functions(file, &list);
	return find_range(list, count, address, function);
}
