// SPDX-License-Identifier: BSD-2-Clause
/* Reads the maps in batches, adds up shards, and gives the room of ended caches back. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer_private.h"

enum { HISTOGRAM_CHUNK = 64 };

static int reserve(void **memory, size_t *room, size_t size)
{
	void *larger;

	if (*room >= size)
		return 0;
	larger = realloc(*memory, size);
	if (!larger)
		return -ENOMEM;
	*memory = larger;
	*room = size;
	return 0;
}

void tracer__free_reading(struct tracer *tracer)
{
	size_t i;

	for (i = 0; i < tracer->caches_room; i++) {
		histogram__free(&tracer->caches[i].lookups);
		histogram__free(&tracer->caches[i].computes);
	}
	free(tracer->caches);
	free(tracer->processes);
	free(tracer->keys);
	free(tracer->values);
}

/* A whole hash map into tracer->keys and tracer->values: how many entries, or -errno. */
static int read_hash(struct tracer *tracer, const struct bpf_map *map, size_t key_size,
		     size_t value_size)
{
	uint32_t position, count, total = 0, entries = bpf_map__max_entries(map);
	void *from = NULL;
	int err;

	/* The kernel hands out whole buckets: the buffers must hold the map at its fullest. */
	err = reserve(&tracer->keys, &tracer->keys_room, entries * key_size);
	if (!err)
		err = reserve(&tracer->values, &tracer->values_room, entries * value_size);
	if (err)
		return err;
	while (total < entries) {
		count = entries - total;
		err = bpf_map_lookup_batch(bpf_map__fd(map), from, &position,
					   (char *)tracer->keys + total * key_size,
					   (char *)tracer->values + total * value_size, &count,
					   NULL);
		if (err && errno != ENOENT)
			return errno == EINTR ? -EAGAIN : -errno;
		total += count;
		from = &position;
		if (err)
			break;
	}
	return total;
}

/* Entries [first, first + count) of an array map into tracer->values. */
static int read_array(struct tracer *tracer, const struct bpf_map *map, size_t value_size,
		      uint32_t first, uint32_t count)
{
	uint32_t before = first - 1, position, got = count;
	int err;

	err = reserve(&tracer->values, &tracer->values_room, count * value_size);
	if (!err)
		err = reserve(&tracer->keys, &tracer->keys_room, count * sizeof(uint32_t));
	if (err || !count)
		return err;
	/* A batch begins behind the key that it is given. */
	if (bpf_map_lookup_batch(bpf_map__fd(map), first ? &before : NULL, &position, tracer->keys,
				 tracer->values, &got, NULL) &&
	    errno != ENOENT)
		return -errno;
	return got == count ? 0 : -EIO;
}

static int room_for_caches(struct tracer *tracer, size_t count)
{
	struct tracer_cache *caches;

	if (count <= tracer->caches_room)
		return 0;
	caches = reallocarray(tracer->caches, count, sizeof(*caches));
	if (!caches)
		return -ENOMEM;
	memset(caches + tracer->caches_room, 0, (count - tracer->caches_room) * sizeof(*caches));
	tracer->caches = caches;
	tracer->caches_room = count;
	return 0;
}

static void add_slot(struct ct_slot *sum, const struct ct_slot *shard)
{
	size_t i;

	sum->calls += shard->calls;
	for (i = 0; i <= CT_IGNORED; i++)
		sum->outcome[i] += shard->outcome[i];
	sum->computes += shard->computes;
	sum->lost += shard->lost;
	sum->lookup_ns += shard->lookup_ns;
	sum->compute_ns += shard->compute_ns;
	if (shard->lookup_max_ns > sum->lookup_max_ns)
		sum->lookup_max_ns = shard->lookup_max_ns;
	if (shard->compute_max_ns > sum->compute_max_ns)
		sum->compute_max_ns = shard->compute_max_ns;
}

