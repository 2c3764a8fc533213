// SPDX-License-Identifier: BSD-2-Clause
/* Owns /proc: identity, mappings and memory of processes, and facts about this one and the host. */
#include "process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { SMALL_FILE = 4096, CONTAINER_ID = 64, CONTAINER_ID_SHOWN = 12 };

/* The inode of the first pid namespace (include/linux/proc_ns.h: PROC_PID_INIT_INO). */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCu

/* The first size - 1 bytes of a file below /proc as a string: how many, or -errno. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		got = read(fd, text + used, size - 1 - used);
		if (got < 0) {
			got = -errno;
			close(fd);
			return got;
		}
		if (!got)
			break;
		used += got;
	}
	close(fd);
	text[used] = '\0';
	return used;
}

static ssize_t read_process_text(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	got = read_text(path, text, size);
	return got == -ENOENT ? -ESRCH : got;
}

/* The decimal number behind "\nname:\t" in the text of /proc/PID/status; -1 if there is none. */
static long long status_number(const char *status, const char *name, int base)
{
	char pattern[32];
	const char *found;

	snprintf(pattern, sizeof(pattern), "\n%s:", name);
	found = strstr(status, pattern);
	return found ? strtoll(found + strlen(pattern), NULL, base) : -1;
}

static char *read_link(pid_t pid, const char *name)
{
	char path[64], target[SMALL_FILE];
	static const char deleted[] = " (deleted)";
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return NULL;
	target[length] = '\0';
	if ((size_t)length > sizeof(deleted) &&
	    !strcmp(target + length - (sizeof(deleted) - 1), deleted))
		target[length - (sizeof(deleted) - 1)] = '\0';
	return strdup(target);
}

/* The id is written as 64 hex digits somewhere in the cgroup's path, whatever the runtime puts
 * around it. */
static char *container_id(const char *cgroup)
{
	const char *start = cgroup;
	size_t length;

	for (; *start; start += length + !!start[length]) {
		for (length = 0; isxdigit((unsigned char)start[length]); length++)
			;
		if (length == CONTAINER_ID)
			return strndup(start, CONTAINER_ID_SHOWN);
	}
	return NULL;
}

/* "0::/path" is the unified hierarchy; without one the first line stands for the process. */
static char *parse_cgroup(char *text)
{
	char *line, *rest, *path = NULL;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *colon = strchr(line, ':');

		colon = colon ? strchr(colon + 1, ':') : NULL;
		if (!colon)
			continue;
		if (!path || !strncmp(line, "0::", 3))
			path = colon + 1;
	}
	return path ? strdup(path) : NULL;
}

/* Field 22 of /proc/PID/stat. The command name in field 2 may hold spaces and parentheses. */
static int read_start_time(struct process *process)
{
	char text[SMALL_FILE], *field;
	ssize_t got = read_process_text(process->pid, "stat", text, sizeof(text));
	int number;

	if (got < 0)
		return got;
	field = strrchr(text, ')');
	for (number = 2; field && number < 22; number++) {
		field = strchr(field + 1, ' ');
		if (field && number == 3)
			process->parent = strtol(field, NULL, 10);
	}
	if (!field)
		return -ESRCH;
	process->start_time = strtoull(field, NULL, 10);
	return 0;
}

static int read_identity(struct process *process)
{
	char text[SMALL_FILE];
	ssize_t got;
	int err;

	err = read_start_time(process);
	if (err)
		return err;
	got = read_process_text(process->pid, "comm", text, sizeof(text));
	if (got < 0)
		return got;
	text[strcspn(text, "\n")] = '\0';
	process->comm = strdup(text);
	process->exe = read_link(process->pid, "exe");
	if (read_process_text(process->pid, "cgroup", text, sizeof(text)) > 0)
		process->cgroup = parse_cgroup(text);
	if (process->cgroup)
		process->container = container_id(process->cgroup);
	return process->comm ? 0 : -ENOMEM;
}

