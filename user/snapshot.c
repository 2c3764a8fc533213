/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns snapshots: their rows, the texts in them, and the difference of two. */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

enum {
	CHUNK_BYTES = 64 * 1024,
	FIRST_TEXTS = 64,
};

/* Texts, each kept once; shared by the snapshots that are made from one another. */
struct strings {
	size_t references;
	struct chunk {
		struct chunk *next;
		size_t used, room;
		char bytes[];
	} *chunks;
	struct kept_text {
		uint64_t hash;
		const char *text; /* NULL: free */
	} *texts;
	size_t used, room; /* room is a power of two */
};

static const char *const outcome_names[] = {
	[CT_HIT] = "hit",
	[CT_MISS] = "miss",
	[CT_STALE] = "stale",
	[CT_REFRESH] = "refresh",
	[CT_PASS] = "pass",
	[CT_BYPASS] = "bypass",
	[CT_BUSY] = "busy",
	[CT_CREATE] = "create",
	[CT_OTHER] = "other",
	[CT_UNFINISHED] = "unfinished",
	[CT_IGNORED] = "ignored",
};

_Static_assert(sizeof(outcome_names) / sizeof(outcome_names[0]) == CT_IGNORED + 1,
	       "a name for each outcome");

const char *outcome__name(int outcome)
{
	return outcome >= 0 && outcome <= CT_IGNORED ? outcome_names[outcome] : NULL;
}

int outcome__number(const char *name)
{
	for (int i = 0; i <= CT_IGNORED; i++)
		if (!strcmp(outcome_names[i], name))
			return i;
	return -1;
}

/* FNV-1a, continued from hash. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

static const uint64_t hash_start = 0xcbf29ce484222325;

/* Bits that the multiplications spread upwards only are brought down to where tables look. */
static uint64_t hash_end(uint64_t hash)
{
	return hash ^ hash >> 32;
}

static void strings__release(struct strings *strings)
{
	struct chunk *next;

	if (!strings || --strings->references)
		return;
	for (struct chunk *chunk = strings->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(strings->texts);
	free(strings);
}

static struct kept_text *strings__find(const struct strings *strings, uint64_t hash,
				       const char *text)
{
	size_t at = hash & (strings->room - 1);

	while (strings->texts[at].text &&
	       (strings->texts[at].hash != hash || strcmp(strings->texts[at].text, text)))
		at = (at + 1) & (strings->room - 1);
	return &strings->texts[at];
}

static bool strings__grow(struct strings *strings)
{
	struct strings larger = { .room = strings->room ? strings->room * 2 : FIRST_TEXTS };

	larger.texts = calloc(larger.room, sizeof(*larger.texts));
	if (!larger.texts)
		return false;
	for (size_t i = 0; i < strings->room; i++) {
		struct kept_text *old = &strings->texts[i];

		if (old->text)
			*strings__find(&larger, old->hash, old->text) = *old;
	}
	free(strings->texts);
	strings->texts = larger.texts;
	strings->room = larger.room;
	return true;
}

static char *strings__reserve(struct strings *strings, size_t size)
{
	struct chunk *chunk = strings->chunks;

	if (!chunk || chunk->room - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){ .next = strings->chunks, .room = room };
		strings->chunks = chunk;
	}
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

const char *snapshot__string(struct snapshot *snapshot, const char *text)
{
	struct strings *strings = snapshot->strings;
	struct kept_text *kept;
	uint64_t hash;
	size_t size;
	char *copy;

	if (!text || (strings->used >= strings->room / 2 && !strings__grow(strings)))
		return NULL;
	hash = hash_end(hash_text(hash_start, text));
	kept = strings__find(strings, hash, text);
	if (kept->text)
		return kept->text;
	size = strlen(text) + 1;
	copy = strings__reserve(strings, size);
	if (!copy)
		return NULL;
	*kept = (struct kept_text){ .hash = hash, .text = memcpy(copy, text, size) };
	strings->used++;
	return copy;
}

struct snapshot *snapshot__new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	snapshot->strings = calloc(1, sizeof(*snapshot->strings));
	if (!snapshot->strings) {
		free(snapshot);
		return NULL;
	}
	snapshot->strings->references = 1;
	return snapshot;
}

void snapshot__free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->count; i++) {
		histogram__free(&snapshot->caches[i].lookup_latency);
		histogram__free(&snapshot->caches[i].compute_latency);
	}
	free(snapshot->caches);
	strings__release(snapshot->strings);
	free(snapshot);
}

static bool make_room(struct snapshot *snapshot, size_t room)
{
	struct snapshot_cache *caches;

	if (room <= snapshot->room)
		return true;
	caches = reallocarray(snapshot->caches, room, sizeof(*caches));
	if (!caches)
		return false;
	snapshot->caches = caches;
	snapshot->room = room;
	return true;
}

struct snapshot_cache *snapshot__add(struct snapshot *snapshot)
{
	struct snapshot_cache *cache;

	if (snapshot->count == snapshot->room &&
	    !make_room(snapshot, snapshot->room ? snapshot->room * 2 : 16))
		return NULL;
	cache = &snapshot->caches[snapshot->count++];
	*cache = (struct snapshot_cache){ 0 };
	return cache;
}

uint64_t snapshot_cache__lookups(const struct snapshot_cache *cache)
{
	uint64_t lookups = count__add(cache->outcome[CT_HIT], cache->outcome[CT_MISS]);

	return count__add(lookups, snapshot_cache__other(cache));
}

