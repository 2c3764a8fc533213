/* SPDX-License-Identifier: BSD-2-Clause */
/* Help and manual page, both printed from the tables of commands, options and columns. */
#ifndef CACHETRACE_HELP_H
#define CACHETRACE_HELP_H

#include <stdio.h>

#include "command.h"

void help__print(FILE *stream, const struct command *command);
/* The manual page of all commands, in the format of man(7). */
void help__print_man(FILE *stream);

#endif
