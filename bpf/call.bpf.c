// SPDX-License-Identifier: Dual BSD/GPL
/* Mechanism: calls that are judged, or timed, when they return. */
#include "frame.bpf.h"

/* The object's own counters are looked at when no other call is under way on it, and again at each
 * return. */
CT_INLINE void ct_counters_begin(const struct ct_inputs *inputs, const struct ct_rule *rule,
				 const struct ct_place *place)
{
	struct ct_slot *slot = ct_first_slot_of(place);
	__u32 i;

	if (!slot)
		return;
	if (!slot->counter_open) {
		for (i = 0; i < CT_MAX_SAVED; i++)
			if (i < rule->saves)
				ct_value(inputs, &rule->saved[i], &slot->counter_base[i]);
	}
	ct_add(&slot->counter_open, 1);
}

/* Counts what the counters grew by since the last look. True if a miss was among it. */
int ct_counters_end(const struct ct_inputs *inputs, const struct ct_rule *rule,
		    const struct ct_place *place)
{
	bool grew = false, missed = false;
	struct ct_slot *slot;
	__u32 i;

	if (!inputs || !rule || !place)
		return 0;
	slot = ct_first_slot_of(place);
	if (!slot)
		return 0;
	for (i = 0; i < CT_MAX_SAVED; i++) {
		__u64 now = 0, growth;

		if (i >= rule->saves)
			break;
		if (ct_value(inputs, &rule->saved[i], &now))
			continue;
		growth = ct_cut(now - slot->counter_base[i], rule->saved[i].width, true);
		slot->counter_base[i] = now;
		/* Shrunk: the program has set it back. */
		if ((__s64)growth <= 0)
			continue;
		grew = true;
		missed |= rule->saved_outcome[i] == CT_MISS;
		ct_count(slot, rule->saved_outcome[i], growth);
		if ((rule->flags & CT_RULE_FILL) && rule->saved_outcome[i] == CT_MISS)
			ct_count_computes(slot, growth);
	}
	if (!grew)
		ct_count(slot, rule->otherwise, 1);
	ct_add(&slot->counter_open, -1);
	return missed;
}

/* Where a compute inside decides, the outcome is counted as soon as it begins: the lookup may never
 * return. */
CT_INLINE void ct_judge_by_nesting(struct ct_frame *lookup)
{
	const struct ct_rule *rule = bpf_map_lookup_elem(&ct_rules, &lookup->rule);
	struct ct_slot *slot = ct_slot_of(&lookup->place);

	lookup->nested = 1;
	if (!rule || !slot || !(rule->flags & CT_RULE_NESTED))
		return;
	lookup->judged = 1;
	ct_count(slot, rule->nested_outcome[1], 1);
}

/* A compute begins: the lookup around it has missed. Without its own object it takes that of the
 * lookup. */
CT_INLINE bool ct_compute_begin(struct ct_thread *thread, const struct ct_rule *rule,
				struct ct_key *key)
{
	struct ct_frame *lookup = ct_frame_enclosing(thread, rule->cache);

	if (lookup) {
		if (!lookup->nested)
			ct_judge_by_nesting(lookup);
		if (rule->flags & CT_RULE_INHERIT)
			key->object = lookup->object;
		return true;
	}
	if (rule->flags & CT_RULE_NESTED)
		return false;
	if (rule->flags & CT_RULE_INHERIT) {
		if (thread->missed_cache != rule->cache + 1)
			return false;
		key->object = thread->missed_object;
	}
	return true;
}

CT_INLINE void ct_frame_fill(struct ct_thread *thread, struct ct_frame *frame,
			     const struct ct_inputs *inputs, const struct ct_place *place,
			     const struct ct_rule *rule, __u32 number, __u8 at_return, __u64 sp)
{
	frame->sp = sp;
	frame->object = inputs->base[CT_BASE_OBJECT];
	frame->saved[0] = inputs->base[CT_BASE_SAVED];
	frame->saved[1] = inputs->base[CT_BASE_SAVED + 1];
	frame->nested = 0;
	frame->judged = 0;
	frame->place = *place;
	frame->rule = number;
	frame->role = rule->role;
	frame->cache = rule->cache;
	frame->at_return = at_return;
	frame->blind = 0;
	frame->return_address = 0;
	if (at_return == CT_RETURN_INSTRUCTION)
		bpf_probe_read_user(&frame->return_address, sizeof(frame->return_address),
				    (void *)sp);
	if (at_return == CT_RETURN_HIJACKED) {
		frame->blind = thread->hijacked >= CT_HIJACK_DEPTH;
		thread->hijacked += !frame->blind;
	}
	frame->start_ns = bpf_ktime_get_ns();
}

