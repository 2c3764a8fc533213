/* SPDX-License-Identifier: BSD-2-Clause */
/* One ELF file: opening it without trusting it, and what it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_private.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_BYTE_ORDER ELFDATA2LSB
#else
#define OWN_BYTE_ORDER ELFDATA2MSB
#endif

bool elf_header__is_usable(Elf *elf, GElf_Ehdr *header)
{
	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, header))
		return false;
	return header->e_ident[EI_CLASS] == ELFCLASS64 &&
	       header->e_ident[EI_DATA] == OWN_BYTE_ORDER &&
	       (header->e_type == ET_EXEC || header->e_type == ET_DYN);
}

void elf_build_id__read(Elf *elf, char hex[2 * ELF_MAX_BUILD_ID + 1])
{
	static const char digits[] = "0123456789abcdef";
	const void *id;
	ssize_t size = dwelf_elf_gnu_build_id(elf, &id);
	const uint8_t *bytes = id;

	if (size <= 0 || size > ELF_MAX_BUILD_ID)
		size = 0;
	for (ssize_t i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}

static Elf_Scn *section_by_name(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	for (size_t i = 0; i < ELF_MAX_SECTIONS; i++) {
		const char *found;

		section = elf_nextscn(elf, section);
		if (!section)
			return NULL;
		if (!gelf_getshdr(section, header))
			continue;
		found = elf_strptr(elf, names, header->sh_name);
		if (found && !strcmp(found, name))
			return section;
	}
	return NULL;
}

Elf_Data *elf_section__data(Elf *elf, const char *name, uint64_t *address)
{
	GElf_Shdr header;
	Elf_Scn *section = section_by_name(elf, name, &header);
	Elf_Data *data;

	if (!section || header.sh_type == SHT_NOBITS || header.sh_flags & SHF_COMPRESSED)
		return NULL;
	data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return NULL;
	if (address)
		*address = header.sh_addr;
	return data;
}

/* .note.go.buildid is kept by strip, and by linkers that rename the other sections. */
static bool has_go_note(Elf *elf, const GElf_Phdr *segment)
{
	Elf_Type type = segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
	size_t offset = 0, name, description;
	GElf_Nhdr note;
	Elf_Data *data;

	if (segment->p_filesz > ELF_MAX_NOTES)
		return false;
	data = elf_getdata_rawchunk(elf, segment->p_offset, segment->p_filesz, type);
	while (data && (offset = gelf_getnote(data, offset, &note, &name, &description)) > 0) {
		if (note.n_namesz >= 3 && !memcmp((char *)data->d_buf + name, "Go", 3))
			return true;
	}
	return false;
}

static void add_segment(struct elf_file *file, const GElf_Phdr *header)
{
	struct elf_segment *segment = &file->segments[file->segments_count];
	uint64_t end, room;

	if (!header->p_memsz || __builtin_add_overflow(header->p_vaddr, header->p_memsz, &end))
		return;
	segment->address = header->p_vaddr;
	segment->memory_size = header->p_memsz;
	segment->offset = header->p_offset;
	segment->file_size = header->p_filesz;
	segment->executable = header->p_flags & PF_X;
	if (segment->file_size > segment->memory_size)
		segment->file_size = segment->memory_size;
	room = segment->offset < file->size ? file->size - segment->offset : 0;
	segment->zero_filled = segment->file_size <= room;
	if (segment->file_size > room)
		segment->file_size = room;
	file->segments_count++;
}

static void read_dynamic_entry(struct elf_dynamic *dynamic, const GElf_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_STRTAB:
		dynamic->strings = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		dynamic->strings_size = entry->d_un.d_val;
		break;
	case DT_SYMTAB:
		dynamic->symbols = entry->d_un.d_ptr;
		break;
	case DT_HASH:
		dynamic->hash = entry->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		dynamic->gnu_hash = entry->d_un.d_ptr;
		break;
	case DT_JMPREL:
		dynamic->plt_relocations = entry->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		dynamic->plt_relocations_size = entry->d_un.d_val;
		break;
	case DT_RELA:
		dynamic->relocations = entry->d_un.d_ptr;
		break;
	case DT_RELASZ:
		dynamic->relocations_size = entry->d_un.d_val;
		break;
	case DT_SONAME:
		dynamic->soname = entry->d_un.d_val;
		dynamic->has_soname = true;
		break;
	}
}

