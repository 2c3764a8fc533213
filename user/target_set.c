/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathers all targets: the built-in ones and those of a directory, which replace them by name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "target.h"
#include "target_source.h"

/* Made from user/targets/ by tools/embed-targets.sh; ended by a row of zeros. */
extern const struct embedded_target {
	const char *name, *text, *end;
} embedded_targets[];

static const struct target *find(const struct target_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (strcmp(set->targets[i]->name, name) == 0)
			return set->targets[i];
	return NULL;
}

/* Owns target from here on. */
static int append(struct target_set *set, struct target *target)
{
	struct target **targets;

	targets = reallocarray(set->targets, set->count + 1, sizeof(*targets));
	if (!targets) {
		target__free(target);
		return -ENOMEM;
	}
	set->targets = targets;
	set->targets[set->count++] = target;
	return 0;
}

static int add_text(struct target_set *set, const char *text, size_t size, const char *origin)
{
	struct target *target = target__parse(text, size, origin);
	const struct target *other;

	if (!target)
		return -EINVAL;
	other = find(set, target->name);
	if (!other)
		return append(set, target);
	log_error("%s: name: '%s' is the name of %s too", origin, target->name, other->origin);
	target__free(target);
	return -EINVAL;
}

static int load_built_in(struct target_set *set)
{
	int result = 0;

	for (const struct embedded_target *file = embedded_targets; file->name; file++) {
		char origin[NAME_MAX + 16];
		int error;

		snprintf(origin, sizeof(origin), "built-in %s.yaml", file->name);
		error = add_text(set, file->text, (size_t)(file->end - file->text), origin);
		if (error)
			result = error;
	}
	return result;
}

/* At most room bytes of a regular file. How many, or -errno. */
static ssize_t read_file(const char *path, char *text, size_t room)
{
	/* Without O_NONBLOCK a named pipe would hold up the open. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	ssize_t count = 1;
	size_t size = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (count > 0 && size < room) {
		count = read(fd, text + size, room - size);
		if (count > 0)
			size += (size_t)count;
	}
	if (count < 0)
		count = -errno;
	else
		count = (ssize_t)size;
	close(fd);
	return count;
}

static int add_file(struct target_set *set, const char *path)
{
	/* One byte more, by which a file that is too large shows. */
	size_t room = TARGET_MAX_SIZE + 1;
	char *text = malloc(room);
	ssize_t size;
	int error;

	if (!text)
		return -ENOMEM;
	size = read_file(path, text, room);
	if (size >= 0) {
		error = add_text(set, text, (size_t)size, path);
	} else {
		log_error("%s: cannot be read: %s", path,
			  size == -EINVAL ? "not a regular file" : strerror((int)-size));
		error = -EINVAL;
	}
	free(text);
	return error;
}

/* Files whose names begin with a dot are those of editors. */
static int is_target_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(".yaml");

	return entry->d_name[0] != '.' && length > suffix &&
	       strcmp(entry->d_name + length - suffix, ".yaml") == 0;
}

static int by_file_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_directory(struct target_set *set, const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_target_file, by_file_name);
	int result = count < 0 ? -errno : 0;

	for (int i = 0; i < count; i++) {
		char *path;
		int error = -ENOMEM;

		if (asprintf(&path, "%s/%s", directory, entries[i]->d_name) >= 0) {
			error = add_file(set, path);
			free(path);
		}
		if (error)
			result = error;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return result;
}

static int by_target_name(const void *a, const void *b)
{
	const struct target *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* Moves into set the targets of built_in whose names set does not have. */
static int complete(struct target_set *set, struct target_set *built_in)
{
	int error = 0;

	for (unsigned i = 0; i < built_in->count && !error; i++) {
		if (find(set, built_in->targets[i]->name))
			continue;
		error = append(set, built_in->targets[i]);
		built_in->targets[i] = NULL;
	}
	if (set->count > 0)
		qsort(set->targets, set->count, sizeof(*set->targets), by_target_name);
	return error;
}

int target_set__load(struct target_set *set, const char *directory)
{
	struct target_set built_in = { 0 };
	int error, built_in_error;

	*set = (struct target_set){ 0 };
	error = directory ? load_directory(set, directory) : 0;
	built_in_error = load_built_in(&built_in);
	if (!error)
		error = built_in_error;
	if (!error)
		error = complete(set, &built_in);
	target_set__free(&built_in);
	if (error)
		target_set__free(set);
	return error;
}

void target_set__free(struct target_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		target__free(set->targets[i]);
	free(set->targets);
	*set = (struct target_set){ 0 };
}
