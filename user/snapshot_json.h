/* SPDX-License-Identifier: BSD-2-Clause */
/* What the writer (snapshot_json.c) and the reader (snapshot_parse.c) of saved snapshots share. */
#ifndef CACHETRACE_SNAPSHOT_JSON_H
#define CACHETRACE_SNAPSHOT_JSON_H

#include <stdint.h>

#include "snapshot.h"

/* Schema and major version; what adds members only is a minor version ("/1.1"). */
#define SNAPSHOT_SCHEMA_FAMILY "cachetrace.snapshot/"
#define SNAPSHOT_SCHEMA SNAPSHOT_SCHEMA_FAMILY "1"

enum { SNAPSHOT_TIME_SIZE = sizeof("2026-01-31T12:00:00.000Z") };

extern const char *const snapshot_lost_names[CT_LOST_REASONS];
extern const char *const snapshot_unit_names[UNIT_BYTES + 1];
extern const char *const snapshot_source_names[SOURCE_COUNTERS + 1];

/* ISO 8601 in UTC; times before the year 0 or after 9999 become the nearest inside. */
void snapshot_time__format(int64_t time_ms, char text[SNAPSHOT_TIME_SIZE]);

#endif
