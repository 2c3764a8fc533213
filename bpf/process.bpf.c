// SPDX-License-Identifier: Dual BSD/GPL
/* Follows traced processes: children at a fork, and ends, seen before the process id can be used
 * again. */
#include "frame.bpf.h"

SEC("raw_tp/sched_process_fork")
int ct_process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	struct ct_process *known, *old, fresh = {};
	__u32 tgid, parent_tgid;

	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	parent_tgid = ct_task_tgid(parent);
	known = bpf_map_lookup_elem(&ct_processes, &parent_tgid);
	if (!known || !(known->flags & CT_PROCESS_CHILDREN) || (known->flags & CT_PROCESS_EXITED))
		return 0;
	tgid = ct_task_tgid(child);
	if (!tgid)
		return 0;
	old = bpf_map_lookup_elem(&ct_processes, &tgid);
	fresh.generation = old ? old->generation + 1 : 0;
	fresh.flags = CT_PROCESS_CHILDREN | CT_PROCESS_FORKED;
	fresh.parent = parent_tgid;
	if (bpf_core_field_exists(child->start_boottime))
		fresh.start_ns = BPF_CORE_READ(child, start_boottime);
	bpf_core_read(fresh.comm, sizeof(fresh.comm), &child->comm);
	if (bpf_map_update_elem(&ct_processes, &tgid, &fresh, BPF_ANY))
		ct_lose(CT_LOST_MAP_FULL);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int ct_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct ct_process *known;
	__u32 tgid = ct_task_tgid(task);

	known = bpf_map_lookup_elem(&ct_processes, &tgid);
	if (known)
		bpf_core_read(known->comm, sizeof(known->comm), &task->comm);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int ct_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct ct_process *known;
	__u32 tgid, tid;

	if (!ct_task_storage) {
		tid = BPF_CORE_READ(task, pid);
		bpf_map_delete_elem(&ct_threads_by_id, &tid);
	}
	/* Counted down before this point: 0 means that the last thread is ending. */
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	tgid = ct_task_tgid(task);
	known = bpf_map_lookup_elem(&ct_processes, &tgid);
	if (known)
		known->flags |= CT_PROCESS_EXITED;
	return 0;
}