static void read_dynamic(struct elf_file *file, const GElf_Phdr *segment)
{
	Elf_Data *data = NULL;
	GElf_Dyn entry;

	if (segment->p_filesz <= ELF_MAX_DYNAMIC)
		data = elf_getdata_rawchunk(file->elf, segment->p_offset, segment->p_filesz,
					    ELF_T_DYN);
	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		read_dynamic_entry(&file->dynamic, &entry);
}

static int read_segments(struct elf_file *file)
{
	GElf_Phdr segment;
	size_t count;

	if (elf_getphdrnum(file->elf, &count) || count > ELF_MAX_SEGMENTS)
		return -ENOEXEC;
	file->segments = calloc(count + 1, sizeof(*file->segments));
	if (!file->segments)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, i, &segment))
			return -ENOEXEC;
		if (segment.p_type == PT_LOAD)
			add_segment(file, &segment);
		else if (segment.p_type == PT_DYNAMIC)
			read_dynamic(file, &segment);
		else if (segment.p_type == PT_NOTE)
			file->is_go = file->is_go || has_go_note(file->elf, &segment);
		else if (segment.p_type == PT_GNU_EH_FRAME)
			file->unwind_header = segment.p_vaddr;
	}
	return 0;
}

static int read_soname(struct elf_file *file)
{
	const struct elf_dynamic *dynamic = &file->dynamic;
	char name[ELF_MAX_NAME] = "";
	uint64_t address;
	size_t size = 0;

	if (dynamic->has_soname && dynamic->soname < dynamic->strings_size &&
	    !__builtin_add_overflow(dynamic->strings, dynamic->soname, &address))
		size = elf_file__read(file, address, name, sizeof(name));
	if (!memchr(name, '\0', size))
		name[0] = '\0';
	file->soname = strdup(name);
	return file->soname ? 0 : -ENOMEM;
}

/* libelf reads on demand: a mapped file would kill its reader if somebody truncated it. */
static int open_elf(struct elf_file *file, int fd)
{
	struct stat status;

	file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (file->fd < 0 || fstat(file->fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENOEXEC;
	file->size = status.st_size;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	if (!file->elf || !elf_header__is_usable(file->elf, &file->header))
		return -ENOEXEC;
	return read_segments(file);
}

static int read_identity(struct elf_file *file, int fd, const char *root)
{
	GElf_Shdr section;
	int error;

	file->root = strdup(root);
	if (!file->root)
		return -ENOMEM;
	error = open_elf(file, fd);
	if (error)
		return error;
	elf_build_id__read(file->elf, file->build_id);
	file->is_go = file->is_go || section_by_name(file->elf, ".gopclntab", &section) ||
		      section_by_name(file->elf, ".go.buildinfo", &section);
	return read_soname(file);
}

int elf_file__open(struct elf_file **opened, int fd, const char *root)
{
	struct elf_file *file = calloc(1, sizeof(*file));
	int error;

	if (!file)
		return -ENOMEM;
	file->fd = file->separate.fd = file->embedded.fd = -1;
	error = read_identity(file, fd, root);
	if (error) {
		elf_file__close(file);
		return error;
	}
	*opened = file;
	return 0;
}

void elf_file__close(struct elf_file *file)
{
	if (!file)
		return;
	elf_file__free_symbols(file);
	elf_debug__close(&file->separate);
	elf_debug__close(&file->embedded);
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->functions);
	free(file->slots);
	free(file->segments);
	free(file->soname);
	free(file->root);
	free(file);
}

enum elf_machine elf_file__machine(const struct elf_file *file)
{
	switch (file->header.e_machine) {
	case EM_X86_64:
		return ELF_MACHINE_X86_64;
	case EM_AARCH64:
		return ELF_MACHINE_AARCH64;
	default:
		return ELF_MACHINE_OTHER;
	}
}

const char *elf_file__build_id(const struct elf_file *file)
{
	return file->build_id;
}

const char *elf_file__soname(const struct elf_file *file)
{
	return file->soname;
}

bool elf_file__is_go(const struct elf_file *file)
{
	return file->is_go;
}
