/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes as /proc shows them: who they are, what they have mapped, whether they still live. */
#ifndef CACHETRACE_PROCESS_H
#define CACHETRACE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file-backed stretch of a process' memory. */
struct mapping {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	uint64_t device, inode;
	bool readable, writable, executable;
	char *path;		/* as the process sees it, without " (deleted)"; "" if anonymous */
};

struct process {
	pid_t pid;
	pid_t parent;
	uint64_t start_time; /* clock ticks since boot: with the pid, the identity of the process */
	char *comm;
	char *exe;		/* path as the process sees it */
	char *cgroup;		/* of cgroup v2, or the first of v1 */
	char *container;	/* id of 12 hex digits found in the cgroup's path, or NULL */
	struct mapping *mappings;
	size_t mappings_count;
	int pidfd;		/* readable when it ends; -1 where the kernel has none */
};

/* 0; -ESRCH: no such process; -EACCES: not allowed to look; a thread's id is turned into its
 * process'. */
int process__open(struct process **process, pid_t pid);
void process__close(struct process *process);

/* Reads the mappings anew; *changed tells whether an executable mapping came or went. 0 or -errno
 * (-ESRCH: it ended). */
int process__read_mappings(struct process *process, bool *changed);

/* True while the process lives (a zombie does not). */
bool process__alive(const struct process *process);

/*
 * Opens the very file behind a mapping (deleted, replaced or in another mount namespace all the
 * same). A file descriptor, or -errno.
 */
int process__open_mapping(const struct process *process, const struct mapping *mapping);
/* "/proc/PID/root", the folder below which the process' own paths are seen. */
void process__root(const struct process *process, char *path, size_t size);

/* The path by which the kernel finds the file open at fd again. */
void process__fd_path(int fd, char *path, size_t size);

/* Copies memory of the process. How many bytes could be read (a short count at an unmapped page),
 * or -errno. */
ssize_t process__read(const struct process *process, uint64_t address, void *buffer, size_t size);

/* Figures of this very process. */
struct self_usage {
	double cpu_seconds;
	uint64_t rss_bytes;
};
void process__self_usage(struct self_usage *usage);
/* Capabilities in effect, as a bit mask by CAP_ number. */
uint64_t process__self_capabilities(void);
/* Device and inode of this process' pid namespace, and whether it is the host's own. */
bool process__in_initial_pid_namespace(uint64_t *device, uint64_t *inode);

/* Kernel release, host name, boot id: owned by the caller (free). */
char *process__host_name(void);
char *process__kernel_release(void);
char *process__boot_id(void);

#endif
