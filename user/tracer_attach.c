// SPDX-License-Identifier: BSD-2-Clause
/* Owns the links: attaches sites by the best way that the kernel has, and detaches them quickly. */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "tracer_private.h"

enum { CLOSING_THREADS = 16 };

/* The part of union bpf_attr for this kind of link, which headers before 6.6 do not have. */
struct multi_link_attr {
	uint32_t program, target, attach_type, flags;
	uint64_t path, offsets, reference_counters, cookies;
	uint32_t count, multi_flags, pid, pad;
};

int tracer__link_multi(int program, enum tracer_rung rung, const char *path,
		       const uint64_t *offsets, const uint64_t *cookies, uint32_t count,
		       bool at_return)
{
	/*
	 * No pid: it would keep the kernel from seeing children, which pay the price all the same,
	 * and was applied wrongly before 6.10. The programs look at the process themselves.
	 */
	struct multi_link_attr attr = {
		.program = program,
		.attach_type = rung == TRACER_SESSION ? TRACER_ATTACH_SESSION : TRACER_ATTACH_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.count = count,
		.multi_flags = at_return ? TRACER_MULTI_RETURN : 0,
	};
	long link = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return link < 0 ? -errno : (int)link;
}

/* Which program, on which rung, sees the sites of one kind. */
struct attachment {
	struct bpf_program *program;
	enum tracer_rung rung;
	bool at_return;
};

static size_t attachments_of(const struct tracer *tracer, const struct tracer_pending *site,
			     struct attachment *list)
{
	struct cachetrace_bpf *skeleton = tracer->skeleton;
	enum tracer_rung plain = tracer->rung == TRACER_SESSION ? TRACER_MULTI : tracer->rung;
	bool mark = site->role == CT_ROLE_MARK || site->role == CT_ROLE_TOTAL;

	if (site->probe == SITE_RETURN_INSTRUCTION) {
		list[0] = (struct attachment){ skeleton->progs.ct_call_return, plain, false };
		return 1;
	}
	if (site->probe == SITE_ENTRY) {
		list[0] = (struct attachment){ mark ? skeleton->progs.ct_mark
						    : skeleton->progs.ct_call_enter,
					       plain, false };
		return 1;
	}
	if (tracer->rung == TRACER_SESSION) {
		list[0] = (struct attachment){ skeleton->progs.ct_call_session, TRACER_SESSION,
					       false };
		return 1;
	}
	/* The return first: an entry without its return would be taken for a call that never ended.
	 */
	list[0] = (struct attachment){ skeleton->progs.ct_call_leave, plain, true };
	list[1] = (struct attachment){ skeleton->progs.ct_call_enter, plain, false };
	return 2;
}

static int keep_link(struct tracer *tracer, struct tracer_link link)
{
	struct tracer_link *links =
		reallocarray(tracer->links, tracer->links_count + 1, sizeof(*links));

	if (!links)
		return -ENOMEM;
	tracer->links = links;
	links[tracer->links_count++] = link;
	return 0;
}

static void close_link(const struct tracer_link *link)
{
	if (link->event)
		bpf_link__destroy(link->event);
	else
		close(link->fd);
}

static int attach_event(struct tracer *tracer, const struct attachment *how, const char *path,
			const struct tracer_pending *site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = site->index,
		    .retprobe = how->at_return);
	struct tracer_link link = { .fd = -1 };
	int err;

	link.event =
		bpf_program__attach_uprobe_opts(how->program, -1, path, site->offset, &options);
	if (!link.event)
		return -errno;
	err = keep_link(tracer, link);
	if (err)
		close_link(&link);
	return err;
}

/* Sites [first, end) are in the same file and of the same kind. */
static int attach_run(struct tracer *tracer, const struct attachment *how,
		      const struct tracer_pending *sites, size_t count)
{
	uint64_t *offsets = calloc(count, 2 * sizeof(*offsets)), *cookies;
	struct tracer_link link = { .fd = -1 };
	char path[64];
	size_t i;
	int err = 0;

	if (!offsets)
		return -ENOMEM;
	cookies = offsets + count;
	process__fd_path(sites->fd, path, sizeof(path));
	for (i = 0; i < count; i++) {
		offsets[i] = sites[i].offset;
		cookies[i] = sites[i].index;
		if (how->rung == TRACER_PERF && !err)
			err = attach_event(tracer, how, path, &sites[i]);
	}
	if (how->rung != TRACER_PERF) {
		link.fd = tracer__link_multi(bpf_program__fd(how->program), how->rung, path,
					     offsets, cookies, count, how->at_return);
		err = link.fd < 0 ? link.fd : keep_link(tracer, link);
		if (err && link.fd >= 0)
			close_link(&link);
	}
	free(offsets);
	return err;
}

