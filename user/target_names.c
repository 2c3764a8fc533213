/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the names of a target, its places and its caches, and by what the target is matched. */
#include <stdio.h>
#include <string.h>

#include "target.h"
#include "target_check.h"
#include "target_source.h"

enum { MIN_BUILD_ID = 8 };

static int check_name(const struct target_source *source, const char *path, const char *name)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0')
		return 0;
	return target__complain(source, path, "name",
				"expected a name of the characters a-z, 0-9, '_', '.', '-'");
}

int target__check_build_id(const struct target_source *source, const char *path,
			   const char *build_id)
{
	if (!build_id)
		return 0;
	if (strlen(build_id) >= MIN_BUILD_ID &&
	    build_id[strspn(build_id, "0123456789abcdef")] == '\0')
		return 0;
	return target__complain(source, path, "build_id",
				"expected at least %d hex digits in lower case", MIN_BUILD_ID);
}

static int check_match(const struct target_source *source, const char *path,
		       const struct target_match *match)
{
	if (!match->exe && !match->soname && !match->build_id && !match->symbol)
		return target__complain(source, path, "",
					"expected at least one of exe, soname, build_id, symbol");
	return target__check_build_id(source, path, match->build_id);
}

static int check_place_name(const struct target *target, const struct target_source *source,
			    unsigned index)
{
	const char *name = target->places[index].name;
	char path[TARGET_PATH_SIZE];

	snprintf(path, sizeof(path), "places[%u]", index);
	if (target__find_place(target, name) != (int)index)
		return target__complain(source, path, "name",
					"another place is named '%s' too", name);
	return check_name(source, path, name);
}

static int check_cache_name(const struct target *target, const struct target_source *source,
			    unsigned index)
{
	const char *name = target->caches[index].name;
	char path[TARGET_PATH_SIZE];

	snprintf(path, sizeof(path), "caches[%u]", index);
	for (unsigned i = 0; i < index; i++)
		if (strcmp(target->caches[i].name, name) == 0)
			return target__complain(source, path, "name",
						"another cache is named '%s' too", name);
	return check_name(source, path, name);
}

int target__check_names(const struct target *target, const struct target_source *source)
{
	int wrong = check_name(source, "", target->name);

	for (unsigned i = 0; i < target->match_count && !wrong; i++) {
		char path[TARGET_PATH_SIZE];

		snprintf(path, sizeof(path), "match[%u]", i);
		wrong = check_match(source, path, &target->match[i]);
	}
	for (unsigned i = 0; i < target->places_count && !wrong; i++)
		wrong = check_place_name(target, source, i);
	for (unsigned i = 0; i < target->caches_count && !wrong; i++)
		wrong = check_cache_name(target, source, i);
	return wrong;
}
