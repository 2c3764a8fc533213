/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a mechanism may do with the maps: admit a process, find a cache's place, count. The maps are
 * in store.bpf.c. */
#ifndef CACHETRACE_STORE_BPF_H
#define CACHETRACE_STORE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "abi.h"

#define CT_INLINE static __always_inline

#define CT_E2BIG 7
#define CT_FUNCTION static __noinline __attribute__((unused))

struct ct_sites_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ct_site);
};

struct ct_rules_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ct_rule);
};

struct ct_places_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ct_key);
	__type(value, struct ct_place);
};

struct ct_slots_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ct_slot);
};

struct ct_histograms_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ct_histogram);
};

struct ct_free_map {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__uint(value_size, sizeof(__u32));
};

struct ct_processes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct ct_process);
};

extern struct ct_sites_map ct_sites SEC(".maps");
extern struct ct_rules_map ct_rules SEC(".maps");
extern struct ct_places_map ct_places SEC(".maps");
extern struct ct_slots_map ct_slots SEC(".maps");
extern struct ct_histograms_map ct_histograms SEC(".maps");
extern struct ct_free_map ct_free_slots SEC(".maps");
extern struct ct_free_map ct_free_histograms SEC(".maps");
extern struct ct_processes_map ct_processes SEC(".maps");

/* Set by the user side before loading. */
extern const volatile __u32 ct_shard_mask;
extern const volatile bool ct_all_processes;
extern const volatile __u64 ct_pid_namespace_device, ct_pid_namespace_inode;

/* Nothing is counted while this is 0, so that all sites begin and end at the same instant. */
extern __u32 ct_armed;
extern __u64 ct_lost[CT_LOST_REASONS];

/*
 * Atomic although each CPU mostly has its own shard: kernels from 5.19 on run these programs
 * preemptible, and a plain increment that is preempted by another one on the same CPU would lose a
 * count.
 */
CT_INLINE void ct_add(__u64 *counter, __u64 n)
{
	__sync_fetch_and_add(counter, n);
}

CT_INLINE void ct_lose(__u32 reason)
{
	if (reason < CT_LOST_REASONS)
		ct_add(&ct_lost[reason], 1);
}

#define CT_MAX_NAMESPACE_DEPTH 8

/* The process id of a task as the user side sees it, which may run inside a pid namespace; 0: not
 * in there. */
CT_INLINE __u32 ct_task_tgid(struct task_struct *task)
{
	struct pid *pid;
	__u32 i, level;

	if (!ct_pid_namespace_inode)
		return BPF_CORE_READ(task, tgid);
	pid = BPF_CORE_READ(task, group_leader, thread_pid);
	level = BPF_CORE_READ(pid, level);
	for (i = 0; i < CT_MAX_NAMESPACE_DEPTH && i <= level; i++) {
		struct upid *number = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      i * bpf_core_type_size(struct upid);

		if (BPF_CORE_READ(number, ns, ns.inum) == ct_pid_namespace_inode)
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

CT_INLINE __u32 ct_current_tgid(void)
{
	struct bpf_pidns_info info;

	if (!ct_pid_namespace_inode)
		return bpf_get_current_pid_tgid() >> 32;
	if (bpf_get_ns_current_pid_tgid(ct_pid_namespace_device, ct_pid_namespace_inode, &info,
					sizeof(info)))
		return 0;
	return info.tgid;
}

/* True if the current process is traced; fills the key's process part. */
CT_INLINE bool ct_admit(struct ct_key *key)
{
	struct ct_process *process, fresh = {};

	if (!ct_armed)
		return false;
	key->tgid = ct_current_tgid();
	process = bpf_map_lookup_elem(&ct_processes, &key->tgid);
	if (!process && ct_all_processes && key->tgid) {
		bpf_get_current_comm(fresh.comm, sizeof(fresh.comm));
		if (bpf_map_update_elem(&ct_processes, &key->tgid, &fresh, BPF_NOEXIST) ==
		    -CT_E2BIG)
			ct_lose(CT_LOST_MAP_FULL);
		process = bpf_map_lookup_elem(&ct_processes, &key->tgid);
	}
	if (!process || (process->flags & CT_PROCESS_EXITED))
		return false;
	key->generation = process->generation;
	return true;
}

/* Where the numbers of a cache are; makes the place at first sight. flags are the rule's. 0, or -1:
 * no room (counted). */
int ct_place_of(const struct ct_key *key, __u32 flags, struct ct_place *place);

CT_INLINE struct ct_slot *ct_slot_of(const struct ct_place *place)
{
	__u32 index =
		place->slot * (ct_shard_mask + 1) + (bpf_get_smp_processor_id() & ct_shard_mask);

	return bpf_map_lookup_elem(&ct_slots, &index);
}

/* The one shard that holds what cannot be added up. */
CT_INLINE struct ct_slot *ct_first_slot_of(const struct ct_place *place)
{
	__u32 index = place->slot * (ct_shard_mask + 1);

	return bpf_map_lookup_elem(&ct_slots, &index);
}

CT_INLINE void ct_count(struct ct_slot *slot, __u32 outcome, __u64 n)
{
	__u64 index = outcome;

	/* Written out, as the compiler would check a copy, whose bound the verifier does not carry
	 * over. */
	asm volatile("if %0 <= %1 goto +1\n"
		     "%0 = %1"
		     : "+r"(index)
		     : "i"(CT_IGNORED));
	ct_add(&slot->outcome[index], n);
}

CT_INLINE void ct_count_call(struct ct_slot *slot)
{
	ct_add(&slot->calls, 1);
}

CT_INLINE void ct_count_computes(struct ct_slot *slot, __u64 n)
{
	ct_add(&slot->computes, n);
}

/* A loss that is known to be one of this cache's. */
CT_INLINE void ct_lose_of(struct ct_slot *slot, __u32 reason)
{
	ct_lose(reason);
	ct_add(&slot->lost, 1);
}

/* Counts one duration. Global functions are verified once and not again for every way that leads to
 * them. */
int ct_record(__u32 histogram, __u64 ns);

/*
 * The maximum is kept without an atomic operation (5.10 has none): two threads of one CPU may
 * overwrite each other. The reader corrects it by the highest occupied bucket, so that it is off by
 * a bucket's width at most.
 */
CT_INLINE void ct_time_lookup(struct ct_slot *slot, const struct ct_place *place, __u64 ns)
{
	ct_add(&slot->lookup_ns, ns);
	if (ns > slot->lookup_max_ns)
		slot->lookup_max_ns = ns;
	ct_record(place->lookup_histogram, ns);
}

CT_INLINE void ct_time_compute(struct ct_slot *slot, const struct ct_place *place, __u64 ns)
{
	ct_add(&slot->compute_ns, ns);
	if (ns > slot->compute_max_ns)
		slot->compute_max_ns = ns;
	ct_record(place->compute_histogram, ns);
}

/* Site and rule of the probe that fired. */
CT_INLINE struct ct_rule *ct_rule_of(void *ctx, struct ct_site **site, __u32 *number)
{
	__u32 index = bpf_get_attach_cookie(ctx);
	struct ct_site *found = bpf_map_lookup_elem(&ct_sites, &index);

	if (!found)
		return NULL;
	*site = found;
	*number = found->rule;
	return bpf_map_lookup_elem(&ct_rules, number);
}

#endif