int process__open(struct process **result, pid_t pid)
{
	struct process *process;
	char status[SMALL_FILE];
	ssize_t got = read_process_text(pid, "status", status, sizeof(status));
	long long tgid;
	bool changed;
	int err;

	if (got < 0)
		return got;
	tgid = status_number(status, "Tgid", 10);
	process = calloc(1, sizeof(*process));
	if (!process)
		return -ENOMEM;
	process->pid = tgid > 0 ? (pid_t)tgid : pid;
	process->pidfd = syscall(SYS_pidfd_open, process->pid, 0);
	err = read_identity(process);
	if (!err)
		err = process__read_mappings(process, &changed);
	if (err) {
		process__close(process);
		return err;
	}
	*result = process;
	return 0;
}

static void free_mappings(struct mapping *mappings, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(mappings[i].path);
	free(mappings);
}

void process__close(struct process *process)
{
	if (!process)
		return;
	if (process->pidfd >= 0)
		close(process->pidfd);
	free_mappings(process->mappings, process->mappings_count);
	free(process->comm);
	free(process->exe);
	free(process->cgroup);
	free(process->container);
	free(process);
}

/* The kernel writes a newline in a path as \012, and nothing else in another form. */
static char *unescape_path(const char *path)
{
	static const char deleted[] = " (deleted)";
	char *copy = strdup(path), *from, *to;
	size_t length;

	if (!copy)
		return NULL;
	for (from = to = copy; *from; to++) {
		if (!strncmp(from, "\\012", 4)) {
			*to = '\n';
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	length = strlen(copy);
	if (length >= sizeof(deleted) && !strcmp(copy + length - (sizeof(deleted) - 1), deleted))
		copy[length - (sizeof(deleted) - 1)] = '\0';
	return copy;
}

/* "start-end perms offset major:minor inode   path" */
static int parse_mapping(const char *line, struct mapping *mapping)
{
	unsigned int major, minor;
	char permissions[8];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &mapping->start, &mapping->end, permissions, &mapping->offset, &major, &minor,
		   &mapping->inode, &path) < 7)
		return -EINVAL;
	mapping->device = makedev(major, minor);
	mapping->readable = permissions[0] == 'r';
	mapping->writable = permissions[1] == 'w';
	mapping->executable = permissions[2] == 'x';
	mapping->path = unescape_path(path ? line + path : "");
	return mapping->path ? 0 : -ENOMEM;
}

static int parse_mappings(FILE *stream, struct mapping **mappings, size_t *count)
{
	struct mapping *larger;
	size_t room = 0, size = 0;
	char *line = NULL;
	ssize_t length;
	int err = 0;

	while (!err && (length = getline(&line, &size, stream)) > 0) {
		line[length - 1] = '\0';
		if (*count == room) {
			room = room ? 2 * room : 64;
			larger = reallocarray(*mappings, room, sizeof(*larger));
			if (!larger) {
				err = -ENOMEM;
				break;
			}
			*mappings = larger;
		}
		err = parse_mapping(line, &(*mappings)[*count]);
		if (!err)
			(*count)++;
	}
	free(line);
	return err;
}

/* The executable mappings of files, in order: what decides about probes. */
static bool same_code(const struct mapping *a, size_t a_count, const struct mapping *b,
		      size_t b_count)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a_count && !(a[i].executable && a[i].inode))
			i++;
		while (j < b_count && !(b[j].executable && b[j].inode))
			j++;
		if (i == a_count || j == b_count)
			return i == a_count && j == b_count;
		if (a[i].start != b[j].start || a[i].inode != b[j].inode ||
		    a[i].device != b[j].device || a[i].offset != b[j].offset)
			return false;
		i++;
		j++;
	}
}

