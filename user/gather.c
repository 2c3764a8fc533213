// SPDX-License-Identifier: BSD-2-Clause
/* From options to what a session needs: target files and the ad-hoc target. */
#include "gather.h"

#include <errno.h>
#include <string.h>

#include "log.h"

static int check_ad_hoc(const struct options *options)
{
	if (!options->lookup && (options->hit || options->compute || options->object)) {
		log_error(
			"--hit, --compute and --object describe a cache whose --lookup is missing");
		return -EINVAL;
	}
	if (options->lookup && !options->hit && !options->compute) {
		log_error("--lookup needs --hit or --compute, to tell a hit from a miss");
		return -EINVAL;
	}
	return 0;
}

int gathering__begin(struct gathering *gathering, const struct options *options)
{
	int err;

	memset(gathering, 0, sizeof(*gathering));
	err = check_ad_hoc(options);
	/* An ad-hoc cache is traced alone, unless targets are asked for as well. */
	if (!err && (!options->lookup || options->targets_count))
		err = target_set__load(&gathering->targets, options->target_dir);
	if (!err && options->lookup) {
		gathering->ad_hoc = target__ad_hoc(options->lookup, options->hit, options->compute,
						   options->object);
		if (!gathering->ad_hoc)
			err = -EINVAL;
	}
	gathering->session = (struct session_options){
		.pids = options->pids,
		.pids_count = options->pids_count,
		.children = options->children,
		.wait_for_targets = options->targets_count > 0 || options->lookup,
		.plan = {
			.targets = &gathering->targets,
			.only = options->targets,
			.only_count = options->targets_count,
			.ad_hoc = gathering->ad_hoc,
			.returns = options->returns,
		},
		.tracer = {
			.best_rung = options->rung,
			.max_caches = options->max_caches,
			.run_time = options->run_time,
		},
	};
	if (err)
		gathering__end(gathering);
	return err;
}

void gathering__end(struct gathering *gathering)
{
	target_set__free(&gathering->targets);
	target__free(gathering->ad_hoc);
	gathering->ad_hoc = NULL;
}
