/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the tracer share. */
#ifndef CACHETRACE_TRACER_PRIVATE_H
#define CACHETRACE_TRACER_PRIVATE_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tracer.h"
#include "cachetrace.skel.h"

/* One attachment: a link of many sites by its descriptor, or a perf event's link. */
struct tracer_link {
	int fd;
	struct bpf_link *event;
};

/* A site that waits for the next tracer__attach. */
struct tracer_pending {
	int fd;
	uint64_t offset;
	uint32_t index;		/* of ct_sites: the cookie */
	enum site_probe probe;
	uint8_t role;
};

/* Room that was given back, and may be used again when no program can still hold its number. */
struct tracer_retired {
	uint32_t slot, lookup_histogram, compute_histogram;
};

struct tracer {
	struct cachetrace_bpf *skeleton;
	enum tracer_rung rung;
	uint32_t max_caches, max_sites, max_histograms, shards;
	uint32_t rules, sites;
	bool forks_followed;
	int run_time_fd;

	struct tracer_link *links;
	size_t links_count;
	struct tracer_pending *pending;
	size_t pending_count;

	struct tracer_retired *retired;
	size_t retired_count;

	/* The last reading, whose memory is used again. */
	struct tracer_cache *caches;
	size_t caches_room;
	struct tracer_process *processes;
	size_t processes_room;
	void *keys, *values;		/* of one batch */
	size_t keys_room, values_room;
};

/* Constants that libbpf 1.1 and the headers of Linux 6.1 lack (include/uapi/linux/bpf.h of 6.6
 * and 6.13). */
enum {
	TRACER_ATTACH_MULTI = 48,	/* BPF_TRACE_UPROBE_MULTI */
	TRACER_ATTACH_SESSION = 57,	/* BPF_TRACE_UPROBE_SESSION */
	TRACER_MULTI_RETURN = 1,	/* BPF_F_UPROBE_MULTI_RETURN */
};

/* BPF_LINK_CREATE of a uprobe_multi link. A descriptor or -errno. */
int tracer__link_multi(int program, enum tracer_rung rung, const char *path,
		       const uint64_t *offsets, const uint64_t *cookies, uint32_t count,
		       bool at_return);

/* Closes all links; several at a time, as each waits for a grace period of the kernel. */
void tracer__detach(struct tracer *tracer);

void tracer__free_reading(struct tracer *tracer);

/* The place of retired caches goes back to the free queues. */
void tracer__reuse_retired(struct tracer *tracer);

#endif
