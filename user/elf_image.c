/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory image that the segments of an ELF file describe: addresses, file offsets, bytes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "elf_private.h"

const struct elf_segment *elf_file__segment_at(const struct elf_file *file, uint64_t address)
{
	for (size_t i = 0; i < file->segments_count; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (address >= segment->address &&
		    address - segment->address < segment->memory_size)
			return segment;
	}
	return NULL;
}

bool elf_file__offset_to_address(const struct elf_file *file, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < file->segments_count; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (offset < segment->offset || offset - segment->offset >= segment->file_size)
			continue;
		*address = segment->address + (offset - segment->offset);
		return true;
	}
	return false;
}

bool elf_file__address_to_offset(const struct elf_file *file, uint64_t address, uint64_t *offset)
{
	const struct elf_segment *segment = elf_file__segment_at(file, address);

	if (!segment || address - segment->address >= segment->file_size)
		return false;
	*offset = segment->offset + (address - segment->address);
	return true;
}

uint64_t elf_file__base(const struct elf_file *file)
{
	uint64_t base = file->segments_count ? UINT64_MAX : 0;

	for (size_t i = 0; i < file->segments_count; i++) {
		if (file->segments[i].address < base)
			base = file->segments[i].address;
	}
	return base & -(uint64_t)sysconf(_SC_PAGESIZE);
}

bool elf_file__bias(const struct elf_file *file, uint64_t start, uint64_t offset, uint64_t *bias)
{
	uint64_t page = -(uint64_t)sysconf(_SC_PAGESIZE);
	const struct elf_segment *best = NULL;

	for (size_t i = 0; i < file->segments_count; i++) {
		const struct elf_segment *segment = &file->segments[i];
		uint64_t first = segment->offset & page;

		if (!segment->executable || offset < first ||
		    offset - first >= segment->file_size + (segment->offset - first))
			continue;
		if (!best || first > (best->offset & page))
			best = segment;
	}
	if (!best)
		return false;
	*bias = start - offset - (best->address - best->offset);
	return true;
}

bool elf_file__is_code(const struct elf_file *file, uint64_t address)
{
	const struct elf_segment *segment = elf_file__segment_at(file, address);

	return segment && segment->executable;
}

bool elf_file__is_code_range(const struct elf_file *file, const struct elf_range *range)
{
	const struct elf_segment *segment = elf_file__segment_at(file, range->address);

	return segment && segment->executable && range->size &&
	       range->size <= segment->memory_size - (range->address - segment->address);
}

Elf_Data *elf_file__chunk(const struct elf_file *file, uint64_t address, uint64_t size,
			  Elf_Type type)
{
	const struct elf_segment *segment = elf_file__segment_at(file, address);
	uint64_t into;

	if (!segment || !size)
		return NULL;
	into = address - segment->address;
	if (into >= segment->file_size || size > segment->file_size - into)
		return NULL;
	return elf_getdata_rawchunk(file->elf, segment->offset + into, size, type);
}

static size_t read_file(int fd, uint64_t offset, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = pread(fd, buffer + done, size - done, offset + done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		done += count;
	}
	return done;
}

/* The part of the range that lies in the one segment at its beginning. */
static size_t read_segment(const struct elf_file *file, uint64_t address, char *buffer, size_t size)
{
	const struct elf_segment *segment = elf_file__segment_at(file, address);
	uint64_t into;
	size_t count;

	if (!segment)
		return 0;
	into = address - segment->address;
	if (into < segment->file_size) {
		if (size > segment->file_size - into)
			size = segment->file_size - into;
		return read_file(file->fd, segment->offset + into, buffer, size);
	}
	if (!segment->zero_filled)
		return 0;
	count = segment->memory_size - into;
	if (count > size)
		count = size;
	memset(buffer, 0, count);
	return count;
}

size_t elf_file__read(const struct elf_file *file, uint64_t address, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		char *to = (char *)buffer + done;
		size_t count = read_segment(file, address + done, to, size - done);

		if (!count)
			break;
		done += count;
	}
	return done;
}