/* 0: the return of this call is of interest, 1: it is not. */
CT_FUNCTION int ct_enter(void *ctx)
{
	struct ct_inputs inputs;
	struct ct_thread *thread;
	struct ct_frame *frame;
	struct ct_place place;
	struct ct_key key = {};
	struct ct_slot *slot;
	struct ct_site *site;
	struct ct_rule *rule;
	__u64 sp = CT_STACK_POINTER(ctx);
	__u32 number, i;

	rule = ct_rule_of(ctx, &site, &number);
	if (!rule || !ct_admit(&key))
		return 1;
	ct_inputs_at_entry(ctx, &inputs);
	if (rule->tests && !ct_wanted(&inputs, rule))
		return 1;
	key.cache = rule->cache;
	if ((rule->flags & CT_RULE_OBJECT) && ct_value(&inputs, &rule->object, &key.object))
		return 1;
	thread = ct_thread_new();
	if (!thread) {
		ct_lose(CT_LOST_MAP_FULL);
		return 1;
	}
	ct_frames_tidy(thread, sp, number);
	if (rule->role == CT_ROLE_COMPUTE && !ct_compute_begin(thread, rule, &key))
		return 1;
	if (ct_place_of(&key, rule->flags, &place))
		return 1;
	slot = ct_slot_of(&place);
	if (!slot)
		return 1;
	if (rule->role == CT_ROLE_COMPUTE)
		ct_count_computes(slot, 1);
	else
		ct_count_call(slot);
	inputs.base[CT_BASE_OBJECT] = key.object;
	if (rule->role == CT_ROLE_COUNTER)
		ct_counters_begin(&inputs, rule, &place);
	else
		for (i = 0; i < CT_MAX_SAVED; i++)
			if (i < rule->saves)
				ct_value(&inputs, &rule->saved[i], &inputs.base[CT_BASE_SAVED + i]);
	if (site->at_return == CT_RETURN_NONE)
		return 1;
	frame = ct_frame_push(thread);
	if (!frame) {
		ct_lose_of(slot, CT_LOST_NESTING);
		return 1;
	}
	ct_frame_fill(thread, frame, &inputs, &place, rule, number, site->at_return, sp);
	return 0;
}

CT_INLINE void ct_lookup_end(void *ctx, struct ct_thread *thread, struct ct_frame *frame,
			     struct ct_slot *slot, const struct ct_rule *rule, __u64 ns)
{
	struct ct_inputs inputs = {};
	bool missed;

	inputs.base[CT_BASE_OBJECT] = frame->object;
	if (rule->role == CT_ROLE_COUNTER) {
		missed = ct_counters_end(&inputs, rule, &frame->place);
	} else if (frame->judged) {
		missed = rule->nested_outcome[1] == CT_MISS;
	} else {
		__u32 outcome;

		inputs.base[CT_BASE_RETURN] = CT_RETURN_VALUE(ctx);
		inputs.base[CT_BASE_NESTED] = frame->nested;
		inputs.base[CT_BASE_SAVED] = frame->saved[0];
		inputs.base[CT_BASE_SAVED + 1] = frame->saved[1];
		outcome = ct_outcome_of(&inputs, rule);
		ct_count(slot, outcome, 1);
		missed = outcome == CT_MISS;
		if (missed && (rule->flags & CT_RULE_FILL))
			ct_count_computes(slot, 1);
	}
	if (missed) {
		thread->missed_cache = rule->cache + 1;
		thread->missed_object = frame->object;
		if (rule->flags & CT_RULE_FILL)
			ct_time_compute(slot, &frame->place, ns);
	}
	if (rule->flags & CT_RULE_LOOKUPS_TIMED)
		ct_time_lookup(slot, &frame->place, ns);
}

CT_FUNCTION int ct_leave(void *ctx, __u64 sp)
{
	__u64 now = bpf_ktime_get_ns(), ns;
	struct ct_thread *thread = ct_thread_known();
	struct ct_frame *frame;
	struct ct_slot *slot;
	struct ct_site *site;
	struct ct_rule *rule;
	__u32 number;

	rule = ct_rule_of(ctx, &site, &number);
	if (!rule || !thread)
		return 0;
	frame = ct_frame_ending(thread, sp, number);
	if (!frame)
		return 0;
	slot = ct_slot_of(&frame->place);
	ns = now - frame->start_ns;
	if (slot && rule->role == CT_ROLE_COMPUTE)
		ct_time_compute(slot, &frame->place, ns);
	else if (slot)
		ct_lookup_end(ctx, thread, frame, slot, rule, ns);
	ct_frame_pop(thread, frame);
	return 1;
}

/* One program for both ends. At the return the program counter has left the function. */
SEC("uprobe")
int ct_call_session(struct pt_regs *ctx)
{
	if (CT_PROGRAM_COUNTER(ctx) == bpf_get_func_ip(ctx))
		return ct_enter(ctx);
	if (!ct_leave(ctx, CT_STACK_POINTER(ctx) - CT_RETURN_SLOT) && ct_armed)
		ct_lose(CT_LOST_UNMATCHED_RETURN);
	return 0;
}

SEC("uprobe")
int ct_call_enter(struct pt_regs *ctx)
{
	ct_enter(ctx);
	return 0;
}

/* By the kernel's return probe. */
SEC("uprobe")
int ct_call_leave(struct pt_regs *ctx)
{
	ct_leave(ctx, CT_STACK_POINTER(ctx) - CT_RETURN_SLOT);
	return 0;
}

/* By a probe on a return instruction: the return address is still on the stack. */
SEC("uprobe")
int ct_call_return(struct pt_regs *ctx)
{
	ct_leave(ctx, CT_STACK_POINTER(ctx));
	return 0;
}
