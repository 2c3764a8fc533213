// SPDX-License-Identifier: Dual BSD/GPL
/* Owns the stacks of open calls, and knows when a call was left without a return. */
#include "frame.bpf.h"

struct ct_threads_map ct_threads SEC(".maps");
struct ct_threads_by_id_map ct_threads_by_id SEC(".maps");
const volatile bool ct_task_storage = false;

static const struct ct_thread ct_no_frames;

int ct_thread_by_id_new(__u32 tid)
{
	return bpf_map_update_elem(&ct_threads_by_id, &tid, &ct_no_frames, BPF_NOEXIST);
}

/* The address that the kernel puts in the place of return addresses, in the current process; 0 if
 * there is none yet. */
CT_INLINE __u64 ct_trampoline(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
}

/*
 * A frame with the very stack pointer of the call that begins now: is it open, because its function
 * jumped here at its end (a tail call), or was it left by longjmp or an exception and its place is
 * used again?
 */
CT_INLINE bool ct_tail_called(const struct ct_frame *frame, __u32 rule, __u64 sp)
{
	__u64 address = 0;

	if (bpf_probe_read_user(&address, sizeof(address), (void *)sp))
		return false;
	if (frame->at_return == CT_RETURN_HIJACKED)
		return address == ct_trampoline();
	/* A tail call keeps the return address. A repeated call does so too, but then it is the
	 * same function. */
	return address == frame->return_address && frame->rule != rule;
}

/* A call that was left without a return that the kernel shows. */
CT_INLINE void ct_frame_abandon(const struct ct_frame *frame)
{
	struct ct_rule *rule = bpf_map_lookup_elem(&ct_rules, &frame->rule);
	struct ct_slot *slot = ct_slot_of(&frame->place);
	__u32 outcome = CT_UNFINISHED;

	if (!rule || !slot || frame->role == CT_ROLE_COMPUTE)
		return;
	if (frame->role == CT_ROLE_COUNTER) {
		slot = ct_first_slot_of(&frame->place);
		if (slot)
			ct_add(&slot->counter_open, -1);
		return;
	}
	if (frame->judged)
		return;
	/* No compute ran inside, which tells the outcome of a call whose return the kernel does not
	 * show. */
	if ((rule->flags & CT_RULE_NESTED) && frame->blind) {
		outcome = rule->nested_outcome[0];
	} else if (frame->blind) {
		ct_lose_of(slot, CT_LOST_NESTING);
	}
	ct_count(slot, outcome, 1);
}

/* Closes the top frame if it cannot be open any more; 0 when there is nothing to close. */
int ct_frame_close(__u64 sp, __u32 rule, __u32 keep_equal)
{
	struct ct_thread *thread = ct_thread_known();
	struct ct_frame *frame;

	if (!thread)
		return 0;
	frame = ct_frame_top(thread);
	if (!frame)
		return 0;
	if (frame->sp) {
		if (frame->sp > sp)
			return 0;
		if (frame->sp == sp && (keep_equal || ct_tail_called(frame, rule, sp)))
			return 0;
		ct_frame_abandon(frame);
	}
	ct_frame_pop(thread, frame);
	return 1;
}

int ct_frames_close(__u64 sp, __u32 rule, __u32 keep_equal)
{
	__u32 i;

	for (i = 0; i < CT_MAX_FRAMES; i++)
		if (!ct_frame_close(sp, rule, keep_equal))
			break;
	return 0;
}

int ct_frame_find(__u64 sp, __u32 rule)
{
	struct ct_thread *thread = ct_thread_known();
	__u32 i;

	if (!thread)
		return -1;
	for (i = 0; i < CT_MAX_TAIL_CALLS; i++) {
		const struct ct_frame *frame = ct_frame_number(thread, thread->depth - 1 - i);

		if (!frame || (frame->sp && frame->sp != sp))
			break;
		if (frame->sp && frame->rule == rule)
			return thread->depth - 1 - i;
	}
	return -1;
}

int ct_frame_around(__u32 cache)
{
	struct ct_thread *thread = ct_thread_known();
	__u32 i;

	if (!thread)
		return -1;
	for (i = 0; i < CT_MAX_FRAMES; i++) {
		const struct ct_frame *frame = ct_frame_number(thread, thread->depth - 1 - i);

		if (!frame)
			break;
		if (frame->sp && frame->role != CT_ROLE_COMPUTE && frame->cache == cache)
			return thread->depth - 1 - i;
	}
	return -1;
}
