/* SPDX-License-Identifier: BSD-2-Clause */
/* A function with its parts and tail calls: the flow of control, and the stack pointer along it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "insn_private.h"

enum { DEEPEST = 1 << 30 };

static bool is_number(int32_t depth)
{
	return depth < INSN_DEPTH_BELOW;
}

static bool is_below(int32_t depth)
{
	return depth == INSN_DEPTH_BELOW || (is_number(depth) && depth < 0);
}

/* The stack pointer of a call's entry is what a tail call needs. */
bool insn__stays(const struct insn *insn)
{
	return insn->is_table_jump || insn->has_table || is_below(insn->depth);
}

bool insn__goes_on(const struct insn *insn)
{
	return insn->flow == INSN_NEXT || insn->flow == INSN_CALL || insn->flow == INSN_BRANCH;
}

static int32_t add_depth(int32_t depth, int32_t amount)
{
	int64_t sum = (int64_t)depth + amount;

	if (!is_number(depth))
		return depth;
	return sum > -DEEPEST && sum < DEEPEST ? sum : INSN_DEPTH_UNKNOWN;
}

/* What is known where two ways meet. */
static int32_t meet_depth(int32_t a, int32_t b)
{
	if (a == b)
		return a;
	return is_below(a) && is_below(b) ? INSN_DEPTH_BELOW : INSN_DEPTH_UNKNOWN;
}

int32_t insn__depth_behind(const struct insn *insn)
{
	switch (insn->stack) {
	case INSN_STACK_ADDED:
		return add_depth(insn->depth, insn->stack_amount);
	case INSN_STACK_FROM_FRAME:
		return add_depth(insn->frame, insn->stack_amount);
	case INSN_STACK_LOWERED:
		return is_below(insn->depth) || !insn->depth ? INSN_DEPTH_BELOW
							     : INSN_DEPTH_UNKNOWN;
	default:
		return INSN_DEPTH_UNKNOWN;
	}
}

bool insn__depths_differ(int32_t a, int32_t b)
{
	if (a == INSN_DEPTH_BELOW || b == INSN_DEPTH_BELOW)
		return (is_number(a) && a >= 0) || (is_number(b) && b >= 0);
	return is_number(a) && is_number(b) && a != b;
}

static int32_t frame_behind(const struct insn *insn)
{
	switch (insn->frame_effect) {
	case INSN_FRAME_KEPT:
		return insn->frame;
	case INSN_FRAME_SET:
		return add_depth(insn->depth, insn->frame_amount);
	default:
		return INSN_DEPTH_UNKNOWN;
	}
}

static void enqueue(struct insn_function *function, struct insn_queue *queue, struct insn *insn)
{
	if (queue->count == queue->room) {
		size_t room = queue->room ? queue->room * 2 : 64;
		struct insn **items = reallocarray(queue->items, room, sizeof(*items));

		if (!items) {
			function->error = -ENOMEM;
			return;
		}
		queue->items = items;
		queue->room = room;
	}
	queue->items[queue->count++] = insn;
}

static struct insn_part *part_around(struct insn_function *function, uint64_t address)
{
	for (size_t i = 0; i < function->parts_count; i++) {
		if (address - function->parts[i].range.address < function->parts[i].range.size)
			return &function->parts[i];
	}
	return NULL;
}

struct insn *insn_function__around(const struct insn_function *function, uint64_t address)
{
	for (size_t i = 0; i < function->parts_count; i++) {
		struct insn *insn = insn_part__around(&function->parts[i], address);

		if (insn)
			return insn;
	}
	return NULL;
}

/* Control comes to insn with these depths. */
static void arrive(struct insn_function *function, struct insn *insn, int32_t depth, int32_t frame,
		   bool after_call)
{
	if (insn->depth != INSN_DEPTH_UNSEEN) {
		/* If a jump brings another depth than the call before, that does not return. */
		if (after_call && !insn->after_call)
			return;
		if (after_call || !insn->after_call) {
			depth = meet_depth(insn->depth, depth);
			frame = meet_depth(insn->frame, frame);
		}
	}
	insn->after_call = after_call;
	if (insn->depth == depth && insn->frame == frame)
		return;
	insn->depth = depth;
	insn->frame = frame;
	enqueue(function, &function->queue, insn);
}