uint64_t snapshot_cache__other(const struct snapshot_cache *cache)
{
	uint64_t other = 0;

	for (int i = 0; i < CT_OUTCOMES; i++)
		if (i != CT_HIT && i != CT_MISS)
			other = count__add(other, cache->outcome[i]);
	return other;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool snapshot_cache__same(const struct snapshot_cache *a, const struct snapshot_cache *b)
{
	return a->pid == b->pid && a->start_time == b->start_time &&
	       a->has_object == b->has_object && a->object == b->object &&
	       same_text(a->target, b->target) && same_text(a->cache, b->cache);
}

/* Finds rows by what snapshot_cache__same compares. */
struct row_index {
	struct indexed_row {
		uint64_t hash;
		const struct snapshot_cache *row; /* NULL: free */
	} * rows;
	size_t room; /* a power of two */
};

static uint64_t hash_row(const struct snapshot_cache *row)
{
	uint64_t hash = hash_bytes(hash_start, &row->pid, sizeof(row->pid));

	hash = hash_bytes(hash, &row->start_time, sizeof(row->start_time));
	hash = hash_bytes(hash, &row->object, sizeof(row->object));
	return hash_end(hash_text(hash_text(hash, row->target), row->cache));
}

static struct indexed_row *row_index__find(const struct row_index *index, uint64_t hash,
					   const struct snapshot_cache *row)
{
	size_t at = hash & (index->room - 1);

	while (index->rows[at].row &&
	       (index->rows[at].hash != hash || !snapshot_cache__same(index->rows[at].row, row)))
		at = (at + 1) & (index->room - 1);
	return &index->rows[at];
}

static bool row_index__make(struct row_index *index, const struct snapshot *snapshot)
{
	index->room = 16;
	while (index->room / 2 < snapshot->count)
		index->room *= 2;
	index->rows = calloc(index->room, sizeof(*index->rows));
	if (!index->rows)
		return false;
	for (size_t i = 0; i < snapshot->count; i++) {
		const struct snapshot_cache *row = &snapshot->caches[i];
		uint64_t hash = hash_row(row);
		struct indexed_row *found = row_index__find(index, hash, row);

		if (!found->row)
			*found = (struct indexed_row){ .hash = hash, .row = row };
	}
	return true;
}

/* Adds a row like this one. */
static struct snapshot_cache *copy_row(struct snapshot *snapshot, const struct snapshot_cache *from)
{
	struct snapshot_cache *row = snapshot__add(snapshot);

	if (!row)
		return NULL;
	*row = *from;
	row->lookup_latency = (struct histogram){ 0 };
	row->compute_latency = (struct histogram){ 0 };
	if (histogram__merge(&row->lookup_latency, &from->lookup_latency) ||
	    histogram__merge(&row->compute_latency, &from->compute_latency))
		return NULL;
	return row;
}

static void subtract_row(struct snapshot_cache *later, const struct snapshot_cache *earlier)
{
	for (int i = 0; i < CT_OUTCOMES; i++)
		later->outcome[i] = count__subtract(later->outcome[i], earlier->outcome[i]);
	later->computes = count__subtract(later->computes, earlier->computes);
	later->lost = count__subtract(later->lost, earlier->lost);
	histogram__subtract(&later->lookup_latency, &earlier->lookup_latency);
	histogram__subtract(&later->compute_latency, &earlier->compute_latency);
}

static bool subtract_rows(struct snapshot *difference, const struct snapshot *later,
			  const struct row_index *earlier)
{
	if (!make_room(difference, later->count))
		return false;
	for (size_t i = 0; i < later->count; i++) {
		struct snapshot_cache *row = copy_row(difference, &later->caches[i]);
		const struct snapshot_cache *before;

		if (!row)
			return false;
		before = row_index__find(earlier, hash_row(row), row)->row;
		if (before)
			subtract_row(row, before);
	}
	return true;
}

/* All of the difference but its rows. */
static struct snapshot *subtract_heads(const struct snapshot *later, const struct snapshot *earlier)
{
	struct snapshot *difference = malloc(sizeof(*difference));

	if (!difference)
		return NULL;
	*difference = *later;
	difference->caches = NULL;
	difference->count = difference->room = 0;
	difference->strings->references++;
	difference->since_ms = earlier->time_ms;
	difference->interval_s = ((double)later->time_ms - (double)earlier->time_ms) / 1000;
	for (int i = 0; i < CT_LOST_REASONS; i++)
		difference->lost[i] = count__subtract(later->lost[i], earlier->lost[i]);
	difference->self.cpu_s = later->self.cpu_s > earlier->self.cpu_s
					 ? later->self.cpu_s - earlier->self.cpu_s
					 : 0;
	difference->self.bpf_ns = count__subtract(later->self.bpf_ns, earlier->self.bpf_ns);
	return difference;
}

struct snapshot *snapshot__difference(const struct snapshot *later, const struct snapshot *earlier)
{
	struct snapshot *difference = subtract_heads(later, earlier);
	struct row_index index;
	bool done;

	if (!difference || !row_index__make(&index, earlier)) {
		snapshot__free(difference);
		return NULL;
	}
	done = subtract_rows(difference, later, &index);
	free(index.rows);
	if (done)
		return difference;
	snapshot__free(difference);
	return NULL;
}
