/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions by which a function hands control back to its caller. */
#include <errno.h>
#include <stdlib.h>

#include "insn_private.h"

struct returns {
	struct insn_decoder *decoder;
	struct insn_site *sites;
	size_t count, room;
};

static int append(struct returns *returns, const struct insn *insn)
{
	struct insn_site *site;

	if (insn->refused)
		return -EPERM;
	if (returns->count == returns->room) {
		size_t room = returns->room ? returns->room * 2 : 8;
		struct insn_site *sites = reallocarray(returns->sites, room, sizeof(*sites));

		if (!sites)
			return -ENOMEM;
		returns->sites = sites;
		returns->room = room;
	}
	site = &returns->sites[returns->count++];
	insn__fill_site(site, returns->decoder, insn);
	return 0;
}

static int append_part(struct returns *returns, const struct insn_part *part)
{
	if (!part->complete)
		return -EILSEQ;
	for (size_t i = 0; i < part->count; i++) {
		const struct insn *insn = &part->insns[i];
		int error = 0;

		if (insn->flow == INSN_RETURN)
			error = append(returns, insn);
		else if (insn->flow == INSN_JUMP_POINTER && !insn__stays(insn))
			error = -ELOOP;
		if (error)
			return error;
	}
	return 0;
}

static int compare_sites(const void *a, const void *b)
{
	const struct insn_site *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* Parts may overlap in a file that is not made by a compiler. */
static void sort_sites(struct returns *returns)
{
	size_t kept = 0;

	if (!returns->count)
		return;
	qsort(returns->sites, returns->count, sizeof(*returns->sites), compare_sites);
	for (size_t i = 1; i < returns->count; i++) {
		if (returns->sites[i].address != returns->sites[kept].address)
			returns->sites[++kept] = returns->sites[i];
	}
	returns->count = kept + 1;
}

static int collect(struct returns *returns, const struct insn_function *function)
{
	if (function->escapes)
		return -ELOOP;
	for (size_t i = 0; i < function->parts_count; i++) {
		int error = append_part(returns, &function->parts[i]);

		if (error)
			return error;
	}
	sort_sites(returns);
	return 0;
}

int insn__returns(struct elf_file *file, uint64_t address, struct insn_site **sites, size_t *count)
{
	struct insn_function function;
	struct insn_decoder decoder;
	struct returns returns = { .decoder = &decoder };
	int error = insn_decoder__open(&decoder, file);

	if (error)
		return error;
	error = insn_function__open(&function, &decoder, address, INSN_SCOPE_TAILS);
	if (!error)
		error = collect(&returns, &function);
	insn_function__close(&function);
	insn_decoder__close(&decoder);
	if (error) {
		free(returns.sites);
		return error;
	}
	*sites = returns.sites;
	*count = returns.count;
	return 0;
}
