/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug data kept apart from its file: found by build-id, or packed into .gnu_debugdata. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <lzma.h>

#include "elf_private.h"

enum {
	/* The strongest preset of xz needs 65 MiB to unpack. */
	UNPACK_MAX_MEMORY = 80 << 20,
	UNPACK_MAX_SIZE = 128 << 20,
	UNPACK_FIRST_SIZE = 64 << 10,
};

/* A path of another root is followed as that root's processes would: links never lead out of it. */
static int open_inside(const char *root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT,
	};
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (folder < 0)
		return -1;
	fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
	close(folder);
	return fd;
}

static bool is_debug_file_of(const struct elf_file *file, Elf *elf)
{
	char build_id[2 * ELF_MAX_BUILD_ID + 1];
	GElf_Ehdr header;

	if (!elf_header__is_usable(elf, &header) || header.e_machine != file->header.e_machine)
		return false;
	elf_build_id__read(elf, build_id);
	return !strcmp(build_id, file->build_id);
}

static bool use_debug_file(const struct elf_file *file, int fd, struct elf_debug *debug)
{
	struct stat status;

	if (fd < 0)
		return false;
	debug->fd = fd;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode)) {
		debug->elf = elf_begin(fd, ELF_C_READ, NULL);
		if (debug->elf && is_debug_file_of(file, debug->elf))
			return true;
	}
	elf_debug__close(debug);
	return false;
}

bool elf_debug__open_separate(const struct elf_file *file, struct elf_debug *debug)
{
	char path[64 + sizeof(file->build_id)];

	if (!file->build_id[0])
		return false;
	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", file->build_id,
		 file->build_id + 2);
	if (file->root[0] && use_debug_file(file, open_inside(file->root, path), debug))
		return true;
	return use_debug_file(file, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
			      debug);
}

/* Makes room for more output. False at the end of what is allowed. */
static bool grow_output(lzma_stream *stream, uint8_t **image, size_t *room)
{
	size_t more = *room ? *room * 2 : UNPACK_FIRST_SIZE;
	uint8_t *moved = more <= UNPACK_MAX_SIZE ? realloc(*image, more) : NULL;

	if (!moved)
		return false;
	*image = moved;
	*room = more;
	stream->next_out = moved + stream->total_out;
	stream->avail_out = more - stream->total_out;
	return true;
}

/* NULL unless the whole stream can be unpacked. */
static uint8_t *unpack(const Elf_Data *packed, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result = LZMA_OK;
	uint8_t *image = NULL;
	size_t room = 0;

	if (lzma_stream_decoder(&stream, UNPACK_MAX_MEMORY, 0) != LZMA_OK)
		return NULL;
	stream.next_in = packed->d_buf;
	stream.avail_in = packed->d_size;
	while (result == LZMA_OK) {
		if (!stream.avail_out && !grow_output(&stream, &image, &room))
			break;
		result = lzma_code(&stream, LZMA_FINISH);
	}
	*size = stream.total_out;
	lzma_end(&stream);
	if (result == LZMA_STREAM_END)
		return image;
	free(image);
	return NULL;
}

bool elf_debug__open_embedded(const struct elf_file *file, struct elf_debug *debug)
{
	Elf_Data *packed = elf_section__data(file->elf, ".gnu_debugdata", NULL);
	GElf_Ehdr header;
	size_t size;

	debug->image = packed ? unpack(packed, &size) : NULL;
	if (!debug->image)
		return false;
	debug->elf = elf_memory(debug->image, size);
	if (debug->elf && elf_header__is_usable(debug->elf, &header) &&
	    header.e_machine == file->header.e_machine)
		return true;
	elf_debug__close(debug);
	return false;
}

void elf_debug__close(struct elf_debug *debug)
{
	elf_end(debug->elf);
	if (debug->fd >= 0)
		close(debug->fd);
	free(debug->image);
	debug->elf = NULL;
	debug->fd = -1;
	debug->image = NULL;
}
