/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The open calls of each thread, as a stack ordered by stack pointer. */
#ifndef CACHETRACE_FRAME_BPF_H
#define CACHETRACE_FRAME_BPF_H

#include "operand.bpf.h"

/* The kernel keeps that many return probes of one thread pending (MAX_URETPROBE_DEPTH); deeper
 * returns are not seen. */
#define CT_HIJACK_DEPTH 64

/* Open calls that may share one stack pointer. */
#define CT_MAX_TAIL_CALLS 16

struct ct_frame {
	__u64 sp;		/* at the function's first instruction; 0: closed */
	__u64 return_address;	/* of frames that end at a return instruction */
	__u64 start_ns;
	__u64 object;
	__u64 saved[CT_MAX_SAVED];
	__u32 rule;
	__u8 role;
	__u8 at_return;
	__u8 blind;		/* its return will not be seen */
	__u8 nested;		/* a compute ran inside */
	__u32 cache;
	__u8 judged;		/* its outcome is counted already */
	__u8 pad[3];
	struct ct_place place;
};

struct ct_thread {
	__u32 depth;
	__u32 hijacked;		/* open frames whose return address the kernel has replaced */
	__u32 missed_cache;	/* + 1: the cache definition of the last lookup that missed */
	__u32 pad;
	__u64 missed_object;
	struct ct_frame frames[CT_MAX_FRAMES];
};

struct ct_threads_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ct_thread);
};

/* Where the kernel has no task storage for these programs: by thread id, given back when the thread
 * ends. */
struct ct_threads_by_id_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ct_thread);
};

extern struct ct_threads_map ct_threads SEC(".maps");
extern struct ct_threads_by_id_map ct_threads_by_id SEC(".maps");
extern const volatile bool ct_task_storage;

/* Makes the current thread's stack where there is no task storage. */
int ct_thread_by_id_new(__u32 tid);

CT_INLINE struct ct_thread *ct_thread_known(void)
{
	__u32 tid;

	if (ct_task_storage)
		return bpf_task_storage_get(&ct_threads, bpf_get_current_task_btf(), 0, 0);
	tid = bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&ct_threads_by_id, &tid);
}

CT_INLINE struct ct_thread *ct_thread_new(void)
{
	struct ct_thread *thread;
	__u32 tid;

	if (ct_task_storage)
		return bpf_task_storage_get(&ct_threads, bpf_get_current_task_btf(), 0,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	tid = bpf_get_current_pid_tgid();
	thread = bpf_map_lookup_elem(&ct_threads_by_id, &tid);
	if (thread)
		return thread;
	ct_thread_by_id_new(tid);
	return bpf_map_lookup_elem(&ct_threads_by_id, &tid);
}

/*
 * The slow paths are functions of their own, verified once instead of at each use; they take no
 * pointers, which functions of this kind cannot on older kernels.
 */

/* Closes all frames that cannot be open any more, as the stack has shrunk to sp. keep_equal: a
 * frame at sp itself is left alone. */
int ct_frames_close(__u64 sp, __u32 rule, __u32 keep_equal);
/* Index of the open frame of a rule at sp (several may share one by tail calls), of the innermost
 * open lookup of a cache definition; or -1. */
int ct_frame_find(__u64 sp, __u32 rule);
int ct_frame_around(__u32 cache);

/* NULL unless index is one of a frame. */
CT_INLINE struct ct_frame *ct_frame_number(struct ct_thread *thread, __u32 index)
{
	if (index >= CT_MAX_FRAMES)
		return NULL;
	/* The verifier loses the bound when the compiler checks a copy; the compiler must not see
	 * that this does nothing. */
	asm volatile("" : "+r"(index));
	return &thread->frames[index & (CT_MAX_FRAMES - 1)];
}

CT_INLINE struct ct_frame *ct_frame_top(struct ct_thread *thread)
{
	return ct_frame_number(thread, thread->depth - 1);
}

/* To be called at each beginning of a call, before anything is derived from the frames. */
CT_INLINE void ct_frames_tidy(struct ct_thread *thread, __u64 sp, __u32 rule)
{
	struct ct_frame *top = ct_frame_top(thread);

	if (top && top->sp <= sp)
		ct_frames_close(sp, rule, false);
}

/* The frame of the call that ends now. */
CT_INLINE struct ct_frame *ct_frame_ending(struct ct_thread *thread, __u64 sp, __u32 rule)
{
	struct ct_frame *top = ct_frame_top(thread);

	if (top && top->sp == sp && top->rule == rule)
		return top;
	ct_frames_close(sp, rule, true);
	return ct_frame_number(thread, ct_frame_find(sp, rule));
}

/* The innermost open lookup of a cache definition. */
CT_INLINE struct ct_frame *ct_frame_enclosing(struct ct_thread *thread, __u32 cache)
{
	struct ct_frame *top = ct_frame_top(thread);

	if (top && top->sp && top->role != CT_ROLE_COMPUTE && top->cache == cache)
		return top;
	return ct_frame_number(thread, ct_frame_around(cache));
}

/* A frame whose call has ended; the place on top is free again. */
CT_INLINE void ct_frame_pop(struct ct_thread *thread, struct ct_frame *frame)
{
	if (frame->at_return == CT_RETURN_HIJACKED && !frame->blind && thread->hijacked)
		thread->hijacked--;
	frame->sp = 0;
	if (thread->depth && frame == ct_frame_top(thread))
		thread->depth--;
}

/* Room for a new frame on top, or NULL: nested too deeply. */
CT_INLINE struct ct_frame *ct_frame_push(struct ct_thread *thread)
{
	struct ct_frame *frame = ct_frame_number(thread, thread->depth);

	if (frame)
		thread->depth++;
	return frame;
}

#endif
