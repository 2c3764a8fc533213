/* SPDX-License-Identifier: BSD-2-Clause */
/* From options to what a session needs: target files and the ad-hoc target. */
#ifndef CACHETRACE_GATHER_H
#define CACHETRACE_GATHER_H

#include "options.h"
#include "session.h"

struct gathering {
	struct target_set targets;
	struct target *ad_hoc;
	struct session_options session;
};

/* 0; -EINVAL: wrong usage or a wrong target file (said in the log); -errno. */
int gathering__begin(struct gathering *gathering, const struct options *options);
void gathering__end(struct gathering *gathering);

#endif
