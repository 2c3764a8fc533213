// SPDX-License-Identifier: BSD-2-Clause
/* What would be traced, and what is known: nothing is attached here. */
#include <stdio.h>

#include "command.h"
#include "gather.h"
#include "log.h"

static void print_definition(const struct definition *definition)
{
	char price[64];
	size_t i;

	printf("%s %s in %s\n", definition->target->name, definition->cache->name,
	       code_file__path(definition->file));
	if (definition->refusal) {
		printf("  not traced: %s\n", definition->refusal);
		return;
	}
	definition__price(definition, price, sizeof(price));
	printf("  price of a hit: %s\n", price);
	for (i = 0; i < definition->sites_count; i++) {
		const struct planned_site *site = &definition->sites[i];

		printf("  %-10s %#10llx  %-9s %-8s by %-8s %s\n", site->place,
		       (unsigned long long)site->offset, insn_class__name(site->instruction.class),
		       site->probe == SITE_CALL	   ? "call"
		       : site->probe == SITE_ENTRY ? "entry"
						   : "return",
		       site->found_by, site->instruction.text);
	}
}

enum exit_status command_list(const struct options *options)
{
	struct gathering gathering;
	struct session *session;
	const struct plan *plan;
	size_t i;
	int err;

	if (!options->pids_count) {
		log_error("which process? -p PID is missing");
		return EXIT_USAGE;
	}
	err = gathering__begin(&gathering, options);
	if (err)
		return exit_status_of(err);
	gathering.session.look_only = true;
	err = session__open(&session, &gathering.session);
	if (!err) {
		plan = session__plan(session);
		for (i = 0; i < plan__definitions_count(plan); i++)
			print_definition(plan__definition(plan, i));
		session__close(session);
	}
	gathering__end(&gathering);
	return exit_status_of(err);
}

enum exit_status command_targets(const struct options *options)
{
	struct target_set targets = { 0 };
	unsigned i, j;
	int err = target_set__load(&targets, options->target_dir);

	for (i = 0; !err && i < targets.count; i++) {
		const struct target *target = targets.targets[i];

		printf("%s (%s): %s\n", target->name, target->origin,
		       target->what ? target->what : "");
		for (j = 0; j < target->caches_count; j++)
			printf("  %s-%s: %s\n", target->name, target->caches[j].name,
			       target->caches[j].what ? target->caches[j].what : "");
	}
	target_set__free(&targets);
	return exit_status_of(err);
}
