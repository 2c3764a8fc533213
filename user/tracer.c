// SPDX-License-Identifier: BSD-2-Clause
/* Owns the BPF object: what the kernel can do, sizes, rules, the traced processes. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "tracer_private.h"

static const char *const rung_names[TRACER_RUNGS] = {
	[TRACER_SESSION] = "session",
	[TRACER_MULTI] = "multi",
	[TRACER_PERF] = "perf",
};

const char *tracer_rung__name(enum tracer_rung rung)
{
	return rung < TRACER_RUNGS ? rung_names[rung] : "none";
}

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char text[1024];

	if (log__level() < LOG_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libbpf: %s%s", level == LIBBPF_WARN ? "warning: " : "", text);
	return 0;
}

static enum bpf_attach_type attach_type(enum tracer_rung rung)
{
	return (enum bpf_attach_type)(rung == TRACER_SESSION ? TRACER_ATTACH_SESSION :
				      rung == TRACER_MULTI ? TRACER_ATTACH_MULTI : 0);
}

/*
 * Tries instead of asking for a version: a kernel that knows the link refuses "/" because it is no
 * regular file (EBADF), others do not get as far (EINVAL), or do not take the program.
 */
static bool can_link(enum tracer_rung rung)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type(rung));
	const uint64_t offset = 0;
	int program, link;

	program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "ct_try", "GPL", nothing, 2, &options);
	if (program < 0)
		return false;
	link = tracer__link_multi(program, rung, "/", &offset, NULL, 1, false);
	close(program);
	if (link >= 0)
		close(link);
	return link == -EBADF;
}

static enum tracer_rung choose_rung(enum tracer_rung best)
{
	enum tracer_rung rung;

	for (rung = best; rung < TRACER_PERF; rung++)
		if (can_link(rung))
			break;
	return rung;
}

/* Task storage came to these programs in 5.11; asking costs a program load. */
static bool has_task_storage(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get, NULL) == 1;
}

/* The counters stay below 64 MB of kernel memory on large machines too. */
static void choose_sizes(struct tracer *tracer, const struct tracer_options *options)
{
	uint32_t cpus = libbpf_num_possible_cpus(), limit;

	tracer->shards = 1;
	while (tracer->shards < 8 && tracer->shards < cpus)
		tracer->shards *= 2;
	limit = (64u << 20) / (tracer->shards * sizeof(struct ct_slot));
	tracer->max_caches = options->max_caches ? options->max_caches : 16384;
	if (!options->max_caches && tracer->max_caches > limit)
		tracer->max_caches = limit;
	tracer->max_histograms = tracer->max_caches < 4096 ? tracer->max_caches : 4096;
	tracer->max_sites = options->max_sites ? options->max_sites : 16384;
}

struct map_size {
	struct bpf_map *map;
	uint32_t entries;
};

static int set_map_sizes(struct tracer *tracer, bool task_storage)
{
	struct cachetrace_bpf *skeleton = tracer->skeleton;
	const struct map_size sizes[] = {
		{ skeleton->maps.ct_sites, tracer->max_sites },
		{ skeleton->maps.ct_rules, 4096 },
		{ skeleton->maps.ct_places, tracer->max_caches },
		{ skeleton->maps.ct_slots, tracer->max_caches * tracer->shards },
		{ skeleton->maps.ct_histograms, tracer->max_histograms },
		{ skeleton->maps.ct_free_slots, tracer->max_caches },
		{ skeleton->maps.ct_free_histograms, tracer->max_histograms },
		{ skeleton->maps.ct_threads_by_id, task_storage ? 1 : 2048 },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		err = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
		if (err)
			return err;
	}
	return bpf_map__set_autocreate(skeleton->maps.ct_threads, task_storage);
}

static int set_programs(struct tracer *tracer)
{
	struct cachetrace_bpf *skeleton = tracer->skeleton;
	struct bpf_program *calls[] = {
		skeleton->progs.ct_call_enter,
		skeleton->progs.ct_call_leave,
		skeleton->progs.ct_call_return,
		skeleton->progs.ct_mark,
	};
	enum tracer_rung others = tracer->rung == TRACER_SESSION ? TRACER_MULTI : tracer->rung;
	size_t i;
	int err;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		err = bpf_program__set_expected_attach_type(calls[i], attach_type(others));
		if (err)
			return err;
	}
	bpf_program__set_autoload(skeleton->progs.ct_call_leave, tracer->rung != TRACER_SESSION);
	bpf_program__set_autoload(skeleton->progs.ct_call_session, tracer->rung == TRACER_SESSION);
	return bpf_program__set_expected_attach_type(skeleton->progs.ct_call_session,
						     attach_type(tracer->rung));
}

static int fill_queue(const struct tracer *tracer, uint32_t first, uint32_t count, bool histograms)
{
	uint64_t arguments[3] = { 0, 0, histograms };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));
	uint32_t done;

	for (done = 0; done < count; done += CT_FILL) {
		arguments[0] = first + done;
		arguments[1] = count - done < CT_FILL ? count - done : CT_FILL;
		if (bpf_prog_test_run_opts(bpf_program__fd(tracer->skeleton->progs.ct_fill), &run))
			return -errno;
	}
	return 0;
}