static int read_slots(struct tracer *tracer, const struct ct_place *places, size_t count)
{
	uint32_t used = 0, shard;
	const struct ct_slot *slots;
	size_t i;
	int err;

	for (i = 0; i < count; i++)
		if (places[i].slot >= used)
			used = places[i].slot + 1;
	if (used > tracer->max_caches)
		return -EIO;
	err = read_array(tracer, tracer->skeleton->maps.ct_slots, sizeof(*slots), 0,
			 used * tracer->shards);
	if (err)
		return err;
	slots = tracer->values;
	for (i = 0; i < count; i++) {
		memset(&tracer->caches[i].numbers, 0, sizeof(struct ct_slot));
		for (shard = 0; shard < tracer->shards; shard++)
			add_slot(&tracer->caches[i].numbers,
				 &slots[places[i].slot * tracer->shards + shard]);
	}
	return 0;
}

/*
 * The maximum is kept without an atomic operation and may have been overwritten by a smaller one:
 * the highest occupied bucket sets it right.
 */
static void finish_histogram(struct histogram *histogram, uint64_t sum, uint64_t max)
{
	uint64_t low;

	histogram->sum_ns = sum;
	histogram->max_ns = max;
	if (!histogram->used)
		return;
	low = histogram__bucket_from(histogram->buckets[histogram->used - 1].bucket);
	if (max < low)
		histogram->max_ns = low;
}

static int take_histogram(struct histogram *histogram, const struct ct_histogram *from)
{
	uint32_t bucket;
	int err;

	for (bucket = 0; bucket < CT_BUCKETS; bucket++) {
		if (!from->count[bucket])
			continue;
		err = histogram__add(histogram, bucket, from->count[bucket]);
		if (err)
			return err;
		histogram->count += from->count[bucket];
	}
	return 0;
}

static void clear_histogram(struct histogram *histogram)
{
	histogram->count = 0;
	histogram->used = 0;
}

/* By number of the histogram, less one: which cache's it is. */
static struct histogram **histogram_owners(struct tracer *tracer, const struct ct_place *places,
					   size_t count, uint32_t *used)
{
	struct histogram **owners = calloc(tracer->max_histograms, sizeof(*owners));
	size_t i;

	*used = 0;
	for (i = 0; owners && i < count; i++) {
		struct tracer_cache *cache = &tracer->caches[i];
		uint32_t numbers[2] = { places[i].lookup_histogram, places[i].compute_histogram };
		struct histogram *histograms[2] = { &cache->lookups, &cache->computes };
		int which;

		for (which = 0; which < 2; which++) {
			clear_histogram(histograms[which]);
			if (!numbers[which] || numbers[which] > tracer->max_histograms)
				continue;
			owners[numbers[which] - 1] = histograms[which];
			if (numbers[which] > *used)
				*used = numbers[which];
		}
		cache->lookups_timed = numbers[0];
		cache->computes_timed = numbers[1];
	}
	return owners;
}

static int read_histograms(struct tracer *tracer, const struct ct_place *places, size_t count)
{
	struct histogram **owners;
	uint32_t used, first, i;
	int err = 0;

	owners = histogram_owners(tracer, places, count, &used);
	if (!owners)
		return -ENOMEM;
	for (first = 0; first < used && !err; first += HISTOGRAM_CHUNK) {
		uint32_t chunk = used - first < HISTOGRAM_CHUNK ? used - first : HISTOGRAM_CHUNK;
		const struct ct_histogram *histograms;

		err = read_array(tracer, tracer->skeleton->maps.ct_histograms, sizeof(*histograms),
				 first, chunk);
		histograms = tracer->values;
		for (i = 0; i < chunk && !err; i++)
			if (owners[first + i])
				err = take_histogram(owners[first + i], &histograms[i]);
	}
	free(owners);
	for (i = 0; i < count && !err; i++) {
		struct tracer_cache *cache = &tracer->caches[i];

		finish_histogram(&cache->lookups, cache->numbers.lookup_ns,
				 cache->numbers.lookup_max_ns);
		finish_histogram(&cache->computes, cache->numbers.compute_ns,
				 cache->numbers.compute_max_ns);
	}
	return err;
}

static int read_caches(struct tracer *tracer, struct tracer_reading *reading)
{
	struct ct_place *places;
	int count, i, err;

	count = read_hash(tracer, tracer->skeleton->maps.ct_places, sizeof(struct ct_key),
			  sizeof(*places));
	if (count < 0)
		return count;
	err = room_for_caches(tracer, count);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		tracer->caches[i].key = ((const struct ct_key *)tracer->keys)[i];
	places = malloc((count + 1) * sizeof(*places));
	if (!places)
		return -ENOMEM;
	memcpy(places, tracer->values, count * sizeof(*places));
	err = read_slots(tracer, places, count);
	if (!err)
		err = read_histograms(tracer, places, count);
	free(places);
	reading->caches = tracer->caches;
	reading->caches_count = count;
	return err;
}

