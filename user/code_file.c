// SPDX-License-Identifier: BSD-2-Clause
/* The files with code that traced processes have mapped: each is opened and examined once, whoever
 * maps it. */
#include "code_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static struct code_file *find(const struct code_files *files, uint64_t device, uint64_t inode)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (files->list[i]->inode == inode && files->list[i]->device == device)
			return files->list[i];
	return NULL;
}

static void free_file(struct code_file *file)
{
	if (!file)
		return;
	elf_file__close(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
}

static struct code_file *keep(struct code_files *files, struct code_file *file)
{
	struct code_file **list;

	if (files->count == files->room) {
		list = reallocarray(files->list, files->room ? 2 * files->room : 16,
				    sizeof(struct code_file *));
		if (!list)
			return NULL;
		files->list = list;
		files->room = files->room ? 2 * files->room : 16;
	}
	files->list[files->count++] = file;
	return file;
}

struct code_file *code_files__of_mapping(struct code_files *files, const struct process *process,
					 const struct mapping *mapping)
{
	struct code_file *file = find(files, mapping->device, mapping->inode);
	char root[64];
	int err;

	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->device = mapping->device;
	file->inode = mapping->inode;
	file->path = strdup(mapping->path);
	file->fd = process__open_mapping(process, mapping);
	if (file->fd < 0) {
		log_debug("cannot open %s of process %d: %s", mapping->path, process->pid,
			  strerror(-file->fd));
		free_file(file);
		return NULL;
	}
	process__root(process, root, sizeof(root));
	err = elf_file__open(&file->elf, file->fd, root);
	if (err)
		log_debug("%s is not examined: %s", mapping->path, strerror(-err));
	if (!file->path || !keep(files, file)) {
		free_file(file);
		return NULL;
	}
	return file;
}

void code_files__free(struct code_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		free_file(files->list[i]);
	free(files->list);
	memset(files, 0, sizeof(*files));
}

uint64_t code_file__bias(const struct code_file *file, const struct mapping *mapping)
{
	uint64_t bias;

	return elf_file__bias(file->elf, mapping->start, mapping->offset, &bias) ? bias : 0;
}