/* Histograms are numbered from 1, as 0 stands for none. */
static int fill_free_queues(const struct tracer *tracer)
{
	int err = fill_queue(tracer, 0, tracer->max_caches, false);

	return err ? err : fill_queue(tracer, 1, tracer->max_histograms, true);
}

static void explain_load_failure(int err)
{
	if (err == -EPERM || err == -EACCES)
		log_error("the kernel refuses to load the BPF programs: run as root, or with "
			  "CAP_BPF and CAP_PERFMON");
	else if (err == -ESRCH || err == -ENOENT)
		log_error("this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): "
			  "a kernel with CONFIG_DEBUG_INFO_BTF is needed");
	else
		log_error("cannot load the BPF programs: %s (--verbose --verbose shows why)",
			  strerror(-err));
}

static int load(struct tracer *tracer, const struct tracer_options *options)
{
	struct cachetrace_bpf *skeleton = tracer->skeleton;
	bool task_storage = has_task_storage();
	uint64_t device, inode;
	int err;

	skeleton->rodata->ct_task_storage = task_storage;
	skeleton->rodata->ct_shard_mask = tracer->shards - 1;
	skeleton->rodata->ct_all_processes = options->all_processes;
	if (!process__in_initial_pid_namespace(&device, &inode)) {
		skeleton->rodata->ct_pid_namespace_device = device;
		skeleton->rodata->ct_pid_namespace_inode = inode;
	}
	err = set_map_sizes(tracer, task_storage);
	if (!err)
		err = set_programs(tracer);
	if (!err)
		err = cachetrace_bpf__load(skeleton);
	if (err) {
		explain_load_failure(err);
		return err;
	}
	return fill_free_queues(tracer);
}

static int add_link(struct tracer *tracer, struct bpf_link *link)
{
	struct tracer_link *links;

	if (!link)
		return -errno;
	links = reallocarray(tracer->links, tracer->links_count + 1, sizeof(*links));
	if (!links) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	tracer->links = links;
	links[tracer->links_count++] = (struct tracer_link){ .fd = -1, .event = link };
	return 0;
}

/* Ends of processes are seen before their ids can be used again; forks, before the child runs. */
static int follow_processes(struct tracer *tracer)
{
	struct bpf_program *programs[] = {
		tracer->skeleton->progs.ct_process_fork,
		tracer->skeleton->progs.ct_process_exec,
		tracer->skeleton->progs.ct_process_exit,
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		err = add_link(tracer, bpf_program__attach(programs[i]));
		if (err) {
			log_error("cannot follow forks and exits: %s", strerror(-err));
			return err;
		}
	}
	return 0;
}

int tracer__open(struct tracer **result, const struct tracer_options *options)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int err;

	if (!tracer)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	tracer->run_time_fd = -1;
	tracer->rung = choose_rung(options->best_rung);
	choose_sizes(tracer, options);
	tracer->skeleton = cachetrace_bpf__open();
	err = tracer->skeleton ? load(tracer, options) : -errno;
	if (!err)
		err = follow_processes(tracer);
	if (err) {
		tracer__close(tracer);
		return err;
	}
	if (options->run_time) {
		tracer->run_time_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (tracer->run_time_fd < 0)
			log_warning("the kernel does not tell the run time of BPF programs: %s",
				    strerror(errno));
	}
	*result = tracer;
	return 0;
}

void tracer__close(struct tracer *tracer)
{
	if (!tracer)
		return;
	tracer__detach(tracer);
	if (tracer->run_time_fd >= 0)
		close(tracer->run_time_fd);
	cachetrace_bpf__destroy(tracer->skeleton);
	tracer__free_reading(tracer);
	free(tracer->links);
	free(tracer->pending);
	free(tracer->retired);
	free(tracer);
}

enum tracer_rung tracer__rung(const struct tracer *tracer)
{
	return tracer->rung;
}

uint64_t tracer__sites(const struct tracer *tracer)
{
	return tracer->sites;
}

int tracer__add_rule(struct tracer *tracer, const struct ct_rule *rule)
{
	uint32_t index = tracer->rules;

	if (bpf_map_update_elem(bpf_map__fd(tracer->skeleton->maps.ct_rules), &index, rule,
				BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	tracer->rules++;
	return (int)index;
}

int tracer__add_process(struct tracer *tracer, pid_t pid, bool children)
{
	int fd = bpf_map__fd(tracer->skeleton->maps.ct_processes);
	struct ct_process known, process = { .flags = children ? CT_PROCESS_CHILDREN : 0 };
	uint32_t key = pid;

	if (!bpf_map_lookup_elem(fd, &key, &known)) {
		if (!(known.flags & CT_PROCESS_EXITED))
			return 0;
		process.generation = known.generation + 1;
	}
	return bpf_map_update_elem(fd, &key, &process, BPF_ANY) ? -errno : 0;
}

int tracer__remove_process(struct tracer *tracer, pid_t pid)
{
	uint32_t key = pid;

	return bpf_map_delete_elem(bpf_map__fd(tracer->skeleton->maps.ct_processes), &key) ? -errno
											   : 0;
}

void tracer__arm(struct tracer *tracer, bool on)
{
	__atomic_store_n(&tracer->skeleton->bss->ct_armed, on, __ATOMIC_SEQ_CST);
}