int process__read_mappings(struct process *process, bool *changed)
{
	struct mapping *mappings = NULL;
	size_t count = 0;
	char path[64];
	FILE *stream;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
	stream = fopen(path, "re");
	if (!stream)
		return errno == ENOENT ? -ESRCH : -errno;
	err = parse_mappings(stream, &mappings, &count);
	if (!err && ferror(stream))
		err = -ESRCH;
	fclose(stream);
	if (err) {
		free_mappings(mappings, count);
		return err;
	}
	*changed = !same_code(mappings, count, process->mappings, process->mappings_count);
	free_mappings(process->mappings, process->mappings_count);
	process->mappings = mappings;
	process->mappings_count = count;
	return 0;
}

bool process__alive(const struct process *process)
{
	struct pollfd poll_pidfd = { .fd = process->pidfd, .events = POLLIN };
	struct process now = { .pid = process->pid };

	if (process->pidfd >= 0)
		return poll(&poll_pidfd, 1, 0) == 0;
	return !read_start_time(&now) && now.start_time == process->start_time;
}

static int open_if_same(const char *path, const struct mapping *mapping)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -errno;
	/* The device is not compared: overlay and btrfs show another one in the mapping than in the
	 * file. */
	if (fstat(fd, &status) || status.st_ino != mapping->inode || !S_ISREG(status.st_mode)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int process__open_mapping(const struct process *process, const struct mapping *mapping)
{
	char path[SMALL_FILE];
	int fd, err;

	/* The mapping's own link leads to deleted files too, but needs CAP_SYS_ADMIN or
	 * CAP_CHECKPOINT_RESTORE. */
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, process->pid,
		 mapping->start, mapping->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	err = -errno;
	if (process->exe && !strcmp(process->exe, mapping->path)) {
		snprintf(path, sizeof(path), "/proc/%d/exe", process->pid);
		fd = open_if_same(path, mapping);
		if (fd >= 0)
			return fd;
	}
	if (snprintf(path, sizeof(path), "/proc/%d/root%s", process->pid, mapping->path) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open_if_same(path, mapping);
	return fd >= 0 || err == -ENOENT ? fd : err;
}

void process__root(const struct process *process, char *path, size_t size)
{
	snprintf(path, size, "/proc/%d/root", process->pid);
}

void process__fd_path(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

ssize_t process__read(const struct process *process, uint64_t address, void *buffer, size_t size)
{
	struct iovec here = { .iov_base = buffer, .iov_len = size };
	struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
	ssize_t got = process_vm_readv(process->pid, &here, 1, &there, 1, 0);

	return got < 0 ? -errno : got;
}

static double seconds(struct timeval time)
{
	return time.tv_sec + time.tv_usec / 1e6;
}

void process__self_usage(struct self_usage *usage)
{
	struct rusage self;
	char text[SMALL_FILE];
	unsigned long long pages = 0;

	memset(usage, 0, sizeof(*usage));
	if (!getrusage(RUSAGE_SELF, &self))
		usage->cpu_seconds = seconds(self.ru_utime) + seconds(self.ru_stime);
	if (read_text("/proc/self/statm", text, sizeof(text)) > 0 &&
	    sscanf(text, "%*u %llu", &pages) == 1)
		usage->rss_bytes = pages * sysconf(_SC_PAGESIZE);
}

uint64_t process__self_capabilities(void)
{
	char status[SMALL_FILE];

	if (read_text("/proc/self/status", status, sizeof(status)) < 0)
		return 0;
	return status_number(status, "CapEff", 16);
}

bool process__in_initial_pid_namespace(uint64_t *device, uint64_t *inode)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status))
		return true;
	*device = status.st_dev;
	*inode = status.st_ino;
	return status.st_ino == INITIAL_PID_NAMESPACE;
}

char *process__host_name(void)
{
	struct utsname names;

	return uname(&names) ? NULL : strdup(names.nodename);
}

char *process__kernel_release(void)
{
	struct utsname names;

	return uname(&names) ? NULL : strdup(names.release);
}

char *process__boot_id(void)
{
	char text[64];

	if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof(text)) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return strdup(text);
}