static struct insn_part *add_part(struct insn_function *function, const struct elf_range *range)
{
	struct insn_part *part = &function->parts[function->parts_count];

	if (function->parts_count == INSN_MAX_PARTS || function->size > INSN_MAX_SIZE) {
		function->escapes = true;
		return NULL;
	}
	function->error = insn_part__decode(part, function->decoder, range);
	if (function->error)
		return NULL;
	function->parts_count++;
	function->size += part->range.size;
	for (size_t i = 0; i < part->count; i++) {
		part->insns[i].depth = part->insns[i].frame = INSN_DEPTH_UNSEEN;
		if (part->insns[i].flow == INSN_JUMP_POINTER)
			part->insns[i].has_table = insn_table__resolve(function, part, i);
	}
	return part;
}

struct name_query {
	uint64_t address;
	bool is_cold;
};

static int check_cold(const struct elf_symbol *symbol, void *context)
{
	struct name_query *query = context;

	query->is_cold = symbol->address == query->address && strstr(symbol->name, ".cold");
	return query->is_cold;
}

/* Compilers put rare code far away, under the function's name and ".cold" if there are symbols. */
static bool is_named_cold(struct insn_function *function, uint64_t address)
{
	struct name_query query = { .address = address };

	if (function->names_asked++ > INSN_MAX_PARTS)
		return false;
	elf_file__each_symbol(function->decoder->file, check_cold, &query);
	return query.is_cold;
}

static bool is_in_scope(struct insn_function *function, uint64_t target,
			const struct elf_range *range, int32_t depth)
{
	switch (function->scope) {
	case INSN_SCOPE_TAILS:
		return true;
	case INSN_SCOPE_NAMED:
		if (is_named_cold(function, target))
			return true;
	/* fall through */
	default:
		return is_below(depth) || range->address != target;
	}
}

/* The part around target, to which a jump with this depth goes; NULL if it is out of scope. */
static struct insn_part *enter_part(struct insn_function *function, uint64_t target, int32_t depth)
{
	struct insn_part *part = part_around(function, target);
	struct elf_range range;

	if (part)
		return part;
	if (elf_file__plt_target(function->decoder->file, target) ||
	    !elf_file__function_at(function->decoder->file, target, &range)) {
		function->escapes = true;
		return NULL;
	}
	return is_in_scope(function, target, &range, depth) ? add_part(function, &range) : NULL;
}

static void jump_to(struct insn_function *function, uint64_t target, int32_t depth, int32_t frame)
{
	struct insn_part *part = enter_part(function, target, depth);
	struct insn *insn = part ? insn_part__around(part, target) : NULL;

	if (insn)
		arrive(function, insn, depth, frame, false);
	else if (part && part->complete)
		function->escapes = true;
}

static void follow_table(struct insn_function *function, const struct insn *insn)
{
	size_t count = function->entries_count;

	for (size_t i = 0; i < count; i++) {
		if (function->entries[i].jump == insn->address)
			jump_to(function, function->entries[i].target, insn->depth, insn->frame);
	}
}

/* Assembly may run into the next function; but a call that ends a function does not return. */
static void follow_next(struct insn_function *function, const struct insn *insn, bool after_call)
{
	uint64_t address = insn->address + insn->size;
	struct insn *next = insn_function__around(function, address);

	if (next)
		arrive(function, next, insn__depth_behind(insn), frame_behind(insn), after_call);
	else if (!after_call)
		jump_to(function, address, insn__depth_behind(insn), frame_behind(insn));
}

/* Compilers put nops behind calls that do not return. */
static bool is_nop(const struct insn *insn)
{
	return insn->class != INSN_STEPPED && insn->flow == INSN_NEXT && !insn->written;
}