static bool is_mark(const struct tracer_pending *site)
{
	return site->role == CT_ROLE_MARK || site->role == CT_ROLE_TOTAL;
}

static int by_file_and_kind(const void *left, const void *right)
{
	const struct tracer_pending *a = left, *b = right;

	if (a->fd != b->fd)
		return a->fd < b->fd ? -1 : 1;
	/* Ends of calls are attached before their beginnings. */
	if (a->probe != b->probe)
		return a->probe > b->probe ? -1 : 1;
	if (is_mark(a) != is_mark(b))
		return is_mark(a) ? 1 : -1;
	return a->index < b->index ? -1 : 1;
}

static int attach_pending(struct tracer *tracer)
{
	struct tracer_pending *sites = tracer->pending;
	struct attachment list[2];
	size_t first, end, ways, i;
	int err;

	qsort(sites, tracer->pending_count, sizeof(*sites), by_file_and_kind);
	for (first = 0; first < tracer->pending_count; first = end) {
		for (end = first + 1; end < tracer->pending_count; end++)
			if (sites[end].fd != sites[first].fd ||
			    sites[end].probe != sites[first].probe ||
			    is_mark(&sites[end]) != is_mark(&sites[first]))
				break;
		ways = attachments_of(tracer, &sites[first], list);
		for (i = 0; i < ways; i++) {
			err = attach_run(tracer, &list[i], &sites[first], end - first);
			if (err)
				return err;
		}
	}
	return 0;
}

int tracer__attach(struct tracer *tracer)
{
	int err;

	if (!tracer->pending_count)
		return 0;
	err = attach_pending(tracer);
	if (err == -EPERM || err == -EACCES)
		log_error("the kernel refuses to attach probes: CAP_PERFMON (or root) is needed");
	else if (err)
		log_error("cannot attach probes (%s): %s", tracer_rung__name(tracer->rung),
			  strerror(-err));
	tracer->pending_count = 0;
	return err;
}

static uint8_t return_probe_of(enum site_probe probe, bool judged)
{
	if (probe == SITE_CALL)
		return CT_RETURN_HIJACKED;
	return judged ? CT_RETURN_INSTRUCTION : CT_RETURN_NONE;
}

int tracer__add_site(struct tracer *tracer, const struct site *site)
{
	struct ct_site entry = { .rule = site->rule,
				 .at_return = return_probe_of(site->probe, site->judged) };
	struct tracer_pending *pending;
	struct ct_rule rule;

	if (tracer->sites >= tracer->max_sites)
		return -ENOSPC;
	if (bpf_map_lookup_elem(bpf_map__fd(tracer->skeleton->maps.ct_rules), &site->rule, &rule) ||
	    bpf_map_update_elem(bpf_map__fd(tracer->skeleton->maps.ct_sites), &tracer->sites,
				&entry, BPF_ANY))
		return -errno;
	pending = reallocarray(tracer->pending, tracer->pending_count + 1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	tracer->pending = pending;
	pending[tracer->pending_count++] = (struct tracer_pending){
		.fd = site->fd,
		.offset = site->offset,
		.index = tracer->sites++,
		.probe = site->probe,
		.role = rule.role,
	};
	return 0;
}

struct closing {
	struct tracer_link *links;
	size_t count, next;
};

static void *close_some(void *argument)
{
	struct closing *closing = argument;
	size_t i;

	while ((i = __atomic_fetch_add(&closing->next, 1, __ATOMIC_RELAXED)) < closing->count)
		close_link(&closing->links[i]);
	return NULL;
}

void tracer__detach(struct tracer *tracer)
{
	struct closing closing = { .links = tracer->links, .count = tracer->links_count };
	pthread_t threads[CLOSING_THREADS];
	size_t started = 0, i;

	while (started < CLOSING_THREADS && started + 1 < closing.count) {
		if (pthread_create(&threads[started], NULL, close_some, &closing))
			break;
		started++;
	}
	close_some(&closing);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	tracer->links_count = 0;
}

