// SPDX-License-Identifier: Dual BSD/GPL
/* Owns the maps that mechanisms and the user side share. */
#include "store.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The user side sets the sizes; the free queues are filled by it with all numbers of slots and
 * histograms. */
struct ct_sites_map ct_sites SEC(".maps");
struct ct_rules_map ct_rules SEC(".maps");
struct ct_places_map ct_places SEC(".maps");
struct ct_slots_map ct_slots SEC(".maps");
struct ct_histograms_map ct_histograms SEC(".maps");
struct ct_free_map ct_free_slots SEC(".maps");
struct ct_free_map ct_free_histograms SEC(".maps");
struct ct_processes_map ct_processes SEC(".maps");

const volatile __u32 ct_shard_mask = 0;
const volatile bool ct_all_processes = false;
const volatile __u64 ct_pid_namespace_device = 0;
const volatile __u64 ct_pid_namespace_inode = 0;

__u32 ct_armed = 0;
__u64 ct_lost[CT_LOST_REASONS] = {};

/* A cache that finds no histogram is still counted; only its percentiles are lost, and the reader
 * sees that. */
CT_INLINE void ct_histogram_take(__u32 *histogram, bool wanted)
{
	*histogram = 0;
	if (wanted && bpf_map_pop_elem(&ct_free_histograms, histogram))
		*histogram = 0;
}

CT_INLINE void ct_histogram_give_back(__u32 *histogram)
{
	if (*histogram)
		bpf_map_push_elem(&ct_free_histograms, histogram, 0);
}

/* Takes a slot (and the histograms that the rule wants) for a new cache. */
CT_INLINE bool ct_place_new(const struct ct_key *key, __u32 flags, struct ct_place *place)
{
	long err;

	if (bpf_map_pop_elem(&ct_free_slots, &place->slot))
		return false;
	ct_histogram_take(&place->lookup_histogram, flags & CT_RULE_LOOKUPS_TIMED);
	ct_histogram_take(&place->compute_histogram, flags & CT_RULE_COMPUTES_TIMED);
	place->pad = 0;
	err = bpf_map_update_elem(&ct_places, key, place, BPF_NOEXIST);
	if (!err)
		return true;
	bpf_map_push_elem(&ct_free_slots, &place->slot, 0);
	ct_histogram_give_back(&place->lookup_histogram);
	ct_histogram_give_back(&place->compute_histogram);
	return false;
}

int ct_place_of(const struct ct_key *key, __u32 flags, struct ct_place *place)
{
	struct ct_place *known;

	if (!key || !place)
		return -1;
	known = bpf_map_lookup_elem(&ct_places, key);
	if (!known) {
		if (ct_place_new(key, flags, place))
			return 0;
		/* Another CPU may have been faster; else there is no room. */
		known = bpf_map_lookup_elem(&ct_places, key);
		if (!known) {
			ct_lose(CT_LOST_MAP_FULL);
			return -1;
		}
	}
	*place = *known;
	return 0;
}

/* Number of the highest set bit; value must not be 0. */
CT_INLINE __u32 ct_log2(__u64 value)
{
	__u32 bit = 0;

	if (value >> 32) { value >>= 32; bit += 32; }
	if (value >> 16) { value >>= 16; bit += 16; }
	if (value >> 8) { value >>= 8; bit += 8; }
	if (value >> 4) { value >>= 4; bit += 4; }
	if (value >> 2) { value >>= 2; bit += 2; }
	return bit + (value >> 1);
}

CT_INLINE __u32 ct_bucket_of(__u64 ns)
{
	__u32 shift, bucket;

	if (ns < CT_BUCKETS_PER_DOUBLING)
		return ns;
	shift = ct_log2(ns) - 3;
	bucket = (shift + 1) * CT_BUCKETS_PER_DOUBLING +
		 ((ns >> shift) & (CT_BUCKETS_PER_DOUBLING - 1));
	return bucket < CT_BUCKETS ? bucket : CT_BUCKETS - 1;
}

int ct_record(__u32 histogram, __u64 ns)
{
	__u32 index = histogram - 1, bucket = ct_bucket_of(ns);
	struct ct_histogram *found;

	if (!histogram)
		return 0;
	found = bpf_map_lookup_elem(&ct_histograms, &index);
	if (found && bucket < CT_BUCKETS)
		ct_add(&found->count[bucket], 1);
	return 0;
}

/*
 * Puts numbers into the free queues, run by the user side for itself: as many system calls would take longer than all
 * the rest of the start. args: first number, how many, 0 for slots or 1 for histograms.
 */
SEC("raw_tp")
int ct_fill(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 number = ctx->args[0], end = number + ctx->args[1], i;

	for (i = 0; i < CT_FILL && number < end; i++, number++) {
		if (ctx->args[2])
			bpf_map_push_elem(&ct_free_histograms, &number, 0);
		else
			bpf_map_push_elem(&ct_free_slots, &number, 0);
	}
	return 0;
}
