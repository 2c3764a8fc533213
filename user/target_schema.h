/* SPDX-License-Identifier: BSD-2-Clause */
/* The schema of target files, as a table for libcyaml. */
#ifndef CACHETRACE_TARGET_SCHEMA_H
#define CACHETRACE_TARGET_SCHEMA_H

#include <cyaml/cyaml.h>

enum { TARGET_MAX_PLACES = 256 };

/* Fills a struct target with all that stands in files; what is worked out from that stays zero. */
extern const cyaml_schema_value_t target_schema;

#endif