int tracer__read_processes(struct tracer *tracer, struct tracer_reading *reading)
{
	int count, i;

	count = read_hash(tracer, tracer->skeleton->maps.ct_processes, sizeof(uint32_t),
			  sizeof(struct ct_process));
	if (count < 0)
		return count;
	if ((size_t)count > tracer->processes_room) {
		struct tracer_process *larger =
			reallocarray(tracer->processes, count, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		tracer->processes = larger;
		tracer->processes_room = count;
	}
	for (i = 0; i < count; i++) {
		tracer->processes[i].pid = ((const uint32_t *)tracer->keys)[i];
		tracer->processes[i].process = ((const struct ct_process *)tracer->values)[i];
	}
	reading->processes = tracer->processes;
	reading->processes_count = count;
	return 0;
}

static void read_run_time(struct tracer *tracer, struct tracer_reading *reading)
{
	struct bpf_program *program;

	reading->has_run_time = tracer->run_time_fd >= 0;
	reading->run_time_ns = 0;
	if (!reading->has_run_time)
		return;
	bpf_object__for_each_program(program, tracer->skeleton->obj) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_program__fd(program) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			reading->run_time_ns += info.run_time_ns;
	}
}

int tracer__read(struct tracer *tracer, struct tracer_reading *reading)
{
	size_t i;
	int err;

	tracer__reuse_retired(tracer);
	/* Processes first: caches of a process that is seen to have ended are then complete. */
	err = tracer__read_processes(tracer, reading);
	if (!err)
		err = read_caches(tracer, reading);
	for (i = 0; i < CT_LOST_REASONS; i++)
		reading->lost[i] =
			__atomic_load_n(&tracer->skeleton->bss->ct_lost[i], __ATOMIC_RELAXED);
	read_run_time(tracer, reading);
	return err;
}

void tracer__reuse_retired(struct tracer *tracer)
{
	const struct cachetrace_bpf *skeleton = tracer->skeleton;
	static const struct ct_histogram no_durations;
	static const struct ct_slot no_counts;
	uint32_t numbers[2], index;
	size_t i;
	int which;

	for (i = 0; i < tracer->retired_count; i++) {
		const struct tracer_retired *retired = &tracer->retired[i];

		for (index = retired->slot * tracer->shards;
		     index < (retired->slot + 1) * tracer->shards; index++)
			bpf_map_update_elem(bpf_map__fd(skeleton->maps.ct_slots), &index,
					    &no_counts, BPF_ANY);
		bpf_map_update_elem(bpf_map__fd(skeleton->maps.ct_free_slots), NULL, &retired->slot,
				    BPF_ANY);
		numbers[0] = retired->lookup_histogram;
		numbers[1] = retired->compute_histogram;
		for (which = 0; which < 2; which++) {
			if (!numbers[which])
				continue;
			index = numbers[which] - 1;
			bpf_map_update_elem(bpf_map__fd(skeleton->maps.ct_histograms), &index,
					    &no_durations, BPF_ANY);
			bpf_map_update_elem(bpf_map__fd(skeleton->maps.ct_free_histograms), NULL,
					    &numbers[which], BPF_ANY);
		}
	}
	tracer->retired_count = 0;
}

int tracer__forget(struct tracer *tracer, const struct ct_key *keys, size_t count)
{
	int fd = bpf_map__fd(tracer->skeleton->maps.ct_places);
	struct tracer_retired *retired;
	struct ct_place place;
	size_t i;

	retired = reallocarray(tracer->retired, tracer->retired_count + count, sizeof(*retired));
	if (!retired)
		return -ENOMEM;
	tracer->retired = retired;
	for (i = 0; i < count; i++) {
		if (bpf_map_lookup_elem(fd, &keys[i], &place) || bpf_map_delete_elem(fd, &keys[i]))
			continue;
		retired[tracer->retired_count++] = (struct tracer_retired){
			.slot = place.slot,
			.lookup_histogram = place.lookup_histogram,
			.compute_histogram = place.compute_histogram,
		};
	}
	return 0;
}
