/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instruction of a function may carry a probe, and what a probe there costs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "insn_private.h"

enum {
	LONGEST_WALK = 8,	/* instructions from the entry on that are considered */
	LONGEST_DETOUR = 32,	/* instructions from a branch until it is back at the entry */
	LONGEST_EXCLUSIVE = 32,	/* instructions between an exclusive load and its store */
};

const char *insn_class__name(enum insn_class class)
{
	switch (class) {
	case INSN_OPTIMIZED:
		return "optimized";
	case INSN_EMULATED:
		return "emulated";
	default:
		return "stepped";
	}
}

int insn__register(struct elf_file *file, const char *name)
{
	const struct insn_machine *machine = insn_machine__of(file);

	for (size_t i = 0; machine && i < machine->registers_count; i++) {
		const struct insn_register *row = &machine->registers[i];

		for (size_t j = 0; j < sizeof(row->names) / sizeof(*row->names) && row->names[j];
		     j++) {
			if (!strcmp(row->names[j], name))
				return row->number;
		}
	}
	return -1;
}

int insn__argument_register(struct elf_file *file, unsigned n)
{
	const struct insn_machine *machine = insn_machine__of(file);

	return machine && n < machine->arguments_count ? machine->arguments[n] : -1;
}

void insn__fill_site(struct insn_site *site, struct insn_decoder *decoder, const struct insn *insn)
{
	site->address = insn->address;
	site->class = insn->class;
	site->text[0] = '\0';
	if (insn_decoder__at(decoder, insn->address))
		insn_decoder__text(decoder, site->text, sizeof(site->text));
}

/* Code that comes back to the entry without another way out: to grow the stack, to try again. */
struct detour {
	const struct insn *first, *last;
	int32_t depth;		/* at the branch to it */
};

/* The search for an entry site. */
struct walk {
	struct insn_function *function;
	const struct insn *first;
	bool with_return;
	bool framed;		/* the entry block moves the stack pointer */
	uint64_t kept;		/* registers that must not have been written */
	uint64_t label;		/* where else control may come from: the walk ends before */
	size_t loops;		/* jumps back to the first instruction that are no calls */
	struct detour detours[LONGEST_WALK];	/* to which the branches passed lead */
	size_t detours_count;
	const struct insn *fallback;	/* the first that can carry a probe at all */
	const struct insn *site;
};

static const struct insn *next_of(const struct walk *walk, const struct insn *insn)
{
	return insn_function__around(walk->function, insn->address + insn->size);
}

static bool is_framed(const struct walk *walk)
{
	const struct insn *insn = walk->first;

	for (int i = 0; insn && i < LONGEST_WALK; i++) {
		if (insn->stack != INSN_STACK_ADDED || insn->stack_amount)
			return true;
		if (insn->flow != INSN_NEXT)
			return false;
		insn = next_of(walk, insn);
	}
	return false;
}

/* Not a jump that is surely a call by the function of itself: one that has undone its frame. */
static bool is_loop(const struct walk *walk, const struct insn *insn)
{
	return (insn->flow == INSN_JUMP || insn->flow == INSN_BRANCH) &&
	       insn->target == walk->first->address && (!walk->framed || insn->depth);
}

static size_t count_loops(const struct walk *walk)
{
	size_t loops = 0;

	for (size_t i = 0; i < walk->function->parts_count; i++) {
		const struct insn_part *part = &walk->function->parts[i];

		for (size_t j = 0; j < part->count; j++)
			loops += is_loop(walk, &part->insns[j]);
	}
	return loops;
}

/* By a jump through a pointer whose table is not known. */
static bool is_reached_by_pointer(const struct walk *walk, const struct insn *place)
{
	for (size_t i = 0; i < walk->function->parts_count; i++) {
		const struct insn_part *part = &walk->function->parts[i];

		for (size_t j = 0; j < part->count; j++) {
			const struct insn *jump = &part->insns[j];

			if (jump->flow == INSN_JUMP_POINTER && !jump->has_table &&
			    !insn__depths_differ(jump->depth, place->depth))
				return true;
		}
	}
	return false;
}

static bool find_detour(const struct walk *walk, uint64_t address, struct detour *detour)
{
	const struct insn *insn = insn_function__around(walk->function, address);

	detour->first = insn;
	for (int i = 0; insn && i < LONGEST_DETOUR; i++) {
		detour->last = insn;
		if (insn->flow == INSN_JUMP)
			return is_loop(walk, insn);
		if (insn->flow != INSN_NEXT && insn->flow != INSN_CALL)
			return false;
		insn = next_of(walk, insn);
	}
	return false;
}

/* The walk goes on behind a branch to a detour. */
static bool passes_branch(struct walk *walk, const struct insn *branch)
{
	struct detour *known = walk->detours, detour;

	if (!find_detour(walk, branch->target, &detour))
		return false;
	detour.depth = branch->depth;
	while (known < walk->detours + walk->detours_count && known->last != detour.last)
		known++;
	if (known == walk->detours + walk->detours_count)
		walk->detours[walk->detours_count++] = detour;
	if (detour.first < known->first)
		known->first = detour.first;
	return true;
}