static void follow(struct insn_function *function, struct insn *insn)
{
	switch (insn->flow) {
	case INSN_NEXT:
		follow_next(function, insn, insn->after_call && is_nop(insn));
		break;
	case INSN_CALL:
		enqueue(function, &function->calls, insn);
		break;
	case INSN_BRANCH:
		follow_next(function, insn, false);
		jump_to(function, insn->target, insn->depth, insn->frame);
		break;
	case INSN_JUMP:
		jump_to(function, insn->target, insn->depth, insn->frame);
		break;
	case INSN_JUMP_POINTER:
		if (insn->has_table)
			follow_table(function, insn);
		break;
	}
}

static void drain(struct insn_function *function)
{
	size_t calls = 0;

	while (!function->error) {
		if (function->queue.count)
			follow(function, function->queue.items[--function->queue.count]);
		else if (calls < function->calls.count)
			follow_next(function, function->calls.items[calls++], true);
		else
			break;
	}
	function->calls.count = 0;
}

/* What the depths at all jumps through pointers within the part have in common. False: no jumps. */
static bool common_depth(const struct insn_part *part, int32_t *depth, int32_t *frame)
{
	bool found = false;

	for (size_t i = 0; i < part->count; i++) {
		const struct insn *insn = &part->insns[i];

		if (insn->flow != INSN_JUMP_POINTER || insn->depth == INSN_DEPTH_UNSEEN ||
		    !insn__stays(insn))
			continue;
		*depth = found ? meet_depth(*depth, insn->depth) : insn->depth;
		*frame = found ? meet_depth(*frame, insn->frame) : insn->frame;
		found = true;
	}
	return found;
}

/* Where no known way leads is where the jumps through pointers without a known table go. */
static void follow_unseen(struct insn_function *function, struct insn_part *part)
{
	int32_t depth = 0, frame = 0;

	if (!common_depth(part, &depth, &frame))
		return;
	for (size_t i = 0; i < part->count && !function->error; i++) {
		struct insn *insn = &part->insns[i];

		if (insn->depth != INSN_DEPTH_UNSEEN || (i && insn__goes_on(&part->insns[i - 1])))
			continue;
		arrive(function, insn, depth, frame, false);
		drain(function);
	}
}

/* What is left are landing pads of exceptions: their jumps out of the function count as well. */
static void follow_rest(struct insn_function *function, struct insn_part *part)
{
	for (size_t i = 0; i < part->count && !function->error; i++) {
		struct insn *insn = &part->insns[i];

		if (insn->depth != INSN_DEPTH_UNSEEN ||
		    (insn->flow != INSN_BRANCH && insn->flow != INSN_JUMP))
			continue;
		if (part_around(function, insn->target))
			continue;
		jump_to(function, insn->target, INSN_DEPTH_UNKNOWN, INSN_DEPTH_UNKNOWN);
		drain(function);
	}
}

int insn_function__open(struct insn_function *function, struct insn_decoder *decoder,
			uint64_t address, enum insn_scope scope)
{
	struct elf_range range;
	struct insn_part *part;
	struct insn *first;

	memset(function, 0, sizeof(*function));
	function->decoder = decoder;
	function->address = address;
	function->scope = scope;
	if (!elf_file__function_at(decoder->file, address, &range))
		return -ENOENT;
	part = add_part(function, &range);
	if (!part)
		return function->error;
	first = insn_part__around(part, address);
	if (!first)
		return -EILSEQ;
	if (first->address != address)
		return -EINVAL;
	arrive(function, first, 0, INSN_DEPTH_UNKNOWN, false);
	drain(function);
	for (size_t i = 0; i < function->parts_count && !function->error; i++) {
		follow_unseen(function, &function->parts[i]);
		follow_rest(function, &function->parts[i]);
	}
	return function->error;
}

void insn_function__close(struct insn_function *function)
{
	for (size_t i = 0; i < function->parts_count; i++)
		insn_part__free(&function->parts[i]);
	free(function->entries);
	free(function->queue.items);
	free(function->calls.items);
}