/* Whether a detour can still be taken from place on. */
static bool is_entered(const struct walk *walk, const struct detour *detour,
		       const struct insn *place)
{
	uint64_t first = detour->first->address, size = detour->last->address - first;
	const struct insn *before = insn_function__around(walk->function, first - 1);

	if (before && insn__goes_on(before) &&
	    !insn__depths_differ(insn__depth_behind(before), detour->depth))
		return true;
	for (size_t i = 0; i < walk->function->parts_count; i++) {
		const struct insn_part *part = &walk->function->parts[i];

		for (size_t j = 0; j < part->count; j++) {
			const struct insn *insn = &part->insns[j];
			bool passed = insn >= walk->first && insn < place;

			if (!passed && insn->flow != INSN_CALL && insn->target - first <= size)
				return true;
		}
	}
	for (size_t i = 0; i < walk->function->entries_count; i++) {
		if (walk->function->entries[i].target - first <= size)
			return true;
	}
	return is_reached_by_pointer(walk, detour->first);
}

/* Control comes to place once in each call: from there on nothing leads back to the entry. */
static bool is_passed_once(const struct walk *walk, const struct insn *place)
{
	if (walk->loops > walk->detours_count)
		return false;
	for (size_t i = 0; i < walk->detours_count; i++) {
		if (is_entered(walk, &walk->detours[i], place))
			return false;
	}
	return true;
}

static bool goes_past(struct walk *walk, const struct insn *insn)
{
	if (insn->written & walk->kept || insn->begins_exclusive ||
	    (walk->with_return && insn->moves_return))
		return false;
	return insn->flow == INSN_NEXT || (insn->flow == INSN_BRANCH && passes_branch(walk, insn));
}

static void consider(struct walk *walk, const struct insn *insn)
{
	bool inside = insn != walk->function->parts[0].insns;

	if (!is_passed_once(walk, insn) || insn->refused || (insn->nop5 && inside) ||
	    (insn != walk->first && is_reached_by_pointer(walk, insn)))
		return;
	if (!walk->fallback)
		walk->fallback = insn;
	if (insn->class != INSN_STEPPED)
		walk->site = insn;
}

static void walk_entry(struct walk *walk)
{
	const struct insn *insn = walk->first;

	walk->detours_count = 0;
	walk->fallback = walk->site = NULL;
	for (int i = 0; insn && insn->address < walk->label && i < LONGEST_WALK; i++) {
		consider(walk, insn);
		if (walk->site || !goes_past(walk, insn))
			break;
		insn = next_of(walk, insn);
	}
	if (!walk->site)
		walk->site = walk->fallback;
}

static int choose_site(struct walk *walk)
{
	const struct insn_function *function = walk->function;
	int error;

	walk->framed = is_framed(walk);
	walk->loops = count_loops(walk);
	walk->label = insn_label__inside(function, walk->first->address);
	walk_entry(walk);
	if (walk->site && walk->site != walk->first) {
		error = insn_label__outside(function, walk->first->address, walk->site->address,
					    &walk->label);
		if (error)
			return error;
		walk_entry(walk);
	}
	return walk->site ? 0 : -EPERM;
}

int insn__entry_site(struct elf_file *file, uint64_t address, bool with_return,
		     struct insn_site *site)
{
	struct insn_function function;
	struct insn_decoder decoder;
	struct walk walk = { .function = &function, .with_return = with_return };
	int error = insn_decoder__open(&decoder, file);

	if (error)
		return error;
	error = insn_function__open(&function, &decoder, address, INSN_SCOPE_SURE);
	if (!error) {
		walk.first = insn_function__around(&function, address);
		walk.kept = elf_file__is_go(file) ? decoder.machine->go_argument_mask
						  : decoder.machine->argument_mask;
		error = choose_site(&walk);
	}
	if (!error)
		insn__fill_site(site, &decoder, walk.site);
	insn_function__close(&function);
	insn_decoder__close(&decoder);
	return error;
}

/* Between an exclusive load and its store a trap would make the store fail, for ever. */
static bool is_in_exclusive(const struct insn_part *part, const struct insn *insn)
{
	for (int i = 0; insn > part->insns && i < LONGEST_EXCLUSIVE; i++) {
		insn--;
		if (insn->ends_exclusive)
			return false;
		if (insn->begins_exclusive)
			return true;
	}
	return false;
}

/* A call may take its place unless a loop comes there with values below the stack pointer. */
static bool is_safe_nop5(const struct insn_part *part, const struct insn *insn)
{
	if (insn != part->insns || !part->complete)
		return false;
	for (size_t i = 0; i < part->count; i++) {
		if (part->insns[i].target == insn->address && part->insns[i].flow != INSN_CALL)
			return false;
	}
	return true;
}

static int check_insn(struct insn_decoder *decoder, const struct insn_part *part, uint64_t address,
		      struct insn_site *site)
{
	const struct insn *insn = insn_part__around(part, address);

	if (!insn)
		return -EILSEQ;
	if (insn->address != address)
		return -EINVAL;
	insn__fill_site(site, decoder, insn);
	if (insn->refused || is_in_exclusive(part, insn) ||
	    (insn->nop5 && !is_safe_nop5(part, insn)))
		return -EPERM;
	return 0;
}

int insn__check_site(struct elf_file *file, uint64_t address, struct insn_site *site)
{
	struct insn_decoder decoder;
	struct elf_range range;
	struct insn_part part;
	int error = insn_decoder__open(&decoder, file);

	if (error)
		return error;
	error = -ENOENT;
	if (elf_file__function_at(file, address, &range))
		error = insn_part__decode(&part, &decoder, &range);
	if (!error) {
		error = check_insn(&decoder, &part, address, site);
		insn_part__free(&part);
	}
	insn_decoder__close(&decoder);
	return error;
}
